//! The simulated gateways from outside: outcomes by number and by script, keys that answer the same for
//! ever, voiding, refunds, simulated customers. Every scenario runs on three memories: a file, and the
//! store's own tables on SQLite and on Postgres; and the memory is opened anew between the calls where
//! a scenario is about a process that died.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a helper that cannot go on fails the test by panicking"
)]

#[path = "support/mod.rs"]
mod support;

use futures::FutureExt;
use futures::future::BoxFuture;
use servery::domain::error::Refused;
use servery::domain::money::{Currency, Money};
use servery::domain::payment::{AttemptStatus, Method, RefundStatus};
use servery::domain::time::{Clock, Timestamp};
use servery::payment::card::{CardGateway, CardKeys, TEST_NUMBERS, TIMEOUT, TIMEOUT_THEN_CAPTURED, TestOutcome};
use servery::payment::memory::{Charge, Decision, Kept, MemoryError, ProviderMemory, RefundKept, RefundRecord};
use servery::payment::script::Script;
use servery::payment::simulated::{CAPTURE_KNOWN_AFTER_SECONDS, Provider};
use servery::payment::upi::{Approval, SimulatedMessage, UpiGateway};
use servery::payment::webhook::{UpiSecret, WebhookError};
use servery::payment::{
    Capture, CardDetails, ChargeAnswer, ChargeRequest, ChargeState, Gateway, GatewayError, Gateways, Instrument,
    RefundAnswer, RefundRequest, VoidAnswer,
};
use servery::service::provider_memory::StoredProviderMemory;
use servery::store::{Options, Store, StoreUrl};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

const START: i64 = 1_800_000_000_000_000;

/// A clock that moves when told.
struct HandClock(AtomicI64);

impl HandClock {
    fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(START)))
    }

    fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A memory in a file, written anew at every change: the plainest thing that keeps the trait's words.
struct FileMemory {
    path: PathBuf,
    lock: Mutex<()>,
}

type Book = (BTreeMap<String, Charge>, BTreeMap<String, RefundRecord>);

impl FileMemory {
    fn change<T>(&self, change: impl FnOnce(&mut Book) -> T) -> Result<T, MemoryError> {
        let _guard = self.lock.lock().unwrap();
        let mut book: Book = match std::fs::read(&self.path) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap(),
            Err(_) => Book::default(),
        };
        let answer = change(&mut book);
        std::fs::write(&self.path, serde_json::to_vec(&book).unwrap()).unwrap();
        Ok(answer)
    }
}

impl ProviderMemory for FileMemory {
    fn keep_charge<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Result<Kept<Charge>, MemoryError>> {
        let kept = self.change(|(charges, _)| match charges.get(&charge.key) {
            Some(found) => Kept::Before(found.clone()),
            None => {
                charges.insert(charge.key.clone(), charge.clone());
                Kept::New(charge.clone())
            }
        });
        async move { kept }.boxed()
    }

    fn find_charge<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Charge>, MemoryError>> {
        let found = self.change(|(charges, _)| {
            let by_payment = || charges.values().find(|charge| charge.gateway_payment_id.as_deref() == Some(key));
            charges.get(key).or_else(by_payment).cloned()
        });
        async move { found }.boxed()
    }

    fn decide<'a>(
        &'a self,
        key: &'a str,
        decision: &'a Decision,
        gateway_payment_id: Option<&'a str>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Charge>, MemoryError>> {
        let decided = self.change(|(charges, _)| {
            let charge = charges.get_mut(key)?;
            let open = charge.status == AttemptStatus::Created;
            let too_late = *decision == Decision::Voided && charge.due_decision(now).is_some();
            if open && !too_late {
                charge.status = decision.status();
                charge.reason = decision.reason().map(str::to_owned);
                charge.gateway_payment_id = gateway_payment_id.map(str::to_owned);
            }
            Some(charge.clone())
        });
        async move { decided }.boxed()
    }

    fn keep_refund<'a>(&'a self, refund: &'a RefundRecord) -> BoxFuture<'a, Result<RefundKept, MemoryError>> {
        let kept = self.change(|(charges, refunds)| {
            if let Some(found) = refunds.get(&refund.key) {
                return RefundKept::Kept(Kept::Before(found.clone()));
            }
            let charge = charges.get_mut(&refund.charge_key).expect("the charge of a refund");
            if refund.status != RefundStatus::Failed {
                let sum = charge.refunded.0 + refund.amount.0;
                if charge.status != AttemptStatus::Captured || sum > charge.amount.0 {
                    return RefundKept::TooMuch;
                }
                charge.refunded = Money(sum);
            }
            refunds.insert(refund.key.clone(), refund.clone());
            RefundKept::Kept(Kept::New(refund.clone()))
        });
        async move { kept }.boxed()
    }

    fn find_refund<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<RefundRecord>, MemoryError>> {
        let found = self.change(|(_, refunds)| refunds.get(key).cloned());
        async move { found }.boxed()
    }
}

/// Where a memory lives while nobody has it open.
enum Place {
    File(PathBuf),
    Store(StoreUrl),
}

/// A place, a clock, and the gateways of one process that has them open.
struct House {
    place: Place,
    clock: Arc<HandClock>,
    script: Option<Arc<Script>>,
    approval: Approval,
    store: Option<Store>,
    memory: Arc<dyn ProviderMemory>,
}

impl House {
    async fn open(place: Place) -> Self {
        let (memory, store) = open_memory(&place).await;
        let (clock, approval) = (HandClock::new(), Approval::Manual);
        Self { place, clock, script: None, approval, store, memory }
    }

    fn follow(&mut self, script: &str) {
        self.script = Some(Arc::new(Script::parse(script).expect("a script")));
    }

    /// As after kill -9: everything in memory is gone, and another process opens the place.
    async fn die_and_come_back(&mut self) {
        if let Some(store) = self.store.take() {
            store.close().await;
        }
        (self.memory, self.store) = open_memory(&self.place).await;
    }

    fn provider(&self) -> Provider {
        Provider { memory: Arc::clone(&self.memory), clock: self.clock.clone(), script: self.script.clone() }
    }

    fn card(&self) -> CardGateway {
        CardGateway::new(CardKeys::demo(), self.provider())
    }

    fn upi(&self) -> UpiGateway {
        UpiGateway::new(UpiSecret::demo(), self.approval, self.provider())
    }
}

async fn open_memory(place: &Place) -> (Arc<dyn ProviderMemory>, Option<Store>) {
    match place {
        Place::File(path) => (Arc::new(FileMemory { path: path.clone(), lock: Mutex::new(()) }), None),
        Place::Store(url) => {
            let store = Store::open(url, Options::default()).await.expect("a store");
            (Arc::new(StoredProviderMemory::new(store.clone(), "main")), Some(store))
        }
    }
}

/// Runs a scenario on each memory.
macro_rules! on_each_memory {
    ($scenario:expr) => {{
        let folder = tempfile::tempdir().expect("a folder");
        $scenario(House::open(Place::File(folder.path().join("book.json"))).await).await;
        $scenario(House::open(Place::Store(StoreUrl::Sqlite(folder.path().join("store.db")))).await).await;
        if let Some(database) = support::postgres::database() {
            $scenario(House::open(Place::Store(StoreUrl::Postgres(database.url().to_owned()))).await).await;
        }
    }};
}

fn charge(key: &str, amount: i64, instrument: Instrument) -> ChargeRequest {
    ChargeRequest {
        key: key.to_owned(),
        order_number: "ORD-20270115-001".to_owned(),
        amount: Money(amount),
        currency: Currency::EUR,
        instrument,
    }
}

fn card(number: &str) -> Instrument {
    let cvc = if number.len() == 15 { "1234" } else { "123" };
    Instrument::Card(CardDetails::parse(number, "12/40", cvc).expect("a card"))
}

fn refund(key: &str, charge_key: &str, amount: i64) -> RefundRequest {
    RefundRequest {
        key: key.to_owned(),
        charge_key: charge_key.to_owned(),
        amount: Money(amount),
        currency: Currency::EUR,
    }
}

fn captured(answer: ChargeAnswer) -> Capture {
    match answer {
        ChargeAnswer::Captured(capture) => capture,
        other => panic!("not captured: {other:?}"),
    }
}

fn captured_state(state: ChargeState) -> Capture {
    match state {
        ChargeState::Captured(capture) => capture,
        other => panic!("not captured: {other:?}"),
    }
}

#[tokio::test]
async fn the_number_decides_and_a_repeat_answers_the_same() {
    on_each_memory!(async |mut house: House| {
        for (number, outcome) in TEST_NUMBERS {
            let first = house.card().create(charge(number, 1250, card(number))).await.expect("an answer");
            match (outcome, &first) {
                (TestOutcome::Approved, ChargeAnswer::Captured(capture)) => {
                    assert_eq!((capture.amount, capture.currency), (Money(1250), Currency::EUR));
                    assert_eq!(capture.last_four.as_deref(), Some(&number[number.len() - 4..]));
                    assert!(capture.brand.is_some() && capture.gateway_payment_id.starts_with("pay_"));
                }
                (TestOutcome::Declined(code), ChargeAnswer::Declined(decline)) => assert_eq!(decline.code, *code),
                (TestOutcome::TimeoutThenCaptured | TestOutcome::Timeout, ChargeAnswer::NoAnswer) => {}
                (wanted, found) => panic!("{number}: {wanted:?} but {found:?}"),
            }
            house.die_and_come_back().await;
            let again = house.card().create(charge(number, 1250, card(number))).await.expect("an answer");
            assert_eq!(again, first, "{number}");
            let other = house.card().create(charge(number, 1251, card(number))).await;
            assert_eq!(other, Err(GatewayError::KeyReused));
        }
    });
}

#[tokio::test]
async fn a_card_that_is_no_test_card_is_never_taken() {
    on_each_memory!(async |house: House| {
        for (number, expiry, code) in
            [("4111111111111111", "12/40", "test_mode"), ("4242424242424242", "12/20", "expired_card")]
        {
            let details = CardDetails::parse(number, expiry, "123").expect("a card");
            let answer = house.card().create(charge(number, 100, Instrument::Card(details))).await.expect("an answer");
            assert!(matches!(&answer, ChargeAnswer::Declined(decline) if decline.code == code), "{answer:?}");
        }
        for wrong in [charge("none", 0, card("4242424242424242")), charge("upi", 5, Instrument::UpiIntent)] {
            let answer = house.card().create(wrong).await;
            assert!(matches!(answer, Err(GatewayError::Invalid(_))));
        }
        assert_eq!(house.card().query("none").await, Ok(ChargeState::NotFound));
    });
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_by_key_after_a_crash() {
    on_each_memory!(async |mut house: House| {
        let answer = house.card().create(charge("lost", 900, card(TIMEOUT_THEN_CAPTURED))).await;
        assert_eq!(answer, Ok(ChargeAnswer::NoAnswer));
        house.die_and_come_back().await;
        assert!(matches!(house.card().query("lost").await, Ok(ChargeState::Pending { .. })));
        house.clock.advance(CAPTURE_KNOWN_AFTER_SECONDS);
        let capture = captured_state(house.card().query("lost").await.expect("a state"));
        assert_eq!(capture.amount, Money(900));
        // The request itself, sent again, charges nothing more.
        let again = captured(house.card().create(charge("lost", 900, card(TIMEOUT_THEN_CAPTURED))).await.unwrap());
        assert_eq!(again, capture);

        let answer = house.card().create(charge("gone", 900, card(TIMEOUT))).await;
        assert_eq!(answer, Ok(ChargeAnswer::NoAnswer));
        house.die_and_come_back().await;
        house.clock.advance(100_000);
        assert!(matches!(house.card().query("gone").await, Ok(ChargeState::Pending { .. })));
        assert_eq!(house.card().void("gone").await, Ok(VoidAnswer::Voided));
        assert_eq!(house.card().void("gone").await, Ok(VoidAnswer::Voided));
        assert_eq!(house.card().query("gone").await, Ok(ChargeState::Voided));
    });
}

#[tokio::test]
async fn a_void_is_for_good_even_before_the_request_arrives() {
    on_each_memory!(async |mut house: House| {
        // The process that made the attempt hangs; the resolver of another gives up on it.
        assert_eq!(house.card().query("slow").await, Ok(ChargeState::NotFound));
        assert_eq!(house.card().void("slow").await, Ok(VoidAnswer::NotFound));
        house.die_and_come_back().await;
        // Then the first one wakes up and sends its request.
        let late = house.card().create(charge("slow", 700, card("4242424242424242"))).await.expect("an answer");
        assert!(matches!(&late, ChargeAnswer::Declined(decline) if decline.code == "voided"), "{late:?}");
        assert_eq!(house.card().query("slow").await, Ok(ChargeState::Voided));

        // What was taken cannot be voided, known or not; what was declined is told.
        let capture = captured(house.card().create(charge("taken", 5, card("4242424242424242"))).await.unwrap());
        assert_eq!(house.card().void("taken").await, Ok(VoidAnswer::AlreadyCaptured(capture)));
        house.card().create(charge("unheard", 5, card(TIMEOUT_THEN_CAPTURED))).await.unwrap();
        assert!(matches!(house.card().void("unheard").await, Ok(VoidAnswer::AlreadyCaptured(_))));
        house.card().create(charge("no", 5, card("4000000000000002"))).await.unwrap();
        assert!(matches!(house.card().void("no").await, Ok(VoidAnswer::Declined(_))));
    });
}

#[tokio::test]
async fn money_goes_back_once_and_never_more_than_was_taken() {
    on_each_memory!(async |mut house: House| {
        captured(house.card().create(charge("paid", 1000, card("4242424242424242"))).await.unwrap());
        let first = house.card().refund(refund("r1", "paid", 600)).await.expect("an answer");
        assert!(matches!(first, RefundAnswer::Settled { .. }));
        house.die_and_come_back().await;
        assert_eq!(house.card().refund(refund("r1", "paid", 600)).await, Ok(first));
        assert_eq!(house.card().refund(refund("r1", "paid", 601)).await, Err(GatewayError::KeyReused));
        let code = |answer| match answer {
            Ok(RefundAnswer::Failed { code, .. }) => code,
            other => panic!("not refused: {other:?}"),
        };
        assert_eq!(code(house.card().refund(refund("r2", "paid", 401)).await), "amount_too_large");
        assert!(matches!(house.card().refund(refund("r3", "paid", 400)).await, Ok(RefundAnswer::Settled { .. })));
        assert_eq!(code(house.card().refund(refund("r4", "paid", 1)).await), "amount_too_large");
        assert_eq!(code(house.card().refund(refund("r5", "nothing", 1)).await), "charge_not_found");
        house.card().create(charge("no", 5, card("4000000000000002"))).await.unwrap();
        assert_eq!(code(house.card().refund(refund("r6", "no", 1)).await), "charge_not_captured");
        let other = RefundRequest { currency: Currency::parse("USD").unwrap(), ..refund("r7", "paid", 1) };
        assert_eq!(code(house.card().refund(other).await), "currency_mismatch");
        let nothing = house.card().refund(refund("r8", "paid", 0)).await;
        assert!(matches!(nothing, Err(GatewayError::Invalid(_))));
    });
}

#[tokio::test]
async fn sixteen_callers_with_one_key_make_one_charge_and_one_refund() {
    on_each_memory!(async |house: House| {
        let gateway = house.card();
        let calls = (0..16).map(|_| gateway.create(charge("one", 300, card("4242424242424242"))));
        let answers = futures::future::join_all(calls).await;
        assert!(answers.iter().all(|answer| answer == &answers[0] && answer.is_ok()));
        let calls = (0..16).map(|_| gateway.refund(refund("back", "one", 300)));
        let answers = futures::future::join_all(calls).await;
        assert!(answers.iter().all(|answer| answer == &answers[0] && answer.is_ok()));
        let kept = house.memory.find_charge("one").await.unwrap().expect("the charge");
        assert_eq!((kept.refunded, kept.status), (Money(300), AttemptStatus::Captured));
    });
}

#[tokio::test]
async fn upi_shows_a_code_and_is_paid_when_the_customer_had_time() {
    on_each_memory!(async |mut house: House| {
        house.approval = Approval::AfterSeconds(4);
        let answer = house.upi().create(charge("qr", 1250, Instrument::UpiIntent)).await.expect("an answer");
        let ChargeAnswer::Pending { payload, .. } = &answer else { panic!("{answer:?}") };
        assert!(payload.starts_with("upi://pay?pa=") && payload.contains("am=12.50&cu=EUR"));
        assert!(servery::payment::qr::draw(payload).is_ok());
        house.die_and_come_back().await;
        assert_eq!(house.upi().create(charge("qr", 1250, Instrument::UpiIntent)).await, Ok(answer));
        house.clock.advance(3);
        assert!(matches!(house.upi().query("qr").await, Ok(ChargeState::Pending { .. })));
        house.clock.advance(1);
        let capture = captured_state(house.upi().query("qr").await.expect("a state"));
        assert!(house.upi().vouches_for(&capture));
        assert!(!house.upi().vouches_for(&Capture { amount: Money(1), ..capture.clone() }));
        assert_eq!(house.upi().query("qr").await, Ok(ChargeState::Captured(capture.clone())));
        assert_eq!(house.upi().void("qr").await, Ok(VoidAnswer::AlreadyCaptured(capture)));

        // Voided before the customer paid: never paid by time. Voided after: too late.
        house.upi().create(charge("left", 5, Instrument::UpiIntent)).await.unwrap();
        assert_eq!(house.upi().void("left").await, Ok(VoidAnswer::Voided));
        house.upi().create(charge("raced", 5, Instrument::UpiIntent)).await.unwrap();
        house.clock.advance(60);
        assert_eq!(house.upi().query("left").await, Ok(ChargeState::Voided));
        assert!(matches!(house.upi().void("raced").await, Ok(VoidAnswer::AlreadyCaptured(_))));
    });
}

#[tokio::test]
async fn simulated_messages_tell_what_the_simulated_customer_did() {
    on_each_memory!(async |house: House| {
        let upi = house.upi();
        let now = house.clock.now();
        let read = |signed: &servery::payment::webhook::SignedWebhook| {
            upi.secret().read(&signed.signature, signed.body.as_bytes(), now)
        };
        upi.create(charge("a", 1250, Instrument::UpiIntent)).await.unwrap();
        let forged = upi.simulate("a", SimulatedMessage::BadSignature).await.expect("a message");
        assert_eq!(read(&forged), Err(WebhookError::BadSignature));
        assert!(matches!(upi.query("a").await, Ok(ChargeState::Pending { .. })));

        let wrong = read(&upi.simulate("a", SimulatedMessage::WrongAmount).await.unwrap()).expect("a message");
        assert_eq!(wrong.amount, Money(1251));
        assert!(matches!(upi.query("a").await, Ok(ChargeState::Pending { .. })));
        // Money that no order took can be given back by its payment id, all of it.
        let back = upi.refund(refund("wrong back", &wrong.gateway_payment_id, 1251)).await;
        assert!(matches!(back, Ok(RefundAnswer::Settled { .. })));

        let valid = upi.simulate("a", SimulatedMessage::Valid).await.expect("a message");
        assert_eq!(upi.simulate("a", SimulatedMessage::Duplicate).await.expect("a message"), valid);
        let message = read(&valid).expect("a message");
        let capture = captured_state(upi.query("a").await.expect("a state"));
        assert_eq!(message.gateway_payment_id, capture.gateway_payment_id);
        assert_eq!((message.amount, &message.gateway_order_id), (capture.amount, &capture.gateway_order_id));

        upi.create(charge("b", 700, Instrument::UpiIntent)).await.unwrap();
        assert_eq!(upi.void("b").await, Ok(VoidAnswer::Voided));
        let late = read(&upi.simulate("b", SimulatedMessage::Late).await.unwrap()).expect("a message");
        assert_ne!(late.event_id, message.event_id);
        assert_eq!((late.amount, upi.query("b").await), (Money(700), Ok(ChargeState::Voided)));
        let back = upi.refund(refund("late back", &late.gateway_payment_id, 700)).await;
        assert!(matches!(back, Ok(RefundAnswer::Settled { .. })));
        // A valid message for a charge that has ended is a late one.
        let again = read(&upi.simulate("b", SimulatedMessage::Valid).await.unwrap()).expect("a message");
        assert_eq!(again.gateway_payment_id, late.gateway_payment_id);
        assert!(upi.simulate("nobody", SimulatedMessage::Valid).await.is_err());
    });
}

#[tokio::test]
async fn the_script_decides_before_number_and_time() {
    on_each_memory!(async |mut house: House| {
        house.follow("decline\ncard timeout-then-captured\nerror\nupi approve\nupi decline\nupi timeout\nrefund error\nrefund timeout-then-captured\nrefund decline");
        let good = || card("4242424242424242");
        let declined = house.card().create(charge("1", 5, good())).await.unwrap();
        assert!(matches!(&declined, ChargeAnswer::Declined(_)));
        // A repeat takes no step.
        assert_eq!(house.card().create(charge("1", 5, good())).await, Ok(declined));
        assert_eq!(house.card().create(charge("2", 5, good())).await, Ok(ChargeAnswer::NoAnswer));
        let error = house.card().create(charge("3", 5, good())).await.expect_err("unreachable");
        assert!(error.leaves_outcome_open());
        assert_eq!(house.card().query("3").await, Ok(ChargeState::NotFound));

        for (key, first_is_code, end) in [("4", true, "paid"), ("5", true, "refused"), ("6", false, "open")] {
            let answer = house.upi().create(charge(key, 5, Instrument::UpiIntent)).await.unwrap();
            assert_eq!(matches!(answer, ChargeAnswer::Pending { .. }), first_is_code, "{key}");
            let found = match house.upi().query(key).await.unwrap() {
                ChargeState::Captured(_) => "paid",
                ChargeState::Declined(_) => "refused",
                ChargeState::Pending { .. } => "open",
                other => panic!("{other:?}"),
            };
            assert_eq!(found, end, "{key}");
        }

        captured(house.card().create(charge("7", 50, good())).await.unwrap());
        assert!(house.card().refund(refund("r", "7", 20)).await.is_err());
        assert_eq!(house.card().refund(refund("r", "7", 20)).await, Ok(RefundAnswer::NoAnswer));
        assert!(matches!(house.card().refund(refund("r", "7", 20)).await, Ok(RefundAnswer::Settled { .. })));
        let failed = house.card().refund(refund("s", "7", 20)).await.unwrap();
        assert!(matches!(&failed, RefundAnswer::Failed { .. }));
        assert_eq!(house.card().refund(refund("s", "7", 20)).await, Ok(failed));
        let left = house.memory.find_charge("7").await.unwrap().expect("the charge");
        assert_eq!(left.refunded, Money(20));
    });
}

#[tokio::test(start_paused = true)]
async fn slow_is_slow() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut house = House::open(Place::File(folder.path().join("book.json"))).await;
    house.follow("slow 90s");
    let before = tokio::time::Instant::now();
    captured(house.card().create(charge("slow", 5, card("4242424242424242"))).await.unwrap());
    assert_eq!(before.elapsed().as_secs(), 90);
}

/// Nothing that is printed, serialised or kept has a card's number, code or expiry in it.
#[tokio::test]
async fn no_card_number_leaves_the_gateway() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    let mut house = House::open(Place::Store(StoreUrl::Sqlite(path.clone()))).await;
    let mut seen = String::new();
    for (number, _) in TEST_NUMBERS.iter().chain(&[("4111111111111111", TestOutcome::Approved)]) {
        let request = charge(number_key(number), 1250, card(number));
        seen.push_str(&format!("{request:?} {request:#?}"));
        let key = request.key.clone();
        let answer = house.card().create(request).await.expect("an answer");
        let state = house.card().query(&key).await.expect("a state");
        seen.push_str(&format!("{answer:?} {state:?} {:?} {:?}", house.card(), house.card().void(&key).await));
        seen.push_str(&serde_json::to_string(&(answer, state)).expect("json"));
    }
    house.die_and_come_back().await;
    house.store.take().expect("a store").close().await;
    for entry in std::fs::read_dir(folder.path()).expect("a folder") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
        seen.push_str(&String::from_utf8_lossy(&bytes));
    }
    assert!(seen.contains("5556") && seen.contains("visa"), "the scan saw nothing");
    for (number, _) in TEST_NUMBERS {
        for digits in [&number[..], &number[..8], &number[number.len() - 6..]] {
            // Round numbers have too many zeros to look for their parts.
            if digits.contains("000000") && digits.len() < 12 {
                continue;
            }
            assert!(!seen.contains(digits), "{digits} of {number} was seen");
        }
    }
    assert!(!seen.contains("12/40"));
}

/// A key that has nothing of the number in it but its place in the list.
fn number_key(number: &str) -> &'static str {
    const KEYS: [&str; 17] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q"];
    let place = TEST_NUMBERS.iter().position(|(known, _)| *known == number).unwrap_or(KEYS.len() - 1);
    KEYS[place]
}

#[tokio::test]
async fn there_is_one_gateway_for_each_method() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(Place::File(folder.path().join("book.json"))).await;
    let gateways = Gateways::none().with(Arc::new(house.card())).with(Arc::new(house.upi()));
    assert_eq!(gateways.require(Method::Card).expect("a gateway").name(), "stripe-dummy");
    assert_eq!(gateways.require(Method::Upi).expect("a gateway").name(), "upi");
    let refused: Refused = gateways.require(Method::Cash).map(|_| ()).expect_err("no gateway");
    assert_eq!(refused.details["method"], "cash");
    assert_eq!(gateways.iter().count(), 2);
    assert!(!format!("{gateways:?}").contains("sk_test"));
}

/// The relaxed connection does not loosen the one for the house's own records, nor the other way round.
#[tokio::test]
async fn only_the_providers_memory_is_relaxed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut house = House::open(Place::Store(StoreUrl::Sqlite(folder.path().join("store.db")))).await;
    captured(house.card().create(charge("a", 5, card("4242424242424242"))).await.unwrap());
    let store = house.store.take().expect("a store");
    for _ in 0..2 {
        assert_eq!(store.durability().await.expect("an answer"), ("2".to_owned(), "1".to_owned()));
    }
    if let Some(database) = support::postgres::database() {
        let mut house = House::open(Place::Store(StoreUrl::Postgres(database.url().to_owned()))).await;
        captured(house.card().create(charge("a", 5, card("4242424242424242"))).await.unwrap());
        let store = house.store.take().expect("a store");
        for _ in 0..8 {
            assert_eq!(store.durability().await.expect("an answer"), ("on".to_owned(), "off".to_owned()));
        }
    }
}
