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
