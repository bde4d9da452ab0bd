//! Records the pictures of the real screens: one house, its processes in terminals, a customer at the kiosk while the
//! kitchen is busy. What the house has to do meanwhile stands in `rush.rs`.

use vt100::Screen;

use crate::house::{self, APPROVED, House, PATIENCE};
use crate::rush;
use crate::support::process::Servery;
use crate::support::pty::{Key, Pty};
use crate::support::svg::{self, DARK, LIGHT, Palette};

/// The colours of a terminal, as its environment tells them.
#[derive(Clone, Copy)]
struct Looks {
    /// Text and background, as `COLORFGBG` gives them.
    colours: &'static str,
    palette: &'static Palette,
    /// Ends the names of its pictures.
    suffix: &'static str,
}

const ON_DARK: Looks = Looks { colours: "15;0", palette: &DARK, suffix: "" };
const ON_LIGHT: Looks = Looks { colours: "0;15", palette: &LIGHT, suffix: "-light" };

/// Writes a picture of the screen at rest.
fn record(pty: &Pty, name: &str, title: &str, looks: Looks) {
    pty.wait_stable(PATIENCE);
    let screen: Screen = pty.parsed_screen();
    svg::write(&svg::folder(), &format!("{name}{}", looks.suffix), &screen, title, looks.palette);
}

/// The house with terminals of these looks.
fn house_with(looks: Looks) -> House {
    let mut house = at_home();
    house.servery = house.servery.with("COLORTERM", "truecolor").with("COLORFGBG", looks.colours);
    house
}

/// Not a proof but the tool: it writes only where it is asked to, and fails where a screen does not come.
#[test]
fn the_pictures_of_the_screens() {
    if !svg::is_recording() {
        return;
    }
    let house = house_with(ON_DARK);
    rush::begin(&house);
    let kitchen = house.open(&["kitchen", "--terminal", "kitchen-1"]);
    kitchen.wait_for("▶", PATIENCE);
    let board = house.open(&["board", "--terminal", "board-1"]);
    board.wait_for("Meera", PATIENCE);
    // The path of a temporary folder is nothing to look at.
    let launcher = house.open(&["--store", "sqlite:servery.db"]);
    launcher.wait_for("A worker runs", PATIENCE);
    record(&launcher, "launcher", "servery", ON_DARK);

    let kiosk = house.kiosk();
    record(&kiosk, "kiosk-welcome", "servery kiosk", ON_DARK);
    kiosk_pictures(&kiosk, ON_DARK);
    kiosk.wait_for("Scan this code", PATIENCE);
    record(&kiosk, "kiosk-upi", "servery kiosk", ON_DARK);
    kiosk.wait_for("Your number", PATIENCE);
    record(&kiosk, "kiosk-number", "servery kiosk", ON_DARK);

    // After the flash of the newest ticket.
    kitchen.wait_for("Asha", PATIENCE);
    kitchen.wait_gone("NEW ORDER", PATIENCE);
    record(&kitchen, "kitchen", "servery kitchen", ON_DARK);
    board.wait_for("Asha", PATIENCE);
    record(&board, "board", "servery board", ON_DARK);
}

#[test]
fn the_pictures_on_a_light_background() {
    if !svg::is_recording() {
        return;
    }
    let house = house_with(ON_LIGHT);
    rush::begin(&house);
    let kitchen = house.open(&["kitchen", "--terminal", "kitchen-1"]);
    kitchen.wait_for("▶", PATIENCE);
    record(&kitchen, "kitchen", "servery kitchen", ON_LIGHT);
    let kiosk = house.kiosk();
    house::to_menu(&kiosk);
    record(&kiosk, "kiosk-menu", "servery kiosk", ON_LIGHT);
}

/// The console is wide enough that what is selected stands beside the list.
const DESK: (u16, u16) = (120, 32);

#[test]
fn the_pictures_of_the_console() {
    if !svg::is_recording() {
        return;
    }
    let house = house_with(ON_DARK);
    rush::begin(&house);
    let console = Pty::servery(&house.servery, &["console", "--terminal", "office"], DESK.0, DESK.1);
    console.wait_for("Sign in", PATIENCE);
    console.send("asha");
    console.key(Key::Enter);
    console.send("demo-asha-2026");
    console.key(Key::Enter);
    console.wait_for("6 orders", PATIENCE);
    console.wait_gone("Hello", PATIENCE);
    // The one with options and a note.
    console.key(Key::Down);
    console.wait_for("mild, please", PATIENCE);
    record(&console, "console-orders", "servery console", ON_DARK);
    console.send("2");
    console.wait_for("Masala Dosa", PATIENCE);
    console.send("/biryani");
    console.key(Key::Enter);
    console.wait_for("Boiled egg", PATIENCE);
    record(&console, "console-menu", "servery console", ON_DARK);
    console.send("7");
    console.wait_for("By way of paying", PATIENCE);
    record(&console, "console-reports", "servery console", ON_DARK);
}

/// From the attract screen to the code for the phone, with a picture of each screen.
fn kiosk_pictures(kiosk: &Pty, looks: Looks) {
    house::to_menu(kiosk);
    kiosk.send("2");
    kiosk.wait_for("Butter Chicken", PATIENCE);
    record(kiosk, "kiosk-menu", "servery kiosk", looks);
    house::open_biryani(kiosk);
    house::choose_large_with_egg(kiosk);
    record(kiosk, "kiosk-item", "servery kiosk", looks);
    kiosk.keys(&[Key::End, Key::Enter]);
    kiosk.wait_for("Your order  1 item", PATIENCE);
    // Another dish, from the part of the menu with the drinks.
    kiosk.key(Key::Esc);
    kiosk.wait_gone("/ biryani", PATIENCE);
    kiosk.send("6");
    kiosk.wait_for("Lassi", PATIENCE);
    kiosk.key(Key::Enter);
    kiosk.wait_for("How many", PATIENCE);
    kiosk.keys(&[Key::End, Key::Enter]);
    kiosk.wait_for("Your order  2 items", PATIENCE);
    kiosk.send("c");
    kiosk.wait_for("Check out", PATIENCE);
    record(kiosk, "kiosk-cart", "servery kiosk", looks);
    kiosk.send("p");
    kiosk.wait_for("How would you like to pay?", PATIENCE);
    house::check_out(kiosk, "Asha", "1");
    kiosk.wait_for("Card number", PATIENCE);
    kiosk.send(APPROVED);
    kiosk.key(Key::Enter);
    kiosk.send("1249");
    kiosk.wait_for("1249", PATIENCE);
    record(kiosk, "kiosk-card", "servery kiosk", looks);
    // Changes his mind and pays with the phone.
    kiosk.key(Key::Esc);
    kiosk.wait_for("Cancel the payment", PATIENCE);
    kiosk.send("1");
    kiosk.wait_for("How would you like to pay?", PATIENCE);
    house::check_out(kiosk, "", "2");
}

/// A house on the store file `servery.db` in the processes' home, which they can also name by that alone.
fn at_home() -> House {
    let servery = Servery::without_store();
    let store = format!("sqlite:{}", servery.home().join("servery.db").display());
    House::with_demo(servery.with("SERVERY_STORE", &store), None, None)
}
