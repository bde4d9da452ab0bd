//! Counters of tries, kept in the store so that a restart forgets none and every process sees the same.
//! What a counter allows is decided in the service; here are only its rows.

use super::rows::hit_one;
use super::{StoreError, Tx};
use crate::domain::time::Timestamp;

/// A counter as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct LimitRow {
    /// When counting began (microseconds).
    pub window_started_at: i64,
    /// Tries since then.
    pub hits: i64,
    /// Until when nothing is tried (microseconds).
    pub blocked_until: Option<i64>,
}

// The UPDATE changes nothing; it takes the row's lock, so that two tries at once are counted one after the other.
const LOCK: &str = "INSERT INTO rate_limits (site_id, scope, subject, window_started_at, hits) VALUES ($1, $2, $3, $4, 0) \
     ON CONFLICT (site_id, scope, subject) DO UPDATE SET hits = rate_limits.hits \
     RETURNING window_started_at, hits, blocked_until";
const SET: &str = "UPDATE rate_limits SET window_started_at = $4, hits = $5, blocked_until = $6 \
     WHERE site_id = $1 AND scope = $2 AND subject = $3";
const CLEAR: &str = "DELETE FROM rate_limits WHERE site_id = $1 AND scope = $2 AND subject = $3";
const FORGET: &str = "DELETE FROM rate_limits WHERE site_id = $1 AND window_started_at < $2 \
     AND (blocked_until IS NULL OR blocked_until < $2)";

/// Reads a counter, made where there is none, and keeps others from it until the transaction ends.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn lock(tx: &mut Tx, site: &str, scope: &str, subject: &str, now: Timestamp) -> Result<LimitRow, StoreError> {
    fetch_one!(tx, LimitRow, LOCK, site, scope, subject, now.0)
}

/// Writes a counter that was locked.
///
/// # Errors
/// [`StoreError::Fault`] when there is no such counter; any [`StoreError`] of the statement.
pub async fn set(tx: &mut Tx, site: &str, scope: &str, subject: &str, row: LimitRow) -> Result<(), StoreError> {
    let rows = execute!(tx, SET, site, scope, subject, row.window_started_at, row.hits, row.blocked_until)?;
    if hit_one(rows)? {
        Ok(())
    } else {
        Err(StoreError::Fault("a counter was written before it was locked".to_owned()))
    }
}

/// Forgets a counter.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn clear(tx: &mut Tx, site: &str, scope: &str, subject: &str) -> Result<(), StoreError> {
    execute!(tx, CLEAR, site, scope, subject)?;
    Ok(())
}

/// Forgets every counter that began, and whose block ended, before an instant.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn forget_before(tx: &mut Tx, site: &str, before: Timestamp) -> Result<u64, StoreError> {
    execute!(tx, FORGET, site, before.0)
}
