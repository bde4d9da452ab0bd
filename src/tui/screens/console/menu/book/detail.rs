//! What stands in the menu's list and beside it: the rows of categories and dishes, and one dish or
//! category in lines. Drawing only.

use super::sublist::{delta_words, taken_words};
use crate::domain::menu::Allergen;
use crate::service::menu_book::{CategoryRecord, ItemRecord, MenuBookView};
use crate::tui::app::ViewCtx;
use crate::tui::locale::Locale;
use crate::tui::screens::console::desk::Desk;
use crate::tui::screens::console::facts::Facts;
use crate::tui::screens::kiosk::{allergen_name, diet_mark, diet_name, heat_name};
use crate::tui::theme::Token;
use ratatui::style::Style;
use ratatui::text::Line;

/// What keeps guests from ordering a dish, in words; nothing where nothing does.
pub(super) fn state(item: &ItemRecord, locale: &Locale) -> (String, Token) {
    if item.deleted_at.is_some() {
        (locale.t("menu_book.is_deleted"), Token::Muted)
    } else if !item.active {
        (locale.t("menu_book.is_hidden"), Token::Muted)
    } else if !item.available {
        (locale.t("menu_book.is_sold_out"), Token::Danger)
    } else {
        match item.left {
            Some(left) if left <= 0 => (locale.t("menu_book.none_left"), Token::Danger),
            Some(left) => (locale.t_args("menu_book.left", &[("count", &left)]), Token::Muted),
            None => (String::new(), Token::Muted),
        }
    }
}

/// The cells of a dish in the list.
pub(super) fn item_cells(
    item: &ItemRecord,
    book: &MenuBookView,
    desk: &Desk,
    ctx: &ViewCtx<'_>,
) -> Vec<(String, Style)> {
    let (words, token) = state(item, ctx.locale);
    let (mark, mark_token) = diet_mark(item.diet);
    let default = book.stations.iter().find(|station| station.is_default).map(|station| station.name.clone());
    let station = item.station.clone().or(default).unwrap_or_default();
    let name = if item.deleted_at.is_some() || !item.active { Token::Muted } else { Token::Text };
    vec![
        (mark.to_owned(), ctx.style(mark_token)),
        (item.name.clone(), ctx.style(name)),
        (station, ctx.style(Token::Muted)),
        (words, ctx.style(token)),
        (desk.money(item.price), ctx.style(Token::Price)),
    ]
}

/// A dish in lines.
pub(super) fn item_lines(
    item: &ItemRecord,
    book: &MenuBookView,
    width: u16,
    desk: &Desk,
    ctx: &ViewCtx<'_>,
) -> Vec<Line<'static>> {
    let locale = ctx.locale;
    let mut facts = Facts::new(width, ctx);
    let (words, token) = state(item, locale);
    if item.deleted_at.is_some() || !item.active || !item.available || item.left.is_some_and(|left| left <= 0) {
        facts.words(&words, token);
        facts.air();
    }
    if !item.description.is_empty() {
        facts.words(&item.description, Token::Text);
        facts.air();
    }
    let fact = |facts: &mut Facts<'_, '_>, key: &str, words: &str| facts.fact(&locale.t(key), words, Token::Text);
    facts.fact(&locale.t("menu_book.price"), &desk.money(item.price), Token::Price);
    fact(&mut facts, "menu_book.category", &item.category);
    fact(&mut facts, "menu_book.diet", &diet_name(item.diet, locale));
    let allergens: Vec<String> = Allergen::ALL
        .iter()
        .filter(|one| item.allergens.contains(one))
        .map(|one| allergen_name(*one, locale))
        .collect();
    let none = locale.t("form.none");
    let contains = if allergens.is_empty() { none.clone() } else { allergens.join(", ") };
    fact(&mut facts, "menu_book.allergens", &contains);
    if let Some(heat) = heat_name(item.spicy, locale) {
        fact(&mut facts, "menu_book.spicy", &heat);
    }
    fact(&mut facts, "menu_book.prep_minutes", &item.prep_minutes.to_string());
    let or_default = |name: Option<&String>, default: Option<&String>, none: &str| match (name, default) {
        (Some(name), _) => name.clone(),
        (None, Some(name)) => locale.t_args("menu_book.the_default", &[("name", name)]),
        (None, None) => locale.t(none),
    };
    let station = book.stations.iter().find(|one| one.is_default).map(|one| &one.name);
    fact(&mut facts, "menu_book.station", &or_default(item.station.as_ref(), station, "menu_book.no_station"));
    let tax = book.tax_classes.iter().find(|one| one.is_default).map(|one| &one.name);
    fact(&mut facts, "menu_book.tax_class", &or_default(item.tax_class.as_ref(), tax, "menu_book.no_tax"));
    let slots = if item.slots.is_empty() { locale.t("menu_book.all_slots") } else { item.slots.join(", ") };
    fact(&mut facts, "menu_book.slots", &slots);
    let uses = super::item_form::uses_text(&item.uses);
    fact(&mut facts, "menu_book.uses", if uses.is_empty() { &none } else { &uses });
    if let Some(left) = item.left {
        fact(&mut facts, "menu_book.can_sell", &left.to_string());
    }
    fact(&mut facts, "menu_book.code", &item.code);
    for group in &item.option_groups {
        facts.heading(&format!("{} · {}", group.name, taken_words(group, locale)));
        for choice in &group.choices {
            let words = if choice.available { delta_words(choice, desk) } else { locale.t("menu_book.is_sold_out") };
            let token = if choice.available { Token::Price } else { Token::Danger };
            facts.pair(&choice.name, &words, token);
        }
    }
    facts.lines()
}

/// A category in lines.
pub(super) fn category_lines(category: &CategoryRecord, width: u16, ctx: &ViewCtx<'_>) -> Vec<Line<'static>> {
    let locale = ctx.locale;
    let mut facts = Facts::new(width, ctx);
    let count = i64::try_from(category.items).unwrap_or(i64::MAX);
    facts.words(&locale.t_plural("menu_book.dishes", count, &[]), Token::Text);
    if category.deleted_at.is_some() {
        facts.words(&locale.t("menu_book.is_deleted"), Token::Muted);
    } else if !category.active {
        facts.words(&locale.t("menu_book.is_hidden"), Token::Muted);
    }
    facts.air();
    facts.words(&locale.t("menu_book.category_keys"), Token::Muted);
    facts.lines()
}
