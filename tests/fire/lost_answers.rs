//! Fault 6: the answer of every commit is lost, and the customer asks again with the same key. Exactly
//! one order each, on both databases.
//!
//! How it is lost: the caller goes away while its command runs; the whole runtime goes away at a random
//! moment (SQLite); the connection is cut at the COMMIT, before the server hears of it or after it did
//! it (Postgres).
//!
//! `cargo test --test fire lost_answer`: 40 of each database; with `SERVERY_TEST_LONG=1`: 10,000.

use crate::arena::{Arena, Kind, place};
use crate::command::open_door;
use crate::house::{Dice, arena, rounds};
use crate::ledger::{Acknowledged, Books, adds_up};
use crate::proxy::{NextCommit, Proxy};
use servery::domain::ids::{CartId, CustomerId};
use servery::domain::payment::Method;
use servery::service::cart::CartAdd;
use servery::service::{Caller, Door, UseCase};
use std::time::{Duration, Instant};

/// How an answer was lost.
#[derive(Debug, Default)]
struct Losses {
    caller_gone: usize,
    runtime_gone: usize,
    /// Of those, the orders that were there before anybody asked again.
    kept_by_the_dead: usize,
    commit_lost: usize,
    answer_lost: usize,
}

/// Somebody with a key, who asks and never hears the answer.
struct Asker<'a> {
    arena: &'a Arena,
    /// Through which every commit can be cut, with the door behind it.
    wire: Option<(Proxy, Door)>,
    losses: Losses,
    /// How long a command takes here, about.
    usual: Duration,
}

impl Asker<'_> {
    /// Gives a command whose answer is lost, and once more; the answer to that.
    fn ask<U: UseCase>(&mut self, caller: &Caller, key: &str, use_case: &U, dice: &mut Dice) -> U::Output {
        match &self.wire {
            Some((proxy, behind)) if dice.percent(80) => {
                let next = if dice.percent(50) { NextCommit::IsLost } else { NextCommit::AnswerIsLost };
                let before = proxy.cuts();
                proxy.next_commit(next);
                // The house asks by itself what became of it, where there is a key: it may or may not know.
                let told = self.arena.wait(behind.execute(caller, Some(key), use_case.clone()));
                assert_eq!(proxy.cuts(), before + 1, "the commit was cut: {:?}", told.err());
                match next {
                    NextCommit::IsLost => self.losses.commit_lost += 1,
                    _ => self.losses.answer_lost += 1,
                }
            }
            None if dice.percent(20) => {
                self.dies(caller, key, use_case, dice);
                self.losses.runtime_gone += 1;
            }
            _ => {
                self.goes_away(caller, key, use_case);
                self.losses.caller_gone += 1;
            }
        }
        self.again(caller, key, use_case)
    }

    /// Asks through the test's own door, and is answered.
    fn again<U: UseCase>(&self, caller: &Caller, key: &str, use_case: &U) -> U::Output {
        let told = self.arena.wait(self.arena.door.execute(caller, Some(key), use_case.clone()));
        told.unwrap_or_else(|refused| panic!("{}: {refused:?}", U::NAME))
    }

    /// The caller is gone as soon as the command was given.
    fn goes_away<U: UseCase>(&self, caller: &Caller, key: &str, use_case: &U) {
        self.arena.wait(async {
            let mut asking = Box::pin(self.arena.door.execute(caller, Some(key), use_case.clone()));
            assert!(futures::poll!(&mut asking).is_pending(), "it takes longer than that");
        });
    }

    /// Everything around the command is gone at some moment of it: at whichever step it waits.
    fn dies<U: UseCase>(&mut self, caller: &Caller, key: &str, use_case: &U, dice: &mut Dice) {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let door = runtime.block_on(open_door(&self.arena.ground.url));
        let (caller, name, use_case) = (caller.clone(), key.to_owned(), use_case.clone());
        let usual = u64::try_from(self.usual.as_micros()).expect("short");
        let moment = Instant::now() + Duration::from_micros(dice.pick(0..usual * 5 / 4));
        runtime.spawn(async move { door.execute(&caller, Some(&name), use_case).await.map(drop) });
        while let Some(left) = moment.checked_duration_since(Instant::now()) {
            std::thread::park_timeout(left);
        }
        runtime.shutdown_background();
        let kept = self.arena.wait(async {
            let mut books = Books::open(&self.arena.ground.url).await;
            let kept = books.number(&format!("SELECT COUNT(*) FROM idempotency_keys WHERE key = '{key}'")).await;
            books.close().await;
            kept
        });
        self.losses.kept_by_the_dead += usize::try_from(kept).expect("0 or 1");
    }
}

fn lost_answers(kind: Kind) {
    let mut dice = Dice::of_test(&format!("lost answers, {kind:?}"));
    let Some((arena, _)) = arena(kind, dice.seed) else { return };
    let wire = (kind == Kind::Postgres).then(|| {
        let proxy = Proxy::before(&arena.ground.url);
        let door = arena.wait(open_door(&proxy.url));
        (proxy, door)
    });
    let mut asker = Asker { arena: &arena, wire, losses: Losses::default(), usual: Duration::from_millis(20) };
    let times = rounds(40, 10_000);
    let mut placed = Vec::new();
    for time in 0..times {
        let caller = Caller::Guest { customer: CustomerId(arena.door.new_id()), terminal: None };
        let cart = CartId(arena.door.new_id());
        let (add_key, place_key) = (format!("add-{time}"), format!("place-{time}"));
        let add = CartAdd { cart, item: arena.dish.id, options: vec![], quantity: 1, note: String::new() };
        let view = if dice.percent(20) {
            asker.ask(&caller, &add_key, &add, &mut dice)
        } else {
            let began = Instant::now();
            let view = asker.again(&caller, &add_key, &add);
            asker.usual = (asker.usual * 7 + began.elapsed() * 2) / 8;
            view
        };
        assert_eq!((view.lines.len(), view.total_items), (1, 1), "added once");
        let place = place(cart, Method::Cash, false);
        let first = asker.ask(&caller, &place_key, &place, &mut dice);
        let second = asker.again(&caller, &place_key, &place);
        assert_eq!(first.order.id, second.order.id, "the same key, the same order");
        let (order, total) = (first.order.id, first.order.total.0);
        placed.push(Acknowledged::Placed { order, total, lines: 1 });
    }
    let times = i64::try_from(times).expect("a number");
    arena.wait(async {
        let mut books = Books::open(&arena.ground.url).await;
        assert_eq!(books.number("SELECT COUNT(*) FROM orders").await, times, "exactly one order each");
        assert_eq!(books.number("SELECT COUNT(DISTINCT cart_id) FROM orders").await, times, "of a cart each");
        books.has(&placed, "at the end").await;
        books.is_whole("at the end").await;
        books.close().await;
        adds_up(&arena.door, "at the end").await;
    });
    let losses = &asker.losses;
    println!("{kind:?}: {times} orders, exactly one each; {losses:?}");
    if let Some((_, behind)) = &asker.wire {
        arena.wait(behind.store().close());
        assert!(losses.commit_lost > 0 && losses.answer_lost > 0, "{losses:?}");
    } else if times >= 1_000 {
        let (kept, all) = (losses.kept_by_the_dead, losses.runtime_gone);
        assert!(kept > 0 && kept < all, "the dead were cut off before and after their commit: {losses:?}");
    }
}

#[test]
fn a_lost_answer_asked_for_again_is_one_order_on_sqlite() {
    lost_answers(Kind::Sqlite);
}

#[test]
fn a_lost_answer_asked_for_again_is_one_order_on_postgres() {
    lost_answers(Kind::Postgres);
}
