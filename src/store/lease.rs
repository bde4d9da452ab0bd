//! The rows of the worker's lease: who leads, with which fence, until when. When one is asked for or
//! renewed is the worker's decision.
//!
//! Every batch of a worker locks the row in its own transaction ([`hold`]): a holder that was frozen
//! and thaws finds a higher fence there and keeps nothing, and nobody takes over in the middle of one. Only
//! [`renew`] writes `renewed_at` alone: by that the change feed knows a renewal and tells nobody.

use super::rows::hit_one;
use super::{StoreError, Tx};
use crate::domain::time::{MICROS, Timestamp};
use serde::{Deserialize, Serialize};

/// The lease under which timers, deliveries and the resolver run.
pub const WORKER: &str = "worker";

/// A lease that was won, as its holder knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Which lease.
    pub name: String,
    /// The holder: unique for each start of a worker.
    pub holder: String,
    /// Rises with every new holder.
    pub fence: i64,
    /// How long it lasts without renewal, in seconds.
    pub seconds: i64,
}

/// A lease as it stands in the store.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct LeaseRow {
    /// The holder.
    pub holder: String,
    /// Rises with every new holder.
    pub fence: i64,
    /// When it was last renewed (microseconds).
    pub renewed_at: i64,
    /// Until when it lasts (microseconds).
    pub expires_at: i64,
}

impl LeaseRow {
    /// Whether another may take it. A renewal that lies further ahead than a lease lasts was written
    /// under a clock that has been set back since; its holder would have renewed it by now.
    #[must_use]
    pub const fn is_free(&self, now: Timestamp, seconds: i64) -> bool {
        self.expires_at <= now.0 || self.renewed_at > now.plus_seconds(seconds).0
    }
}

const FIND: &str = "SELECT holder, fence, renewed_at, expires_at FROM worker_lease WHERE site_id = $1 AND name = $2";
const TAKE: &str = "INSERT INTO worker_lease (site_id, name, holder, fence, acquired_at, renewed_at, expires_at) \
     VALUES ($1, $2, $3, 1, $4, $4, $5) ON CONFLICT (site_id, name) DO UPDATE SET holder = excluded.holder, \
     fence = worker_lease.fence + 1, acquired_at = excluded.acquired_at, renewed_at = excluded.renewed_at, \
     expires_at = excluded.expires_at WHERE worker_lease.expires_at <= $4 OR worker_lease.renewed_at > $5 \
     RETURNING fence";
const RENEW: &str = "UPDATE worker_lease SET renewed_at = $5, expires_at = $6 \
     WHERE site_id = $1 AND name = $2 AND holder = $3 AND fence = $4";
// A transaction that writes is alone on SQLite: to look is to hold.
const SQLITE_HOLD: &str = "SELECT fence FROM worker_lease \
     WHERE site_id = $1 AND name = $2 AND holder = $3 AND fence = $4";
const POSTGRES_HOLD: &str = "SELECT fence FROM worker_lease \
     WHERE site_id = $1 AND name = $2 AND holder = $3 AND fence = $4 FOR UPDATE";
// No renewal, and not to be taken for one.
const RELEASE: &str = "UPDATE worker_lease SET expires_at = $5, renewed_at = acquired_at \
     WHERE site_id = $1 AND name = $2 AND holder = $3 AND fence = $4 AND expires_at > $5";

/// The lease, if anyone ever held it.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn find(tx: &mut Tx, site: &str, name: &str) -> Result<Option<LeaseRow>, StoreError> {
    fetch_optional!(tx, LeaseRow, FIND, site, name)
}

/// Takes the lease for `seconds`, if it is free ([`LeaseRow::is_free`]); `None` while another holds it.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn take(
    tx: &mut Tx,
    site: &str,
    name: &str,
    holder: &str,
    seconds: i64,
    now: Timestamp,
) -> Result<Option<Held>, StoreError> {
    let until = now.0.saturating_add(seconds.saturating_mul(MICROS));
    let won: Option<(i64,)> = fetch_optional!(tx, (i64,), TAKE, site, name, holder, now.0, until)?;
    Ok(won.map(|(fence,)| Held { name: name.to_owned(), holder: holder.to_owned(), fence, seconds }))
}

/// Keeps others from taking the lease until this transaction, which writes, ends; `false` when it is
/// another's by now, and then nothing of this transaction may be kept. Does not renew it.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn hold(tx: &mut Tx, site: &str, held: &Held) -> Result<bool, StoreError> {
    let sql = if tx.is_postgres() { POSTGRES_HOLD } else { SQLITE_HOLD };
    let ours: Option<(i64,)> = fetch_optional!(tx, (i64,), sql, site, &held.name, &held.holder, held.fence)?;
    Ok(ours.is_some())
}

/// Renews the lease; `false` when it is another's by now. Belongs into a transaction of its own
/// ([`super::Store::write_untold`]): nothing else of it would be told.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn renew(tx: &mut Tx, site: &str, held: &Held, now: Timestamp) -> Result<bool, StoreError> {
    let until = now.plus_seconds(held.seconds);
    hit_one(execute!(tx, RENEW, site, &held.name, &held.holder, held.fence, now.0, until.0)?)
}

/// Gives the lease back, so that another need not wait for its end; `false` when it was another's.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn release(tx: &mut Tx, site: &str, held: &Held, now: Timestamp) -> Result<bool, StoreError> {
    hit_one(execute!(tx, RELEASE, site, &held.name, &held.holder, held.fence, now.0)?)
}
