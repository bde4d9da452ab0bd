//! `servery stress` and `servery bench`: the real binary on both databases with small numbers, the
//! documents that they print, that their own stores are gone afterwards, and that a store that was changed
//! behind the house's back is noticed: by the proof, and by the exit status.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, which clippy does not know as tests"
)]

mod support;

use nix::sys::signal::Signal;
use serde_json::Value;
use servery::service::load::{Expected, LoadSite, pay, place, prove};
use servery::store::beside::Beside;
use servery::store::{Options, Store, StoreUrl};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use std::path::PathBuf;
use support::postgres::{TestDatabase, database};
use support::process::{Finished, Servery};
use support::wait;

/// A given store that nobody has made yet, on one of the databases.
struct Ground {
    servery: Servery,
    folder: tempfile::TempDir,
    url: String,
    _database: Option<TestDatabase>,
}

impl Ground {
    /// `None` where Postgres is left out.
    fn new(postgres: bool) -> Option<Self> {
        let database = if postgres { Some(database()?) } else { None };
        let folder = tempfile::tempdir().expect("a folder");
        let url = match &database {
            Some(database) => database.url().to_owned(),
            None => format!("sqlite:{}", folder.path().join("servery.db").display()),
        };
        // What a run on Postgres remembers lies in the folder for temporary files.
        let servery = Servery::on(&url).with("TMPDIR", &folder.path().display().to_string());
        Some(Self { servery, folder, url, _database: database })
    }

    fn both() -> Vec<Self> {
        [false, true].into_iter().filter_map(Self::new).collect()
    }

    /// The folders of runs that are there now.
    fn left(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path()).expect("the folder");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("servery_")))
            .collect()
    }

    /// Nothing of a run is left: no folder, no schema, and the given store was not even made.
    fn is_clean(&self) {
        assert_eq!(self.left(), Vec::<PathBuf>::new());
        if self.url.starts_with("postgres") {
            let schemas = number(&self.url, "SELECT COUNT(*) FROM pg_namespace WHERE nspname LIKE 'servery%'");
            let tables = number(&self.url, "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'");
            assert_eq!((schemas, tables), (0, 0));
        } else {
            assert!(!self.folder.path().join("servery.db").exists(), "the given store is not touched");
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

/// A number read past the program.
fn number(url: &str, sql: &'static str) -> i64 {
    runtime().block_on(async {
        let mut connection = sqlx::PgConnection::connect(url).await.expect("a connection");
        sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("a number")
    })
}

/// Changes a store past the program; how many rows.
async fn tamper(url: &StoreUrl, sql: &str) -> Result<u64, sqlx::Error> {
    let sql = AssertSqlSafe(sql.to_owned());
    match url {
        StoreUrl::Sqlite(path) => {
            let mut connection = sqlx::SqliteConnection::connect(&path.display().to_string()).await?;
            connection.execute(sqlx::raw_sql(sql)).await.map(|done| done.rows_affected())
        }
        StoreUrl::Postgres(url) => {
            let mut connection = sqlx::PgConnection::connect(url).await?;
            connection.execute(sqlx::raw_sql(sql)).await.map(|done| done.rows_affected())
        }
    }
}

fn checks(document: &Value) -> Vec<(&str, bool)> {
    let checks = document["proof"]["checks"].as_array().expect("checks");
    checks.iter().map(|check| (check["name"].as_str().expect("a name"), check["holds"] == true)).collect()
}

#[test]
fn terminals_sell_every_unit_once() {
    for ground in Ground::both() {
        let arguments = ["stress", "--terminals", "4", "--units", "6", "--attempts", "20", "--seed", "7"];
        let told = ground.servery.json(&arguments);
        assert_eq!((&told["sold"], &told["refused"], &told["errors"]), (&6.into(), &14.into(), &0.into()), "{told:#}");
        assert_eq!((&told["terminals"], &told["attempts"], &told["seed"]), (&4.into(), &20.into(), &7.into()));
        assert_eq!(told["proven"], true, "{told:#}");
        assert!(checks(&told).len() >= 10 && checks(&told).iter().all(|(_, holds)| *holds), "{told:#}");
        let stock = &told["proof"]["stock"];
        assert_eq!((&stock["on_hand"], &stock["reserved"], &stock["sold"]), (&0.into(), &0.into(), &6.into()));
        assert_eq!(told["proof"]["sales"]["paid_orders"], 6);
        assert_eq!(told["wait"]["samples"], 20);
        assert!(told["wait"]["worst_us"].as_u64() >= told["wait"]["p50_us"].as_u64());
        ground.is_clean();
    }
}

#[test]
fn people_read_what_was_sold_and_what_is_proven() {
    let ground = Ground::new(false).expect("SQLite");
    let ran = ground.servery.run(&["stress", "--terminals", "2", "--units", "2"]);
    assert!(ran.status.success(), "{ran:?}");
    for words in ["sold 2  refused 6  errors 0", "ok  I5 no unit is lost or made", "Proven: everything adds up."] {
        assert!(ran.stdout.contains(words), "{words}: {ran:?}");
    }
}

#[test]
fn a_store_stays_where_it_was_asked_to() {
    for ground in Ground::both() {
        let ran = ground.servery.run(&["stress", "--terminals", "2", "--units", "2", "--keep"]);
        assert!(ran.status.success() && ran.stderr.contains("The store stays"), "{ran:?}");
        let left = ground.left();
        assert_eq!(left.len(), 1, "{left:?}");
        if ground.url.starts_with("sqlite") {
            let doctor = Servery::on(&format!("sqlite:{}", left[0].join("servery.db").display()))
                .run(&["doctor", "--site", "stress"]);
            assert!(doctor.status.success(), "{doctor:?}");
        }
    }
}

/// Changes the store of a run while it runs; how the run ended.
fn tampered(ground: &Ground, change: &str) -> Finished {
    let running = ground.servery.start(&["stress", "--terminals", "2", "--units", "60", "--attempts", "120", "--json"]);
    let runtime = runtime();
    let changed = || {
        let folder = ground.left().into_iter().next()?;
        let file = folder.join("servery.db");
        // Looked at only when it is there, so that it is the program that makes it.
        let url = file.exists().then_some(StoreUrl::Sqlite(file))?;
        // The store is busy, or not there yet: asked again.
        runtime.block_on(tamper(&url, change)).ok().filter(|rows| *rows > 0)
    };
    wait::until_some(wait::LIMIT, "an order of the run", changed);
    running.finish(wait::LIMIT * 3)
}

#[test]
fn a_violation_is_exit_status_1() {
    let ground = Ground::new(false).expect("SQLite");
    // Somebody puts a can on the shelf that nobody counted, while the terminals order: it is sold too.
    let change = "UPDATE stock_items SET on_hand = on_hand + 1 WHERE site_id = 'stress' AND code = 'cola-can' \
         AND EXISTS (SELECT 1 FROM orders WHERE site_id = 'stress' AND paid)";
    let ran = tampered(&ground, change);
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    let told = ran.json();
    assert_eq!(told["proven"], false);
    let broken: Vec<&str> = checks(&told).into_iter().filter(|(_, holds)| !holds).map(|(name, _)| name).collect();
    for invariant in ["I2 what is there is the opening count and the ledger", "I5 no unit is lost or made"] {
        assert!(broken.contains(&invariant), "{told:#}");
    }
    assert!(broken.iter().any(|name| name.starts_with("doctor")), "{told:#}");
    ground.is_clean();
}

#[test]
fn the_proof_notices_every_change_behind_the_houses_back() {
    let runtime = runtime();
    for ground in Ground::both() {
        runtime.block_on(async {
            let url = StoreUrl::parse(&ground.url).expect("url");
            let beside = Beside::make(&url, "proof", "0a1b2c").await.expect("made");
            let store = Store::open(beside.url(), Options::default()).await.expect("opened");
            let site = LoadSite::make(&store, "stress").await.expect("a site");
            site.stock_up(1, 3).await.expect("goods");
            for _ in 0..2 {
                let guest = site.guest(1).await.expect("a cart");
                pay(&site.door, &place(&site.door, &guest).await.expect("placed")).await.expect("paid");
            }
            let code = site.contested();
            let expected = Expected { units: 3, sold: 2, refused: 0, unknown: 0 };
            let proof = prove(&site.door, code, &expected).await.expect("counted");
            assert!(proof.holds(), "{proof:#?}");
            let told_more = prove(&site.door, code, &Expected { sold: 3, ..expected }).await.expect("counted");
            assert!(!told_more.holds(), "a sale that nobody kept");
            let changes = [
                ("I2", format!("UPDATE stock_items SET on_hand = on_hand + 1 WHERE code = '{code}'")),
                ("I5", format!("UPDATE stock_items SET on_hand = on_hand + 1 WHERE code = '{code}'")),
                ("I10", "UPDATE orders SET due = due - 1 WHERE paid".to_owned()),
                ("doctor", "UPDATE slot_counters SET claimed = claimed + 1".to_owned()),
            ];
            for (name, change) in changes {
                assert!(tamper(beside.url(), &change).await.expect(&change) > 0, "{change}");
                let proof = prove(&site.door, code, &expected).await.expect("counted");
                let broken: Vec<_> = proof.checks.iter().filter(|check| !check.holds).collect();
                assert!(broken.iter().any(|check| check.name.starts_with(name)), "{name} after {change}: {proof:#?}");
            }
            store.close().await;
            beside.remove().await.expect("removed");
        });
        ground.is_clean();
    }
}

#[test]
fn a_run_that_is_interrupted_leaves_nothing() {
    for ground in Ground::both() {
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            let running = ground.servery.start(&["stress", "--terminals", "2", "--units", "5000", "--json"]);
            wait::until(wait::LIMIT, "the store of the run", || !ground.left().is_empty());
            running.signal(signal);
            let ended = running.finish(wait::LIMIT);
            assert_eq!(ended.error()["code"], "CONFLICT", "{ended:?}");
            ground.is_clean();
        }
    }
}

/// Runs a bench, which starts many processes: on a busy machine that takes its time.
fn bench(ground: &Ground, more: &[&str]) -> Value {
    let ran = ground.servery.start(&[&["bench", "--quick", "--json"], more].concat()).finish(wait::LIMIT * 10);
    assert!(ran.status.success(), "{ran:?}");
    ran.json()
}

#[test]
fn a_bench_prints_one_document() {
    for ground in Ground::both() {
        let told = bench(&ground, &["--seed", "3"]);
        let kind = if ground.url.starts_with("sqlite") { "sqlite" } else { "postgres" };
        assert_eq!(told["store"]["kind"], kind);
        assert_eq!(told["seed"], 3);
        let cases = told["orders"].as_array().expect("cases");
        let shown: Vec<_> = cases.iter().map(|case| (&case["processes"], &case["clients"], &case["sites"])).collect();
        assert_eq!(shown, [(&1.into(), &2.into(), &2.into()), (&2.into(), &2.into(), &2.into())]);
        for case in cases {
            for side in ["service", "bare"] {
                let reached = &case[side];
                assert!(reached["orders_per_second"].as_f64() > Some(0.0), "{case:#}");
                assert!(reached["wait"]["p50_us"].as_u64() > Some(0), "{case:#}");
                assert!(reached["wait"]["p99_us"].as_u64() <= reached["wait"]["worst_us"].as_u64(), "{case:#}");
                assert_eq!(reached["errors"], serde_json::json!({}), "{case:#}");
            }
            let (service, bare) = (&case["service"]["orders_per_second"], &case["bare"]["orders_per_second"]);
            let ratio = service.as_f64().expect("a rate") / bare.as_f64().expect("a rate");
            assert!((case["ratio"].as_f64().expect("a ratio") - ratio).abs() < 1e-9, "{case:#}");
        }
        let statements = &told["statements"];
        let count = |name: &str| statements[name].as_u64().expect("a number");
        assert_eq!(count("service"), count("place") + count("pay"));
        assert!(count("bare") > 10 && count("place") > 2 && count("pay") > 2, "{statements}");
        assert_eq!(told["feed"]["samples"], 3, "{told:#}");
        assert_eq!((&told["keys"]["tickets"], &told["keys"]["key"]["samples"]), (&20.into(), &20.into()));
        assert!(told["keys"]["draw"]["p50_us"].as_u64() <= told["keys"]["key"]["p99_us"].as_u64(), "{told:#}");
        let roles = told["roles"].as_array().expect("roles");
        let names: Vec<_> = roles.iter().map(|role| role["role"].as_str().expect("a name")).collect();
        assert_eq!(names, ["kiosk", "kitchen", "board", "console", "worker"]);
        for role in roles {
            assert_eq!(role["first_frame"].is_null(), role["role"] == "worker", "{role:#}");
            assert!(role["resident_bytes"].as_u64() > Some(1_000_000), "{role:#}");
            assert!(role["idle_cpu_percent"].as_f64() >= Some(0.0), "{role:#}");
        }
        assert!(told["binary_bytes"].as_u64() > Some(1_000_000));
        ground.is_clean();
    }
}

#[test]
fn only_what_is_asked_for_is_measured() {
    let ground = Ground::new(false).expect("SQLite");
    let told = bench(&ground, &["--only", "keys"]);
    assert!(told["keys"]["tickets"].is_u64() && told["feed"].is_null() && told["statements"].is_null(), "{told:#}");
    assert_eq!((&told["orders"], &told["roles"]), (&serde_json::json!([]), &serde_json::json!([])));
    let wrong = ground.servery.run(&["bench", "--clients", "1", "--processes", "4"]);
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    ground.is_clean();
}
