//! Draws the "now serving" board: two halves, each a grid of numbers in the largest digits with which
//! all of them fit; only where even small ones do not, pages. Changes nothing.

use super::{Board, is_new, page_at};
use crate::domain::time::Timestamp;
use crate::service::views::CalledNumber;
use crate::tui::app::ViewCtx;
use crate::tui::keymap::Context;
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::banner::Banner;
use crate::tui::widgets::big_digits;
use crate::tui::widgets::page::{self, Page};
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect, Size};
use ratatui::style::Modifier;
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType, Borders, Paragraph};

/// Columns and rows of a digit, largest first; the last is plain text.
const DIGITS: [(u16, u16); 4] = [(8, 8), (8, 4), (4, 4), (1, 1)];
/// Columns and rows of air around a number.
const AIR: (u16, u16) = (2, 1);
/// More pages of large digits than this are too many to wait for.
const PAGES_LIMIT: usize = 3;
/// Rows of the screen from which on the headings are large.
const TALL: u16 = 30;

/// How the numbers of one half stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Grid {
    digit: (u16, u16),
    /// Size of a cell without the air.
    cell: Size,
    columns: usize,
    /// Numbers on one page.
    room: usize,
    pages: usize,
}

fn grid(area: Rect, numbers: &[CalledNumber], caption: bool) -> Grid {
    let letters = numbers.iter().map(|called| text::display_width(&text::clean(&called.number))).max().unwrap_or(1);
    let letters = u16::try_from(letters.clamp(1, 40)).unwrap_or(1);
    let sized = |digit: (u16, u16)| {
        let width = digit.0.saturating_mul(letters).max(if caption { 8 } else { 1 });
        let cell = Size::new(width, digit.1.saturating_add(u16::from(caption)));
        let fitting = |room: u16, part: u16, air: u16| usize::from(room.saturating_add(air) / part.saturating_add(air));
        let (columns, rows) = (fitting(area.width, cell.width, AIR.0), fitting(area.height, cell.height, AIR.1));
        let room = columns.saturating_mul(rows);
        let pages = numbers.len().div_ceil(room.max(1)).max(1);
        Grid { digit, cell, columns: columns.max(1), room, pages }
    };
    let grids = DIGITS.map(sized);
    // The largest with which all fit; else large ones on few pages; else small ones.
    let [.., large, small] = grids;
    let on_one_page = grids.into_iter().take(3).find(|grid| grid.room > 0 && grid.pages == 1);
    on_one_page.or_else(|| (large.room > 0 && large.pages <= PAGES_LIMIT).then_some(large)).unwrap_or(small)
}

/// The two halves of a screen of this size, within their frames: preparing and ready.
fn halves(size: Size, away: bool) -> [[Rect; 2]; 2] {
    let top = 1_u16.saturating_add(u16::from(away));
    let body = Rect {
        x: 1,
        y: top,
        width: size.width.saturating_sub(2),
        height: size.height.saturating_sub(top).saturating_sub(1),
    };
    let head = if size.height >= TALL { 6 } else { 2 };
    Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).spacing(1).areas(body).map(|half: Rect| {
        let inner = Rect { x: half.x.saturating_add(1), width: half.width.saturating_sub(2), ..half };
        Layout::vertical([Constraint::Length(head), Constraint::Fill(1)]).areas(inner)
    })
}

impl Board {
    /// How many pages each half needs on a screen of this size.
    pub(super) fn page_counts(&self, size: Size) -> [usize; 2] {
        let [[_, preparing], [_, ready]] = halves(size, self.away);
        let Some(view) = self.view.get() else { return [1, 1] };
        [grid(preparing, &view.preparing, has_names(&view.preparing)).pages, grid(ready, &view.ready, true).pages]
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>, ctx: &ViewCtx<'_>) {
        let view = self.view.get();
        let site = view.map_or("", |view| view.site.as_str());
        let demo = if view.is_some_and(|view| view.demo) { ctx.locale.t("common.demo") } else { String::new() };
        let banner = self.away.then_some(Banner::StoreAway);
        let title = ctx.locale.t_args("board.title", &[("site", &site)]);
        let page = Page { title: &title, aside: &demo, banner: banner.as_ref(), context: Context::Board, hints: &[] };
        let body = page::draw(frame, page, ctx);
        let Some(view) = view else {
            return invite(frame, body, &ctx.locale.t("board.loading"), "", ctx);
        };
        if view.preparing.is_empty() && view.ready.is_empty() {
            return invite(frame, body, &ctx.locale.t("board.empty"), &ctx.locale.t("board.empty_body"), ctx);
        }
        let now = self.store_now(ctx.now);
        let [preparing, ready] = halves(ctx.size, self.away);
        let middle = Rect { x: ready[0].x.saturating_sub(2), width: 1, ..body };
        let line =
            Block::new().borders(Borders::LEFT).border_type(BorderType::Plain).border_style(ctx.style(Token::Border));
        frame.render_widget(line, middle.intersection(body));
        let named = has_names(&view.preparing);
        let words = ctx.locale.t("board.preparing");
        let half = Half { words, numbers: &view.preparing, caption: named, ready: false };
        half.draw(frame, preparing, now, ctx);
        let half = Half { words: ctx.locale.t("board.ready"), numbers: &view.ready, caption: true, ready: true };
        half.draw(frame, ready, now, ctx);
    }
}

fn has_names(numbers: &[CalledNumber]) -> bool {
    numbers.iter().any(|called| called.name.is_some())
}

/// One sentence in the middle, for a board with nothing on it.
fn invite(frame: &mut Frame<'_>, area: Rect, head: &str, body: &str, ctx: &ViewCtx<'_>) {
    let mut lines = vec![Line::styled(head.to_owned(), ctx.style(Token::Title)), Line::default()];
    let rows = text::wrap(body, usize::from(area.width));
    lines.extend(rows.into_iter().map(|row| Line::styled(row, ctx.style(Token::Muted))));
    let height = u16::try_from(lines.len()).unwrap_or(area.height);
    let middle = area.centered_vertically(Constraint::Length(height));
    frame.render_widget(Paragraph::new(lines).centered(), middle);
}

/// One half of the board.
struct Half<'a> {
    words: String,
    numbers: &'a [CalledNumber],
    /// Whether a row below each number is kept for its name or mark.
    caption: bool,
    ready: bool,
}

impl Half<'_> {
    fn draw(&self, frame: &mut Frame<'_>, [head, area]: [Rect; 2], now: Timestamp, ctx: &ViewCtx<'_>) {
        let token = if self.ready { Token::Ready } else { Token::Title };
        let grid = grid(area, self.numbers, self.caption);
        // Both headings in digits of one size, whatever the length of their words.
        let wide = u16::try_from(self.words.chars().count().saturating_mul(4)).unwrap_or(u16::MAX);
        let place = Rect { height: head.height.saturating_sub(1), width: wide.min(head.width), ..head };
        big_digits::draw(frame, place, &self.words, ctx.style(token), Alignment::Left);
        let page = page_at(now, grid.pages);
        if grid.pages > 1 {
            let number = page.saturating_add(1);
            let words = ctx.locale.t_args("board.page", &[("page", &number), ("pages", &grid.pages)]);
            let line = Line::styled(words, ctx.style(Token::Muted));
            frame.render_widget(Paragraph::new(line).right_aligned(), Rect { height: 1, ..head });
        }
        if self.numbers.is_empty() {
            let words = ctx.locale.t(if self.ready { "board.none_ready" } else { "board.none_preparing" });
            let rows = text::wrap(&words, usize::from(area.width));
            let rows: Vec<Line<'_>> = rows.into_iter().map(|row| Line::styled(row, ctx.style(Token::Muted))).collect();
            frame.render_widget(Paragraph::new(rows), area);
            return;
        }
        let shown = self.numbers.iter().skip(page.saturating_mul(grid.room)).take(grid.room);
        for (at, called) in shown.enumerate() {
            let step = |at: usize, part: u16, air: u16| {
                u16::try_from(at).unwrap_or(u16::MAX).saturating_mul(part.saturating_add(air))
            };
            let column = at.checked_rem(grid.columns).unwrap_or_default();
            let row = at.checked_div(grid.columns).unwrap_or_default();
            let cell = Rect {
                x: area.x.saturating_add(step(column, grid.cell.width, AIR.0)),
                y: area.y.saturating_add(step(row, grid.cell.height, AIR.1)),
                width: grid.cell.width,
                height: grid.cell.height,
            };
            self.draw_number(frame, cell.intersection(area), &grid, called, now, ctx);
        }
    }

    fn draw_number(
        &self,
        frame: &mut Frame<'_>,
        cell: Rect,
        grid: &Grid,
        called: &CalledNumber,
        now: Timestamp,
        ctx: &ViewCtx<'_>,
    ) {
        let new = self.ready && is_new(called, now);
        let style = match (self.ready, new) {
            (true, true) => ctx.style(Token::Ready).add_modifier(Modifier::REVERSED | Modifier::BOLD),
            (true, false) => ctx.style(Token::Ready),
            (false, _) => ctx.style(Token::Text),
        };
        let digits = Rect { height: grid.digit.1.min(cell.height), ..cell };
        if new {
            frame.buffer_mut().set_style(digits, style);
        }
        big_digits::draw(frame, digits, &called.number, style, Alignment::Left);
        if !self.caption || cell.height <= grid.digit.1 {
            return;
        }
        let below = Rect { y: cell.y.saturating_add(grid.digit.1), height: 1, ..cell };
        let name = text::clean(called.name.as_deref().unwrap_or_default());
        let mark = if new { ctx.locale.t("board.new") } else { String::new() };
        let words = [mark, name].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        let words = text::truncate_to_width(&words, usize::from(below.width));
        let token = if new { Token::Ready } else { Token::Text };
        let bold = ctx.style(token).add_modifier(Modifier::BOLD);
        frame.render_widget(Paragraph::new(Line::styled(words, bold)), below);
    }
}
