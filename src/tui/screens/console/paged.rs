//! A list that comes in pages: what has come so far, the selection, and the question for more when the
//! selection nears the end. A reload asks for as many rows as are shown, so that the place is kept.

use super::desk::{Commands, Desk};
use super::message::Ask;
use crate::domain::error::Refused;
use crate::service::views::Page;
use crate::tui::app::{Latest, RequestId};
use crate::tui::keymap::Action;
use crate::tui::locale::Locale;
use crate::tui::widgets::list::ListState;

/// Rows of the first question.
const FIRST: i64 = 60;
/// The most rows that are asked for at once.
const MOST: i64 = 200;
/// So many rows before the end, more are asked for.
const NEAR: usize = 10;

/// What a page is asked for: after this key, so many rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The key of the page; none: the first.
    pub after: Option<String>,
    /// Rows.
    pub limit: i64,
}

/// The list.
#[derive(Debug)]
pub struct Paged<T> {
    items: Vec<T>,
    next: Option<String>,
    total: i64,
    at_least: bool,
    waiting: Latest<()>,
    /// Whether what is on its way goes to the end of the list; else it takes the list's place.
    more: bool,
    loaded: bool,
    problem: Option<Refused>,
    /// The selection.
    pub state: ListState,
}

impl<T> Default for Paged<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            next: None,
            total: 0,
            at_least: false,
            waiting: Latest::default(),
            more: false,
            loaded: false,
            problem: None,
            state: ListState::default(),
        }
    }
}

impl<T> Paged<T> {
    /// What has come so far.
    #[must_use]
    pub fn items(&self) -> &[T] {
        &self.items
    }

    /// How many there are in all, by a plural of the catalogue.
    #[must_use]
    pub fn count_words(&self, key: &str, locale: &Locale) -> String {
        if self.at_least {
            let count = locale.t_args("console.or_more", &[("count", &self.total)]);
            return locale.t_plural(key, self.total, &[("count", &count)]);
        }
        locale.t_plural(key, self.total, &[])
    }

    /// Whether the first answer is still on its way: what a key means depends on it.
    #[must_use]
    pub const fn is_first_awaited(&self) -> bool {
        !self.loaded && self.waiting.is_waiting()
    }

    /// Whether an answer has come at all.
    #[must_use]
    pub const fn is_loaded(&self) -> bool {
        self.loaded
    }

    /// Why the list cannot be had.
    #[must_use]
    pub const fn problem(&self) -> Option<&Refused> {
        self.problem.as_ref()
    }

    /// The selected row.
    #[must_use]
    pub fn selected(&self) -> Option<&T> {
        self.items.get(self.state.selected(self.items.len())?)
    }

    /// Forgets everything: another list is wanted.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Stops waiting; an answer that still comes is stale.
    pub const fn give_up(&mut self) {
        self.waiting.give_up();
    }

    /// Asks for what is shown again.
    pub fn reload(&mut self, desk: &mut Desk, ask: impl FnOnce(Wanted) -> Ask) -> Commands {
        let shown = i64::try_from(self.items.len()).unwrap_or(MOST);
        self.more = false;
        let wanted = Wanted { after: None, limit: shown.clamp(FIRST, MOST) };
        desk.ask(&mut self.waiting, ask(wanted))
    }

    /// Moves the selection; asks for more where it nears the end. `None` where the action is none of
    /// a list's.
    pub fn on_action(&mut self, action: Action, desk: &mut Desk, ask: impl FnOnce(Wanted) -> Ask) -> Option<Commands> {
        let moves = matches!(
            action,
            Action::Up | Action::Down | Action::PageUp | Action::PageDown | Action::Home | Action::End
        );
        if !moves {
            return None;
        }
        self.state.on_action(action, self.items.len());
        Some(self.extend(desk, ask))
    }

    /// Asks for the next page where the selection is near the end of what has come.
    fn extend(&mut self, desk: &mut Desk, ask: impl FnOnce(Wanted) -> Ask) -> Commands {
        let at = self.state.selected(self.items.len()).unwrap_or_default();
        let near = at.saturating_add(NEAR) >= self.items.len();
        if !near || self.next.is_none() || self.waiting.is_waiting() {
            return Vec::new();
        }
        self.more = true;
        let wanted = Wanted { after: self.next.clone(), limit: FIRST };
        desk.ask(&mut self.waiting, ask(wanted))
    }

    /// Takes an answer; false where it is not this list's. `same` says whether two rows are the same
    /// thing, so that the selection stays on it.
    pub fn answer(
        &mut self,
        request: RequestId,
        result: Result<Page<T>, Refused>,
        same: impl Fn(&T, &T) -> bool,
    ) -> bool {
        if !self.waiting.settle(request) {
            return false;
        }
        let page = match result {
            Ok(page) => page,
            Err(refused) => {
                self.problem = Some(refused);
                return true;
            }
        };
        (self.problem, self.loaded) = (None, true);
        (self.next, self.total, self.at_least) = (page.next, page.total, page.at_least);
        if self.more {
            self.items.extend(page.items);
            return true;
        }
        let kept = self.selected().and_then(|row| page.items.iter().position(|new| same(row, new)));
        self.items = page.items;
        if let Some(at) = kept {
            self.state.select(at);
        }
        true
    }
}
