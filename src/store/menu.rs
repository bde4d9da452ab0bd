//! Rows of the menu: categories, items, options, tax classes, stations, and what a sale consumes.
//! Reading all of it takes one statement per table; writing is one upsert per row, keyed by id.
//!
//! Nothing here is deleted but consumption rows: the rest is marked (`deleted_at`, `active`), so that
//! what an order points at stays. What may be written is decided by the service.

use super::{StoreError, Tx, sites};
use crate::domain::consumption::{Consumption, Subject};
use crate::domain::ids::{CategoryId, ItemId, OptionGroupId, OptionId, SiteId, StationId, StockItemId, TaxClassId};
use crate::domain::menu::{Allergen, Category, Choice, Diet, Item, Menu, OptionGroup};
use crate::domain::money::{Currency, Money, Rate};
use crate::domain::tax::TaxClass;
use crate::domain::time::Timestamp;
use sqlx::types::Json;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// A tax class with what the store keeps about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTaxClass {
    /// The class itself.
    pub class: TaxClass,
    /// Whether items that name none have this one.
    pub is_default: bool,
    /// Whether it is in use.
    pub active: bool,
}

/// A kitchen station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Station {
    /// Identity.
    pub id: StationId,
    /// Name, unique in the site.
    pub name: String,
    /// Place among the stations.
    pub position: i32,
    /// Whether lines without a station are made here.
    pub is_default: bool,
    /// Whether it is in use.
    pub active: bool,
}

/// Everything on the menu of a site, with its tax classes and stations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedMenu {
    /// The menu. An item that names no tax class has the default one here.
    pub menu: Menu,
    /// The tax classes, those out of use too.
    pub tax_classes: BTreeMap<TaxClassId, StoredTaxClass>,
    /// The stations in order, those out of use too.
    pub stations: Vec<Station>,
    /// The version of each item: it rises with every change of the item or its options.
    pub versions: BTreeMap<ItemId, i64>,
    /// The version of each category: the instant of its last change, always later than the one before.
    pub category_versions: BTreeMap<CategoryId, i64>,
}

impl LoadedMenu {
    /// What sales use of the store room.
    #[must_use]
    pub fn consumption(&self) -> &[Consumption] {
        &self.menu.consumption
    }

    /// The tax class of items that name none.
    #[must_use]
    pub fn default_tax_class(&self) -> Option<TaxClassId> {
        self.tax_classes.values().find(|stored| stored.is_default).map(|stored| stored.class.id)
    }

    /// The station of items that name none: the default one, else the first in use.
    #[must_use]
    pub fn default_station(&self) -> Option<StationId> {
        let default = self.stations.iter().find(|station| station.is_default && station.active);
        default.or_else(|| self.stations.iter().find(|station| station.active)).map(|station| station.id)
    }

    /// Where an item is made.
    #[must_use]
    pub fn station_of(&self, item: &Item) -> Option<StationId> {
        item.station.or_else(|| self.default_station())
    }

    /// The tax class of an item.
    #[must_use]
    pub fn tax_class_of(&self, item: &Item) -> Option<&TaxClass> {
        self.tax_classes.get(&item.tax_class?).map(|stored| &stored.class)
    }

    /// The item whose code or id this is.
    #[must_use]
    pub fn find_item(&self, code_or_id: &str) -> Option<&Item> {
        let by_code = self.menu.items.iter().find(|item| item.code == code_or_id);
        by_code.or_else(|| self.menu.item(code_or_id.parse().ok()?))
    }
}

#[derive(sqlx::FromRow)]
struct CategoryRow {
    id: Uuid,
    name: String,
    position: i64,
    active: bool,
    updated_at: i64,
    deleted_at: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct ItemRow {
    id: Uuid,
    category_id: Uuid,
    code: String,
    name: String,
    description: Option<String>,
    price: i64,
    tax_class_id: Option<Uuid>,
    station_id: Option<Uuid>,
    prep_minutes: i64,
    diet: String,
    spicy: i64,
    allergens: Json<Vec<Allergen>>,
    slots: Option<Json<Vec<String>>>,
    available: bool,
    active: bool,
    position: i64,
    glyph: Option<String>,
    image_url: Option<String>,
    version: i64,
    deleted_at: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct GroupRow {
    id: Uuid,
    item_id: Uuid,
    name: String,
    minimum: i64,
    maximum: i64,
    position: i64,
}

#[derive(sqlx::FromRow)]
struct ChoiceRow {
    id: Uuid,
    group_id: Uuid,
    name: String,
    price_delta: i64,
    available: bool,
    position: i64,
}

type TaxRow = (Uuid, String, i64, bool, bool);
type StationRow = (Uuid, String, i64, bool, bool);
type ConsumptionRow = (String, Uuid, Uuid, i64);

const CATEGORIES: &str = "SELECT id, name, position, active, updated_at, deleted_at FROM categories \
     WHERE site_id = $1 AND (deleted_at IS NULL OR $2) ORDER BY position, name";
const ITEMS: &str = "SELECT id, category_id, code, name, description, price, tax_class_id, station_id, prep_minutes, \
     diet, spicy, allergens, slots, available, active, position, glyph, image_url, version, deleted_at FROM menu_items \
     WHERE site_id = $1 AND (deleted_at IS NULL OR $2) ORDER BY category_id, position, code";
const GROUPS: &str = "SELECT id, item_id, name, minimum, maximum, position FROM option_groups \
     WHERE site_id = $1 AND deleted_at IS NULL ORDER BY item_id, position, name";
const CHOICES: &str = "SELECT id, group_id, name, price_delta, available, position FROM option_choices \
     WHERE site_id = $1 AND deleted_at IS NULL ORDER BY group_id, position, name";
const TAX_CLASSES: &str =
    "SELECT id, name, rate_ppm, is_default, active FROM tax_classes WHERE site_id = $1 ORDER BY name";
const STATIONS: &str =
    "SELECT id, name, position, is_default, active FROM stations WHERE site_id = $1 ORDER BY position, name";
const CONSUMPTION: &str = "SELECT subject_kind, subject_id, stock_item_id, units FROM consumption WHERE site_id = $1 \
     ORDER BY subject_kind, subject_id, stock_item_id";

const PUT_CATEGORY: &str = "INSERT INTO categories (site_id, id, name, position, active, created_at, updated_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (site_id, id) DO UPDATE SET name = excluded.name, \
     position = excluded.position, active = excluded.active, updated_at = CASE WHEN categories.updated_at < \
     excluded.updated_at THEN excluded.updated_at ELSE categories.updated_at + 1 END";
const PUT_ITEM: &str = "INSERT INTO menu_items (site_id, id, category_id, code, name, description, price, \
     tax_class_id, station_id, prep_minutes, diet, spicy, allergens, slots, available, active, position, glyph, \
     image_url, created_at, updated_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $20) \
     ON CONFLICT (site_id, id) DO UPDATE SET category_id = excluded.category_id, code = excluded.code, \
     name = excluded.name, description = excluded.description, price = excluded.price, \
     tax_class_id = excluded.tax_class_id, station_id = excluded.station_id, prep_minutes = excluded.prep_minutes, \
     diet = excluded.diet, spicy = excluded.spicy, allergens = excluded.allergens, slots = excluded.slots, \
     available = excluded.available, active = excluded.active, position = excluded.position, glyph = excluded.glyph, \
     image_url = excluded.image_url, updated_at = excluded.updated_at, version = menu_items.version + 1";
const PUT_GROUP: &str = "INSERT INTO option_groups (site_id, id, item_id, name, minimum, maximum, position) \
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (site_id, id) DO UPDATE SET name = excluded.name, \
     minimum = excluded.minimum, maximum = excluded.maximum, position = excluded.position";
const PUT_CHOICE: &str = "INSERT INTO option_choices (site_id, id, group_id, name, price_delta, available, position) \
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (site_id, id) DO UPDATE SET name = excluded.name, \
     price_delta = excluded.price_delta, available = excluded.available, position = excluded.position";
const PUT_TAX_CLASS: &str = "INSERT INTO tax_classes (site_id, id, name, rate_ppm, is_default, active) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (site_id, id) DO UPDATE SET name = excluded.name, \
     rate_ppm = excluded.rate_ppm, is_default = excluded.is_default, active = excluded.active";
const PUT_STATION: &str = "INSERT INTO stations (site_id, id, name, position, is_default, active) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (site_id, id) DO UPDATE SET name = excluded.name, \
     position = excluded.position, is_default = excluded.is_default, active = excluded.active";
const PUT_CONSUMPTION: &str = "INSERT INTO consumption (site_id, subject_kind, subject_id, stock_item_id, units) \
     VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (site_id, subject_kind, subject_id, stock_item_id) DO UPDATE SET units = excluded.units";
const NO_DEFAULT_TAX: &str = "UPDATE tax_classes SET is_default = FALSE WHERE site_id = $1 AND is_default";
const NO_DEFAULT_STATION: &str = "UPDATE stations SET is_default = FALSE WHERE site_id = $1 AND is_default";
const DROP_CATEGORY: &str = "UPDATE categories SET deleted_at = $3, updated_at = CASE WHEN updated_at < $3 THEN $3 \
     ELSE updated_at + 1 END WHERE site_id = $1 AND id = $2 AND deleted_at IS NULL";
const DROP_ITEM: &str = "UPDATE menu_items SET deleted_at = $3, updated_at = $3, version = version + 1 \
     WHERE site_id = $1 AND id = $2 AND deleted_at IS NULL";
const DROP_GROUP: &str =
    "UPDATE option_groups SET deleted_at = $3 WHERE site_id = $1 AND id = $2 AND deleted_at IS NULL";
const DROP_CHOICE: &str =
    "UPDATE option_choices SET deleted_at = $3 WHERE site_id = $1 AND id = $2 AND deleted_at IS NULL";
const DROP_CONSUMPTION: &str =
    "DELETE FROM consumption WHERE site_id = $1 AND subject_kind = $2 AND subject_id = $3 AND stock_item_id = $4";
const SET_AVAILABLE: &str = "UPDATE menu_items SET available = $3, updated_at = $4, version = version + 1 \
     WHERE site_id = $1 AND id = $2 AND deleted_at IS NULL";
const SET_CHOICE_AVAILABLE: &str =
    "UPDATE option_choices SET available = $3 WHERE site_id = $1 AND id = $2 AND deleted_at IS NULL";
const SET_PRICE: &str = "UPDATE menu_items SET price = $3, updated_at = $4, version = version + 1 \
     WHERE site_id = $1 AND id = $2 AND deleted_at IS NULL";

fn unreadable(what: &str, error: impl std::fmt::Display) -> StoreError {
    StoreError::Fault(format!("a row of the menu cannot be read ({what}): {error}"))
}

/// Reads the menu of a site, without what is deleted.
///
/// # Errors
/// Any [`StoreError`] of the statements; [`StoreError::Fault`] when the site is missing or a row holds
/// what the program does not know.
pub async fn load(tx: &mut Tx, site: &str) -> Result<LoadedMenu, StoreError> {
    read(tx, site, false).await
}

/// Reads the menu of a site with the categories and items that are deleted.
///
/// # Errors
/// As [`load`].
pub async fn load_with_deleted(tx: &mut Tx, site: &str) -> Result<LoadedMenu, StoreError> {
    read(tx, site, true).await
}

async fn read(tx: &mut Tx, site: &str, deleted: bool) -> Result<LoadedMenu, StoreError> {
    let row = sites::find(tx, site).await?.ok_or_else(|| unreadable("site", site))?;
    let categories = fetch_all!(tx, CategoryRow, CATEGORIES, site, deleted)?;
    let items = fetch_all!(tx, ItemRow, ITEMS, site, deleted)?;
    let groups = fetch_all!(tx, GroupRow, GROUPS, site)?;
    let choices = fetch_all!(tx, ChoiceRow, CHOICES, site)?;
    let tax_classes = fetch_all!(tx, TaxRow, TAX_CLASSES, site)?;
    let stations = fetch_all!(tx, StationRow, STATIONS, site)?;
    let consumption = fetch_all!(tx, ConsumptionRow, CONSUMPTION, site)?;

    let tax_classes: BTreeMap<TaxClassId, StoredTaxClass> = tax_classes
        .into_iter()
        .map(|(id, name, rate, is_default, active)| {
            let class = TaxClass { id: TaxClassId(id), name, rate: Rate(rate) };
            (class.id, StoredTaxClass { class, is_default, active })
        })
        .collect();
    let stations = stations
        .into_iter()
        .map(|(id, name, position, is_default, active)| {
            Ok(Station { id: StationId(id), name, position: place(position)?, is_default, active })
        })
        .collect::<Result<_, StoreError>>()?;
    let default = tax_classes.values().find(|stored| stored.is_default).map(|stored| stored.class.id);
    let mut groups_of = gather(groups, choices)?;
    let versions = items.iter().map(|row| (ItemId(row.id), row.version)).collect();
    let category_versions = categories.iter().map(|row| (CategoryId(row.id), row.updated_at)).collect();
    let items = items
        .into_iter()
        .map(|row| {
            let groups = groups_of.remove(&row.id).unwrap_or_default();
            item(row, groups, default)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let consumption = live(&items, consumption)?;
    let categories = categories
        .into_iter()
        .map(|row| {
            Ok(Category {
                id: CategoryId(row.id),
                name: row.name,
                position: place(row.position)?,
                active: row.active,
                deleted_at: row.deleted_at.map(Timestamp),
            })
        })
        .collect::<Result<_, StoreError>>()?;
    let menu = Menu {
        site: SiteId(row.site_id),
        version: row.menu_version,
        currency: Currency::parse(&row.currency).map_err(|refused| unreadable("currency", refused))?,
        categories,
        items,
        consumption,
        tax_classes: tax_classes.values().map(|stored| stored.class.clone()).collect(),
    };
    Ok(LoadedMenu { menu, tax_classes, stations, versions, category_versions })
}

fn place(position: i64) -> Result<i32, StoreError> {
    i32::try_from(position).map_err(|error| unreadable("position", error))
}

/// The option groups with their choices, by item.
fn gather(groups: Vec<GroupRow>, choices: Vec<ChoiceRow>) -> Result<BTreeMap<Uuid, Vec<OptionGroup>>, StoreError> {
    let mut choices_of: BTreeMap<Uuid, Vec<Choice>> = BTreeMap::new();
    for row in choices {
        choices_of.entry(row.group_id).or_default().push(Choice {
            id: OptionId(row.id),
            name: row.name,
            price_delta: Money(row.price_delta),
            available: row.available,
            position: place(row.position)?,
        });
    }
    let mut groups_of: BTreeMap<Uuid, Vec<OptionGroup>> = BTreeMap::new();
    for row in groups {
        groups_of.entry(row.item_id).or_default().push(OptionGroup {
            id: OptionGroupId(row.id),
            name: row.name,
            min: u32::try_from(row.minimum).map_err(|error| unreadable("minimum", error))?,
            max: u32::try_from(row.maximum).map_err(|error| unreadable("maximum", error))?,
            position: place(row.position)?,
            choices: choices_of.remove(&row.id).unwrap_or_default(),
        });
    }
    Ok(groups_of)
}

fn item(row: ItemRow, option_groups: Vec<OptionGroup>, default: Option<TaxClassId>) -> Result<Item, StoreError> {
    Ok(Item {
        id: ItemId(row.id),
        category_id: CategoryId(row.category_id),
        code: row.code,
        name: row.name,
        description: row.description.unwrap_or_default(),
        price: Money(row.price),
        tax_class: row.tax_class_id.map(TaxClassId).or(default),
        diet: Diet::parse(&row.diet).map_err(|refused| unreadable("diet", refused))?,
        allergens: row.allergens.0,
        spicy: u8::try_from(row.spicy).map_err(|error| unreadable("spicy", error))?,
        prep_minutes: u16::try_from(row.prep_minutes).map_err(|error| unreadable("prep_minutes", error))?,
        station: row.station_id.map(StationId),
        available: row.available,
        active: row.active,
        deleted_at: row.deleted_at.map(Timestamp),
        slots: row.slots.map(|slots| slots.0).unwrap_or_default(),
        position: place(row.position)?,
        image_url: row.image_url,
        glyph: row.glyph,
        option_groups,
    })
}

/// The consumption of what is still on the menu.
fn live(items: &[Item], rows: Vec<ConsumptionRow>) -> Result<Vec<Consumption>, StoreError> {
    let known_items: BTreeSet<Uuid> = items.iter().map(|item| item.id.0).collect();
    let groups = items.iter().flat_map(|item| &item.option_groups);
    let known_choices: BTreeSet<Uuid> = groups.flat_map(|group| &group.choices).map(|choice| choice.id.0).collect();
    let mut consumption = Vec::with_capacity(rows.len());
    for (kind, subject, stock_item, units) in rows {
        let subject = match kind.as_str() {
            "item" if known_items.contains(&subject) => Subject::Item(ItemId(subject)),
            "choice" if known_choices.contains(&subject) => Subject::Choice(OptionId(subject)),
            "item" | "choice" => continue,
            other => return Err(unreadable("subject_kind", other)),
        };
        consumption.push(Consumption { subject, stock_item_id: StockItemId(stock_item), units });
    }
    Ok(consumption)
}

/// Writes a category, new or known.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn put_category(tx: &mut Tx, site: &str, category: &Category, now: Timestamp) -> Result<(), StoreError> {
    let position = i64::from(category.position);
    execute!(tx, PUT_CATEGORY, site, category.id.0, &category.name, position, category.active, now.0)?;
    Ok(())
}

/// Writes an item without its options, new or known. `item.tax_class` is written as it is.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn put_item(tx: &mut Tx, site: &str, item: &Item, now: Timestamp) -> Result<(), StoreError> {
    let slots = (!item.slots.is_empty()).then_some(Json(&item.slots));
    execute!(
        tx,
        PUT_ITEM,
        site,
        item.id.0,
        item.category_id.0,
        &item.code,
        &item.name,
        &item.description,
        item.price.0,
        item.tax_class.map(|id| id.0),
        item.station.map(|id| id.0),
        i64::from(item.prep_minutes),
        item.diet.as_str(),
        i64::from(item.spicy),
        Json(&item.allergens),
        slots,
        item.available,
        item.active,
        i64::from(item.position),
        item.glyph.as_deref(),
        item.image_url.as_deref(),
        now.0
    )?;
    Ok(())
}

/// Writes an option group without its choices, new or known.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn put_group(tx: &mut Tx, site: &str, item: ItemId, group: &OptionGroup) -> Result<(), StoreError> {
    let (min, max, position) = (i64::from(group.min), i64::from(group.max), i64::from(group.position));
    execute!(tx, PUT_GROUP, site, group.id.0, item.0, &group.name, min, max, position)?;
    Ok(())
}

/// Writes a choice, new or known.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn put_choice(tx: &mut Tx, site: &str, group: OptionGroupId, choice: &Choice) -> Result<(), StoreError> {
    let position = i64::from(choice.position);
    execute!(
        tx,
        PUT_CHOICE,
        site,
        choice.id.0,
        group.0,
        &choice.name,
        choice.price_delta.0,
        choice.available,
        position
    )?;
    Ok(())
}

/// Writes tax classes, new or known, at most one of them the default.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn put_tax_classes(tx: &mut Tx, site: &str, classes: &[StoredTaxClass]) -> Result<(), StoreError> {
    if classes.iter().any(|stored| stored.is_default) {
        execute!(tx, NO_DEFAULT_TAX, site)?;
    }
    for StoredTaxClass { class, is_default, active } in classes {
        execute!(tx, PUT_TAX_CLASS, site, class.id.0, &class.name, class.rate.0, *is_default, *active)?;
    }
    Ok(())
}

/// Writes stations, new or known, at most one of them the default.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn put_stations(tx: &mut Tx, site: &str, stations: &[Station]) -> Result<(), StoreError> {
    if stations.iter().any(|station| station.is_default) {
        execute!(tx, NO_DEFAULT_STATION, site)?;
    }
    for station in stations {
        let position = i64::from(station.position);
        execute!(tx, PUT_STATION, site, station.id.0, &station.name, position, station.is_default, station.active)?;
    }
    Ok(())
}

/// Writes what one sale uses of one stock item.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn put_consumption(tx: &mut Tx, site: &str, row: &Consumption) -> Result<(), StoreError> {
    let (kind, subject) = subject_key(row.subject);
    execute!(tx, PUT_CONSUMPTION, site, kind, subject, row.stock_item_id.0, row.units)?;
    Ok(())
}

/// Takes away what one sale used of one stock item.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn drop_consumption(tx: &mut Tx, site: &str, row: &Consumption) -> Result<(), StoreError> {
    let (kind, subject) = subject_key(row.subject);
    execute!(tx, DROP_CONSUMPTION, site, kind, subject, row.stock_item_id.0)?;
    Ok(())
}

const fn subject_key(subject: Subject) -> (&'static str, Uuid) {
    match subject {
        Subject::Item(id) => ("item", id.0),
        Subject::Choice(id) => ("choice", id.0),
    }
}

/// Marks a category as deleted.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn drop_category(tx: &mut Tx, site: &str, id: CategoryId, now: Timestamp) -> Result<(), StoreError> {
    execute!(tx, DROP_CATEGORY, site, id.0, now.0)?;
    Ok(())
}

/// Marks an item as deleted.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn drop_item(tx: &mut Tx, site: &str, id: ItemId, now: Timestamp) -> Result<(), StoreError> {
    execute!(tx, DROP_ITEM, site, id.0, now.0)?;
    Ok(())
}

/// Marks an option group as deleted.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn drop_group(tx: &mut Tx, site: &str, id: OptionGroupId, now: Timestamp) -> Result<(), StoreError> {
    execute!(tx, DROP_GROUP, site, id.0, now.0)?;
    Ok(())
}

/// Marks a choice as deleted.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn drop_choice(tx: &mut Tx, site: &str, id: OptionId, now: Timestamp) -> Result<(), StoreError> {
    execute!(tx, DROP_CHOICE, site, id.0, now.0)?;
    Ok(())
}

/// Sets the 86 flag of an item; `false` if there is no such item.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn set_available(
    tx: &mut Tx,
    site: &str,
    id: ItemId,
    available: bool,
    now: Timestamp,
) -> Result<bool, StoreError> {
    super::rows::hit_one(execute!(tx, SET_AVAILABLE, site, id.0, available, now.0)?)
}

/// Sets the 86 flag of a choice; `false` if there is no such choice.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn set_choice_available(tx: &mut Tx, site: &str, id: OptionId, available: bool) -> Result<bool, StoreError> {
    super::rows::hit_one(execute!(tx, SET_CHOICE_AVAILABLE, site, id.0, available)?)
}

/// Sets the price of an item, in minor units; `false` if there is no such item.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn set_price(tx: &mut Tx, site: &str, id: ItemId, price: Money, now: Timestamp) -> Result<bool, StoreError> {
    super::rows::hit_one(execute!(tx, SET_PRICE, site, id.0, price.0, now.0)?)
}
