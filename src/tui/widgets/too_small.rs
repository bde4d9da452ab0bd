//! What stands on the screen while the window is too small for anything else.

use crate::tui::app::ViewCtx;
use crate::tui::text;
use crate::tui::theme::Token;
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Rect, Size};
use ratatui::text::{Line, Text};
use ratatui::widgets::Paragraph;

/// Whether a size is below what is needed.
#[must_use]
pub const fn is_too_small(size: Size, needed: Size) -> bool {
    size.width < needed.width || size.height < needed.height
}

/// Asks for a larger window, with as much of the sentence as fits.
pub fn draw(frame: &mut Frame<'_>, area: Rect, needed: Size, ctx: &ViewCtx<'_>) {
    let width = usize::from(area.width);
    let mut lines: Vec<Line<'_>> = text::wrap(&ctx.locale.t("common.too_small"), width)
        .into_iter()
        .map(|row| Line::styled(row, ctx.style(Token::Warning)))
        .collect();
    let now: [(&str, &dyn std::fmt::Display); 2] = [("width", &ctx.size.width), ("height", &ctx.size.height)];
    let wanted: [(&str, &dyn std::fmt::Display); 2] = [("width", &needed.width), ("height", &needed.height)];
    let facts =
        [ctx.locale.t_args("common.too_small_needed", &wanted), ctx.locale.t_args("common.too_small_now", &now)];
    for fact in facts {
        lines.extend(text::wrap(&fact, width).into_iter().map(|row| Line::styled(row, ctx.style(Token::Muted))));
    }
    lines.truncate(usize::from(area.height));
    let height = u16::try_from(lines.len()).unwrap_or(area.height);
    let middle = area.centered_vertically(Constraint::Length(height));
    frame.render_widget(Paragraph::new(Text::from(lines)).alignment(Alignment::Center), middle);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::app::MINIMUM;
    use crate::tui::testing::drawn;

    #[test]
    fn it_says_what_to_do_at_any_size() {
        let seen = drawn(20, 5, |frame, ctx| draw(frame, frame.area(), MINIMUM, ctx));
        insta::assert_snapshot!(seen);
        for (width, height) in [(1, 1), (2, 1), (5, 2), (60, 19), (59, 40)] {
            assert!(!drawn(width, height, |frame, ctx| draw(frame, frame.area(), MINIMUM, ctx)).is_empty());
        }
    }
}
