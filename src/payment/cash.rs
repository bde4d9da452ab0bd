//! Cash: the change to give, and the amounts that a customer is likely to hand over. The till itself is
//! the service's.

use crate::domain::error::Refused;
use crate::domain::money::{Currency, Money};

/// How many amounts are suggested at most.
const MOST: usize = 5;

/// Notes in common use, in whole units of the currency.
const NOTES: &[(&str, &[i64])] = &[
    ("EUR", &[5, 10, 20, 50, 100]),
    ("USD", &[1, 5, 10, 20, 50, 100]),
    ("GBP", &[5, 10, 20, 50]),
    ("CHF", &[10, 20, 50, 100, 200]),
    ("INR", &[10, 20, 50, 100, 200, 500]),
    ("JPY", &[1_000, 5_000, 10_000]),
    ("KRW", &[1_000, 5_000, 10_000, 50_000]),
    ("CAD", &[5, 10, 20, 50, 100]),
    ("AUD", &[5, 10, 20, 50, 100]),
];

/// Notes of any other currency: the usual steps.
const OTHER: &[i64] = &[1, 5, 10, 20, 50, 100];

/// What goes back to a customer who hands over `tendered` for `due`, in minor units.
///
/// # Errors
/// `VALIDATION_ERROR` on `tendered` when it is less than `due`, with what is missing in `missing`; on
/// `due` when that is negative.
pub fn change(due: Money, tendered: Money) -> Result<Money, Refused> {
    if due.is_negative() {
        return Err(Refused::invalid("due", "The amount due cannot be negative."));
    }
    let back = tendered.checked_sub(due).ok_or_else(crate::domain::money::out_of_range)?;
    if back.is_negative() {
        return Err(Refused::invalid("tendered", "That is less than the amount due.")
            .by_guard("tendered_covers_due")
            .with("missing", back.0.saturating_neg())
            .help("Take the rest, or leave the order unpaid."));
    }
    Ok(back)
}

/// What a customer is likely to hand over, rising: the exact amount, then the least that single notes
/// and multiples of a note come to.
#[must_use]
pub fn likely_tenders(due: Money, currency: Currency) -> Vec<Money> {
    if due.0 <= 0 {
        return Vec::new();
    }
    let unit = 10_i64.checked_pow(u32::from(currency.exponent())).unwrap_or(1);
    let notes = NOTES.iter().find(|(code, _)| *code == currency.code()).map_or(OTHER, |(_, notes)| *notes);
    let mut tenders: Vec<Money> = notes
        .iter()
        .filter_map(|note| {
            let note = note.checked_mul(unit)?;
            let pieces = due.0.checked_add(note - 1)? / note;
            pieces.checked_mul(note).map(Money)
        })
        .collect();
    tenders.push(due);
    tenders.sort_unstable();
    tenders.dedup();
    tenders.truncate(MOST);
    tenders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn change_is_what_was_given_too_much() {
        assert_eq!(change(Money(1250), Money(2000)), Ok(Money(750)));
        assert_eq!(change(Money(1250), Money(1250)), Ok(Money::ZERO));
        assert_eq!(change(Money::ZERO, Money::ZERO), Ok(Money::ZERO));
        let refused = change(Money(1250), Money(1249)).expect_err("too little");
        assert_eq!(refused.details["missing"], 1);
        assert!(change(Money(-1), Money(5)).is_err());
        assert!(change(Money(5), Money(i64::MIN)).is_err());
    }

    #[test]
    fn likely_tenders_rise_from_the_exact_amount() {
        let likely = |due, code: &str| {
            let currency = Currency::parse(code).expect("a currency");
            likely_tenders(Money(due), currency).into_iter().map(|tender| tender.0).collect::<Vec<_>>()
        };
        assert_eq!(likely(1250, "EUR"), [1250, 1500, 2000, 5000, 10_000]);
        assert_eq!(likely(2000, "EUR"), [2000, 5000, 10_000]);
        assert_eq!(likely(1320, "JPY"), [1320, 2000, 5000, 10_000]);
        assert_eq!(likely(12_345, "BHD"), [12_345, 13_000, 15_000, 20_000, 50_000]);
        assert_eq!(likely(0, "EUR"), [0_i64; 0]);
        assert_eq!(likely(i64::MAX, "EUR"), [i64::MAX]);
    }

    #[test]
    fn every_likely_tender_covers_what_is_due() {
        for due in (1..30_000).step_by(37) {
            for tender in likely_tenders(Money(due), Currency::EUR) {
                assert!(change(Money(due), tender).is_ok());
            }
        }
    }
}
