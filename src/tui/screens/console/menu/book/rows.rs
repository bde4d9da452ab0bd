//! The rows of the menu's list, and where a dish goes that is moved one row. No state, no drawing.

use super::sublist::next_place;
use crate::domain::ids::{CategoryId, ItemId};
use crate::service::menu_book::{CategoryRecord, ItemRecord, MenuBookView};
use crate::service::menu_edit::MoveItem;
use crate::service::menu_narrow::BookFilter;

/// One row of the list, with the place of what it shows in the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Row {
    Category(usize),
    Item(usize),
    /// Below it stands what is deleted.
    Deleted,
}

/// What is selected, whatever row it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Selected {
    Category(CategoryId),
    Item(ItemId),
}

/// The rows: each category with its dishes that `filter` lets through; what is deleted last, where it is
/// wanted. A filter that wants nothing else shows nothing else.
pub(super) fn rows(book: &MenuBookView, filter: &BookFilter, deleted: bool) -> Vec<Row> {
    let fits = |item: &ItemRecord| filter.fits(item, book);
    let mut rows = Vec::new();
    for (at, category) in book.categories.iter().enumerate().filter(|(_, one)| one.deleted_at.is_none()) {
        let own = |item: &ItemRecord| item.category_id == category.id && item.deleted_at.is_none() && fits(item);
        let items: Vec<Row> =
            book.items.iter().enumerate().filter(|(_, item)| own(item)).map(|(at, _)| Row::Item(at)).collect();
        if filter.is_empty() || !items.is_empty() {
            rows.push(Row::Category(at));
        }
        rows.extend(items);
    }
    if deleted || filter.wants_deleted() {
        rows.push(Row::Deleted);
        let gone = book.categories.iter().enumerate().filter(|(_, one)| one.deleted_at.is_some());
        rows.extend(gone.filter(|_| filter.is_empty()).map(|(at, _)| Row::Category(at)));
        let gone = book.items.iter().enumerate().filter(|(_, item)| item.deleted_at.is_some() && fits(item));
        rows.extend(gone.map(|(at, _)| Row::Item(at)));
    }
    rows
}

/// The place of a dish one earlier or later; beyond the end of its category it goes into the next one.
pub(super) fn shifted(item: &ItemRecord, book: &MenuBookView, later: bool) -> Option<MoveItem> {
    let of = |category: CategoryId| {
        let own = move |one: &&ItemRecord| one.category_id == category && one.deleted_at.is_none();
        book.items.iter().filter(own)
    };
    let at = of(item.category_id).position(|one| one.id == item.id)?;
    let name = item.id.to_string();
    if let Some(place) = next_place(at, of(item.category_id).count(), later) {
        return Some(MoveItem { item: name, place, category: None });
    }
    let live: Vec<&CategoryRecord> = book.categories.iter().filter(|one| one.deleted_at.is_none()).collect();
    let here = live.iter().position(|one| one.id == item.category_id)?;
    let there = if later { here.checked_add(1)? } else { here.checked_sub(1)? };
    let category = live.get(there)?;
    let place = if later { 1 } else { u32::try_from(of(category.id).count()).ok()?.saturating_add(1) };
    Some(MoveItem { item: name, place, category: Some(category.id.to_string()) })
}
