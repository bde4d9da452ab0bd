//! The console's till: pictures, and a shift from its float to its count.

#![expect(clippy::expect_used, reason = "a helper of tests, which clippy does not know as a test")]

use super::house::{Desk, House};
use super::keep;
use servery::domain::payment::{AttemptMethod, Method};
use servery::service::Caller;
use servery::service::orders::{ConfirmCash, OverridePayment, StaffCancelOrder};
use servery::service::terminals::{TerminalRole, register};
use servery::service::till::{CashDrop, CashIn, TillClose, TillOpen, TillReport, TillStatus};
use servery::service::till_reports::{ClosedShifts, OpenShifts, WaitingCashRefunds};
use servery::service::views::OrderView;

fn report(house: &House) -> Option<TillReport> {
    let door = &house.opened().door;
    let open = house.run(door.ask(&Caller::System, OpenShifts)).expect("the open shifts");
    let shift = Some(open.first()?.shift.id);
    house.run(door.ask(&Caller::System, TillStatus { shift })).expect("a report")
}

/// An order that owes its money in cash, and the money.
fn pay(house: &House, order: &OrderView) {
    let (door, asha) = (&house.opened().door, house.person("asha"));
    let paid = ConfirmCash { order: order.id, tendered: order.due };
    house.run(door.execute(&asha, None, paid)).expect("paid");
}

/// An open drawer that has seen something.
fn busy(house: &House) {
    let (door, ravi) = (&house.opened().door, house.person("ravi"));
    house.run(door.execute(&ravi, None, TillOpen { float: 100_000 })).expect("opened");
    let orders = house.orders();
    pay(house, &orders[1]);
    house.wait(300);
    let brought = CashIn { shift: None, amount: 20_000, reason: "change from the bank".into() };
    house.run(door.execute(&ravi, None, brought)).expect("laid in");
    let safe = CashDrop { shift: None, amount: 50_000, reason: "noon".into() };
    house.run(door.execute(&ravi, None, safe)).expect("dropped");
}

/// A cash refund that waits to be paid out.
fn refund(house: &House) {
    let door = &house.opened().door;
    let asha = house.person("asha");
    let placed = house.place(50, ("samosa", 1), (Method::Card, false), "Lin");
    let order = placed.order.id;
    let seen = OverridePayment { order, paid: true, reason: "seen at the bank".into() };
    house.run(door.execute(&asha, None, seen)).expect("paid");
    let cancel = StaffCancelOrder { order, reason: "allergy".into() };
    house.run(door.execute(&asha, None, cancel)).expect("cancelled");
}

fn busy_with_refund(house: &House) {
    busy(house);
    refund(house);
}

/// Drawers at two terminals.
fn two_drawers(house: &House) {
    busy(house);
    let door = &house.opened().door;
    let bar = house.run(register(door, "bar", TerminalRole::Kitchen)).expect("registered");
    let Caller::Session { token, .. } = house.person("asha") else { unreachable!("somebody signed in") };
    let there = Caller::Session { token, terminal: Some(bar), override_by: None };
    house.run(door.execute(&there, None, TillOpen { float: 30_000 })).expect("opened");
}

/// A day before, closed with a rupee missing.
fn day_before(house: &House) {
    let (door, ravi) = (&house.opened().door, house.person("ravi"));
    house.run(door.execute(&ravi, None, TillOpen { float: 50_000 })).expect("opened");
    let close = TillClose { shift: None, counted: 49_900, note: Some("one coin fell".into()), force: None };
    house.run(door.execute(&ravi, None, close)).expect("closed");
    house.wait(600);
}

#[test]
fn the_till_in_every_state() {
    keep("till_closed", "ravi", |_| {}, &["3"]);
    keep("till_closed_refund", "ravi", refund, &["3"]);
    keep("till_open_form", "ravi", |_| {}, &["3", "o"]);
    keep("till_shift", "ravi", busy_with_refund, &["3"]);
    keep("till_several", "ravi", two_drawers, &["3"]).showing("Should hold");
    keep("till_cash_in", "ravi", busy, &["3", "i", "2 0 x"]);
    keep("till_drop", "ravi", busy, &["3", "d", "2 0"]).showing("safe");
    keep("till_payout", "ravi", busy, &["3", "p", "2 0"]).showing("Reason");
    keep("till_payouts", "ravi", busy_with_refund, &["3", "p"]);
    keep("till_refund", "ravi", busy_with_refund, &["3", "p enter"]);
    keep("till_x_report", "ravi", busy, &["3", "x"]);
    keep("till_count", "ravi", busy, &["3", "z"]);
    keep("till_confirm", "ravi", busy, &["3", "z", "7 0 0 enter"]);
    keep("till_cash_orders_open", "ravi", busy, &["3", "z", "7 0 0 enter space enter enter"]);
    keep("till_forced", "ravi", busy, &["3", "z", "7 0 0 enter space enter enter", "f i r e enter"]);
    keep("till_past_none", "ravi", |_| {}, &["3", "h"]);
    keep("till_past", "ravi", day_before, &["3", "h"]);
    keep("till_past_filter", "ravi", day_before, &["3", "h f"]);
    keep("till_past_narrowed", "ravi", day_before, &["3", "h f", "b a r enter r a v enter enter enter"]);
    keep("till_z_report", "ravi", day_before, &["3", "h enter"]);
}

fn open(desk: &mut Desk<'_>, float: &str) {
    desk.press("3 o");
    desk.type_text(float);
    desk.press("enter");
}

#[test]
fn a_shift_goes_from_its_float_to_its_count() {
    let house = House::demo();
    let mut desk = house.console(80, 24);
    desk.sign_in("ravi");
    open(&mut desk, "100");
    assert_eq!(report(&house).expect("open").shift.float, 10_000, "{}", desk.screen());
    desk.press("i 2 0 enter");
    desk.type_text("coins");
    desk.press("enter d 5 0 enter");
    desk.type_text("to the safe");
    desk.press("enter p 1 0 enter");
    desk.type_text("milk");
    desk.press("enter");
    let now = report(&house).expect("open");
    let sums = (now.cash_in.amount, now.drops.amount, now.payouts.amount, now.shift.expected);
    assert_eq!(sums, (2_000, -5_000, -1_000, 6_000), "{}", desk.screen());
    desk.press("d 9 9 9 enter");
    desk.type_text("too much");
    desk.press("enter");
    assert_eq!(report(&house).expect("open").shift.expected, 6_000);
    assert!(desk.screen().contains("holds"), "{}", desk.screen());
    desk.press("esc z 5 9 enter");
    assert!(desk.screen().contains("short"), "{}", desk.screen());
    desk.press("enter enter");
    assert!(report(&house).is_some(), "a second Enter never closes a shift: {}", desk.screen());
    desk.press("space enter");
    desk.type_text("one is missing");
    desk.press("enter");
    assert!(report(&house).is_none(), "{}", desk.screen());
    let past = house.run(house.opened().door.ask(&Caller::System, ClosedShifts::default())).expect("the past");
    let closed = &past.items.first().expect("one").shift;
    assert_eq!((closed.over_short, closed.note.as_deref()), (Some(-100), Some("one is missing")));
    assert!(desk.screen().contains("Z report"), "what was closed is shown: {}", desk.screen());
}

#[test]
fn a_shift_is_not_closed_over_open_cash_orders_unless_a_manager_says_why() {
    let house = House::demo();
    house.order(1, "samosa", 1, Method::Cash, "Mira");
    let mut desk = house.console(80, 24);
    desk.sign_in("ravi");
    open(&mut desk, "10");
    desk.press("z 1 0 enter space enter enter");
    assert!(desk.screen().contains("still owe"), "{}", desk.screen());
    assert!(report(&house).is_some());
    desk.type_text("fire alarm");
    desk.press("enter");
    assert!(desk.screen().contains("manager") && report(&house).is_some(), "{}", desk.screen());
    desk.type_text("asha");
    desk.press("enter");
    desk.type_text("271828");
    desk.press("enter");
    assert!(report(&house).is_none(), "{}", desk.screen());
    // A manager's own reason is enough.
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press("4 o");
    desk.type_text("10");
    desk.press("enter z 1 0 enter space enter enter");
    desk.type_text("fire alarm");
    desk.press("enter");
    assert!(report(&house).is_none(), "{}", desk.screen());
}

#[test]
fn a_refund_that_waits_is_handed_over_from_the_drawer() {
    let house = House::demo();
    refund(&house);
    let mut desk = house.console(80, 24);
    desk.sign_in("ravi");
    open(&mut desk, "1000");
    let waiting = || {
        let ask = house.opened().door.ask(&Caller::System, WaitingCashRefunds::default());
        house.run(ask).expect("what waits").items
    };
    let amount = waiting().first().expect("one").amount;
    desk.press("p enter enter");
    assert_eq!(waiting(), [], "{}", desk.screen());
    let now = report(&house).expect("open");
    assert_eq!((now.refunds.amount, now.shift.expected), (-amount, 100_000 - amount));
}

#[test]
fn an_x_report_says_what_the_whole_place_took_and_the_z_report_the_same_for_good() {
    let house = House::demo();
    // Paid before the till was opened: of another shift.
    house.order(90, "samosa", 1, Method::Card, "Early");
    house.wait(60);
    busy(&house);
    let x = report(&house).expect("open").takings.expect("nothing is archived");
    let of = |method: AttemptMethod| x.by_method.iter().find(|sales| sales.method == method).expect("used").figures;
    let (card, cash) = (of(AttemptMethod::Card), of(AttemptMethod::Cash));
    assert_eq!((card.orders, card.gross, card.tax_added, card.collected), (2, 30_000, 3_840, 33_840));
    assert_eq!((cash.orders, cash.gross, cash.tax_added, cash.net), (1, 8_000, 400, 8_400));
    assert_eq!((x.whole.orders, x.whole.collected, x.whole.refunded, x.whole.net), (3, 42_240, 0, 42_240));
    let door = &house.opened().door;
    let close = TillClose { shift: None, counted: 78_400, note: None, force: Some("closing time".into()) };
    let asha = house.person("asha");
    let z = house.run(door.execute(&asha, None, close)).expect("closed");
    assert_eq!(z.takings.as_ref(), Some(&x));
    house.wait(60);
    house.order(91, "samosa", 1, Method::Card, "Late");
    let again = TillStatus { shift: Some(z.shift.id) };
    let again = house.run(door.ask(&Caller::System, again)).expect("a report").expect("the shift");
    assert_eq!(again.takings, Some(x), "what comes after the close is of another shift");
}

#[test]
fn a_report_is_written_to_a_file() {
    let house = House::demo();
    busy(&house);
    let mut desk = house.console(80, 24);
    desk.sign_in("ravi");
    desk.press("3 x w");
    assert!(desk.screen().contains("x-report-20261121"), "{}", desk.screen());
    let folder = house.opened().config.state_folder.join("exports");
    let file = std::fs::read_dir(folder).expect("the folder").next().expect("a file").expect("an entry").path();
    let text = std::fs::read_to_string(file).expect("the report");
    assert!(text.contains("change from the bank") && text.contains("Should be in the drawer"), "{text}");
    assert!(text.contains("Net ") && text.contains("card, net (2)"), "what the place took: {text}");
}
