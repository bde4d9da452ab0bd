//! Runs the real `servery` binary: with arguments to its end, or as a process that a test looks at and kills.
//!
//! Each [`Servery`] has a home directory of its own and none of the caller's `SERVERY_*` or `XDG_*` variables, so a
//! test never reads or writes the real settings and store of whoever runs it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::wait;

/// The binary that cargo built for this test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_servery");

/// What the environment says about a terminal; the caller's is not the test's.
const TERMINAL: [&str; 8] = ["TERM", "COLUMNS", "LINES", "NO_COLOR", "COLORTERM", "COLORFGBG", "TMUX", "STY"];

/// How `servery` is started: which store, which environment.
#[derive(Debug)]
pub struct Servery {
    home: tempfile::TempDir,
    environment: BTreeMap<String, String>,
}

impl Servery {
    /// On the store at `store` (`sqlite:PATH` or `postgres://…`).
    pub fn on(store: &str) -> Self {
        Self::without_store().with("SERVERY_STORE", store)
    }

    /// With no store named: the program takes its default one, inside this value's home directory.
    pub fn without_store() -> Self {
        let home = tempfile::tempdir().expect("a temporary home directory");
        let mut environment = BTreeMap::new();
        environment.insert("HOME".to_owned(), home.path().display().to_string());
        for (name, folder) in [
            ("XDG_DATA_HOME", "data"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CACHE_HOME", "cache"),
        ] {
            environment.insert(name.to_owned(), home.path().join(folder).display().to_string());
        }
        Self { home, environment }
    }

    /// With one more environment variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The home directory, removed with this value.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The whole environment of a process: what the caller has, without its settings of Servery and its terminal's, and
    /// ours.
    pub fn environment(&self) -> BTreeMap<OsString, OsString> {
        let mut all: BTreeMap<OsString, OsString> = std::env::vars_os()
            .filter(|(name, _)| {
                let name = name.to_string_lossy();
                let ours = ["SERVERY_", "XDG_", "STRIPE_"].iter().any(|prefix| name.starts_with(prefix));
                !ours && !TERMINAL.contains(&&*name)
            })
            .collect();
        all.extend(self.environment.iter().map(|(name, value)| (name.into(), value.into())));
        all
    }

    /// The command with its environment, for a test that wants to set more of it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(arguments).env_clear().envs(self.environment());
        command
    }

    /// Runs to the end with an empty standard input.
    ///
    /// # Panics
    /// When the program does not end within [`wait::LIMIT`].
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Finished {
        self.start(arguments).finish(wait::LIMIT)
    }

    /// Runs to the end, with `--json` added, and returns what it printed.
    ///
    /// # Panics
    /// When the program fails, does not end, or prints something else than one JSON value.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let finished = self.run(&[arguments, &["--json"]].concat());
        assert!(finished.status.success(), "{arguments:?} failed: {finished:?}");
        finished.json()
    }

    /// Makes the demo in the store, which is empty.
    ///
    /// # Panics
    /// When it is not made.
    #[track_caller]
    pub fn make_demo(&self) {
        assert_eq!(self.json(&["init", "--demo"])["demo"], true);
    }

    /// Starts a process, its output captured.
    #[track_caller]
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::spawn(&mut self.command(arguments))
    }
}

/// What a program left behind.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// Everything it printed.
    pub stdout: String,
    /// Everything it printed as error.
    pub stderr: String,
}

impl Finished {
    /// Standard output as JSON.
    ///
    /// # Panics
    /// When it is not one JSON value.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("not JSON ({error}): {self:?}"))
    }

    /// The `error` object of a refused command: `{"error": {"code", "message", "details"}}`, from standard output
    /// or standard error.
    ///
    /// # Panics
    /// When the program succeeded or printed no such object.
    #[track_caller]
    pub fn error(&self) -> serde_json::Value {
        assert!(!self.status.success(), "it succeeded: {self:?}");
        [&self.stdout, &self.stderr]
            .iter()
            .find_map(|text| serde_json::from_str::<serde_json::Value>(text).ok()?.get("error").cloned())
            .unwrap_or_else(|| panic!("no error object: {self:?}"))
    }
}

/// A process whose output is captured. Dropping it kills the process.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Running {
    /// Starts `command` with an empty standard input.
    ///
    /// # Panics
    /// When it cannot be started.
    #[track_caller]
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} did not start: {error}"));
        let stdout = read_to_end(child.stdout.take().expect("stdout is piped"));
        let stderr = read_to_end(child.stderr.take().expect("stderr is piped"));
        Self { child, stdout, stderr }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When the process is already reaped.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        kill(pid_of(self.pid()), signal).expect("the process is there");
    }

    /// `kill -9`: the process has no chance to do anything more.
    pub fn kill(mut self) -> Finished {
        self.child.kill().expect("the process is there");
        self.finish(wait::LIMIT)
    }

    /// Waits for the end of the process and of its output.
    ///
    /// # Panics
    /// When it does not end within `limit`; it is killed then, and the message shows what it printed.
    #[track_caller]
    pub fn finish(mut self, limit: Duration) -> Finished {
        let deadline = Instant::now() + limit;
        let left = || deadline.saturating_duration_since(Instant::now());
        let stdout = self.stdout.recv_timeout(left());
        let stderr = self.stderr.recv_timeout(left());
        let (Ok(stdout), Ok(stderr)) = (stdout, stderr) else {
            let _ = self.child.kill();
            let printed = |output: &Receiver<String>| output.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
            let (stdout, stderr) = (printed(&self.stdout), printed(&self.stderr));
            panic!("the process did not end within {limit:?}\nstdout: {stdout}\nstderr: {stderr}");
        };
        // A process that has closed its output may live on.
        let mut status = None;
        wait::until(left(), "the end of a process that has closed its output", || {
            status = self.child.try_wait().expect("the process is ours");
            status.is_some()
        });
        Finished { status: status.expect("it ended"), stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Reads on a thread of its own, so that a process never blocks on a full pipe.
fn read_to_end(mut source: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = source.read_to_end(&mut bytes);
        // The receiver is gone when the test has ended.
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

/// The signal-sending type of a process id.
pub fn pid_of(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).expect("a process id fits"))
}

/// The fields of `/proc/PID/stat` after the command name, which may itself hold spaces and brackets.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(text.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

/// Whether the process runs: it is there and is not a zombie that waits for its parent.
pub fn is_running(pid: u32) -> bool {
    stat(pid).and_then(|fields| fields.first().cloned()).is_some_and(|state| state != "Z" && state != "X")
}

/// The processor time that a process has used so far, all its threads, to 10 ms. `None` when it is gone.
pub fn cpu_time(pid: u32) -> Option<Duration> {
    /// Linux gives these times to programs in hundredths of a second on every architecture.
    const TICK: Duration = Duration::from_millis(10);
    let fields = stat(pid)?;
    // utime and stime, fields 14 and 15 of the whole line.
    let ticks: u32 = fields.get(11)?.parse::<u32>().ok()? + fields.get(12)?.parse::<u32>().ok()?;
    Some(TICK * ticks)
}

/// The resident memory of a process, in bytes. `None` when it is gone.
pub fn resident_memory(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// The ids of all running processes.
fn all_processes() -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).filter(|pid| is_running(*pid)).collect()
}

/// The running processes that `pid` started, and those that these started, while their parents live.
pub fn descendants(pid: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> =
        all_processes().into_iter().filter_map(|child| Some((child, stat(child)?.get(1)?.parse().ok()?))).collect();
    let mut found = Vec::new();
    let mut open = vec![pid];
    while let Some(parent) = open.pop() {
        let children = parents.iter().filter(|(_, of)| *of == parent).map(|(child, _)| *child);
        let children: Vec<u32> = children.collect();
        found.extend(&children);
        open.extend(children);
    }
    found
}

/// The running processes that were started with the environment variable `name` set to `value`: the way to find
/// every process of one test, also those whose parent has died.
pub fn with_environment(name: &str, value: &str) -> Vec<u32> {
    let wanted = format!("{name}={value}").into_bytes();
    all_processes()
        .into_iter()
        .filter(|pid| {
            fs::read(format!("/proc/{pid}/environ"))
                .is_ok_and(|environment| environment.split(|byte| *byte == 0).any(|variable| variable == wanted))
        })
        .collect()
}
