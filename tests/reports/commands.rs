//! `servery report` and `servery audit` of the real binary: words, JSON, CSV, exit statuses.

use super::cli_support::Shop;
use serde_json::{Value, json};
use servery::store::{Options, Store, StoreUrl, seal};

macro_rules! in_shops {
    ($name:ident, |$shop:ident| $body:block) => {
        mod $name {
            use super::*;
            fn run($shop: &Shop) $body
            #[test]
            fn on_sqlite() {
                run(&Shop::open(false).expect("a shop"));
            }
            #[test]
            fn on_postgres() {
                if let Some(shop) = Shop::open(true) {
                    run(&shop);
                }
            }
        }
    };
}

/// One paid order of two mugs that is cancelled by staff, and one of a shirt that stays.
fn trade(shop: &Shop) -> String {
    let pay = ["--pay", "--test-card", "approved"];
    let mugs = ["order", "place", "--method", "card", "--item", "mug", "--item", "mug"];
    let placed = shop.guest(&[&mugs[..], &pay[..]].concat());
    let number = placed["order_number"].as_str().expect("a number").to_owned();
    shop.staff(&["order", "staff-cancel", &number, "--reason", "=out of clay"]);
    shop.guest(&[&["order", "place", "--method", "card", "--item", "t-shirt"][..], &pay[..]].concat());
    number
}

#[track_caller]
fn csv(shop: &Shop, arguments: &[&str]) -> Vec<Vec<String>> {
    let output = shop.with_input(&[arguments, &["--csv", "--staff", "asha"]].concat(), "");
    assert!(output.status.success(), "{output:?}");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&output.stdout[..]);
    reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect()
}

in_shops!(every_report_has_words_json_and_csv, |shop| {
    trade(shop);
    let sales = shop.staff(&["report", "sales"]);
    assert_eq!((&sales["whole"]["orders"], &sales["whole"]["gross"]), (&json!(2), &json!("55.00")));
    assert_eq!((&sales["whole"]["net"], &sales["by_method"][0]["method"]), (&json!("55.00"), &json!("card")));
    assert_eq!(sales["pending_refunds"]["amount"], "25.00", "not back yet");
    assert_eq!(sales["days"].as_array().map(Vec::len), Some(1), "today, where no day is given");
    let rows = csv(shop, &["report", "sales"]);
    assert_eq!(rows[0][..4], ["group", "name", "orders", "gross"]);
    assert_eq!(rows.last().expect("the whole")[..4], ["whole", "", "2", "55.00"]);

    let items = shop.staff(&["report", "items"]);
    let shirt = items["items"].as_array().expect("items").iter().find(|item| item["code"] == "t-shirt").expect("it");
    assert_eq!((&shirt["quantity"], &shirt["revenue"]), (&json!(1), &json!("30.00")));
    let mug = items["items"].as_array().expect("items").iter().find(|item| item["code"] == "mug").expect("it");
    assert_eq!((&mug["quantity"], &mug["restocked"]), (&json!(0), &json!(2)), "cancelled: not sold");
    assert_eq!(csv(shop, &["report", "items"]).len(), 3);

    let hours = shop.staff(&["report", "hours"]);
    let placed: i64 = hours["hours"].as_array().expect("hours").iter().filter_map(|hour| hour["placed"].as_i64()).sum();
    assert_eq!((placed, &hours["first_hour"]), (2, &json!(4)));
    assert_eq!(csv(shop, &["report", "hours"]).len(), 25);

    let speed = shop.staff(&["report", "speed"]);
    assert_eq!((&speed["whole"]["orders"], &speed["whole"]["median_seconds"]), (&json!(0), &Value::Null));
    assert_eq!(csv(shop, &["report", "speed"]).len(), 2);

    let refunds = shop.staff(&["report", "refunds"]);
    assert_eq!(refunds["refunds"][0]["reason"], "=out of clay");
    assert_eq!(
        (&refunds["refunds"][0]["status"], &refunds["refunds"][0]["amount"]),
        (&json!("pending"), &json!("25.00"))
    );
    let rows = csv(shop, &["report", "refunds"]);
    assert_eq!(rows[1][6], "'=out of clay", "no formula for a spreadsheet");

    let statistics = shop.staff(&["report", "statistics"]);
    assert_eq!((&statistics["orders"], &statistics["average_order"]), (&json!(2), &json!("27.50")));
    let word = |word: &str| {
        let words = statistics["by_word"].as_array().expect("words");
        words.iter().find(|row| row["word"] == word).expect("the word")["orders"].clone()
    };
    assert_eq!((word("processing"), word("cancelled"), word("delivered")), (json!(1), json!(1), json!(0)));
    assert!(csv(shop, &["report", "statistics"]).contains(&vec!["units".to_owned(), String::new(), "1".to_owned()]));

    for report in ["sales", "items", "hours", "speed", "refunds", "statistics"] {
        let output = shop.with_input(&["report", report, "--staff", "asha"], "");
        let words = String::from_utf8(output.stdout).expect("text");
        assert!(output.status.success() && !words.trim().is_empty(), "{report}: {words}");
    }
});

in_shops!(reports_refuse_what_makes_no_sense, |shop| {
    let error = shop.guest_refused(&["report", "sales"]);
    assert_eq!(error["error"]["code"], "INSUFFICIENT_ROLE");
    let error = shop.guest_refused(&["audit", "list"]);
    assert_eq!(error["error"]["code"], "INSUFFICIENT_ROLE");
    for range in [["2026-03-02", "2026-03-01"], ["2026-02-30", "2026-03-01"], ["1990-01-01", "2026-03-01"]] {
        let error = shop.staff_refused(&["report", "items", "--from", range[0], "--to", range[1]]);
        assert_eq!(error["error"]["code"], "VALIDATION_ERROR", "{range:?}");
    }
    let both = shop.with_input(&["report", "sales", "--csv", "--json"], "");
    assert_eq!(both.status.code(), Some(2));
    let early = shop.staff(&["report", "sales", "--from", "2001-01-01", "--to", "2001-12-31"]);
    assert_eq!((early["days"].as_array().map(Vec::len), &early["whole"]["orders"]), (Some(365), &json!(0)));
});

/// Seals everything, as the worker does.
fn seal_all(shop: &Shop) -> i64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let url = StoreUrl::parse(&shop.url).expect("url");
        let store = Store::open(&url, Options::default()).await.expect("a store");
        let mut tx = store.write().await.expect("a transaction");
        let sealed =
            seal::append(&mut tx, "main", i64::MAX, servery::domain::time::Timestamp(1)).await.expect("sealed");
        tx.commit().await.expect("committed");
        sealed
    })
}

/// Changes a sealed row past the program.
fn damage(shop: &Shop, seq: i64) {
    use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let change = format!("UPDATE audit_log SET details = 'nothing' WHERE seq = {seq}");
    runtime.block_on(async {
        if let Some(path) = shop.url.strip_prefix("sqlite:") {
            let mut connection = sqlx::SqliteConnection::connect(path).await.expect("a connection");
            let change = format!("DROP TRIGGER audit_log_no_update; {change}");
            connection.execute(sqlx::raw_sql(AssertSqlSafe(change))).await.expect("changed");
        } else {
            let mut connection = sqlx::PgConnection::connect(&shop.url).await.expect("a connection");
            let change = format!("SET session_replication_role = replica; {change}");
            connection.execute(sqlx::raw_sql(AssertSqlSafe(change))).await.expect("changed");
        }
    });
}

in_shops!(the_audit_log_is_listed_and_its_seals_are_gone_through, |shop| {
    let number = trade(shop);
    let found = shop.staff(&["audit", "list", "--text", "=OUT of clay"]);
    assert_eq!(found["items"].as_array().map(Vec::len), Some(1), "{found}");
    let row = &found["items"][0];
    assert_eq!(
        (&row["actor"], &row["reason"], &row["entity"]),
        (&json!("asha"), &json!("=out of clay"), &json!("Order"))
    );
    assert_eq!((&row["before"]["status"], &row["after"]["status"]), (&json!("confirmed"), &json!("cancelled")));
    assert!(row["details"].as_str().is_some_and(|details| details.contains(&number)), "{row}");
    assert!(row["at"].as_str().is_some_and(|at| at.ends_with('Z')), "{row}");
    let page = shop.staff(&["audit", "list", "--limit", "1", "--from", "2026-01-01"]);
    let next = page["next"].as_str().expect("there is more");
    let second = shop.staff(&["audit", "list", "--limit", "1", "--after", next]);
    assert_ne!(page["items"][0]["seq"], second["items"][0]["seq"]);
    let none = shop.staff(&["audit", "list", "--to", "2001-01-01T00:00:00Z"]);
    assert_eq!((&none["items"], &none["next"]), (&json!([]), &Value::Null));
    shop.staff_refused(&["audit", "list", "--from", "last week"]);

    let sealed = seal_all(shop);
    assert_eq!(shop.staff(&["audit", "status"])["sealed"], sealed);
    let proof = shop.staff(&["audit", "verify"]);
    assert_eq!((&proof["sealed"], &proof["violation"]), (&json!(sealed), &Value::Null));
    damage(shop, row["seq"].as_i64().expect("a number"));
    let output = shop.with_input(&["audit", "verify", "--staff", "asha"], "");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let words = String::from_utf8(output.stdout).expect("text");
    assert!(words.starts_with("Broken from audit row ") && words.contains("seal 1"), "{words}");
});
