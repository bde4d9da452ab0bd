//! Reading the outbox for whoever follows what the house tells the world. Delivering it is the
//! worker's, in `outbox.rs`.

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

const AFTER: &str = "SELECT seq, order_id, order_sequence, event, payload, created_at, sent_at, parked_at FROM outbox \
     WHERE site_id = $1 AND seq > $2 ORDER BY seq LIMIT $3";
const NEWEST: &str = "SELECT COALESCE(MAX(seq), 0) FROM outbox WHERE site_id = $1";

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
