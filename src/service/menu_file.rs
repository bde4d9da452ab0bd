//! A menu as a file: the entries of a TOML file (see `assets/demo/menu.toml`), read with the line of
//! every mistake, and written back. The CSV form is in `menu_csv`; bringing a file into the store is
//! in `menu_import`. Nothing here touches the store.
//!
//! Prices are decimal text in the site's currency ("120.00"), rates are percentages ("5"). A section
//! that is left out (tax classes, stations, stock, categories) leaves what the store has; the items
//! of a file are the whole menu.

use crate::domain::consumption::Subject;
use crate::domain::error::Refused;
use crate::domain::ids::StockItemId;
use crate::domain::menu::{Allergen, Item};
use crate::domain::money::Currency;
use crate::domain::text;
use crate::store::menu::LoadedMenu;
use crate::store::stock::StockRow;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toml::Spanned;

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// The most items of one file.
pub const MAX_ITEMS: usize = 5_000;
/// The most of any other kind of entry: categories, stations, tax classes; and of the options of one
/// item, and of the choices of one option.
pub const MAX_ENTRIES: usize = 500;
/// The most options, choices and uses of one item, together.
pub const MAX_ITEM_PARTS: usize = 2_000;
/// The same of all items of one file.
pub const MAX_PARTS: usize = 50_000;

/// The units that one sale uses, by the code of the stock item.
pub type Uses = BTreeMap<String, i64>;

/// A menu as it stands in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MenuFile {
    /// The currency of the prices; refused if it is not the site's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The tax classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_class: Option<Vec<TaxClassEntry>>,
    /// The kitchen stations, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station: Option<Vec<StationEntry>>,
    /// Counted things.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stock: Option<Vec<StockEntry>>,
    /// The categories, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Vec<CategoryEntry>>,
    /// The items, in order.
    #[serde(default)]
    pub item: Vec<ItemEntry>,
}

/// A tax class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxClassEntry {
    /// Its name.
    pub name: String,
    /// Its rate in percent ("5", "10.75").
    pub rate: String,
    /// Whether items that name none have this one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub default: bool,
}

/// A kitchen station.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StationEntry {
    /// Its name.
    pub name: String,
    /// Whether items that name none are made here.
    #[serde(default, skip_serializing_if = "is_false")]
    pub default: bool,
}

/// A counted thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StockEntry {
    /// Its short code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What one unit is; "piece" if left out.
    #[serde(default = "piece", skip_serializing_if = "is_piece")]
    pub unit: String,
    /// The count with which a new one begins; one that the store has keeps its count.
    #[serde(default)]
    pub opening: i64,
    /// At or below so many available it is low.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub low: i64,
}

/// A category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryEntry {
    /// Its name.
    pub name: String,
    /// Whether guests see it; yes if left out.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub active: bool,
}

/// An item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemEntry {
    /// Its short code: what a later file finds it by.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The name of its category.
    pub category: String,
    /// What it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its price.
    pub price: String,
    /// The name of its tax class; the default one if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_class: Option<String>,
    /// veg, vegan, egg or non_veg.
    pub diet: String,
    /// What it contains, as words or letters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allergens: Vec<String>,
    /// How hot it is, 0 to 3.
    #[serde(default, skip_serializing_if = "is_mild")]
    pub spicy: u8,
    /// How long the kitchen needs.
    #[serde(default, skip_serializing_if = "is_instant")]
    pub prep_minutes: u16,
    /// The name of its station; the default one if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station: Option<String>,
    /// The time slots in which it is served; all if left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slots: Vec<String>,
    /// Whether it can be ordered today; a known item stays as it is if this is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<bool>,
    /// Whether it is on the menu; yes if left out.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub active: bool,
    /// One character that stands for the dish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glyph: Option<String>,
    /// Where a picture is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// What one sale uses.
    #[serde(default, skip_serializing_if = "Uses::is_empty")]
    pub uses: Uses,
    /// Its options, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub option: Vec<OptionEntry>,
    /// The line of the file at which it starts, for messages; 0 if unknown.
    #[serde(skip)]
    pub line: usize,
}

/// A group of choices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionEntry {
    /// Its name.
    pub name: String,
    /// The fewest choices; 0 if left out.
    #[serde(default)]
    pub min: u32,
    /// The most choices; 1 if left out.
    #[serde(default = "one")]
    pub max: u32,
    /// The choices, in order.
    pub choices: Vec<ChoiceEntry>,
}

/// A choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChoiceEntry {
    /// Its name.
    pub name: String,
    /// What it adds to the price; nothing if left out, and may be negative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<String>,
    /// Whether it can be chosen today; a known choice stays as it is if this is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<bool>,
    /// What one sale uses.
    #[serde(default, skip_serializing_if = "Uses::is_empty")]
    pub uses: Uses,
}

fn piece() -> String {
    "piece".to_owned()
}
fn is_piece(unit: &str) -> bool {
    unit == "piece"
}
const fn yes() -> bool {
    true
}
const fn one() -> u32 {
    1
}

macro_rules! is_default {
    ($($name:ident: $kind:ty = $value:literal;)*) => {
        $(
            const fn $name(value: &$kind) -> bool {
                *value == $value
            }
        )*
    };
}
is_default! {
    is_true: bool = true;
    is_false: bool = false;
    is_zero: i64 = 0;
    is_mild: u8 = 0;
    is_instant: u16 = 0;
}

/// The same, with the place of every item.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Placed {
    currency: Option<String>,
    tax_class: Option<Vec<TaxClassEntry>>,
    station: Option<Vec<StationEntry>>,
    stock: Option<Vec<StockEntry>>,
    category: Option<Vec<CategoryEntry>>,
    #[serde(default)]
    item: Vec<Spanned<ItemEntry>>,
}

/// Where the lines of a text end: looked for once, for a file may hold many entries.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect())
    }

    /// The number, from 1, of the line on which a byte stands.
    fn line(&self, byte: usize) -> usize {
        self.0.partition_point(|end| *end < byte).saturating_add(1)
    }
}

/// Refuses a file that is too large.
pub(super) fn check_size(text: &str) -> Result<(), Refused> {
    if text.len() > MAX_BYTES {
        let most = MAX_BYTES / (1024 * 1024);
        return Err(Refused::invalid("file", format!("A menu file has at most {most} MiB.")));
    }
    Ok(())
}

impl MenuFile {
    /// Reads a TOML file.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` with the line for what is no TOML, an unknown key, a value of the wrong
    /// type, or more entries than allowed.
    pub fn from_toml(toml: &str) -> Result<Self, Refused> {
        check_size(toml)?;
        let placed: Placed = toml::from_str(toml).map_err(|error| {
            let line = error.span().map_or(0, |span| Lines::of(toml).line(span.start));
            let why = text::clean(error.message(), 200, false);
            Refused::invalid("file", format!("Line {line}: {why}")).with("line", line)
        })?;
        let lines = Lines::of(toml);
        let item = placed
            .item
            .into_iter()
            .map(|spanned| {
                let line = lines.line(spanned.span().start);
                ItemEntry { line, ..spanned.into_inner() }
            })
            .collect();
        let Placed { currency, tax_class, station, stock, category, .. } = placed;
        let file = Self { currency, tax_class, station, stock, category, item };
        file.check_counts()?;
        Ok(file)
    }

    /// Writes a TOML file.
    ///
    /// # Errors
    /// `INTERNAL_ERROR` if the writer refuses, which no entry makes it do.
    pub fn to_toml(&self) -> Result<String, Refused> {
        toml::to_string(self).map_err(Refused::internal)
    }

    /// Refuses more entries than allowed.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` naming the kind of entry.
    pub fn check_counts(&self) -> Result<(), Refused> {
        let count = |field: &str, number: usize, most: usize| {
            if number > most {
                Err(Refused::invalid(field, format!("A menu file has at most {most} of these.")))
            } else {
                Ok(())
            }
        };
        let length = |list: Option<usize>| list.unwrap_or(0);
        count("item", self.item.len(), MAX_ITEMS)?;
        count("stock", length(self.stock.as_ref().map(Vec::len)), MAX_ITEMS)?;
        count("category", length(self.category.as_ref().map(Vec::len)), MAX_ENTRIES)?;
        count("station", length(self.station.as_ref().map(Vec::len)), MAX_ENTRIES)?;
        count("tax_class", length(self.tax_class.as_ref().map(Vec::len)), MAX_ENTRIES)?;
        let mut parts = 0_usize;
        for item in &self.item {
            count("option", item.option.len(), MAX_ENTRIES)?;
            let mut of_item = item.option.len().saturating_add(item.uses.len());
            for option in &item.option {
                count("choices", option.choices.len(), MAX_ENTRIES)?;
                let uses = option.choices.iter().map(|choice| choice.uses.len()).fold(0, usize::saturating_add);
                of_item = of_item.saturating_add(option.choices.len()).saturating_add(uses);
            }
            if of_item > MAX_ITEM_PARTS {
                let message = format!("An item has at most {MAX_ITEM_PARTS} options, choices and uses.");
                return Err(Refused::invalid("option", message).with("line", item.line));
            }
            parts = parts.saturating_add(of_item);
        }
        if parts > MAX_PARTS {
            let message = format!("The items of a file have at most {MAX_PARTS} options, choices and uses.");
            return Err(Refused::invalid("option", message));
        }
        Ok(())
    }

    /// The menu of a store as a file. Counts are what is on hand now, so that the file opens another
    /// store with them.
    #[must_use]
    pub fn from_menu(loaded: &LoadedMenu, stock: &[StockRow]) -> Self {
        let menu = &loaded.menu;
        let default_tax = loaded.default_tax_class();
        let classes = loaded.tax_classes.values().filter(|stored| stored.active);
        let mut tax_class: Vec<TaxClassEntry> = classes
            .map(|stored| TaxClassEntry {
                name: stored.class.name.clone(),
                rate: stored.class.rate.to_string().trim_end_matches(" %").to_owned(),
                default: stored.is_default,
            })
            .collect();
        tax_class.sort_by(|left, right| left.name.cmp(&right.name));
        let stations = loaded.stations.iter().filter(|station| station.active);
        let mut categories: Vec<_> = menu.categories.iter().collect();
        categories.sort_by_key(|category| (category.position, &category.name));
        let place = |item: &Item| menu.category(item.category_id).map(|category| (category.position, &category.name));
        let mut items: Vec<_> = menu.items.iter().collect();
        items.sort_by(|left, right| {
            (place(left), left.position, &left.code).cmp(&(place(right), right.position, &right.code))
        });
        let codes: BTreeMap<StockItemId, &str> =
            stock.iter().map(|row| (StockItemId(row.id), row.code.as_str())).collect();
        Self {
            currency: Some(menu.currency.code().to_owned()),
            tax_class: Some(tax_class),
            station: Some(
                stations
                    .map(|station| StationEntry { name: station.name.clone(), default: station.is_default })
                    .collect(),
            ),
            stock: Some(
                stock
                    .iter()
                    .filter(|row| row.active && row.tracked)
                    .map(|row| StockEntry {
                        code: row.code.clone(),
                        name: row.name.clone(),
                        unit: row.unit.clone(),
                        opening: row.on_hand,
                        low: row.low_mark,
                    })
                    .collect(),
            ),
            category: Some(
                categories
                    .into_iter()
                    .map(|category| CategoryEntry { name: category.name.clone(), active: category.active })
                    .collect(),
            ),
            item: items.into_iter().map(|item| item_entry(loaded, item, default_tax, &codes)).collect(),
        }
    }
}

fn item_entry(
    loaded: &LoadedMenu,
    item: &Item,
    default_tax: Option<crate::domain::ids::TaxClassId>,
    codes: &BTreeMap<StockItemId, &str>,
) -> ItemEntry {
    let menu = &loaded.menu;
    let uses = |subject: Subject| -> Uses {
        let rows = menu.consumption.iter().filter(|row| row.subject == subject);
        rows.filter_map(|row| Some(((*codes.get(&row.stock_item_id)?).to_owned(), row.units))).collect()
    };
    let named = item.tax_class.filter(|id| Some(*id) != default_tax).and_then(|id| loaded.tax_classes.get(&id));
    let station = item.station.and_then(|id| loaded.stations.iter().find(|station| station.id == id));
    let off = |available: bool| (!available).then_some(false);
    ItemEntry {
        code: item.code.clone(),
        name: item.name.clone(),
        category: menu.category(item.category_id).map(|category| category.name.clone()).unwrap_or_default(),
        description: item.description.clone(),
        price: item.price.plain(menu.currency),
        tax_class: named.map(|stored| stored.class.name.clone()),
        diet: item.diet.as_str().to_owned(),
        allergens: item.allergens.iter().map(|allergen| Allergen::as_str(*allergen).to_owned()).collect(),
        spicy: item.spicy,
        prep_minutes: item.prep_minutes,
        station: station.map(|station| station.name.clone()),
        slots: item.slots.clone(),
        available: off(item.available),
        active: item.active,
        glyph: item.glyph.clone(),
        image_url: item.image_url.clone(),
        uses: uses(Subject::Item(item.id)),
        option: item
            .option_groups
            .iter()
            .map(|group| OptionEntry {
                name: group.name.clone(),
                min: group.min,
                max: group.max,
                choices: group
                    .choices
                    .iter()
                    .map(|choice| ChoiceEntry {
                        name: choice.name.clone(),
                        price: (!choice.price_delta.is_zero()).then(|| choice.price_delta.plain(menu.currency)),
                        available: off(choice.available),
                        uses: uses(Subject::Choice(choice.id)),
                    })
                    .collect(),
            })
            .collect(),
        line: 0,
    }
}

/// Refuses a file whose prices are in another currency than the site's.
pub(super) fn check_currency(file: &MenuFile, currency: Currency) -> Result<(), Refused> {
    match file.currency.as_deref() {
        Some(code) if code != currency.code() => Err(Refused::invalid(
            "currency",
            format!("The prices of the file are in {}, this site sells in {currency}.", text::clean(code, 3, false)),
        )),
        _ => Ok(()),
    }
}
