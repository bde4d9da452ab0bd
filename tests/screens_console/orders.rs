//! The console's orders: pictures, and the steps that are taken there.

#![expect(clippy::expect_used, reason = "a helper of tests, which clippy does not know as a test")]

use super::house::{House, NOON};
use super::{SIZES, keep, picture};
use servery::domain::money::Money;
use servery::domain::order::{Disposal, EventKind, LinePart, Status};
use servery::domain::payment::Method;
use servery::service::Caller;
use servery::service::audit::AuditList;
use servery::service::kitchen::{AllDay, ShowKitchen};
use servery::service::order_actions::{ActionView, OrderActions};
use servery::service::order_queries::{OrderName, ShowHistory, ShowOrder};
use servery::service::orders::{
    AcceptOrder, HoldOrder, MarkReady, RefundOrder, SetItemsDone, StaffCancelOrder, StartOrder,
};
use servery::service::till::TillOpen;
use servery::service::views::OrderView;

pub fn again(house: &House, order: &OrderView) -> OrderView {
    let ask = ShowOrder { order: OrderName::Id(order.id) };
    house.run(house.opened().door.ask(&Caller::System, ask)).expect("the order")
}

#[test]
fn the_orders_in_every_state() {
    keep("orders_none", "asha", |_| {}, &[]);
    let noon = |house: &House| {
        house.orders();
    };
    keep("orders_list", "asha", noon, &[]);
    keep("orders_detail", "asha", noon, &["down enter"]);
    keep("orders_filter", "asha", noon, &["f"]);
    keep("orders_search", "asha", noon, &["/", "m i r"]);
    keep("orders_steps", "asha", noon, &["end a"]);
    keep("orders_refund_lines", "asha", noon, &["end r"]);
    keep("orders_refund_amount", "asha", noon, &["end r", "right enter"]);
    let till = |house: &House| {
        let open = TillOpen { float: 100_000 };
        house.run(house.opened().door.execute(&house.person("ravi"), None, open)).expect("opened");
        house.orders();
    };
    keep("orders_cash", "asha", till, &["c"]).showing("63.00");
    keep("orders_note", "asha", noon, &["end n"]).showing("kitchen");
    keep("orders_void_line", "asha", noon, &["end a", "3"]).showing("How many");
    keep("orders_staff_cancel", "asha", noon, &["end a", "4"]).showing("Reason");
    // The newest owes cash: it has not begun, so staff may cancel it as the guest may.
    keep("orders_cancel", "asha", noon, &["a", "3"]).showing("What was paid goes back");
    keep("orders_no_show", "asha", unclaimed, &["a", "4"]).showing("Nobody came and it is not paid");
    keep("orders_hold", "asha", noon, &["end a", "6"]).showing("Put on hold");
    keep("orders_void", "asha", noon, &["end a", "1", "enter", "v"]).showing("Money back");
}

/// An order that owes cash has been ready for a while.
fn unclaimed(house: &House) {
    let order = house.order(1, "samosa", 2, Method::Cash, "Mira");
    let (door, asha) = (&house.opened().door, house.person("asha"));
    house.run(async {
        let accept = AcceptOrder { order: order.id, eta_minutes: None };
        door.execute(&asha, None, accept).await.expect("accepted");
        door.execute(&asha, None, StartOrder { order: order.id }).await.expect("cooking");
        let forced = Some("all of it stands there".to_owned());
        door.execute(&asha, None, MarkReady { order: order.id, forced }).await.expect("ready");
    });
    house.wait(1_200);
}

#[test]
fn a_part_of_a_paid_order_goes_back_with_its_line() {
    let house = House::demo();
    let paid = house.order(1, "samosa", 2, Method::Card, "Mira");
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("r right right right enter enter");
    desk.type_text("one was cold");
    desk.press("enter");
    let seen = again(&house, &paid);
    let refund = seen.refunds.first().unwrap_or_else(|| panic!("no refund:\n{}", desk.screen()));
    assert_eq!(refund.amount.0 * 2, paid.due.0, "one of two samosas");
    assert_eq!((seen.lines[0].restocked, seen.lines[0].wasted), (1, 0));
    assert!(desk.screen().contains("money given back"), "{}", desk.screen());
}

#[test]
fn any_line_of_a_long_order_can_go_back() {
    for (width, height) in SIZES {
        any_line_of_a_long_order_can_go_back_at(width, height);
    }
}

fn any_line_of_a_long_order_can_go_back_at(width: u16, height: u16) {
    let house = House::demo();
    let paid = house.order_lines(1, 30, "Mira");
    assert_eq!(paid.lines.len(), 30);
    let mut desk = house.console(width, height);
    desk.sign_in("asha");
    desk.settle();
    desk.press("r");
    desk.press(&"down ".repeat(29));
    // Most of the lines stand above what is seen now.
    picture(&format!("orders_refund_lines_long_{width}x{height}"), &desk.screen());
    desk.press("right enter enter");
    desk.type_text("the last was cold");
    desk.press("enter");
    let seen = again(&house, &paid);
    assert!(!seen.refunds.is_empty(), "no refund:\n{}", desk.screen());
    let refund = &seen.refunds[0];
    let (last, others) = seen.lines.split_last().expect("lines");
    assert_eq!((refund.amount, last.restocked, last.wasted), (last.total_share, 1, 0));
    assert!(others.iter().all(|line| line.restocked == 0 && line.wasted == 0), "{others:?}");
}

#[test]
fn a_long_order_is_voided_with_a_word_on_every_line() {
    for (width, height) in SIZES {
        a_long_order_is_voided_with_a_word_on_every_line_at(width, height);
    }
}

fn a_long_order_is_voided_with_a_word_on_every_line_at(width: u16, height: u16) {
    let house = House::demo();
    let paid = house.order_lines(1, 30, "Mira");
    let start = StartOrder { order: paid.id };
    house.run(house.opened().door.execute(&house.person("asha"), None, start)).expect("cooking");
    let mut desk = house.console(width, height);
    desk.sign_in("asha");
    desk.settle();
    desk.press("v down down");
    desk.type_text("the fryer is on fire");
    desk.press(&"down ".repeat(30));
    picture(&format!("orders_void_long_{width}x{height}"), &desk.screen());
    desk.press("right enter");
    let seen = again(&house, &paid);
    assert_eq!(seen.status, Status::Cancelled, "{}", desk.screen());
    let (last, others) = seen.lines.split_last().expect("lines");
    assert_eq!((last.restocked, last.wasted), (1, 0), "{}", desk.screen());
    assert!(others.iter().all(|line| line.restocked == 0 && line.wasted == 1), "{others:?}");
    assert_eq!(seen.refunds.iter().map(|refund| refund.amount.0).sum::<i64>(), paid.due.0);
}

#[test]
fn who_may_not_refund_is_let_through_by_a_managers_pin_and_both_names_are_kept() {
    let house = House::demo();
    let paid = house.order(1, "samosa", 1, Method::Card, "Mira");
    let mut desk = house.console(80, 24);
    desk.sign_in("ravi");
    desk.press("r enter enter");
    desk.type_text("wrong dish");
    desk.press("enter");
    assert!(desk.screen().contains("manager"), "{}", desk.screen());
    desk.type_text("asha");
    desk.press("enter");
    desk.type_text("271828");
    desk.press("enter");
    assert_eq!(again(&house, &paid).refunds.len(), 1, "{}", desk.screen());
    let ask = AuditList { action: Some("refund_order".to_owned()), limit: 10, ..AuditList::default() };
    let log = house.run(house.opened().door.ask(&Caller::System, ask)).expect("the audit log");
    let entry = log.items.first().expect("the refund is in the log");
    assert_eq!((entry.actor.as_deref(), entry.override_by.as_deref()), (Some("ravi"), Some("asha")));
    assert_eq!(entry.reason.as_deref(), Some("wrong dish"));
}

#[test]
fn a_step_that_is_refused_says_why_and_nothing_happens() {
    let house = House::demo();
    let cash = house.order(1, "samosa", 1, Method::Cash, "Mira");
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("r");
    let seen = desk.screen();
    assert!(!seen.contains("Amount"), "{seen}");
    assert_eq!(again(&house, &cash).status, Status::Received);
    assert_eq!(again(&house, &cash).version, cash.version);
}

#[test]
fn what_no_manager_can_let_through_is_not_offered() {
    let house = House::demo();
    let paid = house.order(1, "samosa", 1, Method::Card, "Mira");
    for username in ["asha", "ravi"] {
        let ask = OrderActions { order: paid.id };
        let steps = house.run(house.opened().door.ask(&house.person(username), ask)).expect("the steps");
        let offered = |kind| steps.iter().find(|step| step.event == kind).is_some_and(ActionView::is_offered);
        // A paid order is taken back by its guest, or by the house; what cooks may not do, a PIN lets through.
        assert!(!offered(EventKind::Cancel), "{username}: {steps:#?}");
        assert!(offered(EventKind::StaffCancel) && offered(EventKind::Refund), "{username}: {steps:#?}");
        let needs = |kind| steps.iter().any(|step| step.event == kind && step.with_manager);
        assert_eq!(needs(EventKind::Refund), username == "ravi", "{steps:#?}");
        let mut desk = house.console(80, 24);
        desk.sign_in(username);
        desk.press("a");
        for _ in 0..steps.len() {
            if desk.screen().contains("Only the guest can do this") {
                break;
            }
            desk.press("down");
        }
        assert!(desk.screen().contains("Only the guest can do this"), "{}", desk.screen());
        desk.press("enter");
        assert!(!desk.screen().contains("Reason"), "{}", desk.screen());
        assert_eq!(again(&house, &paid).version, paid.version);
    }
}

#[test]
fn an_order_that_has_moved_on_is_not_moved_twice() {
    let house = House::demo();
    let cash = house.order(1, "samosa", 1, Method::Cash, "Mira");
    let (mut first, mut second) = (house.console(80, 24), house.console(80, 24));
    first.sign_in("asha");
    second.sign_in("ravi");
    first.press("a 1");
    second.press("a 1 enter");
    let accepted = again(&house, &cash);
    assert_eq!(accepted.status, Status::Confirmed, "{}", second.screen());
    first.press("enter");
    assert_eq!(again(&house, &cash).version, accepted.version, "{}", first.screen());
    assert!(first.screen().contains("moved"), "{}", first.screen());
}

#[test]
fn what_is_refunded_in_the_kitchen_stays_on_the_board_and_is_not_to_be_made() {
    let house = House::demo();
    let (door, asha) = (&house.opened().door, house.person("asha"));
    let paid = house.order(1, "samosa", 2, Method::Card, "Mira");
    let part = |quantity| LinePart { line: paid.lines[0].id, quantity, disposal: Disposal::Restock };
    let refund = |amount, quantity| RefundOrder {
        order: paid.id,
        amount: Money(amount),
        lines: vec![part(quantity)],
        reason: "no samosas left".to_owned(),
    };
    let seen = || {
        let view = house.run(door.ask(&asha, ShowKitchen)).expect("the board");
        let to_make: i64 =
            house.run(door.ask(&asha, AllDay::default())).expect("the counts").iter().map(|one| one.to_make).sum();
        let ticket = view.tickets.first().expect("it never vanishes").clone();
        (ticket.refunded, ticket.lines[0].quantity, ticket.lines[0].refunded, to_make)
    };
    assert_eq!(seen(), (false, 2, 0, 2));
    house.run(door.execute(&asha, None, refund(paid.due.0 / 2, 1))).expect("half of it back");
    assert_eq!(seen(), (false, 2, 1, 1));
    house.run(door.execute(&asha, None, refund(paid.due.0 - paid.due.0 / 2, 1))).expect("the rest back");
    assert_eq!(seen(), (true, 2, 2, 0));
    // The kitchen's Reject key takes it off the board.
    let cancel = StaffCancelOrder { order: paid.id, reason: "refunded".to_owned() };
    house.run(door.execute(&asha, None, cancel)).expect("cancelled");
    assert!(house.run(door.ask(&asha, ShowKitchen)).expect("the board").tickets.is_empty());
}

#[test]
fn a_hold_is_taken_off_only_where_there_is_one() {
    let house = House::demo();
    let paid = house.order(1, "samosa", 1, Method::Card, "Mira");
    let mut desk = house.console(120, 40);
    desk.sign_in("asha");
    desk.press("a");
    let seen = desk.screen();
    assert!(seen.contains("Put on hold") && !seen.contains("Off hold"), "{seen}");
    let hold = HoldOrder { order: paid.id, until: None };
    house.run(house.opened().door.execute(&house.person("asha"), None, hold)).expect("held");
    desk.press("esc");
    desk.changed();
    desk.press("a");
    assert!(desk.screen().contains("Off hold"), "{}", desk.screen());
}

/// The days up to ten days ago are archived.
fn archived(house: &House) {
    house.orders();
    house.archived_before(NOON.plus_seconds(-10 * 86_400));
}

#[test]
fn a_list_that_reaches_back_into_archived_days_says_so() {
    keep("orders_archived", "asha", archived, &["f end up right enter enter"]);
    let house = House::demo();
    archived(&house);
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    assert!(!desk.screen().contains("archive"), "today is in the store: {}", desk.screen());
}

/// An order of two dishes that is being cooked.
fn cooking(house: &House) -> OrderView {
    let paid = house.order_all(1, &[("samosa", 2), ("cola", 1)], Method::Card, ("Mira", None));
    let start = StartOrder { order: paid.id };
    house.run(house.opened().door.execute(&house.person("asha"), None, start)).expect("cooking")
}

/// Why it was said to be ready.
fn forced(house: &House, order: &OrderView) -> Option<String> {
    let ask = ShowHistory { order: OrderName::Id(order.id) };
    let history = house.run(house.opened().door.ask(&Caller::System, ask)).expect("the history");
    let ready = history.iter().find(|step| step.transition == "T15").expect("it became ready");
    ready.reason.clone()
}

#[test]
fn an_order_with_open_lines_is_ready_only_with_a_reason() {
    let house = House::demo();
    let order = cooking(&house);
    let mut desk = house.console(120, 40);
    desk.sign_in("asha");
    desk.choose("Ready");
    assert!(desk.screen().contains("Not everything in it is done"), "{}", desk.screen());
    desk.press("enter");
    assert_eq!(again(&house, &order).status, Status::Preparing, "no reason was given");
    desk.type_text("the rest is cold food");
    desk.press("enter");
    assert_eq!(again(&house, &order).status, Status::Ready, "{}", desk.screen());
    assert_eq!(forced(&house, &order).as_deref(), Some("the rest is cold food"));
}

#[test]
fn an_order_whose_lines_are_done_is_ready_without_a_word() {
    let house = House::demo();
    let order = cooking(&house);
    let mut desk = house.console(120, 40);
    desk.sign_in("asha");
    let done = || again(&house, &order).lines.iter().map(|line| line.done).collect::<Vec<_>>();
    // The first line alone, then both, then the second not after all.
    desk.choose("Line done");
    desk.press("enter enter");
    assert!(desk.screen().contains("Choose at least one line"), "{}", desk.screen());
    desk.press("up space down enter");
    assert_eq!(done(), [2, 0], "{}", desk.screen());
    desk.choose("Line done");
    desk.press("enter");
    assert_eq!(done(), [2, 1], "the only one is meant: {}", desk.screen());
    desk.choose("Line not done");
    desk.press("down space enter");
    assert_eq!(done(), [2, 0], "{}", desk.screen());
    desk.choose("Line done");
    desk.press("enter");
    desk.choose("Ready");
    assert!(!desk.screen().contains("Reason"), "{}", desk.screen());
    desk.press("enter");
    assert_eq!(again(&house, &order).status, Status::Ready, "{}", desk.screen());
    assert_eq!(forced(&house, &order), None);
}

#[test]
fn a_refused_step_says_why_and_the_list_stays() {
    let house = House::demo();
    let order = cooking(&house);
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("a end enter");
    let seen = desk.screen();
    assert!(seen.contains("What can be done with"), "{seen}");
    // In the words of the list behind it, not in those of the table.
    let mut said = String::new();
    for _ in 0..30 {
        said.push_str(&desk.screen());
        desk.press("up");
    }
    assert!(said.contains("An order that is cooking cannot take 'Hand over'"), "{said}");
    assert!(!said.contains("that is preparing"), "{said}");
    // A digit is for the list as well: the tab stays.
    desk.press("end enter 9");
    assert!(!desk.screen().contains("No users"), "{}", desk.screen());
    assert!(desk.screen().contains("000-001") || desk.screen().contains("001"), "{}", desk.screen());
    assert_eq!(again(&house, &order).version, order.version);
}

#[test]
fn a_hold_may_end_by_itself_and_what_is_first_is_cooked_first() {
    let house = House::demo();
    let order = cooking(&house);
    let mut desk = house.console(120, 40);
    desk.sign_in("asha");
    desk.choose("Put on hold");
    desk.type_text("15");
    desk.press("enter");
    assert_eq!(again(&house, &order).on_hold_until, Some(house.now().plus_seconds(900)), "{}", desk.screen());
    desk.choose("Put on hold");
    desk.press("enter");
    let held = again(&house, &order).on_hold_until;
    assert!(held > Some(house.now().plus_seconds(86_400)), "until somebody takes it off: {held:?}");
    desk.choose("Cook first");
    desk.press("backspace");
    desk.type_text("5");
    desk.press("enter");
    assert_eq!(again(&house, &order).priority, 5, "{}", desk.screen());
}

/// Keeps the pictures of the form that a step of the order on which the list begins asks for.
pub fn keep_form(name: &str, who: &str, before: impl Fn(&House), (step, words): (&str, &str)) {
    for (width, height) in SIZES {
        let house = House::demo();
        before(&house);
        let mut desk = house.console(width, height);
        desk.sign_in(who);
        desk.settle();
        desk.choose(step);
        assert!(desk.screen().contains(words), "no {words:?} in:\n{}", desk.screen());
        picture(&format!("{name}_{width}x{height}"), &desk.screen());
    }
}

/// A paid order stands ready.
fn stands_ready(house: &House) {
    let order = cooking(house).id;
    let ready = MarkReady { order, forced: Some("all of it stands there".to_owned()) };
    house.run(house.opened().door.execute(&house.person("asha"), None, ready)).expect("ready");
}

/// An order of which a line is cooked.
fn one_line_done(house: &House) {
    let order = cooking(house);
    let lines = order.lines.iter().take(1).map(|line| line.id).collect();
    let done = SetItemsDone { order: order.id, lines, done: true };
    house.run(house.opened().door.execute(&house.person("asha"), None, done)).expect("done");
}

#[test]
fn every_step_that_asks_for_something_has_its_form() {
    let owes = |house: &House| {
        house.order(1, "samosa", 1, Method::Cash, "Mira");
    };
    let unpaid = |house: &House| {
        house.place(1, ("samosa", 1), (Method::Card, false), "Mira");
    };
    keep_form("orders_accept", "asha", owes, ("Accept", "Minutes until ready"));
    keep_form("orders_reject", "asha", owes, ("Reject", "The customer is told"));
    keep_form("orders_priority", "asha", owes, ("Cook first", "Priority"));
    keep_form("orders_say_paid", "asha", unpaid, ("Say that it is paid", "You saw the money"));
    keep_form("orders_say_not_paid", "asha", unpaid, ("Say that it is not paid", "No money came"));
    keep_form("orders_not_collected", "asha", stands_ready, ("Close, not collected", "The money stays"));
    keep_form("orders_line_not_done", "asha", one_line_done, ("Line not done", "Line not done"));
}

#[test]
fn the_forms_of_lines_and_of_force() {
    let cooks = |house: &House| {
        cooking(house);
    };
    keep("orders_items_done", "asha", cooks, &["a 1"]);
    keep("orders_ready_forced", "asha", cooks, &["a 2"]);
    keep("orders_steps_refused", "asha", cooks, &["a end up up enter"]);
}
