//! What business days come to, counted from the rows of orders, payments and stock themselves: for the
//! worker, which keeps it, and for days that have changed since. By which rule something counts stands in
//! `domain::report`; the kept rows stand in `reports.rs`.

use super::reports::{HoursRow, ItemsRow, OrdersRow, RefundsRow, SalesRow, SpeedRow, Summaries, WasteRow};
use super::{StoreError, Tx};
use crate::domain::error::Refused;
use crate::domain::order::{EndReason, Status};
use crate::domain::report::{Calendar, DayRange, SoldLine, day_text, item_sums};
use crate::domain::report_durations::{HourDurations, pack};
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;
use uuid::Uuid;

// CROSS JOIN: SQLite then takes the tables in the order in which they stand, the small one first.
const ORDERS: &str = "SELECT business_date, status, COALESCE(reason, '') AS reason, CAST(COUNT(*) AS BIGINT) AS orders \
     FROM orders WHERE site_id = $1 AND business_date BETWEEN $2 AND $3 AND NOT training \
     GROUP BY business_date, status, COALESCE(reason, '')";
const SALES: &str = "SELECT o.business_date, a.method, o.fulfilment, CAST(COUNT(*) AS BIGINT) AS orders, \
     CAST(SUM(o.subtotal) AS BIGINT) AS gross, CAST(SUM(o.discount) AS BIGINT) AS discounts, \
     CAST(SUM(o.tax) AS BIGINT) AS tax, \
     CAST(SUM(CASE WHEN o.tax_inclusive THEN 0 ELSE o.tax END) AS BIGINT) AS tax_added, \
     CAST(SUM(o.delivery_charge) AS BIGINT) AS delivery_fees, CAST(SUM(a.amount) AS BIGINT) AS collected, \
     CAST(0 AS BIGINT) AS refunds, CAST(0 AS BIGINT) AS refunded FROM orders o CROSS JOIN payment_attempts a \
     WHERE o.site_id = $1 AND o.business_date BETWEEN $2 AND $3 AND NOT o.training AND o.paid \
     AND a.site_id = $1 AND a.order_id = o.id AND a.status = 'captured' AND NOT a.stray \
     GROUP BY o.business_date, a.method, o.fulfilment";
const ENDED_REFUNDS: &str = "SELECT r.ended_at AS at, r.status, r.method, a.method AS attempt_method, o.fulfilment, a.stray, \
     r.transition, COALESCE(r.reason, '') AS reason, r.amount FROM refunds r CROSS JOIN payment_attempts a \
     CROSS JOIN orders o WHERE r.site_id = $1 AND r.ended_at IS NOT NULL AND r.ended_at >= $2 AND r.ended_at < $3 \
     AND a.site_id = $1 AND a.order_id = r.order_id AND a.id = r.attempt_id \
     AND o.site_id = $1 AND o.id = r.order_id AND NOT o.training";
const STRAYS: &str = "SELECT a.captured_at AS at, a.method, a.amount FROM payment_attempts a CROSS JOIN orders o \
     WHERE a.site_id = $1 AND a.stray AND a.captured_at >= $2 AND a.captured_at < $3 \
     AND o.site_id = $1 AND o.id = a.order_id AND NOT o.training";
const LINES: &str = "SELECT o.business_date, o.id AS order_id, o.paid, o.status, o.reason, l.item_id, l.item_code, l.item_name, \
     l.category_name, l.quantity, l.voided, l.restocked, l.wasted, l.unit_price, l.discount_share, l.tax_share, \
     l.total_share FROM orders o CROSS JOIN order_lines l WHERE o.site_id = $1 AND o.business_date BETWEEN $2 AND $3 \
     AND NOT o.training AND l.site_id = $1 AND l.order_id = o.id ORDER BY o.business_date, o.sequence, l.position";
const VOLUME: &str = "SELECT business_date, created_at, received_at, CASE WHEN paid THEN subtotal ELSE 0 END AS gross \
     FROM orders WHERE site_id = $1 AND business_date BETWEEN $2 AND $3 AND NOT training";
const READY: &str = "SELECT business_date, received_at, ready_at, estimated_ready_at FROM orders \
     WHERE site_id = $1 AND business_date BETWEEN $2 AND $3 AND NOT training \
     AND received_at IS NOT NULL AND ready_at IS NOT NULL";
const BUMPED: &str = "SELECT o.business_date, t.station_id, o.received_at, t.bumped_at AS ready_at, o.estimated_ready_at \
     FROM orders o CROSS JOIN tickets t WHERE o.site_id = $1 AND o.business_date BETWEEN $2 AND $3 AND NOT o.training \
     AND o.received_at IS NOT NULL AND t.site_id = $1 AND t.order_id = o.id AND t.bumped_at IS NOT NULL";
// Why food was thrown away: what was said with the newest step that gave something back, else why the order ended.
const ORDER_WASTE: &str = "SELECT o.business_date, l.item_id AS subject_id, l.item_code AS code, l.item_name AS name, \
     COALESCE((SELECT h.reason FROM order_history h WHERE h.site_id = $1 AND h.order_id = o.id AND h.reason IS NOT NULL \
     AND h.transition IN ('T24', 'T24b', 'T25', 'T27') ORDER BY h.version DESC LIMIT 1), o.reason_text, o.reason, '') AS reason, \
     l.wasted AS units, l.unit_price * l.wasted AS menu_value FROM orders o CROSS JOIN order_lines l \
     WHERE o.site_id = $1 AND o.business_date BETWEEN $2 AND $3 AND NOT o.training \
     AND l.site_id = $1 AND l.order_id = o.id AND l.wasted > 0 ORDER BY o.business_date, o.sequence, l.position";
const STOCK_WASTE: &str = "SELECT m.at, m.stock_item_id AS subject_id, s.code, s.name, COALESCE(m.reason, '') AS reason, \
     -m.quantity AS units FROM stock_movements m CROSS JOIN stock_items s WHERE m.site_id = $1 AND m.kind = 'waste' \
     AND m.order_id IS NULL AND m.at >= $2 AND m.at < $3 AND s.site_id = $1 AND s.id = m.stock_item_id";

#[derive(Debug, sqlx::FromRow)]
struct EndedRefund {
    at: i64,
    status: String,
    method: String,
    attempt_method: String,
    fulfilment: String,
    stray: bool,
    transition: String,
    reason: String,
    amount: i64,
}

#[derive(Debug, sqlx::FromRow)]
struct Stray {
    at: i64,
    method: String,
    amount: i64,
}

#[derive(Debug, sqlx::FromRow)]
struct Line {
    business_date: String,
    order_id: Uuid,
    paid: bool,
    status: String,
    reason: Option<String>,
    item_id: Uuid,
    item_code: String,
    item_name: String,
    category_name: String,
    quantity: i64,
    voided: i64,
    restocked: i64,
    wasted: i64,
    unit_price: i64,
    discount_share: i64,
    tax_share: i64,
    total_share: i64,
}

#[derive(Debug, sqlx::FromRow)]
struct Volume {
    business_date: String,
    created_at: i64,
    received_at: Option<i64>,
    gross: i64,
}

#[derive(Debug, sqlx::FromRow)]
struct Ready {
    business_date: String,
    received_at: i64,
    ready_at: i64,
    estimated_ready_at: Option<i64>,
}

#[derive(Debug, sqlx::FromRow)]
struct Bumped {
    business_date: String,
    station_id: Uuid,
    received_at: i64,
    ready_at: i64,
    estimated_ready_at: Option<i64>,
}

#[derive(Debug, sqlx::FromRow)]
struct OrderWaste {
    business_date: String,
    subject_id: Uuid,
    code: String,
    name: String,
    reason: String,
    units: i64,
    menu_value: i64,
}

#[derive(Debug, sqlx::FromRow)]
struct StockWaste {
    at: i64,
    subject_id: Uuid,
    code: String,
    name: String,
    reason: String,
    units: i64,
}

/// Counts the days of one site.
pub struct Counting<'a> {
    /// The transaction.
    pub tx: &'a mut Tx,
    /// The site.
    pub site: &'a str,
    /// How its days are cut.
    pub calendar: Calendar,
}

impl Counting<'_> {
    /// Everything that the days of a range come to.
    ///
    /// # Errors
    /// Any [`StoreError`] of the statements; [`StoreError::Fault`] for a damaged row.
    pub async fn everything(&mut self, range: DayRange) -> Result<Summaries, StoreError> {
        Ok(Summaries {
            orders: self.orders(range).await?,
            sales: self.sales(range).await?,
            items: self.items(range).await?,
            hours: self.hours(range).await?,
            speed: self.speed(range).await?,
            refunds: self.refunds(range).await?,
            waste: self.waste(range).await?,
        })
    }

    /// The day of an instant, if it is one of the range.
    fn day_within(&self, at: i64, range: DayRange) -> Option<String> {
        let day = self.calendar.day_of(Timestamp(at));
        range.contains(day).then(|| day_text(day))
    }

    /// Orders by status.
    ///
    /// # Errors
    /// Any [`StoreError`] of the statement.
    pub async fn orders(&mut self, range: DayRange) -> Result<Vec<OrdersRow>, StoreError> {
        fetch_all!(&mut *self.tx, OrdersRow, ORDERS, self.site, day_text(range.from), day_text(range.to))
    }

    async fn ended_refunds(&mut self, range: DayRange) -> Result<Vec<EndedRefund>, StoreError> {
        let (from, until) = self.calendar.bounds(range);
        fetch_all!(&mut *self.tx, EndedRefund, ENDED_REFUNDS, self.site, from.0, until.0)
    }

    /// Sales, and the refunds that settled.
    ///
    /// # Errors
    /// Any [`StoreError`] of the statements.
    pub async fn sales(&mut self, range: DayRange) -> Result<Vec<SalesRow>, StoreError> {
        let sales = fetch_all!(&mut *self.tx, SalesRow, SALES, self.site, day_text(range.from), day_text(range.to))?;
        let key = |row: &SalesRow| (row.business_date.clone(), row.method.clone(), row.fulfilment.clone());
        let mut rows: BTreeMap<_, _> = sales.into_iter().map(|row| (key(&row), row)).collect();
        for refund in self.ended_refunds(range).await? {
            let Some(day) = self.day_within(refund.at, range) else { continue };
            if refund.stray || refund.status != "settled" {
                continue;
            }
            let row = SalesRow {
                business_date: day,
                method: refund.attempt_method,
                fulfilment: refund.fulfilment,
                orders: 0,
                gross: 0,
                discounts: 0,
                tax: 0,
                tax_added: 0,
                delivery_fees: 0,
                collected: 0,
                refunds: 0,
                refunded: 0,
            };
            let row = rows.entry(key(&row)).or_insert(row);
            row.refunds = row.refunds.saturating_add(1);
            row.refunded = row.refunded.saturating_add(refund.amount);
        }
        Ok(rows.into_values().collect())
    }

    /// Items, with the name under which each was last ordered on a day.
    ///
    /// # Errors
    /// As [`Counting::everything`].
    pub async fn items(&mut self, range: DayRange) -> Result<Vec<ItemsRow>, StoreError> {
        let lines = fetch_all!(&mut *self.tx, Line, LINES, self.site, day_text(range.from), day_text(range.to))?;
        // With the last order counted, so that two lines of one order are one.
        let mut rows: BTreeMap<(String, Uuid), (ItemsRow, Option<Uuid>)> = BTreeMap::new();
        for line in lines {
            let sums = item_sums(&sold(&line)?).map_err(damaged)?;
            let (row, last) = rows.entry((line.business_date.clone(), line.item_id)).or_insert_with(|| {
                (
                    ItemsRow {
                        business_date: line.business_date,
                        item_id: line.item_id,
                        item_code: String::new(),
                        item_name: String::new(),
                        category_name: String::new(),
                        orders: 0,
                        quantity: 0,
                        voided: 0,
                        restocked: 0,
                        wasted: 0,
                        gross: 0,
                        discounts: 0,
                        tax: 0,
                        revenue: 0,
                    },
                    None,
                )
            });
            (row.item_code, row.item_name, row.category_name) = (line.item_code, line.item_name, line.category_name);
            if sums.quantity > 0 && last.replace(line.order_id) != Some(line.order_id) {
                row.orders = row.orders.saturating_add(1);
            }
            let pairs = [
                (&mut row.quantity, sums.quantity),
                (&mut row.voided, sums.voided),
                (&mut row.restocked, line.restocked),
                (&mut row.wasted, line.wasted),
                (&mut row.gross, sums.gross),
                (&mut row.discounts, sums.discounts),
                (&mut row.tax, sums.tax),
                (&mut row.revenue, sums.revenue),
            ];
            for (sum, part) in pairs {
                *sum = sum.saturating_add(part);
            }
        }
        Ok(rows.into_values().map(|(row, _)| row).collect())
    }

    /// Volume by the hour of Place.
    ///
    /// # Errors
    /// Any [`StoreError`] of the statement.
    pub async fn hours(&mut self, range: DayRange) -> Result<Vec<HoursRow>, StoreError> {
        let orders = fetch_all!(&mut *self.tx, Volume, VOLUME, self.site, day_text(range.from), day_text(range.to))?;
        let mut rows: BTreeMap<(String, i64), HoursRow> = BTreeMap::new();
        for order in orders {
            let hour_of_day = i64::from(self.calendar.hour_of(Timestamp(order.created_at)));
            let row = rows.entry((order.business_date.clone(), hour_of_day)).or_insert_with(|| HoursRow {
                business_date: order.business_date,
                hour_of_day,
                placed: 0,
                received: 0,
                gross: 0,
            });
            row.placed = row.placed.saturating_add(1);
            row.received = row.received.saturating_add(i64::from(order.received_at.is_some()));
            row.gross = row.gross.saturating_add(order.gross);
        }
        Ok(rows.into_values().collect())
    }

    /// Durations by the hour of receipt: of orders that are ready, and of tickets that are bumped.
    ///
    /// # Errors
    /// As [`Counting::everything`].
    pub async fn speed(&mut self, range: DayRange) -> Result<Vec<SpeedRow>, StoreError> {
        let (from, to) = (day_text(range.from), day_text(range.to));
        let ready = fetch_all!(&mut *self.tx, Ready, READY, self.site, &from, &to)?;
        let bumped = fetch_all!(&mut *self.tx, Bumped, BUMPED, self.site, &from, &to)?;
        let whole = ready.into_iter().map(|row| Bumped {
            business_date: row.business_date,
            station_id: Uuid::nil(),
            received_at: row.received_at,
            ready_at: row.ready_at,
            estimated_ready_at: row.estimated_ready_at,
        });
        let mut rows: BTreeMap<(String, Uuid), BTreeMap<u8, HourDurations>> = BTreeMap::new();
        for row in whole.chain(bumped) {
            let received = Timestamp(row.received_at);
            let hour = self.calendar.hour_of(received);
            let durations = rows
                .entry((row.business_date, row.station_id))
                .or_default()
                .entry(hour)
                .or_insert_with(|| HourDurations { hour, ..HourDurations::default() });
            let since = |at: i64| u32::try_from(Timestamp(at).seconds_since(received)).unwrap_or(u32::MAX);
            durations.ready.push(since(row.ready_at));
            if let Some(estimate) = row.estimated_ready_at {
                durations.promised.push(since(estimate));
                durations.late = durations.late.saturating_add(u32::from(row.ready_at > estimate));
            }
        }
        rows.into_iter()
            .map(|((business_date, station_id), hours)| {
                let mut hours: Vec<HourDurations> = hours.into_values().collect();
                Ok(SpeedRow { business_date, station_id, hours: pack(&mut hours).map_err(damaged)? })
            })
            .collect()
    }

    /// Refunds that ended and captures that belong to no sale.
    ///
    /// # Errors
    /// Any [`StoreError`] of the statements.
    pub async fn refunds(&mut self, range: DayRange) -> Result<Vec<RefundsRow>, StoreError> {
        let mut single = Vec::new();
        for refund in self.ended_refunds(range).await? {
            let Some(business_date) = self.day_within(refund.at, range) else { continue };
            single.push(RefundsRow {
                business_date,
                kind: refund.status,
                stray: refund.stray,
                method: refund.method,
                transition: refund.transition,
                reason: refund.reason,
                entries: 1,
                amount: refund.amount,
            });
        }
        let (from, until) = self.calendar.bounds(range);
        for stray in fetch_all!(&mut *self.tx, Stray, STRAYS, self.site, from.0, until.0)? {
            let Some(business_date) = self.day_within(stray.at, range) else { continue };
            single.push(RefundsRow {
                business_date,
                kind: "stray".to_owned(),
                stray: true,
                method: stray.method,
                transition: String::new(),
                reason: String::new(),
                entries: 1,
                amount: stray.amount,
            });
        }
        // Those with the same key stand together, whatever their amounts.
        single.sort();
        let mut rows: Vec<RefundsRow> = Vec::new();
        for row in single {
            match rows.last_mut() {
                Some(last) if same_refund(last, &row) => {
                    last.entries = last.entries.saturating_add(1);
                    last.amount = last.amount.saturating_add(row.amount);
                }
                _ => rows.push(row),
            }
        }
        Ok(rows)
    }

    /// Food of orders and stock that was thrown away.
    ///
    /// # Errors
    /// Any [`StoreError`] of the statements.
    pub async fn waste(&mut self, range: DayRange) -> Result<Vec<WasteRow>, StoreError> {
        let (from, to) = (day_text(range.from), day_text(range.to));
        let mut single: Vec<WasteRow> = fetch_all!(&mut *self.tx, OrderWaste, ORDER_WASTE, self.site, from, to)?
            .into_iter()
            .map(|row| WasteRow {
                business_date: row.business_date,
                source: "order".to_owned(),
                subject_id: row.subject_id,
                reason: row.reason,
                code: row.code,
                name: row.name,
                units: row.units,
                menu_value: row.menu_value,
            })
            .collect();
        let (from, until) = self.calendar.bounds(range);
        for row in fetch_all!(&mut *self.tx, StockWaste, STOCK_WASTE, self.site, from.0, until.0)? {
            let Some(business_date) = self.day_within(row.at, range) else { continue };
            single.push(WasteRow {
                business_date,
                source: "stock".to_owned(),
                subject_id: row.subject_id,
                reason: row.reason,
                code: row.code,
                name: row.name,
                units: row.units,
                menu_value: 0,
            });
        }
        let mut rows: BTreeMap<(String, String, Uuid, String), WasteRow> = BTreeMap::new();
        for row in single {
            let key = (row.business_date.clone(), row.source.clone(), row.subject_id, row.reason.clone());
            match rows.entry(key) {
                std::collections::btree_map::Entry::Vacant(place) => {
                    place.insert(row);
                }
                std::collections::btree_map::Entry::Occupied(mut place) => {
                    let sum = place.get_mut();
                    sum.units = sum.units.saturating_add(row.units);
                    sum.menu_value = sum.menu_value.saturating_add(row.menu_value);
                    // The newest name of the day.
                    (sum.code, sum.name) = (row.code, row.name);
                }
            }
        }
        Ok(rows.into_values().collect())
    }
}

fn same_refund(one: &RefundsRow, other: &RefundsRow) -> bool {
    let key = |row: &RefundsRow| {
        (
            row.business_date.clone(),
            row.kind.clone(),
            row.stray,
            row.method.clone(),
            row.transition.clone(),
            row.reason.clone(),
        )
    };
    key(one) == key(other)
}

fn sold(line: &Line) -> Result<SoldLine, StoreError> {
    let status =
        Status::parse(&line.status).ok_or_else(|| StoreError::Fault("an order has no such status".to_owned()))?;
    Ok(SoldLine {
        paid: line.paid,
        status,
        reason: line.reason.as_deref().and_then(EndReason::parse),
        quantity: line.quantity,
        voided: line.voided,
        unit_price: line.unit_price,
        discount_share: line.discount_share,
        tax_share: line.tax_share,
        total_share: line.total_share,
    })
}

fn damaged(refused: Refused) -> StoreError {
    StoreError::Fault(format!("a row cannot be counted: {}", refused.message))
}
