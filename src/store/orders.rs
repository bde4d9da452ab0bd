//! Rows of orders: the order itself, its lines, its history. Money and holds stand in files of their
//! own (`money.rs`, `holds.rs`), the kitchen's tickets in `tickets.rs`, lists of many in `order_lists.rs`.

use super::rows::hit_one;
use super::{StoreError, Tx};
use crate::domain::access::Actor;
use crate::domain::ids::{CustomerId, LineId, OrderId, StaffId, TerminalId};
use crate::domain::order::{Hop, MOST_AHEAD};
use crate::domain::time::Timestamp;
use serde_json::Value;
use sqlx::types::Json;
use std::collections::BTreeSet;
use uuid::Uuid;

/// An order, column by column.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct OrderRow {
    pub id: Uuid,
    pub order_number: String,
    pub business_date: String,
    pub sequence: i64,
    pub pickup_number: String,
    pub status: String,
    pub reason: Option<String>,
    pub reason_text: Option<String>,
    pub version: i64,
    pub event_sequence: i64,
    pub fulfilment: String,
    pub method: String,
    pub paid: bool,
    pub paid_at: Option<i64>,
    pub customer_id: Uuid,
    pub cart_id: Option<Uuid>,
    pub terminal_id: Option<Uuid>,
    pub called_name: Option<String>,
    pub currency: String,
    pub subtotal: i64,
    pub discount: i64,
    pub tax: i64,
    pub tax_inclusive: bool,
    pub delivery_charge: i64,
    pub total: i64,
    pub due: i64,
    pub price_trace: Json<Value>,
    pub note: Option<String>,
    pub staff_note: Option<String>,
    pub delivery_address_encrypted: Option<Vec<u8>>,
    pub slot_name: Option<String>,
    pub slot_claimed: bool,
    pub promotion_id: Option<Uuid>,
    pub retry_of: Option<Uuid>,
    pub expires_at: Option<i64>,
    pub hold_extended: bool,
    pub on_hold_until: Option<i64>,
    pub priority: i64,
    pub uncollected: bool,
    pub late_payment: bool,
    pub assignment_failures: i64,
    pub assignment_escalated: bool,
    pub estimated_ready_at: Option<i64>,
    pub created_at: i64,
    pub updated_at: i64,
    pub received_at: Option<i64>,
    pub confirmed_at: Option<i64>,
    pub preparing_at: Option<i64>,
    pub ready_at: Option<i64>,
    pub out_at: Option<i64>,
    pub ended_at: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct QueuedRow {
    #[sqlx(flatten)]
    order: OrderRow,
    ahead: i64,
}

/// A line, column by column.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct LineRow {
    pub order_id: Uuid,
    pub id: Uuid,
    pub position: i64,
    pub item_id: Uuid,
    pub item_code: String,
    pub item_name: String,
    pub category_name: String,
    pub base_price: i64,
    pub unit_price: i64,
    pub options: Json<Value>,
    pub quantity: i64,
    pub line_total: i64,
    pub discount_share: i64,
    pub tax_share: i64,
    pub total_share: i64,
    pub tax_class_name: Option<String>,
    pub tax_rate_ppm: i64,
    pub consumption: Json<Vec<UsedUnits>>,
    pub station_id: Option<Uuid>,
    pub prep_minutes: i64,
    pub diet: String,
    pub allergens: Json<Value>,
    pub note: Option<String>,
    pub voided: i64,
    pub restocked: i64,
    pub wasted: i64,
    pub done: i64,
}

/// What one unit of a line used of a stock item when it was sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct UsedUnits {
    /// The stock item.
    pub stock_item_id: Uuid,
    /// Units.
    pub units: i64,
}

/// A row of the history.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct HistoryRow {
    pub version: i64,
    pub from_status: Option<String>,
    pub to_status: String,
    pub transition: String,
    pub actor_role: String,
    pub actor_id: Option<Uuid>,
    pub terminal_id: Option<Uuid>,
    pub reason: Option<String>,
    pub at: i64,
    pub actor: Option<String>,
    pub terminal: Option<String>,
}

macro_rules! order_columns {
    () => {
        "id, order_number, business_date, sequence, pickup_number, status, reason, reason_text, version, \
         event_sequence, fulfilment, method, paid, paid_at, customer_id, cart_id, terminal_id, called_name, currency, \
         subtotal, discount, tax, tax_inclusive, delivery_charge, total, due, price_trace, note, staff_note, \
         delivery_address_encrypted, slot_name, slot_claimed, promotion_id, retry_of, expires_at, hold_extended, on_hold_until, priority, \
         uncollected, late_payment, assignment_failures, assignment_escalated, estimated_ready_at, created_at, \
         updated_at, received_at, confirmed_at, preparing_at, ready_at, out_at, ended_at"
    };
}
macro_rules! line_columns {
    () => {
        "order_id, id, position, item_id, item_code, item_name, category_name, base_price, unit_price, options, \
         quantity, line_total, discount_share, tax_share, total_share, tax_class_name, tax_rate_ppm, consumption, \
         station_id, prep_minutes, diet, allergens, note, voided, restocked, wasted, done"
    };
}

const BY_ID: &str = concat!("SELECT ", order_columns!(), " FROM orders WHERE site_id = $1 AND id = $2");
// SQLite uses a partial index only where the query repeats its WHERE word for word.
macro_rules! waiting {
    ($most:literal) => {
        concat!(
            "(SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT 1 AS one FROM orders WHERE site_id = $1 \
             AND status IN ('received', 'confirmed', 'preparing', 'ready', 'out_for_delivery') \
             AND status IN ('received', 'confirmed', 'preparing') LIMIT ",
            $most,
            ") AS waiting)"
        )
    };
}
const BY_ID_IN_QUEUE: &str = concat!(
    "SELECT ",
    order_columns!(),
    ", CASE WHEN status IN ('pending', 'received') THEN ",
    waiting!("$3"),
    " ELSE 0 END AS ahead FROM orders WHERE site_id = $1 AND id = $2"
);
const BY_NUMBER: &str = concat!(
    "SELECT ",
    order_columns!(),
    " FROM orders WHERE site_id = $1 AND business_date = $2 AND NOT training AND sequence = $3"
);
const IN_KITCHEN: &str = concat!(
    "SELECT ",
    order_columns!(),
    " FROM orders WHERE site_id = $1 \
     AND status IN ('received', 'confirmed', 'preparing', 'ready', 'out_for_delivery') \
     ORDER BY priority DESC, received_at, id"
);
const LINES: &str =
    concat!("SELECT ", line_columns!(), " FROM order_lines WHERE site_id = $1 AND order_id = $2 ORDER BY position");
const LINES_IN_KITCHEN: &str = concat!(
    "SELECT ",
    line_columns!(),
    " FROM order_lines WHERE site_id = $1 AND order_id IN (SELECT id FROM orders WHERE site_id = $1 \
     AND status IN ('received', 'confirmed', 'preparing', 'ready', 'out_for_delivery')) ORDER BY order_id, position"
);
const INSERT: &str = concat!(
    "INSERT INTO orders (site_id, ",
    order_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, \
     $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, \
     $45, $46, $47, $48, $49, $50, $51, $52)"
);
const UPDATE: &str = "UPDATE orders SET status = $5, reason = $6, reason_text = $7, version = $8, \
     event_sequence = $9, paid = $10, paid_at = $11, due = $12, staff_note = $13, slot_claimed = $14, expires_at = $15, \
     hold_extended = $16, on_hold_until = $17, priority = $18, uncollected = $19, late_payment = $20, \
     assignment_failures = $21, assignment_escalated = $22, estimated_ready_at = $23, updated_at = $24, \
     received_at = $25, confirmed_at = $26, preparing_at = $27, ready_at = $28, out_at = $29, ended_at = $30 \
     WHERE site_id = $1 AND id = $2 AND status = $3 AND version = $4";
const LOCK: &str =
    "UPDATE orders SET updated_at = updated_at WHERE site_id = $1 AND id = $2 AND status = $3 AND version = $4";
const HISTORY: &str = "SELECT version, from_status, to_status, transition, actor_role, actor_id, terminal_id, reason, \
     at, CAST(NULL AS TEXT) AS actor, CAST(NULL AS TEXT) AS terminal \
     FROM order_history WHERE site_id = $1 AND order_id = $2 ORDER BY version";
/// For staff: with the names, which a kiosk may not read.
const HISTORY_WITH_NAMES: &str = "SELECT h.version, h.from_status, h.to_status, h.transition, h.actor_role, \
     h.actor_id, h.terminal_id, h.reason, h.at, s.name AS actor, t.name AS terminal FROM order_history h \
     LEFT JOIN staff s ON s.site_id = h.site_id AND s.id = h.actor_id \
     LEFT JOIN terminals t ON t.site_id = h.site_id AND t.id = h.terminal_id \
     WHERE h.site_id = $1 AND h.order_id = $2 ORDER BY h.version";
const NEXT_NUMBER: &str = "INSERT INTO number_counters (site_id, business_date, training, last_sequence) \
     VALUES ($1, $2, FALSE, 1) ON CONFLICT (site_id, business_date, training) \
     DO UPDATE SET last_sequence = number_counters.last_sequence + 1 RETURNING last_sequence";
const PICKUP_TAKEN: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM orders WHERE site_id = $1 AND pickup_number = $2 \
     AND status IN ('received', 'confirmed', 'preparing', 'ready', 'out_for_delivery')";
const CROWD: &str = concat!(
    "SELECT ",
    waiting!("$4"),
    ", (SELECT claimed FROM slot_counters WHERE site_id = $1 AND business_date = $2 AND slot_name = $3)"
);
const CLAIM_SLOT: &str = "INSERT INTO slot_counters (site_id, business_date, slot_name, claimed) \
     SELECT $1, $2, $3, 1 WHERE CAST($4 AS BIGINT) > 0 \
     ON CONFLICT (site_id, business_date, slot_name) DO UPDATE SET claimed = slot_counters.claimed + 1 \
     WHERE slot_counters.claimed < $4";
const RELEASE_SLOT: &str = "UPDATE slot_counters SET claimed = claimed - 1 \
     WHERE site_id = $1 AND business_date = $2 AND slot_name = $3 AND claimed > 0";
const LINE_COUNTERS: &str = "UPDATE order_lines SET voided = $4, restocked = $5, wasted = $6, done = $7 \
     WHERE site_id = $1 AND order_id = $2 AND id = $3";
const ALL_DONE: &str = "UPDATE order_lines SET done = quantity - voided WHERE site_id = ";
const NONE_DONE: &str = "UPDATE order_lines SET done = 0 WHERE site_id = ";
/// An order by its identity.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn find(tx: &mut Tx, site: &str, id: OrderId) -> Result<Option<OrderRow>, StoreError> {
    fetch_optional!(tx, OrderRow, BY_ID, site, id.0)
}

/// An order by its identity, and while it is not confirmed how many orders the kitchen has before it, at most
/// [`MOST_AHEAD`].
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn find_in_queue(tx: &mut Tx, site: &str, id: OrderId) -> Result<Option<(OrderRow, i64)>, StoreError> {
    let row = fetch_optional!(tx, QueuedRow, BY_ID_IN_QUEUE, site, id.0, MOST_AHEAD)?;
    Ok(row.map(|QueuedRow { order, ahead }| (order, ahead)))
}

/// An order by its business date and its sequence of that day.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn by_number(
    tx: &mut Tx,
    site: &str,
    business_date: &str,
    sequence: i64,
) -> Result<Option<OrderRow>, StoreError> {
    fetch_optional!(tx, OrderRow, BY_NUMBER, site, business_date, sequence)
}

/// Every order that the kitchen may see: priority first, then the oldest.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn in_kitchen(tx: &mut Tx, site: &str) -> Result<Vec<OrderRow>, StoreError> {
    fetch_all!(tx, OrderRow, IN_KITCHEN, site)
}

/// The lines of an order.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn lines(tx: &mut Tx, site: &str, order: OrderId) -> Result<Vec<LineRow>, StoreError> {
    fetch_all!(tx, LineRow, LINES, site, order.0)
}

/// The lines of every order that the kitchen may see, order by order.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn lines_in_kitchen(tx: &mut Tx, site: &str) -> Result<Vec<LineRow>, StoreError> {
    fetch_all!(tx, LineRow, LINES_IN_KITCHEN, site)
}

/// Writes a new order.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn insert(tx: &mut Tx, site: &str, row: &OrderRow) -> Result<(), StoreError> {
    execute!(
        tx,
        INSERT,
        site,
        row.id,
        &row.order_number,
        &row.business_date,
        row.sequence,
        &row.pickup_number,
        &row.status,
        row.reason.as_deref(),
        row.reason_text.as_deref(),
        row.version,
        row.event_sequence,
        &row.fulfilment,
        &row.method,
        row.paid,
        row.paid_at,
        row.customer_id,
        row.cart_id,
        row.terminal_id,
        row.called_name.as_deref(),
        &row.currency,
        row.subtotal,
        row.discount,
        row.tax,
        row.tax_inclusive,
        row.delivery_charge,
        row.total,
        row.due,
        &row.price_trace,
        row.note.as_deref(),
        row.staff_note.as_deref(),
        row.delivery_address_encrypted.as_deref(),
        row.slot_name.as_deref(),
        row.slot_claimed,
        row.promotion_id,
        row.retry_of,
        row.expires_at,
        row.hold_extended,
        row.on_hold_until,
        row.priority,
        row.uncollected,
        row.late_payment,
        row.assignment_failures,
        row.assignment_escalated,
        row.estimated_ready_at,
        row.created_at,
        row.updated_at,
        row.received_at,
        row.confirmed_at,
        row.preparing_at,
        row.ready_at,
        row.out_at,
        row.ended_at,
    )?;
    Ok(())
}

/// Writes the lines of a new order in one statement.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn insert_lines(tx: &mut Tx, site: &str, rows: &[LineRow]) -> Result<(), StoreError> {
    insert_rows!(
        tx,
        "INSERT INTO order_lines (site_id, order_id, id, position, item_id, item_code, item_name, category_name, \
         base_price, unit_price, options, quantity, line_total, discount_share, tax_share, total_share, \
         tax_class_name, tax_rate_ppm, consumption, station_id, prep_minutes, diet, allergens, note) ",
        rows,
        |values, row| {
            values
                .push_bind(site)
                .push_bind(row.order_id)
                .push_bind(row.id)
                .push_bind(row.position)
                .push_bind(row.item_id)
                .push_bind(&row.item_code)
                .push_bind(&row.item_name)
                .push_bind(&row.category_name)
                .push_bind(row.base_price)
                .push_bind(row.unit_price)
                .push_bind(&row.options)
                .push_bind(row.quantity)
                .push_bind(row.line_total)
                .push_bind(row.discount_share)
                .push_bind(row.tax_share)
                .push_bind(row.total_share)
                .push_bind(row.tax_class_name.as_deref())
                .push_bind(row.tax_rate_ppm)
                .push_bind(&row.consumption)
                .push_bind(row.station_id)
                .push_bind(row.prep_minutes)
                .push_bind(&row.diet)
                .push_bind(&row.allergens)
                .push_bind(row.note.as_deref());
        }
    )?;
    Ok(())
}

/// Moves an order: one row with the status and version that were seen, or none.
///
/// # Errors
/// Any [`StoreError`] of the statement; [`StoreError::Retry`] when somebody else moved it first, so
/// that the command is judged again on what is there now.
pub async fn update(tx: &mut Tx, site: &str, seen: &OrderRow, row: &OrderRow) -> Result<(), StoreError> {
    let hit = execute!(
        tx,
        UPDATE,
        site,
        row.id,
        &seen.status,
        seen.version,
        &row.status,
        row.reason.as_deref(),
        row.reason_text.as_deref(),
        row.version,
        row.event_sequence,
        row.paid,
        row.paid_at,
        row.due,
        row.staff_note.as_deref(),
        row.slot_claimed,
        row.expires_at,
        row.hold_extended,
        row.on_hold_until,
        row.priority,
        row.uncollected,
        row.late_payment,
        row.assignment_failures,
        row.assignment_escalated,
        row.estimated_ready_at,
        row.updated_at,
        row.received_at,
        row.confirmed_at,
        row.preparing_at,
        row.ready_at,
        row.out_at,
        row.ended_at,
    )?;
    if hit_one(hit)? { Ok(()) } else { Err(tx.lost_race("the order moved meanwhile")) }
}

/// Locks an order as it was seen, for a command that has to take stock before it can be judged: the
/// order's row is the first lock everywhere.
///
/// # Errors
/// As [`update`].
pub async fn lock(tx: &mut Tx, site: &str, seen: &OrderRow) -> Result<(), StoreError> {
    let hit = execute!(tx, LOCK, site, seen.id, &seen.status, seen.version)?;
    if hit_one(hit)? { Ok(()) } else { Err(tx.lost_race("the order moved meanwhile")) }
}

/// Sets the counters of one line.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn set_line_counters(
    tx: &mut Tx,
    site: &str,
    order: OrderId,
    line: LineId,
    (voided, restocked, wasted, done): (i64, i64, i64, i64),
) -> Result<(), StoreError> {
    let hit = execute!(tx, LINE_COUNTERS, site, order.0, line.0, voided, restocked, wasted, done)?;
    if hit_one(hit)? { Ok(()) } else { Err(StoreError::Fault("a line of the order is gone".to_owned())) }
}

/// Marks lines as done, or as not done, in one statement.
///
/// # Errors
/// [`StoreError::Fault`] when one of them is gone.
pub async fn set_done(
    tx: &mut Tx,
    site: &str,
    order: OrderId,
    lines: &BTreeSet<LineId>,
    done: bool,
) -> Result<(), StoreError> {
    if lines.is_empty() {
        return Ok(());
    }
    let head = if done { ALL_DONE } else { NONE_DONE };
    let hit = on_connection!(tx, connection, async {
        let mut query = sqlx::QueryBuilder::new(super::statements::note(head));
        query.push_bind(site).push(" AND order_id = ").push_bind(order.0).push(" AND id IN (");
        let mut list = query.separated(", ");
        for id in lines {
            list.push_bind(id.0);
        }
        query.push(")");
        query.build().execute(connection).await.map(|done| done.rows_affected())
    })?;
    if usize::try_from(hit).is_ok_and(|hit| hit == lines.len()) {
        return Ok(());
    }
    Err(StoreError::Fault("a line of the order is gone".to_owned()))
}

/// The steps of a transition, for the history.
#[derive(Debug, Clone, Copy)]
pub struct Steps<'a> {
    /// The order.
    pub order: OrderId,
    /// The version that the first step makes.
    pub first_version: i64,
    /// The steps.
    pub hops: &'a [Hop],
    /// Who took them.
    pub actor: &'a Actor,
    /// Why, where a person said so.
    pub reason: Option<&'a str>,
    /// When.
    pub now: Timestamp,
}

/// Appends the steps of a transition to the history.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn append_history(tx: &mut Tx, site: &str, steps: &Steps<'_>) -> Result<(), StoreError> {
    let Steps { order, first_version, hops, actor, reason, now } = *steps;
    let by_actor = |hop: &Hop| hop.role == actor.role;
    let actor_id = actor.staff.map(|StaffId(id)| id).or_else(|| actor.customer.map(|CustomerId(id)| id));
    let terminal = actor.terminal.map(|TerminalId(id)| id);
    let rows: Vec<(i64, &Hop)> = (first_version..).zip(hops).collect();
    insert_rows!(
        tx,
        "INSERT INTO order_history (site_id, order_id, version, from_status, to_status, transition, actor_role, \
         actor_id, terminal_id, override_by, reason, at) ",
        &rows,
        |values, row| {
            let (version, hop) = row;
            values
                .push_bind(site)
                .push_bind(order.0)
                .push_bind(version)
                .push_bind(hop.from.map(crate::domain::order::Status::as_str))
                .push_bind(hop.to.as_str())
                .push_bind(hop.t)
                .push_bind(hop.role.as_str())
                .push_bind(if by_actor(hop) { actor_id } else { None })
                .push_bind(if by_actor(hop) { terminal } else { None })
                .push_bind(if by_actor(hop) { actor.override_by.map(|id| id.0) } else { None })
                .push_bind(reason)
                .push_bind(now.0);
        }
    )?;
    Ok(())
}

/// The history of an order, oldest first.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn history(tx: &mut Tx, site: &str, order: OrderId) -> Result<Vec<HistoryRow>, StoreError> {
    fetch_all!(tx, HistoryRow, HISTORY, site, order.0)
}

/// As [`history`], with the names of people and terminals.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn history_with_names(tx: &mut Tx, site: &str, order: OrderId) -> Result<Vec<HistoryRow>, StoreError> {
    fetch_all!(tx, HistoryRow, HISTORY_WITH_NAMES, site, order.0)
}

/// The next number of a business day. The last lock that Place takes.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn next_number(tx: &mut Tx, site: &str, business_date: &str) -> Result<i64, StoreError> {
    Ok(fetch_one!(tx, (i64,), NEXT_NUMBER, site, business_date)?.0)
}

/// Whether an active order shows this pickup number.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn pickup_number_taken(tx: &mut Tx, site: &str, number: &str) -> Result<bool, StoreError> {
    Ok(fetch_one!(tx, (i64,), PICKUP_TAKEN, site, number)?.0 > 0)
}

/// How many orders the kitchen has before it, at most [`MOST_AHEAD`], and how many hold a place in a slot of a
/// day.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn crowd(tx: &mut Tx, site: &str, date: &str, slot: Option<&str>) -> Result<(i64, i64), StoreError> {
    let (ahead, claimed): (i64, Option<i64>) = fetch_one!(tx, (i64, Option<i64>), CROWD, site, date, slot, MOST_AHEAD)?;
    Ok((ahead, claimed.unwrap_or(0)))
}

/// Claims a place in a slot while fewer than `cap` are taken; whether it was to be had.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn claim_slot(tx: &mut Tx, site: &str, date: &str, slot: &str, cap: i64) -> Result<bool, StoreError> {
    hit_one(execute!(tx, CLAIM_SLOT, site, date, slot, cap)?)
}

/// Gives a place in a slot back.
///
/// # Errors
/// [`StoreError::Fault`] when none was taken.
pub async fn release_slot(tx: &mut Tx, site: &str, date: &str, slot: &str) -> Result<(), StoreError> {
    if hit_one(execute!(tx, RELEASE_SLOT, site, date, slot)?)? {
        Ok(())
    } else {
        Err(StoreError::Fault("a slot's place was given back that nobody held".to_owned()))
    }
}
