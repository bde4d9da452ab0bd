//! The only clock and the only source of ids that are not passed in: the real ones, made once when
//! the program starts.

use crate::domain::ids::Ids;
use crate::domain::time::{Clock, Timestamp};
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        Timestamp::from(chrono::Utc::now())
    }
}

/// UUIDv7: 48 bits of milliseconds, then a counter of this process and random bits, so that ids of
/// one process rise even within a millisecond and those of two never meet.
#[derive(Debug)]
pub struct TimeOrderedIds {
    counter: AtomicU64,
    random: std::sync::Mutex<rand_chacha::ChaCha12Rng>,
}

impl TimeOrderedIds {
    /// A source with the seed given; the program seeds it from the machine.
    #[must_use]
    pub fn seeded(seed: [u8; 32]) -> Self {
        use rand_chacha::rand_core::SeedableRng;
        Self { counter: AtomicU64::new(0), random: std::sync::Mutex::new(rand_chacha::ChaCha12Rng::from_seed(seed)) }
    }

    /// A source seeded by the machine.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that takes the machine's randomness for ids")]
    pub fn from_machine() -> Self {
        use rand::RngExt;
        Self::seeded(rand::rng().random())
    }
}

impl Ids for TimeOrderedIds {
    fn next(&self, now: Timestamp) -> Uuid {
        use rand_chacha::rand_core::Rng;
        let count = self.counter.fetch_add(1, Ordering::Relaxed);
        let random = match self.random.lock() {
            Ok(mut random) => random.next_u64(),
            Err(poisoned) => poisoned.into_inner().next_u64(),
        };
        let millis = u64::try_from(now.0 / 1_000).unwrap_or(0) & 0xffff_ffff_ffff;
        let rand_a = count & 0xfff;
        let high = (millis << 16) | 0x7000 | rand_a;
        let low = 0x8000_0000_0000_0000 | (random & 0x3fff_ffff_ffff_ffff);
        Uuid::from_u64_pair(high, low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_version_seven_and_differ() {
        let ids = TimeOrderedIds::seeded([7; 32]);
        let now = Timestamp(1_800_000_000_000_000);
        let (first, second) = (ids.next(now), ids.next(now));
        assert_eq!(first.get_version_num(), 7);
        assert_eq!(first.get_variant(), uuid::Variant::RFC4122);
        assert!(first < second);
    }
}
