//! The form in which it is chosen by what the menu is narrowed, and the words for it. What it lets
//! through is the service's rule.

use crate::service::menu_book::MenuBookView;
use crate::service::menu_narrow::{BookFilter, ItemState};
use crate::tui::app::Env;
use crate::tui::locale::Locale;
use crate::tui::widgets::form::{Field, Form};

/// What is wanted, in words.
pub(super) fn words(filter: &BookFilter, locale: &Locale) -> Vec<String> {
    let mut words = Vec::new();
    words.extend(filter.state.map(|state| state_words(state, locale)));
    words.extend(filter.category.clone());
    words.extend(filter.station.clone());
    if !filter.text.is_empty() {
        words.push(format!("\"{}\"", filter.text));
    }
    words
}

fn categories(book: &MenuBookView) -> Vec<String> {
    book.categories.iter().filter(|one| one.deleted_at.is_none()).map(|one| one.name.clone()).collect()
}

fn stations(book: &MenuBookView) -> Vec<String> {
    book.stations.iter().filter(|one| one.active).map(|one| one.name.clone()).collect()
}

/// The form with what is wanted now.
pub(super) fn form(filter: &BookFilter, book: &MenuBookView, env: &Env<'_>) -> Form {
    let locale = env.locale;
    let choice = |name: &'static str, label: &str, given: Vec<String>, wanted: Option<usize>| {
        let mut choices = vec![locale.t("menu_book.any")];
        choices.extend(given);
        Field::choice(name, locale.t(label), choices, wanted.map_or(0, |at| at.saturating_add(1)))
    };
    let place = |names: &[String], wanted: &Option<String>| {
        wanted.as_ref().and_then(|wanted| names.iter().position(|name| name == wanted))
    };
    let (categories, stations) = (categories(book), stations(book));
    let states = ItemState::ALL.iter().map(|state| state_words(*state, locale)).collect();
    let state = filter.state.and_then(|wanted| ItemState::ALL.iter().position(|state| *state == wanted));
    let (category, station) = (place(&categories, &filter.category), place(&stations, &filter.station));
    let fields = vec![
        choice("state", "menu_book.only", states, state),
        choice("category", "menu_book.category", categories, category),
        choice("station", "menu_book.station", stations, station),
    ];
    Form::new(locale.t("menu_book.filter"), "", fields)
}

/// What was filled in; the words that are looked for stay.
pub(super) fn filled(filter: &BookFilter, form: &Form, book: &MenuBookView) -> BookFilter {
    let chosen = |name: &str| form.chosen(name).and_then(|at| at.checked_sub(1));
    BookFilter {
        text: filter.text.clone(),
        state: chosen("state").and_then(|at| ItemState::ALL.get(at)).copied(),
        category: chosen("category").and_then(|at| categories(book).into_iter().nth(at)),
        station: chosen("station").and_then(|at| stations(book).into_iter().nth(at)),
    }
}

fn state_words(state: ItemState, locale: &Locale) -> String {
    locale.t(match state {
        ItemState::OnSale => "menu_book.is_on_sale",
        ItemState::SoldOut => "menu_book.is_sold_out",
        ItemState::Hidden => "menu_book.is_hidden",
        ItemState::Deleted => "menu_book.is_deleted",
    })
}
