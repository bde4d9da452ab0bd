//! Backup and restore: a consistent copy of a running store in one file, checked before it is called a
//! backup, and a restore that is checked by doctor. SQLite copies itself (`VACUUM INTO`); Postgres
//! needs its own tools, `pg_dump` and `pg_restore`, which must be installed.

use super::doctor::{self, DoctorReport};
use super::pool::Source;
use super::statements::note;
use super::{Options, Store, StoreError, StoreUrl, Tx};
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection};
use std::ffi::OsString;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use tokio::process::Command;
use uuid::Uuid;

/// How long the primary among several Postgres servers is looked for.
const FINDING: std::time::Duration = std::time::Duration::from_secs(3);

/// A backup that was made and checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// Where it is.
    pub file: PathBuf,
    /// Its size.
    pub size_bytes: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// The schema of the store in it.
    pub schema_version: i64,
}

/// A store as it was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// The schema of the backup; the store was migrated to this program's.
    pub schema_version: i64,
    /// What doctor says of each site.
    pub doctor: Vec<DoctorReport>,
}

/// The last try to make a backup, as the store remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct LastBackup {
    /// The file.
    pub file_name: String,
    /// Its size, when it was made.
    pub size_bytes: Option<i64>,
    /// When it began (microseconds).
    pub started_at: i64,
    /// When it ended (microseconds).
    pub finished_at: Option<i64>,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

/// What can be told about a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// `sqlite` or `postgres`.
    pub kind: String,
    /// Its address, without a password.
    pub address: String,
    /// The schema that it has.
    pub schema_version: i64,
    /// The schema of this program.
    pub known_version: i64,
    /// How large it is.
    pub size_bytes: i64,
    /// The version of SQLite inside, or of the server.
    pub engine_version: String,
    /// Whether that version is known to be safe (SQLite 3.51.3, Postgres 15, or newer).
    pub engine_is_safe: bool,
    /// The identity of the store; none while no site was set up.
    pub instance_id: Option<Uuid>,
    /// `demo` or `real`.
    pub purpose: Option<String>,
    /// The last backup of the site.
    pub last_backup: Option<LastBackup>,
}

const SQLITE_COPY: &str = "VACUUM INTO $1";
const SQLITE_CHECK: &str = "PRAGMA integrity_check(1)";
const SQLITE_IS_EMPTY: &str = "SELECT COUNT(*) = 0 FROM sqlite_master";
const SQLITE_SIZE: &str = "SELECT CAST((SELECT page_count FROM pragma_page_count()) * \
     (SELECT page_size FROM pragma_page_size()) AS INTEGER), sqlite_version()";
const POSTGRES_SIZE: &str = "SELECT pg_database_size(current_database()), current_setting('server_version')";
const POSTGRES_IS_EMPTY: &str = "SELECT COUNT(*) = 0 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n \
     ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'S')";
const SQLITE_SCHEMA: &str = "SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations WHERE success";
const META: &str = "SELECT instance_id, kind FROM store_meta WHERE singleton = 1";
const LAST: &str = "SELECT file_name, size_bytes, started_at, finished_at, error FROM backups WHERE site_id = $1 \
     ORDER BY started_at DESC, id DESC LIMIT 1";
const BEGUN: &str = "INSERT INTO backups (site_id, id, file_name, started_at) VALUES ($1, $2, $3, $4)";
const ENDED: &str = "UPDATE backups SET size_bytes = $3, file_hash = $4, finished_at = $5, error = $6 \
     WHERE site_id = $1 AND id = $2 AND finished_at IS NULL";

/// The oldest SQLite without the WAL-reset corruption.
const SAFE_SQLITE: [u32; 3] = [3, 51, 3];
const SAFE_POSTGRES: [u32; 1] = [15];
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";
const POSTGRES_MAGIC: &[u8] = b"PGDMP";

fn unusable(words: impl Into<String>) -> StoreError {
    StoreError::Unusable(words.into())
}

fn disk(path: &Path) -> impl Fn(std::io::Error) -> StoreError {
    move |error| StoreError::Disk(format!("{}: {error}", path.display()))
}

/// Notes that a backup was begun.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn begun(tx: &mut Tx, site: &str, id: Uuid, file: &str, now: Timestamp) -> Result<(), StoreError> {
    execute!(tx, BEGUN, site, id, file, now.0)?;
    Ok(())
}

/// Notes how a backup ended: its size and SHA-256, or why it failed.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn ended(
    tx: &mut Tx,
    site: &str,
    id: Uuid,
    outcome: Result<(i64, &[u8]), &str>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (size, hash) = outcome.ok().unzip();
    super::rows::hit_one(execute!(tx, ENDED, site, id, size, hash, now.0, outcome.err())?)
}

/// The last try to make a backup.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn last(tx: &mut Tx, site: &str) -> Result<Option<LastBackup>, StoreError> {
    fetch_optional!(tx, LastBackup, LAST, site)
}

/// What can be told about the store and the last backup of `site`.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn status(store: &Store, site: &str) -> Result<Status, StoreError> {
    let schema_version = store.schema_version().await?;
    let mut tx = store.read().await?;
    let postgres = tx.is_postgres();
    let size = if postgres { POSTGRES_SIZE } else { SQLITE_SIZE };
    let (size_bytes, engine_version): (i64, String) = fetch_one!(&mut tx, (i64, String), size)?;
    let meta: Option<(Uuid, String)> = fetch_optional!(&mut tx, (Uuid, String), META)?;
    let last_backup = fetch_optional!(&mut tx, LastBackup, LAST, site)?;
    tx.rollback().await?;
    let (instance_id, purpose) = meta.unzip();
    let safe: &[u32] = if postgres { &SAFE_POSTGRES } else { &SAFE_SQLITE };
    Ok(Status {
        kind: store.url().kind().to_owned(),
        address: store.url().to_string(),
        schema_version,
        known_version: store.known_version(),
        size_bytes,
        engine_is_safe: numbers(&engine_version).as_slice() >= safe,
        engine_version,
        instance_id,
        purpose,
        last_backup,
    })
}

/// `3.51.3` as numbers; what follows the first word is left out.
fn numbers(version: &str) -> Vec<u32> {
    let first = version.split_whitespace().next().unwrap_or_default();
    first.split('.').map_while(|part| part.parse().ok()).collect()
}

/// Copies the running store into the new file `to` (0600), as it is at one instant, and checks the copy.
///
/// # Errors
/// [`StoreError::Unusable`] when `to` exists, when `pg_dump` is missing or refuses, or when the copy does
/// not pass its check (it is then removed); [`StoreError::Disk`] when it cannot be written.
pub async fn backup(store: &Store, to: &Path) -> Result<Backup, StoreError> {
    if to.exists() {
        return Err(unusable(format!("{} exists: a backup never overwrites a file.", to.display())));
    }
    let partial = beside(to, ".partial");
    // Made here so that it never exists with wider rights; both tools write into an empty file.
    let made = std::fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&partial);
    made.map_err(disk(&partial))?;
    let result = copy_and_check(store, &partial).await.and_then(|schema_version| {
        let (size_bytes, sha256) = digest(&partial)?;
        std::fs::File::open(&partial).and_then(|file| file.sync_all()).map_err(disk(&partial))?;
        std::fs::rename(&partial, to).map_err(disk(to))?;
        sync_folder(to)?;
        Ok(Backup { file: to.to_owned(), size_bytes, sha256, schema_version })
    });
    if result.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    result
}

async fn copy_and_check(store: &Store, partial: &Path) -> Result<i64, StoreError> {
    match store.source() {
        Source::Sqlite { connect, .. } => {
            let mut connection = connect.pragma("query_only", "OFF").connect().await?;
            let text = partial.to_str().ok_or_else(|| unusable("The name of the backup is not UTF-8."))?;
            sqlx::query(note(SQLITE_COPY)).bind(text).execute(&mut connection).await?;
            connection.close().await?;
            check_sqlite_file(partial).await
        }
        Source::Postgres { servers } => {
            let connect = servers.choose(FINDING).await?;
            let mut dump = postgres_tool("pg_dump", &connect, store.url())?;
            dump.args(["--format=custom", "--no-owner", "--no-privileges", "--no-password", "--file"]).arg(partial);
            run("pg_dump", dump).await?;
            dump_version(partial, &connect, store.url()).await
        }
    }
}

/// Makes the store at `url` what the backup `from` holds, and examines it. A target that is not empty is
/// only replaced when `replace` is given, and an SQLite file is then kept beside as `NAME.before-restore`.
///
/// # Errors
/// [`StoreError::Newer`] for a backup of a newer program; [`StoreError::Unusable`] for a file that is no
/// backup of this kind of store or does not pass its check, a target that is not empty, or is in use, or
/// a missing `pg_restore`; [`StoreError::Disk`].
pub async fn restore(from: &Path, url: &StoreUrl, replace: bool) -> Result<Restored, StoreError> {
    let mut head = Vec::new();
    let file = std::fs::File::open(from).map_err(disk(from))?;
    file.take(16).read_to_end(&mut head).map_err(disk(from))?;
    let kind = if head.starts_with(SQLITE_MAGIC) {
        "sqlite"
    } else if head.starts_with(POSTGRES_MAGIC) {
        "postgres"
    } else {
        return Err(unusable(format!("{} is no backup of a store.", from.display())));
    };
    if kind != url.kind() {
        return Err(unusable(format!(
            "{} is a backup of a {kind} store, the target is {}.",
            from.display(),
            url.kind()
        )));
    }
    let schema_version = match url {
        StoreUrl::Sqlite(path) => restore_sqlite(from, path, replace).await?,
        StoreUrl::Postgres(text) => restore_postgres(from, text, url, replace).await?,
    };
    let store = Store::open(url, Options::default()).await?;
    let doctor = doctor::examine_all(&store).await?;
    store.close().await;
    Ok(Restored { schema_version, doctor })
}

// ---------------------------------------------------------------- SQLite

/// The integrity of a file that nobody else uses, and its schema.
async fn check_sqlite_file(path: &Path) -> Result<i64, StoreError> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(true);
    let mut connection = options.connect().await?;
    let verdict: String = sqlx::query_scalar(note(SQLITE_CHECK)).fetch_one(&mut connection).await?;
    if verdict != "ok" {
        return Err(unusable(format!("{} is damaged: {verdict}", path.display())));
    }
    let version = sqlx::query_scalar(note(SQLITE_SCHEMA)).fetch_one(&mut connection).await;
    connection.close().await?;
    version.map_err(|_| unusable(format!("{} is no store of Servery.", path.display())))
}

async fn restore_sqlite(from: &Path, to: &Path, replace: bool) -> Result<i64, StoreError> {
    let version = check_sqlite_file(from).await?;
    refuse_newer(version)?;
    let fresh = beside(to, ".restoring");
    if to.metadata().is_ok_and(|file| file.len() > 0) {
        retire(to, replace).await?;
    } else if let Some(folder) = to.parent() {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(disk(folder))?;
    }
    let mut target = std::fs::OpenOptions::new();
    let mut target = target.create(true).write(true).truncate(true).mode(0o600).open(&fresh).map_err(disk(&fresh))?;
    let mut source = std::fs::File::open(from).map_err(disk(from))?;
    std::io::copy(&mut source, &mut target).map_err(disk(&fresh))?;
    target.sync_all().map_err(disk(&fresh))?;
    std::fs::rename(&fresh, to).map_err(disk(to))?;
    sync_folder(to)?;
    Ok(version)
}

/// Makes sure that nobody uses the file, and keeps it under another name.
async fn retire(path: &Path, replace: bool) -> Result<(), StoreError> {
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(std::time::Duration::from_millis(100));
    let mut connection = options.connect().await?;
    let empty: bool = sqlx::query_scalar(note(SQLITE_IS_EMPTY)).fetch_one(&mut connection).await?;
    if !empty && !replace {
        return Err(unusable(format!("{} is not empty. Restore replaces it only with --replace.", path.display())));
    }
    connection.close().await?;
    // Leaving WAL needs the file for itself alone, and folds the log into it.
    let alone = options_alone(path).connect().await;
    let alone: SqliteConnection =
        alone.map_err(|_| unusable("The store is in use. Close every Servery on it, then restore."))?;
    alone.close().await?;
    let old = beside(path, ".before-restore");
    let _ = std::fs::remove_file(&old);
    std::fs::hard_link(path, &old).map_err(disk(&old))
}

fn options_alone(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(std::time::Duration::from_millis(100))
        .journal_mode(SqliteJournalMode::Delete)
}

// ---------------------------------------------------------------- Postgres

async fn restore_postgres(from: &Path, text: &str, url: &StoreUrl, replace: bool) -> Result<i64, StoreError> {
    let connect = super::servers::Servers::parse(text)?.choose(FINDING).await?;
    let version = dump_version(from, &connect, url).await?;
    refuse_newer(version)?;
    let mut connection = connect.connect().await?;
    let empty: bool = sqlx::query_scalar(note(POSTGRES_IS_EMPTY)).fetch_one(&mut connection).await?;
    connection.close().await?;
    if !empty && !replace {
        return Err(unusable(format!("{url} is not empty. Restore replaces it only with --replace.")));
    }
    let mut restore = postgres_tool("pg_restore", &connect, url)?;
    restore.args(["--no-owner", "--no-privileges", "--no-password", "--exit-on-error", "--single-transaction"]);
    if !empty {
        restore.args(["--clean", "--if-exists"]);
    }
    restore.arg("--dbname").arg(connect.get_database().unwrap_or(connect.get_username())).arg(from);
    run("pg_restore", restore).await?;
    Ok(version)
}

/// Reads the migrations out of a dump, which also shows that it can be read.
async fn dump_version(dump: &Path, connect: &PgConnectOptions, url: &StoreUrl) -> Result<i64, StoreError> {
    let mut list = postgres_tool("pg_restore", connect, url)?;
    list.args(["--data-only", "--table=_sqlx_migrations", "--file=-"]).arg(dump);
    let text = run("pg_restore", list).await?;
    let rows = text.lines().skip_while(|line| !line.starts_with("COPY ")).skip(1).take_while(|line| *line != "\\.");
    let versions = rows.filter_map(|row| row.split('\t').next()?.parse::<i64>().ok());
    versions.max().ok_or_else(|| unusable(format!("{} is no store of Servery.", dump.display())))
}

/// A program of the server's, told by its environment how to connect: a password never stands among the
/// arguments, where every process could read it.
fn postgres_tool(name: &str, connect: &PgConnectOptions, url: &StoreUrl) -> Result<Command, StoreError> {
    let program = find_tool(name).ok_or_else(|| {
        unusable(format!(
            "{name} is missing. Install the Postgres client (Debian, Ubuntu: apt-get install postgresql-client)."
        ))
    })?;
    let mut command = Command::new(program);
    match connect.get_socket() {
        Some(socket) => command.env("PGHOST", socket),
        None => command.env("PGHOST", connect.get_host()),
    };
    command
        .env("PGPORT", connect.get_port().to_string())
        .env("PGUSER", connect.get_username())
        .env("PGDATABASE", connect.get_database().unwrap_or(connect.get_username()))
        .env("PGSSLMODE", ssl_mode_word(connect.get_ssl_mode()))
        .kill_on_drop(true)
        .stdin(std::process::Stdio::null());
    if let StoreUrl::Postgres(text) = url {
        if let Some(password) = password(text) {
            command.env("PGPASSWORD", password);
        }
        for (key, variable) in [("sslrootcert", "PGSSLROOTCERT"), ("sslcert", "PGSSLCERT"), ("sslkey", "PGSSLKEY")] {
            if let Some(value) = parameter(text, key) {
                command.env(variable, value);
            }
        }
    }
    Ok(command)
}

/// On the path, else the newest of a Debian-like installation.
fn find_tool(name: &str) -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH")
        .and_then(|path| std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file()));
    on_path.or_else(|| {
        let folders = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        let version =
            |folder: &std::fs::DirEntry| folder.file_name().to_str().and_then(|name| name.parse::<u32>().ok());
        let mut folders: Vec<_> = folders.flatten().filter(|folder| version(folder).is_some()).collect();
        folders.sort_by_key(version);
        folders.iter().rev().map(|folder| folder.path().join("bin").join(name)).find(|file| file.is_file())
    })
}

async fn run(name: &str, mut command: Command) -> Result<String, StoreError> {
    let done = command.output().await.map_err(|error| unusable(format!("{name} did not start: {error}")))?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let words = crate::domain::text::clean(&String::from_utf8_lossy(&done.stderr), 500, false);
    Err(unusable(format!("{name} failed: {words}")))
}

const fn ssl_mode_word(mode: PgSslMode) -> &'static str {
    match mode {
        PgSslMode::Disable => "disable",
        PgSslMode::Allow => "allow",
        PgSslMode::Prefer => "prefer",
        PgSslMode::Require => "require",
        PgSslMode::VerifyCa => "verify-ca",
        PgSslMode::VerifyFull => "verify-full",
    }
}

/// The password of an address, decoded; none when it has none.
fn password(url: &str) -> Option<String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    user.and_then(|user| user.split_once(':')).map(|(_, word)| decoded(word)).or_else(|| parameter(url, "password"))
}

fn parameter(url: &str, key: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| *name == key)
        .map(|(_, value)| decoded(value))
}

/// `%41` is `A`; what is no such code stays.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

// ---------------------------------------------------------------- files

fn refuse_newer(found: i64) -> Result<(), StoreError> {
    let known = super::pool::newest_migration();
    if found > known { Err(StoreError::Newer { found, known }) } else { Ok(()) }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(disk(folder))
}

/// The size of a file and its SHA-256, in hexadecimal.
pub(super) fn digest(path: &Path) -> Result<(u64, String), StoreError> {
    let mut file = std::fs::File::open(path).map_err(disk(path))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0;
    loop {
        let count = file.read(&mut buffer).map_err(disk(path))?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        hash.update(bytes);
        size += count as u64;
    }
    Ok((size, hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_found_and_decoded() {
        assert_eq!(password("postgres://cook:s%40c%2Fr@db/servery").as_deref(), Some("s@c/r"));
        assert_eq!(password("postgres://cook@db/servery?password=a%20b").as_deref(), Some("a b"));
        assert_eq!(password("postgres://cook@db/servery"), None);
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%zz%4"), "%zz%4");
    }

    #[test]
    fn versions_are_compared_by_number() {
        assert!(numbers("3.51.3").as_slice() >= &SAFE_SQLITE[..]);
        assert!(numbers("3.9.9").as_slice() < &SAFE_SQLITE[..]);
        assert!(numbers("15.10 (Debian 15.10-1)").as_slice() >= &SAFE_POSTGRES[..]);
    }
}
