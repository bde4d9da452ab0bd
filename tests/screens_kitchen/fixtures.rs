//! Tickets, views and a board in a harness for the tests of the kitchen's screens.

#![expect(clippy::expect_used, reason = "test support: a failure here is a failed test")]

use servery::domain::access::Role;
use servery::domain::fulfilment::Fulfilment;
use servery::domain::ids::{LineId, OrderId, ShiftId, StationId};
use servery::domain::menu::Allergen;
use servery::domain::money::{Currency, Money};
use servery::domain::order::Status;
use servery::domain::payment::Method;
use servery::domain::time::Timestamp;
use servery::service::views::{KitchenView, StationView, TicketLineView, TicketView};
use servery::tui::app::{Input, RequestId};
use servery::tui::screens::kitchen::{Act, DemoAccount, Effect, Kitchen, Msg, Options, Outcome, Person};
use servery::tui::testing::Harness;
use uuid::Uuid;

pub const NOON: Timestamp = Timestamp(1_800_000_000_000_000);

pub fn order(number: u128) -> OrderId {
    OrderId(Uuid::from_u128(number))
}

pub fn station(number: u128) -> StationId {
    StationId(Uuid::from_u128(900 + number))
}

pub fn line_id(number: u128, line: u128) -> LineId {
    LineId(Uuid::from_u128(number * 1000 + line))
}

/// A line of the order `number`; stations 1 and 2 exist.
pub fn line(number: u128, at: u128, quantity: i64, name: &str, place: u128) -> TicketLineView {
    TicketLineView {
        id: line_id(number, at),
        name: name.to_owned(),
        options: Vec::new(),
        quantity,
        voided: 0,
        refunded: 0,
        done: 0,
        station: Some(station(place)),
        allergens: Vec::new(),
        note: None,
    }
}

/// A paid ticket that the kitchen has seen for `age` seconds.
pub fn ticket(number: u128, status: Status, age: i64) -> TicketView {
    TicketView {
        order: order(number),
        pickup_number: number.to_string(),
        called_name: None,
        status,
        version: 3,
        fulfilment: Fulfilment::Pickup,
        method: Method::Card,
        paid: true,
        refunded: false,
        due: Money(1250),
        shown_at: NOON.plus_seconds(-age),
        estimated_ready_at: None,
        ready_at: (status == Status::Ready).then(|| NOON.plus_seconds(-90)),
        priority: 0,
        on_hold_until: None,
        recalled: false,
        note: None,
        staff_note: None,
        lines: vec![line(number, 1, 2, "Margherita", 1), line(number, 2, 1, "Green salad", 2)],
    }
}

pub fn view(tickets: Vec<TicketView>) -> KitchenView {
    KitchenView {
        site: "Canteen".to_owned(),
        currency: Currency::EUR,
        demo: false,
        stations: vec![
            StationView { id: station(1), name: "Oven".to_owned() },
            StationView { id: station(2), name: "Cold".to_owned() },
        ],
        recallable: tickets.iter().filter(|ticket| ticket.status == Status::Ready).cloned().collect(),
        tickets,
        amber_seconds: 300,
        red_seconds: 480,
        idle_seconds: 300,
        shift: Some(ShiftId(Uuid::from_u128(7))),
        now: NOON,
    }
}

/// A busy noon: every state and every mark once.
pub fn busy() -> KitchenView {
    let mut first = ticket(142, Status::Preparing, 560);
    first.called_name = Some("Asha".to_owned());
    first.fulfilment = Fulfilment::DineIn;
    first.lines =
        vec![line(142, 1, 2, "Margherita", 1), line(142, 2, 1, "Caesar salad", 2), line(142, 3, 1, "Lemonade", 2)];
    first.lines[0].options = vec!["Large".to_owned(), "Extra cheese".to_owned()];
    first.lines[0].allergens = vec![Allergen::Gluten, Allergen::Milk];
    first.lines[0].note = Some("no basil".to_owned());
    first.lines[1].done = 1;
    first.lines[2].quantity = 0;
    first.lines[2].voided = 1;
    let mut second = ticket(143, Status::Confirmed, 330);
    second.note = Some("Peanut allergy at the table!".to_owned());
    let mut third = ticket(144, Status::Received, 40);
    (third.method, third.paid) = (Method::Cash, false);
    let mut fourth = ticket(145, Status::Confirmed, 20);
    fourth.on_hold_until = Some(NOON.plus_seconds(600));
    let mut fifth = ticket(146, Status::Preparing, 65);
    fifth.priority = 1;
    fifth.lines[0].quantity = 3;
    fifth.lines[0].done = 1;
    let mut sixth = ticket(147, Status::Preparing, 130);
    sixth.recalled = true;
    sixth.staff_note = Some("remake, was cold".to_owned());
    let mut ready = ticket(138, Status::Ready, 700);
    (ready.method, ready.paid) = (Method::Cash, false);
    ready.called_name = Some("Ben".to_owned());
    view(vec![first, second, third, fourth, fifth, sixth, ready, ticket(139, Status::Ready, 650)])
}

/// Orders whose money went back while they were in the kitchen: all of it before and after they were
/// cooked, and a part.
pub fn refunded() -> KitchenView {
    let mut whole = ticket(142, Status::Preparing, 120);
    whole.refunded = true;
    whole.lines.iter_mut().for_each(|line| line.refunded = line.quantity);
    let mut part = ticket(143, Status::Confirmed, 60);
    part.lines[0].refunded = 1;
    part.lines[1].refunded = 1;
    let mut amount = ticket(144, Status::Confirmed, 20);
    amount.refunded = true;
    let mut ready = ticket(139, Status::Ready, 650);
    ready.refunded = true;
    view(vec![whole, part, amount, ready])
}

pub fn options() -> Options {
    let demo = DemoAccount { username: "kay".to_owned(), password: "kitchen-demo".to_owned(), pin: "2468".to_owned() };
    Options { key_prefix: "board".to_owned(), demo_accounts: vec![demo], station: None }
}

pub fn cook() -> Person {
    Person { username: "kay".to_owned(), name: "Kay".to_owned(), role: Role::Kitchen }
}

pub fn manager() -> Person {
    Person { username: "max".to_owned(), name: "Max".to_owned(), role: Role::Admin }
}

/// A board of this size that has loaded nothing yet.
pub fn empty_board(width: u16, height: u16) -> Harness<Kitchen> {
    Harness::new(Kitchen::new(options()), width, height, NOON)
}

/// A board that shows these tickets.
pub fn board(width: u16, height: u16, view: KitchenView) -> Harness<Kitchen> {
    let mut board = empty_board(width, height);
    refresh(&mut board, view);
    board
}

/// The load that the board has asked for; effects before it are lost.
pub fn asked_load(board: &mut Harness<Kitchen>) -> Option<RequestId> {
    board.take_effects().into_iter().rev().find_map(|effect| match effect {
        Effect::LoadKitchen { request } => Some(request),
        _ => None,
    })
}

/// Something changed: the board reads these tickets.
pub fn refresh(board: &mut Harness<Kitchen>, view: KitchenView) {
    board.input(Input::StoreChanged);
    answer_load(board, view);
}

/// Answers the load that is open.
pub fn answer_load(board: &mut Harness<Kitchen>, view: KitchenView) {
    let request = asked_load(board).expect("the board asks for its tickets");
    board.message(Msg::Kitchen { request, result: Ok(view) });
}

/// The only step that the board has asked for, with its key.
pub fn step(board: &mut Harness<Kitchen>) -> (OrderId, Act, String) {
    let mut acts = board.take_effects().into_iter().filter_map(|effect| match effect {
        Effect::Act { order, act, key, .. } => Some((order, act, key)),
        _ => None,
    });
    let found = acts.next().expect("a step");
    assert!(acts.next().is_none(), "more than one step");
    found
}

/// Whether the board has asked for nothing.
pub fn is_quiet(board: &mut Harness<Kitchen>) -> bool {
    board.take_effects().is_empty()
}

/// Answers a step, and the load that follows with this view.
pub fn done(board: &mut Harness<Kitchen>, key: &str, outcome: Outcome, view: KitchenView) {
    board.message(Msg::Acted { key: key.to_owned(), result: Ok(outcome) });
    answer_load(board, view);
}

/// Signs somebody in by the form.
pub fn sign_in(board: &mut Harness<Kitchen>, person: Person) {
    board.keys("i");
    board.type_text(&person.username);
    board.keys("enter");
    board.type_text("secret");
    board.keys("enter");
    assert!(matches!(board.take_effect(), Some(Effect::SignIn { .. } | Effect::SignInPin { .. })));
    board.message(Msg::SignedIn(Ok(person)));
}
