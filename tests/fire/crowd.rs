//! A crowd on one Postgres store that is to live through every fault: kiosks and kitchens under load, the
//! real `servery worker`, and real screens in terminals. None of them is started again: who ends has
//! failed. What they were told is judged past the program.

use crate::arena::Arena;
use crate::command::open_door;
use crate::house::{Dice, StoreClock};
use crate::ledger::{Acknowledged, Books, adds_up, money_adds_up, settle};
use crate::load::{Job, Load, Said, acknowledged};
use crate::support::process::{Running, Servery};
use crate::support::pty::{Key, Pty};
use crate::support::wait::{LIMIT, until};
use nix::sys::signal::Signal;
use servery::payment::Gateways;
use servery::service::Door;
use servery::worker::{Options, Worker};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Everybody at work.
pub struct Crowd {
    store: String,
    loads: Vec<Load>,
    worker: Running,
    pub acknowledged: Vec<Acknowledged>,
    /// How many of those the store was asked for already.
    judged: usize,
    refused: BTreeMap<String, usize>,
    /// How often each of the loads was answered, and refused.
    answers: Vec<(usize, usize)>,
}

impl Crowd {
    /// Starts so many kiosks and kitchens on the arena's store as it is reached at `store`.
    pub fn start(arena: &Arena, store: &str, kiosks: usize, kitchens: usize, dice: &mut Dice) -> Self {
        arena.wait(arena.door.store().close());
        let mut loads = Vec::new();
        for place in 0..kiosks + kitchens {
            let seed = dice.number();
            let job = if place < kiosks { Job::kiosk(arena, seed) } else { Job::kitchen(arena, seed) };
            loads.push(Load::start(&Job { store: store.to_owned(), ..job }, &BTreeMap::new()));
        }
        for load in &loads {
            load.ready();
        }
        let worker = arena.program().with("SERVERY_STORE", store).start(&["worker"]);
        let answers = vec![(0, 0); loads.len()];
        let (acknowledged, refused) = (Vec::new(), BTreeMap::new());
        Self { store: arena.ground.url.clone(), loads, worker, acknowledged, judged: 0, refused, answers }
    }

    fn hear(&mut self) {
        for (load, (done, refusals)) in self.loads.iter().zip(&mut self.answers) {
            for said in load.said() {
                match said {
                    Said::Done(what) => {
                        self.acknowledged.push(what);
                        *done += 1;
                    }
                    Said::Refused { code, message, cause, .. } => {
                        let words = format!("{message} {cause:?}");
                        assert_eq!(code, "STORE_UNAVAILABLE", "nobody is refused for another reason: {words}");
                        *self.refused.entry(words).or_default() += 1;
                        *refusals += 1;
                    }
                    Said::Ready | Said::Over => {}
                }
            }
        }
    }

    /// The store is at another address by now, past the faults.
    pub fn moved_to(&mut self, store: &str) {
        store.clone_into(&mut self.store);
    }

    /// The process id of the worker.
    pub fn worker(&self) -> u32 {
        self.worker.pid()
    }

    /// Waits for so many more acknowledgements; how long that took.
    pub fn work(&mut self, more: usize) -> Duration {
        let (wanted, began) = (self.acknowledged.len() + more, Instant::now());
        until(LIMIT * 3, "the service goes on", || {
            self.hear();
            self.acknowledged.len() >= wanted
        });
        began.elapsed()
    }

    /// Waits until each of the kiosks and kitchens was answered once more; how long that took.
    pub fn everybody_works(&mut self) -> Duration {
        let (before, began) = (self.answers.clone(), Instant::now());
        until(LIMIT * 3, "everybody's service goes on", || {
            self.hear();
            self.answers.iter().zip(&before).all(|(now, before)| now.0 > before.0)
        });
        began.elapsed()
    }

    /// Whether anything that was begun after this call is acknowledged within a time.
    pub fn works_within(&mut self, limit: Duration) -> bool {
        self.hear();
        // Each may have had an answer under way.
        let (enough, deadline) = (self.acknowledged.len() + 2 * self.loads.len(), Instant::now() + limit);
        until(limit * 3, "acknowledgements, or the end of the time", || {
            self.hear();
            self.acknowledged.len() > enough || Instant::now() >= deadline
        });
        self.acknowledged.len() > enough
    }

    /// Waits until each of the kiosks and kitchens was refused once more.
    pub fn everybody_suffers(&mut self) {
        let before = self.answers.clone();
        until(LIMIT * 3, "everybody feels the fault", || {
            self.hear();
            self.answers.iter().zip(&before).all(|(now, before)| now.1 > before.1)
        });
    }

    /// Waits until one of the kiosks and kitchens was refused once more. Where the store can still be read not all of
    /// them need to be: a kitchen without tickets and a kiosk before a full board write nothing.
    pub fn somebody_suffers(&mut self) {
        let before = self.answers.clone();
        until(LIMIT * 3, "somebody feels the fault", || {
            self.hear();
            self.answers.iter().zip(&before).any(|(now, before)| now.1 > before.1)
        });
    }

    /// Looks for what was acknowledged since the last time; the store has to be there.
    pub fn judge(&mut self, arena: &Arena, when: &str) {
        self.hear();
        arena.wait(async {
            let mut books = Books::open(&self.store).await;
            books.has(&self.acknowledged[self.judged..], when).await;
            books.close().await;
        });
        self.judged = self.acknowledged.len();
    }

    /// Ends everybody, none of whom has ended before, and looks at everything; how much was acknowledged.
    pub fn end(mut self, arena: &Arena, clock: &StoreClock, when: &str) -> usize {
        self.hear();
        for load in std::mem::take(&mut self.loads) {
            self.acknowledged.extend(acknowledged(load.end()));
        }
        self.worker.signal(Signal::SIGTERM);
        let ended = self.worker.finish(LIMIT);
        assert!(ended.status.success(), "{when}: the worker was never started again, and ends well: {ended:?}");
        arena.wait(async {
            let mut books = Books::open(&self.store).await;
            books.has(&self.acknowledged, when).await;
            settle(&self.store, clock, when).await;
            let door = open_door(&self.store).await;
            tell_the_rest(&door).await;
            money_adds_up(&door, when).await;
            adds_up(&door, when).await;
            let told = books.number("SELECT COUNT(*) FROM outbox WHERE sent_at IS NOT NULL").await;
            let untold = books.number("SELECT COUNT(*) FROM outbox WHERE sent_at IS NULL").await;
            assert!(told > 0 && untold == 0, "{when}: {told} events told, {untold} never");
            door.store().close().await;
            books.close().await;
        });
        println!("refusals: {:#?}", self.refused);
        self.acknowledged.len()
    }
}

/// Delivers what the house's last settlements have left in the outbox. Nobody else may be at work.
async fn tell_the_rest(door: &Door) {
    let worker = Worker::new(door.clone(), Gateways::none(), Options::default());
    let held = worker.take_lease().await.expect("asked").held.expect("nobody leads any more");
    let report = worker.deliver_events(&held).await.expect("delivered");
    assert_eq!((report.failed, report.more), (0, false));
    worker.give_back(&held).await.expect("given back");
}

/// The banner of a kitchen.
const AWAY: &str = "The store cannot be reached";
/// That of a kiosk without a customer.
const CLOSED: &str = "We cannot take orders right now";
/// A heading of the keys that a screen shows.
const HELP: &str = "Everywhere";
/// What a kiosk says that waits for one.
const ATTRACT: &str = "Press Enter or touch to order";

/// A key that changed nothing is followed by the next one.
const PRESS_AGAIN: Duration = Duration::from_millis(500);

/// Presses keys, not too many, until one has done what it is to do.
fn press_until(what: &str, done: impl Fn() -> bool, mut press: impl FnMut()) {
    let mut next = Instant::now();
    until(LIMIT, what, || {
        let is_done = done();
        if !is_done && Instant::now() >= next {
            press();
            next = Instant::now() + PRESS_AGAIN;
        }
        is_done
    });
}

/// Real screens in terminals: a kitchen, a kiosk that waits for a customer, and one whose customer reads
/// the menu.
pub struct Screens {
    kitchen: Pty,
    waiting: Pty,
    reading: Pty,
}

impl Screens {
    pub fn open(program: &Servery) -> Self {
        let open = |arguments: &[&str]| Pty::servery(program, arguments, 100, 30);
        let kitchen = open(&["kitchen", "--terminal", "kitchen-1"]);
        let waiting = open(&["kiosk", "--terminal", "kiosk-1"]);
        let reading = open(&["kiosk", "--terminal", "kiosk-2"]);
        kitchen.wait_for("▶ ", LIMIT * 3);
        waiting.wait_for(ATTRACT, LIMIT * 3);
        let screens = Self { kitchen, waiting, reading };
        screens.get_ready();
        screens
    }

    /// Has somebody read the menu, with a fresh patience of the kiosk; the store has to be there.
    pub fn get_ready(&self) {
        until(LIMIT * 3, "somebody reads the menu", || {
            let screen = self.reading.screen();
            let reads = screen.contains("Snacks & starters");
            if !reads {
                if screen.contains("Where would you like to eat?") {
                    self.reading.send("1");
                } else if screen.contains(ATTRACT) {
                    self.reading.key(Key::Enter);
                } else {
                    // The question whether somebody is still there, or a notice.
                    self.reading.key(Key::Esc);
                }
            }
            reads
        });
        self.reading.send("1");
    }

    /// The kitchen and the waiting kiosk say that the store is away.
    pub fn tell_the_loss(&self) {
        self.kitchen.wait_for(AWAY, LIMIT * 3);
        self.waiting.wait_for(CLOSED, LIMIT * 3);
    }

    /// They are well again by themselves; how long that took.
    pub fn tell_the_return(&self) -> Duration {
        let began = Instant::now();
        self.kitchen.wait_gone(AWAY, LIMIT * 3);
        self.waiting.wait_for(ATTRACT, LIMIT * 3);
        began.elapsed()
    }

    /// Keys move the cursor of the kitchen, or show its keys, and turn the pages of the menu; how long the slower one took.
    pub fn hear_keys(&self) -> Duration {
        let cursor = || self.kitchen.find("▶ ");
        let helps = || self.kitchen.screen().contains(HELP);
        let before = cursor();
        let began = Instant::now();
        // A board with one ticket, or none, has nowhere to go with its cursor: there its keys are asked for.
        let mut keys = [Key::Right, Key::Left, Key::Char('?')].into_iter().cycle();
        let press = || keys.next().into_iter().for_each(|key| self.kitchen.key(key));
        press_until("a key moves the kitchen's cursor", || cursor() != before || helps(), press);
        let kitchen = began.elapsed();
        press_until("the kitchen's keys are hidden", || !helps(), || self.kitchen.key(Key::Esc));
        let (other, words) = if self.reading.screen().contains("Lassi") { ("1", "Samosa") } else { ("6", "Lassi") };
        let began = Instant::now();
        // The first key may answer the question whether somebody is still there.
        press_until(
            "a key turns the menu's page",
            || self.reading.screen().contains(words),
            || {
                self.reading.send(other);
            },
        );
        kitchen.max(began.elapsed())
    }

    /// None of them has ended.
    pub fn are_there(&self) {
        for screen in [&self.kitchen, &self.waiting, &self.reading] {
            assert!(screen.is_running(), "a screen ended\n{}", screen.framed());
        }
    }
}

/// The middle one and the longest of some times, in words.
pub fn median_and_longest(times: &mut [Duration]) -> (Duration, String) {
    times.sort_unstable();
    let Some(longest) = times.last() else { return (Duration::ZERO, "never".to_owned()) };
    let median = times[times.len() / 2];
    (median, format!("median {median:?}, longest {longest:?} of {}", times.len()))
}
