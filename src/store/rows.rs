//! Small helpers for rows: many rows in one statement, and conditional writes that must hit one row.

use super::StoreError;

/// `insert_rows!(tx, "INSERT INTO t (a, b) ", rows, |values, row| { values.push_bind(..); })`: one
/// statement for any number of rows; none at all for no rows.
macro_rules! insert_rows {
    ($tx:expr, $head:literal, $rows:expr, |$values:ident, $row:ident| $push:block) => {{
        let rows = $rows;
        if rows.is_empty() {
            Ok(0)
        } else {
            on_connection!($tx, connection, async {
                let mut builder = sqlx::QueryBuilder::new($crate::store::statements::note($head));
                builder.push_values(rows, |mut $values, $row| $push);
                builder.build().execute(connection).await.map(|done| done.rows_affected())
            })
        }
    }};
}

/// Whether a conditional write hit exactly one row; more than one is a fault of ours.
///
/// # Errors
/// [`StoreError::Fault`] when several rows were hit.
pub(super) fn hit_one(rows: u64) -> Result<bool, StoreError> {
    match rows {
        0 => Ok(false),
        1 => Ok(true),
        more => Err(StoreError::Fault(format!("a conditional write hit {more} rows"))),
    }
}
