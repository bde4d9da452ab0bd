//! The kiosk's screens: pictures of every one at the comfortable size, at a large one and at the
//! smallest; in `flows` what a customer does, in `delivery` what he does who wants it brought, in `hostile` what must
//! not break them.

#[path = "kiosk/delivery.rs"]
mod delivery;
#[path = "kiosk/flows.rs"]
mod flows;
#[path = "kiosk/hostile.rs"]
mod hostile;
#[path = "kiosk/house.rs"]
mod house;

use house::{Bank, Kiosk};
use servery::domain::cart::{CartChange, Change};
use servery::domain::ids::CartLineId;
use servery::domain::money::Money;
use servery::domain::order::Status;
use servery::tui::app::Input;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (60, 20)];
const CARD: &str = "4242424242424242";

fn pictures(name: &str, steps: impl Fn(&mut Kiosk)) {
    for (width, height) in SIZES {
        let mut kiosk = Kiosk::new(width, height);
        steps(&mut kiosk);
        // At the smallest size the list of keys lies over everything.
        let covered = name == "menu_help" && height == 20;
        assert!(covered || kiosk.screen().contains("Demo"), "the demo says that it is one:\n{}", kiosk.screen());
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), kiosk.screen());
    }
}

fn to_checkout(kiosk: &mut Kiosk) -> &mut Kiosk {
    kiosk.with_dosa().keys("c enter")
}

fn to_card(kiosk: &mut Kiosk) -> &mut Kiosk {
    to_checkout(kiosk).keys("1 enter")
}

fn pay_by_card(kiosk: &mut Kiosk) -> &mut Kiosk {
    to_card(kiosk).text(CARD).keys("enter").text("1229").keys("enter").text("123").keys("enter enter")
}

#[test]
fn attract() {
    pictures("attract", |_| {});
}

#[test]
fn attract_closed() {
    pictures("attract_closed", |kiosk| {
        kiosk.house.menu.open = false;
        kiosk.house.menu.slot = None;
        kiosk.house.menu.next_slot = Some("breakfast".to_owned());
        kiosk.house.menu.next_slot_at = Some(house::NOON.plus_seconds(19 * 3600));
        kiosk.store_changed();
    });
}

#[test]
fn mode() {
    pictures("mode", |kiosk| {
        kiosk.keys("enter");
    });
}

#[test]
fn menu_first() {
    pictures("menu_first", |kiosk| {
        kiosk.open_menu().keys("left down");
    });
}

#[test]
fn menu_with_order() {
    pictures("menu_with_order", |kiosk| {
        kiosk.with_dosa().wait(5).keys("2 end down");
    });
}

#[test]
fn menu_search() {
    pictures("menu_search", |kiosk| {
        kiosk.open_menu().keys("/").text("masala");
    });
}

#[test]
fn menu_diet() {
    pictures("menu_diet", |kiosk| {
        kiosk.open_menu().keys("d");
    });
}

#[test]
fn menu_away() {
    pictures("menu_away", |kiosk| {
        kiosk.open_menu();
        kiosk.harness.input(Input::StoreAway(true));
    });
}

#[test]
fn menu_help() {
    pictures("menu_help", |kiosk| {
        kiosk.open_menu().keys("?");
    });
}

#[test]
fn item() {
    pictures("item", |kiosk| {
        kiosk.open_menu().keys("2 enter down enter down enter");
    });
}

#[test]
fn item_sold_out() {
    pictures("item_sold_out", |kiosk| {
        kiosk.open_menu().keys("2 down down enter");
    });
}

#[test]
fn item_note() {
    pictures("item_note", |kiosk| {
        kiosk.open_menu().keys("2 enter n").text("no onions, please");
    });
}

#[test]
fn cart() {
    pictures("cart", |kiosk| {
        kiosk.with_dosa().keys("3 enter n").text("little ice").keys("enter + end enter c");
    });
}

#[test]
fn cart_code() {
    pictures("cart_code", |kiosk| {
        kiosk.with_dosa().keys("c v").text("lunch");
    });
}

#[test]
fn cart_empty() {
    pictures("cart_empty", |kiosk| {
        kiosk.open_menu().keys("c");
    });
}

#[test]
fn cart_changed() {
    pictures("cart_changed", |kiosk| {
        kiosk.with_dosa().keys("3 enter end enter");
        let line = |number| CartLineId(house::id(number));
        let price = Change::Repriced { was: Money(1150), now: Money(1200) };
        kiosk.house.change(CartChange { line_id: line(600), name: "Masala dosa".to_owned(), change: price });
        let short = Change::Short { available: 0, requested: 1 };
        kiosk.house.change(CartChange { line_id: line(601), name: "Mango lassi".to_owned(), change: short });
        kiosk.store_changed().keys("c").wait(5);
    });
}

#[test]
fn cart_changes_asked() {
    pictures("cart_changes_asked", |kiosk| {
        kiosk.with_dosa();
        let price = Change::Repriced { was: Money(1150), now: Money(1200) };
        let line_id = CartLineId(house::id(600));
        kiosk.house.change(CartChange { line_id, name: "Masala dosa".to_owned(), change: price });
        kiosk.store_changed().keys("c p");
    });
}

#[test]
fn cart_trace() {
    pictures("cart_trace", |kiosk| {
        kiosk.with_dosa().keys("c up enter");
    });
}

#[test]
fn cart_line() {
    pictures("cart_line", |kiosk| {
        kiosk.with_dosa().keys("c up up enter");
    });
}

#[test]
fn checkout() {
    pictures("checkout", |kiosk| {
        to_checkout(kiosk);
    });
}

#[test]
fn checkout_named() {
    pictures("checkout_named", |kiosk| {
        to_checkout(kiosk).keys("up").text("Asha").keys("enter down down enter");
    });
}

#[test]
fn pay_card() {
    pictures("pay_card", |kiosk| {
        to_card(kiosk).text(CARD).keys("down").wait(8);
    });
}

#[test]
fn pay_upi() {
    pictures("pay_upi", |kiosk| {
        kiosk.house.bank = Bank::Silent;
        to_checkout(kiosk).keys("2 enter");
    });
}

#[test]
fn pay_unknown() {
    pictures("pay_unknown", |kiosk| {
        kiosk.house.bank = Bank::Silent;
        pay_by_card(kiosk).wait(4);
    });
}

#[test]
fn pay_unresolved() {
    pictures("pay_unresolved", |kiosk| {
        kiosk.house.bank = Bank::Silent;
        pay_by_card(kiosk).wait(61);
    });
}

#[test]
fn pay_declined() {
    pictures("pay_declined", |kiosk| {
        kiosk.house.bank = Bank::Declines;
        pay_by_card(kiosk);
    });
}

#[test]
fn done() {
    pictures("done", |kiosk| {
        pay_by_card(kiosk);
        kiosk.house.kitchen(Status::Preparing);
        kiosk.store_changed().wait(1);
    });
}

#[test]
fn done_cash() {
    pictures("done_cash", |kiosk| {
        to_checkout(kiosk).keys("up").text("Asha").keys("enter 3 enter");
    });
}

#[test]
fn done_ready() {
    pictures("done_ready", |kiosk| {
        pay_by_card(kiosk);
        kiosk.house.kitchen(Status::Ready);
        kiosk.store_changed();
    });
}

#[test]
fn idle_warning() {
    pictures("idle_warning", |kiosk| {
        kiosk.with_dosa().wait(64);
    });
}

#[test]
fn exit_pin() {
    pictures("exit_pin", |kiosk| {
        kiosk.keys("ctrl+q").text("471");
    });
}
