//! The cart: lines, their quantities and notes, and what changed on the menu since they were added.
//!
//! A cart changes no stock, cap, promotion use or number (I6); it only looks at what is available.
//! Each operation either does all of it or refuses and leaves the cart as it was. Whether the order
//! can be placed is judged again, inside the transaction, by Place.

use crate::domain::consumption::{Availability, SaleLine, StockView, insufficient_stock, not_on_menu};
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::fulfilment::Fulfilment;
use crate::domain::ids::{CartId, CartLineId, CustomerId, ItemId, OptionId};
use crate::domain::menu::{ChosenOption, Item, Menu};
use crate::domain::money::Money;
use crate::domain::pricing::{QuoteLine, QuoteOption};
use crate::domain::text;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The most of one line.
pub const MAX_QUANTITY: i32 = 999;
/// The most lines of a cart.
pub const MAX_LINES: usize = 100;
/// The longest note on a line, in user-perceived characters.
pub const MAX_LINE_NOTE: usize = 200;
/// The longest note on the whole order.
pub const MAX_NOTE: usize = 500;

/// What may still happen to a cart (C9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CartState {
    /// The customer is filling it.
    Open,
    /// An order was placed from it and is not paid yet.
    Locked,
    /// Its order is paid, or placed for cash; over.
    Consumed,
}

impl CartState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Open, Self::Locked, Self::Consumed];

    /// The word in JSON and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Locked => "locked",
            Self::Consumed => "consumed",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` on `cart.state` for any other word.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| Refused::invalid("cart.state", "Say open, locked or consumed."))
    }
}

/// One line: an item with its options, how many, and what the customer saw when adding it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartLine {
    /// Identity.
    pub id: CartLineId,
    /// The menu item.
    pub item_id: ItemId,
    /// The choices taken, sorted, so that equal choices compare equal.
    pub options: Vec<OptionId>,
    /// How many; 1 to [`MAX_QUANTITY`].
    pub quantity: i32,
    /// A note for the kitchen; cleaned and masked.
    pub note: String,
    /// The price of one, options included, that the customer saw.
    pub unit_price_seen: Money,
    /// The name that the customer saw.
    pub name_seen: String,
}

impl CartLine {
    /// The line as far as stock is concerned.
    fn sale(&self) -> SaleLine<'_> {
        SaleLine { item_id: self.item_id, options: &self.options, quantity: i64::from(self.quantity) }
    }

    fn is_like(&self, other: &Self) -> bool {
        self.item_id == other.item_id && self.options == other.options && self.note == other.note
    }
}

/// A customer's cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// Identity.
    pub id: CartId,
    /// Whose it is.
    pub owner: CustomerId,
    /// What may still happen to it.
    pub state: CartState,
    /// How the food is to reach the customer, once chosen.
    pub fulfilment: Option<Fulfilment>,
    /// A note on the whole order; cleaned and masked.
    pub note: String,
    /// The lines, in the order in which they were added.
    pub lines: Vec<CartLine>,
    /// When it was last changed; the time to live counts from here.
    pub updated_at: Timestamp,
}

/// What a customer asks to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addition<'a> {
    /// The id of the line, if it becomes one of its own.
    pub line_id: CartLineId,
    /// The item, as it stands on the menu.
    pub item: &'a Item,
    /// The choices.
    pub options: &'a [OptionId],
    /// How many.
    pub quantity: i32,
    /// A note for the kitchen.
    pub note: &'a str,
}

/// A note as it may be stored: clean, without numbers of cards and telephones (003-097).
fn stored_note(typed: &str, max: usize) -> String {
    text::mask_sensitive(&text::clean(typed, max, true))
}

fn check_quantity(quantity: i32) -> Result<(), Refused> {
    if quantity < 1 {
        let refused = Refused::invalid("quantity", "A line has at least 1.");
        return Err(refused.help("To take it out, remove the line."));
    }
    if quantity > MAX_QUANTITY {
        return Err(Refused::invalid("quantity", format!("A line has at most {MAX_QUANTITY}.")));
    }
    Ok(())
}

impl Cart {
    /// An empty, open cart.
    #[must_use]
    pub const fn new(id: CartId, owner: CustomerId, now: Timestamp) -> Self {
        Self {
            id,
            owner,
            state: CartState::Open,
            fulfilment: None,
            note: String::new(),
            lines: Vec::new(),
            updated_at: now,
        }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// How many portions there are in all lines together.
    #[must_use]
    pub fn total_items(&self) -> i64 {
        self.lines.iter().map(|line| i64::from(line.quantity)).sum()
    }

    /// The line of this id.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none.
    pub fn line(&self, id: CartLineId) -> Result<&CartLine, Refused> {
        self.lines.iter().find(|line| line.id == id).ok_or_else(|| Refused::not_found("cart line", id))
    }

    fn line_mut(&mut self, id: CartLineId) -> Result<&mut CartLine, Refused> {
        self.lines.iter_mut().find(|line| line.id == id).ok_or_else(|| Refused::not_found("cart line", id))
    }

    /// Refuses to change a cart from which an order was placed.
    ///
    /// # Errors
    /// `CONFLICT` by guard `cart_open`.
    pub fn check_open(&self) -> Result<(), Refused> {
        match self.state {
            CartState::Open => Ok(()),
            CartState::Locked => Err(Refused::conflict("This cart is being checked out.")
                .by_guard("cart_open")
                .help("Pay or cancel its order first.")),
            CartState::Consumed => {
                Err(Refused::conflict("This cart has become an order.").by_guard("cart_open").help("Start a new one."))
            }
        }
    }

    /// Refuses `line` unless its quantity fits into what the other lines leave (000: never above
    /// stock). Only this line is judged, so that one line gone short does not lock the others.
    fn check_stock(&self, line: &CartLine, stock: &StockView<'_>) -> Result<(), Refused> {
        let requested = i64::from(line.quantity);
        match self.left_for(line, stock)? {
            Some(left) if left < requested => Err(insufficient_stock(&line.name_seen, left, requested)),
            _ => Ok(()),
        }
    }

    /// How many the line can have at most, given the other lines; `None` if nothing of it is counted.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` on `quantity` for sums beyond the range.
    pub fn left_for(&self, line: &CartLine, stock: &StockView<'_>) -> Result<Option<i64>, Refused> {
        let others: Vec<SaleLine<'_>> =
            self.lines.iter().filter(|other| other.id != line.id).map(CartLine::sale).collect();
        stock.left(line.item_id, &line.options, &others)
    }

    /// Adds portions of an item; an identical line (same item, options and note) grows instead.
    /// Answers the id of the line.
    ///
    /// # Errors
    /// `CONFLICT` unless open; `VALIDATION_ERROR` on `quantity`, `options` or `lines`;
    /// `ITEM_UNAVAILABLE` for a choice that is switched off; `INSUFFICIENT_STOCK`. Whether the item
    /// itself can be ordered now is asked before, with [`Availability::check`].
    pub fn add(
        &mut self,
        addition: &Addition<'_>,
        stock: &StockView<'_>,
        now: Timestamp,
    ) -> Result<CartLineId, Refused> {
        self.check_open()?;
        check_quantity(addition.quantity)?;
        let item = addition.item;
        let unit_price_seen = item.unit_price(&item.choose(addition.options)?)?;
        let mut options = addition.options.to_vec();
        options.sort_unstable();
        let mut line = CartLine {
            id: addition.line_id,
            item_id: item.id,
            options,
            quantity: addition.quantity,
            note: stored_note(addition.note, MAX_LINE_NOTE),
            unit_price_seen,
            name_seen: item.name.clone(),
        };
        let like = self.lines.iter().position(|present| present.is_like(&line));
        if let Some(present) = like.and_then(|index| self.lines.get(index)) {
            line.id = present.id;
            line.quantity = present.quantity.saturating_add(line.quantity);
            check_quantity(line.quantity)?;
        } else if self.lines.len() >= MAX_LINES {
            return Err(Refused::invalid("lines", format!("A cart has at most {MAX_LINES} lines.")));
        }
        self.check_stock(&line, stock)?;
        let id = line.id;
        match like.and_then(|index| self.lines.get_mut(index)) {
            Some(present) => *present = line,
            None => self.lines.push(line),
        }
        self.updated_at = now;
        Ok(id)
    }

    /// Sets how many the line has. Taking fewer is always allowed, even when stock fell below; taking
    /// none is refused, because removing is an act of its own (C23).
    ///
    /// # Errors
    /// `CONFLICT` unless open; `NOT_FOUND`; `VALIDATION_ERROR` on `quantity`; `INSUFFICIENT_STOCK`.
    pub fn set_quantity(
        &mut self,
        id: CartLineId,
        quantity: i32,
        stock: &StockView<'_>,
        now: Timestamp,
    ) -> Result<(), Refused> {
        self.check_open()?;
        check_quantity(quantity)?;
        let line = self.line(id)?;
        if quantity > line.quantity {
            self.check_stock(&CartLine { quantity, ..line.clone() }, stock)?;
        }
        self.line_mut(id)?.quantity = quantity;
        self.updated_at = now;
        Ok(())
    }

    /// The `+` key: one more. Answers the new quantity.
    ///
    /// # Errors
    /// As [`Cart::set_quantity`].
    pub fn increase(&mut self, id: CartLineId, stock: &StockView<'_>, now: Timestamp) -> Result<i32, Refused> {
        let quantity = self.line(id)?.quantity.saturating_add(1);
        self.set_quantity(id, quantity, stock, now).map(|()| quantity)
    }

    /// The `−` key: one fewer, but it stops at 1 (C23). Answers the new quantity.
    ///
    /// # Errors
    /// `CONFLICT` unless open; `NOT_FOUND`.
    pub fn decrease(&mut self, id: CartLineId, now: Timestamp) -> Result<i32, Refused> {
        self.check_open()?;
        let line = self.line_mut(id)?;
        line.quantity = line.quantity.saturating_sub(1).max(1);
        let quantity = line.quantity;
        self.updated_at = now;
        Ok(quantity)
    }

    /// Takes a line out.
    ///
    /// # Errors
    /// `CONFLICT` unless open; `NOT_FOUND`.
    pub fn remove(&mut self, id: CartLineId, now: Timestamp) -> Result<(), Refused> {
        self.check_open()?;
        self.line(id)?;
        self.lines.retain(|line| line.id != id);
        self.updated_at = now;
        Ok(())
    }

    /// Takes everything out, the note too.
    ///
    /// # Errors
    /// `CONFLICT` unless open.
    pub fn clear(&mut self, now: Timestamp) -> Result<(), Refused> {
        self.check_open()?;
        self.lines.clear();
        self.note.clear();
        self.updated_at = now;
        Ok(())
    }

    /// Sets the note on the whole order.
    ///
    /// # Errors
    /// `CONFLICT` unless open.
    pub fn set_note(&mut self, note: &str, now: Timestamp) -> Result<(), Refused> {
        self.check_open()?;
        self.note = stored_note(note, MAX_NOTE);
        self.updated_at = now;
        Ok(())
    }

    /// Sets the note of a line. A line that thereby becomes like another one stays by itself.
    ///
    /// # Errors
    /// `CONFLICT` unless open; `NOT_FOUND`.
    pub fn set_line_note(&mut self, id: CartLineId, note: &str, now: Timestamp) -> Result<(), Refused> {
        self.check_open()?;
        self.line_mut(id)?.note = stored_note(note, MAX_LINE_NOTE);
        self.updated_at = now;
        Ok(())
    }

    /// Sets how the food is to reach the customer.
    ///
    /// # Errors
    /// `CONFLICT` unless open.
    pub fn set_fulfilment(&mut self, fulfilment: Fulfilment, now: Timestamp) -> Result<(), Refused> {
        self.check_open()?;
        self.fulfilment = Some(fulfilment);
        self.updated_at = now;
        Ok(())
    }

    /// Locks the cart: an order was placed from it (C9).
    ///
    /// # Errors
    /// `CONFLICT` unless open; `CART_EMPTY` in the words of 001.
    pub fn lock(&mut self, now: Timestamp) -> Result<(), Refused> {
        self.check_open()?;
        if self.is_empty() {
            return Err(cart_empty());
        }
        self.state = CartState::Locked;
        self.updated_at = now;
        Ok(())
    }

    /// Ends the cart: its order is paid, or placed for cash (C9). Doing it again changes nothing.
    ///
    /// # Errors
    /// `CONFLICT` while still open.
    pub fn consume(&mut self, now: Timestamp) -> Result<(), Refused> {
        match self.state {
            CartState::Open => Err(Refused::conflict("No order was placed from this cart.").by_guard("cart_locked")),
            CartState::Locked => {
                self.state = CartState::Consumed;
                self.updated_at = now;
                Ok(())
            }
            CartState::Consumed => Ok(()),
        }
    }

    /// Opens the cart again: its order ended unpaid (C9: T4, T6, T7, T8). Doing it again changes
    /// nothing.
    ///
    /// # Errors
    /// `CONFLICT` when consumed.
    pub fn reopen(&mut self, now: Timestamp) -> Result<(), Refused> {
        match self.state {
            CartState::Open => Ok(()),
            CartState::Locked => {
                self.state = CartState::Open;
                self.updated_at = now;
                Ok(())
            }
            CartState::Consumed => self.check_open(),
        }
    }

    /// The lines at today's prices, for the quote, each with the choices that its order line keeps.
    ///
    /// # Errors
    /// `ITEM_UNAVAILABLE` for an item that is not on the menu, and as [`Item::choose`].
    pub fn quote_lines(&self, menu: &Menu) -> Result<Vec<(QuoteLine, Vec<ChosenOption>)>, Refused> {
        self.lines
            .iter()
            .map(|line| {
                let item = menu
                    .item(line.item_id)
                    .filter(|item| item.is_listed())
                    .ok_or_else(|| not_on_menu(&line.name_seen))?;
                let chosen = item.choose(&line.options)?;
                let options = chosen
                    .iter()
                    .map(|option| QuoteOption { name: option.name.clone(), price_delta: option.price_delta })
                    .collect();
                let priced = QuoteLine {
                    id: line.id.into(),
                    name: item.name.clone(),
                    unit_price: item.price,
                    options,
                    quantity: i64::from(line.quantity),
                    tax_class: item.tax_class,
                };
                Ok((priced, chosen))
            })
            .collect()
    }
}

/// The refusal of 001 for an order without lines, word for word.
#[must_use]
pub fn cart_empty() -> Refused {
    Refused::new(ErrorCode::CartEmpty, "Cart is empty. Add items before checkout.")
}

/// What changed about a line since the customer saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "change")]
pub enum Change {
    /// The item has another name.
    Renamed {
        /// The name that the customer saw.
        was: String,
        /// The name now.
        now: String,
    },
    /// One costs something else, options included.
    Repriced {
        /// The price that the customer saw.
        was: Money,
        /// The price now.
        now: Money,
    },
    /// The item is no longer on the menu.
    Gone,
    /// The item cannot be ordered now: switched off, or out of its slot.
    Unavailable {
        /// Why.
        availability: Availability,
    },
    /// Fewer are left than the line has; 0 is sold out.
    Short {
        /// How many the line can have.
        available: i64,
        /// How many it has.
        requested: i64,
    },
    /// The choices no longer fit the item's options.
    OptionsChanged {
        /// What is wrong with them.
        reason: String,
    },
}

impl Change {
    /// Whether no order can be placed until the line is changed or removed; a new name or price only
    /// wants the customer's nod.
    #[must_use]
    pub const fn blocks(&self) -> bool {
        !matches!(self, Self::Renamed { .. } | Self::Repriced { .. })
    }
}

/// A change of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartChange {
    /// The line.
    pub line_id: CartLineId,
    /// The name that the customer saw.
    pub name: String,
    /// What changed.
    #[serde(flatten)]
    pub change: Change,
}

/// Everything that changed on the menu and in stock since the lines were added, line by line.
///
/// # Errors
/// `VALIDATION_ERROR` for sums beyond the range.
pub fn changes(
    cart: &Cart,
    menu: &Menu,
    slot_now: Option<&str>,
    stock: &StockView<'_>,
) -> Result<Vec<CartChange>, Refused> {
    let mut found = Vec::new();
    for line in &cart.lines {
        let mut tell = |change| found.push(CartChange { line_id: line.id, name: line.name_seen.clone(), change });
        let availability = menu.availability(line.item_id, slot_now, stock);
        let Some(item) = menu.item(line.item_id).filter(|_| availability != Availability::Inactive) else {
            tell(Change::Gone);
            continue;
        };
        if item.name != line.name_seen {
            tell(Change::Renamed { was: line.name_seen.clone(), now: item.name.clone() });
        }
        match item.choose(&line.options).and_then(|chosen| item.unit_price(&chosen)) {
            Ok(price) if price != line.unit_price_seen => {
                tell(Change::Repriced { was: line.unit_price_seen, now: price });
            }
            Ok(_) => {}
            Err(refused) => tell(Change::OptionsChanged { reason: refused.message }),
        }
        let requested = i64::from(line.quantity);
        match availability {
            Availability::Available { .. } => match cart.left_for(line, stock)? {
                Some(available) if available < requested => tell(Change::Short { available, requested }),
                _ => {}
            },
            Availability::SoldOut => tell(Change::Short { available: 0, requested }),
            availability => tell(Change::Unavailable { availability }),
        }
    }
    Ok(found)
}

/// Makes the cart show what the menu says now, once the customer has agreed to the changes: names and
/// prices of lines that still fit. Lines that block stay as they are.
///
/// # Errors
/// `CONFLICT` unless open.
pub fn accept_changes(cart: &mut Cart, menu: &Menu, now: Timestamp) -> Result<(), Refused> {
    cart.check_open()?;
    for line in &mut cart.lines {
        let Some(item) = menu.item(line.item_id) else { continue };
        if let Ok(price) = item.choose(&line.options).and_then(|chosen| item.unit_price(&chosen)) {
            line.unit_price_seen = price;
            line.name_seen.clone_from(&item.name);
        }
    }
    cart.updated_at = now;
    Ok(())
}

#[cfg(test)]
mod tests;
