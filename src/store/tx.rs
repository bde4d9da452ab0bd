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
use sqlx::{Postgres, Sqlite};
use std::future::Future;
use std::time::Duration;

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
            sqlx::query($sql)$(.bind($bind))*.execute(connection).await.map(|done| done.rows_affected())
        })
    };
}

/// `fetch_all!(tx, Row, SQL, binds…)`: every row.
macro_rules! fetch_all {
    ($tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        on_connection!($tx, connection, sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_all(connection))
    };
}

/// `fetch_optional!(tx, Row, SQL, binds…)`: the one row, or none.
macro_rules! fetch_optional {
    ($tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        on_connection!($tx, connection, sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_optional(connection))
    };
}

/// `fetch_one!(tx, Row, SQL, binds…)`: the one row; none is a fault.
macro_rules! fetch_one {
    ($tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        on_connection!($tx, connection, sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_one(connection))
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
#[derive(Debug)]
pub struct Tx {
    pub(super) connection: Option<Connection>,
    pub(super) deadline: Duration,
    failure: Option<StoreError>,
    lock: Option<LockGuard>,
    statements: u64,
}

impl Tx {
    /// Begins a transaction with the database's own words for it.
    pub(super) async fn begin(
        connection: Connection,
        lock: Option<LockGuard>,
        deadline: Duration,
        words: &'static str,
    ) -> Result<Self, StoreError> {
        let mut tx = Self { connection: Some(connection), deadline, failure: None, lock, statements: 0 };
        tx.control(words).await?;
        Ok(tx)
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
        match self.control("COMMIT").await {
            Ok(()) => {
                // Given back clean: the pool may hand it to the next transaction.
                drop(self.connection.take());
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
        if self.failure.is_some() {
            // What a failed statement left behind is not trusted: the connection closes.
            return Ok(());
        }
        self.control("ROLLBACK").await?;
        drop(self.connection.take());
        Ok(())
    }

    /// Refuses to go on after an error.
    pub(super) fn check(&mut self) -> Result<(), StoreError> {
        if self.failure.is_some() || self.connection.is_none() {
            return Err(StoreError::Fault("the transaction has failed before".to_owned()));
        }
        self.statements += 1;
        Ok(())
    }

    /// Notes the result of a statement: after an error this transaction is over.
    pub(super) fn note<T>(
        &mut self,
        result: Result<Result<T, sqlx::Error>, tokio::time::error::Elapsed>,
    ) -> Result<T, StoreError> {
        let result = match result {
            Ok(result) => result.map_err(StoreError::from),
            Err(_) => Err(StoreError::Unavailable("a statement did not answer in time".to_owned())),
        };
        if let Err(error) = &result {
            self.failure = Some(error.clone());
        }
        result
    }

    async fn control(&mut self, words: &'static str) -> Result<(), StoreError> {
        on_connection!(self, connection, async { sqlx::raw_sql(words).execute(connection).await.map(|_| ()) })
    }
}

/// A connection that still has a transaction on it, or whose state is not known, is closed and never
/// goes back to the pool: closing rolls back on both databases.
impl Drop for Tx {
    fn drop(&mut self) {
        match self.connection.take() {
            Some(Connection::Sqlite(connection)) => drop(connection.detach()),
            Some(Connection::Postgres(connection)) => drop(connection.detach()),
            None => {}
        }
        // Only now may the next writer come.
        self.lock.take();
    }
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
