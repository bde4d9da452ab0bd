//! What the keepers of the menu and the settings do at the console, and what a customer sees of it at once.

use crate::house::{self, House, PATIENCE, on_both_databases};
use crate::support::pty::{Key, Pty};

on_both_databases!(
    what_is_changed_at_the_console_is_seen_at_the_kiosk,
    a_code_that_is_made_at_the_console_takes_something_off_at_the_kiosk,
);

/// A console at which the demo's admin has signed in.
fn console(house: &House) -> Pty {
    let console = house.open(&["console", "--terminal", "console-1"]);
    console.wait_for("Sign in", PATIENCE);
    console.send("asha");
    console.key(Key::Enter);
    console.send("demo-asha-2026");
    console.key(Key::Enter);
    console.wait_for("Asha, admin", PATIENCE);
    console
}

/// The two rows in which a kiosk shows the samosa.
fn samosa_row(screen: &vt100::Screen) -> String {
    let rows: Vec<String> = screen.rows(0, house::COLUMNS).collect();
    let at = rows.iter().position(|row| row.contains("Vegetable Samosa"));
    at.map_or_else(String::new, |at| rows.iter().skip(at).take(2).cloned().collect())
}

fn what_is_changed_at_the_console_is_seen_at_the_kiosk(house: &House) {
    let kiosk = house.kiosk();
    house::to_menu(&kiosk);
    kiosk.wait_for("₹60.00", PATIENCE);
    let console = console(house);
    console.send("2");
    console.wait_for("Vegetable Samosa", PATIENCE);

    // Sold out, and back: one key each.
    console.send("s");
    console.wait_for("Vegetable Samosa is sold out now", PATIENCE);
    kiosk.wait_until(|screen| samosa_row(screen).contains("not available now"), "the samosa switched off", PATIENCE);
    console.send("s");
    console.wait_for("can be ordered again", PATIENCE);
    let is_back = |row: &str| row.contains("Vegetable Samosa") && !row.contains("not available now");
    kiosk.wait_until(|screen| is_back(&samosa_row(screen)), "the samosa back", PATIENCE);

    // A price.
    console.send("p");
    console.wait_for("Price of Vegetable Samosa", PATIENCE);
    console.keys(&[Key::Backspace; 5]);
    console.send("61.50");
    console.key(Key::Enter);
    console.wait_for("costs ₹61.50 now", PATIENCE);
    kiosk.wait_for("₹61.50", PATIENCE);

    // The master switch.
    console.send("5");
    console.wait_for("Open for orders", PATIENCE);
    console.send(" ");
    console.wait_for("Open for orders: switch off", PATIENCE);
    console.send("the oven is broken");
    console.key(Key::Enter);
    console.wait_for("Open for orders: No", PATIENCE);
    kiosk.wait_for("no new orders right now", PATIENCE);
}

fn a_code_that_is_made_at_the_console_takes_something_off_at_the_kiosk(house: &House) {
    let console = console(house);
    console.send("2");
    console.wait_for("Vegetable Samosa", PATIENCE);
    console.send("v");
    console.wait_for("No promotion code yet", PATIENCE);
    console.send("a");
    console.wait_for("New promotion code", PATIENCE);
    for words in ["MONSOON", "Rainy week"] {
        console.send(words);
        console.wait_for(words, PATIENCE);
        console.key(Key::Enter);
    }
    // Per cent stands first.
    console.key(Key::Enter);
    console.send("10");
    console.wait_for("▶ How much              10", PATIENCE);
    console.keys(&[Key::PageDown, Key::Enter]);
    console.wait_for("MONSOON is there now, and on", PATIENCE);

    let kiosk = house.kiosk();
    house::to_menu(&kiosk);
    house::add_biryani(&kiosk);
    kiosk.send("c");
    kiosk.wait_for("Check out", PATIENCE);
    kiosk.send("v");
    kiosk.wait_for("Which code do you have?", PATIENCE);
    kiosk.send("monsoon");
    kiosk.wait_for("monsoon", PATIENCE);
    kiosk.key(Key::Enter);
    kiosk.wait_gone("Which code do you have?", PATIENCE);
    kiosk.wait_for("₹44.00", PATIENCE);

    // Switched off with a reason, it is good for nobody who comes later.
    console.send("s");
    console.wait_for("Switch MONSOON off", PATIENCE);
    console.send("the sun is out");
    console.key(Key::Enter);
    console.wait_for("MONSOON is off", PATIENCE);
}
