//! The outbox as its deliverer reads and marks it. What an event means to anyone is the consumers'
//! business; the door appends (`records.rs`).
//!
//! Only the head of each order is ever handed out: the earliest event that is neither delivered nor
//! parked. Events are found by their state, never by a position, so that none is passed over that was
//! numbered early and committed late.

use super::rows::hit_one;
use super::{StoreError, Tx};
use crate::domain::time::Timestamp;
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

/// An event to be delivered.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct EventRow {
    pub seq: i64,
    pub order_id: Option<Uuid>,
    pub order_sequence: Option<i64>,
    pub event: String,
    pub payload: Json<Value>,
    pub priority: i64,
    pub tries: i64,
    pub created_at: i64,
}

/// How many open events of one priority are looked at for heads: what waits behind them comes when
/// they are through.
const WINDOW: i64 = 1_000;

const NEXT_PRIORITY: &str = "SELECT MAX(priority) FROM outbox WHERE site_id = $1 AND priority < $2 \
     AND sent_at IS NULL AND parked_at IS NULL";
// The inner list runs along the index outbox_open and ends after WINDOW rows.
const HEADS: &str = "SELECT o.seq, o.order_id, o.order_sequence, o.event, o.payload, o.priority, o.tries, o.created_at \
     FROM (SELECT * FROM outbox WHERE site_id = $1 AND priority = $2 AND sent_at IS NULL AND parked_at IS NULL \
     AND (next_try_at IS NULL OR next_try_at <= $3) ORDER BY seq LIMIT $5) o \
     WHERE NOT EXISTS (SELECT 1 FROM outbox e WHERE e.site_id = $1 AND e.order_id = o.order_id \
     AND e.order_sequence < o.order_sequence AND e.sent_at IS NULL AND e.parked_at IS NULL) \
     ORDER BY o.seq LIMIT $4";
const FAILED: &str = "UPDATE outbox SET tries = tries + 1, last_error = $3, next_try_at = $4 \
     WHERE site_id = $1 AND seq = $2 AND sent_at IS NULL AND parked_at IS NULL";
const PARKED: &str = "UPDATE outbox SET tries = tries + 1, last_error = $3, next_try_at = NULL, parked_at = $4 \
     WHERE site_id = $1 AND seq = $2 AND sent_at IS NULL AND parked_at IS NULL";
const NEXT_TRY: &str = "SELECT MIN(next_try_at) FROM outbox WHERE site_id = $1 AND sent_at IS NULL \
     AND parked_at IS NULL AND next_try_at > $2";
const BACKLOG: &str =
    "SELECT CAST(COUNT(*) AS BIGINT) FROM outbox WHERE site_id = $1 AND sent_at IS NULL AND parked_at IS NULL";
const COUNT_PARKED: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM outbox WHERE site_id = $1 AND parked_at IS NOT NULL";

/// Up to `limit` events that may be delivered now, the highest priority first, one an order.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn heads(tx: &mut Tx, site: &str, now: Timestamp, limit: usize) -> Result<Vec<EventRow>, StoreError> {
    let mut found: Vec<EventRow> = Vec::new();
    let mut above = i64::MAX;
    while found.len() < limit {
        let (priority,): (Option<i64>,) = fetch_one!(tx, (Option<i64>,), NEXT_PRIORITY, site, above)?;
        let Some(priority) = priority else { break };
        let room = i64::try_from(limit - found.len()).unwrap_or(i64::MAX);
        found.extend(fetch_all!(tx, EventRow, HEADS, site, priority, now.0, room, WINDOW)?);
        above = priority;
    }
    Ok(found)
}

/// Marks events as delivered; those that were marked before stay as they are.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn mark_sent(tx: &mut Tx, site: &str, seqs: &[i64], now: Timestamp) -> Result<u64, StoreError> {
    if seqs.is_empty() {
        return Ok(0);
    }
    on_connection!(tx, connection, async {
        // The list is written out: there are no words of both databases for a list as one bind.
        let head = "UPDATE outbox SET next_try_at = NULL, sent_at = ";
        let mut builder = sqlx::QueryBuilder::new(crate::store::statements::note(head));
        builder.push_bind(now.0).push(" WHERE sent_at IS NULL AND parked_at IS NULL AND site_id = ").push_bind(site);
        builder.push(" AND seq IN (");
        let mut list = builder.separated(", ");
        for seq in seqs {
            list.push_bind(*seq);
        }
        builder.push(")");
        builder.build().execute(connection).await.map(|done| done.rows_affected())
    })
}

/// Notes that an event could not be delivered, and when to try again; `None` parks it for a person.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn mark_failed(
    tx: &mut Tx,
    site: &str,
    seq: i64,
    error: &str,
    next_try: Option<Timestamp>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    match next_try {
        Some(at) => hit_one(execute!(tx, FAILED, site, seq, error, at.0)?),
        None => hit_one(execute!(tx, PARKED, site, seq, error, now.0)?),
    }
}

/// The next instant at which an event that failed is tried again.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn next_try(tx: &mut Tx, site: &str, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    Ok(fetch_one!(tx, (Option<i64>,), NEXT_TRY, site, now.0)?.0.map(Timestamp))
}

/// How many events wait to be delivered.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn backlog(tx: &mut Tx, site: &str) -> Result<i64, StoreError> {
    Ok(fetch_one!(tx, (i64,), BACKLOG, site)?.0)
}

/// How many events were given up and wait for a person.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn parked(tx: &mut Tx, site: &str) -> Result<i64, StoreError> {
    Ok(fetch_one!(tx, (i64,), COUNT_PARKED, site)?.0)
}
