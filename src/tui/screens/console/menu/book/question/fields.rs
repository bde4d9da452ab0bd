//! The fields of the menu's forms but a dish's, which stand in `item_form`: what each is called, what it
//! takes, and what it shows at first. Which form asks for them, and what follows, is in the parent.

use super::super::item_form::{self, AMOUNT, Choices, USES};
use crate::domain::menu::MAX_OPTION_NAME;
use crate::domain::money::Money;
use crate::service::menu_book::{ChoiceRecord, GroupRecord};
use crate::tui::locale::Locale;
use crate::tui::widgets::form::{Field, Kind};

/// The longest reason, and the longest list of choices.
pub(super) const REASON: usize = 500;
/// The longest name of a station.
const STATION: usize = 50;
/// The longest name of a tax class.
const TAX: usize = 100;
/// The longest rate in percent.
const RATE: usize = 8;
/// The most choices that a customer may take of one group.
const MOST_TAKEN: i64 = 99;
/// The longest name of a file.
const FILE: usize = 80;

pub(super) fn reason(locale: &Locale) -> Field {
    Field::line("reason", locale.t("menu_book.reason"), Kind::Needed, REASON, "")
}

/// The fields of a station. `default`: whether it is to be the default one; `None` where that is not asked.
pub(super) fn station_fields(name: &str, default: Option<bool>, locale: &Locale) -> Vec<Field> {
    let mut fields = vec![
        Field::line("name", locale.t("menu_book.name"), Kind::Needed, STATION, name)
            .with_help(locale.t("menu_book.station_name_help")),
    ];
    fields.extend(default.map(|on| {
        Field::switch("default", locale.t("menu_book.is_default"), on)
            .with_help(locale.t("menu_book.default_station_help"))
    }));
    fields
}

/// The fields of a tax class. `default`: as for a station.
pub(super) fn tax_fields(name: &str, rate: &str, default: Option<bool>, locale: &Locale) -> Vec<Field> {
    let mut fields = vec![
        Field::line("name", locale.t("menu_book.name"), Kind::Needed, TAX, name),
        Field::line("rate", locale.t("menu_book.rate"), Kind::Needed, RATE, rate)
            .with_help(locale.t("menu_book.rate_help")),
    ];
    fields.extend(default.map(|on| {
        Field::switch("default", locale.t("menu_book.is_default"), on).with_help(locale.t("menu_book.default_tax_help"))
    }));
    fields
}

pub(super) fn file_field(locale: &Locale) -> Vec<Field> {
    let field = Field::line("file", locale.t("menu_book.file"), Kind::Needed, FILE, "menu.toml")
        .with_help(locale.t("menu_book.file_help"));
    vec![field]
}

pub(super) fn group_fields(group: Option<&GroupRecord>, locale: &Locale) -> Vec<Field> {
    let number = |value: u32| value.to_string();
    vec![
        Field::line(
            "name",
            locale.t("menu_book.name"),
            Kind::Needed,
            MAX_OPTION_NAME,
            group.map_or("", |group| group.name.as_str()),
        )
        .with_help(locale.t("menu_book.group_name_help")),
        Field::line(
            "min",
            locale.t("menu_book.min"),
            Kind::Number(0, MOST_TAKEN),
            2,
            &number(group.map_or(1, |group| group.min)),
        )
        .with_help(locale.t("menu_book.min_help")),
        Field::line(
            "max",
            locale.t("menu_book.max"),
            Kind::Number(1, MOST_TAKEN),
            2,
            &number(group.map_or(1, |group| group.max)),
        )
        .with_help(locale.t("menu_book.max_help")),
    ]
}

pub(super) fn choice_fields(choice: Option<&ChoiceRecord>, choices: &Choices, locale: &Locale) -> Vec<Field> {
    let kind = Kind::Amount { currency: choices.currency(), signed: true };
    let delta = choice.map_or(Money::ZERO, |choice| choice.price_delta);
    let mut fields = vec![
        Field::line(
            "name",
            locale.t("menu_book.name"),
            Kind::Needed,
            MAX_OPTION_NAME,
            choice.map_or("", |choice| choice.name.as_str()),
        ),
        Field::line("delta", locale.t("menu_book.adds"), kind, AMOUNT, &delta.plain(choices.currency()))
            .with_help(locale.t("menu_book.adds_help")),
        Field::line(
            "uses",
            locale.t("menu_book.uses"),
            Kind::Text,
            USES,
            &choice.map_or_else(String::new, |choice| item_form::uses_text(&choice.uses)),
        )
        .with_help(item_form::uses_help(&choices.stock, locale)),
    ];
    if let Some(choice) = choice {
        fields.push(Field::switch("available", locale.t("menu_book.available"), choice.available));
    }
    fields
}
