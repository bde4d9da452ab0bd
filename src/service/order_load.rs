//! An order as a decision needs it: its rows, and the snapshot that the domain judges. It is read once in a
//! transaction; after a transition it stands as the transition's own statements answered, and only what
//! these do not tell is read again.

use super::door::Site;
use crate::domain::access::{Actor, Role};
use crate::domain::error::Refused;
use crate::domain::fulfilment::Fulfilment;
use crate::domain::ids::{AssignmentId, AttemptId, CustomerId, LineId, OrderId, RefundId, StaffId, StockItemId};
use crate::domain::money::Money;
use crate::domain::order::{Assignment, HoldState, Line, OrderSnapshot, Reservation, estimate_minutes};
use crate::domain::payment::{Attempt, Method, Refund};
use crate::domain::time::{Timestamp, business_day_start};
use crate::store::deliveries::AssignmentRow;
use crate::store::holds::ReservationRow;
use crate::store::money::{AttemptRow, RefundRow};
use crate::store::orders::{LineRow, OrderRow};
use crate::store::{Tx, deliveries, holds, money, orders, till};
use chrono::NaiveDate;
use std::str::FromStr;

/// An order as it was loaded for a decision.
pub(super) struct Loaded {
    pub row: OrderRow,
    pub lines: Vec<LineRow>,
    pub attempts: Vec<AttemptRow>,
    pub refunds: Vec<RefundRow>,
    pub reservations: Vec<ReservationRow>,
    pub snapshot: OrderSnapshot,
    assignment: Option<AssignmentRow>,
    drawer: Option<Money>,
    /// Orders that the kitchen has before it, as far as they matter; known of an order before it is confirmed.
    ahead: i64,
}

/// What a transition changed beyond the rows that it keeps up to date itself.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stale {
    /// Holds on stock were split or taken again.
    pub holds: bool,
    /// A courier was named, or went on.
    pub assignment: bool,
    /// Cash moved.
    pub drawer: bool,
}

pub(super) fn word<T: FromStr<Err = Refused>>(text: &str) -> Result<T, Refused> {
    text.parse().map_err(|error: Refused| Refused::internal(format!("stored word: {error}")))
}

/// Loads an order with everything its guards may look at.
pub(super) async fn load(
    tx: &mut Tx,
    site: &Site,
    actor: &Actor,
    now: Timestamp,
    id: OrderId,
) -> Result<Loaded, Refused> {
    Ok(load_with_payment(tx, site, actor, now, id, None).await?.0)
}

/// As [`load`]; and whether a gateway's payment id stands in an attempt already, of whichever order.
pub(super) async fn load_with_payment(
    tx: &mut Tx,
    site: &Site,
    actor: &Actor,
    now: Timestamp,
    id: OrderId,
    payment: Option<&str>,
) -> Result<(Loaded, bool), Refused> {
    let (row, ahead) = orders::find_in_queue(tx, &site.id, id).await?.ok_or_else(|| Refused::not_found("order", id))?;
    let lines = orders::lines(tx, &site.id, id).await?;
    let mut attempts = match payment {
        Some(payment) => money::attempts_or_payment(tx, &site.id, id, payment).await?,
        None => money::attempts(tx, &site.id, id).await?,
    };
    let seen = payment.is_some() && attempts.iter().any(|row| row.gateway_payment_id.as_deref() == payment);
    attempts.retain(|row| row.order_id == id.0);
    let captured = attempts.iter().any(|attempt| attempt.status == "captured");
    let refunds = if captured { money::refunds(tx, &site.id, id).await? } else { Vec::new() };
    let reservations = holds::of_order(tx, &site.id, id).await?;
    let assignment = if Fulfilment::parse(&row.fulfilment)? == Fulfilment::Delivery {
        deliveries::active(tx, &site.id, id).await?
    } else {
        None
    };
    let drawer = if asks_drawer(&row, &refunds, actor)? { drawer(tx, site, actor).await? } else { None };
    let rows = Rows {
        row: &row,
        lines: &lines,
        attempts: &attempts,
        refunds: &refunds,
        reservations: &reservations,
        assignment: assignment.as_ref(),
        drawer,
        ahead,
    };
    let snapshot = rows.snapshot(site, now)?;
    Ok((Loaded { row, lines, attempts, refunds, reservations, snapshot, assignment, drawer, ahead }, seen))
}

/// The order after a transition whose statements kept its rows up to date, but for what is stale.
/// `before` is its row as it was then.
pub(super) async fn refresh(
    tx: &mut Tx,
    site: &Site,
    actor: &Actor,
    now: Timestamp,
    mut loaded: Loaded,
    (before, stale): (&OrderRow, Stale),
) -> Result<Loaded, Refused> {
    let id = OrderId(loaded.row.id);
    loaded.attempts.sort_by_key(|row| (row.created_at, row.id));
    loaded.refunds.sort_by_key(|row| (row.created_at, row.id));
    if stale.holds {
        loaded.reservations = holds::of_order(tx, &site.id, id).await?;
    }
    if stale.assignment {
        loaded.assignment = deliveries::active(tx, &site.id, id).await?;
    }
    let asks = asks_drawer(&loaded.row, &loaded.refunds, actor)?;
    if asks && (stale.drawer || loaded.drawer.is_none()) {
        loaded.drawer = drawer(tx, site, actor).await?;
    }
    loaded.ahead = match (before.status.as_str(), loaded.row.status.as_str()) {
        // Now it is one of them itself.
        ("pending", "received") => loaded.ahead + 1,
        (_, "pending" | "received") => loaded.ahead,
        _ => 0,
    };
    let rows = Rows {
        row: &loaded.row,
        lines: &loaded.lines,
        attempts: &loaded.attempts,
        refunds: &loaded.refunds,
        reservations: &loaded.reservations,
        assignment: loaded.assignment.as_ref(),
        drawer: loaded.drawer,
        ahead: loaded.ahead,
    };
    loaded.snapshot = rows.snapshot(site, now)?;
    Ok(loaded)
}

/// Only where cash may move is the drawer asked for. A guest's command never moves it, and a kiosk's role
/// on Postgres may not look at it.
fn asks_drawer(row: &OrderRow, refunds: &[RefundRow], actor: &Actor) -> Result<bool, Refused> {
    let method: Method = word(&row.method)?;
    let cash = method == Method::Cash || refunds.iter().any(|refund| refund.method == "cash");
    Ok(cash && actor.role != Role::Customer)
}

async fn drawer(tx: &mut Tx, site: &Site, actor: &Actor) -> Result<Option<Money>, Refused> {
    Ok(till::open_shift_at(tx, &site.id, actor.terminal).await?.map(|shift| Money(shift.balance)))
}

/// The rows that a snapshot is made of.
struct Rows<'a> {
    row: &'a OrderRow,
    lines: &'a [LineRow],
    attempts: &'a [AttemptRow],
    refunds: &'a [RefundRow],
    reservations: &'a [ReservationRow],
    assignment: Option<&'a AssignmentRow>,
    drawer: Option<Money>,
    ahead: i64,
}

impl Rows<'_> {
    fn snapshot(&self, site: &Site, now: Timestamp) -> Result<OrderSnapshot, Refused> {
        let row = self.row;
        let day = NaiveDate::parse_from_str(&row.business_date, "%Y-%m-%d").map_err(Refused::internal)?;
        let cutoff = site.settings.business_day_cutoff;
        let business_day_over = day.succ_opt().is_some_and(|next| now >= business_day_start(next, site.zone, cutoff));
        let longest = self.lines.iter().map(|line| line.prep_minutes).max().unwrap_or(0);
        Ok(OrderSnapshot {
            id: OrderId(row.id),
            status: word(&row.status)?,
            version: row.version,
            fulfilment: Fulfilment::parse(&row.fulfilment)?,
            method: word(&row.method)?,
            owner: CustomerId(row.customer_id),
            due: Money(row.due),
            placed_at: Timestamp(row.created_at),
            received_at: row.received_at.map(Timestamp),
            ready_at: row.ready_at.map(Timestamp),
            captured_at: row.paid_at.map(Timestamp),
            expires_at: row.expires_at.map(Timestamp),
            hold_extended: row.hold_extended,
            on_hold_until: row.on_hold_until.map(Timestamp),
            estimate_minutes: estimate_minutes(longest, self.ahead),
            business_day_over,
            drawer: self.drawer,
            lines: self.lines.iter().map(line_of).collect(),
            attempts: self.attempts.iter().map(attempt_of).collect::<Result<_, _>>()?,
            refunds: self.refunds.iter().map(refund_of).collect::<Result<_, _>>()?,
            reservations: self.reservations.iter().map(reservation_of).collect::<Result<_, _>>()?,
            assignment: self
                .assignment
                .map(|row| {
                    Ok::<_, Refused>(Assignment {
                        id: AssignmentId(row.id),
                        staff: StaffId(row.staff_id),
                        status: word(&row.status)?,
                    })
                })
                .transpose()?,
            failed_assignments: row.assignment_failures,
        })
    }
}

fn line_of(row: &LineRow) -> Line {
    Line {
        id: LineId(row.id),
        quantity: row.quantity,
        voided: row.voided,
        restocked: row.restocked,
        wasted: row.wasted,
        done: row.done,
        total_share: Money(row.total_share),
        uses: row.consumption.0.iter().map(|used| (StockItemId(used.stock_item_id), used.units)).collect(),
    }
}

pub(super) fn attempt_of(row: &AttemptRow) -> Result<Attempt, Refused> {
    Ok(Attempt {
        id: AttemptId(row.id),
        method: word(&row.method)?,
        status: word(&row.status)?,
        amount: Money(row.amount),
        unknown: row.unknown,
        unresolved: row.unresolved,
        stray: row.stray,
    })
}

pub(super) fn refund_of(row: &RefundRow) -> Result<Refund, Refused> {
    Ok(Refund {
        id: RefundId(row.id),
        attempt: AttemptId(row.attempt_id),
        method: word(&row.method)?,
        amount: Money(row.amount),
        status: word(&row.status)?,
    })
}

fn reservation_of(row: &ReservationRow) -> Result<Reservation, Refused> {
    Ok(Reservation {
        stock_item: StockItemId(row.stock_item_id),
        quantity: row.quantity,
        state: word::<HoldState>(&row.state)?,
    })
}
