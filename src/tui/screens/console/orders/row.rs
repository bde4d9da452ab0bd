//! An order in one row of the list: what stands in its columns, and the mark before its number with what it
//! means. Drawing only.

use super::super::desk::Desk;
use super::detail::status_token;
use crate::domain::payment::Method;
use crate::service::order_queries::OrderSummary;
use crate::tui::app::ViewCtx;
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::vocabulary;
use ratatui::style::Style;
use ratatui::text::Line;

/// What stands before the number of an order in the list; of several, the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// The courier who looks has to deliver it.
    Yours,
    /// Somebody has to name a courier by hand.
    CourierWanted,
    /// Money came that it could not take.
    LatePayment,
    /// It was paid, and nobody came for it.
    Uncollected,
}

impl Mark {
    const ALL: [Self; 4] = [Self::Yours, Self::CourierWanted, Self::LatePayment, Self::Uncollected];

    /// The mark of this order.
    fn of(row: &OrderSummary) -> Option<Self> {
        Self::ALL.into_iter().find(|mark| match mark {
            Self::Yours => row.yours,
            Self::CourierWanted => row.courier_wanted,
            Self::LatePayment => row.late_payment,
            Self::Uncollected => row.uncollected,
        })
    }

    /// The mark itself.
    const fn sign(self) -> &'static str {
        match self {
            Self::Yours => "●",
            Self::CourierWanted => "!",
            Self::LatePayment => "+",
            Self::Uncollected => "○",
        }
    }

    /// What it means.
    const fn key(self) -> &'static str {
        match self {
            Self::Yours => "orders.yours",
            Self::CourierWanted => "orders.courier_wanted",
            Self::LatePayment => "orders.paid_late",
            Self::Uncollected => "orders.not_collected",
        }
    }

    const fn token(self) -> Token {
        match self {
            Self::Yours => Token::Accent,
            Self::CourierWanted => Token::Danger,
            Self::LatePayment | Self::Uncollected => Token::Warning,
        }
    }
}

/// What the marks mean that are seen in the list; nothing where there is none.
pub(super) fn legend(rows: &[OrderSummary], width: u16, ctx: &ViewCtx<'_>) -> Vec<Line<'static>> {
    let seen = Mark::ALL.into_iter().filter(|mark| rows.iter().any(|row| Mark::of(row) == Some(*mark)));
    let words: Vec<String> = seen.map(|mark| ctx.locale.t_args(mark.key(), &[("mark", &mark.sign())])).collect();
    if words.is_empty() {
        return Vec::new();
    }
    let rows = text::wrap(&words.join(" · "), usize::from(width));
    rows.into_iter().map(|row| Line::styled(row, ctx.style(Token::Muted))).collect()
}

/// What stands in the columns of an order.
pub(super) fn cells(row: &OrderSummary, desk: &Desk, ctx: &ViewCtx<'_>) -> Vec<(String, Style)> {
    let number = row.order_number.rsplit('-').next().unwrap_or_default();
    let short = number.trim_start_matches('0');
    let number = if short.is_empty() { number } else { short };
    let method = vocabulary::method(row.method, ctx.locale);
    let (paid, token) = if row.money_back {
        (ctx.locale.t("orders.section_refunds").to_lowercase(), Token::Warning)
    } else if row.paid {
        (ctx.locale.t_args("orders.paid_by", &[("method", &method)]), Token::Success)
    } else if row.status.is_terminal() {
        (ctx.locale.t("orders.not_paid"), Token::Muted)
    } else if row.method == Method::Cash {
        (ctx.locale.t("orders.owes_cash"), Token::Warning)
    } else {
        (ctx.locale.t("orders.not_paid"), Token::Warning)
    };
    let at = row.created_at.to_utc().with_timezone(&desk.zone()).format("%d %b %H:%M").to_string();
    vec![
        match Mark::of(row) {
            Some(mark) => (format!("{}{number}", mark.sign()), ctx.style(mark.token())),
            None => (number.to_owned(), ctx.style(Token::Title)),
        },
        (at, ctx.style(Token::Muted)),
        (vocabulary::status(row.status, ctx.locale), ctx.style(status_token(row.status))),
        (paid, ctx.style(token)),
        (row.called_name.clone().unwrap_or_default(), ctx.style(Token::Text)),
        (desk.money(row.total), ctx.style(Token::Price)),
    ]
}
