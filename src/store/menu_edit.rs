//! Rows of the menu as the console changes them one by one: the lock that keeps two changes apart, taking
//! back what was deleted, the stations and tax classes that deleted items let go, and places. Reading and
//! writing whole rows is in `menu.rs`; what may be written is decided by the service.

use super::rows::hit_one;
use super::{StoreError, Tx};
use crate::domain::ids::{CategoryId, ItemId, StationId, TaxClassId};
use crate::domain::time::Timestamp;

const LOCK: &str = "UPDATE sites SET menu_version = menu_version WHERE site_id = $1";
const TOUCH_ITEM: &str = "UPDATE menu_items SET version = version + 1, updated_at = $3 WHERE site_id = $1 AND id = $2";
const RESTORE_ITEM: &str = "UPDATE menu_items SET deleted_at = NULL, updated_at = $3, version = version + 1 \
     WHERE site_id = $1 AND id = $2 AND deleted_at IS NOT NULL";
const RESTORE_CATEGORY: &str = "UPDATE categories SET deleted_at = NULL, updated_at = CASE WHEN updated_at < $3 \
     THEN $3 ELSE updated_at + 1 END WHERE site_id = $1 AND id = $2 AND deleted_at IS NOT NULL";
const LEAVE_STATION: &str = "UPDATE menu_items SET station_id = NULL, version = version + 1, updated_at = $3 \
     WHERE site_id = $1 AND station_id = $2 AND deleted_at IS NOT NULL";
const LEAVE_TAX_CLASS: &str = "UPDATE menu_items SET tax_class_id = NULL, version = version + 1, updated_at = $3 \
     WHERE site_id = $1 AND tax_class_id = $2 AND deleted_at IS NOT NULL";
const PLACE_ITEM: &str = "UPDATE menu_items SET position = $3 WHERE site_id = $1 AND id = $2";
const PLACE_CATEGORY: &str = "UPDATE categories SET position = $3 WHERE site_id = $1 AND id = $2";

/// Keeps every other change of the menu waiting until this transaction ends, so that what is read
/// after it is still so when it is written.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn lock(tx: &mut Tx, site: &str) -> Result<(), StoreError> {
    execute!(tx, LOCK, site)?;
    Ok(())
}

/// Raises the version of an item whose options changed.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn touch_item(tx: &mut Tx, site: &str, id: ItemId, now: Timestamp) -> Result<(), StoreError> {
    execute!(tx, TOUCH_ITEM, site, id.0, now.0)?;
    Ok(())
}

/// Takes a deleted item back; `false` if it is not deleted.
///
/// # Errors
/// [`StoreError::Duplicate`] when another item has its code by now.
pub async fn restore_item(tx: &mut Tx, site: &str, id: ItemId, now: Timestamp) -> Result<bool, StoreError> {
    hit_one(execute!(tx, RESTORE_ITEM, site, id.0, now.0)?)
}

/// Takes a deleted category back; `false` if it is not deleted.
///
/// # Errors
/// [`StoreError::Duplicate`] when another category has its name by now.
pub async fn restore_category(tx: &mut Tx, site: &str, id: CategoryId, now: Timestamp) -> Result<bool, StoreError> {
    hit_one(execute!(tx, RESTORE_CATEGORY, site, id.0, now.0)?)
}

/// Has deleted items name this station no longer: they come back to the default one.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn leave_station(tx: &mut Tx, site: &str, id: StationId, now: Timestamp) -> Result<(), StoreError> {
    execute!(tx, LEAVE_STATION, site, id.0, now.0)?;
    Ok(())
}

/// Has deleted items name this tax class no longer: they come back with the default one.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn leave_tax_class(tx: &mut Tx, site: &str, id: TaxClassId, now: Timestamp) -> Result<(), StoreError> {
    execute!(tx, LEAVE_TAX_CLASS, site, id.0, now.0)?;
    Ok(())
}

/// Sets the place of an item in its category. Its version stays: no form shows the place.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn place_item(tx: &mut Tx, site: &str, id: ItemId, position: i32) -> Result<(), StoreError> {
    execute!(tx, PLACE_ITEM, site, id.0, i64::from(position))?;
    Ok(())
}

/// Sets the place of a category. Its version stays.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn place_category(tx: &mut Tx, site: &str, id: CategoryId, position: i32) -> Result<(), StoreError> {
    execute!(tx, PLACE_CATEGORY, site, id.0, i64::from(position))?;
    Ok(())
}
