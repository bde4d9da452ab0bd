//! The console's staff and terminals: pictures, and who may come in afterwards.

#![expect(clippy::expect_used, reason = "a helper of tests, which clippy does not know as a test")]

use super::house::House;
use super::keep;
use servery::domain::access::Role;
use servery::service::Caller;
use servery::service::staff::{ListStaff, StaffView, login};
use servery::service::terminals::{self, ListTerminals, TerminalRole};

fn people(house: &House) -> Vec<StaffView> {
    let ask = house.opened().door.ask(&Caller::System, ListStaff::default());
    house.run(ask).expect("the staff").items
}

fn person(house: &House, username: &str) -> StaffView {
    people(house).into_iter().find(|person| person.username == username).expect("somebody")
}

fn kiosk(house: &House) {
    house.run(terminals::register(&house.opened().door, "kiosk-door", TerminalRole::Kiosk)).expect("registered");
}

#[test]
fn the_staff_in_every_state() {
    keep("staff_list", "asha", kiosk, &["6"]);
    let gone = |house: &House| {
        kiosk(house);
        house.deactivate("noor");
    };
    keep("staff_gone", "asha", gone, &["6"]);
    keep("staff_activate", "asha", gone, &["6", "down x"]).showing("They can sign in again");
    keep("staff_add", "asha", kiosk, &["6", "a", "1"]);
    keep("staff_role", "asha", kiosk, &["6", "end r"]);
    keep("staff_password", "asha", kiosk, &["6", "p", "a b c enter"]);
    keep("staff_pin", "asha", kiosk, &["6", "down i"]);
    keep("staff_deactivate", "asha", kiosk, &["6", "down x"]);
    keep("staff_last_admin", "asha", kiosk, &["6", "x", "b y e enter"]);
    keep("staff_terminals", "asha", kiosk, &["6", "t down"]);
    keep("staff_exit_pin", "asha", kiosk, &["6", "t end", "i"]);
    keep("staff_revoke", "asha", kiosk, &["6", "t", "end d"]);
    keep("staff_terminals_filter", "asha", kiosk, &["6", "t f"]).showing("Which terminals");
    keep("staff_terminals_search", "asha", kiosk, &["6", "t /", "d o o"]).showing("1 terminal");
    keep("staff_terminals_none_found", "asha", kiosk, &["6", "t /", "x x x enter"]).showing("No terminal like that");
    keep("staff_search", "asha", kiosk, &["6", "/", "r a"]);
    keep("staff_filter", "asha", kiosk, &["6", "f"]);
    keep("staff_none_found", "asha", kiosk, &["6", "/", "x x x", "enter"]);
}

#[test]
fn somebody_new_signs_in_with_the_password_that_was_typed_twice() {
    let house = House::demo();
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("6 a");
    desk.type_text("mira");
    desk.press("enter");
    desk.type_text("Mira");
    desk.press("enter right enter");
    desk.type_text("correct horse battery");
    desk.press("enter");
    desk.type_text("correct horse batter");
    desk.press("enter");
    assert_eq!(people(&house).len(), 3, "{}", desk.screen());
    assert!(desk.screen().contains("not the same"), "{}", desk.screen());
    desk.type_text("correct horse battery");
    desk.press("enter");
    assert_eq!(person(&house, "mira").role, Role::Delivery, "{}", desk.screen());
    let (door, secrets) = (&house.opened().door, &house.opened().secrets);
    house.run(login(door, secrets, None, "mira", "correct horse battery")).expect("signed in");
    assert!(!desk.screen().contains("battery"), "{}", desk.screen());
}

#[test]
fn a_name_that_is_taken_leads_back_to_it() {
    let house = House::demo();
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("6 a");
    for text in ["ravi", "Another"] {
        desk.type_text(text);
        desk.press("enter");
    }
    desk.press("enter");
    for _ in 0..2 {
        desk.type_text("correct horse battery");
        desk.press("enter");
    }
    assert!(desk.screen().contains("called ravi already"), "{}", desk.screen());
    desk.type_text("2");
    desk.press("up enter");
    assert_eq!(person(&house, "ravi2").name, "Another", "{}", desk.screen());
}

#[test]
fn a_role_a_secret_and_the_door_change_with_their_reasons() {
    let house = House::demo();
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("6 end r right enter");
    desk.type_text("she drives now");
    desk.press("enter");
    let ravi = person(&house, "ravi");
    assert_eq!((ravi.username.as_str(), ravi.role), ("ravi", Role::Delivery), "{}", desk.screen());
    desk.press("i");
    for text in ["860214", "860214", "a guest saw the old one"] {
        desk.type_text(text);
        desk.press("enter");
    }
    assert!(desk.screen().contains("new PIN"), "{}", desk.screen());
    desk.press("p");
    for text in ["a whole new password", "a whole new password"] {
        desk.type_text(text);
        desk.press("enter");
    }
    desk.press("enter");
    assert!(desk.screen().contains("must be filled in"), "no reason, no reset: {}", desk.screen());
    desk.type_text("forgotten");
    desk.press("enter");
    let (door, secrets) = (&house.opened().door, &house.opened().secrets);
    house.run(login(door, secrets, None, "ravi", "a whole new password")).expect("signed in");
    desk.press("x");
    desk.type_text("left");
    desk.press("enter");
    assert!(!person(&house, "ravi").active, "{}", desk.screen());
    desk.press("x");
    desk.type_text("came back");
    desk.press("enter");
    assert!(person(&house, "ravi").active, "{}", desk.screen());
}

#[test]
fn the_last_admin_stays() {
    let house = House::demo();
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("6 x");
    desk.type_text("bye");
    desk.press("enter");
    assert!(desk.screen().contains("last active admin"), "{}", desk.screen());
    desk.press("esc r right enter");
    desk.type_text("bye");
    desk.press("enter");
    let asha = person(&house, "asha");
    assert_eq!((asha.active, asha.role), (true, Role::Admin), "{}", desk.screen());
}

#[test]
fn who_changes_the_own_password_signs_in_again() {
    let house = House::demo();
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("6 p");
    assert!(desk.screen().contains("This is you"), "{}", desk.screen());
    for text in ["a whole new password", "a whole new password", "time for another"] {
        desk.type_text(text);
        desk.press("enter");
    }
    assert!(desk.harness.app.person().is_none(), "{}", desk.screen());
}

#[test]
fn a_terminal_that_was_taken_off_cannot_come_back() {
    let house = House::demo();
    kiosk(&house);
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("6 t end d");
    desk.type_text("stolen");
    desk.press("enter");
    let all = house.run(house.opened().door.ask(&Caller::System, ListTerminals)).expect("the terminals");
    let kiosk = all.iter().find(|terminal| terminal.name == "kiosk-door").expect("the kiosk");
    assert!(kiosk.revoked_at.is_some(), "{}", desk.screen());
    let again = terminals::register(&house.opened().door, "kiosk-door", TerminalRole::Kiosk);
    assert!(house.run(again).is_err());
}

#[test]
fn the_people_are_narrowed_by_role_and_by_who_is_let_in() {
    let house = House::demo();
    house.deactivate("noor");
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    let seen = |desk: &super::house::Desk<'_>| {
        let screen = desk.screen();
        ["asha ", "noor ", "ravi "].map(|name| screen.contains(name))
    };
    // The role; then who is let in no longer.
    desk.press("6 f right enter enter");
    assert_eq!(seen(&desk), [false, false, true], "{}", desk.screen());
    desk.press("esc f enter right right enter");
    assert_eq!(seen(&desk), [false, true, false], "{}", desk.screen());
    desk.press("esc");
    assert_eq!(seen(&desk), [true, true, true], "Esc shows all again: {}", desk.screen());
}

#[test]
fn a_kiosk_is_left_with_the_exit_pin_that_a_manager_set() {
    let house = House::demo();
    kiosk(&house);
    let (door, secrets) = (&house.opened().door, &house.opened().secrets);
    let all = house.run(door.ask(&Caller::System, ListTerminals)).expect("the terminals");
    let at = all.iter().find(|terminal| terminal.name == "kiosk-door").expect("the kiosk").id;
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("6 t end i");
    for typed in ["123456", "604817"] {
        // The first is too easy, and is typed over.
        desk.type_text(typed);
        desk.press("enter");
        desk.type_text(typed);
        desk.press("enter enter");
        if typed == "123456" {
            assert!(house.run(terminals::verify_exit_pin(door, secrets, at, typed)).is_err(), "{}", desk.screen());
            desk.press("pageup");
        }
    }
    assert!(desk.screen().contains("new exit PIN"), "{}", desk.screen());
    house.run(terminals::verify_exit_pin(door, secrets, at, "604817")).expect("left");
    assert!(house.run(terminals::verify_exit_pin(door, secrets, at, terminals::DEMO_EXIT_PIN)).is_err());
    // Another one locks somebody in who knew the first: the house asks why, and the form leads there.
    desk.press("i");
    for _ in 0..2 {
        desk.type_text("835712");
        desk.press("enter");
    }
    desk.press("enter");
    assert!(desk.screen().contains("Say why."), "{}", desk.screen());
    assert!(house.run(terminals::verify_exit_pin(door, secrets, at, "835712")).is_err(), "not yet");
    desk.type_text("a cook left");
    desk.press("enter");
    assert!(desk.screen().contains("new exit PIN"), "{}", desk.screen());
    house.run(terminals::verify_exit_pin(door, secrets, at, "835712")).expect("left");
}
