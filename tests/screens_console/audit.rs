//! The console's audit log: pictures, what narrows it, and what it says of its seals.

#![expect(clippy::expect_used, reason = "a helper of tests, which clippy does not know as a test")]

use super::house::House;
use super::keep;
use servery::payment::Gateways;
use servery::service::Caller;
use servery::service::settings::SetSetting;
use servery::service::till::TillOpen;
use servery::store::StoreUrl;
use servery::worker::{Options, Worker};
use sqlx::{Connection, Executor};

/// To the audit log.
const THERE: &str = ": a u d i t enter";

/// Some orders and a changed setting.
fn happen(house: &House) {
    house.orders();
    let reason = Some("the oven is broken".to_owned());
    let value = serde_json::json!(false);
    let set = SetSetting { key: "restaurant_open".to_owned(), value, seen: None, reason };
    house.run(house.opened().door.execute(&Caller::System, None, set)).expect("set");
}

fn seal(house: &House) {
    house.run(async {
        let worker = Worker::new(house.opened().door.clone(), Gateways::none(), Options::default());
        let held = worker.take_lease().await.expect("asked").held.expect("the lease");
        worker.seal_audit_older_than(&held, 0).await.expect("sealed");
    });
}

#[test]
fn the_audit_log_in_every_state() {
    keep("audit_list", "asha", happen, &[THERE]);
    keep("audit_detail", "asha", happen, &[THERE, "down down enter"]);
    keep("audit_filter", "asha", happen, &[THERE, "f"]);
    keep("audit_search", "asha", happen, &[THERE, "/", "o p e n"]);
    keep("audit_nothing_found", "asha", happen, &[THERE, "/", "x y z z y", "enter"]);
}

#[test]
fn money_is_shown_as_money() {
    let house = House::demo();
    let (door, asha) = (&house.opened().door, house.person("asha"));
    house.run(door.execute(&asha, None, TillOpen { float: 123_450 })).expect("opened");
    let charge = serde_json::json!("35.50");
    let set = SetSetting { key: "delivery_charge".to_owned(), value: charge, seen: None, reason: None };
    house.run(door.execute(&asha, None, set)).expect("set");
    let mut desk = house.console(120, 40);
    desk.sign_in("asha");
    desk.press(THERE);
    desk.press("/");
    desk.type_text("float");
    desk.press("enter enter");
    let seen = desk.screen();
    assert!(seen.contains("₹1234.50") && !seen.contains("123450"), "{seen}");
    desk.press("esc / ctrl+u");
    desk.type_text("delivery_charge");
    desk.press("enter enter");
    let seen = desk.screen();
    assert!(seen.contains("₹20.00") && seen.contains("₹35.50"), "{seen}");
}

#[test]
fn a_filter_narrows_the_list_and_outlives_a_reload() {
    let house = House::demo();
    happen(&house);
    let mut desk = house.console(120, 40);
    desk.sign_in("asha");
    desk.press(THERE);
    assert!(desk.screen().contains("Order"), "{}", desk.screen());
    desk.press("f down down");
    desk.type_text("Setting");
    desk.press("down down down down");
    desk.type_text("2026-11-21");
    desk.press("enter");
    let seen = desk.screen();
    assert!(seen.contains("until 2026-11-21 · Setting") && seen.contains("restaurant_open"), "{seen}");
    assert!(!seen.contains("PLACE") && seen.contains("Before") && seen.contains("true"), "{seen}");
    desk.changed();
    assert!(desk.screen().contains("· Setting"), "{}", desk.screen());
    // The last day is before the first one now: the form says so and stays.
    desk.press("f up up");
    desk.type_text("2026-11-22");
    desk.press("down enter");
    assert!(desk.screen().contains("before the first one"), "{}", desk.screen());
}

#[test]
fn the_seals_are_gone_through_and_the_first_broken_range_is_said() {
    let house = House::demo();
    happen(&house);
    seal(&house);
    let mut desk = house.console(120, 40);
    desk.sign_in("asha");
    desk.press(THERE);
    assert!(desk.screen().contains("rows sealed"), "{}", desk.screen());
    desk.press("v");
    assert!(desk.screen().contains("Every seal holds"), "{}", desk.screen());

    let StoreUrl::Sqlite(path) = &house.opened().config.store else { panic!("a file") };
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    house.run(async {
        let mut file = sqlx::SqliteConnection::connect_with(&options).await.expect("the file");
        file.execute("DROP TRIGGER audit_log_no_update").await.expect("dropped");
        file.execute("UPDATE audit_log SET reason = 'nothing' WHERE seq = 2").await.expect("changed");
        file.close().await.expect("closed");
    });
    desk.press("v");
    let seen = desk.screen();
    assert!(seen.contains("are not what was sealed"), "{seen}");
    desk.settle();
    assert!(desk.screen().contains("are not what was sealed"), "it stays: {}", desk.screen());
}
