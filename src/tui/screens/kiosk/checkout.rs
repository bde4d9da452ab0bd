//! The checkout: a name or a pager number to call, if the customer wants, and how to pay.

use super::parts::{self, ButtonLook};
use super::step::{Scene, Stage, Step};
use crate::domain::payment::Method;
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

const FIELDS: &str = "kiosk.checkout";
/// The most characters of a name: as many as the board and a ticket show.
const NAME_LIMIT: usize = 24;

/// Where the keys go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Focus {
    Name,
    Method(usize),
    Pay,
}

/// What was typed and chosen so far. Kept when a payment fails.
#[derive(Debug, Clone)]
pub(super) struct CheckoutScreen {
    name: TextInput,
    chosen: Option<Method>,
    focus: Focus,
}

impl Default for CheckoutScreen {
    fn default() -> Self {
        Self { name: TextInput::new(NAME_LIMIT), chosen: None, focus: Focus::Method(0) }
    }
}

/// The ways of paying that a kiosk can serve, in the order in which they are offered.
fn methods(menu: &MenuView) -> Vec<Method> {
    [Method::Card, Method::Upi, Method::Cash].into_iter().filter(|method| menu.methods.contains(method)).collect()
}

impl CheckoutScreen {
    /// Where its keys are looked up.
    pub fn context(&self) -> Context {
        if self.focus == Focus::Name { Context::TextInput } else { Context::Checkout }
    }

    pub fn on_input<M>(&mut self, input: &Input<M>, scene: &Scene<'_>, env: &Env<'_>) -> Step {
        let methods = methods(scene.menu);
        self.settle(&methods);
        if let Input::Click { hit, .. } = input {
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
        if self.focus == Focus::Name
            && let Input::Key(press) = input
            && self.name.on_key(*press)
        {
            return Step::Drawn;
        }
        match env.action(self.context(), input) {
            Some(Action::Back) => Step::Go(Stage::Cart),
            Some(Action::Select) => match self.focus {
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
            Some(action) => self.move_focus(action, methods.len()),
            // Somebody who simply begins to type means the name.
            None => match input {
                Input::Key(press) if press.printable().is_some_and(char::is_alphabetic) && self.name.on_key(*press) => {
                    self.focus = Focus::Name;
                    Step::Drawn
                }
                _ => Step::Nothing,
            },
        }
    }

    /// Where there is only one way to pay, nobody has to choose it.
    fn settle(&mut self, methods: &[Method]) {
        if let [only] = methods {
            self.chosen = Some(*only);
        }
    }

    fn chosen_place(&self, methods: &[Method]) -> Option<usize> {
        methods.iter().position(|method| Some(*method) == self.chosen)
    }

    fn move_focus(&mut self, action: Action, methods: usize) -> Step {
        let at = match self.focus {
            Focus::Name => 0,
            Focus::Method(index) => index.min(methods.saturating_sub(1)).saturating_add(1),
            Focus::Pay => methods.saturating_add(1),
        };
        let to = match action {
            Action::Up | Action::PreviousPane => at.saturating_sub(1),
            Action::Down | Action::NextPane => at.saturating_add(1),
            Action::Home => 0,
            Action::End => methods.saturating_add(1),
            _ => return Step::Nothing,
        };
        self.focus = match to.checked_sub(1) {
            None => Focus::Name,
            Some(index) if index < methods => Focus::Method(index),
            Some(_) => Focus::Pay,
        };
        Step::Drawn
    }

    fn choose(&mut self, methods: &[Method], index: usize) -> Step {
        let Some(method) = methods.get(index) else { return Step::Nothing };
        self.chosen = Some(*method);
        self.focus = Focus::Pay;
        Step::Drawn
    }

    fn pay(&mut self, methods: &[Method], scene: &Scene<'_>, env: &Env<'_>) -> Step {
        if !scene.has_lines() {
            return Step::Go(Stage::Cart);
        }
        match self.chosen.filter(|method| methods.contains(method)) {
            Some(method) => Step::Place(method, self.called_name()),
            None => {
                self.focus = Focus::Method(0);
                Step::Tell(env.locale.t("kiosk.choose_method"), Token::Warning)
            }
        }
    }

    /// The name to call; empty where none was given.
    pub fn called_name(&self) -> String {
        text::clean(self.name.value()).trim().to_owned()
    }

    pub fn draw(&self, frame: &mut Frame<'_>, scene: &Scene<'_>, ctx: &ViewCtx<'_>) {
        let mut settled = self.clone();
        settled.settle(&methods(scene.menu));
        settled.draw_settled(frame, scene, ctx);
    }

    fn draw_settled(&self, frame: &mut Frame<'_>, scene: &Scene<'_>, ctx: &ViewCtx<'_>) {
        let hints = [Action::Select, Action::Up, Action::Down, Action::Back, Action::Help];
        let title = ctx.locale.t("kiosk.checkout_title");
        let way = scene.cart.and_then(|cart| cart.fulfilment).map(|way| parts::fulfilment_name(way, ctx.locale));
        let body = parts::page(frame, scene, (&title, &way.unwrap_or_default()), (self.context(), &hints), ctx);
        let methods = methods(scene.menu);
        let method_rows = u16::try_from(methods.len()).unwrap_or(3).max(1);
        let wide = body.centered_horizontally(Constraint::Length(64.min(body.width)));
        let roomy = u16::from(wide.height > 18);
        let [_, summary, _, name, _, pay_by, _, button, _] = Layout::vertical([
            Constraint::Fill(1),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(4),
            Constraint::Length(roomy),
            Constraint::Length(method_rows.saturating_add(2)),
            Constraint::Length(1),
            Constraint::Length(parts::BUTTON_ROWS),
            Constraint::Fill(1),
        ])
        .areas(wide);
        draw_summary(frame, summary, scene, ctx);
        self.draw_name(frame, name, ctx);
        self.draw_methods(frame, pay_by, &methods, ctx);
        let total = scene.cart.map(|cart| parts::money(cart.total, scene.menu.currency)).unwrap_or_default();
        let words = match self.chosen {
            Some(Method::Cash) => ctx.locale.t_args("kiosk.order_and_pay_cash", &[("total", &total)]),
            Some(_) => ctx.locale.t_args("kiosk.pay_now", &[("total", &total)]),
            None => ctx.locale.t("kiosk.choose_method"),
        };
        let look = match self.chosen {
            None if self.focus != Focus::Pay => ButtonLook::Plain,
            _ => ButtonLook::of(self.focus == Focus::Pay, true),
        };
        parts::button(frame, button, &words, look, 0, ctx);
    }

    fn draw_name(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let [boxed, more] = Layout::vertical([Constraint::Length(3), Constraint::Length(1)]).areas(area);
        let focused = self.focus == Focus::Name;
        let inner = panel::draw(frame, boxed, &ctx.locale.t("kiosk.name_to_call"), focused, ctx);
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

    fn draw_methods(&self, frame: &mut Frame<'_>, area: Rect, methods: &[Method], ctx: &ViewCtx<'_>) {
        let active = matches!(self.focus, Focus::Method(_));
        let inner = panel::draw(frame, area, &ctx.locale.t("kiosk.how_to_pay"), active, ctx);
        if methods.is_empty() {
            parts::paragraph(frame, inner, &ctx.locale.t("kiosk.no_method"), ctx.style(Token::Warning), false);
            return;
        }
        for (index, (method, y)) in methods.iter().zip(inner.top()..inner.bottom()).enumerate() {
            let place = Rect { y, height: 1, ..inner };
            let on = self.chosen == Some(*method);
            let mark = if on { "(●)" } else { "( )" };
            let name = ctx.style(Token::Text);
            let name = if on { name.add_modifier(Modifier::BOLD) } else { name };
            let more = match method {
                Method::Card => ctx.locale.t("kiosk.method_card_more"),
                Method::Upi => ctx.locale.t("kiosk.method_upi_more"),
                Method::Cash => ctx.locale.t("kiosk.method_cash_more"),
            };
            let number = index.saturating_add(1);
            let line = parts::two_sided(
                vec![
                    Span::raw(if self.focus == Focus::Method(index) { "▸ " } else { "  " }),
                    Span::styled(format!("{number} "), ctx.style(Token::Muted)),
                    Span::styled(format!("{mark} "), ctx.style(if on { Token::Accent } else { Token::Muted })),
                    Span::styled(parts::method_name(*method, ctx.locale), name),
                ],
                (more, ctx.style(Token::Muted)),
                place.width,
            );
            frame.render_widget(Paragraph::new(line), place);
            if self.focus == Focus::Method(index) {
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
    let left = vec![
        Span::styled(format!("{}  ", ctx.locale.t("kiosk.your_order")), ctx.style(Token::Title)),
        Span::styled(count, ctx.style(Token::Text)),
    ];
    let price = ctx.style(Token::Price).add_modifier(Modifier::BOLD);
    frame.render_widget(Paragraph::new(parts::two_sided(left, (total, price), area.width)), area);
}
