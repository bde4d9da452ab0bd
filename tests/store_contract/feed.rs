//! The change feed over both databases: nothing committed is missed, whoever committed it, and a store
//! that goes away and comes back is told.

use crate::harness::{Place, Proxy, add_site, change, menu_version};
use crate::support::wait::LIMIT;
use servery::store::{Feed, FeedEvent, Options, Store, StoreUrl};

/// The next event; a feed that stays silent fails the test.
async fn next(feed: &mut Feed) -> FeedEvent {
    tokio::time::timeout(LIMIT, feed.changed()).await.expect("the feed stays silent")
}

async fn until(feed: &mut Feed, wanted: FeedEvent) {
    while next(feed).await != wanted {}
}

#[tokio::test(flavor = "multi_thread")]
async fn every_commit_is_seen_whether_ours_or_of_another() {
    for place in Place::both() {
        let ours = place.with_site().await;
        let other = place.open().await;
        let mut feed = Feed::open(&ours, "main");
        assert_eq!(next(&mut feed).await, FeedEvent::Changed, "the first comes when it watches");
        for round in 0..20 {
            let store = if round % 2 == 0 { &ours } else { &other };
            let before = menu_version(&ours).await;
            change(store).await;
            // Level-triggered: an event of before the commit may come first; what is read at an event
            // in the end holds the change.
            loop {
                assert_eq!(next(&mut feed).await, FeedEvent::Changed, "{}", place.url);
                if menu_version(&ours).await > before {
                    break;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_past_the_door_is_seen_by_the_safety_poll() {
    for place in Place::both() {
        let store = place.with_site().await;
        let mut feed = Feed::open(&store, "main");
        assert_eq!(next(&mut feed).await, FeedEvent::Changed);
        place.raw("UPDATE sites SET menu_version = 77").await;
        while menu_version(&store).await != 77 || next(&mut feed).await != FeedEvent::Changed {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_taken_away_is_told_and_so_is_its_return() {
    let place = Place::sqlite();
    let store = place.with_site().await;
    let mut feed = Feed::open(&store, "main");
    assert_eq!(next(&mut feed).await, FeedEvent::Changed);
    let (folder, aside) = (place.folder().join("store"), place.folder().join("aside"));
    std::fs::rename(&folder, &aside).expect("moved away");
    until(&mut feed, FeedEvent::Away).await;
    std::fs::rename(&aside, &folder).expect("moved back");
    until(&mut feed, FeedEvent::Back).await;
    assert_eq!(next(&mut feed).await, FeedEvent::Changed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_network_is_told_and_what_was_missed_meanwhile_is_read_again() {
    let Some(place) = Place::postgres() else { return };
    let direct = place.open().await;
    add_site(&direct).await;
    let (proxy, url) = Proxy::before(place.text());
    let url = StoreUrl::parse(&url).expect("url");
    let store = Store::open(&url, Options::default()).await.expect("the store opens");
    let mut feed = Feed::open(&store, "main");
    assert_eq!(next(&mut feed).await, FeedEvent::Changed);
    for lose in [Proxy::cut, Proxy::swallow] {
        lose(&proxy);
        until(&mut feed, FeedEvent::Away).await;
        change(&direct).await;
        proxy.pass();
        until(&mut feed, FeedEvent::Back).await;
        assert_eq!(next(&mut feed).await, FeedEvent::Changed);
    }
}
