//! What the house answers when it cannot do what was asked: a code, the guard that failed, what is
//! wrong in words, the details, and what the person can do next.
//!
//! The codes are those of source 002 §11.2 and the ones that the order machine adds. No other error
//! type crosses the service's door.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The documented error codes, as they stand in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    /// The request itself is not well formed.
    ValidationError,
    /// A one-time password is wrong, used or too old.
    InvalidOtp,
    /// An order was asked for with nothing in the cart.
    CartEmpty,
    /// The session is over.
    TokenExpired,
    /// The session's token is not one of ours, or the password is wrong.
    InvalidToken,
    /// The actor's role may not do this.
    InsufficientRole,
    /// The thing named does not exist here.
    NotFound,
    /// A menu item cannot be ordered now.
    ItemUnavailable,
    /// The time slot's cap is reached.
    OrderLimitReached,
    /// The house is closed.
    RestaurantClosed,
    /// The payment was refused.
    PaymentFailed,
    /// Too many tries; wait.
    RateLimited,
    /// A fault of ours.
    InternalError,
    /// Not enough of a stock item is available.
    InsufficientStock,
    /// The order's state does not allow this event.
    IllegalTransition,
    /// The thing belongs to somebody else, or this terminal may not do it.
    Forbidden,
    /// Somebody else changed it first, or it stands against another thing.
    Conflict,
    /// The same idempotency key came with another request.
    IdempotencyMismatch,
    /// The store cannot be reached; nothing was done.
    StoreUnavailable,
}

impl ErrorCode {
    /// Every code, for documentation and tests.
    pub const ALL: [Self; 19] = [
        Self::ValidationError,
        Self::InvalidOtp,
        Self::CartEmpty,
        Self::TokenExpired,
        Self::InvalidToken,
        Self::InsufficientRole,
        Self::NotFound,
        Self::ItemUnavailable,
        Self::OrderLimitReached,
        Self::RestaurantClosed,
        Self::PaymentFailed,
        Self::RateLimited,
        Self::InternalError,
        Self::InsufficientStock,
        Self::IllegalTransition,
        Self::Forbidden,
        Self::Conflict,
        Self::IdempotencyMismatch,
        Self::StoreUnavailable,
    ];

    /// The code as it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ValidationError => "VALIDATION_ERROR",
            Self::InvalidOtp => "INVALID_OTP",
            Self::CartEmpty => "CART_EMPTY",
            Self::TokenExpired => "TOKEN_EXPIRED",
            Self::InvalidToken => "INVALID_TOKEN",
            Self::InsufficientRole => "INSUFFICIENT_ROLE",
            Self::NotFound => "NOT_FOUND",
            Self::ItemUnavailable => "ITEM_UNAVAILABLE",
            Self::OrderLimitReached => "ORDER_LIMIT_REACHED",
            Self::RestaurantClosed => "RESTAURANT_CLOSED",
            Self::PaymentFailed => "PAYMENT_FAILED",
            Self::RateLimited => "RATE_LIMITED",
            Self::InternalError => "INTERNAL_ERROR",
            Self::InsufficientStock => "INSUFFICIENT_STOCK",
            Self::IllegalTransition => "ILLEGAL_TRANSITION",
            Self::Forbidden => "FORBIDDEN",
            Self::Conflict => "CONFLICT",
            Self::IdempotencyMismatch => "IDEMPOTENCY_MISMATCH",
            Self::StoreUnavailable => "STORE_UNAVAILABLE",
        }
    }

    /// What a person can do about it, where the refusal itself says nothing better.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::ValidationError => "Correct what is named and try again.",
            Self::InvalidOtp => "Ask for a new code and type it within five minutes.",
            Self::CartEmpty => "Add something from the menu first.",
            Self::TokenExpired => "Sign in again; nothing of your work is lost.",
            Self::InvalidToken => "Check the name and the password and sign in again.",
            Self::InsufficientRole => "Ask somebody with the right to do this, or sign in as them.",
            Self::NotFound => "Check the number or the name.",
            Self::ItemUnavailable => "Choose something else from the menu.",
            Self::OrderLimitReached => "Try again in the next time slot.",
            Self::RestaurantClosed => "Come back when we are open.",
            Self::PaymentFailed => "Try again, or pay another way. Nothing was charged.",
            Self::RateLimited => "Wait for the time named, then try again.",
            Self::InternalError => "Nothing was changed. Try again; if it stays, show the log to your operator.",
            Self::InsufficientStock => "Take fewer, or choose something else.",
            Self::IllegalTransition => "Look at the order again: its state may have changed.",
            Self::Forbidden => "Use your own order, or ask the staff.",
            Self::Conflict => "Look again, then repeat what still makes sense.",
            Self::IdempotencyMismatch => "Use a new key for a new request.",
            Self::StoreUnavailable => "Nothing was changed. Wait a moment and try again.",
        }
    }
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal: nothing was changed, and this says why and what to do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// The documented code.
    pub code: ErrorCode,
    /// The name of the guard that failed (`till_open`), where a rule of the order machine refused.
    pub guard: Option<&'static str>,
    /// What is wrong, in words for the person.
    pub message: String,
    /// The figures behind it, as JSON.
    pub details: Value,
    /// What the person can do next.
    pub help: String,
    /// What really happened, for the log only; never shown and never in JSON.
    pub cause: Option<String>,
}

impl Refused {
    /// A refusal with the code's own help and no details.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            guard: None,
            message: message.into(),
            details: json!({}),
            help: code.help().to_owned(),
            cause: None,
        }
    }

    /// A `VALIDATION_ERROR` of one named field.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::new(ErrorCode::ValidationError, message).with("field", field)
    }

    /// A `NOT_FOUND` of one named kind of thing.
    pub fn not_found(kind: &str, id: impl std::fmt::Display) -> Self {
        Self::new(ErrorCode::NotFound, format!("There is no {kind} {id} here."))
            .with("kind", kind)
            .with("id", id.to_string())
    }

    /// A `CONFLICT`: somebody was faster.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Conflict, message)
    }

    /// An `INTERNAL_ERROR`; `cause` is for the log.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        let mut refused = Self::new(ErrorCode::InternalError, "Something went wrong on our side.");
        refused.cause = Some(cause.to_string());
        refused
    }

    /// Adds one detail.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        if let Value::Object(map) = &mut self.details {
            map.insert(key.to_owned(), value.into());
        }
        self
    }

    /// Names the guard that failed.
    #[must_use]
    pub const fn by_guard(mut self, guard: &'static str) -> Self {
        self.guard = Some(guard);
        self
    }

    /// Replaces what the person can do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// The body that the command line prints: `{"error":{"code","message","details"}}`, with the
    /// guard and the help among the details.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut details = self.details.clone();
        if let Value::Object(map) = &mut details {
            if let Some(guard) = self.guard {
                map.insert("guard".to_owned(), guard.into());
            }
            map.insert("help".to_owned(), self.help.clone().into());
        }
        json!({ "error": { "code": self.code.as_str(), "message": self.message, "details": details } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_the_same_in_json_and_in_words() {
        for code in ErrorCode::ALL {
            assert_eq!(serde_json::to_value(code).expect("json"), json!(code.as_str()));
            assert!(code.help().ends_with('.'));
        }
    }

    #[test]
    fn a_refusal_tells_its_figures_and_keeps_its_cause() {
        let missing = Refused::not_found("order", 7).to_json();
        assert_eq!(
            missing,
            json!({"error": {"code": "NOT_FOUND", "message": "There is no order 7 here.",
                "details": {"kind": "order", "id": "7", "help": "Check the number or the name."}}})
        );
        let internal = Refused::internal("disk full");
        assert_eq!((internal.code, internal.cause.as_deref()), (ErrorCode::InternalError, Some("disk full")));
        assert!(!internal.to_json().to_string().contains("disk full"));
        let late = Refused::conflict("Somebody was faster.").help("Look again.");
        assert_eq!(
            (late.code, late.help.as_str(), late.to_string().as_str()),
            (ErrorCode::Conflict, "Look again.", "Somebody was faster.")
        );
        let said: std::collections::BTreeSet<_> = ErrorCode::ALL.iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), ErrorCode::ALL.len());
    }

    #[test]
    fn the_body_has_the_documented_shape() {
        let body = Refused::invalid("quantity", "At least 1.").by_guard("quantity").to_json();
        assert_eq!(body["error"]["code"], "VALIDATION_ERROR");
        assert_eq!(body["error"]["details"]["field"], "quantity");
        assert_eq!(body["error"]["details"]["guard"], "quantity");
    }
}
