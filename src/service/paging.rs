//! What every list that comes in pages does alike: the size of a page, the key of the next one, and how
//! far is counted. Which rows there are and in what order is each query's own business.

use super::views::Page;
use crate::domain::error::Refused;
use crate::store::MOST_COUNTED;

/// Whether a page may have so many rows.
///
/// # Errors
/// `VALIDATION_ERROR` of `limit`.
pub(super) fn check_limit(limit: i64, most: i64) -> Result<(), Refused> {
    if (1..=most).contains(&limit) { Ok(()) } else { Err(Refused::invalid("limit", format!("From 1 to {most}."))) }
}

/// The refusal of a key that no page gave.
pub(super) fn wrong_key() -> Refused {
    Refused::invalid("after", "Pass the `next` of the page before.")
}

/// Cuts rows, of which one more than `limit` was asked for, to the page; answers the key of the next
/// page, if there is one.
pub(super) fn cut<R>(rows: &mut Vec<R>, limit: i64, key: impl FnOnce(&R) -> String) -> Option<String> {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    rows.last().filter(|_| more).map(key)
}

impl<T> Page<T> {
    /// A page of a list of which `found` rows were counted, where counting ends one beyond
    /// [`MOST_COUNTED`].
    pub(super) fn counted(items: Vec<T>, next: Option<String>, found: i64) -> Self {
        Self { items, next, total: found.min(MOST_COUNTED), at_least: found > MOST_COUNTED }
    }
}

/// What narrows nothing where it is nothing, or nothing but spaces.
pub(super) fn given(text: Option<&String>) -> Option<&str> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_cut_to_its_size_and_says_where_the_next_begins() {
        let mut rows = vec![1, 2, 3];
        assert_eq!(cut(&mut rows, 2, i32::to_string), Some("2".to_owned()));
        assert_eq!(rows, [1, 2]);
        assert_eq!(cut(&mut rows, 2, i32::to_string), None);
        assert!(check_limit(0, 5).is_err() && check_limit(6, 5).is_err() && check_limit(5, 5).is_ok());
    }

    #[test]
    fn counting_ends_and_says_so() {
        let page = |found| Page::<i32>::counted(Vec::new(), None, found);
        assert_eq!((page(1_000).total, page(1_000).at_least), (1_000, false));
        assert_eq!((page(1_001).total, page(1_001).at_least), (1_000, true));
    }
}
