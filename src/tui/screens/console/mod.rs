//! The staff console: sign-in, the tabs and what is common to them (switching, the palette, help, a
//! manager's PIN, signing out by itself). Each tab stands in its own file; what they share in `desk`.
//!
//! Nothing of the house is shown before somebody has signed in, and nothing after they were signed
//! out. Start it with one [`Input::StoreChanged`]; that makes it look at the store.

mod ahead;
mod audit;
mod desk;
mod facts;
mod health;
mod leaf;
mod menu;
mod message;
mod notices;
mod orders;
mod paged;
mod palette;
mod reports;
mod search;
mod settings;
mod span;
mod staff;
mod stock;
mod tab;
mod till;

pub use desk::{Commands, Desk, Done};
pub use message::{Act, Ask, Effect, Loaded, Msg};
pub use tab::{Place, Tab};

use crate::domain::error::{ErrorCode, Refused};
use crate::domain::time::Timestamp;
use crate::service::envelope::Envelope;
use crate::tui::app::{App, Cmd, Env, Hit, Input, RequestId, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::refusal;
use crate::tui::screens::credentials::{Credentials, Given};
use crate::tui::screens::person::{DemoAccount, Person, PersonPin};
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::vocabulary;
use crate::tui::widgets::banner::Banner;
use crate::tui::widgets::help;
use crate::tui::widgets::page::{self, Page};
use ahead::Ahead;
use desk::Settled;
use notices::Notices;
use palette::{Go, Palette, Picked};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use std::collections::BTreeMap;
use std::time::Duration;

/// The name of the tabs in [`Hit::Row`].
const TABS: &str = "tabs";
/// How many people the console remembers for signing in by PIN.
const KNOWN_LIMIT: usize = 8;
/// Seconds without a key until the person is signed out, before the site's own setting is known.
const IDLE_SECONDS: i64 = 120;

/// How a console is set up.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What idempotency keys begin with. It must be unlike that of every other run of a console: make
    /// it from a new id.
    pub key_prefix: String,
    /// The accounts that the sign-in form of the demo store shows. Never shown elsewhere.
    pub demo_accounts: Vec<DemoAccount>,
}

/// What lies over every tab.
#[derive(Debug)]
enum Over {
    Help(usize),
    Palette(Palette),
    Notices,
    /// A manager lets one change through.
    Manager(Box<Credentials>, Act),
}

/// The console.
#[derive(Debug)]
pub struct Console {
    options: Options,
    desk: Desk,
    place: Place,
    /// In the order of [`Place::ALL`].
    tabs: BTreeMap<Place, Box<dyn Tab>>,
    sign_in: Option<Credentials>,
    over: Option<Over>,
    notices: Notices,
    known: Vec<String>,
    /// The one who was signed in last: somebody else finds the tabs as new.
    last_person: Option<String>,
    last_key: Timestamp,
    ahead: Ahead,
    shown_minute: i64,
    /// The store changed while another tab was open or an answer was on its way.
    stale: bool,
}

impl Console {
    /// A console at which nobody has signed in.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let desk = Desk::new(options.key_prefix.clone());
        Self {
            options,
            desk,
            place: Place::Orders,
            tabs: untouched(),
            sign_in: None,
            over: None,
            notices: Notices::default(),
            known: Vec::new(),
            last_person: None,
            last_key: Timestamp::default(),
            ahead: Ahead::default(),
            shown_minute: 0,
            stale: false,
        }
    }

    /// The tab that is open.
    #[must_use]
    pub const fn place(&self) -> Place {
        self.place
    }

    /// Who is signed in.
    #[must_use]
    pub const fn person(&self) -> Option<&Person> {
        self.desk.person()
    }

    /// The tabs that the person who is signed in may open.
    fn places(&self) -> Vec<Place> {
        Place::ALL.iter().copied().filter(|place| self.desk.may(place.permission())).collect()
    }

    fn tab(&self) -> Option<&dyn Tab> {
        self.tabs.get(&self.place).map(AsRef::as_ref)
    }

    /// Where the open tab's keys are looked up.
    fn tab_context(&self) -> Context {
        self.tab().map_or(Context::Console, Tab::context)
    }

    /// Gives the open tab and the desk to `with`.
    fn with_tab(&mut self, with: impl FnOnce(&mut dyn Tab, &mut Desk) -> Commands) -> Commands {
        let desk = &mut self.desk;
        self.tabs.get_mut(&self.place).map(|tab| with(tab.as_mut(), desk)).unwrap_or_default()
    }

    fn open(&mut self, place: Place) -> Commands {
        self.place = place;
        self.with_tab(|tab, desk| tab.load(desk))
    }

    /// Makes every tab as new: somebody else sits down.
    fn forget(&mut self) {
        self.tabs = untouched();
        self.notices = Notices::default();
        self.place = Place::Orders;
    }

    fn ask_person(&mut self, words: Option<String>, env: &Env<'_>) {
        let mut form = Credentials::person(env.locale.t("console.sign_in_body"), &self.known, env);
        if let Some(words) = words {
            form.notice(words);
        }
        self.sign_in = Some(form);
    }

    fn on_sign_in(&mut self, input: &Input<Msg>, env: &Env<'_>) -> Commands {
        let leaves = |press| matches!(env.keymap.resolve(Context::Console, press), Some(Action::Quit));
        if let Input::Key(press) = input
            && press.ctrl
            && leaves(*press)
        {
            return vec![Cmd::Quit(0)];
        }
        let Some(form) = &mut self.sign_in else { return vec![Cmd::Unchanged] };
        match form.on_input(input, env) {
            Given::Open => Vec::new(),
            Given::Cancelled => vec![Cmd::Quit(0)],
            Given::Password(username, password) => vec![Cmd::Effect(Effect::SignIn { username, password })],
            Given::Pin(username, pin) => vec![Cmd::Effect(Effect::SignInPin { username, pin })],
        }
    }

    fn on_signed_in(&mut self, person: Person, env: &Env<'_>) -> Commands {
        self.known.retain(|known| *known != person.username);
        self.known.insert(0, person.username.clone());
        self.known.truncate(KNOWN_LIMIT);
        if self.last_person.as_ref() != Some(&person.username) {
            self.forget();
        }
        self.last_person = Some(person.username.clone());
        self.desk.say(env.locale.t_args("console.hello", &[("name", &person.name)]), Token::Success, env);
        self.desk.person = Some(person);
        self.sign_in = None;
        self.last_key = env.now;
        let mut commands = self.desk.ask_site();
        commands.extend(self.notices.ask(&mut self.desk));
        match self.places().first().copied() {
            Some(first) if !self.desk.may(self.place.permission()) => commands.extend(self.open(first)),
            Some(_) => commands.extend(self.open(self.place)),
            None => {}
        }
        commands
    }

    /// Nobody is signed in any more.
    fn sign_out(&mut self, words: Option<String>, env: &Env<'_>) -> Commands {
        self.ahead.drop_all();
        self.desk.person = None;
        self.desk.toast.dismiss();
        self.over = None;
        self.ask_person(words, env);
        vec![Cmd::Effect(Effect::SignOut), Cmd::Redraw]
    }

    fn is_over(refused: &Refused) -> bool {
        matches!(refused.code, ErrorCode::TokenExpired | ErrorCode::InvalidToken)
    }

    fn on_message(&mut self, message: Msg, env: &Env<'_>) -> Commands {
        match message {
            Msg::SignedIn(Ok(person)) => self.on_signed_in(person, env),
            Msg::SignedIn(Err(refused)) => {
                self.ahead.drop_all();
                let words = refusal::sentence(&refused, env.locale);
                if let Some(form) = &mut self.sign_in {
                    form.refuse(words);
                }
                Vec::new()
            }
            Msg::SignedOut => vec![Cmd::Unchanged],
            Msg::Loaded { request, result } => self.on_loaded(request, result, env),
            Msg::Done { request, result } => self.on_done(request, result, env),
            message @ (Msg::Saved { .. } | Msg::Read { .. }) if self.desk.person.is_some() => {
                self.with_tab(|tab, desk| tab.on_file(message, desk, env))
            }
            Msg::Saved { .. } | Msg::Read { .. } => vec![Cmd::Unchanged],
        }
    }

    fn on_loaded(&mut self, request: RequestId, result: Result<Loaded, Refused>, env: &Env<'_>) -> Commands {
        if self.desk.person.is_none() {
            return vec![Cmd::Unchanged];
        }
        if let Err(refused) = &result
            && Self::is_over(refused)
        {
            return self.sign_out(Some(refusal::sentence(refused, env.locale)), env);
        }
        let Some(result) = self.desk.take_site(request, result) else { return Vec::new() };
        let Some(result) = self.notices.take(request, result, &mut self.desk, env) else { return Vec::new() };
        let mut commands = self.with_tab(|tab, desk| tab.on_loaded(request, result, desk, env));
        if std::mem::take(&mut self.stale) {
            commands.extend(self.reload());
        }
        commands
    }

    fn on_done(&mut self, request: RequestId, result: Result<serde_json::Value, Refused>, env: &Env<'_>) -> Commands {
        match self.desk.settle(request, result) {
            Settled::Stale => vec![Cmd::Unchanged],
            Settled::NeedsManager(act) => {
                self.ahead.drop_all();
                let form = Credentials::manager(env.locale.t("console.override_body"), env);
                self.over = Some(Over::Manager(Box::new(form), act));
                Vec::new()
            }
            Settled::Done(done) => {
                if done.result.is_err() {
                    self.ahead.drop_all();
                }
                if let Err(refused) = &done.result
                    && Self::is_over(refused)
                {
                    return self.sign_out(Some(refusal::sentence(refused, env.locale)), env);
                }
                // What was looked at is nothing of the tab's.
                let looked = matches!(done.act, Act::Command(Envelope::Notice(_)));
                let mut commands =
                    if looked { Vec::new() } else { self.with_tab(|tab, desk| tab.on_done(done, desk, env)) };
                commands.extend(self.reload());
                commands
            }
        }
    }

    /// Whether an answer is on its way that decides what the next key means.
    fn waits(&self) -> bool {
        match &self.sign_in {
            Some(form) if self.desk.person.is_none() => form.is_waiting(),
            _ => self.desk.is_busy() || (self.over.is_none() && self.tab().is_some_and(Tab::is_waiting)),
        }
    }

    /// Hears what was typed ahead, as far as nothing has to be waited for again.
    fn catch_up(&mut self, mut commands: Commands, env: &Env<'_>) -> Commands {
        self.ahead.note(self.waits(), env.now);
        while !self.waits()
            && let Some(input) = self.ahead.next()
        {
            // Two inputs are drawn unless neither of them changed anything.
            let unchanged = |command: &Cmd<Effect>| matches!(command, Cmd::Unchanged);
            let still = commands.iter().any(unchanged);
            let mut next = self.hear(&input, env);
            let both = still && next.iter().any(unchanged);
            commands.append(&mut next);
            commands.retain(|command| !unchanged(command));
            commands.extend(both.then_some(Cmd::Unchanged));
        }
        self.ahead.note(self.waits(), env.now);
        commands
    }

    /// Hears a person.
    fn hear(&mut self, input: &Input<Msg>, env: &Env<'_>) -> Commands {
        if self.desk.person.is_none() {
            return self.on_sign_in(input, env);
        }
        match self.over.take() {
            Some(over) => self.on_over(over, input, env),
            None => {
                let covered = |console: &Self| console.tab().is_some_and(Tab::is_covered);
                let before = covered(self);
                let commands = self.on_tab_input(input, env);
                // What was said before lies over the foot of a question that opens now.
                if !before && covered(self) {
                    self.desk.toast.dismiss();
                }
                commands
            }
        }
    }

    /// Reads again what is shown.
    fn reload(&mut self) -> Commands {
        if self.desk.person.is_none() {
            return Vec::new();
        }
        let mut commands = self.desk.ask_site();
        commands.extend(self.notices.ask(&mut self.desk));
        commands.extend(self.with_tab(|tab, desk| tab.load(desk)));
        commands
    }

    fn on_tick(&mut self, env: &Env<'_>) -> Commands {
        let idle = self.desk.site().map_or(IDLE_SECONDS, |site| site.settings.console_idle_seconds);
        let limit = self.last_key.plus_seconds(idle);
        if self.desk.person.is_some() && idle > 0 && env.now >= limit {
            return self.sign_out(Some(env.locale.t("console.idle_signed_out")), env);
        }
        let minute = env.now.0.div_euclid(60_000_000);
        let turned = std::mem::replace(&mut self.shown_minute, minute) != minute;
        let gone = self.desk.toast.expire(env.now);
        if self.desk.person.is_some() {
            let commands = self.with_tab(|tab, desk| tab.on_tick(desk));
            if !commands.is_empty() {
                return commands;
            }
        }
        if turned || gone { Vec::new() } else { vec![Cmd::Unchanged] }
    }

    fn on_over(&mut self, over: Over, input: &Input<Msg>, env: &Env<'_>) -> Commands {
        match over {
            Over::Help(skip) => {
                let skip = match env.action(Context::Help, input) {
                    Some(Action::Down) => Some(skip.saturating_add(1)),
                    Some(Action::Up) => Some(skip.saturating_sub(1)),
                    Some(_) => None,
                    None => Some(skip),
                };
                self.over = skip.map(Over::Help);
                Vec::new()
            }
            Over::Notices => {
                if let Some(commands) = self.notices.on_input(input, &mut self.desk, env) {
                    self.over = Some(Over::Notices);
                    return commands;
                }
                self.notices.close(&mut self.desk, env)
            }
            Over::Palette(mut palette) => match palette.on_input(input, env) {
                Picked::Open => {
                    self.over = Some(Over::Palette(palette));
                    Vec::new()
                }
                Picked::Cancelled => Vec::new(),
                Picked::Go(Go::Place(place)) => self.open(place),
                Picked::Go(Go::Action(action)) => self.on_action(action, input, env),
            },
            Over::Manager(mut form, act) => match form.on_input(input, env) {
                Given::Open => {
                    self.over = Some(Over::Manager(form, act));
                    Vec::new()
                }
                Given::Cancelled => {
                    let refused = Refused::new(ErrorCode::InsufficientRole, env.locale.t("console.not_let_through"));
                    let done = Done { act, result: Err(refused) };
                    self.with_tab(|tab, desk| tab.on_done(done, desk, env))
                }
                Given::Password(username, pin) | Given::Pin(username, pin) => {
                    self.desk.act_with(act, PersonPin { username, pin })
                }
            },
        }
    }

    /// What an input means while nothing lies over everything.
    fn on_tab_input(&mut self, input: &Input<Msg>, env: &Env<'_>) -> Commands {
        let action = env.action(self.tab_context(), input);
        if self.tab().is_some_and(Tab::is_covered) {
            let leaves = |press| matches!(env.keymap.resolve(Context::Console, press), Some(Action::Quit));
            if let Input::Key(press) = input
                && press.ctrl
                && leaves(*press)
            {
                return self.leave();
            }
            return self.with_tab(|tab, desk| tab.on_input(input, action, desk, env));
        }
        if let Input::Click { hit: Some(Hit::Row { list: TABS, index }), .. } = input {
            return match self.places().get(*index).copied() {
                Some(place) => self.open(place),
                None => Vec::new(),
            };
        }
        match action {
            Some(action) => self.on_action(action, input, env),
            None => self.with_tab(|tab, desk| tab.on_input(input, None, desk, env)),
        }
    }

    fn on_action(&mut self, action: Action, input: &Input<Msg>, env: &Env<'_>) -> Commands {
        let places = self.places();
        let at = places.iter().position(|place| *place == self.place).unwrap_or_default();
        match action {
            Action::Digit(digit) => {
                match usize::from(digit).checked_sub(1).and_then(|index| places.get(index)).copied() {
                    Some(place) => self.open(place),
                    None => vec![Cmd::Unchanged],
                }
            }
            Action::NextPane | Action::PreviousPane => {
                let step = if action == Action::NextPane { 1 } else { places.len().saturating_sub(1) };
                let next = at.saturating_add(step).checked_rem(places.len()).and_then(|next| places.get(next));
                match next.copied() {
                    Some(place) => self.open(place),
                    None => Vec::new(),
                }
            }
            Action::Palette => {
                self.over = Some(Over::Palette(Palette::new(&places, self.tab_context(), env)));
                Vec::new()
            }
            Action::Notices => {
                self.notices.open();
                self.over = Some(Over::Notices);
                Vec::new()
            }
            Action::Help => {
                self.over = Some(Over::Help(0));
                Vec::new()
            }
            Action::SignOut => self.sign_out(None, env),
            Action::Quit => self.leave(),
            action => self.with_tab(|tab, desk| tab.on_input(input, Some(action), desk, env)),
        }
    }

    /// Ends the console; the session ends with it.
    fn leave(&mut self) -> Commands {
        self.desk.person = None;
        vec![Cmd::Effect(Effect::SignOut), Cmd::Quit(0)]
    }

    /// The hints of the last row: only keys that do something now. What lies over a tab names its keys
    /// within its own frame, and those of the tab are dead below it.
    fn hints(&self) -> Vec<Action> {
        let Some(tab) = self.tab().filter(|_| self.desk.person.is_some()) else { return Vec::new() };
        match &self.over {
            Some(Over::Help(_)) => vec![Action::Down, Action::Back],
            Some(Over::Palette(_) | Over::Manager(..) | Over::Notices) => Vec::new(),
            None if tab.is_searching() => vec![Action::Select, Action::Back],
            None if tab.is_covered() => Vec::new(),
            None => tab.hints(&self.desk),
        }
    }

    fn draw_tabs(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let places = self.places();
        let names: Vec<String> = places.iter().map(|place| ctx.locale.t(place.title_key())).collect();
        let wanted = |air: usize| -> usize {
            names.iter().map(|name| text::display_width(name).saturating_add(air)).sum::<usize>().saturating_sub(1)
        };
        let room = usize::from(area.width);
        // A digit, a name and air at both sides; where that is too wide, less air; where that is, the
        // digits stay and the open tab keeps its name.
        let (named, air) = (wanted(3) <= room, if wanted(4) <= room { " " } else { "" });
        let mut x = area.x;
        for (index, (place, name)) in places.iter().zip(&names).enumerate() {
            let here = *place == self.place;
            let digit = index.saturating_add(1);
            let words = if named || here { format!("{air}{digit} {name}{air}") } else { format!("{air}{digit}{air}") };
            let width = u16::try_from(text::display_width(&words)).unwrap_or(u16::MAX);
            let place_area = Rect { x, width: width.min(area.right().saturating_sub(x)), height: 1, ..area };
            let token = if here { Token::Selected } else { Token::Muted };
            frame.render_widget(Paragraph::new(Line::from(Span::styled(words, ctx.style(token)))), place_area);
            ctx.hit(place_area, Hit::Row { list: TABS, index });
            // Without air of their own, names are parted by a space.
            x = x.saturating_add(width).saturating_add(u16::from(air.is_empty()));
            if x >= area.right() {
                break;
            }
        }
    }

    fn aside(&self, ctx: &ViewCtx<'_>) -> String {
        let Some(person) = self.desk.person() else { return String::new() };
        let now = ctx.now.to_utc().with_timezone(&self.desk.zone()).format("%H:%M").to_string();
        let role = vocabulary::role(person.role, ctx.locale);
        let who = ctx.locale.t_args("console.aside", &[("name", &person.name), ("role", &role), ("time", &now)]);
        match self.notices.mark(ctx.locale) {
            Some(mark) => format!("{mark} · {who}"),
            None => who,
        }
    }
}

fn untouched() -> BTreeMap<Place, Box<dyn Tab>> {
    Place::ALL.iter().map(|place| (*place, place.tab())).collect()
}

impl App for Console {
    type Msg = Msg;
    type Effect = Effect;

    fn update(&mut self, input: Input<Msg>, env: &Env<'_>) -> Commands {
        self.desk.now = env.now;
        match input {
            Input::Msg(message) => {
                let commands = self.on_message(message, env);
                return self.catch_up(commands, env);
            }
            Input::EffectFailed => {
                self.ahead.drop_all();
                self.desk.give_up();
                self.notices.give_up();
                self.desk.say(env.locale.t("console.failed"), Token::Danger, env);
                return Vec::new();
            }
            Input::StoreChanged => {
                if self.desk.person.is_none() {
                    if self.sign_in.is_none() {
                        self.ask_person(None, env);
                        return Vec::new();
                    }
                    return vec![Cmd::Unchanged];
                }
                return self.reload();
            }
            Input::StoreAway(away) => {
                self.desk.away = away;
                return if away { Vec::new() } else { self.reload() };
            }
            Input::Tick => return self.on_tick(env),
            Input::Resize(_) | Input::FocusGained | Input::FocusLost => return Vec::new(),
            Input::Key(_) | Input::Click { .. } | Input::Scroll { .. } | Input::Paste(_) => {}
        }
        self.last_key = env.now;
        match self.ahead.hear(input, self.waits(), self.desk.is_busy(), env.now) {
            Some(input) => self.hear(&input, env),
            None => vec![Cmd::Unchanged],
        }
    }

    fn view(&self, frame: &mut Frame<'_>, ctx: &ViewCtx<'_>) {
        let site = self.desk.site();
        let title = match site.filter(|_| self.desk.person.is_some()) {
            Some(site) => ctx.locale.t_args("console.title_site", &[("site", &site.name)]),
            None => ctx.locale.t("console.title"),
        };
        let demo = !self.options.demo_accounts.is_empty() || site.is_some_and(|site| site.demo);
        let banner = match (self.desk.away, demo) {
            (true, _) => Some(Banner::StoreAway),
            (false, true) => Some(Banner::DemoStore),
            (false, false) => None,
        };
        let mut aside = self.aside(ctx);
        if demo && self.desk.away {
            let mark = ctx.locale.t("common.demo");
            aside = if aside.is_empty() { mark } else { format!("{mark} · {aside}") };
        }
        let context = self.context();
        let tab = self.tab().filter(|_| self.desk.person.is_some());
        let hints = self.hints();
        let page = Page { title: &title, aside: &aside, banner: banner.as_ref(), context, hints: &hints };
        let body = page::draw(frame, page, ctx);
        if self.desk.person.is_none() {
            if let Some(form) = &self.sign_in {
                form.draw(frame, body, &self.options.demo_accounts, ctx);
            }
            return;
        }
        let [tabs, _, room] =
            Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Fill(1)]).areas(body);
        self.draw_tabs(frame, tabs, ctx);
        if let Some(tab) = tab {
            tab.view(frame, room, &self.desk, ctx);
        }
        match &self.over {
            Some(Over::Help(skip)) => help::draw(frame, body, self.tab_context(), *skip, ctx),
            Some(Over::Palette(palette)) => palette.draw(frame, body, ctx),
            Some(Over::Notices) => self.notices.draw(frame, body, &self.desk, ctx),
            Some(Over::Manager(form, _)) => form.draw(frame, body, &self.options.demo_accounts, ctx),
            None => {}
        }
        self.desk.toast.draw(frame, room, ctx);
    }

    fn tick(&self) -> Option<Duration> {
        self.desk.person.is_some().then_some(Duration::from_secs(1))
    }

    fn context(&self) -> Context {
        if self.desk.person.is_none() {
            return Context::TextInput;
        }
        match &self.over {
            Some(Over::Help(_)) => Context::Help,
            Some(Over::Notices) => self.notices.context(),
            Some(Over::Palette(_) | Over::Manager(..)) => Context::TextInput,
            None => self.tab_context(),
        }
    }
}
