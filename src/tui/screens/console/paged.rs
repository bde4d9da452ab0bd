//! A list that comes in pages: what has come so far, the selection, and the question for more when the
//! selection nears the end. A reload asks for as many rows as are shown, at most for the first 200; what is further
//! down stays as it was read, so that the place is kept.

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
        (self.total, self.at_least) = (page.total, page.at_least);
        if self.more {
            self.next = page.next;
            self.items.extend(page.items);
            return true;
        }
        let selected = self.state.selected(self.items.len());
        let mut before = std::mem::replace(&mut self.items, page.items);
        let kept = selected.and_then(|at| before.get(at)).and_then(|row| self.position(row, &same));
        let last = self.items.last().filter(|_| page.next.is_some());
        let seam = last.and_then(|last| before.iter().position(|row| same(row, last)));
        let kept = match seam.map(|seam| seam.saturating_add(1)).filter(|further| *further < before.len()) {
            Some(further) => {
                let from = self.items.len();
                self.items.extend(before.drain(further..));
                kept.or_else(|| selected?.checked_sub(further)?.checked_add(from))
            }
            None => {
                self.next = page.next;
                kept
            }
        };
        if let Some(at) = kept {
            self.state.select(at);
        }
        true
    }

    fn position(&self, row: &T, same: &impl Fn(&T, &T) -> bool) -> Option<usize> {
        self.items.iter().position(|new| same(row, new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::settings::ListSettings;
    use crate::tui::app::Cmd;
    use crate::tui::screens::console::message::Effect;

    /// A row: what it is, and how it was read.
    type Row = (i64, &'static str);

    fn page(rows: impl Iterator<Item = i64>, how: &'static str, next: Option<&str>) -> Page<Row> {
        Page { items: rows.map(|row| (row, how)).collect(), next: next.map(str::to_owned), total: 500, at_least: false }
    }

    fn asked(commands: &[Cmd<Effect>]) -> RequestId {
        match commands {
            [Cmd::Effect(Effect::Ask { request, .. })] => *request,
            other => panic!("no question: {other:?}"),
        }
    }

    fn ask(_: Wanted) -> Ask {
        Ask::Settings(ListSettings)
    }

    fn same(one: &Row, other: &Row) -> bool {
        one.0 == other.0
    }

    #[test]
    fn a_reload_keeps_the_place_beyond_what_it_asks_for() {
        let mut desk = Desk::new("test".to_owned());
        let mut list = Paged::<Row>::default();
        let first = asked(&list.reload(&mut desk, ask));
        assert!(list.answer(first, Ok(page((1..=200).rev(), "old", Some("1"))), same));
        list.state.select(199);
        let more = asked(&list.on_action(Action::Down, &mut desk, ask).expect("a move"));
        assert!(list.answer(more, Ok(page((-59..=0).rev(), "old", Some("-59"))), same));
        assert_eq!(list.items().len(), 260);
        list.state.select(240);
        assert_eq!(list.selected().map(|row| row.0), Some(-40));
        // Two have come above; two of those that were within the first 200 are beyond them now.
        let again = asked(&list.reload(&mut desk, ask));
        assert!(list.answer(again, Ok(page((3..=202).rev(), "new", Some("3"))), same));
        assert_eq!(list.selected(), Some(&(-40, "old")), "the place is kept");
        assert_eq!(list.items().len(), 262);
        let ids: Vec<i64> = list.items().iter().map(|row| row.0).collect();
        assert_eq!(ids, (-59..=202).rev().collect::<Vec<_>>(), "each once, in their order");
        assert_eq!(list.items()[199], (3, "new"));
        // The end that was known is still where more is asked for.
        list.state.select(261);
        asked(&list.on_action(Action::Down, &mut desk, ask).expect("a move"));
        // What became shorter than a page is all there is.
        let short = asked(&list.reload(&mut desk, ask));
        assert!(list.answer(short, Ok(page((1..=9).rev(), "new", None)), same));
        assert_eq!(list.items().len(), 9);
    }
}
