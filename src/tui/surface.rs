//! What a finished frame is drawn on: a ratatui backend that knows where a frame begins and ends.
//!
//! [`StreamSurface`] collects a whole frame's escape codes and hands them over in one write, inside
//! one synchronized update, to a terminal or an SSH channel alike. It never asks the terminal
//! anything: its size is what it was told.

use super::picture::Picture;
use super::repaint;
use ratatui::backend::{Backend, ClearType, CrosstermBackend, TestBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use std::io::{self, Write};

pub use super::repaint::Dialect;

const BEGIN_SYNCHRONIZED: &[u8] = b"\x1b[?2026h";
/// The last bytes of every frame.
pub const END_SYNCHRONIZED: &[u8] = b"\x1b[?2026l";

/// A backend with frames, a bell and a title.
pub trait Surface: Backend {
    /// The surface has this size from now on.
    fn set_size(&mut self, size: Size);

    /// Everything drawn since the last call belongs together: show it now.
    ///
    /// # Errors
    /// The backend's own, when the frame cannot be written.
    fn end_frame(&mut self) -> Result<(), Self::Error>;

    /// Rings the bell, with the next frame.
    fn bell(&mut self);

    /// Sets the window's title, with the next frame.
    fn set_title(&mut self, title: &'static str);

    /// Wipes what the terminal keeps of earlier screens, with the next frame.
    fn wipe_scrollback(&mut self);
}

impl Surface for TestBackend {
    fn set_size(&mut self, size: Size) {
        self.resize(size.width, size.height);
    }

    fn end_frame(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    fn bell(&mut self) {}

    fn set_title(&mut self, _title: &'static str) {}

    fn wipe_scrollback(&mut self) {}
}

/// A surface that writes escape codes: one write and one synchronized update for each frame that
/// changed anything, and nothing for one that did not.
#[derive(Debug)]
pub struct StreamSurface<W: Write> {
    /// The codes of the frame that is being made.
    frame: Vec<u8>,
    out: W,
    size: Size,
    cursor: Option<Position>,
    cursor_known: bool,
    /// What the terminal shows once the frame is there.
    shown: Picture,
    dialect: Dialect,
}

impl<W: Write> StreamSurface<W> {
    /// A surface of this size over `out`, which shows nothing yet.
    pub fn new(out: W, size: Size, dialect: Dialect) -> Self {
        let shown = Picture::blank(size);
        Self { frame: Vec::new(), out, size, cursor: None, cursor_known: false, shown, dialect }
    }

    /// What is written to, for a test to look at.
    pub const fn get_ref(&self) -> &W {
        &self.out
    }

    /// The backend that writes the codes; it keeps no state between calls.
    const fn codes(&mut self) -> CrosstermBackend<&mut Vec<u8>> {
        CrosstermBackend::new(&mut self.frame)
    }
}

impl<W: Write> Backend for StreamSurface<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut next: Option<Picture> = None;
        for (x, y, cell) in content {
            next.get_or_insert_with(|| self.shown.clone()).put(x, y, cell);
        }
        let Some(next) = next else { return Ok(()) };
        let codes = repaint::codes(&self.shown, &next, self.dialect);
        self.shown = next;
        // Writing moves the cursor, so a shown one must be placed again.
        self.cursor_known = self.cursor_known && (self.cursor.is_none() || codes.is_empty());
        self.frame.extend_from_slice(&codes);
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if self.cursor_known && self.cursor.is_none() {
            return Ok(());
        }
        (self.cursor_known, self.cursor) = (true, None);
        self.codes().hide_cursor()
    }

    // Showing waits for the place: `set_cursor_position` always follows it in a frame.
    fn show_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.cursor.unwrap_or_default())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let position = position.into();
        if self.cursor_known && self.cursor == Some(position) {
            return Ok(());
        }
        (self.cursor_known, self.cursor) = (true, Some(position));
        self.codes().set_cursor_position(position)?;
        self.codes().show_cursor()
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        let top = self.cursor_known && self.cursor == Some(Position::ORIGIN);
        self.shown = match clear_type {
            ClearType::All => Picture::blank(self.size),
            ClearType::AfterCursor if top => Picture::blank(self.size),
            _ => Picture::unknown(self.size),
        };
        self.codes().clear_region(clear_type)
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size, pixels: Size::default() })
    }

    // ratatui flushes several times a frame; the frame goes out once, in `end_frame`.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> Surface for StreamSurface<W> {
    fn set_size(&mut self, size: Size) {
        if size != self.size {
            // What a terminal does with its cells when its size changes is its own affair.
            self.shown = Picture::unknown(size);
        }
        self.size = size;
    }

    fn end_frame(&mut self) -> io::Result<()> {
        if self.frame.is_empty() {
            return Ok(());
        }
        let frame = std::mem::take(&mut self.frame);
        let mut packet = Vec::with_capacity(frame.len().saturating_add(16));
        packet.extend_from_slice(BEGIN_SYNCHRONIZED);
        packet.extend_from_slice(&frame);
        packet.extend_from_slice(END_SYNCHRONIZED);
        self.out.write_all(&packet)?;
        self.out.flush()
    }

    fn bell(&mut self) {
        self.frame.push(b'\x07');
    }

    fn set_title(&mut self, title: &'static str) {
        let title = super::text::clean(title);
        self.frame.extend_from_slice(format!("\x1b]2;{title}\x1b\\").as_bytes());
    }

    fn wipe_scrollback(&mut self) {
        self.frame.extend_from_slice(b"\x1b[3J");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::{Background, ColorProfile, Theme, Token};
    use ratatui::layout::Rect;
    use ratatui::widgets::Paragraph;
    use ratatui::{Terminal, TerminalOptions, Viewport};

    fn terminal(sixteen_colors: bool) -> Terminal<StreamSurface<Vec<u8>>> {
        let surface = StreamSurface::new(Vec::new(), Size::new(20, 4), Dialect { sixteen_colors, scrolls: true });
        let viewport = Viewport::Fixed(Rect::new(0, 0, 20, 4));
        Terminal::with_options(surface, TerminalOptions { viewport }).expect("terminal")
    }

    fn draw(terminal: &mut Terminal<StreamSurface<Vec<u8>>>, text: &str) -> usize {
        let before = terminal.backend().get_ref().len();
        terminal.draw(|frame| frame.render_widget(Paragraph::new(text), frame.area())).expect("draw");
        terminal.backend_mut().end_frame().expect("end");
        terminal.backend().get_ref().len() - before
    }

    #[test]
    fn a_frame_is_one_synchronized_update_and_an_unchanged_one_is_nothing() {
        let mut terminal = terminal(false);
        assert!(draw(&mut terminal, "hello") > 0);
        let written = terminal.backend().get_ref().clone();
        assert!(written.starts_with(BEGIN_SYNCHRONIZED) && written.ends_with(END_SYNCHRONIZED));
        assert_eq!(draw(&mut terminal, "hello"), 0);
        assert!(draw(&mut terminal, "hellO") < 60, "one changed letter is a small packet");
    }

    #[test]
    fn the_scrollback_is_wiped_between_two_screens() {
        let mut terminal = terminal(false);
        draw(&mut terminal, "hello");
        terminal.clear().expect("clear");
        terminal.backend_mut().wipe_scrollback();
        draw(&mut terminal, "next");
        let written = String::from_utf8(terminal.backend().get_ref().clone()).expect("text");
        let places = ["hello", "\x1b[3J", "next"].map(|part| written.find(part).expect(part));
        assert!(places.is_sorted(), "{written:?}");
    }

    #[test]
    fn sixteen_colours_are_written_in_the_old_codes() {
        let theme = Theme::load(Background::Dark, ColorProfile::Ansi16, None).expect("theme");
        let mut terminal = terminal(true);
        let text = Paragraph::new("x").style(theme.style(Token::Selected));
        terminal.draw(|frame| frame.render_widget(text, frame.area())).expect("draw");
        terminal.backend_mut().end_frame().expect("end");
        let written = String::from_utf8(terminal.backend().get_ref().clone()).expect("UTF-8");
        assert!(!written.contains(";5;"), "{written:?}");
    }

    #[test]
    fn the_bell_and_the_title_go_out_with_the_frame() {
        let mut terminal = terminal(false);
        terminal.backend_mut().bell();
        terminal.backend_mut().set_title("Servery");
        terminal.backend_mut().end_frame().expect("end");
        assert_eq!(terminal.backend().get_ref(), b"\x1b[?2026h\x07\x1b]2;Servery\x1b\\\x1b[?2026l");
    }
}
