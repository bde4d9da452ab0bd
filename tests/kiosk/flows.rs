//! What a customer does at the kiosk, step by step: the whole way, what goes wrong on it, and what is
//! left of him when he has gone.

use crate::house::{self, Bank, House, Kiosk, id};
use servery::domain::cart::{CartChange, Change};
use servery::domain::error::{ErrorCode, Refused};
use servery::domain::fulfilment::Fulfilment;
use servery::domain::ids::{CartLineId, OptionId};
use servery::domain::money::Money;
use servery::domain::order::Status;
use servery::domain::payment::Method;
use servery::service::views::CartPromotionView;
use servery::tui::app::{App, Input};
use servery::tui::screens::kiosk::{KioskEffect, KioskMsg, KioskReply};

const CARD: &str = "4242424242424242";

fn kiosk() -> Kiosk {
    Kiosk::new(80, 24)
}

fn to_card(kiosk: &mut Kiosk) -> &mut Kiosk {
    kiosk.with_dosa().keys("c enter 1 enter")
}

fn type_card(kiosk: &mut Kiosk) -> &mut Kiosk {
    kiosk.text(CARD).keys("enter").text("1229").keys("enter").text("987").keys("enter")
}

#[test]
fn a_customer_orders_with_options_pays_and_gets_a_number() {
    let mut kiosk = kiosk();
    kiosk.with_dosa();
    let added = kiosk.house.calls.iter().find_map(|call| match &call.effect {
        KioskEffect::AddToCart { options, quantity, .. } => Some((options.clone(), *quantity)),
        _ => None,
    });
    assert_eq!(added, Some((vec![OptionId(id(912)), OptionId(id(921))], 1)));
    kiosk.shows("€12.30");
    kiosk.keys("c enter up").text("Asha").keys("enter 1 enter");
    kiosk.shows("Your items are held for you");
    type_card(&mut kiosk).keys("enter");
    let screen = kiosk.shows("Your number");
    assert!(screen.contains("Asha") && screen.contains("● Received"), "{screen}");
    kiosk.house.kitchen(Status::Ready);
    kiosk.store_changed().shows("Your order is ready");
    kiosk.wait(3).keys("enter").shows("Press Enter or touch to order");
    assert!(!kiosk.harness.app.is_serving());
}

#[test]
fn everything_can_be_done_with_a_finger() {
    let mut kiosk = kiosk();
    kiosk.click("Press Enter").click("Take away");
    assert_eq!(kiosk.house.cart.fulfilment, Some(Fulfilment::Pickup));
    kiosk.click("Drinks").click("Mango lassi").click("+").click("Add 2 to").click("View your order");
    kiosk.click("How this adds up").shows("Mango lassi  2 ×");
    kiosk.keys("esc").click("Check out").click("Cash").click("Order now");
    kiosk.shows("at the till");
    assert_eq!(kiosk.house.order.as_ref().map(|order| order.method), Some(Method::Cash));
}

#[test]
fn everything_can_be_done_with_arrows_and_enter() {
    let mut kiosk = kiosk();
    kiosk.keys("enter right enter").keys("left down enter enter down down enter");
    kiosk.keys("down down down down down down enter").shows("added to your order");
    kiosk.keys("right enter").shows("Check out");
    kiosk.keys("up up enter").shows("Take it out");
    kiosk.keys("enter").shows("2 items");
    kiosk.keys("down down enter").shows("How would you like to pay?");
    kiosk.keys("down down enter enter").shows("at the till");
}

#[test]
fn a_double_enter_does_a_thing_once() {
    let mut kiosk = kiosk();
    kiosk.harness.keys("enter enter enter");
    assert_eq!(kiosk.harness.take_effects().len(), 1, "one guest");
    let mut kiosk = self::kiosk();
    kiosk.open_menu().keys("2 enter end");
    kiosk.harness.keys("enter enter");
    assert!(kiosk.screen().contains("One moment"), "{}", kiosk.screen());
    kiosk.settle();
    assert_eq!(kiosk.count("AddToCart"), 1);
    kiosk.keys("c enter 3");
    kiosk.harness.keys("enter enter enter esc esc");
    kiosk.settle();
    assert_eq!(kiosk.count("Place"), 1);
    // The same press that ordered must not hide the number.
    kiosk.keys("enter enter").shows("Your number");
    let keys: Vec<_> = kiosk.house.calls.iter().filter_map(|call| call.key.clone()).collect();
    let mut unique = keys.clone();
    unique.dedup();
    assert_eq!(keys, unique, "every change has a key of its own");
}

#[test]
fn a_change_of_which_nothing_is_known_is_asked_again_with_its_key() {
    let mut kiosk = kiosk();
    kiosk.with_dosa().keys("c enter 3");
    kiosk.house.refuse = Some(Refused::new(ErrorCode::StoreUnavailable, "away"));
    kiosk.keys("enter").shows("cannot reach");
    kiosk.keys("enter").shows("Your number");
    let keys: Vec<_> = kiosk
        .house
        .calls
        .iter()
        .filter(|call| matches!(call.effect, KioskEffect::Place { .. }))
        .map(|call| call.key.clone())
        .collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1]);
}

#[test]
fn a_promotion_code_is_typed_changed_and_taken_away() {
    let mut kiosk = kiosk();
    kiosk.with_dosa().keys("c").shows("A code?");
    kiosk.keys("v").text("lunch10").keys("enter").shows("LUNCH10 takes");
    kiosk.shows("Code LUNCH10");
    kiosk.keys("v").shows("Take the code away");
    // One that holds no longer is in the way of the order, and the cart says so.
    kiosk.keys("esc");
    let refused = Some("ended".to_owned());
    kiosk.house.cart.promotion = Some(CartPromotionView { code: "LUNCH10".to_owned(), refused });
    kiosk.store_changed().shows("Code LUNCH10: This code is no longer valid.");
    kiosk.keys("p").shows("Take the code away");
    kiosk.keys("down enter").keys("p").shows("How would you like to pay?");
    kiosk.house.refuse =
        Some(Refused::invalid("promo_code", "no").by_guard("promo_claimable").with("reason", "used_up"));
    kiosk.keys("1 enter").shows("This code is used up.");
}

#[test]
fn a_price_that_changed_at_the_checkout_is_agreed_to_first() {
    let mut kiosk = kiosk();
    kiosk.with_dosa().keys("c enter").shows("How would you like to pay?");
    let change = Change::Repriced { was: Money(1), now: Money(2) };
    let line_id = kiosk.house.cart.lines[0].id;
    kiosk.house.change(CartChange { line_id, name: "Masala dosa".to_owned(), change });
    kiosk.store_changed().keys("1 enter").shows("The menu has changed");
    assert_eq!(kiosk.count("Place"), 0, "nobody pays what he has not agreed to");
    kiosk.keys("enter").shows("How would you like to pay?");
    kiosk.keys("1 enter");
    let total = kiosk.house.cart.total.0;
    let placed = kiosk.house.calls.iter().rev().find_map(|call| match &call.effect {
        KioskEffect::Place { expected_total, .. } => Some(*expected_total),
        _ => None,
    });
    assert_eq!(placed, Some(total));
}

#[test]
fn what_sold_out_in_the_cart_is_shown_and_mended_before_the_checkout() {
    let mut kiosk = kiosk();
    kiosk.with_dosa().keys("3 enter end enter");
    let change = Change::Short { available: 0, requested: 1 };
    let line_id = CartLineId(id(601));
    kiosk.house.change(CartChange { line_id, name: "Mango lassi".to_owned(), change });
    kiosk.store_changed().keys("c").shows("Mango lassi is sold out");
    kiosk.keys("p").shows("The menu has changed");
    kiosk.keys("enter");
    assert_eq!(kiosk.count("AcceptChanges"), 0, "nothing to agree to");
    kiosk.keys("down x p").shows("How would you like to pay?");
    // And at the last moment: Place refuses, the cart says why.
    let refused = Refused::new(ErrorCode::InsufficientStock, "no").with("item", "Masala dosa").with("available", 0);
    kiosk.keys("1");
    kiosk.house.refuse = Some(refused);
    kiosk.keys("enter").shows("Sorry, Masala dosa is sold out");
    kiosk.shows("How this adds up");
}

#[test]
fn a_new_price_is_asked_about() {
    let mut kiosk = kiosk();
    kiosk.with_dosa();
    let change = Change::Repriced { was: Money(1150), now: Money(1200) };
    kiosk.house.change(CartChange { line_id: CartLineId(id(600)), name: "Masala dosa".to_owned(), change });
    kiosk.store_changed().keys("c p").shows("now costs €12.00 instead of €11.50");
    kiosk.keys("1").shows("How would you like to pay?");
    assert_eq!(kiosk.count("AcceptChanges"), 1);
}

#[test]
fn a_declined_card_keeps_the_cart_and_the_next_try_is_linked() {
    let mut kiosk = kiosk();
    kiosk.house.bank = Bank::Declines;
    to_card(&mut kiosk);
    type_card(&mut kiosk).keys("enter").shows("does not have enough money");
    let first = kiosk.house.order.as_ref().map(|order| order.id);
    kiosk.house.bank = Bank::Approves;
    kiosk.keys("enter").shows("Card number");
    assert_eq!(kiosk.house.order.as_ref().and_then(|order| order.retry_of), first);
    assert!(!kiosk.screen().contains(CARD), "the form is empty again");
    assert_eq!(kiosk.screen().matches("4242").count(), 4, "only the hint");
    type_card(&mut kiosk).keys("enter").shows("Your number");
}

#[test]
fn who_is_turned_away_is_told_why() {
    let mut kiosk = kiosk();
    kiosk.with_dosa().keys("c enter 3 enter").shows("Your number");
    let order = kiosk.house.order.as_mut().expect("an order");
    (order.status, order.version) = (Status::Rejected, order.version + 1);
    order.reason_text = Some("no gas today".to_owned());
    kiosk.store_changed().shows("This order was cancelled: no gas today.");
}

#[test]
fn after_a_decline_another_way_can_be_taken() {
    let mut kiosk = kiosk();
    kiosk.house.bank = Bank::Declines;
    to_card(&mut kiosk);
    type_card(&mut kiosk).keys("enter 2").shows("How would you like to pay?");
    kiosk.keys("3 enter").shows("at the till");
    assert!(kiosk.house.order.as_ref().is_some_and(|order| order.retry_of.is_some()));
}

#[test]
fn a_mistyped_card_is_not_sent() {
    let mut kiosk = kiosk();
    to_card(&mut kiosk).text("4242424242424241").keys("enter enter enter enter").shows("check the card number");
    assert_eq!(kiosk.count("PayCard"), 0);
}

#[test]
fn the_hold_is_extended_once() {
    let mut kiosk = kiosk();
    to_card(&mut kiosk).wait(10).shows("9:50");
    kiosk.keys("e e").shows("14:50");
    assert_eq!(kiosk.count("ExtendHold"), 1);
    assert!(!kiosk.screen().contains("More time"));
}

#[test]
fn a_hold_that_runs_out_gives_the_items_back_and_keeps_the_cart() {
    let mut kiosk = kiosk();
    kiosk.house.menu.kiosk_idle_seconds = 0;
    kiosk.store_changed();
    to_card(&mut kiosk).wait(601).shows("The time to pay ran out");
    assert_eq!(kiosk.count("CancelOrder"), 1);
    kiosk.keys("enter").shows("Card number");
}

#[test]
fn cancelling_asks_first_and_keeps_the_cart() {
    let mut kiosk = kiosk();
    to_card(&mut kiosk).keys("x enter");
    assert_eq!(kiosk.count("CancelOrder"), 0, "no is the first answer");
    kiosk.keys("x 1").shows("How would you like to pay?");
    assert_eq!(kiosk.count("CancelOrder"), 1);
}

#[test]
fn a_phone_payment_is_noticed_by_itself() {
    let mut kiosk = kiosk();
    kiosk.house.bank = Bank::Silent;
    kiosk.with_dosa().keys("c enter 2 enter").shows("Scan this code");
    let pay_now = kiosk.house.calls.iter().any(|call| matches!(call.effect, KioskEffect::Place { pay_now: true, .. }));
    assert!(pay_now);
    kiosk.house.bank = Bank::Approves;
    kiosk.wait(3).shows("Your number");
}

#[test]
fn an_unanswered_payment_is_handed_to_the_staff_after_a_minute() {
    let mut kiosk = kiosk();
    kiosk.house.bank = Bank::Silent;
    to_card(&mut kiosk);
    type_card(&mut kiosk).keys("enter").shows("We are checking your payment");
    kiosk.wait(58).shows("We are checking your payment");
    let screen = kiosk.wait(3).shows("show this number to our staff");
    assert!(screen.contains("Your number"));
    kiosk.wait(31).shows("Press Enter or touch to order");
    assert_eq!(kiosk.count("PayCard"), 1, "never paid twice");
    assert_eq!(kiosk.count("CancelOrder"), 0, "never cancelled while it is open");
}

#[test]
fn a_payment_without_any_answer_ends_the_same_way() {
    let mut kiosk = kiosk();
    to_card(&mut kiosk);
    type_card(&mut kiosk);
    kiosk.harness.keys("enter");
    let call = kiosk.harness.take_effect();
    assert!(call.is_some_and(|call| matches!(call.effect, KioskEffect::PayCard { .. })));
    for _ in 0..60 {
        kiosk.harness.keys("enter esc x");
        kiosk.harness.advance(1);
    }
    // The press that was still on its way does not hide the number.
    kiosk.harness.keys("enter");
    assert_eq!(kiosk.harness.take_effects().len(), 0);
    kiosk.shows("show this number to our staff");
}

#[test]
fn the_answers_of_a_declined_try_do_not_reach_the_next_one() {
    let mut kiosk = kiosk();
    kiosk.house.bank = Bank::Declines;
    to_card(&mut kiosk);
    type_card(&mut kiosk);
    // The store tells of the decline before the bank's own answer has come back.
    kiosk.harness.keys("enter");
    let paid = kiosk.harness.take_effects();
    let late: Vec<KioskMsg> = paid.iter().map(|call| kiosk.house.answer(call)).collect();
    kiosk.store_changed().shows("did not go through");
    // A read of that order is still on its way when the customer tries again.
    kiosk.harness.input(Input::StoreChanged);
    let reads = kiosk.harness.take_effects();
    let older: Vec<KioskMsg> = reads.iter().map(|call| kiosk.house.answer(call)).collect();
    assert!(!late.is_empty() && !older.is_empty());
    kiosk.keys("enter").shows("Your items are held for you");
    assert_eq!(kiosk.count("Place"), 2, "the first press was heard");
    for message in late.into_iter().chain(older) {
        kiosk.harness.message(message);
        kiosk.shows("Your items are held for you");
    }
}

#[test]
fn a_broken_call_to_the_bank_is_an_unknown_payment() {
    let mut kiosk = kiosk();
    to_card(&mut kiosk);
    type_card(&mut kiosk);
    kiosk.house.bank = Bank::Silent;
    kiosk.harness.keys("enter");
    kiosk.harness.take_effects();
    kiosk.harness.input(Input::EffectFailed);
    kiosk.shows("We are checking your payment");
    kiosk.settle();
    assert_eq!(kiosk.count("PollPayment"), 1);
    assert_eq!(kiosk.count("PayCard"), 0);
}

#[test]
fn a_kiosk_that_is_left_forgets_everything() {
    let secrets = ["Asha", "onions", "Large", "dosa", "12.30", "4242", "142", "987", "urgent"];
    let steps: [&dyn Fn(&mut Kiosk); 5] = [
        &|kiosk| {
            kiosk.with_dosa();
        },
        &|kiosk| {
            kiosk.open_menu().keys("2 enter n").text("no onions");
        },
        &|kiosk| {
            kiosk.with_dosa().keys("c n").text("urgent").keys("enter enter up").text("Asha");
        },
        &|kiosk| {
            kiosk.with_dosa().keys("c enter up").text("Asha").keys("enter 1 enter").text("4242");
        },
        &|kiosk| {
            kiosk.house.bank = Bank::Declines;
            to_card(kiosk);
            type_card(kiosk).keys("enter");
        },
    ];
    for (at, step) in steps.iter().enumerate() {
        let mut kiosk = kiosk();
        step(&mut kiosk);
        kiosk.wait(61).shows("Are you still there?");
        kiosk.wait(16).shows("Press Enter or touch to order");
        assert!(!kiosk.harness.app.is_serving());
        // Look at every screen that the next customer sees: nothing of the last one stands there.
        let mut seen = kiosk.screen();
        kiosk.house.menu.items.retain(|item| item.name == "Samosa" || item.name == "Mango lassi");
        seen += &format!("{:?}", kiosk.store_changed().harness.app);
        seen += &kiosk.keys("enter").screen();
        for keys in ["1", "c", "esc", "2", "1", "enter", "n", "esc", "end enter", "c", "enter", "up", "down 1 enter"] {
            seen += &kiosk.keys(keys).screen();
        }
        let seen = seen.replace("4242 4242 4242 4242", "");
        for secret in secrets.iter().filter(|secret| **secret != "142") {
            assert!(!seen.contains(secret), "step {at}: {secret:?} is still there:\n{seen}");
        }
    }
}

#[test]
fn an_absent_customer_gives_his_held_items_back() {
    let mut kiosk = kiosk();
    to_card(&mut kiosk).wait(77).shows("Press Enter or touch to order");
    assert_eq!(kiosk.count("CancelOrder"), 1);
}

#[test]
fn the_warning_is_taken_away_by_any_touch() {
    let mut kiosk = kiosk();
    kiosk.with_dosa().wait(61).shows("Are you still there?");
    kiosk.keys("x");
    assert!(!kiosk.screen().contains("Are you still there?"));
    kiosk.wait(59);
    assert!(!kiosk.screen().contains("Are you still there?"));
    kiosk.wait(2).click("I am still here").keys("c").shows("1 item");
}

#[test]
fn a_kiosk_is_never_reset_while_money_is_on_its_way() {
    let mut kiosk = kiosk();
    kiosk.house.bank = Bank::Silent;
    kiosk.with_dosa().keys("c enter 2 enter");
    for _ in 0..59 {
        kiosk.wait(10).shows("Scan this code");
        assert!(!kiosk.screen().contains("Are you still there?"), "{}", kiosk.screen());
    }
    // When the hold is over, the payment is an unknown one like any other.
    kiosk.wait(12).shows("We are checking your payment");
    kiosk.wait(60).shows("show this number to our staff");
}

#[test]
fn a_clock_that_is_set_back_keeps_nobody() {
    let mut kiosk = kiosk();
    kiosk.with_dosa();
    kiosk.harness.advance(-100_000);
    kiosk.wait(80).shows("Press Enter or touch to order");
}

#[test]
fn nothing_moves_while_nobody_is_there() {
    let mut kiosk = kiosk();
    assert_eq!(kiosk.harness.app.tick(), None, "the attract screen costs nothing");
    kiosk.open_menu();
    let before = kiosk.screen();
    kiosk.wait(30);
    assert_eq!(before, kiosk.screen());
}

#[test]
fn without_the_store_nothing_is_accepted() {
    let mut kiosk = kiosk();
    kiosk.open_menu();
    kiosk.harness.input(Input::StoreAway(true));
    let before = kiosk.house.calls.len();
    kiosk.keys("2 enter end enter").shows("cannot reach");
    assert_eq!(kiosk.house.calls.len(), before);
    kiosk.shows("The store cannot be reached");
    kiosk.harness.input(Input::StoreAway(false));
    kiosk.settle();
    kiosk.keys("enter").shows("added to your order");
    let mut kiosk = self::kiosk();
    kiosk.harness.input(Input::StoreAway(true));
    kiosk.keys("enter");
    assert!(!kiosk.harness.app.is_serving());
}

#[test]
fn a_closed_house_says_when_it_opens() {
    let mut house = House::new();
    house.menu.slot = None;
    house.menu.next_slot = Some("dinner".to_owned());
    house.menu.next_slot_at = Some(house::NOON.plus_seconds(5 * 3600));
    let mut kiosk = Kiosk::with(80, 24, house);
    kiosk.shows("We serve dinner from 18:00");
    kiosk.keys("enter");
    assert!(!kiosk.harness.app.is_serving());
}

#[test]
fn only_the_pin_lets_anybody_out() {
    let mut kiosk = kiosk();
    kiosk.keys("ctrl+c esc q ctrl+z ctrl+q").text("1111").keys("enter").shows("not the PIN");
    assert_eq!(kiosk.harness.quit(), None);
    assert!(!kiosk.screen().contains("1111"));
    kiosk.wait(31).shows("Press Enter or touch to order");
    kiosk.open_menu().keys("/ ctrl+q").text("4711").keys("enter");
    assert_eq!(kiosk.harness.quit(), Some(0));
    let call = kiosk.house.calls.last().map(|call| format!("{call:?}"));
    assert!(call.is_some_and(|call| !call.contains("4711")), "no PIN in a log");
}

#[test]
fn no_card_gets_into_a_log() {
    let mut kiosk = kiosk();
    to_card(&mut kiosk);
    type_card(&mut kiosk).keys("enter");
    let calls = format!("{:?}", kiosk.house.calls);
    assert!(!calls.contains("4242") && !calls.contains("987"), "{calls}");
}

#[test]
fn an_answer_that_comes_too_late_changes_nothing() {
    let mut kiosk = kiosk();
    kiosk.open_menu().keys("2 enter end");
    kiosk.harness.keys("enter");
    let late = kiosk.harness.take_effect().map(|call| kiosk.house.answer(&call));
    kiosk.wait(140).shows("Press Enter or touch to order");
    if let Some(message) = late {
        kiosk.harness.message(message);
    }
    kiosk.open_menu().shows("Nothing in your order yet");
    kiosk.harness.message(KioskMsg {
        request: servery::tui::app::RequestId(0),
        reply: KioskReply::Cart(Err(Refused::new(ErrorCode::InternalError, "stray"))),
    });
    kiosk.shows("Nothing in your order yet");
}

#[test]
fn a_paste_goes_into_the_field_that_is_typed_into_and_nowhere_else() {
    let mut kiosk = kiosk();
    kiosk.with_dosa();
    for keys in ["esc", "2", "c", "enter"] {
        kiosk.keys(keys).wait(5);
        let before = kiosk.screen();
        kiosk.paste("1\n2\npasted");
        assert_eq!(before, kiosk.screen());
    }
    kiosk.keys("up").paste("\u{1b}[2J pasted").shows("│ [2J pasted");
    assert_eq!(kiosk.count("Place"), 0, "a paste is no key");
}

#[test]
fn where_there_is_one_way_it_is_not_asked_about() {
    let mut house = House::new();
    house.menu.fulfilments = vec![Fulfilment::Pickup];
    let mut kiosk = Kiosk::with(80, 24, house);
    kiosk.keys("enter").shows("Nothing in your order yet");
    assert_eq!(kiosk.house.cart.fulfilment, Some(Fulfilment::Pickup));
}

#[test]
fn no_card_is_kept_where_a_log_could_see_it() {
    let mut kiosk = kiosk();
    to_card(&mut kiosk);
    type_card(&mut kiosk);
    assert!(!format!("{:?}", kiosk.harness.app).contains(CARD));
    kiosk.harness.keys("enter");
    assert!(!format!("{:?}", kiosk.harness.app).contains(CARD));
}
