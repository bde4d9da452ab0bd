//! Who may give which command: every use case of the program against every role, through the real
//! door, on both databases, as `fixtures/permissions.tsv` says (transcribed by hand). A use case that
//! the fixture does not name fails the test, and so does a line of it that names none. Questions stand in
//! `queries`.

#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, which clippy does not know as tests"
)]

mod house;
#[path = "permissions/queries.rs"]
mod queries;
mod support;

use house::{House, session};
use servery::domain::access::{Actor, Permission, Role};
use servery::domain::error::{ErrorCode, Refused};
use servery::domain::ids::{AttemptId, CustomerId, OrderId, RefundId, StaffId, TerminalId};
use servery::domain::time::Timestamp;
use servery::service::archive::{ArchiveBatch, ArchiveReport, BeginArchive, EndArchive};
use servery::service::envelope::Envelope;
use servery::service::orders::{RunTimer, Timer};
use servery::service::payments::{ApplyCharge, ChargeResult, PostponeRefund, SettleRefund};
use servery::service::settings::{ListSettings, SetSetting};
use servery::service::staff::{self, NewStaff};
use servery::service::terminals::{self, Heartbeat, RegisterTerminal, RevokeTerminal, TerminalRole};
use servery::service::worker_writes::{AskAgain, ExpireCarts, ForgetKeys};
use servery::service::{Caller, UseCase};
use servery::store::archive::{Part, Run};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use uuid::Uuid;

const FIXTURE: &str = include_str!("fixtures/permissions.tsv");
/// An id that nothing has.
const NOBODY: Uuid = Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001);

/// A line of the fixture.
struct Line {
    name: &'static str,
    who: BTreeSet<&'static str>,
    command: &'static str,
}

fn lines() -> Vec<Line> {
    let written = FIXTURE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).skip(1);
    let read = |line: &'static str| {
        let columns: Vec<&str> = line.split('\t').collect();
        let [name, who, command] = columns[..] else { panic!("three columns: {line}") };
        Line { name, who: who.split('|').collect(), command }
    };
    written.map(read).collect()
}

/// Every use case in the program's own text: its name, and the word of its permission.
fn program() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the program") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("a file of the program");
                collect(&text, &mut found);
            }
        }
    }
    found
}

/// The use cases of one file. `const NAME: &'static str = "…"` is followed by its PERMISSION; one that
/// hands another on (`U::NAME`) is none of its own. `order_event!` gives name and permission in a row.
fn collect(text: &str, found: &mut BTreeMap<String, String>) {
    let mut add = |name: &str, permission: &str| {
        let twice = found.insert(name.to_owned(), permission.to_owned());
        assert_eq!(twice, None, "two use cases are called {name}");
    };
    for part in text.split("const NAME: &'static str = \"").skip(1) {
        let (name, rest) = part.split_once('"').expect("a name ends");
        let (_, rest) = rest.split_once("const PERMISSION: Permission = Permission::").expect("a permission");
        let (permission, _) = rest.split_once(';').expect("a permission ends");
        add(name, permission);
    }
    for part in text.split("\norder_event!(").skip(1) {
        let (_, rest) = part.split_once(", \"").expect("a name begins");
        let (name, rest) = rest.split_once("\", ").expect("a name ends");
        let (permission, _) = rest.split_once(',').expect("a permission ends");
        add(name, permission);
    }
    let (all, counted) = (text.matches(" UseCase for ").count(), text.matches("const NAME: &'static str = ").count());
    // `order_event!` is one implementation that serves for all of its commands.
    assert_eq!(all, counted, "an implementation without its name");
}

fn permission(word: &str) -> Permission {
    let known = Permission::ALL.iter().find(|permission| format!("{permission:?}") == word);
    *known.unwrap_or_else(|| panic!("no permission {word}"))
}

#[test]
fn every_use_case_stands_in_the_fixture_once() {
    let lines = lines();
    let names: BTreeSet<&str> = lines.iter().map(|line| line.name).collect();
    assert_eq!(names.len(), lines.len(), "each once");
    let program = program();
    let known: BTreeSet<&str> = program.keys().map(String::as_str).collect();
    assert!(known.len() > 90, "the program was read: {known:?}");
    assert_eq!(names, known, "the fixture on the left, the program on the right");
}

/// Everybody who knocks at the door, by the words of the fixture.
async fn everybody(house: &House) -> Vec<(&'static str, Caller, Actor)> {
    let terminal = house.terminal("kitchen-1", TerminalRole::Kitchen).await;
    let (asha, ravi, noor) = (house.enter("asha").await, house.enter("ravi").await, house.enter("noor").await);
    let pin = staff::verify_override(&house.door, &house.secrets, None, Some("asha"), "271828").await.expect("PIN");
    let with_pin = |token: &str| Caller::Session { token: token.to_owned(), terminal: None, override_by: Some(pin) };
    let guest = CustomerId(Uuid::from_u128(6));
    let person = |role, with: Option<StaffId>| Actor { override_by: with, ..Actor::staff(asha.staff, role, "x", None) };
    vec![
        ("guest", Caller::Guest { customer: guest, terminal: None }, Actor::guest(guest, None)),
        ("screen", Caller::Terminal(terminal), Actor::kitchen_terminal(terminal, "x")),
        ("kitchen", session(&ravi, None), person(Role::Kitchen, None)),
        ("delivery", session(&noor, None), person(Role::Delivery, None)),
        ("admin", session(&asha, None), person(Role::Admin, None)),
        ("kitchen_pin", with_pin(&ravi.token), person(Role::Kitchen, Some(pin))),
        ("delivery_pin", with_pin(&noor.token), person(Role::Delivery, Some(pin))),
        ("system", Caller::System, Actor::system()),
        ("gateway", Caller::Gateway("test"), Actor::gateway("test")),
    ]
}

/// Gives a command of the test's own making.
async fn typed(house: &House, caller: &Caller, name: &str) -> Result<(), Refused> {
    let (door, secrets) = (&house.door, &house.secrets);
    let (order, staff, terminal) = (OrderId(NOBODY), StaffId(NOBODY), TerminalId(NOBODY));
    async fn run<U: UseCase>(house: &House, caller: &Caller, use_case: U) -> Result<(), Refused> {
        house.door.execute(caller, None, use_case).await.map(drop)
    }
    match name {
        "staff_add" => {
            let new = NewStaff {
                username: "walker",
                name: "Walker",
                role: Role::Kitchen,
                password: "a-long-password",
                pin: None,
            };
            staff::add_staff(door, secrets, caller, None, &new).await.map(drop)
        }
        "staff_set_secret" => staff::set_pin(door, secrets, caller, staff, "602214", "a test").await.map(drop),
        "terminal_set_exit_pin" => terminals::set_exit_pin(door, secrets, caller, terminal, "602214", "").await,
        "terminal_revoke" => run(house, caller, RevokeTerminal { terminal, reason: "walk".to_owned() }).await,
        "terminal_register" => {
            let new = RegisterTerminal { name: "walk".to_owned(), role: TerminalRole::Board, software_version: None };
            run(house, caller, new).await
        }
        "terminal_heartbeat" => run(house, caller, Heartbeat { terminal, software_version: None }).await,
        "run_timer" => run(house, caller, RunTimer { order, timer: Timer::Expire }).await,
        "apply_charge" => {
            let result =
                ChargeResult::Failed { reason: "walk".to_owned(), unresolved: false, brand: None, last_four: None };
            let attempt = Some(AttemptId(NOBODY));
            run(house, caller, ApplyCharge { order, attempt, gateway: "test".to_owned(), result }).await
        }
        "settle_refund" => run(house, caller, SettleRefund { order, refund: RefundId(NOBODY), failed: None }).await,
        "postpone_refund" => {
            let refund = RefundId(NOBODY);
            run(house, caller, PostponeRefund { order, refund, error: "walk".to_owned(), seconds: 1 }).await
        }
        "expire_carts" => run(house, caller, ExpireCarts { before: Timestamp(0) }).await,
        "forget_keys" => run(house, caller, ForgetKeys { before: Timestamp(0), limit: 1 }).await,
        "ask_again" => run(house, caller, AskAgain { order, attempt: AttemptId(NOBODY), seconds: Some(1) }).await,
        "archive_begin" => {
            let before = chrono::NaiveDate::from_ymd_opt(2020, 1, 1).expect("a day");
            run(house, caller, BeginArchive { before, file: "x".to_owned(), reason: String::new() }).await
        }
        "archive_batch" => {
            let part = Part::Orders(vec![(NOBODY, 1)]);
            let run_row = Run {
                id: NOBODY,
                before: Timestamp(0),
                file_name: "x".to_owned(),
                hash: String::new(),
                counts: BTreeMap::new(),
            };
            run(house, caller, ArchiveBatch { part, run: run_row }).await
        }
        "archive_end" => {
            let report = ArchiveReport {
                before: chrono::NaiveDate::from_ymd_opt(2020, 1, 1).expect("a day"),
                file: "x".into(),
                sha256: String::new(),
                batches: 0,
                counts: BTreeMap::new(),
                longest_batch_ms: 0,
                held_back: 0,
                held_back_orders: Vec::new(),
            };
            run(house, caller, EndArchive { report }).await
        }
        other => panic!("the test gives no {other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_is_let_in_where_the_fixture_says_and_nowhere_else() {
    let program = program();
    for house in House::both().await {
        let everybody = everybody(&house).await;
        let mut wrong = Vec::new();
        for line in lines() {
            let mut entered = BTreeSet::new();
            for (word, caller, actor) in &everybody {
                let refused = match line.command {
                    "inside" => actor.require(permission(&program[line.name])).err(),
                    "typed" => typed(&house, caller, line.name).await.err(),
                    json => {
                        let command = Envelope::from_json(&json.replace('@', &NOBODY.to_string()));
                        let command = command.unwrap_or_else(|refused| panic!("{}: {refused:?}", line.name));
                        command.run(&house.door, caller, None).await.err()
                    }
                };
                match refused.as_ref().map(|refused| refused.code) {
                    Some(ErrorCode::InsufficientRole) => {}
                    Some(
                        ErrorCode::InternalError
                        | ErrorCode::StoreUnavailable
                        | ErrorCode::TokenExpired
                        | ErrorCode::InvalidToken,
                    ) => panic!("{} as {word}: {refused:?}", line.name),
                    _ => {
                        entered.insert(*word);
                    }
                }
            }
            if entered != line.who {
                wrong.push(format!("{}: let in {entered:?}, the fixture says {:?}", line.name, line.who));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        // What only the PIN let through is in the audit log with both names.
        let rows = "SELECT COUNT(*) FROM audit_log a JOIN staff p ON p.site_id = a.site_id AND p.id = a.override_by \
             WHERE a.use_case IN ('menu_add_category', 'menu_add_station', 'menu_add_tax_class', 'setting_set', \
             'stock_set', 'staff_add') AND a.actor_name IN ('ravi', 'noor') AND p.username = 'asha'";
        assert!(house.count(rows).await >= 4, "{}", house.count(rows).await);
        let silent = "SELECT COUNT(*) FROM audit_log WHERE use_case LIKE 'menu\\_%' ESCAPE '\\' \
             AND actor_name IN ('ravi', 'noor') AND override_by IS NULL";
        assert_eq!(house.count(silent).await, 0, "nothing of it without the admin's name");
    }
}

/// The fixture says that a PIN opens every door that an admin has: so it says for every use case.
#[test]
fn a_managers_pin_opens_every_door_of_an_admin_to_staff() {
    for line in lines() {
        for with_pin in ["kitchen_pin", "delivery_pin"] {
            let own = line.who.contains(with_pin.trim_end_matches("_pin"));
            assert_eq!(line.who.contains(with_pin), own || line.who.contains("admin"), "{}", line.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_is_for_one_command_and_names_both() {
    for house in House::both().await {
        let (asha, ravi) = (house.enter("asha").await, house.enter("ravi").await);
        let set =
            |value: bool| SetSetting { key: "auto_ready".to_owned(), value: value.into(), seen: None, reason: None };
        let cook = session(&ravi, None);
        let refused = house.door.execute(&cook, None, set(true)).await.expect_err("not a cook's");
        assert_eq!(refused.code, ErrorCode::InsufficientRole);
        let pin = staff::verify_override(&house.door, &house.secrets, None, None, "271828").await.expect("PIN");
        let let_through = Caller::Session { token: ravi.token.clone(), terminal: None, override_by: Some(pin) };
        house.door.execute(&let_through, None, set(true)).await.expect("let through");
        let refused = house.door.execute(&cook, None, set(false)).await.expect_err("the next one is not");
        assert_eq!(refused.code, ErrorCode::InsufficientRole);
        let both = "SELECT COUNT(*) FROM audit_log a JOIN staff p ON p.site_id = a.site_id AND p.id = a.override_by \
             JOIN staff c ON c.site_id = a.site_id AND c.id = a.actor_id WHERE a.use_case = 'setting_set' \
             AND a.actor_role = 'kitchen' AND c.username = 'ravi' AND p.username = 'asha'";
        assert_eq!(house.count(both).await, 1);
        let history =
            servery::service::settings::SettingHistory { key: "auto_ready".to_owned(), after: None, limit: 9 };
        let page = house.door.ask(&session(&asha, None), history).await.expect("history");
        assert_eq!((page.items.len(), page.total), (1, 1));
        assert_eq!((page.items[0].by.as_deref(), page.items[0].override_by.as_deref()), (Some("ravi"), Some("asha")));
        house.door.ask(&cook, ListSettings).await.expect_err("nor does it open a question for good");
    }
}
