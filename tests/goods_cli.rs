//! The command line twins of the console's Menu, Stock, Till and Settings tabs: the real binary on both
//! databases. What the use cases themselves decide is tested in `goods_menu.rs` and `till.rs`.

#![expect(clippy::panic, clippy::expect_used, reason = "helpers of tests, which clippy does not know as tests")]

#[expect(dead_code, reason = "shared with other suites, which use all of it")]
mod cli_support;
mod support;

use cli_support::Shop;
use serde_json::{Value, json};

/// One test on each database.
macro_rules! on_both {
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

fn codes(book: &Value) -> Vec<String> {
    let items = book["items"].as_array().expect("items");
    items.iter().map(|item| item["code"].as_str().expect("a code").to_owned()).collect()
}

on_both!(a_menu_is_kept_by_commands, |shop| {
    shop.staff(&["menu", "add-category", "Drinks"]);
    shop.staff(&["menu", "move-category", "Drinks", "1"]);
    shop.staff(&["menu", "add-station", "Bar"]);
    shop.staff(&["menu", "add-tax-class", "Food", "10.75"]);
    let new = ["menu", "add-item", "Iced Tea", "--category", "drinks", "--price", "3.50", "--diet", "vegan"];
    let more = ["--allergens", "A,milk", "--station", "bar", "--use", "mug=1", "--prep-minutes", "2"];
    let tea = shop.staff(&[&new[..], &more].concat());
    assert_eq!((&tea["code"], &tea["price"], &tea["version"]), (&json!("iced-tea"), &json!("3.50"), &json!(1)));
    assert_eq!(
        (&tea["allergens"], &tea["station"], &tea["left"]),
        (&json!(["gluten", "milk"]), &json!("Bar"), &json!(3))
    );
    let group = ["menu", "add-group", "iced-tea", "Size", "--choice", "Small", "--choice", "Large=1.20"];
    let tea = shop.staff(&group);
    assert_eq!(tea["option_groups"][0]["choices"][1]["price_delta"], "1.20");
    shop.staff(&["menu", "add-option", "iced-tea", "Size", "Thimble", "--price", "-1"]);
    shop.staff(&["menu", "edit-option", "iced-tea", "Size", "thimble", "--name", "Tiny", "--place", "1"]);
    let tea = shop.staff(&["menu", "edit-group", "iced-tea", "Size", "--min", "1"]);
    assert_eq!(tea["option_groups"][0]["choices"][0]["name"], "Tiny");
    shop.staff(&["menu", "delete-option", "iced-tea", "Size", "Tiny", "--reason", "too small"]);

    let edit = |version: &str, price: &str| {
        ["menu", "edit-item", "iced-tea", "--seen-version", version, "--price", price].map(str::to_owned)
    };
    let run = |edit: [String; 7]| edit.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    let version = shop.staff(&["menu", "book"])["items"][0]["version"].to_string();
    let good = run(edit(&version, "4.00"));
    assert_eq!(shop.staff(&good.split('\n').collect::<Vec<_>>())["price"], "4.00");
    let late = shop.staff_refused(&run(edit(&version, "5.00")).split('\n').collect::<Vec<_>>());
    assert_eq!(late["error"]["code"], "CONFLICT");
    let change = &late["error"]["details"]["changes"][0];
    assert_eq!((&change["by"], &change["after"]["price"]), (&json!("asha"), &json!("4.00")));

    let hidden = shop.staff(&["menu", "edit-item", "iced-tea", "--active", "false", "--uses-nothing"]);
    assert_eq!((&hidden["active"], &hidden["left"]), (&json!(false), &json!(null)));
    shop.staff(&["menu", "move-item", "iced-tea", "1", "--category", "Shop"]);
    assert_eq!(codes(&shop.staff(&["menu", "book"])), ["iced-tea", "t-shirt", "mug"]);
    let narrowed = |more: &[&str]| codes(&shop.staff(&[&["menu", "book"], more].concat()));
    assert_eq!(narrowed(&["--search", "ICED"]), ["iced-tea"]);
    assert_eq!(narrowed(&["--state", "hidden"]), ["iced-tea"]);
    // The first station is the default one: what names none is made there.
    assert_eq!(narrowed(&["--station", "BAR"]), ["iced-tea", "t-shirt", "mug"]);
    shop.staff(&["menu", "add-station", "Hatch"]);
    assert_eq!(narrowed(&["--station", "hatch"]), Vec::<String>::new());
    let hatch = shop.staff(&["menu", "edit-station", "hatch", "--name", "Serving hatch"]);
    assert_eq!((&hatch["name"], &hatch["is_default"]), (&json!("Serving hatch"), &json!(false)));
    let used = shop.staff_refused(&["menu", "retire-station", "bar", "--reason", "sold"]);
    assert_eq!(
        (&used["error"]["code"], &used["error"]["details"]["guard"]),
        (&json!("CONFLICT"), &json!("not_default"))
    );
    let gone = shop.staff(&["menu", "retire-station", "serving hatch", "--reason", "walled up"]);
    assert_eq!(gone["active"], json!(false));
    shop.staff(&["menu", "add-tax-class", "Drinks", "18"]);
    let dear = shop.staff(&["menu", "edit-tax-class", "drinks", "--rate", "20.5", "--name", "Alcohol"]);
    assert_eq!((&dear["name"], &dear["active"]), (&json!("Alcohol"), &json!(true)));
    assert_eq!(shop.staff(&["menu", "retire-tax-class", "Alcohol", "--reason", "no licence"])["active"], json!(false));
    assert_eq!(narrowed(&["--category", "shop", "--state", "on_sale"]), ["t-shirt", "mug"]);
    assert_eq!(narrowed(&["--state", "deleted"]), Vec::<String>::new());
    shop.staff(&["menu", "delete-category", "Drinks", "--reason", "one is enough"]);
    shop.staff(&["menu", "delete-item", "iced-tea", "--reason", "out of season"]);
    assert_eq!(codes(&shop.staff(&["menu", "book"])), ["t-shirt", "mug"]);
    assert_eq!(codes(&shop.staff(&["menu", "book", "--deleted"])), ["t-shirt", "mug", "iced-tea"]);
    assert_eq!(narrowed(&["--state", "deleted"]), ["iced-tea"]);
    assert_eq!(shop.staff(&["menu", "restore-item", "iced-tea"])["deleted_at"], json!(null));
    shop.staff(&["menu", "restore-category", "Drinks"]);
    shop.staff(&["menu", "delete-group", "iced-tea", "Size", "--reason", "one size"]);
    assert_eq!(shop.guest_refused(&["menu", "book"])["error"]["code"], "INSUFFICIENT_ROLE");

    let file = shop.file("other.toml", &cli_support::MENU.replace("12.50", "13.00"));
    let told = shop.staff(&["menu", "import", file.to_str().expect("utf-8"), "--dry-run"]);
    let change = json!({ "field": "price", "before": "12.50", "after": "13.00" });
    let mug = told["changed"].as_array().expect("changes").iter().find(|entry| entry["key"] == "mug").expect("mug");
    assert_eq!((&mug["changes"][0], &told["removed"][0]["kind"]), (&change, &json!("category")));
    let kept = shop.staff(&["menu", "book"]);
    let mug = kept["items"].as_array().expect("items").iter().find(|item| item["code"] == "mug").expect("mug");
    assert_eq!(mug["price"], "12.50", "a dry run changes nothing");
});

on_both!(the_till_and_the_store_room_are_looked_at_by_commands, |shop| {
    shop.staff(&["till", "open", "--float", "100"]);
    let paid = shop.staff(&["till", "payout", "20.50", "--reason", "milk"]);
    assert_eq!(paid["expected"], "79.50");
    let x = shop.staff(&["till", "x"]);
    assert_eq!((&x["payouts"], &x["shift"]["counted"]), (&json!({ "count": 1, "amount": "-20.50" }), &json!(null)));
    assert_eq!(shop.staff(&["till", "tills"])[0]["shift"]["id"], x["shift"]["id"]);
    let z = shop.staff(&["till", "z", "--counted", "80"]);
    assert_eq!(z["shift"]["over_short"], "0.50");
    let shifts = shop.staff(&["till", "shifts", "--limit", "1"]);
    assert_eq!((&shifts["items"][0]["shift"], &shifts["total"]), (&z["shift"], &json!(1)));
    let narrowed = |more: &[&str]| {
        let found = shop.staff(&[&["till", "shifts"], more].concat());
        found["items"].as_array().map(Vec::len)
    };
    assert_eq!(narrowed(&["--by", "ASH", "--from", "2020-01-01"]), Some(1));
    assert_eq!((narrowed(&["--by", "nobody"]), narrowed(&["--to", "2020-01-01"])), (Some(0), Some(0)));
    let asked = shop.staff(&["staff", "list", "--search", "ash", "--role", "admin", "--active"]);
    assert_eq!((&asked["items"][0]["username"], &asked["total"]), (&json!("asha"), &json!(1)));
    assert_eq!(shop.staff(&["staff", "list", "--deactivated"])["total"], 0);
    let kiosk = |shop: &Shop| -> Vec<String> {
        let found = shop.staff(&["terminal", "list", "--search", "COUNT"]);
        let names = found.as_array().expect("terminals").iter();
        names.map(|terminal| terminal["name"].as_str().expect("a name").to_owned()).collect()
    };
    let before = kiosk(shop);
    assert!(before.iter().any(|name| name == "counter"), "{before:?}");
    assert_eq!(shop.staff(&["terminal", "list", "--search", "nowhere"]), json!([]));
    assert_eq!(
        shop.staff_refused(&["terminal", "revoke", "nowhere", "--reason", "gone"])["error"]["code"],
        "NOT_FOUND"
    );
    let id = z["shift"]["id"].as_str().expect("an id").to_owned();
    assert_eq!(shop.staff(&["till", "x", "--shift", &id]), z, "a Z report stays what it is");

    let order = shop.pending("mug");
    let holders = shop.staff(&["stock", "holders", "mug"]);
    assert_eq!((&holders[0]["order_number"], &holders[0]["quantity"]), (&json!(order), &json!(1)));
    let refused = shop.staff_refused(&["stock", "recount", "mug", "0", "--reason", "counted"]);
    assert_eq!(refused["error"]["details"]["holders"], holders);
    assert_eq!(
        shop.staff(&["stock", "recount", "mug", "0", "--reason", "counted", "--release", &order])["item"]["on_hand"],
        0
    );
    let out = shop.staff(&["stock", "list", "--out", "--search", "MUG"]);
    assert_eq!((&out["items"][0]["code"], &out["total"]), (&json!("mug"), &json!(1)));
    assert_eq!(shop.staff(&["stock", "list", "--untracked"])["total"], 0);
    let ahead = shop.staff(&["stock", "forecast"]);
    assert_eq!(
        (&ahead["items"][0]["item"]["code"], &ahead["items"][0]["forecast"]["state"]),
        (&json!("mug"), &json!("out"))
    );

    assert_eq!(shop.staff(&["till", "refunds"])["items"], json!([]));
    shop.staff(&["stock", "receive", "mug", "5", "--reason", "brought"]);
    let ledger = |narrowed: &[&str]| shop.staff(&[&["stock", "ledger", "mug"], narrowed].concat());
    let received = ledger(&["--kind", "receive"]);
    assert_eq!((&received["items"][0]["reason"], &received["total"]), (&json!("brought"), &json!(1)), "{received}");
    let all = ledger(&[]);
    let counted = ledger(&["--kind", "receive", "--kind", "recount", "--from", "2020-01-01"]);
    assert_eq!(counted, all, "nothing else has moved");
    assert!(all["total"].as_i64() > Some(1), "{all}");
    let at = received["items"][0]["at"].as_str().expect("an instant");
    assert_eq!(ledger(&["--from", at])["items"], received["items"]);
    assert_eq!(ledger(&["--to", "2020-01-01"])["total"], 0);
    let refused = shop.staff_refused(&["stock", "ledger", "mug", "--kind", "lost"]);
    assert_eq!(refused["error"]["code"], "VALIDATION_ERROR");
    assert!(refused["error"]["message"].as_str().is_some_and(|words| words.contains("restock")), "{refused}");
    let order = shop.pending("mug");
    shop.staff(&["order", "override", &order, "paid", "--reason", "seen at the bank"]);
    shop.staff(&["order", "staff-cancel", &order, "--reason", "allergy"]);
    let waits = shop.staff(&["till", "refunds"]);
    assert_eq!((&waits["total"], &waits["next"]), (&json!(1), &json!(null)), "{waits}");
    let refund = &waits["items"][0];
    assert_eq!((&refund["order_number"], &refund["amount"]), (&json!(order), &json!("12.50")));
    assert_eq!(shop.staff(&["till", "refunds", "--search", &order])["items"], waits["items"]);
    assert_eq!(shop.staff(&["till", "refunds", "--search", "nobody"])["total"], 0);

    shop.staff(&["config", "set", "auto_ready", "true"]);
    shop.staff(&["config", "set", "delivery_charge", "3"]);
    let stale = shop.staff_refused(&["config", "set", "delivery_charge", "4", "--seen", "20"]);
    assert_eq!((&stale["error"]["code"], &stale["error"]["details"]["by"]), (&json!("CONFLICT"), &json!("asha")));
    let history = shop.staff(&["config", "history", "delivery_charge"]);
    let change = &history["items"][0];
    assert_eq!((&change["by"], &change["before"], &change["after"]), (&json!("asha"), &json!("20.00"), &json!("3.00")));
    let takes = shop.staff(&["config", "get", "delivery_charge"]);
    assert_eq!(takes["takes"], json!({ "kind": "amount" }));
});

on_both!(promotion_codes_are_kept_by_commands, |shop| {
    let add = ["promotion", "add", "lunch10", "--name", "Lunch", "--percent", "10", "--uses", "5"];
    let added = shop.staff(&add);
    assert_eq!((&added["code"], &added["percent"], &added["active"]), (&json!("LUNCH10"), &json!("10"), &json!(true)));
    let edited = shop.staff(&["promotion", "edit", "lunch10", "--amount", "2.50", "--uses", "none"]);
    assert_eq!((&edited["amount"], &edited["percent"], &edited["limit"]), (&json!("2.50"), &json!(null), &json!(null)));
    // Off takes something away and asks why; on does not.
    let silent = shop.staff_refused(&["promotion", "off", "LUNCH10", "--reason", " "]);
    assert_eq!(silent["error"]["details"]["field"], "reason");
    assert_eq!(shop.staff(&["promotion", "off", "LUNCH10", "--reason", "misused"])["active"], json!(false));
    assert_eq!(shop.staff(&["promotion", "list", "--on"])["total"], 0);
    assert_eq!(shop.staff(&["promotion", "on", "LUNCH10"])["active"], json!(true));
    assert_eq!(shop.staff(&["promotion", "list", "--search", "lun", "--on"])["items"][0]["name"], "Lunch");
    assert_eq!(shop.guest_refused(&["promotion", "list"])["error"]["code"], "INSUFFICIENT_ROLE");
});
