//! By what the list of counted things is narrowed: a part of the name, and how much there is; and the
//! form in which that is chosen.

use crate::service::stock::{StockFilter, StockState};
use crate::tui::app::Env;
use crate::tui::locale::Locale;
use crate::tui::widgets::form::{Field, Form};

/// What is wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    /// A part of the name or of the code.
    pub(super) text: String,
    state: Option<StockState>,
}

impl Filter {
    /// As the service takes it.
    pub(super) fn stock(&self) -> StockFilter {
        StockFilter { text: Some(self.text.clone()), state: self.state }
    }

    /// Whether it lets everything through.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty() && self.state.is_none()
    }

    /// What is wanted, in words.
    pub(super) fn words(&self, locale: &Locale) -> String {
        let mut words = Vec::new();
        words.extend(self.state.map(|state| state_words(state, locale)));
        if !self.text.is_empty() {
            words.push(format!("\"{}\"", self.text));
        }
        locale.t_args("stock.searched", &[("what", &words.join(" · "))])
    }

    /// The form with what is wanted now.
    pub(super) fn form(&self, env: &Env<'_>) -> Form {
        let locale = env.locale;
        let mut states = vec![locale.t("stock.any")];
        states.extend(StockState::ALL.into_iter().map(|state| state_words(state, locale)));
        let at = self.state.and_then(|wanted| StockState::ALL.iter().position(|state| *state == wanted));
        let at = at.map_or(0, |at| at.saturating_add(1));
        let fields = vec![Field::choice("state", locale.t("stock.state"), states, at)];
        Form::new(locale.t("stock.filter"), "", fields)
    }

    /// What was filled in.
    pub(super) fn filled(&self, form: &Form) -> Self {
        let at = form.chosen("state").and_then(|at| at.checked_sub(1));
        Self { text: self.text.clone(), state: at.and_then(|at| StockState::ALL.get(at)).copied() }
    }
}

fn state_words(state: StockState, locale: &Locale) -> String {
    locale.t(match state {
        StockState::Low => "stock.only_low",
        StockState::Out => "stock.out",
        StockState::Tracked => "stock.only_counted",
        StockState::Untracked => "stock.not_counted",
    })
}
