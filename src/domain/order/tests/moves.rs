//! Placing, paying or failing, cooking, delivering: what each row does beside moving the order.

use super::*;
use Effect::{
    ClaimPromotion, ClaimSlot, CommitHeld, ConsumeCart, OpenTickets, ReleaseClaims, ReleaseHeld, ReopenCart, Reserve,
    SetEstimate,
};

#[test]
fn placing_reserves_claims_and_locks_or_consumes_the_cart() {
    let prepaid = placed(&place(Method::Card, DUE), &settings());
    let pay_now = new_attempt(NEW, AttemptMethod::Card, AttemptStatus::Created);
    let expires = Effect::SetExpiry(NOW.plus_seconds(600));
    check(
        &prepaid,
        &["T1 none pending customer"],
        None,
        &[Reserve, ClaimSlot, ClaimPromotion, pay_now, expires, Effect::LockCart],
        &[Emit::OrderCreated],
    );
    let taken = [Reserve, ClaimSlot, ClaimPromotion, ConsumeCart, OpenTickets];
    let by_cash = placed(&place(Method::Cash, DUE), &settings());
    check(&by_cash, &["T2 none received customer"], None, &taken, &[Emit::OrderCreated, Emit::OrderReceived]);

    let free = placed(&place(Method::Upi, Money::ZERO), &settings());
    let nothing = no_money(AttemptStatus::Captured);
    check(
        &free,
        &["T1 none pending customer", "T3b pending received system"],
        None,
        &[Reserve, ClaimSlot, ClaimPromotion, CommitHeld, nothing, ConsumeCart, OpenTickets],
        &[Emit::OrderCreated, Emit::PaymentCompleted, Emit::OrderReceived],
    );
}

#[test]
fn the_house_accepts_by_itself_what_the_setting_covers() {
    let accept = "T10 received confirmed system";
    let with = |auto_accept| Settings { auto_accept, ..settings() };
    let on = |order: OrderSnapshot, event: Event, role, auto_accept| {
        steps(&judged(&Snapshot::Order(Box::new(order)), &event, role, &with(auto_accept)).expect("taken"))
    };
    for (auto_accept, prepaid, by_cash) in
        [(AutoAccept::Off, false, false), (AutoAccept::Prepaid, true, false), (AutoAccept::All, true, true)]
    {
        let free = placed(&place(Method::Card, Money::ZERO), &with(auto_accept));
        assert_eq!(steps(&free).contains(&accept.to_owned()), prepaid, "{auto_accept} T3b");
        let cash_order = placed(&place(Method::Cash, DUE), &with(auto_accept));
        assert_eq!(steps(&cash_order).contains(&accept.to_owned()), by_cash, "{auto_accept} T2");
        let pending = placed(&place(Method::Card, DUE), &with(auto_accept));
        assert_eq!(steps(&pending).len(), 1, "{auto_accept} T1");

        let success = on(waiting(), Event::PaySuccess(capture(DUE)), Role::Gateway, auto_accept);
        assert_eq!(success.contains(&accept.to_owned()), prepaid, "{auto_accept} T3");
        let by_hand = Event::AdminSetPaid { reason: because(), attempt: NEW };
        let by_hand = on(order(Status::Pending), by_hand, Role::Admin, auto_accept);
        assert_eq!(by_hand.contains(&accept.to_owned()), prepaid, "{auto_accept} T28");
        let confirm = || Event::ConfirmCash { tendered: DUE, attempt: NEW };
        let received = on(cash(Status::Received), confirm(), Role::Kitchen, auto_accept);
        assert_eq!(received.contains(&accept.to_owned()), prepaid, "{auto_accept} T21");
        let later = on(cash(Status::Preparing), confirm(), Role::Kitchen, auto_accept);
        assert_eq!(later.len(), 1, "{auto_accept} T21 later");
        let note = on(paid(Status::Received), Event::Note { note: because() }, Role::Kitchen, auto_accept);
        assert_eq!(note.len(), 1, "{auto_accept} T31");
    }
    let free = placed(&place(Method::Card, Money::ZERO), &with(AutoAccept::All));
    assert_eq!(free.effects.last(), Some(&SetEstimate(12)));
    assert_eq!(free.emits[3..], [Emit::OrderConfirmed, Emit::EstimatedTime]);
    let paid_now = judged(
        &Snapshot::Order(Box::new(waiting())),
        &Event::PaySuccess(capture(DUE)),
        Role::Gateway,
        &with(AutoAccept::All),
    )
    .expect("taken");
    assert_eq!(paid_now.effects.last(), Some(&SetEstimate(8)));
    assert_eq!(paid_now.to(), Some(Status::Confirmed));
}

#[test]
fn a_pending_order_is_paid_or_fails() {
    let success = moved(waiting(), Event::PaySuccess(capture(DUE)), Role::Gateway);
    check(
        &success,
        &["T3 pending received gateway"],
        None,
        &[CommitHeld, settled(AttemptStatus::Captured, Some("pay_1"), None), ConsumeCart, OpenTickets],
        &[Emit::PaymentCompleted, Emit::OrderReceived],
    );
    let due_is_zero =
        moved(OrderSnapshot { due: Money::ZERO, ..order(Status::Pending) }, Event::DueIsZero, Role::System);
    check(
        &due_is_zero,
        &["T3b pending received system"],
        None,
        &[CommitHeld, no_money(AttemptStatus::Captured), ConsumeCart, OpenTickets],
        &[Emit::PaymentCompleted, Emit::OrderReceived],
    );
    let fails = Event::PayFail { attempt: OPEN, reason: "declined".to_owned(), unresolved: false };
    let failed = moved(waiting(), fails, Role::Gateway);
    check(
        &failed,
        &["T4 pending cancelled gateway"],
        Some(EndReason::PaymentFailed),
        &[ReleaseHeld, settled(AttemptStatus::Failed, None, Some("declined")), ReopenCart, ReleaseClaims],
        &[Emit::PaymentFailed, Emit::OrderCancelled],
    );
    assert_eq!(failed.reason_text.as_deref(), Some("declined"));
    let unknown = moved(waiting(), Event::PayUnknown { attempt: OPEN }, Role::System);
    check(&unknown, &["T5 pending pending system"], None, &[Effect::MarkUnknown { id: OPEN }], &[Emit::PaymentUnknown]);
    let gone = OrderSnapshot { reservations: vec![reserved(POT, 5, HoldState::Released)], ..order(Status::Pending) };
    check(
        &moved(gone, Event::StockGone, Role::System),
        &["T6 pending cancelled system"],
        Some(EndReason::InsufficientStock),
        &[ReleaseHeld, no_money(AttemptStatus::Failed), ReopenCart, ReleaseClaims],
        &[Emit::PaymentFailed, Emit::OrderCancelled],
    );
}

#[test]
fn a_hold_is_extended_and_lapses() {
    let start = || Event::PayStart { attempt: NEW };
    let created = new_attempt(NEW, AttemptMethod::Card, AttemptStatus::Created);
    // The later of what it was and now plus the extension.
    for (was, becomes) in [(100, 300), (1_000, 1_000)] {
        let order = OrderSnapshot { expires_at: Some(NOW.plus_seconds(was)), ..order(Status::Pending) };
        let started = moved(order, start(), Role::Customer);
        let expiry = Effect::SetExpiry(NOW.plus_seconds(becomes));
        let effects = [Effect::Retake, created.clone(), expiry];
        check(&started, &["T5a pending pending customer"], None, &effects, &[Emit::PaymentStarted]);
    }
    let endless = OrderSnapshot { expires_at: None, ..order(Status::Pending) };
    assert_eq!(moved(endless, start(), Role::Customer).effects, [Effect::Retake, created]);

    let extended = moved(order(Status::Pending), Event::ExtendHold, Role::Customer);
    let effects = [Effect::SetExpiry(NOW.plus_seconds(400)), Effect::UseExtension];
    check(&extended, &["T5b pending pending customer"], None, &effects, &[Emit::HoldExtended]);

    let lapsed = OrderSnapshot { expires_at: Some(NOW), ..order(Status::Pending) };
    let effects = [ReleaseHeld, ReopenCart, ReleaseClaims];
    check(
        &moved(lapsed, Event::Expire, Role::System),
        &["T7 pending expired system"],
        None,
        &effects,
        &[Emit::OrderExpired],
    );
}

#[test]
fn cancelling_names_who_did_it() {
    let cancel = || Event::Cancel { reason: because() };
    for (role, reason) in [(Role::Customer, EndReason::Customer), (Role::Admin, EndReason::Staff)] {
        let way = format!("T8 pending cancelled {role}");
        let effects = [ReleaseHeld, ReopenCart, ReleaseClaims];
        check(&moved(order(Status::Pending), cancel(), role), &[&way], Some(reason), &effects, &[Emit::OrderCancelled]);
        let way = format!("T9 received cancelled {role}");
        let effects = [ReleaseHeld, ReleaseClaims];
        check(&moved(cash(Status::Received), cancel(), role), &[&way], Some(reason), &effects, &[Emit::OrderCancelled]);
    }
    let late = moved(paid(Status::Confirmed), cancel(), Role::Customer);
    check(
        &late,
        &["T9b confirmed cancelled customer"],
        Some(EndReason::Customer),
        &[all_lines(Disposal::Restock), back(2_400, "because"), ReleaseClaims],
        &[Emit::OrderCancelled],
    );
    let unsaid = moved(order(Status::Pending), Event::Cancel { reason: "  ".to_owned() }, Role::Customer);
    assert_eq!(unsaid.reason_text, None);
}

#[test]
fn the_house_declines_with_stock_and_money_back() {
    let given = [all_lines(Disposal::Restock), back(2_400, "because"), ReleaseClaims];
    let reject = moved(paid(Status::Received), Event::Reject { reason: because() }, Role::Kitchen);
    let way = ["T11 received rejected kitchen"];
    check(&reject, &way, Some(EndReason::Rejected), &given, &[Emit::OrderRejected]);
    let unpaid = moved(cash(Status::Received), Event::Reject { reason: because() }, Role::Kitchen);
    check(&unpaid, &way, Some(EndReason::Rejected), &[ReleaseHeld, ReleaseClaims], &[Emit::OrderRejected]);
    let none = OrderSnapshot { reservations: vec![], ..cash(Status::Received) };
    let untracked = moved(none, Event::Reject { reason: because() }, Role::Kitchen);
    check(&untracked, &way, Some(EndReason::Rejected), &[ReleaseClaims], &[Emit::OrderRejected]);

    let late = moved(paid(Status::Received), Event::AcceptTimeout { site_open: true }, Role::System);
    let effects = [all_lines(Disposal::Restock), back(2_400, ""), ReleaseClaims];
    let way = ["T12 received rejected system"];
    check(&late, &way, Some(EndReason::AcceptTimeout), &effects, &[Emit::OrderRejected]);
    let nobody = moved(cash(Status::Confirmed), Event::CashTimeout, Role::System);
    let way = ["T12b confirmed cancelled system"];
    check(&nobody, &way, Some(EndReason::NoShow), &[ReleaseHeld, ReleaseClaims], &[Emit::OrderCancelled]);

    let delivery = carried(paid(Status::Confirmed), AssignmentStatus::Assigned);
    let staff = moved(delivery, Event::StaffCancel { reason: because() }, Role::Admin);
    check(
        &staff,
        &["T23 confirmed cancelled admin"],
        Some(EndReason::Staff),
        &[all_lines(Disposal::Restock), back(2_400, "because"), assignment(AssignmentStatus::Cancelled), ReleaseClaims],
        &[Emit::OrderCancelled],
    );
}

#[test]
fn the_kitchen_moves_an_order_along() {
    for (eta_minutes, estimate) in [(Some(25), 25), (None, 8)] {
        let accepted = moved(paid(Status::Received), Event::Accept { eta_minutes }, Role::Kitchen);
        let emits = [Emit::OrderConfirmed, Emit::EstimatedTime];
        check(&accepted, &["T10 received confirmed kitchen"], None, &[SetEstimate(estimate)], &emits);
    }
    let way = ["T13 confirmed preparing kitchen"];
    let start = |order| moved(order, Event::StartPreparing, Role::Kitchen);
    check(&start(cash(Status::Confirmed)), &way, None, &[CommitHeld], &[Emit::OrderPreparing]);
    check(&start(paid(Status::Confirmed)), &way, None, &[], &[Emit::OrderPreparing]);
    // Held without cash: what a recount left of a paid order's stock is no business of this row.
    check(&start(order(Status::Confirmed)), &way, None, &[], &[Emit::OrderPreparing]);
    let paid_cash = OrderSnapshot { attempts: paid(Status::Confirmed).attempts, ..cash(Status::Confirmed) };
    check(&start(paid_cash), &way, None, &[], &[Emit::OrderPreparing]);
    let untracked = OrderSnapshot { reservations: vec![], ..cash(Status::Confirmed) };
    check(&start(untracked), &way, None, &[], &[Emit::OrderPreparing]);

    let same = ["T14 preparing preparing kitchen"];
    let done = moved(paid(Status::Preparing), Event::ItemDone { lines: vec![SOUP] }, Role::Kitchen);
    check(&done, &same, None, &[Effect::SetDone { lines: vec![SOUP], done: true }], &[Emit::ItemDone]);
    let mut finished = paid(Status::Preparing);
    finished.lines[0].done = 2;
    let undone = moved(finished, Event::ItemUndone { lines: vec![SOUP] }, Role::Kitchen);
    check(&undone, &same, None, &[Effect::SetDone { lines: vec![SOUP], done: false }], &[Emit::ItemUndone]);
    let forced = Event::MarkReady { forced: Some(because()) };
    let ready = moved(paid(Status::Preparing), forced, Role::Kitchen);
    check(&ready, &["T15 preparing ready kitchen"], None, &[], &[Emit::OrderReady]);
    assert_eq!(ready.reason_text.as_deref(), Some("because"));
    let recalled = moved(paid(Status::Ready), Event::Recall, Role::Kitchen);
    check(&recalled, &["T16 ready preparing kitchen"], None, &[], &[Emit::OrderRecalled]);
    let handed = moved(paid(Status::Ready), Event::HandOver, Role::Kitchen);
    check(&handed, &["T22 ready completed kitchen"], None, &[], &[Emit::OrderCompleted]);
    let left = moved(paid(Status::Ready), Event::CloseUncollected { reason: because() }, Role::System);
    check(&left, &["T22b ready completed system"], None, &[Effect::FlagUncollected], &[Emit::OrderCompleted]);
}

#[test]
fn a_ticket_is_moved_up_held_released_and_noted() {
    let way = ["T31 confirmed confirmed kitchen"];
    let until = Some(NOW.plus_seconds(60));
    for (event, effect, emits) in [
        (Event::SetPriority { priority: 2 }, Effect::SetPriority(2), &[Emit::TicketPrioritised][..]),
        (Event::Hold { until }, Effect::SetHold(until), &[Emit::TicketHeld]),
        (Event::ReleaseHold, Effect::ClearHold, &[Emit::TicketReleased]),
        (Event::Note { note: because() }, Effect::SetNote(because()), &[]),
    ] {
        check(&moved(paid(Status::Confirmed), event, Role::Kitchen), &way, None, &[effect], emits);
    }
    let again = moved(paid(Status::Confirmed), Event::Duplicate, Role::Delivery);
    check(&again, &["T30 confirmed confirmed delivery"], None, &[], &[]);
    let held = OrderSnapshot { on_hold_until: Some(Timestamp(NOW.0 + 1)), ..paid(Status::Confirmed) };
    assert_eq!(refused(held.clone(), Event::StartPreparing, Role::Kitchen).guard, Some("not_on_hold"));
    assert_eq!(refused(held, Event::ReleaseHold, Role::System).guard, Some("hold_over"));
    let over = OrderSnapshot { on_hold_until: Some(NOW), ..paid(Status::Confirmed) };
    assert_eq!(steps(&moved(over, Event::ReleaseHold, Role::System)), ["T31 confirmed confirmed system"]);
}

#[test]
fn a_delivery_has_its_courier() {
    let delivery = |status| OrderSnapshot { fulfilment: Fulfilment::Delivery, ..paid(status) };
    let assign = Event::Assign { staff: COURIER, is_active_courier: true };
    let named = moved(delivery(Status::Ready), assign, Role::Admin);
    check(&named, &["T17 ready ready admin"], None, &[Effect::NewAssignment(COURIER)], &[Emit::DriverAssigned]);
    let cancelled = [assignment(AssignmentStatus::Cancelled)];
    for event in [Event::AssignCancel, Event::NoPickup] {
        // The third that comes to nothing calls an admin: as many as `pickup_retry_max`.
        for (failed_assignments, emits) in
            [(1, &[Emit::DriverCancelled][..]), (2, &[Emit::DriverCancelled, Emit::AssignmentEscalated])]
        {
            let order = carried(delivery(Status::Ready), AssignmentStatus::Assigned);
            let off = moved(OrderSnapshot { failed_assignments, ..order }, event.clone(), Role::Delivery);
            check(&off, &["T18 ready ready delivery"], None, &cancelled, emits);
        }
    }
    let up = moved(carried(delivery(Status::Ready), AssignmentStatus::Assigned), Event::PickUp, Role::Delivery);
    let effects = [assignment(AssignmentStatus::PickedUp)];
    check(&up, &["T19 ready out_for_delivery delivery"], None, &effects, &[Emit::OrderPickedUp]);
    let out = || carried(delivery(Status::OutForDelivery), AssignmentStatus::PickedUp);
    let there = moved(out(), Event::Deliver, Role::Delivery);
    check(
        &there,
        &["T20 out_for_delivery completed delivery"],
        None,
        &[assignment(AssignmentStatus::Delivered)],
        &[Emit::DeliveryCompleted, Emit::OrderCompleted],
    );
    let home = moved(out(), Event::ReturnToStore { reason: because() }, Role::Delivery);
    check(&home, &["T26 out_for_delivery ready delivery"], None, &cancelled, &[Emit::DeliveryFailed]);
    // What is no step of the delivery leaves the courier alone.
    let noted = moved(out(), Event::Note { note: because() }, Role::Admin);
    assert_eq!(noted.effects, [Effect::SetNote(because())]);
}
