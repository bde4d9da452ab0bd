//! A recount of every report by other means than the program's: SQL and arithmetic of this test's own,
//! over the rows themselves. It knows only days that begin at 04:00 in India, where clocks never change.

use servery::domain::time::Timestamp;
use servery::service::report_views::{SpeedFigures, WasteSource};
use servery::service::reports::{
    HoursReport, ItemsReport, RefundsAndWaste, SalesReport, SpeedReport, Statistics, calendar_of,
};
use servery::service::{Caller, Door, Query, View};
use servery::store::{StoreUrl, reports_fresh};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _, SqliteConnection};
use std::collections::BTreeMap;

/// Hours in India are UTC + 5:30, and the day begins at 04:00.
const ZONE_SECONDS: i64 = 19_800;
const CUTOFF_SECONDS: i64 = 14_400;

/// The first column of a query, as text, past the program.
pub async fn texts(door: &Door, query: &str) -> Vec<String> {
    let query = AssertSqlSafe(query.to_owned());
    if let Some(path) = door.store().sqlite_path() {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).read_only(true);
        let mut connection = SqliteConnection::connect_with(&options).await.expect("a connection");
        let rows = sqlx::query(query).fetch_all(&mut connection).await.expect("rows");
        rows.iter().map(|row| row.get::<String, _>(0)).collect()
    } else {
        let StoreUrl::Postgres(url) = door.store().url() else { panic!("neither of the two") };
        let mut connection = PgConnection::connect(url).await.expect("a connection");
        let rows = sqlx::query(query).fetch_all(&mut connection).await.expect("rows");
        rows.iter().map(|row| row.get::<String, _>(0)).collect()
    }
}

/// Statements past the program, which every trigger judges.
pub async fn execute(door: &Door, statements: &str) {
    let statements = sqlx::raw_sql(AssertSqlSafe(statements.to_owned()));
    match door.store().url() {
        StoreUrl::Sqlite(path) => {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
            let mut connection = SqliteConnection::connect_with(&options).await.expect("a connection");
            connection.execute(statements).await.expect("statements");
        }
        StoreUrl::Postgres(url) => {
            let mut connection = PgConnection::connect(url).await.expect("a connection");
            connection.execute(statements).await.expect("statements");
        }
    }
}

/// Rows of words and numbers, apart by `|`.
async fn cells(door: &Door, columns: &[&str], rest: &str) -> Vec<Vec<String>> {
    let list: Vec<String> = columns.iter().map(|column| format!("COALESCE(CAST({column} AS TEXT), '')")).collect();
    let rows = texts(door, &format!("SELECT {} FROM {rest}", list.join(" || '|' || "))).await;
    rows.iter().map(|row| row.split('|').map(str::to_owned).collect()).collect()
}

fn number(cell: &str) -> i64 {
    cell.parse().unwrap_or_else(|_| panic!("{cell} is no number"))
}

fn local(at: i64) -> i64 {
    at.div_euclid(1_000_000) + ZONE_SECONDS
}

/// The business day of an instant, by arithmetic.
pub fn day_of(at: i64) -> String {
    let seconds = (local(at) - CUTOFF_SECONDS).div_euclid(86_400) * 86_400;
    Timestamp(seconds * 1_000_000).to_utc().format("%Y-%m-%d").to_string()
}

fn hour_of(at: i64) -> usize {
    usize::try_from(local(at).rem_euclid(86_400) / 3_600).expect("an hour")
}

/// The days from the first to the last order, and a week on both sides.
pub async fn span(door: &Door) -> Option<(chrono::NaiveDate, chrono::NaiveDate)> {
    let days = texts(door, "SELECT DISTINCT business_date FROM orders ORDER BY business_date").await;
    let day = |text: &String| servery::domain::report::parse_day("day", text).expect("a day");
    let week = chrono::Days::new(7);
    Some((day(days.first()?) - week, day(days.last()?) + week))
}

async fn ask<Q: Query>(door: &Door, query: Q) -> Q::Output {
    door.ask(&Caller::System, query).await.unwrap_or_else(|refused| panic!("{refused:?}"))
}

type Sums = BTreeMap<String, Vec<i64>>;

fn add(sums: &mut Sums, key: &str, parts: &[i64]) {
    let sum = sums.entry(key.to_owned()).or_insert_with(|| vec![0; parts.len()]);
    sum.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
}

/// Compares every report of the whole span with the rows.
pub async fn compare(door: &Door) {
    let Some((from, to)) = span(door).await else { return };
    compare_sales(door, from, to).await;
    compare_items(door, from, to).await;
    compare_hours(door, from, to).await;
    compare_speed(door, from, to).await;
    compare_refunds(door, from, to).await;
    compare_statistics(door, from, to).await;
}

async fn compare_sales(door: &Door, from: chrono::NaiveDate, to: chrono::NaiveDate) {
    let view = ask(door, SalesReport { from, to }).await;
    // Of an order: 1, gross, discounts, tax, tax on top, fee, collected; of a refund: 1, amount.
    let sold = cells(
        door,
        &[
            "o.business_date",
            "p.method",
            "o.fulfilment",
            "o.subtotal",
            "o.discount",
            "o.tax",
            "o.tax_inclusive",
            "o.delivery_charge",
            "p.amount",
        ],
        "payment_attempts p JOIN orders o ON o.id = p.order_id WHERE p.captured_at IS NOT NULL AND NOT p.stray",
    )
    .await;
    let back = cells(
        door,
        &["r.ended_at", "p.method", "o.fulfilment", "r.amount", "p.stray"],
        "refunds r JOIN payment_attempts p ON p.id = r.attempt_id JOIN orders o ON o.id = r.order_id WHERE r.status = 'settled'",
    )
    .await;
    let (mut days, mut methods, mut ways, mut whole) = (Sums::new(), Sums::new(), Sums::new(), vec![0; 9]);
    let mut stray = (0, 0);
    for row in &sold {
        let tax = number(&row[5]);
        let on_top = if ["1", "true"].contains(&row[6].as_str()) { 0 } else { tax };
        let parts = [1, number(&row[3]), number(&row[4]), tax, on_top, number(&row[7]), number(&row[8]), 0, 0];
        add(&mut days, &row[0], &parts);
        add(&mut methods, &row[1], &parts);
        add(&mut ways, &row[2], &parts);
        whole.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
    }
    for row in &back {
        if ["1", "true"].contains(&row[4].as_str()) {
            stray = (stray.0 + 1, stray.1 + number(&row[3]));
            continue;
        }
        let parts = [0, 0, 0, 0, 0, 0, 0, 1, number(&row[3])];
        add(&mut days, &day_of(number(&row[0])), &parts);
        add(&mut methods, &row[1], &parts);
        add(&mut ways, &row[2], &parts);
        whole.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
    }
    let shown = |figures: &servery::service::report_views::SalesFigures| {
        assert_eq!(figures.net, figures.collected - figures.refunded);
        let sum = figures.gross - figures.discounts + figures.tax_added + figures.delivery_fees - figures.voids;
        assert_eq!(figures.collected, sum, "{figures:?}");
        assert!(figures.voids >= 0, "{figures:?}");
        vec![
            figures.orders,
            figures.gross,
            figures.discounts,
            figures.tax,
            figures.tax_added,
            figures.delivery_fees,
            figures.collected,
            figures.refunds,
            figures.refunded,
        ]
    };
    let empty = vec![0; 9];
    let of_days: Sums = view
        .days
        .iter()
        .map(|day| (day.day.to_string(), shown(&day.figures)))
        .filter(|(_, sums)| *sums != empty)
        .collect();
    days.retain(|_, sums| *sums != empty);
    assert_eq!(of_days, days);
    let of_methods: Sums = view.by_method.iter().map(|row| (row.method.to_string(), shown(&row.figures))).collect();
    assert_eq!(of_methods, methods);
    let of_ways: Sums =
        view.by_fulfilment.iter().map(|row| (row.fulfilment.to_string(), shown(&row.figures))).collect();
    assert_eq!(of_ways, ways);
    assert_eq!(shown(&view.whole), whole);
    assert_eq!((view.stray_refunded.count, view.stray_refunded.amount), stray);
    let strays = cells(door, &["COUNT(*)", "SUM(amount)"], "payment_attempts WHERE stray").await;
    assert_eq!(view.stray_captured.count, number(&strays[0][0]));
    assert_eq!(view.stray_captured.amount, strays[0][1].parse().unwrap_or(0));
    let pending = cells(door, &["COUNT(*)", "SUM(amount)"], "refunds WHERE ended_at IS NULL").await;
    assert_eq!(view.pending_refunds.count, number(&pending[0][0]));
    assert_eq!(view.pending_refunds.amount, pending[0][1].parse().unwrap_or(0));
}

async fn compare_items(door: &Door, from: chrono::NaiveDate, to: chrono::NaiveDate) {
    let view = ask(door, ItemsReport { from, to }).await;
    let lines = cells(
        door,
        &[
            "l.item_code",
            "o.order_number",
            "o.paid",
            "o.status",
            "o.reason",
            "l.quantity",
            "l.voided",
            "l.restocked",
            "l.wasted",
            "l.unit_price",
            "l.total_share",
        ],
        "order_lines l JOIN orders o ON o.id = l.order_id",
    )
    .await;
    let mut sums = Sums::new();
    let mut orders: BTreeMap<String, std::collections::BTreeSet<String>> = BTreeMap::new();
    for row in &lines {
        let (quantity, mut voided) = (number(&row[5]), number(&row[6]));
        let dropped = ["cancelled", "rejected", "expired"].contains(&row[3].as_str());
        if row[4] == "void" {
            voided = quantity;
        }
        let sold = if ["1", "true"].contains(&row[2].as_str()) && !dropped { quantity - voided } else { 0 };
        // What the voided units took with them is rounded down.
        let share = number(&row[10]);
        let revenue = if sold > 0 { share - share * voided / quantity } else { 0 };
        let parts = [sold, voided, number(&row[7]), number(&row[8]), sold * number(&row[9]), revenue];
        add(&mut sums, &row[0], &parts);
        if sold > 0 {
            orders.entry(row[0].clone()).or_default().insert(row[1].clone());
        }
    }
    let shown: Sums = view
        .items
        .iter()
        .map(|item| {
            let parts = vec![item.quantity, item.voided, item.restocked, item.wasted, item.gross, item.revenue];
            (item.code.clone(), parts)
        })
        .collect();
    assert_eq!(shown, sums);
    for item in &view.items {
        let counted = orders.get(&item.code).map_or(0, std::collections::BTreeSet::len);
        assert_eq!(usize::try_from(item.orders).expect("a count"), counted, "{}", item.code);
    }
    assert!(view.items.windows(2).all(|pair| pair[0].revenue >= pair[1].revenue));
}

async fn compare_hours(door: &Door, from: chrono::NaiveDate, to: chrono::NaiveDate) {
    let view = ask(door, HoursReport { from, to }).await;
    let rows = cells(door, &["business_date", "created_at", "received_at", "paid", "subtotal"], "orders").await;
    let mut hours = vec![(0, 0, 0); 24];
    let mut map = vec![vec![0; 24]; 7];
    for row in &rows {
        let hour = hour_of(number(&row[1]));
        let day = servery::domain::report::parse_day("day", &row[0]).expect("a day");
        // 1970-01-01, day 0, was a Thursday.
        let since = day.signed_duration_since(chrono::NaiveDate::from_ymd_opt(1970, 1, 1).expect("a day")).num_days();
        let received = i64::from(!row[2].is_empty());
        let paid = ["1", "true"].contains(&row[3].as_str());
        hours[hour].0 += 1;
        hours[hour].1 += received;
        hours[hour].2 += if paid { number(&row[4]) } else { 0 };
        map[usize::try_from((since + 3).rem_euclid(7)).expect("a weekday")][hour] += received;
    }
    let shown: Vec<_> = view.hours.iter().map(|hour| (hour.placed, hour.received, hour.gross)).collect();
    assert_eq!(shown, hours);
    let shown: Vec<_> = view.weekdays.iter().map(|weekday| weekday.received.clone()).collect();
    assert_eq!(shown, map);
    let days: i64 = view.weekdays.iter().map(|weekday| weekday.days).sum();
    assert_eq!((days, view.first_hour), ((to - from).num_days() + 1, 4));
    assert_eq!(view.days.iter().map(|day| day.placed).sum::<i64>(), i64::try_from(rows.len()).expect("a count"));
}

/// The nearest rank, by sorting.
fn nearest(mut values: Vec<i64>, percent: usize) -> Option<u32> {
    values.sort_unstable();
    let rank = (percent * values.len()).div_ceil(100);
    let value = values.get(rank.checked_sub(1)?)?;
    Some(u32::try_from(*value).expect("seconds"))
}

fn speed_of(rows: &[(i64, i64, Option<i64>)]) -> SpeedFigures {
    let seconds = |from: i64, to: i64| ((to - from) / 1_000_000).max(0);
    let ready: Vec<i64> = rows.iter().map(|(received, ready, _)| seconds(*received, *ready)).collect();
    let promised: Vec<i64> =
        rows.iter().filter_map(|(received, _, estimate)| Some(seconds(*received, (*estimate)?))).collect();
    let late = rows.iter().filter(|(_, ready, estimate)| estimate.is_some_and(|estimate| *ready > estimate)).count();
    SpeedFigures {
        orders: i64::try_from(ready.len()).expect("a count"),
        median_seconds: nearest(ready.clone(), 50),
        p90_seconds: nearest(ready, 90),
        promised: i64::try_from(promised.len()).expect("a count"),
        promised_median_seconds: nearest(promised.clone(), 50),
        promised_p90_seconds: nearest(promised, 90),
        late: i64::try_from(late).expect("a count"),
    }
}

async fn compare_speed(door: &Door, from: chrono::NaiveDate, to: chrono::NaiveDate) {
    let view = ask(door, SpeedReport { from, to }).await;
    let read = |row: &Vec<String>| (number(&row[1]), number(&row[2]), row[3].parse().ok());
    let ready = cells(
        door,
        &["order_number", "received_at", "ready_at", "estimated_ready_at"],
        "orders WHERE ready_at IS NOT NULL AND received_at IS NOT NULL",
    )
    .await;
    let whole: Vec<_> = ready.iter().map(read).collect();
    assert_eq!(view.whole, speed_of(&whole));
    for hour in 0..24_u8 {
        let of_hour: Vec<_> = whole.iter().filter(|row| hour_of(row.0) == usize::from(hour)).copied().collect();
        let shown = view.hours.iter().find(|shown| shown.hour == hour).map(|shown| shown.figures);
        assert_eq!(shown.unwrap_or_default(), speed_of(&of_hour), "hour {hour}");
    }
    let bumped = cells(
        door,
        &["s.name", "o.received_at", "t.bumped_at", "o.estimated_ready_at"],
        "tickets t JOIN orders o ON o.id = t.order_id JOIN stations s ON s.id = t.station_id WHERE t.bumped_at IS NOT NULL",
    )
    .await;
    let mut stations: BTreeMap<String, Vec<_>> = BTreeMap::new();
    bumped.iter().for_each(|row| stations.entry(row[0].clone()).or_default().push(read(row)));
    assert_eq!(view.stations.len(), stations.len());
    for station in &view.stations {
        assert_eq!(station.figures, speed_of(&stations[&station.name]), "{}", station.name);
        let sum: i64 = station.hours.iter().map(|hour| hour.figures.orders).sum();
        assert_eq!(sum, station.figures.orders);
    }
}

async fn compare_refunds(door: &Door, from: chrono::NaiveDate, to: chrono::NaiveDate) {
    let view = ask(door, RefundsAndWaste { from, to }).await;
    for (status, shown) in [("settled", view.settled), ("failed", view.failed), ("pending", view.pending)] {
        let query = format!("refunds WHERE status = '{status}'");
        let rows = cells(door, &["COUNT(*)", "SUM(amount)"], &query).await;
        assert_eq!((shown.count, shown.amount), (number(&rows[0][0]), rows[0][1].parse().unwrap_or(0)), "{status}");
    }
    let rows = cells(
        door,
        &["status", "transition", "method", "COUNT(*)", "SUM(amount)"],
        "refunds GROUP BY status, transition, method",
    )
    .await;
    let wanted: Sums = rows.iter().map(|row| (row[..3].join(" "), vec![number(&row[3]), number(&row[4])])).collect();
    let mut shown = Sums::new();
    for group in &view.refunds {
        let key = format!("{} {} {}", group.status, group.transition, group.method);
        add(&mut shown, &key, &[group.count, group.amount]);
    }
    assert_eq!(shown, wanted);
    let food = cells(door, &["SUM(wasted)", "SUM(wasted * unit_price)"], "order_lines").await;
    assert_eq!(view.wasted_units, food[0][0].parse().unwrap_or(0));
    assert_eq!(view.wasted_value, food[0][1].parse().unwrap_or(0));
    let stock = cells(door, &["-SUM(quantity)"], "stock_movements WHERE kind = 'waste' AND order_id IS NULL").await;
    let by_hand: i64 = view.waste.iter().filter(|row| row.source == WasteSource::Stock).map(|row| row.units).sum();
    assert_eq!(by_hand, stock[0][0].parse().unwrap_or(0));
}

async fn compare_statistics(door: &Door, from: chrono::NaiveDate, to: chrono::NaiveDate) {
    let view = ask(door, Statistics { from, to }).await;
    let rows = cells(door, &["status", "reason", "COUNT(*)"], "orders GROUP BY status, reason").await;
    let wanted: Sums = rows.iter().map(|row| (row[..2].join(" "), vec![number(&row[2])])).collect();
    let shown: Sums = view
        .by_status
        .iter()
        .map(|row| {
            let reason = row.reason.map_or_else(String::new, |reason| reason.to_string());
            (format!("{} {reason}", row.status), vec![row.orders])
        })
        .collect();
    assert_eq!(shown, wanted);
    assert_eq!(view.by_word.iter().map(|row| row.orders).sum::<i64>(), view.orders);
    let paid = view.sales.orders;
    let average = (paid > 0).then(|| (2 * view.sales.collected + paid) / (2 * paid));
    assert_eq!(view.average_order, average);
}

/// The days of the span that reports take from their summaries, and those that they count.
pub struct Split;

impl Query for Split {
    type Output = (Vec<String>, Vec<String>);
    const PERMISSION: servery::domain::access::Permission = servery::domain::access::Permission::ReportsRead;

    async fn run(&self, view: &mut View<'_>) -> Result<Self::Output, servery::domain::error::Refused> {
        let calendar = calendar_of(&view.site);
        let today = calendar.day_of(view.now);
        let range = servery::domain::report::DayRange { from: today - chrono::Days::new(400), to: today };
        let split = reports_fresh::split(view.tx, &view.site.id, &calendar, range).await?;
        let days = |ranges: &[servery::domain::report::DayRange]| {
            ranges.iter().flat_map(|range| range.days()).map(|day| day.to_string()).collect()
        };
        Ok((days(&split.kept), days(&split.changed)))
    }
}

/// Keeps some of what changed, once; all of it when `all`.
pub async fn keep(worker: &servery::worker::Worker, all: bool) {
    let held = worker.take_lease().await.expect("asked").held.expect("the lease");
    loop {
        let report = worker.keep_summaries_every(&held, 0).await.expect("kept");
        if !all || (!report.more && report.summarised == 0) {
            return;
        }
    }
}
