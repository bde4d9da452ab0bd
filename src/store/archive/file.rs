//! The file of an archive: an SQLite file with the tables of a store, whatever the store's own database is, and two of
//! its own: `archive_meta` (whose rows these are) and `archive_batches` (what came in one transaction, with counts and
//! hash). Rows carry the number of their batch; those without one (people, terminals, things on shelves, customers) are
//! copies by which the others can be read.
//!
//! A batch is `written` when its rows are on the disk and were read back, and `moved` when they left the store. So
//! after a crash a batch is in both places, or in the file alone. One process writes at a time.

use super::part::{MOVED, Part};
use super::rows::{self, Column, Kind, Selects, Shapes, TableRows, Value};
use super::{Counts, Run, hex};
use crate::domain::time::Timestamp;
use crate::store::{StoreError, Tx};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteLockingMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use uuid::Uuid;

/// The form of the file; a program reads those that it knows.
const FORMAT: i64 = 1;
/// Tables of which the file keeps copies, with the columns that are secrets and stay behind.
const COPIED: &[(&str, &[&str])] = &[
    ("sites", &[]),
    ("stations", &[]),
    ("stock_items", &[]),
    ("staff", &["password_hash", "pin_hash", "phone_encrypted"]),
    ("terminals", &["key_hash", "exit_pin_hash"]),
    ("till_shifts", &[]),
];

/// Whose rows a file keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct Meta {
    /// The form of the file.
    pub format: i64,
    /// The site.
    pub site_id: String,
    /// The identity of its store.
    pub instance_id: Uuid,
    /// The site's currency.
    pub currency: String,
    /// The site's time zone.
    pub time_zone: String,
    /// The schema of the tables.
    pub schema_version: i64,
    /// When the file was made (microseconds).
    pub created_at: i64,
}

/// A file that is being written.
#[derive(Debug)]
pub struct ArchiveFile {
    path: PathBuf,
    connection: SqliteConnection,
    shapes: Shapes,
}

fn disk(path: &Path) -> impl Fn(std::io::Error) -> StoreError {
    move |error| StoreError::Disk(format!("{}: {error}", path.display()))
}

fn other(path: &Path, words: &str) -> StoreError {
    StoreError::Unusable(format!("{} {words}", path.display()))
}

/// What an error of the file means; a file that another process writes is in use.
fn in_file(path: &Path) -> impl Fn(sqlx::Error) -> StoreError {
    move |error| match StoreError::from(error) {
        StoreError::Retry(_) => other(path, "is in use: another archive run writes it."),
        // That the store's own disk keeps nothing is another matter.
        StoreError::SyncFailed(why) | StoreError::Disk(why) => StoreError::Disk(format!("{}: {why}", path.display())),
        error => error,
    }
}

impl ArchiveFile {
    /// Opens the file for writing; makes it (0600) where there is none.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] for a file of another site, store or program, one that is no archive, or one that
    /// another process writes; [`StoreError::Disk`].
    pub async fn open(path: &Path, meta: &Meta) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(disk(folder))?;
        }
        // Made here so that it never exists with wider rights.
        let made = std::fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path);
        made.map_err(disk(path))?;
        let is_new = look(path).await?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Delete)
            .synchronous(SqliteSynchronous::Full)
            .locking_mode(SqliteLockingMode::Exclusive)
            .foreign_keys(false)
            .busy_timeout(Duration::from_millis(500));
        let mut connection = options.connect().await.map_err(in_file(path))?;
        if is_new {
            make(path, &mut connection, meta).await?;
        }
        let found = read_meta(path, &mut connection).await?;
        if found.site_id != meta.site_id || found.instance_id != meta.instance_id {
            return Err(other(path, "is the archive of another store or site. Name another file."));
        }
        if found.schema_version != meta.schema_version {
            return Err(other(path, "was made by another version of Servery. Name a new file."));
        }
        let shapes = shapes(&mut connection).await.map_err(in_file(path))?;
        Ok(Self { path: path.to_owned(), connection, shapes })
    }

    /// The columns of the tables that it keeps.
    #[must_use]
    pub const fn shapes(&self) -> &Shapes {
        &self.shapes
    }

    /// The batches that were written, and of which the file does not know whether they left the store: (number, id).
    ///
    /// # Errors
    /// Any error of the file.
    pub async fn unfinished(&mut self) -> Result<Vec<(i64, Uuid)>, StoreError> {
        let found = sqlx::query_as("SELECT number, id FROM archive_batches WHERE state = 'written' ORDER BY number");
        found.fetch_all(&mut self.connection).await.map_err(in_file(&self.path))
    }

    /// Writes a batch, and reads it back: what the store must delete now.
    ///
    /// # Errors
    /// Any error of the file; [`StoreError::Disk`] when it does not give back what was written.
    pub async fn write(
        &mut self,
        part: &Part,
        tables: &[TableRows],
        (id, before, now): (Uuid, Timestamp, Timestamp),
    ) -> Result<(i64, Run), StoreError> {
        let hash = rows::hash(tables);
        let mut counts = Counts::new();
        for found in tables {
            counts.insert(found.table.to_owned(), i64::try_from(found.rows.len()).unwrap_or(i64::MAX));
        }
        let number = self.write_rows(part, tables, (id, before, now), (&hash, &counts)).await;
        let number = number.map_err(in_file(&self.path))?;
        let mut back = Vec::with_capacity(tables.len());
        for found in tables {
            let Some(columns) = self.shapes.get(found.table) else { continue };
            let read = rows::read_back(&mut self.connection, columns, found.table, number).await;
            back.push(read.map_err(in_file(&self.path))?);
        }
        if rows::hash(&back) != hash {
            return Err(StoreError::Disk(format!("{} does not give back what was written", self.path.display())));
        }
        let file_name = self.path.display().to_string();
        Ok((number, Run { id, before, file_name, hash: hex(&hash), counts }))
    }

    async fn write_rows(
        &mut self,
        part: &Part,
        tables: &[TableRows],
        (id, before, now): (Uuid, Timestamp, Timestamp),
        (hash, counts): (&[u8; 32], &Counts),
    ) -> Result<i64, sqlx::Error> {
        let counts = serde_json::to_string(counts).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
        let mut tx = self.connection.begin().await?;
        let number: i64 = sqlx::query_scalar(
            "INSERT INTO archive_batches (id, part, state, before_at, hash, row_counts, written_at) \
             VALUES ($1, $2, 'written', $3, $4, $5, $6) RETURNING number",
        )
        .bind(id)
        .bind(part.word())
        .bind(before.0)
        .bind(&hash[..])
        .bind(counts)
        .bind(now.0)
        .fetch_one(&mut *tx)
        .await?;
        for found in tables {
            let Some(columns) = self.shapes.get(found.table) else { continue };
            rows::write(&mut tx, columns, found, Some(number)).await?;
        }
        tx.commit().await?;
        Ok(number)
    }

    /// Notes that a batch has left the store.
    ///
    /// # Errors
    /// Any error of the file.
    pub async fn moved(&mut self, number: i64, now: Timestamp) -> Result<(), StoreError> {
        let done = sqlx::query("UPDATE archive_batches SET state = 'moved', moved_at = $2 WHERE number = $1");
        done.bind(number).bind(now.0).execute(&mut self.connection).await.map_err(in_file(&self.path))?;
        Ok(())
    }

    /// Takes a batch out again that has not left the store.
    ///
    /// # Errors
    /// Any error of the file.
    pub async fn discard(&mut self, number: i64) -> Result<(), StoreError> {
        self.discard_rows(number).await.map_err(in_file(&self.path))
    }

    async fn discard_rows(&mut self, number: i64) -> Result<(), sqlx::Error> {
        let mut tx = self.connection.begin().await?;
        for table in MOVED {
            let sql = format!("DELETE FROM {table} WHERE archive_batch = $1");
            sqlx::query(AssertSqlSafe(sql)).bind(number).execute(&mut *tx).await?;
        }
        sqlx::query("DELETE FROM archive_batches WHERE number = $1").bind(number).execute(&mut *tx).await?;
        tx.commit().await
    }

    /// Copies what the moved rows speak of: the site, its people without their secrets, terminals, stations, things on
    /// shelves, closed till shifts, and every seal.
    ///
    /// # Errors
    /// Any error of the store and of the file.
    pub async fn copy_names(&mut self, tx: &mut Tx, selects: &Selects, site: &str) -> Result<(), StoreError> {
        for (table, secrets) in COPIED {
            let mut found = rows::read_all(tx, (&self.shapes, selects), site, table).await?;
            let columns = self.shapes.get(*table).cloned().unwrap_or_default();
            for row in &mut found.rows {
                for (value, column) in row.iter_mut().zip(&columns) {
                    if secrets.contains(&column.name.as_str()) {
                        // What may not be nothing is empty.
                        *value = if column.name == "password_hash" { Value::Text(String::new()) } else { Value::Null };
                    }
                }
            }
            self.copy(&columns, &found).await?;
        }
        let seals = rows::read_all(tx, (&self.shapes, selects), site, "audit_seals").await?;
        let columns = self.shapes.get("audit_seals").cloned().unwrap_or_default();
        self.copy(&columns, &seals).await
    }

    /// Copies the customers of orders.
    ///
    /// # Errors
    /// Any error of the store and of the file.
    pub async fn copy_customers(
        &mut self,
        tx: &mut Tx,
        selects: &Selects,
        site: &str,
        part: &Part,
    ) -> Result<(), StoreError> {
        let found = rows::read(tx, (&self.shapes, selects), site, "customers", part).await?;
        let columns = self.shapes.get("customers").cloned().unwrap_or_default();
        self.copy(&columns, &found).await
    }

    async fn copy(&mut self, columns: &[Column], found: &TableRows) -> Result<(), StoreError> {
        let copied = async {
            let mut tx = self.connection.begin().await?;
            rows::write(&mut tx, columns, found, None).await?;
            tx.commit().await
        };
        copied.await.map_err(in_file(&self.path))
    }

    /// Closes the file.
    ///
    /// # Errors
    /// Any error of the file.
    pub async fn close(self) -> Result<(), StoreError> {
        let path = self.path;
        self.connection.close().await.map_err(in_file(&path))
    }
}

/// Whether the file is still to be made; one that is something else is left as it is, and above all a store.
async fn look(path: &Path) -> Result<bool, StoreError> {
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_millis(500));
    let mut connection = options.connect().await.map_err(in_file(path))?;
    let names: Vec<(String,)> = sqlx::query_as("SELECT name FROM sqlite_master WHERE type = 'table'")
        .fetch_all(&mut connection)
        .await
        .map_err(in_file(path))?;
    connection.close().await.map_err(in_file(path))?;
    let has = |wanted: &str| names.iter().any(|(name,)| name == wanted);
    if names.is_empty() || has("archive_begun") {
        return Ok(true);
    }
    if has("archive_meta") { Ok(false) } else { Err(other(path, "is there, and is no archive of Servery.")) }
}

/// Makes the tables. A process that dies here leaves a mark, so that the next one begins again.
async fn make(path: &Path, connection: &mut SqliteConnection, meta: &Meta) -> Result<(), StoreError> {
    let begun = "CREATE TABLE IF NOT EXISTS archive_begun (mark INTEGER)";
    sqlx::query(begun).execute(&mut *connection).await.map_err(in_file(path))?;
    crate::store::pool::give_tables(connection).await?;
    let finished = async {
        let mut tx = connection.begin().await?;
        // Rows come as they ended: what watches over a store's rows would not let them in.
        let triggers: Vec<(String,)> =
            sqlx::query_as("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetch_all(&mut *tx).await?;
        for (name,) in triggers {
            sqlx::query(AssertSqlSafe(format!("DROP TRIGGER {name}"))).execute(&mut *tx).await?;
        }
        let copied = COPIED.iter().map(|(table, _)| *table).chain(["customers", "audit_seals"]);
        for table in MOVED.iter().copied().chain(copied) {
            let words = format!("ALTER TABLE {table} ADD COLUMN archive_batch INTEGER");
            sqlx::query(AssertSqlSafe(words)).execute(&mut *tx).await?;
        }
        for table in MOVED {
            let words = format!("CREATE INDEX archive_{table} ON {table} (archive_batch)");
            sqlx::query(AssertSqlSafe(words)).execute(&mut *tx).await?;
        }
        sqlx::query(
            "CREATE TABLE archive_batches (number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, \
             part TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('written', 'moved')), before_at INTEGER NOT NULL, \
             hash BLOB NOT NULL, row_counts TEXT NOT NULL, written_at INTEGER NOT NULL, moved_at INTEGER) STRICT",
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "CREATE TABLE archive_meta (format INTEGER NOT NULL, site_id TEXT NOT NULL, instance_id BLOB NOT NULL, \
             currency TEXT NOT NULL, time_zone TEXT NOT NULL, schema_version INTEGER NOT NULL, created_at INTEGER NOT NULL) STRICT",
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query("INSERT INTO archive_meta VALUES ($1, $2, $3, $4, $5, $6, $7)")
            .bind(FORMAT)
            .bind(&meta.site_id)
            .bind(meta.instance_id)
            .bind(&meta.currency)
            .bind(&meta.time_zone)
            .bind(meta.schema_version)
            .bind(meta.created_at)
            .execute(&mut *tx)
            .await?;
        sqlx::query("DROP TABLE archive_begun").execute(&mut *tx).await?;
        tx.commit().await
    };
    finished.await.map_err(in_file(path))
}

/// Whose rows the file keeps.
pub(super) async fn read_meta(path: &Path, connection: &mut SqliteConnection) -> Result<Meta, StoreError> {
    let meta: Option<Meta> = sqlx::query_as(
        "SELECT format, site_id, instance_id, currency, time_zone, schema_version, created_at FROM archive_meta",
    )
    .fetch_optional(connection)
    .await
    .map_err(|_| other(path, "is no archive of Servery."))?;
    let meta = meta.ok_or_else(|| other(path, "is no archive of Servery."))?;
    if meta.format != FORMAT {
        return Err(StoreError::Newer { found: meta.format, known: FORMAT });
    }
    Ok(meta)
}

/// The columns of the tables in a file, without the number of the batch.
pub(super) async fn shapes(connection: &mut SqliteConnection) -> Result<Shapes, sqlx::Error> {
    let mut shapes = Shapes::new();
    let copied = COPIED.iter().map(|(table, _)| *table).chain(["customers", "audit_seals"]);
    for table in MOVED.iter().copied().chain(copied) {
        let found: Vec<(String, String)> = sqlx::query_as("SELECT name, type FROM pragma_table_info($1) ORDER BY cid")
            .bind(table)
            .fetch_all(&mut *connection)
            .await?;
        let columns = found.into_iter().filter(|(name, _)| name != "archive_batch").map(|(name, kind)| Column {
            name,
            kind: match kind.as_str() {
                "INTEGER" => Kind::Integer,
                "TEXT" => Kind::Text,
                _ => Kind::Bytes,
            },
        });
        shapes.insert(table.to_owned(), columns.collect());
    }
    Ok(shapes)
}
