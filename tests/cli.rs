//! The command line of the real binary on both databases: the scenarios of the sources in their own
//! words, the JSON, the exit statuses, and what must never stand on a command line or in a log.

#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, which clippy does not know as tests"
)]

mod cli_support;
mod support;

use cli_support::{CARD, MENU, PASSWORD, Shop};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use support::process::Servery;

/// One test on each database.
macro_rules! on_both {
    ($name:ident, $open:ident, |$shop:ident| $body:block) => {
        mod $name {
            use super::*;
            fn run($shop: &Shop) $body
            #[test]
            fn on_sqlite() {
                run(&Shop::$open(false).expect("a shop"));
            }
            #[test]
            fn on_postgres() {
                if let Some(shop) = Shop::$open(true) {
                    run(&shop);
                }
            }
        }
    };
}

fn fields(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

on_both!(the_scenario_of_001, open, |shop| {
    assert_eq!(shop.stock("t-shirt"), (100, 0, 100));
    let cart = shop.guest(&["cart", "add", "t-shirt", "--quantity", "5"]);
    assert_eq!(cart["total"], "150.00");
    assert_eq!(shop.stock("t-shirt"), (100, 0, 100), "a cart takes nothing");
    let placed = shop.guest(&["order", "place", "--method", "card", "--as", "001"]);
    assert_eq!((&placed["status"], &placed["payment_status"]), (&json!("pending"), &json!("pending")));
    assert_eq!((&placed["total_items"], &placed["total_amount"]), (&json!(5), &json!(150.0)));
    let number = placed["order_number"].as_str().expect("a number");
    assert_eq!(shop.stock("t-shirt"), (100, 5, 95));

    let paid = shop.guest(&["order", "pay", number, "--test-card", "approved", "--as", "001"]);
    assert_eq!((&paid["status"], &paid["payment_status"]), (&json!("processing"), &json!("paid")));
    assert_eq!(shop.stock("t-shirt"), (95, 0, 95));
    assert_eq!(shop.guest(&["cart", "show"])["total_items"], 0, "the cart is cleared");

    let reason = ["order", "staff-cancel", number, "--reason", "Changed my mind", "--as", "001"];
    assert_eq!(shop.staff(&reason)["status"], "cancelled");
    assert_eq!(shop.stock("t-shirt"), (100, 0, 100));
    let shown = shop.staff(&["order", "show", number]);
    assert_eq!(shown["refunds"][0]["amount"], "150.00");

    let audit = shop.rows(
        "SELECT entity || ' ' || action || ' ' || details FROM audit_log \
         WHERE action IN ('CREATE', 'ORDER_FULFILLED', 'STOCK_RESTORED') AND entity IN ('Order', 'Inventory') ORDER BY seq",
    );
    assert_eq!(
        audit,
        [
            format!("Order CREATE Order {number} created with 5 items"),
            format!("Inventory ORDER_FULFILLED Fulfilled 5 units for order {number}. Stock: 95, Reserved: 0"),
            format!("Inventory STOCK_RESTORED Restored 5 units from cancelled order {number}"),
        ]
    );
    assert_eq!(shop.good_with(&["doctor"], "")["healthy"], true);
});

on_both!(every_error_text_of_001, open, |shop| {
    let error = shop.guest_refused(&["order", "place", "--method", "card"]);
    assert_eq!(error["error"]["code"], "CART_EMPTY");
    assert_eq!(error["error"]["message"], "Cart is empty. Add items before checkout.");

    // The cart may not hold more than there is, so the stock falls after it was filled.
    shop.staff(&["stock", "set", "t-shirt", "--name", "T-Shirt Red - Medium"]);
    shop.guest(&["cart", "add", "t-shirt", "--quantity", "5"]);
    shop.staff(&["stock", "recount", "t-shirt", "3", "--reason", "counted"]);
    let error = shop.guest_refused(&["order", "place", "--method", "card"]);
    assert_eq!(error["error"]["code"], "INSUFFICIENT_STOCK");
    let message = "Insufficient stock for 'T-Shirt Red - Medium'. Available: 3, Requested: 5";
    assert_eq!(error["error"]["message"], message);
    assert_eq!(shop.stock("t-shirt"), (3, 0, 3));
    assert_eq!(shop.guest(&["cart", "show"])["total_items"], 5, "the cart is unchanged");
    assert_eq!(shop.guest(&["order", "list"])["total"], 0, "no order was made");
    shop.staff(&["stock", "recount", "t-shirt", "100", "--reason", "counted"]);

    shop.guest(&["cart", "clear"]);
    let place = ["order", "place", "--method", "card", "--item", "mug", "--pay", "--test-card", "approved"];
    let delivery = ["--fulfilment", "delivery", "--address", "12 Mill Lane"];
    let placed = shop.guest(&[place.as_slice(), &delivery].concat());
    let number = placed["order_number"].as_str().expect("a number").to_owned();
    assert_eq!(placed["delivery_charge"], "20.00");
    for step in ["start", "item-done", "ready"] {
        shop.staff(&["order", step, &number]);
    }
    shop.good_with(&["staff", "add", "noor", "--role", "delivery", "--staff", "asha"], "a-courier-of-the-house");
    shop.good_with(&["login", "noor"], "a-courier-of-the-house");
    let may = |who: &str| {
        let told = shop.good_with(&["order", "actions", &number, "--staff", who], "");
        let actions = told["actions"].as_array().expect("actions").clone();
        let named = move |name: &str| actions.iter().find(|one| one["action"] == name).expect("an action").clone();
        (named("assign"), named("pick_up"), named("deliver"))
    };
    let (assign, pick_up, _) = may("asha");
    assert_eq!((&assign["offered"], &assign["command"]), (&json!(true), &json!("order assign")));
    assert_eq!(pick_up["refused"]["code"], "ILLEGAL_TRANSITION", "{pick_up}");
    assert_eq!(may("noor").0["with_manager"], true);
    assert_eq!(shop.staff(&["order", "couriers"])[0]["under_way"], 0);
    shop.staff(&["order", "assign", &number, "noor"]);
    assert_eq!(shop.staff(&["order", "couriers"])[0]["under_way"], 1);
    assert_eq!(may("noor").1["offered"], true);
    let seen = shop.good_with(&["order", "show", &number, "--staff", "noor"], "");
    let (address, courier) = (&seen["delivery"]["address"], &seen["delivery"]["assignments"][0]["courier"]);
    assert_eq!((address, courier), (&json!("12 Mill Lane"), &json!("noor")));
    assert!(seen["delivery"]["assignments"][0]["assigned_at"].is_string(), "{seen}");
    let words = shop.with_input(&["order", "show", &number, "--staff", "asha"], "");
    let words = String::from_utf8(words.stdout).expect("text");
    assert!(words.contains("Deliver to: 12 Mill Lane"), "{words}");
    assert_eq!(shop.guest(&["order", "show", &number])["delivery"], json!(null), "a guest sees nobody's name");
    let list = shop.good_with(&["order", "list", "--staff", "noor"], "");
    assert_eq!((&list["items"][0]["order_number"], &list["items"][0]["yours"]), (&json!(number), &json!(true)));
    let out = shop.good_with(&["order", "pick-up", &number, "--staff", "noor", "--as", "001"], "");
    assert_eq!(out["status"], "shipped");
    let refused = shop.guest_refused(&["order", "cancel", &number, "--as", "001"]);
    assert_eq!(refused["error"]["code"], "ILLEGAL_TRANSITION");
    assert_eq!(
        refused["error"]["message"],
        "Order with status 'shipped' cannot be cancelled. Only pending or processing orders can be cancelled."
    );
    let back = ["order", "return", &number, "--reason", "nobody at home", "--staff", "noor"];
    assert_eq!(shop.good_with(&back, "")["status"], "ready");
    shop.staff(&["order", "assign", &number, "noor"]);
    shop.good_with(&["order", "pick-up", &number, "--staff", "noor"], "");
    let done = shop.good_with(&["order", "deliver", &number, "--staff", "noor", "--as", "001"], "");
    assert_eq!(done["status"], "delivered");
});

on_both!(the_test_list_of_004, open, |shop| {
    // Buyer can create order → status = pending.
    let placed = shop.guest(&["order", "place", "--method", "card", "--item", "t-shirt=2", "--as", "004"]);
    assert_eq!((&placed["status"], &placed["paymentMethod"]), (&json!("pending"), &json!("stripe-dummy")));
    let id = placed["orderId"].as_str().expect("an id").to_owned();
    // Order status cannot skip stages.
    for event in [vec!["start"], vec!["ready"], vec!["hand-over"], vec!["accept"]] {
        let error = shop.staff_refused(&[&["order"], event.as_slice(), &[&id]].concat());
        assert_eq!(error["error"]["code"], "ILLEGAL_TRANSITION", "{event:?}");
    }
    // Buyer cannot pay for another buyer's order.
    let error = shop.refused(&["order", "pay", &id, "--test-card", "approved", "--as-kiosk", "k2"]);
    assert_eq!(error["error"]["code"], "FORBIDDEN");
    assert_eq!(shop.stock("t-shirt"), (100, 2, 98), "stock is only reduced after payment");
    // Buyer initiates payment → status updates to confirmed on success; stock updated correctly.
    let paid = shop.guest(&["order", "pay", &id, "--test-card", "approved", "--as", "004"]);
    assert_eq!((&paid["status"], &paid["totalAmount"]), (&json!("confirmed"), &json!(60.0)));
    assert_eq!(shop.stock("t-shirt"), (98, 0, 98));
    // Only one payment.
    let error = shop.guest_refused(&["order", "pay", &id, "--test-card", "approved"]);
    assert_eq!(error["error"]["code"], "ILLEGAL_TRANSITION");
    assert_eq!(shop.stock("t-shirt"), (98, 0, 98));

    // Payment failure → status cancelled with reason; stock restored.
    let number = shop.pending("t-shirt=3");
    assert_eq!(shop.stock("t-shirt"), (98, 3, 95));
    let failed = shop.guest_refused(&["order", "pay", &number, "--test-card", "declined", "--as", "004"]);
    assert_eq!(failed["error"]["code"], "PAYMENT_FAILED");
    assert_eq!(
        (&failed["order"]["status"], &failed["order"]["reason"]),
        (&json!("cancelled"), &json!("The card was declined."))
    );
    assert_eq!(shop.stock("t-shirt"), (98, 0, 98));
    assert_eq!(shop.guest(&["cart", "show"])["total_items"], 3, "the cart is kept for another try");
    shop.guest(&["cart", "clear"]);

    // Buyer initiates payment with insufficient stock → status = cancelled, and a validation error.
    let number = shop.pending("mug=2");
    shop.staff(&["stock", "recount", "mug", "1", "--reason", "counted", "--release", &number]);
    let failed = shop.guest_refused(&["order", "pay", &number, "--test-card", "approved", "--as", "004"]);
    assert_eq!(failed["error"]["code"], "INSUFFICIENT_STOCK");
    assert_eq!(failed["order"]["status"], "cancelled");
    assert_eq!(shop.stock("mug"), (1, 0, 1));

    // Invalid orderId → not found error.
    let error = shop.guest_refused(&["order", "pay", "00000000-0000-7000-8000-000000000001"]);
    assert_eq!(error["error"]["code"], "NOT_FOUND");
    assert_eq!(shop.good_with(&["doctor"], "")["healthy"], true);
});

on_both!(orders_in_the_shape_of_each_source, open, |shop| {
    let place =
        ["order", "place", "--method", "card", "--item", "mug=2", "--note", "by 5", "--pay", "--test-card", "approved"];
    let own = shop.guest(&place);
    assert_eq!(
        (&own["status"], &own["total"], &own["payment_status"]),
        (&json!("confirmed"), &json!("25.00"), &json!("paid"))
    );
    assert_eq!(own["lines"][0]["unit_price"], "12.50");
    assert_eq!((&own["attempts"][0]["brand"], &own["attempts"][0]["last_four"]), (&json!("visa"), &json!("4242")));
    assert!(own["created_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{own}");
    let id = own["id"].as_str().expect("an id");
    let show = |source: &str| {
        let arguments = ["order", "show", id, "--as", source, "--as-kiosk", "k1", "--json"];
        let output = shop.with_input(&arguments, "");
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).expect("utf-8");
        (serde_json::from_str::<Value>(&text).expect("json"), text)
    };

    let (order, text) = show("000");
    assert_eq!(fields(&order), ["created_at", "id", "items", "order_number", "status", "total_amount", "user_id"]);
    assert_eq!(order["status"], "paid");
    assert!(text.contains("\"total_amount\":25.00"), "{text}");

    let (order, text) = show("001");
    let wanted = [
        "created_at",
        "discount_amount",
        "id",
        "items",
        "order_number",
        "payment_status",
        "shipping_amount",
        "status",
        "subtotal",
        "tax_amount",
        "total_amount",
        "total_items",
        "user_id",
    ];
    assert_eq!(fields(&order), wanted);
    let item = ["id", "product_id", "product_name", "quantity", "total_price", "unit_price"];
    assert_eq!(fields(&order["items"][0]), item);
    assert!(text.contains("\"unit_price\":12.50,\"total_price\":25.00"), "{text}");
    assert_eq!((&order["total_items"], &order["status"]), (&json!(2), &json!("processing")));

    let (order, text) = show("002");
    assert_eq!(fields(&order), ["order", "payment"]);
    let wanted = ["created_at", "id", "order_number", "payment_status", "status", "total"];
    assert_eq!(fields(&order["order"]), wanted);
    assert_eq!(fields(&order["payment"]), ["amount", "currency", "gateway_order_id"]);
    assert_eq!((&order["order"]["status"], &order["payment"]["currency"]), (&json!("received"), &json!("EUR")));
    assert!(order["payment"]["gateway_order_id"].as_str().is_some_and(|id| id.starts_with("order_")), "{text}");
    assert!(text.contains("\"total\":25.00") && text.contains("\"amount\":25.00"), "{text}");

    let (order, _) = show("003");
    assert_eq!((&order["status"], &order["special_instructions"]), (&json!("confirmed"), &json!("by 5")));
    assert_eq!(order["payment_method"], "card");

    let (order, text) = show("004");
    let wanted = ["buyerId", "createdAt", "orderId", "paymentMethod", "status", "totalAmount", "updatedAt"];
    assert_eq!(fields(&order), wanted);
    assert_eq!((&order["status"], &order["paymentMethod"]), (&json!("confirmed"), &json!("stripe-dummy")));
    assert!(text.contains("\"totalAmount\":25.00"), "{text}");

    let page = shop.guest(&["order", "list", "--as", "001", "--page", "1", "--limit", "1"]);
    assert_eq!(fields(&page), ["items", "limit", "page", "pages", "total"]);
    assert_eq!(
        (&page["total"], &page["pages"], &page["items"][0]["status"]),
        (&json!(1), &json!(1), &json!("processing"))
    );
    let next = shop.guest(&["order", "list", "--as", "001", "--page", "2", "--limit", "1"]);
    assert_eq!(next["items"], json!([]));
});

on_both!(an_order_from_the_cart_to_the_customer, open, |shop| {
    // Cash: the kitchen sees it at once, and it is paid at the till.
    let placed = shop.guest(&["order", "place", "--method", "cash", "--item", "t-shirt=2", "--name", "Kim"]);
    assert_eq!((&placed["status"], &placed["called_name"]), (&json!("received"), &json!("Kim")));
    let number = placed["order_number"].as_str().expect("a number");
    let error = shop.guest_refused(&["order", "accept", number]);
    assert_eq!(error["error"]["code"], "INSUFFICIENT_ROLE");
    assert!(error["error"]["details"]["help"].as_str().is_some_and(|help| help.contains("servery login")), "{error}");
    let error = shop.staff_refused(&["order", "confirm-cash", number]);
    assert_eq!(error["error"]["details"]["guard"], "till_open");
    let shift = shop.staff(&["till", "open", "--float", "100.00"]);
    assert_eq!((&shift["float"], &shift["expected"]), (&json!("100.00"), &json!("100.00")));
    assert_eq!(shop.staff(&["order", "accept", number, "--eta", "5"])["status"], "confirmed");
    assert_eq!(shop.staff(&["order", "hold", number, "--minutes", "5"])["status"], "confirmed");
    let error = shop.staff_refused(&["order", "start", number]);
    assert_eq!(error["error"]["code"], "ILLEGAL_TRANSITION");
    shop.staff(&["order", "release", number]);
    assert_eq!(shop.staff(&["order", "priority", number, "-2"])["priority"], -2);
    assert_eq!(shop.staff(&["order", "note", number, "window seat"])["staff_note"], "window seat");
    assert_eq!(shop.staff(&["order", "start", number])["status"], "preparing");
    assert_eq!(shop.stock("t-shirt"), (98, 0, 98), "unpaid cash commits when cooking begins");
    assert_eq!(shop.staff(&["order", "item-done", number])["lines"][0]["done"], 2);
    assert_eq!(shop.staff(&["order", "ready", number])["status"], "ready");
    assert_eq!(shop.staff(&["order", "recall", number])["status"], "preparing");
    assert_eq!(shop.staff(&["order", "ready", number, "--force", "it is done"])["status"], "ready");
    assert_eq!(shop.staff_refused(&["order", "hand-over", number])["error"]["code"], "ILLEGAL_TRANSITION");
    assert_eq!(shop.staff(&["order", "confirm-cash", number, "--tendered", "100"])["paid"], true);
    assert_eq!(shop.staff(&["order", "hand-over", number])["status"], "completed");
    let steps = shop.staff(&["order", "history", number]);
    assert!(steps.as_array().is_some_and(|steps| steps.len() >= 6), "{steps}");
    assert_eq!(steps[0]["transition"], "T2", "{steps}");

    // The money goes back out of the drawer.
    let refund = ["order", "refund", number, "60.00", "--reason", "cold", "--restock", "1=1"];
    assert_eq!(shop.staff(&refund)["refunds"][0]["status"], "pending");
    assert_eq!(shop.stock("t-shirt"), (99, 0, 99));
    let out = shop.staff(&["till", "pay-out", number]);
    assert_eq!((&out["refunds"][0]["status"], &out["payment_status"]), (&json!("settled"), &json!("refunded")));
    shop.staff(&["till", "cash-in", "20", "--reason", "change"]);
    shop.staff(&["till", "drop", "10", "--reason", "safe"]);
    let report = shop.staff(&["till", "x"]);
    assert_eq!(report["shift"]["expected"], "110.00");
    let taken = &report["takings"];
    assert_eq!((&taken["whole"]["orders"], &taken["whole"]["gross"]), (&json!(1), &json!("60.00")), "{taken}");
    assert_eq!((&taken["whole"]["refunded"], &taken["whole"]["net"]), (&json!("60.00"), &json!("0.00")), "{taken}");
    assert_eq!((&taken["by_method"][0]["method"], &taken["by_method"][0]["refunds"]), (&json!("cash"), &json!(1)));
    let closed = shop.staff(&["till", "close", "--counted", "109.50"]);
    assert_eq!(&closed["takings"], taken);
    assert_eq!(closed["shift"]["over_short"], "-0.50");
    assert_eq!(shop.staff_refused(&["till", "status"])["error"]["code"], "NOT_FOUND");

    // Void after cooking began; a line taken off before.
    let number = shop.pending("t-shirt=2");
    let error = shop.staff_refused(&["order", "override", &number, "paid", "--reason", ""]);
    assert_eq!(error["error"]["code"], "VALIDATION_ERROR", "{error}");
    let paid = shop.staff(&["order", "override", &number, "paid", "--reason", "paid by transfer"]);
    assert_eq!(paid["paid"], true);
    shop.staff(&["order", "start", &number]);
    let voided = shop.staff(&["order", "void", &number, "--reason", "burnt", "--restock", "1=1"]);
    assert_eq!((&voided["status"], &voided["reason"]), (&json!("cancelled"), &json!("void")));
    assert_eq!((&voided["lines"][0]["restocked"], &voided["lines"][0]["wasted"]), (&json!(1), &json!(1)));
    assert_eq!(
        shop.staff_refused(&["order", "no-show", &number, "--reason", "nobody came"])["error"]["code"],
        "ILLEGAL_TRANSITION"
    );
    assert_eq!(shop.good_with(&["doctor"], "")["healthy"], true);
});

on_both!(a_key_makes_a_command_happen_once, open, |shop| {
    let place = ["order", "place", "--method", "cash", "--item", "mug", "--key", "k-1"];
    let (first, again) = (shop.guest(&place), shop.guest(&place));
    assert_eq!(first["id"], again["id"]);
    assert_eq!(shop.stock("mug"), (3, 1, 2), "one order");
    let other = ["order", "place", "--method", "card", "--item", "mug", "--key", "k-1"];
    assert_eq!(shop.guest_refused(&other)["error"]["code"], "IDEMPOTENCY_MISMATCH");
    let receive = ["stock", "receive", "mug", "7", "--reason", "note 12", "--key", "delivery 12"];
    shop.staff(&receive);
    assert_eq!(shop.staff(&receive)["item"]["on_hand"], 10);
    let error = shop.staff_refused(&["stock", "receive", "mug", "8", "--reason", "note 12", "--key", "delivery 12"]);
    assert_eq!(error["error"]["code"], "IDEMPOTENCY_MISMATCH");
    assert_eq!(shop.stock("mug"), (10, 1, 9));
    // Paid at once under a key: the customer is charged once.
    let pay =
        ["order", "place", "--method", "card", "--item", "mug", "--pay", "--test-card", "approved", "--key", "k-2"];
    let (first, again) = (shop.guest(&pay), shop.guest(&pay));
    assert_eq!((&first["id"], &again["paid"]), (&again["id"], &json!(true)));
    assert_eq!(again["attempts"].as_array().map(Vec::len), Some(1));
    assert_eq!(shop.stock("mug"), (9, 1, 8));
});

on_both!(webhooks_are_taken_once, open, |shop| {
    // A place with euros begins without UPI, which moves rupees only; the simulated one takes any money.
    shop.staff(&["config", "set", "upi_payment_enabled", "true"]);
    let order = |item: &str| {
        let placed = shop.guest(&["order", "place", "--method", "upi", "--item", item, "--pay"]);
        assert!(placed["upi_payload"].as_str().is_some_and(|payload| payload.starts_with("upi://")), "{placed}");
        placed["order_number"].as_str().expect("a number").to_owned()
    };
    let number = order("t-shirt");
    let send = |number: &str, message: &str| shop.guest(&["sim", "webhook", "--order", number, message]);
    let bad = shop.guest_refused(&["sim", "webhook", "--order", &number, "bad-signature"]);
    assert_eq!(bad["error"]["code"], "INVALID_TOKEN");
    assert_eq!(shop.guest(&["order", "show", &number])["status"], "pending", "nothing of it is believed");
    let taken = send(&number, "valid");
    assert_eq!((&taken["new"], &taken["order"]["status"]), (&json!(true), &json!("confirmed")));
    let version = taken["order"]["version"].clone();
    let again = send(&number, "duplicate");
    assert_eq!((&again["new"], &again["order"]["version"]), (&json!(false), &version), "T30");
    assert_eq!(again["order"]["attempts"].as_array().map(Vec::len), Some(1));

    // Late and wrong amounts are kept as strays and given back (T29).
    let late = send(&number, "late");
    assert_eq!((&late["order"]["status"], &late["order"]["attempts"][1]["stray"]), (&json!("confirmed"), &json!(true)));
    assert_eq!(late["order"]["refunds"][0]["amount"], "30.00");
    let wrong = send(&order("t-shirt"), "wrong-amount");
    assert_eq!((&wrong["order"]["status"], &wrong["order"]["reason"]), (&json!("cancelled"), &json!("payment_failed")));
    assert_eq!(shop.stock("t-shirt"), (99, 0, 99));
    let card = shop.pending("mug");
    assert_eq!(shop.guest_refused(&["sim", "webhook", "--order", &card, "valid"])["error"]["code"], "NOT_FOUND");
});

on_both!(the_menu_as_files_and_by_hand, open, |shop| {
    let list = shop.guest(&["menu", "list"]);
    assert_eq!((&list["items"][0]["code"], &list["items"][0]["price"]), (&json!("t-shirt"), &json!("30.00")));
    assert_eq!(shop.guest(&["menu", "list", "--search", "mug"])["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(shop.staff(&["menu", "set-price", "mug", "13.00"])["price"], "13.00");
    assert_eq!(shop.guest_refused(&["menu", "set-price", "mug", "1.00"])["error"]["code"], "INSUFFICIENT_ROLE");
    shop.staff(&["menu", "86", "mug"]);
    let error = shop.guest_refused(&["cart", "add", "mug"]);
    assert_eq!(error["error"]["code"], "ITEM_UNAVAILABLE");
    shop.staff(&["menu", "un-86", "mug"]);
    for name in ["menu.toml", "menu.csv"] {
        let file = shop.folder.path().join(format!("out-{name}"));
        let file = file.to_str().expect("utf-8");
        assert_eq!(shop.staff(&["menu", "export", "--output", file])["items"], 2);
        let diff = shop.staff(&["menu", "import", file, "--dry-run"]);
        assert_eq!(
            (&diff["added"], &diff["changed"], &diff["removed"]),
            (&json!([]), &json!([]), &json!([])),
            "{name}"
        );
    }
    let other = shop.file("other.toml", &MENU.replace("12.50", "14.00"));
    let other = other.to_str().expect("utf-8");
    let diff = shop.staff(&["menu", "import", other, "--dry-run"]);
    assert_eq!((&diff["dry_run"], &diff["changed"][0]["key"]), (&json!(true), &json!("mug")));
    assert_eq!(shop.guest(&["menu", "list", "--search", "mug"])["items"][0]["price"], "13.00", "only tried");
    let error = shop.staff_refused(&["menu", "import", other]);
    assert_eq!(error["error"]["details"]["field"], "reason", "a price is written over: {error}");
    shop.staff(&["menu", "import", other, "--reason", "new prices"]);
    assert_eq!(shop.guest(&["menu", "list", "--search", "mug"])["items"][0]["price"], "14.00");
    let wrong = shop.file("wrong.toml", "currency = \"EUR\"\n[[item]]\ncode = 1\n");
    let error = shop.staff_refused(&["menu", "import", wrong.to_str().expect("utf-8")]);
    assert_eq!(error["error"]["code"], "VALIDATION_ERROR");
    let nameless = shop.with_input(&["menu", "import", "menu", "--staff", "asha"], "");
    assert_eq!(nameless.status.code(), Some(2), "{nameless:?}");
});

on_both!(the_cart_keeps_the_rules_of_000, open, |shop| {
    let cart = shop.guest(&["cart", "add", "mug", "-q", "2", "--note", "blue"]);
    assert_eq!((&cart["total"], &cart["lines"][0]["note"]), (&json!("25.00"), &json!("blue")));
    assert_eq!(shop.guest_refused(&["cart", "set", "1", "4"])["error"]["code"], "INSUFFICIENT_STOCK");
    assert_eq!(shop.guest_refused(&["cart", "set", "1", "0"])["error"]["code"], "VALIDATION_ERROR");
    assert_eq!(shop.guest(&["cart", "set", "1", "3"])["total_items"], 3);
    assert_eq!(shop.guest(&["cart", "note", "by 5"])["note"], "by 5");
    let id = shop.guest(&["cart", "fulfilment", "dine_in"])["id"].as_str().expect("an id").to_owned();
    let error = shop.refused(&["cart", "show", "--cart", &id, "--as-kiosk", "k2"]);
    assert_eq!(error["error"]["code"], "FORBIDDEN", "somebody else's cart");
    assert_eq!(shop.guest(&["cart", "remove", "1"])["total_items"], 0);
    shop.guest(&["cart", "add", "t-shirt"]);
    assert_eq!(shop.guest(&["cart", "clear"])["lines"], json!([]));
    assert_eq!(shop.stock("mug"), (3, 0, 3), "carts never touch stock");
});

on_both!(people_and_settings, open, |shop| {
    shop.good_with(&["staff", "add", "ravi", "--role", "kitchen", "--staff", "asha"], "a-cook-of-the-house");
    shop.good_with(&["login", "ravi"], "a-cook-of-the-house");
    let who = shop.good_with(&["whoami", "--staff", "ravi"], "");
    assert_eq!((&who["name"], &who["role"]), (&json!("ravi"), &json!("kitchen")));
    let wrong = shop.with_input(&["login", "ravi", "--json"], "not-the-password");
    assert_eq!(wrong.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&wrong.stdout).contains("INVALID_TOKEN"), "{wrong:?}");
    let error = shop.refused(&["config", "set", "restaurant_open", "false", "--staff", "ravi"]);
    assert_eq!(error["error"]["code"], "INSUFFICIENT_ROLE");
    // An admin's PIN lets one command through.
    shop.good_with(&["staff", "pin", "asha", "--staff", "asha"], "271828");
    shop.good_with(&["login", "asha"], PASSWORD);
    let set = ["config", "set", "max_orders_per_slot", "1", "--staff", "ravi", "--override-by", "asha"];
    assert_eq!(shop.good_with(&set, "271828")["value"], 1);
    assert_eq!(shop.staff(&["config", "get", "max_orders_per_slot"])["value"], 1);
    shop.pending("mug");
    let error = shop.guest_refused(&["order", "place", "--method", "card", "--item", "mug"]);
    assert_eq!(error["error"]["code"], "ORDER_LIMIT_REACHED");
    let details = &error["error"]["details"];
    assert_eq!((&details["current"], &details["max"]), (&json!(1), &json!(1)), "{error}");
    // Guests can do less then: not without a reason, which stands in the setting's history.
    let close = ["config", "set", "restaurant_open", "false"];
    assert_eq!(shop.staff_refused(&close)["error"]["details"]["field"], "reason");
    shop.staff(&[&close[..], &["--reason", "no gas"]].concat());
    let history = shop.staff(&["config", "history", "restaurant_open"]);
    assert_eq!(history["items"][0]["reason"], "no gas", "{history}");
    let error = shop.guest_refused(&["order", "place", "--method", "card", "--item", "mug"]);
    assert_eq!(error["error"]["code"], "RESTAURANT_CLOSED");
    // The last way of paying goes off with a warning; UPI on in a place without rupees, too.
    shop.staff(&["config", "set", "upi_payment_enabled", "false", "--reason", "a test"]);
    shop.staff(&["config", "set", "card_payment_enabled", "false", "--reason", "a test"]);
    let last = shop.staff(&["config", "set", "cash_payment_enabled", "false", "--reason", "a test"]);
    assert!(last["warning"].as_str().is_some_and(|words| words.contains("cannot order")), "{last}");
    let upi = shop.staff(&["config", "set", "upi_payment_enabled", "true"]);
    assert!(upi["warning"].as_str().is_some_and(|words| words.contains("INR")), "{upi}");
    assert_eq!(shop.staff(&["config", "set", "cash_payment_enabled", "true"]).get("warning"), None);
    assert_eq!(shop.staff_refused(&["config", "set", "no_such_key", "1"])["error"]["code"], "NOT_FOUND");
    assert_eq!(shop.staff_refused(&["config", "get", "no_such_key"])["error"]["code"], "NOT_FOUND");
    assert!(shop.staff(&["config", "list"]).as_array().is_some_and(|list| list.len() > 20));
    shop.staff(&["staff", "set-role", "ravi", "delivery", "--reason", "new work"]);
    let error = shop.refused(&["whoami", "--staff", "ravi"]);
    assert_eq!(error["error"]["code"], "TOKEN_EXPIRED", "a session ends with the rights it was for");
    shop.staff(&["staff", "deactivate", "ravi", "--reason", "left"]);
    let wrong = shop.with_input(&["login", "ravi", "--json"], "a-cook-of-the-house");
    assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
    let list = shop.staff(&["staff", "list"]);
    assert_eq!((&list["total"], &list["items"][1]["active"]), (&json!(2), &json!(false)));
    shop.good_with(&["logout", "asha"], "");
    assert_eq!(shop.staff_refused(&["whoami"])["error"]["code"], "INVALID_TOKEN");
});

on_both!(no_secret_is_taken_from_the_command_line_or_kept_in_the_open, open, |shop| {
    for arguments in [
        vec!["login", "asha", PASSWORD],
        vec!["login", "asha", "--password", PASSWORD],
        vec!["staff", "add", "ravi", "--role", "kitchen", "--password", PASSWORD, "--staff", "asha"],
        vec!["staff", "password", "asha", PASSWORD, "--staff", "asha"],
        vec!["order", "pay", "1", "--card", CARD],
    ] {
        let output = shop.with_input(&arguments, PASSWORD);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
    }
    let number = shop.pending("mug");
    let pay = ["order", "pay", &number, "--as-kiosk", "k1"];
    assert_eq!(shop.good_with(&pay, &format!("{CARD} 12/49 123"))["paid"], true);
    let mut looked = 0;
    let home = shop.servery.home().to_path_buf();
    walk(&home, &mut |path| {
        let mode = std::fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, wanted, "{}", path.display());
        if path.is_file() {
            looked += 1;
            let bytes = std::fs::read(path).expect("readable");
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(PASSWORD) && !text.contains(CARD), "{}", path.display());
            assert!(!text.contains("sk_test_0123456789"), "{}", path.display());
        }
    });
    assert!(looked >= 4, "pepper, session, pocket and log: {looked}");
});

/// Every file and folder that the program made beneath a folder.
fn walk(folder: &Path, look: &mut impl FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        // The XDG folders themselves belong to whoever made them first; `servery` beneath is ours.
        if folder.ancestors().any(|above| above.ends_with("servery")) || path.ends_with("servery") {
            look(&path);
        }
        if path.is_dir() {
            walk(&path, look);
        }
    }
}

on_both!(scripts_events_health_and_backup, open, |shop| {
    let number = shop.pending("mug");
    let id = shop.guest(&["order", "show", &number])["id"].as_str().expect("an id").to_owned();
    let command = format!(r#"{{"order": {{"override": {{"order": "{id}", "paid": true, "reason": "transfer"}}}}}}"#);
    let outcome = shop.good_with(&["run", "--staff", "asha", "--key", "script-1"], &command);
    assert_eq!((&outcome["status"], &outcome["total"]), (&json!("confirmed"), &json!(1250)), "minor units");
    assert_eq!(shop.good_with(&["run", "--staff", "asha", "--key", "script-1"], &command)["id"], outcome["id"]);
    let wrong = shop.with_input(&["run", "--staff", "asha", "--json"], r#"{"order": {"steal": {}}}"#);
    assert!(String::from_utf8_lossy(&wrong.stdout).contains("VALIDATION_ERROR"), "{wrong:?}");

    let output = shop.with_input(&["events", "--staff", "asha"], "");
    let events: Vec<Value> = String::from_utf8(output.stdout)
        .expect("utf-8")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON line"))
        .collect();
    let words: Vec<&str> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    assert!(words.starts_with(&["order_created"]) && words.contains(&"payment_completed"), "{words:?}");
    assert_eq!(shop.guest_refused(&["events"])["error"]["code"], "INSUFFICIENT_ROLE");

    let health = shop.good_with(&["health"], "");
    assert_eq!((&health["status"], &health["database"]), (&json!("healthy"), &json!("connected")));
    assert!(health["version"].is_string() && health["timestamp"].is_string(), "{health}");
    assert_eq!((&health["worker"]["running"], &health["outbox"]["parked"]), (&json!(false), &json!(0)));
    assert!(health["outbox"]["backlog"].as_i64().is_some_and(|waiting| waiting >= 3), "{health}");

    let status = shop.good_with(&["db", "status"], "");
    assert_eq!((&status["up_to_date"], &status["version"]), (&json!(true), &status["program_version"]));
    let file = shop.folder.path().join("a.backup");
    let made = shop.good_with(&["db", "backup", file.to_str().expect("utf-8")], "");
    assert!(made["size_bytes"].as_u64().is_some_and(|size| size > 0), "{made}");
    let other = Shop::empty(shop.url.starts_with("postgres")).expect("another store");
    let restored = other.good_with(&["db", "restore", file.to_str().expect("utf-8")], "");
    assert_eq!(restored["doctor"][0]["site"], "main");
    assert_eq!(other.good_with(&["doctor"], "")["healthy"], true);
});

#[test]
fn an_event_is_told_as_it_happens() {
    let shop = Shop::open(false).expect("a shop");
    let mut command = shop.servery.command(&["events", "--follow", "--after", "0", "--staff", "asha"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("it starts");
    let stdout = child.stdout.take().expect("stdout");
    let (sender, lines) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        use std::io::BufRead as _;
        for line in std::io::BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    let number = shop.pending("mug");
    let first = lines.recv_timeout(support::wait::LIMIT).expect("an event");
    assert!(first.contains("order_created"), "{first}");
    shop.guest(&["order", "cancel", &number, "--reason", "no time"]);
    let second = lines.recv_timeout(support::wait::LIMIT).expect("another");
    assert!(second.contains("order_cancelled"), "{second}");
    child.kill().expect("it ran");
    child.wait().expect("it ended");
    reader.join().expect("the reader ends with the pipe");
}

#[test]
fn the_command_line_itself() {
    let shop = Shop::empty(false).expect("a store");
    for arguments in [vec!["nonsense"], vec!["order", "place"], vec!["order", "list", "--limit", "0"], vec!["man", "x"]]
    {
        let output = shop.with_input(&arguments, "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
    }
    // Looking at the health of no store makes none.
    let health = shop.with_input(&["health", "--json"], "");
    assert_eq!(health.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&health.stdout).contains(r#""database":"disconnected""#), "{health:?}");
    assert!(!shop.folder.path().join("store").exists());
    shop.servery.make_demo();
    let menu = shop.with_input(&["menu", "list"], "");
    assert!(menu.status.success() && String::from_utf8_lossy(&menu.stdout).contains("Vegetable Samosa"), "{menu:?}");
    let refused = shop.with_input(&["order", "show", "99"], "");
    let words = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1));
    assert!(words.starts_with("error: There is no order 99 here.\n") && words.contains("(NOT_FOUND)"), "{words}");
    let again = ["init", "--demo", "--json"];
    assert!(String::from_utf8_lossy(&shop.with_input(&again, "").stdout).contains("CONFLICT"));

    for shell in ["bash", "zsh", "fish"] {
        let output = shop.with_input(&["completions", shell], "");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("hand-over"), "{shell}: {text}");
    }
    for page in [vec!["man"], vec!["man", "order", "place"]] {
        let output = shop.with_input(&page, "");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains(".TH") && text.contains("servery"), "{page:?}: {text}");
    }
}

#[test]
fn only_the_default_place_becomes_the_demo_by_itself() {
    let curious = Servery::without_store();
    let menu = curious.run(&["menu", "list"]);
    assert!(menu.status.success() && menu.stdout.contains("Vegetable Samosa"), "{menu:?}");
    assert!(menu.stderr.contains("Made the demo store at ") && menu.stderr.contains("asha (admin)"), "{menu:?}");
    // A real place is told where to go, and goes there.
    let init = ["init", "--name", "Shop", "--currency", "EUR", "--time-zone", "Europe/Berlin", "--admin", "mia"];
    let refused = curious.run(&init);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(refused.stderr.contains("holds the demo") && refused.stderr.ends_with("(CONFLICT)\n"), "{refused:?}");
    let told = refused.stderr.split("SERVERY_STORE='").nth(1).and_then(|rest| rest.split('\'').next());
    let place = told.expect("a store is suggested");
    assert_ne!(place, "");

    for postgres in [false, true] {
        let Some(mut shop) = Shop::empty(postgres) else { continue };
        if !postgres {
            shop.url = place.to_owned();
            shop.servery = Servery::on(place);
        }
        for arguments in [
            &["menu", "list"][..],
            &["whoami", "--as-kiosk", "k1"],
            &["login", "asha"],
            &["staff", "list", "--staff", "asha"],
            &["doctor"],
            &["generate", "--orders", "1", "--days", "1"],
            &["kiosk"],
            &["kitchen"],
            &["board"],
            &["console"],
            &["worker"],
            &[],
        ] {
            let error = shop.refused(arguments)["error"].clone();
            assert_eq!(error["code"], "NOT_FOUND", "{arguments:?}: {error}");
            let message = error["message"].as_str().expect("a message");
            assert!(message.starts_with("The store ") && message.contains(" is empty"), "{arguments:?}: {error}");
        }
        let words = shop.servery.run(&["menu", "list"]).stderr;
        assert!(words.contains("servery init, or ") && words.contains("servery init --demo"), "{words}");
        let health = shop.with_input(&["health"], "");
        assert!(String::from_utf8_lossy(&health.stdout).contains(" is empty"), "{health:?}");
        // None of them left anything in it that a real place would have to live with.
        shop.good_with(&init, PASSWORD);
        assert_eq!(shop.good_with(&["login", "mia"], PASSWORD)["role"], "admin");
        let wrong = shop.with_input(&["login", "asha", "--json"], "demo-asha-2026");
        assert!(String::from_utf8_lossy(&wrong.stdout).contains("INVALID_TOKEN"), "{wrong:?}");
        let again = shop.refused(&init)["error"].clone();
        assert!(again["message"].as_str().is_some_and(|words| words.contains("is set up already")), "{again}");
    }
}

#[test]
fn configuration_names_what_is_wrong() {
    let shop = Shop::empty(false).expect("a store");
    let error = |arguments: &[&str]| shop.refused(arguments)["error"].clone();
    let file = shop.file("config.toml", "site = \"main\"\nsotre = \"x\"\n");
    let unknown = error(&["menu", "list", "--config", file.to_str().expect("utf-8")]);
    assert_eq!(unknown["code"], "VALIDATION_ERROR");
    assert!(
        unknown["message"].as_str().is_some_and(|text| text.contains("sotre") && text.contains("line 2")),
        "{unknown}"
    );
    assert_eq!(error(&["menu", "list", "--store", "mysql://x"])["details"]["field"], "store");
    shop.servery.make_demo();
    assert_eq!(error(&["menu", "list", "--site", "north"])["code"], "NOT_FOUND");
    // Keys come from .env, too, and a wrong one is named and not repeated.
    let shop = Shop { servery: Servery::on(&shop.url), ..shop };
    shop.file(".env", "STRIPE_SECRET_KEY=sk_live_abcdefgh\nSTRIPE_PUBLISHABLE_KEY=pk_test_abcdefgh\n");
    let place = ["order", "place", "--method", "card", "--item", "samosa", "--pay", "--test-card", "approved"];
    let wrong = shop.refused(&place);
    assert_eq!(wrong["error"]["details"]["field"], "STRIPE_SECRET_KEY");
    assert!(!wrong.to_string().contains("sk_live_abcdefgh"), "{wrong}");
    std::fs::remove_file(shop.folder.path().join(".env")).expect("removed");
    assert_eq!(shop.good_with(&place, "")["paid"], true, "the demo sets test keys itself");
}

#[test]
fn a_real_shop_without_card_keys_says_which() {
    let shop = Shop::open(false).expect("a shop");
    let shop = Shop { servery: Servery::on(&shop.url), ..shop };
    let place = ["order", "place", "--method", "card", "--item", "mug", "--pay", "--test-card", "approved"];
    let error = shop.guest_refused(&place);
    assert_eq!(error["error"]["details"]["field"], "STRIPE_SECRET_KEY");
    let kiosk = shop.with_input(&["kiosk", "--json"], "");
    assert_eq!(kiosk.status.code(), Some(1), "{kiosk:?}");
}

#[test]
fn the_log_is_a_file_of_json_lines_where_asked() {
    let shop = Shop::open(false).expect("a shop");
    let log = shop.servery.home().join("state/servery/servery.log");
    std::fs::write(&log, "").expect("emptied");
    let mut command = shop.servery.command(&["health", "--log-json", "--store", "sqlite:/nowhere/at/all.db", "--json"]);
    assert_eq!(command.status().expect("it ran").code(), Some(1));
    let text = std::fs::read_to_string(&log).expect("a log");
    let line: Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    assert_eq!(line["level"], "WARN");
}
