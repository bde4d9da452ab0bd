//! The store room by hand: receive, adjust, recount, waste, and looking at counts. What orders hold and use
//! moves with the orders and is not written here; the ledger is read in `stock_ledger`.
//!
//! A count may fall below what orders hold only if the actor releases named `pending` orders that
//! nobody is paying just then; else it is refused with the list of the holders.

use super::door::{Context, Query, UseCase, View};
use super::menu_file::StockEntry;
use super::menu_plan::clean_stock;
use super::paging;
use super::staff::reason;
use super::views::Page;
use crate::domain::access::Permission;
use crate::domain::consumption::{Consumption, Subject};
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::{OrderId, StockItemId};
use crate::domain::menu::Item;
use crate::domain::text;
use crate::domain::time::Timestamp;
use crate::store::records::AuditRow;
use crate::store::stock::{ByHand, HolderRow, Moved, NewStock, StockMovementKind, StockRow};
use crate::store::{Tx, menu as menu_rows, menu_edit, sites, stock};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub use crate::store::stock::{MAX_ON_HAND, StockFilter, StockState};

/// The most rows of one page.
pub(super) const MAX_PAGE: i64 = 200;
/// The most orders that one command releases.
const MAX_RELEASE: usize = 1_000;

/// A counted thing as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockView {
    /// Its identity.
    pub id: StockItemId,
    /// Its short code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What one unit is.
    pub unit: String,
    /// Whether it is counted now.
    pub tracked: bool,
    /// The count with which it began.
    pub opening: i64,
    /// Units in the house.
    pub on_hand: i64,
    /// Units held for orders.
    pub reserved: i64,
    /// Units that can be sold.
    pub available: i64,
    /// At or below so many available it is low.
    pub low_mark: i64,
    /// Whether it is low.
    pub low: bool,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl From<StockRow> for StockView {
    fn from(row: StockRow) -> Self {
        let available = row.on_hand.saturating_sub(row.reserved);
        Self {
            id: StockItemId(row.id),
            code: row.code,
            name: row.name,
            unit: row.unit,
            tracked: row.tracked,
            opening: row.opening,
            on_hand: row.on_hand,
            reserved: row.reserved,
            available,
            low_mark: row.low_mark,
            low: row.tracked && available <= row.low_mark,
            updated_at: Timestamp(row.updated_at),
        }
    }
}

/// An order that holds units of a stock item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolderView {
    /// The order.
    pub order: OrderId,
    /// Its number.
    pub order_number: String,
    /// Units that it holds.
    pub quantity: i64,
    /// Where it stands.
    pub status: String,
    /// Whether a recount, adjustment or waste may release it: pending, and nobody is paying it.
    pub releasable: bool,
}

impl From<HolderRow> for HolderView {
    fn from(row: HolderRow) -> Self {
        Self {
            order: OrderId(row.order_id),
            order_number: row.order_number,
            quantity: row.quantity,
            releasable: row.status == "pending" && !row.paying,
            status: row.status,
        }
    }
}

/// What a command about stock answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockChanged {
    /// The stock item afterwards.
    pub item: StockView,
    /// By how much on_hand moved.
    pub moved: i64,
    /// The orders whose holds were released.
    pub released: Vec<OrderId>,
}

/// Goods came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockReceive {
    /// Code or id of the stock item.
    pub item: String,
    /// How many units; above zero.
    pub quantity: i64,
    /// Why: a delivery note's number, or the like.
    #[serde(default)]
    pub reason: String,
}

/// The count is corrected by a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockAdjust {
    /// Code or id of the stock item.
    pub item: String,
    /// The difference, not zero.
    pub delta: i64,
    /// Why.
    pub reason: String,
    /// Pending orders whose holds are released.
    #[serde(default)]
    pub release: Vec<OrderId>,
}

/// Somebody counted what is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockRecount {
    /// Code or id of the stock item.
    pub item: String,
    /// What was counted, held units included.
    pub counted: i64,
    /// Pending orders whose holds are released.
    #[serde(default)]
    pub release: Vec<OrderId>,
    /// Why it was counted.
    #[serde(default)]
    pub reason: String,
}

/// Units were thrown away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockWaste {
    /// Code or id of the stock item.
    pub item: String,
    /// How many units; above zero.
    pub quantity: i64,
    /// Why.
    pub reason: String,
    /// Pending orders whose holds are released.
    #[serde(default)]
    pub release: Vec<OrderId>,
}

/// A new counted thing, or what is said about a known one. Counts of a known one are changed by the
/// other commands, so that the ledger has a row for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockSet {
    /// Its short code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What one unit is; "piece" if left out.
    #[serde(default)]
    pub unit: Option<String>,
    /// The count with which a new one begins; 0 if left out.
    #[serde(default)]
    pub opening: Option<i64>,
    /// At or below so many available it is low.
    #[serde(default)]
    pub low_mark: i64,
    /// The menu item (code or id) of which each sale uses one unit.
    #[serde(default)]
    pub sold_as: Option<String>,
    /// It is to be a new one: a code that is counted already is refused with `CONFLICT`.
    #[serde(default)]
    pub only_new: bool,
}

fn needed(text: &str) -> Result<String, Refused> {
    reason(text).map_err(|refused| refused.by_guard("reason"))
}

fn in_range(field: &str, quantity: i64, least: i64) -> Result<(), Refused> {
    if (least..=MAX_ON_HAND).contains(&quantity) {
        Ok(())
    } else {
        Err(Refused::invalid(field, format!("A whole number from {least} to {MAX_ON_HAND}.")))
    }
}

pub(super) async fn named(tx: &mut Tx, site: &str, code_or_id: &str) -> Result<StockRow, Refused> {
    let by_code = stock::find_code(tx, site, code_or_id).await?;
    let found = match (by_code, code_or_id.parse::<StockItemId>()) {
        (Some(row), _) => Some(row),
        (None, Ok(id)) => stock::find(tx, site, id).await?,
        (None, Err(_)) => None,
    };
    found.ok_or_else(|| Refused::not_found("stock item", text::clean(code_or_id, 60, false)))
}

/// What is to be done to one stock item.
struct Change<'a> {
    kind: StockMovementKind,
    target: Target,
    reason: &'a str,
    release: &'a [OrderId],
}

/// Where on_hand goes.
enum Target {
    /// By so many units.
    By(i64),
    /// To this count.
    To(i64),
}

/// The one way by which a command moves a count: lock the orders to release, then the stock items in
/// the order of their ids, then move and write the ledger.
async fn change(context: &mut Context<'_>, item: &str, change: Change<'_>) -> Result<StockChanged, Refused> {
    let (site, now) = (context.site.id.clone(), context.now);
    let row = named(context.tx, &site, item).await?;
    let id = StockItemId(row.id);
    let (released, freed) = lock_released(context, &site, change.release).await?;
    // Every stock item that is touched, in the order in which all transactions lock them.
    let touched: BTreeSet<StockItemId> = freed.keys().copied().chain([id]).collect();
    let mut before = None;
    for stock_item in touched {
        if let Some(quantity) = freed.get(&stock_item)
            && !stock::unreserve(context.tx, &site, stock_item, *quantity, now).await?
        {
            return Err(Refused::internal(format!("less is reserved of {stock_item} than orders hold")));
        }
        if stock_item == id {
            before = stock::lock(context.tx, &site, id, now).await?;
        }
    }
    let before = before.ok_or_else(|| Refused::not_found("stock item", &row.code))?;
    for order in &released {
        stock::end_holds(context.tx, &site, *order, now).await?;
    }
    let quantity = match change.target {
        Target::By(quantity) => quantity,
        Target::To(counted) => counted.saturating_sub(before.on_hand),
    };
    let after = if quantity == 0 {
        before
    } else {
        match stock::move_on_hand(context.tx, &site, id, quantity, now).await? {
            Some(after) => after,
            None => return Err(refuse(context.tx, &site, &row, before, quantity).await?),
        }
    };
    if quantity != 0 {
        let movement = ByHand { kind: change.kind, quantity, reason: Some(change.reason) };
        stock::append_movement(context.tx, &site, id, after, movement, &context.actor, now).await?;
    }
    note(context, &row, change.kind, (before, after), change.reason, &released);
    let item = StockRow {
        on_hand: after.on_hand,
        reserved: after.reserved,
        last_movement: after.last_movement,
        updated_at: now.0,
        ..row
    };
    Ok(StockChanged { item: item.into(), moved: quantity, released })
}

fn note(
    context: &mut Context<'_>,
    row: &StockRow,
    kind: StockMovementKind,
    (before, after): (Moved, Moved),
    reason: &str,
    released: &[OrderId],
) {
    let counts = |moved: Moved| json!({ "on_hand": moved.on_hand, "reserved": moved.reserved });
    let mut details = format!("{} {kind}: {} → {}", row.name, before.on_hand, after.on_hand);
    if !released.is_empty() {
        details.push_str(&format!("; the holds of {} pending orders were released", released.len()));
    }
    let mut before = counts(before);
    if let Value::Object(map) = &mut before {
        // Before the release, what it took off was reserved too.
        map.insert("reserved".to_owned(), row.reserved.into());
        map.insert("released".to_owned(), json!(released));
    }
    context.audit(AuditRow {
        action: "STOCK_CHANGED",
        entity: "StockItem",
        entity_id: row.code.clone(),
        details,
        before: Some(before),
        after: Some(counts(after)),
        reason: Some(reason.to_owned()),
    });
}

/// Locks the orders to release and sums what they hold. An order that holds nothing is left out.
async fn lock_released(
    context: &mut Context<'_>,
    site: &str,
    orders: &[OrderId],
) -> Result<(Vec<OrderId>, BTreeMap<StockItemId, i64>), Refused> {
    if orders.len() > MAX_RELEASE {
        return Err(Refused::invalid("release", format!("At most {MAX_RELEASE} orders at once.")));
    }
    let orders: BTreeSet<OrderId> = orders.iter().copied().collect();
    let (mut released, mut freed) = (Vec::new(), BTreeMap::new());
    for order in orders {
        let refuse = |guard: &'static str, message: &str| {
            Refused::conflict(message).with("order", order.to_string()).by_guard(guard).help(
                "Only pending orders that nobody is paying can be released. End the others first: cancel or reject \
                 them.",
            )
        };
        if !stock::lock_pending(context.tx, site, order, context.now).await? {
            return Err(refuse("order_pending", "An order to release is not pending any more."));
        }
        if stock::is_paying(context.tx, site, order).await? {
            return Err(refuse("no_open_attempt", "An order to release is being paid just now."));
        }
        let held = stock::held_by(context.tx, site, order).await?;
        if held.is_empty() {
            continue;
        }
        for (stock_item, quantity) in held {
            let sum = freed.entry(stock_item).or_insert(0_i64);
            *sum = sum.saturating_add(quantity);
        }
        released.push(order);
    }
    Ok((released, freed))
}

/// Why a movement hit no row: more is held than would be left, or the count would be beyond the range.
async fn refuse(tx: &mut Tx, site: &str, row: &StockRow, counts: Moved, quantity: i64) -> Result<Refused, Refused> {
    let after = counts.on_hand.saturating_add(quantity);
    if after > MAX_ON_HAND {
        return Ok(Refused::invalid("quantity", format!("At most {MAX_ON_HAND} may be on hand.")));
    }
    let common = |refused: Refused| {
        refused
            .with("item", row.code.as_str())
            .with("on_hand", counts.on_hand)
            .with("reserved", counts.reserved)
            .with("wanted", after)
    };
    if after < 0 {
        let message = format!("Only {} of '{}' are on hand.", counts.on_hand, row.name);
        return Ok(common(Refused::new(ErrorCode::InsufficientStock, message)).help("Count again, then recount."));
    }
    let holders: Vec<HolderView> =
        stock::holders(tx, site, StockItemId(row.id)).await?.into_iter().map(HolderView::from).collect();
    let message =
        format!("{} of '{}' are held for orders; {after} would not be enough for them.", counts.reserved, row.name);
    Ok(common(Refused::conflict(message))
        .with("holders", json!(holders))
        .by_guard("not_below_reserved")
        .help("Release pending orders by naming them, or end the others first: cancel or reject them."))
}

impl UseCase for StockReceive {
    type Output = StockChanged;
    const NAME: &'static str = "stock_receive";
    const PERMISSION: Permission = Permission::StockAdjust;

    async fn run(&self, context: &mut Context<'_>) -> Result<StockChanged, Refused> {
        in_range("quantity", self.quantity, 1)?;
        let reason = needed(&self.reason)?;
        let target = Target::By(self.quantity);
        change(context, &self.item, Change { kind: StockMovementKind::Receive, target, reason: &reason, release: &[] })
            .await
    }
}

impl UseCase for StockAdjust {
    type Output = StockChanged;
    const NAME: &'static str = "stock_adjust";
    const PERMISSION: Permission = Permission::StockAdjust;

    async fn run(&self, context: &mut Context<'_>) -> Result<StockChanged, Refused> {
        if self.delta == 0 {
            return Err(Refused::invalid("delta", "The difference is not zero."));
        }
        in_range("delta", self.delta.saturating_abs(), 1)?;
        let reason = needed(&self.reason)?;
        let target = Target::By(self.delta);
        let release = &self.release;
        change(context, &self.item, Change { kind: StockMovementKind::Adjust, target, reason: &reason, release }).await
    }
}

impl UseCase for StockRecount {
    type Output = StockChanged;
    const NAME: &'static str = "stock_recount";
    const PERMISSION: Permission = Permission::StockAdjust;

    async fn run(&self, context: &mut Context<'_>) -> Result<StockChanged, Refused> {
        in_range("counted", self.counted, 0)?;
        let reason = needed(&self.reason)?;
        let target = Target::To(self.counted);
        let release = &self.release;
        change(context, &self.item, Change { kind: StockMovementKind::Recount, target, reason: &reason, release }).await
    }
}

impl UseCase for StockWaste {
    type Output = StockChanged;
    const NAME: &'static str = "stock_waste";
    const PERMISSION: Permission = Permission::StockAdjust;

    async fn run(&self, context: &mut Context<'_>) -> Result<StockChanged, Refused> {
        in_range("quantity", self.quantity, 1)?;
        let reason = needed(&self.reason)?;
        let target = Target::By(self.quantity.saturating_neg());
        let release = &self.release;
        change(context, &self.item, Change { kind: StockMovementKind::Waste, target, reason: &reason, release }).await
    }
}

/// The one dish on the menu with this name, in any case.
fn named_dish<'a>(menu: &'a menu_rows::LoadedMenu, name: &str) -> Option<&'a Item> {
    let wanted = name.trim().to_lowercase();
    let mut named =
        menu.menu.items.iter().filter(|item| item.deleted_at.is_none() && item.name.to_lowercase() == wanted);
    named.next().filter(|_| named.next().is_none())
}

impl UseCase for StockSet {
    type Output = StockChanged;
    const NAME: &'static str = "stock_set";
    const PERMISSION: Permission = Permission::StockAdjust;

    async fn run(&self, context: &mut Context<'_>) -> Result<StockChanged, Refused> {
        let (site, now) = (context.site.id.clone(), context.now);
        if self.sold_as.is_some() {
            // The menu before the store room, as every change of the menu takes them.
            menu_edit::lock(context.tx, &site).await?;
        }
        let known = stock::find_code(context.tx, &site, &self.code).await?;
        if let Some(known) = known.as_ref().filter(|_| self.only_new) {
            let message = format!("'{}' is counted already, as {}.", known.name, known.code);
            return Err(Refused::conflict(message)
                .with("field", "code")
                .help("Choose another code, or change the one that is there."));
        }
        if let (Some(known), Some(opening)) = (&known, self.opening)
            && known.opening != opening
        {
            return Err(Refused::conflict(format!("'{}' is counted already.", known.name))
                .with("item", known.code.as_str())
                .with("on_hand", known.on_hand)
                .help("Use a recount to set what is on hand."));
        }
        let entry = clean_stock(&StockEntry {
            code: self.code.clone(),
            name: self.name.clone(),
            unit: self.unit.clone().or_else(|| known.as_ref().map(|row| row.unit.clone())).unwrap_or("piece".into()),
            opening: self.opening.or(known.as_ref().map(|row| row.opening)).unwrap_or(0),
            low: self.low_mark,
        })?;
        let id = known.as_ref().map_or_else(|| StockItemId(context.new_id()), |row| StockItemId(row.id));
        let row = NewStock {
            id,
            code: &entry.code,
            name: &entry.name,
            unit: &entry.unit,
            tracked: known.as_ref().is_none_or(|row| row.tracked),
            opening: entry.opening,
            low_mark: entry.low,
        };
        let written = match &known {
            Some(_) => stock::describe(context.tx, &site, &row, now).await?,
            None => stock::insert(context.tx, &site, &row, now).await?,
        };
        if !written {
            return Err(Refused::conflict("Somebody else made a stock item with this code just now."));
        }
        if let Some(item) = &self.sold_as {
            let loaded = menu_rows::load(context.tx, &site).await?;
            let shown = text::clean(item, 60, false);
            let item = loaded.find_item(item).or_else(|| named_dish(&loaded, item));
            let item = item.ok_or_else(|| Refused::not_found("menu item", shown).with("field", "sold_as"))?;
            let row = Consumption { subject: Subject::Item(item.id), stock_item_id: id, units: 1 };
            menu_rows::put_consumption(context.tx, &site, &row).await?;
            sites::menu_changed(context.tx, &site).await?;
        }
        let after = stock::find(context.tx, &site, id).await?.ok_or_else(|| Refused::internal("stock item lost"))?;
        let said = |row: &StockRow| json!({ "name": row.name, "unit": row.unit, "opening": row.opening, "low_mark": row.low_mark });
        context.audit(AuditRow {
            action: if known.is_some() { "UPDATE" } else { "CREATE" },
            entity: "StockItem",
            entity_id: after.code.clone(),
            details: format!("{} is counted in units of one {}", after.name, after.unit),
            before: known.as_ref().map(said),
            after: Some(said(&after)),
            reason: None,
        });
        Ok(StockChanged { item: after.into(), moved: 0, released: Vec::new() })
    }
}

/// A page of the stock items, by code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockList {
    /// Narrowed to this.
    pub filter: StockFilter,
    /// Where the page before it ended: its `next`.
    pub after: Option<String>,
    /// The most rows; 1 to 200.
    pub limit: i64,
}

impl Default for StockList {
    fn default() -> Self {
        Self { filter: StockFilter::default(), after: None, limit: MAX_PAGE }
    }
}

/// The filter without text that narrows nothing.
pub(super) fn narrowed(filter: &StockFilter) -> StockFilter {
    StockFilter { text: paging::given(filter.text.as_ref()).map(str::to_owned), ..filter.clone() }
}

impl Query for StockList {
    type Output = Page<StockView>;
    const PERMISSION: Permission = Permission::StockRead;

    async fn run(&self, view: &mut View<'_>) -> Result<Self::Output, Refused> {
        paging::check_limit(self.limit, MAX_PAGE)?;
        let (site, filter) = (view.site.id.clone(), narrowed(&self.filter));
        let (after, limit) = (self.after.as_deref().unwrap_or_default(), self.limit.saturating_add(1));
        let mut rows = stock::page(view.tx, &site, &filter, after, limit).await?;
        let next = paging::cut(&mut rows, self.limit, |row| row.code.clone());
        let found = stock::count_found(view.tx, &site, &filter).await?;
        Ok(Page::counted(rows.into_iter().map(StockView::from).collect(), next, found))
    }
}
