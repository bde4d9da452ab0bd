//! Taking cash at the counter: what is due, what the customer gave, what goes back in large digits.

use crate::domain::error::Refused;
use crate::domain::ids::OrderId;
use crate::domain::money::{Currency, Money};
use crate::tui::app::{Env, Hit, Input, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::refusal;
use crate::tui::screens::credentials::draw_field;
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::input::TextInput;
use crate::tui::widgets::{big_digits, footer, panel};
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// The name of the quick amounts in [`Hit::Row`].
const QUICK: &str = "cash";
/// The notes and heaps of notes that people pay with, in major units.
const NOTES: [i64; 6] = [5, 10, 20, 50, 100, 200];
/// How many quick amounts are offered.
const QUICK_LIMIT: usize = 5;
/// The longest amount that can be typed.
const AMOUNT_LIMIT: usize = 12;

/// What an input did to the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Paid {
    /// It stays open.
    Open,
    /// It was closed.
    Cancelled,
    /// The customer gave this much.
    Tendered(Money),
}

/// The form.
#[derive(Debug, Clone)]
pub(super) struct CashForm {
    pub(super) order: OrderId,
    number: String,
    due: Money,
    currency: Currency,
    field: TextInput,
    quick: Vec<Money>,
    at: Option<usize>,
    problem: Option<String>,
}

/// Reads an amount that a person typed; a comma is taken for the point.
///
/// # Errors
/// `VALIDATION_ERROR` where it is no amount, or below zero.
pub(super) fn read_amount(field: &str, typed: &str, currency: Currency) -> Result<Money, Refused> {
    let amount = Money::parse_typed(field, typed, currency)?;
    if amount.is_negative() {
        return Err(Refused::invalid(field, "An amount here cannot be negative."));
    }
    Ok(amount)
}

/// The exact amount, and what people give for it.
fn quick_amounts(due: Money, currency: Currency) -> Vec<Money> {
    let hundred = if currency.exponent() == 0 { 100 } else { 1 };
    let major = 10_i64.saturating_pow(u32::from(currency.exponent())).saturating_mul(hundred);
    let rounded = |note: &i64| {
        let note = note.saturating_mul(major);
        let notes = due.0.max(0).saturating_add(note.saturating_sub(1)).checked_div(note)?;
        notes.checked_mul(note).map(Money)
    };
    let mut amounts: Vec<Money> = NOTES.iter().filter_map(rounded).filter(|amount| *amount > due).collect();
    amounts.push(due);
    amounts.sort_unstable();
    amounts.dedup();
    amounts.truncate(QUICK_LIMIT);
    amounts
}

impl CashForm {
    pub(super) fn new(order: OrderId, number: &str, due: Money, currency: Currency) -> Self {
        let field = TextInput::new(AMOUNT_LIMIT);
        let quick = quick_amounts(due, currency);
        Self { order, number: text::clean(number), due, currency, field, quick, at: None, problem: None }
    }

    /// Takes an input of the screen.
    pub(super) fn on_input<M>(&mut self, input: &Input<M>, env: &Env<'_>) -> Paid {
        match input {
            Input::Key(press) if self.field.on_key(*press) => {
                (self.at, self.problem) = (None, None);
                return Paid::Open;
            }
            Input::Paste(pasted) => {
                self.field.paste(pasted);
                self.at = None;
                return Paid::Open;
            }
            Input::Click { hit: Some(Hit::Row { list: QUICK, index }), .. } => {
                self.take_quick(*index);
                return Paid::Open;
            }
            _ => {}
        }
        let last = self.quick.len().saturating_sub(1);
        match env.action(Context::TextInput, input) {
            Some(Action::Back) => return Paid::Cancelled,
            Some(Action::Down | Action::NextPane) => {
                self.take_quick(self.at.map_or(0, |at| if at >= last { 0 } else { at.saturating_add(1) }));
            }
            Some(Action::Up | Action::PreviousPane) => {
                self.take_quick(self.at.map_or(last, |at| at.checked_sub(1).unwrap_or(last)));
            }
            Some(Action::Select) => return self.enter(env),
            _ => {}
        }
        Paid::Open
    }

    fn take_quick(&mut self, index: usize) {
        if let Some(amount) = self.quick.get(index) {
            self.field = TextInput::new(AMOUNT_LIMIT).with_value(&amount.plain(self.currency));
            (self.at, self.problem) = (Some(index), None);
        }
    }

    fn enter(&mut self, env: &Env<'_>) -> Paid {
        if self.field.value().trim().is_empty() {
            self.problem = Some(env.locale.t("kitchen.cash_type"));
            return Paid::Open;
        }
        match read_amount("tendered", self.field.value(), self.currency) {
            Ok(tendered) if tendered >= self.due => Paid::Tendered(tendered),
            Ok(tendered) => {
                let missing = self.due.checked_sub(tendered).unwrap_or(self.due).display(self.currency);
                self.problem = Some(env.locale.t_args("kitchen.cash_short", &[("missing", &missing)]));
                Paid::Open
            }
            Err(refused) => {
                self.problem = Some(refusal::words(&refused, env.locale).message);
                Paid::Open
            }
        }
    }

    /// What goes back, once enough is typed.
    fn change(&self) -> Option<Money> {
        let tendered = read_amount("tendered", self.field.value(), self.currency).ok()?;
        tendered.checked_sub(self.due).filter(|change| !change.is_negative())
    }

    /// Draws the form over the middle of `area`.
    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let title = ctx.locale.t_args("kitchen.cash_title", &[("number", &self.number)]);
        let inner = panel::overlay(frame, area, (58, 18), &title, ctx);
        let [_, due, _, field, quick, problem, change, digits, keys] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(3),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Fill(1),
            Constraint::Length(1),
        ])
        .areas(inner);
        let due_words = ctx.locale.t_args("kitchen.cash_due", &[("due", &self.due.display(self.currency))]);
        let bold = ctx.style(Token::Price).add_modifier(Modifier::BOLD);
        frame.render_widget(Paragraph::new(Line::styled(due_words, bold)), due);
        draw_field(&self.field, frame, field, &ctx.locale.t("kitchen.cash_given"), true, ctx);
        self.draw_quick(frame, quick, ctx);
        if let Some(words) = &self.problem {
            let words = text::truncate_to_width(&text::clean(words), usize::from(problem.width));
            frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(Token::Danger))), problem);
        }
        if let Some(amount) = self.change() {
            let words = Line::styled(ctx.locale.t("kitchen.cash_change"), ctx.style(Token::Muted));
            frame.render_widget(Paragraph::new(words), change);
            let amount = amount.plain(self.currency);
            big_digits::draw(frame, digits, &amount, ctx.style(Token::Ready), Alignment::Left);
        }
        footer::draw(frame, keys, Context::TextInput, &[Action::Select, Action::Down, Action::Back], ctx);
    }

    fn draw_quick(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let mut x = area.x;
        for (index, amount) in self.quick.iter().enumerate() {
            let words = format!(" {} ", amount.display(self.currency));
            let Ok(width) = u16::try_from(text::display_width(&words)) else { return };
            if x.saturating_add(width) > area.right() {
                return;
            }
            let token = if self.at == Some(index) { Token::Selected } else { Token::Accent };
            let place = Rect { x, width, height: 1, ..area };
            frame.render_widget(Span::styled(words, ctx.style(token)), place);
            ctx.hit(place, Hit::Row { list: QUICK, index });
            x = x.saturating_add(width).saturating_add(1);
        }
    }
}

/// Draws what goes back to the customer, as large as there is room.
pub(super) fn draw_change(
    frame: &mut Frame<'_>,
    area: Rect,
    number: &str,
    change: Money,
    currency: Currency,
    ctx: &ViewCtx<'_>,
) {
    let title = ctx.locale.t_args("kitchen.cash_taken", &[("number", &number)]);
    let inner = panel::overlay(frame, area, (58, 14), &title, ctx);
    let [_, words, digits, keys] =
        Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)])
            .areas(inner);
    let line = Line::styled(ctx.locale.t("kitchen.cash_change"), ctx.style(Token::Title));
    frame.render_widget(Paragraph::new(line).centered(), words);
    big_digits::draw(frame, digits, &change.plain(currency), ctx.style(Token::Ready), Alignment::Center);
    footer::draw(frame, keys, Context::Dialog, &[Action::Select, Action::Back], ctx);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_amounts_are_what_people_give() {
        let plain =
            |due| -> Vec<i64> { quick_amounts(Money(due), Currency::EUR).iter().map(|amount| amount.0).collect() };
        assert_eq!(plain(1250), [1250, 1500, 2000, 5000, 10_000]);
        assert_eq!(plain(2000), [2000, 5000, 10_000, 20_000]);
        let yen = Currency::parse("JPY").expect("yen");
        assert_eq!(quick_amounts(Money(780), yen).get(1), Some(&Money(1000)));
        assert!(!plain(i64::MAX).is_empty());
        assert!(!plain(-5).is_empty());
    }

    #[test]
    fn a_comma_is_a_point_and_nothing_is_negative() {
        assert_eq!(read_amount("float", "12,5", Currency::EUR), Ok(Money(1250)));
        assert!(read_amount("float", "-1", Currency::EUR).is_err());
        assert!(read_amount("float", "x", Currency::EUR).is_err());
    }
}
