//! Which days the reports cover: one of a few ranges that move with the calendar, or from one day to
//! another.

use crate::domain::report::{DayRange, day_text};
use crate::tui::app::Env;
use crate::tui::locale::Locale;
use crate::tui::widgets::dialog::Dialog;
use crate::tui::widgets::form::{Field, Form, Kind};
use chrono::{Datelike, Days as Length, NaiveDate};

/// The longest text of a day.
const DAY: usize = 10;

/// Which days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Days {
    /// The business day that is running.
    Today,
    /// The one before.
    Yesterday,
    /// Today and the six days before it.
    #[default]
    Week,
    /// Today and the 27 days before it.
    FourWeeks,
    /// From the first of the month until today.
    Month,
    /// From the first day to the last.
    Between(NaiveDate, NaiveDate),
}

/// What is offered, in the order of the digits.
const OFFERED: [(Days, &str); 5] = [
    (Days::Today, "reports.today"),
    (Days::Yesterday, "reports.yesterday"),
    (Days::Week, "reports.week"),
    (Days::FourWeeks, "reports.four_weeks"),
    (Days::Month, "reports.month"),
];

impl Days {
    /// The first and the last day.
    pub(super) fn range(self, today: NaiveDate) -> (NaiveDate, NaiveDate) {
        let before = |days: u64| today.checked_sub_days(Length::new(days)).unwrap_or(today);
        match self {
            Self::Today => (today, today),
            Self::Yesterday => (before(1), before(1)),
            Self::Week => (before(6), today),
            Self::FourWeeks => (before(27), today),
            Self::Month => (today.with_day(1).unwrap_or(today), today),
            Self::Between(from, to) => (from, to),
        }
    }

    /// In words, with the days themselves.
    pub(super) fn words(self, today: NaiveDate, locale: &Locale) -> String {
        let (from, to) = self.range(today);
        let days = if from == to {
            day_text(from)
        } else {
            locale.t_args("reports.from_to", &[("from", &day_text(from)), ("to", &day_text(to))])
        };
        match OFFERED.iter().find(|(offered, _)| *offered == self) {
            Some((_, key)) => format!("{} · {days}", locale.t(key)),
            None => days,
        }
    }

    /// The question which days are wanted.
    pub(super) fn question(env: &Env<'_>) -> Dialog {
        let mut choices: Vec<String> = OFFERED.iter().map(|(_, key)| env.locale.t(key)).collect();
        choices.push(env.locale.t("reports.between"));
        Dialog::choice(env.locale.t("reports.which_days"), "", choices)
    }

    /// The range of this place in the question; `None` for the last one, which asks for two days.
    pub(super) fn offered(place: usize) -> Option<Self> {
        OFFERED.get(place).map(|(days, _)| *days)
    }

    /// The form for two days.
    pub(super) fn form(self, today: NaiveDate, env: &Env<'_>) -> Form {
        let (from, to) = self.range(today);
        let fields = vec![
            Field::line("from", env.locale.t("reports.first_day"), Kind::Day, DAY, &day_text(from)),
            Field::line("to", env.locale.t("reports.last_day"), Kind::Day, DAY, &day_text(to)),
        ];
        Form::new(env.locale.t("reports.which_days"), env.locale.t("reports.between_body"), fields)
    }

    /// The range that was typed; where it is none, the form says so and stays.
    pub(super) fn typed(form: &mut Form, env: &Env<'_>) -> Option<Self> {
        let (from, to) = form.day("from").zip(form.day("to"))?;
        match DayRange::new(from, to) {
            Ok(range) => Some(Self::Between(range.from, range.to)),
            Err(_) if to < from => {
                form.refuse(Some("to"), env.locale.t("reports.ends_before"));
                None
            }
            Err(_) => {
                form.refuse(Some("from"), env.locale.t("reports.too_long"));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn ranges_end_today_and_count_it() {
        let today = day("2026-03-01");
        assert_eq!(Days::Today.range(today), (today, today));
        assert_eq!(Days::Yesterday.range(today), (day("2026-02-28"), day("2026-02-28")));
        assert_eq!(Days::Week.range(today), (day("2026-02-23"), today));
        assert_eq!(Days::FourWeeks.range(today), (day("2026-02-02"), today));
        assert_eq!(Days::Month.range(today), (today, today));
        assert_eq!(Days::Month.range(day("2026-03-31")), (today, day("2026-03-31")));
        assert_eq!(Days::Week.range(NaiveDate::MIN), (NaiveDate::MIN, NaiveDate::MIN));
    }
}
