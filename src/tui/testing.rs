//! Support for the tests of screens: draw a piece, drive a screen without async, or run the real
//! loop, press keys and wait for what must appear. The program itself uses none of it.

#![expect(clippy::expect_used, clippy::panic, reason = "test support: a failure here is a failed test")]

use super::app::{App, Cmd, Env, Hit, Hits, Input, ViewCtx};
use super::key::{Key, KeyPress};
use super::runtime::{Exit, Handle, Host, Runtime, RuntimeError, reaches_hidden, render};
use super::surface::Surface;
use super::theme::{Background, ColorProfile};
use super::ui::{Overrides, Ui};
use super::widgets::too_small;
use crate::domain::time::{Clock, Timestamp};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use futures::Stream;
use futures::future::BoxFuture;
use ratatui::backend::{Backend, ClearType, TestBackend, WindowSize};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Size};
use ratatui::{Frame, Terminal};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// How long [`Running::wait_for`] waits before the test fails.
pub const LIMIT: Duration = Duration::from_secs(20);

/// The built-in theme for a dark background in full colour, keys and words.
#[must_use]
pub fn ui() -> Ui {
    Ui::load(Background::Dark, ColorProfile::TrueColor, &Overrides::default()).expect("the built-in files")
}

/// A clock that stands until it is moved.
#[derive(Debug, Default)]
pub struct TestClock(AtomicI64);

impl TestClock {
    /// A clock at this instant.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.0))
    }

    /// Moves it on.
    pub fn advance(&self, seconds: i64) {
        self.0.store(self.now().plus_seconds(seconds).0, Ordering::Release);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Acquire))
    }
}

/// What one piece of drawing puts on an empty screen of this size, as text: trailing blanks and
/// trailing empty rows are left out.
pub fn drawn(width: u16, height: u16, draw: impl FnOnce(&mut Frame<'_>, &ViewCtx<'_>)) -> String {
    let ui = ui();
    let env = Env::new(&ui, Size::new(width, height), Timestamp(0));
    let hits = RefCell::new(Hits::default());
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("test terminal");
    terminal.draw(|frame| draw(frame, &ViewCtx::new(&env, &hits))).expect("draw");
    screen_of(terminal.backend().buffer())
}

/// The text of a buffer, without trailing blanks and trailing empty rows.
#[must_use]
pub fn screen_of(buffer: &Buffer) -> String {
    let mut rows = Vec::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut row = String::new();
        let mut hidden = 0_usize;
        for x in buffer.area.left()..buffer.area.right() {
            let symbol = buffer.cell(Position::new(x, y)).map_or(" ", Cell::symbol);
            if hidden == 0 {
                row.push_str(symbol);
                hidden = super::text::display_width(symbol);
            }
            hidden = hidden.saturating_sub(1);
        }
        rows.push(row.trim_end().to_owned());
    }
    rows.join("\n").trim_end().to_owned()
}

/// Drives a screen without async: what it asks for is kept to be looked at, and answers are given
/// by the test.
pub struct Harness<A: App> {
    /// The screen.
    pub app: A,
    ui: Ui,
    size: Size,
    now: Timestamp,
    hits: RefCell<Hits>,
    effects: VecDeque<A::Effect>,
    bells: usize,
    quit: Option<i32>,
}

impl<A: App> Harness<A> {
    /// A screen of this size at an instant.
    #[must_use]
    pub fn new(app: A, width: u16, height: u16, now: Timestamp) -> Self {
        let hits = RefCell::new(Hits::default());
        Self {
            app,
            ui: ui(),
            size: Size::new(width, height),
            now,
            hits,
            effects: VecDeque::new(),
            bells: 0,
            quit: None,
        }
    }

    /// With another theme, key map or language.
    #[must_use]
    pub fn with_ui(mut self, ui: Ui) -> Self {
        self.ui = ui;
        self
    }

    /// Gives one input, by the same rules as the real loop.
    pub fn input(&mut self, input: Input<A::Msg>) {
        if let Input::Resize(size) = &input {
            self.size = *size;
        }
        let hidden = too_small::is_too_small(self.size, self.app.minimum_size());
        if hidden && !reaches_hidden(&input, &self.app, &self.ui) {
            return;
        }
        let env = Env::new(&self.ui, self.size, self.now);
        for command in self.app.update(input, &env) {
            match command {
                Cmd::Effect(effect) => self.effects.push_back(effect),
                Cmd::Quit(status) => self.quit = Some(status),
                Cmd::Bell => self.bells = self.bells.saturating_add(1),
                Cmd::Redraw | Cmd::Title(_) | Cmd::Unchanged => {}
            }
        }
    }

    /// Presses keys, written as in the key map file and parted by spaces: `"down down enter"`.
    pub fn keys(&mut self, keys: &str) {
        for key in keys.split_whitespace() {
            self.input(Input::Key(key.parse().expect("a key")));
        }
    }

    /// Types text, character by character.
    pub fn type_text(&mut self, text: &str) {
        for character in text.chars() {
            self.input(Input::Key(KeyPress::plain(Key::Char(character))));
        }
    }

    /// Gives a message.
    pub fn message(&mut self, message: A::Msg) {
        self.input(Input::Msg(message));
    }

    /// Changes the size of the window.
    pub fn resize(&mut self, width: u16, height: u16) {
        self.input(Input::Resize(Size::new(width, height)));
    }

    /// It is this instant from now on.
    pub const fn set_now(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// Moves the clock on and gives a tick where the screen wants one.
    pub fn advance(&mut self, seconds: i64) {
        self.now = self.now.plus_seconds(seconds);
        if self.app.tick().is_some() {
            self.input(Input::Tick);
        }
    }

    /// Clicks on the first place where `words` stand on the screen.
    pub fn click_on(&mut self, words: &str) {
        let buffer = self.draw();
        let place = buffer.area.positions().find(|place| {
            let rest: String = (place.x..buffer.area.right())
                .map(|x| buffer.cell(Position::new(x, place.y)).map_or(" ", Cell::symbol))
                .collect();
            rest.starts_with(words)
        });
        let Some(place) = place else { panic!("{words:?} is not on the screen:\n{}", screen_of(&buffer)) };
        let hit: Option<Hit> = self.hits.borrow().at(place.x, place.y);
        self.input(Input::Click { column: place.x, row: place.y, hit });
    }

    /// Takes the oldest effect that was asked for.
    pub fn take_effect(&mut self) -> Option<A::Effect> {
        self.effects.pop_front()
    }

    /// Takes every effect that was asked for, in order.
    pub fn take_effects(&mut self) -> Vec<A::Effect> {
        self.effects.drain(..).collect()
    }

    /// How often the bell rang.
    #[must_use]
    pub const fn bells(&self) -> usize {
        self.bells
    }

    /// The exit status, once the screen has quit.
    #[must_use]
    pub const fn quit(&self) -> Option<i32> {
        self.quit
    }

    /// The current instant.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// The screen as text, for pictures and searches.
    pub fn screen(&self) -> String {
        screen_of(&self.draw())
    }

    /// The screen with its styles.
    pub fn draw(&self) -> Buffer {
        let env = Env::new(&self.ui, self.size, self.now);
        self.hits.borrow_mut().clear();
        let ctx = ViewCtx::new(&env, &self.hits);
        let backend = TestBackend::new(self.size.width, self.size.height);
        let mut terminal = Terminal::new(backend).expect("test terminal");
        terminal.draw(|frame| render(&self.app, frame, &ctx, self.app.minimum_size())).expect("draw");
        terminal.backend().buffer().clone()
    }
}

/// A surface that others can look at while the loop draws on it.
#[derive(Debug, Clone)]
pub struct SharedSurface {
    backend: Arc<Mutex<TestBackend>>,
    shown: watch::Sender<String>,
}

impl SharedSurface {
    /// A blank surface of this size.
    #[must_use]
    pub fn new(size: Size) -> Self {
        let backend = Arc::new(Mutex::new(TestBackend::new(size.width, size.height)));
        Self { backend, shown: watch::channel(String::new()).0 }
    }

    /// Tells of every finished frame, as text.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<String> {
        self.shown.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, TestBackend> {
        self.backend.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for SharedSurface {
    type Error = Infallible;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Infallible>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        self.lock().draw(content)
    }

    fn hide_cursor(&mut self) -> Result<(), Infallible> {
        self.lock().hide_cursor()
    }

    fn show_cursor(&mut self) -> Result<(), Infallible> {
        self.lock().show_cursor()
    }

    fn get_cursor_position(&mut self) -> Result<Position, Infallible> {
        self.lock().get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Infallible> {
        self.lock().set_cursor_position(position)
    }

    fn clear(&mut self) -> Result<(), Infallible> {
        self.lock().clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> Result<(), Infallible> {
        self.lock().clear_region(clear_type)
    }

    fn size(&self) -> Result<Size, Infallible> {
        self.lock().size()
    }

    fn window_size(&mut self) -> Result<WindowSize, Infallible> {
        self.lock().window_size()
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        self.lock().flush()
    }
}

impl Surface for SharedSurface {
    fn set_size(&mut self, size: Size) {
        self.lock().resize(size.width, size.height);
    }

    fn end_frame(&mut self) -> Result<(), Infallible> {
        let screen = screen_of(self.lock().buffer());
        self.shown.send_replace(screen);
        Ok(())
    }

    fn bell(&mut self) {}

    fn set_title(&mut self, _title: &'static str) {}

    fn wipe_scrollback(&mut self) {}
}

/// A stream of events that a test feeds.
#[derive(Debug)]
pub struct TestEvents(mpsc::UnboundedReceiver<io::Result<Event>>);

impl Stream for TestEvents {
    type Item = io::Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

/// The real loop, running beside the test.
#[derive(Debug)]
pub struct Running<M> {
    events: Option<mpsc::UnboundedSender<io::Result<Event>>>,
    screen: watch::Receiver<String>,
    /// Tells the screen things, and counts its frames.
    pub handle: Handle<M>,
    /// Stops the loop.
    pub stop: CancellationToken,
    ended: tokio::task::JoinHandle<Result<Exit, RuntimeError>>,
}

impl<M: Send + 'static> Running<M> {
    /// Starts the real loop with a screen of this size; `run` makes the futures of effects.
    pub async fn start<A, R>(app: A, size: Size, clock: Arc<dyn Clock>, run: R) -> Self
    where
        A: App<Msg = M> + Send + 'static,
        A::Effect: Send,
        R: Fn(A::Effect) -> BoxFuture<'static, M> + Send + Sync + 'static,
    {
        let surface = SharedSurface::new(size);
        let screen = surface.watch();
        let (events, received) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let host = Host { surface, events: TestEvents(received), size, stop: stop.clone() };
        let (started, handle) = tokio::sync::oneshot::channel();
        let ended = tokio::spawn(async move {
            let (mut app, ui) = (app, ui());
            let runtime = Runtime::new(&mut app, &ui, clock.as_ref(), host)?;
            let _ = started.send(runtime.handle());
            runtime.run(run).await
        });
        let handle = handle.await.expect("the loop started");
        Self { events: Some(events), screen, handle, stop, ended }
    }

    /// Sends an event of the terminal.
    pub fn event(&self, event: Event) {
        if let Some(events) = &self.events {
            events.send(Ok(event)).expect("the loop runs");
        }
    }

    /// Presses keys, written as in the key map file and parted by spaces.
    pub fn keys(&self, keys: &str) {
        for key in keys.split_whitespace() {
            self.event(Event::Key(key_event(key.parse().expect("a key"))));
        }
    }

    /// Changes the size of the window.
    pub fn resize(&self, width: u16, height: u16) {
        self.event(Event::Resize(width, height));
    }

    /// Ends the stream of events, as a terminal that went away does.
    pub fn hang_up(&mut self) {
        self.events = None;
    }

    /// The last frame.
    #[must_use]
    pub fn screen(&self) -> String {
        self.screen.borrow().clone()
    }

    /// Waits until the screen shows `words`, and gives that frame.
    pub async fn wait_for(&self, words: &str) -> String {
        self.wait_until(words, |screen| screen.contains(words)).await
    }

    /// Waits until the screen no longer shows `words`, and gives that frame.
    pub async fn wait_gone(&self, words: &str) -> String {
        self.wait_until(words, |screen| !screen.contains(words)).await
    }

    async fn wait_until(&self, words: &str, wanted: impl FnMut(&String) -> bool) -> String {
        let mut screen = self.screen.clone();
        if let Ok(Ok(found)) = tokio::time::timeout(LIMIT, screen.wait_for(wanted)).await {
            return found.clone();
        }
        let last = self.screen.borrow().clone();
        panic!("waited for {words:?} in vain; the screen shows:\n{last}")
    }

    /// Waits until the loop has ended, and says why it did.
    pub async fn ended(self) -> Result<Exit, RuntimeError> {
        tokio::time::timeout(LIMIT, self.ended).await.expect("the loop ends").expect("the loop does not panic")
    }
}

/// The event that a terminal sends for a key.
#[must_use]
pub fn key_event(press: KeyPress) -> KeyEvent {
    let code = match press.key {
        Key::Char(character) => KeyCode::Char(character),
        Key::Enter => KeyCode::Enter,
        Key::Esc => KeyCode::Esc,
        Key::Tab => KeyCode::Tab,
        Key::BackTab => KeyCode::BackTab,
        Key::Backspace => KeyCode::Backspace,
        Key::Delete => KeyCode::Delete,
        Key::Insert => KeyCode::Insert,
        Key::Up => KeyCode::Up,
        Key::Down => KeyCode::Down,
        Key::Left => KeyCode::Left,
        Key::Right => KeyCode::Right,
        Key::Home => KeyCode::Home,
        Key::End => KeyCode::End,
        Key::PageUp => KeyCode::PageUp,
        Key::PageDown => KeyCode::PageDown,
        Key::F(number) => KeyCode::F(number),
    };
    let mut modifiers = KeyModifiers::empty();
    modifiers.set(KeyModifiers::CONTROL, press.ctrl);
    modifiers.set(KeyModifiers::ALT, press.alt);
    KeyEvent::new(code, modifiers)
}
