//! The console's menu: pictures of its lists, forms and empty states, and what the keys do to the store.

#![expect(clippy::expect_used, clippy::panic, reason = "a helper of tests, which clippy does not know as a test")]

use super::house::House;
use super::{SIZES, keep, picture};
use servery::domain::consumption::Availability;
use servery::domain::menu::Diet;
use servery::service::Caller;
use servery::service::audit::AuditList;
use servery::service::menu::MenuNow;
use servery::service::menu_book::{ItemRecord, MenuBook, MenuBookView, StationRecord};
use servery::service::menu_categories::{AddStation, AddTaxClass};
use servery::service::menu_edit::{EditItem, ItemPatch};
use servery::service::menu_file::MenuFile;
use servery::service::menu_import::MenuImport;
use servery::service::menu_shelves::{EditTaxClass, RetireStation};

fn book(house: &House) -> MenuBookView {
    house.run(house.opened().door.ask(&Caller::System, MenuBook { deleted: true })).expect("the book")
}

fn dish(house: &House, name: &str) -> ItemRecord {
    let found = book(house).items.into_iter().find(|item| item.name == name);
    found.unwrap_or_else(|| panic!("no {name}"))
}

/// Nothing is on the menu.
fn empty(house: &House) {
    let file = MenuFile { category: Some(Vec::new()), ..MenuFile::default() };
    let import = MenuImport { file, dry_run: false, reason: Some("an empty menu".to_owned()) };
    house.run(house.opened().door.execute(&Caller::System, None, import)).expect("an empty menu");
}

fn untouched(_: &House) {}

#[test]
fn the_menu_in_every_state() {
    keep("menu_empty", "asha", empty, &["2"]);
    keep("menu_first_category", "asha", empty, &["2", "a"]);
    keep("menu_list", "asha", untouched, &["2"]);
    keep("menu_detail", "asha", untouched, &["2", "down enter"]);
    keep("menu_category", "asha", untouched, &["2", "home"]);
    keep("menu_add", "asha", untouched, &["2", "a"]);
    keep("menu_edit", "asha", untouched, &["2", "e"]);
    keep("menu_edit_end", "asha", untouched, &["2", "e pagedown"]);
    keep("menu_price", "asha", untouched, &["2", "p"]);
    keep("menu_delete", "asha", untouched, &["2", "x"]);
    keep("menu_options", "asha", untouched, &["2", "o"]);
    keep("menu_add_group", "asha", untouched, &["2", "o end a"]);
    keep("menu_shelves", "asha", untouched, &["2", "c"]);
    keep("menu_add_tax_class", "asha", untouched, &["2", "c end enter"]);
    keep("menu_export", "asha", untouched, &["2", "w"]);
    keep("menu_import", "asha", untouched, &["2", "i"]);
    keep("menu_search", "asha", untouched, &["2", "/", "d o s"]);
    keep("menu_sold_out", "asha", untouched, &["2", "s"]);
    keep("menu_filter", "asha", untouched, &["2", "f"]).showing("Which dishes");
    keep("menu_narrowed", "asha", untouched, &["2", "s", "f", "right right enter enter enter"]).showing("sold out");
    keep("menu_none_found", "asha", untouched, &["2", "f", "right right right enter enter enter"])
        .showing("Nothing like that");
    keep("menu_add_station", "asha", untouched, &["2", "c end up up up enter"]).showing("New station");
    keep("menu_delete_category", "asha", untouched, &["2", "home x"]).showing("Reason");
    keep("menu_edit_option", "asha", untouched, &["2", "down o down enter"]).showing("Adds to the price");
    keep("menu_delete_option", "asha", untouched, &["2", "down o down x"]).showing("Reason");
    // The biryani is the first dish with choices.
    let biryani = |keys: &'static str| ["2", "/", "b i r y a n i enter", "o", keys];
    keep("menu_options_list", "asha", untouched, &biryani("down")).showing("Options of Hyderabadi");
    keep("menu_edit_group", "asha", untouched, &biryani("enter")).showing("At least");
    keep("menu_delete_group", "asha", untouched, &biryani("x")).showing("The group and its choices go");
    keep("menu_add_choice", "asha", untouched, &biryani("down a")).showing("New choice of");
    keep("menu_add_category", "asha", untouched, &["2", "c", "a"]).showing("New category");
    keep("menu_edit_category", "asha", untouched, &["2", "c", "enter"]).showing("Snacks");
    keep("menu_deleted", "asha", untouched, &["2", "x", "o l d", "enter", "u", "end"]);
}

#[test]
fn a_new_manager_adds_a_first_category_and_a_first_dish_with_few_keys() {
    let house = House::demo();
    empty(&house);
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("2 a");
    desk.type_text("Drinks");
    desk.press("enter");
    desk.type_text("Tea");
    desk.press("enter");
    desk.type_text("20");
    // Nothing is said about the diet before somebody says it: sent like this, the form asks for it.
    desk.press("pagedown enter");
    assert!(desk.screen().contains("not chosen") && desk.screen().contains("Choose one"), "{}", desk.screen());
    assert!(book(&house).items.iter().all(|item| item.name != "Tea"), "{}", desk.screen());
    // Ten keys beside what is typed: the tab, a, four times Enter, to the end, Enter, and the diet's two.
    desk.press("right pagedown enter");
    let tea = dish(&house, "Tea");
    assert_eq!((tea.category.as_str(), tea.price.0, tea.code.as_str()), ("Drinks", 2000, "tea"));
    assert_eq!(tea.diet, Diet::Veg);
    assert!(tea.available && tea.active && tea.deleted_at.is_none());
    // The new dish is selected: its price takes one key.
    desk.press("p");
    assert!(desk.screen().contains("Price of Tea"), "{}", desk.screen());
}

#[test]
fn a_dish_is_sold_out_and_back_with_one_key_each_and_guests_see_it() {
    let house = House::demo();
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("2 /");
    desk.type_text("cola");
    desk.press("enter down s");
    let seen = |house: &House| {
        let menu = house.run(house.opened().door.ask(&House::guest(1), MenuNow::default())).expect("the menu");
        menu.items.iter().find(|item| item.code == "cola").expect("cola").availability.clone()
    };
    assert_eq!(seen(&house), Availability::EightySixed, "{}", desk.screen());
    assert!(desk.screen().contains("sold out"), "{}", desk.screen());
    desk.press("s");
    assert!(matches!(seen(&house), Availability::Available { .. }), "{}", desk.screen());
}

#[test]
fn a_price_is_judged_while_it_is_typed_and_set() {
    let house = House::demo();
    let before = book(&house).items.first().cloned().expect("a dish");
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("2 p x");
    assert!(desk.screen().contains("An amount such as"), "{}", desk.screen());
    desk.press("enter");
    assert_eq!(dish(&house, &before.name).price, before.price);
    desk.press("ctrl+u");
    desk.type_text("321.50");
    desk.press("enter");
    assert_eq!(dish(&house, &before.name).price.0, 32_150, "{}", desk.screen());
}

#[test]
fn who_was_slower_is_told_who_changed_what_and_keeps_what_was_typed() {
    for (width, height) in SIZES {
        who_was_slower_is_told_who_changed_what_and_keeps_what_was_typed_at(width, height);
    }
}

fn who_was_slower_is_told_who_changed_what_and_keeps_what_was_typed_at(width: u16, height: u16) {
    let house = House::demo();
    let first = book(&house).items.first().cloned().expect("a dish");
    let mut desk = house.console(width, height);
    desk.sign_in("asha");
    desk.press("2 e");
    desk.type_text(" of the house");
    let other = EditItem {
        item: first.code.clone(),
        seen_version: None,
        change: ItemPatch { price: Some("99.00".to_owned()), ..ItemPatch::default() },
    };
    house.run(house.opened().door.execute(&Caller::System, None, other)).expect("an edit by somebody else");
    desk.changed();
    desk.settle();
    desk.press("pagedown enter");
    let seen = desk.screen();
    assert!(seen.contains("Changed meanwhile") && seen.contains("99.00"), "{seen}");
    picture(&format!("menu_conflict_{width}x{height}"), &seen);
    assert_eq!(dish(&house, &first.name).price.0, 9_900, "nothing was written over");
    desk.press("enter");
    let both = dish(&house, &format!("{} of the house", first.name));
    assert_eq!(both.price.0, 9_900, "the other's price stays");
}

#[test]
fn dishes_move_within_and_between_categories() {
    let house = House::demo();
    let names = |house: &House| -> Vec<(String, String)> {
        let live = book(house).items.into_iter().filter(|item| item.deleted_at.is_none());
        live.map(|item| (item.category, item.name)).collect()
    };
    let before = names(&house);
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("2 plus");
    let after = names(&house);
    assert_eq!((&after[0].1, &after[1].1), (&before[1].1, &before[0].1));
    desk.press("-");
    assert_eq!(names(&house), before);
    // From the end of its category into the next one.
    let of_first = before.iter().filter(|(category, _)| *category == before[0].0).count();
    for _ in 0..of_first {
        desk.press("plus");
    }
    let moved = dish(&house, &before[0].1);
    assert_eq!(moved.category, before[of_first].0, "{}", desk.screen());
}

#[test]
fn a_dish_is_deleted_with_a_reason_and_restored() {
    let house = House::demo();
    let first = book(&house).items.first().cloned().expect("a dish");
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("2 x enter");
    assert!(dish(&house, &first.name).deleted_at.is_none(), "no reason, no end");
    desk.type_text("nobody wants it");
    desk.press("enter");
    assert!(dish(&house, &first.name).deleted_at.is_some(), "{}", desk.screen());
    desk.press("u end u");
    assert!(dish(&house, &first.name).deleted_at.is_none(), "{}", desk.screen());
}

#[test]
fn options_are_added_edited_switched_and_deleted() {
    let house = House::demo();
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("2 /");
    desk.type_text("cola");
    desk.press("enter down o end enter");
    desk.type_text("Size");
    desk.press("enter enter enter");
    desk.type_text("Small, Large=x");
    assert!(desk.screen().contains("after = stands an amount"), "{}", desk.screen());
    desk.press("backspace");
    desk.type_text("20");
    desk.press("enter");
    let cola = || book(&house).items.into_iter().find(|item| item.code == "cola").expect("cola");
    let size = || cola().option_groups.into_iter().find(|group| group.name == "Size");
    let group = size().unwrap_or_else(|| panic!("no group:\n{}", desk.screen()));
    assert_eq!((group.min, group.max, group.choices.len(), group.choices[1].price_delta.0), (1, 1, 2, 2000));
    // The group, Small, Large, + New choice, + New group.
    desk.press("end up up s");
    assert!(!size().expect("the group").choices[1].available, "{}", desk.screen());
    desk.press("-");
    assert_eq!(size().expect("the group").choices[0].name, "Large", "{}", desk.screen());
    desk.press("x");
    desk.type_text("no large glasses");
    desk.press("enter");
    assert_eq!(size().expect("the group").choices.len(), 1, "{}", desk.screen());
}

#[test]
fn a_decimal_comma_in_choices_parts_no_choices() {
    let house = House::demo();
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("2 /");
    desk.type_text("cola");
    desk.press("enter down o end enter");
    desk.type_text("Size");
    desk.press("enter enter enter");
    desk.type_text("Small, Large=0,80, 7 up=1");
    desk.press("enter");
    let cola = book(&house).items.into_iter().find(|item| item.code == "cola").expect("cola");
    let group = cola.option_groups.into_iter().find(|group| group.name == "Size").expect("the group");
    let choices: Vec<_> = group.choices.iter().map(|one| (one.name.as_str(), one.price_delta.0)).collect();
    assert_eq!(choices, [("Small", 0), ("Large", 80), ("7 up", 100)], "{}", desk.screen());
}

#[test]
fn categories_are_added_renamed_moved_deleted_and_restored() {
    let house = House::demo();
    let live = |house: &House| -> Vec<String> {
        let all = book(house).categories.into_iter().filter(|one| one.deleted_at.is_none());
        all.map(|one| one.name).collect()
    };
    let before = live(&house);
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("2 c a");
    desk.type_text("Breads");
    desk.press("enter");
    assert_eq!(live(&house).last().map(String::as_str), Some("Breads"), "{}", desk.screen());
    for _ in 0..before.len() {
        desk.press("down");
    }
    desk.press("e");
    desk.type_text(" and rice");
    desk.press("enter enter");
    assert_eq!(live(&house).last().map(String::as_str), Some("Breads and rice"), "{}", desk.screen());
    desk.press("-");
    assert_eq!(live(&house)[before.len() - 1], "Breads and rice", "{}", desk.screen());
    desk.press("x");
    desk.type_text("too many");
    desk.press("enter");
    assert_eq!(live(&house), before, "{}", desk.screen());
    // Shown again, it stands below the others.
    desk.press("u");
    desk.press("home");
    for _ in 0..before.len() {
        desk.press("down");
    }
    desk.press("u");
    assert_eq!(live(&house).len(), before.len() + 1, "{}", desk.screen());
}

/// Two more stations and a second tax class; one station is out of use.
fn shelves(house: &House) {
    let door = &house.opened().door;
    for name in ["Bar", "Hatch"] {
        let add = AddStation { name: name.to_owned(), default: false };
        house.run(door.execute(&Caller::System, None, add)).expect("a station");
    }
    let retire = RetireStation { station: "Hatch".to_owned(), seen: None, reason: "walled up".to_owned() };
    house.run(door.execute(&Caller::System, None, retire)).expect("out of use");
    let add = AddTaxClass { name: "Sweets".to_owned(), rate: "12.5".to_owned(), default: false };
    house.run(door.execute(&Caller::System, None, add)).expect("a tax class");
}

/// The keys that select the row of this name in the list of categories, stations and tax classes.
fn to_row(house: &House, name: &str) -> String {
    let book = house.run(house.opened().door.ask(&Caller::System, MenuBook { deleted: false })).expect("the book");
    // Below each part stands the row that adds something.
    let names = book.categories.iter().map(|one| one.name.as_str()).chain([""]);
    let names = names.chain(book.stations.iter().map(|one| one.name.as_str())).chain([""]);
    let mut names = names.chain(book.tax_classes.iter().map(|one| one.name.as_str()));
    let at = names.position(|one| one == name).unwrap_or_else(|| panic!("no {name}"));
    format!("home{}", " down".repeat(at))
}

fn station(house: &House, name: &str) -> StationRecord {
    book(house).stations.into_iter().find(|one| one.name == name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn stations_and_tax_classes_in_every_state() {
    let demo = House::demo();
    shelves(&demo);
    let usual = book(&demo).stations.into_iter().find(|one| one.is_default).expect("the usual one").name;
    let at = |name: &str, key: &str| format!("{} {key}", to_row(&demo, name));
    let kept = |name: &str, keys: &str| keep(name, "asha", shelves, &["2", "c", keys]);
    kept("menu_shelves_more", &at("Hatch", "down")).showing("out of use");
    kept("menu_edit_station", &at("Bar", "e")).showing("The usual one");
    kept("menu_edit_usual_station", &at(&usual, "e")).showing("until another");
    kept("menu_retire_station", &at("Bar", "x")).showing("goes out of use");
    kept("menu_retire_usual_station", &at(&usual, "x o l d enter")).showing("default one first");
    kept("menu_edit_tax_class", &at("Sweets", "e")).showing("12.5");
    kept("menu_retire_tax_class", &at("Sweets", "x")).showing("goes out of use");
}

#[test]
fn stations_are_renamed_taken_out_of_use_and_brought_back() {
    for (width, height) in SIZES {
        stations_are_renamed_taken_out_of_use_and_brought_back_at(width, height);
    }
}

fn stations_are_renamed_taken_out_of_use_and_brought_back_at(width: u16, height: u16) {
    let house = House::demo();
    shelves(&house);
    let mut desk = house.console(width, height);
    desk.sign_in("asha");
    desk.press("2 c");
    desk.press(&to_row(&house, "Bar"));
    // A name that another one has leads back to it.
    desk.press("enter ctrl+u");
    desk.type_text("hatch");
    desk.press("enter enter");
    assert!(desk.screen().contains("which is out of use"), "{}", desk.screen());
    desk.press("ctrl+u");
    desk.type_text("Drinks bar");
    desk.press("enter right enter");
    let bar = station(&house, "Drinks bar");
    assert!(bar.is_default && bar.active, "{}", desk.screen());
    assert_eq!(book(&house).stations.iter().filter(|one| one.is_default).count(), 1);
    // The usual one stays, and so does one at which a dish is made.
    desk.press("x");
    desk.type_text("no room");
    desk.press("enter");
    assert!(desk.screen().contains("default one first"), "{}", desk.screen());
    assert!(station(&house, "Drinks bar").active);
    desk.press("esc");
    desk.press(&to_row(&house, "Hatch"));
    desk.press("enter");
    assert!(station(&house, "Hatch").active, "{}", desk.screen());
    let made_there = ItemPatch { station: Some("Hatch".to_owned()), ..ItemPatch::default() };
    let edit = EditItem { item: "cola".to_owned(), seen_version: None, change: made_there };
    house.run(house.opened().door.execute(&Caller::System, None, edit)).expect("made at the hatch");
    desk.changed();
    desk.settle();
    desk.press(&to_row(&house, "Hatch"));
    desk.press("x");
    desk.type_text("no room");
    desk.press("enter");
    assert!(desk.screen().contains("Items are made at 'Hatch': Cola"), "{}", desk.screen());
    picture(&format!("menu_station_in_use_{width}x{height}"), &desk.screen());
    assert!(station(&house, "Hatch").active);
    let usual = ItemPatch { station: Some(String::new()), ..ItemPatch::default() };
    let edit = EditItem { item: "cola".to_owned(), seen_version: None, change: usual };
    house.run(house.opened().door.execute(&Caller::System, None, edit)).expect("made anywhere");
    desk.press("enter");
    assert!(!station(&house, "Hatch").active, "{}", desk.screen());
    let ask = AuditList { action: Some("RETIRE".to_owned()), limit: 10, ..AuditList::default() };
    let log = house.run(house.opened().door.ask(&Caller::System, ask)).expect("the audit log");
    assert_eq!(log.items.first().and_then(|entry| entry.reason.as_deref()), Some("no room"));
}

#[test]
fn a_tax_class_that_changed_meanwhile_says_so_and_keeps_what_was_typed() {
    for (width, height) in SIZES {
        a_tax_class_that_changed_meanwhile_says_so_and_keeps_what_was_typed_at(width, height);
    }
}

fn a_tax_class_that_changed_meanwhile_says_so_and_keeps_what_was_typed_at(width: u16, height: u16) {
    let house = House::demo();
    shelves(&house);
    let class = |house: &House| {
        let classes = book(house).tax_classes;
        classes.into_iter().find(|one| one.name.starts_with("Sweets")).expect("the tax class")
    };
    let mut desk = house.console(width, height);
    desk.sign_in("asha");
    desk.press("2 c");
    desk.press(&to_row(&house, "Sweets"));
    desk.press("e down ctrl+u");
    desk.type_text("13");
    let other = EditTaxClass {
        tax_class: "Sweets".to_owned(),
        seen: None,
        name: Some("Sweets and ice".to_owned()),
        rate: None,
        default: false,
    };
    house.run(house.opened().door.execute(&Caller::System, None, other)).expect("somebody else");
    desk.changed();
    desk.settle();
    desk.press("pagedown enter");
    assert!(desk.screen().contains("Changed meanwhile"), "{}", desk.screen());
    picture(&format!("menu_tax_class_conflict_{width}x{height}"), &desk.screen());
    assert_eq!(class(&house).rate.0, 125_000, "nothing was written over");
    desk.press("enter");
    let both = class(&house);
    assert_eq!((both.name.as_str(), both.rate.0), ("Sweets and ice", 130_000), "the other's name stays");
    desk.press(&to_row(&house, "Sweets and ice"));
    desk.press("x enter");
    assert!(class(&house).active, "no reason, no end: {}", desk.screen());
    desk.type_text("sold nowhere");
    desk.press("enter");
    assert!(!class(&house).active, "{}", desk.screen());
    desk.press("u");
    assert!(class(&house).active && class(&house).rate.0 == 130_000, "{}", desk.screen());
}

#[test]
fn a_menu_goes_into_a_file_and_comes_back_after_its_changes_were_shown() {
    for (width, height) in SIZES {
        there_and_back(width, height);
    }
}

fn there_and_back(width: u16, height: u16) {
    let house = House::demo();
    let first = book(&house).items.first().cloned().expect("a dish");
    let mut desk = house.console(width, height);
    desk.sign_in("asha");
    desk.press("2");
    for name in ["menu.toml", "menu.csv"] {
        desk.press("w ctrl+u");
        desk.type_text(name);
        desk.press("enter");
        assert!(desk.screen().contains("Written"), "{}", desk.screen());
        desk.press("p ctrl+u");
        desk.type_text("77.00");
        desk.press("enter");
        assert!(desk.screen().contains("costs"), "{}", desk.screen());
        desk.settle();
        desk.press("i ctrl+u");
        desk.type_text(name);
        desk.press("enter");
        let seen = desk.screen();
        assert!(seen.contains("What the file would change") && seen.contains("77.00 →"), "{seen}");
        if name == "menu.toml" {
            picture(&format!("menu_preview_{width}x{height}"), &seen);
        }
        assert_eq!(dish(&house, &first.name).price.0, 7_700, "shown, not done");
        desk.press("i enter");
        assert_eq!(dish(&house, &first.name).price.0, 7_700, "no reason, nothing written over");
        if name == "menu.toml" {
            picture(&format!("menu_overwrite_{width}x{height}"), &desk.screen());
            desk.press("esc");
            assert!(desk.screen().contains("What the file would change"), "{}", desk.screen());
            desk.press("i");
        }
        desk.type_text("back to the old prices");
        desk.press("enter");
        assert_eq!(dish(&house, &first.name).price, first.price, "{}", desk.screen());
        assert!(desk.screen().contains("1 changed"), "{}", desk.screen());
        desk.settle();
    }
    let ask = AuditList { action: Some("IMPORT".to_owned()), limit: 10, ..AuditList::default() };
    let log = house.run(house.opened().door.ask(&Caller::System, ask)).expect("the audit log");
    assert_eq!(log.items.first().and_then(|entry| entry.reason.as_deref()), Some("back to the old prices"));
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let house = House::demo();
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("2 i ctrl+u");
    desk.type_text("menu.pdf");
    desk.press("enter");
    assert!(desk.screen().contains(".toml or .csv"), "{}", desk.screen());
    desk.press("ctrl+u");
    desk.type_text("nothing.toml");
    desk.press("enter");
    assert!(desk.screen().contains("No such file"), "{}", desk.screen());
}

#[test]
fn a_change_that_is_under_way_does_not_close_the_form_that_was_opened_meanwhile() {
    let house = House::demo();
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("2");
    desk.harness.keys("s e");
    desk.input(servery::tui::app::Input::Tick);
    assert!(desk.screen().contains("Minutes to make"), "{}", desk.screen());
}

#[test]
fn no_size_breaks_the_menu() {
    let house = House::demo();
    for (width, height) in [(60, 20), (61, 21), (109, 30), (110, 30), (200, 60)] {
        for keys in ["2", "2 e", "2 o", "2 c", "2 i", "2 enter", "2 u end"] {
            let mut desk = house.console(width, height);
            desk.sign_in("asha");
            desk.press(keys);
            assert!(!desk.screen().contains('⟦'), "{}", desk.screen());
        }
    }
}
