//! The form of one dish: everything that is said about it, in the order in which a new dish needs it,
//! and the patch that its answers make. Nothing is sent from here.

use crate::domain::menu::{Allergen, Diet, MAX_CODE, MAX_DESCRIPTION, MAX_NAME, MAX_PREP_MINUTES};
use crate::domain::money::Currency;
use crate::service::menu_book::{ItemRecord, MenuBookView};
use crate::service::menu_edit::ItemPatch;
use crate::service::menu_file::Uses;
use crate::tui::locale::Locale;
use crate::tui::screens::kiosk::{allergen_name, diet_name, heat_name};
use crate::tui::widgets::form::{Field, Form, Kind};
use std::collections::BTreeSet;

/// The longest amount.
pub(super) const AMOUNT: usize = 12;
/// The longest line of uses.
pub(super) const USES: usize = 400;
/// Codes that the help of the uses names.
const NAMED: usize = 6;
/// Minutes of the first dish of a category, until somebody says otherwise.
const USUAL_MINUTES: u16 = 5;
/// How hot a dish can be.
const HEAT: [u8; 4] = [0, 1, 2, 3];

/// What the choices of the form stand for, as the book was when it was opened.
#[derive(Debug, Clone)]
pub(super) struct Choices {
    currency: Currency,
    /// Names; the form shows them in this order.
    categories: Vec<String>,
    /// Names of the stations in use; before them stands the default one.
    stations: Vec<String>,
    tax_classes: Vec<String>,
    slots: Vec<String>,
    /// Code and name of what is counted.
    pub(super) stock: Vec<(String, String)>,
}

impl Choices {
    pub(super) fn of(book: &MenuBookView) -> Self {
        Self {
            currency: book.currency,
            categories: book
                .categories
                .iter()
                .filter(|category| category.deleted_at.is_none())
                .map(|category| category.name.clone())
                .collect(),
            stations: book.stations.iter().filter(|one| one.active).map(|one| one.name.clone()).collect(),
            tax_classes: book.tax_classes.iter().filter(|one| one.active).map(|one| one.name.clone()).collect(),
            slots: book.slots.clone(),
            stock: book.stock.iter().map(|one| (one.code.clone(), one.name.clone())).collect(),
        }
    }

    pub(super) const fn currency(&self) -> Currency {
        self.currency
    }
}

/// Uses as they are typed: `bun=1, patty=2`; a code alone is one unit.
pub(super) fn uses_text(uses: &[crate::service::menu_book::UseRecord]) -> String {
    let each = |used: &crate::service::menu_book::UseRecord| format!("{}={}", used.stock, used.units);
    uses.iter().map(each).collect::<Vec<_>>().join(", ")
}

/// Reads typed uses; the words of what is wrong otherwise.
pub(super) fn parse_uses(typed: &str, stock: &[(String, String)], locale: &Locale) -> Result<Uses, String> {
    let mut uses = Uses::new();
    for part in typed.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, units) = part.split_once('=').unwrap_or((part, "1"));
        let name = name.trim();
        let wanted = name.to_lowercase();
        let known = stock.iter().find(|(code, shown)| code.to_lowercase() == wanted || shown.to_lowercase() == wanted);
        let Some((code, _)) = known else {
            return Err(locale.t_args("menu_book.unknown_stock", &[("name", &name)]));
        };
        match units.trim().parse::<i64>() {
            Ok(units) if units > 0 => uses.insert(code.clone(), units),
            _ => return Err(locale.t_args("menu_book.bad_units", &[("name", &name)])),
        };
    }
    Ok(uses)
}

/// What stands under the field of uses.
pub(super) fn uses_help(stock: &[(String, String)], locale: &Locale) -> String {
    if stock.is_empty() {
        return locale.t("menu_book.no_stock_help");
    }
    let mut known: Vec<&str> = stock.iter().take(NAMED).map(|(code, _)| code.as_str()).collect();
    if stock.len() > NAMED {
        known.push("…");
    }
    locale.t_args("menu_book.uses_help", &[("codes", &known.join(", "))])
}

/// The place of a name in a list that has the default before it.
fn after_default(names: &[String], name: Option<&String>) -> usize {
    let at = name.and_then(|name| names.iter().position(|known| known == name));
    at.map_or(0, |at| at.saturating_add(1))
}

/// The form for a dish, or for a new one in this category.
pub(super) fn form(
    item: Option<&ItemRecord>,
    category: &str,
    book: &MenuBookView,
    choices: &Choices,
    locale: &Locale,
) -> Form {
    let text = |from: fn(&ItemRecord) -> &String| item.map(from).cloned().unwrap_or_default();
    let with_default = |default: Option<&str>, none: &str, names: &[String]| {
        let mut all = vec![match default {
            Some(name) => locale.t_args("menu_book.the_default", &[("name", &name)]),
            None => locale.t(none),
        }];
        all.extend(names.iter().cloned());
        all
    };
    let station = book.stations.iter().find(|one| one.is_default && one.active).map(|one| one.name.as_str());
    let tax = book.tax_classes.iter().find(|one| one.is_default && one.active).map(|one| one.name.as_str());
    let at = choices.categories.iter().position(|name| name == category).unwrap_or_default();
    // A new dish says nothing of its diet until somebody does: guests trust it.
    let diets: Vec<String> = Diet::ALL.iter().map(|diet| diet_name(*diet, locale)).collect();
    let label = locale.t("menu_book.diet");
    let diet = match item.and_then(|item| Diet::ALL.iter().position(|known| *known == item.diet)) {
        Some(at) => Field::choice("diet", label, diets, at),
        None => Field::unchosen("diet", label, diets),
    };
    let on: BTreeSet<usize> = item.map_or_else(BTreeSet::new, |item| {
        Allergen::ALL.iter().enumerate().filter(|(_, one)| item.allergens.contains(one)).map(|(at, _)| at).collect()
    });
    // A dish that names no slot is served in all of them.
    let served = |name: &String| item.is_none_or(|item| item.slots.is_empty() || item.slots.contains(name));
    let slots: BTreeSet<usize> =
        choices.slots.iter().enumerate().filter(|(_, name)| served(name)).map(|(at, _)| at).collect();
    let price = item.map_or_else(String::new, |item| item.price.plain(choices.currency));
    // A new dish most likely takes as long as the last one of its category.
    let like = book.items.iter().rfind(|other| other.deleted_at.is_none() && other.category == category);
    let minutes = item.or(like).map_or(USUAL_MINUTES, |item| item.prep_minutes).to_string();
    let amount = Kind::Amount { currency: choices.currency, signed: false };
    let heats = HEAT.iter().map(|heat| heat_name(*heat, locale).unwrap_or_else(|| locale.t("menu_book.not_hot")));
    let fields = vec![
        Field::line("name", locale.t("menu_book.name"), Kind::Needed, MAX_NAME, &text(|item| &item.name)),
        Field::line("price", locale.t("menu_book.price"), amount, AMOUNT, &price)
            .with_help(locale.t("menu_book.price_help")),
        Field::choice("category", locale.t("menu_book.category"), choices.categories.clone(), at),
        diet,
        Field::line(
            "prep_minutes",
            locale.t("menu_book.prep_minutes"),
            Kind::Number(0, i64::from(MAX_PREP_MINUTES)),
            4,
            &minutes,
        )
        .with_help(locale.t("menu_book.prep_help")),
        Field::several(
            "allergens",
            locale.t("menu_book.allergens"),
            Allergen::ALL.iter().map(|one| allergen_name(*one, locale)).collect(),
            on,
        )
        .with_help(locale.t("menu_book.several_help")),
        Field::choice(
            "spicy",
            locale.t("menu_book.spicy"),
            heats.collect(),
            item.map_or(0, |item| usize::from(item.spicy.min(3))),
        ),
        Field::choice(
            "station",
            locale.t("menu_book.station"),
            with_default(station, "menu_book.no_station", &choices.stations),
            after_default(&choices.stations, item.and_then(|item| item.station.as_ref())),
        )
        .with_help(locale.t("menu_book.station_help")),
        Field::choice(
            "tax_class",
            locale.t("menu_book.tax_class"),
            with_default(tax, "menu_book.no_tax", &choices.tax_classes),
            after_default(&choices.tax_classes, item.and_then(|item| item.tax_class.as_ref())),
        )
        .with_help(locale.t("menu_book.tax_class_help")),
        Field::several("slots", locale.t("menu_book.slots"), choices.slots.clone(), slots)
            .with_help(locale.t("menu_book.slots_help")),
        Field::line(
            "description",
            locale.t("menu_book.description"),
            Kind::Text,
            MAX_DESCRIPTION,
            &text(|item| &item.description),
        )
        .with_help(locale.t("menu_book.description_help")),
        Field::line(
            "uses",
            locale.t("menu_book.uses"),
            Kind::Text,
            USES,
            &item.map_or_else(String::new, |item| uses_text(&item.uses)),
        )
        .with_help(uses_help(&choices.stock, locale)),
        Field::line("code", locale.t("menu_book.code"), Kind::Text, MAX_CODE, &text(|item| &item.code))
            .with_help(locale.t("menu_book.code_help")),
        Field::switch("active", locale.t("menu_book.active"), item.is_none_or(|item| item.active))
            .with_help(locale.t("menu_book.active_help")),
        Field::switch("available", locale.t("menu_book.available"), item.is_none_or(|item| item.available))
            .with_help(locale.t("menu_book.available_help")),
    ];
    let title = match item {
        Some(item) => locale.t_args("menu_book.edit_title", &[("name", &item.name)]),
        None => locale.t("menu_book.add_title"),
    };
    Form::new(title, locale.t("menu_book.item_body"), fields)
}

/// Everything that the form says.
///
/// # Errors
/// The words of what cannot be read, for the field of the uses.
pub(super) fn patch(form: &Form, choices: &Choices, locale: &Locale) -> Result<ItemPatch, String> {
    let picked = |field: &str, names: &[String]| form.chosen(field).and_then(|at| names.get(at)).cloned();
    let or_default = |field: &str, names: &[String]| {
        let at = form.chosen(field)?.checked_sub(1);
        Some(at.and_then(|at| names.get(at)).cloned().unwrap_or_default())
    };
    let several = |field: &str| form.several(field).into_iter();
    let slots: Vec<String> = several("slots").filter_map(|at| choices.slots.get(at).cloned()).collect();
    Ok(ItemPatch {
        code: Some(form.text("code")),
        name: Some(form.text("name")),
        category: picked("category", &choices.categories),
        description: Some(form.text("description")),
        price: form.amount("price").map(|price| price.plain(choices.currency)),
        tax_class: or_default("tax_class", &choices.tax_classes),
        station: or_default("station", &choices.stations),
        prep_minutes: form.number("prep_minutes").and_then(|minutes| u16::try_from(minutes).ok()),
        diet: form.chosen("diet").and_then(|at| Diet::ALL.get(at)).copied(),
        allergens: Some(several("allergens").filter_map(|at| Allergen::ALL.get(at).copied()).collect()),
        spicy: form.chosen("spicy").and_then(|at| HEAT.get(at)).copied(),
        slots: Some(if slots.len() == choices.slots.len() { Vec::new() } else { slots }),
        available: Some(form.is_on("available")),
        active: Some(form.is_on("active")),
        glyph: None,
        image_url: None,
        uses: Some(parse_uses(&form.text("uses"), &choices.stock, locale)?),
    })
}

/// What differs from what the form showed first, so that a change of another field that somebody else
/// made meanwhile stays.
pub(super) fn changes(before: &ItemPatch, now: ItemPatch) -> ItemPatch {
    fn differs<T: PartialEq>(before: &Option<T>, now: Option<T>) -> Option<T> {
        now.filter(|now| before.as_ref() != Some(now))
    }
    ItemPatch {
        code: differs(&before.code, now.code),
        name: differs(&before.name, now.name),
        category: differs(&before.category, now.category),
        description: differs(&before.description, now.description),
        price: differs(&before.price, now.price),
        tax_class: differs(&before.tax_class, now.tax_class),
        station: differs(&before.station, now.station),
        prep_minutes: differs(&before.prep_minutes, now.prep_minutes),
        diet: differs(&before.diet, now.diet),
        allergens: differs(&before.allergens, now.allergens),
        spicy: differs(&before.spicy, now.spicy),
        slots: differs(&before.slots, now.slots),
        available: differs(&before.available, now.available),
        active: differs(&before.active, now.active),
        glyph: None,
        image_url: None,
        uses: differs(&before.uses, now.uses),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_are_read_as_people_type_them() {
        let english = Locale::load(None).expect("English");
        let stock = [("bun".to_owned(), "Burger bun".to_owned()), ("patty".to_owned(), "Patty".to_owned())];
        let read = |typed: &str| parse_uses(typed, &stock, &english);
        let wanted = Uses::from([("bun".to_owned(), 1), ("patty".to_owned(), 2)]);
        assert_eq!(read("bun, patty=2"), Ok(wanted.clone()));
        assert_eq!(read(" burger BUN = 1 ,, Patty=2 "), Ok(wanted));
        assert_eq!(read(""), Ok(Uses::new()));
        for wrong in ["lettuce", "bun=0", "bun=-1", "bun=x", "bun=9999999999999999999"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_what_was_changed_is_sent() {
        let before = ItemPatch { name: Some("Tea".into()), price: Some("2.00".into()), ..ItemPatch::default() };
        let now = ItemPatch { name: Some("Tea".into()), price: Some("2.50".into()), ..ItemPatch::default() };
        let sent = changes(&before, now);
        assert_eq!(sent, ItemPatch { price: Some("2.50".into()), ..ItemPatch::default() });
    }
}
