//! When a counted thing will run out today if it goes on selling as it has so far. Pure: the figures,
//! the slots and the instant are passed in.
//!
//! The formula, in open time only (the hours in which the slots of the site take orders):
//!
//! ```text
//! rate     = sold since the business day began / open seconds since then
//! seconds  = available / rate = available × open seconds / sold, rounded up
//! runs out = the instant at which so many open seconds have passed from now on
//! ```
//!
//! Nothing sold, or no open time yet, says nothing; what would last beyond the end of the business day
//! lasts.

use super::slot::Slots;
use super::time::{MICROS, Timestamp, business_day_start};
use chrono::{Days, NaiveDate, NaiveTime};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// What the rate of today says about one counted thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "at")]
pub enum Forecast {
    /// Nothing is left already.
    Out,
    /// At this rate it is gone at this instant.
    RunsOut(Timestamp),
    /// At this rate it lasts to the end of the business day.
    Lasts,
    /// Nothing was sold today, or the house was not open yet: nothing can be said.
    Unknown,
}

/// The open hours of one business day: stretches of time that do not overlap, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenHours(Vec<(Timestamp, Timestamp)>);

impl OpenHours {
    /// The open hours of the business day `date` (from cut-off to cut-off) in `zone`.
    #[must_use]
    pub fn of(date: NaiveDate, slots: &Slots, zone: Tz, cutoff: NaiveTime) -> Self {
        let next = |date: NaiveDate| date.checked_add_days(Days::new(1)).unwrap_or(date);
        let (begins, ends) = (business_day_start(date, zone, cutoff), business_day_start(next(date), zone, cutoff));
        // A slot over midnight may have begun on the day before, one after midnight on the day after.
        let days = [date.pred_opt().unwrap_or(date), date, next(date)];
        let mut open: Vec<(Timestamp, Timestamp)> = Vec::new();
        for day in days {
            for slot in slots.as_slice() {
                let last_day = if slot.end <= slot.start { next(day) } else { day };
                let from = business_day_start(day, zone, slot.start).max(begins);
                let to = business_day_start(last_day, zone, slot.end).min(ends);
                if from < to {
                    open.push((from, to));
                }
            }
        }
        open.sort_unstable();
        // Where two days meet, or a clock change lays one over the other, no second counts twice.
        let mut merged: Vec<(Timestamp, Timestamp)> = Vec::with_capacity(open.len());
        for (from, to) in open {
            match merged.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => merged.push((from, to)),
            }
        }
        Self(merged)
    }

    /// Open microseconds until `now`.
    fn micros_until(&self, now: Timestamp) -> i64 {
        let until = |(from, to): &(Timestamp, Timestamp)| to.0.min(now.0).saturating_sub(from.0).max(0);
        self.0.iter().map(until).fold(0, i64::saturating_add)
    }

    /// Open seconds of the day until `now`.
    #[must_use]
    pub fn seconds_until(&self, now: Timestamp) -> i64 {
        self.micros_until(now) / MICROS
    }

    /// The instant at which so many open microseconds have passed since `now`; `None` if the day ends
    /// before.
    fn after(&self, now: Timestamp, micros: i128) -> Option<Timestamp> {
        let mut left = micros;
        for (from, to) in &self.0 {
            let from = (*from).max(now);
            if from >= *to {
                continue;
            }
            let length = i128::from(to.0.saturating_sub(from.0));
            if left <= length {
                return Some(Timestamp(from.0.saturating_add(i64::try_from(left).ok()?)));
            }
            left = left.saturating_sub(length);
        }
        None
    }

    /// What the sales of today say: `sold` units since the business day began, `available` units left.
    #[must_use]
    pub fn forecast(&self, sold: i64, available: i64, now: Timestamp) -> Forecast {
        if available <= 0 {
            return Forecast::Out;
        }
        let open = self.micros_until(now);
        if sold <= 0 || open <= 0 {
            return Forecast::Unknown;
        }
        let (open, sold) = (i128::from(open), i128::from(sold));
        let product = i128::from(available).saturating_mul(open);
        let needed = product.saturating_add(sold.saturating_sub(1)) / sold;
        self.after(now, needed).map_or(Forecast::Lasts, Forecast::RunsOut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::slot::Slot;
    use chrono::DateTime;

    fn at(text: &str) -> Timestamp {
        Timestamp::from(DateTime::parse_from_rfc3339(text).expect("test date").with_timezone(&chrono::Utc))
    }

    fn slots(hours: &[(&str, &str)]) -> Slots {
        let time = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").expect("time");
        let slot = |(index, (start, end)): (usize, &(&str, &str))| Slot {
            name: format!("slot {index}"),
            start: time(start),
            end: time(end),
        };
        Slots::new(hours.iter().enumerate().map(slot).collect()).expect("slots")
    }

    fn hours(date: &str, spans: &[(&str, &str)], zone: Tz) -> OpenHours {
        let cutoff = NaiveTime::from_hms_opt(4, 0, 0).expect("04:00");
        OpenHours::of(date.parse().expect("date"), &slots(spans), zone, cutoff)
    }

    #[test]
    fn what_sells_at_a_steady_rate_runs_out_when_the_rate_says() {
        let open = hours("2026-03-02", &[("12:00", "15:00"), ("18:00", "22:00")], Tz::UTC);
        // 10 in one hour, 15 left: an hour and a half.
        let now = at("2026-03-02T13:00:00Z");
        assert_eq!(open.forecast(10, 15, now), Forecast::RunsOut(at("2026-03-02T14:30:00Z")));
        // 20 left would need two hours, which is exactly the end of lunch.
        assert_eq!(open.forecast(10, 20, now), Forecast::RunsOut(at("2026-03-02T15:00:00Z")));
        // 30 left: two hours of lunch, and the third begins dinner.
        assert_eq!(open.forecast(10, 30, now), Forecast::RunsOut(at("2026-03-02T19:00:00Z")));
        assert_eq!(open.forecast(10, 60, now), Forecast::RunsOut(at("2026-03-02T22:00:00Z")));
        assert_eq!(open.forecast(10, 61, now), Forecast::Lasts);
    }

    #[test]
    fn closed_time_neither_slows_the_rate_nor_is_sold_in() {
        let open = hours("2026-03-02", &[("12:00", "15:00"), ("18:00", "22:00")], Tz::UTC);
        // At five in the afternoon three hours were open: 30 sold are 10 an hour.
        let now = at("2026-03-02T17:00:00Z");
        assert_eq!(open.seconds_until(now), 3 * 3_600);
        assert_eq!(open.forecast(30, 10, now), Forecast::RunsOut(at("2026-03-02T19:00:00Z")));
    }

    #[test]
    fn without_sales_or_time_nothing_is_said_and_nothing_left_is_out() {
        let open = hours("2026-03-02", &[("12:00", "15:00")], Tz::UTC);
        let noon = at("2026-03-02T12:00:00Z");
        assert_eq!(open.forecast(5, 5, noon), Forecast::Unknown, "no open time yet");
        let later = at("2026-03-02T13:00:00Z");
        for sold in [0, -1, i64::MIN] {
            assert_eq!(open.forecast(sold, 5, later), Forecast::Unknown);
        }
        for available in [0, -1] {
            assert_eq!(open.forecast(5, available, later), Forecast::Out);
        }
        assert_eq!(open.forecast(1, i64::MAX, later), Forecast::Lasts);
        assert_eq!(hours("2026-03-02", &[], Tz::UTC).forecast(5, 5, later), Forecast::Unknown);
    }

    #[test]
    fn a_slot_over_midnight_belongs_to_the_business_day_it_began_in() {
        let open = hours("2026-03-02", &[("20:00", "02:00")], Tz::UTC);
        assert_eq!(open.seconds_until(at("2026-03-02T21:00:00Z")), 3_600);
        let now = at("2026-03-03T00:00:00Z");
        assert_eq!(open.forecast(40, 10, now), Forecast::RunsOut(at("2026-03-03T01:00:00Z")));
        assert_eq!(open.forecast(40, 21, now), Forecast::Lasts);
        // Round the clock: the day is from cut-off to cut-off.
        let always = hours("2026-03-02", &[("00:00", "00:00")], Tz::UTC);
        assert_eq!(always.seconds_until(at("2026-03-02T05:00:00Z")), 3_600);
        assert_eq!(always.seconds_until(at("2026-03-09T05:00:00Z")), 24 * 3_600);
    }

    #[test]
    fn a_day_with_a_clock_change_is_as_long_as_it_is() {
        let zone = chrono_tz::Europe::Berlin;
        // 28 March 04:00 to 29 March 04:00 lasts 23 hours, 24 to 25 October 25 hours.
        for (date, after, hours_open) in
            [("2026-03-28", "2026-03-30T00:00:00Z", 23), ("2026-10-24", "2026-10-26T00:00:00Z", 25)]
        {
            let always = hours(date, &[("00:00", "00:00")], zone);
            assert_eq!(always.seconds_until(at(after)), hours_open * 3_600, "{date}");
        }
    }
}
