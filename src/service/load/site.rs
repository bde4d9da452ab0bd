//! The site under load: a demo with goods, guests with full carts, and an order as the kiosk places
//! and pays it. The gateway of these orders is never called: its answer is given as the door gets it.

use crate::domain::error::{ErrorCode, Refused};
use crate::domain::fulfilment::Fulfilment;
use crate::domain::ids::{CartId, CustomerId, ItemId};
use crate::domain::payment::Method;
use crate::service::cart::{CartAdd, CartFulfilment};
use crate::service::menu::ItemDetail;
use crate::service::payments::{ApplyCharge, ChargeResult, Outcome};
use crate::service::place::PlaceOrder;
use crate::service::settings::SetSetting;
use crate::service::stock::StockRecount;
use crate::service::views::{OrderView, Placed};
use crate::service::{Caller, Door, SystemClock, TimeOrderedIds, setup};
use crate::store::Store;
use crate::store::bare::{self, Model};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How many dishes an order of the bench has.
pub const LINES: usize = DISHES.len();
/// Three dishes without options, and what one of each uses: one unit of a stock item of its own.
const DISHES: [(&str, &str); 3] = [("cola", "cola-can"), ("samosa", "samosa"), ("seekh-kebab", "lamb")];
/// The gateway of the payments.
pub const GATEWAY: &str = "stripe-dummy";
/// Places in the day's slot: never the limit.
const PLACES: i64 = 1_000_000;
/// How often a command is repeated for a store that was too busy.
pub const REPEATS: u32 = 50;

/// A guest with a cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guest {
    /// The guest.
    pub customer: CustomerId,
    /// The cart.
    pub cart: CartId,
}

impl Guest {
    /// A new guest, whose cart is not there yet.
    #[must_use]
    pub fn new(door: &Door) -> Self {
        Self { customer: CustomerId(door.new_id()), cart: CartId(door.new_id()) }
    }

    /// The idempotency key under which the cart is placed.
    #[must_use]
    pub fn key(&self) -> String {
        format!("place-{}", self.cart)
    }

    /// The guest at the door.
    #[must_use]
    pub const fn caller(&self) -> Caller {
        Caller::Guest { customer: self.customer, terminal: None }
    }
}

/// A site under load, and the door to it; cheap to clone.
#[derive(Debug, Clone)]
pub struct LoadSite {
    /// The door.
    pub door: Door,
    dishes: Vec<ItemId>,
}

impl LoadSite {
    /// Makes the demo's site in a store, where it is not there yet, and opens it.
    ///
    /// # Errors
    /// `STORE_UNAVAILABLE`; what [`setup::init`] refuses.
    pub async fn make(store: &Store, site: &str) -> Result<Self, Refused> {
        setup::init(store, &SystemClock, &TimeOrderedIds::from_machine(), &setup::InitSite::demo(site)).await?;
        let made = Self::open(store, site).await?;
        let limit =
            SetSetting { key: "max_orders_per_slot".to_owned(), value: PLACES.into(), seen: None, reason: None };
        made.door.execute(&Caller::System, None, limit).await?;
        Ok(made)
    }

    /// Opens the door to a site that [`LoadSite::make`] made, with this process's clock and ids.
    ///
    /// # Errors
    /// `NOT_FOUND` for a site without the demo's menu; `STORE_UNAVAILABLE`.
    pub async fn open(store: &Store, site: &str) -> Result<Self, Refused> {
        let ids = Arc::new(TimeOrderedIds::from_machine());
        let door = Door::new(store.clone(), site, Arc::new(SystemClock), ids);
        let mut dishes = Vec::with_capacity(DISHES.len());
        for (dish, _) in DISHES {
            dishes.push(door.ask(&Caller::System, ItemDetail { item: dish.to_owned() }).await?.id);
        }
        Ok(Self { door, dishes })
    }

    /// The code of what the first dish uses: the stock item that a race is run for.
    #[must_use]
    pub const fn contested(&self) -> &'static str {
        DISHES[0].1
    }

    /// Counts the goods of the first `dishes` dishes to so many units each; nothing may be held.
    ///
    /// # Errors
    /// `STORE_UNAVAILABLE`; what a recount refuses.
    pub async fn stock_up(&self, dishes: usize, units: i64) -> Result<(), Refused> {
        for (_, shelf) in DISHES.iter().take(dishes) {
            let recount = StockRecount {
                item: (*shelf).to_owned(),
                counted: units,
                release: Vec::new(),
                reason: "counted for a run under load".to_owned(),
            };
            self.door.execute(&Caller::System, None, recount).await?;
        }
        Ok(())
    }

    /// A new guest with one of each of the first `dishes` dishes in the cart.
    ///
    /// # Errors
    /// `STORE_UNAVAILABLE`; what the cart refuses.
    pub async fn guest(&self, dishes: usize) -> Result<Guest, Refused> {
        let guest = Guest::new(&self.door);
        let choose = CartFulfilment { cart: guest.cart, fulfilment: Fulfilment::Pickup };
        self.patiently(&guest, "choose", choose).await?;
        for item in self.dishes.iter().take(dishes) {
            let add = CartAdd { cart: guest.cart, item: *item, options: Vec::new(), quantity: 1, note: String::new() };
            self.patiently(&guest, &format!("add-{item}"), add).await?;
        }
        Ok(guest)
    }

    /// Places and pays an order of all dishes, from which the bare limit learns its rows.
    ///
    /// # Errors
    /// What placing and paying refuse; `STORE_UNAVAILABLE`.
    pub async fn model(&self) -> Result<Model, Refused> {
        let guest = self.guest(DISHES.len()).await?;
        let placed = place(&self.door, &guest).await?;
        pay(&self.door, &placed).await?;
        let mut tx = self.door.store().read().await?;
        let model = bare::learn(&mut tx, self.door.site_id(), placed.order.id, &guest.key()).await?;
        tx.rollback().await?;
        Ok(model)
    }

    /// So many new guests, each with a copy of the open cart of `like`, in one transaction.
    ///
    /// # Errors
    /// `STORE_UNAVAILABLE`.
    pub async fn guests_like(&self, like: &Guest, count: usize) -> Result<Vec<Guest>, Refused> {
        let guests: Vec<Guest> = (0..count).map(|_| Guest::new(&self.door)).collect();
        let ids: Vec<_> = guests.iter().map(|guest| (guest.customer, guest.cart)).collect();
        let mut tx = self.door.store().write().await?;
        bare::copy_cart(&mut tx, self.door.site_id(), like.cart, &ids, self.door.clock().now()).await?;
        tx.commit().await?;
        Ok(guests)
    }

    /// Runs a command for a guest, again where the store was too busy: its key makes that safe.
    async fn patiently<U: crate::service::UseCase>(
        &self,
        guest: &Guest,
        what: &str,
        command: U,
    ) -> Result<U::Output, Refused> {
        let key = format!("{what}-{}", guest.cart);
        let mut tries = 0;
        loop {
            let done = self.door.execute(&guest.caller(), Some(&key), command.clone()).await;
            match done {
                Err(refused) if is_busy(&refused) && tries < REPEATS => tries += 1,
                done => return done,
            }
        }
    }
}

/// Whether a refusal says that the store was too busy or away, so that the same may be asked again.
#[must_use]
pub fn is_busy(refused: &Refused) -> bool {
    refused.code == ErrorCode::StoreUnavailable
}

/// Places a guest's cart, to be paid by card at once; the key is the cart's own.
///
/// # Errors
/// What Place refuses.
pub async fn place(door: &Door, guest: &Guest) -> Result<Placed, Refused> {
    let place = PlaceOrder {
        cart: guest.cart,
        method: Method::Card,
        called_name: Some("Mira".to_owned()),
        pay_now: true,
        delivery_address: None,
        retry_of: None,
        expected_total: None,
    };
    door.execute(&guest.caller(), Some(&guest.key()), place).await
}

/// Applies the gateway's answer that an order placed with "pay now" is paid.
///
/// # Errors
/// What the application of a charge refuses; `INTERNAL_ERROR` for an order without an attempt.
pub async fn pay(door: &Door, placed: &Placed) -> Result<Outcome, Refused> {
    let attempt = placed.attempt.as_ref().ok_or_else(|| Refused::internal("the order has no attempt"))?;
    let apply = ApplyCharge {
        order: placed.order.id,
        attempt: Some(attempt.id),
        gateway: GATEWAY.to_owned(),
        result: captured(&placed.order, &format!("pay_{}", attempt.id)),
    };
    door.execute(&Caller::Gateway(GATEWAY), None, apply).await
}

/// The gateway's answer that all of what an order is due was captured.
#[must_use]
pub fn captured(order: &OrderView, payment: &str) -> ChargeResult {
    ChargeResult::Captured {
        gateway_order_id: Some(format!("gw_{payment}")),
        gateway_payment_id: payment.to_owned(),
        amount: order.due,
        currency: order.currency.code().to_owned(),
        brand: Some("visa".to_owned()),
        last_four: Some("4242".to_owned()),
        response: None,
    }
}
