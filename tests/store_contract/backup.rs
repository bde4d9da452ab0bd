//! Backup and restore on both databases: a copy made under load is whole and passes doctor; what must be
//! refused is refused, and nothing is overwritten unasked.

use crate::harness::{Place, SITE, change, menu_version, newest_migration};
use servery::domain::error::ErrorCode;
use servery::domain::ids::CustomerId;
use servery::service::{Caller, Door, SystemClock, TimeOrderedIds, backup as service, doctor};
use servery::store::{Store, StoreError, backup};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn door(store: &Store) -> Door {
    Door::new(store.clone(), SITE, Arc::new(SystemClock), Arc::new(TimeOrderedIds::seeded([5; 32])))
}

/// A target of the same kind as `place`.
fn target(place: &Place) -> Place {
    if place.is_postgres() { Place::postgres().expect("a database") } else { Place::sqlite() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_restores_whole_and_passes_doctor() {
    for place in Place::both() {
        let store = crate::doctor::filled(&place).await;
        let files = tempfile::tempdir().expect("a folder");
        let file = files.path().join("night.backup");
        let stop = Arc::new(AtomicBool::new(false));
        let writer = {
            let (store, stop) = (store.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    change(&store).await;
                }
            })
        };
        let before = menu_version(&store).await;
        let door = door(&store);
        let made = service::back_up(&door, &Caller::System, &file).await.expect("a backup");
        stop.store(true, Ordering::SeqCst);
        writer.await.expect("the writer");
        let after = menu_version(&store).await;
        assert_eq!(made.schema_version, store.known_version());
        let data = std::fs::metadata(&file).expect("the file");
        assert_eq!((data.len(), data.permissions().mode() & 0o777), (made.size_bytes, 0o600));

        let other = target(&place);
        let restored = backup::restore(&file, &other.url, false).await.expect("restored");
        assert!(restored.doctor.iter().all(backup_is_healthy), "{:#?}", restored.doctor);
        let copy = other.open().await;
        let version = menu_version(&copy).await;
        assert!((before..=after).contains(&version), "{before} <= {version} <= {after}");

        // Not empty now: only when told, and not while somebody uses it.
        let refused = backup::restore(&file, &other.url, false).await;
        assert!(matches!(&refused, Err(StoreError::Unusable(why)) if why.contains("not empty")), "{refused:?}");
        change(&copy).await;
        if !place.is_postgres() {
            let used = backup::restore(&file, &other.url, true).await;
            assert!(matches!(&used, Err(StoreError::Unusable(why)) if why.contains("in use")), "{used:?}");
        }
        copy.close().await;
        backup::restore(&file, &other.url, true).await.expect("replaced");
        let copy = other.open().await;
        assert_eq!(menu_version(&copy).await, version, "as it was in the backup");

        let status = service::status(&door, &Caller::System).await.expect("status");
        let last = status.last_backup.expect("a backup is noted");
        assert_eq!(last.file_name, file.display().to_string());
        assert_eq!((last.size_bytes, last.error), (i64::try_from(made.size_bytes).ok(), None));
        assert!(last.finished_at.is_some() && status.engine_is_safe && status.size_bytes > 0);
        assert_eq!((status.instance_id, status.purpose.as_deref()), (Some(uuid::Uuid::from_u128(1)), Some("demo")));
    }
}

fn backup_is_healthy(report: &servery::store::doctor::DoctorReport) -> bool {
    report.is_healthy() && report.site == SITE
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_backed_up_or_restored_is_refused_and_leaves_nothing() {
    for place in Place::both() {
        let store = place.with_site().await;
        let door = door(&store);
        let files = tempfile::tempdir().expect("a folder");
        let file = files.path().join("a.backup");
        std::fs::write(&file, "not mine").expect("written");
        let exists = service::back_up(&door, &Caller::System, &file).await.expect_err("never overwritten");
        assert_eq!(exists.code, ErrorCode::StoreUnavailable);
        assert_eq!(std::fs::read(&file).expect("the file"), b"not mine");
        let status = service::status(&door, &Caller::System).await.expect("status");
        assert!(status.last_backup.expect("noted").error.is_some(), "the failure is noted");
        let none = backup::restore(&file, &target(&place).url, false).await;
        assert!(matches!(&none, Err(StoreError::Unusable(why)) if why.contains("no backup")), "{none:?}");

        let guest = Caller::Guest { customer: CustomerId(uuid::Uuid::nil()), terminal: None };
        let forbidden = service::back_up(&door, &guest, &files.path().join("b")).await;
        assert!(forbidden.is_err() && !files.path().join("b").exists());
        assert!(doctor::examine(&door, &guest).await.is_err());
        let report = doctor::examine(&door, &Caller::System).await.expect("examined");
        assert!(report.is_healthy());

        // A backup of a newer program.
        let newest = newest_migration();
        place.raw(&format!("UPDATE _sqlx_migrations SET version = 9000 WHERE version = {newest}")).await;
        let newer = files.path().join("newer.backup");
        backup::backup(&store, &newer).await.expect("a backup");
        let target = target(&place);
        let refused = backup::restore(&newer, &target.url, true).await;
        assert!(matches!(refused, Err(StoreError::Newer { found: 9000, .. })), "{refused:?}");
        assert_eq!(target.open().await.schema_version().await.expect("a version"), newest, "the target was left alone");

        // A torn one.
        let whole = std::fs::read(&newer).expect("the file");
        let torn = files.path().join("torn.backup");
        std::fs::write(&torn, &whole[..whole.len() / 2]).expect("written");
        let refused = backup::restore(&torn, &self::target(&place).url, true).await;
        assert!(refused.is_err(), "{refused:?}");
    }
}
