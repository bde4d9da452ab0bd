//! `servery cart`: filling, changing and looking at a cart. It is the one kept for whoever acts, or
//! the one named with `--cart`.

use super::app::Role;
use super::desk::{Counter, Desk};
use super::output::{Done, shown, table};
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::fulfilment::Fulfilment;
use crate::domain::ids::{CartId, CartLineId, OptionId};
use crate::domain::money::{Currency, Money};
use crate::domain::price_trace::PriceTrace;
use crate::service::cart::{
    CartAcceptChanges, CartAdd, CartClear, CartFulfilment, CartNote, CartPromotion, CartRemove, CartSetQuantity,
    ShowCart,
};
use crate::service::menu::ItemDetail;
use crate::service::views::{CartLineView, CartView, ItemView};
use clap::{Args, Subcommand};

/// What can be done with a cart.
#[derive(Debug, Subcommand)]
pub enum Cart {
    /// Show the cart with its totals
    Show(Which),
    /// Put an item into the cart
    Add(Add),
    /// Set the quantity of a line, at least 1
    Set {
        /// The line: its number in the list, or its id
        line: String,
        /// How many
        quantity: i32,
        #[command(flatten)]
        which: Which,
    },
    /// Take a line out
    Remove {
        /// The line: its number in the list, or its id
        line: String,
        #[command(flatten)]
        which: Which,
    },
    /// Take everything out
    Clear(Which),
    /// Note something for the kitchen; nothing takes the note away
    Note {
        /// The note
        #[arg(default_value = "")]
        note: String,
        /// Note it on this line: its number in the list, or its id
        #[arg(long)]
        line: Option<String>,
        #[command(flatten)]
        which: Which,
    },
    /// Choose how the order reaches the customer: pickup, dine_in or delivery
    Fulfilment {
        /// How
        #[arg(value_parser = Fulfilment::parse)]
        fulfilment: Fulfilment,
        #[command(flatten)]
        which: Which,
    },
    /// Use a promotion code; nothing takes it away
    Promotion {
        /// The code
        code: Option<String>,
        #[command(flatten)]
        which: Which,
    },
    /// Agree to what changed on the menu since the items were added
    AcceptChanges(Which),
}

/// Which cart.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Which {
    /// The cart; else the one kept for you
    #[arg(long, value_name = "ID")]
    pub cart: Option<CartId>,
}

/// What is added.
#[derive(Debug, Args)]
pub struct Add {
    /// The item's code
    item: String,
    /// How many
    #[arg(long, short, default_value_t = 1)]
    quantity: i32,
    /// A choice, by its name; may be given several times
    #[arg(long = "option", short, value_name = "NAME")]
    options: Vec<String>,
    /// A note for the kitchen
    #[arg(long, default_value = "")]
    note: String,
    #[command(flatten)]
    which: Which,
}

/// The choices of an item by their names; ids are taken too.
///
/// # Errors
/// `NOT_FOUND` for a name that the item does not have.
pub fn choices(item: &ItemView, names: &[String]) -> Result<Vec<OptionId>, Refused> {
    names
        .iter()
        .map(|name| {
            item.option_groups
                .iter()
                .flat_map(|group| &group.choices)
                .find(|choice| choice.name.eq_ignore_ascii_case(name.trim()) || choice.id.to_string() == *name)
                .map(|choice| choice.id)
                .ok_or_else(|| Refused::not_found("option", shown(name)))
        })
        .collect()
}

/// Runs the command.
///
/// # Errors
/// What the use cases refuse.
pub async fn run(command: Cart, desk: &Desk) -> Done {
    let mut counter = desk.counter(Role::Command).await?;
    let view = match command {
        Cart::Show(which) => {
            let cart = cart_of(&mut counter, which)?;
            match counter.ask(ShowCart { cart }).await {
                // The cart kept for you is made when something is put into it.
                Err(refused) if which.cart.is_none() && refused.code == ErrorCode::NotFound => nothing_in(cart),
                found => found?,
            }
        }
        Cart::Add(add) => {
            let cart = cart_of(&mut counter, add.which)?;
            let item = counter.ask(ItemDetail { item: add.item }).await?;
            let options = choices(&item, &add.options)?;
            counter.execute(CartAdd { cart, item: item.id, options, quantity: add.quantity, note: add.note }).await?
        }
        Cart::Set { line, quantity, which } => {
            let cart = cart_of(&mut counter, which)?;
            let line = line_of(&counter, cart, &line).await?;
            counter.execute(CartSetQuantity { cart, line, quantity }).await?
        }
        Cart::Remove { line, which } => {
            let cart = cart_of(&mut counter, which)?;
            let line = line_of(&counter, cart, &line).await?;
            counter.execute(CartRemove { cart, line }).await?
        }
        Cart::Clear(which) => {
            let cart = cart_of(&mut counter, which)?;
            counter.execute(CartClear { cart }).await?
        }
        Cart::Note { note, line, which } => {
            let cart = cart_of(&mut counter, which)?;
            let line = match line {
                Some(line) => Some(line_of(&counter, cart, &line).await?),
                None => None,
            };
            counter.execute(CartNote { cart, line, note }).await?
        }
        Cart::Fulfilment { fulfilment, which } => {
            let cart = cart_of(&mut counter, which)?;
            counter.execute(CartFulfilment { cart, fulfilment }).await?
        }
        Cart::Promotion { code, which } => {
            let cart = cart_of(&mut counter, which)?;
            counter.execute(CartPromotion { cart, code }).await?
        }
        Cart::AcceptChanges(which) => {
            let cart = cart_of(&mut counter, which)?;
            counter.execute(CartAcceptChanges { cart }).await?
        }
    };
    let currency = counter.house.site.currency;
    counter.answer(&view, || words(&view, currency))
}

/// The cart meant; kept for the next command when it is new.
///
/// # Errors
/// `VALIDATION_ERROR` when it cannot be kept.
pub fn cart_of(counter: &mut Counter<'_>, which: Which) -> Result<CartId, Refused> {
    if let Some(cart) = which.cart {
        return Ok(cart);
    }
    let known = counter.actor.pocket.cart;
    let cart = counter.actor.cart(&counter.house);
    if known.is_none() {
        counter.actor.keep()?;
    }
    Ok(cart)
}

async fn line_of(counter: &Counter<'_>, cart: CartId, named: &str) -> Result<CartLineId, Refused> {
    if let Ok(id) = named.parse() {
        return Ok(id);
    }
    let view = counter.ask(ShowCart { cart }).await?;
    let at = named.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let line: Option<&CartLineView> = at.and_then(|at| view.lines.get(at));
    line.map(|line| line.id).ok_or_else(|| Refused::not_found("cart line", shown(named)))
}

fn nothing_in(cart: CartId) -> CartView {
    CartView {
        id: cart,
        fulfilment: None,
        note: String::new(),
        lines: Vec::new(),
        total_items: 0,
        subtotal: Money::ZERO,
        discount: Money::ZERO,
        tax: Money::ZERO,
        tax_inclusive: false,
        delivery: Money::ZERO,
        total: Money::ZERO,
        trace: PriceTrace::default(),
        promotion: None,
        changes: Vec::new(),
    }
}

fn words(view: &CartView, currency: Currency) -> String {
    if view.lines.is_empty() {
        return format!("The cart {} is empty.", view.id);
    }
    let rows: Vec<Vec<String>> = (1..)
        .zip(&view.lines)
        .map(|(number, line): (usize, &CartLineView)| {
            vec![
                number.to_string(),
                line.quantity.to_string(),
                line.name.clone(),
                line.options.join(", "),
                line.unit_price.display(currency),
                line.line_total.display(currency),
                line.note.clone(),
            ]
        })
        .collect();
    let mut out = table(&["#>", "QTY>", "ITEM", "OPTIONS", "EACH>", "TOTAL>", "NOTE"], &rows);
    for (name, amount) in
        [("Subtotal", view.subtotal), ("Discount", view.discount), ("Tax", view.tax), ("Delivery", view.delivery)]
    {
        if name == "Subtotal" || !amount.is_zero() {
            out.push_str(&format!("{name:<9} {}\n", amount.display(currency)));
        }
    }
    out.push_str(&format!("Total     {}\n", view.total.display(currency)));
    if !view.note.is_empty() {
        out.push_str(&format!("Note: {}\n", shown(&view.note)));
    }
    if let Some(promotion) = &view.promotion {
        match &promotion.refused {
            None => out.push_str(&format!("Promotion {}\n", shown(&promotion.code))),
            Some(why) => out.push_str(&format!("! Promotion {} cannot be used: {why}\n", shown(&promotion.code))),
        }
    }
    for change in &view.changes {
        out.push_str(&format!("! {} has changed on the menu: servery cart accept-changes\n", shown(&change.name)));
    }
    out
}
