//! The events of the order machine: what each carries, its name, and the reason given with it. What
//! an event does is said by the table and judged in `decide.rs`.

use super::Disposal;
use crate::domain::fulfilment::Fulfilment;
use crate::domain::ids::{AttemptId, LineId, RefundId, StaffId};
use crate::domain::money::Money;
use crate::domain::payment::Method;
use crate::domain::time::Timestamp;
use crate::words;
use serde::{Deserialize, Serialize};

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
    NoShow {
        /// Why.
        reason: String,
    },
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
            Self::NoShow { .. } => EventKind::NoShow,
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
            EventKind::NoShow => Self::NoShow { reason: reason() },
            EventKind::ConfirmCash => {
                Self::ConfirmCash { tendered: Money(i64::MAX), attempt: AttemptId(uuid::Uuid::nil()) }
            }
            EventKind::AssignCancel => Self::AssignCancel,
            EventKind::NoPickup => Self::NoPickup,
            EventKind::PickUp => Self::PickUp,
            EventKind::Deliver => Self::Deliver,
            EventKind::ReturnToStore => Self::ReturnToStore { reason: reason() },
            EventKind::SetPriority => Self::SetPriority { priority: 1 },
            EventKind::Hold => Self::Hold { until: None },
            EventKind::ReleaseHold => Self::ReleaseHold,
            EventKind::Note => Self::Note { note: reason() },
            EventKind::Refund => Self::Refund { amount: Money(1), lines: Vec::new(), reason: reason() },
            EventKind::AdminSetPaid => Self::AdminSetPaid { reason: reason(), attempt: AttemptId(uuid::Uuid::nil()) },
            EventKind::AdminSetFailed => {
                Self::AdminSetFailed { reason: reason(), attempt: AttemptId(uuid::Uuid::nil()) }
            }
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
            | Self::NoShow { reason }
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
