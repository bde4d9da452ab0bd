//! Archive: what old rows may go to a file, and their going. `part.rs` says what one batch takes, `rows.rs` moves rows
//! of any table, `file.rs` is the file, `proof.rs` reads it back and proves it. When, in which order and by whom is
//! the service's business (`service/archive.rs`).
//!
//! A batch is read and written to the file first; only when the file has it, checked, is it deleted here, in one
//! transaction with the run's own row (the triggers of 0008 ask for it) and with what the run carries forward, so
//! that every sum still proves: orders of a day, places in slots, uses of promotions, the ledgers of stock and
//! drawers, the last seal. Rows that changed in between let the batch be refused, and it is read again.

pub mod file;
mod part;
pub mod proof;
mod rows;

pub use part::{MOVED, Part, Stretch};
pub use rows::{Selects, Shapes, TableRows, Value, hash, read};

use super::statements::note;
use super::{StoreError, Tx};
use crate::domain::time::Timestamp;
use part::push_condition;
use serde::{Deserialize, Serialize};
use sqlx::QueryBuilder;
use sqlx::types::Json;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Seals with younger rows that are passed over at most: all of them when the last days begin.
const SEALS_AT_ONCE: u32 = 100;

/// How many rows of each table.
pub type Counts = BTreeMap<String, i64>;

/// The place of an order in the order in which they go.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, sqlx::FromRow)]
pub struct Place {
    /// The business day.
    pub business_date: String,
    /// Whether it was one of training.
    pub training: bool,
    /// Its number of the day.
    pub sequence: i64,
}

/// An order that may go.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Finished {
    /// The order.
    pub id: Uuid,
    /// Its version.
    pub version: i64,
    /// Where it stands in the order in which they go.
    #[sqlx(flatten)]
    pub place: Place,
}

/// An order of an old day that has to stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct HeldBack {
    /// Its number.
    pub order_number: String,
    /// Where it stands.
    pub status: String,
}

/// A movement of a ledger, as far as it matters here.
#[derive(Debug, sqlx::FromRow)]
struct Movement {
    seq: i64,
    at: i64,
    order_stays: bool,
}

/// A seal over rows that are still here.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
struct OldSeal {
    seq: i64,
    from_seq: i64,
    to_seq: i64,
}

/// A run, for the row that it leaves behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its identity, which is the batch's in the file.
    pub id: Uuid,
    /// Everything before this instant is covered.
    pub before: Timestamp,
    /// The name of the file.
    pub file_name: String,
    /// The hash of the batch, in hexadecimal.
    pub hash: String,
    /// How many rows of each table the file has.
    pub counts: Counts,
}

// What may go. An order is over, all of its money has come to rest, everything about it was told, and nothing about
// it happened since. A refund that failed counts as settled when a later one of the same attempt did.
macro_rules! finished {
    () => {
        "o.site_id = $1 AND o.business_date < $2 AND o.ended_at IS NOT NULL AND o.ended_at < $3 AND o.updated_at < $3 \
         AND NOT EXISTS (SELECT 1 FROM refunds r WHERE r.site_id = $1 AND r.order_id = o.id AND (r.status = 'pending' \
         OR (r.status = 'failed' AND NOT EXISTS (SELECT 1 FROM refunds s WHERE s.site_id = $1 AND s.order_id = o.id \
         AND s.attempt_id = r.attempt_id AND s.status = 'settled' AND s.created_at >= r.created_at)))) \
         AND NOT EXISTS (SELECT 1 FROM payment_attempts p WHERE p.site_id = $1 AND p.order_id = o.id \
         AND (p.status IN ('created', 'authorized') OR (p.unresolved AND p.next_check_at < 9223372036854775807))) \
         AND NOT EXISTS (SELECT 1 FROM outbox b WHERE b.site_id = $1 AND b.order_id = o.id AND b.sent_at IS NULL) \
         AND NOT EXISTS (SELECT 1 FROM order_history h WHERE h.site_id = $1 AND h.order_id = o.id AND h.at >= $3) \
         AND NOT EXISTS (SELECT 1 FROM reservations v WHERE v.site_id = $1 AND v.order_id = o.id AND v.state = 'held') \
         AND NOT EXISTS (SELECT 1 FROM delivery_assignments d WHERE d.site_id = $1 AND d.order_id = o.id \
         AND d.status IN ('assigned', 'picked_up'))"
    };
}

const FINISHED: &str = concat!(
    "SELECT o.id, o.version, o.business_date, o.training, o.sequence FROM orders o WHERE ",
    finished!(),
    " AND (o.business_date, o.training, o.sequence) > ($4, $5, $6) \
     ORDER BY o.business_date, o.training, o.sequence LIMIT $7"
);
const OLD_ORDERS: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM orders WHERE site_id = $1 AND business_date < $2";
const HELD_BACK: &str = concat!(
    "SELECT o.order_number, o.status FROM orders o WHERE o.site_id = $1 AND o.business_date < $2 AND NOT (",
    finished!(),
    ") ORDER BY o.business_date, o.training, o.sequence LIMIT $4"
);
const COUNT_HELD_BACK: &str = concat!(
    "SELECT CAST(COUNT(*) AS BIGINT) FROM orders o WHERE o.site_id = $1 AND o.business_date < $2 AND NOT (",
    finished!(),
    ")"
);
const FIRST_DAY: &str = "SELECT MIN(business_date) FROM orders WHERE site_id = $1";
const MARKED: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM report_changes WHERE site_id = $1 \
     AND (business_date < $2 OR first_at < $3)";
const STOCK_ITEMS: &str = "SELECT id FROM stock_items WHERE site_id = $1 AND last_movement > 0 ORDER BY id";
const STOCK_AHEAD: &str = "SELECT m.seq, m.at, CASE WHEN o.id IS NULL THEN FALSE ELSE TRUE END AS order_stays \
     FROM stock_movements m LEFT JOIN orders o ON o.site_id = $1 AND o.id = m.order_id \
     WHERE m.site_id = $1 AND m.stock_item_id = $2 ORDER BY m.seq LIMIT $3";
const SHIFTS: &str = "SELECT id FROM till_shifts t WHERE site_id = $1 AND closed_at < $2 AND last_movement > \
     COALESCE((SELECT SUM(movements) FROM archived_drawers a WHERE a.site_id = $1 AND a.shift_id = t.id), 0) ORDER BY opened_at, id";
const DRAWER_AHEAD: &str = "SELECT m.seq, m.at, CASE WHEN o.id IS NULL THEN FALSE ELSE TRUE END AS order_stays \
     FROM drawer_movements m LEFT JOIN orders o ON o.site_id = $1 AND o.id = m.order_id \
     WHERE m.site_id = $1 AND m.shift_id = $2 ORDER BY m.seq LIMIT $3";
const NEXT_SEAL: &str = "SELECT s.seq, s.from_seq, s.to_seq FROM audit_seals s \
     LEFT JOIN archived_seals a ON a.site_id = $1 AND a.seal = s.seq \
     WHERE s.site_id = $1 AND s.seq > $2 AND a.seal IS NULL ORDER BY s.seq LIMIT 1";
const POSTGRES_YOUNGEST: &str = "SELECT MAX(at) FROM audit_log WHERE site_id = $1 AND seq >= $2 AND seq <= $3";
const SQLITE_YOUNGEST: &str =
    "SELECT MAX(at) FROM audit_log NOT INDEXED WHERE site_id = $1 AND seq >= $2 AND seq <= $3";
const INSTANCE: &str = "SELECT instance_id FROM store_meta WHERE singleton = 1";
const KNOWN_RUN: &str = "SELECT file_hash FROM archive_runs WHERE site_id = $1 AND id = $2 AND state = 'done'";
const ARCHIVED_DAY: &str =
    "SELECT CAST(SUM(orders) AS BIGINT) FROM archived_days WHERE site_id = $1 AND business_date = $2";

const BEGIN_RUN: &str = "INSERT INTO archive_runs (site_id, id, state, before_at, file_name, file_hash, row_counts, \
     started_at, started_by) VALUES ($1, $2, 'running', $3, $4, $5, $6, $7, $8)";
const END_RUN: &str = "UPDATE archive_runs SET state = 'done', finished_at = $3 WHERE site_id = $1 AND id = $2";
const CARRY_STOCK: &str = "INSERT INTO archived_stock (site_id, stock_item_id, movements, quantity) \
     SELECT site_id, stock_item_id, COUNT(*), CAST(SUM(quantity) AS BIGINT) FROM stock_movements \
     WHERE site_id = $1 AND stock_item_id = $2 AND seq >= $3 AND seq <= $4 GROUP BY site_id, stock_item_id HAVING TRUE \
     ON CONFLICT (site_id, stock_item_id) DO UPDATE SET movements = archived_stock.movements + excluded.movements, \
     quantity = archived_stock.quantity + excluded.quantity";
const CARRY_DRAWER: &str = "INSERT INTO archived_drawers (site_id, shift_id, kind, movements, amount) \
     SELECT site_id, shift_id, kind, COUNT(*), CAST(SUM(amount) AS BIGINT) FROM drawer_movements \
     WHERE site_id = $1 AND shift_id = $2 AND seq >= $3 AND seq <= $4 GROUP BY site_id, shift_id, kind HAVING TRUE \
     ON CONFLICT (site_id, shift_id, kind) DO UPDATE SET movements = archived_drawers.movements + excluded.movements, \
     amount = archived_drawers.amount + excluded.amount";
const CARRY_SEAL: &str = "INSERT INTO archived_seals (site_id, seal) VALUES ($1, $2) \
     ON CONFLICT (site_id, seal) DO NOTHING";

/// Each carry of orders: what stands before their ids, and what after them.
const CARRY_ORDERS: [(&str, &str); 3] = [
    (
        "INSERT INTO archived_days (site_id, business_date, training, orders) \
         SELECT site_id, business_date, training, COUNT(*) FROM orders",
        " GROUP BY site_id, business_date, training HAVING TRUE ON CONFLICT (site_id, business_date, training) \
         DO UPDATE SET orders = archived_days.orders + excluded.orders",
    ),
    (
        "INSERT INTO archived_slots (site_id, business_date, slot_name, claimed) \
         SELECT site_id, business_date, slot_name, COUNT(*) FROM orders",
        " AND slot_claimed AND status NOT IN ('cancelled', 'expired', 'rejected') \
         GROUP BY site_id, business_date, slot_name HAVING TRUE ON CONFLICT (site_id, business_date, slot_name) \
         DO UPDATE SET claimed = archived_slots.claimed + excluded.claimed",
    ),
    (
        "INSERT INTO archived_promotions (site_id, promotion_id, uses) \
         SELECT site_id, promotion_id, COUNT(*) FROM promotion_uses",
        " AND state IN ('held', 'used') GROUP BY site_id, promotion_id HAVING TRUE ON CONFLICT (site_id, promotion_id) \
         DO UPDATE SET uses = archived_promotions.uses + excluded.uses",
    ),
];

/// The next orders that may go: of business days before `day` (`YYYY-MM-DD`), untouched since `before`.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn finished(
    tx: &mut Tx,
    site: &str,
    (day, before): (&str, Timestamp),
    after: &Place,
    limit: i64,
) -> Result<Vec<Finished>, StoreError> {
    let Place { business_date, training, sequence } = after;
    fetch_all!(tx, Finished, FINISHED, site, day, before.0, business_date, training, sequence, limit)
}

/// How many orders the days before `day` have.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn old_orders(tx: &mut Tx, site: &str, day: &str) -> Result<i64, StoreError> {
    Ok(fetch_one!(tx, (i64,), OLD_ORDERS, site, day)?.0)
}

/// The orders of old days that have to stay: how many, and the first of them.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn held_back(
    tx: &mut Tx,
    site: &str,
    (day, before): (&str, Timestamp),
    limit: i64,
) -> Result<(i64, Vec<HeldBack>), StoreError> {
    let (count,): (i64,) = fetch_one!(&mut *tx, (i64,), COUNT_HELD_BACK, site, day, before.0)?;
    Ok((count, fetch_all!(tx, HeldBack, HELD_BACK, site, day, before.0, limit)?))
}

/// The first business day that has orders.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn first_day(tx: &mut Tx, site: &str) -> Result<Option<String>, StoreError> {
    Ok(fetch_one!(tx, (Option<String>,), FIRST_DAY, site)?.0)
}

/// How many marks there are of changes that the kept reports of days before `day` do not hold yet.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn marked(tx: &mut Tx, site: &str, (day, before): (&str, Timestamp)) -> Result<i64, StoreError> {
    Ok(fetch_one!(tx, (i64,), MARKED, site, day, before.0)?.0)
}

/// The stock items that ever moved.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn stock_items(tx: &mut Tx, site: &str) -> Result<Vec<Uuid>, StoreError> {
    let rows: Vec<(Uuid,)> = fetch_all!(tx, (Uuid,), STOCK_ITEMS, site)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The till shifts that were closed before an instant and have movements left.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn shifts(tx: &mut Tx, site: &str, before: Timestamp) -> Result<Vec<Uuid>, StoreError> {
    let rows: Vec<(Uuid,)> = fetch_all!(tx, (Uuid,), SHIFTS, site, before.0)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The oldest movements that may go, `limit` at most: up to the first one that is too young, or whose order stays.
fn stretch(owner: Uuid, movements: &[Movement], before: Timestamp) -> Option<Stretch> {
    let going = movements.iter().take_while(|movement| movement.at < before.0 && !movement.order_stays);
    let first = movements.first()?;
    going.last().map(|last| Stretch { owner, from: first.seq, to: last.seq })
}

/// The oldest movements of a stock item that may go.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn stock_stretch(
    tx: &mut Tx,
    site: &str,
    item: Uuid,
    before: Timestamp,
    limit: i64,
) -> Result<Option<Stretch>, StoreError> {
    let rows: Vec<Movement> = fetch_all!(tx, Movement, STOCK_AHEAD, site, item, limit)?;
    Ok(stretch(item, &rows, before))
}

/// The oldest movements of a till shift that may go.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn drawer_stretch(
    tx: &mut Tx,
    site: &str,
    shift: Uuid,
    before: Timestamp,
    limit: i64,
) -> Result<Option<Stretch>, StoreError> {
    let rows: Vec<Movement> = fetch_all!(tx, Movement, DRAWER_AHEAD, site, shift, limit)?;
    Ok(stretch(shift, &rows, before))
}

/// The oldest seal after the one given whose rows are here and may all go. One with a younger row is passed over: a
/// clock that was once wrong keeps one seal here, and not all that follow.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn next_audit_rows(
    tx: &mut Tx,
    site: &str,
    mut after: i64,
    before: Timestamp,
) -> Result<Option<Part>, StoreError> {
    let youngest = if tx.is_postgres() { POSTGRES_YOUNGEST } else { SQLITE_YOUNGEST };
    for _ in 0..SEALS_AT_ONCE {
        let next: Option<OldSeal> = fetch_optional!(&mut *tx, OldSeal, NEXT_SEAL, site, after)?;
        let Some(OldSeal { seq, from_seq, to_seq }) = next else { break };
        let (at,): (Option<i64>,) = fetch_one!(&mut *tx, (Option<i64>,), youngest, site, from_seq, to_seq)?;
        if at.is_some_and(|at| at < before.0) {
            return Ok(Some(Part::AuditRows { seal: seq, from_seq, to_seq }));
        }
        after = seq;
    }
    Ok(None)
}

/// The hash that a run left behind, if the store knows it.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn known_run(tx: &mut Tx, site: &str, id: Uuid) -> Result<Option<Vec<u8>>, StoreError> {
    let row: Option<(Option<Vec<u8>>,)> = fetch_optional!(tx, (Option<Vec<u8>>,), KNOWN_RUN, site, id)?;
    Ok(row.map(|(hash,)| hash.unwrap_or_default()))
}

/// The identity of the store.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn instance(tx: &mut Tx) -> Result<Uuid, StoreError> {
    Ok(fetch_one!(tx, (Uuid,), INSTANCE)?.0)
}

/// The SHA-256 of a file, in hexadecimal.
///
/// # Errors
/// [`StoreError::Disk`] when it cannot be read.
pub fn digest(path: &std::path::Path) -> Result<String, StoreError> {
    Ok(super::backup::digest(path)?.1)
}

/// How many orders of a business day are in an archive.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn archived_orders(tx: &mut Tx, site: &str, day: &str) -> Result<i64, StoreError> {
    Ok(fetch_one!(tx, (Option<i64>,), ARCHIVED_DAY, site, day)?.0.unwrap_or(0))
}

/// Deletes a part in the caller's transaction, as a run that is noted with it: what the file has and nothing else.
/// `false` when the rows are not those that the file has, because they changed since they were read: then the
/// transaction must not be kept.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn take_away(
    tx: &mut Tx,
    site: &str,
    part: &Part,
    run: &Run,
    (by, now): (Option<Uuid>, Timestamp),
) -> Result<bool, StoreError> {
    if let Part::Orders(orders) = part
        && !hold_orders(tx, site, orders).await?
    {
        return Ok(false);
    }
    let hash: Vec<u8> = hex_bytes(&run.hash);
    let counts = Json(&run.counts);
    execute!(&mut *tx, BEGIN_RUN, site, run.id, run.before.0, &run.file_name, hash, counts, now.0, by)?;
    if !carry(tx, site, part).await? {
        return Ok(false);
    }
    for table in part.tables() {
        let postgres = tx.is_postgres();
        let gone = on_connection!(&mut *tx, connection, async {
            let mut builder = QueryBuilder::new(note("DELETE FROM "));
            builder.push(*table);
            push_condition(&mut builder, postgres, site, table, part);
            builder.build().execute(connection).await.map(|done| done.rows_affected())
        })?;
        let expected = run.counts.get(*table).copied().unwrap_or(0);
        if i64::try_from(gone) != Ok(expected) {
            tracing::info!(table, gone, expected, "rows changed between their way to the archive and their going");
            return Ok(false);
        }
    }
    execute!(tx, END_RUN, site, run.id, now.0)?;
    Ok(true)
}

/// Whether the orders are as they were read; nobody changes them before this transaction is over.
async fn hold_orders(tx: &mut Tx, site: &str, orders: &[(Uuid, i64)]) -> Result<bool, StoreError> {
    let postgres = tx.is_postgres();
    let mut found: Vec<(Uuid, i64)> = on_connection!(&mut *tx, connection, async {
        let mut builder = QueryBuilder::new(note("SELECT id, version FROM orders"));
        push_condition(&mut builder, postgres, site, "orders", &Part::Orders(orders.to_vec()));
        if postgres {
            builder.push(" ORDER BY id FOR UPDATE");
        }
        builder.build_query_as::<(Uuid, i64)>().fetch_all(connection).await
    })?;
    let mut expected = orders.to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    Ok(found == expected)
}

/// Notes what the part's rows come to, so that the sums of what is left still prove; `false` where another run was
/// here before.
async fn carry(tx: &mut Tx, site: &str, part: &Part) -> Result<bool, StoreError> {
    match part {
        Part::Orders(_) => {
            for (before, after) in CARRY_ORDERS {
                let table = if before.contains("promotion_uses") { "promotion_uses" } else { "orders" };
                let postgres = tx.is_postgres();
                on_connection!(&mut *tx, connection, async {
                    let mut builder = QueryBuilder::new(note(before));
                    push_condition(&mut builder, postgres, site, table, part);
                    builder.push(after);
                    builder.build().execute(connection).await.map(|_| ())
                })?;
            }
        }
        Part::StockMovements(Stretch { owner, from, to }) => {
            execute!(tx, CARRY_STOCK, site, *owner, *from, *to)?;
        }
        Part::DrawerMovements(Stretch { owner, from, to }) => {
            execute!(tx, CARRY_DRAWER, site, *owner, *from, *to)?;
        }
        Part::AuditRows { seal, .. } => return Ok(execute!(tx, CARRY_SEAL, site, *seal)? == 1),
    }
    Ok(true)
}

/// Bytes as hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hex_bytes(digits: &str) -> Vec<u8> {
    let pairs = (0..digits.len() / 2).filter_map(|at| digits.get(2 * at..2 * at + 2));
    pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_ends_before_the_first_movement_that_has_to_stay() {
        let owner = Uuid::from_u128(7);
        let movement = |seq, at, order_stays| Movement { seq, at, order_stays };
        let of = |movements: &[Movement]| stretch(owner, movements, Timestamp(10));
        let old = [movement(4, 1, false), movement(5, 9, false)];
        assert_eq!(of(&old), Some(Stretch { owner, from: 4, to: 5 }));
        assert_eq!(of(&[movement(4, 1, false), movement(5, 10, false), movement(6, 2, false)]).map(|s| s.to), Some(4));
        assert_eq!(of(&[movement(4, 1, true), movement(5, 1, false)]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn every_table_of_every_part_is_kept() {
        let parts = [
            Part::Orders(Vec::new()),
            Part::StockMovements(Stretch { owner: Uuid::nil(), from: 1, to: 1 }),
            Part::DrawerMovements(Stretch { owner: Uuid::nil(), from: 1, to: 1 }),
            Part::AuditRows { seal: 1, from_seq: 1, to_seq: 1 },
        ];
        let all: Vec<&str> = parts.iter().flat_map(|part| part.tables().iter().copied()).collect();
        assert_eq!(all, MOVED);
    }
}
