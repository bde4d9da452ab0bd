//! What a terminal shows, cell by cell, as far as the codes that were written to it say. It is compared
//! with the next picture, so that only the difference need be written ([`super::repaint`]). Nothing is
//! written here.
//!
//! Every cell stands in one form, so that cells which look the same are the same: a wide character is
//! followed by [`COVERED`], and a blank has only what can be seen of a blank.

use ratatui::buffer::{Cell, CellWidth as _};
use ratatui::layout::Size;
use ratatui::style::Modifier;

/// A blank of the terminal's own colours.
pub const BLANK: Cell = Cell::new(" ");
/// The second half of a wide character.
pub const COVERED: Cell = Cell::new("");
/// A place of which nobody knows what it shows: like nothing that is ever drawn.
const UNKNOWN: Cell = Cell::new("\0");
/// The modifiers that are seen on a blank.
pub const SEEN_ON_BLANK: Modifier = Modifier::REVERSED
    .union(Modifier::UNDERLINED)
    .union(Modifier::SLOW_BLINK)
    .union(Modifier::RAPID_BLINK)
    .union(Modifier::CROSSED_OUT);

/// Rows that move within a part of the screen, over its whole width. The rows that become free are blank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scroll {
    /// The first row of that part.
    pub top: usize,
    /// The last one.
    pub bottom: usize,
    /// By so many rows.
    pub by: usize,
    /// Up, else down.
    pub up: bool,
}

/// A screen full of cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    rows: Vec<Vec<Cell>>,
}

impl Picture {
    /// A screen on which nothing stands.
    pub fn blank(size: Size) -> Self {
        Self::of(size, &BLANK)
    }

    /// A screen on which anything may stand.
    pub fn unknown(size: Size) -> Self {
        Self::of(size, &UNKNOWN)
    }

    fn of(size: Size, cell: &Cell) -> Self {
        Self { rows: vec![vec![cell.clone(); size.width.into()]; size.height.into()] }
    }

    /// The rows, from the top.
    pub fn rows(&self) -> &[Vec<Cell>] {
        &self.rows
    }

    /// Whether there is a place of which nobody knows what it shows.
    pub fn has_unknown(&self) -> bool {
        self.rows.iter().flatten().any(|cell| *cell == UNKNOWN)
    }

    /// Puts a cell at column `x` of row `y`. What is left of a wide character that it meets is blank. A place
    /// outside of the screen is left out; a wide character that does not fit into its row is a blank.
    pub fn put(&mut self, x: u16, y: u16, cell: &Cell) {
        let Some(row) = self.rows.get_mut(usize::from(y)) else { return };
        let x = usize::from(x);
        if x >= row.len() {
            return;
        }
        let mut cell = seen(cell);
        let mut width = usize::from(cell.cell_width().max(1));
        if x.saturating_add(width) > row.len() {
            cell.set_symbol(" ");
            (cell, width) = (seen(&cell), 1);
        }
        let end = x.saturating_add(width);
        for at in [x, end] {
            break_wide(row, at);
        }
        for (at, place) in row.iter_mut().enumerate().take(end).skip(x) {
            *place = if at == x { cell.clone() } else { COVERED };
        }
    }

    /// Moves rows, as the terminal does it.
    pub fn scroll(&mut self, scroll: &Scroll) {
        let Scroll { top, bottom, by, up } = *scroll;
        let Some(part) = self.rows.get_mut(top..=bottom) else { return };
        let by = by.min(part.len());
        let kept = part.len().saturating_sub(by);
        if up {
            part.rotate_left(by);
        } else {
            part.rotate_right(by);
        }
        let free = if up { part.get_mut(kept..) } else { part.get_mut(..by) };
        for row in free.into_iter().flatten() {
            row.fill(BLANK);
        }
    }
}

/// Makes blanks of the halves of a wide character that begins before column `at` and reaches over it.
fn break_wide(row: &mut [Cell], at: usize) {
    if row.get(at) != Some(&COVERED) {
        return;
    }
    let Some(start) = row.iter().take(at).rposition(|cell| *cell != COVERED) else { return };
    let mut blank = row.get(start).cloned().unwrap_or(BLANK);
    blank.set_symbol(" ");
    let blank = seen(&blank);
    for (place, cell) in row.iter_mut().enumerate().skip(start) {
        if place != start && *cell != COVERED {
            break;
        }
        *cell = blank.clone();
    }
}

/// The cell with nothing that cannot be seen: the colour of letters on a blank, for one.
fn seen(cell: &Cell) -> Cell {
    let mut seen = Cell::default();
    // A symbol of no width would put every later one of the row into the wrong place.
    seen.set_symbol(if cell.symbol().cell_width() == 0 { " " } else { cell.symbol() });
    seen.set_style(cell.style());
    if is_blank(&seen) {
        let behind = seen.bg;
        seen = BLANK;
        seen.bg = behind;
    }
    seen
}

/// Whether nothing is seen of this cell but the colour behind it.
pub fn is_blank(cell: &Cell) -> bool {
    cell.symbol() == " " && !cell.modifier.intersects(SEEN_ON_BLANK)
}

/// The first column from which on a row is blank in the terminal's own colours.
pub fn end_of_text(row: &[Cell]) -> usize {
    row.iter().rposition(|cell| *cell != BLANK).map_or(0, |last| last.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::{Color, Style};

    fn text(picture: &Picture) -> Vec<String> {
        picture.rows().iter().map(|row| row.iter().map(Cell::symbol).collect()).collect()
    }

    fn picture(rows: &[&str]) -> Picture {
        let size = Size::new(4, u16::try_from(rows.len()).expect("few rows"));
        let mut picture = Picture::blank(size);
        for (y, row) in (0..).zip(rows) {
            let mut x = 0;
            for symbol in row.split('|') {
                let cell = Cell::new(" ").set_symbol(symbol).clone();
                picture.put(x, y, &cell);
                x += cell.cell_width();
            }
        }
        picture
    }

    #[test]
    fn half_of_a_wide_character_never_stays() {
        let mut wide = picture(&["a|寿|b"]);
        assert_eq!(wide.rows()[0][2], COVERED);
        wide.put(2, 0, &Cell::new("x"));
        assert_eq!(text(&wide), ["a xb"]);
        let mut wide = picture(&["寿|司"]);
        wide.put(1, 0, &Cell::new("司"));
        assert_eq!(text(&wide), [" 司 "]);
        // It does not fit.
        wide.put(3, 0, &Cell::new("寿"));
        assert_eq!(text(&wide), [" 司 "]);
    }

    #[test]
    fn rows_move_within_their_part() {
        let mut moved = picture(&["1", "2", "3", "4"]);
        moved.scroll(&Scroll { top: 1, bottom: 3, by: 1, up: true });
        assert_eq!(text(&moved), ["1   ", "3   ", "4   ", "    "]);
        moved.scroll(&Scroll { top: 0, bottom: 2, by: 2, up: false });
        assert_eq!(text(&moved), ["    ", "    ", "1   ", "    "]);
    }

    #[test]
    fn blanks_that_look_the_same_are_the_same() {
        let mut picture = Picture::unknown(Size::new(2, 1));
        picture.put(0, 0, Cell::new(" ").set_style(Style::new().fg(Color::Red).bold()));
        picture.put(1, 0, Cell::new(" ").set_style(Style::new().fg(Color::Red).underlined()));
        assert_eq!(picture.rows()[0][0], BLANK);
        assert_ne!(picture.rows()[0][1], BLANK);
        assert_eq!(end_of_text(&picture.rows()[0]), 2);
    }
}
