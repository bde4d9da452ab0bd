//! Opening a store: made once by many at a time, refused when it is newer or damaged, without the right
//! to define anything.

use crate::harness::{Place, add_site, change, menu_version, newest_migration};
use servery::store::{Options, Store, StoreError, StoreUrl};
use std::os::unix::fs::PermissionsExt as _;

#[tokio::test(flavor = "multi_thread")]
async fn many_may_open_an_empty_store_at_once() {
    for place in Place::both() {
        let openings: Vec<_> = (0..6)
            .map(|_| {
                let url = place.url.clone();
                tokio::spawn(async move { Store::open(&url, Options::default()).await })
            })
            .collect();
        for opening in openings {
            let store = opening.await.expect("opened").expect("the store opens");
            assert_eq!(store.schema_version().await.expect("a version"), store.known_version());
        }
    }
}

#[tokio::test]
async fn the_file_is_nobody_elses_to_read() {
    let place = Place::sqlite();
    let store = place.with_site().await;
    change(&store).await;
    let folder = place.folder().join("store");
    assert_eq!(std::fs::metadata(&folder).expect("the folder").permissions().mode() & 0o777, 0o700);
    for entry in std::fs::read_dir(&folder).expect("the folder") {
        let entry = entry.expect("an entry");
        let mode = entry.metadata().expect("its rights").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_newer_half_migrated_or_anothers_is_refused() {
    for place in Place::both() {
        drop(place.with_site().await);
        let newest = newest_migration();
        place.raw(&format!("UPDATE _sqlx_migrations SET success = FALSE WHERE version = {newest}")).await;
        let half = Store::open(&place.url, Options::default()).await;
        assert!(
            matches!(&half, Err(StoreError::Unusable(why)) if why.contains(&format!("Migration {newest}"))),
            "{half:?}"
        );
        let words = format!("UPDATE _sqlx_migrations SET success = TRUE, version = 9000 WHERE version = {newest}");
        place.raw(&words).await;
        let newer = Store::open(&place.url, Options::default()).await;
        assert!(matches!(newer, Err(StoreError::Newer { found: 9000, known }) if known == newest), "{newer:?}");
        place.raw("DELETE FROM _sqlx_migrations WHERE version = 9000").await;
        let older = Store::open(&place.url, Options { migrate: false, ..Options::default() }).await;
        assert!(matches!(&older, Err(StoreError::Unusable(why)) if why.contains("db migrate")), "{older:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_not_define_anything_opens_and_works() {
    let Some(place) = Place::postgres() else { return };
    let owner = place.open().await;
    add_site(&owner).await;
    let role = format!("terminal_{}", std::process::id());
    place
        .raw(&format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'terminal'; GRANT USAGE ON SCHEMA public TO {role}; \
             GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {role}; \
             GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"
        ))
        .await;
    let (_, host) = place.text().rsplit_once('@').expect("user@host");
    let url = StoreUrl::parse(&format!("postgres://{role}:terminal@{host}")).expect("url");
    for migrate in [true, false] {
        let store = Store::open(&url, Options { migrate, ..Options::default() }).await.expect("the store opens");
        let before = menu_version(&store).await;
        change(&store).await;
        assert_eq!(menu_version(&store).await, before + 1);
        store.close().await;
    }
    place.raw(&format!("DELETE FROM _sqlx_migrations WHERE version = {}", newest_migration())).await;
    let refused = Store::open(&url, Options::default()).await;
    assert!(matches!(refused, Err(StoreError::Unusable(_))), "{refused:?}");
    place.raw(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}
