//! Deliveries at the console: a manager names couriers, a courier carries orders, and the address is for
//! those alone who need it.

#![expect(clippy::expect_used, reason = "a helper of tests, which clippy does not know as a test")]

use super::house::{FIELD_KEY, House};
use super::keep;
use super::orders::{again, keep_form};
use servery::domain::access::Role;
use servery::domain::error::ErrorCode;
use servery::domain::ids::StaffId;
use servery::domain::order::{AssignmentStatus, EventKind, Status};
use servery::domain::payment::Method;
use servery::service::Caller;
use servery::service::deliveries::{AddressProblem, DeliveryView, ListCouriers, ShowDelivery};
use servery::service::order_actions::{OrderActions, Way};
use servery::service::order_queries::{ListOrders, OrderName};
use servery::service::orders::{AssignCourier, MarkReady, PickUp, SetItemsDone, StartOrder};
use servery::service::staff::{NewStaff, add_staff};
use servery::service::terminals::{TerminalRole, register};
use servery::service::till::TillOpen;
use servery::service::views::OrderView;
use servery::store::StoreUrl;

const ADDRESS: &str = "Hostel 4, room 12\n2nd floor, by the stairs";

/// A paid order that is to be brought, and is ready.
pub fn ready(house: &House, number: u128, method: Method, name: &str) -> OrderView {
    let order = house.order_all(number, &[("samosa", 2)], method, (name, Some(ADDRESS)));
    let (door, asha) = (&house.opened().door, house.person("asha"));
    house.run(async {
        if method == Method::Cash {
            let accept = servery::service::orders::AcceptOrder { order: order.id, eta_minutes: None };
            door.execute(&asha, None, accept).await.expect("accepted");
        }
        door.execute(&asha, None, StartOrder { order: order.id }).await.expect("cooking");
        let lines = order.lines.iter().map(|line| line.id).collect();
        door.execute(&asha, None, SetItemsDone { order: order.id, lines, done: true }).await.expect("done");
        door.execute(&asha, None, MarkReady { order: order.id, forced: None }).await.expect("ready")
    })
}

fn courier(house: &House, username: &str) -> StaffId {
    let couriers =
        house.run(house.opened().door.ask(&Caller::System, ListCouriers { order: None })).expect("the couriers");
    couriers.iter().find(|courier| courier.username == username).expect("a courier").id
}

pub fn assign(house: &House, order: &OrderView, username: &str) {
    let assign = AssignCourier { order: order.id, staff: courier(house, username) };
    house.run(house.opened().door.execute(&house.person("asha"), None, assign)).expect("named");
}

fn delivery(house: &House, caller: &Caller, order: &OrderView) -> DeliveryView {
    let ask = ShowDelivery { order: OrderName::Id(order.id) };
    house.run(house.opened().door.ask(caller, ask)).expect("the delivery").expect("it is one")
}

fn status(house: &House, order: &OrderView) -> Option<AssignmentStatus> {
    delivery(house, &Caller::System, order).assignments.first().map(|last| last.status)
}

#[test]
fn a_delivery_goes_its_whole_way_at_the_console() {
    let house = House::demo();
    let order = ready(&house, 1, Method::Card, "Mira");
    let mut manager = house.console(120, 40);
    manager.sign_in("asha");
    assert!(manager.screen().contains("No courier is named yet"), "{}", manager.screen());
    manager.choose("Give it to a courier");
    assert!(manager.screen().contains("Noor · nothing under way"), "{}", manager.screen());
    manager.press("enter");
    assert_eq!(status(&house, &order), Some(AssignmentStatus::Assigned), "{}", manager.screen());
    manager.choose("The courier did not come");
    manager.press("enter");
    assert_eq!(status(&house, &order), Some(AssignmentStatus::Cancelled), "{}", manager.screen());
    manager.choose("Give it to a courier");
    manager.press("enter");
    manager.choose("Take the courier off");
    manager.press("enter");
    assert_eq!(delivery(&house, &Caller::System, &order).active(), None, "{}", manager.screen());
    manager.choose("Give it to a courier");
    manager.press("enter");

    let mut noor = house.console(120, 40);
    noor.sign_in("noor");
    let seen = noor.screen();
    assert!(seen.contains("● for you") && seen.contains("●1") && seen.contains("Hostel 4, room 12"), "{seen}");
    assert!(seen.contains("2nd floor") && seen.contains("Noor: named"), "{seen}");
    // What the courier may do alone stands first: nobody has to look for it.
    noor.press("a 1 enter");
    assert_eq!(again(&house, &order).status, Status::OutForDelivery, "{}", noor.screen());
    noor.choose("Back at the store");
    noor.type_text("nobody at home");
    noor.press("enter");
    assert_eq!(again(&house, &order).status, Status::Ready, "{}", noor.screen());
    manager.changed();
    manager.choose("Give it to a courier");
    manager.press("enter");
    noor.changed();
    noor.choose("The courier takes it");
    noor.press("enter");
    noor.choose("Delivered");
    noor.press("enter");
    assert_eq!(again(&house, &order).status, Status::Completed, "{}", noor.screen());
    assert_eq!(status(&house, &order), Some(AssignmentStatus::Delivered));
    assert_eq!(delivery(&house, &Caller::System, &order).assignments.len(), 4, "history is kept");
}

#[test]
fn cash_is_taken_at_the_door_where_the_till_is_open() {
    let house = House::demo();
    let (door, asha) = (&house.opened().door, house.person("asha"));
    let order = ready(&house, 1, Method::Cash, "Mira");
    assign(&house, &order, "noor");
    house.run(door.execute(&house.person("noor"), None, PickUp { order: order.id })).expect("picked up");
    let deliver = |caller: &Caller| {
        let steps = house.run(door.ask(caller, OrderActions { order: order.id })).expect("the steps");
        steps.into_iter().find(|step| step.event == EventKind::Deliver).expect("a step")
    };
    let step = deliver(&house.person("noor"));
    assert_eq!((step.way, step.refused.and_then(|refused| refused.guard)), (Way::ForCash, Some("till_open")));
    let mut noor = house.console(120, 40);
    let counter = house.run(register(door, "console-counter", TerminalRole::Console)).expect("the terminal");
    let Caller::Session { token, .. } = asha else { unreachable!("a person") };
    let here = Caller::Session { token, terminal: Some(counter), override_by: None };
    house.run(door.execute(&here, None, TillOpen { float: 10_000 })).expect("the till is open");
    noor.sign_in("noor");
    noor.press("a 1");
    assert!(noor.screen().contains("It is paid at the door"), "{}", noor.screen());
    noor.press("enter");
    let seen = again(&house, &order);
    assert!(seen.paid && seen.status == Status::Completed, "{}", noor.screen());
}

#[test]
fn nobody_is_named_where_there_is_nobody() {
    let house = House::demo();
    let order = ready(&house, 1, Method::Card, "Mira");
    house.deactivate("noor");
    let mut desk = house.console(120, 40);
    desk.sign_in("asha");
    desk.choose("Give it to a courier");
    assert!(desk.screen().contains("There is no courier on the staff"), "{}", desk.screen());
    assert_eq!(status(&house, &order), None);
}

#[test]
fn couriers_are_ranked_by_what_they_carry_and_find_their_own_orders_first() {
    let house = House::demo();
    let (door, asha) = (&house.opened().door, house.person("asha"));
    let new =
        NewStaff { username: "zoe", name: "Zoe", role: Role::Delivery, password: "a-courier-of-the-house", pin: None };
    house.run(add_staff(door, &house.opened().secrets, &asha, None, &new)).expect("hired");
    let (old, new) = (ready(&house, 1, Method::Card, "Mira"), ready(&house, 2, Method::Card, "Ada"));
    let names = || {
        let couriers = house.run(door.ask(&asha, ListCouriers { order: None })).expect("the couriers");
        couriers.into_iter().map(|courier| (courier.username, courier.under_way)).collect::<Vec<_>>()
    };
    assert_eq!(names(), [("noor".to_owned(), 0), ("zoe".to_owned(), 0)]);
    assign(&house, &old, "noor");
    assert_eq!(names(), [("zoe".to_owned(), 0), ("noor".to_owned(), 1)]);
    let counter = house.order(3, "cola", 1, Method::Card, "Ben");
    let list = |caller: &Caller, limit, after| {
        let ask = ListOrders { limit, after, ..ListOrders::default() };
        house.run(door.ask(caller, ask)).expect("a list")
    };
    let ids = |items: &[servery::service::order_queries::OrderSummary]| {
        items.iter().map(|row| (row.id, row.yours)).collect::<Vec<_>>()
    };
    let noor = house.person("noor");
    let page = list(&noor, 9, None);
    assert_eq!(ids(&page.items), [(old.id, true), (counter.id, false), (new.id, false)]);
    // Page by page each once.
    let first = list(&noor, 2, None);
    assert_eq!(ids(&first.items), [(old.id, true), (counter.id, false)]);
    let second = list(&noor, 2, first.next);
    assert_eq!(ids(&second.items), [(new.id, false)]);
    assert_eq!(ids(&list(&asha, 9, None).items), [(counter.id, false), (new.id, false), (old.id, false)]);
    // A guest finds what is theirs, and nothing of a delivery's people.
    let guest = House::guest(1);
    assert_eq!(ids(&list(&guest, 9, None).items), [(old.id, false)]);
    let refused = house.run(door.ask(&guest, ShowDelivery { order: OrderName::Id(old.id) })).expect_err("staff's");
    assert_eq!(refused.code, ErrorCode::InsufficientRole);
    let mut desk = house.console(80, 24);
    desk.sign_in("noor");
    let seen = desk.screen();
    assert!(seen.contains("●1 ") && seen.contains(" 2 ") && !seen.contains("Ben"), "{seen}");
}

#[test]
fn an_address_is_opened_for_those_who_deliver_or_move_orders_and_stands_nowhere_in_clear() {
    let house = House::demo();
    let order = ready(&house, 1, Method::Card, "Mira");
    let told = |view: DeliveryView| (view.address, view.address_problem);
    for who in ["asha", "ravi", "noor"] {
        assert_eq!(told(delivery(&house, &house.person(who), &order)), (Some(ADDRESS.to_owned()), None), "{who}");
    }
    let board = house.run(register(&house.opened().door, "board", TerminalRole::Kitchen)).expect("a board");
    let seen = told(delivery(&house, &Caller::Terminal(board), &order));
    assert_eq!(seen, (None, Some(AddressProblem::Withheld)));
    let pickup = house.order(2, "cola", 1, Method::Card, "Ben");
    let ask = ShowDelivery { order: OrderName::Id(pickup.id) };
    assert_eq!(house.run(house.opened().door.ask(&house.person("asha"), ask)).expect("asked"), None);

    let StoreUrl::Sqlite(path) = &house.opened().config.store else { unreachable!("the demo is a file") };
    let folder = path.parent().expect("a folder");
    for entry in std::fs::read_dir(folder).expect("the store's folder") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            let bytes = std::fs::read(&path).expect("a file");
            let clear = bytes.windows(8).any(|part| part == b"Hostel 4" || part == b"2nd floo");
            assert!(!clear, "the address stands in {}", path.display());
        }
    }
}

#[test]
fn without_its_key_an_address_says_so_and_everything_else_goes_on() {
    let house = House::demo();
    let order = ready(&house, 1, Method::Card, "Mira");
    let asha = house.person("asha");
    let other = "another-key-that-opens-nothing-here";
    for (key, problem, words) in [
        (None, Some(AddressProblem::NoKey), "has no SERVERY_FIELD_KEY"),
        (Some(other), Some(AddressProblem::WrongKey), "is another one"),
        (Some(FIELD_KEY), None, "Hostel 4, room 12"),
    ] {
        let opened = house.told(key);
        let ask = ShowDelivery { order: OrderName::Id(order.id) };
        let view = house.run(opened.door.ask(&asha, ask)).expect("asked").expect("a delivery");
        assert_eq!(view.address_problem, problem);
        let mut desk = house.console_in(&opened, 120, 40);
        desk.sign_in("asha");
        let seen = desk.screen();
        // The line may be broken where the panel ends.
        let flat = seen.split(|c: char| c.is_whitespace() || c == '│').filter(|word| !word.is_empty());
        let flat = flat.collect::<Vec<_>>().join(" ");
        assert!(flat.contains("Delivery") && words.split(' ').all(|word| flat.contains(word)), "{words}:\n{seen}");
        desk.choose("Give it to a courier");
        desk.press("esc");
    }
}

#[test]
fn a_hostile_address_is_harmless_on_the_screen() {
    let house = House::demo();
    let hostile = "\u{1b}[2J\u{1b}]0;x\u{7}Mill\u{202e} Lane\u{200b} 3\r\n\u{9b}31mTop bell";
    house.order_all(1, &[("samosa", 1)], Method::Card, ("Mira", Some(hostile)));
    let mut desk = house.console(120, 40);
    desk.sign_in("asha");
    let seen = desk.screen();
    let bad = |character: char| character != '\n' && servery::tui::text::is_hostile(character);
    assert!(seen.contains("Mill Lane 3") && !seen.chars().any(bad), "{seen}");
}

/// Two deliveries: one that Noor carries, one without a courier.
fn two(house: &House) {
    let carried = ready(house, 1, Method::Card, "Mira");
    house.wait(60);
    ready(house, 2, Method::Cash, "Jürgen");
    house.order(3, "cola", 1, Method::Card, "Ben");
    assign(house, &carried, "noor");
    house.wait(60);
    let noor = house.person("noor");
    house.run(house.opened().door.execute(&noor, None, PickUp { order: carried.id })).expect("picked up");
}

#[test]
fn deliveries_in_pictures() {
    keep("delivery_detail", "asha", two, &["end enter"]);
    keep("delivery_assign", "asha", two, &["down a 1"]);
    keep("courier_list", "noor", two, &[]);
    keep("courier_steps", "noor", two, &["a"]);
    keep("courier_return", "noor", two, &["a 2"]);
    keep("courier_detail", "noor", two, &["enter"]);
    let at_the_door = |house: &House| {
        let (door, noor) = (&house.opened().door, house.person("noor"));
        house.run(door.execute(&house.person("ravi"), None, TillOpen { float: 0 })).expect("opened");
        let order = ready(house, 1, Method::Cash, "Jürgen");
        assign(house, &order, "noor");
        house.run(door.execute(&noor, None, PickUp { order: order.id })).expect("picked up");
    };
    keep_form("courier_cash", "noor", at_the_door, ("Delivered", "It is paid at the door"));
}
