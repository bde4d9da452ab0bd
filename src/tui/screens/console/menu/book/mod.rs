//! The book of the menu: every dish by category, one of them beside the list, and everything that its keepers
//! do with it. Its state, and the way of every input and answer; what a key asks for stands in `keys`, the
//! way of a file in `files` and what stands in one in `exchange`, the forms in `question`, `item_form` and
//! `filter`, the lists of categories and options in `sublist`; drawing is in `view` and `detail`.

mod detail;
mod exchange;
mod files;
mod filter;
mod item_form;
mod keys;
mod question;
mod rows;
mod sublist;
mod view;

use crate::domain::error::Refused;
use crate::domain::ids::{CategoryId, ItemId};
use crate::service::envelope::{Envelope, MenuCommand};
use crate::service::menu_book::{CategoryRecord, ItemRecord, MenuBook, MenuBookView};
use crate::service::menu_import::MenuDiff;
use crate::service::menu_narrow::BookFilter;
use crate::tui::app::{Env, Hit, Input, Latest, RequestId, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::screens::console::desk::{Commands, Desk, Done};
use crate::tui::screens::console::message::{Act, Ask, Loaded, Msg};
use crate::tui::screens::console::search::Search;
use crate::tui::screens::console::tab::Tab;
use crate::tui::theme::Token;
use crate::tui::widgets::form::{Filled, Form};
use crate::tui::widgets::list::ListState;
use exchange::Preview;
use files::Files;
use question::{Next, Question};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use rows::{Row, Selected};
use sublist::{SUBLIST, Sublist};

/// The name of the list in [`Hit::Row`].
const LIST: &str = "menu_items";
/// From this width on, what is selected stands beside the list.
const WIDE: u16 = 110;
/// Columns of the list where a dish stands beside it.
const LIST_WIDTH: u16 = 62;

/// From where the change that is under way was asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Origin {
    #[default]
    Key,
    Question,
    Preview,
}

/// The book.
#[derive(Debug, Default)]
pub(super) struct Book {
    book: Latest<MenuBookView>,
    problem: Option<Refused>,
    state: ListState,
    selected: Option<Selected>,
    /// What is deleted is shown as well.
    deleted: bool,
    filter: BookFilter,
    /// The form of the filter.
    form: Option<Form>,
    search: Search,
    /// The details take the whole screen.
    open: bool,
    skip: usize,
    sublist: Option<Sublist>,
    question: Option<Question>,
    preview: Option<Preview>,
    /// What is said when the change that is under way is done.
    said: Option<String>,
    origin: Origin,
    /// Something was changed since the book was read: a form must know the version.
    stale: bool,
    /// The category in which a first dish is asked for, once the book has it.
    first_dish: Option<CategoryId>,
    files: Files,
}

impl Book {
    fn rows(&self) -> Vec<Row> {
        self.book.get().map_or_else(Vec::new, |book| rows::rows(book, &self.filter, self.deleted))
    }

    fn key(&self, row: Row) -> Option<Selected> {
        let book = self.book.get()?;
        match row {
            Row::Category(at) => book.categories.get(at).map(|category| Selected::Category(category.id)),
            Row::Item(at) => book.items.get(at).map(|item| Selected::Item(item.id)),
            Row::Deleted => None,
        }
    }

    /// Puts the selection where what was selected stands now; on the first dish at first.
    fn find(&mut self) {
        let rows = self.rows();
        let place = match self.selected {
            Some(_) => rows.iter().position(|row| self.key(*row) == self.selected),
            None => rows.iter().position(|row| matches!(row, Row::Item(_))),
        };
        if let Some(place) = place {
            self.state.select(place);
        }
        self.note();
    }

    /// Remembers what is selected, whatever becomes of the rows.
    fn note(&mut self) {
        let rows = self.rows();
        let row = self.state.selected(rows.len()).and_then(|at| rows.get(at)).copied();
        self.selected = row.and_then(|row| self.key(row));
    }

    fn item(&self) -> Option<&ItemRecord> {
        match self.selected? {
            Selected::Item(id) => self.book.get()?.items.iter().find(|item| item.id == id),
            Selected::Category(_) => None,
        }
    }

    fn category(&self) -> Option<&CategoryRecord> {
        let id = match self.selected? {
            Selected::Item(_) => self.item()?.category_id,
            Selected::Category(id) => id,
        };
        self.book.get()?.categories.iter().find(|category| category.id == id)
    }

    fn on_category(&self) -> bool {
        matches!(self.selected, Some(Selected::Category(_)))
    }

    fn act(&mut self, command: MenuCommand, words: String, desk: &mut Desk, env: &Env<'_>) -> Commands {
        if !desk.is_busy() {
            (self.said, self.origin) = (Some(words), Origin::Key);
        }
        desk.act(Act::Command(Envelope::Menu(Box::new(command))), env)
    }

    fn on_form(&mut self, mut form: Form, input: &Input<Msg>, desk: &mut Desk, env: &Env<'_>) -> Commands {
        match form.on_input(input, env) {
            Filled::Open => self.form = Some(form),
            Filled::Cancelled => {}
            Filled::Sent => {
                let Some(book) = self.book.get() else { return Vec::new() };
                self.filter = filter::filled(&self.filter, &form, book);
                self.find();
                if self.filter.wants_deleted() && !self.deleted {
                    return self.load(desk);
                }
            }
        }
        Vec::new()
    }

    fn on_question(&mut self, mut question: Question, input: &Input<Msg>, desk: &mut Desk, env: &Env<'_>) -> Commands {
        match question.on_input(input, env) {
            Next::Open => self.question = Some(question),
            Next::Cancelled => {
                self.files.forget();
            }
            Next::Send(command) => {
                let words = question.done_words(env.locale);
                // The question stays, so that a refusal leads back to what was typed.
                self.question = Some(question);
                if desk.is_busy() {
                    let busy = Refused::conflict(env.locale.t("console.busy")).help("");
                    self.refuse(&busy, desk, env);
                    return Vec::new();
                }
                let commands = self.act(*command, words, desk, env);
                self.origin = Origin::Question;
                return commands;
            }
            Next::Export(name) => {
                self.question = Some(question);
                return self.write_file(name, desk, env);
            }
            Next::Import(name) => {
                self.question = Some(question);
                return self.read_file(name, desk, env);
            }
        }
        Vec::new()
    }

    /// Leads a refusal back to the open question; else says it.
    fn refuse(&mut self, refused: &Refused, desk: &mut Desk, env: &Env<'_>) {
        match &mut self.question {
            Some(question) => question.refuse(refused, desk, env),
            None => desk.refuse(refused, env),
        }
    }

    /// Opens the form of the first dish, once its category is in the book.
    fn grant(&mut self, env: &Env<'_>) {
        let Some(book) = self.book.get() else { return };
        let found = self.first_dish.and_then(|id| book.categories.iter().find(|category| category.id == id));
        if let Some(category) = found
            && self.question.is_none()
        {
            self.question = Some(Question::add_item(&category.name, book, env.locale));
            self.first_dish = None;
        }
    }
}

impl Tab for Book {
    fn load(&mut self, desk: &mut Desk) -> Commands {
        let deleted = self.deleted || self.filter.wants_deleted();
        desk.ask(&mut self.book, Ask::MenuBook(MenuBook { deleted }))
    }

    fn context(&self) -> Context {
        match (&self.question, &self.form) {
            (Some(question), _) => question.context(),
            (None, Some(form)) => form.context(),
            (None, None) if self.search.is_open() => Context::TextInput,
            (None, None) => Context::ConsoleMenu,
        }
    }

    fn is_covered(&self) -> bool {
        let asked = self.question.is_some() || self.preview.is_some() || self.form.is_some();
        asked || self.sublist.is_some() || self.search.is_open()
    }

    fn is_waiting(&self) -> bool {
        // The lists of categories and options are of the book, too.
        let asked = self.question.is_some() || self.preview.is_some() || self.search.is_open();
        !asked && self.book.is_waiting() && (self.stale || self.book.get().is_none())
    }

    fn is_searching(&self) -> bool {
        self.question.is_none() && self.preview.is_none() && self.sublist.is_none() && self.search.is_open()
    }

    fn hints(&self, _desk: &Desk) -> Vec<Action> {
        if self.open {
            return vec![
                Action::Edit,
                Action::EightySix,
                Action::SetPrice,
                Action::Options,
                Action::Delete,
                Action::Back,
                Action::Help,
            ];
        }
        let mut hints = vec![Action::Add];
        if self.on_category() {
            hints.extend([Action::Edit, Action::MoveUp, Action::MoveDown, Action::Delete, Action::Categories]);
            hints.extend([Action::Promotions, Action::Search, Action::Filter]);
        } else if self.selected.is_some() {
            hints.extend([Action::Edit, Action::EightySix, Action::SetPrice, Action::Options, Action::Categories]);
            hints.extend([Action::Promotions, Action::Search, Action::Filter, Action::Delete]);
        } else {
            hints.extend([Action::Categories, Action::Promotions]);
        }
        hints.extend([Action::Import, Action::Export, Action::Help]);
        hints
    }

    fn on_input(&mut self, input: &Input<Msg>, action: Option<Action>, desk: &mut Desk, env: &Env<'_>) -> Commands {
        if let Some(question) = self.question.take() {
            return self.on_question(question, input, desk, env);
        }
        if let Some(preview) = self.preview.take() {
            return self.on_preview(preview, action, desk, env);
        }
        if let Some(form) = self.form.take() {
            return self.on_form(form, input, desk, env);
        }
        if let Some(sublist) = &mut self.sublist {
            if let (Some(book), Input::Click { hit: Some(Hit::Row { list: SUBLIST, index }), .. }) =
                (self.book.get(), input)
            {
                let wanted = sublist.click(*index, book, env.locale);
                return self.carry_out(wanted, desk, env);
            }
            return action.map_or_else(Vec::new, |action| self.obey(action, desk, env));
        }
        if self.search.is_open() {
            if self.search.on_input(input, action, &mut self.filter.text) {
                self.find();
            }
            return Vec::new();
        }
        if let Input::Click { hit: Some(Hit::Row { list: LIST, index }), .. } = input {
            let again = self.state.selected(self.rows().len()) == Some(*index);
            self.state.select(*index);
            self.note();
            return if again { self.on_action(Action::Select, desk, env) } else { Vec::new() };
        }
        action.map_or_else(Vec::new, |action| self.obey(action, desk, env))
    }

    fn on_loaded(
        &mut self,
        request: RequestId,
        result: Result<Loaded, Refused>,
        desk: &mut Desk,
        env: &Env<'_>,
    ) -> Commands {
        match result {
            Ok(Loaded::MenuBook(book)) => {
                if self.book.answer(request, *book) {
                    (self.problem, self.stale) = (None, false);
                    self.find();
                    self.grant(env);
                }
            }
            Ok(Loaded::MenuExport(menu)) => return self.exported(request, &menu, desk, env),
            Ok(Loaded::MenuPreview(diff)) => self.previewed(request, *diff),
            Ok(_) => {}
            Err(refused) => {
                if self.book.settle(request) {
                    self.problem = Some(refused);
                } else if self.files.settle(request) {
                    self.refuse(&refused, desk, env);
                }
            }
        }
        Vec::new()
    }

    fn on_done(&mut self, done: Done, desk: &mut Desk, env: &Env<'_>) -> Commands {
        let origin = std::mem::take(&mut self.origin);
        let words = self.said.take().unwrap_or_default();
        let value = match done.result {
            Ok(value) => {
                self.stale = true;
                value
            }
            Err(refused) => {
                match origin {
                    Origin::Question => self.refuse(&refused, desk, env),
                    Origin::Key | Origin::Preview => desk.refuse(&refused, env),
                }
                return Vec::new();
            }
        };
        let mut imported = origin == Origin::Preview;
        let id = value.get("id").and_then(serde_json::Value::as_str).map(str::to_owned);
        if origin == Origin::Question
            && let Some(question) = self.question.take()
        {
            let category = id.as_deref().and_then(|id| id.parse::<CategoryId>().ok());
            let item = id.as_deref().and_then(|id| id.parse::<ItemId>().ok());
            imported |= question.imports();
            if question.makes_item() {
                self.selected = item.map(Selected::Item).or(self.selected);
            }
            if question.leads_to_item() {
                self.first_dish = category;
            }
        }
        let words = if imported {
            self.preview = None;
            match serde_json::from_value::<MenuDiff>(value) {
                Ok(diff) => exchange::counts(&diff, env.locale),
                Err(_) => env.locale.t("menu_book.imported"),
            }
        } else {
            words
        };
        desk.say(words, Token::Success, env);
        Vec::new()
    }

    fn on_file(&mut self, message: Msg, desk: &mut Desk, env: &Env<'_>) -> Commands {
        self.on_file_answer(message, desk, env)
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        if ctx.size.width >= WIDE {
            let [left, _, right] =
                Layout::horizontal([Constraint::Length(LIST_WIDTH), Constraint::Length(1), Constraint::Fill(1)])
                    .areas(area);
            self.draw_list(frame, left, desk, ctx);
            self.draw_detail(frame, right, desk, ctx);
        } else if self.open {
            self.draw_detail(frame, area, desk, ctx);
        } else {
            self.draw_list(frame, area, desk, ctx);
        }
        if let (Some(sublist), Some(book)) = (&self.sublist, self.book.get()) {
            sublist.draw(frame, area, book, desk, ctx);
        }
        if let Some(preview) = &self.preview {
            preview.draw(frame, area, ctx);
        }
        if let Some(question) = &self.question {
            question.draw(frame, area, ctx);
        }
        if let Some(form) = &self.form {
            form.draw(frame, area, ctx);
        }
    }
}
