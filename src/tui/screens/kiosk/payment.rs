//! Paying: the card form while the items are held, the code for a phone, the wait for an answer, and
//! what became of it. What is true about the order is the house's answer; this file only shows it.

use super::card::CardForm;
use super::done::HOLDS_SECONDS;
use super::effect::{KioskEffect, PaymentCode};
use super::parts::{self, ButtonLook};
use super::step::{Question, Scene, Stage, Step};
use crate::domain::order::{EndReason, Status};
use crate::domain::payment::AttemptStatus;
use crate::domain::time::Timestamp;
use crate::service::views::{AttemptView, OrderView};
use crate::tui::app::{Env, Input, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::locale::Locale;
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::{big_digits, countdown};
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Seconds for which the kiosk waits for an answer about a payment (`spec`: unknown attempts).
pub(super) const WAIT_SECONDS: i64 = 60;

/// How far the payment is.
#[derive(Debug, Clone)]
pub(super) enum PaymentScreen {
    /// The card is being typed.
    Card(CardForm),
    /// The code is shown, or about to be.
    Upi(UpiScreen),
    /// The gateway was asked.
    Waiting {
        /// When.
        since: Timestamp,
    },
    /// The gateway has not answered; it is asked again.
    Unknown {
        /// When the wait began.
        since: Timestamp,
    },
    /// It came to nothing; the cart is kept.
    Failed(FailedScreen),
    /// The wait is over without an answer: the staff takes it from here.
    Unresolved {
        /// When this was said.
        since: Timestamp,
    },
}

/// The code to scan.
#[derive(Debug, Clone, Default)]
pub(super) struct UpiScreen {
    /// The code, once it was made.
    pub code: Option<PaymentCode>,
    /// It could not be made.
    pub failed: bool,
}

/// A payment that came to nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct FailedScreen {
    /// Why, where the order itself does not say.
    words: Option<String>,
    focus: usize,
}

/// What an order says about its payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The kitchen has it.
    Done,
    /// It ended without money.
    Failed,
    /// The gateway has not answered.
    Unknown,
    /// An attempt is open.
    Open,
    /// The stock is held, and nothing was tried.
    Held,
}

/// Reads an order's verdict.
pub(super) fn judge(order: &OrderView) -> Verdict {
    match order.status {
        Status::Pending => match open_attempt(order) {
            Some(attempt) if attempt.unknown => Verdict::Unknown,
            Some(_) => Verdict::Open,
            None => Verdict::Held,
        },
        Status::Cancelled | Status::Expired | Status::Rejected => Verdict::Failed,
        _ => Verdict::Done,
    }
}

/// The attempt that is open, if one is.
pub(super) fn open_attempt(order: &OrderView) -> Option<&AttemptView> {
    order.attempts.iter().find(|attempt| matches!(attempt.status, AttemptStatus::Created | AttemptStatus::Authorized))
}

/// Why an order came to nothing, in the customer's words.
fn failure(order: &OrderView, locale: &Locale) -> String {
    match (order.status, order.reason) {
        (Status::Expired, _) => locale.t("kiosk.failed_time"),
        (_, Some(EndReason::InsufficientStock)) => locale.t("kiosk.failed_stock"),
        (_, Some(EndReason::PaymentFailed)) => {
            let attempt = order.attempts.iter().rev().find(|attempt| attempt.status == AttemptStatus::Failed);
            decline(attempt.and_then(|attempt| attempt.reason.as_deref()).unwrap_or_default(), locale)
        }
        _ => locale.t("kiosk.failed_other"),
    }
}

/// A decline in the customer's words. Attempts keep the gateway's code or its English sentence, as the
/// gateway gives it; both are known by the same word.
fn decline(reason: &str, locale: &Locale) -> String {
    let reason = reason.to_lowercase();
    let says = |word: &str| reason.contains(word);
    if says("insufficient") {
        locale.t("kiosk.declined_funds")
    } else if says("expired") {
        locale.t("kiosk.declined_expired")
    } else if says("cvc") || says("security code") {
        locale.t("kiosk.declined_cvc")
    } else if says("processing") {
        locale.t("kiosk.declined_processing")
    } else if says("test") {
        locale.t("kiosk.declined_test")
    } else if says("upi") {
        locale.t("kiosk.declined_upi")
    } else {
        locale.t("kiosk.declined")
    }
}

impl PaymentScreen {
    pub fn on_input<M>(&mut self, input: &Input<M>, scene: &Scene<'_>, env: &Env<'_>) -> Step {
        let Some(order) = scene.order else { return Step::Nothing };
        match self {
            Self::Card(form) => form.on_input(input, order, env),
            Self::Failed(failed) => failed.on_input(input, order, env),
            Self::Upi(_) => match env.action(Context::Payment, input) {
                Some(Action::CancelOrder | Action::Back) => Step::Ask(Question::CancelOrder(order.id)),
                _ => Step::Nothing,
            },
            Self::Waiting { .. } | Self::Unknown { .. } => Step::Nothing,
            Self::Unresolved { since } => match env.action(Context::Payment, input) {
                Some(Action::Select | Action::Back) if env.now.seconds_since(*since) >= HOLDS_SECONDS => Step::Leave,
                _ => Step::Nothing,
            },
        }
    }

    pub fn draw(&self, frame: &mut Frame<'_>, scene: &Scene<'_>, ctx: &ViewCtx<'_>) {
        let Some(order) = scene.order else { return };
        let hints: &[Action] = match self {
            Self::Card(_) if order.hold_extended => &[Action::Select, Action::CancelOrder, Action::Help],
            Self::Card(_) => &[Action::Select, Action::ExtendHold, Action::CancelOrder, Action::Help],
            Self::Upi(_) => &[Action::CancelOrder, Action::Help],
            Self::Failed(_) => &[Action::Select, Action::Up, Action::Down, Action::Help],
            Self::Unresolved { .. } => &[Action::Select],
            Self::Waiting { .. } | Self::Unknown { .. } => &[],
        };
        let title = match self {
            Self::Card(_) => ctx.locale.t("kiosk.pay_by_card"),
            Self::Upi(_) => ctx.locale.t("kiosk.pay_by_phone"),
            Self::Failed(_) => ctx.locale.t("kiosk.not_paid"),
            _ => ctx.locale.t("kiosk.paying"),
        };
        let due = parts::money(order.due, order.currency);
        let body = parts::page(frame, scene, (&title, &due), (Context::Payment, hints), ctx);
        match self {
            Self::Card(form) => form.draw(frame, body, order, scene, ctx),
            Self::Upi(screen) => {
                let middle = body.centered_horizontally(Constraint::Length(84.min(body.width)));
                screen.draw(frame, middle, order, ctx);
            }
            Self::Failed(screen) => screen.draw(frame, body, order, ctx),
            Self::Waiting { since } => draw_wait(frame, body, *since, ("kiosk.waiting", "kiosk.waiting_more"), ctx),
            Self::Unknown { since } => draw_wait(frame, body, *since, ("kiosk.checking", "kiosk.checking_more"), ctx),
            Self::Unresolved { .. } => draw_unresolved(frame, body, order, ctx),
        }
    }
}

impl UpiScreen {
    fn draw(&self, frame: &mut Frame<'_>, area: Rect, order: &OrderView, ctx: &ViewCtx<'_>) {
        let size = self.code.as_ref().map(|code| {
            let width = code.rows.iter().map(|row| text::display_width(row)).max().unwrap_or_default();
            (u16::try_from(width).unwrap_or(u16::MAX), u16::try_from(code.rows.len()).unwrap_or(u16::MAX))
        });
        match (&self.code, size) {
            (Some(code), Some((width, height)))
                if height > 0
                    && height <= area.height
                    && width.saturating_add(22) <= area.width
                    && ctx.theme.can_draw_scan_codes() =>
            {
                let [picture, side] =
                    Layout::horizontal([Constraint::Length(width), Constraint::Fill(1)]).spacing(2).areas(area);
                let picture = picture.centered_vertically(Constraint::Length(height));
                let rows = code.rows.iter().map(|row| {
                    Line::styled(text::fit_to_width(&text::clean(row), usize::from(width)), ctx.style(Token::Scan))
                });
                frame.render_widget(Paragraph::new(rows.collect::<Vec<_>>()), picture);
                let side = side.centered_vertically(Constraint::Length(11.min(side.height)));
                self.draw_side(frame, side, order, None, ctx);
            }
            (Some(code), _) => self.draw_side(frame, area, order, Some(&code.text), ctx),
            _ => self.draw_side(frame, area, order, None, ctx),
        }
    }

    fn draw_side(
        &self,
        frame: &mut Frame<'_>,
        area: Rect,
        order: &OrderView,
        payload: Option<&str>,
        ctx: &ViewCtx<'_>,
    ) {
        let payload = payload.map(text::clean).unwrap_or_default();
        let payload_rows = text::wrap(&payload, usize::from(area.width).max(1)).len();
        let payload_rows = if payload.is_empty() { 0 } else { u16::try_from(payload_rows).unwrap_or(4).min(6) };
        let [_, head, amount, _, written, _, words, _, bar, _] = Layout::vertical([
            Constraint::Fill(1),
            Constraint::Length(2),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(payload_rows),
            Constraint::Length(u16::from(payload_rows > 0)),
            Constraint::Length(4),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Fill(1),
        ])
        .areas(area);
        let (title, token) = if self.failed {
            (ctx.locale.t("kiosk.no_code"), Token::Warning)
        } else if self.code.is_none() {
            (ctx.locale.t("kiosk.making_code"), Token::Muted)
        } else if payload_rows > 0 {
            (ctx.locale.t("kiosk.pay_to_address"), Token::Title)
        } else {
            (ctx.locale.t("kiosk.scan_code"), Token::Title)
        };
        parts::paragraph(frame, head, &title, ctx.style(token), false);
        let due = parts::money(order.due, order.currency);
        let price = ctx.style(Token::Price).add_modifier(Modifier::BOLD);
        frame.render_widget(Paragraph::new(Line::styled(due, price)), amount);
        parts::paragraph(frame, written, &payload, ctx.style(Token::Accent), false);
        if self.code.is_some() {
            parts::paragraph(frame, words, &ctx.locale.t("kiosk.scan_more"), ctx.style(Token::Muted), false);
        }
        draw_hold(frame, bar, order, ctx);
    }
}

/// The time for which the items are still held; nothing where they are held without a limit.
pub(super) fn draw_hold(frame: &mut Frame<'_>, area: Rect, order: &OrderView, ctx: &ViewCtx<'_>) {
    if let Some(until) = order.expires_at {
        countdown::draw(frame, area, until.seconds_since(ctx.now), until.seconds_since(order.created_at), ctx);
    }
}

impl FailedScreen {
    /// A failure in these words; `None`: the order says why.
    pub const fn because(words: Option<String>) -> Self {
        Self { words, focus: 0 }
    }

    fn on_input<M>(&mut self, input: &Input<M>, order: &OrderView, env: &Env<'_>) -> Step {
        if let Input::Click { hit, .. } = input
            && let Some(index) = parts::clicked(*hit, parts::BUTTONS)
        {
            self.focus = index;
            return self.select(order);
        }
        match env.action(Context::Payment, input) {
            Some(Action::Up | Action::Left | Action::PreviousPane) => {
                self.focus = self.focus.saturating_sub(1);
                Step::Drawn
            }
            Some(Action::Down | Action::Right | Action::NextPane) => {
                self.focus = self.focus.saturating_add(1).min(3);
                Step::Drawn
            }
            Some(Action::Select) => self.select(order),
            Some(Action::Back) => Step::Go(Stage::Cart),
            Some(Action::Digit(digit @ 1..=4)) => {
                self.focus = usize::from(digit).saturating_sub(1);
                self.select(order)
            }
            _ => Step::Nothing,
        }
    }

    fn select(&self, order: &OrderView) -> Step {
        match self.focus {
            0 => Step::Place(order.method, order.called_name.clone().unwrap_or_default()),
            1 => Step::Go(Stage::Checkout),
            2 => Step::Go(Stage::Cart),
            _ => Step::Ask(Question::Leave),
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, area: Rect, order: &OrderView, ctx: &ViewCtx<'_>) {
        let wide = area.centered_horizontally(Constraint::Length(56.min(area.width)));
        let other_rows = if area.height >= 16 { parts::BUTTON_ROWS } else { 1 };
        let [_, head, words, kept, _, first, second, third, fourth, _] = Layout::vertical([
            Constraint::Fill(1),
            Constraint::Length(1),
            Constraint::Length(2),
            Constraint::Length(1),
            Constraint::Length(u16::from(area.height > 17)),
            Constraint::Length(3),
            Constraint::Length(other_rows),
            Constraint::Length(other_rows),
            Constraint::Length(other_rows),
            Constraint::Fill(1),
        ])
        .areas(wide);
        let title = format!("✗ {}", ctx.locale.t("kiosk.not_paid_title"));
        frame.render_widget(Paragraph::new(Line::styled(title, ctx.style(Token::Danger))).centered(), head);
        let why = self.words.clone().unwrap_or_else(|| failure(order, ctx.locale));
        parts::paragraph(frame, words, &why, ctx.style(Token::Text), true);
        parts::paragraph(frame, kept, &ctx.locale.t("kiosk.cart_kept"), ctx.style(Token::Muted), true);
        let names = [
            ctx.locale.t("kiosk.try_again"),
            ctx.locale.t("kiosk.other_method"),
            ctx.locale.t("kiosk.change_order"),
            ctx.locale.t("kiosk.stop"),
        ];
        for (index, (words, place)) in names.into_iter().zip([first, second, third, fourth]).enumerate() {
            let words = format!("{}  {words}", index.saturating_add(1));
            let look = ButtonLook::of(self.focus == index, index == 0);
            parts::button(frame, place, &words, look, index, ctx);
        }
    }
}

fn draw_wait(frame: &mut Frame<'_>, area: Rect, since: Timestamp, keys: (&str, &str), ctx: &ViewCtx<'_>) {
    let wide = area.centered_horizontally(Constraint::Length(52.min(area.width)));
    let [_, dots, _, head, _, words, _] = Layout::vertical([
        Constraint::Fill(1),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(3),
        Constraint::Fill(1),
    ])
    .areas(wide);
    let step = ctx.now.seconds_since(since).rem_euclid(3);
    let row: Vec<Span<'_>> = (0..3)
        .flat_map(|at| {
            let (mark, token) = if at == step { ("●", Token::Accent) } else { ("○", Token::Border) };
            [Span::styled(mark, ctx.style(token)), Span::raw("  ")]
        })
        .collect();
    frame.render_widget(Paragraph::new(Line::from(row)).centered(), dots);
    frame.render_widget(Paragraph::new(Line::styled(ctx.locale.t(keys.0), ctx.style(Token::Title))).centered(), head);
    parts::paragraph(frame, words, &ctx.locale.t(keys.1), ctx.style(Token::Muted), true);
}

fn draw_unresolved(frame: &mut Frame<'_>, area: Rect, order: &OrderView, ctx: &ViewCtx<'_>) {
    let [_, head, number, _, words, _] = Layout::vertical([
        Constraint::Fill(1),
        Constraint::Length(2),
        Constraint::Length(9.min(area.height / 2)),
        Constraint::Length(1),
        Constraint::Length(4),
        Constraint::Fill(1),
    ])
    .areas(area);
    let title = ctx.locale.t("kiosk.your_number");
    frame.render_widget(Paragraph::new(Line::styled(title, ctx.style(Token::Title))).centered(), head);
    big_digits::draw(frame, number, &order.pickup_number, ctx.style(Token::Accent), Alignment::Center);
    parts::paragraph(frame, words, &ctx.locale.t("kiosk.ask_staff"), ctx.style(Token::Warning), true);
}

/// The step that pays an order by card.
pub(super) fn pay_by_card(order: &OrderView, card: super::effect::CardDetails) -> Step {
    let attempt = open_attempt(order).map(|attempt| attempt.id);
    Step::Change(KioskEffect::PayCard { order: order.id, attempt, card })
}
