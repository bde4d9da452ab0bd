//! How the food reaches the customer. Only the three words live here; what each allows is the order
//! machine's business.

use crate::domain::error::Refused;
use serde::{Deserialize, Serialize};

/// How the food reaches the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fulfilment {
    /// Taken away from the counter.
    Pickup,
    /// Eaten here.
    DineIn,
    /// Brought by a courier.
    Delivery,
}

impl Fulfilment {
    /// Every way, in the order in which screens offer them.
    pub const ALL: [Self; 3] = [Self::Pickup, Self::DineIn, Self::Delivery];

    /// The word in JSON and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pickup => "pickup",
            Self::DineIn => "dine_in",
            Self::Delivery => "delivery",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` on `fulfilment` for any other word.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        Self::ALL
            .into_iter()
            .find(|way| way.as_str() == text)
            .ok_or_else(|| Refused::invalid("fulfilment", "Say pickup, dine_in or delivery."))
    }
}

impl std::fmt::Display for Fulfilment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_same_in_json_and_in_the_store() {
        for way in Fulfilment::ALL {
            assert_eq!(Fulfilment::parse(way.as_str()).expect("own word"), way);
            assert_eq!(serde_json::to_value(way).expect("json"), way.as_str());
        }
        assert!(Fulfilment::parse("Pickup").is_err());
    }
}
