//! A counted thing in words: how much there is, how long it lasts, who holds units of it, and its ledger.
//! Drawing only.

use super::super::desk::{Desk, draw_words, waiting_words};
use super::super::paged::Paged;
use super::movements::{Movements, kind_words};
use crate::domain::forecast::Forecast;
use crate::service::stock::HolderView;
use crate::service::stock_forecast::ForecastView;
use crate::service::stock_ledger::{MovementView, StockMovementKind};
use crate::tui::app::ViewCtx;
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::vocabulary;
use crate::tui::widgets::columns::{self, Column};
use crate::tui::widgets::list::{self, ListLook};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

/// The name of the ledger's rows in [`crate::tui::app::Hit::Row`].
pub(super) const LEDGER: &str = "ledger";
/// From this width on, a movement stands in one row.
const ONE_ROW: u16 = 70;
/// Holders that are named.
const NAMED: usize = 12;

/// How long a thing lasts, in words.
pub(super) fn outlook(row: &ForecastView, desk: &Desk, ctx: &ViewCtx<'_>) -> (String, Token) {
    if !row.item.tracked {
        return (ctx.locale.t("stock.not_counted"), Token::Muted);
    }
    match row.forecast {
        Forecast::Out => (ctx.locale.t("stock.out"), Token::Danger),
        Forecast::RunsOut(at) => (ctx.locale.t_args("stock.out_at", &[("time", &desk.minute(at))]), Token::Warning),
        Forecast::Lasts => (ctx.locale.t("stock.lasts"), Token::Success),
        Forecast::Unknown => (ctx.locale.t("stock.no_sales"), Token::Muted),
    }
}

/// The number of an order as people say it: without its day and its zeros.
fn short(number: &str) -> &str {
    let last = number.rsplit('-').next().unwrap_or_default();
    let bare = last.trim_start_matches('0');
    if bare.is_empty() { last } else { bare }
}

/// What is known about a thing, in lines of `width` columns.
fn facts(row: &ForecastView, holders: &[HolderView], width: u16, desk: &Desk, ctx: &ViewCtx<'_>) -> Vec<Line<'static>> {
    let item = &row.item;
    let counts = ctx.locale.t_args(
        "stock.counts",
        &[
            ("on_hand", &item.on_hand),
            ("unit", &item.unit),
            ("reserved", &item.reserved),
            ("available", &item.available),
        ],
    );
    let mut lines: Vec<(String, Token)> = vec![(counts, Token::Text)];
    let low = if item.low { "stock.is_low" } else { "stock.low_at" };
    let mut words = vec![ctx.locale.t_args(low, &[("low", &item.low_mark)])];
    words.push(ctx.locale.t_args("stock.sold_today", &[("count", &row.sold_today)]));
    let (outlook, token) = outlook(row, desk, ctx);
    words.push(outlook);
    lines.push((words.join(" · "), if item.low && token != Token::Danger { Token::Warning } else { token }));
    if !holders.is_empty() {
        let mut named: Vec<String> = holders
            .iter()
            .take(NAMED)
            .map(|holder| format!("{} × {}", short(&holder.order_number), holder.quantity))
            .collect();
        if holders.len() > NAMED {
            named.push("…".to_owned());
        }
        lines.push((ctx.locale.t_args("stock.held_by", &[("orders", &named.join(", "))]), Token::Muted));
    }
    let wrapped = |(words, token): (String, Token)| {
        text::wrap(&words, usize::from(width)).into_iter().map(move |row| Line::styled(row, ctx.style(token)))
    };
    lines.into_iter().flat_map(wrapped).collect()
}

/// Draws the thing with its ledger.
pub(super) fn draw(
    row: &ForecastView,
    (holders, ledger, movements): (&[HolderView], &Paged<MovementView>, &Movements),
    active: bool,
    frame: &mut Frame<'_>,
    area: Rect,
    desk: &Desk,
    ctx: &ViewCtx<'_>,
) {
    let facts = facts(row, holders, area.width, desk, ctx);
    let height = u16::try_from(facts.len()).unwrap_or(u16::MAX).min(area.height);
    let mut heading = vec![Line::styled(ledger.count_words("stock.ledger", ctx.locale), ctx.style(Token::Title))];
    if !movements.is_empty() {
        let mut words = movements.words(ctx.locale);
        if active {
            words = ctx.locale.t_args("stock.searched", &[("what", &words)]);
        }
        let rows = text::wrap(&words, usize::from(area.width)).into_iter();
        heading.extend(rows.map(|row| Line::styled(row, ctx.style(Token::Muted))));
    }
    let rows = u16::try_from(heading.len()).unwrap_or(u16::MAX);
    let [top, _, head, body] = Layout::vertical([
        Constraint::Length(height),
        Constraint::Length(1),
        Constraint::Length(rows),
        Constraint::Fill(1),
    ])
    .areas(area);
    frame.render_widget(Paragraph::new(facts), top);
    frame.render_widget(Paragraph::new(heading), head);
    let empty = ledger.items().is_empty();
    if empty && (!ledger.is_loaded() || ledger.problem().is_some()) {
        let (words, token) = waiting_words(ledger.problem(), ctx);
        frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(token))), body);
        return;
    }
    if empty {
        let words = if movements.is_empty() {
            ctx.locale.t_args("stock.ledger_empty", &[("count", &row.item.opening)])
        } else {
            ctx.locale.t("stock.ledger_none_found")
        };
        draw_words(&words, Token::Muted, frame, body, ctx);
        return;
    }
    let one_row = body.width >= ONE_ROW;
    let look = ListLook { name: LEDGER, row_height: if one_row { 1 } else { 2 }, active };
    let items = ledger.items();
    list::draw(frame, body, &ledger.state, items.len(), look, ctx, |index, width| {
        items.get(index).map(|movement| moved(movement, one_row, width, desk, ctx)).unwrap_or_default()
    });
}

fn moved(movement: &MovementView, one_row: bool, width: u16, desk: &Desk, ctx: &ViewCtx<'_>) -> Vec<Line<'static>> {
    let at = movement.at.to_utc().with_timezone(&desk.zone()).format("%d %b %H:%M").to_string();
    // A kind that this program does not know was written by a newer one.
    let kind = StockMovementKind::parse(&movement.kind)
        .map_or_else(|| movement.kind.clone(), |kind| kind_words(kind, ctx.locale));
    let by = format!("{:+}", movement.quantity);
    let after = ctx.locale.t_args("stock.then", &[("count", &movement.on_hand_after)]);
    let who = match &movement.actor {
        Some(name) => name.clone(),
        None => movement.role.parse().map_or_else(|_| movement.role.clone(), |role| vocabulary::role(role, ctx.locale)),
    };
    let mut why: Vec<String> = Vec::new();
    why.extend(
        movement
            .order_number
            .as_ref()
            .map(|number| ctx.locale.t_args("stock.for_order", &[("number", &short(number))])),
    );
    why.extend(movement.reason.clone().filter(|reason| !reason.is_empty()));
    let why = why.join(": ");
    let signed = if movement.quantity < 0 { Token::Warning } else { Token::Success };
    let text_style = ctx.style(Token::Text);
    let muted = ctx.style(Token::Muted);
    let mut shape = vec![Column::Left(12), Column::Left(9), Column::Right(6), Column::Left(8)];
    let mut cells: Vec<(&str, Style)> = vec![
        (at.as_str(), muted),
        (kind.as_str(), text_style),
        (by.as_str(), ctx.style(signed)),
        (after.as_str(), text_style),
    ];
    if one_row {
        shape.extend([Column::Left(16), Column::Fill]);
        cells.extend([(who.as_str(), text_style), (why.as_str(), muted)]);
        return vec![columns::row(&shape, &cells, width)];
    }
    shape.push(Column::Fill);
    cells.push((who.as_str(), text_style));
    let second = columns::row(&[Column::Left(12), Column::Fill], &[("", muted), (why.as_str(), muted)], width);
    vec![columns::row(&shape, &cells, width), second]
}
