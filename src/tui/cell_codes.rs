//! The escape codes of changed cells, as few bytes as will do: over a slow line every one counts. Places
//! are absolute, because terminals do not agree on how wide some characters are; looks are given as the
//! difference to the cell before, or anew after a reset, whichever is shorter.

use ratatui::buffer::Cell;
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

/// Writes cells, given with column and row, at their places. What comes after looks plain again. With
/// `sixteen_colors` the basic colours are written as the old codes 30-37 and 90-97, which a terminal of
/// sixteen colours understands.
pub fn write<'a>(out: &mut Vec<u8>, cells: impl Iterator<Item = (u16, u16, &'a Cell)>, sixteen_colors: bool) {
    let mut look = Look::PLAIN;
    let mut next: Option<(u16, u16)> = None;
    for (x, y, cell) in cells {
        if next != Some((x, y)) {
            let (column, row) = (x.saturating_add(1), y.saturating_add(1));
            let codes = match next {
                Some((_, same)) if same == y => format!("\x1b[{column}G"),
                _ => format!("\x1b[{row};{column}H"),
            };
            out.extend_from_slice(codes.as_bytes());
        }
        let wanted = Look::of(cell);
        turn(out, look, wanted, sixteen_colors);
        look = wanted;
        out.extend_from_slice(cell.symbol().as_bytes());
        next = Some((x.saturating_add(1), y));
    }
    turn(out, look, Look::PLAIN, sixteen_colors);
}

/// The codes that make one look another.
fn turn(out: &mut Vec<u8>, from: Look, to: Look, sixteen_colors: bool) {
    if from == to {
        return;
    }
    let changed = codes(from, to, sixteen_colors);
    let anew = codes(Look::PLAIN, to, sixteen_colors);
    let anew = if anew.is_empty() { anew } else { format!("0;{anew}") };
    let shorter = if anew.len() < changed.len() { anew } else { changed };
    out.extend_from_slice(format!("\x1b[{shorter}m").as_bytes());
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
        write(&mut out, cells.iter().map(|(x, y, cell)| (*x, *y, cell)), sixteen_colors);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn places_are_named_only_where_the_cursor_is_not_there_already() {
        let plain = |symbol| cell(symbol, Style::new());
        let cells = [(4, 1, plain("a")), (5, 1, plain("b")), (9, 1, plain("c")), (9, 2, plain("d"))];
        assert_eq!(written(&cells, false), "\x1b[2;5Hab\x1b[10Gc\x1b[3;10Hd");
        // A wide character may be drawn narrow: the place after it is named.
        assert_eq!(written(&[(0, 0, plain("寿")), (2, 0, plain("x"))], false), "\x1b[1;1H寿\x1b[3Gx");
    }

    #[test]
    fn looks_are_the_difference_or_a_new_start_and_end_plain() {
        let row = |styles: &[Style]| -> Vec<(u16, u16, Cell)> {
            (0..).zip(styles).map(|(x, style)| (x, 0, cell("x", *style))).collect()
        };
        let base = Style::new().fg(Color::Indexed(200)).bg(Color::Indexed(26));
        assert_eq!(
            written(&row(&[base, base.bold(), base.fg(Color::Indexed(7)), Style::new()]), false),
            "\x1b[1;1H\x1b[38;5;200;48;5;26mx\x1b[1mx\x1b[22;38;5;7mx\x1b[mx"
        );
        // Bold and dim have one code that takes both back.
        assert_eq!(written(&row(&[base.bold().dim(), base.dim()]), false).matches("22;2").count(), 1);
        assert_eq!(written(&row(&[Style::new().reversed().underlined()]), false), "\x1b[1;1H\x1b[4;7mx\x1b[m");
    }

    #[test]
    fn sixteen_colours_are_written_in_the_old_codes() {
        let cells = [
            (0, 0, cell("a", Style::new().fg(Color::Cyan).bg(Color::Indexed(12)))),
            (1, 0, cell("b", Style::new().fg(Color::Rgb(1, 2, 3)).bg(Color::Indexed(200)))),
        ];
        assert_eq!(written(&cells, true), "\x1b[1;1H\x1b[36;104ma\x1b[38;2;1;2;3;48;5;200mb\x1b[m");
        assert!(written(&cells, false).contains("38;5;6;48;5;12"));
    }
}
