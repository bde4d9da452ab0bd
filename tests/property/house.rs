//! The house under test: a fresh store with a small menu and people in every role, and the way from a
//! command to the door and back to the model.

use super::command::{Command, GUESTS, Key, Who};
use super::invariants::Raw;
use super::model::{Cart, CartLine, Count, Hold, Line, Model, Order, Settings, Uses, Verdict, wanted};
use super::support::postgres::{TestDatabase, database};
use servery::domain::error::{ErrorCode, Refused};
use servery::domain::fulfilment::Fulfilment;
use servery::domain::ids::{CartId, CartLineId, CustomerId, Ids, OrderId, StaffId, TerminalId};
use servery::domain::money::Money;
use servery::domain::order::Status;
use servery::domain::payment::Method;
use servery::domain::time::{Clock, Timestamp};
use servery::service::cart::{
    CartAcceptChanges, CartAdd, CartClear, CartFulfilment, CartNote, CartRemove, CartSetQuantity,
};
use servery::service::menu::{MenuNow, SetAvailable, SetPrice};
use servery::service::menu_file::MenuFile;
use servery::service::menu_import::MenuImport;
use servery::service::place::PlaceOrder;
use servery::service::settings::SetSetting;
use servery::service::stock::{StockAdjust, StockReceive, StockRecount, StockWaste};
use servery::service::till::{CashDrop, CashIn, TillClose, TillOpen};
use servery::service::views::{CartView, ItemView, OrderView, Placed};
use servery::service::{Caller, Door, FieldKey, TimeOrderedIds, UseCase, setup};
use servery::store::{self, Options, StoreUrl, doctor};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use uuid::Uuid;

/// The menu: two counted things, shared by three dishes and an option; one dish that nobody counts, and
/// one that an option makes free.
const MENU: &str = r#"
currency = "INR"
tax_class = [{ name = "Food", rate = "5", default = true }, { name = "Drinks", rate = "18" }]
station = [{ name = "Hot", default = true }, { name = "Bar" }]
stock = [{ code = "cola", name = "Cola", opening = 40 }, { code = "patty", name = "Patties", opening = 50 }]
category = [{ name = "All" }]

[[item]]
code = "cola"
name = "Cola"
category = "All"
diet = "veg"
price = "39.99"
tax_class = "Drinks"
station = "Bar"
uses = { cola = 1 }

[[item]]
code = "combo"
name = "Combo"
category = "All"
diet = "veg"
price = "249.50"
uses = { cola = 1, patty = 2 }

[[item]]
code = "burger"
name = "Burger"
category = "All"
diet = "veg"
price = "120.00"
uses = { patty = 1 }
[[item.option]]
name = "Extra"
max = 2
choices = [{ name = "Double", price = "30.00", uses = { patty = 1 } }, { name = "Cheese", price = "10.01" }]

[[item]]
code = "soup"
name = "Soup"
category = "All"
diet = "veg"
price = "24.99"

[[item]]
code = "taster"
name = "Taster"
category = "All"
diet = "veg"
price = "10.00"
station = "Bar"
[[item.option]]
name = "Deal"
choices = [{ name = "On the house", price = "-10.00" }]
"#;

const CODES: [&str; 5] = ["cola", "combo", "burger", "soup", "taster"];
const STOCK: [&str; 2] = ["cola", "patty"];

fn uses_of(item: usize, double: bool) -> Uses {
    let pairs: &[(&'static str, i64)] = match (item, double) {
        (0, _) => &[("cola", 1)],
        (1, _) => &[("cola", 1), ("patty", 2)],
        (2, false) => &[("patty", 1)],
        (2, true) => &[("patty", 2)],
        _ => &[],
    };
    pairs.iter().copied().collect()
}

/// A clock that the commands move.
pub(super) struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// Where the stores of a run are made.
#[derive(Debug, Clone)]
pub enum Store {
    /// Copies of one SQLite file that was set up before.
    Sqlite(PathBuf),
    /// A database of its own on the test server.
    Postgres,
}

/// A store under test with its model.
pub struct House {
    pub(super) door: Door,
    pub(super) clock: Arc<TestClock>,
    pub(super) sqlite: bool,
    pub raw: Raw,
    pub model: Model,
    pub(super) guests: Vec<CustomerId>,
    pub(super) tokens: BTreeMap<&'static str, (String, StaffId)>,
    pub(super) terminal: TerminalId,
    pub(super) items: Vec<ItemView>,
    pub(super) views: Vec<OrderView>,
    pub(super) cart_lines: Vec<Vec<CartLineId>>,
    pub(super) keyed: Option<(String, Caller, PlaceOrder, Placed)>,
    pub(super) payments: Vec<String>,
    pub(super) numbers: u64,
    /// What happened, for the printed failure.
    pub last: String,
    pub(super) _folder: Option<tempfile::TempDir>,
    pub(super) _database: Option<TestDatabase>,
}

/// A folder in memory where there is one: the disk is not what is tested here.
pub fn folder() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("folder")
}

const START: i64 = 1_780_000_000_000_000;

/// A busy machine is no failure of the house.
fn patient() -> Options {
    let long = std::time::Duration::from_secs(60);
    Options { statement_deadline: long, acquire_deadline: long, ..Options::default() }
}

async fn set_up(url: &StoreUrl) {
    let store = store::Store::open(url, patient()).await.expect("store");
    let clock = Arc::new(TestClock(AtomicI64::new(START)));
    let ids: Arc<dyn Ids> = Arc::new(TimeOrderedIds::seeded([4; 32]));
    let site = setup::InitSite { demo: false, ..setup::InitSite::demo("main") };
    setup::init(&store, &*clock, &*ids, &site).await.expect("init");
    let door = Door::new(store, "main", clock, ids);
    let import = MenuImport {
        file: MenuFile::from_toml(MENU).expect("menu"),
        dry_run: false,
        reason: Some("a test".to_owned()),
    };
    door.execute(&Caller::System, None, import).await.expect("menu");
    let all_day = serde_json::json!({ "all day": { "start": "00:00", "end": "24:00" } });
    let set = SetSetting { key: "time_slots".into(), value: all_day, seen: None, reason: Some("a test".to_owned()) };
    door.execute(&Caller::System, None, set).await.expect("slots");
}

/// An SQLite store that is set up, to be copied.
pub async fn template(folder: &tempfile::TempDir) -> PathBuf {
    let path = folder.path().join("set-up.db");
    let url = StoreUrl::Sqlite(path);
    set_up(&url).await;
    // One whole file, whatever still stands in the log of the first.
    let template = folder.path().join("template.db");
    Raw::connect(&url).await.run(&format!("VACUUM INTO '{}'", template.display())).await;
    template
}

pub(super) fn id(number: u64) -> Uuid {
    Uuid::from_u64_pair(0x0199_0000_0000_7000, 0x8000_0000_0000_0000 | number)
}

impl House {
    /// Opens a fresh store; `None` where Postgres is left out.
    pub async fn open(site: &Store) -> Option<Self> {
        let (folder, database, url) = match site {
            Store::Sqlite(template) => {
                let folder = folder();
                let path = folder.path().join("servery.db");
                std::fs::copy(template, &path).expect("copy");
                (Some(folder), None, StoreUrl::Sqlite(path))
            }
            Store::Postgres => {
                let database = tokio::task::spawn_blocking(database).await.expect("database")?;
                let url = StoreUrl::parse(database.url()).expect("url");
                set_up(&url).await;
                (None, Some(database), url)
            }
        };
        let store = store::Store::open(&url, patient()).await.expect("store");
        let clock = Arc::new(TestClock(AtomicI64::new(START + 1_000_000)));
        let ids: Arc<dyn Ids> = Arc::new(TimeOrderedIds::seeded([5; 32]));
        let key = FieldKey::from_secret("a-key-for-addresses-in-this-test!").expect("key");
        let door = Door::with_field_key(store, "main", Arc::clone(&clock) as Arc<dyn Clock>, ids, Some(key));
        let mut raw = Raw::connect(&url).await;
        let terminal = id(900);
        raw.run(&format!(
            "INSERT INTO terminals (site_id, id, name, role, registered_at) VALUES ('main', {}, 'k-1', 'kitchen', 0)",
            raw.literal(terminal)
        ))
        .await;
        let mut tokens = BTreeMap::new();
        let people = [("kitchen", "kitchen"), ("admin", "admin"), ("courier0", "delivery"), ("courier1", "delivery")];
        for (number, (name, role)) in (901..).zip(people) {
            let token = format!("token of {name}");
            let hash: String = servery::service::token_hash(&token).iter().map(|b| format!("{b:02x}")).collect();
            let hash = raw.bytes(&hash);
            let staff = raw.literal(id(number));
            raw.run(&format!(
                "INSERT INTO staff (site_id, id, username, name, role, password_hash, created_at, updated_at) \
                 VALUES ('main', {staff}, '{name}', '{name}', '{role}', '-', 0, 0)"
            ))
            .await;
            raw.run(&format!(
                "INSERT INTO sessions (site_id, token_hash, staff_id, role, created_at, expires_at, last_used_at) \
                 VALUES ('main', {hash}, {staff}, '{role}', 0, {}, 0)",
                i64::MAX
            ))
            .await;
            tokens.insert(name, (token, StaffId(id(number))));
        }
        let guests: Vec<CustomerId> = (0..GUESTS).map(|guest| CustomerId(id(u64::from(guest) + 1))).collect();
        let guest = Caller::Guest { customer: guests[0], terminal: None };
        let menu = door.ask(&guest, MenuNow::default()).await.expect("menu");
        let items =
            CODES.iter().filter_map(|code| menu.items.iter().find(|item| item.code == *code).cloned()).collect();
        let model = Model {
            stock: [("cola", Count { on_hand: 40, reserved: 0 }), ("patty", Count { on_hand: 50, reserved: 0 })].into(),
            orders: Vec::new(),
            carts: Vec::new(),
            drawer: None,
            settings: Settings {
                auto_accept: "prepaid",
                open: true,
                card: true,
                upi: true,
                cash: true,
                delivery: true,
                cap: 50,
                cancel_paid: false,
                retry_max: 3,
            },
            payments: std::collections::BTreeSet::new(),
            available: vec![true; CODES.len()],
        };
        Some(Self {
            door,
            clock,
            sqlite: matches!(site, Store::Sqlite(_)),
            raw,
            model,
            guests,
            tokens,
            terminal: TerminalId(terminal),
            items,
            views: Vec::new(),
            cart_lines: Vec::new(),
            keyed: None,
            payments: Vec::new(),
            numbers: 10_000,
            last: String::new(),
            _folder: folder,
            _database: database,
        })
    }

    pub(super) fn next_id(&mut self) -> Uuid {
        self.numbers += 1;
        id(self.numbers)
    }

    fn session(&self, name: &str, override_by: Option<StaffId>) -> Caller {
        let terminal = (!name.starts_with("courier")).then_some(self.terminal);
        Caller::Session { token: self.tokens[name].0.clone(), terminal, override_by }
    }

    fn guest(&self, guest: u8) -> Caller {
        Caller::Guest { customer: self.guests[usize::from(guest)], terminal: None }
    }

    pub(super) fn caller(&self, who: Who, owner: u8) -> Caller {
        match who {
            Who::Owner => self.guest(owner),
            Who::OtherGuest => self.guest((owner + 1) % GUESTS),
            Who::Kitchen => self.session("kitchen", None),
            Who::KitchenPin => self.session("kitchen", Some(self.tokens["admin"].1)),
            Who::Board => Caller::Terminal(self.terminal),
            Who::Admin => self.session("admin", None),
            Who::Courier(0) => self.session("courier0", None),
            Who::Courier(_) => self.session("courier1", None),
            Who::System => Caller::System,
            Who::Gateway => Caller::Gateway("stripe-dummy"),
        }
    }

    /// Runs a use case; a failure of the house itself fails the test.
    pub(super) async fn run<U: UseCase>(
        &mut self,
        caller: &Caller,
        key: Option<&str>,
        use_case: U,
    ) -> Result<Result<U::Output, Refused>, String> {
        let result = self.door.execute(caller, key, use_case).await;
        if let Err(refused) = &result {
            self.last = format!("{}: {} {:?} ({})", U::NAME, refused.code.as_str(), refused.guard, refused.message);
            if matches!(refused.code, ErrorCode::InternalError | ErrorCode::StoreUnavailable) {
                return Err(format!("the house failed in {}: {refused:?}", U::NAME));
            }
        } else {
            self.last = format!("{}: taken", U::NAME);
        }
        Ok(result)
    }

    pub(super) fn judge(&self, verdict: Verdict, taken: bool) -> Result<(), String> {
        match (verdict, taken) {
            (Verdict::Must, false) => Err(format!("refused what it must take: {}", self.last)),
            (Verdict::MustNot, true) => Err(format!("took what it must refuse: {}", self.last)),
            _ => Ok(()),
        }
    }

    /// Runs one command and compares its outcome with the model.
    ///
    /// # Errors
    /// What was wrong.
    pub async fn step(&mut self, command: &Command) -> Result<(), String> {
        if self.sqlite {
            self.clock.0.fetch_add(1_000_000, Ordering::SeqCst);
        }
        match command {
            Command::Order { pick, who, act } => self.order_step(*pick, *who, *act).await?,
            Command::Place { .. } => self.place_step(command).await?,
            Command::Pass { seconds } => self.pass(*seconds).await,
            Command::CartAdd { .. }
            | Command::CartSet { .. }
            | Command::CartRemove { .. }
            | Command::CartClear { .. }
            | Command::CartFulfilment { .. }
            | Command::CartNote { .. }
            | Command::CartAccept { .. } => self.cart_step(command).await?,
            _ => self.store_room_step(command).await?,
        }
        self.stock_agrees().await
    }

    async fn stock_agrees(&mut self) -> Result<(), String> {
        for (code, on_hand, reserved) in self.raw.stock().await {
            let count = self.model.stock.get(code.as_str()).copied().unwrap_or_default();
            if (count.on_hand, count.reserved) != (on_hand, reserved) {
                return Err(format!(
                    "stock of {code}: the model says {} on hand, {} reserved, the house {on_hand}, {reserved} after {}",
                    count.on_hand, count.reserved, self.last
                ));
            }
        }
        Ok(())
    }

    /// Lets time pass: the clock on SQLite; on Postgres, where the store's own clock rules, the instants
    /// of the orders move back instead.
    pub(super) async fn pass(&mut self, seconds: i64) {
        self.last = format!("{seconds} seconds pass");
        let micros = seconds * 1_000_000;
        if self.sqlite {
            self.clock.0.fetch_add(micros, Ordering::SeqCst);
            return;
        }
        let forever = i64::MAX;
        self.raw
            .run(&format!(
                "UPDATE orders SET received_at = received_at - {micros}, ready_at = ready_at - {micros}, \
                 expires_at = expires_at - {micros}, on_hold_until = CASE WHEN on_hold_until = {forever} \
                 THEN on_hold_until ELSE on_hold_until - {micros} END"
            ))
            .await;
    }

    /// The cart that a guest fills just now: a consumed one is followed by a new one.
    fn cart_of(&mut self, guest: u8) -> usize {
        let found = self.model.carts.iter().position(|cart| cart.guest == guest && cart.state != "consumed");
        found.unwrap_or_else(|| {
            let id = self.next_id();
            self.model.carts.push(Cart { id, guest, state: "open", made: false, fulfilment: None, lines: Vec::new() });
            self.cart_lines.push(Vec::new());
            self.model.carts.len() - 1
        })
    }

    fn cart_line(&self, cart: usize, line: u8) -> (usize, CartLineId) {
        let lines = &self.cart_lines[cart];
        if lines.is_empty() || line > 250 {
            return (usize::MAX, CartLineId(id(7_777)));
        }
        let at = usize::from(line) % lines.len();
        (at, lines[at])
    }

    async fn cart_step(&mut self, command: &Command) -> Result<(), String> {
        let guest = match command {
            Command::CartAdd { guest, .. }
            | Command::CartSet { guest, .. }
            | Command::CartRemove { guest, .. }
            | Command::CartClear { guest }
            | Command::CartFulfilment { guest, .. }
            | Command::CartNote { guest, .. }
            | Command::CartAccept { guest } => *guest,
            _ => 0,
        };
        let at = self.cart_of(guest);
        let cart_id = CartId(self.model.carts[at].id);
        let mut cart = self.model.carts[at].clone();
        let open = cart.state == "open";
        let made = cart.made && open;
        let owner = self.guest(guest);
        let can = |allowed: bool| if allowed { Verdict::Either } else { Verdict::MustNot };
        let (verdict, result) = match command {
            Command::CartAdd { who, item, option, quantity, .. } => {
                // Only the guest makes the cart: whoever makes it owns it.
                let who = if cart.made { *who } else { Who::Owner };
                let item_at = usize::from(*item);
                let view = self.items[item_at].clone();
                let choices: Vec<_> = view.option_groups.iter().flat_map(|group| &group.choices).collect();
                let choice = choices.get(usize::from(*option) % 3).map(|choice| (choice.id, choice.name == "Double"));
                let uses = uses_of(item_at, choice.is_some_and(|choice| choice.1));
                let add = CartAdd {
                    cart: cart_id,
                    item: view.id,
                    options: choice.iter().map(|choice| choice.0).collect(),
                    quantity: *quantity,
                    note: String::new(),
                };
                let caller = self.caller(who, guest);
                let result = self.run(&caller, None, add).await?;
                let option = choice.map(|choice| choice.0.0);
                let like = cart.lines.iter().position(|line| line.item == *item && line.option == option);
                let quantity = i64::from(*quantity);
                let seen = self.unit_price(*item, option);
                match like {
                    Some(like) => {
                        cart.lines[like].quantity += quantity;
                        cart.lines[like].seen = seen;
                    }
                    None => cart.lines.push(CartLine { item: *item, option, seen, quantity, uses: uses.clone() }),
                }
                let total = cart.lines[like.unwrap_or(cart.lines.len() - 1)].quantity;
                let fits = uses.keys().all(|code| self.cart_uses(&cart, code) <= self.model.free(code));
                let may = matches!(who, Who::Owner | Who::Kitchen | Who::KitchenPin | Who::Admin);
                let good = may && open && quantity >= 1 && total <= 999 && self.model.available[item_at] && fits;
                // The taster may cost less than nothing after its price was lowered.
                (
                    if item_at == 4 {
                        can(good)
                    } else if good {
                        Verdict::Must
                    } else {
                        Verdict::MustNot
                    },
                    result,
                )
            }
            Command::CartSet { who, line, quantity, .. } => {
                let (index, line) = self.cart_line(at, *line);
                let set = CartSetQuantity { cart: cart_id, line, quantity: *quantity };
                let caller = self.caller(*who, guest);
                let result = self.run(&caller, None, set).await?;
                let may = matches!(who, Who::Owner | Who::Kitchen | Who::KitchenPin | Who::Admin);
                let mut good = may && made && (1..=999).contains(quantity) && index < cart.lines.len();
                if good {
                    let grows = i64::from(*quantity) > cart.lines[index].quantity;
                    cart.lines[index].quantity = i64::from(*quantity);
                    let uses = cart.lines[index].uses.clone();
                    good = !grows || uses.keys().all(|code| self.cart_uses(&cart, code) <= self.model.free(code));
                }
                (if good { Verdict::Must } else { Verdict::MustNot }, result)
            }
            Command::CartRemove { line, .. } => {
                let (index, line) = self.cart_line(at, *line);
                let result = self.run(&owner, None, CartRemove { cart: cart_id, line }).await?;
                let good = made && index < cart.lines.len();
                if good {
                    cart.lines.remove(index);
                }
                (if good { Verdict::Must } else { Verdict::MustNot }, result)
            }
            Command::CartClear { .. } => {
                let result = self.run(&owner, None, CartClear { cart: cart_id }).await?;
                cart.lines.clear();
                (if made { Verdict::Must } else { Verdict::MustNot }, result)
            }
            Command::CartNote { line, .. } => {
                let line = line.map(|line| self.cart_line(at, line));
                let good = made && line.is_none_or(|line| line.0 < cart.lines.len());
                // Every line the same note, so that equal lines stay one.
                let note = CartNote { cart: cart_id, line: line.map(|line| line.1), note: String::new() };
                let result = self.run(&owner, None, note).await?;
                (if good { Verdict::Must } else { Verdict::MustNot }, result)
            }
            Command::CartAccept { .. } => {
                let result = self.run(&owner, None, CartAcceptChanges { cart: cart_id }).await?;
                (can(made), result)
            }
            Command::CartFulfilment { fulfilment, .. } => {
                let fulfilment =
                    [Fulfilment::Pickup, Fulfilment::DineIn, Fulfilment::Delivery][usize::from(*fulfilment)];
                let result = self.run(&owner, None, CartFulfilment { cart: cart_id, fulfilment }).await?;
                cart.fulfilment = Some(fulfilment);
                (if open { Verdict::Must } else { Verdict::MustNot }, result)
            }
            other => return Err(format!("{other:?} is nothing for a cart")),
        };
        self.judge(verdict, result.is_ok())?;
        if let Ok(view) = result {
            cart.made = true;
            if matches!(command, Command::CartAccept { .. }) {
                cart.lines = self.still_there(&view);
            }
            self.model.carts[at] = cart;
            self.cart_agrees(at, &view)?;
        }
        Ok(())
    }

    /// What accepting the changes left of the lines.
    fn still_there(&self, view: &CartView) -> Vec<CartLine> {
        let kept = view.lines.iter().filter_map(|line| {
            let at = self.items.iter().position(|item| item.id == line.item_id)?;
            let choices = self.items[at].option_groups.iter().flat_map(|group| &group.choices);
            let option = choices.into_iter().find(|choice| line.options.contains(&choice.name));
            let uses = uses_of(at, option.is_some_and(|choice| choice.name == "Double"));
            let (item, option) = (u8::try_from(at).ok()?, option.map(|choice| choice.id.0));
            let seen = self.unit_price(item, option);
            Some(CartLine { item, option, seen, quantity: i64::from(line.quantity), uses })
        });
        kept.collect()
    }

    /// What one of it costs now.
    fn unit_price(&self, item: u8, option: Option<uuid::Uuid>) -> i64 {
        let item = &self.items[usize::from(item)];
        let choices = item.option_groups.iter().flat_map(|group| &group.choices);
        let deltas = choices.filter(|choice| option == Some(choice.id.0)).map(|choice| choice.price_delta.0);
        item.price.0 + deltas.sum::<i64>()
    }

    fn cart_uses(&self, cart: &Cart, code: &str) -> i64 {
        cart.lines.iter().map(|line| line.uses.get(code).unwrap_or(&0) * line.quantity).sum()
    }

    fn cart_agrees(&mut self, at: usize, view: &CartView) -> Result<(), String> {
        self.cart_lines[at] = view.lines.iter().map(|line| line.id).collect();
        let ours: Vec<_> = self.model.carts[at]
            .lines
            .iter()
            .map(|line| (self.items[usize::from(line.item)].id, line.quantity))
            .collect();
        let theirs: Vec<_> = view.lines.iter().map(|line| (line.item_id, i64::from(line.quantity))).collect();
        if ours == theirs { Ok(()) } else { Err(format!("a cart has {theirs:?}, the model {ours:?}")) }
    }

    /// The instant of the store, and its business date by hand: Kolkata is 5.5 hours ahead, the day
    /// begins at 4.
    async fn today(&self) -> String {
        let mut tx = self.door.store().read().await.expect("read");
        let now = tx.now(&*self.clock).await.expect("now");
        tx.rollback().await.expect("rollback");
        let local = chrono::DateTime::from_timestamp_micros(now.0 + (5 * 3_600 + 1_800 - 4 * 3_600) * 1_000_000);
        local.expect("an instant").format("%Y-%m-%d").to_string()
    }

    async fn place_step(&mut self, command: &Command) -> Result<(), String> {
        let Command::Place { guest, who, method, pay_now, key, address, expected } = command else { return Ok(()) };
        if let (Key::Again | Key::OtherBody | Key::OtherGuest, Some((key_text, caller, place, placed))) =
            (key, self.keyed.clone())
        {
            return self.place_again(*key, &key_text, &caller, place, &placed).await;
        }
        let at = self.cart_of(*guest);
        let cart = self.model.carts[at].clone();
        let method = [Method::Card, Method::Upi, Method::Cash][usize::from(*method)];
        let place = PlaceOrder {
            cart: CartId(cart.id),
            method,
            called_name: Some("Mira".to_owned()),
            pay_now: *pay_now,
            delivery_address: address.then(|| "Hostel 4".to_owned()),
            retry_of: None,
            expected_total: (*expected == 0).then_some(1),
        };
        let verdict = self.place_verdict(&cart, *who, &place).await;
        let caller = self.caller(*who, *guest);
        let key_text = (*key != Key::None).then(|| format!("place-{}", self.next_id()));
        let result = self.run(&caller, key_text.as_deref(), place.clone()).await?;
        self.judge(verdict, result.is_ok())?;
        let Ok(placed) = result else { return Ok(()) };
        if let Some(text) = key_text {
            self.keyed = Some((text, caller, place, placed.clone()));
        }
        self.placed(at, *guest, method, &placed)
    }

    async fn place_verdict(&self, cart: &Cart, who: Who, place: &PlaceOrder) -> Verdict {
        let settings = &self.model.settings;
        let delivery = cart.fulfilment == Some(Fulfilment::Delivery);
        let today = self.today().await;
        let claimed =
            self.model.orders.iter().filter(|order| order.business_date == today && !order.is_dropped()).count();
        let uses = |code: &str| self.cart_uses(cart, code);
        let good = matches!(who, Who::Owner | Who::Kitchen | Who::KitchenPin | Who::Admin)
            && cart.made
            && cart.state == "open"
            && !cart.lines.is_empty()
            && settings.open
            && i64::try_from(claimed).unwrap_or(i64::MAX) < settings.cap
            && cart.lines.iter().all(|line| self.model.available[usize::from(line.item)])
            && cart.lines.iter().all(|line| line.seen == self.unit_price(line.item, line.option))
            && (!delivery || (settings.delivery && place.delivery_address.is_some()))
            && match place.method {
                Method::Card => settings.card,
                Method::Upi => settings.upi,
                Method::Cash => settings.cash,
            }
            && STOCK.iter().all(|code| uses(code) <= self.model.free(code));
        match (good, place.expected_total) {
            (true, None) => Verdict::Must,
            (true, Some(_)) => Verdict::Either,
            _ => Verdict::MustNot,
        }
    }

    /// A key that was used before: the same request answers the same and does nothing, another is refused.
    async fn place_again(
        &mut self,
        key: Key,
        text: &str,
        caller: &Caller,
        place: PlaceOrder,
        first: &Placed,
    ) -> Result<(), String> {
        let (caller, place) = match key {
            Key::OtherBody => (caller.clone(), PlaceOrder { called_name: Some("Other".into()), ..place }),
            Key::OtherGuest => (self.guest((self.owner_of(first) + 1) % GUESTS), place),
            _ => (caller.clone(), place),
        };
        let result = self.run(&caller, Some(text), place).await?;
        match (key, result) {
            (Key::Again, Ok(again)) if again == *first => Ok(()),
            (Key::Again, other) => Err(format!("the same key and body answered {other:?} (I17)")),
            (Key::OtherGuest, Err(_)) => Ok(()),
            (Key::OtherGuest, Ok(_)) => Err("a key told one guest the order of another (I23)".to_owned()),
            (_, Err(refused)) if refused.code == ErrorCode::IdempotencyMismatch => Ok(()),
            (_, other) => Err(format!("the same key with another body answered {other:?} (I17)")),
        }
    }

    fn owner_of(&self, placed: &Placed) -> u8 {
        self.model.orders.iter().find(|order| order.id == placed.order.id).map_or(0, |order| order.guest)
    }

    /// T1, T2, T3b: the order as it must be born.
    fn placed(&mut self, at: usize, guest: u8, method: Method, placed: &Placed) -> Result<(), String> {
        let view = &placed.order;
        let cart = self.model.carts[at].clone();
        let mut order = Order {
            id: view.id,
            guest,
            cart: at,
            business_date: view.business_date.clone(),
            status: Status::Pending,
            version: 1,
            method,
            fulfilment: cart.fulfilment.unwrap_or(Fulfilment::Pickup),
            due: view.total.0,
            extended: false,
            on_hold: false,
            lines: Vec::new(),
            holds: BTreeMap::new(),
            attempts: Vec::new(),
            refunds: Vec::new(),
            courier: None,
            failures: 0,
            emits: vec!["order_created"],
        };
        if view.lines.len() != cart.lines.len() {
            return Err(format!("{} lines of a cart became {}", cart.lines.len(), view.lines.len()));
        }
        let mut subtotal = 0;
        for (line, seen) in cart.lines.iter().zip(&view.lines) {
            subtotal += self.unit_price(line.item, line.option) * line.quantity;
            order.lines.push(Line {
                id: seen.id,
                quantity: line.quantity,
                voided: 0,
                restocked: 0,
                wasted: 0,
                done: 0,
                share: seen.total_share.0,
                station: seen.station.map(|station| station.0),
                uses: line.uses.clone(),
            });
        }
        if subtotal != view.subtotal.0 {
            return Err(format!("subtotal: the model says {subtotal}, the house {} (I12)", view.subtotal.0));
        }
        let same_day = self.model.orders.iter().filter(|known| known.business_date == order.business_date).count();
        if !view.order_number.ends_with(&format!("-{:03}", same_day + 1)) {
            return Err(format!("order {} of the day is called {} (I14)", same_day + 1, view.order_number));
        }
        for (code, units) in wanted(&order) {
            order.holds.insert(code, (Hold::Reserved, units));
            self.model.stock.get_mut(code).expect("stock").reserved += units;
        }
        let attempt =
            |method, status| super::model::Attempt { id: None, method, status, amount: order.due, stray: false };
        if method == Method::Cash {
            order.status = Status::Received;
            order.emits.push("order_received");
            self.model.accept_by_itself(&mut order, false);
        } else if order.due == 0 {
            order.attempts.push(attempt("none", "captured"));
            self.model.commit(&mut order);
            (order.status, order.version) = (Status::Received, 2);
            order.emits.extend(["payment_completed", "order_received"]);
            self.model.accept_by_itself(&mut order, true);
        } else if placed.attempt.is_some() {
            order.attempts.push(attempt(method.as_str(), "created"));
        }
        self.model.carts[at].state = if order.status == Status::Pending { "locked" } else { "consumed" };
        self.model.orders.push(order);
        self.views.push(view.clone());
        self.model.agrees(self.views.len() - 1, view)
    }

    async fn store_room_step(&mut self, command: &Command) -> Result<(), String> {
        let admin = self.session("admin", None);
        let till = self.session("kitchen", None);
        let yes = |good: bool| if good { Verdict::Must } else { Verdict::MustNot };
        let (verdict, taken) = match command {
            Command::TillOpen { float } => {
                let verdict = yes(self.model.drawer.is_none());
                let result = self.run(&till, None, TillOpen { float: *float }).await?;
                if result.is_ok() {
                    self.model.drawer = Some(*float);
                }
                (verdict, result.is_ok())
            }
            Command::TillClose { force, with_pin } => {
                let waiting = self
                    .model
                    .orders
                    .iter()
                    .any(|order| order.method == Method::Cash && !order.paid() && !order.is_over());
                let verdict = yes(self.model.drawer.is_some() && if *force { *with_pin } else { !waiting });
                let counted = self.model.drawer.unwrap_or(0).max(0);
                let close =
                    TillClose { shift: None, counted, note: None, force: force.then(|| "end of the day".to_owned()) };
                // Forcing it is a manager's, or needs a manager's PIN on the spot.
                let till = if *with_pin { self.caller(Who::KitchenPin, 0) } else { till };
                let result = self.run(&till, None, close).await?;
                if let Ok(report) = &result {
                    if Some(report.shift.expected) != self.model.drawer {
                        return Err(format!(
                            "the drawer holds {}, the model says {:?} (I22)",
                            report.shift.expected, self.model.drawer
                        ));
                    }
                    self.model.drawer = None;
                }
                (verdict, result.is_ok())
            }
            Command::CashIn { amount } => {
                let verdict = yes(self.model.drawer.is_some() && *amount > 0);
                let result =
                    self.run(&till, None, CashIn { shift: None, amount: *amount, reason: "change".into() }).await?;
                if result.is_ok() {
                    self.model.drawer = self.model.drawer.map(|balance| balance + amount);
                }
                (verdict, result.is_ok())
            }
            Command::CashDrop { amount } => {
                let verdict = yes(self.model.drawer.is_some_and(|balance| balance >= *amount));
                let result =
                    self.run(&till, None, CashDrop { shift: None, amount: *amount, reason: "safe".into() }).await?;
                if result.is_ok() {
                    self.model.drawer = self.model.drawer.map(|balance| balance - amount);
                }
                (verdict, result.is_ok())
            }
            Command::Receive { item, quantity } => {
                let code = STOCK[usize::from(*item)];
                let receive = StockReceive { item: code.into(), quantity: *quantity, reason: "counted".to_owned() };
                let result = self.run(&admin, None, receive).await?;
                if result.is_ok() {
                    self.model.stock.get_mut(code).expect("stock").on_hand += quantity;
                }
                (yes(*quantity > 0), result.is_ok())
            }
            Command::Adjust { item, delta } => {
                let code = STOCK[usize::from(*item)];
                let fits = self.model.free(code) + delta >= 0;
                let adjust = StockAdjust { item: code.into(), delta: *delta, reason: "lost".into(), release: vec![] };
                let result = self.run(&admin, None, adjust).await?;
                if result.is_ok() {
                    self.model.stock.get_mut(code).expect("stock").on_hand += delta;
                }
                (yes(*delta != 0 && fits), result.is_ok())
            }
            Command::Recount { item, below, release } => {
                let code = STOCK[usize::from(*item)];
                let releasable = if *release { self.releasable(code) } else { Vec::new() };
                let counted = (self.reserved_without(code, &releasable) + below).max(0);
                let recount =
                    StockRecount { item: code.into(), counted, release: releasable.clone(), reason: "count".into() };
                let result = self.run(&admin, None, recount).await?;
                let verdict = yes(counted >= self.reserved_without(code, &releasable));
                if result.is_ok() {
                    self.released(&releasable);
                    self.model.stock.get_mut(code).expect("stock").on_hand = counted;
                }
                (verdict, result.is_ok())
            }
            Command::Waste { item, quantity, release } => {
                let code = STOCK[usize::from(*item)];
                let releasable = if *release { self.releasable(code) } else { Vec::new() };
                let waste = StockWaste {
                    item: code.into(),
                    quantity: *quantity,
                    reason: "spoilt".into(),
                    release: releasable.clone(),
                };
                let result = self.run(&admin, None, waste).await?;
                let left = self.model.stock[code].on_hand - quantity;
                let verdict = yes(left >= self.reserved_without(code, &releasable));
                if result.is_ok() {
                    self.released(&releasable);
                    self.model.stock.get_mut(code).expect("stock").on_hand = left;
                }
                (verdict, result.is_ok())
            }
            Command::SetAvailable { item, available } => {
                let at = usize::from(*item);
                let set = SetAvailable { item: CODES[at].into(), option: None, available: *available };
                let result = self.run(&till, None, set).await?;
                if result.is_ok() {
                    self.model.available[at] = *available;
                }
                (Verdict::Must, result.is_ok())
            }
            Command::SetPrice { item, price } => {
                let at = usize::from(*item);
                let text = format!("{}.{:02}", price / 100, price % 100);
                let result = self.run(&admin, None, SetPrice { item: CODES[at].into(), price: text }).await?;
                if result.is_ok() {
                    self.items[at].price = Money(*price);
                }
                (Verdict::Must, result.is_ok())
            }
            Command::Setting { which, value } => (Verdict::Must, self.setting(*which, *value).await?),
            other => return Err(format!("{other:?} is nothing for the store room")),
        };
        self.judge(verdict, taken)
    }

    /// Pending orders that hold some of it and are not being paid.
    fn releasable(&self, code: &str) -> Vec<OrderId> {
        let holders = self.model.orders.iter().filter(|order| {
            order.status == Status::Pending
                && order.open_attempt().is_none()
                && order.holds.get(code).is_some_and(|(held, _)| *held == Hold::Reserved)
        });
        holders.map(|order| order.id).collect()
    }

    fn reserved_without(&self, code: &str, released: &[OrderId]) -> i64 {
        let freed: i64 = self
            .model
            .orders
            .iter()
            .filter(|order| released.contains(&order.id))
            .filter_map(|order| order.holds.get(code).filter(|hold| hold.0 == Hold::Reserved))
            .map(|hold| hold.1)
            .sum();
        self.model.stock[code].reserved - freed
    }

    fn released(&mut self, orders: &[OrderId]) {
        for index in 0..self.model.orders.len() {
            if orders.contains(&self.model.orders[index].id) {
                let mut order = self.model.orders[index].clone();
                self.model.release(&mut order);
                self.model.orders[index] = order;
            }
        }
    }

    async fn setting(&mut self, which: u8, value: u8) -> Result<bool, String> {
        let rarely_off = !value.is_multiple_of(5);
        let (key, json): (&str, serde_json::Value) = match which {
            0 | 1 | 14 => ("auto_accept", ["off", "prepaid", "all"][usize::from(value % 3)].into()),
            2 => ("restaurant_open", rarely_off.into()),
            3 => ("card_payment_enabled", rarely_off.into()),
            4 => ("upi_payment_enabled", rarely_off.into()),
            5 => ("cash_payment_enabled", rarely_off.into()),
            6 => ("delivery_enabled", rarely_off.into()),
            7 => ("max_orders_per_slot", [3, 10, 1_000, 1_000, 1_000][usize::from(value % 5)].into()),
            8 | 15 | 16 => ("customer_cancel_paid_seconds", [0, 600][usize::from(value % 2)].into()),
            9 => ("pending_expiry_seconds", [0, 600, 30][usize::from(value % 3)].into()),
            10 => ("hold_extension_seconds", [0, 300][usize::from(value % 2)].into()),
            11 => ("tax_inclusive", value.is_multiple_of(2).into()),
            12 => ("pickup_retry_max", [1, 3][usize::from(value % 2)].into()),
            _ => ("auto_ready", value.is_multiple_of(2).into()),
        };
        let admin = self.session("admin", None);
        let result = self
            .run(
                &admin,
                None,
                SetSetting { key: key.into(), value: json.clone(), seen: None, reason: Some("a test".to_owned()) },
            )
            .await?;
        let settings = &mut self.model.settings;
        let on = json.as_bool().unwrap_or(false);
        match key {
            "auto_accept" => settings.auto_accept = ["off", "prepaid", "all"][usize::from(value % 3)],
            "restaurant_open" => settings.open = on,
            "card_payment_enabled" => settings.card = on,
            "upi_payment_enabled" => settings.upi = on,
            "cash_payment_enabled" => settings.cash = on,
            "delivery_enabled" => settings.delivery = on,
            "max_orders_per_slot" => settings.cap = json.as_i64().unwrap_or(0),
            "customer_cancel_paid_seconds" => settings.cancel_paid = json.as_i64() > Some(0),
            "pickup_retry_max" => settings.retry_max = json.as_i64().unwrap_or(0),
            _ => {}
        }
        Ok(result.is_ok())
    }

    /// The expensive look: every invariant, and every row against the model.
    ///
    /// # Errors
    /// What was wrong.
    pub async fn examine(&mut self, with_doctor: bool) -> Result<(), String> {
        self.raw.check(&self.model).await?;
        if with_doctor {
            let report = doctor::examine(self.door.store(), "main").await.map_err(|error| error.to_string())?;
            if let Some(found) = report.violations().next() {
                return Err(format!("doctor: {}: {:?}", found.name, found.violation));
            }
        }
        Ok(())
    }
}
