//! Small helpers for rows: many rows in one statement, conditional writes that must hit one row, how far
//! is counted, and looking for a part of a text.

use super::StoreError;

/// Rows of a list are counted up to so many; a statement that counts looks for one more and says with
/// it that there are more.
pub const MOST_COUNTED: i64 = 1_000;

/// The pattern of `LIKE .. ESCAPE '!'` for what contains a text as it was typed.
pub(super) fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len().saturating_add(2));
    pattern.push('%');
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// `insert_rows!(tx, "INSERT INTO t (a, b) ", rows, |values, row| { values.push_bind(..); })`: one
/// statement for any number of rows; none at all for no rows. `, |end| { end.push(..); }` after it adds
/// to the end of the statement.
macro_rules! insert_rows {
    ($tx:expr, $head:literal, $rows:expr, |$values:ident, $row:ident| $push:block) => {
        insert_rows!($tx, $head, $rows, |$values, $row| $push, |_end| {})
    };
    ($tx:expr, $head:literal, $rows:expr, |$values:ident, $row:ident| $push:block, |$end:ident| $finish:block) => {{
        let rows = $rows;
        if rows.is_empty() {
            Ok(0)
        } else {
            on_connection!($tx, connection, async {
                let mut builder = sqlx::QueryBuilder::new($crate::store::statements::note($head));
                builder.push_values(rows, |mut $values, $row| $push);
                {
                    let $end = &mut builder;
                    $finish
                }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_looked_for_as_it_was_typed() {
        assert_eq!(containing("50 %_!"), "%50 !%!_!!%");
    }
}
