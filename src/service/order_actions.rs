//! What a person may try with an order now, and why what is refused is refused: every step that people
//! take by hand, judged by the machine and by the permission of its use case. Nothing is done here.

use super::deliveries::since;
use super::door::{Query, UseCase, View};
use super::order_load::load;
use super::orders::{
    AcceptOrder, AssignCourier, CancelAssignment, CancelOrder, CloseUncollected, ConfirmCash, Deliver, DeliverForCash,
    HandOver, HoldOrder, MarkReady, NoShow, NoteOrder, OverridePayment, PayOutRefund, PickUp, RecallOrder, RefundOrder,
    RejectOrder, ReleaseHold, ReturnToStore, SetItemsDone, SetPriority, StaffCancelOrder, StartOrder, VoidOrder,
    VoidOrderLine,
};
use crate::domain::access::{Actor, Permission};
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::fulfilment::Fulfilment;
use crate::domain::ids::{LineId, OrderId, StaffId};
use crate::domain::order::{Disposal, Event, EventKind, Guard, Line, LinePart, OrderSnapshot, Snapshot, why_not};
use crate::domain::payment::{AttemptMethod, Method, RefundStatus};
use crate::domain::settings::Settings;
use crate::domain::time::Timestamp;
use crate::store::deliveries;
use crate::words;
use uuid::Uuid;

/// Everything that a person may try with an order, and why what is refused is refused now.
#[derive(Debug, Clone)]
pub struct OrderActions {
    /// The order.
    pub order: OrderId,
}

words!(
    /// In which way a step is taken.
    Way, "way" {
        /// As it stands.
        Plain = "plain",
        /// Although lines are open, with a reason (T15).
        Forced = "forced",
        /// The customer pays in cash at the door (T21 then T20).
        ForCash = "for_cash",
    }
);

/// One thing that may be tried with an order.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionView {
    /// The event.
    pub event: EventKind,
    /// The refusal that it would meet now; `None` where it would be taken.
    pub refused: Option<Refused>,
    /// Whether it is refused for the person's role alone, so that a manager's PIN lets it through.
    pub with_manager: bool,
    /// In which way it is taken; the plain one where that is enough.
    pub way: Way,
}

impl ActionView {
    /// Whether it can be done now, by the person or with a manager's PIN.
    #[must_use]
    pub const fn is_offered(&self) -> bool {
        self.refused.is_none() || self.with_manager
    }
}

/// An event, and what the door asks of whoever gives it.
const fn step<U: UseCase>(event: EventKind) -> (EventKind, Permission) {
    (event, U::PERMISSION)
}

/// What people do with orders: what leads on first, in the order of an order's life, then what leads back.
const BY_HAND: [(EventKind, Permission); 29] = [
    step::<AcceptOrder>(EventKind::Accept),
    step::<StartOrder>(EventKind::StartPreparing),
    step::<SetItemsDone>(EventKind::ItemDone),
    step::<MarkReady>(EventKind::MarkReady),
    step::<ConfirmCash>(EventKind::ConfirmCash),
    step::<HandOver>(EventKind::HandOver),
    step::<AssignCourier>(EventKind::Assign),
    step::<PickUp>(EventKind::PickUp),
    step::<Deliver>(EventKind::Deliver),
    step::<ReturnToStore>(EventKind::ReturnToStore),
    step::<CancelAssignment>(EventKind::AssignCancel),
    step::<CancelAssignment>(EventKind::NoPickup),
    step::<RecallOrder>(EventKind::Recall),
    step::<SetItemsDone>(EventKind::ItemUndone),
    step::<RefundOrder>(EventKind::Refund),
    step::<PayOutRefund>(EventKind::PayOutCashRefund),
    step::<VoidOrderLine>(EventKind::VoidLine),
    step::<VoidOrder>(EventKind::Void),
    step::<RejectOrder>(EventKind::Reject),
    step::<CancelOrder>(EventKind::Cancel),
    step::<StaffCancelOrder>(EventKind::StaffCancel),
    step::<NoShow>(EventKind::NoShow),
    step::<CloseUncollected>(EventKind::CloseUncollected),
    step::<OverridePayment>(EventKind::AdminSetPaid),
    step::<OverridePayment>(EventKind::AdminSetFailed),
    step::<SetPriority>(EventKind::SetPriority),
    step::<HoldOrder>(EventKind::Hold),
    step::<ReleaseHold>(EventKind::ReleaseHold),
    step::<NoteOrder>(EventKind::Note),
];

impl Query for OrderActions {
    type Output = Vec<ActionView>;
    const PERMISSION: Permission = Permission::OrdersRead;

    async fn run(&self, view: &mut View<'_>) -> Result<Vec<ActionView>, Refused> {
        let site = std::sync::Arc::clone(&view.site);
        let order = load(view.tx, &site, &view.actor, view.now, self.order).await?.snapshot;
        let has_courier = order.fulfilment == Fulfilment::Delivery
            && !deliveries::ranked(view.tx, &site.id, None, since(&site, view.now), 1).await?.is_empty();
        let (fulfilment, method) = (order.fulfilment, order.method);
        let tried: Vec<(EventKind, Permission, Event)> = BY_HAND
            .iter()
            .filter_map(|(kind, permission)| Some((*kind, *permission, probe(*kind, &order, has_courier)?)))
            .collect();
        let snapshot = Snapshot::Order(Box::new(order));
        let judge = Judge { snapshot: &snapshot, fulfilment, method, now: view.now, settings: &site.settings };
        Ok(tried
            .into_iter()
            .map(|(kind, permission, event)| judge.action(kind, permission, &event, &view.actor))
            .collect())
    }
}

/// What the steps of one order are judged by.
struct Judge<'a> {
    snapshot: &'a Snapshot,
    fulfilment: Fulfilment,
    method: Method,
    now: Timestamp,
    settings: &'a Settings,
}

impl Judge<'_> {
    fn action(&self, kind: EventKind, permission: Permission, event: &Event, actor: &Actor) -> ActionView {
        let (way, refused) = self.judge(kind, permission, event, actor);
        let by_role = refused.as_ref().is_some_and(|refused| refused.code == ErrorCode::InsufficientRole);
        let helped = actor.if_let_through().filter(|_| by_role);
        // What a manager's PIN would not mend either is refused for the reason that would be left then.
        match helped.map(|actor| self.judge(kind, permission, event, &actor)) {
            Some((way, None)) => ActionView { event: kind, refused, with_manager: true, way },
            Some((way, left)) => ActionView { event: kind, refused: self.in_words(left), with_manager: false, way },
            None => ActionView { event: kind, refused: self.in_words(refused), with_manager: false, way },
        }
    }

    /// The way in which the step would be taken, and the refusal that it would meet.
    fn judge(&self, kind: EventKind, permission: Permission, event: &Event, actor: &Actor) -> (Way, Option<Refused>) {
        let refusal = |permission, event: &Event| {
            actor.require(permission).err().or_else(|| why_not(self.snapshot, event, actor, self.now, self.settings))
        };
        let plain = refusal(permission, event);
        let guard = plain.as_ref().and_then(|refused| refused.guard);
        if kind == EventKind::MarkReady && guard == Some(Guard::AllLinesDone.as_str()) {
            // Forcing it is a voider's (see `MarkReady`), who may move orders too.
            let forced = Event::MarkReady { forced: Some("why not".to_owned()) };
            return (Way::Forced, refusal(Permission::OrdersVoid, &forced));
        }
        // The money is the last that a delivery is asked for: where it is taken at the door, all else holds.
        if kind == EventKind::Deliver && self.method == Method::Cash && guard == Some(Guard::Paid.as_str()) {
            let cash = Event::plain(EventKind::ConfirmCash);
            return (Way::ForCash, cash.and_then(|cash| refusal(DeliverForCash::PERMISSION, &cash)));
        }
        (Way::Plain, plain)
    }

    /// "That person is not a courier" is no answer where there is nobody to name.
    fn in_words(&self, refused: Option<Refused>) -> Option<Refused> {
        let refused = refused?;
        let nobody = refused.guard == Some(Guard::CourierActive.as_str()) && self.fulfilment == Fulfilment::Delivery;
        if !nobody {
            return Some(refused);
        }
        let none =
            Refused::new(refused.code, "There is no courier on the staff.").by_guard(Guard::CourierActive.as_str());
        Some(none.help("Add somebody with the role delivery, in the Staff tab."))
    }
}

/// The event as it would be tried with this order; `None` where there is nothing to try it with.
fn probe(kind: EventKind, order: &OrderSnapshot, has_courier: bool) -> Option<Event> {
    let those = |wanted: fn(&Line) -> bool| -> Vec<LineId> {
        order.open_lines().filter(|line| wanted(line)).map(|line| line.id).collect()
    };
    match kind {
        EventKind::ItemDone => Some(Event::ItemDone { lines: those(Line::is_undone) }),
        EventKind::ItemUndone => Some(Event::ItemUndone { lines: those(|line| line.done > 0) }),
        EventKind::Assign => Some(Event::Assign { staff: StaffId(Uuid::nil()), is_active_courier: has_courier }),
        EventKind::VoidLine => {
            let line = order.open_lines().next()?.id;
            let part = LinePart { line, quantity: 1, disposal: Disposal::Waste };
            Some(Event::VoidLine { part, reason: "why not".to_owned() })
        }
        EventKind::PayOutCashRefund => {
            let refund = order
                .refunds
                .iter()
                .find(|refund| refund.status == RefundStatus::Pending && refund.method == AttemptMethod::Cash)?;
            Some(Event::PayOutCashRefund { refund: refund.id })
        }
        // The machine takes a release at any time; without a hold it would change nothing.
        EventKind::ReleaseHold if order.on_hold_until.is_none() => None,
        kind => Event::plain(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::Role;
    use crate::domain::order::TABLE;
    use std::collections::BTreeSet;

    /// What people do, but not with an order that lies before them on a list.
    const ELSEWHERE: [(EventKind, &str); 5] = [
        (EventKind::Place, "there is no order yet: the kiosk and `servery order place` make it"),
        (EventKind::PayStart, "the guest's own, at the kiosk"),
        (EventKind::PaySuccess, "the guest's own, by the gateway"),
        (EventKind::ExtendHold, "the guest's own, at the kiosk"),
        (EventKind::Duplicate, "nobody gives it: a repeated key is answered again"),
    ];

    #[test]
    fn whatever_a_person_may_do_by_the_table_can_be_tried_by_hand() {
        let people = [Role::Customer, Role::Kitchen, Role::Delivery, Role::Admin];
        let by_people = TABLE.iter().filter(|row| row.roles.iter().any(|(role, _)| people.contains(role)));
        let wanted: BTreeSet<EventKind> = by_people.map(|row| row.event).collect();
        let here: BTreeSet<EventKind> = BY_HAND.iter().map(|(kind, _)| *kind).collect();
        let elsewhere: BTreeSet<EventKind> = ELSEWHERE.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(here.len(), BY_HAND.len(), "each once");
        assert!(here.is_disjoint(&elsewhere), "an exception that is none");
        assert_eq!(wanted, here.union(&elsewhere).copied().collect(), "the table on the left");
    }

    #[test]
    fn whoever_forces_an_order_may_move_orders() {
        let may = |role: Role, permission| role.permissions().contains(&permission);
        for role in Role::ALL {
            let forces = may(*role, Permission::OrdersVoid);
            assert!(!forces || may(*role, MarkReady::PERMISSION), "{role}");
        }
    }
}
