//! The menu: categories at the left, the items of one of them at the right, the order so far below.
//! Search and diet filter work on the menu that was read; nothing is asked of the house here.

use super::parts::{self, ButtonLook};
use super::step::{Question, Scene, Stage, Step};
use crate::domain::consumption::Availability;
use crate::domain::menu::DietFilter;
use crate::service::views::{ItemView, MenuView};
use crate::tui::app::{Env, Hit, Input, ViewCtx};
use crate::tui::key::Key;
use crate::tui::keymap::{Action, Context};
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::input::TextInput;
use crate::tui::widgets::list::{self, ListLook, ListState};
use crate::tui::widgets::panel;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

const CATEGORIES: &str = "kiosk.categories";
const ITEMS: &str = "kiosk.items";
/// The most characters of a search.
const SEARCH_LIMIT: usize = 40;
/// Fewer than so many left are told.
const FEW: i64 = 10;

/// Where the keys go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Focus {
    Categories,
    #[default]
    Items,
    Order,
}

/// The state of the menu screen; kept while the customer looks at an item or the cart.
#[derive(Debug, Clone, Default)]
pub(super) struct MenuScreen {
    focus: Focus,
    categories: ListState,
    items: ListState,
    /// The search, while there is one; `typing` while keys go into it.
    search: Option<TextInput>,
    typing: bool,
    filter: DietFilter,
}

impl MenuScreen {
    /// Where its keys are looked up.
    pub const fn context(&self) -> Context {
        if self.typing { Context::TextInput } else { Context::Menu }
    }

    /// Shows only this diet from now on.
    pub fn set_filter(&mut self, filter: DietFilter) {
        self.filter = filter;
        self.items.select(0);
    }

    /// The items that are listed now.
    fn listed<'a>(&self, menu: &'a MenuView) -> Vec<&'a ItemView> {
        let accepted = menu.items.iter().filter(|item| self.filter.accepts(item.diet));
        let words: Vec<String> = self
            .search
            .iter()
            .flat_map(|field| field.value().split_whitespace().map(str::to_lowercase).collect::<Vec<_>>())
            .collect();
        if self.search.is_some() && !words.is_empty() {
            let category = |item: &ItemView| {
                menu.categories
                    .iter()
                    .find(|category| category.id == item.category_id)
                    .map_or("", |category| category.name.as_str())
            };
            return accepted
                .filter(|item| {
                    let text = format!("{}\n{}\n{}", item.name, item.description, category(item)).to_lowercase();
                    words.iter().all(|word| text.contains(word.as_str()))
                })
                .collect();
        }
        let shown = self.categories.selected(menu.categories.len()).and_then(|at| menu.categories.get(at));
        accepted.filter(|item| shown.is_none_or(|category| item.category_id == category.id)).collect()
    }

    pub fn on_input<M>(&mut self, input: &Input<M>, scene: &Scene<'_>, env: &Env<'_>) -> Step {
        if let Input::Click { hit, .. } = input {
            if let Some(index) = parts::clicked(*hit, CATEGORIES) {
                self.show_category(index);
                return Step::Drawn;
            }
            if let Some(index) = parts::clicked(*hit, ITEMS) {
                self.focus = Focus::Items;
                self.typing = false;
                self.items.select(index);
                return self.open(scene);
            }
            if parts::clicked(*hit, parts::BUTTONS).is_some() {
                return Step::Go(Stage::Cart);
            }
        }
        if self.typing
            && let (Some(field), Input::Key(press)) = (&mut self.search, input)
        {
            if press.key == Key::Backspace && field.is_empty() {
                self.end_search();
                return Step::Drawn;
            }
            if field.on_key(*press) {
                self.items.select(0);
                return Step::Drawn;
            }
        }
        match env.action(self.context(), input) {
            Some(action) => self.on_action(action, scene),
            None => Step::Nothing,
        }
    }

    fn on_action(&mut self, action: Action, scene: &Scene<'_>) -> Step {
        match action {
            Action::Search => {
                self.search.get_or_insert_with(|| TextInput::new(SEARCH_LIMIT));
                self.typing = true;
                self.focus = Focus::Items;
                Step::Drawn
            }
            Action::DietFilter => Step::Ask(Question::Diet),
            Action::OpenCart => Step::Go(Stage::Cart),
            Action::Checkout if scene.has_lines() => Step::Go(Stage::Checkout),
            Action::Back if self.search.is_some() => {
                self.end_search();
                Step::Drawn
            }
            Action::Back if self.filter != DietFilter::Any => {
                self.set_filter(DietFilter::Any);
                Step::Drawn
            }
            Action::Back => Step::Go(Stage::Mode),
            Action::Select if self.typing => {
                self.typing = false;
                Step::Drawn
            }
            Action::Select if self.focus == Focus::Order => Step::Go(Stage::Cart),
            Action::Select if self.focus == Focus::Items => self.open(scene),
            Action::AddOne => self.open(scene),
            Action::Select | Action::Right | Action::NextPane if self.focus == Focus::Categories => {
                self.focus = Focus::Items;
                Step::Drawn
            }
            Action::Right | Action::NextPane if self.focus == Focus::Items => {
                self.focus = Focus::Order;
                Step::Drawn
            }
            Action::NextPane => {
                self.focus = Focus::Categories;
                Step::Drawn
            }
            Action::Left | Action::PreviousPane => self.leave_left(),
            Action::Digit(digit) => match usize::from(digit).checked_sub(1) {
                Some(index) if index < scene.menu.categories.len() => {
                    self.show_category(index);
                    Step::Drawn
                }
                _ => Step::Nothing,
            },
            other => self.move_selection(other, scene),
        }
    }

    fn leave_left(&mut self) -> Step {
        self.focus = match self.focus {
            Focus::Order => Focus::Items,
            Focus::Items | Focus::Categories => {
                // The rail means nothing while a search looks through all of them.
                self.end_search();
                Focus::Categories
            }
        };
        Step::Drawn
    }

    fn move_selection(&mut self, action: Action, scene: &Scene<'_>) -> Step {
        let listed = self.listed(scene.menu).len();
        let moved = match self.focus {
            Focus::Categories => {
                let moved = self.categories.on_action(action, scene.menu.categories.len());
                if moved {
                    self.items.select(0);
                }
                moved
            }
            Focus::Items => {
                let moved = self.items.on_action(action, listed);
                if !moved && action == Action::Down {
                    self.focus = Focus::Order;
                    self.typing = false;
                    return Step::Drawn;
                }
                moved
            }
            Focus::Order if action == Action::Up => {
                self.focus = Focus::Items;
                true
            }
            Focus::Order => false,
        };
        if moved { Step::Drawn } else { Step::Nothing }
    }

    fn show_category(&mut self, index: usize) {
        self.end_search();
        self.categories.select(index);
        self.items.select(0);
        self.focus = Focus::Items;
    }

    fn end_search(&mut self) {
        if self.search.take().is_some() {
            self.items.select(0);
        }
        self.typing = false;
    }

    fn open(&self, scene: &Scene<'_>) -> Step {
        let listed = self.listed(scene.menu);
        match self.items.selected(listed.len()).and_then(|at| listed.get(at)) {
            Some(item) => Step::OpenItem(item.id),
            None => Step::Nothing,
        }
    }

    pub fn draw(&self, frame: &mut Frame<'_>, scene: &Scene<'_>, ctx: &ViewCtx<'_>) {
        let hints = [Action::Select, Action::OpenCart, Action::Search, Action::DietFilter, Action::Back, Action::Help];
        let aside = match scene.cart.and_then(|cart| cart.fulfilment) {
            Some(way) => parts::fulfilment_name(way, ctx.locale),
            None => String::new(),
        };
        let body = parts::page(frame, scene, (&scene.menu.site, &aside), (Context::Menu, &hints), ctx);
        let order_rows = if body.height >= 17 { 3 } else { 1 };
        let [panes, order] = Layout::vertical([Constraint::Fill(1), Constraint::Length(order_rows)]).areas(body);
        let rail = if body.width >= 76 { 22 } else { 17 };
        let [left, right] = Layout::horizontal([Constraint::Length(rail), Constraint::Fill(1)]).spacing(1).areas(panes);
        self.draw_categories(frame, left, scene, ctx);
        self.draw_items(frame, right, scene, ctx);
        self.draw_order(frame, order, scene, ctx);
    }

    fn draw_categories(&self, frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>, ctx: &ViewCtx<'_>) {
        let focused = self.focus == Focus::Categories;
        let inner = panel::draw(frame, area, &ctx.locale.t("kiosk.categories"), focused, ctx);
        let categories = &scene.menu.categories;
        let look = ListLook { name: CATEGORIES, row_height: 1, active: focused };
        list::draw(frame, inner, &self.categories, categories.len(), look, ctx, |index, width| {
            let name = categories.get(index).map_or("", |category| category.name.as_str());
            let number = if index < 9 { format!("{} ", index.saturating_add(1)) } else { "  ".to_owned() };
            let room = usize::from(width).saturating_sub(2);
            let name = text::truncate_to_width(&text::clean(name), room);
            let marked = self.search.is_none() && self.categories.selected(categories.len()) == Some(index);
            let style = if marked { ctx.style(Token::Accent) } else { ctx.style(Token::Text) };
            vec![Line::from(vec![Span::styled(number, ctx.style(Token::Muted)), Span::styled(name, style)])]
        });
    }

    fn draw_items(&self, frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>, ctx: &ViewCtx<'_>) {
        let listed = self.listed(scene.menu);
        let focused = self.focus == Focus::Items;
        let inner = panel::draw(frame, area, &self.items_title(scene, ctx), focused, ctx);
        let search_rows = if self.search.is_some() { 2 } else { 0 };
        let legend_rows = u16::from(inner.height > 6);
        let [search, items, legend] =
            Layout::vertical([Constraint::Length(search_rows), Constraint::Fill(1), Constraint::Length(legend_rows)])
                .areas(inner);
        if let Some(field) = &self.search {
            self.draw_search(field, frame, search, ctx);
        }
        if listed.is_empty() {
            let words = match (&self.search, self.filter) {
                (Some(_), _) => ctx.locale.t("kiosk.nothing_found"),
                (None, DietFilter::Any) => ctx.locale.t("kiosk.nothing_here"),
                (None, _) => ctx.locale.t("kiosk.nothing_of_diet"),
            };
            parts::paragraph(frame, items, &words, ctx.style(Token::Muted), false);
        } else {
            // A free row between the items, where there is room for it.
            let airy = listed.len().saturating_mul(3) <= usize::from(items.height);
            let row_height = if airy { 3 } else { 2 };
            let look = ListLook { name: ITEMS, row_height, active: focused && !self.typing };
            list::draw(frame, items, &self.items, listed.len(), look, ctx, |index, width| {
                listed.get(index).map(|item| item_rows(item, scene.menu, width, ctx)).unwrap_or_default()
            });
        }
        draw_legend(frame, legend, ctx);
    }

    fn items_title(&self, scene: &Scene<'_>, ctx: &ViewCtx<'_>) -> String {
        let categories = &scene.menu.categories;
        let name = if self.search.is_some() {
            ctx.locale.t("kiosk.search_title")
        } else {
            let at = self.categories.selected(categories.len());
            at.and_then(|at| categories.get(at)).map(|category| category.name.clone()).unwrap_or_default()
        };
        if self.filter == DietFilter::Any {
            return name;
        }
        let filter = parts::filter_name(self.filter, ctx.locale);
        ctx.locale.t_args("kiosk.filtered_title", &[("name", &name), ("filter", &filter)])
    }

    fn draw_search(&self, field: &TextInput, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let [mark, typed] =
            Layout::horizontal([Constraint::Length(2), Constraint::Fill(1)]).areas(Rect { height: 1, ..area });
        frame.render_widget(Paragraph::new(Line::styled("/", ctx.style(Token::Accent))), mark);
        if self.typing {
            field.draw(frame, typed, ctx);
        } else {
            let words = text::truncate_to_width(&text::clean(field.value()), usize::from(typed.width));
            frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(Token::Text))), typed);
        }
        ctx.hit(Rect { height: 1, ..area }, Hit::Action(Action::Search));
    }

    fn draw_order(&self, frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>, ctx: &ViewCtx<'_>) {
        let [facts, place] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(26)]).spacing(1).areas(area);
        let row = facts.centered_vertically(Constraint::Length(1));
        let focused = self.focus == Focus::Order;
        match scene.cart.filter(|cart| !cart.lines.is_empty()) {
            Some(cart) => {
                let count = parts::items(cart.total_items, ctx.locale);
                let total = parts::money(cart.total, scene.menu.currency);
                let left = vec![
                    Span::styled(format!(" {}  ", ctx.locale.t("kiosk.your_order")), ctx.style(Token::Title)),
                    Span::styled(count, ctx.style(Token::Text)),
                ];
                let price = ctx.style(Token::Price).add_modifier(Modifier::BOLD);
                let line = parts::two_sided(left, (total, price), row.width);
                frame.render_widget(Paragraph::new(line), row);
                let look = ButtonLook::of(focused, true);
                parts::button(frame, place, &ctx.locale.t("kiosk.view_order"), look, 0, ctx);
            }
            None => {
                let words = format!(" {}", ctx.locale.t("kiosk.order_empty"));
                let words = text::truncate_to_width(&words, usize::from(row.width));
                frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(Token::Muted))), row);
                let look = ButtonLook::of(focused, false);
                parts::button(frame, place, &ctx.locale.t("kiosk.view_order"), look, 0, ctx);
            }
        }
    }
}

/// The two rows of an item: its name and price; its marks, what it is, and whether it can be had.
fn item_rows(item: &ItemView, menu: &MenuView, width: u16, ctx: &ViewCtx<'_>) -> Vec<Line<'static>> {
    let can = item.availability.is_available();
    let price = parts::money(item.price, menu.currency);
    let name = text::clean(&item.name);
    let (name_style, price_style) = if can {
        (ctx.style(Token::Text).add_modifier(Modifier::BOLD), ctx.style(Token::Price))
    } else {
        (parts::gone(ctx), ctx.style(Token::Muted))
    };
    let mut head = Vec::new();
    if let Some(glyph) = item.glyph.as_deref().map(text::clean).filter(|glyph| !glyph.is_empty()) {
        head.push(Span::styled(format!("{} ", text::truncate_to_width(&glyph, 4)), ctx.style(Token::Text)));
    }
    head.push(Span::styled(name, name_style));
    let first = parts::two_sided(head, (price, price_style), width);
    let (diet, diet_token) = parts::diet_mark(item.diet);
    let mut marks = vec![Span::styled(format!("  {diet}"), ctx.style(diet_token))];
    if item.spicy > 0 {
        marks.push(Span::styled(format!(" {}", parts::heat_mark(item.spicy)), ctx.style(Token::Danger)));
    }
    if !item.allergens.is_empty() {
        let letters: String = item.allergens.iter().map(|allergen| allergen.letter()).collect();
        marks.push(Span::styled(format!(" {letters}"), ctx.style(Token::Warning)));
    }
    marks.push(Span::styled(format!("  {}", text::clean(&item.description)), ctx.style(Token::Muted)));
    let (state, token) = state_words(&item.availability, ctx);
    vec![first, parts::two_sided(marks, (state, ctx.style(token)), width)]
}

/// Whether an item can be had, in words; empty where there is nothing to say.
pub(super) fn state_words(availability: &Availability, ctx: &ViewCtx<'_>) -> (String, Token) {
    match availability {
        Availability::Available { left: Some(left) } if *left < FEW => {
            (ctx.locale.t_plural("kiosk.left", *left, &[]), Token::Warning)
        }
        Availability::Available { .. } => (String::new(), Token::Muted),
        Availability::SoldOut => (ctx.locale.t("kiosk.sold_out"), Token::Danger),
        Availability::OutOfSlot { slots } => {
            let slots = slots.join(", ");
            (ctx.locale.t_args("kiosk.only_at", &[("slots", &slots)]), Token::Warning)
        }
        Availability::EightySixed => (ctx.locale.t("kiosk.not_now"), Token::Danger),
        Availability::Inactive => (ctx.locale.t("kiosk.gone"), Token::Danger),
    }
}

fn draw_legend(frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
    if area.is_empty() {
        return;
    }
    let key = if area.width >= 52 { "kiosk.legend" } else { "kiosk.legend_short" };
    let words = text::truncate_to_width(&ctx.locale.t(key), usize::from(area.width));
    frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(Token::Muted))), area);
}
