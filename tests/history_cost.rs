//! What a house has sold in the past costs today's orders nothing: on a store with many past orders every
//! statement of place, pay, bump, the boards, the list of orders, the feed and the worker's timers goes along
//! an index to the few rows that it is about.
//!
//! SQLite: the plan of every statement that really ran. Postgres: how many rows of the large tables were
//! read, by the server's own count.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests, which clippy does not know as tests")]

#[expect(dead_code, reason = "shared with the worker's tests, which use all of it")]
#[path = "worker/house.rs"]
mod house;
mod support;

use house::House;
use servery::domain::ids::OrderId;
use servery::domain::money::Money;
use servery::domain::payment::Method;
use servery::service::kitchen::{AllDay, ShowBoard, ShowKitchen};
use servery::service::order_queries::ListOrders;
use servery::service::orders::{Bump, HandOver};
use servery::service::payments::{ApplyCharge, ChargeResult};
use servery::service::views::Placed;
use servery::service::{Caller, UseCase};
use servery::store::{Feed, FeedEvent};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// The tables that grow with every order.
const LARGE: &[&str] = GROWING.split_at(13).0;
/// With those that grow slower, behind them.
const GROWING: [&str; 19] = [
    "orders",
    "order_lines",
    "order_history",
    "reservations",
    "payment_attempts",
    "tickets",
    "ticket_items",
    "stock_movements",
    "carts",
    "cart_lines",
    "outbox",
    "audit_log",
    "idempotency_keys",
    "refunds",
    "notifications",
    "till_shifts",
    "drawer_movements",
    "webhook_events",
    "report_changes",
];
/// Indexes that hold only what is open now, whatever the past.
const OF_TODAY: [&str; 9] = [
    "orders_in_kitchen",
    "orders_pending",
    "tickets_open",
    "payment_attempts_open",
    "payment_attempts_check",
    "payment_attempts_given_up",
    "refunds_pending",
    "outbox_open",
    "till_shifts_open_since",
];

/// The texts of the statements that ran, by sqlx's own word.
#[derive(Clone, Default)]
struct Ran(Arc<Mutex<BTreeSet<String>>>);

impl Ran {
    fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S: tracing::Subscriber> Layer<S> for Ran {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        struct Text(String, String);
        impl tracing::field::Visit for Text {
            fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
                match field.name() {
                    "summary" => self.0 = value.to_owned(),
                    "db.statement" => self.1 = value.trim().to_owned(),
                    _ => {}
                }
            }
            fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn std::fmt::Debug) {}
        }
        if event.metadata().target() != "sqlx::query" {
            return;
        }
        let mut text = Text(String::new(), String::new());
        event.record(&mut text);
        let text = if text.1.is_empty() { text.0 } else { text.1 };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(text);
    }
}

async fn sqlite(house: &House) -> SqliteConnection {
    SqliteConnection::connect(&house.url).await.expect("the file")
}

async fn columns(house: &House, table: &str) -> Vec<String> {
    if house.postgres {
        let names = "SELECT CAST(attname AS TEXT) FROM pg_attribute WHERE attrelid = CAST($1 AS REGCLASS) AND attnum > 0 \
             AND NOT attisdropped AND attgenerated = '' ORDER BY attnum";
        let mut connection = PgConnection::connect(&house.url).await.expect("the server");
        sqlx::query_scalar(names).bind(table).fetch_all(&mut connection).await.expect("columns")
    } else {
        let names = "SELECT name FROM pragma_table_info($1) ORDER BY cid";
        sqlx::query_scalar(names).bind(table).fetch_all(&mut sqlite(house).await).await.expect("columns")
    }
}

/// Writes rows as they could never come about now. No trigger of Postgres judges what is written past the
/// store; those of SQLite are put back afterwards.
async fn past_the_triggers(house: &House, statements: &str) {
    if house.postgres {
        return house.raw(statements).await;
    }
    let triggers = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'";
    let triggers: Vec<(String, String)> =
        sqlx::query_as(triggers).fetch_all(&mut sqlite(house).await).await.expect("triggers");
    let dropped: String = triggers.iter().map(|(name, _)| format!("DROP TRIGGER {name};")).collect();
    let made: String = triggers.iter().map(|(_, text)| format!("{text};")).collect();
    house.raw(&format!("BEGIN; {dropped} {statements} {made} COMMIT;")).await;
}

async fn plan_of(house: &House, statement: &str) -> Vec<String> {
    let explained = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
    let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(explained)
        .fetch_all(&mut sqlite(house).await)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
    plan.into_iter().map(|(.., step)| step).collect()
}

/// A table, which of its rows are copied, and the columns that become different ones.
type Copies<'a> = (&'a str, String, Vec<(&'a str, String)>);

/// Copies what the model order wrote, `many` times, each a minute before the other, as SQL would never be
/// let to do: no trigger judges it.
async fn multiply(house: &House, model: OrderId, many: i64) {
    let order = house.uuid(model.0);
    let numbers =
        format!("WITH RECURSIVE g (n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM g WHERE n < {many}) ");
    // An id made of a number.
    let id = |number: &str| {
        if house.postgres {
            format!("CAST(LPAD(TO_HEX({number}), 32, '0') AS UUID)")
        } else {
            format!("unhex(printf('%032x', {number}))")
        }
    };
    let day = if house.postgres {
        "TO_CHAR(DATE '2020-01-01' + CAST(n / 500 AS INTEGER), 'YYYY-MM-DD')".to_owned()
    } else {
        "date('2020-01-01', '+' || (n / 500) || ' day')".to_owned()
    };
    let (past, line, attempt) = (id("n"), id("n + 1000000000"), id("n + 2000000000"));
    let sequence = "n % 500 + 1".to_owned();
    let number = format!("'ORD-' || REPLACE({day}, '-', '') || '-' || SUBSTR(CAST(n % 500 + 1001 AS TEXT), 2)");
    let of_order = format!("order_id = {order}");
    let copies: [Copies; 12] = [
        (
            "orders",
            format!("id = {order}"),
            vec![("id", past.clone()), ("order_number", number), ("business_date", day), ("sequence", sequence)],
        ),
        ("order_lines", of_order.clone(), vec![("order_id", past.clone()), ("id", line.clone())]),
        ("order_history", of_order.clone(), vec![("order_id", past.clone())]),
        ("reservations", of_order.clone(), vec![("order_id", past.clone())]),
        (
            "payment_attempts",
            of_order.clone(),
            vec![
                ("order_id", past.clone()),
                ("id", attempt.clone()),
                ("idempotency_key", "'past-' || n".to_owned()),
                ("gateway_payment_id", "'past-' || n".to_owned()),
                ("gateway_order_id", "'past-' || n".to_owned()),
            ],
        ),
        ("tickets", of_order.clone(), vec![("order_id", past.clone())]),
        ("ticket_items", of_order.clone(), vec![("order_id", past.clone()), ("line_id", line)]),
        ("stock_movements", of_order.clone(), vec![("order_id", past.clone()), ("seq", "n + 1000000".to_owned())]),
        ("carts", of_order.clone(), vec![("order_id", past.clone()), ("id", past.clone())]),
        ("cart_lines", "TRUE".to_owned(), vec![("cart_id", past.clone()), ("id", past.clone())]),
        ("outbox", of_order, vec![("order_id", past), ("sent_at", "created_at".to_owned()), ("seq", String::new())]),
        (
            "audit_log",
            format!("entity_id = '{model}'"),
            vec![("entity_id", "'past-' || n".to_owned()), ("seq", String::new())],
        ),
    ];
    let mut all = String::new();
    for (table, which, changed) in copies {
        let changed: BTreeMap<&str, String> = changed.into_iter().collect();
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for column in columns(house, table).await {
            let value = match changed.get(column.as_str()) {
                Some(value) if value.is_empty() => continue,
                Some(value) => value.clone(),
                None if column == "at" || column.ends_with("_at") => format!("{column} - (n + 10) * 60000000"),
                None => column.clone(),
            };
            names.push(column);
            values.push(value);
        }
        all.push_str(&format!(
            "INSERT INTO {table} ({}) {numbers} SELECT {} FROM {table} CROSS JOIN g WHERE site_id = 'main' AND {which};\n",
            names.join(", "),
            values.join(", ")
        ));
    }
    let (hash, now) = if house.postgres { ("DECODE(REPEAT('00', 32), 'hex')", 1) } else { ("zeroblob(32)", 1) };
    all.push_str(&format!(
        "INSERT INTO idempotency_keys (site_id, key, use_case, request_hash, outcome, created_at) {numbers} \
         SELECT 'main', 'past-' || n, 'place_order', {hash}, '{{}}', {now} FROM g;\n"
    ));
    past_the_triggers(house, &all).await;
}

fn captured(placed: &Placed) -> ApplyCharge {
    let attempt = placed.attempt.as_ref().expect("an attempt");
    ApplyCharge {
        order: placed.order.id,
        attempt: Some(attempt.id),
        gateway: "stripe-dummy".to_owned(),
        result: ChargeResult::Captured {
            gateway_order_id: Some(format!("gw_{}", attempt.id)),
            gateway_payment_id: format!("pay_{}", attempt.id),
            amount: Money(placed.order.due.0),
            currency: placed.order.currency.code().to_owned(),
            brand: Some("visa".to_owned()),
            last_four: Some("4242".to_owned()),
            response: None,
        },
    }
}

async fn cook<U: UseCase>(house: &House, command: U) -> U::Output {
    house.cook(command).await
}

/// An order from the cart to the counter.
async fn sell(house: &House) -> OrderId {
    let placed = house.place(Method::Card, true).await;
    let (gateway, order) = (Caller::Gateway("stripe-dummy"), placed.order.id);
    house.door.execute(&gateway, Some(&format!("paid-{order}")), captured(&placed)).await.expect("paid");
    for _ in 0..2 {
        let seen_version = house.order(order).await.version;
        cook(house, Bump { order, station: None, seen_version }).await;
    }
    cook(house, HandOver { order }).await;
    order
}

/// Everything of which the cost must not grow.
async fn a_day(house: &House) {
    let mut feed = Feed::open(house.door.store(), "main");
    assert_eq!(feed.changed().await, FeedEvent::Changed);
    sell(house).await;
    let unpaid = house.place(Method::Cash, false).await;
    assert_eq!(feed.changed().await, FeedEvent::Changed);
    let kitchen = Caller::Terminal(house.kitchen);
    let board = house.door.ask(&kitchen, ShowKitchen).await.expect("the kitchen's board");
    assert!(board.tickets.iter().any(|ticket| ticket.order == unpaid.order.id) && board.tickets.len() < 10);
    house.door.ask(&kitchen, AllDay::default()).await.expect("all day");
    house.door.ask(&Caller::System, ShowBoard).await.expect("the board");
    let (worker, held) = house.leading().await;
    worker.run_timers(&held).await.expect("timers");
    worker.resolve_attempts(&held).await.expect("attempts");
    worker.recheck_given_up(&held).await.expect("attempts that were given up");
    worker.settle_refunds(&held).await.expect("refunds");
    worker.deliver_events(&held).await.expect("events");
    assert!(worker.renew(&held).await.expect("renewed"));
    worker.give_back(&held).await.expect("given back");
}

/// The first page of the list, which goes backwards along the index of the instants and stops.
async fn first_page(house: &House) {
    let list = ListOrders { limit: 20, ..ListOrders::default() };
    let page = house.door.ask(&Caller::System, list).await.expect("the list");
    assert_eq!(page.items.len(), 20);
}

fn many() -> i64 {
    if std::env::var_os("SERVERY_TEST_LONG").is_some() { 200_000 } else { 20_000 }
}

/// The table that a statement calls by this name.
fn table_called<'a>(statement: &'a str, name: &'a str) -> &'a str {
    let words: Vec<&str> = statement.split([' ', '(', ')', ',']).filter(|word| !word.is_empty()).collect();
    let named = words.windows(3).find_map(|three| match three {
        ["FROM" | "JOIN", table, alias] if *alias == name => Some(*table),
        _ => None,
    });
    named.unwrap_or(name)
}

/// What is wrong with the plan of a statement; nothing if it goes to the rows that it is about: a table that
/// grows is not read from end to end, nor an index of it that is only asked for the site.
fn wrong<'a>(statement: &str, plan: &'a [String]) -> Vec<&'a String> {
    let is_wrong = |step: &&String| {
        let mut words = step.split(' ');
        let how = words.next().unwrap_or_default();
        let table = table_called(statement, words.next().unwrap_or_default());
        let all = how == "SCAN" || (how == "SEARCH" && step.contains("(site_id=?)"));
        all && GROWING.contains(&table) && !words.any(|word| OF_TODAY.contains(&word))
    };
    plan.iter().filter(is_wrong).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_past_costs_nothing_on_sqlite() {
    let ran = Ran::default();
    let subscriber = tracing_subscriber::registry().with(ran.clone());
    tracing::subscriber::set_global_default(subscriber).expect("the only subscriber of this test's process");
    let mut house = House::demo(false).await.expect("SQLite is always there");
    let model = sell(&house).await;
    multiply(&house, model, many()).await;
    let mut all_bad = Vec::new();
    for analyzed in [false, true] {
        if analyzed {
            house.raw("ANALYZE").await;
        }
        // Another process, which plans anew.
        house.door = house.other_door().await;
        ran.take();
        a_day(&house).await;
        let texts = ran.take();
        assert!(texts.len() > 60, "the statements are heard: {texts:#?}");
        let mut bad = Vec::new();
        for text in texts {
            let verb = text.split_whitespace().next().unwrap_or_default();
            if matches!(verb, "BEGIN" | "COMMIT" | "ROLLBACK" | "PRAGMA") || text.contains("_sqlx_migrations") {
                continue;
            }
            let plan = plan_of(&house, &text).await;
            if !wrong(&text, &plan).is_empty() {
                bad.push((text, plan));
            }
        }
        all_bad.push((analyzed, bad));
        first_page(&house).await;
        let page = ran
            .take()
            .into_iter()
            .find(|text| text.contains("ORDER BY created_at DESC, id DESC LIMIT"))
            .expect("the page");
        let plan = plan_of(&house, &page).await;
        assert!(plan.iter().any(|step| step.contains("orders USING INDEX orders_page")), "{plan:?}");
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{plan:?}");
    }
    assert!(all_bad.iter().all(|(_, bad)| bad.is_empty()), "{all_bad:#?}");
}

/// How many rows of each large table the server has read so far.
async fn rows_read(house: &House) -> BTreeMap<&'static str, i64> {
    let mut rows = BTreeMap::new();
    for &table in LARGE {
        let count = format!(
            "SELECT CAST(COALESCE(seq_tup_read, 0) + COALESCE(idx_tup_fetch, 0) AS BIGINT) \
             FROM pg_stat_user_tables WHERE relname = '{table}'"
        );
        rows.insert(table, house.number(&count).await);
    }
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_past_costs_nothing_on_postgres() {
    let Some(mut house) = House::demo(true).await else { return };
    let model = sell(&house).await;
    multiply(&house, model, many()).await;
    house.raw("ANALYZE").await;
    house.door.store().close().await;
    let before = rows_read(&house).await;
    house.door = house.other_door().await;
    a_day(&house).await;
    // The counts of a connection come with its end.
    house.door.store().close().await;
    let after = rows_read(&house).await;
    assert!(after["orders"] > before["orders"], "the server counts");
    let costly: Vec<_> =
        LARGE.iter().map(|table| (table, after[*table] - before[*table])).filter(|(_, rows)| *rows > 1_000).collect();
    assert!(costly.is_empty(), "rows read: {costly:?}");
}
