//! Tax classes and the tax of one class on one order.
//!
//! Rounding: the tax is computed **once per tax class on the order**, on what is left after the
//! discount, rounded half up, and then allocated to the lines by largest remainder. Rounding each
//! line by itself would let many small lines drift from the rate (10.75 % on 24.99 is 2.69, and on
//! ten lines that sum to 24.99 too).

use crate::domain::error::Refused;
use crate::domain::ids::TaxClassId;
use crate::domain::money::{Money, PPM, Rate, Rounding};
use crate::domain::text;
use serde::{Deserialize, Serialize};

/// A class of goods that is taxed at one rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxClass {
    /// Identity.
    pub id: TaxClassId,
    /// Name ("Food", "Drinks").
    pub name: String,
    /// The rate, in parts per million.
    pub rate: Rate,
}

impl TaxClass {
    /// Checks the class by itself.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` on `tax_class.name` or `tax_class.rate` (0 to 100 %).
    pub fn validate(&self) -> Result<(), Refused> {
        let length = self.name.chars().count();
        if !(1..=100).contains(&length) || !text::is_clean(&self.name) || self.name.contains('\n') {
            return Err(Refused::invalid("tax_class.name", "The name has 1 to 100 visible characters on one line."));
        }
        if self.rate < Rate::ZERO || self.rate > Rate::WHOLE {
            return Err(Refused::invalid("tax_class.rate", "The rate lies between 0 and 100 %."));
        }
        Ok(())
    }
}

/// Whether prices contain the tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxMode {
    /// The tax is added to the prices.
    #[default]
    Exclusive,
    /// The prices contain the tax.
    Inclusive,
}

/// The tax on `base` at `rate`, rounded half up: `base × rate` when it is added, and
/// `base − base ÷ (1 + rate)` when it is contained. `None` beyond the range or for a negative rate.
#[must_use]
pub fn tax_on(base: Money, rate: Rate, mode: TaxMode) -> Option<Money> {
    if rate < Rate::ZERO {
        return None;
    }
    match mode {
        TaxMode::Exclusive => base.share(rate, Rounding::HalfUp),
        TaxMode::Inclusive => base.ratio(rate.0, PPM.checked_add(rate.0)?, Rounding::HalfUp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    #[test]
    fn exclusive_and_inclusive() {
        // invariants.md, Money: 10.75 % on 24.99; inclusive vs exclusive tax.
        assert_eq!(tax_on(Money(2499), Rate(107_500), TaxMode::Exclusive), Some(Money(269)));
        assert_eq!(tax_on(Money(11_900), Rate(190_000), TaxMode::Inclusive), Some(Money(1_900)));
        assert_eq!(tax_on(Money(10_000), Rate(190_000), TaxMode::Inclusive), Some(Money(1_597)));
        assert_eq!(tax_on(Money(0), Rate(190_000), TaxMode::Inclusive), Some(Money(0)));
        assert_eq!(tax_on(Money(1), Rate(-1), TaxMode::Exclusive), None);
        assert_eq!(tax_on(Money(i64::MAX), Rate(i64::MAX), TaxMode::Inclusive), None);
    }

    #[test]
    fn classes_are_checked() {
        let class = |name: &str, rate| TaxClass { id: TaxClassId(Uuid::from_u128(1)), name: name.to_owned(), rate };
        class("Food", Rate(70_000)).validate().expect("valid");
        class(&"x".repeat(100), Rate::ZERO).validate().expect("the longest name, no tax");
        class("Food", Rate::WHOLE).validate().expect("all of it");
        for name in ["", &"x".repeat(101), "Fo\nod", "Fo\u{200b}od"] {
            assert!(class(name, Rate(70_000)).validate().is_err(), "{name:?}");
        }
        assert!(class("Food", Rate(-1)).validate().is_err());
        assert!(class("Food", Rate(PPM + 1)).validate().is_err());
    }

    proptest! {
        #[test]
        fn contained_tax_is_never_more_than_its_price(base in 0_i64..1_000_000_000, rate in 0_i64..=PPM) {
            let tax = tax_on(Money(base), Rate(rate), TaxMode::Inclusive).expect("in range");
            prop_assert!(tax >= Money::ZERO && tax.0 <= base);
            // Adding the tax again to what is left gives the price back, within the rounding.
            let again = tax_on(Money(base - tax.0), Rate(rate), TaxMode::Exclusive).expect("in range");
            prop_assert!((again.0 - tax.0).abs() <= 1);
        }
    }
}
