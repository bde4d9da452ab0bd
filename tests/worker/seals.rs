//! The seals over the audit log: they hold, and what is changed under them is noticed.

use crate::house::House;
use crate::on_both;
use servery::domain::payment::Method;
use servery::store::seal;
use servery::worker::Worker;

async fn seal_all(worker: &Worker, seconds: i64) -> i64 {
    let held = worker.take_lease().await.expect("asked").held.expect("the lease");
    worker.seal_audit_older_than(&held, seconds).await.expect("sealed").sealed
}

async fn verified(house: &House) -> seal::Verified {
    let mut tx = house.door.store().read().await.expect("a transaction");
    let found = seal::verify(&mut tx, "main").await.expect("verified");
    tx.rollback().await.expect("ended");
    found
}

on_both!(seals_hold_and_a_changed_row_is_noticed, |house| {
    let (worker, _) = house.leading().await;
    let mut sealed = 0;
    for _ in 0..3 {
        house.place(Method::Cash, false).await;
        sealed += seal_all(&worker, 0).await;
    }
    let rows = house.number("SELECT COUNT(*) FROM audit_log").await;
    assert_eq!(sealed, rows);
    assert_eq!(house.number("SELECT COUNT(*) FROM audit_seals").await, 3);
    assert_eq!(seal_all(&worker, 0).await, 0, "nothing new, no seal");
    assert_eq!(verified(&house).await, seal::Verified { sealed: rows, ..seal::Verified::default() });
    if !house.postgres {
        house.raw("DROP TRIGGER audit_log_no_update").await;
    }
    let last = house.number("SELECT MAX(seq) FROM audit_log").await;
    house.raw(&format!("UPDATE audit_log SET details = 'nothing happened' WHERE seq = {last}")).await;
    let found = verified(&house).await;
    assert!(found.violation.is_some_and(|seal| seal.contains("seal 3")), "the last seal does not fit");
});

on_both!(a_short_tail_waits_until_it_is_old, |house| {
    let (worker, _) = house.leading().await;
    seal_all(&worker, 0).await;
    house.place(Method::Cash, false).await;
    assert_eq!(seal_all(&worker, 60).await, 0);
    house.pass_seconds(61).await;
    assert!(seal_all(&worker, 60).await > 0);
});

/// On Postgres a lower number may be committed after a higher one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_commits_late_is_sealed_in_its_place() {
    let Some(house) = House::demo(true).await else { return };
    let (worker, _) = house.leading().await;
    seal_all(&worker, 0).await;
    // A transaction that has been given its number and is in no hurry.
    let mut slow = house.door.store().write().await.expect("a transaction");
    let row = |details: &str| servery::store::records::AuditRow {
        action: "RUN",
        entity: "Command",
        entity_id: "slow".to_owned(),
        details: details.to_owned(),
        before: None,
        after: None,
        reason: None,
    };
    let (system, now) = (servery::domain::access::Actor::system(), servery::domain::time::Timestamp(1));
    servery::store::records::append_audit(&mut slow, "main", "slow", &system, &[row("slow")], now)
        .await
        .expect("written");
    house.place(Method::Cash, false).await;
    assert_eq!(seal_all(&worker, 0).await, 0, "a lower number may still come");
    assert_eq!(seal_all(&worker, 0).await, 0);
    // One that began later has a higher number, and need not be waited for.
    let mut later = house.door.store().write().await.expect("a transaction");
    servery::store::records::append_audit(&mut later, "main", "later", &system, &[row("later")], now)
        .await
        .expect("written");
    slow.commit().await.expect("committed");
    assert!(seal_all(&worker, 0).await > 0);
    assert_eq!(verified(&house).await.violation, None);
    later.commit().await.expect("committed");
    assert!(seal_all(&worker, 0).await > 0);
    let found = verified(&house).await;
    assert_eq!((found.violation, found.unsealed), (None, 0));
}
