//! How far the audit log may be sealed. The seals themselves, their form and their proof stand in
//! `seal.rs`; when to seal is the worker's decision.
//!
//! On Postgres a lower number may be committed after a higher one. A writer takes its lock on the table
//! before it is given a number and keeps it until its transaction has ended: so when every transaction
//! that held such a lock after a number was seen has ended, no lower number can come any more.

use super::{StoreError, Tx};
use crate::domain::time::Timestamp;

/// The rows after the last seal, as far as they were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
struct TailRow {
    to_seq: Option<i64>,
    oldest: Option<i64>,
    row_count: i64,
}

/// The beginning of what no seal covers yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail {
    /// The highest number of it.
    pub to_seq: i64,
    /// When its oldest row was written.
    pub oldest: Timestamp,
    /// How many rows it has.
    pub rows: i64,
}

const POSTGRES_TAIL: &str = "SELECT MAX(seq) AS to_seq, MIN(at) AS oldest, CAST(COUNT(*) AS BIGINT) AS row_count \
     FROM (SELECT seq, at FROM audit_log WHERE site_id = $1 \
     AND seq > COALESCE((SELECT MAX(to_seq) FROM audit_seals WHERE site_id = $1), -1) ORDER BY seq LIMIT $2) AS tail";
// From the last seal on, by number: SQLite would rather read the whole history along another index.
const SQLITE_TAIL: &str = "SELECT MAX(seq) AS to_seq, MIN(at) AS oldest, COUNT(*) AS row_count \
     FROM (SELECT seq, at FROM audit_log NOT INDEXED WHERE site_id = $1 \
     AND seq > COALESCE((SELECT MAX(to_seq) FROM audit_seals WHERE site_id = $1), -1) ORDER BY seq LIMIT $2) AS tail";
const POSTGRES_WRITERS: &str = "SELECT DISTINCT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND granted \
     AND mode = 'RowExclusiveLock' AND relation = CAST(to_regclass('audit_log') AS OID) \
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// The first rows, `limit` at most, that no seal covers yet.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn tail(tx: &mut Tx, site: &str, limit: i64) -> Result<Option<Tail>, StoreError> {
    let sql = if tx.is_postgres() { POSTGRES_TAIL } else { SQLITE_TAIL };
    let row = fetch_one!(tx, TailRow, sql, site, limit)?;
    Ok(row.to_seq.zip(row.oldest).map(|(to_seq, oldest)| Tail {
        to_seq,
        oldest: Timestamp(oldest),
        rows: row.row_count,
    }))
}

/// The transactions that may still commit a number lower than one that was seen before this call. Each
/// name is used once. None on SQLite, where writers come one after the other.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn writers(tx: &mut Tx) -> Result<Vec<String>, StoreError> {
    if !tx.is_postgres() {
        return Ok(Vec::new());
    }
    let rows: Vec<(String,)> = fetch_all!(tx, (String,), POSTGRES_WRITERS)?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}
