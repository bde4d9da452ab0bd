//! An order's number in large digits, as large as the room allows; plain and bold where there is
//! none.

use crate::tui::text;
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Rect, Size};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use tui_big_text::{BigText, PixelSize};

/// The sizes of one glyph, largest first: columns, rows and how it is made.
const GLYPHS: [(u16, u16, PixelSize); 3] =
    [(8, 8, PixelSize::Full), (8, 4, PixelSize::HalfHeight), (4, 4, PixelSize::Quadrant)];

/// How much room the text takes when it is drawn as large as `room` allows.
#[must_use]
pub fn size(words: &str, room: Size) -> Size {
    let words = text::clean(words);
    match glyph(&words, room) {
        Some((columns, rows, _)) => Size::new(columns.saturating_mul(letters(&words)), rows),
        None => {
            let width = u16::try_from(text::display_width(&words)).unwrap_or(u16::MAX);
            Size::new(width.min(room.width), room.height.min(1))
        }
    }
}

/// Draws the text as large as `area` allows, in its vertical middle.
pub fn draw(frame: &mut Frame<'_>, area: Rect, words: &str, style: Style, alignment: Alignment) {
    let words = text::clean(words);
    let taken = size(&words, area.as_size());
    let middle = area.centered_vertically(Constraint::Length(taken.height));
    match glyph(&words, area.as_size()) {
        Some((_, _, pixel_size)) => {
            let big = BigText::builder()
                .pixel_size(pixel_size)
                .style(style)
                .alignment(alignment)
                .lines([Line::from(words)])
                .build();
            frame.render_widget(big, middle);
        }
        None => {
            let plain = text::truncate_to_width(&words, usize::from(area.width));
            let line = Line::styled(plain, style.add_modifier(Modifier::BOLD));
            frame.render_widget(Paragraph::new(line).alignment(alignment), middle);
        }
    }
}

/// The largest glyph with which the whole text fits; none for text that the font does not have.
fn glyph(words: &str, room: Size) -> Option<(u16, u16, PixelSize)> {
    if words.is_empty() || !words.is_ascii() {
        return None;
    }
    let letters = letters(words);
    GLYPHS.into_iter().find(|(columns, rows, _)| columns.saturating_mul(letters) <= room.width && *rows <= room.height)
}

fn letters(words: &str) -> u16 {
    u16::try_from(words.chars().count()).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::drawn;
    use crate::tui::theme::Token;

    fn at(width: u16, height: u16, words: &str) -> String {
        drawn(width, height, |frame, ctx| {
            draw(frame, frame.area(), words, ctx.style(Token::Ready), Alignment::Center);
        })
    }

    #[test]
    fn a_number_is_as_large_as_there_is_room() {
        insta::assert_snapshot!(at(13, 4, "142"));
        assert_eq!(size("142", Size::new(80, 24)), Size::new(24, 8));
        assert_eq!(size("142", Size::new(80, 5)), Size::new(24, 4));
        assert_eq!(size("142", Size::new(13, 24)), Size::new(12, 4));
    }

    #[test]
    fn without_room_it_stays_readable() {
        assert_eq!(at(13, 3, "142").trim(), "142");
        assert_eq!(at(4, 1, "A-142"), "A-1…");
        for words in ["", "日本語", "\u{1b}[2J", "9999999999999999999999"] {
            for (width, height) in [(1, 1), (3, 4), (40, 9)] {
                let seen = at(width, height, words);
                assert!(!seen.contains('\u{1b}'), "{seen:?}");
            }
        }
    }
}
