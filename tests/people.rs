//! Staff, sign-in, terminals and the till through the real door, on both databases. Time jumps run on
//! SQLite only: on Postgres the instant of a transaction is the server's.

#![expect(clippy::panic, clippy::expect_used, reason = "the helpers of these tests may fail the test")]

mod support;

use servery::domain::access::{Actor, Role};
use servery::domain::error::{ErrorCode, Refused};
use servery::domain::ids::{CustomerId, OrderId, RefundId, ShiftId, StaffId, TerminalId};
use servery::domain::time::{Clock, Timestamp};
use servery::service::staff::{
    self, DEMO_ACCOUNTS, ListStaff, NewStaff, SetStaffActive, SetStaffRole, SignedIn, WhoAmI,
};
use servery::service::terminals::{self, DEMO_EXIT_PIN, Heartbeat, ListTerminals, RevokeTerminal, TerminalRole};
use servery::service::till::{CashDrop, CashIn, ListShifts, TillClose, TillOpen, TillStatus};
use servery::service::{Caller, Door, Secrets, TimeOrderedIds, token_hash};
use servery::store::sites::{self, SiteRow};
use servery::store::till::{self, Movement, MovementKind};
use servery::store::{Options, Store, StoreUrl, people};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use uuid::Uuid;

const START: i64 = 1_800_000_000_000_000;
const SITE: &str = "main";

/// A clock that the test sets.
struct TestClock(AtomicI64);

impl TestClock {
    fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A store with a site, and the door to it.
struct House {
    door: Door,
    secrets: Secrets,
    clock: Arc<TestClock>,
    url: StoreUrl,
    _folder: tempfile::TempDir,
    _database: Option<support::postgres::TestDatabase>,
}

impl House {
    async fn open(database: Option<support::postgres::TestDatabase>, demo: bool) -> Self {
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

    async fn sqlite() -> Self {
        let house = Self::open(None, true).await;
        assert!(staff::insert_demo(&house.door, &house.secrets).await.expect("demo staff"));
        house
    }

    /// The demo house on SQLite and, unless left out, on Postgres.
    async fn both() -> Vec<Self> {
        let mut houses = vec![Self::sqlite().await];
        if let Some(database) = support::postgres::database() {
            let house = Self::open(Some(database), true).await;
            assert!(staff::insert_demo(&house.door, &house.secrets).await.expect("demo staff"));
            houses.push(house);
        }
        houses
    }

    async fn login(&self, name: &str, password: &str) -> Result<SignedIn, Refused> {
        staff::login(&self.door, &self.secrets, None, name, password).await
    }

    /// Signs a demo account in.
    async fn enter(&self, name: &str) -> SignedIn {
        let account = DEMO_ACCOUNTS.iter().find(|account| account.username == name).expect("account");
        self.login(name, account.password).await.expect("signed in")
    }

    async fn caller(&self, name: &str) -> Caller {
        session(&self.enter(name).await, None)
    }

    async fn terminal(&self, name: &str, role: TerminalRole) -> TerminalId {
        terminals::register(&self.door, name, role).await.expect("terminal")
    }

    /// Runs a statement of the test's own, past the program.
    async fn raw(&self, sql: String) -> Result<u64, sqlx::Error> {
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
    async fn count(&self, sql: &'static str) -> i64 {
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
    fn literal(&self, id: Uuid) -> String {
        match &self.url {
            StoreUrl::Sqlite(_) => format!("X'{}'", id.simple()),
            StoreUrl::Postgres(_) => format!("'{id}'"),
        }
    }

    /// A cash order that waits for its money.
    async fn cash_order(&self, sequence: i64) -> OrderId {
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
    async fn order_cash(&self, shift: ShiftId, movement: &Movement<'_>) -> bool {
        let mut tx = self.door.store().write().await.expect("transaction");
        let moved = till::move_cash(&mut tx, SITE, shift, movement, &Actor::system(), Timestamp(START)).await;
        let moved = moved.expect("movement");
        tx.commit().await.expect("commit");
        moved
    }
}

fn session(signed_in: &SignedIn, terminal: Option<TerminalId>) -> Caller {
    Caller::Session { token: signed_in.token.clone(), terminal, override_by: None }
}

fn code<T: std::fmt::Debug>(result: Result<T, Refused>) -> ErrorCode {
    result.expect_err("must be refused").code
}

fn seconds(refused: &Refused) -> i64 {
    refused.details["seconds"].as_i64().expect("seconds")
}

// ------------------------------------------------------------------------------------- signing in

#[tokio::test(flavor = "multi_thread")]
async fn demo_staff_sign_in_by_password_and_by_pin_in_a_demo_store_only() {
    for house in House::both().await {
        assert!(!staff::insert_demo(&house.door, &house.secrets).await.expect("again"), "only once");
        let terminal = house.terminal("kitchen-1", TerminalRole::Kitchen).await;
        for account in DEMO_ACCOUNTS {
            let name = format!(" {} ", account.username.to_uppercase());
            let signed_in = house.login(&name, account.password).await.expect("by password");
            assert_eq!((signed_in.role, signed_in.name.as_str()), (account.role, account.name));
            let quick = staff::login_pin(&house.door, &house.secrets, terminal, account.username, account.pin)
                .await
                .expect("by PIN");
            let who = house.door.ask(&session(&quick, Some(terminal)), WhoAmI).await.expect("who am I");
            assert_eq!((who.staff, who.name.as_str()), (Some(signed_in.staff), account.username));
            assert_eq!((who.role, who.terminal), (account.role, Some(terminal)));
            assert_eq!(who.permissions, account.role.permissions());
        }
        let by_pin_as_password = house.login("asha", "271828").await;
        assert_eq!(code(by_pin_as_password), ErrorCode::InvalidToken);
        let nowhere = TerminalId(Uuid::from_u128(9));
        let refused = staff::login_pin(&house.door, &house.secrets, nowhere, "asha", "271828").await;
        assert_eq!(code(refused), ErrorCode::Forbidden);
    }
    let real = House::open(None, false).await;
    assert!(!staff::insert_demo(&real.door, &real.secrets).await.expect("left alone"));
    assert_eq!(code(real.login("asha", "demo-asha-2026").await), ErrorCode::InvalidToken);
}

#[tokio::test(flavor = "multi_thread")]
async fn known_and_unknown_names_are_refused_alike() {
    for house in House::both().await {
        let known = house.login("asha", "not-the-password").await.expect_err("wrong");
        let unknown = house.login("nobody", "not-the-password").await.expect_err("unknown");
        assert_eq!(known, unknown);
        assert_eq!(known.code, ErrorCode::InvalidToken);
        let refused = "SELECT COUNT(*) FROM audit_log WHERE action = 'SIGN_IN_REFUSED' AND details = 'wrong password'";
        assert_eq!(house.count(refused).await, 2, "both are in the audit log");
        let named = "SELECT COUNT(*) FROM audit_log WHERE entity_id = 'nobody' OR details LIKE '%nobody%'";
        assert_eq!(house.count(named).await, 0, "what was typed as a name is not");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_tries_then_doubling_pauses_and_success_forgets() {
    let house = House::sqlite().await;
    for name in ["asha", "nobody"] {
        for _ in 0..5 {
            assert_eq!(code(house.login(name, "wrong-password").await), ErrorCode::InvalidToken, "{name}");
            // Another account is tried from elsewhere, so that only this account's count stands here.
            house.raw("DELETE FROM rate_limits WHERE scope = 'login_terminal'".to_owned()).await.expect("raw");
        }
        let refused = house.login(name, "demo-asha-2026").await.expect_err("right, but too soon");
        assert_eq!((refused.code, seconds(&refused)), (ErrorCode::RateLimited, 30), "{name}");
    }
    house.clock.advance(29);
    assert_eq!(seconds(&house.login("asha", "demo-asha-2026").await.expect_err("too soon")), 1);
    house.clock.advance(1);
    assert_eq!(code(house.login("asha", "wrong-password").await), ErrorCode::InvalidToken);
    assert_eq!(seconds(&house.login("asha", "demo-asha-2026").await.expect_err("too soon")), 60);
    house.clock.advance(60);
    house.login("asha", "demo-asha-2026").await.expect("after the pause");
    for _ in 0..5 {
        assert_eq!(code(house.login("asha", "wrong-password").await), ErrorCode::InvalidToken, "forgotten");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_is_locked_whatever_name_is_tried_and_others_are_not() {
    for house in House::both().await {
        let one = house.terminal("kitchen-1", TerminalRole::Kitchen).await;
        let two = house.terminal("kitchen-2", TerminalRole::Kitchen).await;
        for number in 0..5 {
            let name = format!("guess{number}");
            let refused = staff::login_pin(&house.door, &house.secrets, one, &name, "000001").await;
            assert_eq!(code(refused), ErrorCode::InvalidToken);
        }
        let refused = staff::login_pin(&house.door, &house.secrets, one, "ravi", "314159").await;
        let refused = refused.expect_err("locked");
        assert_eq!(refused.code, ErrorCode::RateLimited);
        assert!((1..=30).contains(&seconds(&refused)));
        staff::login_pin(&house.door, &house.secrets, two, "ravi", "314159").await.expect("elsewhere");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tries_at_one_instant_are_all_counted_before_any_is_verified() {
    for house in House::both().await {
        let mut tries = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (door, secrets) = (house.door.clone(), house.secrets.clone());
            tries.spawn(async move { code(staff::login(&door, &secrets, None, "asha", "wrong-password").await) });
        }
        let codes = tries.join_all().await;
        let verified = codes.iter().filter(|code| **code == ErrorCode::InvalidToken).count();
        let limited = codes.iter().filter(|code| **code == ErrorCode::RateLimited).count();
        assert_eq!((verified, limited), (5, 15), "{codes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_by_time_by_signing_out_and_by_nobody_knowing_it() {
    let house = House::sqlite().await;
    let signed_in = house.enter("ravi").await;
    assert_eq!(signed_in.expires_at, Timestamp(START).plus_seconds(12 * 3_600));
    house.clock.advance(12 * 3_600 - 1);
    house.door.ask(&session(&signed_in, None), WhoAmI).await.expect("in the last second");
    house.clock.advance(1);
    assert_eq!(code(house.door.ask(&session(&signed_in, None), WhoAmI).await), ErrorCode::TokenExpired);
    for house in House::both().await {
        let (stays, goes) = (house.enter("ravi").await, house.enter("ravi").await);
        staff::logout(&house.door, &goes.token).await.expect("out");
        staff::logout(&house.door, &goes.token).await.expect("again does nothing");
        staff::logout(&house.door, "never given out").await.expect("unknown does nothing");
        assert_eq!(code(house.door.ask(&session(&goes, None), WhoAmI).await), ErrorCode::TokenExpired);
        house.door.ask(&session(&stays, None), WhoAmI).await.expect("the other session stays");
        let forged = Caller::Session { token: "0".repeat(64), terminal: None, override_by: None };
        assert_eq!(code(house.door.ask(&forged, WhoAmI).await), ErrorCode::InvalidToken);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_never_stored_in_clear_nor_shown() {
    let house = House::sqlite().await;
    let terminal = house.terminal("kiosk-1", TerminalRole::Kiosk).await;
    let signed_in = house.enter("asha").await;
    let caller = session(&signed_in, None);
    terminals::set_exit_pin(&house.door, &house.secrets, &caller, terminal, "975310864").await.expect("exit PIN");
    let new = NewStaff {
        username: "mila",
        name: "Mila",
        role: Role::Kitchen,
        password: "a-very-secret-word",
        pin: Some("864209753"),
    };
    let key = Some("the-key");
    staff::add_staff(&house.door, &house.secrets, &caller, key, &new).await.expect("added");
    assert_eq!(code(house.login("typed-password-as-name", "x").await), ErrorCode::InvalidToken);
    let StoreUrl::Sqlite(path) = &house.url else { panic!("SQLite") };
    let wal = path.with_extension("db-wal");
    let stored = [std::fs::read(path).expect("file"), std::fs::read(wal).expect("log")].concat();
    let holds = |text: &[u8]| stored.windows(text.len()).any(|window| window == text);
    assert!(holds(b"mila") && holds(&token_hash(&signed_in.token)), "the store was read");
    for secret in [
        "a-very-secret-word",
        "864209753",
        "975310864",
        "demo-asha-2026",
        "271828",
        "typed-password-as-name",
        &signed_in.token,
    ] {
        assert!(!holds(secret.as_bytes()), "{secret} is in the store");
    }
    for shown in [format!("{signed_in:?}"), format!("{caller:?}"), format!("{new:?}"), format!("{:?}", house.secrets)] {
        assert!(!shown.contains(&signed_in.token) && !shown.contains("a-very-secret-word"), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_pepper_is_refused_with_its_reason_and_locks_nobody() {
    for house in House::both().await {
        let stranger = Secrets::with_pepper(&[8; 32], [5; 32]);
        for _ in 0..6 {
            let refused = staff::login(&house.door, &stranger, None, "asha", "demo-asha-2026").await;
            let refused = refused.expect_err("another pepper");
            assert_eq!((refused.code, refused.guard), (ErrorCode::Forbidden, Some("pepper")));
        }
        stranger.check_store(&house.door).await.expect_err("at start, too");
        house.secrets.check_store(&house.door).await.expect("its own");
        house.enter("asha").await;
    }
}

// ---------------------------------------------------------------------------------- who is on the staff

#[tokio::test(flavor = "multi_thread")]
async fn staff_are_added_once_by_key_and_by_name() {
    for house in House::both().await {
        let caller = house.caller("asha").await;
        let new = NewStaff {
            username: "Mila",
            name: "Mi\u{202e}la",
            role: Role::Kitchen,
            password: "first-password",
            pin: None,
        };
        let add =
            async |new: &NewStaff<'_>, key| staff::add_staff(&house.door, &house.secrets, &caller, key, new).await;
        let mila = add(&new, Some("k1")).await.expect("added");
        assert_eq!((mila.username.as_str(), mila.name.as_str(), mila.has_pin), ("mila", "Mila", false));
        assert_eq!(add(&new, Some("k1")).await.expect("the same again"), mila);
        let other = NewStaff { password: "other-password", ..new };
        assert_eq!(code(add(&other, Some("k1")).await), ErrorCode::IdempotencyMismatch);
        assert_eq!(code(add(&new, None).await), ErrorCode::Conflict);
        for wrong in [
            NewStaff { username: "x", ..new },
            NewStaff { username: "ok", name: " ", ..new },
            NewStaff { username: "ok", password: "short", ..new },
            NewStaff { username: "ok", pin: Some("123456"), ..new },
            NewStaff { username: "ok", role: Role::System, ..new },
        ] {
            assert_eq!(code(add(&wrong, None).await), ErrorCode::ValidationError, "{wrong:?}");
        }
        house.login("mila", "first-password").await.expect("signs in");
        let page = house.door.ask(&caller, ListStaff { after: Some("asha".into()), limit: 2 }).await.expect("page");
        let names: Vec<&str> = page.items.iter().map(|row| row.username.as_str()).collect();
        assert_eq!((names, page.next.as_deref(), page.total), (vec!["mila", "noor"], Some("noor"), 4));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_rights_or_secrets_counts_from_the_next_command() {
    for house in House::both().await {
        let caller = house.caller("asha").await;
        let ravi = house.enter("ravi").await;
        let open = TillOpen { float: 0 };
        let role = |role| SetStaffRole { staff: ravi.staff, role, reason: "new duty".into() };
        house.door.execute(&caller, None, role(Role::Delivery)).await.expect("role");
        assert_eq!(code(house.door.execute(&session(&ravi, None), None, open.clone()).await), ErrorCode::TokenExpired);
        let again = house.enter("ravi").await;
        assert_eq!(again.role, Role::Delivery);
        assert_eq!(code(house.door.execute(&session(&again, None), None, open).await), ErrorCode::InsufficientRole);

        let active = |active| SetStaffActive { staff: ravi.staff, active, reason: "left".into() };
        house.door.execute(&caller, None, active(false)).await.expect("deactivated");
        assert_eq!(code(house.door.ask(&session(&again, None), WhoAmI).await), ErrorCode::TokenExpired);
        assert_eq!(code(house.login("ravi", "demo-ravi-2026").await), ErrorCode::InvalidToken);
        house.door.execute(&caller, None, active(true)).await.expect("back");
        assert_eq!(code(house.door.ask(&session(&again, None), WhoAmI).await), ErrorCode::TokenExpired);
        let again = house.enter("ravi").await;

        staff::set_password(&house.door, &house.secrets, &caller, ravi.staff, "a-new-password")
            .await
            .expect("password");
        assert_eq!(code(house.door.ask(&session(&again, None), WhoAmI).await), ErrorCode::TokenExpired);
        assert_eq!(code(house.login("ravi", "demo-ravi-2026").await), ErrorCode::InvalidToken);
        let again = house.login("ravi", "a-new-password").await.expect("with the new one");
        staff::set_pin(&house.door, &house.secrets, &caller, ravi.staff, "602214").await.expect("PIN");
        assert_eq!(code(house.door.ask(&session(&again, None), WhoAmI).await), ErrorCode::TokenExpired);
        let terminal = house.terminal("kitchen-1", TerminalRole::Kitchen).await;
        let old = staff::login_pin(&house.door, &house.secrets, terminal, "ravi", "314159").await;
        assert_eq!(code(old), ErrorCode::InvalidToken);
        staff::login_pin(&house.door, &house.secrets, terminal, "ravi", "602214").await.expect("the new PIN");
        let nobody = SetStaffActive { staff: StaffId(Uuid::from_u128(4)), active: false, reason: "x".into() };
        assert_eq!(code(house.door.execute(&caller, None, nobody).await), ErrorCode::NotFound);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_admin_stays_even_when_two_remove_each_other_at_once() {
    for house in House::both().await {
        let asha = house.enter("asha").await;
        let caller = session(&asha, None);
        let off = |staff| SetStaffActive { staff, active: false, reason: "x".into() };
        let refused = house.door.execute(&caller, None, off(asha.staff)).await.expect_err("the last one");
        assert_eq!((refused.code, refused.guard), (ErrorCode::Conflict, Some("last_admin")));
        let less = SetStaffRole { staff: asha.staff, role: Role::Kitchen, reason: "x".into() };
        assert_eq!(house.door.execute(&caller, None, less).await.expect_err("the last one").guard, Some("last_admin"));

        let new =
            NewStaff { username: "mila", name: "Mila", role: Role::Admin, password: "a-long-password", pin: None };
        let mila = staff::add_staff(&house.door, &house.secrets, &caller, None, &new).await.expect("second admin");
        // Not by their own sessions: the faster one would end the other's.
        let (one, two) = tokio::join!(
            house.door.execute(&Caller::System, None, off(asha.staff)),
            house.door.execute(&Caller::System, None, off(mila.id)),
        );
        assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1, "{one:?} {two:?}");
        let refused = one.err().or(two.err()).expect("one refused");
        assert_eq!(refused.guard, Some("last_admin"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_managers_pin_lets_one_command_through_while_they_are_a_manager() {
    for house in House::both().await {
        let (door, secrets) = (&house.door, &house.secrets);
        let terminal = house.terminal("kitchen-1", TerminalRole::Kitchen).await;
        let (asha, ravi) = (house.enter("asha").await, house.enter("ravi").await);
        let check = async |name: Option<&'static str>, pin: &'static str| {
            staff::verify_override(door, secrets, Some(terminal), name, pin).await
        };
        assert_eq!(check(None, "271828").await.expect("the only admin"), asha.staff);
        assert_eq!(check(Some("asha"), "271828").await.expect("by name"), asha.staff);
        assert_eq!(code(check(Some("ravi"), "314159").await), ErrorCode::InvalidToken, "no admin");
        assert_eq!(code(check(None, "314159").await), ErrorCode::InvalidToken);
        let new = NewStaff {
            username: "mila",
            name: "Mila",
            role: Role::Admin,
            password: "a-long-password",
            pin: Some("602214"),
        };
        let mila = staff::add_staff(door, secrets, &session(&asha, None), None, &new).await.expect("second admin");
        assert_eq!(code(check(None, "271828").await), ErrorCode::ValidationError, "which of them?");
        assert_eq!(check(Some("mila"), "602214").await.expect("by name"), mila.id);

        let with =
            |admin| Caller::Session { token: ravi.token.clone(), terminal: Some(terminal), override_by: Some(admin) };
        door.ask(&session(&ravi, None), ListStaff::default()).await.expect_err("not a cook's");
        door.ask(&with(mila.id), ListStaff::default()).await.expect("let through");
        let less = SetStaffRole { staff: mila.id, role: Role::Kitchen, reason: "x".into() };
        door.execute(&session(&asha, None), None, less).await.expect("no admin any more");
        assert_eq!(code(door.ask(&with(mila.id), ListStaff::default()).await), ErrorCode::InsufficientRole);
        assert_eq!(
            code(door.ask(&with(StaffId(Uuid::nil())), ListStaff::default()).await),
            ErrorCode::InsufficientRole
        );
        check(Some("asha"), "271828").await.expect("right, and forgets the wrong one before");
        for _ in 0..5 {
            assert_eq!(code(check(Some("asha"), "000001").await), ErrorCode::InvalidToken);
        }
        assert_eq!(code(check(Some("asha"), "271828").await), ErrorCode::RateLimited);
    }
}

/// Runs everything of this file's use cases as the caller; answers what the door let in.
async fn let_in(house: &House, caller: &Caller) -> Vec<&'static str> {
    let (door, secrets) = (&house.door, &house.secrets);
    let nobody = StaffId(Uuid::from_u128(4));
    let nowhere = TerminalId(Uuid::from_u128(5));
    let reason = || "walk".to_owned();
    let mut entered = Vec::new();
    let mut note = |name: &'static str, refused: Option<Refused>| match refused.map(|refused| refused.code) {
        Some(ErrorCode::InsufficientRole) => {}
        Some(ErrorCode::InternalError | ErrorCode::StoreUnavailable | ErrorCode::TokenExpired) => {
            panic!("{name} failed")
        }
        _ => entered.push(name),
    };
    let new =
        NewStaff { username: "walker", name: "Walker", role: Role::Kitchen, password: "a-long-password", pin: None };
    note("who am I", door.ask(caller, WhoAmI).await.err());
    note("till open", door.execute(caller, None, TillOpen { float: 0 }).await.err());
    note("cash in", door.execute(caller, None, CashIn { shift: None, amount: 5, reason: reason() }).await.err());
    note("cash drop", door.execute(caller, None, CashDrop { shift: None, amount: 5, reason: reason() }).await.err());
    note("till status", door.ask(caller, TillStatus::default()).await.err());
    note("shifts", door.ask(caller, ListShifts::default()).await.err());
    let close = TillClose { shift: None, counted: 0, note: None, force: None };
    note("till close", door.execute(caller, None, close).await.err());
    note("staff", door.ask(caller, ListStaff::default()).await.err());
    note("add", staff::add_staff(door, secrets, caller, None, &new).await.err());
    note("password", staff::set_password(door, secrets, caller, nobody, "a-long-password").await.err());
    note("PIN", staff::set_pin(door, secrets, caller, nobody, "602214").await.err());
    let active = SetStaffActive { staff: nobody, active: false, reason: reason() };
    note("active", door.execute(caller, None, active).await.err());
    let role = SetStaffRole { staff: nobody, role: Role::Kitchen, reason: reason() };
    note("role", door.execute(caller, None, role).await.err());
    note("terminals", door.ask(caller, ListTerminals).await.err());
    note("revoke", door.execute(caller, None, RevokeTerminal { terminal: nowhere, reason: reason() }).await.err());
    note("exit PIN", terminals::set_exit_pin(door, secrets, caller, nowhere, "602214").await.err());
    note("heartbeat", door.execute(caller, None, Heartbeat { terminal: nowhere, software_version: None }).await.err());
    entered
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_reaches_what_is_its_own_and_nothing_else() {
    const TILL: [&str; 7] = ["who am I", "till open", "cash in", "cash drop", "till status", "shifts", "till close"];
    const HOUSE: [&str; 10] =
        ["staff", "add", "password", "PIN", "active", "role", "terminals", "revoke", "exit PIN", "heartbeat"];
    for house in House::both().await {
        let kitchen = house.terminal("kitchen-1", TerminalRole::Kitchen).await;
        let guest = Caller::Guest { customer: CustomerId(Uuid::from_u128(6)), terminal: None };
        assert_eq!(let_in(&house, &house.caller("asha").await).await, [&TILL[..], &HOUSE[..]].concat());
        assert_eq!(let_in(&house, &house.caller("ravi").await).await, TILL);
        assert_eq!(let_in(&house, &house.caller("noor").await).await, ["who am I"]);
        assert_eq!(let_in(&house, &Caller::Terminal(kitchen)).await, ["who am I"]);
        assert_eq!(let_in(&house, &guest).await, ["who am I"]);
        assert_eq!(let_in(&house, &Caller::Gateway("test")).await, [""; 0]);
    }
}

// --------------------------------------------------------------------------------------- terminals

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_registers_once_and_acts_by_itself_in_the_kitchen_only() {
    for house in House::both().await {
        let door = &house.door;
        let kitchen = house.terminal("kitchen-1", TerminalRole::Kitchen).await;
        assert_eq!(house.terminal("kitchen-1", TerminalRole::Kitchen).await, kitchen, "the same again");
        let (kiosk, board) = (
            house.terminal("kiosk-1", TerminalRole::Kiosk).await,
            house.terminal("board-1", TerminalRole::Board).await,
        );
        assert_eq!(code(terminals::register(door, "kitchen-1", TerminalRole::Kiosk).await), ErrorCode::Conflict);
        assert_eq!(code(terminals::register(door, " \u{200b}", TerminalRole::Kiosk).await), ErrorCode::ValidationError);
        let racers = tokio::join!(
            terminals::register(door, "console-1", TerminalRole::Console),
            terminals::register(door, "console-1", TerminalRole::Console),
        );
        assert_eq!(racers.0.expect("one"), racers.1.expect("the same"));

        let who = door.ask(&Caller::Terminal(kitchen), WhoAmI).await.expect("kitchen");
        assert_eq!((who.role, who.staff, who.name.as_str()), (Role::Kitchen, None, "kitchen-1"));
        door.ask(&Caller::Terminal(board), WhoAmI).await.expect("a board asks");
        let close = || TillClose { shift: None, counted: 0, note: None, force: None };
        assert_eq!(code(door.execute(&Caller::Terminal(board), None, close()).await), ErrorCode::Forbidden);
        assert_eq!(code(door.ask(&Caller::Terminal(kiosk), WhoAmI).await), ErrorCode::Forbidden);
        assert_eq!(code(door.ask(&Caller::Terminal(TerminalId(Uuid::nil())), WhoAmI).await), ErrorCode::Forbidden);

        let beat = || Heartbeat { terminal: kitchen, software_version: Some("9.9".into()) };
        door.execute(&Caller::System, None, beat()).await.expect("lives");
        let caller = house.caller("asha").await;
        let seen = door.ask(&caller, ListTerminals).await.expect("list");
        let seen = seen.iter().find(|row| row.id == kitchen).expect("listed");
        assert_eq!(seen.software_version.as_deref(), Some("9.9"));
        assert!(seen.last_seen_at.is_some());

        let ravi = staff::login_pin(door, &house.secrets, kitchen, "ravi", "314159").await.expect("at the terminal");
        let revoke = || RevokeTerminal { terminal: kitchen, reason: "stolen".into() };
        door.execute(&caller, None, revoke()).await.expect("taken off");
        assert_eq!(code(door.execute(&caller, None, revoke()).await), ErrorCode::NotFound);
        assert_eq!(code(door.ask(&Caller::Terminal(kitchen), WhoAmI).await), ErrorCode::Forbidden);
        assert_eq!(code(door.ask(&session(&ravi, Some(kitchen)), WhoAmI).await), ErrorCode::TokenExpired);
        assert_eq!(code(door.execute(&Caller::System, None, beat()).await), ErrorCode::Forbidden);
        assert_eq!(code(terminals::register(door, "kitchen-1", TerminalRole::Kitchen).await), ErrorCode::Forbidden);
        let pin = staff::login_pin(door, &house.secrets, kitchen, "ravi", "314159").await;
        assert_eq!(code(pin), ErrorCode::Forbidden);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kiosk_is_left_with_its_exit_pin_only() {
    for house in House::both().await {
        let (door, secrets) = (&house.door, &house.secrets);
        let kiosk = house.terminal("kiosk-1", TerminalRole::Kiosk).await;
        terminals::verify_exit_pin(door, secrets, kiosk, DEMO_EXIT_PIN).await.expect("the demo's");
        let caller = house.caller("asha").await;
        assert_eq!(
            code(terminals::set_exit_pin(door, secrets, &caller, kiosk, "111111").await),
            ErrorCode::ValidationError
        );
        terminals::set_exit_pin(door, secrets, &caller, kiosk, "602214").await.expect("its own");
        terminals::verify_exit_pin(door, secrets, kiosk, "602214").await.expect("right");
        for _ in 0..5 {
            let refused = terminals::verify_exit_pin(door, secrets, kiosk, DEMO_EXIT_PIN).await;
            assert_eq!(code(refused), ErrorCode::InvalidToken);
        }
        assert_eq!(code(terminals::verify_exit_pin(door, secrets, kiosk, "602214").await), ErrorCode::RateLimited);
        let nowhere = TerminalId(Uuid::nil());
        assert_eq!(code(terminals::verify_exit_pin(door, secrets, nowhere, "602214").await), ErrorCode::Forbidden);
    }
    let real = House::open(None, false).await;
    let kiosk = real.terminal("kiosk-1", TerminalRole::Kiosk).await;
    let refused = terminals::verify_exit_pin(&real.door, &real.secrets, kiosk, DEMO_EXIT_PIN).await;
    assert_eq!(code(refused), ErrorCode::ValidationError);
}

// ----------------------------------------------------------------------------------------- the till

#[tokio::test(flavor = "multi_thread")]
async fn the_drawer_adds_up_and_a_closed_shift_never_changes() {
    for house in House::both().await {
        let door = &house.door;
        let caller = house.caller("ravi").await;
        assert_eq!(door.ask(&caller, TillStatus::default()).await.expect("none"), None);
        let drop = |amount| CashDrop { shift: None, amount, reason: "to the safe".into() };
        assert_eq!(door.execute(&caller, None, drop(1)).await.expect_err("closed").guard, Some("till_open"));
        assert_eq!(code(door.execute(&caller, None, TillOpen { float: -1 }).await), ErrorCode::ValidationError);
        assert_eq!(code(door.execute(&Caller::System, None, TillOpen { float: 1 }).await), ErrorCode::InsufficientRole);
        let shift = door.execute(&caller, None, TillOpen { float: 10_000 }).await.expect("opened");
        assert_eq!((shift.terminal_name.as_str(), shift.opened_by.as_deref()), ("counter", Some("ravi")));
        assert_eq!((shift.float, shift.expected, shift.closed_at), (10_000, 10_000, None));
        assert_eq!(code(door.execute(&caller, None, TillOpen { float: 0 }).await), ErrorCode::Conflict);

        let cash_in = |amount| CashIn { shift: None, amount, reason: "change".into() };
        assert_eq!(door.execute(&caller, None, cash_in(5_000)).await.expect("in").expected, 15_000);
        assert_eq!(door.execute(&caller, None, drop(2_000)).await.expect("out").expected, 13_000);
        let sale = Movement {
            kind: MovementKind::Sale,
            amount: 1_250,
            tendered: Some(2_000),
            order: Some(OrderId(Uuid::from_u128(50))),
            refund: None,
            reason: None,
        };
        assert!(house.order_cash(shift.id, &sale).await);
        let refund = Movement {
            kind: MovementKind::Refund,
            amount: -300,
            tendered: None,
            refund: Some(RefundId(Uuid::from_u128(51))),
            ..sale.clone()
        };
        assert!(house.order_cash(shift.id, &refund).await);
        let refused = door.execute(&caller, None, drop(13_951)).await.expect_err("more than it holds");
        assert_eq!((refused.guard, refused.details["held"].as_i64()), (Some("drawer_holds"), Some(13_950)));
        for wrong in [0, -5, i64::MAX] {
            assert_eq!(code(door.execute(&caller, None, cash_in(wrong)).await), ErrorCode::ValidationError);
        }
        let silent = CashDrop { shift: None, amount: 1, reason: " \u{200b} ".into() };
        assert_eq!(code(door.execute(&caller, None, silent).await), ErrorCode::ValidationError);

        let x = door.ask(&caller, TillStatus::default()).await.expect("X report").expect("open");
        assert_eq!((x.shift.expected, x.sales.amount, x.refunds.amount), (13_950, 1_250, -300));
        assert_eq!((x.cash_in.amount, x.drops.amount, x.payouts.count), (5_000, -2_000, 0));
        let balances: Vec<(i64, i64)> = x.movements.iter().map(|row| (row.number, row.balance_after)).collect();
        assert_eq!(balances, [(1, 15_000), (2, 13_000), (3, 14_250), (4, 13_950)]);

        let close = |counted| TillClose { shift: None, counted, note: Some("quiet\u{7} day".into()), force: None };
        let z = door.execute(&caller, Some("close-1"), close(14_000)).await.expect("closed");
        assert_eq!((z.shift.expected, z.shift.counted, z.shift.over_short), (13_950, Some(14_000), Some(50)));
        assert_eq!((z.shift.closed_by.as_deref(), z.shift.note.as_deref()), (Some("ravi"), Some("quiet day")));
        assert_eq!(door.execute(&caller, Some("close-1"), close(14_000)).await.expect("the same answer"), z);

        assert_eq!(code(door.execute(&caller, None, close(14_000)).await), ErrorCode::Conflict);
        let again = TillClose { shift: Some(shift.id), ..close(1) };
        assert_eq!(code(door.execute(&caller, None, again).await), ErrorCode::Conflict);
        let late = CashIn { shift: Some(shift.id), ..cash_in(1) };
        assert_eq!(code(door.execute(&caller, None, late).await), ErrorCode::Conflict);
        assert!(
            !house
                .order_cash(
                    shift.id,
                    &Movement { kind: MovementKind::CashIn, amount: 1, tendered: None, order: None, ..sale.clone() }
                )
                .await
        );
        let past =
            house.raw(format!("UPDATE till_shifts SET note = 'x' WHERE id = {}", house.literal(shift.id.0))).await;
        assert!(past.expect_err("immutable").to_string().contains("a closed till shift never changes"));
        let reread = door.ask(&caller, TillStatus { shift: Some(shift.id) }).await.expect("read").expect("there");
        assert_eq!(reread, z);
        let gone = TillStatus { shift: Some(ShiftId(Uuid::nil())) };
        assert_eq!(code(door.ask(&caller, gone).await), ErrorCode::NotFound);

        let second = door.execute(&caller, None, TillOpen { float: 500 }).await.expect("a new shift");
        let short = door.execute(&caller, None, close(450)).await.expect("closed");
        assert_eq!((short.shift.id, short.shift.over_short), (second.id, Some(-50)));
        let first_page = door.ask(&caller, ListShifts { before: None, limit: 1 }).await.expect("page");
        assert_eq!(first_page.iter().map(|row| row.id).collect::<Vec<_>>(), [second.id]);
        let before = Some((first_page[0].opened_at, first_page[0].id));
        let next_page = door.ask(&caller, ListShifts { before, limit: 9 }).await.expect("page");
        assert_eq!(next_page.iter().map(|row| row.id).collect::<Vec<_>>(), [shift.id]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_waits_for_the_money_of_cash_orders_unless_somebody_says_why() {
    for house in House::both().await {
        let door = &house.door;
        let caller = house.caller("ravi").await;
        door.execute(&caller, None, TillOpen { float: 100 }).await.expect("opened");
        house.cash_order(7).await;
        let close =
            |force: Option<&str>| TillClose { shift: None, counted: 100, note: None, force: force.map(str::to_owned) };
        let refused = door.execute(&caller, None, close(None)).await.expect_err("an order waits");
        assert_eq!((refused.code, refused.guard), (ErrorCode::Conflict, Some("cash_orders_open")));
        assert_eq!(refused.details["orders"][0], "ORD-20270115-007");
        assert_eq!(code(door.execute(&caller, None, close(Some("  "))).await), ErrorCode::ValidationError);
        let x = door.ask(&caller, TillStatus::default()).await.expect("X report").expect("still open");
        assert_eq!(x.unpaid_cash_orders, ["ORD-20270115-007"]);
        door.execute(&caller, None, close(Some("fire alarm"))).await.expect("closed all the same");
        let kept = "SELECT COUNT(*) FROM audit_log WHERE action = 'CLOSE' AND reason = 'fire alarm'";
        assert_eq!(house.count(kept).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_opens_at_one_instant_one_succeeds() {
    for house in House::both().await {
        let terminal = house.terminal("kitchen-1", TerminalRole::Kitchen).await;
        let mut opens = tokio::task::JoinSet::new();
        for (name, terminal) in [("ravi", Some(terminal)), ("asha", Some(terminal)), ("ravi", None), ("asha", None)] {
            let caller = session(&house.enter(name).await, terminal);
            for _ in 0..2 {
                let (door, caller) = (house.door.clone(), caller.clone());
                opens.spawn(async move { (terminal, door.execute(&caller, None, TillOpen { float: 1 }).await) });
            }
        }
        let results = opens.join_all().await;
        for place in [Some(terminal), None] {
            let here: Vec<_> = results.iter().filter(|(at, _)| *at == place).collect();
            assert_eq!(here.iter().filter(|(_, result)| result.is_ok()).count(), 1, "{here:?}");
            for (_, result) in here {
                assert!(result.as_ref().err().is_none_or(|refused| refused.code == ErrorCode::Conflict), "{result:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_till_of_the_terminal_is_meant_else_the_only_one() {
    for house in House::both().await {
        let door = &house.door;
        let (one, two) = (
            house.terminal("kitchen-1", TerminalRole::Kitchen).await,
            house.terminal("kitchen-2", TerminalRole::Kitchen).await,
        );
        let asha = house.enter("asha").await;
        let first = door.execute(&session(&asha, Some(one)), None, TillOpen { float: 1 }).await.expect("opened");
        let meant = async |terminal: Option<TerminalId>| {
            let report = door.ask(&session(&asha, terminal), TillStatus::default()).await.expect("status");
            report.map(|report| report.shift.id)
        };
        assert_eq!((meant(None).await, meant(Some(two)).await), (Some(first.id), Some(first.id)));
        let second = door.execute(&session(&asha, Some(two)), None, TillOpen { float: 2 }).await.expect("opened");
        assert_eq!((meant(None).await, meant(Some(one)).await), (None, Some(first.id)));
        assert_eq!(meant(Some(two)).await, Some(second.id));
        let named = TillClose { shift: Some(first.id), counted: 1, note: None, force: None };
        door.execute(&session(&asha, None), None, named).await.expect("by name");
        let unknown = session(&asha, Some(TerminalId(Uuid::nil())));
        assert_eq!(code(door.execute(&unknown, None, TillOpen { float: 1 }).await), ErrorCode::Forbidden);
    }
}
