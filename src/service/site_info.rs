//! What a process has to know of its site before anybody has signed in: name, money and settings.
//! It changes nothing.

use super::door::{Query, View};
use crate::domain::access::Permission;
use crate::domain::error::Refused;
use crate::domain::money::Currency;
use crate::domain::settings::Settings;
use chrono_tz::Tz;

/// A site as a process sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteInfo {
    /// Its name for people.
    pub name: String,
    /// Its money.
    pub currency: Currency,
    /// Its time zone.
    pub zone: Tz,
    /// Whether this is the demo.
    pub demo: bool,
    /// The settings in force when it was asked.
    pub settings: Settings,
}

/// The site of the door.
#[derive(Debug, Clone, Copy)]
pub struct ThisSite;

impl Query for ThisSite {
    type Output = SiteInfo;
    const PERMISSION: Permission = Permission::MenuRead;

    async fn run(&self, view: &mut View<'_>) -> Result<SiteInfo, Refused> {
        let site = &view.site;
        Ok(SiteInfo {
            name: site.name.clone(),
            currency: site.currency,
            zone: site.zone,
            demo: site.demo,
            settings: site.settings.clone(),
        })
    }
}
