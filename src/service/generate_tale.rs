//! The life of a generated order: which rows of the transition table it went through, when, by whom, and what was
//! told of it. What it was made of stands in `generate.rs`.

use crate::domain::order::Emit;
use crate::domain::time::{MICROS, Timestamp};
use uuid::Uuid;

/// From ready to handed over, in microseconds.
pub(super) const WAIT: i64 = 90 * MICROS;

/// How an order ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Completed,
    Refunded,
    PaymentFailed,
    Expired,
}

/// An order's life.
pub(super) struct Tale<'a> {
    pub id: Uuid,
    pub customer: Uuid,
    pub number: &'a str,
    pub method: &'static str,
    pub at: Timestamp,
    pub paid_at: Timestamp,
    pub started_at: Timestamp,
    pub ready_at: Timestamp,
    pub end: End,
}

/// A step of it.
pub(super) struct Chapter {
    pub transition: &'static str,
    pub to: &'static str,
    pub role: &'static str,
    pub after: Timestamp,
    pub emits: &'static [Emit],
    pub use_case: &'static str,
}

impl Tale<'_> {
    /// Its steps, in order.
    pub fn chapters(&self) -> Vec<Chapter> {
        use Emit as E;
        let step =
            |transition, to, role, after, emits, use_case| Chapter { transition, to, role, after, emits, use_case };
        let (at, paid, ready) = (self.at, self.paid_at, self.ready_at);
        let placed = step("T1", "pending", "customer", at, &[E::OrderCreated], "place_order");
        match self.end {
            End::Expired => {
                let late = at.plus_seconds(600);
                return vec![placed, step("T7", "expired", "system", late, &[E::OrderExpired], "run_timer")];
            }
            End::PaymentFailed => {
                let emits = &[E::PaymentFailed, E::OrderCancelled];
                return vec![placed, step("T4", "cancelled", "gateway", paid, emits, "apply_charge")];
            }
            End::Completed | End::Refunded => {}
        }
        let mut chapters = if self.method == "cash" {
            vec![
                step("T2", "received", "customer", at, &[E::OrderCreated, E::OrderReceived], "place_order"),
                step("T21", "received", "kitchen", paid, &[E::PaymentCompleted], "confirm_cash"),
            ]
        } else {
            let emits = &[E::PaymentCompleted, E::OrderReceived];
            vec![placed, step("T3", "received", "gateway", paid, emits, "apply_charge")]
        };
        let done = ready.plus_seconds(-1);
        let over = Timestamp(ready.0.saturating_add(WAIT));
        chapters.extend([
            step("T10", "confirmed", "system", paid, &[E::OrderConfirmed, E::EstimatedTime], "apply_charge"),
            step("T13", "preparing", "kitchen", self.started_at, &[E::OrderPreparing], "bump"),
            step("T14", "preparing", "kitchen", done, &[E::ItemDone], "bump"),
            step("T15", "ready", "kitchen", ready, &[E::OrderReady], "bump"),
            step("T22", "completed", "kitchen", over, &[E::OrderCompleted], "hand_over"),
        ]);
        if self.end == End::Refunded {
            let begun = over.plus_seconds(300);
            chapters.extend([
                step("T27", "completed", "admin", begun, &[E::PaymentRefundStarted], "refund_order"),
                step("T32", "completed", "gateway", begun.plus_seconds(60), &[E::PaymentRefunded], "settle_refund"),
            ]);
        }
        chapters
    }
}
