//! A screen that is looked at from behind while it runs in the real runtime: which inputs it was given,
//! and when the last byte of the frame that followed was handed over. The screen itself knows nothing of it.

use crate::cli::figures::monotonic_micros;
use crate::tui::app::{App, Cmd, Env, Input, ViewCtx};
use crate::tui::keymap::Context;
use ratatui::Frame;
use ratatui::layout::Size;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;

/// A frame that was handed over after something was noted.
#[derive(Debug)]
pub struct Shown<T> {
    /// What was noted since the frame before.
    pub noted: Vec<T>,
    /// When its last byte was handed over.
    pub at: Instant,
    /// The same by the machine's monotonic clock.
    pub at_us: u64,
    /// From the beginning of the drawing to the last byte.
    pub drawn_in: Duration,
}

#[derive(Debug)]
struct Marks<T> {
    noted: Vec<T>,
    drawing: Option<Instant>,
}

/// A screen, and what is noted of its inputs.
pub struct Watched<'a, A, F, T> {
    app: &'a mut A,
    note: F,
    marks: Arc<Mutex<Marks<T>>>,
}

/// Where the frames of a watched screen go: nowhere, but the moment is told.
#[derive(Debug)]
pub struct Sink<T> {
    marks: Arc<Mutex<Marks<T>>>,
    shown: UnboundedSender<Shown<T>>,
}

impl<'a, A: App, F: FnMut(&Input<A::Msg>) -> Option<T>, T> Watched<'a, A, F, T> {
    /// The screen and the sink for its frames; `note` says what of an input is worth noting.
    pub fn new(app: &'a mut A, note: F, shown: UnboundedSender<Shown<T>>) -> (Self, Sink<T>) {
        let marks = Arc::new(Mutex::new(Marks { noted: Vec::new(), drawing: None }));
        (Self { app, note, marks: Arc::clone(&marks) }, Sink { marks, shown })
    }
}

impl<A: App, F: FnMut(&Input<A::Msg>) -> Option<T>, T> App for Watched<'_, A, F, T> {
    type Msg = A::Msg;
    type Effect = A::Effect;

    fn update(&mut self, input: Input<A::Msg>, env: &Env<'_>) -> Vec<Cmd<A::Effect>> {
        if let Some(noted) = (self.note)(&input) {
            self.marks.lock().unwrap_or_else(PoisonError::into_inner).noted.push(noted);
        }
        self.app.update(input, env)
    }

    fn view(&self, frame: &mut Frame<'_>, ctx: &ViewCtx<'_>) {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner).drawing = Some(Instant::now());
        self.app.view(frame, ctx);
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

impl<T> Write for Sink<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let (at, at_us) = (Instant::now(), monotonic_micros());
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let noted = std::mem::take(&mut marks.noted);
        let drawn_in = marks.drawing.take().map(|began| at - began).unwrap_or_default();
        if !noted.is_empty() {
            // Nobody listens any more when the measuring is over.
            let _ = self.shown.send(Shown { noted, at, at_us, drawn_in });
        }
        Ok(())
    }
}
