//! The console's promotion codes: pictures of the list, the forms and the empty state, and what the keys do
//! to the store and to a guest's cart.

#![expect(clippy::expect_used, clippy::panic, reason = "a helper of tests, which clippy does not know as a test")]

use super::house::House;
use super::{SIZES, keep, picture};
use servery::domain::money::Money;
use servery::domain::time::Timestamp;
use servery::service::Caller;
use servery::service::audit::AuditList;
use servery::service::promotions::{
    AddPromotion, EditPromotion, ListPromotions, PromotionTerms, PromotionView, SetPromotionActive,
};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

fn codes(house: &House) -> Vec<PromotionView> {
    let ask = ListPromotions { limit: 200, ..ListPromotions::default() };
    house.run(house.opened().door.ask(&Caller::System, ask)).expect("the promotions").items
}

fn code(house: &House, code: &str) -> PromotionView {
    codes(house).into_iter().find(|one| one.code == code).unwrap_or_else(|| panic!("no {code}"))
}

fn add(house: &House, code: &str, terms: PromotionTerms) {
    let add = AddPromotion { code: code.to_owned(), terms };
    house.run(house.opened().door.execute(&Caller::System, None, add)).expect("a promotion");
}

fn percent(name: &str, percent: &str) -> PromotionTerms {
    PromotionTerms { name: name.to_owned(), percent: Some(percent.to_owned()), ..PromotionTerms::default() }
}

fn untouched(_: &House) {}

/// Codes of every standing.
fn several(house: &House) {
    let at = |days: i64| Some(Timestamp(house.now().0 + days * DAY));
    add(
        house,
        "LUNCH10",
        PromotionTerms { starts_at: at(-3), ends_at: at(12), limit: Some(100), ..percent("Lunch", "10") },
    );
    add(
        house,
        "FIRST-ORDER",
        PromotionTerms { per_customer: Some(1), ..percent("The first order of a customer", "25") },
    );
    let fifty = PromotionTerms {
        percent: None,
        amount: Some(Money(5_000)),
        minimum: Money(40_000),
        ..percent("Fifty off", "1")
    };
    add(house, "FIFTY", fifty);
    add(house, "DIWALI", PromotionTerms { ends_at: at(-1), ..percent("Festival", "15") });
    add(house, "NEWYEAR", PromotionTerms { starts_at: at(30), ends_at: at(42), ..percent("New year", "7.5") });
    add(house, "STAFF", percent("Friends and family", "50"));
    let off = SetPromotionActive { promotion: "STAFF".to_owned(), active: false, reason: "misused".to_owned() };
    house.run(house.opened().door.execute(&Caller::System, None, off)).expect("switched off");
}

/// More codes than a page of the list has.
fn many(house: &House) {
    for number in 0..70 {
        add(house, &format!("CODE-{number:03}"), percent("One of many", "5"));
    }
}

#[test]
fn promotion_codes_in_every_state() {
    keep("promotions_empty", "asha", untouched, &["2", "v"]).showing("No promotion code yet");
    keep("promotions_list", "asha", several, &["2", "v", "end up up"]).showing("6 codes");
    keep("promotions_add", "asha", untouched, &["2", "v", "a"]).showing("New promotion code");
    keep("promotions_add_wrong", "asha", untouched, &["2", "v", "a", "a ! enter"]).showing("3 to 32 of A-Z");
    keep("promotions_edit", "asha", several, &["2", "v", "end up up e"]).showing("Terms of LUNCH10");
    keep("promotions_edit_end", "asha", several, &["2", "v", "down enter", "pagedown"]).showing("Terms of FIFTY");
    keep("promotions_off", "asha", several, &["2", "v", "s"]).showing("Switch DIWALI off");
    keep("promotions_search", "asha", several, &["2", "v", "/", "f i"]).showing("2 codes");
    keep("promotions_filter", "asha", several, &["2", "v", "f"]).showing("Which codes");
    keep("promotions_narrowed", "asha", several, &["2", "v", "f", "left enter"]).showing("switched off");
    keep("promotions_none_found", "asha", several, &["2", "v", "/", "x x x", "enter"]).showing("No code like that");
    keep("promotions_many", "asha", many, &["2", "v", "end", "end"]).showing("CODE-069");
}

#[test]
fn a_code_that_was_added_far_below_does_not_throw_the_selection_later() {
    let house = House::demo();
    many(&house);
    let mut desk = house.console(120, 40);
    desk.sign_in("asha");
    desk.press("2 v a");
    desk.type_text("ZZZ");
    desk.press("enter");
    desk.type_text("The last one");
    desk.press("enter enter");
    desk.type_text("5");
    desk.press("pagedown enter");
    assert!(desk.screen().contains("ZZZ is there now"), "{}", desk.screen());
    // The end of the first page; the next one, in which the code stands, comes behind it.
    desk.press("end");
    assert!(desk.screen().contains("╭ CODE-059"), "{}", desk.screen());
}

#[test]
fn a_code_is_added_and_judged_while_it_is_typed() {
    let house = House::demo();
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    // The list is empty: Enter adds the first as a does.
    desk.press("2 v enter");
    desk.type_text("a!");
    assert!(desk.screen().contains("3 to 32 of A-Z"), "{}", desk.screen());
    desk.press("ctrl+u");
    desk.type_text("lunch10");
    desk.press("enter");
    desk.type_text("Lunch");
    desk.press("enter enter");
    desk.type_text("0");
    assert!(desk.screen().contains("above 0 and at most 100"), "{}", desk.screen());
    desk.press("pagedown enter");
    assert!(codes(&house).is_empty(), "{}", desk.screen());
    desk.press("ctrl+u");
    desk.type_text("10");
    desk.press("enter");
    desk.type_text("200");
    // The last day is before the first one: the form says so, and leads there.
    desk.press("enter");
    desk.type_text("2026-11-20");
    desk.press("enter");
    desk.type_text("2026-11-19");
    desk.press("enter");
    desk.type_text("50");
    desk.press("enter enter");
    assert!(desk.screen().contains("before the first one") && codes(&house).is_empty(), "{}", desk.screen());
    desk.press("ctrl+u");
    desk.type_text("2026-11-30");
    desk.press("pagedown enter");
    let added = code(&house, "LUNCH10");
    let terms = &added.terms;
    assert_eq!((terms.name.as_str(), terms.percent.as_deref(), terms.amount), ("Lunch", Some("10"), None));
    assert_eq!((terms.minimum, terms.limit, terms.per_customer), (Money(20_000), Some(50), None));
    assert!(added.active, "{}", desk.screen());
    // From the first business day to the end of the last one, as `servery promotion add` has it.
    let days = (terms.ends_at.expect("an end").0 - terms.starts_at.expect("a start").0) / DAY;
    assert_eq!(days, 11);
    assert!(desk.screen().contains("LUNCH10 is there now"), "{}", desk.screen());
    // The same code again leads back to it.
    desk.press("a");
    desk.type_text("LUNCH10");
    desk.press("enter");
    desk.type_text("Again");
    desk.press("enter right enter");
    desk.type_text("5,50");
    desk.press("pagedown enter");
    assert!(desk.screen().contains("a promotion 'LUNCH10' already"), "{}", desk.screen());
    desk.type_text("-b");
    desk.press("pagedown enter");
    let second = code(&house, "LUNCH10-B");
    assert_eq!((second.terms.percent, second.terms.amount), (None, Some(Money(550))), "{}", desk.screen());
    // What was added is selected.
    desk.press("e");
    assert!(desk.screen().contains("Terms of LUNCH10-B"), "{}", desk.screen());
}

#[test]
fn terms_change_and_keep_what_somebody_else_changed() {
    for (width, height) in SIZES {
        terms_change_and_keep_what_somebody_else_changed_at(width, height);
    }
}

fn terms_change_and_keep_what_somebody_else_changed_at(width: u16, height: u16) {
    let house = House::demo();
    several(&house);
    let before = code(&house, "LUNCH10");
    let mut desk = house.console(width, height);
    desk.sign_in("asha");
    desk.press("2 v / l u n enter e");
    // From ten per cent to forty off.
    desk.press("down right enter ctrl+u");
    desk.type_text("40");
    let theirs = EditPromotion {
        promotion: "LUNCH10".to_owned(),
        seen_version: None,
        terms: PromotionTerms { name: "Lunch for all".to_owned(), limit: Some(80), ..before.terms.clone() },
    };
    house.run(house.opened().door.execute(&Caller::System, None, theirs)).expect("somebody else");
    desk.changed();
    desk.settle();
    desk.press("pagedown enter");
    assert!(desk.screen().contains("Changed meanwhile"), "{}", desk.screen());
    picture(&format!("promotions_conflict_{width}x{height}"), &desk.screen());
    assert_eq!(code(&house, "LUNCH10").terms.percent.as_deref(), Some("10"), "nothing was written over");
    desk.press("enter");
    let both = code(&house, "LUNCH10").terms;
    assert_eq!((both.percent, both.amount), (None, Some(Money(4_000))), "{}", desk.screen());
    assert_eq!((both.name.as_str(), both.limit), ("Lunch for all", Some(80)), "what was not typed stays");
    assert_eq!((both.starts_at, both.ends_at), (before.terms.starts_at, before.terms.ends_at), "to the hour");
    // A limit goes when its field is emptied.
    desk.press("e pagedown up ctrl+u pagedown enter");
    assert_eq!(code(&house, "LUNCH10").terms.limit, None, "{}", desk.screen());
}

#[test]
fn a_code_is_switched_off_with_a_reason_and_on_with_one_key() {
    let house = House::demo();
    add(&house, "LUNCH10", percent("Lunch", "10"));
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("2 v s enter");
    assert!(code(&house, "LUNCH10").active, "no reason, no end: {}", desk.screen());
    desk.type_text("it was on the internet");
    desk.press("enter");
    assert!(!code(&house, "LUNCH10").active, "{}", desk.screen());
    assert!(desk.screen().contains("cannot use it any more"), "{}", desk.screen());
    let log = |house: &House| {
        let ask = AuditList { entity: Some("Promotion".to_owned()), limit: 10, ..AuditList::default() };
        house.run(house.opened().door.ask(&Caller::System, ask)).expect("the audit log").items
    };
    let entry = log(&house).first().cloned().expect("an entry");
    assert_eq!(entry.reason.as_deref(), Some("it was on the internet"));
    desk.press("space");
    assert!(code(&house, "LUNCH10").active, "{}", desk.screen());
    assert!(desk.screen().contains("guests can use it"), "{}", desk.screen());
    assert_eq!(log(&house).first().and_then(|entry| entry.reason.clone()), None);
}

#[test]
fn esc_leads_back_and_every_page_of_the_list_comes() {
    let house = House::demo();
    many(&house);
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("2 v end");
    desk.settle();
    desk.press("end");
    assert!(desk.screen().contains("CODE-069") && desk.screen().contains("70 codes"), "{}", desk.screen());
    desk.press("/");
    desk.type_text("code-01");
    assert!(desk.screen().contains("10 codes"), "{}", desk.screen());
    desk.press("enter f right enter");
    assert!(desk.screen().contains("switched on"), "{}", desk.screen());
    desk.press("esc");
    assert!(desk.screen().contains("70 codes"), "{}", desk.screen());
    desk.press("esc");
    assert!(desk.screen().contains("dishes"), "the menu again: {}", desk.screen());
    // Another tab and back: the page is where it was left.
    desk.press("v 3 2");
    assert!(desk.screen().contains("Promotion codes"), "{}", desk.screen());
}

#[test]
fn a_change_that_is_answered_elsewhere_closes_no_form() {
    let house = House::demo();
    add(&house, "LUNCH10", percent("Lunch", "10"));
    let off = SetPromotionActive { promotion: "LUNCH10".to_owned(), active: false, reason: "over".to_owned() };
    house.run(house.opened().door.execute(&Caller::System, None, off)).expect("switched off");
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("2 v");
    // Switched on, and the form opened before the answer came.
    desk.harness.keys("s e");
    desk.input(servery::tui::app::Input::Tick);
    assert!(desk.screen().contains("Terms of LUNCH10"), "{}", desk.screen());
    assert!(code(&house, "LUNCH10").active);
}

#[test]
fn no_size_breaks_the_promotion_codes() {
    let house = House::demo();
    several(&house);
    for (width, height) in [(60, 20), (61, 21), (109, 30), (110, 30), (200, 60)] {
        for keys in ["2 v", "2 v a", "2 v e", "2 v s", "2 v f", "2 v / x"] {
            let mut desk = house.console(width, height);
            desk.sign_in("asha");
            desk.press(keys);
            assert!(!desk.screen().contains('⟦'), "{}", desk.screen());
        }
    }
}
