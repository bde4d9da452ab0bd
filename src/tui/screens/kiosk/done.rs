//! The placed order: its number in large digits, how far the kitchen is, and what is still to be
//! paid. Goes back to the attract screen by itself.

use super::parts;
use super::step::{Scene, Step};
use crate::domain::order::Status;
use crate::domain::payment::Method;
use crate::domain::time::Timestamp;
use crate::service::views::OrderView;
use crate::tui::app::{Env, Hit, Input, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::big_digits;
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Seconds after which the kiosk is free for the next customer.
pub(super) const STAYS_SECONDS: i64 = 60;
/// For so many seconds no key ends the screen: a double Enter must not hide the number.
pub(super) const HOLDS_SECONDS: i64 = 2;

/// When the screen was entered.
#[derive(Debug, Clone, Copy)]
pub(super) struct DoneScreen {
    pub since: Timestamp,
}

impl DoneScreen {
    pub fn on_input<M>(self, input: &Input<M>, env: &Env<'_>) -> Step {
        let asked = match input {
            Input::Key(_) => !matches!(env.action(Context::OrderStatus, input), Some(Action::Help)),
            Input::Click { .. } => true,
            _ => false,
        };
        if asked && env.now.seconds_since(self.since) >= HOLDS_SECONDS { Step::Leave } else { Step::Nothing }
    }

    pub fn draw(self, frame: &mut Frame<'_>, scene: &Scene<'_>, ctx: &ViewCtx<'_>) {
        let Some(order) = scene.order else { return };
        let title = ctx.locale.t("kiosk.thank_you");
        let way = parts::fulfilment_name(order.fulfilment, ctx.locale);
        let body = parts::page(frame, scene, (&title, &way), (Context::OrderStatus, &[]), ctx);
        let named = u16::from(order.called_name.is_some());
        let [_, head, _, number, name, _, words, _, steps, estimate, _, leave] = Layout::vertical([
            Constraint::Fill(1),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(if body.height >= 20 { 8 } else { 4 }),
            Constraint::Length(named.saturating_mul(2)),
            Constraint::Length(1),
            Constraint::Length(2),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(2),
            Constraint::Fill(1),
            Constraint::Length(1),
        ])
        .areas(body);
        let centered = |frame: &mut Frame<'_>, area: Rect, words: &str, token: Token| {
            let words = text::truncate_to_width(&text::clean(words), usize::from(area.width));
            frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(token))).centered(), area);
        };
        centered(frame, head, &ctx.locale.t("kiosk.your_number"), Token::Title);
        let token = if order.status == Status::Ready { Token::Ready } else { Token::Accent };
        big_digits::draw(frame, number, &order.pickup_number, ctx.style(token), Alignment::Center);
        if let Some(called) = &order.called_name {
            let [_, row] = Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(name);
            centered(frame, row, called, Token::Text);
        }
        let (news, news_token) = news(order, ctx);
        parts::paragraph(frame, words, &news, ctx.style(news_token).add_modifier(Modifier::BOLD), true);
        frame.render_widget(Paragraph::new(steps_line(order.status, ctx)).centered(), steps);
        if let Some(words) = estimate_words(order, ctx) {
            let [_, row] = Layout::vertical([Constraint::Length(1), Constraint::Length(1)]).areas(estimate);
            centered(frame, row, &words, Token::Muted);
        }
        centered(frame, leave, &ctx.locale.t("kiosk.any_key_ends"), Token::Muted);
        ctx.hit(body, Hit::Action(Action::Select));
    }
}

/// The one sentence that the customer needs most.
fn news(order: &OrderView, ctx: &ViewCtx<'_>) -> (String, Token) {
    let due = parts::money(order.due, order.currency);
    match order.status {
        status if status.is_dropped() => (ended(order, ctx), Token::Danger),
        _ if order.method == Method::Cash && !order.paid => {
            (ctx.locale.t_args("kiosk.pay_at_till", &[("total", &due)]), Token::Warning)
        }
        Status::Ready => (ctx.locale.t("kiosk.is_ready"), Token::Ready),
        Status::Completed => (ctx.locale.t("kiosk.enjoy"), Token::Success),
        _ => (ctx.locale.t_args("kiosk.is_paid", &[("total", &due)]), Token::Success),
    }
}

/// Why the order ended, in the staff's own words where they gave some, and what becomes of the money.
fn ended(order: &OrderView, ctx: &ViewCtx<'_>) -> String {
    let why = order.reason_text.as_deref().map(text::clean).filter(|why| !why.trim().is_empty());
    let words = match why {
        Some(why) => ctx.locale.t_args("kiosk.order_ended_why", &[("why", &why.trim())]),
        None => ctx.locale.t("kiosk.order_ended"),
    };
    if order.refunds.is_empty() { words } else { format!("{words} {}", ctx.locale.t("kiosk.money_goes_back")) }
}

/// Received, preparing, ready: what is behind is ticked, where it is is filled.
fn steps_line(status: Status, ctx: &ViewCtx<'_>) -> Line<'static> {
    let at = match status {
        Status::Pending | Status::Received | Status::Confirmed => 0,
        Status::Preparing => 1,
        Status::Ready | Status::OutForDelivery => 2,
        Status::Completed => 3,
        Status::Cancelled | Status::Rejected | Status::Expired => return Line::default(),
    };
    let names =
        [ctx.locale.t("kiosk.step_received"), ctx.locale.t("kiosk.step_preparing"), ctx.locale.t("kiosk.step_ready")];
    let mut spans = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        if index > 0 {
            spans.push(Span::styled("  ───  ", ctx.style(Token::Border)));
        }
        let (mark, token) = match index.cmp(&at) {
            std::cmp::Ordering::Less => ("✓", Token::Success),
            std::cmp::Ordering::Equal => ("●", Token::Accent),
            std::cmp::Ordering::Greater => ("○", Token::Muted),
        };
        spans.push(Span::styled(format!("{mark} {name}"), ctx.style(token)));
    }
    Line::from(spans)
}

fn estimate_words(order: &OrderView, ctx: &ViewCtx<'_>) -> Option<String> {
    let cooking = matches!(order.status, Status::Received | Status::Confirmed | Status::Preparing);
    let at = order.estimated_ready_at.filter(|_| cooking)?;
    let minutes = at.seconds_since(ctx.now).saturating_add(59) / 60;
    Some(match minutes {
        0 => ctx.locale.t("kiosk.any_moment"),
        minutes => ctx.locale.t_plural("kiosk.ready_in", minutes, &[]),
    })
}
