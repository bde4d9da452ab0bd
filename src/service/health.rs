//! Questions about the running of the house: is it well, and what did it tell the world. They change
//! nothing.

use super::door::{Query, View};
use crate::domain::access::Permission;
use crate::domain::error::Refused;
use crate::domain::ids::OrderId;
use crate::domain::time::Timestamp;
use crate::store::events;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most rows of one answer.
const MAX_PAGE: i64 = 1_000;

/// How the house is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthView {
    /// The instant of this view.
    pub timestamp: Timestamp,
    /// Who does the house's own work; `None` where nobody does.
    pub worker: Option<String>,
    /// Until when they hold the lease, unless they renew it.
    pub lease_expires_at: Option<Timestamp>,
    /// Events that wait for delivery.
    pub waiting: i64,
    /// Events that were given up.
    pub parked: i64,
}

/// How is the house?
#[derive(Debug, Clone, Copy, Default)]
pub struct Health;

impl Query for Health {
    type Output = HealthView;
    const PERMISSION: Permission = Permission::SystemRun;

    async fn run(&self, view: &mut View<'_>) -> Result<HealthView, Refused> {
        let site = view.site.id.clone();
        let leases = events::leases(view.tx, &site).await?;
        let live = leases.into_iter().find(|lease| lease.expires_at > view.now.0);
        let (waiting, parked) = events::backlog(view.tx, &site).await?;
        Ok(HealthView {
            timestamp: view.now,
            lease_expires_at: live.as_ref().map(|lease| Timestamp(lease.expires_at)),
            worker: live.map(|lease| lease.holder),
            waiting,
            parked,
        })
    }
}

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
    /// The number; `None` answers none, and `newest`.
    pub seq: Option<i64>,
    /// The most rows, 1 to 1000.
    pub limit: i64,
}

/// Events, and the highest number that there is.
#[derive(Debug, Clone, PartialEq)]
pub struct Events {
    /// The events.
    pub events: Vec<EventView>,
    /// The highest number.
    pub newest: i64,
}

impl Query for EventsAfter {
    type Output = Events;
    const PERMISSION: Permission = Permission::OrdersRead;

    async fn run(&self, view: &mut View<'_>) -> Result<Events, Refused> {
        let site = view.site.id.clone();
        let newest = events::newest(view.tx, &site).await?;
        let rows = match self.seq {
            Some(seq) => events::after(view.tx, &site, seq, self.limit.clamp(1, MAX_PAGE)).await?,
            None => Vec::new(),
        };
        let events = rows
            .into_iter()
            .map(|row| EventView {
                seq: row.seq,
                event: row.event,
                order: row.order_id.map(OrderId),
                order_sequence: row.order_sequence,
                payload: row.payload.0,
                created_at: Timestamp(row.created_at),
                sent_at: row.sent_at.map(Timestamp),
                parked_at: row.parked_at.map(Timestamp),
            })
            .collect();
        Ok(Events { events, newest })
    }
}
