//! Tests of the cart: the rules of 000, the words of 001, and what changed meanwhile.

use super::*;
use crate::domain::consumption::{Consumption, Subject};
use crate::domain::ids::StockItemId;
use crate::domain::menu::fixtures::{group, item, menu, priced};
use crate::domain::pricing::{QuoteInput, quote};
use crate::domain::tax::TaxMode;
use proptest::prelude::*;
use uuid::Uuid;

const NOW: Timestamp = Timestamp(7);

fn line_id(number: u128) -> CartLineId {
    CartLineId(Uuid::from_u128(number))
}

fn cart() -> Cart {
    Cart::new(CartId(Uuid::from_u128(1)), CustomerId(Uuid::from_u128(2)), Timestamp(0))
}

fn ask<'a>(line: u128, item: &'a Item, quantity: i32) -> Addition<'a> {
    Addition { line_id: line_id(line), item, options: &[], quantity, note: "" }
}

fn one_to_one(items: &[&Item]) -> Vec<Consumption> {
    let row =
        |item: &&Item| Consumption { subject: Subject::Item(item.id), stock_item_id: StockItemId(item.id.0), units: 1 };
    items.iter().map(row).collect()
}

fn untracked() -> StockView<'static> {
    StockView { consumption: &[], available: &|_| None }
}

#[test]
fn never_above_stock_in_the_words_of_001() {
    let shirt = Item { name: "T-Shirt Red - Medium".to_owned(), ..item(1) };
    let rows = one_to_one(&[&shirt]);
    let stock = StockView { consumption: &rows, available: &|_| Some(3) };
    let mut cart = cart();
    let refused = cart.add(&ask(1, &shirt, 5), &stock, NOW).expect_err("refused");
    assert_eq!(refused.code, ErrorCode::InsufficientStock);
    assert_eq!(refused.message, "Insufficient stock for 'T-Shirt Red - Medium'. Available: 3, Requested: 5");
    assert_eq!((refused.details["available"].as_i64(), refused.details["requested"].as_i64()), (Some(3), Some(5)));
    assert_eq!(cart, self::cart());

    let id = cart.add(&ask(1, &shirt, 2), &stock, NOW).expect("fits");
    assert_eq!(cart.increase(id, &stock, NOW).expect("fits"), 3);
    let full = cart.clone();
    assert!(cart.increase(id, &stock, NOW).is_err());
    assert!(cart.add(&ask(2, &shirt, 1), &stock, NOW).is_err());
    assert_eq!(cart, full);
}

#[test]
fn two_lines_share_what_is_left() {
    // invariants.md, Stock: two lines sharing an item.
    let dosa = item(1);
    let rows = one_to_one(&[&dosa]);
    let stock = StockView { consumption: &rows, available: &|_| Some(5) };
    let mut cart = cart();
    cart.add(&ask(1, &dosa, 3), &stock, NOW).expect("fits");
    let spicy = Addition { note: "extra hot", ..ask(2, &dosa, 3) };
    let refused = cart.add(&spicy, &stock, NOW).expect_err("refused");
    assert_eq!(refused.message, "Insufficient stock for 'Item 1'. Available: 2, Requested: 3");
    cart.add(&Addition { quantity: 2, ..spicy }, &stock, NOW).expect("fits");
    assert_eq!((cart.lines.len(), cart.total_items()), (2, 5));
}

#[test]
fn minus_stops_at_one_and_remove_is_its_own_act() {
    // C23; 000: prevent reducing cart below 1. invariants.md, Stock: qty 0, −1, i32 overflow.
    let dosa = item(1);
    let mut cart = cart();
    let id = cart.add(&ask(1, &dosa, 2), &untracked(), NOW).expect("added");
    assert_eq!(cart.decrease(id, NOW).expect("fewer"), 1);
    assert_eq!(cart.decrease(id, NOW).expect("stays"), 1);
    for quantity in [0, -1, i32::MIN, MAX_QUANTITY + 1, i32::MAX] {
        let refused = cart.set_quantity(id, quantity, &untracked(), NOW).expect_err("refused");
        assert_eq!(refused.details["field"], "quantity");
        assert!(cart.add(&ask(2, &dosa, quantity), &untracked(), NOW).is_err());
    }
    cart.set_quantity(id, MAX_QUANTITY, &untracked(), NOW).expect("the most");
    assert!(cart.increase(id, &untracked(), NOW).is_err());
    assert!(cart.add(&ask(2, &dosa, 1), &untracked(), NOW).is_err());
    cart.remove(id, NOW).expect("removed");
    assert!(cart.is_empty());
    assert_eq!(cart.remove(id, NOW).expect_err("gone").code, ErrorCode::NotFound);
}

#[test]
fn fewer_is_allowed_when_stock_fell() {
    let dosa = item(1);
    let rows = one_to_one(&[&dosa]);
    let mut cart = cart();
    let id = cart.add(&ask(1, &dosa, 5), &untracked(), NOW).expect("added");
    let none = StockView { consumption: &rows, available: &|_| Some(0) };
    cart.set_quantity(id, 4, &none, NOW).expect("fewer");
    assert!(cart.set_quantity(id, 5, &none, NOW).is_err());
}

#[test]
fn identical_lines_merge_whatever_the_order_of_options() {
    let mut pizza = item(1);
    pizza.option_groups = vec![group(1, 0, 2, vec![priced(11, 100), priced(12, 50)])];
    let [first, second] = [11, 12].map(|number| OptionId(Uuid::from_u128(number)));
    let mut cart = cart();
    let forward = Addition { options: &[first, second], note: " no  salt ", ..ask(1, &pizza, 1) };
    let backward = Addition { line_id: line_id(2), options: &[second, first], note: "no salt", ..forward };
    let id = cart.add(&forward, &untracked(), NOW).expect("added");
    let dearer = Item { price: Money(2000), ..pizza.clone() };
    let backward = Addition { item: &dearer, ..backward };
    assert_eq!(cart.add(&backward, &untracked(), NOW).expect("merged"), id);
    assert_eq!((cart.lines.len(), cart.lines[0].quantity, cart.lines[0].unit_price_seen), (1, 2, Money(2150)));
    cart.add(&Addition { options: &[first], ..backward }, &untracked(), NOW).expect("another");
    assert_eq!(cart.lines.len(), 2);
}

#[test]
fn there_is_an_end_to_lines() {
    let dosa = item(1);
    let mut cart = cart();
    for number in 0..100_u128 {
        let note = "x".repeat(usize::try_from(number).expect("small"));
        cart.add(&Addition { note: &note, ..ask(number, &dosa, 1) }, &untracked(), NOW).expect("added");
    }
    let one_more = Addition { note: "one more", ..ask(100, &dosa, 1) };
    assert_eq!(cart.add(&one_more, &untracked(), NOW).expect_err("full").details["field"], "lines");
    cart.add(&ask(100, &dosa, 1), &untracked(), NOW).expect("merges");
}

#[test]
fn notes_are_cleaned_and_masked() {
    // 003-097; invariants.md, Kiosk/TUI: 10 000-char notes.
    let mut cart = cart();
    cart.set_note("ring\u{1b}[2J +91 98765 43210\n\n\n\nthanks", NOW).expect("noted");
    assert_eq!(cart.note, "ring[2J •••\n\nthanks");
    cart.set_note(&"a".repeat(10_000), NOW).expect("noted");
    assert_eq!(cart.note.len(), MAX_NOTE);
    let dosa = item(1);
    let id =
        cart.add(&Addition { note: "card 4242 4242 4242 4242", ..ask(1, &dosa, 1) }, &untracked(), NOW).expect("added");
    assert_eq!(cart.line(id).expect("there").note, "card •••");
    cart.set_line_note(id, "a\u{202e}b", NOW).expect("noted");
    assert_eq!(cart.line(id).expect("there").note, "ab");
    cart.clear(NOW).expect("cleared");
    assert_eq!(cart, Cart { updated_at: NOW, ..self::cart() });
}

#[test]
fn a_locked_cart_stays_as_it_is() {
    // C9.
    let dosa = item(1);
    let mut cart = cart();
    let empty = cart.lock(NOW).expect_err("empty");
    assert_eq!(
        (empty.code, empty.message.as_str()),
        (ErrorCode::CartEmpty, "Cart is empty. Add items before checkout.")
    );
    assert!(cart.consume(NOW).is_err());
    let id = cart.add(&ask(1, &dosa, 2), &untracked(), NOW).expect("added");
    cart.lock(NOW).expect("locked");
    for state in [CartState::Locked, CartState::Consumed] {
        assert_eq!(cart.state, state);
        let before = cart.clone();
        let refusals = [
            cart.add(&ask(2, &dosa, 1), &untracked(), NOW).map(|_| ()),
            cart.set_quantity(id, 1, &untracked(), NOW),
            cart.decrease(id, NOW).map(|_| ()),
            cart.remove(id, NOW),
            cart.clear(NOW),
            cart.set_note("x", NOW),
            cart.set_line_note(id, "x", NOW),
            cart.set_fulfilment(Fulfilment::Pickup, NOW),
            cart.lock(NOW),
            accept_changes(&mut cart, &menu(vec![]), NOW),
        ];
        assert!(
            refusals.iter().all(|result| result.as_ref().is_err_and(|refused| refused.code == ErrorCode::Conflict))
        );
        assert_eq!(cart, before);
        if state == CartState::Locked {
            cart.reopen(NOW).expect("order ended unpaid");
            cart.set_quantity(id, 1, &untracked(), NOW).expect("open again");
            cart.lock(NOW).expect("locked");
            cart.consume(NOW).expect("paid");
        }
    }
    cart.consume(NOW).expect("again");
    assert!(cart.reopen(NOW).is_err());
    for state in CartState::ALL {
        assert_eq!(CartState::parse(state.as_str()).expect("own word"), state);
        assert_eq!(serde_json::to_value(state).expect("json"), state.as_str());
    }
}

#[test]
fn everything_that_changed_is_told() {
    // invariants.md, Order: item deleted, renamed, repriced, made inactive, category hidden between
    // cart and Place; slot ends during checkout. Stock: 86 while in carts.
    let mut items: Vec<Item> = (1..=7).map(item).collect();
    items[6].option_groups = vec![group(1, 0, 1, vec![priced(71, 50)])];
    let mut cart = cart();
    for (number, item) in (1..).zip(&items) {
        cart.add(&ask(number, item, 2), &untracked(), NOW).expect("added");
    }
    let rows = one_to_one(&[&items[5]]);
    let stock = StockView { consumption: &rows, available: &|_| Some(1) };
    let mut menu = menu(items);
    menu.consumption.clone_from(&rows);
    let told = |menu: &Menu, cart: &Cart| {
        let changes = changes(cart, menu, Some("lunch"), &stock).expect("in range");
        changes.into_iter().map(|change| (change.line_id, change.change)).collect::<Vec<_>>()
    };
    let short = (line_id(6), Change::Short { available: 1, requested: 2 });
    assert_eq!(told(&menu, &cart), std::slice::from_ref(&short));

    menu.items[0].name = "New".to_owned();
    menu.items[1].price = Money(1100);
    menu.items[2].deleted_at = Some(NOW);
    menu.items[3].available = false;
    menu.items[4].slots = vec!["dinner".to_owned()];
    menu.items[6].option_groups[0].min = 1;
    let out_of_slot = Availability::OutOfSlot { slots: vec!["dinner".to_owned()] };
    let expected = [
        (line_id(1), Change::Renamed { was: "Item 1".to_owned(), now: "New".to_owned() }),
        (line_id(2), Change::Repriced { was: Money(1000), now: Money(1100) }),
        (line_id(3), Change::Gone),
        (line_id(4), Change::Unavailable { availability: Availability::EightySixed }),
        (line_id(5), Change::Unavailable { availability: out_of_slot }),
        short,
        (line_id(7), Change::OptionsChanged { reason: "Choose 1 of 'Group 1'.".to_owned() }),
    ];
    assert_eq!(told(&menu, &cart), expected);
    assert_eq!(
        expected.iter().map(|(_, change)| change.blocks()).collect::<Vec<_>>(),
        [false, false, true, true, true, true, true]
    );

    accept_changes(&mut cart, &menu, NOW).expect("agreed");
    assert!(told(&menu, &cart).iter().all(|(_, change)| change.blocks()));
    menu.categories[0].active = false;
    assert!(told(&menu, &cart).iter().all(|(_, change)| *change == Change::Gone));
}

#[test]
fn lines_are_quoted_at_the_price_of_the_menu() {
    let mut pizza = item(1);
    pizza.option_groups = vec![group(1, 0, 1, vec![priced(11, 100)])];
    let option = OptionId(Uuid::from_u128(11));
    let mut cart = cart();
    cart.add(&Addition { options: &[option], ..ask(1, &pizza, 2) }, &untracked(), NOW).expect("added");
    let mut menu = menu(vec![pizza]);
    menu.items[0].price = Money(1200);
    let (lines, kept): (Vec<_>, Vec<_>) = cart.quote_lines(&menu).expect("on the menu").into_iter().unzip();
    assert_eq!(kept[0][0].choice_id, option);
    let input =
        QuoteInput { lines, promotion: None, tax_classes: vec![], tax_mode: TaxMode::Exclusive, delivery: None };
    assert_eq!(quote(&input).expect("a price").total, Money(2600));
    menu.items[0].active = false;
    assert_eq!(cart.quote_lines(&menu).expect_err("gone").code, ErrorCode::ItemUnavailable);
}

proptest! {
    #[test]
    fn any_sequence_keeps_the_rules(
        steps in prop::collection::vec((0..5_u8, 1..4_u128, -2..8_i32, 0..3_usize), 1..60), available in 0_i64..20
    ) {
        let items: Vec<Item> = (1..=3).map(item).collect();
        let rows = one_to_one(&items.iter().collect::<Vec<_>>());
        let stock = StockView { consumption: &rows, available: &|_| Some(available) };
        let mut cart = cart();
        for (number, (kind, which, quantity, note)) in (0..).zip(steps) {
            let before = cart.clone();
            let index = usize::try_from(which).expect("small");
            let id = cart.lines.get(index).map_or(line_id(9_999), |line| line.id);
            let note = ["", "a", "b"][note];
            let done = match kind {
                0 | 1 => cart.add(&Addition { note, ..ask(number, &items[index - 1], quantity) }, &stock, NOW).map(|_| ()),
                2 => cart.set_quantity(id, quantity, &stock, NOW),
                3 => cart.decrease(id, NOW).map(|_| ()),
                _ => cart.remove(id, NOW),
            };
            if done.is_err() {
                prop_assert_eq!(&cart, &before);
            }
            prop_assert!(cart.lines.iter().all(|line| (1..=MAX_QUANTITY).contains(&line.quantity)));
            let sales: Vec<SaleLine<'_>> = cart.lines.iter().map(CartLine::sale).collect();
            prop_assert!(stock.uses(&sales).expect("in range").values().all(|used| *used <= available));
        }
        let json = serde_json::to_string(&cart).expect("json");
        prop_assert_eq!(serde_json::from_str::<Cart>(&json).expect("own json"), cart);
    }
}
