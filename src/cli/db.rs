//! `servery db`: the store itself, beneath every site.

use super::desk::Desk;
use super::output::Done;
use crate::domain::error::Refused;
use crate::store::{Options, Store};
use clap::Subcommand;
use serde::Serialize;

/// What can be done with the store itself.
#[derive(Debug, Subcommand)]
pub enum Db {
    /// Bring the store to the schema of this program
    Migrate,
    /// Say which schema the store has
    Status,
}

#[derive(Serialize)]
struct Status {
    store: String,
    kind: &'static str,
    version: i64,
    program_version: i64,
    up_to_date: bool,
}

/// Runs the command.
///
/// # Errors
/// `STORE_UNAVAILABLE`, and what a store of a newer program refuses.
pub async fn run(command: Db, desk: &Desk) -> Done {
    match command {
        Db::Migrate => {
            let store = open(desk, true).await?;
            report(desk, &store, true).await
        }
        Db::Status => {
            let store = open(desk, false).await?;
            report(desk, &store, false).await
        }
    }
}

async fn open(desk: &Desk, migrate: bool) -> Result<Store, Refused> {
    Ok(Store::open(&desk.config.store, Options { migrate, ..Options::default() }).await?)
}

async fn report(desk: &Desk, store: &Store, migrated: bool) -> Done {
    let version = store.schema_version().await.map_err(Refused::from)?;
    let program_version = store.known_version();
    let status = Status {
        store: store.url().to_string(),
        kind: store.url().kind(),
        version,
        program_version,
        up_to_date: version == program_version,
    };
    desk.output.answer(&status, || {
        let what = if migrated { "is migrated to" } else { "has" };
        let note = if version == program_version {
            String::new()
        } else {
            format!("\nThis program knows schema {program_version}: run servery db migrate.")
        };
        format!("{} {what} schema {version}.{note}", status.store)
    })
}
