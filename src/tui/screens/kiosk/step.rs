//! What a kiosk screen answers to an input, and what every one of them may look at. The visit carries
//! the steps out; the screens themselves know nothing of calls, keys of idempotency or each other.

use super::effect::KioskEffect;
use super::mode;
use crate::domain::fulfilment::Fulfilment;
use crate::domain::ids::{CartLineId, ItemId, OrderId};
use crate::domain::payment::Method;
use crate::service::views::{CartView, MenuView, OrderView};
use crate::tui::theme::Token;

/// What a screen may look at besides its own state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene<'a> {
    /// The menu as it was last read.
    pub menu: &'a MenuView,
    /// The cart as it was last read.
    pub cart: Option<&'a CartView>,
    /// The order, once one was placed.
    pub order: Option<&'a OrderView>,
    /// A change is on its way.
    pub busy: bool,
    /// The store cannot be reached.
    pub away: bool,
}

impl Scene<'_> {
    /// Whether anything stands in the cart.
    pub fn has_lines(&self) -> bool {
        self.cart.is_some_and(|cart| !cart.lines.is_empty())
    }

    /// Whether the order is to be brought to the customer.
    pub fn is_delivery(&self) -> bool {
        self.cart.is_some_and(|cart| cart.fulfilment == Some(Fulfilment::Delivery))
    }

    /// Whether the way that was chosen is no longer offered.
    pub fn way_is_gone(&self) -> bool {
        self.cart.is_some_and(|cart| mode::way_is_gone(cart, self.menu))
    }

    /// Whether orders are taken now.
    pub const fn takes_orders(&self) -> bool {
        self.menu.open && self.menu.slot.is_some()
    }
}

/// Which screen is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Eat here, take away, or have it brought.
    Mode,
    /// The menu.
    Menu,
    /// One item of it.
    Item,
    /// The cart.
    Cart,
    /// Address, name and payment method.
    Checkout,
    /// Paying, until it is clear what became of it.
    Payment,
    /// The number, and how far the kitchen is.
    Done,
}

/// What follows from an input.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing that can be seen.
    Nothing,
    /// Something was selected or typed: draw again.
    Drawn,
    /// Show another screen.
    Go(Stage),
    /// Open an item.
    OpenItem(ItemId),
    /// Change something in the house, one thing at a time.
    Change(KioskEffect),
    /// Place the order with this method and this name to call; a delivery goes to the checkout's address.
    Place(Method, String),
    /// Say something at the foot of the screen.
    Tell(String, Token),
    /// Ask something over the screen.
    Ask(Question),
    /// The customer is done: forget him.
    Leave,
}

/// What a dialog of the kiosk is about; its answer is judged by this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Question {
    /// Which diet to show.
    Diet,
    /// The text of a note.
    Note(NoteOf),
    /// Whether to change a note or to take it away.
    NoteChoice(NoteOf),
    /// The text of a promotion code.
    Code,
    /// Whether to type another code or to take it away.
    CodeChoice,
    /// What to do with a line.
    Line(CartLineId),
    /// Whether to empty the cart.
    Clear,
    /// Whether to agree to what the menu changed.
    Changes,
    /// Another way of getting the order, because the chosen one is no longer offered.
    Way,
    /// How the total came about.
    Trace,
    /// Whether to stop and lose the cart.
    Leave,
    /// Whether to cancel the order that is being paid.
    CancelOrder(OrderId),
}

/// What a note is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoteOf {
    /// The item that is being chosen.
    Item,
    /// The whole order.
    Order,
}
