//! Signatures and messages of the simulated UPI provider: how they are made and how they are checked.
//!
//! A message is believed only when the HMAC-SHA256 of its raw bytes is right and it is young enough.
//! That each one is taken once is kept by the store, by its event id.

use crate::domain::error::{ErrorCode, Refused};
use crate::domain::money::{Currency, Money};
use crate::domain::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The variable with the secret that signs.
pub const WEBHOOK_SECRET: &str = "UPI_WEBHOOK_SECRET";
/// The header that carries a message's signature: 64 hexadecimal digits.
pub const SIGNATURE_HEADER: &str = "X-Upi-Signature";
/// The largest message that is read, in bytes.
pub const MAX_BODY: usize = 16 * 1024;
/// A message older than this is refused: providers give up sending one again before.
pub const REPLAY_WINDOW_SECONDS: i64 = 24 * 60 * 60;
/// A message from further in the future than this is refused: clocks differ by less.
pub const CLOCK_SKEW_SECONDS: i64 = 300;

/// The secret shared with the provider. `Debug` does not show it.
#[derive(Clone)]
pub struct UpiSecret {
    secret: Zeroizing<String>,
    demo: bool,
}

impl fmt::Debug for UpiSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpiSecret").field("demo", &self.demo).finish_non_exhaustive()
    }
}

impl UpiSecret {
    /// Reads the secret as it stands in the environment.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` on the variable when it is missing or shorter than 16 bytes.
    pub fn from_variable(secret: Option<&str>) -> Result<Self, Refused> {
        let help = format!(
            "Set {WEBHOOK_SECRET} in the environment or in a file .env, or switch UPI off: servery console, Settings."
        );
        let secret = secret.map(str::trim).filter(|secret| !secret.is_empty()).ok_or_else(|| {
            let message = format!("UPI payment needs {WEBHOOK_SECRET}, which is not set.");
            Refused::invalid(WEBHOOK_SECRET, message).help(help.clone())
        })?;
        if secret.len() < 16 {
            let message = format!("{WEBHOOK_SECRET} needs 16 characters at least.");
            return Err(Refused::invalid(WEBHOOK_SECRET, message).help(help));
        }
        Ok(Self { secret: Zeroizing::new(secret.to_owned()), demo: false })
    }

    /// The secret that the demo sets itself.
    #[must_use]
    pub fn demo() -> Self {
        Self { secret: Zeroizing::new("servery-demo-upi-secret".to_owned()), demo: true }
    }

    /// Whether this is the demo's own secret.
    #[must_use]
    pub const fn is_demo(&self) -> bool {
        self.demo
    }

    /// The signature of some bytes: 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> String {
        // HMAC takes a key of any length, so there is always one.
        let mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).map(|mac| mac.chain_update(bytes));
        let digest = mac.map(|mac| mac.finalize().into_bytes()).unwrap_or_default();
        digest.iter().fold(String::with_capacity(64), |mut text, byte| {
            for half in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
            }
            text
        })
    }

    /// Whether a signature is that of these bytes; takes as long for a wrong one as for the right one.
    #[must_use]
    pub fn verify(&self, bytes: &[u8], signature: &str) -> bool {
        let signature = signature.trim().to_ascii_lowercase();
        self.sign(bytes).as_bytes().ct_eq(signature.as_bytes()).into()
    }

    /// The signature of a payment: over `order_id|payment_id|amount|currency`, the amount in minor units.
    #[must_use]
    pub fn sign_payment(&self, payment: &PaymentClaim<'_>) -> String {
        self.sign(payment.text().as_bytes())
    }

    /// Whether the provider vouches for this payment. A field with a `|` in it is never vouched for: it
    /// could stand for another payment.
    #[must_use]
    pub fn verify_payment(&self, payment: &PaymentClaim<'_>, signature: &str) -> bool {
        let clear = !payment.gateway_order_id.contains('|') && !payment.gateway_payment_id.contains('|');
        self.verify(payment.text().as_bytes(), signature) && clear
    }

    /// Reads a message: its signature over the raw bytes first, then its form and its age.
    ///
    /// # Errors
    /// [`WebhookError`]; nothing of a message that is not signed is looked at.
    pub fn read(&self, signature: &str, body: &[u8], now: Timestamp) -> Result<Webhook, WebhookError> {
        if body.len() > MAX_BODY {
            return Err(WebhookError::TooLarge);
        }
        if !self.verify(body, signature) {
            return Err(WebhookError::BadSignature);
        }
        let webhook: Webhook =
            serde_json::from_slice(body).map_err(|error| WebhookError::Malformed(error.to_string()))?;
        webhook.check()?;
        if webhook.created_at > now.plus_seconds(CLOCK_SKEW_SECONDS) {
            return Err(WebhookError::FromTheFuture);
        }
        if now.seconds_since(webhook.created_at) > REPLAY_WINDOW_SECONDS {
            return Err(WebhookError::TooOld);
        }
        Ok(webhook)
    }
}

/// What a payment's signature is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentClaim<'a> {
    /// The provider's id of the charge.
    pub gateway_order_id: &'a str,
    /// The provider's id of the payment.
    pub gateway_payment_id: &'a str,
    /// How much, in minor units.
    pub amount: Money,
    /// Of which currency.
    pub currency: Currency,
}

impl PaymentClaim<'_> {
    fn text(&self) -> String {
        let Self { gateway_order_id, gateway_payment_id, amount, currency } = self;
        format!("{gateway_order_id}|{gateway_payment_id}|{}|{currency}", amount.0)
    }
}

/// What a message tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WebhookKind {
    /// The customer has paid.
    #[serde(rename = "payment.captured")]
    PaymentCaptured,
    /// The customer or the bank refused.
    #[serde(rename = "payment.failed")]
    PaymentFailed,
}

impl WebhookKind {
    /// The word in the message.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PaymentCaptured => "payment.captured",
            Self::PaymentFailed => "payment.failed",
        }
    }
}

/// A message of the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Its own id: the same message sent again has the same.
    pub event_id: String,
    /// What it tells.
    #[serde(rename = "type")]
    pub kind: WebhookKind,
    /// The provider's id of the charge.
    pub gateway_order_id: String,
    /// The provider's id of the payment.
    pub gateway_payment_id: String,
    /// How much, in minor units; above zero.
    pub amount: Money,
    /// Of which currency.
    pub currency: Currency,
    /// When the provider made it.
    pub created_at: Timestamp,
}

impl Webhook {
    fn check(&self) -> Result<(), WebhookError> {
        for (field, id) in [
            ("event_id", &self.event_id),
            ("gateway_order_id", &self.gateway_order_id),
            ("gateway_payment_id", &self.gateway_payment_id),
        ] {
            let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
            if id.is_empty() || id.len() > 100 || !plain {
                return Err(WebhookError::Malformed(format!("{field} is no id")));
            }
        }
        if self.amount.0 <= 0 {
            return Err(WebhookError::Malformed("amount is not above 0".to_owned()));
        }
        Ok(())
    }
}

/// A message as it travels: the raw body and the value of [`SIGNATURE_HEADER`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignedWebhook {
    /// The body, JSON.
    pub body: String,
    /// Its signature.
    pub signature: String,
}

impl SignedWebhook {
    /// Signs a message.
    ///
    /// # Errors
    /// `INTERNAL_ERROR` when the message cannot be written as JSON.
    pub fn new(webhook: &Webhook, secret: &UpiSecret) -> Result<Self, Refused> {
        let body = serde_json::to_string(webhook).map_err(Refused::internal)?;
        let signature = secret.sign(body.as_bytes());
        Ok(Self { body, signature })
    }

    /// The same with a signature that is wrong in its first digit.
    #[must_use]
    pub fn tampered(mut self) -> Self {
        let first = if self.signature.starts_with('0') { "1" } else { "0" };
        self.signature.replace_range(..self.signature.len().min(1), first);
        self
    }
}

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// Larger than [`MAX_BODY`].
    #[error("the message is too large")]
    TooLarge,
    /// Not signed with the shared secret.
    #[error("the message's signature is wrong")]
    BadSignature,
    /// Signed, but not a message that we know.
    #[error("the message is not well formed: {0}")]
    Malformed(String),
    /// Older than [`REPLAY_WINDOW_SECONDS`].
    #[error("the message is too old")]
    TooOld,
    /// From more than [`CLOCK_SKEW_SECONDS`] ahead.
    #[error("the message is from the future")]
    FromTheFuture,
}

impl From<WebhookError> for Refused {
    fn from(error: WebhookError) -> Self {
        let code = match error {
            WebhookError::BadSignature => ErrorCode::InvalidToken,
            _ => ErrorCode::ValidationError,
        };
        let message = match &error {
            WebhookError::TooLarge => "The message is too large.",
            WebhookError::BadSignature => "The message's signature is wrong.",
            WebhookError::Malformed(_) => "The message is not well formed.",
            WebhookError::TooOld => "The message is too old.",
            WebhookError::FromTheFuture => "The message is from the future.",
        };
        let mut refused = Self::new(code, message).with("field", "webhook");
        refused.help = "Nothing was changed. Check the shared secret and the clocks of both sides.".to_owned();
        refused.cause = Some(error.to_string());
        refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

    fn secret() -> UpiSecret {
        UpiSecret::from_variable(Some("0123456789abcdef")).expect("a secret")
    }

    fn webhook() -> Webhook {
        Webhook {
            event_id: "evt_1".to_owned(),
            kind: WebhookKind::PaymentCaptured,
            gateway_order_id: "order_1".to_owned(),
            gateway_payment_id: "pay_1".to_owned(),
            amount: Money(1250),
            currency: Currency::EUR,
            created_at: NOW,
        }
    }

    #[test]
    fn signatures_are_hmac_sha256() {
        // RFC 4231, test case 2, whose key is shorter than ours may be.
        let rfc = UpiSecret { secret: Zeroizing::new("Jefe".to_owned()), demo: false };
        let wanted = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(rfc.sign(b"what do ya want for nothing?"), wanted);
        assert!(rfc.verify(b"what do ya want for nothing?", &wanted.to_uppercase()));
    }

    #[test]
    fn a_payments_signature_is_over_each_field() {
        let secret = secret();
        let claim = PaymentClaim {
            gateway_order_id: "order_1",
            gateway_payment_id: "pay_1",
            amount: Money(1250),
            currency: Currency::EUR,
        };
        let signature = secret.sign_payment(&claim);
        assert_eq!(signature, secret.sign(b"order_1|pay_1|1250|EUR"));
        assert!(secret.verify_payment(&claim, &signature));
        for other in [
            PaymentClaim { gateway_order_id: "order_2", ..claim },
            PaymentClaim { gateway_payment_id: "pay_2", ..claim },
            PaymentClaim { amount: Money(1251), ..claim },
            PaymentClaim { amount: Money(-1250), ..claim },
            PaymentClaim { currency: Currency::parse("USD").expect("USD"), ..claim },
        ] {
            assert!(!secret.verify_payment(&other, &signature), "{other:?}");
        }
        for place in 0..signature.len() {
            let mut wrong = signature.clone();
            let digit = if &wrong[place..=place] == "0" { "1" } else { "0" };
            wrong.replace_range(place..=place, digit);
            assert!(!secret.verify_payment(&claim, &wrong));
        }
        for wrong in ["", "0", &signature[1..], &format!("{signature}0")] {
            assert!(!secret.verify_payment(&claim, wrong));
        }
        assert!(!UpiSecret::demo().verify_payment(&claim, &signature));
        let shifted = PaymentClaim { gateway_order_id: "order_1|pay_1", gateway_payment_id: "1250", ..claim };
        assert!(!secret.verify_payment(&shifted, &secret.sign_payment(&shifted)));
    }

    #[test]
    fn a_signed_message_is_read_back() {
        let signed = SignedWebhook::new(&webhook(), &secret()).expect("signed");
        assert_eq!(secret().read(&signed.signature, signed.body.as_bytes(), NOW), Ok(webhook()));
        assert!(signed.body.contains(r#""type":"payment.captured""#));
    }

    #[test]
    fn every_changed_byte_breaks_the_signature() {
        let signed = SignedWebhook::new(&webhook(), &secret()).expect("signed");
        for place in 0..signed.body.len() {
            let mut body = signed.body.clone().into_bytes();
            body[place] ^= 1;
            assert_eq!(secret().read(&signed.signature, &body, NOW), Err(WebhookError::BadSignature));
        }
        let tampered = signed.clone().tampered();
        assert_ne!(tampered.signature, signed.signature);
        assert_eq!(tampered.signature.len(), 64);
        let read = secret().read(&tampered.signature, tampered.body.as_bytes(), NOW);
        assert_eq!(read, Err(WebhookError::BadSignature));
    }

    #[test]
    fn old_and_future_messages_are_refused() {
        let at = |created_at| {
            let signed = SignedWebhook::new(&Webhook { created_at, ..webhook() }, &secret()).expect("signed");
            secret().read(&signed.signature, signed.body.as_bytes(), NOW).map(|_| ())
        };
        assert_eq!(at(NOW.plus_seconds(-REPLAY_WINDOW_SECONDS)), Ok(()));
        assert_eq!(at(NOW.plus_seconds(-REPLAY_WINDOW_SECONDS - 1)), Err(WebhookError::TooOld));
        assert_eq!(at(NOW.plus_seconds(CLOCK_SKEW_SECONDS)), Ok(()));
        assert_eq!(at(NOW.plus_seconds(CLOCK_SKEW_SECONDS + 1)), Err(WebhookError::FromTheFuture));
        assert_eq!(at(Timestamp(i64::MIN)), Err(WebhookError::TooOld));
        assert_eq!(at(Timestamp(i64::MAX)), Err(WebhookError::FromTheFuture));
    }

    #[test]
    fn signed_nonsense_is_refused_without_a_panic() {
        let good = SignedWebhook::new(&webhook(), &secret()).expect("signed").body;
        let large = " ".repeat(MAX_BODY + 1);
        let mut bodies: Vec<Vec<u8>> = (0..good.len()).map(|end| good.as_bytes()[..end].to_vec()).collect();
        bodies.extend([
            b"\xff\xfe".to_vec(),
            b"null".to_vec(),
            b"[[[[[[[[".to_vec(),
            vec![b'['; MAX_BODY],
            good.replace("1250", "0").into_bytes(),
            good.replace("1250", "1e9").into_bytes(),
            good.replace("1250", "99999999999999999999").into_bytes(),
            good.replace("EUR", "EURO").into_bytes(),
            good.replace("evt_1", "").into_bytes(),
            good.replace("evt_1", "evt|1").into_bytes(),
            good.replace("pay_1", &"p".repeat(101)).into_bytes(),
            good.replace("payment.captured", "payment.other").into_bytes(),
            good.replace("{", r#"{"more":1,"#).into_bytes(),
        ]);
        for body in bodies {
            let read = secret().read(&secret().sign(&body), &body, NOW);
            assert!(matches!(read, Err(WebhookError::Malformed(_))), "{read:?}");
        }
        let read = secret().read(&secret().sign(large.as_bytes()), large.as_bytes(), NOW);
        assert_eq!(read, Err(WebhookError::TooLarge));
    }

    #[test]
    fn the_secret_is_long_enough_and_never_shown() {
        for wrong in [None, Some(""), Some("short")] {
            let refused = UpiSecret::from_variable(wrong).expect_err("no secret");
            assert_eq!(refused.details["field"], WEBHOOK_SECRET);
        }
        assert!(!format!("{:?}", secret()).contains("0123456789abcdef"));
    }
}
