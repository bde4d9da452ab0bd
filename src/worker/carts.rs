//! What grows old: carts that nobody touched, and the stored outcomes of commands. Nothing is written
//! unless something is due.

use super::{Report, Worker};
use crate::domain::error::Refused;
use crate::service::Caller;
use crate::service::worker_due::DueHousekeeping;
use crate::service::worker_writes::{ExpireCarts, Fenced, ForgetKeys};
use crate::store::lease::Held;

/// Keys that one transaction forgets.
const KEYS: i64 = 1_000;

impl Worker {
    /// Deletes carts older than `cart_ttl_minutes`, and idempotency keys older than 7 days.
    ///
    /// # Errors
    /// The store's refusals, and a lease that is another's by now.
    pub async fn forget_old(&self, held: &Held) -> Result<Report, Refused> {
        let due = self.door().ask(&Caller::System, DueHousekeeping).await?;
        let mut report = Report::default();
        if let Some(before) = due.carts_before {
            let command = Fenced { held: held.clone(), command: ExpireCarts { before } };
            report.forgotten += self.door().execute(&Caller::System, None, command).await?;
        }
        if let Some(before) = due.keys_before {
            let command = Fenced { held: held.clone(), command: ForgetKeys { before, limit: KEYS } };
            let gone = self.door().execute(&Caller::System, None, command).await?;
            report.forgotten += gone;
            report.more = gone >= KEYS.unsigned_abs();
        }
        Ok(report)
    }
}
