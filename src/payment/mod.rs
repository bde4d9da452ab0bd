//! Payment: the one trait by which the house talks to a gateway, and what it asks and is answered.
//!
//! The gateways of this folder are simulated ([`card`], [`upi`]); a real provider implements
//! [`Gateway`] beside them. No rule about orders lives here (that is `domain::order`) and no SQL: what
//! a simulated provider remembers is kept by a [`memory::ProviderMemory`] that the caller brings.
//!
//! A gateway is only ever called outside of a transaction, after the attempt was written and committed.

pub mod card;
pub mod cash;
pub mod instrument;
pub mod memory;
pub mod qr;
pub mod script;
pub mod simulated;
pub mod upi;
pub mod webhook;

pub use instrument::{CardDetails, Instrument};

use crate::domain::error::{ErrorCode, Refused};
use crate::domain::money::{Currency, Money};
use crate::domain::payment::Method;
use futures::future::BoxFuture;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A provider of payments.
///
/// Every call carries a key made by the house, and a gateway answers the same key with the same answer:
/// so any call may be repeated after a lost answer, a crash or a restart, and nothing happens twice.
pub trait Gateway: Send + Sync {
    /// Its name in attempts, in the log and in Health (`stripe-dummy`).
    fn name(&self) -> &'static str;

    /// The method that it serves.
    fn method(&self) -> Method;

    /// Charges, or for methods that the customer finishes elsewhere, begins to.
    ///
    /// # Errors
    /// [`GatewayError`]. After one that [`leaves the outcome open`](GatewayError::leaves_outcome_open),
    /// and after [`ChargeAnswer::NoAnswer`], only [`Gateway::query`] or [`Gateway::void`] tell what happened.
    fn create(&self, request: ChargeRequest) -> BoxFuture<'_, Result<ChargeAnswer, GatewayError>>;

    /// What became of the charge with this key.
    ///
    /// # Errors
    /// [`GatewayError`]; nothing was changed.
    fn query<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<ChargeState, GatewayError>>;

    /// Ends the charge with this key, so that it can never capture any more, even when its request is
    /// still on the way.
    ///
    /// # Errors
    /// [`GatewayError`]; ask again.
    fn void<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<VoidAnswer, GatewayError>>;

    /// Gives money of a captured charge back.
    ///
    /// # Errors
    /// [`GatewayError`]; repeat with the same key.
    fn refund(&self, request: RefundRequest) -> BoxFuture<'_, Result<RefundAnswer, GatewayError>>;
}

/// What a charge is made of. Not `Clone` and never serialised: it may carry a card.
#[derive(Debug)]
pub struct ChargeRequest {
    /// The attempt's idempotency key.
    pub key: String,
    /// The order's number, for the provider's own records.
    pub order_number: String,
    /// How much, in minor units; above zero.
    pub amount: Money,
    /// Of which currency.
    pub currency: Currency,
    /// What the customer pays with.
    pub instrument: Instrument,
}

/// What a refund is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRequest {
    /// The refund's idempotency key.
    pub key: String,
    /// The key of the charge; for a capture that the house had no attempt for (T29), the gateway's
    /// payment id.
    pub charge_key: String,
    /// How much, in minor units; above zero.
    pub amount: Money,
    /// Of which currency.
    pub currency: Currency,
}

/// Money taken by a gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Capture {
    /// The gateway's id of the charge.
    pub gateway_order_id: String,
    /// The gateway's id of the payment.
    pub gateway_payment_id: String,
    /// How much was taken, in minor units.
    pub amount: Money,
    /// Of which currency.
    pub currency: Currency,
    /// The card's brand, where it was a card.
    pub brand: Option<String>,
    /// The card's last four digits, where it was a card.
    pub last_four: Option<String>,
    /// What the attempt keeps of the gateway's answer. Never any part of a card but the two above.
    pub response: Value,
}

/// A gateway's no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decline {
    /// The gateway's word for it (`insufficient_funds`); screens look their sentence up by it.
    pub code: String,
    /// A sentence in English for the log and the command line.
    pub reason: String,
    /// The gateway's id of the charge.
    pub gateway_order_id: String,
    /// The card's brand, where it was a card.
    pub brand: Option<String>,
    /// The card's last four digits, where it was a card.
    pub last_four: Option<String>,
}

/// The answer to [`Gateway::create`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum ChargeAnswer {
    /// The money is ours.
    Captured(Capture),
    /// Nothing was taken and nothing will be.
    Declined(Decline),
    /// The customer has to act; ask [`Gateway::query`] or wait for the webhook.
    Pending {
        /// The gateway's id of the charge.
        gateway_order_id: String,
        /// What the customer's device has to be given: the text of the UPI code.
        payload: String,
    },
    /// The gateway did not answer in time: money may or may not have been taken.
    NoAnswer,
}

/// The answer to [`Gateway::query`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ChargeState {
    /// The money is ours.
    Captured(Capture),
    /// Nothing was taken and nothing will be.
    Declined(Decline),
    /// Not decided yet.
    Pending {
        /// The gateway's id of the charge.
        gateway_order_id: String,
    },
    /// Ended by [`Gateway::void`]; nothing was taken and nothing will be.
    Voided,
    /// The gateway has not seen this key. The request may still be on its way: only
    /// [`Gateway::void`] makes sure.
    NotFound,
}

/// The answer to [`Gateway::void`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum VoidAnswer {
    /// Ended; the key can never capture.
    Voided,
    /// The gateway had not seen the key; it is ended all the same.
    NotFound,
    /// The gateway had declined it before.
    Declined(Decline),
    /// Too late: the money is ours.
    AlreadyCaptured(Capture),
}

/// The answer to [`Gateway::refund`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum RefundAnswer {
    /// The money is on its way back for good.
    Settled {
        /// The gateway's id of the refund.
        gateway_refund_id: String,
    },
    /// The gateway works on it; repeat with the same key.
    Pending {
        /// The gateway's id of the refund.
        gateway_refund_id: String,
    },
    /// The gateway refuses; somebody has to look.
    Failed {
        /// The gateway's word for it (`charge_not_captured`).
        code: String,
        /// A sentence in English for the log and the command line.
        reason: String,
    },
    /// The gateway did not answer in time; repeat with the same key.
    NoAnswer,
}

/// Why a gateway gave no answer at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// The gateway cannot be reached; whether the request arrived is not known.
    #[error("the payment gateway cannot be reached: {0}")]
    Unreachable(String),
    /// The key was used before for another amount or currency. Nothing was done.
    #[error("the payment key was used before for another amount")]
    KeyReused,
    /// The request cannot be sent as it is (a card for UPI, an amount of nothing). Nothing was done.
    #[error("the payment request is not well formed: {0}")]
    Invalid(String),
}

impl GatewayError {
    /// Whether money may have been taken all the same, so that the attempt is unknown (T5).
    #[must_use]
    pub const fn leaves_outcome_open(&self) -> bool {
        matches!(self, Self::Unreachable(_))
    }
}

impl From<GatewayError> for Refused {
    fn from(error: GatewayError) -> Self {
        let mut refused = match &error {
            GatewayError::Unreachable(_) => Self::new(ErrorCode::PaymentFailed, "The payment service does not answer.")
                .help("Wait a moment: we ask it what happened before anything is charged again."),
            GatewayError::KeyReused => {
                Self::new(ErrorCode::IdempotencyMismatch, "This payment was begun for another amount.")
            }
            GatewayError::Invalid(_) => Self::new(ErrorCode::PaymentFailed, "The payment cannot be made like this."),
        };
        refused.cause = Some(error.to_string());
        refused
    }
}

/// The gateways of a process, one for each method that has one; cheap to clone.
#[derive(Clone, Default)]
pub struct Gateways {
    by_method: BTreeMap<Method, Arc<dyn Gateway>>,
}

impl Gateways {
    /// No gateway at all: only cash.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// With this gateway for its method, in the place of an earlier one.
    #[must_use]
    pub fn with(mut self, gateway: Arc<dyn Gateway>) -> Self {
        self.by_method.insert(gateway.method(), gateway);
        self
    }

    /// The gateway for a method.
    #[must_use]
    pub fn get(&self, method: Method) -> Option<&Arc<dyn Gateway>> {
        self.by_method.get(&method)
    }

    /// The gateway for a method that must have one.
    ///
    /// # Errors
    /// `PAYMENT_FAILED` for a method without a gateway here.
    pub fn require(&self, method: Method) -> Result<&Arc<dyn Gateway>, Refused> {
        self.get(method).ok_or_else(|| {
            Refused::new(ErrorCode::PaymentFailed, format!("Payment by {method} is not set up here."))
                .with("method", method.as_str())
                .help("Pay another way, or ask the staff.")
        })
    }

    /// Every gateway, by method.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Gateway>> {
        self.by_method.values()
    }
}

impl std::fmt::Debug for Gateways {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.by_method.iter().map(|(method, gateway)| (method, gateway.name()))).finish()
    }
}
