//! An order in lines: what it is, what is in it, why it costs that much, how it was paid, what went
//! back, where it is delivered to, and every step with who took it. Drawing only.

use super::Desk;
use crate::domain::order::{AssignmentStatus, Status, TABLE};
use crate::domain::payment::{AttemptStatus, RefundStatus};
use crate::service::deliveries::{AssignmentView, DeliveryView};
use crate::service::views::{AttemptView, HistoryView, OrderLineView, OrderView, RefundView};
use crate::tui::app::ViewCtx;
use crate::tui::screens::price_trace;
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::vocabulary;
use crate::tui::widgets::columns::{self, Column};
use ratatui::text::{Line, Span};

/// How a status looks; its word is always written too.
pub(super) const fn status_token(status: Status) -> Token {
    match status {
        Status::Pending => Token::Muted,
        Status::Received | Status::Confirmed => Token::Warning,
        Status::Preparing | Status::OutForDelivery => Token::Accent,
        Status::Ready => Token::Ready,
        Status::Completed => Token::Success,
        Status::Cancelled | Status::Rejected | Status::Expired => Token::Danger,
    }
}

/// The whole order, one line under the other, `width` columns wide.
pub(super) fn lines(
    order: &OrderView,
    (history, delivery): (&[HistoryView], Option<&DeliveryView>),
    width: u16,
    desk: &Desk,
    ctx: &ViewCtx<'_>,
) -> Vec<Line<'static>> {
    let mut out = Vec::new();
    head(order, width, desk, ctx, &mut out);
    if let Some(delivery) = delivery {
        section("orders.section_delivery", ctx, &mut out);
        delivered(delivery, order, width, desk, ctx, &mut out);
    }
    section("orders.section_lines", ctx, &mut out);
    for line in &order.lines {
        item(line, width, desk, ctx, &mut out);
    }
    section("orders.section_price", ctx, &mut out);
    for (words, amount) in price_trace::rows(&order.trace, order.currency, ctx.locale) {
        pair(&words, &amount, width, Token::Text, ctx, &mut out);
    }
    if order.due != order.total {
        let due = order.due.display(order.currency);
        pair(&ctx.locale.t("orders.due"), &due, width, Token::Title, ctx, &mut out);
    }
    if !order.attempts.is_empty() {
        section("orders.section_attempts", ctx, &mut out);
        for attempt in &order.attempts {
            attempted(attempt, order, width, ctx, &mut out);
        }
    }
    if !order.refunds.is_empty() {
        section("orders.section_refunds", ctx, &mut out);
        for refund in &order.refunds {
            refunded(refund, order, width, ctx, &mut out);
        }
    }
    if !history.is_empty() {
        section("orders.section_history", ctx, &mut out);
        for step in history {
            taken(step, width, desk, ctx, &mut out);
        }
    }
    out
}

fn head(order: &OrderView, width: u16, desk: &Desk, ctx: &ViewCtx<'_>, out: &mut Vec<Line<'static>>) {
    let status = vocabulary::status(order.status, ctx.locale);
    let payment = vocabulary::payment(order.payment_status, ctx.locale);
    let method = vocabulary::method(order.method, ctx.locale);
    let fulfilment = vocabulary::fulfilment(order.fulfilment, ctx.locale);
    out.push(Line::from(vec![
        Span::styled(format!("{} ", text::clean(&order.pickup_number)), ctx.style(Token::Title)),
        Span::styled(format!("{status}  "), ctx.style(status_token(order.status))),
        Span::styled(format!("{payment} · {method} · {fulfilment}"), ctx.style(Token::Text)),
    ]));
    let mut facts = vec![ctx.locale.t_args("orders.placed_at", &[("at", &desk.instant(order.created_at))])];
    if let Some(name) = &order.called_name {
        facts.push(ctx.locale.t_args("orders.for_name", &[("name", name)]));
    }
    if let Some(at) = order.estimated_ready_at.filter(|_| !order.status.is_terminal()) {
        facts.push(ctx.locale.t_args("orders.promised", &[("at", &desk.minute(at))]));
    }
    wrapped(&facts.join(" · "), width, Token::Muted, ctx, out);
    if let Some(reason) = order.reason {
        let words = vocabulary::end_reason(reason, ctx.locale);
        let words = match &order.reason_text {
            Some(text) if !text.is_empty() => format!("{words}: {text}"),
            _ => words,
        };
        wrapped(&words, width, Token::Danger, ctx, out);
    }
    for (is, key) in [(order.uncollected, "orders.uncollected"), (order.late_payment, "orders.late_payment")] {
        if is {
            wrapped(&ctx.locale.t(key), width, Token::Warning, ctx, out);
        }
    }
    for (key, note) in [("orders.note", &order.note), ("orders.staff_note", &order.staff_note)] {
        if let Some(note) = note.as_ref().filter(|note| !note.is_empty()) {
            wrapped(&ctx.locale.t_args(key, &[("note", note)]), width, Token::Warning, ctx, out);
        }
    }
}

/// Where it goes, and who has it and had it.
fn delivered(
    delivery: &DeliveryView,
    order: &OrderView,
    width: u16,
    desk: &Desk,
    ctx: &ViewCtx<'_>,
    out: &mut Vec<Line<'static>>,
) {
    if let Some(address) = &delivery.address {
        wrapped(address, width, Token::Text, ctx, out);
    }
    if let Some(problem) = delivery.address_problem {
        wrapped(&vocabulary::address_problem(problem, ctx.locale), width, Token::Warning, ctx, out);
    }
    let waits = delivery.active().is_none() && !order.status.is_terminal();
    match (order.assignment_escalated, waits) {
        (true, true) => wrapped(&ctx.locale.t("orders.courier_wanted_now"), width, Token::Danger, ctx, out),
        (true, false) => wrapped(&ctx.locale.t("orders.escalated"), width, Token::Muted, ctx, out),
        (false, true) => wrapped(&ctx.locale.t("orders.no_courier"), width, Token::Warning, ctx, out),
        (false, false) => {}
    }
    for assignment in &delivery.assignments {
        assigned(assignment, width, desk, ctx, out);
    }
}

fn assigned(assignment: &AssignmentView, width: u16, desk: &Desk, ctx: &ViewCtx<'_>, out: &mut Vec<Line<'static>>) {
    let status = vocabulary::assignment(assignment.status, ctx.locale);
    let token = match assignment.status {
        AssignmentStatus::Assigned | AssignmentStatus::PickedUp => Token::Accent,
        AssignmentStatus::Delivered => Token::Success,
        AssignmentStatus::Cancelled => Token::Muted,
    };
    let courier = ctx.locale.t_args("orders.courier", &[("name", &assignment.courier), ("status", &status)]);
    wrapped(&courier, width, token, ctx, out);
    let at = desk.minute(assignment.assigned_at);
    let mut times = vec![match &assignment.assigned_by {
        Some(who) => ctx.locale.t_args("orders.named_by", &[("at", &at), ("who", who)]),
        None => ctx.locale.t_args("orders.named_at", &[("at", &at)]),
    }];
    for (key, at) in [
        ("orders.picked_up_at", assignment.picked_up_at),
        ("orders.delivered_at", assignment.delivered_at),
        ("orders.cancelled_at", assignment.cancelled_at),
    ] {
        times.extend(at.map(|at| ctx.locale.t_args(key, &[("at", &desk.minute(at))])));
    }
    times.extend(assignment.reason.clone().filter(|reason| !reason.is_empty()));
    wrapped(&format!("    {}", times.join(" · ")), width, Token::Muted, ctx, out);
}

fn item(line: &OrderLineView, width: u16, desk: &Desk, ctx: &ViewCtx<'_>, out: &mut Vec<Line<'static>>) {
    let words = format!("{} × {}", line.quantity, line.name);
    pair(&words, &desk.money(line.line_total), width, Token::Text, ctx, out);
    let mut small: Vec<String> = Vec::new();
    if !line.options.is_empty() {
        small.push(line.options.join(", "));
    }
    if let Some(note) = line.note.as_ref().filter(|note| !note.is_empty()) {
        small.push(format!("\"{note}\""));
    }
    for (key, count) in
        [("orders.done", line.done), ("orders.voided", line.voided), ("orders.restocked", line.restocked)]
    {
        if count > 0 {
            small.push(ctx.locale.t_args(key, &[("count", &count)]));
        }
    }
    if line.wasted > 0 {
        small.push(ctx.locale.t_args("orders.wasted", &[("count", &line.wasted)]));
    }
    if !small.is_empty() {
        wrapped(&format!("    {}", small.join(" · ")), width, Token::Muted, ctx, out);
    }
}

fn attempted(attempt: &AttemptView, order: &OrderView, width: u16, ctx: &ViewCtx<'_>, out: &mut Vec<Line<'static>>) {
    let method = vocabulary::attempt_method(attempt.method, ctx.locale);
    let status = vocabulary::attempt(attempt.status, ctx.locale);
    let card = match (&attempt.brand, &attempt.last_four) {
        (Some(brand), Some(digits)) => format!(" {brand} …{digits}"),
        _ => String::new(),
    };
    let mut words = format!("{method}{card}: {status}");
    if attempt.unknown {
        words = format!("{words} ({})", ctx.locale.t("orders.unknown"));
    }
    if attempt.stray {
        words = format!("{words} ({})", ctx.locale.t("orders.stray"));
    }
    let token = match attempt.status {
        AttemptStatus::Captured => Token::Success,
        AttemptStatus::Failed => Token::Danger,
        _ => Token::Text,
    };
    pair(&words, &attempt.amount.display(order.currency), width, token, ctx, out);
    if let Some(reason) = &attempt.reason {
        wrapped(&format!("    {reason}"), width, Token::Muted, ctx, out);
    }
    if let Some(id) = attempt.gateway_payment_id.as_ref().or(attempt.gateway_order_id.as_ref()) {
        wrapped(&format!("    {id}"), width, Token::Muted, ctx, out);
    }
}

fn refunded(refund: &RefundView, order: &OrderView, width: u16, ctx: &ViewCtx<'_>, out: &mut Vec<Line<'static>>) {
    let method = vocabulary::attempt_method(refund.method, ctx.locale);
    let status = vocabulary::refund(refund.status, ctx.locale);
    let token = match refund.status {
        RefundStatus::Settled => Token::Success,
        RefundStatus::Failed => Token::Danger,
        RefundStatus::Pending => Token::Warning,
    };
    pair(&format!("{method}: {status}"), &refund.amount.display(order.currency), width, token, ctx, out);
    if let Some(reason) = &refund.reason {
        wrapped(&format!("    {reason}"), width, Token::Muted, ctx, out);
    }
}

fn taken(step: &HistoryView, width: u16, desk: &Desk, ctx: &ViewCtx<'_>, out: &mut Vec<Line<'static>>) {
    let to = vocabulary::status(step.to, ctx.locale);
    let who = match &step.actor {
        Some(name) => text::clean(name),
        None => step.role.parse().map_or_else(|_| text::clean(&step.role), |role| vocabulary::role(role, ctx.locale)),
    };
    let at = match &step.terminal {
        Some(terminal) => ctx.locale.t_args("orders.at_terminal", &[("who", &who), ("terminal", terminal)]),
        None => who,
    };
    // A row of the table that this program does not know was written by a newer one.
    let known = TABLE.iter().find(|row| row.t == step.transition);
    let what = known.map_or_else(|| text::clean(&step.transition), |row| vocabulary::step(row.event, ctx.locale));
    let cells = [
        (desk.time(step.at), ctx.style(Token::Muted)),
        (what, ctx.style(Token::Text)),
        (to, ctx.style(status_token(step.to))),
        (at, ctx.style(Token::Muted)),
    ];
    let cells: Vec<(&str, ratatui::style::Style)> =
        cells.iter().map(|(words, style)| (words.as_str(), *style)).collect();
    // Beside a list there is room for what happened and who did it; where it led says the next step.
    if width < 60 {
        let [at, what, _, who] = <[_; 4]>::try_from(cells).unwrap_or_default();
        out.push(columns::row(&[Column::Left(8), Column::Left(17), Column::Fill], &[at, what, who], width));
    } else {
        let each = [Column::Left(8), Column::Left(22), Column::Left(16), Column::Fill];
        out.push(columns::row(&each, &cells, width));
    }
    if let Some(reason) = step.reason.as_ref().filter(|reason| !reason.is_empty()) {
        wrapped(&format!("         {reason}"), width, Token::Muted, ctx, out);
    }
}

fn section(key: &str, ctx: &ViewCtx<'_>, out: &mut Vec<Line<'static>>) {
    out.push(Line::default());
    out.push(Line::styled(ctx.locale.t(key), ctx.style(Token::Title)));
}

fn pair(words: &str, amount: &str, width: u16, token: Token, ctx: &ViewCtx<'_>, out: &mut Vec<Line<'static>>) {
    let amount_width = u16::try_from(text::display_width(amount)).unwrap_or_default();
    let cells = [(words, ctx.style(token)), (amount, ctx.style(Token::Price))];
    out.push(columns::row(&[Column::Fill, Column::Right(amount_width)], &cells, width));
}

/// Words on as many rows as they need; rows after the first keep the indentation of the first.
fn wrapped(words: &str, width: u16, token: Token, ctx: &ViewCtx<'_>, out: &mut Vec<Line<'static>>) {
    let indent = words.len().saturating_sub(words.trim_start().len());
    let room = usize::from(width).saturating_sub(indent);
    for row in text::wrap(words.trim_start(), room) {
        out.push(Line::from(vec![Span::raw(" ".repeat(indent)), Span::styled(row, ctx.style(token))]));
    }
}
