//! The console's stock: pictures, and what becomes of the counts.

#![expect(clippy::expect_used, reason = "a helper of tests, which clippy does not know as a test")]

use super::house::House;
use super::{keep, keep_in};
use servery::domain::payment::Method;
use servery::service::Caller;
use servery::service::stock::{StockList, StockReceive, StockView, StockWaste};
use servery::service::stock_ledger::StockLedger;

fn item(house: &House, code: &str) -> StockView {
    let all = house.run(house.opened().door.ask(&Caller::System, StockList::default())).expect("the stock").items;
    all.into_iter().find(|item| item.code == code).expect("a stock item")
}

/// A noon with deliveries, waste, sales, and a guest who has not paid yet.
fn noon(house: &House) {
    house.orders();
    house.order(5, "amritsari-fish", 2, Method::Card, "Ana");
    let (door, asha) = (&house.opened().door, house.person("asha"));
    let came = StockReceive { item: "samosa".into(), quantity: 24, reason: "delivery note 4711".into() };
    house.run(door.execute(&asha, None, came)).expect("received");
    let waste =
        StockWaste { item: "samosa".into(), quantity: 3, reason: "fell \u{1b}[31mdown".into(), release: Vec::new() };
    house.run(door.execute(&asha, None, waste)).expect("wasted");
    house.place(9, ("samosa", 2), (Method::Card, false), "Lin");
}

/// As [`noon`], with the samosas searched for.
const SAMOSA: &[&str] = &["3", "/", "s a m o s", "enter"];

/// The day of [`noon`], typed as the first one, and Enter.
const TODAY: &str = "2 0 2 6 - 1 1 - 2 1 enter";

fn with(keys: &[&'static str]) -> Vec<&'static str> {
    SAMOSA.iter().chain(keys).copied().collect()
}

#[test]
fn the_stock_in_every_state() {
    keep("stock_list", "asha", noon, &["3"]);
    keep_in("stock_no_items", "asha", House::bare, &["3"]).showing("Nothing is counted yet");
    keep("stock_search", "asha", noon, &["3", "/", "n a a n"]);
    keep("stock_none_found", "asha", noon, &["3", "/", "x x x", "enter"]);
    keep("stock_filter", "asha", noon, &["3", "f"]);
    keep("stock_low", "asha", noon, &["3", "f", "right enter"]);
    keep("stock_ledger", "asha", noon, &with(&["l"]));
    keep("stock_ledger_filter", "asha", noon, &with(&["l", "f"])).showing("Which movements");
    keep(
        "stock_ledger_narrowed",
        "asha",
        noon,
        &with(&["l", "f", "right right right space", "enter", TODAY, "enter", "enter"]),
    )
    .showing("wasted · since 2026-11-21");
    keep("stock_ledger_none_found", "asha", noon, &with(&["l", "f", "right space enter enter enter enter"]))
        .showing("the filter hides them all");
    keep("stock_ledger_empty", "asha", noon, &["3", "/", "p a n e e r", "enter", "l"]).showing("Nothing has moved yet");
    keep("stock_receive", "asha", noon, &with(&["r"]));
    keep("stock_recount", "asha", noon, &with(&["c"]));
    keep("stock_adjust", "asha", noon, &with(&["a", "x"]));
    keep("stock_waste", "asha", noon, &with(&["w"])).showing("Thrown away");
    keep("stock_add", "asha", noon, &["3", "n"]);
    keep("stock_edit", "asha", noon, &with(&["e"]));
    keep("stock_release", "asha", noon, &with(&["c", "2 enter", "c o u n t e d enter"]));
    let cooked = |house: &House| {
        house.orders();
    };
    keep("stock_release_nobody", "asha", cooked, &with(&["c", "0 enter", "c o u n t e d enter"]))
        .showing("None of them can be released");
}

#[test]
fn what_came_in_is_on_hand_and_in_the_ledger_with_its_reason() {
    let house = House::demo();
    let before = item(&house, "samosa");
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    for keys in SAMOSA {
        desk.press(keys);
    }
    desk.press("r 1 2 enter");
    desk.press("enter");
    assert_eq!(item(&house, "samosa").on_hand, before.on_hand, "without a reason nothing moves");
    desk.type_text("note 7");
    desk.press("enter");
    assert_eq!(item(&house, "samosa").on_hand, before.on_hand + 12, "{}", desk.screen());
    let ask = StockLedger { item: "samosa".into(), filter: Default::default(), after: None, limit: 10 };
    let ledger = house.run(house.opened().door.ask(&Caller::System, ask)).expect("the ledger");
    let newest = ledger.items.first().expect("a movement");
    assert_eq!(
        (newest.quantity, newest.reason.as_deref(), newest.actor.as_deref()),
        (12, Some("note 7"), Some("Asha"))
    );
}

#[test]
fn a_ledger_is_narrowed_to_kinds_and_days_and_shown_whole_again() {
    let house = House::demo();
    noon(&house);
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    for keys in SAMOSA {
        desk.press(keys);
    }
    desk.press("l");
    let whole = desk.screen();
    assert!(whole.contains("delivery note 4711") && whole.contains("fell"), "{whole}");
    // The first kind that is offered is what came in.
    desk.press("f space enter enter enter enter");
    let narrowed = desk.screen();
    assert!(narrowed.contains("delivery note 4711") && !narrowed.contains("fell"), "{narrowed}");
    assert!(narrowed.contains("1 movement,") && narrowed.contains("received · all days"), "{narrowed}");
    // It stays so when the store changes elsewhere.
    let came = StockReceive { item: "samosa".into(), quantity: 1, reason: "one more".into() };
    house.run(house.opened().door.execute(&house.person("asha"), None, came)).expect("received");
    let lost = StockWaste { item: "samosa".into(), quantity: 1, reason: "dropped".into(), release: Vec::new() };
    house.run(house.opened().door.execute(&house.person("asha"), None, lost)).expect("wasted");
    desk.changed();
    let narrowed = desk.screen();
    assert!(narrowed.contains("one more") && !narrowed.contains("dropped"), "{narrowed}");
    // Days that end before they begin are refused in the form.
    desk.press("f enter");
    desk.type_text("2026-11-21");
    desk.press("enter");
    desk.type_text("2026-11-20");
    desk.press("enter enter");
    assert!(desk.screen().contains("Which movements"), "{}", desk.screen());
    desk.press("backspace 2 enter enter");
    assert!(desk.screen().contains("received · 2026-11-21 to 2026-11-22"), "{}", desk.screen());
    assert!(desk.screen().contains("one more"), "{}", desk.screen());
    // Words narrow it too, and are said.
    desk.press("f enter enter enter");
    desk.type_text("NOTE 4711");
    desk.press("enter");
    let worded = desk.screen();
    assert!(worded.contains("\"NOTE 4711\"") && !worded.contains("one more"), "{worded}");
    // The first Esc shows all again, the next leads back to the list.
    desk.press("esc");
    let all = desk.screen();
    assert!(all.contains("dropped") && all.contains("one more") && !all.contains("2026-11-21"), "{all}");
    desk.press("esc");
    assert!(!desk.screen().contains("dropped"), "{}", desk.screen());
}

#[test]
fn a_count_below_what_is_held_releases_the_orders_that_were_chosen_and_no_other() {
    let house = House::demo();
    house.order(1, "samosa", 1, Method::Cash, "Mira");
    house.place(2, ("samosa", 2), (Method::Card, false), "Lin");
    let before = item(&house, "samosa");
    let held = before.reserved;
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    for keys in SAMOSA {
        desk.press(keys);
    }
    let counted = held - 1;
    desk.press("c");
    desk.type_text(&counted.to_string());
    desk.press("enter");
    desk.type_text("some are gone");
    desk.press("enter");
    assert!(desk.screen().contains("Orders hold more"), "{}", desk.screen());
    desk.press("enter");
    assert_eq!(item(&house, "samosa"), before, "nobody was chosen");
    desk.press("space enter");
    assert_eq!(item(&house, "samosa"), before, "a received order cannot be released");
    desk.press("down space enter");
    let after = item(&house, "samosa");
    assert_eq!(after.on_hand, counted, "{}", desk.screen());
    assert!(after.reserved < held && after.reserved > 0, "{after:?}");
    assert!(desk.screen().contains("lost its hold"), "{}", desk.screen());
}

#[test]
fn a_cook_changes_a_count_only_with_a_managers_pin() {
    let house = House::demo();
    let before = item(&house, "samosa").on_hand;
    let mut desk = house.console(80, 24);
    desk.sign_in("ravi");
    // A cook has no menu tab: the stock is the second.
    for keys in [&["2"], &SAMOSA[1..]].concat() {
        desk.press(keys);
    }
    desk.press("w 2 enter");
    desk.type_text("burnt");
    desk.press("enter");
    assert!(desk.screen().contains("manager"), "{}", desk.screen());
    desk.press("esc");
    assert_eq!(item(&house, "samosa").on_hand, before);
    assert!(desk.screen().contains("No manager let it through"), "{}", desk.screen());
    desk.press("enter");
    desk.type_text("asha");
    desk.press("enter");
    desk.type_text("271828");
    desk.press("enter");
    assert_eq!(item(&house, "samosa").on_hand, before - 2, "{}", desk.screen());
}

#[test]
fn something_new_is_counted_and_a_known_code_is_not_taken_over() {
    let house = House::demo();
    let before = item(&house, "samosa");
    let mut desk = house.console(120, 40);
    desk.sign_in("asha");
    desk.press("3 n");
    desk.type_text("Tissues");
    desk.press("enter enter enter 9 enter enter");
    desk.type_text("samosa");
    desk.press("enter");
    assert!(desk.screen().contains("counted already"), "{}", desk.screen());
    assert_eq!(item(&house, "samosa"), before);
    desk.type_text("-box");
    desk.press("enter");
    let new = item(&house, "samosa-box");
    assert_eq!((new.on_hand, new.name.as_str()), (9, "Tissues"), "{}", desk.screen());
    assert!(desk.screen().contains("Tissues (samosa-box)"), "it is selected: {}", desk.screen());
}

#[test]
fn a_code_is_made_of_the_name_and_a_dish_is_named_as_people_call_it() {
    let house = House::demo();
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("3 n");
    desk.type_text("Cola bottles");
    desk.press("enter enter enter 5 enter");
    desk.type_text("no such dish");
    desk.press("enter enter");
    assert!(desk.screen().contains("no such dish"), "{}", desk.screen());
    desk.press("ctrl+u");
    desk.type_text("masala chai");
    desk.press("enter enter");
    assert_eq!(item(&house, "cola-bottles").on_hand, 5, "{}", desk.screen());
    let ask = servery::service::menu_book::MenuBook::default();
    let book = house.run(house.opened().door.ask(&Caller::System, ask)).expect("the menu");
    let uses = |name: &str| book.items.iter().find(|one| one.name == name).map(|one| one.uses.clone());
    let uses = uses("Masala Chai").expect("the dish");
    assert!(uses.iter().any(|one| one.stock == "cola-bottles" && one.units == 1), "{uses:?}");
}
