//! The menu, the store room, the settings and the set-up of a site, through the door, on SQLite and on
//! Postgres. Orders and payments have suites of their own.

#![expect(clippy::panic, clippy::expect_used, reason = "helpers of tests, which clippy does not know as tests")]

mod goods_support;
mod support;

use chrono::Timelike as _;
use goods_support::{Bind, House};
use serde_json::json;
use servery::domain::consumption::Availability;
use servery::domain::error::{ErrorCode, Refused};
use servery::domain::fulfilment::Fulfilment;
use servery::domain::ids::{CustomerId, StockItemId, TerminalId};
use servery::domain::menu::DietFilter;
use servery::domain::money::Money;
use servery::domain::time::{Clock, Timestamp};
use servery::service::envelope::{Envelope, StockCommand};
use servery::service::menu::{ItemDetail, MenuNow, SetAvailable, SetPrice};
use servery::service::menu_file::MenuFile;
use servery::service::menu_import::{MenuDiff, MenuExport, MenuImport};
use servery::service::settings::{ListSettings, SetSetting};
use servery::service::stock::{
    StockAdjust, StockFilter, StockList, StockReceive, StockRecount, StockSet, StockState, StockView, StockWaste,
};
use servery::service::stock_ledger::{MovementFilter, MovementView, StockLedger, StockMovementKind};
use servery::service::views::{ItemView, MenuView, Page};
use servery::service::{Caller, Door, FieldKey, setup};
use servery::store::{Options, Store};
use std::sync::Arc;

const SYSTEM: &Caller = &Caller::System;

async fn menu(door: &Door) -> MenuView {
    door.ask(SYSTEM, MenuNow::default()).await.expect("menu")
}

async fn item(door: &Door, code: &str) -> ItemView {
    door.ask(SYSTEM, ItemDetail { item: code.to_owned() }).await.expect("item")
}

async fn shelf(house: &House, code: &str) -> StockView {
    let list = house.door.ask(SYSTEM, StockList::default()).await.expect("stock").items;
    list.into_iter().find(|item| item.code == code).expect("a stock item")
}

/// A second process: its own connections and caches.
async fn second_door(house: &House) -> Door {
    let store = Store::open(&house.url, Options::default()).await.expect("store");
    Door::new(store, "main", Arc::clone(&house.clock) as Arc<dyn Clock>, Arc::clone(&house.ids))
}

fn left(item: &ItemView) -> Option<i64> {
    match item.availability {
        Availability::Available { left } => left,
        Availability::SoldOut => Some(0),
        ref other => panic!("{other:?}"),
    }
}

// ---------------------------------------------------------------- ways of getting an order

on_both!(delivery_is_offered_where_it_is_switched_on_and_an_address_can_be_sealed, |house| {
    let here = [Fulfilment::DineIn, Fulfilment::Pickup];
    let all = [Fulfilment::DineIn, Fulfilment::Pickup, Fulfilment::Delivery];
    let store = Store::open(&house.url, Options::default()).await.expect("store");
    let (clock, ids) = (Arc::clone(&house.clock) as Arc<dyn Clock>, Arc::clone(&house.ids));
    let locked = Door::with_field_key(store, "main", clock, ids, Some(FieldKey::demo()));
    let shown = menu(&locked).await;
    assert_eq!((&shown.fulfilments[..], shown.delivery_charge), (&all[..], Money(2000)));
    assert_eq!(menu(&house.door).await.fulfilments, here, "this process has no key");
    for (on, ways) in [(false, &here[..]), (true, &all[..])] {
        let reason = Some("no courier today".to_owned());
        let set = SetSetting { key: "delivery_enabled".to_owned(), value: json!(on), seen: None, reason };
        house.door.execute(SYSTEM, None, set).await.expect("the setting");
        // The other process hears of it by the version of the settings.
        assert_eq!(menu(&locked).await.fulfilments, ways);
    }
});

// ---------------------------------------------------------------- set-up

on_both!(the_demo_opens_with_a_menu, |house| {
    let all = menu(&house.door).await;
    assert!(all.demo && all.open);
    assert_eq!((all.slot.as_deref(), all.next_slot.as_deref()), (Some("all day"), None));
    assert_eq!(all.categories.len(), 6);
    assert!(all.items.len() >= 28, "{}", all.items.len());
    assert_eq!(left(&item(&house.door, "amritsari-fish").await), Some(3));
    assert_eq!(item(&house.door, "goan-prawn-curry").await.availability, Availability::SoldOut);
    for diet in DietFilter::ALL {
        let query = MenuNow { diet: Some(diet), ..MenuNow::default() };
        let found = house.door.ask(SYSTEM, query).await.expect("menu");
        assert!(!found.items.is_empty(), "{diet:?}");
        assert!(found.items.iter().all(|item| diet.accepts(item.diet)));
    }
    let query = MenuNow { search: Some("  NAAN\u{202e} garlic ".to_owned()), ..MenuNow::default() };
    let found = house.door.ask(SYSTEM, query).await.expect("menu");
    assert_eq!(found.items.iter().map(|item| item.code.as_str()).collect::<Vec<_>>(), ["garlic-naan"]);
    assert_eq!(found.categories.len(), 1);
    let last = all.categories.last().expect("a category").id;
    let query = MenuNow { category: Some(last), ..MenuNow::default() };
    let drinks = house.door.ask(SYSTEM, query).await.expect("menu");
    assert!(drinks.items.len() >= 4 && drinks.items.iter().all(|item| item.category_id == last));
    let mut tx = house.door.store().read().await.expect("read");
    let loaded = servery::store::menu::load(&mut tx, "main").await.expect("menu");
    loaded.menu.validate().expect("the stored menu is valid");
    let cola = loaded.find_item("cola").expect("cola");
    assert_eq!(loaded.tax_class_of(cola).map(|class| class.rate.0), Some(180_000));
    let dosa = loaded.find_item("masala-dosa").expect("dosa");
    assert_eq!(loaded.tax_class_of(dosa).map(|class| class.rate.0), Some(50_000), "the default class");
    assert_eq!(loaded.station_of(dosa), loaded.default_station());
    let ids = [StockItemId(shelf(&house, "kulfi").await.id.0), StockItemId(house.id())];
    let some = servery::store::stock::available(&mut tx, "main", &ids).await.expect("available");
    assert_eq!(some.into_iter().collect::<Vec<_>>(), [(ids[0], 4)]);
    tx.rollback().await.expect("rollback");
});

/// invariants.md, Events and start: several processes start at once on an empty store.
async fn start_at_once(postgres: bool) {
    let Some(house) = House::empty(postgres).await else { return };
    let mut starts = Vec::new();
    for _ in 0..4 {
        let (door, house_clock, ids) = (second_door(&house).await, Arc::clone(&house.clock), Arc::clone(&house.ids));
        starts.push(tokio::spawn(async move {
            setup::init(door.store(), &*house_clock, &*ids, &setup::InitSite::demo("main")).await
        }));
    }
    let mut made = 0;
    for start in starts {
        made += i32::from(start.await.expect("task").expect("init"));
    }
    assert_eq!(made, 1, "one made it, the others found it");
    let audits = house.number("SELECT COUNT(*) FROM audit_log WHERE use_case = 'init_site'", vec![]).await;
    assert_eq!(audits, 1);
    let items = house.number("SELECT COUNT(*) FROM menu_items", vec![]).await;
    assert_eq!(items, i64::try_from(menu(&house.door).await.items.len()).expect("small"));
    let again = setup::init(house.door.store(), &*house.clock, &*house.ids, &setup::InitSite::demo("main")).await;
    assert!(!again.expect("init"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_start_at_once_make_one_site_on_sqlite() {
    start_at_once(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_start_at_once_make_one_site_on_postgres() {
    start_at_once(true).await;
}

#[tokio::test]
async fn a_site_that_is_not_valid_is_not_made() {
    let house = House::empty(false).await.expect("house");
    let good = setup::InitSite::demo("main");
    for bad in [
        setup::InitSite { site: "../x".to_owned(), ..good.clone() },
        setup::InitSite { name: "\u{202e}\u{7}".to_owned(), ..good.clone() },
        setup::InitSite { currency: "inr".to_owned(), ..good.clone() },
        setup::InitSite { time_zone: "Mars/Olympus".to_owned(), ..good.clone() },
        // The demo's prices are in rupees.
        setup::InitSite { currency: "EUR".to_owned(), ..good },
    ] {
        let refused = setup::init(house.door.store(), &*house.clock, &*house.ids, &bad).await.expect_err("refused");
        assert_eq!(refused.code, ErrorCode::ValidationError, "{bad:?}");
    }
    assert_eq!(house.number("SELECT COUNT(*) FROM sites", vec![]).await, 0);
    assert_eq!(house.number("SELECT COUNT(*) FROM menu_items", vec![]).await, 0);
}

// ---------------------------------------------------------------- the menu now

on_both!(what_is_switched_off_is_seen_by_every_process, |house| {
    let other = second_door(&house).await;
    assert!(item(&other, "masala-dosa").await.availability.is_available());
    let cook = house.signed_in("cook", "kitchen").await;
    let off = SetAvailable { item: "masala-dosa".to_owned(), option: None, available: false };
    let done = house.door.execute(&cook, None, off.clone()).await.expect("switched off");
    assert!(done.changed && !done.available);
    assert!(!house.door.execute(&cook, None, off).await.expect("again").changed);
    assert_eq!(item(&other, "masala-dosa").await.availability, Availability::EightySixed);
    let on = SetAvailable { item: "masala-dosa".to_owned(), option: None, available: true };
    house.door.execute(&cook, None, on).await.expect("switched on");
    assert!(item(&other, "masala-dosa").await.availability.is_available());
    let choice =
        SetAvailable { item: "masala-dosa".to_owned(), option: Some("Ghee roast".to_owned()), available: false };
    house.door.execute(&cook, None, choice).await.expect("switched off");
    let dosa = item(&other, "masala-dosa").await;
    let ghee = dosa.option_groups[0].choices.iter().find(|choice| choice.name == "Ghee roast").expect("choice");
    assert!(!ghee.available && dosa.availability.is_available());
    let audits = "SELECT COUNT(*) FROM audit_log WHERE use_case = 'menu_set_available' AND action = 'UPDATE' \
         AND before_value IS NOT NULL AND after_value IS NOT NULL AND actor_name = 'cook'";
    assert_eq!(house.number(audits, vec![]).await, 3);
});

on_both!(prices_change_for_every_process_and_are_checked, |house| {
    let other = second_door(&house).await;
    let before = menu(&other).await;
    let set = |price: &str| SetPrice { item: "samosa".to_owned(), price: price.to_owned() };
    house.door.execute(SYSTEM, None, set("65.50")).await.expect("set");
    let after = menu(&other).await;
    assert!(after.version > before.version);
    assert_eq!(item(&other, "samosa").await.price, Money(6550));
    for bad in ["0", "-1", "1,50", "1.999", "99999999999999999999", "10000000000000"] {
        let refused = house.door.execute(SYSTEM, None, set(bad)).await.expect_err(bad);
        assert_eq!(refused.code, ErrorCode::ValidationError, "{bad}");
    }
    let nobody = SetPrice { item: "no\u{1b}[31m".to_owned(), price: "1.00".to_owned() };
    let refused = house.door.execute(SYSTEM, None, nobody).await.expect_err("refused");
    assert_eq!(refused.code, ErrorCode::NotFound);
    assert!(!refused.message.contains('\u{1b}'));
    assert_eq!(menu(&other).await.version, after.version);
});

/// `HH:MM` so many minutes from `now` in the demo's zone.
fn clock_time(now: Timestamp, minutes: i64) -> String {
    let local = now.plus_seconds(minutes * 60).local_time(chrono_tz::Asia::Kolkata);
    format!("{:02}:{:02}", local.hour(), local.minute())
}

on_both!(dishes_are_served_in_their_slot_only, |house| {
    let now = house.now().await;
    let slots = json!({
        "this": { "start": clock_time(now, -60), "end": clock_time(now, 60) },
        "later": { "start": clock_time(now, 120), "end": clock_time(now, 180) },
    });
    let set = SetSetting { key: "time_slots".to_owned(), value: slots, seen: None, reason: Some("a test".to_owned()) };
    house.door.execute(SYSTEM, None, set).await.expect("set");
    let mut file = house.door.ask(SYSTEM, MenuExport).await.expect("export");
    for entry in &mut file.item {
        match entry.code.as_str() {
            "samosa" => entry.slots = vec!["this".to_owned()],
            "masala-dosa" => entry.slots = vec!["later".to_owned()],
            _ => {}
        }
    }
    house
        .door
        .execute(SYSTEM, None, MenuImport { file, dry_run: false, reason: Some("a test".to_owned()) })
        .await
        .expect("import");
    let open = menu(&house.door).await;
    assert_eq!((open.open, open.slot.as_deref(), open.next_slot_at), (true, Some("this"), None));
    assert!(item(&house.door, "samosa").await.availability.is_available());
    let out = Availability::OutOfSlot { slots: vec!["later".to_owned()] };
    assert_eq!(item(&house.door, "masala-dosa").await.availability, out);

    let value = json!({ "later": { "start": clock_time(now, 120), "end": clock_time(now, 180) } });
    house
        .door
        .execute(
            SYSTEM,
            None,
            SetSetting { key: "time_slots".to_owned(), value, seen: None, reason: Some("a test".to_owned()) },
        )
        .await
        .expect("set");
    let closed = menu(&house.door).await;
    assert_eq!((closed.open, closed.slot, closed.next_slot.as_deref()), (false, None, Some("later")));
    let wait = closed.next_slot_at.expect("a next slot").seconds_since(now);
    assert!((6_900..=7_200).contains(&wait), "{wait}");
    assert!(matches!(item(&house.door, "samosa").await.availability, Availability::OutOfSlot { .. }));

    let close = SetSetting {
        key: "restaurant_open".to_owned(),
        value: "false".into(),
        seen: None,
        reason: Some("a test".to_owned()),
    };
    house.door.execute(SYSTEM, None, close).await.expect("set");
    assert!(!menu(&house.door).await.open);
    let no_cash = SetSetting {
        key: "cash_payment_enabled".to_owned(),
        value: false.into(),
        seen: None,
        reason: Some("a test".to_owned()),
    };
    house.door.execute(SYSTEM, None, no_cash).await.expect("set");
    assert_eq!(menu(&house.door).await.methods.len(), 2);
});

#[tokio::test]
async fn the_slot_follows_the_clock_that_was_passed_in() {
    let house = House::demo(false).await.expect("house");
    let value =
        json!({ "breakfast": { "start": "07:00", "end": "10:00" }, "lunch": { "start": "12:00", "end": "15:00" } });
    house
        .door
        .execute(
            SYSTEM,
            None,
            SetSetting { key: "time_slots".to_owned(), value, seen: None, reason: Some("a test".to_owned()) },
        )
        .await
        .expect("set");
    for (instant, slot, next) in [
        ("2026-03-02T01:29:59Z", None, Some("breakfast")),
        ("2026-03-02T01:30:00Z", Some("breakfast"), None),
        // invariants.md, Order: no slot now (10:30).
        ("2026-03-02T05:00:00Z", None, Some("lunch")),
        ("2026-03-02T06:30:00Z", Some("lunch"), None),
        ("2026-03-02T09:30:00Z", None, Some("breakfast")),
    ] {
        house.clock.set(instant);
        let now = menu(&house.door).await;
        assert_eq!(
            (now.slot.as_deref(), now.next_slot.as_deref(), now.open),
            (slot, next, slot.is_some()),
            "{instant}"
        );
    }
}

// ---------------------------------------------------------------- the store room

fn waste(code: &str, quantity: i64) -> StockWaste {
    StockWaste { item: code.to_owned(), quantity, reason: "dropped".to_owned(), release: vec![] }
}

fn recount(code: &str, counted: i64) -> StockRecount {
    StockRecount { item: code.to_owned(), counted, release: vec![], reason: "counted".to_owned() }
}

/// I2 for every stock item: on_hand = opening + Σ movements, numbered without gaps.
async fn assert_ledger_agrees(house: &House) {
    let wrong = "SELECT COUNT(*) FROM stock_items s WHERE s.on_hand <> s.opening + COALESCE((SELECT \
         CAST(SUM(m.quantity) AS BIGINT) FROM stock_movements m WHERE m.site_id = s.site_id \
         AND m.stock_item_id = s.id), 0) OR s.last_movement <> (SELECT COUNT(*) FROM stock_movements m \
         WHERE m.site_id = s.site_id AND m.stock_item_id = s.id) OR s.reserved <> COALESCE((SELECT \
         CAST(SUM(r.quantity) AS BIGINT) FROM reservations r WHERE r.site_id = s.site_id \
         AND r.stock_item_id = s.id AND r.state = 'held'), 0)";
    assert_eq!(house.number(wrong, vec![]).await, 0, "I2");
}

on_both!(every_movement_has_a_row_in_the_ledger, |house| {
    let door = &house.door;
    let version = menu(door).await.version;
    let receive = StockReceive { item: "kulfi".to_owned(), quantity: 20, reason: "note 7".to_owned() };
    let done = door.execute(SYSTEM, Some("key-1"), receive.clone()).await.expect("received");
    assert_eq!((done.moved, done.item.on_hand), (20, 24));
    // I17: the same again with the same key does nothing.
    assert_eq!(door.execute(SYSTEM, Some("key-1"), receive).await.expect("again"), done);
    assert_eq!(left(&item(door, "pistachio-kulfi").await), Some(24), "seen without a new menu");
    assert_eq!(menu(door).await.version, version);
    let adjust = StockAdjust { item: "kulfi".to_owned(), delta: -3, reason: "found fewer".to_owned(), release: vec![] };
    assert_eq!(door.execute(SYSTEM, None, adjust).await.expect("adjusted").item.on_hand, 21);
    assert_eq!(door.execute(SYSTEM, None, waste("kulfi", 1)).await.expect("wasted").item.on_hand, 20);
    let counted = door.execute(SYSTEM, None, recount("kulfi", 15)).await.expect("recounted");
    assert_eq!((counted.moved, counted.item.on_hand), (-5, 15));
    assert_eq!(door.execute(SYSTEM, None, recount("kulfi", 15)).await.expect("recounted").moved, 0);
    assert_ledger_agrees(&house).await;

    let page = |after| StockLedger { item: "kulfi".to_owned(), filter: MovementFilter::default(), after, limit: 3 };
    let first = door.ask(SYSTEM, page(None)).await.expect("page");
    let words: Vec<_> = first.items.iter().map(|row| (row.seq, row.kind.as_str(), row.quantity)).collect();
    assert_eq!(words, [(4, "recount", -5), (3, "waste", -1), (2, "adjust", -3)]);
    assert_eq!(first.total, 4);
    let second = door.ask(SYSTEM, page(first.next)).await.expect("page");
    assert_eq!(second.items.len(), 1);
    assert_eq!((second.items[0].kind.as_str(), second.items[0].reason.as_deref()), ("receive", Some("note 7")));
    assert_eq!(second.next, None);
});

on_both!(a_ledger_is_narrowed_by_kinds_and_by_instants, |house| {
    use StockMovementKind::{Commit, Receive, Recount, Waste};
    let door = &house.door;
    let receive = StockReceive { item: "kulfi".to_owned(), quantity: 20, reason: "note 7".to_owned() };
    door.execute(SYSTEM, None, receive).await.expect("received");
    for (instant, step) in ["2026-03-02T06:31:00Z", "2026-03-02T06:32:00Z", "2026-03-02T06:33:00Z"].iter().zip(1..) {
        // Postgres has a clock of its own.
        house.clock.set(instant);
        match step {
            2 => door.execute(SYSTEM, None, recount("kulfi", 15)).await,
            units => door.execute(SYSTEM, None, waste("kulfi", units)).await,
        }
        .expect("moved");
    }
    // Another thing's ledger is none of this one's.
    door.execute(SYSTEM, None, waste("samosa", 1)).await.expect("wasted");
    let ask = async |filter: MovementFilter, after: Option<String>, limit: i64| {
        door.ask(SYSTEM, StockLedger { item: "kulfi".to_owned(), filter, after, limit }).await.expect("a page")
    };
    let of =
        |kinds: &[StockMovementKind]| MovementFilter { kinds: kinds.iter().copied().collect(), ..Default::default() };
    let numbers = |page: &Page<MovementView>| page.items.iter().map(|row| row.seq).collect::<Vec<_>>();
    let all = ask(MovementFilter::default(), None, 10).await;
    assert_eq!((numbers(&all), all.total), (vec![4, 3, 2, 1], 4));

    let wasted = ask(of(&[Waste]), None, 10).await;
    assert_eq!((numbers(&wasted), wasted.total, wasted.next), (vec![4, 2], 2, None));
    let two = of(&[Waste, Receive]);
    let first = ask(two.clone(), None, 2).await;
    assert_eq!((numbers(&first), first.total, first.at_least), (vec![4, 2], 3, false));
    let rest = ask(two, first.next, 2).await;
    assert_eq!((numbers(&rest), rest.total, rest.next), (vec![1], 3, None));
    let none = ask(of(&[Commit]), None, 10).await;
    assert_eq!((numbers(&none), none.total, none.next), (vec![], 0, None));

    let at = |seq: i64| all.items.iter().find(|row| row.seq == seq).map(|row| row.at);
    let middle = MovementFilter { from: at(2), until: at(4), ..Default::default() };
    let found = ask(middle.clone(), None, 10).await;
    assert_eq!((numbers(&found), found.total), (vec![3, 2], 2), "with the first instant, without the last");
    let both = ask(MovementFilter { kinds: [Recount].into(), ..middle }, None, 10).await;
    assert_eq!((numbers(&both), both.total), (vec![3], 1));
    let worded = |text: &str| MovementFilter { text: Some(text.to_owned()), ..Default::default() };
    let reason = all.items.iter().find(|row| row.seq == 3).and_then(|row| row.reason.clone()).expect("a reason");
    let found = ask(worded(&reason.to_uppercase()), None, 10).await;
    assert!(numbers(&found).contains(&3) && found.items.iter().all(|row| row.reason.as_ref() == Some(&reason)));
    let nothing = ask(worded("%"), None, 10).await;
    assert_eq!((numbers(&nothing), nothing.total), (vec![], 0), "what is typed is no pattern");
    let since = ask(MovementFilter { from: at(4), ..Default::default() }, None, 10).await;
    assert_eq!((numbers(&since), since.total), (vec![4], 1));
});

on_both!(senseless_movements_are_refused, |house| {
    let door = &house.door;
    let code = |result: Result<_, Refused>| {
        result.map(|_: servery::service::stock::StockChanged| ()).expect_err("refused").code
    };
    for quantity in [0, -1, i64::MIN, i64::MAX] {
        let receive = StockReceive { item: "kulfi".to_owned(), quantity, reason: "counted".to_owned() };
        assert_eq!(code(door.execute(SYSTEM, None, receive).await), ErrorCode::ValidationError);
        assert_eq!(code(door.execute(SYSTEM, None, waste("kulfi", quantity)).await), ErrorCode::ValidationError);
    }
    assert_eq!(code(door.execute(SYSTEM, None, recount("kulfi", -1)).await), ErrorCode::ValidationError);
    assert_eq!(code(door.execute(SYSTEM, None, waste("kulfi", 5)).await), ErrorCode::InsufficientStock);
    let full = StockReceive { item: "kulfi".to_owned(), quantity: 1_000_000_000, reason: "counted".to_owned() };
    assert_eq!(code(door.execute(SYSTEM, None, full).await), ErrorCode::ValidationError);
    // Nothing moves without a reason, whichever way it is asked for.
    let blank = || " \u{202e}\n".to_owned();
    let before = item(door, "pistachio-kulfi").await;
    let silent: [Envelope; 4] = [
        Envelope::Stock(StockCommand::Waste(StockWaste { reason: blank(), ..waste("kulfi", 1) })),
        Envelope::Stock(StockCommand::Recount(StockRecount { reason: blank(), ..recount("kulfi", 1) })),
        Envelope::from_json(r#"{"stock":{"receive":{"item":"kulfi","quantity":1}}}"#).expect("a command"),
        Envelope::from_json(r#"{"stock":{"recount":{"item":"kulfi","counted":1}}}"#).expect("a command"),
    ];
    for command in silent {
        let refused = command.run(door, SYSTEM, None).await.expect_err("refused");
        assert_eq!((refused.code, &refused.details["field"]), (ErrorCode::ValidationError, &json!("reason")));
    }
    assert_eq!(item(door, "pistachio-kulfi").await, before);
    assert_eq!(code(door.execute(SYSTEM, None, waste("caviar", 1)).await), ErrorCode::NotFound);
    let filter = MovementFilter::default();
    let page = StockLedger { item: "kulfi".to_owned(), filter, after: Some("x".to_owned()), limit: 10 };
    assert_eq!(door.ask(SYSTEM, page).await.expect_err("refused").code, ErrorCode::ValidationError);
    assert_eq!(shelf(&house, "kulfi").await.on_hand, 4);
    assert_ledger_agrees(&house).await;
});

on_both!(a_count_below_what_orders_hold_is_refused_with_the_holders, |house| {
    let door = &house.door;
    let samosa = shelf(&house, "samosa").await.id.0;
    let pending = house.holder(1, "pending", samosa, 10).await;
    let received = house.holder(2, "received", samosa, 5).await;
    let paying = house.holder(3, "pending", samosa, 2).await;
    house.open_attempt(paying).await;
    assert_eq!(shelf(&house, "samosa").await.reserved, 17);

    let refused = door.execute(SYSTEM, None, recount("samosa", 12)).await.expect_err("refused");
    assert_eq!((refused.code, refused.guard), (ErrorCode::Conflict, Some("not_below_reserved")));
    assert_eq!(
        refused.details["holders"],
        json!([
            { "order": pending, "order_number": "ORD-20260302-001", "quantity": 10, "status": "pending", "releasable": true },
            { "order": received, "order_number": "ORD-20260302-002", "quantity": 5, "status": "received", "releasable": false },
            { "order": paying, "order_number": "ORD-20260302-003", "quantity": 2, "status": "pending", "releasable": false },
        ])
    );
    let refused = door.execute(SYSTEM, None, waste("samosa", 50)).await.expect_err("refused");
    assert_eq!(refused.details["holders"].as_array().map(Vec::len), Some(3));

    for (order, guard) in [(received, "order_pending"), (paying, "no_open_attempt")] {
        let release = StockRecount { release: vec![pending, order], ..recount("samosa", 12) };
        let refused = door.execute(SYSTEM, None, release).await.expect_err("refused");
        assert_eq!((refused.code, refused.guard), (ErrorCode::Conflict, Some(guard)));
    }
    assert_eq!(shelf(&house, "samosa").await.reserved, 17, "nothing was released by a refusal");

    // Named pending orders are released, and then it is still judged by what the others hold.
    let release = StockRecount { release: vec![pending, pending], ..recount("samosa", 6) };
    let refused = door.execute(SYSTEM, None, release).await.expect_err("refused");
    assert_eq!(refused.details["reserved"], 7);
    let release = StockRecount { release: vec![pending, pending], ..recount("samosa", 12) };
    let done = door.execute(SYSTEM, None, release).await.expect("recounted");
    assert_eq!((done.item.on_hand, done.item.reserved, done.released), (12, 7, vec![pending]));
    let state = "SELECT COUNT(*) FROM reservations WHERE order_id = $1 AND state = 'released' AND ended_at IS NOT NULL";
    assert_eq!(house.number(state, vec![Bind::Id(pending.0)]).await, 1);
    let order = "SELECT COUNT(*) FROM orders WHERE id = $1 AND status = 'pending' AND version = 1";
    assert_eq!(house.number(order, vec![Bind::Id(pending.0)]).await, 1, "the order waits for its next PayStart");
    assert_ledger_agrees(&house).await;
});

on_both!(the_last_units_are_wasted_once, |house| {
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let door = house.door.clone();
            tokio::spawn(async move { door.execute(SYSTEM, None, waste("kulfi", 1)).await })
        })
        .collect();
    let mut wasted = 0;
    for task in tasks {
        match task.await.expect("task") {
            Ok(_) => wasted += 1,
            Err(refused) => assert_eq!(refused.code, ErrorCode::InsufficientStock, "{refused:?}"),
        }
    }
    assert_eq!((wasted, shelf(&house, "kulfi").await.on_hand), (4, 0));
    assert_ledger_agrees(&house).await;
});

on_both!(a_dish_begins_to_be_counted, |house| {
    let door = &house.door;
    assert_eq!(left(&item(door, "dal-tadka").await), None);
    let set = StockSet {
        code: "dal".to_owned(),
        name: "Dal\u{1b}[2J pots".to_owned(),
        unit: Some("portion".to_owned()),
        opening: Some(9),
        low_mark: 10,
        sold_as: Some("dal-tadka".to_owned()),
        only_new: true,
    };
    let made = door.execute(SYSTEM, None, set.clone()).await.expect("made");
    assert_eq!((made.item.on_hand, made.item.opening, made.item.name.as_str()), (9, 9, "Dal[2J pots"));
    assert!(made.item.low);
    assert_eq!(left(&item(door, "dal-tadka").await), Some(9));
    let taken = door.execute(SYSTEM, None, set.clone()).await.expect_err("refused");
    assert_eq!((taken.code, &taken.details["field"]), (ErrorCode::Conflict, &json!("code")));
    let set = StockSet { only_new: false, ..set };
    let found = async |text: &str, state: Option<StockState>| {
        let filter = StockFilter { text: Some(text.to_owned()), state };
        door.ask(SYSTEM, StockList { filter, ..StockList::default() }).await.expect("list").items
    };
    let low = found("", Some(StockState::Low)).await;
    assert!(low.iter().any(|item| item.code == "dal") && low.iter().all(|item| item.available <= item.low_mark));
    let codes = |items: Vec<StockView>| items.into_iter().map(|item| item.code).collect::<Vec<_>>();
    assert_eq!(codes(found("DAL[", None).await), ["dal"], "by a part of the name");
    assert!(found("dal", Some(StockState::Out)).await.is_empty());
    house.sql("UPDATE stock_items SET on_hand = reserved WHERE code = $1", vec![Bind::Text("dal")]).await;
    assert_eq!(codes(found("dal", Some(StockState::Out)).await), ["dal"]);
    house
        .sql("UPDATE stock_items SET on_hand = reserved + 9, tracked = FALSE WHERE code = $1", vec![Bind::Text("dal")])
        .await;
    assert_eq!(codes(found("", Some(StockState::Untracked)).await), ["dal"]);
    assert!(found("dal", Some(StockState::Tracked)).await.is_empty());
    house.sql("UPDATE stock_items SET tracked = TRUE WHERE code = $1", vec![Bind::Text("dal")]).await;
    // Page by page, each once and in the order of the codes.
    let all = codes(found("", None).await);
    let (mut walked, mut after) = (Vec::new(), None);
    loop {
        let page = door.ask(SYSTEM, StockList { after, limit: 7, ..StockList::default() }).await.expect("page");
        assert_eq!(page.total, i64::try_from(all.len()).expect("few"));
        walked.extend(codes(page.items));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(walked, all);
    let again = StockSet { opening: Some(50), ..set.clone() };
    assert_eq!(door.execute(SYSTEM, None, again).await.expect_err("refused").code, ErrorCode::Conflict);
    let renamed = StockSet { opening: None, name: "Dal".to_owned(), low_mark: 2, ..set };
    assert_eq!(door.execute(SYSTEM, None, renamed).await.expect("renamed").item.on_hand, 9);
    assert_ledger_agrees(&house).await;
});

// ---------------------------------------------------------------- files

async fn import(house: &House, file: MenuFile, dry_run: bool) -> Result<MenuDiff, Refused> {
    house.door.execute(SYSTEM, None, MenuImport { file, dry_run, reason: Some("a test".to_owned()) }).await
}

on_both!(an_import_changes_what_the_file_changes, |house| {
    let file = house.door.ask(SYSTEM, MenuExport).await.expect("export");
    let same = import(&house, file.clone(), false).await.expect("import");
    assert!(same.is_empty() && same.unchanged > 28, "{same:?}");
    let mut edited = MenuFile::from_toml(&file.to_toml().expect("toml")).expect("reads");
    edited.item.retain(|item| item.code != "curd-rice");
    let mut fresh = edited.item[0].clone();
    (fresh.code, fresh.name) = ("paratha".to_owned(), "Paratha".to_owned());
    edited.item.push(fresh);
    for item in &mut edited.item {
        match item.code.as_str() {
            "samosa" => (item.price, item.uses) = ("70.00".to_owned(), [("samosa".to_owned(), 3)].into()),
            "masala-chai" => {
                item.option[0].choices[1].price = Some("25.00".to_owned());
                item.option.truncate(1);
            }
            _ => {}
        }
    }
    let version = menu(&house.door).await.version;
    let rows = "SELECT (SELECT COUNT(*) FROM menu_items WHERE deleted_at IS NULL) * 1000000 \
         + (SELECT COUNT(*) FROM option_choices WHERE deleted_at IS NULL) * 1000 + (SELECT COUNT(*) FROM audit_log \
         WHERE action = 'IMPORT')";
    let before = house.number(rows, vec![]).await;
    let tried = import(&house, edited.clone(), true).await.expect("dry run");
    assert!(tried.dry_run);
    assert_eq!(house.number(rows, vec![]).await, before, "a dry run changes nothing");
    assert_eq!(menu(&house.door).await.version, version);
    assert_eq!(item(&house.door, "samosa").await.price, Money(6000));

    let done = import(&house, edited.clone(), false).await.expect("import");
    let keys = |entries: &[servery::service::menu_import::DiffEntry]| -> Vec<String> {
        entries.iter().map(|entry| entry.key.clone()).collect()
    };
    assert_eq!((keys(&done.added), keys(&done.removed)), (vec!["paratha".to_owned()], vec!["curd-rice".to_owned()]));
    assert_eq!((keys(&tried.added), keys(&tried.changed)), (keys(&done.added), keys(&done.changed)));
    let samosa = done.changed.iter().find(|entry| entry.key == "samosa").expect("changed");
    assert_eq!(samosa.words, ["price 60.00 → 70.00", "what it uses of the store room"]);
    assert_eq!(left(&item(&house.door, "samosa").await), Some(20));
    let chai = item(&house.door, "masala-chai").await;
    assert_eq!((chai.option_groups.len(), chai.option_groups[0].choices[1].price_delta), (1, Money(2500)));
    // C22: soft.
    let kept = "SELECT COUNT(*) FROM menu_items WHERE code = 'curd-rice' AND deleted_at IS NOT NULL";
    assert_eq!(house.number(kept, vec![]).await, 1);
    assert_eq!(
        house.door.ask(SYSTEM, ItemDetail { item: "curd-rice".to_owned() }).await.expect_err("gone").code,
        ErrorCode::NotFound
    );
    // Taken on again under its old code, it is a new item.
    let back = import(&house, file, false).await.expect("import");
    assert_eq!(keys(&back.added), ["curd-rice"]);
    let again = house.door.ask(SYSTEM, MenuExport).await.expect("export");
    assert!(import(&house, again, false).await.expect("import").is_empty());
    assert_ledger_agrees(&house).await;
});

on_both!(an_import_keeps_counts_and_what_was_switched_off, |house| {
    let file = MenuFile::from_toml(setup::DEMO_MENU).expect("demo");
    house.door.execute(SYSTEM, None, waste("samosa", 10)).await.expect("wasted");
    let off = SetAvailable { item: "lime-soda".to_owned(), option: None, available: false };
    house.door.execute(SYSTEM, None, off).await.expect("off");
    assert!(import(&house, file, false).await.expect("import").is_empty());
    assert_eq!(shelf(&house, "samosa").await.on_hand, 50);
    assert_eq!(item(&house.door, "lime-soda").await.availability, Availability::EightySixed);
    let exported = house.door.ask(SYSTEM, MenuExport).await.expect("export");
    let csv = MenuFile::from_csv(&exported.to_csv().expect("csv")).expect("reads");
    let diff = import(&house, csv, false).await.expect("import");
    assert!(diff.is_empty(), "{diff:?}");
});

on_both!(hostile_text_is_cleaned_and_mistakes_are_named, |house| {
    let head = "[[category]]\nname = \"Mains\\u202E\"\n";
    let hostile = format!(
        "{head}[[item]]\ncode = \"evil\"\nname = \"Ev\\u001B[31mil\\u200B \\u202E Soup\"\ncategory = \"Mains\"\n\
         description = \"a\\u0007b\\nc\"\nprice = \"5.00\"\ndiet = \"veg\"\n\
         option = [{{ name = \"S\\u0000ize\", choices = [{{ name = \"L\\u2066arge\" }}] }}]\n"
    );
    let file = MenuFile::from_toml(&hostile).expect("reads");
    import(&house, file, false).await.expect("import");
    let soup = item(&house.door, "evil").await;
    assert_eq!((soup.name.as_str(), soup.description.as_str()), ("Ev[31mil Soup", "ab\nc"));
    assert_eq!(
        (soup.option_groups[0].name.as_str(), soup.option_groups[0].choices[0].name.as_str()),
        ("Size", "Large")
    );
    assert_eq!(menu(&house.door).await.categories[0].name, "Mains");

    let version = menu(&house.door).await.version;
    let good = "code = \"x\"\nname = \"X\"\ncategory = \"Mains\"\ndiet = \"veg\"\n";
    for (body, field) in [
        (format!("{good}price = \"1,50\""), "price"),
        (format!("{good}price = \"0\""), "price"),
        (format!("{good}price = \"1\"\nallergens = [\"mud\"]"), "allergens"),
        (format!("{good}price = \"1\"\nspicy = 4"), "spicy"),
        (format!("{good}price = \"1\"\nstation = \"Moon\""), "station"),
        (format!("{good}price = \"1\"\nuses = {{ unobtainium = 1 }}"), "uses"),
        (format!("{good}price = \"1\"\nuses = {{ paneer = 0 }}"), "units"),
        (
            format!("{good}price = \"1\"\noption = [{{ name = \"A\", min = 3, choices = [{{ name = \"B\" }}] }}]"),
            "option_group.max",
        ),
    ] {
        let file = MenuFile::from_toml(&format!("{head}[[item]]\n{body}\n")).expect("reads");
        let refused = import(&house, file, false).await.expect_err(field);
        assert_eq!(refused.details["field"], field, "{refused:?}");
        assert_eq!(refused.details["line"], 3, "{refused:?}");
    }
    let twice = format!("{head}[[item]]\n{good}price = \"1\"\n[[item]]\n{good}price = \"2\"\n");
    let refused = import(&house, MenuFile::from_toml(&twice).expect("reads"), false).await.expect_err("twice");
    assert_eq!(refused.details["field"], "code");
    assert_eq!(refused.details["line"], 9, "{refused:?}");
    // A station or tax class that the file takes out of use cannot be named by its items.
    for (section, field) in
        [("[[station]]\nname = \"Bar\"", "station"), ("[[tax_class]]\nname = \"T\"\nrate = \"1\"", "tax_class")]
    {
        let (grill, drinks) = ("station = \"Grill\"", "tax_class = \"Packaged drinks 18 %\"");
        let named = if field == "station" { grill } else { drinks };
        let text = format!("{section}\n{head}[[item]]\n{good}price = \"1\"\n{named}\n");
        let refused = import(&house, MenuFile::from_toml(&text).expect("reads"), false).await.expect_err(field);
        assert_eq!(refused.details["field"], field);
    }
    let unlisted = format!("[[category]]\nname = \"Other\"\n[[item]]\n{good}price = \"1\"\n");
    assert!(import(&house, MenuFile::from_toml(&unlisted).expect("reads"), false).await.is_err());
    let euros = MenuFile { currency: Some("EUR".to_owned()), ..MenuFile::default() };
    assert_eq!(import(&house, euros, false).await.expect_err("euros").details["field"], "currency");
    assert_eq!(menu(&house.door).await.version, version, "refused imports change nothing");
});

// ---------------------------------------------------------------- settings and permissions

on_both!(settings_are_checked_and_shown_in_money, |house| {
    let admin = house.signed_in("boss", "admin").await;
    let set = |key: &str, value: serde_json::Value| SetSetting {
        key: key.to_owned(),
        value,
        seen: None,
        reason: Some("a test".to_owned()),
    };
    let door = &house.door;
    let fee = door.execute(&admin, None, set("delivery_charge", "35.50".into())).await.expect("set");
    assert_eq!((fee.value, fee.default), (json!("35.50"), json!("20.00")));
    let stored = "SELECT COUNT(*) FROM settings WHERE key = 'delivery_charge' AND CAST(value AS TEXT) = '3550'";
    assert_eq!(house.number(stored, vec![]).await, 1, "minor units in the store");
    door.execute(&admin, None, set("delivery_charge", json!(12.5))).await.expect("set");
    door.execute(&admin, None, set("accept_timeout_seconds", " 120 ".into())).await.expect("set");
    door.execute(&admin, None, set("business_day_cutoff", "05:30".into())).await.expect("set");
    for (key, value) in [
        ("delivery_charge", json!("1.234")),
        ("delivery_charge", json!(-1)),
        ("delivery_charge", json!(true)),
        ("accept_timeout_seconds", json!("soon")),
        ("accept_timeout_seconds", json!(1)),
        ("auto_ready", json!("perhaps")),
        ("time_slots", json!("{\"a\":{\"start\":\"25:00\",\"end\":\"26:00\"}}")),
        ("business_day_cutoff", json!("4")),
    ] {
        let refused = door.execute(&admin, None, set(key, value)).await.expect_err(key);
        assert_eq!(refused.code, ErrorCode::ValidationError, "{key}");
    }
    let unknown = door.execute(&admin, None, set("nonsense", true.into())).await.expect_err("unknown");
    assert_eq!(unknown.code, ErrorCode::NotFound);
    let list = second_door(&house).await.ask(&admin, ListSettings).await.expect("list");
    assert_eq!(list.len(), servery::domain::settings::KEYS.len());
    let of = |key: &str| list.iter().find(|setting| setting.key == key).expect("setting").clone();
    let fee = of("delivery_charge");
    assert_eq!((fee.value, fee.updated_by.as_deref()), (json!("12.50"), Some("boss")));
    assert!(fee.updated_at.is_some() && of("auto_ready").updated_at.is_none());
    assert_eq!(of("accept_timeout_seconds").value, json!(120));
    let audits = "SELECT COUNT(*) FROM audit_log WHERE use_case = 'setting_set' AND entity = 'Setting'";
    assert_eq!(house.number(audits, vec![]).await, 4);
});

on_both!(only_those_with_the_right_get_in, |house| {
    let door = &house.door;
    let guest = Caller::Guest { customer: CustomerId(house.id()), terminal: None };
    let cook = house.signed_in("cook", "kitchen").await;
    let courier = house.signed_in("courier", "delivery").await;
    let screen = TerminalId(house.id());
    house
        .sql(
            "INSERT INTO terminals (site_id, id, name, role, registered_at) VALUES ('main', $1, 'board', $2, 0)",
            vec![Bind::Id(screen.0), Bind::Text("kitchen")],
        )
        .await;
    let screen = Caller::Terminal(screen);
    let denied =
        |result: Result<(), Refused>| assert_eq!(result.expect_err("denied").code, ErrorCode::InsufficientRole);
    assert!(door.ask(&guest, MenuNow::default()).await.is_ok());
    assert!(door.ask(&screen, StockList::default()).await.is_ok());
    denied(door.ask(&guest, StockList::default()).await.map(drop));
    denied(door.ask(&cook, ListSettings).await.map(drop));
    denied(door.ask(&cook, MenuExport).await.map(drop));
    for caller in [&guest, &cook, &courier, &screen] {
        let price = SetPrice { item: "samosa".to_owned(), price: "1.00".to_owned() };
        denied(door.execute(caller, None, price).await.map(drop));
        denied(door.execute(caller, None, waste("samosa", 1)).await.map(drop));
        denied(door.execute(caller, None, recount("samosa", 1)).await.map(drop));
        let set = SetSetting {
            key: "auto_ready".to_owned(),
            value: true.into(),
            seen: None,
            reason: Some("a test".to_owned()),
        };
        denied(door.execute(caller, None, set).await.map(drop));
        let file = MenuImport { file: MenuFile::default(), dry_run: true, reason: Some("a test".to_owned()) };
        denied(door.execute(caller, None, file).await.map(drop));
    }
    for caller in [&guest, &courier, &screen] {
        let off = SetAvailable { item: "samosa".to_owned(), option: None, available: false };
        denied(door.execute(caller, None, off).await.map(drop));
    }
    let stays = house.number("SELECT COUNT(*) FROM stock_movements", vec![]).await;
    assert_eq!((stays, item(door, "samosa").await.price), (0, Money(6000)));
});
