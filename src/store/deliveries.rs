//! Rows of delivery assignments; ended ones stay as the history.

use super::rows::hit_one;
use super::{StoreError, Tx};
use crate::domain::ids::{AssignmentId, OrderId, StaffId};
use crate::domain::time::Timestamp;
use uuid::Uuid;

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
const COURIER: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM staff \
     WHERE site_id = $1 AND id = $2 AND active AND role = 'delivery'";

/// The active assignment of an order.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn active(tx: &mut Tx, site: &str, order: OrderId) -> Result<Option<AssignmentRow>, StoreError> {
    fetch_optional!(tx, AssignmentRow, ACTIVE, site, order.0)
}

/// Whether a member of staff is an active courier.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn is_courier(tx: &mut Tx, site: &str, staff: StaffId) -> Result<bool, StoreError> {
    Ok(fetch_one!(tx, (i64,), COURIER, site, staff.0)?.0 > 0)
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
