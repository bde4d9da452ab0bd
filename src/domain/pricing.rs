//! What an order costs: lines, discount, tax, delivery fee, total, and each line's share of them.
//!
//! `total = Σ line totals − discount + tax (if exclusive) + delivery fee` (I12). Three roundings exist
//! and no more: a percentage discount once on the subtotal (`promo`), the tax once per tax class on
//! the order (`tax`), and the refund of part of a line ([`line_share`]). What was rounded once is
//! allocated to the lines by largest remainder, so that the lines' figures sum to the order's exactly.
//! Whether the promotion may be used, or the items exist, is judged before.

use crate::domain::error::Refused;
use crate::domain::ids::TaxClassId;
use crate::domain::money::{Money, out_of_range};
use crate::domain::price_trace::{PriceTrace, Step, StepKind, StepNote};
use crate::domain::promo::{self, Promotion};
use crate::domain::tax::{TaxClass, TaxMode, tax_on};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// An option of a line to be priced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteOption {
    /// Name, for the trace.
    pub name: String,
    /// What it adds to the unit price; may be negative.
    pub price_delta: Money,
}

/// A line to be priced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteLine {
    /// The cart line or order line.
    pub id: Uuid,
    /// Name, for the trace.
    pub name: String,
    /// Price of one without options.
    pub unit_price: Money,
    /// The options taken.
    pub options: Vec<QuoteOption>,
    /// How many; at least 1.
    pub quantity: i64,
    /// The tax class; `None` is untaxed.
    pub tax_class: Option<TaxClassId>,
}

/// The delivery fee to be charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryFee {
    /// Name, for the trace.
    pub name: String,
    /// The fee; not below zero.
    pub fee: Money,
    /// The tax class; `None` is untaxed.
    pub tax_class: Option<TaxClassId>,
}

/// Everything that a quote depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteInput {
    /// The lines.
    pub lines: Vec<QuoteLine>,
    /// The promotion, if one was accepted.
    pub promotion: Option<Promotion>,
    /// The tax classes of the site.
    pub tax_classes: Vec<TaxClass>,
    /// Whether prices (and the fee) contain the tax.
    pub tax_mode: TaxMode,
    /// The delivery fee, if the order is delivered.
    pub delivery: Option<DeliveryFee>,
}

/// A priced line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedLine {
    /// The cart line or order line.
    pub id: Uuid,
    /// Price of one with its options.
    pub unit_price: Money,
    /// How many.
    pub quantity: i64,
    /// `unit_price × quantity`: the line total.
    pub gross: Money,
    /// Its share of the discount; not below zero.
    pub discount_share: Money,
    /// Its share of the tax, added or contained.
    pub tax_share: Money,
    /// Its share of the total: what comes back when the whole line is voided.
    pub total_share: Money,
}

/// The tax of one class on the order, the delivery fee included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassTax {
    /// The class, as it was at the time.
    pub class: TaxClass,
    /// What is taxed, after the discount; with the tax in it when prices contain it.
    pub base: Money,
    /// The tax.
    pub tax: Money,
}

/// What an order costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// The lines, in the order of the input.
    pub lines: Vec<PricedLine>,
    /// The sum of the line totals.
    pub subtotal: Money,
    /// What the promotion takes off; not below zero.
    pub discount: Money,
    /// All tax, that on the delivery fee included.
    pub tax: Money,
    /// Whether the tax is contained in the prices or added.
    pub tax_mode: TaxMode,
    /// The tax by class.
    pub taxes: Vec<ClassTax>,
    /// The delivery fee.
    pub delivery: Money,
    /// The part of the tax that falls on the delivery fee.
    pub delivery_tax: Money,
    /// What is to be paid; not below zero.
    pub total: Money,
    /// How the total came about.
    pub trace: PriceTrace,
}

/// What a tax class is laid on: one part of the order.
struct Part {
    line: Option<usize>,
    class: Option<TaxClassId>,
    base: Money,
}

/// Prices an order. No lines cost nothing (but the delivery fee); that an order needs a line is the
/// guard of Place.
///
/// # Errors
/// `VALIDATION_ERROR` on `quantity` below 1, on `unit_price` or `delivery_charge` below zero, on an
/// unknown or wrong `tax_class`, and on an `amount` beyond the range.
pub fn quote(input: &QuoteInput) -> Result<Quote, Refused> {
    let mut trace = PriceTrace::default();
    let mut lines = Vec::with_capacity(input.lines.len());
    for line in &input.lines {
        lines.push(price_line(line, &mut trace)?);
    }
    let subtotal = Money::checked_sum(lines.iter().map(|line| line.gross)).ok_or_else(out_of_range)?;

    let discount = match &input.promotion {
        Some(promotion) => take_off(promotion, subtotal, &mut lines, &mut trace)?,
        None => Money::ZERO,
    };

    let delivery = input.delivery.as_ref().map_or(Money::ZERO, |delivery| delivery.fee);
    if delivery.is_negative() {
        return Err(Refused::invalid("delivery_charge", "The delivery fee is not below zero."));
    }
    let mut parts = Vec::with_capacity(lines.len().saturating_add(1));
    for (index, (line, asked)) in lines.iter().zip(&input.lines).enumerate() {
        let base = line.gross.checked_sub(line.discount_share).ok_or_else(out_of_range)?;
        parts.push(Part { line: Some(index), class: asked.tax_class, base });
    }
    if let Some(fee) = &input.delivery {
        parts.push(Part { line: None, class: fee.tax_class, base: delivery });
        let (label, note) = (fee.name.clone(), StepNote::Plain);
        trace.steps.push(Step { kind: StepKind::Delivery, label, amount: delivery, of: None, note });
    }
    let (taxes, delivery_tax) = lay_taxes(input, &parts, &mut lines, &mut trace)?;
    let tax = Money::checked_sum(taxes.iter().map(|class| class.tax)).ok_or_else(out_of_range)?;

    let added = |tax: Money| if input.tax_mode == TaxMode::Exclusive { tax } else { Money::ZERO };
    for line in &mut lines {
        line.total_share = line
            .gross
            .checked_sub(line.discount_share)
            .and_then(|net| net.checked_add(added(line.tax_share)))
            .ok_or_else(out_of_range)?;
    }
    let total = subtotal
        .checked_sub(discount)
        .and_then(|net| net.checked_add(added(tax)))
        .and_then(|net| net.checked_add(delivery))
        .ok_or_else(out_of_range)?;
    let tax_mode = input.tax_mode;
    Ok(Quote { lines, subtotal, discount, tax, tax_mode, taxes, delivery, delivery_tax, total, trace })
}

/// Prices one line by itself, and traces its item and each of its options.
fn price_line(line: &QuoteLine, trace: &mut PriceTrace) -> Result<PricedLine, Refused> {
    if line.quantity < 1 {
        return Err(Refused::invalid("quantity", "At least 1."));
    }
    let item = std::iter::once((StepKind::Item, &line.name, line.unit_price));
    let options = line.options.iter().map(|option| (StepKind::Option, &option.name, option.price_delta));
    let mut unit_price = Money::ZERO;
    for (kind, label, unit) in item.chain(options) {
        unit_price = unit_price.checked_add(unit).ok_or_else(out_of_range)?;
        let amount = unit.checked_mul(line.quantity).ok_or_else(out_of_range)?;
        if kind == StepKind::Item || !amount.is_zero() {
            let note = StepNote::Times { unit, quantity: line.quantity };
            trace.steps.push(Step { kind, label: label.clone(), amount, of: Some(line.id), note });
        }
    }
    if unit_price.is_negative() {
        return Err(Refused::invalid("unit_price", "With its options the price falls below zero."));
    }
    let gross = unit_price.checked_mul(line.quantity).ok_or_else(out_of_range)?;
    Ok(PricedLine {
        id: line.id,
        unit_price,
        quantity: line.quantity,
        gross,
        discount_share: Money::ZERO,
        tax_share: Money::ZERO,
        total_share: gross,
    })
}

/// Allocates the promotion's discount to the lines by their line totals; answers the discount.
fn take_off(
    promotion: &Promotion,
    subtotal: Money,
    lines: &mut [PricedLine],
    trace: &mut PriceTrace,
) -> Result<Money, Refused> {
    let discount = promo::discount(promotion, subtotal);
    let whole = discount.checked_neg().ok_or_else(out_of_range)?;
    let weights: Vec<i64> = lines.iter().map(|line| line.gross.minor()).collect();
    let shares = discount.allocate(&weights).ok_or_else(out_of_range)?;
    for (line, share) in lines.iter_mut().zip(shares) {
        line.discount_share = share;
        if !share.is_zero() {
            let amount = share.checked_neg().ok_or_else(out_of_range)?;
            let (label, note) = (promotion.code.clone(), StepNote::ShareOf { whole });
            trace.steps.push(Step { kind: StepKind::Discount, label, amount, of: Some(line.id), note });
        }
    }
    Ok(discount)
}

/// Lays each tax class on its parts of the order; answers the tax by class and the part of it that
/// falls on the delivery fee.
fn lay_taxes(
    input: &QuoteInput,
    parts: &[Part],
    lines: &mut [PricedLine],
    trace: &mut PriceTrace,
) -> Result<(Vec<ClassTax>, Money), Refused> {
    let mut by_class: BTreeMap<TaxClassId, Vec<&Part>> = BTreeMap::new();
    for part in parts {
        if let Some(class) = part.class {
            by_class.entry(class).or_default().push(part);
        }
    }
    let mut taxes = Vec::with_capacity(by_class.len());
    let mut delivery_tax = Money::ZERO;
    for (id, parts) in by_class {
        let class = input
            .tax_classes
            .iter()
            .find(|class| class.id == id)
            .ok_or_else(|| Refused::invalid("tax_class", "There is no such tax class."))?;
        let base = Money::checked_sum(parts.iter().map(|part| part.base)).ok_or_else(out_of_range)?;
        let whole = tax_on(base, class.rate, input.tax_mode)
            .ok_or_else(|| Refused::invalid("tax_class", "The rate lies between 0 and 100 %."))?;
        let weights: Vec<i64> = parts.iter().map(|part| part.base.minor()).collect();
        let shares = whole.allocate(&weights).ok_or_else(out_of_range)?;
        for (part, tax) in parts.into_iter().zip(shares) {
            let line = part.line.and_then(|index| lines.get_mut(index));
            let of = line.as_ref().map(|line| line.id);
            match line {
                Some(line) => line.tax_share = tax,
                None => delivery_tax = tax,
            }
            if !tax.is_zero() {
                let (kind, amount) = match input.tax_mode {
                    TaxMode::Exclusive => (StepKind::Tax, tax),
                    TaxMode::Inclusive => (StepKind::TaxContained, Money::ZERO),
                };
                let note = StepNote::TaxShare { tax, rate: class.rate, base, whole };
                trace.steps.push(Step { kind, label: class.name.clone(), amount, of, note });
            }
        }
        taxes.push(ClassTax { class: class.clone(), base, tax: whole });
    }
    Ok((taxes, delivery_tax))
}

/// What comes back when `quantity_now` of a line's `quantity_total` units are voided, after
/// `already_voided` of them: the line's `share` of the total, counted cumulatively and rounded down,
/// so that no refund is above its proportion and all units, voided in whatever steps, give back
/// exactly `share`. Works for the discount and tax shares alike.
///
/// # Errors
/// `VALIDATION_ERROR` on `quantity` when nothing, or more than is left, is voided, and on `amount`
/// for a share below zero.
pub fn line_share(quantity_total: i64, already_voided: i64, quantity_now: i64, share: Money) -> Result<Money, Refused> {
    let left = quantity_total.checked_sub(already_voided).filter(|left| already_voided >= 0 && *left >= 0);
    if quantity_now < 1 || left.is_none_or(|left| quantity_now > left) {
        let refused = Refused::invalid("quantity", "At least 1, and not more than is left of the line.");
        return Err(refused.with("left", left.unwrap_or(0)).with("requested", quantity_now));
    }
    if share.is_negative() {
        return Err(Refused::invalid("amount", "The share of a line is not below zero."));
    }
    let until = |units: i64| {
        let part = i128::from(share.minor()).checked_mul(i128::from(units))?.checked_div(i128::from(quantity_total))?;
        i64::try_from(part).ok().map(Money)
    };
    let after = already_voided.checked_add(quantity_now).and_then(until);
    after.zip(until(already_voided)).and_then(|(after, before)| after.checked_sub(before)).ok_or_else(out_of_range)
}

#[cfg(test)]
mod tests;
