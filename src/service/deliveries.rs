//! Questions about deliveries: where an order goes, who has it and had it, and which couriers there are.
//! Naming couriers and sending them on are steps of the order (`orders`); no rule about them stands here.

use super::door::{Query, Site, View};
use super::order_queries::{OrderName, find};
use crate::domain::access::{Actor, Permission};
use crate::domain::error::Refused;
use crate::domain::fulfilment::Fulfilment;
use crate::domain::ids::{OrderId, StaffId};
use crate::domain::order::AssignmentStatus;
use crate::domain::time::{Timestamp, business_day_start};
use crate::store::deliveries::{self, CourierRow, NamedAssignmentRow, Since};
use crate::store::orders::OrderRow;
use crate::words;
use serde::{Deserialize, Serialize};

/// How far back the history of couriers is looked at, in seconds: thirty days.
const HISTORY_SECONDS: i64 = 30 * 86_400;
/// The most couriers that are listed.
const MOST_COURIERS: i64 = 200;
/// The most assignments of one order that are shown, the last ones.
const MOST_ASSIGNMENTS: i64 = 20;

words!(
    /// Why an address is not shown.
    AddressProblem, "address problem" {
        /// The order has none.
        NotGiven = "not_given",
        /// Only people who deliver or move orders see it.
        Withheld = "withheld",
        /// This process has no key for addresses.
        NoKey = "no_key",
        /// It was kept under another key, or is damaged.
        WrongKey = "wrong_key",
    }
);

/// Where a delivery goes and who has it.
#[derive(Debug, Clone)]
pub struct ShowDelivery {
    /// Which order.
    pub order: OrderName,
}

/// The active couriers, in the order in which the house itself would name them ([`deliveries::ranked`]).
#[derive(Debug, Clone, Copy)]
pub struct ListCouriers {
    /// For which order: who gave it up comes last.
    pub order: Option<OrderId>,
}

/// Where a delivery goes and who has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryView {
    /// The customer's address; `None`: see [`DeliveryView::address_problem`].
    pub address: Option<String>,
    /// Why there is no address to show.
    pub address_problem: Option<AddressProblem>,
    /// Who has it and had it, the last one first.
    pub assignments: Vec<AssignmentView>,
}

/// A courier who was named for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignmentView {
    /// The courier.
    pub staff: StaffId,
    /// The courier's name.
    pub courier: String,
    /// Where it stands.
    pub status: AssignmentStatus,
    /// Who named the courier; `None`: the house itself.
    pub assigned_by: Option<String>,
    /// When the courier was named.
    pub assigned_at: Timestamp,
    /// When the courier took the food.
    pub picked_up_at: Option<Timestamp>,
    /// When it was delivered.
    pub delivered_at: Option<Timestamp>,
    /// When the courier was taken off.
    pub cancelled_at: Option<Timestamp>,
    /// Why.
    pub reason: Option<String>,
}

/// An active courier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourierView {
    /// The identity.
    pub id: StaffId,
    /// The sign-in name.
    pub username: String,
    /// The name for people.
    pub name: String,
    /// How often this courier was taken off the order that was asked about.
    pub given_up: i64,
    /// Deliveries that are under way.
    pub under_way: i64,
    /// Deliveries of this business day.
    pub delivered_today: i64,
    /// When a delivery was last assigned to this courier.
    pub last_assigned_at: Option<Timestamp>,
    /// Deliveries of the last thirty days.
    pub delivered: i64,
    /// Assignments of the last thirty days that came to nothing.
    pub cancelled: i64,
}

impl DeliveryView {
    /// The assignment that is under way.
    #[must_use]
    pub fn active(&self) -> Option<&AssignmentView> {
        let under_way = [AssignmentStatus::Assigned, AssignmentStatus::PickedUp];
        self.assignments.iter().find(|assignment| under_way.contains(&assignment.status))
    }
}

impl Query for ShowDelivery {
    /// `None` for an order that is not delivered.
    type Output = Option<DeliveryView>;
    const PERMISSION: Permission = Permission::OrdersRead;

    async fn run(&self, view: &mut View<'_>) -> Result<Option<DeliveryView>, Refused> {
        let site = std::sync::Arc::clone(&view.site);
        let row = find(view.tx, &site, &view.actor, view.now, &self.order).await?;
        if Fulfilment::parse(&row.fulfilment)? != Fulfilment::Delivery {
            return Ok(None);
        }
        let rows = deliveries::of_order(view.tx, &site.id, OrderId(row.id), MOST_ASSIGNMENTS).await?;
        let assignments = rows.into_iter().map(assignment).collect::<Result<_, _>>()?;
        let (address, address_problem) = match address(view, &row) {
            Ok(address) => (Some(address), None),
            Err(problem) => (None, Some(problem)),
        };
        Ok(Some(DeliveryView { address, address_problem, assignments }))
    }
}

impl Query for ListCouriers {
    type Output = Vec<CourierView>;
    const PERMISSION: Permission = Permission::OrdersRead;

    async fn run(&self, view: &mut View<'_>) -> Result<Vec<CourierView>, Refused> {
        let since = since(&view.site, view.now);
        let site = view.site.id.clone();
        let rows = deliveries::ranked(view.tx, &site, self.order, since, MOST_COURIERS).await?;
        Ok(rows.into_iter().map(courier).collect())
    }
}

/// Since when a courier's deliveries count.
pub(super) fn since(site: &Site, now: Timestamp) -> Since {
    let cutoff = site.settings.business_day_cutoff;
    let today = business_day_start(now.business_date(site.zone, cutoff), site.zone, cutoff);
    Since { today, history: now.plus_seconds(-HISTORY_SECONDS) }
}

/// Whether somebody may see where customers live: people who deliver or move orders, and no screen on the wall.
fn may_see_addresses(actor: &Actor) -> bool {
    !actor.is_bare_terminal() && (actor.may(Permission::DeliveryRun) || actor.may(Permission::OrdersUpdate))
}

fn address(view: &View<'_>, row: &OrderRow) -> Result<String, AddressProblem> {
    if !may_see_addresses(&view.actor) {
        return Err(AddressProblem::Withheld);
    }
    let sealed = row.delivery_address_encrypted.as_deref().ok_or(AddressProblem::NotGiven)?;
    let key = view.field_key().ok_or(AddressProblem::NoKey)?;
    key.open(row.id, sealed).map_err(|_| AddressProblem::WrongKey)
}

fn assignment(row: NamedAssignmentRow) -> Result<AssignmentView, Refused> {
    Ok(AssignmentView {
        staff: StaffId(row.staff_id),
        courier: row.courier,
        status: row.status.parse()?,
        assigned_by: row.assigned_by,
        assigned_at: Timestamp(row.assigned_at),
        picked_up_at: row.picked_up_at.map(Timestamp),
        delivered_at: row.delivered_at.map(Timestamp),
        cancelled_at: row.cancelled_at.map(Timestamp),
        reason: row.reason,
    })
}

fn courier(row: CourierRow) -> CourierView {
    CourierView {
        id: StaffId(row.id),
        username: row.username,
        name: row.name,
        given_up: row.given_up,
        under_way: row.under_way,
        delivered_today: row.delivered_today,
        last_assigned_at: (row.last_assigned_at > 0).then_some(Timestamp(row.last_assigned_at)),
        delivered: row.delivered,
        cancelled: row.cancelled,
    }
}
