//! A short message at the foot of the screen that goes away by itself: "added to the cart", "why
//! not: the till is closed".

use crate::domain::time::Timestamp;
use crate::tui::app::ViewCtx;
use crate::tui::text;
use crate::tui::theme::Token;
use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType, Clear, Paragraph};

/// Seconds for which a message stays.
pub const STAYS_SECONDS: i64 = 4;

/// The message that is shown now, if any. A new one takes its place.
#[derive(Debug, Clone, Default)]
pub struct Toast {
    shown: Option<(String, Token, Timestamp)>,
}

impl Toast {
    /// Shows a message from now on.
    pub fn show(&mut self, words: impl Into<String>, token: Token, now: Timestamp) {
        self.shown = Some((text::clean(&words.into()), token, now.plus_seconds(STAYS_SECONDS)));
    }

    /// Takes an old message away; whether one went. A screen calls this on its tick, and ticks while
    /// [`Toast::is_shown`].
    pub fn expire(&mut self, now: Timestamp) -> bool {
        let over = self.shown.as_ref().is_some_and(|(_, _, until)| now >= *until);
        if over {
            self.shown = None;
        }
        over
    }

    /// Takes the message away at once.
    pub fn dismiss(&mut self) {
        self.shown = None;
    }

    /// Whether a message is shown.
    #[must_use]
    pub const fn is_shown(&self) -> bool {
        self.shown.is_some()
    }

    /// Draws the message over the last rows of `area`.
    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let Some((words, token, _)) = &self.shown else { return };
        let room = usize::from(area.width.saturating_sub(4));
        let mut rows = text::wrap(words, room);
        rows.truncate(usize::from(area.height.saturating_sub(2)).min(3));
        let width = rows.iter().map(|row| text::display_width(row)).max().unwrap_or_default();
        let (Ok(width), Ok(height)) = (u16::try_from(width), u16::try_from(rows.len())) else { return };
        if width == 0 || height == 0 {
            return;
        }
        let height = height.saturating_add(2);
        let bottom = Rect { y: area.bottom().saturating_sub(height), height, ..area };
        let place = bottom.centered_horizontally(Constraint::Length(width.saturating_add(4)));
        let border = Block::bordered().border_type(BorderType::Rounded).border_style(ctx.style(*token));
        let lines: Vec<Line<'_>> = rows.into_iter().map(|row| Line::styled(row, ctx.style(*token))).collect();
        frame.render_widget(Clear, place);
        frame.render_widget(Paragraph::new(lines).centered().block(border), place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::drawn;

    #[test]
    fn a_message_goes_away_by_itself() {
        let mut toast = Toast::default();
        toast.show("Added", Token::Success, Timestamp(0));
        assert!(!toast.expire(Timestamp(0).plus_seconds(STAYS_SECONDS - 1)));
        assert!(toast.is_shown());
        assert!(toast.expire(Timestamp(0).plus_seconds(STAYS_SECONDS)));
        assert!(!toast.is_shown());
    }

    #[test]
    fn it_stands_at_the_foot_and_breaks_at_no_size() {
        let mut toast = Toast::default();
        toast.show("Only 3 left: 寿司 \u{1b}[2J", Token::Warning, Timestamp(0));
        insta::assert_snapshot!(drawn(30, 4, |frame, ctx| toast.draw(frame, frame.area(), ctx)));
        toast.show("word ".repeat(2000), Token::Danger, Timestamp(0));
        for (width, height) in [(1, 1), (4, 3), (5, 3), (20, 5)] {
            drawn(width, height, |frame, ctx| toast.draw(frame, frame.area(), ctx));
        }
    }
}
