//! The transition table T1 to T33 of the specification, as data. One row here is one row there.
//!
//! What is not listed is `ILLEGAL_TRANSITION`. The README's diagram and the help screen's "why not?"
//! are made from this table; its oracle in `tests/fixtures/transitions.tsv` is not.

use super::{Emit, EndReason, EventKind, Guard, Selector, Status};
use crate::domain::access::Role;

use Emit as E;
use EventKind as K;
use Guard as G;
use Role as R;
use Status as S;

/// Where a row leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// The status stays.
    Same,
    /// The order moves.
    Status(Status),
    /// The order ends, for this reason.
    End(Status, EndReason),
}

/// The Stock column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stock {
    /// Nothing moves.
    Keep,
    /// Reserve all or nothing.
    Reserve,
    /// What is held is taken off the books.
    Commit,
    /// Commit, where it is still held (T21).
    CommitIfHeld,
    /// Commit, for unpaid cash (T13).
    CommitUnpaidCash,
    /// What is held is released.
    Release,
    /// Holds that lapsed are taken again (T5a).
    Retake,
    /// Held → release, committed → restock.
    ByReservation,
    /// As the actor says for each line, else waste (T24).
    PerLine,
    /// As the actor says for the lines named (T24b, T27).
    AsChosen,
    /// All of it is thrown away.
    Waste,
}

/// The Payment column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payment {
    /// Nothing moves.
    Keep,
    /// May record the first attempt (T1).
    MayRecordFirst,
    /// The attempt is captured (T3).
    Captured,
    /// An attempt with method `none`, captured 0 (T3b).
    NoneCaptured,
    /// The attempt failed (T4).
    Failed,
    /// The attempt has no answer (T5).
    Unknown,
    /// An attempt is created (T5a).
    Created,
    /// An attempt with method `none`, failed (T6).
    NoneFailed,
    /// An attempt by cash, captured; the drawer rises (T21).
    CashCaptured,
    /// A refund of all that was captured, if paid.
    RefundAll,
    /// A refund as chosen (T24).
    RefundChosen,
    /// A refund of the line's share, or a lower amount due (T24b).
    RefundLine,
    /// A refund of the amount named (T27).
    RefundAmount,
    /// A `manual` attempt, captured (T28).
    ManualCaptured,
    /// A `manual` attempt, failed (T28).
    ManualFailed,
    /// A stray capture with a refund of all of it (T29).
    Stray,
    /// The refund is settled (T32).
    RefundSettled,
    /// The refund failed (T32).
    RefundFailed,
    /// The refund is settled from the drawer (T33).
    RefundPaidOut,
}

/// The Role column: who may, and the guards that bind only that role.
pub type Roles = &'static [(Role, &'static [Guard])];

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The row's number in the specification.
    pub t: &'static str,
    /// The statuses it starts from; empty for ∅.
    pub from: &'static [Status],
    /// What else stands in the From column.
    pub when: &'static [Selector],
    /// The event.
    pub event: EventKind,
    /// Who may give it.
    pub roles: Roles,
    /// Whether the kitchen needs an admin's PIN (K+PIN).
    pub kitchen_needs_pin: bool,
    /// What must hold, in this order.
    pub guards: &'static [Guard],
    /// Where it leads.
    pub to: To,
    /// What happens to stock.
    pub stock: Stock,
    /// What happens to money.
    pub payment: Payment,
    /// What it tells the world.
    pub emits: &'static [Emit],
}

const NONE: &[Status] = &[];
const ANY: &[Status] = Status::ALL;
const PLACE: &[Guard] = &[
    G::CartNotEmpty,
    G::RestaurantOpen,
    G::SlotActive,
    G::SlotHasRoom,
    G::ItemsAvailable,
    G::FulfilmentEnabled,
    G::MethodEnabled,
    G::AddressGiven,
    G::PromoClaimable,
    G::StockReserved,
];
const COOKING: &[Status] = &[S::Confirmed, S::Preparing, S::Ready];

/// A row with nothing in the optional columns.
const BASE: Row = Row {
    t: "",
    from: NONE,
    when: &[],
    event: K::Duplicate,
    roles: &[],
    kitchen_needs_pin: false,
    guards: &[],
    to: To::Same,
    stock: Stock::Keep,
    payment: Payment::Keep,
    emits: &[],
};

/// The table.
pub const TABLE: &[Row] = &[
    Row {
        t: "T1",
        when: &[Selector::Prepaid],
        event: K::Place,
        roles: &[(R::Customer, &[]), (R::Kitchen, &[]), (R::Admin, &[])],
        guards: PLACE,
        to: To::Status(S::Pending),
        stock: Stock::Reserve,
        payment: Payment::MayRecordFirst,
        emits: &[E::OrderCreated],
        ..BASE
    },
    Row {
        t: "T2",
        when: &[Selector::Cash],
        event: K::Place,
        roles: &[(R::Customer, &[]), (R::Kitchen, &[]), (R::Admin, &[])],
        guards: PLACE,
        to: To::Status(S::Received),
        stock: Stock::Reserve,
        emits: &[E::OrderCreated, E::OrderReceived],
        ..BASE
    },
    Row {
        t: "T3",
        from: &[S::Pending],
        event: K::PaySuccess,
        roles: &[(R::Customer, &[G::Owner]), (R::System, &[]), (R::Gateway, &[])],
        guards: &[G::AttemptOpen, G::AmountMatches],
        to: To::Status(S::Received),
        stock: Stock::Commit,
        payment: Payment::Captured,
        emits: &[E::PaymentCompleted, E::OrderReceived],
        ..BASE
    },
    Row {
        t: "T3b",
        from: &[S::Pending],
        event: K::DueIsZero,
        roles: &[(R::System, &[])],
        guards: &[G::DueIsZero],
        to: To::Status(S::Received),
        stock: Stock::Commit,
        payment: Payment::NoneCaptured,
        emits: &[E::PaymentCompleted, E::OrderReceived],
        ..BASE
    },
    Row {
        t: "T4",
        from: &[S::Pending],
        event: K::PayFail,
        roles: &[(R::Gateway, &[]), (R::System, &[])],
        guards: &[G::AttemptOpen],
        to: To::End(S::Cancelled, EndReason::PaymentFailed),
        stock: Stock::Release,
        payment: Payment::Failed,
        emits: &[E::PaymentFailed, E::OrderCancelled],
        ..BASE
    },
    Row {
        t: "T5",
        from: &[S::Pending],
        event: K::PayUnknown,
        roles: &[(R::Gateway, &[]), (R::System, &[])],
        guards: &[G::AttemptOpen],
        payment: Payment::Unknown,
        emits: &[E::PaymentUnknown],
        ..BASE
    },
    Row {
        t: "T5a",
        from: &[S::Pending],
        event: K::PayStart,
        roles: &[(R::Customer, &[G::Owner]), (R::System, &[])],
        guards: &[G::NoAttemptOpenOrCaptured, G::NotExpired],
        stock: Stock::Retake,
        payment: Payment::Created,
        emits: &[E::PaymentStarted],
        ..BASE
    },
    Row {
        t: "T5b",
        from: &[S::Pending],
        event: K::ExtendHold,
        roles: &[(R::Customer, &[G::Owner])],
        guards: &[G::NotYetExtended, G::NoAttempt],
        emits: &[E::HoldExtended],
        ..BASE
    },
    Row {
        t: "T6",
        from: &[S::Pending],
        event: K::StockGone,
        roles: &[(R::System, &[])],
        guards: &[G::StockGone],
        to: To::End(S::Cancelled, EndReason::InsufficientStock),
        stock: Stock::Release,
        payment: Payment::NoneFailed,
        emits: &[E::PaymentFailed, E::OrderCancelled],
        ..BASE
    },
    Row {
        t: "T7",
        from: &[S::Pending],
        event: K::Expire,
        roles: &[(R::System, &[])],
        guards: &[G::ExpiryReached, G::NoAttemptOpen],
        to: To::Status(S::Expired),
        stock: Stock::Release,
        emits: &[E::OrderExpired],
        ..BASE
    },
    Row {
        t: "T8",
        from: &[S::Pending],
        event: K::Cancel,
        roles: &[(R::Customer, &[G::Owner]), (R::Admin, &[G::ReasonGiven])],
        guards: &[G::NoAttemptOpen],
        to: To::End(S::Cancelled, EndReason::Customer),
        stock: Stock::Release,
        emits: &[E::OrderCancelled],
        ..BASE
    },
    Row {
        t: "T9",
        from: &[S::Received],
        when: &[Selector::UnpaidCash],
        event: K::Cancel,
        roles: &[(R::Customer, &[G::Owner]), (R::Kitchen, &[G::ReasonGiven]), (R::Admin, &[G::ReasonGiven])],
        to: To::End(S::Cancelled, EndReason::Customer),
        stock: Stock::Release,
        emits: &[E::OrderCancelled],
        ..BASE
    },
    Row {
        t: "T9b",
        from: &[S::Received, S::Confirmed],
        when: &[Selector::Paid],
        event: K::Cancel,
        roles: &[(R::Customer, &[G::Owner])],
        guards: &[G::WithinCancelWindow],
        to: To::End(S::Cancelled, EndReason::Customer),
        stock: Stock::ByReservation,
        payment: Payment::RefundAll,
        emits: &[E::OrderCancelled],
        ..BASE
    },
    Row {
        t: "T10",
        from: &[S::Received],
        event: K::Accept,
        roles: &[(R::Kitchen, &[]), (R::Admin, &[]), (R::System, &[G::AutoAcceptCovers])],
        to: To::Status(S::Confirmed),
        emits: &[E::OrderConfirmed, E::EstimatedTime],
        ..BASE
    },
    Row {
        t: "T11",
        from: &[S::Received],
        event: K::Reject,
        roles: &[(R::Kitchen, &[]), (R::Admin, &[])],
        guards: &[G::ReasonGiven],
        to: To::End(S::Rejected, EndReason::Rejected),
        stock: Stock::ByReservation,
        payment: Payment::RefundAll,
        emits: &[E::OrderRejected],
        ..BASE
    },
    Row {
        t: "T12",
        from: &[S::Received],
        when: &[Selector::Paid],
        event: K::AcceptTimeout,
        roles: &[(R::System, &[])],
        guards: &[G::AcceptLimitReached, G::SiteOpen],
        to: To::End(S::Rejected, EndReason::AcceptTimeout),
        stock: Stock::ByReservation,
        payment: Payment::RefundAll,
        emits: &[E::OrderRejected],
        ..BASE
    },
    Row {
        t: "T12b",
        from: &[S::Received, S::Confirmed],
        when: &[Selector::UnpaidCash],
        event: K::CashTimeout,
        roles: &[(R::System, &[])],
        guards: &[G::IsPickupOrDineIn, G::CashWaitReached],
        to: To::End(S::Cancelled, EndReason::NoShow),
        stock: Stock::Release,
        emits: &[E::OrderCancelled],
        ..BASE
    },
    Row {
        t: "T13",
        from: &[S::Confirmed],
        event: K::StartPreparing,
        roles: &[(R::Kitchen, &[]), (R::Admin, &[])],
        guards: &[G::NotOnHold],
        to: To::Status(S::Preparing),
        stock: Stock::CommitUnpaidCash,
        emits: &[E::OrderPreparing],
        ..BASE
    },
    Row {
        t: "T14",
        from: &[S::Preparing],
        event: K::ItemDone,
        roles: &[(R::Kitchen, &[]), (R::Admin, &[])],
        guards: &[G::LineOpen],
        emits: &[E::ItemDone],
        ..BASE
    },
    Row {
        t: "T14",
        from: &[S::Preparing],
        event: K::ItemUndone,
        roles: &[(R::Kitchen, &[]), (R::Admin, &[])],
        guards: &[G::LineOpen],
        emits: &[E::ItemUndone],
        ..BASE
    },
    Row {
        t: "T15",
        from: &[S::Preparing],
        event: K::MarkReady,
        roles: &[(R::Kitchen, &[]), (R::Admin, &[]), (R::System, &[G::AutoReadyOn])],
        guards: &[G::AllLinesDone],
        to: To::Status(S::Ready),
        emits: &[E::OrderReady],
        ..BASE
    },
    Row {
        t: "T16",
        from: &[S::Ready],
        event: K::Recall,
        roles: &[(R::Kitchen, &[]), (R::Admin, &[])],
        guards: &[G::NotPickedUp, G::WithinRecallWindow],
        to: To::Status(S::Preparing),
        emits: &[E::OrderRecalled],
        ..BASE
    },
    Row {
        t: "T17",
        from: COOKING,
        event: K::Assign,
        roles: &[(R::Admin, &[]), (R::System, &[G::AutoAssignOn])],
        guards: &[G::IsDelivery, G::CourierActive, G::NoActiveAssignment],
        emits: &[E::DriverAssigned],
        ..BASE
    },
    Row {
        t: "T18",
        from: COOKING,
        event: K::AssignCancel,
        roles: &[(R::Delivery, &[G::Assignee]), (R::Admin, &[]), (R::System, &[])],
        guards: &[G::AssignmentAssigned],
        emits: &[E::DriverCancelled],
        ..BASE
    },
    Row {
        t: "T18",
        from: COOKING,
        event: K::NoPickup,
        roles: &[(R::Delivery, &[G::Assignee]), (R::Admin, &[]), (R::System, &[])],
        guards: &[G::AssignmentAssigned],
        emits: &[E::DriverCancelled],
        ..BASE
    },
    Row {
        t: "T19",
        from: &[S::Ready],
        event: K::PickUp,
        roles: &[(R::Delivery, &[G::Assignee]), (R::Admin, &[])],
        guards: &[G::IsDelivery, G::AssignmentAssigned],
        to: To::Status(S::OutForDelivery),
        emits: &[E::OrderPickedUp],
        ..BASE
    },
    Row {
        t: "T20",
        from: &[S::OutForDelivery],
        event: K::Deliver,
        roles: &[(R::Delivery, &[G::Assignee]), (R::Admin, &[])],
        guards: &[G::AssignmentPickedUp, G::Paid],
        to: To::Status(S::Completed),
        emits: &[E::DeliveryCompleted, E::OrderCompleted],
        ..BASE
    },
    Row {
        t: "T21",
        from: &[S::Received, S::Confirmed, S::Preparing, S::Ready, S::OutForDelivery],
        event: K::ConfirmCash,
        roles: &[(R::Kitchen, &[]), (R::Admin, &[]), (R::Delivery, &[G::Role, G::Assignee])],
        guards: &[G::IsCash, G::Unpaid, G::TillOpen, G::TenderedEnough],
        stock: Stock::CommitIfHeld,
        payment: Payment::CashCaptured,
        emits: &[E::PaymentCompleted],
        ..BASE
    },
    Row {
        t: "T22",
        from: &[S::Ready],
        event: K::HandOver,
        roles: &[(R::Kitchen, &[]), (R::Admin, &[])],
        guards: &[G::IsPickupOrDineIn, G::Paid],
        to: To::Status(S::Completed),
        emits: &[E::OrderCompleted],
        ..BASE
    },
    Row {
        t: "T22b",
        from: &[S::Ready],
        when: &[Selector::Paid],
        event: K::CloseUncollected,
        roles: &[(R::Admin, &[]), (R::System, &[G::BusinessDayOver])],
        guards: &[G::ReasonGiven, G::IsPickupOrDineIn],
        to: To::Status(S::Completed),
        emits: &[E::OrderCompleted],
        ..BASE
    },
    Row {
        t: "T23",
        from: &[S::Confirmed],
        event: K::StaffCancel,
        roles: &[(R::Kitchen, &[]), (R::Admin, &[])],
        guards: &[G::ReasonGiven],
        to: To::End(S::Cancelled, EndReason::Staff),
        stock: Stock::ByReservation,
        payment: Payment::RefundAll,
        emits: &[E::OrderCancelled],
        ..BASE
    },
    Row {
        t: "T24",
        from: &[S::Preparing, S::Ready],
        event: K::Void,
        roles: &[(R::Admin, &[]), (R::Kitchen, &[])],
        kitchen_needs_pin: true,
        guards: &[G::ReasonGiven, G::NotPickedUp, G::RefundWithinCaptured],
        to: To::End(S::Cancelled, EndReason::Void),
        stock: Stock::PerLine,
        payment: Payment::RefundChosen,
        emits: &[E::OrderCancelled, E::StockWasted],
        ..BASE
    },
    Row {
        t: "T24b",
        from: &[S::Received, S::Confirmed, S::Preparing, S::Ready],
        event: K::VoidLine,
        roles: &[(R::Admin, &[]), (R::Kitchen, &[])],
        kitchen_needs_pin: true,
        guards: &[G::ReasonGiven, G::NotLastOpenLine, G::LineOpen],
        stock: Stock::AsChosen,
        payment: Payment::RefundLine,
        emits: &[E::LineVoided],
        ..BASE
    },
    Row {
        t: "T25",
        from: &[S::Ready],
        when: &[Selector::Unpaid],
        event: K::NoShow,
        roles: &[(R::Admin, &[]), (R::System, &[G::WaitedNoShow, G::IsPickupOrDineIn])],
        guards: &[G::ReasonGiven],
        to: To::End(S::Cancelled, EndReason::NoShow),
        stock: Stock::Waste,
        emits: &[E::OrderCancelled],
        ..BASE
    },
    Row {
        t: "T26",
        from: &[S::OutForDelivery],
        event: K::ReturnToStore,
        roles: &[(R::Delivery, &[G::Assignee]), (R::Admin, &[])],
        guards: &[G::ReasonGiven, G::AssignmentPickedUp],
        to: To::Status(S::Ready),
        emits: &[E::DeliveryFailed],
        ..BASE
    },
    Row {
        t: "T27",
        from: ANY,
        when: &[Selector::CapturedExceedsRefunded],
        event: K::Refund,
        roles: &[(R::Admin, &[])],
        guards: &[G::ReasonGiven, G::RefundWithinCaptured],
        stock: Stock::AsChosen,
        payment: Payment::RefundAmount,
        emits: &[E::PaymentRefundStarted],
        ..BASE
    },
    Row {
        t: "T28",
        from: &[S::Pending],
        event: K::AdminSetPaid,
        roles: &[(R::Admin, &[])],
        guards: &[G::ReasonGiven, G::NoAttemptOpen],
        to: To::Status(S::Received),
        stock: Stock::Commit,
        payment: Payment::ManualCaptured,
        emits: &[E::PaymentCompleted, E::OrderReceived, E::PaymentOverridden],
        ..BASE
    },
    Row {
        t: "T28",
        from: &[S::Pending],
        event: K::AdminSetFailed,
        roles: &[(R::Admin, &[])],
        guards: &[G::ReasonGiven, G::NoAttemptOpen],
        to: To::End(S::Cancelled, EndReason::PaymentFailed),
        stock: Stock::Release,
        payment: Payment::ManualFailed,
        emits: &[E::PaymentFailed, E::OrderCancelled, E::PaymentOverridden],
        ..BASE
    },
    Row {
        t: "T29",
        from: &[S::Pending],
        when: &[Selector::WrongAmount],
        event: K::UnmatchedCapture,
        roles: &[(R::Gateway, &[]), (R::System, &[])],
        guards: &[G::SignatureValid, G::GatewayIdNew, G::T3CannotTakeIt],
        to: To::End(S::Cancelled, EndReason::PaymentFailed),
        stock: Stock::Release,
        payment: Payment::Stray,
        emits: &[E::LatePayment],
        ..BASE
    },
    Row {
        t: "T29",
        from: ANY,
        when: &[Selector::NotWrongAmount],
        event: K::UnmatchedCapture,
        roles: &[(R::Gateway, &[]), (R::System, &[])],
        guards: &[G::SignatureValid, G::GatewayIdNew, G::T3CannotTakeIt],
        payment: Payment::Stray,
        emits: &[E::LatePayment],
        ..BASE
    },
    Row {
        t: "T30",
        from: ANY,
        event: K::Duplicate,
        roles: &[
            (R::Customer, &[]),
            (R::Kitchen, &[]),
            (R::Delivery, &[]),
            (R::Admin, &[]),
            (R::System, &[]),
            (R::Gateway, &[]),
        ],
        ..BASE
    },
    Row {
        t: "T31",
        from: ANY,
        event: K::SetPriority,
        roles: &[(R::Kitchen, &[]), (R::Admin, &[])],
        guards: &[G::NotTerminal],
        emits: &[E::TicketPrioritised],
        ..BASE
    },
    Row {
        t: "T31",
        from: ANY,
        event: K::Hold,
        roles: &[(R::Kitchen, &[]), (R::Admin, &[])],
        guards: &[G::NotTerminal],
        emits: &[E::TicketHeld],
        ..BASE
    },
    Row {
        t: "T31",
        from: ANY,
        event: K::ReleaseHold,
        roles: &[(R::Kitchen, &[]), (R::Admin, &[]), (R::System, &[G::HoldOver])],
        guards: &[G::NotTerminal],
        emits: &[E::TicketReleased],
        ..BASE
    },
    Row {
        t: "T31",
        from: ANY,
        event: K::Note,
        roles: &[(R::Kitchen, &[]), (R::Admin, &[])],
        guards: &[G::NotTerminal],
        ..BASE
    },
    Row {
        t: "T32",
        from: ANY,
        event: K::RefundSettled,
        roles: &[(R::Gateway, &[]), (R::System, &[])],
        guards: &[G::RefundPending],
        payment: Payment::RefundSettled,
        emits: &[E::PaymentRefunded],
        ..BASE
    },
    Row {
        t: "T32",
        from: ANY,
        event: K::RefundFailed,
        roles: &[(R::Gateway, &[]), (R::System, &[])],
        guards: &[G::RefundPending],
        payment: Payment::RefundFailed,
        emits: &[E::RefundFailed],
        ..BASE
    },
    Row {
        t: "T33",
        from: ANY,
        event: K::PayOutCashRefund,
        roles: &[(R::Kitchen, &[]), (R::Admin, &[])],
        guards: &[G::RefundPending, G::IsCash, G::TillOpen, G::DrawerHolds],
        payment: Payment::RefundPaidOut,
        emits: &[E::PaymentRefunded],
        ..BASE
    },
];
