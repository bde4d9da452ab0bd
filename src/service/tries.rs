//! How often a password or PIN may be tried: five times, then after pauses that double from half a
//! minute to an hour. A try is counted before it is verified, so that killing the program in between
//! wins nothing; success forgets the count.

use super::door::Context;
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::TerminalId;
use crate::domain::time::{MICROS, Timestamp};
use crate::store::limits::{self, LimitRow};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Tries without a pause.
pub(super) const FREE_TRIES: i64 = 5;
/// The first pause, in seconds.
const FIRST_PAUSE: i64 = 30;
/// The longest pause, in seconds.
const LONGEST_PAUSE: i64 = 3_600;
/// After so many seconds without a try, counting begins anew.
const FORGET_AFTER: i64 = 24 * 3_600;

/// One thing whose tries are counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Counter {
    scope: &'static str,
    subject: String,
}

impl Counter {
    /// The account of a sign-in name, known or not. The name is hashed: people type passwords there.
    pub(super) fn account(username: &str) -> Self {
        Self { scope: "login_account", subject: super::secrets::hex(&Sha256::digest(username.as_bytes())) }
    }

    /// Signing in at a terminal, or outside of any.
    pub(super) fn terminal(terminal: Option<TerminalId>) -> Self {
        Self { scope: "login_terminal", subject: terminal.map_or_else(|| "none".to_owned(), |id| id.to_string()) }
    }

    /// The exit PIN of a terminal.
    pub(super) fn exit_pin(terminal: TerminalId) -> Self {
        Self { scope: "pin", subject: terminal.to_string() }
    }
}

/// The pause after so many tries, in seconds; 0 for none.
const fn pause(hits: i64) -> i64 {
    let doubled = hits - FREE_TRIES;
    if doubled < 0 {
        0
    } else if doubled > 6 {
        LONGEST_PAUSE
    } else {
        let seconds = FIRST_PAUSE << doubled;
        if seconds > LONGEST_PAUSE { LONGEST_PAUSE } else { seconds }
    }
}

/// Counts a try, or answers for how many seconds none is allowed.
fn count(row: LimitRow, now: Timestamp) -> Result<LimitRow, i64> {
    if let Some(until) = row.blocked_until
        && until > now.0
    {
        return Err((until - now.0 + MICROS - 1) / MICROS);
    }
    let last = row.blocked_until.unwrap_or(row.window_started_at).max(row.window_started_at);
    let (began, before) =
        if now.0.saturating_sub(last) > FORGET_AFTER * MICROS { (now.0, 0) } else { (row.window_started_at, row.hits) };
    let hits = before.saturating_add(1);
    let seconds = pause(hits);
    Ok(LimitRow { window_started_at: began, hits, blocked_until: (seconds > 0).then(|| now.plus_seconds(seconds).0) })
}

/// Counts one try for each counter; give them in the order account, terminal.
///
/// # Errors
/// `RATE_LIMITED` with `details.seconds` while one of them pauses; then none is counted.
pub(super) async fn take(context: &mut Context<'_>, counters: &[Counter]) -> Result<(), Refused> {
    for counter in counters {
        let (site, now) = (context.site.id.clone(), context.now);
        let row = limits::lock(context.tx, &site, counter.scope, &counter.subject, now).await?;
        let row = count(row, now).map_err(|seconds| {
            Refused::new(ErrorCode::RateLimited, format!("Too many tries. Wait {seconds} seconds."))
                .with("seconds", seconds)
                .by_guard("tries")
        })?;
        limits::set(context.tx, &site, counter.scope, &counter.subject, row).await?;
    }
    Ok(())
}

/// Forgets the counters after a success, and those that nobody asked for in a day.
///
/// # Errors
/// `STORE_UNAVAILABLE`.
pub(super) async fn succeed(context: &mut Context<'_>, counters: &[Counter]) -> Result<(), Refused> {
    let site = context.site.id.clone();
    for counter in counters {
        limits::clear(context.tx, &site, counter.scope, &counter.subject).await?;
    }
    limits::forget_before(context.tx, &site, context.now.plus_seconds(-FORGET_AFTER)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_half_a_minute_to_an_hour() {
        let pauses: Vec<i64> = (1..=14).map(pause).collect();
        assert_eq!(pauses, [0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600]);
        assert_eq!(pause(i64::MAX), LONGEST_PAUSE);
    }

    #[test]
    fn a_day_without_a_try_forgets_and_a_try_in_a_pause_does_not_count() {
        let start = Timestamp(1_000 * MICROS);
        let mut row = LimitRow { window_started_at: start.0, hits: 0, blocked_until: None };
        for _ in 0..FREE_TRIES {
            row = count(row, start).expect("free");
        }
        assert_eq!(count(row, start), Err(30));
        assert_eq!(count(row, start.plus_seconds(29)), Err(1));
        assert_eq!(count(row, start.plus_seconds(30)).expect("again").hits, 6);
        assert_eq!(count(row, start.plus_seconds(30 + FORGET_AFTER + 1)).expect("anew").hits, 1);
    }
}
