//! Fault 1: `kill -9` of random processes on one SQLite file under load. Two kiosks, two kitchens and
//! the real `servery worker` work on it; one, two or all of them are killed at a random moment and
//! started again. Whatever was acknowledged is there, nothing is torn, `doctor` is clean, and the next
//! start is quick.
//!
//! `cargo test --test fire killed_processes`: 12 kills; with `SERVERY_TEST_LONG=1`: 1,000.

use crate::arena::{Arena, Kind};
use crate::command::open_door;
use crate::house::{Dice, arena, rounds};
use crate::ledger::{Acknowledged, Books, adds_up, money_adds_up, settle};
use crate::load::{Job, Load, Said, acknowledged};
use crate::support::process::{Running, Servery};
use crate::support::wait::{LIMIT, until};
use nix::sys::signal::Signal;
use std::collections::BTreeMap;
use std::time::Duration;

/// The whole store is looked through after so many kills.
const LOOK_EVERY: usize = 100;
/// A start after a kill takes less than this, in the median of a full run.
const QUICK: Duration = Duration::from_secs(1);

/// One of the processes.
enum Victim {
    Load(Load),
    Worker(Running),
}

/// All of them, and what they said.
struct Crowd<'a> {
    arena: &'a Arena,
    program: &'a Servery,
    victims: Vec<Option<Victim>>,
    acknowledged: Vec<Acknowledged>,
    refused: BTreeMap<String, usize>,
    starts: Vec<Duration>,
}

impl Crowd<'_> {
    const KIOSKS: usize = 2;
    const KITCHENS: usize = 2;
    const ALL: usize = Self::KIOSKS + Self::KITCHENS + 1;

    /// Starts those that are gone, and waits until they have opened the store.
    fn start(&mut self, dice: &mut Dice) {
        let gone: Vec<usize> = (0..Self::ALL).filter(|place| self.victims[*place].is_none()).collect();
        for place in &gone {
            self.victims[*place] = Some(if *place < Self::KIOSKS {
                Victim::Load(Load::start(&Job::kiosk(self.arena, dice.number()), &BTreeMap::new()))
            } else if *place < Self::KIOSKS + Self::KITCHENS {
                Victim::Load(Load::start(&Job::kitchen(self.arena, dice.number()), &BTreeMap::new()))
            } else {
                Victim::Worker(self.program.start(&["worker"]))
            });
        }
        for place in gone {
            match &self.victims[place] {
                Some(Victim::Load(load)) => self.starts.push(load.ready()),
                // The lease of the killed one runs out after some seconds, of which a round has none.
                _ => self.arena.wait(async {
                    let mut books = Books::open(&self.arena.ground.url).await;
                    books.change("UPDATE worker_lease SET renewed_at = 0, expires_at = 1").await;
                    books.close().await;
                }),
            }
        }
    }

    fn hear(&mut self, said: Vec<Said>) {
        for said in &said {
            if let Said::Refused { code, message, cause, .. } = said {
                assert_eq!(code, "STORE_UNAVAILABLE", "nobody is refused for another reason: {message} {cause:?}");
                *self.refused.entry(format!("{message} {cause:?}")).or_default() += 1;
            }
        }
        self.acknowledged.extend(acknowledged(said));
    }

    /// Lets them work until so many more things were acknowledged.
    fn work(&mut self, more: usize) {
        let wanted = self.acknowledged.len() + more;
        until(LIMIT * 3, "the load goes on", || {
            for place in 0..Self::ALL {
                if let Some(Victim::Load(load)) = &self.victims[place] {
                    let said = load.said();
                    self.hear(said);
                }
            }
            self.acknowledged.len() >= wanted
        });
    }

    fn kill(&mut self, place: usize) {
        match self.victims[place].take() {
            Some(Victim::Load(load)) => {
                let said = load.kill();
                self.hear(said);
            }
            Some(Victim::Worker(worker)) => {
                worker.signal(Signal::SIGKILL);
                // It may be waiting for the disk, which nobody can interrupt.
                let ended = worker.finish(LIMIT * 6);
                assert!(ended.status.code().is_none(), "the worker had ended by itself: {ended:?}");
            }
            None => {}
        }
    }

    /// Asserts that the store has what was acknowledged from a place in the list on.
    fn holds(&self, from: usize, whole: bool, when: &str) {
        self.arena.wait(async {
            let mut books = Books::open(&self.arena.ground.url).await;
            books.has(&self.acknowledged[from..], when).await;
            if whole {
                books.is_whole(when).await;
                let door = open_door(&self.arena.ground.url).await;
                adds_up(&door, when).await;
                door.store().close().await;
            }
            books.close().await;
        });
    }
}

#[test]
fn killed_processes_lose_nothing() {
    let mut dice = Dice::of_test("kill -9");
    let (arena, clock) = arena(Kind::Sqlite, dice.seed).expect("SQLite is always there");
    // Nobody but the victims has the file open: the last one's death leaves a log to be recovered.
    arena.wait(arena.door.store().close());
    let program = arena.program();
    let victims = (0..Crowd::ALL).map(|_| None).collect();
    let mut crowd = Crowd {
        arena: &arena,
        program: &program,
        victims,
        acknowledged: Vec::new(),
        refused: BTreeMap::new(),
        starts: Vec::new(),
    };
    let rounds = rounds(12, 1_000);
    let (mut kills, mut seen) = (0, 0);
    crowd.start(&mut dice);
    crowd.starts.clear();
    for round in 1..=rounds {
        crowd.work(dice.index(20) + 1);
        let mut places: Vec<usize> = (0..Crowd::ALL).collect();
        dice.shuffle(&mut places);
        let count = if dice.percent(25) { Crowd::ALL } else { 1 + dice.index(2) };
        for place in places.into_iter().take(count) {
            // Not at once with its last word: somewhere between two of them.
            std::thread::park_timeout(Duration::from_micros(dice.pick(0..4_000)));
            crowd.kill(place);
            kills += 1;
        }
        crowd.start(&mut dice);
        crowd.holds(seen, round % LOOK_EVERY == 0, &format!("after kill {kills}, round {round}"));
        seen = crowd.acknowledged.len();
    }
    crowd.work(1);
    (0..Crowd::ALL).for_each(|place| crowd.kill(place));
    crowd.holds(0, true, "at the end");
    arena.wait(async {
        let door = open_door(&arena.ground.url).await;
        settle(&arena.ground.url, &clock, "at the end").await;
        money_adds_up(&door, "at the end").await;
        adds_up(&door, "at the end, settled").await;
        let mut books = Books::open(&arena.ground.url).await;
        let told = books.number("SELECT COUNT(*) FROM outbox WHERE sent_at IS NOT NULL").await;
        assert!(told > 0 || rounds < 10, "the real worker had its share");
        let orders = books.number("SELECT COUNT(*) FROM orders").await;
        books.close().await;
        door.store().close().await;
        println!("{rounds} rounds, {kills} processes killed, {orders} orders, {told} events told by the worker");
    });
    crowd.starts.sort_unstable();
    let median = crowd.starts[crowd.starts.len() / 2];
    println!(
        "{} acknowledgements, 0 lost, 0 torn; refusals {:?}; next start: median {median:?}, longest {:?}",
        crowd.acknowledged.len(),
        crowd.refused,
        crowd.starts[crowd.starts.len() - 1],
    );
    // A quick machine or a busy one: only the run of 1,000 has a median worth judging.
    assert!(rounds < 1_000 || median < QUICK, "the next start takes {median:?}");
}
