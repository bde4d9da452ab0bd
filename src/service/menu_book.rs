//! The menu as those who keep it see it: every category and item with all that can be edited, what is
//! switched off, hidden or deleted among them, and the lists to choose from. What a customer sees is
//! in `menu`; changing it is in `menu_edit`, `menu_options` and `menu_categories`.

use super::door::{Query, View};
use crate::domain::access::Permission;
use crate::domain::consumption::{StockView, Subject};
use crate::domain::error::Refused;
use crate::domain::ids::{CategoryId, ItemId, OptionGroupId, OptionId, StationId, StockItemId, TaxClassId};
use crate::domain::menu::{Allergen, Category, Diet, Item};
use crate::domain::money::{Currency, Money, Rate};
use crate::domain::settings::Settings;
use crate::domain::time::Timestamp;
use crate::store::menu::{LoadedMenu, Station, StoredTaxClass};
use crate::store::stock::StockRow;
use crate::store::{menu as rows, stock};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The whole menu for its keepers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MenuBookView {
    /// The currency of all prices.
    pub currency: Currency,
    /// Rises with every change of the menu.
    pub version: i64,
    /// The categories by place; deleted ones last, the newest of them first.
    pub categories: Vec<CategoryRecord>,
    /// The items by category and place; deleted ones last, the newest of them first.
    pub items: Vec<ItemRecord>,
    /// The stations, by place.
    pub stations: Vec<StationRecord>,
    /// The tax classes, by name.
    pub tax_classes: Vec<TaxClassRecord>,
    /// The counted things that a sale may use, by code.
    pub stock: Vec<StockName>,
    /// The names of the time slots, in the order of the day.
    pub slots: Vec<String>,
}

/// A category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryRecord {
    /// Its identity.
    pub id: CategoryId,
    /// Rises with every change; an edit names the one that it saw.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// Its place among the categories.
    pub position: i32,
    /// Whether guests see it.
    pub active: bool,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// How many items it has that are not deleted.
    pub items: usize,
}

/// An item with everything that can be edited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemRecord {
    /// Its identity.
    pub id: ItemId,
    /// Rises with every change of the item or its options; an edit names the one that it saw.
    pub version: i64,
    /// Its short code, unique among the items that are not deleted.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its category.
    pub category_id: CategoryId,
    /// The name of its category.
    pub category: String,
    /// What it is.
    pub description: String,
    /// Its price without options (minor units).
    pub price: Money,
    /// The name of its tax class; `None`: the default one.
    pub tax_class: Option<String>,
    /// The name of its station; `None`: the default one.
    pub station: Option<String>,
    /// How long the kitchen needs, in minutes.
    pub prep_minutes: u16,
    /// Its diet.
    pub diet: Diet,
    /// What it contains.
    pub allergens: Vec<Allergen>,
    /// How hot it is, 0 to 3.
    pub spicy: u8,
    /// The time slots in which it is served; empty: all.
    pub slots: Vec<String>,
    /// `false`: switched off for now (86).
    pub available: bool,
    /// `false`: hidden from customers.
    pub active: bool,
    /// Its place in the category.
    pub position: i32,
    /// One character that stands for it.
    pub glyph: Option<String>,
    /// Where a picture is, for other front ends.
    pub image_url: Option<String>,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// Its options, by place.
    pub option_groups: Vec<GroupRecord>,
    /// What one sale of it uses of the store room.
    pub uses: Vec<UseRecord>,
    /// How many can be sold; `None`: not counted.
    pub left: Option<i64>,
}

/// A group of options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRecord {
    /// Its identity.
    pub id: OptionGroupId,
    /// Its name.
    pub name: String,
    /// The fewest choices.
    pub min: u32,
    /// The most choices.
    pub max: u32,
    /// Its place in the item.
    pub position: i32,
    /// Its choices, by place.
    pub choices: Vec<ChoiceRecord>,
}

/// One choice of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChoiceRecord {
    /// Its identity.
    pub id: OptionId,
    /// Its name.
    pub name: String,
    /// What it adds to the price (minor units); may be negative.
    pub price_delta: Money,
    /// `false`: switched off for now (86).
    pub available: bool,
    /// Its place in the group.
    pub position: i32,
    /// What one sale of it uses of the store room.
    pub uses: Vec<UseRecord>,
}

/// Units of a counted thing that one sale uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UseRecord {
    /// The code of the stock item.
    pub stock: String,
    /// How many units.
    pub units: i64,
}

/// A kitchen station.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StationRecord {
    /// Its identity.
    pub id: StationId,
    /// Its name.
    pub name: String,
    /// Its place among the stations.
    pub position: i32,
    /// Whether items that name none are made here.
    pub is_default: bool,
    /// Whether it is in use.
    pub active: bool,
}

/// A tax class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxClassRecord {
    /// Its identity.
    pub id: TaxClassId,
    /// Its name.
    pub name: String,
    /// Its rate, in parts per million.
    pub rate: Rate,
    /// Whether items that name none have this one.
    pub is_default: bool,
    /// Whether it is in use.
    pub active: bool,
}

/// A counted thing to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockName {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What one unit is.
    pub unit: String,
}

impl From<&Station> for StationRecord {
    fn from(station: &Station) -> Self {
        let Station { id, name, position, is_default, active } = station.clone();
        Self { id, name, position, is_default, active }
    }
}

impl From<&StoredTaxClass> for TaxClassRecord {
    fn from(stored: &StoredTaxClass) -> Self {
        let StoredTaxClass { class, is_default, active } = stored.clone();
        Self { id: class.id, name: class.name, rate: class.rate, is_default, active }
    }
}

/// A menu read with what is deleted, beside the store room: what records are made from.
pub(super) struct Shelves<'a> {
    loaded: &'a LoadedMenu,
    codes: BTreeMap<StockItemId, &'a str>,
    available: BTreeMap<StockItemId, i64>,
}

impl<'a> Shelves<'a> {
    /// Puts the two together.
    pub(super) fn of(loaded: &'a LoadedMenu, stock: &'a [StockRow]) -> Self {
        let counted = stock.iter().filter(|row| row.tracked && row.active);
        Self {
            loaded,
            codes: stock.iter().map(|row| (StockItemId(row.id), row.code.as_str())).collect(),
            available: counted.map(|row| (StockItemId(row.id), row.on_hand.saturating_sub(row.reserved))).collect(),
        }
    }

    fn uses(&self, subject: Subject) -> Vec<UseRecord> {
        let rows = self.loaded.consumption().iter().filter(|row| row.subject == subject);
        let code = |id| self.codes.get(&id).map_or_else(String::new, |code| (*code).to_owned());
        let mut uses: Vec<UseRecord> =
            rows.map(|row| UseRecord { stock: code(row.stock_item_id), units: row.units }).collect();
        uses.sort_unstable_by(|left, right| left.stock.cmp(&right.stock));
        uses
    }

    /// A category as its keepers see it.
    pub(super) fn category(&self, category: &Category) -> CategoryRecord {
        let live = |item: &&Item| item.category_id == category.id && item.deleted_at.is_none();
        CategoryRecord {
            id: category.id,
            version: self.loaded.category_versions.get(&category.id).copied().unwrap_or_default(),
            name: category.name.clone(),
            position: category.position,
            active: category.active,
            deleted_at: category.deleted_at,
            items: self.loaded.menu.items.iter().filter(live).count(),
        }
    }

    /// An item as its keepers see it.
    pub(super) fn item(&self, item: &Item) -> ItemRecord {
        let loaded = self.loaded;
        let available = |id: StockItemId| self.available.get(&id).copied();
        let stock = StockView { consumption: loaded.consumption(), available: &available };
        let own_class = item.tax_class.filter(|class| Some(*class) != loaded.default_tax_class());
        let class_name = |id| loaded.tax_classes.get(&id).map(|stored| stored.class.name.clone());
        let station = |id| loaded.stations.iter().find(|station| station.id == id);
        let mut option_groups: Vec<GroupRecord> = item
            .option_groups
            .iter()
            .map(|group| {
                let mut choices: Vec<ChoiceRecord> = group
                    .choices
                    .iter()
                    .map(|choice| ChoiceRecord {
                        id: choice.id,
                        name: choice.name.clone(),
                        price_delta: choice.price_delta,
                        available: choice.available,
                        position: choice.position,
                        uses: self.uses(Subject::Choice(choice.id)),
                    })
                    .collect();
                choices.sort_by_key(|choice| choice.position);
                GroupRecord {
                    id: group.id,
                    name: group.name.clone(),
                    min: group.min,
                    max: group.max,
                    position: group.position,
                    choices,
                }
            })
            .collect();
        option_groups.sort_by_key(|group| group.position);
        ItemRecord {
            id: item.id,
            version: loaded.versions.get(&item.id).copied().unwrap_or_default(),
            code: item.code.clone(),
            name: item.name.clone(),
            category_id: item.category_id,
            category: loaded.menu.category(item.category_id).map(|known| known.name.clone()).unwrap_or_default(),
            description: item.description.clone(),
            price: item.price,
            tax_class: own_class.and_then(class_name),
            station: item.station.and_then(station).map(|station| station.name.clone()),
            prep_minutes: item.prep_minutes,
            diet: item.diet,
            allergens: item.allergens.clone(),
            spicy: item.spicy,
            slots: item.slots.clone(),
            available: item.available,
            active: item.active,
            position: item.position,
            glyph: item.glyph.clone(),
            image_url: item.image_url.clone(),
            deleted_at: item.deleted_at,
            option_groups,
            uses: self.uses(Subject::Item(item.id)),
            left: stock.left(item.id, &[], &[]).unwrap_or_default(),
        }
    }
}

/// Everything about a menu for its keepers.
pub(super) fn book(loaded: &LoadedMenu, stock: &[StockRow], settings: &Settings) -> MenuBookView {
    let shelves = Shelves::of(loaded, stock);
    let newest_first = |at: Option<Timestamp>| at.map(std::cmp::Reverse);
    let mut categories: Vec<CategoryRecord> =
        loaded.menu.categories.iter().map(|category| shelves.category(category)).collect();
    categories.sort_by(|left, right| {
        let key = |record: &CategoryRecord| (newest_first(record.deleted_at), record.position);
        key(left).cmp(&key(right)).then_with(|| left.name.cmp(&right.name))
    });
    let place: BTreeMap<CategoryId, usize> =
        categories.iter().enumerate().map(|(place, category)| (category.id, place)).collect();
    let mut items: Vec<ItemRecord> = loaded.menu.items.iter().map(|item| shelves.item(item)).collect();
    items.sort_by(|left, right| {
        let key = |record: &ItemRecord| {
            (newest_first(record.deleted_at), place.get(&record.category_id).copied(), record.position)
        };
        key(left).cmp(&key(right)).then_with(|| left.code.cmp(&right.code))
    });
    let mut tax_classes: Vec<TaxClassRecord> = loaded.tax_classes.values().map(TaxClassRecord::from).collect();
    tax_classes.sort_by(|left, right| left.name.cmp(&right.name));
    let name = |row: &StockRow| StockName { code: row.code.clone(), name: row.name.clone(), unit: row.unit.clone() };
    MenuBookView {
        currency: loaded.menu.currency,
        version: loaded.menu.version,
        categories,
        items,
        stations: loaded.stations.iter().map(StationRecord::from).collect(),
        tax_classes,
        stock: stock.iter().filter(|row| row.active).map(name).collect(),
        slots: settings.time_slots.as_slice().iter().map(|slot| slot.name.clone()).collect(),
    }
}

/// Asks for the whole menu.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MenuBook {
    /// With the categories and items that are deleted.
    pub deleted: bool,
}

impl Query for MenuBook {
    type Output = MenuBookView;
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, view: &mut View<'_>) -> Result<MenuBookView, Refused> {
        let site = view.site.id.clone();
        let loaded = match self.deleted {
            true => rows::load_with_deleted(view.tx, &site).await?,
            false => rows::load(view.tx, &site).await?,
        };
        let shelves = stock::list(view.tx, &site).await?;
        Ok(book(&loaded, &shelves, &view.site.settings))
    }
}
