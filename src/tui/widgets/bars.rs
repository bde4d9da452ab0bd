//! Bars that lie in rows, each between its name and its figure, so that nothing is said by length or
//! colour alone. Lines of text and no widget with an area of its own: they stand in pages that scroll.

use super::columns::{self, Column};
use crate::tui::app::ViewCtx;
use crate::tui::text;
use crate::tui::theme::Token;
use ratatui::symbols::block;
use ratatui::text::Line;

/// Parts of a column, from nothing to all of it.
const PARTS: [&str; 9] = [
    "",
    block::ONE_EIGHTH,
    block::ONE_QUARTER,
    block::THREE_EIGHTHS,
    block::HALF,
    block::FIVE_EIGHTHS,
    block::THREE_QUARTERS,
    block::SEVEN_EIGHTHS,
    block::FULL,
];
/// The part of a bar that is outside of its inner one.
const OUTER: &str = "░";

/// One bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// What it is of.
    pub name: String,
    /// How long it is; nothing is drawn for zero and below.
    pub value: i64,
    /// The same in figures.
    pub figure: String,
}

/// So many eighths of a column: of `width` columns, as `value` is of `most`; at least one for anything
/// above zero.
fn eighths(value: i64, most: i64, width: usize) -> usize {
    let all = i64::try_from(width.saturating_mul(8)).unwrap_or(i64::MAX);
    let value = i128::from(value.clamp(0, most.max(0)));
    let part = (value * i128::from(all)).checked_div(i128::from(most)).unwrap_or_default();
    let part = usize::try_from(part).unwrap_or_default();
    if value > 0 { part.max(1) } else { 0 }
}

/// A bar of at most `width` columns, which are reached by `most`.
#[must_use]
pub fn bar(value: i64, most: i64, width: usize) -> String {
    let eighths = eighths(value, most, width);
    let part = PARTS.get(eighths % 8).copied().unwrap_or_default();
    format!("{}{part}", block::FULL.repeat(eighths / 8))
}

/// A bar for `inner` that goes on, lighter, to `outer`: a median and a 90th percentile.
#[must_use]
pub fn nested(inner: i64, outer: i64, most: i64, width: usize) -> String {
    let whole = |value| eighths(value, most, width).div_ceil(8);
    let (inner, outer) = (whole(inner), whole(outer));
    format!("{}{}", block::FULL.repeat(inner), OUTER.repeat(outer.saturating_sub(inner)))
}

/// A row for each bar, `width` columns wide; the longest one takes all the room between names and
/// figures.
#[must_use]
pub fn lines(bars: &[Bar], width: u16, ctx: &ViewCtx<'_>) -> Vec<Line<'static>> {
    let widest = |of: &dyn Fn(&Bar) -> usize| u16::try_from(bars.iter().map(of).max().unwrap_or(0)).unwrap_or(u16::MAX);
    let names = widest(&|bar| text::display_width(&text::clean(&bar.name))).min(width.saturating_mul(2) / 5);
    let figures = widest(&|bar| text::display_width(&bar.figure)).min(width / 2);
    let room = usize::from(width.saturating_sub(names).saturating_sub(figures).saturating_sub(2));
    let most = bars.iter().map(|bar| bar.value).max().unwrap_or(0);
    let columns = [Column::Left(names), Column::Fill, Column::Right(figures)];
    bars.iter()
        .map(|row| {
            let drawn = bar(row.value, most, room);
            let cells = [
                (row.name.as_str(), ctx.style(Token::Text)),
                (drawn.as_str(), ctx.style(Token::Accent)),
                (row.figure.as_str(), ctx.style(Token::Price)),
            ];
            columns::row(&columns, &cells, width)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::drawn;
    use ratatui::widgets::Paragraph;

    fn of(name: &str, value: i64) -> Bar {
        Bar { name: name.to_owned(), value, figure: value.to_string() }
    }

    fn at(width: u16, bars: &[Bar]) -> String {
        drawn(width, 4, |frame, ctx| {
            frame.render_widget(Paragraph::new(lines(bars, frame.area().width, ctx)), frame.area())
        })
    }

    #[test]
    fn the_longest_takes_the_room_and_the_least_is_still_seen() {
        assert_eq!(bar(10, 10, 4), "████");
        assert_eq!(bar(5, 10, 3), "█▌");
        assert_eq!(bar(1, 1_000_000, 4), "▏");
        assert_eq!((bar(0, 10, 4), bar(-5, 10, 4), bar(3, 0, 4)), (String::new(), String::new(), String::new()));
        assert_eq!(bar(i64::MAX, i64::MAX, 2), "██");
        assert_eq!(nested(5, 10, 10, 4), "██░░");
        assert_eq!(nested(0, 0, 10, 4), "");
    }

    #[test]
    fn names_bars_and_figures_stand_under_each_other() {
        let bars = [of("Monday", 40), of("Tuesday", 10), of("Sunday", 0), of("Refunds", -3)];
        insta::assert_snapshot!(at(30, &bars));
    }

    #[test]
    fn no_size_and_no_text_breaks_it() {
        let bars = [of("寿司寿司寿司\u{1b}[2J", i64::MAX), of("", i64::MIN)];
        for width in 1..40 {
            at(width, &bars);
        }
    }
}
