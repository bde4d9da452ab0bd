//! The ten rules that cost something to learn (see the module `store`), each by its number. Rule 2 on
//! SQLite and rule 10 stand as unit tests beside their code; rule 8 belongs to the outbox's reader.

use crate::harness::{Cluster, Place, Proxy, SITE, add_site, change, menu_version};
use crate::support::wait::{LIMIT, until_async};
use servery::domain::access::Permission;
use servery::domain::error::Refused;
use servery::service::{Caller, Context, Door, SystemClock, TimeOrderedIds, UseCase};
use servery::store::sites::{self, SiteRow};
use servery::store::{Options, Store, StoreError, StoreUrl};
use std::sync::Arc;
use std::time::Duration;

/// A command that can be counted: the version of the menu rises by one each time it is kept.
#[derive(Debug, Clone, serde::Serialize)]
struct Count {
    number: u32,
}

impl UseCase for Count {
    type Output = u32;
    const NAME: &'static str = "count";
    const PERMISSION: Permission = Permission::MenuRead;

    async fn run(&self, context: &mut Context<'_>) -> Result<u32, Refused> {
        sites::menu_changed(context.tx, SITE).await?;
        Ok(self.number)
    }
}

fn door(store: &Store) -> Door {
    Door::new(store.clone(), SITE, Arc::new(SystemClock), Arc::new(TimeOrderedIds::seeded([3; 32])))
}

async fn existing_site(store: &Store) -> SiteRow {
    let mut tx = store.read().await.expect("a transaction");
    let site = sites::find(&mut tx, SITE).await.expect("read").expect("the site");
    tx.rollback().await.expect("ended");
    site
}

/// A short way to lose: nobody waits long in these tests.
fn brisk() -> Options {
    Options {
        statement_deadline: Duration::from_millis(700),
        acquire_deadline: Duration::from_millis(900),
        ..Options::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_2_and_3_after_an_error_nothing_runs_nothing_is_kept_and_the_connection_is_closed() {
    const BACKEND: &str = "SELECT CAST(MAX(pid) AS BIGINT) FROM pg_stat_activity \
         WHERE application_name = 'servery' AND datname = current_database()";
    const BACKENDS: &str = "SELECT COUNT(*) FROM pg_stat_activity \
         WHERE application_name = 'servery' AND datname = current_database()";
    for place in Place::both() {
        let store = place.open_with(Options { connections: 1, ..Options::default() }).await;
        add_site(&store).await;
        let site = existing_site(&store).await;
        if place.is_postgres() {
            // The server takes its time to forget the connection that made the tables.
            let alone = async { while place.number(BACKENDS).await != 1 {} };
            tokio::time::timeout(Duration::from_secs(20), alone).await.expect("one connection and no other");
        }
        let backend = if place.is_postgres() { place.number(BACKEND).await } else { 0 };
        change(&store).await;
        if place.is_postgres() {
            assert_eq!(place.number(BACKEND).await, backend, "a clean connection is used again");
        }
        let before = menu_version(&store).await;
        let mut tx = store.write().await.expect("a transaction");
        sites::menu_changed(&mut tx, SITE).await.expect("changed");
        let twice = sites::insert(&mut tx, &site, uuid::Uuid::nil(), crate::harness::START).await;
        assert!(matches!(twice, Err(StoreError::Duplicate(_))), "{twice:?}");
        // The error is ignored here, as a careless caller might.
        assert!(sites::menu_changed(&mut tx, SITE).await.is_err(), "nothing more runs");
        assert!(tx.commit().await.is_err(), "and it cannot be committed");
        assert_eq!(menu_version(&store).await, before, "nothing was kept");
        change(&store).await;
        assert_eq!(menu_version(&store).await, before + 1);
        if place.is_postgres() {
            assert_ne!(place.number(BACKEND).await, backend, "the connection was closed");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_4_a_cancelled_begin_leaves_no_transaction_behind() {
    const OPEN: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
         AND application_name = 'servery' AND state LIKE 'idle in transaction%'";
    for place in Place::both() {
        let store = place.with_site().await;
        for round in 0..150_u64 {
            let begun = tokio::time::timeout(Duration::from_micros(round * 17), store.write()).await;
            drop(begun);
            let read = tokio::time::timeout(Duration::from_micros(round * 17), store.read()).await;
            drop(read);
        }
        let before = menu_version(&store).await;
        change(&store).await;
        assert_eq!(menu_version(&store).await, before + 1, "{}", place.url);
        if place.is_postgres() {
            until_async(LIMIT, "no transaction is left open", async || place.number(OPEN).await == 0).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_5_a_command_whose_caller_went_away_happens_once_under_its_key() {
    for place in Place::both() {
        let store = place.with_site().await;
        let door = door(&store);
        for round in 0..40_u32 {
            let before = menu_version(&store).await;
            let key = format!("key-{round}");
            let first = door.execute(&Caller::System, Some(&key), Count { number: round });
            let cancelled = tokio::time::timeout(Duration::from_micros(u64::from(round) * 100), first).await;
            let again = door.execute(&Caller::System, Some(&key), Count { number: round }).await;
            assert_eq!(again, Ok(round), "first: {cancelled:?}");
            // The cancelled one runs to its end in its own task, and finds the key.
            drop(store.write().await.expect("a transaction"));
            assert_eq!(menu_version(&store).await, before + 1, "{} round {round}", place.url);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_5_a_lost_commit_or_a_lost_answer_is_settled_by_the_key() {
    let Some(place) = Place::postgres() else { return };
    let direct = place.with_site().await;
    let (proxy, url) = Proxy::before(place.text());
    let store = Store::open(&StoreUrl::parse(&url).expect("url"), Options::default()).await.expect("a store");
    let door = door(&store);
    for round in 0..20_u32 {
        let before = menu_version(&direct).await;
        if round % 2 == 0 {
            proxy.lose_next_commit()
        } else {
            proxy.lose_next_commits_answer()
        }
        let key = format!("key-{round}");
        let answer = door.execute(&Caller::System, Some(&key), Count { number: round }).await;
        assert!(proxy.lost_one(), "the fault happened");
        assert_eq!(answer, Ok(round));
        assert_eq!(menu_version(&direct).await, before + 1, "round {round}");
    }
    // Without a key nobody can know, and that is what is said.
    proxy.lose_next_commits_answer();
    let mut tx = store.write().await.expect("a transaction");
    sites::menu_changed(&mut tx, SITE).await.expect("changed");
    let unknown = tx.commit().await;
    assert!(matches!(unknown, Err(StoreError::CommitUnknown(_))), "{unknown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_6_a_vanished_server_hangs_nobody_and_its_return_is_enough() {
    let Some(place) = Place::postgres() else { return };
    let direct = place.with_site().await;
    let (proxy, url) = Proxy::before(place.text());
    let store = Store::open(&StoreUrl::parse(&url).expect("url"), brisk()).await.expect("a store");
    for _ in 0..2 {
        // One that is inside a transaction, connections that are idle, and newcomers.
        let mut inside = store.write().await.expect("a transaction");
        change(&direct).await;
        proxy.swallow();
        let hung = tokio::time::timeout(LIMIT, sites::menu_changed(&mut inside, SITE)).await.expect("bounded");
        assert!(matches!(hung, Err(StoreError::Unavailable(_))), "{hung:?}");
        drop(inside);
        for _ in 0..3 {
            let begun = tokio::time::timeout(LIMIT, store.write()).await.expect("bounded");
            assert!(begun.is_err_and(|error| error.is_away()));
        }
        proxy.pass();
        until_async(LIMIT, "the store is back by itself", async || store.write().await.is_ok()).await;
        let before = menu_version(&direct).await;
        change(&store).await;
        assert_eq!(menu_version(&direct).await, before + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_7_writers_that_read_first_never_stand_in_each_others_way() {
    let place = Place::sqlite();
    let store = place.with_site().await;
    let before = menu_version(&store).await;
    let mut writers = Vec::new();
    for _ in 0..4 {
        // A store each: nothing is shared but the file, as between processes.
        let store = place.open().await;
        writers.push(tokio::spawn(async move {
            for _ in 0..25 {
                let mut tx = store.write().await.expect("a transaction");
                sites::find(&mut tx, SITE).await.expect("read");
                tokio::task::yield_now().await;
                sites::menu_changed(&mut tx, SITE).await.expect("a read that turns into a write");
                tx.commit().await.expect("committed");
            }
        }));
    }
    for writer in writers {
        writer.await.expect("a writer");
    }
    assert_eq!(menu_version(&store).await, before + 100);
}

#[tokio::test]
async fn rule_9_the_sqlite_inside_is_new_enough() {
    let mut connection =
        <sqlx::SqliteConnection as sqlx::Connection>::connect("sqlite::memory:").await.expect("SQLite");
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut connection).await.expect("text");
    let numbers: Vec<u32> = version.split('.').map(|part| part.parse().expect("a number")).collect();
    assert!(numbers >= vec![3, 51, 3], "{version}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_cut_down_and_started_again_is_reached_again() {
    let Some(cluster) = Cluster::start().await else { return };
    let url = StoreUrl::parse(&cluster.url).expect("url");
    let store = Store::open(&url, brisk()).await.expect("a store");
    add_site(&store).await;
    let mut feed = servery::store::Feed::open(&store, SITE);
    for _ in 0..2 {
        let before = menu_version(&store).await;
        change(&store).await;
        cluster.stop_immediately();
        let begun = tokio::time::timeout(LIMIT, store.write()).await.expect("bounded");
        assert!(begun.is_err_and(|error| error.is_away()));
        // A screen can start meanwhile, and is told why it shows nothing.
        let strict = Store::open(&url, brisk()).await;
        assert!(strict.is_err_and(|error| error.is_away()));
        let patient = Store::open(&url, Options { may_be_away: true, ..brisk() }).await.expect("opened while away");
        assert!(patient.read().await.is_err_and(|error| error.is_away()));
        let told = async { while feed.changed().await != servery::store::FeedEvent::Away {} };
        tokio::time::timeout(LIMIT, told).await.expect("the feed says that it is away");
        cluster.start_again();
        until_async(LIMIT, "the store is back by itself", async || store.write().await.is_ok()).await;
        assert_eq!(menu_version(&store).await, before + 1, "what was acknowledged is there");
        assert_eq!(menu_version(&patient).await, before + 1);
        let told = async { while feed.changed().await != servery::store::FeedEvent::Back {} };
        tokio::time::timeout(LIMIT, told).await.expect("the feed says that it is back");
    }
}
