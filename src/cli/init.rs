//! `servery init`: sets a site up for real work, with its first admin; or the demo.

use super::desk::Desk;
use super::output::{Done, Failure};
use crate::domain::access::Role;
use crate::domain::error::Refused;
use crate::service::secrets::pepper_path;
use crate::service::setup::{self, InitSite};
use crate::service::staff::{self, NewStaff};
use crate::service::{Caller, Door, Secrets, SystemClock, TimeOrderedIds};
use crate::store::{Options, Store};
use clap::Args;
use std::sync::Arc;

/// What is set up.
#[derive(Debug, Args)]
pub struct Init {
    /// The demo: a canteen with its menu, stock and staff
    #[arg(long, conflicts_with_all = ["name", "currency", "time_zone", "admin"])]
    demo: bool,
    /// The name for people
    #[arg(long, required_unless_present = "demo")]
    name: Option<String>,
    /// ISO 4217, such as EUR
    #[arg(long, required_unless_present = "demo")]
    currency: Option<String>,
    /// A zone of the IANA list, such as Europe/Berlin
    #[arg(long, required_unless_present = "demo")]
    time_zone: Option<String>,
    /// The sign-in name of the first admin; the password comes from a prompt or standard input
    #[arg(long, required_unless_present = "demo", value_name = "USERNAME")]
    admin: Option<String>,
}

/// Sets the site up.
///
/// # Errors
/// `CONFLICT` where the site is there already, `VALIDATION_ERROR` for what cannot be, `STORE_UNAVAILABLE`.
pub async fn run(init: Init, desk: &Desk) -> Done {
    let config = &desk.config;
    let site = if init.demo {
        InitSite::demo(&config.site)
    } else {
        InitSite {
            site: config.site.clone(),
            name: init.name.unwrap_or_default(),
            currency: init.currency.unwrap_or_default(),
            time_zone: init.time_zone.unwrap_or_default(),
            demo: false,
        }
    };
    // Everything that a person can get wrong is looked at before the site is made.
    let password = match &init.admin {
        Some(name) => {
            let password = desk.secret("Password")?;
            crate::service::sign_in::check_password(&name.to_lowercase(), &password)?;
            Some(password)
        }
        None => None,
    };
    let secrets = Secrets::open(&pepper_path(|name| config.variables.get(name))?)?;
    let store = Store::open(&config.store, Options::default()).await.map_err(Refused::from)?;
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(TimeOrderedIds::from_machine()));
    if !setup::init(&store, &*clock, &*ids, &site).await? {
        return Err(Failure::from(
            Refused::conflict(format!("The site {} is set up already.", config.site))
                .help("Name another site with --site, or another store with --store."),
        ));
    }
    let door = Door::new(store, config.site.clone(), clock, ids);
    match (&init.admin, password) {
        (Some(name), Some(password)) => {
            let new = NewStaff { username: name, name, role: Role::Admin, password: &password, pin: None };
            staff::add_staff(&door, &secrets, &Caller::System, None, &new).await?;
        }
        _ => {
            staff::insert_demo(&door, &secrets).await?;
        }
    }
    let value = serde_json::json!({ "site": site.site, "name": site.name, "demo": site.demo });
    desk.output.answer(&value, || {
        let next = init.admin.map_or_else(String::new, |name| format!(" Sign in with: servery login {name}"));
        format!("The site {} is set up at {}.{next}", site.site, config.store)
    })
}
