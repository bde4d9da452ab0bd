//! `servery bench` compares the service with SQL written by hand (`store/bare.rs`): here both place and pay
//! one order of three dishes, and must write the same number of rows into every table, so that the
//! comparison is of like with like. Doctor finds nothing wrong with either's rows.

#![expect(clippy::expect_used, reason = "a test says where it stopped")]

mod support;

use servery::service::load::{LINES, LoadSite, pay, place};
use servery::service::{SystemClock, TimeOrderedIds};
use servery::store::bare::{self, Bare};
use servery::store::{Options, Store, StoreUrl, doctor};
use sqlx::{AssertSqlSafe, Connection as _};
use std::collections::BTreeMap;

/// The rows of every table.
async fn rows(url: &str) -> BTreeMap<String, i64> {
    const SQLITE: &str = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
    const POSTGRES: &str = "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = current_schema()";
    let mut counts = BTreeMap::new();
    match StoreUrl::parse(url).expect("url") {
        StoreUrl::Sqlite(path) => {
            let mut connection = sqlx::SqliteConnection::connect(&path.display().to_string()).await.expect("file");
            let tables: Vec<String> = sqlx::query_scalar(SQLITE).fetch_all(&mut connection).await.expect("tables");
            for table in tables {
                let count = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
                counts.insert(table, sqlx::query_scalar(count).fetch_one(&mut connection).await.expect("a number"));
            }
        }
        StoreUrl::Postgres(url) => {
            let mut connection = sqlx::PgConnection::connect(&url).await.expect("server");
            let tables: Vec<String> = sqlx::query_scalar(POSTGRES).fetch_all(&mut connection).await.expect("tables");
            for table in tables {
                let count = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
                counts.insert(table, sqlx::query_scalar(count).fetch_one(&mut connection).await.expect("a number"));
            }
        }
    }
    counts
}

fn grown(before: &BTreeMap<String, i64>, after: &BTreeMap<String, i64>) -> BTreeMap<String, i64> {
    let more = after.iter().map(|(table, count)| (table.clone(), count - before[table]));
    more.filter(|(_, more)| *more != 0).collect()
}

async fn compare(url: &str) {
    let url = StoreUrl::parse(url).expect("url");
    let store = Store::open(&url, Options::default()).await.expect("store");
    let site = LoadSite::make(&store, "main").await.expect("the demo");
    site.stock_up(LINES, 1_000).await.expect("goods");
    let like = site.guest(LINES).await.expect("a cart");
    let guests = site.guests_like(&like, 3).await.expect("carts");
    let url = url.with_password();
    // The counters of the day get their rows from the first order.
    pay(&site.door, &place(&site.door, &guests[0]).await.expect("placed")).await.expect("paid");
    let before = rows(&url).await;
    let placed = place(&site.door, &guests[1]).await.expect("placed");
    pay(&site.door, &placed).await.expect("paid");
    let after = rows(&url).await;
    let by_service = grown(&before, &after);
    let mut tx = store.read().await.expect("a transaction");
    let model = bare::learn(&mut tx, "main", placed.order.id, &guests[1].key()).await.expect("learnt");
    tx.rollback().await.expect("rolled back");
    let mut bare = Bare::open(store.url(), false).await.expect("a connection");
    let ids = TimeOrderedIds::from_machine();
    let order = bare.place_pay(&model, guests[2].cart, &SystemClock, &ids).await.expect("by hand");
    assert_ne!(order, placed.order.id);
    let by_hand = grown(&after, &rows(&url).await);
    assert_eq!(by_service, by_hand);
    assert_eq!(by_service["order_lines"], 3);
    assert!(by_service["stock_movements"] == 3 && by_service["tickets"] > 0, "{by_service:?}");
    let report = doctor::examine(&store, "main").await.expect("doctor");
    let violations: Vec<_> = report.violations().collect();
    assert!(violations.is_empty(), "{violations:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_write_the_same_rows_on_sqlite() {
    let folder = tempfile::tempdir().expect("folder");
    compare(&format!("sqlite:{}", folder.path().join("servery.db").display())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_write_the_same_rows_on_postgres() {
    let database = tokio::task::spawn_blocking(support::postgres::database).await.expect("database");
    let Some(database) = database else { return };
    compare(database.url()).await;
}
