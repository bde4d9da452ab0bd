//! A demo house on a fresh store of either kind, with a clock that the test sets.

use super::support::postgres::{TestDatabase, database};
use servery::domain::ids::Ids;
use servery::domain::time::{Clock, Timestamp};
use servery::service::{Door, TimeOrderedIds, setup};
use servery::store::{Options, Store, StoreUrl};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A clock that stands still until it is set.
#[derive(Debug)]
pub struct TestClock(AtomicI64);

impl TestClock {
    /// Sets the instant.
    pub fn set(&self, rfc3339: &str) {
        let at = chrono::DateTime::parse_from_rfc3339(rfc3339).expect("an instant");
        self.0.store(at.timestamp_micros(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A store with a site behind a door.
pub struct House {
    pub door: Door,
    pub url: StoreUrl,
    pub clock: Arc<TestClock>,
    pub ids: Arc<dyn Ids>,
    /// Only on SQLite does the store take its instants from `clock`.
    pub sqlite: bool,
    _folder: Option<tempfile::TempDir>,
    _database: Option<TestDatabase>,
}

impl House {
    /// An empty store.
    pub async fn empty(postgres: bool) -> Option<Self> {
        let (folder, database, url) = if postgres {
            let database = tokio::task::spawn_blocking(database).await.expect("database")?;
            let url = StoreUrl::parse(database.url()).expect("url");
            (None, Some(database), url)
        } else {
            let folder = tempfile::tempdir().expect("folder");
            let url = StoreUrl::Sqlite(folder.path().join("servery.db"));
            (Some(folder), None, url)
        };
        let store = Store::open(&url, Options::default()).await.expect("store");
        let clock = Arc::new(TestClock(AtomicI64::new(0)));
        clock.set("2026-03-02T06:30:00Z");
        let ids: Arc<dyn Ids> = Arc::new(TimeOrderedIds::seeded([3; 32]));
        let door = Door::new(store, "main", Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&ids));
        Some(Self { door, url, clock, ids, sqlite: !postgres, _folder: folder, _database: database })
    }

    /// The demo store.
    pub async fn demo(postgres: bool) -> Option<Self> {
        let house = Self::empty(postgres).await?;
        let demo = setup::InitSite::demo("main");
        assert!(setup::init(house.door.store(), &*house.clock, &*house.ids, &demo).await.expect("init"));
        Some(house)
    }
}

/// One test on both databases: `on_both!(name, |house| { .. })` on the demo store.
#[macro_export]
macro_rules! on_both {
    ($name:ident, |$house:ident| $body:block) => {
        mod $name {
            use super::*;
            async fn run(postgres: bool) {
                let Some($house) = House::demo(postgres).await else { return };
                $body
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                run(false).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                run(true).await;
            }
        }
    };
}
