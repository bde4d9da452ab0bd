//! A heat map: a table whose cells carry a shade (` ░▒▓█`) and the figure that it stands for, so that
//! it is read as well without colours as with them.

use super::columns::{self, Column};
use crate::tui::app::ViewCtx;
use crate::tui::text;
use crate::tui::theme::Token;
use ratatui::style::Style;
use ratatui::text::Line;

/// The shades, from nothing to the most.
const SHADES: [&str; 5] = [" ", "░", "▒", "▓", "█"];
/// The columns of shade in a cell, where it has room for them.
const SHADE: u16 = 2;

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cell {
    /// What its shade is of.
    pub value: i64,
    /// The same in figures.
    pub figure: String,
}

/// Columns between two cells, where there is room.
const GAP: u16 = 2;

/// The shade of a value where `most` is the darkest: four equal steps, and none for nothing.
#[must_use]
pub fn shade(value: i64, most: i64) -> &'static str {
    let value = i128::from(value.clamp(0, most.max(0)));
    let step = (value * 4 + i128::from(most) - 1).checked_div(i128::from(most)).unwrap_or_default();
    let step = usize::try_from(if value > 0 { step } else { 0 }).unwrap_or_default();
    SHADES.get(step).copied().unwrap_or(" ")
}

/// The map: a row of the columns' names, and a row for each of `rows`.
#[must_use]
pub fn lines(heads: &[String], rows: &[(String, Vec<Cell>)], width: u16, ctx: &ViewCtx<'_>) -> Vec<Line<'static>> {
    let name = rows.iter().map(|(name, _)| text::display_width(name)).max().unwrap_or(0);
    let name = u16::try_from(name).unwrap_or(u16::MAX).min(width / 3);
    let count = u16::try_from(heads.len()).unwrap_or(u16::MAX).max(1);
    let cells = || rows.iter().flat_map(|(_, cells)| cells);
    let figures = cells().map(|cell| text::display_width(&cell.figure)).chain(heads.iter().map(String::len)).max();
    let wanted = u16::try_from(figures.unwrap_or(0)).unwrap_or(u16::MAX).saturating_add(SHADE).saturating_add(1);
    let room = width.saturating_sub(name) / count;
    let roomy = room.saturating_sub(GAP) >= wanted;
    // A figure is worth more than air and a second column of shade.
    let gap = if roomy { GAP } else { 1 };
    let each = room.saturating_sub(gap).min(wanted);
    let mut columns = vec![Column::Left(name)];
    // One of the columns between two cells is the table's own.
    let cell_width = each.saturating_add(gap).saturating_sub(1);
    columns.extend(heads.iter().map(|_| Column::Right(cell_width)));
    let total = name.saturating_add(count.saturating_mul(cell_width.saturating_add(1))).min(width);
    let row = |cells: Vec<(String, Style)>| {
        let cells: Vec<(&str, Style)> = cells.iter().map(|(words, style)| (words.as_str(), *style)).collect();
        columns::row(&columns, &cells, total)
    };
    let most = cells().map(|cell| cell.value).max().unwrap_or(0);
    let muted = ctx.style(Token::Muted);
    let head = std::iter::once((String::new(), muted)).chain(heads.iter().map(|head| (head.clone(), muted)));
    let mut out = vec![row(head.collect())];
    for (name, cells) in rows {
        let cell = |cell: &Cell| {
            let times = usize::from(if roomy { SHADE } else { 1 });
            let room = usize::from(each).saturating_sub(times);
            let figure = text::truncate_to_width(&cell.figure, room);
            let missing = " ".repeat(room.saturating_sub(text::display_width(&figure)));
            (format!("{}{missing}{figure}", shade(cell.value, most).repeat(times)), ctx.style(Token::Accent))
        };
        out.push(row(std::iter::once((name.clone(), muted)).chain(cells.iter().map(cell)).collect()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::drawn;
    use ratatui::widgets::Paragraph;

    fn at(width: u16, values: &[[i64; 3]]) -> String {
        let heads = ["Mo", "Tu", "We"].map(str::to_owned);
        let cell = |value: i64| Cell { value, figure: if value > 0 { value.to_string() } else { String::new() } };
        let rows: Vec<(String, Vec<Cell>)> = values
            .iter()
            .enumerate()
            .map(|(hour, values)| (format!("{:02}", hour + 11), values.map(cell).to_vec()))
            .collect();
        drawn(width, 5, |frame, ctx| {
            let area = frame.area();
            frame.render_widget(Paragraph::new(lines(&heads, &rows, area.width, ctx)), area);
        })
    }

    #[test]
    fn shades_are_four_equal_steps() {
        let steps: Vec<&str> = [0, 1, 25, 26, 50, 51, 75, 76, 100].into_iter().map(|value| shade(value, 100)).collect();
        assert_eq!(steps, [" ", "░", "░", "▒", "▒", "▓", "▓", "█", "█"]);
        assert_eq!((shade(-1, 100), shade(0, 0), shade(5, 0)), (" ", " ", " "));
        assert_eq!(shade(i64::MAX, i64::MAX), "█");
    }

    #[test]
    fn every_cell_has_a_shade_and_a_figure() {
        insta::assert_snapshot!(format!(
            "{}\n\n{}",
            at(36, &[[1, 0, 12], [100, 60, 30], [3, 2, 1]]),
            at(18, &[[1, 0, 12], [100, 60, 30]])
        ));
    }

    #[test]
    fn no_size_breaks_it() {
        for width in 1..60 {
            at(width, &[[i64::MAX, 0, i64::MIN]]);
            at(width, &[]);
        }
    }
}
