//! `servery report`: the reports of any range of business days, as words, JSON or CSV. What they count
//! stands in `domain::report`.

use super::app::Role;
use super::desk::{Counter, Desk};
use super::output::{Done, Failure, shown, table};
use super::shape;
use crate::domain::error::Refused;
use crate::domain::money::{Currency, Money};
use crate::domain::report::{day_text, parse_day};
use crate::service::report_csv;
use crate::service::report_views::{
    HoursView, ItemsView, RefundsView, SalesFigures, SalesView, SpeedFigures, SpeedView, StatisticsView, WasteSource,
};
use crate::service::reports::{
    BusinessToday, HoursReport, ItemsReport, RefundsAndWaste, SalesReport, SpeedReport, Statistics,
};
use chrono::NaiveDate;
use clap::{Args, Subcommand};
use serde::Serialize;

/// What can be reported.
#[derive(Debug, Subcommand)]
pub enum Report {
    /// Daily sales: gross, discounts, tax, delivery fees, refunds, net; by method and fulfilment
    Sales(Range),
    /// Item performance: units sold, revenue, voids
    Items(Range),
    /// Order volume by hour and weekday
    Hours(Range),
    /// Speed of service: median and 90th percentile from received to ready, against what was promised
    Speed(Range),
    /// Refunds and waste, with their reasons
    Refunds(Range),
    /// Orders by state, average order, best items
    Statistics(Range),
}

/// Which days, and how they are printed.
#[derive(Debug, Clone, Args)]
pub struct Range {
    /// The first business day, YYYY-MM-DD; the last one when none is given
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// The last business day, YYYY-MM-DD; today when none is given
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// Print CSV
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

impl Range {
    async fn days(&self, counter: &Counter<'_>) -> Result<(NaiveDate, NaiveDate), Refused> {
        let day = |field: &str, text: &Option<String>| text.as_deref().map(|text| parse_day(field, text)).transpose();
        let (from, to) = (day("from", &self.from)?, day("to", &self.to)?);
        let to = match to {
            Some(to) => to,
            None => counter.ask(BusinessToday).await?.day,
        };
        Ok((from.unwrap_or(to), to))
    }
}

/// A report as CSV.
type AsCsv<V> = fn(&V, Currency) -> Result<String, Refused>;
/// A report in words.
type InWords<V> = fn(&V, Currency) -> String;

/// Runs the command.
///
/// # Errors
/// What the queries refuse.
pub async fn run(command: Report, desk: &Desk) -> Done {
    let counter = desk.counter(Role::Command).await?;
    match command {
        Report::Sales(range) => {
            let (from, to) = range.days(&counter).await?;
            let view = counter.ask(SalesReport { from, to }).await?;
            print(&counter, &range, from, &view, report_csv::sales, sales).await
        }
        Report::Items(range) => {
            let (from, to) = range.days(&counter).await?;
            let view = counter.ask(ItemsReport { from, to }).await?;
            print(&counter, &range, from, &view, report_csv::items, items).await
        }
        Report::Hours(range) => {
            let (from, to) = range.days(&counter).await?;
            let view = counter.ask(HoursReport { from, to }).await?;
            print(&counter, &range, from, &view, report_csv::hours, hours).await
        }
        Report::Speed(range) => {
            let (from, to) = range.days(&counter).await?;
            let view = counter.ask(SpeedReport { from, to }).await?;
            print(&counter, &range, from, &view, report_csv::speed, speed).await
        }
        Report::Refunds(range) => {
            let (from, to) = range.days(&counter).await?;
            let view = counter.ask(RefundsAndWaste { from, to }).await?;
            print(&counter, &range, from, &view, report_csv::refunds, refunds).await
        }
        Report::Statistics(range) => {
            let (from, to) = range.days(&counter).await?;
            let view = counter.ask(Statistics { from, to }).await?;
            print(&counter, &range, from, &view, report_csv::statistics, statistics).await
        }
    }
}

async fn print<V: Serialize>(
    counter: &Counter<'_>,
    range: &Range,
    from: NaiveDate,
    view: &V,
    as_csv: AsCsv<V>,
    in_words: InWords<V>,
) -> Result<(), Failure> {
    let currency = counter.house.site.currency;
    if range.csv {
        return counter.output().raw(&as_csv(view, currency)?);
    }
    let mut value = shape::own(view, currency)?;
    let note = counter.archived_note(Some(from), &mut value).await?;
    counter.output().answer(&value, || in_words(view, currency) + &note)
}

fn show(minor: i64, currency: Currency) -> String {
    Money(minor).display(currency)
}

fn sales_row(name: &str, figures: &SalesFigures, currency: Currency) -> Vec<String> {
    let amounts = [
        figures.gross,
        figures.discounts,
        figures.tax,
        figures.delivery_fees,
        figures.voids,
        figures.collected,
        figures.refunded,
        figures.net,
    ];
    let mut row = vec![name.to_owned(), figures.orders.to_string()];
    row.extend(amounts.map(|amount| show(amount, currency)));
    row
}

fn sales(view: &SalesView, currency: Currency) -> String {
    let head = ["", "ORDERS>", "GROSS>", "DISCOUNTS>", "TAX>", "DELIVERY>", "VOIDS>", "COLLECTED>", "REFUNDS>", "NET>"];
    let mut rows: Vec<Vec<String>> =
        view.days.iter().map(|day| sales_row(&day_text(day.day), &day.figures, currency)).collect();
    rows.extend(view.by_method.iter().map(|row| sales_row(row.method.as_str(), &row.figures, currency)));
    rows.extend(view.by_fulfilment.iter().map(|row| sales_row(row.fulfilment.as_str(), &row.figures, currency)));
    rows.push(sales_row("whole", &view.whole, currency));
    let mut out = table(&head, &rows);
    for (name, part) in [
        ("Captured for no order", view.stray_captured),
        ("Sent back of it", view.stray_refunded),
        ("Refunds on their way", view.pending_refunds),
    ] {
        if part.count > 0 {
            out.push_str(&format!("{name}: {} ({})\n", show(part.amount, currency), part.count));
        }
    }
    out
}

fn items(view: &ItemsView, currency: Currency) -> String {
    let rows: Vec<Vec<String>> = view
        .items
        .iter()
        .map(|item| {
            vec![
                item.code.clone(),
                item.name.clone(),
                item.orders.to_string(),
                item.quantity.to_string(),
                item.voided.to_string(),
                item.wasted.to_string(),
                show(item.gross, currency),
                show(item.revenue, currency),
            ]
        })
        .collect();
    let mut out = table(&["CODE", "NAME", "ORDERS>", "SOLD>", "VOIDED>", "WASTED>", "GROSS>", "REVENUE>"], &rows);
    out.push_str(&format!("{} units, {}\n", view.quantity, show(view.revenue, currency)));
    out
}

fn hours(view: &HoursView, currency: Currency) -> String {
    let head = ["HOUR>", "PLACED>", "RECEIVED>", "GROSS>", "MO>", "TU>", "WE>", "TH>", "FR>", "SA>", "SU>"];
    let first = usize::from(view.first_hour);
    // The business day's own order: from its first hour round to the one before.
    let rows: Vec<Vec<String>> = view
        .hours
        .iter()
        .cycle()
        .skip(first)
        .take(view.hours.len())
        .filter(|hour| hour.placed > 0)
        .map(|hour| {
            let mut row = vec![
                format!("{:02}", hour.hour),
                hour.placed.to_string(),
                hour.received.to_string(),
                show(hour.gross, currency),
            ];
            row.extend(
                view.weekdays
                    .iter()
                    .map(|weekday| weekday.received.get(usize::from(hour.hour)).copied().unwrap_or(0).to_string()),
            );
            row
        })
        .collect();
    table(&head, &rows)
}

fn minutes(seconds: Option<u32>) -> String {
    seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{}:{:02}", seconds / 60, seconds % 60))
}

fn speed_row(station: &str, hour: &str, figures: &SpeedFigures) -> Vec<String> {
    vec![
        station.to_owned(),
        hour.to_owned(),
        figures.orders.to_string(),
        minutes(figures.median_seconds),
        minutes(figures.p90_seconds),
        minutes(figures.promised_median_seconds),
        format!("{} of {}", figures.late, figures.promised),
    ]
}

fn speed(view: &SpeedView, _: Currency) -> String {
    let mut rows = vec![speed_row("all", "", &view.whole)];
    rows.extend(view.hours.iter().map(|hour| speed_row("all", &format!("{:02}", hour.hour), &hour.figures)));
    for station in &view.stations {
        rows.push(speed_row(&station.name, "", &station.figures));
        rows.extend(
            station.hours.iter().map(|hour| speed_row(&station.name, &format!("{:02}", hour.hour), &hour.figures)),
        );
    }
    table(&["STATION", "HOUR>", "ORDERS>", "MEDIAN>", "90 %>", "PROMISED>", "LATE>"], &rows)
}

fn refunds(view: &RefundsView, currency: Currency) -> String {
    let mut out = format!(
        "Refunds settled: {} ({}), failed: {} ({}), on their way: {} ({})\n",
        show(view.settled.amount, currency),
        view.settled.count,
        show(view.failed.amount, currency),
        view.failed.count,
        show(view.pending.amount, currency),
        view.pending.count
    );
    if !view.refunds.is_empty() {
        let rows: Vec<Vec<String>> = view
            .refunds
            .iter()
            .map(|row| {
                let stray = if row.stray { "stray " } else { "" };
                vec![
                    format!("{stray}{}", row.status),
                    row.method.clone(),
                    row.transition.clone(),
                    row.reason.clone(),
                    row.count.to_string(),
                    show(row.amount, currency),
                ]
            })
            .collect();
        out.push_str(&table(&["STATUS", "METHOD", "STEP", "REASON", "COUNT>", "AMOUNT>"], &rows));
    }
    out.push_str(&format!("Food thrown away: {} units, {}\n", view.wasted_units, show(view.wasted_value, currency)));
    if !view.waste.is_empty() {
        let rows: Vec<Vec<String>> = view
            .waste
            .iter()
            .map(|row| {
                let source = match row.source {
                    WasteSource::Order => "order",
                    WasteSource::Stock => "stock",
                };
                vec![
                    source.to_owned(),
                    row.name.clone(),
                    row.reason.clone(),
                    row.units.to_string(),
                    row.menu_value.map_or_else(|| "-".to_owned(), |value| show(value, currency)),
                ]
            })
            .collect();
        out.push_str(&table(&["FROM", "WHAT", "REASON", "UNITS>", "AT PRICE>"], &rows));
    }
    out
}

fn statistics(view: &StatisticsView, currency: Currency) -> String {
    let mut out = format!("Orders: {}\n", view.orders);
    for row in &view.by_word {
        out.push_str(&format!("  {}: {}\n", row.word, row.orders));
    }
    out.push_str(&format!(
        "Paid: {}, collected {}, refunded {}, net {}\n",
        view.sales.orders,
        show(view.sales.collected, currency),
        show(view.sales.refunded, currency),
        show(view.sales.net, currency)
    ));
    let average = view.average_order.map_or_else(|| "-".to_owned(), |amount| show(amount, currency));
    out.push_str(&format!("Average order: {average}; units sold: {}\n", view.units));
    if let Some(hour) = view.busiest_hour {
        out.push_str(&format!("Busiest hour: {hour:02}:00\n"));
    }
    for item in &view.best_items {
        let name = shown(&item.name);
        out.push_str(&format!("  {name}: {} sold, {}\n", item.quantity, show(item.revenue, currency)));
    }
    out
}
