//! A demo house with somebody in every role, on a fresh store of either kind, and short words for what
//! they do there. Helpers only: nothing is checked here.

use super::support::postgres::{TestDatabase, database};
use servery::domain::access::Role;
use servery::domain::error::Refused;
use servery::domain::fulfilment::Fulfilment;
use servery::domain::ids::{CartId, CustomerId, Ids, OrderId, StaffId, StationId};
use servery::domain::money::Money;
use servery::domain::order::{Disposal, LinePart, Status};
use servery::domain::payment::Method;
use servery::domain::time::{Clock, Timestamp};
use servery::service::cart::{CartAdd, CartFulfilment};
use servery::service::menu::MenuNow;
use servery::service::menu_file::MenuFile;
use servery::service::menu_import::MenuImport;
use servery::service::order_queries::{OrderName, ShowOrder};
use servery::service::orders::*;
use servery::service::payments::{ApplyCharge, ChargeResult, Outcome};
use servery::service::place::PlaceOrder;
use servery::service::secrets::Secrets;
use servery::service::settings::SetSetting;
use servery::service::stock::StockList;
use servery::service::terminals::{self, TerminalRole};
use servery::service::views::{ItemView, OrderView, Placed};
use servery::service::{Caller, Door, FieldKey, TimeOrderedIds, UseCase, setup, staff};
use servery::store::{Options, Store, StoreUrl, tickets};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A clock that the test moves; on Postgres the store's own clock rules.
pub struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A demo house with somebody in every role.
pub struct House {
    pub door: Door,
    clock: Arc<TestClock>,
    sqlite: bool,
    pub kitchen: Caller,
    pub board: Caller,
    pub admin: Caller,
    pub courier: Caller,
    pub courier_id: StaffId,
    _folder: Option<tempfile::TempDir>,
    _database: Option<TestDatabase>,
}

impl House {
    pub async fn open(postgres: bool) -> Option<Self> {
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
        let clock = Arc::new(TestClock(AtomicI64::new(1_780_000_000_000_000)));
        let ids: Arc<dyn Ids> = Arc::new(TimeOrderedIds::seeded([5; 32]));
        let demo = setup::InitSite::demo("main");
        setup::init(&store, &*clock, &*ids, &demo).await.expect("init");
        let key = FieldKey::from_secret("a-key-for-addresses-in-this-test!").expect("key");
        let door = Door::with_field_key(store, "main", Arc::clone(&clock) as Arc<dyn Clock>, ids, Some(key));
        let secrets = Secrets::with_pepper(b"pepper-of-the-test-of-32-bytes!!", [9; 32]);
        staff::insert_demo(&door, &secrets).await.expect("staff");
        let kitchen_terminal = terminals::register(&door, "kitchen-1", TerminalRole::Kitchen).await.expect("terminal");
        let mut signed = Vec::new();
        for account in staff::DEMO_ACCOUNTS {
            let session = staff::login(&door, &secrets, Some(kitchen_terminal), account.username, account.password)
                .await
                .expect("sign-in");
            let caller = Caller::Session { token: session.token, terminal: Some(kitchen_terminal), override_by: None };
            signed.push((account.role, session.staff, caller));
        }
        let of = |role: Role| signed.iter().find(|(known, ..)| *known == role).expect("role");
        Some(Self {
            door,
            clock,
            sqlite: !postgres,
            kitchen: of(Role::Kitchen).2.clone(),
            board: Caller::Terminal(kitchen_terminal),
            admin: of(Role::Admin).2.clone(),
            courier: of(Role::Delivery).2.clone(),
            courier_id: of(Role::Delivery).1,
            _folder: folder,
            _database: database,
        })
    }

    pub fn guest(&self) -> Guest {
        let customer = CustomerId(self.door.new_id());
        Guest { caller: Caller::Guest { customer, terminal: None }, cart: CartId(self.door.new_id()) }
    }

    pub async fn set(&self, key: &str, value: serde_json::Value) {
        let set = SetSetting { key: key.to_owned(), value, seen: None, reason: Some("a test".to_owned()) };
        self.door.execute(&self.admin, None, set).await.unwrap_or_else(|refused| panic!("{key}: {refused:?}"));
    }

    /// A plain, counted item of the demo menu: one can a sale.
    pub async fn plain_item(&self) -> ItemView {
        self.item("cola").await
    }

    pub async fn item(&self, code: &str) -> ItemView {
        let menu = self.door.ask(&self.guest().caller, MenuNow::default()).await.expect("menu");
        menu.items.into_iter().find(|item| item.code == code).expect("the demo menu has it")
    }

    /// The stations that are through with an order, as the store has it.
    pub async fn bumped(&self, order: OrderId) -> Vec<StationId> {
        let mut tx = self.door.store().read().await.expect("a look");
        let rows = tickets::in_kitchen(&mut tx, "main").await.expect("tickets");
        let through = rows.iter().filter(|row| row.order_id == order.0 && row.bumped_at.is_some());
        through.map(|row| StationId(row.station_id)).collect()
    }

    /// On hand and reserved of what the plain item uses.
    pub async fn stock(&self) -> (i64, i64) {
        let list = self.door.ask(&self.admin, StockList::default()).await.expect("stock").items;
        let row = list.iter().find(|row| row.code == "cola-can").expect("the item's own stock");
        (row.on_hand, row.reserved)
    }

    pub async fn cart(&self, guest: &Guest, item: &ItemView, quantity: i32, fulfilment: Fulfilment) {
        let choose = CartFulfilment { cart: guest.cart, fulfilment };
        self.door.execute(&guest.caller, None, choose).await.expect("fulfilment");
        let add = CartAdd { cart: guest.cart, item: item.id, options: vec![], quantity, note: String::new() };
        self.door.execute(&guest.caller, None, add).await.expect("add");
    }

    /// Puts a dish on the menu whose one option takes its whole price off, and one of it into the cart.
    pub async fn free_dish_in_cart(&self, guest: &Guest) {
        let dish = "\n[[item]]\ncode = \"staff-soup\"\nname = \"Staff Soup\"\ncategory = \"Drinks\"\n\
             price = \"10.00\"\ndiet = \"veg\"\n[[item.option]]\nname = \"For\"\nmin = 1\nmax = 1\n\
             choices = [{ name = \"Staff\", price = \"-10.00\" }]\n";
        let file = MenuFile::from_toml(&format!("{}{dish}", setup::DEMO_MENU)).expect("menu file");
        self.run(&self.admin, MenuImport { file, dry_run: false, reason: Some("a test".to_owned()) }).await;
        let menu = self.door.ask(&guest.caller, MenuNow::default()).await.expect("menu");
        let item = menu.items.iter().find(|item| item.code == "staff-soup").expect("the new dish");
        let add = CartAdd {
            cart: guest.cart,
            item: item.id,
            options: vec![item.option_groups[0].choices[0].id],
            quantity: 1,
            note: String::new(),
        };
        self.run(&guest.caller, add).await;
    }

    pub async fn place(&self, guest: &Guest, method: Method, pay_now: bool) -> Placed {
        self.place_as(guest, method, pay_now, None).await
    }

    pub async fn place_as(&self, guest: &Guest, method: Method, pay_now: bool, address: Option<&str>) -> Placed {
        let place = PlaceOrder {
            cart: guest.cart,
            method,
            called_name: Some("Mira".to_owned()),
            pay_now,
            delivery_address: address.map(str::to_owned),
            retry_of: None,
            expected_total: None,
        };
        self.door.execute(&guest.caller, None, place).await.unwrap_or_else(|refused| panic!("place: {refused:?}"))
    }

    /// A paid order of two units by card.
    pub async fn paid(&self, item: &ItemView) -> OrderView {
        self.paid_by(&self.guest(), item, Fulfilment::Pickup, None).await
    }

    pub async fn paid_by(
        &self,
        guest: &Guest,
        item: &ItemView,
        fulfilment: Fulfilment,
        address: Option<&str>,
    ) -> OrderView {
        self.cart(guest, item, 2, fulfilment).await;
        let placed = self.place_as(guest, Method::Card, true, address).await;
        self.answer(&placed, captured(&placed.order)).await.order
    }

    pub async fn unpaid_cash(&self, item: &ItemView) -> OrderView {
        let guest = self.guest();
        self.cart(&guest, item, 2, Fulfilment::DineIn).await;
        self.place(&guest, Method::Cash, false).await.order
    }

    pub async fn answer(&self, placed: &Placed, result: ChargeResult) -> Outcome {
        let apply = ApplyCharge {
            order: placed.order.id,
            attempt: placed.attempt.as_ref().map(|attempt| attempt.id),
            gateway: "stripe-dummy".to_owned(),
            result,
        };
        let gateway = Caller::Gateway("stripe-dummy");
        self.door.execute(&gateway, None, apply).await.unwrap_or_else(|refused| panic!("answer: {refused:?}"))
    }

    pub async fn run<U: UseCase>(&self, caller: &Caller, use_case: U) -> U::Output {
        self.door.execute(caller, None, use_case).await.unwrap_or_else(|refused| panic!("{}: {refused:?}", U::NAME))
    }

    pub async fn refused<U: UseCase>(&self, caller: &Caller, use_case: U) -> Refused {
        match self.door.execute(caller, None, use_case).await {
            Ok(_) => panic!("{} was not refused", U::NAME),
            Err(refused) => refused,
        }
    }

    pub async fn order(&self, id: OrderId) -> OrderView {
        self.door.ask(&self.admin, ShowOrder { order: OrderName::Id(id) }).await.expect("order")
    }

    /// To preparing, by the board alone.
    pub async fn cooking(&self, item: &ItemView) -> OrderView {
        let order = self.paid(item).await;
        assert_eq!(order.status, Status::Confirmed, "auto_accept covers paid orders");
        self.run(&self.board, StartOrder { order: order.id }).await
    }

    pub async fn ready(&self, item: &ItemView) -> OrderView {
        let order = self.cooking(item).await;
        self.run(&self.board, Bump { order: order.id, station: None, seen_version: order.version }).await.order
    }

    pub async fn out(&self, item: &ItemView) -> OrderView {
        let order = self.paid_by(&self.guest(), item, Fulfilment::Delivery, Some("Hostel 4")).await;
        self.run(&self.admin, AssignCourier { order: order.id, staff: self.courier_id }).await;
        let order = self.run(&self.kitchen, StartOrder { order: order.id }).await;
        let order =
            self.run(&self.board, Bump { order: order.id, station: None, seen_version: order.version }).await.order;
        assert_eq!(order.status, Status::Ready);
        self.run(&self.courier, PickUp { order: order.id }).await
    }

    /// Lets time pass; on Postgres, where the store's own clock rules, the instants of the order are
    /// moved back instead.
    pub async fn pass(&self, order: OrderId, seconds: i64) {
        if self.sqlite {
            self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
            return;
        }
        let url = match self.door.store().url() {
            StoreUrl::Postgres(url) => url.clone(),
            StoreUrl::Sqlite(_) => unreachable!("checked above"),
        };
        let sql = "UPDATE orders SET received_at = received_at - $2, ready_at = ready_at - $2, \
             expires_at = expires_at - $2, on_hold_until = on_hold_until - $2 WHERE id = $1";
        let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.expect("connect");
        sqlx::query(sql).bind(order.0).bind(seconds * 1_000_000).execute(&mut connection).await.expect("move back");
    }
}

pub struct Guest {
    pub caller: Caller,
    pub cart: CartId,
}

pub fn captured(order: &OrderView) -> ChargeResult {
    captured_as(order, order.due, &format!("pay_{}", order.id))
}

pub fn captured_as(order: &OrderView, amount: Money, payment: &str) -> ChargeResult {
    ChargeResult::Captured {
        gateway_order_id: Some(format!("gw_{payment}")),
        gateway_payment_id: payment.to_owned(),
        amount,
        currency: order.currency.code().to_owned(),
        brand: Some("visa".to_owned()),
        last_four: Some("4242".to_owned()),
        response: None,
    }
}

pub fn failed(reason: &str) -> ChargeResult {
    ChargeResult::Failed { reason: reason.to_owned(), unresolved: false, brand: None, last_four: None }
}

pub fn part(order: &OrderView, quantity: i64, disposal: Disposal) -> LinePart {
    LinePart { line: order.lines[0].id, quantity, disposal }
}

/// The same test on both databases.
#[macro_export]
macro_rules! on_both {
    ($name:ident, |$house:ident| $body:block) => {
        mod $name {
            use super::*;
            async fn run(postgres: bool) {
                let Some($house) = $crate::house::House::open(postgres).await else { return };
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
