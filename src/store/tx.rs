//! One transaction, on either database, and the macros by which the files of this folder run a
//! statement in it.
//!
//! Rules that hold by construction: a transaction cannot begin another (there is no such method);
//! after the first error nothing more runs in it and it cannot be committed; a statement that does
//! not answer in time closes its connection instead of giving it back.

use super::StoreError;
use super::lock::LockGuard;
use crate::domain::time::{Clock, Timestamp};
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, Connection as _, Postgres, Sqlite, SqliteConnection};
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Runs one SQL text with its binds on the transaction's connection.
macro_rules! on_connection {
    ($tx:expr, $connection:ident, $run:expr) => {{
        let tx: &mut $crate::store::tx::Tx = $tx;
        match tx.check() {
            Err(error) => Err(error),
            Ok(()) => {
                let deadline = tx.deadline;
                let result = match &mut tx.connection {
                    Some($crate::store::tx::Connection::Sqlite(connection)) => {
                        let $connection = &mut **connection;
                        $crate::store::tx::within(deadline, $run).await
                    }
                    Some($crate::store::tx::Connection::Postgres(connection)) => {
                        let $connection = &mut **connection;
                        $crate::store::tx::within(deadline, $run).await
                    }
                    None => $crate::store::tx::over(),
                };
                tx.note(result)
            }
        }
    }};
}

/// `execute!(tx, SQL, binds…)`: how many rows it hit.
macro_rules! execute {
    ($tx:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        on_connection!($tx, connection, async {
            sqlx::query($crate::store::statements::note($sql))$(.bind($bind))*.execute(connection).await.map(|done| done.rows_affected())
        })
    };
}

/// `fetch_all!(tx, Row, SQL, binds…)`: every row.
macro_rules! fetch_all {
    ($tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        on_connection!($tx, connection, sqlx::query_as::<_, $row>($crate::store::statements::note($sql))$(.bind($bind))*.fetch_all(connection))
    };
}

/// `fetch_optional!(tx, Row, SQL, binds…)`: the one row, or none.
macro_rules! fetch_optional {
    ($tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        on_connection!($tx, connection, sqlx::query_as::<_, $row>($crate::store::statements::note($sql))$(.bind($bind))*.fetch_optional(connection))
    };
}

/// `fetch_one!(tx, Row, SQL, binds…)`: the one row; none is a fault.
macro_rules! fetch_one {
    ($tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        on_connection!($tx, connection, sqlx::query_as::<_, $row>($crate::store::statements::note($sql))$(.bind($bind))*.fetch_one(connection))
    };
}

/// The connection that a transaction runs on.
#[derive(Debug)]
pub(super) enum Connection {
    /// An SQLite connection.
    Sqlite(PoolConnection<Sqlite>),
    /// A Postgres connection.
    Postgres(PoolConnection<Postgres>),
}

/// A transaction. Dropped without [`Tx::commit`], nothing of it is kept.
///
/// There is no way to begin another inside of it:
/// ```compile_fail
/// async fn nested(tx: &mut servery::store::Tx) {
///     let _ = tx.write().await;
/// }
/// ```
#[derive(Debug)]
pub struct Tx {
    pub(super) connection: Option<Connection>,
    pub(super) deadline: Duration,
    failure: Option<StoreError>,
    /// Whether a statement began and nobody has waited for its end: its future may have been dropped.
    underway: bool,
    writer: Option<Writer>,
    statements: u64,
    health: Arc<Health>,
    /// Whether the change feed of SQLite is to hear of its commit.
    told: bool,
    /// Whether it will hear of it by a row that took a number, without a count of its own.
    numbered: bool,
}

/// What a writer on SQLite has besides its connection.
#[derive(Debug)]
pub(super) struct Writer {
    /// Given back last of all.
    #[expect(dead_code, reason = "held, not read")]
    pub(super) turn: LockGuard,
    pub(super) kept: Arc<Kept>,
    /// Whether its commit does not wait for the disk.
    pub(super) relaxed: bool,
}

/// The one connection of a process that writes to SQLite, between two transactions. Who has the lock takes it and
/// puts it back, which spares each transaction the pool's way (a task, and a question to the connection whether it
/// lives). It is here only when clean, without a transaction and with full durability.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Keeping>);

#[derive(Debug, Default)]
struct Keeping {
    connection: Option<PoolConnection<Sqlite>>,
    /// Whether the store is closing: the pool waits for a connection that is still out.
    ended: bool,
}

impl Kept {
    fn keeping(&self) -> MutexGuard<'_, Keeping> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes it, where it is.
    pub(super) fn take(&self) -> Option<PoolConnection<Sqlite>> {
        self.keeping().connection.take()
    }

    /// Keeps it; back to the pool with it when nobody will come for it any more.
    fn keep(&self, connection: PoolConnection<Sqlite>) {
        let mut keeping = self.keeping();
        if !keeping.ended {
            keeping.connection = Some(connection);
        }
    }

    /// Keeps nothing from now on: the pool is about to close, and waits for what is out.
    pub(super) fn end(&self) {
        let mut keeping = self.keeping();
        keeping.ended = true;
        drop(keeping.connection.take());
    }
}

/// A connection on its way to the pool needs a runtime, which the last owner of a store may have left behind.
impl Drop for Keeping {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(connection.detach());
        }
    }
}

/// What the transactions of one store learn about it, for those that come after them.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// A sync failed: nothing more is written.
    sync_failed: AtomicBool,
    /// When a connection was last lost; those that were idle then are lost as well.
    lost_at: Mutex<Option<Instant>>,
    /// Whether that was after it was last asked about ([`Health::take_loss`]).
    loss: AtomicBool,
}

impl Health {
    /// Notes what an error says about the store as a whole.
    pub(super) fn learn(&self, error: &StoreError) {
        match error {
            StoreError::SyncFailed(what) => {
                self.sync_failed.store(true, Ordering::SeqCst);
                tracing::error!(what, "the disk did not keep what was written: no more writes");
            }
            StoreError::Unavailable(_) => {
                *self.lost_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                self.loss.store(true, Ordering::Release);
            }
            _ => {}
        }
    }

    /// Refuses to write after a failed sync.
    pub(super) fn may_write(&self) -> Result<(), StoreError> {
        if self.sync_failed.load(Ordering::SeqCst) {
            return Err(StoreError::SyncFailed("an earlier write was not kept".to_owned()));
        }
        Ok(())
    }

    /// Whether a connection was lost since the last time this was asked.
    pub(super) fn take_loss(&self) -> bool {
        self.loss.swap(false, Ordering::AcqRel)
    }

    /// Whether a connection was lost after this one was last used.
    pub(super) fn lost_since(&self, idle_for: Duration) -> bool {
        let lost_at = *self.lost_at.lock().unwrap_or_else(PoisonError::into_inner);
        match (lost_at, Instant::now().checked_sub(idle_for)) {
            (Some(lost_at), Some(last_used)) => lost_at > last_used,
            _ => false,
        }
    }
}

impl Tx {
    /// Begins a transaction with the database's own words for it.
    pub(super) async fn begin(
        connection: Connection,
        writer: Option<Writer>,
        deadline: Duration,
        health: Arc<Health>,
        words: &'static str,
    ) -> Result<Self, StoreError> {
        // Made before the first word is sent: a begin that is cancelled closes its connection.
        let mut tx = Self {
            connection: Some(connection),
            deadline,
            failure: None,
            underway: false,
            writer,
            statements: 0,
            health,
            told: false,
            numbered: false,
        };
        tx.control(words).await?;
        Ok(tx)
    }

    /// The change feed of SQLite is to hear of this transaction's commit.
    pub(super) fn into_told(mut self) -> Self {
        self.told = true;
        self
    }

    /// A row of the audit log or the outbox took the next number of its table: the change feed looks at
    /// these numbers (`glance.rs`), so that nothing else has to be counted.
    pub(super) const fn took_a_number(&mut self) {
        self.numbered = true;
    }

    /// Counts this transaction among those that the change feed tells of; Postgres counts by itself.
    async fn count(&mut self) -> Result<(), StoreError> {
        if !self.told || self.numbered || self.is_postgres() {
            return Ok(());
        }
        const SQLITE_COMMITS: &str = "SELECT user_version FROM pragma_user_version";
        let (commits,): (i32,) = fetch_one!(self, (i32,), SQLITE_COMMITS)?;
        // Only that it differs matters. A pragma takes no binds.
        let raise = AssertSqlSafe(format!("PRAGMA user_version = {}", commits.wrapping_add(1)));
        on_connection!(self, connection, async { sqlx::raw_sql(raise).execute(connection).await.map(|_| ()) })
    }

    /// Whether this is Postgres; only the files of this folder ask.
    pub(super) const fn is_postgres(&self) -> bool {
        matches!(self.connection, Some(Connection::Postgres(_)))
    }

    /// How many statements ran so far, for the count of round trips.
    #[must_use]
    pub const fn statements(&self) -> u64 {
        self.statements
    }

    /// The error that ended this transaction, if one did.
    #[must_use]
    pub const fn failure(&self) -> Option<&StoreError> {
        self.failure.as_ref()
    }

    /// Notes that a conditional write came too late: the transaction is over, and the door tries the
    /// command again on what is there now.
    pub(super) fn lost_race(&mut self, what: &str) -> StoreError {
        let error = StoreError::Retry(what.to_owned());
        self.failure = Some(error.clone());
        error
    }

    /// The instant of this transaction: the database's clock on Postgres, `clock` on SQLite.
    ///
    /// # Errors
    /// Any [`StoreError`] of the statement.
    pub async fn now(&mut self, clock: &dyn Clock) -> Result<Timestamp, StoreError> {
        if !self.is_postgres() {
            return Ok(clock.now());
        }
        const NOW: &str = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)";
        let (micros,): (i64,) = fetch_one!(self, (i64,), NOW)?;
        Ok(Timestamp(micros))
    }

    /// Keeps everything.
    ///
    /// # Errors
    /// [`StoreError::Fault`] after an earlier error in this transaction; [`StoreError::CommitUnknown`]
    /// when the connection was lost while committing.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        self.count().await?;
        let words = if self.is_relaxed() { "COMMIT; PRAGMA synchronous = FULL" } else { "COMMIT" };
        match self.control(words).await {
            Ok(()) => {
                self.give_back();
                Ok(())
            }
            Err(StoreError::Unavailable(why)) => Err(StoreError::CommitUnknown(why)),
            Err(error) => Err(error),
        }
    }

    /// Keeps nothing, and gives the connection back.
    ///
    /// # Errors
    /// Any [`StoreError`]; nothing was kept all the same.
    pub async fn rollback(mut self) -> Result<(), StoreError> {
        if self.failure.is_some() || self.underway {
            // What such a statement left behind is not trusted: the connection closes.
            return Ok(());
        }
        let words = if self.is_relaxed() { "ROLLBACK; PRAGMA synchronous = FULL" } else { "ROLLBACK" };
        self.control(words).await?;
        self.give_back();
        Ok(())
    }

    /// Whether this is a writer on SQLite that does not wait for the disk.
    fn is_relaxed(&self) -> bool {
        self.writer.as_ref().is_some_and(|writer| writer.relaxed)
    }

    /// Gives the connection back clean: the next transaction may have it.
    fn give_back(&mut self) {
        match (self.connection.take(), &self.writer) {
            (Some(Connection::Sqlite(connection)), Some(writer)) => writer.kept.keep(connection),
            (connection, _) => drop(connection),
        }
    }

    /// Refuses to go on after an error, or after a statement whose end nobody has waited for.
    pub(super) fn check(&mut self) -> Result<(), StoreError> {
        if self.failure.is_some() || self.underway || self.connection.is_none() {
            return Err(StoreError::Fault("the transaction has failed before".to_owned()));
        }
        self.underway = true;
        self.statements += 1;
        Ok(())
    }

    /// Notes the result of a statement: after an error this transaction is over.
    pub(super) fn note<T>(
        &mut self,
        result: Result<Result<T, sqlx::Error>, tokio::time::error::Elapsed>,
    ) -> Result<T, StoreError> {
        self.underway = false;
        let result = match result {
            Ok(result) => result.map_err(StoreError::from),
            Err(_) => Err(StoreError::Unavailable("a statement did not answer in time".to_owned())),
        };
        if let Err(error) = &result {
            self.health.learn(error);
            self.failure = Some(error.clone());
        }
        result
    }

    /// Runs words of control that take no binds.
    pub(super) async fn control(&mut self, words: &'static str) -> Result<(), StoreError> {
        on_connection!(self, connection, async {
            sqlx::raw_sql(super::statements::note(words)).execute(connection).await.map(|_| ())
        })
    }
}

/// A connection that still has a transaction on it, or whose state is not known, is closed and never
/// goes back to the pool: closing rolls back on both databases.
impl Drop for Tx {
    fn drop(&mut self) {
        match (self.connection.take(), self.writer.take()) {
            (Some(Connection::Sqlite(connection)), Some(writer)) => close_and_pass_on(connection.detach(), writer),
            (Some(Connection::Sqlite(connection)), None) => drop(connection.detach()),
            (Some(Connection::Postgres(connection)), _) => drop(connection.detach()),
            // Committed or rolled back: the next writer may come.
            (None, writer) => drop(writer),
        }
    }
}

/// Closes a connection that may still be busy with a statement which nobody waits for any more, and only then lets
/// the next writer come: until it is closed SQLite's own lock is taken, and the next one would meet that.
fn close_and_pass_on(connection: SqliteConnection, writer: Writer) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        // Nobody can wait for it. Its thread closes it soon, and SQLite's own patience covers that.
        drop(connection);
        return drop(writer);
    };
    runtime.spawn(async move {
        if let Err(error) = connection.close().await {
            tracing::debug!(%error, "a connection that was given up did not close well");
        }
        drop(writer);
    });
}

/// Bounds a statement in time.
pub(super) async fn within<T>(
    deadline: Duration,
    statement: impl Future<Output = T>,
) -> Result<T, tokio::time::error::Elapsed> {
    tokio::time::timeout(deadline, statement).await
}

/// What a statement on a transaction without a connection answers.
pub(super) fn over<T>() -> Result<Result<T, sqlx::Error>, tokio::time::error::Elapsed> {
    Ok(Err(sqlx::Error::PoolClosed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Options, Store, StoreUrl};

    #[test]
    fn after_a_failed_sync_nothing_more_is_written() {
        let health = Health::default();
        health.learn(&StoreError::Disk("full".to_owned()));
        assert!(health.may_write().is_ok(), "a full disk may have room again");
        health.learn(&StoreError::SyncFailed("fsync".to_owned()));
        assert!(matches!(health.may_write(), Err(StoreError::SyncFailed(_))));
    }

    /// Rule 2: SQLite rolls back by itself on FULL while sqlx still believes that it is inside.
    #[tokio::test]
    async fn rule_2_a_connection_that_rolled_back_by_itself_never_comes_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = StoreUrl::Sqlite(folder.path().join("servery.db"));
        let store = Store::open(&url, Options::default()).await.expect("a store");
        let marked = |tx: Tx| async move {
            let mut tx = tx;
            let pages: (i64,) = fetch_one!(&mut tx, (i64,), "PRAGMA max_page_count").expect("a number");
            (pages.0 < 1_000, tx)
        };
        let mut tx = store.write().await.expect("a transaction");
        // The limit belongs to the connection: it is the mark by which it is known again.
        let pages: (i64,) = fetch_one!(&mut tx, (i64,), "PRAGMA page_count").expect("a number");
        assert!(pages.0 < 900);
        tx.control("PRAGMA max_page_count = 950").await.expect("a limit");
        tx.commit().await.expect("committed");
        let (kept, mut tx) = marked(store.write().await.expect("a transaction")).await;
        assert!(kept, "a clean connection is used again");
        let blob = vec![7_u8; 1_000_000];
        const NOTE: &str = "INSERT INTO store_meta (singleton, instance_id, kind, pepper_fingerprint, created_at) \
             VALUES (1, $1, 'real', $2, 1)";
        const MORE: &str = "UPDATE store_meta SET pepper_fingerprint = $1";
        execute!(&mut tx, NOTE, uuid::Uuid::nil(), &[1_u8][..]).expect("a small row");
        let full = execute!(&mut tx, MORE, &[blob.as_slice(); 4].concat()[..]);
        assert!(matches!(full, Err(StoreError::Disk(_))), "{full:?}");
        assert!(execute!(&mut tx, MORE, &[2_u8][..]).is_err(), "nothing more runs, so nothing autocommits");
        assert!(tx.commit().await.is_err());
        let (kept, mut tx) = marked(store.write().await.expect("a transaction")).await;
        assert!(!kept, "the connection was closed");
        let rows: (i64,) = fetch_one!(&mut tx, (i64,), "SELECT COUNT(*) FROM store_meta").expect("a number");
        assert_eq!(rows.0, 0, "nothing of the failed transaction was kept");
    }

    /// Work that takes a second or so.
    const SLOW: &str = "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) \
         SELECT COUNT(*) FROM n";

    #[tokio::test(flavor = "multi_thread")]
    async fn who_gives_a_statement_up_keeps_the_turn_until_sqlite_has_let_go() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = StoreUrl::Sqlite(folder.path().join("servery.db"));
        let patient = Options { acquire_deadline: Duration::from_secs(60), ..Options::default() };
        // Of one process, and of another one: `flock` tells open files apart.
        let (first, second) = (Store::open(&url, patient).await, Store::open(&url, patient).await);
        let (first, second) = (first.expect("a store"), second.expect("a store"));
        // SQLite has no patience of its own here.
        let mut tx = second.write().await.expect("a transaction");
        tx.control("PRAGMA busy_timeout = 1").await.expect("set");
        tx.commit().await.expect("committed");
        let mut slow = first.write().await.expect("a transaction");
        slow.deadline = Duration::from_millis(2);
        let given_up = fetch_one!(&mut slow, (i64,), SLOW);
        assert!(matches!(given_up, Err(StoreError::Unavailable(_))), "{given_up:?}");
        drop(slow);
        for store in [&second, &first] {
            let mut next = store.write().await.expect("no writer meets SQLite's own lock");
            let one: (i64,) = fetch_one!(&mut next, (i64,), "SELECT CAST(1 AS BIGINT)").expect("a number");
            assert_eq!(one.0, 1);
            next.commit().await.expect("committed");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_statement_that_is_dropped_ends_its_transaction() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = StoreUrl::Sqlite(folder.path().join("servery.db"));
        let store = Store::open(&url, Options::default()).await.expect("a store");
        let mut tx = store.write().await.expect("a transaction");
        {
            let mut slow = std::pin::pin!(async { fetch_one!(&mut tx, (i64,), SLOW) });
            let begun = std::future::poll_fn(|context| std::task::Poll::Ready(slow.as_mut().poll(context))).await;
            assert!(begun.is_pending());
        }
        let next = fetch_one!(&mut tx, (i64,), "SELECT CAST(1 AS BIGINT)");
        assert!(matches!(next, Err(StoreError::Fault(_))), "{next:?}");
        assert!(tx.commit().await.is_err(), "nothing of it is kept");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_store_that_closes_under_a_writer_waits_for_it_and_then_is_closed() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = StoreUrl::Sqlite(folder.path().join("servery.db"));
        let store = Store::open(&url, Options::default()).await.expect("a store");
        let tx = store.write().await.expect("a transaction");
        let closing = tokio::spawn({
            let store = store.clone();
            async move { store.close().await }
        });
        // Refused from the moment on that the store began to close.
        while store.read().await.is_ok() {
            tokio::task::yield_now().await;
        }
        tx.commit().await.expect("committed");
        let closed = tokio::time::timeout(Duration::from_secs(20), closing).await;
        closed.expect("not closed").expect("the task");
    }

    #[test]
    fn a_store_may_be_dropped_without_a_runtime() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = StoreUrl::Sqlite(folder.path().join("servery.db"));
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let store = runtime.block_on(async {
            let store = Store::open(&url, Options::default()).await.expect("a store");
            store.write().await.expect("a transaction").commit().await.expect("committed");
            store
        });
        drop(runtime);
        drop(store);
    }

    #[test]
    fn connections_idle_at_a_loss_are_not_trusted() {
        let health = Health::default();
        assert!(!health.lost_since(Duration::from_secs(1)));
        health.learn(&StoreError::Unavailable("gone".to_owned()));
        assert!(health.lost_since(Duration::from_secs(1)), "idle since before the loss");
        assert!(!health.lost_since(Duration::ZERO), "used after it");
    }
}
