//! Rows of notifications: what a person is told. One for each event, channel and kind of recipient, so
//! that telling it again has no second effect.

use super::rows::hit_one;
use super::{StoreError, Tx};
use crate::domain::ids::OrderId;
use crate::domain::time::Timestamp;
use uuid::Uuid;

/// A notification, column by column.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct NotificationRow {
    pub id: Uuid,
    pub outbox_seq: i64,
    pub channel: String,
    pub recipient_kind: String,
    pub recipient_id: Option<Uuid>,
    pub order_id: Option<Uuid>,
    pub event: String,
    pub title: String,
    pub body: String,
    pub created_at: i64,
    pub read_at: Option<i64>,
}

/// What an order's notifications say of it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct OrderFacts {
    /// `ORD-YYYYMMDD-NNN`.
    pub order_number: String,
    /// Whose it is.
    pub customer_id: Uuid,
    /// What is to be paid, in minor units.
    pub due: i64,
    /// ISO 4217.
    pub currency: String,
    /// Units that are not voided.
    pub items: i64,
}

const FACTS: &str = "SELECT o.order_number, o.customer_id, o.due, o.currency, \
     (SELECT CAST(COALESCE(SUM(l.quantity - l.voided), 0) AS BIGINT) FROM order_lines l \
     WHERE l.site_id = $1 AND l.order_id = o.id) AS items FROM orders o WHERE o.site_id = $1 AND o.id = $2";
const INSERT: &str = "INSERT INTO notifications (site_id, id, outbox_seq, channel, recipient_kind, recipient_id, \
     order_id, event, title, body, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
     ON CONFLICT (site_id, outbox_seq, channel, recipient_kind) DO NOTHING";
const OF_ORDER: &str = "SELECT id, outbox_seq, channel, recipient_kind, recipient_id, order_id, event, title, body, \
     created_at, read_at FROM notifications WHERE site_id = $1 AND order_id = $2 ORDER BY created_at, outbox_seq, id";
const UNREAD: &str = "SELECT id, outbox_seq, channel, recipient_kind, recipient_id, order_id, event, title, body, \
     created_at, read_at FROM notifications WHERE site_id = $1 AND recipient_kind = $2 AND read_at IS NULL \
     ORDER BY created_at, id LIMIT $3";
const READ: &str = "UPDATE notifications SET read_at = $3 WHERE site_id = $1 AND id = $2 AND read_at IS NULL";

/// What there is to say of an order, if it exists.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn facts(tx: &mut Tx, site: &str, order: OrderId) -> Result<Option<OrderFacts>, StoreError> {
    fetch_optional!(tx, OrderFacts, FACTS, site, order.0)
}

/// Writes a notification; `false` when this event was told before on this channel to this kind.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn insert(tx: &mut Tx, site: &str, row: &NotificationRow) -> Result<bool, StoreError> {
    hit_one(execute!(
        tx,
        INSERT,
        site,
        row.id,
        row.outbox_seq,
        &row.channel,
        &row.recipient_kind,
        row.recipient_id,
        row.order_id,
        &row.event,
        &row.title,
        &row.body,
        row.created_at
    )?)
}

/// What was told about an order, oldest first.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn of_order(tx: &mut Tx, site: &str, order: OrderId) -> Result<Vec<NotificationRow>, StoreError> {
    fetch_all!(tx, NotificationRow, OF_ORDER, site, order.0)
}

/// What a kind of recipient has not read, oldest first.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn unread(tx: &mut Tx, site: &str, kind: &str, limit: i64) -> Result<Vec<NotificationRow>, StoreError> {
    fetch_all!(tx, NotificationRow, UNREAD, site, kind, limit)
}

/// Marks a notification as read; `false` when it was before.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn mark_read(tx: &mut Tx, site: &str, id: Uuid, now: Timestamp) -> Result<bool, StoreError> {
    hit_one(execute!(tx, READ, site, id, now.0)?)
}
