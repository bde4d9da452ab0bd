//! Backups on demand and by schedule: who may, and the notes of when they began and how they ended. The
//! copying itself is `store/backup.rs`, outside of any command's transaction.

use super::Caller;
use super::door::{Context, Door, Query, UseCase, View};
use crate::domain::access::Permission;
use crate::domain::error::Refused;
use crate::domain::time::Timestamp;
use crate::store::backup::{self, Backup, Status};
use crate::store::health;
use serde::Serialize;
use std::path::Path;
use uuid::Uuid;

/// Notes that a backup begins; answers its id.
#[derive(Debug, Clone, Serialize)]
struct BeginBackup {
    file: String,
}

impl UseCase for BeginBackup {
    type Output = Uuid;
    const NAME: &'static str = "backup_begin";
    const PERMISSION: Permission = Permission::SettingsWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<Uuid, Refused> {
        let (id, now, site) = (context.new_id(), context.now, context.site.id.clone());
        backup::begun(context.tx, &site, id, &self.file, now).await?;
        Ok(id)
    }
}

/// Notes how a backup ended.
#[derive(Debug, Clone, Serialize)]
struct EndBackup {
    id: Uuid,
    size_bytes: Option<u64>,
    sha256: Option<String>,
    error: Option<String>,
}

impl UseCase for EndBackup {
    type Output = ();
    const NAME: &'static str = "backup_end";
    const PERMISSION: Permission = Permission::SettingsWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<(), Refused> {
        let (now, site) = (context.now, context.site.id.clone());
        let size = i64::try_from(self.size_bytes.unwrap_or(0)).unwrap_or(i64::MAX);
        let hash = self.sha256.as_deref().map(bytes).unwrap_or_default();
        let outcome = self.error.as_deref().map_or(Ok((size, hash.as_slice())), Err);
        if backup::ended(context.tx, &site, self.id, outcome, now).await? {
            return Ok(());
        }
        Err(Refused::not_found("backup", self.id))
    }
}

/// Hexadecimal digits as bytes.
fn bytes(digits: &str) -> Vec<u8> {
    let pairs = (0..digits.len() / 2).filter_map(|at| digits.get(2 * at..2 * at + 2));
    pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
}

/// When the last backups were made, for the worker, which makes them in their turn.
#[derive(Debug, Clone, Copy)]
pub struct LastBackups;

/// The last backups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastTries {
    /// When the last good one ended.
    pub good: Option<Timestamp>,
    /// When the last try began, where it failed.
    pub failed: Option<Timestamp>,
    /// The instant of the answer.
    pub now: Timestamp,
}

impl Query for LastBackups {
    type Output = LastTries;
    const PERMISSION: Permission = Permission::SystemRun;

    async fn run(&self, view: &mut View<'_>) -> Result<LastTries, Refused> {
        let site = view.site.id.clone();
        let good = health::last_good_backup(view.tx, &site).await?.map(|made| Timestamp(made.finished_at));
        let last = backup::last(view.tx, &site).await?;
        let failed = last.filter(|last| last.error.is_some()).map(|last| Timestamp(last.started_at));
        Ok(LastTries { good, failed, now: view.now })
    }
}

/// Whether the caller may see the state of the store.
struct MayLook;

impl Query for MayLook {
    type Output = ();
    const PERMISSION: Permission = Permission::SettingsWrite;

    async fn run(&self, _: &mut View<'_>) -> Result<(), Refused> {
        Ok(())
    }
}

/// Copies the store into the new file `to` while it runs, and notes it.
///
/// # Errors
/// The door's refusals for a caller who may not; `STORE_UNAVAILABLE` with the reason when the copy could
/// not be made, which is noted too.
pub async fn back_up(door: &Door, caller: &Caller, to: &Path) -> Result<Backup, Refused> {
    let id = door.execute(caller, None, BeginBackup { file: to.display().to_string() }).await?;
    let made = backup::backup(door.store(), to).await;
    let end = match &made {
        Ok(made) => EndBackup { id, size_bytes: Some(made.size_bytes), sha256: Some(made.sha256.clone()), error: None },
        Err(error) => EndBackup { id, size_bytes: None, sha256: None, error: Some(error.to_string()) },
    };
    let noted = door.execute(caller, None, end).await;
    let made = made?;
    noted?;
    Ok(made)
}

/// What can be told about the store: kind, schema, size, last backup, engine, identity.
///
/// # Errors
/// The door's refusals for a caller who may not; `STORE_UNAVAILABLE`.
pub async fn status(door: &Door, caller: &Caller) -> Result<Status, Refused> {
    door.ask(caller, MayLook).await?;
    Ok(backup::status(door.store(), door.site_id()).await?)
}
