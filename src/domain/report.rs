//! What the reports count, and by which rule: the range of business days, the hour and weekday of an
//! instant, sales figures, and the line between what was sold and what was taken off again. Pure; where
//! the rows come from and how they are kept is the store's business. Percentiles stand in
//! `report_durations.rs`.
//!
//! The rules:
//! - **Business day of an order**: the one stored at Place, which its number shows. Of anything else (a
//!   refund that settled, waste by hand, a stray capture): the business day of its instant, in the site's
//!   zone, under the cut-off in force when the report is read.
//! - **A sale** is an order that is paid (`is_paid`: a captured attempt that is not stray), on the
//!   order's business day, whenever the money came. Unpaid, expired and training orders are none.
//! - **Gross** = Σ line totals of sales: prices with options, before any discount (I12's first term).
//!   **Collected** = what was captured = gross − discounts + tax added on top + delivery fees − what
//!   lines voided before the payment took off (I12 less "amount due"). **Refunds** are those that have
//!   *settled* (`payment_status` changes only by T32 and T33), on the business day on which they did: a
//!   finished day changes only where money moved on it. **Net** = collected − refunds: the money that
//!   stays in the house, tax included; the tax stands beside it.
//! - **Stray captures** (T29) belong to no sale: they and their refunds are shown apart.
//! - **Hour** is the wall clock's in the site's zone: on the day on which clocks go back the doubled hour
//!   counts both, on the day on which they go forward the skipped hour counts none. **Weekday** is the
//!   business day's, so that Friday's late hours stay with Friday and a week adds up to its daily sales.

use super::error::Refused;
use super::money::{Money, out_of_range};
use super::order::{EndReason, Status};
use super::pricing::line_share;
use super::time::Timestamp;
use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// The longest range of a report, in days: ten years.
pub const MAX_DAYS: i64 = 3_660;
/// More than any zone ever moved its clocks at once, in seconds.
const LARGEST_SHIFT: i64 = 3 * 3_600;

/// A range of business days, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayRange {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
}

impl DayRange {
    /// A range.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` on `to` when it ends before it begins or is longer than [`MAX_DAYS`].
    pub fn new(from: NaiveDate, to: NaiveDate) -> Result<Self, Refused> {
        let range = Self { from, to };
        if to < from {
            return Err(Refused::invalid("to", "The last day is before the first one."));
        }
        if range.len() > MAX_DAYS {
            return Err(Refused::invalid("to", format!("At most {MAX_DAYS} days at a time.")));
        }
        Ok(range)
    }

    /// How many days it has.
    #[must_use]
    pub fn len(&self) -> i64 {
        self.to.signed_duration_since(self.from).num_days().saturating_add(1)
    }

    /// Whether it has no day; never true for one made by [`DayRange::new`].
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() < 1
    }

    /// Whether the day is one of it.
    #[must_use]
    pub fn contains(&self, day: NaiveDate) -> bool {
        self.from <= day && day <= self.to
    }

    /// Every day in order.
    pub fn days(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let last = self.to;
        self.from.iter_days().take_while(move |day| *day <= last)
    }
}

/// Reads a day as it is stored and typed, `YYYY-MM-DD`.
///
/// # Errors
/// `VALIDATION_ERROR` on `field` for anything else.
pub fn parse_day(field: &str, text: &str) -> Result<NaiveDate, Refused> {
    NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d")
        .ok()
        .filter(|day| (1970..=9_999).contains(&day.year()))
        .ok_or_else(|| Refused::invalid(field, "A day such as 2026-03-01."))
}

/// A day as it is stored, `YYYY-MM-DD`.
#[must_use]
pub fn day_text(day: NaiveDate) -> String {
    day.format("%Y-%m-%d").to_string()
}

/// How instants become business days, hours and weekdays at a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calendar {
    /// The site's time zone.
    pub zone: Tz,
    /// When its business day begins.
    pub cutoff: NaiveTime,
}

impl Calendar {
    /// The business day of an instant.
    #[must_use]
    pub fn day_of(&self, at: Timestamp) -> NaiveDate {
        at.business_date(self.zone, self.cutoff)
    }

    /// The hour of an instant on the wall clock, 0 to 23.
    #[must_use]
    pub fn hour_of(&self, at: Timestamp) -> u8 {
        u8::try_from(at.local_time(self.zone).hour()).unwrap_or(0)
    }

    /// The hour with which a business day begins; its hours run from there round to the one before.
    #[must_use]
    pub fn first_hour(&self) -> u8 {
        u8::try_from(self.cutoff.hour()).unwrap_or(0)
    }

    /// Instants between which everything of the range lies, with a day to spare at both ends: what lies
    /// between them is still asked for its day.
    #[must_use]
    pub fn bounds(&self, range: DayRange) -> (Timestamp, Timestamp) {
        let start = |day: NaiveDate| super::time::business_day_start(day, self.zone, self.cutoff);
        let before = range.from.pred_opt().unwrap_or(range.from);
        let after = range.to.succ_opt().and_then(|day| day.succ_opt()).unwrap_or(range.to);
        (start(before), start(after))
    }

    /// The days that changes between two instants may belong to. Where clocks go back over the cut-off an
    /// instant may have an earlier day than one before it, so the range is taken a little too wide.
    #[must_use]
    pub fn days_touched(&self, first: Timestamp, last: Timestamp) -> DayRange {
        let from = self.day_of(first.plus_seconds(-LARGEST_SHIFT));
        let to = self.day_of(last.plus_seconds(LARGEST_SHIFT));
        DayRange { from, to: to.max(from) }
    }
}

/// 0 for Monday to 6 for Sunday.
#[must_use]
pub fn weekday_of(day: NaiveDate) -> usize {
    usize::try_from(day.weekday().num_days_from_monday()).unwrap_or(0)
}

/// The sums of sales from which every sales figure follows. Amounts are minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SalesSums {
    /// Paid orders.
    pub orders: i64,
    /// Σ line totals, before discounts.
    pub gross: i64,
    /// What promotions took off.
    pub discounts: i64,
    /// The tax, contained or added.
    pub tax: i64,
    /// The part of it that was added on top of the prices.
    pub tax_added: i64,
    /// Delivery fees.
    pub delivery_fees: i64,
    /// What was captured.
    pub collected: i64,
    /// Refunds that settled.
    pub refunds: i64,
    /// Their sum.
    pub refunded: i64,
}

impl SalesSums {
    /// Adds another's sums (saturating).
    pub fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.orders, other.orders),
            (&mut self.gross, other.gross),
            (&mut self.discounts, other.discounts),
            (&mut self.tax, other.tax),
            (&mut self.tax_added, other.tax_added),
            (&mut self.delivery_fees, other.delivery_fees),
            (&mut self.collected, other.collected),
            (&mut self.refunds, other.refunds),
            (&mut self.refunded, other.refunded),
        ];
        for (mine, theirs) in pairs {
            *mine = mine.saturating_add(theirs);
        }
    }

    /// What lines that were voided before the payment took off the total.
    #[must_use]
    pub const fn voids(&self) -> i64 {
        self.gross
            .saturating_sub(self.discounts)
            .saturating_add(self.tax_added)
            .saturating_add(self.delivery_fees)
            .saturating_sub(self.collected)
    }

    /// Collected less refunds; below zero on a day on which more went back than came in.
    #[must_use]
    pub const fn net(&self) -> i64 {
        self.collected.saturating_sub(self.refunded)
    }
}

/// A line of an order, as far as item performance looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SoldLine {
    /// Whether its order is paid.
    pub paid: bool,
    /// Where its order stands.
    pub status: Status,
    /// Why its order ended, if it was dropped.
    pub reason: Option<EndReason>,
    /// Units ordered.
    pub quantity: i64,
    /// Units voided one by one.
    pub voided: i64,
    /// The price of one (minor units).
    pub unit_price: i64,
    /// The discount on all units.
    pub discount_share: i64,
    /// The tax on all units.
    pub tax_share: i64,
    /// What all units cost, with discount and added tax.
    pub total_share: i64,
}

/// What a line adds to its item's performance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ItemSums {
    /// Units sold: ordered, paid, and not taken off again.
    pub quantity: i64,
    /// Units voided, one by one or with their whole order.
    pub voided: i64,
    /// Price × units sold.
    pub gross: i64,
    /// The discount on the units sold.
    pub discounts: i64,
    /// The tax on the units sold.
    pub tax: i64,
    /// What the units sold cost the customers, with discount and added tax.
    pub revenue: i64,
}

/// Splits a line into what was sold and what was taken off. A unit is sold when its order is paid and was
/// not dropped (cancelled, rejected) afterwards, and it was not voided. Discount, tax and share of voided
/// units are those by which the amount due falls ([`line_share`]). A refund by amount (T27) is the
/// order's and takes nothing off an item.
///
/// # Errors
/// `VALIDATION_ERROR` for a line whose counters contradict each other or whose sums overflow.
pub fn item_sums(line: &SoldLine) -> Result<ItemSums, Refused> {
    let dropped = line.status.is_dropped();
    let void_of_all = dropped && line.reason == Some(EndReason::Void);
    let voided = if void_of_all { line.quantity } else { line.voided };
    if !line.paid || dropped {
        return Ok(ItemSums { voided, ..ItemSums::default() });
    }
    let kept = |share: i64| {
        let taken_off = if voided == 0 { Money::ZERO } else { line_share(line.quantity, 0, voided, Money(share))? };
        share.checked_sub(taken_off.0).ok_or_else(out_of_range)
    };
    let quantity = line.quantity.checked_sub(voided).ok_or_else(out_of_range)?;
    Ok(ItemSums {
        quantity,
        voided,
        gross: line.unit_price.checked_mul(quantity).ok_or_else(out_of_range)?,
        discounts: kept(line.discount_share)?,
        tax: kept(line.tax_share)?,
        revenue: kept(line.total_share)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Utc};

    fn at(text: &str) -> Timestamp {
        Timestamp::from(DateTime::parse_from_rfc3339(text).expect("an instant").with_timezone(&Utc))
    }

    fn day(text: &str) -> NaiveDate {
        parse_day("day", text).expect("a day")
    }

    fn berlin(cutoff: (u32, u32)) -> Calendar {
        let cutoff = NaiveTime::from_hms_opt(cutoff.0, cutoff.1, 0).expect("a time");
        Calendar { zone: chrono_tz::Europe::Berlin, cutoff }
    }

    #[test]
    fn a_range_has_both_its_ends_and_is_bounded() {
        let range = DayRange::new(day("2026-02-27"), day("2026-03-01")).expect("a range");
        let days: Vec<String> = range.days().map(day_text).collect();
        assert_eq!(days, ["2026-02-27", "2026-02-28", "2026-03-01"]);
        assert_eq!(range.len(), 3);
        assert!(DayRange::new(day("2026-03-02"), day("2026-03-01")).is_err());
        assert!(DayRange::new(day("2000-01-01"), day("2026-03-01")).is_err());
        for wrong in ["", "2026-02-30", "01.03.2026", "1969-12-31", "99999-01-01"] {
            assert!(parse_day("from", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_range_reaches_its_limits() {
        let first = day("2016-01-01");
        let last = |days: u64| first.checked_add_days(chrono::Days::new(days)).expect("a day");
        assert_eq!(DayRange::new(first, last(3_659)).expect("ten years").len(), MAX_DAYS);
        assert!(DayRange::new(first, last(3_660)).is_err());
        let one = DayRange::new(first, first).expect("one day");
        assert_eq!((one.len(), one.is_empty(), one.contains(first)), (1, false, true));
        assert!(!one.contains(last(1)) && !one.contains(day("2015-12-31")));
        assert!(DayRange { from: last(1), to: first }.is_empty());
        assert_eq!(
            (day_text(day("1970-01-01")), day_text(day(" 9999-12-31 "))),
            ("1970-01-01".into(), "9999-12-31".into())
        );
        assert_eq!((berlin((4, 0)).first_hour(), berlin((0, 30)).first_hour()), (4, 0));
        assert_eq!((weekday_of(day("2026-03-02")), weekday_of(day("2026-03-08"))), (0, 6));
    }

    #[test]
    fn hours_follow_the_wall_clock_over_both_changes() {
        let calendar = berlin((4, 0));
        // Spring: 01:59 is followed by 03:00.
        assert_eq!(calendar.hour_of(at("2026-03-29T00:59:59Z")), 1);
        assert_eq!(calendar.hour_of(at("2026-03-29T01:00:00Z")), 3);
        // Autumn: the hour from 02:00 is there twice.
        assert_eq!(calendar.hour_of(at("2026-10-25T00:30:00Z")), 2);
        assert_eq!(calendar.hour_of(at("2026-10-25T01:30:00Z")), 2);
        assert_eq!(calendar.hour_of(at("2026-10-25T02:00:00Z")), 3);
    }

    #[test]
    fn fridays_late_hours_are_fridays() {
        let calendar = berlin((4, 0));
        // 01:00 on Saturday the 7th of March by the wall clock.
        let late = at("2026-03-07T00:00:00Z");
        let friday = calendar.day_of(late);
        assert_eq!((day_text(friday).as_str(), weekday_of(friday), calendar.hour_of(late)), ("2026-03-06", 4, 1));
    }

    #[test]
    fn every_instant_of_a_day_lies_within_its_bounds_and_touches_it() {
        // A cut-off in the very hour that is doubled, where days do not follow one another cleanly.
        for calendar in [berlin((2, 30)), berlin((4, 0)), berlin((0, 0))] {
            for start in ["2026-03-28T20:00:00Z", "2026-10-24T20:00:00Z"] {
                let instants: Vec<Timestamp> = (0..80).map(|step| at(start).plus_seconds(step * 900)).collect();
                for (index, instant) in instants.iter().enumerate() {
                    let date = calendar.day_of(*instant);
                    let (from, until) = calendar.bounds(DayRange { from: date, to: date });
                    assert!(from <= *instant && *instant < until);
                    for earlier in instants.iter().take(index) {
                        for later in instants.iter().skip(index) {
                            assert!(calendar.days_touched(*earlier, *later).contains(date));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_sums_of_i12_give_the_figures() {
        // 3 × 10.00 − 3.00 + 1.35 + 2.00 − 9.45 voided before the payment; 5.00 went back.
        let sums = SalesSums {
            orders: 1,
            gross: 3_000,
            discounts: 300,
            tax: 135,
            tax_added: 135,
            delivery_fees: 200,
            collected: 2_090,
            refunds: 1,
            refunded: 500,
        };
        assert_eq!((sums.voids(), sums.net()), (945, 1_590));
        let mut both = sums;
        both.add(&SalesSums { refunded: 5_000, refunds: 1, ..SalesSums::default() });
        assert_eq!((both.voids(), both.net(), both.refunds), (945, -3_410, 2), "a refund alone makes no void");
    }

    fn line() -> SoldLine {
        SoldLine {
            paid: true,
            status: Status::Completed,
            reason: None,
            quantity: 3,
            voided: 1,
            unit_price: 1_000,
            discount_share: 100,
            tax_share: 50,
            total_share: 2_950,
        }
    }

    #[test]
    fn voided_units_take_their_share_with_them() {
        let sums = item_sums(&line()).expect("sums");
        // A third of each, rounded down, went with the voided unit.
        let expected = ItemSums { quantity: 2, voided: 1, gross: 2_000, discounts: 67, tax: 34, revenue: 1_967 };
        assert_eq!(sums, expected);
        let all = SoldLine { voided: 3, ..line() };
        assert_eq!(item_sums(&all).expect("sums"), ItemSums { voided: 3, ..ItemSums::default() });
    }

    #[test]
    fn only_what_was_paid_and_kept_is_sold() {
        let unpaid = SoldLine { paid: false, status: Status::Ready, ..line() };
        assert_eq!(item_sums(&unpaid).expect("sums"), ItemSums { voided: 1, ..ItemSums::default() });
        let rejected = SoldLine { status: Status::Rejected, reason: Some(EndReason::Rejected), voided: 0, ..line() };
        assert_eq!(item_sums(&rejected).expect("sums"), ItemSums::default());
        let voided = SoldLine { status: Status::Cancelled, reason: Some(EndReason::Void), ..line() };
        assert_eq!(item_sums(&voided).expect("sums"), ItemSums { voided: 3, ..ItemSums::default() });
        assert!(item_sums(&SoldLine { voided: 4, ..line() }).is_err(), "a damaged row is refused");
    }
}
