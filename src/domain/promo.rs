//! Promotion codes: whether one may be used, and what it takes off.
//!
//! The counts of uses are passed in; claiming a use with the hold, and releasing it, is the store's
//! business (I16). A cart never claims one (I6).

use crate::domain::error::Refused;
use crate::domain::ids::PromotionId;
use crate::domain::money::{Money, Rate, Rounding};
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The longest code.
pub const MAX_CODE: usize = 32;

/// What a promotion takes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "value")]
pub enum PromotionKind {
    /// A part of the subtotal.
    Percent(Rate),
    /// An amount, at most the subtotal.
    Amount(Money),
}

/// A promotion code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    /// Identity.
    pub id: PromotionId,
    /// What the guest types, in capitals; unique in the site.
    pub code: String,
    /// What it takes off.
    #[serde(flatten)]
    pub kind: PromotionKind,
    /// The least subtotal; zero for none.
    pub minimum: Money,
    /// The first instant; `None` since ever.
    pub starts_at: Option<Timestamp>,
    /// The instant at which it is over; `None` for ever.
    pub ends_at: Option<Timestamp>,
    /// How many orders may use it; `None` without limit.
    pub limit: Option<i64>,
    /// How many orders of one customer may use it; `None` without limit.
    pub per_customer: Option<i64>,
    /// Whether it is switched on.
    pub active: bool,
}

/// The code as it is stored and compared: capitals, no spaces around.
#[must_use]
pub fn normalise_code(typed: &str) -> String {
    typed.trim().to_uppercase()
}

/// Checks what a guest is to type, in capitals.
///
/// # Errors
/// `VALIDATION_ERROR` of `code`.
pub fn check_code(code: &str) -> Result<(), Refused> {
    let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
    if (3..=MAX_CODE).contains(&code.len()) && code.bytes().all(allowed) {
        return Ok(());
    }
    Err(Refused::invalid("code", "3 to 32 of A-Z, 0-9 and -, such as LUNCH10."))
}

impl PromotionKind {
    /// Checks that it takes something off, and no more than everything.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` of `value`.
    pub fn check(self) -> Result<(), Refused> {
        match self {
            Self::Percent(rate) if rate <= Rate::ZERO || rate > Rate::WHOLE => {
                Err(Refused::invalid("value", "The percentage is above 0 and at most 100."))
            }
            Self::Amount(amount) if amount <= Money::ZERO => {
                Err(Refused::invalid("value", "The amount is above zero."))
            }
            Self::Percent(_) | Self::Amount(_) => Ok(()),
        }
    }
}

impl Promotion {
    /// Checks the promotion by itself.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` naming the field.
    pub fn check(&self) -> Result<(), Refused> {
        check_code(&self.code)?;
        self.kind.check()?;
        if self.minimum.is_negative() {
            return Err(Refused::invalid("minimum", "The minimum is not below zero."));
        }
        if self.starts_at.zip(self.ends_at).is_some_and(|(start, end)| start >= end) {
            return Err(Refused::invalid("ends_at", "It ends after it starts."));
        }
        if self.limit.is_some_and(|limit| limit < 1) {
            return Err(Refused::invalid("limit", "At least 1, or none."));
        }
        if self.per_customer.is_some_and(|limit| limit < 1) {
            return Err(Refused::invalid("per_customer", "At least 1, or none."));
        }
        Ok(())
    }
}

/// Whether the promotion may be used now for a subtotal. `uses` is how many orders hold it now;
/// `uses_by_customer` how many of this customer's, `None` for a guest, who cannot be told from the
/// last guest and is therefore refused a code that is limited per customer.
///
/// # Errors
/// `VALIDATION_ERROR` on `promo_code` by guard `promo_claimable`, with the reason in the details.
pub fn validate(
    promotion: &Promotion,
    now: Timestamp,
    subtotal: Money,
    uses: i64,
    uses_by_customer: Option<i64>,
) -> Result<(), Refused> {
    let refuse = |reason: &str, message: &str| {
        let refused = Refused::invalid("promo_code", message).by_guard("promo_claimable");
        Err(refused.with("reason", reason).with("code", promotion.code.as_str()))
    };
    if !promotion.active {
        return refuse("inactive", "This code is not valid.");
    }
    if promotion.starts_at.is_some_and(|start| now < start) {
        return refuse("not_started", "This code is not valid yet.");
    }
    if promotion.ends_at.is_some_and(|end| now >= end) {
        return refuse("ended", "This code is no longer valid.");
    }
    if subtotal < promotion.minimum {
        return refuse("minimum", "The order is too small for this code.")
            .map_err(|refused| refused.with("minimum", promotion.minimum.0).with("subtotal", subtotal.0));
    }
    if promotion.limit.is_some_and(|limit| uses >= limit) {
        return refuse("used_up", "This code is used up.");
    }
    match (promotion.per_customer, uses_by_customer) {
        (Some(_), None) => refuse("guest", "Sign in to use this code."),
        (Some(limit), Some(uses)) if uses >= limit => refuse("used_by_you", "You have used this code already."),
        _ => Ok(()),
    }
}

/// The reason in a refusal of [`validate`], in a word.
#[must_use]
pub fn reason(refused: &Refused) -> &str {
    refused.details.get("reason").and_then(serde_json::Value::as_str).unwrap_or("inactive")
}

/// What the promotion takes off a subtotal: a percentage is rounded half up once, on the subtotal
/// (never per unit or line), and nothing takes off more than the subtotal. `pricing` allocates it to
/// the lines by largest remainder.
#[must_use]
pub fn discount(promotion: &Promotion, subtotal: Money) -> Money {
    let wanted = match promotion.kind {
        // Out of range can only mean far above the subtotal.
        PromotionKind::Percent(rate) => subtotal.share(rate, Rounding::HalfUp).unwrap_or(subtotal),
        PromotionKind::Amount(amount) => amount,
    };
    wanted.min(subtotal).max(Money::ZERO)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    /// A promotion without conditions.
    pub fn promotion(kind: PromotionKind) -> Promotion {
        Promotion {
            id: PromotionId(Uuid::from_u128(1)),
            code: "LUNCH10".to_owned(),
            kind,
            minimum: Money::ZERO,
            starts_at: None,
            ends_at: None,
            limit: None,
            per_customer: None,
            active: true,
        }
    }

    fn percent(ppm: i64) -> Promotion {
        promotion(PromotionKind::Percent(Rate(ppm)))
    }

    fn reason(checked: Result<(), Refused>) -> String {
        let refused = checked.expect_err("refused");
        assert_eq!(refused.guard, Some("promo_claimable"));
        super::reason(&refused).to_owned()
    }

    #[test]
    fn conditions_hold_at_their_edges() {
        // invariants.md, Money: min-order edge; promo expires between quote and Place.
        let mut code = percent(100_000);
        (code.starts_at, code.ends_at) = (Some(Timestamp(10)), Some(Timestamp(20)));
        (code.minimum, code.limit) = (Money(1000), Some(3));
        let ask = |now, subtotal, uses| validate(&code, Timestamp(now), Money(subtotal), uses, None);
        ask(10, 1000, 2).expect("first instant, least subtotal, last use");
        ask(19, 1000, 0).expect("last instant");
        assert_eq!(reason(ask(9, 1000, 0)), "not_started");
        assert_eq!(reason(ask(20, 1000, 0)), "ended");
        assert_eq!(reason(ask(10, 999, 0)), "minimum");
        assert_eq!(reason(ask(10, 1000, 3)), "used_up");
        code.active = false;
        assert_eq!(reason(validate(&code, Timestamp(10), Money(1000), 0, None)), "inactive");
    }

    #[test]
    fn a_guest_cannot_use_a_code_that_is_limited_per_customer() {
        // invariants.md, Money: per-user limit with guests.
        let mut code = percent(100_000);
        code.per_customer = Some(1);
        let ask = |by_customer| validate(&code, Timestamp(0), Money(1), 0, by_customer);
        ask(Some(0)).expect("first use");
        assert_eq!(reason(ask(Some(1))), "used_by_you");
        assert_eq!(reason(ask(None)), "guest");
    }

    #[test]
    fn never_more_than_the_subtotal() {
        // invariants.md, Money: promo above subtotal; 10 % off many units (Vendure #3003).
        assert_eq!(discount(&promotion(PromotionKind::Amount(Money(5000))), Money(1200)), Money(1200));
        assert_eq!(discount(&promotion(PromotionKind::Amount(Money(500))), Money(1200)), Money(500));
        assert_eq!(discount(&percent(1_000_000), Money(1200)), Money(1200));
        assert_eq!(discount(&percent(100_000), Money(333 * 7)), Money(233));
    }

    #[test]
    fn bad_promotions_are_refused() {
        percent(100_000).check().expect("valid");
        let refuses = |change: &dyn Fn(&mut Promotion)| {
            let mut changed = percent(100_000);
            change(&mut changed);
            changed.check().expect_err("refused").details["field"].as_str().expect("a field").to_owned()
        };
        assert_eq!(refuses(&|code| code.code = "lunch".to_owned()), "code");
        assert_eq!(refuses(&|code| code.kind = PromotionKind::Percent(Rate(1_000_001))), "value");
        assert_eq!(refuses(&|code| code.kind = PromotionKind::Amount(Money(0))), "value");
        assert_eq!(refuses(&|code| code.minimum = Money(-1)), "minimum");
        assert_eq!(
            refuses(&|code| (code.starts_at, code.ends_at) = (Some(Timestamp(5)), Some(Timestamp(5)))),
            "ends_at"
        );
        assert_eq!(refuses(&|code| code.limit = Some(0)), "limit");
        assert_eq!(refuses(&|code| code.per_customer = Some(0)), "per_customer");
        assert_eq!(normalise_code(" lunch10 "), "LUNCH10");
    }

    #[test]
    fn promotions_at_their_limits_pass() {
        let passes = |change: &dyn Fn(&mut Promotion)| {
            let mut changed = percent(100_000);
            change(&mut changed);
            changed.check().is_ok()
        };
        for (code, good) in [("ABC", true), ("A-9", true), ("AB", false), ("AB_", false), ("Abc", false)] {
            assert_eq!(passes(&|promotion| promotion.code = code.to_owned()), good, "{code}");
        }
        for (length, good) in [(32, true), (33, false)] {
            assert_eq!(passes(&|promotion| promotion.code = "A".repeat(length)), good, "{length}");
        }
        for (ppm, good) in [(0, false), (-1, false), (1, true), (1_000_000, true)] {
            assert_eq!(passes(&|promotion| promotion.kind = PromotionKind::Percent(Rate(ppm))), good, "{ppm}");
        }
        for (amount, good) in [(1, true), (-1, false)] {
            assert_eq!(passes(&|promotion| promotion.kind = PromotionKind::Amount(Money(amount))), good, "{amount}");
        }
        assert!(passes(&|code| (code.limit, code.per_customer) = (Some(1), Some(1))));
        assert!(passes(&|code| (code.starts_at, code.ends_at) = (Some(Timestamp(5)), Some(Timestamp(6)))));
        assert!(!passes(&|code| (code.starts_at, code.ends_at) = (Some(Timestamp(6)), Some(Timestamp(5)))));
    }

    #[test]
    fn json_reads_back() {
        let code = percent(100_000);
        let json = serde_json::to_value(&code).expect("json");
        assert_eq!((json["kind"].as_str(), json["value"].as_i64()), (Some("percent"), Some(100_000)));
        assert_eq!(serde_json::from_value::<Promotion>(json).expect("own json"), code);
    }

    proptest! {
        #[test]
        fn a_discount_lies_between_nothing_and_the_subtotal(subtotal in 0_i64.., value in any::<i64>(), percent: bool) {
            let kind = if percent { PromotionKind::Percent(Rate(value)) } else { PromotionKind::Amount(Money(value)) };
            let off = discount(&promotion(kind), Money(subtotal));
            prop_assert!(off >= Money::ZERO && off <= Money(subtotal));
        }
    }
}
