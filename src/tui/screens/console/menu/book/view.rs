//! How the book is drawn: the list, the line above it, and what stands beside it.

use super::rows::Row;
use super::{Book, LIST, detail, filter};
use crate::service::menu_book::{CategoryRecord, MenuBookView};
use crate::tui::app::ViewCtx;
use crate::tui::screens::console::desk::{Desk, draw_words, waiting_words};
use crate::tui::screens::console::tab::Tab;
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::columns::{self, Column};
use crate::tui::widgets::list::{self, ListLook};
use crate::tui::widgets::panel;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// From this width of the list on, it has room for the station.
const WITH_STATION: u16 = 58;
/// From this width on, for the whole of its name.
const WITH_LONG_STATION: u16 = 72;

impl Book {
    pub(super) fn draw_list(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let [top, _, body] =
            Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        let Some(book) = self.book.get() else {
            let (words, token) = waiting_words(self.problem.as_ref(), ctx);
            return draw_words(&words, token, frame, body, ctx);
        };
        self.draw_head(book, frame, top, ctx);
        let rows = self.rows();
        if rows.iter().all(|row| *row == Row::Deleted) {
            let words = if self.filter.is_empty() {
                ctx.locale.t("menu_book.empty")
            } else {
                ctx.locale.t("menu_book.nothing_found")
            };
            return draw_words(&words, Token::Muted, frame, body, ctx);
        }
        let look = ListLook { name: LIST, row_height: 1, active: !self.is_covered() };
        list::draw(frame, body, &self.state, rows.len(), look, ctx, |index, width| {
            let Some(row) = rows.get(index) else { return Vec::new() };
            match row {
                Row::Deleted => vec![Line::styled(ctx.locale.t("menu_book.deleted_heading"), ctx.style(Token::Muted))],
                Row::Category(at) => book.categories.get(*at).map(|one| category_row(one, ctx)).into_iter().collect(),
                Row::Item(at) => {
                    let Some(item) = book.items.get(*at) else { return Vec::new() };
                    let cells = detail::item_cells(item, book, desk, ctx);
                    let cells: Vec<(&str, ratatui::style::Style)> =
                        cells.iter().map(|(words, style)| (words.as_str(), *style)).collect();
                    let station = match width {
                        WITH_LONG_STATION.. => 20,
                        WITH_STATION.. => 10,
                        _ => 0,
                    };
                    let columns =
                        [Column::Left(3), Column::Fill, Column::Left(station), Column::Left(9), Column::Right(11)];
                    vec![columns::row(&columns, &cells, width)]
                }
            }
        });
    }

    fn draw_head(&self, book: &MenuBookView, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let live = if self.filter.is_empty() {
            book.items.iter().filter(|item| item.deleted_at.is_none()).count()
        } else {
            self.rows().iter().filter(|row| matches!(row, Row::Item(_))).count()
        };
        let total = ctx.locale.t_plural("menu_book.dishes", i64::try_from(live).unwrap_or(i64::MAX), &[]);
        let off = book.items.iter().filter(|item| item.deleted_at.is_none() && item.active && !item.available).count();
        let mut words = filter::words(&self.filter, ctx.locale);
        if off > 0 {
            words.push(ctx.locale.t_plural("menu_book.sold_out_count", i64::try_from(off).unwrap_or(i64::MAX), &[]));
        }
        if self.deleted {
            words.push(ctx.locale.t("menu_book.with_deleted"));
        }
        self.search.draw_head(frame, area, (&words.join(" · "), Token::Muted), total, ctx);
    }

    pub(super) fn draw_detail(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let Some(book) = self.book.get() else { return };
        let (title, item) = match (self.item(), self.category()) {
            (Some(item), _) => (item.name.clone(), Some(item)),
            (None, Some(category)) => (category.name.clone(), None),
            (None, None) => return,
        };
        let inner = panel::draw(frame, area, &title, self.open, ctx);
        let lines = match (item, self.category()) {
            (Some(item), _) => detail::item_lines(item, book, inner.width, desk, ctx),
            (None, Some(category)) => detail::category_lines(category, inner.width, ctx),
            (None, None) => Vec::new(),
        };
        let most = lines.len().saturating_sub(usize::from(inner.height));
        let shown: Vec<Line<'_>> =
            lines.into_iter().skip(self.skip.min(most)).take(usize::from(inner.height)).collect();
        frame.render_widget(Paragraph::new(shown), inner);
    }
}

fn category_row(category: &CategoryRecord, ctx: &ViewCtx<'_>) -> Line<'static> {
    let mut spans = vec![Span::styled(text::clean(&category.name), ctx.style(Token::Title))];
    let aside = if category.deleted_at.is_some() {
        Some(ctx.locale.t("menu_book.is_deleted"))
    } else if !category.active {
        Some(ctx.locale.t("menu_book.is_hidden"))
    } else if category.items == 0 {
        Some(ctx.locale.t("menu_book.empty_category"))
    } else {
        None
    };
    if let Some(aside) = aside {
        spans.push(Span::styled(format!("  {aside}"), ctx.style(Token::Muted)));
    }
    Line::from(spans)
}
