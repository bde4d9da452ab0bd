//! Rows of the store room: counted things, and the ledger of what moved by hand (receive, adjust,
//! recount, waste). Holds of orders are in `holds.rs`.
//!
//! Every change of `on_hand` is one conditional UPDATE that also takes the ledger's next number; the
//! caller writes the row with what the UPDATE answered.

use super::rows::containing;
use super::{MOST_COUNTED, StoreError, Tx};
use crate::domain::access::Actor;
use crate::domain::ids::{OrderId, StockItemId};
use crate::domain::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The most that may be on hand of one thing: far above any store room and far below overflow.
pub const MAX_ON_HAND: i64 = 1_000_000_000;

/// A counted thing.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StockRow {
    /// Its identity.
    pub id: Uuid,
    /// Its short code, unique in the site.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What one unit is ("piece", "portion").
    pub unit: String,
    /// Whether it is counted now.
    pub tracked: bool,
    /// The count with which it began.
    pub opening: i64,
    /// Units in the house.
    pub on_hand: i64,
    /// Units held for orders.
    pub reserved: i64,
    /// At or below so many available it is low.
    pub low_mark: i64,
    /// The number of its newest ledger row.
    pub last_movement: i64,
    /// Whether it is in use.
    pub active: bool,
    /// When it last changed (microseconds).
    pub updated_at: i64,
}

/// Which stock items, by how much there is of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StockState {
    /// Counted, and at or below the low mark.
    Low,
    /// Counted, and nothing is left to sell.
    Out,
    /// Counted.
    Tracked,
    /// Not counted now.
    Untracked,
}

impl StockState {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Low, Self::Out, Self::Tracked, Self::Untracked];

    /// Its word, as [`PAGE`] takes it.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Out => "out",
            Self::Tracked => "tracked",
            Self::Untracked => "untracked",
        }
    }
}

crate::words!(
    /// Why the count of a stock item moved.
    StockMovementKind, "kind of stock movement" {
        /// Goods came in.
        Receive = "receive",
        /// Somebody counted what is there.
        Recount = "recount",
        /// The count was corrected by a difference.
        Adjust = "adjust",
        /// Units were thrown away.
        Waste = "waste",
        /// An order used what it held.
        Commit = "commit",
        /// An order gave units back.
        Restock = "restock",
    }
);

/// What a ledger is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MovementFilter {
    /// Only these; none: every kind.
    pub kinds: BTreeSet<StockMovementKind>,
    /// Moved at this instant or later.
    pub from: Option<Timestamp>,
    /// Moved before this instant.
    pub until: Option<Timestamp>,
    /// A part of the reason, of the order's number or of the person's name, whatever the case.
    pub text: Option<String>,
}

impl MovementFilter {
    /// Whether it lets everything through.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The words of the kinds as [`LEDGER`] takes them, each between commas; `None`: every kind.
    fn words(&self) -> Option<String> {
        let words: Vec<&str> = self.kinds.iter().map(|kind| kind.as_str()).collect();
        (!words.is_empty()).then(|| format!(",{},", words.join(",")))
    }

    /// The first instant, and the one after the last.
    fn bounds(&self) -> (i64, i64) {
        (self.from.map_or(i64::MIN, |from| from.0), self.until.map_or(i64::MAX, |until| until.0))
    }
}

/// What a list of stock items is narrowed to; `None`: everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StockFilter {
    /// A part of the code or of the name, whatever the case.
    pub text: Option<String>,
    /// Only these.
    pub state: Option<StockState>,
}

/// What a movement left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Moved {
    /// The number of the ledger row to write.
    pub last_movement: i64,
    /// Units in the house now.
    pub on_hand: i64,
    /// Units held for orders now.
    pub reserved: i64,
}

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct MovementRow {
    /// Its number within the stock item, from 1 without gaps.
    pub seq: i64,
    /// Why: a word of [`StockMovementKind`].
    pub kind: String,
    /// By how much on_hand moved, signed.
    pub quantity: i64,
    /// Units in the house afterwards.
    pub on_hand_after: i64,
    /// Units held for orders afterwards.
    pub reserved_after: i64,
    /// The order, for sales.
    pub order_id: Option<Uuid>,
    /// Its number.
    pub order_number: Option<String>,
    /// The role of the actor.
    pub actor_role: String,
    /// The person.
    pub actor_id: Option<Uuid>,
    /// The person's name for people.
    pub actor_name: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// When (microseconds).
    pub at: i64,
}

/// An order that holds units of a stock item.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct HolderRow {
    /// The order.
    pub order_id: Uuid,
    /// Its number.
    pub order_number: String,
    /// Where it stands.
    pub status: String,
    /// Units that it holds.
    pub quantity: i64,
    /// Whether an attempt to pay it is open.
    pub paying: bool,
}

macro_rules! stock_filter {
    () => {
        "site_id = $1 AND active AND (CAST($2 AS TEXT) IS NULL OR LOWER(code) LIKE LOWER($2) ESCAPE '!' \
         OR LOWER(name) LIKE LOWER($2) ESCAPE '!') AND (CAST($3 AS TEXT) IS NULL \
         OR ($3 = 'low' AND tracked AND on_hand - reserved <= low_mark) \
         OR ($3 = 'out' AND tracked AND on_hand <= reserved) OR ($3 = 'tracked' AND tracked) \
         OR ($3 = 'untracked' AND NOT tracked))"
    };
}

// Both go along the ledger's own key, from its newest number on, and stop where they have enough.
macro_rules! movement_filter {
    () => {
        "m.site_id = $1 AND m.stock_item_id = $2 AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || m.kind || ',%') \
         AND m.at >= $4 AND m.at < $5 AND (CAST($6 AS TEXT) IS NULL OR LOWER(m.reason) LIKE LOWER($6) ESCAPE '!' \
         OR EXISTS (SELECT 1 FROM orders wo WHERE wo.site_id = $1 AND wo.id = m.order_id \
         AND LOWER(wo.order_number) LIKE LOWER($6) ESCAPE '!') \
         OR EXISTS (SELECT 1 FROM staff ws WHERE ws.site_id = $1 AND ws.id = m.actor_id \
         AND LOWER(ws.name) LIKE LOWER($6) ESCAPE '!'))"
    };
}

const COLUMNS_BY_ID: &str = "SELECT id, code, name, unit, tracked, opening, on_hand, reserved, low_mark, \
     last_movement, active, updated_at FROM stock_items WHERE site_id = $1 AND id = $2";
const COLUMNS_BY_CODE: &str = "SELECT id, code, name, unit, tracked, opening, on_hand, reserved, low_mark, \
     last_movement, active, updated_at FROM stock_items WHERE site_id = $1 AND code = $2";
const LIST: &str = "SELECT id, code, name, unit, tracked, opening, on_hand, reserved, low_mark, last_movement, \
     active, updated_at FROM stock_items WHERE site_id = $1 ORDER BY code";
const PAGE: &str = concat!(
    "SELECT id, code, name, unit, tracked, opening, on_hand, reserved, low_mark, last_movement, active, updated_at \
     FROM stock_items WHERE ",
    stock_filter!(),
    " AND code > $4 ORDER BY code LIMIT $5"
);
const COUNT_FOUND: &str = concat!(
    "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT 1 FROM stock_items WHERE ",
    stock_filter!(),
    " LIMIT $4) AS found"
);
const ALL_AVAILABLE: &str = "SELECT id, on_hand - reserved FROM stock_items WHERE site_id = $1 AND tracked AND active";
const SOME_AVAILABLE: &str = "SELECT id, on_hand - reserved FROM stock_items WHERE tracked AND active AND site_id = ";
const INSERT: &str = "INSERT INTO stock_items (site_id, id, code, name, unit, tracked, opening, on_hand, low_mark, \
     created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $9) ON CONFLICT DO NOTHING";
const DESCRIBE: &str = "UPDATE stock_items SET name = $3, unit = $4, low_mark = $5, tracked = $6, updated_at = $7 \
     WHERE site_id = $1 AND id = $2";
const MOVE: &str = "UPDATE stock_items SET on_hand = on_hand + $3, last_movement = last_movement + 1, \
     updated_at = $4 WHERE site_id = $1 AND id = $2 AND on_hand + $3 >= reserved AND on_hand + $3 <= $5 \
     RETURNING last_movement, on_hand, reserved";
const LOCK: &str = "UPDATE stock_items SET updated_at = $3 WHERE site_id = $1 AND id = $2 \
     RETURNING last_movement, on_hand, reserved";
const MOVEMENT: &str = "INSERT INTO stock_movements (site_id, stock_item_id, seq, kind, quantity, on_hand_after, \
     reserved_after, actor_role, actor_id, terminal_id, reason, at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
const LEDGER: &str = concat!(
    "SELECT m.seq, m.kind, m.quantity, m.on_hand_after, m.reserved_after, m.order_id, o.order_number, \
     m.actor_role, m.actor_id, s.name AS actor_name, m.reason, m.at FROM stock_movements m \
     LEFT JOIN orders o ON o.site_id = m.site_id AND o.id = m.order_id \
     LEFT JOIN staff s ON s.site_id = m.site_id AND s.id = m.actor_id WHERE ",
    movement_filter!(),
    " AND m.seq < $7 ORDER BY m.seq DESC LIMIT $8"
);
const COUNT_MOVEMENTS: &str = concat!(
    "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT 1 FROM stock_movements m WHERE ",
    movement_filter!(),
    " LIMIT $7) AS found"
);
const HOLDERS: &str = "SELECT r.order_id, o.order_number, o.status, r.quantity, \
     EXISTS (SELECT 1 FROM payment_attempts a WHERE a.site_id = o.site_id AND a.order_id = o.id \
     AND a.status IN ('created', 'authorized')) AS paying \
     FROM reservations r JOIN orders o ON o.site_id = r.site_id AND o.id = r.order_id \
     WHERE r.site_id = $1 AND r.stock_item_id = $2 AND r.state = 'held' ORDER BY o.created_at, o.id";
const SOLD: &str = "SELECT r.stock_item_id, CAST(SUM(r.quantity - r.restocked) AS BIGINT) FROM orders o \
     JOIN reservations r ON r.site_id = o.site_id AND r.order_id = o.id \
     WHERE o.site_id = $1 AND o.business_date = $2 AND NOT o.training AND r.state IN ('held', 'committed') \
     GROUP BY r.stock_item_id";
const LOCK_PENDING: &str = "UPDATE orders SET updated_at = $3 WHERE site_id = $1 AND id = $2 AND status = 'pending'";
const PAYING: &str = "SELECT COUNT(*) FROM payment_attempts WHERE site_id = $1 AND order_id = $2 \
     AND status IN ('created', 'authorized')";
const HELD_BY: &str = "SELECT stock_item_id, quantity FROM reservations \
     WHERE site_id = $1 AND order_id = $2 AND state = 'held' ORDER BY stock_item_id";
const UNRESERVE: &str = "UPDATE stock_items SET reserved = reserved - $3, updated_at = $4 \
     WHERE site_id = $1 AND id = $2 AND reserved >= $3";
const END_HOLDS: &str = "UPDATE reservations SET state = 'released', ended_at = $3 \
     WHERE site_id = $1 AND order_id = $2 AND state = 'held'";

/// A stock item by its id.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn find(tx: &mut Tx, site: &str, id: StockItemId) -> Result<Option<StockRow>, StoreError> {
    fetch_optional!(tx, StockRow, COLUMNS_BY_ID, site, id.0)
}

/// A stock item by its code.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn find_code(tx: &mut Tx, site: &str, code: &str) -> Result<Option<StockRow>, StoreError> {
    fetch_optional!(tx, StockRow, COLUMNS_BY_CODE, site, code)
}

/// Every stock item, by code.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn list(tx: &mut Tx, site: &str) -> Result<Vec<StockRow>, StoreError> {
    fetch_all!(tx, StockRow, LIST, site)
}

/// The stock items in use that the filter lets through, by code, from behind the code given, at most
/// `limit`.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn page(
    tx: &mut Tx,
    site: &str,
    filter: &StockFilter,
    after: &str,
    limit: i64,
) -> Result<Vec<StockRow>, StoreError> {
    let (text, state) = (filter.text.as_deref().map(containing), filter.state.map(StockState::as_str));
    fetch_all!(tx, StockRow, PAGE, site, text, state, after, limit)
}

/// How many [`page`] has in all, counted one beyond [`MOST_COUNTED`] at the most.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn count_found(tx: &mut Tx, site: &str, filter: &StockFilter) -> Result<i64, StoreError> {
    let (text, state) = (filter.text.as_deref().map(containing), filter.state.map(StockState::as_str));
    Ok(fetch_one!(tx, (i64,), COUNT_FOUND, site, text, state, MOST_COUNTED.saturating_add(1))?.0)
}

/// on_hand − reserved of every stock item that is counted now.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn all_available(tx: &mut Tx, site: &str) -> Result<BTreeMap<StockItemId, i64>, StoreError> {
    let rows = fetch_all!(tx, (Uuid, i64), ALL_AVAILABLE, site)?;
    Ok(rows.into_iter().map(|(id, available)| (StockItemId(id), available)).collect())
}

/// on_hand − reserved of those of `ids` that are counted now; the others are missing.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn available(tx: &mut Tx, site: &str, ids: &[StockItemId]) -> Result<BTreeMap<StockItemId, i64>, StoreError> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<(Uuid, i64)> = on_connection!(tx, connection, async {
        let mut query = sqlx::QueryBuilder::new(super::statements::note(SOME_AVAILABLE));
        query.push_bind(site).push(" AND id IN (");
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(id.0);
        }
        query.push(")");
        query.build_query_as::<(Uuid, i64)>().fetch_all(connection).await
    })?;
    Ok(rows.into_iter().map(|(id, available)| (StockItemId(id), available)).collect())
}

/// A new stock item for [`insert`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStock<'a> {
    /// Its identity.
    pub id: StockItemId,
    /// Its short code.
    pub code: &'a str,
    /// Its name.
    pub name: &'a str,
    /// What one unit is.
    pub unit: &'a str,
    /// Whether it is counted.
    pub tracked: bool,
    /// The count with which it begins.
    pub opening: i64,
    /// At or below so many available it is low.
    pub low_mark: i64,
}

/// Writes a new stock item; `false` if its code is taken.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn insert(tx: &mut Tx, site: &str, new: &NewStock<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let rows = execute!(
        tx,
        INSERT,
        site,
        new.id.0,
        new.code,
        new.name,
        new.unit,
        new.tracked,
        new.opening,
        new.low_mark,
        now.0
    )?;
    super::rows::hit_one(rows)
}

/// Changes what is said about a stock item, never its counts; `false` if there is none.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn describe(tx: &mut Tx, site: &str, new: &NewStock<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let rows = execute!(tx, DESCRIBE, site, new.id.0, new.name, new.unit, new.low_mark, new.tracked, now.0)?;
    super::rows::hit_one(rows)
}

/// Moves on_hand by `quantity`; `None` if that would be below what is reserved or above
/// [`MAX_ON_HAND`], or there is no such item.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn move_on_hand(
    tx: &mut Tx,
    site: &str,
    id: StockItemId,
    quantity: i64,
    now: Timestamp,
) -> Result<Option<Moved>, StoreError> {
    fetch_optional!(tx, Moved, MOVE, site, id.0, quantity, now.0, MAX_ON_HAND)
}

/// Locks a stock item until the end of the transaction, and reads its counts.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn lock(tx: &mut Tx, site: &str, id: StockItemId, now: Timestamp) -> Result<Option<Moved>, StoreError> {
    fetch_optional!(tx, Moved, LOCK, site, id.0, now.0)
}

/// A movement made by hand, for [`append_movement`].
#[derive(Debug, Clone, Copy)]
pub struct ByHand<'a> {
    /// Receive, recount, adjust or waste: what orders use has another writer.
    pub kind: StockMovementKind,
    /// By how much on_hand moved, signed.
    pub quantity: i64,
    /// Why.
    pub reason: Option<&'a str>,
}

/// Writes the ledger row of a movement.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn append_movement(
    tx: &mut Tx,
    site: &str,
    id: StockItemId,
    moved: Moved,
    movement: ByHand<'_>,
    actor: &Actor,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Moved { last_movement, on_hand, reserved } = moved;
    let actor_id = actor.staff.map(|id| id.0).or_else(|| actor.customer.map(|id| id.0));
    execute!(
        tx,
        MOVEMENT,
        site,
        id.0,
        last_movement,
        movement.kind.as_str(),
        movement.quantity,
        on_hand,
        reserved,
        actor.role.as_str(),
        actor_id,
        actor.terminal.map(|id| id.0),
        movement.reason,
        now.0
    )?;
    Ok(())
}

/// The rows of an item's ledger that the filter lets through below the number `before`, newest first, at
/// most `limit`.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn ledger(
    tx: &mut Tx,
    site: &str,
    id: StockItemId,
    filter: &MovementFilter,
    before: i64,
    limit: i64,
) -> Result<Vec<MovementRow>, StoreError> {
    let (kinds, (from, until)) = (filter.words(), filter.bounds());
    let text = filter.text.as_deref().map(containing);
    let (kinds, text) = (kinds.as_deref(), text.as_deref());
    fetch_all!(tx, MovementRow, LEDGER, site, id.0, kinds, from, until, text, before, limit)
}

/// How many rows [`ledger`] has in all, counted one beyond [`MOST_COUNTED`] at the most.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn count_movements(
    tx: &mut Tx,
    site: &str,
    id: StockItemId,
    filter: &MovementFilter,
) -> Result<i64, StoreError> {
    let (kinds, (from, until)) = (filter.words(), filter.bounds());
    let text = filter.text.as_deref().map(containing);
    let (kinds, text) = (kinds.as_deref(), text.as_deref());
    let most = MOST_COUNTED.saturating_add(1);
    Ok(fetch_one!(tx, (i64,), COUNT_MOVEMENTS, site, id.0, kinds, from, until, text, most)?.0)
}

/// The orders that hold units of a stock item, oldest first.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn holders(tx: &mut Tx, site: &str, id: StockItemId) -> Result<Vec<HolderRow>, StoreError> {
    fetch_all!(tx, HolderRow, HOLDERS, site, id.0)
}

/// Units of each stock item that the orders of a business date (YYYY-MM-DD) hold or have used, less
/// what they gave back.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn sold_on(tx: &mut Tx, site: &str, business_date: &str) -> Result<BTreeMap<StockItemId, i64>, StoreError> {
    let rows = fetch_all!(tx, (Uuid, i64), SOLD, site, business_date)?;
    Ok(rows.into_iter().map(|(id, units)| (StockItemId(id), units)).collect())
}

/// Locks an order that is `pending`; `false` if it is not.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn lock_pending(tx: &mut Tx, site: &str, order: OrderId, now: Timestamp) -> Result<bool, StoreError> {
    super::rows::hit_one(execute!(tx, LOCK_PENDING, site, order.0, now.0)?)
}

/// Whether an attempt to pay the order is open.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn is_paying(tx: &mut Tx, site: &str, order: OrderId) -> Result<bool, StoreError> {
    let (count,) = fetch_one!(tx, (i64,), PAYING, site, order.0)?;
    Ok(count > 0)
}

/// What an order holds, by stock item.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn held_by(tx: &mut Tx, site: &str, order: OrderId) -> Result<Vec<(StockItemId, i64)>, StoreError> {
    let rows = fetch_all!(tx, (Uuid, i64), HELD_BY, site, order.0)?;
    Ok(rows.into_iter().map(|(id, quantity)| (StockItemId(id), quantity)).collect())
}

/// Lowers reserved by `quantity`; `false` if less is reserved.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn unreserve(
    tx: &mut Tx,
    site: &str,
    id: StockItemId,
    quantity: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    super::rows::hit_one(execute!(tx, UNRESERVE, site, id.0, quantity, now.0)?)
}

/// Ends every hold of an order as released; the counts are lowered by [`unreserve`].
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn end_holds(tx: &mut Tx, site: &str, order: OrderId, now: Timestamp) -> Result<u64, StoreError> {
    execute!(tx, END_HOLDS, site, order.0, now.0)
}
