//! What stored text must go through before it is drawn: cleaned of everything that could move the
//! cursor, reorder a row or hide in it, and measured and cut by display width.
//!
//! No drawing happens here. [`scrub`] is the last net: the runtime passes every finished frame
//! through it, so that even a widget that forgot [`clean`] cannot leak a control character.

pub use crate::domain::text::{ELLIPSIS, display_width, is_hostile, truncate_to_width};

use ratatui::buffer::Buffer;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The most characters one grapheme may have: a base and a few marks. More is an attack on the rows
/// above and below, not writing.
const GRAPHEME_CHARS: usize = 4;

/// One line of text that is safe to draw: hostile characters removed, line breaks and tabs turned
/// into spaces, graphemes capped.
#[must_use]
pub fn clean(text: &str) -> String {
    clean_lines(text).replace('\n', " ")
}

/// As [`clean`], but line breaks stay (as `\n`), for notes that are wrapped.
#[must_use]
pub fn clean_lines(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut after_return = false;
    for character in text.chars() {
        match character {
            '\n' if after_return => {}
            '\r' | '\n' => safe.push('\n'),
            '\t' => safe.push(' '),
            other if is_hostile(other) => {}
            other => safe.push(other),
        }
        after_return = character == '\r';
    }
    if safe.is_ascii() {
        return safe;
    }
    safe.graphemes(true).flat_map(|grapheme| grapheme.chars().take(GRAPHEME_CHARS)).collect()
}

/// The text cut or filled with spaces to exactly `width` columns.
#[must_use]
pub fn fit_to_width(text: &str, width: usize) -> String {
    let mut fitted = truncate_to_width(text, width);
    let missing = width.saturating_sub(display_width(&fitted));
    fitted.extend(std::iter::repeat_n(' ', missing));
    fitted
}

/// The text cleaned and broken into rows of at most `width` columns, at spaces where there are any.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut rows = Vec::new();
    if width == 0 {
        return rows;
    }
    for paragraph in clean_lines(text).split('\n') {
        let mut row = String::new();
        let mut used = 0_usize;
        for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
            let wanted = display_width(word);
            if used > 0 && used.saturating_add(1).saturating_add(wanted) > width {
                rows.push(std::mem::take(&mut row));
                used = 0;
            }
            if used > 0 {
                row.push(' ');
                used = used.saturating_add(1);
            }
            for grapheme in word.graphemes(true) {
                let columns = grapheme.width();
                if columns > width {
                    continue;
                }
                if used.saturating_add(columns) > width {
                    rows.push(std::mem::take(&mut row));
                    used = 0;
                }
                row.push_str(grapheme);
                used = used.saturating_add(columns);
            }
        }
        rows.push(row);
    }
    rows
}

/// Removes from a finished frame whatever hostile character a cell still carries.
pub fn scrub(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        let symbol = cell.symbol();
        let single_ascii = symbol.len() == 1 && !symbol.contains(|character: char| character.is_control());
        if single_ascii || !symbol.chars().any(is_hostile) {
            continue;
        }
        let kept: String = symbol.chars().filter(|character| !is_hostile(*character)).collect();
        let visible = kept.chars().any(|character| character.width().is_some_and(|width| width > 0));
        cell.set_symbol(if visible { &kept } else { " " });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;

    #[test]
    fn nothing_hostile_is_left() {
        let hostile = "a\u{1b}[2Jb\u{9b}c\u{202e}d\u{200b}e\u{fe0f}f\u{1f1e9}g\u{e0041}h\u{7f}\r\ni\tj\u{0}";
        assert_eq!(clean(hostile), "a[2Jbcdefgh i j");
        assert_eq!(clean_lines("one\r\ntwo\rthree\nfour"), "one\ntwo\nthree\nfour");
    }

    #[test]
    fn a_pile_of_marks_is_cut() {
        let pile = format!("e{}!", "\u{301}".repeat(500));
        assert_eq!(clean(&pile).chars().count(), GRAPHEME_CHARS + 1);
    }

    #[test]
    fn text_is_cut_by_columns_and_never_halves_a_wide_character() {
        assert_eq!(truncate_to_width("Masala Dosa", 20), "Masala Dosa");
        assert_eq!(truncate_to_width("Masala Dosa", 7), "Masala…");
        assert_eq!(truncate_to_width("寿司寿司", 6), "寿司…");
        assert_eq!(truncate_to_width("寿司", 0), "");
        assert_eq!(fit_to_width("寿司寿司", 6), "寿司… ");
        for width in 0..12 {
            assert_eq!(display_width(&fit_to_width("日本語 text 🍕", width)), width);
        }
    }

    #[test]
    fn wrapping_keeps_every_row_within_the_width() {
        assert_eq!(wrap("no onions please", 10), ["no onions", "please"]);
        assert_eq!(wrap("incomprehensibilities", 8), ["incompre", "hensibil", "ities"]);
        assert_eq!(wrap("a\n\nb", 4), ["a", "", "b"]);
        assert!(wrap("寿", 1).concat().is_empty());
        assert!(wrap("x", 0).is_empty());
    }

    #[test]
    fn the_last_net_cleans_a_finished_frame() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 3, 1));
        buffer[(0, 0)].set_symbol("\u{1b}]0;x\u{7}");
        buffer[(1, 0)].set_symbol("a\u{202e}");
        buffer[(2, 0)].set_symbol("\u{200b}");
        scrub(&mut buffer);
        assert_eq!(buffer[(0, 0)].symbol(), "]0;x");
        assert_eq!(buffer[(1, 0)].symbol(), "a");
        assert_eq!(buffer[(2, 0)].symbol(), " ");
    }
}
