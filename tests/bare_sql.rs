//! The bench compares the service with SQL written by hand (`benches/bare.rs`): here both place and pay
//! one order of three dishes, and must write the same number of rows into every table, so that the
//! comparison is of like with like. Doctor finds nothing wrong with either's rows.

#![expect(clippy::expect_used, reason = "a test says where it stopped")]

#[path = "../benches/bare.rs"]
mod bare;
#[path = "../benches/house.rs"]
mod house;
mod support;

use bare::Bare;
use house::House;
use servery::store::{StoreUrl, doctor};
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
    let house = House::open(url).await;
    let (first, second, third) = (house.basket().await, house.basket().await, house.basket().await);
    // The counters of the day get their rows from the first order.
    let _ = house.place_pay(first).await;
    let before = rows(url).await;
    let (order, key) = house.place_pay(second).await;
    let after = rows(url).await;
    let by_service = grown(&before, &after);
    let mut bare = Bare::learn(url, order, &key).await;
    bare.place_pay(third.cart).await;
    let by_hand = grown(&after, &rows(url).await);
    assert_eq!(by_service, by_hand);
    assert_eq!(by_service["order_lines"], 3);
    assert!(bare.statements() > 0);
    assert!(by_service["stock_movements"] == 3 && by_service["tickets"] > 0, "{by_service:?}");
    let report = doctor::examine(house.door.store(), "main").await.expect("doctor");
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
