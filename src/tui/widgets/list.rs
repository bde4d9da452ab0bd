//! A list with one selected entry: keeps the selection visible, shows where it stands, and tells
//! what a click hit. Only the entries that are visible are made.

use crate::tui::app::{Hit, ViewCtx};
use crate::tui::keymap::Action;
use crate::tui::theme::Token;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use std::cell::Cell;

/// Which entry is selected, and how far the list is scrolled.
#[derive(Debug, Clone, Default)]
pub struct ListState {
    selected: usize,
    /// Drawing sets these, because only drawing knows the height; they are memory of the picture,
    /// not of the list.
    first: Cell<usize>,
    page: Cell<usize>,
}

impl ListState {
    /// The selected entry, for a list of `len`; `None` when it is empty.
    #[must_use]
    pub fn selected(&self, len: usize) -> Option<usize> {
        len.checked_sub(1).map(|last| self.selected.min(last))
    }

    /// Selects an entry; one beyond the end selects the last.
    pub const fn select(&mut self, index: usize) {
        self.selected = index;
    }

    /// Moves by an action (up, down, page up, page down, home, end) in a list of `len`; whether the
    /// selection changed.
    pub fn on_action(&mut self, action: Action, len: usize) -> bool {
        let Some(at) = self.selected(len) else { return false };
        let page = self.page.get().max(1);
        let to = match action {
            Action::Up => at.saturating_sub(1),
            Action::Down => at.saturating_add(1),
            Action::PageUp => at.saturating_sub(page),
            Action::PageDown => at.saturating_add(page),
            Action::Home => 0,
            Action::End => len,
            _ => return false,
        };
        self.selected = to.min(len.saturating_sub(1));
        self.selected != at
    }

    /// The first visible entry, when `visible` fit: moves as little as needed to show the selection.
    fn scroll(&self, len: usize, visible: usize) -> usize {
        let selected = self.selected(len).unwrap_or_default();
        let lowest = selected.saturating_add(1).saturating_sub(visible);
        let first = self.first.get().clamp(lowest, selected).min(len.saturating_sub(visible));
        self.first.set(first);
        self.page.set(visible);
        first
    }
}

/// How a list is drawn.
#[derive(Debug, Clone, Copy)]
pub struct ListLook {
    /// Its name in [`Hit::Row`].
    pub name: &'static str,
    /// Rows of one entry.
    pub row_height: u16,
    /// Whether keys go to it now: only then the selection is strong.
    pub active: bool,
}

/// Draws the list; `row` makes the lines of an entry for a width. Where not everything fits, the
/// last column shows how far it is scrolled.
pub fn draw<'a>(
    frame: &mut Frame<'_>,
    area: Rect,
    state: &ListState,
    len: usize,
    look: ListLook,
    ctx: &ViewCtx<'_>,
    row: impl Fn(usize, u16) -> Vec<Line<'a>>,
) {
    if area.is_empty() {
        return;
    }
    if len == 0 {
        let words = Line::styled(ctx.locale.t("common.empty_list"), ctx.style(Token::Muted));
        frame.render_widget(Paragraph::new(words), area);
        return;
    }
    let height = look.row_height.clamp(1, area.height);
    let visible = usize::from((area.height / height).max(1));
    let first = state.scroll(len, visible);
    let scrolls = len > visible && area.width > 2;
    let width = if scrolls { area.width.saturating_sub(2) } else { area.width };
    let mut y = area.y;
    for index in (first..len).take(visible) {
        let place = Rect { y, width, height, ..area };
        let marked = state.selected(len) == Some(index);
        frame.render_widget(Paragraph::new(row(index, width)), place);
        if marked {
            let token = if look.active { Token::Selected } else { Token::Accent };
            frame.buffer_mut().set_style(place, ctx.style(token));
        }
        ctx.hit(place, Hit::Row { list: look.name, index });
        y = y.saturating_add(height);
    }
    if scrolls {
        position(frame, Rect { x: area.right().saturating_sub(1), width: 1, ..area }, first, visible, len, ctx);
    }
}

/// A thin line down the side with a thick part where the visible entries stand.
pub fn position(frame: &mut Frame<'_>, area: Rect, first: usize, visible: usize, len: usize, ctx: &ViewCtx<'_>) {
    let rows = usize::from(area.height);
    let part = |entries: usize| entries.saturating_mul(rows).checked_div(len).unwrap_or_default();
    let length = part(visible).max(1);
    // The marker touches an end only where the list does.
    let travel = rows.saturating_sub(length);
    let start = first.saturating_mul(travel).checked_div(len.saturating_sub(visible)).unwrap_or_default();
    for (row, y) in (area.top()..area.bottom()).enumerate() {
        let here = (start..start.saturating_add(length)).contains(&row);
        let (symbol, token) = if here { ("┃", Token::Accent) } else { ("│", Token::Border) };
        frame.buffer_mut().set_string(area.x, y, symbol, ctx.style(token));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::drawn;

    const LOOK: ListLook = ListLook { name: "test", row_height: 1, active: true };

    fn at(state: &ListState, len: usize, width: u16, height: u16) -> String {
        drawn(width, height, |frame, ctx| {
            draw(frame, frame.area(), state, len, LOOK, ctx, |index, _| vec![Line::from(format!("entry {index}"))]);
        })
    }

    #[test]
    fn the_selection_stays_visible_and_the_list_moves_as_little_as_needed() {
        let mut state = ListState::default();
        assert_eq!(at(&state, 10, 12, 3), "entry 0    ┃\nentry 1    │\nentry 2    │");
        for _ in 0..3 {
            state.on_action(Action::Down, 10);
        }
        assert!(at(&state, 10, 12, 3).starts_with("entry 1"));
        state.on_action(Action::Up, 10);
        assert!(at(&state, 10, 12, 3).starts_with("entry 1"), "no jump while the selection is visible");
        state.on_action(Action::End, 10);
        assert!(at(&state, 10, 12, 3).ends_with("entry 9    ┃"));
        state.on_action(Action::PageUp, 10);
        assert_eq!(state.selected(10), Some(6));
    }

    #[test]
    fn a_list_that_shrank_selects_its_last_entry() {
        let mut state = ListState::default();
        state.select(9);
        assert_eq!(state.selected(4), Some(3));
        assert_eq!(at(&state, 4, 12, 4), "entry 0\nentry 1\nentry 2\nentry 3");
        assert_eq!(state.selected(0), None);
        assert_eq!(at(&state, 0, 12, 4), "Nothing here");
        assert!(!state.on_action(Action::Down, 0));
    }

    #[test]
    fn no_size_breaks_it() {
        let mut state = ListState::default();
        state.select(150);
        for (width, height) in [(1, 1), (2, 3), (3, 1), (40, 50)] {
            for row_height in [0, 1, 3, 90] {
                drawn(width, height, |frame, ctx| {
                    let look = ListLook { row_height, ..LOOK };
                    draw(frame, frame.area(), &state, 200, look, ctx, |_, _| vec![Line::from("寿司寿司寿司")]);
                });
            }
        }
    }
}
