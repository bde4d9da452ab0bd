//! `stripe-dummy`: the simulated card gateway. The card number decides what happens, as with the test
//! numbers of a real provider; a card that is no test number is declined, so that nobody's real card is
//! ever taken for paid.
//!
//! Of a card only brand and last four leave this file.

use super::instrument::{CardDetails, Instrument};
use super::memory::Charge;
use super::script::{Operation, Outcome};
use super::simulated::{
    CAPTURE_KNOWN_AFTER_SECONDS, Provider, Respond, capture_of, decline_of, identifier, open_charge,
};
use super::{ChargeAnswer, ChargeRequest, ChargeState, Gateway, GatewayError, RefundAnswer, RefundRequest, VoidAnswer};
use crate::domain::error::Refused;
use crate::domain::payment::{AttemptStatus, Method};
use crate::domain::time::Timestamp;
use futures::FutureExt;
use futures::future::BoxFuture;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The variable with the secret key.
pub const SECRET_KEY: &str = "STRIPE_SECRET_KEY";
/// The variable with the publishable key.
pub const PUBLISHABLE_KEY: &str = "STRIPE_PUBLISHABLE_KEY";

/// The account's keys. `Debug` shows neither.
#[derive(Clone)]
pub struct CardKeys {
    secret: Zeroizing<String>,
    publishable: String,
    demo: bool,
}

impl CardKeys {
    /// Reads the two keys as they stand in the environment.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` on the variable that is missing or is no test key; the keys are not repeated.
    pub fn from_variables(secret: Option<&str>, publishable: Option<&str>) -> Result<Self, Refused> {
        let secret = test_key(SECRET_KEY, "sk_test_", secret)?;
        let publishable = test_key(PUBLISHABLE_KEY, "pk_test_", publishable)?;
        Ok(Self { secret: Zeroizing::new(secret.to_owned()), publishable: publishable.to_owned(), demo: false })
    }

    /// The keys that the demo sets itself.
    #[must_use]
    pub fn demo() -> Self {
        Self {
            secret: Zeroizing::new("sk_test_servery_demo".to_owned()),
            publishable: "pk_test_servery_demo".to_owned(),
            demo: true,
        }
    }

    /// Whether these are the demo's own keys, which the start-up says.
    #[must_use]
    pub const fn is_demo(&self) -> bool {
        self.demo
    }

    /// The token that stands for a card in records: made for one charge, and of no use for another.
    fn token(&self, key: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).ok();
        if let Some(mac) = &mut mac {
            mac.update(key.as_bytes());
        }
        let digest = mac.map(|mac| mac.finalize().into_bytes()).unwrap_or_default();
        digest.iter().take(12).fold("tok_".to_owned(), |token, byte| format!("{token}{byte:02x}"))
    }
}

impl fmt::Debug for CardKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardKeys").field("demo", &self.demo).finish_non_exhaustive()
    }
}

fn test_key<'a>(variable: &str, prefix: &str, value: Option<&'a str>) -> Result<&'a str, Refused> {
    let help = format!(
        "Set {SECRET_KEY} (sk_test_…) and {PUBLISHABLE_KEY} (pk_test_…) in the environment or in a file .env, or \
         switch Cards off: servery console, Settings."
    );
    let value = value.map(str::trim).filter(|value| !value.is_empty());
    let value = value.ok_or_else(|| {
        Refused::invalid(variable, format!("Card payment needs {variable}, which is not set.")).help(help.clone())
    })?;
    let rest = value.strip_prefix(prefix).unwrap_or_default();
    let plain = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if rest.len() < 8 || !plain {
        let message = format!(
            "{variable} is no test key: it has to begin with {prefix} and go on with 8 letters or digits at least."
        );
        return Err(Refused::invalid(variable, message).help(help));
    }
    Ok(value)
}

/// What a test number does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestOutcome {
    /// Taken.
    Approved,
    /// Refused with this code.
    Declined(&'static str),
    /// No answer, but taken; told [`CAPTURE_KNOWN_AFTER_SECONDS`] later.
    TimeoutThenCaptured,
    /// No answer, and never taken.
    Timeout,
}

/// The numbers that decide, for documentation and tests.
pub const TEST_NUMBERS: &[(&str, TestOutcome)] = &[
    ("4242424242424242", TestOutcome::Approved),
    ("4000056655665556", TestOutcome::Approved),
    ("5555555555554444", TestOutcome::Approved),
    ("2223003122003222", TestOutcome::Approved),
    ("378282246310005", TestOutcome::Approved),
    ("6011111111111117", TestOutcome::Approved),
    ("3056930009020004", TestOutcome::Approved),
    ("3566002020360505", TestOutcome::Approved),
    ("6200000000000005", TestOutcome::Approved),
    ("4000000000000002", TestOutcome::Declined("card_declined")),
    ("4000000000009995", TestOutcome::Declined("insufficient_funds")),
    ("4000000000000069", TestOutcome::Declined("expired_card")),
    ("4000000000000127", TestOutcome::Declined("incorrect_cvc")),
    ("4000000000000119", TestOutcome::Declined("processing_error")),
    (TIMEOUT_THEN_CAPTURED, TestOutcome::TimeoutThenCaptured),
    (TIMEOUT, TestOutcome::Timeout),
];

/// The number whose answer is lost although the money is taken; Servery's own.
pub const TIMEOUT_THEN_CAPTURED: &str = "4000000000004087";
/// The number whose answer is lost and whose money is never taken; Servery's own.
pub const TIMEOUT: &str = "4000000000005043";

fn outcome_of(card: &CardDetails, now: Timestamp) -> TestOutcome {
    let known = TEST_NUMBERS.iter().find(|(number, _)| *number == card.expose_number());
    match known {
        None => TestOutcome::Declined("test_mode"),
        Some((_, TestOutcome::Approved)) if card.is_expired(now) => TestOutcome::Declined("expired_card"),
        Some((_, outcome)) => *outcome,
    }
}

/// The simulated card gateway.
#[derive(Clone)]
pub struct CardGateway {
    provider: Provider,
    keys: CardKeys,
    respond: Arc<Respond>,
}

impl fmt::Debug for CardGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardGateway").field("provider", &self.provider).field("keys", &self.keys).finish()
    }
}

impl CardGateway {
    /// A gateway for this account.
    #[must_use]
    pub fn new(keys: CardKeys, provider: Provider) -> Self {
        let account = keys.clone();
        let respond: Arc<Respond> = Arc::new(move |charge| response(&account, charge));
        Self { provider, keys, respond }
    }

    /// Whether it runs on the demo's own keys.
    #[must_use]
    pub const fn is_demo(&self) -> bool {
        self.keys.is_demo()
    }

    async fn charge(&self, request: ChargeRequest) -> Result<ChargeAnswer, GatewayError> {
        let Instrument::Card(card) = &request.instrument else {
            return Err(GatewayError::Invalid("the card gateway takes cards only".to_owned()));
        };
        if request.amount.0 <= 0 {
            return Err(GatewayError::Invalid("a charge needs an amount above 0".to_owned()));
        }
        if let Some(before) = self.provider.made_before(&request.key, request.amount, request.currency).await? {
            return Ok(self.answer(&before));
        }
        let outcome = match self.provider.verdict(Operation::Charge(Method::Card), request.amount).await {
            None => outcome_of(card, self.provider.clock.now()),
            Some(Outcome::Approve) => TestOutcome::Approved,
            Some(Outcome::Decline) => TestOutcome::Declined("card_declined"),
            Some(Outcome::TimeoutThenCaptured) => TestOutcome::TimeoutThenCaptured,
            Some(Outcome::Timeout) => TestOutcome::Timeout,
            Some(Outcome::Error) => {
                return Err(GatewayError::Unreachable("as the gateway script says".to_owned()));
            }
        };
        let now = self.provider.clock.now();
        let mut charge = Charge {
            brand: Some(card.brand().as_str().to_owned()),
            last_four: Some(card.last_four().to_owned()),
            ..open_charge(&request.key, Method::Card, request.amount, request.currency, now)
        };
        match outcome {
            TestOutcome::Approved | TestOutcome::TimeoutThenCaptured => {
                charge.status = AttemptStatus::Captured;
                charge.gateway_payment_id = Some(identifier("pay", &request.key));
            }
            TestOutcome::Declined(code) => {
                charge.status = AttemptStatus::Failed;
                charge.reason = Some(code.to_owned());
            }
            TestOutcome::Timeout => {}
        }
        if outcome == TestOutcome::TimeoutThenCaptured {
            charge.known_from = Some(now.plus_seconds(CAPTURE_KNOWN_AFTER_SECONDS));
        }
        let kept = self.provider.keep(&charge).await?;
        Ok(self.answer(&kept))
    }

    /// What a caller is told about a charge now. The one place for the first answer and every repeat.
    fn answer(&self, charge: &Charge) -> ChargeAnswer {
        let told = charge.known_from.is_none_or(|from| from <= self.provider.clock.now());
        match charge.status {
            AttemptStatus::Captured if told => ChargeAnswer::Captured(capture_of(charge, &*self.respond)),
            AttemptStatus::Failed | AttemptStatus::Voided => ChargeAnswer::Declined(decline_of(charge)),
            AttemptStatus::Captured | AttemptStatus::Created | AttemptStatus::Authorized => ChargeAnswer::NoAnswer,
        }
    }
}

impl Gateway for CardGateway {
    fn name(&self) -> &'static str {
        Method::Card.provider_name()
    }

    fn method(&self) -> Method {
        Method::Card
    }

    fn create(&self, request: ChargeRequest) -> BoxFuture<'_, Result<ChargeAnswer, GatewayError>> {
        self.charge(request).boxed()
    }

    fn query<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<ChargeState, GatewayError>> {
        self.provider.query(key, &*self.respond).boxed()
    }

    fn void<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<VoidAnswer, GatewayError>> {
        self.provider.void(key, Method::Card, &*self.respond).boxed()
    }

    fn refund(&self, request: RefundRequest) -> BoxFuture<'_, Result<RefundAnswer, GatewayError>> {
        self.provider.refund(request).boxed()
    }
}

/// What an attempt keeps of a capture.
fn response(keys: &CardKeys, charge: &Charge) -> Value {
    json!({
        "provider": Method::Card.provider_name(),
        "simulated": true,
        "account": keys.publishable,
        "status": charge.status.as_str(),
        "token": keys.token(&charge.key),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payment::instrument::passes_luhn;

    #[test]
    fn every_test_number_is_one_that_a_customer_can_type() {
        for (number, _) in TEST_NUMBERS {
            assert!(passes_luhn(number), "{number}");
            let cvc = if number.len() == 15 { "1234" } else { "123" };
            assert_ne!(CardDetails::parse(number, "12/40", cvc).expect("a card").brand().as_str(), "card");
        }
    }

    #[test]
    fn keys_have_to_be_test_keys_and_are_never_shown() {
        let good = "sk_test_51Habcdefgh";
        let keys = CardKeys::from_variables(Some(good), Some(" pk_test_51Habcdefgh ")).expect("keys");
        assert!(!keys.is_demo() && CardKeys::demo().is_demo());
        assert!(!format!("{keys:?}").contains("51Habcdefgh"));
        for (secret, publishable, variable) in [
            (None, Some("pk_test_51Habcdefgh"), SECRET_KEY),
            (Some(" "), Some("pk_test_51Habcdefgh"), SECRET_KEY),
            (Some("sk_live_51Habcdefgh"), Some("pk_test_51Habcdefgh"), SECRET_KEY),
            (Some("sk_test_51H"), Some("pk_test_51Habcdefgh"), SECRET_KEY),
            (Some("sk_test_51Habc\u{1b}defgh"), Some("pk_test_51Habcdefgh"), SECRET_KEY),
            (Some(good), None, PUBLISHABLE_KEY),
            (Some(good), Some(good), PUBLISHABLE_KEY),
        ] {
            let refused = CardKeys::from_variables(secret, publishable).expect_err("no keys");
            assert_eq!(refused.details["field"], variable);
            assert!(refused.help.contains(variable) && refused.message.contains(variable));
            assert!(!refused.to_json().to_string().contains("51H"));
        }
    }

    #[test]
    fn a_token_is_of_one_charge_and_one_account() {
        let keys = CardKeys::demo();
        assert_eq!(keys.token("a"), keys.token("a"));
        assert_ne!(keys.token("a"), keys.token("b"));
        let other = CardKeys::from_variables(Some("sk_test_12345678"), Some("pk_test_12345678")).expect("keys");
        assert_ne!(keys.token("a"), other.token("a"));
    }
}
