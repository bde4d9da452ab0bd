//! The pure rules: judging an event on an order, and pricing a cart. No store.

#![expect(clippy::expect_used, reason = "a bench that cannot go on says so")]

use criterion::{Criterion, criterion_group, criterion_main};
use servery::domain::access::Actor;
use servery::domain::fulfilment::Fulfilment;
use servery::domain::ids::{AttemptId, CustomerId, LineId, OrderId, StockItemId, TaxClassId};
use servery::domain::money::{Money, Rate};
use servery::domain::order::{Capture, Event, HoldState, Line, OrderSnapshot, Reservation, Snapshot, Status, decide};
use servery::domain::payment::{Attempt, AttemptMethod, AttemptStatus, Method};
use servery::domain::pricing::{QuoteInput, QuoteLine, QuoteOption, quote};
use servery::domain::settings::Settings;
use servery::domain::tax::{TaxClass, TaxMode};
use servery::domain::time::Timestamp;
use std::hint::black_box;
use uuid::Uuid;

const NOW: Timestamp = Timestamp(1_800_000_000_000_000);
const DUE: Money = Money(10_000);

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A pending order of three lines with an open attempt.
fn pending() -> Snapshot {
    let lines = (1..=3).map(|number| Line {
        id: LineId(id(number)),
        quantity: 2,
        voided: 0,
        restocked: 0,
        wasted: 0,
        done: 0,
        total_share: Money(3_333),
        uses: vec![(StockItemId(id(10 + number)), 1)],
    });
    let reservations = (1..=3).map(|number| Reservation {
        stock_item: StockItemId(id(10 + number)),
        quantity: 2,
        state: HoldState::Held,
    });
    Snapshot::Order(Box::new(OrderSnapshot {
        id: OrderId(id(99)),
        status: Status::Pending,
        version: 1,
        fulfilment: Fulfilment::Pickup,
        method: Method::Card,
        owner: CustomerId(id(70)),
        due: DUE,
        placed_at: NOW.plus_seconds(-60),
        received_at: None,
        ready_at: None,
        captured_at: None,
        expires_at: Some(NOW.plus_seconds(540)),
        hold_extended: false,
        on_hold_until: None,
        estimate_minutes: 8,
        business_day_over: false,
        drawer: None,
        lines: lines.collect(),
        attempts: vec![Attempt {
            id: AttemptId(id(50)),
            method: AttemptMethod::Card,
            status: AttemptStatus::Created,
            amount: DUE,
            unknown: false,
            unresolved: false,
            stray: false,
        }],
        refunds: Vec::new(),
        reservations: reservations.collect(),
        assignment: None,
        failed_assignments: 0,
    }))
}

fn judging(bench: &mut Criterion) {
    let (snapshot, settings, gateway) = (pending(), Settings::default(), Actor::gateway("stripe-dummy"));
    let event = Event::PaySuccess(Capture {
        attempt: Some(AttemptId(id(50))),
        amount: DUE,
        taken_by: Method::Card,
        currency_matches: true,
        gateway_payment_id: "pay_1".to_owned(),
        signature_valid: true,
        id_is_new: true,
    });
    let taken = decide(&snapshot, &event, &gateway, NOW, &settings).expect("taken");
    assert_eq!(taken.to(), Some(Status::Confirmed), "captured, and accepted by the house");
    bench.bench_function("decide/capture", |bencher| {
        bencher.iter(|| decide(black_box(&snapshot), black_box(&event), &gateway, NOW, &settings));
    });
    let refused = Event::HandOver;
    assert!(decide(&snapshot, &refused, &Actor::system(), NOW, &settings).is_err());
    bench.bench_function("decide/refused", |bencher| {
        bencher.iter(|| decide(black_box(&snapshot), black_box(&refused), &gateway, NOW, &settings));
    });
}

fn pricing(bench: &mut Criterion) {
    let class = |number, ppm| TaxClass { id: TaxClassId(id(number)), name: format!("Class {number}"), rate: Rate(ppm) };
    let lines = (1..=10).map(|number| QuoteLine {
        id: id(number),
        name: format!("Dish {number}"),
        unit_price: Money(12_345),
        options: vec![QuoteOption { name: "Large".to_owned(), price_delta: Money(500) }],
        quantity: 3,
        tax_class: Some(TaxClassId(id(101 + number % 2))),
    });
    let input = QuoteInput {
        lines: lines.collect(),
        promotion: None,
        tax_classes: vec![class(101, 50_000), class(102, 180_000)],
        tax_mode: TaxMode::Exclusive,
        delivery: None,
    };
    assert!(quote(&input).is_ok());
    bench.bench_function("quote/10 lines", |bencher| bencher.iter(|| quote(black_box(&input))));
}

criterion_group!(benches, judging, pricing);
criterion_main!(benches);
