//! A manager works over SSH: what he does is seen at the house's other screens; his window, his line and his machine may
//! do what they like.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::house::{House, PATIENCE, on_both_databases, to_menu};
use crate::line;
use crate::office;
use crate::server::{COLUMNS, Sshd};
use crate::support::process::with_environment;
use crate::support::pty::{Key, Pty};
use crate::support::wait;

/// Within this time after a client is gone, everything of its session has to be gone.
const GONE_LIMIT: Duration = Duration::from_secs(5);
/// The way to the other end of a continent and back.
const ROUND_TRIP: Duration = Duration::from_millis(200);

on_both_databases!(
    what_a_manager_does_is_seen_at_once_elsewhere,
    a_window_that_changes_its_size_reaches_the_console,
    a_client_that_is_killed_leaves_no_process,
    over_a_slow_line_nothing_that_is_typed_ahead_is_lost,
);

/// Signs the demo's admin in; what is typed goes out at once, without a look at the screen.
fn sign_in(client: &Pty) {
    client.send("asha\rdemo-asha-2026\r");
    client.wait_for("Asha, admin", PATIENCE);
}

/// A paid order for this name.
fn order(house: &House, name: &str) {
    let place = ["order", "place", "--item", "samosa=2", "--method", "card", "--pay", "--test-card", "approved"];
    house.servery.json(&[&place[..], &["--name", name]].concat());
}

fn what_a_manager_does_is_seen_at_once_elsewhere(house: &House) {
    let server = Sshd::start(house);
    let (kiosk, kitchen) = (house.kiosk(), house.kitchen());
    to_menu(&kiosk);
    kiosk.wait_for("Vegetable Samosa", PATIENCE);
    order(house, "Mira");
    kitchen.wait_for("Space: start cooking", PATIENCE);
    let client = server.connect();
    sign_in(&client);
    // An order is started: the kitchen cooks.
    client.wait_for("Mira", PATIENCE);
    client.send("a");
    client.wait_for("1 ● Start cooking", PATIENCE);
    client.send("1\r");
    client.wait_for("cooking", PATIENCE);
    kitchen.wait_for("COOKING", PATIENCE);
    // A price is changed: the customer who is just looking sees it.
    client.send("2");
    client.wait_for("Vegetable Samosa", PATIENCE);
    client.send("/samosa\r");
    client.wait_gone("Biryani", PATIENCE);
    client.key(Key::Down);
    client.send("p");
    client.wait_for("Price of Vegetable Samosa", PATIENCE);
    client.key(Key::Ctrl('u'));
    client.send("77.50\r");
    client.wait_gone("Price of Vegetable Samosa", PATIENCE);
    kiosk.wait_for("₹77.50", PATIENCE);
    client.send("q");
    assert!(client.wait_exit(PATIENCE).success(), "{}", server.log());
    client.assert_restored();
    wait::until(PATIENCE, "the session is over", || server.sessions().is_empty());
}

fn a_window_that_changes_its_size_reaches_the_console(house: &House) {
    let server = Sshd::start(house);
    let client = server.connect();
    sign_in(&client);
    for (columns, rows) in [(120, 40), (60, 20), (COLUMNS, 24)] {
        client.resize(columns, rows);
        // The person stands at the right edge of the first row, the hints in the last.
        let fits = |screen: &vt100::Screen| {
            let lines: Vec<String> = screen.rows(0, columns).collect();
            let first = lines.first().map(|line| line.trim_end().chars().count()).unwrap_or_default();
            let last = lines.last().is_some_and(|line| line.contains("Help"));
            first + 1 == usize::from(columns) && last && lines.len() == usize::from(rows)
        };
        client.wait_until(fits, &format!("a picture of {columns}x{rows}"), PATIENCE);
    }
    client.resize(20, 5);
    let says_so = |screen: &vt100::Screen| screen.contents().replace('\n', " ").contains("window larger");
    client.wait_until(says_so, "the plea for a larger window", PATIENCE);
}

fn a_client_that_is_killed_leaves_no_process(house: &House) {
    let server = Sshd::start(house);
    let store = house.servery.environment().get(std::ffi::OsStr::new("SERVERY_STORE")).cloned().expect("a store");
    let consoles = || with_environment("SERVERY_STORE", store.to_str().expect("UTF-8"));
    for signed_in in [false, true] {
        let client = server.connect();
        if signed_in {
            sign_in(&client);
        }
        assert!(!server.sessions().is_empty() && !consoles().is_empty(), "the search finds the session");
        client.signal(Signal::SIGKILL);
        wait::until(GONE_LIMIT, "the end of every process of a session whose client was killed", || {
            server.sessions().is_empty() && consoles().is_empty()
        });
    }
    // The session of the person ended with the console: nobody else can go on with it, and the next may come.
    sign_in(&server.connect());
}

fn over_a_slow_line_nothing_that_is_typed_ahead_is_lost(house: &House) {
    for name in ["Mira", "Jonas", "Leila"] {
        order(house, name);
    }
    let server = Sshd::start(house);
    let port = line::open(server.address(), ROUND_TRIP);
    let client = server.connect_through(port, &[], &[]);
    client.wait_for("Sign in", PATIENCE);
    // All at once, before anything of it can have been seen: who, the search, the refund of one of two samosas, back
    // into stock, of the one that is found, and why.
    client.send("asha\rdemo-asha-2026\r/jonas\rr");
    client.keys(&[Key::Right, Key::Right, Key::Right]);
    client.send("\r\rtyped ahead\r");
    client.wait_for("money given back", PATIENCE);
    let orders = office::orders(house);
    let given_back: Vec<(Option<&str>, Vec<i64>)> = orders
        .iter()
        .map(|order| (order.called_name.as_deref(), order.refunds.iter().map(|refund| refund.amount.0).collect()))
        .collect();
    let expected = [(Some("Mira"), vec![]), (Some("Jonas"), vec![63_00]), (Some("Leila"), vec![])];
    assert_eq!(given_back, expected, "{}", client.framed());
}
