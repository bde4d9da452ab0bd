//! The rights of the roles on Postgres (`store/grants.rs`): each forbidden statement is refused to its role, and
//! each role's own road goes through the door with the rights that it has. Postgres only: SQLite knows no roles.

#![expect(clippy::expect_used, reason = "helpers of tests, which clippy does not know as tests")]

#[path = "support/mod.rs"]
mod support;

use servery::domain::fulfilment::Fulfilment;
use servery::domain::ids::{CartId, CustomerId, OrderId, TerminalId};
use servery::domain::money::Money;
use servery::domain::order::Status;
use servery::domain::payment::{AttemptStatus, Method};
use servery::domain::time::Clock;
use servery::payment::card::{CardGateway, CardKeys};
use servery::payment::simulated::Provider;
use servery::payment::{CardDetails, Gateways, Instrument};
use servery::service::cart::{CartAdd, CartFulfilment, ShowCart};
use servery::service::health_gateways::WatchedGateway;
use servery::service::kitchen::{AllDay, ShowBoard, ShowKitchen};
use servery::service::menu::{MenuNow, SetPrice};
use servery::service::order_queries::{OrderName, ShowOrder};
use servery::service::orders::{
    AcceptOrder, Bump, CancelOrder, ConfirmCash, ExtendHold, HandOver, MarkReady, RecallOrder, StaffCancelOrder,
};
use servery::service::payments::{self, StartPayment, is_open};
use servery::service::place::PlaceOrder;
use servery::service::provider_memory::StoredProviderMemory;
use servery::service::settings::SetSetting;
use servery::service::staff::{self, DEMO_ACCOUNTS};
use servery::service::stock::{StockReceive, StockRecount};
use servery::service::terminals::{self, DEMO_EXIT_PIN, TerminalRole};
use servery::service::till::{TillClose, TillOpen};
use servery::service::views::OrderView;
use servery::service::{Caller, Door, Secrets, SystemClock, TimeOrderedIds, backup, doctor, health, setup};
use servery::store::grants::{self, StoreRole};
use servery::store::{Options, Store, StoreError, StoreUrl};
use servery::worker::{self, Worker};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use std::collections::BTreeSet;
use std::sync::Arc;
use support::postgres::{TestDatabase, database};

/// insufficient_privilege.
const FORBIDDEN: &str = "42501";
const PASSWORD: &str = "a password of the tests";

/// The demo on a database of its own, with a role for each kind of process.
struct House {
    roles: Roles,
    database: TestDatabase,
    secrets: Secrets,
}

/// The roles belong to the whole server: they go when the test ends, before its database.
struct Roles {
    prefix: String,
    url: String,
}

impl Drop for Roles {
    fn drop(&mut self) {
        let mut sql = String::new();
        for role in StoreRole::ALL {
            let name = format!("{}{role}", self.prefix);
            sql.push_str(&format!("DROP OWNED BY {name}; DROP ROLE {name};"));
        }
        let url = self.url.clone();
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(run(&url, &sql)).expect("the roles are dropped");
        });
        let dropped = dropping.join();
        assert!(dropped.is_ok() || std::thread::panicking(), "the roles were not dropped");
    }
}

/// Runs statements on a connection of their own; the SQLSTATE where they are refused.
async fn run(url: &str, sql: &str) -> Result<(), String> {
    let mut connection = PgConnection::connect(url).await.map_err(|error| error.to_string())?;
    let done = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await;
    connection.close().await.map_err(|error| error.to_string())?;
    match done {
        Ok(_) => Ok(()),
        Err(sqlx::Error::Database(error)) => Err(error.code().unwrap_or_default().into_owned()),
        Err(error) => Err(error.to_string()),
    }
}

impl House {
    async fn open() -> Option<Self> {
        let database = tokio::task::spawn_blocking(database).await.expect("a database")?;
        let door = door(database.url()).await;
        let ids = TimeOrderedIds::seeded([4; 32]);
        let made = setup::init(door.store(), &SystemClock, &ids, &setup::InitSite::demo("main")).await;
        assert!(made.expect("the demo"));
        let secrets = Secrets::with_pepper(&[7; 32], [5; 32]);
        assert!(staff::insert_demo(&door, &secrets).await.expect("demo staff"));
        let prefix = format!("{}_", database.name());
        let mut make = String::new();
        for role in StoreRole::ALL {
            make.push_str(&format!("CREATE ROLE {prefix}{role} LOGIN PASSWORD '{PASSWORD}';"));
        }
        run(database.url(), &make).await.expect("roles");
        let roles = Roles { prefix, url: database.url().to_owned() };
        let house = Self { roles, database, secrets };
        let sql = grants::sql(StoreRole::ALL, &house.roles.prefix);
        run(house.database.url(), &sql).await.expect("granted");
        // Idempotent: the operator runs it after every migration.
        run(house.database.url(), &sql).await.expect("granted again");
        Some(house)
    }

    /// The database's address for a role.
    fn url(&self, role: StoreRole) -> String {
        let (_, address) = self.database.url().rsplit_once('@').expect("user:password@host");
        let password = PASSWORD.replace(' ', "%20");
        format!("postgres://{}{role}:{password}@{address}", self.roles.prefix)
    }

    async fn door_of(&self, role: StoreRole) -> Door {
        door(&self.url(role)).await
    }

    async fn session(&self, door: &Door, name: &str, terminal: Option<TerminalId>) -> Caller {
        let account = DEMO_ACCOUNTS.iter().find(|account| account.username == name).expect("account");
        let signed = staff::login(door, &self.secrets, terminal, name, account.password).await.expect("signed in");
        Caller::Session { token: signed.token, terminal, override_by: None }
    }

    /// As the owner, past the program.
    async fn owner(&self, sql: &str) {
        run(self.database.url(), sql).await.expect("the owner may");
    }
}

async fn door(url: &str) -> Door {
    let url = StoreUrl::parse(url).expect("an address");
    let store = Store::open(&url, Options::default()).await.expect("a role opens a migrated store");
    Door::new(store, "main", Arc::new(SystemClock), Arc::new(TimeOrderedIds::from_machine()))
}

/// Card payment as the demo has it, on the rights of a door.
fn cards(door: &Door) -> Gateways {
    let memory = Arc::new(StoredProviderMemory::new(door.store().clone(), "main"));
    let clock: Arc<dyn Clock> = Arc::clone(door.clock());
    let provider = Provider { memory, clock: Arc::clone(&clock), script: None };
    let gateway = CardGateway::new(CardKeys::demo(), provider);
    Gateways::none().with(Arc::new(WatchedGateway::new(Arc::new(gateway), door.store().clone(), "main", clock)))
}

/// A guest at a kiosk.
struct Guest<'a> {
    door: &'a Door,
    caller: Caller,
}

impl<'a> Guest<'a> {
    fn at(door: &'a Door, terminal: Option<TerminalId>) -> Self {
        let caller = Caller::Guest { customer: CustomerId(door.new_id()), terminal };
        Self { door, caller }
    }

    async fn place(&self, method: Method) -> OrderView {
        let menu = self.door.ask(&self.caller, MenuNow::default()).await.expect("the menu");
        let cart = CartId(self.door.new_id());
        let fulfilment = CartFulfilment { cart, fulfilment: Fulfilment::Pickup };
        self.door.execute(&self.caller, None, fulfilment).await.expect("a cart");
        let mut full = false;
        for item in &menu.items {
            let add = CartAdd { cart, item: item.id, options: Vec::new(), quantity: 1, note: String::new() };
            full = full || self.door.execute(&self.caller, None, add).await.is_ok();
        }
        assert!(full, "the demo has a dish without options");
        self.door.ask(&self.caller, ShowCart { cart }).await.expect("the cart");
        let place = PlaceOrder {
            cart,
            method,
            called_name: Some("Mira".to_owned()),
            pay_now: false,
            delivery_address: None,
            retry_of: None,
            expected_total: None,
        };
        let key = self.door.new_id().to_string();
        self.door.execute(&self.caller, Some(&key), place).await.expect("placed").order
    }

    async fn pay(&self, gateways: &Gateways, order: OrderId, number: &str) -> OrderView {
        let started = self.door.execute(&self.caller, None, StartPayment { order }).await.expect("started").order;
        let attempt = started.attempts.iter().find(|attempt| is_open(attempt)).expect("an attempt");
        let card = CardDetails::parse(number, "12/99", "123").expect("a card");
        let paid = payments::pay(self.door, gateways, &started, attempt, Instrument::Card(card)).await;
        paid.expect("paid").outcome.order
    }
}

async fn seen(door: &Door, order: OrderId) -> OrderView {
    door.ask(&Caller::System, ShowOrder { order: OrderName::Id(order) }).await.expect("the order")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_table_of_the_schema_is_decided_on() {
    let Some(database) = tokio::task::spawn_blocking(database).await.expect("a database") else { return };
    door(database.url()).await;
    let mut connection = PgConnection::connect(database.url()).await.expect("a connection");
    let tables = "SELECT CAST(relname AS TEXT) FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p', 'v', 'm') \
         AND relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'public')";
    let found: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut connection).await.expect("tables");
    connection.close().await.expect("closed");
    let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    let decided: BTreeSet<&str> = grants::TABLES.iter().map(|table| table.name).collect();
    assert_eq!(found, decided, "add the table to store/grants.rs with the rights of each role");
}

/// Statements that a role is refused, and that its owner is not.
const FORBIDDEN_TO: &[(StoreRole, &[&str])] = &[
    (
        StoreRole::Kiosk,
        &[
            "SELECT username FROM staff",
            "INSERT INTO staff DEFAULT VALUES",
            "UPDATE staff SET role = 'admin'",
            "SELECT token_hash FROM sessions",
            "INSERT INTO sessions DEFAULT VALUES",
            "SELECT balance FROM till_shifts",
            "UPDATE till_shifts SET note = 'x'",
            "SELECT amount FROM drawer_movements",
            "INSERT INTO drawer_movements DEFAULT VALUES",
            "INSERT INTO settings DEFAULT VALUES",
            "UPDATE settings SET updated_at = 0",
            "DELETE FROM settings",
            "UPDATE sites SET settings_version = 1",
            "SELECT details FROM audit_log",
            "UPDATE audit_log SET details = 'x'",
            "DELETE FROM audit_log",
            "TRUNCATE audit_log",
            "INSERT INTO audit_seals DEFAULT VALUES",
            "UPDATE stock_movements SET quantity = 1",
            "DELETE FROM stock_movements",
            "UPDATE order_history SET reason = 'x'",
            "DELETE FROM order_history",
            "UPDATE orders SET total = 0, subtotal = 0",
            "UPDATE orders SET customer_id = id",
            "UPDATE orders SET method = 'card'",
            "UPDATE orders SET order_number = 'x'",
            "UPDATE orders SET price_trace = '{}'",
            "DELETE FROM orders",
            "UPDATE order_lines SET unit_price = 1",
            "UPDATE payment_attempts SET amount = 1",
            "UPDATE refunds SET status = 'settled'",
            "UPDATE menu_items SET price = 1",
            "INSERT INTO menu_items DEFAULT VALUES",
            "UPDATE stock_items SET low_mark = 0",
            "UPDATE terminals SET revoked_at = NULL",
            "UPDATE terminals SET exit_pin_hash = NULL",
            "UPDATE store_meta SET pepper_fingerprint = NULL",
            "INSERT INTO worker_lease DEFAULT VALUES",
            "SELECT event FROM outbox",
            "UPDATE outbox SET sent_at = 0",
            "DELETE FROM idempotency_keys",
            "INSERT INTO archive_runs DEFAULT VALUES",
            "CREATE TABLE mine (a BIGINT)",
            "CREATE TEMPORARY TABLE till_shifts (a BIGINT)",
            "ALTER TABLE orders DISABLE TRIGGER ALL",
            "SET session_replication_role = replica",
        ],
    ),
    (
        StoreRole::Kitchen,
        &[
            "INSERT INTO staff DEFAULT VALUES",
            "UPDATE staff SET role = 'admin'",
            "UPDATE staff SET password_hash = 'x'",
            "UPDATE settings SET updated_at = 0",
            "UPDATE menu_items SET price = 1",
            "SELECT details FROM audit_log",
            "UPDATE audit_log SET details = 'x'",
            "DELETE FROM stock_movements",
            "UPDATE drawer_movements SET amount = 1",
            "UPDATE till_shifts SET opening_float = 1",
            "UPDATE orders SET total = 0, subtotal = 0",
            "UPDATE outbox SET sent_at = 0",
            "UPDATE worker_lease SET fence = 9",
            "CREATE TABLE mine (a BIGINT)",
        ],
    ),
    (
        StoreRole::Console,
        &[
            "UPDATE audit_log SET details = 'x'",
            "DELETE FROM audit_log",
            "INSERT INTO audit_seals DEFAULT VALUES",
            "DELETE FROM stock_movements",
            "DELETE FROM order_history",
            "DELETE FROM staff",
            "DELETE FROM drawer_movements",
            "UPDATE orders SET total = 0, subtotal = 0",
            "UPDATE payment_attempts SET amount = 1",
            "UPDATE outbox SET sent_at = 0",
            "UPDATE worker_lease SET fence = 9",
            "UPDATE sessions SET staff_id = NULL",
            "INSERT INTO archive_runs DEFAULT VALUES",
            "CREATE TABLE mine (a BIGINT)",
        ],
    ),
    (
        StoreRole::Worker,
        &[
            "SELECT password_hash FROM staff",
            "SELECT pin_hash FROM staff",
            "UPDATE staff SET last_seen_at = 0",
            "SELECT token_hash FROM sessions",
            "SELECT exit_pin_hash FROM terminals",
            "SELECT phone_encrypted FROM customers",
            "UPDATE settings SET updated_at = 0",
            "UPDATE menu_items SET price = 1",
            "UPDATE audit_log SET details = 'x'",
            "DELETE FROM audit_log",
            "UPDATE audit_seals SET sealed_at = 0",
            "DELETE FROM order_history",
            "INSERT INTO drawer_movements DEFAULT VALUES",
            "UPDATE till_shifts SET balance = 0",
            "UPDATE orders SET total = 0, subtotal = 0",
            "INSERT INTO archive_runs DEFAULT VALUES",
            "CREATE TABLE mine (a BIGINT)",
        ],
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_role_may_not_is_refused_by_the_server() {
    let Some(house) = House::open().await else { return };
    for (role, statements) in FORBIDDEN_TO {
        for statement in *statements {
            let attempted = format!("BEGIN; {statement}; ROLLBACK");
            let refused = run(&house.url(*role), &attempted).await;
            assert_eq!(refused, Err(FORBIDDEN.to_owned()), "{role}: {statement}");
            // The statement itself makes sense: its owner is not refused for want of a right.
            let owner = run(house.database.url(), &attempted).await;
            let judged = owner.as_ref().map_or_else(|code| code.starts_with("23"), |()| true);
            assert!(judged, "{statement} as the owner: {owner:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_without_the_right_to_migrate_says_so_only_to_an_older_store() {
    let Some(house) = House::open().await else { return };
    house.owner("DELETE FROM _sqlx_migrations WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)").await;
    let url = StoreUrl::parse(&house.url(StoreRole::Kiosk)).expect("an address");
    let refused = Store::open(&url, Options::default()).await.expect_err("older");
    let StoreError::Unusable(words) = refused else { panic!("{refused:?}") };
    assert!(words.contains("servery db migrate") && words.contains("may not change it"), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_roads_of_all_roles_lead_through_the_door() {
    let Some(house) = House::open().await else { return };
    let kiosk = house.door_of(StoreRole::Kiosk).await;
    let kitchen = house.door_of(StoreRole::Kitchen).await;
    let console = house.door_of(StoreRole::Console).await;
    let working = house.door_of(StoreRole::Worker).await;

    // The kiosk: registered, left by its PIN, and an order paid by card that the house accepts by itself.
    let at = terminals::register(&kiosk, "kiosk-a", TerminalRole::Kiosk).await.expect("registered");
    house.secrets.check_store(&kiosk).await.expect("its pepper");
    let heartbeat = terminals::Heartbeat { terminal: at, software_version: Some("1".to_owned()) };
    kiosk.execute(&Caller::System, None, heartbeat).await.expect("a heartbeat");
    let wrong = terminals::verify_exit_pin(&kiosk, &house.secrets, at, "000000").await;
    assert_eq!(wrong.expect_err("wrong").code.as_str(), "INVALID_TOKEN");
    terminals::verify_exit_pin(&kiosk, &house.secrets, at, DEMO_EXIT_PIN).await.expect("left");
    let gateways = cards(&kiosk);
    let guest = Guest::at(&kiosk, Some(at));
    let order = guest.place(Method::Card).await;
    kiosk.execute(&guest.caller, None, ExtendHold { order: order.id }).await.expect("extended");
    let paid = guest.pay(&gateways, order.id, "4242424242424242").await;
    assert_eq!((paid.status, paid.paid), (Status::Confirmed, true), "prepaid orders are accepted by themselves");
    let declined = guest.place(Method::Card).await;
    let declined = guest.pay(&gateways, declined.id, "4000000000000002").await;
    assert_eq!(declined.status, Status::Cancelled);
    let cash = guest.place(Method::Cash).await;
    let cancel = CancelOrder { order: cash.id, reason: "no".to_owned() };
    assert_eq!(kiosk.execute(&guest.caller, None, cancel).await.expect("cancelled").status, Status::Cancelled);
    let waiting = guest.place(Method::Cash).await;
    let unanswered = guest.place(Method::Card).await;
    guest.pay(&gateways, unanswered.id, "4000000000004087").await;
    let expiring = guest.place(Method::Card).await;

    // The kitchen: staff sign in, cook, take cash and close the till.
    let board = terminals::register(&kitchen, "kitchen-a", TerminalRole::Kitchen).await.expect("registered");
    let cook = house.session(&kitchen, "ravi", Some(board)).await;
    kitchen.ask(&Caller::Terminal(board), ShowKitchen).await.expect("the board");
    kitchen.ask(&cook, AllDay::default()).await.expect("all day");
    for _ in 0..3 {
        let seen_version = seen(&kitchen, order.id).await.version;
        let bump = Bump { order: order.id, station: None, seen_version };
        if kitchen.execute(&Caller::Terminal(board), None, bump).await.is_err() {
            break;
        }
    }
    assert_eq!(seen(&kitchen, order.id).await.status, Status::Ready);
    kitchen.execute(&cook, None, RecallOrder { order: order.id }).await.expect("recalled");
    let forced = Some("it is done".to_owned());
    let manager_at_board = house.session(&kitchen, "asha", Some(board)).await;
    kitchen.execute(&manager_at_board, None, MarkReady { order: order.id, forced }).await.expect("ready");
    kitchen.execute(&cook, None, HandOver { order: order.id }).await.expect("handed over");
    kitchen.execute(&cook, None, TillOpen { float: 5_000 }).await.expect("the till is open");
    let accept = AcceptOrder { order: waiting.id, eta_minutes: None };
    kitchen.execute(&cook, None, accept).await.expect("accepted");
    let tendered = Money(waiting.total.0 + 100);
    kitchen.execute(&cook, None, ConfirmCash { order: waiting.id, tendered }).await.expect("cash taken");
    let counted = 5_000 + waiting.total.0;
    kitchen
        .execute(&cook, None, TillClose { shift: None, counted, note: None, force: None })
        .await
        .expect("the till is closed");

    // The worker: answers that never came, an order that expires, events, seals, doctor.
    working.ask(&Caller::System, ShowBoard).await.expect("the board for customers");
    let leader = Worker::new(working.clone(), cards(&working), worker::Options::default());
    let held = leader.take_lease().await.expect("asked").held.expect("the lease is free");
    let past = "UPDATE payment_attempts SET next_check_at = 1 WHERE next_check_at IS NOT NULL; \
         UPDATE orders SET expires_at = 1 WHERE status = 'pending'; \
         UPDATE idempotency_keys SET created_at = 1; UPDATE carts SET updated_at = 1 WHERE state = 'open'; \
         UPDATE simulated_charges SET known_from = 1 WHERE known_from IS NOT NULL";
    house.owner(past).await;
    let report = leader.round(&held).await.expect("a round");
    assert!(report.delivered > 0 && report.timers > 0 && report.poisoned == 0 && report.failed == 0, "{report:?}");
    assert!(report.attempts > 0 && report.forgotten > 0, "{report:?}");
    assert_eq!(seen(&working, expiring.id).await.status, Status::Expired);
    let answered = seen(&working, unanswered.id).await;
    assert_eq!(answered.attempts.first().expect("an attempt").status, AttemptStatus::Captured);
    support::wait::until_async(support::wait::LIMIT, "the audit log is sealed", || async {
        leader.seal_audit_older_than(&held, 0).await.expect("sealing").sealed > 0
    })
    .await;
    let examined = leader.examine_if_due(&held).await.expect("doctor").expect("it was due");
    assert!(examined.is_healthy(), "{examined:#?}");
    leader.renew(&held).await.expect("renewed");

    // The console: a manager changes what only managers change, gives money back, and looks.
    let manager = house.session(&console, "asha", None).await;
    let setting =
        SetSetting { key: "max_orders_per_slot".to_owned(), value: serde_json::json!(80), seen: None, reason: None };
    console.execute(&manager, None, setting).await.expect("a setting");
    let menu = console.ask(&manager, MenuNow::default()).await.expect("the menu");
    let item = menu.items.first().expect("a dish");
    let price = SetPrice { item: item.code.clone(), price: "199.00".to_owned() };
    console.execute(&manager, None, price).await.expect("a price");
    let code = "paneer".to_owned();
    let receive = StockReceive { item: code.clone(), quantity: 10, reason: "counted".to_owned() };
    console.execute(&manager, None, receive).await.expect("received");
    let recount = StockRecount { item: code, counted: 200, reason: "Monday count".to_owned(), release: Vec::new() };
    console.execute(&manager, None, recount).await.expect("counted");
    let cancel = StaffCancelOrder { order: unanswered.id, reason: "not wanted".to_owned() };
    console.execute(&manager, None, cancel).await.expect("cancelled, and the money goes back");
    terminals::set_exit_pin(&console, &house.secrets, &manager, at, "918273", "").await.expect("an exit PIN");
    terminals::verify_exit_pin(&kiosk, &house.secrets, at, "918273").await.expect("the kiosk is left with it");
    assert!(doctor::examine(&console, &manager).await.expect("doctor").is_healthy());
    let folder = tempfile::tempdir().expect("a folder");
    backup::back_up(&console, &manager, &folder.path().join("one.backup")).await.expect("a backup");
    let view = health::look(&console, &manager, None).await.expect("health");
    assert!(view.worker.running && view.doctor.is_some(), "{view:?}");
    assert!(view.gateways.iter().any(|gateway| gateway.last_ok_at.is_some()), "the kiosk noted its gateway: {view:?}");
    // What the console asked for, the worker carries out.
    assert_eq!(leader.round(&held).await.expect("a round").refunds, 1);
    leader.give_back(&held).await.expect("given back");
}
