//! The worker's lease: asking for it, renewing it, giving it back. Its rows stand in `store::lease`.
//!
//! Not through the door: a renewal is no command of anybody, and must not fill the audit log.

use super::{Worker, between};
use crate::domain::error::Refused;
use crate::service::worker_writes::{is_lost, lost};
use crate::store::lease::{self, Held, WORKER};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long a lease lasts without renewal, in seconds: with the time that a waiting worker needs to
/// notice, the house is led again within 10 s.
pub const LEASE_SECONDS: i64 = 9;
/// How often it is renewed, in seconds.
pub const RENEW_SECONDS: i64 = 3;

/// What asking for the lease came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The lease; none while another holds it.
    pub held: Option<Held>,
    /// When to ask again, if another holds it.
    pub look_again: Duration,
}

impl Worker {
    /// Asks for the lease: takes it where it is free, or renews it where it is this worker's already.
    ///
    /// # Errors
    /// The store's refusals.
    pub async fn take_lease(&self) -> Result<Taken, Refused> {
        let (store, site) = (self.door().store(), self.door().site_id());
        let (seconds, clock) = (self.options().lease_seconds, self.door().clock());
        if !self.options().may_lead {
            return Ok(Taken { held: None, look_again: Duration::from_secs(u64::MAX) });
        }
        // Looking writes nothing: those who wait must not wake the screens.
        let mut tx = store.read().await?;
        let now = tx.now(&**clock).await?;
        let found = lease::find(&mut tx, site, WORKER).await?;
        tx.rollback().await?;
        if let Some(row) = found.filter(|row| !row.is_free(now, seconds)) {
            let ours = Held { name: WORKER.to_owned(), holder: row.holder.clone(), fence: row.fence, seconds };
            if row.holder == self.holder() && self.renew(&ours).await? {
                return Ok(Taken { held: Some(ours), look_again: Duration::ZERO });
            }
            let look_again = between(now, crate::domain::time::Timestamp(row.expires_at));
            return Ok(Taken { held: None, look_again });
        }
        let mut tx = store.write().await?;
        let now = tx.now(&**clock).await?;
        let held = lease::take(&mut tx, site, WORKER, self.holder(), seconds, now).await?;
        match held {
            Some(_) => tx.commit().await?,
            None => tx.rollback().await?,
        }
        // Another was faster: its lease has just begun.
        Ok(Taken { held, look_again: Duration::from_secs(u64::try_from(seconds).unwrap_or(1)) })
    }

    /// Renews the lease; `false` when it is another's by now.
    ///
    /// # Errors
    /// The store's refusals.
    pub async fn renew(&self, held: &Held) -> Result<bool, Refused> {
        // Need not reach the disk: after a power cut nobody leads, and an earlier end is a safe one.
        let mut tx = self.door().store().write_untold().await?;
        let now = tx.now(&**self.door().clock()).await?;
        let ours = lease::renew(&mut tx, self.door().site_id(), held, now).await?;
        if ours {
            tx.commit().await?
        } else {
            tx.rollback().await?
        }
        Ok(ours)
    }

    /// Refuses with the worker's lease where it is another's; else renews it.
    pub(super) async fn require_lease(&self, held: &Held) -> Result<(), Refused> {
        if self.renew(held).await? { Ok(()) } else { Err(lost(held)) }
    }

    /// Gives the lease back, so that the next one need not wait for its end.
    ///
    /// # Errors
    /// The store's refusals; the lease then runs out by itself.
    pub async fn give_back(&self, held: &Held) -> Result<(), Refused> {
        let mut tx = self.door().store().write().await?;
        let now = tx.now(&**self.door().clock()).await?;
        lease::release(&mut tx, self.door().site_id(), held, now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Renews until told to stop; says when the lease is lost.
    pub(super) async fn keep_renewed(self, held: Held, stop: CancellationToken, is_over: CancellationToken) {
        let every = Duration::from_secs(u64::try_from(self.options().renew_seconds).unwrap_or(1).max(1));
        let mut next = Instant::now() + every;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep_until(next) => {}
            }
            match self.require_lease(&held).await {
                Ok(()) => next = Instant::now() + every,
                Err(refused) if is_lost(&refused) => return is_over.cancel(),
                // The store is away: asked again soon; whoever leads when it is back is told by the fence.
                Err(_) => next = Instant::now() + Duration::from_millis(500),
            }
        }
    }
}
