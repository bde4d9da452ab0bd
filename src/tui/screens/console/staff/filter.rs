//! By what the lists of people and of terminals are narrowed (a part of the name, the role, who is let in
//! or taken off), and the forms in which that is chosen.

use super::question::ROLES;
use crate::domain::access::Role;
use crate::service::staff::StaffFilter;
use crate::service::terminals::TerminalView;
use crate::tui::app::Env;
use crate::tui::locale::Locale;
use crate::tui::vocabulary;
use crate::tui::widgets::form::{Field, Form};

/// What is wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    /// A part of the sign-in name or of the name.
    pub(super) text: String,
    role: Option<Role>,
    active: Option<bool>,
}

impl Filter {
    /// As the service takes it.
    pub(super) fn staff(&self) -> StaffFilter {
        StaffFilter { text: Some(self.text.clone()), role: self.role, active: self.active }
    }

    /// Whether it lets everybody through.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty() && self.role.is_none() && self.active.is_none()
    }

    /// What is wanted, in words.
    pub(super) fn words(&self, locale: &Locale) -> String {
        let mut words = Vec::new();
        words.extend(self.role.map(|role| vocabulary::role(role, locale)));
        words.extend(self.active.map(|active| state(active, locale)));
        if !self.text.is_empty() {
            words.push(format!("\"{}\"", self.text));
        }
        words.join(" · ")
    }

    /// The form with what is wanted now.
    pub(super) fn form(&self, env: &Env<'_>) -> Form {
        let locale = env.locale;
        let any = || locale.t("staff.any");
        let at = |place: Option<usize>| place.map_or(0, |place| place.saturating_add(1));
        let mut roles = vec![any()];
        roles.extend(ROLES.iter().map(|role| vocabulary::role(*role, locale)));
        let states = vec![any(), state(true, locale), state(false, locale)];
        let role = self.role.and_then(|wanted| ROLES.iter().position(|role| *role == wanted));
        let fields = vec![
            Field::choice("role", locale.t("staff.role"), roles, at(role)),
            Field::choice(
                "active",
                locale.t("staff.state"),
                states,
                at(self.active.map(|active| usize::from(!active))),
            ),
        ];
        Form::new(locale.t("staff.filter"), "", fields)
    }

    /// What was filled in.
    pub(super) fn filled(&self, form: &Form) -> Self {
        let chosen = |name: &str| form.chosen(name).and_then(|at| at.checked_sub(1));
        let role = chosen("role").and_then(|at| ROLES.get(at)).copied();
        Self { text: self.text.clone(), role, active: chosen("active").map(|at| at == 0) }
    }
}

fn state(active: bool, locale: &Locale) -> String {
    locale.t(if active { "staff.let_in" } else { "staff.not_let_in" })
}

/// What is wanted of the terminals: those that were taken off only where they are asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct TerminalFilter {
    /// A part of the name.
    pub(super) text: String,
    revoked: bool,
}

impl TerminalFilter {
    /// Whether it lets a terminal through.
    pub(super) fn fits(&self, terminal: &TerminalView) -> bool {
        let wanted = self.text.trim().to_lowercase();
        (self.revoked || terminal.revoked_at.is_none()) && terminal.name.to_lowercase().contains(&wanted)
    }

    /// Whether it is as it was at first.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty() && !self.revoked
    }

    /// What is wanted, in words.
    pub(super) fn words(&self, locale: &Locale) -> String {
        let mut words = Vec::new();
        words.extend(self.revoked.then(|| locale.t("staff.with_revoked")));
        if !self.text.is_empty() {
            words.push(format!("\"{}\"", self.text));
        }
        words.join(" · ")
    }

    /// The form with what is wanted now.
    pub(super) fn form(&self, env: &Env<'_>) -> Form {
        let fields = vec![Field::switch("revoked", env.locale.t("staff.with_revoked_label"), self.revoked)];
        Form::new(env.locale.t("staff.terminal_filter"), "", fields)
    }

    /// What was filled in.
    pub(super) fn filled(&self, form: &Form) -> Self {
        Self { text: self.text.clone(), revoked: form.is_on("revoked") }
    }
}
