//! What the console costs a line: the bytes that the real program writes for one key press and for the clock, that it
//! writes none while nothing happens, and which colours it takes for what the terminal says of itself.
//!
//! The bytes of a picture do not depend on how fast the machine is, so the limits are asserted. With
//! `cargo test --test frames -- --nocapture` the figures are printed.

#![expect(clippy::expect_used, reason = "a test says where it stopped")]

mod support;

#[expect(dead_code, unused_macros, unused_imports, reason = "shared with the tests in pseudo-terminals")]
#[path = "pty/house.rs"]
mod house;

use std::path::Path;
use std::time::Duration;

use house::{House, PATIENCE};
use support::process::Servery;
use support::pty::{Key, Pty};

/// The most bytes of a key press, and of the clock's next minute, at 80x24.
const KEY_LIMIT: usize = 500;
const CLOCK_LIMIT: usize = 100;
/// A message at the foot of the screen stays for a few seconds, and then goes: the screen is at rest after it.
const HELLO: &str = "Hello, Asha.";

/// A console of 80x24 at which the admin has signed in, with nothing left to happen.
fn console(house: &House) -> Pty {
    let console = Pty::servery(&house.servery, &["console"], 80, 24);
    console.wait_for("Sign in", PATIENCE);
    console.send("asha\rdemo-asha-2026\r");
    console.wait_for(HELLO, PATIENCE);
    console.wait_gone(HELLO, PATIENCE);
    console
}

/// A noon with orders, as many as fill the list.
fn busy_house() -> House {
    let house = House::on_sqlite();
    for name in ["Mira", "Jürgen", "寿司 太郎", "Leila", "Jonas", "Ada"] {
        let place = ["order", "place", "--item", "samosa=2", "--item", "cola", "--method", "card", "--pay"];
        house.servery.json(&[&place[..], &["--test-card", "approved", "--name", name]].concat());
    }
    house
}

/// The bytes that the program wrote for what `does` did.
fn cost(console: &Pty, does: impl FnOnce()) -> usize {
    console.wait_stable(PATIENCE);
    let before = console.raw_output().len();
    does();
    console.wait_stable(PATIENCE);
    console.raw_output().len() - before
}

/// The names of the tabs, as the tab bar shows them: each with its digit.
fn tabs(console: &Pty) -> Vec<char> {
    let screen = console.screen();
    let bar = screen.lines().find(|line| line.contains("1 Orders")).expect("the tab bar").to_owned();
    bar.chars().filter(char::is_ascii_digit).collect()
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are what one may want to know")]
fn a_key_press_is_a_small_packet_on_every_tab() {
    let house = busy_house();
    let console = console(&house);
    let whole = console.raw_output().len();
    let tabs = tabs(&console);
    assert!(!tabs.is_empty(), "{}", console.framed());
    let mut too_large = Vec::new();
    for tab in tabs {
        console.send(&tab.to_string());
        console.wait_stable(PATIENCE);
        let keys =
            [("down", Key::Down), ("down again", Key::Down), ("up", Key::Up), ("a key that means nothing", Key::F(9))];
        let mut figures: Vec<(&str, usize)> =
            keys.into_iter().map(|(name, key)| (name, cost(&console, || console.key(key)))).collect();
        // Health is a page of text without a selection: an arrow moves all of its rows, like a jump.
        if console.screen().contains("Answers in") {
            for (name, bytes) in figures.extract_if(.., |(name, _)| *name != "a key that means nothing") {
                assert!(bytes * 2 < whole, "tab {tab}, {name}: {bytes} of {whole}");
                println!("tab {tab}, {name}: {bytes}");
            }
        }
        // A jump shows other rows: never more than a part of the picture.
        for (name, key) in [("end", Key::End), ("home", Key::Home)] {
            let bytes = cost(&console, || console.key(key));
            assert!(bytes * 2 < whole, "tab {tab}, {name}: {bytes} of {whole}");
            println!("tab {tab}, {name}: {bytes}");
        }
        console.send(":");
        console.wait_for("Find a tab or an action", PATIENCE);
        figures.push(("a letter", cost(&console, || console.send("q"))));
        figures.push(("a letter taken back", cost(&console, || console.key(Key::Backspace))));
        console.key(Key::Esc);
        console.wait_gone("Find a tab or an action", PATIENCE);
        println!("tab {tab}: {figures:?}");
        too_large.extend(
            figures
                .into_iter()
                .filter(|(_, bytes)| *bytes > KEY_LIMIT)
                .map(|(name, bytes)| format!("tab {tab}, {name}: {bytes}")),
        );
    }
    assert!(too_large.is_empty(), "more than {KEY_LIMIT} bytes (the sign-in took {whole}): {too_large:#?}");
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are what one may want to know")]
fn an_idle_console_writes_nothing_but_the_next_minute() {
    let house = busy_house();
    let console = console(&house);
    console.wait_stable(PATIENCE);
    let clock = |console: &Pty| console.screen().lines().next().unwrap_or_default().to_owned();
    let (minute, before) = (clock(&console), console.raw_output().len());
    let turned = |screen: &vt100::Screen| screen.rows(0, 80).next().is_some_and(|row| row.trim_end() != minute);
    console.wait_until(turned, "the next minute", Duration::from_secs(70));
    console.wait_stable(PATIENCE);
    let bytes = console.raw_output().len() - before;
    println!("the next minute: {bytes}");
    assert!(bytes < CLOCK_LIMIT, "{bytes} bytes, of which the clock is one part");
}

/// The parameters of every `SGR` sequence that was written.
fn looks(raw: &[u8]) -> Vec<String> {
    let raw = String::from_utf8_lossy(raw);
    raw.split("\u{1b}[")
        .filter_map(|sequence| {
            let end = sequence.find(|character: char| !matches!(character, '0'..='9' | ';' | ':'))?;
            sequence[end..].starts_with('m').then(|| sequence[..end].to_owned())
        })
        .collect()
}

/// What the sign-in looks like on a terminal that says this of itself.
fn looks_for(folder: &Path, says: &[(&str, &str)]) -> Vec<String> {
    let at = |name: &str| folder.join(name).display().to_string();
    let mut servery = Servery::on(&format!("sqlite:{}", at("servery.db"))).with("SERVERY_PEPPER_FILE", &at("pepper"));
    for (name, value) in says {
        servery = servery.with(name, value);
    }
    let console = Pty::servery(&servery, &["console"], 80, 24);
    console.wait_for("Sign in", PATIENCE);
    console.wait_stable(PATIENCE);
    looks(&console.raw_output())
}

#[test]
fn colours_are_those_that_the_terminal_says_it_has() {
    let folder = tempfile::tempdir().expect("a folder for the store");
    let looks = |says: &[(&str, &str)]| looks_for(folder.path(), says);
    let has = |looks: &[String], part: &str| looks.iter().any(|look| look.contains(part));
    // A code of the old sixteen colours: 30 to 37, 40 to 47, 90 to 97, 100 to 107.
    let old = |look: &String| {
        let mut codes = look.split(';').filter_map(|code| code.parse::<u32>().ok());
        codes.any(|code| matches!(code, 30..=37 | 40..=47 | 90..=97 | 100..=107))
    };

    let many = looks(&[("TERM", "xterm-256color")]);
    assert!(has(&many, "38;5;") && !has(&many, "38;2;"), "{many:?}");
    let all = looks(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]);
    assert!(has(&all, "38;2;"), "{all:?}");
    let sixteen = looks(&[("TERM", "xterm")]);
    assert!(sixteen.iter().any(old) && !has(&sixteen, "38;") && !has(&sixteen, "48;"), "{sixteen:?}");
    for says in [&[("TERM", "dumb")][..], &[("TERM", "xterm-256color"), ("NO_COLOR", "1")]] {
        let none = looks(says);
        assert!(!none.iter().any(old) && !has(&none, "38;") && !has(&none, "48;"), "{says:?}: {none:?}");
    }
    let (dark, light) = (
        looks(&[("TERM", "xterm-256color"), ("COLORFGBG", "15;0")]),
        looks(&[("TERM", "xterm-256color"), ("COLORFGBG", "0;15")]),
    );
    assert_ne!(dark, light, "a light window gets colours of its own");
}
