//! A leaf of a page: headings, pairs of words and figure, tables and charts, one line under the other.
//! A page has one leaf or two, side by side where there is room, and is scrolled as a whole. What
//! stands on a leaf is its tab's business.

use super::desk::Desk;
use crate::tui::app::ViewCtx;
use crate::tui::keymap::Action;
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::bars::{self, Bar};
use crate::tui::widgets::columns::{self, Column};
use crate::tui::widgets::list;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use std::cell::Cell;

/// Columns between two leaves.
const GAP: u16 = 3;
/// Columns at the right that show how far a page is scrolled.
const POSITION: u16 = 2;

/// How far a page is scrolled.
#[derive(Debug, Clone, Default)]
pub(super) struct Scroll {
    skip: usize,
    /// Drawing sets these, because only drawing knows the height.
    most: Cell<usize>,
    page: Cell<usize>,
}

impl Scroll {
    /// To the top.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Moves by an action of a list; whether it was one.
    pub(super) fn on_action(&mut self, action: Action) -> bool {
        let (at, most) = (self.skip.min(self.most.get()), self.most.get());
        let page = self.page.get().saturating_sub(1).max(1);
        self.skip = match action {
            Action::Up => at.saturating_sub(1),
            Action::Down => at.saturating_add(1).min(most),
            Action::PageUp => at.saturating_sub(page),
            Action::PageDown => at.saturating_add(page).min(most),
            Action::Home => 0,
            Action::End => most,
            _ => return false,
        };
        true
    }
}

/// One leaf while it is written.
pub(super) struct Leaf<'a> {
    lines: Vec<Line<'static>>,
    /// Lines at the top that stay when a page of one leaf is scrolled.
    pinned: usize,
    /// Columns.
    pub(super) width: u16,
    pub(super) desk: &'a Desk,
    pub(super) ctx: &'a ViewCtx<'a>,
}

impl<'a> Leaf<'a> {
    pub(super) const fn new(width: u16, desk: &'a Desk, ctx: &'a ViewCtx<'a>) -> Self {
        Self { lines: Vec::new(), pinned: 0, width, desk, ctx }
    }

    /// The words of a key of the catalogue.
    pub(super) fn t(&self, key: &str) -> String {
        self.ctx.locale.t(key)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// A heading, with a free line above it where it is not the first.
    pub(super) fn section(&mut self, words: String) {
        if !self.lines.is_empty() {
            self.blank();
        }
        self.lines.push(Line::styled(text::clean(&words), self.ctx.style(Token::Title)));
    }

    pub(super) fn blank(&mut self) {
        self.lines.push(Line::default());
    }

    /// Lines as they are.
    pub(super) fn put(&mut self, lines: Vec<Line<'static>>) {
        self.lines.extend(lines);
    }

    /// Words at the left, a figure at the right.
    pub(super) fn pair(&mut self, words: &str, figure: &str, token: Token) {
        let room = u16::try_from(text::display_width(figure)).unwrap_or_default();
        let cells = [(words, self.ctx.style(Token::Text)), (figure, self.ctx.style(token))];
        self.lines.push(columns::row(&[Column::Fill, Column::Right(room)], &cells, self.width));
    }

    /// A name in a column of `room`, and what there is to say of it on as many lines as it takes.
    pub(super) fn fact(&mut self, name: &str, words: &str, room: u16, token: Token) {
        let left = usize::from(self.width.saturating_sub(room).saturating_sub(1));
        for (row, words) in text::wrap(words, left.max(1)).into_iter().enumerate() {
            let name = if row == 0 { name } else { "" };
            let cells = [(name, self.ctx.style(Token::Muted)), (words.as_str(), self.ctx.style(token))];
            self.lines.push(columns::row(&[Column::Left(room), Column::Fill], &cells, self.width));
        }
    }

    /// Words on as many lines as they take.
    pub(super) fn note(&mut self, words: &str, token: Token) {
        let rows = text::wrap(words, usize::from(self.width));
        self.lines.extend(rows.into_iter().map(|row| Line::styled(row, self.ctx.style(token))));
    }

    /// A row of headings, and the rows below it.
    pub(super) fn table(&mut self, heads: &[(Column, String)], rows: &[Vec<(String, Token)>]) {
        let columns: Vec<Column> = heads.iter().map(|(column, _)| *column).collect();
        let muted = self.ctx.style(Token::Muted);
        let titles: Vec<(&str, Style)> = heads.iter().map(|(_, title)| (title.as_str(), muted)).collect();
        self.lines.push(columns::row(&columns, &titles, self.width));
        self.rows(heads, rows);
    }

    /// The rows of a table whose headings were written before.
    pub(super) fn rows(&mut self, heads: &[(Column, String)], rows: &[Vec<(String, Token)>]) {
        let columns: Vec<Column> = heads.iter().map(|(column, _)| *column).collect();
        for row in rows {
            let cells: Vec<(&str, Style)> =
                row.iter().map(|(words, token)| (words.as_str(), self.ctx.style(*token))).collect();
            self.lines.push(columns::row(&columns, &cells, self.width));
        }
    }

    /// A bar for each.
    pub(super) fn bars(&mut self, bars: &[Bar]) {
        self.lines.extend(bars::lines(bars, self.width, self.ctx));
    }

    /// What was written so far stays when the page is scrolled.
    pub(super) fn pin(&mut self) {
        self.pinned = self.lines.len();
    }
}

/// The columns of a page's leaves in `area`: of both where each has at least `least`, else of the one
/// under the other.
pub(super) fn widths(area: Rect, least: u16) -> Option<(u16, u16)> {
    let room = area.width.saturating_sub(POSITION).saturating_sub(GAP);
    let left = room / 2;
    (left >= least).then(|| (left, room.saturating_sub(left)))
}

/// The columns of a page's only leaf.
pub(super) const fn width(area: Rect) -> u16 {
    area.width.saturating_sub(POSITION)
}

/// Draws a page of one leaf.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, leaf: Leaf<'_>, scroll: &Scroll) {
    let Leaf { mut lines, pinned, ctx, .. } = leaf;
    let rest = lines.split_off(pinned.min(lines.len()));
    let top = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(area.height.saturating_sub(1));
    let [head, body] = Layout::vertical([Constraint::Length(top), Constraint::Fill(1)]).areas(area);
    frame.render_widget(Paragraph::new(lines), head);
    let first = moved(frame, body, rest.len(), scroll, ctx);
    let shown: Vec<Line<'_>> = rest.into_iter().skip(first).take(usize::from(body.height)).collect();
    frame.render_widget(Paragraph::new(shown), Rect { width: width(body), ..body });
}

/// Draws a page of two leaves: side by side where both were written for that, else one under the other.
pub(super) fn draw_two(frame: &mut Frame<'_>, area: Rect, (left, right): (Leaf<'_>, Leaf<'_>), scroll: &Scroll) {
    let beside = left.width.saturating_add(right.width).saturating_add(GAP) <= width(area);
    if !beside {
        let mut both = left;
        if !both.is_empty() && !right.is_empty() {
            both.blank();
        }
        both.put(right.lines);
        return draw(frame, area, both, scroll);
    }
    let first = moved(frame, area, left.lines.len().max(right.lines.len()), scroll, left.ctx);
    let [one, _, other] =
        Layout::horizontal([Constraint::Length(left.width), Constraint::Length(GAP), Constraint::Length(right.width)])
            .areas(area);
    for (leaf, place) in [(left, one), (right, other)] {
        let shown: Vec<Line<'_>> = leaf.lines.into_iter().skip(first).take(usize::from(place.height)).collect();
        frame.render_widget(Paragraph::new(shown), place);
    }
}

/// The first line that is shown; notes how far it can go, and draws where it stands.
fn moved(frame: &mut Frame<'_>, area: Rect, len: usize, scroll: &Scroll, ctx: &ViewCtx<'_>) -> usize {
    let visible = usize::from(area.height);
    let most = len.saturating_sub(visible);
    scroll.most.set(most);
    scroll.page.set(visible);
    let first = scroll.skip.min(most);
    if most > 0 && area.width > POSITION {
        let side = Rect { x: area.right().saturating_sub(1), width: 1, ..area };
        list::position(frame, side, first, visible, len, ctx);
    }
    first
}
