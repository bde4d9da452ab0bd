//! The stock that orders hold: reserve, release, commit, restock and waste, each as a conditional
//! UPDATE of the stock item that must hit its one row, with its row in the ledger and in the
//! reservations. What people do to stock by hand stands in `stock.rs`.

use super::rows::hit_one;
use super::{StoreError, Tx};
use crate::domain::access::Actor;
use crate::domain::ids::{LineId, OrderId, StockItemId};
use crate::domain::time::Timestamp;
use uuid::Uuid;

/// A reservation, column by column.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct ReservationRow {
    pub stock_item_id: Uuid,
    pub round: i64,
    pub taken: i64,
    pub quantity: i64,
    pub state: String,
    pub restocked: i64,
    pub wasted: i64,
}

/// What a stock item looked like when a reservation was refused.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ShortRow {
    /// Its name.
    pub name: String,
    /// on hand − reserved.
    pub available: i64,
    /// Whether it is counted at all.
    pub tracked: bool,
}

/// A stock item after a movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct MovedRow {
    /// The number of the ledger row.
    pub last_movement: i64,
    /// On hand now.
    pub on_hand: i64,
    /// Reserved now.
    pub reserved: i64,
}

const RESERVE: &str = "UPDATE stock_items SET reserved = reserved + $3, updated_at = $4 \
     WHERE site_id = $1 AND id = $2 AND tracked AND on_hand - reserved >= $3";
const SHORT: &str =
    "SELECT name, on_hand - reserved AS available, tracked FROM stock_items WHERE site_id = $1 AND id = $2";
const UNRESERVE: &str = "UPDATE stock_items SET reserved = reserved - $3, updated_at = $4 \
     WHERE site_id = $1 AND id = $2 AND reserved >= $3";
const TAKE_HELD: &str = "UPDATE stock_items SET on_hand = on_hand - $3, reserved = reserved - $3, \
     last_movement = last_movement + 1, updated_at = $4 WHERE site_id = $1 AND id = $2 AND reserved >= $3 \
     AND on_hand >= $3 RETURNING last_movement, on_hand, reserved";
const PUT_BACK: &str = "UPDATE stock_items SET on_hand = on_hand + $3, last_movement = last_movement + 1, \
     updated_at = $4 WHERE site_id = $1 AND id = $2 RETURNING last_movement, on_hand, reserved";
const OF_ORDER: &str = "SELECT stock_item_id, round, taken, quantity, state, restocked, wasted FROM reservations \
     WHERE site_id = $1 AND order_id = $2 ORDER BY stock_item_id, round";
const HOLD: &str = "INSERT INTO reservations (site_id, order_id, stock_item_id, round, taken, quantity, state, held_at) \
     VALUES ($1, $2, $3, $4, $5, $5, 'held', $6)";
const END: &str = "UPDATE reservations SET state = $5, ended_at = $6 \
     WHERE site_id = $1 AND order_id = $2 AND stock_item_id = $3 AND round = $4 AND state = 'held'";
const END_HELD: &str = "UPDATE reservations SET state = $3, ended_at = $4 \
     WHERE site_id = $1 AND order_id = $2 AND state = 'held'";
const LOWER: &str = "UPDATE reservations SET quantity = quantity - $5 WHERE site_id = $1 AND order_id = $2 \
     AND stock_item_id = $3 AND round = $4 AND state = 'held' AND quantity > $5";
const GIVEN_BACK: &str = "UPDATE reservations SET restocked = restocked + $5, wasted = wasted + $6 \
     WHERE site_id = $1 AND order_id = $2 AND stock_item_id = $3 AND round = $4 AND state = 'committed'";

/// For whom stock moves: the order, the line where one is meant, and the actor for the ledger.
#[derive(Debug, Clone, Copy)]
pub struct Mover<'a> {
    /// The site.
    pub site: &'a str,
    /// The order.
    pub order: OrderId,
    /// The line.
    pub line: Option<LineId>,
    /// The actor.
    pub actor: &'a Actor,
    /// Why, where a person said so.
    pub reason: Option<&'a str>,
    /// When.
    pub now: Timestamp,
}

/// The reservations of an order.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn of_order(tx: &mut Tx, site: &str, order: OrderId) -> Result<Vec<ReservationRow>, StoreError> {
    fetch_all!(tx, ReservationRow, OF_ORDER, site, order.0)
}

/// Reserves units of one stock item; the item as it stands when they are not to be had.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn reserve(
    tx: &mut Tx,
    mover: &Mover<'_>,
    item: StockItemId,
    quantity: i64,
) -> Result<Result<(), ShortRow>, StoreError> {
    if hit_one(execute!(tx, RESERVE, mover.site, item.0, quantity, mover.now.0)?)? {
        return Ok(Ok(()));
    }
    let short = fetch_optional!(tx, ShortRow, SHORT, mover.site, item.0)?
        .ok_or_else(|| StoreError::Fault("a stock item is gone".to_owned()))?;
    Ok(Err(short))
}

/// Writes the reservation row for units that were reserved.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn record_hold(
    tx: &mut Tx,
    mover: &Mover<'_>,
    item: StockItemId,
    round: i64,
    quantity: i64,
) -> Result<(), StoreError> {
    execute!(tx, HOLD, mover.site, mover.order.0, item.0, round, quantity, mover.now.0)?;
    Ok(())
}

/// Writes the reservation rows of a new order, in one statement.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn record_holds(tx: &mut Tx, mover: &Mover<'_>, reserved: &[(StockItemId, i64)]) -> Result<(), StoreError> {
    insert_rows!(
        tx,
        "INSERT INTO reservations (site_id, order_id, stock_item_id, round, taken, quantity, state, held_at) ",
        reserved,
        |values, row| {
            values
                .push_bind(mover.site)
                .push_bind(mover.order.0)
                .push_bind(row.0.0)
                .push_bind(1_i64)
                .push_bind(row.1)
                .push_bind(row.1)
                .push_bind("held")
                .push_bind(mover.now.0);
        }
    )?;
    Ok(())
}

/// Gives reserved units free, without a word to any reservation: for a reservation that was refused
/// half-way.
///
/// # Errors
/// [`StoreError::Fault`] when so many were not reserved.
pub async fn unreserve(tx: &mut Tx, mover: &Mover<'_>, item: StockItemId, quantity: i64) -> Result<(), StoreError> {
    must(execute!(tx, UNRESERVE, mover.site, item.0, quantity, mover.now.0)?, "release")
}

/// Releases a held reservation.
///
/// # Errors
/// [`StoreError::Fault`] when it was not held.
pub async fn release(tx: &mut Tx, mover: &Mover<'_>, row: &ReservationRow) -> Result<(), StoreError> {
    if row.quantity > 0 {
        unreserve(tx, mover, StockItemId(row.stock_item_id), row.quantity).await?;
    }
    end(tx, mover, row, "released").await
}

/// Commits every held reservation of an order: the units leave the books. `rows` are all that are held,
/// in the order of their stock items; each item as it stands afterwards.
///
/// # Errors
/// [`StoreError::Fault`] when they were not held.
pub async fn commit_all(tx: &mut Tx, mover: &Mover<'_>, rows: &[ReservationRow]) -> Result<Vec<MovedRow>, StoreError> {
    let mut moved = Vec::with_capacity(rows.len());
    for row in rows {
        moved.push(take(tx, mover, row.stock_item_id, row.quantity, "commit").await?);
    }
    let entries: Vec<(Uuid, i64, MovedRow)> =
        rows.iter().zip(&moved).map(|(row, moved)| (row.stock_item_id, -row.quantity, *moved)).collect();
    ledger(tx, mover, "commit", &entries).await?;
    if rows.is_empty() {
        return Ok(moved);
    }
    let ended = execute!(tx, END_HELD, mover.site, mover.order.0, "committed", mover.now.0)?;
    if usize::try_from(ended).is_ok_and(|ended| ended == rows.len()) {
        return Ok(moved);
    }
    Err(StoreError::Fault(format!("commit: {ended} of {} reservations were held", rows.len())))
}

/// Releases some units of a held reservation.
///
/// # Errors
/// [`StoreError::Fault`] when so many were not held.
pub async fn release_part(
    tx: &mut Tx,
    mover: &Mover<'_>,
    row: &ReservationRow,
    quantity: i64,
) -> Result<(), StoreError> {
    unreserve(tx, mover, StockItemId(row.stock_item_id), quantity).await?;
    lower(tx, mover, row, quantity, "released").await
}

/// Throws some units of a held reservation away.
///
/// # Errors
/// [`StoreError::Fault`] when so many were not held.
pub async fn waste_part(
    tx: &mut Tx,
    mover: &Mover<'_>,
    row: &ReservationRow,
    quantity: i64,
) -> Result<MovedRow, StoreError> {
    let moved = take(tx, mover, row.stock_item_id, quantity, "waste").await?;
    ledger(tx, mover, "waste", &[(row.stock_item_id, -quantity, moved)]).await?;
    lower(tx, mover, row, quantity, "wasted").await?;
    Ok(moved)
}

/// Puts committed units back on the shelf.
///
/// # Errors
/// [`StoreError::Fault`] when so many were not committed.
pub async fn restock(
    tx: &mut Tx,
    mover: &Mover<'_>,
    row: &ReservationRow,
    quantity: i64,
) -> Result<MovedRow, StoreError> {
    let moved = put_back(tx, mover, row.stock_item_id, quantity, "restock").await?;
    let hit = execute!(tx, GIVEN_BACK, mover.site, mover.order.0, row.stock_item_id, row.round, quantity, 0_i64)?;
    must(hit, "restock")?;
    Ok(moved)
}

/// Notes that committed units were thrown away: they had left the books already.
///
/// # Errors
/// [`StoreError::Fault`] when so many were not committed.
pub async fn waste_committed(
    tx: &mut Tx,
    mover: &Mover<'_>,
    row: &ReservationRow,
    quantity: i64,
) -> Result<MovedRow, StoreError> {
    let moved = put_back(tx, mover, row.stock_item_id, 0, "waste").await?;
    let hit = execute!(tx, GIVEN_BACK, mover.site, mover.order.0, row.stock_item_id, row.round, 0_i64, quantity)?;
    must(hit, "waste")?;
    Ok(moved)
}

/// Takes units that were reserved off the books; the ledger is the caller's.
async fn take(
    tx: &mut Tx,
    mover: &Mover<'_>,
    item: Uuid,
    quantity: i64,
    kind: &'static str,
) -> Result<MovedRow, StoreError> {
    fetch_optional!(tx, MovedRow, TAKE_HELD, mover.site, item, quantity, mover.now.0)?
        .ok_or_else(|| StoreError::Fault(format!("{kind}: the units were not reserved")))
}

async fn put_back(
    tx: &mut Tx,
    mover: &Mover<'_>,
    item: Uuid,
    quantity: i64,
    kind: &'static str,
) -> Result<MovedRow, StoreError> {
    let moved = fetch_optional!(tx, MovedRow, PUT_BACK, mover.site, item, quantity, mover.now.0)?
        .ok_or_else(|| StoreError::Fault(format!("{kind}: the stock item is gone")))?;
    ledger(tx, mover, kind, &[(item, quantity, moved)]).await?;
    Ok(moved)
}

/// Writes movements of one kind: the stock item, by how much on hand changed, and how it stands then.
async fn ledger(
    tx: &mut Tx,
    mover: &Mover<'_>,
    kind: &'static str,
    entries: &[(Uuid, i64, MovedRow)],
) -> Result<(), StoreError> {
    let actor = mover.actor;
    let actor_id = actor.staff.map(|id| id.0).or_else(|| actor.customer.map(|id| id.0));
    insert_rows!(
        tx,
        "INSERT INTO stock_movements (site_id, stock_item_id, seq, kind, quantity, on_hand_after, reserved_after, \
         order_id, line_id, actor_role, actor_id, terminal_id, reason, at) ",
        entries,
        |values, entry| {
            let (item, quantity, moved) = entry;
            values
                .push_bind(mover.site)
                .push_bind(*item)
                .push_bind(moved.last_movement)
                .push_bind(kind)
                .push_bind(*quantity)
                .push_bind(moved.on_hand)
                .push_bind(moved.reserved)
                .push_bind(mover.order.0)
                .push_bind(mover.line.map(|id| id.0))
                .push_bind(actor.role.as_str())
                .push_bind(actor_id)
                .push_bind(actor.terminal.map(|id| id.0))
                .push_bind(mover.reason)
                .push_bind(mover.now.0);
        }
    )?;
    Ok(())
}

async fn end(tx: &mut Tx, mover: &Mover<'_>, row: &ReservationRow, state: &'static str) -> Result<(), StoreError> {
    let hit = execute!(tx, END, mover.site, mover.order.0, row.stock_item_id, row.round, state, mover.now.0)?;
    must(hit, state)
}

/// Lowers a held reservation; the last units end it.
async fn lower(
    tx: &mut Tx,
    mover: &Mover<'_>,
    row: &ReservationRow,
    quantity: i64,
    ended: &'static str,
) -> Result<(), StoreError> {
    let hit = execute!(tx, LOWER, mover.site, mover.order.0, row.stock_item_id, row.round, quantity)?;
    if hit_one(hit)? { Ok(()) } else { end(tx, mover, row, ended).await }
}

fn must(hit: u64, what: &str) -> Result<(), StoreError> {
    if hit_one(hit)? { Ok(()) } else { Err(StoreError::Fault(format!("{what}: the row was not as expected"))) }
}
