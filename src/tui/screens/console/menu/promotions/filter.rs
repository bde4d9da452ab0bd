//! By what the list of promotion codes is narrowed: a part of the code or of the name, and whether it is
//! switched on; and the form in which that is chosen.

use crate::tui::app::Env;
use crate::tui::locale::Locale;
use crate::tui::widgets::form::{Field, Form};

/// What is wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    /// A part of the code or of the name.
    pub(super) text: String,
    active: Option<bool>,
}

impl Filter {
    /// As the service takes it: what is looked for, and whether it is on.
    pub(super) fn promotions(&self) -> (Option<String>, Option<bool>) {
        (Some(self.text.clone()), self.active)
    }

    /// Whether it lets everything through.
    pub(super) const fn is_empty(&self) -> bool {
        self.text.is_empty() && self.active.is_none()
    }

    /// What is wanted, in words.
    pub(super) fn words(&self, locale: &Locale) -> String {
        let mut words = Vec::new();
        words.extend(self.active.map(|active| state(active, locale)));
        if !self.text.is_empty() {
            words.push(format!("\"{}\"", self.text));
        }
        words.join(" · ")
    }

    /// The form with what is wanted now.
    pub(super) fn form(&self, env: &Env<'_>) -> Form {
        let locale = env.locale;
        let states = vec![locale.t("promotions.any"), state(true, locale), state(false, locale)];
        let at = self.active.map_or(0, |active| if active { 1 } else { 2 });
        Form::new(
            locale.t("promotions.filter"),
            "",
            vec![Field::choice("active", locale.t("promotions.only"), states, at)],
        )
    }

    /// What was filled in; the words that are looked for stay.
    pub(super) fn filled(&self, form: &Form) -> Self {
        let chosen = form.chosen("active").and_then(|at| at.checked_sub(1));
        Self { text: self.text.clone(), active: chosen.map(|at| at == 0) }
    }
}

fn state(active: bool, locale: &Locale) -> String {
    locale.t(if active { "promotions.only_on" } else { "promotions.only_off" })
}
