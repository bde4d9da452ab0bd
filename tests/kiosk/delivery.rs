//! An order that is brought: the pictures of what it adds to the screens, what the customer does on the way, and
//! what is left of his address.

use crate::house::{Bank, House, Kiosk};
use crate::pictures;
use servery::domain::error::{ErrorCode, Refused};
use servery::domain::fulfilment::Fulfilment;
use servery::domain::order::Status;
use servery::domain::payment::Method;
use servery::service::place::MAX_ADDRESS;
use servery::tui::screens::kiosk::KioskEffect;

const ADDRESS: &str = "Hostel 4, room 12, Campus Road";
const LONG: &str =
    "Flat 1204, Tower B, Green Meadows Residency, 14 Old Airport Road, behind the new library, Bengaluru 560017";
const CARD: &str = "4242424242424242";

fn kiosk() -> Kiosk {
    Kiosk::new(80, 24)
}

/// The addresses that the house was given, in order.
fn addresses(kiosk: &Kiosk) -> Vec<String> {
    let given = |effect: &KioskEffect| match effect {
        KioskEffect::Place { address: Some(address), .. } => Some(address.0.to_string()),
        _ => None,
    };
    kiosk.house.calls.iter().filter_map(|call| given(&call.effect)).collect()
}

fn delivery_off(kiosk: &mut Kiosk) {
    kiosk.house.menu.fulfilments = vec![Fulfilment::DineIn, Fulfilment::Pickup];
    kiosk.store_changed();
}

fn pay_by_card(kiosk: &mut Kiosk) -> &mut Kiosk {
    kiosk.text(CARD).keys("enter").text("1229").keys("enter").text("123").keys("enter enter")
}

#[test]
fn mode_with_two_ways() {
    pictures("mode_two_ways", |kiosk| {
        delivery_off(kiosk);
        kiosk.keys("enter right");
    });
}

#[test]
fn mode_with_delivery_selected() {
    pictures("mode_delivery", |kiosk| {
        kiosk.keys("enter end");
    });
}

#[test]
fn cart_with_delivery() {
    pictures("cart_delivery", |kiosk| {
        kiosk.with_dosa_to_bring().keys("esc v").text("lunch10").keys("enter");
        kiosk.house.cart.discount = servery::domain::money::Money(100);
        kiosk.store_changed().wait(6);
    });
}

#[test]
fn checkout_asks_for_the_address() {
    pictures("delivery_checkout", |kiosk| {
        kiosk.with_dosa_to_bring();
    });
}

#[test]
fn checkout_says_that_the_address_is_missing() {
    pictures("delivery_missing", |kiosk| {
        kiosk.with_dosa_to_bring().keys("end enter").wait(1);
    });
}

#[test]
fn checkout_with_a_long_address() {
    pictures("delivery_long", |kiosk| {
        kiosk.with_dosa_to_bring().text(LONG);
    });
}

#[test]
fn checkout_ready_to_pay_the_courier() {
    pictures("delivery_cash", |kiosk| {
        kiosk.with_dosa_to_bring().text(LONG).keys("enter").text("Asha").keys("enter 3");
    });
}

#[test]
fn delivery_is_no_longer_offered() {
    pictures("delivery_gone", |kiosk| {
        kiosk.with_dosa_to_bring().text(ADDRESS);
        delivery_off(kiosk);
    });
}

#[test]
fn delivery_is_no_longer_offered_seen_in_the_cart() {
    pictures("delivery_gone_cart", |kiosk| {
        kiosk.with_dosa_to_bring().keys("esc");
        delivery_off(kiosk);
    });
}

#[test]
fn done_with_delivery() {
    pictures("delivery_done", |kiosk| {
        kiosk.with_dosa_to_bring().text(ADDRESS).keys("enter").text("Asha").keys("enter 1 enter");
        pay_by_card(kiosk);
    });
}

#[test]
fn done_with_cash_for_the_courier() {
    pictures("delivery_done_cash", |kiosk| {
        kiosk.with_dosa_to_bring().text(ADDRESS).keys("enter enter 3 enter");
    });
}

#[test]
fn done_and_on_its_way() {
    pictures("delivery_on_its_way", |kiosk| {
        kiosk.with_dosa_to_bring().text(ADDRESS).keys("enter enter 3 enter");
        kiosk.house.kitchen(Status::OutForDelivery);
        kiosk.store_changed();
    });
}

#[test]
fn a_customer_has_it_brought_and_is_told_so_until_it_is_there() {
    let mut kiosk = kiosk();
    kiosk.keys("enter").shows("To your door, +€2.00");
    kiosk.keys("right right enter").keys("2 enter down enter down enter end enter c");
    assert_eq!(kiosk.house.cart.fulfilment, Some(Fulfilment::Delivery));
    let cart = kiosk.shows("€14.30");
    assert!(cart.contains("Delivery") && cart.contains("€2.00"), "{cart}");
    kiosk.keys("enter").shows("with delivery €2.00");
    // Nothing but the address is asked for at first, and without one nothing goes on.
    kiosk.shows("First tell us where to bring it");
    kiosk.keys("enter").shows("! Please tell us where to bring it.");
    kiosk.text(ADDRESS).keys("enter").text("Asha").keys("enter 1");
    kiosk.shows("Pay €14.30");
    kiosk.keys("enter").shows("Card number");
    assert_eq!(addresses(&kiosk), [ADDRESS]);
    pay_by_card(&mut kiosk).shows("We bring it to you.");
    kiosk.shows("then it comes to you");
    for (status, words) in [
        (Status::Preparing, "● Preparing"),
        (Status::Ready, "The courier brings it to you."),
        (Status::OutForDelivery, "Your order is on its way to you!"),
        (Status::Completed, "We have brought it to you."),
    ] {
        kiosk.house.kitchen(status);
        let screen = kiosk.store_changed().shows(words);
        assert!(!screen.contains("pick it up") && !screen.contains("We call"), "{screen}");
    }
}

#[test]
fn a_finger_and_a_paste_are_enough() {
    let mut kiosk = kiosk();
    kiosk.click("Press Enter").click("Deliver to me");
    kiosk.click("Drinks").click("Mango lassi").click("Add 1 to").click("View your order").click("Check out");
    kiosk.click("First tell us").shows("! Please tell us where to bring it.");
    kiosk.paste("Hostel 4,\n  room 12\n\nCampus\u{202e} Road\n").shows("Hostel 4, room 12, Campus Road");
    kiosk.click("Cash").shows("pay the courier in cash");
    kiosk.click("Order now, pay the courier").shows("in cash ready for the courier");
    assert_eq!(addresses(&kiosk), [ADDRESS]);
    assert_eq!(kiosk.house.order.as_ref().map(|order| order.method), Some(Method::Cash));
}

#[test]
fn an_address_is_judged_while_it_is_typed() {
    let mut kiosk = kiosk();
    kiosk.with_dosa_to_bring().text("   ").keys("enter").shows("! Please tell us where to bring it.");
    kiosk.text("H").shows("Only our staff and the courier see it.");
    kiosk.keys("ctrl+u").paste(&"x".repeat(MAX_ADDRESS - 60)).shows("60 more characters fit");
    kiosk.paste(&"y".repeat(500)).shows("! Only 300 characters fit.");
    kiosk.keys("backspace").shows("1 more character fits");
    kiosk.keys("enter enter 3 enter").shows("Your number");
    assert_eq!(addresses(&kiosk).iter().map(|address| address.chars().count()).collect::<Vec<_>>(), [MAX_ADDRESS - 1]);
}

#[test]
fn who_begins_to_type_means_the_address_and_then_the_name() {
    let mut kiosk = kiosk();
    kiosk.with_dosa_to_bring().keys("down down").text("Hostel").keys("enter enter").text("Asha").keys("enter 3 enter");
    assert_eq!(addresses(&kiosk), ["Hostel"]);
    assert_eq!(kiosk.house.order.as_ref().and_then(|order| order.called_name.clone()), Some("Asha".to_owned()));
}

#[test]
fn going_back_keeps_what_was_typed() {
    let mut kiosk = kiosk();
    kiosk.with_dosa_to_bring().text(ADDRESS).keys("enter").text("Asha").keys("esc").shows("Add more");
    kiosk.keys("esc").shows("View your order");
    let screen = kiosk.keys("c p").shows(ADDRESS);
    assert!(screen.contains("Asha"), "{screen}");
    // What is still to be done is where the keys are.
    kiosk.keys("enter 1").shows("▸ Pay");
}

#[test]
fn a_payment_that_failed_is_tried_again_with_the_same_address() {
    let mut kiosk = kiosk();
    kiosk.house.bank = Bank::Declines;
    kiosk.with_dosa_to_bring().text(ADDRESS).keys("enter enter 1 enter");
    pay_by_card(&mut kiosk).shows("The payment did not go through");
    kiosk.keys("2").shows(ADDRESS);
    kiosk.keys("1 enter");
    pay_by_card(&mut kiosk).shows("The payment did not go through");
    kiosk.house.bank = Bank::Approves;
    kiosk.keys("1");
    pay_by_card(&mut kiosk).shows("We bring it to you.");
    assert_eq!(addresses(&kiosk), [ADDRESS, ADDRESS, ADDRESS]);
}

#[test]
fn when_delivery_is_switched_off_another_way_is_chosen_and_nothing_is_lost() {
    let mut kiosk = kiosk();
    kiosk.with_dosa_to_bring().text(ADDRESS);
    delivery_off(&mut kiosk);
    kiosk.shows("No delivery right now");
    // Who looks first is asked again before anything is ordered.
    kiosk.keys("3").shows("Choose how to get it");
    kiosk.keys("down down down down down enter").shows("No delivery right now");
    assert_eq!(kiosk.count("Place"), 0);
    kiosk.keys("2");
    let screen = kiosk.shows("Take away");
    assert!(screen.contains("€12.30") && !screen.contains("Where shall we bring it?"), "{screen}");
    kiosk.keys("3 enter").shows("at the till");
    assert_eq!(kiosk.house.cart.lines.len(), 1);
    assert!(addresses(&kiosk).is_empty());
}

#[test]
fn the_cart_says_that_nothing_is_delivered_any_more() {
    let mut kiosk = kiosk();
    kiosk.with_dosa_to_bring().keys("esc");
    delivery_off(&mut kiosk);
    kiosk.shows("! No delivery right now. Check out to choose another way.");
    kiosk.keys("p").shows("No delivery right now");
    kiosk.keys("1");
    let screen = kiosk.shows("Eat here");
    assert!(!screen.contains("No delivery right now"), "{screen}");
    kiosk.keys("p").shows("How would you like to pay?");
}

#[test]
fn a_switch_between_the_last_look_and_the_press_is_told_the_same_way() {
    let mut kiosk = kiosk();
    kiosk.with_dosa_to_bring().text(ADDRESS).keys("enter enter 3");
    kiosk.house.refuse = Some(Refused::invalid("fulfilment", "no").by_guard("fulfilment_enabled"));
    kiosk.keys("enter").shows("No delivery right now");
    kiosk.keys("2 3 enter").shows("at the till");
}

#[test]
fn an_order_of_which_nothing_is_known_is_asked_again_with_its_key() {
    let mut kiosk = kiosk();
    kiosk.with_dosa_to_bring().text(ADDRESS).keys("enter enter 3");
    kiosk.house.refuse = Some(Refused::new(ErrorCode::StoreUnavailable, "away"));
    kiosk.keys("enter").shows("cannot reach");
    kiosk.keys("enter").shows("We bring it to you.");
    let placed: Vec<_> =
        kiosk.house.calls.iter().filter(|call| matches!(call.effect, KioskEffect::Place { .. })).collect();
    assert_eq!(placed.len(), 2);
    assert_eq!(placed[0].key, placed[1].key);
}

#[test]
fn the_address_is_in_no_debug_output_and_gone_with_the_customer() {
    let mut kiosk = kiosk();
    let absent = |kiosk: &Kiosk| {
        let (state, calls) = (format!("{:?}", kiosk.harness.app), format!("{:?}", kiosk.house.calls));
        assert!(!state.contains("Hostel") && !calls.contains("Hostel"), "{state}\n{calls}");
    };
    kiosk.with_dosa_to_bring().text(ADDRESS);
    absent(&kiosk);
    kiosk.keys("enter enter 3");
    // Under way, and of unknown fate.
    kiosk.house.refuse = Some(Refused::new(ErrorCode::StoreUnavailable, "away"));
    kiosk.harness.keys("enter");
    absent(&kiosk);
    kiosk.settle();
    absent(&kiosk);
    kiosk.wait(140).shows("Press Enter or touch to order");
    kiosk.with_dosa_to_bring().shows("First tell us where to bring it");
    assert!(!kiosk.screen().contains("Hostel"));
}

#[test]
fn where_delivery_is_the_only_way_it_is_not_asked_about() {
    let mut house = House::new();
    house.menu.fulfilments = vec![Fulfilment::Delivery];
    let mut kiosk = Kiosk::with(80, 24, house);
    kiosk.keys("enter").shows("Nothing in your order yet");
    assert_eq!(kiosk.house.cart.fulfilment, Some(Fulfilment::Delivery));
}
