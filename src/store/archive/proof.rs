//! Reading an archive's file back: what it holds, an order of it, and the proof that it is whole (every batch has the
//! rows, the counts and the hash with which it was written; the seals over its audit rows hold) and, beside its store,
//! that the store says the same of it. Nothing is written here.

use super::file::{Meta, read_meta, shapes};
use super::part::MOVED;
use super::rows::{self, Shapes, TableRows, Value};
use super::{Counts, hex, known_run};
use crate::store::tx::{Connection, Health};
use crate::store::{Store, StoreError, Tx, backup, seal};
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePool, SqlitePoolOptions};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The longest that one statement on a file may take.
const DEADLINE: Duration = Duration::from_secs(3_600);

/// A batch, as the file says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Its number in the file.
    pub number: i64,
    /// Its identity, which is that of the store's run.
    pub id: Uuid,
    /// What it took.
    pub part: String,
    /// Whether it is known to have left the store; else it may be in both places.
    pub moved: bool,
    /// What was older than this instant (microseconds).
    pub before_at: i64,
    /// The hash of its rows, in hexadecimal.
    pub hash: String,
    /// How many rows of each table.
    pub counts: Counts,
}

/// An order in the file, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct ArchivedOrder {
    /// Its identity.
    pub id: Uuid,
    /// Its number.
    pub order_number: String,
    /// How it ended.
    pub status: String,
    /// Its total (minor units).
    pub total: i64,
    /// When it was placed (microseconds).
    pub created_at: i64,
}

/// What the file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Whose rows these are.
    pub meta: Meta,
    /// How many orders.
    pub orders: i64,
    /// The first business day with orders.
    pub first_day: Option<String>,
    /// The last one.
    pub last_day: Option<String>,
    /// How many rows of each table.
    pub counts: Counts,
    /// How many batches.
    pub batches: i64,
    /// How many of them are not known to have left the store.
    pub unfinished: i64,
}

/// What proving a file came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Proof {
    /// Batches that were gone through.
    pub batches: i64,
    /// Rows that were hashed again.
    pub rows: i64,
    /// Audit rows under seals that hold.
    pub sealed: i64,
    /// Batches that are not known to have left the store.
    pub unfinished: i64,
    /// SHA-256 of the whole file, in hexadecimal.
    pub sha256: String,
    /// The first thing that is wrong.
    pub violation: Option<String>,
}

/// An archive's file, open for reading.
#[derive(Debug)]
pub struct ArchiveReader {
    path: PathBuf,
    pool: SqlitePool,
    meta: Meta,
    shapes: Shapes,
}

#[derive(sqlx::FromRow)]
struct BatchRow {
    number: i64,
    id: Uuid,
    part: String,
    state: String,
    before_at: i64,
    hash: Vec<u8>,
    row_counts: String,
}

impl ArchiveReader {
    /// Opens a file.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] for one that is no archive, or that is being written; [`StoreError::Newer`] for one of
    /// a newer program; [`StoreError::Disk`] where there is none.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.is_file() {
            return Err(StoreError::Unusable(format!("There is no file {}.", path.display())));
        }
        // Not read-only: a run that died in the middle of a write is undone by whoever opens the file next.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .busy_timeout(Duration::from_millis(500))
            .pragma("query_only", "ON");
        let pool = SqlitePoolOptions::new().max_connections(1).connect_lazy_with(options);
        let mut connection = pool.acquire().await.map_err(|error| in_use(path, error))?;
        sqlx::query("SELECT COUNT(*) FROM sqlite_master")
            .execute(&mut *connection)
            .await
            .map_err(|error| in_use(path, error))?;
        let meta = read_meta(path, &mut connection).await?;
        let shapes = shapes(&mut connection).await?;
        drop(connection);
        Ok(Self { path: path.to_owned(), pool, meta, shapes })
    }

    /// Whose rows these are.
    #[must_use]
    pub const fn meta(&self) -> &Meta {
        &self.meta
    }

    /// A transaction that reads the file as if it were a store.
    ///
    /// # Errors
    /// Any error of the file.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        let connection = Connection::Sqlite(self.pool.acquire().await?);
        Tx::begin(connection, None, DEADLINE, Arc::new(Health::default()), "BEGIN DEFERRED").await
    }

    /// Every batch, in order.
    ///
    /// # Errors
    /// Any error of the file.
    pub async fn batches(&self) -> Result<Vec<Batch>, StoreError> {
        let found: Vec<BatchRow> = sqlx::query_as(
            "SELECT number, id, part, state, before_at, hash, row_counts FROM archive_batches ORDER BY number",
        )
        .fetch_all(&self.pool)
        .await?;
        let batch = |row: BatchRow| {
            let counts = serde_json::from_str(&row.row_counts).map_err(|_| {
                StoreError::Unusable(format!("{}: batch {} is damaged.", self.path.display(), row.number))
            })?;
            Ok(Batch {
                number: row.number,
                id: row.id,
                part: row.part,
                moved: row.state == "moved",
                before_at: row.before_at,
                hash: hex(&row.hash),
                counts,
            })
        };
        found.into_iter().map(batch).collect()
    }

    /// What the file holds.
    ///
    /// # Errors
    /// Any error of the file.
    pub async fn contents(&self) -> Result<Contents, StoreError> {
        let batches = self.batches().await?;
        let mut counts = Counts::new();
        for batch in &batches {
            for (table, rows) in &batch.counts {
                let sum = counts.entry(table.clone()).or_default();
                *sum = sum.saturating_add(*rows);
            }
        }
        let (orders, first_day, last_day) =
            sqlx::query_as("SELECT COUNT(*), MIN(business_date), MAX(business_date) FROM orders")
                .fetch_one(&self.pool)
                .await?;
        let unfinished = batches.iter().filter(|batch| !batch.moved).count();
        Ok(Contents {
            meta: self.meta.clone(),
            orders,
            first_day,
            last_day,
            counts,
            batches: i64::try_from(batches.len()).unwrap_or(i64::MAX),
            unfinished: i64::try_from(unfinished).unwrap_or(i64::MAX),
        })
    }

    /// The orders after a number, by number.
    ///
    /// # Errors
    /// Any error of the file.
    pub async fn orders(&self, after: &str, limit: i64) -> Result<Vec<ArchivedOrder>, StoreError> {
        let found = sqlx::query_as(
            "SELECT o.id, o.order_number, o.status, o.total, o.created_at FROM orders o \
             LEFT JOIN orders a ON a.order_number = $1 WHERE a.id IS NULL \
             OR (o.business_date, o.training, o.sequence) > (a.business_date, a.training, a.sequence) \
             ORDER BY o.business_date, o.training, o.sequence LIMIT $2",
        );
        Ok(found.bind(after).bind(limit).fetch_all(&self.pool).await?)
    }

    /// The order of a number.
    ///
    /// # Errors
    /// Any error of the file.
    pub async fn find(&self, number: &str) -> Result<Option<Uuid>, StoreError> {
        let found =
            sqlx::query_scalar("SELECT id FROM orders WHERE order_number = $1").bind(number.trim().to_uppercase());
        Ok(found.fetch_optional(&self.pool).await?)
    }

    /// Every row of an order, by table, each as its columns with their values: ids as text, other bytes in hexadecimal.
    ///
    /// # Errors
    /// Any error of the file.
    pub async fn rows_of(&self, order: Uuid) -> Result<BTreeMap<String, Vec<serde_json::Value>>, StoreError> {
        let mut found = BTreeMap::new();
        for table in MOVED {
            let Some(columns) = self.shapes.get(*table) else { continue };
            let condition = match *table {
                "orders" => "id = $1",
                "cart_lines" => "cart_id IN (SELECT id FROM carts WHERE order_id = $1)",
                "delivery_checkpoints" => "assignment_id IN (SELECT id FROM delivery_assignments WHERE order_id = $1)",
                "audit_log" => "entity = 'Order' AND entity_id = $2",
                _ => "order_id = $1",
            };
            let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            let sql = format!("SELECT {} FROM {table} WHERE {condition} AND $2 <> ''", names.join(", "));
            let mut connection = self.pool.acquire().await?;
            let rows = sqlx::query(AssertSqlSafe(sql)).bind(order).bind(order.to_string());
            let rows = rows.fetch_all(&mut *connection).await?;
            let rows = rows.iter().map(|row| rows::values(row, columns)).collect::<Result<Vec<_>, sqlx::Error>>()?;
            let objects: Vec<serde_json::Value> = rows
                .into_iter()
                .map(|row| columns.iter().map(|column| column.name.clone()).zip(row.into_iter().map(plain)).collect())
                .collect();
            if !objects.is_empty() {
                found.insert((*table).to_owned(), objects);
            }
        }
        Ok(found)
    }

    /// Goes through everything that the file says of itself.
    ///
    /// # Errors
    /// Any error of the file; what is wrong is in the answer.
    pub async fn prove(&self) -> Result<Proof, StoreError> {
        let mut proof = Proof { sha256: backup::digest(&self.path)?.1, ..Proof::default() };
        let mut connection = self.pool.acquire().await?;
        let verdict: String = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut *connection).await?;
        drop(connection);
        if verdict != "ok" {
            proof.violation = Some(format!("the file is damaged: {verdict}"));
            return Ok(proof);
        }
        let batches = self.batches().await?;
        let mut expected = Counts::new();
        for batch in &batches {
            let mut connection = self.pool.acquire().await?;
            let (rows, wrong) = self.prove_batch(&mut connection, batch).await?;
            proof.batches = proof.batches.saturating_add(1);
            proof.rows = proof.rows.saturating_add(rows);
            proof.unfinished = proof.unfinished.saturating_add(i64::from(!batch.moved));
            for (table, count) in &batch.counts {
                let sum = expected.entry(table.clone()).or_default();
                *sum = sum.saturating_add(*count);
            }
            if wrong.is_some() {
                proof.violation = wrong;
                return Ok(proof);
            }
        }
        for table in MOVED {
            let sql = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
            let count: i64 = sqlx::query_scalar(sql).fetch_one(&self.pool).await?;
            let known = expected.get(*table).copied().unwrap_or(0);
            if count != known {
                proof.violation = Some(format!("{table} has {count} rows, its batches know {known}"));
                return Ok(proof);
            }
        }
        let mut tx = self.read().await?;
        let seals = seal::verify_copy(&mut tx, &self.meta.site_id).await?;
        tx.rollback().await?;
        proof.sealed = seals.sealed;
        proof.violation = seals.violation;
        Ok(proof)
    }

    /// How many rows of a batch there are, and what is wrong with them.
    async fn prove_batch(
        &self,
        connection: &mut SqliteConnection,
        batch: &Batch,
    ) -> Result<(i64, Option<String>), StoreError> {
        let mut tables: Vec<TableRows> = Vec::new();
        let mut rows = 0_i64;
        // In the order in which they were written.
        for table in MOVED.iter().filter(|table| batch.counts.contains_key(**table)) {
            let Some(columns) = self.shapes.get(*table) else { continue };
            let found = rows::read_back(&mut *connection, columns, table, batch.number).await?;
            let count = i64::try_from(found.rows.len()).unwrap_or(i64::MAX);
            rows = rows.saturating_add(count);
            if batch.counts.get(*table) != Some(&count) {
                return Ok((rows, Some(format!("batch {}: {table} has {count} rows, not as written", batch.number))));
            }
            tables.push(found);
        }
        let whole = hex(&rows::hash(&tables)) == batch.hash;
        Ok((rows, (!whole).then(|| format!("batch {}: its rows are not those that were written", batch.number))))
    }

    /// As [`ArchiveReader::prove`], and that the store says the same: it knows every batch by its hash, and has the
    /// same seals.
    ///
    /// # Errors
    /// Any error of the file and of the store.
    pub async fn prove_beside(&self, store: &Store, site: &str) -> Result<Proof, StoreError> {
        let mut proof = self.prove().await?;
        if proof.violation.is_some() {
            return Ok(proof);
        }
        if self.meta.site_id != site {
            proof.violation = Some(format!("it is of the site {}", self.meta.site_id));
            return Ok(proof);
        }
        let mut tx = store.read_long().await?;
        for batch in self.batches().await? {
            let known = known_run(&mut tx, site, batch.id).await?;
            let wrong = match known {
                None if batch.moved => Some("the store knows nothing of it"),
                Some(hash) if hex(&hash) != batch.hash => Some("the store remembers another hash"),
                _ => None,
            };
            if let Some(wrong) = wrong {
                proof.violation = Some(format!("batch {}: {wrong}", batch.number));
                break;
            }
        }
        let here = seal::hashes(&mut tx, site).await?;
        tx.rollback().await?;
        let mut tx = self.read().await?;
        let copied = seal::hashes(&mut tx, site).await?;
        tx.rollback().await?;
        if proof.violation.is_none()
            && let Some((seal, _)) = copied.iter().find(|(seal, hash)| here.get(seal) != Some(hash))
        {
            proof.violation = Some(format!("seal {seal} is not the store's"));
        }
        Ok(proof)
    }

    /// Closes the file.
    pub async fn close(self) {
        self.pool.close().await;
    }
}

fn in_use(path: &Path, error: sqlx::Error) -> StoreError {
    match StoreError::from(error) {
        StoreError::Retry(_) => StoreError::Unusable(format!("{} is being written just now.", path.display())),
        StoreError::Disk(why) => StoreError::Unusable(format!("{} cannot be read: {why}", path.display())),
        error => error,
    }
}

/// A value for people and scripts.
fn plain(value: Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Integer(number) => number.into(),
        Value::Text(text) => text.into(),
        Value::Bytes(bytes) => Uuid::from_slice(&bytes).map_or_else(|_| hex(&bytes), |id| id.to_string()).into(),
    }
}
