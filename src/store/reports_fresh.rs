//! Which kept days still say what the rows say: those without a mark, under the calendar for which they
//! were made. And doctor's proof of it, day by day. Rows and marks stand in `reports.rs`, counting in
//! `reports_count.rs`.

use super::reports::{self, Summaries};
use super::reports_count::Counting;
use super::{StoreError, Tx};
use crate::domain::report::{Calendar, DayRange, day_text, parse_day};
use crate::domain::time::Timestamp;
use chrono::{NaiveDate, NaiveTime};
use std::collections::BTreeSet;

/// How the cut-off of a basis is written.
const CUTOFF: &str = "%H:%M:%S";

/// A range of days, split.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Split {
    /// Days whose kept rows are exact.
    pub kept: Vec<DayRange>,
    /// Days that have to be counted.
    pub changed: Vec<DayRange>,
}

/// What the store keeps of a calendar, to know for which one its summaries were made.
#[must_use]
pub fn basis_of(calendar: &Calendar) -> (String, String) {
    (calendar.zone.name().to_owned(), calendar.cutoff.format(CUTOFF).to_string())
}

/// The days of which a mark speaks: the order's own, and those of its instants (microseconds).
#[must_use]
pub fn touched_days(calendar: &Calendar, day: Option<&str>, (first, last): (i64, i64)) -> BTreeSet<NaiveDate> {
    let mut days: BTreeSet<NaiveDate> = calendar.days_touched(Timestamp(first), Timestamp(last)).days().collect();
    // A stored day that cannot be read belongs to no range either.
    days.extend(day.and_then(|day| parse_day("business_date", day).ok()));
    days
}

/// The first day that can be counted, where archive runs took everything before an instant away.
#[must_use]
pub fn first_countable(calendar: &Calendar, archived_before: Option<Timestamp>) -> NaiveDate {
    // The day of the instant has lost its beginning, and the one after it may share an hour with it.
    archived_before.and_then(|at| calendar.day_of(at).succ_opt()?.succ_opt()).unwrap_or(NaiveDate::MIN)
}

/// Splits a range into days whose summaries are exact and days that changed since.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn split(tx: &mut Tx, site: &str, calendar: &Calendar, range: DayRange) -> Result<Split, StoreError> {
    let other_calendar = reports::basis(tx, site).await? != Some(basis_of(calendar));
    // What an archive run took away is never counted, whatever changed: it would come to nothing.
    let first_countable = first_countable(calendar, reports::archived_before(tx, site).await?);
    if other_calendar && first_countable <= range.from {
        return Ok(Split { kept: Vec::new(), changed: vec![range] });
    }
    let mut changed = BTreeSet::new();
    if !other_calendar {
        for mark in reports::marked_days(tx, site).await? {
            changed.extend(touched_days(calendar, mark.business_date.as_deref(), (mark.first_at, mark.last_at)));
        }
    }
    let mut split = Split::default();
    for day in range.days() {
        let counts = day >= first_countable && (other_calendar || changed.contains(&day));
        let part = if counts { &mut split.changed } else { &mut split.kept };
        match part.last_mut() {
            Some(last) if last.to.succ_opt() == Some(day) => last.to = day,
            _ => part.push(DayRange { from: day, to: day }),
        }
    }
    Ok(split)
}

/// What doctor found out about the summaries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Days that were counted again.
    pub days: i64,
    /// The first day whose summary is not what its rows come to.
    pub violation: Option<String>,
}

/// Counts every kept day again and compares. Days that are marked are left out (nobody takes them from
/// here), and days of which an archive run took rows away.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn verify(tx: &mut Tx, site: &str) -> Result<Verified, StoreError> {
    let mut found = Verified::default();
    let Some((zone, cutoff)) = reports::basis(tx, site).await? else { return Ok(found) };
    let (Ok(zone), Ok(cutoff)) = (zone.parse(), NaiveTime::parse_from_str(&cutoff, CUTOFF)) else {
        found.violation = Some(format!("the basis of the summaries names no zone and time: {zone}, {cutoff}"));
        return Ok(found);
    };
    let calendar = Calendar { zone, cutoff };
    let Some((first, last)) = reports::span(tx, site).await? else { return Ok(found) };
    let (Ok(from), Ok(to)) = (parse_day("from", &first), parse_day("to", &last)) else {
        found.violation = Some(format!("a summary is of no day: {first}, {last}"));
        return Ok(found);
    };
    let Split { kept, .. } = split(tx, site, &calendar, DayRange { from, to }).await?;
    let first_countable = first_countable(&calendar, reports::archived_before(tx, site).await?);
    for day in kept.iter().flat_map(DayRange::days).filter(|day| *day >= first_countable) {
        let only = DayRange { from: day, to: day };
        let text = day_text(day);
        let kept = kept_day(tx, site, &text).await?;
        let counted = Counting { tx: &mut *tx, site, calendar }.everything(only).await?.sorted();
        found.days = found.days.saturating_add(1);
        if let Some(part) = different(&kept, &counted) {
            found.violation = Some(format!("business day {text}: its kept {part} are not what its rows come to"));
            break;
        }
    }
    Ok(found)
}

/// The kept rows of one day, in order.
async fn kept_day(tx: &mut Tx, site: &str, day: &str) -> Result<Summaries, StoreError> {
    let days = (day, day);
    let kept = Summaries {
        orders: reports::orders(tx, site, days).await?,
        sales: reports::sales(tx, site, days).await?,
        items: reports::items(tx, site, days).await?,
        hours: reports::hours(tx, site, days).await?,
        speed: reports::speed(tx, site, days).await?,
        refunds: reports::refunds(tx, site, days).await?,
        waste: reports::waste(tx, site, days).await?,
    };
    Ok(kept.sorted())
}

/// The first part in which two summaries differ.
fn different(kept: &Summaries, counted: &Summaries) -> Option<&'static str> {
    [
        (kept.orders == counted.orders, "orders"),
        (kept.sales == counted.sales, "sales"),
        (kept.items == counted.items, "items"),
        (kept.hours == counted.hours, "hours"),
        (kept.speed == counted.speed, "durations"),
        (kept.refunds == counted.refunds, "refunds"),
        (kept.waste == counted.waste, "waste"),
    ]
    .into_iter()
    .find_map(|(same, part)| (!same).then_some(part))
}
