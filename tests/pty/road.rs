//! The main road: a customer orders and pays, the kitchen cooks, the board calls, the order is handed over.

use crate::house::{self, ATTRACT, DIGITS_OF_001, House, PATIENCE, on_both_databases, wait_in_half};

on_both_databases!(a_customer_orders_the_kitchen_cooks_and_the_board_calls);

fn a_customer_orders_the_kitchen_cooks_and_the_board_calls(house: &House) {
    let (kiosk, kitchen, board) = (house.kiosk(), house.kitchen(), house.board());
    house::order_biryani(&kiosk, "Asha");
    kiosk.wait_for("Asha", PATIENCE);
    kiosk.wait_for(DIGITS_OF_001, PATIENCE);
    kiosk.wait_for("₹462.00 paid", PATIENCE);

    kitchen.wait_for("▶ 001", PATIENCE);
    for words in ["Asha", "1 × Hyderabadi Chicken", "+ Large", "+ Boiled egg", "WAITING", "Dine in"] {
        kitchen.wait_for(words, PATIENCE);
    }
    assert!(kitchen.bells() > 0, "the bell rings for a new ticket");
    wait_in_half(&board, "Asha", false);
    wait_in_half(&board, DIGITS_OF_001, false);
    board.wait_for("No number is ready yet.", PATIENCE);

    house::cook(&kitchen);
    wait_in_half(&board, "Asha", true);
    wait_in_half(&board, DIGITS_OF_001, true);
    board.wait_for("Nothing is being prepared.", PATIENCE);
    kiosk.wait_for("Your order is ready", PATIENCE);

    kitchen.send(" ");
    kitchen.wait_for("Hand over?", PATIENCE);
    kitchen.send("1");
    kitchen.wait_for("Nothing to cook", PATIENCE);
    board.wait_for("Welcome!", PATIENCE);
    kiosk.wait_for("Enjoy your meal!", PATIENCE);
    house::finish(&kiosk);
    kiosk.wait_for(ATTRACT, PATIENCE);
    house::assert_forgotten(&kiosk, &["Asha", "4242", "Biryani", "462.00"]);
}
