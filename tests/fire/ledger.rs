//! What was acknowledged, and whether the store has it: the judge of every fault, on both databases.
//!
//! An acknowledgement is what a process said right after the house had answered it. The store is read
//! past the program, and `doctor` judges the whole: stock, money, history, tickets, events.

use crate::command::open_door_by;
use crate::house::StoreClock;
use serde::{Deserialize, Serialize};
use servery::domain::ids::{AttemptId, OrderId};
use servery::domain::order::Status;
use servery::domain::time::Clock;
use servery::payment::Gateways;
use servery::payment::card::{CardGateway, CardKeys};
use servery::payment::script::Script;
use servery::payment::simulated::Provider;
use servery::payment::upi::{Approval, UpiGateway};
use servery::payment::webhook::UpiSecret;
use servery::service::Door;
use servery::service::provider_memory::StoredProviderMemory;
use servery::store::{StoreUrl, doctor};
use servery::worker::{Options, Worker};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use std::sync::Arc;
use uuid::Uuid;

/// What the house has answered to somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Acknowledged {
    /// An order was placed for so much (minor units), with so many lines.
    Placed { order: OrderId, total: i64, lines: i64 },
    /// An order was paid.
    Paid { order: OrderId, attempt: Option<AttemptId>, amount: i64 },
    /// An order moved, or was changed, to this version.
    Moved { order: OrderId, version: i64, status: Status },
}

/// A connection past the program, of either kind.
pub enum Books {
    Sqlite(sqlx::SqliteConnection),
    Postgres(sqlx::PgConnection),
}

macro_rules! on_books {
    ($books:expr, $connection:ident, $run:expr) => {
        match $books {
            Books::Sqlite($connection) => $run,
            Books::Postgres($connection) => $run,
        }
    };
}

const PLACED: &str = "SELECT total, (SELECT COUNT(*) FROM order_lines l WHERE l.site_id = o.site_id \
     AND l.order_id = o.id) FROM orders o WHERE site_id = 'main' AND id = $1";
const PAID: &str = "SELECT id, amount FROM payment_attempts WHERE site_id = 'main' AND order_id = $1 \
     AND status = 'captured' AND NOT stray";
const MOVED: &str = "SELECT to_status FROM order_history WHERE site_id = 'main' AND order_id = $1 AND version = $2";

/// Charges that the provider captured and the house does not know as captured: a guest paid for nothing.
const CHARGED_FOR_NOTHING: &str = "SELECT COUNT(*) FROM simulated_charges c WHERE c.status = 'captured' AND NOT EXISTS \
     (SELECT 1 FROM payment_attempts a WHERE a.site_id = c.site_id AND a.gateway_payment_id = c.gateway_payment_id \
     AND a.status = 'captured')";
/// Orders for which the provider keeps another sum than it should: the total where the order is paid and
/// lives, nothing where it does not. Payments beside a charge belong to it, whether the house knows or not.
const KEPT_WRONGLY: &str = "SELECT COUNT(*) FROM orders o WHERE o.method <> 'cash' AND \
     (SELECT COALESCE(SUM(c.amount - c.refunded), 0) FROM simulated_charges c WHERE c.status = 'captured' \
      AND c.gateway_order_id IN (SELECT b.gateway_order_id FROM payment_attempts a JOIN simulated_charges b \
      ON b.site_id = a.site_id AND b.idempotency_key = a.idempotency_key \
      WHERE a.site_id = o.site_id AND a.order_id = o.id)) <> \
     CASE WHEN o.paid AND o.status NOT IN ('cancelled', 'expired', 'rejected') THEN o.total ELSE 0 END";
/// Money that is neither kept for a paid order nor on its way back.
const UNSETTLED: &str = "SELECT (SELECT COUNT(*) FROM payment_attempts WHERE status IN ('created', 'authorized') \
     AND method IN ('card', 'upi')) + (SELECT COUNT(*) FROM refunds WHERE status = 'pending' AND method IN ('card', 'upi'))";
/// Orders with the same number, and days with a gap.
const NUMBERS: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT business_date FROM orders GROUP BY business_date \
     HAVING COUNT(*) <> MAX(sequence) OR COUNT(DISTINCT sequence) <> COUNT(*) \
     OR COUNT(DISTINCT order_number) <> COUNT(*)) AS days";

impl Books {
    pub async fn open(url: &str) -> Self {
        match StoreUrl::parse(url).expect("url") {
            StoreUrl::Sqlite(path) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new()
                    .filename(path)
                    .foreign_keys(false)
                    .busy_timeout(std::time::Duration::from_secs(20));
                Self::Sqlite(sqlx::SqliteConnection::connect_with(&options).await.expect("connection"))
            }
            StoreUrl::Postgres(url) => Self::Postgres(sqlx::PgConnection::connect(&url).await.expect("connection")),
        }
    }

    pub async fn close(self) {
        on_books!(self, connection, connection.close().await.expect("closed"));
    }

    /// A whole number.
    pub async fn number(&mut self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        on_books!(self, connection, sqlx::query_scalar(sql).fetch_one(connection).await).expect("a number")
    }

    /// Statements past the program.
    pub async fn change(&mut self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        on_books!(self, connection, connection.execute(sqlx::raw_sql(sql)).await.map(drop)).expect("changed");
    }

    /// What is missing of an acknowledgement, in words.
    pub async fn missing(&mut self, acknowledged: &Acknowledged) -> Option<String> {
        match acknowledged {
            Acknowledged::Placed { order, total, lines } => {
                let row: Option<(i64, i64)> =
                    on_books!(self, connection, sqlx::query_as(PLACED).bind(order.0).fetch_optional(connection).await)
                        .expect("a look");
                (row != Some((*total, *lines))).then(|| format!("{acknowledged:?}: the store has {row:?}"))
            }
            Acknowledged::Paid { order, attempt, amount } => {
                let rows: Vec<(Uuid, i64)> =
                    on_books!(self, connection, sqlx::query_as(PAID).bind(order.0).fetch_all(connection).await)
                        .expect("a look");
                let wanted = |row: &(Uuid, i64)| attempt.is_none_or(|id| id.0 == row.0) && row.1 == *amount;
                (rows.len() != 1 || !rows.iter().all(wanted))
                    .then(|| format!("{acknowledged:?}: the store has {rows:?}"))
            }
            Acknowledged::Moved { order, version, status } => {
                let row: Option<(String,)> = on_books!(
                    self,
                    connection,
                    sqlx::query_as(MOVED).bind(order.0).bind(version).fetch_optional(connection).await
                )
                .expect("a look");
                let there = row.as_ref().is_some_and(|(to,)| to == status.as_str());
                (!there).then(|| format!("{acknowledged:?}: the store has {row:?}"))
            }
        }
    }

    /// Asserts that the store has all of it.
    pub async fn has(&mut self, all: &[Acknowledged], when: &str) {
        let mut missing = Vec::new();
        for acknowledged in all {
            missing.extend(self.missing(acknowledged).await);
        }
        assert!(missing.is_empty(), "{when}: {} acknowledged things are lost: {missing:#?}", missing.len());
    }

    /// Asserts that an SQLite file is whole, page by page and reference by reference.
    pub async fn is_whole(&mut self, when: &str) {
        if let Self::Sqlite(connection) = self {
            let words: Vec<(String,)> =
                sqlx::query_as("PRAGMA integrity_check").fetch_all(&mut *connection).await.expect("a look");
            assert_eq!(words, [("ok".to_owned(),)], "{when}: the file is corrupt");
            let torn = sqlx::query("PRAGMA foreign_key_check").fetch_all(connection).await.expect("a look");
            assert!(torn.is_empty(), "{when}: {} rows point to nothing", torn.len());
        }
    }
}

/// Asserts that `doctor` finds nothing and that the numbers of each day are unique and without gaps.
pub async fn adds_up(door: &Door, when: &str) {
    let report = doctor::examine(door.store(), "main").await.expect("doctor");
    let violations: Vec<_> = report.violations().collect();
    assert!(violations.is_empty(), "{when}: {violations:#?}");
    let mut books = Books::open(&url(door)).await;
    assert_eq!(books.number(NUMBERS).await, 0, "{when}: the numbers of a day are unique and dense");
    books.close().await;
}

fn url(door: &Door) -> String {
    match door.store().url() {
        StoreUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
        StoreUrl::Postgres(url) => url.clone(),
    }
}

/// The simulated providers as the program has them, except that a UPI customer pays only when told.
pub fn providers(door: &Door) -> (Gateways, Arc<UpiGateway>) {
    scripted_providers(door, None)
}

/// As [`providers`], with a script that fixes what becomes of the next calls.
pub fn scripted_providers(door: &Door, script: Option<&str>) -> (Gateways, Arc<UpiGateway>) {
    let script = script.map(|script| Arc::new(Script::parse(script).expect("a script")));
    let memory = Arc::new(StoredProviderMemory::new(door.store().clone(), "main"));
    let clock: Arc<dyn Clock> = Arc::clone(door.clock());
    let provider = Provider { memory, clock, script };
    let card = CardGateway::new(CardKeys::demo(), provider.clone());
    let upi = Arc::new(UpiGateway::new(UpiSecret::demo(), Approval::Manual, provider));
    let shared: Arc<dyn servery::payment::Gateway> = Arc::clone(&upi) as _;
    (Gateways::none().with(Arc::new(card)).with(shared), upi)
}

/// Lets the house settle what died between a charge and its answer: an hour passes, and a worker goes
/// round until no attempt and no refund waits any more. Nobody else may be at work.
pub async fn settle(store: &str, clock: &StoreClock, when: &str) {
    clock.pass(3_600).await;
    let door = open_door_by(store, Arc::clone(&clock.hand) as Arc<dyn Clock>).await;
    let (gateways, _) = providers(&door);
    let worker = Worker::new(door.clone(), gateways, Options::default());
    let mut books = Books::open(store).await;
    for _ in 0..20 {
        let held = worker.take_lease().await.expect("asked").held.expect("nobody leads any more");
        let report = worker.round(&held).await.expect("a round");
        assert_eq!((report.poisoned, report.failed), (0, 0), "{when}: {report:?}");
        if books.number(UNSETTLED).await == 0 {
            worker.give_back(&held).await.expect("given back");
            books.close().await;
            door.store().close().await;
            return;
        }
        clock.pass(600).await;
    }
    panic!("{when}: {} attempts or refunds are never settled", books.number(UNSETTLED).await);
}

/// Asserts that the provider has no money but that of paid orders, and all of that.
pub async fn money_adds_up(door: &Door, when: &str) {
    let mut books = Books::open(&url(door)).await;
    assert_eq!(books.number(CHARGED_FOR_NOTHING).await, 0, "{when}: somebody was charged for nothing");
    assert_eq!(books.number(KEPT_WRONGLY).await, 0, "{when}: the provider keeps another sum than the house");
    books.close().await;
}
