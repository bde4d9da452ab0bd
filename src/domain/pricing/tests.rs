//! Tests of the pricing: the money cases of invariants.md, and that every figure sums.

use super::*;
use crate::domain::money::{Currency, PPM, Rate};
use crate::domain::promo::PromotionKind;
use crate::domain::promo::tests::promotion;
use proptest::prelude::*;

fn class(number: u128, ppm: i64) -> TaxClass {
    TaxClass { id: TaxClassId(Uuid::from_u128(number)), name: format!("Class {number}"), rate: Rate(ppm) }
}

fn line(number: u128, price: i64, quantity: i64, tax: Option<u128>) -> QuoteLine {
    QuoteLine {
        id: Uuid::from_u128(number),
        name: format!("Item {number}"),
        unit_price: Money(price),
        options: vec![],
        quantity,
        tax_class: tax.map(|number| TaxClassId(Uuid::from_u128(number))),
    }
}

fn input(lines: Vec<QuoteLine>) -> QuoteInput {
    QuoteInput {
        lines,
        promotion: None,
        tax_classes: vec![class(1, 107_500), class(2, 190_000)],
        tax_mode: TaxMode::Exclusive,
        delivery: None,
    }
}

fn delivery(fee: i64, tax: Option<u128>) -> Option<DeliveryFee> {
    let tax_class = tax.map(|number| TaxClassId(Uuid::from_u128(number)));
    Some(DeliveryFee { name: "Delivery".to_owned(), fee: Money(fee), tax_class })
}

fn amount(minor: i64) -> Option<Promotion> {
    Some(promotion(PromotionKind::Amount(Money(minor))))
}

fn percent(ppm: i64) -> Option<Promotion> {
    Some(promotion(PromotionKind::Percent(Rate(ppm))))
}

/// Everything that must sum in any quote (I12).
fn check(quote: &Quote) {
    let sum = |figure: fn(&PricedLine) -> Money| quote.lines.iter().map(|line| figure(line).0).sum::<i64>();
    let added = if quote.tax_mode == TaxMode::Exclusive { quote.tax.0 } else { 0 };
    let added_to_delivery = if quote.tax_mode == TaxMode::Exclusive { quote.delivery_tax.0 } else { 0 };
    assert_eq!(sum(|line| line.gross), quote.subtotal.0);
    assert_eq!(sum(|line| line.discount_share), quote.discount.0);
    assert_eq!(sum(|line| line.tax_share) + quote.delivery_tax.0, quote.tax.0);
    assert_eq!(sum(|line| line.total_share) + quote.delivery.0 + added_to_delivery, quote.total.0);
    assert_eq!(quote.subtotal.0 - quote.discount.0 + added + quote.delivery.0, quote.total.0);
    assert_eq!(quote.taxes.iter().map(|class| class.tax.0).sum::<i64>(), quote.tax.0);
    assert_eq!(quote.trace.sum(), Some(quote.total));
    assert_eq!(quote.trace.sum_of(None), Some(Money(quote.delivery.0 + added_to_delivery)));
    for line in &quote.lines {
        assert_eq!(quote.trace.sum_of(Some(line.id)), Some(line.total_share));
        assert!(line.total_share >= Money::ZERO && line.discount_share >= Money::ZERO);
        assert!(line.discount_share <= line.gross && line.tax_share >= Money::ZERO);
    }
    assert!(quote.total >= Money::ZERO);
}

/// Each share lies less than one minor unit from its exact proportion.
fn check_proportions(input: &QuoteInput, quote: &Quote) {
    let near = |share: Money, whole: Money, part: i64, of: Money| {
        let error = i128::from(share.0) * i128::from(of.0) - i128::from(whole.0) * i128::from(part);
        assert!(error.abs() < i128::from(of.0).max(1), "{share:?} of {whole:?}, {part} in {of:?}");
    };
    for (line, asked) in quote.lines.iter().zip(&input.lines) {
        near(line.discount_share, quote.discount, line.gross.0, quote.subtotal);
        match quote.taxes.iter().find(|tax| Some(tax.class.id) == asked.tax_class) {
            Some(class) => near(line.tax_share, class.tax, line.gross.0 - line.discount_share.0, class.base),
            None => assert_eq!(line.tax_share, Money::ZERO),
        }
    }
}

fn priced(input: &QuoteInput) -> Quote {
    let quote = quote(input).expect("a price");
    check(&quote);
    check_proportions(input, &quote);
    quote
}

#[test]
fn tax_is_rounded_once_per_class() {
    // invariants.md, Money: 10.75 % on 24.99 (Medusa #14817: must be 2.69).
    assert_eq!(priced(&input(vec![line(1, 2499, 1, Some(1))])).tax, Money(269));
    // The same sum in three lines has the same tax; rounded by line it would be 90 + 90 + 90.
    let thirds = priced(&input(vec![line(1, 833, 1, Some(1)), line(2, 833, 1, Some(1)), line(3, 833, 1, Some(1))]));
    assert_eq!(thirds.tax, Money(269));
    assert_eq!(thirds.lines.iter().map(|line| line.tax_share.0).collect::<Vec<_>>(), [90, 90, 89]);
}

#[test]
fn contained_tax_leaves_the_total_alone() {
    // invariants.md, Money: inclusive vs exclusive tax.
    let mut order = input(vec![line(1, 11_900, 1, Some(2)), line(2, 500, 2, None)]);
    assert_eq!(priced(&order).total, Money(12_900 + 2_261));
    order.tax_mode = TaxMode::Inclusive;
    let quote = priced(&order);
    assert_eq!((quote.total, quote.tax), (Money(12_900), Money(1_900)));
    let rendered = quote.trace.render(Currency::EUR);
    assert!(
        rendered.iter().any(|row| row.contains("contains €19.00, share of €19.00 (19 % in €119.00)")),
        "{rendered:?}"
    );
}

#[test]
fn a_percentage_is_taken_once_off_many_units() {
    // invariants.md, Money: 10 % off many units (Vendure #3003). 10 % of 13.86 is 1.39; by unit it would be 1.40.
    let mut order = input(vec![line(1, 99, 14, None)]);
    order.promotion = percent(100_000);
    let quote = priced(&order);
    assert_eq!((quote.discount, quote.total), (Money(139), Money(1247)));
}

#[test]
fn a_discount_is_shared_to_the_last_cent() {
    // invariants.md, Money: 3 for 10.00.
    let mut order = input(vec![line(1, 500, 1, None), line(2, 500, 1, None), line(3, 500, 1, None)]);
    order.promotion = amount(500);
    let quote = priced(&order);
    assert_eq!(quote.lines.iter().map(|line| line.total_share.0).collect::<Vec<_>>(), [333, 333, 334]);
    assert_eq!(quote.total, Money(1000));
}

#[test]
fn a_promotion_above_the_subtotal_leaves_the_fee() {
    // invariants.md, Money: promo above subtotal; promo plus fee.
    let mut order = input(vec![line(1, 1200, 1, Some(1))]);
    order.promotion = amount(5000);
    order.delivery = delivery(2000, None);
    let quote = priced(&order);
    assert_eq!((quote.discount, quote.tax, quote.total), (Money(1200), Money::ZERO, Money(2000)));
    order.delivery = delivery(2000, Some(2));
    assert_eq!(priced(&order).total, Money(2380));
}

#[test]
fn a_total_of_zero_is_a_price() {
    // invariants.md, Payment: zero total; 100 % promo (Saleor #14128).
    let mut order = input(vec![line(1, 1200, 3, Some(1)), line(2, 333, 1, Some(2))]);
    order.promotion = percent(PPM);
    assert_eq!(priced(&order).total, Money::ZERO);
    assert_eq!(priced(&input(vec![])).total, Money::ZERO);
}

#[test]
fn options_count_per_unit() {
    let mut dish = line(1, 1000, 3, None);
    let option = |name: &str, delta| QuoteOption { name: name.to_owned(), price_delta: Money(delta) };
    dish.options = vec![option("Large", 150), option("No cheese", -50), option("Hot", 0)];
    let quote = priced(&input(vec![dish.clone()]));
    assert_eq!((quote.lines[0].unit_price, quote.total), (Money(1100), Money(3300)));
    assert_eq!(quote.trace.steps.len(), 3);
    dish.options = vec![option("Free", -1001)];
    assert!(super::quote(&input(vec![dish])).is_err());
}

#[test]
fn senseless_orders_are_refused() {
    let field =
        |input: QuoteInput| quote(&input).expect_err("refused").details["field"].as_str().expect("a field").to_owned();
    assert_eq!(field(input(vec![line(1, 100, 0, None)])), "quantity");
    assert_eq!(field(input(vec![line(1, -1, 1, None)])), "unit_price");
    assert_eq!(field(input(vec![line(1, 100, 1, Some(9))])), "tax_class");
    assert_eq!(field(input(vec![line(1, i64::MAX, 2, None)])), "amount");
    assert_eq!(field(input(vec![line(1, i64::MAX, 1, None), line(2, 1, 1, None)])), "amount");
    assert_eq!(field(input(vec![line(1, i64::MAX, 1, Some(1))])), "amount");
    let mut order = input(vec![line(1, 100, 1, None)]);
    order.delivery = delivery(-1, None);
    assert_eq!(field(order), "delivery_charge");
}

#[test]
fn voiding_unit_by_unit_gives_back_the_share() {
    // invariants.md, Money: item refund under order discount (Solidus #512); Payment: refund larger
    // by rounding.
    let mut order = input(vec![line(1, 1000, 3, Some(1)), line(2, 777, 1, Some(2))]);
    order.promotion = amount(500);
    let share = priced(&order).lines[0].total_share;
    let parts: Vec<i64> = (0..3).map(|voided| line_share(3, voided, 1, share).expect("left").0).collect();
    assert_eq!(parts.iter().sum::<i64>(), share.0);
    assert!(parts[0] * 3 <= share.0);
    assert_eq!(line_share(3, 0, 3, share).expect("all"), share);
}

#[test]
fn nothing_is_voided_twice() {
    for (total, voided, now) in
        [(3, 0, 0), (3, 0, 4), (3, 3, 1), (3, 2, 2), (3, -1, 1), (0, 0, 1), (3, 4, -1), (i64::MIN, 1, 1)]
    {
        assert!(line_share(total, voided, now, Money(100)).is_err(), "{total} {voided} {now}");
    }
    assert!(line_share(3, 0, 1, Money(-1)).is_err());
    assert_eq!(line_share(i64::MAX, 0, i64::MAX, Money(i64::MAX)).expect("in range"), Money(i64::MAX));
}

prop_compose! {
    fn any_line()(price in 0_i64..5_000, deltas in prop::collection::vec(0_i64..300, 0..3), quantity in 1_i64..20, tax in 0_u128..3)
        -> (i64, Vec<i64>, i64, Option<u128>) {
        (price, deltas, quantity, (tax > 0).then_some(tax))
    }
}

proptest! {
    #[test]
    fn everything_sums(
        lines in prop::collection::vec(any_line(), 0..8), rates in (0_i64..=PPM, 0_i64..=PPM), inclusive: bool,
        value in 0_i64..20_000, kind in 0..3, fee in prop::option::of(0_i64..3_000), fee_tax in 0_u128..3,
    ) {
        let lines = lines.into_iter().enumerate().map(|(index, (price, deltas, quantity, tax))| {
            let mut built = line(u128::try_from(index).expect("small"), price, quantity, tax);
            built.options =
                deltas.into_iter().map(|delta| QuoteOption { name: "x".to_owned(), price_delta: Money(delta) }).collect();
            built
        });
        let mut order = input(lines.collect());
        order.tax_classes = vec![class(1, rates.0), class(2, rates.1)];
        order.tax_mode = if inclusive { TaxMode::Inclusive } else { TaxMode::Exclusive };
        order.promotion = match kind { 0 => None, 1 => amount(value), _ => percent(value * 50) };
        order.delivery = fee.and_then(|fee| delivery(fee, (fee_tax > 0).then_some(fee_tax)));
        let quote = priced(&order);
        let json = serde_json::to_string(&quote).expect("json");
        prop_assert_eq!(serde_json::from_str::<Quote>(&json).expect("own json"), quote);
    }

    #[test]
    fn any_figures_are_priced_or_refused(price in any::<i64>(), quantity in any::<i64>(), rate in any::<i64>(), fee in any::<i64>(), inclusive: bool) {
        let mut order = input(vec![line(1, price, quantity, Some(1))]);
        order.tax_classes = vec![class(1, rate)];
        order.tax_mode = if inclusive { TaxMode::Inclusive } else { TaxMode::Exclusive };
        order.delivery = delivery(fee, Some(1));
        if let Ok(quote) = quote(&order) {
            prop_assert!(quote.total >= Money::ZERO);
            prop_assert_eq!(quote.trace.sum(), Some(quote.total));
        }
    }

    #[test]
    fn voids_in_any_steps_give_back_exactly_the_share(total in 1_i64..50, share in 0_i64..100_000, steps in prop::collection::vec(1_i64..10, 1..50)) {
        let (mut voided, mut back) = (0, 0);
        for step in steps {
            let now = step.min(total - voided);
            if now == 0 { break }
            let part = line_share(total, voided, now, Money(share)).expect("left").0;
            prop_assert!(part >= 0);
            (voided, back) = (voided + now, back + part);
            prop_assert!(i128::from(back) * i128::from(total) <= i128::from(share) * i128::from(voided));
        }
        if voided == total { prop_assert_eq!(back, share) }
    }
}
