//! Bringing a menu file into the store, and writing the store's menu as a file. What a file changes is
//! worked out in `menu_plan`; here it is written, in the one transaction of the import.
//!
//! What a file no longer has is marked as deleted; the counts of known stock items never change here.

pub use super::menu_diff::{DiffEntry, FieldChange, MenuDiff};
pub use super::menu_plan::{Plan, plan};

use super::door::{Context, Query, UseCase, View};
use super::menu_file::{MenuFile, StockEntry};
use super::staff::reason;
use crate::domain::access::Permission;
use crate::domain::error::Refused;
use crate::domain::ids::StockItemId;
use crate::domain::menu::Item;
use crate::domain::time::Timestamp;
use crate::store::menu::LoadedMenu;
use crate::store::records::AuditRow;
use crate::store::stock::NewStock;
use crate::store::{Tx, menu as rows, menu_edit, sites, stock};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

/// Makes the menu of the site that of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MenuImport {
    /// The file.
    pub file: MenuFile,
    /// Only say what would change.
    pub dry_run: bool,
    /// Why; needed where the file changes or removes what is on the menu, and not where it only adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl UseCase for MenuImport {
    type Output = MenuDiff;
    const NAME: &'static str = "menu_import";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<MenuDiff, Refused> {
        let (site, now) = (context.site.id.clone(), context.now);
        menu_edit::lock(context.tx, &site).await?;
        let stored = rows::load(context.tx, &site).await?;
        let shelves = stock::list(context.tx, &site).await?;
        let mut plan = plan(&self.file, &stored, &shelves, &mut || context.new_id())?;
        plan.diff.dry_run = self.dry_run;
        if self.dry_run || plan.diff.is_empty() {
            return Ok(plan.diff);
        }
        let given = self.reason.as_deref().filter(|text| !text.trim().is_empty());
        let why = match given {
            None if !plan.diff.overwrites() => None,
            text => Some(reason(text.unwrap_or_default())?),
        };
        apply(context.tx, &site, &plan, &stored, now).await?;
        let diff = plan.diff;
        let words = |entries: &[DiffEntry]| json!(entries);
        context.audit(AuditRow {
            action: "IMPORT",
            entity: "Menu",
            entity_id: site,
            details: format!(
                "menu imported: {} added, {} changed, {} removed",
                diff.added.len(),
                diff.changed.len(),
                diff.removed.len()
            ),
            before: Some(json!({ "version": stored.menu.version, "removed": words(&diff.removed) })),
            after: Some(json!({ "added": words(&diff.added), "changed": words(&diff.changed) })),
            reason: why,
        });
        Ok(diff)
    }
}

/// What a file would change, without changing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuPreview {
    /// The file.
    pub file: MenuFile,
}

impl Query for MenuPreview {
    type Output = MenuDiff;
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, view: &mut View<'_>) -> Result<MenuDiff, Refused> {
        let stored = rows::load(view.tx, &view.site.id).await?;
        let shelves = stock::list(view.tx, &view.site.id).await?;
        // Nothing is written, so the ids of what is new are never seen.
        let mut number = 0_u128;
        let mut placeholder = || {
            number = number.saturating_add(1);
            Uuid::from_u128(number)
        };
        let mut plan = plan(&self.file, &stored, &shelves, &mut placeholder)?;
        plan.diff.dry_run = true;
        Ok(plan.diff)
    }
}

/// The menu of the site as a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MenuExport;

impl Query for MenuExport {
    type Output = MenuFile;
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, view: &mut View<'_>) -> Result<MenuFile, Refused> {
        let loaded = super::menu::loaded(view.tx, view.menus, &view.site).await?;
        let shelves = stock::list(view.tx, &view.site.id).await?;
        Ok(MenuFile::from_menu(&loaded, &shelves))
    }
}

/// Writes what was planned, and raises the version of the menu.
///
/// # Errors
/// `STORE_UNAVAILABLE`, `CONFLICT` or `INTERNAL_ERROR` of the statements.
pub async fn apply(tx: &mut Tx, site: &str, plan: &Plan, stored: &LoadedMenu, now: Timestamp) -> Result<(), Refused> {
    for row in &plan.dropped_consumption {
        rows::drop_consumption(tx, site, row).await?;
    }
    for id in &plan.dropped_choices {
        rows::drop_choice(tx, site, *id, now).await?;
    }
    for id in &plan.dropped_groups {
        rows::drop_group(tx, site, *id, now).await?;
    }
    for id in &plan.dropped_items {
        rows::drop_item(tx, site, *id, now).await?;
    }
    rows::put_tax_classes(tx, site, &plan.tax_classes).await?;
    rows::put_stations(tx, site, &plan.stations).await?;
    for (id, entry) in &plan.new_stock {
        let row = new_stock(*id, entry);
        if !stock::insert(tx, site, &row, now).await? {
            return Err(Refused::conflict(format!("Somebody else made the stock item {} just now.", entry.code)));
        }
    }
    for (id, entry) in &plan.described_stock {
        stock::describe(tx, site, &new_stock(*id, entry), now).await?;
    }
    for category in &plan.categories {
        if stored.menu.category(category.id) != Some(category) {
            rows::put_category(tx, site, category, now).await?;
        }
    }
    for item in &plan.items {
        // An item with the default class is kept without one, so that it follows the default.
        let tax_class = item.tax_class.filter(|class| Some(*class) != plan.default_tax);
        rows::put_item(tx, site, &Item { tax_class, ..item.clone() }, now).await?;
        let known = stored.menu.item(item.id);
        for group in &item.option_groups {
            let known = known.and_then(|item| item.option_groups.iter().find(|known| known.id == group.id));
            if known != Some(group) {
                rows::put_group(tx, site, item.id, group).await?;
                for choice in &group.choices {
                    rows::put_choice(tx, site, group.id, choice).await?;
                }
            }
        }
    }
    for id in &plan.dropped_categories {
        rows::drop_category(tx, site, *id, now).await?;
    }
    for row in &plan.consumption {
        rows::put_consumption(tx, site, row).await?;
    }
    sites::menu_changed(tx, site).await?;
    Ok(())
}

fn new_stock(id: StockItemId, entry: &StockEntry) -> NewStock<'_> {
    NewStock {
        id,
        code: &entry.code,
        name: &entry.name,
        unit: &entry.unit,
        tracked: true,
        opening: entry.opening,
        low_mark: entry.low,
    }
}
