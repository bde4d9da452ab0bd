//! The "now serving" board and the launcher; and random keys against all three screens.

#![expect(clippy::expect_used, clippy::panic, reason = "test support: a failure here is a failed test")]

use crate::fixtures::*;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use servery::domain::error::{ErrorCode, Refused};
use servery::domain::ids::OrderId;
use servery::domain::order::Status;
use servery::domain::time::Timestamp;
use servery::service::views::{BoardView, CalledNumber, TicketView};
use servery::tui::app::{App, Hit, Input};
use servery::tui::key::{Key, KeyPress};
use servery::tui::screens::board::{self, Board};
use servery::tui::screens::kitchen::{Effect, Kitchen, Msg, Outcome, Step};
use servery::tui::screens::launcher::{self, Choice, Database, Launcher, StoreInfo};
use servery::tui::testing::Harness;
use servery::tui::text::is_hostile;
use uuid::Uuid;

/// Keys that the random run presses.
const RANDOM_KEYS: usize = 20_000;
/// What a stored text may try.
pub const HOSTILE: &str =
    "\u{1b}[2J\u{202e}evil\u{200b}\u{1f1e9} 寿司👩\u{200d}👧\n\tx\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}";

pub fn called(number: u128, ago: i64, name: Option<&str>) -> CalledNumber {
    CalledNumber {
        order: OrderId(Uuid::from_u128(number)),
        number: number.to_string(),
        name: name.map(str::to_owned),
        since: NOON.plus_seconds(-ago),
    }
}

pub fn numbers(preparing: Vec<CalledNumber>, ready: Vec<CalledNumber>) -> BoardView {
    BoardView { site: "Canteen".to_owned(), demo: false, preparing, ready, now: NOON }
}

pub fn serving(width: u16, height: u16, view: BoardView) -> Harness<Board> {
    let mut serving = Harness::new(Board::new(), width, height, NOON);
    call(&mut serving, view);
    serving
}

fn call(serving: &mut Harness<Board>, view: BoardView) {
    serving.input(Input::StoreChanged);
    let Some(board::Effect::LoadBoard { request }) = serving.take_effect() else { panic!("no load") };
    serving.message(board::Msg::Board { request, result: Ok(view) });
}

pub fn store() -> StoreInfo {
    StoreInfo {
        site: "Canteen".to_owned(),
        database: Database::Sqlite,
        place: "/home/kay/.local/share/servery/servery.db".to_owned(),
        demo: true,
        demo_accounts: options().demo_accounts,
        worker_runs: false,
    }
}

pub fn start(width: u16, height: u16, result: Result<StoreInfo, Refused>) -> Harness<Launcher> {
    let mut start = Harness::new(Launcher::new("/home/kay/servery.db"), width, height, NOON);
    start.input(Input::StoreChanged);
    let Some(launcher::Effect::LoadStore { request }) = start.take_effect() else { panic!("no load") };
    start.message(launcher::Msg::Store { request, result });
    start
}

#[test]
fn a_ready_number_is_new_for_twenty_seconds() {
    let ready = vec![called(144, 0, Some("Asha")), called(140, 300, None)];
    let mut serving = serving(80, 24, numbers(vec![called(145, 10, None)], ready));
    assert!(serving.screen().contains("NEW Asha"));
    assert!(serving.app.tick().is_some());
    serving.advance(19);
    assert!(serving.screen().contains("NEW"));
    serving.advance(1);
    assert!(!serving.screen().contains("NEW") && serving.screen().contains("Asha"));
    assert!(serving.app.tick().is_none(), "nothing moves any more");
}

#[test]
fn pages_turn_only_where_there_are_too_many() {
    let many = |count: u128| (100..100 + count).map(|number| called(number, 900, None)).collect::<Vec<_>>();
    let few = serving(80, 24, numbers(many(3), many(3)));
    assert!(few.app.tick().is_none());
    let mut crowd = serving(80, 24, numbers(many(400), many(3)));
    assert!(crowd.app.tick().is_some());
    let mut seen = String::new();
    for _ in 0..40 {
        seen.push_str(&crowd.screen());
        crowd.advance(board::PAGE_SECONDS);
    }
    for number in 100..500 {
        assert!(seen.contains(&number.to_string()), "{number} was never shown");
    }
    crowd.resize(120, 60);
    crowd.screen();
}

#[test]
fn the_board_takes_no_input_but_the_end() {
    let mut serving = serving(80, 24, numbers(vec![], vec![called(140, 300, None)]));
    let before = serving.screen();
    serving.keys("a space enter 1 down ? esc");
    assert_eq!(serving.screen(), before);
    assert_eq!(serving.quit(), None);
    serving.keys("q");
    assert_eq!(serving.quit(), Some(0));
    serving.input(Input::StoreAway(true));
    assert!(serving.screen().contains("cannot be reached"));
}

#[test]
fn a_refused_load_of_the_board_is_tried_again() {
    let mut serving = Harness::new(Board::new(), 80, 24, NOON);
    serving.input(Input::StoreChanged);
    let Some(board::Effect::LoadBoard { request }) = serving.take_effect() else { panic!("no load") };
    let away = Refused::new(ErrorCode::StoreUnavailable, "Away.");
    serving.message(board::Msg::Board { request, result: Err(away) });
    serving.advance(1);
    assert!(matches!(serving.take_effect(), Some(board::Effect::LoadBoard { .. })));
}

#[test]
fn the_launcher_says_what_was_chosen() {
    for (keys, choice) in [
        ("enter", Some(Choice::Kiosk)),
        ("down enter", Some(Choice::Kitchen)),
        ("3", Some(Choice::Board)),
        ("down down down enter", Some(Choice::Console)),
        ("4", Some(Choice::Console)),
        ("q", None),
        ("? q", None),
    ] {
        let mut start = start(80, 24, Ok(store()));
        start.keys(keys);
        assert_eq!((start.quit(), start.app.chosen()), (Some(0), choice), "{keys}");
    }
    let mut clicked = start(80, 24, Ok(store()));
    clicked.click_on("The tickets");
    assert_eq!(clicked.app.chosen(), Some(Choice::Kitchen));
}

#[test]
fn a_launcher_without_a_store_opens_nothing() {
    let refused = Refused::new(ErrorCode::StoreUnavailable, "The file cannot be opened.");
    let mut start = start(80, 24, Err(refused));
    let screen = start.screen();
    assert!(screen.contains("The file cannot be opened.") && screen.contains("/home/kay/servery.db"), "{screen}");
    start.keys("enter");
    assert_eq!(start.quit(), None);
    let Some(launcher::Effect::LoadStore { request }) = start.take_effect() else { panic!("it looks again") };
    start.message(launcher::Msg::Store { request, result: Ok(store()) });
    start.keys("enter");
    assert_eq!(start.app.chosen(), Some(Choice::Kiosk));
}

/// A ticket in which every text is hostile.
fn hostile_ticket(number: u128, status: Status) -> TicketView {
    let mut bad = ticket(number, status, i64::MAX / 2_000_000);
    for text in [&mut bad.called_name, &mut bad.note, &mut bad.staff_note] {
        *text = Some(HOSTILE.repeat(20));
    }
    bad.pickup_number = HOSTILE.to_owned();
    bad.lines[0].name = HOSTILE.repeat(200);
    bad.lines[0].options = vec![HOSTILE.to_owned(), String::new()];
    bad.lines[0].note = Some("x".repeat(10_000));
    bad.lines[1].quantity = i64::MAX;
    bad.lines[1].done = i64::MIN;
    bad.due = servery::domain::money::Money(i64::MIN);
    bad
}

fn is_harmless(screen: &str) -> bool {
    !screen.chars().any(|character| character != '\n' && is_hostile(character))
}

#[test]
fn hostile_texts_break_no_screen() {
    for (width, height) in [(1, 1), (60, 20), (80, 24), (120, 40), (200, 60)] {
        let states = [Status::Received, Status::Confirmed, Status::Preparing, Status::Ready];
        let tickets = states.into_iter().zip(1_u128..).map(|(status, at)| hostile_ticket(at, status)).collect();
        let mut view = view(tickets);
        view.site = HOSTILE.repeat(9);
        view.stations[0].name = HOSTILE.repeat(9);
        let mut kitchen = board(width, height, view);
        for keys in ["down", "e", "s", "pagedown", "r", "esc", "n", "esc", "x", "esc", "i", "esc", "h", "esc", "a"] {
            kitchen.keys(keys);
            assert!(is_harmless(&kitchen.screen()));
        }
        let mut bad = called(1, -1_000_000, Some(HOSTILE));
        bad.number = HOSTILE.repeat(30);
        let serving = serving(width, height, numbers(vec![bad.clone(); 30], vec![bad; 30]));
        assert!(is_harmless(&serving.screen()));
        let mut info = store();
        (info.site, info.place) = (HOSTILE.repeat(30), HOSTILE.repeat(30));
        assert!(is_harmless(&start(width, height, Ok(info)).screen()));
    }
}

/// One input of the random run.
#[derive(Debug, Clone)]
enum Poke {
    Key(KeyPress),
    Click(u16, u16),
    Resize(u16, u16),
    Wait(i64),
    Answer(bool),
    Away(bool),
    Paste,
    Idle,
}

fn poke() -> impl Strategy<Value = Poke> {
    let named = prop::sample::select(vec![
        Key::Enter,
        Key::Esc,
        Key::Tab,
        Key::BackTab,
        Key::Backspace,
        Key::Up,
        Key::Down,
        Key::Left,
        Key::Right,
        Key::Home,
        Key::End,
        Key::PageUp,
        Key::PageDown,
        Key::Enter,
        Key::Esc,
        Key::Char(' '),
    ]);
    let letter = prop::sample::select("urxaxvcphnwdseiomf?/0123456789kK.".chars().collect::<Vec<_>>());
    let key = prop_oneof![named, letter.prop_map(Key::Char), any::<char>().prop_map(Key::Char)];
    prop_oneof![
        30 => key.prop_map(|key| Poke::Key(KeyPress::plain(key))),
        2 => (0..130_u16, 0..45_u16).prop_map(|(column, row)| Poke::Click(column, row)),
        1 => (1..140_u16, 1..50_u16).prop_map(|(width, height)| Poke::Resize(width, height)),
        1 => Just(Poke::Resize(80, 24)),
        1 => (-10..400_i64).prop_map(Poke::Wait),
        6 => any::<bool>().prop_map(Poke::Answer),
        1 => prop::bool::weighted(0.2).prop_map(Poke::Away),
        1 => Just(Poke::Paste),
        1 => Just(Poke::Idle),
    ]
}

/// A store that answers a random board.
fn answer(kitchen: &mut Harness<Kitchen>, well: bool, round: u128) {
    let states = [Status::Received, Status::Confirmed, Status::Preparing, Status::Ready];
    for effect in kitchen.take_effects() {
        let refused = || Refused::conflict("Somebody was faster.");
        let message = match effect {
            Effect::LoadKitchen { request } => {
                let tickets: Vec<TicketView> = (0..round % 23)
                    .map(|at| {
                        let status = states[usize::try_from((at + round) % 4).expect("small")];
                        let mut each = ticket(at + round % 7, status, i64::try_from(at * 50).expect("small"));
                        each.paid = at % 3 > 0;
                        each.method = servery::domain::payment::Method::Cash;
                        each
                    })
                    .collect();
                let mut view = view(tickets);
                view.shift = view.shift.filter(|_| round.is_multiple_of(2));
                Msg::Kitchen { request, result: if well { Ok(view) } else { Err(refused()) } }
            }
            Effect::LoadAllDay { request } => {
                Msg::AllDay { request, result: if well { Ok(vec![]) } else { Err(refused()) } }
            }
            Effect::Act { key, .. } => {
                let outcome = Outcome::Bumped {
                    step: if round.is_multiple_of(2) { Step::Ready } else { Step::Started },
                    lines: vec![],
                };
                Msg::Acted { key, result: if well { Ok(outcome) } else { Err(refused()) } }
            }
            Effect::OpenTill { .. } => Msg::TillOpened(Err(refused())),
            Effect::WhyNot { order, .. } => Msg::WhyNot { order, result: Ok(well.then(refused)) },
            Effect::SignIn { .. } | Effect::SignInPin { .. } => Msg::SignedIn(if well {
                Ok(if round.is_multiple_of(2) { manager() } else { cook() })
            } else {
                Err(refused())
            }),
            Effect::SignOut => Msg::SignedOut(Ok(())),
        };
        kitchen.message(message);
    }
}

#[test]
fn random_keys_never_break_a_screen() {
    let seed = [42; 32];
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = poke();
    let mut kitchen = board(80, 24, busy());
    let mut serving = serving(80, 24, numbers(vec![called(1, 5, None)], vec![called(2, 0, Some("Asha"))]));
    let mut start = start(80, 24, Ok(store()));
    for round in 0..RANDOM_KEYS {
        let poke = strategy.new_tree(&mut runner).expect("a poke").current();
        match &poke {
            Poke::Key(press) => {
                kitchen.input(Input::Key(*press));
                serving.input(Input::Key(*press));
                start.input(Input::Key(*press));
            }
            Poke::Click(column, row) => {
                let hits = [
                    Hit::Row { list: "tickets", index: usize::from(*column) },
                    Hit::Row { list: "stations", index: usize::from(*row) % 5 },
                    Hit::Row { list: "dialog", index: usize::from(*row) % 7 },
                    Hit::Row { list: "recall", index: usize::from(*row) },
                    Hit::Row { list: "cash", index: usize::from(*column) % 9 },
                    Hit::Row { list: "void", index: usize::from(*column) % 9 },
                ];
                let hit = hits.get(round % 8).copied();
                kitchen.input(Input::Click { column: *column, row: *row, hit });
            }
            Poke::Resize(width, height) => {
                kitchen.resize(*width, *height);
                serving.resize(*width, *height);
                start.resize(*width, *height);
            }
            Poke::Wait(seconds) => {
                kitchen.advance(*seconds);
                serving.advance(*seconds);
            }
            Poke::Answer(well) => answer(&mut kitchen, *well, u128::try_from(round).expect("small")),
            Poke::Away(away) => kitchen.input(Input::StoreAway(*away)),
            Poke::Paste => kitchen.input(Input::Paste(HOSTILE.repeat(50))),
            Poke::Idle => {
                kitchen.advance(300);
                kitchen.input(Input::StoreChanged);
            }
        }
        // Drawing is what costs: every thirteenth picture.
        if round % 13 == 0 {
            assert!(is_harmless(&kitchen.screen()), "round {round}, {poke:?}");
            assert!(is_harmless(&serving.screen()) && is_harmless(&start.screen()), "round {round}, {poke:?}");
        }
    }
    assert!(kitchen.now() > Timestamp(0));
}
