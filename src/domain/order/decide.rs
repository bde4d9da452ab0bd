//! The one judge: an event against the table. Total, pure, and the only place where a row's columns
//! become effects. It never says how an effect is stored.

use super::effect::{Effect, Hop, Transition};
use super::guard::{Case, auto_accept_covers};
use super::table::{Payment, Row, Stock, TABLE, To};
use super::{
    AssignmentStatus, Disposal, Emit, EndReason, Event, EventKind, Guard, HoldState, LinePart, OrderSnapshot,
    RefundChoice, Snapshot, Status, refund_method,
};
use crate::domain::access::{Actor, Role};
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::AttemptId;
use crate::domain::money::Money;
use crate::domain::payment::{AttemptMethod, AttemptStatus, Method};
use crate::domain::pricing::line_share;
use crate::domain::settings::Settings;
use crate::domain::time::Timestamp;

/// Judges an event against the table of the specification.
///
/// # Errors
/// `ILLEGAL_TRANSITION` when no row starts here, `INSUFFICIENT_ROLE` when none is for this role, else
/// the code of the first guard that does not hold.
pub fn decide(
    snapshot: &Snapshot,
    event: &Event,
    actor: &Actor,
    now: Timestamp,
    settings: &Settings,
) -> Result<Transition, Refused> {
    decide_with(TABLE, snapshot, event, actor, now, settings)
}

/// As [`decide`], against another table: for the test that a mutated guard is noticed.
///
/// # Errors
/// As [`decide`].
pub fn decide_with(
    table: &[Row],
    snapshot: &Snapshot,
    event: &Event,
    actor: &Actor,
    now: Timestamp,
    settings: &Settings,
) -> Result<Transition, Refused> {
    let case = Case { snapshot, event, actor, now, settings };
    let row = judge(table, &case)?;
    let mut transition = carry_out(row, &case)?;
    follow_with_accept(&mut transition, row, &case);
    Ok(transition)
}

/// The refusal that an event would meet now, or `None` when it would be taken: for "why not?".
#[must_use]
pub fn why_not(
    snapshot: &Snapshot,
    event: &Event,
    actor: &Actor,
    now: Timestamp,
    settings: &Settings,
) -> Option<Refused> {
    decide(snapshot, event, actor, now, settings).err()
}

/// Finds the row that takes the event, or the refusal: first is there a row from here, then the
/// role, then the guards from left to right.
fn judge<'t>(table: &'t [Row], case: &Case<'_>) -> Result<&'t Row, Refused> {
    let kind = case.event.kind();
    let mut illegal = true;
    let mut refusal: Option<Refused> = None;
    for row in table.iter().filter(|row| row.event == kind) {
        let starts_here = match case.status() {
            None => row.from.is_empty(),
            Some(status) => row.from.contains(&status),
        };
        if !starts_here || !row.when.iter().all(|selector| case.selects(*selector)) {
            continue;
        }
        illegal = false;
        let Some(role_guards) = role_guards(row, case.actor) else {
            continue;
        };
        match role_guards.iter().chain(row.guards).find(|guard| !case.holds(**guard)) {
            None => return Ok(row),
            Some(guard) => {
                refusal.get_or_insert_with(|| case.refuse(*guard));
            }
        }
    }
    Err(refusal.unwrap_or_else(|| if illegal { illegal_transition(case) } else { case.refuse(Guard::Role) }))
}

/// The guards that bind the actor's role in this row; `None` when the row is not for that role. Where
/// the role has no part in the row, somebody whom an admin's PIN lets through acts in the admin's.
fn role_guards(row: &Row, actor: &Actor) -> Option<&'static [Guard]> {
    let let_through = actor.is_let_through();
    if row.kitchen_needs_pin && actor.role == Role::Kitchen && !let_through {
        return None;
    }
    let part = |wanted: Role| row.roles.iter().find(|(role, _)| *role == wanted).map(|(_, guards)| *guards);
    part(actor.role).or_else(|| if let_through { part(Role::Admin) } else { None })
}

fn illegal_transition(case: &Case<'_>) -> Refused {
    let (status, words) = match case.status() {
        None => ("none", "There is no such order.".to_owned()),
        Some(status) => (
            status.as_str(),
            format!("An order that is {} cannot take '{}'.", status.as_str().replace('_', " "), words_of(case.event)),
        ),
    };
    Refused::new(ErrorCode::IllegalTransition, words)
        .with("status", status)
        .with("event", case.event.kind().as_str())
        .by_guard("illegal")
}

fn words_of(event: &Event) -> String {
    event.kind().as_str().replace('_', " ")
}

/// When `auto_accept` covers an order that has just become visible (T2, T3, T3b, T28) or paid (T21),
/// T10 by the house follows in the same transaction: a second history row, the version rises once more.
fn follow_with_accept(transition: &mut Transition, row: &Row, case: &Case<'_>) {
    let now_visible = transition.to() == Some(Status::Received) && case.status() != Some(Status::Received);
    let now_paid = row.event == EventKind::ConfirmCash && case.status() == Some(Status::Received);
    // Of those that become visible only a cash order (T2) is unpaid.
    let paid = row.t != "T2";
    if !(now_visible || now_paid) || !auto_accept_covers(case.settings.auto_accept, paid) {
        return;
    }
    let estimate = match (case.snapshot, case.event) {
        (Snapshot::Order(order), _) => order.estimate_minutes,
        (Snapshot::None, Event::Place(facts)) => facts.estimate_minutes,
        (Snapshot::None, _) => 0,
    };
    transition.hops.push(Hop { t: "T10", from: Some(Status::Received), to: Status::Confirmed, role: Role::System });
    transition.effects.push(Effect::SetEstimate(estimate));
    transition.emits.extend([Emit::OrderConfirmed, Emit::EstimatedTime]);
}

/// Turns the columns of the row into effects.
fn carry_out(row: &Row, case: &Case<'_>) -> Result<Transition, Refused> {
    let from = case.status();
    let (to, reason) = match row.to {
        To::Same => (from.unwrap_or(Status::Pending), None),
        To::Status(status) => (status, None),
        To::End(status, reason) => (status, Some(end_reason(reason, case))),
    };
    let mut hops = vec![Hop { t: row.t, from, to, role: case.actor.role }];
    let mut effects = Vec::new();
    let mut emits = row.emits.to_vec();
    match (case.snapshot, case.event) {
        (Snapshot::None, Event::Place(facts)) => {
            effects.extend([Effect::Reserve, Effect::ClaimSlot, Effect::ClaimPromotion]);
            if row.payment == Payment::MayRecordFirst {
                if facts.due.0 == 0 {
                    // T3b: nothing to pay, so the order is received in the Place transaction.
                    hops.push(Hop { t: "T3b", from: Some(to), to: Status::Received, role: Role::System });
                    effects.push(Effect::CommitHeld);
                    effects.push(none_attempt(AttemptStatus::Captured));
                    emits.extend([Emit::PaymentCompleted, Emit::OrderReceived]);
                } else {
                    if let Some(attempt) = facts.first_attempt {
                        effects.push(new_attempt(attempt, facts.method.into(), AttemptStatus::Created, facts.due));
                    }
                    if let Some(expires_at) = facts.expires_at {
                        effects.push(Effect::SetExpiry(expires_at));
                    }
                }
            }
        }
        (Snapshot::Order(order), event) => {
            stock_effects(row.stock, order, event, &mut effects)?;
            payment_effects(row.payment, order, event, &mut effects)?;
            own_effects(row, order, case, &mut effects);
        }
        (Snapshot::None, _) => return Err(illegal_transition(case)),
    }
    if matches!(case.event, Event::AssignCancel | Event::NoPickup)
        && let Snapshot::Order(order) = case.snapshot
        && escalates(order, case.settings)
    {
        emits.push(Emit::AssignmentEscalated);
    }
    // T24 wastes by default; where everything goes back on the shelf nothing was wasted.
    if emits.contains(&Emit::StockWasted) && !wastes(&effects) {
        emits.retain(|emit| *emit != Emit::StockWasted);
    }
    let last = hops.last().map_or(to, |hop| hop.to);
    claims_and_cart(from, last, &mut effects);
    let reason_text = case.event.reason().filter(|text| !text.is_empty()).map(str::to_owned);
    Ok(Transition { hops, reason, reason_text, effects, emits })
}

/// T8 and T9 end with the reason of whoever cancelled.
fn end_reason(reason: EndReason, case: &Case<'_>) -> EndReason {
    if reason == EndReason::Customer && case.actor.role != Role::Customer { EndReason::Staff } else { reason }
}

fn wastes(effects: &[Effect]) -> bool {
    effects.iter().any(
        |effect| matches!(effect, Effect::GiveBack(parts) if parts.iter().any(|part| part.disposal == Disposal::Waste)),
    )
}

/// What follows from leaving and reaching a status, whatever the row: claims, cart, tickets,
/// assignment.
fn claims_and_cart(from: Option<Status>, to: Status, effects: &mut Vec<Effect>) {
    if from == Some(to) {
        return;
    }
    match (from, to) {
        (None, Status::Pending) => effects.push(Effect::LockCart),
        (None | Some(Status::Pending), Status::Received) => {
            effects.extend([Effect::ConsumeCart, Effect::OpenTickets]);
        }
        (Some(Status::Pending), Status::Cancelled | Status::Expired) => effects.push(Effect::ReopenCart),
        _ => {}
    }
    if to.is_dropped() {
        effects.push(Effect::ReleaseClaims);
    }
}

fn new_attempt(id: AttemptId, method: AttemptMethod, status: AttemptStatus, amount: Money) -> Effect {
    Effect::NewAttempt { id: Some(id), method, status, amount, stray: false, gateway_payment_id: None, reason: None }
}

fn none_attempt(status: AttemptStatus) -> Effect {
    Effect::NewAttempt {
        id: None,
        method: AttemptMethod::None,
        status,
        amount: Money::ZERO,
        stray: false,
        gateway_payment_id: None,
        reason: None,
    }
}

/// What is left of each open line to give back.
fn rest_of_lines(order: &OrderSnapshot, chosen: &[LinePart], default: Disposal) -> Vec<LinePart> {
    let mut parts = Vec::new();
    for line in order.open_lines() {
        let mut rest = line.quantity.saturating_sub(line.restocked).saturating_sub(line.wasted);
        rest = rest.min(line.open_quantity());
        for part in chosen.iter().filter(|part| part.line == line.id) {
            let quantity = part.quantity.clamp(0, rest);
            if quantity > 0 {
                parts.push(LinePart { quantity, ..*part });
                rest -= quantity;
            }
        }
        if rest > 0 {
            parts.push(LinePart { line: line.id, quantity: rest, disposal: default });
        }
    }
    parts
}

/// Refuses parts that name no line of the order or give back more than the line has left.
fn check_parts(order: &OrderSnapshot, parts: &[LinePart]) -> Result<(), Refused> {
    for part in parts {
        let Some(line) = order.line(part.line) else {
            return Err(Refused::not_found("order line", part.line));
        };
        let asked = parts
            .iter()
            .filter(|other| other.line == part.line)
            .fold(0_i64, |sum, other| sum.saturating_add(other.quantity));
        let left = line.quantity.saturating_sub(line.restocked).saturating_sub(line.wasted);
        if part.quantity < 1 || asked > left {
            return Err(Refused::invalid("quantity", "That is more than is left of this line.")
                .with("left", left)
                .with("asked", asked)
                .help("Choose a smaller quantity."));
        }
    }
    Ok(())
}

fn stock_effects(stock: Stock, order: &OrderSnapshot, event: &Event, effects: &mut Vec<Effect>) -> Result<(), Refused> {
    let committed = order.reservations.iter().any(|reservation| reservation.state == HoldState::Committed);
    match stock {
        Stock::Keep => {}
        Stock::Reserve => effects.push(Effect::Reserve),
        Stock::Commit | Stock::CommitIfHeld => {
            if order.holds_stock() {
                effects.push(Effect::CommitHeld);
            }
        }
        Stock::CommitUnpaidCash => {
            if order.method == Method::Cash && !order.is_paid() && order.holds_stock() {
                effects.push(Effect::CommitHeld);
            }
        }
        Stock::Release => effects.push(Effect::ReleaseHeld),
        Stock::Retake => effects.push(Effect::Retake),
        Stock::ByReservation => {
            if order.holds_stock() {
                effects.push(Effect::ReleaseHeld);
            } else if committed {
                effects.push(Effect::GiveBack(rest_of_lines(order, &[], Disposal::Restock)));
            }
        }
        Stock::PerLine => {
            let chosen = match event {
                Event::Void { lines, .. } => lines.as_slice(),
                _ => &[],
            };
            check_parts(order, chosen)?;
            effects.push(Effect::GiveBack(rest_of_lines(order, chosen, Disposal::Waste)));
        }
        Stock::Waste => effects.push(Effect::GiveBack(rest_of_lines(order, &[], Disposal::Waste))),
        Stock::AsChosen => {
            let parts: &[LinePart] = match event {
                Event::VoidLine { part, .. } => std::slice::from_ref(part),
                Event::Refund { lines, .. } => lines,
                _ => &[],
            };
            check_parts(order, parts)?;
            // A refund gives back what was sold: what is still held, or was released, never left.
            let sold = committed || order.reservations.is_empty();
            if matches!(event, Event::Refund { .. }) && !parts.is_empty() && !sold {
                return Err(Refused::invalid("lines", "Nothing of this order has left the stock.")
                    .help("Refund the money alone."));
            }
            if !parts.is_empty() {
                effects.push(Effect::GiveBack(parts.to_vec()));
            }
        }
    }
    Ok(())
}

fn refund_all(order: &OrderSnapshot, reason: &str, effects: &mut Vec<Effect>) {
    if let Some(attempt) = order.paying_attempt() {
        refund_of(order, attempt.id, order.refundable(attempt), reason, effects);
    }
}

fn refund_of(order: &OrderSnapshot, attempt: AttemptId, amount: Money, reason: &str, effects: &mut Vec<Effect>) {
    if amount.0 <= 0 {
        return;
    }
    let taken = order.attempts.iter().find(|row| row.id == attempt).map_or(AttemptMethod::None, |row| row.method);
    effects.push(Effect::NewRefund {
        attempt: Some(attempt),
        method: refund_method(taken),
        amount,
        reason: reason.to_owned(),
    });
}

fn payment_effects(
    payment: Payment,
    order: &OrderSnapshot,
    event: &Event,
    effects: &mut Vec<Effect>,
) -> Result<(), Refused> {
    let reason = event.reason().unwrap_or_default();
    match (payment, event) {
        (Payment::Captured, Event::PaySuccess(capture)) => {
            let id = capture.attempt.or_else(|| order.open_attempt().map(|attempt| attempt.id));
            if let Some(id) = id {
                effects.push(Effect::SettleAttempt {
                    id,
                    status: AttemptStatus::Captured,
                    gateway_payment_id: Some(capture.gateway_payment_id.clone()),
                    reason: None,
                    unresolved: false,
                });
            }
        }
        (Payment::NoneCaptured, _) => effects.push(none_attempt(AttemptStatus::Captured)),
        (Payment::NoneFailed, _) => effects.push(none_attempt(AttemptStatus::Failed)),
        (Payment::Failed, Event::PayFail { attempt, reason, unresolved }) => {
            effects.push(Effect::SettleAttempt {
                id: *attempt,
                status: AttemptStatus::Failed,
                gateway_payment_id: None,
                reason: Some(reason.clone()),
                unresolved: *unresolved,
            });
        }
        (Payment::Unknown, Event::PayUnknown { attempt }) => effects.push(Effect::MarkUnknown { id: *attempt }),
        (Payment::Created, Event::PayStart { attempt }) => {
            effects.push(new_attempt(*attempt, order.method.into(), AttemptStatus::Created, order.due));
        }
        (Payment::CashCaptured, Event::ConfirmCash { tendered, attempt }) => {
            // Where nothing is left to pay no cash moves: method none, as in T3b.
            let method = if order.due == Money::ZERO { AttemptMethod::None } else { AttemptMethod::Cash };
            effects.push(new_attempt(*attempt, method, AttemptStatus::Captured, order.due));
            effects.push(Effect::DrawerSale { amount: order.due, tendered: *tendered });
        }
        (Payment::RefundAll, _) => refund_all(order, reason, effects),
        (Payment::RefundChosen, Event::Void { refund, .. }) => match (refund, order.paying_attempt()) {
            (RefundChoice::Full, _) => refund_all(order, reason, effects),
            (RefundChoice::Amount(amount), Some(attempt)) => refund_of(order, attempt.id, *amount, reason, effects),
            _ => {}
        },
        (Payment::RefundLine, Event::VoidLine { part, .. }) => {
            if let Some(line) = order.line(part.line) {
                let share = line_share(line.quantity, line.voided, part.quantity, line.total_share)?;
                effects.push(Effect::VoidUnits { line: part.line, quantity: part.quantity, share });
                if let Some(attempt) = order.paying_attempt() {
                    let amount = share.min(order.refundable(attempt));
                    refund_of(order, attempt.id, amount, reason, effects);
                }
            }
        }
        (Payment::RefundAmount, Event::Refund { amount, .. }) => {
            let room = |attempt: &&crate::domain::payment::Attempt| order.refundable(attempt) >= *amount;
            let attempt = order.paying_attempt().filter(room).or_else(|| order.attempts.iter().find(room));
            if let Some(attempt) = attempt {
                refund_of(order, attempt.id, *amount, reason, effects);
            }
        }
        (Payment::ManualCaptured, Event::AdminSetPaid { reason, attempt }) => {
            effects.push(manual_attempt(*attempt, AttemptStatus::Captured, order.due, reason));
        }
        (Payment::ManualFailed, Event::AdminSetFailed { reason, attempt }) => {
            effects.push(manual_attempt(*attempt, AttemptStatus::Failed, order.due, reason));
        }
        (Payment::Stray, Event::UnmatchedCapture { capture, attempt }) => {
            stray_effects(order, capture, *attempt, effects);
        }
        (Payment::RefundSettled, Event::RefundSettled { refund }) => {
            effects.push(Effect::SettleRefund { id: *refund, from_drawer: false });
        }
        (Payment::RefundFailed, Event::RefundFailed { refund, reason }) => {
            effects.push(Effect::FailRefund { id: *refund, reason: reason.clone() });
        }
        (Payment::RefundPaidOut, Event::PayOutCashRefund { refund }) => {
            effects.push(Effect::SettleRefund { id: *refund, from_drawer: true });
        }
        _ => {}
    }
    Ok(())
}

fn manual_attempt(id: AttemptId, status: AttemptStatus, amount: Money, reason: &str) -> Effect {
    Effect::NewAttempt {
        id: Some(id),
        method: AttemptMethod::Manual,
        status,
        amount,
        stray: false,
        gateway_payment_id: None,
        reason: Some(reason.to_owned()),
    }
}

/// T29: the money is recorded apart and goes back in full. An attempt that was still open on a
/// pending order whose capture came with the wrong amount is over as well.
fn stray_effects(order: &OrderSnapshot, capture: &super::Capture, id: AttemptId, effects: &mut Vec<Effect>) {
    if order.status == Status::Pending
        && let Some(open) = order.open_attempt()
        && (capture.amount != order.due || !capture.currency_matches)
    {
        effects.push(Effect::SettleAttempt {
            id: open.id,
            status: AttemptStatus::Failed,
            gateway_payment_id: None,
            reason: Some("wrong amount".to_owned()),
            unresolved: false,
        });
    }
    // Not the order's: a cash order has no gateway, and no drawer gave this money.
    let method = AttemptMethod::from(capture.taken_by);
    effects.push(Effect::NewAttempt {
        id: Some(id),
        method,
        status: AttemptStatus::Captured,
        amount: capture.amount,
        stray: true,
        gateway_payment_id: Some(capture.gateway_payment_id.clone()),
        reason: None,
    });
    effects.push(Effect::NewRefund {
        attempt: Some(id),
        method,
        amount: capture.amount,
        reason: "late payment".to_owned(),
    });
    effects.push(Effect::FlagLatePayment);
}

/// What an event does beyond stock and money.
fn own_effects(row: &Row, order: &OrderSnapshot, case: &Case<'_>, effects: &mut Vec<Effect>) {
    let settings = case.settings;
    match case.event {
        Event::PayStart { .. } => {
            if let Some(at) = order.expires_at {
                effects.push(Effect::SetExpiry(at.max(case.now.plus_seconds(settings.hold_extension_seconds))));
            }
        }
        Event::ExtendHold => {
            if let Some(at) = order.expires_at {
                effects.push(Effect::SetExpiry(at.plus_seconds(settings.hold_extension_seconds)));
            }
            effects.push(Effect::UseExtension);
        }
        Event::Accept { eta_minutes } => {
            effects.push(Effect::SetEstimate(eta_minutes.unwrap_or(order.estimate_minutes)));
        }
        Event::ItemDone { lines } => effects.push(Effect::SetDone { lines: lines.clone(), done: true }),
        Event::ItemUndone { lines } => effects.push(Effect::SetDone { lines: lines.clone(), done: false }),
        Event::Assign { staff, .. } => effects.push(Effect::NewAssignment(*staff)),
        Event::SetPriority { priority } => effects.push(Effect::SetPriority(*priority)),
        Event::Hold { until } => effects.push(Effect::SetHold(*until)),
        Event::ReleaseHold => effects.push(Effect::ClearHold),
        Event::Note { note } => effects.push(Effect::SetNote(note.clone())),
        Event::CloseUncollected { .. } => effects.push(Effect::FlagUncollected),
        _ => {}
    }
    let Some(assignment) = &order.assignment else { return };
    let status = match case.event {
        Event::AssignCancel | Event::NoPickup | Event::ReturnToStore { .. } => AssignmentStatus::Cancelled,
        Event::PickUp => AssignmentStatus::PickedUp,
        Event::Deliver => AssignmentStatus::Delivered,
        // T23, T24 and T25, and T9b and T12b as well: nobody carries what is not made.
        _ if matches!(row.to, To::End(..)) => AssignmentStatus::Cancelled,
        _ => return,
    };
    effects.push(Effect::SetAssignment { id: assignment.id, status });
}

/// Whether the next failed assignment is one too many (T18: `assignment_escalated`).
const fn escalates(order: &OrderSnapshot, settings: &Settings) -> bool {
    order.failed_assignments.saturating_add(1) >= settings.pickup_retry_max
}
