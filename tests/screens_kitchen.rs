//! The kitchen's board, the "now serving" board and the launcher: pictures of every state, and what
//! every key does.

#[path = "screens_kitchen/fixtures.rs"]
mod fixtures;
#[path = "screens_kitchen/flows.rs"]
mod flows;
#[path = "screens_kitchen/others.rs"]
mod others;

use fixtures::*;
use others::{called, numbers, serving, start, store};
use servery::domain::error::{ErrorCode, Refused};
use servery::domain::money::Money;
use servery::domain::order::Status;
use servery::domain::payment::Method;
use servery::service::views::{AllDayView, BoardView, KitchenView};
use servery::tui::app::Input;
use servery::tui::screens::kitchen::{Effect, Msg, Outcome, Step};

/// The sizes of the pictures: the smallest, the comfortable, and a large one.
const SIZES: [(u16, u16); 3] = [(60, 20), (80, 24), (120, 40)];

/// Keeps one picture of each size.
fn keep(name: &str, picture: impl Fn(u16, u16) -> String) {
    for (width, height) in SIZES {
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), picture(width, height));
    }
}

/// A picture of the busy board after these keys, as a signed-in manager.
fn after(keys: &'static str, view: KitchenView) -> impl Fn(u16, u16) -> String {
    move |width, height| {
        let mut board = board(width, height, view.clone());
        sign_in(&mut board, manager());
        board.keys("esc");
        board.keys(keys);
        board.screen()
    }
}

#[test]
fn the_board_in_every_state() {
    keep("kitchen_loading", |width, height| empty_board(width, height).screen());
    keep("kitchen_empty", |width, height| board(width, height, view(Vec::new())).screen());
    keep("kitchen_few", |width, height| {
        board(width, height, view(vec![ticket(142, Status::Preparing, 330), ticket(143, Status::Confirmed, 20)]))
            .screen()
    });
    keep("kitchen_busy", |width, height| board(width, height, busy()).screen());
    keep("kitchen_refunded", |width, height| board(width, height, refunded()).screen());
    keep("kitchen_expo", after("e", busy()));
    keep("kitchen_station", after("s", busy()));
    keep("kitchen_crowd", |width, height| {
        let tickets = (1..=200).map(|number| ticket(number, Status::Preparing, 700)).collect();
        board(width, height, view(tickets)).screen()
    });
    keep("kitchen_new", |width, height| {
        let mut board = board(width, height, view(vec![ticket(142, Status::Preparing, 60)]));
        refresh(&mut board, view(vec![ticket(142, Status::Preparing, 60), ticket(143, Status::Confirmed, 0)]));
        board.screen()
    });
    keep("kitchen_saving", |width, height| {
        let mut board = board(width, height, busy());
        board.keys("space space");
        board.screen()
    });
    keep("kitchen_undo", |width, height| {
        let mut board = board(width, height, view(vec![ticket(142, Status::Preparing, 60)]));
        board.keys("space");
        let (_, _, key) = step(&mut board);
        let ready = view(vec![ticket(142, Status::Ready, 60)]);
        done(&mut board, &key, Outcome::Bumped { step: Step::Ready, lines: vec![] }, ready);
        board.screen()
    });
    keep("kitchen_away", |width, height| {
        let mut board = board(width, height, busy());
        board.input(Input::StoreAway(true));
        board.screen()
    });
    keep("kitchen_refused", |width, height| {
        let mut board = board(width, height, busy());
        board.keys("space");
        let (_, _, key) = step(&mut board);
        let refused = Refused::new(ErrorCode::IllegalTransition, "The order is not being cooked.");
        board.message(Msg::Acted { key, result: Err(refused) });
        board.screen()
    });
    keep("kitchen_demo", |width, height| {
        let mut demo = busy();
        demo.demo = true;
        board(width, height, demo).screen()
    });
    insta::assert_snapshot!("kitchen_too_small", board(59, 19, busy()).screen());
}

#[test]
fn the_board_with_every_question() {
    let one = |status| view(vec![ticket(142, status, 60)]);
    let mut cash = view(vec![ticket(142, Status::Ready, 60)]);
    (cash.tickets[0].method, cash.tickets[0].paid) = (Method::Cash, false);
    let mut closed = cash.clone();
    closed.shift = None;
    keep("kitchen_hand_over", after("space", one(Status::Ready)));
    keep("kitchen_pay_first", after("space", cash.clone()));
    keep("kitchen_cash", after("c 2 0", cash.clone()));
    keep("kitchen_float", after("c", closed));
    keep("kitchen_change", |width, height| {
        let mut board = board(width, height, cash.clone());
        sign_in(&mut board, cook());
        board.keys("esc c 2 0 enter");
        let (_, _, key) = step(&mut board);
        board.message(Msg::Acted { key, result: Ok(Outcome::CashTaken { change: Money(750) }) });
        board.screen()
    });
    keep("kitchen_accept", after("a", one(Status::Received)));
    keep("kitchen_reject", after("x", one(Status::Received)));
    keep("kitchen_void_scope", after("v", one(Status::Preparing)));
    keep("kitchen_void", after("v 1 1", one(Status::Preparing)));
    keep("kitchen_hold", after("h", one(Status::Confirmed)));
    keep("kitchen_note", after("n", one(Status::Confirmed)));
    keep("kitchen_why", after("w", one(Status::Confirmed)));
    keep("kitchen_recall", after("r", busy()));
    keep("kitchen_help", after("?", busy()));
    keep("kitchen_override", |width, height| {
        let mut board = board(width, height, one(Status::Preparing));
        sign_in(&mut board, cook());
        board.keys("esc v 1 1 enter");
        board.screen()
    });
    keep("kitchen_sign_in", |width, height| {
        let mut demo = busy();
        demo.demo = true;
        let mut board = board(width, height, demo);
        board.keys("i");
        board.screen()
    });
    keep("kitchen_all_day", |width, height| {
        let mut board = board(width, height, busy());
        board.keys("d");
        let Some(Effect::LoadAllDay { request }) = board.take_effect() else { panic!("no load") };
        let count = |name: &str, to_make, done, place| {
            let station = Some(station(place));
            AllDayView { name: name.to_owned(), to_make, done, station }
        };
        let counts = vec![count("Margherita", 12, 3, 1), count("Green salad", 4, 0, 2), count("Caesar salad", 0, 2, 2)];
        board.message(Msg::AllDay { request, result: Ok(counts) });
        board.screen()
    });
}

#[test]
fn now_serving_in_every_state() {
    let few = || {
        let preparing = vec![called(142, 300, None), called(143, 200, Some("Ben")), called(145, 20, None)];
        numbers(preparing, vec![called(144, 5, Some("Asha")), called(139, 90, None)])
    };
    keep("board_empty", |width, height| serving(width, height, numbers(Vec::new(), Vec::new())).screen());
    keep("board_few", |width, height| serving(width, height, few()).screen());
    keep("board_demo", |width, height| {
        let screen = serving(width, height, BoardView { demo: true, ..few() }).screen();
        assert!(screen.contains("Demo"), "the demo says that it is one:\n{screen}");
        screen
    });
    keep("board_one", |width, height| {
        serving(width, height, numbers(Vec::new(), vec![called(142, 60, None)])).screen()
    });
    keep("board_many", |width, height| {
        let many = |from: u128| (from..from + 60).map(|number| called(number, 300, None)).collect();
        serving(width, height, numbers(many(100), many(300))).screen()
    });
    keep("board_away", |width, height| {
        let mut serving = serving(width, height, few());
        serving.input(Input::StoreAway(true));
        serving.screen()
    });
}

#[test]
fn the_launcher_in_every_state() {
    keep("launcher_demo", |width, height| start(width, height, Ok(store())).screen());
    keep("launcher_real", |width, height| {
        let mut info = store();
        (info.demo, info.worker_runs) = (false, true);
        start(width, height, Ok(info)).screen()
    });
    keep("launcher_refused", |width, height| {
        let refused = Refused::new(ErrorCode::StoreUnavailable, "The store cannot be opened: permission denied.");
        start(width, height, Err(refused)).screen()
    });
}
