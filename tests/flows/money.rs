//! Money that goes back or comes twice, through the door on both databases: what the drawer, the gateways
//! and a person at the till may and may not do with it.

use super::house::*;
use super::on_both;
use futures::future::join_all;
use servery::domain::error::ErrorCode;
use servery::domain::fulfilment::Fulfilment;
use servery::domain::ids::{CartId, OrderId};
use servery::domain::money::Money;
use servery::domain::order::{Disposal, Status};
use servery::domain::payment::{AttemptMethod, Method, PaymentStatus, RefundStatus};
use servery::service::Caller;
use servery::service::orders::{
    AcceptOrder, ConfirmCash, OverridePayment, PayOutRefund, RunTimer, StaffCancelOrder, Timer, VoidOrderLine,
};
use servery::service::payments::{SettleRefund, StartPayment};
use servery::service::place::PlaceOrder;
use servery::service::till::{CashDrop, CashIn, TillOpen, TillStatus, Total};
use servery::service::till_reports::WaitingCashRefunds;
use servery::service::views::{ItemView, OrderView, Placed};
use servery::service::worker_due::DueRefunds;
use servery::store::due::Key;

impl House {
    /// A cash order whose money came, and of which one of two units was taken off again: a cash refund waits.
    async fn cash_refund(&self, item: &ItemView) -> OrderView {
        let order = self.unpaid_cash(item).await;
        self.run(&self.board, AcceptOrder { order: order.id, eta_minutes: None }).await;
        self.run(&self.kitchen, ConfirmCash { order: order.id, tendered: order.due }).await;
        let void = VoidOrderLine { order: order.id, part: part(&order, 1, Disposal::Waste), reason: "burnt".into() };
        self.run(&self.admin, void).await
    }

    async fn drawer(&self) -> i64 {
        let report = self.door.ask(&self.kitchen, TillStatus::default()).await.expect("status");
        report.expect("the till is open").shift.expected
    }

    /// Takes everything but this much to the safe.
    async fn leave_in_drawer(&self, amount: i64) {
        let take = self.drawer().await - amount;
        self.run(&self.kitchen, CashDrop { shift: None, amount: take, reason: "to the safe".into() }).await;
    }
}

on_both!(a_cash_refund_waits_until_the_drawer_holds_it, |house| {
    let item = house.plain_item().await;
    house.run(&house.kitchen, TillOpen { float: 0 }).await;
    let order = house.cash_refund(&item).await;
    let refund = order.refunds[0].clone();
    let pay_out = PayOutRefund { order: order.id, refund: refund.id };
    house.leave_in_drawer(refund.amount.0 - 1).await;
    let refused = house.refused(&house.kitchen, pay_out.clone()).await;
    assert_eq!((refused.code, refused.guard), (ErrorCode::Conflict, Some("drawer_holds")));
    assert_eq!(refused.details["held"], refund.amount.0 - 1);
    assert_eq!(refused.details["amount"], refund.amount.0);
    assert!(refused.help.contains("cash in"), "it says what to do: {}", refused.help);
    let waits = house.order(order.id).await;
    assert_eq!((waits.refunds[0].status, waits.version), (RefundStatus::Pending, order.version));
    house.run(&house.kitchen, CashIn { shift: None, amount: 1, reason: "change".into() }).await;
    let paid = house.run(&house.kitchen, pay_out).await;
    assert_eq!((paid.refunds[0].status, house.drawer().await), (RefundStatus::Settled, 0));
});

on_both!(of_many_pay_outs_at_once_no_more_leaves_the_drawer_than_it_holds, |house| {
    let item = house.plain_item().await;
    house.run(&house.kitchen, TillOpen { float: 0 }).await;
    let mut orders = Vec::new();
    for _ in 0..4 {
        orders.push(house.cash_refund(&item).await);
    }
    let each = orders[0].refunds[0].amount;
    house.leave_in_drawer(2 * each.0).await;
    let pay_outs = orders.iter().map(|order| {
        let pay_out = PayOutRefund { order: order.id, refund: order.refunds[0].id };
        house.door.execute(&house.kitchen, None, pay_out)
    });
    let answers = join_all(pay_outs).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 2, "{answers:?}");
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(refused.guard, Some("drawer_holds"));
    }
    assert_eq!(Money(house.drawer().await), Money::ZERO);
});

on_both!(an_order_is_tried_again_by_its_own_guest_and_only_after_it_failed, |house| {
    let item = house.plain_item().await;
    let (guest, other) = (house.guest(), house.guest());
    house.cart(&guest, &item, 1, Fulfilment::Pickup).await;
    house.cart(&other, &item, 1, Fulfilment::Pickup).await;
    let try_again = |cart: CartId, order: OrderId| PlaceOrder {
        cart,
        method: Method::Card,
        called_name: None,
        pay_now: true,
        delivery_address: None,
        retry_of: Some(order),
        expected_total: None,
    };
    let first = house.place(&guest, Method::Card, true).await;
    house.answer(&first, failed("declined")).await;
    // Somebody else's order is as one that is not there, also for staff who order for another guest.
    let nowhere = OrderId(house.door.new_id());
    for (caller, order) in [(&other.caller, first.order.id), (&other.caller, nowhere), (&house.admin, first.order.id)] {
        let refused = house.refused(caller, try_again(other.cart, order)).await;
        assert_eq!(refused.code, ErrorCode::NotFound, "{caller:?}");
    }
    let second = house.run(&guest.caller, try_again(guest.cart, first.order.id)).await;
    assert_eq!(second.order.retry_of, Some(first.order.id));
    // An order under way has not failed, nor has one that was paid, even if it was cancelled later.
    let fresh = Guest { cart: CartId(house.door.new_id()), caller: guest.caller.clone() };
    house.cart(&fresh, &item, 1, Fulfilment::Pickup).await;
    let pending = house.refused(&guest.caller, try_again(fresh.cart, second.order.id)).await;
    house.answer(&second, captured(&second.order)).await;
    let paid = house.refused(&guest.caller, try_again(fresh.cart, second.order.id)).await;
    let cancel = StaffCancelOrder { order: second.order.id, reason: "allergy".into() };
    house.run(&house.kitchen, cancel).await;
    let cancelled = house.refused(&guest.caller, try_again(fresh.cart, second.order.id)).await;
    for refused in [pending, paid, cancelled] {
        assert_eq!(refused.code, ErrorCode::ValidationError);
        assert_eq!(refused.details["field"], "retry_of");
    }
    // What ran out of time, or was cancelled before it was paid, gave its cart back.
    let late = house.place(&fresh, Method::Card, false).await;
    house.pass(late.order.id, 601).await;
    house.run(&Caller::System, RunTimer { order: late.order.id, timer: Timer::Expire }).await;
    let third = house.run(&guest.caller, try_again(fresh.cart, late.order.id)).await;
    assert_eq!(third.order.retry_of, Some(late.order.id));
});

on_both!(a_stray_capture_bars_no_payment_and_goes_back, |house| {
    let item = house.plain_item().await;
    let guest = house.guest();
    house.cart(&guest, &item, 1, Fulfilment::Pickup).await;
    let placed = house.place(&guest, Method::Card, false).await;
    // The right amount, but of no attempt of ours: T3 cannot take it.
    let stray = house.answer(&placed, captured_as(&placed.order, placed.order.due, "pay_of_nobody")).await.order;
    assert_eq!((stray.status, stray.paid), (Status::Pending, false));
    assert!(stray.attempts[0].stray);
    assert_eq!((stray.refunds.len(), stray.refunds[0].amount), (1, placed.order.due), "all of it goes back");
    // The order is not stuck: it is paid for as if nothing had come.
    let started = house.run(&guest.caller, StartPayment { order: placed.order.id }).await.order;
    let attempt = started.attempts.iter().find(|attempt| !attempt.stray).cloned();
    let started = Placed { order: started, attempt };
    assert!(started.attempt.is_some());
    let twice = house.refused(&guest.caller, StartPayment { order: placed.order.id }).await;
    assert_eq!(twice.guard, Some("no_attempt_open_or_captured"));
    let paid = house.answer(&started, captured(&started.order)).await.order;
    assert_eq!((paid.status, paid.payment_status), (Status::Confirmed, PaymentStatus::Paid));
    assert_eq!(paid.refunds.len(), 1, "what pays the order stays");
    // The money that strayed goes back by its gateway, and the order stays paid.
    let settle = SettleRefund { order: paid.id, refund: paid.refunds[0].id, failed: None };
    let settled = house.run(&Caller::Gateway("stripe-dummy"), settle).await;
    assert_eq!(settled.payment_status, PaymentStatus::Paid);
});

on_both!(what_an_override_took_is_paid_out_by_hand_and_never_asked_of_a_gateway, |house| {
    let item = house.plain_item().await;
    house.run(&house.kitchen, TillOpen { float: 50_000 }).await;
    for method in [Method::Card, Method::Upi] {
        let guest = house.guest();
        house.cart(&guest, &item, 1, Fulfilment::Pickup).await;
        let placed = house.place(&guest, method, false).await;
        let set = OverridePayment { order: placed.order.id, paid: true, reason: "seen at the bank".into() };
        house.run(&house.admin, set).await;
        let cancel = StaffCancelOrder { order: placed.order.id, reason: "allergy".into() };
        house.run(&house.kitchen, cancel).await;
        let order = house.order(placed.order.id).await;
        assert_eq!((order.refunds.len(), order.refunds[0].method), (1, AttemptMethod::Cash));
        let asked = house.door.ask(&Caller::System, DueRefunds { after: Key::START, limit: 10 }).await.expect("due");
        assert_eq!(asked.rows, [], "no gateway knows of the money");
        let report = house.door.ask(&house.kitchen, TillStatus::default()).await.expect("status").expect("open");
        let waiting = Total { count: 1, amount: order.total.0 };
        assert_eq!(report.pending_cash_refunds, waiting, "the till shows that it waits");
        let listed = house.door.ask(&house.kitchen, WaitingCashRefunds::default()).await.expect("what waits");
        assert_eq!((listed.total, listed.next), (1, None));
        let listed = listed.items;
        let seen: Vec<_> = listed.iter().map(|row| (row.refund, row.order, row.amount)).collect();
        assert_eq!(seen, [(order.refunds[0].id, order.id, order.total.0)]);
        assert_eq!(listed[0].order_number, order.order_number);
        let named = |text: &str| WaitingCashRefunds { text: Some(text.to_owned()), ..WaitingCashRefunds::default() };
        let found = house.door.ask(&house.kitchen, named("ord-")).await.expect("a page");
        assert_eq!((found.items.len(), found.total), (1, 1));
        let none = house.door.ask(&house.kitchen, named("nobody like that")).await.expect("a page");
        assert_eq!((none.items.len(), none.total), (0, 0));
        let wrong = WaitingCashRefunds { after: Some("x".to_owned()), ..WaitingCashRefunds::default() };
        assert!(house.door.ask(&house.kitchen, wrong).await.is_err());
        let pay_out = PayOutRefund { order: order.id, refund: order.refunds[0].id };
        let paid = house.run(&house.kitchen, pay_out).await;
        assert_eq!(paid.payment_status, PaymentStatus::Refunded);
        assert_eq!(house.door.ask(&house.kitchen, named("ord-")).await.expect("what waits").items, []);
        assert_eq!(house.drawer().await, report.shift.expected - order.total.0);
    }
});
