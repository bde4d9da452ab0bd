//! Looking at what the worker works on: the rows of the outbox, how many wait, and who holds the lease.
//! Only reads; delivering them is not written here.

use super::{StoreError, Tx};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct EventRow {
    /// Its number. On Postgres a lower one may become visible after a higher one.
    pub seq: i64,
    /// The order that it is about.
    pub order_id: Option<Uuid>,
    /// Its number among the order's own.
    pub order_sequence: Option<i64>,
    /// The event's word.
    pub event: String,
    /// What it tells.
    pub payload: Json<Value>,
    /// Microseconds.
    pub created_at: i64,
    /// When it was delivered; microseconds.
    pub sent_at: Option<i64>,
    /// When it was given up; microseconds.
    pub parked_at: Option<i64>,
}

/// A row of the worker's lease.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct LeaseRow {
    /// Which lease.
    pub name: String,
    /// Who holds it.
    pub holder: String,
    /// Microseconds.
    pub renewed_at: i64,
    /// Microseconds.
    pub expires_at: i64,
}

const AFTER: &str = "SELECT seq, order_id, order_sequence, event, payload, created_at, sent_at, parked_at FROM outbox \
     WHERE site_id = $1 AND seq > $2 ORDER BY seq LIMIT $3";
const NEWEST: &str = "SELECT COALESCE(MAX(seq), 0) FROM outbox WHERE site_id = $1";
const WAITING: &str = "SELECT COUNT(*) FROM outbox WHERE site_id = $1 AND sent_at IS NULL AND parked_at IS NULL";
const PARKED: &str = "SELECT COUNT(*) FROM outbox WHERE site_id = $1 AND parked_at IS NOT NULL";
const LEASES: &str = "SELECT name, holder, renewed_at, expires_at FROM worker_lease WHERE site_id = $1 ORDER BY name";

/// Rows above a number, the lowest first.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn after(tx: &mut Tx, site: &str, seq: i64, limit: i64) -> Result<Vec<EventRow>, StoreError> {
    fetch_all!(tx, EventRow, AFTER, site, seq, limit)
}

/// The highest number; 0 where there is none.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn newest(tx: &mut Tx, site: &str) -> Result<i64, StoreError> {
    Ok(fetch_one!(tx, (i64,), NEWEST, site)?.0)
}

/// How many rows wait for delivery, and how many were given up.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn backlog(tx: &mut Tx, site: &str) -> Result<(i64, i64), StoreError> {
    let (waiting,) = fetch_one!(tx, (i64,), WAITING, site)?;
    let (parked,) = fetch_one!(tx, (i64,), PARKED, site)?;
    Ok((waiting, parked))
}

/// The leases of the site.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn leases(tx: &mut Tx, site: &str) -> Result<Vec<LeaseRow>, StoreError> {
    fetch_all!(tx, LeaseRow, LEASES, site)
}
