//! Rows of any table as plain values: read out of either database, written into an archive's file, and hashed.
//! Which rows those are stands in `mod.rs`; nothing here knows what a table means.

use super::part::{Part, push_condition};
use crate::store::statements::note;
use crate::store::{StoreError, Tx};
use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, ColumnIndex, Database, Decode, QueryBuilder, Sqlite, Type};
use std::collections::BTreeMap;

/// What a statement may bind at most in SQLite, with some room.
const MOST_BINDS: usize = 30_000;

/// A value of a column, as SQLite keeps it: truth values are 0 and 1, ids their 16 bytes, JSON its text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// The values of a row, in the order of the table's columns.
pub type Row = Vec<Value>;

/// How SQLite declares a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// INTEGER.
    Integer,
    /// TEXT.
    Text,
    /// BLOB.
    Bytes,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// How SQLite declares it.
    pub kind: Kind,
}

/// The columns of each table that an archive keeps.
pub type Shapes = BTreeMap<String, Vec<Column>>;

/// The rows of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRows {
    /// The table.
    pub table: &'static str,
    /// Its rows, in order of their values.
    pub rows: Vec<Row>,
}

const POSTGRES_TYPES: &str = "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), CAST(data_type AS TEXT) \
     FROM information_schema.columns WHERE table_schema = current_schema()";

/// How each column is read so that it comes out as [`Value`]s: by table, the words after SELECT.
#[derive(Debug, Clone, Default)]
pub struct Selects(BTreeMap<String, String>);

impl Selects {
    /// For the tables of an archive.
    ///
    /// # Errors
    /// Any [`StoreError`] of the statement.
    pub async fn of(tx: &mut Tx, shapes: &Shapes) -> Result<Self, StoreError> {
        let mut types: BTreeMap<(String, String), String> = BTreeMap::new();
        if tx.is_postgres() {
            let rows: Vec<(String, String, String)> = fetch_all!(tx, (String, String, String), POSTGRES_TYPES)?;
            types = rows.into_iter().map(|(table, column, kind)| ((table, column), kind)).collect();
        }
        let words = |table: &str, column: &Column| {
            let name = &column.name;
            match types.get(&(table.to_owned(), name.clone())).map(String::as_str) {
                Some("uuid") => format!("uuid_send({name})"),
                Some("boolean") => format!("CAST(CAST({name} AS INTEGER) AS BIGINT)"),
                Some("jsonb") => format!("CAST({name} AS TEXT)"),
                _ => name.clone(),
            }
        };
        let selects = shapes.iter().map(|(table, columns)| {
            let list: Vec<String> = columns.iter().map(|column| words(table, column)).collect();
            (table.clone(), list.join(", "))
        });
        Ok(Self(selects.collect()))
    }
}

/// The rows of a table that a part of an archive takes, in order of their values.
///
/// # Errors
/// Any [`StoreError`] of the statement; [`StoreError::Fault`] for a table that no archive keeps.
pub async fn read(
    tx: &mut Tx,
    (shapes, selects): (&Shapes, &Selects),
    site: &str,
    table: &'static str,
    part: &Part,
) -> Result<TableRows, StoreError> {
    let (Some(columns), Some(select)) = (shapes.get(table), selects.0.get(table)) else {
        return Err(StoreError::Fault(format!("no archive keeps the table {table}")));
    };
    let postgres = tx.is_postgres();
    let mut rows: Vec<Row> = on_connection!(tx, connection, async {
        let mut builder = QueryBuilder::new(note("SELECT "));
        builder.push(select).push(" FROM ").push(table);
        push_condition(&mut builder, postgres, site, table, part);
        let found = builder.build().fetch_all(connection).await?;
        found.iter().map(|row| values(row, columns)).collect::<Result<Vec<Row>, sqlx::Error>>()
    })?;
    rows.sort_unstable();
    Ok(TableRows { table, rows })
}

/// Every row of a table of the site.
///
/// # Errors
/// As [`read`].
pub async fn read_all(
    tx: &mut Tx,
    (shapes, selects): (&Shapes, &Selects),
    site: &str,
    table: &'static str,
) -> Result<TableRows, StoreError> {
    let (Some(columns), Some(select)) = (shapes.get(table), selects.0.get(table)) else {
        return Err(StoreError::Fault(format!("no archive keeps the table {table}")));
    };
    let rows = on_connection!(tx, connection, async {
        let mut builder = QueryBuilder::new(note("SELECT "));
        builder.push(select).push(" FROM ").push(table).push(" WHERE site_id = ").push_bind(site);
        let found = builder.build().fetch_all(connection).await?;
        found.iter().map(|row| values(row, columns)).collect::<Result<Vec<Row>, sqlx::Error>>()
    })?;
    Ok(TableRows { table, rows })
}

/// The values of a row that some database gave.
pub(super) fn values<R: sqlx::Row>(row: &R, columns: &[Column]) -> Result<Row, sqlx::Error>
where
    usize: ColumnIndex<R>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
    R::Database: Database,
{
    columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            Ok(match column.kind {
                Kind::Integer => row.try_get::<Option<i64>, _>(at)?.map_or(Value::Null, Value::Integer),
                Kind::Text => row.try_get::<Option<String>, _>(at)?.map_or(Value::Null, Value::Text),
                Kind::Bytes => row.try_get::<Option<Vec<u8>>, _>(at)?.map_or(Value::Null, Value::Bytes),
            })
        })
        .collect()
}

/// Writes rows into the file under the number of their batch; with none, over what stands there already.
///
/// # Errors
/// Any error of the statements.
pub async fn write(
    connection: &mut SqliteConnection,
    columns: &[Column],
    rows: &TableRows,
    batch: Option<i64>,
) -> Result<(), sqlx::Error> {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let at_once = (MOST_BINDS / (names.len() + 1)).clamp(1, 500);
    let verb = if batch.is_some() { "INSERT INTO " } else { "INSERT OR REPLACE INTO " };
    for chunk in rows.rows.chunks(at_once) {
        let mut builder = QueryBuilder::<Sqlite>::new(verb);
        builder.push(rows.table).push(" (").push(names.join(", ")).push(", archive_batch) ");
        builder.push_values(chunk, |mut list, row| {
            for value in row {
                match value {
                    Value::Null => list.push_bind(None::<i64>),
                    Value::Integer(number) => list.push_bind(*number),
                    Value::Text(text) => list.push_bind(text.as_str()),
                    Value::Bytes(bytes) => list.push_bind(bytes.as_slice()),
                };
            }
            list.push_bind(batch);
        });
        builder.build().persistent(false).execute(&mut *connection).await?;
    }
    Ok(())
}

/// The rows of a batch as the file has them, in order of their values.
///
/// # Errors
/// Any error of the statement.
pub async fn read_back(
    connection: &mut SqliteConnection,
    columns: &[Column],
    table: &'static str,
    batch: i64,
) -> Result<TableRows, sqlx::Error> {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let sql = format!("SELECT {} FROM {table} WHERE archive_batch = $1", names.join(", "));
    let found: Vec<SqliteRow> = sqlx::query(AssertSqlSafe(sql)).bind(batch).fetch_all(connection).await?;
    let mut rows = found.iter().map(|row| values(row, columns)).collect::<Result<Vec<Row>, sqlx::Error>>()?;
    rows.sort_unstable();
    Ok(TableRows { table, rows })
}

/// The hash of a batch: SHA-256 over its tables in order, each with its name, how many rows it has, and their
/// values in order. A value is one byte 0 for nothing; 1 and eight bytes, big end first, for a number; 2 (text) or 3
/// (bytes), the length in eight bytes, and the bytes.
#[must_use]
pub fn hash(tables: &[TableRows]) -> [u8; 32] {
    let mut hash = Sha256::new();
    let add = |hash: &mut Sha256, tag: u8, bytes: &[u8]| {
        hash.update([tag]);
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    for part in tables {
        add(&mut hash, 4, part.table.as_bytes());
        hash.update((part.rows.len() as u64).to_be_bytes());
        for value in part.rows.iter().flatten() {
            match value {
                Value::Null => hash.update([0]),
                Value::Integer(number) => {
                    hash.update([1]);
                    hash.update(number.to_be_bytes());
                }
                Value::Text(text) => add(&mut hash, 2, text.as_bytes()),
                Value::Bytes(bytes) => add(&mut hash, 3, bytes),
            }
        }
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_runs_into_the_next_one_and_each_counts() {
        let one = |values: Row| hash(&[TableRows { table: "t", rows: vec![values] }]);
        let text = |words: &str| Value::Text(words.to_owned());
        assert_ne!(one(vec![text("ab"), text("c")]), one(vec![text("a"), text("bc")]));
        assert_ne!(one(vec![text("a")]), one(vec![Value::Bytes(b"a".to_vec())]));
        assert_ne!(one(vec![Value::Null]), one(vec![Value::Integer(0)]));
        assert_ne!(one(vec![]), hash(&[TableRows { table: "t", rows: Vec::new() }]));
        assert_ne!(
            hash(&[TableRows { table: "a", rows: Vec::new() }]),
            hash(&[TableRows { table: "b", rows: Vec::new() }])
        );
    }
}
