//! Payment as the order machine sees it: methods, attempts, refunds and the computed payment status.
//!
//! Rules and names only. Talking to a gateway happens in `crate::payment`, writing rows in
//! `crate::store`.

use super::ids::{AttemptId, RefundId};
use super::money::{Currency, Money};
use serde::{Deserialize, Serialize};

/// Makes an enum of words that reads and writes the same word in JSON, SQL and on the command line.
#[macro_export]
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant),+
        }
        impl $name {
            /// Every value, in the order of the specification.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word that stands in JSON, in the store and on the command line.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Reads the word back; `None` for any other.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl std::str::FromStr for $name {
            type Err = $crate::domain::error::Refused;
            fn from_str(word: &str) -> Result<Self, Self::Err> {
                Self::parse(word).ok_or_else(|| $crate::domain::error::Refused::invalid(
                    $what,
                    format!("'{word}' is not a {}; use one of {}.", $what, Self::ALL.iter().map(|v| v.as_str()).collect::<Vec<_>>().join(", ")),
                ))
            }
        }
    };
}

words!(
    /// How an order is to be paid.
    Method, "payment method" {
        /// Simulated card, recorded as `stripe-dummy`.
        Card = "card",
        /// Simulated UPI.
        Upi = "upi",
        /// Cash at the till.
        Cash = "cash",
    }
);

impl Method {
    /// Whether the money comes before the kitchen sees the order (C7).
    #[must_use]
    pub const fn is_prepaid(self) -> bool {
        !matches!(self, Self::Cash)
    }

    /// The name in the words of source 004 (`stripe-dummy` for the card).
    #[must_use]
    pub const fn provider_name(self) -> &'static str {
        match self {
            Self::Card => "stripe-dummy",
            Self::Upi => "upi",
            Self::Cash => "cash",
        }
    }
}

words!(
    /// What an attempt row was made with: a method, nothing (due 0, or stock gone), or an admin's word.
    AttemptMethod, "attempt method" {
        /// Card.
        Card = "card",
        /// UPI.
        Upi = "upi",
        /// Cash.
        Cash = "cash",
        /// No money moved (T3b, T6).
        None = "none",
        /// An admin's override (T28).
        Manual = "manual",
    }
);

impl Method {
    /// Whether money of this currency can be paid like this: UPI moves Indian rupees only.
    #[must_use]
    pub fn takes(self, currency: Currency) -> bool {
        self != Self::Upi || currency.code() == "INR"
    }
}

impl From<Method> for AttemptMethod {
    fn from(method: Method) -> Self {
        match method {
            Method::Card => Self::Card,
            Method::Upi => Self::Upi,
            Method::Cash => Self::Cash,
        }
    }
}

words!(
    /// Where an attempt stands. It is *open* while created or authorized.
    AttemptStatus, "attempt status" {
        /// Written before the gateway is called.
        Created = "created",
        /// The gateway has set the money aside but not taken it.
        Authorized = "authorized",
        /// The money is ours.
        Captured = "captured",
        /// The gateway said no.
        Failed = "failed",
        /// Given up without a charge.
        Voided = "voided",
    }
);

words!(
    /// Where a refund stands.
    RefundStatus, "refund status" {
        /// Written, not yet paid out.
        Pending = "pending",
        /// The money is back with the customer.
        Settled = "settled",
        /// The gateway refused it; somebody has to look.
        Failed = "failed",
    }
);

words!(
    /// The payment state of an order: computed from its rows, never set.
    PaymentStatus, "payment status" {
        /// Nothing captured yet.
        Pending = "pending",
        /// Captured.
        Paid = "paid",
        /// The attempt failed.
        Failed = "failed",
        /// A part of what was captured has been settled back.
        PartiallyRefunded = "partially_refunded",
        /// All that was captured has been settled back.
        Refunded = "refunded",
    }
);

/// One attempt to pay, as the guards need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its identity.
    pub id: AttemptId,
    /// What it was made with.
    pub method: AttemptMethod,
    /// Where it stands.
    pub status: AttemptStatus,
    /// The amount asked for or captured.
    pub amount: Money,
    /// The gateway has not answered; the resolver asks.
    pub unknown: bool,
    /// Given up after `attempt_give_up_seconds` without an answer.
    pub unresolved: bool,
    /// A capture that no order could take (T29); it has a refund of its own.
    pub stray: bool,
}

impl Attempt {
    /// Whether an answer may still come.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.status, AttemptStatus::Created | AttemptStatus::Authorized)
    }

    /// Whether this attempt pays its order.
    #[must_use]
    pub const fn pays(&self) -> bool {
        matches!(self.status, AttemptStatus::Captured) && !self.stray
    }
}

/// One refund, as the guards need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Its identity.
    pub id: RefundId,
    /// The attempt whose money goes back.
    pub attempt: AttemptId,
    /// How it goes back.
    pub method: AttemptMethod,
    /// How much.
    pub amount: Money,
    /// Where it stands.
    pub status: RefundStatus,
}

/// The payment status of an order, from its attempts and its settled refunds (I10).
///
/// No attempt or only voided ones: pending; a captured one: paid, then partially refunded or refunded
/// by settled refunds of it; else a failed one: failed. Stray captures never count here: their money
/// goes back by a refund of its own.
#[must_use]
pub fn payment_status(attempts: &[Attempt], refunds: &[Refund]) -> PaymentStatus {
    if let Some(paid) = attempts.iter().find(|attempt| attempt.pays()) {
        let settled: i64 = refunds
            .iter()
            .filter(|refund| refund.attempt == paid.id && refund.status == RefundStatus::Settled)
            .fold(0, |sum, refund| sum.saturating_add(refund.amount.0));
        return if settled == 0 {
            PaymentStatus::Paid
        } else if settled < paid.amount.0 {
            PaymentStatus::PartiallyRefunded
        } else {
            PaymentStatus::Refunded
        };
    }
    if attempts.iter().any(Attempt::is_open) {
        return PaymentStatus::Pending;
    }
    if attempts.iter().any(|attempt| attempt.status == AttemptStatus::Failed) {
        return PaymentStatus::Failed;
    }
    PaymentStatus::Pending
}
