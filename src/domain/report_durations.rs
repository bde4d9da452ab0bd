//! Durations of the speed of service: percentiles, and the compact form in which the durations of an
//! hour are kept, so that percentiles over any range of days are exact and no average of averages.
//! Which durations are counted is `report.rs`' business and the store's.
//!
//! **Percentile** is the nearest-rank one: the p-th percentile of n values is the ⌈p/100 × n⌉-th
//! smallest. It is always a value that really happened; the median of an even number of values is the
//! lower of the two in the middle.
//!
//! **Form**: numbers are written seven bits a byte with the lowest first, the eighth bit set on every
//! byte but a number's last. Durations are whole seconds in ascending order, each as its difference to the
//! one before. An hour is its number, how many were late, and the two lists (ready, promised), each with
//! its length in bytes before it.

use super::error::Refused;
use std::collections::BTreeMap;

/// Durations below this many seconds (four hours) are counted in a row, the others one by one.
const SHORT: usize = 4 * 3_600;

/// Durations counted by their length: adding one is one step, and a year of them takes no more room than
/// a day. Exact, as long as whole seconds are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many took so many seconds; as long as the longest of them.
    short: Vec<u32>,
    longer: BTreeMap<u32, u32>,
    count: usize,
}

impl Tally {
    /// Adds a duration, in seconds.
    pub fn add(&mut self, seconds: u32) {
        self.add_times(seconds, 1);
    }

    fn add_times(&mut self, seconds: u32, times: u32) {
        self.count = self.count.saturating_add(usize::try_from(times).unwrap_or(usize::MAX));
        let at = usize::try_from(seconds).unwrap_or(usize::MAX);
        let counted = if at < SHORT {
            if at >= self.short.len() {
                self.short.resize(at.saturating_add(1), 0);
            }
            self.short.get_mut(at)
        } else {
            Some(self.longer.entry(seconds).or_default())
        };
        if let Some(counted) = counted {
            *counted = counted.saturating_add(times);
        }
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        for (seconds, times) in other.lengths() {
            self.add_times(seconds, times);
        }
    }

    /// How many durations there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Every length with how often it was, the shortest first.
    fn lengths(&self) -> impl Iterator<Item = (u32, u32)> {
        let short = (0_u32..).zip(self.short.iter().copied()).filter(|(_, times)| *times > 0);
        short.chain(self.longer.iter().map(|(seconds, times)| (*seconds, *times)))
    }

    /// The nearest-rank percentile; `None` of nothing.
    #[must_use]
    pub fn percentile(&self, percent: u8) -> Option<u32> {
        // ⌈percent × count / 100⌉, and the first for 0.
        let rank = self.count.checked_mul(usize::from(percent.min(100)))?.div_ceil(100).max(1);
        let mut passed = 0_usize;
        self.lengths().find_map(|(seconds, times)| {
            passed = passed.saturating_add(usize::try_from(times).unwrap_or(usize::MAX));
            (passed >= rank).then_some(seconds)
        })
    }
}

/// The durations of one hour of many days, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HourTally {
    /// From received to ready.
    pub ready: Tally,
    /// What was promised of those that had a promise, from received.
    pub promised: Tally,
    /// How many were ready after the promised instant.
    pub late: i64,
}

impl HourTally {
    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        self.ready.merge(&other.ready);
        self.promised.merge(&other.promised);
        self.late = self.late.saturating_add(other.late);
    }
}

/// The durations of one hour.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HourDurations {
    /// The hour, 0 to 23.
    pub hour: u8,
    /// From received to ready, in seconds.
    pub ready: Vec<u32>,
    /// What was promised of those that had a promise, in seconds from received.
    pub promised: Vec<u32>,
    /// How many were ready after the promised instant.
    pub late: u32,
}

fn broken() -> Refused {
    Refused::internal("kept durations cannot be read")
}

fn push_number(bytes: &mut Vec<u8>, mut number: u32) {
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or(0x7f);
        number >>= 7;
        if number == 0 {
            return bytes.push(low);
        }
        bytes.push(low | 0x80);
    }
}

/// Takes a number off the front.
fn take_number(bytes: &mut &[u8]) -> Result<u32, Refused> {
    let (mut number, mut shift) = (0_u32, 0_u32);
    loop {
        let (byte, rest) = bytes.split_first().ok_or_else(broken)?;
        *bytes = rest;
        let bits = u32::from(byte & 0x7f);
        // The fifth byte has room for four bits.
        if shift > 28 || (shift == 28 && bits > 0x0f) {
            return Err(broken());
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
        shift += 7;
    }
}

fn push_list(bytes: &mut Vec<u8>, seconds: &mut [u32]) -> Result<(), Refused> {
    seconds.sort_unstable();
    let mut list = Vec::with_capacity(seconds.len().saturating_mul(2));
    let mut before = 0_u32;
    for value in seconds {
        push_number(&mut list, value.saturating_sub(before));
        before = *value;
    }
    push_number(bytes, u32::try_from(list.len()).map_err(|_| Refused::internal("too many durations for one hour"))?);
    bytes.extend(list);
    Ok(())
}

/// Takes a list off the front, and hands over each of its durations.
fn each_of_list(bytes: &mut &[u8], mut take: impl FnMut(u32)) -> Result<(), Refused> {
    let length = usize::try_from(take_number(bytes)?).map_err(Refused::internal)?;
    let (list, rest) = bytes.split_at_checked(length).ok_or_else(broken)?;
    *bytes = rest;
    let (mut number, mut shift, mut before) = (0_u32, 0_u32, 0_u32);
    // A year has millions of them, so this goes byte by byte instead of asking `take_number`.
    for byte in list {
        let bits = u32::from(byte & 0x7f);
        if shift >= 28 && (shift > 28 || bits > 0x0f) {
            return Err(broken());
        }
        number |= bits << shift;
        if byte & 0x80 != 0 {
            shift += 7;
            continue;
        }
        before = before.checked_add(number).ok_or_else(broken)?;
        take(before);
        (number, shift) = (0, 0);
    }
    if shift == 0 { Ok(()) } else { Err(broken()) }
}

/// The head of an hour: which one, and how many were late.
fn take_hour(bytes: &mut &[u8]) -> Result<(u8, u32), Refused> {
    let hour = u8::try_from(take_number(bytes)?).ok().filter(|hour| *hour < 24).ok_or_else(broken)?;
    Ok((hour, take_number(bytes)?))
}

/// The compact form of the hours of a day. Sorts their durations.
///
/// # Errors
/// `INTERNAL_ERROR` for more durations in an hour than 4 GiB hold.
pub fn pack(hours: &mut [HourDurations]) -> Result<Vec<u8>, Refused> {
    hours.sort_unstable_by_key(|hour| hour.hour);
    let mut bytes = Vec::new();
    for hour in hours {
        push_number(&mut bytes, u32::from(hour.hour));
        push_number(&mut bytes, hour.late);
        push_list(&mut bytes, &mut hour.ready)?;
        push_list(&mut bytes, &mut hour.promised)?;
    }
    Ok(bytes)
}

/// Counts the durations of a compact form into their hours.
///
/// # Errors
/// `INTERNAL_ERROR` for bytes that [`pack`] never makes; what was read before them is counted.
pub fn tally(mut bytes: &[u8], hours: &mut BTreeMap<u8, HourTally>) -> Result<(), Refused> {
    while !bytes.is_empty() {
        let (hour, late) = take_hour(&mut bytes)?;
        let counted = hours.entry(hour).or_default();
        counted.late = counted.late.saturating_add(i64::from(late));
        each_of_list(&mut bytes, |seconds| counted.ready.add(seconds))?;
        each_of_list(&mut bytes, |seconds| counted.promised.add(seconds))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counted(values: &[u32]) -> Tally {
        let mut tally = Tally::default();
        values.iter().for_each(|value| tally.add(*value));
        tally
    }

    /// The hours of a compact form, durations one by one.
    fn unpack(mut bytes: &[u8]) -> Result<Vec<HourDurations>, Refused> {
        let mut hours = Vec::new();
        while !bytes.is_empty() {
            let (hour, late) = take_hour(&mut bytes)?;
            let mut durations = HourDurations { hour, late, ..HourDurations::default() };
            each_of_list(&mut bytes, |seconds| durations.ready.push(seconds))?;
            each_of_list(&mut bytes, |seconds| durations.promised.push(seconds))?;
            hours.push(durations);
        }
        Ok(hours)
    }

    #[test]
    fn the_nearest_rank_by_hand() {
        let of = |values: &[u32], percent| counted(values).percentile(percent);
        assert_eq!(of(&[], 50), None);
        assert_eq!((of(&[7], 0), of(&[7], 50), of(&[7], 100)), (Some(7), Some(7), Some(7)));
        assert_eq!(of(&[4, 1, 3, 2], 50), Some(2), "the lower middle");
        assert_eq!(of(&[4, 1, 3, 2, 5], 50), Some(3));
        let ten: Vec<u32> = (1..=10).rev().collect();
        assert_eq!((of(&ten, 90), of(&ten, 91), of(&ten, 100)), (Some(9), Some(10), Some(10)));
    }

    #[test]
    fn bytes_of_no_durations_are_refused_without_a_panic() {
        let long = [0xff, 0xff, 0xff, 0xff, 0x10];
        let sum = [5, 0, 10, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xff, 0xff, 0xff, 0xff, 0x0f, 0];
        for bytes in [&[24, 0, 0, 0][..], &[0x80], &[0xff; 6], &long, &[1, 0, 2, 1], &[1, 0, 1, 0x80, 0], &[1], &sum] {
            assert!(unpack(bytes).is_err(), "{bytes:?}");
            assert!(tally(bytes, &mut BTreeMap::new()).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn a_quiet_hour_takes_a_few_bytes() {
        let mut hours = [HourDurations { hour: 9, ready: vec![300, 200, 310], promised: vec![480], late: 1 }];
        let bytes = pack(&mut hours).expect("packed");
        assert_eq!(bytes, [9, 1, 4, 0xc8, 0x01, 100, 10, 2, 0xe0, 0x03]);
        assert_eq!(unpack(&bytes).expect("packed here"), hours);
    }

    #[test]
    fn the_tallies_of_two_days_are_one() {
        let promised = counted(&[9]);
        let mut both = HourTally { ready: counted(&[5, 7]), promised: promised.clone(), late: 1 };
        assert!(!both.ready.is_empty() && Tally::default().is_empty());
        both.merge(&HourTally { ready: counted(&[7, 20_000]), promised: Tally::default(), late: 2 });
        assert_eq!(both, HourTally { ready: counted(&[5, 7, 7, 20_000]), promised, late: 3 });
        assert_eq!(both.ready.len(), 4);
    }

    #[test]
    fn the_largest_number_is_read_and_none_above_it() {
        let mut hours = [HourDurations { hour: 23, ready: vec![u32::MAX, 0], promised: vec![], late: u32::MAX }];
        let bytes = pack(&mut hours).expect("packed");
        assert_eq!(unpack(&bytes).expect("packed here"), hours);
        let mut tallies = BTreeMap::new();
        tally(&bytes, &mut tallies).expect("packed here");
        assert_eq!(
            tallies[&23],
            HourTally { ready: counted(&[0, u32::MAX]), promised: counted(&[]), late: u32::MAX.into() }
        );
        // In a list as well: a bit more than a number has, and a sixth byte.
        for list in [&[0xff, 0xff, 0xff, 0xff, 0x10][..], &[0x80, 0x80, 0x80, 0x80, 0x80, 0]] {
            let length = u8::try_from(list.len()).expect("short");
            let bytes = [&[1, 0, length][..], list, &[0]].concat();
            assert!(unpack(&bytes).is_err() && tally(&bytes, &mut BTreeMap::new()).is_err(), "{list:?}");
        }
    }

    fn list() -> impl Strategy<Value = Vec<u32>> {
        prop::collection::vec(any::<u32>(), 0..50)
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_back_in_order(lists in prop::collection::vec((list(), list(), any::<u32>()), 0..24)) {
            let mut hours: Vec<HourDurations> = (0..24)
                .zip(lists)
                .map(|(hour, (ready, promised, late))| HourDurations { hour, ready, promised, late })
                .collect();
            hours.reverse();
            let bytes = pack(&mut hours).expect("packed");
            // `pack` has sorted them.
            prop_assert_eq!(&unpack(&bytes).expect("packed here"), &hours);
            let mut tallies = BTreeMap::new();
            // Two days alike.
            tally(&bytes, &mut tallies).expect("packed here");
            tally(&bytes, &mut tallies).expect("packed here");
            for hour in hours {
                let mut twice = counted(&[hour.ready.clone(), hour.ready].concat());
                let found = tallies.remove(&hour.hour).expect("the hour");
                prop_assert_eq!((&found.ready, found.late), (&twice, 2 * i64::from(hour.late)));
                twice.merge(&counted(&hour.promised));
                prop_assert_eq!(twice.len(), found.ready.len() + hour.promised.len());
            }
        }

        #[test]
        fn the_percentile_is_the_smallest_value_that_covers_its_part(
            values in prop::collection::vec(prop_oneof![0_u32..1_000, 14_000_u32..15_000, any::<u32>()], 1..200),
            percent in 1_u8..=100,
        ) {
            let found = counted(&values).percentile(percent).expect("not empty");
            let covered = |limit: u32| values.iter().filter(|value| **value <= limit).count() * 100;
            let wanted = usize::from(percent) * values.len();
            prop_assert!(values.contains(&found) && covered(found) >= wanted);
            prop_assert!(values.iter().filter(|value| **value < found).all(|value| covered(*value) < wanted));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(unpack(&bytes).is_ok(), tally(&bytes, &mut BTreeMap::new()).is_ok());
        }
    }
}
