//! A field for one line of text: an editor with a limit that takes only what may be stored.

use crate::tui::app::ViewCtx;
use crate::tui::key::{Key, KeyPress};
use crate::tui::text;
use crate::tui::theme::Token;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use std::fmt;
use tui_input::{Input as Editor, InputRequest};

/// What a secret shows for each character.
const SECRET: &str = "•";

/// A field for one line of text.
#[derive(Clone)]
pub struct TextInput {
    editor: Editor,
    limit: usize,
    secret: bool,
    digits: bool,
    /// All of it is selected: the next character takes its place.
    replaces: bool,
}

impl fmt::Debug for TextInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A secret must not get into a log by way of a screen's state.
        let value = if self.secret { SECRET } else { self.value() };
        f.debug_struct("TextInput").field("value", &value).field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl TextInput {
    /// An empty field for at most `limit` characters.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { editor: Editor::default(), limit, secret: false, digits: false, replaces: false }
    }

    /// Shows dots for what is typed, also in logs: PIN, password.
    #[must_use]
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Takes digits only.
    #[must_use]
    pub const fn digits(mut self) -> Self {
        self.digits = true;
        self
    }

    /// With this text in it, cleaned and cut to the limit.
    #[must_use]
    pub fn with_value(mut self, value: &str) -> Self {
        self.paste(value);
        self
    }

    /// With all of it selected, as [`TextInput::select_all`].
    #[must_use]
    pub fn selected(mut self) -> Self {
        self.select_all();
        self
    }

    /// Whether dots are shown for what is in it.
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        self.secret
    }

    /// The text.
    #[must_use]
    pub fn value(&self) -> &str {
        self.editor.value()
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.editor.value().is_empty()
    }

    /// How many characters it takes at most.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// How many more characters it takes.
    #[must_use]
    pub fn room(&self) -> usize {
        self.limit.saturating_sub(self.editor.value().chars().count())
    }

    /// Empties it and forgets what was cut.
    pub fn clear(&mut self) {
        self.editor = Editor::default();
        self.replaces = false;
    }

    /// Selects all of it: the next character that is typed or pasted, or a deletion, takes its place.
    pub fn select_all(&mut self) {
        self.editor.handle(InputRequest::GoToEnd);
        self.replaces = !self.is_empty();
    }

    /// Takes the selection back: typing goes on behind what is there.
    pub const fn select_none(&mut self) {
        self.replaces = false;
    }

    /// Takes a key of editing or a printable character; false for every other key, which is then an
    /// action. A full field swallows what does not fit any more.
    pub fn on_key(&mut self, press: KeyPress) -> bool {
        if let Some(character) = press.printable() {
            self.insert(character);
            return true;
        }
        if press.alt {
            return false;
        }
        let request = match (press.ctrl, press.key) {
            (false, Key::Backspace) => InputRequest::DeletePrevChar,
            (false, Key::Delete) => InputRequest::DeleteNextChar,
            (false, Key::Left) => InputRequest::GoToPrevChar,
            (false, Key::Right) => InputRequest::GoToNextChar,
            (true, Key::Left) => InputRequest::GoToPrevWord,
            (true, Key::Right) => InputRequest::GoToNextWord,
            (false, Key::Home) => InputRequest::GoToStart,
            (false, Key::End) => InputRequest::GoToEnd,
            (true, Key::Char('u')) => InputRequest::DeleteLine,
            (true, Key::Char('w') | Key::Backspace) => InputRequest::DeletePrevWord,
            (true, Key::Char('k')) => InputRequest::DeleteTillEnd,
            _ => return false,
        };
        let deletes = matches!(press.key, Key::Backspace | Key::Delete);
        if std::mem::take(&mut self.replaces) && deletes {
            self.clear();
        } else {
            self.editor.handle(request);
        }
        true
    }

    /// Puts pasted text in at the cursor: one line, cleaned, as much as fits.
    pub fn paste(&mut self, pasted: &str) {
        for character in text::clean(pasted).chars().take(self.limit) {
            self.insert(character);
        }
    }

    fn insert(&mut self, character: char) {
        let wanted = !text::is_hostile(character) && (!self.digits || character.is_ascii_digit());
        if wanted && std::mem::take(&mut self.replaces) {
            self.clear();
        }
        if wanted && self.room() > 0 {
            self.editor.handle(InputRequest::InsertChar(character));
        }
    }

    /// Draws the field while it is not worked on: from its start, without the cursor.
    pub fn draw_still(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let value = self.editor.value();
        let shown = if self.secret { SECRET.repeat(value.chars().count()) } else { value.to_owned() };
        let shown = text::truncate_to_width(&shown, usize::from(area.width));
        frame.buffer_mut().set_string(area.x, area.y, shown, ctx.style(Token::Text));
    }

    /// Draws the field in one row, scrolled so that the cursor is visible; the terminal's cursor
    /// stands in it.
    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        if area.is_empty() {
            return;
        }
        let value = self.editor.value();
        let before: String = value.chars().take(self.editor.cursor()).collect();
        let (shown, before) = if self.secret {
            (SECRET.repeat(value.chars().count()), SECRET.repeat(before.chars().count()))
        } else {
            (value.to_owned(), before)
        };
        // The cursor needs a cell of its own behind the last character.
        let width = usize::from(area.width).saturating_sub(1);
        let cursor = text::display_width(&before);
        let skip = cursor.saturating_sub(width);
        let (skipped, rest) = skip_columns(&shown, skip);
        let style = ctx.style(if self.replaces { Token::Selected } else { Token::Text });
        frame.buffer_mut().set_stringn(area.x, area.y, rest, usize::from(area.width), style);
        let column = u16::try_from(cursor.saturating_sub(skipped)).unwrap_or_default();
        let x = area.x.saturating_add(column.min(area.width.saturating_sub(1)));
        frame.set_cursor_position(Position::new(x, area.y));
    }

    /// Draws the field over several rows, wrapped behind spaces where there are some; while it is worked on with the
    /// terminal's cursor, scrolled so that this is visible.
    pub fn draw_wrapped(&self, frame: &mut Frame<'_>, area: Rect, focused: bool, ctx: &ViewCtx<'_>) {
        if area.is_empty() {
            return;
        }
        let value = self.editor.value();
        let shown = if self.secret { SECRET.repeat(value.chars().count()) } else { value.to_owned() };
        let before: String = shown.chars().take(self.editor.cursor()).collect();
        // The cursor needs a cell of its own behind the last character.
        let rows = wrapped(&shown, usize::from(area.width).saturating_sub(1));
        let at = rows.iter().rposition(|(start, _)| *start <= before.len()).unwrap_or_default();
        let height = usize::from(area.height);
        let skip = if focused { at.saturating_add(1).saturating_sub(height) } else { 0 };
        let style = ctx.style(if self.replaces && focused { Token::Selected } else { Token::Text });
        for ((_, row), y) in rows.iter().skip(skip).zip(area.top()..area.bottom()) {
            frame.buffer_mut().set_stringn(area.x, y, row, usize::from(area.width), style);
        }
        if !focused {
            if rows.len() > height {
                // What does not fit is seen not to fit.
                let end = (area.right().saturating_sub(1), area.bottom().saturating_sub(1));
                frame.buffer_mut().set_string(end.0, end.1, text::ELLIPSIS.to_string(), style);
            }
            return;
        }
        let start = rows.get(at).map_or(0, |(start, _)| *start);
        let column = text::display_width(before.get(start..).unwrap_or_default());
        let column = u16::try_from(column).unwrap_or(u16::MAX).min(area.width.saturating_sub(1));
        let row = u16::try_from(at.saturating_sub(skip)).unwrap_or_default();
        frame.set_cursor_position(Position::new(area.x.saturating_add(column), area.y.saturating_add(row)));
    }
}

/// The rows of a text at this width, each with the byte at which it begins. A row ends behind a space where it has
/// one, else in the middle of a word; a space that would begin a row stays at the end of the one before it.
fn wrapped(shown: &str, width: usize) -> Vec<(usize, &str)> {
    use unicode_segmentation::UnicodeSegmentation;
    let mut rows = Vec::new();
    let (mut start, mut used, mut space) = (0_usize, 0_usize, None);
    for (at, grapheme) in shown.grapheme_indices(true) {
        let columns = text::display_width(grapheme);
        if used.saturating_add(columns) > width && at > start && grapheme != " " {
            let end: usize = space.filter(|space| *space > start).unwrap_or(at);
            rows.push((start, shown.get(start..end).unwrap_or_default()));
            start = end;
            used = text::display_width(shown.get(start..at).unwrap_or_default());
            space = None;
        }
        used = used.saturating_add(columns);
        if grapheme == " " {
            space = Some(at.saturating_add(1));
        }
    }
    rows.push((start, shown.get(start..).unwrap_or_default()));
    rows
}

/// The text without its first columns, never with half a wide character; and how many went.
fn skip_columns(shown: &str, columns: usize) -> (usize, &str) {
    use unicode_segmentation::UnicodeSegmentation;
    let mut skipped = 0_usize;
    for (at, grapheme) in shown.grapheme_indices(true) {
        if skipped >= columns {
            return (skipped, shown.get(at..).unwrap_or_default());
        }
        skipped = skipped.saturating_add(text::display_width(grapheme));
    }
    (skipped, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::drawn;

    fn typed(field: &mut TextInput, keys: &str) {
        for key in keys.split(' ') {
            field.on_key(key.parse().expect(key));
        }
    }

    fn at(field: &TextInput, width: u16) -> String {
        drawn(width, 1, |frame, ctx| field.draw(frame, frame.area(), ctx))
    }

    #[test]
    fn it_edits_one_line() {
        let mut field = TextInput::new(10);
        typed(&mut field, "h e l l o left left X home H delete end !");
        assert_eq!(field.value(), "HelXlo!");
        typed(&mut field, "ctrl+u");
        assert!(field.is_empty());
        assert!(!field.on_key("enter".parse().expect("enter")));
        assert!(!field.on_key("esc".parse().expect("esc")));
    }

    #[test]
    fn what_is_selected_is_replaced_once() {
        let mut field = TextInput::new(10).with_value("0.00");
        field.select_all();
        typed(&mut field, "1 2");
        assert_eq!(field.value(), "12");
        field.select_all();
        typed(&mut field, "backspace 7");
        assert_eq!(field.value(), "7");
        field.select_all();
        typed(&mut field, "left 5");
        assert_eq!(field.value(), "57", "who moves the cursor wants to keep it");
        field.select_all();
        field.paste("30");
        assert_eq!(field.value(), "30");
    }

    #[test]
    fn pastes_are_cleaned_and_cut() {
        let mut field = TextInput::new(5);
        field.paste("a\u{1b}[2J\nb");
        assert_eq!(field.value(), "a[2J ");
        let mut note = TextInput::new(200);
        note.paste(&"x".repeat(10_000));
        assert_eq!((note.value().len(), note.room()), (200, 0));
        typed(&mut note, "y");
        assert_eq!(note.value().len(), 200);
        assert_eq!(TextInput::new(6).digits().with_value("12a34").value(), "1234");
    }

    #[test]
    fn over_several_rows_words_stay_whole_and_the_cursor_in_sight() {
        let over = |field: &TextInput, width, height, focused| {
            drawn(width, height, |frame, ctx| field.draw_wrapped(frame, frame.area(), focused, ctx))
        };
        let mut field = TextInput::new(60).with_value("Hostel 4, room 12, Campus Road");
        assert_eq!(over(&field, 16, 3, true), "Hostel 4, room\n12, Campus Road");
        assert_eq!(over(&field, 10, 2, true), "Campus\nRoad", "the end, where the cursor is");
        assert_eq!(over(&field, 10, 2, false), "Hostel 4,\nroom 12, …");
        typed(&mut field, "home");
        assert_eq!(over(&field, 10, 2, true), "Hostel 4,\nroom 12,");
        let endless = TextInput::new(60).with_value("abcdefghijkl");
        assert_eq!(over(&endless, 6, 3, true), "abcde\nfghij\nkl");
        let wide = TextInput::new(50).with_value("寿司 寿司寿司寿司  寿司");
        for (width, height) in (0..14).flat_map(|width| (0..4).map(move |height| (width, height))) {
            over(&wide, width.max(1), height.max(1), height % 2 == 0);
        }
    }

    #[test]
    fn the_cursor_stays_in_sight_and_secrets_do_not_show() {
        let mut field = TextInput::new(50).with_value("abcdefghij");
        assert_eq!(at(&field, 5), "ghij");
        typed(&mut field, "home");
        assert_eq!(at(&field, 5), "abcde");
        assert_eq!(at(&TextInput::new(8).secret().with_value("4711"), 10), "••••");
        assert!(!format!("{:?}", TextInput::new(8).secret().with_value("4711")).contains("4711"));
        let wide = TextInput::new(50).with_value("寿司寿司寿司");
        for width in 1..14 {
            at(&wide, width);
        }
    }
}
