//! Questions about orders: one with all that stands about it, its history, pages of many, and why an
//! event would be refused now. Customers see their own only (I23). What can be done with an order stands
//! in `order_actions`, where it is delivered to in `deliveries`.

pub use crate::store::order_lists::OrderFilter;

use super::door::{Query, Site, View};
use super::order_load::load;
use super::order_view::{history_view, order_view};
use super::paging;
use super::views::{HistoryView, OrderView, Page};
use crate::domain::access::{Actor, Permission, Role};
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::fulfilment::Fulfilment;
use crate::domain::ids::OrderId;
use crate::domain::money::Money;
use crate::domain::order::{EndReason, Event, Snapshot, Status, why_not};
use crate::domain::payment::Method;
use crate::domain::time::Timestamp;
use crate::store::order_lists::OrderSummaryRow;
use crate::store::orders::OrderRow;
use crate::store::{MOST_COUNTED, Tx, archive, money, order_lists, orders};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The most orders that a courier finds before all others: more than anybody carries.
const MOST_YOURS: i64 = 50;

/// How an order is named: by its identity, or by its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OrderName {
    /// The identity.
    Id(OrderId),
    /// `ORD-YYYYMMDD-NNN`, or the bare sequence of today.
    Number(String),
}

impl std::str::FromStr for OrderName {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.parse().map_or_else(|_| Self::Number(text.to_owned()), Self::Id))
    }
}

/// An order with all that stands about it.
#[derive(Debug, Clone)]
pub struct ShowOrder {
    /// Which.
    pub order: OrderName,
}

/// The history of an order.
#[derive(Debug, Clone)]
pub struct ShowHistory {
    /// Which.
    pub order: OrderName,
}

/// A page of orders, newest first. A courier finds those first that are theirs to deliver.
#[derive(Debug, Clone, Default)]
pub struct ListOrders {
    /// Narrowed to this.
    pub filter: OrderFilter,
    /// The key of the page; none: the first.
    pub after: Option<String>,
    /// Rows a page.
    pub limit: i64,
    /// Count every one, however many there are; else counting ends at 1,000.
    pub count_all: bool,
}

/// Why an event would be refused now, or nothing when it would be taken.
#[derive(Debug, Clone)]
pub struct WhyNot {
    /// The order.
    pub order: OrderId,
    /// The event.
    pub event: Event,
}

/// A row of a list of orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderSummary {
    /// Its identity.
    pub id: OrderId,
    /// Its number.
    pub order_number: String,
    /// Where it stands.
    pub status: Status,
    /// Why it ended, if it was dropped.
    pub reason: Option<EndReason>,
    /// How it reaches the customer.
    pub fulfilment: Fulfilment,
    /// How it is paid.
    pub method: Method,
    /// Whether it is paid.
    pub paid: bool,
    /// The name that is called.
    pub called_name: Option<String>,
    /// The total.
    pub total: Money,
    /// The amount due.
    pub due: Money,
    /// When it was placed.
    pub created_at: Timestamp,
    /// Whether money of it went back, or is on its way back.
    pub money_back: bool,
    /// Whether it was paid and nobody came for it (T22b).
    #[serde(default)]
    pub uncollected: bool,
    /// Whether money came that it could not take (T29).
    #[serde(default)]
    pub late_payment: bool,
    /// Whether so many couriers fell out that somebody has to name the next one by hand (T18).
    #[serde(default)]
    pub courier_wanted: bool,
    /// Whether it is a courier who asks, and has to deliver it.
    #[serde(default)]
    pub yours: bool,
}

/// The order's row, if the actor may see it.
///
/// # Errors
/// `NOT_FOUND`; `FORBIDDEN` for somebody else's order; `INSUFFICIENT_ROLE` for who may read none.
pub async fn find(
    tx: &mut Tx,
    site: &Site,
    actor: &Actor,
    now: Timestamp,
    name: &OrderName,
) -> Result<OrderRow, Refused> {
    let row = match name {
        OrderName::Id(id) => orders::find(tx, &site.id, *id).await?,
        OrderName::Number(number) => {
            let (date, sequence) = parse_number(number, site, now).ok_or_else(|| {
                Refused::invalid("order", "An order is named ORD-YYYYMMDD-NNN, or by its number of today.")
            })?;
            orders::by_number(tx, &site.id, &date, sequence).await?
        }
    };
    let shown = match name {
        OrderName::Id(id) => id.to_string(),
        OrderName::Number(number) => number.clone(),
    };
    let Some(row) = row else {
        let refused = Refused::not_found("order", shown);
        // Staff are told where to look on; a customer's own order is never that old.
        let day = match name {
            OrderName::Number(number) if actor.role != Role::Customer => parse_number(number, site, now),
            _ => None,
        };
        if let Some((day, _)) = day
            && archive::archived_orders(tx, &site.id, &day).await? > 0
        {
            return Err(refused.help("Orders of that day are in an archive: servery archive show FILE NUMBER."));
        }
        return Err(refused);
    };
    if actor.role != Role::Customer {
        actor.require(Permission::OrdersRead)?;
    } else if actor.customer.map(|id| id.0) != Some(row.customer_id) {
        return Err(Refused::new(ErrorCode::Forbidden, "This order belongs to somebody else.").by_guard("owner"));
    }
    Ok(row)
}

fn parse_number(text: &str, site: &Site, now: Timestamp) -> Option<(String, i64)> {
    let text = text.trim();
    let today = now.business_date(site.zone, site.settings.business_day_cutoff);
    if let Ok(sequence) = text.trim_start_matches('#').parse::<i64>() {
        return Some((today.format("%Y-%m-%d").to_string(), sequence));
    }
    let rest = text.strip_prefix("ORD-").or_else(|| text.strip_prefix("ord-"))?;
    let (date, sequence) = rest.split_once('-')?;
    let date = chrono::NaiveDate::parse_from_str(date, "%Y%m%d").ok()?;
    Some((date.format("%Y-%m-%d").to_string(), sequence.parse().ok()?))
}

/// The whole order of a row.
///
/// # Errors
/// The store's refusals.
pub async fn whole(tx: &mut Tx, site: &Site, row: &OrderRow) -> Result<OrderView, Refused> {
    let id = OrderId(row.id);
    let lines = orders::lines(tx, &site.id, id).await?;
    let attempts = money::attempts(tx, &site.id, id).await?;
    let refunds = money::refunds(tx, &site.id, id).await?;
    order_view(row, &lines, &attempts, &refunds)
}

impl Query for ShowOrder {
    type Output = OrderView;
    // Customers see their own, and whoever may read orders sees all: `find` asks.
    const PERMISSION: Permission = Permission::MenuRead;

    async fn run(&self, view: &mut View<'_>) -> Result<OrderView, Refused> {
        let site = std::sync::Arc::clone(&view.site);
        let row = find(view.tx, &site, &view.actor, view.now, &self.order).await?;
        whole(view.tx, &site, &row).await
    }
}

impl Query for ShowHistory {
    type Output = Vec<HistoryView>;
    const PERMISSION: Permission = Permission::MenuRead;

    async fn run(&self, view: &mut View<'_>) -> Result<Vec<HistoryView>, Refused> {
        let site = std::sync::Arc::clone(&view.site);
        let row = find(view.tx, &site, &view.actor, view.now, &self.order).await?;
        let order = OrderId(row.id);
        let rows = if view.actor.role == Role::Customer {
            orders::history(view.tx, &site.id, order).await?
        } else {
            orders::history_with_names(view.tx, &site.id, order).await?
        };
        rows.iter().map(history_view).collect()
    }
}

impl Query for ListOrders {
    type Output = Page<OrderSummary>;
    // As with `ShowOrder`: customers list their own, whoever may read orders lists all.
    const PERMISSION: Permission = Permission::MenuRead;

    async fn run(&self, view: &mut View<'_>) -> Result<Page<OrderSummary>, Refused> {
        let site = view.site.id.clone();
        let mut filter = self.filter.clone();
        if view.actor.role == Role::Customer {
            view.actor.require(Permission::OrdersOwn)?;
            filter.customer = view.actor.customer;
        } else {
            view.actor.require(Permission::OrdersRead)?;
        }
        let yours = match view.actor.staff.filter(|_| view.actor.role == Role::Delivery) {
            Some(courier) => order_lists::of_courier(view.tx, &site, &filter, courier, MOST_YOURS).await?,
            None => Vec::new(),
        };
        let before = self.after.as_deref().map(parse_key).transpose()?;
        // Those that are theirs stand on the first page alone, and there are as many rows on it as on any.
        let first: Vec<OrderSummaryRow> = if before.is_none() { yours.clone() } else { Vec::new() };
        let ahead = i64::try_from(first.len()).unwrap_or(i64::MAX);
        let limit = self.limit.clamp(1, 200).saturating_sub(ahead).max(1);
        let most = if self.count_all { i64::MAX } else { MOST_COUNTED.saturating_add(1) };
        let wanted = (limit.saturating_add(1), most);
        let (mut rows, found) = order_lists::page(view.tx, &site, &filter, before, wanted).await?;
        let next = paging::cut(&mut rows, limit, |row| format!("{}.{}", row.created_at, row.id));
        rows.retain(|row| !yours.iter().any(|own| own.id == row.id));
        let first = first.into_iter().map(|row| summary(row, true));
        let items = first.chain(rows.into_iter().map(|row| summary(row, false))).collect::<Result<_, _>>()?;
        if self.count_all {
            return Ok(Page { items, next, total: found, at_least: false });
        }
        Ok(Page::counted(items, next, found))
    }
}

fn parse_key(key: &str) -> Result<(Timestamp, OrderId), Refused> {
    key.split_once('.')
        .and_then(|(at, id)| Some((Timestamp(at.parse().ok()?), OrderId(id.parse::<Uuid>().ok()?))))
        .ok_or_else(paging::wrong_key)
}

fn summary(row: OrderSummaryRow, yours: bool) -> Result<OrderSummary, Refused> {
    Ok(OrderSummary {
        id: OrderId(row.id),
        order_number: row.order_number,
        status: row.status.parse()?,
        reason: row.reason.as_deref().map(str::parse).transpose()?,
        fulfilment: Fulfilment::parse(&row.fulfilment)?,
        method: row.method.parse()?,
        paid: row.paid,
        called_name: row.called_name,
        total: Money(row.total),
        due: Money(row.due),
        created_at: Timestamp(row.created_at),
        money_back: row.money_back,
        uncollected: row.uncollected,
        late_payment: row.late_payment,
        courier_wanted: row.courier_wanted,
        yours,
    })
}

impl Query for WhyNot {
    type Output = Option<Refused>;
    const PERMISSION: Permission = Permission::OrdersRead;

    async fn run(&self, view: &mut View<'_>) -> Result<Option<Refused>, Refused> {
        let site = std::sync::Arc::clone(&view.site);
        let loaded = load(view.tx, &site, &view.actor, view.now, self.order).await?;
        let snapshot = Snapshot::Order(Box::new(loaded.snapshot));
        Ok(why_not(&snapshot, &self.event, &view.actor, view.now, &site.settings))
    }
}
