//! The kiosk: a customer orders, pays and gets a number, by himself.
//!
//! [`KioskApp`] is a pure state machine: inputs go in, [`KioskCall`]s come out, and the handler's
//! answers come back as [`KioskMsg`]s. What is known about a customer is a `Visit`; dropping it is how
//! the kiosk forgets him. One file per screen; what they share in drawing stands in `parts`, what they
//! answer in `step`. Nothing here prices, counts stock or decides what an order may do: the views say.
//!
//! To begin, the caller posts `Input::StoreChanged` once: the kiosk then reads the menu.

mod answers;
mod attract;
mod card;
mod cart;
mod checkout;
mod clock;
mod done;
pub mod effect;
mod exit;
mod item;
mod menu;
mod mode;
mod overlay;
mod parts;
mod payment;
mod step;
mod visit;

pub use effect::{
    CardDetails, Guest, KioskCall, KioskEffect, KioskMsg, KioskReply, KioskSettings, PaymentCode, Secret,
};

/// Words and marks of dishes, for the screens of those who keep the menu.
pub(in crate::tui::screens) use parts::{allergen_name, diet_mark, diet_name, heat_name};

use crate::service::views::MenuView;
use crate::tui::app::{App, Cmd, Env, Input, Latest, Pending, Requests, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::theme::Token;
use crate::tui::widgets::toast::Toast;
use attract::Attract;
use exit::{ExitDialog, ExitStep};
use ratatui::Frame;
use std::time::Duration;
use visit::{Out, Visit};

/// The kiosk.
#[derive(Debug)]
pub struct KioskApp {
    settings: KioskSettings,
    requests: Requests,
    menu: Option<Box<MenuView>>,
    menu_read: Latest<()>,
    /// A guest is being made; a second press does not make another.
    starting: Pending,
    visit: Option<Visit>,
    exit: Option<ExitDialog>,
    /// A message on the attract screen; never about a customer.
    toast: Toast,
    away: bool,
}

impl KioskApp {
    /// A kiosk that has read nothing yet.
    #[must_use]
    pub fn new(settings: KioskSettings) -> Self {
        Self {
            settings,
            requests: Requests::default(),
            menu: None,
            menu_read: Latest::default(),
            starting: Pending::default(),
            visit: None,
            exit: None,
            toast: Toast::default(),
            away: false,
        }
    }

    /// Whether a customer is being served.
    #[must_use]
    pub const fn is_serving(&self) -> bool {
        self.visit.is_some()
    }

    const fn attract(&self) -> Attract<'_> {
        let menu = match &self.menu {
            Some(menu) => Some(&**menu),
            None => None,
        };
        Attract { menu, away: self.away, busy: self.starting.is_open() }
    }

    /// Whether an input asks for the staff's way out; it does so from every screen.
    fn asks_exit(&self, input: &Input<KioskMsg>, env: &Env<'_>) -> bool {
        match input {
            Input::Key(press) => [Context::Attract, self.context()]
                .into_iter()
                .any(|context| env.keymap.resolve(context, *press) == Some(Action::StaffExit)),
            _ => env.action(Context::Attract, input) == Some(Action::StaffExit),
        }
    }

    fn on_person(&mut self, input: &Input<KioskMsg>, env: &Env<'_>, commands: &mut Vec<Cmd<KioskCall>>) -> bool {
        if self.exit.is_none() && self.asks_exit(input, env) {
            self.exit = Some(ExitDialog::new(env));
            return true;
        }
        if let Some(exit) = &mut self.exit {
            if let Some(visit) = &mut self.visit {
                visit.touched = env.now;
            }
            match exit.on_input(input, env) {
                ExitStep::Open => {}
                ExitStep::Closed => self.exit = None,
                ExitStep::Check(pin) => {
                    if let Some(request) = exit.pending.start(&mut self.requests) {
                        let effect = KioskEffect::CheckExitPin { pin };
                        commands.push(Cmd::Effect(KioskCall { request, guest: None, key: None, effect }));
                    }
                }
            }
            return true;
        }
        if self.visit.is_some() {
            return self.with_visit(commands, |visit, menu, _, out| visit.on_input(input, menu, env, out));
        }
        self.on_attract(input, env, commands)
    }

    fn on_attract(&mut self, input: &Input<KioskMsg>, env: &Env<'_>, commands: &mut Vec<Cmd<KioskCall>>) -> bool {
        if env.action(Context::Attract, input) != Some(Action::Select) || !self.attract().is_inviting() {
            return false;
        }
        if let Some(request) = self.starting.start(&mut self.requests) {
            let effect = KioskEffect::StartGuest;
            commands.push(Cmd::Effect(KioskCall { request, guest: None, key: None, effect }));
        }
        true
    }

    /// Lets the visit do something, and ends it where that is what follows. Whether anything that is
    /// shown changed.
    fn with_visit(
        &mut self,
        commands: &mut Vec<Cmd<KioskCall>>,
        act: impl FnOnce(&mut Visit, &MenuView, KioskSettings, &mut Out<'_>),
    ) -> bool {
        let (Some(visit), Some(menu)) = (&mut self.visit, &self.menu) else { return false };
        let mut out = Out::new(&mut self.requests);
        act(visit, menu, self.settings, &mut out);
        let Out { commands: made, drawn, leave, .. } = out;
        commands.extend(made);
        if leave {
            self.reset(commands);
        }
        drawn || leave
    }

    /// Forgets the customer: his visit is dropped whole, and the terminal is wiped.
    fn reset(&mut self, commands: &mut Vec<Cmd<KioskCall>>) {
        if let Some(visit) = self.visit.take()
            && let Some(effect) = visit.parting_call()
        {
            // Nobody waits for the answer: the visit's key makes it safe to be said twice.
            let key = format!("{}-end", visit.guest.visit);
            let request = self.requests.next();
            commands.push(Cmd::Effect(KioskCall { request, guest: Some(visit.guest), key: Some(key), effect }));
        }
        commands.push(Cmd::Redraw);
        // What changed meanwhile is read before the next customer comes.
        commands.push(self.load_menu());
    }

    fn load_menu(&mut self) -> Cmd<KioskCall> {
        let request = self.menu_read.ask(&mut self.requests);
        Cmd::Effect(KioskCall { request, guest: None, key: None, effect: KioskEffect::LoadMenu })
    }

    fn on_message(&mut self, message: KioskMsg, env: &Env<'_>, commands: &mut Vec<Cmd<KioskCall>>) -> bool {
        let KioskMsg { request, reply } = message;
        match reply {
            KioskReply::Menu(answer) => {
                if !self.menu_read.settle(request) {
                    return false;
                }
                if let Ok(menu) = answer {
                    self.settings = KioskSettings::from(&*menu);
                    self.menu = Some(menu);
                    self.with_visit(commands, |visit, menu, _, _| visit.on_menu(menu, env));
                }
                true
            }
            KioskReply::Guest(answer) => {
                if !self.starting.finish(request) {
                    return false;
                }
                match answer {
                    Ok(guest) => {
                        self.toast.dismiss();
                        self.visit = Some(Visit::new(guest, self.away, env.now));
                        self.with_visit(commands, |visit, menu, _, out| visit.begin(menu, env, out));
                    }
                    Err(refused) => {
                        self.toast.show(parts::refusal(&refused, env.locale), Token::Danger, env.now);
                    }
                }
                true
            }
            KioskReply::ExitPin(answer) => {
                let Some(exit) = &mut self.exit else { return false };
                match answer {
                    Ok(()) if exit.pending.finish(request) => {
                        self.exit = None;
                        self.visit = None;
                        commands.extend([Cmd::Redraw, Cmd::Quit(0)]);
                        true
                    }
                    Ok(()) => false,
                    Err(refused) => exit.refuse(request, &refused, env),
                }
            }
            reply => self.with_visit(commands, |visit, menu, _, out| {
                visit.on_reply(request, reply, menu, env, out);
            }),
        }
    }

    fn on_tick(&mut self, env: &Env<'_>, commands: &mut Vec<Cmd<KioskCall>>) -> bool {
        let mut drawn = self.toast.expire(env.now);
        if self.exit.as_mut().is_some_and(|exit| exit.is_over(env.now)) {
            self.exit = None;
            drawn = true;
        }
        drawn |= self.with_visit(commands, |visit, _, settings, out| visit.on_tick(settings, env, out));
        drawn
    }
}

impl App for KioskApp {
    type Msg = KioskMsg;
    type Effect = KioskCall;

    fn update(&mut self, input: Input<KioskMsg>, env: &Env<'_>) -> Vec<Cmd<KioskCall>> {
        let mut commands = Vec::new();
        let drawn = match input {
            Input::Key(_) | Input::Click { .. } | Input::Scroll { .. } | Input::Paste(_) => {
                self.on_person(&input, env, &mut commands)
            }
            Input::Msg(message) => self.on_message(message, env, &mut commands),
            Input::Tick => self.on_tick(env, &mut commands),
            Input::StoreChanged => {
                commands.push(self.load_menu());
                self.with_visit(&mut commands, |visit, _, _, out| visit.refresh(env.now, out))
            }
            Input::StoreAway(away) => {
                self.away = away;
                if let Some(visit) = &mut self.visit {
                    visit.away = away;
                }
                if !away {
                    commands.push(self.load_menu());
                    self.with_visit(&mut commands, |visit, _, _, out| visit.refresh(env.now, out));
                }
                true
            }
            Input::EffectFailed => {
                self.menu_read.give_up();
                self.starting.give_up();
                if let Some(exit) = &mut self.exit {
                    exit.pending.give_up();
                }
                self.with_visit(&mut commands, |visit, _, _, out| visit.give_up_change(env, out));
                self.toast.show(env.locale.t("kiosk.refused_other"), Token::Danger, env.now);
                true
            }
            Input::Resize(_) => true,
            Input::FocusGained | Input::FocusLost => false,
        };
        if !drawn {
            commands.push(Cmd::Unchanged);
        }
        commands
    }

    fn view(&self, frame: &mut Frame<'_>, ctx: &ViewCtx<'_>) {
        match (&self.visit, &self.menu) {
            (Some(visit), Some(menu)) => {
                visit.draw(frame, menu, ctx);
                if let Some(since) = visit.warned {
                    clock::draw_warning(frame, since, self.settings, ctx);
                }
            }
            _ => {
                self.attract().draw(frame, ctx);
                self.toast.draw(frame, frame.area(), ctx);
            }
        }
        if let Some(exit) = &self.exit {
            exit.draw(frame, ctx);
        }
    }

    /// Once a second while a customer is here or something goes away by itself; else never.
    fn tick(&self) -> Option<Duration> {
        let moving = self.visit.is_some() || self.exit.is_some() || self.toast.is_shown();
        moving.then_some(Duration::from_secs(1))
    }

    fn context(&self) -> Context {
        match (&self.exit, &self.visit) {
            (Some(_), _) => Context::TextInput,
            (None, Some(visit)) => visit.context(),
            (None, None) => Context::Attract,
        }
    }
}
