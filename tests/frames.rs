//! What the console costs a line: the bytes that the real program writes for one key press, for a new page and for the
//! clock, that it writes none while nothing happens, and which colours it takes for what the terminal says of itself.
//!
//! The bytes of a picture do not depend on how fast the machine is, so the limits are asserted. With
//! `cargo test --test frames -- --nocapture` the figures are printed.

#![expect(clippy::expect_used, reason = "a test says where it stopped")]

mod support;

#[expect(dead_code, unused_macros, unused_imports, reason = "shared with the tests in pseudo-terminals")]
#[path = "pty/house.rs"]
mod house;

use std::path::Path;
use std::time::{Duration, Instant};

use house::{House, PATIENCE};
use support::process::Servery;
use support::pty::{Key, Pty};
use support::wait;

/// The most bytes of a key press, and of the clock's next minute, at 80x24.
const KEY_LIMIT: usize = 500;
const CLOCK_LIMIT: usize = 100;
/// What a new page may cost for each of its rows beside the text that is new in it: its place, and the looks of its
/// columns.
const ROW_OVERHEAD: usize = 32;
/// More arrows than a list has rows on the screen: it scrolls under the last of them.
const ARROWS: usize = 30;
/// A key that means something is answered within this time; one that is not answered means nothing here.
const ANSWER: Duration = Duration::from_secs(2);
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

/// A noon with orders, more than the screen has rows.
fn busy_house() -> House {
    let house = House::on_sqlite();
    for name in ["Mira", "Jürgen", "寿司 太郎", "Leila", "Jonas", "Ada"].iter().cycle().take(24) {
        let place = ["order", "place", "--item", "cola", "--method", "card", "--pay", "--test-card", "approved"];
        house.servery.json(&[&place[..], &["--name", name]].concat());
    }
    house
}

/// The bytes that the program wrote for what `does` did.
fn cost(console: &Pty, does: impl FnOnce()) -> usize {
    console.wait_stable(PATIENCE);
    let before = console.raw_output().len();
    does();
    // Whether it will be answered is not known: that nothing has come for some time is the answer then.
    let deadline = Instant::now() + ANSWER;
    wait::until(ANSWER * 2, "an answer, or none", || console.raw_output().len() > before || Instant::now() >= deadline);
    console.wait_stable(PATIENCE);
    console.raw_output().len() - before
}

/// The bytes of each press of a key, until one is not answered.
fn sweep(console: &Pty, key: Key) -> Vec<usize> {
    (0..ARROWS).map(|_| cost(console, || console.key(key))).take_while(|bytes| *bytes > 0).collect()
}

/// The bytes of a jump, and the most that it may cost: those of a key press, or of the rows that are new.
fn jump(console: &Pty, key: Key) -> (usize, usize) {
    let rows = || -> Vec<String> { console.screen().lines().map(str::to_owned).collect() };
    let before = rows();
    let bytes = cost(console, || console.key(key));
    let after = rows();
    let new = after.iter().enumerate().filter(|(at, row)| before.get(*at) != Some(row));
    (bytes, new.map(|(_, row)| row.len() + ROW_OVERHEAD).sum::<usize>().max(KEY_LIMIT))
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
    let mut scrolled = Vec::new();
    for tab in tabs {
        console.send(&tab.to_string());
        console.wait_stable(PATIENCE);
        let mut figures = vec![("a key that means nothing", cost(&console, || console.key(Key::F(9))))];
        for (name, key) in [("down", Key::Down), ("up", Key::Up)] {
            let from = console.raw_output().len();
            let sweep = sweep(&console, key);
            figures.extend(sweep.into_iter().map(|bytes| (name, bytes)));
            let raw = console.raw_output();
            if moves_rows(&raw[from..]) {
                scrolled.push((tab, name));
            }
        }
        for (name, key) in
            [("page down", Key::PageDown), ("page up", Key::PageUp), ("end", Key::End), ("home", Key::Home)]
        {
            let (bytes, limit) = jump(&console, key);
            println!("tab {tab}, {name}: {bytes}, at most {limit}");
            if bytes > limit {
                too_large.push(format!("tab {tab}, {name}: {bytes} of {limit}"));
            }
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
    println!("moved by the terminal: {scrolled:?}");
    assert!(scrolled.len() >= 4, "long lists scroll by a row: {scrolled:?}");
}

/// Whether a scrolling region was set.
fn moves_rows(raw: &[u8]) -> bool {
    let raw = String::from_utf8_lossy(raw);
    raw.split("\u{1b}[").any(|sequence| {
        let parameters = sequence.trim_start_matches(|character: char| matches!(character, '0'..='9' | ';'));
        sequence.starts_with(|first: char| first.is_ascii_digit()) && parameters.starts_with('r')
    })
}

#[test]
fn a_terminal_of_unknown_name_is_never_told_to_move_rows() {
    let folder = tempfile::tempdir().expect("a folder for the store");
    let store = format!("sqlite:{}", folder.path().join("servery.db").display());
    let house = House::with_demo(Servery::on(&store).with("TERM", "dumb"), None, Some(folder));
    let console = console(&house);
    console.send("2");
    console.wait_for("Vegetable Samosa", PATIENCE);
    console.key(Key::Home);
    console.wait_for("Snacks & starters", PATIENCE);
    console.wait_stable(PATIENCE);
    let first = console.screen();
    for _ in 0..ARROWS {
        console.key(Key::Down);
    }
    console.wait_gone("Vegetable Samosa", PATIENCE);
    for _ in 0..ARROWS {
        console.key(Key::Up);
    }
    console.key(Key::Home);
    console.wait_for("Snacks & starters", PATIENCE);
    console.wait_stable(PATIENCE);
    assert!(!moves_rows(&console.raw_output()), "{}", console.framed());
    assert_eq!(console.screen().lines().skip(1).collect::<Vec<_>>(), first.lines().skip(1).collect::<Vec<_>>());
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are what one may want to know")]
fn an_idle_house_writes_nothing_but_the_next_minute() {
    let house = busy_house();
    let tabs: Vec<char> = ('1'..='9').collect();
    let consoles: Vec<Pty> = tabs.iter().map(|_| Pty::servery(&house.servery, &["console"], 80, 24)).collect();
    // One after the other: a try counts as failed until its password is verified, and nine at once are too many.
    for (console, tab) in consoles.iter().zip(&tabs) {
        console.wait_for("Sign in", PATIENCE);
        console.send("asha\rdemo-asha-2026\r");
        console.wait_for("1 Orders", PATIENCE);
        console.send(&tab.to_string());
    }
    for console in &consoles {
        console.wait_gone(HELLO, PATIENCE);
    }
    let quiet = House::on_sqlite();
    let mut screens: Vec<(String, Pty)> = tabs.iter().map(|tab| format!("tab {tab}")).zip(consoles).collect();
    screens.push(("kiosk".to_owned(), quiet.kiosk()));
    screens.push(("kitchen".to_owned(), quiet.kitchen()));
    screens.push(("board".to_owned(), quiet.board()));
    // What a minute of quiet costs, from one turn of the clock to the next: in it every screen looks again several
    // times, by itself or because a terminal has given a sign of life.
    stay(&screens);
    next_minute(&screens[0].1);
    stay(&screens);
    let settled = |screens: &[(String, Pty)]| -> Vec<usize> {
        screens.iter().for_each(|(_, screen)| screen.wait_stable(PATIENCE));
        screens.iter().map(|(_, screen)| screen.raw_output().len()).collect()
    };
    let before = settled(&screens);
    next_minute(&screens[0].1);
    let after = settled(&screens);
    for (((name, screen), before), after) in screens.iter().zip(before).zip(after) {
        let raw = screen.raw_output();
        let written = String::from_utf8_lossy(&raw[before..after]).into_owned();
        println!(
            "{name}: {} bytes in a minute{}",
            written.len(),
            if written.len() > CLOCK_LIMIT { format!(": {written:?}") } else { String::new() }
        );
        // Health says to the minute when it looked, too, and now and then that something is five minutes older.
        let limit = if name == "tab 9" { 3 * CLOCK_LIMIT } else { CLOCK_LIMIT };
        assert!(written.len() < limit, "{name}: {written:?}\n{}", screen.framed());
        // A screen without a clock has nothing to say.
        assert!(!["kiosk", "board"].contains(&name.as_str()) || written.is_empty(), "{name}: {written:?}");
    }
}

/// Nobody is signed out for being idle: a key that means nothing is pressed at each of these consoles.
fn stay(screens: &[(String, Pty)]) {
    screens.iter().filter(|(name, _)| name.starts_with("tab")).for_each(|(_, console)| console.key(Key::F(9)));
}

/// Waits until the clock of a console turns.
fn next_minute(console: &Pty) {
    let clock = |screen: &vt100::Screen| screen.rows(0, 80).next().unwrap_or_default();
    let minute = clock(&console.parsed_screen());
    console.wait_until(|screen| clock(screen) != minute, "the next minute", Duration::from_secs(70));
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

/// A process on the store of the folder, at a terminal that says this of itself.
fn at_a_terminal(folder: &Path, says: &[(&str, &str)]) -> Servery {
    let at = |name: &str| folder.join(name).display().to_string();
    let servery = Servery::on(&format!("sqlite:{}", at("servery.db"))).with("SERVERY_PEPPER_FILE", &at("pepper"));
    says.iter().fold(servery, |servery, (name, value)| servery.with(name, value))
}

/// What the sign-in looks like on a terminal that says this of itself.
fn looks_for(folder: &Path, says: &[(&str, &str)]) -> Vec<String> {
    let console = Pty::servery(&at_a_terminal(folder, says), &["console"], 80, 24);
    console.wait_for("Sign in", PATIENCE);
    console.wait_stable(PATIENCE);
    looks(&console.raw_output())
}

#[test]
fn colours_are_those_that_the_terminal_says_it_has() {
    let folder = tempfile::tempdir().expect("a folder for the store");
    at_a_terminal(folder.path(), &[]).make_demo();
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
