//! `--gateway-script FILE`: fixes the outcome of each next call to a simulated gateway, for tests and
//! demos. Deterministic: the same script and the same order of calls give the same outcomes.
//!
//! One step a line, `#` begins a comment. A call takes the first step left that matches it:
//!
//! ```text
//! approve                       # any charge
//! card decline
//! upi amount 1250 timeout       # minor units
//! refund error
//! slow 200ms approve
//! card slow 2s                  # slow, then as the gateway would anyway
//! repeat 3 timeout-then-captured
//! chaos seed 42 approve 90 decline 5 timeout 5   # every charge that no step is left for
//! ```

use crate::domain::error::Refused;
use crate::domain::money::Money;
use crate::domain::payment::Method;
use rand::RngExt;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::VecDeque;
use std::str::SplitWhitespace;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The most steps that a script may have, repeats counted.
const MAX_STEPS: usize = 100_000;
/// The longest that a step may be slow.
const MAX_DELAY: Duration = Duration::from_secs(600);

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Taken, or paid back.
    Approve,
    /// Refused.
    Decline,
    /// No answer, but the money moved; told a few seconds later.
    TimeoutThenCaptured,
    /// No answer, and the money never moves.
    Timeout,
    /// The gateway cannot be reached; the request never arrived.
    Error,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 5] = [Self::Approve, Self::Decline, Self::TimeoutThenCaptured, Self::Timeout, Self::Error];

    /// The word in a script.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Decline => "decline",
            Self::TimeoutThenCaptured => "timeout-then-captured",
            Self::Timeout => "timeout",
            Self::Error => "error",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }
}

/// The kind of call that a step is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A charge by this method.
    Charge(Method),
    /// A refund.
    Refund,
}

/// What a script says about one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// How long the gateway takes first.
    pub delay: Duration,
    /// What becomes of it; `None` for what the gateway would do anyway.
    pub outcome: Option<Outcome>,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    operation: Option<Operation>,
    amount: Option<Money>,
    verdict: Verdict,
}

impl Step {
    fn matches(&self, operation: Operation, amount: Money) -> bool {
        let operation_fits = match self.operation {
            // A step without a kind is for charges: refunds have to be named.
            None => matches!(operation, Operation::Charge(_)),
            Some(wanted) => wanted == operation,
        };
        operation_fits && self.amount.is_none_or(|wanted| wanted == amount)
    }
}

#[derive(Debug)]
struct Chaos {
    random: ChaCha12Rng,
    weights: Vec<(Outcome, u32)>,
    sum: u32,
}

impl Chaos {
    fn draw(&mut self) -> Option<Outcome> {
        let mut point = self.random.random_range(0..self.sum);
        for (outcome, weight) in &self.weights {
            if point < *weight {
                return Some(*outcome);
            }
            point -= weight;
        }
        None
    }
}

#[derive(Debug)]
struct State {
    steps: VecDeque<Step>,
    chaos: Option<Chaos>,
}

/// A script, shared by the gateways of a process.
#[derive(Debug)]
pub struct Script {
    state: Mutex<State>,
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` on `gateway_script` that names the line and what is expected there.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        let mut state = State { steps: VecDeque::new(), chaos: None };
        for (index, line) in text.lines().enumerate() {
            let words = line.split('#').next().unwrap_or_default().split_whitespace();
            read_line(words, &mut state).map_err(|wrong| {
                let line = index + 1;
                Refused::invalid("gateway_script", format!("Line {line} of the gateway script: {wrong}."))
                    .with("line", line)
            })?;
        }
        Ok(Self { state: Mutex::new(state) })
    }

    /// What the script says about the next call of this kind; `None` when it says nothing.
    #[must_use]
    pub fn next(&self, operation: Operation, amount: Money) -> Option<Verdict> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = state.steps.iter().position(|step| step.matches(operation, amount)) {
            return state.steps.remove(place).map(|step| step.verdict);
        }
        match operation {
            Operation::Charge(_) => {
                let outcome = state.chaos.as_mut()?.draw();
                Some(Verdict { delay: Duration::ZERO, outcome })
            }
            Operation::Refund => None,
        }
    }

    /// How many steps have not been taken.
    #[must_use]
    pub fn steps_left(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).steps.len()
    }
}

fn read_line(mut words: SplitWhitespace<'_>, state: &mut State) -> Result<(), String> {
    let Some(first) = words.clone().next() else { return Ok(()) };
    if first == "chaos" {
        words.next();
        if state.chaos.is_some() {
            return Err("there is a chaos line already".to_owned());
        }
        state.chaos = Some(read_chaos(words)?);
        return Ok(());
    }
    let mut step = Step { operation: None, amount: None, verdict: Verdict { delay: Duration::ZERO, outcome: None } };
    let (mut repeat, mut says_something) = (1_usize, false);
    while let Some(word) = words.next() {
        if step.verdict.outcome.is_some() {
            return Err("nothing may follow the outcome".to_owned());
        }
        match word {
            "repeat" => repeat = number(words.next(), "repeat", "a count")?,
            "amount" => step.amount = Some(Money(number(words.next(), "amount", "minor units")?)),
            "slow" => {
                step.verdict.delay = delay(words.next())?;
                says_something = true;
            }
            "refund" => step.operation = Some(Operation::Refund),
            "card" => step.operation = Some(Operation::Charge(Method::Card)),
            "upi" => step.operation = Some(Operation::Charge(Method::Upi)),
            other => {
                let outcome = Outcome::parse(other).ok_or_else(|| unknown_word(other))?;
                step.verdict.outcome = Some(outcome);
                says_something = true;
            }
        }
    }
    if !says_something {
        return Err(format!("the outcome is missing: one of {}", outcomes()));
    }
    if repeat > MAX_STEPS.saturating_sub(state.steps.len()) {
        return Err(format!("a script may have {MAX_STEPS} steps"));
    }
    state.steps.extend(std::iter::repeat_n(step, repeat));
    Ok(())
}

fn read_chaos(mut words: SplitWhitespace<'_>) -> Result<Chaos, String> {
    if words.next() != Some("seed") {
        return Err("chaos needs a seed: chaos seed 42 approve 9 decline 1".to_owned());
    }
    let seed: u64 = number(words.next(), "seed", "a number")?;
    let (mut weights, mut sum) = (Vec::new(), 0_u32);
    while let Some(word) = words.next() {
        let outcome = Outcome::parse(word).ok_or_else(|| unknown_word(word))?;
        let weight: u32 = number(words.next(), word, "a weight")?;
        sum = sum.checked_add(weight).ok_or_else(|| "the weights are too large".to_owned())?;
        weights.push((outcome, weight));
    }
    if sum == 0 {
        return Err("chaos needs an outcome with a weight above 0".to_owned());
    }
    Ok(Chaos { random: ChaCha12Rng::seed_from_u64(seed), weights, sum })
}

fn number<T: std::str::FromStr>(word: Option<&str>, of: &str, what: &str) -> Result<T, String> {
    word.and_then(|word| word.parse().ok()).ok_or_else(|| format!("'{}' needs {what}", shown(of)))
}

fn delay(word: Option<&str>) -> Result<Duration, String> {
    let wrong = || "'slow' needs a time of at most 600s, such as 200ms or 2s".to_owned();
    let word = word.ok_or_else(wrong)?;
    let parsed = if let Some(millis) = word.strip_suffix("ms") {
        millis.parse().ok().map(Duration::from_millis)
    } else {
        word.strip_suffix('s').and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs)
    };
    parsed.filter(|delay| *delay <= MAX_DELAY).ok_or_else(wrong)
}

fn unknown_word(word: &str) -> String {
    format!("'{}' is none of card, upi, refund, amount, slow, repeat, chaos, {}", shown(word), outcomes())
}

/// A word of the file, safe to show.
fn shown(word: &str) -> String {
    crate::domain::text::clean(word, 40, false)
}

fn outcomes() -> String {
    Outcome::ALL.map(Outcome::as_str).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: Operation = Operation::Charge(Method::Card);
    const UPI: Operation = Operation::Charge(Method::Upi);

    fn outcome(script: &Script, operation: Operation, amount: i64) -> Option<Outcome> {
        script.next(operation, Money(amount)).and_then(|verdict| verdict.outcome)
    }

    #[test]
    fn each_call_takes_the_first_step_that_matches() {
        let script = Script::parse(
            "# a demo\n\nupi amount 1250 timeout\ndecline # the next one\nrefund error\ncard slow 200ms timeout-then-captured\nrepeat 2 approve\n",
        )
        .expect("a script");
        assert_eq!(script.steps_left(), 6);
        assert_eq!(outcome(&script, CARD, 1250), Some(Outcome::Decline));
        assert_eq!(outcome(&script, UPI, 1250), Some(Outcome::Timeout));
        assert_eq!(outcome(&script, UPI, 1250), Some(Outcome::Approve));
        let verdict = script.next(CARD, Money(1)).expect("a verdict");
        let wanted = Verdict { delay: Duration::from_millis(200), outcome: Some(Outcome::TimeoutThenCaptured) };
        assert_eq!(verdict, wanted);
        assert_eq!(outcome(&script, Operation::Refund, 5), Some(Outcome::Error));
        assert_eq!(script.next(Operation::Refund, Money(5)), None);
        assert_eq!(outcome(&script, CARD, 9), Some(Outcome::Approve));
        assert_eq!((script.next(CARD, Money(9)), script.steps_left()), (None, 0));
    }

    #[test]
    fn slow_alone_leaves_the_outcome_to_the_gateway() {
        let script = Script::parse("slow 2s").expect("a script");
        assert_eq!(script.next(CARD, Money(1)), Some(Verdict { delay: Duration::from_secs(2), outcome: None }));
    }

    #[test]
    fn chaos_is_the_same_for_the_same_seed_and_keeps_its_weights() {
        let draw = |seed: u32| {
            let text = format!("approve\nchaos seed {seed} approve 80 decline 15 timeout 5 error 0");
            let script = Script::parse(&text).expect("a script");
            (0..1_000).map(|_| outcome(&script, CARD, 1).expect("an outcome")).collect::<Vec<_>>()
        };
        let first = draw(42);
        assert_eq!(first, draw(42));
        assert_ne!(first, draw(43));
        let count = |wanted: Outcome| first.iter().filter(|found| **found == wanted).count();
        assert!((750..=850).contains(&count(Outcome::Approve)), "{}", count(Outcome::Approve));
        assert!((110..=190).contains(&count(Outcome::Decline)), "{}", count(Outcome::Decline));
        assert!((25..=80).contains(&count(Outcome::Timeout)), "{}", count(Outcome::Timeout));
        assert_eq!(count(Outcome::Error), 0);
    }

    #[test]
    fn an_error_names_its_line() {
        for (text, line, part) in [
            ("approve\nmaybe", 2, "'maybe'"),
            ("card", 1, "outcome is missing"),
            ("\n\nslow soon decline", 3, "'slow'"),
            ("slow 601s", 1, "600s"),
            ("slow", 1, "'slow'"),
            ("amount 1.50 decline", 1, "'amount'"),
            ("approve card", 1, "nothing may follow"),
            ("repeat 100001 approve", 1, "100000"),
            ("chaos approve 1", 1, "seed"),
            ("chaos seed 1", 1, "weight"),
            ("chaos seed 1 approve 0", 1, "weight"),
            ("chaos seed 1 approve 4294967295 decline 1", 1, "too large"),
            ("chaos seed 1 approve 1\nchaos seed 2 approve 1", 2, "already"),
            ("\u{202e}\u{1b}[31m", 1, "none of"),
        ] {
            let refused = Script::parse(text).expect_err(text);
            assert_eq!(refused.details["line"], line, "{text}");
            assert!(refused.message.contains(part), "{}", refused.message);
            assert!(!refused.message.contains(['\u{1b}', '\u{202e}']));
        }
    }

    #[test]
    fn many_threads_take_each_step_once() {
        let script = Script::parse("repeat 400 approve\nrepeat 400 decline").expect("a script");
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| (0..150).filter(|_| script.next(CARD, Money(1)).is_some()).count()))
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("a thread")).sum()
        });
        assert_eq!((taken, script.steps_left()), (800, 0));
    }
}
