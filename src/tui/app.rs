//! What a screen is: a pure state machine. Inputs go in, commands come out, and `view` draws.
//!
//! Nothing here does I/O or waits. What a screen wants done is data (its `Effect`); the runtime has
//! it run and gives the answer back as a message. Answers carry the [`RequestId`] of their
//! question, and [`Latest`] drops those that nobody waits for any more.

use super::key::KeyPress;
use super::keymap::{Action, Context, Keymap};
use super::locale::Locale;
use super::theme::{Theme, Token};
use super::ui::Ui;
use crate::domain::time::Timestamp;
use ratatui::Frame;
use ratatui::layout::{Position, Rect, Size};
use ratatui::style::Style;
use std::cell::RefCell;
use std::time::Duration;

/// The size at which every screen is comfortable.
pub const COMFORTABLE: Size = Size::new(80, 24);
/// The size below which a screen asks for a larger window instead of breaking.
pub const MINIMUM: Size = Size::new(60, 20);

/// One screen, or a family of screens with one state.
pub trait App {
    /// The answers to its effects, and whatever else is told to it from outside.
    type Msg: Send + 'static;
    /// What it asks to have done.
    type Effect;

    /// Takes one input and says what follows from it. Does no I/O, never waits, and reads the time
    /// only from `env`.
    fn update(&mut self, input: Input<Self::Msg>, env: &Env<'_>) -> Vec<Cmd<Self::Effect>>;

    /// Draws the state. Does no I/O and changes nothing but the list of places that a click can
    /// hit.
    fn view(&self, frame: &mut Frame<'_>, ctx: &ViewCtx<'_>);

    /// How often [`Input::Tick`] is wanted now; `None` while nothing on the screen moves, and then
    /// the screen costs nothing.
    fn tick(&self) -> Option<Duration> {
        None
    }

    /// Where its keys are looked up now.
    fn context(&self) -> Context;

    /// The size below which it cannot be drawn.
    fn minimum_size(&self) -> Size {
        MINIMUM
    }
}

/// What can happen to a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input<M> {
    /// A key was pressed (or an arrow key repeated). What it means is in the key map.
    Key(KeyPress),
    /// A click or a touch, with what was drawn there.
    Click {
        /// Column, from 0.
        column: u16,
        /// Row, from 0.
        row: u16,
        /// What `view` said stands there.
        hit: Option<Hit>,
    },
    /// The wheel turned.
    Scroll {
        /// Column, from 0.
        column: u16,
        /// Row, from 0.
        row: u16,
        /// Towards the end of a list; else towards its start.
        down: bool,
    },
    /// Text was pasted: cleaned, at most [`super::runtime::PASTE_LIMIT`] bytes. Never keys.
    Paste(String),
    /// The screen has this size from now on.
    Resize(Size),
    /// The time that [`App::tick`] asked for has passed.
    Tick,
    /// An answer to an effect.
    Msg(M),
    /// An effect failed by a fault of ours and will never answer. The text is for the log; give up
    /// waiting and say that something went wrong.
    EffectFailed,
    /// Something in the store changed: read again what is shown.
    StoreChanged,
    /// The store went away (`true`) or is back (`false`).
    StoreAway(bool),
    /// The terminal got the focus.
    FocusGained,
    /// The terminal lost the focus.
    FocusLost,
}

/// What a screen asks the runtime for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cmd<E> {
    /// Have this done, and tell me.
    Effect(E),
    /// End with this exit status.
    Quit(i32),
    /// Ring the terminal's bell.
    Bell,
    /// Draw everything anew, after wiping the terminal: between two customers, or after noise.
    Redraw,
    /// Set the window's title. Constant text only: a title is no place for what people typed.
    Title(&'static str),
    /// This input changed nothing that is shown: draw no frame for it.
    Unchanged,
}

/// What `update` may look at besides its own state.
#[derive(Debug, Clone, Copy)]
pub struct Env<'a> {
    /// What things look like.
    pub theme: &'a Theme,
    /// What keys do.
    pub keymap: &'a Keymap,
    /// What is written.
    pub locale: &'a Locale,
    /// The size of the screen.
    pub size: Size,
    /// The current instant.
    pub now: Timestamp,
}

impl<'a> Env<'a> {
    /// The shared things, a size and an instant.
    #[must_use]
    pub const fn new(ui: &'a Ui, size: Size, now: Timestamp) -> Self {
        Self { theme: &ui.theme, keymap: &ui.keymap, locale: &ui.locale, size, now }
    }

    /// The action that an input asks for in `context`, however it came: a key by the key map, a
    /// click on a hint or a button, a turn of the wheel.
    #[must_use]
    pub fn action<M>(&self, context: Context, input: &Input<M>) -> Option<Action> {
        match input {
            Input::Key(press) => self.keymap.resolve(context, *press),
            Input::Click { hit: Some(Hit::Action(action)), .. } => Some(*action),
            Input::Scroll { down, .. } => Some(if *down { Action::Down } else { Action::Up }),
            _ => None,
        }
    }
}

/// What `view` may look at besides its own state: an [`Env`], and the list in which it notes what a
/// click can hit.
#[derive(Debug)]
pub struct ViewCtx<'a> {
    /// What things look like.
    pub theme: &'a Theme,
    /// What keys do.
    pub keymap: &'a Keymap,
    /// What is written.
    pub locale: &'a Locale,
    /// The size of the screen.
    pub size: Size,
    /// The current instant.
    pub now: Timestamp,
    hits: &'a RefCell<Hits>,
}

impl<'a> ViewCtx<'a> {
    /// An environment and an empty list of hits, which the drawing fills.
    #[must_use]
    pub const fn new(env: &Env<'a>, hits: &'a RefCell<Hits>) -> Self {
        Self { theme: env.theme, keymap: env.keymap, locale: env.locale, size: env.size, now: env.now, hits }
    }

    /// Notes that a click within `area` hits this; what is noted later lies on top.
    pub fn hit(&self, area: Rect, hit: Hit) {
        self.hits.borrow_mut().0.push((area, hit));
    }

    /// Forgets what lies below: an overlay that takes all clicks calls this before it notes its own.
    pub fn cover(&self) {
        self.hits.borrow_mut().0.clear();
    }

    /// How a token looks here.
    #[must_use]
    pub fn style(&self, token: Token) -> Style {
        self.theme.style(token)
    }
}

/// What a click can hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hit {
    /// A hint or a button: the same as its key.
    Action(Action),
    /// An entry of a list, by the list's name and its place in it.
    Row {
        /// The list.
        list: &'static str,
        /// The place, from 0.
        index: usize,
    },
}

/// Where on the last drawn frame a click hits what.
#[derive(Debug, Default)]
pub struct Hits(Vec<(Rect, Hit)>);

impl Hits {
    /// What was drawn last at this place.
    #[must_use]
    pub fn at(&self, column: u16, row: u16) -> Option<Hit> {
        let position = Position::new(column, row);
        self.0.iter().rev().find(|(area, _)| area.contains(position)).map(|(_, hit)| *hit)
    }

    /// Empties the list, before a new frame is drawn.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// Names one question of a screen to the world; the answer brings it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RequestId(pub u64);

/// Makes the ids of one screen's questions, in order.
#[derive(Debug, Clone, Default)]
pub struct Requests(u64);

impl Requests {
    /// A new id, never given before.
    pub const fn next(&mut self) -> RequestId {
        self.0 = self.0.wrapping_add(1);
        RequestId(self.0)
    }
}

/// A value that is asked for again and again, of which only the newest answer counts: keeps the
/// value shown while the next one is on its way.
#[derive(Debug, Clone)]
pub struct Latest<T> {
    value: Option<T>,
    waiting: Option<RequestId>,
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self { value: None, waiting: None }
    }
}

impl<T> Latest<T> {
    /// Asks anew: every answer to an earlier question is stale from now on.
    pub const fn ask(&mut self, requests: &mut Requests) -> RequestId {
        let id = requests.next();
        self.waiting = Some(id);
        id
    }

    /// Takes the answer to `id`; false, and nothing changed, where it is stale.
    pub fn answer(&mut self, id: RequestId, value: T) -> bool {
        if self.settle(id) {
            self.value = Some(value);
            return true;
        }
        false
    }

    /// Stops waiting for `id` without a new value (a refusal came); false where it is stale.
    pub fn settle(&mut self, id: RequestId) -> bool {
        if self.waiting != Some(id) {
            return false;
        }
        self.waiting = None;
        true
    }

    /// Stops waiting for anything; an answer that still comes is stale.
    pub const fn give_up(&mut self) {
        self.waiting = None;
    }

    /// Forgets the value too.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The newest value, if any came.
    #[must_use]
    pub const fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// The newest value, to be changed in place.
    pub const fn get_mut(&mut self) -> Option<&mut T> {
        self.value.as_mut()
    }

    /// Whether an answer is on its way.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }
}

/// One thing at a time that must not be asked for twice (placing an order): a second question while
/// the first is open gets no id.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pending(Option<RequestId>);

impl Pending {
    /// A new id, or `None` while a question is open.
    pub const fn start(&mut self, requests: &mut Requests) -> Option<RequestId> {
        if self.0.is_some() {
            return None;
        }
        self.0 = Some(requests.next());
        self.0
    }

    /// Closes the question; false where `id` is not the open one, and then its answer is stale.
    pub fn finish(&mut self, id: RequestId) -> bool {
        if self.0 != Some(id) {
            return false;
        }
        self.0 = None;
        true
    }

    /// Gives the question up; its answer will be stale.
    pub const fn give_up(&mut self) {
        self.0 = None;
    }

    /// Whether a question is open.
    #[must_use]
    pub const fn is_open(self) -> bool {
        self.0.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_answer_counts() {
        let (mut requests, mut shown) = (Requests::default(), Latest::default());
        let first = shown.ask(&mut requests);
        let second = shown.ask(&mut requests);
        assert!(!shown.answer(first, "old"));
        assert!(shown.is_waiting());
        assert!(shown.answer(second, "new"));
        assert!(!shown.answer(second, "again"));
        assert_eq!(shown.get(), Some(&"new"));
    }

    #[test]
    fn a_second_question_waits_for_the_first() {
        let (mut requests, mut placing) = (Requests::default(), Pending::default());
        let id = placing.start(&mut requests).expect("first");
        assert_eq!(placing.start(&mut requests), None);
        assert!(!placing.finish(RequestId(99)));
        assert!(placing.finish(id));
        assert!(placing.start(&mut requests).is_some());
    }

    #[test]
    fn what_is_drawn_last_is_hit_first() {
        let mut hits = Hits::default();
        hits.0.push((Rect::new(0, 0, 10, 10), Hit::Action(Action::Back)));
        hits.0.push((Rect::new(2, 2, 2, 2), Hit::Action(Action::Select)));
        assert_eq!(hits.at(3, 3), Some(Hit::Action(Action::Select)));
        assert_eq!(hits.at(5, 5), Some(Hit::Action(Action::Back)));
        assert_eq!(hits.at(10, 0), None);
    }
}
