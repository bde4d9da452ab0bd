//! How a visit takes the answers of the house. Stale answers (of another customer, or from before a
//! change) find nobody who waits for them and change nothing.

use super::card::CardForm;
use super::checkout::CheckoutScreen;
use super::done::DoneScreen;
use super::effect::{KioskEffect, KioskReply, PaymentCode};
use super::parts;
use super::payment::{self, FailedScreen, PaymentScreen, UpiScreen, Verdict};
use super::step::{Question, Stage};
use super::visit::{Out, PendingChange, Visit};
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::order::{EndReason, Status};
use crate::domain::payment::Method;
use crate::service::views::{MenuView, OrderView, Placed};
use crate::tui::app::{Env, RequestId};
use crate::tui::theme::Token;

impl Visit {
    /// Takes an answer; false where nobody waits for it.
    pub fn on_reply(
        &mut self,
        request: RequestId,
        reply: KioskReply,
        menu: &MenuView,
        env: &Env<'_>,
        out: &mut Out<'_>,
    ) -> bool {
        if self.cart_read.settle(request) {
            if let KioskReply::Cart(Ok(cart)) = reply {
                self.cart = Some(cart);
            }
            out.drawn = true;
            return true;
        }
        if self.order_read.settle(request) {
            if let KioskReply::Order(Ok(order)) = reply {
                self.take_order(order, env, out);
            }
            out.drawn = true;
            return true;
        }
        match self.pending.take() {
            Some(pending) if pending.request == request => {
                self.on_change(pending, reply, menu, env, out);
                out.drawn = true;
                true
            }
            other => {
                self.pending = other;
                false
            }
        }
    }

    /// Gives up the change that is under way: nothing is known about it.
    pub fn give_up_change(&mut self, env: &Env<'_>, out: &mut Out<'_>) {
        self.cart_read.give_up();
        self.order_read.give_up();
        if let Some(pending) = self.pending.take() {
            let refused = Refused::new(ErrorCode::StoreUnavailable, "no answer");
            self.refuse(pending, &refused, env, out);
        }
    }

    fn on_change(
        &mut self,
        pending: PendingChange,
        reply: KioskReply,
        menu: &MenuView,
        env: &Env<'_>,
        out: &mut Out<'_>,
    ) {
        match reply {
            KioskReply::Cart(Ok(cart)) => {
                self.cart = Some(cart);
                self.cart_changed(&pending.effect, menu, env);
            }
            KioskReply::Placed(Ok(placed)) => self.placed(*placed, env, out),
            KioskReply::Order(Ok(order)) => self.order_changed(&pending.effect, order, env, out),
            KioskReply::UpiCode(Ok(code)) => self.show_code(Some(code)),
            // Switched off between the last look and the press; the lines are kept, another way is asked for.
            KioskReply::Placed(Err(refused)) if refused.guard == Some("fulfilment_enabled") => {
                self.ask(Question::Way, menu, env);
                self.read_cart(out);
            }
            KioskReply::Cart(Err(refused))
            | KioskReply::Placed(Err(refused))
            | KioskReply::Order(Err(refused))
            | KioskReply::UpiCode(Err(refused))
            | KioskReply::Menu(Err(refused))
            | KioskReply::Guest(Err(refused))
            | KioskReply::ExitPin(Err(refused)) => self.refuse(pending, &refused, env, out),
            KioskReply::Menu(Ok(_)) | KioskReply::Guest(Ok(_)) | KioskReply::ExitPin(Ok(())) => {}
        }
    }

    fn cart_changed(&mut self, effect: &KioskEffect, menu: &MenuView, env: &Env<'_>) {
        match effect {
            KioskEffect::AddToCart { item, .. } => {
                let name = menu.items.iter().find(|known| known.id == *item).map(|item| item.name.clone());
                let words = env.locale.t_args("kiosk.added", &[("name", &name.unwrap_or_default())]);
                self.go(Stage::Menu);
                self.toast.show(words, Token::Success, env.now);
            }
            KioskEffect::SetPromotion { code: Some(_), .. } => {
                let Some(cart) = &self.cart else { return };
                let code = cart.promotion.as_ref().map(|promotion| promotion.code.clone()).unwrap_or_default();
                let amount = parts::money(cart.discount, menu.currency);
                let words = env.locale.t_args("kiosk.code_used", &[("code", &code), ("amount", &amount)]);
                self.toast.show(words, Token::Success, env.now);
            }
            // Chosen anew at the checkout, the customer stays there.
            KioskEffect::SetFulfilment { .. } if self.stage != Stage::Mode => {}
            KioskEffect::SetFulfilment { .. } | KioskEffect::ClearCart { .. } => self.go(Stage::Menu),
            KioskEffect::AcceptChanges { .. }
                if self.cart.as_ref().is_some_and(|cart| cart.changes.is_empty() && !cart.lines.is_empty()) =>
            {
                self.go(Stage::Checkout);
            }
            _ => {}
        }
    }

    fn placed(&mut self, placed: Placed, env: &Env<'_>, out: &mut Out<'_>) {
        let order = placed.order;
        self.ran_out = false;
        self.stage = Stage::Payment;
        self.toast.dismiss();
        self.payment = Some(match order.method {
            Method::Upi => PaymentScreen::Upi(UpiScreen::default()),
            Method::Card | Method::Cash => PaymentScreen::Card(CardForm::default()),
        });
        let attempt = placed.attempt.map(|attempt| attempt.id);
        let code = (order.method == Method::Upi && order.status == Status::Pending)
            .then_some(KioskEffect::PayUpi { order: order.id, attempt });
        self.order = None;
        // What is still being read is about the order before.
        self.order_read.give_up();
        self.take_order(Box::new(order), env, out);
        if let Some(effect) = code {
            self.change(effect, env, out);
        }
    }

    fn order_changed(&mut self, effect: &KioskEffect, order: Box<OrderView>, env: &Env<'_>, out: &mut Out<'_>) {
        if matches!(effect, KioskEffect::ExtendHold { .. }) {
            self.toast.show(env.locale.t("kiosk.held_longer"), Token::Success, env.now);
        }
        self.take_order(order, env, out);
    }

    fn show_code(&mut self, code: Option<PaymentCode>) {
        if let Some(PaymentScreen::Upi(screen)) = &mut self.payment {
            screen.failed = code.is_none();
            screen.code = code;
        }
    }

    /// Takes the order as it is now, and shows the screen that belongs to it.
    fn take_order(&mut self, order: Box<OrderView>, env: &Env<'_>, out: &mut Out<'_>) {
        let older = self.order.as_ref().is_some_and(|known| known.id == order.id && known.version > order.version);
        if older || !matches!(self.stage, Stage::Payment | Stage::Done) {
            return;
        }
        let verdict = payment::judge(&order);
        let by_customer = order.reason == Some(EndReason::Customer);
        let id = order.id;
        self.order = Some(order);
        if self.stage == Stage::Done {
            return;
        }
        if verdict == Verdict::Failed
            && self.pending.as_ref().is_some_and(|pending| !matches!(pending.effect, KioskEffect::Place { .. }))
        {
            // The order has ended, whatever was asked of it: its answer must not keep the next try waiting.
            self.pending = None;
        }
        match verdict {
            Verdict::Done => {
                self.stage = Stage::Done;
                self.payment = None;
                self.overlay = None;
                // The order has them now: while its number is shown nothing else is known of the customer.
                self.checkout = CheckoutScreen::default();
                self.toast.dismiss();
                self.done = Some(DoneScreen { since: env.now });
                self.asked = env.now;
            }
            Verdict::Failed if by_customer && !self.ran_out => {
                self.go(Stage::Checkout);
                self.overlay = None;
                self.toast.show(env.locale.t("kiosk.order_cancelled"), Token::Warning, env.now);
                self.read_cart(out);
            }
            Verdict::Failed => {
                let words = self.ran_out.then(|| env.locale.t("kiosk.failed_time"));
                self.fail(words, out);
                self.retry_of = Some(id);
            }
            Verdict::Unknown => match self.payment {
                Some(PaymentScreen::Waiting { since }) => self.payment = Some(PaymentScreen::Unknown { since }),
                // A code that can still be scanned stays, whether the gateway answers or not.
                Some(PaymentScreen::Upi(_) | PaymentScreen::Unknown { .. } | PaymentScreen::Unresolved { .. }) => {}
                _ => self.payment = Some(PaymentScreen::Unknown { since: env.now }),
            },
            Verdict::Held => match self.payment {
                Some(
                    PaymentScreen::Card(_)
                    | PaymentScreen::Upi(_)
                    | PaymentScreen::Failed(_)
                    | PaymentScreen::Unresolved { .. },
                ) => {}
                _ if self.pending.is_some() => {}
                _ => self.payment = Some(PaymentScreen::Card(CardForm::default())),
            },
            Verdict::Open => {}
        }
    }

    /// The payment came to nothing: says so, and reads the cart, which is open again.
    fn fail(&mut self, words: Option<String>, out: &mut Out<'_>) {
        if !matches!(self.payment, Some(PaymentScreen::Failed(_))) {
            self.payment = Some(PaymentScreen::Failed(FailedScreen::because(words)));
        }
        self.overlay = None;
        self.read_cart(out);
    }

    fn refuse(&mut self, pending: PendingChange, refused: &Refused, env: &Env<'_>, out: &mut Out<'_>) {
        let PendingChange { effect, key, since, .. } = pending;
        let unsure = parts::is_unsure(refused);
        let words = parts::refusal(refused, env.locale);
        match &effect {
            // Whether the gateway was asked is not known: the money decides, not the key.
            KioskEffect::PayCard { .. } if unsure => {
                self.payment = Some(PaymentScreen::Unknown { since });
                self.read_order(true, env.now, out);
                return;
            }
            KioskEffect::PayCard { .. } => {
                self.payment = Some(PaymentScreen::Card(CardForm::default()));
                self.read_order(false, env.now, out);
            }
            KioskEffect::PayUpi { .. } => self.show_code(None),
            KioskEffect::ExtendHold { .. } | KioskEffect::CancelOrder { .. } => {
                self.read_order(false, env.now, out);
            }
            KioskEffect::Place { .. }
                if !unsure
                    && (refused.code != ErrorCode::ValidationError || refused.guard == Some("promo_claimable")) =>
            {
                // What is wrong stands at the lines of the cart.
                self.go(Stage::Cart);
                self.read_cart(out);
            }
            _ if !unsure => self.read_cart(out),
            _ => {}
        }
        if unsure {
            self.unsure = Some((effect, key));
        }
        self.toast.show(words, Token::Danger, env.now);
    }
}
