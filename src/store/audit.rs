//! Reading the audit log: pages of it, newest first, and how far it is sealed. Who writes it stands in
//! `records.rs`, its seals and their proof in `seal.rs`.

use super::rows::containing;
use super::seal::{self, Verified};
use super::{Store, StoreError, Tx};
use crate::domain::time::Timestamp;
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

/// An audit row with the names of the terminal and of whoever let it through.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct EntryRow {
    pub seq: i64,
    pub at: i64,
    pub use_case: String,
    pub action: String,
    pub entity: String,
    pub entity_id: String,
    pub details: String,
    pub before_value: Option<Json<Value>>,
    pub after_value: Option<Json<Value>>,
    pub actor_role: String,
    pub actor_id: Option<Uuid>,
    pub actor_name: Option<String>,
    pub terminal_id: Option<Uuid>,
    pub terminal_name: Option<String>,
    pub override_by: Option<Uuid>,
    pub override_name: Option<String>,
    pub reason: Option<String>,
    pub seal: Option<i64>,
    pub seal_from: Option<i64>,
    pub seal_to: Option<i64>,
}

/// What a page is narrowed to; `None`: everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryFilter {
    /// A part of the sentence, the entity's id or the reason, whatever the case.
    pub text: Option<String>,
    /// The name of whoever acted, or their role.
    pub actor: Option<String>,
    /// The word for what was done, or the use case.
    pub action: Option<String>,
    /// The kind of thing.
    pub entity: Option<String>,
    /// Its identity.
    pub entity_id: Option<String>,
    /// The name of the terminal.
    pub terminal: Option<String>,
    /// Not before this instant.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
}

/// How far the log is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct SealedRow {
    /// How many seals there are.
    pub seals: i64,
    /// How many rows they cover.
    pub sealed: i64,
    /// The number of the last row under one.
    pub sealed_to: Option<i64>,
    /// When the last one was set (microseconds).
    pub sealed_at: Option<i64>,
}

/// The last run of doctor.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct DoctorRow {
    pub finished_at: Option<i64>,
    pub violations: Json<Vec<super::doctor::Check>>,
}

// Numbers are joined with the seal that covers them: seals neither overlap nor stand out of order.
const PAGE: &str = "SELECT a.seq, a.at, a.use_case, a.action, a.entity, a.entity_id, a.details, a.before_value, a.after_value, \
     a.actor_role, a.actor_id, a.actor_name, a.terminal_id, t.name AS terminal_name, a.override_by, \
     p.username AS override_name, a.reason, s.seq AS seal, s.from_seq AS seal_from, s.to_seq AS seal_to FROM audit_log a \
     LEFT JOIN terminals t ON t.site_id = $1 AND t.id = a.terminal_id \
     LEFT JOIN staff p ON p.site_id = $1 AND p.id = a.override_by \
     LEFT JOIN audit_seals s ON s.site_id = $1 AND s.to_seq = \
     (SELECT MIN(n.to_seq) FROM audit_seals n WHERE n.site_id = $1 AND n.to_seq >= a.seq) AND s.from_seq <= a.seq \
     WHERE a.site_id = $1 AND a.at >= $2 AND a.at < $3 AND (a.at < $4 OR (a.at = $4 AND a.seq < $5)) \
     AND (CAST($6 AS TEXT) IS NULL OR LOWER(a.details) LIKE LOWER($6) ESCAPE '!' \
     OR LOWER(a.entity_id) LIKE LOWER($6) ESCAPE '!' OR LOWER(COALESCE(a.reason, '')) LIKE LOWER($6) ESCAPE '!') \
     AND (CAST($7 AS TEXT) IS NULL OR LOWER(a.actor_name) = LOWER($7) OR a.actor_role = LOWER($7)) \
     AND (CAST($8 AS TEXT) IS NULL OR LOWER(a.action) = LOWER($8) OR a.use_case = LOWER($8)) \
     AND (CAST($9 AS TEXT) IS NULL OR LOWER(a.entity) = LOWER($9)) \
     AND (CAST($10 AS TEXT) IS NULL OR LOWER(a.entity_id) = LOWER($10)) \
     AND (CAST($11 AS TEXT) IS NULL OR LOWER(t.name) = LOWER($11)) \
     ORDER BY a.at DESC, a.seq DESC LIMIT $12";
const SEALED: &str = "SELECT CAST(COUNT(*) AS BIGINT) AS seals, CAST(COALESCE(SUM(row_count), 0) AS BIGINT) AS sealed, \
     MAX(to_seq) AS sealed_to, MAX(sealed_at) AS sealed_at FROM audit_seals WHERE site_id = $1";
const BEYOND: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM audit_log WHERE site_id = $1 AND seq > $2";
const LAST_DOCTOR: &str = "SELECT finished_at, violations FROM doctor_runs WHERE site_id = $1 AND finished_at IS NOT NULL \
     ORDER BY started_at DESC, id DESC LIMIT 1";

/// The most rows of a page.
pub const MAX_PAGE: i64 = 500;

/// A page of the log, newest first, from before the key (instant, number) given.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn page(
    tx: &mut Tx,
    site: &str,
    filter: &EntryFilter,
    before: Option<(Timestamp, i64)>,
    limit: i64,
) -> Result<Vec<EntryRow>, StoreError> {
    let (at, seq) = before.map_or((i64::MAX, i64::MAX), |(at, seq)| (at.0, seq));
    let text = filter.text.as_deref().map(containing);
    fetch_all!(
        tx,
        EntryRow,
        PAGE,
        site,
        filter.from.map_or(i64::MIN, |from| from.0),
        // The place in the list bounds the index as well.
        filter.until.map_or(i64::MAX, |until| until.0).min(at.saturating_add(1)),
        at,
        seq,
        text.as_deref(),
        filter.actor.as_deref(),
        filter.action.as_deref(),
        filter.entity.as_deref(),
        filter.entity_id.as_deref(),
        filter.terminal.as_deref(),
        limit.clamp(1, MAX_PAGE.saturating_add(1))
    )
}

/// How far the log is sealed, and how many rows no seal covers yet.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn sealed(tx: &mut Tx, site: &str) -> Result<(SealedRow, i64), StoreError> {
    let row = fetch_one!(&mut *tx, SealedRow, SEALED, site)?;
    let (unsealed,) = fetch_one!(tx, (i64,), BEYOND, site, row.sealed_to.unwrap_or(i64::MIN))?;
    Ok((row, unsealed))
}

/// The last run of doctor that came to its end.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn last_doctor(tx: &mut Tx, site: &str) -> Result<Option<DoctorRow>, StoreError> {
    fetch_optional!(tx, DoctorRow, LAST_DOCTOR, site)
}

/// Goes through every seal, in a transaction that may take long.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn verify_seals(store: &Store, site: &str) -> Result<Verified, StoreError> {
    let mut tx = store.read_long().await?;
    let found = seal::verify(&mut tx, site).await?;
    tx.rollback().await?;
    Ok(found)
}
