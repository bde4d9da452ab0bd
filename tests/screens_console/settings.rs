//! The console's settings: pictures of the list and of every editor, and what they set.

#![expect(clippy::expect_used, reason = "a helper of tests, which clippy does not know as a test")]

use super::house::House;
use super::keep;
use servery::domain::settings::AutoAccept;
use servery::service::Caller;
use servery::service::settings::{ListSettings, SetSetting, SettingHistory, SettingView};
use servery::service::site_info::ThisSite;

fn settings(house: &House) -> servery::domain::settings::Settings {
    house.run(house.opened().door.ask(&Caller::System, ThisSite)).expect("the site").settings
}

fn shown(house: &House, key: &str) -> SettingView {
    let all = house.run(house.opened().door.ask(&Caller::System, ListSettings)).expect("the settings");
    all.into_iter().find(|setting| setting.key == key).expect("the setting")
}

/// The keys that lead to a setting from the first one.
fn down(times: usize) -> String {
    vec!["down"; times].join(" ")
}

fn untouched(_: &House) {}

#[test]
fn the_settings_in_every_state() {
    keep("settings_list", "asha", untouched, &["5"]);
    keep("settings_end", "asha", untouched, &["5", "end"]);
    keep("settings_slots", "asha", untouched, &["5", "down enter"]);
    keep("settings_slot", "asha", untouched, &["5", "down enter a"]);
    keep("settings_remove_slot", "asha", untouched, &["5", "down enter x"]);
    keep("settings_number", "asha", untouched, &["5", "down down enter", "x"]);
    keep("settings_time", "asha", untouched, &["5", "down down down enter"]);
    keep("settings_seconds", "asha", untouched, &["5", &down(15), "enter"]);
    keep("settings_choice", "asha", untouched, &["5", &down(14), "enter"]);
    keep("settings_money", "asha", untouched, &["5", &down(11), "enter"]);
    keep("settings_off", "asha", untouched, &["5", "space"]);
    keep("settings_search", "asha", untouched, &["5", "/", "k i t c h e n"]).showing("Kitchen");
    keep("settings_none_found", "asha", untouched, &["5", "/", "x x x", "enter"]).showing("No setting has these words");
    keep("settings_history", "asha", untouched, &["5", "space", "n o space g a s enter", "space", "h"]);
}

#[test]
fn a_switch_is_switched_with_one_key_and_says_who_did() {
    let house = House::demo();
    let mut desk = house.console(120, 40);
    desk.sign_in("asha");
    desk.press("5 space");
    assert!(desk.screen().contains("switch off"), "guests can do less then: {}", desk.screen());
    desk.press("enter");
    assert!(settings(&house).restaurant_open, "not without a reason: {}", desk.screen());
    desk.type_text("no gas");
    desk.press("enter");
    assert!(!settings(&house).restaurant_open, "{}", desk.screen());
    assert_eq!(shown(&house, "restaurant_open").updated_by.as_deref(), Some("asha"));
    let seen = desk.screen();
    assert!(seen.contains("Yes → No") && seen.contains("asha") && seen.contains("no gas"), "{seen}");
    desk.press("enter");
    assert!(settings(&house).restaurant_open, "on again with one key: {}", desk.screen());
}

/// Cash is the only way of paying.
fn cash_only(house: &House) {
    for key in ["card_payment_enabled", "upi_payment_enabled"] {
        let off = SetSetting {
            key: key.to_owned(),
            value: serde_json::json!(false),
            seen: None,
            reason: Some("a test".to_owned()),
        };
        let set = house.run(house.opened().door.execute(&Caller::System, None, off)).expect("off");
        assert_eq!(set.warning, None);
    }
}

#[test]
fn the_last_way_of_paying_goes_off_with_a_reason_and_a_warning() {
    keep("settings_last_payment", "asha", cash_only, &["5", &down(4), "enter"]);
    let house = House::demo();
    cash_only(&house);
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("5");
    desk.press(&down(4));
    desk.press("enter enter");
    assert!(settings(&house).cash_payment_enabled, "a second Enter never says yes: {}", desk.screen());
    assert!(desk.screen().contains("last way of paying"), "{}", desk.screen());
    desk.press("esc enter");
    desk.type_text("no change left");
    desk.press("enter");
    assert!(!settings(&house).takes_payment(), "{}", desk.screen());
    assert!(desk.screen().contains("cannot take orders"), "{}", desk.screen());
    // Back on, and off again beside another: nothing to warn of.
    desk.press("enter down enter up enter");
    assert!(!desk.screen().contains("last way of paying"), "{}", desk.screen());
    desk.type_text("cards only");
    desk.press("enter");
    let now = settings(&house);
    assert!(now.card_payment_enabled && !now.cash_payment_enabled, "{}", desk.screen());
}

#[test]
fn every_kind_of_value_has_its_editor() {
    let house = House::demo();
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("5 down down enter ctrl+u");
    desk.type_text("7x");
    desk.press("enter");
    assert!(desk.screen().contains("A whole number from"), "{}", desk.screen());
    assert_eq!(settings(&house).max_orders_per_slot, 50);
    desk.press("backspace enter");
    assert_eq!(settings(&house).max_orders_per_slot, 7, "{}", desk.screen());
    desk.press("down enter ctrl+u");
    desk.type_text("05:30");
    desk.press("enter");
    assert_eq!(settings(&house).business_day_cutoff.format("%H:%M").to_string(), "05:30", "{}", desk.screen());
    desk.press(&down(8));
    desk.press("enter ctrl+u");
    desk.type_text("35.50");
    desk.press("enter");
    assert_eq!(settings(&house).delivery_charge.0, 3_550, "{}", desk.screen());
    desk.press(&down(3));
    desk.press("enter right enter");
    assert_eq!(settings(&house).auto_accept, AutoAccept::All, "{}", desk.screen());
    desk.press("down enter ctrl+u");
    desk.type_text("90");
    desk.press("enter");
    assert_eq!(settings(&house).accept_timeout_seconds, 90, "{}", desk.screen());
    assert!(desk.screen().contains("90 seconds"), "{}", desk.screen());
}

#[test]
fn slots_are_added_changed_and_removed_and_never_overlap() {
    let house = House::demo();
    let hours = |house: &House| -> Vec<String> {
        let settings = settings(house);
        let slots = settings.time_slots.as_slice().iter();
        slots.map(|slot| format!("{} {}-{}", slot.name, slot.start.format("%H:%M"), slot.end.format("%H:%M"))).collect()
    };
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("5 down enter a");
    desk.type_text("lunch");
    desk.press("enter");
    desk.type_text("12:00");
    desk.press("enter");
    desk.type_text("15:00");
    desk.press("enter");
    assert!(desk.screen().contains("overlap"), "{}", desk.screen());
    assert_eq!(hours(&house), ["all day 00:00-00:00"]);
    // The whole day makes room first.
    desk.press("esc esc enter down ctrl+u");
    desk.type_text("16:00");
    desk.press("down ctrl+u");
    desk.type_text("22:00");
    desk.press("enter");
    assert_eq!(hours(&house), ["all day 16:00-22:00"], "{}", desk.screen());
    desk.press("a");
    desk.type_text("lunch");
    desk.press("enter");
    desk.type_text("12:00");
    desk.press("enter");
    desk.type_text("15:00");
    desk.press("enter");
    assert_eq!(hours(&house), ["lunch 12:00-15:00", "all day 16:00-22:00"], "{}", desk.screen());
    desk.press("end up x enter");
    assert_eq!(hours(&house).len(), 2, "a second key never says yes");
    desk.press("esc x");
    desk.type_text("closed in the evening");
    desk.press("enter");
    assert_eq!(hours(&house), ["lunch 12:00-15:00"], "{}", desk.screen());
    let history = SettingHistory { key: "time_slots".to_owned(), after: None, limit: 1 };
    let history = house.run(house.opened().door.ask(&Caller::System, history)).expect("its history");
    assert_eq!(history.items[0].reason.as_deref(), Some("closed in the evening"));
}

#[test]
fn what_is_changed_elsewhere_is_seen_and_the_place_is_kept() {
    let house = House::demo();
    let mut desk = house.console(120, 40);
    desk.sign_in("asha");
    desk.press("5 down down");
    let set = SetSetting {
        key: "max_orders_per_slot".to_owned(),
        value: 12.into(),
        seen: None,
        reason: Some("a test".to_owned()),
    };
    house.run(house.opened().door.execute(&Caller::System, None, set)).expect("set elsewhere");
    desk.changed();
    assert!(desk.screen().contains("50 → 12"), "{}", desk.screen());
}

#[test]
fn an_editor_that_was_opened_before_a_change_elsewhere_says_who_was_faster() {
    let house = House::demo();
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("5 down down enter ctrl+u");
    desk.type_text("7");
    let set = SetSetting {
        key: "max_orders_per_slot".to_owned(),
        value: 12.into(),
        seen: None,
        reason: Some("a test".to_owned()),
    };
    house.run(house.opened().door.execute(&Caller::System, None, set)).expect("set elsewhere");
    desk.changed();
    desk.press("enter");
    assert!(desk.screen().contains("changed max_orders_per_slot first"), "{}", desk.screen());
    assert_eq!(settings(&house).max_orders_per_slot, 12, "the other one's value stays");
    desk.press("enter");
    assert_eq!(settings(&house).max_orders_per_slot, 7, "said again, it is meant: {}", desk.screen());
}

#[test]
fn no_size_breaks_the_settings() {
    let house = House::demo();
    for (width, height) in [(60, 20), (61, 21), (109, 30), (110, 30), (200, 60)] {
        for keys in ["5", "5 h", "5 end", "5 down enter", "5 down enter a", "5 down down enter"] {
            let mut desk = house.console(width, height);
            desk.sign_in("asha");
            desk.press(keys);
            assert!(!desk.screen().contains('⟦'), "{}", desk.screen());
        }
    }
}

#[test]
fn a_setting_is_found_by_its_words() {
    let house = House::demo();
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("5 /");
    desk.type_text("cash");
    assert!(!desk.screen().contains("Open for orders"), "{}", desk.screen());
    desk.press("enter space");
    desk.type_text("no change left");
    desk.press("enter");
    assert!(!settings(&house).cash_payment_enabled, "{}", desk.screen());
    desk.press("/ ctrl+u");
    desk.type_text("no such setting");
    assert!(desk.screen().contains("No setting has these words"), "{}", desk.screen());
    desk.press("esc");
    assert!(desk.screen().contains("Open for orders"), "{}", desk.screen());
}

#[test]
fn a_history_goes_on_past_its_first_page() {
    let house = House::demo();
    for change in 0..70 {
        house.wait(60);
        let value = serde_json::json!(change % 2 == 1);
        let set = SetSetting {
            key: "restaurant_open".to_owned(),
            value,
            seen: None,
            reason: Some("closing for a while".to_owned()),
        };
        house.run(house.opened().door.execute(&Caller::System, None, set)).expect("set");
    }
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("5 h");
    assert!(desk.screen().contains("13:10") && !desk.screen().contains("12:01"), "{}", desk.screen());
    for _ in 0..30 {
        desk.press("pagedown");
    }
    assert!(desk.screen().contains("12:01"), "the first change of all: {}", desk.screen());
}
