//! A store of its own beside a given one, for what must never touch real rows: on SQLite a new folder
//! next to the file, so that both lie on one disk; on Postgres a new schema in the same database. It is
//! made empty and removed whole. What is done in it is not decided here.

use super::pool::postgres_options;
use super::{StoreError, StoreUrl};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::sleep;

/// What the names of all such stores begin with.
const PREFIX: &str = "servery_";
/// How often, and with which pause, the folder's removal is tried again.
const REMOVE_TRIES: u32 = 40;
const REMOVE_PAUSE: Duration = Duration::from_millis(50);

/// A store beside another one. It stays until [`Beside::remove`]: dropping it removes nothing, because
/// whoever was told to keep it does just that.
#[derive(Debug)]
pub struct Beside {
    url: StoreUrl,
    /// The address of the given store, from which the schema is dropped.
    given: StoreUrl,
    name: String,
    folder: PathBuf,
}

impl Beside {
    /// Makes the store's place: `purpose` (a-z) says what it is for, `token` (hexadecimal) makes its name unlike
    /// every other. The store itself is made by the first who opens it.
    ///
    /// # Errors
    /// [`StoreError::Disk`] for a folder that cannot be made; [`StoreError::Unavailable`] for a server that
    /// cannot be reached, [`StoreError::Fault`] for one whose role may not create a schema.
    pub async fn make(given: &StoreUrl, purpose: &str, token: &str) -> Result<Self, StoreError> {
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !plain(purpose) || !plain(token) {
            return Err(StoreError::Fault(format!("{purpose} {token} is no name of a store")));
        }
        let name = format!("{PREFIX}{purpose}_{token}").to_ascii_lowercase();
        let folder = match given {
            StoreUrl::Sqlite(path) => path.parent().unwrap_or_else(|| Path::new("")).join(&name),
            StoreUrl::Postgres(_) => std::env::temp_dir().join(&name),
        };
        // Whoever is started with it may stand in another folder.
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            make_folder(parent, true)?;
        }
        make_folder(&folder, false)?;
        let url = match given {
            StoreUrl::Sqlite(_) => StoreUrl::Sqlite(folder.join("servery.db")),
            StoreUrl::Postgres(url) => {
                if let Err(error) = on_server(url, format!("CREATE SCHEMA {name}")).await {
                    // Nothing is in it yet.
                    let _ = std::fs::remove_dir(&folder);
                    return Err(error);
                }
                let mark = if url.contains('?') { '&' } else { '?' };
                StoreUrl::Postgres(format!("{url}{mark}options%5Bsearch_path%5D={name}"))
            }
        };
        Ok(Self { url, given: given.clone(), name, folder })
    }

    /// The address of the store.
    #[must_use]
    pub const fn url(&self) -> &StoreUrl {
        &self.url
    }

    /// Its name: that of the folder, and of the schema.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is, in words without a password, for who keeps it.
    #[must_use]
    pub fn place(&self) -> String {
        match &self.given {
            StoreUrl::Sqlite(_) => self.url.to_string(),
            StoreUrl::Postgres(_) => format!("schema {} of {}", self.name, self.given),
        }
    }

    /// A folder of its own, for what the processes that use the store remember; removed with it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Removes the store with all that is in it. Every process that uses it must have ended.
    ///
    /// # Errors
    /// [`StoreError::Disk`] and [`StoreError::Unavailable`], naming what is left to be removed by hand.
    pub async fn remove(self) -> Result<(), StoreError> {
        if let StoreUrl::Postgres(url) = &self.given {
            on_server(url, format!("DROP SCHEMA {} CASCADE", self.name)).await?;
        }
        // A process that was killed a moment ago may still have made a file.
        let mut tries = 0;
        loop {
            match std::fs::remove_dir_all(&self.folder) {
                Ok(()) => return Ok(()),
                Err(_) if tries < REMOVE_TRIES => tries += 1,
                Err(error) => return Err(StoreError::Disk(format!("{} is left: {error}", self.folder.display()))),
            }
            sleep(REMOVE_PAUSE).await;
        }
    }
}

fn make_folder(folder: &Path, may_be_there: bool) -> Result<(), StoreError> {
    std::fs::DirBuilder::new()
        .recursive(may_be_there)
        .mode(0o700)
        .create(folder)
        .map_err(|error| StoreError::Disk(format!("{}: {error}", folder.display())))
}

/// Runs one statement on a connection of its own. The only variable part is a name that this file made.
async fn on_server(url: &str, statement: String) -> Result<(), StoreError> {
    let mut connection = postgres_options(url)?.connect().await?;
    connection.execute(AssertSqlSafe(statement)).await?;
    connection.close().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Options, Store};

    #[tokio::test]
    async fn a_store_beside_a_file_leaves_nothing_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let given = StoreUrl::Sqlite(folder.path().join("house").join("servery.db"));
        let beside = Beside::make(&given, "stress", "0a1b").await.expect("made");
        let store = Store::open(beside.url(), Options::default()).await.expect("opened");
        assert_eq!(store.schema_version().await.expect("a version"), store.known_version());
        store.close().await;
        assert!(beside.folder().is_dir());
        let twice = Beside::make(&given, "stress", "0a1b").await;
        assert!(matches!(twice, Err(StoreError::Disk(_))), "{twice:?}");
        beside.remove().await.expect("removed");
        let left: Vec<_> = std::fs::read_dir(folder.path().join("house")).expect("the folder").collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[tokio::test]
    async fn a_name_is_letters_and_digits() {
        let given = StoreUrl::Sqlite("/nonexistent/servery.db".into());
        for (purpose, token) in [("", "1"), ("stress", "../x"), ("a b", "1"), ("stress", "1; DROP")] {
            assert!(Beside::make(&given, purpose, token).await.is_err(), "{purpose} {token}");
        }
    }
}
