//! A demo house on a fresh store of either kind, with a clock that the test sets.

use super::support::postgres::{TestDatabase, database};
use servery::domain::ids::Ids;
use servery::domain::time::{Clock, Timestamp};
use servery::service::{Door, TimeOrderedIds, setup};
use servery::store::{Options, Store, StoreUrl};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A clock that stands still until it is set.
#[derive(Debug)]
pub struct TestClock(AtomicI64);

impl TestClock {
    /// Sets the instant.
    pub fn set(&self, rfc3339: &str) {
        let at = chrono::DateTime::parse_from_rfc3339(rfc3339).expect("an instant");
        self.0.store(at.timestamp_micros(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A store with a site behind a door.
pub struct House {
    pub door: Door,
    pub url: StoreUrl,
    pub clock: Arc<TestClock>,
    pub ids: Arc<dyn Ids>,
    /// Only on SQLite does the store take its instants from `clock`.
    pub sqlite: bool,
    _folder: Option<tempfile::TempDir>,
    _database: Option<TestDatabase>,
}

impl House {
    /// An empty store.
    pub async fn empty(postgres: bool) -> Option<Self> {
        let (folder, database, url) = if postgres {
            let database = tokio::task::spawn_blocking(database).await.expect("database")?;
            let url = StoreUrl::parse(database.url()).expect("url");
            (None, Some(database), url)
        } else {
            let folder = tempfile::tempdir().expect("folder");
            let url = StoreUrl::Sqlite(folder.path().join("servery.db"));
            (Some(folder), None, url)
        };
        let store = Store::open(&url, Options::default()).await.expect("store");
        let clock = Arc::new(TestClock(AtomicI64::new(0)));
        clock.set("2026-03-02T06:30:00Z");
        let ids: Arc<dyn Ids> = Arc::new(TimeOrderedIds::seeded([3; 32]));
        let door = Door::new(store, "main", Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&ids));
        Some(Self { door, url, clock, ids, sqlite: !postgres, _folder: folder, _database: database })
    }

    /// The demo store.
    pub async fn demo(postgres: bool) -> Option<Self> {
        let house = Self::empty(postgres).await?;
        let demo = setup::InitSite::demo("main");
        assert!(setup::init(house.door.store(), &*house.clock, &*house.ids, &demo).await.expect("init"));
        Some(house)
    }
}

/// One test on both databases: `on_both!(name, |house| { .. })` on the demo store.
#[macro_export]
macro_rules! on_both {
    ($name:ident, |$house:ident| $body:block) => {
        mod $name {
            use super::*;
            async fn run(postgres: bool) {
                let Some($house) = House::demo(postgres).await else { return };
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

/// A value for [`House::sql`].
#[derive(Debug, Clone)]
pub enum Bind {
    Id(uuid::Uuid),
    Bytes(Vec<u8>),
    Int(i64),
    Text(&'static str),
}

/// What both kinds of connection do with a statement.
macro_rules! run_sql {
    ($connection:ty, $url:expr, $sql:expr, $binds:expr, $fetch:ident, $query:ident $(, $row:ty)?) => {{
        let mut connection = <$connection>::connect($url).await.expect("connection");
        let mut query = sqlx::$query$(::<_, $row>)?($sql);
        for bind in $binds {
            query = match bind {
                Bind::Id(id) => query.bind(id),
                Bind::Bytes(bytes) => query.bind(bytes),
                Bind::Int(number) => query.bind(number),
                Bind::Text(text) => query.bind(text),
            };
        }
        let done = query.$fetch(&mut connection).await.expect("statement");
        connection.close().await.expect("close");
        done
    }};
}

impl House {
    fn url_text(&self) -> String {
        match &self.url {
            StoreUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
            StoreUrl::Postgres(url) => url.clone(),
        }
    }

    /// Runs a statement past the door.
    pub async fn sql(&self, sql: &'static str, binds: Vec<Bind>) {
        use sqlx::Connection as _;
        let url = self.url_text();
        if self.sqlite {
            run_sql!(sqlx::SqliteConnection, &url, sql, binds, execute, query);
        } else {
            run_sql!(sqlx::PgConnection, &url, sql, binds, execute, query);
        }
    }

    /// The one number that a statement answers.
    pub async fn number(&self, sql: &'static str, binds: Vec<Bind>) -> i64 {
        use sqlx::Connection as _;
        let url = self.url_text();
        let (number,) = if self.sqlite {
            run_sql!(sqlx::SqliteConnection, &url, sql, binds, fetch_one, query_as, (i64,))
        } else {
            run_sql!(sqlx::PgConnection, &url, sql, binds, fetch_one, query_as, (i64,))
        };
        number
    }

    /// The instant of the store.
    pub async fn now(&self) -> Timestamp {
        let mut tx = self.door.store().read().await.expect("read");
        let now = tx.now(&*self.clock).await.expect("now");
        tx.rollback().await.expect("rollback");
        now
    }

    /// A new id.
    pub fn id(&self) -> uuid::Uuid {
        self.ids.next(self.clock.now())
    }

    /// Somebody signed in, in this role.
    pub async fn signed_in(&self, name: &'static str, role: &'static str) -> servery::service::Caller {
        let (staff, token) = (self.id(), format!("token of {name}"));
        self.sql(
            "INSERT INTO staff (site_id, id, username, name, role, password_hash, created_at, updated_at) \
             VALUES ('main', $1, $2, $2, $3, '-', 0, 0)",
            vec![Bind::Id(staff), Bind::Text(name), Bind::Text(role)],
        )
        .await;
        self.sql(
            "INSERT INTO sessions (site_id, token_hash, staff_id, role, created_at, expires_at, last_used_at) \
             VALUES ('main', $1, $2, $3, 0, $4, 0)",
            vec![
                Bind::Bytes(servery::service::token_hash(&token)),
                Bind::Id(staff),
                Bind::Text(role),
                Bind::Int(i64::MAX),
            ],
        )
        .await;
        servery::service::Caller::Session { token, terminal: None, override_by: None }
    }

    /// An order that holds so many units of a stock item, written by hand: `status` is pending (card) or
    /// received (cash).
    pub async fn holder(
        &self,
        sequence: i64,
        status: &'static str,
        stock_item: uuid::Uuid,
        quantity: i64,
    ) -> servery::domain::ids::OrderId {
        let (customer, order) = (self.id(), self.id());
        self.sql(
            "INSERT INTO customers (site_id, id, kind, created_at, updated_at) VALUES ('main', $1, 'guest', 0, 0)",
            vec![Bind::Id(customer)],
        )
        .await;
        let (number, pickup) = match sequence {
            1 => ("ORD-20260302-001", "001"),
            2 => ("ORD-20260302-002", "002"),
            3 => ("ORD-20260302-003", "003"),
            _ => panic!("no such number"),
        };
        const PENDING: &str = "INSERT INTO orders (site_id, id, order_number, business_date, sequence, \
             pickup_number, status, fulfilment, method, customer_id, currency, subtotal, tax_inclusive, total, due, \
             price_trace, created_at, updated_at) VALUES ('main', $1, $2, '2026-03-02', $3, $4, 'pending', 'pickup', \
             'card', $5, 'INR', 100, FALSE, 100, 100, '{}', $3, 0)";
        const RECEIVED: &str = "INSERT INTO orders (site_id, id, order_number, business_date, sequence, \
             pickup_number, status, fulfilment, method, customer_id, currency, subtotal, tax_inclusive, total, due, \
             price_trace, created_at, updated_at, received_at) VALUES ('main', $1, $2, '2026-03-02', $3, $4, \
             'received', 'pickup', 'cash', $5, 'INR', 100, FALSE, 100, 100, '{}', $3, 0, 0)";
        self.sql(
            if status == "pending" { PENDING } else { RECEIVED },
            vec![Bind::Id(order), Bind::Text(number), Bind::Int(sequence), Bind::Text(pickup), Bind::Id(customer)],
        )
        .await;
        self.sql(
            "UPDATE stock_items SET reserved = reserved + $2 WHERE site_id = 'main' AND id = $1",
            vec![Bind::Id(stock_item), Bind::Int(quantity)],
        )
        .await;
        self.sql(
            "INSERT INTO reservations (site_id, order_id, stock_item_id, taken, quantity, held_at) \
             VALUES ('main', $1, $2, $3, $3, 0)",
            vec![Bind::Id(order), Bind::Id(stock_item), Bind::Int(quantity)],
        )
        .await;
        servery::domain::ids::OrderId(order)
    }

    /// An open attempt to pay an order, written by hand.
    pub async fn open_attempt(&self, order: servery::domain::ids::OrderId) {
        self.sql(
            "INSERT INTO payment_attempts (site_id, order_id, id, method, amount, currency, status, idempotency_key, \
             actor_role, created_at, updated_at) VALUES ('main', $1, $2, 'card', 100, 'INR', 'created', 'k', \
             'customer', 0, 0)",
            vec![Bind::Id(order.0), Bind::Id(self.id())],
        )
        .await;
    }
}
