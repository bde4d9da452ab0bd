//! What a simulated provider remembers, and the trait by which somebody keeps it for the provider.
//!
//! The memory stands for another company's database: it must outlive the process that called, because
//! the whole point of a payment key is that a restarted process can ask what became of it. It is no
//! part of the house's records and no rule reads it.

use crate::domain::money::{Currency, Money};
use crate::domain::payment::{AttemptStatus, Method, RefundStatus};
use crate::domain::time::Timestamp;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

/// A charge as the provider remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The house's key.
    pub key: String,
    /// How it is paid.
    pub method: Method,
    /// How much; zero for a key that was voided before any request with it arrived.
    pub amount: Money,
    /// Of which currency.
    pub currency: Currency,
    /// Where it stands.
    pub status: AttemptStatus,
    /// The code of the decline; on one still `created`, that of the decline to come at `known_from`.
    pub reason: Option<String>,
    /// The provider's id of the charge.
    pub gateway_order_id: String,
    /// The provider's id of the payment, once captured.
    pub gateway_payment_id: Option<String>,
    /// The card's brand.
    pub brand: Option<String>,
    /// The card's last four digits.
    pub last_four: Option<String>,
    /// The sum of its refunds that have not failed.
    pub refunded: Money,
    /// When the outcome comes to be: a `created` one is decided then; an already decided one is only
    /// told from then on. None on a `created` one: never by itself.
    pub known_from: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Charge {
    /// Whether this was voided before any request with its key arrived.
    #[must_use]
    pub fn is_tombstone(&self) -> bool {
        self.status == AttemptStatus::Voided && self.amount.is_zero()
    }

    /// What an undecided charge becomes at `now`, if its hour has come.
    #[must_use]
    pub fn due_decision(&self, now: Timestamp) -> Option<Decision> {
        let open = matches!(self.status, AttemptStatus::Created | AttemptStatus::Authorized);
        let due = self.known_from.is_some_and(|from| from <= now);
        (open && due).then(|| match &self.reason {
            Some(reason) => Decision::Declined { reason: reason.clone() },
            None => Decision::Captured,
        })
    }
}

/// How an undecided charge ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The money is taken.
    Captured,
    /// It is not.
    Declined {
        /// The code of the decline.
        reason: String,
    },
    /// Ended by the house.
    Voided,
}

impl Decision {
    /// The status that it leads to.
    #[must_use]
    pub const fn status(&self) -> AttemptStatus {
        match self {
            Self::Captured => AttemptStatus::Captured,
            Self::Declined { .. } => AttemptStatus::Failed,
            Self::Voided => AttemptStatus::Voided,
        }
    }

    /// The code of the decline.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Declined { reason } => Some(reason),
            Self::Captured | Self::Voided => None,
        }
    }
}

/// A refund as the provider remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundRecord {
    /// The house's key of the refund.
    pub key: String,
    /// The key of the charge.
    pub charge_key: String,
    /// The provider's id of the refund.
    pub gateway_refund_id: String,
    /// How much.
    pub amount: Money,
    /// Where it stands.
    pub status: RefundStatus,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Whether a record was kept now or was there before; with what is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept<T> {
    /// Kept now.
    New(T),
    /// One under the same key was there; it is unchanged.
    Before(T),
}

/// What keeping a refund came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundKept {
    /// Kept now, or there before.
    Kept(Kept<RefundRecord>),
    /// The charge is not captured, or has less left than the amount.
    TooMuch,
}

/// The memory could not be asked or written; whether a write was kept is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MemoryError(pub String);

/// Keeps what a simulated provider remembers. Every write is atomic and kept before its answer.
pub trait ProviderMemory: Send + Sync {
    /// Keeps a charge unless one with its key is there.
    fn keep_charge<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Result<Kept<Charge>, MemoryError>>;

    /// The charge with this key, or with this payment id.
    fn find_charge<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Charge>, MemoryError>>;

    /// Decides a charge that is still undecided, and tells what is there afterwards. `Voided` decides
    /// only one whose hour has not come at `now`. A charge that is decided keeps what it has.
    fn decide<'a>(
        &'a self,
        key: &'a str,
        decision: &'a Decision,
        gateway_payment_id: Option<&'a str>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Charge>, MemoryError>>;

    /// Keeps a refund and takes its amount off the charge, unless one with its key is there or the
    /// charge has less left. A refund that is kept as failed takes nothing.
    fn keep_refund<'a>(&'a self, refund: &'a RefundRecord) -> BoxFuture<'a, Result<RefundKept, MemoryError>>;

    /// The refund with this key.
    fn find_refund<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<RefundRecord>, MemoryError>>;
}
