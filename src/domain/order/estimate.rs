//! How long the kitchen will need: the estimate that an accept carries (003-020).
//!
//! The rule: the longest preparation time among the lines, plus half of it again for every three
//! tickets that stand before this one, and never less than a minute. It is a promise to a hungry
//! person: rough, but never absurd, so the queue's part is capped at an hour.

/// More tickets than these put nothing off any further, so that nobody need count them.
pub const MOST_AHEAD: i64 = 360;

/// Minutes until an order with `longest_prep_minutes` is ready behind `tickets_ahead` others.
#[must_use]
pub fn estimate_minutes(longest_prep_minutes: i64, tickets_ahead: i64) -> i64 {
    let prep = longest_prep_minutes.clamp(1, 600);
    let queue = prep.saturating_mul(tickets_ahead.clamp(0, 1_000)) / 6;
    prep.saturating_add(queue.min(60))
}

#[cfg(test)]
mod tests {
    use super::{MOST_AHEAD, estimate_minutes};

    #[test]
    fn an_empty_kitchen_needs_the_longest_line() {
        assert_eq!(estimate_minutes(8, 0), 8);
        assert_eq!(estimate_minutes(0, 0), 1);
    }

    #[test]
    fn the_queue_adds_up_to_an_hour() {
        assert_eq!(estimate_minutes(8, 3), 12);
        assert_eq!(estimate_minutes(8, 1_000_000), 68);
        assert_eq!(estimate_minutes(i64::MAX, i64::MAX), 660);
    }

    #[test]
    fn more_than_the_most_change_nothing() {
        for prep in 0..=600 {
            assert_eq!(estimate_minutes(prep, MOST_AHEAD), estimate_minutes(prep, i64::MAX), "{prep} minutes");
        }
    }
}
