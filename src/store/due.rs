//! What is due: small keyset reads along the partial indexes, for timers, attempts, refunds and what
//! grows old. Only reads, and the deletion of old idempotency keys; what a due row means is decided by
//! the use case that takes it on, in a transaction of its own, and judged there again.

use super::{StoreError, Tx};
use crate::domain::time::Timestamp;
use uuid::Uuid;

/// The place in a list after which to go on: the instant by which it is ordered, and the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The instant (microseconds).
    pub at: i64,
    /// The row.
    pub id: Uuid,
}

impl Key {
    /// Before every row.
    pub const START: Self = Self { at: i64::MIN, id: Uuid::nil() };
}

/// A row that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct DueRow {
    /// The instant by which the list is ordered (microseconds).
    pub at: i64,
    /// The row.
    pub id: Uuid,
}

impl From<DueRow> for Key {
    fn from(row: DueRow) -> Self {
        Self { at: row.at, id: row.id }
    }
}

/// An attempt about which its gateway is to be asked.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct DueAttemptRow {
    pub at: i64,
    pub id: Uuid,
    pub order_id: Uuid,
    pub created_at: i64,
}

/// A refund that is to be asked for, with what its gateway knows of the charge.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct DueRefundRow {
    pub at: i64,
    pub id: Uuid,
    pub order_id: Uuid,
    pub idempotency_key: String,
    pub method: String,
    pub amount: i64,
    pub currency: String,
    pub tries: i64,
    pub attempt_key: String,
    pub gateway_payment_id: Option<String>,
    pub stray: bool,
}

/// The next instants of everything that waits for one; `None`: nothing of that kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waits {
    /// How long a paid order waits to be accepted, in microseconds; none: for ever.
    pub accept: Option<i64>,
    /// How long an unpaid cash order waits, in microseconds; none: for ever.
    pub cash: Option<i64>,
    /// How long an unpaid ready order waits, in microseconds; none: for ever.
    pub no_show: Option<i64>,
}

// SQLite uses a partial index only where the query repeats its WHERE word for word.
macro_rules! in_kitchen {
    () => {
        "site_id = $1 AND status IN ('received', 'confirmed', 'preparing', 'ready', 'out_for_delivery')"
    };
}
macro_rules! page {
    ($at:literal) => {
        concat!(" AND (", $at, " > $3 OR (", $at, " = $3 AND id > $4)) ORDER BY ", $at, ", id LIMIT $5")
    };
}

const EXPIRED: &str = concat!(
    "SELECT expires_at AS at, id FROM orders WHERE site_id = $1 AND status = 'pending' AND expires_at <= $2 \
     AND NOT EXISTS (SELECT 1 FROM payment_attempts a WHERE a.site_id = $1 AND a.order_id = orders.id \
     AND a.status IN ('created', 'authorized'))",
    page!("expires_at")
);
const ACCEPT: &str = concat!(
    "SELECT received_at AS at, id FROM orders WHERE ",
    in_kitchen!(),
    " AND status = 'received' AND paid AND received_at <= $2",
    page!("received_at")
);
const CASH: &str = concat!(
    "SELECT received_at AS at, id FROM orders WHERE ",
    in_kitchen!(),
    " AND status IN ('received', 'confirmed') AND method = 'cash' AND NOT paid AND fulfilment <> 'delivery' \
     AND received_at <= $2",
    page!("received_at")
);
const NO_SHOW: &str = concat!(
    "SELECT ready_at AS at, id FROM orders WHERE ",
    in_kitchen!(),
    " AND status = 'ready' AND NOT paid AND fulfilment <> 'delivery' AND ready_at <= $2",
    page!("ready_at")
);
const HOLDS: &str = concat!(
    "SELECT on_hold_until AS at, id FROM orders WHERE ",
    in_kitchen!(),
    " AND on_hold_until <= $2",
    page!("on_hold_until")
);
const UNCOLLECTED: &str = concat!(
    "SELECT received_at AS at, id FROM orders WHERE ",
    in_kitchen!(),
    " AND status = 'ready' AND paid AND fulfilment <> 'delivery' AND business_date < $2",
    page!("received_at")
);
const DONE: &str = concat!(
    "SELECT received_at AS at, id FROM orders WHERE ",
    in_kitchen!(),
    " AND status = 'preparing' AND received_at <= $2 \
     AND NOT EXISTS (SELECT 1 FROM order_lines l WHERE l.site_id = $1 AND l.order_id = orders.id \
     AND l.done < l.quantity - l.voided)",
    page!("received_at")
);
// Without an active courier nothing is due, and an order of which an admin was told waits for a person.
const NO_COURIER: &str = concat!(
    "SELECT received_at AS at, id FROM orders WHERE ",
    in_kitchen!(),
    " AND status IN ('confirmed', 'preparing', 'ready') AND fulfilment = 'delivery' AND NOT assignment_escalated \
     AND received_at <= $2 AND NOT EXISTS (SELECT 1 FROM delivery_assignments d WHERE d.site_id = $1 \
     AND d.order_id = orders.id AND d.status IN ('assigned', 'picked_up')) \
     AND EXISTS (SELECT 1 FROM staff s WHERE s.site_id = $1 AND s.active AND s.role = 'delivery')",
    page!("received_at")
);
// A question more than an hour ahead was noted under a clock that was set back since: no pause is so long.
const ATTEMPTS: &str = concat!(
    "SELECT next_check_at AS at, id, order_id, created_at FROM payment_attempts WHERE site_id = $1 \
     AND status IN ('created', 'authorized') AND (next_check_at <= $2 OR next_check_at > $2 + 3600000000)",
    page!("next_check_at")
);
// Two branches, so that each runs along the index of what is pending and not through every refund ever made.
const REFUNDS: &str = "SELECT r.at, r.id, r.order_id, r.idempotency_key, r.method, r.amount, r.currency, r.tries, \
     a.idempotency_key AS attempt_key, a.gateway_payment_id, a.stray FROM (\
     SELECT CAST(0 AS BIGINT) AS at, id, order_id, attempt_id, idempotency_key, method, amount, currency, tries FROM refunds \
     WHERE site_id = $1 AND status = 'pending' AND next_try_at IS NULL AND method IN ('card', 'upi') \
     UNION ALL \
     SELECT next_try_at AS at, id, order_id, attempt_id, idempotency_key, method, amount, currency, tries FROM refunds \
     WHERE site_id = $1 AND status = 'pending' AND next_try_at <= $2 AND method IN ('card', 'upi')) AS r \
     JOIN payment_attempts a ON a.site_id = $1 AND a.order_id = r.order_id AND a.id = r.attempt_id \
     WHERE r.at > $3 OR (r.at = $3 AND r.id > $4) ORDER BY r.at, r.id LIMIT $5";
const UNRESOLVED: &str = "SELECT COALESCE(next_check_at, 0) AS at, id, order_id, created_at FROM payment_attempts WHERE site_id = $1 \
     AND unresolved AND status = 'failed' AND COALESCE(next_check_at, 0) <= $2 \
     AND (COALESCE(next_check_at, 0) > $3 OR (COALESCE(next_check_at, 0) = $3 AND id > $4)) \
     ORDER BY COALESCE(next_check_at, 0), id LIMIT $5";
const ASK_AGAIN: &str = "UPDATE payment_attempts SET next_check_at = $4 WHERE site_id = $1 AND order_id = $2 AND id = $3 \
     AND unresolved AND status = 'failed'";
const OLDEST_CART: &str = "SELECT MIN(updated_at) FROM carts WHERE site_id = $1 AND state = 'open'";
const OLDEST_KEY: &str = "SELECT MIN(created_at) FROM idempotency_keys WHERE site_id = $1";
const FORGET_KEYS: &str = "DELETE FROM idempotency_keys WHERE site_id = $1 AND key IN (SELECT key FROM idempotency_keys \
     WHERE site_id = $1 AND created_at < $2 ORDER BY created_at LIMIT $3)";
// Each branch runs along its index from the first row that is not due yet. A wait of nothing takes no part.
const NEXT: &str = concat!(
    "SELECT MIN(at) FROM (\
     SELECT MIN(expires_at) AS at FROM orders WHERE site_id = $1 AND status = 'pending' AND expires_at > $2 \
     UNION ALL SELECT MIN(received_at) + CAST($3 AS BIGINT) FROM orders WHERE ",
    in_kitchen!(),
    " AND status = 'received' AND paid AND received_at > $2 - CAST($3 AS BIGINT) \
     UNION ALL SELECT MIN(received_at) + CAST($4 AS BIGINT) FROM orders WHERE ",
    in_kitchen!(),
    " AND status IN ('received', 'confirmed') AND method = 'cash' AND NOT paid AND fulfilment <> 'delivery' \
     AND received_at > $2 - CAST($4 AS BIGINT) \
     UNION ALL SELECT MIN(ready_at) + CAST($5 AS BIGINT) FROM orders WHERE ",
    in_kitchen!(),
    " AND status = 'ready' AND NOT paid AND fulfilment <> 'delivery' AND ready_at > $2 - CAST($5 AS BIGINT) \
     UNION ALL SELECT MIN(on_hold_until) FROM orders WHERE ",
    in_kitchen!(),
    " AND on_hold_until > $2 \
     UNION ALL SELECT MIN(next_check_at) FROM payment_attempts WHERE site_id = $1 \
     AND status IN ('created', 'authorized') AND next_check_at > $2 \
     UNION ALL SELECT MIN(next_try_at) FROM refunds WHERE site_id = $1 AND status = 'pending' AND next_try_at > $2 \
     UNION ALL SELECT MIN(next_try_at) FROM outbox WHERE site_id = $1 AND sent_at IS NULL AND parked_at IS NULL \
     AND next_try_at > $2) AS waits"
);

/// A list of orders on which one timer may be due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Timer {
    /// Pending, expired by this instant, no attempt open (T7).
    Expired(Timestamp),
    /// Paid, not accepted, received by this instant (T12).
    NotAccepted(Timestamp),
    /// Unpaid cash, not started, received by this instant (T12b).
    CashAwaited(Timestamp),
    /// Ready and unpaid since this instant or earlier (T25).
    NotCollectedUnpaid(Timestamp),
    /// On hold until this instant or earlier (T31).
    HoldOver(Timestamp),
    /// Ready, paid, of a business day before this one (T22b).
    NotCollectedBefore(String),
    /// Cooking, received by this instant, and every line done (T15).
    AllDone(Timestamp),
    /// A delivery to be cooked or ready, received by this instant, that no courier has (T17).
    WithoutCourier(Timestamp),
}

/// A page of the orders on which a timer may be due, after `after`.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn orders(tx: &mut Tx, site: &str, timer: &Timer, after: Key, limit: i64) -> Result<Vec<DueRow>, StoreError> {
    let (sql, by) = match timer {
        Timer::NotCollectedBefore(date) => {
            return fetch_all!(tx, DueRow, UNCOLLECTED, site, date, after.at, after.id, limit);
        }
        Timer::Expired(by) => (EXPIRED, by),
        Timer::NotAccepted(by) => (ACCEPT, by),
        Timer::CashAwaited(by) => (CASH, by),
        Timer::NotCollectedUnpaid(by) => (NO_SHOW, by),
        Timer::HoldOver(by) => (HOLDS, by),
        Timer::AllDone(by) => (DONE, by),
        Timer::WithoutCourier(by) => (NO_COURIER, by),
    };
    fetch_all!(tx, DueRow, sql, site, by.0, after.at, after.id, limit)
}

/// A page of the open attempts whose gateway is to be asked by `now`, after `after`.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn attempts(
    tx: &mut Tx,
    site: &str,
    now: Timestamp,
    after: Key,
    limit: i64,
) -> Result<Vec<DueAttemptRow>, StoreError> {
    fetch_all!(tx, DueAttemptRow, ATTEMPTS, site, now.0, after.at, after.id, limit)
}

/// A page of the attempts that were given up without an answer, and about which to ask by `now`
/// whether money was taken all the same.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn unresolved(
    tx: &mut Tx,
    site: &str,
    now: Timestamp,
    after: Key,
    limit: i64,
) -> Result<Vec<DueAttemptRow>, StoreError> {
    fetch_all!(tx, DueAttemptRow, UNRESOLVED, site, now.0, after.at, after.id, limit)
}

/// Notes when to ask again about an attempt that was given up; [`i64::MAX`]: never.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn ask_again(tx: &mut Tx, site: &str, order: Uuid, attempt: Uuid, at: Timestamp) -> Result<u64, StoreError> {
    execute!(tx, ASK_AGAIN, site, order, attempt, at.0)
}

/// A page of the refunds to be asked for by `now`, after `after`. Cash goes back by hand.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn refunds(
    tx: &mut Tx,
    site: &str,
    now: Timestamp,
    after: Key,
    limit: i64,
) -> Result<Vec<DueRefundRow>, StoreError> {
    fetch_all!(tx, DueRefundRow, REFUNDS, site, now.0, after.at, after.id, limit)
}

/// The next instant after `now` at which something waits for the worker.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn next(tx: &mut Tx, site: &str, now: Timestamp, waits: Waits) -> Result<Option<Timestamp>, StoreError> {
    let row = fetch_one!(tx, (Option<i64>,), NEXT, site, now.0, waits.accept, waits.cash, waits.no_show)?;
    Ok(row.0.map(Timestamp))
}

/// When the open cart that was left alone for longest was last touched.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn oldest_cart(tx: &mut Tx, site: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(fetch_one!(tx, (Option<i64>,), OLDEST_CART, site)?.0.map(Timestamp))
}

/// When the oldest idempotency key was stored.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn oldest_idempotency_key(tx: &mut Tx, site: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(fetch_one!(tx, (Option<i64>,), OLDEST_KEY, site)?.0.map(Timestamp))
}

/// Forgets up to `limit` idempotency keys that were stored before an instant; how many.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn forget_idempotency_keys(
    tx: &mut Tx,
    site: &str,
    before: Timestamp,
    limit: i64,
) -> Result<u64, StoreError> {
    execute!(tx, FORGET_KEYS, site, before.0, limit)
}
