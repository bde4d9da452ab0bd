//! Cash, voids, refunds and captures that no order can take: what each row does with stock and money.

use super::*;
use Effect::{CommitHeld, ConsumeCart, OpenTickets, ReleaseClaims, ReleaseHeld, ReopenCart};

#[test]
fn cash_is_taken_once_and_moves_the_drawer() {
    let confirm = |tendered| Event::ConfirmCash { tendered: Money(tendered), attempt: NEW };
    let way = ["T21 ready ready kitchen"];
    let captured = new_attempt(NEW, AttemptMethod::Cash, AttemptStatus::Captured);
    let sale = Effect::DrawerSale { amount: DUE, tendered: Money(3_000) };
    let held = moved(cash(Status::Ready), confirm(3_000), Role::Kitchen);
    check(&held, &way, None, &[CommitHeld, captured.clone(), sale.clone()], &[Emit::PaymentCompleted]);
    let mut cooked = cash(Status::Ready);
    cooked.reservations.iter_mut().for_each(|row| row.state = HoldState::Committed);
    let off_the_books = moved(cooked, confirm(3_000), Role::Kitchen);
    check(&off_the_books, &way, None, &[captured, sale], &[Emit::PaymentCompleted]);
    let free = OrderSnapshot { due: Money::ZERO, ..cash(Status::Ready) };
    let nothing = Effect::NewAttempt {
        id: Some(NEW),
        method: AttemptMethod::None,
        status: AttemptStatus::Captured,
        amount: Money::ZERO,
        stray: false,
        gateway_payment_id: None,
        reason: None,
    };
    let sale = Effect::DrawerSale { amount: Money::ZERO, tendered: Money::ZERO };
    check(&moved(free, confirm(0), Role::Kitchen), &way, None, &[CommitHeld, nothing, sale], &[Emit::PaymentCompleted]);
    let short = refused(cash(Status::Ready), confirm(2_399), Role::Kitchen);
    assert_eq!((short.code, short.guard), (ErrorCode::ValidationError, Some("tendered_enough")));
    assert_eq!((&short.details["due"], &short.details["tendered"]), (&2_400.into(), &2_399.into()));
}

#[test]
fn a_void_gives_back_what_is_left_as_the_actor_says() {
    let void = |lines, refund| Event::Void { reason: because(), lines, refund };
    let way = ["T24 ready cancelled admin"];
    let both = [Emit::OrderCancelled, Emit::StockWasted];
    let reason = Some(EndReason::Void);
    let plain = moved(paid(Status::Ready), void(vec![], RefundChoice::Full), Role::Admin);
    check(&plain, &way, reason, &[all_lines(Disposal::Waste), back(2_400, "because"), ReleaseClaims], &both);
    let free = moved(paid(Status::Ready), void(vec![], RefundChoice::Nothing), Role::Admin);
    check(&free, &way, reason, &[all_lines(Disposal::Waste), ReleaseClaims], &both);
    let some = moved(paid(Status::Ready), void(vec![], RefundChoice::Amount(Money(700))), Role::Admin);
    check(&some, &way, reason, &[all_lines(Disposal::Waste), back(700, "because"), ReleaseClaims], &both);

    // A part of a line goes back on the shelf, the rest of it and the other line are thrown away.
    let chosen = vec![part(BREAD, 2, Disposal::Restock)];
    let mixed = moved(paid(Status::Ready), void(chosen, RefundChoice::Nothing), Role::Admin);
    let parts =
        vec![part(SOUP, 2, Disposal::Waste), part(BREAD, 2, Disposal::Restock), part(BREAD, 1, Disposal::Waste)];
    check(&mixed, &way, reason, &[Effect::GiveBack(parts), ReleaseClaims], &both);
    let kept = vec![part(SOUP, 2, Disposal::Restock), part(BREAD, 3, Disposal::Restock)];
    let shelved = moved(paid(Status::Ready), void(kept.clone(), RefundChoice::Nothing), Role::Admin);
    check(&shelved, &way, reason, &[Effect::GiveBack(kept), ReleaseClaims], &[Emit::OrderCancelled]);

    // What was given back before is not given back again.
    let mut less = paid(Status::Ready);
    (less.lines[0].restocked, less.lines[0].wasted) = (1, 1);
    (less.lines[1].voided, less.lines[1].wasted) = (1, 1);
    less.refunds = vec![refund(400, RefundStatus::Settled)];
    let rest = moved(less.clone(), void(vec![], RefundChoice::Full), Role::Admin);
    let left = Effect::GiveBack(vec![part(BREAD, 2, Disposal::Waste)]);
    check(&rest, &way, reason, &[left, back(2_000, "because"), ReleaseClaims], &both);

    // All of what is left, and not a unit more; a line of another order is none.
    let asked = |parts| refused(less.clone(), void(parts, RefundChoice::Nothing), Role::Admin);
    let split = vec![part(BREAD, 1, Disposal::Restock), part(BREAD, 1, Disposal::Waste)];
    let taken = moved(less.clone(), void(split.clone(), RefundChoice::Nothing), Role::Admin);
    assert_eq!(taken.effects[0], Effect::GiveBack(split));
    let over = asked(vec![part(BREAD, 2, Disposal::Restock), part(BREAD, 1, Disposal::Waste)]);
    assert_eq!(
        (over.code, &over.details["left"], &over.details["asked"]),
        (ErrorCode::ValidationError, &2.into(), &3.into())
    );
    assert_eq!(asked(vec![part(BREAD, 0, Disposal::Restock)]).code, ErrorCode::ValidationError);
    assert_eq!(asked(vec![part(SOUP, 1, Disposal::Restock)]).code, ErrorCode::ValidationError);
    let foreign = LineId(Uuid::from_u128(39));
    assert_eq!(asked(vec![part(foreign, 1, Disposal::Restock)]).code, ErrorCode::NotFound);
}

#[test]
fn a_refund_is_of_what_is_left_of_the_capture() {
    for (amount, taken) in [(1, true), (2_000, true), (2_001, false), (0, false), (-1, false)] {
        let mut order = paid(Status::Ready);
        order.refunds = vec![refund(400, RefundStatus::Pending)];
        let event = |refund| Event::Void { reason: because(), lines: vec![], refund };
        let chosen = event(RefundChoice::Amount(Money(amount)));
        let judged = |event| judged(&Snapshot::Order(Box::new(order.clone())), &event, Role::Admin, &settings());
        assert_eq!(judged(chosen).is_ok(), taken, "void with {amount}");
        let refund = Event::Refund { amount: Money(amount), lines: vec![], reason: because() };
        assert_eq!(judged(refund).is_ok(), taken, "refund of {amount}");
    }
    let refund = |amount, lines| Event::Refund { amount: Money(amount), lines, reason: because() };
    let way = ["T27 completed completed admin"];
    let emits = [Emit::PaymentRefundStarted];
    let alone = moved(paid(Status::Completed), refund(900, vec![]), Role::Admin);
    check(&alone, &way, None, &[back(900, "because")], &emits);
    let parts = vec![part(SOUP, 1, Disposal::Restock)];
    let with_food = moved(paid(Status::Completed), refund(900, parts.clone()), Role::Admin);
    check(&with_food, &way, None, &[Effect::GiveBack(parts.clone()), back(900, "because")], &emits);
    let untracked = OrderSnapshot { reservations: vec![], ..paid(Status::Completed) };
    assert_eq!(moved(untracked, refund(900, parts.clone()), Role::Admin).effects.len(), 2);
    // What never left the stock cannot come back to it.
    let held = OrderSnapshot { attempts: paid(Status::Received).attempts, ..order(Status::Received) };
    assert_eq!(refused(held.clone(), refund(900, parts), Role::Admin).code, ErrorCode::ValidationError);
    assert_eq!(moved(held, refund(900, vec![]), Role::Admin).effects, [back(900, "because")]);

    // Where the paying attempt has too little left, another one that has enough gives it back.
    let mut twice = paid(Status::Completed);
    twice.attempts.push(Attempt { method: AttemptMethod::Upi, stray: true, ..attempt(NEW, AttemptStatus::Captured) });
    twice.refunds = vec![super::refund(2_400, RefundStatus::Settled)];
    let other = moved(twice, refund(900, vec![]), Role::Admin);
    let reason = "because".to_owned();
    let by_upi = Effect::NewRefund { attempt: Some(NEW), method: AttemptMethod::Upi, amount: Money(900), reason };
    assert_eq!(other.effects, [by_upi]);
}

#[test]
fn a_voided_line_takes_its_share_along() {
    let void = |quantity| Event::VoidLine { part: part(BREAD, quantity, Disposal::Waste), reason: because() };
    let way = ["T24b ready ready admin"];
    let gone = Effect::GiveBack(vec![part(BREAD, 2, Disposal::Waste)]);
    let units = |share| Effect::VoidUnits { line: BREAD, quantity: 2, share: Money(share) };
    let with_money = moved(paid(Status::Ready), void(2), Role::Admin);
    check(&with_money, &way, None, &[gone.clone(), units(933), back(933, "because")], &[Emit::LineVoided]);
    let unpaid = moved(cash(Status::Ready), void(2), Role::Admin);
    check(&unpaid, &way, None, &[gone.clone(), units(933)], &[Emit::LineVoided]);
    // Never more than what was captured and not yet refunded.
    let mut nearly = paid(Status::Ready);
    nearly.refunds = vec![refund(2_000, RefundStatus::Settled)];
    let little = moved(nearly.clone(), void(2), Role::Admin);
    check(&little, &way, None, &[gone.clone(), units(933), back(400, "because")], &[Emit::LineVoided]);
    nearly.refunds = vec![refund(2_400, RefundStatus::Settled)];
    check(&moved(nearly, void(2), Role::Admin), &way, None, &[gone, units(933)], &[Emit::LineVoided]);

    for quantity in [0, 4] {
        assert_eq!(refused(paid(Status::Ready), void(quantity), Role::Admin).guard, Some("line_open"), "{quantity}");
    }
    // All of the one line is less than the order; all of the last one is T24's.
    assert_eq!(steps(&moved(paid(Status::Ready), void(3), Role::Admin)), way);
    let mut last = paid(Status::Ready);
    last.lines[0].voided = 2;
    assert_eq!(refused(last.clone(), void(3), Role::Admin).guard, Some("not_last_open_line"));
    assert_eq!(steps(&moved(last, void(2), Role::Admin)), way);
}

#[test]
fn nobody_came() {
    let late = OrderSnapshot { ready_at: Some(NOW.plus_seconds(-3_600)), ..cash(Status::Ready) };
    let no_show = moved(late, Event::NoShow { reason: because() }, Role::System);
    let way = ["T25 ready cancelled system"];
    let effects = [all_lines(Disposal::Waste), ReleaseClaims];
    check(&no_show, &way, Some(EndReason::NoShow), &effects, &[Emit::OrderCancelled]);
    let early = OrderSnapshot { ready_at: Some(NOW.plus_seconds(-3_599)), ..cash(Status::Ready) };
    assert_eq!(refused(early, Event::NoShow { reason: because() }, Role::System).guard, Some("waited_no_show"));
}

#[test]
fn an_admin_sets_a_payment_by_hand() {
    let captured = Event::AdminSetPaid { reason: because(), attempt: NEW };
    check(
        &moved(order(Status::Pending), captured, Role::Admin),
        &["T28 pending received admin"],
        None,
        &[CommitHeld, manual(AttemptStatus::Captured), ConsumeCart, OpenTickets],
        &[Emit::PaymentCompleted, Emit::OrderReceived, Emit::PaymentOverridden],
    );
    let failed = Event::AdminSetFailed { reason: because(), attempt: NEW };
    check(
        &moved(order(Status::Pending), failed, Role::Admin),
        &["T28 pending cancelled admin"],
        Some(EndReason::PaymentFailed),
        &[ReleaseHeld, manual(AttemptStatus::Failed), ReopenCart, ReleaseClaims],
        &[Emit::PaymentFailed, Emit::OrderCancelled, Emit::PaymentOverridden],
    );
}

#[test]
fn money_that_no_order_takes_goes_back() {
    let stray = |amount| {
        let gateway_payment_id = Some("pay_1".to_owned());
        [
            Effect::NewAttempt {
                id: Some(NEW),
                method: AttemptMethod::Upi,
                status: AttemptStatus::Captured,
                amount: Money(amount),
                stray: true,
                gateway_payment_id,
                reason: None,
            },
            Effect::NewRefund {
                attempt: Some(NEW),
                method: AttemptMethod::Upi,
                amount: Money(amount),
                reason: "late payment".to_owned(),
            },
            Effect::FlagLatePayment,
        ]
    };
    let unmatched = |capture| Event::UnmatchedCapture { capture, attempt: NEW };
    let late = moved(paid(Status::Ready), unmatched(capture(DUE)), Role::Gateway);
    check(&late, &["T29 ready ready gateway"], None, &stray(2_400), &[Emit::LatePayment]);

    // On a pending order a wrong amount ends the attempt and the order, as a wrong currency does.
    let way = ["T29 pending cancelled gateway"];
    let foreign = Capture { currency_matches: false, ..capture(DUE) };
    for (capture, amount) in [(capture(Money(2_401)), 2_401), (foreign, 2_400)] {
        let wrong = moved(waiting(), unmatched(capture), Role::Gateway);
        let failed = settled(AttemptStatus::Failed, None, Some("wrong amount"));
        let effects = [vec![ReleaseHeld, failed], stray(amount).to_vec(), vec![ReopenCart, ReleaseClaims]].concat();
        check(&wrong, &way, Some(EndReason::PaymentFailed), &effects, &[Emit::LatePayment]);
    }
    // Without an attempt that waits the right amount is late too, and the order waits on.
    let nobody_asked = moved(order(Status::Pending), unmatched(capture(DUE)), Role::Gateway);
    check(&nobody_asked, &["T29 pending pending gateway"], None, &stray(2_400), &[Emit::LatePayment]);
    let another = Capture { attempt: Some(NEW), ..capture(DUE) };
    let other = moved(waiting(), unmatched(another), Role::Gateway);
    check(&other, &["T29 pending pending gateway"], None, &stray(2_400), &[Emit::LatePayment]);
    let own = Capture { attempt: Some(OPEN), ..capture(DUE) };
    assert_eq!(refused(waiting(), unmatched(own), Role::Gateway).guard, Some("t3_cannot_take_it"));
}

#[test]
fn refunds_settle_fail_and_are_paid_out() {
    let with_refund = |method| {
        let row = Refund { method, ..refund(900, RefundStatus::Pending) };
        OrderSnapshot { refunds: vec![row], ..paid(Status::Completed) }
    };
    let by_card = || with_refund(AttemptMethod::Card);
    let settled = moved(by_card(), Event::RefundSettled { refund: REFUND }, Role::Gateway);
    let effects = [Effect::SettleRefund { id: REFUND, from_drawer: false }];
    check(&settled, &["T32 completed completed gateway"], None, &effects, &[Emit::PaymentRefunded]);
    let failed = moved(by_card(), Event::RefundFailed { refund: REFUND, reason: because() }, Role::System);
    let effects = [Effect::FailRefund { id: REFUND, reason: because() }];
    check(&failed, &["T32 completed completed system"], None, &effects, &[Emit::RefundFailed]);
    let pay_out = || Event::PayOutCashRefund { refund: REFUND };
    let effects = [Effect::SettleRefund { id: REFUND, from_drawer: true }];
    let out = moved(with_refund(AttemptMethod::Cash), pay_out(), Role::Kitchen);
    check(&out, &["T33 completed completed kitchen"], None, &effects, &[Emit::PaymentRefunded]);

    let other = RefundId(Uuid::from_u128(41));
    let unknown = refused(by_card(), Event::RefundSettled { refund: other }, Role::Gateway);
    assert_eq!(unknown.guard, Some("refund_pending"));
    assert_eq!(refused(by_card(), pay_out(), Role::Kitchen).guard, Some("is_cash"));
    let poor = OrderSnapshot { drawer: Some(Money(899)), ..with_refund(AttemptMethod::Cash) };
    let short = refused(poor, pay_out(), Role::Kitchen);
    assert_eq!((short.code, short.guard), (ErrorCode::Conflict, Some("drawer_holds")));
    assert_eq!((&short.details["held"], &short.details["amount"]), (&899.into(), &900.into()));
}
