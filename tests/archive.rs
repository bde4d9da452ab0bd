//! Old days in a file: what goes, what stays, that it reads back as it was and still proves, under load and when the
//! process is killed in the middle; the generator whose orders doctor finds nothing about; and backups by schedule, and
//! while other processes sell. On both databases.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests, which clippy does not know as tests"
)]

mod support;

use servery::domain::error::ErrorCode;
use servery::domain::ids::{CartId, CustomerId};
use servery::domain::payment::Method;
use servery::domain::report::day_text;
use servery::payment::Gateways;
use servery::service::archive::{self, ArchiveReport, ArchiveRequest, PlanArchive};
use servery::service::archived_days::ShowArchivedDays;
use servery::service::cart::CartAdd;
use servery::service::generate::{GenerateOrders, generate};
use servery::service::menu::MenuNow;
use servery::service::order_queries::{ListOrders, OrderName, ShowHistory, ShowOrder};
use servery::service::place::PlaceOrder;
use servery::service::reports::{BusinessToday, HoursReport, ItemsReport, RefundsAndWaste, SalesReport, SpeedReport};
use servery::service::till_reports::ClosedShifts;
use servery::service::{Caller, Door, Secrets, SystemClock, TimeOrderedIds, doctor, health, setup, staff};
use servery::store::archive::proof::ArchiveReader;
use servery::store::{Options, Store, StoreUrl};
use servery::worker::backups::BackupSchedule;
use servery::worker::{self, Worker};
use sqlx::{AssertSqlSafe, Connection as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use support::postgres::TestDatabase;
use support::process::Servery;
use support::wait;

/// A demo house by the real clock.
struct House {
    door: Door,
    url: String,
    folder: tempfile::TempDir,
    _database: Option<TestDatabase>,
}

impl House {
    async fn open(database: Option<TestDatabase>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = database.as_ref().map_or_else(
            || format!("sqlite:{}", folder.path().join("servery.db").display()),
            |database| database.url().to_owned(),
        );
        let store =
            Store::open(&StoreUrl::parse(&url).expect("an address"), Options::default()).await.expect("a store");
        let ids = Arc::new(TimeOrderedIds::from_machine());
        setup::init(&store, &SystemClock, &*ids, &setup::InitSite::demo("main")).await.expect("the demo");
        let door = Door::new(store, "main", Arc::new(SystemClock), ids);
        let secrets = Secrets::open(&folder.path().join("pepper")).expect("a pepper");
        staff::insert_demo(&door, &secrets).await.expect("staff");
        Self { door, url, folder, _database: database }
    }

    async fn both() -> Vec<Self> {
        let mut houses = vec![Self::open(None).await];
        if let Some(database) = support::postgres::database() {
            houses.push(Self::open(Some(database)).await);
        }
        houses
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn generate(&self, orders: i64, days: i64, seed: u64) {
        let report = generate(&self.door, &GenerateOrders { orders, days: Some(days), seed }, |_| {}).await;
        assert_eq!(report.expect("generated").orders, orders);
    }

    /// What the worker would have done long ago.
    async fn sum_up(&self) {
        let worker = Worker::new(self.door.clone(), Gateways::none(), worker::Options::default());
        let held = worker.take_lease().await.expect("asked").held.expect("the lease");
        loop {
            let summed = worker.keep_summaries_every(&held, 0).await.expect("summed up");
            let sealed = worker.seal_audit_older_than(&held, 0).await.expect("sealed");
            if !summed.more && summed.summarised == 0 && sealed.sealed == 0 {
                break;
            }
        }
        worker.give_back(&held).await.expect("given back");
    }

    async fn days_ago(&self, days: u64) -> chrono::NaiveDate {
        let today = self.door.ask(&Caller::System, BusinessToday).await.expect("today");
        today.day - chrono::Days::new(days)
    }

    async fn archive(&self, days_ago: u64, file: &Path) -> ArchiveReport {
        let before = self.days_ago(days_ago).await;
        let request = ArchiveRequest { before, file: file.to_owned(), reason: "a test".to_owned() };
        archive::archive(&self.door, &Caller::System, &request).await.expect("archived")
    }

    async fn assert_healthy(&self, file: Option<&Path>) {
        let report = doctor::examine(&self.door, &Caller::System).await.expect("examined");
        assert!(report.is_healthy(), "{:#?}", report.checks);
        if let Some(file) = file {
            let check = archive::check(&self.door, file).await.expect("the file is read");
            assert_eq!(check.violation, None, "{}", check.name);
            assert!(check.rows_examined > 0);
        }
    }

    /// A number that the test reads past the program.
    async fn count(&self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        if let Some(path) = self.url.strip_prefix("sqlite:") {
            let mut connection = sqlx::SqliteConnection::connect(path).await.expect("a connection");
            sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("a number")
        } else {
            let mut connection = sqlx::PgConnection::connect(&self.url).await.expect("a connection");
            sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("a number")
        }
    }

    /// Every report of the range, and the Z reports.
    async fn reports(&self, from: chrono::NaiveDate, to: chrono::NaiveDate) -> Vec<serde_json::Value> {
        let (door, system) = (&self.door, &Caller::System);
        let mut found = Vec::new();
        macro_rules! add {
            ($query:expr) => {
                found.push(serde_json::to_value(door.ask(system, $query).await.expect("a report")).expect("JSON"))
            };
        }
        add!(SalesReport { from, to });
        add!(ItemsReport { from, to });
        add!(HoursReport { from, to });
        add!(SpeedReport { from, to });
        add!(RefundsAndWaste { from, to });
        add!(ClosedShifts { limit: 200, ..ClosedShifts::default() });
        // Only the instant at which a report was made differs.
        for report in &mut found {
            if let Some(map) = report.as_object_mut() {
                map.remove("at");
            }
        }
        found
    }

    async fn order(&self, number: &str) -> (serde_json::Value, serde_json::Value) {
        let order = OrderName::Number(number.to_owned());
        let shown = self.door.ask(&Caller::System, ShowOrder { order: order.clone() }).await.expect("the order");
        let history = self.door.ask(&Caller::System, ShowHistory { order }).await.expect("its history");
        (serde_json::to_value(shown).expect("JSON"), serde_json::to_value(history).expect("JSON"))
    }

    /// The numbers of all orders, oldest first.
    async fn numbers(&self) -> Vec<String> {
        let (mut numbers, mut after) = (Vec::new(), None);
        loop {
            let query = ListOrders { after, limit: 200, ..ListOrders::default() };
            let page = self.door.ask(&Caller::System, query).await.expect("a page");
            numbers.extend(page.items.into_iter().map(|order| order.order_number));
            after = page.next;
            if after.is_none() {
                numbers.reverse();
                return numbers;
            }
        }
    }

    /// Sells until told to stop; how many orders there were.
    fn sell(&self, stop: &Arc<AtomicBool>) -> tokio::task::JoinHandle<u64> {
        let (door, stop) = (self.door.clone(), Arc::clone(stop));
        tokio::spawn(async move {
            let menu = door.ask(&Caller::System, MenuNow::default()).await.expect("the menu");
            let item = menu.items.iter();
            let item = item.filter(|item| item.option_groups.is_empty()).map(|item| item.id).next_back();
            let item = item.expect("something to sell");
            let sold = AtomicU64::new(0);
            while !stop.load(Ordering::SeqCst) {
                let (cart, customer) = (CartId(door.new_id()), CustomerId(door.new_id()));
                let guest = Caller::Guest { customer, terminal: None };
                let add = CartAdd { cart, item, options: Vec::new(), quantity: 1, note: String::new() };
                door.execute(&guest, None, add).await.expect("added");
                let place = PlaceOrder {
                    cart,
                    method: Method::Cash,
                    called_name: None,
                    pay_now: false,
                    delivery_address: None,
                    retry_of: None,
                    expected_total: None,
                };
                match door.execute(&guest, None, place).await {
                    Ok(_) => sold.fetch_add(1, Ordering::SeqCst),
                    // The shelf or the slot is empty; carts are still written.
                    Err(refused)
                        if matches!(refused.code, ErrorCode::InsufficientStock | ErrorCode::OrderLimitReached) =>
                    {
                        0
                    }
                    Err(refused) => panic!("{refused:?}"),
                };
            }
            sold.into_inner()
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_finds_nothing_about_generated_orders() {
    for house in House::both().await {
        house.generate(520, 3, 7).await;
        // Into days that have some already.
        house.generate(30, 3, 7).await;
        assert_eq!(house.count("SELECT COUNT(*) FROM orders").await, 550);
        for (least, sql) in [
            (5, "SELECT COUNT(*) FROM orders WHERE status = 'expired'"),
            (5, "SELECT COUNT(*) FROM orders WHERE reason = 'payment_failed'"),
            (2, "SELECT COUNT(*) FROM refunds WHERE status = 'settled'"),
            (20, "SELECT COUNT(*) FROM drawer_movements"),
            (400, "SELECT COUNT(*) FROM tickets"),
            (4_000, "SELECT COUNT(*) FROM outbox WHERE sent_at IS NOT NULL"),
            (3_000, "SELECT COUNT(*) FROM order_history"),
        ] {
            let count = house.count(sql).await;
            assert!(count >= least, "{sql}: {count}");
        }
        house.assert_healthy(None).await;
        house.sum_up().await;
        assert!(house.count("SELECT COUNT(*) FROM report_sales").await > 0);
        house.assert_healthy(None).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_demo_takes_generated_orders_and_numbers_have_limits() {
    let house = House::open(None).await;
    for (orders, days) in [(0, None), (10, Some(11)), (10, Some(0)), (i64::MAX, None)] {
        let refused = generate(&house.door, &GenerateOrders { orders, days, seed: 1 }, |_| {}).await;
        assert_eq!(refused.expect_err("out of range").code, ErrorCode::ValidationError);
    }
    let path = house.url.strip_prefix("sqlite:").expect("a path");
    let mut connection = sqlx::SqliteConnection::connect(path).await.expect("a connection");
    sqlx::query("UPDATE store_meta SET kind = 'real'").execute(&mut connection).await.expect("real");
    let request = GenerateOrders { orders: 10, days: None, seed: 1 };
    let refused = generate(&house.door, &request, |_| {}).await.expect_err("a real store");
    assert_eq!((refused.code, refused.guard), (ErrorCode::Forbidden, Some("demo_store")));
    assert_eq!(house.count("SELECT COUNT(*) FROM orders").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_days_go_under_load_and_everything_still_proves() {
    for house in House::both().await {
        house.generate(400, 20, 3).await;
        house.sum_up().await;
        let (first, last) = (house.days_ago(20).await, house.days_ago(1).await);
        let reports = house.reports(first, last).await;
        let before = house.days_ago(8).await;
        let numbers: Vec<String> = house.numbers().await;
        let limit = format!("ORD-{}", day_text(before).replace('-', ""));
        let (old, young): (Vec<String>, Vec<String>) = numbers.into_iter().partition(|number| *number < limit);
        assert!(old.len() > 200 && young.len() > 100, "{} {}", old.len(), young.len());
        let mut shown = Vec::new();
        for number in old.iter().step_by(17) {
            shown.push((number.clone(), house.order(number).await));
        }
        let plan = house.door.ask(&Caller::System, PlanArchive { before }).await.expect("a plan");
        assert_eq!((plan.orders, plan.held_back), (i64::try_from(old.len()).expect("a number"), 0));

        let stop = Arc::new(AtomicBool::new(false));
        let selling = [house.sell(&stop), house.sell(&stop)];
        let file = house.file("old.archive");
        let report = house.archive(8, &file).await;
        stop.store(true, Ordering::SeqCst);
        for seller in selling {
            seller.await.expect("the load went on without a refusal");
        }
        assert_eq!(report.counts["orders"], i64::try_from(old.len()).expect("a number"));
        assert_eq!(report.held_back, 0);
        for table in ["order_lines", "order_history", "outbox", "stock_movements", "audit_log", "drawer_movements"] {
            assert!(report.counts[table] > 0, "{table}");
        }
        house.assert_healthy(Some(&file)).await;
        let left = house.numbers().await;
        assert!(old.iter().all(|number| !left.contains(number)) && young.iter().all(|number| left.contains(number)));
        assert_eq!(house.reports(first, last).await, reports, "the reports of archived days say what they said");
        for (number, (order, history)) in shown {
            let read = archive::show(&file, &number).await.expect("the order is in the file");
            assert_eq!(serde_json::to_value(&read.order).expect("JSON"), order, "{number}");
            assert_eq!(serde_json::to_value(&read.history).expect("JSON"), history, "{number}");
            assert_eq!(read.rows["orders"].as_array().map(Vec::len), Some(1));
        }
        let refused = archive::show(&file, &young[0]).await.expect_err("it is in the store");
        assert_eq!(refused.code, ErrorCode::NotFound);
        let gone = ShowOrder { order: OrderName::Number(old[0].clone()) };
        let refused = house.door.ask(&Caller::System, gone).await.expect_err("it is in the file");
        assert!(refused.code == ErrorCode::NotFound && refused.help.contains("archive show"), "{refused:?}");

        // Lists and reports that reach back before the first day left say where the rest is.
        let days = house.door.ask(&Caller::System, ShowArchivedDays).await.expect("asked").expect("archived");
        assert_eq!((days.before, std::path::Path::new(&days.file)), (before, file.as_path()));
        assert!(days.are_in(None) && days.are_in(before.pred_opt()) && !days.are_in(Some(before)), "{days:?}");

        // Again: nothing more goes, and nothing breaks. And the next day into the same file.
        let again = house.archive(8, &file).await;
        assert_eq!(again.counts.get("orders"), None, "{again:?}");
        let more = house.archive(7, &file).await;
        assert_eq!(more.counts["orders"], 20);
        house.assert_healthy(Some(&file)).await;
        let reader = ArchiveReader::open(&file).await.expect("the file");
        let contents = reader.contents().await.expect("contents");
        assert_eq!(contents.orders, report.counts["orders"] + 20);
        assert_eq!(contents.unfinished, 0);
        let listed = reader.orders(&old[2], 3).await.expect("a list");
        let listed: Vec<String> = listed.into_iter().map(|order| order.order_number).collect();
        assert_eq!(listed, &old[3..6]);
        reader.close().await;
        assert_eq!(
            house.count("SELECT COUNT(*) FROM audit_log WHERE action = 'ARCHIVE' AND reason = 'a test'").await,
            3
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_over_stays_with_its_ledger_and_young_days_are_refused() {
    for house in House::both().await {
        house.generate(120, 12, 5).await;
        house.sum_up().await;
        for days_ago in [0, 1, 6] {
            let before = house.days_ago(days_ago).await;
            let request = ArchiveRequest { before, file: house.file("no.archive"), reason: "x".to_owned() };
            let refused = archive::archive(&house.door, &Caller::System, &request).await.expect_err("too young");
            assert_eq!((refused.code, refused.details["field"].as_str()), (ErrorCode::ValidationError, Some("before")));
        }
        let before = house.days_ago(9).await;
        let request = ArchiveRequest { before, file: house.file("no.archive"), reason: " ".to_owned() };
        let refused = archive::archive(&house.door, &Caller::System, &request).await.expect_err("why?");
        assert_eq!(refused.details["field"].as_str(), Some("reason"));
        assert!(!house.file("no.archive").exists());

        // An event of the second order was never delivered, and a mark says that a day is not summed up.
        let number = house.numbers().await[1].clone();
        let one = format!("(SELECT id FROM orders WHERE order_number = '{number}')");
        let open = format!("UPDATE outbox SET sent_at = NULL WHERE order_id = {one} AND order_sequence = 2");
        house.change(&open).await;
        let mark = format!("UPDATE orders SET version = version WHERE order_number = '{number}'");
        house.change(&mark).await;
        let request = ArchiveRequest { before, file: house.file("a.archive"), reason: "x".to_owned() };
        let refused = archive::archive(&house.door, &Caller::System, &request).await.expect_err("not summed up");
        assert_eq!(refused.guard, Some(archive::REPORTS_GUARD));
        house.sum_up().await;
        let plan = house.door.ask(&Caller::System, PlanArchive { before }).await.expect("a plan");
        assert_eq!((plan.held_back, plan.held_back_orders[0].order_number.as_str()), (1, number.as_str()));
        let file = house.file("a.archive");
        let report = house.archive(9, &file).await;
        assert_eq!((report.held_back, report.counts["orders"]), (1, plan.orders));
        house.order(&number).await;
        let close = format!("UPDATE outbox SET sent_at = created_at WHERE order_id = {one} AND order_sequence = 2");
        house.change(&close).await;
        house.assert_healthy(Some(&file)).await;
        let report = house.archive(9, &file).await;
        assert_eq!((report.held_back, report.counts["orders"]), (0, 1));
        house.assert_healthy(Some(&file)).await;
        let moved = house.count("SELECT CAST(SUM(movements) AS BIGINT) FROM archived_stock").await;
        assert!(moved > 0, "the ledger followed its last order");
    }
}

impl House {
    /// A statement of the test's own, past the program.
    async fn change(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        let rows = if let Some(path) = self.url.strip_prefix("sqlite:") {
            let mut connection = sqlx::SqliteConnection::connect(path).await.expect("a connection");
            sqlx::query(sql).execute(&mut connection).await.expect("changed").rows_affected()
        } else {
            let mut connection = sqlx::PgConnection::connect(&self.url).await.expect("a connection");
            sqlx::query(sql).execute(&mut connection).await.expect("changed").rows_affected()
        };
        assert_eq!(rows, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_touched_and_a_store_that_lost_a_run_are_found_out() {
    let house = House::open(None).await;
    house.generate(120, 12, 9).await;
    house.sum_up().await;
    let file = house.file("a.archive");
    house.archive(8, &file).await;
    let broken = [
        ("UPDATE order_lines SET item_name = 'x' WHERE position = 1", "not those that were written"),
        ("DELETE FROM order_history WHERE version = 1", "not as written"),
        ("UPDATE audit_log SET details = 'x' WHERE seq = (SELECT MIN(seq) FROM audit_log)", "batch"),
        ("DELETE FROM archive_batches WHERE number = 1", "its batches know"),
        ("UPDATE archive_batches SET hash = zeroblob(32) WHERE number = 1", "batch 1"),
    ];
    for (sql, words) in broken {
        let copy = house.file("copy.archive");
        std::fs::copy(&file, &copy).expect("a copy");
        let mut connection = sqlx::SqliteConnection::connect(&copy.display().to_string()).await.expect("a connection");
        sqlx::query(sql).execute(&mut connection).await.expect("touched");
        connection.close().await.expect("closed");
        let check = archive::check(&house.door, &copy).await.expect("read");
        assert!(check.violation.as_ref().is_some_and(|found| found.contains(words)), "{sql}: {check:?}");
    }
    // Rows that are gone without the store's saying so are no archive.
    house
        .change("DELETE FROM archived_days WHERE business_date = (SELECT MIN(business_date) FROM archived_days)")
        .await;
    let report = doctor::examine(&house.door, &Caller::System).await.expect("examined");
    assert!(report.violations().any(|check| check.name == "order numbers"), "{:#?}", report.checks);
    // Another store's file, and no archive at all.
    let other = House::open(None).await;
    let before = other.days_ago(9).await;
    other.generate(20, 12, 1).await;
    other.sum_up().await;
    for name in [file.clone(), house.file("servery.db")] {
        let request = ArchiveRequest { before, file: name, reason: "x".to_owned() };
        let refused = archive::archive(&other.door, &Caller::System, &request).await.expect_err("not ours");
        assert_eq!(refused.code, ErrorCode::StoreUnavailable, "{refused:?}");
    }
    assert_eq!(other.count("SELECT COUNT(*) FROM orders").await, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_anywhere_it_leaves_both_or_the_file_and_goes_on_where_it_was() {
    let rounds = if std::env::var("SERVERY_TEST_LONG").is_ok_and(|long| long == "1") { 40 } else { 6 };
    for house in House::both().await {
        house.generate(500, 25, 11).await;
        house.sum_up().await;
        let all = house.numbers().await;
        let servery = Servery::on(&house.url).with("SERVERY_PEPPER_FILE", &pepper(&house));
        let name_of_admin = sign_in(&servery);
        let before = day_text(house.days_ago(8).await);
        let file = house.file("a.archive");
        let name = file.display().to_string();
        let arguments = [
            "--staff",
            &name_of_admin,
            "archive",
            "--before",
            &before,
            "--file",
            &name,
            "--reason",
            "killed",
            "--json",
        ];
        for round in 0..rounds {
            let running = servery.start(&arguments);
            // A little further each time: killed when the store has lost so many batches.
            let batches = house.count("SELECT COUNT(*) FROM archive_runs").await + round % 3;
            let deadline = std::time::Instant::now() + Duration::from_secs(20);
            while house.count("SELECT COUNT(*) FROM archive_runs").await < batches
                && std::time::Instant::now() < deadline
                && house.count("SELECT COUNT(*) FROM audit_log WHERE use_case = 'archive_end'").await == 0
            {}
            running.kill();
            assert_nothing_is_lost(&house, &file, &all).await;
        }
        let done = servery.start(&arguments).finish(wait::LIMIT * 3);
        assert!(done.status.success(), "{done:?}");
        assert_nothing_is_lost(&house, &file, &all).await;
        house.assert_healthy(Some(&file)).await;
        let reader = ArchiveReader::open(&file).await.expect("the file");
        assert_eq!(reader.contents().await.expect("contents").unfinished, 0);
        reader.close().await;
        let shown = servery.json(&["archive", "show", &name, &all[0]]);
        assert_eq!(shown["order"]["order_number"], serde_json::Value::from(all[0].clone()));
        let listed = servery.json(&["archive", "list", &name, "--limit", "2"]);
        assert_eq!(listed["orders"][1]["order_number"], serde_json::Value::from(all[1].clone()));
        assert!(servery.run(&["archive", "verify", &name]).status.success());
        assert!(servery.run(&["doctor", "--archive", &name]).status.success());
    }
}

fn pepper(house: &House) -> String {
    house.file("pepper").display().to_string()
}

/// Signs the demo's admin in for the processes; the name to act under.
fn sign_in(servery: &Servery) -> String {
    let mut child = servery
        .command(&["login", "asha", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdin.take().expect("stdin").write_all(b"demo-asha-2026\n"));
    let done = child.wait_with_output().expect("it ends");
    assert!(done.status.success(), "{done:?}");
    "asha".to_owned()
}

/// Each order is in the store or in the file, and what the file has of a batch that left the store is whole.
async fn assert_nothing_is_lost(house: &House, file: &Path, all: &[String]) {
    let here = house.numbers().await;
    let mut there = Vec::new();
    if file.exists()
        && let Ok(reader) = ArchiveReader::open(file).await
    {
        there = reader.orders("", 100_000).await.expect("a list").into_iter().map(|order| order.order_number).collect();
        let proof = reader.prove().await.expect("read");
        assert_eq!(proof.violation, None);
        reader.close().await;
    }
    for number in all {
        assert!(here.contains(number) || there.contains(number), "{number} is in neither place");
    }
    let report = doctor::examine(&house.door, &Caller::System).await.expect("examined");
    assert!(report.is_healthy(), "{:#?}", report.checks);
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_come_by_schedule_are_kept_in_number_and_fail_aloud() {
    for house in House::both().await {
        let folder = house.file("backups");
        let with = |folder: PathBuf| {
            let schedule = BackupSchedule { folder, every_seconds: 3_600, keep: 2 };
            let options = worker::Options { backups: Some(schedule), ..worker::Options::default() };
            Worker::new(house.door.clone(), Gateways::none(), options)
        };
        let worker = with(folder.clone());
        let made = worker.back_up_if_due().await.expect("asked").expect("the first is due at once");
        assert_eq!(made.file.parent(), Some(folder.as_path()));
        worker.back_up_if_due().await.expect("asked").expect_err("the next is not");
        for old in ["20200101T000000Z", "20200102T000000Z"] {
            std::fs::write(folder.join(format!("servery-main-{old}.backup")), "old").expect("a file");
        }
        house.change("UPDATE backups SET finished_at = finished_at - 7200000000").await;
        // A name has seconds: the next one is another's.
        let first = made.file.clone();
        wait::until(wait::LIMIT, "the next second", || {
            let name = format!("servery-main-{}.backup", chrono_now());
            first.file_name().is_some_and(|other| other.to_string_lossy() != name)
        });
        let second = worker.back_up_if_due().await.expect("asked").expect("due again");
        let mut left: Vec<String> = std::fs::read_dir(&folder)
            .expect("the folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        left.sort();
        let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
        assert_eq!(left, [name(&first), name(&second.file)]);

        // A folder that cannot be one.
        house
            .change(&format!(
                "UPDATE backups SET finished_at = finished_at - 7200000000, started_at = started_at - 7200000000 \
             WHERE file_name = '{}'",
                second.file.display()
            ))
            .await;
        house
            .change(&format!(
                "UPDATE backups SET started_at = started_at - 7200000000 WHERE file_name = '{}'",
                first.display()
            ))
            .await;
        std::fs::write(house.file("no-folder"), "x").expect("a file");
        let failing = with(house.file("no-folder"));
        failing.back_up_if_due().await.expect_err("it cannot be written");
        failing.back_up_if_due().await.expect("asked").expect_err("it rests a while");
        let view = health::look(&house.door, &Caller::System, None).await.expect("health");
        let concern = view.concerns.iter().find(|concern| concern.kind == health::ConcernKind::BackupFailed);
        assert!(concern.is_some(), "{:?}", view.concerns);
    }
}

/// The instant as the names of backups spell it.
fn chrono_now() -> String {
    use servery::domain::time::Clock as _;
    SystemClock.now().to_utc().format("%Y%m%dT%H%M%SZ").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_while_other_processes_sell_restores_into_a_store_that_proves() {
    for house in House::both().await {
        house.generate(60, 3, 2).await;
        let servery = Arc::new(Servery::on(&house.url).with("SERVERY_PEPPER_FILE", &pepper(&house)));
        let stop = Arc::new(AtomicBool::new(false));
        let sellers: Vec<_> = (0..2)
            .map(|number| {
                let (servery, stop) = (Arc::clone(&servery), Arc::clone(&stop));
                std::thread::spawn(move || {
                    let kiosk = format!("load-{number}");
                    let mut sold = 0;
                    while !stop.load(Ordering::SeqCst) {
                        let order = ["--as-kiosk", &kiosk, "order", "place", "--method", "cash", "--item", "samosa"];
                        let done = servery.run(&order);
                        sold += u32::from(done.status.success());
                    }
                    sold
                })
            })
            .collect();
        let file = house.file("load.backup");
        let orders =
            "SELECT COUNT(*) FROM orders WHERE method = 'cash' AND status = 'received' OR status = 'confirmed'";
        wait::until(wait::LIMIT, "the first orders", || {
            let count = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(house.count(orders)));
            count > 1
        });
        let done = servery.start(&["db", "backup", &file.display().to_string()]).finish(wait::LIMIT * 2);
        assert!(done.status.success(), "{done:?}");
        stop.store(true, Ordering::SeqCst);
        let sold: u32 = sellers.into_iter().map(|seller| seller.join().expect("a seller")).sum();
        assert!(sold > 1, "they sold");
        let target = if house.url.starts_with("sqlite:") { None } else { support::postgres::database() };
        let url = target.as_ref().map_or_else(
            || format!("sqlite:{}", house.file("restored.db").display()),
            |database| database.url().to_owned(),
        );
        let other = Servery::on(&url);
        let restored = other.start(&["db", "restore", &file.display().to_string(), "--json"]).finish(wait::LIMIT * 2);
        assert!(restored.status.success(), "doctor found something: {restored:?}");
    }
}
