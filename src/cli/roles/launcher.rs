//! The launcher: `servery` without a command.

use super::screen::{Wishes, show};
use crate::cli::app::House;
use crate::domain::error::Refused;
use crate::service::worker_due::ShowWorker;
use crate::service::{Caller, staff};
use crate::store::StoreUrl;
use crate::tui::screens::kitchen::DemoAccount;
use crate::tui::screens::launcher::{Choice, Database, Effect, Launcher, Msg, StoreInfo};
use futures::FutureExt;
use std::process::ExitCode;

/// The accounts that screens of the demo store show.
pub(super) fn demo_accounts() -> Vec<DemoAccount> {
    staff::DEMO_ACCOUNTS
        .iter()
        .map(|account| DemoAccount {
            username: account.username.to_owned(),
            password: account.password.to_owned(),
            pin: account.pin.to_owned(),
        })
        .collect()
}

/// Shows the launcher, then the role that was chosen, and the launcher again when that ends.
///
/// # Errors
/// As `show`, and of the role.
pub async fn run(house: House) -> Result<ExitCode, Refused> {
    loop {
        let mut app = Launcher::new(house.config.store.to_string());
        let asked = house.clone();
        let status = show(&house, &mut app, Wishes { mouse: true, wipe: false }, move |effect| {
            let house = asked.clone();
            async move {
                match effect {
                    Effect::LoadStore { request } => Msg::Store { request, result: store_info(&house).await },
                }
            }
            .boxed()
        })
        .await?;
        match app.chosen() {
            None => return Ok(status),
            Some(Choice::Kiosk) => super::kiosk(house.clone()).await?,
            Some(Choice::Kitchen) => super::kitchen(house.clone()).await?,
            Some(Choice::Board) => super::board(house.clone()).await?,
            Some(Choice::Console) => super::console::run(house.clone()).await?,
        };
    }
}

/// What the launcher says of the store.
///
/// # Errors
/// `STORE_UNAVAILABLE`.
pub async fn store_info(house: &House) -> Result<StoreInfo, Refused> {
    let worker_runs = house.door.ask(&Caller::System, ShowWorker).await?.holder.is_some();
    Ok(StoreInfo {
        site: house.site.name.clone(),
        database: match house.config.store {
            StoreUrl::Sqlite(_) => Database::Sqlite,
            StoreUrl::Postgres(_) => Database::Postgres,
        },
        place: house.config.store.to_string(),
        demo: house.site.demo,
        demo_accounts: demo_accounts(),
        worker_runs,
    })
}
