//! The kitchen's board: tickets as cards, moved on by single keys. State, and what inputs and answers
//! do to it; keys are in `keys`, questions over the board in `overlay`, drawing in `view` and `card`.
//!
//! The board belongs to the kitchen, not to a person: it works as a registered terminal, asks for a
//! person only where money or food is thrown away, and never hides a ticket because somebody was
//! signed out. Start it with one [`Input::StoreChanged`]; that makes it load.

mod acts;
mod card;
mod cash;
mod heights;
mod keys;
mod layout;
mod message;
mod overlay;
mod ticket;
mod view;
mod voiding;

pub use crate::tui::screens::person::{DemoAccount, Person, PersonPin, Secret};
pub use message::{Act, Effect, Msg, Outcome, Step, Undoing};

use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::{OrderId, StationId};
use crate::domain::order::Status;
use crate::domain::time::Timestamp;
use crate::service::views::{AllDayView, KitchenView, TicketView};
use crate::tui::app::{App, Cmd, Env, Hit, Input, Latest, RequestId, Requests, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::refusal;
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::list::ListState;
use crate::tui::widgets::toast::Toast;
use acts::Acts;
use heights::Heights;
use overlay::Overlay;
use ratatui::Frame;
use std::collections::BTreeSet;
use std::time::Duration;
use ticket::Age;

/// Seconds for which the last step can be taken back.
pub const UNDO_SECONDS: i64 = 5;
/// Seconds for which new tickets are announced.
const FLASH_SECONDS: i64 = 3;
/// How many people the board remembers for signing in by PIN.
const KNOWN_LIMIT: usize = 8;

/// How a board is set up.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What idempotency keys begin with. It must be unlike that of every other run of a board: make
    /// it from a new id.
    pub key_prefix: String,
    /// The accounts that the sign-in form of the demo store shows. Never shown elsewhere.
    pub demo_accounts: Vec<DemoAccount>,
    /// The station whose work is shown first; all where there is none.
    pub station: Option<StationId>,
}

/// The last step, while it can be taken back.
#[derive(Debug, Clone)]
struct UndoOffer {
    order: OrderId,
    number: String,
    what: Undoing,
    until: Timestamp,
}

/// What a person was asked for: it is done once they have signed in.
#[derive(Debug, Clone, Copy)]
struct Wish {
    action: Action,
    order: OrderId,
}

/// The kitchen's board.
#[derive(Debug)]
pub struct Kitchen {
    options: Options,
    requests: Requests,
    view: Latest<KitchenView>,
    heights: Heights,
    /// When the view came, by the clock of this screen.
    loaded_at: Timestamp,
    /// Something changed while a view was on its way.
    stale: bool,
    /// Why the tickets could not be read.
    problem: Option<String>,
    all_day: Latest<Vec<AllDayView>>,
    counts: Option<ListState>,
    station: Option<StationId>,
    expo: bool,
    selected: Option<OrderId>,
    /// The place of the selection in the list, for when its ticket goes away.
    place: usize,
    /// Pages after the one on which the selected ticket begins.
    part: usize,
    /// The ticket whose own step takes it out of the work: the selection does not follow it.
    leaving: Option<OrderId>,
    acts: Acts,
    undo: Option<UndoOffer>,
    overlay: Option<Overlay>,
    person: Option<Person>,
    known: Vec<String>,
    wish: Option<Wish>,
    seen: Option<BTreeSet<OrderId>>,
    flash: Option<(Vec<String>, Timestamp)>,
    /// The tickets that were late at some time: the bell rings once for each.
    late: Option<BTreeSet<OrderId>>,
    muted: bool,
    away: bool,
    /// When somebody last touched the board.
    last_key: Timestamp,
    toast: Toast,
    /// The ticket of which the toast says that its last step is still being saved.
    told_busy: Option<OrderId>,
}

impl Kitchen {
    /// A board that has loaded nothing yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let acts = Acts::new(options.key_prefix.clone());
        let station = options.station;
        Self {
            options,
            requests: Requests::default(),
            view: Latest::default(),
            heights: Heights::default(),
            loaded_at: Timestamp::default(),
            stale: false,
            problem: None,
            all_day: Latest::default(),
            counts: None,
            station,
            expo: false,
            selected: None,
            place: 0,
            part: 0,
            leaving: None,
            acts,
            undo: None,
            overlay: None,
            person: None,
            known: Vec::new(),
            wish: None,
            seen: None,
            flash: None,
            late: None,
            muted: false,
            away: false,
            last_key: Timestamp::default(),
            toast: Toast::default(),
            told_busy: None,
        }
    }

    /// The order whose card is selected.
    #[must_use]
    pub const fn selected(&self) -> Option<OrderId> {
        self.selected
    }

    /// Who is signed in.
    #[must_use]
    pub const fn person(&self) -> Option<&Person> {
        self.person.as_ref()
    }

    /// The instant by the store's clock: that of the view, and the time since it came.
    fn store_now(&self, now: Timestamp) -> Timestamp {
        let seen = self.view.get().map_or(now, |view| view.now);
        Timestamp(seen.0.saturating_add(now.0.saturating_sub(self.loaded_at.0).max(0)))
    }

    fn shown(&self) -> Vec<&TicketView> {
        self.view.get().map(|view| ticket::shown(view, self.station)).unwrap_or_default()
    }

    fn ticket(&self, order: OrderId) -> Option<&TicketView> {
        let view = self.view.get()?;
        view.tickets.iter().chain(&view.recallable).find(|ticket| ticket.order == order)
    }

    fn number(&self, order: OrderId) -> String {
        self.ticket(order).map(|ticket| text::clean(&ticket.pickup_number)).unwrap_or_default()
    }

    fn say(&mut self, words: impl Into<String>, token: Token, env: &Env<'_>) {
        self.told_busy = None;
        self.toast.show(words, token, env.now);
    }

    /// Says why something is refused, and what can be done.
    fn refuse(&mut self, refused: &Refused, env: &Env<'_>) {
        self.say(refusal::sentence(refused, env.locale), Token::Danger, env);
    }

    /// Asks for the tickets, once at a time: a busy store must not outrun the answers.
    fn reload(&mut self) -> Vec<Cmd<Effect>> {
        if self.view.is_waiting() {
            self.stale = true;
            return Vec::new();
        }
        let request = self.view.ask(&mut self.requests);
        vec![Cmd::Effect(Effect::LoadKitchen { request })]
    }

    fn load_counts(&mut self) -> Vec<Cmd<Effect>> {
        if self.all_day.is_waiting() {
            return Vec::new();
        }
        let request = self.all_day.ask(&mut self.requests);
        vec![Cmd::Effect(Effect::LoadAllDay { request })]
    }

    fn on_message(&mut self, message: Msg, env: &Env<'_>) -> Vec<Cmd<Effect>> {
        match message {
            Msg::Kitchen { request, result } => self.on_tickets(request, result, env),
            Msg::AllDay { request, result } => {
                match result {
                    Ok(counts) => {
                        self.all_day.answer(request, counts);
                    }
                    Err(refused) => {
                        if self.all_day.settle(request) {
                            self.refuse(&refused, env);
                        }
                    }
                }
                Vec::new()
            }
            Msg::Acted { key, result } => self.on_acted(&key, result, env),
            Msg::TillOpened(result) => self.on_till(result.err(), env),
            Msg::WhyNot { order, result } => {
                let number = self.number(order);
                match result {
                    Ok(None) => {
                        let words = env.locale.t_args("kitchen.why_nothing", &[("number", &number)]);
                        self.say(words, Token::Success, env);
                    }
                    Ok(Some(refused)) | Err(refused) => self.refuse(&refused, env),
                }
                Vec::new()
            }
            Msg::SignedIn(Ok(person)) => self.on_signed_in(person, env),
            Msg::SignedIn(Err(refused)) => {
                let words = refusal::sentence(&refused, env.locale);
                match &mut self.overlay {
                    Some(Overlay::SignIn(form)) => form.refuse(words),
                    _ => self.say(words, Token::Danger, env),
                }
                Vec::new()
            }
            Msg::SignedOut(Ok(())) => self.on_signed_out("kitchen.signed_out", env),
            Msg::SignedOut(Err(refused)) => {
                self.refuse(&refused, env);
                Vec::new()
            }
        }
    }

    /// Takes the tickets: keeps the selection on its order, and announces what was not there before.
    fn on_tickets(
        &mut self,
        request: RequestId,
        result: Result<KitchenView, Refused>,
        env: &Env<'_>,
    ) -> Vec<Cmd<Effect>> {
        let view = match result {
            Ok(view) => view,
            Err(refused) => {
                if self.view.settle(request) {
                    self.problem = Some(refusal::sentence(&refused, env.locale));
                    self.stale = false;
                    self.acts.settle();
                }
                return Vec::new();
            }
        };
        if !self.view.answer(request, view) {
            return vec![Cmd::Unchanged];
        }
        self.problem = None;
        self.loaded_at = env.now;
        if let Some(view) = self.view.get() {
            self.heights.keep(view);
            // A station that went out of use hides nothing: every ticket is shown.
            self.station = self.station.filter(|wanted| view.stations.iter().any(|station| station.id == *wanted));
        }
        let mut commands = Vec::new();
        if std::mem::take(&mut self.stale) {
            commands.extend(self.reload());
        } else {
            self.acts.settle();
        }
        self.keep_selection();
        self.announce(env, &mut commands);
        if self.told_busy.take_if(|order| !self.acts.is_busy(*order)).is_some() {
            self.toast.dismiss();
        }
        if self.undo.as_ref().is_some_and(|undo| self.ticket(undo.order).is_none()) {
            self.undo = None;
        }
        if let Some(order) =
            self.overlay.as_ref().and_then(Overlay::order).filter(|order| self.ticket(*order).is_none())
        {
            self.overlay = None;
            self.wish = self.wish.filter(|wish| wish.order != order);
            self.say(env.locale.t("kitchen.gone"), Token::Warning, env);
        }
        if self.counts.is_some() {
            commands.extend(self.load_counts());
        }
        commands
    }

    /// Keeps the selection on its order where it is still shown; else on what took its place.
    fn keep_selection(&mut self) {
        let leaving = self.leaving.take();
        let shown: Vec<(OrderId, bool)> =
            self.shown().iter().map(|ticket| (ticket.order, ticket.status == Status::Ready)).collect();
        let at = self.selected.and_then(|order| shown.iter().position(|(each, _)| *each == order));
        let work = shown.iter().filter(|(_, ready)| !ready).count();
        let left_work = at.and_then(|at| shown.get(at)).is_some_and(|(order, ready)| *ready && leaving == Some(*order));
        let at = match at {
            Some(at) if !(left_work && work > 0) => at,
            Some(_) => self.place.min(work.saturating_sub(1)),
            None => self.place.min(shown.len().saturating_sub(1)),
        };
        let order = shown.get(at).map(|(order, _)| *order);
        if order != self.selected {
            self.part = 0;
        }
        (self.selected, self.place) = (order, at);
    }

    /// Rings once for everything that a cook has to look up for.
    fn announce(&mut self, env: &Env<'_>, commands: &mut Vec<Cmd<Effect>>) {
        let (new, late) = (self.has_new(env), self.has_late(env));
        if (new || late) && !self.muted {
            commands.push(Cmd::Bell);
        }
    }

    /// Whether tickets have turned late that were not before. What is late when the board starts, or
    /// turns so while it stands at another station, is nobody's surprise later.
    fn has_late(&mut self, env: &Env<'_>) -> bool {
        let now = self.store_now(env.now);
        let Some(view) = self.view.get() else { return false };
        let is_late =
            |ticket: &&TicketView| ticket.status != Status::Ready && ticket::age(ticket, view, now) == Age::Red;
        let news = match &self.late {
            None => false,
            Some(known) => view
                .tickets
                .iter()
                .filter(is_late)
                .any(|ticket| !known.contains(&ticket.order) && ticket::is_shown(ticket, self.station)),
        };
        let known = |ticket: &&TicketView| self.late.as_ref().is_some_and(|late| late.contains(&ticket.order));
        let late = view.tickets.iter().filter(|ticket| is_late(ticket) || known(ticket));
        self.late = Some(late.map(|ticket| ticket.order).collect());
        news
    }

    /// Whether tickets have come; they are announced on the board.
    fn has_new(&mut self, env: &Env<'_>) -> bool {
        let Some(view) = self.view.get() else { return false };
        let orders: BTreeSet<OrderId> = view.tickets.iter().map(|ticket| ticket.order).collect();
        let fresh: Vec<String> = match &self.seen {
            None => Vec::new(),
            Some(seen) => {
                let new = |ticket: &&TicketView| {
                    !seen.contains(&ticket.order)
                        && ticket.status != Status::Ready
                        && ticket::is_shown(ticket, self.station)
                };
                view.tickets.iter().filter(new).map(|ticket| announced(ticket, view, env)).collect()
            }
        };
        self.seen = Some(orders);
        let news = !fresh.is_empty();
        if news {
            self.flash = Some((fresh, env.now.plus_seconds(FLASH_SECONDS)));
        }
        news
    }

    fn on_acted(&mut self, key: &str, result: Result<Outcome, Refused>, env: &Env<'_>) -> Vec<Cmd<Effect>> {
        let Some(asked) = self.acts.finish(key) else { return vec![Cmd::Unchanged] };
        let number = self.number(asked.order);
        match result {
            Ok(outcome) => self.on_done(&asked, outcome, &number, env),
            Err(refused) => match refused.code {
                ErrorCode::Conflict => {
                    let words = env.locale.t_args("kitchen.conflict", &[("number", &number)]);
                    self.say(words, Token::Warning, env);
                }
                ErrorCode::StoreUnavailable | ErrorCode::InternalError => {
                    self.acts.lose(asked);
                    self.refuse(&refused, env);
                }
                ErrorCode::TokenExpired | ErrorCode::InvalidToken => {
                    self.person = None;
                    self.refuse(&refused, env);
                }
                _ => self.refuse(&refused, env),
            },
        }
        self.reload()
    }

    fn on_done(&mut self, asked: &acts::Asked, outcome: Outcome, number: &str, env: &Env<'_>) {
        let order = asked.order;
        let until = env.now.plus_seconds(UNDO_SECONDS);
        match outcome {
            Outcome::Bumped { step: Step::Started, .. } => {}
            Outcome::Bumped { step, lines } => {
                let what = if step == Step::Ready { Undoing::MarkedReady(lines) } else { Undoing::ItemsDone(lines) };
                self.undo = Some(UndoOffer { order, number: number.to_owned(), what, until });
                self.leaving = Some(order);
            }
            Outcome::CashTaken { change } => {
                self.overlay = Some(Overlay::Change { number: number.to_owned(), change });
            }
            Outcome::Done => match &asked.act {
                Act::Undo { .. } | Act::Recall => self.selected = Some(order),
                Act::ForceReady { .. } => self.leaving = Some(order),
                Act::Note { .. } | Act::SetPriority { .. } | Act::Hold { .. } | Act::Release | Act::Accept { .. } => {}
                _ => {
                    let words = env.locale.t_args("kitchen.done", &[("number", &number)]);
                    self.say(words, Token::Success, env);
                }
            },
        }
    }

    fn on_signed_in(&mut self, person: Person, env: &Env<'_>) -> Vec<Cmd<Effect>> {
        self.known.retain(|known| *known != person.username);
        self.known.insert(0, person.username.clone());
        self.known.truncate(KNOWN_LIMIT);
        let words = env.locale.t_args("kitchen.signed_in", &[("name", &person.name)]);
        self.say(words, Token::Success, env);
        self.person = Some(person);
        self.last_key = env.now;
        if matches!(self.overlay, Some(Overlay::SignIn(_))) {
            self.overlay = None;
        }
        match self.wish.take() {
            Some(wish) if self.overlay.is_none() => self.on_order(wish.action, wish.order, env),
            _ => Vec::new(),
        }
    }

    /// Nobody is signed in any more. The tickets stay, and so does the alarm.
    fn on_signed_out(&mut self, words: &str, env: &Env<'_>) -> Vec<Cmd<Effect>> {
        let was = self.person.take();
        self.wish = None;
        if self.overlay.as_ref().is_some_and(Overlay::needs_person) {
            self.overlay = None;
        }
        if was.is_some() {
            self.say(env.locale.t(words), Token::Muted, env);
        }
        Vec::new()
    }

    fn on_tick(&mut self, env: &Env<'_>) -> Vec<Cmd<Effect>> {
        self.toast.expire(env.now);
        self.flash = self.flash.take().filter(|(_, until)| env.now < *until);
        self.undo = self.undo.take().filter(|undo| env.now < undo.until);
        let mut commands = Vec::new();
        if self.has_late(env) && !self.muted {
            commands.push(Cmd::Bell);
        }
        if self.problem.is_some() && !self.view.is_waiting() {
            commands.extend(self.reload());
        }
        let idle = self.view.get().map_or(0, |view| view.idle_seconds);
        if self.person.is_some() && idle > 0 && env.now >= self.last_key.plus_seconds(idle) {
            commands.extend(self.on_signed_out("kitchen.idle_signed_out", env));
            commands.push(Cmd::Effect(Effect::SignOut));
        }
        commands
    }

    /// An effect broke: nothing that was asked for will be answered.
    fn on_broken(&mut self, env: &Env<'_>) -> Vec<Cmd<Effect>> {
        let refused = Refused::internal("an effect of the kitchen's board broke");
        self.acts.lose_all();
        self.view.give_up();
        self.all_day.give_up();
        match &mut self.overlay {
            Some(Overlay::SignIn(form)) => form.refuse(refusal::words(&refused, env.locale).message),
            Some(Overlay::OpeningTill(_)) => self.overlay = None,
            _ => {}
        }
        self.refuse(&refused, env);
        // The next tick loads again: a fault that stays must not spin.
        self.problem = Some(refusal::sentence(&refused, env.locale));
        Vec::new()
    }
}

impl App for Kitchen {
    type Msg = Msg;
    type Effect = Effect;

    fn update(&mut self, input: Input<Msg>, env: &Env<'_>) -> Vec<Cmd<Effect>> {
        if matches!(input, Input::Key(_) | Input::Click { .. } | Input::Scroll { .. } | Input::Paste(_)) {
            self.last_key = env.now;
        }
        match input {
            Input::Msg(message) => self.on_message(message, env),
            Input::StoreChanged => {
                let mut commands = self.reload();
                commands.push(Cmd::Unchanged);
                commands
            }
            Input::StoreAway(away) => {
                self.away = away;
                if away { Vec::new() } else { self.reload() }
            }
            Input::Tick => self.on_tick(env),
            Input::EffectFailed => self.on_broken(env),
            Input::Resize(_) | Input::FocusGained | Input::FocusLost => Vec::new(),
            input if self.overlay.is_some() => self.on_overlay(&input, env),
            Input::Click { hit: Some(Hit::Row { list, index }), .. } => self.on_click(list, index, env),
            input => match env.action(Context::Kitchen, &input) {
                Some(action) => self.on_action(action, env),
                None => vec![Cmd::Unchanged],
            },
        }
    }

    fn view(&self, frame: &mut Frame<'_>, ctx: &ViewCtx<'_>) {
        self.draw(frame, ctx);
    }

    fn tick(&self) -> Option<Duration> {
        let tickets = self.view.get().is_some_and(|view| !view.tickets.is_empty());
        let moving =
            tickets || self.toast.is_shown() || self.flash.is_some() || self.undo.is_some() || self.person.is_some();
        (moving || self.problem.is_some()).then_some(Duration::from_secs(1))
    }

    fn context(&self) -> Context {
        self.overlay.as_ref().map_or(Context::Kitchen, Overlay::context)
    }
}

/// A new ticket in the words of the banner: its number, how many dishes, and what they come to.
fn announced(ticket: &TicketView, view: &KitchenView, env: &Env<'_>) -> String {
    let number = text::clean(&ticket.pickup_number);
    let dishes = ticket.lines.iter().map(|line| line.quantity).sum();
    let total = ticket.due.display(view.currency);
    env.locale.t_plural("kitchen.flash_order", dishes, &[("number", &number), ("total", &total)])
}
