//! Place: from a cart to an order (T1, T2, with T3b and T10 in the same transaction where they apply).
//!
//! The lock order here: stock items by id, slot, promotion, number counter; then only inserts. The
//! order's own row is new and needs no lock.

use super::cart::{self, Priced};
use super::door::{Context, UseCase};
use super::order_move::{changed_row, new_attempt_row, payload, priority};
use super::order_view::{attempt_view, order_view};
use super::views::Placed;
use crate::domain::access::Permission;
use crate::domain::cart::CartState;
use crate::domain::consumption::{SaleLine, insufficient_stock};
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::fulfilment::Fulfilment;
use crate::domain::ids::{AttemptId, CartId, CustomerId, LineId, OrderId, PromotionId, StockItemId};
use crate::domain::order::{
    Effect, Event, PlaceFacts, Snapshot, Transition, decide, estimate_minutes, may_be_tried_again,
};
use crate::domain::payment::Method;
use crate::domain::pricing::{PricedLine, Quote};
use crate::domain::text;
use crate::domain::time::{Timestamp, compact_date};
use crate::store::holds::Mover;
use crate::store::money::AttemptRow;
use crate::store::orders::{LineRow, OrderRow, Steps, UsedUnits};
use crate::store::records::AuditRow;
use crate::store::{carts, holds, money, orders, promotions, tickets};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

/// Longest name or pager number that is called, in characters.
const MAX_CALLED_NAME: usize = 24;
/// Longest address, in characters.
pub const MAX_ADDRESS: usize = 300;

/// An address as it may be stored; `None` where nothing of it is left.
#[must_use]
pub fn clean_address(typed: &str) -> Option<String> {
    Some(text::clean(typed, MAX_ADDRESS, true)).filter(|address| !address.is_empty())
}

/// Makes an order of a cart.
#[derive(Clone, Serialize, Deserialize)]
pub struct PlaceOrder {
    /// The cart.
    pub cart: CartId,
    /// How it is to be paid.
    pub method: Method,
    /// The name or pager number to call.
    #[serde(default)]
    pub called_name: Option<String>,
    /// Whether the first attempt is written in the same transaction ("pay now").
    #[serde(default)]
    pub pay_now: bool,
    /// Where a delivery goes.
    #[serde(default)]
    pub delivery_address: Option<String>,
    /// The order that failed and that this one tries again (C3).
    #[serde(default)]
    pub retry_of: Option<OrderId>,
    /// The total that the customer saw; another one is refused, so that nobody pays what they did not see. Without
    /// it, the price of each line must still be the one that was seen when it was added.
    #[serde(default)]
    pub expected_total: Option<i64>,
}

impl fmt::Debug for PlaceOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Where somebody lives must not get into a log.
        f.debug_struct("PlaceOrder").field("cart", &self.cart).field("method", &self.method).finish_non_exhaustive()
    }
}

/// The time of an order: its business date and the slot that is on.
struct Day {
    date: NaiveDate,
    text: String,
    slot: Option<String>,
}

impl UseCase for PlaceOrder {
    type Output = Placed;
    const NAME: &'static str = "place_order";
    const PERMISSION: Permission = Permission::OrdersCreate;

    async fn run(&self, context: &mut Context<'_>) -> Result<Placed, Refused> {
        let site = Arc::clone(&context.site);
        let loaded = cart::load(context.tx, context.menus, &site, &context.actor, self.cart)
            .await?
            .ok_or_else(|| Refused::not_found("cart", self.cart))?;
        if loaded.cart.state != CartState::Open {
            return Err(Refused::conflict("An order was already placed from this cart.")
                .by_guard("cart_open")
                .with("order_id", loaded.row.order_id.map(|id| id.to_string())));
        }
        self.check_retry(context, loaded.cart.owner).await?;
        let day = self.day(context);
        let priced = if loaded.cart.is_empty() { None } else { self.price(&loaded, context)? };
        let first_attempt = (self.pay_now && self.method.is_prepaid()).then(|| AttemptId(context.new_id()));
        let (facts, claimed) = self.facts(context, &loaded, &day, priced.as_ref(), first_attempt).await?;
        let event = Event::Place(Box::new(facts));
        let decided = decide(&Snapshot::None, &event, &context.actor, context.now, &site.settings);
        let promotion_refused = priced.as_ref().and_then(|priced| priced.promotion_refused.clone());
        let transition = decided.map_err(|refused| match promotion_refused {
            // The promotion itself knows better why.
            Some(why) if why.guard == refused.guard => why,
            _ if refused.code == ErrorCode::OrderLimitReached => refused.with("current", claimed),
            _ => refused,
        })?;
        let Priced { quote, lines, .. } = priced.ok_or_else(|| Refused::internal("an order without a quote"))?;
        self.check_seen(&loaded, &quote)?;
        self.write(context, &loaded, &day, &quote, &lines, transition).await
    }
}

impl PlaceOrder {
    /// The order that is tried again is of the same guest, and ended before it was paid, so that its cart
    /// was given back (C3, C9).
    async fn check_retry(&self, context: &mut Context<'_>, owner: CustomerId) -> Result<(), Refused> {
        let Some(retried) = self.retry_of else { return Ok(()) };
        let site = context.site.id.clone();
        let found = orders::find(context.tx, &site, retried).await?;
        // Whether somebody else's order is there is nobody's business: it is as one that is not.
        let row = found
            .filter(|row| row.customer_id == owner.0)
            .ok_or_else(|| Refused::not_found("order to try again", retried))?;
        if !may_be_tried_again(row.status.parse()?, row.received_at.map(Timestamp)) {
            return Err(Refused::invalid("retry_of", "This order did not fail and cannot be tried again.")
                .with("status", row.status)
                .help("Place a new order without it."));
        }
        Ok(())
    }

    /// Nobody orders at a price that they did not see.
    fn check_seen(&self, loaded: &cart::Loaded, quote: &Quote) -> Result<(), Refused> {
        const HELP: &str = "Look at the cart again and confirm it.";
        if let Some(expected) = self.expected_total {
            if expected == quote.total.0 {
                return Ok(());
            }
            return Err(Refused::conflict("The total has changed since you saw it.")
                .by_guard("total_seen")
                .with("seen", expected)
                .with("now", quote.total.0)
                .help(HELP));
        }
        let changed =
            loaded.cart.lines.iter().zip(&quote.lines).find(|(line, now)| line.unit_price_seen != now.unit_price);
        match changed {
            None => Ok(()),
            Some((line, now)) => Err(Refused::conflict(format!("The price of {} has changed.", line.name_seen))
                .by_guard("price_seen")
                .with("item", line.name_seen.clone())
                .with("seen", line.unit_price_seen.0)
                .with("now", now.unit_price.0)
                .help(HELP)),
        }
    }

    fn day(&self, context: &Context<'_>) -> Day {
        let (site, now) = (&context.site, context.now);
        let date = now.business_date(site.zone, site.settings.business_day_cutoff);
        let slot = site.settings.time_slots.slot_now(now, site.zone).map(|slot| slot.name.clone());
        Day { date, text: date.format("%Y-%m-%d").to_string(), slot }
    }

    /// The cart with its price; `None` where a line no longer fits the menu (the guard `items_available` says so).
    fn price(&self, loaded: &cart::Loaded, context: &Context<'_>) -> Result<Option<Priced>, Refused> {
        match cart::priced(loaded, &context.site, context.now) {
            Ok(priced) => Ok(Some(priced)),
            Err(refused) if matches!(refused.code, ErrorCode::ItemUnavailable) => Ok(None),
            Err(refused) => Err(refused),
        }
    }

    /// The address as it may be stored.
    fn address(&self) -> Option<String> {
        clean_address(self.delivery_address.as_deref()?)
    }

    /// What the machine has to know, and how many places of the slot are taken.
    async fn facts(
        &self,
        context: &mut Context<'_>,
        loaded: &cart::Loaded,
        day: &Day,
        priced: Option<&Priced>,
        first_attempt: Option<AttemptId>,
    ) -> Result<(PlaceFacts, i64), Refused> {
        let site = Arc::clone(&context.site);
        let settings = &site.settings;
        let fulfilment = loaded.cart.fulfilment.unwrap_or(Fulfilment::Pickup);
        let (ahead, claimed) = orders::crowd(context.tx, &site.id, &day.text, day.slot.as_deref()).await?;
        let slot_has_room = day.slot.is_some() && claimed < settings.max_orders_per_slot;
        let mut unavailable = Vec::new();
        let mut longest = 0;
        for line in &loaded.cart.lines {
            let item = loaded.menu.menu.item(line.item_id);
            longest = longest.max(item.map_or(0, |item| i64::from(item.prep_minutes)));
            let availability =
                loaded.with_stock(|stock| loaded.menu.menu.availability(line.item_id, day.slot.as_deref(), stock));
            // Counted stock is judged by the reservation itself, with 001's own words.
            let sold_out = matches!(availability, crate::domain::consumption::Availability::SoldOut);
            let choices_fit = item.is_some_and(|item| item.choose(&line.options).is_ok());
            if !choices_fit || (!sold_out && availability.check(&line.name_seen).is_err()) {
                unavailable.push(line.name_seen.clone());
            }
        }
        let expiry = settings.pending_expiry_seconds;
        let facts = PlaceFacts {
            method: self.method,
            fulfilment,
            lines: loaded.cart.lines.len(),
            due: priced.map_or(crate::domain::money::Money::ZERO, |priced| priced.quote.total),
            restaurant_open: settings.restaurant_open,
            slot_active: day.slot.is_some(),
            slot_has_room,
            unavailable,
            fulfilment_enabled: fulfilment != Fulfilment::Delivery || settings.delivery_enabled,
            method_enabled: match self.method {
                Method::Card => settings.card_payment_enabled,
                Method::Upi => settings.upi_payment_enabled,
                Method::Cash => settings.cash_payment_enabled,
            },
            address_given: self.address().is_some(),
            promo_claimable: priced.is_none_or(|priced| priced.promotion_refused.is_none()),
            stock_suffices: true,
            first_attempt,
            expires_at: (expiry > 0).then(|| context.now.plus_seconds(expiry)),
            estimate_minutes: estimate_minutes(longest, ahead),
        };
        Ok((facts, claimed))
    }

    async fn write(
        &self,
        context: &mut Context<'_>,
        loaded: &cart::Loaded,
        day: &Day,
        quote: &Quote,
        lines: &cart::PricedLines,
        transition: Transition,
    ) -> Result<Placed, Refused> {
        let site = Arc::clone(&context.site);
        let (now, actor) = (context.now, context.actor.clone());
        let id = OrderId(context.new_id());
        let mover = Mover { site: &site.id, order: id, line: None, actor: &actor, reason: None, now };

        // Locks: stock items by id, the slot, the promotion, the number counter.
        let reserved = self.reserve(context, loaded, &mover).await?;
        if let Some(slot) = &day.slot
            && !orders::claim_slot(context.tx, &site.id, &day.text, slot, site.settings.max_orders_per_slot).await?
        {
            let max = site.settings.max_orders_per_slot;
            return Err(Refused::new(
                ErrorCode::OrderLimitReached,
                "Maximum orders for this time slot have been reached.",
            )
            .by_guard("slot_has_room")
            .with("current", max)
            .with("max", max));
        }
        let promotion = self.claim_promotion(context, loaded, &transition).await?;
        let sequence = orders::next_number(context.tx, &site.id, &day.text).await?;
        let number = format!("ORD-{}-{sequence:03}", compact_date(day.date));
        let pickup = self.pickup_number(context, sequence).await?;

        let mut row = self.row(context, loaded, day, quote, id)?;
        row.order_number = number;
        row.sequence = sequence;
        row.pickup_number = pickup;
        row.promotion_id = promotion.map(|id| id.0);
        let row = born(&row, &transition, context);
        orders::insert(context.tx, &site.id, &row).await?;
        let line_rows = self.lines(context, loaded, quote, lines, id)?;
        orders::insert_lines(context.tx, &site.id, &line_rows).await?;
        holds::record_holds(context.tx, &mover, &reserved).await?;
        if let Some(promotion) = promotion {
            let whose = (promotion, loaded.cart.owner);
            promotions::record_use(context.tx, &site.id, id, whose, row.discount, now).await?;
        }
        let attempts = self.effects(context, &row, &line_rows, &transition, &mover).await?;
        let steps = Steps { order: id, first_version: 1, hops: &transition.hops, actor: &actor, reason: None, now };
        orders::append_history(context.tx, &site.id, &steps).await?;
        for (sequence, emit) in (1_i64..).zip(&transition.emits) {
            context.emit(id, sequence, emit.as_str(), payload(&row, *emit), priority(*emit));
        }
        context.audit(AuditRow {
            action: "CREATE",
            entity: "Order",
            entity_id: id.to_string(),
            details: format!("Order {} created with {} items", row.order_number, loaded.cart.total_items()),
            before: None,
            after: Some(serde_json::json!({ "status": row.status, "total": row.total, "method": row.method })),
            reason: None,
        });
        let order = order_view(&row, &line_rows, &attempts, &[])?;
        let attempt = attempts.first().filter(|attempt| attempt.status == "created").map(attempt_view).transpose()?;
        Ok(Placed { order, attempt })
    }

    /// Claims a use of the cart's promotion, if it has one. Once its row is ours, what others hold of it is known for
    /// certain, so it is judged again what this customer may.
    async fn claim_promotion(
        &self,
        context: &mut Context<'_>,
        loaded: &cart::Loaded,
        transition: &Transition,
    ) -> Result<Option<PromotionId>, Refused> {
        let claims = transition.effects.contains(&Effect::ClaimPromotion);
        let Some(applied) = loaded.promotion.as_ref().filter(|_| claims) else { return Ok(None) };
        let (site, promotion) = (context.site.id.clone(), &applied.promotion);
        if !promotions::claim(context.tx, &site, promotion.id).await? {
            return Err(applied.used_up());
        }
        if let Some(limit) = promotion.per_customer {
            let uses = promotions::uses_by(context.tx, &site, loaded.cart.owner, promotion.id).await?;
            if uses.is_none_or(|uses| uses >= limit) {
                return Err(applied.used_up());
            }
        }
        Ok(Some(promotion.id))
    }

    /// Reserves what the cart uses, summed per stock item, in the order of their ids.
    async fn reserve(
        &self,
        context: &mut Context<'_>,
        loaded: &cart::Loaded,
        mover: &Mover<'_>,
    ) -> Result<Vec<(StockItemId, i64)>, Refused> {
        let sales: Vec<SaleLine<'_>> = loaded
            .cart
            .lines
            .iter()
            .map(|line| SaleLine { item_id: line.item_id, options: &line.options, quantity: i64::from(line.quantity) })
            .collect();
        let uses: BTreeMap<StockItemId, i64> = loaded.with_stock(|stock| stock.uses(&sales))?;
        let reserved = holds::reserve(context.tx, mover, &uses).await?;
        match reserved.short {
            None => Ok(reserved.taken),
            Some((item, quantity, short)) => Err(shortage(loaded, item, quantity, &short.name, short.available)),
        }
    }

    /// The last three digits, or the whole sequence while another active order shows the same (C10).
    async fn pickup_number(&self, context: &mut Context<'_>, sequence: i64) -> Result<String, Refused> {
        let short = format!("{:03}", sequence % 1_000);
        let site = context.site.id.clone();
        if sequence >= 1_000 && orders::pickup_number_taken(context.tx, &site, &short).await? {
            return Ok(sequence.to_string());
        }
        Ok(short)
    }

    fn row(
        &self,
        context: &Context<'_>,
        loaded: &cart::Loaded,
        day: &Day,
        quote: &Quote,
        id: OrderId,
    ) -> Result<OrderRow, Refused> {
        let now = context.now.0;
        let called = self.called_name.as_deref().map(|name| text::clean(name, MAX_CALLED_NAME, false));
        Ok(OrderRow {
            id: id.0,
            order_number: String::new(),
            business_date: day.text.clone(),
            sequence: 0,
            pickup_number: String::new(),
            status: String::new(),
            reason: None,
            reason_text: None,
            version: 0,
            event_sequence: 0,
            fulfilment: loaded.cart.fulfilment.unwrap_or(Fulfilment::Pickup).as_str().to_owned(),
            method: self.method.as_str().to_owned(),
            paid: false,
            paid_at: None,
            customer_id: loaded.cart.owner.0,
            cart_id: Some(loaded.cart.id.0),
            terminal_id: context.actor.terminal.map(|id| id.0),
            called_name: called.filter(|name| !name.is_empty()),
            currency: context.site.currency.code().to_owned(),
            subtotal: quote.subtotal.0,
            discount: quote.discount.0,
            tax: quote.tax.0,
            tax_inclusive: context.site.settings.tax_inclusive,
            delivery_charge: quote.delivery.0,
            total: quote.total.0,
            due: quote.total.0,
            price_trace: Json(serde_json::to_value(&quote.trace).map_err(Refused::internal)?),
            note: Some(loaded.cart.note.clone()).filter(|note| !note.is_empty()),
            staff_note: None,
            delivery_address_encrypted: match (loaded.cart.fulfilment, self.address()) {
                (Some(Fulfilment::Delivery), Some(address)) => Some(context.seal(id.0, &address)?),
                _ => None,
            },
            slot_name: day.slot.clone(),
            slot_claimed: day.slot.is_some(),
            promotion_id: None,
            retry_of: self.retry_of.map(|id| id.0),
            expires_at: None,
            hold_extended: false,
            on_hold_until: None,
            priority: 0,
            uncollected: false,
            late_payment: false,
            assignment_failures: 0,
            assignment_escalated: false,
            estimated_ready_at: None,
            created_at: now,
            updated_at: now,
            received_at: None,
            confirmed_at: None,
            preparing_at: None,
            ready_at: None,
            out_at: None,
            ended_at: None,
        })
    }

    fn lines(
        &self,
        context: &Context<'_>,
        loaded: &cart::Loaded,
        quote: &Quote,
        lines: &cart::PricedLines,
        order: OrderId,
    ) -> Result<Vec<LineRow>, Refused> {
        let menu = &loaded.menu.menu;
        let default_station = loaded.menu.default_station();
        let mut rows = Vec::with_capacity(lines.len());
        let parts = loaded.cart.lines.iter().zip(lines).zip(&quote.lines);
        for (position, ((line, (priced, chosen)), money)) in (1_i64..).zip(parts) {
            let item = menu.item(line.item_id).ok_or_else(|| Refused::internal("a priced item is gone"))?;
            let category = menu.category(item.category_id).map_or("", |category| category.name.as_str());
            let class = priced.tax_class.and_then(|id| menu.tax_classes.iter().find(|class| class.id == id));
            let sale = SaleLine { item_id: line.item_id, options: &line.options, quantity: 1 };
            let uses = loaded.with_stock(|stock| stock.uses(&[sale]))?;
            rows.push(LineRow {
                order_id: order.0,
                id: LineId(context.new_id()).0,
                position,
                item_id: item.id.0,
                item_code: item.code.clone(),
                item_name: item.name.clone(),
                category_name: category.to_owned(),
                base_price: item.price.0,
                unit_price: money.unit_price.0,
                options: Json(serde_json::to_value(chosen).map_err(Refused::internal)?),
                quantity: money.quantity,
                line_total: money.gross.0,
                discount_share: money.discount_share.0,
                tax_share: money.tax_share.0,
                total_share: money.total_share.0,
                tax_class_name: class.map(|class| class.name.clone()),
                tax_rate_ppm: class.map_or(0, |class| class.rate.0),
                consumption: Json(
                    uses.into_iter().map(|(id, units)| UsedUnits { stock_item_id: id.0, units }).collect(),
                ),
                station_id: item.station.or(default_station).map(|id| id.0),
                prep_minutes: i64::from(item.prep_minutes),
                diet: item.diet.as_str().to_owned(),
                allergens: Json(serde_json::to_value(&item.allergens).map_err(Refused::internal)?),
                note: Some(line.note.clone()).filter(|note| !note.is_empty()),
                voided: 0,
                restocked: 0,
                wasted: 0,
                done: 0,
            });
        }
        debug_assert_eq!(rows.len(), quote.lines.len(), "one priced line a row: {:?}", first(&quote.lines));
        Ok(rows)
    }

    /// What Place means beyond the order's own rows.
    async fn effects(
        &self,
        context: &mut Context<'_>,
        row: &OrderRow,
        lines: &[LineRow],
        transition: &Transition,
        mover: &Mover<'_>,
    ) -> Result<Vec<AttemptRow>, Refused> {
        let site = context.site.id.clone();
        let (order, now) = (OrderId(row.id), context.now);
        let mut attempts = Vec::new();
        for effect in &transition.effects {
            match effect {
                Effect::NewAttempt { id, method, status, amount, .. } => {
                    let id = id.unwrap_or_else(|| AttemptId(context.new_id()));
                    let attempt = new_attempt_row(row, id, *method, *status, *amount, (false, None, None), now);
                    money::insert_attempt(context.tx, &site, &attempt, &context.actor).await?;
                    attempts.push(attempt);
                }
                Effect::CommitHeld => {
                    let held = holds::of_order(context.tx, &site, order).await?;
                    let moved = holds::commit_all(context.tx, mover, &held).await?;
                    for (held, moved) in held.iter().zip(moved) {
                        context.audit(AuditRow {
                            action: "ORDER_FULFILLED",
                            entity: "Inventory",
                            entity_id: held.stock_item_id.to_string(),
                            details: format!(
                                "Fulfilled {} units for order {}. Stock: {}, Reserved: {}",
                                held.quantity, row.order_number, moved.on_hand, moved.reserved
                            ),
                            before: None,
                            after: None,
                            reason: None,
                        });
                    }
                }
                Effect::OpenTickets => {
                    let items: Vec<(Uuid, Uuid, i64)> =
                        lines.iter().filter_map(|line| Some((line.station_id?, line.id, line.quantity))).collect();
                    tickets::open(context.tx, &site, order, &items, now).await?;
                }
                Effect::LockCart => self.move_cart(context, order, ("open", "locked")).await?,
                Effect::ConsumeCart => self.move_cart(context, order, ("open", "consumed")).await?,
                _ => {}
            }
        }
        Ok(attempts)
    }

    async fn move_cart(&self, context: &mut Context<'_>, order: OrderId, states: (&str, &str)) -> Result<(), Refused> {
        let site = context.site.id.clone();
        if carts::set_state(context.tx, &site, self.cart, states, Some(order), context.now).await? {
            return Ok(());
        }
        Err(Refused::conflict("An order was already placed from this cart.").by_guard("cart_open"))
    }
}

fn first(lines: &[PricedLine]) -> Option<Uuid> {
    lines.first().map(|line| line.id)
}

/// The order's row as it is born: all steps of the transition applied, version as many as steps.
fn born(row: &OrderRow, transition: &Transition, context: &Context<'_>) -> OrderRow {
    let mut row = changed_row(row, transition, &transition.effects, context.now);
    row.event_sequence = i64::try_from(transition.emits.len()).unwrap_or(0);
    row
}

/// 001's own words, naming the first line that asks for the stock item.
fn shortage(loaded: &cart::Loaded, item: StockItemId, wanted: i64, stock_name: &str, available: i64) -> Refused {
    let consumption = &loaded.menu.menu.consumption;
    let line = loaded.cart.lines.iter().find(|line| {
        let sale = SaleLine { item_id: line.item_id, options: &line.options, quantity: 1 };
        crate::domain::consumption::uses(&[sale], consumption).is_ok_and(|uses| uses.contains_key(&item))
    });
    let name = line.map_or(stock_name, |line| line.name_seen.as_str());
    insufficient_stock(name, available.max(0), wanted).by_guard("stock_reserved")
}
