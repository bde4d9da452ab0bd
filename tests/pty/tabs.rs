//! The main act of the console's other tabs, one after the other: goods come in, the till is opened and looked at,
//! somebody is taken on, and the day's report, the audit log and the health page show it.

use crate::house::{House, PATIENCE, on_both_databases};
use crate::support::pty::{Key, Pty};

on_both_databases!(a_managers_round_through_the_tabs);

/// Types into a field and goes on.
fn fill(console: &Pty, words: &str) {
    console.send(words);
    console.wait_for(words, PATIENCE);
    console.key(Key::Enter);
}

fn a_managers_round_through_the_tabs(house: &House) {
    let place = ["order", "place", "--item", "samosa=2", "--method", "card", "--pay", "--test-card", "approved"];
    house.servery.json(&place);
    let console = house.open(&["console", "--terminal", "console-1"]);
    console.wait_for("Sign in", PATIENCE);
    console.send("asha");
    console.key(Key::Enter);
    console.send("demo-asha-2026");
    console.key(Key::Enter);
    console.wait_for("1 order", PATIENCE);

    // Stock: goods come in, with a reason.
    console.send("3");
    console.wait_for("counted", PATIENCE);
    console.send("/");
    console.send("samos");
    console.wait_for("1 counted", PATIENCE);
    console.key(Key::Enter);
    console.send("r");
    console.wait_for("Goods came in", PATIENCE);
    fill(&console, "500");
    fill(&console, "Monday's delivery");
    console.wait_gone("How many came in", PATIENCE);

    // Till: opened with its float, and looked at.
    console.send("4");
    console.wait_for("The till is closed", PATIENCE);
    console.send("o");
    console.wait_for("How much cash lies in the drawer now?", PATIENCE);
    fill(&console, "1000");
    console.wait_for("Should be in the drawer", PATIENCE);
    console.send("x");
    console.wait_for("X report ·", PATIENCE);
    console.key(Key::Esc);
    console.wait_gone("X report ·", PATIENCE);

    // Staff: somebody new.
    console.send("6");
    console.wait_for("3 people", PATIENCE);
    console.send("a");
    console.wait_for("Somebody new", PATIENCE);
    fill(&console, "tom");
    fill(&console, "Tom");
    console.key(Key::Enter);
    for _ in 0..2 {
        console.send("a long pass phrase");
        console.key(Key::Enter);
    }
    console.wait_for("4 people", PATIENCE);

    // Reports, audit and health show the day.
    console.send("7");
    console.wait_for("1 paid order", PATIENCE);
    console.send("8");
    console.wait_for("tom added as kitchen", PATIENCE);
    console.send("/");
    console.send("delivery");
    console.wait_gone("tom added as kitchen", PATIENCE);
    console.wait_for("Samosas receive", PATIENCE);
    console.key(Key::Esc);
    console.wait_for("tom added as kitchen", PATIENCE);
    console.send("9");
    console.wait_for("Answers in", PATIENCE);
    console.send("q");
    assert!(console.wait_exit(PATIENCE).success());
    console.assert_restored();
}
