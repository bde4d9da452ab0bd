//! The terminal itself: sizes, an absent customer, signals, a lost connection, and no terminal at all.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::house::{self, ATTRACT, COLUMNS, House, PATIENCE, ROWS, assert_forgotten, on_both_databases};
use crate::office;
use crate::support::process::with_environment;
use crate::support::pty::Key;
use crate::support::wait;

/// Within this time after its terminal is gone, a screen has to be gone too.
const HANG_UP_LIMIT: Duration = Duration::from_secs(5);
/// The command of each screen, and what it shows once it stands.
const SCREENS: [(&[&str], &str); 4] =
    [(&["kiosk"], ATTRACT), (&["kitchen"], "Nothing to cook"), (&["board"], "Welcome!"), (&[], "What shall this")];

on_both_databases!(
    a_window_that_is_too_small_says_so_and_comes_back,
    an_absent_customer_is_asked_and_then_forgotten,
    a_signal_ends_every_screen_and_restores_the_terminal,
    a_lost_connection_leaves_no_process,
    the_launcher_opens_a_role_and_comes_back,
    without_a_terminal_every_screen_says_so,
);

fn a_window_that_is_too_small_says_so_and_comes_back(house: &House) {
    for (arguments, words) in SCREENS {
        let pty = house.open(arguments);
        pty.wait_for(words, PATIENCE);
        pty.resize(20, 5);
        let says_so = |screen: &vt100::Screen| screen.contents().replace('\n', " ").contains("window larger");
        pty.wait_until(says_so, "the plea for a larger window", PATIENCE);
        pty.resize(COLUMNS, ROWS);
        pty.wait_for(words, PATIENCE);
    }
    // In the middle of an order nothing of it is lost.
    let kiosk = house.kiosk();
    house::to_menu(&kiosk);
    house::add_biryani(&kiosk);
    kiosk.resize(20, 5);
    kiosk.wait_gone("Biryani", PATIENCE);
    kiosk.resize(80, 24);
    kiosk.wait_for("₹462.00", PATIENCE);
}

fn an_absent_customer_is_asked_and_then_forgotten(house: &House) {
    office::set(house, "kiosk_idle_seconds", 10);
    office::set(house, "kiosk_warning_seconds", 5);
    let kiosk = house.kiosk();
    house::to_menu(&kiosk);
    house::add_biryani(&kiosk);
    house::to_checkout(&kiosk);
    kiosk.key(Key::Up);
    kiosk.send("Zebedee");
    kiosk.wait_for("Zebedee", PATIENCE);
    kiosk.wait_for("Are you still there?", PATIENCE);
    kiosk.key(Key::Enter);
    kiosk.wait_gone("Are you still there?", PATIENCE);
    kiosk.wait_for("Zebedee", PATIENCE);
    kiosk.wait_for("Are you still there?", PATIENCE);
    kiosk.wait_for(ATTRACT, PATIENCE);
    assert_forgotten(&kiosk, &["Zebedee", "Biryani", "462.00"]);
    // Nor does the next customer find anything.
    house::to_menu(&kiosk);
    kiosk.wait_for("Nothing in your order yet", PATIENCE);
    house::add_biryani(&kiosk);
    house::to_checkout(&kiosk);
    assert_forgotten(&kiosk, &["Zebedee"]);
}

fn a_signal_ends_every_screen_and_restores_the_terminal(house: &House) {
    for (arguments, words) in SCREENS {
        for (signal, statuses) in [(Signal::SIGTERM, &[0][..]), (Signal::SIGINT, &[0]), (Signal::SIGHUP, &[0, 128 + 1])]
        {
            let pty = house.open(arguments);
            pty.wait_for(words, PATIENCE);
            pty.signal(signal);
            let status = pty.wait_exit(PATIENCE);
            assert!(status.code().is_some_and(|code| statuses.contains(&code)), "{arguments:?} {signal}: {status}");
            pty.assert_restored();
        }
    }
}

fn a_lost_connection_leaves_no_process(house: &House) {
    let home = house.servery.home().display().to_string();
    for (arguments, words) in SCREENS {
        let mut pty = house.open(arguments);
        pty.wait_for(words, PATIENCE);
        assert!(with_environment("HOME", &home).contains(&pty.pid()), "the search finds the screen");
        pty.hang_up();
        let what = format!("the end of every process of {arguments:?} after its terminal is gone");
        wait::until(HANG_UP_LIMIT, &what, || with_environment("HOME", &home).is_empty());
    }
}

fn the_launcher_opens_a_role_and_comes_back(house: &House) {
    let launcher = house.open(&[]);
    launcher.wait_for("What shall this", PATIENCE);
    launcher.send("2");
    launcher.wait_for("Nothing to cook", PATIENCE);
    launcher.send("q");
    launcher.wait_for("What shall this", PATIENCE);
    launcher.send("3");
    launcher.wait_for("Welcome!", PATIENCE);
    launcher.key(Key::Ctrl('c'));
    launcher.wait_for("What shall this", PATIENCE);
    launcher.send("q");
    assert!(launcher.wait_exit(PATIENCE).success());
    launcher.assert_restored();
}

fn without_a_terminal_every_screen_says_so(house: &House) {
    for (arguments, _) in SCREENS {
        let finished = house.servery.run(arguments);
        assert_eq!(finished.status.code(), Some(2), "{arguments:?}: {finished:?}");
        assert!(finished.stderr.contains("needs a terminal"), "{arguments:?}: {finished:?}");
        assert_eq!(finished.stdout, "", "{arguments:?}");
    }
}

/// The way to break the program is not in what is released.
#[cfg(debug_assertions)]
#[test]
fn a_fault_of_the_program_restores_the_terminal_and_says_so() {
    use crate::support::process::Servery;

    let folder = tempfile::tempdir().expect("a folder for the store");
    let store = format!("sqlite:{}", folder.path().join("servery.db").display());
    let servery = Servery::on(&store).with("SERVERY_DEBUG_PANIC_AFTER_FRAMES", "1");
    let house = House::with_demo(servery, None, Some(folder));
    for (arguments, words) in SCREENS {
        let pty = house.open(arguments);
        pty.wait_for(words, PATIENCE);
        pty.send("z");
        let status = pty.wait_exit(PATIENCE);
        assert!(!status.success(), "{arguments:?}: {status}");
        pty.assert_restored();
        let screen = pty.screen();
        let plain = screen.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            plain.contains("Servery stopped because of a fault of its own: a fault on purpose"),
            "{}",
            pty.framed()
        );
        let (_, report) = plain.split_once("The report is in ").expect("the place of the report");
        assert!(report.contains(&format!("panic-{}.txt", pty.pid())), "{}", pty.framed());
    }
}
