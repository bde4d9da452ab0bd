//! Days, hours and what belongs to them: over both changes of the clocks, over the cut-off, refunds days
//! later, another cut-off, a lost lease, and a damaged summary.

use super::house::House;
use super::recount::{Split, execute, keep};
use crate::on_both;
use servery::domain::report::parse_day;
use servery::domain::time::Timestamp;
use servery::payment::Gateways;
use servery::service::report_views::SalesView;
use servery::service::reports::{HoursReport, SalesReport, SpeedReport};
use servery::service::{Caller, Query};
use servery::store::doctor;
use uuid::Uuid;

fn day(text: &str) -> chrono::NaiveDate {
    parse_day("day", text).expect("a day")
}

fn at(text: &str) -> i64 {
    let instant = chrono::DateTime::parse_from_rfc3339(text).expect("an instant");
    Timestamp::from(instant.with_timezone(&chrono::Utc)).0
}

/// A paid order as the rows have it: placed and received at an instant, ready 300 s later.
async fn order(house: &House, number: u16, business_date: &str, placed: &str, total: i64) -> Uuid {
    let id = Uuid::from_u128(0x5000 + u128::from(number));
    let (order, guest) = (house.uuid(id), house.uuid(Uuid::from_u128(0x4000)));
    let attempt = house.uuid(Uuid::from_u128(0x6000 + u128::from(number)));
    let (placed, compact) = (at(placed), business_date.replace('-', ""));
    let (ready, promised) = (placed + 300_000_000, placed + 240_000_000);
    execute(
        &house.door,
        &format!(
            "INSERT INTO customers (site_id, id, kind, created_at, updated_at) VALUES ('main', {guest}, 'guest', 1, 1) \
             ON CONFLICT DO NOTHING; \
             INSERT INTO orders (site_id, id, order_number, business_date, sequence, pickup_number, status, paid, paid_at, \
             fulfilment, method, customer_id, currency, subtotal, tax_inclusive, total, due, price_trace, created_at, \
             updated_at, received_at, ready_at, estimated_ready_at) VALUES ('main', {order}, 'ORD-{compact}-{number:03}', \
             '{business_date}', {number}, '{number:03}', 'received', TRUE, {placed}, 'pickup', 'card', {guest}, 'INR', {total}, \
             TRUE, {total}, {total}, '{{}}', {placed}, {placed}, {placed}, {ready}, {promised}); \
             INSERT INTO payment_attempts (site_id, order_id, id, method, amount, currency, status, idempotency_key, \
             actor_role, created_at, updated_at, captured_at, ended_at) VALUES ('main', {order}, {attempt}, 'card', {total}, \
             'INR', 'captured', 'key-{number}', 'gateway', {placed}, {placed}, {placed}, {placed})"
        ),
    )
    .await;
    id
}

/// A refund of it, settled at an instant, with the rise of the version that comes with each step.
async fn refund(house: &House, number: u16, order: Uuid, amount: i64, settled: &str) {
    let (order, settled) = (house.uuid(order), at(settled));
    let (id, attempt) = (
        house.uuid(Uuid::from_u128(0x7000 + u128::from(number))),
        house.uuid(Uuid::from_u128(0x6000 + u128::from(number))),
    );
    execute(
        &house.door,
        &format!(
            "INSERT INTO refunds (site_id, order_id, id, attempt_id, method, amount, currency, transition, reason, \
             idempotency_key, actor_role, created_at, updated_at) VALUES ('main', {order}, {id}, {attempt}, 'card', {amount}, \
             'INR', 'T27', 'cold', 'refund-{number}', 'admin', {settled}, {settled}); \
             UPDATE orders SET version = version + 1, updated_at = {settled} WHERE id = {order}; \
             UPDATE refunds SET status = 'settled', ended_at = {settled} WHERE id = {id}; \
             UPDATE orders SET version = version + 1, updated_at = {settled} WHERE id = {order}"
        ),
    )
    .await;
}

async fn in_berlin(house: &House) {
    execute(&house.door, "UPDATE sites SET time_zone = 'Europe/Berlin', settings_version = settings_version + 1").await;
}

async fn ask<Q: Query>(house: &House, query: Q) -> Q::Output {
    house.door.ask(&Caller::System, query).await.expect("the report")
}

async fn sales(house: &House, from: &str, to: &str) -> SalesView {
    ask(house, SalesReport { from: day(from), to: day(to) }).await
}

/// (day, collected, refunded) of days with either.
fn money(view: &SalesView) -> Vec<(String, i64, i64)> {
    let days = view.days.iter().map(|day| (day.day.to_string(), day.figures.collected, day.figures.refunded));
    days.filter(|(_, collected, refunded)| (*collected, *refunded) != (0, 0)).collect()
}

fn named(days: &[(&str, i64, i64)]) -> Vec<(String, i64, i64)> {
    days.iter().map(|(day, collected, refunded)| ((*day).to_owned(), *collected, *refunded)).collect()
}

on_both!(hours_of_days_on_which_the_clocks_change, |house| {
    in_berlin(&house).await;
    // 01:30 and, an hour later, 03:30: between them 02:00 to 03:00 never was. Both are the night of Saturday.
    order(&house, 1, "2026-03-28", "2026-03-29T00:30:00Z", 100).await;
    order(&house, 2, "2026-03-28", "2026-03-29T01:30:00Z", 100).await;
    // 02:30 twice.
    order(&house, 3, "2026-10-24", "2026-10-25T00:30:00Z", 100).await;
    order(&house, 4, "2026-10-24", "2026-10-25T01:30:00Z", 100).await;
    let worker = house.worker(Gateways::none());
    for _ in 0..2 {
        let spring = ask(&house, HoursReport { from: day("2026-03-28"), to: day("2026-03-28") }).await;
        let of_hours: Vec<i64> = spring.hours.iter().map(|hour| hour.placed).collect();
        assert_eq!(of_hours[..5], [0, 1, 0, 1, 0]);
        assert_eq!(spring.weekdays[5].received[1], 1, "Saturday's, though the calendar says Sunday");
        assert_eq!(spring.weekdays[6].received.iter().sum::<i64>(), 0);
        let autumn = ask(&house, HoursReport { from: day("2026-10-24"), to: day("2026-10-24") }).await;
        assert_eq!(autumn.hours[2].placed, 2);
        let speed = ask(&house, SpeedReport { from: day("2026-01-01"), to: day("2026-12-31") }).await;
        assert_eq!((speed.whole.orders, speed.whole.late), (4, 4));
        assert_eq!((speed.whole.median_seconds, speed.whole.promised_p90_seconds), (Some(300), Some(240)));
        // The same again from what is kept.
        keep(&worker, true).await;
    }
});

on_both!(a_refund_belongs_to_the_day_on_which_it_settles, |house| {
    in_berlin(&house).await;
    let first = order(&house, 1, "2026-03-30", "2026-03-30T10:00:00Z", 1_000).await;
    let second = order(&house, 2, "2026-03-30", "2026-03-30T11:00:00Z", 2_000).await;
    let worker = house.worker(Gateways::none());
    keep(&worker, true).await;
    assert_eq!(money(&sales(&house, "2026-03-01", "2026-04-30").await), named(&[("2026-03-30", 3_000, 0)]));
    // A microsecond before 04:00 in Berlin, and at 04:00.
    refund(&house, 1, first, 300, "2026-04-02T01:59:59.999999Z").await;
    refund(&house, 2, second, 500, "2026-04-02T02:00:00Z").await;
    let wanted = named(&[("2026-03-30", 3_000, 0), ("2026-04-01", 0, 300), ("2026-04-02", 0, 500)]);
    assert_eq!(money(&sales(&house, "2026-03-01", "2026-04-30").await), wanted, "before anybody kept it");
    keep(&worker, true).await;
    assert_eq!(money(&sales(&house, "2026-03-01", "2026-04-30").await), wanted);
    assert_eq!(money(&sales(&house, "2026-04-02", "2026-04-02").await), wanted[2..]);

    // Another cut-off cuts all days in another way, at once.
    house.set("business_day_cutoff", "06:00".into()).await;
    let wanted = named(&[("2026-03-30", 3_000, 0), ("2026-04-01", 0, 800)]);
    assert_eq!(money(&sales(&house, "2026-03-01", "2026-04-30").await), wanted);
    keep(&worker, true).await;
    assert_eq!(money(&sales(&house, "2026-03-01", "2026-04-30").await), wanted);
    let (_, changed) = ask(&house, Split).await;
    assert_eq!(changed, Vec::<String>::new());
});

on_both!(who_has_lost_the_lease_keeps_nothing, |house| {
    order(&house, 1, "2026-03-30", "2026-03-30T10:00:00Z", 1_000).await;
    let (worker, held) = house.leading().await;
    worker.give_back(&held).await.expect("given back");
    let other = house.worker(Gateways::none());
    other.take_lease().await.expect("asked").held.expect("the lease");
    let refused = worker.keep_summaries_every(&held, 0).await.expect_err("another leads");
    assert_eq!(refused.guard, Some("worker_lease"));
    assert_eq!(house.number("SELECT COUNT(*) FROM report_sales").await, 0);
    assert_eq!(house.number("SELECT COUNT(*) FROM report_changes").await, 1);
    keep(&other, true).await;
    assert_eq!(house.number("SELECT COUNT(*) FROM report_sales").await, 1);
    assert_eq!(house.number("SELECT COUNT(*) FROM report_changes").await, 0);
});

on_both!(a_change_while_a_day_is_counted_is_not_lost, |house| {
    let id = order(&house, 1, "2026-03-30", "2026-03-30T10:00:00Z", 1_000).await;
    let (worker, held) = house.leading().await;
    while worker.keep_summaries_every(&held, 0).await.expect("kept").more {}
    refund(&house, 1, id, 100, "2026-03-30T12:00:00Z").await;
    // What the worker has read by now, it may forget; what changes afterwards, it may not.
    let mut tx = house.door.store().read().await.expect("a transaction");
    let read = servery::store::reports::marks_before(&mut tx, "main", "2026-12-31", 10).await.expect("marks");
    tx.rollback().await.expect("ended");
    assert_eq!((read.len(), read[0].changes), (1, 2));
    let order = house.uuid(id);
    let later = at("2026-03-30T13:00:00Z");
    let change = format!("UPDATE orders SET version = version + 1, updated_at = {later} WHERE id = {order}");
    execute(&house.door, &change).await;
    let mut tx = house.door.store().write().await.expect("a transaction");
    let gone = servery::store::reports::forget_marks(&mut tx, "main", &read).await.expect("asked");
    tx.commit().await.expect("committed");
    assert_eq!(gone, 0);
    assert_eq!(house.number("SELECT last_at FROM report_changes").await, later);
});

on_both!(doctor_names_a_day_whose_summary_is_wrong, |house| {
    order(&house, 1, "2026-03-30", "2026-03-30T10:00:00Z", 1_000).await;
    order(&house, 2, "2026-04-02", "2026-04-02T10:00:00Z", 1_000).await;
    keep(&house.worker(Gateways::none()), true).await;
    let found = || async {
        let report = doctor::examine(house.door.store(), "main").await.expect("examined");
        let check = report.checks.into_iter().find(|check| check.name == "report summaries").expect("the check");
        check.violation
    };
    assert_eq!(found().await, None);
    execute(&house.door, "UPDATE report_sales SET gross = gross + 1 WHERE business_date = '2026-04-02'").await;
    let violation = found().await.expect("found");
    assert!(violation.contains("2026-04-02") && violation.contains("sales"), "{violation}");
});
