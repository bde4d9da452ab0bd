//! Every timer on both sides of its edge, and the housekeeping.

use crate::house::House;
use crate::on_both;
use serde_json::json;
use servery::domain::ids::{CartId, CustomerId, OrderId};
use servery::domain::payment::Method;
use servery::domain::time::{Clock, Timestamp};
use servery::service::Caller;
use servery::service::orders::{AcceptOrder, HoldOrder, MarkReady, RunTimer, SetItemsDone, StartOrder, Timer};
use servery::service::payments::{ApplyCharge, ChargeResult};
use servery::service::views::Placed;
use servery::worker::Worker;

/// How often the timer runs now, on orders in the whole.
async fn runs(worker: &Worker, timer: Timer) -> usize {
    let held = worker.take_lease().await.expect("asked").held.expect("the lease");
    let report = worker.run_timer(&held, timer).await.expect("a round");
    assert_eq!(report.poisoned, 0);
    report.timers
}

async fn status(house: &House, placed: &Placed) -> String {
    house.order(placed.order.id).await.status.as_str().to_owned()
}

/// Pays an order as its gateway would say.
pub async fn pay(house: &House, placed: &Placed) {
    let attempt = placed.attempt.as_ref().expect("paid at once");
    let result = ChargeResult::Captured {
        gateway_order_id: None,
        gateway_payment_id: format!("pay_{}", placed.order.id),
        amount: attempt.amount,
        currency: placed.order.currency.code().to_owned(),
        brand: None,
        last_four: None,
        response: None,
    };
    let apply =
        ApplyCharge { order: placed.order.id, attempt: Some(attempt.id), gateway: "stripe-dummy".to_owned(), result };
    house.door.execute(&Caller::Gateway("stripe-dummy"), None, apply).await.expect("paid");
}

async fn start_cooking(house: &House, order: OrderId, accept: bool) {
    if accept {
        house.cook(AcceptOrder { order, eta_minutes: None }).await;
    }
    house.cook(StartOrder { order }).await;
}

async fn finish(house: &House, placed: &Placed) {
    let lines = placed.order.lines.iter().map(|line| line.id).collect();
    house.cook(SetItemsDone { order: placed.order.id, lines, done: true }).await;
}

on_both!(a_hold_expires_at_its_instant_unless_an_attempt_is_open, |house| {
    let (worker, _) = house.leading().await;
    let placed = house.place(Method::Card, false).await;
    let paying = house.place(Method::Card, true).await;
    house.pass_until_just_before(600).await;
    assert_eq!(runs(&worker, Timer::Expire).await, 0);
    house.pass_the_edge().await;
    assert_eq!(runs(&worker, Timer::Expire).await, 1);
    assert_eq!(status(&house, &placed).await, "expired");
    assert_eq!(status(&house, &paying).await, "pending", "money is on its way");
    assert_eq!(house.number("SELECT CAST(SUM(reserved) AS BIGINT) FROM stock_items").await, {
        house.number("SELECT CAST(COALESCE(SUM(quantity), 0) AS BIGINT) FROM reservations WHERE state = 'held'").await
    });
    assert_eq!(runs(&worker, Timer::Expire).await, 0, "once");
});

on_both!(a_paid_order_that_nobody_accepts_is_rejected_while_the_house_is_open, |house| {
    let (worker, _) = house.leading().await;
    house.set("auto_accept", json!("off")).await;
    let placed = house.place(Method::Card, true).await;
    pay(&house, &placed).await;
    house.pass_until_just_before(300).await;
    assert_eq!(runs(&worker, Timer::AcceptTimeout).await, 0);
    house.pass_the_edge().await;
    house.set("restaurant_open", json!(false)).await;
    assert_eq!(runs(&worker, Timer::AcceptTimeout).await, 0, "nobody is there to accept");
    house.set("restaurant_open", json!(true)).await;
    assert_eq!(runs(&worker, Timer::AcceptTimeout).await, 1);
    assert_eq!(status(&house, &placed).await, "rejected");
    assert_eq!(house.number("SELECT COUNT(*) FROM refunds WHERE status = 'pending'").await, 1);
});

on_both!(an_unpaid_cash_order_waits_for_its_time_and_0_is_for_ever, |house| {
    let (worker, _) = house.leading().await;
    let (received, confirmed) = (house.place(Method::Cash, false).await, house.place(Method::Cash, false).await);
    house.cook(AcceptOrder { order: confirmed.order.id, eta_minutes: None }).await;
    house.pass_until_just_before(900).await;
    assert_eq!(runs(&worker, Timer::CashTimeout).await, 0);
    house.set("cash_wait_seconds", json!(0)).await;
    house.pass_the_edge().await;
    assert_eq!(runs(&worker, Timer::CashTimeout).await, 0);
    house.set("cash_wait_seconds", json!(900)).await;
    assert_eq!(runs(&worker, Timer::CashTimeout).await, 2);
    for placed in [received, confirmed] {
        assert_eq!(status(&house, &placed).await, "cancelled");
    }
});

on_both!(an_unpaid_ready_order_is_a_no_show, |house| {
    let (worker, _) = house.leading().await;
    let placed = house.place(Method::Cash, false).await;
    start_cooking(&house, placed.order.id, true).await;
    finish(&house, &placed).await;
    house.cook(MarkReady { order: placed.order.id, forced: None }).await;
    house.pass_until_just_before(3_600).await;
    assert_eq!(runs(&worker, Timer::NoShow).await, 0);
    house.pass_the_edge().await;
    assert_eq!(runs(&worker, Timer::NoShow).await, 1);
    let order = house.order(placed.order.id).await;
    assert_eq!(order.status.as_str(), "cancelled");
    assert_eq!(order.reason.expect("a reason").as_str(), "no_show");
});

on_both!(a_delivery_that_is_paid_at_the_door_waits_for_nobody_at_the_counter, |house| {
    let (worker, _) = house.leading().await;
    let placed = house.place_delivery(Method::Cash, false).await;
    house.pass_until_just_before(900).await;
    house.pass_the_edge().await;
    assert_eq!(runs(&worker, Timer::CashTimeout).await, 0);
    start_cooking(&house, placed.order.id, true).await;
    finish(&house, &placed).await;
    house.cook(MarkReady { order: placed.order.id, forced: None }).await;
    house.pass_until_just_before(3_600).await;
    house.pass_the_edge().await;
    assert_eq!(runs(&worker, Timer::NoShow).await, 0);
    // Nor by hand.
    for (timer, guard) in [(Timer::CashTimeout, Some("illegal")), (Timer::NoShow, Some("is_pickup_or_dine_in"))] {
        let by_hand = RunTimer { order: placed.order.id, timer };
        let refused = house.door.execute(&Caller::System, None, by_hand).await.expect_err("nothing to do");
        assert_eq!(refused.guard, guard, "{timer}");
    }
    assert_eq!(status(&house, &placed).await, "ready");
});

on_both!(a_ticket_comes_off_hold_when_its_end_has_come, |house| {
    let (worker, _) = house.leading().await;
    let (ending, endless) = (house.place(Method::Cash, false).await, house.place(Method::Cash, false).await);
    let now = Timestamp(house.order(ending.order.id).await.created_at.0);
    house.cook(HoldOrder { order: ending.order.id, until: Some(now.plus_seconds(300)) }).await;
    house.cook(HoldOrder { order: endless.order.id, until: None }).await;
    house.pass_until_just_before(300).await;
    assert_eq!(runs(&worker, Timer::ReleaseHold).await, 0);
    house.pass_the_edge().await;
    assert_eq!(runs(&worker, Timer::ReleaseHold).await, 1);
    assert_eq!(house.order(ending.order.id).await.on_hold_until, None);
    assert!(house.order(endless.order.id).await.on_hold_until.is_some());
});

on_both!(what_nobody_collected_closes_with_the_business_day, |house| {
    let (worker, _) = house.leading().await;
    let placed = house.place(Method::Card, true).await;
    pay(&house, &placed).await;
    start_cooking(&house, placed.order.id, false).await;
    finish(&house, &placed).await;
    house.cook(MarkReady { order: placed.order.id, forced: None }).await;
    assert_eq!(runs(&worker, Timer::CloseUncollected).await, 0);
    if house.postgres {
        // Of the day before: the number carries the date.
        let order = house.uuid(placed.order.id.0);
        house
            .raw(&format!(
                "UPDATE orders SET business_date = '2020-01-01', order_number = 'ORD-20200101-001', sequence = 1 WHERE id = {order}"
            ))
            .await;
    } else {
        // 04:00 in Kolkata is 22:30 UTC.
        let day = 86_400_000_000;
        let cutoff = (house.clock.now().0 / day) * day + (22 * 60 + 30) * 60_000_000;
        house.pass(cutoff - house.clock.now().0 - 1).await;
        assert_eq!(runs(&worker, Timer::CloseUncollected).await, 0);
        house.pass(1).await;
    }
    assert_eq!(runs(&worker, Timer::CloseUncollected).await, 1);
    assert_eq!(status(&house, &placed).await, "completed");
    assert_eq!(house.number("SELECT COUNT(*) FROM orders WHERE uncollected").await, 1);
});

on_both!(an_order_is_ready_when_its_last_line_is_done_where_that_is_switched_on, |house| {
    let (worker, _) = house.leading().await;
    let (done, cooking) = (house.place(Method::Cash, false).await, house.place(Method::Cash, false).await);
    for placed in [&done, &cooking] {
        start_cooking(&house, placed.order.id, true).await;
    }
    finish(&house, &done).await;
    assert_eq!(runs(&worker, Timer::AutoReady).await, 0);
    house.set("auto_ready", json!(true)).await;
    assert_eq!(runs(&worker, Timer::AutoReady).await, 1);
    assert_eq!(status(&house, &done).await, "ready");
    assert_eq!(status(&house, &cooking).await, "preparing");
});

on_both!(more_than_a_page_is_handled_in_one_round_each_order_once, |house| {
    let (worker, _) = house.leading().await;
    house.set("max_orders_per_slot", json!(500)).await;
    house.raw("UPDATE stock_items SET on_hand = on_hand + 1000").await;
    for _ in 0..115 {
        house.place(Method::Card, false).await;
    }
    house.pass_seconds(3_600).await;
    assert_eq!(runs(&worker, Timer::Expire).await, 115);
    assert_eq!(house.number("SELECT COUNT(*) FROM orders WHERE status = 'expired'").await, 115);
    let expired = "SELECT COUNT(*) FROM order_history WHERE transition = 'T7'";
    assert_eq!(house.number(expired).await, 115);
    assert_eq!(runs(&worker, Timer::Expire).await, 0);
});

on_both!(a_row_that_cannot_be_moved_blocks_no_other_and_rests, |house| {
    let (worker, _) = house.leading().await;
    let poisoned = house.place(Method::Card, false).await;
    house.pass_seconds(1).await;
    let sound = house.place(Method::Card, false).await;
    let order = house.uuid(poisoned.order.id.0);
    if !house.postgres {
        house.raw("DROP TRIGGER orders_snapshot").await;
    }
    house.raw(&format!("UPDATE orders SET currency = '???' WHERE id = {order}")).await;
    house.pass_seconds(601).await;
    let round = || async {
        let held = worker.take_lease().await.expect("asked").held.expect("the lease");
        worker.run_timer(&held, Timer::Expire).await.expect("a round")
    };
    let report = round().await;
    assert_eq!((report.timers, report.poisoned), (1, 1), "the one behind it is not kept waiting");
    assert_eq!(status(&house, &sound).await, "expired");
    assert_eq!(round().await.poisoned, 0, "it rests");
    house.pass_seconds(6).await;
    assert_eq!(round().await.poisoned, 1, "and is tried again");
    house.pass_seconds(6).await;
    assert_eq!(round().await.poisoned, 0, "its rest doubles");
});

on_both!(carts_left_alone_go_and_touched_ones_stay, |house| {
    let (worker, _) = house.leading().await;
    let guest = |number: u128| Caller::Guest { customer: CustomerId(uuid::Uuid::from_u128(number)), terminal: None };
    let old: CartId = house.fill_cart(&guest(1)).await;
    house.pass_until_just_before(1_800).await;
    let young = house.fill_cart(&guest(2)).await;
    let held = || async { worker.take_lease().await.expect("asked").held.expect("the lease") };
    assert_eq!(worker.forget_old(&held().await).await.expect("a round").forgotten, 0);
    house.pass_the_edge().await;
    house.pass(1).await;
    assert_eq!(worker.forget_old(&held().await).await.expect("a round").forgotten, 1);
    assert_ne!(old, young);
    assert_eq!(house.number("SELECT COUNT(*) FROM carts").await, 1);
    assert_eq!(house.number("SELECT COUNT(*) FROM cart_lines").await, 1);
});

on_both!(stored_outcomes_are_kept_for_a_week, |house| {
    let (worker, _) = house.leading().await;
    let placed = house.place(Method::Cash, false).await;
    let accept = AcceptOrder { order: placed.order.id, eta_minutes: None };
    house.door.execute(&Caller::Terminal(house.kitchen), Some("accept-1"), accept).await.expect("accepted");
    house.pass_until_just_before(7 * 24 * 3_600).await;
    let held = || async { worker.take_lease().await.expect("asked").held.expect("the lease") };
    worker.forget_old(&held().await).await.expect("a round");
    assert_eq!(house.number("SELECT COUNT(*) FROM idempotency_keys").await, 1);
    house.pass_the_edge().await;
    house.pass(1).await;
    worker.forget_old(&held().await).await.expect("a round");
    assert_eq!(house.number("SELECT COUNT(*) FROM idempotency_keys").await, 0);
});
