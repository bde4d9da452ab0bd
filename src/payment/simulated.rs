//! What the simulated card and the simulated UPI have in common: a provider that remembers every charge
//! by key, tells it again, voids it for good and pays it back once.
//!
//! Ids are derived from keys, so that a repeated request finds what it made before.

use super::memory::{Charge, Decision, Kept, MemoryError, ProviderMemory, RefundKept, RefundRecord};
use super::script::{Operation, Outcome, Script, Verdict};
use super::{Capture, ChargeState, Decline, GatewayError, RefundAnswer, RefundRequest, VoidAnswer};
use crate::domain::money::{Currency, Money};
use crate::domain::payment::{AttemptStatus, Method, RefundStatus};
use crate::domain::time::{Clock, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// After how many seconds a capture whose answer was lost can be asked for.
pub const CAPTURE_KNOWN_AFTER_SECONDS: i64 = 5;

/// Makes the JSON that an attempt keeps of a capture.
pub(super) type Respond = dyn Fn(&Charge) -> Value + Send + Sync;

/// What a simulated gateway stands on.
#[derive(Clone)]
pub struct Provider {
    /// Its memory.
    pub memory: Arc<dyn ProviderMemory>,
    /// The provider's clock.
    pub clock: Arc<dyn Clock>,
    /// What `--gateway-script` says.
    pub script: Option<Arc<Script>>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("script", &self.script).finish_non_exhaustive()
    }
}

impl From<MemoryError> for GatewayError {
    fn from(error: MemoryError) -> Self {
        Self::Unreachable(error.to_string())
    }
}

/// A provider's id: `kind_` and 14 characters that follow from the key.
#[must_use]
pub(super) fn identifier(kind: &str, key: &str) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let digest = Sha256::new().chain_update(kind).chain_update([0]).chain_update(key).finalize();
    let mut id = format!("{kind}_");
    for byte in digest.iter().take(14) {
        // 32 characters, so the index is always in range and every character as likely.
        id.push(ALPHABET.get(usize::from(byte % 32)).copied().map_or('a', char::from));
    }
    id
}

/// A charge that was asked for now and is not decided.
pub(super) fn open_charge(key: &str, method: Method, amount: Money, currency: Currency, now: Timestamp) -> Charge {
    Charge {
        key: key.to_owned(),
        method,
        amount,
        currency,
        status: AttemptStatus::Created,
        reason: None,
        gateway_order_id: identifier("order", key),
        gateway_payment_id: None,
        brand: None,
        last_four: None,
        refunded: Money::ZERO,
        known_from: None,
        created_at: now,
    }
}

/// The sentence of a decline for the log and the command line.
fn decline_reason(code: &str) -> &'static str {
    match code {
        "insufficient_funds" => "The card has insufficient funds.",
        "expired_card" => "The card has expired.",
        "processing_error" => "An error occurred while processing the card. Try again.",
        "incorrect_cvc" => "The card's security code is not right.",
        "test_mode" => "This till only simulates payments: use one of the test card numbers.",
        "voided" => "This payment was ended before it was made.",
        "upi_declined" => "The payment was declined in the UPI app.",
        _ => "The card was declined.",
    }
}

pub(super) fn decline_of(charge: &Charge) -> Decline {
    let code = if charge.status == AttemptStatus::Voided {
        "voided"
    } else {
        charge.reason.as_deref().unwrap_or("card_declined")
    };
    Decline {
        code: code.to_owned(),
        reason: decline_reason(code).to_owned(),
        gateway_order_id: charge.gateway_order_id.clone(),
        brand: charge.brand.clone(),
        last_four: charge.last_four.clone(),
    }
}

pub(super) fn capture_of(charge: &Charge, respond: &Respond) -> Capture {
    Capture {
        gateway_order_id: charge.gateway_order_id.clone(),
        gateway_payment_id: charge.gateway_payment_id.clone().unwrap_or_default(),
        amount: charge.amount,
        currency: charge.currency,
        brand: charge.brand.clone(),
        last_four: charge.last_four.clone(),
        response: respond(charge),
    }
}

fn state_of(charge: &Charge, now: Timestamp, respond: &Respond) -> ChargeState {
    let told = charge.known_from.is_none_or(|from| from <= now);
    match charge.status {
        AttemptStatus::Captured if told => ChargeState::Captured(capture_of(charge, respond)),
        AttemptStatus::Failed if told => ChargeState::Declined(decline_of(charge)),
        AttemptStatus::Voided => ChargeState::Voided,
        AttemptStatus::Created | AttemptStatus::Authorized | AttemptStatus::Captured | AttemptStatus::Failed => {
            ChargeState::Pending { gateway_order_id: charge.gateway_order_id.clone() }
        }
    }
}

impl Provider {
    /// What the script says about this call, after the time that it is to take.
    pub(super) async fn verdict(&self, operation: Operation, amount: Money) -> Option<Outcome> {
        let Verdict { delay, outcome } = self.script.as_ref()?.next(operation, amount)?;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        outcome
    }

    /// The charge that a repeated request made before. Only looked for where a script runs, whose steps
    /// a repeat must not use up; elsewhere [`Provider::keep`] finds it.
    pub(super) async fn made_before(
        &self,
        key: &str,
        amount: Money,
        currency: Currency,
    ) -> Result<Option<Charge>, GatewayError> {
        if self.script.is_none() {
            return Ok(None);
        }
        match self.memory.find_charge(key).await? {
            Some(charge) => same_request(charge, amount, currency).map(Some),
            None => Ok(None),
        }
    }

    /// Remembers a charge, or finds the one that the same request made before.
    pub(super) async fn keep(&self, charge: &Charge) -> Result<Charge, GatewayError> {
        match self.memory.keep_charge(charge).await? {
            Kept::New(kept) => Ok(kept),
            Kept::Before(found) => same_request(found, charge.amount, charge.currency),
        }
    }

    /// The charge as it is now: one whose hour has come is decided first.
    pub(super) async fn settle(&self, charge: Charge) -> Result<Charge, GatewayError> {
        let now = self.clock.now();
        let Some(decision) = charge.due_decision(now) else { return Ok(charge) };
        let payment = identifier("pay", &charge.key);
        let payment = (decision == Decision::Captured).then_some(payment.as_str());
        Ok(self.memory.decide(&charge.key, &decision, payment, now).await?.unwrap_or(charge))
    }

    /// See [`super::Gateway::query`].
    pub(super) async fn query(&self, key: &str, respond: &Respond) -> Result<ChargeState, GatewayError> {
        let Some(charge) = self.memory.find_charge(key).await? else { return Ok(ChargeState::NotFound) };
        let charge = self.settle(charge).await?;
        Ok(state_of(&charge, self.clock.now(), respond))
    }

    /// See [`super::Gateway::void`].
    pub(super) async fn void(&self, key: &str, method: Method, respond: &Respond) -> Result<VoidAnswer, GatewayError> {
        let now = self.clock.now();
        // A key that was never seen is remembered as ended: a request that was on its way all the time
        // finds it so, and takes nothing.
        let tombstone =
            Charge { status: AttemptStatus::Voided, ..open_charge(key, method, Money::ZERO, Currency::EUR, now) };
        let charge = match self.memory.find_charge(key).await? {
            Some(charge) => charge,
            None => match self.memory.keep_charge(&tombstone).await? {
                Kept::New(_) => return Ok(VoidAnswer::NotFound),
                Kept::Before(charge) => charge,
            },
        };
        let charge = self.memory.decide(key, &Decision::Voided, None, now).await?.unwrap_or(charge);
        let charge = self.settle(charge).await?;
        match charge.status {
            AttemptStatus::Captured => Ok(VoidAnswer::AlreadyCaptured(capture_of(&charge, respond))),
            AttemptStatus::Failed => Ok(VoidAnswer::Declined(decline_of(&charge))),
            AttemptStatus::Voided => Ok(VoidAnswer::Voided),
            AttemptStatus::Created | AttemptStatus::Authorized => {
                Err(GatewayError::Unreachable("the charge was changed meanwhile".to_owned()))
            }
        }
    }

    /// See [`super::Gateway::refund`].
    pub(super) async fn refund(&self, request: RefundRequest) -> Result<RefundAnswer, GatewayError> {
        if request.amount.0 <= 0 {
            return Err(GatewayError::Invalid("a refund needs an amount above 0".to_owned()));
        }
        let Some(charge) = self.memory.find_charge(&request.charge_key).await? else {
            return Ok(failed("charge_not_found"));
        };
        if charge.currency != request.currency {
            return Ok(failed("currency_mismatch"));
        }
        if let Some(record) = self.memory.find_refund(&request.key).await? {
            return repeated(record, &charge, &request);
        }
        let outcome = self.verdict(Operation::Refund, request.amount).await;
        let status = match outcome {
            Some(Outcome::Error) => return Err(GatewayError::Unreachable("as the gateway script says".to_owned())),
            // Lost on the way there: nothing is remembered.
            Some(Outcome::Timeout) => return Ok(RefundAnswer::NoAnswer),
            Some(Outcome::Decline) => RefundStatus::Failed,
            Some(Outcome::Approve | Outcome::TimeoutThenCaptured) | None => RefundStatus::Settled,
        };
        let record = RefundRecord {
            gateway_refund_id: identifier("rfnd", &request.key),
            key: request.key.clone(),
            charge_key: charge.key.clone(),
            amount: request.amount,
            status,
            created_at: self.clock.now(),
        };
        match self.memory.keep_refund(&record).await? {
            RefundKept::TooMuch if charge.status != AttemptStatus::Captured => Ok(failed("charge_not_captured")),
            RefundKept::TooMuch => Ok(failed("amount_too_large")),
            RefundKept::Kept(Kept::Before(found)) => repeated(found, &charge, &request),
            // Lost on the way back.
            RefundKept::Kept(Kept::New(_)) if outcome == Some(Outcome::TimeoutThenCaptured) => {
                Ok(RefundAnswer::NoAnswer)
            }
            RefundKept::Kept(Kept::New(kept)) => Ok(answer_of(kept)),
        }
    }
}

/// Refuses a key that came with another amount; a key voided unseen goes with any.
fn same_request(charge: Charge, amount: Money, currency: Currency) -> Result<Charge, GatewayError> {
    let same = charge.amount == amount && charge.currency == currency;
    if same || charge.is_tombstone() { Ok(charge) } else { Err(GatewayError::KeyReused) }
}

fn repeated(record: RefundRecord, charge: &Charge, request: &RefundRequest) -> Result<RefundAnswer, GatewayError> {
    if record.charge_key == charge.key && record.amount == request.amount {
        Ok(answer_of(record))
    } else {
        Err(GatewayError::KeyReused)
    }
}

fn answer_of(record: RefundRecord) -> RefundAnswer {
    match record.status {
        RefundStatus::Settled => RefundAnswer::Settled { gateway_refund_id: record.gateway_refund_id },
        RefundStatus::Pending => RefundAnswer::Pending { gateway_refund_id: record.gateway_refund_id },
        RefundStatus::Failed => failed("refund_declined"),
    }
}

fn failed(code: &str) -> RefundAnswer {
    let reason = match code {
        "charge_not_found" => "The gateway knows no such payment.",
        "currency_mismatch" => "The payment was made in another currency.",
        "charge_not_captured" => "Nothing was taken by this payment.",
        "amount_too_large" => "The payment has less left to give back.",
        _ => "The gateway declined the refund.",
    };
    RefundAnswer::Failed { code: code.to_owned(), reason: reason.to_owned() }
}
