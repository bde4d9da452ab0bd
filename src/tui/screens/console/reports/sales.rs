//! The sales of the days, from gross to net, by day, method and type; and the statistics, which tell the
//! same days in orders. Drawing only.

use super::super::leaf::Leaf;
use super::day_name;
use crate::domain::money::Money;
use crate::domain::report::day_text;
use crate::service::report_views::{CountAmount, SalesDay, SalesFigures, SalesView, StatisticsView};
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::vocabulary;
use crate::tui::widgets::bars::Bar;
use crate::tui::widgets::columns::Column;
use crate::tui::widgets::sparkline;
use chrono::{Datelike, Days, NaiveDate};

/// The narrowest leaf that stands beside another.
pub(super) const LEAST: u16 = 35;
/// The most days that have a bar each.
const MOST_DAYS: usize = 31;
/// The most days whose weeks have a bar each; of more, the months have.
const MOST_DAYS_OF_WEEKS: usize = 190;
/// Rows of the course over all days.
const COURSE: u16 = 3;

/// Figures and groups at the left, the days at the right.
pub(super) fn write<'a>(view: &SalesView, (mut left, mut right): (Leaf<'a>, Leaf<'a>)) -> (Leaf<'a>, Leaf<'a>) {
    whole(view, &mut left);
    let locale = right.ctx.locale;
    let methods = view.by_method.iter().map(|row| (vocabulary::attempt_method(row.method, locale), row.figures));
    groups("reports.by_method", methods.collect(), &mut left);
    let types = view.by_fulfilment.iter().map(|row| (vocabulary::fulfilment(row.fulfilment, locale), row.figures));
    groups("reports.by_type", types.collect(), &mut left);
    days(&view.days, &mut right);
    (left, right)
}

/// How gross becomes net.
fn whole(view: &SalesView, leaf: &mut Leaf<'_>) {
    let figures = &view.whole;
    leaf.section(leaf.ctx.locale.t_plural("reports.paid_orders", figures.orders, &[]));
    let steps = [
        ("reports.gross", figures.gross, true),
        ("reports.discounts", -figures.discounts, false),
        ("reports.tax_added", figures.tax_added, false),
        ("reports.delivery_fees", figures.delivery_fees, false),
        ("reports.voids", -figures.voids, false),
        ("reports.collected", figures.collected, true),
        ("reports.refunded", -figures.refunded, false),
    ];
    for (key, amount, always) in steps {
        if always || amount != 0 {
            let token = if amount < 0 { Token::Danger } else { Token::Price };
            leaf.pair(&leaf.t(key), &leaf.desk.money(Money(amount)), token);
        }
    }
    leaf.pair(&leaf.t("reports.net"), &leaf.desk.money(Money(figures.net)), Token::Title);
    leaf.pair(&leaf.t("reports.tax"), &leaf.desk.money(Money(figures.tax)), Token::Muted);
    for (key, part) in [
        ("reports.stray_captured", view.stray_captured),
        ("reports.stray_refunded", view.stray_refunded),
        ("reports.pending_refunds", view.pending_refunds),
    ] {
        counted(key, part, leaf);
    }
}

/// How many and how much, where there are any.
pub(super) fn counted(key: &str, part: CountAmount, leaf: &mut Leaf<'_>) {
    if part.count > 0 {
        let words = leaf.ctx.locale.t_args(key, &[("count", &part.count)]);
        leaf.pair(&words, &leaf.desk.money(Money(part.amount)), Token::Warning);
    }
}

fn groups(title: &str, rows: Vec<(String, SalesFigures)>, leaf: &mut Leaf<'_>) {
    if rows.is_empty() {
        return;
    }
    leaf.section(leaf.t(title));
    let money = |amount: i64| leaf.desk.money(Money(amount));
    let widest = |of: &dyn Fn(&SalesFigures) -> i64| {
        let wide = rows.iter().map(|(_, figures)| text::display_width(&money(of(figures)))).max().unwrap_or(0);
        Column::Right(u16::try_from(wide.max(9)).unwrap_or(u16::MAX))
    };
    let heads = [
        (Column::Fill, String::new()),
        (Column::Right(6), leaf.t("reports.orders")),
        (widest(&|figures| figures.collected), leaf.t("reports.collected_short")),
        (widest(&|figures| figures.net), leaf.t("reports.net")),
    ];
    let rows: Vec<Vec<(String, Token)>> = rows
        .iter()
        .map(|(name, figures)| {
            vec![
                (name.clone(), Token::Text),
                (figures.orders.to_string(), Token::Text),
                (money(figures.collected), Token::Text),
                (money(figures.net), Token::Price),
            ]
        })
        .collect();
    leaf.table(&heads, &rows);
}

/// The first day of the group to which a day belongs.
fn group_of(day: NaiveDate, count: usize) -> NaiveDate {
    if count <= MOST_DAYS {
        day
    } else if count <= MOST_DAYS_OF_WEEKS {
        let monday = Days::new(u64::from(day.weekday().num_days_from_monday()));
        day.checked_sub_days(monday).unwrap_or(day)
    } else {
        day.with_day(1).unwrap_or(day)
    }
}

/// The net of each day, of each week or of each month, so that the bars stay few.
fn days(days: &[SalesDay], leaf: &mut Leaf<'_>) {
    let count = days.len();
    let (title, months) = match count {
        _ if count <= MOST_DAYS => ("reports.net_by_day", false),
        _ if count <= MOST_DAYS_OF_WEEKS => ("reports.net_by_week", false),
        _ => ("reports.net_by_month", true),
    };
    leaf.section(leaf.t(title));
    if count > MOST_DAYS {
        let nets: Vec<i64> = days.iter().map(|day| day.figures.net).collect();
        leaf.put(sparkline::lines(&nets, (leaf.width, COURSE), leaf.ctx));
        leaf.blank();
    }
    let mut sums: Vec<(NaiveDate, i64)> = Vec::new();
    for day in days {
        let group = group_of(day.day, count);
        match sums.last_mut() {
            Some((last, sum)) if *last == group => *sum = sum.saturating_add(day.figures.net),
            _ => sums.push((group, day.figures.net)),
        }
    }
    let bars: Vec<Bar> = sums
        .into_iter()
        .map(|(day, net)| Bar {
            name: if months { day.format("%Y-%m").to_string() } else { day_name(day, leaf) },
            value: net,
            figure: leaf.desk.money(Money(net)),
        })
        .collect();
    leaf.bars(&bars);
    let best = days.iter().max_by_key(|day| day.figures.net).filter(|day| day.figures.net > 0 && count > 1);
    if let Some(best) = best {
        let amount = leaf.desk.money(Money(best.figures.net));
        let words = leaf.ctx.locale.t_args("reports.best_day", &[("day", &day_text(best.day)), ("amount", &amount)]);
        leaf.note(&words, Token::Muted);
    }
}

/// The words of the orders' five stages, in the service's own.
fn stage(word: &str) -> Option<&'static str> {
    Some(match word {
        "pending" => "reports.stage_pending",
        "processing" => "reports.stage_processing",
        "shipped" => "reports.stage_shipped",
        "delivered" => "reports.stage_delivered",
        "cancelled" => "reports.stage_cancelled",
        _ => return None,
    })
}

/// Figures and the best items at the left, where the orders stand at the right.
pub(super) fn statistics<'a>(
    view: &StatisticsView,
    (mut left, mut right): (Leaf<'a>, Leaf<'a>),
) -> (Leaf<'a>, Leaf<'a>) {
    left.section(left.ctx.locale.t_plural("reports.placed_orders", view.orders, &[]));
    left.pair(&left.t("reports.paid"), &view.sales.orders.to_string(), Token::Price);
    left.pair(&left.t("reports.net"), &left.desk.money(Money(view.sales.net)), Token::Price);
    if let Some(average) = view.average_order {
        left.pair(&left.t("reports.average_order"), &left.desk.money(Money(average)), Token::Price);
    }
    left.pair(&left.t("reports.units"), &view.units.to_string(), Token::Price);
    if let Some(hour) = view.busiest_hour {
        left.pair(&left.t("reports.busiest_hour"), &format!("{hour:02}:00"), Token::Price);
    }
    if !view.best_items.is_empty() {
        left.section(left.t("reports.best_items"));
        let bars: Vec<Bar> = view
            .best_items
            .iter()
            .map(|item| Bar {
                name: item.name.clone(),
                value: item.revenue,
                figure: left.desk.money(Money(item.revenue)),
            })
            .collect();
        left.bars(&bars);
    }
    right.section(right.t("reports.by_stage"));
    let stages: Vec<Bar> = view
        .by_word
        .iter()
        .map(|count| Bar {
            name: stage(&count.word).map_or_else(|| count.word.clone(), |key| right.t(key)),
            value: count.orders,
            figure: count.orders.to_string(),
        })
        .collect();
    right.bars(&stages);
    right.section(right.t("reports.by_status"));
    for count in &view.by_status {
        let status = vocabulary::status(count.status, right.ctx.locale);
        let words = match count.reason {
            Some(reason) => format!("{status}: {}", vocabulary::end_reason(reason, right.ctx.locale)),
            None => status,
        };
        right.pair(&words, &count.orders.to_string(), Token::Price);
    }
    (left, right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_days_are_told_by_week_and_more_by_month() {
        let day: NaiveDate = "2026-11-21".parse().expect("a Saturday");
        assert_eq!(group_of(day, MOST_DAYS), day);
        assert_eq!(group_of(day, MOST_DAYS + 1).to_string(), "2026-11-16");
        assert_eq!(group_of(day, MOST_DAYS_OF_WEEKS + 1).to_string(), "2026-11-01");
    }

    #[test]
    fn every_stage_of_an_order_has_a_name() {
        for word in ["pending", "processing", "shipped", "delivered", "cancelled"] {
            assert!(stage(word).is_some(), "{word}");
        }
    }
}
