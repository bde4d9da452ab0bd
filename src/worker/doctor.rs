//! Examining the store in the background: doctor runs in its turn, beside the rounds, under the worker's
//! lease, and its result is kept for Health. A long examination comes round less often, so that it
//! never takes more than a twentieth of the time.

use super::{Worker, between, pause};
use crate::domain::error::Refused;
use crate::domain::time::Timestamp;
use crate::service::Caller;
use crate::service::doctor::{LastExamination, examine_under_lease};
use crate::service::worker_writes::is_lost;
use crate::store::doctor::DoctorReport;
use crate::store::lease::Held;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between the end of one examination and the beginning of the next, in seconds.
pub const EVERY_SECONDS: i64 = 3_600;
/// The pause is at least so many times as long as the examination was.
const REST: i64 = 20;
/// A worker that has just begun to lead has more urgent things to do.
const FIRST: Duration = Duration::from_secs(20);
/// After an examination that the store did not let happen.
const FAILED: Duration = Duration::from_secs(300);
/// Looked at again at least so often: somebody may have asked doctor meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(600);

/// When the next examination is due.
#[must_use]
pub fn due(last: Option<(Timestamp, Timestamp)>, now: Timestamp) -> Timestamp {
    let Some((began, ended)) = last else { return now };
    let pause = EVERY_SECONDS.max(ended.seconds_since(began).saturating_mul(REST));
    // One that lies ahead was noted under a clock that was set back since.
    ended.min(now).plus_seconds(pause)
}

impl Worker {
    /// Examines the store if it is due; the report, or until when it rests.
    ///
    /// # Errors
    /// The store's refusals, and the refusal of [`crate::service::worker_writes::lost`].
    pub async fn examine_if_due(&self, held: &Held) -> Result<Result<DoctorReport, Duration>, Refused> {
        let (last, now) = self.door().ask(&Caller::System, LastExamination).await?;
        let due = due(last, now);
        if due > now {
            return Ok(Err(between(now, due)));
        }
        examine_under_lease(self.door(), held).await.map(Ok)
    }

    /// Examines in its turn until told to stop; says when the lease is lost.
    pub(super) async fn keep_examining(self, held: Held, stop: CancellationToken, lost: CancellationToken) {
        pause(&stop, FIRST).await;
        while !stop.is_cancelled() {
            let rest = match self.examine_if_due(&held).await {
                Ok(Ok(report)) => {
                    for check in report.violations() {
                        tracing::error!(check = check.name, violation = check.violation, "the store disagrees");
                    }
                    LONGEST_SLEEP
                }
                Ok(Err(rest)) => rest.min(LONGEST_SLEEP),
                Err(refused) if is_lost(&refused) => return lost.cancel(),
                Err(refused) => {
                    tracing::warn!(%refused, "the store was not examined");
                    FAILED
                }
            };
            pause(&stop, rest).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_examination_rests_longer_and_a_clock_set_back_delays_none() {
        let at = |seconds: i64| Timestamp(0).plus_seconds(seconds);
        assert_eq!(due(None, at(5)), at(5));
        assert_eq!(due(Some((at(0), at(1))), at(100)), at(1 + EVERY_SECONDS));
        assert_eq!(due(Some((at(0), at(600))), at(700)), at(600 + 600 * REST));
        assert_eq!(due(Some((at(9_000), at(9_001))), at(100)), at(100 + EVERY_SECONDS));
    }
}
