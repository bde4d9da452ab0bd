//! The reports as CSV, one table each, for spreadsheets. Amounts are decimals of the site's currency,
//! durations whole seconds; a cell of stored text that a spreadsheet would take for a formula has a `'`
//! before it. Nothing is counted here.

use super::menu_csv::guarded;
use super::report_views::{
    HoursView, ItemsView, RefundsView, SalesFigures, SalesView, SpeedFigures, SpeedView, StatisticsView, WasteSource,
};
use crate::domain::error::Refused;
use crate::domain::money::{Currency, Money};
use crate::domain::report::day_text;
use crate::domain::text;

/// The longest cell of stored text, in characters.
const MAX_CELL: usize = 500;
/// The weekdays, as columns.
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// A table that grows row by row.
struct Sheet {
    writer: csv::Writer<Vec<u8>>,
    currency: Currency,
}

impl Sheet {
    fn new(currency: Currency, head: &[&str]) -> Result<Self, Refused> {
        let mut sheet = Self { writer: csv::Writer::from_writer(Vec::new()), currency };
        sheet.row(head.iter().map(|cell| (*cell).to_owned()).collect())?;
        Ok(sheet)
    }

    fn row(&mut self, cells: Vec<String>) -> Result<(), Refused> {
        self.writer.write_record(cells).map_err(Refused::internal)
    }

    fn amount(&self, minor: i64) -> String {
        Money(minor).plain(self.currency)
    }

    fn finish(self) -> Result<String, Refused> {
        let bytes = self.writer.into_inner().map_err(Refused::internal)?;
        String::from_utf8(bytes).map_err(Refused::internal)
    }

    fn sales(&mut self, group: &str, name: &str, figures: &SalesFigures) -> Result<(), Refused> {
        let mut cells = vec![group.to_owned(), name.to_owned(), figures.orders.to_string()];
        for amount in [
            figures.gross,
            figures.discounts,
            figures.tax,
            figures.tax_added,
            figures.delivery_fees,
            figures.voids,
            figures.collected,
            figures.refunded,
            figures.net,
        ] {
            cells.push(self.amount(amount));
        }
        self.row(cells)
    }

    fn speed(&mut self, station: &str, hour: String, figures: &SpeedFigures) -> Result<(), Refused> {
        let seconds = |value: Option<u32>| value.map_or_else(String::new, |value| value.to_string());
        self.row(vec![
            stored(station),
            hour,
            figures.orders.to_string(),
            seconds(figures.median_seconds),
            seconds(figures.p90_seconds),
            figures.promised.to_string(),
            seconds(figures.promised_median_seconds),
            seconds(figures.promised_p90_seconds),
            figures.late.to_string(),
        ])
    }
}

/// A cell of stored text.
fn stored(cell: &str) -> String {
    guarded(text::clean(cell, MAX_CELL, false))
}

/// Sales: a row for each day, then for each method and fulfilment, then for everything.
///
/// # Errors
/// `INTERNAL_ERROR` where a table cannot be written.
pub fn sales(view: &SalesView, currency: Currency) -> Result<String, Refused> {
    let head = [
        "group",
        "name",
        "orders",
        "gross",
        "discounts",
        "tax",
        "tax_added",
        "delivery_fees",
        "voids",
        "collected",
        "refunded",
        "net",
    ];
    let mut sheet = Sheet::new(currency, &head)?;
    for day in &view.days {
        sheet.sales("day", &day_text(day.day), &day.figures)?;
    }
    for row in &view.by_method {
        sheet.sales("method", row.method.as_str(), &row.figures)?;
    }
    for row in &view.by_fulfilment {
        sheet.sales("fulfilment", row.fulfilment.as_str(), &row.figures)?;
    }
    sheet.sales("whole", "", &view.whole)?;
    sheet.finish()
}

/// Items: a row for each.
///
/// # Errors
/// As [`sales`].
pub fn items(view: &ItemsView, currency: Currency) -> Result<String, Refused> {
    let head = [
        "code",
        "name",
        "category",
        "orders",
        "quantity",
        "voided",
        "restocked",
        "wasted",
        "gross",
        "discounts",
        "tax",
        "revenue",
    ];
    let mut sheet = Sheet::new(currency, &head)?;
    for item in &view.items {
        let cells = vec![
            stored(&item.code),
            stored(&item.name),
            stored(&item.category),
            item.orders.to_string(),
            item.quantity.to_string(),
            item.voided.to_string(),
            item.restocked.to_string(),
            item.wasted.to_string(),
            sheet.amount(item.gross),
            sheet.amount(item.discounts),
            sheet.amount(item.tax),
            sheet.amount(item.revenue),
        ];
        sheet.row(cells)?;
    }
    sheet.finish()
}

/// Volume: a row for each hour, with the weekdays as columns.
///
/// # Errors
/// As [`sales`].
pub fn hours(view: &HoursView, currency: Currency) -> Result<String, Refused> {
    let head: Vec<&str> = ["hour", "placed", "received", "gross"].into_iter().chain(WEEKDAYS).collect();
    let mut sheet = Sheet::new(currency, &head)?;
    for hour in &view.hours {
        let gross = sheet.amount(hour.gross);
        let mut cells = vec![hour.hour.to_string(), hour.placed.to_string(), hour.received.to_string(), gross];
        for weekday in &view.weekdays {
            cells.push(weekday.received.get(usize::from(hour.hour)).copied().unwrap_or(0).to_string());
        }
        sheet.row(cells)?;
    }
    sheet.finish()
}

/// Speed: rows for the order as a whole (no station), then station by station; without an hour: all hours.
///
/// # Errors
/// As [`sales`].
pub fn speed(view: &SpeedView, currency: Currency) -> Result<String, Refused> {
    let head = [
        "station",
        "hour",
        "orders",
        "median_seconds",
        "p90_seconds",
        "promised",
        "promised_median_seconds",
        "promised_p90_seconds",
        "late",
    ];
    let mut sheet = Sheet::new(currency, &head)?;
    sheet.speed("", String::new(), &view.whole)?;
    for hour in &view.hours {
        sheet.speed("", hour.hour.to_string(), &hour.figures)?;
    }
    for station in &view.stations {
        sheet.speed(&station.name, String::new(), &station.figures)?;
        for hour in &station.hours {
            sheet.speed(&station.name, hour.hour.to_string(), &hour.figures)?;
        }
    }
    sheet.finish()
}

/// Refunds and waste: a row for each group.
///
/// # Errors
/// As [`sales`].
pub fn refunds(view: &RefundsView, currency: Currency) -> Result<String, Refused> {
    let head = ["group", "status", "transition", "method", "code", "name", "reason", "count", "amount"];
    let mut sheet = Sheet::new(currency, &head)?;
    for row in &view.refunds {
        let cells = vec![
            if row.stray { "stray refund" } else { "refund" }.to_owned(),
            row.status.as_str().to_owned(),
            row.transition.clone(),
            row.method.clone(),
            String::new(),
            String::new(),
            stored(&row.reason),
            row.count.to_string(),
            sheet.amount(row.amount),
        ];
        sheet.row(cells)?;
    }
    for row in &view.waste {
        let cells = vec![
            match row.source {
                WasteSource::Order => "order waste",
                WasteSource::Stock => "stock waste",
            }
            .to_owned(),
            String::new(),
            String::new(),
            String::new(),
            stored(&row.code),
            stored(&row.name),
            stored(&row.reason),
            row.units.to_string(),
            row.menu_value.map_or_else(String::new, |value| sheet.amount(value)),
        ];
        sheet.row(cells)?;
    }
    sheet.finish()
}

/// Statistics: a row for each figure.
///
/// # Errors
/// As [`sales`].
pub fn statistics(view: &StatisticsView, currency: Currency) -> Result<String, Refused> {
    let mut sheet = Sheet::new(currency, &["group", "name", "value"])?;
    let mut rows: Vec<(&str, String, String)> = vec![("orders", String::new(), view.orders.to_string())];
    rows.extend(view.by_word.iter().map(|row| ("orders", row.word.clone(), row.orders.to_string())));
    for row in &view.by_status {
        let name = row.reason.map_or_else(|| row.status.to_string(), |reason| format!("{}/{reason}", row.status));
        rows.push(("status", name, row.orders.to_string()));
    }
    let sales = &view.sales;
    rows.push(("sales", "orders".to_owned(), sales.orders.to_string()));
    for (name, amount) in [
        ("gross", sales.gross),
        ("discounts", sales.discounts),
        ("tax", sales.tax),
        ("delivery_fees", sales.delivery_fees),
        ("collected", sales.collected),
        ("refunded", sales.refunded),
        ("net", sales.net),
    ] {
        rows.push(("sales", name.to_owned(), sheet.amount(amount)));
    }
    let average = view.average_order.map_or_else(String::new, |amount| sheet.amount(amount));
    rows.push(("sales", "average_order".to_owned(), average));
    rows.push(("units", String::new(), view.units.to_string()));
    rows.push(("busiest_hour", String::new(), view.busiest_hour.map_or_else(String::new, |hour| hour.to_string())));
    rows.extend(view.best_items.iter().map(|item| ("item", stored(&item.name), sheet.amount(item.revenue))));
    for (group, name, value) in rows {
        sheet.row(vec![group.to_owned(), name, value])?;
    }
    sheet.finish()
}
