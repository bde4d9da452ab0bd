//! One item: what it is, its allergens spelled out, its options with their prices, how many, a note,
//! and what all of it comes to. What is chosen lives here until it is put into the cart.

use super::effect::KioskEffect;
use super::menu::state_words;
use super::parts::{self, ButtonLook};
use super::step::{NoteOf, Question, Scene, Stage, Step};
use crate::domain::cart::MAX_QUANTITY;
use crate::domain::consumption::Availability;
use crate::domain::ids::{CartId, ItemId, OptionId};
use crate::domain::money::Money;
use crate::service::views::{ChoiceView, ItemView, MenuView, OptionGroupView};
use crate::tui::app::{Env, Hit, Input, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::text;
use crate::tui::theme::Token;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use std::cell::Cell;

const ROWS: &str = "kiosk.item";
/// The most columns: a price should not stand too far from its name.
const WIDTH: u16 = 84;
/// The columns at the right that stay free, for the mark that the rows go on.
const MARGIN: u16 = 2;
/// The index of the minus sign among the buttons of this screen.
const MINUS: usize = 1;
/// The index of the plus sign.
const PLUS: usize = 2;

/// One row of the body, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    Heading(usize),
    Choice(usize, usize),
    Gap,
    Quantity,
    Note,
    Add,
}

impl Row {
    const fn takes_focus(self) -> bool {
        !matches!(self, Self::Heading(_) | Self::Gap)
    }
}

/// What is being chosen.
#[derive(Debug, Clone)]
pub(super) struct ItemScreen {
    /// The item; looked up in the newest menu each time.
    pub item: ItemId,
    chosen: Vec<OptionId>,
    quantity: i32,
    /// The note for the kitchen.
    pub note: String,
    focus: Row,
    /// Memory of the picture: the first row that was shown.
    first: Cell<usize>,
}

impl ItemScreen {
    /// An item with nothing chosen but what costs nothing and cannot be left out.
    pub fn new(item: &ItemView) -> Self {
        let given = item.option_groups.iter().filter(|group| group.min == 1 && group.max == 1).filter_map(|group| {
            group.choices.iter().find(|choice| choice.available && choice.price_delta.is_zero()).map(|choice| choice.id)
        });
        let mut screen = Self {
            item: item.id,
            chosen: given.collect(),
            quantity: 1,
            note: String::new(),
            focus: Row::Add,
            first: Cell::new(0),
        };
        if let Some(group) = item.option_groups.iter().position(|group| !group.choices.is_empty()) {
            screen.focus = Row::Choice(group, 0);
        }
        screen
    }

    fn find<'a>(&self, menu: &'a MenuView) -> Option<&'a ItemView> {
        menu.items.iter().find(|item| item.id == self.item)
    }

    fn count(&self, group: &OptionGroupView) -> usize {
        group.choices.iter().filter(|choice| self.chosen.contains(&choice.id)).count()
    }

    /// The first group of which too few are chosen.
    fn missing(&self, item: &ItemView) -> Option<usize> {
        item.option_groups.iter().position(|group| self.count(group) < usize::try_from(group.min).unwrap_or(usize::MAX))
    }

    /// The price of one with what is chosen, and of all; `None` beyond the range.
    fn price(&self, item: &ItemView) -> Option<Money> {
        let chosen = item
            .option_groups
            .iter()
            .flat_map(|group| &group.choices)
            .filter(|choice| self.chosen.contains(&choice.id))
            .map(|choice| choice.price_delta);
        let one = item.price.checked_add(Money::checked_sum(chosen)?)?;
        Money(one.0.max(0)).checked_mul(i64::from(self.quantity))
    }

    fn most(&self, item: &ItemView) -> i32 {
        match item.availability {
            Availability::Available { left: Some(left) } => {
                i32::try_from(left.clamp(1, i64::from(MAX_QUANTITY))).unwrap_or(MAX_QUANTITY)
            }
            _ => MAX_QUANTITY,
        }
    }

    fn rows(item: &ItemView) -> Vec<Row> {
        let mut rows = Vec::new();
        for (at, group) in item.option_groups.iter().enumerate() {
            rows.push(Row::Heading(at));
            rows.extend((0..group.choices.len()).map(|choice| Row::Choice(at, choice)));
            rows.push(Row::Gap);
        }
        rows.extend([Row::Quantity, Row::Note]);
        rows
    }

    /// Takes the menu as it is now: choices that are gone are no longer chosen. False where the item
    /// itself is gone.
    pub fn keep_up(&mut self, menu: &MenuView) -> bool {
        let Some(item) = self.find(menu) else { return false };
        let known = |id: &OptionId| {
            item.option_groups
                .iter()
                .flat_map(|group| &group.choices)
                .any(|choice| choice.id == *id && choice.available)
        };
        self.chosen.retain(known);
        if !Self::rows(item).contains(&self.focus) {
            self.focus = Row::Add;
        }
        self.quantity = self.quantity.min(self.most(item));
        true
    }

    pub fn on_input<M>(&mut self, input: &Input<M>, cart: CartId, scene: &Scene<'_>, env: &Env<'_>) -> Step {
        let Some(item) = self.find(scene.menu) else { return Step::Go(Stage::Menu) };
        if let Input::Click { hit, .. } = input {
            match parts::clicked(*hit, parts::BUTTONS) {
                Some(0) => {
                    self.focus = Row::Add;
                    return self.add(item, cart, env);
                }
                Some(MINUS) => return self.change_quantity(-1, item, env),
                Some(PLUS) => return self.change_quantity(1, item, env),
                _ => {}
            }
            if let Some(row) = parts::clicked(*hit, ROWS).and_then(|index| Self::rows(item).get(index).copied()) {
                self.focus = row;
                return self.select(item, cart, env);
            }
        }
        match env.action(Context::Item, input) {
            Some(Action::Select) => self.select(item, cart, env),
            Some(Action::AddOne) => self.change_quantity(1, item, env),
            Some(Action::RemoveOne) => self.change_quantity(-1, item, env),
            Some(Action::Right) if self.focus == Row::Quantity => self.change_quantity(1, item, env),
            Some(Action::Left) if self.focus == Row::Quantity => self.change_quantity(-1, item, env),
            Some(Action::Note) => Step::Ask(Question::Note(NoteOf::Item)),
            Some(Action::Back) => Step::Go(Stage::Menu),
            Some(Action::Digit(digit @ 1..=9)) => {
                let wanted = i32::from(digit).min(self.most(item));
                self.quantity = wanted;
                if wanted < i32::from(digit) { self.tell_most(item, env) } else { Step::Drawn }
            }
            Some(action) => self.move_focus(action, item),
            None => Step::Nothing,
        }
    }

    fn move_focus(&mut self, action: Action, item: &ItemView) -> Step {
        let mut places: Vec<Row> = Self::rows(item).into_iter().filter(|row| row.takes_focus()).collect();
        places.push(Row::Add);
        let at = places.iter().position(|row| *row == self.focus).unwrap_or_default();
        let last = places.len().saturating_sub(1);
        let to = match action {
            Action::Up | Action::PreviousPane => at.saturating_sub(1),
            Action::Down | Action::NextPane => at.saturating_add(1).min(last),
            Action::PageUp => at.saturating_sub(5),
            Action::PageDown => at.saturating_add(5).min(last),
            Action::Home => 0,
            Action::End => last,
            _ => return Step::Nothing,
        };
        self.focus = places.get(to).copied().unwrap_or(Row::Add);
        if to == at { Step::Nothing } else { Step::Drawn }
    }

    fn select(&mut self, item: &ItemView, cart: CartId, env: &Env<'_>) -> Step {
        match self.focus {
            Row::Choice(group, choice) if self.is_settled(item, group, choice) => self.leave_group(item, group),
            Row::Choice(group, choice) => self.toggle(item, group, choice, env),
            Row::Note => Step::Ask(Question::Note(NoteOf::Item)),
            Row::Quantity => {
                self.focus = Row::Add;
                Step::Drawn
            }
            Row::Add | Row::Heading(_) | Row::Gap => self.add(item, cart, env),
        }
    }

    /// Whether it is chosen and stays so until another one is.
    fn is_settled(&self, item: &ItemView, group: usize, choice: usize) -> bool {
        let Some(group) = item.option_groups.get(group) else { return false };
        let chosen = group.choices.get(choice).is_some_and(|choice| self.chosen.contains(&choice.id));
        chosen && (group.min, group.max) == (1, 1)
    }

    /// Goes on to what follows a group.
    fn leave_group(&mut self, item: &ItemView, group: usize) -> Step {
        let rows = Self::rows(item);
        let behind = rows.iter().rposition(|row| matches!(row, Row::Choice(of, _) if *of == group)).unwrap_or_default();
        let next = rows.into_iter().skip(behind.saturating_add(1)).find(|row| row.takes_focus());
        self.focus = next.unwrap_or(Row::Add);
        Step::Drawn
    }

    fn toggle(&mut self, item: &ItemView, group: usize, choice: usize, env: &Env<'_>) -> Step {
        let Some(group) = item.option_groups.get(group) else { return Step::Nothing };
        let Some(choice) = group.choices.get(choice) else { return Step::Nothing };
        if self.chosen.contains(&choice.id) {
            // One that must be there is changed by choosing another.
            if !(group.min == 1 && group.max == 1) {
                self.chosen.retain(|id| *id != choice.id);
            }
            return Step::Drawn;
        }
        if !choice.available {
            return Step::Tell(env.locale.t_args("kiosk.choice_gone", &[("name", &choice.name)]), Token::Warning);
        }
        if group.max == 1 {
            let others: Vec<OptionId> = group.choices.iter().map(|choice| choice.id).collect();
            self.chosen.retain(|id| !others.contains(id));
        } else if self.count(group) >= usize::try_from(group.max).unwrap_or(usize::MAX) {
            let most = i64::from(group.max);
            return Step::Tell(env.locale.t_plural("kiosk.at_most", most, &[("name", &group.name)]), Token::Warning);
        }
        self.chosen.push(choice.id);
        Step::Drawn
    }

    fn change_quantity(&mut self, by: i32, item: &ItemView, env: &Env<'_>) -> Step {
        let wanted = self.quantity.saturating_add(by);
        if wanted > self.most(item) {
            return self.tell_most(item, env);
        }
        self.quantity = wanted.max(1);
        Step::Drawn
    }

    fn tell_most(&self, item: &ItemView, env: &Env<'_>) -> Step {
        let most = i64::from(self.most(item));
        Step::Tell(env.locale.t_plural("kiosk.only_left", most, &[]), Token::Warning)
    }

    fn add(&mut self, item: &ItemView, cart: CartId, env: &Env<'_>) -> Step {
        if !item.availability.is_available() {
            return Step::Tell(env.locale.t_args("kiosk.refused_item", &[("item", &item.name)]), Token::Danger);
        }
        if let Some(at) = self.missing(item) {
            self.focus = Row::Choice(at, 0);
            let group = item.option_groups.get(at);
            let (least, name) = group.map_or((1, String::new()), |group| (i64::from(group.min), group.name.clone()));
            return Step::Tell(env.locale.t_plural("kiosk.choose_first", least, &[("name", &name)]), Token::Warning);
        }
        Step::Change(KioskEffect::AddToCart {
            cart,
            item: item.id,
            options: self.chosen.clone(),
            quantity: self.quantity,
            note: self.note.clone(),
        })
    }

    pub fn draw(&self, frame: &mut Frame<'_>, scene: &Scene<'_>, ctx: &ViewCtx<'_>) {
        let hints = [Action::Select, Action::AddOne, Action::RemoveOne, Action::Note, Action::Back, Action::Help];
        let total = scene.cart.filter(|cart| !cart.lines.is_empty()).map(|cart| {
            let total = parts::money(cart.total, scene.menu.currency);
            ctx.locale.t_args("kiosk.order_so_far", &[("total", &total)])
        });
        let title = (scene.menu.site.as_str(), total.as_deref().unwrap_or_default());
        let body = parts::page(frame, scene, title, (Context::Item, &hints), ctx);
        let body = body.centered_horizontally(Constraint::Length(WIDTH.min(body.width)));
        let Some(item) = self.find(scene.menu) else { return };
        let about = about(item, Rect { width: body.width.saturating_sub(MARGIN), ..body }, scene.menu, ctx);
        let about_rows = u16::try_from(about.len()).unwrap_or(body.height).min(body.height / 2);
        let [_, top, _, rows, _, button] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(about_rows),
            Constraint::Length(1),
            Constraint::Fill(1),
            Constraint::Length(u16::from(body.height > 18)),
            Constraint::Length(parts::BUTTON_ROWS),
        ])
        .areas(body);
        frame.render_widget(Paragraph::new(about), top);
        self.draw_rows(frame, rows, item, scene, ctx);
        let price = self.price(item).map(|price| parts::money(price, scene.menu.currency)).unwrap_or_default();
        let (words, look) = if item.availability.is_available() {
            let words = ctx.locale.t_args("kiosk.add_to_order", &[("quantity", &self.quantity), ("price", &price)]);
            (words, ButtonLook::of(self.focus == Row::Add, self.missing(item).is_none()))
        } else {
            (state_words(&item.availability, ctx).0, ButtonLook::Off)
        };
        let place = button.centered_horizontally(Constraint::Length(44.min(button.width)));
        parts::button(frame, place, &words, look, 0, ctx);
    }

    fn draw_rows(&self, frame: &mut Frame<'_>, area: Rect, item: &ItemView, scene: &Scene<'_>, ctx: &ViewCtx<'_>) {
        let rows = Self::rows(item);
        let height = usize::from(area.height);
        let focus = rows.iter().position(|row| *row == self.focus);
        // The heading of a group's first choice is shown with it.
        let wanted = match self.focus {
            Row::Choice(_, 0) => focus.map(|at| at.saturating_sub(1)),
            _ => focus,
        };
        let last = rows.len().saturating_sub(height);
        let mut first = self.first.get().min(last);
        if let (Some(top), Some(bottom)) = (wanted, focus) {
            first = first.clamp(bottom.saturating_add(1).saturating_sub(height).min(top), top);
        } else {
            first = last;
        }
        self.first.set(first);
        for (offset, (index, row)) in rows.iter().enumerate().skip(first).take(height).enumerate() {
            let Ok(offset) = u16::try_from(offset) else { break };
            let place = Rect { y: area.y.saturating_add(offset), height: 1, ..area };
            let focused = *row == self.focus;
            let line = self.row(*row, focused, item, scene.menu, place.width.saturating_sub(MARGIN), ctx);
            frame.render_widget(Paragraph::new(line), Rect { width: place.width.saturating_sub(MARGIN), ..place });
            if row.takes_focus() {
                if focused {
                    let marked = Rect { width: place.width.saturating_sub(MARGIN), ..place };
                    frame.buffer_mut().set_style(marked, ctx.style(Token::Selected));
                }
                ctx.hit(place, Hit::Row { list: ROWS, index });
                if *row == Row::Quantity {
                    self.hit_quantity(place, ctx);
                }
            }
            let more = (offset == 0 && first > 0, usize::from(offset) + 1 == height && first < last);
            let arrow = match more {
                (true, _) => "▲",
                (_, true) => "▼",
                _ => continue,
            };
            let x = place.right().saturating_sub(1);
            frame.buffer_mut().set_stringn(x, place.y, arrow, 1, ctx.style(Token::Accent));
        }
    }

    /// The signs around the quantity stand at the right end of the row: `−  2  +`.
    fn hit_quantity(&self, place: Rect, ctx: &ViewCtx<'_>) {
        let end = place.right().saturating_sub(MARGIN);
        let width = u16::try_from(quantity_words(self.quantity).chars().count()).unwrap_or(9);
        let sign = |x: u16| Rect { x, width: 3, ..place };
        ctx.hit(sign(end.saturating_sub(width).saturating_sub(1)), Hit::Row { list: parts::BUTTONS, index: MINUS });
        ctx.hit(sign(end.saturating_sub(3)), Hit::Row { list: parts::BUTTONS, index: PLUS });
    }

    fn row(
        &self,
        row: Row,
        focused: bool,
        item: &ItemView,
        menu: &MenuView,
        width: u16,
        ctx: &ViewCtx<'_>,
    ) -> Line<'static> {
        let text_style = ctx.style(Token::Text);
        let pointer = if focused { "▸ " } else { "  " };
        match row {
            Row::Heading(group) => match item.option_groups.get(group) {
                Some(group) => self.heading(group, width, ctx),
                None => Line::default(),
            },
            Row::Choice(group, choice) => {
                let group = item.option_groups.get(group);
                match group.and_then(|group| Some((group, group.choices.get(choice)?))) {
                    Some((group, choice)) => self.choice(pointer, group, choice, menu, width, ctx),
                    None => Line::default(),
                }
            }
            Row::Quantity => {
                let words = format!("{pointer}{}", ctx.locale.t("kiosk.quantity"));
                let number = quantity_words(self.quantity);
                parts::two_sided(vec![Span::styled(words, text_style)], (number, ctx.style(Token::Accent)), width)
            }
            Row::Note => {
                let words = format!("{pointer}{}  ", ctx.locale.t("kiosk.note"));
                let note = if self.note.is_empty() { ctx.locale.t("kiosk.no_note") } else { text::clean(&self.note) };
                let room = usize::from(width).saturating_sub(text::display_width(&words));
                let note = text::truncate_to_width(&note, room);
                let spans = vec![Span::styled(words, text_style)];
                parts::two_sided(spans, (note, ctx.style(Token::Muted)), width)
            }
            Row::Gap | Row::Add => Line::default(),
        }
    }

    fn heading(&self, group: &OptionGroupView, width: u16, ctx: &ViewCtx<'_>) -> Line<'static> {
        let (least, most) = (i64::from(group.min), i64::from(group.max));
        let rule = match (least, most) {
            (0, most) => ctx.locale.t_plural("kiosk.choose_up_to", most, &[]),
            (least, most) if least == most => ctx.locale.t_plural("kiosk.choose_exactly", least, &[]),
            (least, most) => ctx.locale.t_args("kiosk.choose_between", &[("least", &least), ("most", &most)]),
        };
        let enough = self.count(group) >= usize::try_from(group.min).unwrap_or(usize::MAX);
        let (rule, token) = if enough { (rule, Token::Muted) } else { (format!("! {rule}"), Token::Warning) };
        let name = Span::styled(text::clean(&group.name), ctx.style(Token::Title));
        parts::two_sided(vec![name], (rule, ctx.style(token)), width)
    }

    fn choice(
        &self,
        pointer: &str,
        group: &OptionGroupView,
        choice: &ChoiceView,
        menu: &MenuView,
        width: u16,
        ctx: &ViewCtx<'_>,
    ) -> Line<'static> {
        let on = self.chosen.contains(&choice.id);
        let mark = match (group.max == 1, on) {
            (true, true) => "(●)",
            (true, false) => "( )",
            (false, true) => "[✓]",
            (false, false) => "[ ]",
        };
        let mark_style = ctx.style(if on { Token::Accent } else { Token::Muted });
        let (name, end) = if choice.available {
            let style = ctx.style(Token::Text);
            let style = if on { style.add_modifier(Modifier::BOLD) } else { style };
            let end = (parts::delta(choice.price_delta, menu.currency), ctx.style(Token::Price));
            (Span::styled(text::clean(&choice.name), style), end)
        } else {
            let end = (ctx.locale.t("kiosk.sold_out"), ctx.style(Token::Danger));
            (Span::styled(text::clean(&choice.name), parts::gone(ctx)), end)
        };
        parts::two_sided(vec![Span::styled(format!("{pointer}{mark} "), mark_style), name], end, width)
    }
}

fn quantity_words(quantity: i32) -> String {
    format!(" −  {quantity}  + ")
}

/// What the item is: its name and price, its description, its marks in words, its allergens.
fn about(item: &ItemView, area: Rect, menu: &MenuView, ctx: &ViewCtx<'_>) -> Vec<Line<'static>> {
    let width = usize::from(area.width);
    let price = parts::money(item.price, menu.currency);
    let mut head = Vec::new();
    if let Some(glyph) = item.glyph.as_deref().map(text::clean).filter(|glyph| !glyph.is_empty()) {
        head.push(Span::styled(format!("{} ", text::truncate_to_width(&glyph, 4)), ctx.style(Token::Text)));
    }
    head.push(Span::styled(text::clean(&item.name), ctx.style(Token::Title)));
    let style = ctx.style(Token::Price).add_modifier(Modifier::BOLD);
    let mut lines = vec![parts::two_sided(head, (price, style), area.width)];
    let mut described = text::wrap(&item.description, width);
    if described.len() > 3 {
        described.truncate(3);
        if let Some(last) = described.last_mut() {
            *last = text::truncate_to_width(&format!("{last} {}", text::ELLIPSIS), width);
        }
    }
    lines.extend(described.into_iter().map(|row| Line::styled(row, ctx.style(Token::Muted))));
    let (mark, token) = parts::diet_mark(item.diet);
    let mut facts = vec![Span::styled(format!("{mark} {}", parts::diet_name(item.diet, ctx.locale)), ctx.style(token))];
    if let Some(words) = parts::heat_name(item.spicy, ctx.locale) {
        facts.push(Span::styled(format!("   {} {words}", parts::heat_mark(item.spicy)), ctx.style(Token::Danger)));
    }
    if item.prep_minutes > 0 {
        let words = ctx.locale.t_plural("kiosk.takes_minutes", i64::from(item.prep_minutes), &[]);
        facts.push(Span::styled(format!("   {words}"), ctx.style(Token::Muted)));
    }
    let (state, token) = state_words(&item.availability, ctx);
    lines.push(parts::two_sided(facts, (state, ctx.style(token)), area.width));
    let names: Vec<String> = item.allergens.iter().map(|one| parts::allergen_name(*one, ctx.locale)).collect();
    let words = if names.is_empty() {
        ctx.locale.t("kiosk.no_allergens")
    } else {
        ctx.locale.t_args("kiosk.allergens", &[("names", &names.join(", "))])
    };
    let token = if names.is_empty() { Token::Muted } else { Token::Warning };
    lines.extend(text::wrap(&words, width).into_iter().take(3).map(|row| Line::styled(row, ctx.style(token))));
    lines
}
