//! What the house told the world: the question of whoever follows it. It changes nothing.

use super::door::{Query, View};
use crate::domain::access::Permission;
use crate::domain::error::Refused;
use crate::domain::ids::OrderId;
use crate::domain::time::Timestamp;
use crate::store::events;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most rows of one answer.
pub const MAX_PAGE: i64 = 1_000;

/// Something that the house told the world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventView {
    /// Its number.
    pub seq: i64,
    /// Its word.
    pub event: String,
    /// The order that it is about.
    pub order: Option<OrderId>,
    /// Its number among the order's own.
    pub order_sequence: Option<i64>,
    /// What it tells.
    pub payload: Value,
    /// When it happened.
    pub created_at: Timestamp,
    /// When it was delivered.
    pub sent_at: Option<Timestamp>,
    /// When it was given up.
    pub parked_at: Option<Timestamp>,
}

/// Events above a number, the lowest first. On Postgres an event may become visible after one with a
/// higher number: who follows them looks again at the last few hundred.
#[derive(Debug, Clone, Copy)]
pub struct EventsAfter {
    /// The number.
    pub seq: i64,
    /// The most rows, 1 to 1000.
    pub limit: i64,
}

impl Query for EventsAfter {
    type Output = Vec<EventView>;
    const PERMISSION: Permission = Permission::OrdersRead;

    async fn run(&self, view: &mut View<'_>) -> Result<Vec<EventView>, Refused> {
        let site = view.site.id.clone();
        let rows = events::after(view.tx, &site, self.seq, self.limit.clamp(1, MAX_PAGE)).await?;
        let event = |row: events::EventRow| EventView {
            seq: row.seq,
            event: row.event,
            order: row.order_id.map(OrderId),
            order_sequence: row.order_sequence,
            payload: row.payload.0,
            created_at: Timestamp(row.created_at),
            sent_at: row.sent_at.map(Timestamp),
            parked_at: row.parked_at.map(Timestamp),
        };
        Ok(rows.into_iter().map(event).collect())
    }
}

/// The number of the newest event; 0 where there is none.
#[derive(Debug, Clone, Copy)]
pub struct NewestEvent;

impl Query for NewestEvent {
    type Output = i64;
    const PERMISSION: Permission = Permission::OrdersRead;

    async fn run(&self, view: &mut View<'_>) -> Result<i64, Refused> {
        let site = view.site.id.clone();
        Ok(events::newest(view.tx, &site).await?)
    }
}
