//! A small mark: a word on its own ground, such as "veg" or "3 left".

use crate::tui::app::ViewCtx;
use crate::tui::text;
use crate::tui::theme::Token;
use ratatui::text::Span;

/// The mark as a span with a space at both sides. [`Token::Badge`] has a ground of its own; other
/// tokens colour the word only.
#[must_use]
pub fn span(words: &str, token: Token, ctx: &ViewCtx<'_>) -> Span<'static> {
    Span::styled(format!(" {} ", text::clean(words)), ctx.style(token))
}

#[cfg(test)]
mod tests {
    use crate::tui::testing::drawn;
    use crate::tui::theme::Token;

    #[test]
    fn a_mark_is_cleaned() {
        let seen = drawn(12, 1, |frame, ctx| {
            frame.render_widget(super::span("3\u{202e} left", Token::Badge, ctx), frame.area());
        });
        assert_eq!(seen, " 3 left");
    }
}
