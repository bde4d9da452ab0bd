//! Frames around things: a rounded panel in the screen, and a rounded overlay above it.

use crate::tui::app::ViewCtx;
use crate::tui::text;
use crate::tui::theme::Token;
use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::Span;
use ratatui::widgets::{Block, BorderType, Clear, Padding};

/// Draws a rounded panel with a title and gives the room within, with a column of air at both sides.
/// The active panel's border leads the eye.
pub fn draw(frame: &mut Frame<'_>, area: Rect, title: &str, active: bool, ctx: &ViewCtx<'_>) -> Rect {
    let block = block(title, area.width, active, ctx);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    inner
}

/// Draws an empty panel of at most this size over the middle of `area`, makes everything below it
/// unreachable for clicks, and gives the room within.
pub fn overlay(frame: &mut Frame<'_>, area: Rect, (width, height): (u16, u16), title: &str, ctx: &ViewCtx<'_>) -> Rect {
    let over = area.centered(Constraint::Length(width.min(area.width)), Constraint::Length(height.min(area.height)));
    ctx.cover();
    frame.render_widget(Clear, over);
    let block = block(title, over.width, true, ctx).style(ctx.style(Token::Overlay));
    let inner = block.inner(over);
    frame.render_widget(block, over);
    inner
}

fn block<'a>(title: &str, width: u16, active: bool, ctx: &ViewCtx<'_>) -> Block<'a> {
    let room = usize::from(width.saturating_sub(6));
    let title = text::truncate_to_width(&text::clean(title), room);
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(ctx.style(if active { Token::Accent } else { Token::Border }))
        .padding(Padding::horizontal(1));
    if title.is_empty() { block } else { block.title(Span::styled(format!(" {title} "), ctx.style(Token::Title))) }
}
