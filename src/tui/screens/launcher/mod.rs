//! The first screen of `servery` without arguments: which store this is, whether a worker runs, and
//! the roles to choose from. It ends with the choice in [`Launcher::chosen`]; opening the role is the
//! caller's business. Start it with one [`Input::StoreChanged`]; that makes it look at the store.

use crate::domain::error::Refused;
use crate::tui::app::{App, Cmd, Env, Hit, Input, Latest, RequestId, Requests, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::refusal;
use crate::tui::screens::person::DemoAccount;
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::banner::Banner;
use crate::tui::widgets::help;
use crate::tui::widgets::list::{self, ListLook, ListState};
use crate::tui::widgets::page::{self, Page};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// The name of the roles in [`Hit::Row`].
const ROLES: &str = "roles";
/// Rows of one role.
const ROLE_ROWS: u16 = 3;

/// What can be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The customer's kiosk.
    Kiosk,
    /// The kitchen's board.
    Kitchen,
    /// The "now serving" board.
    Board,
    /// The staff's console.
    Console,
}

impl Choice {
    /// Every role, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Kiosk, Self::Kitchen, Self::Board, Self::Console];

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Kiosk => ("launcher.kiosk", "launcher.kiosk_body"),
            Self::Kitchen => ("launcher.kitchen", "launcher.kitchen_body"),
            Self::Board => ("launcher.board", "launcher.board_body"),
            Self::Console => ("launcher.console", "launcher.console_body"),
        }
    }
}

/// Which database keeps the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// A file on this machine.
    Sqlite,
    /// A server that many machines share.
    Postgres,
}

/// What the launcher shows of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreInfo {
    /// The site's name.
    pub site: String,
    /// Which database.
    pub database: Database,
    /// Where it is: a path, or an address without its password.
    pub place: String,
    /// Whether this is the demo store.
    pub demo: bool,
    /// The accounts of the demo store. Shown only where `demo` holds.
    pub demo_accounts: Vec<DemoAccount>,
    /// Whether a worker runs somewhere.
    pub worker_runs: bool,
}

/// What the launcher asks to have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Look at the store; answered by [`Msg::Store`].
    LoadStore {
        /// Comes back with the answer.
        request: RequestId,
    },
}

/// What the launcher is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Msg {
    /// The store.
    Store {
        /// The request that it answers.
        request: RequestId,
        /// The store, or why it cannot be used.
        result: Result<StoreInfo, Refused>,
    },
}

/// The launcher.
#[derive(Debug)]
pub struct Launcher {
    /// Where the store is, before it has answered.
    place: String,
    requests: Requests,
    store: Latest<StoreInfo>,
    problem: Option<Refused>,
    away: bool,
    list: ListState,
    chosen: Option<Choice>,
    help: Option<usize>,
}

impl Launcher {
    /// A launcher for the store at `place` (a path, or an address without its password).
    #[must_use]
    pub fn new(place: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            requests: Requests::default(),
            store: Latest::default(),
            problem: None,
            away: false,
            list: ListState::default(),
            chosen: None,
            help: None,
        }
    }

    /// The role that was chosen; `None` when the launcher was left without one.
    #[must_use]
    pub const fn chosen(&self) -> Option<Choice> {
        self.chosen
    }

    fn load(&mut self) -> Vec<Cmd<Effect>> {
        let request = self.store.ask(&mut self.requests);
        vec![Cmd::Effect(Effect::LoadStore { request })]
    }

    /// Opens the role at a place of the list; nothing while the store cannot be used.
    fn choose(&mut self, index: usize) -> Vec<Cmd<Effect>> {
        let Some(choice) = Choice::ALL.get(index).copied() else { return vec![Cmd::Unchanged] };
        self.list.select(index);
        if self.problem.is_some() {
            // What stood in the way may be gone: look again rather than start a role that cannot work.
            return self.load();
        }
        self.chosen = Some(choice);
        vec![Cmd::Quit(0)]
    }

    fn on_action(&mut self, action: Action) -> Vec<Cmd<Effect>> {
        if let Some(skip) = self.help {
            self.help = match action {
                Action::Down | Action::PageDown => Some(skip.saturating_add(1).min(200)),
                Action::Up | Action::PageUp => Some(skip.saturating_sub(1)),
                Action::Quit => return vec![Cmd::Quit(0)],
                _ => None,
            };
            return Vec::new();
        }
        match action {
            Action::Quit => return vec![Cmd::Quit(0)],
            Action::Help => self.help = Some(0),
            Action::Select => return self.list.selected(Choice::ALL.len()).map_or_else(Vec::new, |at| self.choose(at)),
            Action::Digit(digit) => {
                return usize::from(digit).checked_sub(1).map_or_else(Vec::new, |at| self.choose(at));
            }
            action => {
                let action = match action {
                    Action::Left | Action::PreviousPane => Action::Up,
                    Action::Right | Action::NextPane => Action::Down,
                    other => other,
                };
                self.list.on_action(action, Choice::ALL.len());
            }
        }
        Vec::new()
    }

    fn facts(&self, width: usize, ctx: &ViewCtx<'_>) -> Vec<Line<'static>> {
        let cut = |words: String| text::truncate_to_width(&words, width);
        let muted = ctx.style(Token::Muted);
        let mut lines = Vec::new();
        if let Some(problem) = &self.problem {
            let words = format!("▲ {}", refusal::sentence(problem, ctx.locale));
            let rows = text::wrap(&words, width).into_iter().take(3);
            lines.extend(rows.map(|row| Line::styled(row, ctx.style(Token::Danger))));
            let place = ctx.locale.t_args("launcher.store_at", &[("place", &self.place)]);
            lines.push(Line::styled(cut(place), muted));
            return lines;
        }
        let Some(store) = self.store.get() else {
            lines.push(Line::styled(cut(ctx.locale.t_args("launcher.opening", &[("place", &self.place)])), muted));
            return lines;
        };
        let database = match store.database {
            Database::Sqlite => ctx.locale.t("launcher.sqlite"),
            Database::Postgres => ctx.locale.t("launcher.postgres"),
        };
        let words = ctx.locale.t_args("launcher.store", &[("database", &database), ("place", &store.place)]);
        lines.push(Line::styled(cut(words), muted));
        lines.push(if store.worker_runs {
            Line::styled(cut(ctx.locale.t("launcher.worker_runs")), ctx.style(Token::Success))
        } else {
            Line::styled(cut(ctx.locale.t("launcher.worker_missing")), ctx.style(Token::Warning))
        });
        if store.demo {
            lines.push(Line::default());
            lines.push(Line::styled(cut(ctx.locale.t("launcher.demo")), ctx.style(Token::Title)));
            for account in store.demo_accounts.iter().take(4) {
                let words = ctx.locale.t_args(
                    "sign_in.demo_account",
                    &[("name", &account.username), ("password", &account.password), ("pin", &account.pin)],
                );
                lines.push(Line::styled(cut(words), muted));
            }
        }
        lines
    }

    fn draw_roles(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let look = ListLook { name: ROLES, row_height: ROLE_ROWS, active: true };
        list::draw(frame, area, &self.list, Choice::ALL.len(), look, ctx, |index, width| {
            let Some((name, body)) = Choice::ALL.get(index).map(|choice| choice.words()) else { return Vec::new() };
            let room = usize::from(width).saturating_sub(7);
            let selected = self.list.selected(Choice::ALL.len()) == Some(index);
            let mark = if selected { " ▶ " } else { "   " };
            let body = text::truncate_to_width(&ctx.locale.t(body), room);
            let name = Span::styled(ctx.locale.t(name), ctx.style(Token::Text).add_modifier(Modifier::BOLD));
            let digit = Span::styled(index.saturating_add(1).to_string(), ctx.style(Token::Accent));
            vec![
                Line::from(vec![Span::raw(mark), digit, Span::raw("  "), name]),
                Line::from(vec![Span::raw("      "), Span::styled(body, ctx.style(Token::Muted))]),
            ]
        });
    }
}

impl App for Launcher {
    type Msg = Msg;
    type Effect = Effect;

    fn update(&mut self, input: Input<Msg>, env: &Env<'_>) -> Vec<Cmd<Effect>> {
        match input {
            Input::Msg(Msg::Store { request, result }) => {
                let taken = match result {
                    Ok(store) => {
                        let taken = self.store.answer(request, store);
                        if taken {
                            self.problem = None;
                        }
                        taken
                    }
                    Err(refused) => {
                        let taken = self.store.settle(request);
                        if taken {
                            self.problem = Some(refused);
                        }
                        taken
                    }
                };
                if taken { Vec::new() } else { vec![Cmd::Unchanged] }
            }
            Input::StoreChanged if self.store.is_waiting() => vec![Cmd::Unchanged],
            Input::StoreChanged => self.load(),
            Input::StoreAway(away) => {
                self.away = away;
                if away { Vec::new() } else { self.load() }
            }
            Input::EffectFailed => {
                self.store.give_up();
                self.problem = Some(Refused::internal("the look at the store broke"));
                Vec::new()
            }
            Input::Click { hit: Some(Hit::Row { list: ROLES, index }), .. } if self.help.is_none() => {
                self.choose(index)
            }
            Input::Click { .. } if self.help.is_some() => {
                self.help = None;
                Vec::new()
            }
            Input::Resize(_) => Vec::new(),
            input => {
                env.action(self.context(), &input).map_or_else(|| vec![Cmd::Unchanged], |action| self.on_action(action))
            }
        }
    }

    fn view(&self, frame: &mut Frame<'_>, ctx: &ViewCtx<'_>) {
        let banner = self.away.then_some(Banner::StoreAway);
        let hints = [Action::Select, Action::Up, Action::Down, Action::Help, Action::Quit];
        let mut site = self.store.get().map(|store| store.site.clone()).unwrap_or_default();
        // Where the window is small, the rows about the demo do not fit below the roles.
        if self.store.get().is_some_and(|store| store.demo) {
            site = format!("{site} · {}", ctx.locale.t("common.demo"));
        }
        let title = ctx.locale.t("launcher.title");
        let page =
            Page { title: &title, aside: &site, banner: banner.as_ref(), context: Context::Launcher, hints: &hints };
        let body = page::draw(frame, page, ctx);
        let narrow = body.centered_horizontally(Constraint::Max(76));
        let facts = self.facts(usize::from(narrow.width), ctx);
        let fact_rows = u16::try_from(facts.len()).unwrap_or(u16::MAX);
        let roles = ROLE_ROWS.saturating_mul(u16::try_from(Choice::ALL.len()).unwrap_or(u16::MAX));
        let needed = fact_rows.saturating_add(roles).saturating_add(3);
        let free = narrow.height.saturating_sub(needed);
        let [_, question, _, list, _, below] = Layout::vertical([
            Constraint::Length(free / 3),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(roles),
            Constraint::Length(1),
            Constraint::Fill(1),
        ])
        .areas(narrow);
        let words = Line::styled(ctx.locale.t("launcher.question"), ctx.style(Token::Title));
        frame.render_widget(Paragraph::new(words), question);
        self.draw_roles(frame, list, ctx);
        frame.render_widget(Paragraph::new(facts), below);
        if let Some(skip) = self.help {
            help::draw(frame, frame.area(), Context::Launcher, skip, ctx);
        }
    }

    fn context(&self) -> Context {
        Context::Launcher
    }
}
