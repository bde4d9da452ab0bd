//! `servery db`: the store itself, beneath every site.

use super::app::Role;
use super::desk::Desk;
use super::output::{Done, Failure};
use crate::domain::error::Refused;
use crate::service::{self, Caller};
use crate::store::doctor::DoctorReport;
use crate::store::grants::{self, DEFAULT_PREFIX, StoreRole};
use crate::store::{Options, Store, backup};
use clap::Subcommand;
use serde::Serialize;
use std::path::PathBuf;

/// What can be done with the store itself.
#[derive(Debug, Subcommand)]
pub enum Db {
    /// Bring the store to the schema of this program
    Migrate,
    /// Say which schema the store has
    Status,
    /// Print the SQL that gives each role on Postgres the rights that it needs, and no more
    Grants {
        /// Only this role
        #[arg(long, value_name = "ROLE", value_parser = parse_role)]
        role: Option<StoreRole>,
        /// What the roles' names begin with
        #[arg(long, value_name = "PREFIX", default_value = DEFAULT_PREFIX)]
        prefix: String,
    },
    /// Copy the store into a new file while it runs
    Backup {
        /// The new file
        file: PathBuf,
    },
    /// Make the store from a backup
    Restore {
        /// The backup
        file: PathBuf,
        /// Replace a store that is not empty
        #[arg(long)]
        replace: bool,
    },
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
        Db::Grants { role, prefix } => {
            if !grants::is_prefix(&prefix) {
                return Err(Failure::Usage("a prefix is small letters, digits and underscores".to_owned()));
            }
            let roles = role.map_or_else(|| StoreRole::ALL.to_vec(), |role| vec![role]);
            let sql = grants::sql(&roles, &prefix);
            desk.output.answer(&serde_json::json!({ "roles": roles, "sql": sql }), || sql.clone())
        }
        Db::Backup { file } => {
            // Whoever can start it holds the store's address and keys, so it acts for the house.
            let house = desk.house(Role::Command).await?;
            let made = service::backup::back_up(&house.door, &Caller::System, &file).await?;
            desk.output.answer(&made, || {
                format!("{} written: {} bytes, SHA-256 {}", made.file.display(), made.size_bytes, made.sha256)
            })
        }
        Db::Restore { file, replace } => {
            let restored = backup::restore(&file, &desk.config.store, replace).await.map_err(Refused::from)?;
            desk.output.answer(&restored, || format!("{} is restored from {}.", desk.config.store, file.display()))?;
            let healthy = restored.doctor.iter().all(DoctorReport::is_healthy);
            if healthy { Ok(()) } else { Err(Failure::Reported) }
        }
    }
}

fn parse_role(word: &str) -> Result<StoreRole, String> {
    word.parse().map_err(|refused: Refused| refused.message)
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
