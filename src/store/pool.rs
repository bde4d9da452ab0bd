//! The open store: its pools, how transactions begin, and the migrations at the door.
//!
//! Pools connect when they are first used and again by themselves after a loss. What a transaction
//! learns about the store (a lost network, a failed sync) is kept in [`Health`] for those that follow.

use super::lock::WriterLock;
use super::servers::{HEDGE, Servers, hedged};
use super::tx::{Connection, Health, Kept, Tx, Writer};
use super::{StoreError, StoreUrl};
use sqlx::Connection as _;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::timeout;

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// A Postgres connection that was idle for longer is asked whether it lives before it is used.
const TRUSTED: Duration = Duration::from_secs(1);
/// It answers in this time or is closed.
const PING: Duration = Duration::from_millis(500);
/// How long one process waits while another migrates the store.
const MIGRATING: Duration = Duration::from_secs(60);
/// For an operator's long reading (doctor).
const LONG_READ: Duration = Duration::from_secs(3_600);

const SQLITE_HAS_MIGRATIONS: &str = "SELECT CAST(1 AS BIGINT) FROM sqlite_master WHERE name = '_sqlx_migrations'";
const POSTGRES_HAS_MIGRATIONS: &str = "SELECT CAST(1 AS BIGINT) FROM pg_catalog.pg_class \
     WHERE relname = '_sqlx_migrations' AND relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())";
const MIGRATIONS: &str = "SELECT version, success, checksum FROM _sqlx_migrations ORDER BY version";
const POSTGRES_NO_LIMITS: &str = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";

/// How a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The longest that one statement may take.
    pub statement_deadline: Duration,
    /// The longest that a transaction may wait for its connection and, on SQLite, for the lock.
    pub acquire_deadline: Duration,
    /// Connections for reading (SQLite), or in all (Postgres).
    pub connections: u32,
    /// Whether missing migrations are applied; else a store that lacks some is refused, and nothing is
    /// ever defined: a Postgres role without the right to define tables can open a migrated store
    /// either way.
    pub migrate: bool,
    /// Whether a Postgres that cannot be reached now is opened all the same, so that a screen can start
    /// and show its banner. The first transaction that reaches it looks at its schema.
    pub may_be_away: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            statement_deadline: Duration::from_secs(3),
            acquire_deadline: Duration::from_secs(3),
            connections: 4,
            migrate: true,
            may_be_away: false,
        }
    }
}

#[derive(Debug)]
enum Pools {
    Sqlite { write: SqlitePool, kept: Arc<Kept>, read: SqlitePool, lock: WriterLock, path: PathBuf },
    Postgres { pool: PgPool, servers: Arc<Servers> },
}

/// How to reach the database beside the pools.
pub(super) enum Source {
    /// The file, and a connection that only reads.
    Sqlite { path: PathBuf, connect: SqliteConnectOptions },
    /// The server, or servers.
    Postgres { servers: Arc<Servers> },
}

#[derive(Debug)]
struct Inner {
    url: StoreUrl,
    options: Options,
    pools: Pools,
    health: Arc<Health>,
    /// Whether the schema was found to be ours.
    checked: AtomicBool,
    checking: Mutex<()>,
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
        let health = Arc::new(Health::default());
        let pools = match url {
            StoreUrl::Sqlite(path) => open_sqlite(path, options)?,
            StoreUrl::Postgres(text) => open_postgres(text, options, &health)?,
        };
        let inner = Inner {
            url: url.clone(),
            options,
            pools,
            health,
            checked: AtomicBool::new(false),
            checking: Mutex::new(()),
        };
        let store = Self { inner: Arc::new(inner) };
        match store.ready().await {
            Err(error) if options.may_be_away && error.is_away() => tracing::warn!(%error, "opened while away"),
            other => other?,
        }
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
            Pools::Postgres { servers, .. } => Source::Postgres { servers: Arc::clone(servers) },
        }
    }

    /// Begins a transaction that writes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when no connection or lock was to be had in time;
    /// [`StoreError::SyncFailed`] for ever after the disk did not keep a write.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        Ok(self.begin_write(false).await?.into_told())
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
        Ok(self.begin_write(true).await?.into_told())
    }

    /// As [`Store::write_relaxed`], and the change feed tells nobody: for the renewal of a lease alone, which
    /// comes every few seconds and changes nothing that a screen shows.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_untold(&self) -> Result<Tx, StoreError> {
        self.begin_write(true).await
    }

    async fn begin_write(&self, relaxed: bool) -> Result<Tx, StoreError> {
        const KEPT: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
        const RELAXED: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = off";
        self.ready().await?;
        self.inner.health.may_write()?;
        let Inner { options, pools, health, .. } = &*self.inner;
        let health = Arc::clone(health);
        match pools {
            Pools::Sqlite { write, kept, lock, .. } => {
                let turn = lock.acquire(options.acquire_deadline).await?;
                // Asked again: the sync of the one before may have failed, and the disk says so only once.
                health.may_write()?;
                let connection = match kept.take() {
                    Some(connection) => connection,
                    None => write.acquire().await?,
                };
                let writer = Some(Writer { turn, kept: Arc::clone(kept), relaxed });
                let words = if relaxed { "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE" } else { "BEGIN IMMEDIATE" };
                Tx::begin(Connection::Sqlite(connection), writer, options.statement_deadline, health, words).await
            }
            Pools::Postgres { pool, servers } => {
                let connection = Connection::Postgres(acquire(pool, servers, &health).await?);
                let words = if relaxed { RELAXED } else { KEPT };
                Tx::begin(connection, None, options.statement_deadline, health, words).await
            }
        }
    }

    /// How a commit of [`Store::write`] and one of [`Store::write_relaxed`] wait for the disk, in the
    /// database's own words (`synchronous`, `synchronous_commit`); for Health and `doctor`.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn durability(&self) -> Result<(String, String), StoreError> {
        const SQLITE_SYNC: &str = "SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous";
        const POSTGRES_SYNC: &str = "SELECT current_setting('synchronous_commit')";
        let mut full = self.write().await?;
        let words = if full.is_postgres() { POSTGRES_SYNC } else { SQLITE_SYNC };
        let (of_full,): (String,) = fetch_one!(&mut full, (String,), words)?;
        full.rollback().await?;
        let mut relaxed = self.write_relaxed().await?;
        let (of_relaxed,): (String,) = fetch_one!(&mut relaxed, (String,), words)?;
        relaxed.rollback().await?;
        Ok((of_full, of_relaxed))
    }

    /// Begins a transaction that only reads, on one consistent state.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when no connection was to be had in time.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        self.ready().await?;
        self.begin_read(self.inner.options.statement_deadline).await
    }

    /// As [`Store::read`], for an operator's long look at everything: no deadline but an hour.
    pub(crate) async fn read_long(&self) -> Result<Tx, StoreError> {
        self.ready().await?;
        let mut tx = self.begin_read(LONG_READ).await?;
        if tx.is_postgres() {
            tx.control(POSTGRES_NO_LIMITS).await?;
        }
        Ok(tx)
    }

    async fn begin_read(&self, deadline: Duration) -> Result<Tx, StoreError> {
        let Inner { pools, health, .. } = &*self.inner;
        let (connection, words) = match pools {
            Pools::Sqlite { read, .. } => (Connection::Sqlite(read.acquire().await?), "BEGIN DEFERRED"),
            Pools::Postgres { pool, servers } => (
                Connection::Postgres(acquire(pool, servers, health).await?),
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            ),
        };
        Tx::begin(connection, None, deadline, Arc::clone(health), words).await
    }

    /// Closes every connection.
    pub async fn close(&self) {
        match &self.inner.pools {
            Pools::Sqlite { write, kept, read, .. } => {
                read.close().await;
                kept.end();
                write.close().await;
            }
            Pools::Postgres { pool, .. } => pool.close().await,
        }
    }

    /// Looks at the schema once, and migrates.
    async fn ready(&self) -> Result<(), StoreError> {
        if self.inner.checked.load(Ordering::Acquire) {
            return Ok(());
        }
        let _one = self.inner.checking.lock().await;
        if !self.inner.checked.load(Ordering::Acquire) {
            // Boxed, so that the compiler need not look through the migrator in every transaction.
            let making: futures::future::BoxFuture<'_, _> = Box::pin(self.make_ready());
            making.await?;
            self.inner.checked.store(true, Ordering::Release);
        }
        Ok(())
    }

    async fn make_ready(&self) -> Result<(), StoreError> {
        if let Pools::Sqlite { write, lock, path, .. } = &self.inner.pools
            && std::fs::metadata(path).is_ok_and(|file| file.len() == 0)
        {
            // Two processes must not both turn the empty file to WAL.
            let guard = lock.acquire(MIGRATING).await?;
            drop(write.acquire().await?);
            drop(guard);
        }
        if self.schema_is_ours().await? {
            return Ok(());
        }
        let (found, known) = (self.schema_version().await?, self.known_version());
        if !self.inner.options.migrate {
            return Err(StoreError::Unusable(format!(
                "The store has schema {found}, this program needs {known}. Run: servery db migrate"
            )));
        }
        let result = match &self.inner.pools {
            Pools::Sqlite { write, lock, .. } => {
                let guard = lock.acquire(MIGRATING).await?;
                let result = SQLITE_MIGRATIONS.run(write).await;
                drop(guard);
                result
            }
            Pools::Postgres { servers, .. } => {
                // On a connection without the deadlines of the pool's: an index takes its time.
                let connect = servers.choose(self.inner.options.acquire_deadline).await?;
                let connect =
                    connect.options([("statement_timeout", "0"), ("idle_in_transaction_session_timeout", "0")]);
                let one = PgPoolOptions::new().max_connections(1).acquire_timeout(MIGRATING).connect_lazy_with(connect);
                let result = POSTGRES_MIGRATIONS.run(&one).await;
                one.close().await;
                result
            }
        };
        result.map_err(|error| match error {
            sqlx::migrate::MigrateError::Execute(error) if lacks_right(&error) => StoreError::Unusable(format!(
                "The store has schema {found}, this program needs {known}, and this role may not change it. As the \
                 owner of the store run: servery db migrate, then servery db grants"
            )),
            sqlx::migrate::MigrateError::Execute(error) => StoreError::from(error),
            other => StoreError::Unusable(format!("The store cannot be migrated: {other}")),
        })
    }

    /// The newest migration that this program knows.
    #[must_use]
    pub fn known_version(&self) -> i64 {
        self.migrator().iter().map(|migration| migration.version).max().unwrap_or(0)
    }

    fn migrator(&self) -> &'static Migrator {
        match &self.inner.pools {
            Pools::Sqlite { .. } => &SQLITE_MIGRATIONS,
            Pools::Postgres { .. } => &POSTGRES_MIGRATIONS,
        }
    }

    /// Whether every migration of ours was applied as it is written here; `false` when some are missing.
    async fn schema_is_ours(&self) -> Result<bool, StoreError> {
        let applied = self.applied_migrations().await?;
        let known = self.known_version();
        if let Some((found, ..)) = applied.last().filter(|(version, ..)| *version > known) {
            return Err(StoreError::Newer { found: *found, known });
        }
        for (version, success, checksum) in &applied {
            let ours = self.migrator().iter().find(|migration| migration.version == *version);
            if !success || ours.is_none_or(|migration| *migration.checksum != **checksum) {
                return Err(StoreError::Unusable(format!(
                    "Migration {version} of this store was left half done, or is not this program's. Restore a backup."
                )));
            }
        }
        Ok(applied.len() == self.migrator().iter().count())
    }

    async fn applied_migrations(&self) -> Result<Vec<(i64, bool, Vec<u8>)>, StoreError> {
        let mut tx = self.begin_read(self.inner.options.statement_deadline).await?;
        let has = if tx.is_postgres() { POSTGRES_HAS_MIGRATIONS } else { SQLITE_HAS_MIGRATIONS };
        let exists: Option<(i64,)> = fetch_optional!(&mut tx, (i64,), has)?;
        let applied =
            if exists.is_some() { fetch_all!(&mut tx, (i64, bool, Vec<u8>), MIGRATIONS)? } else { Vec::new() };
        tx.rollback().await?;
        Ok(applied)
    }

    /// The newest migration that the store has; 0 for an empty one.
    ///
    /// # Errors
    /// Any [`StoreError`] of the statements.
    pub async fn schema_version(&self) -> Result<i64, StoreError> {
        Ok(self.applied_migrations().await?.last().map_or(0, |(version, ..)| *version))
    }
}

/// A connection of the pool; a server that gives none is noted, as its idle connections are dead too.
async fn acquire(
    pool: &PgPool,
    servers: &Servers,
    health: &Health,
) -> Result<sqlx::pool::PoolConnection<sqlx::Postgres>, StoreError> {
    let acquiring = async {
        if servers.is_particular() {
            if health.take_loss() {
                servers.doubt();
            }
            let (connect, used) = (servers.choose(pool.options().get_acquire_timeout()).await?, pool.connect_options());
            let place = |server: &PgConnectOptions| (server.get_host().to_owned(), server.get_port());
            if place(&connect) != place(&used) {
                tracing::info!(host = connect.get_host(), port = connect.get_port(), "another server is the primary");
                pool.set_connect_options(connect);
            }
        }
        hedged(HEDGE, || pool.acquire()).await.map_err(StoreError::from)
    };
    acquiring.await.inspect_err(|error| health.learn(error))
}

/// Whether Postgres refused a statement because the role may not run it (insufficient_privilege).
fn lacks_right(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(database) if database.code().as_deref() == Some("42501"))
}

fn open_sqlite(path: &Path, options: Options) -> Result<Pools, StoreError> {
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
    let lock = WriterLock::open(path)?;
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // Only writers past our lock are waited for here; well below the statement's own deadline.
        .busy_timeout(options.statement_deadline / 2)
        .statement_cache_capacity(256);
    let pool = |connections: u32| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(options.acquire_deadline)
            .test_before_acquire(false)
            .before_acquire(|connection, _| {
                // A transaction that its owner left behind: never handed on.
                let clean = !connection.is_in_transaction();
                Box::pin(async move { Ok(clean) })
            })
            .idle_timeout(None)
            .max_lifetime(None)
    };
    let write = pool(1).connect_lazy_with(connect.clone());
    let read = pool(options.connections).connect_lazy_with(connect.pragma("query_only", "ON"));
    Ok(Pools::Sqlite { write, kept: Arc::default(), read, lock, path: path.to_owned() })
}

/// How to connect to the server of an address, without deadlines.
pub(super) fn postgres_options(url: &str) -> Result<PgConnectOptions, StoreError> {
    let mut connect = PgConnectOptions::from_str(url)
        .map_err(|_| StoreError::Unusable("The address of the Postgres store cannot be read.".to_owned()))?
        .application_name("servery")
        .statement_cache_capacity(256);
    if !super::url::names_ssl_mode(url) {
        let mode = default_ssl_mode(connect.get_host(), connect.get_socket().is_some());
        connect = connect.ssl_mode(mode);
    }
    Ok(connect)
}

/// Gives a file of its own the tables of a store, as SQLite has them.
pub(super) async fn give_tables(connection: &mut sqlx::SqliteConnection) -> Result<(), StoreError> {
    let made = SQLITE_MIGRATIONS.run(connection).await;
    made.map_err(|error| StoreError::Unusable(format!("The tables cannot be made: {error}")))
}

/// The newest migration that this program knows; both databases have the same numbers.
pub(crate) fn newest_migration() -> i64 {
    SQLITE_MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

fn open_postgres(url: &str, options: Options, health: &Arc<Health>) -> Result<Pools, StoreError> {
    let millis = |limit: Duration| limit.as_millis().to_string();
    // The server's side of the deadlines: what a vanished client left running ends by itself.
    let servers = Arc::new(Servers::parse(url)?.with(&[
        ("statement_timeout", millis(options.statement_deadline + PING)),
        ("idle_in_transaction_session_timeout", millis(options.statement_deadline * 3)),
        ("client_connection_check_interval", millis(options.statement_deadline)),
    ]));
    let (health, judge) = (Arc::clone(health), Arc::clone(&servers));
    let pool = PgPoolOptions::new()
        .max_connections(options.connections)
        .acquire_timeout(options.acquire_deadline)
        .test_before_acquire(false)
        .before_acquire(move |connection, meta| {
            let idle_for = meta.idle_for;
            let lost = health.lost_since(idle_for) || connection.is_in_transaction();
            Box::pin(async move {
                if lost {
                    return Err(gone());
                }
                if idle_for > TRUSTED {
                    timeout(PING, connection.ping()).await.map_err(|_| gone())??;
                }
                Ok(true)
            })
        })
        .after_connect(move |connection, _| {
            let judge = Arc::clone(&judge);
            Box::pin(async move { if judge.is_particular() { judge.accept(connection).await } else { Ok(()) } })
        })
        .connect_lazy_with(servers.chosen()?);
    Ok(Pools::Postgres { pool, servers })
}

/// A connection to be dropped without a goodbye that nobody would hear.
fn gone() -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::from(std::io::ErrorKind::ConnectionAborted))
}

/// `require` takes any certificate and `prefer` falls back to plain text: over a network the server has
/// to prove its name, unless the address (or `PGSSLMODE`) says otherwise.
fn default_ssl_mode(host: &str, socket: bool) -> PgSslMode {
    let loopback = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if socket || host.starts_with('/') || host == "localhost" || loopback {
        PgSslMode::Prefer
    } else {
        PgSslMode::VerifyFull
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_10_a_remote_server_must_prove_its_name() {
        for (host, socket) in
            [("localhost", false), ("127.0.0.1", false), ("[::1]", false), ("x", true), ("/run", false)]
        {
            assert!(matches!(default_ssl_mode(host, socket), PgSslMode::Prefer), "{host}");
        }
        for host in ["db.example", "10.0.0.7", "localhost.example", "192.168.1.4"] {
            assert!(matches!(default_ssl_mode(host, false), PgSslMode::VerifyFull), "{host}");
        }
        assert!(super::super::url::names_ssl_mode("postgres://a@b/c?x=1&sslmode=disable"));
        assert!(!super::super::url::names_ssl_mode("postgres://a@b/sslmode=disable?notsslmode=1"));
    }
}
