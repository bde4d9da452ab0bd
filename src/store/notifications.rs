//! Rows of notifications: what a person is told. One for each event, channel and kind of recipient, so
//! that telling it again has no second effect.

use super::rows::{containing, hit_one};
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

/// A courier of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct CourierFacts {
    /// The courier.
    pub staff_id: Uuid,
    /// The name for people.
    pub name: String,
    /// How many were named for the order before.
    pub before: i64,
}

/// Whose notices are meant: those to a kind of recipient as a whole, and those to one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipient<'a> {
    /// The kind, as the column has it.
    pub kind: &'a str,
    /// The one.
    pub id: Option<Uuid>,
}

/// What a list of notices is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoticeFilter {
    /// Only those that were not read.
    pub unread: bool,
    /// A part of the title or of the words, whatever the case; `None`: all.
    pub text: Option<String>,
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
    /// How the customer gets it.
    pub fulfilment: String,
}

const FACTS: &str = "SELECT o.order_number, o.customer_id, o.due, o.currency, o.fulfilment, \
     (SELECT CAST(COALESCE(SUM(l.quantity - l.voided), 0) AS BIGINT) FROM order_lines l \
     WHERE l.site_id = $1 AND l.order_id = o.id) AS items FROM orders o WHERE o.site_id = $1 AND o.id = $2";
const INSERT: &str = "INSERT INTO notifications (site_id, id, outbox_seq, channel, recipient_kind, recipient_id, \
     order_id, event, title, body, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
     ON CONFLICT (site_id, outbox_seq, channel, recipient_kind) DO NOTHING";
const OF_ORDER: &str = "SELECT id, outbox_seq, channel, recipient_kind, recipient_id, order_id, event, title, body, \
     created_at, read_at FROM notifications WHERE site_id = $1 AND order_id = $2 ORDER BY created_at, outbox_seq, id";
macro_rules! courier {
    ($instant:literal) => {
        concat!(
            "SELECT d.staff_id, s.name, (SELECT CAST(COUNT(*) AS BIGINT) FROM delivery_assignments e \
             WHERE e.site_id = $1 AND e.order_id = $2 AND (e.assigned_at < d.assigned_at \
             OR (e.assigned_at = d.assigned_at AND e.id < d.id))) AS before \
             FROM delivery_assignments d JOIN staff s ON s.site_id = d.site_id AND s.id = d.staff_id \
             WHERE d.site_id = $1 AND d.order_id = $2 AND d.",
            $instant,
            " = $3 ORDER BY d.assigned_at DESC, d.id DESC LIMIT 1"
        )
    };
}
const NAMED: &str = courier!("assigned_at");
const TAKEN_OFF: &str = courier!("cancelled_at");
const OF_RECIPIENT: &str = "SELECT id, outbox_seq, channel, recipient_kind, recipient_id, order_id, event, title, body, \
     created_at, read_at FROM notifications WHERE site_id = $1 AND recipient_kind = $2 \
     AND (recipient_id IS NULL OR recipient_id = $3) AND outbox_seq < $4 \
     AND (CAST($5 AS BOOLEAN) IS NULL OR (read_at IS NULL) = $5) \
     AND (CAST($6 AS TEXT) IS NULL OR LOWER(title) LIKE LOWER($6) ESCAPE '!' OR LOWER(body) LIKE LOWER($6) ESCAPE '!') \
     ORDER BY outbox_seq DESC LIMIT $7";
// Along the index of what nobody has read, and no further than is counted.
const UNREAD: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT id FROM notifications WHERE site_id = $1 \
     AND recipient_kind = $2 AND read_at IS NULL AND (recipient_id IS NULL OR recipient_id = $3) LIMIT $4) AS unread";
const READ: &str = "UPDATE notifications SET read_at = $5 WHERE site_id = $1 AND recipient_kind = $2 \
     AND (recipient_id IS NULL OR recipient_id = $3) AND outbox_seq <= $4 AND read_at IS NULL";

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

/// Who was named for a delivery at this instant; `None` where nobody was.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn named_at(
    tx: &mut Tx,
    site: &str,
    order: OrderId,
    at: Timestamp,
) -> Result<Option<CourierFacts>, StoreError> {
    fetch_optional!(tx, CourierFacts, NAMED, site, order.0, at.0)
}

/// Who was taken off a delivery at this instant; `None` where nobody was.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn taken_off_at(
    tx: &mut Tx,
    site: &str,
    order: OrderId,
    at: Timestamp,
) -> Result<Option<CourierFacts>, StoreError> {
    fetch_optional!(tx, CourierFacts, TAKEN_OFF, site, order.0, at.0)
}

/// What a recipient was told before the event numbered `before`, the newest first, at most `limit`.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn of_recipient(
    tx: &mut Tx,
    site: &str,
    whose: Recipient<'_>,
    filter: &NoticeFilter,
    (before, limit): (i64, i64),
) -> Result<Vec<NotificationRow>, StoreError> {
    let unread = filter.unread.then_some(true);
    let text = filter.text.as_deref().map(containing);
    let text = text.as_deref();
    fetch_all!(tx, NotificationRow, OF_RECIPIENT, site, whose.kind, whose.id, before, unread, text, limit)
}

/// How much a recipient has not read; counting ends at `most`.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn unread(tx: &mut Tx, site: &str, whose: Recipient<'_>, most: i64) -> Result<i64, StoreError> {
    Ok(fetch_one!(tx, (i64,), UNREAD, site, whose.kind, whose.id, most)?.0)
}

/// Marks what a recipient was told up to the event numbered `up_to` as read; answers how many were not before.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn mark_read(
    tx: &mut Tx,
    site: &str,
    whose: Recipient<'_>,
    up_to: i64,
    now: Timestamp,
) -> Result<u64, StoreError> {
    Ok(execute!(tx, READ, site, whose.kind, whose.id, up_to, now.0)?)
}
