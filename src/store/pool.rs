//! The open store: its pools, how transactions begin, and the migrations at the door.

use super::lock::WriterLock;
use super::tx::{Connection, Tx};
use super::{StoreError, StoreUrl};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// How a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The longest that one statement may take.
    pub statement_deadline: Duration,
    /// The longest that a transaction may wait for its connection and, on SQLite, for the lock.
    pub acquire_deadline: Duration,
    /// Connections for reading (SQLite), or in all (Postgres).
    pub connections: u32,
    /// Whether migrations are applied; else a store that lacks some is refused.
    pub migrate: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            statement_deadline: Duration::from_secs(5),
            acquire_deadline: Duration::from_secs(5),
            connections: 4,
            migrate: true,
        }
    }
}

#[derive(Debug)]
enum Pools {
    Sqlite { write: SqlitePool, relaxed: SqlitePool, read: SqlitePool, lock: WriterLock, path: PathBuf },
    Postgres { pool: PgPool },
}

/// How to reach the database beside the pools.
pub(super) enum Source {
    /// The file, and a connection that only reads.
    Sqlite { path: PathBuf, connect: SqliteConnectOptions },
    /// The server.
    Postgres { connect: PgConnectOptions },
}

#[derive(Debug)]
struct Inner {
    url: StoreUrl,
    options: Options,
    pools: Pools,
}

/// An open store; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

impl Store {
    /// Opens a store, makes the SQLite file where none is (folder 0700, file 0600) and migrates it.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for a store of a newer program; [`StoreError::Unavailable`],
    /// [`StoreError::Disk`] or [`StoreError::Unusable`] when it cannot be opened.
    pub async fn open(url: &StoreUrl, options: Options) -> Result<Self, StoreError> {
        let pools = match url {
            StoreUrl::Sqlite(path) => open_sqlite(path, options).await?,
            StoreUrl::Postgres(url) => open_postgres(url, options).await?,
        };
        let store = Self { inner: Arc::new(Inner { url: url.clone(), options, pools }) };
        store.migrate(options.migrate).await?;
        Ok(store)
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &StoreUrl {
        &self.inner.url
    }

    /// The file of an SQLite store.
    #[must_use]
    pub fn sqlite_path(&self) -> Option<&Path> {
        match &self.inner.pools {
            Pools::Sqlite { path, .. } => Some(path),
            Pools::Postgres { .. } => None,
        }
    }

    /// For those who need a connection of their own: the change feed and the backup.
    pub(super) fn source(&self) -> Source {
        match &self.inner.pools {
            Pools::Sqlite { read, path, .. } => {
                Source::Sqlite { path: path.clone(), connect: (*read.connect_options()).clone() }
            }
            Pools::Postgres { pool } => Source::Postgres { connect: (*pool.connect_options()).clone() },
        }
    }

    /// Begins a transaction that writes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when no connection or lock was to be had in time.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        let options = self.inner.options;
        match &self.inner.pools {
            Pools::Sqlite { write, lock, .. } => {
                let connection = write.acquire().await?;
                let guard = lock.acquire(options.acquire_deadline).await?;
                let connection = Connection::Sqlite(connection);
                Tx::begin(connection, Some(guard), options.statement_deadline, "BEGIN IMMEDIATE").await
            }
            Pools::Postgres { pool } => {
                let connection = Connection::Postgres(pool.acquire().await?);
                Tx::begin(connection, None, options.statement_deadline, "BEGIN ISOLATION LEVEL READ COMMITTED").await
            }
        }
    }

    /// Begins a transaction that writes, whose commit does not wait for the disk (`synchronous = NORMAL`
    /// on SQLite, `synchronous_commit = off` on Postgres). For the simulated provider's memory only: it
    /// stands for another company's database, whose disk our customer would not wait for either.
    ///
    /// A power cut may take such a commit back, but never one that ours stands on: both databases write
    /// one log in order, so the next full commit (the result of the payment) carries this one to the
    /// disk with it. What a cut takes back is a charge that no record of ours calls captured.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_relaxed(&self) -> Result<Tx, StoreError> {
        const POSTGRES: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = off";
        let options = self.inner.options;
        match &self.inner.pools {
            Pools::Sqlite { relaxed, lock, .. } => {
                let connection = relaxed.acquire().await?;
                let guard = lock.acquire(options.acquire_deadline).await?;
                let connection = Connection::Sqlite(connection);
                Tx::begin(connection, Some(guard), options.statement_deadline, "BEGIN IMMEDIATE").await
            }
            Pools::Postgres { pool } => {
                let connection = Connection::Postgres(pool.acquire().await?);
                Tx::begin(connection, None, options.statement_deadline, POSTGRES).await
            }
        }
    }

    /// Begins a transaction that only reads, on one consistent state.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn read(&self) -> Result<Tx, StoreError> {
        let options = self.inner.options;
        let (connection, words) = match &self.inner.pools {
            Pools::Sqlite { read, .. } => (Connection::Sqlite(read.acquire().await?), "BEGIN DEFERRED"),
            Pools::Postgres { pool } => {
                (Connection::Postgres(pool.acquire().await?), "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            }
        };
        Tx::begin(connection, None, options.statement_deadline, words).await
    }

    /// Closes every connection.
    pub async fn close(&self) {
        match &self.inner.pools {
            Pools::Sqlite { write, relaxed, read, .. } => {
                read.close().await;
                relaxed.close().await;
                write.close().await;
            }
            Pools::Postgres { pool } => pool.close().await,
        }
    }

    async fn migrate(&self, apply: bool) -> Result<(), StoreError> {
        let migrator = match &self.inner.pools {
            Pools::Sqlite { .. } => &SQLITE_MIGRATIONS,
            Pools::Postgres { .. } => &POSTGRES_MIGRATIONS,
        };
        let known = migrator.iter().map(|migration| migration.version).max().unwrap_or(0);
        let found = self.schema_version().await?;
        if found > known {
            return Err(StoreError::Newer { found, known });
        }
        if found == known {
            return Ok(());
        }
        if !apply {
            return Err(StoreError::Unusable(format!(
                "The store has schema {found}, this program needs {known}. Run: servery db migrate"
            )));
        }
        let result = match &self.inner.pools {
            Pools::Sqlite { write, lock, .. } => {
                let guard = lock.acquire(Duration::from_secs(60)).await?;
                let result = migrator.run(write).await;
                drop(guard);
                result
            }
            Pools::Postgres { pool } => migrator.run(pool).await,
        };
        result.map_err(|error| match error {
            sqlx::migrate::MigrateError::Execute(error) => StoreError::from(error),
            other => StoreError::Unusable(format!("The store cannot be migrated: {other}")),
        })
    }

    /// The newest migration that the store has; 0 for an empty one.
    ///
    /// # Errors
    /// Any [`StoreError`] of the statements.
    pub async fn schema_version(&self) -> Result<i64, StoreError> {
        const POSTGRES_HAS: &str = "SELECT CAST(1 AS BIGINT) FROM information_schema.tables \
             WHERE table_name = '_sqlx_migrations' AND table_schema = current_schema()";
        const SQLITE_HAS: &str = "SELECT 1 FROM sqlite_master WHERE name = '_sqlx_migrations'";
        const VERSION: &str = "SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations WHERE success";
        let mut tx = self.read().await?;
        let has = if tx.is_postgres() { POSTGRES_HAS } else { SQLITE_HAS };
        let exists: Option<(i64,)> = fetch_optional!(&mut tx, (i64,), has)?;
        let version = if exists.is_some() { fetch_one!(&mut tx, (i64,), VERSION)?.0 } else { 0 };
        tx.rollback().await?;
        Ok(version)
    }
}

async fn open_sqlite(path: &Path, options: Options) -> Result<Pools, StoreError> {
    let disk = |what: &Path, error: std::io::Error| StoreError::Disk(format!("{}: {error}", what.display()));
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| disk(folder, error))?;
    }
    // Made here so that it never exists with wider rights, not even for an instant.
    std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| disk(path, error))?;
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    let lock = WriterLock::open(Path::new(&lock_path))?;
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(options.acquire_deadline)
        .statement_cache_capacity(256);
    let guard = lock.acquire(Duration::from_secs(30)).await?;
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(options.acquire_deadline)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(connect.clone())
        .await?;
    drop(guard);
    // A connection of its own, so that no error can leave the one for our records relaxed. Opened when
    // first used: a process that takes no payments has none.
    let relaxed = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(options.acquire_deadline)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(connect.clone().synchronous(SqliteSynchronous::Normal));
    let read = SqlitePoolOptions::new()
        .max_connections(options.connections)
        .acquire_timeout(options.acquire_deadline)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(connect.pragma("query_only", "ON"));
    Ok(Pools::Sqlite { write, relaxed, read, lock, path: path.to_owned() })
}

async fn open_postgres(url: &str, options: Options) -> Result<Pools, StoreError> {
    let connect = PgConnectOptions::from_str(url)
        .map_err(|_| StoreError::Unusable("The address of the Postgres store cannot be read.".to_owned()))?
        .application_name("servery")
        .statement_cache_capacity(256);
    let pool = PgPoolOptions::new()
        .max_connections(options.connections)
        .acquire_timeout(options.acquire_deadline)
        .test_before_acquire(false)
        .connect_with(connect)
        .await?;
    Ok(Pools::Postgres { pool })
}
