//! A real program in a real pseudo-terminal: keys in, a parsed screen out.
//!
//! A thread reads what the program writes into a `vt100` screen and wakes whoever waits, so waiting costs nothing
//! and is never too late; another thread waits for the program's end. Queries that a terminal answers (cursor
//! position, device attributes) are answered.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::libc;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};

pub use super::key::Key;
use super::process::pid_of;

/// No output for this long counts as a screen at rest.
const AT_REST: Duration = Duration::from_millis(150);

/// How one cell looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellStyle {
    /// The character with its combining marks; empty for a cell that nothing was written to.
    pub text: String,
    pub foreground: vt100::Color,
    pub background: vt100::Color,
    pub bold: bool,
    pub dim: bool,
    pub italic: bool,
    pub underline: bool,
    pub inverse: bool,
}

/// What the program asked of the terminal beside drawing.
#[derive(Debug, Default)]
struct Requests {
    /// Answers still to be sent to the program.
    answers: Vec<u8>,
    bells: usize,
    title: String,
}

impl vt100::Callbacks for Requests {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.bells += 1;
    }

    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.title = String::from_utf8_lossy(title).into_owned();
    }

    fn unhandled_csi(
        &mut self,
        screen: &mut vt100::Screen,
        prefix: Option<u8>,
        _: Option<u8>,
        parameters: &[&[u16]],
        last: char,
    ) {
        let first = parameters.first().and_then(|numbers| numbers.first()).copied().unwrap_or(0);
        match (prefix, first, last) {
            (None, 5, 'n') => self.answers.extend(b"\x1b[0n"),
            (None, 6, 'n') => {
                let (row, column) = screen.cursor_position();
                self.answers.extend(format!("\x1b[{};{}R", row + 1, column + 1).bytes());
            }
            // A VT100 with advanced video: every program knows it, and it promises nothing more.
            (None, 0, 'c') => self.answers.extend(b"\x1b[?1;2c"),
            _ => {}
        }
    }
}

/// What the threads and the test share.
struct State {
    parser: vt100::Parser<Requests>,
    raw: Vec<u8>,
    /// Set when nothing more can be read.
    closed: bool,
    /// Set when the test hangs up: what still comes belongs to nobody.
    hanging_up: bool,
    /// Set while the test does not look: what comes is taken and forgotten.
    looks_away: bool,
    exit: Option<ExitStatus>,
}

#[derive(Clone)]
struct Shared(Arc<(Mutex<State>, Condvar)>);

impl Shared {
    /// A test that failed while it held the lock must not hide its message behind a second panic.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn notify(&self) {
        self.0.1.notify_all();
    }

    /// Waits for the next change, not beyond `deadline`. `false` when the deadline has passed.
    fn next_change<'a>(&'a self, state: MutexGuard<'a, State>, deadline: Instant) -> (MutexGuard<'a, State>, bool) {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return (state, false);
        }
        let (state, timeout) = self.0.1.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        (state, !timeout.timed_out())
    }
}

type Writer = Arc<Mutex<Box<dyn Write + Send>>>;

/// The pseudo-terminal and the program in it. Dropping it kills the program.
pub struct Pty {
    shared: Shared,
    /// The program's id, which is also the id of its process group.
    pid: u32,
    /// `None` once hung up.
    terminal: Option<Terminal>,
}

/// The side of the pseudo-terminal that the test holds.
struct Terminal {
    master: Box<dyn MasterPty + Send>,
    writer: Writer,
    reader: JoinHandle<()>,
}

impl Pty {
    /// Starts `program` in a terminal of `columns` x `rows`, with `environment` on top of the caller's. `TERM` is
    /// `xterm-256color` unless given.
    ///
    /// # Panics
    /// When the terminal cannot be opened or the program cannot be started.
    #[track_caller]
    pub fn spawn(program: &str, arguments: &[&str], environment: &[(&str, &str)], columns: u16, rows: u16) -> Self {
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env("TERM", "xterm-256color");
        for name in ["COLUMNS", "LINES", "NO_COLOR", "COLORTERM", "COLORFGBG", "TMUX", "STY"] {
            command.env_remove(name);
        }
        for (name, value) in environment {
            command.env(name, value);
        }
        Self::spawn_command(command, columns, rows)
    }

    /// Starts the real `servery`, with exactly the environment of `servery`, in its home directory. `TERM` is as in
    /// [`Pty::spawn`].
    ///
    /// # Panics
    /// As [`Pty::spawn`].
    #[track_caller]
    pub fn servery(servery: &super::process::Servery, arguments: &[&str], columns: u16, rows: u16) -> Self {
        let mut command = CommandBuilder::new(super::process::BINARY);
        command.args(arguments);
        command.env_clear();
        command.env("TERM", "xterm-256color");
        for (name, value) in servery.environment() {
            command.env(name, value);
        }
        command.cwd(servery.home());
        Self::spawn_command(command, columns, rows)
    }

    #[track_caller]
    fn spawn_command(mut command: CommandBuilder, columns: u16, rows: u16) -> Self {
        if command.get_cwd().is_none() {
            command.cwd(env!("CARGO_MANIFEST_DIR"));
        }
        let pair = native_pty_system().openpty(pty_size(columns, rows)).expect("a pseudo-terminal");
        let child = pair.slave.spawn_command(command).expect("the program starts");
        // The program now holds the only open side; the end of it is the end of the output.
        drop(pair.slave);
        let pid = child.process_id().expect("a started program has an id");
        let child: Box<dyn portable_pty::Child> = child;
        let child = child.downcast::<std::process::Child>().expect("a program here is a standard child process");

        let shared = Shared(Arc::new((
            Mutex::new(State {
                parser: vt100::Parser::new_with_callbacks(side(rows), side(columns), 0, Requests::default()),
                raw: Vec::new(),
                closed: false,
                hanging_up: false,
                looks_away: false,
                exit: None,
            }),
            Condvar::new(),
        )));
        let writer: Writer = Arc::new(Mutex::new(pair.master.take_writer().expect("the first writer")));
        let output = pair.master.try_clone_reader().expect("a reader");
        let reader = std::thread::spawn({
            let (shared, writer) = (shared.clone(), Arc::clone(&writer));
            move || read_screen(output, &writer, &shared)
        });
        std::thread::spawn({
            // Not kept open by this thread: hanging up closes it.
            let (shared, writer, path) = (shared.clone(), Arc::downgrade(&writer), pair.master.tty_name());
            move || {
                wait_for_end(*child, pid, &shared);
                if let Some(writer) = writer.upgrade() {
                    release(&writer, path.as_deref());
                }
            }
        });
        Self { shared, pid, terminal: Some(Terminal { master: pair.master, writer, reader }) }
    }

    /// The program's process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Sends bytes as if typed. Nothing happens when the program has ended.
    ///
    /// # Panics
    /// After [`Pty::hang_up`].
    #[track_caller]
    pub fn send(&self, text: &str) {
        self.send_bytes(text.as_bytes());
    }

    /// As [`Pty::send`], with bytes that need not be text. Waits while the program reads nothing and its terminal
    /// keeps no more.
    ///
    /// # Panics
    /// After [`Pty::hang_up`].
    #[track_caller]
    pub fn send_bytes(&self, bytes: &[u8]) {
        let terminal = self.terminal.as_ref().expect("nobody types after hanging up");
        let mut writer = terminal.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // The program may have ended, which is for the test to find out.
        let _ = writer.write_all(bytes);
        let _ = writer.flush();
    }

    /// Presses a key.
    #[track_caller]
    pub fn key(&self, key: Key) {
        let bytes = match key {
            Key::Up | Key::Down | Key::Left | Key::Right | Key::Home | Key::End
                if self.shared.lock().parser.screen().application_cursor() =>
            {
                key.bytes().replace('[', "O")
            }
            _ => key.bytes(),
        };
        self.send(&bytes);
    }

    /// Presses several keys.
    #[track_caller]
    pub fn keys(&self, keys: &[Key]) {
        for key in keys {
            self.key(*key);
        }
    }

    /// Pastes: in brackets where the program asked for that, else as if typed.
    #[track_caller]
    pub fn paste(&self, text: &str) {
        let bracketed = self.shared.lock().parser.screen().bracketed_paste();
        if bracketed { self.send(&format!("\x1b[200~{text}\x1b[201~")) } else { self.send(text) }
    }

    /// Clicks the left button on a cell (from 0, as on the screen), press and release, in SGR encoding.
    ///
    /// # Panics
    /// When the program did not ask for the mouse in that encoding: a terminal would send nothing then.
    #[track_caller]
    pub fn click(&self, column: u16, row: u16) {
        {
            let state = self.shared.lock();
            let screen = state.parser.screen();
            assert!(
                screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None
                    && screen.mouse_protocol_encoding() == vt100::MouseProtocolEncoding::Sgr,
                "the program did not ask for the mouse\n{}",
                framed(screen)
            );
        }
        let (column, row) = (column + 1, row + 1);
        self.send(&format!("\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m"));
    }

    /// Clicks on the first cell of `text`, once it is on the screen.
    #[track_caller]
    pub fn click_on(&self, text: &str, limit: Duration) {
        self.wait_for(text, limit);
        let (column, row) = self.find(text).unwrap_or_else(|| panic!("{text:?} went away\n{}", self.framed()));
        self.click(column, row);
    }

    /// The screen as lines without trailing spaces.
    pub fn screen(&self) -> String {
        text_of(self.shared.lock().parser.screen())
    }

    /// A copy of the parsed screen, as [`super::svg`] draws it.
    pub fn parsed_screen(&self) -> vt100::Screen {
        self.shared.lock().parser.screen().clone()
    }

    /// How the cell at `column`, `row` (from 0) looks. `None` outside of the screen.
    pub fn style(&self, column: u16, row: u16) -> Option<CellStyle> {
        let state = self.shared.lock();
        let cell = state.parser.screen().cell(row, column)?;
        Some(CellStyle {
            text: cell.contents().to_owned(),
            foreground: cell.fgcolor(),
            background: cell.bgcolor(),
            bold: cell.bold(),
            dim: cell.dim(),
            italic: cell.italic(),
            underline: cell.underline(),
            inverse: cell.inverse(),
        })
    }

    /// Column and row of the first cell of the first `text` that stands in one row.
    pub fn find(&self, text: &str) -> Option<(u16, u16)> {
        let state = self.shared.lock();
        let screen = state.parser.screen();
        let (rows, columns) = screen.size();
        for row in 0..rows.get() {
            // Where each cell begins in the row's text: a wide character fills two cells.
            let mut line = String::new();
            let mut starts = Vec::new();
            for column in 0..columns.get() {
                let Some(cell) = screen.cell(row, column).filter(|cell| !cell.is_wide_continuation()) else {
                    continue;
                };
                starts.push((line.len(), column));
                line.push_str(if cell.has_contents() { cell.contents() } else { " " });
            }
            if let Some(at) = line.find(text) {
                return starts.iter().rev().find(|(start, _)| *start <= at).map(|(_, column)| (*column, row));
            }
        }
        None
    }

    /// Column and row of the cursor, or `None` while it is hidden.
    pub fn cursor(&self) -> Option<(u16, u16)> {
        let state = self.shared.lock();
        let screen = state.parser.screen();
        let (row, column) = screen.cursor_position();
        (!screen.hide_cursor()).then_some((column, row))
    }

    /// How often the bell rang.
    pub fn bells(&self) -> usize {
        self.shared.lock().parser.callbacks().bells
    }

    /// The window title that the program set last.
    pub fn title(&self) -> String {
        self.shared.lock().parser.callbacks().title.clone()
    }

    /// Every byte that the program wrote.
    pub fn raw_output(&self) -> Vec<u8> {
        self.shared.lock().raw.clone()
    }

    /// Whether the terminal edits lines and echoes, as a shell's user expects it, rather than being in raw mode.
    /// `None` after hanging up.
    pub fn is_cooked(&self) -> Option<bool> {
        let settings = self.terminal.as_ref()?.master.get_termios()?;
        let wanted = libc::ICANON | libc::ECHO | libc::ISIG;
        Some(settings.local_flags.bits() & wanted == wanted)
    }

    /// Asserts that the program gave the terminal back: screen, modes, colours and line editing.
    ///
    /// # Panics
    /// When it did not; the message names what is left.
    #[track_caller]
    pub fn assert_restored(&self) {
        super::restored::assert_restored(&self.raw_output());
        assert_ne!(self.is_cooked(), Some(false), "the terminal is still in raw mode");
    }

    /// Waits until `text` stands on the screen in one line.
    ///
    /// # Panics
    /// When it does not within `limit`, or the program ends first; the message shows the last screen.
    #[track_caller]
    pub fn wait_for(&self, text: &str, limit: Duration) {
        self.wait_until(|screen| text_of(screen).contains(text), &format!("{text:?} on the screen"), limit);
    }

    /// Waits until `text` no longer stands on the screen.
    ///
    /// # Panics
    /// As [`Pty::wait_for`].
    #[track_caller]
    pub fn wait_gone(&self, text: &str, limit: Duration) {
        self.wait_until(|screen| !text_of(screen).contains(text), &format!("{text:?} gone from the screen"), limit);
    }

    /// Waits until `condition` holds for the screen. It is asked again after every piece of output.
    ///
    /// # Panics
    /// When it does not hold within `limit`, or the program ends first; the message names `what` and shows the last
    /// screen.
    #[track_caller]
    pub fn wait_until(&self, condition: impl Fn(&vt100::Screen) -> bool, what: &str, limit: Duration) {
        let deadline = Instant::now() + limit;
        let mut state = self.shared.lock();
        loop {
            if condition(state.parser.screen()) {
                return;
            }
            let why = if state.closed {
                "the program closed its terminal".to_owned()
            } else {
                let (next, in_time) = self.shared.next_change(state, deadline);
                state = next;
                if in_time {
                    continue;
                }
                // The last change may have come together with the deadline.
                if condition(state.parser.screen()) {
                    return;
                }
                format!("not within {limit:?}")
            };
            panic!("{why}: {what}\n{}", framed(state.parser.screen()));
        }
    }

    /// Waits until the program has written nothing for a moment: for pictures, which have no better condition.
    ///
    /// # Panics
    /// When it is still writing at the end of `limit`.
    #[track_caller]
    pub fn wait_stable(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        let mut state = self.shared.lock();
        while !state.closed {
            let written = state.raw.len();
            let rest = Instant::now() + AT_REST;
            loop {
                let (next, in_time) = self.shared.next_change(state, rest);
                state = next;
                if !in_time || state.raw.len() != written {
                    break;
                }
            }
            if state.raw.len() == written {
                return;
            }
            assert!(Instant::now() < deadline, "still writing after {limit:?}\n{}", framed(state.parser.screen()));
        }
    }

    /// Changes the size of the terminal; the kernel tells the program.
    ///
    /// # Panics
    /// After [`Pty::hang_up`], or with a side of 0.
    #[track_caller]
    pub fn resize(&self, columns: u16, rows: u16) {
        let terminal = self.terminal.as_ref().expect("nobody resizes after hanging up");
        // First the screen, so that what the program draws for the new size meets it.
        self.shared.lock().parser.set_size(side(rows), side(columns));
        terminal.master.resize(pty_size(columns, rows)).expect("a terminal can be resized");
    }

    /// Tells the program a size, 0 too, without giving the screen that the test sees that size.
    ///
    /// # Panics
    /// After [`Pty::hang_up`].
    #[track_caller]
    pub fn announce_size(&self, columns: u16, rows: u16) {
        let terminal = self.terminal.as_ref().expect("nobody resizes after hanging up");
        terminal.master.resize(pty_size(columns, rows)).expect("a terminal can be resized");
    }

    /// Takes what the program writes and forgets it, or looks at it again: for tests that let it write without end. A
    /// screen that is looked at again shows what is there once the program draws all of it, as after [`Pty::resize`].
    pub fn look_away(&self, away: bool) {
        self.shared.lock().looks_away = away;
    }

    /// Sends a signal to the program.
    ///
    /// # Panics
    /// When the program has ended.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        let state = self.shared.lock();
        assert!(state.exit.is_none(), "the program has ended\n{}", framed(state.parser.screen()));
        // Reaped only under this lock, so the id still is this program's.
        kill(pid_of(self.pid), signal).expect("the program is there");
    }

    /// Hangs up, as a closed window or a lost connection does: the kernel sends SIGHUP and every further read or
    /// write of the program fails.
    pub fn hang_up(&mut self) {
        let Some(Terminal { master, writer, reader }) = self.terminal.take() else { return };
        self.shared.lock().hanging_up = true;
        if let Some(path) = master.tty_name() {
            // `portable-pty` types a newline and an end-of-file as it closes, unless there is no such character.
            // A lost connection types nothing.
            let _ = Command::new("stty").arg("-F").arg(&path).args(["eof", "undef"]).stderr(Stdio::null()).status();
            // The reader holds the terminal open and waits for output: give it some.
            let slave = OpenOptions::new().write(true).custom_flags(libc::O_NOCTTY | libc::O_NONBLOCK).open(path);
            if let Ok(mut slave) = slave {
                let _ = slave.write_all(b"\0");
            }
        }
        let _ = reader.join();
        drop(writer);
        drop(master);
    }

    /// Waits for the program's end, and for the rest of its output.
    ///
    /// # Panics
    /// When it runs on after `limit`; the message shows the last screen.
    #[track_caller]
    pub fn wait_exit(&self, limit: Duration) -> ExitStatus {
        let deadline = Instant::now() + limit;
        let mut state = self.shared.lock();
        loop {
            // A child of the program may keep the terminal open for longer: then the limit ends the wait.
            if let Some(exit) = state.exit.filter(|_| state.closed) {
                return exit;
            }
            let (next, in_time) = self.shared.next_change(state, deadline);
            state = next;
            if !in_time {
                return state.exit.unwrap_or_else(|| {
                    panic!("the program runs on after {limit:?}\n{}", framed(state.parser.screen()))
                });
            }
        }
    }

    /// Whether the program still runs.
    pub fn is_running(&self) -> bool {
        self.shared.lock().exit.is_none()
    }

    /// The screen in a frame, for messages.
    pub fn framed(&self) -> String {
        framed(self.shared.lock().parser.screen())
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        {
            let state = self.shared.lock();
            if state.exit.is_none() {
                // The program leads its process group, which its own children share.
                let _ = killpg(pid_of(self.pid), Signal::SIGKILL);
            }
        }
        self.hang_up();
    }
}

/// Feeds the screen until the program's side is closed or the test hangs up.
fn read_screen(mut output: Box<dyn Read + Send>, writer: &Writer, shared: &Shared) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = match output.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => 0,
        };
        let mut state = shared.lock();
        if count == 0 || state.hanging_up {
            state.closed = true;
            drop(state);
            shared.notify();
            return;
        }
        if state.looks_away {
            continue;
        }
        state.raw.extend_from_slice(&buffer[..count]);
        state.parser.process(&buffer[..count]);
        let answers = std::mem::take(&mut state.parser.callbacks_mut().answers);
        drop(state);
        shared.notify();
        if !answers.is_empty() {
            let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = writer.write_all(&answers);
            let _ = writer.flush();
        }
    }
}

/// Records how the program ended.
fn wait_for_end(mut child: std::process::Child, pid: u32, shared: &Shared) {
    // Waits without reaping: the id stays taken until the lock is held, so no signal can meet a stranger.
    let seen = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
    while waitid(Id::Pid(pid_of(pid)), seen) == Err(nix::errno::Errno::EINTR) {}
    shared.lock().exit = child.wait().ok();
    shared.notify();
}

/// Lets go whoever is typing more than a terminal keeps, at a program that has ended and reads no more.
fn release(writer: &Writer, path: Option<&Path>) {
    let options = |path| OpenOptions::new().read(true).custom_flags(libc::O_NOCTTY | libc::O_NONBLOCK).open(path);
    let Some(Ok(slave)) = path.map(options) else { return };
    while let Err(TryLockError::WouldBlock) = writer.try_lock() {
        let _ = rustix::termios::tcflush(&slave, rustix::termios::QueueSelector::IFlush);
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// A screen of `columns` x `rows` after `output` was written to it.
pub fn parsed(columns: u16, rows: u16, output: &str) -> vt100::Screen {
    let mut parser = vt100::Parser::new(side(rows), side(columns), 0);
    parser.process(output.as_bytes());
    parser.screen().clone()
}

fn side(length: u16) -> NonZeroU16 {
    NonZeroU16::new(length).expect("a terminal has at least one row and one column")
}

fn pty_size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

/// The screen as lines without trailing spaces.
fn text_of(screen: &vt100::Screen) -> String {
    let lines: Vec<String> = screen.rows(0, screen.size().1.get()).map(|row| row.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// The screen in a frame, so that a message shows where its lines end.
fn framed(screen: &vt100::Screen) -> String {
    let width = usize::from(screen.size().1.get());
    let edge = "─".repeat(width);
    let lines: Vec<String> = text_of(screen).lines().map(|line| format!("│{line}")).collect();
    format!("┌{edge}┐\n{}\n└{edge}┘", lines.join("\n"))
}
