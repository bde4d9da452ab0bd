//! Every row of the transition table, reached through the door on both databases; what it does to
//! stock, money, cart and outbox; and what the door itself promises (idempotency, ownership, audit).

#![expect(clippy::expect_used, clippy::panic, reason = "a test says where it stopped")]

#[path = "flows/house.rs"]
mod house;
#[path = "flows/money.rs"]
mod money;
#[path = "flows/promotions.rs"]
mod promotions;
mod support;

use house::*;
use servery::domain::error::ErrorCode;
use servery::domain::fulfilment::Fulfilment;
use servery::domain::ids::{LineId, OrderId};
use servery::domain::money::Money;
use servery::domain::order::{Disposal, RefundChoice, Status};
use servery::domain::payment::{Method, PaymentStatus};
use servery::service::Caller;
use servery::service::cart::{CartSetQuantity, ShowCart};
use servery::service::order_queries::{OrderName, ShowHistory, ShowOrder};
use servery::service::orders::*;
use servery::service::payments::{ChargeResult, SettleRefund, StartPayment};
use servery::service::place::PlaceOrder;
use servery::service::stock::StockRecount;
use servery::service::till::TillOpen;
use servery::service::views::Placed;
use std::collections::BTreeSet;

on_both!(every_row_of_the_table_is_reached, |house| {
    let item = house.plain_item().await;
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut orders: Vec<OrderId> = Vec::new();
    house.run(&house.kitchen, TillOpen { float: 50_000 }).await;

    // T1, T5b, T8; T1, T5a, T5, T3, T10 (by S), T13, T14, T15, T16, T22.
    let guest = house.guest();
    house.cart(&guest, &item, 2, Fulfilment::Pickup).await;
    let placed = house.place(&guest, Method::Upi, false).await;
    house.run(&guest.caller, ExtendHold { order: placed.order.id }).await;
    let cancelled = house.run(&guest.caller, CancelOrder { order: placed.order.id, reason: "no time".into() }).await;
    assert_eq!(cancelled.status, Status::Cancelled);
    orders.push(placed.order.id);

    let placed = house.place(&guest, Method::Card, false).await;
    let started = house.run(&guest.caller, StartPayment { order: placed.order.id }).await;
    assert_eq!(started.code, None);
    let attempt = started.order.attempts.first().cloned();
    let placed = Placed { order: started.order, attempt };
    house.answer(&placed, ChargeResult::Unknown).await;
    let paid = house.answer(&placed, captured(&placed.order)).await.order;
    assert_eq!(paid.status, Status::Confirmed);
    let order = house.run(&house.board, StartOrder { order: paid.id }).await;
    let lines: Vec<LineId> = order.lines.iter().map(|line| line.id).collect();
    house.run(&house.board, SetItemsDone { order: order.id, lines: lines.clone(), done: true }).await;
    house.run(&house.board, SetItemsDone { order: order.id, lines: lines.clone(), done: false }).await;
    house.run(&house.board, SetItemsDone { order: order.id, lines, done: true }).await;
    house.run(&house.board, MarkReady { order: order.id, forced: None }).await;
    let order = house.run(&house.board, RecallOrder { order: order.id }).await;
    house.run(&house.board, Bump { order: order.id, station: None, seen_version: order.version }).await;
    let done = house.run(&house.kitchen, HandOver { order: order.id }).await;
    assert_eq!(done.status, Status::Completed);
    orders.push(order.id);

    // T3b: an order that costs nothing is received in the Place transaction.
    let guest = house.guest();
    house.free_dish_in_cart(&guest).await;
    let free = house.place(&guest, Method::Card, true).await;
    assert_eq!((free.order.status, free.order.paid, free.order.total), (Status::Confirmed, true, Money(0)));
    assert_eq!(free.attempt, None, "there is nothing to charge");
    orders.push(free.order.id);

    // T4.
    let guest = house.guest();
    house.cart(&guest, &item, 2, Fulfilment::Pickup).await;
    let placed = house.place(&guest, Method::Card, true).await;
    let declined = house.answer(&placed, failed("declined")).await;
    assert_eq!(declined.code, Some(ErrorCode::PaymentFailed));
    orders.push(placed.order.id);

    // T28, both ways.
    for paid in [true, false] {
        let guest = house.guest();
        house.cart(&guest, &item, 2, Fulfilment::Pickup).await;
        let placed = house.place(&guest, Method::Card, false).await;
        let set = OverridePayment { order: placed.order.id, paid, reason: "seen at the bank".into() };
        let order = house.run(&house.admin, set).await;
        assert_eq!(order.status, if paid { Status::Confirmed } else { Status::Cancelled });
        orders.push(order.id);
    }

    // T27, T32 (both ways).
    let order = house.paid(&item).await;
    for amount in [1, 2] {
        let refund = RefundOrder { order: order.id, amount: Money(amount), lines: vec![], reason: "sorry".into() };
        house.run(&house.admin, refund).await;
    }
    let order = house.order(order.id).await;
    let gateway = Caller::Gateway("stripe-dummy");
    let settle = SettleRefund { order: order.id, refund: order.refunds[0].id, failed: None };
    assert_eq!(house.run(&gateway, settle).await.payment_status, PaymentStatus::PartiallyRefunded);
    let fail = SettleRefund { order: order.id, refund: order.refunds[1].id, failed: Some("closed".into()) };
    house.run(&gateway, fail).await;
    orders.push(order.id);

    // T2, T9; T2, T31 (all four), T10 by hand, T21, T13, T24b, T33.
    let order = house.unpaid_cash(&item).await;
    assert_eq!(order.status, Status::Received);
    let silent = CancelOrder { order: order.id, reason: " \u{200b}".into() };
    assert_eq!(house.refused(&house.kitchen, silent).await.guard, Some("reason_given"), "staff say why");
    let order = house.run(&house.kitchen, CancelOrder { order: order.id, reason: "ordered twice".into() }).await;
    orders.push(order.id);
    let order = house.unpaid_cash(&item).await;
    house.run(&house.board, SetPriority { order: order.id, priority: 1 }).await;
    house.run(&house.board, HoldOrder { order: order.id, until: None }).await;
    house.run(&house.board, NoteOrder { order: order.id, note: "window seat".into() }).await;
    house.run(&house.board, AcceptOrder { order: order.id, eta_minutes: Some(9) }).await;
    let refused = house.refused(&house.board, StartOrder { order: order.id }).await;
    assert_eq!(refused.guard, Some("not_on_hold"));
    house.run(&house.board, ReleaseHold { order: order.id }).await;
    let cash = house.run(&house.kitchen, ConfirmCash { order: order.id, tendered: Money(order.due.0 + 500) }).await;
    assert!(cash.paid);
    house.run(&house.board, StartOrder { order: order.id }).await;
    let void = VoidOrderLine { order: order.id, part: part(&order, 1, Disposal::Waste), reason: "burnt".into() };
    let voided = house.run(&house.admin, void).await;
    let refund = voided.refunds.first().cloned().expect("a refund of the line's share");
    let paid_out = house.run(&house.kitchen, PayOutRefund { order: order.id, refund: refund.id }).await;
    assert_eq!(paid_out.payment_status, PaymentStatus::PartiallyRefunded);
    orders.push(order.id);

    // T11, T23, T24.
    house.set("auto_accept", "off".into()).await;
    let order = house.paid(&item).await;
    let order = house.run(&house.kitchen, RejectOrder { order: order.id, reason: "too busy".into() }).await;
    assert_eq!((order.status, order.refunds.len()), (Status::Rejected, 1));
    orders.push(order.id);
    // T12.
    let order = house.paid(&item).await;
    house.pass(order.id, 301).await;
    house.run(&Caller::System, RunTimer { order: order.id, timer: Timer::AcceptTimeout }).await;
    orders.push(order.id);
    house.set("auto_accept", "prepaid".into()).await;
    let order = house.paid(&item).await;
    house.run(&house.kitchen, StaffCancelOrder { order: order.id, reason: "allergy".into() }).await;
    orders.push(order.id);
    let order = house.cooking(&item).await;
    let void = VoidOrder { order: order.id, reason: "dropped".into(), lines: vec![], refund: RefundChoice::Full };
    house.run(&house.admin, void).await;
    orders.push(order.id);

    // T9b.
    house.set("customer_cancel_paid_seconds", 600.into()).await;
    let guest = house.guest();
    let order = house.paid_by(&guest, &item, Fulfilment::Pickup, None).await;
    house.run(&guest.caller, CancelOrder { order: order.id, reason: "changed my mind".into() }).await;
    orders.push(order.id);

    // T7, T12b, T25, T22b.
    let guest = house.guest();
    house.cart(&guest, &item, 2, Fulfilment::Pickup).await;
    let placed = house.place(&guest, Method::Card, false).await;
    house.pass(placed.order.id, 601).await;
    house.run(&Caller::System, RunTimer { order: placed.order.id, timer: Timer::Expire }).await;
    orders.push(placed.order.id);
    let order = house.unpaid_cash(&item).await;
    house.pass(order.id, 901).await;
    house.run(&Caller::System, RunTimer { order: order.id, timer: Timer::CashTimeout }).await;
    orders.push(order.id);
    let order = house.unpaid_cash(&item).await;
    house.run(&house.board, AcceptOrder { order: order.id, eta_minutes: None }).await;
    let order = house.run(&house.board, StartOrder { order: order.id }).await;
    house.run(&house.board, Bump { order: order.id, station: None, seen_version: order.version }).await;
    let silent = NoShow { order: order.id, reason: String::new() };
    assert_eq!(house.refused(&house.admin, silent).await.guard, Some("reason_given"), "food is thrown away");
    house.run(&house.admin, NoShow { order: order.id, reason: "nobody came".into() }).await;
    orders.push(order.id);
    let order = house.ready(&item).await;
    house.run(&house.admin, CloseUncollected { order: order.id, reason: "never came".into() }).await;
    orders.push(order.id);

    // T17, T18, T19, T26, T20; T29.
    let order = house.out(&item).await;
    house.run(&house.courier, ReturnToStore { order: order.id, reason: "nobody home".into() }).await;
    house.run(&house.admin, AssignCourier { order: order.id, staff: house.courier_id }).await;
    house.run(&house.courier, CancelAssignment { order: order.id, no_pickup: false }).await;
    house.run(&house.admin, AssignCourier { order: order.id, staff: house.courier_id }).await;
    house.run(&house.courier, PickUp { order: order.id }).await;
    let order = house.run(&house.courier, Deliver { order: order.id }).await;
    assert_eq!(order.status, Status::Completed);
    let late = Placed { order: order.clone(), attempt: None };
    let after = house.answer(&late, captured_as(&order, Money(700), "pay_late")).await.order;
    assert!(after.attempts.iter().any(|attempt| attempt.stray));
    orders.push(order.id);

    // T6: a recount released the hold, and somebody else took the rest.
    let guest = house.guest();
    house.cart(&guest, &item, 2, Fulfilment::Pickup).await;
    let placed = house.place(&guest, Method::Card, false).await;
    let (on_hand, reserved) = house.stock().await;
    let recount = StockRecount {
        item: "cola-can".to_owned(),
        counted: reserved - 2 + 1,
        release: vec![placed.order.id],
        reason: "counted again".into(),
    };
    assert!(on_hand > reserved);
    house.run(&house.admin, recount).await;
    let gone = house.run(&guest.caller, StartPayment { order: placed.order.id }).await;
    assert_eq!(gone.code, Some(ErrorCode::InsufficientStock));
    assert_eq!(gone.order.status, Status::Cancelled);
    orders.push(placed.order.id);

    for order in orders {
        let history = house.door.ask(&house.admin, ShowHistory { order: OrderName::Id(order) }).await.expect("history");
        let versions: Vec<i64> = history.iter().map(|row| row.version).collect();
        let dense: Vec<i64> = (1..).take(versions.len()).collect();
        assert_eq!(versions, dense, "one row a version");
        seen.extend(history.into_iter().map(|row| row.transition));
    }
    let wanted: BTreeSet<String> = [
        "T1", "T2", "T3", "T3b", "T4", "T5", "T5a", "T5b", "T6", "T7", "T8", "T9", "T9b", "T10", "T11", "T12", "T12b",
        "T13", "T14", "T15", "T16", "T17", "T18", "T19", "T20", "T21", "T22", "T22b", "T23", "T24", "T24b", "T25",
        "T26", "T27", "T28", "T29", "T31", "T32", "T33",
    ]
    .map(str::to_owned)
    .into();
    let missing: Vec<&String> = wanted.difference(&seen).collect();
    assert!(missing.is_empty(), "not reached: {missing:?}");
});

on_both!(stock_follows_the_numbers_of_source_001, |house| {
    let item = house.plain_item().await;
    let (before, _) = house.stock().await;
    let guest = house.guest();
    house.cart(&guest, &item, 5, Fulfilment::Pickup).await;
    assert_eq!(house.stock().await, (before, 0), "a cart touches nothing");
    let placed = house.place(&guest, Method::Card, true).await;
    assert_eq!(house.stock().await, (before, 5));
    let paid = house.answer(&placed, captured(&placed.order)).await.order;
    assert_eq!(house.stock().await, (before - 5, 0));
    house.run(&house.kitchen, StaffCancelOrder { order: paid.id, reason: "test".into() }).await;
    assert_eq!(house.stock().await, (before, 0));
});

on_both!(a_declined_payment_frees_stock_and_reopens_the_cart, |house| {
    let item = house.plain_item().await;
    let before = house.stock().await;
    let guest = house.guest();
    house.cart(&guest, &item, 3, Fulfilment::Pickup).await;
    let placed = house.place(&guest, Method::Card, true).await;
    let set = CartSetQuantity {
        cart: guest.cart,
        line: house.door.ask(&guest.caller, ShowCart { cart: guest.cart }).await.expect("cart").lines[0].id,
        quantity: 4,
    };
    assert_eq!(house.refused(&guest.caller, set.clone()).await.code, ErrorCode::Conflict);
    let outcome = house.answer(&placed, failed("The card was declined.")).await;
    assert_eq!(outcome.order.status, Status::Cancelled);
    assert_eq!(outcome.reason.as_deref(), Some("The card was declined."));
    assert_eq!(house.stock().await, before);
    house.run(&guest.caller, set).await;
    let again = PlaceOrder {
        cart: guest.cart,
        method: Method::Card,
        called_name: None,
        pay_now: true,
        delivery_address: None,
        retry_of: Some(placed.order.id),
        expected_total: None,
    };
    assert_eq!(house.run(&guest.caller, again).await.order.retry_of, Some(placed.order.id));
});

on_both!(the_same_key_answers_the_same_and_does_nothing_again, |house| {
    let item = house.plain_item().await;
    let guest = house.guest();
    house.cart(&guest, &item, 1, Fulfilment::Pickup).await;
    let place = PlaceOrder {
        cart: guest.cart,
        method: Method::Cash,
        called_name: None,
        pay_now: false,
        delivery_address: None,
        retry_of: None,
        expected_total: None,
    };
    let first = house.door.execute(&guest.caller, Some("key-1"), place.clone()).await.expect("place");
    let again = house.door.execute(&guest.caller, Some("key-1"), place.clone()).await.expect("the same answer");
    assert_eq!(first, again);
    let other = PlaceOrder { called_name: Some("Other".into()), ..place };
    let refused = house.door.execute(&guest.caller, Some("key-1"), other).await.expect_err("another body");
    assert_eq!(refused.code, ErrorCode::IdempotencyMismatch);
});

on_both!(customers_act_on_their_own_orders_only, |house| {
    let item = house.plain_item().await;
    let (owner, other) = (house.guest(), house.guest());
    house.cart(&owner, &item, 1, Fulfilment::Pickup).await;
    let placed = house.place(&owner, Method::Card, false).await;
    let order = placed.order.id;
    for refused in [
        house.refused(&other.caller, StartPayment { order }).await,
        house.refused(&other.caller, CancelOrder { order, reason: String::new() }).await,
        house.refused(&other.caller, ExtendHold { order }).await,
        house.door.ask(&other.caller, ShowOrder { order: OrderName::Id(order) }).await.expect_err("not theirs"),
    ] {
        assert_eq!(refused.code, ErrorCode::Forbidden);
    }
    let nothing = OrderId(house.door.new_id());
    assert_eq!(house.refused(&other.caller, StartPayment { order: nothing }).await.code, ErrorCode::NotFound);
    let by_guest = house.refused(&owner.caller, AcceptOrder { order, eta_minutes: None }).await;
    assert_eq!(by_guest.code, ErrorCode::InsufficientRole);
    let bare = house.refused(&house.board, RejectOrder { order, reason: "x".into() }).await;
    assert_eq!(bare.code, ErrorCode::InsufficientRole, "a board with nobody signed in rejects nothing");
});

on_both!(money_is_captured_once_whatever_the_gateway_repeats, |house| {
    let item = house.plain_item().await;
    let guest = house.guest();
    house.cart(&guest, &item, 1, Fulfilment::Pickup).await;
    let placed = house.place(&guest, Method::Card, true).await;
    let first = house.answer(&placed, captured(&placed.order)).await.order;
    let again = house.answer(&placed, captured(&placed.order)).await.order;
    assert_eq!(first.version, again.version, "T30 changes nothing");
    let late_no = house.answer(&placed, failed("too late")).await.order;
    assert_eq!(late_no.version, first.version);
    let twice = house.answer(&placed, captured_as(&placed.order, placed.order.due, "pay_second")).await.order;
    let stray: Vec<_> = twice.attempts.iter().filter(|attempt| attempt.stray).collect();
    assert_eq!((stray.len(), twice.refunds.len()), (1, 1), "a second capture goes back in full");
    assert_eq!(twice.refunds[0].amount, placed.order.due);
    assert_eq!(twice.status, first.status);
});

on_both!(a_wrong_amount_ends_the_order_and_goes_back, |house| {
    let item = house.plain_item().await;
    let guest = house.guest();
    house.cart(&guest, &item, 1, Fulfilment::Pickup).await;
    let placed = house.place(&guest, Method::Card, true).await;
    let wrong = captured_as(&placed.order, Money(placed.order.due.0 - 1), "pay_short");
    let outcome = house.answer(&placed, wrong).await;
    assert_eq!(outcome.order.status, Status::Cancelled);
    assert_eq!(outcome.order.refunds[0].amount.0, placed.order.due.0 - 1);
});

on_both!(voided_lines_one_by_one_give_back_the_whole_line, |house| {
    let item = house.plain_item().await;
    house.run(&house.kitchen, TillOpen { float: 0 }).await;
    let guest = house.guest();
    house.cart(&guest, &item, 3, Fulfilment::Pickup).await;
    let placed = house.place(&guest, Method::Card, true).await;
    let paid = house.answer(&placed, captured(&placed.order)).await.order;
    let mut order = paid.clone();
    for _ in 0..2 {
        let void =
            VoidOrderLine { order: paid.id, part: part(&paid, 1, Disposal::Restock), reason: "none left".into() };
        order = house.run(&house.admin, void).await;
    }
    let last = VoidOrderLine { order: paid.id, part: part(&paid, 1, Disposal::Restock), reason: "none left".into() };
    assert_eq!(house.refused(&house.admin, last).await.guard, Some("not_last_open_line"));
    house.run(&house.kitchen, StaffCancelOrder { order: order.id, reason: "the rest too".into() }).await;
    let order = house.order(order.id).await;
    let refunded: i64 = order.refunds.iter().map(|refund| refund.amount.0).sum();
    assert_eq!(refunded, paid.total.0, "to the minor unit");
});

on_both!(a_station_has_bumped_its_ticket_when_its_last_line_is_done, |house| {
    let guest = house.guest();
    house.cart(&guest, &house.plain_item().await, 2, Fulfilment::Pickup).await;
    let grilled = house.item("butter-naan").await;
    house.cart(&guest, &grilled, 1, Fulfilment::Pickup).await;
    let placed = house.place(&guest, Method::Card, true).await;
    let order = house.answer(&placed, captured(&placed.order)).await.order;
    let order = house.run(&house.board, StartOrder { order: order.id }).await;
    let (drinks, grill) = (&order.lines[0], &order.lines[1]);
    assert_ne!(drinks.station, grill.station, "two stations have a part in it");
    let set = |lines, done| SetItemsDone { order: order.id, lines, done };

    assert!(house.bumped(order.id).await.is_empty());
    house.run(&house.board, set(vec![grill.id], true)).await;
    assert_eq!(house.bumped(order.id).await, Vec::from_iter(grill.station), "the other station still has work");
    house.run(&house.board, set(vec![grill.id], false)).await;
    assert!(house.bumped(order.id).await.is_empty(), "taken back");
});
