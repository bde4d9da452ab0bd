//! The schema in `migrations/`: both dialects define the same tables, columns and indexes, and what the
//! constraints and triggers must refuse is refused. Only SQL is spoken here: no store, no service.
//!
//! The refusals run on SQLite in memory; the store's contract suite runs the migrations on Postgres.

#![expect(clippy::panic, clippy::expect_used, reason = "helpers of tests, which clippy does not know as tests")]

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _};
use std::collections::BTreeMap;
use std::path::Path;

// ---------------------------------------------------------------- the texts of both dialects agree

/// What a folder of migrations defines, read from its text.
#[derive(Debug, Default)]
struct Definitions {
    /// Column names in order, by table.
    tables: BTreeMap<String, Vec<String>>,
    /// The whole definition behind the name, by index.
    indexes: BTreeMap<String, String>,
    /// The table, by trigger.
    triggers: BTreeMap<String, String>,
}

fn files(dialect: &str) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(dialect);
    std::fs::read_dir(folder)
        .expect("the folder of migrations")
        .map(|entry| {
            let entry = entry.expect("an entry");
            let name = entry.file_name().into_string().expect("a name in UTF-8");
            (name, std::fs::read_to_string(entry.path()).expect("a migration in UTF-8"))
        })
        .collect()
}

/// A column's line begins with four spaces and a name in small letters; constraints begin in capitals.
fn column(line: &str) -> Option<String> {
    let rest = line.strip_prefix("    ")?;
    let name: String = rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

fn definitions(dialect: &str) -> Definitions {
    let mut found = Definitions::default();
    for text in files(dialect).values() {
        let mut table: Option<String> = None;
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            if let Some(name) = &table {
                if line.starts_with(')') {
                    table = None;
                } else if let Some(column) = column(line) {
                    found.tables.entry(name.clone()).or_default().push(column);
                }
            } else if words.starts_with(&["DROP", "TABLE"]) {
                found.tables.remove(words[2].trim_end_matches(';'));
            } else if words.starts_with(&["CREATE", "TABLE"]) {
                table = Some(words[2].to_owned());
            } else if words.starts_with(&["CREATE", "INDEX"]) {
                found.indexes.insert(words[2].to_owned(), words[3..].join(" "));
            } else if words.starts_with(&["CREATE", "UNIQUE", "INDEX"]) {
                found.indexes.insert(words[3].to_owned(), format!("UNIQUE {}", words[4..].join(" ")));
            } else if words.starts_with(&["CREATE", "TRIGGER"]) {
                let on = words.iter().rposition(|word| *word == "ON").expect("a trigger is on a table");
                found.triggers.insert(words[2].to_owned(), words[on + 1].to_owned());
            }
        }
    }
    found
}

#[test]
fn both_dialects_have_the_same_numbers_and_names() {
    let (sqlite, postgres) = (files("sqlite"), files("postgres"));
    assert!(sqlite.keys().eq(postgres.keys()));
    for (position, name) in sqlite.keys().enumerate() {
        assert!(name.starts_with(&format!("{:04}_", position + 1)), "{name}: numbers without gaps");
    }
}

#[test]
fn both_dialects_define_the_same_tables_columns_and_indexes() {
    let (sqlite, postgres) = (definitions("sqlite"), definitions("postgres"));
    assert_eq!(sqlite.tables, postgres.tables);
    assert_eq!(sqlite.indexes, postgres.indexes);
    assert!(!sqlite.indexes.is_empty() && !sqlite.triggers.is_empty(), "the texts were read");
    for (trigger, table) in &sqlite.triggers {
        assert_eq!(postgres.triggers.get(trigger), Some(table), "{trigger}");
    }
}

#[test]
fn every_key_and_index_begins_with_the_site() {
    for dialect in ["sqlite", "postgres"] {
        let found = definitions(dialect);
        for (index, definition) in &found.indexes {
            assert!(definition.contains(" (site_id"), "{dialect} {index}: {definition}");
        }
        for (table, columns) in &found.tables {
            assert!(table == "store_meta" || columns[0] == "site_id", "{dialect} {table}");
        }
        for text in files(dialect).values() {
            for line in text.lines().map(str::trim).filter(|line| line.starts_with("PRIMARY KEY")) {
                assert!(line.starts_with("PRIMARY KEY (site_id"), "{dialect}: {line}");
            }
        }
    }
}

// ---------------------------------------------------------------- a store to try things on

/// The paid order of the seed.
const PAID: &str = "x'00000000000000000000000000000001'";
/// The pending order of the seed.
const PENDING: &str = "x'00000000000000000000000000000002'";
const ORDER: &str = "INSERT INTO orders (site_id, id, order_number, business_date, sequence, pickup_number, status, \
    fulfilment, method, customer_id, currency, subtotal, discount, tax, tax_inclusive, total, due, price_trace, \
    created_at, updated_at) VALUES ";
const ATTEMPT: &str = "INSERT INTO payment_attempts (site_id, order_id, id, method, amount, currency, status, stray, \
    idempotency_key, gateway_payment_id, captured_at, ended_at, actor_role, created_at, updated_at) VALUES ";
const MOVEMENT: &str = "INSERT INTO stock_movements (site_id, stock_item_id, seq, kind, quantity, on_hand_after, \
    reserved_after, order_id, actor_role, at) VALUES ";
const RESERVATION: &str =
    "INSERT INTO reservations (site_id, order_id, stock_item_id, round, taken, quantity, held_at) VALUES ";
const SHIFT: &str =
    "INSERT INTO till_shifts (site_id, id, terminal_id, opened_by, opened_at, opening_float, balance) VALUES ";
const ARCHIVE: &str =
    "INSERT INTO archive_runs (site_id, id, state, before_at, file_name, started_at) VALUES ('main', zeroblob(16), ";

/// One paid card order with one line and a committed hold, one pending order that holds stock, one open till.
fn seed() -> Vec<String> {
    vec![
        "INSERT INTO sites (site_id, name, currency, time_zone, created_at) \
         VALUES ('main', 'Canteen', 'INR', 'Asia/Kolkata', 0)"
            .to_owned(),
        "INSERT INTO terminals (site_id, id, name, role, registered_at) \
         VALUES ('main', zeroblob(16), 'till', 'kitchen', 0)"
            .to_owned(),
        "INSERT INTO customers (site_id, id, kind, created_at, updated_at) \
         VALUES ('main', zeroblob(16), 'guest', 0, 0)"
            .to_owned(),
        "INSERT INTO stock_items (site_id, id, code, name, opening, on_hand, reserved, created_at, updated_at) \
         VALUES ('main', zeroblob(16), 'BUN', 'Bun', 100, 100, 6, 0, 0)"
            .to_owned(),
        format!(
            "{ORDER} ('main', {PAID}, 'ORD-20260213-001', '2026-02-13', 1, '001', 'pending', 'pickup', 'card', \
             zeroblob(16), 'INR', 1000, 100, 45, FALSE, 945, 945, '{{}}', 10, 10), \
             ('main', {PENDING}, 'ORD-20260213-1002', '2026-02-13', 1002, '002', 'pending', 'pickup', 'card', \
             zeroblob(16), 'INR', 1000, 0, 48, TRUE, 1000, 1000, '{{}}', 10, 10)"
        ),
        format!(
            "INSERT INTO order_lines (site_id, order_id, id, position, item_id, item_code, item_name, category_name, \
             base_price, unit_price, quantity, line_total, discount_share, tax_share, total_share) \
             VALUES ('main', {PAID}, zeroblob(16), 1, zeroblob(16), 'TEA', 'Tea', 'Drinks', 200, 200, 5, 1000, 100, \
             45, 945)"
        ),
        format!(
            "{RESERVATION} ('main', {PAID}, zeroblob(16), 1, 5, 5, 10), ('main', {PENDING}, zeroblob(16), 1, 1, 1, 10)"
        ),
        format!(
            "{ATTEMPT} ('main', {PAID}, zeroblob(16), 'card', 945, 'INR', 'created', FALSE, 'pay-1', NULL, NULL, NULL, \
             'customer', 10, 10)"
        ),
        format!(
            "INSERT INTO order_history (site_id, order_id, version, to_status, transition, actor_role, at) \
             VALUES ('main', {PAID}, 1, 'pending', 'T1', 'customer', 10)"
        ),
        "UPDATE payment_attempts SET status = 'captured', captured_at = 20, ended_at = 20, gateway_payment_id = 'pay_1'"
            .to_owned(),
        "UPDATE orders SET status = 'received', version = 2, paid = TRUE, paid_at = 20, received_at = 20 \
         WHERE sequence = 1"
            .to_owned(),
        format!("UPDATE reservations SET state = 'committed', ended_at = 20 WHERE order_id = {PAID}"),
        "UPDATE stock_items SET on_hand = 95, reserved = 1, last_movement = 1".to_owned(),
        format!("{MOVEMENT} ('main', zeroblob(16), 1, 'commit', -5, 95, 1, {PAID}, 'gateway', 20)"),
        "INSERT INTO audit_log (site_id, at, use_case, action, entity, entity_id, details, actor_role) \
         VALUES ('main', 20, 'pay', 'ORDER_FULFILLED', 'order', '1', '', 'gateway')"
            .to_owned(),
        "INSERT INTO audit_seals (site_id, seq, from_seq, to_seq, row_count, previous_hash, hash, sealed_at) \
         VALUES ('main', 1, 1, 1, 1, zeroblob(32), zeroblob(32), 30)"
            .to_owned(),
        format!("{SHIFT} ('main', zeroblob(16), zeroblob(16), zeroblob(16), 10, 500, 500)"),
        "INSERT INTO worker_lease (site_id, name, holder, fence, acquired_at, renewed_at, expires_at) \
         VALUES ('main', 'worker', 'a', 7, 0, 0, 9)"
            .to_owned(),
        "INSERT INTO carts (site_id, id, customer_id, fulfilment, created_at, updated_at) \
         VALUES ('main', zeroblob(16), zeroblob(16), 'pickup', 0, 0)"
            .to_owned(),
    ]
}

/// A store in memory with every migration and the seed.
async fn store() -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(":memory:").foreign_keys(true);
    let mut store = options.connect().await.expect("a store in memory");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
    let migrations = sqlx::migrate::Migrator::new(folder).await.expect("the folder of migrations");
    migrations.run(&mut store).await.expect("every migration");
    for statement in seed() {
        done(&mut store, &statement).await;
    }
    store
}

/// Runs a statement that must pass and meet a row.
async fn done(store: &mut SqliteConnection, statement: &str) {
    let result = store.execute(AssertSqlSafe(statement)).await.unwrap_or_else(|error| panic!("{statement}\n{error}"));
    assert!(result.rows_affected() > 0, "no row: {statement}");
}

/// Runs a statement that must be refused by `rule`, a part of the refusal's message.
async fn refused(store: &mut SqliteConnection, statement: &str, rule: &str) {
    match store.execute(AssertSqlSafe(statement)).await {
        Ok(result) => panic!("not refused ({} rows): {statement}", result.rows_affected()),
        Err(sqlx::Error::Database(error)) => {
            assert!(error.message().contains(rule), "{statement}\nrefused by another rule: {}", error.message());
        }
        Err(error) => panic!("{statement}\n{error}"),
    }
}

async fn all_refused(cases: &[(&str, &str)]) {
    let mut store = store().await;
    for (statement, rule) in cases {
        refused(&mut store, statement, rule).await;
    }
}

#[tokio::test]
async fn every_migration_runs_and_makes_the_columns_that_its_text_shows() {
    let mut store = store().await;
    let broken = store.fetch_all("PRAGMA foreign_key_check").await.expect("the check");
    assert!(broken.is_empty());
    for (table, columns) in &definitions("sqlite").tables {
        let question = format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid");
        let rows = store.fetch_all(AssertSqlSafe(question)).await.expect("columns");
        let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(&names, columns, "{table}");
    }
    store.close().await.expect("a clean end");
}

// ---------------------------------------------------------------- what must be refused

#[tokio::test]
async fn what_is_written_once_is_never_rewritten() {
    all_refused(&[
        ("UPDATE stock_movements SET quantity = -4", "stock_movements is append-only"),
        ("UPDATE order_history SET reason = 'x'", "order_history is append-only"),
        ("UPDATE audit_log SET details = 'x'", "audit_log is append-only"),
        ("UPDATE audit_seals SET sealed_at = 0", "audit_seals is append-only"),
        ("DELETE FROM audit_seals", "audit_seals is never deleted"),
        ("DELETE FROM till_shifts", "till_shifts is never deleted"),
        ("DELETE FROM stock_movements", "only by an archive run"),
        ("DELETE FROM order_history", "only by an archive run"),
        ("DELETE FROM audit_log", "only by an archive run"),
        ("DELETE FROM orders WHERE sequence = 1", "FOREIGN KEY"),
    ])
    .await;
}

#[tokio::test]
async fn an_archive_run_lets_go_only_what_it_covers_and_only_while_it_runs() {
    let mut store = store().await;
    let mut transaction = store.begin().await.expect("a transaction");
    done(&mut transaction, &format!("{ARCHIVE} 'running', 20, 'a', 40)")).await;
    refused(&mut transaction, "DELETE FROM audit_log", "covers the row").await;
    transaction.rollback().await.expect("back");

    let mut transaction = store.begin().await.expect("a transaction");
    refused(&mut transaction, &format!("{ARCHIVE} 'done', 21, 'a', 40)"), "begins as running").await;
    done(&mut transaction, &format!("{ARCHIVE} 'running', 21, 'a', 40)")).await;
    refused(&mut transaction, "UPDATE archive_runs SET before_at = 99", "never change").await;
    done(&mut transaction, "DELETE FROM audit_log").await;
    done(&mut transaction, "UPDATE archive_runs SET state = 'done', finished_at = 41").await;
    refused(&mut transaction, "DELETE FROM order_history", "covers the row").await;
    refused(&mut transaction, "UPDATE archive_runs SET state = 'running'", "never change").await;
    transaction.commit().await.expect("kept");
}

#[tokio::test]
async fn stock_stays_between_reserved_and_on_hand_and_a_hold_ends_once() {
    let mut store = store().await;
    for (statement, rule) in [
        ("UPDATE stock_items SET reserved = 96", "stock_items_available"),
        ("UPDATE stock_items SET reserved = -1", "reserved >= 0"),
        ("UPDATE stock_items SET on_hand = 0", "stock_items_available"),
        ("UPDATE reservations SET state = 'released' WHERE state = 'committed'", "exactly once"),
        ("UPDATE reservations SET quantity = 4 WHERE state = 'committed'", "exactly once"),
        ("UPDATE reservations SET quantity = 2 WHERE state = 'held'", "never grows"),
        ("UPDATE reservations SET restocked = 3, wasted = 3 WHERE state = 'committed'", "reservations_given_back"),
        ("UPDATE reservations SET restocked = 1 WHERE state = 'held'", "reservations_given_back_after"),
        ("UPDATE reservations SET state = 'released' WHERE state = 'held'", "reservations_ended"),
    ] {
        refused(&mut store, statement, rule).await;
    }
    let again = format!("{RESERVATION} ('main', {PENDING}, zeroblob(16), 2, 1, 1, 11)");
    refused(&mut store, &again, "UNIQUE constraint failed: reservations").await;
    let short = format!("{RESERVATION} ('main', {PENDING}, zeroblob(16), 2, 2, 1, 11)");
    refused(&mut store, &short, "begins as held").await;
    done(&mut store, "UPDATE reservations SET state = 'released', ended_at = 11 WHERE state = 'held'").await;
    done(&mut store, &again).await;

    let rising = format!("{MOVEMENT} ('main', zeroblob(16), 2, 'commit', 5, 95, 1, {PAID}, 'gateway', 21)");
    refused(&mut store, &rising, "stock_movements_sign").await;
    let twice = format!("{MOVEMENT} ('main', zeroblob(16), 1, 'receive', 5, 100, 1, NULL, 'admin', 21)");
    refused(&mut store, &twice, "UNIQUE constraint failed: stock_movements").await;
    let sold_to_nobody = format!("{MOVEMENT} ('main', zeroblob(16), 2, 'commit', -5, 90, 1, NULL, 'gateway', 21)");
    refused(&mut store, &sold_to_nobody, "stock_movements_for_order").await;
}

#[tokio::test]
async fn an_order_moves_along_the_table_only() {
    let mut store = store().await;
    for (statement, rule) in [
        ("UPDATE orders SET status = 'preparing', version = 3 WHERE sequence = 1", "no such transition"),
        ("UPDATE orders SET status = 'confirmed' WHERE sequence = 1", "no such transition"),
        ("UPDATE orders SET status = 'confirmed', version = 5 WHERE sequence = 1", "no such transition"),
        ("UPDATE orders SET version = 1 WHERE sequence = 1", "never falls"),
        (
            "UPDATE orders SET status = 'received', version = 2, received_at = 9 WHERE sequence = 1002",
            "orders_prepaid_visible",
        ),
        ("UPDATE orders SET status = 'expired', version = 2 WHERE sequence = 1002", "orders_ended"),
        ("UPDATE orders SET status = 'cancelled', version = 2, ended_at = 9 WHERE sequence = 1002", "orders_reason"),
        ("UPDATE orders SET paid = FALSE, paid_at = NULL WHERE sequence = 1", "stays paid"),
    ] {
        refused(&mut store, statement, rule).await;
    }
    for statement in [
        "UPDATE orders SET status = 'confirmed', version = 3 WHERE sequence = 1",
        "UPDATE orders SET status = 'preparing', version = 4 WHERE sequence = 1",
        "UPDATE orders SET status = 'ready', version = 6 WHERE sequence = 1",
    ] {
        done(&mut store, statement).await;
    }
    let out = "UPDATE orders SET status = 'out_for_delivery', version = 7 WHERE sequence = 1";
    refused(&mut store, out, "orders_out").await;
    done(&mut store, "UPDATE orders SET status = 'completed', version = 7, ended_at = 60 WHERE sequence = 1").await;
    for status in [
        "pending",
        "received",
        "confirmed",
        "preparing",
        "ready",
        "out_for_delivery",
        "cancelled",
        "rejected",
        "expired",
    ] {
        let statement =
            format!("UPDATE orders SET status = '{status}', version = 8, reason = 'staff' WHERE sequence = 1");
        refused(&mut store, &statement, "terminal order").await;
    }
    done(&mut store, "UPDATE orders SET late_payment = TRUE, version = 8 WHERE sequence = 1").await;
}

#[tokio::test]
async fn the_edges_of_the_transition_table_are_the_ones_that_sql_lets_pass() {
    const STATUSES: [&str; 10] = [
        "pending",
        "received",
        "confirmed",
        "preparing",
        "ready",
        "out_for_delivery",
        "completed",
        "cancelled",
        "rejected",
        "expired",
    ];
    // Written down from the transition table, one event a step.
    const EDGES: [(&str, &str); 16] = [
        ("pending", "received"),
        ("pending", "cancelled"),
        ("pending", "expired"),
        ("received", "confirmed"),
        ("received", "cancelled"),
        ("received", "rejected"),
        ("confirmed", "preparing"),
        ("confirmed", "cancelled"),
        ("preparing", "ready"),
        ("preparing", "cancelled"),
        ("ready", "preparing"),
        ("ready", "out_for_delivery"),
        ("ready", "completed"),
        ("ready", "cancelled"),
        ("out_for_delivery", "ready"),
        ("out_for_delivery", "completed"),
    ];
    let mut store = store().await;
    // Only the triggers are asked here; the row would not satisfy the CHECKs in every status.
    done_quietly(&mut store, "PRAGMA ignore_check_constraints = ON").await;
    done_quietly(&mut store, "DROP TRIGGER orders_paid_stays").await;
    for from in STATUSES {
        for to in STATUSES.into_iter().filter(|to| *to != from) {
            let mut transaction = store.begin().await.expect("a transaction");
            walk_to(&mut transaction, from).await;
            let step = format!("UPDATE orders SET status = '{to}', version = version + 1 WHERE sequence = 1002");
            let passed = transaction.execute(AssertSqlSafe(step)).await.is_ok();
            assert_eq!(passed, EDGES.contains(&(from, to)), "{from} to {to}");
            transaction.rollback().await.expect("back");
        }
    }
}

async fn done_quietly(store: &mut SqliteConnection, statement: &str) {
    store.execute(AssertSqlSafe(statement)).await.unwrap_or_else(|error| panic!("{statement}\n{error}"));
}

/// Moves the pending order of the seed to a status, step by step.
async fn walk_to(store: &mut SqliteConnection, status: &str) {
    let road: &[&str] = match status {
        "pending" => &[],
        "received" => &["received"],
        "confirmed" => &["received", "confirmed"],
        "preparing" => &["received", "confirmed", "preparing"],
        "ready" => &["received", "confirmed", "preparing", "ready"],
        "out_for_delivery" => &["received", "confirmed", "preparing", "ready", "out_for_delivery"],
        "completed" => &["received", "confirmed", "preparing", "ready", "completed"],
        "rejected" => &["received", "rejected"],
        "cancelled" => &["cancelled"],
        "expired" => &["expired"],
        other => panic!("no road to {other}"),
    };
    for step in road {
        let statement = format!("UPDATE orders SET status = '{step}', version = version + 1 WHERE sequence = 1002");
        done(store, &statement).await;
    }
}

#[tokio::test]
async fn what_was_sold_never_changes_and_sums_hold() {
    let mut store = store().await;
    for (statement, rule) in [
        ("UPDATE orders SET total = 1", "snapshot columns of orders"),
        ("UPDATE orders SET method = 'cash'", "snapshot columns of orders"),
        ("UPDATE orders SET due = 946 WHERE sequence = 1", "orders_due"),
        ("UPDATE order_lines SET item_name = 'Coffee'", "snapshot columns of order_lines"),
        ("UPDATE order_lines SET options = '[1]'", "snapshot columns of order_lines"),
        ("UPDATE order_lines SET note = 'no milk'", "snapshot columns of order_lines"),
        ("UPDATE order_lines SET voided = 6", "order_lines_voided"),
        ("UPDATE order_lines SET done = 6", "order_lines_done"),
        ("UPDATE order_lines SET restocked = 3, wasted = 3", "order_lines_given_back"),
    ] {
        refused(&mut store, statement, rule).await;
    }
    done(&mut store, "UPDATE order_lines SET voided = 2, restocked = 1, wasted = 1, done = 3").await;
    refused(&mut store, "UPDATE order_lines SET restocked = 0", "never taken back").await;
    for (number, sequence, status, total, rule) in [
        ("ORD-20260213-003", 3, "pending", 999, "orders_sum"),
        ("ORD-20260213-004", 3, "pending", 1000, "orders_number_form"),
        ("ORD-20260213-3", 3, "pending", 1000, "orders_number_form"),
        ("ORD-20260213-001", 1, "pending", 1000, "UNIQUE constraint failed: orders.site_id, orders.business_date"),
        ("ORD-20260213-003", 3, "preparing", 1000, "begins as pending"),
    ] {
        let statement = format!(
            "{ORDER} ('main', x'00000000000000000000000000000003', '{number}', '2026-02-13', {sequence}, '003', \
             '{status}', 'pickup', 'card', zeroblob(16), 'INR', 1000, 0, 0, FALSE, {total}, {total}, '{{}}', 10, 10)"
        );
        refused(&mut store, &statement, rule).await;
    }
}

#[tokio::test]
async fn an_order_is_charged_once_and_refunded_no_more_than_that() {
    let attempt = |order: &str, id: u8, amount: i64, stray: bool, gateway_id: &str| {
        format!(
            "{ATTEMPT} ('main', {order}, x'0000000000000000000000000000000{id}', 'card', {amount}, 'INR', 'captured', \
             {stray}, 'key-{id}', '{gateway_id}', 30, 30, 'gateway', 30, 30)"
        )
    };
    let open = |id: u8, amount: i64| {
        format!(
            "{ATTEMPT} ('main', {PENDING}, x'0000000000000000000000000000000{id}', 'card', {amount}, 'INR', 'created', \
             FALSE, 'open-{id}', NULL, NULL, NULL, 'customer', 30, 30)"
        )
    };
    let refund = |id: u8, amount: i64| {
        format!(
            "INSERT INTO refunds (site_id, order_id, id, attempt_id, method, amount, currency, transition, \
             idempotency_key, actor_role, created_at, updated_at) VALUES ('main', {PAID}, \
             x'0000000000000000000000000000000{id}', zeroblob(16), 'card', {amount}, 'INR', 'T27', 'refund-{id}', \
             'admin', 50, 50)"
        )
    };
    let mut store = store().await;
    for (statement, rule) in [
        (attempt(PAID, 9, 945, false, "pay_9"), "payment_attempts.site_id, payment_attempts.order_id"),
        (attempt(PENDING, 9, 1000, false, "pay_1"), "payment_attempts.gateway_payment_id"),
        (open(9, 0), "payment_attempts_amount"),
        ("UPDATE payment_attempts SET status = 'failed', captured_at = NULL".to_owned(), "ends exactly once"),
        ("UPDATE payment_attempts SET amount = 1".to_owned(), "snapshot columns of payment_attempts"),
        ("UPDATE payment_attempts SET unknown = TRUE".to_owned(), "payment_attempts_unknown"),
        (refund(1, 946), "payment_attempts_refunded"),
        (refund(1, 0), "amount > 0"),
    ] {
        refused(&mut store, &statement, rule).await;
    }
    done(&mut store, &attempt(PAID, 8, 945, true, "pay_8")).await;
    done(&mut store, &open(1, 1000)).await;
    refused(&mut store, &open(2, 1000), "UNIQUE").await;

    done(&mut store, &refund(1, 500)).await;
    refused(&mut store, "UPDATE refunds SET amount = 501", "snapshot columns of refunds").await;
    let settled = refund(2, 1).replace("transition,", "status, transition,").replace("'T27'", "'settled', 'T27'");
    refused(&mut store, &settled, "begins as pending").await;
    refused(&mut store, &refund(2, 446), "payment_attempts_refunded").await;
    done(&mut store, &refund(2, 445)).await;
    done(&mut store, "UPDATE refunds SET status = 'failed', ended_at = 60 WHERE amount = 445").await;
    refused(&mut store, "UPDATE refunds SET status = 'settled' WHERE amount = 445", "ends exactly once").await;
    let row = store.fetch_one("SELECT refunded FROM payment_attempts WHERE idempotency_key = 'pay-1'").await;
    assert_eq!(row.expect("the attempt").get::<i64, _>(0), 500, "a failed refund gives its sum back");
}

#[tokio::test]
async fn cash_needs_an_open_shift_and_a_closed_one_is_immutable() {
    let mut store = store().await;
    let sale = format!(
        "INSERT INTO drawer_movements (site_id, shift_id, seq, kind, amount, balance_after, order_id, actor_role, at) \
         VALUES ('main', zeroblob(16), 1, 'sale', 945, 1445, {PAID}, 'kitchen', 40)"
    );
    refused(&mut store, &sale, "open till shift").await;
    refused(&mut store, "UPDATE till_shifts SET opening_float = 0", "snapshot columns of till_shifts").await;
    done(&mut store, "UPDATE till_shifts SET balance = 1445, last_movement = 1 WHERE closed_at IS NULL").await;
    done(&mut store, &sale).await;
    refused(&mut store, "UPDATE drawer_movements SET amount = 1", "append-only").await;
    refused(&mut store, "DELETE FROM drawer_movements", "archive run").await;
    let second = format!("{SHIFT} ('main', x'00000000000000000000000000000009', zeroblob(16), zeroblob(16), 41, 0, 0)");
    refused(&mut store, &second, "UNIQUE").await;
    let close = |over_short: i64| {
        format!(
            "UPDATE till_shifts SET closed_at = 50, closed_by = zeroblob(16), counted = 1440, expected = 1445, \
             over_short = {over_short}"
        )
    };
    refused(&mut store, &close(0), "till_shifts_closing").await;
    done(&mut store, &close(-5)).await;
    refused(&mut store, "UPDATE till_shifts SET note = 'x'", "closed till shift").await;
    done(&mut store, &second).await;
}

#[tokio::test]
async fn words_counts_and_keys_outside_their_range_are_refused() {
    let mut store = store().await;
    let line = |quantity: i64| {
        format!(
            "INSERT INTO cart_lines (site_id, cart_id, id, position, item_id, quantity, unit_price_seen, name_seen) \
             VALUES ('main', zeroblob(16), zeroblob(16), 1, zeroblob(16), {quantity}, 1, 'x')"
        )
    };
    for quantity in [0, -1, 1000, i64::from(i32::MAX) + 1] {
        refused(&mut store, &line(quantity), "quantity BETWEEN 1 AND 999").await;
    }
    done(&mut store, &line(999)).await;
    let slot = "INSERT INTO slot_counters (site_id, business_date, slot_name, claimed) VALUES ('main', ";
    for (statement, rule) in [
        ("UPDATE carts SET state = 'gone'", "state IN"),
        ("UPDATE carts SET state = 'locked'", "carts_locked"),
        ("UPDATE worker_lease SET fence = 6", "never falls"),
        ("UPDATE terminals SET key_hash = 'text'", "cannot store TEXT value in BLOB column"),
        ("UPDATE terminals SET preferences = '{'", "json_valid"),
        ("UPDATE terminals SET training = 2", "training IN (0, 1)"),
        ("UPDATE customers SET id = x'00'", "length(id) = 16"),
        (&format!("{slot} '2026-02-13', 'lunch', -1)"), "claimed >= 0"),
        (&format!("{slot} '13.2.2026', 'lunch', 1)"), "business_date LIKE"),
        (
            "INSERT INTO tax_classes (site_id, id, name, rate_ppm) VALUES ('main', zeroblob(16), 'VAT', 1000001)",
            "rate_ppm BETWEEN",
        ),
        (
            "INSERT INTO categories (site_id, id, name, created_at, updated_at) \
             VALUES ('nowhere', zeroblob(16), 'Drinks', 0, 0)",
            "FOREIGN KEY",
        ),
    ] {
        refused(&mut store, statement, rule).await;
    }
}

// ---------------------------------------------------------------- what is read has its index

#[tokio::test]
async fn the_daily_questions_are_answered_from_an_index() {
    let mut store = store().await;
    for (question, index) in [
        (
            "SELECT id FROM orders WHERE site_id = 'main' \
             AND status IN ('received', 'confirmed', 'preparing', 'ready', 'out_for_delivery')",
            "orders_in_kitchen",
        ),
        ("SELECT id FROM orders WHERE site_id = 'main' AND status = 'pending' AND expires_at <= 5", "orders_pending"),
        ("SELECT id FROM orders WHERE site_id = 'main' ORDER BY created_at DESC, id DESC LIMIT 20", "orders_page"),
        (
            "SELECT id FROM orders WHERE site_id = 'main' AND business_date = '2026-02-13' AND training = FALSE \
             ORDER BY sequence",
            "orders_number",
        ),
        (
            "SELECT id FROM orders WHERE site_id = 'main' AND customer_id = x'00' ORDER BY created_at DESC, id DESC",
            "orders_customer",
        ),
        (
            "SELECT id FROM payment_attempts WHERE site_id = 'main' AND status IN ('created', 'authorized') \
             AND next_check_at <= 5",
            "payment_attempts_check",
        ),
        (
            "SELECT id FROM payment_attempts WHERE site_id = 'main' AND gateway_payment_id = 'pay_1'",
            "payment_attempts_gateway_payment",
        ),
        (
            "SELECT order_id FROM reservations WHERE site_id = 'main' AND stock_item_id = x'00' AND state = 'held'",
            "reservations_held",
        ),
        (
            "SELECT seq FROM outbox WHERE site_id = 'main' AND sent_at IS NULL AND parked_at IS NULL \
             ORDER BY priority DESC, seq LIMIT 50",
            "outbox_open",
        ),
        ("SELECT id FROM carts WHERE site_id = 'main' AND state = 'open' AND updated_at < 5", "carts_updated"),
        (
            "SELECT seq FROM audit_log WHERE site_id = 'main' AND entity = 'order' AND entity_id = '1' ORDER BY seq",
            "audit_log_entity",
        ),
        ("SELECT seq FROM audit_log WHERE site_id = 'main' AND at >= 5 ORDER BY at, seq", "audit_log_at"),
    ] {
        let rows = store.fetch_all(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {question}"))).await.expect("a plan");
        let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        let plan = plan.join("; ");
        assert!(plan.contains(&format!("INDEX {index} (site_id=?")), "{question}\n{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "sorted by the index itself: {question}\n{plan}");
    }
}
