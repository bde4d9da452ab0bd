//! The questions of the menu: one form for each change, the command that its answers make, and what a
//! refusal does to it. A form stays open until the house has answered; where somebody else was faster,
//! it says who changed what, keeps what was typed, and can be sent again.

use super::super::desk::Desk;
use super::super::message::Msg;
use super::item_form::{self, AMOUNT, Choices, USES};
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::menu::{MAX_CATEGORY_NAME, MAX_OPTION_NAME};
use crate::domain::time::Timestamp;
use crate::service::envelope::MenuCommand;
use crate::service::menu_book::{CategoryRecord, ChoiceRecord, GroupRecord, ItemRecord, MenuBookView};
use crate::service::menu_categories::{AddCategory, AddStation, AddTaxClass, DeleteCategory, EditCategory};
use crate::service::menu_edit::{AddItem, DeleteItem, EditItem, ItemPatch};
use crate::service::menu_file::MenuFile;
use crate::service::menu_import::MenuImport;
use crate::service::menu_options::{
    AddOption, AddOptionGroup, DeleteOption, DeleteOptionGroup, EditOption, EditOptionGroup, NewChoice,
};
use crate::tui::app::{Env, Input, ViewCtx};
use crate::tui::keymap::Context;
use crate::tui::locale::Locale;
use crate::tui::refusal;
use crate::tui::widgets::form::{Field, Filled, Form, Kind};
use ratatui::Frame;
use ratatui::layout::Rect;
use serde_json::Value;

/// The longest reason, and the longest list of choices.
const REASON: usize = 500;
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

/// What is asked for.
#[derive(Debug)]
enum Purpose {
    AddItem,
    EditItem(Box<ItemRecord>, Box<ItemPatch>),
    Price(Box<ItemRecord>),
    DeleteItem(Box<ItemRecord>),
    /// Whether the first dish follows.
    AddCategory(bool),
    EditCategory(CategoryRecord),
    DeleteCategory(CategoryRecord),
    AddStation,
    AddTaxClass,
    AddGroup(Box<ItemRecord>),
    EditGroup(Box<ItemRecord>, Box<GroupRecord>),
    DeleteGroup(Box<ItemRecord>, Box<GroupRecord>),
    AddChoice(Box<ItemRecord>, Box<GroupRecord>),
    EditChoice(Box<ItemRecord>, Box<GroupRecord>, Box<ChoiceRecord>),
    DeleteChoice(Box<ItemRecord>, Box<GroupRecord>, Box<ChoiceRecord>),
    Export,
    Import,
    /// Why what is on the menu is written over by this file.
    Overwrite(Box<MenuFile>),
}

/// What follows from an input.
#[derive(Debug)]
pub(super) enum Next {
    /// The question stays open.
    Open,
    /// It was closed.
    Cancelled,
    /// Do this; the question waits for the answer.
    Send(Box<MenuCommand>),
    /// Write the menu into the file of this name.
    Export(String),
    /// Read the file of this name.
    Import(String),
}

/// An open question.
#[derive(Debug)]
pub(super) struct Question {
    form: Form,
    purpose: Purpose,
    choices: Choices,
    /// The version that the form is about.
    seen: Option<i64>,
}

fn reason(locale: &Locale) -> Field {
    Field::line("reason", locale.t("menu_book.reason"), Kind::Needed, REASON, "")
}

impl Question {
    fn new(form: Form, purpose: Purpose, seen: Option<i64>, book: &MenuBookView) -> Self {
        Self { form, purpose, choices: Choices::of(book), seen }
    }

    /// A new dish, in this category unless another is chosen.
    pub(super) fn add_item(category: &str, book: &MenuBookView, locale: &Locale) -> Self {
        let form = item_form::form(None, category, book, &Choices::of(book), locale);
        Self::new(form, Purpose::AddItem, None, book)
    }

    /// Everything that is said about a dish.
    pub(super) fn edit_item(item: &ItemRecord, book: &MenuBookView, locale: &Locale) -> Self {
        let choices = Choices::of(book);
        let form = item_form::form(Some(item), &item.category, book, &choices, locale);
        // What the form shows untouched: only what differs from it is sent.
        let before = item_form::patch(&form, &choices, locale).unwrap_or_default();
        Self::new(form, Purpose::EditItem(Box::new(item.clone()), Box::new(before)), Some(item.version), book)
    }

    /// The price of a dish.
    pub(super) fn price(item: &ItemRecord, book: &MenuBookView, locale: &Locale) -> Self {
        let kind = Kind::Amount { currency: book.currency, signed: false };
        let plain = item.price.plain(book.currency);
        let field = Field::line("price", locale.t("menu_book.price"), kind, AMOUNT, &plain);
        let title = locale.t_args("menu_book.price_title", &[("name", &item.name)]);
        let form = Form::new(title, locale.t("menu_book.price_body"), vec![field]);
        Self::new(form, Purpose::Price(Box::new(item.clone())), Some(item.version), book)
    }

    /// A dish goes.
    pub(super) fn delete_item(item: &ItemRecord, book: &MenuBookView, locale: &Locale) -> Self {
        let title = locale.t_args("menu_book.delete_title", &[("name", &item.name)]);
        let form = Form::new(title, locale.t("menu_book.delete_body"), vec![reason(locale)]);
        Self::new(form, Purpose::DeleteItem(Box::new(item.clone())), Some(item.version), book)
    }

    /// A new category; `first`: the menu is empty, and a dish follows.
    pub(super) fn add_category(first: bool, book: &MenuBookView, locale: &Locale) -> Self {
        let field = Field::line("name", locale.t("menu_book.name"), Kind::Needed, MAX_CATEGORY_NAME, "")
            .with_help(locale.t("menu_book.category_help"));
        let body = if first { locale.t("menu_book.first_category_body") } else { String::new() };
        let form = Form::new(locale.t("menu_book.add_category"), body, vec![field]);
        Self::new(form, Purpose::AddCategory(first), None, book)
    }

    /// The name of a category, and whether guests see it.
    pub(super) fn edit_category(category: &CategoryRecord, book: &MenuBookView, locale: &Locale) -> Self {
        let fields = vec![
            Field::line("name", locale.t("menu_book.name"), Kind::Needed, MAX_CATEGORY_NAME, &category.name),
            Field::switch("active", locale.t("menu_book.active"), category.active)
                .with_help(locale.t("menu_book.active_category_help")),
        ];
        let form = Form::new(locale.t_args("menu_book.edit_title", &[("name", &category.name)]), "", fields);
        Self::new(form, Purpose::EditCategory(category.clone()), Some(category.version), book)
    }

    /// A category goes.
    pub(super) fn delete_category(category: &CategoryRecord, book: &MenuBookView, locale: &Locale) -> Self {
        let title = locale.t_args("menu_book.delete_title", &[("name", &category.name)]);
        let form = Form::new(title, locale.t("menu_book.delete_category_body"), vec![reason(locale)]);
        Self::new(form, Purpose::DeleteCategory(category.clone()), Some(category.version), book)
    }

    /// A new station of the kitchen.
    pub(super) fn add_station(book: &MenuBookView, locale: &Locale) -> Self {
        let fields = vec![
            Field::line("name", locale.t("menu_book.name"), Kind::Needed, STATION, "")
                .with_help(locale.t("menu_book.station_name_help")),
            Field::switch("default", locale.t("menu_book.is_default"), book.stations.is_empty())
                .with_help(locale.t("menu_book.default_station_help")),
        ];
        let form = Form::new(locale.t("menu_book.add_station"), "", fields);
        Self::new(form, Purpose::AddStation, None, book)
    }

    /// A new tax class.
    pub(super) fn add_tax_class(book: &MenuBookView, locale: &Locale) -> Self {
        let fields = vec![
            Field::line("name", locale.t("menu_book.name"), Kind::Needed, TAX, ""),
            Field::line("rate", locale.t("menu_book.rate"), Kind::Needed, RATE, "")
                .with_help(locale.t("menu_book.rate_help")),
            Field::switch("default", locale.t("menu_book.is_default"), book.tax_classes.is_empty())
                .with_help(locale.t("menu_book.default_tax_help")),
        ];
        let form = Form::new(locale.t("menu_book.add_tax_class"), "", fields);
        Self::new(form, Purpose::AddTaxClass, None, book)
    }

    /// A new group of options with its choices.
    pub(super) fn add_group(item: &ItemRecord, book: &MenuBookView, locale: &Locale) -> Self {
        let mut fields = group_fields(None, locale);
        fields.push(
            Field::line("choices", locale.t("menu_book.choices"), Kind::Needed, REASON, "")
                .with_help(locale.t("menu_book.choices_help")),
        );
        let title = locale.t_args("menu_book.add_group_title", &[("name", &item.name)]);
        let form = Form::new(title, locale.t("menu_book.group_body"), fields);
        Self::new(form, Purpose::AddGroup(Box::new(item.clone())), Some(item.version), book)
    }

    /// The name of a group and how many of its choices are taken.
    pub(super) fn edit_group(item: &ItemRecord, group: &GroupRecord, book: &MenuBookView, locale: &Locale) -> Self {
        let title = locale.t_args("menu_book.edit_title", &[("name", &group.name)]);
        let form = Form::new(title, "", group_fields(Some(group), locale));
        let purpose = Purpose::EditGroup(Box::new(item.clone()), Box::new(group.clone()));
        Self::new(form, purpose, Some(item.version), book)
    }

    /// A group goes.
    pub(super) fn delete_group(item: &ItemRecord, group: &GroupRecord, book: &MenuBookView, locale: &Locale) -> Self {
        let title = locale.t_args("menu_book.delete_title", &[("name", &group.name)]);
        let form = Form::new(title, locale.t("menu_book.delete_group_body"), vec![reason(locale)]);
        let purpose = Purpose::DeleteGroup(Box::new(item.clone()), Box::new(group.clone()));
        Self::new(form, purpose, Some(item.version), book)
    }

    /// A new choice of a group.
    pub(super) fn add_choice(item: &ItemRecord, group: &GroupRecord, book: &MenuBookView, locale: &Locale) -> Self {
        let choices = Choices::of(book);
        let fields = choice_fields(None, &choices, locale);
        let title = locale.t_args("menu_book.add_choice_title", &[("name", &group.name)]);
        let purpose = Purpose::AddChoice(Box::new(item.clone()), Box::new(group.clone()));
        Self::new(Form::new(title, "", fields), purpose, Some(item.version), book)
    }

    /// Everything that is said about a choice.
    pub(super) fn edit_choice(
        item: &ItemRecord,
        group: &GroupRecord,
        choice: &ChoiceRecord,
        book: &MenuBookView,
        locale: &Locale,
    ) -> Self {
        let choices = Choices::of(book);
        let fields = choice_fields(Some(choice), &choices, locale);
        let title = locale.t_args("menu_book.edit_title", &[("name", &choice.name)]);
        let purpose = Purpose::EditChoice(Box::new(item.clone()), Box::new(group.clone()), Box::new(choice.clone()));
        Self::new(Form::new(title, "", fields), purpose, Some(item.version), book)
    }

    /// A choice goes.
    pub(super) fn delete_choice(
        item: &ItemRecord,
        group: &GroupRecord,
        choice: &ChoiceRecord,
        book: &MenuBookView,
        locale: &Locale,
    ) -> Self {
        let title = locale.t_args("menu_book.delete_title", &[("name", &choice.name)]);
        let form = Form::new(title, locale.t("menu_book.delete_choice_body"), vec![reason(locale)]);
        let purpose = Purpose::DeleteChoice(Box::new(item.clone()), Box::new(group.clone()), Box::new(choice.clone()));
        Self::new(form, purpose, Some(item.version), book)
    }

    /// Into which file the menu goes.
    pub(super) fn export(book: &MenuBookView, locale: &Locale) -> Self {
        let form = Form::new(locale.t("menu_book.export_title"), locale.t("menu_book.export_body"), file_field(locale));
        Self::new(form, Purpose::Export, None, book)
    }

    /// From which file the menu comes.
    pub(super) fn import(book: &MenuBookView, locale: &Locale) -> Self {
        let form = Form::new(locale.t("menu_book.import_title"), locale.t("menu_book.import_body"), file_field(locale));
        Self::new(form, Purpose::Import, None, book)
    }

    /// Why what is on the menu is written over by a file, which was looked at before; `counts` says how
    /// much changes.
    pub(super) fn overwrite(file: MenuFile, counts: &str, book: &MenuBookView, locale: &Locale) -> Self {
        let body = locale.t_args("menu_book.overwrite_body", &[("counts", &counts)]);
        let form = Form::new(locale.t("menu_book.overwrite_title"), body, vec![reason(locale)]);
        Self::new(form, Purpose::Overwrite(Box::new(file)), None, book)
    }

    pub(super) fn context(&self) -> Context {
        self.form.context()
    }

    /// Whether the answer is a dish, which is selected then.
    pub(super) const fn makes_item(&self) -> bool {
        matches!(self.purpose, Purpose::AddItem)
    }

    /// Whether the answer is what an import has changed.
    pub(super) const fn imports(&self) -> bool {
        matches!(self.purpose, Purpose::Overwrite(_))
    }

    /// Whether a first dish is to follow.
    pub(super) const fn leads_to_item(&self) -> bool {
        matches!(self.purpose, Purpose::AddCategory(true))
    }

    pub(super) fn on_input(&mut self, input: &Input<Msg>, env: &Env<'_>) -> Next {
        match self.form.on_input(input, env) {
            Filled::Cancelled => Next::Cancelled,
            Filled::Open => {
                // Judged while it is typed, as every other field.
                if let Some((_, words)) = self.unreadable(env.locale) {
                    self.form.refuse(None, words);
                }
                Next::Open
            }
            Filled::Sent => {
                if let Some((field, words)) = self.unreadable(env.locale) {
                    self.form.refuse(Some(field), words);
                    return Next::Open;
                }
                match (&self.purpose, self.command(env.locale)) {
                    (Purpose::Export, _) => Next::Export(self.form.text("file")),
                    (Purpose::Import, _) => Next::Import(self.form.text("file")),
                    (_, Some(command)) => Next::Send(Box::new(command)),
                    (_, None) => {
                        self.form.refuse(None, env.locale.t("menu_book.cannot_read"));
                        Next::Open
                    }
                }
            }
        }
    }

    /// The field whose text no command can be made of, and what is wrong with it.
    fn unreadable(&self, locale: &Locale) -> Option<(&'static str, String)> {
        let uses = || item_form::parse_uses(&self.form.text("uses"), &self.choices.stock, locale).err();
        match &self.purpose {
            Purpose::AddGroup(_) if !self.form.text("choices").is_empty() => {
                self.new_choices(locale).err().map(|words| ("choices", words))
            }
            _ => uses().map(|words| ("uses", words)),
        }
    }

    /// The choices of a new group: names parted by commas, what each adds after an equals sign.
    fn new_choices(&self, locale: &Locale) -> Result<Vec<NewChoice>, String> {
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
                && crate::domain::money::Money::parse("price", price, currency).is_err()
            {
                return Err(locale.t_args("menu_book.bad_choice", &[("name", &name)]));
            }
            Ok(NewChoice { name: name.to_owned(), price: price.map(str::to_owned), ..NewChoice::default() })
        };
        parts.iter().map(|part| read(part)).collect()
    }

    /// The command that the answers make; `None` where they make none.
    fn command(&self, locale: &Locale) -> Option<MenuCommand> {
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

    /// The house refused: leads back to what was typed. Where somebody else was faster, says who
    /// changed what; sent again, the answers hold all the same.
    pub(super) fn refuse(&mut self, refused: &Refused, desk: &Desk, env: &Env<'_>) {
        let newer = refused.details.get("now").and_then(Value::as_i64);
        if refused.code == ErrorCode::Conflict
            && refused.guard == Some("seen_version")
            && let Some(now) = newer
        {
            self.seen = Some(now);
            self.form.refuse(None, meanwhile(refused, desk, env.locale));
            return;
        }
        // The house says where in the menu; the form has one thing of each kind.
        let field = refused.details.get("field").and_then(Value::as_str);
        let field = field.map(|path| match path.rsplit('.').next().unwrap_or(path) {
            "price_delta" => "delta",
            "category_id" => "category",
            "consumption" => "uses",
            last => last,
        });
        self.form.refuse(field, refusal::sentence(refused, env.locale));
    }

    /// What is said when it is done.
    pub(super) fn done_words(&self, locale: &Locale) -> String {
        let typed = self.form.text("name");
        match &self.purpose {
            Purpose::AddItem
            | Purpose::AddCategory(_)
            | Purpose::AddStation
            | Purpose::AddTaxClass
            | Purpose::AddGroup(_)
            | Purpose::AddChoice(..) => locale.t_args("menu_book.added", &[("name", &typed)]),
            Purpose::Price(item) => {
                let price = self.form.amount("price").map(|price| price.display(self.choices.currency()));
                let price = price.unwrap_or_default();
                locale.t_args("menu_book.costs", &[("name", &item.name), ("price", &price)])
            }
            Purpose::EditItem(..) | Purpose::EditCategory(_) | Purpose::EditGroup(..) | Purpose::EditChoice(..) => {
                locale.t_args("menu_book.saved", &[("name", &typed)])
            }
            Purpose::DeleteItem(item) => locale.t_args("menu_book.deleted", &[("name", &item.name)]),
            Purpose::DeleteCategory(category) => locale.t_args("menu_book.deleted", &[("name", &category.name)]),
            Purpose::DeleteGroup(_, group) => locale.t_args("menu_book.gone", &[("name", &group.name)]),
            Purpose::DeleteChoice(_, _, choice) => locale.t_args("menu_book.gone", &[("name", &choice.name)]),
            Purpose::Export | Purpose::Import | Purpose::Overwrite(_) => String::new(),
        }
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        self.form.draw(frame, area, ctx);
    }
}

fn file_field(locale: &Locale) -> Vec<Field> {
    let field = Field::line("file", locale.t("menu_book.file"), Kind::Needed, FILE, "menu.toml")
        .with_help(locale.t("menu_book.file_help"));
    vec![field]
}

fn group_fields(group: Option<&GroupRecord>, locale: &Locale) -> Vec<Field> {
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

fn choice_fields(choice: Option<&ChoiceRecord>, choices: &Choices, locale: &Locale) -> Vec<Field> {
    let kind = Kind::Amount { currency: choices.currency(), signed: true };
    let delta = choice.map_or(crate::domain::money::Money::ZERO, |choice| choice.price_delta);
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

/// Who changed what since the form was opened.
fn meanwhile(refused: &Refused, desk: &Desk, locale: &Locale) -> String {
    let changes = refused.details.get("changes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let each = |change: &Value| {
        let text = |key: &str| change.get(key).and_then(Value::as_str).unwrap_or_default();
        let who = match text("by") {
            "" => locale.t("menu_book.the_house"),
            name => name.to_owned(),
        };
        let at = chrono::DateTime::parse_from_rfc3339(text("at")).ok();
        let at = at.map(|at| desk.time(Timestamp(at.timestamp_micros()))).unwrap_or_default();
        locale.t_args("menu_book.who_changed", &[("who", &who), ("at", &at), ("what", &text("details"))])
    };
    let said: Vec<String> = changes.iter().map(each).collect();
    let said = if said.is_empty() { locale.t("menu_book.somebody_changed") } else { said.join("; ") };
    locale.t_args("menu_book.meanwhile", &[("changes", &said)])
}

/// Whether this ends in `=` and a whole number, so that a comma behind it may be its point.
fn is_whole_amount(choice: &str) -> bool {
    let amount = choice.rsplit_once('=').map(|(_, amount)| amount.trim());
    amount.is_some_and(|amount| !amount.is_empty() && amount.bytes().all(|byte| byte.is_ascii_digit()))
}
