//! Turns the picture that a terminal shows into the next one with few bytes: rows that only moved are
//! moved, what is different is written, and a row that ends is erased.

use super::cell_codes::Pen;
use super::picture::{COVERED, Picture, Scroll, end_of_text};
use super::scroll;
use ratatui::buffer::Cell;

/// Fewer bytes than this are not worth a search for moved rows.
const SMALL: usize = 120;
/// So many cells at the end of a row are not longer than the code that erases them.
const ERASE: usize = 3;

/// How a terminal wants its codes.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// The basic colours are written as the old codes 30-37 and 90-97.
    pub sixteen_colors: bool,
    /// Rows may be moved within a part of the screen.
    pub scrolls: bool,
}

/// The codes after which a terminal that shows `shown` shows `next`, which is of the same size. Nothing where
/// both are the same.
pub fn codes(shown: &Picture, next: &Picture, dialect: Dialect) -> Vec<u8> {
    let written = differences(shown, next, dialect, None);
    if !dialect.scrolls || written.len() < SMALL {
        return written;
    }
    // What nobody knows cannot be moved either.
    if shown.has_unknown() {
        return written;
    }
    let Some(found) = scroll::find(shown, next) else { return written };
    let mut moved = shown.clone();
    moved.scroll(&found);
    let scrolled = differences(&moved, next, dialect, Some(found));
    // The search knows only about what a row costs: this is what it does cost.
    if scrolled.len() < written.len() { scrolled } else { written }
}

/// The codes of all that is different, after a move.
fn differences(shown: &Picture, next: &Picture, dialect: Dialect, first: Option<Scroll>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut pen = Pen::new(&mut out, dialect.sixteen_colors);
    if let Some(scroll) = first {
        pen.scroll(&scroll, next.rows().len());
    }
    for (y, (shown, next)) in (0..).zip(shown.rows().iter().zip(next.rows())) {
        row(&mut pen, y, shown, next);
    }
    pen.finish();
    out
}

/// Writes what is different in one row.
fn row(pen: &mut Pen<'_>, y: u16, shown: &[Cell], next: &[Cell]) {
    let text = end_of_text(next);
    let changed = |(_, shown, next): &(u16, &Cell, &Cell)| shown != next && **next != COVERED;
    let all = || (0_u16..).zip(shown).zip(next).map(|((x, shown), next)| (x, shown, next)).filter(changed);
    let after = all().filter(|(x, ..)| usize::from(*x) >= text).count();
    for (x, _, cell) in all() {
        pen.go(x, y, next);
        if usize::from(x) >= text && after > ERASE {
            pen.erase_to_end();
            return;
        }
        pen.put(cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::picture::is_blank;
    use proptest::prelude::*;
    use ratatui::layout::Size;
    use ratatui::style::{Color, Modifier, Style};
    use std::num::NonZeroU16;

    const WIDTH: u16 = 24;
    const HEIGHT: u16 = 9;
    const DIALECT: Dialect = Dialect { sixteen_colors: false, scrolls: true };

    /// A place that nobody knows is not moved, nor drawn as if it were something.
    #[test]
    fn what_is_not_known_is_left_alone() {
        let shown = Picture::unknown(Size::new(WIDTH, HEIGHT));
        let mut next = shown.clone();
        for y in (0..HEIGHT).step_by(2) {
            for x in 0..WIDTH / 2 {
                next.put(x, y, &Cell::new("a"));
            }
        }
        let codes = codes(&shown, &next, DIALECT);
        assert!(!codes.contains(&0), "{:?}", String::from_utf8_lossy(&codes));
        assert_eq!(codes.iter().filter(|byte| **byte == b'a').count(), 5 * 12);
    }

    fn blank() -> Picture {
        Picture::blank(Size::new(WIDTH, HEIGHT))
    }

    fn style() -> impl Strategy<Value = Style> {
        let color =
            || prop_oneof![4 => Just(Color::Reset), 1 => Just(Color::Indexed(4)), 1 => Just(Color::Rgb(1, 2, 3))];
        let modifiers = prop_oneof![
            4 => Just(Modifier::empty()),
            1 => Just(Modifier::BOLD),
            1 => Just(Modifier::DIM | Modifier::UNDERLINED),
            1 => Just(Modifier::REVERSED),
        ];
        (color(), color(), modifiers).prop_map(|(fg, bg, modifiers)| Style::new().fg(fg).bg(bg).add_modifier(modifiers))
    }

    /// A piece of text at a place.
    fn piece() -> impl Strategy<Value = (u16, u16, String, Style)> {
        let text =
            proptest::collection::vec(prop_oneof!["[a-d]", "[ab]{4}", "[ ]", "[ ]{9}", "│", "é", "寿", "司"], 1..8);
        (0..WIDTH, 0..HEIGHT, text.prop_map(|parts| parts.concat()), style())
    }

    fn write(picture: &mut Picture, (x, y, text, style): (u16, u16, String, Style)) {
        for (x, symbol) in (x..).zip(text.chars()) {
            picture.put(x, y, Cell::new(" ").set_char(symbol).set_style(style));
        }
    }

    /// What happens to a picture between two frames.
    #[derive(Debug, Clone)]
    enum Change {
        Write(Vec<(u16, u16, String, Style)>),
        Move(Scroll),
        Clear,
    }

    fn change() -> impl Strategy<Value = Change> {
        let rows = usize::from(HEIGHT);
        let scroll = (0..rows, 0..rows, 1..rows, any::<bool>()).prop_map(|(one, other, by, up)| {
            Change::Move(Scroll { top: one.min(other), bottom: one.max(other), by, up })
        });
        prop_oneof![
            6 => scroll,
            6 => proptest::collection::vec(piece(), 0..30).prop_map(Change::Write),
            1 => Just(Change::Clear),
        ]
    }

    fn terminal() -> vt100::Parser {
        let side = |length| NonZeroU16::new(length).expect("a side");
        vt100::Parser::new(side(HEIGHT), side(WIDTH), 0)
    }

    fn color(color: Color) -> vt100::Color {
        match color {
            Color::Indexed(index) => vt100::Color::Idx(index),
            Color::Rgb(red, green, blue) => vt100::Color::Rgb(red, green, blue),
            _ => vt100::Color::Default,
        }
    }

    /// The terminal shows the picture: every symbol, and every look as far as it is seen.
    fn assert_shows(terminal: &vt100::Parser, picture: &Picture) {
        for (y, row) in (0..).zip(picture.rows()) {
            for (x, cell) in (0..).zip(row).filter(|(_, cell)| **cell != COVERED) {
                let shown = terminal.screen().cell(y, x).expect("a cell");
                let at = format!("at {x}, {y}: {shown:?} for {cell:?}");
                assert_eq!(shown.bgcolor(), color(cell.bg), "{at}");
                let modifiers = cell.modifier;
                let reversed_or_underlined = (shown.inverse(), shown.underline());
                let wanted = (modifiers.contains(Modifier::REVERSED), modifiers.contains(Modifier::UNDERLINED));
                assert_eq!(reversed_or_underlined, wanted, "{at}");
                if is_blank(cell) {
                    assert!(matches!(shown.contents(), "" | " "), "{at}");
                    continue;
                }
                assert!(
                    shown.contents() == cell.symbol() || shown.contents().is_empty() && cell.symbol() == " ",
                    "{at}"
                );
                assert_eq!(shown.fgcolor(), color(cell.fg), "{at}");
                let bold_or_dim = (shown.bold(), shown.dim());
                assert_eq!(
                    bold_or_dim,
                    (modifiers.contains(Modifier::BOLD), modifiers.contains(Modifier::DIM)),
                    "{at}"
                );
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

        #[test]
        fn the_codes_make_one_picture_the_next(
            first in proptest::collection::vec(piece(), 0..40),
            frames in proptest::collection::vec(proptest::collection::vec(change(), 1..3), 1..5),
            scrolls in any::<bool>(),
        ) {
            let dialect = Dialect { scrolls, ..DIALECT };
            let mut terminal = terminal();
            let mut shown = blank();
            let mut next = blank();
            for piece in first {
                write(&mut next, piece);
            }
            for changes in std::iter::once(Vec::new()).chain(frames) {
                for change in changes {
                    match change {
                        Change::Write(pieces) => pieces.into_iter().for_each(|piece| write(&mut next, piece)),
                        Change::Move(scroll) => next.scroll(&scroll),
                        Change::Clear => next = blank(),
                    }
                }
                terminal.process(&codes(&shown, &next, dialect));
                assert_shows(&terminal, &next);
                prop_assert!(codes(&next, &next, dialect).is_empty());
                shown = next.clone();
            }
            // The whole screen scrolls again: nothing of a part of it is left.
            terminal.process(format!("\x1b[{HEIGHT}H\n").as_bytes());
            shown.scroll(&Scroll { top: 0, bottom: usize::from(HEIGHT) - 1, by: 1, up: true });
            assert_shows(&terminal, &shown);
        }
    }

    /// A list of as many rows as fit, from `first` on, between a head and a foot.
    fn list(first: u16) -> Picture {
        let mut picture = blank();
        write(&mut picture, (0, 0, "the head".to_owned(), Style::new().bold()));
        write(&mut picture, (0, HEIGHT - 1, "the foot".to_owned(), Style::new()));
        for y in 1..HEIGHT - 1 {
            // Rows of which none is like the other.
            let row = u64::from(first + y).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            write(&mut picture, (0, y, format!("{row:020}"), Style::new()));
        }
        picture
    }

    #[test]
    fn a_list_that_goes_on_by_a_row_costs_a_row() {
        for (from, to) in [(0, 1), (1, 0), (0, 2)] {
            let moved = codes(&list(from), &list(to), DIALECT);
            let plain = codes(&list(from), &list(to), Dialect { scrolls: false, ..DIALECT });
            assert!(moved.len() < 70 && plain.len() > 100, "{} and {}", moved.len(), plain.len());
            let text = |codes: &[u8]| String::from_utf8_lossy(codes).into_owned();
            assert!(text(&moved).starts_with("\x1b[2;8r\x1b[2H\x1b["), "{:?}", text(&moved));
            assert!(!text(&plain).contains('r'), "{:?}", text(&plain));
            let mut terminal = terminal();
            terminal.process(&codes(&blank(), &list(from), DIALECT));
            terminal.process(&moved);
            assert_shows(&terminal, &list(to));
        }
    }

    #[test]
    fn a_row_that_ends_is_erased() {
        let mut shown = blank();
        write(&mut shown, (2, 3, "a long text".to_owned(), Style::new().bg(Color::Indexed(4))));
        let mut next = blank();
        write(&mut next, (2, 3, "a".to_owned(), Style::new()));
        assert_eq!(codes(&shown, &next, DIALECT), b"\x1b[4;3Ha\x1b[K");
        // Where nobody knows what a terminal shows, every row is erased at its end.
        let unknown = Picture::unknown(Size::new(WIDTH, HEIGHT));
        assert_eq!(codes(&unknown, &blank(), DIALECT), [&b"\x1b[1H\x1b[K"[..], &b"\r\n\x1b[K".repeat(8)].concat());
    }
}
