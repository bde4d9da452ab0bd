//! What a sale uses of the store room, and what may therefore be sold now.
//!
//! A stock item is a counted thing; menu items and option choices use units of it. Uses are summed
//! per stock item before anything is compared (two lines that share an item, a combo). The counters
//! themselves, holds and movements live with the stock aggregate; nothing here changes them (I6).

use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::{ItemId, OptionId, StockItemId};
use crate::domain::menu::{Choice, Item, OptionGroup};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What uses stock when it is sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
pub enum Subject {
    /// A menu item.
    Item(ItemId),
    /// A choice of an option group.
    Choice(OptionId),
}

/// One sale of the subject uses so many units of a stock item. No row means untracked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consumption {
    /// What is sold.
    pub subject: Subject,
    /// What is used.
    pub stock_item_id: StockItemId,
    /// How many units one sale uses; above zero.
    pub units: i64,
}

impl Consumption {
    /// Checks the row by itself.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` on `units` unless above zero.
    pub fn validate(&self) -> Result<(), Refused> {
        if self.units > 0 { Ok(()) } else { Err(Refused::invalid("units", "One sale uses at least 1 unit.")) }
    }
}

/// What is sold, as far as stock is concerned: a line of a cart or of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaleLine<'a> {
    /// The menu item.
    pub item_id: ItemId,
    /// The choices taken with it.
    pub options: &'a [OptionId],
    /// How many.
    pub quantity: i64,
}

/// The consumption rows of a site together with what is available now.
#[derive(Clone, Copy)]
pub struct StockView<'a> {
    /// All consumption rows of the site.
    pub consumption: &'a [Consumption],
    /// on_hand − reserved of a stock item; `None` if it is not tracked.
    pub available: &'a dyn Fn(StockItemId) -> Option<i64>,
}

impl std::fmt::Debug for StockView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StockView").field("consumption", &self.consumption).finish_non_exhaustive()
    }
}

impl<'a> StockView<'a> {
    /// What all `lines` together use, summed per stock item.
    ///
    /// # Errors
    /// As [`uses`].
    pub fn uses(&self, lines: &[SaleLine<'_>]) -> Result<BTreeMap<StockItemId, i64>, Refused> {
        uses(lines, self.consumption)
    }

    /// How many sales of one item with these choices fit into what is available, once `others` have
    /// had theirs; `None` if nothing of it is tracked. Never below zero.
    ///
    /// # Errors
    /// As [`uses`].
    pub fn left(&self, item_id: ItemId, options: &[OptionId], others: &[SaleLine<'_>]) -> Result<Option<i64>, Refused> {
        let each = self.uses(&[SaleLine { item_id, options, quantity: 1 }])?;
        let taken = self.uses(others)?;
        Ok(each
            .iter()
            .filter_map(|(stock_item, units)| {
                let available = (self.available)(*stock_item)?;
                let free = available.saturating_sub(taken.get(stock_item).copied().unwrap_or(0)).max(0);
                free.checked_div(*units)
            })
            .min())
    }

    fn left_of(&self, subject: Subject) -> Option<i64> {
        self.consumption
            .iter()
            .filter(|row| row.subject == subject)
            .filter_map(|row| (self.available)(row.stock_item_id)?.max(0).checked_div(row.units))
            .min()
    }
}

/// What all `lines` together use, summed per stock item, in the order of their ids (the order in
/// which they are locked).
///
/// # Errors
/// `VALIDATION_ERROR` on `quantity` for a quantity below 1 or a sum beyond the range.
pub fn uses(lines: &[SaleLine<'_>], consumption: &[Consumption]) -> Result<BTreeMap<StockItemId, i64>, Refused> {
    let mut rows: BTreeMap<Subject, Vec<&Consumption>> = BTreeMap::new();
    for row in consumption {
        rows.entry(row.subject).or_default().push(row);
    }
    let mut total: BTreeMap<StockItemId, i64> = BTreeMap::new();
    for line in lines {
        if line.quantity < 1 {
            return Err(Refused::invalid("quantity", "At least 1."));
        }
        let subjects =
            std::iter::once(Subject::Item(line.item_id)).chain(line.options.iter().copied().map(Subject::Choice));
        for row in subjects.filter_map(|subject| rows.get(&subject)).flatten() {
            let sum = total.entry(row.stock_item_id).or_insert(0);
            *sum = row
                .units
                .checked_mul(line.quantity)
                .and_then(|used| sum.checked_add(used))
                .ok_or_else(|| Refused::invalid("quantity", "The quantity is too large."))?;
        }
    }
    Ok(total)
}

/// Whether an item can be ordered now (C24), and why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Availability {
    /// It can be ordered.
    Available {
        /// How many are left; `None` if it is not counted.
        left: Option<i64>,
    },
    /// None are left, or a required option has nothing left.
    SoldOut,
    /// It is served in other time slots only.
    OutOfSlot {
        /// The slots in which it is served.
        slots: Vec<String>,
    },
    /// Staff switched it off for now.
    EightySixed,
    /// It, or its category, is no longer on the menu.
    Inactive,
}

impl Availability {
    /// Whether it can be ordered.
    #[must_use]
    pub const fn is_available(&self) -> bool {
        matches!(self, Self::Available { .. })
    }

    /// Refuses the item called `name` unless it can be ordered.
    ///
    /// # Errors
    /// `INSUFFICIENT_STOCK` when sold out, else `ITEM_UNAVAILABLE` with the reason in the details.
    pub fn check(&self, name: &str) -> Result<(), Refused> {
        match self {
            Self::Available { .. } => Ok(()),
            Self::SoldOut => Err(insufficient_stock(name, 0, 1)),
            Self::OutOfSlot { slots } => {
                let message = format!("'{name}' is served only at: {}.", slots.join(", "));
                Err(unavailable(name, "out_of_slot", message).with("slots", slots.clone()))
            }
            Self::EightySixed => {
                Err(unavailable(name, "switched_off", format!("'{name}' is not available at the moment.")))
            }
            Self::Inactive => Err(not_on_menu(name)),
        }
    }
}

fn unavailable(name: &str, reason: &str, message: String) -> Refused {
    Refused::new(ErrorCode::ItemUnavailable, message).with("item", name).with("reason", reason)
}

/// The refusal of an item that is deleted, inactive, or in a hidden category.
#[must_use]
pub fn not_on_menu(name: &str) -> Refused {
    unavailable(name, "inactive", format!("'{name}' is no longer on the menu."))
}

/// The refusal of source 001, word for word.
#[must_use]
pub fn insufficient_stock(name: &str, available: i64, requested: i64) -> Refused {
    Refused::new(
        ErrorCode::InsufficientStock,
        format!("Insufficient stock for '{name}'. Available: {available}, Requested: {requested}"),
    )
    .with("item", name)
    .with("available", available)
    .with("requested", requested)
}

/// Whether the item can be ordered in the slot `slot_now`: on the menu AND switched on AND in its
/// slot AND (untracked OR something left).
///
/// An item without slots is served whenever the house serves; whether it serves at all without a
/// slot is the guard of Place. Pass the category's state through [`crate::domain::menu::Menu::availability`].
#[must_use]
pub fn availability(item: &Item, slot_now: Option<&str>, stock: &StockView<'_>) -> Availability {
    if !item.is_listed() {
        return Availability::Inactive;
    }
    if !item.available {
        return Availability::EightySixed;
    }
    if !item.slots.is_empty() && !slot_now.is_some_and(|now| item.slots.iter().any(|slot| slot == now)) {
        return Availability::OutOfSlot { slots: item.slots.clone() };
    }
    let left = stock.left_of(Subject::Item(item.id));
    let choosable = item.option_groups.iter().all(|group| group_can_be_met(group, stock));
    if left.is_some_and(|left| left < 1) || !choosable {
        return Availability::SoldOut;
    }
    Availability::Available { left }
}

/// How many of a choice are left: `Some(0)` if it is switched off or used up, `None` if not counted.
#[must_use]
pub fn choice_left(choice: &Choice, stock: &StockView<'_>) -> Option<i64> {
    if choice.available { stock.left_of(Subject::Choice(choice.id)) } else { Some(0) }
}

/// Whether enough choices are left for the group's minimum.
fn group_can_be_met(group: &OptionGroup, stock: &StockView<'_>) -> bool {
    let open = group.choices.iter().filter(|choice| choice_left(choice, stock) != Some(0)).count();
    usize::try_from(group.min).is_ok_and(|min| open >= min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::menu::fixtures::{choice, group, item};
    use uuid::Uuid;

    fn stock_id(number: u128) -> StockItemId {
        StockItemId(Uuid::from_u128(number))
    }

    fn row(subject: Subject, stock: u128, units: i64) -> Consumption {
        Consumption { subject, stock_item_id: stock_id(stock), units }
    }

    #[test]
    fn lines_that_share_a_stock_item_are_summed_first() {
        // invariants.md, Stock: two lines sharing an item; option that consumes stock; combo with
        // shared component.
        let (burger, combo, cheese) = (item(1), item(2), choice(9));
        let rows = [
            row(Subject::Item(burger.id), 1, 1),
            row(Subject::Item(combo.id), 1, 1),
            row(Subject::Item(combo.id), 2, 1),
            row(Subject::Choice(cheese.id), 3, 2),
        ];
        let options = [cheese.id];
        let lines = [
            SaleLine { item_id: burger.id, options: &options, quantity: 2 },
            SaleLine { item_id: combo.id, options: &[], quantity: 3 },
            SaleLine { item_id: item(7).id, options: &[], quantity: 4 },
        ];
        let used = uses(&lines, &rows).expect("in range");
        assert_eq!(used, BTreeMap::from([(stock_id(1), 5), (stock_id(2), 3), (stock_id(3), 4)]));
    }

    #[test]
    fn senseless_quantities_are_refused() {
        // invariants.md, Stock: qty 0, −1, i32 overflow.
        let burger = item(1);
        let rows = [row(Subject::Item(burger.id), 1, 3)];
        for quantity in [0, -1, i64::MAX] {
            let lines = [SaleLine { item_id: burger.id, options: &[], quantity }];
            assert_eq!(uses(&lines, &rows).expect_err("refused").code, ErrorCode::ValidationError);
        }
        let half = SaleLine { item_id: burger.id, options: &[], quantity: i64::MAX / 6 + 1 };
        assert!(uses(&[half, half], &rows).is_err());
        assert!(row(Subject::Item(burger.id), 1, 0).validate().is_err());
    }

    #[test]
    fn flag_and_slot_and_stock() {
        // C24.
        let mut dosa = item(1);
        let rows = [row(Subject::Item(dosa.id), 1, 2)];
        let with = |count: Option<i64>, dosa: &Item, slot: Option<&str>| {
            availability(dosa, slot, &StockView { consumption: &rows, available: &|_| count })
        };
        assert_eq!(with(Some(7), &dosa, None), Availability::Available { left: Some(3) });
        assert_eq!(with(None, &dosa, None), Availability::Available { left: None });
        assert_eq!(with(Some(1), &dosa, None), Availability::SoldOut);
        assert_eq!(with(Some(-4), &dosa, None), Availability::SoldOut);
        dosa.slots = vec!["breakfast".to_owned()];
        assert!(with(Some(7), &dosa, Some("breakfast")).is_available());
        let out = Availability::OutOfSlot { slots: vec!["breakfast".to_owned()] };
        assert_eq!(with(Some(7), &dosa, Some("lunch")), out);
        // invariants.md, Order: no slot now (10:30).
        assert_eq!(with(Some(7), &dosa, None), out);
        dosa.available = false;
        assert_eq!(with(Some(7), &dosa, Some("breakfast")), Availability::EightySixed);
        dosa.active = false;
        assert_eq!(with(Some(7), &dosa, Some("breakfast")), Availability::Inactive);
    }

    #[test]
    fn a_required_option_that_is_used_up_sells_the_item_out() {
        let mut dosa = item(1);
        dosa.option_groups = vec![group(1, 1, 1, vec![choice(11), choice(12)])];
        let rows = [row(Subject::Choice(choice(11).id), 1, 1), row(Subject::Choice(choice(12).id), 2, 1)];
        let none = StockView { consumption: &rows, available: &|_| Some(0) };
        assert_eq!(availability(&dosa, None, &none), Availability::SoldOut);
        let one = StockView { consumption: &rows, available: &|id| Some(i64::from(id == stock_id(2))) };
        assert!(availability(&dosa, None, &one).is_available());
        assert_eq!(choice_left(&choice(11), &one), Some(0));
        dosa.option_groups.iter_mut().for_each(|group| group.min = 0);
        assert!(availability(&dosa, None, &none).is_available());
    }

    #[test]
    fn a_choice_that_is_switched_off_cannot_be_taken() {
        let stock = StockView { consumption: &[], available: &|_| None };
        let mut dosa = item(1);
        dosa.option_groups = vec![group(1, 2, 2, vec![choice(11), choice(12)])];
        assert!(availability(&dosa, None, &stock).is_available());
        assert_eq!(choice_left(&choice(11), &stock), None, "not counted");
        let off = Choice { available: false, ..choice(12) };
        assert_eq!(choice_left(&off, &stock), Some(0));
        dosa.option_groups = vec![group(1, 2, 2, vec![choice(11), off])];
        assert_eq!(availability(&dosa, None, &stock), Availability::SoldOut);
    }

    #[test]
    fn what_is_left_counts_what_others_took() {
        let burger = item(1);
        let rows = [row(Subject::Item(burger.id), 1, 1)];
        let stock = StockView { consumption: &rows, available: &|_| Some(5) };
        let other = [SaleLine { item_id: burger.id, options: &[], quantity: 3 }];
        assert_eq!(stock.left(burger.id, &[], &other).expect("in range"), Some(2));
        let more = [SaleLine { item_id: burger.id, options: &[], quantity: 9 }];
        assert_eq!(stock.left(burger.id, &[], &more).expect("in range"), Some(0));
        assert_eq!(stock.left(item(2).id, &[], &more).expect("in range"), None);
    }

    #[test]
    fn refusals_say_why() {
        let sold_out = Availability::SoldOut.check("X").expect_err("refused");
        assert_eq!(sold_out.message, "Insufficient stock for 'X'. Available: 0, Requested: 1");
        let off = Availability::EightySixed.check("X").expect_err("refused");
        assert_eq!((off.code, off.details["reason"].as_str()), (ErrorCode::ItemUnavailable, Some("switched_off")));
        assert!(Availability::Available { left: None }.check("X").is_ok());
        let later = Availability::OutOfSlot { slots: vec!["lunch".to_owned(), "dinner".to_owned()] };
        let later = later.check("X").expect_err("refused");
        assert_eq!(later.message, "'X' is served only at: lunch, dinner.");
        assert_eq!((later.code, later.details["reason"].as_str()), (ErrorCode::ItemUnavailable, Some("out_of_slot")));
        let gone = Availability::Inactive.check("X").expect_err("refused");
        assert_eq!((gone.code, gone.details["reason"].as_str()), (ErrorCode::ItemUnavailable, Some("inactive")));
        assert!(!Availability::Inactive.is_available());
    }
}
