//! The processes of a race: both ends of the pipes between them and the test, and the barrier that
//! lets all of them go at once. What they do stands in `command`.
//!
//! A process takes one batch after the other from its standard input (a line of JSON each), prepares
//! it, says `ready`, waits for the test to unlock the barrier file, acts, and prints its answers.

use crate::command::{Answer, Step, open_door, take, warm};
use crate::support::wait::LIMIT;
use serde::{Deserialize, Serialize};
use servery::domain::time::Clock as _;
use servery::service::{Door, SystemClock};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

/// Marks the lines of a process that are not the test harness's.
const MARK: &str = "race> ";
/// What a process says when it is prepared.
const READY: &str = "ready";

/// The work of one process in one round.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Batch {
    /// Steps that are taken before the barrier, each of which must succeed.
    pub before: Vec<Step>,
    /// After the barrier wait for this instant of the machine's clock (microseconds).
    pub at: i64,
    /// The steps of the race, one after the other.
    pub steps: Vec<Step>,
    /// Whether the store is opened only within the race.
    pub cold: bool,
}

impl Batch {
    /// One step.
    pub fn of(step: Step) -> Self {
        Self { steps: vec![step], ..Self::default() }
    }
}

/// A batch with where it runs.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    store: String,
    barrier: PathBuf,
    batch: Batch,
}

/// A process and the pipes to it.
struct Member {
    process: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Member {
    fn start() -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this binary"))
            .args(["--ignored", "--exact", "child", "--nocapture", "--test-threads=1"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let input = process.stdin.take().expect("piped");
        let output = BufReader::new(process.stdout.take().expect("piped"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // The harness may have begun the line.
                if let Some((_, words)) = line.split_once(MARK)
                    && sender.send(words.to_owned()).is_err()
                {
                    return;
                }
            }
        });
        Self { process, input, lines }
    }

    fn told(&self) -> String {
        self.lines.recv_timeout(LIMIT * 3).expect("the process answers")
    }
}

/// It ends with its input; if it hangs it is killed.
impl Drop for Member {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Processes on one store.
pub struct Crew {
    members: Vec<Member>,
    folder: tempfile::TempDir,
    round: u32,
}

impl Crew {
    pub fn new(size: usize) -> Self {
        let members = (0..size).map(|_| Member::start()).collect();
        Self { members, folder: tempfile::tempdir().expect("a folder"), round: 0 }
    }

    /// Lets every process run its batch, all from one moment on; the answers in the order of the batches.
    ///
    /// # Panics
    /// When a process does not answer, or there are more batches than processes.
    pub fn run(&mut self, store: &str, batches: Vec<Batch>) -> Vec<Vec<Answer>> {
        assert!(batches.len() <= self.members.len(), "one process a batch");
        self.round += 1;
        let barrier = self.folder.path().join(format!("barrier-{}", self.round));
        let held = File::create(&barrier).expect("the barrier");
        held.lock().expect("locked");
        let size = batches.len();
        for (member, batch) in self.members.iter_mut().zip(batches) {
            let order = Order { store: store.to_owned(), barrier: barrier.clone(), batch };
            let line = serde_json::to_string(&order).expect("JSON");
            writeln!(member.input, "{line}").expect("the process listens");
        }
        for member in self.members.iter().take(size) {
            assert_eq!(member.told(), READY);
        }
        held.unlock().expect("unlocked");
        let answers = self.members.iter().take(size).map(|member| {
            let line = member.told();
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
        });
        answers.collect()
    }
}

/// What a process does until its input ends. Without any (started by hand) it does nothing.
pub fn serve() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let mut open: Option<(String, Door)> = None;
    for line in std::io::stdin().lock().lines() {
        let order: Order = serde_json::from_str(&line.expect("a line")).expect("an order");
        runtime.block_on(async {
            if open.as_ref().is_none_or(|(store, _)| *store != order.store) {
                open = None;
                if !order.batch.cold {
                    open = Some((order.store.clone(), open_door(&order.store).await));
                }
            }
            let door = open.as_ref().map(|(_, door)| door);
            for step in &order.batch.before {
                let answer = take(&order.store, door, step).await;
                assert!(answer.is_done(), "before the race: {answer:?}");
            }
            if let Some(door) = door {
                warm(door).await;
            }
            say(READY);
            pass(&order.barrier);
            wait_until(order.batch.at);
            let mut answers = Vec::with_capacity(order.batch.steps.len());
            for step in &order.batch.steps {
                answers.push(take(&order.store, door, step).await);
            }
            say(&serde_json::to_string(&answers).expect("JSON"));
        });
    }
}

fn say(words: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{MARK}{words}").and_then(|()| output.flush()).expect("the test listens");
}

/// Returns when the test has unlocked the barrier.
fn pass(barrier: &Path) {
    let file = File::open(barrier).expect("the barrier");
    file.lock_shared().expect("passed");
}

/// Waits for an instant of the machine's clock, at the end of it without a pause.
fn wait_until(instant: i64) {
    const CLOSE: i64 = 2_000;
    loop {
        let left = instant - SystemClock.now().0;
        if left <= 0 {
            return;
        }
        if left > CLOSE {
            std::thread::park_timeout(Duration::from_micros((left - CLOSE).unsigned_abs()));
        }
    }
}
