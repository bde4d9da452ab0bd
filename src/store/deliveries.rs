//! Rows of delivery assignments; ended ones stay as the history.

use super::rows::hit_one;
use super::{StoreError, Tx};
use crate::domain::ids::{AssignmentId, OrderId, StaffId};
use crate::domain::time::Timestamp;
use uuid::Uuid;

/// An assignment of an order with the names of its people, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct NamedAssignmentRow {
    pub staff_id: Uuid,
    pub courier: String,
    pub status: String,
    pub assigned_by: Option<String>,
    pub assigned_at: i64,
    pub picked_up_at: Option<i64>,
    pub delivered_at: Option<i64>,
    pub cancelled_at: Option<i64>,
    pub reason: Option<String>,
}

/// An active courier as a candidate for a delivery, with what the ranking goes by.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct CourierRow {
    /// The identity.
    pub id: Uuid,
    /// The sign-in name.
    pub username: String,
    /// The name for people.
    pub name: String,
    /// How often this person was named for the asked order and taken off again.
    pub given_up: i64,
    /// Deliveries that are under way.
    pub under_way: i64,
    /// Deliveries carried out of those assigned since the business day began.
    pub delivered_today: i64,
    /// When a delivery was last assigned to this person (microseconds); 0: never.
    pub last_assigned_at: i64,
    /// Deliveries carried out of those assigned since the instant that was asked for.
    pub delivered: i64,
    /// Assignments since then that came to nothing.
    pub cancelled: i64,
}

/// Since when deliveries count (microseconds).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// For the ranking: the start of the business day.
    pub today: Timestamp,
    /// For the history that people see.
    pub history: Timestamp,
}

/// The active assignment of an order.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct AssignmentRow {
    pub id: Uuid,
    pub staff_id: Uuid,
    pub status: String,
}

const ACTIVE: &str = "SELECT id, staff_id, status FROM delivery_assignments \
     WHERE site_id = $1 AND order_id = $2 AND status IN ('assigned', 'picked_up')";
const INSERT: &str = "INSERT INTO delivery_assignments (site_id, id, order_id, staff_id, status, assigned_by, \
     assigned_at) VALUES ($1, $2, $3, $4, 'assigned', $5, $6)";
const MOVE: &str = "UPDATE delivery_assignments SET status = $3, \
     picked_up_at = CASE WHEN $3 = 'picked_up' THEN $4 ELSE picked_up_at END, \
     delivered_at = CASE WHEN $3 = 'delivered' THEN $4 ELSE delivered_at END, \
     cancelled_at = CASE WHEN $3 = 'cancelled' THEN $4 ELSE cancelled_at END, cancel_reason = $5 \
     WHERE site_id = $1 AND id = $2 AND status IN ('assigned', 'picked_up')";
// Load counts along the index of active assignments; the rest along those of the order and of the person.
const RANKED: &str = "SELECT s.id, s.username, s.name, \
     (SELECT CAST(COUNT(*) AS BIGINT) FROM delivery_assignments d WHERE d.site_id = $1 AND d.order_id = $2 \
     AND d.staff_id = s.id AND d.status = 'cancelled') AS given_up, \
     COALESCE((SELECT l.load FROM (SELECT staff_id, CAST(COUNT(*) AS BIGINT) AS load FROM delivery_assignments \
     WHERE site_id = $1 AND status IN ('assigned', 'picked_up') GROUP BY staff_id) AS l WHERE l.staff_id = s.id), 0) \
     AS under_way, \
     (SELECT CAST(COUNT(*) AS BIGINT) FROM delivery_assignments d WHERE d.site_id = $1 AND d.staff_id = s.id \
     AND d.assigned_at >= $3 AND d.status = 'delivered') AS delivered_today, \
     COALESCE((SELECT MAX(d.assigned_at) FROM delivery_assignments d WHERE d.site_id = $1 AND d.staff_id = s.id), 0) \
     AS last_assigned_at, \
     (SELECT CAST(COUNT(*) AS BIGINT) FROM delivery_assignments d WHERE d.site_id = $1 AND d.staff_id = s.id \
     AND d.assigned_at >= $4 AND d.status = 'delivered') AS delivered, \
     (SELECT CAST(COUNT(*) AS BIGINT) FROM delivery_assignments d WHERE d.site_id = $1 AND d.staff_id = s.id \
     AND d.assigned_at >= $4 AND d.status = 'cancelled') AS cancelled \
     FROM staff s WHERE s.site_id = $1 AND s.active AND s.role = 'delivery' \
     ORDER BY given_up, under_way, delivered_today, last_assigned_at, s.id LIMIT $5";
const OF_ORDER: &str = "SELECT d.staff_id, s.name AS courier, d.status, b.name AS assigned_by, d.assigned_at, \
     d.picked_up_at, d.delivered_at, d.cancelled_at, d.cancel_reason AS reason FROM delivery_assignments d \
     JOIN staff s ON s.site_id = d.site_id AND s.id = d.staff_id \
     LEFT JOIN staff b ON b.site_id = d.site_id AND b.id = d.assigned_by \
     WHERE d.site_id = $1 AND d.order_id = $2 ORDER BY d.assigned_at DESC, d.id DESC LIMIT $3";
const COURIER: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM staff \
     WHERE site_id = $1 AND id = $2 AND active AND role = 'delivery'";

/// The active assignment of an order.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn active(tx: &mut Tx, site: &str, order: OrderId) -> Result<Option<AssignmentRow>, StoreError> {
    fetch_optional!(tx, AssignmentRow, ACTIVE, site, order.0)
}

/// The assignments of an order, the last one first, at most `most`.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn of_order(
    tx: &mut Tx,
    site: &str,
    order: OrderId,
    most: i64,
) -> Result<Vec<NamedAssignmentRow>, StoreError> {
    fetch_all!(tx, NamedAssignmentRow, OF_ORDER, site, order.0, most)
}

/// Whether a member of staff is an active courier.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn is_courier(tx: &mut Tx, site: &str, staff: StaffId) -> Result<bool, StoreError> {
    Ok(fetch_one!(tx, (i64,), COURIER, site, staff.0)?.0 > 0)
}

/// The active couriers, the one to be named first: who never gave up this order (if one is asked about), then
/// who carries the least now, then who delivered the least today, then who waits longest; at most `most`. The
/// one ranking there is: by it the house names a courier, and by it people are shown whom they can name.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn ranked(
    tx: &mut Tx,
    site: &str,
    order: Option<OrderId>,
    since: Since,
    most: i64,
) -> Result<Vec<CourierRow>, StoreError> {
    fetch_all!(tx, CourierRow, RANKED, site, order.map(|id| id.0), since.today.0, since.history.0, most)
}

/// Names a courier.
///
/// # Errors
/// [`StoreError::Duplicate`] when one is named already.
pub async fn insert(
    tx: &mut Tx,
    site: &str,
    id: AssignmentId,
    order: OrderId,
    courier: StaffId,
    by: Option<StaffId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    execute!(tx, INSERT, site, id.0, order.0, courier.0, by.map(|id| id.0), now.0)?;
    Ok(())
}

/// Moves an active assignment.
///
/// # Errors
/// [`StoreError::Fault`] when it was not active.
pub async fn set_status(
    tx: &mut Tx,
    site: &str,
    id: AssignmentId,
    status: &str,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let hit = execute!(tx, MOVE, site, id.0, status, now.0, reason)?;
    if hit_one(hit)? { Ok(()) } else { Err(StoreError::Fault("the assignment was not active".to_owned())) }
}
