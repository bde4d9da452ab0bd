//! The book of the menu: every dish by category, one of them beside the list, and everything that its keepers
//! do with it. State and what inputs do to it; the forms stand in `question` and `item_form`, the lists
//! of categories and options in `sublist`, files in `exchange`, the filter's form in `filter`; drawing is in `view` and `detail`.

mod detail;
mod exchange;
mod filter;
mod item_form;
mod question;
mod rows;
mod sublist;
mod view;

use crate::domain::error::Refused;
use crate::domain::ids::{CategoryId, ItemId};
use crate::service::envelope::{Envelope, MenuCommand};
use crate::service::menu::SetAvailable;
use crate::service::menu_book::{CategoryRecord, ItemRecord, MenuBook, MenuBookView};
use crate::service::menu_edit::RestoreItem;
use crate::service::menu_file::MenuFile;
use crate::service::menu_import::{MenuDiff, MenuExport, MenuImport, MenuPreview};
use crate::service::menu_narrow::BookFilter;
use crate::tui::app::{Cmd, Env, Hit, Input, Latest, RequestId, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::screens::console::desk::{Commands, Desk, Done};
use crate::tui::screens::console::message::{Act, Ask, Effect, Loaded, Msg};
use crate::tui::screens::console::search::Search;
use crate::tui::screens::console::tab::Tab;
use crate::tui::theme::Token;
use crate::tui::widgets::form::{Filled, Form};
use crate::tui::widgets::list::ListState;
use exchange::Preview;
use question::{Next, Question};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use rows::{Row, Selected};
use sublist::{SUBLIST, Sublist, Wanted};

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
    /// The file that is read or written.
    file: Option<RequestId>,
    file_name: String,
    export: Latest<MenuFile>,
    import: Option<MenuFile>,
    diff: Latest<MenuDiff>,
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

    /// Does what a list or a key of a category asks for.
    fn carry_out(&mut self, wanted: Wanted, desk: &mut Desk, env: &Env<'_>) -> Commands {
        match wanted {
            Wanted::Nothing => Vec::new(),
            Wanted::Close => {
                self.sublist = None;
                Vec::new()
            }
            Wanted::Ask(question) => {
                self.question = Some(*question);
                Vec::new()
            }
            Wanted::Act(command, words) => self.act(*command, words, desk, env),
            Wanted::Deleted => self.toggle_deleted(desk, env),
        }
    }

    fn toggle_deleted(&mut self, desk: &mut Desk, env: &Env<'_>) -> Commands {
        self.deleted = !self.deleted;
        let words = if self.deleted {
            env.locale.t("menu_book.deleted_shown")
        } else {
            env.locale.t("menu_book.deleted_not_shown")
        };
        desk.say(words, Token::Muted, env);
        self.load(desk)
    }

    /// Asks for a new dish, or for a category first where there is none.
    fn add(&mut self, env: &Env<'_>) {
        let Some(book) = self.book.get() else { return };
        let live = |category: &&CategoryRecord| category.deleted_at.is_none();
        let here = self.category().filter(live).or_else(|| book.categories.iter().find(live));
        self.question = Some(match here {
            Some(category) => Question::add_item(&category.name, book, env.locale),
            None => Question::add_category(true, book, env.locale),
        });
    }

    /// What a key asks for about the selected dish.
    fn on_item(&mut self, action: Action, desk: &mut Desk, env: &Env<'_>) -> Commands {
        let (Some(book), Some(item)) = (self.book.get(), self.item()) else {
            desk.say(env.locale.t("console.select_first"), Token::Muted, env);
            return Vec::new();
        };
        let locale = env.locale;
        let name = item.name.as_str();
        if item.deleted_at.is_some() {
            if matches!(action, Action::Restore | Action::Select) {
                let command = RestoreItem { item: item.id.to_string() };
                let words = locale.t_args("menu_book.restored", &[("name", &name)]);
                return self.act(MenuCommand::RestoreItem(command), words, desk, env);
            }
            desk.say(locale.t("menu_book.restore_first"), Token::Muted, env);
            return Vec::new();
        }
        match action {
            Action::Edit => self.question = Some(Question::edit_item(item, book, locale)),
            Action::SetPrice => self.question = Some(Question::price(item, book, locale)),
            Action::Delete => self.question = Some(Question::delete_item(item, book, locale)),
            Action::Options => self.sublist = Some(Sublist::options(item.id)),
            Action::EightySix => {
                let available = !item.available;
                let command = SetAvailable { item: item.id.to_string(), option: None, available };
                let words = sublist::switched(name, available, locale);
                return self.act(MenuCommand::SetAvailable(command), words, desk, env);
            }
            Action::MoveUp | Action::MoveDown => {
                let Some(command) = rows::shifted(item, book, action == Action::MoveDown) else { return Vec::new() };
                let words = locale.t_args("menu_book.moved", &[("name", &name)]);
                return self.act(MenuCommand::MoveItem(command), words, desk, env);
            }
            _ => {}
        }
        Vec::new()
    }

    /// Does what a key asks for, in the list that is open.
    fn obey(&mut self, action: Action, desk: &mut Desk, env: &Env<'_>) -> Commands {
        match (&mut self.sublist, self.book.get()) {
            (Some(sublist), Some(book)) => {
                let wanted = sublist.on_action(action, book, env.locale);
                self.carry_out(wanted, desk, env)
            }
            _ => self.on_action(action, desk, env),
        }
    }

    fn on_action(&mut self, action: Action, desk: &mut Desk, env: &Env<'_>) -> Commands {
        let Some(book) = self.book.get() else { return Vec::new() };
        match action {
            Action::Add => self.add(env),
            Action::Categories => self.sublist = Some(Sublist::shelves()),
            Action::Export => self.question = Some(Question::export(book, env.locale)),
            Action::Import => self.question = Some(Question::import(book, env.locale)),
            Action::Search => {
                self.open = false;
                self.search.open(&self.filter.text);
            }
            Action::Back if self.open => self.open = false,
            Action::Filter => {
                self.open = false;
                self.form = Some(filter::form(&self.filter, book, env));
            }
            Action::Back if !self.filter.is_empty() => {
                self.filter = BookFilter::default();
                self.find();
            }
            Action::Back if self.deleted => return self.toggle_deleted(desk, env),
            Action::Restore => {
                let gone = self.item().is_some_and(|item| item.deleted_at.is_some());
                let gone_category = self.on_category() && self.category().is_some_and(|one| one.deleted_at.is_some());
                if !gone && !gone_category {
                    return self.toggle_deleted(desk, env);
                }
                return self.on_selected(action, desk, env);
            }
            Action::Select if !self.on_category() && self.item().is_none() => self.add(env),
            Action::Select if env.size.width < WIDE && !self.open && self.item().is_some() => {
                (self.open, self.skip) = (true, 0);
            }
            Action::Select => return self.on_selected(Action::Edit, desk, env),
            Action::Down | Action::PageDown if self.open => {
                self.skip = self.skip.saturating_add(if action == Action::Down { 1 } else { 10 });
            }
            Action::Up | Action::PageUp if self.open => {
                self.skip = self.skip.saturating_sub(if action == Action::Up { 1 } else { 10 });
            }
            Action::Up | Action::Down | Action::PageUp | Action::PageDown | Action::Home | Action::End => {
                self.go(action);
            }
            Action::Edit
            | Action::SetPrice
            | Action::Delete
            | Action::Options
            | Action::EightySix
            | Action::MoveUp
            | Action::MoveDown => return self.on_selected(action, desk, env),
            _ => {}
        }
        Vec::new()
    }

    /// What a key asks for about what is selected.
    fn on_selected(&mut self, action: Action, desk: &mut Desk, env: &Env<'_>) -> Commands {
        if !self.on_category() {
            return self.on_item(action, desk, env);
        }
        let (Some(book), Some(category)) = (self.book.get(), self.category()) else { return Vec::new() };
        match sublist::category_act(category, action, book, env.locale) {
            Some(wanted) => self.carry_out(wanted, desk, env),
            None => {
                desk.say(env.locale.t("menu_book.select_dish"), Token::Muted, env);
                Vec::new()
            }
        }
    }

    /// Moves the selection; the heading of what is deleted is passed over.
    fn go(&mut self, action: Action) {
        let rows = self.rows();
        self.state.on_action(action, rows.len());
        let heading = |state: &ListState| state.selected(rows.len()).and_then(|at| rows.get(at)) == Some(&Row::Deleted);
        if heading(&self.state) {
            let back = matches!(action, Action::Up | Action::PageUp | Action::Home);
            if !self.state.on_action(if back { Action::Up } else { Action::Down }, rows.len()) {
                self.state.on_action(Action::Up, rows.len());
            }
        }
        self.skip = 0;
        self.note();
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
                self.file = None;
                self.export.clear();
                self.diff.clear();
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
                if let Err(refused) = exchange::check_name(&name) {
                    self.refuse(&refused, desk, env);
                    return Vec::new();
                }
                self.file_name = name;
                return desk.ask(&mut self.export, Ask::MenuExport(MenuExport));
            }
            Next::Import(name) => {
                self.question = Some(question);
                if let Err(refused) = exchange::check_name(&name) {
                    self.refuse(&refused, desk, env);
                    return Vec::new();
                }
                let request = desk.request();
                self.file = Some(request);
                self.file_name.clone_from(&name);
                return vec![Cmd::Effect(Effect::Read { request, name })];
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

    fn on_preview(&mut self, preview: Preview, action: Option<Action>, desk: &mut Desk, env: &Env<'_>) -> Commands {
        match action {
            Some(Action::Back) => return Vec::new(),
            Some(Action::Import) if preview.overwrites() => {
                if let Some(book) = self.book.get() {
                    let (file, counts) = (preview.file.clone(), preview.counts(env.locale));
                    self.question = Some(Question::overwrite(file, &counts, book, env.locale));
                }
                self.preview = Some(preview);
            }
            Some(Action::Import) if !preview.is_empty() => {
                let command = MenuImport { file: preview.file.clone(), dry_run: false, reason: None };
                self.preview = Some(preview);
                let busy = desk.is_busy();
                let commands = self.act(MenuCommand::Import(command), String::new(), desk, env);
                if !busy {
                    self.origin = Origin::Preview;
                }
                return commands;
            }
            Some(action) => {
                let mut preview = preview;
                preview.on_action(action);
                self.preview = Some(preview);
            }
            None => self.preview = Some(preview),
        }
        Vec::new()
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
            Ok(Loaded::MenuExport(menu)) => {
                if self.export.settle(request) {
                    match exchange::write(&self.file_name, &menu) {
                        Ok(content) => {
                            let request = desk.request();
                            self.file = Some(request);
                            let name = self.file_name.clone();
                            return vec![Cmd::Effect(Effect::Save { request, name, content })];
                        }
                        Err(refused) => self.refuse(&refused, desk, env),
                    }
                }
            }
            Ok(Loaded::MenuPreview(diff)) => {
                if self.diff.settle(request)
                    && let Some(file) = self.import.take()
                {
                    self.question = None;
                    self.preview = Some(Preview::new(file, *diff));
                }
            }
            Ok(_) => {}
            Err(refused) => {
                if self.book.settle(request) {
                    self.problem = Some(refused);
                } else if self.export.settle(request) || self.diff.settle(request) {
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
        match message {
            Msg::Saved { request, result } if self.file == Some(request) => {
                self.file = None;
                match result {
                    Ok(path) => {
                        self.question = None;
                        let path = path.display().to_string();
                        desk.say(env.locale.t_args("menu_book.exported", &[("path", &path)]), Token::Success, env);
                    }
                    Err(refused) => self.refuse(&refused, desk, env),
                }
            }
            Msg::Read { request, result } if self.file == Some(request) => {
                self.file = None;
                match result.and_then(|content| exchange::read(&self.file_name, &content)) {
                    Ok(file) => {
                        self.import = Some(file.clone());
                        return desk.ask(&mut self.diff, Ask::MenuPreview(MenuPreview { file }));
                    }
                    Err(refused) => self.refuse(&refused, desk, env),
                }
            }
            _ => {}
        }
        Vec::new()
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
