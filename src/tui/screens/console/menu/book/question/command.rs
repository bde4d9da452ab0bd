//! The command that the answers of a menu's form make. What the forms ask for is in the parent.

use super::super::item_form;
use super::{Purpose, Question, plain_rate};
use crate::domain::money::Money;
use crate::service::envelope::MenuCommand;
use crate::service::menu_categories::{AddCategory, AddStation, AddTaxClass, DeleteCategory, EditCategory};
use crate::service::menu_edit::{AddItem, DeleteItem, EditItem, ItemPatch};
use crate::service::menu_import::MenuImport;
use crate::service::menu_options::{
    AddOption, AddOptionGroup, DeleteOption, DeleteOptionGroup, EditOption, EditOptionGroup, NewChoice,
};
use crate::service::menu_shelves::{EditStation, EditTaxClass, RetireStation, RetireTaxClass};
use crate::tui::locale::Locale;

impl Question {
    /// The choices of a new group: names parted by commas, what each adds after an equals sign.
    pub(super) fn new_choices(&self, locale: &Locale) -> Result<Vec<NewChoice>, String> {
        let typed = self.form.text("choices");
        let mut parts: Vec<String> = Vec::new();
        for part in typed.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let decimals = part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            match parts.last_mut() {
                // `Large=0,80`: the comma is the point of the amount before it.
                Some(last) if decimals && is_whole_amount(last) => *last = format!("{last}.{part}"),
                _ => parts.push(part.to_owned()),
            }
        }
        let read = |part: &str| {
            let (name, price) = match part.split_once('=') {
                Some((name, price)) => (name.trim(), Some(price.trim())),
                None => (part, None),
            };
            let currency = self.choices.currency();
            if let Some(price) = price
                && Money::parse("price", price, currency).is_err()
            {
                return Err(locale.t_args("menu_book.bad_choice", &[("name", &name)]));
            }
            Ok(NewChoice { name: name.to_owned(), price: price.map(str::to_owned), ..NewChoice::default() })
        };
        parts.iter().map(|part| read(part)).collect()
    }

    /// The command that the answers make; `None` where they make none.
    pub(super) fn command(&self, locale: &Locale) -> Option<MenuCommand> {
        let (form, seen_version) = (&self.form, self.seen);
        let (name, why) = (form.text("name"), form.text("reason"));
        let count = |field: &str| form.number(field).and_then(|number| u32::try_from(number).ok());
        let plain = |field: &str| form.amount(field).map(|amount| amount.plain(self.choices.currency()));
        let uses = || item_form::parse_uses(&form.text("uses"), &self.choices.stock, locale).ok();
        Some(match &self.purpose {
            Purpose::AddItem => {
                let item = item_form::patch(form, &self.choices, locale).ok()?;
                let code = item.code.clone().filter(|code| !code.is_empty());
                MenuCommand::AddItem(AddItem { item: ItemPatch { code, ..item } })
            }
            Purpose::EditItem(item, before) => {
                let change = item_form::changes(before, item_form::patch(form, &self.choices, locale).ok()?);
                MenuCommand::EditItem(EditItem { item: item.id.to_string(), seen_version, change })
            }
            Purpose::Price(item) => {
                let change = ItemPatch { price: Some(plain("price")?), ..ItemPatch::default() };
                MenuCommand::EditItem(EditItem { item: item.id.to_string(), seen_version, change })
            }
            Purpose::DeleteItem(item) => {
                MenuCommand::DeleteItem(DeleteItem { item: item.id.to_string(), seen_version, reason: why })
            }
            Purpose::AddCategory(_) => MenuCommand::AddCategory(AddCategory { name, active: true }),
            Purpose::EditCategory(category) => MenuCommand::EditCategory(EditCategory {
                category: category.id.to_string(),
                seen_version,
                name: Some(name),
                active: Some(form.is_on("active")),
            }),
            Purpose::DeleteCategory(category) => MenuCommand::DeleteCategory(DeleteCategory {
                category: category.id.to_string(),
                seen_version,
                reason: why,
            }),
            Purpose::AddStation => MenuCommand::AddStation(AddStation { name, default: form.is_on("default") }),
            Purpose::AddTaxClass => {
                MenuCommand::AddTaxClass(AddTaxClass { name, rate: form.text("rate"), default: form.is_on("default") })
            }
            Purpose::EditStation(shown) => MenuCommand::EditStation(EditStation {
                station: shown.first.id.to_string(),
                seen: Some(shown.last.clone()),
                name: Some(name).filter(|name| *name != shown.first.name),
                default: form.is_on("default"),
            }),
            Purpose::RetireStation(shown) => MenuCommand::RetireStation(RetireStation {
                station: shown.first.id.to_string(),
                seen: Some(shown.last.clone()),
                reason: why,
            }),
            Purpose::EditTaxClass(shown) => MenuCommand::EditTaxClass(EditTaxClass {
                tax_class: shown.first.id.to_string(),
                seen: Some(shown.last.clone()),
                name: Some(name).filter(|name| *name != shown.first.name),
                rate: Some(form.text("rate")).filter(|rate| *rate != plain_rate(&shown.first)),
                default: form.is_on("default"),
            }),
            Purpose::RetireTaxClass(shown) => MenuCommand::RetireTaxClass(RetireTaxClass {
                tax_class: shown.first.id.to_string(),
                seen: Some(shown.last.clone()),
                reason: why,
            }),
            Purpose::AddGroup(item) => MenuCommand::AddOptionGroup(AddOptionGroup {
                item: item.id.to_string(),
                seen_version,
                name,
                min: count("min")?,
                max: count("max")?,
                choices: self.new_choices(locale).ok()?,
            }),
            Purpose::EditGroup(item, group) => MenuCommand::EditOptionGroup(EditOptionGroup {
                item: item.id.to_string(),
                seen_version,
                group: group.id.to_string(),
                name: Some(name),
                min: count("min"),
                max: count("max"),
                place: None,
            }),
            Purpose::DeleteGroup(item, group) => MenuCommand::DeleteOptionGroup(DeleteOptionGroup {
                item: item.id.to_string(),
                seen_version,
                group: group.id.to_string(),
                reason: why,
            }),
            Purpose::AddChoice(item, group) => MenuCommand::AddOption(AddOption {
                item: item.id.to_string(),
                seen_version,
                group: group.id.to_string(),
                option: NewChoice { name, price: plain("delta"), uses: uses()? },
            }),
            Purpose::EditChoice(item, group, choice) => MenuCommand::EditOption(EditOption {
                item: item.id.to_string(),
                seen_version,
                group: group.id.to_string(),
                option: choice.id.to_string(),
                name: Some(name),
                price: plain("delta"),
                available: Some(form.is_on("available")),
                place: None,
                uses: Some(uses()?),
            }),
            Purpose::DeleteChoice(item, group, choice) => MenuCommand::DeleteOption(DeleteOption {
                item: item.id.to_string(),
                seen_version,
                group: group.id.to_string(),
                option: choice.id.to_string(),
                reason: why,
            }),
            Purpose::Overwrite(file) => {
                MenuCommand::Import(MenuImport { file: (**file).clone(), dry_run: false, reason: Some(why) })
            }
            Purpose::Export | Purpose::Import => return None,
        })
    }
}

/// Whether this ends in `=` and a whole number, so that a comma behind it may be its point.
fn is_whole_amount(choice: &str) -> bool {
    let amount = choice.rsplit_once('=').map(|(_, amount)| amount.trim());
    amount.is_some_and(|amount| !amount.is_empty() && amount.bytes().all(|byte| byte.is_ascii_digit()))
}
