//! Text from people and files, made safe for a terminal: cleaning, width, shortening and masking.
//!
//! Stored text is untrusted. What enters the store goes through [`clean`], and what is drawn from it
//! is measured with [`display_width`] and cut with [`truncate_to_width`]. Nothing here translates or
//! formats; the locale catalogue does that.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How many zero-width marks may follow one another: enough for every living script's spelling, too
/// few for a pile of marks that climbs over the rows above.
pub const MAX_COMBINING_MARKS: usize = 4;

/// How many code points a user-perceived character may have on average in text of full length.
pub const CODE_POINTS_PER_GRAPHEME: usize = 2;

/// What stands in the place of a masked number.
pub const MASK: &str = "•••";

/// The sign that text was cut.
pub const ELLIPSIS: char = '…';

/// The fewest digits that look like a telephone number.
const MIN_PHONE_DIGITS: usize = 7;

/// What one character becomes when text is cleaned.
enum Kept {
    Nothing,
    Space,
    LineBreak,
    Mark,
    Itself,
}

/// Whether a character may reach neither the store nor a screen: controls, bidirectional controls,
/// zero-width and invisible characters, variation selectors, tags, regional indicators and skin tones
/// (whose width terminals do not agree on), private use, and what is not text at all.
#[must_use]
pub fn is_hostile(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffc}' | '\u{fffe}'..='\u{ffff}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{1f1e6}'..='\u{1f1ff}' | '\u{1f3fb}'..='\u{1f3ff}'
            | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}')
}

/// Judges one character: forbidden, white space, a combining mark, or fit to keep.
fn judge(character: char) -> Kept {
    match character {
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Kept::LineBreak,
        '\t' => Kept::Space,
        other if is_hostile(other) => Kept::Nothing,
        other if other.is_whitespace() => Kept::Space,
        other if other.width().unwrap_or(0) == 0 => Kept::Mark,
        _ => Kept::Itself,
    }
}

/// Makes text fit for the store and a screen.
///
/// Control characters (C0, C1), bidi controls, zero-width characters, tag characters, variation
/// selectors, regional indicators and skin tones are dropped. At most [`MAX_COMBINING_MARKS`] marks
/// stand in a row, and none without a letter before it. Runs of white space become one space and the
/// ends are trimmed. Line breaks are kept only if `multiline`, at most one blank line in a row;
/// otherwise they become a space. What is left is cut after `max_graphemes` user-perceived
/// characters, line breaks among them, and after [`CODE_POINTS_PER_GRAPHEME`] times as many code
/// points: columns of the store are limited by code points.
///
/// Cleaning cleaned text changes nothing.
#[must_use]
pub fn clean(text: &str, max_graphemes: usize, multiline: bool) -> String {
    let mut cleaned = String::with_capacity(text.len().min(4096));
    let mut breaks = 0_usize;
    let mut space = false;
    let mut marks: Option<usize> = None;
    // A carriage return and a line feed are one break.
    let mut after_return = false;
    for character in text.chars() {
        let kept = judge(character);
        let second_of_pair = after_return && character == '\n';
        after_return = character == '\r';
        match kept {
            Kept::Nothing => {}
            Kept::LineBreak if multiline => {
                if !second_of_pair {
                    breaks = breaks.saturating_add(1);
                }
                marks = None;
            }
            Kept::Space | Kept::LineBreak => {
                space = true;
                marks = None;
            }
            Kept::Mark => {
                if let Some(count) = marks
                    && count < MAX_COMBINING_MARKS
                {
                    cleaned.push(character);
                    marks = Some(count.saturating_add(1));
                }
            }
            Kept::Itself => {
                if !cleaned.is_empty() {
                    if breaks > 0 {
                        cleaned.extend(std::iter::repeat_n('\n', breaks.min(2)));
                    } else if space {
                        cleaned.push(' ');
                    }
                }
                (breaks, space, marks) = (0, false, Some(0));
                cleaned.push(character);
            }
        }
    }
    let end = fitting_end(&cleaned, max_graphemes);
    if end < cleaned.len() {
        cleaned.truncate(end);
        cleaned.truncate(cleaned.trim_end().len());
    }
    cleaned
}

/// Where text must be cut, in bytes, to have at most so many user-perceived characters and
/// [`CODE_POINTS_PER_GRAPHEME`] times as many code points.
fn fitting_end(text: &str, max_graphemes: usize) -> usize {
    let max_code_points = max_graphemes.saturating_mul(CODE_POINTS_PER_GRAPHEME);
    let mut code_points = 0_usize;
    for (index, (start, grapheme)) in text.grapheme_indices(true).enumerate() {
        code_points = code_points.saturating_add(grapheme.chars().count());
        if index >= max_graphemes || code_points > max_code_points {
            return start;
        }
    }
    text.len()
}

/// Whether [`clean`] would leave the text as it is (line breaks allowed, no limit of length).
#[must_use]
pub fn is_clean(text: &str) -> bool {
    clean(text, usize::MAX, true) == text
}

/// How many user-perceived characters the text has.
#[must_use]
pub fn graphemes(text: &str) -> usize {
    text.graphemes(true).count()
}

/// The columns that the text takes on a terminal, counted per user-perceived character as the screen
/// buffer does.
#[must_use]
pub fn display_width(text: &str) -> usize {
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// The text in at most `width` columns; where it is cut it ends with `…`. Never splits a
/// user-perceived character, and is empty for a width of 0.
#[must_use]
pub fn truncate_to_width(text: &str, width: usize) -> String {
    if display_width(text) <= width {
        return text.to_owned();
    }
    let Some(room) = width.checked_sub(1) else { return String::new() };
    let mut cut = String::new();
    let mut used = 0_usize;
    for grapheme in text.graphemes(true) {
        let next = used.saturating_add(grapheme.width());
        if next > room {
            break;
        }
        used = next;
        cut.push_str(grapheme);
    }
    cut.truncate(cut.trim_end().len());
    cut.push(ELLIPSIS);
    cut
}

/// Replaces what looks like a card number or a telephone number by [`MASK`] (003-097).
///
/// That is a run of seven or more digits that are only parted by spaces, points, slashes, dashes or
/// brackets. A calendar date (`2026-11-20`, `20.11.2026`) stays. Give it cleaned text: invisible
/// characters between digits would hide a number.
#[must_use]
pub fn mask_sensitive(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_number_start) {
        let (before, from) = rest.split_at(start);
        masked.push_str(before);
        let end = number_end(from);
        let (number, after) = from.split_at(end);
        let digits = number.chars().filter(|character| character.is_numeric()).count();
        masked.push_str(if digits >= MIN_PHONE_DIGITS && !is_date(number) { MASK } else { number });
        rest = after;
    }
    masked.push_str(rest);
    masked
}

fn is_number_start(character: char) -> bool {
    character.is_numeric() || character == '+' || character == '('
}

fn is_number_separator(character: char) -> bool {
    matches!(
        character,
        ' ' | '\n' | '.' | '-' | '/' | '(' | ')' | '+' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '·' | '_'
    )
}

/// Where the number that starts `text` ends, in bytes; at least one character long. At most three
/// separators may stand between two digits.
fn number_end(text: &str) -> usize {
    let mut end = text.chars().next().map_or(0, char::len_utf8);
    let mut separators = 0_usize;
    for (at, character) in text.char_indices() {
        if character.is_numeric() {
            end = at.saturating_add(character.len_utf8());
            separators = 0;
        } else if is_number_separator(character) && separators < 3 {
            separators = separators.saturating_add(1);
        } else {
            break;
        }
    }
    end
}

/// Whether the number is a date: four, two and two digits, or the other way round, with one and the
/// same separator twice.
fn is_date(number: &str) -> bool {
    ['-', '.', '/'].into_iter().any(|separator| {
        let parts: Vec<&str> = number.split(separator).collect();
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        let part = |index: usize| parts.get(index).and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
        let plausible = |year: u32, month: u32, day: u32| {
            (1900..2200).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)
        };
        match lengths.as_slice() {
            [4, 2, 2] => plausible(part(0), part(1), part(2)),
            [2, 2, 4] => plausible(part(2), part(1), part(0)) || plausible(part(2), part(0), part(1)),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_characters_are_dropped() {
        // invariants.md, Kiosk/TUI: paste of escape sequences, control characters, RTL, emoji.
        assert_eq!(clean("\u{1b}[31mred\u{7}\u{9b}2J", 100, false), "[31mred2J");
        assert_eq!(clean("a\u{202e}b\u{2066}c\u{200f}d", 100, false), "abcd");
        assert_eq!(clean("z\u{200b}e\u{200d}r\u{feff}o", 100, false), "zero");
        assert_eq!(clean("\u{1f1e9}\u{1f1ea}x\u{e0067}\u{e007f}", 100, false), "x");
        assert_eq!(clean("♥\u{fe0f} 👍🏽", 100, false), "♥ 👍");
        assert_eq!(clean("नमस्ते דָּג ปลา", 100, false), "नमस्ते דָּג ปลา");
    }

    #[test]
    fn piles_of_marks_are_capped_and_never_stand_alone() {
        let pile = format!("a{}", "\u{301}".repeat(500));
        assert_eq!(clean(&pile, 100, false).chars().count(), 1 + MAX_COMBINING_MARKS);
        assert_eq!(clean("\u{301}a \u{301}b\n\u{301}c", 100, true), "a b\nc");
    }

    #[test]
    fn white_space_is_normalised() {
        assert_eq!(clean("  a \t b\r\n c\u{a0}\u{a0} ", 100, false), "a b c");
        assert_eq!(clean("\n\na \r\n\r\n\r\n b\rc\n\n", 100, true), "a\n\nb\nc");
    }

    #[test]
    fn a_note_of_ten_thousand_characters_is_cut() {
        // invariants.md, Kiosk/TUI: 10 000-char notes.
        assert_eq!(graphemes(&clean(&"é ".repeat(5_000), 200, false)), 199);
        assert_eq!(clean("abc", 0, true), "");
        let marked = "a\u{301}\u{302}\u{303}".repeat(10);
        assert_eq!(clean(&marked, 4, false), "a\u{301}\u{302}\u{303}".repeat(2));
    }

    #[test]
    fn text_is_cut_by_columns() {
        assert_eq!(truncate_to_width("Masala dosa", 11), "Masala dosa");
        assert_eq!(truncate_to_width("Masala dosa", 8), "Masala…");
        assert_eq!(truncate_to_width("日本語", 4), "日…");
        assert_eq!(truncate_to_width("日本語", 1), "…");
        assert_eq!(truncate_to_width("日本語", 0), "");
    }

    #[test]
    fn numbers_of_cards_and_telephones_are_masked() {
        // 003-097.
        assert_eq!(mask_sensitive("card 4242 4242 4242 4242 please"), "card ••• please");
        assert_eq!(mask_sensitive("call +91 98765-43210, ring twice"), "call •••, ring twice");
        assert_eq!(mask_sensitive("(030) 123 45 67"), MASK);
        assert_eq!(mask_sensitive("٠١٢٣٤٥٦٧"), MASK);
        for harmless in ["table 12, 2 spoons", "500 g (no 3)", "on 2026-11-20", "am 20.11.2026", "+ (", "12.50"] {
            assert_eq!(mask_sensitive(harmless), harmless);
        }
    }

    #[test]
    fn a_number_is_masked_from_seven_digits_on_and_a_date_is_none() {
        assert_eq!(mask_sensitive("123456"), "123456");
        assert_eq!(mask_sensitive("1234567"), MASK);
        assert_eq!(mask_sensitive("123 - 4567 and 12 34"), "••• and 12 34");
        assert_eq!(mask_sensitive("123 -- 4567"), "123 -- 4567", "four separators part two numbers");
        for date in ["1900-01-01", "2199-12-31", "2026/11/20", "31.12.2026", "12/31/2026"] {
            assert_eq!(mask_sensitive(date), date);
        }
        for number in [
            "1899-12-31",
            "2200-01-01",
            "2026-00-10",
            "2026-13-10",
            "2026-11-00",
            "2026-11-32",
            "2026-11.20",
            "31.31.2026",
            "00.12.2026",
            "12.2026.31",
            "2026-1-120",
        ] {
            assert_eq!(mask_sensitive(number), MASK, "{number}");
        }
    }

    #[test]
    fn widths_are_filled_to_the_last_column() {
        assert_eq!(truncate_to_width("日本語", 5), "日本…");
        assert_eq!(truncate_to_width("日本語", 6), "日本語");
        assert_eq!((display_width("日本a"), graphemes("e\u{301}日")), (5, 2));
        assert_eq!(clean("abcd", 4, false), "abcd");
        assert_eq!(clean("abcde", 4, false), "abcd");
        let three = "a\u{301}\u{302}\u{303}";
        assert_eq!(clean(&three.repeat(2), 4, false), three.repeat(2), "eight code points for four characters");
    }

    proptest! {
        #[test]
        fn cleaning_is_complete_and_changes_nothing_twice(text in any::<String>(), max in 0_usize..40, multiline: bool) {
            let once = clean(&text, max, multiline);
            prop_assert_eq!(&clean(&once, max, multiline), &once);
            prop_assert!(is_clean(&once));
            prop_assert!(graphemes(&once) <= max);
            prop_assert!(once.chars().count() <= CODE_POINTS_PER_GRAPHEME * max);
            prop_assert!(!once.chars().any(|c| c.is_control() && !(multiline && c == '\n')));
        }

        #[test]
        fn marks_and_spaces_mixed_stay_clean(
            text in "[a\u{301}\u{94d}\u{915} \n\r\u{200d}\u{1f1e9}\u{1100}\u{1161}]{0,40}", max in 0_usize..20, multiline: bool
        ) {
            let once = clean(&text, max, multiline);
            prop_assert_eq!(&clean(&once, max, multiline), &once);
        }

        #[test]
        fn a_cut_text_fits(text in any::<String>(), width in 0_usize..30) {
            prop_assert!(display_width(&truncate_to_width(&clean(&text, 100, false), width)) <= width);
        }

        #[test]
        fn masking_leaves_no_long_number(text in "[0-9 +()./a-]{0,40}") {
            let masked = mask_sensitive(&text);
            prop_assert_eq!(&mask_sensitive(&masked), &masked);
            prop_assert!(!masked.split(|c: char| !c.is_ascii_digit()).any(|run| run.len() >= MIN_PHONE_DIGITS));
        }
    }
}
