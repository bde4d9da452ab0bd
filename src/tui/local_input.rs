//! What the person at the local terminal does, as a stream of events: waits for standard input and
//! for changes of the window's size, without a thread of its own.
//!
//! Written for a line at whose other end anybody may be. crossterm's event source would keep a paste
//! or a sequence that never ends, and each answer of a terminal that nobody asked for, without
//! bound; it panics at a mouse report of place 0 and spins when the terminal is gone. Here the
//! [`Decoder`] is bounded, silence ends what was begun, and a terminal that is gone ends the stream.

use super::decoder::Decoder;
use crossterm::event::Event;
use futures::{FutureExt, Stream};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Sleep, sleep};

/// How many bytes are read at once: what the line discipline of Linux keeps.
const READ: usize = 4096;

/// The events of the local terminal. It is to be polled within a tokio runtime.
#[derive(Debug)]
pub struct LocalEvents {
    /// Handed from each screen of a process to the next: what its person has typed ahead counts.
    decoder: Decoder,
    /// Made by the first poll, for it needs the runtime.
    source: Option<Source>,
    /// Runs while something was begun and is not finished.
    silence: Option<Pin<Box<Sleep>>>,
}

/// The decoder while no screen has it.
static DECODER: Mutex<Option<Decoder>> = Mutex::new(None);

impl LocalEvents {
    /// Takes up where the screen before left off.
    #[must_use]
    pub fn take() -> Self {
        let left = DECODER.lock().unwrap_or_else(PoisonError::into_inner).take();
        Self { decoder: left.unwrap_or_default(), source: None, silence: None }
    }
}

impl Drop for LocalEvents {
    fn drop(&mut self) {
        let decoder = std::mem::take(&mut self.decoder);
        *DECODER.lock().unwrap_or_else(PoisonError::into_inner) = Some(decoder);
    }
}

#[derive(Debug)]
struct Source {
    input: AsyncFd<OwnedFd>,
    resized: Signal,
}

impl Source {
    fn open() -> io::Result<Self> {
        let resized = signal(SignalKind::window_change())?;
        let input = io::stdin().as_fd().try_clone_to_owned()?;
        #[expect(
            deprecated,
            reason = "its successor is an unsafe function, which this house forbids; what that one asks for holds: the \
                      descriptor is owned, so it stays open and the same for as long as it is registered"
        )]
        let input = AsyncFd::with_interest(input, Interest::READABLE)?;
        Ok(Self { input, resized })
    }

    /// The size of the window as it is now. A terminal that does not say has none.
    fn size(&self) -> Option<Event> {
        let size = rustix::termios::tcgetwinsize(self.input.get_ref()).ok()?;
        Some(Event::Resize(size.ws_col, size.ws_row))
    }

    /// How many bytes can be read without waiting.
    fn waiting(&self) -> io::Result<u64> {
        Ok(rustix::io::ioctl_fionread(self.input.get_ref())?)
    }

    /// Bytes that are there, or will be. An error where the terminal is gone.
    ///
    /// Standard input stays blocking: whether it blocks is also the business of whoever else has the
    /// terminal open. So it is read only when the terminal says that there is something.
    fn read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.input.poll_read_ready(context))?;
            if self.waiting()? > 0 {
                return match rustix::io::read(self.input.get_ref(), &mut *buffer) {
                    Ok(0) => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                    Ok(count) => Poll::Ready(Ok(count)),
                    Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => continue,
                    Err(error) => Poll::Ready(Err(error.into())),
                };
            }
            if ready.ready().is_read_closed() {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            ready.clear_ready();
        }
    }
}

impl Stream for LocalEvents {
    type Item = io::Result<Event>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { decoder, source, silence } = self.get_mut();
        if let Some(event) = decoder.next_event() {
            return Poll::Ready(Some(Ok(event)));
        }
        let source = match source {
            Some(source) => source,
            None => {
                let opened = match Source::open() {
                    Ok(opened) => source.insert(opened),
                    Err(error) => return Poll::Ready(Some(Err(error))),
                };
                // It may have changed since the screen was begun and before anybody listened.
                if let Some(size) = opened.size() {
                    return Poll::Ready(Some(Ok(size)));
                }
                opened
            }
        };
        while let Poll::Ready(Some(())) = source.resized.poll_recv(context) {
            if let Some(size) = source.size() {
                return Poll::Ready(Some(Ok(size)));
            }
        }
        let mut buffer = [0; READ];
        loop {
            match source.read(context, &mut buffer) {
                Poll::Ready(Ok(count)) => {
                    decoder.feed(buffer.get(..count).unwrap_or_default());
                    // What was begun may go on with these bytes: the silence is over.
                    *silence = None;
                }
                Poll::Ready(Err(_)) => return Poll::Ready(None),
                Poll::Pending => {
                    match decoder.patience() {
                        None => *silence = None,
                        Some(patience) => {
                            let silence = silence.get_or_insert_with(|| Box::pin(sleep(patience)));
                            // The runtime makes a task that has done much wait although there is more to read.
                            let nothing = source.waiting().is_ok_and(|waiting| waiting == 0);
                            if silence.poll_unpin(context).is_ready() && nothing {
                                decoder.silent();
                            }
                        }
                    }
                    if decoder.patience().is_none() {
                        *silence = None;
                    }
                    return match decoder.next_event() {
                        Some(event) => Poll::Ready(Some(Ok(event))),
                        None => Poll::Pending,
                    };
                }
            }
            if let Some(event) = decoder.next_event() {
                return Poll::Ready(Some(Ok(event)));
            }
        }
    }
}
