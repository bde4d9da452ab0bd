//! The days by which a list is narrowed: from one business day to another, each of which may be left
//! open; the fields in which they are typed, and what they say in words and as instants.

use super::desk::Desk;
use crate::domain::report::day_text;
use crate::domain::time::{Timestamp, business_day_start};
use crate::tui::app::Env;
use crate::tui::locale::Locale;
use crate::tui::widgets::form::{Field, Form, Kind};
use chrono::{Days, NaiveDate};

/// The longest text of a day.
const DAY: usize = 10;

/// From one business day to another, both of them included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
}

impl Span {
    /// The business days of the first instant and of the one before the second, each of which may be missing.
    #[must_use]
    pub fn of((first, after): (Option<Timestamp>, Option<Timestamp>), desk: &Desk) -> Self {
        let day = |at: Timestamp| -> Option<NaiveDate> {
            Some(at.business_date(desk.zone(), desk.site()?.settings.business_day_cutoff))
        };
        Self { from: first.and_then(day), to: after.and_then(|after| day(Timestamp(after.0.saturating_sub(1)))) }
    }

    /// What stands in the fields, whatever it is worth.
    #[must_use]
    pub fn typed(form: &Form) -> Self {
        Self { from: form.day("from"), to: form.day("to") }
    }

    /// The first instant, and the one after the last; nothing before the site has answered.
    #[must_use]
    pub fn bounds(self, desk: &Desk) -> (Option<Timestamp>, Option<Timestamp>) {
        let start = |day: NaiveDate| -> Option<Timestamp> {
            let cutoff = desk.site()?.settings.business_day_cutoff;
            Some(business_day_start(day, desk.zone(), cutoff))
        };
        (self.from.and_then(start), self.to.and_then(|day| day.checked_add_days(Days::new(1))).and_then(start))
    }

    /// The days in words.
    #[must_use]
    pub fn words(self, locale: &Locale) -> String {
        match (self.from, self.to) {
            (None, None) => locale.t("audit.any_day"),
            (Some(from), None) => locale.t_args("audit.since", &[("from", &day_text(from))]),
            (None, Some(to)) => locale.t_args("audit.until", &[("to", &day_text(to))]),
            (Some(from), Some(to)) if from == to => day_text(from),
            (Some(from), Some(to)) => {
                locale.t_args("reports.from_to", &[("from", &day_text(from)), ("to", &day_text(to))])
            }
        }
    }

    /// The fields `from` and `to`.
    #[must_use]
    pub fn fields(self, locale: &Locale) -> [Field; 2] {
        let day = |name, label: String, value: Option<NaiveDate>| {
            Field::line(name, label, Kind::MaybeDay, DAY, &value.map(day_text).unwrap_or_default())
                .with_help(locale.t("audit.day_help"))
        };
        [day("from", locale.t("reports.first_day"), self.from), day("to", locale.t("reports.last_day"), self.to)]
    }

    /// What was filled in; where it cannot be meant, the form says so and stays.
    pub fn filled(form: &mut Form, env: &Env<'_>) -> Option<Self> {
        let span = Self::typed(form);
        if span.from.zip(span.to).is_some_and(|(from, to)| to < from) {
            form.refuse(Some("to"), env.locale.t("reports.ends_before"));
            return None;
        }
        Some(span)
    }
}
