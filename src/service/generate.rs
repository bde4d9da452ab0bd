//! Filling a store with past orders, for measuring: how fast the house is with years behind it. What comes of it is as
//! a house would have left it (doctor finds nothing), made from the site's own menu: orders by card, UPI and cash, some
//! expired, some whose payment failed, some refunded; every dish cooked, every event told. Carts, notifications and
//! deliveries are left out.
//!
//! It stands beside the door, as setting a store up does, and only a demo takes it: a real store's past is its own.

use super::Caller;
use super::door::{Door, Query, Site, View};
use super::generate_tale::{Chapter, End, Tale, WAIT};
use super::real::TimeOrderedIds;
use crate::domain::access::Permission;
use crate::domain::consumption::{self, SaleLine};
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::Ids as _;
use crate::domain::menu::Item;
use crate::domain::money::Money;
use crate::domain::pricing::{self, QuoteInput, QuoteLine};
use crate::domain::report::{Calendar, DayRange, day_text};
use crate::domain::tax::TaxMode;
use crate::domain::time::{MICROS, Timestamp, business_day_start, compact_date};
use crate::service::terminals::{self, TerminalRole};
use crate::store::generated::{
    self, BornOrder, EndedAttempt, Noted, PastOrders, SettledRefund, Shelf, Step, StockMovement, Told,
};
use crate::store::menu::LoadedMenu;
use crate::store::orders::{LineRow, UsedUnits};
use crate::store::stock::StockRow;
use crate::store::{StoreError, stock};
use chrono::{Days, NaiveDate};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use sqlx::types::Json;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// The most orders of one run.
pub const MOST_ORDERS: i64 = 100_000_000;
/// Orders of a day, where nobody says over how many days they are spread.
const ORDERS_A_DAY: i64 = 1_000;
/// Orders of one transaction.
const AT_ONCE: i64 = 250;
/// How often a transaction that another stood in the way of is tried again.
const TRIES: u32 = 8;
/// The terminal at which they were placed.
const TERMINAL: &str = "generated";
/// From the beginning of the business day to the first order, and from there to the last, in seconds.
const OPENS: i64 = 3 * 3_600;
const OPEN_FOR: i64 = 15 * 3_600;

/// What is to be generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GenerateOrders {
    /// How many orders.
    pub orders: i64,
    /// Over so many business days, the last one yesterday; none: 1,000 a day.
    pub days: Option<i64>,
    /// The same seed makes the same orders in the same store.
    pub seed: u64,
}

/// What was generated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerateReport {
    /// Orders.
    pub orders: i64,
    /// The first business day.
    pub from: NaiveDate,
    /// The last one.
    pub to: NaiveDate,
    /// Rows, by table.
    pub rows: BTreeMap<String, i64>,
}

/// What a kitchen makes again and again: an item with all that a line of it needs.
struct Dish {
    item: Item,
    category: String,
    station: Option<Uuid>,
    tax_class: Option<(String, i64)>,
    /// Units of each stock item that one of it uses.
    uses: Vec<UsedUnits>,
}

/// What all orders have in common.
struct Pantry {
    site: Arc<Site>,
    menu: LoadedMenu,
    dishes: Vec<Dish>,
    staff: Uuid,
    terminal: Uuid,
}

/// The site, with the instant of the answer.
struct Look;

impl Query for Look {
    type Output = (Arc<Site>, Timestamp);
    const PERMISSION: Permission = Permission::SystemRun;

    async fn run(&self, view: &mut View<'_>) -> Result<Self::Output, Refused> {
        Ok((Arc::clone(&view.site), view.now))
    }
}

/// Generates. `progress` hears how many orders there are after every transaction.
///
/// # Errors
/// `FORBIDDEN` for a store that is no demo; `VALIDATION_ERROR` for numbers out of range, a site without an admin or
/// without dishes that can be sold; `STORE_UNAVAILABLE`.
pub async fn generate(
    door: &Door,
    request: &GenerateOrders,
    mut progress: impl FnMut(i64),
) -> Result<GenerateReport, Refused> {
    let days = request.days.unwrap_or_else(|| request.orders.div_euclid(ORDERS_A_DAY).max(1));
    if !(1..=MOST_ORDERS).contains(&request.orders) {
        return Err(Refused::invalid("orders", format!("From 1 to {MOST_ORDERS}.")));
    }
    if !(1..=36_500).contains(&days) || days > request.orders {
        return Err(Refused::invalid("days", "From 1 to 36500, and an order a day at least."));
    }
    let (pantry, now) = pantry(door).await?;
    let calendar = Calendar { zone: pantry.site.zone, cutoff: pantry.site.settings.business_day_cutoff };
    let before = |count: i64| {
        let count = Days::new(count.unsigned_abs());
        calendar.day_of(now).checked_sub_days(count).ok_or_else(|| Refused::invalid("days", "That is too long ago."))
    };
    let range = DayRange { from: before(days)?, to: before(1)? };
    let mut report = GenerateReport { orders: 0, from: range.from, to: range.to, rows: BTreeMap::new() };
    for (index, day) in (0_i64..).zip(range.days()) {
        // Spread evenly: what is due by the end of this day, less what is there.
        let due = i128::from(request.orders) * i128::from(index.saturating_add(1)) / i128::from(days);
        let due = i64::try_from(due).unwrap_or(request.orders);
        let of_day = due.saturating_sub(report.orders);
        let mut done = 0;
        while done < of_day {
            let count = AT_ONCE.min(of_day.saturating_sub(done));
            let part = Stretch { day, done, count, of_day, seed: request.seed };
            let past = write(door, &pantry, &part).await?;
            count_rows(&mut report.rows, &past);
            done = done.saturating_add(count);
            report.orders = report.orders.saturating_add(count);
            progress(report.orders);
        }
    }
    Ok(report)
}

async fn pantry(door: &Door) -> Result<(Pantry, Timestamp), Refused> {
    let (site, now) = door.ask(&Caller::System, Look).await?;
    let mut tx = door.store().read().await?;
    let demo = site.demo && generated::is_demo(&mut tx).await?;
    let staff = generated::admin(&mut tx, &site.id).await?;
    let menu = crate::store::menu::load(&mut tx, &site.id).await?;
    tx.rollback().await?;
    if !demo {
        return Err(Refused::new(ErrorCode::Forbidden, "Only a demo store takes generated orders.")
            .by_guard("demo_store")
            .help("Make one beside it: servery --store sqlite:PATH init --demo."));
    }
    let staff = staff.ok_or_else(|| Refused::invalid("site", "The site has no admin who could sign for the till."))?;
    let terminal = terminals::register(door, TERMINAL, TerminalRole::Kiosk).await?;
    let mut dishes = Vec::new();
    for item in menu.menu.items.iter().filter(|item| item.active && item.deleted_at.is_none()) {
        if item.choose(&[]).is_err() {
            continue;
        }
        let sale = SaleLine { item_id: item.id, options: &[], quantity: 1 };
        let uses = consumption::uses(&[sale], menu.consumption())?;
        dishes.push(Dish {
            category: menu.menu.category(item.category_id).map_or_else(String::new, |category| category.name.clone()),
            station: menu.station_of(item).map(|id| id.0),
            tax_class: menu.tax_class_of(item).map(|class| (class.name.clone(), class.rate.0)),
            uses: uses.into_iter().map(|(id, units)| UsedUnits { stock_item_id: id.0, units }).collect(),
            item: item.clone(),
        });
    }
    if dishes.is_empty() {
        return Err(Refused::invalid("site", "The menu has nothing that can be ordered without choosing options."));
    }
    Ok((Pantry { site, menu, dishes, staff: staff.0, terminal: terminal.0 }, now))
}

/// Some orders of a day.
struct Stretch {
    day: NaiveDate,
    /// How many of the day there are already.
    done: i64,
    count: i64,
    of_day: i64,
    seed: u64,
}

async fn write(door: &Door, pantry: &Pantry, part: &Stretch) -> Result<PastOrders, Refused> {
    let mut tries = 0;
    loop {
        tries += 1;
        match try_write(door, pantry, part).await {
            Err(Failure::Store(error)) if error.is_retryable() && tries < TRIES => {}
            Err(Failure::Store(error)) => return Err(error.into()),
            Err(Failure::Refused(refused)) => return Err(refused),
            Ok(past) => return Ok(past),
        }
    }
}

enum Failure {
    Store(StoreError),
    Refused(Refused),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

async fn try_write(door: &Door, pantry: &Pantry, part: &Stretch) -> Result<PastOrders, Failure> {
    let site = &pantry.site.id;
    // Need not reach the disk one by one: nobody was promised anything.
    let mut tx = door.store().write_relaxed().await?;
    let day = day_text(part.day);
    let first = generated::take_numbers(&mut tx, site, &day, part.count).await?;
    let shelves = stock::list(&mut tx, site).await?;
    let past = Making::new(pantry, part, first, &shelves).make()?;
    generated::insert(&mut tx, site, &past, WAIT).await?;
    tx.commit().await?;
    Ok(past)
}

fn count_rows(rows: &mut BTreeMap<String, i64>, past: &PastOrders) {
    let counts = [
        ("orders", past.orders.len()),
        ("order_lines", past.lines.len()),
        ("reservations", past.holds.len()),
        ("payment_attempts", past.attempts.len()),
        ("order_history", past.history.len()),
        ("tickets", past.tickets.len()),
        ("ticket_items", past.ticket_items.len()),
        ("stock_movements", past.movements.len()),
        ("outbox", past.told.len()),
        ("audit_log", past.noted.len()),
        ("refunds", past.refunds.len()),
        ("drawer_movements", past.cash.len()),
        ("customers", past.orders.len()),
    ];
    for (table, count) in counts {
        let sum = rows.entry(table.to_owned()).or_default();
        *sum = sum.saturating_add(i64::try_from(count).unwrap_or(i64::MAX));
    }
}

/// Orders in the making.
struct Making<'a> {
    pantry: &'a Pantry,
    part: &'a Stretch,
    first: i64,
    random: ChaCha12Rng,
    ids: TimeOrderedIds,
    past: PastOrders,
    /// What the orders took off each shelf so far: stock item, order, units, when.
    taken: Vec<(Uuid, Uuid, i64, i64)>,
    shelves: &'a [StockRow],
}

impl<'a> Making<'a> {
    fn new(pantry: &'a Pantry, part: &'a Stretch, first: i64, shelves: &'a [StockRow]) -> Self {
        let day = day_text(part.day);
        // By number, so that a second run into the same store makes other orders.
        let seed = |purpose: u8| {
            let mut hash = Sha256::new();
            hash.update([purpose]);
            hash.update(part.seed.to_be_bytes());
            hash.update(day.as_bytes());
            hash.update(first.to_be_bytes());
            <[u8; 32]>::from(hash.finalize())
        };
        let past = PastOrders {
            day: day.clone(),
            currency: pantry.site.currency.code().to_owned(),
            tax_inclusive: pantry.site.settings.tax_inclusive,
            terminal: pantry.terminal,
            staff: pantry.staff,
            ..PastOrders::default()
        };
        let (random, ids) = (ChaCha12Rng::from_seed(seed(1)), TimeOrderedIds::seeded(seed(2)));
        Self { pantry, part, first, random, ids, past, taken: Vec::new(), shelves }
    }

    fn below(&mut self, limit: i64) -> i64 {
        let limit = u64::try_from(limit).unwrap_or(1).max(1);
        i64::try_from(self.random.next_u64() % limit).unwrap_or(0)
    }

    fn make(mut self) -> Result<PastOrders, Refused> {
        let site = Arc::clone(&self.pantry.site);
        let start = business_day_start(self.part.day, site.zone, site.settings.business_day_cutoff);
        let every = (OPEN_FOR * MICROS) / self.part.of_day.max(1);
        for index in 0..self.part.count {
            let of_day = self.part.done.saturating_add(index);
            let jitter = self.below(every.max(1));
            let at = start.plus_seconds(OPENS).0.saturating_add(of_day.saturating_mul(every)).saturating_add(jitter);
            self.order(self.first.saturating_add(index), Timestamp(at))?;
        }
        self.move_stock();
        Ok(self.past)
    }

    fn order(&mut self, sequence: i64, at: Timestamp) -> Result<(), Refused> {
        let site = Arc::clone(&self.pantry.site);
        let end = match self.below(100) {
            0 | 1 => End::Expired,
            2 | 3 => End::PaymentFailed,
            4 => End::Refunded,
            _ => End::Completed,
        };
        let method = match self.below(10) {
            0 if end == End::Completed => "cash",
            0..=4 => "card",
            _ => "upi",
        };
        let sold = !matches!(end, End::Expired | End::PaymentFailed);
        let id = self.ids.next(at);
        let customer = self.ids.next(at);
        let number = format!("ORD-{}-{sequence:03}", compact_date(self.part.day));
        let paid_at = at.plus_seconds(if method == "cash" { 40 } else { 6 });
        let started_at = paid_at.plus_seconds(15 + self.below(90));
        let cooking = 120 + self.below(780);
        let ready_at = started_at.plus_seconds(cooking);
        let (subtotal, discount, tax, total, trace) = self.lines(id, at, sold)?;
        let slot = site.settings.time_slots.slot_now(at, site.zone).map(|slot| slot.name.clone());
        let tale = Tale { id, customer, number: &number, method, at, paid_at, started_at, ready_at, end };
        let (steps, events, updated_at) = self.tell(&tale);
        debug_assert!(steps > 0, "an order has a history");
        if let Some(is_captured) = (end != End::Expired).then_some(sold) {
            let attempt = EndedAttempt {
                order_id: id,
                id: self.ids.next(at),
                method,
                amount: total,
                is_captured,
                actor_role: if method == "cash" { "kitchen" } else { "gateway" },
                at: paid_at.0,
            };
            if end == End::Refunded {
                self.past.refunds.push(SettledRefund {
                    order_id: id,
                    id: self.ids.next(at),
                    attempt_id: attempt.id,
                    method,
                    amount: total,
                    begun_at: updated_at.plus_seconds(-60).0,
                    settled_at: updated_at.0,
                });
            }
            self.past.attempts.push(attempt);
        }
        if end == End::PaymentFailed {
            self.past.failed.push((id, paid_at.0));
        }
        if method == "cash" {
            self.past.cash.push((id, total, paid_at.0));
        }
        let received_at = if method == "cash" { at } else { paid_at };
        let fulfilment = if self.below(5) == 0 { "dine_in" } else { "pickup" };
        let once_sold = |instant: Timestamp| sold.then_some(instant.0);
        self.past.orders.push(BornOrder {
            id,
            sequence,
            pickup_number: format!("{:03}", sequence % 1_000),
            order_number: number.clone(),
            is_pending: !sold,
            event_sequence: events,
            fulfilment,
            method,
            paid_at: once_sold(paid_at),
            customer_id: customer,
            subtotal,
            discount,
            tax,
            total,
            price_trace: trace,
            slot_claimed: sold && slot.is_some(),
            slot_name: slot,
            expires_at: (!sold).then(|| at.plus_seconds(600).0),
            estimated_ready_at: once_sold(received_at.plus_seconds(480)),
            created_at: at.0,
            updated_at: updated_at.0,
            received_at: once_sold(received_at),
            confirmed_at: once_sold(paid_at),
            preparing_at: once_sold(started_at),
            ready_at: once_sold(ready_at),
        });
        if sold {
            self.cook(id, received_at, ready_at);
        }
        self.hold(id, at, paid_at, sold);
        Ok(())
    }

    /// Adds the order's lines; its sums and how they came about.
    fn lines(
        &mut self,
        order: Uuid,
        at: Timestamp,
        sold: bool,
    ) -> Result<(i64, i64, i64, i64, serde_json::Value), Refused> {
        let count = 1 + self.below(4);
        let mut chosen: Vec<(usize, Uuid, i64)> = Vec::new();
        for _ in 0..count {
            let dishes = i64::try_from(self.pantry.dishes.len()).unwrap_or(1);
            let dish = usize::try_from(self.below(dishes)).unwrap_or(0);
            if chosen.iter().all(|(other, ..)| *other != dish) {
                let quantity = 1 + self.below(8) / 6;
                chosen.push((dish, self.ids.next(at), quantity));
            }
        }
        let pantry = self.pantry;
        let picked: Vec<(&Dish, Uuid, i64)> = chosen
            .iter()
            .filter_map(|(dish, id, quantity)| Some((pantry.dishes.get(*dish)?, *id, *quantity)))
            .collect();
        let quote = pricing::quote(&QuoteInput {
            lines: picked
                .iter()
                .map(|(dish, id, quantity)| QuoteLine {
                    id: *id,
                    name: dish.item.name.clone(),
                    unit_price: dish.item.price,
                    options: Vec::new(),
                    quantity: *quantity,
                    tax_class: dish.item.tax_class,
                })
                .collect(),
            promotion: None,
            tax_classes: pantry.menu.menu.tax_classes.clone(),
            tax_mode: if pantry.site.settings.tax_inclusive { TaxMode::Inclusive } else { TaxMode::Exclusive },
            delivery: None,
        })?;
        for ((position, (dish, id, quantity)), money) in (1_i64..).zip(picked).zip(&quote.lines) {
            self.past.lines.push(LineRow {
                order_id: order,
                id,
                position,
                item_id: dish.item.id.0,
                item_code: dish.item.code.clone(),
                item_name: dish.item.name.clone(),
                category_name: dish.category.clone(),
                base_price: dish.item.price.0,
                unit_price: money.unit_price.0,
                options: Json(json!([])),
                quantity,
                line_total: money.gross.0,
                discount_share: money.discount_share.0,
                tax_share: money.tax_share.0,
                total_share: money.total_share.0,
                tax_class_name: dish.tax_class.as_ref().map(|(name, _)| name.clone()),
                tax_rate_ppm: dish.tax_class.as_ref().map_or(0, |(_, rate)| *rate),
                consumption: Json(dish.uses.clone()),
                station_id: dish.station,
                prep_minutes: i64::from(dish.item.prep_minutes),
                diet: dish.item.diet.as_str().to_owned(),
                allergens: Json(serde_json::to_value(&dish.item.allergens).map_err(Refused::internal)?),
                note: None,
                voided: 0,
                restocked: 0,
                wasted: 0,
                done: if sold { quantity } else { 0 },
            });
        }
        let Money(tax) = quote.tax;
        let trace = serde_json::to_value(&quote.trace).map_err(Refused::internal)?;
        Ok((quote.subtotal.0, quote.discount.0, tax, quote.total.0, trace))
    }

    /// The lines of the order that was added last.
    fn lines_of(&self, order: Uuid) -> impl Iterator<Item = &LineRow> {
        let from = self.past.lines.iter().rposition(|line| line.order_id != order).map_or(0, |at| at.saturating_add(1));
        self.past.lines.iter().skip(from)
    }

    fn cook(&mut self, order: Uuid, shown: Timestamp, bumped: Timestamp) {
        let items: Vec<(Uuid, Uuid, i64)> =
            self.lines_of(order).filter_map(|line| Some((line.station_id?, line.id, line.quantity))).collect();
        let mut stations: Vec<Uuid> = items.iter().map(|(station, ..)| *station).collect();
        stations.sort_unstable();
        stations.dedup();
        self.past.tickets.extend(stations.into_iter().map(|station| (order, station, shown.0, bumped.0)));
        self.past.ticket_items.extend(items.into_iter().map(|(station, line, units)| (order, station, line, units)));
    }

    /// What the order holds of counted things; what is sold is taken off the shelves.
    fn hold(&mut self, order: Uuid, at: Timestamp, paid_at: Timestamp, sold: bool) {
        let mut units: BTreeMap<Uuid, i64> = BTreeMap::new();
        for line in self.lines_of(order) {
            for used in &line.consumption.0 {
                let sum = units.entry(used.stock_item_id).or_default();
                *sum = sum.saturating_add(used.units.saturating_mul(line.quantity));
            }
        }
        for (item, quantity) in units {
            if !self.shelves.iter().any(|shelf| shelf.id == item && shelf.tracked) {
                continue;
            }
            self.past.holds.push((order, item, quantity, at.0));
            if sold {
                self.taken.push((item, order, quantity, paid_at.0));
                self.past.noted.push(Noted {
                    at: paid_at.0,
                    use_case: "apply_charge",
                    action: "ORDER_FULFILLED",
                    entity: "Inventory",
                    entity_id: item.to_string(),
                    details: format!("Fulfilled {quantity} units for an order of {}", self.past.day),
                    actor_role: "gateway",
                    actor_id: None,
                });
            }
        }
    }

    /// The shelves: as much comes in as is sold, so that there is as much afterwards as before.
    fn move_stock(&mut self) {
        let mut taken = std::mem::take(&mut self.taken);
        taken.sort_by_key(|(item, _, _, at)| (*item, *at));
        for shelf in self.shelves {
            let of_shelf: Vec<_> = taken.iter().filter(|(item, ..)| *item == shelf.id).collect();
            let Some((.., first_at)) = of_shelf.first() else { continue };
            let sum: i64 = of_shelf.iter().map(|(_, _, quantity, _)| *quantity).sum();
            let mut on_hand = shelf.on_hand.saturating_add(sum);
            let mut seq = shelf.last_movement.saturating_add(1);
            let row = |seq, kind, quantity, on_hand_after, order_id, at| StockMovement {
                stock_item_id: shelf.id,
                seq,
                kind,
                quantity,
                on_hand_after,
                reserved_after: shelf.reserved,
                order_id,
                at,
            };
            self.past.movements.push(row(seq, "receive", sum, on_hand, None, *first_at));
            for (_, order, quantity, at) in of_shelf {
                on_hand = on_hand.saturating_sub(*quantity);
                seq = seq.saturating_add(1);
                self.past.movements.push(row(seq, "commit", -*quantity, on_hand, Some(*order), *at));
            }
            self.past.shelves.push(Shelf {
                id: shelf.id,
                on_hand: shelf.on_hand,
                reserved: shelf.reserved,
                before: shelf.last_movement,
                after: seq,
            });
        }
    }

    /// The order's history, events and audit rows: how many versions and events it has, and when the last one was.
    fn tell(&mut self, tale: &Tale<'_>) -> (i64, i64, Timestamp) {
        let staff = self.pantry.staff;
        let (mut version, mut event) = (0_i64, 0_i64);
        let mut status: Option<&'static str> = None;
        let mut last = tale.at;
        for Chapter { transition, to, role, after, emits, use_case } in tale.chapters() {
            version += 1;
            last = after;
            let actor_id = match role {
                "customer" => Some(tale.customer),
                "kitchen" | "admin" => Some(staff),
                _ => None,
            };
            self.past.history.push(Step {
                order_id: tale.id,
                version,
                from_status: status,
                to_status: to,
                transition,
                actor_role: role,
                actor_id,
                at: after.0,
            });
            for emit in emits {
                event += 1;
                self.past.told.push(Told {
                    order_id: tale.id,
                    order_sequence: event,
                    event: emit.as_str(),
                    payload: json!({ "order_id": tale.id, "order_number": tale.number, "status": to }),
                    priority: super::order_move::priority(*emit),
                    at: after.0,
                });
            }
            self.past.noted.push(Noted {
                at: after.0,
                use_case,
                action: if status.is_none() { "CREATE" } else { "UPDATE" },
                entity: "Order",
                entity_id: tale.id.to_string(),
                details: format!("Order {}: {to}", tale.number),
                actor_role: role,
                actor_id,
            });
            status = Some(to);
        }
        (version, event, last)
    }
}
