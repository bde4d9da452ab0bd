//! What a look at the store sees, and whether it differs from the look before by more than the renewals of
//! the worker's lease: those come every few seconds, change nothing that a screen shows, and would make
//! every screen of the house read again what it shows. When to look is the change feed's business.
//!
//! SQLite: every transaction of the house but a renewal takes a number of the audit log or the outbox, or
//! else raises `PRAGMA user_version` as it commits (`tx.rs`). Postgres: every transaction that writes takes a number, and the row of a lease says which
//! number renewed it last.

use super::StoreError;
use super::statements::note;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Executor, Postgres};
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// A store that does not answer a look in this time is away.
const ANSWER: Duration = Duration::from_secs(1);
/// SQLite: renewals are left untold for so long at most. A tool past the program may write in the very
/// instant of one, and is not counted.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

const SQLITE_VERSION: &str = "PRAGMA data_version";
// Numbers of these tables are never given twice, so that the sum rises with each commit that is told.
const SQLITE_MARKS: &str = "SELECT CAST(user_version AS BIGINT) + (SELECT CAST(COALESCE(SUM(seq), 0) AS BIGINT) \
     FROM sqlite_sequence WHERE name IN ('audit_log', 'outbox')), \
     (SELECT CAST(COALESCE(SUM(renewed_at), 0) AS BIGINT) FROM worker_lease) FROM pragma_user_version";
// A row whose last writer took or gave back the lease has both instants alike: that is worth telling.
const POSTGRES_GLANCE: &str = "SELECT CAST(pg_current_snapshot() AS TEXT), \
     ARRAY(SELECT CAST(CAST(xmin AS TEXT) AS BIGINT) FROM worker_lease WHERE renewed_at <> acquired_at)";

/// Bounds a step in time and sorts its error.
pub(super) async fn within<T>(
    limit: Duration,
    step: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, StoreError> {
    match timeout(limit, step).await {
        Ok(result) => result.map_err(StoreError::from),
        Err(_) => Err(StoreError::Unavailable("the store did not answer the change feed in time".to_owned())),
    }
}

/// An answer, or none while a checkpoint or a recovery holds the file for a moment: no reason to say that
/// the store is away.
fn unless_held<T>(answer: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(StoreError::Retry(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What the last look at an SQLite file saw, through a connection of its own.
#[derive(Debug)]
pub struct SqliteGlance {
    connection: SqliteConnection,
    version: Option<i64>,
    marks: Option<(i64, i64)>,
    told: Instant,
}

impl SqliteGlance {
    /// A first look, through a connection that is used for nothing else.
    ///
    /// # Errors
    /// Any [`StoreError`] of the statements.
    pub async fn first(connection: SqliteConnection) -> Result<Self, StoreError> {
        let mut glance = Self { connection, version: None, marks: None, told: Instant::now() };
        glance.look().await?;
        Ok(glance)
    }

    /// Looks again: whether anything was committed since the last look that is worth telling.
    ///
    /// # Errors
    /// Any [`StoreError`] of the statements.
    pub async fn look(&mut self) -> Result<bool, StoreError> {
        let connection = &mut self.connection;
        let version = sqlx::query_scalar(note(SQLITE_VERSION)).fetch_one(&mut *connection);
        let version: Option<i64> = unless_held(within(ANSWER, version).await)?;
        if version.is_some() && version == self.version {
            return Ok(false);
        }
        // After the version: what is committed in between is told now, and perhaps once more.
        let marks = sqlx::query_as(note(SQLITE_MARKS)).fetch_one(connection);
        let marks: Option<(i64, i64)> = unless_held(within(ANSWER, marks).await)?;
        let only_renewed = matches!((self.marks, marks), (Some((commits, renewed)), Some((commits_now, renewed_now)))
            if commits == commits_now && renewed != renewed_now);
        (self.version, self.marks) = (version, marks);
        if only_renewed && self.told.elapsed() < LONGEST_SILENCE {
            return Ok(false);
        }
        self.told = Instant::now();
        Ok(true)
    }
}

/// What a look at a Postgres server saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresGlance {
    /// The snapshot of the server in its own words: the lowest number that runs, the next one to be given,
    /// and the numbers between them that run.
    snapshot: String,
    /// The numbers under which leases were renewed last, without their epoch.
    renewals: Vec<i64>,
}

impl PostgresGlance {
    /// Looks at the server.
    ///
    /// # Errors
    /// Any [`StoreError`] of the statement.
    pub async fn look<'c>(server: impl Executor<'c, Database = Postgres>) -> Result<Self, StoreError> {
        let row = sqlx::query_as(note(POSTGRES_GLANCE)).fetch_one(server);
        let (snapshot, renewals) = within(ANSWER, row).await?;
        Ok(Self { snapshot, renewals })
    }

    /// Whether anything may have been committed since `before` that is worth telling.
    #[must_use]
    pub fn tells_more_than(&self, before: &Self) -> bool {
        if self.snapshot == before.snapshot {
            return false;
        }
        match (before.quiet_at(), self.quiet_at()) {
            (Some(from), Some(to)) => {
                // A lease is renewed once in a while; where more numbers were given, it was not that alone.
                let given = to.saturating_sub(from);
                let is_renewal = |number: i64| self.renewals.contains(&(number & 0xFFFF_FFFF));
                given <= 0 || given > i64::try_from(self.renewals.len()).unwrap_or(0) || !(from..to).all(is_renewal)
            }
            _ => true,
        }
    }

    /// The next number to be given, where nothing that writes runs.
    fn quiet_at(&self) -> Option<i64> {
        let mut parts = self.snapshot.split(':');
        let (lowest, next, running) = (parts.next()?, parts.next()?, parts.next()?);
        if lowest == next && running.is_empty() { next.parse().ok() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;
    use crate::store::lease::{self, WORKER};
    use crate::store::{Options, Store, StoreUrl};
    use sqlx::Connection as _;

    #[tokio::test]
    async fn on_sqlite_all_but_a_renewal_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("servery.db");
        let store = Store::open(&StoreUrl::Sqlite(path.clone()), Options::default()).await.expect("a store");
        let address = path.display().to_string();
        let mut past = SqliteConnection::connect(&address).await.expect("a connection past the program");
        let mut glance = SqliteGlance::first(SqliteConnection::connect(&address).await.expect("a connection"))
            .await
            .expect("a look");
        assert!(!glance.look().await.expect("a look"), "nothing was committed");

        let mut tx = store.write().await.expect("a transaction");
        let held = lease::take(&mut tx, "main", WORKER, "me", 9, Timestamp(1)).await.expect("asked").expect("free");
        tx.commit().await.expect("committed");
        assert!(glance.look().await.expect("a look"), "another leads");

        let renew = async |at: i64| {
            let mut tx = store.write_untold().await.expect("a transaction");
            assert!(lease::renew(&mut tx, "main", &held, Timestamp(at)).await.expect("asked"));
            tx.commit().await.expect("committed");
        };
        let work = async || {
            let mut tx = store.write().await.expect("a transaction");
            assert!(lease::hold(&mut tx, "main", &held).await.expect("asked"));
            tx.commit().await.expect("committed");
        };
        for at in 2..5 {
            renew(at).await;
            assert!(!glance.look().await.expect("a look"), "only renewed");
        }
        work().await;
        assert!(glance.look().await.expect("a look"));
        renew(6).await;
        work().await;
        renew(7).await;
        assert!(glance.look().await.expect("a look"), "work between two renewals");
        assert!(!glance.look().await.expect("a look"), "told once");
        past.execute("UPDATE worker_lease SET holder = 'nobody'").await.expect("a write past the program");
        assert!(glance.look().await.expect("a look"));
    }

    #[tokio::test]
    async fn on_sqlite_the_silence_has_an_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("servery.db");
        let store = Store::open(&StoreUrl::Sqlite(path.clone()), Options::default()).await.expect("a store");
        let connection = SqliteConnection::connect(&path.display().to_string()).await.expect("a connection");
        let mut tx = store.write().await.expect("a transaction");
        let held = lease::take(&mut tx, "main", WORKER, "me", 9, Timestamp(1)).await.expect("asked").expect("free");
        tx.commit().await.expect("committed");
        let mut glance = SqliteGlance::first(connection).await.expect("a look");
        glance.told = glance.told.checked_sub(LONGEST_SILENCE).expect("the clock of the machine ran for a minute");
        let mut tx = store.write_untold().await.expect("a transaction");
        assert!(lease::renew(&mut tx, "main", &held, Timestamp(2)).await.expect("asked"));
        tx.commit().await.expect("committed");
        assert!(glance.look().await.expect("a look"));
    }

    fn seen(snapshot: &str, renewals: &[i64]) -> PostgresGlance {
        PostgresGlance { snapshot: snapshot.to_owned(), renewals: renewals.to_vec() }
    }

    #[test]
    fn on_postgres_all_but_a_renewal_is_told() {
        let before = seen("700:700:", &[650]);
        assert!(!seen("700:700:", &[650]).tells_more_than(&before), "nothing was written");
        assert!(!seen("701:701:", &[700]).tells_more_than(&before), "one lease was renewed");
        assert!(!seen("702:702:", &[701, 700]).tells_more_than(&before), "two were");
        assert!(seen("701:701:", &[650]).tells_more_than(&before), "something else was written");
        assert!(seen("702:702:", &[700]).tells_more_than(&before), ".. beside a renewal");
        assert!(seen("702:702:", &[701]).tells_more_than(&before));
        assert!(seen("700:702:700", &[701]).tells_more_than(&before), "something runs that may have been seen half");
        assert!(seen("702:702:", &[701, 650]).tells_more_than(&seen("700:701:700", &[650])));
        assert!(seen("600:600:", &[650]).tells_more_than(&before), "another server");
        assert!(seen("9000000:9000000:", &[650]).tells_more_than(&before));
        assert!(seen("?", &[650]).tells_more_than(&before));
        let epoch = 1_i64 << 32;
        let (from, to) = (format!("{0}:{0}:", epoch + 5), format!("{0}:{0}:", epoch + 6));
        assert!(!seen(&to, &[5]).tells_more_than(&seen(&from, &[4])), "a row keeps its number without the epoch");
    }
}
