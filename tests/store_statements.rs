//! Every SQL constant of `src/store`: the database accepts each on both dialects, and those of the files
//! in [`EXECUTED`] are really executed here, so that a forgotten or wrongly bound one is noticed. A binary
//! of its own, because what was executed is noted for the whole process.
//!
//! A constant whose name begins with `SQLITE_` or `POSTGRES_` belongs to that database alone.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests, which clippy does not know as tests")]

#[allow(clippy::allow_attributes, dead_code, reason = "shared with the store's contract, which uses all of it")]
#[path = "store_contract/harness.rs"]
mod harness;
#[path = "support/mod.rs"]
mod support;

use harness::{Place, SITE, START, change};
use servery::domain::access::Actor;
use servery::domain::ids::OrderId;
use servery::service::health_numbers::ShowNumbers;
use servery::service::{Caller, Door, SystemClock, TimeOrderedIds, backup, doctor, health};
use servery::store::records::{self, AuditRow, OutboxRow};
use servery::store::{Feed, seal, sites, statements};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqlSafeStr as _};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// The files whose every constant this suite executes. The constants of the other files are executed by
/// the flows of their own use cases.
const EXECUTED: &[&str] =
    &["backup.rs", "doctor.rs", "glance.rs", "health.rs", "pool.rs", "records.rs", "seal.rs", "sites.rs"];

/// Constants outside of the rule on names, or that no test can execute, with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("tx.rs NOW", "the instant comes from the clock of Postgres only"),
    ("records.rs NOTIFY", "only Postgres has listeners"),
    ("doctor.rs FIRST_MOVE", "asked only of a damaged history: the contract's doctor test damages one"),
];

/// A constant: `file NAME`, and its text.
#[derive(Debug)]
struct Constant {
    file: String,
    name: String,
    text: String,
}

impl Constant {
    fn is_excepted(&self) -> bool {
        EXCEPTIONS.iter().any(|(name, _)| *name == format!("{} {}", self.file, self.name))
    }

    fn belongs_to(&self, postgres: bool) -> bool {
        !self.name.starts_with(if postgres { "SQLITE_" } else { "POSTGRES_" })
    }
}

/// The SQL constants in the text of a file.
fn constants(file: &str, source: &str) -> Vec<Constant> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut found = Vec::new();
    for part in source.split("const ").skip(1) {
        let Some((name, rest)) = part.split_once(": &str =") else { continue };
        let Some(literal) = rest.trim_start().strip_prefix('"') else { continue };
        let mut text = String::new();
        let mut letters = literal.chars().peekable();
        loop {
            match letters.next().expect("a literal ends") {
                '"' => break,
                '\\' => match letters.next().expect("an escape") {
                    '\n' => while letters.next_if(|letter| letter.is_whitespace()).is_some() {},
                    'n' => text.push('\n'),
                    other => text.push(other),
                },
                letter => text.push(letter),
            }
        }
        let sql = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH ", "PRAGMA ", "VACUUM ", "SET "];
        if sql.iter().any(|verb| text.starts_with(verb)) {
            found.push(Constant { file: file.to_owned(), name: name.to_owned(), text });
        }
    }
    found
}

fn all_constants() -> Vec<Constant> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                found.extend(constants(&name, &std::fs::read_to_string(&path).expect("a source")));
            }
        }
    }
    found
}

/// Uses everything of the files in [`EXECUTED`].
async fn use_everything(place: &Place) {
    let store = place.with_site().await;
    let mut feed = Feed::open(&store, SITE);
    feed.changed().await;
    change(&store).await;
    let mut tx = store.write().await.expect("a transaction");
    sites::hold_settings(&mut tx, SITE).await.expect("held");
    sites::set_setting(&mut tx, SITE, "restaurant_open", &serde_json::json!(true), None, START).await.expect("set");
    sites::settings(&mut tx, SITE).await.expect("settings");
    sites::setting_stamps(&mut tx, SITE).await.expect("stamps");
    records::stored_outcome(&mut tx, SITE, "key").await.expect("an outcome");
    sites::find(&mut tx, SITE).await.expect("the site");
    let arrived = sites::arrive(&mut tx, SITE, Some("key"), &SystemClock).await.expect("the site");
    assert!(arrived.site.is_some() && arrived.stored.is_none());
    records::keep_what_was_read(&mut tx).await.expect("kept");
    let hash = [0_u8; 32];
    records::store_outcome(&mut tx, SITE, "key", "place", &hash, &serde_json::json!(1), START).await.expect("stored");
    let arrived = sites::arrive(&mut tx, SITE, Some("key"), &SystemClock).await.expect("the site");
    assert_eq!(arrived.stored, records::stored_outcome(&mut tx, SITE, "key").await.expect("an outcome"));
    assert!(arrived.stored.is_some());
    let audit = AuditRow {
        action: "UPDATE",
        entity: "Setting",
        entity_id: "x".to_owned(),
        details: "x".to_owned(),
        before: None,
        after: None,
        reason: None,
    };
    records::append_audit(&mut tx, SITE, "x", &Actor::system(), &[audit], START).await.expect("audit");
    let order = OrderId(uuid::Uuid::from_u128(5));
    let event = OutboxRow { order: Some((order, 1)), event: "x", payload: serde_json::json!({}), priority: 0 };
    records::append_outbox(&mut tx, SITE, &[event], START).await.expect("outbox");
    assert_eq!(seal::append(&mut tx, SITE, i64::MAX, START).await.expect("sealed"), 1);
    tx.commit().await.expect("committed");

    store.durability().await.expect("durability");

    let ids = Arc::new(TimeOrderedIds::seeded([9; 32]));
    let door = Door::new(store.clone(), SITE, Arc::new(SystemClock), ids);
    doctor::examine(&door, &Caller::System).await.expect("examined");
    health::look(&door, &Caller::System, None).await.expect("health");
    door.ask(&Caller::System, ShowNumbers).await.expect("numbers");
    let mut tx = store.write().await.expect("a transaction");
    for outcome in [Ok(()), Err("away")] {
        servery::store::health::note_gateway(&mut tx, SITE, "upi", outcome, START).await.expect("noted");
    }
    tx.commit().await.expect("committed");
    let files = tempfile::tempdir().expect("a folder");
    let file = files.path().join("a.backup");
    backup::back_up(&door, &Caller::System, &file).await.expect("a backup");
    backup::status(&door, &Caller::System).await.expect("status");
    let other = if place.is_postgres() { Place::postgres().expect("a database") } else { Place::sqlite() };
    other.open().await.close().await;
    servery::store::backup::restore(&file, &other.url, true).await.expect("restored");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_constant_is_executed_on_both_databases() {
    let all = all_constants();
    for file in EXECUTED {
        assert!(all.iter().any(|constant| constant.file == *file), "{file} has no constants");
    }
    statements::start();
    for place in Place::both() {
        drop(statements::take());
        use_everything(&place).await;
        let noted = statements::take();
        let missing: Vec<_> = all
            .iter()
            .filter(|constant| EXECUTED.contains(&constant.file.as_str()))
            .filter(|constant| constant.belongs_to(place.is_postgres()) && !constant.is_excepted())
            .filter(|constant| !noted.contains(constant.text.as_str()))
            .map(|constant| format!("{} {}", constant.file, constant.name))
            .collect();
        assert!(missing.is_empty(), "never executed on {}: {missing:#?}", place.url);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_constant_is_understood_by_both_databases() {
    for place in Place::both() {
        place.open().await.close().await;
        let mut wrong = Vec::new();
        for constant in all_constants().iter().filter(|one| one.belongs_to(place.is_postgres()) && !one.is_excepted()) {
            // Several statements in one text cannot be prepared, nor can the head of a longer one.
            if constant.text.contains(';') || constant.text.ends_with(' ') {
                continue;
            }
            let text = AssertSqlSafe(constant.text.clone()).into_sql_str();
            let prepared = if place.is_postgres() {
                let mut connection = sqlx::PgConnection::connect(place.text()).await.expect("a connection");
                connection.prepare(text).await.map(drop)
            } else {
                let path = place.text().strip_prefix("sqlite:").expect("sqlite:PATH");
                let mut connection = sqlx::SqliteConnection::connect(path).await.expect("a connection");
                connection.prepare(text).await.map(drop)
            };
            if let Err(error) = prepared {
                wrong.push(format!("{} {}: {error}", constant.file, constant.name));
            }
        }
        assert!(wrong.is_empty(), "{}: {wrong:#?}", place.url);
    }
}

/// Sealing reads what no seal covers yet, and verifying what one seal covers: never the whole history.
#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_is_sealed_along_its_numbers_on_sqlite() {
    let place = Place::sqlite();
    place.open().await.close().await;
    let path = place.text().strip_prefix("sqlite:").expect("sqlite:PATH");
    let mut connection = sqlx::SqliteConnection::connect(path).await.expect("a connection");
    let all = all_constants();
    let reads: Vec<_> = all
        .iter()
        .filter(|one| matches!(one.file.as_str(), "seal.rs" | "seals.rs") && one.belongs_to(false))
        .filter(|one| one.text.contains("FROM audit_log"))
        .collect();
    assert!(reads.len() >= 3, "the seals and their tail read the log: {reads:?}");
    for one in reads {
        let explained = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", one.text));
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(explained).fetch_all(&mut connection).await.expect("a plan");
        let steps: Vec<&str> = plan.iter().map(|(.., step)| step.as_str()).collect();
        let along_numbers = |step: &&str| step.starts_with("SEARCH audit_log USING INTEGER PRIMARY KEY (rowid>?");
        let of_log: Vec<&str> = steps.iter().copied().filter(|step| step.contains("audit_log")).collect();
        assert!(of_log.len() == 1 && of_log.iter().all(along_numbers), "{} {}: {steps:?}", one.file, one.name);
        assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{} {} sorts: {steps:?}", one.file, one.name);
    }
}

#[test]
fn every_exception_is_still_there() {
    let names: BTreeSet<_> = all_constants().iter().map(|one| format!("{} {}", one.file, one.name)).collect();
    for (name, reason) in EXCEPTIONS {
        assert!(names.contains(*name), "{name} ({reason}) is gone: take it off the list");
    }
}
