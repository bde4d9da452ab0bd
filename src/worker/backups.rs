//! Backups by schedule, beside the rounds: made by every process that was told a folder of its own machine
//! (`config.rs`), one at a time under a lease of their own, whoever leads. The store remembers each try, so that Health
//! shows it and two machines with folders take turns. Only this machine's copies are taken away when they are too many.

use super::{Worker, between, pause};
use crate::domain::error::Refused;
use crate::domain::time::Timestamp;
use crate::service::Caller;
use crate::service::backup::{LastBackups, back_up};
use crate::store::backup::Backup;
use crate::store::lease;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The lease of whoever makes one.
const LEASE: &str = "backup";
/// A backup that takes longer is another's turn, in seconds.
const LEASE_SECONDS: i64 = 3_600;
/// After one that failed, in seconds.
const AFTER_FAILURE_SECONDS: i64 = 900;
/// A process that has just begun has more urgent things to do.
const FIRST: Duration = Duration::from_secs(30);
/// Looked at again at least so often.
const LONGEST_SLEEP: Duration = Duration::from_secs(600);

/// When, where and how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSchedule {
    /// The folder, on this machine.
    pub folder: PathBuf,
    /// From one to the next, in seconds.
    pub every_seconds: i64,
    /// How many are kept; 0: all.
    pub keep: usize,
}

/// When the next one is due. One that failed is tried again sooner.
#[must_use]
pub fn due(
    schedule: &BackupSchedule,
    last_good: Option<Timestamp>,
    last_failed: Option<Timestamp>,
    now: Timestamp,
) -> Timestamp {
    // What lies ahead was noted under a clock that was set back since.
    let after_good = last_good.map_or(now, |at| at.min(now).plus_seconds(schedule.every_seconds));
    let after_failure = last_failed.map_or(now, |at| at.min(now).plus_seconds(AFTER_FAILURE_SECONDS));
    after_good.max(after_failure)
}

impl Worker {
    /// Makes a backup if one is due here; until when it rests otherwise.
    ///
    /// # Errors
    /// The store's refusals; why the backup could not be made, which the store remembers too.
    pub async fn back_up_if_due(&self) -> Result<Result<Backup, Duration>, Refused> {
        let Some(schedule) = &self.options().backups else { return Ok(Err(LONGEST_SLEEP)) };
        let last = self.door().ask(&Caller::System, LastBackups).await?;
        let next = due(schedule, last.good, last.failed, last.now);
        if next > last.now {
            return Ok(Err(between(last.now, next)));
        }
        let Some(held) = self.take_backup_lease().await? else { return Ok(Err(LONGEST_SLEEP)) };
        // Another machine may have made one while this one asked.
        let last = self.door().ask(&Caller::System, LastBackups).await?;
        let next = due(schedule, last.good, last.failed, last.now);
        let made = if next > last.now {
            Ok(Err(between(last.now, next)))
        } else {
            self.back_up_now(schedule, last.now).await.map(Ok)
        };
        let mut tx = self.door().store().write_relaxed().await?;
        let now = tx.now(&**self.door().clock()).await?;
        lease::release(&mut tx, self.door().site_id(), &held, now).await?;
        tx.commit().await?;
        made
    }

    async fn take_backup_lease(&self) -> Result<Option<lease::Held>, Refused> {
        let mut tx = self.door().store().write_relaxed().await?;
        let now = tx.now(&**self.door().clock()).await?;
        let held = lease::take(&mut tx, self.door().site_id(), LEASE, self.holder(), LEASE_SECONDS, now).await?;
        match held {
            Some(_) => tx.commit().await?,
            None => tx.rollback().await?,
        }
        Ok(held)
    }

    async fn back_up_now(&self, schedule: &BackupSchedule, now: Timestamp) -> Result<Backup, Refused> {
        // A folder that cannot be made is found out, and noted, by the backup itself.
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&schedule.folder);
        if let Err(error) = made {
            tracing::error!(folder = %schedule.folder.display(), %error, "the folder for backups cannot be made");
        }
        let prefix = prefix(self.door().site_id());
        let name = format!("{prefix}{}.backup", now.to_utc().format("%Y%m%dT%H%M%SZ"));
        let backup = back_up(self.door(), &Caller::System, &schedule.folder.join(name)).await?;
        if schedule.keep > 0 {
            forget_old(&schedule.folder, &prefix, schedule.keep);
        }
        Ok(backup)
    }

    /// Makes them in their turn until told to stop.
    pub(super) async fn keep_backing_up(self, stop: CancellationToken) {
        pause(&stop, FIRST).await;
        while !stop.is_cancelled() {
            let rest = match self.back_up_if_due().await {
                Ok(Ok(backup)) => {
                    tracing::info!(file = %backup.file.display(), bytes = backup.size_bytes, "a backup was made");
                    Duration::ZERO
                }
                Ok(Err(rest)) => rest.min(LONGEST_SLEEP),
                Err(refused) => {
                    tracing::error!(%refused, cause = refused.cause, "no backup was made");
                    LONGEST_SLEEP
                }
            };
            pause(&stop, rest).await;
        }
    }
}

/// What the names of a site's scheduled backups begin with.
fn prefix(site: &str) -> String {
    format!("servery-{site}-")
}

/// Takes the oldest copies away, by their names. Files of other names are nobody's business here.
fn forget_old(folder: &Path, prefix: &str, keep: usize) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let is_ours = |name: &str| {
        let instant = name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(".backup"));
        instant.is_some_and(|instant| instant.len() == 16 && instant.ends_with('Z'))
    };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut ours: Vec<String> = names.filter(|name| is_ours(name)).collect();
    ours.sort_unstable();
    for name in ours.iter().rev().skip(keep) {
        if let Err(error) = std::fs::remove_file(folder.join(name)) {
            tracing::warn!(name, %error, "an old backup cannot be taken away");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_comes_round_and_a_failed_one_sooner() {
        let schedule = BackupSchedule { folder: PathBuf::new(), every_seconds: 86_400, keep: 3 };
        let at = |seconds: i64| Timestamp(0).plus_seconds(seconds);
        assert_eq!(due(&schedule, None, None, at(5)), at(5));
        assert_eq!(due(&schedule, Some(at(10)), None, at(20)), at(86_410));
        assert_eq!(due(&schedule, None, Some(at(10)), at(20)), at(10 + AFTER_FAILURE_SECONDS));
        assert_eq!(due(&schedule, Some(at(0)), Some(at(86_400)), at(86_500)), at(86_400 + AFTER_FAILURE_SECONDS));
        assert_eq!(due(&schedule, Some(at(9_000_000)), None, at(20)), at(86_420), "a clock set back");
    }

    #[test]
    fn only_the_oldest_of_its_own_go() {
        let folder = tempfile::tempdir().expect("a folder");
        let names = [
            "servery-main-20260101T000000Z.backup",
            "servery-main-20260102T000000Z.backup",
            "servery-main-20260103T000000Z.backup",
            "servery-main-north-20250101T000000Z.backup",
            "servery-20250101T000000Z.backup",
            "servery-main-mine.backup",
        ];
        for name in names {
            std::fs::write(folder.path().join(name), "x").expect("a file");
        }
        forget_old(folder.path(), &prefix("main"), 2);
        let left: Vec<&str> = names.into_iter().filter(|name| folder.path().join(name).exists()).collect();
        assert_eq!(left, &names[1..]);
    }
}
