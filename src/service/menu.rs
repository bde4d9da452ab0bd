//! What is on the menu now, and the small changes of it: switching a dish off ("86") and prices.
//! Reading and writing whole menus is in `menu_import` and `menu_file`.
//!
//! The menu itself is kept per process and read again when `menu_version` has risen; stock numbers
//! are read fresh every time.

use super::door::{Context, Query, Site, UseCase, View};
use super::views::{CategoryView, ChoiceView, ItemView, MenuView, OptionGroupView};
use crate::domain::access::Permission;
use crate::domain::consumption::{StockView, choice_left};
use crate::domain::error::Refused;
use crate::domain::fulfilment::Fulfilment;
use crate::domain::ids::{CategoryId, StockItemId};
use crate::domain::menu::{DietFilter, Item, MAX_PRICE};
use crate::domain::money::Money;
use crate::domain::payment::Method;
use crate::domain::text;
use crate::store::menu::LoadedMenu;
use crate::store::records::AuditRow;
use crate::store::{Tx, menu as rows, menu_edit, sites, stock};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

/// The longest search, in characters.
const MAX_SEARCH: usize = 100;

/// How often a menu that changes while it is read is read again.
const READS: u32 = 4;

/// The menu of one site as this process last read it.
#[derive(Debug, Default)]
pub struct MenuCache {
    known: RwLock<Option<Arc<LoadedMenu>>>,
}

/// The menu of the site, from the cache unless it has changed since.
///
/// For use before the transaction changes the menu: what the transaction wrote itself is not kept if
/// it fails, so a use case that changes the menu reads it with [`rows::load`] instead.
///
/// # Errors
/// `STORE_UNAVAILABLE` or `INTERNAL_ERROR` of the statements.
pub async fn loaded(tx: &mut Tx, cache: &MenuCache, site: &Site) -> Result<Arc<LoadedMenu>, Refused> {
    let known = cache.known.read().ok().and_then(|known| known.clone());
    if let Some(known) = known
        && known.menu.version == site.menu_version
        && known.menu.site.0 == site.id
    {
        return Ok(known);
    }
    let mut menu = rows::load(tx, &site.id).await?;
    // Under READ COMMITTED another transaction may commit between two of the statements.
    for _ in 1..READS {
        let version = sites::find(tx, &site.id).await?.map(|row| row.menu_version);
        if version == Some(menu.menu.version) {
            break;
        }
        menu = rows::load(tx, &site.id).await?;
    }
    let menu = Arc::new(menu);
    if let Ok(mut known) = cache.known.write() {
        *known = Some(Arc::clone(&menu));
    }
    Ok(menu)
}

/// The menu as a customer sees it now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MenuNow {
    /// Only items that hold all these words.
    pub search: Option<String>,
    /// Only items of these diets.
    pub diet: Option<DietFilter>,
    /// Only items of this category.
    pub category: Option<CategoryId>,
}

impl Query for MenuNow {
    type Output = MenuView;
    const PERMISSION: Permission = Permission::MenuRead;

    async fn run(&self, view: &mut View<'_>) -> Result<MenuView, Refused> {
        let loaded = loaded(view.tx, view.menus, &view.site).await?;
        let counts = stock::all_available(view.tx, &view.site.id).await?;
        let (site, settings) = (&view.site, &view.site.settings);
        let slot = settings.time_slots.slot_now(view.now, site.zone).map(|slot| slot.name.clone());
        let next = match slot {
            Some(_) => None,
            None => settings.time_slots.next_start(view.now, site.zone),
        };
        let words = text::clean(self.search.as_deref().unwrap_or_default(), MAX_SEARCH, false);
        let found = loaded.menu.search(&words, self.diet.unwrap_or_default());
        let items: Vec<ItemView> = found
            .into_iter()
            .filter(|item| self.category.is_none_or(|category| item.category_id == category))
            .map(|item| item_view(&loaded, item, slot.as_deref(), &counts))
            .collect();
        let mut categories: Vec<_> = loaded
            .menu
            .categories
            .iter()
            .filter(|category| items.iter().any(|item| item.category_id == category.id))
            .collect();
        categories.sort_by_key(|category| (category.position, &category.name));
        let enabled = |method: &Method| match method {
            Method::Card => settings.card_payment_enabled,
            Method::Upi => settings.upi_payment_enabled,
            Method::Cash => settings.cash_payment_enabled,
        };
        // Where no address can be sealed, no delivery can be placed, whatever the setting says.
        let delivers = settings.delivery_enabled && view.field_key().is_some();
        let delivery = delivers.then_some(Fulfilment::Delivery);
        let ways = [Fulfilment::DineIn, Fulfilment::Pickup].into_iter().chain(delivery).collect();
        Ok(MenuView {
            site: site.name.clone(),
            currency: site.currency,
            demo: site.demo,
            version: loaded.menu.version,
            zone: site.zone,
            kiosk_idle_seconds: settings.kiosk_idle_seconds,
            kiosk_warning_seconds: settings.kiosk_warning_seconds,
            open: settings.restaurant_open && slot.is_some(),
            slot,
            next_slot_at: next.map(|(_, at)| at),
            next_slot: next.map(|(slot, _)| slot.name.clone()),
            fulfilments: ways,
            delivery_charge: settings.delivery_charge,
            methods: [Method::Card, Method::Upi, Method::Cash].into_iter().filter(enabled).collect(),
            categories: categories
                .into_iter()
                .map(|category| CategoryView { id: category.id, name: category.name.clone() })
                .collect(),
            items,
        })
    }
}

/// One item of the menu as a customer sees it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemDetail {
    /// Its code, or its id.
    pub item: String,
}

impl Query for ItemDetail {
    type Output = ItemView;
    const PERMISSION: Permission = Permission::MenuRead;

    async fn run(&self, view: &mut View<'_>) -> Result<ItemView, Refused> {
        let loaded = loaded(view.tx, view.menus, &view.site).await?;
        let item = named(&loaded, &self.item)?;
        let counts = stock::all_available(view.tx, &view.site.id).await?;
        let slot = view.site.settings.time_slots.slot_now(view.now, view.site.zone);
        Ok(item_view(&loaded, item, slot.map(|slot| slot.name.as_str()), &counts))
    }
}

/// An item as a customer sees it in the slot `slot_now`, with `counts` available of each stock item.
#[must_use]
pub fn item_view(
    loaded: &LoadedMenu,
    item: &Item,
    slot_now: Option<&str>,
    counts: &BTreeMap<StockItemId, i64>,
) -> ItemView {
    let available = |id: StockItemId| counts.get(&id).copied();
    let stock = StockView { consumption: loaded.consumption(), available: &available };
    let mut groups: Vec<_> = item.option_groups.iter().collect();
    groups.sort_by_key(|group| group.position);
    ItemView {
        id: item.id,
        category_id: item.category_id,
        code: item.code.clone(),
        name: item.name.clone(),
        description: item.description.clone(),
        price: item.price,
        diet: item.diet,
        allergens: item.allergens.clone(),
        spicy: item.spicy,
        prep_minutes: item.prep_minutes,
        glyph: item.glyph.clone(),
        availability: loaded.menu.availability(item.id, slot_now, &stock),
        option_groups: groups
            .into_iter()
            .map(|group| {
                let mut choices: Vec<_> = group.choices.iter().collect();
                choices.sort_by_key(|choice| choice.position);
                OptionGroupView {
                    id: group.id,
                    name: group.name.clone(),
                    min: group.min,
                    max: group.max,
                    choices: choices
                        .into_iter()
                        .map(|choice| ChoiceView {
                            id: choice.id,
                            name: choice.name.clone(),
                            price_delta: choice.price_delta,
                            available: choice_left(choice, &stock).is_none_or(|left| left > 0),
                        })
                        .collect(),
                }
            })
            .collect(),
    }
}

fn named<'a>(loaded: &'a LoadedMenu, code_or_id: &str) -> Result<&'a Item, Refused> {
    let shown = text::clean(code_or_id, 60, false);
    loaded.find_item(code_or_id).ok_or_else(|| Refused::not_found("menu item", shown))
}

/// What a small change of the menu answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemChanged {
    /// The item's code.
    pub code: String,
    /// The item's name.
    pub name: String,
    /// Whether it can be ordered at all.
    pub available: bool,
    /// Its price.
    pub price: Money,
    /// `false` if it was so before.
    pub changed: bool,
}

/// Switches an item, or one choice of it, off or on again (the kitchen's "86").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAvailable {
    /// The item's code, or its id.
    pub item: String,
    /// The name of one choice, to switch only that.
    #[serde(default)]
    pub option: Option<String>,
    /// `false` switches it off.
    pub available: bool,
}

impl UseCase for SetAvailable {
    type Output = ItemChanged;
    const NAME: &'static str = "menu_set_available";
    /// The cook who has run out says so, without calling a manager.
    const PERMISSION: Permission = Permission::OrdersUpdate;

    async fn run(&self, context: &mut Context<'_>) -> Result<ItemChanged, Refused> {
        if context.actor.is_bare_terminal() {
            // A bare terminal moves tickets; what the house sells is said by a person.
            context.actor.require(Permission::OrdersVoid)?;
        }
        menu_edit::lock(context.tx, &context.site.id).await?;
        let loaded = rows::load(context.tx, &context.site.id).await?;
        let item = named(&loaded, &self.item)?;
        let mut what = item.name.clone();
        let before = match &self.option {
            None => {
                if item.available != self.available {
                    rows::set_available(context.tx, &context.site.id, item.id, self.available, context.now).await?;
                }
                item.available
            }
            Some(name) => {
                let choices = item.option_groups.iter().flat_map(|group| &group.choices);
                let mut named = choices.filter(|choice| choice.name == *name || choice.id.to_string() == *name);
                let shown = text::clean(name, 60, false);
                let choice = named.next().ok_or_else(|| Refused::not_found("option", shown))?;
                if named.next().is_some() {
                    return Err(Refused::invalid("option", "Several options have this name: give its id."));
                }
                what = format!("{}/{}", item.code, choice.name);
                if choice.available != self.available {
                    rows::set_choice_available(context.tx, &context.site.id, choice.id, self.available).await?;
                    menu_edit::touch_item(context.tx, &context.site.id, item.id, context.now).await?;
                }
                choice.available
            }
        };
        let changed = before != self.available;
        let version = loaded.versions.get(&item.id).copied().unwrap_or_default().saturating_add(1);
        if changed {
            sites::menu_changed(context.tx, &context.site.id).await?;
            context.audit(AuditRow {
                action: "UPDATE",
                entity: "MenuItem",
                entity_id: item.code.clone(),
                details: format!("{what} was switched {}", if self.available { "on" } else { "off" }),
                before: Some(json!({ "available": before })),
                after: Some(json!({ "available": self.available, "version": version })),
                reason: None,
            });
        }
        let available = if self.option.is_some() { item.available } else { self.available };
        let (code, name) = (item.code.clone(), item.name.clone());
        Ok(ItemChanged { code, name, available, price: item.price, changed })
    }
}

/// Sets the price of an item. Carts that hold it ask their customer; orders keep their copy (I13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetPrice {
    /// The item's code, or its id.
    pub item: String,
    /// The new price as a decimal in the site's currency ("120.00").
    pub price: String,
}

impl UseCase for SetPrice {
    type Output = ItemChanged;
    const NAME: &'static str = "menu_set_price";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<ItemChanged, Refused> {
        let currency = context.site.currency;
        let price = Money::parse("price", &self.price, currency)?;
        if price <= Money::ZERO || price > MAX_PRICE {
            return Err(Refused::invalid("price", "The price is above zero and within reason."));
        }
        menu_edit::lock(context.tx, &context.site.id).await?;
        let loaded = rows::load(context.tx, &context.site.id).await?;
        let mut item = named(&loaded, &self.item)?.clone();
        let version = loaded.versions.get(&item.id).copied().unwrap_or_default().saturating_add(1);
        let before = item.price;
        item.price = price;
        // Options that lower the price must still fit.
        item.validate()?;
        let changed = before != price;
        if changed {
            rows::set_price(context.tx, &context.site.id, item.id, price, context.now).await?;
            sites::menu_changed(context.tx, &context.site.id).await?;
            context.audit(AuditRow {
                action: "UPDATE",
                entity: "MenuItem",
                entity_id: item.code.clone(),
                details: format!("{}: {} → {}", item.name, before.display(currency), price.display(currency)),
                before: Some(json!({ "price": before.plain(currency) })),
                after: Some(json!({ "price": price.plain(currency), "version": version })),
                reason: None,
            });
        }
        let Item { code, name, available, .. } = item;
        Ok(ItemChanged { code, name, available, price, changed })
    }
}
