//! Figures of `servery stress` and `servery bench`: how long things took, as median, 99th percentile
//! and worst, always in microseconds, and how they are written for people.

use crate::domain::ids::Ids as _;
use crate::domain::time::Clock as _;
use crate::service::SystemClock;
use crate::service::TimeOrderedIds;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long each of many things took, in microseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Waits(Vec<u64>);

/// The spread of [`Waits`], in microseconds; all 0 where there were none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// How many there were.
    pub samples: usize,
    /// Half took no longer.
    pub p50_us: u64,
    /// 99 of 100 took no longer.
    pub p99_us: u64,
    /// The longest.
    pub worst_us: u64,
}

impl Waits {
    /// Notes one.
    pub fn note(&mut self, took: Duration) {
        self.0.push(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// Takes others in.
    pub fn add(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Their spread. A percentile is the smallest value that so many do not exceed (nearest rank).
    #[must_use]
    pub fn spread(&self) -> Spread {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = |percent: usize| {
            let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
            sorted.get(at).copied().unwrap_or_default()
        };
        Spread {
            samples: sorted.len(),
            p50_us: rank(50),
            p99_us: rank(99),
            worst_us: sorted.last().copied().unwrap_or_default(),
        }
    }
}

/// Microseconds as milliseconds, for people.
#[must_use]
pub fn millis(micros: u64) -> String {
    let tenths = micros.saturating_add(5) / 10;
    format!("{}.{:02} ms", tenths / 100, tenths % 100)
}

/// The machine's monotonic clock in microseconds, which all its processes share and nobody sets: for what begins in
/// one process and ends in another.
#[must_use]
pub fn monotonic_micros() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    seconds * 1_000_000 + u64::try_from(now.tv_nsec).unwrap_or_default() / 1_000
}

/// A seed that differs each time.
#[must_use]
pub fn any_seed() -> u64 {
    let (_, low) = TimeOrderedIds::from_machine().next(SystemClock.now()).as_u64_pair();
    // Short enough to be typed again.
    low % 1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let mut waits = Waits::default();
        assert_eq!(waits.spread(), Spread::default());
        for micros in (1..=200).rev() {
            waits.note(Duration::from_micros(micros));
        }
        assert_eq!(waits.spread(), Spread { samples: 200, p50_us: 100, p99_us: 198, worst_us: 200 });
        let mut one = Waits::default();
        one.note(Duration::from_millis(3));
        assert_eq!(one.spread(), Spread { samples: 1, p50_us: 3_000, p99_us: 3_000, worst_us: 3_000 });
    }

    #[test]
    fn microseconds_are_written_as_milliseconds() {
        assert_eq!(millis(0), "0.00 ms");
        assert_eq!(millis(1_234), "1.23 ms");
        assert_eq!(millis(59_999), "60.00 ms");
    }
}
