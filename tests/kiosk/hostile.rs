//! Nothing that stands in the store, and nothing that is pressed, breaks a screen of the kiosk.

use crate::house::{self, Bank, House, Kiosk};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use servery::domain::error::{ErrorCode, Refused};
use servery::domain::order::Status;
use servery::tui::app::Input;
use servery::tui::key::{Key, KeyPress};
use servery::tui::text;

const TEXTS: [&str; 6] = [
    "🍕👩\u{200d}👩\u{200d}👧 🇮🇳 \u{fe0f}pizza",
    "\u{202e}שלום \u{2066}مرحبا\u{2069}",
    "日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語",
    "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m",
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\n\r\t\u{200b}",
    "",
];
const SIZES: [(u16, u16); 4] = [(60, 20), (80, 24), (61, 21), (133, 47)];

/// A house in which every text is hostile, and the longest are very long.
fn hostile_house(words: &str) -> House {
    let mut house = House::new();
    let long = format!("{words} ").repeat(10_000 / (words.len() + 1));
    house.menu.site = words.to_owned();
    for category in &mut house.menu.categories {
        category.name = words.to_owned();
    }
    for item in &mut house.menu.items {
        item.name = words.to_owned();
        item.description.clone_from(&long);
        item.glyph = Some(words.to_owned());
        for group in &mut item.option_groups {
            group.name = long.clone();
            for choice in &mut group.choices {
                choice.name = words.to_owned();
            }
        }
    }
    house
}

/// Every row is drawn over the whole width and not a column more, and nothing hostile is in it.
fn check(kiosk: &Kiosk) {
    let buffer = kiosk.harness.draw();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut width = 0;
        let mut skip = 0;
        for x in buffer.area.left()..buffer.area.right() {
            let symbol = buffer[(x, y)].symbol();
            assert!(!symbol.chars().any(text::is_hostile), "{symbol:?}");
            if skip == 0 {
                let columns = text::display_width(symbol).max(1);
                width += columns;
                skip = columns;
            }
            skip -= 1;
        }
        assert_eq!(width, usize::from(buffer.area.width), "row {y} at {:?}:\n{}", buffer.area, kiosk.screen());
    }
}

#[test]
fn hostile_texts_break_no_row() {
    for words in TEXTS {
        for (width, height) in SIZES {
            let mut kiosk = Kiosk::with(width, height, hostile_house(words));
            check(&kiosk);
            for keys in
                ["enter", "1", "2", "left", "/", "esc", "enter", "?", "esc", "down", "down", "enter", "n", "esc"]
            {
                kiosk.keys(keys);
                check(&kiosk);
            }
            kiosk.keys("end enter");
            check(&kiosk);
            let long = format!("{words} ").repeat(10_000 / (words.len() + 1));
            kiosk.house.cart.note.clone_from(&long);
            for line in &mut kiosk.house.cart.lines {
                line.note.clone_from(&long);
                line.options = vec![long.clone()];
            }
            kiosk.store_changed();
            for keys in ["c", "up", "enter", "esc", "up", "enter", "esc", "n", "esc", "p", "up"] {
                kiosk.keys(keys);
                check(&kiosk);
            }
            kiosk.text(words).keys("enter 3 enter");
            check(&kiosk);
            if let Some(order) = &mut kiosk.house.order {
                order.called_name = Some(long.clone());
                order.pickup_number = words.to_owned();
            }
            kiosk.house.kitchen(Status::Ready);
            kiosk.store_changed();
            check(&kiosk);
        }
    }
}

fn key(random: &mut ChaCha8Rng) -> KeyPress {
    const KEYS: [Key; 17] = [
        Key::Enter,
        Key::Enter,
        Key::Enter,
        Key::Enter,
        Key::Esc,
        Key::Up,
        Key::Down,
        Key::Down,
        Key::Left,
        Key::Right,
        Key::Tab,
        Key::BackTab,
        Key::PageUp,
        Key::PageDown,
        Key::Home,
        Key::End,
        Key::Backspace,
    ];
    const CHARACTERS: &[u8] = b"1234567890+-=cpdnxre/? abz";
    if random.random_range(0..3) > 0 {
        return KeyPress::plain(KEYS[random.random_range(0..KEYS.len())]);
    }
    let character = char::from(CHARACTERS[random.random_range(0..CHARACTERS.len())]);
    KeyPress::plain(Key::Char(character))
}

/// One input of any kind, with a house that is sometimes away, refuses, or changes its menu.
fn disturb(kiosk: &mut Kiosk, random: &mut ChaCha8Rng) {
    match random.random_range(0..120) {
        0 => kiosk.harness.input(Input::StoreAway(random.random_range(0..2) == 0)),
        1 => kiosk.harness.input(Input::StoreChanged),
        2 => kiosk.harness.input(Input::EffectFailed),
        3 => {
            let (width, height) = SIZES[random.random_range(0..SIZES.len())];
            kiosk.harness.resize(width, height);
        }
        4 => kiosk.harness.advance(random.random_range(0..40)),
        5 => kiosk.harness.advance(-random.random_range(0..100)),
        6 => kiosk.house.bank = [Bank::Approves, Bank::Declines, Bank::Silent][random.random_range(0..3)],
        7 => {
            let codes = ErrorCode::ALL;
            kiosk.house.refuse = Some(Refused::new(codes[random.random_range(0..codes.len())], "no"));
        }
        8 => {
            let shown = random.random_range(0..9);
            kiosk.house.menu = house::menu();
            kiosk.house.menu.items.truncate(shown);
            kiosk.house.menu.categories.truncate(shown);
        }
        9 => kiosk.house.menu.open = random.random_range(0..3) > 0,
        10 => {
            let screen = kiosk.harness.draw().area;
            let (column, row) = (random.random_range(0..screen.width), random.random_range(0..screen.height));
            kiosk.harness.input(Input::Scroll { column, row, down: random.random_range(0..2) == 0 });
        }
        11 => kiosk.harness.resize(20, 5),
        12 => kiosk.harness.advance(1),
        _ => kiosk.harness.input(Input::Key(key(random))),
    }
    // Some calls are answered late, and some never.
    match random.random_range(0..12) {
        0 => {}
        1 => drop(kiosk.harness.take_effects()),
        _ => kiosk.settle(),
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "a failure must be repeatable")]
fn twenty_thousand_random_inputs_break_nothing() {
    let seed = std::env::var("SERVERY_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_119);
    println!("seed {seed}");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut served = 0;
    let mut numbers = 0;
    let mut kiosk = Kiosk::new(80, 24);
    for at in 0..20_000 {
        disturb(&mut kiosk, &mut random);
        kiosk.house.calls.clear();
        assert_eq!(kiosk.harness.quit(), None, "no way out without the PIN");
        // Drawing is what takes the time; every other picture is looked at.
        if at % 2 == 0 {
            continue;
        }
        served += u32::from(kiosk.harness.app.is_serving());
        let screen = kiosk.screen();
        numbers += u32::from(screen.contains("Your number"));
        assert!(!screen.contains('⟦'), "a text is missing:\n{screen}");
    }
    assert!(served > 2_500 && numbers > 10, "the keys must get somewhere: {served} {numbers}");
}
