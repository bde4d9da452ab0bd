//! What happened in a till shift, in words: the X report while it is open, the Z report when it is
//! closed. The same rows for the tab, for the overlay and for the file.

use super::super::desk::Desk;
use crate::domain::money::Money;
use crate::service::till::{MovementKind, MovementView, ShiftView, TillReport, Total};
use crate::tui::app::ViewCtx;
use crate::tui::locale::Locale;
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::vocabulary;
use crate::tui::widgets::columns::{self, Column};
use ratatui::text::Line;

/// Columns of a report in a file.
const FILE_WIDTH: usize = 64;

/// One row of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Row {
    /// A heading over what follows.
    Heading(String),
    /// Words over as many rows as they need.
    Words(String, Token),
    /// Words with an amount at the right.
    Amount(String, String, Token),
    /// Nothing.
    Gap,
}

/// Over, short or exact, and how that looks.
pub(super) fn over_short(amount: i64, desk: &Desk, locale: &Locale) -> (String, Token) {
    let words = |key: &str, amount: i64| locale.t_args(key, &[("amount", &desk.money(Money(amount)))]);
    match amount {
        0 => (locale.t("till.exact"), Token::Success),
        over if over > 0 => (words("till.over", over), Token::Warning),
        short => (words("till.short", short.saturating_neg()), Token::Danger),
    }
}

/// Who opened a shift and when, and who closed it.
pub(super) fn who(shift: &ShiftView, desk: &Desk, locale: &Locale) -> Vec<String> {
    let nobody = || locale.t("till.nobody");
    let opened = locale.t_args(
        "till.opened",
        &[
            ("terminal", &shift.terminal_name),
            ("at", &desk.instant(shift.opened_at)),
            ("who", &shift.opened_by.clone().unwrap_or_else(nobody)),
        ],
    );
    let closed = shift.closed_at.map(|at| {
        let who = shift.closed_by.clone().unwrap_or_else(nobody);
        locale.t_args("till.closed", &[("at", &desk.instant(at)), ("who", &who)])
    });
    std::iter::once(opened).chain(closed).collect()
}

/// The sums of a shift, and what it still waits for.
pub(super) fn sums(report: &TillReport, desk: &Desk, locale: &Locale) -> Vec<Row> {
    let shift = &report.shift;
    let money = |amount: i64| desk.money(Money(amount));
    let of = |key: &str, total: &Total| {
        let words = locale.t_args("till.times", &[("what", &locale.t(key)), ("count", &total.count)]);
        let token = if total.count == 0 { Token::Muted } else { Token::Text };
        Row::Amount(words, money(total.amount), token)
    };
    let mut rows: Vec<Row> =
        who(shift, desk, locale).into_iter().map(|words| Row::Words(words, Token::Muted)).collect();
    rows.extend([
        Row::Gap,
        Row::Amount(locale.t("till.float"), money(shift.float), Token::Text),
        of("till.sales", &report.sales),
        of("till.refunds", &report.refunds),
        of("till.cash_in", &report.cash_in),
        of("till.drops", &report.drops),
        of("till.payouts", &report.payouts),
        Row::Amount(locale.t("till.expected"), money(shift.expected), Token::Title),
    ]);
    if let (Some(counted), Some(over)) = (shift.counted, shift.over_short) {
        let (words, token) = over_short(over, desk, locale);
        rows.push(Row::Amount(locale.t("till.counted"), money(counted), Token::Text));
        rows.push(Row::Amount(locale.t("till.over_short"), words, token));
    }
    if let Some(note) = shift.note.as_ref().filter(|note| !note.is_empty()) {
        rows.push(Row::Words(locale.t_args("till.noted", &[("note", note)]), Token::Text));
    }
    if shift.closed_at.is_none() {
        rows.extend(waiting(report, desk, locale));
    }
    rows
}

/// What the whole place took in the shift, then by way of paying.
fn takings(report: &TillReport, desk: &Desk, locale: &Locale) -> Vec<Row> {
    let heading = Row::Heading(locale.t("till.takings"));
    let Some(takings) = &report.takings else {
        return vec![heading, Row::Words(locale.t("till.takings_archived"), Token::Muted)];
    };
    let money = |amount: i64| desk.money(Money(amount));
    let whole = &takings.whole;
    let mut rows = vec![
        heading,
        Row::Amount(locale.t("till.orders_paid"), whole.orders.to_string(), Token::Text),
        Row::Amount(locale.t("reports.gross"), money(whole.gross), Token::Text),
        Row::Amount(locale.t("reports.discounts"), money(whole.discounts.saturating_neg()), Token::Text),
    ];
    // What most places never have is said only where there was some of it.
    let rare = [
        ("reports.tax_added", whole.tax_added),
        ("reports.delivery_fees", whole.delivery_fees),
        ("reports.voids", whole.voids.saturating_neg()),
    ];
    let some = rare.into_iter().filter(|(_, amount)| *amount != 0);
    rows.extend(some.map(|(key, amount)| Row::Amount(locale.t(key), money(amount), Token::Text)));
    let refunds = locale.t_args("till.times", &[("what", &locale.t("reports.refunded")), ("count", &whole.refunds)]);
    rows.extend([
        Row::Amount(locale.t("reports.collected"), money(whole.collected), Token::Text),
        Row::Amount(refunds, money(whole.refunded.saturating_neg()), Token::Text),
        Row::Amount(locale.t("reports.net"), money(whole.net), Token::Title),
        Row::Amount(locale.t("reports.tax"), money(whole.tax), Token::Text),
    ]);
    for sales in &takings.by_method {
        let (method, figures) = (vocabulary::attempt_method(sales.method, locale), &sales.figures);
        let words = locale.t_args("till.net_by", &[("method", &method), ("count", &figures.orders)]);
        rows.push(Row::Amount(words, money(figures.net), Token::Text));
        let parts = locale.t_args(
            "till.method_parts",
            &[
                ("gross", &money(figures.gross)),
                ("discounts", &money(figures.discounts)),
                ("tax", &money(figures.tax)),
                ("refunded", &money(figures.refunded)),
            ],
        );
        rows.push(Row::Words(parts, Token::Muted));
    }
    rows
}

/// What an open shift still waits for.
fn waiting(report: &TillReport, desk: &Desk, locale: &Locale) -> Vec<Row> {
    let mut rows = Vec::new();
    if !report.unpaid_cash_orders.is_empty() {
        let orders = numbers(&report.unpaid_cash_orders);
        rows.push(Row::Words(locale.t_args("till.unpaid", &[("orders", &orders)]), Token::Warning));
    }
    let refunds = &report.pending_cash_refunds;
    if refunds.count > 0 {
        let amount = desk.money(Money(refunds.amount));
        let words = locale.t_plural("till.to_pay_out", refunds.count, &[("amount", &amount)]);
        rows.push(Row::Words(words, Token::Warning));
    }
    if !rows.is_empty() {
        rows.insert(0, Row::Gap);
    }
    rows
}

/// Numbers of orders as people say them.
pub(super) fn numbers(orders: &[String]) -> String {
    let short = |number: &String| {
        let last = number.rsplit('-').next().unwrap_or_default();
        let bare = last.trim_start_matches('0');
        if bare.is_empty() { last.to_owned() } else { bare.to_owned() }
    };
    orders.iter().map(short).collect::<Vec<_>>().join(", ")
}

/// What moved the drawer.
pub(super) fn kind(kind: MovementKind, locale: &Locale) -> String {
    locale.t(match kind {
        MovementKind::Sale => "till.kind_sale",
        MovementKind::Refund => "till.kind_refund",
        MovementKind::CashIn => "till.kind_cash_in",
        MovementKind::Drop => "till.kind_drop",
        MovementKind::Payout => "till.kind_payout",
    })
}

/// The whole report: the drawer's sums, what the place took, then every movement.
pub(super) fn whole(report: &TillReport, desk: &Desk, locale: &Locale) -> Vec<Row> {
    let mut rows = sums(report, desk, locale);
    rows.push(Row::Gap);
    rows.extend(takings(report, desk, locale));
    rows.extend([Row::Gap, Row::Heading(locale.t("till.movements"))]);
    if report.movements.is_empty() {
        rows.push(Row::Words(locale.t("till.no_movements"), Token::Muted));
    }
    for movement in &report.movements {
        let mut words = format!("{}  {}", desk.time(movement.at), kind(movement.kind, locale));
        if let Some(reason) = movement.reason.as_ref().filter(|reason| !reason.is_empty()) {
            words = format!("{words}: {reason}");
        }
        rows.push(Row::Amount(words, desk.money(Money(movement.amount)), Token::Text));
    }
    rows
}

/// The rows on a screen, `width` columns wide.
pub(super) fn lines(rows: &[Row], width: u16, ctx: &ViewCtx<'_>) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for row in rows {
        match row {
            Row::Gap => lines.push(Line::default()),
            Row::Heading(words) => lines.push(Line::styled(text::clean(words), ctx.style(Token::Title))),
            Row::Words(words, token) => lines.extend(
                text::wrap(words, usize::from(width)).into_iter().map(|row| Line::styled(row, ctx.style(*token))),
            ),
            Row::Amount(words, amount, token) => {
                let room = u16::try_from(text::display_width(amount)).unwrap_or_default();
                let style = if matches!(token, Token::Text) { Token::Price } else { *token };
                let cells = [(words.as_str(), ctx.style(*token)), (amount.as_str(), ctx.style(style))];
                lines.push(columns::row(&[Column::Fill, Column::Right(room)], &cells, width));
            }
        }
    }
    lines
}

/// The rows as a file of plain text.
pub(super) fn plain(title: &str, rows: &[Row]) -> String {
    let mut lines = vec![text::clean(title), String::new()];
    for row in rows {
        match row {
            Row::Gap => lines.push(String::new()),
            Row::Heading(words) => lines.push(text::clean(words)),
            Row::Words(words, _) => lines.extend(text::wrap(words, FILE_WIDTH)),
            Row::Amount(words, amount, _) => {
                let room = FILE_WIDTH.saturating_sub(text::display_width(amount)).saturating_sub(1);
                lines.push(format!("{} {}", text::fit_to_width(&text::clean(words), room), text::clean(amount)));
            }
        }
    }
    let mut file = lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n");
    file.push('\n');
    file
}

/// One movement in a row: when, what, how much, what the drawer held then, and why.
pub(super) fn movement(movement: &MovementView, width: u16, desk: &Desk, ctx: &ViewCtx<'_>) -> Line<'static> {
    let token = if movement.amount < 0 { Token::Warning } else { Token::Success };
    let time = desk.time(movement.at);
    let kind = kind(movement.kind, ctx.locale);
    let amount = desk.money(Money(movement.amount));
    let held = desk.money(Money(movement.balance_after));
    let reason = movement.reason.clone().unwrap_or_default();
    let cells = [
        (time.as_str(), ctx.style(Token::Muted)),
        (kind.as_str(), ctx.style(Token::Text)),
        (amount.as_str(), ctx.style(token)),
        (held.as_str(), ctx.style(Token::Price)),
        (reason.as_str(), ctx.style(Token::Muted)),
    ];
    let shape = [Column::Left(8), Column::Left(11), Column::Right(11), Column::Right(11), Column::Fill];
    columns::row(&shape, &cells, width)
}
