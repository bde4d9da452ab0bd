//! The time slots of a site ("lunch, 12:00 to 15:00"): which one is on, and when the next one starts.
//!
//! Slots are times of day in the site's zone, so a day with a daylight-saving change moves them as the
//! clock on the wall moves. Counting orders against a slot's cap is the store's business; this file
//! only gives the key under which they are counted.

use crate::domain::error::Refused;
use crate::domain::text;
use crate::domain::time::Timestamp;
use chrono::{Days, Duration, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The longest name of a slot.
pub const MAX_SLOT_NAME: usize = 40;

/// The minutes of a day.
const DAY: u32 = 24 * 60;

/// A time of day during which orders are taken: from `start` on, before `end`.
///
/// An end before the start lies on the next day; an end equal to the start means the whole day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Name, unique in the site.
    pub name: String,
    /// The first minute.
    pub start: NaiveTime,
    /// The minute after the last.
    pub end: NaiveTime,
}

impl Slot {
    /// Whether the slot is on at this time of day.
    #[must_use]
    pub fn contains(&self, time: NaiveTime) -> bool {
        match self.start.cmp(&self.end) {
            std::cmp::Ordering::Less => self.start <= time && time < self.end,
            std::cmp::Ordering::Equal => true,
            std::cmp::Ordering::Greater => self.start <= time || time < self.end,
        }
    }

    /// The minutes of the day that the slot takes: first minute and length.
    fn span(&self) -> (u32, u32) {
        let (start, end) = (minute_of_day(self.start), minute_of_day(self.end));
        let length =
            if end > start { end.saturating_sub(start) } else { DAY.saturating_add(end).saturating_sub(start) };
        (start, length)
    }

    /// Whether some minute belongs to both slots: each starts inside the other or nowhere in it.
    fn overlaps(&self, other: &Self) -> bool {
        let (left, left_length) = self.span();
        let (right, right_length) = other.span();
        let ahead = |from: u32, to: u32| DAY.saturating_add(to).saturating_sub(from) % DAY;
        ahead(left, right) < left_length || ahead(right, left) < right_length
    }

    fn validate(&self) -> Result<(), Refused> {
        let refuse = |message: &str| Err(Refused::invalid("time_slots", message).with("slot", self.name.as_str()));
        if self.name.is_empty() || self.name.chars().count() > MAX_SLOT_NAME {
            return refuse("The name of a slot has 1 to 40 characters.");
        }
        if !text::is_clean(&self.name) || self.name.contains('\n') {
            return refuse("Remove control characters and extra spaces from the name of the slot.");
        }
        let whole_minute = |time: NaiveTime| time.second() == 0 && time.nanosecond() == 0;
        if !whole_minute(self.start) || !whole_minute(self.end) {
            return refuse("Slots start and end on the minute.");
        }
        Ok(())
    }
}

fn minute_of_day(time: NaiveTime) -> u32 {
    time.hour().saturating_mul(60).saturating_add(time.minute())
}

/// The slots of a site: names unique, none over another, in the order of their start.
///
/// In JSON as source 002 writes them: `{"breakfast":{"start":"07:00","end":"10:00"}}`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Slots(Vec<Slot>);

impl Slots {
    /// Checks and orders the slots.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` on `time_slots` for a bad name, seconds, a name twice or an overlap.
    pub fn new(mut slots: Vec<Slot>) -> Result<Self, Refused> {
        slots.sort_by(|left, right| (left.start, &left.name).cmp(&(right.start, &right.name)));
        for (index, slot) in slots.iter().enumerate() {
            slot.validate()?;
            for earlier in slots.iter().take(index) {
                let refuse = |message: String| {
                    let names = vec![earlier.name.clone(), slot.name.clone()];
                    Err(Refused::invalid("time_slots", message).with("slots", names))
                };
                if earlier.name == slot.name {
                    return refuse(format!("Two slots are called '{}'.", slot.name));
                }
                if earlier.overlaps(slot) {
                    return refuse(format!("The slots '{}' and '{}' overlap.", earlier.name, slot.name));
                }
            }
        }
        Ok(Self(slots))
    }

    /// The slots in the order of their start.
    #[must_use]
    pub fn as_slice(&self) -> &[Slot] {
        &self.0
    }

    /// The slot of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Slot> {
        self.0.iter().find(|slot| slot.name == name)
    }

    /// The slot that is on at a time of day.
    #[must_use]
    pub fn slot_at(&self, local: NaiveTime) -> Option<&Slot> {
        self.0.iter().find(|slot| slot.contains(local))
    }

    /// The slot that is on at an instant. In the hour that a daylight-saving change repeats, a slot is
    /// on whenever the wall clock says so, so one that ends within it is on twice.
    #[must_use]
    pub fn slot_now(&self, now: Timestamp, zone: Tz) -> Option<&Slot> {
        self.slot_at(now.local_time(zone))
    }

    /// The slot that starts next after `now`, and the instant. A start in an hour that the clock skips
    /// is the first instant after it, if the slot is then still on; a start in a repeated hour counts
    /// both times. `None` if no slot starts within the next days.
    #[must_use]
    pub fn next_start(&self, now: Timestamp, zone: Tz) -> Option<(&Slot, Timestamp)> {
        let today = now.to_utc().with_timezone(&zone).date_naive();
        (0..4_u64)
            .filter_map(|ahead| today.checked_add_days(Days::new(ahead)))
            .flat_map(|date| self.0.iter().map(move |slot| (slot, date.and_time(slot.start))))
            .flat_map(|(slot, wall)| instants(wall, zone).into_iter().flatten().map(move |instant| (slot, instant)))
            .filter(|(slot, instant)| *instant > now && slot.contains(instant.local_time(zone)))
            .min_by_key(|(_, instant)| *instant)
    }
}

/// The instants at which the wall clock shows `wall`: one, two in a repeated hour, or the first after
/// an hour that is skipped.
fn instants(wall: NaiveDateTime, zone: Tz) -> [Option<Timestamp>; 2] {
    // A zone that moves over the date line skips a whole day.
    for minutes in 0..=26 * 60 {
        let Some(probe) = wall.checked_add_signed(Duration::minutes(minutes)) else { break };
        let found = zone.from_local_datetime(&probe);
        if let Some(earliest) = found.earliest() {
            let later = found.latest().filter(|latest| *latest != earliest && minutes == 0);
            return [Some(earliest), later]
                .map(|instant| instant.map(|instant| Timestamp::from(instant.with_timezone(&Utc))));
        }
    }
    [None, None]
}

/// The key under which orders of a slot are counted: the business date of the order and the slot.
#[must_use]
pub fn slot_key(business_date: NaiveDate, slot: &str) -> String {
    format!("{}/{slot}", business_date.format("%Y-%m-%d"))
}

/// Start and end of a slot as they stand in JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hours {
    start: String,
    end: String,
}

/// Reads `HH:MM`; `24:00` is the midnight at the end of the day.
fn parse_time(text: &str) -> Option<NaiveTime> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !two_digits(hour) || !two_digits(minute) {
        return None;
    }
    match (hour.parse().ok()?, minute.parse().ok()?) {
        (24, 0) => Some(NaiveTime::MIN),
        (hour, minute) => NaiveTime::from_hms_opt(hour, minute, 0),
    }
}

fn format_time(time: NaiveTime) -> String {
    time.format("%H:%M").to_string()
}

impl Serialize for Slots {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for slot in &self.0 {
            let hours = Hours { start: format_time(slot.start), end: format_time(slot.end) };
            map.serialize_entry(&slot.name, &hours)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Slots {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SlotsVisitor;
        impl<'de> Visitor<'de> for SlotsVisitor {
            type Value = Slots;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("slots by name, each with start and end as HH:MM")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Slots, A::Error> {
                use serde::de::Error;
                let mut slots = Vec::new();
                while let Some((name, hours)) = map.next_entry::<String, Hours>()? {
                    let time = |text: &str| {
                        parse_time(text).ok_or_else(|| A::Error::custom("Write the time as HH:MM, such as 07:00."))
                    };
                    slots.push(Slot { start: time(&hours.start)?, end: time(&hours.end)?, name });
                }
                Slots::new(slots).map_err(|refused| A::Error::custom(refused.message))
            }
        }
        deserializer.deserialize_map(SlotsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use proptest::prelude::*;

    const DEFAULT: &str = r#"{"breakfast":{"start":"07:00","end":"10:00"},"lunch":{"start":"12:00","end":"15:00"},"dinner":{"start":"18:00","end":"22:00"}}"#;

    fn slots(json: &str) -> Slots {
        serde_json::from_str(json).expect("valid slots")
    }

    fn time(text: &str) -> NaiveTime {
        parse_time(text).expect("time")
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::from(DateTime::parse_from_rfc3339(text).expect("date").with_timezone(&Utc))
    }

    fn name(slot: Option<&Slot>) -> Option<&str> {
        slot.map(|slot| slot.name.as_str())
    }

    #[test]
    fn json_keeps_the_order_of_start() {
        assert_eq!(serde_json::to_string(&slots(DEFAULT)).expect("json"), DEFAULT);
        // A JSON value sorts by name; reading it back sorts by start again.
        let value: serde_json::Value = serde_json::from_str(DEFAULT).expect("json");
        assert_eq!(serde_json::from_value::<Slots>(value).expect("slots"), slots(DEFAULT));
    }

    #[test]
    fn bad_slots_are_refused() {
        for bad in [
            r#"{"a":{"start":"7:00","end":"10:00"}}"#,
            r#"{"a":{"start":"07:00","end":"25:00"}}"#,
            r#"{"a":{"start":"07:00"}}"#,
            r#"{"a":{"start":"07:00","end":"10:00","cap":3}}"#,
            r#"{"":{"start":"07:00","end":"10:00"}}"#,
            r#"{"a":{"start":"07:00","end":"10:00"},"a":{"start":"12:00","end":"13:00"}}"#,
            r#"{"a":{"start":"07:00","end":"10:00"},"b":{"start":"09:59","end":"13:00"}}"#,
            r#"{"a":{"start":"22:00","end":"02:00"},"b":{"start":"01:00","end":"03:00"}}"#,
            r#"{"a":{"start":"00:00","end":"24:00"},"b":{"start":"01:00","end":"03:00"}}"#,
            "[]",
        ] {
            assert!(serde_json::from_str::<Slots>(bad).is_err(), "{bad}");
        }
        slots(r#"{"a":{"start":"07:00","end":"10:00"},"b":{"start":"10:00","end":"07:00"}}"#);
    }

    #[test]
    fn names_and_minutes_are_whole() {
        let one = |name: &str, start: NaiveTime, end: NaiveTime| {
            Slots::new(vec![Slot { name: name.to_owned(), start, end }]).map(|slots| slots.as_slice().len())
        };
        let (noon, three) = (time("12:00"), time("15:00"));
        assert_eq!(one(&"x".repeat(40), noon, three).expect("forty characters"), 1);
        for bad in [&"x".repeat(41), "", "a\nb", " lunch", "lun\u{200b}ch"] {
            assert!(one(bad, noon, three).is_err(), "{bad:?}");
        }
        let odd = |second, nano| NaiveTime::from_hms_nano_opt(14, 0, second, nano).expect("time");
        for (start, end) in [(odd(1, 0), three), (odd(0, 1), three), (noon, odd(1, 0)), (noon, odd(0, 1))] {
            assert!(one("lunch", start, end).is_err(), "{start} to {end}");
        }
        let slots = slots(DEFAULT);
        assert_eq!(name(slots.get("lunch")), Some("lunch"));
        assert_eq!(name(slots.get("brunch")), None);
        let error = serde_json::from_str::<Slots>("[]").expect_err("no list").to_string();
        assert!(error.contains("each with start and end as HH:MM"), "{error}");
    }

    #[test]
    fn gaps_belong_to_no_slot() {
        // invariants.md, Order: no slot now (10:30).
        let slots = slots(DEFAULT);
        for (local, expected) in [
            ("06:59", None),
            ("07:00", Some("breakfast")),
            ("09:59", Some("breakfast")),
            ("10:00", None),
            ("10:30", None),
            ("21:59", Some("dinner")),
        ] {
            assert_eq!(name(slots.slot_at(time(local))), expected, "{local}");
        }
    }

    #[test]
    fn a_slot_may_go_over_midnight_or_last_all_day() {
        // invariants.md, Order: slot over midnight.
        let night = slots(r#"{"night":{"start":"22:00","end":"02:00"}}"#);
        let on = |text| night.slot_at(time(text)).is_some();
        assert!(on("23:59") && on("00:00") && on("01:59") && !on("02:00") && !on("21:59"));
        let all_day = slots(r#"{"all day":{"start":"00:00","end":"24:00"}}"#);
        assert!(all_day.slot_at(time("00:00")).is_some() && all_day.slot_at(time("23:59")).is_some());
    }

    #[test]
    fn the_next_start_may_be_tomorrow() {
        let slots = slots(DEFAULT);
        let zone = chrono_tz::Asia::Kolkata;
        let next = |now| slots.next_start(at(now), zone).map(|(slot, start)| (slot.name.as_str(), start.to_rfc3339()));
        assert_eq!(next("2026-05-01T05:00:00Z"), Some(("lunch", "2026-05-01T06:30:00.000Z".to_owned())));
        assert_eq!(next("2026-05-01T06:30:00Z"), Some(("dinner", "2026-05-01T12:30:00.000Z".to_owned())));
        assert_eq!(next("2026-05-01T17:00:00Z"), Some(("breakfast", "2026-05-02T01:30:00.000Z".to_owned())));
        assert_eq!(Slots::default().next_start(at("2026-05-01T17:00:00Z"), zone), None);
    }

    #[test]
    fn a_skipped_hour_moves_the_start_and_shortens_the_slot() {
        // invariants.md, Order: daylight-saving day. Berlin goes from 02:00 to 03:00 on 2026-03-29.
        let zone = chrono_tz::Europe::Berlin;
        let early = slots(r#"{"early":{"start":"02:30","end":"05:00"}}"#);
        let next = early.next_start(at("2026-03-29T00:30:00Z"), zone).map(|(_, start)| start);
        assert_eq!(next, Some(at("2026-03-29T01:00:00Z")));
        assert!(early.slot_now(at("2026-03-29T00:59:59Z"), zone).is_none());
        assert!(early.slot_now(at("2026-03-29T01:00:00Z"), zone).is_some());
        // A slot that lies wholly in the skipped hour does not happen that day.
        let lost = slots(r#"{"lost":{"start":"02:00","end":"03:00"}}"#);
        let next = lost.next_start(at("2026-03-29T00:30:00Z"), zone).map(|(_, start)| start);
        assert_eq!(next, Some(at("2026-03-30T00:00:00Z")));
    }

    #[test]
    fn a_repeated_hour_follows_the_wall_clock() {
        // Berlin goes from 03:00 back to 02:00 on 2026-10-25.
        let zone = chrono_tz::Europe::Berlin;
        let late = slots(r#"{"late":{"start":"02:15","end":"02:30"}}"#);
        let on = |text| late.slot_now(at(text), zone).is_some();
        assert!(on("2026-10-25T00:15:00Z") && !on("2026-10-25T00:30:00Z") && on("2026-10-25T01:15:00Z"));
        let next = |text| late.next_start(at(text), zone).map(|(_, start)| start);
        assert_eq!(next("2026-10-25T00:00:00Z"), Some(at("2026-10-25T00:15:00Z")));
        assert_eq!(next("2026-10-25T00:15:00Z"), Some(at("2026-10-25T01:15:00Z")));
        assert_eq!(next("2026-10-25T01:15:00Z"), Some(at("2026-10-26T01:15:00Z")));
    }

    #[test]
    fn orders_are_counted_by_business_date_and_slot() {
        let date = NaiveDate::from_ymd_opt(2026, 3, 9).expect("date");
        assert_eq!(slot_key(date, "lunch"), "2026-03-09/lunch");
    }

    proptest! {
        #[test]
        fn accepted_slots_never_share_a_minute(bounds in prop::collection::vec((0_u32..24, 0_u32..24), 1..5)) {
            let hour = |hour| NaiveTime::from_hms_opt(hour, 0, 0).expect("hour");
            let list: Vec<Slot> = bounds
                .iter()
                .enumerate()
                .map(|(index, (start, end))| Slot { name: index.to_string(), start: hour(*start), end: hour(*end) })
                .collect();
            let shared = (0..24).any(|now| list.iter().filter(|slot| slot.contains(hour(now))).count() > 1);
            prop_assert_eq!(Slots::new(list).is_err(), shared);
        }

        #[test]
        fn the_next_start_is_a_start(now in 0_i64..4_000_000_000, zone in prop::sample::select(vec![
            chrono_tz::Europe::Berlin, chrono_tz::Australia::Lord_Howe, chrono_tz::America::New_York, chrono_tz::Asia::Kolkata,
        ])) {
            let (slots, now) = (slots(DEFAULT), Timestamp(0).plus_seconds(now));
            let (slot, start) = slots.next_start(now, zone).expect("there are slots");
            prop_assert!(start > now && start.seconds_since(now) <= 26 * 3600);
            prop_assert_eq!(slots.slot_now(start, zone), Some(slot));
            prop_assert_ne!(slots.slot_now(start.plus_seconds(-1), zone), Some(slot));
        }

        #[test]
        fn any_json_is_read_or_refused(text in any::<String>()) {
            let _ = serde_json::from_str::<Slots>(&text);
            let _ = parse_time(&text);
        }
    }
}
