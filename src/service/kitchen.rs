//! What the kitchen's board and the "now serving" board ask: open tickets, all-day counts, numbers.
//! They only read; every move goes through `orders.rs`.

use super::door::{Query, Site, View};
use super::order_view::option_names;
use super::views::{AllDayView, BoardView, CalledNumber, KitchenView, StationView, TicketLineView, TicketView};
use crate::domain::access::Permission;
use crate::domain::error::Refused;
use crate::domain::fulfilment::Fulfilment;
use crate::domain::ids::{LineId, OrderId, StationId};
use crate::domain::money::Money;
use crate::domain::order::Status;
use crate::domain::time::Timestamp;
use crate::store::orders::{LineRow, OrderRow};
use crate::store::tickets::TicketRow;
use crate::store::{Tx, orders, tickets, till};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The kitchen's board.
#[derive(Debug, Clone, Copy, Default)]
pub struct ShowKitchen;

/// What is still to be made, by item, over all open tickets.
#[derive(Debug, Clone, Copy, Default)]
pub struct AllDay {
    /// One station; none: all.
    pub station: Option<StationId>,
}

/// The "now serving" board.
#[derive(Debug, Clone, Copy, Default)]
pub struct ShowBoard;

impl Query for ShowKitchen {
    type Output = KitchenView;
    const PERMISSION: Permission = Permission::OrdersRead;

    async fn run(&self, view: &mut View<'_>) -> Result<KitchenView, Refused> {
        let site = std::sync::Arc::clone(&view.site);
        let tickets = open_tickets(view.tx, &site).await?;
        let stations = tickets::stations(view.tx, &site.id).await?;
        let shift = till::open_shift_at(view.tx, &site.id, view.actor.terminal).await?;
        let window = site.settings.recall_window_seconds;
        let mut recallable: Vec<TicketView> = tickets
            .iter()
            .filter(|ticket| ticket.status == Status::Ready)
            .filter(|ticket| ticket.ready_at.is_some_and(|at| view.now < at.plus_seconds(window)))
            .cloned()
            .collect();
        recallable.sort_by_key(|ticket| std::cmp::Reverse(ticket.ready_at));
        Ok(KitchenView {
            site: site.name.clone(),
            currency: site.currency,
            demo: site.demo,
            stations: stations.into_iter().map(|row| StationView { id: StationId(row.id), name: row.name }).collect(),
            tickets,
            recallable,
            amber_seconds: site.settings.kitchen_amber_seconds,
            red_seconds: site.settings.kitchen_red_seconds,
            idle_seconds: site.settings.kitchen_idle_seconds,
            shift: shift.map(|shift| shift.shift_id()),
            now: view.now,
        })
    }
}

impl Query for AllDay {
    type Output = Vec<AllDayView>;
    const PERMISSION: Permission = Permission::OrdersRead;

    async fn run(&self, view: &mut View<'_>) -> Result<Vec<AllDayView>, Refused> {
        let site = std::sync::Arc::clone(&view.site);
        let mut counts: BTreeMap<(String, Option<StationId>), (i64, i64)> = BTreeMap::new();
        for ticket in open_tickets(view.tx, &site).await? {
            if !matches!(ticket.status, Status::Received | Status::Confirmed | Status::Preparing) {
                continue;
            }
            for line in ticket.lines {
                // What a refund gave back is on the ticket still, but nobody is to make it.
                let wanted = if ticket.refunded { 0 } else { line.quantity.saturating_sub(line.refunded) };
                if wanted <= 0 || self.station.is_some_and(|station| line.station != Some(station)) {
                    continue;
                }
                let name = if line.options.is_empty() {
                    line.name
                } else {
                    format!("{} ({})", line.name, line.options.join(", "))
                };
                let count = counts.entry((name, line.station)).or_default();
                count.0 = count.0.saturating_add((wanted - line.done).max(0));
                count.1 = count.1.saturating_add(line.done.min(wanted));
            }
        }
        let mut list: Vec<AllDayView> = counts
            .into_iter()
            .map(|((name, station), (to_make, done))| AllDayView { name, to_make, done, station })
            .collect();
        list.sort_by(|left, right| right.to_make.cmp(&left.to_make).then_with(|| left.name.cmp(&right.name)));
        Ok(list)
    }
}

impl Query for ShowBoard {
    type Output = BoardView;
    const PERMISSION: Permission = Permission::MenuRead;

    async fn run(&self, view: &mut View<'_>) -> Result<BoardView, Refused> {
        let site = std::sync::Arc::clone(&view.site);
        let rows = orders::in_kitchen(view.tx, &site.id).await?;
        let (mut preparing, mut ready) = (Vec::new(), Vec::new());
        for row in rows.into_iter().filter(|row| row.fulfilment != Fulfilment::Delivery.as_str()) {
            let since = Timestamp(row.ready_at.or(row.received_at).unwrap_or(row.created_at));
            let called =
                CalledNumber { order: OrderId(row.id), number: row.pickup_number, name: row.called_name, since };
            match row.status.as_str() {
                "ready" => ready.push(called),
                "confirmed" | "preparing" => preparing.push(called),
                _ => {}
            }
        }
        preparing.sort_by_key(|called| called.since);
        ready.sort_by_key(|called| std::cmp::Reverse(called.since));
        Ok(BoardView { site: site.name.clone(), demo: site.demo, preparing, ready, now: view.now })
    }
}

/// Every ticket that the kitchen may see: priority first, then the oldest.
async fn open_tickets(tx: &mut Tx, site: &Site) -> Result<Vec<TicketView>, Refused> {
    let rows = orders::in_kitchen(tx, &site.id).await?;
    let mut lines: BTreeMap<Uuid, Vec<LineRow>> = BTreeMap::new();
    for line in orders::lines_in_kitchen(tx, &site.id).await? {
        lines.entry(line.order_id).or_default().push(line);
    }
    let mut shown: BTreeMap<Uuid, Vec<TicketRow>> = BTreeMap::new();
    for ticket in tickets::in_kitchen(tx, &site.id).await? {
        shown.entry(ticket.order_id).or_default().push(ticket);
    }
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        let lines = lines.remove(&row.id).unwrap_or_default();
        let shown = shown.remove(&row.id).unwrap_or_default();
        views.push(ticket_view(row, &lines, &shown)?);
    }
    Ok(views)
}

fn ticket_view(row: OrderRow, lines: &[LineRow], shown: &[TicketRow]) -> Result<TicketView, Refused> {
    let first_shown = shown.iter().map(|ticket| ticket.shown_at).min().or(row.received_at).unwrap_or(row.created_at);
    Ok(TicketView {
        order: OrderId(row.id),
        status: row.status.parse()?,
        version: row.version,
        fulfilment: Fulfilment::parse(&row.fulfilment)?,
        method: row.method.parse()?,
        paid: row.paid,
        refunded: shown.iter().any(|ticket| ticket.refunded),
        due: Money(row.due),
        shown_at: Timestamp(first_shown),
        estimated_ready_at: row.estimated_ready_at.map(Timestamp),
        ready_at: row.ready_at.map(Timestamp),
        priority: row.priority,
        on_hold_until: row.on_hold_until.map(Timestamp),
        recalled: shown.iter().any(|ticket| ticket.recalled_at.is_some()),
        lines: lines.iter().map(line_view).collect::<Result<_, _>>()?,
        pickup_number: row.pickup_number,
        called_name: row.called_name,
        note: row.note,
        staff_note: row.staff_note,
    })
}

fn line_view(row: &LineRow) -> Result<TicketLineView, Refused> {
    Ok(TicketLineView {
        id: LineId(row.id),
        name: row.item_name.clone(),
        options: option_names(&row.options.0),
        quantity: row.quantity - row.voided,
        voided: row.voided,
        // A void gives its units back too: what was given back beyond them came of a refund.
        refunded: (row.restocked + row.wasted - row.voided).clamp(0, (row.quantity - row.voided).max(0)),
        done: row.done,
        station: row.station_id.map(StationId),
        allergens: serde_json::from_value(row.allergens.0.clone()).map_err(Refused::internal)?,
        note: row.note.clone(),
    })
}
