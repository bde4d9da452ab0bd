//! The escape codes of single cells, as few bytes as will do: over a slow line every one counts. A [`Pen`]
//! knows where it stands and how the next character will look. A place is named by its distance only while
//! that place is certain, because terminals do not agree on how wide some characters are; looks are given as
//! the difference to the cell before, or anew after a reset, whichever is shorter.
//!
//! Which cells are written is decided in [`super::repaint`].

use super::picture::{SEEN_ON_BLANK, Scroll, is_blank};
use ratatui::buffer::{Cell, CellWidth as _};
use ratatui::style::{Color, Modifier};

/// The modifiers with the code that sets each and the one that takes it back.
const MODIFIERS: [(Modifier, u8, u8); 9] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::SLOW_BLINK, 5, 25),
    (Modifier::RAPID_BLINK, 6, 25),
    (Modifier::REVERSED, 7, 27),
    (Modifier::HIDDEN, 8, 28),
    (Modifier::CROSSED_OUT, 9, 29),
];

/// How the next character will look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    foreground: Color,
    background: Color,
    underline: Color,
    modifiers: Modifier,
}

impl Look {
    const PLAIN: Self = Self {
        foreground: Color::Reset,
        background: Color::Reset,
        underline: Color::Reset,
        modifiers: Modifier::empty(),
    };

    const fn of(cell: &Cell) -> Self {
        Self { foreground: cell.fg, background: cell.bg, underline: cell.underline_color, modifiers: cell.modifier }
    }
}

/// Writes codes and remembers what they did. It begins at an unknown place with plain looks.
pub struct Pen<'a> {
    out: &'a mut Vec<u8>,
    look: Look,
    /// The row of the cursor, once it is known.
    row: Option<u16>,
    /// Its column, where that is certain. One behind the last is where a full row leaves it.
    column: Option<u16>,
    sixteen_colors: bool,
}

impl<'a> Pen<'a> {
    /// A pen that writes into `out`. With `sixteen_colors` the basic colours are written as the old codes 30-37
    /// and 90-97, which a terminal of sixteen colours understands.
    pub const fn new(out: &'a mut Vec<u8>, sixteen_colors: bool) -> Self {
        Self { out, look: Look::PLAIN, row: None, column: None, sixteen_colors }
    }

    /// Goes to column `x` of row `y`. `line` is what that row shows up to there: where that is shorter than the
    /// code of a place, it is written again.
    pub fn go(&mut self, x: u16, y: u16, line: &[Cell]) {
        let (column, row) = (x.saturating_add(1), y.saturating_add(1));
        if self.row == Some(y) && self.column == Some(x) {
            return;
        }
        let mut ways = vec![match x {
            0 => format!("\x1b[{row}H"),
            _ => format!("\x1b[{row};{column}H"),
        }];
        if self.row == Some(y) {
            ways.push(format!("\x1b[{column}G"));
            if let Some(start) = self.column.filter(|start| *start < x) {
                ways.extend(self.onwards(start, x, line));
            }
        } else if self.row.is_some_and(|row| row.checked_add(1) == Some(y)) {
            ways.extend(self.onwards(0, x, line).into_iter().map(|way| format!("\r\n{way}")));
        }
        if let Some(way) = ways.into_iter().min_by_key(String::len) {
            self.out.extend_from_slice(way.as_bytes());
        }
        (self.row, self.column) = (Some(y), Some(x));
    }

    /// The ways from one column of a row to a later one.
    fn onwards(&self, start: u16, end: u16, line: &[Cell]) -> Vec<String> {
        let by = end.saturating_sub(start);
        let mut ways = vec![match by {
            0 => String::new(),
            1 => "\x1b[C".to_owned(),
            _ => format!("\x1b[{by}C"),
        }];
        let between = line.get(usize::from(start)..usize::from(end)).unwrap_or_default();
        // More than a few cells are never shorter than a code.
        if by < 6 && between.iter().all(|cell| cell.symbol().cell_width() == 1 && self.shows(cell)) {
            ways.push(between.iter().map(Cell::symbol).collect());
        }
        ways
    }

    /// Whether a cell that is written now looks as it should.
    fn shows(&self, cell: &Cell) -> bool {
        if is_blank(cell) {
            return self.look.background == cell.bg && !self.look.modifiers.intersects(SEEN_ON_BLANK);
        }
        self.look == Look::of(cell)
    }

    /// Writes a cell where the pen stands.
    pub fn put(&mut self, cell: &Cell) {
        if !self.shows(cell) {
            let wanted = Look::of(cell);
            // Of a blank only what is behind it is seen: the colour of letters may stay.
            let keeping = Look { background: cell.bg, ..self.look };
            let may_keep = is_blank(cell) && !self.look.modifiers.intersects(SEEN_ON_BLANK);
            let codes = |look| turn(self.look, look, self.sixteen_colors);
            let look = if may_keep && codes(keeping).len() < codes(wanted).len() { keeping } else { wanted };
            self.turn(look);
        }
        self.out.extend_from_slice(cell.symbol().as_bytes());
        // A wide character may be drawn narrow: nobody knows where the cursor is after it.
        let narrow = cell.symbol().cell_width() == 1;
        self.column = self.column.filter(|_| narrow).map(|column| column.saturating_add(1));
    }

    /// Erases the row from where the pen stands. In the terminal's own colours only: not every terminal erases
    /// in others.
    pub fn erase_to_end(&mut self) {
        if self.look.background != Color::Reset || self.look.modifiers.intersects(SEEN_ON_BLANK) {
            self.turn(Look::PLAIN);
        }
        self.out.extend_from_slice(b"\x1b[K");
    }

    /// Moves rows within their part of the screen, whose `height` is given; the rows that become free are in the
    /// terminal's own colours on every terminal, because the looks are plain. Lines are deleted and inserted, which
    /// more terminals can than scroll by several lines, and which puts nothing into their scrollback.
    pub fn scroll(&mut self, scroll: &Scroll, height: usize) {
        self.turn(Look::PLAIN);
        let (top, bottom, by) = (scroll.top.saturating_add(1), scroll.bottom.saturating_add(1), scroll.by);
        let whole = bottom == height;
        if !whole {
            self.out.extend_from_slice(format!("\x1b[{top};{bottom}r").as_bytes());
        }
        let last = if scroll.up { 'M' } else { 'L' };
        self.out.extend_from_slice(format!("\x1b[{top}H\x1b[{by}{last}").as_bytes());
        if !whole {
            self.out.extend_from_slice(b"\x1b[r");
        }
        (self.row, self.column) = (None, None);
    }

    /// What comes after looks plain again.
    pub fn finish(mut self) {
        self.turn(Look::PLAIN);
    }

    fn turn(&mut self, look: Look) {
        let codes = turn(self.look, look, self.sixteen_colors);
        self.out.extend_from_slice(codes.as_bytes());
        self.look = look;
    }
}

/// The codes that make one look another.
fn turn(from: Look, to: Look, sixteen_colors: bool) -> String {
    if from == to {
        return String::new();
    }
    let changed = codes(from, to, sixteen_colors);
    let anew = codes(Look::PLAIN, to, sixteen_colors);
    let anew = if anew.is_empty() { anew } else { format!("0;{anew}") };
    let shorter = if anew.len() < changed.len() { anew } else { changed };
    format!("\x1b[{shorter}m")
}

fn codes(from: Look, to: Look, sixteen_colors: bool) -> String {
    let mut codes: Vec<String> = Vec::new();
    let mut modifiers = from.modifiers;
    for (modifier, _, off) in MODIFIERS {
        if modifiers.contains(modifier) && !to.modifiers.contains(modifier) {
            codes.push(off.to_string());
            // One code may take two back: what is still wanted of them is set again.
            for (other, _, other_off) in MODIFIERS {
                if other_off == off {
                    modifiers.remove(other);
                }
            }
        }
    }
    let added = to.modifiers.difference(modifiers);
    codes.extend(MODIFIERS.iter().filter(|(modifier, ..)| added.contains(*modifier)).map(|(_, on, _)| on.to_string()));
    for (base, was, is) in
        [(30, from.foreground, to.foreground), (40, from.background, to.background), (50, from.underline, to.underline)]
    {
        if was != is {
            codes.push(color(base, is, sixteen_colors));
        }
    }
    codes.join(";")
}

/// The code of a colour: `base` 30 for text, 40 for what is behind it, 50 for the line under it.
fn color(base: u8, color: Color, sixteen_colors: bool) -> String {
    let many = base.saturating_add(8);
    let index = match color {
        Color::Reset => return base.saturating_add(9).to_string(),
        Color::Rgb(red, green, blue) => return format!("{many};2;{red};{green};{blue}"),
        Color::Indexed(index) => index,
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
    };
    match index {
        0..=7 if sixteen_colors && base < 50 => base.saturating_add(index).to_string(),
        8..=15 if sixteen_colors && base < 50 => base.saturating_add(52).saturating_add(index).to_string(),
        _ => format!("{many};5;{index}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    fn cell(symbol: &str, style: Style) -> Cell {
        let mut cell = Cell::default();
        cell.set_symbol(symbol).set_style(style);
        cell
    }

    fn written(cells: &[(u16, u16, Cell)], sixteen_colors: bool) -> String {
        let mut out = Vec::new();
        let mut pen = Pen::new(&mut out, sixteen_colors);
        let line: Vec<Cell> =
            (0..20).map(|x| if x % 2 == 0 { cell("-", Style::new().bold()) } else { Cell::new(" ") }).collect();
        for (x, y, cell) in cells {
            pen.go(*x, *y, &line);
            pen.put(cell);
        }
        pen.finish();
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn places_are_named_only_where_the_cursor_is_not_there_already() {
        let plain = |symbol| cell(symbol, Style::new());
        let cells = [(4, 1, plain("a")), (5, 1, plain("b")), (9, 1, plain("c")), (9, 2, plain("d"))];
        assert_eq!(written(&cells, false), "\x1b[2;5Hab\x1b[3Cc\r\n\x1b[9Cd");
        // What is there already is written again where that is shorter, unless it looks different.
        assert_eq!(written(&[(8, 1, plain("a")), (10, 1, plain("b"))], false), "\x1b[2;9Ha b");
        assert_eq!(written(&[(0, 0, plain("a")), (0, 1, plain("b")), (2, 1, plain("c"))], false), "\x1b[1Ha\r\nb c");
        assert_eq!(written(&[(9, 1, plain("a")), (11, 1, plain("b"))], false), "\x1b[2;10Ha\x1b[Cb");
        // A wide character may be drawn narrow: the place after it is named.
        assert_eq!(written(&[(0, 0, plain("寿")), (2, 0, plain("x"))], false), "\x1b[1H寿\x1b[3Gx");
    }

    #[test]
    fn looks_are_the_difference_or_a_new_start_and_end_plain() {
        let row = |styles: &[Style]| -> Vec<(u16, u16, Cell)> {
            (0..).zip(styles).map(|(x, style)| (x, 0, cell("x", *style))).collect()
        };
        let base = Style::new().fg(Color::Indexed(200)).bg(Color::Indexed(26));
        assert_eq!(
            written(&row(&[base, base.bold(), base.fg(Color::Indexed(7)), Style::new()]), false),
            "\x1b[1H\x1b[38;5;200;48;5;26mx\x1b[1mx\x1b[22;38;5;7mx\x1b[mx"
        );
        // Bold and dim have one code that takes both back.
        assert_eq!(written(&row(&[base.bold().dim(), base.dim()]), false).matches("22;2").count(), 1);
        assert_eq!(written(&row(&[Style::new().reversed().underlined()]), false), "\x1b[1H\x1b[4;7mx\x1b[m");
    }

    #[test]
    fn a_blank_takes_only_what_is_seen_of_it() {
        let red = Style::new().fg(Color::Indexed(200)).bold();
        let blank = |style| cell(" ", style);
        let cells = [(0, 0, cell("a", red)), (1, 0, blank(Style::new())), (2, 0, cell("b", red))];
        assert_eq!(written(&cells, false), "\x1b[1H\x1b[1;38;5;200ma b\x1b[m");
        let cells =
            [(0, 0, cell("a", red.underlined())), (1, 0, blank(Style::new())), (2, 0, blank(red.bg(Color::Red)))];
        assert_eq!(written(&cells, true), "\x1b[1H\x1b[1;4;38;5;200ma\x1b[m \x1b[41m \x1b[m");
    }

    #[test]
    fn rows_are_erased_and_moved_in_plain_looks() {
        let mut out = Vec::new();
        let mut pen = Pen::new(&mut out, false);
        pen.go(3, 2, &[]);
        pen.put(&cell("x", Style::new().bg(Color::Indexed(26))));
        pen.erase_to_end();
        pen.scroll(&Scroll { top: 1, bottom: 3, by: 2, up: true }, 5);
        pen.scroll(&Scroll { top: 1, bottom: 4, by: 1, up: false }, 5);
        pen.finish();
        let codes = String::from_utf8(out).expect("UTF-8");
        assert_eq!(codes, "\x1b[3;4H\x1b[48;5;26mx\x1b[m\x1b[K\x1b[2;4r\x1b[2H\x1b[2M\x1b[r\x1b[2H\x1b[1L");
    }

    #[test]
    fn sixteen_colours_are_written_in_the_old_codes() {
        let cells = [
            (0, 0, cell("a", Style::new().fg(Color::Cyan).bg(Color::Indexed(12)))),
            (1, 0, cell("b", Style::new().fg(Color::Rgb(1, 2, 3)).bg(Color::Indexed(200)))),
        ];
        assert_eq!(written(&cells, true), "\x1b[1H\x1b[36;104ma\x1b[38;2;1;2;3;48;5;200mb\x1b[m");
        assert!(written(&cells, false).contains("38;5;6;48;5;12"));
    }
}
