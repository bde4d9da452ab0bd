//! A house for one test: a store with the demo menu, the environment of its processes, and the ways through their
//! screens that several tests go. No test stands here.

use std::time::Duration;

use crate::support::postgres::{TestDatabase, database};
use crate::support::process::Servery;
use crate::support::pty::{Key, Pty};
use crate::support::wait;

/// A limit for one step of a screen. Far more than a step takes: the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// The size of every screen, unless a test is about sizes.
pub const COLUMNS: u16 = 100;
pub const ROWS: u16 = 30;

/// The key under which the houses keep addresses: with it their kiosks take deliveries.
pub const FIELD_KEY: &str = "a-key-for-addresses-in-these-tests";
/// What the attract screen says.
pub const ATTRACT: &str = "Press Enter or touch to order";
/// A card that is approved.
pub const APPROVED: &str = "4242424242424242";
/// The middle row of the number 001 in large digits, as kiosk and board draw it.
pub const DIGITS_OF_001: &str = "██ ████ ██ ████   ██";

/// Makes a test of each function on each database. On Postgres it is left out only where that was asked for.
macro_rules! on_both_databases {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[test] fn $name() { super::$name(&crate::house::House::on_sqlite()); })+
        }
        mod on_postgres {
            $(#[test] fn $name() {
                if let Some(house) = crate::house::House::on_postgres() {
                    super::$name(&house);
                }
            })+
        }
    };
}
pub(crate) use on_both_databases;

/// The store and the environment of a house. Its processes are children of the test.
pub struct House {
    pub servery: Servery,
    /// `None` on SQLite.
    pub database: Option<TestDatabase>,
    _folder: Option<tempfile::TempDir>,
}

impl House {
    /// On a store file of its own.
    pub fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the store");
        let store = format!("sqlite:{}", folder.path().join("servery.db").display());
        Self::with_demo(Servery::on(&store), None, Some(folder))
    }

    /// On a database of its own; `None` where Postgres is left out.
    pub fn on_postgres() -> Option<Self> {
        let database = database()?;
        Some(Self::with_demo(Servery::on(database.url()), Some(database), None))
    }

    /// Makes the demo in a fresh store.
    pub fn with_demo(servery: Servery, database: Option<TestDatabase>, folder: Option<tempfile::TempDir>) -> Self {
        let servery = servery.with("SERVERY_FIELD_KEY", FIELD_KEY);
        servery.make_demo();
        Self { servery, database, _folder: folder }
    }

    /// A screen in a terminal of its own.
    #[track_caller]
    pub fn open(&self, arguments: &[&str]) -> Pty {
        Pty::servery(&self.servery, arguments, COLUMNS, ROWS)
    }

    /// A kiosk that waits for its next customer.
    #[track_caller]
    pub fn kiosk(&self) -> Pty {
        let kiosk = self.open(&["kiosk", "--terminal", "kiosk-1"]);
        kiosk.wait_for(ATTRACT, PATIENCE);
        kiosk
    }

    /// A kitchen without a ticket.
    #[track_caller]
    pub fn kitchen(&self) -> Pty {
        let kitchen = self.open(&["kitchen", "--terminal", "kitchen-1"]);
        kitchen.wait_for("Nothing to cook", PATIENCE);
        kitchen
    }

    /// A board without a number.
    #[track_caller]
    pub fn board(&self) -> Pty {
        let board = self.open(&["board", "--terminal", "board-1"]);
        board.wait_for("Welcome!", PATIENCE);
        board
    }
}

/// From the attract screen to the menu, to eat here.
#[track_caller]
pub fn to_menu(kiosk: &Pty) {
    kiosk.key(Key::Enter);
    kiosk.wait_for("Where would you like to eat?", PATIENCE);
    kiosk.send("1");
    kiosk.wait_for("Snacks & starters", PATIENCE);
}

/// From the menu: finds the chicken biryani, takes the large one with an egg, back at the menu.
#[track_caller]
pub fn add_biryani(kiosk: &Pty) {
    open_biryani(kiosk);
    choose_large_with_egg(kiosk);
    kiosk.keys(&[Key::End, Key::Enter]);
    kiosk.wait_for("Your order  1 item", PATIENCE);
}

/// From the menu: searches for the chicken biryani and opens it.
#[track_caller]
pub fn open_biryani(kiosk: &Pty) {
    kiosk.send("/");
    kiosk.wait_for("Search", PATIENCE);
    kiosk.send("biryani");
    kiosk.wait_for("/ biryani", PATIENCE);
    kiosk.wait_for("Hyderabadi Chicken Biryani", PATIENCE);
    // The first Enter ends the typing, the second opens the dish.
    kiosk.keys(&[Key::Enter, Key::Enter]);
    kiosk.wait_for("choose one", PATIENCE);
}

/// At the biryani: chooses the large one and an egg.
#[track_caller]
pub fn choose_large_with_egg(kiosk: &Pty) {
    kiosk.keys(&[Key::Down, Key::Enter]);
    kiosk.wait_for("(●) Large", PATIENCE);
    kiosk.keys(&[Key::Down, Key::Enter]);
    kiosk.wait_for("[✓] Boiled egg", PATIENCE);
    kiosk.wait_for("Add 1 to your order  ·  ₹440.00", PATIENCE);
}

/// From the menu with something in the cart to the checkout.
#[track_caller]
pub fn to_checkout(kiosk: &Pty) {
    kiosk.send("c");
    kiosk.wait_for("Check out", PATIENCE);
    kiosk.send("p");
    kiosk.wait_for("How would you like to pay?", PATIENCE);
}

/// At the checkout: the name to call, unless it is empty, and the way to pay by its number; then the button.
#[track_caller]
pub fn check_out(kiosk: &Pty, name: &str, method: &str) {
    if !name.is_empty() {
        kiosk.key(Key::Up);
        kiosk.send(name);
        kiosk.wait_for(name, PATIENCE);
        kiosk.key(Key::Enter);
    }
    kiosk.send(method);
    let marked = match method {
        "1" => "(●) Card",
        "2" => "(●) UPI",
        _ => "(●) Cash",
    };
    kiosk.wait_for(marked, PATIENCE);
    kiosk.key(Key::Enter);
}

/// At the card form: types the card and pays.
#[track_caller]
pub fn pay_by_card(kiosk: &Pty, number: &str) {
    kiosk.wait_for("Card number", PATIENCE);
    kiosk.send(number);
    kiosk.wait_for(&number[12..], PATIENCE);
    kiosk.key(Key::Enter);
    kiosk.send("1249");
    kiosk.wait_for("1249", PATIENCE);
    kiosk.key(Key::Enter);
    kiosk.send("987");
    kiosk.wait_for("•••", PATIENCE);
    // To the button, and on it.
    kiosk.keys(&[Key::Enter, Key::Enter]);
}

/// A whole order of one large biryani, paid by card, from the attract screen until its number is shown.
#[track_caller]
pub fn order_biryani(kiosk: &Pty, name: &str) {
    to_menu(kiosk);
    add_biryani(kiosk);
    to_checkout(kiosk);
    check_out(kiosk, name, "1");
    pay_by_card(kiosk, APPROVED);
    kiosk.wait_for("Your number", PATIENCE);
}

/// From a kiosk that shows a number back to the attract screen. It ignores keys for a moment, so that a double press
/// does not hide the number: the key is pressed until it is heard, and means nothing on the attract screen.
#[track_caller]
pub fn finish(kiosk: &Pty) {
    wait::until(PATIENCE, "the kiosk is free for the next customer", || {
        let free = kiosk.screen().contains(ATTRACT);
        if !free {
            kiosk.send("z");
        }
        free
    });
}

/// The column of `text` on the screen, once it stands right of the middle, or left of it.
#[track_caller]
pub fn wait_in_half(board: &Pty, text: &str, right: bool) {
    wait::until(PATIENCE, &format!("{text:?} on the {} side", if right { "right" } else { "left" }), || {
        board.find(text).is_some_and(|(column, _)| (column >= COLUMNS / 2) == right)
    });
}

/// At the kitchen: starts the selected ticket and bumps it to ready.
#[track_caller]
pub fn cook(kitchen: &Pty) {
    wait_settled(kitchen, "Space: start cooking");
    kitchen.send(" ");
    wait_settled(kitchen, "COOKING");
    kitchen.send(" ");
    wait_settled(kitchen, "1 ready");
}

/// Waits for `text` on a kitchen whose tickets are all at rest: a key for a ticket with a step under way is not heard,
/// so that a double press bumps once.
#[track_caller]
pub fn wait_settled(kitchen: &Pty, text: &str) {
    wait::until(PATIENCE, &format!("{text:?}, and no step under way"), || {
        let screen = kitchen.screen();
        screen.contains(text) && !screen.contains(" … ")
    });
}

/// Nothing of the customer is on the screen, and nothing was written since the scrollback was wiped.
#[track_caller]
pub fn assert_forgotten(kiosk: &Pty, words: &[&str]) {
    let raw = String::from_utf8_lossy(&kiosk.raw_output()).into_owned();
    let (_, after) = raw.rsplit_once("\u{1b}[3J").expect("the scrollback is wiped when a customer leaves");
    for word in words {
        assert!(!after.contains(word), "{word:?} was written after the wipe");
        assert!(!kiosk.screen().contains(word), "{word:?} is still shown\n{}", kiosk.framed());
    }
}
