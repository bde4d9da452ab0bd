//! How many rows the cards of the board take. All of them are needed to say where a page begins, and only
//! a page of them is drawn: so the rows of a ticket are made once, counted, and counted again when the
//! ticket or the shape of the board changes.

use super::card::{self, Look};
use crate::domain::ids::{OrderId, StationId};
use crate::domain::money::Currency;
use crate::service::views::{KitchenView, TicketView};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

/// What the rows of a ticket depend on besides the ticket and the large numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    width: u16,
    station: Option<StationId>,
    expo: bool,
}

#[derive(Debug, Clone, Copy)]
struct Counted {
    shape: Shape,
    rows: usize,
}

/// The rows of the tickets that were counted, with large numbers and without.
#[derive(Debug, Default)]
pub(super) struct Heights {
    counted: RefCell<HashMap<(OrderId, bool), Counted>>,
    /// The tickets as they were counted.
    tickets: HashMap<OrderId, TicketView>,
    house: Option<(Vec<StationId>, Currency)>,
}

impl Heights {
    /// Forgets the tickets that a new view has not, or has changed; all of them when the house itself changed.
    pub(super) fn keep(&mut self, view: &KitchenView) {
        let house = Some((view.stations.iter().map(|station| station.id).collect(), view.currency));
        if self.house != house {
            self.tickets.clear();
            self.house = house;
        }
        let open: HashSet<OrderId> = view.tickets.iter().map(|ticket| ticket.order).collect();
        self.tickets.retain(|order, _| open.contains(order));
        let mut same = HashSet::with_capacity(open.len());
        for ticket in &view.tickets {
            if self.tickets.get(&ticket.order) == Some(ticket) {
                same.insert(ticket.order);
            } else {
                self.tickets.insert(ticket.order, ticket.clone());
            }
        }
        self.counted.get_mut().retain(|(order, _), _| same.contains(order));
    }

    /// The rows of each ticket's card.
    pub(super) fn of(&self, tickets: &[&TicketView], look: &Look<'_>) -> Vec<usize> {
        let shape = Shape { width: look.width, station: look.station, expo: look.expo };
        let mut counted = self.counted.borrow_mut();
        let mut rows_of = |ticket: &TicketView| {
            // Its card says how long it is still held, which changes with time.
            if ticket.on_hold_until.is_some() {
                return card::rows(ticket, look).len();
            }
            let key = (ticket.order, look.large);
            if let Some(known) = counted.get(&key)
                && known.shape == shape
            {
                return known.rows;
            }
            let rows = card::rows(ticket, look).len();
            counted.insert(key, Counted { shape, rows });
            rows
        };
        tickets.iter().map(|ticket| rows_of(ticket)).collect()
    }
}
