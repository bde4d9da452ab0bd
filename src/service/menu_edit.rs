//! Changing one item of the menu: add, edit, delete, restore, move. Its options are in `menu_options`;
//! categories, stations and tax classes in `menu_categories`; the road that all of them take in
//! `menu_write`.
//!
//! Placed orders keep their copy of what they sold (I13), and a cart that holds a changed item asks its
//! customer; neither is touched here. Nothing is deleted but marked (C22).

use super::door::{Context, UseCase};
use super::menu_book::ItemRecord;
use super::menu_file::Uses;
use super::menu_write::{Written, check_seen, hold, record, shown, write_item};
use super::staff::reason;
use crate::domain::access::Permission;
use crate::domain::consumption::Subject;
use crate::domain::error::Refused;
use crate::domain::ids::ItemId;
use crate::domain::menu::{Allergen, Diet, Item, MAX_CODE};
use crate::domain::money::Money;
use crate::store::records::AuditRow;
use crate::store::{menu as rows, menu_edit, sites};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What is to be set about an item; a field that is left out stays. Names stand for categories, tax
/// classes, stations and slots; an empty name takes the default (tax class, station) or nothing (glyph,
/// picture).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ItemPatch {
    /// Its short code.
    pub code: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// The name or the id of its category.
    pub category: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Its price as a decimal in the site's currency.
    pub price: Option<String>,
    /// The name of its tax class.
    pub tax_class: Option<String>,
    /// The name of its station.
    pub station: Option<String>,
    /// How long the kitchen needs, in minutes.
    pub prep_minutes: Option<u16>,
    /// Its diet.
    pub diet: Option<Diet>,
    /// What it contains.
    pub allergens: Option<Vec<Allergen>>,
    /// How hot it is, 0 to 3.
    pub spicy: Option<u8>,
    /// The names of the time slots in which it is served; empty: all.
    pub slots: Option<Vec<String>>,
    /// `false` switches it off for now.
    pub available: Option<bool>,
    /// `false` hides it from customers.
    pub active: Option<bool>,
    /// One character that stands for it.
    pub glyph: Option<String>,
    /// Where a picture is.
    pub image_url: Option<String>,
    /// What one sale uses: units by the code of the stock item.
    pub uses: Option<Uses>,
}

/// Adds an item at the end of its category. Name, category, price and diet are needed: no diet is assumed,
/// because guests trust it. A code is made from the name where none is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddItem {
    /// What is known about it.
    pub item: ItemPatch,
}

/// Changes what is said about an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditItem {
    /// The item's code, or its id.
    pub item: String,
    /// The version that the form showed; a newer one refuses the edit. None: whatever it is now.
    #[serde(default)]
    pub seen_version: Option<i64>,
    /// What is to be set.
    pub change: ItemPatch,
}

/// Takes an item off the menu for good; it can be restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteItem {
    /// The item's code, or its id.
    pub item: String,
    /// As in [`EditItem`].
    #[serde(default)]
    pub seen_version: Option<i64>,
    /// Why.
    pub reason: String,
}

/// Takes a deleted item back on the menu, with its options and what it uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreItem {
    /// Its id, or its code: then the one that was deleted last.
    pub item: String,
}

/// Gives an item another place, in its category or in another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveItem {
    /// The item's code, or its id.
    pub item: String,
    /// Its place from 1; what is beyond the end is the end.
    pub place: u32,
    /// The name or the id of another category.
    #[serde(default)]
    pub category: Option<String>,
}

/// A code from a name: small letters, digits and hyphens; unique among `taken`.
pub fn code_from(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut code = String::new();
    for letter in name.to_lowercase().chars() {
        if letter.is_ascii_lowercase() || letter.is_ascii_digit() {
            code.push(letter);
        } else if !code.ends_with('-') && !code.is_empty() {
            code.push('-');
        }
    }
    code.truncate(MAX_CODE.saturating_sub(4));
    let base = match code.trim_end_matches('-') {
        "" => "item",
        base => base,
    };
    let mut candidate = base.to_owned();
    let mut number = 2_u32;
    while taken(&candidate) && number < 1_000 {
        candidate = format!("{base}-{number}");
        number = number.saturating_add(1);
    }
    candidate
}

fn needed<'a>(field: &str, value: Option<&'a String>) -> Result<&'a String, Refused> {
    value.ok_or_else(|| Refused::invalid(field, "This is needed."))
}

impl UseCase for AddItem {
    type Output = ItemRecord;
    const NAME: &'static str = "menu_add_item";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<ItemRecord, Refused> {
        let name = needed("name", self.item.name.as_ref())?;
        let category = needed("category", self.item.category.as_ref())?;
        needed("price", self.item.price.as_ref())?;
        let diet = self.item.diet.ok_or_else(|| Refused::invalid("diet", "Say veg, vegan, egg or non_veg."))?;
        let held = hold(context).await?;
        let category_id = held.category("category", category)?.id;
        let taken = |code: &str| held.loaded.menu.items.iter().any(|item| item.code == code);
        let mut item = Item {
            id: ItemId(context.new_id()),
            category_id,
            code: code_from(name, taken),
            name: String::new(),
            description: String::new(),
            price: Money::ZERO,
            tax_class: held.loaded.default_tax_class(),
            diet,
            allergens: Vec::new(),
            spicy: 0,
            prep_minutes: 0,
            station: None,
            available: true,
            active: true,
            deleted_at: None,
            slots: Vec::new(),
            position: held.last_place(category_id).saturating_add(1),
            image_url: None,
            glyph: None,
            option_groups: Vec::new(),
        };
        let uses = held.fill(context, &mut item, &self.item)?.unwrap_or_default();
        write_item(context, &held, Written { before: None, after: item, uses, reason: None }).await
    }
}

impl UseCase for EditItem {
    type Output = ItemRecord;
    const NAME: &'static str = "menu_edit_item";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<ItemRecord, Refused> {
        let held = hold(context).await?;
        let before = held.item(&self.item)?;
        check_seen(context, ("MenuItem", &before.code), self.seen_version, held.version_of(before.id)).await?;
        let mut after = before.clone();
        let own = held.fill(context, &mut after, &self.change)?;
        let mut uses = held.uses_of(before);
        if let Some(own) = own {
            uses.retain(|row| row.subject != Subject::Item(before.id));
            uses.extend(own);
        }
        write_item(context, &held, Written { before: Some(before), after, uses, reason: None }).await
    }
}

/// What a deletion or a restoring leaves in the audit log.
fn life(item: &Item, action: &'static str, version: i64, deleted: bool, reason: Option<String>) -> AuditRow {
    let state = |deleted: bool| Map::from_iter([("deleted".to_owned(), Value::from(deleted))]);
    let mut after = state(deleted);
    after.insert("version".to_owned(), version.into());
    AuditRow {
        action,
        entity: "MenuItem",
        entity_id: item.code.clone(),
        details: format!("{} was {}", item.name, if deleted { "deleted" } else { "restored" }),
        before: Some(Value::Object(state(!deleted))),
        after: Some(Value::Object(after)),
        reason,
    }
}

impl UseCase for DeleteItem {
    type Output = ItemRecord;
    const NAME: &'static str = "menu_delete_item";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<ItemRecord, Refused> {
        let why = reason(&self.reason)?;
        let (site, now) = (context.site.id.clone(), context.now);
        let held = hold(context).await?;
        let item = held.item(&self.item)?;
        check_seen(context, ("MenuItem", &item.code), self.seen_version, held.version_of(item.id)).await?;
        rows::drop_item(context.tx, &site, item.id, now).await?;
        sites::menu_changed(context.tx, &site).await?;
        let version = held.version_of(item.id).saturating_add(1);
        context.audit(life(item, "DELETE", version, true, Some(why)));
        record(context, item.id).await
    }
}

impl UseCase for RestoreItem {
    type Output = ItemRecord;
    const NAME: &'static str = "menu_restore_item";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<ItemRecord, Refused> {
        let (site, now) = (context.site.id.clone(), context.now);
        let held = hold(context).await?;
        let id = self.item.parse::<ItemId>().ok();
        let gone = held.loaded.menu.items.iter().filter(|item| item.deleted_at.is_some());
        let item = gone
            .filter(|item| item.code == self.item || Some(item.id) == id)
            .max_by_key(|item| item.deleted_at)
            .ok_or_else(|| Refused::not_found("deleted menu item", shown(&self.item)))?;
        let live = |other: &&Item| other.deleted_at.is_none() && other.code == item.code;
        if let Some(other) = held.loaded.menu.items.iter().find(live) {
            return Err(Refused::conflict(format!("'{}' has the code {} by now.", other.name, other.code))
                .with("field", "code")
                .help("Give that one another code first."));
        }
        if held.loaded.menu.category(item.category_id).is_none_or(|category| category.deleted_at.is_some()) {
            return Err(Refused::conflict("Its category is deleted.")
                .by_guard("category_there")
                .with("category", held.loaded.menu.category(item.category_id).map(|known| known.name.clone()))
                .help("Restore the category first."));
        }
        menu_edit::restore_item(context.tx, &site, item.id, now).await?;
        sites::menu_changed(context.tx, &site).await?;
        let version = held.version_of(item.id).saturating_add(1);
        context.audit(life(item, "RESTORE", version, false, None));
        record(context, item.id).await
    }
}

impl UseCase for MoveItem {
    type Output = ItemRecord;
    const NAME: &'static str = "menu_move_item";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<ItemRecord, Refused> {
        let site = context.site.id.clone();
        let held = hold(context).await?;
        let item = held.item(&self.item)?;
        let category = match &self.category {
            Some(name) => held.category("category", name)?.id,
            None => item.category_id,
        };
        let live = held.loaded.menu.items.iter().filter(|other| other.deleted_at.is_none());
        let mut others: Vec<&Item> =
            live.filter(|other| other.category_id == category && other.id != item.id).collect();
        others.sort_by(|left, right| (left.position, &left.code).cmp(&(right.position, &right.code)));
        let place = usize::try_from(self.place.max(1)).unwrap_or(usize::MAX).saturating_sub(1).min(others.len());
        others.insert(place, item);
        let mut position = item.position;
        let mut shifted = false;
        for (place, other) in (1_i32..).zip(others) {
            if other.id == item.id {
                position = place;
            } else if other.position != place {
                menu_edit::place_item(context.tx, &site, other.id, place).await?;
                shifted = true;
            }
        }
        if shifted {
            sites::menu_changed(context.tx, &site).await?;
        }
        let after = Item { category_id: category, position, ..item.clone() };
        let uses = held.uses_of(item);
        write_item(context, &held, Written { before: Some(item), after, uses, reason: None }).await
    }
}

#[cfg(test)]
mod tests {
    use super::code_from;

    #[test]
    fn a_code_is_made_from_a_name_and_is_not_taken() {
        for (name, code) in [
            ("Masala Dosa", "masala-dosa"),
            ("  7 Up (330 ml)! ", "7-up-330-ml"),
            ("पनीर", "item"),
            ("--", "item"),
            (&"long ".repeat(20), "long-long-long-long-long-long-long-l"),
        ] {
            assert_eq!(code_from(name, |_| false), code, "{name}");
        }
        assert_eq!(code_from("Tea", |code| code == "tea" || code == "tea-2"), "tea-3");
    }
}
