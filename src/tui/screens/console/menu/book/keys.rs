//! What the keys of the book ask for: of the list, of the dish or category that is selected, and of the list
//! that lies over them. What they change is sent and answered in the parent.

use super::question::Question;
use super::rows::Row;
use super::sublist::{self, Sublist, Wanted};
use super::{Book, WIDE, filter, rows};
use crate::service::envelope::MenuCommand;
use crate::service::menu::SetAvailable;
use crate::service::menu_book::CategoryRecord;
use crate::service::menu_edit::RestoreItem;
use crate::service::menu_narrow::BookFilter;
use crate::tui::app::Env;
use crate::tui::keymap::Action;
use crate::tui::screens::console::desk::{Commands, Desk};
use crate::tui::screens::console::tab::Tab;
use crate::tui::theme::Token;
use crate::tui::widgets::list::ListState;

impl Book {
    /// Does what a list or a key of a category asks for.
    pub(super) fn carry_out(&mut self, wanted: Wanted, desk: &mut Desk, env: &Env<'_>) -> Commands {
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
    pub(super) fn obey(&mut self, action: Action, desk: &mut Desk, env: &Env<'_>) -> Commands {
        match (&mut self.sublist, self.book.get()) {
            (Some(sublist), Some(book)) => {
                let wanted = sublist.on_action(action, book, env.locale);
                self.carry_out(wanted, desk, env)
            }
            _ => self.on_action(action, desk, env),
        }
    }

    pub(super) fn on_action(&mut self, action: Action, desk: &mut Desk, env: &Env<'_>) -> Commands {
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
}
