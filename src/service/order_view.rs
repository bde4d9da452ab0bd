//! From rows to what screens and the command line see of an order. No rule and no SQL.

use super::order_load::{attempt_of, refund_of};
use super::views::{AttemptView, HistoryView, OrderLineView, OrderView, RefundView};
use crate::domain::error::Refused;
use crate::domain::ids::{AttemptId, CustomerId, ItemId, LineId, OrderId, RefundId, StationId};
use crate::domain::money::{Currency, Money};
use crate::domain::payment::{Attempt, Refund, payment_status};
use crate::domain::time::Timestamp;
use crate::store::money::{AttemptRow, RefundRow};
use crate::store::orders::{HistoryRow, LineRow, OrderRow};

/// The names of the choices that a line keeps.
#[must_use]
pub fn option_names(options: &serde_json::Value) -> Vec<String> {
    options
        .as_array()
        .map(|chosen| chosen.iter().filter_map(|option| option.get("name")?.as_str()).map(str::to_owned).collect())
        .unwrap_or_default()
}

/// An order with all that stands about it.
///
/// # Errors
/// `INTERNAL_ERROR` for a stored word that this program does not know.
pub fn order_view(
    row: &OrderRow,
    lines: &[LineRow],
    attempts: &[AttemptRow],
    refunds: &[RefundRow],
) -> Result<OrderView, Refused> {
    let judged: Vec<Attempt> = attempts.iter().map(attempt_of).collect::<Result<_, _>>()?;
    let given_back: Vec<Refund> = refunds.iter().map(refund_of).collect::<Result<_, _>>()?;
    Ok(OrderView {
        id: OrderId(row.id),
        order_number: row.order_number.clone(),
        pickup_number: row.pickup_number.clone(),
        business_date: row.business_date.clone(),
        status: row.status.parse()?,
        reason: row.reason.as_deref().map(str::parse).transpose()?,
        reason_text: row.reason_text.clone(),
        version: row.version,
        fulfilment: crate::domain::fulfilment::Fulfilment::parse(&row.fulfilment)?,
        method: row.method.parse()?,
        paid: row.paid,
        payment_status: payment_status(&judged, &given_back),
        customer: CustomerId(row.customer_id),
        called_name: row.called_name.clone(),
        currency: Currency::parse(&row.currency)?,
        subtotal: Money(row.subtotal),
        discount: Money(row.discount),
        tax: Money(row.tax),
        tax_inclusive: row.tax_inclusive,
        delivery_charge: Money(row.delivery_charge),
        total: Money(row.total),
        due: Money(row.due),
        note: row.note.clone(),
        staff_note: row.staff_note.clone(),
        created_at: Timestamp(row.created_at),
        updated_at: Timestamp(row.updated_at),
        received_at: row.received_at.map(Timestamp),
        ready_at: row.ready_at.map(Timestamp),
        estimated_ready_at: row.estimated_ready_at.map(Timestamp),
        expires_at: row.expires_at.map(Timestamp),
        hold_extended: row.hold_extended,
        on_hold_until: row.on_hold_until.map(Timestamp),
        priority: row.priority,
        uncollected: row.uncollected,
        late_payment: row.late_payment,
        assignment_escalated: row.assignment_escalated,
        retry_of: row.retry_of.map(OrderId),
        lines: lines.iter().map(line_view).collect(),
        attempts: attempts.iter().map(attempt_view).collect::<Result<_, _>>()?,
        refunds: refunds.iter().map(refund_view).collect::<Result<_, _>>()?,
        trace: serde_json::from_value(row.price_trace.0.clone()).map_err(Refused::internal)?,
    })
}

fn line_view(row: &LineRow) -> OrderLineView {
    OrderLineView {
        id: LineId(row.id),
        item_id: ItemId(row.item_id),
        name: row.item_name.clone(),
        options: option_names(&row.options.0),
        quantity: row.quantity,
        unit_price: Money(row.unit_price),
        line_total: Money(row.line_total),
        total_share: Money(row.total_share),
        station: row.station_id.map(StationId),
        note: row.note.clone(),
        voided: row.voided,
        done: row.done,
        restocked: row.restocked,
        wasted: row.wasted,
    }
}

/// An attempt as people see it.
///
/// # Errors
/// `INTERNAL_ERROR` for a stored word that this program does not know.
pub fn attempt_view(row: &AttemptRow) -> Result<AttemptView, Refused> {
    Ok(AttemptView {
        id: AttemptId(row.id),
        key: row.idempotency_key.clone(),
        method: row.method.parse()?,
        status: row.status.parse()?,
        amount: Money(row.amount),
        unknown: row.unknown,
        stray: row.stray,
        gateway_order_id: row.gateway_order_id.clone(),
        gateway_payment_id: row.gateway_payment_id.clone(),
        brand: row.brand.clone(),
        last_four: row.last_four.clone(),
        reason: row.reason.clone(),
    })
}

fn refund_view(row: &RefundRow) -> Result<RefundView, Refused> {
    Ok(RefundView {
        id: RefundId(row.id),
        attempt: AttemptId(row.attempt_id),
        method: row.method.parse()?,
        amount: Money(row.amount),
        status: row.status.parse()?,
        reason: row.reason.clone(),
    })
}

/// A step of the history.
///
/// # Errors
/// `INTERNAL_ERROR` for a stored word that this program does not know.
pub fn history_view(row: &HistoryRow) -> Result<HistoryView, Refused> {
    Ok(HistoryView {
        version: row.version,
        from: row.from_status.as_deref().map(str::parse).transpose()?,
        to: row.to_status.parse()?,
        transition: row.transition.clone(),
        role: row.actor_role.clone(),
        actor: row.actor.clone(),
        terminal: row.terminal.clone(),
        reason: row.reason.clone(),
        at: Timestamp(row.at),
    })
}
