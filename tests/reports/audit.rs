//! The audit log's pages and filters, who may read them, and its seals as a manager sees them.

use super::house::House;
use crate::on_both;
use servery::domain::error::ErrorCode;
use servery::domain::ids::CustomerId;
use servery::domain::payment::Method;
use servery::payment::Gateways;
use servery::service::audit::{AuditEntry, AuditList, SealsStatus, verify};
use servery::service::orders::{NoteOrder, SetPriority};
use servery::service::{Caller, settings::SetSetting};

fn all() -> AuditList {
    AuditList { limit: 500, ..AuditList::default() }
}

async fn list(house: &House, query: AuditList) -> Vec<AuditEntry> {
    house.door.ask(&Caller::System, query).await.expect("a page").items
}

/// Some things that happen: an order, two steps of the kitchen, a setting.
async fn happen(house: &House) -> String {
    let order = house.place(Method::Cash, false).await.order;
    house.cook(SetPriority { order: order.id, priority: 1 }).await;
    house.pass_seconds(60).await;
    house.cook(NoteOrder { order: order.id, note: "no nuts".to_owned() }).await;
    let set = SetSetting { key: "recall_window_seconds".to_owned(), value: 300.into(), seen: None, reason: None };
    house.door.execute(&Caller::System, None, set).await.expect("set");
    order.id.to_string()
}

on_both!(rows_are_found_by_every_filter, |house| {
    let order = happen(&house).await;
    let rows = list(&house, all()).await;
    assert!(rows.len() > 4, "{rows:?}");
    assert!(rows.windows(2).all(|pair| (pair[0].at, pair[0].seq) > (pair[1].at, pair[1].seq)), "newest first");

    let set = list(&house, AuditList { entity: Some("setting".to_owned()), ..all() }).await;
    assert_eq!(set.len(), 1);
    assert_eq!((set[0].role.as_str(), set[0].use_case.as_str()), ("system", "setting_set"));
    assert!(set[0].before.is_some() && set[0].after.is_some(), "{set:?}");

    let kitchen = list(&house, AuditList { terminal: Some("Pass".to_owned()), ..all() }).await;
    assert_eq!(kitchen.len(), 2);
    assert!(kitchen.iter().all(|row| row.actor.as_deref() == Some("pass") && row.terminal.as_deref() == Some("pass")));
    assert_eq!(list(&house, AuditList { actor: Some("pass".to_owned()), ..all() }).await, kitchen);
    assert_eq!(list(&house, AuditList { actor: Some("kitchen".to_owned()), ..all() }).await, kitchen, "by role");

    let of_order = list(&house, AuditList { entity_id: Some(order.clone()), ..all() }).await;
    assert_eq!(of_order.len(), 3);
    assert_eq!(
        list(&house, AuditList { action: Some("create".to_owned()), entity: Some("Order".to_owned()), ..all() })
            .await
            .len(),
        1
    );
    let noted = list(&house, AuditList { action: Some("note_order".to_owned()), ..all() }).await;
    assert_eq!(noted, kitchen[..1]);
    assert_eq!(list(&house, AuditList { text: Some(order[..13].to_uppercase()), ..all() }).await.len(), 3);
    assert!(
        list(&house, AuditList { text: Some("%".to_owned()), ..all() }).await.is_empty(),
        "% is a letter like others"
    );
    assert!(list(&house, AuditList { text: Some("no such words".to_owned()), ..all() }).await.is_empty());

    let edge = kitchen[0].at;
    let late = list(&house, AuditList { from: Some(edge), ..all() }).await;
    let early = list(&house, AuditList { until: Some(edge), ..all() }).await;
    assert!(late.contains(&kitchen[0]) && !late.contains(&kitchen[1]));
    assert_eq!(late.len() + early.len(), rows.len());
});

on_both!(pages_join_without_a_gap, |house| {
    happen(&house).await;
    let rows = list(&house, all()).await;
    let (mut joined, mut after) = (Vec::new(), None);
    loop {
        let query = AuditList { limit: 2, after: after.take(), ..all() };
        let page = house.door.ask(&Caller::System, query).await.expect("a page");
        joined.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!(joined, rows);
    for query in [
        AuditList { limit: 0, ..all() },
        AuditList { limit: 501, ..all() },
        AuditList { after: Some("yesterday".to_owned()), ..all() },
    ] {
        let refused = house.door.ask(&Caller::System, query).await.expect_err("refused");
        assert_eq!(refused.code, ErrorCode::ValidationError);
    }
});

on_both!(guests_and_the_kitchen_read_nothing, |house| {
    let guest = Caller::Guest { customer: CustomerId(house.door.new_id()), terminal: None };
    for caller in [guest, Caller::Terminal(house.kitchen)] {
        let refused = house.door.ask(&caller, all()).await.expect_err("refused");
        assert_eq!(refused.code, ErrorCode::InsufficientRole);
        assert_eq!(verify(&house.door, &caller).await.expect_err("refused").code, ErrorCode::InsufficientRole);
        assert!(house.door.ask(&caller, SealsStatus).await.is_err());
    }
});

on_both!(seals_are_shown_row_by_row_and_the_first_broken_range_is_named, |house| {
    happen(&house).await;
    let worker = house.worker(Gateways::none());
    let held = worker.take_lease().await.expect("asked").held.expect("the lease");
    let first = worker.seal_audit_older_than(&held, 0).await.expect("sealed").sealed;
    house.place(Method::Cash, false).await;
    let second = worker.seal_audit_older_than(&held, 0).await.expect("sealed").sealed;
    assert!(first > 0 && second > 0);
    house.place(Method::Cash, false).await;
    let rows = list(&house, all()).await;
    let count = |seal| rows.iter().filter(|row| row.seal.map(|range| range.seal) == seal).count();
    assert_eq!(count(Some(1)), usize::try_from(first).expect("a count"));
    assert_eq!(count(Some(2)), usize::try_from(second).expect("a count"));
    assert!(count(None) > 0);
    for row in &rows {
        assert!(row.seal.is_none_or(|range| range.from <= row.seq && row.seq <= range.to));
    }
    let status = house.door.ask(&Caller::System, SealsStatus).await.expect("status");
    assert_eq!((status.seals, status.sealed), (2, first + second));
    assert_eq!(usize::try_from(status.unsealed).expect("a count"), count(None));
    assert_eq!((status.verified_at, &status.violation), (None, &None));
    let proof = verify(&house.door, &Caller::System).await.expect("gone through");
    assert_eq!((proof.sealed, proof.unsealed, &proof.violation), (status.sealed, status.unsealed, &None));

    if !house.postgres {
        house.raw("DROP TRIGGER audit_log_no_update").await;
    }
    let changed = rows.iter().find(|row| row.seal.is_some_and(|range| range.seal == 2)).expect("a row").clone();
    house.raw(&format!("UPDATE audit_log SET reason = 'nothing' WHERE seq = {}", changed.seq)).await;
    let proof = verify(&house.door, &Caller::System).await.expect("gone through");
    let range = changed.seal.expect("sealed");
    assert_eq!((proof.broken_from, proof.broken_to), (Some(range.from), Some(range.to)));
    assert!(proof.violation.is_some_and(|violation| violation.contains("seal 2")));
    servery::service::doctor::examine(&house.door, &Caller::System).await.expect("examined");
    let status = house.door.ask(&Caller::System, SealsStatus).await.expect("status");
    assert!(status.verified_at.is_some() && status.violation.is_some());
});
