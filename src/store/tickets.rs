//! Rows of the kitchen's tickets: what each station sees of an order, and what is on them.

use super::{StoreError, Tx};
use crate::domain::ids::{OrderId, StationId};
use crate::domain::time::Timestamp;
use uuid::Uuid;

/// A ticket of one station.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct TicketRow {
    pub order_id: Uuid,
    pub station_id: Uuid,
    pub shown_at: i64,
    pub bumped_at: Option<i64>,
    pub recalled_at: Option<i64>,
    /// All that was captured of the order went back, or is on its way back.
    pub refunded: bool,
}

/// A station.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct StationRow {
    pub id: Uuid,
    pub name: String,
    pub is_default: bool,
}

const IN_KITCHEN: &str = "SELECT t.order_id, t.station_id, t.shown_at, t.bumped_at, t.recalled_at, \
     EXISTS (SELECT 1 FROM payment_attempts a WHERE a.site_id = $1 AND a.order_id = t.order_id AND a.status = 'captured' \
     AND NOT a.stray AND a.amount > 0 AND a.refunded >= a.amount) AS refunded FROM tickets t WHERE t.site_id = $1 \
     AND t.order_id IN (SELECT id FROM orders WHERE site_id = $1 \
     AND status IN ('received', 'confirmed', 'preparing', 'ready', 'out_for_delivery'))";
const STATIONS: &str =
    "SELECT id, name, is_default FROM stations WHERE site_id = $1 AND active ORDER BY position, name";
const EVERY_STATION: &str = "SELECT id, name FROM stations WHERE site_id = $1 ORDER BY name, id";
/// In two parts, for which there are two indexes.
const NEEDING: &str = "SELECT order_number FROM (SELECT o.order_number, o.created_at FROM orders o \
     WHERE o.site_id = $1 AND o.status IN ('received', 'confirmed', 'preparing', 'ready') AND EXISTS (SELECT 1 \
     FROM order_lines l WHERE l.site_id = o.site_id AND l.order_id = o.id AND l.station_id = $2) \
     UNION ALL SELECT o.order_number, o.created_at FROM orders o \
     WHERE o.site_id = $1 AND o.status = 'pending' AND EXISTS (SELECT 1 \
     FROM order_lines l WHERE l.site_id = o.site_id AND l.order_id = o.id AND l.station_id = $2)) AS needing \
     ORDER BY created_at, order_number LIMIT $3";
const BUMP: &str = "UPDATE tickets SET bumped_at = $4 WHERE site_id = $1 AND order_id = $2 AND station_id = $3";
const BUMP_ALL: &str = "UPDATE tickets SET bumped_at = $3 WHERE site_id = $1 AND order_id = $2 AND bumped_at IS NULL";
const RECALL: &str = "UPDATE tickets SET bumped_at = NULL, recalled_at = $3 WHERE site_id = $1 AND order_id = $2";

/// The tickets of every order that the kitchen may see.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn in_kitchen(tx: &mut Tx, site: &str) -> Result<Vec<TicketRow>, StoreError> {
    fetch_all!(tx, TicketRow, IN_KITCHEN, site)
}

/// The stations, in order.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn stations(tx: &mut Tx, site: &str) -> Result<Vec<StationRow>, StoreError> {
    fetch_all!(tx, StationRow, STATIONS, site)
}

/// The names of every station that ever was, for reports.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn every_station(tx: &mut Tx, site: &str) -> Result<Vec<(Uuid, String)>, StoreError> {
    fetch_all!(tx, (Uuid, String), EVERY_STATION, site)
}

/// Writes the tickets of an order: one a station, with their lines (station, line, quantity).
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn open(
    tx: &mut Tx,
    site: &str,
    order: OrderId,
    items: &[(Uuid, Uuid, i64)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut stations: Vec<Uuid> = items.iter().map(|(station, ..)| *station).collect();
    stations.sort_unstable();
    stations.dedup();
    insert_rows!(
        tx,
        "INSERT INTO tickets (site_id, order_id, station_id, shown_at) ",
        &stations,
        |values, station| {
            values.push_bind(site).push_bind(order.0).push_bind(station).push_bind(now.0);
        }
    )?;
    insert_rows!(
        tx,
        "INSERT INTO ticket_items (site_id, order_id, station_id, line_id, quantity) ",
        items,
        |values, item| {
            let (station, line, quantity) = item;
            values.push_bind(site).push_bind(order.0).push_bind(station).push_bind(line).push_bind(quantity);
        }
    )?;
    Ok(())
}

/// Notes that a station has finished (`at`), or not after all (`None`).
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn set_bumped(
    tx: &mut Tx,
    site: &str,
    order: OrderId,
    station: StationId,
    at: Option<Timestamp>,
) -> Result<(), StoreError> {
    execute!(tx, BUMP, site, order.0, station.0, at.map(|at| at.0))?;
    Ok(())
}

/// Notes that every station is through with an order.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn bump_all(tx: &mut Tx, site: &str, order: OrderId, now: Timestamp) -> Result<(), StoreError> {
    execute!(tx, BUMP_ALL, site, order.0, now.0)?;
    Ok(())
}

/// Puts an order back on every station; its age and place stay.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn recall(tx: &mut Tx, site: &str, order: OrderId, now: Timestamp) -> Result<(), StoreError> {
    execute!(tx, RECALL, site, order.0, now.0)?;
    Ok(())
}

/// The numbers of the orders of which something is, or could again be, to be made at a station: not paid yet, in
/// the kitchen, or ready, which may be recalled. The oldest first.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn needing(tx: &mut Tx, site: &str, station: StationId, limit: i64) -> Result<Vec<String>, StoreError> {
    let rows = fetch_all!(tx, (String,), NEEDING, site, station.0, limit)?;
    Ok(rows.into_iter().map(|(number,)| number).collect())
}
