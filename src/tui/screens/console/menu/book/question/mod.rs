//! The questions of the menu: one form for each change, and what a refusal does to it. A form stays open
//! until the house has answered; where somebody else was faster, it says who changed what, keeps what was
//! typed, and can be sent again. The fields stand in `fields`, the commands that answers make in `command`.

mod command;
mod fields;

use super::item_form::{self, AMOUNT, Choices};
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::menu::MAX_CATEGORY_NAME;
use crate::domain::time::Timestamp;
use crate::service::envelope::MenuCommand;
use crate::service::menu_book::{
    CategoryRecord, ChoiceRecord, GroupRecord, ItemRecord, MenuBookView, StationRecord, TaxClassRecord,
};
use crate::service::menu_edit::ItemPatch;
use crate::service::menu_file::MenuFile;
use crate::tui::app::{Env, Input, ViewCtx};
use crate::tui::keymap::Context;
use crate::tui::locale::Locale;
use crate::tui::refusal;
use crate::tui::screens::console::desk::Desk;
use crate::tui::screens::console::message::Msg;
use crate::tui::widgets::form::{Field, Filled, Form, Kind};
use fields::{REASON, choice_fields, file_field, group_fields, reason, station_fields, tax_fields};
use ratatui::Frame;
use ratatui::layout::Rect;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What a form is about that has no version: as it was shown, so that only what was changed is sent, and as
/// it was seen last, so that the house knows whether somebody else was faster.
#[derive(Debug)]
struct Shown<R> {
    first: R,
    last: R,
}

impl<R: Clone> Shown<R> {
    fn new(record: &R) -> Self {
        Self { first: record.clone(), last: record.clone() }
    }
}

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
    EditStation(Shown<StationRecord>),
    RetireStation(Shown<StationRecord>),
    EditTaxClass(Shown<TaxClassRecord>),
    RetireTaxClass(Shown<TaxClassRecord>),
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

/// The rate of a tax class as it is typed.
pub(super) fn plain_rate(class: &TaxClassRecord) -> String {
    class.rate.plain()
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
        let usual = book.stations.iter().any(|station| station.is_default && station.active);
        let fields = station_fields("", Some(!usual), locale);
        let form = Form::new(locale.t("menu_book.add_station"), "", fields);
        Self::new(form, Purpose::AddStation, None, book)
    }

    /// The name of a station, and whether it is to be the default one. The default one stays it until
    /// another is.
    pub(super) fn edit_station(station: &StationRecord, book: &MenuBookView, locale: &Locale) -> Self {
        let title = locale.t_args("menu_book.edit_title", &[("name", &station.name)]);
        let body = if station.is_default { locale.t("menu_book.usual_station_body") } else { String::new() };
        let fields = station_fields(&station.name, (!station.is_default).then_some(false), locale);
        Self::new(Form::new(title, body, fields), Purpose::EditStation(Shown::new(station)), None, book)
    }

    /// A station goes out of use.
    pub(super) fn retire_station(station: &StationRecord, book: &MenuBookView, locale: &Locale) -> Self {
        let title = locale.t_args("menu_book.retire_title", &[("name", &station.name)]);
        let form = Form::new(title, locale.t("menu_book.retire_station_body"), vec![reason(locale)]);
        Self::new(form, Purpose::RetireStation(Shown::new(station)), None, book)
    }

    /// A new tax class.
    pub(super) fn add_tax_class(book: &MenuBookView, locale: &Locale) -> Self {
        let usual = book.tax_classes.iter().any(|class| class.is_default && class.active);
        let fields = tax_fields("", "", Some(!usual), locale);
        let form = Form::new(locale.t("menu_book.add_tax_class"), "", fields);
        Self::new(form, Purpose::AddTaxClass, None, book)
    }

    /// The name and the rate of a tax class, and whether it is to be the default one. The default one stays
    /// it until another is.
    pub(super) fn edit_tax_class(class: &TaxClassRecord, book: &MenuBookView, locale: &Locale) -> Self {
        let title = locale.t_args("menu_book.edit_title", &[("name", &class.name)]);
        let body = locale.t(if class.is_default { "menu_book.usual_tax_body" } else { "menu_book.edit_tax_body" });
        let fields = tax_fields(&class.name, &plain_rate(class), (!class.is_default).then_some(false), locale);
        Self::new(Form::new(title, body, fields), Purpose::EditTaxClass(Shown::new(class)), None, book)
    }

    /// A tax class goes out of use.
    pub(super) fn retire_tax_class(class: &TaxClassRecord, book: &MenuBookView, locale: &Locale) -> Self {
        let title = locale.t_args("menu_book.retire_title", &[("name", &class.name)]);
        let form = Form::new(title, locale.t("menu_book.retire_tax_body"), vec![reason(locale)]);
        Self::new(form, Purpose::RetireTaxClass(Shown::new(class)), None, book)
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
        if refused.guard == Some("seen") && self.sees(refused) {
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

    /// Takes what the refusal says is there now; false where it says nothing that this form is about.
    fn sees(&mut self, refused: &Refused) -> bool {
        fn take<R: DeserializeOwned>(shown: &mut Shown<R>, refused: &Refused) -> bool {
            let now = refused.details.get("now").and_then(|now| R::deserialize(now).ok());
            now.map(|now| shown.last = now).is_some()
        }
        match &mut self.purpose {
            Purpose::EditStation(shown) | Purpose::RetireStation(shown) => take(shown, refused),
            Purpose::EditTaxClass(shown) | Purpose::RetireTaxClass(shown) => take(shown, refused),
            _ => false,
        }
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
            Purpose::EditItem(..)
            | Purpose::EditCategory(_)
            | Purpose::EditStation(_)
            | Purpose::EditTaxClass(_)
            | Purpose::EditGroup(..)
            | Purpose::EditChoice(..) => locale.t_args("menu_book.saved", &[("name", &typed)]),
            Purpose::RetireStation(shown) => locale.t_args("menu_book.retired", &[("name", &shown.last.name)]),
            Purpose::RetireTaxClass(shown) => locale.t_args("menu_book.retired", &[("name", &shown.last.name)]),
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

/// Who changed what since the form was opened.
fn meanwhile(refused: &Refused, desk: &Desk, locale: &Locale) -> String {
    let changes = refused.details.get("changes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let each = |change: &Value| {
        if let Some(what) = change.as_str() {
            return locale.t_args("menu_book.somebody_changed_what", &[("what", &what)]);
        }
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
