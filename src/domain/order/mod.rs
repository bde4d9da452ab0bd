//! The one state machine of an order: its words, its snapshot and its events.
//!
//! `table.rs` holds the transition table T1 to T33 as data, `decide.rs` the one function that judges
//! an event against it, `view.rs` the words of the five source systems. Nothing here reads or writes
//! anything; what a decision means for rows is said by its [`Effect`]s and done by the service.

mod decide;
mod estimate;
mod guard;
mod table;
mod view;

pub use decide::{Effect, Hop, Transition, decide, decide_with, why_not};
pub use estimate::estimate_minutes;
pub use guard::{Guard, Selector};
pub use table::{Payment, Roles, Row, Stock, TABLE, To};
pub use view::{Source, SourceView, view_as};

use super::fulfilment::Fulfilment;
use super::ids::{AssignmentId, AttemptId, CustomerId, LineId, OrderId, RefundId, StaffId, StockItemId};
use super::money::Money;
use super::payment::{
    Attempt, AttemptMethod, AttemptStatus, Method, PaymentStatus, Refund, RefundStatus, payment_status,
};
use super::time::Timestamp;
use crate::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words!(
    /// Where an order stands.
    Status, "status" {
        /// Prepaid and not yet paid; the hold on its stock runs. The kitchen does not see it.
        Pending = "pending",
        /// The kitchen may see it.
        Received = "received",
        /// Accepted.
        Confirmed = "confirmed",
        /// Being cooked.
        Preparing = "preparing",
        /// To be collected.
        Ready = "ready",
        /// With a courier.
        OutForDelivery = "out_for_delivery",
        /// In the customer's hands.
        Completed = "completed",
        /// Ended without food, for a reason that stands beside it.
        Cancelled = "cancelled",
        /// The kitchen said no.
        Rejected = "rejected",
        /// Not paid in time.
        Expired = "expired",
    }
);

impl Status {
    /// Whether nothing can follow.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Rejected | Self::Expired)
    }

    /// Whether the order ended without being handed over: it gives back its slot and its promotion.
    #[must_use]
    pub const fn is_dropped(self) -> bool {
        matches!(self, Self::Cancelled | Self::Rejected | Self::Expired)
    }
}

words!(
    /// Why an order ended as it did.
    EndReason, "reason" {
        /// The customer changed their mind.
        Customer = "customer",
        /// The payment failed.
        PaymentFailed = "payment_failed",
        /// Stock was gone when it came to paying.
        InsufficientStock = "insufficient_stock",
        /// The staff cancelled it.
        Staff = "staff",
        /// Nobody came.
        NoShow = "no_show",
        /// Voided after cooking had begun.
        Void = "void",
        /// The kitchen rejected it.
        Rejected = "rejected",
        /// The kitchen did not answer in time.
        AcceptTimeout = "accept_timeout",
    }
);

words!(
    /// Where a delivery assignment stands.
    AssignmentStatus, "assignment status" {
        /// A courier is named.
        Assigned = "assigned",
        /// The courier has the food.
        PickedUp = "picked_up",
        /// Delivered.
        Delivered = "delivered",
        /// Taken back; kept as history.
        Cancelled = "cancelled",
    }
);

words!(
    /// What becomes of food that is not sold after all.
    Disposal, "disposal" {
        /// Back on the shelf.
        Restock = "restock",
        /// Thrown away.
        Waste = "waste",
    }
);

words!(
    /// The facts that a transition tells the world: one outbox row each, in this order.
    Emit, "event" {
        /// T1, T2.
        OrderCreated = "order_created",
        /// The kitchen may see it.
        OrderReceived = "order_received",
        /// Money captured.
        PaymentCompleted = "payment_completed",
        /// Money refused.
        PaymentFailed = "payment_failed",
        /// The gateway did not answer.
        PaymentUnknown = "payment_unknown",
        /// A later attempt began.
        PaymentStarted = "payment_started",
        /// An admin set the payment by hand.
        PaymentOverridden = "payment_overridden",
        /// The hold was extended.
        HoldExtended = "hold_extended",
        /// Cancelled.
        OrderCancelled = "order_cancelled",
        /// Not paid in time.
        OrderExpired = "order_expired",
        /// Accepted.
        OrderConfirmed = "order_confirmed",
        /// When it will be ready.
        EstimatedTime = "estimated_time",
        /// The kitchen said no.
        OrderRejected = "order_rejected",
        /// Cooking has begun.
        OrderPreparing = "order_preparing",
        /// A line is done.
        ItemDone = "item_done",
        /// A line is not done after all.
        ItemUndone = "item_undone",
        /// To be collected.
        OrderReady = "order_ready",
        /// Back to the kitchen.
        OrderRecalled = "order_recalled",
        /// A courier is named.
        DriverAssigned = "driver_assigned",
        /// The courier is off.
        DriverCancelled = "driver_cancelled",
        /// Too many couriers did not come.
        AssignmentEscalated = "assignment_escalated",
        /// With the courier.
        OrderPickedUp = "order_picked_up",
        /// At the door.
        DeliveryCompleted = "delivery_completed",
        /// Back at the store.
        DeliveryFailed = "delivery_failed",
        /// Handed over.
        OrderCompleted = "order_completed",
        /// Food thrown away.
        StockWasted = "stock_wasted",
        /// A part of a line taken off.
        LineVoided = "line_voided",
        /// A refund was written.
        PaymentRefundStarted = "payment_refund_started",
        /// A refund was settled.
        PaymentRefunded = "payment_refunded",
        /// A refund was refused.
        RefundFailed = "refund_failed",
        /// A capture that no order could take.
        LatePayment = "late_payment",
        /// Moved up.
        TicketPrioritised = "ticket_prioritised",
        /// Put on hold.
        TicketHeld = "held",
        /// Off hold.
        TicketReleased = "released",
    }
);

/// A line of an order, as the guards and effects need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its identity.
    pub id: LineId,
    /// Units ordered.
    pub quantity: i64,
    /// Units taken off after ordering.
    pub voided: i64,
    /// Units put back on the shelf.
    pub restocked: i64,
    /// Units thrown away.
    pub wasted: i64,
    /// Units that the kitchen has finished.
    pub done: i64,
    /// The line's share of the total with discount and tax, for all units.
    pub total_share: Money,
    /// What one unit of this line uses of each stock item, as it was at Place.
    pub uses: Vec<(StockItemId, i64)>,
}

impl Line {
    /// Units that are still wanted.
    #[must_use]
    pub const fn open_quantity(&self) -> i64 {
        self.quantity.saturating_sub(self.voided)
    }

    /// Whether the kitchen still has work on this line.
    #[must_use]
    pub const fn is_undone(&self) -> bool {
        self.done < self.open_quantity()
    }
}

words!(
    /// Where the stock of an order stands.
    HoldState, "hold state" {
        /// Reserved, still on hand.
        Held = "held",
        /// Taken off the books.
        Committed = "committed",
        /// Given back.
        Released = "released",
        /// Thrown away before it was committed.
        Wasted = "wasted",
    }
);

/// A reservation row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The stock item.
    pub stock_item: StockItemId,
    /// Units.
    pub quantity: i64,
    /// Where it stands.
    pub state: HoldState,
}

/// The active delivery assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Its identity.
    pub id: AssignmentId,
    /// The courier.
    pub staff: StaffId,
    /// Where it stands.
    pub status: AssignmentStatus,
}

/// All that the guards may look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Snapshot {
    /// There is no order yet (∅).
    None,
    /// The order as it stands.
    Order(Box<OrderSnapshot>),
}

/// An order as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderSnapshot {
    /// Its identity.
    pub id: OrderId,
    /// Where it stands.
    pub status: Status,
    /// Rises by one with every move.
    pub version: i64,
    /// How it reaches the customer.
    pub fulfilment: Fulfilment,
    /// How it is to be paid.
    pub method: Method,
    /// Whose it is.
    pub owner: CustomerId,
    /// The amount due: total minus what voided lines took off.
    pub due: Money,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// When the kitchen could first see it.
    pub received_at: Option<Timestamp>,
    /// When it became ready.
    pub ready_at: Option<Timestamp>,
    /// When it was paid.
    pub captured_at: Option<Timestamp>,
    /// When the hold lapses (pending only).
    pub expires_at: Option<Timestamp>,
    /// Whether the one extension was used.
    pub hold_extended: bool,
    /// On hold in the kitchen until this instant; `Timestamp(i64::MAX)` means until released.
    pub on_hold_until: Option<Timestamp>,
    /// How long the kitchen needs, in minutes: the estimate for an automatic accept.
    pub estimate_minutes: i64,
    /// The order date is over (business day of the site).
    pub business_day_over: bool,
    /// Whether a till shift is open at the actor's terminal.
    pub till_open: bool,
    /// The lines.
    pub lines: Vec<Line>,
    /// The attempts.
    pub attempts: Vec<Attempt>,
    /// The refunds.
    pub refunds: Vec<Refund>,
    /// The reservations.
    pub reservations: Vec<Reservation>,
    /// The active assignment.
    pub assignment: Option<Assignment>,
    /// Assignments that came to nothing so far.
    pub failed_assignments: i64,
}

impl OrderSnapshot {
    /// Whether the order is paid: a captured attempt that is not stray. Its amount was the amount due
    /// when it was captured (guard `amount_matches`), whatever was voided or refunded since.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        self.attempts.iter().any(Attempt::pays)
    }

    /// The computed payment status.
    #[must_use]
    pub fn payment_status(&self) -> PaymentStatus {
        payment_status(&self.attempts, &self.refunds)
    }

    /// The attempt that may still be answered.
    #[must_use]
    pub fn open_attempt(&self) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.is_open())
    }

    /// The attempt that pays the order.
    #[must_use]
    pub fn paying_attempt(&self) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.pays())
    }

    /// What was captured for this order, strays included.
    #[must_use]
    pub fn captured_total(&self) -> i64 {
        self.attempts
            .iter()
            .filter(|attempt| attempt.status == AttemptStatus::Captured)
            .fold(0, |sum, attempt| sum.saturating_add(attempt.amount.0))
    }

    /// What was given back and has arrived.
    #[must_use]
    pub fn settled_total(&self) -> i64 {
        self.refunds
            .iter()
            .filter(|refund| refund.status == RefundStatus::Settled)
            .fold(0, |sum, refund| sum.saturating_add(refund.amount.0))
    }

    /// What of one attempt may still be refunded: captured minus refunds that are pending or settled.
    #[must_use]
    pub fn refundable(&self, attempt: &Attempt) -> Money {
        if attempt.status != AttemptStatus::Captured {
            return Money::ZERO;
        }
        let taken = self
            .refunds
            .iter()
            .filter(|refund| refund.attempt == attempt.id && refund.status != RefundStatus::Failed)
            .fold(0_i64, |sum, refund| sum.saturating_add(refund.amount.0));
        Money(attempt.amount.0.saturating_sub(taken).max(0))
    }

    /// The reservations that are still held.
    pub fn held(&self) -> impl Iterator<Item = &Reservation> {
        self.reservations.iter().filter(|reservation| reservation.state == HoldState::Held)
    }

    /// Whether any stock of this order is still held.
    #[must_use]
    pub fn holds_stock(&self) -> bool {
        self.held().next().is_some()
    }

    /// What the open lines use and no reservation holds any more: a recount released it, or it was
    /// given back. An item that was never reserved was not counted when it was sold.
    #[must_use]
    pub fn lapsed(&self) -> BTreeMap<StockItemId, i64> {
        let mut wanted: BTreeMap<StockItemId, i64> = BTreeMap::new();
        for line in self.open_lines() {
            for (item, units) in &line.uses {
                let sum = wanted.entry(*item).or_default();
                *sum = sum.saturating_add(units.saturating_mul(line.open_quantity()));
            }
        }
        wanted.retain(|item, quantity| {
            let known = self.reservations.iter().any(|row| row.stock_item == *item);
            let held = self.held().filter(|row| row.stock_item == *item).map(|row| row.quantity);
            *quantity = quantity.saturating_sub(held.fold(0, i64::saturating_add));
            known && *quantity > 0
        });
        wanted
    }

    /// The lines that are still wanted, with their open quantities.
    pub fn open_lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.open_quantity() > 0)
    }

    /// One line.
    #[must_use]
    pub fn line(&self, id: LineId) -> Option<&Line> {
        self.lines.iter().find(|line| line.id == id)
    }
}

/// What Place found in the store: the facts that its guards judge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlaceFacts {
    /// How it is to be paid.
    pub method: Method,
    /// How it reaches the customer.
    pub fulfilment: Fulfilment,
    /// Lines in the cart.
    pub lines: usize,
    /// The total of the quote.
    pub due: Money,
    /// The master switch.
    pub restaurant_open: bool,
    /// Whether a time slot is running.
    pub slot_active: bool,
    /// Whether the slot still had room when it was looked at; the claim itself decides.
    pub slot_has_room: bool,
    /// Items that cannot be ordered now, in words.
    pub unavailable: Vec<String>,
    /// Whether this fulfilment is offered.
    pub fulfilment_enabled: bool,
    /// Whether this method is offered.
    pub method_enabled: bool,
    /// Whether an address is given.
    pub address_given: bool,
    /// Whether the promotion, if any, can be claimed.
    pub promo_claimable: bool,
    /// Whether stock sufficed when it was looked at; the reservation itself decides.
    pub stock_suffices: bool,
    /// "Pay now": the first attempt is recorded in the same transaction.
    pub first_attempt: Option<AttemptId>,
    /// When a hold of a pending order lapses.
    pub expires_at: Option<Timestamp>,
    /// How long the kitchen needs, in minutes.
    pub estimate_minutes: i64,
}

/// What a capture that came from the gateway says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// The attempt it answers, where the gateway names one of ours.
    pub attempt: Option<AttemptId>,
    /// The amount taken.
    pub amount: Money,
    /// How the gateway that told it takes money: the way by which a stray capture goes back.
    pub taken_by: Method,
    /// Whether its currency is the order's.
    pub currency_matches: bool,
    /// The gateway's own id of the payment.
    pub gateway_payment_id: String,
    /// Whether the message is signed with our secret.
    pub signature_valid: bool,
    /// Whether this gateway id was never seen before.
    pub id_is_new: bool,
}

/// How much of the money a void gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundChoice {
    /// All that was captured and not yet refunded.
    Full,
    /// This much.
    Amount(Money),
    /// Nothing.
    Nothing,
}

/// A part of a line and what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinePart {
    /// The line.
    pub line: LineId,
    /// Units.
    pub quantity: i64,
    /// What becomes of them.
    pub disposal: Disposal,
}

/// An event of the table, with what it carries. Texts are clean already.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// T1, T2.
    Place(Box<PlaceFacts>),
    /// T3.
    PaySuccess(Capture),
    /// T3b.
    DueIsZero,
    /// T4.
    PayFail {
        /// The attempt that failed.
        attempt: AttemptId,
        /// Why, for the customer.
        reason: String,
        /// Given up without an answer.
        unresolved: bool,
    },
    /// T5.
    PayUnknown {
        /// The attempt without an answer.
        attempt: AttemptId,
    },
    /// T5a.
    PayStart {
        /// The attempt to write.
        attempt: AttemptId,
    },
    /// T5b.
    ExtendHold,
    /// T6.
    StockGone,
    /// T7.
    Expire,
    /// T8, T9, T9b.
    Cancel {
        /// In the customer's or staff's words; may be empty.
        reason: String,
    },
    /// T10.
    Accept {
        /// Minutes until it is ready; the estimate when none is given.
        eta_minutes: Option<i64>,
    },
    /// T11.
    Reject {
        /// Why.
        reason: String,
    },
    /// T12.
    AcceptTimeout {
        /// Whether the site takes orders now.
        site_open: bool,
    },
    /// T12b.
    CashTimeout,
    /// T13.
    StartPreparing,
    /// T14.
    ItemDone {
        /// The lines that are done.
        lines: Vec<LineId>,
    },
    /// T14.
    ItemUndone {
        /// The lines that are not.
        lines: Vec<LineId>,
    },
    /// T15.
    MarkReady {
        /// The reason for forcing it with open lines.
        forced: Option<String>,
    },
    /// T16.
    Recall,
    /// T17.
    Assign {
        /// The courier.
        staff: StaffId,
        /// Whether that person is active and a courier.
        is_active_courier: bool,
    },
    /// T18.
    AssignCancel,
    /// T18.
    NoPickup,
    /// T19.
    PickUp,
    /// T20.
    Deliver,
    /// T21.
    ConfirmCash {
        /// What the customer handed over.
        tendered: Money,
        /// The attempt to write.
        attempt: AttemptId,
    },
    /// T22.
    HandOver,
    /// T22b.
    CloseUncollected {
        /// Why.
        reason: String,
    },
    /// T23.
    StaffCancel {
        /// Why.
        reason: String,
    },
    /// T24.
    Void {
        /// Why.
        reason: String,
        /// What becomes of lines that are not to be wasted.
        lines: Vec<LinePart>,
        /// How much of the money goes back.
        refund: RefundChoice,
    },
    /// T24b.
    VoidLine {
        /// The part taken off.
        part: LinePart,
        /// Why.
        reason: String,
    },
    /// T25.
    NoShow,
    /// T26.
    ReturnToStore {
        /// Why.
        reason: String,
    },
    /// T27.
    Refund {
        /// How much.
        amount: Money,
        /// Lines that go back or are thrown away with it.
        lines: Vec<LinePart>,
        /// Why.
        reason: String,
    },
    /// T28.
    AdminSetPaid {
        /// Why.
        reason: String,
        /// The attempt to write.
        attempt: AttemptId,
    },
    /// T28.
    AdminSetFailed {
        /// Why.
        reason: String,
        /// The attempt to write.
        attempt: AttemptId,
    },
    /// T29.
    UnmatchedCapture {
        /// What the gateway says.
        capture: Capture,
        /// The attempt row to record it in.
        attempt: AttemptId,
    },
    /// T30.
    Duplicate,
    /// T31.
    SetPriority {
        /// Higher comes first; 0 is normal.
        priority: i64,
    },
    /// T31.
    Hold {
        /// Until when; none: until released.
        until: Option<Timestamp>,
    },
    /// T31.
    ReleaseHold,
    /// T31.
    Note {
        /// The kitchen's note.
        note: String,
    },
    /// T32.
    RefundSettled {
        /// The refund.
        refund: RefundId,
    },
    /// T32.
    RefundFailed {
        /// The refund.
        refund: RefundId,
        /// What the gateway said.
        reason: String,
    },
    /// T33.
    PayOutCashRefund {
        /// The refund.
        refund: RefundId,
    },
}

words!(
    /// The name of an event, without what it carries.
    EventKind, "event" {
        /// T1, T2.
        Place = "place",
        /// T3.
        PaySuccess = "pay_success",
        /// T3b.
        DueIsZero = "due_is_zero",
        /// T4.
        PayFail = "pay_fail",
        /// T5.
        PayUnknown = "pay_unknown",
        /// T5a.
        PayStart = "pay_start",
        /// T5b.
        ExtendHold = "extend_hold",
        /// T6.
        StockGone = "stock_gone",
        /// T7.
        Expire = "expire",
        /// T8, T9, T9b.
        Cancel = "cancel",
        /// T10.
        Accept = "accept",
        /// T11.
        Reject = "reject",
        /// T12.
        AcceptTimeout = "accept_timeout",
        /// T12b.
        CashTimeout = "cash_timeout",
        /// T13.
        StartPreparing = "start_preparing",
        /// T14.
        ItemDone = "item_done",
        /// T14.
        ItemUndone = "item_undone",
        /// T15.
        MarkReady = "mark_ready",
        /// T16.
        Recall = "recall",
        /// T17.
        Assign = "assign",
        /// T18.
        AssignCancel = "assign_cancel",
        /// T18.
        NoPickup = "no_pickup",
        /// T19.
        PickUp = "pick_up",
        /// T20.
        Deliver = "deliver",
        /// T21.
        ConfirmCash = "confirm_cash",
        /// T22.
        HandOver = "hand_over",
        /// T22b.
        CloseUncollected = "close_uncollected",
        /// T23.
        StaffCancel = "staff_cancel",
        /// T24.
        Void = "void",
        /// T24b.
        VoidLine = "void_line",
        /// T25.
        NoShow = "no_show",
        /// T26.
        ReturnToStore = "return_to_store",
        /// T27.
        Refund = "refund",
        /// T28.
        AdminSetPaid = "admin_set_paid",
        /// T28.
        AdminSetFailed = "admin_set_failed",
        /// T29.
        UnmatchedCapture = "unmatched_capture",
        /// T30.
        Duplicate = "duplicate",
        /// T31.
        SetPriority = "set_priority",
        /// T31.
        Hold = "hold",
        /// T31.
        ReleaseHold = "release_hold",
        /// T31.
        Note = "note",
        /// T32.
        RefundSettled = "refund_settled",
        /// T32.
        RefundFailed = "refund_failed",
        /// T33.
        PayOutCashRefund = "pay_out_cash_refund",
    }
);

impl Event {
    /// The name of the event.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::Place(_) => EventKind::Place,
            Self::PaySuccess(_) => EventKind::PaySuccess,
            Self::DueIsZero => EventKind::DueIsZero,
            Self::PayFail { .. } => EventKind::PayFail,
            Self::PayUnknown { .. } => EventKind::PayUnknown,
            Self::PayStart { .. } => EventKind::PayStart,
            Self::ExtendHold => EventKind::ExtendHold,
            Self::StockGone => EventKind::StockGone,
            Self::Expire => EventKind::Expire,
            Self::Cancel { .. } => EventKind::Cancel,
            Self::Accept { .. } => EventKind::Accept,
            Self::Reject { .. } => EventKind::Reject,
            Self::AcceptTimeout { .. } => EventKind::AcceptTimeout,
            Self::CashTimeout => EventKind::CashTimeout,
            Self::StartPreparing => EventKind::StartPreparing,
            Self::ItemDone { .. } => EventKind::ItemDone,
            Self::ItemUndone { .. } => EventKind::ItemUndone,
            Self::MarkReady { .. } => EventKind::MarkReady,
            Self::Recall => EventKind::Recall,
            Self::Assign { .. } => EventKind::Assign,
            Self::AssignCancel => EventKind::AssignCancel,
            Self::NoPickup => EventKind::NoPickup,
            Self::PickUp => EventKind::PickUp,
            Self::Deliver => EventKind::Deliver,
            Self::ConfirmCash { .. } => EventKind::ConfirmCash,
            Self::HandOver => EventKind::HandOver,
            Self::CloseUncollected { .. } => EventKind::CloseUncollected,
            Self::StaffCancel { .. } => EventKind::StaffCancel,
            Self::Void { .. } => EventKind::Void,
            Self::VoidLine { .. } => EventKind::VoidLine,
            Self::NoShow => EventKind::NoShow,
            Self::ReturnToStore { .. } => EventKind::ReturnToStore,
            Self::Refund { .. } => EventKind::Refund,
            Self::AdminSetPaid { .. } => EventKind::AdminSetPaid,
            Self::AdminSetFailed { .. } => EventKind::AdminSetFailed,
            Self::UnmatchedCapture { .. } => EventKind::UnmatchedCapture,
            Self::Duplicate => EventKind::Duplicate,
            Self::SetPriority { .. } => EventKind::SetPriority,
            Self::Hold { .. } => EventKind::Hold,
            Self::ReleaseHold => EventKind::ReleaseHold,
            Self::Note { .. } => EventKind::Note,
            Self::RefundSettled { .. } => EventKind::RefundSettled,
            Self::RefundFailed { .. } => EventKind::RefundFailed,
            Self::PayOutCashRefund { .. } => EventKind::PayOutCashRefund,
        }
    }

    /// The event as somebody at a board would give it, for "why not?": with a reason, enough cash and
    /// nothing odd. `None` for events that no person at a board gives.
    #[must_use]
    pub fn plain(kind: EventKind) -> Option<Self> {
        let reason = || "why not".to_owned();
        Some(match kind {
            EventKind::Cancel => Self::Cancel { reason: reason() },
            EventKind::Accept => Self::Accept { eta_minutes: None },
            EventKind::Reject => Self::Reject { reason: reason() },
            EventKind::StartPreparing => Self::StartPreparing,
            EventKind::MarkReady => Self::MarkReady { forced: None },
            EventKind::Recall => Self::Recall,
            EventKind::HandOver => Self::HandOver,
            EventKind::CloseUncollected => Self::CloseUncollected { reason: reason() },
            EventKind::StaffCancel => Self::StaffCancel { reason: reason() },
            EventKind::Void => Self::Void { reason: reason(), lines: Vec::new(), refund: RefundChoice::Full },
            EventKind::NoShow => Self::NoShow,
            EventKind::ConfirmCash => {
                Self::ConfirmCash { tendered: Money(i64::MAX), attempt: AttemptId(uuid::Uuid::nil()) }
            }
            EventKind::SetPriority => Self::SetPriority { priority: 1 },
            EventKind::Hold => Self::Hold { until: None },
            EventKind::ReleaseHold => Self::ReleaseHold,
            EventKind::Note => Self::Note { note: reason() },
            _ => return None,
        })
    }

    /// The reason that a person gave with the event, if it carries one.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Cancel { reason }
            | Self::Reject { reason }
            | Self::CloseUncollected { reason }
            | Self::StaffCancel { reason }
            | Self::Void { reason, .. }
            | Self::VoidLine { reason, .. }
            | Self::ReturnToStore { reason }
            | Self::Refund { reason, .. }
            | Self::AdminSetPaid { reason, .. }
            | Self::AdminSetFailed { reason, .. }
            | Self::PayFail { reason, .. }
            | Self::RefundFailed { reason, .. } => Some(reason.trim()),
            Self::MarkReady { forced } => forced.as_deref().map(str::trim),
            _ => None,
        }
    }
}

/// The method by which money taken with `method` goes back: by hand where no gateway took it.
#[must_use]
pub const fn refund_method(taken: AttemptMethod, order: Method) -> AttemptMethod {
    match taken {
        AttemptMethod::Manual | AttemptMethod::None => match order {
            Method::Card => AttemptMethod::Card,
            Method::Upi => AttemptMethod::Upi,
            Method::Cash => AttemptMethod::Cash,
        },
        other => other,
    }
}
