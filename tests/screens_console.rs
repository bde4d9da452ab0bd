//! The staff's console on a real store: pictures of every tab, form, dialog and empty state, and what
//! the keys do. The clock stands still unless a test moves it.

#[path = "screens_console/audit.rs"]
mod audit;
#[path = "screens_console/deliveries.rs"]
mod deliveries;
#[path = "screens_console/health.rs"]
mod health;
#[path = "screens_console/house.rs"]
mod house;
#[path = "screens_console/menu.rs"]
mod menu;
#[path = "screens_console/notices.rs"]
mod notices;
#[path = "screens_console/order_marks.rs"]
mod order_marks;
#[path = "screens_console/orders.rs"]
mod orders;
#[path = "screens_console/promotions.rs"]
mod promotions;
#[path = "screens_console/reports.rs"]
mod reports;
#[path = "screens_console/settings.rs"]
mod settings;
#[path = "screens_console/staff.rs"]
mod staff;
#[path = "screens_console/stock.rs"]
mod stock;
#[path = "screens_console/till.rs"]
mod till;

use house::House;

/// The sizes of the pictures.
const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];

/// The pictures that were kept under one name.
pub struct Kept(Vec<String>);

impl Kept {
    /// Each of them shows these words: they are pictures of what their name says.
    #[track_caller]
    pub fn showing(&self, words: &str) {
        for seen in &self.0 {
            assert!(seen.contains(words), "no {words:?} in:\n{seen}");
        }
    }
}

/// Keeps one picture of each size, each of a house of its own in which `before` has happened, after
/// somebody signed in and these keys were pressed.
pub fn keep(name: &str, who: &str, before: impl Fn(&House), keys: &[&str]) -> Kept {
    let demo = || {
        let house = House::demo();
        before(&house);
        house
    };
    keep_in(name, who, demo, keys)
}

/// As [`keep`], in houses that are made like this.
pub fn keep_in(name: &str, who: &str, make: impl Fn() -> House, keys: &[&str]) -> Kept {
    let mut kept = Vec::new();
    for (width, height) in SIZES {
        let house = make();
        let mut desk = house.console(width, height);
        desk.sign_in(who);
        for keys in keys {
            // Whoever presses keys has seen the screen: how far a page goes on is known once it was drawn.
            desk.screen();
            desk.press(keys);
        }
        desk.settle();
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), desk.screen());
        kept.push(desk.screen());
    }
    Kept(kept)
}

/// Keeps one picture of what is seen in the middle of a test.
pub fn picture(name: &str, seen: &str) {
    insta::assert_snapshot!(name, seen);
}

#[test]
fn nothing_is_shown_before_somebody_has_signed_in() {
    for (width, height) in SIZES {
        let house = House::demo();
        house.orders();
        let desk = house.console(width, height);
        insta::assert_snapshot!(format!("sign_in_{width}x{height}"), desk.screen());
    }
}

#[test]
fn a_wrong_password_says_so_and_a_stranger_sees_nothing() {
    let house = House::demo();
    let mut desk = house.console(80, 24);
    desk.type_text("asha");
    desk.press("enter");
    desk.type_text("not-the-password");
    desk.press("enter");
    let seen = desk.screen();
    assert!(seen.contains("The name or the password is wrong"), "{seen}");
    assert!(!seen.contains("Orders"), "{seen}");
}

#[test]
fn whoever_tries_too_often_is_told_how_long_to_wait() {
    for (width, height) in SIZES {
        let house = House::demo();
        let mut desk = house.console(width, height);
        desk.type_text("asha");
        desk.press("enter");
        for _ in 0..5 {
            desk.type_text("not-the-password");
            desk.press("enter");
            assert!(desk.screen().contains("The name or the password is wrong"), "{}", desk.screen());
            desk.press("ctrl+u");
        }
        desk.type_text("demo-asha-2026");
        desk.press("enter");
        assert!(desk.screen().contains("Too many tries. Wait "), "{}", desk.screen());
        picture(&format!("sign_in_locked_{width}x{height}"), &desk.screen());
    }
}

#[test]
fn help_and_the_palette_name_what_the_keys_do() {
    keep("help", "asha", |_| {}, &["?"]);
    keep("palette", "asha", |_| {}, &[":"]);
    let house = House::demo();
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press(":");
    desk.type_text("filt");
    desk.press("enter");
    assert!(desk.screen().contains("Which orders"), "{}", desk.screen());
}

#[test]
fn a_person_is_signed_out_when_nobody_touches_the_console() {
    let house = House::demo();
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    house.wait(119);
    desk.tick();
    assert!(desk.screen().contains("Asha"), "{}", desk.screen());
    house.wait(2);
    desk.tick();
    let seen = desk.screen();
    assert!(seen.contains("nobody touched") && !seen.contains("Orders"), "{seen}");
}

#[test]
fn who_is_no_longer_let_in_is_out_at_the_next_command() {
    let house = House::demo();
    let mut desk = house.console(80, 24);
    desk.sign_in("ravi");
    house.deactivate("ravi");
    desk.press("/");
    desk.type_text("a");
    desk.settle();
    let seen = desk.screen();
    assert!(seen.contains("The session is over") && !seen.contains("Ravi, kitchen"), "{seen}");
}

/// A picture that is equal to another one shows something else than its name says: a key that did nothing,
/// or a form that did not open.
#[test]
fn no_two_pictures_are_the_same() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let mut seen: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
    let files = std::fs::read_dir(folder).expect("the pictures").map(|file| file.expect("a picture").path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "snap")).collect();
    files.sort();
    for path in files {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        if !name.starts_with("screens_console__") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a picture");
        // The head of the file names the test; the picture stands below its second line.
        let picture = text.splitn(3, "---\n").nth(2).expect("a picture below its head").to_owned();
        if let Some(other) = seen.insert(picture, name.clone()) {
            panic!("{name} is the same picture as {other}");
        }
    }
    assert!(seen.len() > 200, "only {} pictures were found", seen.len());
}

#[test]
fn whoever_was_here_before_signs_in_by_pin_and_a_manager_lets_a_step_through() {
    keep("pin_switch", "asha", |_| {}, &["ctrl+o"]).showing("PIN");
    let paid = |house: &House| {
        house.orders();
    };
    keep("managers_pin", "ravi", paid, &["end r", "enter enter", "c o l d", "enter"]).showing("manager");
}
