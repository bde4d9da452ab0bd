//! Rows about the site as a whole: its name, money, zone, versions, and its settings.

use super::{StoreError, Tx};
use crate::domain::ids::StaffId;
use crate::domain::time::{Clock, Timestamp};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

/// A site.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SiteRow {
    /// Its short name: the key.
    pub site_id: String,
    /// Its name for people.
    pub name: String,
    /// ISO 4217.
    pub currency: String,
    /// IANA zone.
    pub time_zone: String,
    /// Whether this is the demo.
    pub demo: bool,
    /// Rises with every change of the menu.
    pub menu_version: i64,
    /// Rises with every change of a setting.
    pub settings_version: i64,
    /// Rises with every change of staff.
    pub staff_version: i64,
}

/// What the door looks at before a command or a question, read in one statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    /// The site, if the store has it.
    pub site: Option<SiteRow>,
    /// The instant of the transaction, as [`Tx::now`] gives it.
    pub now: Timestamp,
    /// What is stored under the key of the command, as [`super::records::stored_outcome`] gives it.
    pub stored: Option<(String, Vec<u8>, Value)>,
}

#[derive(sqlx::FromRow)]
struct ArrivalRow {
    #[sqlx(flatten)]
    site: SiteRow,
    now: Option<i64>,
    use_case: Option<String>,
    request_hash: Option<Vec<u8>>,
    outcome: Option<Json<Value>>,
}

/// When a setting was last set, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SettingStamp {
    /// Its key.
    pub key: String,
    /// When (microseconds).
    pub updated_at: i64,
    /// The sign-in name of the person, where one did.
    pub updated_by: Option<String>,
}

const SITE: &str = "SELECT site_id, name, currency, time_zone, demo, menu_version, settings_version, staff_version \
     FROM sites WHERE site_id = $1";
// The table of keys is named only where there is a key: a board's role may not read it.
const SQLITE_ARRIVAL: &str = "SELECT site_id, name, currency, time_zone, demo, menu_version, settings_version, \
     staff_version, NULL AS now, NULL AS use_case, NULL AS request_hash, NULL AS outcome FROM sites WHERE site_id = $1";
const SQLITE_ARRIVAL_WITH_KEY: &str = "SELECT s.site_id, s.name, s.currency, s.time_zone, s.demo, s.menu_version, \
     s.settings_version, s.staff_version, NULL AS now, k.use_case, k.request_hash, k.outcome FROM sites s \
     LEFT JOIN idempotency_keys k ON k.site_id = s.site_id AND k.key = $2 WHERE s.site_id = $1";
const POSTGRES_ARRIVAL: &str = "SELECT site_id, name, currency, time_zone, demo, menu_version, settings_version, \
     staff_version, CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) AS now, \
     CAST(NULL AS TEXT) AS use_case, CAST(NULL AS BYTEA) AS request_hash, CAST(NULL AS JSONB) AS outcome \
     FROM sites WHERE site_id = $1";
const POSTGRES_ARRIVAL_WITH_KEY: &str = "SELECT s.site_id, s.name, s.currency, s.time_zone, s.demo, s.menu_version, \
     s.settings_version, s.staff_version, CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) AS now, \
     k.use_case, k.request_hash, k.outcome FROM sites s \
     LEFT JOIN idempotency_keys k ON k.site_id = s.site_id AND k.key = $2 WHERE s.site_id = $1";
const NEW_SITE: &str = "INSERT INTO sites (site_id, name, currency, time_zone, demo, created_at) \
     VALUES ($1, $2, $3, $4, $5, $6)";
const META: &str = "INSERT INTO store_meta (singleton, instance_id, kind, created_at) VALUES (1, $1, $2, $3) \
     ON CONFLICT (singleton) DO NOTHING";
const SETTINGS: &str = "SELECT key, value FROM settings WHERE site_id = $1 ORDER BY key";
const STAMPS: &str = "SELECT s.key, s.updated_at, p.username AS updated_by FROM settings s \
     LEFT JOIN staff p ON p.site_id = s.site_id AND p.id = s.updated_by WHERE s.site_id = $1 ORDER BY s.key";
const SET: &str = "INSERT INTO settings (site_id, key, value, updated_at, updated_by) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (site_id, key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at, \
     updated_by = excluded.updated_by";
// Changes nothing; it takes the row's lock, so that two people who set a setting come one after the other.
const HOLD_SETTINGS: &str = "UPDATE sites SET settings_version = settings_version WHERE site_id = $1";
const SETTINGS_CHANGED: &str = "UPDATE sites SET settings_version = settings_version + 1 WHERE site_id = $1";
const MENU_CHANGED: &str = "UPDATE sites SET menu_version = menu_version + 1 WHERE site_id = $1";

/// The site, if the store has it.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn find(tx: &mut Tx, site: &str) -> Result<Option<SiteRow>, StoreError> {
    fetch_optional!(tx, SiteRow, SITE, site)
}

/// What the door looks at first: the site, the instant of the transaction (the database's clock on Postgres,
/// `clock` on SQLite), and what is stored under the key, where one is given.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn arrive(tx: &mut Tx, site: &str, key: Option<&str>, clock: &dyn Clock) -> Result<Arrival, StoreError> {
    let postgres = tx.is_postgres();
    let row = match key {
        None => {
            let text = if postgres { POSTGRES_ARRIVAL } else { SQLITE_ARRIVAL };
            fetch_optional!(tx, ArrivalRow, text, site)?
        }
        Some(key) => {
            let text = if postgres { POSTGRES_ARRIVAL_WITH_KEY } else { SQLITE_ARRIVAL_WITH_KEY };
            fetch_optional!(tx, ArrivalRow, text, site, key)?
        }
    };
    let now = row.as_ref().and_then(|row| row.now).map_or_else(|| clock.now(), Timestamp);
    let Some(ArrivalRow { site, use_case, request_hash, outcome, .. }) = row else {
        return Ok(Arrival { site: None, now, stored: None });
    };
    let stored = match (use_case, request_hash, outcome) {
        (Some(use_case), Some(hash), Some(Json(outcome))) => Some((use_case, hash, outcome)),
        _ => None,
    };
    Ok(Arrival { site: Some(site), now, stored })
}

/// Writes a new site, and the row about the store where there is none.
///
/// # Errors
/// [`StoreError::Duplicate`] when the site exists.
pub async fn insert(tx: &mut Tx, site: &SiteRow, instance: Uuid, now: Timestamp) -> Result<(), StoreError> {
    execute!(tx, META, instance, if site.demo { "demo" } else { "real" }, now.0)?;
    execute!(tx, NEW_SITE, &site.site_id, &site.name, &site.currency, &site.time_zone, site.demo, now.0)?;
    Ok(())
}

/// Every setting that differs from its default.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn settings(tx: &mut Tx, site: &str) -> Result<Vec<(String, Value)>, StoreError> {
    let rows: Vec<(String, Json<Value>)> = fetch_all!(tx, (String, Json<Value>), SETTINGS, site)?;
    Ok(rows.into_iter().map(|(key, Json(value))| (key, value)).collect())
}

/// When each setting that was ever set was last set.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn setting_stamps(tx: &mut Tx, site: &str) -> Result<Vec<SettingStamp>, StoreError> {
    fetch_all!(tx, SettingStamp, STAMPS, site)
}

/// Keeps the settings from everybody else until the transaction ends.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn hold_settings(tx: &mut Tx, site: &str) -> Result<(), StoreError> {
    execute!(tx, HOLD_SETTINGS, site)?;
    Ok(())
}

/// Sets one setting and raises the version that other processes look at.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn set_setting(
    tx: &mut Tx,
    site: &str,
    key: &str,
    value: &Value,
    by: Option<StaffId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    execute!(tx, SET, site, key, Json(value), now.0, by.map(|id| id.0))?;
    execute!(tx, SETTINGS_CHANGED, site)?;
    Ok(())
}

/// Raises the version of the menu.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn menu_changed(tx: &mut Tx, site: &str) -> Result<(), StoreError> {
    execute!(tx, MENU_CHANGED, site)?;
    Ok(())
}
