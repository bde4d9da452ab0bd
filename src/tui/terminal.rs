//! The local terminal: the only place that touches it.
//!
//! [`open`] puts it into the state that screens need and gives a guard; the guard's end, a panic, a
//! signal and a hang-up each put it back, every mode separately. What the terminal can show is read
//! from the environment here, once. No drawing and no screen logic.
//!
//! SIGTERM and SIGINT stop the screen through its token. SIGHUP does too, but ends the process after
//! a grace whatever happens: nobody is there any more who could end it. SIGTSTP is ignored, also after the screen: one
//! that came while it was there may be heard when it is gone, and would stop a process that nobody continues. SIGTTIN
//! and SIGTTOU keep their default, which stops a process that was put into the background: a handler for them would be
//! called without end.

use super::app::MINIMUM;
use super::local_input::LocalEvents;
use super::runtime::{Host, panic_is_contained, panic_words};
use super::surface::{Dialect, StreamSurface};
use super::text;
use super::theme::{Background, ColorProfile};
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use crossterm::{Command, cursor};
use ratatui::layout::Size;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use signal_hook::low_level;
use std::io::{self, IsTerminal, Stdout, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, OnceLock, PoisonError, mpsc};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Clicks and the wheel, with coordinates in decimal figures. Not crossterm's capture, which reports
/// every move of a pointer too and would wake the screen for nothing.
const MOUSE_CLICKS: &str = "\x1b[?1000h\x1b[?1006h";
/// How long the screen may take to end by itself after SIGTERM or SIGINT.
const STOP_GRACE: Duration = Duration::from_secs(8);
/// The same after a hang-up, when nobody looks any more.
const HANG_UP_GRACE: Duration = Duration::from_secs(3);
/// How long putting the terminal back may take before the process ends without it.
const RESTORE_LIMIT: Duration = Duration::from_secs(1);

/// What a role needs of the terminal.
#[derive(Debug, Clone, Default)]
pub struct TerminalNeeds {
    /// Clicks are wanted (touch screens send them). Takes the terminal's own selection away, so
    /// only the kiosk asks for it.
    pub mouse: bool,
    /// Wipe the scrollback too when leaving: at the kiosk nothing of a customer may stay.
    pub wipe_scrollback: bool,
    /// The folder for the report of a panic; none is written without one.
    pub report_folder: Option<PathBuf>,
}

/// Why the terminal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// Standard input or output is a file or a pipe.
    #[error("this screen needs a terminal, but standard {0} is not one; run it in a terminal window, or with `ssh -t`")]
    NotATerminal(&'static str),
    /// The terminal refused something.
    #[error("the terminal cannot be set up ({step}): {source}")]
    Setup {
        /// What was tried.
        step: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl TerminalError {
    /// The status with which the program ends.
    #[must_use]
    pub const fn exit_status(&self) -> i32 {
        match self {
            Self::NotATerminal(_) => 2,
            Self::Setup { .. } => 1,
        }
    }
}

/// What the terminal can show, by its environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// How many colours.
    pub colors: ColorProfile,
    /// What is behind the text.
    pub background: Background,
    /// Whether it moves rows within a part of the screen.
    pub scrolls: bool,
}

impl Capabilities {
    /// Reads the process's environment.
    #[must_use]
    pub fn detect() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// Decides from the variables `NO_COLOR`, `COLORTERM`, `TERM` and `COLORFGBG`.
    pub fn from_variables(get: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            colors: colors(&get),
            background: background(&get("COLORFGBG").unwrap_or_default()),
            scrolls: scrolls(&get("TERM").unwrap_or_default()),
        }
    }

    /// How codes are written for it.
    const fn dialect(self) -> Dialect {
        Dialect { sixteen_colors: matches!(self.colors, ColorProfile::Ansi16), scrolls: self.scrolls }
    }
}

/// Whether terminals of this name know a scrolling region (DECSTBM) and inserted and deleted lines (IL, DL), as the
/// VT102 and all that came after it do. A name that is not known gets none of it: every row is written then, which is
/// right on each of them.
fn scrolls(term: &str) -> bool {
    const FAMILIES: [&str; 20] = [
        "alacritty",
        "contour",
        "cygwin",
        "foot",
        "ghostty",
        "iterm",
        "kitty",
        "konsole",
        "linux",
        "mintty",
        "mlterm",
        "putty",
        "rio",
        "rxvt",
        "screen",
        "st",
        "tmux",
        "vte",
        "wezterm",
        "xterm",
    ];
    // A name is a family and what it has more: `screen.xterm-256color`, `tmux-256color`.
    let family = term.split(['-', '.']).next().unwrap_or_default();
    FAMILIES.contains(&family) || matches!(term, "vt102" | "vt220" | "vt320" | "vt420" | "vt520")
}

fn colors(get: &impl Fn(&str) -> Option<String>) -> ColorProfile {
    const TRUE_COLOR: [&str; 6] = ["-direct", "kitty", "alacritty", "foot", "ghostty", "wezterm"];
    const WITHOUT: [&str; 5] = ["dumb", "vt52", "vt100", "vt102", "vt220"];
    let term = get("TERM").unwrap_or_default();
    if get("NO_COLOR").is_some_and(|value| !value.is_empty()) || WITHOUT.contains(&term.as_str()) {
        return ColorProfile::None;
    }
    let colorterm = get("COLORTERM").unwrap_or_default();
    if matches!(colorterm.as_str(), "truecolor" | "24bit") || TRUE_COLOR.iter().any(|part| term.contains(part)) {
        ColorProfile::TrueColor
    } else if term.contains("256color") {
        ColorProfile::Ansi256
    } else {
        ColorProfile::Ansi16
    }
}

fn background(colorfgbg: &str) -> Background {
    match colorfgbg.rsplit(';').next().and_then(|index| index.parse::<u8>().ok()) {
        Some(0..=6 | 8) => Background::Dark,
        Some(7 | 9..=15) => Background::Light,
        _ => Background::Unknown,
    }
}

/// The terminal while a screen has it; dropped, it is put back.
#[derive(Debug)]
pub struct TerminalGuard {
    active: Arc<Active>,
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        self.active.restore();
        *lock(&ACTIVE) = None;
        *lock(&self.active.ended) = true;
        self.active.changed.notify_all();
    }
}

/// The host of a screen on the local terminal.
pub type LocalHost = Host<StreamSurface<Stdout>, LocalEvents>;

/// Takes the terminal for a screen: raw mode, alternate screen, bracketed paste, hidden cursor and,
/// where asked for, the mouse. `stop` is cancelled by SIGTERM, SIGINT, SIGHUP and a panic.
///
/// # Errors
/// [`TerminalError::NotATerminal`] where standard input or output is none, and
/// [`TerminalError::Setup`] where the terminal refuses; it is then left as it was.
pub fn open(
    needs: TerminalNeeds,
    capabilities: Capabilities,
    stop: CancellationToken,
) -> Result<(TerminalGuard, LocalHost), TerminalError> {
    if !io::stdin().is_terminal() {
        return Err(TerminalError::NotATerminal("input"));
    }
    if !io::stdout().is_terminal() {
        return Err(TerminalError::NotATerminal("output"));
    }
    watch_signals().map_err(|source| TerminalError::Setup { step: "signals", source })?;
    install_panic_hook();
    let active = Arc::new(Active {
        stop: stop.clone(),
        needs,
        restored: AtomicBool::new(false),
        ended: Mutex::new(false),
        changed: Condvar::new(),
    });
    *lock(&ACTIVE) = Some(Arc::clone(&active));
    // From here on the guard's drop undoes whatever was done, also when a later step fails.
    let guard = TerminalGuard { active: Arc::clone(&active) };
    enable_raw_mode().map_err(|source| TerminalError::Setup { step: "raw mode", source })?;
    send("title", "\x1b[22;2t")?;
    send("alternate screen", &ansi(EnterAlternateScreen))?;
    // A terminal that has no alternate screen still shows what was there before.
    send("blank screen", "\x1b[2J")?;
    send("bracketed paste", &ansi(EnableBracketedPaste))?;
    if active.needs.mouse {
        send("mouse", MOUSE_CLICKS)?;
    }
    send("cursor", &ansi(cursor::Hide))?;
    let size = crossterm::terminal::size().map_or(MINIMUM, |(width, height)| Size::new(width, height));
    let surface = StreamSurface::new(io::stdout(), size, capabilities.dialect());
    Ok((guard, Host { surface, events: LocalEvents::take(), size, stop }))
}

/// What signals and panics need to know of the screen that has the terminal now.
#[derive(Debug)]
struct Active {
    stop: CancellationToken,
    needs: TerminalNeeds,
    restored: AtomicBool,
    ended: Mutex<bool>,
    changed: Condvar,
}

impl Active {
    /// Puts the terminal back, once; each mode by itself, so that one failure keeps none of the
    /// others.
    fn restore(&self) {
        if self.restored.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut steps = vec![("frame", "\x1b[?2026l\x1b[0m".to_owned())];
        if self.needs.mouse {
            steps.push(("mouse", ansi(DisableMouseCapture)));
        }
        steps.push(("bracketed paste", ansi(DisableBracketedPaste)));
        steps.push(("cursor", ansi(cursor::Show)));
        if self.needs.wipe_scrollback {
            steps.push(("scrollback", "\x1b[2J\x1b[3J".to_owned()));
        }
        steps.push(("alternate screen", ansi(LeaveAlternateScreen)));
        steps.push(("title", "\x1b[23;2t".to_owned()));
        for (step, codes) in steps {
            if let Err(error) = send(step, &codes) {
                tracing::warn!(%error, "the terminal was not put back");
            }
        }
        if let Err(error) = disable_raw_mode() {
            tracing::warn!(%error, "raw mode was not switched off");
        }
    }

    /// As [`Active::restore`], but gives up after a second: the terminal may not take another byte.
    fn restore_within_limit(self: &Arc<Self>) {
        let (done, wait) = mpsc::channel();
        let active = Arc::clone(self);
        let spawned = std::thread::Builder::new().name("terminal-restore".to_owned()).spawn(move || {
            active.restore();
            let _ = done.send(());
        });
        if spawned.is_ok() {
            let _ = wait.recv_timeout(RESTORE_LIMIT);
        }
    }

    /// Waits until the guard is gone, at most `limit`; whether it is.
    fn wait_until_ended(&self, limit: Duration) -> bool {
        let ended = lock(&self.ended);
        let waited = self.changed.wait_timeout_while(ended, limit, |ended| !*ended);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Ends the process now, with the terminal put back if that is still possible.
    fn end_process(self: &Arc<Self>, signal: i32) -> ! {
        self.restore_within_limit();
        low_level::exit(128_i32.saturating_add(signal))
    }
}

/// The screen that has the terminal now: at most one in a process.
static ACTIVE: Mutex<Option<Arc<Active>>> = Mutex::new(None);

fn active() -> Option<Arc<Active>> {
    lock(&ACTIVE).clone()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ansi(command: impl Command) -> String {
    let mut codes = String::new();
    // Writing into a string cannot fail.
    let _ = command.write_ansi(&mut codes);
    codes
}

fn send(step: &'static str, codes: &str) -> Result<(), TerminalError> {
    let mut out = io::stdout().lock();
    out.write_all(codes.as_bytes()).and_then(|()| out.flush()).map_err(|source| TerminalError::Setup { step, source })
}

/// Starts the thread that hears signals, once in a process. It stays: after the screen it gives
/// every signal but SIGTSTP its default effect again.
fn watch_signals() -> io::Result<()> {
    static STARTED: OnceLock<()> = OnceLock::new();
    if STARTED.get().is_some() {
        return Ok(());
    }
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGTSTP])?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            heard(signal);
        }
    })?;
    STARTED.get_or_init(|| ());
    Ok(())
}

fn heard(signal: i32) {
    if signal == SIGTSTP {
        return;
    }
    let Some(active) = active() else {
        if let Err(error) = low_level::emulate_default_handler(signal) {
            tracing::warn!(%error, signal, "a signal had no effect");
        }
        return;
    };
    if active.stop.is_cancelled() && signal != SIGHUP {
        // Asked a second time: no more waiting.
        active.end_process(signal);
    }
    active.stop.cancel();
    let grace = if signal == SIGHUP { HANG_UP_GRACE } else { STOP_GRACE };
    let watched = Arc::clone(&active);
    let spawned = std::thread::Builder::new().name("terminal-end".to_owned()).spawn(move || {
        let ended = watched.wait_until_ended(grace);
        if !ended {
            watched.end_process(signal);
        }
        if signal == SIGHUP {
            // The rest of the process (pools, threads that read) gets a last second.
            let (_never, wait) = mpsc::channel::<()>();
            let _ = wait.recv_timeout(RESTORE_LIMIT);
            low_level::exit(128_i32.saturating_add(signal));
        }
    });
    if spawned.is_err() {
        active.end_process(signal);
    }
}

/// Puts a hook before the one that is there, once in a process. A panic that nobody catches puts
/// the terminal back first, stops the screen and writes a report; one that [`contain`] catches goes
/// to the log only and leaves the picture alone.
///
/// [`contain`]: super::runtime::contain
fn install_panic_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let Some(active) = active() else { return previous(info) };
            let words = info.payload_as_str().map_or_else(|| panic_words(&()), text::clean);
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            if panic_is_contained() {
                tracing::error!(%words, %place, "a task panicked");
                return;
            }
            active.restore();
            active.stop.cancel();
            tracing::error!(%words, %place, "the program panicked");
            let report = active.needs.report_folder.as_deref().map(|folder| write_report(folder, &words, &place));
            let mut errors = io::stderr().lock();
            let _ = match report {
                Some(Ok(path)) => writeln!(
                    errors,
                    "Servery stopped because of a fault of its own: {words} ({place})\nThe report is in {}",
                    path.display()
                ),
                Some(Err(_)) | None => {
                    writeln!(errors, "Servery stopped because of a fault of its own: {words} ({place})")
                }
            };
        }));
    });
}

fn write_report(folder: &Path, words: &str, place: &str) -> io::Result<PathBuf> {
    let path = folder.join(format!("panic-{}.txt", std::process::id()));
    let trace = std::backtrace::Backtrace::force_capture();
    let version = env!("CARGO_PKG_VERSION");
    std::fs::write(&path, format!("servery {version}\n{words}\n{place}\n\n{trace}\n"))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(variables: &[(&str, &str)]) -> Capabilities {
        Capabilities::from_variables(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn colours_follow_the_environment() {
        let colors = |variables: &[(&str, &str)]| seen(variables).colors;
        assert_eq!(colors(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), ColorProfile::TrueColor);
        assert_eq!(colors(&[("TERM", "xterm-256color")]), ColorProfile::Ansi256);
        assert_eq!(colors(&[("TERM", "xterm-kitty")]), ColorProfile::TrueColor);
        assert_eq!(colors(&[("TERM", "linux")]), ColorProfile::Ansi16);
        assert_eq!(colors(&[]), ColorProfile::Ansi16);
        assert_eq!(colors(&[("TERM", "dumb"), ("COLORTERM", "truecolor")]), ColorProfile::None);
        assert_eq!(colors(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]), ColorProfile::None);
        assert_eq!(colors(&[("TERM", "xterm-256color"), ("NO_COLOR", "")]), ColorProfile::Ansi256);
    }

    #[test]
    fn the_background_follows_the_environment() {
        assert_eq!(seen(&[("COLORFGBG", "15;0")]).background, Background::Dark);
        assert_eq!(seen(&[("COLORFGBG", "0;15")]).background, Background::Light);
        assert_eq!(seen(&[("COLORFGBG", "0;default;15")]).background, Background::Light);
        assert_eq!(seen(&[("COLORFGBG", "nonsense")]).background, Background::Unknown);
        assert_eq!(seen(&[]).background, Background::Unknown);
    }

    #[test]
    fn rows_are_moved_only_where_the_name_of_the_terminal_is_known_for_it() {
        for term in
            ["xterm-256color", "xterm", "tmux-256color", "screen.xterm-256color", "linux", "vt220", "st-256color"]
        {
            assert!(seen(&[("TERM", term)]).scrolls, "{term}");
        }
        for term in ["dumb", "", "vt52", "vt100", "ansi", "unknown", "xtermish", "sun"] {
            assert!(!seen(&[("TERM", term)]).scrolls, "{term}");
        }
        assert!(!seen(&[]).scrolls);
    }
}
