//! Who may ask which question: every question of the console against every role, through the real door,
//! and every other query of the program by its permission, as the tables here say (transcribed by hand).

use super::house::House;
use super::{NOBODY, everybody, permission};
use servery::domain::error::ErrorCode;
use servery::domain::ids::{OrderId, ShiftId};
use servery::service::archived_days::ShowArchivedDays;
use servery::service::audit::{AuditList, SealsStatus};
use servery::service::deliveries::{ListCouriers, ShowDelivery};
use servery::service::menu_book::MenuBook;
use servery::service::menu_import::{MenuExport, MenuPreview};
use servery::service::notices::ListNotices;
use servery::service::order_actions::OrderActions;
use servery::service::order_queries::{ListOrders, OrderName, ShowHistory, ShowOrder};
use servery::service::promotions::ListPromotions;
use servery::service::reports::{
    BusinessToday, HoursReport, ItemsReport, RefundsAndWaste, SalesReport, SpeedReport, Statistics,
};
use servery::service::settings::{ListSettings, SettingHistory};
use servery::service::site_info::ThisSite;
use servery::service::staff::ListStaff;
use servery::service::stock_forecast::{StockForecast, StockHolders};
use servery::service::stock_ledger::StockLedger;
use servery::service::terminals::ListTerminals;
use servery::service::till::TillStatus;
use servery::service::till_reports::{ClosedShifts, OpenShifts, WaitingCashRefunds};
use servery::tui::screens::console::Ask;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Everybody who reads orders.
const READS: &str = "screen|kitchen|delivery|admin|kitchen_pin|delivery_pin|system";
/// Whoever reads orders, and guests, who find their own alone.
const OWN: &str = "guest|screen|kitchen|delivery|admin|kitchen_pin|delivery_pin|system";
/// What the kitchen sees of the goods; couriers need a manager's PIN.
const GOODS: &str = "screen|kitchen|admin|kitchen_pin|delivery_pin|system";
/// Who works at a till.
const TILL: &str = "kitchen|admin|kitchen_pin|delivery_pin|system";
/// Managers alone.
const MANAGERS: &str = "admin|kitchen_pin|delivery_pin|system";
/// The house itself.
const HOUSE: &str = "system";
/// Guests with a cart, and staff who order for one.
const CARTS: &str = "guest|kitchen|admin|kitchen_pin|delivery_pin|system";

/// What the console asks, by the name of the query.
fn asked() -> Vec<(&'static str, &'static str, Ask)> {
    let (id, item) = (OrderId(NOBODY), "nothing".to_owned());
    let order = || OrderName::Id(id);
    let from = chrono::NaiveDate::from_ymd_opt(2027, 1, 1).expect("a day");
    let to = from;
    vec![
        ("ThisSite", OWN, Ask::Site(ThisSite)),
        ("ListOrders", OWN, Ask::Orders(ListOrders::default())),
        ("ShowOrder", OWN, Ask::Order(ShowOrder { order: order() })),
        ("ShowHistory", OWN, Ask::History(ShowHistory { order: order() })),
        ("ShowArchivedDays", READS, Ask::Archived(ShowArchivedDays)),
        ("OrderActions", READS, Ask::Actions(OrderActions { order: id })),
        ("ShowDelivery", READS, Ask::Delivery(ShowDelivery { order: order() })),
        ("ListCouriers", READS, Ask::Couriers(ListCouriers { order: None })),
        ("ListNotices", OWN, Ask::Notices(ListNotices { filter: Default::default(), after: None, limit: 1 })),
        ("MenuBook", MANAGERS, Ask::MenuBook(MenuBook::default())),
        ("MenuExport", MANAGERS, Ask::MenuExport(MenuExport)),
        ("MenuPreview", MANAGERS, Ask::MenuPreview(MenuPreview { file: Default::default() })),
        ("ListPromotions", MANAGERS, Ask::Promotions(ListPromotions { limit: 10, ..ListPromotions::default() })),
        ("ListSettings", MANAGERS, Ask::Settings(ListSettings)),
        (
            "SettingHistory",
            MANAGERS,
            Ask::SettingHistory(SettingHistory { key: "auto_ready".to_owned(), after: None, limit: 1 }),
        ),
        ("StockForecast", GOODS, Ask::Forecast(StockForecast { filter: Default::default(), after: None, limit: 1 })),
        (
            "StockLedger",
            GOODS,
            Ask::Ledger(StockLedger { item: item.clone(), filter: Default::default(), after: None, limit: 1 }),
        ),
        ("StockHolders", GOODS, Ask::Holders(StockHolders { item })),
        ("OpenShifts", TILL, Ask::Shifts(OpenShifts)),
        ("TillStatus", TILL, Ask::Till(TillStatus { shift: Some(ShiftId(NOBODY)) })),
        ("ClosedShifts", TILL, Ask::PastShifts(ClosedShifts { filter: Default::default(), after: None, limit: 1 })),
        ("WaitingCashRefunds", TILL, Ask::CashRefunds(WaitingCashRefunds::default())),
        ("ListStaff", MANAGERS, Ask::Staff(ListStaff::default())),
        ("ListTerminals", MANAGERS, Ask::Terminals(ListTerminals)),
        ("BusinessToday", MANAGERS, Ask::Today(BusinessToday)),
        ("SalesReport", MANAGERS, Ask::SalesReport(SalesReport { from, to })),
        ("ItemsReport", MANAGERS, Ask::ItemsReport(ItemsReport { from, to })),
        ("HoursReport", MANAGERS, Ask::HoursReport(HoursReport { from, to })),
        ("SpeedReport", MANAGERS, Ask::SpeedReport(SpeedReport { from, to })),
        ("RefundsAndWaste", MANAGERS, Ask::RefundsReport(RefundsAndWaste { from, to })),
        ("Statistics", MANAGERS, Ask::StatisticsReport(Statistics { from, to })),
        ("AuditList", MANAGERS, Ask::Audit(AuditList::default())),
        ("SealsStatus", MANAGERS, Ask::Seals(SealsStatus)),
    ]
}

/// All other queries: whoever has the permission that stands in the program's text.
const OTHERS: &[(&str, &str)] = &[
    ("PlanArchive", MANAGERS),
    ("ShowRows", MANAGERS),
    ("StockList", GOODS),
    ("OnlyAdmin", HOUSE),
    ("WhoAmI", OWN),
    ("ListShifts", TILL),
    ("LastBackups", HOUSE),
    ("MayLook", MANAGERS),
    ("EventsAfter", READS),
    ("NewestEvent", READS),
    ("WhyNot", READS),
    ("OrderNotices", OWN),
    ("MayVerify", MANAGERS),
    ("MenuNow", OWN),
    ("ItemDetail", OWN),
    ("ShowKitchen", READS),
    ("AllDay", READS),
    ("ShowBoard", OWN),
    ("Look", HOUSE),
    ("DueOrders", HOUSE),
    ("DueAttempts", HOUSE),
    ("DueRefunds", HOUSE),
    ("DueHousekeeping", HOUSE),
    ("ShowWorker", HOUSE),
    ("ShowNumbers", MANAGERS),
    ("MayExamine", MANAGERS),
    ("LastExamination", HOUSE),
    ("ShowCart", CARTS),
    ("OneStaff", MANAGERS),
    ("WantsDemo", HOUSE),
];

fn words(who: &str) -> BTreeSet<&str> {
    who.split('|').collect()
}

/// Every query in the program's own text, and the word of its permission.
fn program() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the program") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            for part in text.split("\nimpl Query for ").skip(1) {
                let (name, rest) = part.split_once(" {").expect("a name ends");
                let (_, rest) = rest.split_once("const PERMISSION: Permission = Permission::").expect("a permission");
                let (permission, _) = rest.split_once(';').expect("a permission ends");
                let twice = found.insert(name.to_owned(), permission.to_owned());
                assert_eq!(twice, None, "two queries are called {name}");
            }
        }
    }
    found
}

#[test]
fn every_query_stands_in_one_of_the_tables() {
    let program = program();
    let asked: BTreeSet<&str> = asked().iter().map(|(name, ..)| *name).collect();
    let others: BTreeSet<&str> = OTHERS.iter().map(|(name, _)| *name).collect();
    assert!(asked.is_disjoint(&others), "in one of them");
    let known: BTreeSet<&str> = program.keys().map(String::as_str).collect();
    assert!(known.len() > 50, "the program was read: {known:?}");
    let both: BTreeSet<&str> = asked.union(&others).copied().collect();
    assert_eq!(both, known, "the tables on the left, the program on the right");
    // What the console asks is asked here for real.
    let text = include_str!("../../src/tui/screens/console/message.rs");
    let (_, questions) = text.split_once("\nquestions! {").expect("the console's questions");
    let (questions, _) = questions.split_once("\n}").expect("they end");
    let named = |line: &'static str| Some(line.trim().strip_suffix("),")?.split_once('(')?.1);
    let console: BTreeSet<&str> = questions.lines().filter_map(named).collect();
    assert_eq!(asked, console, "the table on the left, the console on the right");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_is_answered_where_the_tables_say_and_nowhere_else() {
    for house in House::both().await {
        let everybody = everybody(&house).await;
        let mut wrong = Vec::new();
        for (name, who, ask) in asked() {
            let mut answered = BTreeSet::new();
            for (word, caller, _) in &everybody {
                let refused = ask.clone().answer(&house.door, caller, None).await.err();
                match refused.as_ref().map(|refused| refused.code) {
                    Some(ErrorCode::InsufficientRole) => {}
                    Some(
                        ErrorCode::InternalError
                        | ErrorCode::StoreUnavailable
                        | ErrorCode::TokenExpired
                        | ErrorCode::InvalidToken,
                    ) => panic!("{name} as {word}: {refused:?}"),
                    _ => {
                        answered.insert(*word);
                    }
                }
            }
            if answered != words(who) {
                wrong.push(format!("{name}: answered {answered:?}, the table says {:?}", words(who)));
            }
        }
        let program = program();
        for (name, who) in OTHERS {
            let needed = permission(&program[*name]);
            let may = everybody.iter().filter(|(.., actor)| actor.may(needed)).map(|(word, ..)| *word);
            let may: BTreeSet<&str> = may.collect();
            if may != words(who) {
                wrong.push(format!("{name}: {needed} is {may:?}, the table says {:?}", words(who)));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
