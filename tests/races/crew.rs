//! The processes of a race: the program's own crew (`servery::cli::crew`), made of this test binary. What
//! they do stands in `command`.

use crate::command::{Answer, Step, open_door, take, warm};
use crate::support::wait::LIMIT;
use serde::{Deserialize, Serialize};
use servery::cli::crew::{self, Post};
use servery::domain::time::Clock as _;
use servery::service::{Door, SystemClock};
use std::time::Duration;
use tokio::process::Command;
use tokio::runtime::{Builder, Runtime};

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
    batch: Batch,
}

/// Processes on one store.
pub struct Crew {
    crew: crew::Crew,
    runtime: Runtime,
}

impl Crew {
    pub fn new(size: usize) -> Self {
        let runtime = runtime();
        let started = runtime.block_on(async {
            crew::Crew::start(size, || {
                let mut command = Command::new(std::env::current_exe()?);
                command.args(["--ignored", "--exact", "child", "--nocapture", "--test-threads=1"]);
                Ok(command)
            })
        });
        Self { crew: started.expect("processes"), runtime }
    }

    /// Lets every process run its batch, all from one moment on; the answers in the order of the batches.
    ///
    /// # Panics
    /// When a process does not answer, or there are more batches than processes.
    pub fn run(&mut self, store: &str, batches: Vec<Batch>) -> Vec<Vec<Answer>> {
        assert!(batches.len() <= self.crew.size(), "one process a batch");
        let orders: Vec<Order> = batches.into_iter().map(|batch| Order { store: store.to_owned(), batch }).collect();
        let run = async { tokio::time::timeout(LIMIT * 10, self.crew.run(&orders)).await };
        self.runtime.block_on(run).expect("the processes answer").expect("answers")
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

/// What a process does until its input ends. Without any (started by hand) it does nothing.
pub fn serve() {
    runtime().block_on(async {
        let mut post = Post::take();
        let mut open: Option<(String, Door)> = None;
        while let Some(order) = post.job::<Order>().await.expect("an order") {
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
            if !post.ready().await.expect("the test listens") {
                return;
            }
            wait_until(order.batch.at);
            let mut answers = Vec::with_capacity(order.batch.steps.len());
            for step in &order.batch.steps {
                answers.push(take(&order.store, door, step).await);
            }
            post.answer(&answers).await.expect("the test listens");
        }
    });
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
