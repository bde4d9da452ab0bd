//! Setting a store up: the first site, and the demo (a canteen with its menu, stock and settings).
//!
//! The door needs a site, so this stands beside it: one transaction writes the whole site or nothing,
//! and of two processes that start at once on an empty store one finds the other's work done.

use super::menu_file::MenuFile;
use super::menu_import;
use crate::domain::access::Actor;
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::Ids;
use crate::domain::money::Currency;
use crate::domain::settings::Settings;
use crate::domain::text;
use crate::domain::time::{Clock, Timestamp};
use crate::store::records::AuditRow;
use crate::store::sites::SiteRow;
use crate::store::{Store, StoreError, StoreUrl, Tx, menu as rows, people, records, sites, stock};
use chrono::NaiveTime;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How often a start that another process stood in the way of is tried again.
const TRIES: u32 = 8;

/// The menu of the demo store.
pub const DEMO_MENU: &str = include_str!("../../assets/demo/menu.toml");

/// A site to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitSite {
    /// Its short name: a-z, 0-9 and -.
    pub site: String,
    /// Its name for people.
    pub name: String,
    /// ISO 4217.
    pub currency: String,
    /// IANA zone ("Asia/Kolkata").
    pub time_zone: String,
    /// When a business day begins.
    pub business_day_cutoff: NaiveTime,
    /// Whether it is the demo: the demo menu and settings are loaded with it.
    pub demo: bool,
}

impl InitSite {
    /// The demo store: a canteen in India.
    #[must_use]
    pub fn demo(site: &str) -> Self {
        Self {
            site: site.to_owned(),
            name: "Servery Canteen".to_owned(),
            currency: "INR".to_owned(),
            time_zone: "Asia/Kolkata".to_owned(),
            business_day_cutoff: Settings::default().business_day_cutoff,
            demo: true,
        }
    }

    fn checked(&self) -> Result<SiteRow, Refused> {
        let shaped = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.site.is_empty() || self.site.len() > 40 || !self.site.bytes().all(shaped) {
            return Err(Refused::invalid("site", "Up to 40 of a-z, 0-9 and -, such as main."));
        }
        let name = text::clean(&self.name, 50, false);
        if name.is_empty() {
            return Err(Refused::invalid("name", "The site needs a name."));
        }
        let zone: Tz = self
            .time_zone
            .parse()
            .map_err(|_| Refused::invalid("time_zone", "Give a zone of the IANA list, such as Asia/Kolkata."))?;
        Ok(SiteRow {
            site_id: self.site.clone(),
            name,
            currency: Currency::parse(&self.currency)?.code().to_owned(),
            time_zone: zone.name().to_owned(),
            demo: self.demo,
            menu_version: 1,
            settings_version: 1,
            staff_version: 1,
        })
    }
}

/// What can go wrong inside the one transaction.
enum Failure {
    Refused(Refused),
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// Whether nothing was ever set up in the store.
///
/// # Errors
/// `STORE_UNAVAILABLE`.
pub async fn is_empty(store: &Store) -> Result<bool, Refused> {
    let mut tx = store.read().await?;
    let meta = people::pepper_fingerprint(&mut tx).await?;
    tx.rollback().await?;
    Ok(meta.is_none())
}

/// The refusal for a store in which nothing was ever set up.
#[must_use]
pub fn not_set_up(place: &StoreUrl) -> Refused {
    Refused::new(ErrorCode::NotFound, format!("The store {place} is empty: nothing is set up in it yet."))
        .help("Set it up with servery init, or make the demo in it with servery init --demo.")
        .with("store", place.to_string())
}

/// The site of this name, where it was set up.
///
/// # Errors
/// `STORE_UNAVAILABLE`.
pub async fn find(store: &Store, site: &str) -> Result<Option<SiteRow>, Refused> {
    let mut tx = store.read().await?;
    let found = sites::find(&mut tx, site).await?;
    tx.rollback().await?;
    Ok(found)
}

/// Makes the site where the store has none of this name; `false` if it was there already, whatever
/// its name and money are.
///
/// # Errors
/// `VALIDATION_ERROR` for a name, currency or zone that is not valid; `STORE_UNAVAILABLE`.
pub async fn init(store: &Store, clock: &dyn Clock, ids: &dyn Ids, site: &InitSite) -> Result<bool, Refused> {
    let row = site.checked()?;
    let mut tries = 0;
    loop {
        tries += 1;
        let error = match attempt(store, clock, ids, site, &row).await {
            Ok(made) => return Ok(made),
            Err(Failure::Refused(refused)) => return Err(refused),
            Err(Failure::Store(error)) => error,
        };
        // Another process made the site first, or stood in the way: the next look finds it. The same
        // holds when the answer to the commit was lost.
        let again = error.is_retryable() || matches!(error, StoreError::Duplicate(_) | StoreError::CommitUnknown(_));
        if !again || tries >= TRIES {
            return Err(error.into());
        }
    }
}

async fn attempt(
    store: &Store,
    clock: &dyn Clock,
    ids: &dyn Ids,
    site: &InitSite,
    row: &SiteRow,
) -> Result<bool, Failure> {
    let mut look = store.read().await?;
    let known = sites::find(&mut look, &row.site_id).await?;
    look.rollback().await?;
    if known.is_some() {
        return Ok(false);
    }
    let mut tx = store.write().await?;
    let now = tx.now(clock).await?;
    if sites::find(&mut tx, &row.site_id).await?.is_some() {
        tx.rollback().await?;
        return Ok(false);
    }
    sites::insert(&mut tx, row, ids.next(now), now).await?;
    let mut settings = Settings::default();
    if settings.business_day_cutoff != site.business_day_cutoff {
        settings.business_day_cutoff = site.business_day_cutoff;
        let key = "business_day_cutoff";
        sites::set_setting(&mut tx, &row.site_id, key, &settings.get(key)?, None, now).await?;
    }
    if row.demo
        && let Err(refused) = load_demo(&mut tx, &row.site_id, ids, now).await
    {
        // A refusal that hides a lost connection or a race is judged by the store's own words.
        return Err(tx.failure().cloned().map_or(Failure::Refused(refused), Failure::Store));
    }
    let audit = AuditRow {
        action: "CREATE",
        entity: "Site",
        entity_id: row.site_id.clone(),
        details: format!("the site {} was set up{}", row.name, if row.demo { " as a demo" } else { "" }),
        before: None,
        after: Some(json!({ "currency": row.currency, "time_zone": row.time_zone, "demo": row.demo })),
        reason: None,
    };
    records::append_audit(&mut tx, &row.site_id, "init_site", &Actor::system(), &[audit], now).await?;
    records::notify(&mut tx, &row.site_id).await?;
    tx.commit().await?;
    Ok(true)
}

/// Loads the demo's settings and menu into a site that has none yet: open all day, with a canteen's
/// menu and stock. Its staff needs the machine's secrets and comes through the door afterwards
/// (`staff::insert_demo`).
///
/// # Errors
/// `VALIDATION_ERROR` if the demo's files do not fit the site (another currency), `STORE_UNAVAILABLE`.
pub async fn load_demo(tx: &mut Tx, site: &str, ids: &dyn Ids, now: Timestamp) -> Result<(), Refused> {
    let slots = json!({ "all day": { "start": "00:00", "end": "24:00" } });
    let mut settings = Settings::default();
    settings.set("time_slots", &slots)?;
    sites::set_setting(tx, site, "time_slots", &settings.get("time_slots")?, None, now).await?;
    let file = MenuFile::from_toml(DEMO_MENU)?;
    let stored = rows::load(tx, site).await?;
    let shelves = stock::list(tx, site).await?;
    let plan = menu_import::plan(&file, &stored, &shelves, &mut || ids.next(now))?;
    menu_import::apply(tx, site, &plan, &stored, now).await?;
    Ok(())
}
