//! The console's menu tab: the book of dishes in `book`, and the page of promotion codes in `promotions`,
//! which takes the book's place while it is open. Here stands only which of the two has the screen, and for
//! which of them an answer is.

mod book;
mod promotions;

use super::desk::{Commands, Desk, Done};
use super::message::{Loaded, Msg};
use super::tab::Tab;
use crate::domain::error::Refused;
use crate::tui::app::{Env, Input, RequestId, ViewCtx};
use crate::tui::keymap::{Action, Context};
use book::Book;
use promotions::Promotions;
use ratatui::Frame;
use ratatui::layout::Rect;

/// The tab.
#[derive(Debug, Default)]
pub(super) struct Menu {
    book: Book,
    promotions: Promotions,
    /// The promotion codes have the screen.
    at_promotions: bool,
}

impl Tab for Menu {
    fn load(&mut self, desk: &mut Desk) -> Commands {
        if self.at_promotions { self.promotions.load(desk) } else { self.book.load(desk) }
    }

    fn context(&self) -> Context {
        if self.at_promotions { self.promotions.context() } else { self.book.context() }
    }

    fn is_covered(&self) -> bool {
        if self.at_promotions { self.promotions.is_covered() } else { self.book.is_covered() }
    }

    fn is_waiting(&self) -> bool {
        if self.at_promotions { self.promotions.is_waiting() } else { self.book.is_waiting() }
    }

    fn is_searching(&self) -> bool {
        if self.at_promotions { self.promotions.is_searching() } else { self.book.is_searching() }
    }

    fn hints(&self, desk: &Desk) -> Vec<Action> {
        if self.at_promotions { self.promotions.hints() } else { self.book.hints(desk) }
    }

    fn on_input(&mut self, input: &Input<Msg>, action: Option<Action>, desk: &mut Desk, env: &Env<'_>) -> Commands {
        if self.at_promotions {
            if let Some(commands) = self.promotions.on_input(input, action, desk, env) {
                return commands;
            }
            // The book may have changed meanwhile.
            self.at_promotions = false;
            return self.book.load(desk);
        }
        if action == Some(Action::Promotions) && !self.book.is_covered() {
            self.at_promotions = true;
            return self.promotions.load(desk);
        }
        self.book.on_input(input, action, desk, env)
    }

    fn on_loaded(
        &mut self,
        request: RequestId,
        result: Result<Loaded, Refused>,
        desk: &mut Desk,
        env: &Env<'_>,
    ) -> Commands {
        match result {
            Ok(Loaded::Promotions(page)) => {
                self.promotions.answer(request, Ok(*page));
                Vec::new()
            }
            Err(refused) if self.promotions.answer(request, Err(refused.clone())) => Vec::new(),
            other => self.book.on_loaded(request, other, desk, env),
        }
    }

    fn on_done(&mut self, done: Done, desk: &mut Desk, env: &Env<'_>) -> Commands {
        if Promotions::concerns(&done.act) {
            self.promotions.on_done(done, desk, env);
            return Vec::new();
        }
        self.book.on_done(done, desk, env)
    }

    fn on_file(&mut self, message: Msg, desk: &mut Desk, env: &Env<'_>) -> Commands {
        self.book.on_file(message, desk, env)
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        if self.at_promotions {
            self.promotions.draw(frame, area, desk, ctx);
        } else {
            self.book.view(frame, area, desk, ctx);
        }
    }
}
