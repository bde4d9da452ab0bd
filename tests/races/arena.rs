//! Where a race is run: a demo store on one of the databases, the test's own door to it, the seeded
//! dice of the round, and what must hold after every race.

use crate::command::{By, open_door_by};
use crate::support::postgres::{TestDatabase, database};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde_json::Value;
use servery::domain::ids::{CartId, CustomerId, OrderId, TerminalId};
use servery::domain::payment::Method;
use servery::domain::time::Clock;
use servery::service::cart::CartAdd;
use servery::service::menu::ItemDetail;
use servery::service::order_queries::{OrderName, ShowOrder};
use servery::service::place::PlaceOrder;
use servery::service::settings::SetSetting;
use servery::service::stock::{StockList, StockRecount};
use servery::service::terminals::{self, TerminalRole};
use servery::service::views::{ItemView, OrderView, Placed};
use servery::service::{Caller, Door, Secrets, SystemClock, TimeOrderedIds, UseCase, setup, staff};
use servery::store::doctor;
use servery::store::{Options, Store, StoreUrl};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use std::sync::Arc;
use tokio::runtime::Runtime;

/// A counted dish without options: one unit a sale.
const DISH: &str = "cola";
/// The pepper of every arena's staff.
pub const PEPPER: &[u8] = b"pepper-of-the-test-of-32-bytes!!";
/// What it uses.
pub const UNITS: &str = "cola-can";

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// An empty store of a kind; it goes away when dropped.
pub struct Ground {
    pub url: String,
    pub folder: tempfile::TempDir,
    pub kind: Kind,
    pub _database: Option<TestDatabase>,
}

impl Ground {
    /// `None` where Postgres is left out, which is said.
    pub fn new(kind: Kind) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let database = match kind {
            Kind::Sqlite => None,
            Kind::Postgres => Some(database()?),
        };
        let url = match &database {
            None => format!("sqlite:{}", folder.path().join("servery.db").display()),
            Some(database) => database.url().to_owned(),
        };
        Some(Self { url, folder, kind, _database: database })
    }
}

/// A demo store with staff, and a runtime for the test's own commands.
pub struct Arena {
    pub door: Door,
    pub dish: ItemView,
    pub kitchen: TerminalId,
    pub managers: [String; 2],
    pub ground: Ground,
    dice: ChaCha12Rng,
    runtime: Runtime,
}

impl Arena {
    pub fn demo(kind: Kind) -> Option<Self> {
        let seed = std::env::var("SERVERY_TEST_SEED").ok().map_or_else(
            || SystemClock.now().0.unsigned_abs(),
            |text| text.parse().expect("SERVERY_TEST_SEED: a number"),
        );
        println!("{kind:?}: SERVERY_TEST_SEED={seed}");
        Some(Self::of(Ground::new(kind)?, seed, Arc::new(SystemClock), &setup::InitSite::demo("main")))
    }

    /// A demo store of this site on this ground, by this clock.
    pub fn of(ground: Ground, seed: u64, clock: Arc<dyn Clock>, site: &setup::InitSite) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
        let (door, dish, kitchen, managers) = runtime.block_on(async {
            let url = StoreUrl::parse(&ground.url).expect("url");
            let store = Store::open(&url, Options::default()).await.expect("store");
            let ids = TimeOrderedIds::from_machine();
            setup::init(&store, &*clock, &ids, site).await.expect("the demo");
            store.close().await;
            let door = open_door_by(&ground.url, clock).await;
            let secrets = Secrets::with_pepper(PEPPER, [9; 32]);
            staff::insert_demo(&door, &secrets).await.expect("staff");
            let admin = &staff::DEMO_ACCOUNTS[0];
            let mut managers = [String::new(), String::new()];
            for token in &mut managers {
                let signed = staff::login(&door, &secrets, None, admin.username, admin.password).await;
                *token = signed.expect("signed in").token;
            }
            let kitchen = terminals::register(&door, "pass", TerminalRole::Kitchen).await.expect("a terminal");
            let dish = door.ask(&Caller::System, ItemDetail { item: DISH.to_owned() }).await.expect("the dish");
            (door, dish, kitchen, managers)
        });
        Self { door, dish, kitchen, managers, ground, dice: ChaCha12Rng::seed_from_u64(seed), runtime }
    }

    /// How often a race is run: `usual`, or many times as often.
    pub fn rounds(usual: usize) -> usize {
        if std::env::var_os("SERVERY_TEST_LONG").is_some() { usual * 10 } else { usual }
    }

    /// An instant within `spread` microseconds after `base`.
    pub fn around(&mut self, base: i64, spread: u32) -> i64 {
        base + i64::from(self.dice.next_u32() % spread.max(1))
    }

    /// A moment from now, when every process has passed the barrier, each a little off.
    pub fn soon(&mut self) -> i64 {
        let now = SystemClock.now().0;
        self.around(now, 1_500)
    }

    pub fn manager(&self) -> Caller {
        Caller::Session { token: self.managers[0].clone(), terminal: None, override_by: None }
    }

    /// Runs something that has to be awaited.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Runs a command of the test's own, which must succeed.
    #[track_caller]
    pub fn run<U: UseCase>(&self, caller: &Caller, use_case: U) -> U::Output {
        let ran = self.wait(self.door.execute(caller, None, use_case));
        ran.unwrap_or_else(|refused| panic!("{}: {refused:?}", U::NAME))
    }

    pub fn set(&self, key: &str, value: impl Into<Value>) {
        self.run(&self.manager(), SetSetting { key: key.to_owned(), value: value.into(), seen: None, reason: None });
    }

    /// Makes so many units available; nothing may be held then.
    pub fn stock_up(&self, units: i64) {
        let (on_hand, reserved) = self.stock();
        if on_hand != units + reserved {
            let recount = StockRecount {
                item: UNITS.to_owned(),
                counted: units + reserved,
                release: vec![],
                reason: "counted".to_owned(),
            };
            self.run(&self.manager(), recount);
        }
    }

    /// On hand and reserved of what the dish uses.
    pub fn stock(&self) -> (i64, i64) {
        let list = self.wait(self.door.ask(&self.manager(), StockList::default())).expect("stock").items;
        let row = list.iter().find(|row| row.code == UNITS).expect("the dish's stock");
        (row.on_hand, row.reserved)
    }

    pub fn order(&self, id: OrderId) -> OrderView {
        let show = ShowOrder { order: OrderName::Id(id) };
        self.wait(self.door.ask(&Caller::System, show)).expect("the order")
    }

    /// A guest with an empty cart.
    pub fn guest(&self) -> (CustomerId, CartId) {
        (CustomerId(self.door.new_id()), CartId(self.door.new_id()))
    }

    /// Puts some of the dish into a cart.
    pub fn add(&self, cart: CartId, quantity: i32) -> CartAdd {
        CartAdd { cart, item: self.dish.id, options: vec![], quantity, note: String::new() }
    }

    /// An order of the dish that was placed, and its guest.
    pub fn placed(&self, method: Method, pay_now: bool, quantity: i32) -> (Placed, By) {
        let (customer, cart) = self.guest();
        let caller = Caller::Guest { customer, terminal: None };
        self.run(&caller, self.add(cart, quantity));
        (self.run(&caller, place(cart, method, pay_now)), By::Guest(customer))
    }

    /// A number read past the program.
    pub fn number(&self, sql: &'static str) -> i64 {
        self.wait(async {
            match StoreUrl::parse(&self.ground.url).expect("url") {
                StoreUrl::Sqlite(path) => {
                    let mut connection =
                        sqlx::SqliteConnection::connect(&path.display().to_string()).await.expect("connection");
                    sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect(sql)
                }
                StoreUrl::Postgres(url) => {
                    let mut connection = sqlx::PgConnection::connect(&url).await.expect("connection");
                    sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect(sql)
                }
            }
        })
    }

    /// Lets the hold of an order lapse at an instant, past the program.
    pub fn expires_at(&self, order: OrderId, instant: i64) {
        let id = match self.ground.kind {
            Kind::Sqlite => format!("x'{}'", order.0.simple()),
            Kind::Postgres => format!("'{order}'"),
        };
        let sql = AssertSqlSafe(format!("UPDATE orders SET expires_at = {instant} WHERE id = {id}"));
        self.wait(async {
            let done = match StoreUrl::parse(&self.ground.url).expect("url") {
                StoreUrl::Sqlite(path) => {
                    let mut connection =
                        sqlx::SqliteConnection::connect(&path.display().to_string()).await.expect("connection");
                    connection.execute(sqlx::raw_sql(sql)).await.expect("lapsed").rows_affected()
                }
                StoreUrl::Postgres(url) => {
                    let mut connection = sqlx::PgConnection::connect(&url).await.expect("connection");
                    connection.execute(sqlx::raw_sql(sql)).await.expect("lapsed").rows_affected()
                }
            };
            assert_eq!(done, 1, "the order is there");
        });
    }

    /// What holds after every race: doctor finds nothing, and no number was left out.
    #[track_caller]
    pub fn holds(&self) {
        let report = self.wait(doctor::examine(self.door.store(), "main")).expect("doctor");
        let violations: Vec<_> = report.violations().collect();
        assert!(violations.is_empty(), "{violations:#?}");
        let gaps = "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT business_date FROM orders GROUP BY business_date \
             HAVING COUNT(*) <> MAX(sequence) OR COUNT(DISTINCT sequence) <> COUNT(*)) AS days";
        assert_eq!(self.number(gaps), 0, "the numbers of a day are dense");
    }
}

/// Places a cart.
pub fn place(cart: CartId, method: Method, pay_now: bool) -> PlaceOrder {
    PlaceOrder {
        cart,
        method,
        called_name: None,
        pay_now,
        delivery_address: None,
        retry_of: None,
        expected_total: None,
    }
}
