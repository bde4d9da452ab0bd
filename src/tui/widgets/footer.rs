//! The hints in a screen's last row: which key does what, straight from the key map.

use crate::tui::app::{Hit, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::text;
use crate::tui::theme::Token;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

/// Columns between two hints.
const GAP: u16 = 3;

/// Draws hints for `actions`, the most important first. Where the row is too narrow, the last ones
/// are left out; the hint for help, where it is among them, is the last to go. Each hint can be
/// clicked.
pub fn draw(frame: &mut Frame<'_>, area: Rect, context: Context, actions: &[Action], ctx: &ViewCtx<'_>) {
    if area.is_empty() {
        return;
    }
    let hint = |action: Action| {
        let key = ctx.keymap.keys_for(context, action).into_iter().next()?;
        let label = ctx.locale.t(action.label_key());
        let width = u16::try_from(text::display_width(&key).saturating_add(text::display_width(&label))).ok()?;
        Some((action, key, label, width.saturating_add(1)))
    };
    let hints: Vec<_> = actions.iter().copied().filter_map(hint).collect();
    let help = hints.iter().find(|hint| hint.0 == Action::Help).map_or(0, |hint| hint.3);
    let mut used = 1_u16;
    let mut cut = false;
    for (action, key, label, width) in hints {
        let is_help = action == Action::Help;
        // Every other hint leaves room for the one that explains all of them.
        let reserved = if is_help || help == 0 { 0 } else { help.saturating_add(GAP) };
        let fits = used.saturating_add(width).saturating_add(reserved) <= area.width;
        if !fits || (cut && !is_help) {
            cut = true;
            continue;
        }
        let place = Rect { x: area.x.saturating_add(used), width, height: 1, ..area };
        let keys = Span::styled(key, ctx.style(Token::Accent));
        let words = Span::styled(format!(" {label}"), ctx.style(Token::Muted));
        frame.buffer_mut().set_line(place.x, place.y, &[keys, words].into_iter().collect(), width);
        ctx.hit(place, Hit::Action(action));
        used = used.saturating_add(width).saturating_add(GAP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::drawn;

    const ACTIONS: [Action; 6] =
        [Action::Bump, Action::Undo, Action::Recall, Action::AllDay, Action::Quit, Action::Help];

    fn at(width: u16) -> String {
        drawn(width, 1, |frame, ctx| draw(frame, frame.area(), Context::Kitchen, &ACTIONS, ctx))
    }

    #[test]
    fn the_least_important_hints_go_first_and_help_last() {
        assert_eq!(at(80), " Space Bump   u Undo   r Recall   d All day   q Quit   ? Help");
        assert_eq!(at(40), " Space Bump   u Undo   r Recall   ? Help");
        assert_eq!(at(12), " ? Help");
        assert_eq!(at(3), "");
    }

    #[test]
    fn actions_without_a_key_here_are_not_promised() {
        let seen = drawn(40, 1, |frame, ctx| {
            draw(frame, frame.area(), Context::Menu, &[Action::Quit, Action::OpenCart], ctx);
        });
        assert_eq!(seen, " c Cart");
    }
}
