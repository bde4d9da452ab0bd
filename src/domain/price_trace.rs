//! The price trace: ordered steps that explain every minor unit of an order's total.
//!
//! The amounts of the steps sum to the total exactly. `pricing` writes the trace while it computes;
//! this file holds its shape and its plain rendering for the command line and logs (screens compose
//! their own words from the kinds and notes).

use crate::domain::money::{Currency, Money, Rate};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a step is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// The price of a line's item.
    Item,
    /// What one option adds to a line.
    Option,
    /// What the promotion takes off a line.
    Discount,
    /// Tax added to a line or to the delivery fee.
    Tax,
    /// Tax that the price contains already; its amount is zero.
    TaxContained,
    /// The delivery fee.
    Delivery,
}

/// How a step's amount came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "note")]
pub enum StepNote {
    /// It stands for itself.
    Plain,
    /// So many times a unit price.
    Times {
        /// Price of one.
        unit: Money,
        /// How many.
        quantity: i64,
    },
    /// A share of an amount that was rounded once on the order.
    ShareOf {
        /// The whole amount.
        whole: Money,
    },
    /// A share of the tax of one class, which was rounded once on the order.
    TaxShare {
        /// The share; equal to the step's amount unless the price contains it.
        tax: Money,
        /// The rate of the class.
        rate: Rate,
        /// What the whole order has in this class, after the discount.
        base: Money,
        /// The tax on all of it.
        whole: Money,
    },
}

/// One step of a price trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What it is about.
    pub kind: StepKind,
    /// The name on the menu, the promotion's code, or the tax class.
    pub label: String,
    /// What it adds to the total; negative for a discount.
    pub amount: Money,
    /// The line that it belongs to; `None` for the delivery fee.
    pub of: Option<Uuid>,
    /// How it came about.
    #[serde(flatten)]
    pub note: StepNote,
}

/// All steps of a total, in the order in which they were computed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PriceTrace {
    /// The steps.
    pub steps: Vec<Step>,
}

impl PriceTrace {
    /// The sum of all steps: the total. `None` beyond the range.
    #[must_use]
    pub fn sum(&self) -> Option<Money> {
        Money::checked_sum(self.steps.iter().map(|step| step.amount))
    }

    /// The sum of the steps of one line, or of the delivery fee for `None`: its share of the total.
    /// `None` beyond the range.
    #[must_use]
    pub fn sum_of(&self, line: Option<Uuid>) -> Option<Money> {
        Money::checked_sum(self.steps.iter().filter(|step| step.of == line).map(|step| step.amount))
    }

    /// One text line per step, amounts right-aligned, and the total under them.
    #[must_use]
    pub fn render(&self, currency: Currency) -> Vec<String> {
        let show = |money: Money| money.display(currency);
        let mut rows: Vec<(String, String)> = self
            .steps
            .iter()
            .map(|step| {
                let how = match &step.note {
                    StepNote::Plain => String::new(),
                    StepNote::Times { unit, quantity } => format!(": {quantity} × {}", show(*unit)),
                    StepNote::ShareOf { whole } => format!(": share of {}", show(*whole)),
                    StepNote::TaxShare { tax, rate, base, whole } if step.kind == StepKind::TaxContained => {
                        let (tax, base, whole) = (show(*tax), show(*base), show(*whole));
                        format!(": contains {tax}, share of {whole} ({rate} in {base})")
                    }
                    StepNote::TaxShare { rate, base, whole, .. } => {
                        format!(": share of {} ({rate} on {})", show(*whole), show(*base))
                    }
                };
                (show(step.amount), format!("{}{how}", step.label))
            })
            .collect();
        if let Some(total) = self.sum() {
            rows.push((show(total), "=".to_owned()));
        }
        let width = rows.iter().map(|(amount, _)| amount.chars().count()).max().unwrap_or(0);
        rows.into_iter().map(|(amount, words)| format!("{amount:>width$}  {words}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_reads_as_a_sum() {
        let line = Some(Uuid::from_u128(1));
        let step = |kind, label: &str, amount, of, note| Step {
            kind,
            label: label.to_owned(),
            amount: Money(amount),
            of,
            note,
        };
        let tax =
            |tax| StepNote::TaxShare { tax: Money(tax), rate: Rate(70_000), base: Money(2248), whole: Money(157) };
        let trace = PriceTrace {
            steps: vec![
                step(StepKind::Item, "Dosa", 2498, line, StepNote::Times { unit: Money(1249), quantity: 2 }),
                step(StepKind::Discount, "LUNCH10", -250, line, StepNote::ShareOf { whole: Money(-250) }),
                step(StepKind::Tax, "Food", 157, line, tax(157)),
                step(StepKind::Delivery, "", 2000, None, StepNote::Plain),
            ],
        };
        assert_eq!(
            trace.render(Currency::EUR),
            [
                "€24.98  Dosa: 2 × €12.49",
                "-€2.50  LUNCH10: share of -€2.50",
                " €1.57  Food: share of €1.57 (7 % on €22.48)",
                "€20.00  ",
                "€44.05  =",
            ]
        );
        assert_eq!(trace.sum_of(line), Some(Money(2405)));
        assert_eq!(trace.sum_of(None), Some(Money(2000)));
        let json = serde_json::to_string(&trace).expect("json");
        assert_eq!(serde_json::from_str::<PriceTrace>(&json).expect("own json"), trace);
    }

    #[test]
    fn a_sum_out_of_range_is_none() {
        let step = Step {
            kind: StepKind::Item,
            label: String::new(),
            amount: Money(i64::MAX),
            of: None,
            note: StepNote::Plain,
        };
        let trace = PriceTrace { steps: vec![step.clone(), step] };
        assert_eq!(trace.sum(), None);
        assert_eq!(trace.render(Currency::EUR).len(), 2);
    }
}
