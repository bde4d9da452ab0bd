//! The property test's driver: draws the sequences, runs them, and on a failure looks for the shortest
//! sequence that still fails. The rules stand in `model.rs` and `invariants.rs`.

mod command;
mod house;
mod invariants;
mod model;
mod orders;

use super::support;
use command::{Command, draw};
use house::{House, Store};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Steps between two looks at every invariant.
const EXAMINE_EVERY: usize = 10;
/// How long a failing sequence is shortened.
const SHORTEN_FOR: Duration = Duration::from_secs(60);

/// The rows of the table that leave a row in the history; a run that never reaches one proves too little.
const EVERY_ROW: &[&str] = &[
    "T1", "T2", "T3", "T3b", "T4", "T5", "T5a", "T5b", "T6", "T7", "T8", "T9", "T9b", "T10", "T11", "T12", "T12b",
    "T13", "T14", "T15", "T16", "T17", "T18", "T19", "T20", "T21", "T22", "T22b", "T23", "T24", "T24b", "T25", "T26",
    "T27", "T28", "T29", "T31", "T32", "T33",
];

/// Where the stores of a run are made.
pub struct Site {
    store: Store,
    _folder: Option<tempfile::TempDir>,
}

impl Site {
    pub async fn sqlite() -> Self {
        let folder = house::folder();
        let template = house::template(&folder).await;
        Self { store: Store::Sqlite(template), _folder: Some(folder) }
    }

    pub fn postgres() -> Self {
        Self { store: Store::Postgres, _folder: None }
    }
}

struct Failure {
    step: usize,
    wrong: String,
    last: String,
}

/// Runs a sequence on a fresh store, with a full look every so many steps and at the end.
async fn replay(
    store: &Store,
    commands: &[Command],
    every: usize,
    reached: &Mutex<BTreeMap<String, u64>>,
) -> Result<(), Failure> {
    let Some(mut house) = House::open(store).await else { return Ok(()) };
    for (step, command) in commands.iter().enumerate() {
        let mut result = house.step(command).await;
        let last = step + 1 == commands.len();
        if result.is_ok() && ((step + 1) % every == 0 || last) {
            result = house.examine(last || (step + 1) % 100 == 0).await;
        }
        if let Err(wrong) = result {
            return Err(Failure { step, wrong, last: house.last.clone() });
        }
    }
    let rows = house.raw.transitions().await;
    let mut reached = reached.lock().expect("a lock");
    rows.into_iter().for_each(|row| *reached.entry(row).or_default() += 1);
    drop(reached);
    Ok(())
}

/// What two failures of one kind have in common.
fn kind(wrong: &str) -> String {
    wrong.chars().filter(|letter| !letter.is_ascii_digit()).take(24).collect()
}

/// The shortest sequence that was found to fail in the same way.
async fn shorten(store: &Store, commands: &[Command], failure: Failure) -> (Vec<Command>, Failure) {
    let until = Instant::now() + SHORTEN_FOR;
    let wanted = kind(&failure.wrong);
    let aside = Mutex::default();
    let mut best: (Vec<Command>, Failure) = (commands[..=failure.step].to_vec(), failure);
    if let Err(found) = replay(store, &best.0, 1, &aside).await
        && kind(&found.wrong) == wanted
    {
        best = (best.0[..=found.step].to_vec(), found);
    }
    let mut size = best.0.len() / 2;
    while size > 0 && Instant::now() < until {
        let mut at = 0;
        while at < best.0.len() && Instant::now() < until {
            let mut fewer = best.0.clone();
            fewer.drain(at..(at + size).min(fewer.len()));
            match replay(store, &fewer, 1, &aside).await {
                Err(found) if kind(&found.wrong) == wanted => best = (fewer[..=found.step].to_vec(), found),
                _ => at += size,
            }
        }
        size /= 2;
    }
    best
}

fn first_seed() -> u64 {
    match std::env::var("SERVERY_TEST_SEED") {
        Ok(seed) => seed.parse().expect("SERVERY_TEST_SEED is a number"),
        // Another one in each process; it is printed.
        Err(_) => {
            use std::hash::{BuildHasher as _, RandomState};
            RandomState::new().hash_one(std::process::id())
        }
    }
}

/// Runs so many sequences of so many steps, two at a time.
///
/// # Panics
/// When a sequence fails: with its seed and the shortest sequence found.
pub async fn run(name: &'static str, site: Site, sequences: u64, steps: usize) {
    let long = std::env::var("SERVERY_TEST_LONG").is_ok_and(|value| value == "1");
    let replayed = std::env::var("SERVERY_TEST_SEED").is_ok();
    let sequences = if replayed {
        1
    } else if long {
        sequences * 10
    } else {
        sequences
    };
    let seed = first_seed();
    #[expect(clippy::print_stdout, reason = "the seed is printed so that a failure can be replayed")]
    {
        println!("{name}: seed {seed}, {sequences} sequences of {steps} steps");
    }
    let (site, next) = (Arc::new(site), Arc::new(AtomicU64::new(0)));
    let reached = Arc::new(Mutex::new(BTreeMap::new()));
    let mut running = Vec::new();
    for _ in 0..2 {
        let (site, next, reached) = (Arc::clone(&site), Arc::clone(&next), Arc::clone(&reached));
        running.push(tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::SeqCst);
                if number >= sequences {
                    return;
                }
                let seed = seed.wrapping_add(number);
                let mut rng = ChaCha12Rng::seed_from_u64(seed);
                let commands: Vec<Command> = (0..steps).map(|_| draw(&mut rng)).collect();
                if let Err(failure) = replay(&site.store, &commands, EXAMINE_EVERY, &reached).await {
                    next.store(sequences, Ordering::SeqCst);
                    let (shortest, failure) = shorten(&site.store, &commands, failure).await;
                    let lines: Vec<String> =
                        (1..).zip(&shortest).map(|(number, command)| format!("{number:4}  {command:?}")).collect();
                    panic!(
                        "{name}: SERVERY_TEST_SEED={seed} fails: {}\nlast: {}\n{}",
                        failure.wrong,
                        failure.last,
                        lines.join("\n")
                    );
                }
            }
        }));
    }
    for task in running {
        if let Err(error) = task.await {
            std::panic::resume_unwind(error.into_panic());
        }
    }
    // Only a run that is long enough is asked how far it came.
    if !replayed && sequences * u64::try_from(steps).expect("a number") >= 10_000 {
        let reached = reached.lock().expect("a lock");
        let missing: Vec<&&str> = EVERY_ROW.iter().filter(|row| !reached.contains_key(**row)).collect();
        // Chance may leave one or two out; a generator that lost its way leaves many.
        assert!(missing.len() <= 6, "{name}: the sequences never reached {missing:?}");
    }
}
