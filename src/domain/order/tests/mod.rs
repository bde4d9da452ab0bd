//! What a decision consists of: every row's steps, effects and emits, written by hand from the
//! specification. Which row takes an event is judged by `tests/transitions.rs`, cell by cell.
//!
//! Here stand the orders that are judged; the tests are in `moves` (placing, cooking, delivering),
//! `money` (cash, voids, refunds, captures) and `snapshot` (what an order says of itself, refusals).

mod money;
mod moves;
mod snapshot;

use super::*;
use crate::domain::access::{Actor, Role};
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::{AttemptId, RefundId, TerminalId};
use crate::domain::settings::{AutoAccept, Settings};
use uuid::Uuid;

const NOW: Timestamp = Timestamp(1_800_000_000_000_000);
const DUE: Money = Money(2_400);
const OPEN: AttemptId = AttemptId(Uuid::from_u128(50));
const NEW: AttemptId = AttemptId(Uuid::from_u128(51));
const REFUND: RefundId = RefundId(Uuid::from_u128(40));
const SOUP: LineId = LineId(Uuid::from_u128(30));
const BREAD: LineId = LineId(Uuid::from_u128(31));
const POT: StockItemId = StockItemId(Uuid::from_u128(60));
const FLOUR: StockItemId = StockItemId(Uuid::from_u128(61));
const COURIER: StaffId = StaffId(Uuid::from_u128(80));
const RUN: AssignmentId = AssignmentId(Uuid::from_u128(20));
const OWNER: CustomerId = CustomerId(Uuid::from_u128(70));

fn person(role: Role) -> Actor {
    let terminal = Some(TerminalId(Uuid::from_u128(90)));
    match role {
        Role::Customer => Actor::guest(OWNER, terminal),
        Role::System => Actor::system(),
        Role::Gateway => Actor::gateway("test"),
        staff => Actor::staff(COURIER, staff, "tester", terminal),
    }
}

fn attempt(id: AttemptId, status: AttemptStatus) -> Attempt {
    Attempt { id, method: AttemptMethod::Card, status, amount: DUE, unknown: false, unresolved: false, stray: false }
}

fn refund(amount: i64, status: RefundStatus) -> Refund {
    Refund { id: REFUND, attempt: OPEN, method: AttemptMethod::Cash, amount: Money(amount), status }
}

fn reserved(stock_item: StockItemId, quantity: i64, state: HoldState) -> Reservation {
    Reservation { stock_item, quantity, state }
}

/// Two soups and three breads, for a card, nothing paid, all of it held.
fn order(status: Status) -> OrderSnapshot {
    let line = |id, quantity, total_share, uses| Line {
        id,
        quantity,
        voided: 0,
        restocked: 0,
        wasted: 0,
        done: 0,
        total_share: Money(total_share),
        uses,
    };
    OrderSnapshot {
        id: OrderId(Uuid::from_u128(1)),
        status,
        version: 3,
        fulfilment: Fulfilment::Pickup,
        method: Method::Card,
        owner: OWNER,
        due: DUE,
        placed_at: NOW.plus_seconds(-3_600),
        received_at: Some(NOW.plus_seconds(-1_800)),
        ready_at: Some(NOW),
        captured_at: None,
        expires_at: Some(NOW.plus_seconds(100)),
        hold_extended: false,
        on_hold_until: None,
        estimate_minutes: 8,
        business_day_over: true,
        drawer: Some(Money(5_000)),
        lines: vec![line(SOUP, 2, 1_000, vec![(POT, 1)]), line(BREAD, 3, 1_400, vec![(POT, 1), (FLOUR, 2)])],
        attempts: vec![],
        refunds: vec![],
        reservations: vec![reserved(POT, 5, HoldState::Held), reserved(FLOUR, 6, HoldState::Held)],
        assignment: None,
        failed_assignments: 0,
    }
}

/// The same with an attempt that waits for its answer.
fn waiting() -> OrderSnapshot {
    OrderSnapshot { attempts: vec![attempt(OPEN, AttemptStatus::Created)], ..order(Status::Pending) }
}

/// The same, paid by card, its stock off the books.
fn paid(status: Status) -> OrderSnapshot {
    let mut order = order(status);
    order.attempts = vec![attempt(OPEN, AttemptStatus::Captured)];
    order.captured_at = Some(NOW);
    order.reservations.iter_mut().for_each(|row| row.state = HoldState::Committed);
    order
}

/// The same, to be paid in cash.
fn cash(status: Status) -> OrderSnapshot {
    OrderSnapshot { method: Method::Cash, ..order(status) }
}

/// The same as a delivery with a courier.
fn carried(order: OrderSnapshot, status: AssignmentStatus) -> OrderSnapshot {
    let assignment = Some(Assignment { id: RUN, staff: COURIER, status });
    OrderSnapshot { fulfilment: Fulfilment::Delivery, assignment, ..order }
}

fn capture(amount: Money) -> Capture {
    Capture {
        attempt: None,
        amount,
        taken_by: Method::Upi,
        currency_matches: true,
        gateway_payment_id: "pay_1".to_owned(),
        signature_valid: true,
        id_is_new: true,
    }
}

fn place(method: Method, due: Money) -> Event {
    Event::Place(Box::new(PlaceFacts {
        method,
        fulfilment: Fulfilment::Pickup,
        lines: 1,
        due,
        restaurant_open: true,
        slot_active: true,
        slot_has_room: true,
        unavailable: vec![],
        fulfilment_enabled: true,
        method_enabled: true,
        address_given: false,
        promo_claimable: true,
        stock_suffices: true,
        first_attempt: Some(NEW),
        expires_at: Some(NOW.plus_seconds(600)),
        estimate_minutes: 12,
    }))
}

/// Nothing happens by itself, and a paid order may be cancelled.
fn settings() -> Settings {
    Settings {
        auto_accept: AutoAccept::Off,
        auto_ready: true,
        auto_assign: true,
        customer_cancel_paid_seconds: 600,
        ..Settings::default()
    }
}

fn judged(snapshot: &Snapshot, event: &Event, role: Role, settings: &Settings) -> Result<Transition, Refused> {
    decide(snapshot, event, &person(role), NOW, settings)
}

fn moved(order: OrderSnapshot, event: Event, role: Role) -> Transition {
    judged(&Snapshot::Order(Box::new(order)), &event, role, &settings()).expect("the table takes it")
}

fn placed(event: &Event, settings: &Settings) -> Transition {
    judged(&Snapshot::None, event, Role::Customer, settings).expect("the table takes it")
}

fn refused(order: OrderSnapshot, event: Event, role: Role) -> Refused {
    judged(&Snapshot::Order(Box::new(order)), &event, role, &settings()).expect_err("refused")
}

/// The steps as `T3 pending received system`.
fn steps(transition: &Transition) -> Vec<String> {
    let step = |hop: &Hop| format!("{} {} {} {}", hop.t, hop.from.map_or("none", Status::as_str), hop.to, hop.role);
    transition.hops.iter().map(step).collect()
}

#[track_caller]
fn check(found: &Transition, way: &[&str], reason: Option<EndReason>, effects: &[Effect], emits: &[Emit]) {
    assert_eq!(steps(found), way);
    assert_eq!(found.reason, reason, "the reason of {way:?}");
    assert_eq!(found.effects, effects, "the effects of {way:?}");
    assert_eq!(found.emits, emits, "what {way:?} tells");
}

fn because() -> String {
    " because ".to_owned()
}

fn new_attempt(id: AttemptId, method: AttemptMethod, status: AttemptStatus) -> Effect {
    let id = Some(id);
    Effect::NewAttempt { id, method, status, amount: DUE, stray: false, gateway_payment_id: None, reason: None }
}

fn no_money(status: AttemptStatus) -> Effect {
    let (method, amount) = (AttemptMethod::None, Money::ZERO);
    Effect::NewAttempt { id: None, method, status, amount, stray: false, gateway_payment_id: None, reason: None }
}

fn manual(status: AttemptStatus) -> Effect {
    let (id, method, reason) = (Some(NEW), AttemptMethod::Manual, Some(because()));
    Effect::NewAttempt { id, method, status, amount: DUE, stray: false, gateway_payment_id: None, reason }
}

fn settled(status: AttemptStatus, gateway_payment_id: Option<&str>, reason: Option<&str>) -> Effect {
    let gateway_payment_id = gateway_payment_id.map(str::to_owned);
    Effect::SettleAttempt { id: OPEN, status, gateway_payment_id, reason: reason.map(str::to_owned), unresolved: false }
}

fn back(amount: i64, reason: &str) -> Effect {
    let (attempt, method) = (Some(OPEN), AttemptMethod::Card);
    Effect::NewRefund { attempt, method, amount: Money(amount), reason: reason.to_owned() }
}

fn part(line: LineId, quantity: i64, disposal: Disposal) -> LinePart {
    LinePart { line, quantity, disposal }
}

fn all_lines(disposal: Disposal) -> Effect {
    Effect::GiveBack(vec![part(SOUP, 2, disposal), part(BREAD, 3, disposal)])
}

fn assignment(status: AssignmentStatus) -> Effect {
    Effect::SetAssignment { id: RUN, status }
}
