//! The order machine against its oracle: `tests/fixtures/transitions.tsv`, transcribed by hand from
//! the specification, cell by cell. A second walk mutates the program's table guard by guard and
//! checks that the oracle notices each one. Nothing here is made from the code's table.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says where it stopped")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use servery::domain::access::{Actor, Role};
use servery::domain::fulfilment::Fulfilment;
use servery::domain::ids::{
    AssignmentId, AttemptId, CustomerId, LineId, OrderId, RefundId, StaffId, StockItemId, TerminalId,
};
use servery::domain::money::Money;
use servery::domain::order::{
    Assignment, AssignmentStatus, Capture, Disposal, Event, EventKind, Guard, HoldState, Line, LinePart, OrderSnapshot,
    PlaceFacts, RefundChoice, Reservation, Row, Snapshot, Status, TABLE, decide_with,
};
use servery::domain::payment::{Attempt, AttemptMethod, AttemptStatus, Method, Refund, RefundStatus};
use servery::domain::settings::{AutoAccept, Settings};
use servery::domain::time::Timestamp;
use uuid::Uuid;

const ORACLE: &str = include_str!("fixtures/transitions.tsv");
const STATUSES: [&str; 11] = [
    "none",
    "pending",
    "received",
    "confirmed",
    "preparing",
    "ready",
    "out_for_delivery",
    "completed",
    "cancelled",
    "rejected",
    "expired",
];
const METHODS: [&str; 3] = ["card", "upi", "cash"];
const FULFILMENTS: [&str; 3] = ["pickup", "dine_in", "delivery"];
/// The consistent pairs of the columns `paid` and `attempt`.
const PAYMENTS: [(&str, &str); 5] =
    [("no", "none"), ("no", "open"), ("yes", "captured"), ("no", "failed"), ("no", "stray")];
const ASSIGNMENTS: [&str; 3] = ["none", "assigned", "picked_up"];
const ROLES: [&str; 7] = ["customer", "kitchen", "kitchen_pin", "delivery", "admin", "system", "gateway"];
const FACTS: [&str; 42] = [
    "ok",
    "not_owner",
    "empty_cart",
    "closed",
    "no_slot",
    "slot_full",
    "item_unavailable",
    "fulfilment_off",
    "method_off",
    "no_address",
    "promo_gone",
    "stock_short",
    "wrong_amount",
    "due_not_zero",
    "stock_there",
    "past_expiry",
    "extended",
    "early",
    "outside_window",
    "no_reason",
    "auto_off",
    "on_hold",
    "line_closed",
    "lines_open",
    "forced",
    "inactive_courier",
    "other_courier",
    "till_closed",
    "drawer_short",
    "tendered_short",
    "last_line",
    "over_refund",
    "bad_signature",
    "gateway_id_known",
    "no_refund_pending",
    "not_cash_refund",
    "site_closed",
    "wrong_currency",
    "line_unknown",
    "forced_without_reason",
    "wrong_and_unsigned",
    "wrong_and_known",
];
/// Facts that this file adds to the oracle's own list; they read as one of the oracle's facts.
fn as_in_oracle(fact: &str) -> &str {
    match fact {
        "wrong_currency" => "wrong_amount",
        "line_unknown" => "line_closed",
        "forced_without_reason" => "lines_open",
        "wrong_and_unsigned" => "bad_signature",
        "wrong_and_known" => "gateway_id_known",
        other => other,
    }
}

const NOW: Timestamp = Timestamp(1_800_000_000_000_000);
const DUE: Money = Money(2_400);

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

/// The values of the nine columns that a pattern may name, in the order of the file.
const COLUMNS: [&[&str]; 9] = [
    &STATUSES,
    &["no", "yes"],
    &METHODS,
    &FULFILMENTS,
    &["none", "open", "captured", "failed", "stray"],
    &ASSIGNMENTS,
    &[],
    &ROLES,
    &FACTS,
];

/// A parsed row of the oracle: the allowed values of each column as bits, and the result.
struct Pattern {
    allowed: [u64; 9],
    result: &'static str,
}

fn event_bit(name: &str) -> u64 {
    let at = EventKind::ALL.iter().position(|kind| kind.as_str() == name);
    1 << at.unwrap_or_else(|| panic!("event {name}"))
}

fn bit(column: usize, value: &str) -> u64 {
    if column == 6 {
        return event_bit(value);
    }
    let at = COLUMNS[column].iter().position(|known| *known == value);
    1 << at.unwrap_or_else(|| panic!("column {column} has no value {value}"))
}

fn oracle() -> Vec<Pattern> {
    let rows: Vec<Pattern> = ORACLE
        .lines()
        .skip(1)
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| {
            let cells: Vec<&'static str> = line.split('\t').collect();
            assert_eq!(cells.len(), 11, "eleven columns: {line}");
            let mut allowed = [u64::MAX; 9];
            for (column, cell) in cells[..9].iter().enumerate().filter(|(_, cell)| **cell != "*") {
                allowed[column] = cell.split('|').map(|value| bit(column, value)).sum();
            }
            Pattern { allowed, result: cells[9] }
        })
        .collect();
    assert!(rows.len() > 150, "the oracle has shrunk to {} rows", rows.len());
    rows
}

/// What the oracle says of a cell, given as one bit per column.
fn expected(rows: &[&Pattern], bits: &[u64; 9]) -> &'static str {
    rows.iter()
        .find(|row| row.allowed.iter().zip(bits).all(|(allowed, bit)| allowed & bit != 0))
        .map_or("!illegal", |row| row.result)
}

fn actor(role: &str, fact: &str) -> Actor {
    let terminal = Some(TerminalId(id(90)));
    let person = |role| Actor::staff(StaffId(id(80)), role, "tester", terminal);
    match role {
        "customer" => Actor::guest(CustomerId(id(if fact == "not_owner" { 71 } else { 70 })), terminal),
        "kitchen" => person(Role::Kitchen),
        "kitchen_pin" => Actor { override_by: Some(StaffId(id(81))), ..person(Role::Kitchen) },
        "delivery" => person(Role::Delivery),
        "admin" => person(Role::Admin),
        "system" => Actor::system(),
        "gateway" => Actor::gateway("test"),
        other => unreachable!("role {other}"),
    }
}

fn settings(fact: &str) -> Settings {
    let auto = fact != "auto_off";
    Settings {
        auto_accept: if auto { AutoAccept::All } else { AutoAccept::Off },
        auto_ready: auto,
        auto_assign: auto,
        customer_cancel_paid_seconds: 600,
        ..Settings::default()
    }
}

fn line(n: u128, done: i64) -> Line {
    Line {
        id: LineId(id(n)),
        quantity: 2,
        voided: 0,
        restocked: 0,
        wasted: 0,
        done,
        total_share: Money(1_200),
        uses: vec![(StockItemId(id(60)), 1)],
    }
}

fn attempts(kind: &str, method: Method) -> (Vec<Attempt>, Vec<Refund>) {
    let attempt = |status, stray| Attempt {
        id: AttemptId(id(50)),
        method: method.into(),
        status,
        amount: DUE,
        unknown: false,
        unresolved: false,
        stray,
    };
    match kind {
        "none" => (vec![], vec![]),
        "open" => (vec![attempt(AttemptStatus::Created, false)], vec![]),
        "captured" => (vec![attempt(AttemptStatus::Captured, false)], vec![]),
        "failed" => (vec![attempt(AttemptStatus::Failed, false)], vec![]),
        "stray" => (
            vec![attempt(AttemptStatus::Captured, true)],
            vec![Refund {
                id: RefundId(id(41)),
                attempt: AttemptId(id(50)),
                method: method.into(),
                amount: DUE,
                status: RefundStatus::Pending,
            }],
        ),
        other => unreachable!("attempt {other}"),
    }
}

/// The lines that make the event's facts true: done where the event needs finished work.
fn lines(event: EventKind, fact: &str) -> Vec<Line> {
    let all_done = matches!(event, EventKind::MarkReady | EventKind::ItemUndone);
    let unfinished = matches!(fact, "lines_open" | "forced" | "forced_without_reason");
    let mut lines = match (event, fact) {
        (EventKind::ItemDone, "line_closed") => vec![line(30, 2), line(31, 0)],
        (EventKind::ItemUndone, "line_closed") => vec![line(30, 0), line(31, 0)],
        (EventKind::MarkReady, _) if unfinished => vec![line(30, 2), line(31, 1)],
        _ if all_done => vec![line(30, 2), line(31, 2)],
        _ => vec![line(30, 0), line(31, 0)],
    };
    if event == EventKind::VoidLine && fact == "last_line" {
        lines[1].voided = 2;
    }
    if event == EventKind::VoidLine && fact == "line_closed" {
        lines[0].voided = 2;
    }
    lines
}

fn snapshot(cell: &[&str; 9], event: EventKind, fact: &str) -> Snapshot {
    let Some(status) = Status::parse(cell[0]) else { return Snapshot::None };
    let method = Method::parse(cell[2]).expect("method");
    let (attempts, mut refunds) = attempts(cell[4], method);
    let pays_out = event == EventKind::PayOutCashRefund;
    if matches!(event, EventKind::RefundSettled | EventKind::RefundFailed) || pays_out {
        refunds.push(Refund {
            id: RefundId(id(40)),
            attempt: AttemptId(id(50)),
            method: if pays_out && fact != "not_cash_refund" { AttemptMethod::Cash } else { AttemptMethod::Card },
            amount: Money(1),
            status: if fact == "no_refund_pending" { RefundStatus::Settled } else { RefundStatus::Pending },
        });
    }
    let early = fact == "early";
    // A limit of a timer is reached exactly now, or a microsecond later: both sides of the edge.
    let waited = |seconds: i64| Some(Timestamp(NOW.plus_seconds(-seconds).0 + i64::from(early)));
    let defaults = Settings::default();
    let expires_at = match (event, fact) {
        (EventKind::PayStart, "past_expiry") => NOW,
        (EventKind::Expire, "early") => Timestamp(NOW.0 + 1),
        (EventKind::Expire, _) => NOW,
        _ => Timestamp(NOW.0 + 1),
    };
    let received_at = match event {
        EventKind::CashTimeout => waited(defaults.cash_wait_seconds),
        _ => waited(defaults.accept_timeout_seconds),
    };
    let ready_at = match (event, fact) {
        (EventKind::NoShow, _) => waited(defaults.no_show_minutes * 60),
        (EventKind::Recall, "outside_window") => Some(NOW.plus_seconds(-defaults.recall_window_seconds)),
        (EventKind::Recall, _) => Some(Timestamp(NOW.plus_seconds(-defaults.recall_window_seconds).0 + 1)),
        _ => Some(NOW),
    };
    let captured_at =
        if fact == "outside_window" { NOW.plus_seconds(-600) } else { Timestamp(NOW.plus_seconds(-600).0 + 1) };
    let on_hold_until = match (event, fact) {
        (EventKind::StartPreparing, "on_hold") => Some(Timestamp(NOW.0 + 1)),
        (EventKind::ReleaseHold, "early") => Some(Timestamp(NOW.0 + 1)),
        (EventKind::ReleaseHold, _) => Some(NOW),
        _ => None,
    };
    let held = event != EventKind::StockGone || fact == "stock_there";
    Snapshot::Order(Box::new(OrderSnapshot {
        id: OrderId(id(1)),
        status,
        version: 3,
        fulfilment: Fulfilment::parse(cell[3]).expect("fulfilment"),
        method,
        owner: CustomerId(id(70)),
        due: if event == EventKind::DueIsZero && fact != "due_not_zero" { Money::ZERO } else { DUE },
        placed_at: NOW.plus_seconds(-3_600),
        received_at,
        ready_at,
        captured_at: Some(captured_at),
        expires_at: Some(expires_at),
        hold_extended: fact == "extended",
        on_hold_until,
        estimate_minutes: 8,
        business_day_over: !early,
        // What the pay-out takes is there to the last minor unit, or lacks one.
        drawer: (fact != "till_closed").then_some(Money(i64::from(fact != "drawer_short"))),
        lines: lines(event, fact),
        attempts,
        refunds,
        reservations: vec![Reservation {
            stock_item: StockItemId(id(60)),
            quantity: 4,
            state: if held { HoldState::Held } else { HoldState::Released },
        }],
        assignment: AssignmentStatus::parse(cell[5]).map(|status| Assignment {
            id: AssignmentId(id(20)),
            staff: StaffId(id(if fact == "other_courier" { 82 } else { 80 })),
            status,
        }),
        failed_assignments: 0,
    }))
}

fn event(cell: &[&str; 9], kind: EventKind, fact: &str) -> Event {
    let reason = if fact == "no_reason" { "  ".to_owned() } else { "because".to_owned() };
    let attempt = AttemptId(id(51));
    let wrong_too = kind == EventKind::UnmatchedCapture && matches!(fact, "wrong_and_unsigned" | "wrong_and_known");
    let wrong = fact == "wrong_amount" || wrong_too;
    let capture = Capture {
        attempt: None,
        amount: if wrong { Money(DUE.0 + 1) } else { DUE },
        taken_by: Method::Card,
        currency_matches: fact != "wrong_currency",
        gateway_payment_id: "pay_1".to_owned(),
        signature_valid: !matches!(fact, "bad_signature" | "wrong_and_unsigned"),
        id_is_new: !matches!(fact, "gateway_id_known" | "wrong_and_known"),
    };
    let line = LineId(id(if fact == "line_unknown" { 39 } else { 30 }));
    let refund = RefundId(id(40));
    match kind {
        EventKind::Place => Event::Place(Box::new(PlaceFacts {
            method: Method::parse(cell[2]).expect("method"),
            fulfilment: Fulfilment::parse(cell[3]).expect("fulfilment"),
            lines: usize::from(fact != "empty_cart"),
            due: DUE,
            restaurant_open: fact != "closed",
            slot_active: fact != "no_slot",
            slot_has_room: fact != "slot_full",
            unavailable: if fact == "item_unavailable" { vec!["Soup".to_owned()] } else { vec![] },
            fulfilment_enabled: fact != "fulfilment_off",
            method_enabled: fact != "method_off",
            address_given: fact != "no_address",
            promo_claimable: fact != "promo_gone",
            stock_suffices: fact != "stock_short",
            first_attempt: None,
            expires_at: None,
            estimate_minutes: 8,
        })),
        EventKind::PaySuccess => Event::PaySuccess(capture),
        EventKind::DueIsZero => Event::DueIsZero,
        EventKind::PayFail => Event::PayFail { attempt: AttemptId(id(50)), reason, unresolved: false },
        EventKind::PayUnknown => Event::PayUnknown { attempt: AttemptId(id(50)) },
        EventKind::PayStart => Event::PayStart { attempt },
        EventKind::ExtendHold => Event::ExtendHold,
        EventKind::StockGone => Event::StockGone,
        EventKind::Expire => Event::Expire,
        EventKind::Cancel => Event::Cancel { reason },
        EventKind::Accept => Event::Accept { eta_minutes: None },
        EventKind::Reject => Event::Reject { reason },
        EventKind::AcceptTimeout => Event::AcceptTimeout { site_open: fact != "site_closed" },
        EventKind::CashTimeout => Event::CashTimeout,
        EventKind::StartPreparing => Event::StartPreparing,
        EventKind::ItemDone => Event::ItemDone { lines: vec![line] },
        EventKind::ItemUndone => Event::ItemUndone { lines: vec![line] },
        EventKind::MarkReady => Event::MarkReady {
            forced: match fact {
                "forced" => Some("the rest follows".to_owned()),
                "forced_without_reason" => Some("  ".to_owned()),
                _ => None,
            },
        },
        EventKind::Recall => Event::Recall,
        EventKind::Assign => Event::Assign { staff: StaffId(id(80)), is_active_courier: fact != "inactive_courier" },
        EventKind::AssignCancel => Event::AssignCancel,
        EventKind::NoPickup => Event::NoPickup,
        EventKind::PickUp => Event::PickUp,
        EventKind::Deliver => Event::Deliver,
        EventKind::ConfirmCash => {
            Event::ConfirmCash { tendered: if fact == "tendered_short" { Money(DUE.0 - 1) } else { DUE }, attempt }
        }
        EventKind::HandOver => Event::HandOver,
        EventKind::CloseUncollected => Event::CloseUncollected { reason },
        EventKind::StaffCancel => Event::StaffCancel { reason },
        EventKind::Void => Event::Void {
            reason,
            lines: vec![],
            refund: if fact == "over_refund" { RefundChoice::Amount(Money(DUE.0 + 1)) } else { RefundChoice::Full },
        },
        EventKind::VoidLine => {
            Event::VoidLine { part: LinePart { line, quantity: 2, disposal: Disposal::Waste }, reason }
        }
        EventKind::NoShow => Event::NoShow { reason },
        EventKind::ReturnToStore => Event::ReturnToStore { reason },
        EventKind::Refund => {
            Event::Refund { amount: Money(if fact == "over_refund" { DUE.0 + 1 } else { 1 }), lines: vec![], reason }
        }
        EventKind::AdminSetPaid => Event::AdminSetPaid { reason, attempt },
        EventKind::AdminSetFailed => Event::AdminSetFailed { reason, attempt },
        EventKind::UnmatchedCapture => Event::UnmatchedCapture { capture, attempt },
        EventKind::Duplicate => Event::Duplicate,
        EventKind::SetPriority => Event::SetPriority { priority: 1 },
        EventKind::Hold => Event::Hold { until: None },
        EventKind::ReleaseHold => Event::ReleaseHold,
        EventKind::Note => Event::Note { note: "no salt".to_owned() },
        EventKind::RefundSettled => Event::RefundSettled { refund },
        EventKind::RefundFailed => Event::RefundFailed { refund, reason },
        EventKind::PayOutCashRefund => Event::PayOutCashRefund { refund },
    }
}

/// What the program is given for a cell, whoever the actor is.
struct Inputs {
    snapshot: Snapshot,
    event: Event,
    settings: Settings,
}

fn inputs(cell: &[&str; 9], kind: EventKind, fact: &str) -> Inputs {
    Inputs { snapshot: snapshot(cell, kind, fact), event: event(cell, kind, fact), settings: settings(fact) }
}

/// What the program says for a cell, in the oracle's words: the first step, or the guard.
fn judged(table: &[Row], given: &Inputs, actor: &Actor) -> String {
    match decide_with(table, &given.snapshot, &given.event, actor, NOW, &given.settings) {
        Ok(transition) => {
            let hop = &transition.hops[0];
            let may_go_on = matches!(
                given.event.kind(),
                EventKind::Place
                    | EventKind::PaySuccess
                    | EventKind::DueIsZero
                    | EventKind::ConfirmCash
                    | EventKind::AdminSetPaid
            );
            if transition.hops.len() > 1 && !may_go_on {
                return "more than one step".to_owned();
            }
            if hop.from == Some(hop.to) { "same".to_owned() } else { hop.to.as_str().to_owned() }
        }
        Err(refused) => format!("!{}", refused.guard.unwrap_or("?")),
    }
}

/// The facts that change what the program is given for an event. For every other fact the program
/// answers as for `ok`, because it sees the same.
fn facts_seen(kind: EventKind) -> Vec<&'static str> {
    let cell = |status, (paid, attempt), assignment| {
        [status, paid, "card", "delivery", attempt, assignment, kind.as_str(), "", "ok"]
    };
    let plain = cell("none", PAYMENTS[0], "none");
    let differs = |fact: &str| {
        settings(fact) != settings("ok")
            || event(&plain, kind, fact) != event(&plain, kind, "ok")
            || ROLES.iter().any(|role| actor(role, fact) != actor(role, "ok"))
            || STATUSES.iter().any(|status| {
                PAYMENTS.iter().any(|paid| {
                    ASSIGNMENTS.iter().any(|assignment| {
                        let cell = cell(status, *paid, assignment);
                        snapshot(&cell, kind, fact) != snapshot(&cell, kind, "ok")
                    })
                })
            })
    };
    FACTS.iter().copied().filter(|fact| *fact == "ok" || differs(fact)).collect()
}

/// Visits every consistent cell of an event with the facts given, in words and in bits, until
/// `visit` says stop; whether it came to the end. `prepare` makes what all actors of a cell share.
fn each_cell<T>(
    kind: EventKind,
    facts: &[&'static str],
    prepare: impl Fn(&[&str; 9], &str) -> T,
    mut visit: impl FnMut(&[&str; 9], &[u64; 9], &str, &T, &Actor) -> bool,
) -> bool {
    for fact in facts {
        let actors: Vec<(&str, u64, Actor)> =
            ROLES.iter().map(|role| (*role, bit(7, role), actor(role, fact))).collect();
        for status in STATUSES {
            let fresh = status == "none";
            for method in METHODS {
                for fulfilment in FULFILMENTS {
                    for (paid, attempt) in if fresh { &PAYMENTS[..1] } else { &PAYMENTS[..] } {
                        for assignment in if fresh { &ASSIGNMENTS[..1] } else { &ASSIGNMENTS[..] } {
                            let read = as_in_oracle(fact);
                            let mut cell =
                                [status, paid, method, fulfilment, attempt, assignment, kind.as_str(), "", read];
                            let mut bits = [0; 9];
                            for column in (0..9).filter(|column| *column != 7) {
                                bits[column] = bit(column, cell[column]);
                            }
                            let given = prepare(&cell, fact);
                            for (role, role_bit, actor) in &actors {
                                cell[7] = role;
                                bits[7] = *role_bit;
                                if !visit(&cell, &bits, fact, &given, actor) {
                                    return false;
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    true
}

fn relevant(oracle: &[Pattern], kind: EventKind) -> Vec<&Pattern> {
    oracle.iter().filter(|row| row.allowed[6] & event_bit(kind.as_str()) != 0).collect()
}

/// So many cells that differ are shown; with them a walk has seen enough.
const SHOWN: usize = 40;

/// Walks some events: the cells where oracle and program differ, and how many were walked. Ends
/// when this or another walk has `enough`.
fn walk(kinds: &[EventKind], enough: &AtomicBool) -> (Vec<String>, u64) {
    let oracle = oracle();
    let (mut wrong, mut cells) = (Vec::new(), 0);
    let goes_on = |wrong: &[String]| {
        if wrong.len() >= SHOWN {
            enough.store(true, Ordering::Relaxed);
        }
        !enough.load(Ordering::Relaxed)
    };
    for kind in kinds {
        if !goes_on(&wrong) {
            break;
        }
        let rows = relevant(&oracle, *kind);
        let seen = facts_seen(*kind);
        let given = |cell: &[&str; 9], fact: &str| inputs(cell, *kind, fact);
        each_cell(*kind, &seen, given, |cell, bits, fact, given, actor| {
            let expected = expected(&rows, bits);
            let found = judged(TABLE, given, actor);
            cells += 1;
            if found != expected {
                wrong.push(format!("{} [{fact}]: oracle {expected}, program {found}", cell.join(" ")));
            }
            goes_on(&wrong)
        });
        // What the program does not see must not matter to the oracle either. A fact that every row
        // allows or refuses together with `ok` cannot matter: only the others are walked.
        let ok = bit(8, "ok");
        let told_apart = |fact: &str| {
            let fact = bit(8, as_in_oracle(fact));
            rows.iter().any(|row| (row.allowed[8] & fact != 0) != (row.allowed[8] & ok != 0))
        };
        let unseen: Vec<&'static str> =
            FACTS.iter().copied().filter(|fact| !seen.contains(fact) && told_apart(fact)).collect();
        each_cell(
            *kind,
            &unseen,
            |_, _| (),
            |cell, bits, fact, (), _| {
                let mut as_ok = *bits;
                as_ok[8] = ok;
                cells += 1;
                if expected(&rows, bits) != expected(&rows, &as_ok) {
                    wrong.push(format!("{} [{fact}]: the oracle minds it, the program cannot see it", cell.join(" ")));
                }
                goes_on(&wrong)
            },
        );
    }
    (wrong, cells)
}

#[test]
fn every_cell_of_the_oracle_is_what_the_program_decides() {
    let (left, right): (Vec<_>, Vec<_>) = EventKind::ALL.iter().enumerate().partition(|(n, _)| n % 2 == 0);
    let kinds = |half: Vec<(usize, &EventKind)>| half.into_iter().map(|(_, kind)| *kind).collect::<Vec<_>>();
    let (left, right, enough) = (kinds(left), kinds(right), AtomicBool::new(false));
    let ((mut wrong, mut cells), (more, rest)) = std::thread::scope(|scope| {
        let other = scope.spawn(|| walk(&right, &enough));
        (walk(&left, &enough), other.join().expect("walker"))
    });
    wrong.extend(more);
    cells += rest;
    assert!(wrong.is_empty(), "{} cells differ, the first:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cells > 4_000_000, "only {cells} cells were walked");
}

/// Takes one guard, selector or role away from one row at a time; the oracle must notice each.
#[test]
fn a_mutated_table_is_noticed() {
    let oracle = oracle();
    let mut unnoticed = Vec::new();
    for (index, row) in TABLE.iter().enumerate() {
        let mut mutants: Vec<(String, Row)> = Vec::new();
        for at in 0..row.guards.len() {
            let guards: Vec<Guard> =
                row.guards.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, guard)| *guard).collect();
            mutants.push((format!("without {}", row.guards[at]), Row { guards: guards.leak(), ..*row }));
        }
        for at in 0..row.roles.len() {
            let roles: Vec<_> = row.roles.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, role)| *role).collect();
            mutants.push((format!("without role {}", row.roles[at].0), Row { roles: roles.leak(), ..*row }));
            if !row.roles[at].1.is_empty() {
                let mut roles = row.roles.to_vec();
                roles[at].1 = &[];
                mutants.push((format!("role {} unbound", row.roles[at].0), Row { roles: roles.leak(), ..*row }));
            }
        }
        for at in 0..row.from.len() {
            let from: Vec<_> = row.from.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, s)| *s).collect();
            if !from.is_empty() {
                mutants.push((format!("not from {}", row.from[at]), Row { from: from.leak(), ..*row }));
            }
        }
        if !row.when.is_empty() {
            mutants.push(("without its selector".to_owned(), Row { when: &[], ..*row }));
        }
        let rows = relevant(&oracle, row.event);
        let seen = facts_seen(row.event);
        for (what, mutant) in mutants {
            let mut table: Vec<Row> = TABLE.iter().filter(|other| other.event == row.event).copied().collect();
            let at = TABLE[..index].iter().filter(|other| other.event == row.event).count();
            table[at] = mutant;
            let given = |cell: &[&str; 9], fact: &str| inputs(cell, row.event, fact);
            let all_agree = each_cell(row.event, &seen, given, |_, bits, _, given, actor| {
                judged(&table, given, actor) == expected(&rows, bits)
            });
            if all_agree {
                unnoticed.push(format!("{} {} to {:?}: {what}", row.t, row.event, row.to));
            }
        }
    }
    let implied: BTreeSet<&str> = IMPLIED.iter().copied().collect();
    let found: BTreeSet<&str> = unnoticed.iter().map(String::as_str).collect();
    assert_eq!(found, implied, "mutants that the oracle does not notice");
}

/// Mutants that cannot be seen because another condition implies the one taken away.
const IMPLIED: &[&str] = &[
    // T1 stands first and takes every prepaid order, with the same guards.
    "T2 place to Status(Received): without its selector",
    // The first row of T29 takes every wrong amount; and a wrong amount is one that T3 cannot take.
    "T29 unmatched_capture to Same: without its selector",
    "T29 unmatched_capture to End(Cancelled, PaymentFailed): without t3_cannot_take_it",
    // The kitchen needs a PIN in these rows, and with it acts in the admin's part of any row.
    "T24 void to End(Cancelled, Void): without role kitchen",
    "T24b void_line to Same: without role kitchen",
];
