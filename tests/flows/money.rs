//! Money that goes back or comes twice, through the door on both databases: what the drawer, the gateways
//! and a person at the till may and may not do with it.

use super::house::*;
use super::on_both;
use futures::future::join_all;
use servery::domain::error::ErrorCode;
use servery::domain::money::Money;
use servery::domain::order::Disposal;
use servery::domain::payment::RefundStatus;
use servery::service::orders::{AcceptOrder, ConfirmCash, PayOutRefund, VoidOrderLine};
use servery::service::till::{CashDrop, CashIn, TillOpen, TillStatus};
use servery::service::views::{ItemView, OrderView};

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
