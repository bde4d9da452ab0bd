//! What every key of the kitchen's board does.

use crate::fixtures::*;
use crate::others::{start, store};
use ratatui::style::Modifier;
use servery::domain::error::{ErrorCode, Refused};
use servery::domain::fulfilment::Fulfilment;
use servery::domain::ids::ShiftId;
use servery::domain::money::Money;
use servery::domain::order::{Disposal, EventKind, Guard, LinePart, RefundChoice, Status};
use servery::domain::payment::Method;
use servery::domain::time::Timestamp;
use servery::service::views::{AllDayView, KitchenView, TicketView};
use servery::tui::app::{App, Input};
use servery::tui::screens::kitchen::{Act, Effect, Kitchen, Msg, Outcome, Person, PersonPin, Secret, Step, Undoing};
use servery::tui::screens::launcher::StoreInfo;
use servery::tui::testing::Harness;
use servery::tui::theme::{Background, ColorProfile};
use servery::tui::ui::{Overrides, Ui};
use uuid::Uuid;

fn bump() -> Act {
    Act::Bump { station: None }
}

/// The view of one ticket in a state.
fn one(status: Status) -> KitchenView {
    view(vec![ticket(142, status, 60)])
}

fn unpaid(status: Status) -> TicketView {
    let mut ticket = ticket(142, status, 60);
    (ticket.method, ticket.paid) = (Method::Cash, false);
    ticket
}

#[test]
fn bump_starts_finishes_and_hands_over() {
    let mut board = board(80, 24, one(Status::Confirmed));
    board.keys("space");
    let (which, act, key) = step(&mut board);
    assert_eq!((which, act), (order(142), bump()));
    done(&mut board, &key, Outcome::Bumped { step: Step::Started, lines: Vec::new() }, one(Status::Preparing));
    assert!(board.screen().contains("COOKING"));
    board.keys("enter");
    let (_, act, key) = step(&mut board);
    assert_eq!(act, bump());
    let lines = vec![line_id(142, 1), line_id(142, 2)];
    done(&mut board, &key, Outcome::Bumped { step: Step::Ready, lines }, one(Status::Ready));
    assert!(board.screen().contains("READY"));
    board.keys("space");
    assert!(is_quiet(&mut board), "handing over asks first");
    assert!(board.screen().contains("Hand over?"));
    board.keys("1");
    assert_eq!(step(&mut board).1, Act::HandOver);
}

#[test]
fn a_second_press_of_the_same_key_never_hands_over() {
    for keys in ["space space space", "enter enter enter", "space enter", "space esc"] {
        let mut board = board(80, 24, one(Status::Ready));
        board.keys(keys);
        assert!(is_quiet(&mut board), "{keys}");
    }
}

#[test]
fn a_key_pressed_twice_acts_once() {
    let mut board = board(80, 24, one(Status::Confirmed));
    board.keys("space space space a x p h");
    let (_, act, key) = step(&mut board);
    assert_eq!(act, bump());
    board.message(Msg::Acted { key: key.clone(), result: Ok(Outcome::Bumped { step: Step::Started, lines: vec![] }) });
    board.keys("space");
    let request = asked_load(&mut board).expect("a new picture");
    board.message(Msg::Acted { key, result: Ok(Outcome::Done) });
    board.message(Msg::Kitchen { request, result: Ok(one(Status::Preparing)) });
    assert!(is_quiet(&mut board), "a press on the old picture does nothing");
    board.keys("space");
    assert_eq!(step(&mut board).1, bump());
}

#[test]
fn a_key_during_a_step_is_answered_and_does_nothing() {
    let saving = "The last step of 142 is still being saved.";
    for keys in ["space", "enter", "a", "x", "p", "h", "n", "w"] {
        let mut board = board(80, 24, one(Status::Confirmed));
        board.keys("space");
        let (_, _, key) = step(&mut board);
        assert!(!board.screen().contains(saving));
        board.keys(keys);
        assert!(board.screen().contains(saving), "{keys}:\n{}", board.screen());
        assert!(is_quiet(&mut board), "{keys}");
        // Nothing was kept for later, and what is saved is not said to be unsaved.
        let outcome = Outcome::Bumped { step: Step::Started, lines: Vec::new() };
        board.message(Msg::Acted { key, result: Ok(outcome) });
        let request = asked_load(&mut board).expect("a new picture");
        assert!(board.screen().contains(saving), "the picture is still the old one");
        board.message(Msg::Kitchen { request, result: Ok(one(Status::Preparing)) });
        assert!(is_quiet(&mut board), "{keys}");
        assert!(!board.screen().contains(saving), "{keys}:\n{}", board.screen());
    }
}

#[test]
fn a_question_that_was_open_when_a_step_began_does_not_start_another() {
    let mut board = board(80, 24, one(Status::Preparing));
    board.keys("space");
    let (_, _, key) = step(&mut board);
    let lines = vec![line_id(142, 1)];
    done(&mut board, &key, Outcome::Bumped { step: Step::Ready, lines }, one(Status::Ready));
    board.keys("u");
    assert!(matches!(step(&mut board).1, Act::Undo { .. }));
    board.keys("r enter");
    assert!(is_quiet(&mut board));
    assert!(board.screen().contains("still being saved"), "{}", board.screen());
}

#[test]
fn a_picture_that_was_asked_for_before_the_answer_does_not_free_the_ticket() {
    let mut board = board(80, 24, one(Status::Confirmed));
    board.keys("space");
    let (_, _, key) = step(&mut board);
    board.input(Input::StoreChanged);
    let request = asked_load(&mut board).expect("load");
    board.message(Msg::Acted { key, result: Ok(Outcome::Bumped { step: Step::Started, lines: vec![] }) });
    board.message(Msg::Kitchen { request, result: Ok(one(Status::Confirmed)) });
    let second = asked_load(&mut board).expect("it looks again");
    board.keys("space");
    assert!(is_quiet(&mut board));
    board.message(Msg::Kitchen { request: second, result: Ok(one(Status::Preparing)) });
    board.keys("space");
    assert_eq!(step(&mut board).1, bump());
}

#[test]
fn undo_works_for_five_seconds() {
    for (seconds, works) in [(4, true), (5, false)] {
        for (step_done, undoing) in [
            (Step::ItemsDone, Undoing::ItemsDone(vec![line_id(142, 1)])),
            (Step::Ready, Undoing::MarkedReady(vec![line_id(142, 1)])),
        ] {
            let mut board = board(80, 24, one(Status::Preparing));
            board.keys("space");
            let (_, _, key) = step(&mut board);
            let lines = vec![line_id(142, 1)];
            done(&mut board, &key, Outcome::Bumped { step: step_done, lines }, one(Status::Ready));
            assert!(board.screen().contains("take it back (5 s)"), "{}", board.screen());
            board.advance(seconds);
            board.keys("u");
            if works {
                assert_eq!(step(&mut board).1, Act::Undo { what: undoing });
            } else {
                assert!(is_quiet(&mut board));
                assert!(board.screen().contains("Nothing can be taken back"));
            }
        }
    }
}

#[test]
fn starting_to_cook_cannot_be_undone() {
    let mut board = board(80, 24, one(Status::Confirmed));
    board.keys("space");
    let (_, _, key) = step(&mut board);
    done(&mut board, &key, Outcome::Bumped { step: Step::Started, lines: vec![] }, one(Status::Preparing));
    board.keys("u");
    assert!(is_quiet(&mut board));
}

#[test]
fn recall_lists_and_brings_back() {
    let tickets = vec![ticket(1, Status::Preparing, 10), ticket(2, Status::Ready, 700), ticket(3, Status::Ready, 600)];
    let mut board = board(80, 24, view(tickets));
    board.keys("r");
    assert!(board.screen().contains("ready 1:30 ago"));
    board.keys("down enter");
    let (which, act, key) = step(&mut board);
    assert_eq!((which, act), (order(3), Act::Recall));
    let mut back = ticket(3, Status::Preparing, 600);
    back.recalled = true;
    done(
        &mut board,
        &key,
        Outcome::Done,
        view(vec![ticket(1, Status::Preparing, 10), back, ticket(2, Status::Ready, 700)]),
    );
    assert_eq!(board.app.selected(), Some(order(3)));
    assert!(board.screen().contains("RECALLED"));
    let screen = board.screen();
    assert!(screen.contains("LATE"), "as old as before:\n{screen}");
}

#[test]
fn an_accept_asks_for_the_time() {
    let mut board = board(80, 24, one(Status::Received));
    board.keys("space");
    assert!(is_quiet(&mut board));
    assert!(board.screen().contains("must be accepted first"));
    board.keys("a enter");
    let (_, act, key) = step(&mut board);
    assert_eq!(act, Act::Accept { eta_minutes: None });
    done(&mut board, &key, Outcome::Done, one(Status::Received));
    board.keys("a 3");
    assert_eq!(step(&mut board).1, Act::Accept { eta_minutes: Some(10) });
}

#[test]
fn handing_over_what_is_not_paid_offers_the_cash() {
    let mut board = board(80, 24, view(vec![unpaid(Status::Ready)]));
    sign_in(&mut board, cook());
    board.keys("space");
    assert!(board.screen().contains("€12.50 in cash are due"));
    board.keys("1");
    assert!(board.screen().contains("Cash for 142"));
    board.type_text("20");
    assert!(board.screen().contains("Change"));
    board.keys("enter");
    let (_, act, key) = step(&mut board);
    assert_eq!(act, Act::ConfirmCash { tendered: Money(2000) });
    done(&mut board, &key, Outcome::CashTaken { change: Money(750) }, one(Status::Ready));
    assert!(board.screen().contains("142 is paid"));
    board.keys("enter space 1");
    assert_eq!(step(&mut board).1, Act::HandOver);
}

#[test]
fn a_delivery_waits_for_its_courier_and_the_courier_takes_the_cash() {
    for paid in [true, false] {
        let mut brought = unpaid(Status::Ready);
        (brought.fulfilment, brought.paid) = (Fulfilment::Delivery, paid);
        let mut board = board(80, 24, view(vec![brought]));
        sign_in(&mut board, cook());
        let screen = board.screen();
        assert!(screen.contains("DELIVERY") && screen.contains("waits for its courier"), "{screen}");
        assert_eq!(screen.contains("CASH AT THE DOOR"), !paid, "{screen}");
        board.keys("space");
        assert!(is_quiet(&mut board), "nothing is handed over at the counter");
        assert!(board.screen().contains("named in the console"), "{}", board.screen());
    }
}

#[test]
fn a_closed_till_is_opened_before_the_cash() {
    let mut closed = view(vec![unpaid(Status::Confirmed)]);
    closed.shift = None;
    let mut board = board(80, 24, closed.clone());
    sign_in(&mut board, cook());
    board.keys("c");
    assert!(board.screen().contains("Open the till"));
    board.keys("ctrl+u x enter");
    assert!(is_quiet(&mut board));
    assert!(board.screen().contains("Open the till"), "a float that is no amount is asked for again");
    board.keys("ctrl+u 5 0 enter");
    let opened = board.take_effect();
    assert!(matches!(&opened, Some(Effect::OpenTill { float: Money(5000), key }) if !key.is_empty()), "{opened:?}");
    board.message(Msg::TillOpened(Ok(ShiftId(Uuid::from_u128(9)))));
    assert!(board.screen().contains("Cash for 142"));
    board.keys("down enter");
    let acts: Vec<_> = board.take_effects();
    assert!(
        acts.iter().any(|effect| matches!(effect, Effect::Act { act: Act::ConfirmCash { tendered: Money(1250) }, .. }))
    );
}

#[test]
fn too_little_cash_is_not_taken() {
    let mut board = board(80, 24, view(vec![unpaid(Status::Confirmed)]));
    sign_in(&mut board, cook());
    board.keys("c enter");
    assert!(board.screen().contains("Type what the customer gave"));
    board.keys("1 2 enter");
    assert!(is_quiet(&mut board));
    assert!(board.screen().contains("€0.50 are missing"));
    board.keys("backspace backspace 1 3 , 0 0 enter");
    assert_eq!(step(&mut board).1, Act::ConfirmCash { tendered: Money(1300) });
}

#[test]
fn the_reject_key_sends_what_the_state_asks_for() {
    let mut board = board(80, 24, one(Status::Received));
    sign_in(&mut board, cook());
    board.keys("x 1");
    let (_, act, key) = step(&mut board);
    assert_eq!(act, Act::Reject { reason: "Sold out".to_owned() });
    done(&mut board, &key, Outcome::Done, one(Status::Confirmed));
    board.keys("x 5");
    board.type_text("oven broken");
    board.keys("enter");
    let (_, act, key) = step(&mut board);
    assert_eq!(act, Act::StaffCancel { reason: "oven broken".to_owned() });
    done(&mut board, &key, Outcome::Done, one(Status::Preparing));
    board.keys("x 1");
    assert!(board.screen().contains("Void 142"));
}

#[test]
fn a_void_says_what_becomes_of_each_line_and_asks_for_a_manager() {
    let mut board = board(80, 24, one(Status::Preparing));
    sign_in(&mut board, cook());
    board.keys("v 1 2");
    // Line one goes back to stock, nothing of the money goes back.
    board.keys("home right down down left enter");
    assert!(is_quiet(&mut board));
    board.keys("down enter");
    let screen = board.screen();
    assert!(screen.contains("A manager must agree"), "{screen}");
    board.type_text("max");
    board.keys("enter");
    board.type_text("9999");
    board.keys("enter");
    let part = |at, quantity, disposal| LinePart { line: line_id(142, at), quantity, disposal };
    assert_eq!(
        step(&mut board).1,
        Act::Void {
            reason: "Dropped or spoiled".to_owned(),
            lines: vec![part(1, 2, Disposal::Restock), part(2, 1, Disposal::Waste)],
            refund: RefundChoice::Full,
            override_pin: Some(PersonPin { username: "max".to_owned(), pin: Secret("9999".to_owned()) }),
        }
    );
}

#[test]
fn a_manager_voids_a_part_of_a_line_without_a_pin() {
    let mut board = board(80, 24, one(Status::Preparing));
    sign_in(&mut board, manager());
    board.keys("v 2 1 up left down enter");
    let part = LinePart { line: line_id(142, 1), quantity: 1, disposal: Disposal::Waste };
    assert_eq!(step(&mut board).1, Act::VoidLine { part, reason: "Cooked wrong".to_owned(), override_pin: None });
}

#[test]
fn a_void_can_give_a_part_of_the_money_back() {
    let mut board = board(80, 24, one(Status::Ready));
    sign_in(&mut board, manager());
    board.keys("v 1 1 up right down enter");
    board.type_text("5.00");
    board.keys("enter");
    let (_, act, _) = step(&mut board);
    assert!(matches!(act, Act::Void { refund: RefundChoice::Amount(Money(500)), .. }), "{act:?}");
}

#[test]
fn a_bare_terminal_cooks_but_asks_for_a_person_where_money_is() {
    for (keys, status) in [("x", Status::Received), ("v", Status::Preparing), ("f", Status::Preparing)] {
        let mut board = board(80, 24, one(status));
        board.keys(keys);
        assert!(is_quiet(&mut board));
        let screen = board.screen();
        assert!(screen.contains("needs a person"), "{keys}:\n{screen}");
    }
    let mut cash = board(80, 24, view(vec![unpaid(Status::Confirmed)]));
    cash.keys("c");
    assert!(cash.screen().contains("needs a person"));
    cash.type_text("kay");
    cash.keys("enter");
    cash.type_text("kitchen-demo");
    cash.keys("enter enter");
    let asked = cash.take_effects();
    assert_eq!(
        asked,
        [Effect::SignIn { username: "kay".to_owned(), password: Secret("kitchen-demo".to_owned()) }],
        "asked once"
    );
    assert!(!format!("{asked:?}").contains("kitchen-demo"), "a password must not get into a log");
    cash.message(Msg::SignedIn(Ok(cook())));
    assert!(cash.screen().contains("Cash for 142"), "what was asked for goes on:\n{}", cash.screen());
}

#[test]
fn somebody_who_was_here_signs_in_by_pin() {
    let mut board = board(80, 24, one(Status::Confirmed));
    sign_in(&mut board, cook());
    board.keys("o");
    assert_eq!(board.take_effect(), Some(Effect::SignOut));
    board.message(Msg::SignedOut(Ok(())));
    board.keys("i");
    assert!(board.screen().contains("PIN"));
    board.type_text("2468");
    board.keys("enter");
    let pin = Effect::SignInPin { username: "kay".to_owned(), pin: Secret("2468".to_owned()) };
    assert_eq!(board.take_effect(), Some(pin));
    board.message(Msg::SignedIn(Err(Refused::new(ErrorCode::InvalidToken, "That is not right."))));
    let screen = board.screen();
    assert!(screen.contains("That is not right.") && screen.contains("Password"), "{screen}");
}

#[test]
fn signing_out_hides_no_ticket_and_stops_no_bell() {
    let mut board = board(80, 24, one(Status::Confirmed));
    sign_in(&mut board, cook());
    board.advance(299);
    assert!(board.app.person().is_some());
    board.advance(1);
    assert!(board.app.person().is_none());
    assert!(board.take_effects().contains(&Effect::SignOut), "the session is over too");
    assert!(board.screen().contains("142") || board.screen().contains("WAITING"));
    refresh(&mut board, view(vec![ticket(142, Status::Confirmed, 60), ticket(143, Status::Confirmed, 1)]));
    assert_eq!(board.bells(), 1);
}

#[test]
fn five_silent_minutes_sign_the_person_out_and_the_board_cooks_on() {
    let mut board = board(80, 24, one(Status::Confirmed));
    sign_in(&mut board, cook());
    // Any key begins the five minutes anew, even one that does nothing.
    board.advance(299);
    board.keys("down");
    board.advance(299);
    assert!(board.app.person().is_some(), "299 seconds of silence are not enough");
    assert!(!board.take_effects().contains(&Effect::SignOut));
    board.advance(1);
    assert!(board.app.person().is_none(), "300 are");
    let effects = board.take_effects();
    assert_eq!(effects.iter().filter(|effect| **effect == Effect::SignOut).count(), 1, "{effects:?}");
    let screen = board.screen();
    assert!(screen.contains("142") && screen.contains("nobody"), "{screen}");
    // The ticket turned late meanwhile, and still does so aloud.
    assert_eq!(board.bells(), 1, "the alarm goes on");
    board.advance(300);
    assert!(!board.take_effects().contains(&Effect::SignOut), "nobody is signed out twice");
    // The board goes on as the terminal: moving a ticket asks nobody to sign in.
    board.keys("space");
    let (which, act, key) = step(&mut board);
    assert_eq!((which, act), (order(142), bump()));
    done(&mut board, &key, Outcome::Bumped { step: Step::Started, lines: Vec::new() }, one(Status::Preparing));
    assert!(board.screen().contains("COOKING"), "{}", board.screen());
    // What needs a person asks for one.
    board.keys("v");
    assert!(board.screen().contains("Void for 142 needs a person"), "{}", board.screen());
    assert!(is_quiet(&mut board));
}

#[test]
fn the_demo_says_that_it_is_one_at_every_size_and_in_every_trouble() {
    for (width, height) in [(60, 20), (80, 24), (80, 27), (80, 28), (120, 40)] {
        let demo = || KitchenView { demo: true, ..busy() };
        let says = |board: &Harness<Kitchen>| board.screen().contains("Demo");
        let mut seen = board(width, height, demo());
        assert!(says(&seen), "{}", seen.screen());
        seen.input(Input::StoreAway(true));
        assert!(says(&seen), "{}", seen.screen());
        let mut broken = board(width, height, demo());
        broken.input(Input::EffectFailed);
        assert!(says(&broken), "{}", broken.screen());
        let mut crew = board(width, height, demo());
        sign_in(&mut crew, Person { name: "Bartholomew the Elder of the Grill".to_owned(), ..manager() });
        crew.keys("esc m");
        assert!(says(&crew), "{}", crew.screen());
        assert!(!says(&board(width, height, busy())), "a real store never does");
        let launcher = start(width, height, Ok(store()));
        assert!(launcher.screen().contains("Canteen · Demo"), "{}", launcher.screen());
        let real = start(width, height, Ok(StoreInfo { demo: false, ..store() }));
        assert!(!real.screen().contains("Demo"), "{}", real.screen());
    }
}

#[test]
fn the_bell_rings_for_new_tickets() {
    let mut board = board(80, 24, one(Status::Confirmed));
    assert_eq!(board.bells(), 0, "not on the first load");
    refresh(&mut board, one(Status::Preparing));
    assert_eq!(board.bells(), 0, "not for what was there");
    let two = view(vec![ticket(142, Status::Preparing, 60), ticket(143, Status::Confirmed, 1)]);
    refresh(&mut board, two.clone());
    assert_eq!(board.bells(), 1);
    assert!(board.screen().contains("NEW ORDER   143"));
    board.advance(3);
    assert!(!board.screen().contains("NEW ORDER"));
    board.keys("m");
    let mut three = two;
    three.tickets.push(ticket(144, Status::Confirmed, 1));
    refresh(&mut board, three);
    assert_eq!(board.bells(), 1, "muted");
    assert!(board.screen().contains("NEW ORDER   144"));
}

#[test]
fn the_bell_rings_once_for_each_ticket_that_turns_late() {
    // Late from 480 seconds on.
    let aged = |age| view(vec![ticket(141, Status::Preparing, 900), ticket(142, Status::Confirmed, age)]);
    let mut board = board(80, 24, aged(470));
    assert_eq!(board.bells(), 0, "what is late at the start is no news");
    board.advance(9);
    assert_eq!(board.bells(), 0);
    board.advance(1);
    assert_eq!(board.bells(), 1, "by the clock alone");
    assert!(!board.screen().contains("NEW ORDER"), "late is not new");
    board.advance(5);
    refresh(&mut board, aged(485));
    let mut undone = aged(490);
    undone.red_seconds = 500;
    refresh(&mut board, undone);
    refresh(&mut board, aged(505));
    assert_eq!(board.bells(), 1, "once for each");
    let mut third = aged(510);
    third.tickets.extend([ticket(143, Status::Ready, 900), ticket(144, Status::Confirmed, 470)]);
    refresh(&mut board, third);
    assert_eq!(board.bells(), 2, "144 is new; what is ready is not late");
    board.keys("m");
    board.advance(20);
    assert_eq!(board.bells(), 2, "muted");
    board.keys("m");
    board.advance(1);
    assert_eq!(board.bells(), 2, "nor later");
}

#[test]
fn a_ticket_that_comes_late_already_rings_once() {
    let mut board = board(80, 24, one(Status::Confirmed));
    refresh(&mut board, view(vec![ticket(142, Status::Confirmed, 60), ticket(143, Status::Confirmed, 700)]));
    assert_eq!(board.bells(), 1);
}

#[test]
fn a_station_hears_nothing_of_what_is_late_elsewhere() {
    let aged = |age| {
        let mut other = ticket(142, Status::Confirmed, age);
        other.lines = vec![line(142, 1, 1, "Green salad", 2)];
        view(vec![other])
    };
    let mut board = board(80, 24, aged(470));
    board.keys("s");
    refresh(&mut board, aged(490));
    assert_eq!(board.bells(), 0);
    board.keys("s");
    board.advance(1);
    assert_eq!(board.bells(), 0, "it was late before");
}

#[test]
fn only_the_words_of_a_note_are_underlined() {
    let mut noted = ticket(142, Status::Confirmed, 60);
    noted.note = Some("allergic to peanuts, sesame and everything that was near them in the kitchen".to_owned());
    noted.lines[0].note = Some("no basil, and the crust as dark as it can be made please".to_owned());
    let board = board(60, 20, view(vec![noted]));
    let buffer = board.draw();
    let underlined = |x: u16, y: u16| buffer[(x, y)].modifier.contains(Modifier::UNDERLINED);
    let rows: Vec<String> = (0..buffer.area.height)
        .map(|y| (0..buffer.area.width).filter(|x| underlined(*x, y)).map(|x| buffer[(x, y)].symbol()).collect())
        .filter(|row: &String| !row.is_empty())
        .collect();
    assert!(rows.len() > 4, "{rows:?}");
    assert!(rows.iter().all(|row| row.trim() == row && !row.contains('»')), "{rows:?}");
    assert!(rows.concat().starts_with("allergic") && rows.concat().ends_with("please"), "{rows:?}");
}

#[test]
fn refusals_are_said_in_the_language_of_the_house() {
    let german = "[guard]\nnot_on_hold = \"Die Bestellung ruht.\"\n[guard_help]\nnot_on_hold = \"Gib sie erst frei.\"";
    let overrides = Overrides { theme: None, keymap: None, locale: Some(german) };
    let ui = Ui::load(Background::Dark, ColorProfile::TrueColor, &overrides).expect("German");
    let guard = Guard::NotOnHold;
    let refused = Refused::new(guard.code(), guard.words()).by_guard(guard.as_str()).help(guard.help());
    let specific = Refused::conflict("The drawer holds €3.00 only.").help("Take less, or count the drawer.");
    for (refused, words) in
        [(refused, "Die Bestellung ruht. Gib sie erst frei."), (specific, "The drawer holds €3.00 only.")]
    {
        let mut board = board(80, 24, one(Status::Confirmed)).with_ui(ui.clone());
        board.message(Msg::WhyNot { order: order(142), result: Ok(Some(refused)) });
        assert!(board.screen().contains(words), "{}", board.screen());
    }
}

#[test]
fn a_station_sees_its_own_work_and_bumps_it() {
    let mut board = board(80, 24, view(vec![ticket(1, Status::Preparing, 60), ticket(2, Status::Ready, 90)]));
    board.keys("s");
    let screen = board.screen();
    assert!(
        screen.contains("[ Oven ]") && screen.contains("Margherita") && !screen.contains("Green salad"),
        "{screen}"
    );
    assert!(!screen.contains("READY"), "what is ready is no work of a station");
    board.keys("space");
    let (which, act, key) = step(&mut board);
    assert_eq!((which, act), (order(1), Act::Bump { station: Some(station(1)) }));
    let mut half = ticket(1, Status::Preparing, 60);
    half.lines[0].done = 2;
    let after = view(vec![half, ticket(2, Status::Ready, 90)]);
    let lines = vec![line_id(1, 1)];
    done(&mut board, &key, Outcome::Bumped { step: Step::ItemsDone, lines }, after);
    assert!(board.screen().contains("Nothing to make at this station"));
    board.keys("u");
    assert_eq!(step(&mut board).1, Act::Undo { what: Undoing::ItemsDone(vec![line_id(1, 1)]) });
    board.keys("s");
    assert!(board.screen().contains("Green salad"));
    board.keys("e");
    let screen = board.screen();
    assert!(screen.contains("[ Expo ]") && screen.contains("2/2") && screen.contains("0/1"), "{screen}");
}

#[test]
fn a_station_that_went_out_of_use_hides_nothing() {
    let mut board = board(80, 24, view(vec![ticket(1, Status::Preparing, 60)]));
    board.keys("s");
    assert!(!board.screen().contains("Green salad"), "{}", board.screen());
    let mut without = view(vec![ticket(1, Status::Preparing, 60)]);
    without.stations.remove(0);
    refresh(&mut board, without);
    let screen = board.screen();
    assert!(screen.contains("Green salad") && screen.contains("Margherita"), "{screen}");
}

#[test]
fn what_belongs_to_no_station_is_on_every_board() {
    let mut loose = ticket(1, Status::Preparing, 60);
    loose.lines[1].station = None;
    let mut board = board(80, 24, view(vec![loose]));
    board.keys("s");
    assert!(board.screen().contains("Green salad"));
    board.keys("s");
    assert!(board.screen().contains("Green salad") && !board.screen().contains("Margherita"));
}

#[test]
fn a_refresh_keeps_the_selection_on_its_order() {
    let tickets = |range: std::ops::Range<u128>| -> Vec<TicketView> {
        range.map(|number| ticket(number, Status::Preparing, 1000 - i64::try_from(number).expect("small"))).collect()
    };
    let mut board = board(80, 24, view(tickets(1..9)));
    board.keys("down down down");
    assert_eq!(board.app.selected(), Some(order(4)));
    refresh(&mut board, view(tickets(3..9)));
    assert_eq!(board.app.selected(), Some(order(4)));
    refresh(&mut board, view(tickets(5..9)));
    assert_eq!(board.app.selected(), Some(order(6)), "the one that took its place");
    refresh(&mut board, view(Vec::new()));
    assert_eq!(board.app.selected(), None);
    board.keys("space up down left right 3 pageup pagedown home end");
    assert!(is_quiet(&mut board));
}

#[test]
fn after_a_ticket_is_ready_the_next_one_is_selected() {
    let tickets =
        |first| view(vec![ticket(1, first, 900), ticket(2, Status::Preparing, 800), ticket(3, Status::Preparing, 700)]);
    let mut board = board(80, 24, tickets(Status::Preparing));
    board.keys("space");
    let (which, _, key) = step(&mut board);
    assert_eq!(which, order(1));
    done(&mut board, &key, Outcome::Bumped { step: Step::Ready, lines: vec![] }, tickets(Status::Ready));
    assert_eq!(board.app.selected(), Some(order(2)));
    board.keys("u");
    let (_, _, key) = step(&mut board);
    done(&mut board, &key, Outcome::Done, tickets(Status::Preparing));
    assert_eq!(board.app.selected(), Some(order(1)), "undo goes back to it");
}

#[test]
fn the_second_of_two_cooks_is_told_quietly() {
    let mut board = board(80, 24, one(Status::Confirmed));
    board.keys("space");
    let (_, _, key) = step(&mut board);
    board.message(Msg::Acted { key, result: Err(Refused::conflict("Somebody was faster.")) });
    assert!(board.screen().contains("142 was moved on at another screen"));
    answer_load(&mut board, one(Status::Preparing));
    assert!(board.screen().contains("COOKING"));
}

#[test]
fn a_lost_answer_is_asked_for_again_under_the_same_key() {
    let mut board = board(80, 24, one(Status::Confirmed));
    board.keys("space");
    let (_, _, key) = step(&mut board);
    let away = Refused::new(ErrorCode::StoreUnavailable, "The store does not answer.");
    board.message(Msg::Acted { key: key.clone(), result: Err(away) });
    answer_load(&mut board, one(Status::Confirmed));
    board.keys("space");
    assert_eq!(step(&mut board).2, key);
    board.input(Input::EffectFailed);
    board.advance(1);
    answer_load(&mut board, one(Status::Confirmed));
    board.keys("space");
    assert_eq!(step(&mut board).2, key);
}

#[test]
fn a_refused_key_says_why_and_what_to_do() {
    let mut board = board(80, 24, one(Status::Confirmed));
    board.keys("space");
    let (_, _, key) = step(&mut board);
    let refused = Refused::new(ErrorCode::IllegalTransition, "The oven is off.").help("Turn it on.");
    board.message(Msg::Acted { key, result: Err(refused) });
    let screen = board.screen();
    assert!(screen.contains("The oven is off.") && screen.contains("Turn it on."), "{screen}");
    answer_load(&mut board, one(Status::Confirmed));
    board.keys("w 2");
    assert_eq!(board.take_effect(), Some(Effect::WhyNot { order: order(142), event: EventKind::MarkReady }));
    board
        .message(Msg::WhyNot { order: order(142), result: Ok(Some(Refused::invalid("x", "It is not being cooked."))) });
    assert!(board.screen().contains("It is not being cooked."));
    board.keys("f");
    assert!(board.screen().contains("does not apply to 142"));
}

#[test]
fn priority_hold_and_note() {
    let mut board = board(80, 24, one(Status::Confirmed));
    board.keys("p");
    let (_, act, key) = step(&mut board);
    assert_eq!(act, Act::SetPriority { priority: 1 });
    let mut held = one(Status::Confirmed);
    held.tickets[0].priority = 1;
    held.tickets[0].on_hold_until = Some(Timestamp(i64::MAX));
    done(&mut board, &key, Outcome::Done, one(Status::Confirmed));
    board.keys("h 1");
    let (_, act, key) = step(&mut board);
    assert_eq!(act, Act::Hold { until: Some(NOON.plus_seconds(300)) });
    done(&mut board, &key, Outcome::Done, held.clone());
    assert!(board.screen().contains("ON HOLD") && board.screen().contains("COOK FIRST"));
    board.keys("space");
    assert!(is_quiet(&mut board));
    assert!(board.screen().contains("142 is on hold"));
    board.keys("h");
    let (_, act, key) = step(&mut board);
    assert_eq!(act, Act::Release);
    done(&mut board, &key, Outcome::Done, held);
    board.keys("n");
    board.type_text("two plates");
    board.keys("enter");
    let (_, act, key) = step(&mut board);
    assert_eq!(act, Act::Note { note: "two plates".to_owned() });
    done(&mut board, &key, Outcome::Done, one(Status::Preparing));
    sign_in(&mut board, cook());
    board.keys("f 1");
    let reason = "Made elsewhere".to_owned();
    assert_eq!(step(&mut board).1, Act::ForceReady { reason, override_pin: None });
}

#[test]
fn all_day_counts_what_is_left() {
    let mut board = board(80, 24, one(Status::Confirmed));
    board.keys("d");
    let Some(Effect::LoadAllDay { request }) = board.take_effect() else { panic!("no load") };
    let count = |name: &str, to_make, place| AllDayView {
        name: name.to_owned(),
        to_make,
        done: 1,
        station: Some(station(place)),
    };
    board.message(Msg::AllDay { request, result: Ok(vec![count("Margherita", 12, 1), count("Green salad", 3, 2)]) });
    assert!(board.screen().contains("12") && board.screen().contains("Green salad"));
    board.keys("s");
    assert!(!board.screen().contains("Green salad"));
    refresh(&mut board, one(Status::Confirmed));
    board.keys("d");
    assert!(board.screen().contains("[ Oven ]") && !board.screen().contains("All day: "));
}

#[test]
fn the_clock_runs_only_while_tickets_are_shown_and_never_backwards() {
    let mut board = empty_board(80, 24);
    assert!(board.app.tick().is_none());
    refresh(&mut board, view(Vec::new()));
    assert!(board.app.tick().is_none());
    let mut young = ticket(142, Status::Preparing, 0);
    young.shown_at = NOON.plus_seconds(500);
    refresh(&mut board, view(vec![young]));
    assert!(board.app.tick().is_some());
    assert!(board.screen().contains("0:00"), "{}", board.screen());
    board.advance(-3600);
    assert!(board.screen().contains("0:00"));
    refresh(&mut board, one(Status::Preparing));
    board.advance(65);
    assert!(board.screen().contains("2:05"), "{}", board.screen());
}

#[test]
fn while_the_store_is_away_the_tickets_stay_and_nothing_is_accepted() {
    let mut board = board(80, 24, one(Status::Confirmed));
    board.input(Input::StoreAway(true));
    board.keys("space");
    assert!(is_quiet(&mut board));
    let screen = board.screen();
    assert!(screen.contains("cannot be reached") && screen.contains("WAITING"), "{screen}");
    board.input(Input::StoreAway(false));
    answer_load(&mut board, one(Status::Confirmed));
    assert!(!board.screen().contains("Nothing is lost"));
}

#[test]
fn a_load_that_is_refused_is_said_and_tried_again() {
    let mut board = empty_board(80, 24);
    board.input(Input::StoreChanged);
    let request = asked_load(&mut board).expect("load");
    let refused = Refused::new(ErrorCode::Forbidden, "This terminal is not registered.");
    board.message(Msg::Kitchen { request, result: Err(refused) });
    assert!(board.screen().contains("This terminal is not registered."));
    board.advance(1);
    answer_load(&mut board, one(Status::Confirmed));
    assert!(!board.screen().contains("not registered"));
}

#[test]
fn a_question_about_an_order_that_is_gone_closes() {
    let mut board = board(80, 24, one(Status::Ready));
    board.keys("space");
    assert!(board.screen().contains("Hand over?"));
    refresh(&mut board, view(Vec::new()));
    let screen = board.screen();
    assert!(!screen.contains("Hand over?") && screen.contains("no longer in the kitchen"), "{screen}");
}

#[test]
fn two_hundred_tickets_stay_usable() {
    let tickets: Vec<TicketView> = (1..=200_u128)
        .map(|number| ticket(number, Status::Preparing, 5000 - i64::try_from(number).expect("small")))
        .collect();
    let mut board = board(80, 24, view(tickets.clone()));
    assert!(board.screen().contains("of 200 · page 1/"));
    board.keys("3");
    assert_eq!(board.app.selected(), Some(order(3)));
    board.keys("pagedown");
    let second = board.app.selected().expect("selected");
    assert!(second > order(3));
    assert!(board.screen().contains("page 2/"));
    board.keys("pageup");
    assert!(board.screen().contains("page 1/"));
    board.keys("end");
    assert_eq!(board.app.selected(), Some(order(200)));
    refresh(&mut board, view(tickets));
    assert_eq!(board.app.selected(), Some(order(200)));
    board.keys("/ 1 2 3 enter");
    assert_eq!(board.app.selected(), Some(order(123)));
    assert!(board.screen().contains("123"));
    board.keys("home right left");
    assert_eq!(board.app.selected(), Some(order(1)));
}

#[test]
fn every_line_of_a_long_order_can_be_read() {
    let mut long = ticket(142, Status::Preparing, 10);
    long.lines = (1..=150).map(|at| line(142, at, 1, &format!("Dish-{at:03}"), 1)).collect();
    for (width, height) in [(60, 20), (80, 24), (120, 40)] {
        let mut board = board(width, height, view(vec![long.clone(), ticket(143, Status::Preparing, 5)]));
        let mut seen = String::new();
        for _ in 0..20 {
            seen.push_str(&board.screen());
            board.keys("pagedown");
        }
        for at in 1..=150 {
            assert!(seen.contains(&format!("Dish-{at:03}")), "line {at} at {width}x{height}");
        }
        assert!(seen.contains("143"));
    }
}

#[test]
fn cards_and_tabs_can_be_clicked() {
    let mut board = board(120, 40, busy());
    board.click_on("Ben");
    assert_eq!(board.app.selected(), Some(order(138)));
    board.click_on("Oven");
    assert!(board.screen().contains("[ Oven ]"));
    board.click_on("? Help");
    assert!(board.screen().contains("Force ready"));
    board.keys("esc q");
    assert_eq!(board.quit(), Some(0));
}
