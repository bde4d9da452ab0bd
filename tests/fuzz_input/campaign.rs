//! One run of many inputs at one target: how many, from which seed, and a watch that ends the test where one of them
//! hangs. What the inputs are is the target's business.

#![expect(clippy::print_stderr, reason = "a hang is told before the process ends")]

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Far longer than any input takes on a busy machine: whoever is silent for so long hangs.
const HANGS: Duration = Duration::from_secs(120);
/// The seed unless another one is asked for.
const SEED: u64 = 20_261_121;

/// What the environment says, as a number.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// `usual`, or `full` in a long run, or what was asked for.
pub fn inputs(usual: u64, full: u64) -> u64 {
    let long = std::env::var("SERVERY_TEST_LONG").is_ok_and(|long| long == "1");
    number("SERVERY_TEST_ROUNDS").unwrap_or(if long { full } else { usual })
}

/// Many inputs at one target.
pub struct Campaign {
    target: &'static str,
    seed: u64,
    inputs: u64,
    seeded: ChaCha8Rng,
    at: Arc<AtomicU64>,
    beats: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    seen: RefCell<BTreeMap<String, u64>>,
}

impl Campaign {
    /// Prints the seed and begins to watch.
    pub fn begin(target: &'static str, inputs: u64) -> Self {
        let seed = number("SERVERY_SEED").unwrap_or(SEED);
        println!("{target}: {inputs} inputs, SERVERY_SEED={seed}");
        let (at, beats) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let over = Arc::new(AtomicBool::new(false));
        let (watched, heard, ended) = (Arc::clone(&at), Arc::clone(&beats), Arc::clone(&over));
        std::thread::spawn(move || {
            let mut last = (u64::MAX, Instant::now());
            while !ended.load(Ordering::Acquire) {
                let now = heard.load(Ordering::Acquire);
                if now != last.0 {
                    last = (now, Instant::now());
                } else if last.1.elapsed() > HANGS {
                    let input = watched.load(Ordering::Acquire);
                    eprintln!("{target}: no progress for {HANGS:?}: SERVERY_SEED={seed} SERVERY_INPUT={input}");
                    std::process::exit(101);
                }
                std::thread::park_timeout(HANGS / 10);
            }
        });
        let seeded = ChaCha8Rng::seed_from_u64(seed);
        Self { target, seed, inputs, seeded, at, beats, over, seen: RefCell::default() }
    }

    /// The numbers of the inputs, or of what stands for several.
    pub fn numbers(&self, each: u64) -> impl Iterator<Item = u64> + use<> {
        let first = number("SERVERY_INPUT").unwrap_or(0) / each;
        first..self.inputs.div_ceil(each).max(first.saturating_add(1))
    }

    /// The randomness of one input: that of no other, so that it can be played by itself.
    pub fn random(&self, input: u64) -> ChaCha8Rng {
        let mut random = self.seeded.clone();
        random.set_stream(input);
        random
    }

    /// Says that the watched is alive, and where it is.
    pub fn alive(&self, input: u64) {
        self.at.store(input, Ordering::Release);
        self.beats.fetch_add(1, Ordering::AcqRel);
    }

    /// Tries one input. A panic fails the test with the input's number.
    pub fn attempt<T>(&self, input: u64, what: &dyn Fn() -> String, attempt: impl FnOnce() -> T) -> T {
        self.alive(input);
        match catch_unwind(AssertUnwindSafe(attempt)) {
            Ok(value) => value,
            Err(panic) => {
                let (target, seed) = (self.target, self.seed);
                println!("{target}: SERVERY_SEED={seed} SERVERY_INPUT={input}: {}", what());
                resume_unwind(panic)
            }
        }
    }

    /// Counts an outcome.
    pub fn count(&self, outcome: &str) {
        self.add(outcome, 1);
    }

    /// Counts several.
    pub fn add(&self, outcome: &str, number: u64) {
        let mut seen = self.seen.borrow_mut();
        match seen.get_mut(outcome) {
            Some(count) => *count += number,
            None => {
                seen.insert(outcome.to_owned(), number);
            }
        }
    }

    /// Keeps the most of something.
    pub fn most(&self, what: &str, number: u64) {
        let mut seen = self.seen.borrow_mut();
        let most = seen.entry(what.to_owned()).or_default();
        *most = number.max(*most);
    }

    /// How often an outcome was seen.
    pub fn seen(&self, outcome: &str) -> u64 {
        self.seen.borrow().get(outcome).copied().unwrap_or(0)
    }

    /// Prints what was seen.
    pub fn end(self) {
        println!("{}: SERVERY_SEED={} {:?}", self.target, self.seed, self.seen.borrow());
    }
}

impl Drop for Campaign {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
    }
}
