//! Sealing the audit log into its hash chain (I27). Writers take no part: rows are sealed in batches,
//! and only those below which nothing can appear any more.

use super::{Report, Worker};
use crate::domain::error::Refused;
use crate::service::worker_writes::lost;
use crate::store::lease::{self, Held};
use crate::store::{StoreError, seal, seals};
use std::sync::PoisonError;

/// Rows of one seal at most.
const ROWS: i64 = 500;
/// A shorter tail is sealed when its oldest row is this old, in seconds: a seal costs a sync of the disk.
const AGE_SECONDS: i64 = 30;

/// What the last look at the tail found.
#[derive(Debug, Default)]
pub struct Seen {
    /// Up to here the tail may be sealed when ..
    to_seq: i64,
    /// .. these transactions have ended.
    writers: Vec<String>,
}

impl Worker {
    /// Seals what is old enough, or enough.
    ///
    /// # Errors
    /// The store's refusals, and a lease that is another's by now.
    pub async fn seal_audit(&self, held: &Held) -> Result<Report, Refused> {
        self.seal_audit_older_than(held, AGE_SECONDS).await
    }

    /// As [`Worker::seal_audit`], for rows at least so many seconds old.
    ///
    /// # Errors
    /// As [`Worker::seal_audit`].
    pub async fn seal_audit_older_than(&self, held: &Held, seconds: i64) -> Result<Report, Refused> {
        let Some(up_to) = self.sealable(seconds).await? else { return Ok(Report::default()) };
        let site = self.door().site_id();
        let mut tx = self.door().store().write().await?;
        let now = tx.now(&**self.door().clock()).await?;
        if !lease::hold(&mut tx, site, held).await? {
            tx.rollback().await?;
            return Err(lost(held));
        }
        let sealed = match seal::append(&mut tx, site, up_to, now).await {
            Ok(sealed) => sealed,
            // The same seal was written before, by a commit whose answer was lost.
            Err(StoreError::Duplicate(_)) => return Ok(Report::default()),
            Err(error) => return Err(error.into()),
        };
        tx.commit().await?;
        Ok(Report { sealed, more: sealed >= ROWS, ..Report::default() })
    }

    /// Up to which number rows may be sealed now, if any.
    async fn sealable(&self, seconds: i64) -> Result<Option<i64>, Refused> {
        let site = self.door().site_id();
        let mut tx = self.door().store().read().await?;
        let now = tx.now(&**self.door().clock()).await?;
        // First the tail, then the writers: one who comes in between has a higher number.
        let tail = seals::tail(&mut tx, site, ROWS).await?;
        let writers = seals::writers(&mut tx).await?;
        tx.rollback().await?;
        let mut seen = self.sealing().lock().unwrap_or_else(PoisonError::into_inner);
        let Some(tail) = tail.filter(|tail| tail.rows >= ROWS || tail.oldest.plus_seconds(seconds) <= now) else {
            *seen = Seen::default();
            return Ok(None);
        };
        if writers.is_empty() {
            *seen = Seen::default();
            return Ok(Some(tail.to_seq));
        }
        if !seen.writers.is_empty() {
            seen.writers.retain(|writer| writers.contains(writer));
            if seen.writers.is_empty() {
                // The rest of the tail waits for its own writers.
                return Ok(Some(seen.to_seq.min(tail.to_seq)));
            }
            return Ok(None);
        }
        *seen = Seen { to_seq: tail.to_seq, writers };
        Ok(None)
    }
}
