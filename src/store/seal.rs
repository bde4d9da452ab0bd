//! The seals over the audit log: the one canonical form of an audit row, the hash chain, sealing and
//! verifying. When rows are sealed is the worker's decision; on Postgres it may only seal below the
//! oldest running transaction, because a lower number may be committed after a higher one.

use super::{StoreError, Tx};
use crate::domain::time::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::types::Json;
use uuid::Uuid;

/// A hash of the chain.
pub type Hash = [u8; 32];

/// What stands before the first seal.
pub const FIRST: Hash = [0; 32];

/// An audit row as it is sealed: every column.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct SealedRow {
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
    pub override_by: Option<Uuid>,
    pub reason: Option<String>,
}

#[derive(Debug, sqlx::FromRow)]
struct SealRow {
    seq: i64,
    from_seq: i64,
    to_seq: i64,
    row_count: i64,
    previous_hash: Vec<u8>,
    hash: Vec<u8>,
}

/// What verifying the seals found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// How many audit rows stand under a seal that holds.
    pub sealed: i64,
    /// How many rows no seal covers yet.
    pub unsealed: i64,
    /// The first seal or row that does not hold.
    pub violation: Option<String>,
    /// The audit rows, from and to, under the seal that does not hold.
    pub broken: Option<(i64, i64)>,
}

const LAST_SEAL: &str = "SELECT seq, from_seq, to_seq, row_count, previous_hash, hash FROM audit_seals \
     WHERE site_id = $1 ORDER BY seq DESC LIMIT 1";
const SEALS: &str = "SELECT seq, from_seq, to_seq, row_count, previous_hash, hash FROM audit_seals \
     WHERE site_id = $1 ORDER BY seq";
const POSTGRES_ROWS: &str = "SELECT seq, at, use_case, action, entity, entity_id, details, before_value, after_value, actor_role, \
     actor_id, actor_name, terminal_id, override_by, reason FROM audit_log \
     WHERE site_id = $1 AND seq >= $2 AND seq <= $3 ORDER BY seq";
// By number, as in `seals.rs`: left to itself, SQLite reads and sorts the site's whole history along another index.
const SQLITE_ROWS: &str = "SELECT seq, at, use_case, action, entity, entity_id, details, before_value, after_value, actor_role, \
     actor_id, actor_name, terminal_id, override_by, reason FROM audit_log NOT INDEXED \
     WHERE site_id = $1 AND seq >= $2 AND seq <= $3 ORDER BY seq";
const SEAL: &str = "INSERT INTO audit_seals (site_id, seq, from_seq, to_seq, row_count, previous_hash, hash, sealed_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const POSTGRES_BEYOND: &str = "SELECT COUNT(*) FROM audit_log WHERE site_id = $1 AND seq > $2";
const SQLITE_BEYOND: &str = "SELECT COUNT(*) FROM audit_log NOT INDEXED WHERE site_id = $1 AND seq > $2";
const ARCHIVED: &str = "SELECT seal FROM archived_seals WHERE site_id = $1 ORDER BY seal";

/// The hash of a seal over `rows`, after the seal with the hash `previous`.
///
/// The canonical form of a row: its columns in the order of [`SealedRow`], each as one byte 0 for
/// nothing, or one byte 1, the length in eight bytes (big end first) and the bytes: text as UTF-8,
/// whole numbers in decimal, ids as their 16 bytes, JSON compact with sorted keys.
#[must_use]
pub fn chain(previous: &Hash, rows: &[SealedRow]) -> Hash {
    let mut hash = Sha256::new();
    hash.update(previous);
    for row in rows {
        add_row(&mut hash, row);
    }
    hash.finalize().into()
}

fn add_row(hash: &mut Sha256, row: &SealedRow) {
    let json = |value: &Option<Json<Value>>| value.as_ref().map(|Json(value)| sorted(value).to_string().into_bytes());
    let id = |id: &Option<Uuid>| id.map(|id| id.as_bytes().to_vec());
    let text = |text: &str| Some(text.as_bytes().to_vec());
    let maybe = |text: &Option<String>| text.as_ref().map(|text| text.as_bytes().to_vec());
    let columns = [
        text(&row.seq.to_string()),
        text(&row.at.to_string()),
        text(&row.use_case),
        text(&row.action),
        text(&row.entity),
        text(&row.entity_id),
        text(&row.details),
        json(&row.before_value),
        json(&row.after_value),
        text(&row.actor_role),
        id(&row.actor_id),
        maybe(&row.actor_name),
        id(&row.terminal_id),
        id(&row.override_by),
        maybe(&row.reason),
    ];
    for column in columns {
        match column {
            None => hash.update([0]),
            Some(bytes) => {
                hash.update([1]);
                hash.update((bytes.len() as u64).to_be_bytes());
                hash.update(&bytes);
            }
        }
    }
}

/// The same value with the keys of every object in order, whatever order the database gave back.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(values) => values.iter().map(sorted).collect(),
        Value::Object(entries) => {
            let mut keys: Vec<_> = entries.iter().collect();
            keys.sort_by_key(|(key, _)| *key);
            keys.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect()
        }
        other => other.clone(),
    }
}

/// Seals the rows after the last seal up to the number `up_to`; how many, 0 when there is none.
///
/// # Errors
/// [`StoreError::Duplicate`] when another process sealed first; any other of the statements.
pub async fn append(tx: &mut Tx, site: &str, up_to: i64, now: Timestamp) -> Result<i64, StoreError> {
    let last: Option<SealRow> = fetch_optional!(tx, SealRow, LAST_SEAL, site)?;
    let (seq, from, previous) = last.map_or((1, 0, FIRST.to_vec()), |last| (last.seq + 1, last.to_seq + 1, last.hash));
    let rows = rows_between(tx, site, from, up_to).await?;
    let (Some(first), Some(newest)) = (rows.first(), rows.last()) else { return Ok(0) };
    let previous_hash = Hash::try_from(previous.as_slice())
        .map_err(|_| StoreError::Fault("the hash of a seal has not 32 bytes".to_owned()))?;
    let hash = chain(&previous_hash, &rows);
    let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    execute!(tx, SEAL, site, seq, first.seq, newest.seq, count, previous, &hash[..], now.0)?;
    Ok(count)
}

/// The rows from one number to another, both included.
async fn rows_between(tx: &mut Tx, site: &str, from: i64, to: i64) -> Result<Vec<SealedRow>, StoreError> {
    let sql = if tx.is_postgres() { POSTGRES_ROWS } else { SQLITE_ROWS };
    fetch_all!(tx, SealedRow, sql, site, from, to)
}

/// Goes through every seal in order. Where an archive run took the rows under a seal, all of them are gone. They are proved from the archive's file (`archive/proof.rs`).
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn verify(tx: &mut Tx, site: &str) -> Result<Verified, StoreError> {
    let archived: Vec<(i64,)> = fetch_all!(tx, (i64,), ARCHIVED, site)?;
    let archived: std::collections::BTreeSet<i64> = archived.into_iter().map(|(seal,)| seal).collect();
    let seals: Vec<SealRow> = fetch_all!(tx, SealRow, SEALS, site)?;
    let mut found = Verified::default();
    let (mut expected_seq, mut after, mut previous) = (1, i64::MIN, FIRST.to_vec());
    for seal in &seals {
        // Between two seals there is nothing: a row there would have slipped in after its neighbours.
        let rows = rows_between(tx, site, after, seal.to_seq).await?;
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let wrong = if seal.seq != expected_seq || seal.previous_hash != previous {
            Some("does not follow the one before it".to_owned())
        } else if archived.contains(&seal.seq) {
            (count > 0).then(|| format!("was archived, and {count} of its rows are still there"))
        } else if let Some(early) = rows.iter().find(|row| row.seq < seal.from_seq) {
            Some(format!("leaves out audit row {}", early.seq))
        } else if count != seal.row_count {
            Some(format!("covers {} rows, {count} are there", seal.row_count))
        } else if Hash::try_from(previous.as_slice()).is_ok_and(|previous| chain(&previous, &rows)[..] != seal.hash) {
            Some(format!("does not fit audit rows {} to {}", seal.from_seq, seal.to_seq))
        } else {
            None
        };
        if let Some(wrong) = wrong {
            found.violation = Some(format!("seal {} {wrong}", seal.seq));
            found.broken = Some((seal.from_seq, seal.to_seq));
            break;
        }
        found.sealed += count;
        expected_seq = seal.seq + 1;
        after = seal.to_seq + 1;
        previous.clone_from(&seal.hash);
    }
    let sealed_to = seals.last().map_or(i64::MIN, |seal| seal.to_seq);
    let beyond = if tx.is_postgres() { POSTGRES_BEYOND } else { SQLITE_BEYOND };
    (found.unsealed,) = fetch_one!(tx, (i64,), beyond, site, sealed_to)?;
    Ok(found)
}

/// As [`verify`], for an archive's file: it has every seal, and of the rows those that were moved to it. The chain of
/// the seals is whole, and a seal of which any row is here fits all of its rows.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn verify_copy(tx: &mut Tx, site: &str) -> Result<Verified, StoreError> {
    let seals: Vec<SealRow> = fetch_all!(tx, SealRow, SEALS, site)?;
    let mut found = Verified::default();
    let (mut after, mut previous) = (i64::MIN, FIRST.to_vec());
    for (expected_seq, seal) in (1_i64..).zip(&seals) {
        let rows = rows_between(tx, site, after, seal.to_seq).await?;
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let fits =
            || Hash::try_from(previous.as_slice()).is_ok_and(|previous| chain(&previous, &rows)[..] == seal.hash);
        let wrong = if seal.seq != expected_seq || seal.previous_hash != previous {
            Some("does not follow the one before it".to_owned())
        } else if count > 0 && (count != seal.row_count || !fits()) {
            Some(format!("does not fit audit rows {} to {}", seal.from_seq, seal.to_seq))
        } else {
            None
        };
        if let Some(wrong) = wrong {
            found.violation = Some(format!("seal {} {wrong}", seal.seq));
            found.broken = Some((seal.from_seq, seal.to_seq));
            return Ok(found);
        }
        found.sealed += count;
        after = seal.to_seq.saturating_add(1);
        previous.clone_from(&seal.hash);
    }
    let (beyond,): (i64,) = fetch_one!(tx, (i64,), SQLITE_BEYOND, site, after.saturating_sub(1))?;
    if beyond > 0 {
        found.violation = Some(format!("{beyond} audit rows stand under no seal"));
    }
    Ok(found)
}

/// The hash of every seal, by its number.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn hashes(tx: &mut Tx, site: &str) -> Result<std::collections::BTreeMap<i64, Vec<u8>>, StoreError> {
    let seals: Vec<SealRow> = fetch_all!(tx, SealRow, SEALS, site)?;
    Ok(seals.into_iter().map(|seal| (seal.seq, seal.hash)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(seq: i64) -> SealedRow {
        SealedRow {
            seq,
            at: 5,
            use_case: "place".to_owned(),
            action: "CREATE".to_owned(),
            entity: "Order".to_owned(),
            entity_id: "1".to_owned(),
            details: "placed".to_owned(),
            before_value: None,
            after_value: Some(Json(json!({"b": [1, {"d": 1, "c": 2}], "a": 2}))),
            actor_role: "customer".to_owned(),
            actor_id: None,
            actor_name: None,
            terminal_id: None,
            override_by: None,
            reason: None,
        }
    }

    #[test]
    fn every_column_counts_and_none_runs_into_the_next() {
        let base = chain(&FIRST, &[row(1)]);
        let changes: [fn(&mut SealedRow); 8] = [
            |row| row.seq = 2,
            |row| row.at = 6,
            |row| (row.action, row.entity) = ("CREATEO".to_owned(), "rder".to_owned()),
            |row| row.details.push('.'),
            |row| row.before_value = Some(Json(json!(null))),
            |row| row.actor_id = Some(Uuid::nil()),
            |row| (row.actor_name, row.terminal_id) = (Some(String::new()), None),
            |row| row.reason = Some("why".to_owned()),
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut changed = row(1);
            change(&mut changed);
            assert_ne!(chain(&FIRST, &[changed]), base, "change {number}");
        }
        assert_ne!(chain(&base, &[row(1)]), base, "what came before counts");
        assert_ne!(chain(&FIRST, &[row(1), row(2)]), chain(&FIRST, &[row(2), row(1)]));
    }

    #[test]
    fn the_form_is_fixed_for_ever() {
        // Computed outside of this program. A change of this value breaks every seal ever written.
        let hash = chain(&FIRST, &[row(1)]);
        let text: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, "6f8ac5928f1363a50408f8fb57637595b8e2b85fc7ef35899333fcd61a08455d");
    }
}
