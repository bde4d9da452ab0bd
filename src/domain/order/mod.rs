//! The one state machine of an order: its words and its snapshot.
//!
//! `event.rs` names what may happen to it, `table.rs` holds the transition table T1 to T33 as data, `decide.rs` the one function that judges
//! an event against it, `effect.rs` the words of its decision, `view.rs` the words of the five source systems. Nothing here reads or writes
//! anything; what a decision means for rows is said by its [`Effect`]s and done by the service.

mod decide;
mod effect;
mod estimate;
mod event;
mod guard;
mod table;
#[cfg(test)]
mod tests;
mod view;

pub use decide::{decide, decide_with, why_not};
pub use effect::{Effect, Hop, Transition};
pub use estimate::{MOST_AHEAD, estimate_minutes};
pub use event::{Capture, Event, EventKind, LinePart, PlaceFacts, RefundChoice};
pub use guard::{Guard, Selector};
pub use table::{Payment, Roles, Row, Stock, TABLE, To};
pub use view::{Source, SourceView, view_as};

use super::fulfilment::Fulfilment;
use super::ids::{AssignmentId, CustomerId, LineId, OrderId, StaffId, StockItemId};
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

words!(
    /// Why a person has to see to an order.
    Attention, "attention" {
        /// A delivery that the kitchen has, and no courier.
        WithoutCourier = "without_courier",
        /// Paid and never collected (T22b).
        Uncollected = "uncollected",
        /// Money came that the order could not take (T29).
        LatePayment = "late_payment",
    }
);

/// Whether an order may be tried again by a new one (C3): it ended while it was pending (T4, T6, T7, T8),
/// which gave its cart back. `received_at` is when the kitchen could first see it.
#[must_use]
pub const fn may_be_tried_again(status: Status, received_at: Option<Timestamp>) -> bool {
    status.is_dropped() && received_at.is_none()
}

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
    /// What the drawer of the till shift that is open at the actor's terminal holds; none: no shift is
    /// open there.
    pub drawer: Option<Money>,
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

/// The method by which money taken with `taken` goes back: by the gateway that took it. Where none did (an
/// admin's override, T28), a person pays it out by hand, as with cash: no gateway knows of it.
#[must_use]
pub const fn refund_method(taken: AttemptMethod) -> AttemptMethod {
    match taken {
        AttemptMethod::Card => AttemptMethod::Card,
        AttemptMethod::Upi => AttemptMethod::Upi,
        AttemptMethod::Cash | AttemptMethod::Manual | AttemptMethod::None => AttemptMethod::Cash,
    }
}
