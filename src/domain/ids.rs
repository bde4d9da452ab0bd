//! The identities of things: one newtype per kind, so that an order can never be taken for a line.
//!
//! Ids are UUIDv7 values made by the caller's [`crate::domain::ids::Ids`]; this file makes none from
//! the system's clock or randomness. The site is a short name, because people type it.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl From<Uuid> for $name {
            fn from(value: Uuid) -> Self {
                Self(value)
            }
        }
        impl From<$name> for Uuid {
            fn from(value: $name) -> Self {
                value.0
            }
        }
        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

id!(/// A category of the menu.
    CategoryId);
id!(/// An item of the menu.
    ItemId);
id!(/// A group of options of a menu item ("Size").
    OptionGroupId);
id!(/// One choice of an option group ("Large").
    OptionId);
id!(/// A counted thing in the store room.
    StockItemId);
id!(/// A cart.
    CartId);
id!(/// A line of a cart.
    CartLineId);
id!(/// An order.
    OrderId);
id!(/// A line of an order.
    LineId);
id!(/// One try to pay an order.
    AttemptId);
id!(/// One refund of an order.
    RefundId);
id!(/// A member of staff.
    StaffId);
id!(/// A guest's session at a kiosk, or a registered customer; the owner of carts and orders.
    CustomerId);
id!(/// A screen of the house: kiosk, kitchen, board or console.
    TerminalId);
id!(/// A till shift.
    ShiftId);
id!(/// A delivery assignment.
    AssignmentId);
id!(/// A promotion.
    PromotionId);
id!(/// A tax class.
    TaxClassId);
id!(/// A kitchen station.
    StationId);

/// The short name of a site ("main"): the first part of every key in the store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SiteId(pub String);

impl SiteId {
    /// The site of a store that has only one.
    pub const MAIN: &'static str = "main";
}

impl Default for SiteId {
    fn default() -> Self {
        Self(Self::MAIN.to_owned())
    }
}

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where new ids come from. Passed in, so that a test can make them predictable.
pub trait Ids: Send + Sync {
    /// A new UUIDv7 for the instant `now`.
    fn next(&self, now: super::time::Timestamp) -> Uuid;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_sites_are_written_as_they_are_typed() {
        let order = OrderId(Uuid::from_u128(7));
        assert_eq!(order.to_string(), "00000000-0000-0000-0000-000000000007");
        assert_eq!(order.to_string().parse::<OrderId>().expect("its own words"), order);
        assert_eq!(SiteId::default().to_string(), SiteId::MAIN);
    }
}
