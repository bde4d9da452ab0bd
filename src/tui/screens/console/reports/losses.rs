//! What went back and what was thrown away, with the reasons. Drawing only.

use super::super::leaf::Leaf;
use super::sales::counted;
use crate::domain::money::Money;
use crate::domain::payment::{AttemptMethod, RefundStatus};
use crate::service::report_views::{RefundGroup, RefundsView, WasteGroup, WasteSource};
use crate::tui::theme::Token;
use crate::tui::vocabulary;
use crate::tui::widgets::columns::Column;

/// The narrowest leaf that stands beside another.
pub(super) const LEAST: u16 = 52;

/// Refunds at the left, waste at the right.
pub(super) fn write<'a>(view: &RefundsView, (mut left, mut right): (Leaf<'a>, Leaf<'a>)) -> (Leaf<'a>, Leaf<'a>) {
    left.section(left.t("reports.refunds_title"));
    for (key, part) in [
        ("reports.refunds_settled", view.settled),
        ("reports.refunds_failed", view.failed),
        ("reports.refunds_pending", view.pending),
    ] {
        counted(key, part, &mut left);
    }
    if view.refunds.is_empty() {
        left.note(&left.t("reports.no_refunds"), Token::Muted);
    } else {
        left.blank();
        let heads = [
            (Column::Fill, left.t("reports.reason")),
            (Column::Left(10), left.t("reports.status")),
            (Column::Left(8), left.t("reports.method")),
            (Column::Right(4), left.t("reports.count")),
            (Column::Right(12), left.t("reports.amount")),
        ];
        let rows: Vec<Vec<(String, Token)>> = view.refunds.iter().map(|group| refund(group, &left)).collect();
        left.table(&heads, &rows);
    }
    right.section(right.t("reports.waste_title"));
    if view.waste.is_empty() {
        right.note(&right.t("reports.no_waste"), Token::Muted);
        return (left, right);
    }
    if view.wasted_units > 0 {
        let words = right.ctx.locale.t_plural("reports.wasted_units", view.wasted_units, &[]);
        right.pair(&words, &right.desk.money(Money(view.wasted_value)), Token::Warning);
    }
    right.blank();
    let heads = [
        (Column::Fill, right.t("reports.thing")),
        (Column::Fill, right.t("reports.reason")),
        (Column::Right(5), right.t("reports.quantity")),
        (Column::Right(12), right.t("reports.menu_value")),
    ];
    let rows: Vec<Vec<(String, Token)>> = view.waste.iter().map(|group| waste(group, &right)).collect();
    right.table(&heads, &rows);
    (left, right)
}

fn refund(group: &RefundGroup, leaf: &Leaf<'_>) -> Vec<(String, Token)> {
    let token = match group.status {
        RefundStatus::Settled => Token::Text,
        RefundStatus::Pending => Token::Warning,
        RefundStatus::Failed => Token::Danger,
    };
    let reason = if group.reason.is_empty() { leaf.t("reports.no_reason") } else { group.reason.clone() };
    let reason = if group.stray { leaf.ctx.locale.t_args("reports.stray", &[("reason", &reason)]) } else { reason };
    let method = AttemptMethod::parse(&group.method)
        .map_or_else(|| group.method.clone(), |method| vocabulary::attempt_method(method, leaf.ctx.locale));
    vec![
        (reason, Token::Text),
        (vocabulary::refund(group.status, leaf.ctx.locale), token),
        (method, Token::Muted),
        (group.count.to_string(), Token::Text),
        (leaf.desk.money(Money(group.amount)), Token::Price),
    ]
}

fn waste(group: &WasteGroup, leaf: &Leaf<'_>) -> Vec<(String, Token)> {
    let reason = if group.reason.is_empty() { leaf.t("reports.no_reason") } else { group.reason.clone() };
    let value = match (group.source, group.menu_value) {
        (WasteSource::Order, Some(value)) => leaf.desk.money(Money(value)),
        // Stock has no price.
        _ => leaf.t("reports.stock"),
    };
    let token = if group.source == WasteSource::Order { Token::Price } else { Token::Muted };
    vec![
        (group.name.clone(), Token::Text),
        (reason, Token::Muted),
        (group.units.to_string(), Token::Text),
        (value, token),
    ]
}
