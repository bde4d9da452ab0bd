//! The placed order: its number in large digits, how far the kitchen or the courier is, and what is still to be
//! paid. Goes back to the attract screen by itself.

use super::parts;
use super::step::{Scene, Step};
use crate::domain::fulfilment::Fulfilment;
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
        frame.render_widget(Paragraph::new(steps_line(order, ctx)).centered(), steps);
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
    let brought = order.fulfilment == Fulfilment::Delivery;
    match order.status {
        status if status.is_dropped() => (ended(order, ctx), Token::Danger),
        status if brought => {
            (brought_news(status, order, ctx), if order.paid { Token::Success } else { Token::Warning })
        }
        _ if order.method == Method::Cash && !order.paid => {
            (ctx.locale.t_args("kiosk.pay_at_till", &[("total", &due)]), Token::Warning)
        }
        Status::Ready => (ctx.locale.t("kiosk.is_ready"), Token::Ready),
        Status::Completed => (ctx.locale.t("kiosk.enjoy"), Token::Success),
        _ => (ctx.locale.t_args("kiosk.is_paid", &[("total", &due)]), Token::Success),
    }
}

/// The same for an order that comes to the customer: never to the counter.
fn brought_news(status: Status, order: &OrderView, ctx: &ViewCtx<'_>) -> String {
    let due = parts::money(order.due, order.currency);
    let cash = order.method == Method::Cash && !order.paid;
    match (status, cash) {
        (Status::OutForDelivery, true) => ctx.locale.t_args("kiosk.on_its_way_cash", &[("total", &due)]),
        (Status::OutForDelivery, false) => ctx.locale.t("kiosk.on_its_way"),
        (Status::Completed, _) => ctx.locale.t("kiosk.brought"),
        (_, true) => ctx.locale.t_args("kiosk.bring_cash", &[("total", &due)]),
        (Status::Ready, false) => ctx.locale.t("kiosk.bring_ready"),
        (_, false) => ctx.locale.t_args("kiosk.bring_paid", &[("total", &due)]),
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

/// Received, preparing, ready, and for a delivery on its way: what is behind is ticked, where it is is filled.
fn steps_line(order: &OrderView, ctx: &ViewCtx<'_>) -> Line<'static> {
    let brought = order.fulfilment == Fulfilment::Delivery;
    let at = match order.status {
        Status::Pending | Status::Received | Status::Confirmed => 0,
        Status::Preparing => 1,
        Status::Ready => 2,
        Status::OutForDelivery => 3,
        Status::Completed => 4,
        Status::Cancelled | Status::Rejected | Status::Expired => return Line::default(),
    };
    let mut names = vec![
        ctx.locale.t("kiosk.step_received"),
        ctx.locale.t("kiosk.step_preparing"),
        ctx.locale.t("kiosk.step_ready"),
    ];
    if brought {
        names.push(ctx.locale.t("kiosk.step_on_its_way"));
    }
    let between = if brought { "  ─  " } else { "  ───  " };
    let mut spans = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        if index > 0 {
            spans.push(Span::styled(between, ctx.style(Token::Border)));
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
        minutes if order.fulfilment == Fulfilment::Delivery => ctx.locale.t_plural("kiosk.leaves_in", minutes, &[]),
        minutes => ctx.locale.t_plural("kiosk.ready_in", minutes, &[]),
    })
}
