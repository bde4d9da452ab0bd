//! What a decision of the order machine consists of: the steps, what they mean for rows, and what they tell
//! the world. Words only: `decide.rs` chooses them, the service carries them out.

use super::{AssignmentStatus, Emit, EndReason, LinePart, Status};
use crate::domain::access::Role;
use crate::domain::ids::{AssignmentId, AttemptId, LineId, RefundId, StaffId};
use crate::domain::money::Money;
use crate::domain::payment::{AttemptMethod, AttemptStatus};
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// One step of the order: one history row, one rise of the version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hop {
    /// The row of the table.
    pub t: &'static str,
    /// Where the order was; `None` for ∅.
    pub from: Option<Status>,
    /// Where it is now.
    pub to: Status,
    /// Who took the step: the actor, or the house itself for an automatic accept.
    pub role: Role,
}

/// What a decision means for rows. The service carries them out in the lock order of the
/// specification; an effect that hits no row rolls the whole back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Reserve what the lines use, all or nothing.
    Reserve,
    /// Release whatever is held.
    ReleaseHeld,
    /// Commit whatever is held.
    CommitHeld,
    /// Take lapsed holds again; if that fails, T6 follows.
    Retake,
    /// Give back parts of lines: what is held is released (or wasted), what is committed is restocked
    /// (or wasted). Counts on the line.
    GiveBack(Vec<LinePart>),
    /// Take units off lines (`voided` rises) and lower the amount due.
    VoidUnits {
        /// The line.
        line: LineId,
        /// Units.
        quantity: i64,
        /// What the amount due falls by.
        share: Money,
    },
    /// Write an attempt row.
    NewAttempt {
        /// Its id; none: the service makes one.
        id: Option<AttemptId>,
        /// What it is made with.
        method: AttemptMethod,
        /// Where it stands.
        status: AttemptStatus,
        /// How much.
        amount: Money,
        /// Whether it is stray.
        stray: bool,
        /// The gateway's payment id, for captures.
        gateway_payment_id: Option<String>,
        /// Why, where a person or gateway said so.
        reason: Option<String>,
    },
    /// Settle an attempt that is open.
    SettleAttempt {
        /// The attempt.
        id: AttemptId,
        /// Captured or failed.
        status: AttemptStatus,
        /// The gateway's payment id, for captures.
        gateway_payment_id: Option<String>,
        /// Why it failed.
        reason: Option<String>,
        /// Given up without an answer.
        unresolved: bool,
    },
    /// The attempt has no answer yet.
    MarkUnknown {
        /// The attempt.
        id: AttemptId,
    },
    /// Write a pending refund.
    NewRefund {
        /// The attempt whose money goes back; none: the one written in this transition.
        attempt: Option<AttemptId>,
        /// How it goes back.
        method: AttemptMethod,
        /// How much.
        amount: Money,
        /// Why.
        reason: String,
    },
    /// A refund has arrived.
    SettleRefund {
        /// The refund.
        id: RefundId,
        /// Whether it came out of the drawer.
        from_drawer: bool,
    },
    /// A refund was refused.
    FailRefund {
        /// The refund.
        id: RefundId,
        /// Why.
        reason: String,
    },
    /// Cash into the drawer of the open shift.
    DrawerSale {
        /// How much stays in the drawer.
        amount: Money,
        /// What the customer handed over.
        tendered: Money,
    },
    /// The hold now lapses then.
    SetExpiry(Timestamp),
    /// The one extension is used.
    UseExtension,
    /// Ready in so many minutes.
    SetEstimate(i64),
    /// These lines are all done, or all undone.
    SetDone {
        /// The lines.
        lines: Vec<LineId>,
        /// Done or not.
        done: bool,
    },
    /// The order is on hold until then (none: until released).
    SetHold(Option<Timestamp>),
    /// Off hold.
    ClearHold,
    /// Higher comes first.
    SetPriority(i64),
    /// The kitchen's note.
    SetNote(String),
    /// A courier is named.
    NewAssignment(StaffId),
    /// The active assignment moves.
    SetAssignment {
        /// The assignment.
        id: AssignmentId,
        /// Where to.
        status: AssignmentStatus,
    },
    /// The slot's place is claimed: one row or a refusal.
    ClaimSlot,
    /// The slot's place and the promotion are free again.
    ReleaseClaims,
    /// The promotion is claimed.
    ClaimPromotion,
    /// The cart is used up.
    ConsumeCart,
    /// The cart is locked while the order is pending.
    LockCart,
    /// The cart is the customer's again.
    ReopenCart,
    /// The kitchen gets its tickets.
    OpenTickets,
    /// Nobody collected it.
    FlagUncollected,
    /// Money came that the order could not take.
    FlagLatePayment,
}

/// A decision: what happens to the order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Transition {
    /// The steps, in order: one, or two when the house accepts the order itself.
    pub hops: Vec<Hop>,
    /// Why the order ended, if it did.
    pub reason: Option<EndReason>,
    /// The reason in words, if one was given.
    pub reason_text: Option<String>,
    /// What it means for rows.
    pub effects: Vec<Effect>,
    /// What it tells the world, in this order.
    pub emits: Vec<Emit>,
}

impl Transition {
    /// Where the order stands after the last step.
    #[must_use]
    pub fn to(&self) -> Option<Status> {
        self.hops.last().map(|hop| hop.to)
    }
}
