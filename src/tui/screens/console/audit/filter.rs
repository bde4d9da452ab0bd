//! By what the audit log is narrowed: who, what, to which thing, at which terminal, when, and a part of
//! the text; and the form in which that is chosen.

use super::super::desk::Desk;
use crate::domain::report::day_text;
use crate::domain::time::{Timestamp, business_day_start};
use crate::service::audit::AuditList;
use crate::tui::app::Env;
use crate::tui::locale::Locale;
use crate::tui::widgets::form::{Field, Form, Kind};
use chrono::{Days, NaiveDate};

/// The longest word to look for.
const WORD: usize = 60;
/// The longest text of a day.
const DAY: usize = 10;

/// What is wanted. An empty word narrows nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    actor: String,
    action: String,
    entity: String,
    terminal: String,
    /// A part of the sentence, the thing's id or the reason.
    pub(super) text: String,
    /// The first and the last business day.
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
}

impl Filter {
    /// As the service takes it, without a page.
    pub(super) fn list(&self, desk: &Desk) -> AuditList {
        let word = |word: &String| (!word.is_empty()).then(|| word.clone());
        let start = |day: NaiveDate| -> Option<Timestamp> {
            let cutoff = desk.site()?.settings.business_day_cutoff;
            Some(business_day_start(day, desk.zone(), cutoff))
        };
        AuditList {
            text: word(&self.text),
            actor: word(&self.actor),
            action: word(&self.action),
            entity: word(&self.entity),
            terminal: word(&self.terminal),
            from: self.from.and_then(start),
            until: self.to.and_then(|day| day.checked_add_days(Days::new(1))).and_then(start),
            ..AuditList::default()
        }
    }

    /// What is wanted, in words.
    pub(super) fn words(&self, locale: &Locale) -> String {
        let mut words: Vec<String> = Vec::new();
        match (self.from, self.to) {
            (None, None) => words.push(locale.t("audit.any_day")),
            (Some(from), None) => words.push(locale.t_args("audit.since", &[("from", &day_text(from))])),
            (None, Some(to)) => words.push(locale.t_args("audit.until", &[("to", &day_text(to))])),
            (Some(from), Some(to)) if from == to => words.push(day_text(from)),
            (Some(from), Some(to)) => {
                words.push(locale.t_args("reports.from_to", &[("from", &day_text(from)), ("to", &day_text(to))]));
            }
        }
        let given = [&self.actor, &self.action, &self.entity, &self.terminal].into_iter();
        words.extend(given.filter(|word| !word.is_empty()).cloned());
        if !self.text.is_empty() {
            words.push(format!("\"{}\"", self.text));
        }
        words.join(" · ")
    }

    /// The form with what is wanted now.
    pub(super) fn form(&self, env: &Env<'_>) -> Form {
        let locale = env.locale;
        let line = |name, label: String, value: &str| Field::line(name, label, Kind::Text, WORD, value);
        let day = |name, label: String, value: Option<NaiveDate>| {
            Field::line(name, label, Kind::MaybeDay, DAY, &value.map(day_text).unwrap_or_default())
                .with_help(locale.t("audit.day_help"))
        };
        let fields = vec![
            line("actor", locale.t("audit.who"), &self.actor).with_help(locale.t("audit.who_help")),
            line("action", locale.t("audit.action"), &self.action).with_help(locale.t("audit.action_help")),
            line("entity", locale.t("audit.entity"), &self.entity).with_help(locale.t("audit.entity_help")),
            line("terminal", locale.t("audit.terminal"), &self.terminal).with_help(locale.t("audit.terminal_help")),
            line("text", locale.t("audit.text"), &self.text).with_help(locale.t("audit.text_help")),
            day("from", locale.t("reports.first_day"), self.from),
            day("to", locale.t("reports.last_day"), self.to),
        ];
        Form::new(locale.t("audit.filter"), locale.t("audit.filter_body"), fields)
    }

    /// What was filled in; where it cannot be meant, the form says so and stays.
    pub(super) fn filled(form: &mut Form, env: &Env<'_>) -> Option<Self> {
        let (from, to) = (form.day("from"), form.day("to"));
        if from.zip(to).is_some_and(|(from, to)| to < from) {
            form.refuse(Some("to"), env.locale.t("reports.ends_before"));
            return None;
        }
        Some(Self {
            actor: form.text("actor"),
            action: form.text("action"),
            entity: form.text("entity"),
            terminal: form.text("terminal"),
            text: form.text("text"),
            from,
            to,
        })
    }
}
