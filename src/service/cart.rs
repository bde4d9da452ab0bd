//! Carts: filling, changing and looking at them. A cart never touches stock, slots, promotions or
//! numbers (I6); what may stand in it is judged by `domain::cart`, here it is only loaded and saved.

use super::door::{Context, Query, UseCase, View};
use super::menu::{self, MenuCache};
use super::promotions::{self, Applied};
use super::views::{CartLineView, CartPromotionView, CartView};
use crate::domain::access::{Actor, Permission, Role};
use crate::domain::cart::{self, Addition, Cart, CartLine, CartState};
use crate::domain::consumption::StockView;
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::fulfilment::Fulfilment;
use crate::domain::ids::{CartId, CartLineId, CustomerId, ItemId, OptionId, PromotionId, StockItemId};
use crate::domain::menu::ChosenOption;
use crate::domain::money::Money;
use crate::domain::pricing::{self, DeliveryFee, Quote, QuoteInput, QuoteLine};
use crate::domain::promo;
use crate::domain::tax::TaxMode;
use crate::domain::time::Timestamp;
use crate::store::carts::{CartLineRow, CartRow};
use crate::store::menu::LoadedMenu;
use crate::store::{Tx, carts, people, promotions as store_promotions, stock};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Puts portions of an item into a cart; makes the cart where there is none.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CartAdd {
    /// The cart; its id is chosen by the kiosk.
    pub cart: CartId,
    /// The item.
    pub item: ItemId,
    /// The choices.
    #[serde(default)]
    pub options: Vec<OptionId>,
    /// How many.
    pub quantity: i32,
    /// A note for the kitchen.
    #[serde(default)]
    pub note: String,
}

/// Sets the quantity of a line; at least 1.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CartSetQuantity {
    /// The cart.
    pub cart: CartId,
    /// The line.
    pub line: CartLineId,
    /// How many.
    pub quantity: i32,
}

/// Takes a line out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CartRemove {
    /// The cart.
    pub cart: CartId,
    /// The line.
    pub line: CartLineId,
}

/// Takes every line out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CartClear {
    /// The cart.
    pub cart: CartId,
}

/// Sets the note of the cart, or of one line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CartNote {
    /// The cart.
    pub cart: CartId,
    /// The line; none: the whole cart.
    pub line: Option<CartLineId>,
    /// The note; empty takes it away.
    pub note: String,
}

/// Chooses how the order reaches the customer; makes the cart where there is none.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CartFulfilment {
    /// The cart.
    pub cart: CartId,
    /// How.
    pub fulfilment: Fulfilment,
}

/// Uses a promotion code for the cart, or none any more. The cart claims no use of it (I6): the order will.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CartPromotion {
    /// The cart.
    pub cart: CartId,
    /// The code as it was typed; none takes it away.
    pub code: Option<String>,
}

/// The customer has seen and agreed to what changed on the menu.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CartAcceptChanges {
    /// The cart.
    pub cart: CartId,
}

/// A cart with its quote.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShowCart {
    /// The cart.
    pub cart: CartId,
}

/// A cart as it was loaded: the domain's cart, its row, the menu and what is available.
pub(super) struct Loaded {
    pub cart: Cart,
    pub row: CartRow,
    pub menu: Arc<LoadedMenu>,
    pub promotion: Option<Applied>,
    available: BTreeMap<StockItemId, i64>,
}

impl Loaded {
    /// Calls `then` with the stock as it is now.
    pub fn with_stock<T>(&self, then: impl FnOnce(&StockView<'_>) -> T) -> T {
        let available = |id: StockItemId| self.available.get(&id).copied();
        then(&StockView { consumption: &self.menu.menu.consumption, available: &available })
    }
}

/// Who may use a cart: its owner, or staff that takes orders for guests.
fn check_owner(actor: &Actor, owner: CustomerId) -> Result<(), Refused> {
    if actor.role == Role::Customer && actor.customer != Some(owner) {
        return Err(Refused::new(ErrorCode::Forbidden, "This cart belongs to somebody else.").by_guard("owner"));
    }
    Ok(())
}

/// Loads a cart; `None` where there is none.
pub(super) async fn load(
    tx: &mut Tx,
    menus: &MenuCache,
    site: &super::door::Site,
    actor: &Actor,
    id: CartId,
) -> Result<Option<Loaded>, Refused> {
    let Some((row, lines)) = carts::find(tx, &site.id, id).await? else { return Ok(None) };
    check_owner(actor, CustomerId(row.customer_id))?;
    let menu = menu::loaded(tx, menus, site).await?;
    let available = stock::all_available(tx, &site.id).await?;
    let promotion = match row.promotion_id {
        Some(promotion) => {
            let found = store_promotions::find(tx, &site.id, PromotionId(promotion)).await?;
            let found = found.ok_or_else(|| Refused::internal("a cart's promotion is gone"))?;
            Some(promotions::applied(tx, &site.id, found, CustomerId(row.customer_id)).await?)
        }
        None => None,
    };
    let cart = Cart {
        id,
        owner: CustomerId(row.customer_id),
        state: CartState::parse(&row.state)?,
        fulfilment: row.fulfilment.as_deref().map(Fulfilment::parse).transpose()?,
        note: row.note.clone().unwrap_or_default(),
        lines: lines.into_iter().map(to_line).collect(),
        updated_at: Timestamp(row.updated_at),
    };
    Ok(Some(Loaded { cart, row, menu, promotion, available }))
}

fn to_line(row: CartLineRow) -> CartLine {
    CartLine {
        id: CartLineId(row.id),
        item_id: ItemId(row.item_id),
        options: row.options.0.into_iter().map(OptionId).collect(),
        quantity: i32::try_from(row.quantity).unwrap_or(i32::MAX),
        note: row.note.unwrap_or_default(),
        unit_price_seen: Money(row.unit_price_seen),
        name_seen: row.name_seen,
    }
}

fn expiry(context: &Context<'_>) -> Option<Timestamp> {
    let minutes = context.site.settings.cart_ttl_minutes;
    (minutes > 0).then(|| context.now.plus_seconds(minutes.saturating_mul(60)))
}

async fn save(context: &mut Context<'_>, loaded: &Loaded) -> Result<(), Refused> {
    let cart = &loaded.cart;
    let row = CartRow {
        fulfilment: cart.fulfilment.map(|fulfilment| fulfilment.as_str().to_owned()),
        note: Some(cart.note.clone()).filter(|note| !note.is_empty()),
        promotion_id: loaded.promotion.as_ref().map(|applied| applied.promotion.id.0),
        updated_at: context.now.0,
        ..loaded.row.clone()
    };
    let lines: Vec<CartLineRow> = (1_i64..)
        .zip(&cart.lines)
        .map(|(position, line)| CartLineRow {
            id: line.id.0,
            position,
            item_id: line.item_id.0,
            options: Json(line.options.iter().map(|id| id.0).collect()),
            quantity: i64::from(line.quantity),
            unit_price_seen: line.unit_price_seen.0,
            name_seen: line.name_seen.clone(),
            note: Some(line.note.clone()).filter(|note| !note.is_empty()),
        })
        .collect();
    let site = context.site.id.clone();
    let expires_at = expiry(context);
    carts::save(context.tx, &site, &row, &lines, expires_at).await?;
    Ok(())
}

/// The cart, made now where there is none yet.
async fn load_or_make(context: &mut Context<'_>, id: CartId) -> Result<Loaded, Refused> {
    let site = Arc::clone(&context.site);
    if let Some(loaded) = load(context.tx, context.menus, &site, &context.actor, id).await? {
        return Ok(loaded);
    }
    let owner = match context.actor.customer {
        Some(customer) => customer,
        // Staff takes an order for a guest: the guest gets a row of their own.
        None => CustomerId(context.new_id()),
    };
    people::ensure_guest(context.tx, &site.id, owner, context.now).await?;
    let row = CartRow {
        id: id.0,
        customer_id: owner.0,
        terminal_id: context.actor.terminal.map(|id| id.0),
        state: CartState::Open.as_str().to_owned(),
        order_id: None,
        fulfilment: None,
        note: None,
        promotion_id: None,
        version: 1,
        created_at: context.now.0,
        updated_at: context.now.0,
    };
    let expires_at = expiry(context);
    carts::insert(context.tx, &site.id, &row, expires_at).await?;
    load(context.tx, context.menus, &site, &context.actor, id)
        .await?
        .ok_or_else(|| Refused::internal("a new cart is gone"))
}

async fn load_existing(context: &mut Context<'_>, id: CartId) -> Result<Loaded, Refused> {
    let site = Arc::clone(&context.site);
    load(context.tx, context.menus, &site, &context.actor, id).await?.ok_or_else(|| Refused::not_found("cart", id))
}

/// The lines of a cart as they go into the quote, each with the choices that its order line keeps.
pub(super) type PricedLines = Vec<(QuoteLine, Vec<ChosenOption>)>;

/// A cart priced today.
pub(super) struct Priced {
    /// What it costs.
    pub quote: Quote,
    /// Its lines with the choices that order lines keep.
    pub lines: PricedLines,
    /// Why its promotion takes nothing off, if it does not.
    pub promotion_refused: Option<Refused>,
}

/// Prices a cart. A promotion that may not be used now takes nothing off, and the refusal says why.
pub(super) fn priced(loaded: &Loaded, site: &super::door::Site, now: Timestamp) -> Result<Priced, Refused> {
    let lines = loaded.cart.quote_lines(&loaded.menu.menu)?;
    let delivery = (loaded.cart.fulfilment == Some(Fulfilment::Delivery)).then(|| DeliveryFee {
        name: "Delivery".to_owned(),
        fee: site.settings.delivery_charge,
        tax_class: None,
    });
    let mut input = QuoteInput {
        lines: lines.iter().map(|(line, _)| line.clone()).collect(),
        promotion: None,
        tax_classes: loaded.menu.menu.tax_classes.clone(),
        tax_mode: if site.settings.tax_inclusive { TaxMode::Inclusive } else { TaxMode::Exclusive },
        delivery,
    };
    let quote = pricing::quote(&input)?;
    let Some(applied) = &loaded.promotion else { return Ok(Priced { quote, lines, promotion_refused: None }) };
    if let Err(refused) = applied.judge(now, quote.subtotal) {
        return Ok(Priced { quote, lines, promotion_refused: Some(refused) });
    }
    input.promotion = Some(applied.promotion.clone());
    Ok(Priced { quote: pricing::quote(&input)?, lines, promotion_refused: None })
}

/// What a customer sees of a cart. A cart whose lines no longer fit the menu is shown with what was
/// seen, and its changes say what is wrong.
fn view(loaded: &Loaded, site: &super::door::Site, now: Timestamp) -> Result<CartView, Refused> {
    let slot = site.settings.time_slots.slot_now(now, site.zone).map(|slot| slot.name.clone());
    let changes = loaded.with_stock(|stock| cart::changes(&loaded.cart, &loaded.menu.menu, slot.as_deref(), stock))?;
    let priced = priced(loaded, site, now).ok();
    let (quote, promotion_refused) = match priced {
        Some(priced) => (Some(priced.quote), priced.promotion_refused),
        None => (None, None),
    };
    let mut lines = Vec::with_capacity(loaded.cart.lines.len());
    for (index, line) in loaded.cart.lines.iter().enumerate() {
        let item = loaded.menu.menu.item(line.item_id);
        let options = item
            .and_then(|item| item.choose(&line.options).ok())
            .map(|chosen| chosen.into_iter().map(|option| option.name).collect())
            .unwrap_or_default();
        let priced = quote.as_ref().and_then(|quote| quote.lines.get(index));
        let seen_total = line.unit_price_seen.checked_mul(i64::from(line.quantity)).unwrap_or(Money::ZERO);
        lines.push(CartLineView {
            id: line.id,
            item_id: line.item_id,
            name: line.name_seen.clone(),
            options,
            quantity: line.quantity,
            unit_price: priced.map_or(line.unit_price_seen, |priced| priced.unit_price),
            line_total: priced.map_or(seen_total, |priced| priced.gross),
            note: line.note.clone(),
            left: loaded.with_stock(|stock| loaded.cart.left_for(line, stock))?,
        });
    }
    let amount = |pick: fn(&Quote) -> Money| quote.as_ref().map_or(Money::ZERO, pick);
    Ok(CartView {
        id: loaded.cart.id,
        fulfilment: loaded.cart.fulfilment,
        note: loaded.cart.note.clone(),
        total_items: loaded.cart.total_items(),
        lines,
        subtotal: amount(|quote| quote.subtotal),
        discount: amount(|quote| quote.discount),
        tax: amount(|quote| quote.tax),
        tax_inclusive: site.settings.tax_inclusive,
        delivery: amount(|quote| quote.delivery),
        total: amount(|quote| quote.total),
        trace: quote.map(|quote| quote.trace).unwrap_or_default(),
        promotion: loaded.promotion.as_ref().map(|applied| CartPromotionView {
            code: applied.promotion.code.clone(),
            refused: promotion_refused.map(|refused| promo::reason(&refused).to_owned()),
        }),
        changes,
    })
}

async fn save_and_show(context: &mut Context<'_>, loaded: Loaded) -> Result<CartView, Refused> {
    save(context, &loaded).await?;
    view(&loaded, &context.site, context.now)
}

impl UseCase for CartAdd {
    type Output = CartView;
    const NAME: &'static str = "cart_add";
    const PERMISSION: Permission = Permission::OrdersCreate;
    const AUDITED: bool = false;

    async fn run(&self, context: &mut Context<'_>) -> Result<CartView, Refused> {
        let mut loaded = load_or_make(context, self.cart).await?;
        let site = Arc::clone(&context.site);
        let slot = site.settings.time_slots.slot_now(context.now, site.zone).map(|slot| slot.name.as_str());
        let menu = Arc::clone(&loaded.menu);
        let item = menu
            .menu
            .item(self.item)
            .filter(|item| item.is_listed())
            .ok_or_else(|| Refused::not_found("menu item", self.item))?;
        loaded.with_stock(|stock| menu.menu.availability(item.id, slot, stock)).check(&item.name)?;
        let addition = Addition {
            line_id: CartLineId(context.new_id()),
            item,
            options: &self.options,
            quantity: self.quantity,
            note: &self.note,
        };
        let mut cart = loaded.cart.clone();
        loaded.with_stock(|stock| cart.add(&addition, stock, context.now))?;
        loaded.cart = cart;
        save_and_show(context, loaded).await
    }
}

impl UseCase for CartSetQuantity {
    type Output = CartView;
    const NAME: &'static str = "cart_set_quantity";
    const PERMISSION: Permission = Permission::OrdersCreate;
    const AUDITED: bool = false;

    async fn run(&self, context: &mut Context<'_>) -> Result<CartView, Refused> {
        let mut loaded = load_existing(context, self.cart).await?;
        let mut cart = loaded.cart.clone();
        loaded.with_stock(|stock| cart.set_quantity(self.line, self.quantity, stock, context.now))?;
        loaded.cart = cart;
        save_and_show(context, loaded).await
    }
}

impl UseCase for CartRemove {
    type Output = CartView;
    const NAME: &'static str = "cart_remove";
    const PERMISSION: Permission = Permission::OrdersCreate;
    const AUDITED: bool = false;

    async fn run(&self, context: &mut Context<'_>) -> Result<CartView, Refused> {
        let mut loaded = load_existing(context, self.cart).await?;
        loaded.cart.remove(self.line, context.now)?;
        save_and_show(context, loaded).await
    }
}

impl UseCase for CartClear {
    type Output = CartView;
    const NAME: &'static str = "cart_clear";
    const PERMISSION: Permission = Permission::OrdersCreate;
    const AUDITED: bool = false;

    async fn run(&self, context: &mut Context<'_>) -> Result<CartView, Refused> {
        let mut loaded = load_existing(context, self.cart).await?;
        loaded.cart.clear(context.now)?;
        save_and_show(context, loaded).await
    }
}

impl UseCase for CartNote {
    type Output = CartView;
    const NAME: &'static str = "cart_note";
    const PERMISSION: Permission = Permission::OrdersCreate;
    const AUDITED: bool = false;

    async fn run(&self, context: &mut Context<'_>) -> Result<CartView, Refused> {
        let mut loaded = load_existing(context, self.cart).await?;
        match self.line {
            Some(line) => loaded.cart.set_line_note(line, &self.note, context.now)?,
            None => loaded.cart.set_note(&self.note, context.now)?,
        }
        save_and_show(context, loaded).await
    }
}

impl UseCase for CartFulfilment {
    type Output = CartView;
    const NAME: &'static str = "cart_fulfilment";
    const PERMISSION: Permission = Permission::OrdersCreate;
    const AUDITED: bool = false;

    async fn run(&self, context: &mut Context<'_>) -> Result<CartView, Refused> {
        let mut loaded = load_or_make(context, self.cart).await?;
        loaded.cart.set_fulfilment(self.fulfilment, context.now)?;
        save_and_show(context, loaded).await
    }
}

impl UseCase for CartPromotion {
    type Output = CartView;
    const NAME: &'static str = "cart_promotion";
    const PERMISSION: Permission = Permission::OrdersCreate;
    const AUDITED: bool = false;

    async fn run(&self, context: &mut Context<'_>) -> Result<CartView, Refused> {
        let mut loaded = load_existing(context, self.cart).await?;
        loaded.cart.check_open()?;
        loaded.promotion = match &self.code {
            Some(typed) => Some(promotions::by_code(context, typed, loaded.cart.owner).await?),
            None => None,
        };
        let priced = priced(&loaded, &context.site, context.now)?;
        match priced.promotion_refused {
            Some(refused) => Err(refused),
            None => save_and_show(context, loaded).await,
        }
    }
}

impl UseCase for CartAcceptChanges {
    type Output = CartView;
    const NAME: &'static str = "cart_accept_changes";
    const PERMISSION: Permission = Permission::OrdersCreate;
    const AUDITED: bool = false;

    async fn run(&self, context: &mut Context<'_>) -> Result<CartView, Refused> {
        let mut loaded = load_existing(context, self.cart).await?;
        let menu = Arc::clone(&loaded.menu);
        cart::accept_changes(&mut loaded.cart, &menu.menu, context.now)?;
        save_and_show(context, loaded).await
    }
}

impl Query for ShowCart {
    type Output = CartView;
    const PERMISSION: Permission = Permission::OrdersCreate;

    async fn run(&self, context: &mut View<'_>) -> Result<CartView, Refused> {
        let site = Arc::clone(&context.site);
        let loaded = load(context.tx, context.menus, &site, &context.actor, self.cart)
            .await?
            .ok_or_else(|| Refused::not_found("cart", self.cart))?;
        view(&loaded, &site, context.now)
    }
}
