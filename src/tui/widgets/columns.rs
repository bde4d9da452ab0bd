//! Rows of several columns, cut by display width so that wide or hostile text never moves its
//! neighbours.

use crate::tui::text;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// One column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// This many columns of the terminal, text at the left.
    Left(u16),
    /// This many columns of the terminal, text at the right: numbers and money.
    Right(u16),
    /// What the others leave, shared evenly.
    Fill,
}

/// One row of cells (cleaned here), each with its style, fitted into `width` with one space between
/// the columns. Where the fixed columns alone are too wide, the last ones are cut.
#[must_use]
pub fn row(columns: &[Column], cells: &[(&str, Style)], width: u16) -> Line<'static> {
    let total = usize::from(width);
    let gaps = columns.len().saturating_sub(1);
    let fixed: usize = columns
        .iter()
        .map(|column| match column {
            Column::Left(width) | Column::Right(width) => usize::from(*width),
            Column::Fill => 0,
        })
        .sum();
    let mut fills = columns.iter().filter(|column| **column == Column::Fill).count();
    let mut free = total.saturating_sub(fixed).saturating_sub(gaps);
    let mut left = total;
    let mut spans = Vec::with_capacity(columns.len().saturating_mul(2));
    for (at, column) in columns.iter().enumerate() {
        let (words, style) = cells.get(at).copied().unwrap_or_default();
        if at > 0 && left > 0 {
            spans.push(Span::raw(" "));
            left = left.saturating_sub(1);
        }
        let wanted = match column {
            Column::Left(width) | Column::Right(width) => usize::from(*width),
            Column::Fill => {
                let share = free.checked_div(fills).unwrap_or_default();
                free = free.saturating_sub(share);
                fills = fills.saturating_sub(1);
                share
            }
        };
        let room = wanted.min(left);
        left = left.saturating_sub(room);
        let words = text::truncate_to_width(&text::clean(words), room);
        let missing = " ".repeat(room.saturating_sub(text::display_width(&words)));
        let fitted = if matches!(column, Column::Right(_)) { missing + &words } else { words + &missing };
        spans.push(Span::styled(fitted, style));
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [Column::Left(3), Column::Fill, Column::Right(8)];

    fn text_of(cells: [&str; 3], width: u16) -> String {
        row(&COLUMNS, &cells.map(|cell| (cell, Style::default())), width).to_string()
    }

    #[test]
    fn columns_stand_where_they_belong() {
        assert_eq!(text_of(["2×", "Masala dosa", "€ 8.50"], 26), "2×  Masala dosa     € 8.50");
        assert_eq!(text_of(["2×", "Masala dosa with everything", "€ 8.50"], 26), "2×  Masala dosa…    € 8.50");
        assert_eq!(text_of(["2×", "寿司寿司寿司寿司寿司", "€ 8.50"], 26), "2×  寿司寿司寿司…   € 8.50");
    }

    #[test]
    fn every_row_has_exactly_the_width_whatever_it_holds() {
        for width in 0..40 {
            for words in ["", "a\u{1b}[31m\u{202e}b", "日本語日本語日本語日本語", "e\u{301}\u{301}\u{301}\u{301}x"]
            {
                let seen = text_of([words, words, words], width);
                assert_eq!(text::display_width(&seen), usize::from(width), "{seen:?}");
            }
        }
    }
}
