//! Doctor over both databases: a small sound store is healthy, and every kind of damage, made past all
//! constraints, is found under its check and named; mended again, the store is healthy again.

use crate::harness::{Place, SITE, START};
use servery::domain::access::Actor;
use servery::store::records::{AuditRow, append_audit};
use servery::store::{Store, doctor, seal};

/// One paid card order that is being cooked (1), one cash order (2), one that is not paid yet (3).
const ROWS: &str = "
INSERT INTO customers (site_id, id, kind, created_at, updated_at) VALUES ('main', {id:9}, 'guest', 1, 1);
INSERT INTO terminals (site_id, id, name, role, registered_at) VALUES ('main', {id:8}, 'Till', 'kitchen', 1);
INSERT INTO stations (site_id, id, name, is_default) VALUES ('main', {id:7}, 'Grill', TRUE);
INSERT INTO stations (site_id, id, name) VALUES ('main', {id:6}, 'Drinks');
INSERT INTO stock_items (site_id, id, code, name, opening, on_hand, reserved, last_movement, created_at, updated_at)
VALUES ('main', {id:20}, 'bun', 'Bun', 10, 13, 1, 2, 1, 1), ('main', {id:21}, 'cup', 'Cup', 4, 4, 0, 0, 1, 1);
INSERT INTO promotions (site_id, id, code, name, kind, amount, use_limit, uses, created_at, updated_at)
VALUES ('main', {id:30}, 'TENOFF', 'Ten off', 'amount', 100, 5, 1, 1, 1);
INSERT INTO number_counters (site_id, business_date, last_sequence) VALUES ('main', '2027-01-15', 3);
INSERT INTO slot_counters (site_id, business_date, slot_name, claimed) VALUES ('main', '2027-01-15', 'lunch', 1);
INSERT INTO orders (site_id, id, order_number, business_date, sequence, pickup_number, status, version, event_sequence,
fulfilment, method, paid, paid_at, customer_id, currency, subtotal, discount, tax, tax_inclusive, total, due, price_trace,
slot_name, slot_claimed, promotion_id, created_at, updated_at, received_at, confirmed_at) VALUES
('main', {id:1}, 'ORD-20270115-001', '2027-01-15', 1, '001', 'confirmed', 3, 3, 'pickup', 'card', TRUE, 5, {id:9}, 'EUR',
1000, 100, 90, FALSE, 990, 990, '{}', 'lunch', TRUE, {id:30}, 1, 5, 5, 5),
('main', {id:2}, 'ORD-20270115-002', '2027-01-15', 2, '002', 'confirmed', 3, 1, 'pickup', 'cash', TRUE, 6, {id:9}, 'EUR',
500, 0, 0, TRUE, 500, 500, '{}', NULL, FALSE, NULL, 1, 6, 1, 2),
('main', {id:3}, 'ORD-20270115-003', '2027-01-15', 3, '003', 'pending', 1, 1, 'pickup', 'upi', FALSE, NULL, {id:9}, 'EUR',
500, 0, 0, TRUE, 500, 500, '{}', NULL, FALSE, NULL, 1, 1, NULL, NULL);
INSERT INTO order_lines (site_id, order_id, id, position, item_id, item_code, item_name, category_name, base_price, unit_price,
quantity, line_total, discount_share, tax_share, total_share, station_id) VALUES
('main', {id:1}, {id:41}, 1, {id:50}, 'burger', 'Burger', 'Food', 500, 500, 2, 1000, 100, 90, 990, {id:7}),
('main', {id:2}, {id:42}, 1, {id:51}, 'tea', 'Tea', 'Drinks', 500, 500, 1, 500, 0, 0, 500, {id:7}),
('main', {id:3}, {id:43}, 1, {id:50}, 'burger', 'Burger', 'Food', 500, 500, 1, 500, 0, 0, 500, {id:7});
INSERT INTO promotion_uses (site_id, order_id, promotion_id, customer_id, discount, state, created_at)
VALUES ('main', {id:1}, {id:30}, {id:9}, 100, 'used', 1);
INSERT INTO stock_movements (site_id, stock_item_id, seq, kind, quantity, on_hand_after, reserved_after, order_id, actor_role, at)
VALUES ('main', {id:20}, 1, 'receive', 5, 15, 2, NULL, 'admin', 4), ('main', {id:20}, 2, 'commit', -2, 13, 0, {id:1}, 'gateway', 5);
INSERT INTO reservations (site_id, order_id, stock_item_id, taken, quantity, state, held_at, ended_at) VALUES
('main', {id:1}, {id:20}, 2, 2, 'committed', 1, 5), ('main', {id:3}, {id:20}, 1, 1, 'held', 1, NULL);
INSERT INTO order_history (site_id, order_id, version, from_status, to_status, transition, actor_role, at) VALUES
('main', {id:1}, 1, NULL, 'pending', 'T1', 'customer', 1), ('main', {id:1}, 2, 'pending', 'received', 'T3', 'gateway', 5),
('main', {id:1}, 3, 'received', 'confirmed', 'T10', 'system', 5),
('main', {id:2}, 1, NULL, 'received', 'T2', 'customer', 1), ('main', {id:2}, 2, 'received', 'confirmed', 'T10', 'kitchen', 2),
('main', {id:2}, 3, 'confirmed', 'confirmed', 'T21', 'kitchen', 6), ('main', {id:3}, 1, NULL, 'pending', 'T1', 'customer', 1);
INSERT INTO payment_attempts (site_id, order_id, id, method, amount, currency, status, refunded, idempotency_key,
gateway_payment_id, actor_role, created_at, updated_at, captured_at, ended_at) VALUES
('main', {id:1}, {id:61}, 'card', 990, 'EUR', 'captured', 200, 'k1', 'pay_1', 'customer', 1, 5, 5, 5),
('main', {id:2}, {id:62}, 'cash', 500, 'EUR', 'captured', 0, 'k2', NULL, 'kitchen', 6, 6, 6, 6),
('main', {id:3}, {id:63}, 'upi', 500, 'EUR', 'created', 0, 'k3', NULL, 'customer', 1, 1, NULL, NULL);
INSERT INTO refunds (site_id, order_id, id, attempt_id, method, amount, currency, status, transition, idempotency_key,
actor_role, created_at, updated_at, ended_at) VALUES
('main', {id:1}, {id:71}, {id:61}, 'card', 200, 'EUR', 'settled', 'T27', 'r1', 'admin', 7, 8, 8),
('main', {id:1}, {id:72}, {id:61}, 'card', 300, 'EUR', 'failed', 'T27', 'r2', 'admin', 7, 8, 8);
INSERT INTO outbox (site_id, order_id, order_sequence, event, payload, created_at, sent_at) VALUES
('main', {id:1}, 1, 'order_created', '{}', 1, 2), ('main', {id:1}, 2, 'payment_completed', '{}', 5, NULL),
('main', {id:1}, 3, 'order_received', '{}', 5, NULL), ('main', {id:2}, 1, 'order_created', '{}', 1, 2),
('main', {id:3}, 1, 'order_created', '{}', 1, 2);
INSERT INTO tickets (site_id, order_id, station_id, shown_at) VALUES ('main', {id:1}, {id:7}, 5), ('main', {id:2}, {id:7}, 1);
INSERT INTO ticket_items (site_id, order_id, station_id, line_id, quantity) VALUES
('main', {id:1}, {id:7}, {id:41}, 2), ('main', {id:2}, {id:7}, {id:42}, 1);
INSERT INTO till_shifts (site_id, id, terminal_id, opened_by, opened_at, opening_float, balance, last_movement) VALUES
('main', {id:80}, {id:8}, {id:9}, 1, 1000, 1400, 2);
INSERT INTO drawer_movements (site_id, shift_id, seq, kind, amount, balance_after, order_id, actor_role, at) VALUES
('main', {id:80}, 1, 'sale', 500, 1500, {id:2}, 'kitchen', 6), ('main', {id:80}, 2, 'drop', -100, 1400, NULL, 'admin', 7);
";

/// Damage: the check that must find it, words that must stand in what it says, the damage, its repair.
#[rustfmt::skip]
const DAMAGES: &[(&str, &str, &str, &str)] = &[
    ("stock", "(I1)", "UPDATE stock_items SET reserved = 14 WHERE code = 'bun'", "UPDATE stock_items SET reserved = 1 WHERE code = 'bun'"),
    ("stock", "bun: reserved 2, held 1", "UPDATE stock_items SET reserved = 2 WHERE code = 'bun'", "UPDATE stock_items SET reserved = 1 WHERE code = 'bun'"),
    ("stock", "bun: on hand 12", "UPDATE stock_items SET on_hand = 12 WHERE code = 'bun'", "UPDATE stock_items SET on_hand = 13 WHERE code = 'bun'"),
    ("stock", "cup: on hand 5", "UPDATE stock_items SET on_hand = 5 WHERE code = 'cup'", "UPDATE stock_items SET on_hand = 4 WHERE code = 'cup'"),
    ("stock", "movement 1 of 5 leaves 15 after 11", "UPDATE stock_items SET opening = 11 WHERE code = 'bun'", "UPDATE stock_items SET opening = 10 WHERE code = 'bun'"),
    ("stock", "movement 3 of -2 leaves 13 after 15", "UPDATE stock_movements SET seq = 3 WHERE seq = 2", "UPDATE stock_movements SET seq = 2 WHERE seq = 3"),
    ("stock", "committed 1, in the ledger 2", "UPDATE reservations SET quantity = 1 WHERE state = 'committed'", "UPDATE reservations SET quantity = 2 WHERE state = 'committed'"),
    ("stock", "although it is paid", "UPDATE reservations SET order_id = {id:2} WHERE state = 'held'", "UPDATE reservations SET order_id = {id:3} WHERE state = 'held'"),
    ("stock", "(I4)", "UPDATE reservations SET ended_at = 3 WHERE state = 'held'", "UPDATE reservations SET ended_at = NULL WHERE state = 'held'"),
    ("stock", "Burger: restocked 2, wasted 1 of 2", "UPDATE order_lines SET restocked = 2, wasted = 1 WHERE id = {id:41}", "UPDATE order_lines SET restocked = 0, wasted = 0 WHERE id = {id:41}"),
    ("money", "refunded 300, refunds 200", "UPDATE payment_attempts SET refunded = 300 WHERE id = {id:61}", "UPDATE payment_attempts SET refunded = 200 WHERE id = {id:61}"),
    ("money", "more is refunded", "UPDATE payment_attempts SET amount = 150 WHERE id = {id:61}", "UPDATE payment_attempts SET amount = 990 WHERE id = {id:61}"),
    ("money", "open 2, captured 0", "INSERT INTO payment_attempts (site_id, order_id, id, method, amount, currency, status, idempotency_key, actor_role, created_at, updated_at) VALUES ('main', {id:3}, {id:64}, 'upi', 500, 'EUR', 'created', 'k4', 'customer', 1, 1)", "DELETE FROM payment_attempts WHERE id = {id:64}"),
    ("money", "pay_1", "UPDATE payment_attempts SET gateway_payment_id = 'pay_1' WHERE id = {id:63}", "UPDATE payment_attempts SET gateway_payment_id = NULL WHERE id = {id:63}"),
    ("money", "paid, nothing captured", "UPDATE payment_attempts SET status = 'voided' WHERE id = {id:62}", "UPDATE payment_attempts SET status = 'captured' WHERE id = {id:62}"),
    ("money", "captured, not paid", "UPDATE orders SET paid = FALSE WHERE id = {id:2}", "UPDATE orders SET paid = TRUE WHERE id = {id:2}"),
    ("money", "captured 499", "UPDATE payment_attempts SET amount = 499 WHERE id = {id:62}", "UPDATE payment_attempts SET amount = 500 WHERE id = {id:62}"),
    ("money", "no refund was begun", "UPDATE payment_attempts SET status = 'captured', stray = TRUE WHERE id = {id:63}", "UPDATE payment_attempts SET status = 'created', stray = FALSE WHERE id = {id:63}"),
    ("order sums", "500 x 2 is not 1001", "UPDATE order_lines SET line_total = 1001 WHERE id = {id:41}", "UPDATE order_lines SET line_total = 1000 WHERE id = {id:41}"),
    ("order sums", "share 991", "UPDATE order_lines SET total_share = 991 WHERE id = {id:41}", "UPDATE order_lines SET total_share = 990 WHERE id = {id:41}"),
    ("order sums", "discount 99 of shares 100", "UPDATE orders SET discount = 99 WHERE id = {id:1}", "UPDATE orders SET discount = 100 WHERE id = {id:1}"),
    ("order sums", "total 991", "UPDATE orders SET total = 991 WHERE id = {id:1}", "UPDATE orders SET total = 990 WHERE id = {id:1}"),
    ("history", "version 4, rows 3 up to 3", "UPDATE orders SET version = 4 WHERE id = {id:1}", "UPDATE orders SET version = 3 WHERE id = {id:1}"),
    ("history", "from pending after received", "UPDATE order_history SET from_status = 'pending' WHERE order_id = {id:1} AND version = 3", "UPDATE order_history SET from_status = 'received' WHERE order_id = {id:1} AND version = 3"),
    ("history", "ready, history confirmed", "UPDATE orders SET status = 'ready' WHERE id = {id:2}", "UPDATE orders SET status = 'confirmed' WHERE id = {id:2}"),
    ("history", "expired to confirmed", "UPDATE order_history SET to_status = CASE version WHEN 2 THEN 'expired' ELSE to_status END, from_status = CASE version WHEN 3 THEN 'expired' ELSE from_status END WHERE order_id = {id:1}", "UPDATE order_history SET to_status = CASE version WHEN 2 THEN 'received' ELSE to_status END, from_status = CASE version WHEN 3 THEN 'received' ELSE from_status END WHERE order_id = {id:1}"),
    ("history", "T99 from received to confirmed", "UPDATE order_history SET transition = 'T99' WHERE order_id = {id:1} AND version = 3", "UPDATE order_history SET transition = 'T10' WHERE order_id = {id:1} AND version = 3"),
    ("paid orders", "confirmed, card", "UPDATE orders SET paid = FALSE WHERE id = {id:1}", "UPDATE orders SET paid = TRUE WHERE id = {id:1}"),
    ("order numbers", "given twice", "UPDATE orders SET sequence = 2 WHERE id = {id:3}", "UPDATE orders SET sequence = 3 WHERE id = {id:3}"),
    ("order numbers", "3 orders up to 3, counter 4", "UPDATE number_counters SET last_sequence = 4", "UPDATE number_counters SET last_sequence = 3"),
    ("order numbers", "no counter", "UPDATE number_counters SET training = TRUE, last_sequence = 0", "UPDATE number_counters SET training = FALSE, last_sequence = 3"),
    ("slots", "2027-01-15 lunch: claimed 2, orders 1", "UPDATE slot_counters SET claimed = 2", "UPDATE slot_counters SET claimed = 1"),
    ("slots", "nobody counts", "UPDATE slot_counters SET slot_name = 'dinner', claimed = 0", "UPDATE slot_counters SET slot_name = 'lunch', claimed = 1"),
    ("promotions", "TENOFF: uses 2, orders 1", "UPDATE promotions SET uses = 2", "UPDATE promotions SET uses = 1"),
    ("outbox", "events 4, rows 3 up to 3", "UPDATE orders SET event_sequence = 4 WHERE id = {id:1}", "UPDATE orders SET event_sequence = 3 WHERE id = {id:1}"),
    ("outbox", "rows 3 up to 4", "UPDATE outbox SET order_sequence = 4 WHERE event = 'order_received'", "UPDATE outbox SET order_sequence = 3 WHERE event = 'order_received'"),
    ("outbox", "order_received (3) before payment_completed", "UPDATE outbox SET sent_at = 9 WHERE event = 'order_received'", "UPDATE outbox SET sent_at = NULL WHERE event = 'order_received'"),
    ("tickets", "Burger: sold 2, on tickets 1", "UPDATE ticket_items SET quantity = 1 WHERE line_id = {id:41}", "UPDATE ticket_items SET quantity = 2 WHERE line_id = {id:41}"),
    ("tickets", "another station", "UPDATE ticket_items SET station_id = {id:6} WHERE line_id = {id:42}", "UPDATE ticket_items SET station_id = {id:7} WHERE line_id = {id:42}"),
    ("till", "movement 2 of -100 leaves 1401 after 1500", "UPDATE drawer_movements SET balance_after = 1401 WHERE seq = 2", "UPDATE drawer_movements SET balance_after = 1400 WHERE seq = 2"),
    ("till", "balance 1399", "UPDATE till_shifts SET balance = 1399", "UPDATE till_shifts SET balance = 1400"),
    ("till", "expected 1300, balance 1400", "UPDATE till_shifts SET closed_at = 9, counted = 1300, expected = 1300, over_short = 0", "UPDATE till_shifts SET closed_at = NULL, counted = NULL, expected = NULL, over_short = NULL"),
    ("till", "captured 500, drawer 0", "UPDATE drawer_movements SET order_id = {id:1} WHERE seq = 1", "UPDATE drawer_movements SET order_id = {id:2} WHERE seq = 1"),
    ("deliveries", "2 assignments", "INSERT INTO delivery_assignments (site_id, id, order_id, staff_id, assigned_at) VALUES ('main', {id:91}, {id:1}, {id:9}, 1), ('main', {id:92}, {id:1}, {id:9}, 1)", "DELETE FROM delivery_assignments"),
    ("deliveries", "nobody picked it up", "UPDATE orders SET status = 'out_for_delivery' WHERE id = {id:2}", "UPDATE orders SET status = 'confirmed' WHERE id = {id:2}"),
    ("audit seals", "seal 1 does not fit audit rows", "UPDATE audit_log SET details = 'forged 1' WHERE details = 'row 1'", "UPDATE audit_log SET details = 'row 1' WHERE details = 'forged 1'"),
    ("audit seals", "seal 2 covers 2 rows", "UPDATE audit_log SET site_id = 'gone' WHERE details = 'row 4'", "UPDATE audit_log SET site_id = 'main' WHERE details = 'row 4'"),
    ("audit seals", "seal 2 does not follow", "UPDATE audit_seals SET previous_hash = hash WHERE seq = 2", "UPDATE audit_seals SET previous_hash = (SELECT p.hash FROM audit_seals p WHERE p.seq = 1) WHERE seq = 2"),
    ("audit seals", "seal 3 does not follow", "UPDATE audit_seals SET seq = 3 WHERE seq = 2", "UPDATE audit_seals SET seq = 2 WHERE seq = 3"),
];

/// The statements with each `{id:N}` as this database spells it.
fn spelled(place: &Place, statements: &str) -> String {
    let mut parts = statements.split("{id:");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, rest) = part.split_once('}').expect("{id:N}");
        text += &place.id(number.parse().expect("a number"));
        text += rest;
    }
    text
}

/// A healthy store with rows in every table that doctor looks at, without its guards.
pub async fn filled(place: &Place) -> Store {
    let store = place.with_site().await;
    place.unguard().await;
    place.raw(&spelled(place, ROWS)).await;
    for (number, sealed) in [(1, false), (2, true), (3, false), (4, true), (5, false)] {
        let mut tx = store.write().await.expect("a transaction");
        let row = AuditRow {
            action: "UPDATE",
            entity: "Setting",
            entity_id: number.to_string(),
            details: format!("row {number}"),
            before: None,
            after: Some(serde_json::json!({"b": number, "a": [1.5, null, "x"]})),
            reason: None,
        };
        append_audit(&mut tx, SITE, "settings_set", &Actor::system(), &[row], START).await.expect("audit");
        if sealed {
            assert_eq!(seal::append(&mut tx, SITE, i64::MAX, START).await.expect("sealed"), 2);
        }
        tx.commit().await.expect("committed");
    }
    store
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_store_is_healthy_and_every_damage_is_found_and_named() {
    for place in Place::both() {
        let store = filled(&place).await;
        let healthy = doctor::examine(&store, SITE).await.expect("examined");
        let found: Vec<_> = healthy.violations().collect();
        assert!(healthy.is_healthy(), "{}: {found:#?}", place.url);
        assert_eq!(healthy.unsealed_audit_rows, 1, "the tail is told, and is no violation");
        for check in &healthy.checks {
            // Nobody delivers here, and no worker has kept summaries.
            let idle = ["deliveries", "report summaries"].contains(&check.name.as_str());
            assert!(check.rows_examined > 0 || idle, "{} looks at something", check.name);
        }
        for (check, words, damage, repair) in DAMAGES {
            place.raw(&spelled(&place, damage)).await;
            let report = doctor::examine(&store, SITE).await.expect("examined");
            assert!(!report.is_healthy(), "{}: not seen: {damage}", place.url);
            let said = report.checks.iter().find(|found| found.name == *check).expect("the check");
            let said =
                said.violation.as_deref().unwrap_or_else(|| panic!("{check} did not see: {damage}: {report:#?}"));
            assert!(said.contains(words), "{}: {damage}: {said}", place.url);
            place.raw(&spelled(&place, repair)).await;
        }
        assert!(doctor::examine(&store, SITE).await.expect("examined").is_healthy(), "mended again");
        let json = serde_json::to_value(&healthy).expect("JSON");
        assert_eq!(serde_json::from_value::<doctor::DoctorReport>(json).expect("read back"), healthy);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_site_is_examined_and_none_sees_the_others() {
    for place in Place::both() {
        let store = filled(&place).await;
        place.raw("INSERT INTO sites (site_id, name, currency, time_zone, created_at) VALUES ('other', 'Other', 'EUR', 'UTC', 1)").await;
        place.raw("UPDATE stock_items SET on_hand = 12 WHERE code = 'bun'").await;
        let reports = doctor::examine_all(&store).await.expect("examined");
        let verdicts: Vec<_> = reports.iter().map(|report| (report.site.as_str(), report.is_healthy())).collect();
        assert_eq!(verdicts, [("main", false), ("other", true)]);
    }
}
