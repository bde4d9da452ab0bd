//! The checkout: where a delivery goes, a name or a pager number to call, if the customer wants, and how to pay.
//! What is typed here lives here, and in the one call that it makes.

use super::effect::Secret;
use super::parts::{self, ButtonLook};
use super::step::{Question, Scene, Stage, Step};
use crate::domain::payment::Method;
use crate::service::place::{MAX_ADDRESS, clean_address};
use crate::service::views::MenuView;
use crate::tui::app::{Env, Hit, Input, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::input::TextInput;
use crate::tui::widgets::panel;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use std::fmt;
use zeroize::Zeroizing;

/// The name and the ways of paying in [`Hit::Row`].
const FIELDS: &str = "kiosk.checkout";
/// The address in [`Hit::Row`].
const ADDRESS: &str = "kiosk.address";
/// The most characters of a name: as many as the board and a ticket show.
const NAME_LIMIT: usize = 24;
/// From so few characters on it is said how many more fit into the address.
const NEARLY_FULL: usize = 60;
/// The most columns: an amount should not stand too far from its words.
const WIDTH: u16 = 64;
/// The most rows of an address.
const ADDRESS_ROWS: u16 = 3;

/// Where the keys go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Focus {
    Address,
    Name,
    Method(usize),
    Pay,
}

/// What was typed and chosen so far. Kept when a payment fails and when the customer goes back to the cart.
#[derive(Clone)]
pub(super) struct CheckoutScreen {
    address: TextInput,
    name: TextInput,
    chosen: Option<Method>,
    focus: Focus,
    /// The customer wanted to go on without an address.
    missed: bool,
}

impl fmt::Debug for CheckoutScreen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Where somebody lives must not get into a log by way of a screen's state.
        f.debug_struct("CheckoutScreen").field("focus", &self.focus).finish_non_exhaustive()
    }
}

impl Default for CheckoutScreen {
    fn default() -> Self {
        Self {
            address: TextInput::new(MAX_ADDRESS),
            name: TextInput::new(NAME_LIMIT),
            chosen: None,
            focus: Focus::Method(0),
            missed: false,
        }
    }
}

/// The ways of paying that a kiosk can serve, in the order in which they are offered.
fn methods(menu: &MenuView) -> Vec<Method> {
    [Method::Card, Method::Upi, Method::Cash].into_iter().filter(|method| menu.methods.contains(method)).collect()
}

impl CheckoutScreen {
    /// The screen is entered: what is needed first is asked for first.
    pub fn enter(&mut self, delivery: bool) {
        if delivery && !self.has_address() {
            self.focus = Focus::Address;
        }
    }

    /// Where its keys are looked up.
    pub fn context(&self, delivery: bool) -> Context {
        match self.focus(delivery) {
            Focus::Address | Focus::Name => Context::TextInput,
            Focus::Method(_) | Focus::Pay => Context::Checkout,
        }
    }

    /// Where the keys go; the address is only there for a delivery.
    const fn focus(&self, delivery: bool) -> Focus {
        match self.focus {
            Focus::Address if !delivery => Focus::Method(0),
            focus => focus,
        }
    }

    const fn field(&mut self) -> Option<&mut TextInput> {
        match self.focus {
            Focus::Address => Some(&mut self.address),
            Focus::Name => Some(&mut self.name),
            Focus::Method(_) | Focus::Pay => None,
        }
    }

    /// Whether the house would take what stands there as an address.
    fn has_address(&self) -> bool {
        self.address().is_some()
    }

    pub fn on_input<M>(&mut self, input: &Input<M>, scene: &Scene<'_>, env: &Env<'_>) -> Step {
        let methods = methods(scene.menu);
        let delivery = scene.is_delivery();
        self.focus = self.focus(delivery);
        if let Input::Click { hit, .. } = input {
            if parts::clicked(*hit, ADDRESS).is_some() {
                self.focus = Focus::Address;
                return Step::Drawn;
            }
            match (parts::clicked(*hit, FIELDS), parts::clicked(*hit, parts::BUTTONS)) {
                (Some(0), _) => {
                    self.focus = Focus::Name;
                    return Step::Drawn;
                }
                (Some(index), _) => return self.choose(&methods, index.saturating_sub(1)),
                (_, Some(_)) => return self.pay(&methods, scene, env),
                _ => {}
            }
        }
        if self.type_into(input) {
            return Step::Drawn;
        }
        match env.action(self.context(delivery), input) {
            Some(Action::Back) => Step::Go(Stage::Cart),
            Some(Action::Select) => match self.focus {
                Focus::Address if !self.has_address() => self.miss_address(),
                Focus::Address => {
                    self.focus = Focus::Name;
                    Step::Drawn
                }
                Focus::Name => {
                    self.focus = Focus::Method(self.chosen_place(&methods).unwrap_or_default());
                    Step::Drawn
                }
                Focus::Method(index) => self.choose(&methods, index),
                Focus::Pay => self.pay(&methods, scene, env),
            },
            Some(Action::Digit(digit)) => match usize::from(digit).checked_sub(1) {
                Some(index) => self.choose(&methods, index),
                None => Step::Nothing,
            },
            Some(action) => self.move_focus(action, delivery, methods.len()),
            // Somebody who simply begins to type means what is still missing: the address, else the name.
            None => {
                let begins = matches!(input, Input::Key(press) if press.printable().is_some_and(char::is_alphabetic));
                if !begins || matches!(self.focus, Focus::Address | Focus::Name) {
                    return Step::Nothing;
                }
                self.focus = if delivery && !self.has_address() { Focus::Address } else { Focus::Name };
                self.type_into(input);
                Step::Drawn
            }
        }
    }

    /// Gives a key or a paste to the field that is worked on; whether it took it.
    fn type_into<M>(&mut self, input: &Input<M>) -> bool {
        let focus = self.focus;
        let Some(field) = self.field() else { return false };
        let taken = match input {
            Input::Key(press) => field.on_key(*press),
            Input::Paste(pasted) => {
                // An address is often copied in several lines.
                let rows = pasted.lines().map(|row| row.trim().trim_end_matches(',')).filter(|row| !row.is_empty());
                field.paste(&Zeroizing::new(rows.collect::<Vec<_>>().join(", ")));
                true
            }
            _ => false,
        };
        if taken && focus == Focus::Address {
            self.missed = false;
        }
        taken
    }

    /// The way to pay: the chosen one while it is offered. Where there is only one, nobody has to choose it.
    fn chosen(&self, methods: &[Method]) -> Option<Method> {
        match methods {
            [only] => Some(*only),
            _ => self.chosen.filter(|method| methods.contains(method)),
        }
    }

    fn chosen_place(&self, methods: &[Method]) -> Option<usize> {
        methods.iter().position(|method| Some(*method) == self.chosen(methods))
    }

    fn move_focus(&mut self, action: Action, delivery: bool, methods: usize) -> Step {
        let address = delivery.then_some(Focus::Address);
        let stops: Vec<Focus> = address
            .into_iter()
            .chain([Focus::Name])
            .chain((0..methods).map(Focus::Method))
            .chain([Focus::Pay])
            .collect();
        let last = stops.len().saturating_sub(1);
        let at = stops.iter().position(|stop| *stop == self.focus).unwrap_or(last);
        let to = match action {
            Action::Up | Action::PreviousPane => at.saturating_sub(1),
            Action::Down | Action::NextPane => at.saturating_add(1).min(last),
            Action::Home => 0,
            Action::End => last,
            _ => return Step::Nothing,
        };
        self.focus = stops.get(to).copied().unwrap_or(Focus::Pay);
        Step::Drawn
    }

    fn choose(&mut self, methods: &[Method], index: usize) -> Step {
        let Some(method) = methods.get(index) else { return Step::Nothing };
        self.chosen = Some(*method);
        self.focus = Focus::Pay;
        Step::Drawn
    }

    /// Says at the field itself that it is needed.
    const fn miss_address(&mut self) -> Step {
        self.focus = Focus::Address;
        self.missed = true;
        Step::Drawn
    }

    fn pay(&mut self, methods: &[Method], scene: &Scene<'_>, env: &Env<'_>) -> Step {
        if !scene.has_lines() {
            return Step::Go(Stage::Cart);
        }
        if scene.way_is_gone() {
            return Step::Ask(Question::Way);
        }
        if scene.is_delivery() && !self.has_address() {
            return self.miss_address();
        }
        match self.chosen(methods) {
            Some(method) => Step::Place(method, self.called_name()),
            None => {
                self.focus = Focus::Method(0);
                Step::Tell(env.locale.t("kiosk.choose_method"), Token::Warning)
            }
        }
    }

    /// Where a delivery goes, as the house takes it; `None` where nothing was given.
    pub fn address(&self) -> Option<Secret> {
        clean_address(self.address.value()).map(|address| Secret(Zeroizing::new(address)))
    }

    /// The name to call; empty where none was given.
    pub fn called_name(&self) -> String {
        text::clean(self.name.value()).trim().to_owned()
    }

    pub fn draw(&self, frame: &mut Frame<'_>, scene: &Scene<'_>, ctx: &ViewCtx<'_>) {
        let hints = [Action::Select, Action::Up, Action::Down, Action::Back, Action::Help];
        let title = ctx.locale.t("kiosk.checkout_title");
        let delivery = scene.is_delivery();
        let way = scene.cart.and_then(|cart| cart.fulfilment).map(|way| parts::fulfilment_name(way, ctx.locale));
        let context = (self.context(delivery), &hints[..]);
        let body = parts::page(frame, scene, (&title, &way.unwrap_or_default()), context, ctx);
        let methods = methods(scene.menu);
        let wide = body.centered_horizontally(Constraint::Length(WIDTH.min(body.width)));
        let rows = Rows::of(delivery, methods.len(), wide.height);
        let [_, summary, _, address, _, name, _, pay_by, _, button, _] = Layout::vertical([
            Constraint::Fill(1),
            Constraint::Length(1),
            Constraint::Length(rows.below_summary),
            Constraint::Length(rows.address),
            Constraint::Length(rows.below_address),
            Constraint::Length(rows.name),
            Constraint::Length(rows.below_name),
            Constraint::Length(rows.methods),
            Constraint::Length(rows.below_methods),
            Constraint::Length(parts::BUTTON_ROWS),
            Constraint::Fill(1),
        ])
        .areas(wide);
        draw_summary(frame, summary, scene, ctx);
        if delivery {
            self.draw_address(frame, address, ctx);
        }
        self.draw_name(frame, name, scene, ctx);
        self.draw_methods(frame, pay_by, &methods, scene, ctx);
        self.draw_button(frame, button, &methods, scene, ctx);
    }

    /// The button says what is to be done next, whatever that is.
    fn draw_button(&self, frame: &mut Frame<'_>, area: Rect, methods: &[Method], scene: &Scene<'_>, ctx: &ViewCtx<'_>) {
        let total = scene.cart.map(|cart| parts::money(cart.total, scene.menu.currency)).unwrap_or_default();
        let delivery = scene.is_delivery();
        let (words, ready) = match self.chosen(methods) {
            _ if scene.way_is_gone() => (ctx.locale.t("kiosk.choose_way"), true),
            _ if delivery && !self.has_address() => (ctx.locale.t("kiosk.enter_address"), false),
            Some(Method::Cash) if delivery => {
                (ctx.locale.t_args("kiosk.order_and_pay_courier", &[("total", &total)]), true)
            }
            Some(Method::Cash) => (ctx.locale.t_args("kiosk.order_and_pay_cash", &[("total", &total)]), true),
            Some(_) => (ctx.locale.t_args("kiosk.pay_now", &[("total", &total)]), true),
            None => (ctx.locale.t("kiosk.choose_method"), false),
        };
        let look = ButtonLook::of(self.focus(delivery) == Focus::Pay, ready);
        parts::button(frame, area, &words, look, 0, ctx);
    }

    fn draw_address(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let [boxed, more] = Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(area);
        let focused = self.focus == Focus::Address;
        let inner = panel::draw(frame, boxed, &ctx.locale.t("kiosk.address"), focused, ctx);
        if self.address.is_empty() && !focused {
            parts::paragraph(frame, inner, &ctx.locale.t("kiosk.address_hint"), ctx.style(Token::Muted), false);
        } else {
            self.address.draw_wrapped(frame, inner, focused, ctx);
        }
        let (words, token) = self.judge_address(ctx);
        let words = text::truncate_to_width(&format!("  {words}"), usize::from(more.width));
        frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(token))), more);
        ctx.hit(boxed, Hit::Row { list: ADDRESS, index: 0 });
    }

    /// What there is to say about the address as it stands.
    fn judge_address(&self, ctx: &ViewCtx<'_>) -> (String, Token) {
        let room = self.address.room();
        match i64::try_from(room) {
            _ if room == 0 => {
                (format!("! {}", ctx.locale.t_args("kiosk.address_full", &[("limit", &MAX_ADDRESS)])), Token::Warning)
            }
            _ if !self.has_address() && self.missed => {
                (format!("! {}", ctx.locale.t("kiosk.address_needed")), Token::Warning)
            }
            _ if self.address.is_empty() && self.focus == Focus::Address => {
                (ctx.locale.t("kiosk.address_hint"), Token::Muted)
            }
            Ok(count) if room <= NEARLY_FULL => (ctx.locale.t_plural("kiosk.address_room", count, &[]), Token::Muted),
            _ => (ctx.locale.t("kiosk.address_private"), Token::Muted),
        }
    }

    fn draw_name(&self, frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>, ctx: &ViewCtx<'_>) {
        let [boxed, more] = Layout::vertical([Constraint::Length(3), Constraint::Fill(1)]).areas(area);
        let focused = self.focus == Focus::Name;
        let title = if scene.is_delivery() {
            ctx.locale.t("kiosk.name_for_courier")
        } else {
            ctx.locale.t("kiosk.name_to_call")
        };
        let inner = panel::draw(frame, boxed, &title, focused, ctx);
        if focused {
            self.name.draw(frame, inner, ctx);
        } else {
            let (words, token) = if self.name.is_empty() {
                (ctx.locale.t("kiosk.name_optional"), Token::Muted)
            } else {
                (text::clean(self.name.value()), Token::Text)
            };
            let words = text::truncate_to_width(&words, usize::from(inner.width));
            frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(token))), inner);
        }
        let words = format!("  {}", ctx.locale.t("kiosk.name_more"));
        let words = text::truncate_to_width(&words, usize::from(more.width));
        frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(Token::Muted))), more);
        ctx.hit(boxed, Hit::Row { list: FIELDS, index: 0 });
    }

    fn draw_methods(
        &self,
        frame: &mut Frame<'_>,
        area: Rect,
        methods: &[Method],
        scene: &Scene<'_>,
        ctx: &ViewCtx<'_>,
    ) {
        let focus = self.focus(scene.is_delivery());
        let active = matches!(focus, Focus::Method(_));
        let inner = panel::draw(frame, area, &ctx.locale.t("kiosk.how_to_pay"), active, ctx);
        if methods.is_empty() {
            parts::paragraph(frame, inner, &ctx.locale.t("kiosk.no_method"), ctx.style(Token::Warning), false);
            return;
        }
        for (index, (method, y)) in methods.iter().zip(inner.top()..inner.bottom()).enumerate() {
            let place = Rect { y, height: 1, ..inner };
            let on = self.chosen(methods) == Some(*method);
            let mark = if on { "(●)" } else { "( )" };
            let name = ctx.style(Token::Text);
            let name = if on { name.add_modifier(Modifier::BOLD) } else { name };
            let more = match method {
                Method::Card => ctx.locale.t("kiosk.method_card_more"),
                Method::Upi => ctx.locale.t("kiosk.method_upi_more"),
                Method::Cash if scene.is_delivery() => ctx.locale.t("kiosk.method_cash_courier"),
                Method::Cash => ctx.locale.t("kiosk.method_cash_more"),
            };
            let number = index.saturating_add(1);
            let line = parts::two_sided(
                vec![
                    Span::raw(if focus == Focus::Method(index) { "▸ " } else { "  " }),
                    Span::styled(format!("{number} "), ctx.style(Token::Muted)),
                    Span::styled(format!("{mark} "), ctx.style(if on { Token::Accent } else { Token::Muted })),
                    Span::styled(parts::method_name(*method, ctx.locale), name),
                ],
                (more, ctx.style(Token::Muted)),
                place.width,
            );
            frame.render_widget(Paragraph::new(line), place);
            if focus == Focus::Method(index) {
                frame.buffer_mut().set_style(place, ctx.style(Token::Selected));
            }
            ctx.hit(place, Hit::Row { list: FIELDS, index: index.saturating_add(1) });
        }
    }
}

fn draw_summary(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>, ctx: &ViewCtx<'_>) {
    let Some(cart) = scene.cart else { return };
    let count = parts::items(cart.total_items, ctx.locale);
    let total = parts::money(cart.total, scene.menu.currency);
    let mut left = vec![
        Span::styled(format!("{}  ", ctx.locale.t("kiosk.your_order")), ctx.style(Token::Title)),
        Span::styled(count, ctx.style(Token::Text)),
    ];
    if scene.is_delivery() {
        let charge = parts::money(cart.delivery, scene.menu.currency);
        let words = ctx.locale.t_args("kiosk.with_delivery", &[("charge", &charge)]);
        left.push(Span::styled(format!(", {words}"), ctx.style(Token::Muted)));
    }
    let price = ctx.style(Token::Price).add_modifier(Modifier::BOLD);
    frame.render_widget(Paragraph::new(parts::two_sided(left, (total, price), area.width)), area);
}

/// How many rows each part gets.
struct Rows {
    below_summary: u16,
    address: u16,
    below_address: u16,
    name: u16,
    below_name: u16,
    methods: u16,
    below_methods: u16,
}

impl Rows {
    fn of(delivery: bool, methods: usize, height: u16) -> Self {
        let methods = u16::try_from(methods).unwrap_or(3).max(1).saturating_add(2);
        if !delivery {
            return Self {
                below_summary: 1,
                address: 0,
                below_address: 0,
                name: 4,
                below_name: u16::from(height > 18),
                methods,
                below_methods: 1,
            };
        }
        // The least: each box with one row, and a row in which the address is judged.
        let mut rows =
            Self { below_summary: 0, address: 4, below_address: 0, name: 3, below_name: 0, methods, below_methods: 0 };
        let least = rows.address + rows.name + methods + parts::BUTTON_ROWS + 1;
        let mut spare = height.saturating_sub(least);
        let mut grow = |part: &mut u16, by: u16| {
            let by = by.min(spare);
            *part = part.saturating_add(by);
            spare = spare.saturating_sub(by);
        };
        grow(&mut rows.address, 1);
        grow(&mut rows.below_methods, 1);
        grow(&mut rows.below_summary, 1);
        grow(&mut rows.below_address, 1);
        grow(&mut rows.below_name, 1);
        grow(&mut rows.address, ADDRESS_ROWS.saturating_sub(2));
        rows
    }
}
