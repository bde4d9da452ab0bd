//! What a ticket means to a cook: its age, its next step, whose work it is. Pure judgement of one
//! ticket; no drawing and no keys.

use crate::domain::fulfilment::Fulfilment;
use crate::domain::ids::StationId;
use crate::domain::order::Status;
use crate::domain::payment::Method;
use crate::domain::time::Timestamp;
use crate::service::views::{KitchenView, TicketLineView, TicketView};
use std::cmp::Reverse;

/// How long a ticket has been waiting, judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Age {
    /// In time.
    Fresh,
    /// Soon late.
    Amber,
    /// Late.
    Red,
}

/// What Bump would do with a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing: it must be accepted first.
    AcceptFirst,
    /// Nothing: it is on hold.
    ReleaseFirst,
    /// Begin to cook it.
    Start,
    /// Mark the open lines done, and the order ready where nothing is left.
    Finish,
    /// Nothing: it must be paid first.
    PayFirst,
    /// Give it to the customer.
    HandOver,
    /// Nothing: its courier takes it, and the money with it.
    CourierTakes,
    /// Nothing: it is not in the kitchen.
    Gone,
}

/// Whole seconds since the kitchen first saw the ticket; never negative.
pub(super) fn seconds(ticket: &TicketView, now: Timestamp) -> i64 {
    now.seconds_since(ticket.shown_at)
}

/// The age of a ticket against the thresholds of the house.
pub(super) fn age(ticket: &TicketView, view: &KitchenView, now: Timestamp) -> Age {
    match seconds(ticket, now) {
        waited if waited >= view.red_seconds => Age::Red,
        waited if waited >= view.amber_seconds => Age::Amber,
        _ => Age::Fresh,
    }
}

/// Whether the ticket is on hold at this instant.
pub(super) fn is_held(ticket: &TicketView, now: Timestamp) -> bool {
    ticket.on_hold_until.is_some_and(|until| until > now)
}

/// Whether cash is still to be taken for it.
pub(super) fn owes_cash(ticket: &TicketView) -> bool {
    !ticket.paid && ticket.method == Method::Cash
}

/// Whether a line is work of this station. What belongs to no station is everybody's: it must not be
/// on nobody's board.
pub(super) fn belongs(line: &TicketLineView, station: Option<StationId>) -> bool {
    station.is_none() || line.station.is_none() || line.station == station
}

/// Whether there is still something to make of a line.
pub(super) const fn is_open(line: &TicketLineView) -> bool {
    line.done < line.quantity
}

/// What Bump would do.
pub(super) fn next(ticket: &TicketView, now: Timestamp) -> Next {
    match ticket.status {
        Status::Received => Next::AcceptFirst,
        Status::Confirmed if is_held(ticket, now) => Next::ReleaseFirst,
        Status::Confirmed => Next::Start,
        Status::Preparing => Next::Finish,
        Status::Ready if ticket.fulfilment == Fulfilment::Delivery => Next::CourierTakes,
        Status::Ready if !ticket.paid => Next::PayFirst,
        Status::Ready => Next::HandOver,
        _ => Next::Gone,
    }
}

/// Whether a station's board shows the ticket: until the station has bumped its lines or they were
/// voided. The board of all stations shows every ticket.
pub(super) fn is_shown(ticket: &TicketView, station: Option<StationId>) -> bool {
    if station.is_none() {
        return true;
    }
    let own = |line: &&TicketLineView| belongs(line, station) && line.quantity > 0;
    match ticket.status {
        Status::Received | Status::Confirmed => ticket.lines.iter().any(|line| own(&line)),
        // Recalled with every line done, it is nobody's work and therefore everybody's.
        Status::Preparing => {
            let finished = !ticket.lines.iter().any(is_open);
            ticket.lines.iter().filter(own).any(|line| is_open(line) || (finished && ticket.recalled))
        }
        _ => false,
    }
}

/// The tickets of a board in the order in which they are shown: what is to be cooked first, by
/// priority and then by age; then what waits to be collected, the longest first.
pub(super) fn shown(view: &KitchenView, station: Option<StationId>) -> Vec<&TicketView> {
    let mut tickets: Vec<&TicketView> = view.tickets.iter().filter(|ticket| is_shown(ticket, station)).collect();
    tickets.sort_by_key(|ticket| {
        let ready = ticket.status == Status::Ready;
        let since = if ready { ticket.ready_at.unwrap_or(ticket.shown_at) } else { ticket.shown_at };
        (ready, Reverse(if ready { 0 } else { ticket.priority }), since, ticket.order)
    });
    tickets
}

/// Units made and wanted at one station, of one ticket.
pub(super) fn progress(ticket: &TicketView, station: Option<StationId>) -> (i64, i64) {
    ticket.lines.iter().filter(|line| line.station == station).fold((0, 0), |(done, wanted), line| {
        (done.saturating_add(line.done.clamp(0, line.quantity.max(0))), wanted.saturating_add(line.quantity.max(0)))
    })
}
