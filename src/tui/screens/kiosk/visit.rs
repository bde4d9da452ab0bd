//! One customer at the kiosk, from the first touch to the number: everything that is known about him.
//! Dropping a [`Visit`] is how the kiosk forgets him; nothing of him is kept anywhere else.
//!
//! Inputs go to the screen that is shown and come back as [`Step`]s, which are carried out here.
//! Answers of the house are taken in `answers`, what time does in `clock`.

use super::cart::{self, CartScreen};
use super::checkout::CheckoutScreen;
use super::done::DoneScreen;
use super::effect::{Guest, KioskCall, KioskEffect};
use super::item::ItemScreen;
use super::menu::MenuScreen;
use super::mode::{self, ModeScreen};
use super::overlay::{self, Overlay};
use super::parts;
use super::payment::PaymentScreen;
use super::step::{NoteOf, Question, Scene, Stage, Step};
use crate::domain::cart::{MAX_LINE_NOTE, MAX_NOTE};
use crate::domain::fulfilment::Fulfilment;
use crate::domain::ids::OrderId;
use crate::domain::menu::DietFilter;
use crate::domain::payment::Method;
use crate::domain::time::Timestamp;
use crate::service::views::{CartView, MenuView, OrderView};
use crate::tui::app::{Cmd, Env, Input, Latest, RequestId, Requests, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::theme::Token;
use crate::tui::widgets::dialog::{Answer, Dialog};
use crate::tui::widgets::input::TextInput;
use crate::tui::widgets::toast::Toast;
use ratatui::Frame;

/// Rows at the foot of a screen that a message never covers: a button and the hints.
const BELOW_TOAST: u16 = parts::BUTTON_ROWS + 1;

/// What follows from an input, gathered.
#[derive(Debug)]
pub(super) struct Out<'a> {
    /// Makes the ids of calls; outlives the visits, so that no answer is taken for another's.
    pub requests: &'a mut Requests,
    /// The commands so far.
    pub commands: Vec<Cmd<KioskCall>>,
    /// Something that is shown changed.
    pub drawn: bool,
    /// The visit is over.
    pub leave: bool,
}

impl<'a> Out<'a> {
    /// Nothing yet.
    pub const fn new(requests: &'a mut Requests) -> Self {
        Self { requests, commands: Vec::new(), drawn: false, leave: false }
    }

    /// Sends a call.
    pub fn call(&mut self, request: RequestId, guest: Option<Guest>, key: Option<String>, effect: KioskEffect) {
        self.commands.push(Cmd::Effect(KioskCall { request, guest, key, effect }));
    }
}

/// A change that the house has not answered yet. There is one at a time: a second press of the same
/// key while it runs does nothing.
#[derive(Debug, Clone)]
pub(super) struct PendingChange {
    pub request: RequestId,
    pub effect: KioskEffect,
    pub key: String,
    pub since: Timestamp,
}

/// One customer.
#[derive(Debug)]
pub(super) struct Visit {
    pub guest: Guest,
    pub stage: Stage,
    pub cart: Option<Box<CartView>>,
    pub order: Option<Box<OrderView>>,
    /// The reads that are under way; only the newest counts.
    pub cart_read: Latest<()>,
    pub order_read: Latest<()>,
    pub pending: Option<PendingChange>,
    /// A change of which it is not known whether it was made; asked again, it carries the same key.
    pub unsure: Option<(KioskEffect, String)>,
    /// The order that failed last: the next one is linked to it.
    pub retry_of: Option<OrderId>,
    /// The hold ran out while the customer was typing.
    pub ran_out: bool,
    keys: u64,
    mode: ModeScreen,
    menu_screen: MenuScreen,
    item: Option<ItemScreen>,
    cart_screen: CartScreen,
    pub checkout: CheckoutScreen,
    pub payment: Option<PaymentScreen>,
    pub done: Option<DoneScreen>,
    pub overlay: Option<Overlay>,
    pub toast: Toast,
    /// When the customer last touched anything.
    pub touched: Timestamp,
    /// The warning that the kiosk is about to forget him stands since then.
    pub warned: Option<Timestamp>,
    /// When the house was last asked about a payment or an order.
    pub asked: Timestamp,
    /// The store cannot be reached.
    pub away: bool,
}

impl Visit {
    /// A customer who has just come.
    pub fn new(guest: Guest, away: bool, now: Timestamp) -> Self {
        Self {
            guest,
            stage: Stage::Mode,
            cart: None,
            order: None,
            cart_read: Latest::default(),
            order_read: Latest::default(),
            pending: None,
            unsure: None,
            retry_of: None,
            ran_out: false,
            keys: 0,
            mode: ModeScreen::default(),
            menu_screen: MenuScreen::default(),
            item: None,
            cart_screen: CartScreen::default(),
            checkout: CheckoutScreen::default(),
            payment: None,
            done: None,
            overlay: None,
            toast: Toast::default(),
            touched: now,
            warned: None,
            asked: now,
            away,
        }
    }

    /// Begins: where there is only one way of getting the order, it is not asked about.
    pub fn begin(&mut self, menu: &MenuView, env: &Env<'_>, out: &mut Out<'_>) {
        if let [only] = mode::ways(menu).as_slice() {
            let effect = KioskEffect::SetFulfilment { cart: self.guest.cart, fulfilment: *only };
            self.change(effect, env, out);
        }
        out.drawn = true;
    }

    /// Where keys are looked up now.
    pub fn context(&self) -> Context {
        if let Some(overlay) = &self.overlay {
            return overlay.context();
        }
        self.screen_context()
    }

    /// Whether the order is to be brought to the customer.
    fn is_delivery(&self) -> bool {
        self.cart.as_ref().is_some_and(|cart| cart.fulfilment == Some(Fulfilment::Delivery))
    }

    fn screen_context(&self) -> Context {
        match self.stage {
            Stage::Mode => Context::Attract,
            Stage::Menu => self.menu_screen.context(),
            Stage::Item => Context::Item,
            Stage::Cart => Context::Cart,
            Stage::Checkout => self.checkout.context(self.is_delivery()),
            Stage::Payment => Context::Payment,
            Stage::Done => Context::OrderStatus,
        }
    }

    /// Takes a key, a click, a turn of the wheel or a paste.
    pub fn on_input<M>(&mut self, input: &Input<M>, menu: &MenuView, env: &Env<'_>, out: &mut Out<'_>) {
        self.touched = env.now;
        if self.warned.take().is_some() {
            // The press that says "I am here" says nothing else.
            out.drawn = true;
            return;
        }
        if self.overlay.is_some() {
            self.on_overlay(input, menu, env, out);
            return;
        }
        let help = self.screen_context();
        if env.action(help, input) == Some(Action::Help) {
            self.overlay = Some(Overlay::Help { context: help, skip: 0 });
            out.drawn = true;
            return;
        }
        let scene = Scene {
            menu,
            cart: self.cart.as_deref(),
            order: self.order.as_deref(),
            busy: self.pending.is_some(),
            away: self.away,
        };
        let cart = self.guest.cart;
        let step = match self.stage {
            Stage::Mode => self.mode.on_input(input, cart, &scene, env),
            Stage::Menu => self.menu_screen.on_input(input, &scene, env),
            Stage::Item => match &mut self.item {
                Some(item) => item.on_input(input, cart, &scene, env),
                None => Step::Go(Stage::Menu),
            },
            Stage::Cart => self.cart_screen.on_input(input, cart, &scene, env),
            Stage::Checkout => self.checkout.on_input(input, &scene, env),
            Stage::Payment => match &mut self.payment {
                Some(payment) => payment.on_input(input, &scene, env),
                None => Step::Go(Stage::Checkout),
            },
            Stage::Done => match self.done {
                Some(done) => done.on_input(input, env),
                None => Step::Leave,
            },
        };
        self.take(step, menu, env, out);
    }

    /// Carries a step out.
    pub fn take(&mut self, step: Step, menu: &MenuView, env: &Env<'_>, out: &mut Out<'_>) {
        out.drawn |= !matches!(step, Step::Nothing);
        match step {
            Step::Nothing | Step::Drawn => {}
            Step::Go(stage) => self.go(stage),
            Step::OpenItem(id) => {
                if let Some(item) = menu.items.iter().find(|item| item.id == id) {
                    self.item = Some(ItemScreen::new(item));
                    self.stage = Stage::Item;
                    self.toast.dismiss();
                }
            }
            Step::Change(effect) => self.change(effect, env, out),
            Step::Place(method, name) => self.place(method, name, menu, env, out),
            Step::Tell(words, token) => self.toast.show(words, token, env.now),
            Step::Ask(question) => self.ask(question, menu, env),
            Step::Leave => out.leave = true,
        }
    }

    /// Shows another screen.
    pub fn go(&mut self, stage: Stage) {
        // While an order is being made of the cart, the screens before it stay closed.
        if self.pending.as_ref().is_some_and(|pending| matches!(pending.effect, KioskEffect::Place { .. })) {
            return;
        }
        if stage == Stage::Cart && self.stage != Stage::Cart {
            self.cart_screen = CartScreen::entered(self.cart.as_deref());
        }
        if stage == Stage::Checkout && self.stage != Stage::Checkout {
            self.checkout.enter(self.is_delivery());
        }
        if stage != Stage::Payment && self.stage == Stage::Payment {
            self.payment = None;
            self.order = None;
        }
        if stage != Stage::Item {
            self.item = None;
        }
        if stage != self.stage {
            // A message is about the screen on which it was said.
            self.toast.dismiss();
        }
        self.stage = stage;
    }

    /// Asks the house for a change, one at a time.
    pub fn change(&mut self, effect: KioskEffect, env: &Env<'_>, out: &mut Out<'_>) {
        out.drawn = true;
        if self.pending.is_some() {
            return;
        }
        if self.away {
            self.toast.show(env.locale.t("kiosk.refused_away"), Token::Danger, env.now);
            return;
        }
        let key = match self.unsure.take() {
            Some((unsure, key)) if unsure == effect => key,
            _ => {
                self.keys = self.keys.saturating_add(1);
                format!("{}-{}", self.guest.visit, self.keys)
            }
        };
        if matches!(effect, KioskEffect::PayCard { .. }) {
            self.payment = Some(PaymentScreen::Waiting { since: env.now });
            self.asked = env.now;
        }
        let request = out.requests.next();
        // What is being read may be from before the change.
        self.cart_read.give_up();
        let remembered = effect.without_card();
        out.call(request, Some(self.guest), Some(key.clone()), effect);
        self.pending = Some(PendingChange { request, effect: remembered, key, since: env.now });
    }

    fn place(&mut self, method: Method, name: String, menu: &MenuView, env: &Env<'_>, out: &mut Out<'_>) {
        let Some(cart) = &self.cart else { return };
        if !cart.changes.is_empty() {
            // The menu changed while the checkout was open: nobody orders what he has not agreed to.
            return self.ask(Question::Changes, menu, env);
        }
        if mode::way_is_gone(cart, menu) {
            return self.ask(Question::Way, menu, env);
        }
        let address = self.checkout.address().filter(|_| self.is_delivery());
        let effect = KioskEffect::Place {
            cart: self.guest.cart,
            method,
            called_name: (!name.is_empty()).then_some(name),
            address,
            retry_of: self.retry_of,
            expected_total: cart.total.0,
            pay_now: method == Method::Upi,
        };
        self.change(effect, env, out);
    }

    /// Reads the cart again.
    pub fn read_cart(&mut self, out: &mut Out<'_>) {
        let request = self.cart_read.ask(out.requests);
        out.call(request, Some(self.guest), None, KioskEffect::LoadCart { cart: self.guest.cart });
    }

    /// Reads the order again; `poll` asks the gateway as well.
    pub fn read_order(&mut self, poll: bool, now: Timestamp, out: &mut Out<'_>) {
        let Some(order) = self.order.as_ref().map(|order| order.id) else { return };
        self.asked = now;
        let request = self.order_read.ask(out.requests);
        let effect = if poll { KioskEffect::PollPayment { order } } else { KioskEffect::LoadOrder { order } };
        out.call(request, Some(self.guest), None, effect);
    }

    /// Something in the store changed: reads again what is shown.
    pub fn refresh(&mut self, now: Timestamp, out: &mut Out<'_>) {
        match self.stage {
            Stage::Payment | Stage::Done => self.read_order(false, now, out),
            _ if self.cart.is_some() && self.pending.is_none() => self.read_cart(out),
            _ => {}
        }
    }

    /// The menu is another one now.
    pub fn on_menu(&mut self, menu: &MenuView, env: &Env<'_>) {
        if let Some(item) = &mut self.item
            && !item.keep_up(menu)
        {
            self.go(Stage::Menu);
            self.toast.show(env.locale.t("kiosk.item_gone"), Token::Warning, env.now);
        }
        let gone = self.cart.as_ref().is_some_and(|cart| mode::way_is_gone(cart, menu));
        if gone && self.stage == Stage::Checkout && self.overlay.is_none() && self.pending.is_none() {
            // Nobody types an address for nothing.
            self.ask(Question::Way, menu, env);
        }
    }

    /// Asks something over the screen.
    pub fn ask(&mut self, question: Question, menu: &MenuView, env: &Env<'_>) {
        let note = match question {
            Question::Note(NoteOf::Item) => self.item.as_ref().map(|item| item.note.clone()),
            Question::Note(NoteOf::Order) => self.cart.as_ref().map(|cart| cart.note.clone()),
            _ => None,
        };
        let question = match (question, note) {
            (Question::Code, _) if self.cart.as_ref().is_some_and(|cart| cart.promotion.is_some()) => {
                Question::CodeChoice
            }
            // A note that stands can be changed or taken away; a dialog takes no empty text.
            (Question::Note(of), Some(note)) if !note.is_empty() => Question::NoteChoice(of),
            (other, _) => other,
        };
        self.overlay = overlay::open(question, self.cart.as_deref(), menu, env);
    }

    fn ask_note(&mut self, of: NoteOf, env: &Env<'_>) {
        let (note, limit) = match of {
            NoteOf::Item => (self.item.as_ref().map(|item| item.note.clone()), MAX_LINE_NOTE),
            NoteOf::Order => (self.cart.as_ref().map(|cart| cart.note.clone()), MAX_NOTE),
        };
        let field = TextInput::new(limit).with_value(&note.unwrap_or_default());
        let dialog = Dialog::text(env.locale.t("kiosk.note"), env.locale.t("kiosk.note_question"), field);
        self.overlay = Some(Overlay::Dialog(Question::Note(of), dialog));
    }

    fn on_overlay<M>(&mut self, input: &Input<M>, menu: &MenuView, env: &Env<'_>, out: &mut Out<'_>) {
        out.drawn = true;
        let Some(overlay) = &mut self.overlay else { return };
        let Overlay::Dialog(question, dialog) = overlay else {
            if overlay.scroll_or_close(input, env) {
                self.overlay = None;
            }
            return;
        };
        let question = question.clone();
        match dialog.on_input(input, env) {
            Answer::Open => {}
            Answer::Cancelled => self.overlay = None,
            Answer::Text(text) => {
                self.overlay = None;
                match question {
                    Question::Note(of) => self.set_note(of, text, env, out),
                    Question::Code => {
                        let effect = KioskEffect::SetPromotion { cart: self.guest.cart, code: Some(text) };
                        self.change(effect, env, out);
                    }
                    _ => {}
                }
            }
            Answer::Chosen(index) => {
                self.overlay = None;
                self.chosen(question, index, menu, env, out);
            }
        }
    }

    fn set_note(&mut self, of: NoteOf, note: String, env: &Env<'_>, out: &mut Out<'_>) {
        match of {
            NoteOf::Item => {
                if let Some(item) = &mut self.item {
                    item.note = note;
                }
            }
            NoteOf::Order => self.change(KioskEffect::SetCartNote { cart: self.guest.cart, note }, env, out),
        }
    }

    fn chosen(&mut self, question: Question, index: usize, menu: &MenuView, env: &Env<'_>, out: &mut Out<'_>) {
        let cart = self.guest.cart;
        match (question, index) {
            (Question::Diet, index) => {
                self.menu_screen.set_filter(DietFilter::ALL.get(index).copied().unwrap_or_default());
            }
            (Question::NoteChoice(of), 0) => self.ask_note(of, env),
            (Question::NoteChoice(of), 1) => self.set_note(of, String::new(), env, out),
            (Question::CodeChoice, 0) => self.overlay = overlay::open(Question::Code, None, menu, env),
            (Question::CodeChoice, 1) => self.change(KioskEffect::SetPromotion { cart, code: None }, env, out),
            (Question::Line(id), index) => {
                let line = self.cart.as_ref().and_then(|cart| cart.lines.iter().find(|line| line.id == id));
                let step = match (line, index) {
                    (Some(line), 0) => cart::change_quantity(line, 1, cart, env),
                    (Some(line), 1) => cart::change_quantity(line, -1, cart, env),
                    (Some(line), 2) => Step::Change(KioskEffect::RemoveLine { cart, line: line.id }),
                    _ => Step::Drawn,
                };
                self.take(step, menu, env, out);
            }
            (Question::Clear, 0) => self.change(KioskEffect::ClearCart { cart }, env, out),
            (Question::Changes, 0) => self.change(KioskEffect::AcceptChanges { cart }, env, out),
            (Question::Way, index) => {
                let way = self.cart.as_ref().and_then(|cart| mode::other_ways(cart, menu).get(index).copied());
                if let Some(fulfilment) = way {
                    self.change(KioskEffect::SetFulfilment { cart, fulfilment }, env, out);
                }
            }
            (Question::Leave, 0) => out.leave = true,
            (Question::CancelOrder(order), 0) => self.change(KioskEffect::CancelOrder { order }, env, out),
            _ => {}
        }
    }

    /// Draws the screen, and what lies over it.
    pub fn draw(&self, frame: &mut Frame<'_>, menu: &MenuView, ctx: &ViewCtx<'_>) {
        let scene = Scene {
            menu,
            cart: self.cart.as_deref(),
            order: self.order.as_deref(),
            busy: self.pending.is_some(),
            away: self.away,
        };
        match self.stage {
            Stage::Mode => self.mode.draw(frame, &scene, ctx),
            Stage::Menu => self.menu_screen.draw(frame, &scene, ctx),
            Stage::Item => {
                if let Some(item) = &self.item {
                    item.draw(frame, &scene, ctx);
                }
            }
            Stage::Cart => self.cart_screen.draw(frame, &scene, ctx),
            Stage::Checkout => self.checkout.draw(frame, &scene, ctx),
            Stage::Payment => {
                if let Some(payment) = &self.payment {
                    payment.draw(frame, &scene, ctx);
                }
            }
            Stage::Done => {
                if let Some(done) = self.done {
                    done.draw(frame, &scene, ctx);
                }
            }
        }
        if let Some(overlay) = &self.overlay {
            overlay.draw(frame, &scene, ctx);
        }
        let mut above = frame.area();
        // The next step and the hints stay readable under a message.
        above.height = above.height.saturating_sub(BELOW_TOAST);
        self.toast.draw(frame, above, ctx);
    }
}
