//! What goes wrong around the screens: a kiosk that dies while a card is being charged, and a store that goes away.

use nix::sys::signal::Signal;
use servery::domain::payment::AttemptStatus;

use crate::house::{self, ATTRACT, House, PATIENCE, on_both_databases, wait_settled};
use crate::office;
use crate::support::pty::Key;

/// A card whose answer is lost although the money is taken.
const TAKEN_WITHOUT_ANSWER: &str = "4000000000004087";
/// The banner of a kitchen and a board.
const AWAY: &str = "The store cannot be reached";

on_both_databases!(a_kiosk_killed_while_paying_loses_no_order);

fn a_kiosk_killed_while_paying_loses_no_order(house: &House) {
    let (dying, kitchen) = (house.kiosk(), house.kitchen());
    let other = house.open(&["kiosk", "--terminal", "kiosk-2"]);
    other.wait_for(ATTRACT, PATIENCE);
    house::to_menu(&dying);
    house::add_biryani(&dying);
    house::to_checkout(&dying);
    house::check_out(&dying, "Lost", "1");
    house::pay_by_card(&dying, TAKEN_WITHOUT_ANSWER);
    dying.wait_for("We are checking your payment", PATIENCE);
    dying.signal(Signal::SIGKILL);
    assert!(!dying.wait_exit(PATIENCE).success());

    // The other kiosk goes on meanwhile.
    house::order_biryani(&other, "Next");
    kitchen.wait_for("Next", PATIENCE);
    // Whoever leads the house now asks the gateway, and the kitchen gets what was paid for.
    kitchen.wait_for("Lost", PATIENCE);
    wait_settled(&kitchen, "2 to make");
    let orders = office::orders(house);
    assert_eq!(orders.len(), 2);
    for order in &orders {
        let captured = order.attempts.iter().filter(|attempt| attempt.status == AttemptStatus::Captured).count();
        assert!(order.paid && captured == 1 && order.refunds.is_empty(), "{order:?}");
    }
}

#[test]
fn a_store_that_goes_away_is_told_and_comes_back_by_itself() {
    let Some(house) = House::on_postgres() else { return };
    let database = house.database.as_ref().expect("it stands on Postgres");
    let (kiosk, kitchen, board) = (house.kiosk(), house.kitchen(), house.board());
    let other = house.open(&["kiosk", "--terminal", "kiosk-2"]);
    other.wait_for(ATTRACT, PATIENCE);
    for name in ["Asha", "Bina"] {
        house::order_biryani(&kiosk, name);
        house::finish(&kiosk);
        kitchen.wait_for(name, PATIENCE);
    }
    house::to_menu(&other);
    wait_settled(&kitchen, "▶ 001");

    database.go_away();
    kitchen.wait_for(AWAY, PATIENCE);
    board.wait_for(AWAY, PATIENCE);
    kiosk.wait_for("We cannot take orders right now", PATIENCE);
    // What is known stays, and keys still move.
    kitchen.key(Key::Right);
    kitchen.wait_for("▶ 002", PATIENCE);
    kitchen.send(" ");
    kitchen.wait_for("nothing can be changed now", PATIENCE);
    board.wait_for("Bina", PATIENCE);
    other.send("6");
    other.wait_for("Lassi", PATIENCE);

    database.come_back();
    kitchen.wait_gone(AWAY, PATIENCE);
    board.wait_gone(AWAY, PATIENCE);
    kiosk.wait_for(ATTRACT, PATIENCE);
    // And all work again, the customer in the middle of an order too.
    wait_settled(&kitchen, "▶ 002   Space: start cooking");
    kitchen.send(" ");
    wait_settled(&kitchen, "▶ 002   Space: done");
    house::add_biryani(&other);
    house::order_biryani(&kiosk, "Chitra");
    kitchen.wait_for("Chitra", PATIENCE);
    board.wait_for("Chitra", PATIENCE);
}
