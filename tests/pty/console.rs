//! The staff's console: a manager finds an order, gives money back and says why, and leaves; a colleague takes over.

use crate::house::{House, PATIENCE, on_both_databases};
use crate::office;
use crate::support::pty::{Key, Pty};
use crate::support::wait;

on_both_databases!(
    a_manager_finds_an_order_and_gives_money_back,
    a_colleague_takes_over_by_pin_and_finds_the_console_as_new,
    a_wrong_pin_gives_way_to_the_password,
);

/// Three paid orders of two samosas.
fn noon(house: &House) {
    for name in ["Mira", "Jonas", "Leila"] {
        let place = ["order", "place", "--item", "samosa=2", "--method", "card", "--pay", "--test-card", "approved"];
        house.servery.json(&[&place[..], &["--name", name]].concat());
    }
}

/// A console at which somebody of the demo's staff has signed in by password.
#[track_caller]
pub fn signed_in(house: &House, username: &str, words: &str) -> Pty {
    let console = house.open(&["console", "--terminal", "console-1"]);
    console.wait_for("Sign in", PATIENCE);
    console.send(username);
    console.key(Key::Enter);
    console.send(&format!("demo-{username}-2026"));
    console.key(Key::Enter);
    console.wait_for(words, PATIENCE);
    console
}

fn a_manager_finds_an_order_and_gives_money_back(house: &House) {
    noon(house);
    let console = signed_in(house, "asha", "Asha, admin");
    console.wait_for("3 orders", PATIENCE);
    console.send("/");
    console.send("jonas");
    console.wait_for("1 order", PATIENCE);
    console.wait_gone("Mira", PATIENCE);
    console.key(Key::Enter);
    console.send("r");
    console.wait_for("Vegetable Samosa", PATIENCE);
    // One of the two, back into stock.
    console.keys(&[Key::Right, Key::Right, Key::Right, Key::Enter, Key::Enter]);
    console.send("one was cold");
    console.wait_for("one was cold", PATIENCE);
    console.key(Key::Enter);
    console.wait_for("money given back", PATIENCE);

    let orders = office::orders(house);
    let jonas = orders.iter().find(|order| order.called_name.as_deref() == Some("Jonas")).expect("the order");
    let refund = jonas.refunds.first().expect("a refund");
    assert_eq!((refund.amount.0, jonas.refunds.len()), (jonas.due.0 / 2, 1));
    assert!(orders.iter().filter(|order| order.id != jonas.id).all(|order| order.refunds.is_empty()));
    console.send("q");
    assert!(console.wait_exit(PATIENCE).success());
    console.assert_restored();
}

fn a_colleague_takes_over_by_pin_and_finds_the_console_as_new(house: &House) {
    noon(house);
    let console = signed_in(house, "asha", "Asha, admin");
    console.key(Key::Ctrl('o'));
    console.wait_for("▶ PIN", PATIENCE);
    console.wait_gone("Mira", PATIENCE);
    // Another one for the first time: by password, over the name that stands there.
    console.key(Key::BackTab);
    console.key(Key::Ctrl('u'));
    console.send("ravi");
    console.key(Key::Enter);
    console.send("demo-ravi-2026");
    console.key(Key::Enter);
    console.wait_for("Ravi, kitchen", PATIENCE);
    console.send("/");
    console.send("jonas");
    console.wait_gone("Mira", PATIENCE);
    console.key(Key::Enter);
    console.key(Key::Ctrl('o'));
    console.wait_for("▶ PIN", PATIENCE);
    // Both were here before: up and down choose, and the PIN is enough.
    console.key(Key::Down);
    wait::until(PATIENCE, "the other name stands in the form", || {
        console.screen().lines().any(|line| line.contains("│asha "))
    });
    console.send("271828");
    console.key(Key::Enter);
    console.wait_for("Asha, admin", PATIENCE);
    // What the colleague had searched for is none of hers.
    console.wait_for("3 orders", PATIENCE);
}

fn a_wrong_pin_gives_way_to_the_password(house: &House) {
    let console = signed_in(house, "noor", "Noor");
    console.key(Key::Ctrl('o'));
    console.wait_for("▶ PIN", PATIENCE);
    console.send("000000");
    console.key(Key::Enter);
    console.wait_for("is wrong", PATIENCE);
    console.wait_for("▶ Password", PATIENCE);
    console.send("demo-noor-2026");
    console.key(Key::Enter);
    console.wait_for("Hello", PATIENCE);
}
