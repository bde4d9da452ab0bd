//! What the kiosk asks of the house, and what it is told: plain data, one variant per use case or
//! query, so that the handler maps them one to one. No state and no drawing here.

use crate::domain::error::Refused;
use crate::domain::fulfilment::Fulfilment;
use crate::domain::ids::{AttemptId, CartId, CartLineId, CustomerId, ItemId, OptionId, OrderId};
use crate::domain::payment::Method;
use crate::service::views::{CartView, MenuView, OrderView, Placed};
use crate::tui::app::RequestId;
use std::fmt;
use uuid::Uuid;
use zeroize::Zeroizing;

/// What a site sets for its kiosks. Given at the start, and anew with every menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KioskSettings {
    /// After so many seconds without a touch the kiosk asks whether somebody is there; 0: never.
    pub idle_seconds: i64,
    /// So many seconds later it forgets the customer.
    pub warning_seconds: i64,
}

impl Default for KioskSettings {
    fn default() -> Self {
        Self { idle_seconds: 60, warning_seconds: 15 }
    }
}

impl From<&MenuView> for KioskSettings {
    fn from(menu: &MenuView) -> Self {
        Self { idle_seconds: menu.kiosk_idle_seconds, warning_seconds: menu.kiosk_warning_seconds }
    }
}

/// One customer at the kiosk, as the handler made him.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guest {
    /// Names the visit; the first part of every idempotency key of it.
    pub visit: Uuid,
    /// The owner of the cart and the orders.
    pub customer: CustomerId,
    /// His cart, still empty.
    pub cart: CartId,
}

/// One call on the house. Its answer is a [`KioskMsg`] with the same `request`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KioskCall {
    /// Comes back with the answer.
    pub request: RequestId,
    /// Who asks; `None` for what needs no customer.
    pub guest: Option<Guest>,
    /// The idempotency key of everything that changes something. The same change asked again after
    /// an answer that left it open whether it was done carries the same key.
    pub key: Option<String>,
    /// What is asked.
    pub effect: KioskEffect,
}

/// What the kiosk asks of the house.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KioskEffect {
    /// The menu as it is now. Answer: [`KioskReply::Menu`].
    LoadMenu,
    /// Make a guest and an empty cart. Answer: [`KioskReply::Guest`].
    StartGuest,
    /// The cart with its quote. Answer: [`KioskReply::Cart`], as for everything on carts below.
    LoadCart {
        /// The cart.
        cart: CartId,
    },
    /// Put an item into the cart.
    AddToCart {
        /// The cart.
        cart: CartId,
        /// The item.
        item: ItemId,
        /// The choices.
        options: Vec<OptionId>,
        /// Units, at least 1.
        quantity: i32,
        /// For the kitchen; may be empty.
        note: String,
    },
    /// Change how many of a line.
    SetQuantity {
        /// The cart.
        cart: CartId,
        /// The line.
        line: CartLineId,
        /// Units, at least 1.
        quantity: i32,
    },
    /// Take a line out.
    RemoveLine {
        /// The cart.
        cart: CartId,
        /// The line.
        line: CartLineId,
    },
    /// Take everything out.
    ClearCart {
        /// The cart.
        cart: CartId,
    },
    /// Say how the order reaches the customer.
    SetFulfilment {
        /// The cart.
        cart: CartId,
        /// How.
        fulfilment: Fulfilment,
    },
    /// Write the note of the whole order.
    SetCartNote {
        /// The cart.
        cart: CartId,
        /// The note; empty takes it away.
        note: String,
    },
    /// Use a promotion code, or none any more.
    SetPromotion {
        /// The cart.
        cart: CartId,
        /// The code as it was typed.
        code: Option<String>,
    },
    /// Agree to the names and prices that the menu has now.
    AcceptChanges {
        /// The cart.
        cart: CartId,
    },
    /// Make an order of the cart. Answer: [`KioskReply::Placed`].
    Place {
        /// The cart.
        cart: CartId,
        /// How it will be paid.
        method: Method,
        /// A name or a pager number to call.
        called_name: Option<String>,
        /// Where a delivery goes.
        address: Option<Secret>,
        /// The failed order that this one tries again.
        retry_of: Option<OrderId>,
        /// The total that the customer has seen, in minor units.
        expected_total: i64,
        /// Write the first attempt with it: the code to scan is shown at once. A card is read first,
        /// while the stock is held.
        pay_now: bool,
    },
    /// Pay by card: begin an attempt where there is none, call the gateway, apply its answer.
    /// Answer: [`KioskReply::Order`] with what became of it (paid, failed, or an unknown attempt).
    PayCard {
        /// The order.
        order: OrderId,
        /// The attempt that Place wrote, if it did.
        attempt: Option<AttemptId>,
        /// The card.
        card: CardDetails,
    },
    /// Make the code that a phone pays. Answer: [`KioskReply::UpiCode`].
    PayUpi {
        /// The order.
        order: OrderId,
        /// The attempt that Place wrote, if it did.
        attempt: Option<AttemptId>,
    },
    /// Ask the gateway about an open attempt and apply what it says. Answer: [`KioskReply::Order`].
    PollPayment {
        /// The order.
        order: OrderId,
    },
    /// The order as it is now. Answer: [`KioskReply::Order`].
    LoadOrder {
        /// The order.
        order: OrderId,
    },
    /// Keep the held items longer, once. Answer: [`KioskReply::Order`].
    ExtendHold {
        /// The order.
        order: OrderId,
    },
    /// Cancel the order; an attempt of a code that nobody has paid is voided at the gateway first.
    /// Answer: [`KioskReply::Order`]. Also sent, without waiting, for a customer who walked away
    /// from an order without an attempt.
    CancelOrder {
        /// The order.
        order: OrderId,
    },
    /// Is this the terminal's exit PIN? Answer: [`KioskReply::ExitPin`].
    CheckExitPin {
        /// What was typed.
        pin: Secret,
    },
}

impl KioskEffect {
    /// Whether it changes something, and so carries an idempotency key.
    #[must_use]
    pub const fn changes(&self) -> bool {
        !matches!(
            self,
            Self::LoadMenu
                | Self::StartGuest
                | Self::LoadCart { .. }
                | Self::PollPayment { .. }
                | Self::LoadOrder { .. }
                | Self::CheckExitPin { .. }
        )
    }

    /// The effect as it is remembered until it is answered: without the card.
    #[must_use]
    pub fn without_card(&self) -> Self {
        match self {
            Self::PayCard { order, attempt, .. } => {
                Self::PayCard { order: *order, attempt: *attempt, card: CardDetails::default() }
            }
            other => other.clone(),
        }
    }
}

/// An answer of the house.
#[derive(Debug, Clone, PartialEq)]
pub struct KioskMsg {
    /// The call that it answers.
    pub request: RequestId,
    /// The answer.
    pub reply: KioskReply,
}

/// What the house answers.
#[derive(Debug, Clone, PartialEq)]
pub enum KioskReply {
    /// The menu.
    Menu(Result<Box<MenuView>, Refused>),
    /// A new guest.
    Guest(Result<Guest, Refused>),
    /// The cart after the change.
    Cart(Result<Box<CartView>, Refused>),
    /// The order that was made.
    Placed(Result<Box<Placed>, Refused>),
    /// The order as it is now.
    Order(Result<Box<OrderView>, Refused>),
    /// The code to scan.
    UpiCode(Result<PaymentCode, Refused>),
    /// The PIN was right, or why not.
    ExitPin(Result<(), Refused>),
}

/// A code for a camera, drawn in characters (see [`crate::payment::qr`]).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PaymentCode {
    /// The rows, with the quiet zone, all of one width; drawn dark on light.
    pub rows: Vec<String>,
    /// The same as text, for where the picture does not fit.
    pub text: String,
}

/// Something typed that must not get into a log. Overwritten when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Zeroizing<String>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(•••)")
    }
}

/// A card as it was typed: on its way to the gateway and nowhere else. Overwritten when dropped.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct CardDetails {
    /// The number, digits only.
    pub number: Zeroizing<String>,
    /// The month and the year, MMYY.
    pub expiry: Zeroizing<String>,
    /// The check number.
    pub cvc: Zeroizing<String>,
}

impl fmt::Debug for CardDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardDetails(•••)")
    }
}
