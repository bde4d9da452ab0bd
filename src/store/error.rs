//! What can go wrong between us and the database, sorted by what follows from it: try again, say
//! that the store is away, or tell the person which rule a row broke.

use crate::domain::error::{ErrorCode, Refused};

/// A failure of the store. Nothing of the transaction in which it happened was kept, except where
/// [`StoreError::CommitUnknown`] says that it cannot be known.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, or did not answer in time.
    #[error("the store is away: {0}")]
    Unavailable(String),
    /// Another transaction stood in the way (40001, 40P01, SQLITE_BUSY): the same again may succeed.
    #[error("the store asks to try again: {0}")]
    Retry(String),
    /// A constraint or trigger refused the row; its name, where the database tells it.
    #[error("the store refused a row: {0}")]
    Constraint(String),
    /// A row with this key exists.
    #[error("the store has such a row already: {0}")]
    Duplicate(String),
    /// The disk is full, or cannot be read or written.
    #[error("the disk under the store fails: {0}")]
    Disk(String),
    /// The connection was lost while committing: whether it was kept only an idempotency key tells.
    #[error("the store's answer to a commit was lost: {0}")]
    CommitUnknown(String),
    /// The store was written by a newer program.
    #[error("the store has schema {found}, this program knows {known}")]
    Newer {
        /// The schema found.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// The address of the store, or what stands there, cannot be used.
    #[error("{0}")]
    Unusable(String),
    /// A statement of ours is wrong, or a row cannot be read: a fault of the program.
    #[error("a statement failed: {0}")]
    Fault(String),
}

impl StoreError {
    /// Whether the same transaction may succeed when tried again at once.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Retry(_))
    }

    /// Whether the store is out of reach for now: screens show their banner.
    #[must_use]
    pub const fn is_away(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Disk(_) | Self::CommitUnknown(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(database) => of_database(database.as_ref()),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error.to_string()),
            sqlx::Error::Configuration(_) => Self::Unusable(error.to_string()),
            other => Self::Fault(other.to_string()),
        }
    }
}

fn of_database(database: &dyn sqlx::error::DatabaseError) -> StoreError {
    let code = database.code().unwrap_or_default().into_owned();
    let message = database.message().to_owned();
    let named = database.constraint().map_or_else(|| message.clone(), str::to_owned);
    if database.is_unique_violation() {
        return StoreError::Duplicate(named);
    }
    match code.as_str() {
        // Postgres: serialization failure, deadlock, lock not available.
        "40001" | "40P01" | "55P03" => StoreError::Retry(message),
        // Postgres: shutting down, starting up, too many connections, cancelled by time-out.
        "57P01" | "57P02" | "57P03" | "53300" | "57014" => StoreError::Unavailable(message),
        // Postgres: out of disk or memory, I/O error.
        "53100" | "53200" | "58030" => StoreError::Disk(message),
        "23514" | "23503" | "23502" | "P0001" => StoreError::Constraint(named),
        other => match other.parse::<i32>().map(|code| code & 0xff) {
            // SQLITE_BUSY and SQLITE_LOCKED.
            Ok(5 | 6) => StoreError::Retry(message),
            // SQLITE_READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB.
            Ok(8 | 10 | 11 | 13 | 14 | 26) => StoreError::Disk(message),
            Ok(19) => StoreError::Constraint(named),
            _ => StoreError::Fault(format!("{code} {message}")),
        },
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        let cause = error.to_string();
        let mut refused = match &error {
            StoreError::Unavailable(_) | StoreError::Retry(_) => {
                Self::new(ErrorCode::StoreUnavailable, "The store cannot be reached.")
            }
            StoreError::Disk(_) => Self::new(ErrorCode::StoreUnavailable, "The store's disk is full or fails.")
                .help("Nothing was changed. Free some space or check the disk, then try again."),
            StoreError::CommitUnknown(_) => {
                Self::new(ErrorCode::StoreUnavailable, "The store did not answer; it may or may not have happened.")
                    .help("Look before you repeat it.")
            }
            StoreError::Newer { found, known } => Self::new(
                ErrorCode::StoreUnavailable,
                format!("This store was written by a newer Servery (schema {found}; this one knows {known})."),
            )
            .help("Install the newer Servery, or restore an older backup."),
            StoreError::Constraint(_) | StoreError::Duplicate(_) => {
                Self::conflict("The store's own rules refused this.")
            }
            StoreError::Unusable(what) => Self::new(ErrorCode::StoreUnavailable, what.clone()),
            StoreError::Fault(_) => Self::internal(&cause),
        };
        refused.cause = Some(cause);
        refused
    }
}
