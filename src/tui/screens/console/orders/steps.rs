//! Everything that may be done with an order, as a list: what is offered first, and of what is refused
//! why. Drawing and order only; what a chosen step asks for stands in `step`.

use crate::domain::error::ErrorCode;
use crate::service::order_actions::ActionView;
use crate::tui::app::ViewCtx;
use crate::tui::keymap::{Action, Context};
use crate::tui::locale::Locale;
use crate::tui::theme::Token;
use crate::tui::widgets::columns::{self, Column};
use crate::tui::widgets::list::{self, ListLook, ListState};
use crate::tui::widgets::{footer, panel};
use crate::tui::{refusal, text, vocabulary};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

/// The name of the list in [`Hit::Row`](crate::tui::app::Hit::Row).
pub(super) const STEPS: &str = "order_steps";

/// What the person may do first, then what a manager lets through, and what is refused after it.
pub(super) fn sorted(steps: &[ActionView]) -> Vec<ActionView> {
    let mut sorted = steps.to_vec();
    sorted.sort_by_key(|step| match (step.is_offered(), step.with_manager) {
        (true, false) => 0,
        (true, true) => 1,
        (false, _) => 2,
    });
    sorted
}

/// Why a step cannot be taken, or not without a manager; empty where it can.
pub(super) fn why_not(step: &ActionView, locale: &Locale) -> String {
    match &step.refused {
        None => String::new(),
        Some(_) if step.with_manager => locale.t("orders.needs_manager"),
        // No member of staff may, whatever their role.
        Some(refused) if refused.code == ErrorCode::InsufficientRole => locale.t("orders.guest_only"),
        Some(refused) => refusal::sentence(refused, locale),
    }
}

/// Draws the list over the tab. `number` is what the order is called.
pub(super) fn draw(
    steps: &[ActionView],
    state: &ListState,
    number: &str,
    frame: &mut Frame<'_>,
    area: Rect,
    ctx: &ViewCtx<'_>,
) {
    let rows = u16::try_from(steps.len()).unwrap_or(u16::MAX);
    let title = ctx.locale.t_args("orders.steps", &[("number", &number)]);
    let inner = panel::overlay(frame, area, (74, rows.saturating_add(6)), &title, ctx);
    let [body, _, why, keys] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(1), Constraint::Length(2), Constraint::Length(1)])
            .areas(inner);
    let look = ListLook { name: STEPS, row_height: 1, active: true };
    list::draw(frame, body, state, steps.len(), look, ctx, |index, width| {
        let Some(step) = steps.get(index) else { return Vec::new() };
        let words = vocabulary::event(step.event, ctx.locale);
        let digit = if index < 9 { index.saturating_add(1).to_string() } else { String::new() };
        let offered = step.is_offered();
        let (mark, colour) = match (offered, step.with_manager) {
            (true, false) => ("●", Token::Success),
            (true, true) => ("◆", Token::Warning),
            (false, _) => ("○", Token::Muted),
        };
        let cells = [
            (digit.as_str(), ctx.style(Token::Accent)),
            (mark, ctx.style(colour)),
            (words.as_str(), ctx.style(if offered { Token::Text } else { Token::Muted })),
        ];
        vec![columns::row(&[Column::Left(1), Column::Left(1), Column::Fill], &cells, width)]
    });
    let chosen = state.selected(steps.len()).and_then(|at| steps.get(at));
    let words = chosen.map(|step| why_not(step, ctx.locale)).unwrap_or_default();
    let mut lines = text::wrap(&words, usize::from(why.width));
    lines.truncate(usize::from(why.height));
    let lines: Vec<Line<'_>> = lines.into_iter().map(|row| Line::styled(row, ctx.style(Token::Warning))).collect();
    frame.render_widget(Paragraph::new(lines), why);
    footer::draw(frame, keys, Context::Dialog, &[Action::Select, Action::Back], ctx);
}
