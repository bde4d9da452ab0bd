//! A table: a row of headings over a list of rows with the same columns.

use super::columns::{self, Column};
use super::list::{self, ListLook, ListState};
use crate::tui::app::ViewCtx;
use crate::tui::theme::Token;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::widgets::Paragraph;

/// How a table is drawn.
#[derive(Debug, Clone, Copy)]
pub struct TableLook<'a> {
    /// Its name in [`crate::tui::app::Hit::Row`].
    pub name: &'static str,
    /// Its columns, with their headings (in the words of the catalogue).
    pub columns: &'a [(Column, &'a str)],
    /// Whether keys go to it now.
    pub active: bool,
}

/// Draws the table; `cells` makes the cells of a row, each with its style.
pub fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    state: &ListState,
    len: usize,
    look: TableLook<'_>,
    ctx: &ViewCtx<'_>,
    cells: impl Fn(usize) -> Vec<(String, Style)>,
) {
    let [head, body] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    let columns: Vec<Column> = look.columns.iter().map(|(column, _)| *column).collect();
    let titles: Vec<(&str, Style)> = look.columns.iter().map(|(_, title)| (*title, ctx.style(Token::Muted))).collect();
    // The same width as the rows: a list that scrolls gives two columns to its position.
    let scrolls = len > usize::from(body.height.max(1)) && body.width > 2;
    let width = if scrolls { head.width.saturating_sub(2) } else { head.width };
    frame.render_widget(Paragraph::new(columns::row(&columns, &titles, width)), head);
    let list = ListLook { name: look.name, row_height: 1, active: look.active };
    list::draw(frame, body, state, len, list, ctx, |index, width| {
        let cells = cells(index);
        let cells: Vec<(&str, Style)> = cells.iter().map(|(words, style)| (words.as_str(), *style)).collect();
        vec![columns::row(&columns, &cells, width)]
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::drawn;

    fn at(width: u16, height: u16, rows: usize) -> String {
        let look = TableLook {
            name: "stock",
            columns: &[(Column::Fill, "Item"), (Column::Right(9), "On hand"), (Column::Right(8), "Reserved")],
            active: true,
        };
        drawn(width, height, |frame, ctx| {
            draw(frame, frame.area(), &ListState::default(), rows, look, ctx, |row| {
                vec![
                    (format!("Masala dosa {row}"), ctx.style(Token::Text)),
                    ((row * 10).to_string(), ctx.style(Token::Text)),
                    (row.to_string(), ctx.style(Token::Warning)),
                ]
            });
        })
    }

    #[test]
    fn headings_stand_over_their_columns() {
        insta::assert_snapshot!(format!("{}\n\n{}", at(44, 5, 3), at(44, 4, 12)));
    }

    #[test]
    fn no_size_breaks_it() {
        for (width, height) in [(1, 1), (3, 2), (12, 3), (80, 1)] {
            at(width, height, 40);
        }
    }
}
