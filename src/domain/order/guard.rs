//! The guards and selectors of the transition table: their names, their words, and what each one
//! looks at. One guard, one question; nothing here decides what follows.

use super::{AssignmentStatus, Event, OrderSnapshot, Snapshot, Status};
use crate::domain::access::{Actor, Role};
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::fulfilment::Fulfilment;
use crate::domain::money::Money;
use crate::domain::payment::{AttemptMethod, AttemptStatus, Method, RefundStatus};
use crate::domain::settings::{AutoAccept, Settings};
use crate::domain::time::Timestamp;
use crate::words;

words!(
    /// A condition that stands in the From column beside the status: where it does not hold, the row
    /// is no row for this order at all.
    Selector, "selector" {
        /// Prepaid methods (T1).
        Prepaid = "prepaid",
        /// Cash (T2).
        Cash = "cash",
        /// Unpaid and cash (T9, T12b).
        UnpaidCash = "unpaid_cash",
        /// Paid (T9b, T12, T22b).
        Paid = "paid",
        /// Not paid (T25).
        Unpaid = "unpaid",
        /// More captured than settled back (T27).
        CapturedExceedsRefunded = "captured_exceeds_refunded",
        /// A capture of another amount or currency on a pending order (T29).
        WrongAmount = "wrong_amount",
        /// Any other capture (T29).
        NotWrongAmount = "not_wrong_amount",
    }
);

words!(
    /// A condition that must hold for a row to be taken.
    Guard, "guard" {
        /// The role column.
        Role = "role",
        /// A customer acts on own orders only.
        Owner = "owner",
        /// The cart has lines.
        CartNotEmpty = "cart_not_empty",
        /// The master switch is on.
        RestaurantOpen = "restaurant_open",
        /// A time slot is running.
        SlotActive = "slot_active",
        /// The slot's cap is not reached.
        SlotHasRoom = "slot_has_room",
        /// Every item exists, is available and in slot.
        ItemsAvailable = "items_available",
        /// The fulfilment is offered.
        FulfilmentEnabled = "fulfilment_enabled",
        /// The method is offered.
        MethodEnabled = "method_enabled",
        /// Deliveries have an address.
        AddressGiven = "address_given",
        /// The promotion can be claimed.
        PromoClaimable = "promo_claimable",
        /// All stock could be reserved.
        StockReserved = "stock_reserved",
        /// An attempt waits for its answer.
        AttemptOpen = "attempt_open",
        /// Amount and currency of the capture are those due.
        AmountMatches = "amount_matches",
        /// Nothing is to be paid.
        DueIsZero = "due_is_zero",
        /// No attempt is open, and none pays the order.
        NoAttemptOpenOrCaptured = "no_attempt_open_or_captured",
        /// The hold has not lapsed.
        NotExpired = "not_expired",
        /// The hold was not extended before.
        NotYetExtended = "not_yet_extended",
        /// No attempt was made.
        NoAttempt = "no_attempt",
        /// The hold has lapsed.
        ExpiryReached = "expiry_reached",
        /// No attempt is open.
        NoAttemptOpen = "no_attempt_open",
        /// The stock cannot be taken again.
        StockGone = "stock_gone",
        /// Within `customer_cancel_paid_seconds` of the capture.
        WithinCancelWindow = "within_cancel_window",
        /// The setting accepts this order by itself.
        AutoAcceptCovers = "auto_accept_covers",
        /// A reason is given.
        ReasonGiven = "reason_given",
        /// Nobody accepted in time.
        AcceptLimitReached = "accept_limit_reached",
        /// The site takes orders now.
        SiteOpen = "site_open",
        /// The customer did not come to the till in time.
        CashWaitReached = "cash_wait_reached",
        /// The ticket is not on hold.
        NotOnHold = "not_on_hold",
        /// The line still has open units of this kind.
        LineOpen = "line_open",
        /// Every open line is done, or it is forced with a reason.
        AllLinesDone = "all_lines_done",
        /// The setting marks orders ready.
        AutoReadyOn = "auto_ready_on",
        /// No courier has the food.
        NotPickedUp = "not_picked_up",
        /// Within `recall_window_seconds` of becoming ready.
        WithinRecallWindow = "within_recall_window",
        /// The order is a delivery.
        IsDelivery = "is_delivery",
        /// The person is active and a courier.
        CourierActive = "courier_active",
        /// No courier is named yet.
        NoActiveAssignment = "no_active_assignment",
        /// The setting picks couriers.
        AutoAssignOn = "auto_assign_on",
        /// A courier is named and has not picked up.
        AssignmentAssigned = "assignment_assigned",
        /// The courier has the food.
        AssignmentPickedUp = "assignment_picked_up",
        /// The courier acting is the one named.
        Assignee = "assignee",
        /// The order is paid.
        Paid = "paid",
        /// The order is to be paid in cash, or the refund goes back in cash.
        IsCash = "is_cash",
        /// The order is not paid.
        Unpaid = "unpaid",
        /// A till shift is open at this terminal.
        TillOpen = "till_open",
        /// The drawer holds what is to be paid out.
        DrawerHolds = "drawer_holds",
        /// The customer handed over enough.
        TenderedEnough = "tendered_enough",
        /// The order is collected or eaten here.
        IsPickupOrDineIn = "is_pickup_or_dine_in",
        /// The order's business day is over.
        BusinessDayOver = "business_day_over",
        /// Another open line remains.
        NotLastOpenLine = "not_last_open_line",
        /// `no_show_minutes` have passed.
        WaitedNoShow = "waited_no_show",
        /// The refunds do not exceed what was captured.
        RefundWithinCaptured = "refund_within_captured",
        /// The gateway's message is signed.
        SignatureValid = "signature_valid",
        /// The gateway's id was never seen.
        GatewayIdNew = "gateway_id_new",
        /// The order cannot take this capture.
        T3CannotTakeIt = "t3_cannot_take_it",
        /// The refund waits to be settled.
        RefundPending = "refund_pending",
        /// The hold's end has come.
        HoldOver = "hold_over",
        /// The order is not over.
        NotTerminal = "not_terminal",
    }
);

/// What a guard looks at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case<'a> {
    pub snapshot: &'a Snapshot,
    pub event: &'a Event,
    pub actor: &'a Actor,
    pub now: Timestamp,
    pub settings: &'a Settings,
}

impl Case<'_> {
    fn order(&self) -> Option<&OrderSnapshot> {
        match self.snapshot {
            Snapshot::Order(order) => Some(order),
            Snapshot::None => None,
        }
    }

    pub fn status(&self) -> Option<Status> {
        self.order().map(|order| order.status)
    }

    fn waited(&self, since: Option<Timestamp>, seconds: i64) -> bool {
        seconds > 0 && since.is_some_and(|since| self.now >= since.plus_seconds(seconds))
    }

    /// What the refund of a pay-out takes from the drawer.
    fn paid_out(&self, order: &OrderSnapshot) -> Option<Money> {
        match self.event {
            Event::PayOutCashRefund { refund } => {
                order.refunds.iter().find(|row| row.id == *refund).map(|row| row.amount)
            }
            _ => None,
        }
    }

    /// Whether a capture differs from what is due.
    fn wrong_amount(&self) -> bool {
        match (self.order(), self.event) {
            (Some(order), Event::UnmatchedCapture { capture, .. }) => {
                order.status == Status::Pending && (capture.amount != order.due || !capture.currency_matches)
            }
            _ => false,
        }
    }

    pub fn selects(&self, selector: Selector) -> bool {
        let method = match (self.snapshot, self.event) {
            (Snapshot::Order(order), _) => Some(order.method),
            (Snapshot::None, Event::Place(facts)) => Some(facts.method),
            _ => None,
        };
        let paid = self.order().is_some_and(OrderSnapshot::is_paid);
        match selector {
            Selector::Prepaid => method.is_some_and(Method::is_prepaid),
            Selector::Cash => method == Some(Method::Cash),
            Selector::UnpaidCash => !paid && method == Some(Method::Cash),
            Selector::Paid => paid,
            Selector::Unpaid => !paid,
            Selector::CapturedExceedsRefunded => {
                self.order().is_some_and(|order| order.captured_total() > order.settled_total())
            }
            Selector::WrongAmount => self.wrong_amount(),
            Selector::NotWrongAmount => !self.wrong_amount(),
        }
    }

    /// Whether the guard holds. Guards about an order do not hold where there is none.
    pub fn holds(&self, guard: Guard) -> bool {
        match (self.snapshot, self.event) {
            (Snapshot::None, Event::Place(facts)) => match guard {
                Guard::CartNotEmpty => facts.lines > 0,
                Guard::RestaurantOpen => facts.restaurant_open,
                Guard::SlotActive => facts.slot_active,
                Guard::SlotHasRoom => facts.slot_has_room,
                Guard::ItemsAvailable => facts.unavailable.is_empty(),
                Guard::FulfilmentEnabled => facts.fulfilment_enabled,
                Guard::MethodEnabled => facts.method_enabled,
                Guard::AddressGiven => facts.fulfilment != Fulfilment::Delivery || facts.address_given,
                Guard::PromoClaimable => facts.promo_claimable,
                Guard::StockReserved => facts.stock_suffices,
                _ => false,
            },
            (Snapshot::Order(order), _) => self.order_holds(guard, order),
            (Snapshot::None, _) => false,
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm a guard: splitting it would hide the list")]
    fn order_holds(&self, guard: Guard, order: &OrderSnapshot) -> bool {
        let assignment = order.assignment.as_ref();
        let assignment_is = |status: AssignmentStatus| assignment.is_some_and(|assignment| assignment.status == status);
        match guard {
            Guard::Owner => self.actor.role != Role::Customer || self.actor.customer == Some(order.owner),
            Guard::AttemptOpen => match self.event {
                Event::PaySuccess(capture) => match capture.attempt {
                    Some(id) => order.attempts.iter().any(|attempt| attempt.id == id && attempt.is_open()),
                    None => order.open_attempt().is_some(),
                },
                Event::PayFail { attempt, .. } | Event::PayUnknown { attempt } => {
                    order.attempts.iter().any(|open| open.id == *attempt && open.is_open())
                }
                _ => order.open_attempt().is_some(),
            },
            Guard::AmountMatches => match self.event {
                Event::PaySuccess(capture) => capture.amount == order.due && capture.currency_matches,
                _ => false,
            },
            Guard::DueIsZero => order.due.0 == 0,
            // A stray capture pays nothing and goes back by the refund that was written with it (T29): it
            // must not keep the guest from paying.
            Guard::NoAttemptOpenOrCaptured => order.open_attempt().is_none() && order.paying_attempt().is_none(),
            Guard::NotExpired => order.expires_at.is_none_or(|at| self.now < at),
            Guard::NotYetExtended => !order.hold_extended,
            Guard::NoAttempt => order.attempts.iter().all(|attempt| attempt.status == AttemptStatus::Voided),
            Guard::ExpiryReached => order.expires_at.is_some_and(|at| self.now >= at),
            Guard::NoAttemptOpen => order.open_attempt().is_none(),
            // Whether stock can be taken again is known only to the store: the service raises the
            // event when its conditional UPDATE hit no row. Holding all of it refutes the event.
            Guard::StockGone => !order.lapsed().is_empty(),
            Guard::WithinCancelWindow => {
                self.settings.customer_cancel_paid_seconds > 0
                    && order
                        .captured_at
                        .is_some_and(|at| self.now < at.plus_seconds(self.settings.customer_cancel_paid_seconds))
            }
            Guard::AutoAcceptCovers => auto_accept_covers(self.settings.auto_accept, order.is_paid()),
            Guard::ReasonGiven => self.event.reason().is_some_and(|reason| !reason.is_empty()),
            Guard::AcceptLimitReached => self.waited(order.received_at, self.settings.accept_timeout_seconds),
            Guard::SiteOpen => matches!(self.event, Event::AcceptTimeout { site_open: true }),
            Guard::CashWaitReached => self.waited(order.received_at, self.settings.cash_wait_seconds),
            Guard::NotOnHold => order.on_hold_until.is_none_or(|until| self.now >= until),
            Guard::LineOpen => match self.event {
                Event::ItemDone { lines } => {
                    !lines.is_empty() && lines.iter().all(|id| order.line(*id).is_some_and(|line| line.is_undone()))
                }
                Event::ItemUndone { lines } => {
                    !lines.is_empty()
                        && lines
                            .iter()
                            .all(|id| order.line(*id).is_some_and(|line| line.done > 0 && line.open_quantity() > 0))
                }
                Event::VoidLine { part, .. } => {
                    order.line(part.line).is_some_and(|line| part.quantity > 0 && part.quantity <= line.open_quantity())
                }
                _ => false,
            },
            Guard::AllLinesDone => {
                order.open_lines().all(|line| !line.is_undone())
                    || matches!(self.event, Event::MarkReady { forced: Some(reason) } if !reason.trim().is_empty())
            }
            Guard::AutoReadyOn => self.settings.auto_ready,
            Guard::NotPickedUp => !assignment_is(AssignmentStatus::PickedUp),
            Guard::WithinRecallWindow => {
                self.actor.role == Role::Admin
                    || order.ready_at.is_some_and(|at| self.now < at.plus_seconds(self.settings.recall_window_seconds))
            }
            Guard::IsDelivery => order.fulfilment == Fulfilment::Delivery,
            Guard::CourierActive => matches!(self.event, Event::Assign { is_active_courier: true, .. }),
            Guard::NoActiveAssignment => assignment.is_none(),
            Guard::AutoAssignOn => self.settings.auto_assign,
            Guard::AssignmentAssigned => assignment_is(AssignmentStatus::Assigned),
            Guard::AssignmentPickedUp => assignment_is(AssignmentStatus::PickedUp),
            Guard::Assignee => assignment.is_some_and(|assignment| Some(assignment.staff) == self.actor.staff),
            Guard::Paid => order.is_paid(),
            Guard::IsCash => match self.event {
                Event::PayOutCashRefund { refund } => {
                    order.refunds.iter().any(|row| row.id == *refund && row.method == AttemptMethod::Cash)
                }
                _ => order.method == Method::Cash,
            },
            Guard::Unpaid => !order.is_paid(),
            Guard::TillOpen => order.drawer.is_some(),
            Guard::DrawerHolds => order.drawer >= self.paid_out(order),
            Guard::TenderedEnough => {
                matches!(self.event, Event::ConfirmCash { tendered, .. } if *tendered >= order.due)
            }
            Guard::IsPickupOrDineIn => order.fulfilment != Fulfilment::Delivery,
            Guard::BusinessDayOver => order.business_day_over,
            Guard::NotLastOpenLine => match self.event {
                Event::VoidLine { part, .. } => {
                    order.open_lines().any(|line| line.id != part.line || line.open_quantity() > part.quantity)
                }
                _ => false,
            },
            Guard::WaitedNoShow => self.waited(order.ready_at, self.settings.no_show_minutes.saturating_mul(60)),
            Guard::RefundWithinCaptured => match self.event {
                Event::Refund { amount, .. } => {
                    amount.0 > 0 && order.attempts.iter().any(|attempt| order.refundable(attempt) >= *amount)
                }
                Event::Void { refund: super::RefundChoice::Amount(amount), .. } => {
                    amount.0 > 0 && order.paying_attempt().is_some_and(|attempt| order.refundable(attempt) >= *amount)
                }
                _ => true,
            },
            Guard::SignatureValid => match self.event {
                Event::UnmatchedCapture { capture, .. } => capture.signature_valid,
                _ => false,
            },
            Guard::GatewayIdNew => match self.event {
                Event::UnmatchedCapture { capture, .. } => capture.id_is_new,
                _ => false,
            },
            Guard::T3CannotTakeIt => match self.event {
                Event::UnmatchedCapture { capture, .. } => {
                    order.status != Status::Pending
                        || capture.amount != order.due
                        || !capture.currency_matches
                        || match capture.attempt {
                            Some(id) => !order.attempts.iter().any(|open| open.id == id && open.is_open()),
                            None => order.open_attempt().is_none(),
                        }
                }
                _ => false,
            },
            Guard::RefundPending => match self.event {
                Event::RefundSettled { refund }
                | Event::RefundFailed { refund, .. }
                | Event::PayOutCashRefund { refund } => {
                    order.refunds.iter().any(|row| row.id == *refund && row.status == RefundStatus::Pending)
                }
                _ => false,
            },
            Guard::HoldOver => order.on_hold_until.is_some_and(|until| self.now >= until),
            Guard::NotTerminal => !order.status.is_terminal(),
            // The role column's "D on delivery" (T21); every other use of the role is judged before.
            Guard::Role => self.actor.role != Role::Delivery || order.fulfilment == Fulfilment::Delivery,
            Guard::CartNotEmpty
            | Guard::RestaurantOpen
            | Guard::SlotActive
            | Guard::SlotHasRoom
            | Guard::ItemsAvailable
            | Guard::FulfilmentEnabled
            | Guard::MethodEnabled
            | Guard::AddressGiven
            | Guard::PromoClaimable
            | Guard::StockReserved => false,
        }
    }

    /// The refusal of a guard that does not hold.
    pub fn refuse(&self, guard: Guard) -> Refused {
        let refused = Refused::new(guard.code(), guard.words()).by_guard(guard.as_str()).help(guard.help());
        match (guard, self.snapshot, self.event) {
            (Guard::Owner, ..) => Refused::new(ErrorCode::Forbidden, Guard::Owner.words()).by_guard("owner"),
            (Guard::ItemsAvailable, Snapshot::None, Event::Place(facts)) => {
                refused.with("unavailable", facts.unavailable.clone())
            }
            (Guard::SlotHasRoom, ..) => refused.with("max", self.settings.max_orders_per_slot),
            (Guard::TenderedEnough, Snapshot::Order(order), Event::ConfirmCash { tendered, .. }) => {
                refused.with("due", order.due.0).with("tendered", tendered.0)
            }
            (Guard::DrawerHolds, Snapshot::Order(order), _) => refused
                .with("held", order.drawer.map(|held| held.0))
                .with("amount", self.paid_out(order).map(|amount| amount.0)),
            (Guard::AmountMatches, Snapshot::Order(order), Event::PaySuccess(capture)) => {
                refused.with("due", order.due.0).with("captured", capture.amount.0)
            }
            _ => refused,
        }
    }
}

/// Whether the setting accepts an order by itself (C6).
pub(super) const fn auto_accept_covers(setting: AutoAccept, paid: bool) -> bool {
    match setting {
        AutoAccept::Off => false,
        AutoAccept::Prepaid => paid,
        AutoAccept::All => true,
    }
}

impl Guard {
    /// The documented code of a refusal by this guard.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::Role => ErrorCode::InsufficientRole,
            Self::Owner | Self::Assignee => ErrorCode::Forbidden,
            Self::CartNotEmpty => ErrorCode::CartEmpty,
            Self::RestaurantOpen | Self::SlotActive | Self::SiteOpen => ErrorCode::RestaurantClosed,
            Self::SlotHasRoom => ErrorCode::OrderLimitReached,
            Self::ItemsAvailable => ErrorCode::ItemUnavailable,
            Self::StockReserved => ErrorCode::InsufficientStock,
            Self::FulfilmentEnabled
            | Self::MethodEnabled
            | Self::AddressGiven
            | Self::PromoClaimable
            | Self::ReasonGiven
            | Self::TenderedEnough
            | Self::RefundWithinCaptured => ErrorCode::ValidationError,
            Self::AmountMatches | Self::SignatureValid => ErrorCode::PaymentFailed,
            Self::AttemptOpen
            | Self::NoAttemptOpenOrCaptured
            | Self::NoAttempt
            | Self::NoAttemptOpen
            | Self::GatewayIdNew
            | Self::TillOpen
            | Self::DrawerHolds
            | Self::NoActiveAssignment => ErrorCode::Conflict,
            _ => ErrorCode::IllegalTransition,
        }
    }

    /// What did not hold, in words for the person: the answer to "why not?".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Role => "Your role may not do this.",
            Self::Owner => "This order belongs to somebody else.",
            Self::CartNotEmpty => "Cart is empty. Add items before checkout.",
            Self::RestaurantOpen => "We are closed and take no orders now.",
            Self::SlotActive => "No meal is being served at this time.",
            Self::SlotHasRoom => "Maximum orders for this time slot have been reached.",
            Self::ItemsAvailable => "Something in the cart is no longer available.",
            Self::FulfilmentEnabled => "This way of getting the order is not offered now.",
            Self::MethodEnabled => "This way of paying is not offered now.",
            Self::AddressGiven => "A delivery needs an address.",
            Self::PromoClaimable => "The promotion cannot be used for this order.",
            Self::StockReserved => "There is not enough left of something in the cart.",
            Self::AttemptOpen => "No payment of this order is waiting for an answer.",
            Self::AmountMatches => "The amount paid is not the amount due.",
            Self::DueIsZero => "There is still something to pay.",
            Self::NoAttemptOpenOrCaptured => "This order is already paid, or a payment is under way.",
            Self::NotExpired => "The time to pay for this order is over.",
            Self::NotYetExtended => "The time was extended once already.",
            Self::NoAttempt => "A payment was already tried.",
            Self::ExpiryReached => "The time to pay is not over yet.",
            Self::NoAttemptOpen => "A payment of this order is under way.",
            Self::StockGone => "The stock of this order is still held.",
            Self::WithinCancelWindow => "A paid order can no longer be cancelled by the customer.",
            Self::AutoAcceptCovers => "Orders like this are accepted by the kitchen.",
            Self::ReasonGiven => "A reason is needed.",
            Self::AcceptLimitReached => "The kitchen still has time to accept it.",
            Self::SiteOpen => "The house is closed; the time to accept does not run.",
            Self::CashWaitReached => "The customer still has time to come to the till.",
            Self::NotOnHold => "The ticket is on hold.",
            Self::LineOpen => "That line has nothing left to change.",
            Self::AllLinesDone => "Some lines are not done yet.",
            Self::AutoReadyOn => "Orders are marked ready by the kitchen.",
            Self::NotPickedUp => "A courier already has the food.",
            Self::WithinRecallWindow => "The time to recall this order is over.",
            Self::IsDelivery => "This order is not a delivery.",
            Self::CourierActive => "That person is not an active courier.",
            Self::NoActiveAssignment => "A courier is already named.",
            Self::AutoAssignOn => "Couriers are named by a manager.",
            Self::AssignmentAssigned => "No courier is waiting to pick this up.",
            Self::AssignmentPickedUp => "The food was not picked up.",
            Self::Assignee => "Another courier has this delivery.",
            Self::Paid => "The order is not paid yet.",
            Self::IsCash => "This is not paid in cash.",
            Self::Unpaid => "The order is already paid.",
            Self::TillOpen => "The till is closed.",
            Self::DrawerHolds => "The drawer does not hold that much.",
            Self::TenderedEnough => "That is less than the amount due.",
            Self::IsPickupOrDineIn => "A delivery is not handed over at the counter.",
            Self::BusinessDayOver => "The business day is not over yet.",
            Self::NotLastOpenLine => "This is the last line: void the whole order instead.",
            Self::WaitedNoShow => "The customer still has time to come.",
            Self::RefundWithinCaptured => "That is more than was paid and not yet refunded.",
            Self::SignatureValid => "The payment message is not signed correctly.",
            Self::GatewayIdNew => "This payment is already recorded.",
            Self::T3CannotTakeIt => "The order can take this payment in the normal way.",
            Self::RefundPending => "No such refund is waiting.",
            Self::HoldOver => "The hold is not over yet.",
            Self::NotTerminal => "The order is already over.",
        }
    }

    /// What the person can do when this guard refuses.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::ReasonGiven => "Give a reason and try again.",
            Self::SlotActive => "Look at the serving times and come back.",
            Self::NotOnHold => "Release the hold first.",
            Self::AllLinesDone => "Finish the open lines, or force it with a reason.",
            Self::Paid => "Take the money first.",
            Self::TillOpen => "Open the till with its float first.",
            Self::DrawerHolds => "Lay cash in first, then pay it out.",
            Self::TenderedEnough => "Ask the customer for the rest.",
            Self::NotLastOpenLine => "Use void for the whole order.",
            Self::RefundWithinCaptured => "Choose a smaller amount.",
            Self::WithinRecallWindow => "Ask a manager to recall it.",
            Self::WithinCancelWindow => "Ask the staff.",
            Self::NoAttemptOpen | Self::NoAttemptOpenOrCaptured => "Wait for the payment's answer.",
            Self::NotExpired => "Place the order again; your cart is kept.",
            Self::MethodEnabled => "Choose another way of paying.",
            Self::FulfilmentEnabled => "Choose another way of getting it.",
            Self::ItemsAvailable => "Remove what is marked and try again.",
            other => other.code().help(),
        }
    }
}
