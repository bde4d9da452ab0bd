//! By what the ledger of a counted thing is narrowed: the kinds of movement, the days, and words; and the form
//! in which that is chosen.

use super::super::desk::Desk;
use super::super::span::Span;
use crate::service::stock_ledger::{MovementFilter, StockMovementKind};
use crate::tui::app::Env;
use crate::tui::locale::Locale;
use crate::tui::widgets::form::{Field, Form, Kind};
use std::collections::BTreeSet;

/// The longest words that are looked for, in characters.
const TEXT: usize = 60;

/// Which movements are wanted. Without a kind: all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Movements {
    kinds: BTreeSet<StockMovementKind>,
    days: Span,
    /// A part of the reason, of the order's number or of the person's name.
    text: String,
}

impl Movements {
    /// As the service takes it.
    pub(super) fn filter(&self, desk: &Desk) -> MovementFilter {
        let (from, until) = self.days.bounds(desk);
        let text = (!self.text.is_empty()).then(|| self.text.clone());
        MovementFilter { kinds: self.kinds.clone(), from, until, text }
    }

    /// Whether it lets everything through.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is wanted, in words.
    pub(super) fn words(&self, locale: &Locale) -> String {
        let kinds: Vec<String> = self.kinds.iter().map(|kind| kind_words(*kind, locale)).collect();
        let mut words = Vec::new();
        if !kinds.is_empty() {
            words.push(kinds.join(", "));
        }
        words.push(self.days.words(locale));
        if !self.text.is_empty() {
            words.push(format!("\"{}\"", self.text));
        }
        words.join(" · ")
    }

    /// The form with what is wanted now.
    pub(super) fn form(&self, env: &Env<'_>) -> Form {
        let locale = env.locale;
        let kinds = StockMovementKind::ALL.iter().map(|kind| kind_words(*kind, locale)).collect();
        let on = |kind: &StockMovementKind| self.kinds.contains(kind);
        let chosen = StockMovementKind::ALL.iter().enumerate().filter(|(_, kind)| on(kind)).map(|(at, _)| at);
        let kinds = Field::several("kinds", locale.t("stock.movement_kinds"), kinds, chosen.collect());
        let mut fields = vec![kinds.with_help(locale.t("stock.movement_kinds_help"))];
        fields.extend(self.days.fields(locale));
        let text = Field::line("text", locale.t("stock.movement_text"), Kind::Text, TEXT, &self.text);
        fields.push(text.with_help(locale.t("stock.movement_text_help")));
        Form::new(locale.t("stock.movement_filter"), "", fields)
    }

    /// What was filled in; where it cannot be meant, the form says so and stays.
    pub(super) fn filled(form: &mut Form, env: &Env<'_>) -> Option<Self> {
        let days = Span::filled(form, env)?;
        let kinds = form.several("kinds").into_iter().filter_map(|at| StockMovementKind::ALL.get(at).copied());
        Some(Self { kinds: kinds.collect(), days, text: form.text("text").trim().to_owned() })
    }
}

/// What a kind of movement is called.
pub(super) fn kind_words(kind: StockMovementKind, locale: &Locale) -> String {
    locale.t(match kind {
        StockMovementKind::Receive => "stock.kind_receive",
        StockMovementKind::Recount => "stock.kind_recount",
        StockMovementKind::Adjust => "stock.kind_adjust",
        StockMovementKind::Waste => "stock.kind_waste",
        StockMovementKind::Commit => "stock.kind_commit",
        StockMovementKind::Restock => "stock.kind_restock",
    })
}
