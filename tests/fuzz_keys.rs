//! Random keys at every screen, with the real store behind it: nothing panics, no text is missing, nobody does what the
//! person before the screen may not do, and doctor finds the house in order afterwards.
//!
//! Each role gets its share of keys in a usual run and a hundred thousand with `SERVERY_TEST_LONG=1`. The seed is
//! printed; `SERVERY_SEED=N` plays the same keys again.

#![expect(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test says where it stopped")]

#[expect(dead_code, reason = "shared with the tests of the console")]
#[path = "screens_console/house.rs"]
mod house;

use std::collections::BTreeMap;

use house::House;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use servery::cli::roles::console::Runner;
use servery::cli::roles::{kiosk, kitchen, launcher};
use servery::domain::access::Role;
use servery::domain::error::ErrorCode;
use servery::domain::payment::Method;

use servery::service::audit::{AuditEntry, AuditList};
use servery::service::kitchen::ShowBoard;
use servery::service::orders::{AcceptOrder, AssignCourier, MarkReady, StartOrder};
use servery::service::staff::{ListStaff, SetStaffActive, SetStaffRole, StaffView};
use servery::service::{Caller, doctor};
use servery::tui::app::{App, Input};
use servery::tui::key::{Key, KeyPress};
use servery::tui::screens::board::{self, Board};
use servery::tui::screens::console::{Console, Msg, Options};
use servery::tui::screens::kiosk::{KioskApp, KioskSettings};
use servery::tui::screens::kitchen::{self as kitchen_screen, Kitchen};
use servery::tui::screens::launcher::{Effect as LauncherEffect, Launcher, Msg as LauncherMsg};
use servery::tui::testing::Harness;

/// Who may give which command, as `tests/permissions.rs` proves it.
const PERMISSIONS: &str = include_str!("fixtures/permissions.tsv");
/// What everybody may: prove who they are, and go.
const SIGNING: [&str; 3] = ["sign_in", "sign_out", "sign_in_failed"];
/// Keys of a long run, for each role.
const LONG: usize = 100_000;
/// So many keys apart, the picture is looked at: drawing takes longer than the keys.
const LOOK_EVERY: usize = 16;
const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (60, 20), (30, 8)];
/// Words that lead somewhere: a card, an expiry, an amount, the name of a manager, and nonsense that is hostile.
const WORDS: [&str; 8] = ["4242424242424242", "1249", "123", "10.00", "asha", "271828", "samosa", "\u{1b}[2J\u{202e}x"];

fn keys(usual: usize) -> usize {
    if std::env::var_os("SERVERY_TEST_LONG").is_some_and(|value| value == "1") { LONG } else { usual }
}

fn random(role: &str) -> ChaCha8Rng {
    let seed = std::env::var("SERVERY_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_121);
    println!("{role}: SERVERY_SEED={seed}");
    ChaCha8Rng::seed_from_u64(seed)
}

/// A key of any kind; those that lead on are more frequent.
fn key(random: &mut ChaCha8Rng) -> KeyPress {
    const NAMED: [Key; 16] = [
        Key::Enter,
        Key::Enter,
        Key::Enter,
        Key::Down,
        Key::Down,
        Key::Up,
        Key::Left,
        Key::Right,
        Key::Esc,
        Key::Tab,
        Key::BackTab,
        Key::PageDown,
        Key::PageUp,
        Key::Home,
        Key::End,
        Key::Backspace,
    ];
    match random.random_range(0..100) {
        0..45 => KeyPress::plain(NAMED[random.random_range(0..NAMED.len())]),
        45..97 => KeyPress::plain(Key::Char(char::from(random.random_range(b' '..=b'~')))),
        97 => KeyPress::plain(Key::F(random.random_range(1..=12))),
        _ => KeyPress {
            key: Key::Char(char::from(random.random_range(b'a'..=b'z'))),
            ctrl: random.random_range(0..4) > 0,
            alt: random.random_range(0..4) == 0,
        },
    }
}

/// A screen with the real answers behind it.
struct Seat<'a, A: App> {
    house: &'a House,
    harness: Harness<A>,
    carry_out: Box<dyn FnMut(A::Effect) -> A::Msg + 'a>,
}

impl<'a, A: App> Seat<'a, A> {
    fn new(house: &'a House, app: A, carry_out: impl FnMut(A::Effect) -> A::Msg + 'a) -> Self {
        let harness = Harness::new(app, 80, 24, house.now());
        let mut seat = Self { house, harness, carry_out: Box::new(carry_out) };
        seat.input(Input::StoreChanged);
        seat
    }

    fn input(&mut self, input: Input<A::Msg>) {
        self.harness.set_now(self.house.now());
        self.harness.input(input);
        while let Some(effect) = self.harness.take_effect() {
            let answer = (self.carry_out)(effect);
            self.harness.message(answer);
        }
    }

    fn type_text(&mut self, text: &str) {
        for character in text.chars() {
            self.input(Input::Key(KeyPress::plain(Key::Char(character))));
        }
    }

    fn enter(&mut self) {
        self.input(Input::Key(KeyPress::plain(Key::Enter)));
    }

    /// Something that happens at a screen: mostly a key.
    fn disturb(&mut self, random: &mut ChaCha8Rng) {
        match random.random_range(0..300) {
            0 => self.input(Input::StoreChanged),
            1 => {
                self.house.wait(random.random_range(1..40));
                self.input(Input::Tick);
            }
            2 => {
                let (width, height) = SIZES[random.random_range(0..SIZES.len())];
                self.harness.resize(width, height);
            }
            3 => {
                self.input(Input::StoreAway(true));
                self.input(Input::StoreAway(false));
            }
            4 => self.input(Input::Paste(WORDS[random.random_range(0..WORDS.len())].to_owned())),
            5 => {
                let (column, row) = (random.random_range(0..120), random.random_range(0..40));
                self.input(Input::Scroll { column, row, down: random.random_range(0..2) == 0 });
            }
            6..12 => self.type_text(WORDS[random.random_range(0..WORDS.len())]),
            _ => self.input(Input::Key(key(random))),
        }
    }

    /// Looks at the picture: no text of the catalogue is missing, nothing hostile stands in it.
    fn look(&self) -> String {
        let screen = self.harness.screen();
        assert!(!screen.contains('⟦'), "a text is missing:\n{screen}");
        let hostile = |character: char| character != '\n' && servery::tui::text::is_hostile(character);
        assert!(!screen.chars().any(hostile), "{screen}");
        screen
    }
}

/// Keys at a screen that `sit` opens, and opens again whenever it has ended; `settled` says whether the person still
/// sits there. How often it was opened.
fn play<'a, A: App>(
    count: usize,
    random: &mut ChaCha8Rng,
    mut sit: impl FnMut() -> Seat<'a, A>,
    settled: impl Fn(&A) -> bool,
) -> usize {
    let mut seat = sit();
    let mut sittings = 1;
    for at in 0..count {
        seat.disturb(random);
        if seat.harness.quit().is_some() || !settled(&seat.harness.app) {
            seat = sit();
            sittings += 1;
        }
        if at % LOOK_EVERY == 0 {
            seat.look();
        }
    }
    sittings
}

/// Every row of the audit log, the newest first.
fn audit(house: &House) -> Vec<AuditEntry> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let list = AuditList { after, limit: 500, ..AuditList::default() };
        let page = house.run(house.opened().door.ask(&Caller::System, list)).expect("the audit log");
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

/// Nobody did what they may not do, and the house is in order. `before` rows of the audit log are of the set-up.
fn check(house: &House, before: usize) -> BTreeMap<String, usize> {
    let permitted: BTreeMap<&str, Vec<&str>> = PERMISSIONS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut columns = line.split('\t');
            Some((columns.next()?, columns.next()?.split('|').collect()))
        })
        .collect();
    let rows = audit(house);
    let mut done = BTreeMap::new();
    for row in rows.iter().take(rows.len() - before) {
        let who = if row.role == "customer" { "guest" } else { row.role.as_str() };
        let with_pin = format!("{who}_pin");
        // Whoever shows a password or a PIN signs in by himself.
        let may = SIGNING.contains(&row.use_case.as_str())
            || permitted.get(row.use_case.as_str()).is_some_and(|people| {
                people.contains(&who)
                    || (who == "kitchen" && row.actor.is_none() && people.contains(&"screen"))
                    || (row.override_by.is_some() && people.contains(&with_pin.as_str()))
            });
        assert!(may, "done by {who}: {row:#?}");
        *done.entry(format!("{who} {}", row.use_case)).or_default() += 1;
    }
    let report = house.run(doctor::examine(&house.opened().door, &Caller::System)).expect("doctor");
    let violations: Vec<_> = report.violations().collect();
    assert!(violations.is_empty(), "{violations:#?}");
    done
}

/// A house with something to do: orders in several states, and deliveries that a courier has.
fn busy_house() -> House {
    let house = House::demo();
    house.orders();
    for number in 10..22 {
        let method = if number % 3 == 0 { Method::Cash } else { Method::Card };
        house.order(number, "cola", 1 + (number % 3) as i32, method, "Mira");
    }
    let (door, asha) = (&house.opened().door, house.person("asha"));
    let noor = somebody(&house, "noor").id;
    for number in 30..42 {
        let method = if number % 3 == 0 { Method::Cash } else { Method::Card };
        let order = house.order_all(number, &[("samosa", 1), ("cola", 2)], method, ("Ada", Some("12 Mill Lane")));
        house.run(async {
            if method == Method::Cash {
                let accept = AcceptOrder { order: order.id, eta_minutes: None };
                door.execute(&asha, None, accept).await.expect("accepted");
            }
            if number % 4 > 0 {
                door.execute(&asha, None, AssignCourier { order: order.id, staff: noor }).await.expect("named");
            }
            if number % 2 > 0 {
                door.execute(&asha, None, StartOrder { order: order.id }).await.expect("cooking");
                let forced = Some("a set-up".to_owned());
                door.execute(&asha, None, MarkReady { order: order.id, forced }).await.expect("ready");
            }
        });
    }
    house
}

fn somebody(house: &House, username: &str) -> StaffView {
    let list = ListStaff { limit: 200, ..ListStaff::default() };
    let staff = house.run(house.opened().door.ask(&Caller::System, list)).expect("the staff");
    staff.items.into_iter().find(|person| person.username == username).expect("somebody")
}

/// Somebody who was let go, or was given another role, is back in this one.
fn reinstate(house: &House, username: &str, role: Role) {
    let door = &house.opened().door;
    let person = somebody(house, username);
    let (staff, reason) = (person.id, "back at work".to_owned());
    if !person.active {
        let change = SetStaffActive { staff, active: true, reason: reason.clone() };
        house.run(door.execute(&Caller::System, None, change)).expect("let in again");
    }
    if person.role != role {
        let change = SetStaffRole { staff, role, reason };
        house.run(door.execute(&Caller::System, None, change)).expect("the role is given back");
    }
}

/// The console as somebody of the demo's staff, and what was refused because of their role while they had it. Who gave
/// another one to himself has his own again when he next sits down.
fn console_as(username: &str, role: Role, usual: usize) -> Vec<String> {
    let house = busy_house();
    let before = audit(&house).len();
    let runner = house.run(Runner::new(house.opened())).expect("a registered terminal");
    let mut random = random(&format!("console as {username}"));
    let refused = std::cell::RefCell::new(Vec::new());
    let mut number = 0;
    let sit = || {
        reinstate(&house, username, role);
        for _ in 0..20 {
            number += 1;
            let options = Options { key_prefix: format!("fuzz-{number}"), demo_accounts: Vec::new() };
            let (house, runner, refused) = (&house, &runner, &refused);
            let mut seat = Seat::new(house, Console::new(options), move |effect| {
                let what = format!("{effect:?}");
                let answer = house.run(runner.carry_out(effect));
                if let Msg::Done { result: Err(why), .. } = &answer
                    && why.code == ErrorCode::InsufficientRole
                    && somebody(house, username).role == role
                {
                    refused.borrow_mut().push(what);
                }
                answer
            });
            seat.type_text(username);
            seat.enter();
            seat.type_text(&format!("demo-{username}-2026"));
            seat.enter();
            if seat.harness.app.person().is_some() {
                return seat;
            }
            // Too many wrong PINs before: the lock opens by itself.
            house.wait(3_600);
        }
        panic!("{username} cannot sign in any more");
    };
    let sittings = play(keys(usual), &mut random, sit, |console| console.person().is_some());
    let done = check(&house, before);
    let refused = refused.take();
    println!("console as {username}: {sittings} sittings, {} refused by role, done {done:?}", refused.len());
    refused
}

#[test]
fn random_keys_at_the_console_of_an_admin() {
    let refused = console_as("asha", Role::Admin, 15_000);
    assert!(refused.is_empty(), "an admin may everything: {refused:#?}");
}

#[test]
fn random_keys_at_the_console_of_a_cook_do_nothing_that_a_cook_may_not() {
    let refused = console_as("ravi", Role::Kitchen, 15_000);
    assert!(!refused.is_empty(), "the keys must reach what a cook may not do");
}

#[test]
fn random_keys_at_the_console_of_a_courier_do_nothing_that_a_courier_may_not() {
    let refused = console_as("noor", Role::Delivery, 10_000);
    assert!(!refused.is_empty(), "the keys must reach what a courier may not do");
}

#[test]
fn random_keys_at_a_kiosk() {
    let house = busy_house();
    let before = audit(&house).len();
    let mut opened = house.opened().clone();
    for method in [Method::Card, Method::Upi] {
        opened.ready_gateway(method).expect("the demo's gateways");
    }
    let handler = house.run(kiosk::Handler::new(&opened)).expect("a registered terminal");
    let mut random = random("kiosk");
    let sit = || {
        let (house, handler) = (&house, &handler);
        Seat::new(house, KioskApp::new(KioskSettings::default()), |call| house.run(handler.carry_out(call)))
    };
    let sittings = play(keys(20_000), &mut random, sit, |_| true);
    assert_eq!(sittings, 1, "no way out without the PIN");
    let done = check(&house, before);
    println!("kiosk: {done:?}");
}

#[test]
fn random_keys_at_the_kitchen() {
    let house = busy_house();
    let before = audit(&house).len();
    let handler = house.run(kitchen::Handler::new(house.opened())).expect("a registered terminal");
    let mut random = random("kitchen");
    let mut number = 0;
    let sit = || {
        number += 1;
        let key_prefix = format!("fuzz-{number}");
        let options = kitchen_screen::Options { key_prefix, demo_accounts: Vec::new(), station: None };
        let (house, handler) = (&house, &handler);
        Seat::new(house, Kitchen::new(options), |effect| house.run(handler.carry_out(effect)))
    };
    play(keys(20_000), &mut random, sit, |_| true);
    let done = check(&house, before);
    println!("kitchen: {done:?}");
    assert!(!done.is_empty(), "the keys must get somewhere");
}

#[test]
fn random_keys_at_the_board_and_the_launcher_change_nothing() {
    let house = busy_house();
    let before = audit(&house).len();
    let door = &house.opened().door;
    let mut random = random("board and launcher");
    let sit = || {
        Seat::new(&house, Board::new(), |effect| match effect {
            board::Effect::LoadBoard { request } => {
                board::Msg::Board { request, result: house.run(door.ask(&Caller::System, ShowBoard)) }
            }
        })
    };
    play(keys(20_000), &mut random, sit, |_| true);
    let sit = || {
        let launcher = Launcher::new(house.opened().config.store.to_string());
        Seat::new(&house, launcher, |effect| match effect {
            LauncherEffect::LoadStore { request } => {
                LauncherMsg::Store { request, result: house.run(launcher::store_info(house.opened())) }
            }
        })
    };
    play(keys(20_000), &mut random, sit, |_| true);
    let done = check(&house, before);
    assert!(done.is_empty(), "{done:?}");
}
