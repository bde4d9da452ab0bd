//! What the panels of details are written with: a heading, a fact with its name, words on as many rows
//! as they need. Drawing only; which facts there are is each tab's own business.

use crate::tui::app::ViewCtx;
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::columns::{self, Column};
use ratatui::text::{Line, Span};

/// Columns of a fact's name.
const NAME: usize = 16;

/// Lines that are being written, `width` columns wide.
pub(super) struct Facts<'a, 'b> {
    width: u16,
    ctx: &'a ViewCtx<'b>,
    lines: Vec<Line<'static>>,
}

impl<'a, 'b> Facts<'a, 'b> {
    pub(super) const fn new(width: u16, ctx: &'a ViewCtx<'b>) -> Self {
        Self { width, ctx, lines: Vec::new() }
    }

    /// A heading, with air above it.
    pub(super) fn heading(&mut self, words: &str) {
        if !self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        self.lines.push(Line::styled(text::clean(words), self.ctx.style(Token::Title)));
    }

    /// Words over the whole width.
    pub(super) fn words(&mut self, words: &str, token: Token) {
        for row in text::wrap(words, usize::from(self.width)) {
            self.lines.push(Line::styled(row, self.ctx.style(token)));
        }
    }

    /// An empty row.
    pub(super) fn air(&mut self) {
        self.lines.push(Line::default());
    }

    /// A name and what it is; the rows after the first stand under the first.
    pub(super) fn fact(&mut self, name: &str, words: &str, token: Token) {
        let name_width = NAME.min(usize::from(self.width) / 2);
        let room = usize::from(self.width).saturating_sub(name_width).saturating_sub(1);
        for (at, row) in text::wrap(words, room).into_iter().enumerate() {
            let shown = if at == 0 { text::clean(name) } else { String::new() };
            self.lines.push(Line::from(vec![
                Span::styled(text::fit_to_width(&shown, name_width), self.ctx.style(Token::Muted)),
                Span::raw(" "),
                Span::styled(row, self.ctx.style(token)),
            ]));
        }
    }

    /// Words at the left and an amount at the right.
    pub(super) fn pair(&mut self, words: &str, amount: &str, token: Token) {
        let amount_width = u16::try_from(text::display_width(amount)).unwrap_or_default();
        let cells = [(words, self.ctx.style(Token::Text)), (amount, self.ctx.style(token))];
        self.lines.push(columns::row(&[Column::Fill, Column::Right(amount_width)], &cells, self.width));
    }

    /// What was written.
    pub(super) fn lines(self) -> Vec<Line<'static>> {
        self.lines
    }
}
