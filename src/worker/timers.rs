//! The timers of orders: T7, T12, T12b, T15, T17, T22b, T25 and T31. Which orders are due is asked in small
//! pages; each is then judged again by the order machine, in a transaction of its own.

use super::{Report, Worker};
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::OrderId;
use crate::service::Caller;
use crate::service::orders::{RunTimer, Timer};
use crate::service::worker_due::DueOrders;
use crate::service::worker_writes::{Fenced, is_lost};
use crate::store::due::Key;
use crate::store::lease::Held;

/// Orders of one question.
const PAGE: i64 = 100;
/// Questions of one timer in one round; what is left comes in the next.
const PAGES: usize = 10;

impl Worker {
    /// Runs every timer that is due.
    ///
    /// # Errors
    /// The store's refusals, and a lease that is another's by now. An order that cannot be moved is
    /// left for later, and one that moved meanwhile is no error at all.
    pub async fn run_timers(&self, held: &Held) -> Result<Report, Refused> {
        let mut report = Report::default();
        for timer in Timer::ALL {
            report.add(self.run_timer(held, *timer).await?);
        }
        Ok(report)
    }

    /// Runs one timer on every order on which it is due.
    ///
    /// # Errors
    /// As [`Worker::run_timers`].
    pub async fn run_timer(&self, held: &Held, timer: Timer) -> Result<Report, Refused> {
        let mut report = Report::default();
        let mut after = Some(Key::START);
        for _ in 0..PAGES {
            let Some(from) = after else { return Ok(report) };
            let page = self.door().ask(&Caller::System, DueOrders { timer, after: from, limit: PAGE }).await?;
            for order in page.rows {
                self.fire(held, timer, order, &mut report).await?;
            }
            after = page.next;
        }
        // Not endlessly: where nothing could be done, the rest can wait for the next waking.
        report.more = after.is_some() && report.timers > 0;
        Ok(report)
    }

    async fn fire(&self, held: &Held, timer: Timer, order: OrderId, report: &mut Report) -> Result<(), Refused> {
        let now = self.door().clock().now();
        if self.poison().rests(timer.as_str(), order.0, now) {
            return Ok(());
        }
        let command = Fenced { held: held.clone(), command: RunTimer { order, timer } };
        match self.door().execute(&Caller::System, None, command).await {
            Ok(_) => {
                self.poison().handled(timer.as_str(), order.0);
                report.timers += 1;
            }
            Err(refused) if is_lost(&refused) || refused.code == ErrorCode::StoreUnavailable => return Err(refused),
            // It was paid, taken on or extended meanwhile: the timer is not due any more.
            Err(refused) if refused.code == ErrorCode::IllegalTransition || refused.guard.is_some() => {
                tracing::debug!(%refused, %order, %timer, "a timer is not due any more");
                self.poison().failed(timer.as_str(), order.0, now);
            }
            Err(refused) => {
                tracing::warn!(%refused, %order, %timer, "a timer could not run");
                self.poison().failed(timer.as_str(), order.0, now);
                report.poisoned += 1;
            }
        }
        Ok(())
    }
}
