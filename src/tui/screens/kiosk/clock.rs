//! What time does to a visit: the warning before the kiosk forgets an absent customer, the questions
//! about a payment that is under way, holds that run out, and screens that end by themselves.

use super::done;
use super::effect::{KioskEffect, KioskSettings};
use super::parts::{self, ButtonLook};
use super::payment::{self, PaymentScreen, WAIT_SECONDS};
use super::step::Stage;
use super::visit::{Out, Visit};
use crate::domain::time::Timestamp;
use crate::tui::app::{Env, ViewCtx};
use crate::tui::theme::Token;
use crate::tui::widgets::{countdown, panel};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};

/// Seconds between two questions about an open payment.
const POLL_SECONDS: i64 = 2;
/// Seconds after which a placed order is looked at again, should no change have been told.
const LOOK_SECONDS: i64 = 10;
/// Seconds for which "please ask the staff" stays.
const UNRESOLVED_SECONDS: i64 = 30;

impl Visit {
    /// Whether money may be on its way: then the kiosk stays with the customer, absent or not.
    pub fn is_paying(&self) -> bool {
        let pending = self.pending.as_ref().is_some_and(|pending| {
            matches!(
                pending.effect,
                KioskEffect::Place { .. } | KioskEffect::PayCard { .. } | KioskEffect::PayUpi { .. }
            )
        });
        let waiting = matches!(
            self.payment,
            Some(PaymentScreen::Upi(_) | PaymentScreen::Waiting { .. } | PaymentScreen::Unknown { .. })
        );
        let unresolved = matches!(self.payment, Some(PaymentScreen::Unresolved { .. }));
        let attempt = self.stage == Stage::Payment
            && !unresolved
            && self.order.as_deref().is_some_and(|order| payment::open_attempt(order).is_some());
        pending || waiting || attempt
    }

    /// A second has passed.
    pub fn on_tick(&mut self, settings: KioskSettings, env: &Env<'_>, out: &mut Out<'_>) {
        out.drawn |= self.toast.expire(env.now);
        // A clock that was set back must not keep anybody here.
        for mark in [&mut self.touched, &mut self.asked] {
            *mark = (*mark).min(env.now);
        }
        self.give_up_slow_change(env, out);
        match self.stage {
            Stage::Payment => self.payment_tick(env, out),
            Stage::Done => self.done_tick(env, out),
            _ => {}
        }
        if self.stage != Stage::Done && !out.leave {
            self.idle_tick(settings, env, out);
        }
    }

    fn give_up_slow_change(&mut self, env: &Env<'_>, out: &mut Out<'_>) {
        let slow = self.pending.as_ref().is_some_and(|pending| {
            // A payment has its own patience, and its own way out.
            !matches!(pending.effect, KioskEffect::PayCard { .. })
                && env.now.seconds_since(pending.since) >= WAIT_SECONDS
        });
        if slow {
            self.give_up_change(env, out);
            out.drawn = true;
        }
    }

    fn payment_tick(&mut self, env: &Env<'_>, out: &mut Out<'_>) {
        let now = env.now;
        let due = |asked: Timestamp, seconds: i64| now.seconds_since(asked) >= seconds;
        let expires = self.order.as_ref().and_then(|order| order.expires_at);
        match &self.payment {
            Some(PaymentScreen::Card(_)) => {
                out.drawn |= expires.is_some();
                if expires.is_some_and(|until| now >= until) && self.pending.is_none() && due(self.asked, LOOK_SECONDS)
                {
                    self.ran_out = true;
                    self.asked = now;
                    if let Some(order) = self.order.as_ref().map(|order| order.id) {
                        self.change(KioskEffect::CancelOrder { order }, env, out);
                    }
                }
            }
            Some(PaymentScreen::Upi(_)) => {
                out.drawn = true;
                if expires.is_some_and(|until| now >= until) {
                    self.payment = Some(PaymentScreen::Unknown { since: now });
                }
                if due(self.asked, POLL_SECONDS) && self.pending.is_none() {
                    self.read_order(true, now, out);
                }
            }
            Some(PaymentScreen::Waiting { since } | PaymentScreen::Unknown { since }) => {
                out.drawn = true;
                if due(*since, WAIT_SECONDS) {
                    self.pending = None;
                    self.payment = Some(PaymentScreen::Unresolved { since: now });
                } else if due(self.asked, POLL_SECONDS) && self.pending.is_none() {
                    self.read_order(true, now, out);
                }
            }
            Some(PaymentScreen::Unresolved { since }) => {
                if due(*since, UNRESOLVED_SECONDS) {
                    out.leave = true;
                } else if due(self.asked, LOOK_SECONDS) {
                    self.read_order(false, now, out);
                }
            }
            Some(PaymentScreen::Failed(_)) | None => {}
        }
    }

    fn done_tick(&mut self, env: &Env<'_>, out: &mut Out<'_>) {
        let Some(done) = self.done else { return };
        if env.now.seconds_since(done.since) >= done::STAYS_SECONDS {
            out.leave = true;
        } else if env.now.seconds_since(self.asked) >= LOOK_SECONDS {
            self.read_order(false, env.now, out);
        }
    }

    fn idle_tick(&mut self, settings: KioskSettings, env: &Env<'_>, out: &mut Out<'_>) {
        let at_ease = self.is_paying() || matches!(self.payment, Some(PaymentScreen::Unresolved { .. }));
        if at_ease || settings.idle_seconds <= 0 {
            if self.warned.take().is_some() {
                out.drawn = true;
            }
            if at_ease {
                // The wait was the house's, not the customer's.
                self.touched = env.now;
            }
            return;
        }
        match self.warned {
            Some(since) => {
                out.drawn = true;
                if env.now.seconds_since(since) >= settings.warning_seconds {
                    out.leave = true;
                }
            }
            None if env.now.seconds_since(self.touched) >= settings.idle_seconds => {
                self.warned = Some(env.now);
                out.drawn = true;
            }
            None => {}
        }
    }

    /// The call that gives back what an absent customer's order still holds.
    pub fn parting_call(&self) -> Option<KioskEffect> {
        let order = self.order.as_deref()?;
        let held = payment::judge(order) == payment::Verdict::Held;
        (self.stage == Stage::Payment && held && !self.is_paying())
            .then_some(KioskEffect::CancelOrder { order: order.id })
    }
}

/// Draws the warning over everything.
pub(super) fn draw_warning(frame: &mut Frame<'_>, since: Timestamp, settings: KioskSettings, ctx: &ViewCtx<'_>) {
    let area = frame.area();
    let inner = panel::overlay(frame, area, (50, 11), &ctx.locale.t("kiosk.still_there"), ctx);
    let [_, words, bar, _, button] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(2),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(parts::BUTTON_ROWS),
    ])
    .areas(inner);
    parts::paragraph(frame, words, &ctx.locale.t("kiosk.still_there_more"), ctx.style(Token::Text), true);
    let left = settings.warning_seconds.saturating_sub(ctx.now.seconds_since(since));
    countdown::draw(frame, bar, left, settings.warning_seconds, ctx);
    let place = button.centered_horizontally(Constraint::Length(30.min(button.width)));
    parts::button(frame, place, &ctx.locale.t("kiosk.i_am_here"), ButtonLook::Focused, 0, ctx);
}
