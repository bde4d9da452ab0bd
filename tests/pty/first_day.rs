//! The first day of a real place: the site is set up by answering questions, and its first admin signs in
//! at the console.

use crate::house::{ATTRACT, COLUMNS, PATIENCE, ROWS};
use crate::support::postgres::database;
use crate::support::process::Servery;
use crate::support::pty::{Key, Pty};
use crate::support::wait::until;

/// Answers one question of `servery init`.
#[track_caller]
fn answer(init: &Pty, question: &str, words: &str) {
    init.wait_for(question, PATIENCE);
    init.send(words);
    init.key(Key::Enter);
}

fn a_place_is_set_up_at_the_terminal(servery: &Servery) {
    let init = Pty::servery(servery, &["init"], COLUMNS, ROWS);
    answer(&init, "Name of the place", "Corner Canteen");
    answer(&init, "Currency", "euros");
    // What cannot be is said, and the question comes again.
    init.wait_for("in capitals, such as EUR", PATIENCE);
    answer(&init, "Currency, three letters (such as EUR): ", "eur");
    answer(&init, "Time zone", "berlin");
    answer(&init, "Sales before this time", "05:00");
    answer(&init, "Sign-in name of the first admin", "mia");
    for question in ["Password (8 characters or more): ", "Once more: "] {
        init.wait_for(question.trim_end(), PATIENCE);
        // The program hides what is typed only once it waits for it; a hand is slower than that.
        until(PATIENCE, "a terminal that hides what is typed", || init.is_cooked() == Some(false));
        init.send("a good long pass phrase");
        init.key(Key::Enter);
    }
    init.wait_for("1. servery console", PATIENCE);
    // Without a provider's keys the place begins with cash; a kiosk that offered more would not start.
    // UPI, which moves rupees only, is off in a place with euros and not promised for later.
    init.wait_for("Cash only for now: cards are off until their keys are set", PATIENCE);
    assert!(init.wait_exit(PATIENCE).success(), "{}", init.screen());
    assert!(!init.screen().contains("pass phrase"), "the password is not shown:\n{}", init.screen());

    let again = servery.run(&["init", "--name", "Other", "--currency", "EUR", "--time-zone", "UTC", "--admin", "eve"]);
    assert!(!again.status.success(), "{again:?}");

    let console = Pty::servery(servery, &["console"], COLUMNS, ROWS);
    console.wait_for("Sign in", PATIENCE);
    assert!(!console.screen().contains("emo store"), "{}", console.screen());
    console.send("mia");
    console.key(Key::Enter);
    console.send("a good long pass phrase");
    console.key(Key::Enter);
    console.wait_for("Console · Corner Canteen", PATIENCE);
    console.wait_for("No orders here", PATIENCE);
    console.send("q");
    assert!(console.wait_exit(PATIENCE).success());
    console.assert_restored();

    let kiosk = Pty::servery(servery, &["kiosk", "--terminal", "kiosk-1"], COLUMNS, ROWS);
    // Whatever the time is in Berlin: between two of the slots that a new place has, it is closed.
    let greets =
        |screen: &vt100::Screen| [ATTRACT, "We are closed"].iter().any(|words| screen.contents().contains(words));
    kiosk.wait_until(greets, "the kiosk's greeting", PATIENCE);
    kiosk.key(Key::Ctrl('q'));
    kiosk.wait_for("The exit PIN of this terminal", PATIENCE);
    kiosk.send("112358");
    kiosk.key(Key::Enter);
    kiosk.wait_for("no exit PIN yet", PATIENCE);
}

/// The launcher asks what an empty store is to be, as many times as it stays empty.
fn the_launcher_asks_what_an_empty_store_is_to_be(servery: &Servery) {
    let left = Pty::servery(servery, &[], COLUMNS, ROWS);
    answer(&left, "1, 2, or Enter to leave it empty:", "");
    left.wait_for("(NOT_FOUND)", PATIENCE);
    assert_eq!(left.wait_exit(PATIENCE).code(), Some(1), "{}", left.screen());

    let real = Pty::servery(servery, &[], COLUMNS, ROWS);
    answer(&real, "1, 2, or Enter to leave it empty:", "1");
    real.wait_for("Name of the place", PATIENCE);
    real.key(Key::Ctrl('c'));
    assert!(!real.wait_exit(PATIENCE).success(), "{}", real.screen());

    let demo = Pty::servery(servery, &[], COLUMNS, ROWS);
    answer(&demo, "1, 2, or Enter to leave it empty:", "2");
    demo.wait_for("Servery Canteen", PATIENCE);
    demo.wait_for("demo-asha-2026", PATIENCE);
    demo.send("q");
    assert!(demo.wait_exit(PATIENCE).success());
    demo.assert_restored();

    let again = Pty::servery(servery, &[], COLUMNS, ROWS);
    again.wait_for("demo-asha-2026", PATIENCE);
}

#[test]
fn the_launcher_asks_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder for the store");
    let store = format!("sqlite:{}", folder.path().join("servery.db").display());
    the_launcher_asks_what_an_empty_store_is_to_be(&Servery::on(&store));
}

#[test]
fn the_launcher_asks_on_postgres() {
    if let Some(database) = database() {
        the_launcher_asks_what_an_empty_store_is_to_be(&Servery::on(database.url()));
    }
}

#[test]
fn a_place_is_set_up_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder for the store");
    let store = format!("sqlite:{}", folder.path().join("servery.db").display());
    a_place_is_set_up_at_the_terminal(&Servery::on(&store));
}

#[test]
fn a_place_is_set_up_on_postgres() {
    if let Some(database) = database() {
        a_place_is_set_up_at_the_terminal(&Servery::on(database.url()));
    }
}
