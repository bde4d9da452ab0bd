//! The commands of the property test, and the generator that draws them. A command names orders, carts,
//! lines and people by small numbers, which the house resolves when it runs the command: so a sequence
//! stays meaningful when commands are taken out of it.

use rand::{Rng, RngExt};
use rand_chacha::ChaCha12Rng;

/// How many guests come and go.
pub const GUESTS: u8 = 4;

/// Who gives a command about an order or a cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The guest whose order or cart it is.
    Owner,
    /// Another guest.
    OtherGuest,
    /// A cook.
    Kitchen,
    /// A cook with an admin's PIN.
    KitchenPin,
    /// The kitchen terminal with nobody signed in.
    Board,
    /// A manager.
    Admin,
    /// One of the two couriers.
    Courier(u8),
    /// The house.
    System,
    /// The payment gateway.
    Gateway,
}

/// Which order is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// So many orders before the newest that is under way.
    Recent(u8),
    /// The newest order that can take the act, if there is one.
    Fitting,
    /// Any order that was placed.
    Any(u16),
    /// An order that never was.
    Garbage,
}

/// What the gateway says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The amount due, under a new payment id.
    Captured,
    /// The same for no attempt of ours.
    CapturedForNone,
    /// The same for an attempt that never was.
    CapturedForGarbage,
    /// Another amount than what is due: this much more, or less.
    WrongAmount(i8),
    /// Nothing at all, called a capture.
    CapturedNothing,
    /// The amount due, in another currency.
    WrongCurrency,
    /// A payment id that was told before, of whatever order.
    Duplicate(u16),
    /// No.
    Declined,
    /// Given up without an answer.
    GivenUp,
    /// No answer.
    Unknown,
    /// The customer has to act.
    Pending,
}

/// A timer of the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clocked {
    Expire,
    AcceptTimeout,
    CashTimeout,
    NoShow,
    ReleaseHold,
    CloseUncollected,
    AutoReady,
}

/// What is done to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The next natural step, whatever the order's state: so that orders reach their ends.
    Advance,
    /// Time passes until what waits is over due, and the house notices.
    Overdue,
    StartPayment,
    Answer(Answer),
    Extend,
    Cancel {
        reason: bool,
    },
    Accept,
    Reject {
        reason: bool,
    },
    Start,
    Done {
        lines: u8,
        done: bool,
    },
    Bump {
        stale: bool,
        station: u8,
    },
    Ready {
        forced: Option<bool>,
    },
    Recall,
    Undo {
        ready: bool,
    },
    HandOver,
    Cash {
        over: i16,
    },
    StaffCancel {
        reason: bool,
    },
    Void {
        reason: bool,
        restock: u8,
        refund: u8,
    },
    VoidLine {
        line: u8,
        quantity: i8,
        restock: bool,
        reason: bool,
    },
    NoShow {
        reason: bool,
    },
    Close {
        reason: bool,
    },
    Refund {
        amount: u8,
        line: u8,
        quantity: i8,
        restock: bool,
    },
    Override {
        paid: bool,
        reason: bool,
    },
    Hold {
        until: u8,
    },
    Release,
    Priority,
    Note,
    Assign {
        courier: u8,
    },
    CancelAssignment {
        no_pickup: bool,
    },
    PickUp,
    Deliver,
    DeliverForCash {
        over: i16,
    },
    Return {
        reason: bool,
    },
    PayOut {
        refund: u8,
    },
    Settle {
        refund: u8,
        settled: bool,
    },
    Timer(Clocked),
}

/// What becomes of the idempotency key of a Place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    None,
    New,
    /// The last keyed Place again, word for word.
    Again,
    /// The last key with another body.
    OtherBody,
    /// The last keyed Place, by another guest.
    OtherGuest,
}

/// One step of a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    CartAdd { guest: u8, who: Who, item: u8, option: u8, quantity: i32 },
    CartSet { guest: u8, who: Who, line: u8, quantity: i32 },
    CartRemove { guest: u8, line: u8 },
    CartClear { guest: u8 },
    CartFulfilment { guest: u8, fulfilment: u8 },
    CartNote { guest: u8, line: Option<u8> },
    CartAccept { guest: u8 },
    Place { guest: u8, who: Who, method: u8, pay_now: bool, key: Key, address: bool, expected: u8 },
    Order { pick: Pick, who: Option<Who>, act: Act },
    TillOpen { float: i64 },
    TillClose { force: bool, with_pin: bool },
    CashIn { amount: i64 },
    CashDrop { amount: i64 },
    Receive { item: u8, quantity: i64 },
    Adjust { item: u8, delta: i64 },
    Recount { item: u8, below: i64, release: bool },
    Waste { item: u8, quantity: i64, release: bool },
    SetAvailable { item: u8, available: bool },
    SetPrice { item: u8, price: i64 },
    Setting { which: u8, value: u8 },
    Pass { seconds: i64 },
}

fn one_of<T: Copy>(rng: &mut ChaCha12Rng, choices: &[T]) -> T {
    choices[rng.random_range(0..choices.len())]
}

fn chance(rng: &mut ChaCha12Rng, percent: u32) -> bool {
    rng.next_u32() % 100 < percent
}

fn any_who(rng: &mut ChaCha12Rng) -> Who {
    one_of(
        rng,
        &[
            Who::Owner,
            Who::OtherGuest,
            Who::Kitchen,
            Who::KitchenPin,
            Who::Board,
            Who::Admin,
            Who::Courier(0),
            Who::Courier(1),
            Who::Gateway,
        ],
    )
}

fn pick(rng: &mut ChaCha12Rng) -> Pick {
    match rng.next_u32() % 50 {
        0 => Pick::Garbage,
        1..9 => Pick::Any(rng.random()),
        9..25 => Pick::Recent(rng.random_range(0..10)),
        _ => Pick::Fitting,
    }
}

fn answer(rng: &mut ChaCha12Rng) -> Answer {
    match rng.next_u32() % 20 {
        0..6 => Answer::Captured,
        6 => Answer::CapturedForNone,
        7 => Answer::CapturedForGarbage,
        8 => Answer::WrongAmount(one_of(rng, &[-1, 1, 5, 100])),
        9 => Answer::CapturedNothing,
        10 => Answer::WrongCurrency,
        11..13 => Answer::Duplicate(rng.random()),
        13..15 => Answer::Declined,
        15 => Answer::GivenUp,
        16..18 => Answer::Unknown,
        _ => Answer::Pending,
    }
}

fn act(rng: &mut ChaCha12Rng) -> Act {
    let reason = chance(rng, 92);
    let restock = chance(rng, 50);
    match rng.next_u32() % 62 {
        0..14 => Act::Advance,
        14..16 => Act::Overdue,
        16..18 => Act::StartPayment,
        18..23 => Act::Answer(answer(rng)),
        23 => Act::Extend,
        24..26 => Act::Cancel { reason },
        26 => Act::Accept,
        27 => Act::Reject { reason },
        28 => Act::Start,
        29..31 => Act::Done { lines: rng.random(), done: chance(rng, 65) },
        31 => Act::Bump { stale: chance(rng, 30), station: rng.random_range(0..3) },
        32 => Act::Ready { forced: one_of(rng, &[None, Some(true), Some(true), Some(false)]) },
        33 => Act::Recall,
        34 => Act::Undo { ready: restock },
        35 => Act::HandOver,
        36..38 => Act::Cash { over: one_of(rng, &[-1, 0, 0, 500]) },
        38 => Act::StaffCancel { reason },
        39 => Act::Void { reason, restock: rng.random(), refund: rng.random_range(0..5) },
        40..43 => Act::VoidLine { line: rng.random(), quantity: rng.random_range(0..4), restock, reason },
        43 => Act::NoShow { reason },
        44 => Act::Close { reason },
        45..47 => Act::Refund {
            amount: rng.random_range(0..6),
            line: rng.random(),
            quantity: rng.random_range(0..4),
            restock,
        },
        47 => Act::Override { paid: chance(rng, 60), reason },
        48 => Act::Hold { until: rng.random_range(0..3) },
        49 => Act::Release,
        50 => one_of(rng, &[Act::Priority, Act::Note]),
        51 => Act::Assign { courier: rng.random_range(0..4) },
        52 => Act::CancelAssignment { no_pickup: restock },
        53 => Act::PickUp,
        54 => Act::Deliver,
        55 => Act::DeliverForCash { over: one_of(rng, &[-1, 0, 100]) },
        56 => Act::Return { reason },
        57 => Act::PayOut { refund: rng.random() },
        58..60 => Act::Settle { refund: rng.random(), settled: chance(rng, 65) },
        _ => Act::Timer(one_of(
            rng,
            &[
                Clocked::Expire,
                Clocked::Expire,
                Clocked::AcceptTimeout,
                Clocked::CashTimeout,
                Clocked::NoShow,
                Clocked::ReleaseHold,
                Clocked::CloseUncollected,
                Clocked::AutoReady,
            ],
        )),
    }
}

/// Draws the next command.
pub fn draw(rng: &mut ChaCha12Rng) -> Command {
    let guest = rng.random_range(0..GUESTS);
    let item = rng.random_range(0..5);
    let who = match rng.next_u32() % 20 {
        0 => any_who(rng),
        1 => Who::Kitchen,
        _ => Who::Owner,
    };
    match rng.next_u32() % 100 {
        0..13 => {
            let quantity = one_of(rng, &[1, 1, 1, 2, 2, 3, 5, 0, -1, 40, i32::MAX]);
            Command::CartAdd { guest, who, item, option: rng.random(), quantity }
        }
        13..15 => Command::CartSet { guest, who, line: rng.random(), quantity: one_of(rng, &[1, 2, 3, 0, 999, 1000]) },
        15 => Command::CartRemove { guest, line: rng.random() },
        16 => match rng.next_u32() % 3 {
            0 => Command::CartClear { guest },
            1 => Command::CartNote { guest, line: one_of(rng, &[None, Some(0), Some(1)]) },
            _ => Command::CartAccept { guest },
        },
        17..20 => Command::CartFulfilment { guest, fulfilment: one_of(rng, &[0, 1, 2, 2]) },
        20..33 => Command::Place {
            guest,
            who,
            method: rng.random_range(0..3),
            pay_now: chance(rng, 60),
            key: one_of(rng, &[Key::None, Key::None, Key::New, Key::New, Key::Again, Key::OtherBody, Key::OtherGuest]),
            address: chance(rng, 90),
            expected: rng.random_range(0..12),
        },
        33..86 => {
            let act = act(rng);
            let who = chance(rng, 12).then(|| any_who(rng));
            Command::Order { pick: pick(rng), who, act }
        }
        86 => Command::TillOpen { float: one_of(rng, &[0, 5_000, 50_000]) },
        87 => Command::TillClose { force: chance(rng, 30), with_pin: chance(rng, 70) },
        88 => match rng.next_u32() % 2 {
            0 => Command::CashIn { amount: one_of(rng, &[1, 1_000, 0]) },
            _ => Command::CashDrop { amount: one_of(rng, &[1, 1_000, 100_000]) },
        },
        89..91 => Command::Receive { item: rng.random_range(0..2), quantity: one_of(rng, &[1, 10, 25, 0]) },
        91 => Command::Adjust { item: rng.random_range(0..2), delta: one_of(rng, &[-3, -1, 0, 2]) },
        92..94 => {
            Command::Recount { item: rng.random_range(0..2), below: rng.random_range(-3..4), release: chance(rng, 60) }
        }
        94 => Command::Waste {
            item: rng.random_range(0..2),
            quantity: one_of(rng, &[1, 2, 30]),
            release: chance(rng, 50),
        },
        95 => Command::SetAvailable { item, available: chance(rng, 75) },
        96 => Command::SetPrice { item, price: one_of(rng, &[1_000, 1_999, 2_499, 4_000]) },
        97..99 => Command::Setting { which: rng.random_range(0..17), value: rng.random() },
        _ => Command::Pass { seconds: one_of(rng, &[1, 31, 301, 601, 901, 3_700, 86_400]) },
    }
}
