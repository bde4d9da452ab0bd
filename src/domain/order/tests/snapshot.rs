//! What an order says of itself, and what a refusal tells.

use super::*;

fn row(id: AttemptId, method: AttemptMethod, status: AttemptStatus, amount: i64, stray: bool) -> Attempt {
    Attempt { method, amount: Money(amount), stray, ..attempt(id, status) }
}

#[test]
fn the_payment_status_is_computed_from_the_rows() {
    use AttemptStatus::{Authorized, Captured, Created, Failed, Voided};
    let one = |status| vec![attempt(OPEN, status)];
    let status = |attempts: Vec<Attempt>, refunds: Vec<Refund>| {
        let order = OrderSnapshot { attempts, refunds, ..order(Status::Received) };
        let whole = order.payment_status();
        assert_eq!(whole, payment_status(&order.attempts, &order.refunds));
        whole
    };
    assert_eq!(status(vec![], vec![]), PaymentStatus::Pending);
    assert_eq!(status(one(Voided), vec![]), PaymentStatus::Pending);
    assert_eq!(status(one(Created), vec![]), PaymentStatus::Pending);
    assert_eq!(status(one(Failed), vec![]), PaymentStatus::Failed);
    assert_eq!(status(vec![attempt(OPEN, Failed), attempt(NEW, Authorized)], vec![]), PaymentStatus::Pending);
    assert_eq!(status(one(Captured), vec![]), PaymentStatus::Paid);
    let stray = vec![row(OPEN, AttemptMethod::Card, Captured, 2_400, true)];
    assert_eq!(status(stray, vec![]), PaymentStatus::Pending);

    for (amount, expected) in [
        (1, PaymentStatus::PartiallyRefunded),
        (2_399, PaymentStatus::PartiallyRefunded),
        (2_400, PaymentStatus::Refunded),
    ] {
        assert_eq!(status(one(Captured), vec![refund(amount, RefundStatus::Settled)]), expected, "{amount}");
    }
    for waits in [RefundStatus::Pending, RefundStatus::Failed] {
        assert_eq!(status(one(Captured), vec![refund(2_400, waits)]), PaymentStatus::Paid, "{waits}");
    }
    let of_another = Refund { attempt: NEW, ..refund(2_400, RefundStatus::Settled) };
    assert_eq!(status(one(Captured), vec![of_another]), PaymentStatus::Paid);
}

#[test]
fn captured_and_settled_money_is_summed() {
    let mut order = paid(Status::Completed);
    order.attempts.push(row(NEW, AttemptMethod::Upi, AttemptStatus::Captured, 100, true));
    order.attempts.push(row(NEW, AttemptMethod::Upi, AttemptStatus::Failed, 7, false));
    order.refunds = vec![refund(30, RefundStatus::Settled), refund(5, RefundStatus::Pending)];
    assert_eq!((order.captured_total(), order.settled_total()), (2_500, 30));
    assert_eq!(order.paying_attempt().map(|attempt| attempt.id), Some(OPEN));
    assert!(order.is_paid() && order.open_attempt().is_none());
    // A refund that waits counts against the capture, one that failed does not.
    order.refunds.push(refund(1_000, RefundStatus::Failed));
    assert_eq!(order.refundable(&order.attempts[0]), Money(2_365));
    assert_eq!(order.refundable(&order.attempts[1]), Money(100));
    assert_eq!(order.refundable(&order.attempts[2]), Money::ZERO);
    order.refunds.push(refund(9_999, RefundStatus::Settled));
    assert_eq!(order.refundable(&order.attempts[0]), Money::ZERO);
}

#[test]
fn a_refund_goes_back_the_way_the_money_came() {
    use AttemptMethod::{Card, Cash, Manual, None, Upi};
    for (taken, back) in [(Card, Card), (Upi, Upi), (Cash, Cash), (Manual, Cash), (None, Cash)] {
        assert_eq!(refund_method(taken), back, "{taken}");
    }
    for method in Method::ALL {
        assert_eq!(AttemptMethod::from(*method).as_str(), method.as_str());
        assert_eq!(method.is_prepaid(), *method != Method::Cash);
    }
    let providers: Vec<_> = Method::ALL.iter().map(|method| method.provider_name()).collect();
    assert_eq!(providers, ["stripe-dummy", "upi", "cash"]);
}

#[test]
fn what_no_reservation_holds_has_lapsed() {
    assert!(order(Status::Pending).lapsed().is_empty());
    assert!(order(Status::Pending).holds_stock());
    let mut some = order(Status::Pending);
    some.reservations[1].state = HoldState::Released;
    assert_eq!(some.lapsed(), BTreeMap::from([(FLOUR, 6)]));
    some.reservations[0].quantity = 3;
    assert_eq!(some.lapsed(), BTreeMap::from([(POT, 2), (FLOUR, 6)]));
    // A line that is no longer wanted needs nothing, a unit of it less.
    some.lines[0].voided = 2;
    assert_eq!(some.lapsed(), BTreeMap::from([(FLOUR, 6)]));
    some.lines[1].voided = 1;
    assert_eq!(some.lapsed(), BTreeMap::from([(FLOUR, 4)]));
    // What was never reserved was not counted when it was sold.
    some.reservations.clear();
    assert!(some.lapsed().is_empty() && !some.holds_stock());
}

#[test]
fn lines_and_statuses_know_whether_they_are_over() {
    let mut some = order(Status::Preparing);
    assert_eq!(some.open_lines().count(), 2);
    (some.lines[0].voided, some.lines[0].done) = (1, 0);
    assert!(some.lines[0].is_undone() && some.lines[0].open_quantity() == 1);
    some.lines[0].done = 1;
    assert!(!some.lines[0].is_undone());
    some.lines[0].voided = 2;
    assert_eq!(some.open_lines().map(|line| line.id).collect::<Vec<_>>(), [BREAD]);
    assert_eq!(some.line(BREAD).map(|line| line.quantity), Some(3));
    assert_eq!(some.line(LineId(Uuid::from_u128(39))), None);

    let words = |wanted: fn(Status) -> bool| -> Vec<&str> {
        Status::ALL.iter().filter(|status| wanted(**status)).map(|status| status.as_str()).collect()
    };
    assert_eq!(words(Status::is_terminal), ["completed", "cancelled", "rejected", "expired"]);
    assert_eq!(words(Status::is_dropped), ["cancelled", "rejected", "expired"]);
    assert!(may_be_tried_again(Status::Expired, None));
    assert!(!may_be_tried_again(Status::Expired, Some(NOW)));
    assert!(!may_be_tried_again(Status::Completed, None));
}

#[test]
fn a_refusal_carries_what_it_was_judged_by() {
    let place = |change: fn(&mut PlaceFacts)| {
        let Event::Place(mut facts) = super::place(Method::Card, DUE) else { panic!("place") };
        change(&mut facts);
        judged(&Snapshot::None, &Event::Place(facts), Role::Customer, &settings()).expect_err("refused")
    };
    let sold_out = place(|facts| facts.unavailable = vec!["Soup".to_owned()]);
    assert_eq!((sold_out.code, &sold_out.details["unavailable"]), (ErrorCode::ItemUnavailable, &vec!["Soup"].into()));
    let full = place(|facts| facts.slot_has_room = false);
    assert_eq!((full.code, &full.details["max"]), (ErrorCode::OrderLimitReached, &50.into()));
    let away = place(|facts| facts.fulfilment = Fulfilment::Delivery);
    assert_eq!((away.code, away.guard), (ErrorCode::ValidationError, Some("address_given")));
    let wrong = refused(waiting(), Event::PaySuccess(capture(Money(1))), Role::Gateway);
    assert_eq!((wrong.code, wrong.guard), (ErrorCode::PaymentFailed, Some("amount_matches")));
    assert_eq!((&wrong.details["due"], &wrong.details["captured"]), (&2_400.into(), &1.into()));

    let somebody = Actor::guest(CustomerId(Uuid::from_u128(71)), None);
    let foreign = Snapshot::Order(Box::new(order(Status::Pending)));
    let foreign = why_not(&foreign, &Event::ExtendHold, &somebody, NOW, &settings()).expect("refused");
    assert_eq!((foreign.code, foreign.guard), (ErrorCode::Forbidden, Some("owner")));

    let illegal = refused(paid(Status::OutForDelivery), Event::HandOver, Role::Kitchen);
    assert_eq!((illegal.code, illegal.guard), (ErrorCode::IllegalTransition, Some("illegal")));
    assert_eq!(illegal.message, "An order that is out for delivery cannot take 'hand over'.");
    assert_eq!(illegal.details, serde_json::json!({"status": "out_for_delivery", "event": "hand_over"}));
    let none = judged(&Snapshot::None, &Event::HandOver, Role::Kitchen, &settings()).expect_err("refused");
    assert_eq!((none.message.as_str(), &none.details["status"]), ("There is no such order.", &"none".into()));
    let role = refused(paid(Status::Ready), Event::HandOver, Role::Customer);
    assert_eq!((role.code, role.guard), (ErrorCode::InsufficientRole, Some("role")));
    assert_eq!(
        why_not(
            &Snapshot::Order(Box::new(paid(Status::Ready))),
            &Event::HandOver,
            &person(Role::Kitchen),
            NOW,
            &settings()
        ),
        None
    );
}

#[test]
fn every_guard_says_what_is_wrong_and_with_which_code() {
    let codes = [
        (Guard::Role, ErrorCode::InsufficientRole),
        (Guard::Assignee, ErrorCode::Forbidden),
        (Guard::CartNotEmpty, ErrorCode::CartEmpty),
        (Guard::RestaurantOpen, ErrorCode::RestaurantClosed),
        (Guard::SlotActive, ErrorCode::RestaurantClosed),
        (Guard::SiteOpen, ErrorCode::RestaurantClosed),
        (Guard::StockReserved, ErrorCode::InsufficientStock),
        (Guard::MethodEnabled, ErrorCode::ValidationError),
        (Guard::ReasonGiven, ErrorCode::ValidationError),
        (Guard::SignatureValid, ErrorCode::PaymentFailed),
        (Guard::TillOpen, ErrorCode::Conflict),
        (Guard::NoAttemptOpen, ErrorCode::Conflict),
        (Guard::NotOnHold, ErrorCode::IllegalTransition),
    ];
    for (guard, code) in codes {
        assert_eq!(guard.code(), code, "{guard}");
    }
    let said: std::collections::BTreeSet<_> = Guard::ALL.iter().map(|guard| guard.words()).collect();
    assert_eq!(said.len(), Guard::ALL.len(), "no two guards say the same");
    for guard in Guard::ALL {
        assert!(guard.words().ends_with('.') && guard.words().len() > 15, "{guard}");
        assert!(guard.help().ends_with('.') && guard.help().len() > 10, "{guard}");
    }
    // Some know better than their code what to do.
    assert_eq!(Guard::Paid.help(), "Take the money first.");
    assert_eq!(Guard::GatewayIdNew.help(), ErrorCode::Conflict.help());
}

#[test]
fn what_somebody_at_a_board_could_give_is_what_it_is_named() {
    let mut plain = 0;
    for kind in EventKind::ALL {
        if let Some(event) = Event::plain(*kind) {
            assert_eq!(event.kind(), *kind);
            assert!(event.reason().is_none_or(|reason| !reason.is_empty()), "{kind}");
            plain += 1;
        }
    }
    assert_eq!(plain, 24);
    assert_eq!(Event::plain(EventKind::PaySuccess), None);
    assert_eq!(Event::HandOver.reason(), None);
    assert_eq!(Event::MarkReady { forced: Some(because()) }.reason(), Some("because"));
    let undelivered = Event::ReturnToStore { reason: because() };
    assert_eq!(undelivered.reason(), Some("because"));
}
