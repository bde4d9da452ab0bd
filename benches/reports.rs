//! Opening each report over a year of 1,000 orders a day on SQLite: 364 finished days that the worker has
//! kept, and today, half over, which is counted. A report is to open in under 200 ms.
//!
//! `SERVERY_BENCH_DAYS` fills fewer days.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench says what it does, and where it cannot go on")]

use criterion::{Criterion, criterion_group, criterion_main};
use servery::domain::report::parse_day;
use servery::domain::time::{Clock, Timestamp};
use servery::payment::Gateways;
use servery::service::audit::AuditList;
use servery::service::reports::{HoursReport, ItemsReport, RefundsAndWaste, SalesReport, SpeedReport, Statistics};
use servery::service::{Caller, Door, TimeOrderedIds, setup};
use servery::store::{Options, Store, StoreUrl};
use servery::worker::{self, Worker};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// The first day is 2025-01-01; its midnight in India, in seconds.
const MIDNIGHT: i64 = 1_735_669_800;
const ORDERS_A_DAY: i64 = 1_000;

/// The early afternoon of the last day.
struct Afternoon(i64);

impl Clock for Afternoon {
    fn now(&self) -> Timestamp {
        Timestamp(self.0)
    }
}

/// What a day, counted from 0, and a number of that day, from 1, make of an order.
fn numbered(first_day: i64, last_day: i64, orders: i64) -> String {
    format!(
        "WITH RECURSIVE d(day) AS (SELECT {first_day} UNION ALL SELECT day + 1 FROM d WHERE day < {last_day}), \
         s(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM s WHERE number < {orders}), \
         o AS (SELECT day, number, CAST(printf('o%05d%010d', day, number) AS BLOB) AS id, \
         strftime('%Y-%m-%d', '2025-01-01', '+' || day || ' days') AS date, \
         ({MIDNIGHT} + day * 86400 + 28800 + number * 50) * 1000000 AS at, 180 + (number * 37) % 900 AS seconds, \
         1 + number % 4 AS lines FROM d CROSS JOIN s) "
    )
}

/// Fills days with orders of one to four lines each, three stations, some discounts and voids.
async fn fill(path: &Path, first_day: i64, last_day: i64, orders: i64) {
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(false)
        .synchronous(sqlx::sqlite::SqliteSynchronous::Off);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.expect("the file");
    let source = numbered(first_day, last_day, orders);
    let statements = [
        "BEGIN IMMEDIATE".to_owned(),
        // Orders begin as received, and these are over.
        "DROP TRIGGER IF EXISTS orders_born".to_owned(),
        "INSERT OR IGNORE INTO customers (site_id, id, kind, created_at, updated_at) \
         VALUES ('main', CAST('guest-of-a-bench' AS BLOB), 'guest', 1, 1)"
            .to_owned(),
        format!(
            "INSERT INTO orders (site_id, id, order_number, business_date, sequence, pickup_number, status, reason, paid, \
             paid_at, fulfilment, method, customer_id, currency, subtotal, discount, tax, tax_inclusive, total, due, \
             price_trace, created_at, updated_at, received_at, ready_at, estimated_ready_at, ended_at) {source} \
             SELECT 'main', id, 'ORD-' || replace(date, '-', '') || '-' || CASE WHEN number < 1000 \
             THEN substr(CAST(number + 1000 AS TEXT), 2) ELSE CAST(number AS TEXT) END, date, number, \
             printf('%03d', number % 1000), CASE WHEN number % 50 = 0 THEN 'cancelled' ELSE 'completed' END, \
             CASE WHEN number % 50 = 0 THEN 'void' END, TRUE, at, \
             CASE number % 5 WHEN 0 THEN 'dine_in' ELSE 'pickup' END, CASE number % 3 WHEN 0 THEN 'card' WHEN 1 THEN 'upi' \
             ELSE 'cash' END, CAST('guest-of-a-bench' AS BLOB), 'INR', 10000 * lines, 500, 0, TRUE, 10000 * lines - 500, \
             10000 * lines - 500, '{{}}', at, at + seconds * 1000000, at, at + seconds * 1000000, at + 480000000, \
             at + seconds * 1000000 FROM o"
        ),
        format!(
            "INSERT INTO payment_attempts (site_id, order_id, id, method, amount, currency, status, idempotency_key, \
             actor_role, created_at, updated_at, captured_at, ended_at) {source} SELECT 'main', id, \
             CAST(printf('a%05d%010d', day, number) AS BLOB), CASE number % 3 WHEN 0 THEN 'card' WHEN 1 THEN 'upi' \
             ELSE 'cash' END, 10000 * lines - 500, 'INR', 'captured', printf('%d-%d', day, number), 'gateway', at, at, at, at \
             FROM o"
        ),
        format!(
            "INSERT INTO order_lines (site_id, order_id, id, position, item_id, item_code, item_name, category_name, \
             base_price, unit_price, quantity, line_total, discount_share, total_share, wasted) {source}, \
             l(position) AS (SELECT 1 UNION ALL SELECT position + 1 FROM l WHERE position < 4) \
             SELECT 'main', id, CAST(printf('l%04d%010d%d', day, number, position) AS BLOB), position, \
             CAST(printf('item-%011d', (number * 7 + position) % 60) AS BLOB), 'item-' || (number * 7 + position) % 60, \
             'Dish ' || (number * 7 + position) % 60, 'Food', 10000, 10000, 1, 10000, \
             CASE WHEN position = 1 THEN 500 ELSE 0 END, CASE WHEN position = 1 THEN 9500 ELSE 10000 END, \
             number % 50 = 0 FROM o CROSS JOIN l WHERE position <= lines"
        ),
        format!(
            "INSERT INTO tickets (site_id, order_id, station_id, shown_at, bumped_at) {source}, \
             t(station) AS (SELECT 1 UNION ALL SELECT station + 1 FROM t WHERE station < 3) \
             SELECT 'main', id, CAST(printf('station-%08d', station) AS BLOB), at, at + (seconds - station * 20) * 1000000 \
             FROM o CROSS JOIN t WHERE station = 1 OR (number + station) % 3 = 0"
        ),
        format!(
            "INSERT INTO refunds (site_id, order_id, id, attempt_id, method, amount, currency, transition, reason, \
             idempotency_key, actor_role, created_at, updated_at) {source} SELECT 'main', id, \
             CAST(printf('r%05d%010d', day, number) AS BLOB), CAST(printf('a%05d%010d', day, number) AS BLOB), 'card', 5000, \
             'INR', 'T24', 'reason ' || number % 7, printf('r%d-%d', day, number), 'admin', at, at FROM o WHERE number % 50 = 0"
        ),
        "UPDATE refunds SET status = 'settled', ended_at = created_at + 600000000 WHERE status = 'pending'".to_owned(),
        "COMMIT".to_owned(),
    ];
    for statement in statements {
        connection.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await.expect("rows");
    }
    connection.close().await.expect("closed");
}

async fn house(path: &Path, days: i64) -> Door {
    let store = Store::open(&StoreUrl::Sqlite(path.to_owned()), Options::default()).await.expect("the store");
    let clock = Arc::new(Afternoon((MIDNIGHT + (days - 1) * 86_400 + 15 * 3_600) * 1_000_000));
    let ids = Arc::new(TimeOrderedIds::seeded([7; 32]));
    setup::init(&store, &*clock, &*ids, &setup::InitSite::demo("main")).await.expect("the demo");
    let door = Door::new(store, "main", clock, ids);
    let began = Instant::now();
    fill(path, 0, days - 2, ORDERS_A_DAY).await;
    println!("filled {} days of {ORDERS_A_DAY} orders in {:.1?}", days - 1, began.elapsed());
    let worker = Worker::new(door.clone(), Gateways::none(), worker::Options::default());
    let held = worker.take_lease().await.expect("asked").held.expect("the lease");
    let began = Instant::now();
    let mut kept = 0;
    loop {
        let report = worker.keep_summaries_every(&held, 0).await.expect("kept");
        kept += report.summarised;
        if !report.more && report.summarised == 0 {
            break;
        }
    }
    println!("kept {kept} days in {:.1?}", began.elapsed());
    fill(path, days - 1, days - 1, ORDERS_A_DAY / 2).await;
    door
}

fn opening(bench: &mut Criterion) {
    let days: i64 = std::env::var("SERVERY_BENCH_DAYS").ok().and_then(|days| days.parse().ok()).unwrap_or(365);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let door = runtime.block_on(house(&folder.path().join("servery.db"), days));
    let from = parse_day("from", "2025-01-01").expect("a day");
    let to = from + chrono::Days::new(u64::try_from(days - 1).expect("days"));
    let sales = runtime.block_on(door.ask(&Caller::System, SalesReport { from, to })).expect("sales");
    assert_eq!(sales.whole.orders, (days - 1) * ORDERS_A_DAY + ORDERS_A_DAY / 2, "every order is there");

    let mut group = bench.benchmark_group(format!("reports {days} days"));
    group.sample_size(10);
    macro_rules! measure {
        ($name:literal, $query:expr) => {
            group.bench_function($name, |bencher| {
                bencher
                    .to_async(&runtime)
                    .iter(|| async { door.ask(&Caller::System, $query).await.expect("a report") });
            });
        };
    }
    measure!("sales", SalesReport { from, to });
    measure!("items", ItemsReport { from, to });
    measure!("hours", HoursReport { from, to });
    measure!("speed", SpeedReport { from, to });
    measure!("refunds", RefundsAndWaste { from, to });
    measure!("statistics", Statistics { from, to });
    measure!("audit page", AuditList { limit: 50, ..AuditList::default() });
    group.finish();
}

criterion_group!(benches, opening);
criterion_main!(benches);
