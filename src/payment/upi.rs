//! The simulated UPI gateway. A charge is a code on the screen that the customer's app would read; the
//! customer pays or refuses elsewhere, and the house learns it by [`Gateway::query`] or by webhook.
//!
//! Nobody's phone takes part here: the customer is simulated, by time ([`Approval`]), by
//! `--gateway-script`, or by `servery sim webhook` ([`UpiGateway::simulate`]).

use super::instrument::Instrument;
use super::memory::{Charge, Decision, Kept};
use super::script::{Operation, Outcome};
use super::simulated::{
    CAPTURE_KNOWN_AFTER_SECONDS, Provider, Respond, capture_of, decline_of, identifier, open_charge,
};
use super::webhook::{PaymentClaim, SignedWebhook, UpiSecret, Webhook, WebhookKind};
use super::{
    Capture, ChargeAnswer, ChargeRequest, ChargeState, Gateway, GatewayError, RefundAnswer, RefundRequest, VoidAnswer,
    qr,
};
use crate::domain::error::Refused;
use crate::domain::money::{Currency, Money};
use crate::domain::payment::{AttemptStatus, Method};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;

/// The address that the code pays to. No bank knows it, so a real app that reads the code pays nothing.
const PAYEE_ADDRESS: &str = "till@sim";
/// The name that the customer's app shows.
const PAYEE_NAME: &str = "Servery";

/// When the simulated customer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// Never by themselves: a webhook or a script has to say so.
    Manual,
    /// So many seconds after the code was shown.
    AfterSeconds(i64),
}

crate::words!(
    /// What `servery sim webhook` sends.
    SimulatedMessage, "kind of message" {
        /// The customer pays; the message is right.
        Valid = "valid",
        /// The same message as `valid`, once more.
        Duplicate = "duplicate",
        /// The customer pays although the order has ended.
        Late = "late",
        /// The customer pays one minor unit too much.
        WrongAmount = "wrong-amount",
        /// Somebody who does not know the secret says that the customer has paid.
        BadSignature = "bad-signature",
    }
);

/// The simulated UPI gateway.
#[derive(Clone)]
pub struct UpiGateway {
    provider: Provider,
    secret: UpiSecret,
    approval: Approval,
    respond: Arc<Respond>,
}

impl fmt::Debug for UpiGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpiGateway").field("provider", &self.provider).field("approval", &self.approval).finish()
    }
}

impl UpiGateway {
    /// A gateway with this secret.
    #[must_use]
    pub fn new(secret: UpiSecret, approval: Approval, provider: Provider) -> Self {
        let signer = secret.clone();
        let respond: Arc<Respond> = Arc::new(move |charge| response(&signer, charge));
        Self { provider, secret, approval, respond }
    }

    /// The secret, to check what comes in.
    #[must_use]
    pub const fn secret(&self) -> &UpiSecret {
        &self.secret
    }

    /// Whether a capture carries the provider's own signature over its order, payment, amount and
    /// currency. To be asked before a capture is believed.
    #[must_use]
    pub fn vouches_for(&self, capture: &Capture) -> bool {
        let claim = PaymentClaim {
            gateway_order_id: &capture.gateway_order_id,
            gateway_payment_id: &capture.gateway_payment_id,
            amount: capture.amount,
            currency: capture.currency,
        };
        let signature = capture.response.get("signature").and_then(Value::as_str);
        signature.is_some_and(|signature| self.secret.verify_payment(&claim, signature))
    }

    /// Lets the simulated customer of a charge pay, and makes the message that the provider would send.
    ///
    /// # Errors
    /// `NOT_FOUND` for a key that the provider has not seen; `STORE_UNAVAILABLE` and the refusals of
    /// [`GatewayError`] when its memory does not answer.
    pub async fn simulate(&self, charge_key: &str, message: SimulatedMessage) -> Result<SignedWebhook, Refused> {
        let found = self.provider.memory.find_charge(charge_key).await.map_err(GatewayError::from)?;
        let charge = found
            .filter(|charge| charge.method == Method::Upi && !charge.is_tombstone())
            .ok_or_else(|| Refused::not_found("UPI payment", charge_key))?;
        let payment = match message {
            SimulatedMessage::BadSignature => Payment::of(&charge),
            SimulatedMessage::Valid | SimulatedMessage::Duplicate => self.pay(charge).await?,
            SimulatedMessage::Late => self.pay_beside(&charge, "late", charge.amount).await?,
            SimulatedMessage::WrongAmount => {
                let amount = charge.amount.checked_add(Money(1)).ok_or_else(crate::domain::money::out_of_range)?;
                self.pay_beside(&charge, "wrong", amount).await?
            }
        };
        let webhook = Webhook {
            event_id: identifier("evt", &payment.id),
            kind: WebhookKind::PaymentCaptured,
            gateway_order_id: payment.order_id,
            gateway_payment_id: payment.id,
            amount: payment.amount,
            currency: payment.currency,
            created_at: self.provider.clock.now(),
        };
        let signed = SignedWebhook::new(&webhook, &self.secret)?;
        Ok(if message == SimulatedMessage::BadSignature { signed.tampered() } else { signed })
    }

    /// The customer pays the code. A charge that has ended is paid beside it all the same: nothing stops
    /// a customer whose app still shows the code.
    async fn pay(&self, charge: Charge) -> Result<Payment, GatewayError> {
        let id = identifier("pay", &charge.key);
        let now = self.provider.clock.now();
        let decided = self.provider.memory.decide(&charge.key, &Decision::Captured, Some(&id), now).await?;
        let charge = decided.unwrap_or(charge);
        if charge.status == AttemptStatus::Captured {
            return Ok(Payment::of(&charge));
        }
        self.pay_beside(&charge, "late", charge.amount).await
    }

    /// A payment that the charge itself cannot take is a charge of its own, found by its payment id, so
    /// that it can be given back.
    async fn pay_beside(&self, charge: &Charge, why: &str, amount: Money) -> Result<Payment, GatewayError> {
        let id = identifier("pay", &format!("{why} {}", charge.key));
        let beside = Charge {
            status: AttemptStatus::Captured,
            gateway_order_id: charge.gateway_order_id.clone(),
            gateway_payment_id: Some(id.clone()),
            ..open_charge(&id, Method::Upi, amount, charge.currency, self.provider.clock.now())
        };
        match self.provider.memory.keep_charge(&beside).await? {
            Kept::New(kept) | Kept::Before(kept) => Ok(Payment::of(&kept)),
        }
    }

    async fn charge(&self, request: ChargeRequest) -> Result<ChargeAnswer, GatewayError> {
        if !matches!(request.instrument, Instrument::UpiIntent) {
            return Err(GatewayError::Invalid("the UPI gateway takes no cards".to_owned()));
        }
        if request.amount.0 <= 0 {
            return Err(GatewayError::Invalid("a charge needs an amount above 0".to_owned()));
        }
        if let Some(before) = self.provider.made_before(&request.key, request.amount, request.currency).await? {
            return self.answer(before).await;
        }
        let outcome = self.provider.verdict(Operation::Charge(Method::Upi), request.amount).await;
        let now = self.provider.clock.now();
        let mut charge = open_charge(&request.key, Method::Upi, request.amount, request.currency, now);
        match outcome {
            None => {
                if let Approval::AfterSeconds(seconds) = self.approval {
                    charge.known_from = Some(now.plus_seconds(seconds));
                }
            }
            Some(Outcome::Approve) => charge.known_from = Some(now),
            Some(Outcome::Decline) => {
                charge.known_from = Some(now);
                charge.reason = Some("upi_declined".to_owned());
            }
            Some(Outcome::TimeoutThenCaptured) => {
                charge.known_from = Some(now.plus_seconds(CAPTURE_KNOWN_AFTER_SECONDS));
            }
            Some(Outcome::Timeout) => {}
            Some(Outcome::Error) => {
                return Err(GatewayError::Unreachable("as the gateway script says".to_owned()));
            }
        }
        let kept = self.provider.keep(&charge).await?;
        match outcome {
            Some(Outcome::Timeout | Outcome::TimeoutThenCaptured) => Ok(ChargeAnswer::NoAnswer),
            // The first answer is always the code: the customer has not seen it yet.
            _ if kept.status == AttemptStatus::Created => Ok(pending(&kept)),
            _ => self.answer(kept).await,
        }
    }

    /// What a repeated request is told.
    async fn answer(&self, charge: Charge) -> Result<ChargeAnswer, GatewayError> {
        let charge = self.provider.settle(charge).await?;
        Ok(match charge.status {
            AttemptStatus::Captured => ChargeAnswer::Captured(capture_of(&charge, &*self.respond)),
            AttemptStatus::Failed | AttemptStatus::Voided => ChargeAnswer::Declined(decline_of(&charge)),
            AttemptStatus::Created | AttemptStatus::Authorized => pending(&charge),
        })
    }
}

impl Gateway for UpiGateway {
    fn name(&self) -> &'static str {
        Method::Upi.provider_name()
    }

    fn method(&self) -> Method {
        Method::Upi
    }

    fn create(&self, request: ChargeRequest) -> BoxFuture<'_, Result<ChargeAnswer, GatewayError>> {
        self.charge(request).boxed()
    }

    fn query<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<ChargeState, GatewayError>> {
        self.provider.query(key, &*self.respond).boxed()
    }

    fn void<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<VoidAnswer, GatewayError>> {
        self.provider.void(key, Method::Upi, &*self.respond).boxed()
    }

    fn refund(&self, request: RefundRequest) -> BoxFuture<'_, Result<RefundAnswer, GatewayError>> {
        self.provider.refund(request).boxed()
    }
}

/// A payment that a customer made.
struct Payment {
    id: String,
    order_id: String,
    amount: Money,
    currency: Currency,
}

impl Payment {
    fn of(charge: &Charge) -> Self {
        Self {
            id: charge.gateway_payment_id.clone().unwrap_or_else(|| identifier("pay", &charge.key)),
            order_id: charge.gateway_order_id.clone(),
            amount: charge.amount,
            currency: charge.currency,
        }
    }
}

fn pending(charge: &Charge) -> ChargeAnswer {
    ChargeAnswer::Pending {
        gateway_order_id: charge.gateway_order_id.clone(),
        payload: payload(&charge.gateway_order_id, charge.amount, charge.currency),
    }
}

/// The text of the code: at most [`qr::MAX_PAYLOAD`] bytes for ids of this gateway; the payee's name is
/// left out where there is no room for it.
#[must_use]
pub fn payload(gateway_order_id: &str, amount: Money, currency: Currency) -> String {
    let rest = format!("am={}&cu={currency}&tr={gateway_order_id}", amount.plain(currency));
    let named = format!("upi://pay?pa={PAYEE_ADDRESS}&pn={PAYEE_NAME}&{rest}");
    if named.len() <= qr::MAX_PAYLOAD { named } else { format!("upi://pay?pa={PAYEE_ADDRESS}&{rest}") }
}

/// What an attempt keeps of a capture.
fn response(secret: &UpiSecret, charge: &Charge) -> Value {
    let signature = secret.sign_payment(&PaymentClaim {
        gateway_order_id: &charge.gateway_order_id,
        gateway_payment_id: charge.gateway_payment_id.as_deref().unwrap_or_default(),
        amount: charge.amount,
        currency: charge.currency,
    });
    json!({
        "provider": Method::Upi.provider_name(),
        "simulated": true,
        "status": charge.status.as_str(),
        "signature": signature,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_names_payee_amount_currency_and_charge() {
        let id = identifier("order", "key");
        let text = payload(&id, Money(1250), Currency::EUR);
        assert_eq!(text, format!("upi://pay?pa=till@sim&pn=Servery&am=12.50&cu=EUR&tr={id}"));
    }

    #[test]
    fn every_amount_fits_the_smallest_screen() {
        let id = identifier("order", "key");
        for amount in (0..19).map(|power| 10_i64.pow(power)).chain([1, i64::MAX]) {
            for code in ["EUR", "JPY", "BHD", "CLF"] {
                let text = payload(&id, Money(amount), Currency::parse(code).expect("a currency"));
                let picture = qr::draw(&text).expect("a picture");
                assert!(picture.columns() <= 80 && picture.lines() <= 22, "{text}");
            }
        }
    }
}
