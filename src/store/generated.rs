//! Rows of past orders, many at once, for stores in which the house is measured. The order machine is not asked, but
//! everything that SQL watches over is: orders are born as they may be born and move along the table, holds begin as
//! held, refunds as pending, the ledgers follow from the rows before. What the orders are stands in
//! `service/generate.rs`.

use super::orders::{self, LineRow};
use super::rows::hit_one;
use super::till::{self, Movement, MovementKind, NewShift};
use super::{StoreError, Tx, seal};
use crate::domain::access::Actor;
use crate::domain::ids::{OrderId, ShiftId, StaffId, TerminalId};
use crate::domain::time::Timestamp;
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

/// Rows of one INSERT: far below what a statement may bind.
const CHUNK: usize = 500;

/// An order as it is born, with the instants to come (microseconds).
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct BornOrder {
    pub id: Uuid,
    pub order_number: String,
    pub sequence: i64,
    pub pickup_number: String,
    pub is_pending: bool,
    pub event_sequence: i64,
    pub fulfilment: &'static str,
    pub method: &'static str,
    pub paid_at: Option<i64>,
    pub customer_id: Uuid,
    pub subtotal: i64,
    pub discount: i64,
    pub tax: i64,
    pub total: i64,
    pub price_trace: Value,
    pub slot_name: Option<String>,
    pub slot_claimed: bool,
    pub expires_at: Option<i64>,
    pub estimated_ready_at: Option<i64>,
    pub created_at: i64,
    pub updated_at: i64,
    pub received_at: Option<i64>,
    pub confirmed_at: Option<i64>,
    pub preparing_at: Option<i64>,
    pub ready_at: Option<i64>,
}

/// A hold as it is born: the order, the stock item, units, and when (microseconds).
pub type BornHold = (Uuid, Uuid, i64, i64);

/// An attempt as it ended.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct EndedAttempt {
    pub order_id: Uuid,
    pub id: Uuid,
    pub method: &'static str,
    pub amount: i64,
    pub is_captured: bool,
    pub actor_role: &'static str,
    pub at: i64,
}

/// A step of an order.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct Step {
    pub order_id: Uuid,
    pub version: i64,
    pub from_status: Option<&'static str>,
    pub to_status: &'static str,
    pub transition: &'static str,
    pub actor_role: &'static str,
    pub actor_id: Option<Uuid>,
    pub at: i64,
}

/// A movement of the stock ledger.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct StockMovement {
    pub stock_item_id: Uuid,
    pub seq: i64,
    pub kind: &'static str,
    pub quantity: i64,
    pub on_hand_after: i64,
    pub reserved_after: i64,
    pub order_id: Option<Uuid>,
    pub at: i64,
}

/// A stock item of which movements are added that leave as much as there was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shelf {
    /// The stock item.
    pub id: Uuid,
    /// Units in the house.
    pub on_hand: i64,
    /// Units held for orders.
    pub reserved: i64,
    /// The number of its newest movement before.
    pub before: i64,
    /// And afterwards.
    pub after: i64,
}

/// An event that was delivered.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct Told {
    pub order_id: Uuid,
    pub order_sequence: i64,
    pub event: &'static str,
    pub payload: Value,
    pub priority: i64,
    pub at: i64,
}

/// A row of the audit log.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct Noted {
    pub at: i64,
    pub use_case: &'static str,
    pub action: &'static str,
    pub entity: &'static str,
    pub entity_id: String,
    pub details: String,
    pub actor_role: &'static str,
    pub actor_id: Option<Uuid>,
}

/// A refund that settled.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct SettledRefund {
    pub order_id: Uuid,
    pub id: Uuid,
    pub attempt_id: Uuid,
    pub method: &'static str,
    pub amount: i64,
    pub begun_at: i64,
    pub settled_at: i64,
}

/// Orders of one business day that follow each other, with all that belongs to them.
#[derive(Debug, Clone, Default)]
pub struct PastOrders {
    /// The business day, `YYYY-MM-DD`.
    pub day: String,
    /// The currency.
    pub currency: String,
    /// Whether prices contain the tax.
    pub tax_inclusive: bool,
    /// The terminal at which they were placed.
    pub terminal: Uuid,
    /// Who cooked, opened the till and signed for it.
    pub staff: Uuid,
    /// The orders, by their numbers without gaps.
    pub orders: Vec<BornOrder>,
    /// Their lines.
    pub lines: Vec<LineRow>,
    /// Their holds.
    pub holds: Vec<BornHold>,
    /// Their attempts.
    pub attempts: Vec<EndedAttempt>,
    /// Their history.
    pub history: Vec<Step>,
    /// Their tickets: order, station, shown and bumped (microseconds).
    pub tickets: Vec<(Uuid, Uuid, i64, i64)>,
    /// What stands on them: order, station, line, units.
    pub ticket_items: Vec<(Uuid, Uuid, Uuid, i64)>,
    /// What moved on the shelves.
    pub movements: Vec<StockMovement>,
    /// The shelves.
    pub shelves: Vec<Shelf>,
    /// Events.
    pub told: Vec<Told>,
    /// The audit log.
    pub noted: Vec<Noted>,
    /// Refunds.
    pub refunds: Vec<SettledRefund>,
    /// Orders whose payment failed, and when (microseconds).
    pub failed: Vec<(Uuid, i64)>,
    /// Orders paid in cash: the amount (minor units), and when (microseconds).
    pub cash: Vec<(Uuid, i64, i64)>,
}

const ADMIN: &str = "SELECT id FROM staff WHERE site_id = $1 AND role = 'admin' AND active ORDER BY username LIMIT 1";
const KIND: &str = "SELECT kind FROM store_meta WHERE singleton = 1";
const TAKE_NUMBERS: &str = "INSERT INTO number_counters (site_id, business_date, training, last_sequence) \
     VALUES ($1, $2, FALSE, $3) ON CONFLICT (site_id, business_date, training) \
     DO UPDATE SET last_sequence = number_counters.last_sequence + excluded.last_sequence RETURNING last_sequence";
const CLAIM_SLOTS: &str = "INSERT INTO slot_counters (site_id, business_date, slot_name, claimed) \
     SELECT site_id, business_date, slot_name, COUNT(*) FROM orders WHERE site_id = $1 AND business_date = $2 \
     AND NOT training AND sequence BETWEEN $3 AND $4 AND slot_claimed GROUP BY site_id, business_date, slot_name \
     HAVING TRUE ON CONFLICT (site_id, business_date, slot_name) \
     DO UPDATE SET claimed = slot_counters.claimed + excluded.claimed";
const START: &str = "UPDATE orders SET status = 'preparing', version = version + 1 WHERE site_id = $1 \
     AND business_date = $2 AND NOT training AND sequence BETWEEN $3 AND $4 AND status = 'confirmed'";
const READY: &str = "UPDATE orders SET status = 'ready', version = version + 2 WHERE site_id = $1 \
     AND business_date = $2 AND NOT training AND sequence BETWEEN $3 AND $4 AND status = 'preparing'";
const COMPLETE: &str = "UPDATE orders SET status = 'completed', version = version + 1, ended_at = ready_at + $5 \
     WHERE site_id = $1 AND business_date = $2 AND NOT training AND sequence BETWEEN $3 AND $4 AND status = 'ready'";
const FAIL: &str = "UPDATE orders SET status = 'cancelled', reason = 'payment_failed', version = 2, ended_at = $3 \
     WHERE site_id = $1 AND id = $2 AND status = 'pending'";
const EXPIRE: &str = "UPDATE orders SET status = 'expired', version = 2, ended_at = expires_at WHERE site_id = $1 \
     AND business_date = $2 AND NOT training AND sequence BETWEEN $3 AND $4 AND status = 'pending'";
const REFUNDED: &str = "UPDATE orders SET version = version + 2 WHERE site_id = $1 AND id = $2";
const SETTLE: &str = "UPDATE refunds SET status = 'settled', ended_at = $4, updated_at = $4, gateway_refund_id = $5 \
     WHERE site_id = $1 AND order_id = $2 AND id = $3";
const COMMIT_HOLDS: &str = "UPDATE reservations SET state = 'committed', ended_at = held_at WHERE site_id = $1 \
     AND order_id IN (SELECT id FROM orders WHERE site_id = $1 AND business_date = $2 AND NOT training \
     AND sequence BETWEEN $3 AND $4 AND paid)";
const RELEASE_HOLDS: &str = "UPDATE reservations SET state = 'released', ended_at = held_at WHERE site_id = $1 \
     AND order_id IN (SELECT id FROM orders WHERE site_id = $1 AND business_date = $2 AND NOT training \
     AND sequence BETWEEN $3 AND $4 AND NOT paid)";
const MOVED: &str = "UPDATE stock_items SET last_movement = $4 WHERE site_id = $1 AND id = $2 AND on_hand = $3 \
     AND last_movement = $5 AND reserved = $6";
const ONE_MARK: &str = "UPDATE report_changes SET changes = changes + 1, \
     first_at = (SELECT MIN(first_at) FROM report_changes WHERE site_id = $1 AND business_date = $2), \
     last_at = (SELECT MAX(last_at) FROM report_changes WHERE site_id = $1 AND business_date = $2) \
     WHERE site_id = $1 AND subject_id = $3";
const OTHER_MARKS: &str = "DELETE FROM report_changes WHERE site_id = $1 AND business_date = $2 AND subject_id <> $3";
const POSTGRES_HOLD_AUDIT: &str = "LOCK TABLE audit_log IN SHARE ROW EXCLUSIVE MODE";

/// The first admin of the site, if it has one.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn admin(tx: &mut Tx, site: &str) -> Result<Option<StaffId>, StoreError> {
    let row: Option<(Uuid,)> = fetch_optional!(tx, (Uuid,), ADMIN, site)?;
    Ok(row.map(|(id,)| StaffId(id)))
}

/// Whether the store calls itself a demo.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn is_demo(tx: &mut Tx) -> Result<bool, StoreError> {
    let row: Option<(String,)> = fetch_optional!(tx, (String,), KIND)?;
    Ok(row.is_some_and(|(kind,)| kind == "demo"))
}

/// Takes so many numbers of a business day; the first of them.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn take_numbers(tx: &mut Tx, site: &str, day: &str, count: i64) -> Result<i64, StoreError> {
    let (last,): (i64,) = fetch_one!(tx, (i64,), TAKE_NUMBERS, site, day, count)?;
    Ok(last - count + 1)
}

/// Writes the orders, and seals the audit log up to here.
///
/// # Errors
/// [`StoreError::Retry`] when stock moved since it was read; any other of the statements.
pub async fn insert(tx: &mut Tx, site: &str, past: &PastOrders, wait_micros: i64) -> Result<(), StoreError> {
    let (Some(first), Some(last)) = (past.orders.first(), past.orders.last()) else { return Ok(()) };
    let range = (first.sequence, last.sequence);
    insert_orders(tx, site, past).await?;
    for chunk in past.lines.chunks(CHUNK) {
        orders::insert_lines(tx, site, chunk).await?;
    }
    insert_stock(tx, site, past, range).await?;
    insert_money(tx, site, past).await?;
    insert_kitchen(tx, site, past).await?;
    let (day, (from, to)) = (past.day.as_str(), range);
    execute!(&mut *tx, CLAIM_SLOTS, site, day, from, to)?;
    execute!(&mut *tx, START, site, day, from, to)?;
    execute!(&mut *tx, READY, site, day, from, to)?;
    execute!(&mut *tx, COMPLETE, site, day, from, to, wait_micros)?;
    for (order, at) in &past.failed {
        execute!(&mut *tx, FAIL, site, *order, *at)?;
    }
    execute!(&mut *tx, EXPIRE, site, day, from, to)?;
    settle_refunds(tx, site, past).await?;
    insert_records(tx, site, past, first.id).await?;
    if tx.is_postgres() {
        // Whoever wrote to the log before has ended now, and nobody writes a lower number any more.
        tx.control(POSTGRES_HOLD_AUDIT).await?;
    }
    seal::append(tx, site, i64::MAX, Timestamp(last.updated_at)).await?;
    Ok(())
}

async fn insert_orders(tx: &mut Tx, site: &str, past: &PastOrders) -> Result<(), StoreError> {
    for chunk in past.orders.chunks(CHUNK) {
        insert_rows!(
            &mut *tx,
            "INSERT INTO customers (site_id, id, kind, created_at, updated_at) ",
            chunk,
            |values, row| {
                values.push_bind(site).push_bind(row.customer_id).push_bind("guest");
                values.push_bind(row.created_at).push_bind(row.created_at);
            }
        )?;
        insert_rows!(
            &mut *tx,
            "INSERT INTO orders (site_id, id, order_number, business_date, sequence, pickup_number, status, version, \
             event_sequence, fulfilment, method, paid, paid_at, customer_id, terminal_id, currency, subtotal, discount, tax, \
             tax_inclusive, total, due, price_trace, slot_name, slot_claimed, expires_at, estimated_ready_at, created_at, \
             updated_at, received_at, confirmed_at, preparing_at, ready_at) ",
            chunk,
            |values, row| {
                values
                    .push_bind(site)
                    .push_bind(row.id)
                    .push_bind(&row.order_number)
                    .push_bind(&past.day)
                    .push_bind(row.sequence)
                    .push_bind(&row.pickup_number)
                    .push_bind(if row.is_pending { "pending" } else { "confirmed" })
                    .push_bind(if row.is_pending { 1_i64 } else { 3 })
                    .push_bind(row.event_sequence)
                    .push_bind(row.fulfilment)
                    .push_bind(row.method)
                    .push_bind(row.paid_at.is_some())
                    .push_bind(row.paid_at)
                    .push_bind(row.customer_id)
                    .push_bind(past.terminal)
                    .push_bind(&past.currency)
                    .push_bind(row.subtotal)
                    .push_bind(row.discount)
                    .push_bind(row.tax)
                    .push_bind(past.tax_inclusive)
                    .push_bind(row.total)
                    .push_bind(row.total)
                    .push_bind(Json(&row.price_trace))
                    .push_bind(&row.slot_name)
                    .push_bind(row.slot_claimed)
                    .push_bind(row.expires_at)
                    .push_bind(row.estimated_ready_at)
                    .push_bind(row.created_at)
                    .push_bind(row.updated_at)
                    .push_bind(row.received_at)
                    .push_bind(row.confirmed_at)
                    .push_bind(row.preparing_at)
                    .push_bind(row.ready_at);
            }
        )?;
    }
    Ok(())
}

async fn insert_stock(tx: &mut Tx, site: &str, past: &PastOrders, (from, to): (i64, i64)) -> Result<(), StoreError> {
    for shelf in &past.shelves {
        let Shelf { id, on_hand, reserved, before, after } = *shelf;
        if !hit_one(execute!(&mut *tx, MOVED, site, id, on_hand, after, before, reserved)?)? {
            return Err(tx.lost_race("stock moved since it was read"));
        }
    }
    for chunk in past.movements.chunks(CHUNK) {
        insert_rows!(
            &mut *tx,
            "INSERT INTO stock_movements (site_id, stock_item_id, seq, kind, quantity, on_hand_after, reserved_after, \
             order_id, actor_role, actor_id, at) ",
            chunk,
            |values, row| {
                values
                    .push_bind(site)
                    .push_bind(row.stock_item_id)
                    .push_bind(row.seq)
                    .push_bind(row.kind)
                    .push_bind(row.quantity)
                    .push_bind(row.on_hand_after)
                    .push_bind(row.reserved_after)
                    .push_bind(row.order_id)
                    .push_bind(if row.order_id.is_some() { "gateway" } else { "admin" })
                    .push_bind(Some(past.staff).filter(|_| row.order_id.is_none()))
                    .push_bind(row.at);
            }
        )?;
    }
    for chunk in past.holds.chunks(CHUNK) {
        insert_rows!(
            &mut *tx,
            "INSERT INTO reservations (site_id, order_id, stock_item_id, round, taken, quantity, state, held_at) ",
            chunk,
            |values, row| {
                values.push_bind(site).push_bind(row.0).push_bind(row.1).push_bind(1_i64);
                values.push_bind(row.2).push_bind(row.2).push_bind("held").push_bind(row.3);
            }
        )?;
    }
    execute!(&mut *tx, COMMIT_HOLDS, site, &past.day, from, to)?;
    execute!(tx, RELEASE_HOLDS, site, &past.day, from, to)?;
    Ok(())
}

async fn insert_money(tx: &mut Tx, site: &str, past: &PastOrders) -> Result<(), StoreError> {
    for chunk in past.attempts.chunks(CHUNK) {
        insert_rows!(
            &mut *tx,
            "INSERT INTO payment_attempts (site_id, order_id, id, method, amount, currency, status, idempotency_key, \
             gateway, gateway_order_id, gateway_payment_id, actor_role, created_at, updated_at, captured_at, ended_at) ",
            chunk,
            |values, row| {
                let by_gateway = row.method != "cash";
                let named = |kind: &str| by_gateway.then(|| format!("{kind}_{}", row.id.simple()));
                values
                    .push_bind(site)
                    .push_bind(row.order_id)
                    .push_bind(row.id)
                    .push_bind(row.method)
                    .push_bind(row.amount)
                    .push_bind(&past.currency)
                    .push_bind(if row.is_captured { "captured" } else { "failed" })
                    .push_bind(row.id.to_string())
                    .push_bind(by_gateway.then_some(row.method))
                    .push_bind(named("order"))
                    .push_bind(named("pay").filter(|_| row.is_captured))
                    .push_bind(row.actor_role)
                    .push_bind(row.at)
                    .push_bind(row.at)
                    .push_bind(Some(row.at).filter(|_| row.is_captured))
                    .push_bind(row.at);
            }
        )?;
    }
    let (Some(first), Some(last)) = (past.cash.first(), past.cash.last()) else { return Ok(()) };
    let (terminal, staff) = (TerminalId(past.terminal), StaffId(past.staff));
    // As unique as the order, and of another kind.
    let shift = ShiftId(first.0);
    let opened = NewShift { id: shift, terminal, opened_by: staff, opening_float: 0 };
    if !till::open(tx, site, &opened, Timestamp(first.2)).await? {
        return Err(StoreError::Unusable(
            "A till shift is open at the terminal of the generator. Close it.".to_owned(),
        ));
    }
    let actor = Actor::staff(staff, crate::domain::access::Role::Admin, "generator", Some(terminal));
    let mut sum = 0_i64;
    for (order, amount, at) in &past.cash {
        let movement = Movement {
            kind: MovementKind::Sale,
            amount: *amount,
            tendered: Some(*amount),
            order: Some(OrderId(*order)),
            refund: None,
            reason: None,
        };
        till::move_cash(tx, site, shift, &movement, &actor, Timestamp(*at)).await?;
        sum = sum.saturating_add(*amount);
    }
    till::close(tx, site, shift, staff, sum, None, Timestamp(last.2)).await?;
    Ok(())
}

async fn insert_kitchen(tx: &mut Tx, site: &str, past: &PastOrders) -> Result<(), StoreError> {
    for chunk in past.tickets.chunks(CHUNK) {
        insert_rows!(
            &mut *tx,
            "INSERT INTO tickets (site_id, order_id, station_id, shown_at, bumped_at) ",
            chunk,
            |values, row| {
                values.push_bind(site).push_bind(row.0).push_bind(row.1).push_bind(row.2).push_bind(row.3);
            }
        )?;
    }
    for chunk in past.ticket_items.chunks(CHUNK) {
        insert_rows!(
            &mut *tx,
            "INSERT INTO ticket_items (site_id, order_id, station_id, line_id, quantity) ",
            chunk,
            |values, row| {
                values.push_bind(site).push_bind(row.0).push_bind(row.1).push_bind(row.2).push_bind(row.3);
            }
        )?;
    }
    Ok(())
}

async fn settle_refunds(tx: &mut Tx, site: &str, past: &PastOrders) -> Result<(), StoreError> {
    insert_rows!(
        &mut *tx,
        "INSERT INTO refunds (site_id, order_id, id, attempt_id, method, amount, currency, transition, reason, \
         idempotency_key, actor_role, actor_id, created_at, updated_at) ",
        &past.refunds,
        |values, row| {
            values
                .push_bind(site)
                .push_bind(row.order_id)
                .push_bind(row.id)
                .push_bind(row.attempt_id)
                .push_bind(row.method)
                .push_bind(row.amount)
                .push_bind(&past.currency)
                .push_bind("T27")
                .push_bind("not as ordered")
                .push_bind(row.id.to_string())
                .push_bind("admin")
                .push_bind(past.staff)
                .push_bind(row.begun_at)
                .push_bind(row.begun_at);
        }
    )?;
    for row in &past.refunds {
        let named = format!("refund_{}", row.id.simple());
        execute!(&mut *tx, SETTLE, site, row.order_id, row.id, row.settled_at, named)?;
        execute!(&mut *tx, REFUNDED, site, row.order_id)?;
    }
    Ok(())
}

async fn insert_records(tx: &mut Tx, site: &str, past: &PastOrders, first: Uuid) -> Result<(), StoreError> {
    for chunk in past.history.chunks(CHUNK) {
        insert_rows!(
            &mut *tx,
            "INSERT INTO order_history (site_id, order_id, version, from_status, to_status, transition, actor_role, \
             actor_id, terminal_id, at) ",
            chunk,
            |values, row| {
                values
                    .push_bind(site)
                    .push_bind(row.order_id)
                    .push_bind(row.version)
                    .push_bind(row.from_status)
                    .push_bind(row.to_status)
                    .push_bind(row.transition)
                    .push_bind(row.actor_role)
                    .push_bind(row.actor_id)
                    .push_bind(past.terminal)
                    .push_bind(row.at);
            }
        )?;
    }
    for chunk in past.told.chunks(CHUNK) {
        insert_rows!(
            &mut *tx,
            "INSERT INTO outbox (site_id, order_id, order_sequence, event, payload, priority, created_at, tries, sent_at) ",
            chunk,
            |values, row| {
                values
                    .push_bind(site)
                    .push_bind(row.order_id)
                    .push_bind(row.order_sequence)
                    .push_bind(row.event)
                    .push_bind(Json(&row.payload))
                    .push_bind(row.priority)
                    .push_bind(row.at)
                    .push_bind(1_i64)
                    .push_bind(row.at);
            }
        )?;
    }
    for chunk in past.noted.chunks(CHUNK) {
        insert_rows!(
            &mut *tx,
            "INSERT INTO audit_log (site_id, at, use_case, action, entity, entity_id, details, actor_role, actor_id, \
             terminal_id) ",
            chunk,
            |values, row| {
                values
                    .push_bind(site)
                    .push_bind(row.at)
                    .push_bind(row.use_case)
                    .push_bind(row.action)
                    .push_bind(row.entity)
                    .push_bind(&row.entity_id)
                    .push_bind(&row.details)
                    .push_bind(row.actor_role)
                    .push_bind(row.actor_id)
                    .push_bind(past.terminal);
            }
        )?;
    }
    // One mark for the day says as much to the worker as one for each order.
    execute!(&mut *tx, ONE_MARK, site, &past.day, first)?;
    execute!(tx, OTHER_MARKS, site, &past.day, first)?;
    Ok(())
}
