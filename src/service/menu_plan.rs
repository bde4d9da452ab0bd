//! What a menu file would change in a store: every entry cleaned, checked and compared with what is
//! stored, as a [`Plan`] and a [`MenuDiff`]. Nothing is read or written here; that is in
//! `menu_import`.
//!
//! Tax classes, stations and categories are known by their name, items and stock items by their code,
//! options and choices by their name within the item.

use super::menu_diff::{MenuDiff, differ, item_changes, uses_text, yes_no};
use super::menu_file::{ItemEntry, MenuFile, OptionEntry, StockEntry, Uses, check_currency};
use crate::domain::consumption::{Consumption, Subject};
use crate::domain::error::Refused;
use crate::domain::ids::{CategoryId, ItemId, OptionGroupId, OptionId, StationId, StockItemId, TaxClassId};
use crate::domain::menu::{
    Allergen, Category, Choice, Diet, Item, MAX_CATEGORY_NAME, MAX_CODE, MAX_DESCRIPTION, MAX_NAME, MAX_OPTION_NAME,
    Menu, OptionGroup,
};
use crate::domain::money::{Currency, Money, Rate};
use crate::domain::tax::TaxClass;
use crate::domain::text;
use crate::store::menu::{LoadedMenu, Station, StoredTaxClass};
use crate::store::stock::{MAX_ON_HAND, StockRow};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Everything that an import will write.
#[derive(Debug)]
pub struct Plan {
    /// What changes, for people and for programs.
    pub diff: MenuDiff,
    pub(super) default_tax: Option<TaxClassId>,
    /// The tax classes as they will be, those that go out of use too.
    pub tax_classes: Vec<StoredTaxClass>,
    /// The stations as they will be, those that go out of use too.
    pub stations: Vec<Station>,
    /// The stock items that are new.
    pub new_stock: Vec<(StockItemId, StockEntry)>,
    pub(super) described_stock: Vec<(StockItemId, StockEntry)>,
    /// The categories as they will be.
    pub categories: Vec<Category>,
    pub(super) dropped_categories: Vec<CategoryId>,
    /// The items that are new or change.
    pub items: Vec<Item>,
    pub(super) dropped_items: Vec<ItemId>,
    pub(super) dropped_groups: Vec<OptionGroupId>,
    pub(super) dropped_choices: Vec<OptionId>,
    /// What sales use of the store room, where that is new or changes.
    pub consumption: Vec<Consumption>,
    pub(super) dropped_consumption: Vec<Consumption>,
}

/// What stands in the file for a name, found whatever the case.
struct Names<Id> {
    ids: BTreeMap<String, Id>,
}

impl<Id: Copy> Names<Id> {
    fn of<'a>(pairs: impl Iterator<Item = (&'a str, Id)>) -> Self {
        Self { ids: pairs.map(|(name, id)| (name.to_lowercase(), id)).collect() }
    }
    fn get(&self, name: &str) -> Option<Id> {
        self.ids.get(&name.to_lowercase()).copied()
    }
    fn name_of(&self, id: Id) -> String
    where
        Id: PartialEq,
    {
        self.ids.iter().find(|(_, known)| **known == id).map(|(name, _)| name.clone()).unwrap_or_default()
    }
}

fn one_line(text: &str, max: usize) -> String {
    text::clean(text, max, false)
}

fn at_line(line: usize, code: &str) -> impl Fn(Refused) -> Refused {
    let code = one_line(code, MAX_CODE);
    move |mut refused| {
        if line > 0 {
            refused.message = format!("Line {line}, item {code}: {}", refused.message);
            refused = refused.with("line", line);
        } else {
            refused.message = format!("Item {code}: {}", refused.message);
        }
        refused.with("item", code.as_str())
    }
}

fn in_section(section: &str, name: &str) -> impl Fn(Refused) -> Refused {
    let named = format!("{section} '{}'", one_line(name, MAX_NAME));
    move |mut refused| {
        refused.message = format!("{named}: {}", refused.message);
        refused
    }
}

/// Works out what the file changes. Text is cleaned here, so that nothing else needs to be trusted.
///
/// # Errors
/// `VALIDATION_ERROR` with the line and the field for anything in the file that is not valid.
pub fn plan(
    file: &MenuFile,
    stored: &LoadedMenu,
    shelves: &[StockRow],
    new_id: &mut dyn FnMut() -> Uuid,
) -> Result<Plan, Refused> {
    let currency = stored.menu.currency;
    file.check_counts()?;
    check_currency(file, currency)?;
    let mut diff = MenuDiff::default();
    let tax_classes = plan_tax_classes(file, stored, &mut diff, new_id)?;
    let stations = plan_stations(file, stored, &mut diff, new_id)?;
    let (new_stock, described_stock) = plan_stock(file, shelves, &mut diff, new_id)?;
    let (categories, dropped_categories) = plan_categories(file, stored, &mut diff, new_id)?;

    // What the file takes out of use can no longer be named.
    let kept_classes = stored
        .tax_classes
        .values()
        .filter(|known| known.active && !tax_classes.iter().any(|planned| planned.class.id == known.class.id));
    let tax_names = Names::of(
        kept_classes
            .chain(tax_classes.iter().filter(|planned| planned.active))
            .map(|stored| (stored.class.name.as_str(), stored.class.id)),
    );
    let default_tax = match &file.tax_class {
        Some(_) => tax_classes.iter().find(|stored| stored.is_default).map(|stored| stored.class.id),
        None => stored.default_tax_class(),
    };
    let kept_stations =
        stored.stations.iter().filter(|known| known.active && !stations.iter().any(|planned| planned.id == known.id));
    let station_names = Names::of(
        kept_stations
            .chain(stations.iter().filter(|planned| planned.active))
            .map(|station| (station.name.as_str(), station.id)),
    );
    let category_names = Names::of(
        stored.menu.categories.iter().chain(&categories).map(|category| (category.name.as_str(), category.id)),
    );
    let mut stock_names = Names::of(shelves.iter().map(|row| (row.code.as_str(), StockItemId(row.id))));
    stock_names.ids.extend(new_stock.iter().map(|(id, entry)| (entry.code.clone(), *id)));

    let mut plan = Plan {
        diff,
        default_tax,
        tax_classes,
        stations,
        new_stock,
        described_stock,
        categories,
        dropped_categories,
        items: Vec::new(),
        dropped_items: Vec::new(),
        dropped_groups: Vec::new(),
        dropped_choices: Vec::new(),
        consumption: Vec::new(),
        dropped_consumption: Vec::new(),
    };
    let mut stored_uses: BTreeMap<Subject, Vec<Consumption>> = BTreeMap::new();
    for row in &stored.menu.consumption {
        stored_uses.entry(row.subject).or_default().push(*row);
    }
    let names = Lookup { currency, default_tax, tax_names, station_names, category_names, stock_names, stored_uses };
    let mut whole = stored.menu.clone();
    whole.items.clear();
    whole.consumption.clear();
    for category in &plan.categories {
        whole.categories.retain(|known| known.id != category.id);
        whole.categories.push(category.clone());
    }
    whole.categories.retain(|category| !plan.dropped_categories.contains(&category.id));
    whole.tax_classes.extend(plan.tax_classes.iter().map(|stored| stored.class.clone()));
    let mut seen = BTreeSet::new();
    whole.tax_classes.retain(|class| seen.insert(class.id));

    let mut places: BTreeMap<CategoryId, i32> = BTreeMap::new();
    let mut codes = BTreeSet::new();
    for entry in &file.item {
        let locate = at_line(entry.line, &entry.code);
        if !codes.insert(one_line(&entry.code, MAX_CODE)) {
            return Err(locate(Refused::invalid("code", "Another item of the file has this code.")));
        }
        let known = stored.menu.items.iter().find(|item| item.code == one_line(&entry.code, MAX_CODE));
        let (mut item, uses) = item_of(entry, known, &names, new_id).map_err(&locate)?;
        let place = places.entry(item.category_id).or_insert(0);
        *place = place.saturating_add(1);
        item.position = *place;
        item.validate().map_err(&locate)?;
        uses.iter().try_for_each(Consumption::validate).map_err(&locate)?;
        plan_item(&mut plan, stored, &names, known, item.clone(), &uses);
        whole.items.push(item);
        whole.consumption.extend(uses);
    }
    whole.validate()?;
    for item in &stored.menu.items {
        if whole.item(item.id).is_none() {
            plan.diff.gone("item", &item.code, &item.name);
            plan.dropped_items.push(item.id);
            plan.dropped_consumption.extend(names.used_by(item));
        }
    }
    refuse_dangling(&whole, &plan)?;
    Ok(plan)
}

/// A category that goes must not keep an item.
fn refuse_dangling(whole: &Menu, plan: &Plan) -> Result<(), Refused> {
    match whole.items.iter().find(|item| plan.dropped_categories.contains(&item.category_id)) {
        Some(item) => Err(Refused::invalid("category", "The file has items in a category that it does not list.")
            .with("item", item.code.as_str())),
        None => Ok(()),
    }
}

fn plan_tax_classes(
    file: &MenuFile,
    stored: &LoadedMenu,
    diff: &mut MenuDiff,
    new_id: &mut dyn FnMut() -> Uuid,
) -> Result<Vec<StoredTaxClass>, Refused> {
    let Some(entries) = &file.tax_class else { return Ok(Vec::new()) };
    if entries.iter().filter(|entry| entry.default).count() > 1 {
        return Err(Refused::invalid("tax_class.default", "Only one tax class is the default."));
    }
    let mut planned: Vec<StoredTaxClass> = Vec::new();
    for entry in entries {
        let locate = in_section("Tax class", &entry.name);
        let name = one_line(&entry.name, MAX_OPTION_NAME);
        let known = stored.tax_classes.values().find(|known| known.class.name.to_lowercase() == name.to_lowercase());
        let rate = Rate::parse_percent("tax_class.rate", &entry.rate).map_err(&locate)?;
        let id = known.map_or_else(|| TaxClassId(new_id()), |known| known.class.id);
        let class = TaxClass { id, name, rate };
        class.validate().map_err(&locate)?;
        if planned.iter().any(|other| other.class.name.to_lowercase() == class.name.to_lowercase()) {
            return Err(locate(Refused::invalid("tax_class.name", "The same one stands here twice.")));
        }
        let mut changes = Vec::new();
        if let Some(known) = known {
            differ(&mut changes, "name", &known.class.name, &class.name);
            differ(&mut changes, "rate", &known.class.rate.to_string(), &class.rate.to_string());
            differ(&mut changes, "default", yes_no(known.is_default), yes_no(entry.default));
            differ(&mut changes, "active", yes_no(known.active), yes_no(true));
        }
        diff.note("tax class", &class.name, &class.name, known.is_none(), changes);
        planned.push(StoredTaxClass { class, is_default: entry.default, active: true });
    }
    for known in stored.tax_classes.values().filter(|known| known.active) {
        if !planned.iter().any(|other| other.class.id == known.class.id) {
            diff.gone("tax class", &known.class.name, &known.class.name);
            planned.push(StoredTaxClass { is_default: false, active: false, ..known.clone() });
        }
    }
    Ok(planned)
}

fn plan_stations(
    file: &MenuFile,
    stored: &LoadedMenu,
    diff: &mut MenuDiff,
    new_id: &mut dyn FnMut() -> Uuid,
) -> Result<Vec<Station>, Refused> {
    let Some(entries) = &file.station else { return Ok(Vec::new()) };
    if entries.iter().filter(|entry| entry.default).count() > 1 {
        return Err(Refused::invalid("station.default", "Only one station is the default."));
    }
    let mut planned: Vec<Station> = Vec::new();
    for (position, entry) in (1_i32..).zip(entries) {
        let name = one_line(&entry.name, 50);
        let locate = in_section("Station", &entry.name);
        if name.is_empty() {
            return Err(locate(Refused::invalid("station.name", "This cannot be empty.")));
        }
        if planned.iter().any(|other| other.name.to_lowercase() == name.to_lowercase()) {
            return Err(locate(Refused::invalid("station.name", "The same one stands here twice.")));
        }
        let known = stored.stations.iter().find(|known| known.name.to_lowercase() == name.to_lowercase());
        let id = known.map_or_else(|| StationId(new_id()), |known| known.id);
        let station = Station { id, name, position, is_default: entry.default, active: true };
        let mut changes = Vec::new();
        if let Some(known) = known {
            differ(&mut changes, "name", &known.name, &station.name);
            differ(&mut changes, "position", &known.position.to_string(), &position.to_string());
            differ(&mut changes, "default", yes_no(known.is_default), yes_no(entry.default));
            differ(&mut changes, "active", yes_no(known.active), yes_no(true));
        }
        diff.note("station", &station.name, &station.name, known.is_none(), changes);
        planned.push(station);
    }
    for known in stored.stations.iter().filter(|known| known.active) {
        if !planned.iter().any(|other| other.id == known.id) {
            diff.gone("station", &known.name, &known.name);
            planned.push(Station { is_default: false, active: false, ..known.clone() });
        }
    }
    Ok(planned)
}

type PlannedStock = Vec<(StockItemId, StockEntry)>;

fn plan_stock(
    file: &MenuFile,
    shelves: &[StockRow],
    diff: &mut MenuDiff,
    new_id: &mut dyn FnMut() -> Uuid,
) -> Result<(PlannedStock, PlannedStock), Refused> {
    let (mut fresh, mut described) = (Vec::new(), Vec::new());
    let mut codes = BTreeSet::new();
    for entry in file.stock.iter().flatten() {
        let locate = in_section("Stock item", &entry.code);
        let entry = clean_stock(entry).map_err(&locate)?;
        if !codes.insert(entry.code.clone()) {
            return Err(locate(Refused::invalid("stock.code", "The same one stands here twice.")));
        }
        let known = shelves.iter().find(|row| row.code == entry.code);
        let mut changes = Vec::new();
        if let Some(known) = known {
            differ(&mut changes, "name", &known.name, &entry.name);
            differ(&mut changes, "unit", &known.unit, &entry.unit);
            differ(&mut changes, "low_mark", &known.low_mark.to_string(), &entry.low.to_string());
        }
        let differs = diff.note("stock item", &entry.code, &entry.name, known.is_none(), changes);
        match known {
            None => fresh.push((StockItemId(new_id()), entry)),
            Some(known) if differs => described.push((StockItemId(known.id), entry)),
            Some(_) => {}
        }
    }
    Ok((fresh, described))
}

/// A stock entry with clean text and figures within range.
pub(super) fn clean_stock(entry: &StockEntry) -> Result<StockEntry, Refused> {
    let code = entry.code.as_str();
    let shaped = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if code.is_empty() || code.len() > MAX_CODE || !code.bytes().all(shaped) {
        return Err(Refused::invalid("stock.code", format!("Up to {MAX_CODE} of a-z, 0-9 and -, such as paneer.")));
    }
    let name = one_line(&entry.name, MAX_NAME / 2);
    let unit = one_line(&entry.unit, 10);
    if name.is_empty() || unit.is_empty() {
        return Err(Refused::invalid("stock.name", "Name and unit cannot be empty."));
    }
    if !(0..=MAX_ON_HAND).contains(&entry.opening) || !(0..=MAX_ON_HAND).contains(&entry.low) {
        return Err(Refused::invalid("stock.opening", format!("From 0 to {MAX_ON_HAND}.")));
    }
    Ok(StockEntry { code: code.to_owned(), name, unit, opening: entry.opening, low: entry.low })
}

fn plan_categories(
    file: &MenuFile,
    stored: &LoadedMenu,
    diff: &mut MenuDiff,
    new_id: &mut dyn FnMut() -> Uuid,
) -> Result<(Vec<Category>, Vec<CategoryId>), Refused> {
    let known_by =
        |name: &str| stored.menu.categories.iter().find(|known| known.name.to_lowercase() == name.to_lowercase());
    let last = stored.menu.categories.iter().map(|category| category.position).max().unwrap_or(0);
    let mut planned: Vec<Category> = Vec::new();
    let mut add = |name: &str, position: i32, active: bool, diff: &mut MenuDiff| -> Result<bool, Refused> {
        let locate = in_section("Category", name);
        let name = one_line(name, MAX_CATEGORY_NAME);
        if planned.iter().any(|other: &Category| other.name.to_lowercase() == name.to_lowercase()) {
            return Ok(false);
        }
        let known = known_by(&name);
        let id = known.map_or_else(|| CategoryId(new_id()), |known| known.id);
        let category = Category { id, name, position, active, deleted_at: None };
        category.validate().map_err(&locate)?;
        let mut changes = Vec::new();
        if let Some(known) = known {
            differ(&mut changes, "name", &known.name, &category.name);
            differ(&mut changes, "position", &known.position.to_string(), &position.to_string());
            differ(&mut changes, "active", yes_no(known.active), yes_no(active));
        }
        diff.note("category", &category.name, &category.name, known.is_none(), changes);
        planned.push(category);
        Ok(true)
    };
    let Some(entries) = &file.category else {
        // Without a list, a category that the store lacks is made by the first item that names it.
        let mut position = last;
        for entry in &file.item {
            if known_by(&one_line(&entry.category, MAX_CATEGORY_NAME)).is_none() {
                let next = position.saturating_add(1);
                if add(&entry.category, next, true, diff).map_err(at_line(entry.line, &entry.code))? {
                    position = next;
                }
            }
        }
        return Ok((planned, Vec::new()));
    };
    for (position, entry) in (1_i32..).zip(entries) {
        if !add(&entry.name, position, entry.active, diff)? {
            let refused = Refused::invalid("category.name", "The same one stands here twice.");
            return Err(in_section("Category", &entry.name)(refused));
        }
    }
    let gone: Vec<_> =
        stored.menu.categories.iter().filter(|known| !planned.iter().any(|kept| kept.id == known.id)).collect();
    for category in &gone {
        diff.gone("category", &category.name, &category.name);
    }
    let gone = gone.into_iter().map(|category| category.id).collect();
    Ok((planned, gone))
}

/// What the names in an item's entry stand for.
struct Lookup {
    currency: Currency,
    default_tax: Option<TaxClassId>,
    tax_names: Names<TaxClassId>,
    station_names: Names<StationId>,
    category_names: Names<CategoryId>,
    stock_names: Names<StockItemId>,
    /// What the store's items and choices use now.
    stored_uses: BTreeMap<Subject, Vec<Consumption>>,
}

impl Lookup {
    /// What an item of the store and its choices use now.
    fn used_by(&self, item: &Item) -> Vec<Consumption> {
        let choices = item.option_groups.iter().flat_map(|group| &group.choices);
        let subjects = std::iter::once(Subject::Item(item.id)).chain(choices.map(|choice| Subject::Choice(choice.id)));
        subjects.filter_map(|subject| self.stored_uses.get(&subject)).flatten().copied().collect()
    }

    fn uses(&self, subject: Subject, uses: &Uses, into: &mut Vec<Consumption>) -> Result<(), Refused> {
        for (code, units) in uses {
            let stock_item_id = self.stock_names.get(code).ok_or_else(|| {
                let code = one_line(code, MAX_CODE);
                Refused::invalid("uses", format!("There is no stock item '{code}' in the file or the store."))
            })?;
            if *units > 1_000_000 {
                return Err(Refused::invalid("uses", "One sale uses at most 1000000 units."));
            }
            into.push(Consumption { subject, stock_item_id, units: *units });
        }
        Ok(())
    }
}

fn item_of(
    entry: &ItemEntry,
    known: Option<&Item>,
    names: &Lookup,
    new_id: &mut dyn FnMut() -> Uuid,
) -> Result<(Item, Vec<Consumption>), Refused> {
    let missing = |field: &str, kind: &str, name: &str| {
        let name = one_line(name, MAX_CATEGORY_NAME);
        Refused::invalid(field, format!("There is no {kind} '{name}' in the file or the store."))
    };
    let id = known.map_or_else(|| ItemId(new_id()), |known| known.id);
    let mut uses = Vec::new();
    names.uses(Subject::Item(id), &entry.uses, &mut uses)?;
    let category = one_line(&entry.category, MAX_CATEGORY_NAME);
    let category_id = names.category_names.get(&category).ok_or_else(|| missing("category", "category", &category))?;
    let tax_class = match &entry.tax_class {
        None => names.default_tax,
        Some(name) => {
            let name = one_line(name, MAX_OPTION_NAME);
            Some(names.tax_names.get(&name).ok_or_else(|| missing("tax_class", "tax class", &name))?)
        }
    };
    let station = match &entry.station {
        None => None,
        Some(name) => {
            let name = one_line(name, MAX_OPTION_NAME);
            Some(names.station_names.get(&name).ok_or_else(|| missing("station", "station", &name))?)
        }
    };
    let mut option_groups = Vec::new();
    for (position, option) in (1_i32..).zip(&entry.option) {
        let name = one_line(&option.name, MAX_OPTION_NAME);
        let known = known
            .and_then(|item| item.option_groups.iter().find(|group| group.name.to_lowercase() == name.to_lowercase()));
        option_groups.push(group_of(option, name, position, known, names, new_id, &mut uses)?);
    }
    let allergens = entry.allergens.iter().map(|word| Allergen::parse(word.trim())).collect::<Result<_, _>>()?;
    let item = Item {
        id,
        category_id,
        code: one_line(&entry.code, MAX_CODE),
        name: one_line(&entry.name, MAX_NAME),
        description: text::clean(&entry.description, MAX_DESCRIPTION, true),
        price: Money::parse("price", &entry.price, names.currency)?,
        tax_class,
        diet: Diet::parse(entry.diet.trim())?,
        allergens,
        spicy: entry.spicy,
        prep_minutes: entry.prep_minutes,
        station,
        available: entry.available.or(known.map(|item| item.available)).unwrap_or(true),
        active: entry.active,
        deleted_at: None,
        slots: entry.slots.iter().map(|slot| one_line(slot, MAX_CODE)).collect(),
        position: 0,
        image_url: entry.image_url.as_deref().map(|url| one_line(url, 500)).filter(|url| !url.is_empty()),
        glyph: entry.glyph.as_deref().map(|glyph| one_line(glyph, 8)).filter(|glyph| !glyph.is_empty()),
        option_groups,
    };
    Ok((item, uses))
}

fn group_of(
    option: &OptionEntry,
    name: String,
    position: i32,
    known: Option<&OptionGroup>,
    names: &Lookup,
    new_id: &mut dyn FnMut() -> Uuid,
    uses: &mut Vec<Consumption>,
) -> Result<OptionGroup, Refused> {
    let mut choices = Vec::new();
    for (position, entry) in (1_i32..).zip(&option.choices) {
        let name = one_line(&entry.name, MAX_OPTION_NAME);
        let known = known
            .and_then(|group| group.choices.iter().find(|choice| choice.name.to_lowercase() == name.to_lowercase()));
        let id = known.map_or_else(|| OptionId(new_id()), |known| known.id);
        names.uses(Subject::Choice(id), &entry.uses, uses)?;
        let price_delta = match &entry.price {
            None => Money::ZERO,
            Some(price) => Money::parse("option.price", price, names.currency)?,
        };
        let available = entry.available.or(known.map(|choice| choice.available)).unwrap_or(true);
        choices.push(Choice { id, name, price_delta, available, position });
    }
    let id = known.map_or_else(|| OptionGroupId(new_id()), |known| known.id);
    Ok(OptionGroup { id, name, min: option.min, max: option.max, position, choices })
}

/// Compares one item with what is stored and notes what is to be written.
fn plan_item(
    plan: &mut Plan,
    stored: &LoadedMenu,
    names: &Lookup,
    known: Option<&Item>,
    item: Item,
    uses: &[Consumption],
) {
    let before = known.map(|item| names.used_by(item)).unwrap_or_default();
    let mut changes = Vec::new();
    if let Some(known) = known {
        changes = item_changes(known, &item, stored, names.currency);
        let text = |item: &Item, rows: &[Consumption]| uses_text(item, rows, |id| names.stock_names.name_of(id));
        differ(&mut changes, "uses", &text(known, &before), &text(&item, uses));
        for group in &known.option_groups {
            let kept = item.option_groups.iter().find(|kept| kept.id == group.id);
            if kept.is_none() {
                plan.dropped_groups.push(group.id);
            }
            for choice in &group.choices {
                if !kept.is_some_and(|kept| kept.choices.iter().any(|other| other.id == choice.id)) {
                    plan.dropped_choices.push(choice.id);
                }
            }
        }
    }
    if plan.diff.note("item", &item.code, &item.name, known.is_none(), changes) {
        plan.consumption.extend(uses.iter().filter(|row| !before.contains(row)));
        let key = |row: &Consumption| (row.subject, row.stock_item_id);
        plan.dropped_consumption.extend(before.iter().filter(|row| !uses.iter().any(|kept| key(kept) == key(row))));
        plan.items.push(item);
    }
}
