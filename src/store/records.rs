//! What the door itself writes: idempotency keys, the audit log and the outbox. Their reading by the
//! worker and the console lives in files of their own.

use super::{StoreError, Tx};
use crate::domain::access::Actor;
use crate::domain::ids::OrderId;
use crate::domain::time::Timestamp;
use serde_json::Value;
use sqlx::types::Json;

/// A row for the audit log.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    /// A word: CREATE, ORDER_FULFILLED, STOCK_RESTORED, UPDATE.
    pub action: &'static str,
    /// The kind of thing.
    pub entity: &'static str,
    /// Its identity.
    pub entity_id: String,
    /// A sentence.
    pub details: String,
    /// The value before.
    pub before: Option<Value>,
    /// The value after.
    pub after: Option<Value>,
    /// Why, where a person said so.
    pub reason: Option<String>,
}

/// A row for the outbox.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxRow {
    /// The order and its per-order sequence.
    pub order: Option<(OrderId, i64)>,
    /// The event's name.
    pub event: &'static str,
    /// What it carries.
    pub payload: Value,
    /// Higher is delivered first.
    pub priority: i64,
}

const STORED: &str = "SELECT use_case, request_hash, outcome FROM idempotency_keys WHERE site_id = $1 AND key = $2";
const STORE: &str = "INSERT INTO idempotency_keys (site_id, key, use_case, request_hash, outcome, created_at) \
     VALUES ($1, $2, $3, $4, $5, $6)";
const NOTIFY: &str = "SELECT CAST(pg_notify('servery', $1) AS TEXT)";
// The same at the end of an INSERT. It names no column, so that it needs no right to read.
const NOTIFYING: &str = " RETURNING CAST(pg_notify('servery', ";
const NOTIFIED: &str = ") AS TEXT)";

/// The stored outcome under a key: use case, hash of the request, outcome.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn stored_outcome(
    tx: &mut Tx,
    site: &str,
    key: &str,
) -> Result<Option<(String, Vec<u8>, Value)>, StoreError> {
    let row: Option<(String, Vec<u8>, Json<Value>)> =
        fetch_optional!(tx, (String, Vec<u8>, Json<Value>), STORED, site, key)?;
    Ok(row.map(|(use_case, hash, Json(outcome))| (use_case, hash, outcome)))
}

const POSTGRES_MARK: &str = "SELECT CAST(pg_logical_emit_message(true, 'servery', '') AS TEXT)";

/// Lets this transaction's commit wait for all that it has read, as if it had written it itself. On
/// Postgres a commit whose answer was lost may be seen before its standby has it, and a transaction that
/// only reads waits for nobody: told on, it could be lost in a failover. On SQLite what can be read is on
/// the disk.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn keep_what_was_read(tx: &mut Tx) -> Result<(), StoreError> {
    if tx.is_postgres() {
        fetch_one!(tx, (String,), POSTGRES_MARK)?;
    }
    Ok(())
}

/// Stores an outcome under its key.
///
/// # Errors
/// [`StoreError::Duplicate`] when another transaction stored one first.
pub async fn store_outcome(
    tx: &mut Tx,
    site: &str,
    key: &str,
    use_case: &str,
    hash: &[u8],
    outcome: &Value,
    now: Timestamp,
) -> Result<(), StoreError> {
    execute!(tx, STORE, site, key, use_case, hash, Json(outcome), now.0)?;
    Ok(())
}

/// Appends to the audit log.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn append_audit(
    tx: &mut Tx,
    site: &str,
    use_case: &str,
    actor: &Actor,
    rows: &[AuditRow],
    now: Timestamp,
) -> Result<(), StoreError> {
    write_audit(tx, site, (use_case, actor), rows, now, Wake::No).await
}

/// Appends to the outbox.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn append_outbox(tx: &mut Tx, site: &str, rows: &[OutboxRow], now: Timestamp) -> Result<(), StoreError> {
    write_outbox(tx, site, rows, now, Wake::No).await
}

/// Appends to the audit log and to the outbox, and wakes the listeners of the site as [`notify()`] does, with
/// the last of these statements and in no round trip of its own.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn append_and_notify(
    tx: &mut Tx,
    site: &str,
    (use_case, actor): (&str, &Actor),
    audit: &[AuditRow],
    outbox: &[OutboxRow],
    now: Timestamp,
) -> Result<(), StoreError> {
    if audit.is_empty() && outbox.is_empty() {
        return notify(tx, site).await;
    }
    let last = if tx.is_postgres() { Wake::Site } else { Wake::No };
    write_audit(tx, site, (use_case, actor), audit, now, if outbox.is_empty() { last } else { Wake::No }).await?;
    write_outbox(tx, site, outbox, now, last).await
}

/// Wakes the listeners of a site on Postgres when this transaction commits; SQLite's file watch needs
/// no word.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn notify(tx: &mut Tx, site: &str) -> Result<(), StoreError> {
    if tx.is_postgres() {
        let _: (Option<String>,) = fetch_one!(tx, (Option<String>,), NOTIFY, site)?;
    }
    Ok(())
}

/// Whether an INSERT wakes the listeners of the site on Postgres. Any number of the same word in one
/// transaction is sent once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wake {
    No,
    Site,
}

async fn write_audit(
    tx: &mut Tx,
    site: &str,
    (use_case, actor): (&str, &Actor),
    rows: &[AuditRow],
    now: Timestamp,
    wake: Wake,
) -> Result<(), StoreError> {
    let actor_id = actor.staff.map(|id| id.0).or_else(|| actor.customer.map(|id| id.0));
    let written = insert_rows!(
        tx,
        "INSERT INTO audit_log (site_id, at, use_case, action, entity, entity_id, details, before_value, after_value, \
         actor_role, actor_id, actor_name, terminal_id, override_by, reason) ",
        rows,
        |values, row| {
            values
                .push_bind(site)
                .push_bind(now.0)
                .push_bind(use_case)
                .push_bind(row.action)
                .push_bind(row.entity)
                .push_bind(&row.entity_id)
                .push_bind(&row.details)
                .push_bind(row.before.as_ref().map(Json))
                .push_bind(row.after.as_ref().map(Json))
                .push_bind(actor.role.as_str())
                .push_bind(actor_id)
                .push_bind(&actor.name)
                .push_bind(actor.terminal.map(|id| id.0))
                .push_bind(actor.override_by.map(|id| id.0))
                .push_bind(row.reason.as_deref());
        },
        |end| {
            if wake == Wake::Site {
                end.push(NOTIFYING).push_bind(site).push(NOTIFIED);
            }
        }
    )?;
    if written > 0 {
        tx.took_a_number();
    }
    Ok(())
}

async fn write_outbox(
    tx: &mut Tx,
    site: &str,
    rows: &[OutboxRow],
    now: Timestamp,
    wake: Wake,
) -> Result<(), StoreError> {
    let written = insert_rows!(
        tx,
        "INSERT INTO outbox (site_id, order_id, order_sequence, event, payload, priority, created_at) ",
        rows,
        |values, row| {
            values
                .push_bind(site)
                .push_bind(row.order.map(|(id, _)| id.0))
                .push_bind(row.order.map(|(_, sequence)| sequence))
                .push_bind(row.event)
                .push_bind(Json(&row.payload))
                .push_bind(row.priority)
                .push_bind(now.0);
        },
        |end| {
            if wake == Wake::Site {
                end.push(NOTIFYING).push_bind(site).push(NOTIFIED);
            }
        }
    )?;
    if written > 0 {
        tx.took_a_number();
    }
    Ok(())
}
