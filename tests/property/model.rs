//! What the house should do, in memory: stock, orders, money, carts and the drawer as the specification
//! describes them. Small on purpose, and no rule is borrowed from the program: of it only words (status,
//! method) are used. Time is not modelled: where a rule asks for the clock, both answers are allowed.

use super::command::{Act, Clocked, Who};
use servery::domain::fulfilment::Fulfilment;
use servery::domain::ids::{AttemptId, LineId, OrderId, RefundId};
use servery::domain::order::Status;
use servery::domain::payment::Method;
use servery::service::views::OrderView;
use std::collections::{BTreeMap, BTreeSet};

/// Whether the house must take a command, must refuse it, or may do either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Must,
    Either,
    MustNot,
}

/// What one unit uses: units by stock item.
pub type Uses = BTreeMap<&'static str, i64>;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    pub on_hand: i64,
    pub reserved: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub id: LineId,
    pub quantity: i64,
    pub voided: i64,
    pub restocked: i64,
    pub wasted: i64,
    pub done: i64,
    pub share: i64,
    pub station: Option<uuid::Uuid>,
    pub uses: Uses,
}

impl Line {
    pub fn open(&self) -> i64 {
        self.quantity - self.voided
    }

    fn undone(&self) -> bool {
        self.done < self.open()
    }

    fn left(&self) -> i64 {
        self.quantity - self.restocked - self.wasted
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
/// Where an order's hold on a stock item stands.
pub enum Hold {
    Reserved,
    Committed,
    Gone,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attempt {
    pub id: Option<AttemptId>,
    pub method: &'static str,
    pub status: &'static str,
    pub amount: i64,
    pub stray: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refund {
    pub id: Option<RefundId>,
    pub method: &'static str,
    pub amount: i64,
    pub status: &'static str,
    /// Of a capture that no order could take; by the attempt's place in the list.
    pub attempt: usize,
}

#[derive(Debug, Clone)]
pub struct Order {
    pub id: OrderId,
    pub guest: u8,
    pub cart: usize,
    pub business_date: String,
    pub status: Status,
    pub version: i64,
    pub method: Method,
    pub fulfilment: Fulfilment,
    pub due: i64,
    pub extended: bool,
    pub on_hold: bool,
    pub lines: Vec<Line>,
    pub holds: BTreeMap<&'static str, (Hold, i64)>,
    pub attempts: Vec<Attempt>,
    pub refunds: Vec<Refund>,
    /// The courier, and whether the food is picked up.
    pub courier: Option<(u8, bool)>,
    pub failures: i64,
    pub emits: Vec<&'static str>,
}

impl Order {
    pub fn paying(&self) -> Option<usize> {
        self.attempts.iter().position(|attempt| attempt.status == "captured" && !attempt.stray)
    }

    pub fn paid(&self) -> bool {
        self.paying().is_some()
    }

    pub fn open_attempt(&self) -> Option<usize> {
        self.attempts.iter().position(|attempt| attempt.status == "created")
    }

    pub fn refundable(&self, attempt: usize) -> i64 {
        let row = &self.attempts[attempt];
        if row.status != "captured" {
            return 0;
        }
        let taken: i64 =
            self.refunds.iter().filter(|r| r.attempt == attempt && r.status != "failed").map(|r| r.amount).sum();
        row.amount - taken
    }

    fn captured(&self) -> i64 {
        self.attempts.iter().filter(|attempt| attempt.status == "captured").map(|attempt| attempt.amount).sum()
    }

    fn settled(&self) -> i64 {
        self.refunds.iter().filter(|refund| refund.status == "settled").map(|refund| refund.amount).sum()
    }

    fn unpaid_cash(&self) -> bool {
        self.method == Method::Cash && !self.paid()
    }

    pub fn is_dropped(&self) -> bool {
        matches!(self.status, Status::Cancelled | Status::Rejected | Status::Expired)
    }

    pub fn is_over(&self) -> bool {
        self.is_dropped() || self.status == Status::Completed
    }

    fn holds_stock(&self) -> bool {
        self.holds.values().any(|(held, _)| *held == Hold::Reserved)
    }

    /// What a refund of this attempt is paid with.
    fn back_by(&self, attempt: usize) -> &'static str {
        match self.attempts[attempt].method {
            "manual" | "none" => "cash",
            other => other,
        }
    }

    fn refund(&mut self, attempt: usize, amount: i64) {
        if amount > 0 {
            let method = self.back_by(attempt);
            self.refunds.push(Refund { id: None, method, amount, status: "pending", attempt });
        }
    }

    fn refund_all(&mut self) {
        if let Some(paying) = self.paying() {
            self.refund(paying, self.refundable(paying));
        }
    }

    fn hop(&mut self, to: Status, emits: &[&'static str]) {
        self.status = to;
        self.version += 1;
        self.emits.extend(emits);
    }

    fn attempt(&mut self, method: &'static str, status: &'static str, amount: i64) {
        self.attempts.push(Attempt { id: None, method, status, amount, stray: false });
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartLine {
    pub item: u8,
    pub option: Option<uuid::Uuid>,
    /// The unit price that the guest saw.
    pub seen: i64,
    pub quantity: i64,
    pub uses: Uses,
}

#[derive(Debug, Clone)]
pub struct Cart {
    pub id: uuid::Uuid,
    pub guest: u8,
    pub state: &'static str,
    pub made: bool,
    pub fulfilment: Option<Fulfilment>,
    pub lines: Vec<CartLine>,
}

/// The settings that decide.
#[derive(Debug, Clone)]
pub struct Settings {
    pub auto_accept: &'static str,
    pub open: bool,
    pub card: bool,
    pub upi: bool,
    pub cash: bool,
    pub delivery: bool,
    pub cap: i64,
    pub cancel_paid: bool,
    pub retry_max: i64,
}

#[derive(Debug, Clone)]
pub struct Model {
    pub stock: BTreeMap<&'static str, Count>,
    pub orders: Vec<Order>,
    pub carts: Vec<Cart>,
    pub drawer: Option<i64>,
    pub settings: Settings,
    pub payments: BTreeSet<String>,
    pub available: Vec<bool>,
}

/// A capture as the gateway tells it.
#[derive(Debug, Clone)]
pub struct Capture {
    pub attempt: Option<AttemptId>,
    pub amount: i64,
    pub currency_matches: bool,
    pub payment: String,
    /// How the gateway that told it takes money.
    pub gateway: &'static str,
}

/// An act with everything that it says, resolved by the house.
#[derive(Debug, Clone)]
pub enum Doing {
    Act(Act),
    Lines { lines: Vec<LineId>, done: bool },
    Captured(Capture),
    NotCaptured { attempt: Option<AttemptId>, what: &'static str },
    Parts { parts: Vec<(LineId, i64, bool)>, refund: Option<i64>, reason: bool },
    VoidLine { part: (LineId, i64, bool), reason: bool },
    Refund { amount: i64, parts: Vec<(LineId, i64, bool)> },
    Settle { refund: Option<RefundId>, how: &'static str },
    Bump { stale: bool, station: Option<uuid::Uuid> },
    Cash { tendered: i64 },
    CashAtDoor { tendered: i64 },
}

const IN_KITCHEN: &[Status] = &[Status::Received, Status::Confirmed, Status::Preparing, Status::Ready];
const COOKING: &[Status] = &[Status::Confirmed, Status::Preparing, Status::Ready];

fn yes(allowed: bool) -> Verdict {
    if allowed { Verdict::Must } else { Verdict::MustNot }
}

/// As [`yes`], where the clock has a word in it too.
fn perhaps(allowed: bool) -> Verdict {
    if allowed { Verdict::Either } else { Verdict::MustNot }
}

fn moves_tickets(who: Who) -> bool {
    matches!(who, Who::Kitchen | Who::KitchenPin | Who::Board | Who::Admin)
}

fn at_the_till(who: Who) -> bool {
    matches!(who, Who::Kitchen | Who::KitchenPin | Who::Admin)
}

fn answers(who: Who) -> bool {
    matches!(who, Who::Gateway | Who::System)
}

impl Model {
    /// Whether the house must take this.
    #[expect(clippy::too_many_lines, reason = "one arm a kind of act")]
    pub fn verdict(&self, order: &Order, who: Who, doing: &Doing) -> Verdict {
        let is = |statuses: &[Status]| statuses.contains(&order.status);
        // Where the kitchen has no part in a step, an admin's PIN lets it act in the admin's.
        let manager = matches!(who, Who::Admin | Who::KitchenPin);
        let voids = matches!(who, Who::Admin | Who::KitchenPin);
        let carries = |order: &Order| match who {
            Who::Courier(number) => order.courier.is_some_and(|(courier, _)| courier == number),
            _ => manager,
        };
        let delivery = order.fulfilment == Fulfilment::Delivery;
        let parts_fit = |parts: &[(LineId, i64, bool)]| {
            parts.iter().all(|(id, quantity, _)| {
                let asked: i64 = parts.iter().filter(|other| other.0 == *id).map(|other| other.1).sum();
                *quantity > 0 && order.lines.iter().any(|line| line.id == *id && asked <= line.left())
            })
        };
        match doing {
            Doing::Captured(capture) => {
                // T30 is anybody's who may come in at all: nothing happens.
                if self.payments.contains(&capture.payment) && !answers(who) {
                    return perhaps(voids);
                }
                yes(answers(who) && capture.amount > 0)
            }
            Doing::NotCaptured { attempt, what } => {
                let open = order.open_attempt().and_then(|at| order.attempts[at].id);
                let nothing = *what == "pending" || open.is_none() || open != *attempt;
                if nothing && !answers(who) { perhaps(voids) } else { yes(answers(who)) }
            }
            Doing::Lines { lines, done } => {
                let fit = lines.iter().all(|id| {
                    order.lines.iter().any(|line| {
                        line.id == *id && if *done { line.undone() } else { line.done > 0 && line.open() > 0 }
                    })
                });
                yes(moves_tickets(who) && is(&[Status::Preparing]) && !lines.is_empty() && fit)
            }
            Doing::Bump { stale, .. } => {
                let here = moves_tickets(who) && !stale;
                match order.status {
                    Status::Preparing => yes(here),
                    Status::Confirmed if order.on_hold => perhaps(here),
                    Status::Confirmed => yes(here),
                    _ => Verdict::MustNot,
                }
            }
            Doing::Cash { tendered } => yes(at_the_till(who)
                && (is(IN_KITCHEN) || is(&[Status::OutForDelivery]))
                && order.unpaid_cash()
                && self.drawer.is_some()
                && *tendered >= order.due),
            Doing::CashAtDoor { tendered } => yes(carries(order)
                && order.courier.is_some_and(|(_, picked)| picked)
                && is(&[Status::OutForDelivery])
                && order.unpaid_cash()
                && self.drawer.is_some()
                && *tendered >= order.due),
            Doing::Parts { parts, refund, reason } => {
                let fits = refund.is_none_or(|amount| {
                    amount > 0 && order.paying().is_some_and(|paying| amount <= order.refundable(paying))
                });
                yes(voids && is(&[Status::Preparing, Status::Ready]) && *reason && fits && parts_fit(parts))
            }
            Doing::VoidLine { part, reason } => {
                let line = order.lines.iter().find(|line| line.id == part.0);
                let open = line.is_some_and(|line| part.1 > 0 && part.1 <= line.open());
                let not_last = order.lines.iter().map(Line::open).sum::<i64>() > part.1;
                yes(voids && is(IN_KITCHEN) && *reason && open && not_last && parts_fit(std::slice::from_ref(part)))
            }
            Doing::Refund { amount, parts } => {
                let room = (0..order.attempts.len()).any(|attempt| *amount <= order.refundable(attempt));
                let fits = *amount > 0 && room && order.captured() > order.settled() && parts_fit(parts);
                // Parts of what was never taken off the books: see the report of this test.
                let odd = !parts.is_empty() && !order.paid();
                if odd { perhaps(manager && fits) } else { yes(manager && fits) }
            }
            Doing::Settle { refund, how } => {
                let row = order.refunds.iter().find(|row| row.id.is_some() && row.id == *refund);
                let pending = row.is_some_and(|row| row.status == "pending");
                match *how {
                    "drawer" => {
                        let cash = row.is_some_and(|row| row.method == "cash");
                        let there = self.drawer.is_some_and(|held| row.is_some_and(|row| row.amount <= held));
                        yes(at_the_till(who) && pending && cash && there)
                    }
                    _ => yes(answers(who) && pending),
                }
            }
            Doing::Act(act) => match *act {
                Act::StartPayment => {
                    let free = order.attempts.iter().all(|row| row.stray || matches!(row.status, "failed" | "voided"));
                    perhaps(matches!(who, Who::Owner | Who::System) && is(&[Status::Pending]) && free)
                }
                Act::Extend => yes(who == Who::Owner
                    && is(&[Status::Pending])
                    && !order.extended
                    && order.attempts.iter().all(|row| row.status == "voided")),
                Act::Cancel { reason } => match order.status {
                    Status::Pending => {
                        yes((who == Who::Owner || (manager && reason)) && order.open_attempt().is_none())
                    }
                    Status::Received if order.unpaid_cash() => yes(who == Who::Owner || (at_the_till(who) && reason)),
                    Status::Received | Status::Confirmed if order.paid() => {
                        perhaps(who == Who::Owner && self.settings.cancel_paid)
                    }
                    _ => Verdict::MustNot,
                },
                Act::Accept => yes(moves_tickets(who) && is(&[Status::Received])),
                Act::Reject { reason } => yes(at_the_till(who) && is(&[Status::Received]) && reason),
                Act::Start => {
                    let here = moves_tickets(who) && is(&[Status::Confirmed]);
                    if order.on_hold { perhaps(here) } else { yes(here) }
                }
                Act::Ready { forced } => {
                    let person = forced.is_none() || who != Who::Board;
                    let done = order.lines.iter().all(|line| !line.undone()) || forced == Some(true);
                    yes(moves_tickets(who) && person && is(&[Status::Preparing]) && done)
                }
                Act::Recall if who == Who::Admin => yes(is(&[Status::Ready])),
                Act::Recall => perhaps(moves_tickets(who) && is(&[Status::Ready])),
                Act::Undo { ready: true } => perhaps(moves_tickets(who) && is(&[Status::Ready])),
                Act::Undo { ready: false } => perhaps(moves_tickets(who)),
                Act::HandOver => yes(moves_tickets(who) && is(&[Status::Ready]) && !delivery && order.paid()),
                Act::StaffCancel { reason } => yes(at_the_till(who) && is(&[Status::Confirmed]) && reason),
                Act::NoShow { reason } => yes(manager && is(&[Status::Ready]) && !order.paid() && reason),
                Act::Close { reason } => yes(manager && is(&[Status::Ready]) && order.paid() && !delivery && reason),
                Act::Override { reason, .. } => {
                    yes(manager && is(&[Status::Pending]) && order.open_attempt().is_none() && reason)
                }
                Act::Hold { .. } | Act::Release | Act::Priority | Act::Note => {
                    yes(moves_tickets(who) && !order.is_over())
                }
                Act::Assign { courier } => {
                    yes(manager && is(COOKING) && delivery && courier < 2 && order.courier.is_none())
                }
                Act::CancelAssignment { .. } => {
                    yes(carries(order) && is(COOKING) && order.courier.is_some_and(|(_, picked)| !picked))
                }
                Act::PickUp => {
                    let waits = order.courier.is_some_and(|(_, picked)| !picked);
                    yes(carries(order) && is(&[Status::Ready]) && delivery && waits)
                }
                Act::Deliver => yes(carries(order) && is(&[Status::OutForDelivery]) && order.paid()),
                Act::Return { reason } => yes(carries(order) && is(&[Status::OutForDelivery]) && reason),
                Act::Timer(timer) => perhaps(match timer {
                    Clocked::Expire => is(&[Status::Pending]) && order.open_attempt().is_none(),
                    Clocked::AcceptTimeout => is(&[Status::Received]) && order.paid(),
                    Clocked::CashTimeout => {
                        is(&[Status::Received, Status::Confirmed]) && order.unpaid_cash() && !delivery
                    }
                    Clocked::NoShow => is(&[Status::Ready]) && !order.paid() && !delivery,
                    Clocked::ReleaseHold => !order.is_over(),
                    Clocked::CloseUncollected => is(&[Status::Ready]) && order.paid() && !delivery,
                    Clocked::AutoReady => is(&[Status::Preparing]) && order.lines.iter().all(|line| !line.undone()),
                }),
                _ => Verdict::Either,
            },
        }
    }

    /// Does to the model what the house should have done. `stock_gone` says that the answer was T6.
    #[expect(clippy::too_many_lines, reason = "one arm a kind of act")]
    pub fn apply(&mut self, index: usize, who: Who, doing: &Doing, stock_gone: bool) {
        let mut order = self.orders[index].clone();
        let before = order.status;
        match doing {
            Doing::Captured(capture) => self.captured(&mut order, capture),
            Doing::NotCaptured { attempt, what } => {
                let at = order.attempts.iter().position(|row| row.id.is_some() && row.id == *attempt);
                let open = at.filter(|at| order.attempts[*at].status == "created" && before == Status::Pending);
                match (open, *what) {
                    (Some(at), "failed") => {
                        order.attempts[at].status = "failed";
                        self.release(&mut order);
                        order.hop(Status::Cancelled, &["payment_failed", "order_cancelled"]);
                    }
                    (Some(_), "unknown") => order.hop(before, &["payment_unknown"]),
                    _ => {}
                }
            }
            Doing::Lines { lines, done } => {
                for line in order.lines.iter_mut().filter(|line| lines.contains(&line.id)) {
                    line.done = if *done { line.open() } else { 0 };
                }
                order.hop(before, if *done { &["item_done"] } else { &["item_undone"] });
            }
            Doing::Bump { station, .. } => match before {
                Status::Confirmed => self.start(&mut order),
                _ => {
                    let mut any = false;
                    for line in &mut order.lines {
                        if (station.is_none() || line.station == *station) && line.undone() {
                            line.done = line.open();
                            any = true;
                        }
                    }
                    if any {
                        order.hop(before, &["item_done"]);
                    }
                    if order.lines.iter().all(|line| !line.undone()) {
                        order.hop(Status::Ready, &["order_ready"]);
                    }
                }
            },
            Doing::Cash { .. } => self.cash(&mut order),
            Doing::CashAtDoor { .. } => {
                self.cash(&mut order);
                order.courier = None;
                order.hop(Status::Completed, &["delivery_completed", "order_completed"]);
            }
            Doing::Parts { parts, refund, .. } => {
                let mut back = parts.clone();
                for line in order.lines.iter().filter(|line| line.open() > 0) {
                    let named: i64 = parts.iter().filter(|part| part.0 == line.id).map(|part| part.1).sum();
                    let rest = line.left().min(line.open()) - named;
                    if rest > 0 {
                        back.push((line.id, rest, false));
                    }
                }
                let wasted = back.iter().any(|part| !part.2);
                self.give_back(&mut order, &back);
                match (refund, order.paying()) {
                    (None, _) => order.refund_all(),
                    (Some(amount), Some(paying)) => order.refund(paying, *amount),
                    _ => {}
                }
                order.courier = None;
                order.hop(Status::Cancelled, &["order_cancelled"]);
                if wasted {
                    order.emits.push("stock_wasted");
                }
            }
            Doing::VoidLine { part, .. } => {
                self.give_back(&mut order, std::slice::from_ref(part));
                let paying = order.paying();
                if let Some(line) = order.lines.iter_mut().find(|line| line.id == part.0) {
                    let until = |units: i64| i128::from(line.share) * i128::from(units) / i128::from(line.quantity);
                    let share = i64::try_from(until(line.voided + part.1) - until(line.voided)).unwrap_or(0);
                    line.voided += part.1;
                    line.done = line.done.min(line.open());
                    order.due -= share;
                    if let Some(paying) = paying {
                        order.refund(paying, share.min(order.refundable(paying)));
                    }
                }
                order.hop(before, &["line_voided"]);
            }
            Doing::Refund { amount, parts } => {
                self.give_back(&mut order, parts);
                let room = |at: &usize| order.refundable(*at) >= *amount;
                let at = order.paying().filter(room).or_else(|| (0..order.attempts.len()).find(room));
                if let Some(at) = at {
                    order.refund(at, *amount);
                }
                order.hop(before, &["payment_refund_started"]);
            }
            Doing::Settle { refund, how } => {
                if let Some(row) = order.refunds.iter_mut().find(|row| row.id.is_some() && row.id == *refund) {
                    row.status = if *how == "failed" { "failed" } else { "settled" };
                    if *how == "drawer" {
                        self.drawer = self.drawer.map(|balance| balance - row.amount);
                    }
                }
                order.hop(before, if *how == "failed" { &["refund_failed"] } else { &["payment_refunded"] });
            }
            Doing::Act(act) => self.act(&mut order, who, *act, stock_gone),
        }
        if before == Status::Pending && order.status != before {
            let state = if order.is_dropped() { "open" } else { "consumed" };
            self.carts[order.cart].state = state;
        }
        self.orders[index] = order;
    }

    fn act(&mut self, order: &mut Order, who: Who, act: Act, stock_gone: bool) {
        let before = order.status;
        match act {
            Act::StartPayment if stock_gone => {
                self.release(order);
                order.attempt("none", "failed", 0);
                order.hop(Status::Cancelled, &["payment_failed", "order_cancelled"]);
            }
            Act::StartPayment => {
                self.retake(order);
                order.attempt(order.method.as_str(), "created", order.due);
                order.hop(before, &["payment_started"]);
            }
            Act::Extend => {
                order.extended = true;
                order.hop(before, &["hold_extended"]);
            }
            Act::Cancel { .. } => {
                self.by_reservation(order);
                if order.paid() {
                    order.refund_all();
                }
                order.courier = None;
                order.hop(Status::Cancelled, &["order_cancelled"]);
            }
            Act::Accept => order.hop(Status::Confirmed, &["order_confirmed", "estimated_time"]),
            Act::Reject { .. } | Act::Timer(Clocked::AcceptTimeout) => {
                self.by_reservation(order);
                order.refund_all();
                order.hop(Status::Rejected, &["order_rejected"]);
            }
            Act::StaffCancel { .. } => {
                self.by_reservation(order);
                order.refund_all();
                order.courier = None;
                order.hop(Status::Cancelled, &["order_cancelled"]);
            }
            Act::Start => self.start(order),
            Act::Ready { .. } | Act::Timer(Clocked::AutoReady) => order.hop(Status::Ready, &["order_ready"]),
            Act::Recall => order.hop(Status::Preparing, &["order_recalled"]),
            Act::Undo { ready } => {
                if ready {
                    order.hop(Status::Preparing, &["order_recalled"]);
                }
                if order.lines.iter().any(|line| line.done > 0) {
                    order.lines.iter_mut().for_each(|line| line.done = 0);
                    order.hop(order.status, &["item_undone"]);
                }
            }
            Act::HandOver | Act::Close { .. } | Act::Timer(Clocked::CloseUncollected) => {
                order.hop(Status::Completed, &["order_completed"]);
            }
            Act::NoShow { .. } | Act::Timer(Clocked::NoShow) => {
                let rest: Vec<_> = order
                    .lines
                    .iter()
                    .map(|line| (line.id, line.left().min(line.open()), false))
                    .filter(|part| part.1 > 0)
                    .collect();
                self.give_back(order, &rest);
                order.courier = None;
                order.hop(Status::Cancelled, &["order_cancelled"]);
            }
            Act::Timer(Clocked::CashTimeout) => {
                self.release(order);
                order.courier = None;
                order.hop(Status::Cancelled, &["order_cancelled"]);
            }
            Act::Timer(Clocked::Expire) => {
                self.release(order);
                order.hop(Status::Expired, &["order_expired"]);
            }
            Act::Override { paid: true, .. } => {
                self.retake(order);
                self.commit(order);
                order.attempt("manual", "captured", order.due);
                order.hop(Status::Received, &["payment_completed", "order_received", "payment_overridden"]);
                self.accept_by_itself(order, true);
            }
            Act::Override { paid: false, .. } => {
                self.release(order);
                order.attempt("manual", "failed", order.due);
                order.hop(Status::Cancelled, &["payment_failed", "order_cancelled", "payment_overridden"]);
            }
            Act::Hold { .. } => {
                order.on_hold = true;
                order.hop(before, &["held"]);
            }
            Act::Release | Act::Timer(Clocked::ReleaseHold) => {
                order.on_hold = false;
                order.hop(before, &["released"]);
            }
            Act::Priority => order.hop(before, &["ticket_prioritised"]),
            Act::Note => order.hop(before, &[]),
            Act::Assign { courier } => {
                order.courier = Some((courier, false));
                order.hop(before, &["driver_assigned"]);
            }
            Act::CancelAssignment { .. } => {
                order.courier = None;
                order.failures += 1;
                order.hop(before, &["driver_cancelled"]);
                if order.failures >= self.settings.retry_max {
                    order.emits.push("assignment_escalated");
                }
            }
            Act::PickUp => {
                order.courier = order.courier.map(|(courier, _)| (courier, true));
                order.hop(Status::OutForDelivery, &["order_picked_up"]);
            }
            Act::Deliver => {
                order.courier = None;
                order.hop(Status::Completed, &["delivery_completed", "order_completed"]);
            }
            Act::Return { .. } => {
                order.courier = None;
                order.hop(Status::Ready, &["delivery_failed"]);
            }
            other => panic!("{who:?} {other:?} has no rule in the model"),
        }
    }

    fn captured(&mut self, order: &mut Order, capture: &Capture) {
        if !self.payments.insert(capture.payment.clone()) {
            return;
        }
        let right = capture.amount == order.due && capture.currency_matches;
        let open = match capture.attempt {
            Some(id) => order.attempts.iter().position(|row| row.id == Some(id) && row.status == "created"),
            None => order.open_attempt(),
        };
        if let (Status::Pending, true, Some(at)) = (order.status, right, open) {
            order.attempts[at].status = "captured";
            self.commit(order);
            order.hop(Status::Received, &["payment_completed", "order_received"]);
            self.accept_by_itself(order, true);
            return;
        }
        let mut to = order.status;
        if order.status == Status::Pending && !right {
            to = Status::Cancelled;
            if let Some(at) = order.open_attempt() {
                order.attempts[at].status = "failed";
            }
            self.release(order);
        }
        // What came goes back by the gateway that told it, whatever the order's method.
        let method = capture.gateway;
        order.attempts.push(Attempt { id: None, method, status: "captured", amount: capture.amount, stray: true });
        order.refund(order.attempts.len() - 1, capture.amount);
        order.hop(to, &["late_payment"]);
    }

    /// T10 by the house, in the same transaction.
    pub fn accept_by_itself(&self, order: &mut Order, paid: bool) {
        if self.settings.auto_accept == "all" || (self.settings.auto_accept == "prepaid" && paid) {
            order.hop(Status::Confirmed, &["order_confirmed", "estimated_time"]);
        }
    }

    fn cash(&mut self, order: &mut Order) {
        self.commit(order);
        let method = if order.due == 0 { "none" } else { "cash" };
        order.attempt(method, "captured", order.due);
        self.drawer = self.drawer.map(|balance| balance + order.due);
        order.hop(order.status, &["payment_completed"]);
        if order.status == Status::Received {
            self.accept_by_itself(order, true);
        }
    }

    fn start(&mut self, order: &mut Order) {
        if order.unpaid_cash() {
            self.commit(order);
        }
        order.hop(Status::Preparing, &["order_preparing"]);
    }

    fn stock(&mut self, code: &str) -> &mut Count {
        self.stock.get_mut(code).expect("a stock item of the model")
    }

    /// Gives free what is held.
    pub fn release(&mut self, order: &mut Order) {
        for (code, (held, quantity)) in &mut order.holds {
            if *held == Hold::Reserved {
                self.stock.get_mut(code).expect("stock").reserved -= *quantity;
                *held = Hold::Gone;
            }
        }
    }

    /// Takes what is held off the books.
    pub fn commit(&mut self, order: &mut Order) {
        for (code, (held, quantity)) in &mut order.holds {
            if *held == Hold::Reserved {
                let count = self.stock.get_mut(code).expect("stock");
                count.reserved -= *quantity;
                count.on_hand -= *quantity;
                *held = Hold::Committed;
            }
        }
    }

    /// Takes holds again that a recount released.
    fn retake(&mut self, order: &mut Order) {
        for (code, wanted) in wanted(order) {
            let hold = order.holds.entry(code).or_insert((Hold::Gone, 0));
            let missing = if hold.0 == Hold::Reserved { wanted - hold.1 } else { wanted };
            *hold = (Hold::Reserved, wanted);
            self.stock(code).reserved += missing;
        }
    }

    /// Whether the stock is there to take released holds again.
    pub fn can_retake(&self, order: &Order) -> bool {
        wanted(order).iter().all(|(code, wanted)| match order.holds.get(code) {
            Some((Hold::Reserved, quantity)) if quantity == wanted => true,
            Some((Hold::Reserved, quantity)) => self.free(code) >= wanted - quantity,
            _ => self.free(code) >= *wanted,
        })
    }

    /// What can be sold of a stock item.
    pub fn free(&self, code: &str) -> i64 {
        self.stock.get(code).map_or(0, |count| count.on_hand - count.reserved)
    }

    fn by_reservation(&mut self, order: &mut Order) {
        if order.holds_stock() {
            self.release(order);
        } else {
            let rest: Vec<_> = order
                .lines
                .iter()
                .map(|line| (line.id, line.left().min(line.open()), true))
                .filter(|part| part.1 > 0)
                .collect();
            if order.holds.values().any(|(held, _)| *held == Hold::Committed) {
                self.give_back(order, &rest);
            }
        }
    }

    /// Parts of lines: (line, units, whether they go back on the shelf).
    fn give_back(&mut self, order: &mut Order, parts: &[(LineId, i64, bool)]) {
        for (id, quantity, restock) in parts {
            let Some(line) = order.lines.iter_mut().find(|line| line.id == *id) else { continue };
            if *restock {
                line.restocked += quantity;
            } else {
                line.wasted += quantity;
            }
            for (code, units) in line.uses.clone() {
                let units = units * quantity;
                let Some(hold) = order.holds.get_mut(code) else { continue };
                let count = self.stock.get_mut(code).expect("stock");
                match (hold.0, restock) {
                    (Hold::Reserved, restock) => {
                        count.reserved -= units;
                        hold.1 -= units;
                        if !restock {
                            count.on_hand -= units;
                        }
                        if hold.1 == 0 {
                            hold.0 = Hold::Gone;
                        }
                    }
                    (Hold::Committed, true) => count.on_hand += units,
                    _ => {}
                }
            }
        }
    }

    /// Whether the view is the order as the model has it; then the ids of new rows are taken over.
    pub fn agrees(&mut self, index: usize, view: &OrderView) -> Result<(), String> {
        let order = &mut self.orders[index];
        let mut wrong = Vec::new();
        let mut say = |what: &str, model: String, house: String| {
            if model != house {
                wrong.push(format!("{what}: the model says {model}, the house {house}"));
            }
        };
        say("status", order.status.to_string(), view.status.to_string());
        say("version", order.version.to_string(), view.version.to_string());
        say("due", order.due.to_string(), view.due.0.to_string());
        say("paid", order.paid().to_string(), view.paid.to_string());
        say("extended", order.extended.to_string(), view.hold_extended.to_string());
        for (line, seen) in order.lines.iter().zip(&view.lines) {
            say(
                "line (voided, restocked, wasted, done)",
                format!("{:?}", (line.voided, line.restocked, line.wasted, line.done)),
                format!("{:?}", (seen.voided, seen.restocked, seen.wasted, seen.done)),
            );
        }
        let attempts = seen_attempts(view);
        let refunds = seen_refunds(view);
        let words = |rows: &[Attempt]| {
            let mut rows: Vec<String> =
                rows.iter().map(|a| format!("{} {} {} stray {}", a.method, a.status, a.amount, a.stray)).collect();
            rows.sort();
            rows.join(", ")
        };
        say("attempts", words(&order.attempts), words(&attempts));
        let words = |rows: &[Refund], of: &[Attempt]| {
            let mut rows: Vec<String> = rows
                .iter()
                .map(|r| {
                    let stray = of.get(r.attempt).is_some_and(|attempt| attempt.stray);
                    format!("{} {} {} of stray {stray}", r.method, r.amount, r.status)
                })
                .collect();
            rows.sort();
            rows.join(", ")
        };
        say("refunds", words(&order.refunds, &order.attempts), words(&refunds, &attempts));
        if wrong.is_empty() {
            (order.attempts, order.refunds) = (attempts, refunds);
            return Ok(());
        }
        Err(format!("{} disagrees: {}", view.order_number, wrong.join("; ")))
    }
}

fn seen_attempts(view: &OrderView) -> Vec<Attempt> {
    view.attempts
        .iter()
        .map(|row| Attempt {
            id: Some(row.id),
            method: row.method.as_str(),
            status: row.status.as_str(),
            amount: row.amount.0,
            stray: row.stray,
        })
        .collect()
}

fn seen_refunds(view: &OrderView) -> Vec<Refund> {
    view.refunds
        .iter()
        .map(|row| Refund {
            id: Some(row.id),
            method: row.method.as_str(),
            amount: row.amount.0,
            status: row.status.as_str(),
            attempt: view.attempts.iter().position(|attempt| attempt.id == row.attempt).unwrap_or(usize::MAX),
        })
        .collect()
}

/// What the open lines of an order use.
pub fn wanted(order: &Order) -> Uses {
    let mut wanted = Uses::new();
    for line in &order.lines {
        for (code, units) in &line.uses {
            *wanted.entry(code).or_default() += units * line.open();
        }
    }
    wanted.retain(|_, units| *units > 0);
    wanted
}
