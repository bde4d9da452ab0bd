//! By what the audit log is narrowed: who, what, to which thing, at which terminal, when, and a part of
//! the text; and the form in which that is chosen.

use super::super::desk::Desk;
use super::super::span::Span;
use crate::service::audit::AuditList;
use crate::tui::app::Env;
use crate::tui::locale::Locale;
use crate::tui::widgets::form::{Field, Form, Kind};

/// The longest word to look for.
const WORD: usize = 60;

/// What is wanted. An empty word narrows nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    actor: String,
    action: String,
    entity: String,
    terminal: String,
    /// A part of the sentence, the thing's id or the reason.
    pub(super) text: String,
    days: Span,
}

impl Filter {
    /// As the service takes it, without a page.
    pub(super) fn list(&self, desk: &Desk) -> AuditList {
        let word = |word: &String| (!word.is_empty()).then(|| word.clone());
        let (from, until) = self.days.bounds(desk);
        AuditList {
            text: word(&self.text),
            actor: word(&self.actor),
            action: word(&self.action),
            entity: word(&self.entity),
            terminal: word(&self.terminal),
            from,
            until,
            ..AuditList::default()
        }
    }

    /// What is wanted, in words.
    pub(super) fn words(&self, locale: &Locale) -> String {
        let mut words = vec![self.days.words(locale)];
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
        let mut fields = vec![
            line("actor", locale.t("audit.who"), &self.actor).with_help(locale.t("audit.who_help")),
            line("action", locale.t("audit.action"), &self.action).with_help(locale.t("audit.action_help")),
            line("entity", locale.t("audit.entity"), &self.entity).with_help(locale.t("audit.entity_help")),
            line("terminal", locale.t("audit.terminal"), &self.terminal).with_help(locale.t("audit.terminal_help")),
            line("text", locale.t("audit.text"), &self.text).with_help(locale.t("audit.text_help")),
        ];
        fields.extend(self.days.fields(locale));
        Form::new(locale.t("audit.filter"), locale.t("audit.filter_body"), fields)
    }

    /// What was filled in; where it cannot be meant, the form says so and stays.
    pub(super) fn filled(form: &mut Form, env: &Env<'_>) -> Option<Self> {
        let days = Span::filled(form, env)?;
        Some(Self {
            actor: form.text("actor"),
            action: form.text("action"),
            entity: form.text("entity"),
            terminal: form.text("terminal"),
            text: form.text("text"),
            days,
        })
    }
}
