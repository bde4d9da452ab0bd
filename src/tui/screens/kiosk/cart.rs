//! The cart: its lines, what the menu changed about them, and what it comes to. Quantities and
//! removals are asked of the house; what is shown is always the house's own answer.

use super::effect::KioskEffect;
use super::parts::{self, ButtonLook};
use super::step::{NoteOf, Question, Scene, Stage, Step};
use crate::domain::cart::Change;
use crate::domain::consumption::Availability;
use crate::domain::ids::CartId;
use crate::domain::money::{Currency, Money};
use crate::service::views::{CartLineView, CartView};
use crate::tui::app::{Env, Hit, Input, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::locale::Locale;
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::list::{self, ListLook, ListState};
use crate::tui::widgets::panel;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

const LINES: &str = "kiosk.cart";
/// The most columns: a price should not stand too far from its name.
const WIDTH: u16 = 84;
const MORE: usize = 0;
const CHECKOUT: usize = 1;
const TRACE: usize = 2;

/// Rows of the sums that are always there, used or not.
const SUM_ROWS: u16 = 4;

/// One row of the sums.
struct Sum {
    words: String,
    amount: String,
    style: Style,
}

/// Where the keys go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Focus {
    #[default]
    Lines,
    Trace,
    More,
    Checkout,
}

/// The state of the cart screen.
#[derive(Debug, Clone, Default)]
pub(super) struct CartScreen {
    focus: Focus,
    lines: ListState,
}

impl CartScreen {
    /// The screen as it is entered: the next step selected, where there is nothing to mend first.
    pub fn entered(cart: Option<&CartView>) -> Self {
        let fine = cart.is_some_and(|cart| !cart.lines.is_empty() && cart.changes.is_empty());
        Self { focus: if fine { Focus::Checkout } else { Focus::Lines }, lines: ListState::default() }
    }

    fn selected<'a>(&self, cart: &'a CartView) -> Option<&'a CartLineView> {
        self.lines.selected(cart.lines.len()).and_then(|at| cart.lines.get(at))
    }

    pub fn on_input<M>(&mut self, input: &Input<M>, id: CartId, scene: &Scene<'_>, env: &Env<'_>) -> Step {
        if let Input::Click { hit, .. } = input {
            if let Some(index) = parts::clicked(*hit, LINES) {
                self.focus = Focus::Lines;
                self.lines.select(index);
                return self.ask_line(scene);
            }
            match parts::clicked(*hit, parts::BUTTONS) {
                Some(MORE) => return Step::Go(Stage::Menu),
                Some(CHECKOUT) => return checkout(scene, env),
                Some(TRACE) => return Step::Ask(Question::Trace),
                _ => {}
            }
        }
        let Some(action) = env.action(Context::Cart, input) else { return Step::Nothing };
        if !scene.has_lines() {
            return match action {
                Action::Select | Action::Back => Step::Go(Stage::Menu),
                _ => Step::Nothing,
            };
        }
        match action {
            Action::Back => Step::Go(Stage::Menu),
            Action::Checkout => checkout(scene, env),
            Action::ClearCart => Step::Ask(Question::Clear),
            Action::Note => Step::Ask(Question::Note(NoteOf::Order)),
            Action::PromotionCode => Step::Ask(Question::Code),
            Action::RemoveLine => match scene.cart.and_then(|cart| self.selected(cart)) {
                Some(line) => Step::Change(KioskEffect::RemoveLine { cart: id, line: line.id }),
                None => Step::Nothing,
            },
            Action::AddOne => self.change(1, id, scene, env),
            Action::RemoveOne => self.change(-1, id, scene, env),
            Action::Left if self.focus == Focus::Lines => self.change(-1, id, scene, env),
            Action::Right if self.focus == Focus::Lines => self.change(1, id, scene, env),
            Action::Select => match self.focus {
                Focus::Lines => self.ask_line(scene),
                Focus::Trace => Step::Ask(Question::Trace),
                Focus::More => Step::Go(Stage::Menu),
                Focus::Checkout => checkout(scene, env),
            },
            other => self.move_focus(other, scene),
        }
    }

    fn move_focus(&mut self, action: Action, scene: &Scene<'_>) -> Step {
        let lines = scene.cart.map_or(0, |cart| cart.lines.len());
        let to = match (self.focus, action) {
            (Focus::Lines, Action::NextPane) => Focus::Trace,
            (Focus::Lines, Action::PreviousPane) => Focus::Checkout,
            (Focus::Lines, action) => {
                if self.lines.on_action(action, lines) {
                    return Step::Drawn;
                }
                if action != Action::Down {
                    return Step::Nothing;
                }
                Focus::Trace
            }
            (Focus::Trace, Action::Up | Action::PreviousPane) => Focus::Lines,
            (Focus::Trace, Action::Down | Action::NextPane) => Focus::Checkout,
            (Focus::Checkout, Action::Left | Action::NextPane) => Focus::More,
            (Focus::More, Action::Right | Action::PreviousPane) => Focus::Checkout,
            (Focus::Checkout | Focus::More, Action::Up) | (Focus::Checkout, Action::PreviousPane) => Focus::Trace,
            (Focus::More, Action::NextPane) => Focus::Lines,
            _ => return Step::Nothing,
        };
        self.focus = to;
        Step::Drawn
    }

    fn ask_line(&self, scene: &Scene<'_>) -> Step {
        match scene.cart.and_then(|cart| self.selected(cart)) {
            Some(line) => Step::Ask(Question::Line(line.id)),
            None => Step::Nothing,
        }
    }

    fn change(&self, by: i32, id: CartId, scene: &Scene<'_>, env: &Env<'_>) -> Step {
        match scene.cart.and_then(|cart| self.selected(cart)) {
            Some(line) => change_quantity(line, by, id, env),
            None => Step::Nothing,
        }
    }

    pub fn draw(&self, frame: &mut Frame<'_>, scene: &Scene<'_>, ctx: &ViewCtx<'_>) {
        let hints = [
            Action::Select,
            Action::Checkout,
            Action::AddOne,
            Action::RemoveOne,
            Action::RemoveLine,
            Action::ClearCart,
            Action::Note,
            Action::PromotionCode,
            Action::Back,
            Action::Help,
        ];
        let aside = match scene.cart.and_then(|cart| cart.fulfilment) {
            Some(way) => parts::fulfilment_name(way, ctx.locale),
            None => String::new(),
        };
        let title = ctx.locale.t("kiosk.your_order");
        let body = parts::page(frame, scene, (&title, &aside), (Context::Cart, &hints), ctx);
        let body = body.centered_horizontally(Constraint::Length(WIDTH.min(body.width)));
        let Some(cart) = scene.cart.filter(|cart| !cart.lines.is_empty()) else {
            draw_empty(frame, body, ctx);
            return;
        };
        let mut warnings: Vec<String> = changes(cart, scene.menu.currency, ctx.locale);
        warnings.extend(code_problem(cart, ctx.locale));
        if scene.way_is_gone() {
            warnings.push(ctx.locale.t("kiosk.way_gone"));
        }
        let warning_rows = u16::try_from(warnings.len()).unwrap_or(u16::MAX).min(4);
        let sums = sum_rows(cart, scene, ctx);
        let sum_height = u16::try_from(sums.len()).unwrap_or(SUM_ROWS).max(SUM_ROWS).saturating_add(1);
        let [lines, warned, summed, _, buttons] = Layout::vertical([
            Constraint::Fill(1),
            Constraint::Length(warning_rows),
            Constraint::Length(sum_height),
            Constraint::Length(u16::from(body.height > 17)),
            Constraint::Length(parts::BUTTON_ROWS),
        ])
        .areas(body);
        let focused = self.focus == Focus::Lines;
        let count = parts::items(cart.total_items, ctx.locale);
        let inner = panel::draw(frame, lines, &count, focused, ctx);
        let look = ListLook { name: LINES, row_height: 2, active: focused };
        list::draw(frame, inner, &self.lines, cart.lines.len(), look, ctx, |index, width| {
            cart.lines.get(index).map(|line| line_rows(line, cart, scene, width, ctx)).unwrap_or_default()
        });
        let rows: Vec<Line<'_>> = warnings
            .into_iter()
            .map(|words| {
                let words = text::truncate_to_width(&format!(" ! {words}"), usize::from(warned.width));
                Line::styled(words, ctx.style(Token::Warning))
            })
            .collect();
        frame.render_widget(Paragraph::new(rows), warned);
        self.draw_sums(frame, summed, cart, sums, ctx);
        self.draw_buttons(frame, buttons, cart, scene, ctx);
    }

    fn draw_sums(&self, frame: &mut Frame<'_>, area: Rect, cart: &CartView, sums: Vec<Sum>, ctx: &ViewCtx<'_>) {
        let area = Rect { width: area.width.saturating_sub(2), x: area.x.saturating_add(1), ..area };
        let [left, right] =
            Layout::horizontal([Constraint::Fill(1), Constraint::Length(34.min(area.width))]).spacing(2).areas(area);
        let rows: Vec<Line<'_>> = sums
            .into_iter()
            .map(|Sum { words, amount, style }| {
                parts::two_sided(vec![Span::styled(words, style)], (amount, style), right.width)
            })
            .collect();
        let link = Rect { y: area.bottom().saturating_sub(1), height: area.height.min(1), ..right };
        frame.render_widget(Paragraph::new(rows), right);
        let focused = self.focus == Focus::Trace;
        let words = ctx.locale.t("kiosk.how_it_adds_up");
        let words = if focused { format!(" ▸ {words} ") } else { format!("   {words} ") };
        let style = ctx.style(if focused { Token::Selected } else { Token::Accent });
        let words = text::truncate_to_width(&words, usize::from(link.width));
        frame.render_widget(Paragraph::new(Line::styled(words, style)).right_aligned(), link);
        ctx.hit(link, Hit::Row { list: parts::BUTTONS, index: TRACE });
        let note = if cart.note.is_empty() { ctx.locale.t("kiosk.add_note") } else { text::clean(&cart.note) };
        let [head, note_area] = Layout::vertical([Constraint::Length(1), Constraint::Length(3)]).areas(left);
        let title = ctx.locale.t("kiosk.note");
        let title = text::truncate_to_width(&title, usize::from(head.width));
        frame.render_widget(Paragraph::new(Line::styled(title, ctx.style(Token::Title))), head);
        parts::paragraph(frame, note_area, &note, ctx.style(Token::Muted), false);
        ctx.hit(left, Hit::Action(Action::Note));
        let code = Rect { y: link.y, height: link.height, ..left };
        let words = match &cart.promotion {
            Some(promotion) => ctx.locale.t_args("kiosk.code_is", &[("code", &promotion.code)]),
            None => ctx.locale.t("kiosk.code_ask"),
        };
        let words = text::truncate_to_width(&words, usize::from(code.width));
        frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(Token::Accent))), code);
        ctx.hit(code, Hit::Action(Action::PromotionCode));
    }

    fn draw_buttons(&self, frame: &mut Frame<'_>, area: Rect, cart: &CartView, scene: &Scene<'_>, ctx: &ViewCtx<'_>) {
        let [more, go] = Layout::horizontal([Constraint::Fill(2), Constraint::Fill(3)]).spacing(2).areas(area);
        let look = ButtonLook::of(self.focus == Focus::More, false);
        parts::button(frame, more, &ctx.locale.t("kiosk.add_more"), look, MORE, ctx);
        let total = parts::money(cart.total, scene.menu.currency);
        let words = ctx.locale.t_args("kiosk.check_out", &[("total", &total)]);
        parts::button(frame, go, &words, ButtonLook::of(self.focus == Focus::Checkout, true), CHECKOUT, ctx);
    }
}

fn draw_empty(frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
    let [_, words, _, button, _] = Layout::vertical([
        Constraint::Fill(1),
        Constraint::Length(2),
        Constraint::Length(1),
        Constraint::Length(parts::BUTTON_ROWS),
        Constraint::Fill(1),
    ])
    .areas(area);
    parts::paragraph(frame, words, &ctx.locale.t("kiosk.order_empty"), ctx.style(Token::Muted), true);
    let place = button.centered_horizontally(Constraint::Length(32.min(button.width)));
    parts::button(frame, place, &ctx.locale.t("kiosk.to_menu"), ButtonLook::Focused, MORE, ctx);
}

/// What the cart comes to, step by step; the total is last.
fn sum_rows(cart: &CartView, scene: &Scene<'_>, ctx: &ViewCtx<'_>) -> Vec<Sum> {
    let currency = scene.menu.currency;
    let muted = ctx.style(Token::Muted);
    let row = |words: String, amount: Money, style| Sum { words, amount: parts::money(amount, currency), style };
    let mut rows = vec![row(ctx.locale.t("kiosk.subtotal"), cart.subtotal, muted)];
    if !cart.discount.is_zero() {
        let amount = cart.discount.checked_neg().unwrap_or(cart.discount);
        let words = match &cart.promotion {
            Some(promotion) => ctx.locale.t_args("kiosk.discount_by", &[("code", &promotion.code)]),
            None => ctx.locale.t("kiosk.discount"),
        };
        rows.push(row(words, amount, muted));
    }
    if scene.is_delivery() {
        rows.push(row(ctx.locale.t("kiosk.delivery"), cart.delivery, muted));
    }
    let tax = if cart.tax_inclusive { "kiosk.tax_included" } else { "kiosk.tax" };
    rows.push(row(ctx.locale.t(tax), cart.tax, muted));
    let total = ctx.style(Token::Price).add_modifier(Modifier::BOLD);
    rows.push(row(ctx.locale.t("kiosk.total"), cart.total, total));
    rows
}

/// What is wrong with the cart's promotion code, if anything is.
fn code_problem(cart: &CartView, locale: &Locale) -> Option<String> {
    let promotion = cart.promotion.as_ref()?;
    let why = parts::code_refusal(promotion.refused.as_deref()?, locale);
    Some(locale.t_args("kiosk.code_refused", &[("code", &promotion.code), ("why", &why)]))
}

/// The step to the checkout: changes of the menu are agreed to first, a code that takes nothing off goes, and a
/// way of getting the order that is no longer offered is chosen anew.
fn checkout(scene: &Scene<'_>, env: &Env<'_>) -> Step {
    match scene.cart {
        Some(cart) if cart.lines.is_empty() => Step::Nothing,
        Some(cart) if !cart.changes.is_empty() => Step::Ask(Question::Changes),
        Some(cart) if code_problem(cart, env.locale).is_some() => Step::Ask(Question::Code),
        Some(_) if scene.way_is_gone() => Step::Ask(Question::Way),
        _ => Step::Go(Stage::Checkout),
    }
}

/// One more or one fewer of a line; never below one, which is what removing is for.
pub(super) fn change_quantity(line: &CartLineView, by: i32, cart: CartId, env: &Env<'_>) -> Step {
    let wanted = line.quantity.saturating_add(by);
    if wanted < 1 {
        return Step::Tell(env.locale.t("kiosk.remove_instead"), Token::Warning);
    }
    if by > 0
        && let Some(left) = line.left
        && i64::from(wanted) > left
    {
        return Step::Tell(env.locale.t_plural("kiosk.only_left", left, &[]), Token::Warning);
    }
    Step::Change(KioskEffect::SetQuantity { cart, line: line.id, quantity: wanted })
}

fn line_rows(
    line: &CartLineView,
    cart: &CartView,
    scene: &Scene<'_>,
    width: u16,
    ctx: &ViewCtx<'_>,
) -> Vec<Line<'static>> {
    let blocked = cart.changes.iter().any(|change| change.line_id == line.id && change.change.blocks());
    let name_style = if blocked { parts::gone(ctx) } else { ctx.style(Token::Text).add_modifier(Modifier::BOLD) };
    let head = vec![
        Span::styled(format!("{:>3} × ", line.quantity), ctx.style(Token::Accent)),
        Span::styled(text::clean(&line.name), name_style),
    ];
    let amount = parts::money(line.line_total, scene.menu.currency);
    let mut more: Vec<String> = line.options.iter().map(|name| text::clean(name)).collect();
    if !line.note.is_empty() {
        more.push(format!("“{}”", text::clean(&line.note)));
    }
    let each = if line.quantity > 1 {
        let price = parts::money(line.unit_price, scene.menu.currency);
        ctx.locale.t_args("kiosk.each", &[("price", &price)])
    } else {
        String::new()
    };
    let muted = ctx.style(Token::Muted);
    vec![
        parts::two_sided(head, (amount, ctx.style(Token::Price)), width),
        parts::two_sided(vec![Span::styled(format!("      {}", more.join(", ")), muted)], (each, muted), width),
    ]
}

/// What the menu changed about the lines, in words.
pub(super) fn changes(cart: &CartView, currency: Currency, locale: &Locale) -> Vec<String> {
    cart.changes
        .iter()
        .map(|change| {
            let name = &change.name;
            match &change.change {
                Change::Renamed { was, now } => locale.t_args("kiosk.change_renamed", &[("was", was), ("now", now)]),
                Change::Repriced { was, now } => {
                    let (was, now) = (was.display(currency), now.display(currency));
                    locale.t_args("kiosk.change_price", &[("name", name), ("was", &was), ("now", &now)])
                }
                Change::Gone => locale.t_args("kiosk.change_gone", &[("name", name)]),
                Change::Short { available: ..=0, .. } => locale.t_args("kiosk.change_sold_out", &[("name", name)]),
                Change::Short { available, requested } => locale.t_args(
                    "kiosk.change_short",
                    &[("name", name), ("available", available), ("requested", requested)],
                ),
                Change::Unavailable { availability: Availability::OutOfSlot { slots } } => {
                    locale.t_args("kiosk.change_slot", &[("name", name), ("slots", &slots.join(", "))])
                }
                Change::Unavailable { .. } => locale.t_args("kiosk.change_unavailable", &[("name", name)]),
                Change::OptionsChanged { .. } => locale.t_args("kiosk.change_options", &[("name", name)]),
            }
        })
        .collect()
}
