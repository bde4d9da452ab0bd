//! The "now serving" board for a second screen: the numbers that are being prepared and those that
//! are ready, as large as they fit. It takes no input but the keys that end it, and it turns its pages
//! by itself. Start it with one [`Input::StoreChanged`]; that makes it load.

mod view;

use crate::domain::error::Refused;
use crate::domain::time::{MICROS, Timestamp};
use crate::service::views::{BoardView, CalledNumber};
use crate::tui::app::{App, Cmd, Env, Input, Latest, RequestId, Requests, ViewCtx};
use crate::tui::keymap::{Action, Context};
use ratatui::Frame;
use std::time::Duration;

/// Seconds for which a number that has become ready is marked as new.
pub const NEW_SECONDS: i64 = 20;
/// Seconds for which one page is shown.
pub const PAGE_SECONDS: i64 = 8;

/// What the board asks to have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Read the numbers; answered by [`Msg::Board`].
    LoadBoard {
        /// Comes back with the answer.
        request: RequestId,
    },
}

/// What the board is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Msg {
    /// The numbers.
    Board {
        /// The request that they answer.
        request: RequestId,
        /// The numbers, or why there are none.
        result: Result<BoardView, Refused>,
    },
}

/// The "now serving" board.
#[derive(Debug, Default)]
pub struct Board {
    requests: Requests,
    view: Latest<BoardView>,
    /// When the view came, by the clock of this screen.
    loaded_at: Timestamp,
    /// Something changed while a view was on its way.
    stale: bool,
    /// The last answer was a refusal: ask again soon.
    failed: bool,
    away: bool,
    /// What the screen shows now, as far as time changes it.
    phase: Phase,
}

/// What time alone changes on the screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Phase {
    /// Numbers that are marked as new.
    marked: usize,
    /// How many pages there are in each half, and which one is shown.
    pages: [(usize, usize); 2],
}

impl Board {
    /// A board that has loaded nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The instant by the store's clock: that of the view, and the time since it came.
    fn store_now(&self, now: Timestamp) -> Timestamp {
        let seen = self.view.get().map_or(now, |view| view.now);
        Timestamp(seen.0.saturating_add(now.0.saturating_sub(self.loaded_at.0).max(0)))
    }

    /// Asks for the numbers, once at a time.
    fn reload(&mut self) -> Vec<Cmd<Effect>> {
        if self.view.is_waiting() {
            self.stale = true;
            return Vec::new();
        }
        let request = self.view.ask(&mut self.requests);
        vec![Cmd::Effect(Effect::LoadBoard { request })]
    }

    fn on_numbers(
        &mut self,
        request: RequestId,
        result: Result<BoardView, Refused>,
        env: &Env<'_>,
    ) -> Vec<Cmd<Effect>> {
        self.failed = result.is_err();
        let taken = match result {
            Ok(view) => self.view.answer(request, view),
            Err(_) => self.view.settle(request),
        };
        if !taken {
            return vec![Cmd::Unchanged];
        }
        if !self.failed {
            self.loaded_at = env.now;
        }
        if std::mem::take(&mut self.stale) && !self.failed {
            let request = self.view.ask(&mut self.requests);
            return vec![Cmd::Effect(Effect::LoadBoard { request })];
        }
        Vec::new()
    }

    /// What the screen of this size shows at this instant, as far as time changes it.
    fn phase(&self, env: &Env<'_>) -> Phase {
        let now = self.store_now(env.now);
        let Some(view) = self.view.get() else { return Phase::default() };
        Phase {
            marked: view.ready.iter().filter(|called| is_new(called, now)).count(),
            pages: self.page_counts(env.size).map(|pages| (pages, page_at(now, pages))),
        }
    }
}

/// The page that is shown at an instant; every board of a house shows the same one.
fn page_at(now: Timestamp, pages: usize) -> usize {
    let turn = usize::try_from(now.0.div_euclid(MICROS).div_euclid(PAGE_SECONDS)).unwrap_or_default();
    turn.checked_rem(pages).unwrap_or_default()
}

/// Whether a number became ready only just now.
fn is_new(called: &CalledNumber, now: Timestamp) -> bool {
    now.seconds_since(called.since) < NEW_SECONDS
}

impl App for Board {
    type Msg = Msg;
    type Effect = Effect;

    fn update(&mut self, input: Input<Msg>, env: &Env<'_>) -> Vec<Cmd<Effect>> {
        let tick = input == Input::Tick;
        let mut commands = match input {
            Input::Msg(Msg::Board { request, result }) => self.on_numbers(request, result, env),
            Input::StoreChanged => {
                let mut commands = self.reload();
                commands.push(Cmd::Unchanged);
                commands
            }
            Input::StoreAway(away) => {
                self.away = away;
                if away { Vec::new() } else { self.reload() }
            }
            Input::Tick if self.failed && !self.view.is_waiting() => self.reload(),
            Input::EffectFailed => {
                // The next tick asks again: a fault that stays must not spin.
                self.view.give_up();
                self.failed = true;
                Vec::new()
            }
            Input::Tick | Input::Resize(_) => Vec::new(),
            input => match env.action(Context::Board, &input) {
                Some(Action::Quit) => vec![Cmd::Quit(0)],
                _ => vec![Cmd::Unchanged],
            },
        };
        let phase = self.phase(env);
        if tick && phase == self.phase {
            commands.push(Cmd::Unchanged);
        }
        self.phase = phase;
        commands
    }

    fn view(&self, frame: &mut Frame<'_>, ctx: &ViewCtx<'_>) {
        self.draw(frame, ctx);
    }

    /// Ticks while a mark of "new" will go, or pages turn; else the board costs nothing.
    fn tick(&self) -> Option<Duration> {
        let turns = self.phase.pages.iter().any(|(pages, _)| *pages > 1);
        (self.phase.marked > 0 || turns || self.failed).then_some(Duration::from_secs(1))
    }

    fn context(&self) -> Context {
        Context::Board
    }
}
