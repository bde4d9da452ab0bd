//! A busy hour for the pictures: orders of the last minutes, through the house's own door with an earlier clock, so
//! that their tickets are as old as they say.

use std::sync::Arc;

use servery::domain::fulfilment::Fulfilment;
use servery::domain::ids::{CartId, CustomerId, TerminalId};
use servery::domain::payment::Method;
use servery::domain::time::{Clock, Timestamp};
use servery::service::cart::{CartAdd, CartFulfilment};
use servery::service::menu::MenuNow;
use servery::service::orders::Bump;
use servery::service::payments::{ApplyCharge, ChargeResult};
use servery::service::place::PlaceOrder;
use servery::service::terminals::{self, TerminalRole};
use servery::service::views::{OrderView, Placed};
use servery::service::{Caller, SystemClock, UseCase};

use crate::house::House;
use crate::office::{Office, block_on};

/// The system's clock, so many seconds ago.
struct Earlier(i64);

impl Clock for Earlier {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_seconds(-self.0)
    }
}

/// One dish of an order: how many, its code, the choices by name, and a note.
type Dish = (i32, &'static str, &'static [&'static str], &'static str);

/// An order of the hour.
struct Past {
    seconds_ago: i64,
    name: &'static str,
    way: Fulfilment,
    method: Method,
    dishes: &'static [Dish],
    /// How often the kitchen has bumped it since.
    bumps: usize,
}

const HOUR: [Past; 6] = [
    Past {
        seconds_ago: 755,
        name: "Meera",
        way: Fulfilment::DineIn,
        method: Method::Card,
        dishes: &[(1, "masala-dosa", &[], "")],
        bumps: 2,
    },
    Past {
        seconds_ago: 542,
        name: "Jonas",
        way: Fulfilment::DineIn,
        method: Method::Card,
        dishes: &[(2, "butter-chicken", &[], "no coriander"), (3, "butter-naan", &[], "")],
        bumps: 1,
    },
    Past {
        seconds_ago: 371,
        name: "",
        way: Fulfilment::Pickup,
        method: Method::Card,
        dishes: &[(1, "samosa", &[], ""), (2, "chicken-tikka", &[], "")],
        bumps: 1,
    },
    Past {
        seconds_ago: 208,
        name: "Lakshmi",
        way: Fulfilment::DineIn,
        method: Method::Cash,
        dishes: &[(1, "veg-biryani", &[], "")],
        bumps: 0,
    },
    Past {
        seconds_ago: 154,
        name: "Tomasz",
        way: Fulfilment::Pickup,
        method: Method::Card,
        dishes: &[(1, "chicken-biryani", &["Large", "Extra raita"], "mild, please"), (1, "mango-lassi", &[], "")],
        bumps: 0,
    },
    Past {
        seconds_ago: 66,
        name: "Ines",
        way: Fulfilment::DineIn,
        method: Method::Card,
        dishes: &[(2, "paneer-tikka", &[], "")],
        bumps: 0,
    },
];

/// Fills the house with the orders of the hour.
pub fn begin(house: &House) {
    block_on(async {
        for past in &HOUR {
            let office = Office::open(house, Arc::new(Earlier(past.seconds_ago))).await;
            let terminal = terminals::register(&office.door, "kitchen-1", TerminalRole::Kitchen).await;
            order(&office, terminal.expect("the kitchen's terminal"), past).await;
        }
    });
}

async fn run<U: UseCase>(office: &Office, caller: &Caller, use_case: U) -> U::Output {
    office.door.execute(caller, None, use_case).await.unwrap_or_else(|refused| panic!("{}: {refused:?}", U::NAME))
}

async fn order(office: &Office, kitchen: TerminalId, past: &Past) {
    let guest = Caller::Guest { customer: CustomerId(office.door.new_id()), terminal: None };
    let cart = CartId(office.door.new_id());
    let menu = office.door.ask(&guest, MenuNow::default()).await.expect("the menu");
    run(office, &guest, CartFulfilment { cart, fulfilment: past.way }).await;
    for (quantity, code, choices, note) in past.dishes {
        let item = menu.items.iter().find(|item| item.code == *code).unwrap_or_else(|| panic!("{code} is on the menu"));
        let mut options = Vec::new();
        for group in &item.option_groups {
            let chosen = group.choices.iter().filter(|choice| choices.contains(&choice.name.as_str()));
            let chosen: Vec<_> = chosen.map(|choice| choice.id).collect();
            let least = usize::try_from(group.min).expect("few");
            if chosen.is_empty() {
                options.extend(group.choices.iter().take(least).map(|choice| choice.id));
            }
            options.extend(chosen);
        }
        let add = CartAdd { cart, item: item.id, options, quantity: *quantity, note: (*note).to_owned() };
        run(office, &guest, add).await;
    }
    let place = PlaceOrder {
        cart,
        method: past.method,
        called_name: Some(past.name.to_owned()).filter(|name| !name.is_empty()),
        pay_now: past.method == Method::Card,
        delivery_address: None,
        retry_of: None,
        expected_total: None,
    };
    let placed = run(office, &guest, place).await;
    if past.method == Method::Card {
        run(office, &Caller::Gateway("stripe-dummy"), captured(&placed)).await;
    }
    for _ in 0..past.bumps {
        let seen: OrderView = office.order(placed.order.id).await;
        let bump = Bump { order: seen.id, station: None, seen_version: seen.version };
        run(office, &Caller::Terminal(kitchen), bump).await;
    }
}

/// The gateway's word that the order is paid.
fn captured(placed: &Placed) -> ApplyCharge {
    let order = &placed.order;
    ApplyCharge {
        order: order.id,
        attempt: placed.attempt.as_ref().map(|attempt| attempt.id),
        gateway: "stripe-dummy".to_owned(),
        result: ChargeResult::Captured {
            gateway_order_id: Some(format!("gw_{}", order.id)),
            gateway_payment_id: format!("pay_{}", order.id),
            amount: order.due,
            currency: order.currency.code().to_owned(),
            brand: Some("visa".to_owned()),
            last_four: Some("4242".to_owned()),
            response: None,
        },
    }
}
