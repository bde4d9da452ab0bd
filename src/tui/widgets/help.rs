//! The overlay that lists every key that works here, made from the key map.

use super::panel;
use crate::tui::app::ViewCtx;
use crate::tui::keymap::{Action, Context};
use crate::tui::text;
use crate::tui::theme::Token;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Columns of the part that names the keys.
const KEYS: usize = 14;
/// Columns of one column of entries.
const COLUMN: u16 = 36;

/// Draws the keys of `context`, its own first, in two columns where one is too short. `skip` entries
/// are scrolled away; at least the last entry stays.
pub fn draw(frame: &mut Frame<'_>, area: Rect, context: Context, skip: usize, ctx: &ViewCtx<'_>) {
    let entries = entries(context, ctx);
    let rows = usize::from(area.height.saturating_sub(4)).max(1);
    let two = entries.len() > rows && area.width >= COLUMN.saturating_mul(2).saturating_add(4);
    let columns: u16 = if two { 2 } else { 1 };
    let per_column = if two { entries.len().div_ceil(2).min(rows) } else { entries.len().min(rows) };
    let height = u16::try_from(per_column).unwrap_or(u16::MAX).saturating_add(4);
    let width = COLUMN.saturating_mul(columns).saturating_add(4);
    let inner = panel::overlay(frame, area, (width, height), &ctx.locale.t("common.help_title"), ctx);
    let [_, inner] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(inner);
    let shown = per_column.saturating_mul(usize::from(columns));
    let skip = skip.min(entries.len().saturating_sub(shown));
    let mut rest = entries.into_iter().skip(skip);
    let places = Layout::horizontal(vec![Constraint::Fill(1); usize::from(columns)]).split(inner);
    for place in places.iter() {
        let lines: Vec<Line<'_>> = rest.by_ref().take(per_column).collect();
        frame.render_widget(Paragraph::new(lines), *place);
    }
}

fn entries(context: Context, ctx: &ViewCtx<'_>) -> Vec<Line<'static>> {
    let entry = |action: Action| {
        let keys = ctx.keymap.keys_for(context, action).join(" ");
        Line::from(vec![
            Span::styled(text::fit_to_width(&keys, KEYS), ctx.style(Token::Accent)),
            Span::styled(ctx.locale.t(action.label_key()), ctx.style(Token::Text)),
        ])
    };
    let (global, own): (Vec<Action>, Vec<Action>) =
        ctx.keymap.actions_in(context).into_iter().partition(|action| is_global(*action));
    // Leaving comes last: it is what people look for least.
    let (leaving, mut own): (Vec<Action>, Vec<Action>) =
        own.into_iter().partition(|action| matches!(action, Action::Quit | Action::StaffExit));
    own.extend(leaving);
    let mut lines = Vec::new();
    if !own.is_empty() {
        lines.push(Line::styled(ctx.locale.t("common.help_here"), ctx.style(Token::Title)));
        lines.extend(own.into_iter().map(entry));
        lines.push(Line::default());
    }
    lines.push(Line::styled(ctx.locale.t("common.help_everywhere"), ctx.style(Token::Title)));
    lines.extend(global.into_iter().map(entry));
    if context != Context::TextInput {
        lines.push(Line::from(vec![
            Span::styled(text::fit_to_width("0 – 9", KEYS), ctx.style(Token::Accent)),
            Span::styled(ctx.locale.t(Action::Digit(0).label_key()), ctx.style(Token::Text)),
        ]));
    }
    lines
}

/// The actions that every screen understands; the rest belong to a role.
fn is_global(action: Action) -> bool {
    action <= Action::Help
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::drawn;

    #[test]
    fn every_key_of_the_screen_is_listed() {
        let seen = drawn(80, 24, |frame, ctx| draw(frame, frame.area(), Context::Kitchen, 0, ctx));
        insta::assert_snapshot!(seen);
    }

    #[test]
    fn a_small_window_shows_what_fits_and_scrolls_to_the_rest() {
        let at = |skip| drawn(60, 20, move |frame, ctx| draw(frame, frame.area(), Context::Kitchen, skip, ctx));
        assert!(at(0).contains("Bump"));
        assert!(at(usize::MAX).contains("Choose by number"));
        for (width, height) in [(1, 1), (10, 3), (20, 5), (76, 6)] {
            drawn(width, height, |frame, ctx| draw(frame, frame.area(), Context::Menu, 3, ctx));
        }
    }
}
