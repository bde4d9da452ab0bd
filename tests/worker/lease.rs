//! One worker leads; another takes over when it dies; one that was frozen keeps nothing.

use crate::house::House;
use crate::on_both;
use crate::support::wait::{LIMIT, until_async};
use servery::domain::payment::Method;
use servery::payment::Gateways;
use servery::service::Caller;
use servery::service::orders::{RunTimer, Timer};
use servery::service::worker_due::ShowWorker;
use servery::service::worker_writes::{Fenced, is_lost};
use servery::store::StoreUrl;
use servery::store::glance::{PostgresGlance, SqliteGlance};
use servery::worker::{Options, Worker};
use sqlx::Connection as _;
use tokio_util::sync::CancellationToken;

on_both!(one_leads_and_another_takes_over_when_it_dies, |house| {
    let first = house.worker(Gateways::none());
    let second = Worker::new(house.other_door().await, Gateways::none(), Options::default());
    let held = first.take_lease().await.expect("asked").held.expect("free");
    assert_eq!(held.fence, 1);
    let refused = second.take_lease().await.expect("asked");
    assert!(refused.held.is_none());
    assert!(refused.look_again.as_secs() <= 10, "{:?}", refused.look_again);
    // Renewed, it lasts; asked for again by its holder, it is the same.
    house.pass_seconds(6).await;
    assert!(first.renew(&held).await.expect("renewed"));
    house.pass_seconds(6).await;
    assert!(second.take_lease().await.expect("asked").held.is_none());
    assert_eq!(first.take_lease().await.expect("asked").held.expect("its own"), held);
    // Not renewed, it is free within 10 s.
    house.pass_seconds(10).await;
    let taken = second.take_lease().await.expect("asked").held.expect("free");
    assert_eq!(taken.fence, 2);
    assert!(first.take_lease().await.expect("asked").held.is_none());
    let status = house.door.ask(&Caller::System, ShowWorker).await.expect("status");
    assert_eq!(status.holder.as_deref(), Some(second.holder()));
    assert_eq!(status.fence, Some(2));
    // Given back, nobody need wait for its end.
    second.give_back(&taken).await.expect("given back");
    assert_eq!(house.door.ask(&Caller::System, ShowWorker).await.expect("status").holder, None);
    assert_eq!(first.take_lease().await.expect("asked").held.expect("free").fence, 3);
});

on_both!(of_many_that_ask_at_once_one_leads, |house| {
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let worker = Worker::new(house.other_door().await, Gateways::none(), Options::default());
        asking.spawn(async move { worker.take_lease().await.expect("asked").held });
    }
    let leads = asking.join_all().await.into_iter().flatten().count();
    assert_eq!(leads, 1);
    assert_eq!(house.number("SELECT fence FROM worker_lease").await, 1);
});

on_both!(a_frozen_holder_thaws_and_keeps_nothing, |house| {
    let placed = house.place(Method::Card, false).await;
    house.pass_seconds(601).await;
    let (frozen, stale) = house.leading().await;
    house.pass_seconds(20).await;
    let next = Worker::new(house.other_door().await, Gateways::none(), Options::default());
    let held = next.take_lease().await.expect("asked").held.expect("free");
    let timer = || RunTimer { order: placed.order.id, timer: Timer::Expire };
    let audits = house.number("SELECT COUNT(*) FROM audit_log").await;
    let refused = house.door.execute(&Caller::System, None, Fenced { held: stale.clone(), command: timer() }).await;
    assert!(is_lost(&refused.expect_err("its fence is stale")));
    assert!(is_lost(&frozen.deliver_events(&stale).await.expect_err("events")));
    assert!(is_lost(&frozen.run_timers(&stale).await.expect_err("timers")));
    assert!(is_lost(&frozen.seal_audit_older_than(&stale, 0).await.expect_err("seals")));
    assert!(!frozen.renew(&stale).await.expect("asked"));
    // Giving back what it no longer holds takes nothing from the other.
    frozen.give_back(&stale).await.expect("nothing to give back");
    assert_eq!(house.order(placed.order.id).await.status.as_str(), "pending");
    assert_eq!(house.number("SELECT COUNT(*) FROM audit_log").await, audits);
    assert_eq!(house.number("SELECT COUNT(*) FROM outbox WHERE sent_at IS NOT NULL").await, 0);
    house.door.execute(&Caller::System, None, Fenced { held, command: timer() }).await.expect("the leader may");
    assert_eq!(house.order(placed.order.id).await.status.as_str(), "expired");
});

on_both!(a_lease_of_the_future_does_not_lock_the_house, |house| {
    // The clock was set back by a day; the holder has died.
    let (_, held) = house.leading().await;
    house
        .raw("UPDATE worker_lease SET renewed_at = renewed_at + 86400000000, expires_at = expires_at + 86400000000")
        .await;
    let next = Worker::new(house.other_door().await, Gateways::none(), Options::default());
    assert_eq!(next.take_lease().await.expect("asked").held.expect("free").fence, held.fence + 1);
});

on_both!(who_may_not_lead_never_asks, |house| {
    let options = Options::of_kiosk(house.door.store());
    assert_eq!(options.may_lead, !house.postgres);
    let never = Options { may_lead: false, ..Options::default() };
    let worker = Worker::new(house.door.clone(), Gateways::none(), never.clone());
    assert!(worker.take_lease().await.expect("asked").held.is_none());
    let ended = Worker::start(house.door.clone(), Gateways::none(), never, CancellationToken::new());
    ended.await.expect("it ends at once");
    assert_eq!(house.number("SELECT COUNT(*) FROM worker_lease").await, 0);
});

on_both!(the_loop_leads_works_and_hands_over, |house| {
    // Short leases, so that a dead holder is seen at once also where the server's clock counts.
    let options = Options { lease_seconds: 2, renew_seconds: 1, ..Options::default() };
    let (stop, other_stop) = (CancellationToken::new(), CancellationToken::new());
    let first = Worker::start(house.door.clone(), Gateways::none(), options.clone(), stop.clone());
    let door = house.door.clone();
    let holder = || async { door.ask(&Caller::System, ShowWorker).await.expect("status").holder };
    until_async(LIMIT, "a worker leads", || async { holder().await.is_some() }).await;
    let leads = holder().await.expect("a holder");
    let second = Worker::start(house.other_door().await, Gateways::none(), options, other_stop.clone());
    // It wakes by itself when an order comes, and tells about it.
    let placed = house.place(Method::Cash, false).await;
    until_async(LIMIT, "the kitchen is told", || async {
        house.number("SELECT COUNT(*) FROM notifications WHERE recipient_kind = 'kitchen'").await == 1
    })
    .await;
    // .. and when a timer is due.
    house.pass_seconds(901).await;
    until_async(LIMIT, "the cash time-out", || async {
        house.order(placed.order.id).await.status.as_str() == "cancelled"
    })
    .await;
    // Its end is seen at once, or when the lease has run out.
    stop.cancel();
    first.await.expect("ended");
    house.pass_seconds(3).await;
    until_async(LIMIT, "the other leads", || async { holder().await.is_some_and(|now| now != leads) }).await;
    other_stop.cancel();
    second.await.expect("ended");
});

on_both!(a_renewal_is_told_to_nobody_and_all_else_is, |house| {
    let (worker, held) = house.leading().await;
    let renew = async || assert!(worker.renew(&held).await.expect("asked"), "it is ours");
    match house.door.store().url().clone() {
        StoreUrl::Sqlite(path) => {
            let connection = sqlx::SqliteConnection::connect(&path.display().to_string()).await.expect("a connection");
            let mut glance = SqliteGlance::first(connection).await.expect("a look");
            for _ in 0..3 {
                house.pass_seconds(3).await;
                renew().await;
                assert!(!glance.look().await.expect("a look"), "only renewed");
            }
            renew().await;
            house.place(Method::Cash, false).await;
            renew().await;
            assert!(glance.look().await.expect("a look"), "an order came between two renewals");
            worker.give_back(&held).await.expect("given back");
            assert!(glance.look().await.expect("a look"), "nobody leads");
        }
        StoreUrl::Postgres(url) => {
            let mut server = sqlx::PgConnection::connect(&url).await.expect("a connection");
            // Other databases of the server take numbers as well: sooner or later nobody does for a moment.
            let untold = async {
                loop {
                    let before = PostgresGlance::look(&mut server).await.expect("a look");
                    renew().await;
                    if !PostgresGlance::look(&mut server).await.expect("a look").tells_more_than(&before) {
                        return;
                    }
                }
            };
            tokio::time::timeout(LIMIT, untold).await.expect("a renewal that is not told");
            for step in ["an order", "the end of the lead"] {
                let before = PostgresGlance::look(&mut server).await.expect("a look");
                match step {
                    "an order" => drop(house.place(Method::Cash, false).await),
                    _ => worker.give_back(&held).await.expect("given back"),
                }
                let after = PostgresGlance::look(&mut server).await.expect("a look");
                assert!(after.tells_more_than(&before), "{step}");
            }
        }
    }
});

/// The listeners hear of what is told in the order of the commits: nothing stands before our own word.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_notifies_no_listener() {
    let Some(house) = House::demo(true).await else { return };
    let (worker, held) = house.leading().await;
    let StoreUrl::Postgres(url) = house.door.store().url().clone() else { panic!("a server") };
    let mut listener = sqlx::postgres::PgListener::connect(&url).await.expect("a listener");
    listener.listen("servery").await.expect("listening");
    assert!(worker.renew(&held).await.expect("asked"));
    house.raw("SELECT pg_notify('servery', 'the word')").await;
    let first = tokio::time::timeout(LIMIT, listener.recv()).await.expect("a word in time").expect("a word");
    assert_eq!(first.payload(), "the word");
}
