//! The office of a test's house: settings and orders through its own door, as its admin. No screen.

use std::sync::Arc;

use servery::domain::ids::{OrderId, StaffId};
use servery::domain::time::Clock;
use servery::service::order_queries::{ListOrders, OrderName, ShowOrder};
use servery::service::secrets::{Secrets, pepper_path};
use servery::service::settings::SetSetting;
use servery::service::views::OrderView;
use servery::service::{Caller, Door, FieldKey, SystemClock, TimeOrderedIds, staff};
use servery::store::{Options, Store, StoreUrl};

use crate::house::{self, House};

/// The door with the admin who stands in it.
pub struct Office {
    pub door: Door,
    pub admin: Caller,
    /// The courier: who it is, and as whom they act.
    pub courier: (StaffId, Caller),
}

impl Office {
    /// Opens the house's store beside its processes; what it does happens at the time of `clock` (on SQLite).
    pub async fn open(house: &House, clock: Arc<dyn Clock>) -> Self {
        let environment = house.servery.environment();
        let variable = |name: &str| environment.get(std::ffi::OsStr::new(name)).cloned();
        let url = variable("SERVERY_STORE").and_then(|url| url.into_string().ok()).expect("the store is named");
        let url = StoreUrl::parse(&url).expect("a store's URL");
        let store = Store::open(&url, Options::default()).await.expect("the store opens");
        let ids = Arc::new(TimeOrderedIds::from_machine());
        let key = FieldKey::from_secret(house::FIELD_KEY).expect("a key for addresses");
        let door = Door::with_field_key(store, "main", clock, ids, Some(key));
        let secrets = Secrets::open(&pepper_path(variable).expect("the place of the pepper")).expect("the pepper");
        let mut signed_in = Vec::new();
        for name in ["asha", "noor"] {
            let account = staff::DEMO_ACCOUNTS.iter().find(|account| account.username == name).expect("an account");
            let session = staff::login(&door, &secrets, None, name, account.password).await.expect("signed in");
            let caller = Caller::Session { token: session.token, terminal: None, override_by: None };
            signed_in.push((session.staff, caller));
        }
        let [(_, admin), courier] = <[_; 2]>::try_from(signed_in).expect("two people");
        Self { door, admin, courier }
    }

    /// The order as it is now.
    pub async fn order(&self, id: OrderId) -> OrderView {
        self.door.ask(&self.admin, ShowOrder { order: OrderName::Id(id) }).await.expect("the order")
    }
}

/// Runs `work` to its end.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("a runtime").block_on(work)
}

/// Sets a setting of the house.
pub fn set(house: &House, key: &str, value: impl Into<serde_json::Value>) {
    let value = value.into();
    block_on(async {
        let office = Office::open(house, Arc::new(SystemClock)).await;
        let set = SetSetting { key: key.to_owned(), value, seen: None, reason: Some("a test".to_owned()) };
        office.door.execute(&office.admin, None, set).await.expect("the setting is taken");
    });
}

/// Every order of the house, the oldest first.
pub fn orders(house: &House) -> Vec<OrderView> {
    block_on(async {
        let office = Office::open(house, Arc::new(SystemClock)).await;
        let list = ListOrders { filter: Default::default(), after: None, limit: 50, count_all: false };
        let page = office.door.ask(&office.admin, list).await.expect("the orders");
        let mut orders = Vec::new();
        for row in page.items {
            orders.push(office.order(row.id).await);
        }
        orders.sort_by_key(|order| order.created_at);
        orders
    })
}
