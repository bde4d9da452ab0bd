//! The shared road of every small change of the menu: lock it, read it, check what the form saw, write,
//! and note before and after for the audit log. Which change is asked for is in `menu_edit`,
//! `menu_options` and `menu_categories`.

use super::door::Context;
use super::menu_book::{ItemRecord, Shelves};
use super::menu_diff::{FieldChange, as_json, differ, item_changes, sentences, uses_text};
use super::menu_edit::ItemPatch;
use super::menu_file::Uses;
use crate::domain::consumption::{Consumption, Subject};
use crate::domain::error::Refused;
use crate::domain::ids::{CategoryId, ItemId, StockItemId};
use crate::domain::menu::{Category, Item, MAX_CODE, MAX_DESCRIPTION, MAX_NAME};
use crate::domain::money::Money;
use crate::domain::text;
use crate::domain::time::Timestamp;
use crate::store::menu::LoadedMenu;
use crate::store::records::AuditRow;
use crate::store::stock::StockRow;
use crate::store::{entity_history, menu as rows, menu_edit, sites, stock};
use serde_json::{Value, json};

/// How far back a refused edit looks for what has changed meanwhile.
const LOOKED_AT: i64 = 20;
/// The most units that one sale uses, as the store has it.
const MAX_UNITS: i64 = 1_000_000;

/// The menu with what is deleted and the store room, read while nobody else can change the menu.
pub(super) struct Held {
    pub(super) loaded: LoadedMenu,
    pub(super) stock: Vec<StockRow>,
}

/// Locks and reads the menu.
pub(super) async fn hold(context: &mut Context<'_>) -> Result<Held, Refused> {
    let site = context.site.id.clone();
    menu_edit::lock(context.tx, &site).await?;
    let loaded = rows::load_with_deleted(context.tx, &site).await?;
    Ok(Held { loaded, stock: stock::list(context.tx, &site).await? })
}

/// A name that was typed, as a message may repeat it.
pub(super) fn shown(text: &str) -> String {
    text::clean(text, 60, false)
}

impl Held {
    /// An item that is not deleted, by its code or id.
    pub(super) fn item(&self, code_or_id: &str) -> Result<&Item, Refused> {
        let mut live = self.loaded.menu.items.iter().filter(|item| item.deleted_at.is_none());
        let id = code_or_id.parse::<ItemId>().ok();
        live.find(|item| item.code == code_or_id || Some(item.id) == id)
            .ok_or_else(|| Refused::not_found("menu item", shown(code_or_id)))
    }

    /// A category that is not deleted, by its name or id.
    pub(super) fn category(&self, field: &str, name_or_id: &str) -> Result<&Category, Refused> {
        let wanted = shown(name_or_id).to_lowercase();
        let id = name_or_id.parse::<CategoryId>().ok();
        let mut live = self.loaded.menu.categories.iter().filter(|category| category.deleted_at.is_none());
        live.find(|category| category.name.to_lowercase() == wanted || Some(category.id) == id)
            .ok_or_else(|| Refused::not_found("category", shown(name_or_id)).with("field", field))
    }

    /// What one sale of an item and its choices uses.
    pub(super) fn uses_of(&self, item: &Item) -> Vec<Consumption> {
        let of = |subject: Subject| subjects(item).contains(&subject);
        self.loaded.consumption().iter().filter(|row| of(row.subject)).copied().collect()
    }

    /// The rows for what one sale of a subject is to use.
    pub(super) fn resolve_uses(&self, subject: Subject, uses: &Uses) -> Result<Vec<Consumption>, Refused> {
        let find = |(code, units): (&String, &i64)| {
            let row = self.stock.iter().find(|row| row.active && row.code == *code).ok_or_else(|| {
                Refused::invalid("uses", format!("There is no stock item '{}'.", shown(code)))
                    .help("Add it in the store room first.")
            })?;
            if !(1..=MAX_UNITS).contains(units) {
                return Err(Refused::invalid("uses", format!("One sale uses 1 to {MAX_UNITS} units.")));
            }
            Ok(Consumption { subject, stock_item_id: StockItemId(row.id), units: *units })
        };
        uses.iter().map(find).collect()
    }

    fn code_of(&self, id: StockItemId) -> String {
        self.stock.iter().find(|row| row.id == id.0).map(|row| row.code.clone()).unwrap_or_default()
    }

    pub(super) fn last_place(&self, category: CategoryId) -> i32 {
        let live = self.loaded.menu.items.iter().filter(|item| item.deleted_at.is_none());
        live.filter(|item| item.category_id == category).map(|item| item.position).max().unwrap_or(0)
    }

    pub(super) fn version_of(&self, item: ItemId) -> i64 {
        self.loaded.versions.get(&item).copied().unwrap_or_default()
    }

    /// Puts the fields of a patch into an item; answers what one sale of the item itself is to use, where
    /// that is said.
    pub(super) fn fill(
        &self,
        context: &Context<'_>,
        item: &mut Item,
        patch: &ItemPatch,
    ) -> Result<Option<Vec<Consumption>>, Refused> {
        let line = |text: &str, max: usize| text::clean(text, max, false);
        let maybe = |text: &str, max: usize| Some(line(text, max)).filter(|text| !text.is_empty());
        let set = |into: &mut String, from: &Option<String>, max: usize| {
            if let Some(text) = from {
                *into = line(text, max);
            }
        };
        set(&mut item.code, &patch.code, MAX_CODE.saturating_add(1));
        set(&mut item.name, &patch.name, MAX_NAME);
        if let Some(text) = &patch.description {
            item.description = text::clean(text, MAX_DESCRIPTION, true);
        }
        if let Some(name) = &patch.category {
            let category = self.category("category", name)?.id;
            if category != item.category_id {
                item.position = self.last_place(category).saturating_add(1);
            }
            item.category_id = category;
        }
        if let Some(price) = &patch.price {
            item.price = Money::parse("price", price, context.site.currency)?;
        }
        if let Some(name) = &patch.tax_class {
            let mut active = self.loaded.tax_classes.values().filter(|stored| stored.active);
            let wanted = line(name, MAX_NAME).to_lowercase();
            item.tax_class = if wanted.is_empty() {
                self.loaded.default_tax_class()
            } else {
                let found = active.find(|stored| stored.class.name.to_lowercase() == wanted);
                let unknown = || Refused::invalid("tax_class", format!("There is no tax class '{}'.", shown(name)));
                Some(found.ok_or_else(unknown)?.class.id)
            };
        }
        if let Some(name) = &patch.station {
            let mut active = self.loaded.stations.iter().filter(|station| station.active);
            let wanted = line(name, MAX_NAME).to_lowercase();
            item.station = if wanted.is_empty() {
                None
            } else {
                let found = active.find(|station| station.name.to_lowercase() == wanted);
                let unknown = || Refused::invalid("station", format!("There is no station '{}'.", shown(name)));
                Some(found.ok_or_else(unknown)?.id)
            };
        }
        if let Some(slots) = &patch.slots {
            let known = &context.site.settings.time_slots;
            if let Some(unknown) = slots.iter().find(|slot| known.get(slot).is_none() && !item.slots.contains(slot)) {
                let names: Vec<&str> = known.as_slice().iter().map(|slot| slot.name.as_str()).collect();
                let message = format!("There is no time slot '{}'.", shown(unknown));
                return Err(Refused::invalid("slots", message).with("known", names));
            }
            item.slots.clone_from(slots);
        }
        if let Some(glyph) = &patch.glyph {
            item.glyph = maybe(glyph, 8);
        }
        if let Some(url) = &patch.image_url {
            item.image_url = maybe(url, 500);
        }
        item.prep_minutes = patch.prep_minutes.unwrap_or(item.prep_minutes);
        item.diet = patch.diet.unwrap_or(item.diet);
        if let Some(allergens) = &patch.allergens {
            item.allergens.clone_from(allergens);
        }
        item.spicy = patch.spicy.unwrap_or(item.spicy);
        item.available = patch.available.unwrap_or(item.available);
        item.active = patch.active.unwrap_or(item.active);
        patch.uses.as_ref().map(|uses| self.resolve_uses(Subject::Item(item.id), uses)).transpose()
    }
}

fn subjects(item: &Item) -> Vec<Subject> {
    let choices = item.option_groups.iter().flat_map(|group| &group.choices);
    std::iter::once(Subject::Item(item.id)).chain(choices.map(|choice| Subject::Choice(choice.id))).collect()
}

/// Refuses a change that was decided by an older state than the one in the store, and says what has
/// changed since and by whom.
pub(super) async fn check_seen(
    context: &mut Context<'_>,
    (entity, entity_id): (&'static str, &str),
    seen: Option<i64>,
    now: i64,
) -> Result<(), Refused> {
    let Some(seen) = seen.filter(|seen| *seen != now) else { return Ok(()) };
    let site = context.site.id.clone();
    let rows = entity_history::history(context.tx, &site, (entity, entity_id), i64::MAX, LOOKED_AT).await?;
    let version =
        |row: &entity_history::ChangeRow| row.after_value.as_ref().and_then(|after| after["version"].as_i64());
    let newer: Vec<Value> = rows
        .iter()
        .filter(|row| version(row).is_some_and(|version| version > seen))
        .map(|row| {
            json!({
                "by": row.actor_name,
                "at": Timestamp(row.at).to_rfc3339(),
                "details": row.details,
                "before": row.before_value.as_deref(),
                "after": row.after_value.as_deref(),
            })
        })
        .collect();
    let said: Vec<&str> = newer.iter().filter_map(|change| change["details"].as_str()).collect();
    let message = match said.as_slice() {
        [] => "Somebody else changed this first.".to_owned(),
        said => format!("Somebody else changed this first: {}.", said.join("; ")),
    };
    Err(Refused::conflict(message)
        .by_guard("seen_version")
        .with("seen", seen)
        .with("now", now)
        .with("changes", newer)
        .help("Look at it as it is now, then repeat what still makes sense."))
}

/// What is written about one item, and why.
pub(super) struct Written<'a> {
    /// Its state before; none for a new one.
    pub(super) before: Option<&'a Item>,
    /// Its state afterwards.
    pub(super) after: Item,
    /// What sales of it and its choices use afterwards.
    pub(super) uses: Vec<Consumption>,
    /// Why, where a reason is needed.
    pub(super) reason: Option<String>,
}

/// Checks and writes an item with its options and uses, raises the version of the menu and notes the
/// change for the audit log. Nothing is written where nothing differs.
pub(super) async fn write_item(
    context: &mut Context<'_>,
    held: &Held,
    written: Written<'_>,
) -> Result<ItemRecord, Refused> {
    let Written { before, after, uses, reason } = written;
    let (site, now, currency) = (context.site.id.clone(), context.now, context.site.currency);
    after.validate()?;
    uses.iter().try_for_each(Consumption::validate)?;
    let live = |other: &&Item| other.deleted_at.is_none() && other.id != after.id;
    if let Some(other) = held.loaded.menu.items.iter().filter(live).find(|other| other.code == after.code) {
        return Err(Refused::conflict(format!("'{}' has the code {} already.", other.name, after.code))
            .with("field", "code")
            .help("Choose another code."));
    }
    let used = before.map(|item| held.uses_of(item)).unwrap_or_default();
    let text = |item: &Item, rows: &[Consumption]| uses_text(item, rows, |id| held.code_of(id));
    let mut changes = match before {
        Some(before) => item_changes(before, &after, &held.loaded, currency),
        None => Vec::new(),
    };
    if let Some(before) = before {
        differ(&mut changes, "uses", &text(before, &used), &text(&after, &uses));
        if changes.is_empty() {
            return Ok(Shelves::of(&held.loaded, &held.stock).item(before));
        }
    }
    // An item with the default class is kept without one, so that it follows the default.
    let tax_class = after.tax_class.filter(|class| Some(*class) != held.loaded.default_tax_class());
    rows::put_item(context.tx, &site, &Item { tax_class, ..after.clone() }, now).await?;
    write_options(context, before, &after).await?;
    let key = |row: &Consumption| (row.subject, row.stock_item_id);
    for row in used.iter().filter(|row| !uses.iter().any(|kept| key(kept) == key(row))) {
        rows::drop_consumption(context.tx, &site, row).await?;
    }
    for row in uses.iter().filter(|row| !used.contains(row)) {
        rows::put_consumption(context.tx, &site, row).await?;
    }
    sites::menu_changed(context.tx, &site).await?;
    let version = held.version_of(after.id).saturating_add(1);
    note(context, before.is_none(), &after, changes, version, reason);
    record(context, after.id).await
}

/// Writes the groups and choices that differ, and marks as deleted those that are gone.
async fn write_options(context: &mut Context<'_>, before: Option<&Item>, after: &Item) -> Result<(), Refused> {
    let (site, now) = (context.site.id.clone(), context.now);
    let old = before.map(|item| item.option_groups.as_slice()).unwrap_or_default();
    // What goes first makes room for a name that comes again.
    for group in old {
        let kept = after.option_groups.iter().find(|kept| kept.id == group.id);
        if kept.is_none() {
            rows::drop_group(context.tx, &site, group.id, now).await?;
        }
        for choice in &group.choices {
            if !kept.is_some_and(|kept| kept.choices.iter().any(|other| other.id == choice.id)) {
                rows::drop_choice(context.tx, &site, choice.id, now).await?;
            }
        }
    }
    for group in &after.option_groups {
        let known = old.iter().find(|known| known.id == group.id);
        if known == Some(group) {
            continue;
        }
        rows::put_group(context.tx, &site, after.id, group).await?;
        for choice in &group.choices {
            if !known.is_some_and(|known| known.choices.contains(choice)) {
                rows::put_choice(context.tx, &site, group.id, choice).await?;
            }
        }
    }
    Ok(())
}

fn note(
    context: &mut Context<'_>,
    is_new: bool,
    item: &Item,
    changes: Vec<FieldChange>,
    version: i64,
    reason: Option<String>,
) {
    let currency = context.site.currency;
    let (before, mut after) = as_json(&changes);
    after.insert("version".to_owned(), version.into());
    if is_new {
        after.insert("name".to_owned(), item.name.as_str().into());
        after.insert("price".to_owned(), item.price.plain(currency).into());
    }
    let details = if is_new {
        format!("{} was added at {}", item.name, item.price.display(currency))
    } else {
        format!("{}: {}", item.name, sentences(&changes).join("; "))
    };
    context.audit(AuditRow {
        action: if is_new { "CREATE" } else { "UPDATE" },
        entity: "MenuItem",
        entity_id: item.code.clone(),
        details: text::clean(&details, 500, false),
        before: (!is_new).then_some(Value::Object(before)),
        after: Some(Value::Object(after)),
        reason,
    });
}

/// The item as it is in the store now.
pub(super) async fn record(context: &mut Context<'_>, id: ItemId) -> Result<ItemRecord, Refused> {
    let site = context.site.id.clone();
    let loaded = rows::load_with_deleted(context.tx, &site).await?;
    let shelves = stock::list(context.tx, &site).await?;
    let item = loaded.menu.item(id).ok_or_else(|| Refused::internal("an item that was just written is gone"))?;
    Ok(Shelves::of(&loaded, &shelves).item(item))
}
