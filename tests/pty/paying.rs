//! The other ways to pay, and a card that is declined.

use servery::domain::order::Status;
use servery::domain::payment::AttemptStatus;

use crate::house::{self, APPROVED, House, PATIENCE, on_both_databases, wait_settled};
use crate::office;
use crate::support::pty::Key;

/// A card that its bank declines.
const DECLINED: &str = "4000000000000002";

on_both_databases!(
    a_customer_pays_with_the_phone,
    a_customer_pays_cash_at_the_counter,
    a_declined_card_says_why_and_the_next_try_is_linked,
);

fn a_customer_pays_with_the_phone(house: &House) {
    let (kiosk, kitchen) = (house.kiosk(), house.kitchen());
    house::to_menu(&kiosk);
    house::add_biryani(&kiosk);
    house::to_checkout(&kiosk);
    house::check_out(&kiosk, "Meera", "2");
    kiosk.wait_for("Scan this code", PATIENCE);
    // The simulated customer of the demo pays after some seconds.
    kiosk.wait_for("Your number", PATIENCE);
    kiosk.wait_for("₹462.00 paid", PATIENCE);
    wait_settled(&kitchen, "▶ 001   Space: start cooking");
    kitchen.wait_for("Meera", PATIENCE);
}

fn a_customer_pays_cash_at_the_counter(house: &House) {
    let (kiosk, kitchen) = (house.kiosk(), house.kitchen());
    house::to_menu(&kiosk);
    house::add_biryani(&kiosk);
    house::to_checkout(&kiosk);
    house::check_out(&kiosk, "", "3");
    kiosk.wait_for("Please pay ₹462.00 at the till", PATIENCE);
    wait_settled(&kitchen, "CASH DUE ₹462.00");

    // Nobody is signed in, so taking money asks who it is; then the till is closed, so its float is asked for.
    kitchen.send("c");
    kitchen.wait_for("needs a person", PATIENCE);
    kitchen.send("ravi");
    kitchen.key(Key::Enter);
    kitchen.send("demo-ravi-2026");
    kitchen.key(Key::Enter);
    kitchen.wait_for("Open the till", PATIENCE);
    kitchen.key(Key::Enter);
    kitchen.wait_for("The customer gave", PATIENCE);
    kitchen.send("500");
    kitchen.key(Key::Enter);
    kitchen.wait_for("001 is paid", PATIENCE);
    kitchen.wait_for("Change", PATIENCE);
    kitchen.key(Key::Enter);
    kitchen.wait_gone("CASH DUE", PATIENCE);
    kiosk.wait_for("₹462.00 paid", PATIENCE);
    let [order] = &office::orders(house)[..] else { panic!("one order") };
    assert!(order.paid);
}

fn a_declined_card_says_why_and_the_next_try_is_linked(house: &House) {
    let (kiosk, kitchen) = (house.kiosk(), house.kitchen());
    house::to_menu(&kiosk);
    house::add_biryani(&kiosk);
    house::to_checkout(&kiosk);
    house::check_out(&kiosk, "Farid", "1");
    house::pay_by_card(&kiosk, DECLINED);
    kiosk.wait_for("The payment did not go through", PATIENCE);
    kiosk.wait_for("Your bank declined the card.", PATIENCE);
    kiosk.wait_for("Nothing was charged. Your order is still here.", PATIENCE);
    kitchen.wait_for("Nothing to cook", PATIENCE);

    kiosk.wait_for("Try again", PATIENCE);
    kiosk.key(Key::Enter);
    house::pay_by_card(&kiosk, APPROVED);
    kiosk.wait_for("Your number", PATIENCE);
    wait_settled(&kitchen, "Space: start cooking");
    kitchen.wait_for("Farid", PATIENCE);
    kitchen.wait_for("+ Boiled egg", PATIENCE);

    let orders = office::orders(house);
    let [first, second] = &orders[..] else { panic!("two orders, not {orders:?}") };
    assert_eq!((first.status, second.retry_of), (Status::Cancelled, Some(first.id)));
    assert!(second.paid && second.total == first.total);
    let captured = |order: &servery::service::views::OrderView| {
        order.attempts.iter().filter(|attempt| attempt.status == AttemptStatus::Captured).count()
    };
    assert_eq!((captured(first), captured(second)), (0, 1));
}
