//! Time that runs out: a bar that shrinks, with the time left in figures.

use crate::tui::app::ViewCtx;
use crate::tui::theme::Token;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws what is left of `total` seconds in one row. In the last quarter it turns to a warning, in
/// words too: the figures stand in bold.
pub fn draw(frame: &mut Frame<'_>, area: Rect, left: i64, total: i64, ctx: &ViewCtx<'_>) {
    if area.is_empty() {
        return;
    }
    let total = total.max(1);
    let left = left.clamp(0, total);
    let minutes = left / 60;
    let seconds = format!("{:02}", left % 60);
    let figures = ctx.locale.t_args("common.minutes_seconds", &[("minutes", &minutes), ("seconds", &seconds)]);
    let figures_width = crate::tui::text::display_width(&figures);
    let bar = usize::from(area.width).saturating_sub(figures_width).saturating_sub(1);
    let full = share(bar, left, total);
    let token = if left.saturating_mul(4) <= total { Token::Warning } else { Token::Accent };
    let line = Line::from(vec![
        Span::styled("━".repeat(full), ctx.style(token)),
        Span::styled("─".repeat(bar.saturating_sub(full)), ctx.style(Token::Border)),
        Span::raw(if bar > 0 { " " } else { "" }),
        Span::styled(figures, ctx.style(token)),
    ]);
    frame.buffer_mut().set_line(area.x, area.y, &line, area.width);
}

/// The filled part of the bar: empty only when nothing is left.
fn share(bar: usize, left: i64, total: i64) -> usize {
    let bar_length = i64::try_from(bar).unwrap_or(i64::MAX);
    let full = bar_length.saturating_mul(left).checked_div(total).unwrap_or_default();
    usize::try_from(if left > 0 { full.max(1) } else { 0 }).unwrap_or_default().min(bar)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::drawn;

    fn at(width: u16, left: i64, total: i64) -> String {
        drawn(width, 1, |frame, ctx| draw(frame, frame.area(), left, total, ctx))
    }

    #[test]
    fn the_bar_shrinks_with_the_time() {
        assert_eq!(at(15, 300, 300), "━━━━━━━━━━ 5:00");
        assert_eq!(at(15, 65, 130), "━━━━━───── 1:05");
        assert_eq!(at(15, 1, 300), "━───────── 0:01");
        assert_eq!(at(15, 0, 300), "────────── 0:00");
    }

    #[test]
    fn no_figures_break_it() {
        for (left, total) in [(-5, 10), (10, 0), (i64::MAX, i64::MAX), (i64::MIN, i64::MIN)] {
            for width in [1, 4, 40] {
                assert!(!at(width, left, total).is_empty());
            }
        }
    }
}
