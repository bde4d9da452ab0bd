//! The guard of the local terminal, over a real pseudo-terminal: whatever ends the screen, the
//! terminal is as it was before, and after a hang-up no process is left.
//!
//! The process on the pseudo-terminal is this test program itself, running `screen_of_the_child`.

#![expect(clippy::panic, clippy::expect_used, reason = "the helpers of these tests may fail the test")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the child speaks to the test over its terminal")]

use futures::FutureExt;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use ratatui::Frame;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use servery::domain::time::Timestamp;
use servery::tui::app::{App, Cmd, Env, Input, ViewCtx};
use servery::tui::keymap::{Action, Context};
use servery::tui::runtime::Runtime;
use servery::tui::terminal::{Capabilities, TerminalNeeds, open};
use servery::tui::testing::{LIMIT, TestClock};
use servery::tui::theme::Token;
use servery::tui::ui::{Overrides, Ui};
use std::ffi::OsString;
use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex};
use tokio_util::sync::CancellationToken;

const REPORTS: &str = "SERVERY_TEST_REPORT_FOLDER";

#[derive(Default)]
struct Counter {
    count: i64,
    failed: bool,
    pasted: String,
}

impl App for Counter {
    type Msg = ();
    type Effect = ();

    fn update(&mut self, input: Input<()>, env: &Env<'_>) -> Vec<Cmd<()>> {
        match input {
            Input::Key(press) => match env.keymap.resolve(self.context(), press) {
                Some(Action::Up) => self.count += 1,
                Some(Action::Quit) => return vec![Cmd::Quit(0)],
                Some(Action::Digit(9)) => return vec![Cmd::Effect(())],
                Some(Action::Digit(8)) => {
                    eprint!("stuck");
                    loop {
                        std::hint::spin_loop();
                    }
                }
                Some(Action::Digit(0)) => panic!("a panic on purpose"),
                _ => {}
            },
            Input::EffectFailed => self.failed = true,
            Input::Click { column: 4, row: 2, .. } => self.count += 100,
            Input::Paste(pasted) => self.pasted = pasted,
            _ => {}
        }
        Vec::new()
    }

    fn view(&self, frame: &mut Frame<'_>, ctx: &ViewCtx<'_>) {
        let text = format!(
            "count={} failed={} pasted={} size={}x{}",
            self.count, self.failed, self.pasted, ctx.size.width, ctx.size.height
        );
        let area = frame.area();
        frame.render_widget(Paragraph::new(text), area);
        let marked = Line::styled("marked", ctx.style(Token::Selected));
        frame.buffer_mut().set_line(0, area.bottom().saturating_sub(1), &marked, area.width);
    }

    fn context(&self) -> Context {
        Context::Launcher
    }
}

#[test]
#[ignore = "not a test of its own: the process that the other tests start on a pseudo-terminal"]
fn screen_of_the_child() {
    let stop = CancellationToken::new();
    let report_folder = std::env::var_os(REPORTS).map(Into::into);
    let needs = TerminalNeeds { mouse: true, wipe_scrollback: true, report_folder };
    let seen = Capabilities::detect();
    let (guard, host) = match open(needs, seen, stop) {
        Ok(opened) => opened,
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(error.exit_status());
        }
    };
    let ui = Ui::load(seen.background, seen.colors, &Overrides::default()).expect("the built-in files");
    let (mut counter, clock) = (Counter::default(), TestClock::at(Timestamp(0)));
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("tokio");
    let exit = tokio.block_on(async {
        let runtime = Runtime::new(&mut counter, &ui, &clock, host).expect("runtime");
        runtime.run(|()| async { panic!("an effect on purpose") }.boxed()).await
    });
    drop(guard);
    // Late, as one that was sent to the screen is heard on a busy machine.
    kill(Pid::this(), Signal::SIGTSTP).expect("signal");
    println!("ended with {exit:?}");
}

/// The child, and the terminal that it believes in.
struct Pty {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    hang_up: Arc<AtomicBool>,
    reader_gone: Receiver<()>,
}

fn nonzero(number: u16) -> NonZero<u16> {
    NonZero::new(number).expect("a size")
}

fn parser(rows: u16, columns: u16) -> vt100::Parser {
    vt100::Parser::new(nonzero(rows), nonzero(columns), 0)
}

struct Seen {
    parser: vt100::Parser,
    bytes: Vec<u8>,
}

impl Pty {
    fn start(reports: Option<&Path>) -> Self {
        let folder = reports.map(|folder| (REPORTS, folder.as_os_str().to_owned()));
        Self::start_with(&folder.into_iter().collect::<Vec<_>>())
    }

    fn start_with(variables: &[(&str, OsString)]) -> Self {
        Self::start_at(PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 }, variables)
    }

    fn start_at(size: PtySize, variables: &[(&str, OsString)]) -> Self {
        let pair = native_pty_system().openpty(size).expect("pseudo-terminal");
        let mut command = CommandBuilder::new(std::env::current_exe().expect("this program"));
        command.args(["--ignored", "--exact", "screen_of_the_child", "--nocapture"]);
        command.env("TERM", "xterm-256color");
        for unset in ["NO_COLOR", "COLORTERM", "COLORFGBG"] {
            command.env_remove(unset);
        }
        for (name, value) in variables {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).expect("child");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("reader");
        let writer = pair.master.take_writer().expect("writer");
        let seen = Seen { parser: parser(24, 80), bytes: Vec::new() };
        let seen = Arc::new((Mutex::new(seen), Condvar::new()));
        let hang_up = Arc::new(AtomicBool::new(false));
        let (gone, reader_gone) = mpsc::channel();
        let (shared, closing) = (Arc::clone(&seen), Arc::clone(&hang_up));
        std::thread::spawn(move || {
            let mut buffer = [0_u8; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if closing.load(Ordering::Acquire) {
                    break;
                }
                let bytes = buffer.get(..count).unwrap_or_default();
                let mut seen = shared.0.lock().expect("seen");
                seen.parser.process(bytes);
                seen.bytes.extend_from_slice(bytes);
                shared.1.notify_all();
            }
            drop((reader, shared));
            let _ = gone.send(());
        });
        Self { child, master: pair.master, writer, seen, hang_up, reader_gone }
    }

    fn wait_for(&self, words: &str) {
        let seen = self.seen.0.lock().expect("seen");
        let missing = |seen: &mut Seen| !seen.parser.screen().contents().contains(words);
        let (seen, waited) = self.seen.1.wait_timeout_while(seen, LIMIT, missing).expect("seen");
        assert!(!waited.timed_out(), "waited for {words:?} in vain:\n{}", seen.parser.screen().contents());
    }

    fn send(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).expect("write");
        self.writer.flush().expect("flush");
    }

    fn signal(&self, signal: Signal) {
        let id = self.child.process_id().and_then(|id| i32::try_from(id).ok()).expect("process id");
        kill(Pid::from_raw(id), signal).expect("kill");
    }

    /// Waits for the child's end and gives its exit status.
    fn status(mut child: Box<dyn Child + Send + Sync>) -> u32 {
        let mut killer = child.clone_killer();
        let (sender, ended) = mpsc::channel();
        std::thread::spawn(move || {
            let _ = sender.send(child.wait());
        });
        match ended.recv_timeout(LIMIT) {
            Ok(status) => status.expect("status").exit_code(),
            Err(_) => {
                let _ = killer.kill();
                panic!("the process is still there");
            }
        }
    }

    /// Waits for the end and for the last byte, and gives the status and everything written.
    fn finish(self) -> (u32, Vec<u8>, vt100::Parser) {
        let Self { child, seen, reader_gone, master, writer, .. } = self;
        let status = Self::status(child);
        reader_gone.recv_timeout(LIMIT).expect("the output ends with the process");
        drop((master, writer));
        let seen = Arc::into_inner(seen).expect("the reader is gone").0.into_inner().expect("seen");
        (status, seen.bytes, seen.parser)
    }
}

fn assert_put_back(bytes: &[u8], parser: &vt100::Parser) {
    let screen = parser.screen();
    assert!(!screen.alternate_screen(), "alternate screen");
    assert!(!screen.hide_cursor(), "cursor");
    assert!(!screen.bracketed_paste(), "bracketed paste");
    assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    let written = String::from_utf8_lossy(bytes);
    for code in ["\u{1b}[?1049l", "\u{1b}[3J", "\u{1b}[?25h", "\u{1b}[?2004l", "\u{1b}[0m"] {
        assert!(written.contains(code), "{code:?} is missing");
    }
}

#[test]
fn quitting_puts_everything_back() {
    let mut pty = Pty::start(None);
    pty.wait_for("count=0");
    pty.send(b"\x1b[A\x1b[A");
    pty.wait_for("count=2");
    pty.send(b"\x1b[200~q\x1b[2Jq\x1b[201~");
    pty.wait_for("pasted=q[2Jq");
    // A touch, a move over the screen that means nothing, and keys that a shell would act on.
    pty.send(b"\x1b[<0;5;3M\x1b[<0;5;3m\x1b[<35;6;3M");
    pty.wait_for("count=102");
    pty.send(b"\x1a\x13");
    pty.signal(Signal::SIGTSTP);
    pty.send(b"\x1b[A");
    pty.wait_for("count=103");
    pty.send(b"q");
    pty.wait_for("ended with Ok(Quit(0))");
    let (status, bytes, parser) = pty.finish();
    assert_eq!(status, 0);
    assert_put_back(&bytes, &parser);
}

#[test]
fn raw_mode_is_switched_off_again() {
    let mut pty = Pty::start(None);
    pty.wait_for("count=0");
    let raw = pty.master.get_termios().expect("modes");
    pty.send(b"q");
    pty.wait_for("ended with Ok(Quit(0))");
    let cooked = pty.master.get_termios().expect("modes");
    assert_ne!(raw, cooked);
    pty.finish();
}

#[test]
fn the_window_can_become_tiny_and_large_again() {
    let mut pty = Pty::start(None);
    pty.wait_for("size=80x24");
    let resize = |pty: &Pty, rows: u16, cols: u16| {
        pty.seen.0.lock().expect("seen").parser.screen_mut().set_size(nonzero(rows), nonzero(cols));
        pty.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).expect("resize");
    };
    resize(&pty, 5, 20);
    pty.wait_for("window larger");
    resize(&pty, 40, 120);
    pty.wait_for("size=120x40");
    pty.send(b"q");
    assert_eq!(pty.finish().0, 0);
}

/// As over `ssh -tt` from where there is no window.
#[test]
fn a_terminal_that_does_not_say_its_size_gets_the_usual_one() {
    let mut pty = Pty::start_at(PtySize { rows: 0, cols: 0, pixel_width: 0, pixel_height: 0 }, &[]);
    pty.wait_for("size=80x24");
    pty.send(b"\x1b[A");
    pty.wait_for("count=1");
    pty.send(b"q");
    let (status, bytes, parser) = pty.finish();
    assert_eq!(status, 0);
    assert!(!bytes.contains(&0), "only what is known is drawn");
    assert_put_back(&bytes, &parser);
}

#[test]
fn signals_end_the_screen_and_put_everything_back() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let pty = Pty::start(None);
        pty.wait_for("count=0");
        pty.signal(signal);
        pty.wait_for("ended with Ok(Stopped)");
        let (status, bytes, parser) = pty.finish();
        assert_eq!(status, 0);
        assert_put_back(&bytes, &parser);
    }
}

#[test]
fn a_panic_puts_everything_back_first_and_leaves_a_report() {
    let reports = tempfile::tempdir().expect("folder");
    let mut pty = Pty::start(Some(reports.path()));
    pty.wait_for("count=0");
    pty.send(b"0");
    pty.wait_for("a panic on purpose");
    let (status, bytes, parser) = pty.finish();
    assert_ne!(status, 0);
    assert_put_back(&bytes, &parser);
    let report = std::fs::read_dir(reports.path()).expect("folder").next().expect("a report").expect("entry");
    assert!(std::fs::read_to_string(report.path()).expect("report").contains("a panic on purpose"));
}

#[test]
fn a_panic_in_an_effect_leaves_the_picture_alone() {
    let mut pty = Pty::start(None);
    pty.wait_for("count=0");
    pty.send(b"9");
    pty.wait_for("failed=true");
    assert!(pty.seen.0.lock().expect("seen").parser.screen().alternate_screen());
    pty.send(b"q");
    let (status, bytes, _) = pty.finish();
    assert_eq!(status, 0);
    assert!(!String::from_utf8_lossy(&bytes).contains("an effect on purpose"));
}

#[test]
fn a_hang_up_leaves_no_process() {
    let mut pty = Pty::start(None);
    pty.wait_for("count=0");
    pty.hang_up.store(true, Ordering::Release);
    // The answer to this key lets the reader see that it shall go.
    pty.send(b"\x1b[A");
    let Pty { child, master, writer, reader_gone, .. } = pty;
    reader_gone.recv_timeout(LIMIT).expect("the reader goes");
    drop((master, writer));
    Pty::status(child);
}

#[test]
fn a_loop_that_never_comes_back_is_ended_all_the_same() {
    // Two signals at once may be heard in either order; the second one ends the process.
    for (signals, wanted) in
        [(vec![Signal::SIGHUP], vec![129]), (vec![Signal::SIGTERM, Signal::SIGINT], vec![130, 143])]
    {
        let mut pty = Pty::start(None);
        pty.wait_for("count=0");
        pty.send(b"8");
        pty.wait_for("stuck");
        for signal in signals {
            pty.signal(signal);
        }
        let (status, bytes, parser) = pty.finish();
        assert!(wanted.contains(&status), "{status}");
        assert_put_back(&bytes, &parser);
    }
}

#[test]
fn colours_follow_the_environment_and_marks_stay_without_them() {
    let written = |variables: &[(&str, &str)]| {
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, OsString::from(value))).collect();
        let mut pty = Pty::start_with(&variables);
        pty.wait_for("marked");
        pty.send(b"q");
        let bytes = pty.finish().1;
        String::from_utf8_lossy(&bytes).into_owned()
    };
    assert!(written(&[("COLORTERM", "truecolor")]).contains(";2;"), "24 bits");
    let indexed = written(&[]);
    assert!(indexed.contains("8;5;") && !indexed.contains(";2;"), "256 colours");
    let basic = written(&[("TERM", "xterm")]);
    assert!(!basic.contains(";5;") && !basic.contains(";2;"), "16 colours");
    let plain = written(&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")]);
    let reversed = plain.contains("\u{1b}[7m") || plain.contains(";7m");
    assert!(!plain.contains("8;5;") && !plain.contains(";2;") && reversed, "{plain:?}");
}

#[test]
fn without_a_terminal_it_says_so() {
    let output = std::process::Command::new(std::env::current_exe().expect("this program"))
        .args(["--ignored", "--exact", "screen_of_the_child", "--nocapture"])
        .stdin(std::process::Stdio::null())
        .output()
        .expect("child");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("needs a terminal"));
}
