//! A store with a site and demo staff, and the door to it, for the tests of the service. Helpers only.
#![allow(
    clippy::allow_attributes,
    dead_code,
    clippy::expect_used,
    clippy::panic,
    reason = "each test binary uses its part, and a helper that cannot go on fails the test by panicking"
)]

use super::support;
use servery::domain::access::Actor;
use servery::domain::error::{ErrorCode, Refused};
use servery::domain::ids::{CustomerId, OrderId, ShiftId, TerminalId};
use servery::domain::time::{Clock, Timestamp};
use servery::service::staff::{self, DEMO_ACCOUNTS, SignedIn};
use servery::service::terminals::{self, TerminalRole};
use servery::service::{Caller, Door, Secrets, TimeOrderedIds};
use servery::store::sites::{self, SiteRow};
use servery::store::till::{self, Movement};
use servery::store::{Options, Store, StoreUrl, people};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use uuid::Uuid;

/// Where the test's clock begins (microseconds).
pub const START: i64 = 1_800_000_000_000_000;
/// The site of every house.
pub const SITE: &str = "main";

/// A clock that the test sets.
pub struct TestClock(AtomicI64);

impl TestClock {
    /// Lets time pass.
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A store with a site, and the door to it.
pub struct House {
    pub door: Door,
    pub secrets: Secrets,
    pub clock: Arc<TestClock>,
    pub url: StoreUrl,
    _folder: tempfile::TempDir,
    _database: Option<support::postgres::TestDatabase>,
}

impl House {
    pub async fn open(database: Option<support::postgres::TestDatabase>, demo: bool) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let url = database.as_ref().map_or_else(
            || StoreUrl::Sqlite(folder.path().join("servery.db")),
            |database| StoreUrl::Postgres(database.url().to_owned()),
        );
        let store = Store::open(&url, Options::default()).await.expect("store");
        let clock = Arc::new(TestClock(AtomicI64::new(START)));
        let row = SiteRow {
            site_id: SITE.into(),
            name: "Canteen".into(),
            currency: "EUR".into(),
            time_zone: "Europe/Berlin".into(),
            demo,
            menu_version: 1,
            settings_version: 1,
            staff_version: 1,
        };
        let mut tx = store.write().await.expect("transaction");
        sites::insert(&mut tx, &row, Uuid::from_u128(1), clock.now()).await.expect("site");
        tx.commit().await.expect("commit");
        let door = Door::new(store, SITE, clock.clone(), Arc::new(TimeOrderedIds::seeded([3; 32])));
        let secrets = Secrets::with_pepper(&[7; 32], [5; 32]);
        Self { door, secrets, clock, url, _folder: folder, _database: database }
    }

    pub async fn sqlite() -> Self {
        let house = Self::open(None, true).await;
        assert!(staff::insert_demo(&house.door, &house.secrets).await.expect("demo staff"));
        house
    }

    /// The demo house on SQLite and, unless left out, on Postgres.
    pub async fn both() -> Vec<Self> {
        let mut houses = vec![Self::sqlite().await];
        if let Some(database) = support::postgres::database() {
            let house = Self::open(Some(database), true).await;
            assert!(staff::insert_demo(&house.door, &house.secrets).await.expect("demo staff"));
            houses.push(house);
        }
        houses
    }

    pub async fn login(&self, name: &str, password: &str) -> Result<SignedIn, Refused> {
        staff::login(&self.door, &self.secrets, None, name, password).await
    }

    /// Signs a demo account in.
    pub async fn enter(&self, name: &str) -> SignedIn {
        let account = DEMO_ACCOUNTS.iter().find(|account| account.username == name).expect("account");
        self.login(name, account.password).await.expect("signed in")
    }

    pub async fn caller(&self, name: &str) -> Caller {
        session(&self.enter(name).await, None)
    }

    pub async fn terminal(&self, name: &str, role: TerminalRole) -> TerminalId {
        terminals::register(&self.door, name, role).await.expect("terminal")
    }

    /// Runs a statement of the test's own, past the program.
    pub async fn raw(&self, sql: String) -> Result<u64, sqlx::Error> {
        match &self.url {
            StoreUrl::Sqlite(path) => {
                let mut connection = SqliteConnection::connect(&path.display().to_string()).await?;
                Ok(sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await?.rows_affected())
            }
            StoreUrl::Postgres(url) => {
                let mut connection = PgConnection::connect(url).await?;
                Ok(sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await?.rows_affected())
            }
        }
    }

    /// A number that the test reads past the program.
    pub async fn count(&self, sql: &'static str) -> i64 {
        match &self.url {
            StoreUrl::Sqlite(path) => {
                let mut connection = SqliteConnection::connect(&path.display().to_string()).await.expect("connection");
                sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("number")
            }
            StoreUrl::Postgres(url) => {
                let mut connection = PgConnection::connect(url).await.expect("connection");
                sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("number")
            }
        }
    }

    /// An id as this database spells it in SQL.
    pub fn literal(&self, id: Uuid) -> String {
        match &self.url {
            StoreUrl::Sqlite(_) => format!("X'{}'", id.simple()),
            StoreUrl::Postgres(_) => format!("'{id}'"),
        }
    }

    /// A cash order that waits for its money.
    pub async fn cash_order(&self, sequence: i64) -> OrderId {
        let customer = CustomerId(Uuid::from_u128(77));
        let mut tx = self.door.store().write().await.expect("transaction");
        people::ensure_guest(&mut tx, SITE, customer, Timestamp(START)).await.expect("guest");
        tx.commit().await.expect("commit");
        let id = Uuid::from_u128(0x1000 + u128::try_from(sequence).expect("positive"));
        let (id_text, customer) = (self.literal(id), self.literal(customer.0));
        let rows = self
            .raw(format!(
                "INSERT INTO orders (site_id, id, order_number, business_date, sequence, pickup_number, status, \
                 fulfilment, method, customer_id, currency, subtotal, tax_inclusive, total, due, price_trace, \
                 created_at, updated_at, received_at) VALUES ('{SITE}', {id_text}, 'ORD-20270115-{sequence:03}', \
                 '2027-01-15', {sequence}, '{sequence:03}', 'received', 'pickup', 'cash', {customer}, 'EUR', 500, \
                 TRUE, 500, 500, '{{}}', {START}, {START}, {START})"
            ))
            .await
            .expect("order");
        assert_eq!(rows, 1);
        OrderId(id)
    }

    /// Moves cash as the order machine does.
    pub async fn order_cash(&self, shift: ShiftId, movement: &Movement<'_>) -> bool {
        let mut tx = self.door.store().write().await.expect("transaction");
        let moved = till::move_cash(&mut tx, SITE, shift, movement, &Actor::system(), Timestamp(START)).await;
        let moved = moved.expect("movement").is_some();
        tx.commit().await.expect("commit");
        moved
    }
}

pub fn session(signed_in: &SignedIn, terminal: Option<TerminalId>) -> Caller {
    Caller::Session { token: signed_in.token.clone(), terminal, override_by: None }
}

pub fn code<T: std::fmt::Debug>(result: Result<T, Refused>) -> ErrorCode {
    result.expect_err("must be refused").code
}

pub fn seconds(refused: &Refused) -> i64 {
    refused.details["seconds"].as_i64().expect("seconds")
}
