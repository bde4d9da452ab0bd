//! A house for the tests of the console: the demo store in a folder of its own, a clock that stands, and
//! a console whose effects the real runner carries out. No test stands here.

#![expect(clippy::expect_used, clippy::panic, reason = "test support: a failure here is a failed test")]

use servery::cli::House as Opened;
use servery::cli::Role;
use servery::cli::roles::console::Runner;
use servery::config::{Config, Flags, Variables};
use servery::domain::access::Role::Admin;
use servery::domain::fulfilment::Fulfilment;
use servery::domain::ids::{CartId, CustomerId, Ids};
use servery::domain::money::Money;
use servery::domain::payment::Method;
use servery::domain::time::{Clock, Timestamp};
use servery::service::cart::{CartAdd, CartFulfilment};
use servery::service::menu::MenuNow;
use servery::service::payments::{ApplyCharge, ChargeResult};
use servery::service::place::PlaceOrder;
use servery::service::secrets::{Secrets, pepper_path};
use servery::service::setup::{self, InitSite};
use servery::service::staff::{ListStaff, NewStaff, SetStaffActive, add_staff, login};
use servery::service::views::{OrderView, Placed};
use servery::service::{Caller, Door, FieldKey, TimeOrderedIds};
use servery::store::{Options as StoreOptions, Store, StoreUrl};
use servery::tui::app::{App, Input};
use servery::tui::keymap::Context;
use servery::tui::screens::console::{Console, Effect, Msg, Options};
use servery::tui::screens::person::DemoAccount;
use servery::tui::testing::{Harness, TestClock};
use sqlx::{Connection as _, Executor as _};
use std::sync::Arc;
use tokio::runtime::Runtime;

/// A Saturday noon in the demo's zone: 2026-11-21 12:00 in India.
pub const NOON: Timestamp = Timestamp(1_795_242_600_000_000);

/// The key under which this house keeps addresses.
pub const FIELD_KEY: &str = "a-key-for-addresses-in-these-tests";

/// A house.
pub struct House {
    runtime: Runtime,
    opened: Opened,
    clock: Arc<TestClock>,
    _folder: tempfile::TempDir,
}

impl House {
    /// With the demo's menu and staff.
    pub fn demo() -> Self {
        Self::opened_after(async |_, _| {})
    }

    /// A place that was set up just now: it has its first admin, and neither a menu nor stock.
    pub fn bare() -> Self {
        Self::opened_after(async |config, clock| {
            let ids: Arc<dyn Ids> = Arc::new(TimeOrderedIds::seeded([9; 32]));
            let store = Store::open(&config.store, StoreOptions::default()).await.expect("a store");
            let site = InitSite { demo: false, ..InitSite::demo("main") };
            assert!(setup::init(&store, &*clock, &*ids, &site).await.expect("a site"), "it is set up once");
            let pepper = pepper_path(|name| config.variables.get(name)).expect("the place of the pepper");
            let secrets = Secrets::open(&pepper).expect("a pepper");
            let door = Door::new(store, "main", clock, ids);
            let asha = NewStaff {
                username: "asha",
                name: "Asha",
                role: Admin,
                password: "demo-asha-2026",
                pin: Some("271828"),
            };
            add_staff(&door, &secrets, &Caller::System, None, &asha).await.expect("the first admin");
        })
    }

    /// Opens a house of its own, after what makes its store.
    fn opened_after(make: impl AsyncFnOnce(&Config, Arc<dyn Clock>)) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path().to_str().expect("a path");
        // The machine's own name would stand in the pictures.
        let variables = [("HOME", home), ("SERVERY_TERMINAL", "console-counter"), ("SERVERY_FIELD_KEY", FIELD_KEY)];
        let config = Config::load(&Flags::default(), Variables::from_pairs(variables)).expect("configuration");
        let clock = Arc::new(TestClock::at(NOON));
        runtime.block_on(make(&config, Arc::clone(&clock) as Arc<dyn Clock>));
        let ids = Arc::new(TimeOrderedIds::seeded([7; 32]));
        let opening = Opened::open_with(&config, Role::Watches, Arc::clone(&clock) as Arc<dyn Clock>, ids);
        let opened = runtime.block_on(opening).expect("a house");
        Self { runtime, opened, clock, _folder: folder }
    }

    /// The house as roles see it.
    pub const fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Runs something to its end.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// What the clock says.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Time goes by.
    pub fn wait(&self, seconds: i64) {
        self.clock.advance(seconds);
    }

    /// Somebody is let in no longer.
    pub fn deactivate(&self, username: &str) {
        let door = &self.opened.door;
        let staff = self.run(door.ask(&Caller::System, ListStaff::default())).expect("the staff");
        let id = staff.items.iter().find(|person| person.username == username).expect("somebody").id;
        let off = SetStaffActive { staff: id, active: false, reason: "left".to_owned() };
        self.run(door.execute(&Caller::System, None, off)).expect("deactivated");
    }

    /// A guest of a kiosk.
    pub fn guest(number: u128) -> Caller {
        Caller::Guest { customer: CustomerId(uuid::Uuid::from_u128(number)), terminal: None }
    }

    /// One of the demo's staff, signed in somewhere else.
    pub fn person(&self, username: &str) -> Caller {
        let (door, secrets) = (&self.opened.door, &self.opened.secrets);
        let password = format!("demo-{username}-2026");
        let signed = self.run(login(door, secrets, None, username, &password)).expect("signed in");
        Caller::Session { token: signed.token, terminal: None, override_by: None }
    }

    /// A guest orders one dish; with `pay_now` an attempt to pay is open.
    pub fn place(&self, number: u128, dish: (&str, i32), paying: (Method, bool), name: &str) -> Placed {
        self.place_all(number, &[dish], paying, (name, None))
    }

    /// A guest orders dishes, to be brought where an address is given.
    fn place_all(
        &self,
        number: u128,
        dishes: &[(&str, i32)],
        paying: (Method, bool),
        whose: (&str, Option<&str>),
    ) -> Placed {
        let dishes: Vec<_> = dishes.iter().map(|(code, quantity)| (*code, *quantity, String::new())).collect();
        self.place_noted(number, &dishes, paying, whose)
    }

    /// A guest orders dishes, each with a note for the kitchen.
    fn place_noted(
        &self,
        number: u128,
        dishes: &[(&str, i32, String)],
        (method, pay_now): (Method, bool),
        (name, address): (&str, Option<&str>),
    ) -> Placed {
        let (door, guest) = (&self.opened.door, Self::guest(number));
        self.run(async {
            let menu = door.ask(&guest, MenuNow::default()).await.expect("the menu");
            let cart = CartId(uuid::Uuid::from_u128(number));
            let fulfilment = if address.is_some() { Fulfilment::Delivery } else { Fulfilment::Pickup };
            let choose = CartFulfilment { cart, fulfilment };
            door.execute(&guest, None, choose).await.expect("fulfilment");
            for (code, quantity, note) in dishes {
                let item = menu.items.iter().find(|item| item.code == *code).expect("a dish").id;
                let add = CartAdd { cart, item, options: Vec::new(), quantity: *quantity, note: note.clone() };
                door.execute(&guest, None, add).await.expect("added");
            }
            let place = PlaceOrder {
                cart,
                method,
                called_name: Some(name.to_owned()),
                pay_now,
                delivery_address: address.map(str::to_owned),
                retry_of: None,
                expected_total: None,
            };
            door.execute(&guest, None, place).await.expect("placed")
        })
    }

    /// A guest orders one dish, and pays at once where the method is a card.
    pub fn order(&self, number: u128, code: &str, quantity: i32, method: Method, name: &str) -> OrderView {
        self.order_all(number, &[(code, quantity)], method, (name, None))
    }

    /// A guest orders dishes, to be brought where an address is given, and pays at once where the method is a card.
    pub fn order_all(
        &self,
        number: u128,
        dishes: &[(&str, i32)],
        method: Method,
        (name, address): (&str, Option<&str>),
    ) -> OrderView {
        let placed = self.place_all(number, dishes, (method, method != Method::Cash), (name, address));
        self.captured(&placed, placed.order.due)
    }

    /// A guest orders this many samosas, each on a line of its own, and pays by card.
    pub fn order_lines(&self, number: u128, lines: usize, name: &str) -> OrderView {
        let dishes: Vec<_> = (1..=lines).map(|line| ("samosa", 1, format!("for guest {line}"))).collect();
        let placed = self.place_noted(number, &dishes, (Method::Card, true), (name, None));
        self.captured(&placed, placed.order.due)
    }

    /// The gateway took this amount for the open attempt of an order, where there is one.
    pub fn captured(&self, placed: &Placed, amount: Money) -> OrderView {
        let door = &self.opened.door;
        self.run(async {
            let Some(attempt) = &placed.attempt else { return placed.order.clone() };
            let apply = ApplyCharge {
                order: placed.order.id,
                attempt: Some(attempt.id),
                gateway: "stripe-dummy".to_owned(),
                result: ChargeResult::Captured {
                    gateway_order_id: None,
                    gateway_payment_id: format!("pay_{}", placed.order.customer.0.as_u128()),
                    amount,
                    currency: placed.order.currency.code().to_owned(),
                    brand: Some("visa".to_owned()),
                    last_four: Some("4242".to_owned()),
                    response: None,
                },
            };
            door.execute(&Caller::Gateway("stripe-dummy"), None, apply).await.expect("paid").order
        })
    }

    /// The same house in a process that was told this key for addresses, or none.
    pub fn told(&self, key: Option<&str>) -> Opened {
        let key = key.map(|secret| FieldKey::from_secret(secret).expect("a key"));
        let (clock, ids) = (Arc::clone(&self.clock) as Arc<dyn Clock>, Arc::new(TimeOrderedIds::seeded([8; 32])));
        let door = Door::with_field_key(self.opened.door.store().clone(), "main", clock, ids, key);
        let mut opened = self.opened.clone();
        opened.door = door;
        opened
    }

    /// A short noon: two paid orders and two that owe cash, a minute apart.
    pub fn orders(&self) -> Vec<OrderView> {
        let order = |number, code, quantity, method, name| {
            self.wait(60);
            self.order(number, code, quantity, method, name)
        };
        vec![
            order(1, "samosa", 2, Method::Card, "Mira"),
            order(2, "onion-bhaji", 1, Method::Cash, "Jürgen"),
            order(3, "cola", 3, Method::Card, ""),
            order(4, "samosa", 1, Method::Cash, "寿司 太郎"),
        ]
    }

    /// The orders of the days before this instant are in a file, as the store keeps it.
    pub fn archived_before(&self, before: Timestamp) {
        let StoreUrl::Sqlite(path) = &self.opened.config.store else { unreachable!("the demo is a file") };
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
        let run = format!(
            "INSERT INTO archive_runs (site_id, id, state, before_at, file_name, started_at) \
             VALUES ('main', randomblob(16), 'running', {}, 'autumn.archive', 0); \
             UPDATE archive_runs SET state = 'done', finished_at = 0",
            before.0
        );
        self.run(async {
            let mut file = sqlx::SqliteConnection::connect_with(&options).await.expect("the file");
            file.execute(sqlx::AssertSqlSafe(run)).await.expect("a run");
            file.close().await.expect("closed");
        });
    }

    /// A console of this size, at which nobody has signed in.
    pub fn console(&self, width: u16, height: u16) -> Desk<'_> {
        self.console_in(&self.opened, width, height)
    }

    /// A console of this size in this process of the house.
    pub fn console_in(&self, opened: &Opened, width: u16, height: u16) -> Desk<'_> {
        let runner = self.run(Runner::new(opened)).expect("a registered terminal");
        let demo = DemoAccount { username: "asha".into(), password: "demo-asha-2026".into(), pin: "271828".into() };
        // A real place gives no passwords away.
        let demo_accounts = if opened.site.demo { vec![demo] } else { Vec::new() };
        let options = Options { key_prefix: self.opened.door.new_id().to_string(), demo_accounts };
        let harness = Harness::new(Console::new(options), width, height, self.clock.now());
        let mut desk = Desk { house: self, harness, runner };
        desk.input(Input::StoreChanged);
        desk
    }
}

/// A console with somebody before it.
pub struct Desk<'a> {
    house: &'a House,
    pub harness: Harness<Console>,
    runner: Runner,
}

impl Desk<'_> {
    /// Gives an input, and has everything done that follows from it.
    pub fn input(&mut self, input: Input<Msg>) {
        self.harness.set_now(self.house.clock.now());
        self.harness.input(input);
        while let Some(effect) = self.harness.take_effect() {
            let answer = self.carry_out(effect);
            self.harness.message(answer);
        }
    }

    fn carry_out(&self, effect: Effect) -> Msg {
        self.house.run(self.runner.carry_out(effect))
    }

    /// Presses keys, written as in the key map and parted by spaces.
    pub fn press(&mut self, keys: &str) {
        for key in keys.split_whitespace() {
            self.input(Input::Key(key.parse().expect("a key")));
        }
    }

    /// Types text.
    pub fn type_text(&mut self, text: &str) {
        for character in text.chars() {
            self.press(&if character == ' ' { "space".to_owned() } else { character.to_string() });
        }
    }

    /// Signs one of the demo's staff in.
    pub fn sign_in(&mut self, username: &str) {
        self.type_text(username);
        self.press("enter");
        self.type_text(&format!("demo-{username}-2026"));
        self.press("enter");
        assert!(self.harness.app.person().is_some(), "{}", self.screen());
    }

    /// Opens the list of what can be done with the selected order, and chooses a step by its name. For a
    /// screen on which the whole list is seen.
    pub fn choose(&mut self, step: &str) {
        self.press("a");
        let seen = self.screen();
        let marks = ['●', '◆', '○'];
        // Within the frame: the list below it has marks of its own.
        let framed = |line: &&str| line.split_once('│').is_some_and(|(_, inside)| inside.contains(marks));
        let rows: Vec<&str> = seen.lines().filter(framed).collect();
        let name = |line: &str| {
            line.rsplit(marks).next().and_then(|rest| rest.split(['│', '┃']).next()).map(str::trim).map(str::to_owned)
        };
        let named = |line: &&str| name(line).as_deref() == Some(step);
        let at = rows.iter().position(named).unwrap_or_else(|| panic!("no {step}:\n{seen}"));
        for _ in 0..at {
            self.press("down");
        }
        self.press("enter");
    }

    /// Messages at the foot of the screen go away.
    pub fn settle(&mut self) {
        self.house.wait(5);
        self.tick();
    }

    /// The screen's tick.
    pub fn tick(&mut self) {
        self.input(Input::Tick);
    }

    /// The store told of a change.
    pub fn changed(&mut self) {
        self.input(Input::StoreChanged);
    }

    /// What is seen. In every picture of every test the last row names no key that is dead below what
    /// lies over the tab.
    pub fn screen(&self) -> String {
        let seen = self.harness.screen();
        let foot = seen.lines().last().unwrap_or_default();
        if matches!(self.harness.app.context(), Context::TextInput | Context::Dialog | Context::Help) {
            let dead = ["? Help", "/ Search", ": Palette", "Sign out"];
            let named: Vec<_> = dead.into_iter().filter(|words| foot.contains(words)).collect();
            assert!(named.is_empty(), "{named:?} are dead here:\n{seen}");
        }
        seen
    }
}
