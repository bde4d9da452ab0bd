//! The search of a tab's list: `/` opens a line, every letter narrows the list at once, Esc shows all
//! again. And the line above a list, in which it stands. What is looked for belongs to the tab.

use super::message::Msg;
use crate::tui::app::{Input, ViewCtx};
use crate::tui::keymap::Action;
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::input::TextInput;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// The longest search.
const LIMIT: usize = 60;

/// The line in which it is typed, while it is open.
#[derive(Debug, Default)]
pub struct Search(Option<TextInput>);

impl Search {
    /// Opens the line with what is looked for now.
    pub fn open(&mut self, text: &str) {
        self.0 = Some(TextInput::new(LIMIT).with_value(text));
    }

    /// Whether it takes the keys.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.0.is_some()
    }

    /// Takes an input while it is open. Answers whether `text`, what is looked for, is another now.
    pub fn on_input(&mut self, input: &Input<Msg>, action: Option<Action>, text: &mut String) -> bool {
        let Some(line) = &mut self.0 else { return false };
        let typed = match input {
            Input::Key(press) => line.on_key(*press),
            Input::Paste(pasted) => {
                line.paste(pasted);
                true
            }
            _ => false,
        };
        match action {
            _ if typed => {
                let changed = line.value() != text;
                line.value().clone_into(text);
                changed
            }
            Some(Action::Back) => {
                self.0 = None;
                !std::mem::take(text).is_empty()
            }
            Some(Action::Select | Action::Down) => {
                self.0 = None;
                false
            }
            _ => false,
        }
    }

    /// Draws it where it is open; false where it is not.
    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) -> bool {
        let Some(line) = &self.0 else { return false };
        let [label, field] = Layout::horizontal([Constraint::Length(2), Constraint::Fill(1)]).areas(area);
        frame.render_widget(Paragraph::new(Span::styled("/ ", ctx.style(Token::Accent))), label);
        line.draw(frame, field, ctx);
        true
    }

    /// Draws the line above a list: at the left the search, or else in `words` how the list is narrowed;
    /// at the right in `total` how many there are.
    pub fn draw_head(
        &self,
        frame: &mut Frame<'_>,
        area: Rect,
        (words, token): (&str, Token),
        total: String,
        ctx: &ViewCtx<'_>,
    ) {
        let width = u16::try_from(text::display_width(&total)).unwrap_or_default();
        let [left, _, right] =
            Layout::horizontal([Constraint::Fill(1), Constraint::Length(1), Constraint::Length(width)]).areas(area);
        frame.render_widget(Paragraph::new(Line::styled(total, ctx.style(Token::Muted))), right);
        if !self.draw(frame, left, ctx) {
            let words = text::truncate_to_width(&text::clean(words), usize::from(left.width));
            frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(token))), left);
        }
    }
}
