//! Fault 7: clocks jump. The store's clock (the process's on SQLite, the server's on Postgres) is set
//! back a day and forward a day, goes through both daylight-saving days, midnight and the cut-off, which
//! itself falls into the hour that is skipped and the one that comes twice. The house works at each
//! instant: the business day is right, numbers are unique and dense, no age is negative, `doctor` is
//! clean, and nobody is locked out.
//!
//! `cargo test --test fire clocks`: the known days and 5 random jumps; with `SERVERY_TEST_LONG=1`: 400.

use crate::arena::{Arena, Kind, place};
use crate::house::{Dice, StoreClock, arena_of, rounds};
use crate::ledger::{Acknowledged, Books, adds_up, money_adds_up, providers, settle};
use crate::load::good_card;
use chrono::{DateTime, Days, NaiveTime, Utc};
use serde_json::Value;
use servery::domain::ids::{CartId, CustomerId};
use servery::domain::order::Status;
use servery::domain::payment::Method;
use servery::domain::time::{MICROS, Timestamp};
use servery::payment::Gateways;
use servery::service::cart::CartAdd;
use servery::service::kitchen::{ShowBoard, ShowKitchen};
use servery::service::orders::{AcceptOrder, Bump, ConfirmCash, HandOver};
use servery::service::payments::pay;
use servery::service::reports::{HoursReport, SpeedReport};
use servery::service::settings::SetSetting;
use servery::service::views::OrderView;
use servery::service::{Caller, Secrets, health, setup, staff};
use servery::worker::lease::LEASE_SECONDS;
use servery::worker::{Options, Worker};

/// Instants and the business day that they belong to, by hand; in Berlin, whose days begin at 04:00.
const FOUR: &[(&str, &str, &str)] = &[
    ("a usual evening", "2027-03-27T19:00:00Z", "2027-03-27"),
    ("the last second before midnight", "2027-03-27T22:59:59Z", "2027-03-27"),
    ("midnight", "2027-03-27T23:00:00Z", "2027-03-27"),
    ("the last second of winter time, 01:59:59", "2027-03-28T00:59:59Z", "2027-03-27"),
    ("the first second of summer time, 03:00:00", "2027-03-28T01:00:00Z", "2027-03-27"),
    ("the last second before the cut-off, 03:59:59", "2027-03-28T01:59:59Z", "2027-03-27"),
    ("the cut-off, 04:00:00", "2027-03-28T02:00:00Z", "2027-03-28"),
    ("noon of a day of 23 hours", "2027-03-28T10:00:00Z", "2027-03-28"),
    ("set back by a day", "2027-03-27T10:00:00Z", "2027-03-27"),
    ("and forward by two", "2027-03-29T10:00:00Z", "2027-03-29"),
    ("set back to the second before the cut-off", "2027-03-28T01:59:59Z", "2027-03-27"),
    ("summer time, 02:30 for the first time", "2027-10-31T00:30:00Z", "2027-10-30"),
    ("winter time, 02:30 once more", "2027-10-31T01:30:00Z", "2027-10-30"),
    ("back to 02:30 for the first time", "2027-10-31T00:30:00Z", "2027-10-30"),
    ("the last second before the cut-off in winter", "2027-10-31T02:59:59Z", "2027-10-30"),
    ("the cut-off in winter", "2027-10-31T03:00:00Z", "2027-10-31"),
    ("the last second of a day of 25 hours", "2027-11-01T02:59:59Z", "2027-10-31"),
    ("a year back", "2026-10-31T12:00:00Z", "2026-10-31"),
    ("the leap day that 2028 has", "2028-02-29T12:00:00Z", "2028-02-29"),
    ("its small hours", "2028-03-01T02:59:59Z", "2028-02-29"),
];

/// The same with days that begin at 02:30: skipped on one day of the year, and twice there on another.
const HALF_PAST_TWO: &[(&str, &str, &str)] = &[
    ("before the skipped cut-off, 01:59:59", "2028-03-26T00:59:59Z", "2028-03-25"),
    ("after the skipped cut-off, 03:00:00", "2028-03-26T01:00:00Z", "2028-03-26"),
    ("before the cut-off that comes twice, 02:29:59", "2028-10-29T00:29:59Z", "2028-10-28"),
    ("the cut-off for the first time", "2028-10-29T00:30:00Z", "2028-10-29"),
    ("the cut-off for the second time", "2028-10-29T01:30:00Z", "2028-10-29"),
    ("the end of that day", "2028-10-30T01:29:59Z", "2028-10-29"),
];

/// A house in Berlin whose clock is moved.
struct House {
    arena: Arena,
    clock: StoreClock,
    gateways: Gateways,
    dice: Dice,
    acknowledged: Vec<Acknowledged>,
    /// When a worker last took the lease.
    led_at: Option<Timestamp>,
    latest: Timestamp,
    scenes: usize,
    /// In a short run only one of so many scenes is played in full.
    whole_every: usize,
}

fn instant(text: &str) -> Timestamp {
    Timestamp::from(DateTime::parse_from_rfc3339(text).expect("an instant").with_timezone(&Utc))
}

/// Where a number that is an age or a duration is negative.
fn negative(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                negative(value, &format!("{path}.{name}"), found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| negative(value, path, found)),
        Value::Number(number) if number.as_f64().is_some_and(|number| number < 0.0) => {
            found.push(format!("{path} = {number}"));
        }
        _ => {}
    }
}

impl House {
    fn order(&mut self, method: Method, pay_now: bool) -> OrderView {
        let caller = Caller::Guest { customer: CustomerId(self.arena.door.new_id()), terminal: None };
        let cart = CartId(self.arena.door.new_id());
        let item = self.arena.dish.id;
        self.arena.run(&caller, CartAdd { cart, item, options: vec![], quantity: 1, note: String::new() });
        let placed = self.arena.run(&caller, place(cart, method, pay_now));
        let order = placed.order.id;
        self.acknowledged.push(Acknowledged::Placed { order, total: placed.order.total.0, lines: 1 });
        let Some(attempt) = placed.attempt.filter(|_| method == Method::Card) else { return placed.order };
        let paid = pay(&self.arena.door, &self.gateways, &placed.order, &attempt, good_card());
        let paid = self.arena.wait(paid).expect("paid").outcome.order;
        self.acknowledged.push(Acknowledged::Paid { order, attempt: Some(attempt.id), amount: attempt.amount.0 });
        paid
    }

    /// Every ticket moves by a step; the house's own clock may have moved since the last.
    fn cook(&mut self) {
        let cook = Caller::Terminal(self.arena.kitchen);
        // Whatever the clock says, who knows the password comes in.
        let secrets =
            Secrets::with_pepper(crate::arena::PEPPER, std::array::from_fn(|_| self.dice.number().to_le_bytes()[0]));
        let admin = &staff::DEMO_ACCOUNTS[0];
        let signed = staff::login(&self.arena.door, &secrets, None, admin.username, admin.password);
        let token = self.arena.wait(signed).expect("signed in").token;
        let manager = Caller::Session { token, terminal: Some(self.arena.kitchen), override_by: None };
        let view = self.arena.wait(self.arena.door.ask(&cook, ShowKitchen)).expect("the board");
        for ticket in view.tickets {
            assert!(view.now.seconds_since(ticket.shown_at) >= 0);
            let order = ticket.order;
            let view = match ticket.status {
                Status::Received => self.arena.run(&cook, AcceptOrder { order, eta_minutes: None }),
                Status::Ready if ticket.paid => self.arena.run(&cook, HandOver { order }),
                Status::Ready => self.arena.run(&manager, ConfirmCash { order, tendered: ticket.due }),
                _ => self.arena.run(&cook, Bump { order, station: None, seen_version: ticket.version }).order,
            };
            self.acknowledged.push(Acknowledged::Moved { order, version: view.version, status: view.status });
        }
    }

    /// A worker goes round once. The one before was killed and left its lease behind, which counts only
    /// as long as it can be right: neither from the past nor from the future does it lock the house.
    fn work(&mut self, when: &str) {
        let worker = Worker::new(self.arena.door.clone(), self.gateways.clone(), Options::default());
        let report = self.arena.wait(worker.run_once()).expect("a round");
        let now = self.arena.door.clock().now();
        let jumped = self.led_at.map_or(i64::MAX, |at| now.0.abs_diff(at.0).try_into().expect("some years"));
        assert!(report.led || jumped <= LEASE_SECONDS * MICROS, "{when}: nobody leads");
        assert_eq!((report.poisoned, report.failed), (0, 0), "{when}: {report:?}");
        if report.led {
            self.led_at = Some(now);
        }
    }

    /// What is shown and counted at this instant: nothing of it is negative.
    fn look(&self, when: &str) {
        let mut found = Vec::new();
        let day = self.arena.door.clock().now().to_utc().date_naive();
        let (from, to) = (day - Days::new(2), day + Days::new(2));
        self.arena.wait(async {
            let door = &self.arena.door;
            let health = health::look(door, &Caller::System, None).await.expect("health");
            negative(&serde_json::to_value(health).expect("JSON"), "health", &mut found);
            let speed = door.ask(&Caller::System, SpeedReport { from, to }).await.expect("a report");
            negative(&serde_json::to_value(speed).expect("JSON"), "speed", &mut found);
            let hours = door.ask(&Caller::System, HoursReport { from, to }).await.expect("a report");
            negative(&serde_json::to_value(hours).expect("JSON"), "hours", &mut found);
            let board = door.ask(&Caller::System, ShowBoard).await.expect("the board");
            negative(&serde_json::to_value(board).expect("JSON"), "board", &mut found);
        });
        assert!(found.is_empty(), "{when}: {found:?}");
    }

    /// The real program, whose own clock is the machine's, tells no negative number either.
    fn look_from_outside(&self, when: &str) {
        let page = self.arena.program().run(&["metrics"]);
        assert!(page.status.success(), "{when}: {page:?}");
        let negative: Vec<&str> =
            page.stdout.lines().filter(|line| !line.starts_with('#') && line.contains(" -")).collect();
        assert!(negative.is_empty(), "{when}: {negative:?}");
    }

    /// A little of everything at an instant; the business day that its orders got.
    fn live(&mut self, at: Timestamp, when: &str) -> String {
        self.arena.wait(self.clock.stand_at(at));
        let first = self.order(Method::Card, true);
        self.scenes += 1;
        if self.scenes.is_multiple_of(self.whole_every) {
            self.order(Method::Cash, false);
            // These two are left to the timers.
            self.order(Method::Card, false);
            self.order(Method::Upi, true);
            self.cook();
            self.look(when);
            self.arena.wait(adds_up(&self.arena.door, when));
        }
        self.work(when);
        self.latest = self.latest.max(at);
        assert_eq!(first.created_at, at, "{when}: it is this clock that counts");
        first.business_date
    }
}

fn clocks(kind: Kind) {
    let dice = Dice::of_test(&format!("clocks, {kind:?}"));
    let berlin = setup::InitSite { time_zone: "Europe/Berlin".to_owned(), ..setup::InitSite::demo("main") };
    let Some((arena, clock)) = arena_of(kind, dice.seed, &berlin) else { return };
    let (gateways, _) = providers(&arena.door);
    let jumps = rounds(5, 400);
    let (led_at, latest, scenes, whole_every) = (None, Timestamp(0), 0, if jumps < 100 { 4 } else { 1 });
    let acknowledged = Vec::new();
    let mut house = House { arena, clock, gateways, dice, acknowledged, led_at, latest, scenes, whole_every };
    for (days, cutoff) in [(FOUR, "04:00"), (HALF_PAST_TWO, "02:30")] {
        let set = SetSetting { key: "business_day_cutoff".to_owned(), value: cutoff.into(), seen: None, reason: None };
        house.arena.run(&Caller::System, set);
        for (what, at, day) in days {
            let when = format!("{what} ({at}, days from {cutoff})");
            assert_eq!(house.live(instant(at), &when), *day, "{when}");
        }
        house.look_from_outside("after the known days");
    }
    // Anywhere within some days, by jumps large and small.
    let cutoff = NaiveTime::from_hms_opt(2, 30, 0).expect("a time");
    let mut at = instant("2028-10-28T12:00:00Z");
    for jump in 0..jumps {
        let far = [1, 60, 3_600, 86_400][house.dice.index(4)] * MICROS;
        let by = i64::try_from(house.dice.pick(0..3)).expect("few") - 1;
        let odd = i64::try_from(house.dice.pick(0..1_000_000)).expect("below a second");
        at = Timestamp(at.0 + far * by + odd);
        let when = format!("jump {jump} to {at}");
        let day = at.business_date(chrono_tz::Europe::Berlin, cutoff).to_string();
        assert_eq!(house.live(at, &when), day, "{when}");
    }
    let House { arena, clock, acknowledged, latest, .. } = house;
    arena.wait(async {
        // What was begun on the latest day is settled when that has come again.
        clock.stand_at(latest).await;
        settle(&arena.ground.url, &clock, "at the end").await;
        money_adds_up(&arena.door, "at the end").await;
        adds_up(&arena.door, "at the end").await;
        let mut books = Books::open(&arena.ground.url).await;
        books.has(&acknowledged, "at the end").await;
        books.close().await;
    });
    let known = FOUR.len() + HALF_PAST_TWO.len();
    println!(
        "{kind:?}: {known} known instants and {jumps} jumps, {} acknowledgements, no violation",
        acknowledged.len()
    );
}

#[test]
fn clocks_that_jump_break_nothing_on_sqlite() {
    clocks(Kind::Sqlite);
}

#[test]
fn clocks_that_jump_break_nothing_on_postgres() {
    clocks(Kind::Postgres);
}
