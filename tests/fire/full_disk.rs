//! Fault 3: the disk is full, or fails, in windows of time, while a kiosk, a kitchen and the real
//! `servery worker` work on one SQLite store under the shim. Every refusal is a clear one, nothing that
//! was acknowledged is lost, and the same processes go on by themselves as soon as the disk does.
//!
//! After a failed fsync nobody can say what is on the disk: that process writes nothing more and says
//! so, until it is started again.
//!
//! `cargo test --test fire full_disk`: 6 windows; with `SERVERY_TEST_LONG=1`: 200.

use crate::arena::{Arena, Kind};
use crate::command::open_door;
use crate::house::{Dice, StoreClock, arena, rounds};
use crate::ledger::{Acknowledged, Books, adds_up, money_adds_up, settle};
use crate::load::{Job, Load, Said};
use crate::shim::{Fault, Shim};
use crate::support::process::{Running, Servery};
use crate::support::wait::{LIMIT, until};
use nix::sys::signal::Signal;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What the house says while the disk does not take what it is given.
const DISK: &str = "The store's disk is full or fails.";
/// What it says in a process whose fsync failed, for ever after.
const NOT_KEPT: &str = "The disk did not keep what was written. Nothing more is written.";
/// The service goes on in this time once the disk does, in the median of a full run.
const SOON: Duration = Duration::from_secs(1);

/// Processes on one store, and what they said.
struct Scene {
    arena: Arena,
    clock: StoreClock,
    shim: Shim,
    loads: Vec<Load>,
    acknowledged: Vec<Acknowledged>,
    /// How often each sentence was said, with code and help.
    refused: BTreeMap<(String, String, String), usize>,
}

impl Scene {
    fn set(dice: &mut Dice) -> Self {
        let (arena, clock) = arena(Kind::Sqlite, dice.number()).expect("SQLite is always there");
        arena.wait(arena.door.store().close());
        let folder = arena.ground.folder.path();
        let shim = Shim::over(folder).switched_by(&folder.join("fault"));
        Self { arena, clock, shim, loads: Vec::new(), acknowledged: Vec::new(), refused: BTreeMap::new() }
    }

    fn start(&mut self, job: &Job, under_the_shim: bool) {
        let bare = BTreeMap::new();
        let load = Load::start(job, if under_the_shim { self.shim.environment() } else { &bare });
        load.ready();
        self.loads.push(load);
    }

    /// The real program under the shim.
    fn program(&self) -> Servery {
        let environment = self.shim.environment().iter();
        environment.fold(self.arena.program(), |program, (name, value)| program.with(name, value))
    }

    fn hear(&mut self) {
        for said in self.loads.iter().flat_map(Load::said) {
            match said {
                Said::Done(done) => self.acknowledged.push(done),
                Said::Refused { code, message, help, .. } => {
                    *self.refused.entry((code, message, help)).or_default() += 1;
                }
                Said::Ready | Said::Over => {}
            }
        }
    }

    fn refusals(&self) -> usize {
        self.refused.values().sum()
    }

    /// Waits for so many more acknowledgements; how long that took.
    fn work(&mut self, more: usize) -> Duration {
        let (wanted, began) = (self.acknowledged.len() + more, Instant::now());
        until(LIMIT * 3, "the service goes on", || {
            self.hear();
            self.acknowledged.len() >= wanted
        });
        began.elapsed()
    }

    /// Waits for so many more refusals.
    fn suffer(&mut self, more: usize) {
        let wanted = self.refusals() + more;
        until(LIMIT * 3, "the fault is felt", || {
            self.hear();
            self.refusals() >= wanted
        });
    }

    /// Ends the loads and looks at everything.
    fn judge(mut self, when: &str) -> (usize, Servery) {
        for load in std::mem::take(&mut self.loads) {
            self.acknowledged.extend(crate::load::acknowledged(load.end()));
        }
        let url = self.arena.ground.url.clone();
        self.arena.wait(async {
            let mut books = Books::open(&url).await;
            books.has(&self.acknowledged, when).await;
            books.is_whole(when).await;
            settle(&url, &self.clock, when).await;
            let door = open_door(&url).await;
            money_adds_up(&door, when).await;
            adds_up(&door, when).await;
            door.store().close().await;
            books.close().await;
        });
        (self.acknowledged.len(), self.arena.program())
    }
}

/// One order from the command line, which must be refused with this sentence.
fn refused_at_the_command_line(program: &Servery, sentences: &[&str]) {
    let finished =
        program.run(&["order", "place", "--as-kiosk", "kiosk-9", "--item", "cola", "--method", "cash", "--json"]);
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    let error = finished.error();
    assert_eq!(error["code"], "STORE_UNAVAILABLE", "{finished:?}");
    assert!(sentences.iter().any(|sentence| error["message"] == *sentence), "{finished:?}");
    assert!(error["details"]["help"].is_string() || error["help"].is_string(), "it says what to do: {finished:?}");
}

#[test]
fn a_full_disk_and_a_failing_one_lose_nothing_and_pass() {
    let mut dice = Dice::of_test("full disk");
    let mut scene = Scene::set(&mut dice);
    scene.start(&Job::kiosk(&scene.arena, dice.number()), true);
    scene.start(&Job::kitchen(&scene.arena, dice.number()), true);
    let program = scene.program();
    let worker: Running = program.start(&["worker"]);
    let windows = rounds(6, 200);
    let mut back = Vec::new();
    for window in 0..windows {
        scene.work(dice.index(10) + 1);
        let fault = [Fault::Full, Fault::Write, Fault::Read][window % 3];
        scene.shim.switch(fault);
        scene.suffer(dice.index(20) + 1);
        if window < 3 || dice.percent(10) {
            refused_at_the_command_line(&program, &[DISK]);
        }
        // What was said in the window belongs to it.
        scene.hear();
        scene.shim.switch(Fault::None);
        back.push(scene.work(1));
    }
    for (code, message, _) in scene.refused.keys() {
        assert_eq!((code.as_str(), message.as_str()), ("STORE_UNAVAILABLE", DISK), "{:#?}", scene.refused);
    }
    println!("refusals: {:#?}", scene.refused);
    // The worker has gone on as well: it tells what it could not tell in the windows.
    let waiting = "SELECT COUNT(*) FROM outbox WHERE sent_at IS NULL AND parked_at IS NULL";
    let told = "SELECT COUNT(*) FROM outbox WHERE sent_at IS NOT NULL";
    let count = |sql: &'static str| scene.arena.number(sql);
    let before = count(told);
    until(LIMIT * 2, "the worker tells the events", || count(told) > before || count(waiting) == 0);
    worker.signal(Signal::SIGTERM);
    let ended = worker.finish(LIMIT);
    assert!(ended.status.success(), "{ended:?}");
    let (acknowledged, _) = scene.judge("after the windows");
    back.sort_unstable();
    let (median, longest) = (back[back.len() / 2], back[back.len() - 1]);
    println!(
        "{windows} windows, {acknowledged} acknowledgements, 0 lost; service again after {median:?}, longest {longest:?}"
    );
    assert!(windows < 200 || median < SOON, "the service takes {median:?} to come back");
}

#[test]
fn after_a_failed_fsync_a_process_writes_nothing_more_and_says_so() {
    let mut dice = Dice::of_test("failed fsync");
    for round in 0..rounds(1, 20) {
        let when = format!("after fsync failed, round {round}");
        let mut scene = Scene::set(&mut dice);
        scene.start(&Job::kiosk(&scene.arena, dice.number()), true);
        scene.work(dice.index(10) + 1);
        scene.shim.switch(Fault::Sync);
        scene.suffer(1);
        refused_at_the_command_line(&scene.program(), &[NOT_KEPT]);
        scene.shim.switch(Fault::None);
        scene.hear();
        let done = scene.acknowledged.len();
        // The disk is well again; this process does not trust it.
        scene.suffer(20);
        assert_eq!(scene.acknowledged.len(), done, "nothing is written any more: {:#?}", scene.refused);
        for (code, message, _) in scene.refused.keys() {
            assert_eq!((code.as_str(), message.as_str()), ("STORE_UNAVAILABLE", NOT_KEPT), "{:#?}", scene.refused);
        }
        // Another process of the house, whose disk is well, is not stopped by it ..
        scene.start(&Job::kiosk(&scene.arena, dice.number()), false);
        scene.start(&Job::kitchen(&scene.arena, dice.number()), false);
        scene.work(10);
        // .. and the stopped one works again when it is started again.
        let stopped = scene.loads.remove(0);
        assert_eq!(crate::load::acknowledged(stopped.kill()), []);
        scene.start(&Job::kiosk(&scene.arena, dice.number()), true);
        scene.work(10);
        scene.judge(&when);
    }
}
