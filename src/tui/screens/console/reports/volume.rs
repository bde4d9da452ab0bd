//! How much was ordered: item by item, hour by hour on every weekday, and how fast it was made against
//! what was promised. Drawing only.

use super::super::leaf::Leaf;
use super::WEEKDAYS;
use crate::domain::money::Money;
use crate::service::report_views::{
    HourSpeed, HourVolume, HoursView, ItemPerformance, ItemsView, SpeedFigures, SpeedView,
};
use crate::tui::theme::Token;
use crate::tui::widgets::bars::{self, Bar};
use crate::tui::widgets::columns::Column;
use crate::tui::widgets::heat_map::{self, Cell};

/// The narrowest leaf that stands beside another.
pub(super) const LEAST: u16 = 52;
/// From this width on, items have every column.
const WIDE: u16 = 100;
/// From this width on, items have a bar.
const WITH_BAR: u16 = 70;
/// Columns of a bar in a table.
const BAR: u16 = 12;

/// One row for each item, those with the most first.
pub(super) fn items<'a>(view: &ItemsView, by_quantity: bool, mut leaf: Leaf<'a>) -> Leaf<'a> {
    let mut items: Vec<&ItemPerformance> = view.items.iter().collect();
    if by_quantity {
        items.sort_by(|one, other| (other.quantity, other.revenue).cmp(&(one.quantity, one.revenue)));
    }
    let value = |item: &ItemPerformance| if by_quantity { item.quantity } else { item.revenue };
    let most = items.iter().map(|item| value(item)).max().unwrap_or(0);
    let (wide, with_bar) = (leaf.width >= WIDE, leaf.width >= WITH_BAR);
    let order = leaf.t(if by_quantity { "reports.sorted_quantity" } else { "reports.sorted_revenue" });
    let total = leaf.desk.money(Money(view.revenue));
    let args: [(&str, &dyn std::fmt::Display); 3] = [("units", &view.quantity), ("revenue", &total), ("order", &order)];
    leaf.note(&leaf.ctx.locale.t_args("reports.items_whole", &args), Token::Title);
    let mut heads = vec![(Column::Fill, leaf.t("reports.item"))];
    if wide {
        heads.push((Column::Left(16), leaf.t("reports.category")));
        heads.push((Column::Right(6), leaf.t("reports.orders")));
        heads.push((Column::Right(6), leaf.t("reports.voided")));
        heads.push((Column::Right(6), leaf.t("reports.wasted")));
    }
    heads.push((Column::Right(6), leaf.t("reports.sold")));
    if with_bar {
        heads.push((Column::Left(BAR), String::new()));
    }
    heads.push((Column::Right(14), leaf.t("reports.revenue")));
    leaf.table(&heads, &[]);
    leaf.pin();
    let rows: Vec<Vec<(String, Token)>> = items
        .into_iter()
        .map(|item| {
            let mut row = vec![(item.name.clone(), Token::Text)];
            if wide {
                row.push((item.category.clone(), Token::Muted));
                row.push((item.orders.to_string(), Token::Text));
                row.push((unless_zero(item.voided), Token::Warning));
                row.push((unless_zero(item.wasted), Token::Warning));
            }
            row.push((item.quantity.to_string(), Token::Text));
            if with_bar {
                row.push((bars::bar(value(item), most, usize::from(BAR)), Token::Accent));
            }
            row.push((leaf.desk.money(Money(item.revenue)), Token::Price));
            row
        })
        .collect();
    leaf.rows(&heads, &rows);
    leaf
}

fn unless_zero(count: i64) -> String {
    if count == 0 { String::new() } else { count.to_string() }
}

/// The hours from the day's first on, from the first to the last with an order.
fn open_hours(view: &HoursView) -> Vec<&HourVolume> {
    let first = usize::from(view.first_hour);
    let hours: Vec<&HourVolume> = view.hours.iter().cycle().skip(first).take(view.hours.len()).collect();
    let busy = |hour: &&HourVolume| hour.placed > 0 || hour.received > 0;
    let begin = hours.iter().position(busy).unwrap_or(0);
    let end = hours.iter().rposition(busy).map_or(0, |last| last.saturating_add(1));
    hours.get(begin..end).unwrap_or_default().to_vec()
}

/// A mean of so many days, with one decimal where it is small and no whole number.
fn mean(sum: i64, days: i64) -> String {
    if sum == 0 || days == 0 {
        return String::new();
    }
    let tenths = sum.saturating_mul(10).saturating_add(days / 2) / days;
    match (tenths / 10, tenths % 10) {
        (0, 0) => "<0.1".to_owned(),
        (whole, 0) if sum % days == 0 => whole.to_string(),
        (whole, tenth) if whole < 100 => format!("{whole}.{tenth}"),
        (whole, tenth) => whole.saturating_add(i64::from(tenth >= 5)).to_string(),
    }
}

/// The heat map of hours by weekday at the left, the hours at the right.
pub(super) fn hours<'a>(view: &HoursView, (mut left, mut right): (Leaf<'a>, Leaf<'a>)) -> (Leaf<'a>, Leaf<'a>) {
    let hours = open_hours(view);
    left.section(left.t("reports.heat_map"));
    let heads: Vec<String> = WEEKDAYS.iter().map(|key| left.t(key)).collect();
    let cell = |hour: u8| {
        move |weekday: &crate::service::report_views::WeekdayVolume| {
            let sum = weekday.received.get(usize::from(hour)).copied().unwrap_or(0);
            // Hundredths of the mean: a weekday that the range has twice is no darker for that.
            let value = sum.saturating_mul(100).checked_div(weekday.days).unwrap_or(0);
            Cell { value, figure: mean(sum, weekday.days) }
        }
    };
    let rows: Vec<(String, Vec<Cell>)> = hours
        .iter()
        .map(|hour| (format!("{:02}", hour.hour), view.weekdays.iter().map(cell(hour.hour)).collect()))
        .collect();
    left.put(heat_map::lines(&heads, &rows, left.width, left.ctx));
    left.note(&left.t("reports.heat_map_help"), Token::Muted);
    right.section(right.t("reports.by_hour"));
    let bars: Vec<Bar> = hours
        .iter()
        .map(|hour| {
            let gross = right.desk.money(Money(hour.gross));
            let args: [(&str, &dyn std::fmt::Display); 1] = [("gross", &gross)];
            Bar {
                name: format!("{:02}:00", hour.hour),
                value: hour.placed,
                figure: right.ctx.locale.t_plural("reports.hour_figure", hour.placed, &args),
            }
        })
        .collect();
    right.bars(&bars);
    (left, right)
}

fn minutes(seconds: Option<u32>) -> String {
    seconds.map_or_else(|| "–".to_owned(), |seconds| format!("{}:{:02}", seconds / 60, seconds % 60))
}

fn seconds(value: Option<u32>) -> i64 {
    i64::from(value.unwrap_or(0))
}

/// Everything together at the left, station by station at the right.
pub(super) fn speed<'a>(view: &SpeedView, (mut left, mut right): (Leaf<'a>, Leaf<'a>)) -> (Leaf<'a>, Leaf<'a>) {
    // One scale for all, so that stations can be compared.
    let all = view.hours.iter().chain(view.stations.iter().flat_map(|station| &station.hours));
    let most = all.map(|hour| seconds(hour.figures.p90_seconds)).max().unwrap_or(0);
    speeds(left.t("reports.all_orders"), &view.whole, &in_order(&view.hours, view.first_hour), most, &mut left);
    for station in &view.stations {
        speeds(station.name.clone(), &station.figures, &in_order(&station.hours, view.first_hour), most, &mut right);
    }
    if view.stations.is_empty() {
        right.note(&right.t("reports.no_stations"), Token::Muted);
    }
    (left, right)
}

/// The hours as a business day runs.
fn in_order(hours: &[HourSpeed], first: u8) -> Vec<&HourSpeed> {
    let (before, from): (Vec<&HourSpeed>, Vec<&HourSpeed>) = hours.iter().partition(|hour| hour.hour < first);
    from.into_iter().chain(before).collect()
}

fn speeds(title: String, whole: &SpeedFigures, hours: &[&HourSpeed], most: i64, leaf: &mut Leaf<'_>) {
    leaf.section(title);
    let (median, p90) = (minutes(whole.median_seconds), minutes(whole.p90_seconds));
    let args: [(&str, &dyn std::fmt::Display); 2] = [("median", &median), ("p90", &p90)];
    leaf.note(&leaf.ctx.locale.t_plural("reports.speed_whole", whole.orders, &args), Token::Text);
    if whole.promised > 0 {
        let (median, p90) = (minutes(whole.promised_median_seconds), minutes(whole.promised_p90_seconds));
        let args: [(&str, &dyn std::fmt::Display); 4] =
            [("median", &median), ("p90", &p90), ("late", &whole.late), ("promised", &whole.promised)];
        let token = if whole.late > 0 { Token::Warning } else { Token::Success };
        leaf.note(&leaf.ctx.locale.t_args("reports.speed_promised", &args), token);
    }
    let bar = leaf.width.saturating_sub(41);
    let heads = [
        (Column::Left(5), leaf.t("reports.hour")),
        (Column::Right(6), leaf.t("reports.orders")),
        (Column::Right(6), leaf.t("reports.median")),
        (Column::Right(6), leaf.t("reports.p90")),
        (Column::Right(8), leaf.t("reports.promised")),
        (Column::Right(4), leaf.t("reports.late")),
        (Column::Fill, String::new()),
    ];
    let rows: Vec<Vec<(String, Token)>> = hours
        .iter()
        .map(|hour| {
            let figures = &hour.figures;
            let (inner, outer) = (seconds(figures.median_seconds), seconds(figures.p90_seconds));
            vec![
                (format!("{:02}:00", hour.hour), Token::Muted),
                (figures.orders.to_string(), Token::Text),
                (minutes(figures.median_seconds), Token::Text),
                (minutes(figures.p90_seconds), Token::Text),
                (minutes(figures.promised_median_seconds), Token::Muted),
                (unless_zero(figures.late), Token::Warning),
                (bars::nested(inner, outer, most, usize::from(bar)), Token::Accent),
            ]
        })
        .collect();
    leaf.table(&heads, &rows);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_short_and_right() {
        assert_eq!(mean(0, 3), "");
        assert_eq!(mean(6, 3), "2");
        assert_eq!(mean(7, 3), "2.3");
        assert_eq!(mean(1, 52), "<0.1");
        assert_eq!(mean(299, 2), "150");
        assert_eq!(mean(5, 0), "");
    }
}
