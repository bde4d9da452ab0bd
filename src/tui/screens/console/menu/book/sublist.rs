//! The two lists that lie over the menu: what dishes are sorted by (categories, stations, tax classes),
//! and the options of one dish. Each has rows that add something, so that nothing has to be known by
//! heart. What a key asks for goes back to the tab; nothing is sent from here.

use super::question::{Question, plain_rate};
use crate::domain::ids::ItemId;
use crate::service::envelope::MenuCommand;
use crate::service::menu::SetAvailable;
use crate::service::menu_book::{
    CategoryRecord, ChoiceRecord, GroupRecord, ItemRecord, MenuBookView, StationRecord, TaxClassRecord,
};
use crate::service::menu_categories::{AddStation, AddTaxClass, MoveCategory, RestoreCategory};
use crate::service::menu_options::{EditOption, EditOptionGroup};
use crate::tui::app::ViewCtx;
use crate::tui::keymap::{Action, Context};
use crate::tui::locale::Locale;
use crate::tui::screens::console::desk::Desk;
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::columns::{self, Column};
use crate::tui::widgets::list::{self, ListLook, ListState};
use crate::tui::widgets::{footer, panel};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// The name of the list in [`crate::tui::app::Hit::Row`].
pub(super) const SUBLIST: &str = "menu_sublist";
/// Columns of the list, where the screen has them.
const WIDTH: u16 = 72;
/// Columns of what stands at the right.
const ASIDE: u16 = 24;

/// What a key asks for.
#[derive(Debug)]
pub(super) enum Wanted {
    /// Nothing more.
    Nothing,
    /// The list goes.
    Close,
    /// This question.
    Ask(Box<Question>),
    /// This change, and what is said when it is done.
    Act(Box<MenuCommand>, String),
    /// Show what is deleted, or no longer.
    Deleted,
}

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Shelves,
    Options(ItemId),
}

/// An open list.
#[derive(Debug)]
pub(super) struct Sublist {
    what: What,
    state: ListState,
}

/// One row, with the places of what it shows in the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    Category(usize),
    Station(usize),
    TaxClass(usize),
    AddCategory,
    AddStation,
    AddTaxClass,
    Group(usize),
    Choice(usize, usize),
    AddChoice(usize),
    AddGroup,
}

fn ask(question: Question) -> Wanted {
    Wanted::Ask(Box::new(question))
}

fn act(command: MenuCommand, words: String) -> Wanted {
    Wanted::Act(Box::new(command), words)
}

/// The place, from 1, to which something at `at` of `count` goes; `None` at the end already.
pub(super) fn next_place(at: usize, count: usize, later: bool) -> Option<u32> {
    let to = if later { at.checked_add(1).filter(|to| *to < count)? } else { at.checked_sub(1)? };
    u32::try_from(to.saturating_add(1)).ok()
}

impl Sublist {
    /// Categories, stations and tax classes.
    pub(super) fn shelves() -> Self {
        Self { what: What::Shelves, state: ListState::default() }
    }

    /// The options of a dish.
    pub(super) fn options(item: ItemId) -> Self {
        Self { what: What::Options(item), state: ListState::default() }
    }

    fn item<'b>(&self, book: &'b MenuBookView) -> Option<&'b ItemRecord> {
        match self.what {
            What::Options(id) => book.items.iter().find(|item| item.id == id),
            What::Shelves => None,
        }
    }

    fn rows(&self, book: &MenuBookView) -> Vec<Row> {
        match self.what {
            What::Shelves => {
                let mut rows: Vec<Row> = (0..book.categories.len()).map(Row::Category).collect();
                rows.push(Row::AddCategory);
                rows.extend((0..book.stations.len()).map(Row::Station));
                rows.push(Row::AddStation);
                rows.extend((0..book.tax_classes.len()).map(Row::TaxClass));
                rows.push(Row::AddTaxClass);
                rows
            }
            What::Options(_) => {
                let mut rows = Vec::new();
                let groups = self.item(book).map(|item| item.option_groups.as_slice()).unwrap_or_default();
                for (at, group) in groups.iter().enumerate() {
                    rows.push(Row::Group(at));
                    rows.extend((0..group.choices.len()).map(|choice| Row::Choice(at, choice)));
                    rows.push(Row::AddChoice(at));
                }
                rows.push(Row::AddGroup);
                rows
            }
        }
    }

    /// A row was clicked.
    pub(super) fn click(&mut self, index: usize, book: &MenuBookView, locale: &Locale) -> Wanted {
        let again = self.state.selected(self.rows(book).len()) == Some(index);
        self.state.select(index);
        if again { self.on_action(Action::Select, book, locale) } else { Wanted::Nothing }
    }

    /// Does what a key asks for.
    pub(super) fn on_action(&mut self, action: Action, book: &MenuBookView, locale: &Locale) -> Wanted {
        let rows = self.rows(book);
        if action == Action::Back {
            return Wanted::Close;
        }
        if self.state.on_action(action, rows.len()) {
            return Wanted::Nothing;
        }
        let Some(row) = self.state.selected(rows.len()).and_then(|at| rows.get(at)).copied() else {
            return Wanted::Nothing;
        };
        let wanted = match self.what {
            What::Shelves => shelf(row, action, book, locale),
            What::Options(_) => self.item(book).and_then(|item| option(row, action, item, book, locale)),
        };
        if matches!(wanted, Some(Wanted::Act(..))) {
            self.follow(row, action, book);
        }
        wanted.unwrap_or(Wanted::Nothing)
    }

    /// The selection goes with what is moved.
    fn follow(&mut self, row: Row, action: Action, book: &MenuBookView) {
        let groups = self.item(book).map(|item| item.option_groups.as_slice()).unwrap_or_default();
        let to = match (row, action) {
            (Row::Category(at), Action::MoveUp) => Row::Category(at.saturating_sub(1)),
            (Row::Category(at), Action::MoveDown) => Row::Category(at.saturating_add(1)),
            (Row::Choice(group, at), Action::MoveUp) => Row::Choice(group, at.saturating_sub(1)),
            (Row::Choice(group, at), Action::MoveDown) => Row::Choice(group, at.saturating_add(1)),
            (Row::Group(at), Action::MoveUp | Action::MoveDown) => {
                // The other group takes the place of this one: as many rows as it has.
                let other = if action == Action::MoveUp { at.checked_sub(1) } else { at.checked_add(1) };
                let rows = other.and_then(|other| groups.get(other)).map_or(0, |group| group.choices.len());
                let here = self.state.selected(usize::MAX).unwrap_or_default();
                let by = rows.saturating_add(2);
                self.state.select(if action == Action::MoveUp {
                    here.saturating_sub(by)
                } else {
                    here.saturating_add(by)
                });
                return;
            }
            _ => return,
        };
        if let Some(place) = self.rows(book).iter().position(|row| *row == to) {
            self.state.select(place);
        }
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, book: &MenuBookView, desk: &Desk, ctx: &ViewCtx<'_>) {
        let rows = self.rows(book);
        let (title, body) = match self.item(book) {
            Some(item) => {
                let empty = item.option_groups.is_empty();
                let body = if empty { ctx.locale.t("menu_book.no_options") } else { String::new() };
                (ctx.locale.t_args("menu_book.options_title", &[("name", &item.name)]), body)
            }
            None => (ctx.locale.t("menu_book.shelves_title"), String::new()),
        };
        let width = WIDTH.min(area.width);
        let body = text::wrap(&body, usize::from(width.saturating_sub(4)));
        let body_rows = if body.concat().is_empty() { 0 } else { u16::try_from(body.len()).unwrap_or_default() };
        let wanted = u16::try_from(rows.len()).unwrap_or(u16::MAX).saturating_add(4).saturating_add(body_rows);
        let inner = panel::overlay(frame, area, (width, wanted), &title, ctx);
        let [above, list, _, keys] = Layout::vertical([
            Constraint::Length(body_rows),
            Constraint::Fill(1),
            Constraint::Length(1),
            Constraint::Length(1),
        ])
        .areas(inner);
        let body: Vec<Line<'_>> = body.into_iter().map(|row| Line::styled(row, ctx.style(Token::Muted))).collect();
        frame.render_widget(Paragraph::new(body), above);
        let look = ListLook { name: SUBLIST, row_height: 1, active: true };
        let item = self.item(book);
        list::draw(frame, list, &self.state, rows.len(), look, ctx, |index, width| {
            let Some(row) = rows.get(index) else { return Vec::new() };
            vec![line(*row, item, book, width, desk, ctx)]
        });
        // The way out is named before what has no room any more.
        let mut hints = vec![Action::Select, Action::Add];
        if item.is_some() {
            hints.push(Action::EightySix);
        }
        hints.extend([Action::Delete, Action::Back]);
        // Stations and tax classes have no order of their own.
        let row = self.state.selected(rows.len()).and_then(|at| rows.get(at));
        if !matches!(row, Some(Row::Station(_) | Row::TaxClass(_) | Row::AddStation | Row::AddTaxClass)) {
            hints.extend([Action::MoveUp, Action::MoveDown]);
        }
        if item.is_none() {
            hints.push(Action::Restore);
        }
        footer::draw(frame, keys, Context::ConsoleMenu, &hints, ctx);
    }
}

/// What a key asks for in the list of categories, stations and tax classes.
fn shelf(row: Row, action: Action, book: &MenuBookView, locale: &Locale) -> Option<Wanted> {
    if let (Row::Category(at), Action::Select | Action::Edit | Action::Delete | Action::MoveUp | Action::MoveDown) =
        (row, action)
    {
        return category_act(book.categories.get(at)?, action, book, locale);
    }
    if let Row::Station(at) = row
        && action != Action::Add
    {
        return station_act(book.stations.get(at)?, action, book, locale);
    }
    if let Row::TaxClass(at) = row
        && action != Action::Add
    {
        return tax_class_act(book.tax_classes.get(at)?, action, book, locale);
    }
    match (row, action) {
        (Row::Category(at), Action::Restore) => {
            let category = book.categories.get(at)?;
            Some(if category.deleted_at.is_some() { restore(category, locale) } else { Wanted::Deleted })
        }
        (_, Action::Restore) => Some(Wanted::Deleted),
        (Row::AddCategory, Action::Select | Action::Add) | (Row::Category(_), Action::Add) => {
            Some(ask(Question::add_category(false, book, locale)))
        }
        (Row::AddStation, Action::Select | Action::Add) | (Row::Station(_), Action::Add) => {
            Some(ask(Question::add_station(book, locale)))
        }
        (Row::AddTaxClass, Action::Select | Action::Add) | (Row::TaxClass(_), Action::Add) => {
            Some(ask(Question::add_tax_class(book, locale)))
        }
        _ => None,
    }
}

/// What can be done with a station: its form, its end, and its return.
fn station_act(station: &StationRecord, action: Action, book: &MenuBookView, locale: &Locale) -> Option<Wanted> {
    match action {
        Action::Select | Action::Restore if !station.active => {
            let command = AddStation { name: station.name.clone(), default: false };
            let words = locale.t_args("menu_book.restored", &[("name", &station.name)]);
            Some(act(MenuCommand::AddStation(command), words))
        }
        Action::Restore => Some(Wanted::Deleted),
        _ if !station.active => None,
        Action::Select | Action::Edit => Some(ask(Question::edit_station(station, book, locale))),
        Action::Delete => Some(ask(Question::retire_station(station, book, locale))),
        _ => None,
    }
}

/// What can be done with a tax class: its form, its end, and its return.
fn tax_class_act(class: &TaxClassRecord, action: Action, book: &MenuBookView, locale: &Locale) -> Option<Wanted> {
    match action {
        Action::Select | Action::Restore if !class.active => {
            let command = AddTaxClass { name: class.name.clone(), rate: plain_rate(class), default: false };
            let words = locale.t_args("menu_book.restored", &[("name", &class.name)]);
            Some(act(MenuCommand::AddTaxClass(command), words))
        }
        Action::Restore => Some(Wanted::Deleted),
        _ if !class.active => None,
        Action::Select | Action::Edit => Some(ask(Question::edit_tax_class(class, book, locale))),
        Action::Delete => Some(ask(Question::retire_tax_class(class, book, locale))),
        _ => None,
    }
}

fn restore(category: &CategoryRecord, locale: &Locale) -> Wanted {
    let command = RestoreCategory { category: category.id.to_string() };
    act(MenuCommand::RestoreCategory(command), locale.t_args("menu_book.restored", &[("name", &category.name)]))
}

/// What can be done with a category: its form, its place, its end.
pub(super) fn category_act(
    category: &CategoryRecord,
    action: Action,
    book: &MenuBookView,
    locale: &Locale,
) -> Option<Wanted> {
    if category.deleted_at.is_some() {
        return matches!(action, Action::Restore | Action::Select).then(|| restore(category, locale));
    }
    match action {
        Action::Select | Action::Edit => Some(ask(Question::edit_category(category, book, locale))),
        Action::Delete => Some(ask(Question::delete_category(category, book, locale))),
        Action::MoveUp | Action::MoveDown => {
            let live: Vec<&CategoryRecord> =
                book.categories.iter().filter(|other| other.deleted_at.is_none()).collect();
            let at = live.iter().position(|other| other.id == category.id)?;
            let place = next_place(at, live.len(), action == Action::MoveDown)?;
            let command = MoveCategory { category: category.id.to_string(), place };
            let words = locale.t_args("menu_book.moved", &[("name", &category.name)]);
            Some(act(MenuCommand::MoveCategory(command), words))
        }
        _ => None,
    }
}

/// What a key asks for in the list of options.
fn option(row: Row, action: Action, item: &ItemRecord, book: &MenuBookView, locale: &Locale) -> Option<Wanted> {
    let group_at = |at: usize| item.option_groups.get(at);
    match row {
        Row::AddGroup => {
            matches!(action, Action::Select | Action::Add).then(|| ask(Question::add_group(item, book, locale)))
        }
        Row::AddChoice(at) => {
            let group = group_at(at)?;
            matches!(action, Action::Select | Action::Add).then(|| ask(Question::add_choice(item, group, book, locale)))
        }
        Row::Group(at) => group_act(at, group_at(at)?, action, item, book, locale),
        Row::Choice(at, choice) => {
            let group = group_at(at)?;
            choice_act(choice, (group, group.choices.get(choice)?), action, item, book, locale)
        }
        _ => None,
    }
}

fn group_act(
    at: usize,
    group: &GroupRecord,
    action: Action,
    item: &ItemRecord,
    book: &MenuBookView,
    locale: &Locale,
) -> Option<Wanted> {
    match action {
        Action::Select | Action::Edit => Some(ask(Question::edit_group(item, group, book, locale))),
        Action::Add => Some(ask(Question::add_choice(item, group, book, locale))),
        Action::Delete => Some(ask(Question::delete_group(item, group, book, locale))),
        Action::MoveUp | Action::MoveDown => {
            let place = next_place(at, item.option_groups.len(), action == Action::MoveDown)?;
            let command = EditOptionGroup {
                item: item.id.to_string(),
                seen_version: Some(item.version),
                group: group.id.to_string(),
                name: None,
                min: None,
                max: None,
                place: Some(place),
            };
            let words = locale.t_args("menu_book.moved", &[("name", &group.name)]);
            Some(act(MenuCommand::EditOptionGroup(command), words))
        }
        _ => None,
    }
}

fn choice_act(
    at: usize,
    (group, choice): (&GroupRecord, &ChoiceRecord),
    action: Action,
    item: &ItemRecord,
    book: &MenuBookView,
    locale: &Locale,
) -> Option<Wanted> {
    match action {
        Action::Select | Action::Edit => Some(ask(Question::edit_choice(item, group, choice, book, locale))),
        Action::Add => Some(ask(Question::add_choice(item, group, book, locale))),
        Action::Delete => Some(ask(Question::delete_choice(item, group, choice, book, locale))),
        Action::EightySix => {
            let available = !choice.available;
            let command = SetAvailable { item: item.id.to_string(), option: Some(choice.id.to_string()), available };
            Some(act(MenuCommand::SetAvailable(command), switched(&choice.name, available, locale)))
        }
        Action::MoveUp | Action::MoveDown => {
            let place = next_place(at, group.choices.len(), action == Action::MoveDown)?;
            let command = EditOption {
                item: item.id.to_string(),
                seen_version: Some(item.version),
                group: group.id.to_string(),
                option: choice.id.to_string(),
                name: None,
                price: None,
                available: None,
                place: Some(place),
                uses: None,
            };
            let words = locale.t_args("menu_book.moved", &[("name", &choice.name)]);
            Some(act(MenuCommand::EditOption(command), words))
        }
        _ => None,
    }
}

/// What is said when something was switched off or on again.
pub(super) fn switched(name: &str, available: bool, locale: &Locale) -> String {
    if available {
        locale.t_args("menu_book.back_on", &[("name", &name)])
    } else {
        locale.t_args("menu_book.now_sold_out", &[("name", &name)])
    }
}

fn line(
    row: Row,
    item: Option<&ItemRecord>,
    book: &MenuBookView,
    width: u16,
    desk: &Desk,
    ctx: &ViewCtx<'_>,
) -> Line<'static> {
    let group = |at: usize| item.and_then(|item| item.option_groups.get(at));
    let locale = ctx.locale;
    let (name, aside, token): (String, String, Token) = match row {
        Row::Category(at) => {
            let Some(category) = book.categories.get(at) else { return Line::default() };
            let count = i64::try_from(category.items).unwrap_or(i64::MAX);
            if category.deleted_at.is_some() {
                (category.name.clone(), locale.t("menu_book.is_deleted"), Token::Muted)
            } else if category.active {
                (category.name.clone(), locale.t_plural("menu_book.dishes", count, &[]), Token::Text)
            } else {
                (category.name.clone(), locale.t("menu_book.is_hidden"), Token::Muted)
            }
        }
        Row::Station(at) => {
            let Some(station) = book.stations.get(at) else { return Line::default() };
            let aside = locale.t(match (station.active, station.is_default) {
                (false, _) => "menu_book.out_of_use",
                (true, true) => "menu_book.default_station",
                (true, false) => "menu_book.a_station",
            });
            (station.name.clone(), aside, if station.active { Token::Text } else { Token::Muted })
        }
        Row::TaxClass(at) => {
            let Some(class) = book.tax_classes.get(at) else { return Line::default() };
            if !class.active {
                return aside_line((class.name.clone(), locale.t("menu_book.out_of_use"), Token::Muted), width, ctx);
            }
            let rate = class.rate.to_string();
            let key = if class.is_default { "menu_book.default_tax_rate" } else { "menu_book.tax_rate" };
            (class.name.clone(), locale.t_args(key, &[("rate", &rate)]), Token::Text)
        }
        Row::AddCategory => return adds(locale.t("menu_book.add_category"), 0, ctx),
        Row::AddStation => return adds(locale.t("menu_book.add_station"), 0, ctx),
        Row::AddTaxClass => return adds(locale.t("menu_book.add_tax_class"), 0, ctx),
        Row::AddGroup => return adds(locale.t("menu_book.add_group"), 0, ctx),
        Row::AddChoice(_) => return adds(locale.t("menu_book.add_choice"), 2, ctx),
        Row::Group(at) => {
            let Some(group) = group(at) else { return Line::default() };
            (group.name.clone(), taken_words(group, locale), Token::Title)
        }
        Row::Choice(at, choice) => {
            let Some(choice) = group(at).and_then(|group| group.choices.get(choice)) else { return Line::default() };
            let name = format!("  {}", text::clean(&choice.name));
            if choice.available {
                (name, delta_words(choice, desk), Token::Text)
            } else {
                (name, locale.t("menu_book.is_sold_out"), Token::Danger)
            }
        }
    };
    aside_line((name, aside, token), width, ctx)
}

/// A name at the left, as far in as its spaces say, and what stands at the right.
fn aside_line((name, aside, token): (String, String, Token), width: u16, ctx: &ViewCtx<'_>) -> Line<'static> {
    let indent = name.len().saturating_sub(name.trim_start().len());
    let cells = [
        (name.trim_start(), ctx.style(token)),
        (aside.as_str(), ctx.style(if token == Token::Danger { token } else { Token::Muted })),
    ];
    let room = width.saturating_sub(u16::try_from(indent).unwrap_or_default());
    let row = columns::row(&[Column::Fill, Column::Right(ASIDE)], &cells, room);
    let mut spans = vec![Span::raw(" ".repeat(indent))];
    spans.extend(row.spans);
    Line::from(spans)
}

fn adds(words: String, indent: usize, ctx: &ViewCtx<'_>) -> Line<'static> {
    Line::styled(format!("{}+ {words}", " ".repeat(indent)), ctx.style(Token::Accent))
}

/// How many choices are taken, in words.
pub(super) fn taken_words(group: &GroupRecord, locale: &Locale) -> String {
    match (group.min, group.max) {
        (0, max) => locale.t_plural("menu_book.up_to", i64::from(max), &[]),
        (min, max) if min == max => locale.t_plural("menu_book.exactly", i64::from(min), &[]),
        (min, max) => locale.t_args("menu_book.from_to", &[("min", &min), ("max", &max)]),
    }
}

/// What a choice adds to the price; nothing where it adds nothing.
pub(super) fn delta_words(choice: &ChoiceRecord, desk: &Desk) -> String {
    match choice.price_delta.0 {
        0 => String::new(),
        1.. => format!("+{}", desk.money(choice.price_delta)),
        _ => desk.money(choice.price_delta),
    }
}
