//! Fault 8: a gateway that stutters. The answer to a charge is lost although the money was taken; then
//! come, in every order, the house's own question, the message that it was paid, the same once more, a
//! late one, one of a wrong amount and a forged one. Time passes between them (the hold ends, the
//! attempt is given up), and the process that takes a step is killed before, within or after it; what it
//! did not answer is sent again, as a provider does. Nobody is charged twice, and no charge is left
//! without an order or a refund. On both databases.
//!
//! `cargo test --test fire stuttering`: 4 of the 720 orders of steps, on each database; with
//! `SERVERY_TEST_LONG=1`: all of them.

use crate::arena::{Arena, Kind, place};
use crate::child::{self, Child};
use crate::command::open_door_by;
use crate::house::{Dice, HandClock, StoreClock, arena, rounds};
use crate::ledger::{Books, adds_up, money_adds_up, scripted_providers, settle};
use serde::{Deserialize, Serialize};
use servery::domain::error::ErrorCode;
use servery::domain::ids::{CartId, CustomerId, OrderId};
use servery::domain::payment::{AttemptMethod, Method};
use servery::payment::CardDetails;
use servery::payment::Instrument;
use servery::payment::card::TIMEOUT_THEN_CAPTURED;
use servery::payment::upi::SimulatedMessage;
use servery::service::cart::CartAdd;
use servery::service::order_queries::{OrderName, ShowOrder};
use servery::service::payments::pay;
use servery::service::views::{AttemptView, OrderView};
use servery::service::webhooks::take_webhook;
use servery::service::{Caller, Door};
use servery::worker::{Options, Worker};
use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::time::{Duration, Instant};

/// After so many orders of steps the whole store is looked through.
const LOOK_EVERY: usize = 24;

/// One thing that happens to a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Step {
    /// The charge is asked for; its answer is lost, the money is taken.
    Charge,
    /// A worker goes round: it asks what became of open attempts, runs the timers, pays back.
    Ask,
    /// A message of the provider arrives.
    Message(#[serde(with = "message")] SimulatedMessage),
}

/// What happens after the charge, in every order.
const STEPS: [Step; 6] = [
    Step::Ask,
    Step::Message(SimulatedMessage::Valid),
    Step::Message(SimulatedMessage::Duplicate),
    Step::Message(SimulatedMessage::Late),
    Step::Message(SimulatedMessage::WrongAmount),
    Step::Message(SimulatedMessage::BadSignature),
];

/// A kind of message as it travels to the process.
mod message {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
    use servery::payment::upi::SimulatedMessage;

    pub fn serialize<S: Serializer>(message: &SimulatedMessage, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(message.as_str())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SimulatedMessage, D::Error> {
        let word = String::deserialize(deserializer)?;
        SimulatedMessage::parse(&word).ok_or_else(|| D::Error::custom(word))
    }
}

/// A step for a process.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Task {
    store: String,
    ahead: i64,
    order: OrderId,
    step: Step,
}

/// What a process says: a code, where the house refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Told {
    Ready,
    Done(Option<String>),
}

/// A process of the house, ready for a step.
struct Process(Child<Told>);

impl Process {
    fn start(store: &str) -> Self {
        let mut child = Child::start("step_process", &BTreeMap::new());
        child.tell(&store);
        Self(child)
    }

    fn ready(&self) {
        assert_eq!(self.0.hear(), Some(Told::Ready));
    }

    /// The answer to a step, unless the process died before.
    fn told(&self) -> Option<Option<String>> {
        self.0.hear().map(|told| match told {
            Told::Done(code) => code,
            Told::Ready => panic!("it was ready before"),
        })
    }
}

/// What a step process does until its input ends. Without any (started by hand) it does nothing.
pub fn serve() {
    let mut lines = std::io::stdin().lock().lines().map_while(Result::ok);
    let Some(store) = lines.next() else { return };
    let store: String = serde_json::from_str(&store).expect("the store");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let warm = runtime.block_on(open_door_by(&store, HandClock::ahead(0)));
    runtime.block_on(crate::command::warm(&warm));
    child::say(&Told::Ready);
    for line in lines {
        let task: Task = serde_json::from_str(&line).expect("a task");
        let code = runtime.block_on(async {
            let door = Door::new(
                warm.store().clone(),
                "main",
                HandClock::ahead(task.ahead),
                std::sync::Arc::new(servery::service::TimeOrderedIds::from_machine()),
            );
            take(&door, &task).await
        });
        child::say(&Told::Done(code));
    }
}

/// Takes a step; the code of the refusal, if there was one.
async fn take(door: &Door, task: &Task) -> Option<String> {
    let (gateways, upi) = scripted_providers(door, Some("upi timeout-then-captured"));
    let show = ShowOrder { order: OrderName::Id(task.order) };
    let refused = match task.step {
        Step::Charge => {
            let order = door.ask(&Caller::System, show).await.expect("the order");
            let attempt = the_attempt(&order);
            pay(door, &gateways, &order, attempt, instrument(order.method)).await.err()
        }
        Step::Ask => {
            let worker = Worker::new(door.clone(), gateways, Options::default());
            worker.run_once().await.err()
        }
        Step::Message(message) => {
            let order = door.ask(&Caller::System, show).await.expect("the order");
            match upi.simulate(&the_attempt(&order).key, message).await {
                Ok(sent) => take_webhook(door, upi.secret(), &sent.signature, sent.body.as_bytes()).await.err(),
                // The charge never reached the provider: there is nothing to tell about.
                Err(refused) if refused.code == ErrorCode::NotFound => None,
                Err(refused) => Some(refused),
            }
        }
    };
    refused.map(|refused| refused.code.as_str().to_owned())
}

/// The attempt that was made with the order.
fn the_attempt(order: &OrderView) -> &AttemptView {
    let ours = |attempt: &&AttemptView| !attempt.stray && attempt.method != AttemptMethod::Cash;
    order.attempts.iter().find(ours).expect("an order that is paid for at once")
}

fn instrument(method: Method) -> Instrument {
    match method {
        Method::Upi => Instrument::UpiIntent,
        _ => Instrument::Card(CardDetails::parse(TIMEOUT_THEN_CAPTURED, "12/40", "123").expect("a card")),
    }
}

/// Every order of the steps.
fn permutations(steps: &[Step]) -> Vec<Vec<Step>> {
    if steps.len() <= 1 {
        return vec![steps.to_vec()];
    }
    let mut all = Vec::new();
    for (place, first) in steps.iter().enumerate() {
        let rest: Vec<Step> =
            steps.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, step)| *step).collect();
        for mut order in permutations(&rest) {
            order.insert(0, *first);
            all.push(order);
        }
    }
    all
}

/// How the processes ended.
#[derive(Debug, Default)]
struct Deaths {
    /// Before the step's answer came.
    within: usize,
    /// With the answer given.
    after: usize,
}

/// A house whose processes die.
struct House {
    arena: Arena,
    clock: StoreClock,
    dice: Dice,
    now: Process,
    /// Started ahead, so that nobody waits.
    next: Process,
    deaths: Deaths,
    /// How long a step takes here, about.
    usual: Duration,
    /// Messages about charges that the house did not know yet: the provider sends them again.
    undelivered: Vec<(OrderId, Step)>,
}

impl House {
    /// An order that is paid for at once by this method; only the attempt is written.
    fn order(&mut self, method: Method) -> OrderView {
        let caller = Caller::Guest { customer: CustomerId(self.arena.door.new_id()), terminal: None };
        let cart = CartId(self.arena.door.new_id());
        let item = self.arena.dish.id;
        self.arena.run(&caller, CartAdd { cart, item, options: vec![], quantity: 1, note: String::new() });
        self.arena.run(&caller, place(cart, method, true)).order
    }

    fn replace(&mut self) {
        let fresh = Process::start(&self.arena.ground.url);
        self.now = std::mem::replace(&mut self.next, fresh);
        self.now.ready();
    }

    /// Takes a step to its end; the process may die of it, and another takes it again.
    fn step(&mut self, order: OrderId, step: Step) -> Option<String> {
        let ahead = self.clock.ahead();
        let task = Task { store: self.arena.ground.url.clone(), ahead, order, step };
        if self.dice.percent(50) {
            let usual = u64::try_from(self.usual.as_micros()).expect("short");
            let moment = Instant::now() + Duration::from_micros(self.dice.pick(0..usual * 5 / 4));
            self.now.0.tell(&task);
            while let Some(left) = moment.checked_duration_since(Instant::now()) {
                std::thread::park_timeout(left);
            }
            self.now.0.kill();
            let answered = self.now.told().is_some();
            self.replace();
            if answered {
                self.deaths.after += 1;
            } else {
                self.deaths.within += 1;
            }
        }
        // Sent again, or for the first time; a repetition changes nothing.
        let began = Instant::now();
        self.now.0.tell(&task);
        let code = self.now.told().expect("nobody killed it");
        self.usual = (self.usual * 7 + began.elapsed()) / 8;
        if self.dice.percent(25) {
            self.now.0.kill();
            self.replace();
            self.deaths.after += 1;
        }
        code
    }

    /// One payment by UPI through these steps, and one by card beside it.
    fn suffer(&mut self, steps: &[Step]) {
        let upi = self.order(Method::Upi);
        let card = self.order(Method::Card);
        self.step(upi.id, Step::Charge);
        self.step(card.id, Step::Charge);
        for step in steps {
            // The answer may be there, the hold over, the attempt given up, or all of it.
            let seconds = [0, 0, 6, 320, 920][self.dice.index(5)];
            if seconds > 0 {
                self.arena.wait(self.clock.pass(seconds));
            }
            let code = self.step(upi.id, *step);
            let forged = *step == Step::Message(SimulatedMessage::BadSignature);
            let forged = if forged { Some(ErrorCode::InvalidToken.as_str()) } else { None };
            if code.as_deref() == Some(ErrorCode::NotFound.as_str()) {
                self.undelivered.push((upi.id, *step));
            } else {
                assert_eq!(code.as_deref(), forged, "{step:?}");
            }
        }
        if self.dice.percent(30) {
            // The kiosk that asked for the card's charge has come back and asks again.
            self.step(card.id, Step::Charge);
        }
    }

    /// Everything is settled, and nobody has paid twice or for nothing.
    fn judge(&mut self, when: &str) {
        self.arena.wait(settle(&self.arena.ground.url, &self.clock, when));
        // By now the house has asked about every charge: what comes again is understood.
        for (order, step) in std::mem::take(&mut self.undelivered) {
            assert_eq!(self.step(order, step), None, "{when}: {step:?} comes again");
        }
        self.arena.wait(async {
            settle(&self.arena.ground.url, &self.clock, when).await;
            money_adds_up(&self.arena.door, when).await;
            adds_up(&self.arena.door, when).await;
        });
    }
}

fn stuttering(kind: Kind) {
    let mut dice = Dice::of_test(&format!("gateways, {kind:?}"));
    let Some((arena, clock)) = arena(kind, dice.seed) else { return };
    let mut all = permutations(&STEPS);
    assert_eq!(all.len(), 720);
    dice.shuffle(&mut all);
    let count = rounds(4, all.len());
    let (now, next) = (Process::start(&arena.ground.url), Process::start(&arena.ground.url));
    now.ready();
    let (deaths, usual) = (Deaths::default(), Duration::from_millis(20));
    let undelivered = Vec::new();
    let mut house = House { arena, clock, dice, now, next, deaths, usual, undelivered };
    for (place, steps) in all.iter().cycle().take(count).enumerate() {
        house.suffer(steps);
        if (place + 1) % LOOK_EVERY == 0 || place + 1 == count {
            house.judge(&format!("after {} orders of steps, the last {steps:?}", place + 1));
        }
    }
    let ends = house.arena.wait(async {
        let mut books = Books::open(&house.arena.ground.url).await;
        let mut ends = BTreeMap::new();
        for (what, sql) in [
            (
                "orders paid",
                "SELECT COUNT(*) FROM orders WHERE paid AND status NOT IN ('cancelled', 'expired', 'rejected')",
            ),
            (
                "orders that ended unpaid or refunded",
                "SELECT COUNT(*) FROM orders WHERE status IN ('cancelled', 'expired', 'rejected')",
            ),
            ("captures", "SELECT COUNT(*) FROM simulated_charges WHERE status = 'captured'"),
            ("refunds in full", "SELECT COUNT(*) FROM simulated_charges WHERE refunded = amount AND amount > 0"),
        ] {
            ends.insert(what, books.number(sql).await);
        }
        books.close().await;
        ends
    });
    println!("{kind:?}: {count} orders of steps, {:?}, {ends:?}: no double charge, none for nothing", house.deaths);
    assert!(house.deaths.within > 0 && house.deaths.after > 0, "{:?}", house.deaths);
}

#[test]
fn a_stuttering_gateway_charges_nobody_twice_or_for_nothing_on_sqlite() {
    stuttering(Kind::Sqlite);
}

#[test]
fn a_stuttering_gateway_charges_nobody_twice_or_for_nothing_on_postgres() {
    stuttering(Kind::Postgres);
}
