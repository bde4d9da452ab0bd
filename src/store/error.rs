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
    /// The disk did not keep what was written (a failed fsync): nothing more is written by this process,
    /// because what the kernel still shows may not be what is on the disk.
    #[error("the disk did not keep what was written: {0}")]
    SyncFailed(String),
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
        matches!(self, Self::Unavailable(_) | Self::Disk(_) | Self::SyncFailed(_) | Self::CommitUnknown(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(database) => of_database(database.as_ref()),
            sqlx::Error::Io(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error.to_string()),
            sqlx::Error::Tls(_) => Self::Unusable(format!(
                "The Postgres server did not prove itself ({error}). Name its certificate (sslrootcert=FILE) or another \
                 sslmode in the store's address."
            )),
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
        // Postgres: shutting down, starting up, too many connections, cancelled by time-out, idle for too
        // long, a standby that was not promoted (yet), a lost connection (class 08).
        "57P01" | "57P02" | "57P03" | "57P05" | "53300" | "57014" | "25P03" | "25006" => {
            StoreError::Unavailable(message)
        }
        code if code.len() == 5 && code.starts_with("08") => StoreError::Unavailable(message),
        // Postgres: wrong name or password, no such database, a role without the right.
        "28000" | "28P01" | "3D000" => StoreError::Unusable(format!("The Postgres server refuses: {message}")),
        "42501" => StoreError::Unusable(format!("The store's role lacks a right: {message}")),
        // Postgres: out of disk or memory, I/O error.
        "53100" | "53200" | "58030" => StoreError::Disk(message),
        "23514" | "23503" | "23502" | "P0001" => StoreError::Constraint(named),
        // SQLITE_IOERR_FSYNC and SQLITE_IOERR_DIR_FSYNC.
        "1034" | "1290" => StoreError::SyncFailed(message),
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
            StoreError::SyncFailed(_) => Self::new(
                ErrorCode::StoreUnavailable,
                "The disk did not keep what was written. Nothing more is written.",
            )
            .help("Check the disk, run servery doctor, then start Servery again."),
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    /// What a database says, by its code.
    #[derive(Debug)]
    struct Said(&'static str);

    impl std::fmt::Display for Said {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl std::error::Error for Said {}

    impl sqlx::error::DatabaseError for Said {
        fn message(&self) -> &str {
            "said"
        }
        fn code(&self) -> Option<Cow<'_, str>> {
            Some(Cow::Borrowed(self.0))
        }
        fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
            self
        }
        fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
            self
        }
        fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
            self
        }
        fn kind(&self) -> sqlx::error::ErrorKind {
            sqlx::error::ErrorKind::Other
        }
    }

    #[test]
    fn codes_are_sorted_by_what_follows_from_them() {
        let of = |code| of_database(&Said(code));
        for code in ["40001", "40P01", "5", "517", "6"] {
            assert!(of(code).is_retryable(), "{code}");
        }
        for code in ["57P01", "57P03", "08006", "25006", "13", "10", "778"] {
            assert!(of(code).is_away() && !of(code).is_retryable(), "{code}");
        }
        // A failed fsync is not a disk that may have room again in a moment.
        for code in ["1034", "1290"] {
            assert!(matches!(of(code), StoreError::SyncFailed(_)), "{code}");
        }
        assert!(matches!(of("42501"), StoreError::Unusable(_)));
        assert!(matches!(of("19"), StoreError::Constraint(_)));
        assert!(matches!(of("42601"), StoreError::Fault(_)));
    }
}
