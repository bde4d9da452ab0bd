//! The console's reports: pictures of each, the days, and the files.

#![expect(clippy::expect_used, reason = "a helper of tests, which clippy does not know as a test")]

use super::house::{House, NOON};
use super::keep;
use servery::domain::money::Money;
use servery::domain::order::{Disposal, LinePart};
use servery::domain::payment::Method;
use servery::service::orders::{HandOver, MarkReady, RefundOrder, StartOrder};
use servery::service::report_csv;
use servery::service::report_views::SalesView;
use servery::service::reports::SalesReport;
use servery::service::{Caller, UseCase, sign_in};

/// To the reports, and so many of them on.
const THERE: &str = ": r e p o r t s enter";

fn does<U: UseCase>(house: &House, caller: &Caller, command: U) {
    house.run(house.opened().door.execute(caller, None, command)).expect("done");
}

/// Asha, signed in anew: a session does not outlive the day.
fn asha(house: &House) -> Caller {
    let (door, secrets) = (&house.opened().door, &house.opened().secrets);
    let signed = house.run(sign_in::login(door, secrets, None, "asha", "demo-asha-2026")).expect("signed in");
    Caller::Session { token: signed.token, terminal: None, override_by: None }
}

/// Three days with some orders: cooked, handed over, one given back in part and thrown away.
fn days(house: &House) {
    let mut number = 0;
    for day in 0..3 {
        let asha = asha(house);
        for (at, code, quantity, method) in [
            (0, "samosa", 2, Method::Card),
            (1_800, "onion-bhaji", 1 + day, Method::Card),
            (3_600, "cola", 3, Method::Card),
            (600, "samosa", 1, Method::Cash),
        ] {
            house.wait(at);
            number += 1;
            let order = house.order(number, code, quantity, method, "Mira");
            if method == Method::Cash {
                continue;
            }
            does(house, &asha, StartOrder { order: order.id });
            house.wait(300 + 120 * i64::try_from(number).expect("small"));
            does(house, &asha, MarkReady { order: order.id, forced: Some("all of it is there".to_owned()) });
            does(house, &asha, HandOver { order: order.id });
            if number % 4 == 1 {
                let line = order.lines.first().expect("a line");
                let lines = vec![LinePart { line: line.id, quantity: 1, disposal: Disposal::Waste }];
                let amount = Money(order.due.0 / 2);
                let reason = "was cold".to_owned();
                does(house, &asha, RefundOrder { order: order.id, amount, lines, reason });
            }
        }
        if day < 2 {
            house.wait(86_400 - 9_000);
        }
    }
}

#[test]
fn every_report_has_a_picture() {
    keep("reports_none", "asha", |_| {}, &[THERE]);
    keep("reports_sales", "asha", days, &[THERE]);
    keep("reports_items", "asha", days, &[THERE, "right"]);
    keep("reports_items_by_quantity", "asha", days, &[THERE, "right s"]);
    keep("reports_hours", "asha", days, &[THERE, "right right"]);
    keep("reports_speed", "asha", days, &[THERE, "right right right"]);
    keep("reports_refunds", "asha", days, &[THERE, "left left"]);
    keep("reports_statistics", "asha", days, &[THERE, "left"]);
    keep("reports_days", "asha", days, &[THERE, "r"]);
    keep("reports_between", "asha", days, &[THERE, "r 6"]);
    keep("reports_export", "asha", days, &[THERE, "w"]);
}

#[test]
fn months_are_told_month_by_month_with_their_course() {
    let year = "home delete delete delete delete 2 0 2 5 enter enter";
    keep("reports_sales_year", "asha", days, &[THERE, "r 6", year]).showing("2025-11");
    // Two years of months are longer than either screen.
    let years = "home delete delete delete delete 2 0 2 2 enter enter";
    keep("reports_scrolled", "asha", days, &[THERE, "r 6", years, "end"]).showing("2026-10");
}

#[test]
fn a_report_of_other_days_is_one_key_away_and_a_wrong_range_says_so() {
    let house = House::demo();
    days(&house);
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press(THERE);
    desk.press("r 1");
    assert!(desk.screen().contains("today · 2026-11-23"), "{}", desk.screen());
    desk.press("r 2");
    assert!(desk.screen().contains("yesterday · 2026-11-22"), "{}", desk.screen());
    desk.press("r 6 enter");
    desk.press("backspace backspace 0 1 enter");
    assert!(desk.screen().contains("before the first one"), "{}", desk.screen());
    desk.press("backspace backspace 2 3 enter");
    assert!(desk.screen().contains("2026-11-22 to 2026-11-23"), "{}", desk.screen());
    house.order(99, "samosa", 7, Method::Card, "");
    desk.changed();
    assert!(desk.screen().contains("2026-11-22 to 2026-11-23"), "the days outlive a reload: {}", desk.screen());
}

#[test]
fn files_hold_what_the_command_line_prints() {
    let house = House::demo();
    days(&house);
    let mut desk = house.console(120, 40);
    desk.sign_in("asha");
    desk.press(THERE);
    desk.press("w 1");
    let seen = desk.screen();
    assert!(seen.contains("Written to") && seen.contains("sales-20261117-20261123.csv"), "{seen}");
    let folder = house.opened().config.state_folder.join("exports");
    let written = std::fs::read_to_string(folder.join("sales-20261117-20261123.csv")).expect("a file");
    let day = |text: &str| text.parse().expect("a day");
    let ask = SalesReport { from: day("2026-11-17"), to: day("2026-11-23") };
    let view: SalesView = house.run(house.opened().door.ask(&Caller::System, ask)).expect("sales");
    assert!(view.whole.orders > 3);
    assert_eq!(written, report_csv::sales(&view, house.opened().site.currency).expect("a table"));

    desk.press("w 2");
    let json = std::fs::read_to_string(folder.join("sales-20261117-20261123.json")).expect("a file");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let net = Money(view.whole.net).plain(house.opened().site.currency);
    assert_eq!(json["whole"]["net"].as_str(), Some(net.as_str()), "amounts are decimals: {json:#}");
    assert_eq!(json["from"].as_str(), Some("2026-11-17"));
}

#[test]
fn whoever_may_not_read_reports_is_not_offered_them() {
    let house = House::demo();
    let mut desk = house.console(80, 24);
    desk.sign_in("ravi");
    let seen = desk.screen();
    assert!(!seen.contains("Reports") && !seen.contains("Audit") && !seen.contains("Health"), "{seen}");
}

#[test]
fn a_report_that_reaches_back_into_archived_days_says_so() {
    let archived = |house: &House| {
        house.orders();
        house.archived_before(NOON.plus_seconds(-10 * 86_400));
    };
    keep("reports_archived", "asha", archived, &[THERE, "r", "4"]);
    let house = House::demo();
    archived(&house);
    let mut desk = house.console(80, 24);
    desk.sign_in("asha");
    desk.press(THERE);
    assert!(!desk.screen().contains("archive"), "these days are in the store: {}", desk.screen());
}
