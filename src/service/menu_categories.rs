//! Changing the categories of the menu (add, edit, delete, restore, move), and adding stations and tax
//! classes. The road that all of them take is in `menu_write`; items are in `menu_edit`.

use super::door::{Context, UseCase};
use super::menu_book::{CategoryRecord, Shelves, StationRecord, TaxClassRecord};
use super::menu_diff::{FieldChange, as_json, differ, sentences, yes_no};
use super::menu_write::{Held, check_seen, hold, shown};
use super::staff::reason;
use crate::domain::access::Permission;
use crate::domain::error::Refused;
use crate::domain::ids::{CategoryId, StationId, TaxClassId};
use crate::domain::menu::{Category, MAX_CATEGORY_NAME};
use crate::domain::money::Rate;
use crate::domain::tax::TaxClass;
use crate::domain::text;
use crate::store::menu::{Station, StoredTaxClass};
use crate::store::records::AuditRow;
use crate::store::{menu as rows, menu_edit, sites, stock};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The longest name of a station, as the store has it.
pub(super) const MAX_STATION_NAME: usize = 50;
/// The longest name of a tax class.
pub(super) const MAX_TAX_NAME: usize = 100;
/// Items that a refusal names.
const NAMED_ITEMS: usize = 20;

const fn yes() -> bool {
    true
}

/// Adds a category at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddCategory {
    /// Its name, unique among those that are not deleted.
    pub name: String,
    /// Whether guests see it; yes if left out.
    #[serde(default = "yes")]
    pub active: bool,
}

/// Changes a category; what is left out stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditCategory {
    /// Its name, or its id.
    pub category: String,
    /// The version that the form showed; a newer one refuses the edit. None: whatever it is now.
    #[serde(default)]
    pub seen_version: Option<i64>,
    /// Its new name.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether guests see it.
    #[serde(default)]
    pub active: Option<bool>,
}

/// Deletes a category that has no item any more; it can be restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteCategory {
    /// Its name, or its id.
    pub category: String,
    /// As in [`EditCategory`].
    #[serde(default)]
    pub seen_version: Option<i64>,
    /// Why.
    pub reason: String,
}

/// Takes a deleted category back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreCategory {
    /// Its id, or its name: then the one that was deleted last.
    pub category: String,
}

/// Gives a category another place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveCategory {
    /// Its name, or its id.
    pub category: String,
    /// Its place from 1; what is beyond the end is the end.
    pub place: u32,
}

/// Adds a kitchen station at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddStation {
    /// Its name.
    pub name: String,
    /// Whether items that name none are made here from now on. The first one is in any case.
    #[serde(default)]
    pub default: bool,
}

/// Adds a tax class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddTaxClass {
    /// Its name.
    pub name: String,
    /// Its rate in percent ("5", "10.75").
    pub rate: String,
    /// Whether items that name none have this one from now on. The first one is in any case.
    #[serde(default)]
    pub default: bool,
}

fn audit(action: &'static str, entity: &'static str, id: String, details: String, after: Value) -> AuditRow {
    AuditRow { action, entity, entity_id: id, details, before: None, after: Some(after), reason: None }
}

impl Held {
    fn category_version(&self, id: CategoryId) -> i64 {
        self.loaded.category_versions.get(&id).copied().unwrap_or_default()
    }

    fn check_free(&self, category: &Category) -> Result<(), Refused> {
        let name = category.name.to_lowercase();
        let mut live = self.loaded.menu.categories.iter().filter(|other| other.deleted_at.is_none());
        match live.find(|other| other.id != category.id && other.name.to_lowercase() == name) {
            None => Ok(()),
            Some(other) => Err(Refused::conflict(format!("There is a category '{}' already.", other.name))
                .with("field", "category.name")
                .help("Choose another name.")),
        }
    }
}

/// The category as it is in the store now, and its version for the audit row.
async fn record(context: &mut Context<'_>, id: CategoryId) -> Result<CategoryRecord, Refused> {
    let site = context.site.id.clone();
    let loaded = rows::load_with_deleted(context.tx, &site).await?;
    let shelves = stock::list(context.tx, &site).await?;
    let category = loaded.menu.category(id).ok_or_else(|| Refused::internal("a category is gone"))?;
    Ok(Shelves::of(&loaded, &shelves).category(category))
}

/// Reads what was written and notes it for the audit log with its new version.
async fn written(
    context: &mut Context<'_>,
    id: CategoryId,
    action: &'static str,
    changes: &[FieldChange],
    reason: Option<String>,
) -> Result<CategoryRecord, Refused> {
    let site = context.site.id.clone();
    sites::menu_changed(context.tx, &site).await?;
    let record = record(context, id).await?;
    let (before, mut after) = as_json(changes);
    after.insert("version".to_owned(), record.version.into());
    let words = match action {
        "CREATE" => "was added".to_owned(),
        "DELETE" => "was deleted".to_owned(),
        "RESTORE" => "was restored".to_owned(),
        _ => sentences(changes).join("; "),
    };
    context.audit(AuditRow {
        action,
        entity: "Category",
        entity_id: id.to_string(),
        details: format!("{}: {words}", record.name),
        before: (action != "CREATE").then_some(Value::Object(before)),
        after: Some(Value::Object(after)),
        reason,
    });
    Ok(record)
}

impl UseCase for AddCategory {
    type Output = CategoryRecord;
    const NAME: &'static str = "menu_add_category";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<CategoryRecord, Refused> {
        let (site, now) = (context.site.id.clone(), context.now);
        let held = hold(context).await?;
        let last = held.loaded.menu.categories.iter().map(|category| category.position).max().unwrap_or(0);
        let category = Category {
            id: CategoryId(context.new_id()),
            name: text::clean(&self.name, MAX_CATEGORY_NAME, false),
            position: last.saturating_add(1),
            active: self.active,
            deleted_at: None,
        };
        category.validate()?;
        held.check_free(&category)?;
        rows::put_category(context.tx, &site, &category, now).await?;
        let mut changes = Vec::new();
        differ(&mut changes, "name", "", &category.name);
        differ(&mut changes, "active", "", yes_no(category.active));
        written(context, category.id, "CREATE", &changes, None).await
    }
}

impl UseCase for EditCategory {
    type Output = CategoryRecord;
    const NAME: &'static str = "menu_edit_category";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<CategoryRecord, Refused> {
        let (site, now) = (context.site.id.clone(), context.now);
        let held = hold(context).await?;
        let before = held.category("category", &self.category)?;
        let version = held.category_version(before.id);
        check_seen(context, ("Category", &before.id.to_string()), self.seen_version, version).await?;
        let mut after = before.clone();
        if let Some(name) = &self.name {
            after.name = text::clean(name, MAX_CATEGORY_NAME, false);
        }
        after.active = self.active.unwrap_or(after.active);
        after.validate()?;
        held.check_free(&after)?;
        let mut changes = Vec::new();
        differ(&mut changes, "name", &before.name, &after.name);
        differ(&mut changes, "active", yes_no(before.active), yes_no(after.active));
        if changes.is_empty() {
            return record(context, after.id).await;
        }
        rows::put_category(context.tx, &site, &after, now).await?;
        written(context, after.id, "UPDATE", &changes, None).await
    }
}

/// What deleting and restoring change.
fn life(deleted: bool) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    differ(&mut changes, "deleted", yes_no(!deleted), yes_no(deleted));
    changes
}

impl UseCase for DeleteCategory {
    type Output = CategoryRecord;
    const NAME: &'static str = "menu_delete_category";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<CategoryRecord, Refused> {
        let why = reason(&self.reason)?;
        let (site, now) = (context.site.id.clone(), context.now);
        let held = hold(context).await?;
        let category = held.category("category", &self.category)?;
        let version = held.category_version(category.id);
        check_seen(context, ("Category", &category.id.to_string()), self.seen_version, version).await?;
        let live = held.loaded.menu.items.iter().filter(|item| item.deleted_at.is_none());
        let items: Vec<&str> =
            live.filter(|item| item.category_id == category.id).map(|item| item.name.as_str()).collect();
        if !items.is_empty() {
            let message = format!("'{}' still has {} items.", category.name, items.len());
            let named: Vec<&str> = items.into_iter().take(NAMED_ITEMS).collect();
            return Err(Refused::conflict(message)
                .by_guard("category_empty")
                .with("items", named)
                .help("Move or delete them first, or hide the category."));
        }
        rows::drop_category(context.tx, &site, category.id, now).await?;
        written(context, category.id, "DELETE", &life(true), Some(why)).await
    }
}

impl UseCase for RestoreCategory {
    type Output = CategoryRecord;
    const NAME: &'static str = "menu_restore_category";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<CategoryRecord, Refused> {
        let (site, now) = (context.site.id.clone(), context.now);
        let held = hold(context).await?;
        let wanted = shown(&self.category).to_lowercase();
        let id = self.category.parse::<CategoryId>().ok();
        let gone = held.loaded.menu.categories.iter().filter(|category| category.deleted_at.is_some());
        let category = gone
            .filter(|category| category.name.to_lowercase() == wanted || Some(category.id) == id)
            .max_by_key(|category| category.deleted_at)
            .ok_or_else(|| Refused::not_found("deleted category", shown(&self.category)))?;
        held.check_free(category)?;
        menu_edit::restore_category(context.tx, &site, category.id, now).await?;
        written(context, category.id, "RESTORE", &life(false), None).await
    }
}

impl UseCase for MoveCategory {
    type Output = CategoryRecord;
    const NAME: &'static str = "menu_move_category";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<CategoryRecord, Refused> {
        let site = context.site.id.clone();
        let held = hold(context).await?;
        let category = held.category("category", &self.category)?;
        let live = held.loaded.menu.categories.iter().filter(|other| other.deleted_at.is_none());
        let mut others: Vec<&Category> = live.filter(|other| other.id != category.id).collect();
        others.sort_by(|left, right| (left.position, &left.name).cmp(&(right.position, &right.name)));
        let place = usize::try_from(self.place.max(1)).unwrap_or(usize::MAX).saturating_sub(1).min(others.len());
        others.insert(place, category);
        let mut changes = Vec::new();
        for (place, other) in (1_i32..).zip(others) {
            if other.id == category.id {
                differ(&mut changes, "position", &other.position.to_string(), &place.to_string());
            }
            if other.position != place {
                menu_edit::place_category(context.tx, &site, other.id, place).await?;
            }
        }
        if changes.is_empty() {
            sites::menu_changed(context.tx, &site).await?;
            return record(context, category.id).await;
        }
        written(context, category.id, "UPDATE", &changes, None).await
    }
}

impl UseCase for AddStation {
    type Output = StationRecord;
    const NAME: &'static str = "menu_add_station";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<StationRecord, Refused> {
        let site = context.site.id.clone();
        let held = hold(context).await?;
        let name = text::clean(&self.name, MAX_STATION_NAME, false);
        if name.is_empty() {
            return Err(Refused::invalid("station.name", "This cannot be empty."));
        }
        let known = held.loaded.stations.iter().find(|other| other.name.to_lowercase() == name.to_lowercase());
        if let Some(other) = known.filter(|other| other.active) {
            return Err(Refused::conflict(format!("There is a station '{}' already.", other.name))
                .with("field", "station.name"));
        }
        let last = held.loaded.stations.iter().map(|station| station.position).max().unwrap_or(0);
        let first = !held.loaded.stations.iter().any(|station| station.is_default && station.active);
        // One that was taken out of use comes back under its name.
        let station = Station {
            id: known.map_or_else(|| StationId(context.new_id()), |known| known.id),
            name,
            position: last.saturating_add(1),
            is_default: self.default || first,
            active: true,
        };
        rows::put_stations(context.tx, &site, std::slice::from_ref(&station)).await?;
        sites::menu_changed(context.tx, &site).await?;
        let after = json!({ "name": station.name, "default": station.is_default });
        let details = format!("the station {} was added", station.name);
        context.audit(audit("CREATE", "Station", station.id.to_string(), details, after));
        Ok(StationRecord::from(&station))
    }
}

impl UseCase for AddTaxClass {
    type Output = TaxClassRecord;
    const NAME: &'static str = "menu_add_tax_class";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<TaxClassRecord, Refused> {
        let site = context.site.id.clone();
        let held = hold(context).await?;
        let name = text::clean(&self.name, MAX_TAX_NAME, false);
        let rate = Rate::parse_percent("tax_class.rate", &self.rate)?;
        let mut classes = held.loaded.tax_classes.values();
        let known = classes.find(|other| other.class.name.to_lowercase() == name.to_lowercase());
        if let Some(other) = known.filter(|other| other.active) {
            return Err(Refused::conflict(format!("There is a tax class '{}' already.", other.class.name))
                .with("field", "tax_class.name"));
        }
        let id = known.map_or_else(|| TaxClassId(context.new_id()), |known| known.class.id);
        let class = TaxClass { id, name, rate };
        class.validate()?;
        let first = held.loaded.default_tax_class().is_none();
        let stored = StoredTaxClass { class, is_default: self.default || first, active: true };
        rows::put_tax_classes(context.tx, &site, std::slice::from_ref(&stored)).await?;
        sites::menu_changed(context.tx, &site).await?;
        let after = json!({
            "name": stored.class.name,
            "rate": stored.class.rate.to_string(),
            "default": stored.is_default,
        });
        let details = format!("the tax class {} at {} was added", stored.class.name, stored.class.rate);
        context.audit(audit("CREATE", "TaxClass", id.to_string(), details, after));
        Ok(TaxClassRecord::from(&stored))
    }
}
