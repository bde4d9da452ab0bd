//! What stands about an order beside its status: nobody came for it, money came too late, or couriers fell
//! out too often. In the list it is a mark with its legend, in the order a sentence.

#![expect(clippy::expect_used, reason = "a helper of tests, which clippy does not know as a test")]

use super::house::House;
use super::keep;
use super::orders::again;
use servery::domain::money::Money;
use servery::domain::order::Status;
use servery::domain::payment::Method;
use servery::service::Caller;
use servery::service::deliveries::ListCouriers;
use servery::service::orders::{AssignCourier, CancelAssignment, CloseUncollected, MarkReady, StartOrder};
use servery::service::settings::SetSetting;
use servery::service::views::OrderView;

/// A paid order that nobody came for, closed by hand.
fn uncollected(house: &House) -> OrderView {
    let paid = house.order(1, "samosa", 2, Method::Card, "Mira");
    let (door, asha, order) = (&house.opened().door, house.person("asha"), paid.id);
    house.run(async {
        door.execute(&asha, None, StartOrder { order }).await.expect("cooking");
        let forced = Some("all of it stands there".to_owned());
        door.execute(&asha, None, MarkReady { order, forced }).await.expect("ready");
        let close = CloseUncollected { order, reason: "closing time".to_owned() };
        door.execute(&asha, None, close).await.expect("closed")
    })
}

/// An order for which the gateway took another amount than it costs.
fn paid_wrong(house: &House) -> OrderView {
    let placed = house.place(2, ("cola", 1), (Method::Card, true), "Ben");
    house.captured(&placed, Money(placed.order.due.0 + 500))
}

fn name_noor(house: &House, order: &OrderView) {
    let door = &house.opened().door;
    let couriers = house.run(door.ask(&Caller::System, ListCouriers { order: None })).expect("the couriers");
    let staff = couriers.iter().find(|courier| courier.username == "noor").expect("a courier").id;
    let assign = AssignCourier { order: order.id, staff };
    house.run(door.execute(&house.person("asha"), None, assign)).expect("named");
}

/// A delivery whose courier fell out, where that may happen but once.
fn escalated(house: &House) -> OrderView {
    let door = &house.opened().door;
    let once = SetSetting { key: "pickup_retry_max".to_owned(), value: 1.into(), seen: None, reason: None };
    house.run(door.execute(&house.person("asha"), None, once)).expect("set");
    let order = house.order_all(3, &[("samosa", 2)], Method::Card, ("Lin", Some("Hostel 4, room 12")));
    let asha = house.person("asha");
    house.run(door.execute(&asha, None, StartOrder { order: order.id })).expect("cooking");
    name_noor(house, &order);
    let off = CancelAssignment { order: order.id, no_pickup: true };
    house.run(door.execute(&asha, None, off)).expect("did not come")
}

fn all(house: &House) {
    uncollected(house);
    house.wait(60);
    paid_wrong(house);
    house.wait(60);
    escalated(house);
    house.wait(60);
    house.order(4, "samosa", 1, Method::Card, "Jürgen");
}

#[test]
fn marks_in_pictures() {
    keep("orders_marks", "asha", all, &[]).showing("! name a courier · + money too late · ○ not collected");
    keep("orders_uncollected", "asha", all, &["end enter"]).showing("Paid and not collected");
    keep("orders_late_payment", "asha", all, &["end up enter"]).showing("could not take");
    keep("orders_escalated", "asha", all, &["down enter"]).showing("name one by hand");
}

/// The row of the list in which this name stands.
fn row(screen: &str, name: &str) -> String {
    screen.lines().find(|line| line.contains(name)).expect("a row").trim_start().to_owned()
}

#[test]
fn an_order_without_any_of_it_has_no_mark_and_no_legend() {
    let house = House::demo();
    house.orders();
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    let seen = desk.screen();
    for words in ["name a courier", "money too late", "not collected"] {
        assert!(!seen.contains(words), "{seen}");
    }
    assert!(row(&seen, "Mira").starts_with('1'), "{seen}");
}

#[test]
fn what_is_marked_is_what_the_store_says() {
    let house = House::demo();
    let (closed, wrong, fell_out) = (uncollected(&house), paid_wrong(&house), escalated(&house));
    assert!(closed.uncollected && !closed.late_payment && !closed.assignment_escalated);
    assert!(wrong.late_payment && !wrong.uncollected && wrong.status == Status::Cancelled, "{wrong:?}");
    assert!(fell_out.assignment_escalated && !fell_out.late_payment);
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    let seen = desk.screen();
    assert!(row(&seen, "Mira").starts_with("○1"), "{seen}");
    assert!(row(&seen, "Ben").starts_with("+2"), "{seen}");
    assert!(row(&seen, "Lin").starts_with("!3"), "{seen}");
}

#[test]
fn a_courier_who_is_named_by_hand_takes_the_mark_away() {
    let house = House::demo();
    let order = escalated(&house);
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    assert!(row(&desk.screen(), "Lin").starts_with("!1"), "{}", desk.screen());
    desk.press("enter");
    assert!(desk.screen().contains("name one by hand"), "{}", desk.screen());
    name_noor(&house, &order);
    desk.changed();
    let seen = desk.screen();
    assert!(!seen.contains("by hand") && seen.contains("Too many couriers fell out."), "{seen}");
    desk.press("esc");
    assert!(row(&desk.screen(), "Lin").starts_with('1'), "{}", desk.screen());
    assert!(again(&house, &order).assignment_escalated, "what happened stays on the order");
}
