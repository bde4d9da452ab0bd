//! The stock that orders hold: reserve, release, commit, restock and waste, each as a conditional
//! UPDATE of the stock item that must hit its one row, with its row in the ledger and in the
//! reservations. What people do to stock by hand stands in `stock.rs`.

use super::rows::hit_one;
use super::{StoreError, Tx};
use crate::domain::access::Actor;
use crate::domain::ids::{LineId, OrderId, StockItemId};
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;
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

const SHORT: &str =
    "SELECT name, on_hand - reserved AS available, tracked FROM stock_items WHERE site_id = $1 AND id = $2";
const UNRESERVE: &str = "UPDATE stock_items SET reserved = reserved - $3, updated_at = $4 \
     WHERE site_id = $1 AND id = $2 AND reserved >= $3";
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

/// What was reserved of what was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reserved {
    /// Units of the items of which there were enough, by id. Items that are not counted are missing.
    pub taken: Vec<(StockItemId, i64)>,
    /// The first counted item of which there were not enough, how many were asked for, and as it stands.
    pub short: Option<(StockItemId, i64, ShortRow)>,
}

/// One statement on several stock items, `(item, units)` in the order of their ids: each is changed if the
/// condition holds for it. On Postgres they are locked in that order first, so that two of these statements
/// never wait for each other in a circle; SQLite has one writer, and no words for it.
macro_rules! change_items {
    ($tx:expr, $row:ty, $mover:expr, $items:expr, $change:literal, $condition:literal, $answer:literal) => {{
        let (mover, postgres): (&Mover<'_>, bool) = ($mover, $tx.is_postgres());
        on_connection!($tx, connection, async {
            let mut query = sqlx::QueryBuilder::new($crate::store::statements::note("WITH wanted (item, units) AS ("));
            query.push_values($items, |mut values, (item, units): (Uuid, i64)| {
                values.push_bind(item).push_bind(units);
            });
            if postgres {
                query.push("), locked AS (SELECT id FROM stock_items WHERE site_id = ").push_bind(mover.site);
                query.push(" AND id IN (SELECT item FROM wanted) ORDER BY id FOR NO KEY UPDATE)");
            } else {
                query.push(")");
            }
            query.push(concat!(" UPDATE stock_items SET ", $change, ", updated_at = ")).push_bind(mover.now.0);
            query.push(" FROM wanted");
            if postgres {
                query.push(" JOIN locked ON locked.id = wanted.item");
            }
            query.push(" WHERE stock_items.id = wanted.item AND stock_items.site_id = ").push_bind(mover.site);
            query.push(concat!(" AND ", $condition, " RETURNING ", $answer));
            query.build_query_as::<$row>().fetch_all(connection).await
        })
    }};
}

/// Reserves units of stock items: all that is wanted of each of which there are enough.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn reserve(
    tx: &mut Tx,
    mover: &Mover<'_>,
    wanted: &BTreeMap<StockItemId, i64>,
) -> Result<Reserved, StoreError> {
    let mut reserved = Reserved::default();
    if wanted.is_empty() {
        return Ok(reserved);
    }
    let hit: Vec<(Uuid,)> = change_items!(
        tx,
        (Uuid,),
        mover,
        wanted.iter().map(|(item, units)| (item.0, *units)),
        "reserved = reserved + units",
        "tracked AND on_hand - reserved >= units",
        "stock_items.id"
    )?;
    for (item, units) in wanted {
        if hit.contains(&(item.0,)) {
            reserved.taken.push((*item, *units));
        } else if reserved.short.is_none() {
            let short = fetch_optional!(tx, ShortRow, SHORT, mover.site, item.0)?
                .ok_or_else(|| StoreError::Fault("a stock item is gone".to_owned()))?;
            if short.tracked {
                reserved.short = Some((*item, *units, short));
            }
        }
    }
    Ok(reserved)
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
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let items = rows.iter().map(|row| (row.stock_item_id, row.quantity));
    let taken = take(tx, mover, items, "commit").await?;
    let mut moved = Vec::with_capacity(rows.len());
    let mut entries = Vec::with_capacity(rows.len());
    for row in rows {
        let item = taken.get(&row.stock_item_id).copied().ok_or_else(|| not_reserved("commit"))?;
        entries.push((row.stock_item_id, -row.quantity, item));
        moved.push(item);
    }
    ledger(tx, mover, "commit", &entries).await?;
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
    let items = std::iter::once((row.stock_item_id, quantity));
    let taken = take(tx, mover, items, "waste").await?;
    let moved = taken.get(&row.stock_item_id).copied().ok_or_else(|| not_reserved("waste"))?;
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

/// Takes units that were reserved off the books, `(item, units)` in the order of their ids; the ledger is the
/// caller's. Each item as it stands then.
async fn take(
    tx: &mut Tx,
    mover: &Mover<'_>,
    items: impl ExactSizeIterator<Item = (Uuid, i64)>,
    kind: &'static str,
) -> Result<BTreeMap<Uuid, MovedRow>, StoreError> {
    let asked = items.len();
    let moved: Vec<(Uuid, i64, i64, i64)> = change_items!(
        tx,
        (Uuid, i64, i64, i64),
        mover,
        items,
        "on_hand = on_hand - units, reserved = reserved - units, last_movement = last_movement + 1",
        "reserved >= units AND on_hand >= units",
        "stock_items.id, last_movement, on_hand, reserved"
    )?;
    if moved.len() != asked {
        return Err(not_reserved(kind));
    }
    let moved = moved.into_iter();
    Ok(moved
        .map(|(id, last_movement, on_hand, reserved)| (id, MovedRow { last_movement, on_hand, reserved }))
        .collect())
}

fn not_reserved(kind: &str) -> StoreError {
    StoreError::Fault(format!("{kind}: the units were not reserved"))
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
