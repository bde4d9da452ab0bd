//! What the audit log says about one thing (a setting, a menu item), newest first. Searching the whole
//! log is not done here.

use super::{MOST_COUNTED, StoreError, Tx};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

/// A change of the thing as the audit log keeps it, with the names of the people.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct ChangeRow {
    /// The number of the audit row.
    pub seq: i64,
    /// When (microseconds).
    pub at: i64,
    /// What was done: CREATE, UPDATE, DELETE.
    pub action: String,
    /// A sentence.
    pub details: String,
    /// The value before.
    pub before_value: Option<Json<Value>>,
    /// The value after.
    pub after_value: Option<Json<Value>>,
    /// What the log calls whoever did it.
    pub actor_name: Option<String>,
    /// The terminal.
    pub terminal_id: Option<Uuid>,
    /// The sign-in name of the admin whose PIN let it through.
    pub override_name: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

const HISTORY: &str = "SELECT a.seq, a.at, a.action, a.details, a.before_value, a.after_value, a.actor_name, \
     a.terminal_id, p.username AS override_name, a.reason FROM audit_log a \
     LEFT JOIN staff p ON p.site_id = a.site_id AND p.id = a.override_by \
     WHERE a.site_id = $1 AND a.entity = $2 AND a.entity_id = $3 AND a.seq < $4 ORDER BY a.seq DESC LIMIT $5";

const COUNT: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT 1 FROM audit_log WHERE site_id = $1 AND entity = $2 \
     AND entity_id = $3 LIMIT $4) AS found";

/// The audit rows of one thing below the number `before`, newest first, at most `limit`.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn history(
    tx: &mut Tx,
    site: &str,
    (entity, entity_id): (&str, &str),
    before: i64,
    limit: i64,
) -> Result<Vec<ChangeRow>, StoreError> {
    fetch_all!(tx, ChangeRow, HISTORY, site, entity, entity_id, before, limit)
}

/// How many audit rows one thing has, counted one beyond [`MOST_COUNTED`] at the most.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn count(tx: &mut Tx, site: &str, (entity, entity_id): (&str, &str)) -> Result<i64, StoreError> {
    Ok(fetch_one!(tx, (i64,), COUNT, site, entity, entity_id, MOST_COUNTED.saturating_add(1))?.0)
}
