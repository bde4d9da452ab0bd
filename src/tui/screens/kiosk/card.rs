//! The card form: number, expiry and check number, with the time for which the items are held. What
//! is typed lives in this form and in the one call that it makes, and nowhere else.

use super::effect::{CardDetails, KioskEffect};
use super::parts::{self, ButtonLook};
use super::payment::{draw_hold, pay_by_card};
use super::step::{Question, Scene, Step};
use crate::service::views::OrderView;
use crate::tui::app::{Env, Hit, Input, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::theme::Token;
use crate::tui::widgets::input::TextInput;
use crate::tui::widgets::panel;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use std::fmt;
use zeroize::Zeroizing;

const FIELDS: &str = "kiosk.card";
/// The index of "more time" among the buttons.
const MORE_TIME: usize = 1;
/// The place of the button after the three fields.
const PAY: usize = 3;

/// The form.
#[derive(Clone)]
pub(super) struct CardForm {
    number: TextInput,
    expiry: TextInput,
    cvc: TextInput,
    focus: usize,
}

impl fmt::Debug for CardForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A card must not get into a log by way of a screen's state.
        f.debug_struct("CardForm").field("focus", &self.focus).finish_non_exhaustive()
    }
}

impl Default for CardForm {
    fn default() -> Self {
        Self {
            number: TextInput::new(19).digits(),
            expiry: TextInput::new(4).digits(),
            cvc: TextInput::new(4).digits().secret(),
            focus: 0,
        }
    }
}

impl CardForm {
    const fn field(&mut self) -> Option<&mut TextInput> {
        match self.focus {
            0 => Some(&mut self.number),
            1 => Some(&mut self.expiry),
            2 => Some(&mut self.cvc),
            _ => None,
        }
    }

    pub fn on_input<M>(&mut self, input: &Input<M>, order: &OrderView, env: &Env<'_>) -> Step {
        if let Input::Click { hit, .. } = input {
            if let Some(index) = parts::clicked(*hit, FIELDS) {
                self.focus = index;
                return Step::Drawn;
            }
            match parts::clicked(*hit, parts::BUTTONS) {
                Some(MORE_TIME) => return extend(order),
                Some(_) => return self.pay(order, env),
                None => {}
            }
        }
        // The fields take digits only, so letters keep their meaning while one is typed into.
        if let Input::Key(press) = input
            && press.printable().is_none_or(|character| character.is_ascii_digit())
            && self.field().is_some_and(|field| field.on_key(*press))
        {
            return Step::Drawn;
        }
        match env.action(Context::Payment, input) {
            Some(Action::Select) if self.focus == PAY => self.pay(order, env),
            Some(Action::Select | Action::Down | Action::NextPane) => {
                self.focus = self.focus.saturating_add(1).min(PAY);
                Step::Drawn
            }
            Some(Action::Up | Action::PreviousPane) => {
                self.focus = self.focus.saturating_sub(1);
                Step::Drawn
            }
            Some(Action::ExtendHold) => extend(order),
            Some(Action::CancelOrder | Action::Back) => Step::Ask(Question::CancelOrder(order.id)),
            _ => Step::Nothing,
        }
    }

    fn pay(&mut self, order: &OrderView, env: &Env<'_>) -> Step {
        let wrong = if !is_card_number(self.number.value()) {
            Some((0, env.locale.t("kiosk.wrong_number")))
        } else if !is_expiry(self.expiry.value()) {
            Some((1, env.locale.t("kiosk.wrong_expiry")))
        } else if self.cvc.value().len() < 3 {
            Some((2, env.locale.t("kiosk.wrong_cvc")))
        } else {
            None
        };
        if let Some((focus, words)) = wrong {
            self.focus = focus;
            return Step::Tell(words, Token::Warning);
        }
        let card = CardDetails {
            number: Zeroizing::new(self.number.value().to_owned()),
            expiry: Zeroizing::new(self.expiry.value().to_owned()),
            cvc: Zeroizing::new(self.cvc.value().to_owned()),
        };
        pay_by_card(order, card)
    }

    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, order: &OrderView, scene: &Scene<'_>, ctx: &ViewCtx<'_>) {
        let wide = area.centered_horizontally(Constraint::Length(56.min(area.width)));
        let help_rows = if scene.menu.demo { 2 } else { 0 };
        let [_, held, bar, _, number, row, _, pay, _, help, _] = Layout::vertical([
            Constraint::Fill(1),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(u16::from(area.height > 17)),
            Constraint::Length(3),
            Constraint::Length(3),
            Constraint::Length(u16::from(area.height > 17)),
            Constraint::Length(parts::BUTTON_ROWS),
            Constraint::Length(1),
            Constraint::Length(help_rows),
            Constraint::Fill(1),
        ])
        .areas(wide);
        draw_held(frame, held, order, ctx);
        draw_hold(frame, bar, order, ctx);
        let [expiry, cvc] = Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).spacing(2).areas(row);
        self.draw_field(frame, number, (0, &self.number), &ctx.locale.t("kiosk.card_number"), ctx);
        self.draw_field(frame, expiry, (1, &self.expiry), &ctx.locale.t("kiosk.card_expiry"), ctx);
        self.draw_field(frame, cvc, (2, &self.cvc), &ctx.locale.t("kiosk.card_cvc"), ctx);
        let due = parts::money(order.due, order.currency);
        let words = ctx.locale.t_args("kiosk.pay_now", &[("total", &due)]);
        parts::button(frame, pay, &words, ButtonLook::of(self.focus == PAY, true), 0, ctx);
        if scene.menu.demo {
            parts::paragraph(frame, help, &ctx.locale.t("kiosk.demo_cards"), ctx.style(Token::Muted), true);
        }
    }

    fn draw_field(
        &self,
        frame: &mut Frame<'_>,
        area: Rect,
        (index, field): (usize, &TextInput),
        title: &str,
        ctx: &ViewCtx<'_>,
    ) {
        let focused = self.focus == index;
        let inner = panel::draw(frame, area, title, focused, ctx);
        if focused {
            field.draw(frame, inner, ctx);
        } else {
            let shown = match index {
                0 => grouped(field.value()),
                1 => field.value().to_owned(),
                _ => "•".repeat(field.value().len()),
            };
            frame.render_widget(Paragraph::new(Line::styled(shown, ctx.style(Token::Text))), inner);
        }
        ctx.hit(area, Hit::Row { list: FIELDS, index });
    }
}

fn draw_held(frame: &mut Frame<'_>, area: Rect, order: &OrderView, ctx: &ViewCtx<'_>) {
    if order.expires_at.is_none() {
        return;
    }
    let [words, more] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(18)]).areas(area);
    parts::paragraph(frame, words, &ctx.locale.t("kiosk.held_for_you"), ctx.style(Token::Muted), false);
    if order.hold_extended {
        return;
    }
    let key = ctx.keymap.keys_for(Context::Payment, Action::ExtendHold).into_iter().next().unwrap_or_default();
    let label = format!("{key} {}", ctx.locale.t("kiosk.more_time"));
    frame.render_widget(Paragraph::new(Line::styled(label, ctx.style(Token::Accent))).right_aligned(), more);
    ctx.hit(more, Hit::Row { list: parts::BUTTONS, index: MORE_TIME });
}

fn extend(order: &OrderView) -> Step {
    if order.hold_extended || order.expires_at.is_none() {
        return Step::Nothing;
    }
    Step::Change(KioskEffect::ExtendHold { order: order.id })
}

/// A card number as it stands on the card, in groups of four.
fn grouped(digits: &str) -> String {
    let mut shown = String::with_capacity(digits.len().saturating_add(4));
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            shown.push(' ');
        }
        shown.push(digit);
    }
    shown
}

/// Whether the digits can be a card number: the right length and the right check digit (Luhn).
fn is_card_number(digits: &str) -> bool {
    let sum: u32 = digits
        .chars()
        .rev()
        .filter_map(|character| character.to_digit(10))
        .enumerate()
        .map(|(at, digit)| match (at % 2, digit.saturating_mul(2)) {
            (0, _) => digit,
            (_, double) if double > 9 => double.saturating_sub(9),
            (_, double) => double,
        })
        .sum();
    (12..=19).contains(&digits.len()) && sum.is_multiple_of(10)
}

/// Whether the digits are a month and a year. Whether the card has expired is for the bank to say.
fn is_expiry(digits: &str) -> bool {
    let month = digits.get(..2).and_then(|month| month.parse::<u8>().ok());
    digits.len() == 4 && month.is_some_and(|month| (1..=12).contains(&month))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_number_is_noticed() {
        assert!(is_card_number("4242424242424242"));
        assert!(is_card_number("378282246310005"));
        assert!(!is_card_number("4242424242424243"));
        assert!(!is_card_number("4242"));
        assert!(!is_card_number(""));
        assert!(is_expiry("1229") && !is_expiry("1329") && !is_expiry("0029") && !is_expiry("129"));
    }
}
