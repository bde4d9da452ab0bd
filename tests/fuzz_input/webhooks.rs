//! Messages of a payment provider into the house: bodies that are right, made at random or spoiled, unsigned, signed with
//! something else, and signed with the shared secret so that they are read in earnest.
//!
//! What is not signed is refused before anything of it is read. What is signed becomes a message within its limits or a
//! refusal. A sample goes through the door into a real store with open payments: each message is taken once at most, no
//! payment counts that is not the order's own amount, and `doctor` finds the house in order.

use crate::bytes;
use crate::campaign::{Campaign, inputs};
use crate::house::House;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use servery::cli::House as Opened;
use servery::domain::error::ErrorCode;
use servery::domain::ids::OrderId;
use servery::domain::money::Money;
use servery::domain::payment::{AttemptStatus, Method};
use servery::domain::time::Timestamp;
use servery::payment::instrument::Instrument;
use servery::payment::upi::SimulatedMessage;
use servery::payment::webhook::{
    CLOCK_SKEW_SECONDS, MAX_BODY, REPLAY_WINDOW_SECONDS, UpiSecret, Webhook, WebhookError, WebhookKind,
};
use servery::service::order_queries::{OrderName, ShowOrder};
use servery::service::payments::pay;
use servery::service::settings::SetSetting;
use servery::service::webhooks::take_webhook;
use servery::service::{Caller, doctor};
use std::collections::BTreeSet;

/// Of the ten million inputs, those that are messages.
const LONG: u64 = 5_000_000;
const PIECES: [&[u8]; 14] = [
    b"\"event_id\":\"evt_1\",",
    b"\"amount\":-1,",
    b"\"amount\":1e400,",
    b"\"currency\":\"USD\",",
    b"\"type\":\"payment.failed\",",
    b"\"created_at\":9223372036854775807,",
    b"{\"a\":",
    b"[[[[[[[[",
    b"\"\\u0000\"",
    b"\"\\ud800\"",
    b"|",
    b"1.5",
    b" ",
    b"/**/",
];

/// What a message may be about.
#[derive(Debug, Clone)]
struct Charge {
    gateway_order_id: String,
    amount: Money,
    currency: String,
}

/// Any JSON value, or what is none.
fn value(random: &mut ChaCha8Rng, depth: usize) -> String {
    match random.random_range(0..9) {
        0 => "null".to_owned(),
        1 => "true".to_owned(),
        2 | 3 => bytes::number(random),
        4 => format!("{}e{}", bytes::number(random), random.random_range(-500..500)),
        5 if depth > 0 => format!("[{},{}]", value(random, depth - 1), value(random, depth - 1)),
        6 if depth > 0 => format!("{{\"a\":{}}}", value(random, depth - 1)),
        7 => format!("\"{}\"", "x".repeat(random.random_range(0..200))),
        _ => "\"evt|\\u0000\\u202e\\n寿\"".to_owned(),
    }
}

/// The instant of a message, mostly young enough.
fn instant(random: &mut ChaCha8Rng, now: Timestamp) -> Timestamp {
    let seconds = match random.random_range(0..8) {
        0 => -REPLAY_WINDOW_SECONDS - random.random_range(-2..3),
        1 => CLOCK_SKEW_SECONDS + random.random_range(-2..3),
        2 => random.random_range(-200_000..2_000),
        _ => -random.random_range(0..1_000),
    };
    now.plus_seconds(seconds)
}

/// A message that is well formed, about one of these charges or about none.
fn message(random: &mut ChaCha8Rng, charges: &[Charge], now: Timestamp) -> String {
    let charge = &charges[random.random_range(0..charges.len())];
    let (order, amount) = (&charge.gateway_order_id, charge.amount.0);
    let number = random.random_range(0..100_000);
    let currency = if random.random_range(0..12) == 0 { "USD" } else { charge.currency.as_str() };
    let kind = if random.random_range(0..4) == 0 { WebhookKind::PaymentFailed } else { WebhookKind::PaymentCaptured };
    let amount = match random.random_range(0..10) {
        0 => amount + random.random_range(-2..3),
        1 => random.random_range(1..i64::MAX),
        2 => -amount,
        _ => amount,
    };
    let order = if random.random_range(0..12) == 0 { format!("order_{number}") } else { order.clone() };
    let created_at = serde_json::to_string(&instant(random, now)).expect("an instant");
    let mut fields = vec![
        ("event_id", format!("\"evt_{number}\"")),
        ("type", format!("\"{}\"", kind.as_str())),
        ("gateway_order_id", format!("\"{order}\"")),
        ("gateway_payment_id", format!("\"pay_{}\"", number % 500)),
        ("amount", amount.to_string()),
        ("currency", format!("\"{currency}\"")),
        ("created_at", created_at),
    ];
    // One message in three has something wrong with its fields.
    if random.random_range(0..3) == 0 {
        let at = random.random_range(0..fields.len());
        match random.random_range(0..5) {
            0 => drop(fields.remove(at)),
            1 => fields.push(fields[at].clone()),
            2 => fields.push(("more", value(random, 3))),
            _ => fields[at].1 = value(random, 3),
        }
    }
    let first = random.random_range(0..fields.len());
    fields.rotate_left(first);
    let fields: Vec<String> = fields.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

/// The body of one input.
fn body(random: &mut ChaCha8Rng, charges: &[Charge], now: Timestamp) -> Vec<u8> {
    match random.random_range(0..400) {
        0 => {
            let each: &[u8] =
                [&b"["[..], b"{\"a\":", b"\"", b" ", b"-", b"[{\"event_id\":["][random.random_range(0..6)];
            return each.repeat(random.random_range(1..MAX_BODY / each.len() + 100));
        }
        1 => return value(random, 6).into_bytes(),
        2 => return (0..random.random_range(0..64)).map(|_| random.random()).collect(),
        _ => {}
    }
    let mut body = message(random, charges, now).into_bytes();
    if random.random_range(0..2) == 0 {
        (0..random.random_range(1..4)).for_each(|_| bytes::spoil(random, &mut body, &PIECES));
    }
    body
}

/// A signature of somebody who does not know the secret.
fn forged(random: &mut ChaCha8Rng, secret: &UpiSecret, body: &[u8]) -> String {
    let other = UpiSecret::from_variable(Some("another secret of the same form")).expect("a secret");
    let right = secret.sign(body);
    match random.random_range(0..7) {
        0 => String::new(),
        1 => other.sign(body),
        2 => secret.sign(&[body, b" "].concat()),
        3 => right[..63].to_owned(),
        4 => format!("{right}0"),
        5 => "0".repeat(random.random_range(0..2_000)),
        _ => {
            let mut wrong = right.into_bytes();
            let at = random.random_range(0..wrong.len());
            wrong[at] = if wrong[at] == b'0' { b'1' } else { b'0' };
            String::from_utf8(wrong).expect("digits")
        }
    }
}

/// Whether an id is one that the house takes.
fn is_id(id: &str) -> bool {
    (1..=100).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

/// Reads a message and looks at what came of it.
fn read(secret: &UpiSecret, signature: &str, signed: bool, body: &[u8], now: Timestamp) -> &'static str {
    let webhook = match secret.read(signature, body, now) {
        Ok(webhook) => webhook,
        Err(WebhookError::TooLarge) => {
            assert!(body.len() > MAX_BODY);
            return "too large";
        }
        Err(WebhookError::BadSignature) => {
            assert!(!signed, "it was signed");
            return "not signed";
        }
        Err(error) => {
            assert!(signed, "read although it was not signed: {error:?}");
            return match error {
                WebhookError::TooOld => "too old",
                WebhookError::FromTheFuture => "from the future",
                _ => "not well formed",
            };
        }
    };
    assert!(signed, "taken although it was not signed");
    assert!([&webhook.event_id, &webhook.gateway_order_id, &webhook.gateway_payment_id].iter().all(|id| is_id(id)));
    assert!(webhook.amount.0 > 0);
    let age = now.seconds_since(webhook.created_at);
    assert!((-CLOCK_SKEW_SECONDS..=REPLAY_WINDOW_SECONDS).contains(&age), "{age}");
    let again = serde_json::to_vec(&webhook).expect("JSON");
    assert_eq!(serde_json::from_slice::<Webhook>(&again).expect("its own"), webhook);
    "read"
}

#[test]
fn webhook_bodies() {
    let campaign = Campaign::begin("webhook bodies", inputs(20_000, LONG));
    let (secret, now) = (UpiSecret::demo(), crate::house::NOON);
    let charge = |number: i64| Charge {
        gateway_order_id: format!("order_{number}"),
        amount: Money(number * 100),
        currency: "INR".to_owned(),
    };
    let charges: Vec<Charge> = (1..20).map(charge).collect();
    for number in campaign.numbers(1) {
        let mut random = campaign.random(number);
        let body = body(&mut random, &charges, now);
        let signed = random.random_range(0..5) > 0;
        let signature = if signed { secret.sign(&body) } else { forged(&mut random, &secret, &body) };
        let what = || format!("{signature:?}, {}", bytes::shown(&body));
        campaign.count(campaign.attempt(number, &what, || read(&secret, &signature, signed, &body, now)));
    }
    assert!(campaign.seen("read") > 0 && campaign.seen("not well formed") > 0, "both must be met");
    campaign.end();
}

/// An order that waits for its payment by UPI: what messages can be about.
fn waiting(house: &House, opened: &Opened, number: u128) -> (OrderId, Charge) {
    let placed = house.place(number, ("filter-coffee", 1), (Method::Upi, true), "Mira");
    let attempt = placed.attempt.expect("paid at once");
    let upi = opened.upi.as_ref().expect("ready");
    let paid = pay(&opened.door, &opened.gateways, &placed.order, &attempt, Instrument::UpiIntent);
    house.run(paid).expect("asked");
    // What the simulated provider would say: its id of the charge stands in it.
    let sent = house.run(upi.simulate(&attempt.key, SimulatedMessage::BadSignature)).expect("a message");
    let webhook: Webhook = serde_json::from_str(&sent.body).expect("its message");
    let currency = webhook.currency.code().to_owned();
    (placed.order.id, Charge { gateway_order_id: webhook.gateway_order_id, amount: webhook.amount, currency })
}

fn check_house(house: &House, orders: &[(OrderId, Charge)]) {
    let door = &house.opened().door;
    for (order, charge) in orders {
        let view = house.run(door.ask(&Caller::System, ShowOrder { order: OrderName::Id(*order) })).expect("an order");
        let captured = view.attempts.iter().filter(|attempt| !attempt.stray);
        let captured: Vec<_> = captured.filter(|attempt| attempt.status == AttemptStatus::Captured).collect();
        assert!(captured.len() <= 1 && captured.iter().all(|attempt| attempt.amount == charge.amount), "{view:#?}");
        assert!(!view.paid || captured.len() == 1, "{view:#?}");
    }
    let report = house.run(doctor::examine(door, &Caller::System)).expect("doctor");
    let violations: Vec<_> = report.violations().collect();
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn webhook_bodies_in_a_store() {
    let campaign = Campaign::begin("webhook bodies in a store", inputs(400, 20_000));
    let house = House::demo();
    let mut opened = house.opened().clone();
    opened.ready_gateway(Method::Upi).expect("the demo's gateway");
    let (door, secret) = (house.opened().door.clone(), UpiSecret::demo());
    // More orders wait for their messages than a canteen's kitchen would take at once.
    let room = SetSetting { key: "max_orders_per_slot".to_owned(), value: 1_000.into(), seen: None, reason: None };
    house.run(door.execute(&Caller::System, None, room)).expect("room for all of them");
    let mut orders: Vec<(OrderId, Charge)> = Vec::new();
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for number in campaign.numbers(1) {
        if number % 100 == 0 || orders.is_empty() {
            orders.extend((0..4).map(|of| waiting(&house, &opened, u128::from(number * 4 + of) + 1)));
        }
        let recent = &orders[orders.len().saturating_sub(8)..];
        let charges: Vec<Charge> = recent.iter().map(|(_, charge)| charge.clone()).collect();
        let mut random = campaign.random(number);
        let body = body(&mut random, &charges, house.now());
        let signed = random.random_range(0..8) > 0;
        let signature = if signed { secret.sign(&body) } else { forged(&mut random, &secret, &body) };
        let what = || format!("{signature:?}, {}", bytes::shown(&body));
        let outcome =
            campaign.attempt(number, &what, || match house.run(take_webhook(&door, &secret, &signature, &body)) {
                Ok(message) => {
                    assert!(signed, "taken although it was not signed");
                    let first = taken.insert(message.event_id.clone());
                    assert_eq!(message.new, first, "each is taken once: {message:?}");
                    let again = house.run(take_webhook(&door, &secret, &signature, &body)).expect("came before");
                    assert!(!again.new, "taken twice: {again:?}");
                    if first { "taken" } else { "came before" }
                }
                Err(refused) => {
                    let code = refused.code;
                    let known =
                        [ErrorCode::ValidationError, ErrorCode::InvalidToken, ErrorCode::NotFound].contains(&code);
                    assert!(known, "{refused:?}");
                    assert!(signed || code != ErrorCode::NotFound, "looked for although it was not signed");
                    code.as_str()
                }
            });
        campaign.count(outcome);
        if (number + 1) % 2_000 == 0 {
            campaign.attempt(number, &what, || check_house(&house, recent));
        }
    }
    check_house(&house, &orders);
    campaign.end();
    assert!(!taken.is_empty(), "none was taken");
}
