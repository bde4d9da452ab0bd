//! What the kitchen's board asks to have done and what it is told: plain data, one variant per use
//! case of the service, so that the runner of effects only translates.

use crate::domain::error::Refused;
use crate::domain::ids::{LineId, OrderId, ShiftId, StationId};
use crate::domain::money::Money;
use crate::domain::order::{EventKind, LinePart, RefundChoice};
use crate::domain::time::Timestamp;
use crate::service::views::{AllDayView, KitchenView};
use crate::tui::app::RequestId;
use crate::tui::screens::person::{Person, PersonPin, Secret};

/// What Undo takes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undoing {
    /// These lines were marked done (T14): mark them undone.
    ItemsDone(Vec<LineId>),
    /// The order was marked ready (T15): recall it, and mark undone the lines that the same bump
    /// had marked done.
    MarkedReady(Vec<LineId>),
}

/// A step of one order. Each is one use case of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// T13, or T14 and then T15: the next step in the kitchen. With a station only the lines of that
    /// station, and those that belong to no station, are done; without one all of them.
    Bump {
        /// The station at which it was bumped.
        station: Option<StationId>,
    },
    /// T22.
    HandOver,
    /// Takes back the last step within five seconds.
    Undo {
        /// The step.
        what: Undoing,
    },
    /// T16.
    Recall,
    /// T10.
    Accept {
        /// Minutes until it is ready; the house's own estimate when none is given.
        eta_minutes: Option<i64>,
    },
    /// T11, from received.
    Reject {
        /// Why, for the customer.
        reason: String,
    },
    /// T23, from confirmed.
    StaffCancel {
        /// Why, for the customer.
        reason: String,
    },
    /// T24, from preparing and ready.
    Void {
        /// Why.
        reason: String,
        /// What becomes of each open line.
        lines: Vec<LinePart>,
        /// How much of the money goes back.
        refund: RefundChoice,
        /// The admin who lets it through, where the person at the board is none.
        override_pin: Option<PersonPin>,
    },
    /// T24b.
    VoidLine {
        /// The part that is taken off.
        part: LinePart,
        /// Why.
        reason: String,
        /// The admin who lets it through, where the person at the board is none.
        override_pin: Option<PersonPin>,
    },
    /// T21.
    ConfirmCash {
        /// What the customer handed over.
        tendered: Money,
    },
    /// T15 with open lines.
    ForceReady {
        /// Why.
        reason: String,
        /// The admin who lets it through, where the house asks for one.
        override_pin: Option<PersonPin>,
    },
    /// T31.
    SetPriority {
        /// Higher comes first; 0 is normal.
        priority: i64,
    },
    /// T31.
    Hold {
        /// Until when; none: until it is released.
        until: Option<Timestamp>,
    },
    /// T31.
    Release,
    /// T31.
    Note {
        /// The kitchen's note.
        note: String,
    },
}

/// What the board asks to have done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Read the tickets; answered by [`Msg::Kitchen`].
    LoadKitchen {
        /// Comes back with the answer.
        request: RequestId,
    },
    /// Read what is still to be made; answered by [`Msg::AllDay`].
    LoadAllDay {
        /// Comes back with the answer.
        request: RequestId,
    },
    /// Take a step of one order; answered by [`Msg::Acted`].
    Act {
        /// The order.
        order: OrderId,
        /// The version that was on the screen: where the order has moved since, the step is refused
        /// with `CONFLICT`.
        seen_version: i64,
        /// The step.
        act: Act,
        /// The idempotency key. A repeat after a lost answer carries the same one.
        key: String,
    },
    /// Open the till; answered by [`Msg::TillOpened`].
    OpenTill {
        /// What lies in the drawer at the start.
        float: Money,
        /// The idempotency key.
        key: String,
    },
    /// Ask what stands in the way of an event; answered by [`Msg::WhyNot`].
    WhyNot {
        /// The order.
        order: OrderId,
        /// The event.
        event: EventKind,
    },
    /// Sign in; answered by [`Msg::SignedIn`].
    SignIn {
        /// Who.
        username: String,
        /// The password.
        password: Secret,
    },
    /// Sign in somebody who has signed in here before; answered by [`Msg::SignedIn`].
    SignInPin {
        /// Who.
        username: String,
        /// The PIN.
        pin: Secret,
    },
    /// Sign out; answered by [`Msg::SignedOut`].
    SignOut,
}

/// How far a bump came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// T13: cooking has begun.
    Started,
    /// T14: this station is done, another is not.
    ItemsDone,
    /// T15: nothing is left, the order is ready.
    Ready,
}

/// What came of an [`Act`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// A bump.
    Bumped {
        /// How far it came.
        step: Step,
        /// The lines that it marked done, for Undo.
        lines: Vec<LineId>,
    },
    /// Cash was taken.
    CashTaken {
        /// What goes back to the customer.
        change: Money,
    },
}

/// What the board is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Msg {
    /// The tickets.
    Kitchen {
        /// The request that they answer.
        request: RequestId,
        /// The tickets, or why there are none.
        result: Result<KitchenView, Refused>,
    },
    /// The all-day counts.
    AllDay {
        /// The request that they answer.
        request: RequestId,
        /// The counts, or why there are none.
        result: Result<Vec<AllDayView>, Refused>,
    },
    /// The answer to a step.
    Acted {
        /// The key of the step.
        key: String,
        /// What came of it.
        result: Result<Outcome, Refused>,
    },
    /// The answer to opening the till.
    TillOpened(Result<ShiftId, Refused>),
    /// What stands in the way; nothing does where it is `None`.
    WhyNot {
        /// The order that was asked about.
        order: OrderId,
        /// The refusal that the event would meet, or why that cannot be said.
        result: Result<Option<Refused>, Refused>,
    },
    /// The answer to signing in.
    SignedIn(Result<Person, Refused>),
    /// The answer to signing out.
    SignedOut(Result<(), Refused>),
}
