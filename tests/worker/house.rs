//! A demo house on a fresh store of either kind, whose time can be moved; no assertions about the
//! worker here.
//!
//! On SQLite the store takes its instants from the test's clock. On Postgres it takes the server's, so
//! there the rows are made older instead.

use super::support::postgres::{TestDatabase, database};
use servery::domain::fulfilment::Fulfilment;
use servery::domain::ids::{CartId, CustomerId, Ids, OrderId, TerminalId};
use servery::domain::payment::Method;
use servery::domain::time::{Clock, Timestamp};
use servery::payment::Gateways;
use servery::payment::card::{CardGateway, CardKeys};
use servery::payment::simulated::Provider;
use servery::payment::upi::{Approval, UpiGateway};
use servery::payment::webhook::UpiSecret;
use servery::service::cart::{CartAdd, CartFulfilment};
use servery::service::menu::MenuNow;
use servery::service::order_queries::{OrderName, ShowOrder};
use servery::service::place::PlaceOrder;
use servery::service::provider_memory::StoredProviderMemory;
use servery::service::views::{OrderView, Placed};
use servery::service::{Caller, Door, FieldKey, TimeOrderedIds, UseCase, setup};
use servery::store::lease::Held;
use servery::store::{Options, Store, StoreUrl};
use servery::worker::{self, Worker};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use uuid::Uuid;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A demo store behind a door.
pub struct House {
    pub door: Door,
    pub clock: Arc<TestClock>,
    pub ids: Arc<dyn Ids>,
    pub postgres: bool,
    /// A registered kitchen terminal.
    pub kitchen: TerminalId,
    /// The address of the store.
    pub url: String,
    _folder: tempfile::TempDir,
    _database: Option<TestDatabase>,
}

impl House {
    pub async fn demo(postgres: bool) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let (database, url) = if postgres {
            let database = tokio::task::spawn_blocking(database).await.expect("a database")?;
            let url = database.url().to_owned();
            (Some(database), url)
        } else {
            (None, format!("sqlite:{}", folder.path().join("servery.db").display()))
        };
        let clock = Arc::new(TestClock(AtomicI64::new(1_772_433_000_000_000)));
        let ids: Arc<dyn Ids> = Arc::new(TimeOrderedIds::seeded([9; 32]));
        let door = open(&url, &clock, &ids).await;
        let demo = setup::InitSite::demo("main");
        assert!(setup::init(door.store(), &*clock, &*ids, &demo).await.expect("the demo"));
        let kitchen = TerminalId(Uuid::from_u128(77));
        let house = Self { door, clock, ids, postgres, kitchen, url, _folder: folder, _database: database };
        let id = house.uuid(kitchen.0);
        house
            .raw(&format!(
                "INSERT INTO terminals (site_id, id, name, role, registered_at) VALUES ('main', {id}, 'pass', 'kitchen', 1)"
            ))
            .await;
        Some(house)
    }

    /// Another process's door to the same store.
    pub async fn other_door(&self) -> Door {
        open(&self.url, &self.clock, &self.ids).await
    }

    /// An id as a literal.
    pub fn uuid(&self, id: Uuid) -> String {
        if self.postgres { format!("'{id}'") } else { format!("x'{}'", id.simple()) }
    }

    /// Statements past the store, which no trigger judges on Postgres.
    pub async fn raw(&self, statements: &str) {
        if self.postgres {
            let mut connection = sqlx::PgConnection::connect(&self.url).await.expect("a connection");
            let all = format!("SET session_replication_role = replica; {statements}");
            connection.execute(sqlx::raw_sql(AssertSqlSafe(all))).await.expect("statements");
            connection.close().await.expect("closed");
        } else {
            let path = self.url.strip_prefix("sqlite:").expect("a file");
            let options = sqlx::sqlite::SqliteConnectOptions::new()
                .filename(path)
                .foreign_keys(false)
                .busy_timeout(std::time::Duration::from_secs(10));
            let mut connection = sqlx::SqliteConnection::connect_with(&options).await.expect("a connection");
            connection.execute(sqlx::raw_sql(AssertSqlSafe(statements.to_owned()))).await.expect("statements");
            connection.close().await.expect("closed");
        }
    }

    /// One whole number, read past the store.
    pub async fn number(&self, query: &str) -> i64 {
        let query = AssertSqlSafe(query.to_owned());
        if self.postgres {
            let mut connection = sqlx::PgConnection::connect(&self.url).await.expect("a connection");
            sqlx::query_scalar(query).fetch_one(&mut connection).await.expect("a number")
        } else {
            let path = self.url.strip_prefix("sqlite:").expect("a file");
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).read_only(true);
            let mut connection = sqlx::SqliteConnection::connect_with(&options).await.expect("a connection");
            sqlx::query_scalar(query).fetch_one(&mut connection).await.expect("a number")
        }
    }

    /// Lets time pass.
    pub async fn pass(&self, micros: i64) {
        self.clock.0.fetch_add(micros, Ordering::SeqCst);
        if !self.postgres {
            return;
        }
        let older = |table: &str, columns: &[&str]| {
            let sets: Vec<String> = columns.iter().map(|column| format!("{column} = {column} - {micros}")).collect();
            format!("UPDATE {table} SET {};", sets.join(", "))
        };
        let all = [
            // `on_hold_until` without an end stays without one.
            older("orders", &["created_at", "expires_at", "received_at", "ready_at", "paid_at"]),
            format!("UPDATE orders SET on_hold_until = on_hold_until - {micros} WHERE on_hold_until < {};", i64::MAX),
            older("payment_attempts", &["created_at"]),
            format!(
                "UPDATE payment_attempts SET next_check_at = next_check_at - {micros} WHERE next_check_at < {};",
                i64::MAX
            ),
            older("refunds", &["created_at", "next_try_at"]),
            older("outbox", &["created_at", "next_try_at"]),
            older("delivery_assignments", &["assigned_at", "picked_up_at", "delivered_at", "cancelled_at"]),
            older("carts", &["updated_at"]),
            older("idempotency_keys", &["created_at"]),
            older("audit_log", &["at"]),
            older("worker_lease", &["renewed_at", "expires_at"]),
        ];
        self.raw(&all.concat()).await;
    }

    pub async fn pass_seconds(&self, seconds: i64) {
        self.pass(seconds * 1_000_000).await;
    }

    /// Lets the time pass that leads to just before the edge that lies `seconds` after the present: a
    /// microsecond before on SQLite; on Postgres, where time goes on by itself, half a minute.
    pub async fn pass_until_just_before(&self, seconds: i64) {
        self.pass(seconds * 1_000_000 - self.margin()).await;
    }

    /// From there, across the edge.
    pub async fn pass_the_edge(&self) {
        self.pass(self.margin()).await;
    }

    fn margin(&self) -> i64 {
        if self.postgres { 30_000_000 } else { 1 }
    }

    /// Card payment as the demo has it.
    pub fn cards(&self) -> CardGateway {
        let memory = Arc::new(StoredProviderMemory::new(self.door.store().clone(), "main"));
        let provider = Provider { memory, clock: Arc::clone(&self.clock) as Arc<dyn Clock>, script: None };
        CardGateway::new(CardKeys::demo(), provider)
    }

    /// UPI payment as the demo has it, whose customers pay when told.
    pub fn upi(&self) -> UpiGateway {
        let memory = Arc::new(StoredProviderMemory::new(self.door.store().clone(), "main"));
        let provider = Provider { memory, clock: Arc::clone(&self.clock) as Arc<dyn Clock>, script: None };
        UpiGateway::new(UpiSecret::demo(), Approval::Manual, provider)
    }

    /// A worker of its own process that asks these gateways.
    pub fn worker(&self, gateways: Gateways) -> Worker {
        Worker::new(self.door.clone(), gateways, worker::Options::default())
    }

    /// A worker without gateways, and its lease.
    pub async fn leading(&self) -> (Worker, Held) {
        let worker = self.worker(Gateways::none());
        let held = worker.take_lease().await.expect("asked").held.expect("the lease is free");
        (worker, held)
    }

    /// An order of one dish by a guest.
    pub async fn place(&self, method: Method, pay_now: bool) -> Placed {
        self.place_as(method, pay_now, Fulfilment::Pickup, None).await
    }

    /// The same, to be brought.
    pub async fn place_delivery(&self, method: Method, pay_now: bool) -> Placed {
        self.place_as(method, pay_now, Fulfilment::Delivery, Some("Hostel 4")).await
    }

    async fn place_as(&self, method: Method, pay_now: bool, fulfilment: Fulfilment, address: Option<&str>) -> Placed {
        let guest = Caller::Guest { customer: CustomerId(self.door.new_id()), terminal: None };
        let cart = self.fill_cart(&guest).await;
        self.door.execute(&guest, None, CartFulfilment { cart, fulfilment }).await.expect("the way it goes");
        let place = PlaceOrder {
            cart,
            method,
            called_name: None,
            pay_now,
            retry_of: None,
            expected_total: None,
            delivery_address: address.map(str::to_owned),
        };
        self.door.execute(&guest, None, place).await.expect("placed")
    }

    /// A cart with one dish.
    pub async fn fill_cart(&self, guest: &Caller) -> CartId {
        let menu = self.door.ask(guest, MenuNow::default()).await.expect("the menu");
        let cart = CartId(self.door.new_id());
        let fulfilment = CartFulfilment { cart, fulfilment: Fulfilment::Pickup };
        self.door.execute(guest, None, fulfilment).await.expect("a cart");
        for item in &menu.items {
            let add = CartAdd { cart, item: item.id, options: Vec::new(), quantity: 2, note: String::new() };
            if self.door.execute(guest, None, add).await.is_ok() {
                return cart;
            }
        }
        panic!("the demo has no dish without options");
    }

    pub async fn order(&self, id: OrderId) -> OrderView {
        self.door.ask(&Caller::System, ShowOrder { order: OrderName::Id(id) }).await.expect("the order")
    }

    /// The kitchen does something.
    pub async fn cook<U: UseCase>(&self, command: U) -> U::Output {
        self.door.execute(&Caller::Terminal(self.kitchen), None, command).await.expect("the kitchen may")
    }

    /// Sets a setting past the door.
    pub async fn set(&self, key: &str, value: serde_json::Value) {
        let mut tx = self.door.store().write().await.expect("a transaction");
        let now = tx.now(&*self.clock).await.expect("now");
        servery::store::sites::set_setting(&mut tx, "main", key, &value, None, now).await.expect("set");
        tx.commit().await.expect("committed");
    }
}

async fn open(url: &str, clock: &Arc<TestClock>, ids: &Arc<dyn Ids>) -> Door {
    let url = StoreUrl::parse(url).expect("url");
    let store = Store::open(&url, Options::default()).await.expect("a store");
    let key = FieldKey::from_secret("a-key-for-addresses-in-this-test!").expect("a key");
    Door::with_field_key(store, "main", Arc::clone(clock) as Arc<dyn Clock>, Arc::clone(ids), Some(key))
}

/// One test on both databases: `on_both!(name, |house| { .. })`.
#[macro_export]
macro_rules! on_both {
    ($name:ident, |$house:ident| $body:block) => {
        mod $name {
            #[allow(unused_imports, clippy::allow_attributes, reason = "not every test needs all of its file's")]
            use super::*;
            async fn run(postgres: bool) {
                let Some($house) = $crate::house::House::demo(postgres).await else { return };
                $body
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                run(false).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                run(true).await;
            }
        }
    };
}
