//! A demo store for the benches and for `tests/bare_sql.rs`: carts of three dishes, and an order placed
//! and paid through the door as the kiosk does it.

use servery::domain::fulfilment::Fulfilment;
use servery::domain::ids::{CartId, CustomerId, ItemId, OrderId};
use servery::domain::payment::Method;
use servery::service::cart::{CartAdd, CartFulfilment};
use servery::service::menu::ItemDetail;
use servery::service::payments::{ApplyCharge, ChargeResult};
use servery::service::place::PlaceOrder;
use servery::service::settings::SetSetting;
use servery::service::stock::StockReceive;
use servery::service::{Caller, Door, Secrets, SystemClock, TimeOrderedIds, setup, staff};
use servery::store::{Options, Store, StoreUrl};
use std::sync::Arc;

/// Three dishes without options; each uses one stock item of its own.
const DISHES: [&str; 3] = ["cola", "samosa", "seekh-kebab"];
/// What they use.
const SHELVES: [&str; 3] = ["cola-can", "samosa", "lamb"];
const GATEWAY: &str = "stripe-dummy";

/// The store and the door to it.
pub struct House {
    pub door: Door,
    dishes: Vec<ItemId>,
}

/// A guest's full cart.
#[derive(Clone, Copy)]
pub struct Basket {
    pub customer: CustomerId,
    pub cart: CartId,
}

impl Basket {
    fn guest(self) -> Caller {
        Caller::Guest { customer: self.customer, terminal: None }
    }
}

impl House {
    pub async fn open(url: &str) -> Self {
        let url = StoreUrl::parse(url).expect("the store's address");
        let store = Store::open(&url, Options::default()).await.expect("the store");
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(TimeOrderedIds::from_machine()));
        setup::init(&store, &*clock, &*ids, &setup::InitSite::demo("main")).await.expect("the demo");
        let door = Door::new(store, "main", clock, ids);
        let secrets = Secrets::with_pepper(b"pepper-of-the-bench-of-32-bytes!", [9; 32]);
        staff::insert_demo(&door, &secrets).await.expect("staff");
        let admin = &staff::DEMO_ACCOUNTS[0];
        let signed = staff::login(&door, &secrets, None, admin.username, admin.password).await.expect("signed in");
        let manager = Caller::Session { token: signed.token, terminal: None, override_by: None };
        let key = "max_orders_per_slot".to_owned();
        door.execute(&manager, None, SetSetting { key, value: 1_000_000.into(), seen: None }).await.expect("no limit");
        let mut dishes = Vec::new();
        for (dish, shelf) in DISHES.iter().zip(SHELVES) {
            let receive = StockReceive { item: shelf.to_owned(), quantity: 10_000_000, reason: "counted".to_owned() };
            door.execute(&manager, None, receive).await.expect("goods");
            let item = door.ask(&Caller::System, ItemDetail { item: (*dish).to_owned() }).await.expect("the dish");
            dishes.push(item.id);
        }
        Self { door, dishes }
    }

    /// A cart with one of each dish.
    pub async fn basket(&self) -> Basket {
        let basket = Basket { customer: CustomerId(self.door.new_id()), cart: CartId(self.door.new_id()) };
        let choose = CartFulfilment { cart: basket.cart, fulfilment: Fulfilment::Pickup };
        self.door.execute(&basket.guest(), None, choose).await.expect("a cart");
        for item in &self.dishes {
            let add = CartAdd { cart: basket.cart, item: *item, options: vec![], quantity: 1, note: String::new() };
            self.door.execute(&basket.guest(), None, add).await.expect("a dish");
        }
        basket
    }

    /// Places the basket and has it paid: two commands, two commits. The key of the first is answered.
    pub async fn place_pay(&self, basket: Basket) -> (OrderId, String) {
        let place = PlaceOrder {
            cart: basket.cart,
            method: Method::Card,
            called_name: Some("Mira".to_owned()),
            pay_now: true,
            delivery_address: None,
            retry_of: None,
            expected_total: None,
        };
        let key = format!("place-{}", basket.cart);
        let placed = self.door.execute(&basket.guest(), Some(&key), place).await.expect("placed");
        let attempt = placed.attempt.expect("an attempt");
        let apply = ApplyCharge {
            order: placed.order.id,
            attempt: Some(attempt.id),
            gateway: GATEWAY.to_owned(),
            result: ChargeResult::Captured {
                gateway_order_id: Some(format!("gw_{}", attempt.id)),
                gateway_payment_id: format!("pay_{}", attempt.id),
                amount: placed.order.due,
                currency: placed.order.currency.code().to_owned(),
                brand: Some("visa".to_owned()),
                last_four: Some("4242".to_owned()),
                response: None,
            },
        };
        let paid = self.door.execute(&Caller::Gateway(GATEWAY), None, apply).await.expect("paid");
        (paid.order.id, key)
    }
}
