//! How many statements a command sends, the words of control included: on Postgres each is a round trip, on
//! SQLite a way to another thread and back. Who needs one more changes the number here and says why.
//!
//! A binary of its own, because statements are counted for the whole process.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests, which clippy does not know as tests")]

#[allow(
    clippy::allow_attributes,
    dead_code,
    unused_macros,
    reason = "shared with the worker's tests, which use all of it"
)]
#[path = "worker/house.rs"]
mod house;
mod support;

use house::House;
use servery::domain::payment::Method;
use servery::service::kitchen::{ShowBoard, ShowKitchen};
use servery::service::orders::{Bump, HandOver};
use servery::service::payments::{ApplyCharge, ChargeResult};
use servery::service::place::PlaceOrder;
use servery::service::{Caller, UseCase};
use servery::store::statements;
use std::collections::BTreeMap;

/// How many statements run until the answer is there.
async fn count<T>(of: impl Future<Output = T>) -> (u64, T) {
    let before = statements::ran();
    let answer = of.await;
    (statements::ran() - before, answer)
}

async fn run<U: UseCase>(house: &House, caller: &Caller, key: &str, use_case: U) -> (u64, U::Output) {
    let (sent, answer) = count(house.door.execute(caller, Some(key), use_case)).await;
    (sent, answer.unwrap_or_else(|refused| panic!("{}: {refused:?}", U::NAME)))
}

/// The statements of the way of an order, and of a look at the boards. The first of each kind fills the caches.
async fn sent(house: &House) -> BTreeMap<&'static str, u64> {
    let mut sent = BTreeMap::new();
    let (kitchen, gateway) = (Caller::Terminal(house.kitchen), Caller::Gateway("stripe-dummy"));
    for turn in 0..2 {
        let guest = Caller::Guest { customer: servery::domain::ids::CustomerId(house.door.new_id()), terminal: None };
        let cart = house.fill_cart(&guest).await;
        let place = PlaceOrder {
            cart,
            method: Method::Card,
            called_name: None,
            pay_now: true,
            retry_of: None,
            expected_total: None,
            delivery_address: None,
        };
        let (place, placed) = run(house, &guest, &format!("place-{turn}"), place).await;
        let order = placed.order.id;
        let attempt = placed.attempt.expect("an attempt");
        let apply = ApplyCharge {
            order,
            attempt: Some(attempt.id),
            gateway: "stripe-dummy".to_owned(),
            result: ChargeResult::Captured {
                gateway_order_id: Some(format!("gw_{order}")),
                gateway_payment_id: format!("pay_{order}"),
                amount: placed.order.due,
                currency: placed.order.currency.code().to_owned(),
                brand: None,
                last_four: None,
                response: None,
            },
        };
        let (pay, _) = count(house.door.execute(&gateway, None, apply)).await;
        let (show_kitchen, board) = count(house.door.ask(&kitchen, ShowKitchen)).await;
        let ticket = board.expect("the board").tickets.into_iter().find(|ticket| ticket.order == order);
        let seen_version = ticket.expect("the ticket").version;
        let bump = |seen_version| Bump { order, station: None, seen_version };
        let (start, started) = run(house, &kitchen, &format!("start-{turn}"), bump(seen_version)).await;
        let (finish, _) = run(house, &kitchen, &format!("finish-{turn}"), bump(started.order.version)).await;
        let (show_board, _) = count(house.door.ask(&Caller::System, ShowBoard)).await;
        let (hand_over, _) = run(house, &kitchen, &format!("over-{turn}"), HandOver { order }).await;
        sent = BTreeMap::from([
            ("place", place),
            ("pay", pay),
            ("show_kitchen", show_kitchen),
            ("start", start),
            ("finish", finish),
            ("show_board", show_board),
            ("hand_over", hand_over),
        ]);
    }
    sent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_takes_few_round_trips() {
    let expected = BTreeMap::from([
        ("place", 18),
        ("pay", 18),
        ("show_kitchen", 10),
        ("start", 14),
        ("finish", 19),
        ("show_board", 4),
        ("hand_over", 14),
    ]);
    statements::start();
    for postgres in [false, true] {
        let Some(house) = House::demo(postgres).await else { continue };
        assert_eq!(sent(&house).await, expected, "on Postgres: {postgres}");
    }
}
