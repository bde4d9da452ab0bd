//! The loop that drives a screen: takes inputs, has effects run, draws when something changed.
//!
//! Transport-neutral: generic over the [`Surface`] and the stream of input events, told the size,
//! and stopped by a token. It never reads stdin, stdout, an environment variable or the size of a
//! terminal; [`super::terminal`] does that for the local one.

use super::app::{App, Cmd, Env, Hits, Input, ViewCtx};
use super::key::{Key, KeyPress};
use super::keymap::Action;
use super::surface::Surface;
use super::text;
use super::ui::Ui;
use super::widgets::too_small;
use crate::domain::time::Clock;
use crossterm::event::{Event, KeyEventKind, MouseButton, MouseEventKind};
use futures::future::BoxFuture;
use futures::{FutureExt, Stream, StreamExt};
use ratatui::layout::{Rect, Size};
use ratatui::{Terminal, TerminalOptions, Viewport};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

/// The most bytes of one paste that reach a screen.
pub const PASTE_LIMIT: usize = 8 * 1024;
/// The size taken where a terminal says that it has none.
const SIZE_UNKNOWN: Size = Size::new(80, 24);
/// The largest size that is drawn; a terminal that claims more gets its corner filled.
const SIZE_LIMIT: Size = Size::new(500, 200);
/// How many inputs are taken before a frame is drawn, so that a flood cannot freeze the picture.
const BATCH: usize = 256;
/// How long effects may still run after the screen has ended, before they are cut.
const EFFECT_GRACE: Duration = Duration::from_secs(3);

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The screen asked for it, with this exit status.
    Quit(i32),
    /// The stop token was cancelled.
    Stopped,
    /// The input ended or broke: there is nobody any more.
    InputClosed,
}

/// Why the loop could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// A frame could not be drawn.
    #[error("the screen cannot be drawn: {0}")]
    Draw(String),
}

/// Tells a running screen things from outside: from the change feed, and from tests.
#[derive(Debug)]
pub struct Handle<M> {
    inputs: mpsc::UnboundedSender<Input<M>>,
    store_changed: Arc<AtomicBool>,
    frames: Arc<AtomicU64>,
}

impl<M> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Self {
            inputs: self.inputs.clone(),
            store_changed: Arc::clone(&self.store_changed),
            frames: Arc::clone(&self.frames),
        }
    }
}

impl<M> Handle<M> {
    /// Something in the store changed. Said many times before the screen looks, it is heard once,
    /// so that a busy store cannot fill the memory of a slow screen.
    pub fn store_changed(&self) {
        if !self.store_changed.swap(true, Ordering::AcqRel) {
            self.post(Input::StoreChanged);
        }
    }

    /// The store went away or is back.
    pub fn store_away(&self, away: bool) {
        self.post(Input::StoreAway(away));
    }

    /// A message from a task of the caller's own.
    pub fn message(&self, message: M) {
        self.post(Input::Msg(message));
    }

    /// How many frames were drawn so far.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames.load(Ordering::Acquire)
    }

    fn post(&self, input: Input<M>) {
        // A screen that has ended hears nothing, and nothing is lost by that.
        let _ = self.inputs.send(input);
    }
}

/// What the loop stands on.
#[derive(Debug)]
pub struct Host<S, I> {
    /// Where frames are drawn.
    pub surface: S,
    /// The input events, in the order in which they came.
    pub events: I,
    /// The size at the start; later sizes come as events.
    pub size: Size,
    /// Cancelled when the screen shall end.
    pub stop: CancellationToken,
}

/// The loop, not yet running.
pub struct Runtime<'a, A: App, S: Surface, I> {
    app: &'a mut A,
    ui: &'a Ui,
    clock: &'a dyn Clock,
    terminal: Terminal<S>,
    events: I,
    stop: CancellationToken,
    size: Size,
    inbox: mpsc::UnboundedReceiver<Input<A::Msg>>,
    handle: Handle<A::Msg>,
    hits: RefCell<Hits>,
    effects: JoinSet<()>,
    dirty: bool,
}

impl<'a, A, S, I> Runtime<'a, A, S, I>
where
    A: App,
    S: Surface,
    S::Error: Send + Sync + 'static,
    I: Stream<Item = io::Result<Event>> + Unpin,
{
    /// Puts a screen on a host.
    ///
    /// # Errors
    /// [`RuntimeError::Draw`] when the surface refuses its first commands.
    pub fn new(app: &'a mut A, ui: &'a Ui, clock: &'a dyn Clock, host: Host<S, I>) -> Result<Self, RuntimeError> {
        let Host { mut surface, events, size: said, stop } = host;
        let size = bounded(said);
        surface.set_size(size);
        let viewport = Viewport::Fixed(Rect::from(size));
        let mut terminal = Terminal::with_options(surface, TerminalOptions { viewport }).map_err(draw_error)?;
        if size != said {
            // Of a window that does not say its size nobody knows what it shows.
            terminal.clear().map_err(draw_error)?;
        }
        let (inputs, inbox) = mpsc::unbounded_channel();
        let handle =
            Handle { inputs, store_changed: Arc::new(AtomicBool::new(false)), frames: Arc::new(AtomicU64::new(0)) };
        let (hits, effects) = (RefCell::new(Hits::default()), JoinSet::new());
        Ok(Self { app, ui, clock, terminal, events, stop, size, inbox, handle, hits, effects, dirty: true })
    }

    /// The way to tell the screen things; also counts its frames.
    #[must_use]
    pub fn handle(&self) -> Handle<A::Msg> {
        self.handle.clone()
    }

    /// Runs until the screen quits, the token is cancelled or the input ends. `run` makes the
    /// future of an effect; it is run on tokio and its answer comes back as a message. Effects that
    /// are still running at the end get three seconds.
    ///
    /// # Errors
    /// [`RuntimeError::Draw`] when a frame cannot be drawn.
    pub async fn run<R>(mut self, run: R) -> Result<Exit, RuntimeError>
    where
        R: Fn(A::Effect) -> BoxFuture<'static, A::Msg>,
    {
        let ended = self.turn(&run).await;
        let deadline = Instant::now() + EFFECT_GRACE;
        while let Ok(Some(_)) = timeout_at(deadline, self.effects.join_next()).await {}
        ended
    }

    async fn turn<R>(&mut self, run: &R) -> Result<Exit, RuntimeError>
    where
        R: Fn(A::Effect) -> BoxFuture<'static, A::Msg>,
    {
        let mut last_tick: Option<Instant> = None;
        loop {
            if self.dirty {
                self.draw()?;
            }
            let next_tick = match self.app.tick() {
                Some(period) => {
                    Some(*last_tick.get_or_insert_with(Instant::now) + period.max(Duration::from_millis(10)))
                }
                None => {
                    last_tick = None;
                    None
                }
            };
            let mut next = tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(Exit::Stopped),
                event = self.events.next() => match event {
                    Some(Ok(event)) => self.input(event),
                    Some(Err(_)) | None => return Ok(Exit::InputClosed),
                },
                input = self.inbox.recv() => input,
                () = until(next_tick), if next_tick.is_some() => {
                    last_tick = Some(Instant::now());
                    Some(Input::Tick)
                }
                Some(_) = self.effects.join_next(), if !self.effects.is_empty() => None,
            };
            for _ in 0..BATCH {
                if let Some(input) = next.take()
                    && let Some(exit) = self.take(input, run)?
                {
                    return Ok(exit);
                }
                next = match self.inbox.try_recv() {
                    Ok(input) => Some(input),
                    Err(_) => match ready_now(&mut self.events).await {
                        Some(Some(Ok(event))) => self.input(event),
                        Some(Some(Err(_)) | None) => return Ok(Exit::InputClosed),
                        None => break,
                    },
                };
            }
            // The batch ended on an input that was already taken from its queue.
            if let Some(input) = next.take()
                && let Some(exit) = self.take(input, run)?
            {
                return Ok(exit);
            }
        }
    }

    /// Hands one input to the screen and does what it commands.
    fn take<R>(&mut self, input: Input<A::Msg>, run: &R) -> Result<Option<Exit>, RuntimeError>
    where
        R: Fn(A::Effect) -> BoxFuture<'static, A::Msg>,
    {
        match &input {
            Input::StoreChanged => self.handle.store_changed.store(false, Ordering::Release),
            Input::Resize(size) => self.resize(*size)?,
            _ => {}
        }
        if self.is_hidden() && !reaches_hidden(&input, self.app, self.ui) {
            return Ok(None);
        }
        let env = Env::new(self.ui, self.size, self.clock.now());
        let mut unchanged = false;
        let mut exit = None;
        for command in self.app.update(input, &env) {
            match command {
                Cmd::Effect(effect) => self.start(run(effect)),
                Cmd::Quit(status) => exit = Some(Exit::Quit(status)),
                Cmd::Bell => self.terminal.backend_mut().bell(),
                Cmd::Title(title) => self.terminal.backend_mut().set_title(title),
                Cmd::Redraw => self.wipe()?,
                Cmd::Unchanged => unchanged = true,
            }
        }
        self.dirty |= !unchanged;
        Ok(exit)
    }

    fn start(&mut self, effect: BoxFuture<'static, A::Msg>) {
        let handle = self.handle.clone();
        self.effects.spawn(async move {
            match contain(effect).await {
                Ok(message) => handle.message(message),
                Err(panic) => {
                    tracing::error!(%panic, "an effect of a screen panicked");
                    handle.post(Input::EffectFailed);
                }
            }
        });
    }

    fn draw(&mut self) -> Result<(), RuntimeError> {
        self.dirty = false;
        let env = Env::new(self.ui, self.size, self.clock.now());
        self.hits.borrow_mut().clear();
        let ctx = ViewCtx::new(&env, &self.hits);
        let (app, minimum) = (&*self.app, self.app.minimum_size());
        self.terminal
            .draw(|frame| {
                render(app, frame, &ctx, minimum);
            })
            .map_err(draw_error)?;
        self.terminal.backend_mut().end_frame().map_err(draw_error)?;
        self.handle.frames.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    fn resize(&mut self, size: Size) -> Result<(), RuntimeError> {
        self.size = size;
        self.terminal.backend_mut().set_size(size);
        self.terminal.resize(Rect::from(size)).map_err(draw_error)?;
        self.dirty = true;
        Ok(())
    }

    fn wipe(&mut self) -> Result<(), RuntimeError> {
        self.terminal.clear().map_err(draw_error)?;
        // Some terminals keep a screen that is cleared in their scrollback: so after it, not before.
        self.terminal.backend_mut().wipe_scrollback();
        self.dirty = true;
        Ok(())
    }

    fn is_hidden(&self) -> bool {
        too_small::is_too_small(self.size, self.app.minimum_size())
    }

    /// The input that an event stands for; `None` for events that mean nothing here.
    fn input(&self, event: Event) -> Option<Input<A::Msg>> {
        match event {
            Event::Key(key) => {
                let press = KeyPress::from_event(&key)?;
                let wanted = match key.kind {
                    KeyEventKind::Press => true,
                    KeyEventKind::Repeat => repeats(press.key),
                    KeyEventKind::Release => false,
                };
                wanted.then_some(Input::Key(press))
            }
            Event::Mouse(mouse) => {
                let (column, row) = (mouse.column, mouse.row);
                match mouse.kind {
                    MouseEventKind::Down(MouseButton::Left) => {
                        Some(Input::Click { column, row, hit: self.hits.borrow().at(column, row) })
                    }
                    MouseEventKind::ScrollDown => Some(Input::Scroll { column, row, down: true }),
                    MouseEventKind::ScrollUp => Some(Input::Scroll { column, row, down: false }),
                    _ => None,
                }
            }
            Event::Paste(pasted) => {
                let end = (0..=PASTE_LIMIT.min(pasted.len())).rev().find(|at| pasted.is_char_boundary(*at));
                Some(Input::Paste(text::clean_lines(pasted.get(..end.unwrap_or_default()).unwrap_or_default())))
            }
            Event::Resize(width, height) => {
                let size = bounded(Size::new(width, height));
                (size != self.size).then_some(Input::Resize(size))
            }
            Event::FocusGained => Some(Input::FocusGained),
            Event::FocusLost => Some(Input::FocusLost),
        }
    }
}

/// Draws one frame of a screen: the screen itself, or the request for a larger window; then the
/// last net against hostile characters. The test harness draws through this too.
pub fn render<A: App>(app: &A, frame: &mut ratatui::Frame<'_>, ctx: &ViewCtx<'_>, minimum: Size) {
    let area = frame.area();
    frame.buffer_mut().set_style(area, ctx.style(super::theme::Token::Background));
    if too_small::is_too_small(ctx.size, minimum) {
        too_small::draw(frame, area, minimum, ctx);
    } else {
        app.view(frame, ctx);
    }
    text::scrub(frame.buffer_mut());
}

/// Whether an input reaches a screen that cannot be seen because the window is too small: the world
/// goes on, but nobody can press what he does not see, except to leave.
pub fn reaches_hidden<A: App>(input: &Input<A::Msg>, app: &A, ui: &Ui) -> bool {
    match input {
        Input::Key(press) => {
            matches!(ui.keymap.resolve(app.context(), *press), Some(Action::Quit | Action::StaffExit))
        }
        Input::Click { .. } | Input::Scroll { .. } | Input::Paste(_) => false,
        _ => true,
    }
}

const fn repeats(key: Key) -> bool {
    matches!(key, Key::Up | Key::Down | Key::Left | Key::Right | Key::PageUp | Key::PageDown | Key::Backspace)
}

fn bounded(size: Size) -> Size {
    if size.width == 0 || size.height == 0 {
        return SIZE_UNKNOWN;
    }
    Size::new(size.width.min(SIZE_LIMIT.width), size.height.min(SIZE_LIMIT.height))
}

/// What the stream has at once; `None` where it has nothing yet. Asks with the task's own waker: a
/// stream may keep the last waker that it was given, so a look with one that wakes nobody would leave
/// the loop asleep.
async fn ready_now<I: Stream + Unpin>(events: &mut I) -> Option<Option<I::Item>> {
    poll_fn(|context| match events.poll_next_unpin(context) {
        Poll::Ready(event) => Poll::Ready(Some(event)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

fn draw_error(error: impl std::error::Error) -> RuntimeError {
    RuntimeError::Draw(text::clean(&error.to_string()))
}

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic on this thread now would be caught by [`contain`], so that the screen goes on
/// and the terminal must be left as it is.
#[must_use]
pub fn panic_is_contained() -> bool {
    CONTAINED.get()
}

/// Runs a future whose panic shall not take the screen with it: the panic comes back as its words,
/// cleaned, for the log.
///
/// # Errors
/// The words of the panic.
pub async fn contain<T>(future: BoxFuture<'_, T>) -> Result<T, String> {
    let mut future = future;
    poll_fn(move |context| {
        let outer = CONTAINED.replace(true);
        let polled = catch_unwind(AssertUnwindSafe(|| future.poll_unpin(context)));
        CONTAINED.set(outer);
        match polled {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic_words(panic.as_ref()))),
        }
    })
    .await
}

/// The words of a panic, cleaned and on one line.
#[must_use]
pub fn panic_words(panic: &(dyn std::any::Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text::truncate_to_width(&text::clean(words.unwrap_or("no words")), 500)
}
