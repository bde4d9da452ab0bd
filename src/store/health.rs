//! What Health reads of the store: the lease and since when it is held, the outbox's oldest event, the
//! open attempts and what gateways last answered, doctor's last run, the last backup that succeeded,
//! today's numbers, the time of a round trip, and the room on the disk. And the one row that it writes:
//! the state of a gateway. What of it is a concern is the service's to say.

use super::doctor::Check;
use super::{Store, StoreError, Tx};
use crate::domain::time::Timestamp;
use sqlx::types::Json;
use std::path::Path;
use std::time::{Duration, Instant};

/// A lease with the instant since which its holder has it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct LeaseSince {
    pub holder: String,
    pub fence: i64,
    pub acquired_at: i64,
    pub renewed_at: i64,
    pub expires_at: i64,
}

/// The attempts of one method that wait for something.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct OpenAttempts {
    /// How it is paid.
    pub method: String,
    /// Attempts that are not decided yet.
    pub open: i64,
    /// Of these, those whose answer never came.
    pub unknown: i64,
}

/// What is known of a gateway.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct GatewayState {
    pub gateway: String,
    pub last_ok_at: Option<i64>,
    pub last_error_at: Option<i64>,
    pub last_error: Option<String>,
}

/// A run of doctor that came to its end.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct DoctorRun {
    pub started_at: i64,
    pub finished_at: i64,
    pub healthy: bool,
    pub violations: Json<Vec<Check>>,
    pub unsealed_audit_rows: i64,
}

/// A backup that succeeded.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct GoodBackup {
    pub file_name: String,
    pub size_bytes: i64,
    pub finished_at: i64,
}

/// So many of one kind.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Count {
    /// The kind.
    pub kind: String,
    /// Its part.
    pub part: String,
    /// How many.
    pub rows: i64,
}

/// The room on a file system, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// What this process may still write.
    pub free_bytes: u64,
    /// All of it.
    pub size_bytes: u64,
}

const LEASE_SINCE: &str = "SELECT holder, fence, acquired_at, renewed_at, expires_at FROM worker_lease \
     WHERE site_id = $1 AND name = $2";
// A parked event waits for a person, not for the worker.
const OLDEST_EVENT: &str =
    "SELECT MIN(created_at) FROM outbox WHERE site_id = $1 AND sent_at IS NULL AND parked_at IS NULL";
const OPEN_ATTEMPTS: &str = "SELECT method, COUNT(*) AS open, CAST(SUM(CASE WHEN unknown THEN 1 ELSE 0 END) AS BIGINT) \
     AS unknown FROM payment_attempts WHERE site_id = $1 AND status IN ('created', 'authorized') \
     GROUP BY method ORDER BY method";
const UNRESOLVED: &str = "SELECT method AS kind, 'unresolved' AS part, COUNT(*) AS rows FROM payment_attempts \
     WHERE site_id = $1 AND unresolved GROUP BY method ORDER BY method";
const PENDING_REFUNDS: &str = "SELECT method AS kind, 'pending' AS part, COUNT(*) AS rows FROM refunds \
     WHERE site_id = $1 AND status = 'pending' GROUP BY method ORDER BY method";
const GATEWAYS: &str =
    "SELECT gateway, last_ok_at, last_error_at, last_error FROM gateway_states WHERE site_id = $1 ORDER BY gateway";
const GATEWAY_OK: &str = "INSERT INTO gateway_states (site_id, gateway, last_ok_at) VALUES ($1, $2, $3) \
     ON CONFLICT (site_id, gateway) DO UPDATE SET last_ok_at = excluded.last_ok_at";
const GATEWAY_ERROR: &str = "INSERT INTO gateway_states (site_id, gateway, last_error_at, last_error) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (site_id, gateway) DO UPDATE SET last_error_at = excluded.last_error_at, \
     last_error = excluded.last_error";
const LAST_DOCTOR: &str = "SELECT started_at, finished_at, healthy, violations, unsealed_audit_rows FROM doctor_runs \
     WHERE site_id = $1 AND finished_at IS NOT NULL AND healthy IS NOT NULL AND unsealed_audit_rows IS NOT NULL \
     ORDER BY started_at DESC, id DESC LIMIT 1";
const LAST_GOOD_BACKUP: &str = "SELECT file_name, size_bytes, finished_at FROM backups WHERE site_id = $1 \
     AND finished_at IS NOT NULL AND size_bytes IS NOT NULL AND error IS NULL ORDER BY started_at DESC, id DESC LIMIT 1";
const ORDERS_OF_DAY: &str = "SELECT status AS kind, '' AS part, COUNT(*) AS rows FROM orders \
     WHERE site_id = $1 AND business_date = $2 AND NOT training GROUP BY status ORDER BY status";
const ATTEMPTS_OF_DAY: &str = "SELECT a.method AS kind, CASE WHEN a.unknown THEN 'unknown' WHEN a.unresolved THEN \
     'unresolved' WHEN a.stray THEN 'stray' WHEN a.status IN ('created', 'authorized') THEN 'open' ELSE a.status END \
     AS part, COUNT(*) AS rows FROM orders o JOIN payment_attempts a ON a.site_id = o.site_id AND a.order_id = o.id \
     WHERE o.site_id = $1 AND o.business_date = $2 AND NOT o.training GROUP BY kind, part ORDER BY kind, part";
const LOW_STOCK: &str = "SELECT COUNT(*) FROM stock_items WHERE site_id = $1 AND active AND tracked \
     AND on_hand - reserved <= low_mark";
const ROUND_TRIP: &str = "SELECT CAST(1 AS BIGINT)";

/// The lease of this name, if anyone ever held it.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn lease_since(tx: &mut Tx, site: &str, name: &str) -> Result<Option<LeaseSince>, StoreError> {
    fetch_optional!(tx, LeaseSince, LEASE_SINCE, site, name)
}

/// When the oldest event that still waits for delivery was told.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn oldest_event(tx: &mut Tx, site: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(fetch_one!(tx, (Option<i64>,), OLDEST_EVENT, site)?.0.map(Timestamp))
}

/// The open attempts of each method that has some.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn open_attempts(tx: &mut Tx, site: &str) -> Result<Vec<OpenAttempts>, StoreError> {
    fetch_all!(tx, OpenAttempts, OPEN_ATTEMPTS, site)
}

/// Attempts of each method that were given up without an answer.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn unresolved_attempts(tx: &mut Tx, site: &str) -> Result<Vec<Count>, StoreError> {
    fetch_all!(tx, Count, UNRESOLVED, site)
}

/// Refunds of each method that are on their way.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn pending_refunds(tx: &mut Tx, site: &str) -> Result<Vec<Count>, StoreError> {
    fetch_all!(tx, Count, PENDING_REFUNDS, site)
}

/// What is known of each gateway that was ever called.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn gateways(tx: &mut Tx, site: &str) -> Result<Vec<GatewayState>, StoreError> {
    fetch_all!(tx, GatewayState, GATEWAYS, site)
}

/// Notes that a gateway answered, or why it did not.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn note_gateway(
    tx: &mut Tx,
    site: &str,
    gateway: &str,
    outcome: Result<(), &str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    match outcome {
        Ok(()) => execute!(tx, GATEWAY_OK, site, gateway, now.0)?,
        Err(why) => execute!(tx, GATEWAY_ERROR, site, gateway, now.0, why)?,
    };
    Ok(())
}

/// The last run of doctor, whoever asked for it.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn last_doctor(tx: &mut Tx, site: &str) -> Result<Option<DoctorRun>, StoreError> {
    fetch_optional!(tx, DoctorRun, LAST_DOCTOR, site)
}

/// The last backup that succeeded.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn last_good_backup(tx: &mut Tx, site: &str) -> Result<Option<GoodBackup>, StoreError> {
    fetch_optional!(tx, GoodBackup, LAST_GOOD_BACKUP, site)
}

/// The orders of a business day by status (`kind`), without those of training.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn orders_of_day(tx: &mut Tx, site: &str, business_date: &str) -> Result<Vec<Count>, StoreError> {
    fetch_all!(tx, Count, ORDERS_OF_DAY, site, business_date)
}

/// The attempts for the orders of a business day by method (`kind`) and outcome (`part`).
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn attempts_of_day(tx: &mut Tx, site: &str, business_date: &str) -> Result<Vec<Count>, StoreError> {
    fetch_all!(tx, Count, ATTEMPTS_OF_DAY, site, business_date)
}

/// How many stock items are low.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn low_stock(tx: &mut Tx, site: &str) -> Result<i64, StoreError> {
    Ok(fetch_one!(tx, (i64,), LOW_STOCK, site)?.0)
}

/// How long the store takes to answer the smallest question, on a connection that is open already.
///
/// # Errors
/// As [`Store::read`], and any [`StoreError`] of the statement.
pub async fn round_trip(store: &Store) -> Result<Duration, StoreError> {
    let mut tx = store.read().await?;
    // Once before, so that neither preparing nor a connection that had slept counts.
    fetch_one!(&mut tx, (i64,), ROUND_TRIP)?;
    let asked = Instant::now();
    fetch_one!(&mut tx, (i64,), ROUND_TRIP)?;
    let took = asked.elapsed();
    tx.rollback().await?;
    Ok(took)
}

/// The room on the file system of an SQLite store; none for a store elsewhere, or where the system does
/// not tell.
#[must_use]
pub fn disk_space(store: &Store) -> Option<DiskSpace> {
    let path = store.sqlite_path()?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let found = rustix::fs::statvfs(folder).inspect_err(|error| tracing::debug!(%error, "no word on the disk")).ok()?;
    Some(DiskSpace {
        free_bytes: found.f_bavail.saturating_mul(found.f_frsize),
        size_bytes: found.f_blocks.saturating_mul(found.f_frsize),
    })
}
