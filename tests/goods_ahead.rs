//! Looking ahead in the store room, and settings that are in force everywhere at once: through the
//! door, on SQLite and on Postgres. What moves counts is in `goods.rs`.

#![expect(clippy::panic, clippy::expect_used, reason = "helpers of tests, which clippy does not know as tests")]

#[expect(dead_code, reason = "shared with other suites, which use all of it")]
mod goods_support;
mod support;

use goods_support::{Bind, House};
use serde_json::json;
use servery::domain::error::ErrorCode;
use servery::domain::forecast::Forecast;
use servery::domain::time::{Clock, Timestamp};
use servery::service::menu::MenuNow;
use servery::service::order_queries::{ListOrders, OrderFilter};
use servery::service::settings::{ListSettings, SetSetting, SettingHistory, Takes};
use servery::service::stock::{StockList, StockRecount};
use servery::service::stock_forecast::{ForecastView, StockForecast, StockHolders};
use servery::service::{Caller, Door};
use servery::store::{Feed, FeedEvent, Options, Store, order_lists};
use std::sync::Arc;
use std::time::Duration;

const SYSTEM: &Caller = &Caller::System;
/// Long enough for a loaded machine; a change that is never told fails the test.
const LIMIT: Duration = Duration::from_secs(30);

async fn forecast(house: &House, code: &str) -> ForecastView {
    let all = house.door.ask(SYSTEM, StockForecast::default()).await.expect("forecast").page.items;
    all.into_iter().find(|view| view.item.code == code).expect("a stock item")
}

async fn set(house: &House, key: &str, value: serde_json::Value) {
    house
        .door
        .execute(SYSTEM, None, SetSetting { key: key.to_owned(), value, seen: None, reason: Some("a test".to_owned()) })
        .await
        .expect("set");
}

/// Only SQLite takes its instants from the test's clock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_sells_today_says_when_it_runs_out() {
    let house = House::demo(false).await.expect("house");
    let slots =
        json!({ "lunch": { "start": "12:00", "end": "15:00" }, "dinner": { "start": "18:00", "end": "22:00" } });
    set(&house, "time_slots", slots).await;
    // 13:00 in Kolkata: lunch has been on for an hour.
    house.clock.set("2026-03-02T07:30:00Z");
    let samosa = house.door.ask(SYSTEM, StockList::default()).await.expect("stock").items;
    let samosa = samosa.into_iter().find(|item| item.code == "samosa").expect("samosa");
    assert_eq!(forecast(&house, "samosa").await.forecast, Forecast::Unknown, "nothing was sold yet");
    house.holder(1, "pending", samosa.id.0, 15).await;
    house.holder(2, "received", samosa.id.0, 5).await;
    let view = forecast(&house, "samosa").await;
    assert_eq!((view.sold_today, view.item.available, view.open_seconds), (20, 40, 3_600));
    // 20 an hour and 40 left: two hours, and that is when lunch ends.
    let at = |text: &str| {
        let at = chrono::DateTime::parse_from_rfc3339(text).expect("an instant");
        Timestamp(at.timestamp_micros())
    };
    assert_eq!(view.forecast, Forecast::RunsOut(at("2026-03-02T09:30:00Z")));
    // What went back to the shelf was not sold, and what a cancelled order gave back does not count.
    house
        .sql("UPDATE reservations SET state = 'released', ended_at = 0 WHERE quantity = $1", vec![Bind::Int(15)])
        .await;
    house
        .sql(
            "UPDATE stock_items SET reserved = reserved - $2 WHERE site_id = 'main' AND id = $1",
            vec![Bind::Id(samosa.id.0), Bind::Int(15)],
        )
        .await;
    let view = forecast(&house, "samosa").await;
    assert_eq!((view.sold_today, view.item.available), (5, 55));
    // 5 an hour would need 11 hours; six are left of the day.
    assert_eq!(view.forecast, Forecast::Lasts);
    // Orders of yesterday say nothing about today.
    house.clock.set("2026-03-03T07:30:00Z");
    assert_eq!(forecast(&house, "samosa").await.forecast, Forecast::Unknown);
    // What is out comes first, what runs out next before what lasts.
    house.clock.set("2026-03-02T07:30:00Z");
    let all = house.door.ask(SYSTEM, StockForecast::default()).await.expect("forecast").page.items;
    assert_eq!(all[0].forecast, Forecast::Out);
    // What is low stands before what is not, whatever is known of its sales.
    let calm: Vec<&ForecastView> = all.iter().filter(|view| !view.item.low).collect();
    let first_unknown = calm.iter().position(|view| view.forecast == Forecast::Unknown).expect("some");
    assert!(calm[first_unknown..].iter().all(|view| view.forecast == Forecast::Unknown));
    // Page by page it is the same list, and the counts are those of all pages.
    let (mut walked, mut after) = (Vec::new(), None);
    loop {
        let asked = StockForecast { after, limit: 3, ..StockForecast::default() };
        let answer = house.door.ask(SYSTEM, asked).await.expect("page");
        assert!(answer.urgent.out > 0 && answer.page.total == i64::try_from(all.len()).expect("few"));
        walked.extend(answer.page.items);
        after = answer.page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(walked, all);
    let wrong = StockForecast { after: Some("0/x/samosa".to_owned()), ..StockForecast::default() };
    assert_eq!(house.door.ask(SYSTEM, wrong).await.expect_err("no key").code, ErrorCode::ValidationError);
}

on_both!(holders_are_listed_before_a_recount_meets_them, |house| {
    let list = house.door.ask(SYSTEM, StockList::default()).await.expect("stock").items;
    let samosa = list.iter().find(|item| item.code == "samosa").expect("samosa").id.0;
    let holders = StockHolders { item: "samosa".to_owned() };
    assert!(house.door.ask(SYSTEM, holders.clone()).await.expect("holders").is_empty());
    let pending = house.holder(1, "pending", samosa, 10).await;
    let received = house.holder(2, "received", samosa, 5).await;
    let told = house.door.ask(SYSTEM, holders.clone()).await.expect("holders");
    let told: Vec<_> = told.iter().map(|holder| (holder.order, holder.quantity, holder.releasable)).collect();
    assert_eq!(told, [(pending, 10, true), (received, 5, false)]);
    let recount =
        StockRecount { item: "samosa".to_owned(), counted: 9, release: vec![pending], reason: "counted".to_owned() };
    let done = house.door.execute(SYSTEM, None, recount).await.expect("recounted");
    assert_eq!((done.item.on_hand, done.item.reserved), (9, 5));
    assert_eq!(house.door.ask(SYSTEM, holders).await.expect("holders").len(), 1);
    let unknown = StockHolders { item: "caviar".to_owned() };
    assert_eq!(house.door.ask(SYSTEM, unknown).await.expect_err("unknown").code, ErrorCode::NotFound);
    // The forecast is asked on this database, too: what the rate says depends on the hour of the test.
    let view = forecast(&house, "samosa").await;
    assert_eq!((view.item.available, view.item.reserved), (4, 5));
});

on_both!(who_decides_by_an_older_value_is_told_who_was_faster, |house| {
    let boss = house.signed_in("boss", "admin").await;
    let set = async |value: serde_json::Value, seen: Option<serde_json::Value>| {
        let command = SetSetting { key: "delivery_charge".to_owned(), value, seen, reason: None };
        house.door.execute(&boss, None, command).await
    };
    assert_eq!(set("30".into(), Some("20.00".into())).await.expect("as it was seen").value, json!("30.00"));
    let stale = set("40".into(), Some("20".into())).await.expect_err("somebody was faster");
    assert_eq!((stale.code, stale.guard), (ErrorCode::Conflict, Some("seen_value")));
    assert!(stale.message.starts_with("boss "), "{}", stale.message);
    assert_eq!((&stale.details["now"], &stale.details["by"]), (&json!("30.00"), &json!("boss")));
    assert_eq!(set("40".into(), Some(stale.details["now"].clone())).await.expect("seen anew").value, json!("40.00"));
    assert_eq!(set("50".into(), None).await.expect("whatever it was").value, json!("50.00"));
    let senseless = set("1".into(), Some("soon".into())).await.expect_err("no amount");
    assert_eq!(senseless.code, ErrorCode::ValidationError);
});

on_both!(counting_orders_ends_where_it_is_told, |house| {
    let list = house.door.ask(SYSTEM, StockList::default()).await.expect("stock").items;
    let samosa = list.iter().find(|item| item.code == "samosa").expect("samosa").id.0;
    for number in 1..=3 {
        house.holder(number, "pending", samosa, 1).await;
    }
    let store = Store::open(&house.url, Options::default()).await.expect("store");
    let count = async |most: i64, text: Option<&str>| {
        let filter = OrderFilter { text: text.map(str::to_owned), ..OrderFilter::default() };
        let mut tx = store.read().await.expect("read");
        let (rows, found) = order_lists::page(&mut tx, "main", &filter, None, (2, most)).await.expect("page");
        tx.rollback().await.expect("read");
        (rows.len(), found)
    };
    assert_eq!(count(2, None).await, (2, 2), "there are three");
    assert_eq!(count(100, None).await, (2, 3));
    assert_eq!(count(100, Some("%")).await, (0, 0), "a sign stands for itself");
    let page = house.door.ask(SYSTEM, ListOrders { limit: 2, ..ListOrders::default() }).await.expect("page");
    assert_eq!((page.total, page.at_least, page.items.len()), (3, false, 2));
});

on_both!(a_setting_is_in_force_at_every_door_without_a_new_start, |house| {
    let boss = house.signed_in("boss", "admin").await;
    let store = Store::open(&house.url, Options::default()).await.expect("store");
    let mut feed = Feed::open(&store, "main");
    let other = Door::new(store, "main", Arc::clone(&house.clock) as Arc<dyn Clock>, Arc::clone(&house.ids));
    let menu = async || other.ask(SYSTEM, MenuNow::default()).await.expect("menu");
    assert!(menu().await.open);
    let change = async |key: &str, value: serde_json::Value| {
        let set = SetSetting { key: key.to_owned(), value, seen: None, reason: Some("a test".to_owned()) };
        house.door.execute(&boss, None, set).await.expect("set");
    };
    change("restaurant_open", false.into()).await;
    // The other process is told by its feed, and reads the new value the first time that it looks.
    let told = async { while feed.changed().await != FeedEvent::Changed {} };
    tokio::time::timeout(LIMIT, told).await.expect("the other process is told");
    assert!(!menu().await.open);
    change("restaurant_open", true.into()).await;
    change("cash_payment_enabled", false.into()).await;
    change("kiosk_idle_seconds", 45.into()).await;
    let now = menu().await;
    assert_eq!((now.open, now.methods.len(), now.kiosk_idle_seconds), (true, 2, 45));

    let list = other.ask(&boss, ListSettings).await.expect("list");
    let of = |key: &str| list.iter().find(|setting| setting.key == key).expect("setting");
    assert_eq!(of("cash_payment_enabled").takes, Takes::Switch);
    assert!(matches!(of("kiosk_idle_seconds").takes, Takes::Number { min, max } if min < 45 && 45 < max));
    assert!(matches!(&of("auto_accept").takes, Takes::Choice { options } if options == &["off", "prepaid", "all"]));
    assert_eq!((&of("delivery_charge").takes, &of("time_slots").takes), (&Takes::Amount, &Takes::Slots));

    change("delivery_charge", "35.00".into()).await;
    change("delivery_charge", "36.00".into()).await;
    change("delivery_charge", "37.50".into()).await;
    let page = |after| SettingHistory { key: "delivery_charge".to_owned(), after, limit: 2 };
    let first = other.ask(&boss, page(None)).await.expect("history");
    let told: Vec<_> = first.items.iter().map(|change| (change.before.clone(), change.after.clone())).collect();
    assert_eq!(told, [(json!("36.00"), json!("37.50")), (json!("35.00"), json!("36.00"))]);
    assert_eq!((first.total, first.items[0].by.as_deref()), (3, Some("boss")));
    let second = other.ask(&boss, page(first.next)).await.expect("history");
    assert_eq!((second.items.len(), second.next), (1, None));
    assert_eq!(second.items[0].before, json!("20.00"), "the default");
    let unknown = SettingHistory { key: "nonsense".to_owned(), after: None, limit: 2 };
    assert_eq!(other.ask(&boss, unknown).await.expect_err("unknown").code, ErrorCode::NotFound);
    let cook = house.signed_in("cook", "kitchen").await;
    assert_eq!(other.ask(&cook, page(None)).await.expect_err("not a cook's").code, ErrorCode::InsufficientRole);
});
