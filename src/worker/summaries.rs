//! Keeping the summaries of the reports: days that are marked as changed are counted again and their
//! marks taken away. Counting reads one snapshot and holds nobody up; only then is the result written,
//! under the lease. A mark that rose meanwhile stays, and its day with it.
//!
//! Days before today are kept anew at once. Today changes with every order: it is kept anew once a minute,
//! and reports count it themselves in between.

use super::{Report, Worker};
use crate::domain::error::Refused;
use crate::domain::report::{DayRange, day_text};
use crate::domain::time::Timestamp;
use crate::service::Caller;
use crate::service::reports::BusinessToday;
use crate::service::worker_writes::lost;
use crate::store::lease::{self, Held};
use crate::store::reports::{self, MarkRow, Summaries};
use crate::store::reports_count::Counting;
use crate::store::reports_fresh::{basis_of, first_countable, touched_days};
use chrono::NaiveDate;
use std::collections::BTreeSet;
use std::sync::PoisonError;

/// Marks that are looked at in one round.
const MARKS: i64 = 5_000;
/// Days that are counted in one round, unless one mark alone speaks of more.
const DAYS: usize = 7;
/// Between two times that today is kept anew, in seconds.
const TODAY_EVERY_SECONDS: i64 = 60;

/// What was found to do: the marks that will go, and the days that are counted for them.
struct Batch {
    marks: Vec<MarkRow>,
    days: Vec<String>,
    summaries: Summaries,
    more: bool,
}

impl Worker {
    /// Keeps some changed days anew.
    ///
    /// # Errors
    /// The store's refusals, and a lease that is another's by now.
    pub async fn keep_summaries(&self, held: &Held) -> Result<Report, Refused> {
        self.keep_summaries_every(held, TODAY_EVERY_SECONDS).await
    }

    /// As [`Worker::keep_summaries`], today at most once in so many seconds.
    ///
    /// # Errors
    /// As [`Worker::keep_summaries`].
    pub async fn keep_summaries_every(&self, held: &Held, seconds: i64) -> Result<Report, Refused> {
        let site = self.door().site_id();
        let calendar = self.door().ask(&Caller::System, BusinessToday).await?.calendar;
        let mut tx = self.door().store().read().await?;
        let now = tx.now(&**self.door().clock()).await?;
        let current = basis_of(&calendar);
        if reports::basis(&mut tx, site).await?.as_ref() != Some(&current) {
            let first = first_countable(&calendar, reports::archived_before(&mut tx, site).await?);
            tx.rollback().await?;
            let first = if first == NaiveDate::MIN { String::new() } else { day_text(first) };
            self.begin_summaries_again(held, &first, (&current.0, &current.1)).await?;
            return Ok(Report { more: true, ..Report::default() });
        }
        let today = day_text(calendar.day_of(now));
        let mut marks = reports::marks_before(&mut tx, site, &today, MARKS).await?;
        if marks.is_empty() && self.is_time_for_today(now, seconds) {
            marks = reports::marks_of(&mut tx, site, &today, MARKS).await?;
        }
        let full = i64::try_from(marks.len()).is_ok_and(|count| count >= MARKS);
        let mut days: BTreeSet<NaiveDate> = BTreeSet::new();
        let mut taken = 0_usize;
        for mark in &marks {
            let of_mark = touched_days(&calendar, mark.business_date.as_deref(), (mark.first_at, mark.last_at));
            let fresh = of_mark.iter().filter(|day| !days.contains(day)).count();
            if taken > 0 && days.len().saturating_add(fresh) > DAYS {
                break;
            }
            days.extend(of_mark);
            taken = taken.saturating_add(1);
        }
        let more = full || taken < marks.len();
        marks.truncate(taken);
        if marks.is_empty() {
            tx.rollback().await?;
            return Ok(Report::default());
        }
        let mut summaries = Summaries::default();
        let mut kept_days = Vec::with_capacity(days.len());
        // What an archive run took away cannot be counted again: such a day stays as it was kept.
        let first = first_countable(&calendar, reports::archived_before(&mut tx, site).await?);
        for day in days.into_iter().filter(|day| *day >= first) {
            let only = DayRange { from: day, to: day };
            summaries.append(Counting { tx: &mut tx, site, calendar }.everything(only).await?);
            kept_days.push(day_text(day));
        }
        tx.rollback().await?;
        self.write_summaries(held, Batch { marks, days: kept_days, summaries, more }).await
    }

    async fn write_summaries(&self, held: &Held, batch: Batch) -> Result<Report, Refused> {
        let site = self.door().site_id();
        // Need not reach the disk at once: what a power cut takes back is marked again with it.
        let mut tx = self.door().store().write_relaxed().await?;
        if !lease::hold(&mut tx, site, held).await? {
            tx.rollback().await?;
            return Err(lost(held));
        }
        reports::replace(&mut tx, site, &batch.days, &batch.summaries).await?;
        reports::forget_marks(&mut tx, site, &batch.marks).await?;
        tx.commit().await?;
        Ok(Report { summarised: batch.days.len(), more: batch.more, ..Report::default() })
    }

    async fn begin_summaries_again(&self, held: &Held, first: &str, basis: (&str, &str)) -> Result<(), Refused> {
        let site = self.door().site_id();
        let mut tx = self.door().store().write_relaxed().await?;
        if !lease::hold(&mut tx, site, held).await? {
            tx.rollback().await?;
            return Err(lost(held));
        }
        reports::begin_again(&mut tx, site, first, basis).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Whether today was not kept for so long; notes that it is now. A clock that was set back counts as
    /// long.
    fn is_time_for_today(&self, now: Timestamp, seconds: i64) -> bool {
        let mut last = self.summarised_at().lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|last| now >= last.plus_seconds(seconds) || now < last);
        if due {
            *last = Some(now);
        }
        due
    }
}
