//! The kept summaries of business days: their rows, reading and replacing them, and the marks of what has
//! changed since. What a day comes to is counted in `reports_count.rs`; when it is kept anew is the
//! worker's decision, and which days a report may take from here is the service's.

use super::{StoreError, Tx};
use crate::domain::time::Timestamp;
use uuid::Uuid;

/// Rows of one INSERT or DELETE, far below what a statement may bind.
const CHUNK: usize = 500;

/// Orders of one status and reason.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct OrdersRow {
    pub business_date: String,
    pub status: String,
    pub reason: String,
    pub orders: i64,
}

/// Sales of one method and fulfilment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct SalesRow {
    pub business_date: String,
    pub method: String,
    pub fulfilment: String,
    pub orders: i64,
    pub gross: i64,
    pub discounts: i64,
    pub tax: i64,
    pub tax_added: i64,
    pub delivery_fees: i64,
    pub collected: i64,
    pub refunds: i64,
    pub refunded: i64,
}

/// One item. Of a range, `business_date` is the last day under that code, name and category.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct ItemsRow {
    pub business_date: String,
    pub item_id: Uuid,
    pub item_code: String,
    pub item_name: String,
    pub category_name: String,
    pub orders: i64,
    pub quantity: i64,
    pub voided: i64,
    pub restocked: i64,
    pub wasted: i64,
    pub gross: i64,
    pub discounts: i64,
    pub tax: i64,
    pub revenue: i64,
}

/// One hour.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct HoursRow {
    pub business_date: String,
    pub hour_of_day: i64,
    pub placed: i64,
    pub received: i64,
    pub gross: i64,
}

/// The durations of one station; all zeros: of the order as a whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct SpeedRow {
    pub business_date: String,
    pub station_id: Uuid,
    pub hours: Vec<u8>,
}

/// Refunds that ended, or stray captures.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct RefundsRow {
    pub business_date: String,
    pub kind: String,
    pub stray: bool,
    pub method: String,
    pub transition: String,
    pub reason: String,
    pub entries: i64,
    pub amount: i64,
}

/// Waste of one thing with one reason.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct WasteRow {
    pub business_date: String,
    pub source: String,
    pub subject_id: Uuid,
    pub reason: String,
    pub code: String,
    pub name: String,
    pub units: i64,
    pub menu_value: i64,
}

/// Everything that days come to, in the order of the rows' columns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summaries {
    /// Orders by status.
    pub orders: Vec<OrdersRow>,
    /// Sales.
    pub sales: Vec<SalesRow>,
    /// Items.
    pub items: Vec<ItemsRow>,
    /// Volume by hour.
    pub hours: Vec<HoursRow>,
    /// Speed of service.
    pub speed: Vec<SpeedRow>,
    /// Refunds and stray captures.
    pub refunds: Vec<RefundsRow>,
    /// Waste.
    pub waste: Vec<WasteRow>,
}

impl Summaries {
    /// Adds the rows of other days.
    pub fn append(&mut self, mut other: Self) {
        self.orders.append(&mut other.orders);
        self.sales.append(&mut other.sales);
        self.items.append(&mut other.items);
        self.hours.append(&mut other.hours);
        self.speed.append(&mut other.speed);
        self.refunds.append(&mut other.refunds);
        self.waste.append(&mut other.waste);
    }

    /// Puts the rows of each part in order, so that two can be compared.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.orders.sort();
        self.sales.sort();
        self.items.sort();
        self.hours.sort();
        self.speed.sort();
        self.refunds.sort();
        self.waste.sort();
        self
    }
}

/// A mark: what changed, and of which days.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct MarkRow {
    /// The order or stock item.
    pub subject_id: Uuid,
    /// The business day of the order.
    pub business_date: Option<String>,
    /// The instant of the first change since the mark was set (microseconds).
    pub first_at: i64,
    /// The instant of the last one (microseconds).
    pub last_at: i64,
    /// How many changes there were.
    pub changes: i64,
}

/// The marks of one business day together; none: of waste by hand.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct MarkedDay {
    /// The business day of the orders.
    pub business_date: Option<String>,
    /// The instant of the first change (microseconds).
    pub first_at: i64,
    /// The instant of the last one (microseconds).
    pub last_at: i64,
}

const BASIS: &str = "SELECT time_zone, business_day_cutoff FROM report_basis WHERE site_id = $1";
const SET_BASIS: &str = "INSERT INTO report_basis (site_id, time_zone, business_day_cutoff) VALUES ($1, $2, $3) \
     ON CONFLICT (site_id) DO UPDATE SET time_zone = excluded.time_zone, \
     business_day_cutoff = excluded.business_day_cutoff";
const SPAN: &str = "SELECT MIN(d), MAX(d) FROM (SELECT MIN(business_date) AS d FROM orders WHERE site_id = $1 \
     UNION ALL SELECT MAX(business_date) FROM orders WHERE site_id = $1 \
     UNION ALL SELECT MIN(business_date) FROM report_sales WHERE site_id = $1 \
     UNION ALL SELECT MAX(business_date) FROM report_sales WHERE site_id = $1 \
     UNION ALL SELECT MIN(business_date) FROM report_refunds WHERE site_id = $1 \
     UNION ALL SELECT MAX(business_date) FROM report_refunds WHERE site_id = $1 \
     UNION ALL SELECT MIN(business_date) FROM report_waste WHERE site_id = $1 \
     UNION ALL SELECT MAX(business_date) FROM report_waste WHERE site_id = $1) AS days";
const ARCHIVED_BEFORE: &str = "SELECT MAX(before_at) FROM archive_runs WHERE site_id = $1 AND state = 'done'";
const LAST_ARCHIVE: &str = "SELECT before_at, file_name FROM archive_runs WHERE site_id = $1 AND state = 'done' \
     ORDER BY before_at DESC, finished_at DESC LIMIT 1";
const MARKS: &str = "SELECT subject_id, business_date, first_at, last_at, changes FROM report_changes \
     WHERE site_id = $1 AND (business_date IS NULL OR business_date <> $2) ORDER BY business_date, subject_id LIMIT $3";
const MARKS_OF_DAY: &str = "SELECT subject_id, business_date, first_at, last_at, changes FROM report_changes \
     WHERE site_id = $1 AND business_date = $2 ORDER BY subject_id LIMIT $3";
const MARKED_DAYS: &str = "SELECT business_date, MIN(first_at) AS first_at, MAX(last_at) AS last_at FROM report_changes \
     WHERE site_id = $1 GROUP BY business_date ORDER BY business_date";
const MARK_ORDERS_AGAIN: &str = "INSERT INTO report_changes (site_id, subject_id, business_date, first_at, last_at) \
     SELECT o.site_id, o.id, o.business_date, d.first_at, d.last_at FROM (SELECT business_date, MIN(sequence) AS sequence, \
     MIN(created_at) AS first_at, MAX(updated_at) AS last_at FROM orders WHERE site_id = $1 AND NOT training \
     GROUP BY business_date) d JOIN orders o ON o.site_id = $1 AND o.business_date = d.business_date \
     AND NOT o.training AND o.sequence = d.sequence WHERE TRUE \
     ON CONFLICT (site_id, subject_id) DO UPDATE SET changes = report_changes.changes + 1, \
     first_at = CASE WHEN report_changes.first_at < excluded.first_at THEN report_changes.first_at ELSE excluded.first_at END, \
     last_at = CASE WHEN report_changes.last_at > excluded.last_at THEN report_changes.last_at ELSE excluded.last_at END";
const MARK_WASTE_AGAIN: &str = "INSERT INTO report_changes (site_id, subject_id, business_date, first_at, last_at) \
     SELECT site_id, stock_item_id, CAST(NULL AS TEXT), MIN(at), MAX(at) FROM stock_movements \
     WHERE site_id = $1 AND kind = 'waste' AND order_id IS NULL GROUP BY site_id, stock_item_id \
     HAVING TRUE ON CONFLICT (site_id, subject_id) DO UPDATE SET changes = report_changes.changes + 1, \
     first_at = CASE WHEN report_changes.first_at < excluded.first_at THEN report_changes.first_at ELSE excluded.first_at END, \
     last_at = CASE WHEN report_changes.last_at > excluded.last_at THEN report_changes.last_at ELSE excluded.last_at END";

const ORDERS: &str = "SELECT MAX(business_date) AS business_date, status, reason, CAST(SUM(orders) AS BIGINT) AS orders \
     FROM report_orders WHERE site_id = $1 AND business_date BETWEEN $2 AND $3 GROUP BY status, reason";
const SALES: &str = "SELECT business_date, method, fulfilment, orders, gross, discounts, tax, tax_added, delivery_fees, \
     collected, refunds, refunded FROM report_sales WHERE site_id = $1 AND business_date BETWEEN $2 AND $3";
const ITEMS: &str = "SELECT MAX(business_date) AS business_date, item_id, item_code, item_name, category_name, \
     CAST(SUM(orders) AS BIGINT) AS orders, CAST(SUM(quantity) AS BIGINT) AS quantity, \
     CAST(SUM(voided) AS BIGINT) AS voided, CAST(SUM(restocked) AS BIGINT) AS restocked, \
     CAST(SUM(wasted) AS BIGINT) AS wasted, CAST(SUM(gross) AS BIGINT) AS gross, \
     CAST(SUM(discounts) AS BIGINT) AS discounts, CAST(SUM(tax) AS BIGINT) AS tax, \
     CAST(SUM(revenue) AS BIGINT) AS revenue FROM report_items \
     WHERE site_id = $1 AND business_date BETWEEN $2 AND $3 GROUP BY item_id, item_code, item_name, category_name";
const HOURS: &str = "SELECT business_date, hour_of_day, placed, received, gross FROM report_hours \
     WHERE site_id = $1 AND business_date BETWEEN $2 AND $3";
const SPEED: &str = "SELECT business_date, station_id, hours FROM report_speed \
     WHERE site_id = $1 AND business_date BETWEEN $2 AND $3";
const REFUNDS: &str = "SELECT MAX(business_date) AS business_date, kind, stray, method, transition, reason, \
     CAST(SUM(entries) AS BIGINT) AS entries, CAST(SUM(amount) AS BIGINT) AS amount FROM report_refunds \
     WHERE site_id = $1 AND business_date BETWEEN $2 AND $3 GROUP BY kind, stray, method, transition, reason";
const WASTE: &str = "SELECT w.business_date, w.source, w.subject_id, w.reason, \
     COALESCE(s.code, w.code) AS code, COALESCE(s.name, w.name) AS name, w.units, w.menu_value FROM report_waste w \
     LEFT JOIN stock_items s ON w.source = 'stock' AND s.site_id = $1 AND s.id = w.subject_id \
     WHERE w.site_id = $1 AND w.business_date BETWEEN $2 AND $3";
const PENDING_REFUNDS: &str = "SELECT CAST(COUNT(*) AS BIGINT), CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM refunds \
     WHERE site_id = $1 AND status = 'pending'";
const PENDING_GROUPS: &str = "SELECT '' AS business_date, r.status AS kind, a.stray, r.method, r.transition, \
     COALESCE(r.reason, '') AS reason, CAST(COUNT(*) AS BIGINT) AS entries, CAST(SUM(r.amount) AS BIGINT) AS amount \
     FROM refunds r JOIN payment_attempts a ON a.site_id = $1 AND a.order_id = r.order_id AND a.id = r.attempt_id \
     WHERE r.site_id = $1 AND r.status = 'pending' GROUP BY r.status, a.stray, r.method, r.transition, COALESCE(r.reason, '')";

/// The zone and cut-off under which the summaries were made, if there are any.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn basis(tx: &mut Tx, site: &str) -> Result<Option<(String, String)>, StoreError> {
    fetch_optional!(tx, (String, String), BASIS, site)
}

/// The first and the last business day of orders or of what is kept.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn span(tx: &mut Tx, site: &str) -> Result<Option<(String, String)>, StoreError> {
    let (first, last) = fetch_one!(tx, (Option<String>, Option<String>), SPAN, site)?;
    Ok(first.zip(last))
}

/// The instant before which archive runs took rows away, if any did: days that reach behind it cannot be
/// counted again.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn archived_before(tx: &mut Tx, site: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(fetch_one!(tx, (Option<i64>,), ARCHIVED_BEFORE, site)?.0.map(Timestamp))
}

/// Up to which instant orders were archived, and the name of the file that took the last of them.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn last_archive(tx: &mut Tx, site: &str) -> Result<Option<(Timestamp, String)>, StoreError> {
    let row = fetch_optional!(tx, (i64, String), LAST_ARCHIVE, site)?;
    Ok(row.map(|(before, file)| (Timestamp(before), file)))
}

/// Throws every summary from the business day `first` on away and marks all days, because days are cut in
/// another way from now on. Days before `first` were archived and stay as they were kept.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn begin_again(tx: &mut Tx, site: &str, first: &str, (zone, cutoff): (&str, &str)) -> Result<(), StoreError> {
    const FORGET: [&str; 7] = [
        "DELETE FROM report_orders WHERE site_id = $1 AND business_date >= $2",
        "DELETE FROM report_sales WHERE site_id = $1 AND business_date >= $2",
        "DELETE FROM report_items WHERE site_id = $1 AND business_date >= $2",
        "DELETE FROM report_hours WHERE site_id = $1 AND business_date >= $2",
        "DELETE FROM report_speed WHERE site_id = $1 AND business_date >= $2",
        "DELETE FROM report_refunds WHERE site_id = $1 AND business_date >= $2",
        "DELETE FROM report_waste WHERE site_id = $1 AND business_date >= $2",
    ];
    for words in FORGET {
        execute!(&mut *tx, words, site, first)?;
    }
    execute!(&mut *tx, MARK_ORDERS_AGAIN, site)?;
    execute!(&mut *tx, MARK_WASTE_AGAIN, site)?;
    execute!(tx, SET_BASIS, site, zone, cutoff)?;
    Ok(())
}

/// Marks of every business day but `today`, oldest first.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn marks_before(tx: &mut Tx, site: &str, today: &str, limit: i64) -> Result<Vec<MarkRow>, StoreError> {
    fetch_all!(tx, MarkRow, MARKS, site, today, limit)
}

/// Marks of one business day.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn marks_of(tx: &mut Tx, site: &str, day: &str, limit: i64) -> Result<Vec<MarkRow>, StoreError> {
    fetch_all!(tx, MarkRow, MARKS_OF_DAY, site, day, limit)
}

/// Every business day with a mark.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn marked_days(tx: &mut Tx, site: &str) -> Result<Vec<MarkedDay>, StoreError> {
    fetch_all!(tx, MarkedDay, MARKED_DAYS, site)
}

/// Takes marks away that have not changed since they were read; how many those were.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn forget_marks(tx: &mut Tx, site: &str, marks: &[MarkRow]) -> Result<u64, StoreError> {
    let mut gone = 0_u64;
    for chunk in marks.chunks(CHUNK) {
        let hit = on_connection!(&mut *tx, connection, async {
            // The list is written out: there are no words of both databases for a list as one bind.
            let head = "DELETE FROM report_changes WHERE site_id = ";
            let mut builder = sqlx::QueryBuilder::new(crate::store::statements::note(head));
            builder.push_bind(site).push(" AND (subject_id, changes) IN (VALUES ");
            for (index, mark) in chunk.iter().enumerate() {
                builder.push(if index == 0 { "(" } else { ", (" });
                builder.push_bind(mark.subject_id).push(", ").push_bind(mark.changes).push(")");
            }
            builder.push(")");
            builder.build().execute(connection).await.map(|done| done.rows_affected())
        })?;
        gone = gone.saturating_add(hit);
    }
    Ok(gone)
}

/// Puts new summaries in the place of those of the days given.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn replace(tx: &mut Tx, site: &str, days: &[String], new: &Summaries) -> Result<(), StoreError> {
    const FORGET: [&str; 7] = [
        "DELETE FROM report_orders WHERE site_id = $1 AND business_date = $2",
        "DELETE FROM report_sales WHERE site_id = $1 AND business_date = $2",
        "DELETE FROM report_items WHERE site_id = $1 AND business_date = $2",
        "DELETE FROM report_hours WHERE site_id = $1 AND business_date = $2",
        "DELETE FROM report_speed WHERE site_id = $1 AND business_date = $2",
        "DELETE FROM report_refunds WHERE site_id = $1 AND business_date = $2",
        "DELETE FROM report_waste WHERE site_id = $1 AND business_date = $2",
    ];
    for day in days {
        for words in FORGET {
            execute!(&mut *tx, words, site, day)?;
        }
    }
    insert_orders_and_sales(tx, site, new).await?;
    insert_items_and_hours(tx, site, new).await?;
    insert_speed_and_refunds(tx, site, new).await
}

async fn insert_orders_and_sales(tx: &mut Tx, site: &str, new: &Summaries) -> Result<(), StoreError> {
    for rows in new.orders.chunks(CHUNK) {
        insert_rows!(
            &mut *tx,
            "INSERT INTO report_orders (site_id, business_date, status, reason, orders) ",
            rows,
            |values, row| {
                values
                    .push_bind(site)
                    .push_bind(&row.business_date)
                    .push_bind(&row.status)
                    .push_bind(&row.reason)
                    .push_bind(row.orders);
            }
        )?;
    }
    for rows in new.sales.chunks(CHUNK) {
        insert_rows!(
            &mut *tx,
            "INSERT INTO report_sales (site_id, business_date, method, fulfilment, orders, gross, discounts, tax, \
             tax_added, delivery_fees, collected, refunds, refunded) ",
            rows,
            |values, row| {
                values
                    .push_bind(site)
                    .push_bind(&row.business_date)
                    .push_bind(&row.method)
                    .push_bind(&row.fulfilment)
                    .push_bind(row.orders)
                    .push_bind(row.gross)
                    .push_bind(row.discounts)
                    .push_bind(row.tax)
                    .push_bind(row.tax_added)
                    .push_bind(row.delivery_fees)
                    .push_bind(row.collected)
                    .push_bind(row.refunds)
                    .push_bind(row.refunded);
            }
        )?;
    }
    Ok(())
}

async fn insert_items_and_hours(tx: &mut Tx, site: &str, new: &Summaries) -> Result<(), StoreError> {
    for rows in new.items.chunks(CHUNK) {
        insert_rows!(
            &mut *tx,
            "INSERT INTO report_items (site_id, business_date, item_id, item_code, item_name, category_name, orders, \
             quantity, voided, restocked, wasted, gross, discounts, tax, revenue) ",
            rows,
            |values, row| {
                values
                    .push_bind(site)
                    .push_bind(&row.business_date)
                    .push_bind(row.item_id)
                    .push_bind(&row.item_code)
                    .push_bind(&row.item_name)
                    .push_bind(&row.category_name)
                    .push_bind(row.orders)
                    .push_bind(row.quantity)
                    .push_bind(row.voided)
                    .push_bind(row.restocked)
                    .push_bind(row.wasted)
                    .push_bind(row.gross)
                    .push_bind(row.discounts)
                    .push_bind(row.tax)
                    .push_bind(row.revenue);
            }
        )?;
    }
    for rows in new.hours.chunks(CHUNK) {
        insert_rows!(
            &mut *tx,
            "INSERT INTO report_hours (site_id, business_date, hour_of_day, placed, received, gross) ",
            rows,
            |values, row| {
                values
                    .push_bind(site)
                    .push_bind(&row.business_date)
                    .push_bind(row.hour_of_day)
                    .push_bind(row.placed)
                    .push_bind(row.received)
                    .push_bind(row.gross);
            }
        )?;
    }
    Ok(())
}

async fn insert_speed_and_refunds(tx: &mut Tx, site: &str, new: &Summaries) -> Result<(), StoreError> {
    for rows in new.speed.chunks(CHUNK) {
        insert_rows!(
            &mut *tx,
            "INSERT INTO report_speed (site_id, business_date, station_id, hours) ",
            rows,
            |values, row| {
                values
                    .push_bind(site)
                    .push_bind(&row.business_date)
                    .push_bind(row.station_id)
                    .push_bind(row.hours.as_slice());
            }
        )?;
    }
    for rows in new.refunds.chunks(CHUNK) {
        insert_rows!(
            &mut *tx,
            "INSERT INTO report_refunds (site_id, business_date, kind, stray, method, transition, reason, entries, \
             amount) ",
            rows,
            |values, row| {
                values
                    .push_bind(site)
                    .push_bind(&row.business_date)
                    .push_bind(&row.kind)
                    .push_bind(row.stray)
                    .push_bind(&row.method)
                    .push_bind(&row.transition)
                    .push_bind(&row.reason)
                    .push_bind(row.entries)
                    .push_bind(row.amount);
            }
        )?;
    }
    for rows in new.waste.chunks(CHUNK) {
        insert_rows!(
            &mut *tx,
            "INSERT INTO report_waste (site_id, business_date, source, subject_id, reason, code, name, units, \
             menu_value) ",
            rows,
            |values, row| {
                values
                    .push_bind(site)
                    .push_bind(&row.business_date)
                    .push_bind(&row.source)
                    .push_bind(row.subject_id)
                    .push_bind(&row.reason)
                    .push_bind(&row.code)
                    .push_bind(&row.name)
                    .push_bind(row.units)
                    .push_bind(row.menu_value);
            }
        )?;
    }
    Ok(())
}

/// A range of business days as they are stored, both ends included.
pub type Days<'a> = (&'a str, &'a str);

/// Kept orders by status, of the range together.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn orders(tx: &mut Tx, site: &str, (from, to): Days<'_>) -> Result<Vec<OrdersRow>, StoreError> {
    fetch_all!(tx, OrdersRow, ORDERS, site, from, to)
}

/// Kept sales, day by day.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn sales(tx: &mut Tx, site: &str, (from, to): Days<'_>) -> Result<Vec<SalesRow>, StoreError> {
    fetch_all!(tx, SalesRow, SALES, site, from, to)
}

/// Kept items, of the range together; an item that changed its name has a row for each.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn items(tx: &mut Tx, site: &str, (from, to): Days<'_>) -> Result<Vec<ItemsRow>, StoreError> {
    fetch_all!(tx, ItemsRow, ITEMS, site, from, to)
}

/// Kept volume, day by day and hour by hour.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn hours(tx: &mut Tx, site: &str, (from, to): Days<'_>) -> Result<Vec<HoursRow>, StoreError> {
    fetch_all!(tx, HoursRow, HOURS, site, from, to)
}

/// Kept durations, day by day.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn speed(tx: &mut Tx, site: &str, (from, to): Days<'_>) -> Result<Vec<SpeedRow>, StoreError> {
    fetch_all!(tx, SpeedRow, SPEED, site, from, to)
}

/// Kept refunds and stray captures, of the range together.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn refunds(tx: &mut Tx, site: &str, (from, to): Days<'_>) -> Result<Vec<RefundsRow>, StoreError> {
    fetch_all!(tx, RefundsRow, REFUNDS, site, from, to)
}

/// Kept waste, day by day. A stock item carries the code and name that it has now.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn waste(tx: &mut Tx, site: &str, (from, to): Days<'_>) -> Result<Vec<WasteRow>, StoreError> {
    fetch_all!(tx, WasteRow, WASTE, site, from, to)
}

/// Refunds that are on their way: how many, and how much.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn pending_refunds(tx: &mut Tx, site: &str) -> Result<(i64, i64), StoreError> {
    fetch_one!(tx, (i64, i64), PENDING_REFUNDS, site)
}

/// Refunds that are on their way, by reason; of no day.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn pending_groups(tx: &mut Tx, site: &str) -> Result<Vec<RefundsRow>, StoreError> {
    fetch_all!(tx, RefundsRow, PENDING_GROUPS, site)
}
