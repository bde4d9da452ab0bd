//! How a figure went over time, in a few rows without names: the course of it, not its values. Where
//! there are more values than columns, neighbours are taken together.

use crate::tui::app::ViewCtx;
use crate::tui::theme::Token;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Sparkline, Widget};

/// The tallest that is drawn, in rows.
const TALLEST: u16 = 8;

/// As many values as fit: sums of neighbours where there are too many, each several times where there
/// are few.
fn fitted(values: &[i64], width: usize) -> Vec<u64> {
    let count = values.len();
    if count == 0 || width == 0 {
        return Vec::new();
    }
    let above = |value: i64| u64::try_from(value).unwrap_or(0);
    if count <= width {
        let each = width / count;
        return values.iter().flat_map(|value| std::iter::repeat_n(above(*value), each)).collect();
    }
    let edge = |column: usize| column.saturating_mul(count) / width;
    (0..width)
        .map(|column| {
            let part = values.get(edge(column)..edge(column.saturating_add(1))).unwrap_or_default();
            // A mean, so that a column of two values is no taller than one of one.
            let sum: i128 = part.iter().map(|value| i128::from((*value).max(0))).sum();
            u64::try_from(sum / i128::try_from(part.len().max(1)).unwrap_or(1)).unwrap_or(u64::MAX)
        })
        .collect()
}

/// The course of these values, the oldest first, in so many columns and rows.
#[must_use]
pub fn lines(values: &[i64], (width, height): (u16, u16), ctx: &ViewCtx<'_>) -> Vec<Line<'static>> {
    let area = Rect::new(0, 0, width, height.min(TALLEST));
    let mut buffer = Buffer::empty(area);
    let data = fitted(values, usize::from(width));
    Sparkline::default().data(data).render(area, &mut buffer);
    let row = |y: u16| {
        let symbols = (0..area.width).filter_map(|x| buffer.cell((x, y))).map(|cell| cell.symbol());
        Line::styled(symbols.collect::<String>(), ctx.style(Token::Accent))
    };
    (0..area.height).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::drawn;
    use ratatui::widgets::Paragraph;

    fn at(width: u16, height: u16, values: &[i64]) -> String {
        drawn(width, height, |frame, ctx| {
            let area = frame.area();
            frame.render_widget(Paragraph::new(lines(values, (area.width, area.height), ctx)), area);
        })
    }

    #[test]
    fn the_highest_is_as_tall_as_the_rows() {
        assert_eq!(at(4, 1, &[1, 2, 4, 8]), "▁▂▄█");
        assert_eq!(at(8, 1, &[1, 2, 4, 8]), "▁▁▂▂▄▄██");
        assert_eq!(at(2, 2, &[4, 8]), " █\n██");
    }

    #[test]
    fn more_values_than_columns_are_taken_together() {
        assert_eq!(fitted(&[1, 3, 4, 4, 0, 2], 3), [2, 4, 1]);
        assert_eq!(fitted(&[5, -9], 1), [2]);
        assert_eq!(fitted(&[i64::MAX, i64::MAX], 1), [u64::try_from(i64::MAX).expect("positive")]);
        let year: Vec<i64> = (0..365).collect();
        assert_eq!(fitted(&year, 78).len(), 78);
    }

    #[test]
    fn no_size_breaks_it() {
        for (width, height) in [(1, 1), (2, 40), (300, 2)] {
            for values in [&[][..], &[0], &[i64::MIN, i64::MAX, 0], &[7; 900]] {
                at(width, height, values);
            }
        }
    }
}
