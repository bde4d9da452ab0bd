//! Instants, durations and the business day.
//!
//! An instant is microseconds since the Unix epoch in UTC, in the store as in memory: one
//! representation that compares the same on every database. Nothing here reads a clock; see
//! [`Clock`], which is passed in.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Microseconds in a second.
pub const MICROS: i64 = 1_000_000;

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This instant plus `seconds` (saturating; may be negative).
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(MICROS)))
    }

    /// Whole seconds from `earlier` to this instant; never negative, so that a clock that was set
    /// back cannot show a negative age (I25).
    #[must_use]
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        let micros = self.0.saturating_sub(earlier.0);
        if micros < 0 { 0 } else { micros / MICROS }
    }

    /// The instant as a calendar date and time in UTC; the epoch for values out of range.
    #[must_use]
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }

    /// RFC 3339 in UTC with milliseconds, for JSON and logs.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        self.to_utc().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
    }

    /// Hours and minutes in the site's zone, for screens.
    #[must_use]
    pub fn local_time(self, zone: Tz) -> NaiveTime {
        let local = self.to_utc().with_timezone(&zone).time();
        NaiveTime::from_hms_opt(local.hour(), local.minute(), local.second()).unwrap_or_default()
    }

    /// The business date of this instant: the calendar day in `zone`, where the hours before
    /// `cutoff` still belong to the day before (`business_day_cutoff`).
    #[must_use]
    pub fn business_date(self, zone: Tz, cutoff: NaiveTime) -> NaiveDate {
        let local = self.to_utc().with_timezone(&zone);
        let date = local.date_naive();
        if local.time() < cutoff { date.pred_opt().unwrap_or(date) } else { date }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(value: DateTime<Utc>) -> Self {
        Self(value.timestamp_micros())
    }
}

/// The start of a business date as an instant. In the hour that a daylight-saving change skips, the
/// first instant after the gap.
#[must_use]
pub fn business_day_start(date: NaiveDate, zone: Tz, cutoff: NaiveTime) -> Timestamp {
    let wanted = date.and_time(cutoff);
    let mut probe = wanted;
    for _ in 0..8 {
        if let Some(found) = zone.from_local_datetime(&probe).earliest() {
            return Timestamp::from(found.with_timezone(&Utc));
        }
        probe += chrono::Duration::minutes(30);
    }
    Timestamp::from(Utc.from_utc_datetime(&wanted))
}

/// `YYYYMMDD`, as order numbers carry it.
#[must_use]
pub fn compact_date(date: NaiveDate) -> String {
    format!("{:04}{:02}{:02}", date.year(), date.month(), date.day())
}

/// Where the current instant comes from. Passed in; the only implementation that reads the
/// machine's clock lives outside the domain.
pub trait Clock: Send + Sync {
    /// The current instant.
    fn now(&self) -> Timestamp;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from(DateTime::parse_from_rfc3339(text).expect("test date").with_timezone(&Utc))
    }

    fn four() -> NaiveTime {
        NaiveTime::from_hms_opt(4, 0, 0).expect("04:00")
    }

    #[test]
    fn the_small_hours_belong_to_the_day_before() {
        let zone = chrono_tz::Europe::Berlin;
        let day = |text| at(text).business_date(zone, four()).to_string();
        assert_eq!(day("2026-03-01T02:59:59Z"), "2026-02-28");
        assert_eq!(day("2026-03-01T03:00:00Z"), "2026-03-01");
    }

    #[test]
    fn a_day_that_starts_in_a_skipped_hour_starts_after_it() {
        let zone = chrono_tz::Europe::Berlin;
        let date = NaiveDate::from_ymd_opt(2026, 3, 29).expect("date");
        let cutoff = NaiveTime::from_hms_opt(2, 15, 0).expect("02:15");
        assert_eq!(business_day_start(date, zone, cutoff), at("2026-03-29T01:15:00Z"));
    }

    #[test]
    fn a_day_starts_at_its_cut_off_and_is_written_compactly() {
        let zone = chrono_tz::Asia::Kolkata;
        let date = NaiveDate::from_ymd_opt(2026, 3, 9).expect("date");
        let start = business_day_start(date, zone, four());
        assert_eq!(start, at("2026-03-08T22:30:00Z"));
        assert_eq!(start.business_date(zone, four()), date);
        assert_eq!(Timestamp(start.0 - 1).business_date(zone, four()).to_string(), "2026-03-08");
        assert_eq!(start.local_time(zone), four());
        assert_eq!(compact_date(date), "20260309");
        assert_eq!(Timestamp(1_500_000).to_string(), "1970-01-01T00:00:01.500Z");
        assert_eq!(Timestamp(1).plus_seconds(-2), Timestamp(1 - 2 * MICROS));
        assert_eq!(Timestamp(i64::MAX).plus_seconds(1), Timestamp(i64::MAX));
        assert_eq!(Timestamp(i64::MAX).to_utc(), DateTime::<Utc>::default());
    }

    #[test]
    fn ages_are_never_negative() {
        assert_eq!(Timestamp(5).seconds_since(Timestamp(9 * MICROS)), 0);
        assert_eq!(Timestamp(9 * MICROS).seconds_since(Timestamp(0)), 9);
    }
}
