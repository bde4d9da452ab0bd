//! By what the book of the menu is narrowed for its keepers: words, what keeps guests from ordering,
//! category and station. Pure: the whole book is in memory of whoever asks, and is never paged.

use super::menu_book::{ItemRecord, MenuBookView};
use crate::words;
use serde::{Deserialize, Serialize};

words!(
    /// What keeps guests from ordering an item, or that nothing does.
    ItemState, "state of an item" {
        /// Guests can order it.
        OnSale = "on_sale",
        /// Switched off for now, or none is left.
        SoldOut = "sold_out",
        /// Hidden from guests.
        Hidden = "hidden",
        /// Deleted.
        Deleted = "deleted",
    }
);

impl ItemState {
    /// The state of an item: whatever keeps it away for longest.
    #[must_use]
    pub fn of(item: &ItemRecord) -> Self {
        if item.deleted_at.is_some() {
            Self::Deleted
        } else if !item.active {
            Self::Hidden
        } else if !item.available || item.left.is_some_and(|left| left <= 0) {
            Self::SoldOut
        } else {
            Self::OnSale
        }
    }
}

/// What is wanted of the book; what is not given narrows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookFilter {
    /// A part of the name or of the code.
    pub text: String,
    /// Only items in this state.
    pub state: Option<ItemState>,
    /// Only items of the category of this name.
    pub category: Option<String>,
    /// Only items that are made at the station of this name, as the default one too.
    pub station: Option<String>,
}

impl BookFilter {
    /// Whether it lets everything through.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty() && self.state.is_none() && self.category.is_none() && self.station.is_none()
    }

    /// Whether it wants what is deleted, which the book holds only where it was asked for.
    #[must_use]
    pub fn wants_deleted(&self) -> bool {
        self.state == Some(ItemState::Deleted)
    }

    /// Whether it lets an item of this book through.
    #[must_use]
    pub fn fits(&self, item: &ItemRecord, book: &MenuBookView) -> bool {
        let wanted = self.text.trim().to_lowercase();
        let named = wanted.is_empty() || item.name.to_lowercase().contains(&wanted) || item.code.contains(&wanted);
        let default = || book.stations.iter().find(|station| station.is_default).map(|station| station.name.as_str());
        let same = |wanted: &str, is: Option<&str>| is.is_some_and(|is| is.to_lowercase() == wanted.to_lowercase());
        named
            && self.state.is_none_or(|state| ItemState::of(item) == state)
            && self.category.as_deref().is_none_or(|category| same(category, Some(&item.category)))
            && self.station.as_deref().is_none_or(|station| same(station, item.station.as_deref().or_else(default)))
    }
}
