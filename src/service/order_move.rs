//! Moving an order: let the domain decide on its snapshot (`order_load.rs`), carry the effects out in the
//! lock order of the specification, and write history, audit and outbox. Every event of the table goes
//! through [`apply`]; Place, which has no order yet, has a file of its own.

use super::door::Context;
use super::order_load::{Loaded, Stale, load, refresh};
use super::till::drawer_short;
use crate::domain::access::Actor;
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::{
    AssignmentId, AttemptId, CartId, LineId, OrderId, PromotionId, RefundId, StationId, StockItemId,
};
use crate::domain::money::Money;
use crate::domain::order::{
    Disposal, Effect, Emit, EndReason, Event, Guard, LinePart, Snapshot, Status, Transition, decide,
};
use crate::domain::payment::{AttemptMethod, AttemptStatus, RefundStatus};
use crate::domain::time::Timestamp;
use crate::store::holds::{MovedRow, Mover, ReservationRow};
use crate::store::money::{AttemptRow, GatewayFacts, RefundRow, Settled};
use crate::store::orders::{OrderRow, Steps};
use crate::store::records::AuditRow;
use crate::store::till::{Movement, MovementKind};
use crate::store::{carts, deliveries, holds, money, orders, promotions, tickets, till};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// How long the resolver waits before it asks a gateway about a fresh attempt.
const FIRST_CHECK_SECONDS: i64 = 15;

/// What a gateway told of an attempt beside its outcome; noted with the outcome.
pub(super) type Told = (AttemptId, GatewayFacts);

/// Judges an event on an order and, if it is taken, carries it out. The order as it stands after it.
///
/// # Errors
/// What the domain refuses, `NOT_FOUND`, and the store's refusals.
pub(super) async fn apply(context: &mut Context<'_>, id: OrderId, event: &Event) -> Result<Loaded, Refused> {
    let site = std::sync::Arc::clone(&context.site);
    let loaded = load(context.tx, &site, &context.actor, context.now, id).await?;
    apply_to(context, loaded, event).await
}

/// As [`apply`], on an order that was loaded in this transaction.
pub(super) async fn apply_to(context: &mut Context<'_>, loaded: Loaded, event: &Event) -> Result<Loaded, Refused> {
    let transition = judge(context, &loaded, event)?;
    carry_out(context, loaded, event, transition, None).await
}

/// What an event means for an order that was loaded in this transaction.
///
/// # Errors
/// What the domain refuses.
pub(super) fn judge(context: &Context<'_>, loaded: &Loaded, event: &Event) -> Result<Transition, Refused> {
    let snapshot = Snapshot::Order(Box::new(loaded.snapshot.clone()));
    decide(&snapshot, event, &context.actor, context.now, &context.site.settings)
}

/// Carries out what [`judge`] allowed, and notes what a gateway told with it.
///
/// # Errors
/// The store's refusals.
pub(super) async fn carry_out(
    context: &mut Context<'_>,
    loaded: Loaded,
    event: &Event,
    transition: Transition,
    told: Option<Told>,
) -> Result<Loaded, Refused> {
    let before = loaded.row.clone();
    let mut run = Run { context, loaded, transition, written_attempt: None, told, stale: Stale::default() };
    run.carry_out(event, &before).await?;
    let Run { context, loaded, stale, .. } = run;
    let site = std::sync::Arc::clone(&context.site);
    refresh(context.tx, &site, &context.actor, context.now, loaded, (&before, stale)).await
}

/// One transition on its way into rows.
struct Run<'c, 't> {
    context: &'c mut Context<'t>,
    loaded: Loaded,
    transition: Transition,
    written_attempt: Option<AttemptId>,
    told: Option<Told>,
    stale: Stale,
}

impl Run<'_, '_> {
    /// Every statement, and its outcome in `loaded`, or a mark in `stale` that it has to be read again.
    async fn carry_out(&mut self, event: &Event, seen: &OrderRow) -> Result<(), Refused> {
        let effects = std::mem::take(&mut self.transition.effects);
        let mut row = changed_row(seen, &self.transition, &effects, self.context.now);
        row.event_sequence += i64::try_from(self.transition.emits.len()).unwrap_or(0);
        let site = self.context.site.id.clone();
        // The order's row is the first lock.
        orders::update(self.context.tx, &site, seen, &row).await?;
        for effect in &effects {
            self.stock_effect(effect).await?;
        }
        self.claim_effects(&effects, seen, &row).await?;
        for effect in &effects {
            self.money_effect(effect).await?;
        }
        if let Some((attempt, facts)) = self.told.take() {
            let note = (attempt, &facts, None);
            money::note_gateway(self.context.tx, &site, OrderId(row.id), note, self.context.now).await?;
        }
        for effect in &effects {
            self.other_effect(effect).await?;
        }
        if self.transition.emits.contains(&Emit::OrderReady) {
            tickets::bump_all(self.context.tx, &site, OrderId(row.id), self.context.now).await?;
        }
        if self.transition.emits.contains(&Emit::OrderRecalled) {
            tickets::recall(self.context.tx, &site, OrderId(row.id), self.context.now).await?;
        }
        let reason = self.transition.reason_text.as_deref();
        let steps = Steps {
            order: OrderId(row.id),
            first_version: seen.version + 1,
            hops: &self.transition.hops,
            actor: &self.context.actor,
            reason,
            now: self.context.now,
        };
        orders::append_history(self.context.tx, &site, &steps).await?;
        self.tell(event, seen, &row);
        self.loaded.row = row;
        Ok(())
    }

    fn mover<'a>(
        site: &'a str,
        order: OrderId,
        actor: &'a Actor,
        reason: Option<&'a str>,
        now: Timestamp,
    ) -> Mover<'a> {
        Mover { site, order, line: None, actor, reason, now }
    }

    async fn stock_effect(&mut self, effect: &Effect) -> Result<(), Refused> {
        let site = self.context.site.id.clone();
        let actor = self.context.actor.clone();
        let reason = self.transition.reason_text.clone();
        let order = OrderId(self.loaded.row.id);
        let mover = Self::mover(&site, order, &actor, reason.as_deref(), self.context.now);
        match effect {
            Effect::ReleaseHeld => {
                for row in self.held() {
                    holds::release(self.context.tx, &mover, &row).await?;
                    self.restored(&row, row.quantity, None);
                }
                self.held_became("released");
            }
            Effect::CommitHeld => {
                let held = self.held();
                let moved = holds::commit_all(self.context.tx, &mover, &held).await?;
                for (row, moved) in held.iter().zip(moved) {
                    self.fulfilled(row, moved);
                }
                self.held_became("committed");
            }
            Effect::GiveBack(parts) => self.give_back(&mover, parts).await?,
            // Taken again before the decision (T5a).
            Effect::Retake => self.stale.holds = true,
            Effect::VoidUnits { line, quantity, .. } => self.void_units(&site, order, *line, *quantity).await?,
            // Reserve happens in Place.
            _ => {}
        }
        Ok(())
    }

    fn held_became(&mut self, state: &str) {
        for row in self.loaded.reservations.iter_mut().filter(|row| row.state == "held") {
            state.clone_into(&mut row.state);
        }
    }

    fn held(&self) -> Vec<ReservationRow> {
        self.loaded.reservations.iter().filter(|row| row.state == "held").cloned().collect()
    }

    /// Gives back parts of lines, stock item by stock item in the order of their ids.
    async fn give_back(&mut self, mover: &Mover<'_>, parts: &[LinePart]) -> Result<(), Refused> {
        self.stale.holds = true;
        let mut by_item: BTreeMap<(StockItemId, Disposal), i64> = BTreeMap::new();
        for part in parts {
            let Some(line) = self.loaded.snapshot.line(part.line) else { continue };
            for (item, units) in &line.uses {
                let quantity = units.saturating_mul(part.quantity);
                let sum = by_item.entry((*item, part.disposal)).or_default();
                *sum = sum.saturating_add(quantity);
            }
        }
        for ((item, disposal), quantity) in by_item {
            // An item that was not counted when it was sold has no reservation and moves nothing.
            let Some(at) = self
                .loaded
                .reservations
                .iter()
                .position(|row| row.stock_item_id == item.0 && matches!(row.state.as_str(), "held" | "committed"))
            else {
                continue;
            };
            let Some(row) = self.loaded.reservations.get(at).cloned() else { continue };
            let held = row.state == "held";
            match (held, disposal) {
                (true, Disposal::Restock) => holds::release_part(self.context.tx, mover, &row, quantity).await?,
                (true, Disposal::Waste) => {
                    holds::waste_part(self.context.tx, mover, &row, quantity).await?;
                }
                (false, Disposal::Restock) => {
                    let moved = holds::restock(self.context.tx, mover, &row, quantity).await?;
                    self.restored(&row, quantity, Some(moved));
                }
                (false, Disposal::Waste) => {
                    holds::waste_committed(self.context.tx, mover, &row, quantity).await?;
                }
            }
            if held && let Some(row) = self.loaded.reservations.get_mut(at) {
                row.quantity -= quantity;
            }
        }
        let (site, order) = (self.context.site.id.clone(), OrderId(self.loaded.row.id));
        for part in parts {
            let Some(line) = self.loaded.snapshot.lines.iter_mut().find(|line| line.id == part.line) else { continue };
            match part.disposal {
                Disposal::Restock => line.restocked += part.quantity,
                Disposal::Waste => line.wasted += part.quantity,
            }
            let counters = (line.voided, line.restocked, line.wasted, line.done);
            self.set_counters(&site, order, part.line, counters).await?;
        }
        Ok(())
    }

    async fn set_counters(
        &mut self,
        site: &str,
        order: OrderId,
        id: LineId,
        counters: (i64, i64, i64, i64),
    ) -> Result<(), Refused> {
        orders::set_line_counters(self.context.tx, site, order, id, counters).await?;
        if let Some(row) = self.loaded.lines.iter_mut().find(|row| row.id == id.0) {
            (row.voided, row.restocked, row.wasted, row.done) = counters;
        }
        Ok(())
    }

    async fn void_units(&mut self, site: &str, order: OrderId, id: LineId, quantity: i64) -> Result<(), Refused> {
        let Some(line) = self.loaded.snapshot.lines.iter_mut().find(|line| line.id == id) else {
            return Err(Refused::not_found("order line", id));
        };
        line.voided += quantity;
        line.done = line.done.min(line.open_quantity());
        let counters = (line.voided, line.restocked, line.wasted, line.done);
        self.set_counters(site, order, id, counters).await
    }

    /// The slot, then the promotion: what an order holds of them until it is dropped.
    async fn claim_effects(&mut self, effects: &[Effect], seen: &OrderRow, row: &OrderRow) -> Result<(), Refused> {
        let site = self.context.site.id.clone();
        let (order, promotion) = (OrderId(seen.id), seen.promotion_id.map(PromotionId));
        if !effects.contains(&Effect::ReleaseClaims) {
            if promotion.is_some() && row.paid && !seen.paid {
                promotions::used(self.context.tx, &site, order).await?;
            }
            return Ok(());
        }
        if let Some(slot) = seen.slot_name.as_ref().filter(|_| seen.slot_claimed) {
            orders::release_slot(self.context.tx, &site, &seen.business_date, slot).await?;
        }
        if let Some(promotion) = promotion {
            promotions::release(self.context.tx, &site, order, promotion, self.context.now).await?;
        }
        Ok(())
    }

    async fn money_effect(&mut self, effect: &Effect) -> Result<(), Refused> {
        let site = self.context.site.id.clone();
        let order = OrderId(self.loaded.row.id);
        let now = self.context.now;
        match effect {
            Effect::NewAttempt { id, method, status, amount, stray, gateway_payment_id, reason } => {
                let id = id.unwrap_or_else(|| AttemptId(self.context.new_id()));
                self.written_attempt = Some(id);
                let row = new_attempt_row(
                    &self.loaded.row,
                    id,
                    *method,
                    *status,
                    *amount,
                    (*stray, gateway_payment_id.clone(), reason.clone()),
                    now,
                );
                money::insert_attempt(self.context.tx, &site, &row, &self.context.actor).await?;
                self.loaded.attempts.push(row);
            }
            Effect::SettleAttempt { id, status, gateway_payment_id, reason, unresolved } => {
                let facts = self.told.take_if(|(attempt, _)| attempt == id).map(|(_, facts)| facts);
                let settled = Settled {
                    status: status.as_str(),
                    gateway_payment_id: gateway_payment_id.as_deref(),
                    reason: reason.as_deref(),
                    unresolved: *unresolved,
                    facts: facts.unwrap_or_default(),
                };
                let row = money::settle_attempt(self.context.tx, &site, order, *id, &settled, now).await?;
                self.attempt_became(row);
            }
            Effect::MarkUnknown { id } => {
                let next = now.plus_seconds(FIRST_CHECK_SECONDS);
                let row = money::mark_unknown(self.context.tx, &site, order, *id, now, next).await?;
                self.attempt_became(row);
            }
            Effect::NewRefund { attempt, method, amount, reason } => {
                let attempt =
                    attempt.or(self.written_attempt).ok_or_else(|| Refused::internal("a refund of nothing"))?;
                let id = self.context.new_id();
                let row = RefundRow {
                    order_id: order.0,
                    id,
                    attempt_id: attempt.0,
                    method: method.as_str().to_owned(),
                    amount: amount.0,
                    currency: self.loaded.row.currency.clone(),
                    status: RefundStatus::Pending.as_str().to_owned(),
                    transition: self.transition.hops.first().map_or("", |hop| hop.t).to_owned(),
                    reason: Some(reason.clone()).filter(|reason| !reason.is_empty()),
                    idempotency_key: format!("refund-{id}"),
                    tries: 0,
                    created_at: now.0,
                };
                money::insert_refund(self.context.tx, &site, &row, &self.context.actor).await?;
                self.loaded.refunds.push(row);
            }
            Effect::SettleRefund { id, from_drawer } => {
                if *from_drawer {
                    let amount = self.loaded.refunds.iter().find(|row| row.id == id.0).map_or(0, |row| row.amount);
                    self.move_cash(MovementKind::Refund, -amount, None, Some(*id)).await?;
                }
                money::end_refund(self.context.tx, &site, order, *id, ("settled", None, None), now).await?;
                self.refund_became(*id, RefundStatus::Settled);
            }
            Effect::FailRefund { id, reason } => {
                money::end_refund(self.context.tx, &site, order, *id, ("failed", Some(reason), None), now).await?;
                self.refund_became(*id, RefundStatus::Failed);
            }
            Effect::DrawerSale { amount, tendered } if amount.0 > 0 => {
                self.move_cash(MovementKind::Sale, amount.0, Some(tendered.0), None).await?;
            }
            _ => {}
        }
        Ok(())
    }

    fn attempt_became(&mut self, row: AttemptRow) {
        if let Some(known) = self.loaded.attempts.iter_mut().find(|known| known.id == row.id) {
            *known = row;
        }
    }

    fn refund_became(&mut self, id: RefundId, status: RefundStatus) {
        if let Some(row) = self.loaded.refunds.iter_mut().find(|row| row.id == id.0) {
            status.as_str().clone_into(&mut row.status);
        }
    }

    async fn move_cash(
        &mut self,
        kind: MovementKind,
        amount: i64,
        tendered: Option<i64>,
        refund: Option<RefundId>,
    ) -> Result<(), Refused> {
        self.stale.drawer = true;
        let site = self.context.site.id.clone();
        let closed = || Refused::conflict("The till is closed.").by_guard("till_open").help("Open the till first.");
        let shift =
            till::open_shift_at(self.context.tx, &site, self.context.actor.terminal).await?.ok_or_else(closed)?;
        let movement = Movement {
            kind,
            amount,
            tendered,
            order: Some(OrderId(self.loaded.row.id)),
            refund,
            reason: self.transition.reason_text.as_deref(),
        };
        let holds =
            till::move_cash(self.context.tx, &site, shift.shift_id(), &movement, &self.context.actor, self.context.now)
                .await?
                .ok_or_else(closed)?;
        // The guard looked before the drawer was ours: another may have taken from it meanwhile.
        if amount < 0 && holds < 0 {
            let held = Money(holds.saturating_sub(amount));
            return Err(drawer_short(held, self.context.site.currency, Guard::DrawerHolds.help()));
        }
        Ok(())
    }

    async fn other_effect(&mut self, effect: &Effect) -> Result<(), Refused> {
        let site = self.context.site.id.clone();
        let order = OrderId(self.loaded.row.id);
        let now = self.context.now;
        match effect {
            Effect::SetDone { lines, done } => {
                let known = lines.iter().filter(|id| self.loaded.snapshot.line(**id).is_some());
                let known: BTreeSet<LineId> = known.copied().collect();
                orders::set_done(self.context.tx, &site, order, &known, *done).await?;
                for row in self.loaded.lines.iter_mut().filter(|row| known.contains(&LineId(row.id))) {
                    row.done = if *done { row.quantity.saturating_sub(row.voided) } else { 0 };
                }
                self.bump_stations(&site, order, lines, *done).await?;
            }
            Effect::OpenTickets => {
                let items: Vec<_> = self
                    .loaded
                    .lines
                    .iter()
                    .filter_map(|line| Some((line.station_id?, line.id, line.quantity)))
                    .collect();
                tickets::open(self.context.tx, &site, order, &items, now).await?;
            }
            Effect::NewAssignment(courier) => {
                let id = AssignmentId(self.context.new_id());
                let by = self.context.actor.staff;
                self.stale.assignment = true;
                deliveries::insert(self.context.tx, &site, id, order, *courier, by, now).await?;
            }
            Effect::SetAssignment { id, status } => {
                let reason = self.transition.reason_text.as_deref();
                self.stale.assignment = true;
                deliveries::set_status(self.context.tx, &site, *id, status.as_str(), reason, now).await?;
            }
            Effect::ConsumeCart => self.move_cart(&site, ("locked", "consumed")).await?,
            Effect::ReopenCart => self.move_cart(&site, ("locked", "open")).await?,
            _ => {}
        }
        Ok(())
    }

    /// A station whose every line is done has bumped its ticket; undoing takes that back.
    async fn bump_stations(
        &mut self,
        site: &str,
        order: OrderId,
        changed: &[LineId],
        done: bool,
    ) -> Result<(), Refused> {
        let mut stations: Vec<StationId> = self
            .loaded
            .lines
            .iter()
            .filter(|line| changed.contains(&LineId(line.id)))
            .filter_map(|line| line.station_id.map(StationId))
            .collect();
        stations.sort_unstable();
        stations.dedup();
        for station in stations {
            let finished = done
                && self.loaded.lines.iter().filter(|line| line.station_id == Some(station.0)).all(|line| {
                    let id = LineId(line.id);
                    changed.contains(&id) || self.loaded.snapshot.line(id).is_none_or(|line| !line.is_undone())
                });
            let at = finished.then_some(self.context.now);
            tickets::set_bumped(self.context.tx, site, order, station, at).await?;
        }
        Ok(())
    }

    async fn move_cart(&mut self, site: &str, states: (&str, &str)) -> Result<(), Refused> {
        let row = &self.loaded.row;
        let Some(cart) = row.cart_id else { return Ok(()) };
        // The cart may have been deleted by its expiry, or moved by the customer: nothing to do then.
        carts::set_state(self.context.tx, site, CartId(cart), states, Some(OrderId(row.id)), self.context.now).await?;
        Ok(())
    }

    fn fulfilled(&mut self, row: &ReservationRow, moved: MovedRow) {
        let details = format!(
            "Fulfilled {} units for order {}. Stock: {}, Reserved: {}",
            row.quantity, self.loaded.row.order_number, moved.on_hand, moved.reserved
        );
        self.context.audit(stock_audit("ORDER_FULFILLED", row, details));
    }

    fn restored(&mut self, row: &ReservationRow, quantity: i64, _moved: Option<MovedRow>) {
        let how = match self.transition.to() {
            Some(Status::Rejected) => "rejected",
            Some(Status::Expired) => "expired",
            Some(status) if status.is_dropped() => "cancelled",
            _ => "changed",
        };
        let details = format!("Restored {quantity} units from {how} order {}", self.loaded.row.order_number);
        self.context.audit(stock_audit("STOCK_RESTORED", row, details));
    }

    /// Writes audit and outbox rows of the transition.
    fn tell(&mut self, event: &Event, seen: &OrderRow, row: &OrderRow) {
        let id = OrderId(row.id);
        for (sequence, emit) in (seen.event_sequence + 1..).zip(&self.transition.emits) {
            self.context.emit(id, sequence, emit.as_str(), payload(row, *emit), priority(*emit));
        }
        let steps: Vec<&str> = self.transition.hops.iter().map(|hop| hop.t).collect();
        let details = if seen.status == row.status {
            format!("Order {}: {} ({})", row.order_number, event.kind().as_str().replace('_', " "), steps.join(", "))
        } else {
            format!("Order {}: {} → {} ({})", row.order_number, seen.status, row.status, steps.join(", "))
        };
        self.context.audit(AuditRow {
            action: "UPDATE",
            entity: "Order",
            entity_id: id.to_string(),
            details,
            before: Some(json!({ "status": seen.status, "version": seen.version, "due": seen.due })),
            after: Some(json!({ "status": row.status, "version": row.version, "due": row.due })),
            reason: self.transition.reason_text.clone(),
        });
    }
}

fn stock_audit(action: &'static str, row: &ReservationRow, details: String) -> AuditRow {
    AuditRow {
        action,
        entity: "Inventory",
        entity_id: row.stock_item_id.to_string(),
        details,
        before: None,
        after: None,
        reason: None,
    }
}

/// What an event carries to the world: enough to show, nothing about the person but the called name.
pub(super) fn payload(row: &OrderRow, emit: Emit) -> serde_json::Value {
    let mut payload = json!({
        "order_id": row.id,
        "order_number": row.order_number,
        "pickup_number": row.pickup_number,
        "status": row.status,
        "updated_at": Timestamp(row.updated_at).to_rfc3339(),
    });
    if emit == Emit::EstimatedTime
        && let Some(at) = row.estimated_ready_at
        && let serde_json::Value::Object(map) = &mut payload
    {
        map.insert("ready_by".to_owned(), Timestamp(at).to_rfc3339().into());
    }
    payload
}

/// Critical status goes first (003-089).
pub(super) const fn priority(emit: Emit) -> i64 {
    match emit {
        Emit::OrderReady | Emit::OrderCancelled | Emit::OrderRejected | Emit::PaymentFailed => 10,
        Emit::OrderReceived | Emit::OrderConfirmed | Emit::PaymentCompleted => 5,
        _ => 0,
    }
}

pub(super) fn new_attempt_row(
    order: &OrderRow,
    id: AttemptId,
    method: AttemptMethod,
    status: AttemptStatus,
    amount: Money,
    (stray, gateway_payment_id, reason): (bool, Option<String>, Option<String>),
    now: Timestamp,
) -> AttemptRow {
    let open = matches!(status, AttemptStatus::Created | AttemptStatus::Authorized);
    AttemptRow {
        order_id: order.id,
        id: id.0,
        method: method.as_str().to_owned(),
        amount: amount.0,
        currency: order.currency.clone(),
        status: status.as_str().to_owned(),
        unknown: false,
        unresolved: false,
        stray,
        idempotency_key: format!("pay-{id}"),
        gateway: None,
        gateway_order_id: None,
        gateway_payment_id,
        brand: None,
        last_four: None,
        reason,
        gateway_response: None,
        tries: 0,
        created_at: now.0,
        captured_at: (status == AttemptStatus::Captured).then_some(now.0),
        ended_at: (!open).then_some(now.0),
        next_check_at: open.then(|| now.plus_seconds(FIRST_CHECK_SECONDS).0),
    }
}

/// The order's row after the transition: the columns that the hops and effects set.
pub(super) fn changed_row(seen: &OrderRow, transition: &Transition, effects: &[Effect], now: Timestamp) -> OrderRow {
    let mut row = seen.clone();
    for hop in &transition.hops {
        row.version += 1;
        if hop.from == Some(hop.to) {
            continue;
        }
        row.status = hop.to.as_str().to_owned();
        match hop.to {
            Status::Received => row.received_at = row.received_at.or(Some(now.0)),
            Status::Confirmed => row.confirmed_at = Some(now.0),
            Status::Preparing => row.preparing_at = row.preparing_at.or(Some(now.0)),
            Status::Ready => row.ready_at = Some(now.0),
            Status::OutForDelivery => row.out_at = Some(now.0),
            status if status.is_terminal() => row.ended_at = Some(now.0),
            _ => {}
        }
    }
    row.updated_at = now.0;
    if let Some(reason) = transition.reason {
        row.reason = Some(reason.as_str().to_owned());
        row.reason_text.clone_from(&transition.reason_text);
    }
    if transition.emits.contains(&Emit::OrderRecalled) {
        row.ready_at = None;
    }
    if transition.emits.contains(&Emit::DriverCancelled) {
        row.assignment_failures += 1;
    }
    if transition.emits.contains(&Emit::AssignmentEscalated) {
        row.assignment_escalated = true;
    }
    for effect in effects {
        match effect {
            Effect::SetExpiry(at) => row.expires_at = Some(at.0),
            Effect::UseExtension => row.hold_extended = true,
            Effect::SetEstimate(minutes) => {
                row.estimated_ready_at = Some(now.plus_seconds(minutes.saturating_mul(60)).0);
            }
            Effect::SetHold(until) => row.on_hold_until = Some(until.map_or(i64::MAX, |at| at.0)),
            Effect::ClearHold => row.on_hold_until = None,
            Effect::SetPriority(priority) => row.priority = *priority,
            Effect::SetNote(note) => row.staff_note = Some(note.clone()).filter(|note| !note.is_empty()),
            Effect::VoidUnits { share, .. } => row.due = row.due.saturating_sub(share.0).max(0),
            Effect::ReleaseClaims => row.slot_claimed = false,
            Effect::FlagUncollected => row.uncollected = true,
            Effect::FlagLatePayment => row.late_payment = true,
            Effect::NewAttempt { status: AttemptStatus::Captured, stray: false, .. }
            | Effect::SettleAttempt { status: AttemptStatus::Captured, .. } => {
                row.paid = true;
                row.paid_at = row.paid_at.or(Some(now.0));
            }
            _ => {}
        }
    }
    row
}

/// The refusal that a guard would give for an order that ended in this transaction all the same (T4,
/// T6): the call answers with a code, and what happened is kept.
pub(super) const fn outcome_code(reason: Option<EndReason>) -> Option<ErrorCode> {
    match reason {
        Some(EndReason::PaymentFailed) => Some(ErrorCode::PaymentFailed),
        Some(EndReason::InsufficientStock) => Some(ErrorCode::InsufficientStock),
        _ => None,
    }
}
