//! A fault on purpose, so that a test can see the real program end by a panic and leave the terminal
//! as it was. Builds without debug assertions, which is what is released, do not contain this file.

use crate::tui::app::{App, Cmd, Env, Input, ViewCtx};
use crate::tui::keymap::Context;
use ratatui::Frame;
use ratatui::layout::Size;
use std::cell::Cell;
use std::time::Duration;

/// The environment variable with the number of frames after which the next key ends in a panic.
const VARIABLE: &str = "SERVERY_DEBUG_PANIC_AFTER_FRAMES";

/// A screen that breaks where the environment asks for it, and else is the screen inside.
pub(super) struct Faulty<'a, A> {
    app: &'a mut A,
    /// The frames that are still to be drawn; `None` where nothing shall break.
    frames: Cell<Option<u64>>,
}

impl<'a, A> Faulty<'a, A> {
    /// The screen, with the fault that the environment asks for.
    pub(super) fn new(app: &'a mut A) -> Self {
        let asked = std::env::var(VARIABLE).ok().and_then(|frames| frames.parse().ok());
        Self { app, frames: Cell::new(asked) }
    }
}

impl<A: App> App for Faulty<'_, A> {
    type Msg = A::Msg;
    type Effect = A::Effect;

    #[expect(clippy::panic, reason = "to panic is what this is for; it is in no release")]
    fn update(&mut self, input: Input<A::Msg>, env: &Env<'_>) -> Vec<Cmd<A::Effect>> {
        if self.frames.get() == Some(0) && matches!(input, Input::Key(_)) {
            panic!("a fault on purpose, asked for by {VARIABLE}");
        }
        self.app.update(input, env)
    }

    fn view(&self, frame: &mut Frame<'_>, ctx: &ViewCtx<'_>) {
        self.app.view(frame, ctx);
        self.frames.set(self.frames.get().map(|frames| frames.saturating_sub(1)));
    }

    fn tick(&self) -> Option<Duration> {
        self.app.tick()
    }

    fn context(&self) -> Context {
        self.app.context()
    }

    fn minimum_size(&self) -> Size {
        self.app.minimum_size()
    }
}
