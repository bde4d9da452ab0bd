//! A price trace in words: why a cart or an order costs what it costs, step by step. Kiosk and console
//! show the same.

use crate::domain::money::Currency;
use crate::domain::price_trace::{PriceTrace, Step, StepKind, StepNote};
use crate::tui::locale::Locale;
use crate::tui::text;

/// The steps of a price, each with its amount, and their sum.
#[must_use]
pub fn rows(trace: &PriceTrace, currency: Currency, locale: &Locale) -> Vec<(String, String)> {
    let mut rows: Vec<(String, String)> =
        trace.steps.iter().map(|step| (words(step, currency, locale), step.amount.display(currency))).collect();
    if let Some(total) = trace.sum() {
        rows.push((locale.t("kiosk.total"), total.display(currency)));
    }
    rows
}

fn words(step: &Step, currency: Currency, locale: &Locale) -> String {
    let label = &step.label;
    match (&step.note, step.kind) {
        (StepNote::Times { unit, quantity }, _) => {
            let unit = unit.display(currency);
            locale.t_args("kiosk.trace_times", &[("name", label), ("quantity", quantity), ("price", &unit)])
        }
        (StepNote::ShareOf { .. }, StepKind::Discount) => locale.t_args("kiosk.trace_discount", &[("name", label)]),
        (StepNote::TaxShare { tax, rate, .. }, StepKind::TaxContained) => {
            let (name, tax) = (with_rate(label, &rate.to_string()), tax.display(currency));
            locale.t_args("kiosk.trace_tax_contained", &[("name", &name), ("tax", &tax)])
        }
        (StepNote::TaxShare { rate, .. }, _) => {
            locale.t_args("kiosk.trace_tax", &[("name", &with_rate(label, &rate.to_string()))])
        }
        (_, StepKind::Delivery) => locale.t("kiosk.delivery"),
        _ => text::clean(label),
    }
}

/// A tax class with its rate, unless its name says it already ("Food 5 %").
fn with_rate(name: &str, rate: &str) -> String {
    if name.contains(rate) { name.to_owned() } else { format!("{name} {rate}") }
}
