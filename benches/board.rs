//! Drawing the kitchen's board with 500 tickets at 120x40, into a buffer and no terminal.

#![expect(clippy::expect_used, clippy::panic, reason = "a bench that cannot go on says so")]

use criterion::{Criterion, criterion_group, criterion_main};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Size;
use servery::domain::fulfilment::Fulfilment;
use servery::domain::ids::{LineId, OrderId, StationId};
use servery::domain::money::{Currency, Money};
use servery::domain::order::Status;
use servery::domain::payment::Method;
use servery::domain::time::Timestamp;
use servery::service::views::{KitchenView, StationView, TicketLineView, TicketView};
use servery::tui::app::{App as _, Cmd, Env, Hits, Input, ViewCtx};
use servery::tui::screens::kitchen::{Effect, Kitchen, Msg, Options};
use servery::tui::testing::ui;
use std::cell::RefCell;
use std::hint::black_box;
use uuid::Uuid;

const NOON: Timestamp = Timestamp(1_800_000_000_000_000);
const SIZE: Size = Size::new(120, 40);
const TICKETS: u128 = 500;

fn line(number: u128, at: u128, name: &str, station: u128) -> TicketLineView {
    TicketLineView {
        id: LineId(Uuid::from_u128(number * 1_000 + at)),
        name: name.to_owned(),
        options: vec!["Large".to_owned()],
        quantity: 2,
        voided: 0,
        refunded: 0,
        done: 0,
        station: Some(StationId(Uuid::from_u128(900 + station))),
        allergens: Vec::new(),
        note: None,
    }
}

fn ticket(number: u128) -> TicketView {
    let age = i64::try_from(TICKETS - number).expect("small");
    TicketView {
        order: OrderId(Uuid::from_u128(number)),
        pickup_number: format!("{number:03}"),
        called_name: number.is_multiple_of(3).then(|| "Asha".to_owned()),
        status: if number.is_multiple_of(2) { Status::Confirmed } else { Status::Preparing },
        version: 3,
        fulfilment: Fulfilment::Pickup,
        method: Method::Card,
        paid: true,
        refunded: false,
        due: Money(1_250),
        shown_at: NOON.plus_seconds(-2 * age),
        estimated_ready_at: None,
        ready_at: None,
        priority: 0,
        on_hold_until: None,
        recalled: false,
        note: number.is_multiple_of(7).then(|| "no onions".to_owned()),
        staff_note: None,
        lines: vec![
            line(number, 1, "Margherita", 1),
            line(number, 2, "Green salad", 2),
            line(number, 3, "Lemonade with mint", 2),
        ],
    }
}

fn view(tickets: u128) -> KitchenView {
    KitchenView {
        site: "Canteen".to_owned(),
        currency: Currency::EUR,
        demo: false,
        stations: vec![
            StationView { id: StationId(Uuid::from_u128(901)), name: "Oven".to_owned() },
            StationView { id: StationId(Uuid::from_u128(902)), name: "Cold".to_owned() },
        ],
        tickets: (1..=tickets).map(ticket).collect(),
        recallable: Vec::new(),
        amber_seconds: 300,
        red_seconds: 480,
        idle_seconds: 300,
        shift: None,
        now: NOON,
    }
}

fn drawing(bench: &mut Criterion) {
    let ui = ui();
    let env = Env::new(&ui, SIZE, NOON);
    let mut board = Kitchen::new(Options { key_prefix: "bench".to_owned(), ..Options::default() });
    let asked = board.update(Input::StoreChanged, &env).into_iter().find_map(|command| match command {
        Cmd::Effect(Effect::LoadKitchen { request }) => Some(request),
        _ => None,
    });
    let request = asked.expect("it asks for its tickets");
    board.update(Input::Msg(Msg::Kitchen { request, result: Ok(view(TICKETS)) }), &env);
    let hits = RefCell::new(Hits::default());
    let mut terminal = Terminal::new(TestBackend::new(SIZE.width, SIZE.height)).expect("a buffer");
    let mut draw = || {
        *hits.borrow_mut() = Hits::default();
        terminal.draw(|frame| board.view(frame, &ViewCtx::new(&env, &hits))).map(|_| ()).expect("drawn");
    };
    draw();
    bench.bench_function("draw/kitchen 500 tickets 120x40", |bencher| bencher.iter(&mut draw));
    let shown: String = terminal.backend().buffer().content().iter().map(|cell| cell.symbol()).collect();
    if !shown.contains("Margherita") {
        panic!("the board does not show its tickets");
    }
    black_box(shown);
}

criterion_group!(benches, drawing);
criterion_main!(benches);
