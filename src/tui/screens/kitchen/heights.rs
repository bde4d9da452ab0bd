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
    version: i64,
    shape: Shape,
    rows: usize,
}

/// The rows of the tickets that were counted, with large numbers and without.
#[derive(Debug, Default)]
pub(super) struct Heights {
    counted: RefCell<HashMap<(OrderId, bool), Counted>>,
    house: Option<(Vec<StationId>, Currency)>,
}

impl Heights {
    /// Forgets the tickets that a new view does not have; all of them when the house itself changed.
    pub(super) fn keep(&mut self, view: &KitchenView) {
        let house = Some((view.stations.iter().map(|station| station.id).collect(), view.currency));
        let counted = self.counted.get_mut();
        if self.house == house {
            let open: HashSet<OrderId> = view.tickets.iter().map(|ticket| ticket.order).collect();
            counted.retain(|(order, _), _| open.contains(order));
        } else {
            counted.clear();
            self.house = house;
        }
    }

    /// The rows of each ticket's card.
    pub(super) fn of(&self, tickets: &[&TicketView], look: &Look<'_>) -> Vec<usize> {
        let shape = Shape { width: look.width, station: look.station, expo: look.expo };
        let mut counted = self.counted.borrow_mut();
        let mut rows_of = |ticket: &TicketView| {
            // Its card says how long it is still held: that changes with time, and all else with the version.
            if ticket.on_hold_until.is_some() {
                return card::rows(ticket, look).len();
            }
            let key = (ticket.order, look.large);
            if let Some(known) = counted.get(&key)
                && known.version == ticket.version
                && known.shape == shape
            {
                return known.rows;
            }
            let rows = card::rows(ticket, look).len();
            counted.insert(key, Counted { version: ticket.version, shape, rows });
            rows
        };
        tickets.iter().map(|ticket| rows_of(ticket)).collect()
    }
}
