//! The events of an order, one use case each: what a person or a timer may do to it. Each loads,
//! lets the order machine decide and carries it out (`order_move.rs`); payment results stand in
//! `payments.rs`.

use super::deliveries::since;
use super::door::{Context, UseCase};
use super::order_load::{Loaded, load};
use super::order_move::{apply, apply_to, judge};
use super::order_view::order_view;
use super::payments::retake;
use super::views::OrderView;
use crate::domain::access::Permission;
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::{AttemptId, LineId, OrderId, RefundId, StaffId, StationId};
use crate::domain::money::Money;
use crate::domain::order::{Event, Guard, Line, LinePart, RefundChoice, Status};
use crate::domain::text;
use crate::domain::time::Timestamp;
use crate::store::deliveries;
use crate::store::orders::LineRow;
use crate::words;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Longest reason or note that is stored, in characters.
const MAX_REASON: usize = 200;

/// A reason as it may be stored.
fn clean(reason: &str) -> String {
    text::clean(reason, MAX_REASON, false)
}

pub(super) fn shown(loaded: &Loaded) -> Result<OrderView, Refused> {
    order_view(&loaded.row, &loaded.lines, &loaded.attempts, &loaded.refunds)
}

/// A use case that gives one event to one order.
macro_rules! order_event {
    ($(#[$doc:meta])* $name:ident, $word:literal, $permission:ident,
     { $($(#[$field_doc:meta])* $field:ident : $kind:ty),* $(,)? }, |$this:ident, $context:ident| $event:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Serialize, Deserialize)]
        pub struct $name {
            /// The order.
            pub order: OrderId,
            $($(#[$field_doc])* pub $field: $kind,)*
        }

        impl UseCase for $name {
            type Output = OrderView;
            const NAME: &'static str = $word;
            const PERMISSION: Permission = Permission::$permission;

            async fn run(&self, $context: &mut Context<'_>) -> Result<OrderView, Refused> {
                let $this = self;
                let event = $event;
                shown(&apply($context, self.order, &event).await?)
            }
        }
    };
}

order_event!(
    /// T10: the kitchen takes the order on.
    AcceptOrder, "accept_order", OrdersUpdate,
    {
        /// Minutes until it is ready; the estimate when none is given.
        eta_minutes: Option<i64>,
    },
    |this, _context| Event::Accept { eta_minutes: this.eta_minutes.map(|minutes| minutes.clamp(0, 1_440)) }
);
order_event!(
    /// T11: the kitchen refuses the order.
    RejectOrder, "reject_order", OrdersVoid,
    {
        /// Why.
        reason: String,
    },
    |this, _context| Event::Reject { reason: clean(&this.reason) }
);
order_event!(
    /// T13: cooking begins.
    StartOrder, "start_order", OrdersUpdate, {}, |_this, _context| Event::StartPreparing
);
order_event!(
    /// T14: lines are done, or not after all.
    SetItemsDone, "set_items_done", OrdersUpdate,
    {
        /// The lines.
        lines: Vec<LineId>,
        /// Done or not.
        done: bool,
    },
    |this, _context| if this.done {
        Event::ItemDone { lines: this.lines.clone() }
    } else {
        Event::ItemUndone { lines: this.lines.clone() }
    }
);
order_event!(
    /// T16: back to the kitchen.
    RecallOrder, "recall_order", OrdersUpdate, {}, |_this, _context| Event::Recall
);
order_event!(
    /// T22: into the customer's hands.
    HandOver, "hand_over", OrdersUpdate, {}, |_this, _context| Event::HandOver
);
order_event!(
    /// T8, T9, T9b: the customer, or staff for the customer, cancels.
    CancelOrder, "cancel_order", OrdersOwn,
    {
        /// Why; a customer may leave it empty, staff may not.
        reason: String,
    },
    |this, _context| Event::Cancel { reason: clean(&this.reason) }
);
order_event!(
    /// T23: the staff cancels an accepted order.
    StaffCancelOrder, "staff_cancel_order", OrdersVoid,
    {
        /// Why.
        reason: String,
    },
    |this, _context| Event::StaffCancel { reason: clean(&this.reason) }
);
order_event!(
    /// T24: an order is voided after cooking began.
    VoidOrder, "void_order", OrdersVoid,
    {
        /// Why.
        reason: String,
        /// What becomes of lines that are not to be wasted.
        lines: Vec<LinePart>,
        /// How much of the money goes back.
        refund: RefundChoice,
    },
    |this, _context| Event::Void { reason: clean(&this.reason), lines: this.lines.clone(), refund: this.refund }
);
order_event!(
    /// T24b: units of one line are taken off.
    VoidOrderLine, "void_order_line", OrdersVoid,
    {
        /// The units, and what becomes of them.
        part: LinePart,
        /// Why.
        reason: String,
    },
    |this, _context| Event::VoidLine { part: this.part, reason: clean(&this.reason) }
);
order_event!(
    /// T25: nobody came, and it is not paid.
    NoShow, "no_show", OrdersVoid,
    {
        /// Why.
        reason: String,
    },
    |this, _context| Event::NoShow { reason: clean(&this.reason) }
);
order_event!(
    /// T22b: nobody came for a paid order.
    CloseUncollected, "close_uncollected", OrdersVoid,
    {
        /// Why.
        reason: String,
    },
    |this, _context| Event::CloseUncollected { reason: clean(&this.reason) }
);
order_event!(
    /// T21: the customer pays in cash.
    ConfirmCash, "confirm_cash", TillOperate,
    {
        /// What the customer hands over.
        tendered: Money,
    },
    |this, context| Event::ConfirmCash { tendered: this.tendered, attempt: AttemptId(context.new_id()) }
);
order_event!(
    /// T27: money goes back.
    RefundOrder, "refund_order", OrdersRefund,
    {
        /// How much.
        amount: Money,
        /// Lines that go back or are thrown away with it.
        lines: Vec<LinePart>,
        /// Why.
        reason: String,
    },
    |this, _context| Event::Refund { amount: this.amount, lines: this.lines.clone(), reason: clean(&this.reason) }
);
/// T28: an admin says whether it is paid. Stock that a recount released is taken again first, as in T5a.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OverridePayment {
    /// The order.
    pub order: OrderId,
    /// Paid, or failed.
    pub paid: bool,
    /// Why.
    pub reason: String,
}

impl UseCase for OverridePayment {
    type Output = OrderView;
    const NAME: &'static str = "override_payment";
    const PERMISSION: Permission = Permission::PaymentsOverride;

    async fn run(&self, context: &mut Context<'_>) -> Result<OrderView, Refused> {
        let (reason, attempt) = (clean(&self.reason), AttemptId(context.new_id()));
        if !self.paid {
            return shown(&apply(context, self.order, &Event::AdminSetFailed { reason, attempt }).await?);
        }
        let event = Event::AdminSetPaid { reason, attempt };
        let loaded = load_order(context, self.order).await?;
        // Judge first: what may not be set must not take stock either.
        judge(context, &loaded, &event)?;
        if !retake(context, &loaded).await? {
            return Err(Refused::new(ErrorCode::InsufficientStock, "Something in this order has run out.")
                .by_guard("stock_reserved")
                .help("Receive stock first, or set the payment to failed and give the money back."));
        }
        shown(&apply(context, self.order, &event).await?)
    }
}

order_event!(
    /// T18: the courier is taken off, or did not come.
    CancelAssignment, "cancel_assignment", DeliveryRun,
    {
        /// Did not come.
        no_pickup: bool,
    },
    |this, _context| if this.no_pickup { Event::NoPickup } else { Event::AssignCancel }
);
order_event!(
    /// T19: the courier takes the food.
    PickUp, "pick_up", DeliveryRun, {}, |_this, _context| Event::PickUp
);
order_event!(
    /// T20: at the door.
    Deliver, "deliver", DeliveryRun, {}, |_this, _context| Event::Deliver
);
order_event!(
    /// T26: back at the store.
    ReturnToStore, "return_to_store", DeliveryRun,
    {
        /// Why.
        reason: String,
    },
    |this, _context| Event::ReturnToStore { reason: clean(&this.reason) }
);
order_event!(
    /// T31: higher comes first.
    SetPriority, "set_priority", OrdersUpdate,
    {
        /// 0 is normal.
        priority: i64,
    },
    |this, _context| Event::SetPriority { priority: this.priority.clamp(-9, 9) }
);
order_event!(
    /// T31: the kitchen leaves it for now.
    HoldOrder, "hold_order", OrdersUpdate,
    {
        /// Until when; none: until released.
        until: Option<Timestamp>,
    },
    |this, _context| Event::Hold { until: this.until }
);
order_event!(
    /// T31: off hold.
    ReleaseHold, "release_hold", OrdersUpdate, {}, |_this, _context| Event::ReleaseHold
);
order_event!(
    /// T31: the kitchen's note.
    NoteOrder, "note_order", OrdersUpdate,
    {
        /// The note; empty takes it away.
        note: String,
    },
    |this, _context| Event::Note { note: clean(&this.note) }
);
order_event!(
    /// T33: a cash refund out of the drawer.
    PayOutRefund, "pay_out_refund", TillOperate,
    {
        /// The refund.
        refund: RefundId,
    },
    |this, _context| Event::PayOutCashRefund { refund: this.refund }
);
order_event!(
    /// T5b: more time to pay, once.
    ExtendHold, "extend_hold", OrdersOwn, {}, |_this, _context| Event::ExtendHold
);

/// T15: ready. Forcing it with open lines needs a person and a reason.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MarkReady {
    /// The order.
    pub order: OrderId,
    /// The reason for forcing it.
    pub forced: Option<String>,
}

impl UseCase for MarkReady {
    type Output = OrderView;
    const NAME: &'static str = "mark_ready";
    const PERMISSION: Permission = Permission::OrdersUpdate;

    async fn run(&self, context: &mut Context<'_>) -> Result<OrderView, Refused> {
        if self.forced.is_some() {
            context.actor.require(Permission::OrdersVoid)?;
        }
        let event = Event::MarkReady { forced: self.forced.as_deref().map(clean) };
        shown(&apply(context, self.order, &event).await?)
    }
}

/// T17: names a courier.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AssignCourier {
    /// The order.
    pub order: OrderId,
    /// The courier.
    pub staff: StaffId,
}

impl UseCase for AssignCourier {
    type Output = OrderView;
    const NAME: &'static str = "assign_courier";
    const PERMISSION: Permission = Permission::DeliveryAssign;

    async fn run(&self, context: &mut Context<'_>) -> Result<OrderView, Refused> {
        let site = Arc::clone(&context.site);
        let is_active_courier = deliveries::is_courier(context.tx, &site.id, self.staff).await?;
        let event = Event::Assign { staff: self.staff, is_active_courier };
        shown(&apply(context, self.order, &event).await?)
    }
}

/// Whom the house names for an order: the first by load, then by history ([`deliveries::ranked`]).
///
/// # Errors
/// Refused by the guard of T17 where nobody is an active courier; the store's refusals.
async fn choose_courier(context: &mut Context<'_>, order: OrderId) -> Result<StaffId, Refused> {
    let site = Arc::clone(&context.site);
    let since = since(&site, context.now);
    let ranked = deliveries::ranked(context.tx, &site.id, Some(order), since, 1).await?;
    ranked.first().map(|courier| StaffId(courier.id)).ok_or_else(|| {
        let guard = Guard::CourierActive;
        Refused::new(guard.code(), "Nobody is an active courier.").by_guard(guard.as_str())
    })
}

/// T21 then T20 in one transaction: cash on delivery.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeliverForCash {
    /// The order.
    pub order: OrderId,
    /// What the customer hands over.
    pub tendered: Money,
}

impl UseCase for DeliverForCash {
    type Output = OrderView;
    const NAME: &'static str = "deliver_for_cash";
    const PERMISSION: Permission = Permission::DeliveryRun;

    async fn run(&self, context: &mut Context<'_>) -> Result<OrderView, Refused> {
        let cash = Event::ConfirmCash { tendered: self.tendered, attempt: AttemptId(context.new_id()) };
        let paid = apply(context, self.order, &cash).await?;
        shown(&apply_to(context, paid, &Event::Deliver).await?)
    }
}

/// The bump key ("Kitchen keys"): confirmed → T13; preparing → T14 for this station's open lines, then
/// T15 when no station has any left; ready → T22 is a key of its own, which asks first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bump {
    /// The order.
    pub order: OrderId,
    /// The station whose lines are done; none: every station (expo).
    pub station: Option<StationId>,
    /// The version that the cook saw: another one is refused, so that two cooks cannot bump twice.
    pub seen_version: i64,
}

words!(
    /// How far a bump came.
    BumpStep, "step" {
        /// T13: cooking has begun.
        Started = "started",
        /// T14: this station is done, another is not.
        ItemsDone = "items_done",
        /// T15: nothing is left, the order is ready.
        Ready = "ready",
    }
);

/// What a bump did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bumped {
    /// The order after it.
    #[serde(flatten)]
    pub order: OrderView,
    /// How far it came.
    pub step: BumpStep,
    /// The lines that it finished, for [`Undo`].
    pub lines_done: Vec<LineId>,
}

impl UseCase for Bump {
    type Output = Bumped;
    const NAME: &'static str = "bump";
    const PERMISSION: Permission = Permission::OrdersUpdate;

    async fn run(&self, context: &mut Context<'_>) -> Result<Bumped, Refused> {
        let seen = load_seen(context, self.order, self.seen_version).await?;
        let (loaded, step, lines_done) = match seen.snapshot.status {
            Status::Preparing => self.finish(context, seen).await?,
            // Everything else is judged by the table: confirmed starts, the rest says why not.
            _ => (apply_to(context, seen, &Event::StartPreparing).await?, BumpStep::Started, Vec::new()),
        };
        Ok(Bumped { order: shown(&loaded)?, step, lines_done })
    }
}

impl Bump {
    /// T14 for this station's open lines (a line of no station belongs to each), then T15 when no
    /// station has any left.
    async fn finish(
        &self,
        context: &mut Context<'_>,
        seen: Loaded,
    ) -> Result<(Loaded, BumpStep, Vec<LineId>), Refused> {
        let here = |row: &LineRow| {
            row.station_id.is_none() || self.station.is_none_or(|station| row.station_id == Some(station.0))
        };
        let lines: Vec<LineId> = seen
            .lines
            .iter()
            .filter(|row| here(row))
            .map(|row| LineId(row.id))
            .filter(|id| seen.snapshot.line(*id).is_some_and(Line::is_undone))
            .collect();
        let loaded = if lines.is_empty() {
            seen
        } else {
            apply_to(context, seen, &Event::ItemDone { lines: lines.clone() }).await?
        };
        if loaded.snapshot.open_lines().any(Line::is_undone) {
            return Ok((loaded, BumpStep::ItemsDone, lines));
        }
        let ready = apply_to(context, loaded, &Event::MarkReady { forced: None }).await?;
        Ok((ready, BumpStep::Ready, lines))
    }
}

/// Another use case, only if the order still stands as the person saw it: so that two people with one
/// ticket before them cannot both act on it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AtVersion<U> {
    /// The order.
    pub order: OrderId,
    /// The version that was on the screen.
    pub seen_version: i64,
    /// What is to be done.
    pub then: U,
}

impl<U: UseCase> UseCase for AtVersion<U> {
    type Output = U::Output;
    const NAME: &'static str = U::NAME;
    const PERMISSION: Permission = U::PERMISSION;
    const AUDITED: bool = U::AUDITED;

    async fn run(&self, context: &mut Context<'_>) -> Result<U::Output, Refused> {
        load_seen(context, self.order, self.seen_version).await?;
        self.then.run(context).await
    }
}

words!(
    /// What the undo key takes back.
    UndoWhat, "undo" {
        /// The lines that the last bump finished.
        ItemsDone = "items_done",
        /// Ready.
        MarkReady = "mark_ready",
    }
);

/// Undo: takes back ItemDone (T14) or MarkReady (T16 and T14) of the last bump.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Undo {
    /// The order.
    pub order: OrderId,
    /// The lines that the bump had finished.
    pub lines: Vec<LineId>,
    /// What is taken back.
    pub what: UndoWhat,
}

impl UseCase for Undo {
    type Output = OrderView;
    const NAME: &'static str = "undo";
    const PERMISSION: Permission = Permission::OrdersUpdate;

    async fn run(&self, context: &mut Context<'_>) -> Result<OrderView, Refused> {
        let mut loaded = load_order(context, self.order).await?;
        if self.what == UndoWhat::MarkReady {
            loaded = apply_to(context, loaded, &Event::Recall).await?;
        }
        let lines: Vec<LineId> = self
            .lines
            .iter()
            .copied()
            .filter(|id| loaded.snapshot.line(*id).is_some_and(|line| line.done > 0))
            .collect();
        if !lines.is_empty() {
            loaded = apply_to(context, loaded, &Event::ItemUndone { lines }).await?;
        }
        shown(&loaded)
    }
}

words!(
    /// A timer of the house.
    Timer, "timer" {
        /// T7.
        Expire = "expire",
        /// T12.
        AcceptTimeout = "accept_timeout",
        /// T12b.
        CashTimeout = "cash_timeout",
        /// T25.
        NoShow = "no_show",
        /// T31.
        ReleaseHold = "release_hold",
        /// T22b.
        CloseUncollected = "close_uncollected",
        /// T15.
        AutoReady = "auto_ready",
        /// T17.
        AutoAssign = "auto_assign",
    }
);

/// What happens without a key press, given by the worker; a timer that is not due is refused.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunTimer {
    /// The order.
    pub order: OrderId,
    /// Which timer.
    pub timer: Timer,
}

impl UseCase for RunTimer {
    type Output = OrderView;
    const NAME: &'static str = "run_timer";
    const PERMISSION: Permission = Permission::SystemRun;

    async fn run(&self, context: &mut Context<'_>) -> Result<OrderView, Refused> {
        let event = match self.timer {
            Timer::Expire => Event::Expire,
            Timer::AcceptTimeout => {
                let settings = &context.site.settings;
                let in_slot = settings.time_slots.slot_now(context.now, context.site.zone).is_some();
                Event::AcceptTimeout { site_open: settings.restaurant_open && in_slot }
            }
            Timer::CashTimeout => Event::CashTimeout,
            Timer::NoShow => Event::NoShow { reason: "nobody came in time".to_owned() },
            Timer::ReleaseHold => Event::ReleaseHold,
            Timer::CloseUncollected => Event::CloseUncollected { reason: "end of the business day".to_owned() },
            Timer::AutoReady => Event::MarkReady { forced: None },
            Timer::AutoAssign => {
                Event::Assign { staff: choose_courier(context, self.order).await?, is_active_courier: true }
            }
        };
        shown(&apply(context, self.order, &event).await?)
    }
}

pub(super) async fn load_order(context: &mut Context<'_>, id: OrderId) -> Result<Loaded, Refused> {
    let site = Arc::clone(&context.site);
    load(context.tx, &site, &context.actor, context.now, id).await
}

async fn load_seen(context: &mut Context<'_>, id: OrderId, seen_version: i64) -> Result<Loaded, Refused> {
    let loaded = load_order(context, id).await?;
    if loaded.row.version != seen_version {
        return Err(Refused::new(ErrorCode::Conflict, "Somebody else moved this ticket first.")
            .by_guard("seen_version")
            .with("seen", seen_version)
            .with("now", loaded.row.version)
            .with("status", loaded.row.status.clone())
            .help("Look at the ticket again."));
    }
    Ok(loaded)
}
