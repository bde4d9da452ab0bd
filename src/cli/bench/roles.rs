//! What the roles of the program cost: each is started as a process of its own in a pseudo-terminal, as
//! a person would start it; the time to its first whole frame is taken, then its memory and its processor time
//! while nothing happens. Memory and processor time come from `/proc`; where there is none they are left out.
//!
//! The pseudo-terminal is made with plain system calls. It is nobody's controlling terminal (to become that a
//! process has to run code between fork and exec, which needs `unsafe`); no role asks for more than that its
//! input and output are a terminal.

use super::progress::Progress;
use crate::cli::figures::{Spread, Waits};
use crate::domain::error::Refused;
use crate::store::beside::Beside;
use crate::tui::surface::END_SYNCHRONIZED;
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde::Serialize;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;

/// Steps of the progress bar: one for each role, and one for the idle time.
pub const STEPS: u64 = 6;
/// The roles with a screen, and the worker, which has none.
const ROLES: [&str; 5] = ["kiosk", "kitchen", "board", "console", "worker"];
/// The one without.
const WORKER: &str = "worker";
const COLUMNS: u16 = 120;
const ROWS: u16 = 40;
/// The pepper file of the run, in the folder of its store.
pub const PEPPER: &str = "pepper";
/// A frame that has not come in this time never comes.
const LIMIT: Duration = Duration::from_secs(30);
/// From the last start to the measuring: everything that starting set off is over.
const SETTLE: Duration = Duration::from_secs(3);

/// What one role costs.
#[derive(Debug, Clone, Serialize)]
pub struct RoleCost {
    /// The role.
    pub role: &'static str,
    /// From starting the process to the last byte of its first frame; none for the worker, which has none.
    pub first_frame: Option<Spread>,
    /// Resident memory, in bytes.
    pub resident_bytes: Option<u64>,
    /// Processor time in percent of one core, while nothing happens.
    pub idle_cpu_percent: Option<f64>,
}

/// How the roles are started.
#[derive(Debug, Clone, Copy)]
pub struct Starts {
    /// How often each.
    pub times: u32,
    /// For how long they are left alone.
    pub idle: Duration,
}

/// Measures every role on a site of the store.
///
/// # Errors
/// `INTERNAL_ERROR` for a role that cannot be started or never shows anything.
pub async fn measure(
    beside: &Beside,
    site: &str,
    starts: Starts,
    progress: &Progress,
) -> Result<Vec<RoleCost>, Refused> {
    let mut running = Vec::with_capacity(ROLES.len());
    for role in ROLES {
        let mut waits = Waits::default();
        let mut last = None;
        for _ in 0..starts.times {
            // The one before ends first.
            drop(last.take());
            let began = Instant::now();
            let mut started = Started::start(beside, site, role).map_err(Refused::internal)?;
            if role != WORKER {
                waits.note(started.first_frame().await? - began);
            }
            last = Some(started);
        }
        running.push((role, waits, last));
        progress.step();
    }
    tokio::time::sleep(SETTLE.min(starts.idle)).await;
    let pids: Vec<Option<u32>> =
        running.iter().map(|(.., started)| started.as_ref().and_then(|started| started.process.id())).collect();
    let before: Vec<Option<Duration>> = pids.iter().map(|pid| pid.and_then(cpu_time)).collect();
    let began = Instant::now();
    tokio::time::sleep(starts.idle).await;
    let lasted = began.elapsed();
    let costs = running.iter().zip(pids).zip(before).map(|(((role, waits, _), pid), before)| {
        let used = pid.and_then(cpu_time).zip(before).map(|(after, before)| after.saturating_sub(before));
        RoleCost {
            role,
            first_frame: (*role != WORKER).then(|| waits.spread()),
            resident_bytes: pid.and_then(resident_bytes),
            idle_cpu_percent: used.map(|used| used.as_secs_f64() * 100.0 / lasted.as_secs_f64()),
        }
    });
    let costs = costs.collect();
    progress.step();
    Ok(costs)
}

/// A role that runs; killed when dropped.
struct Started {
    process: Child,
    first_frame: Option<oneshot::Receiver<Instant>>,
}

impl Started {
    fn start(beside: &Beside, site: &str, role: &str) -> io::Result<Self> {
        let (ours, theirs) = pseudo_terminal()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(role);
        if role != WORKER {
            command.args(["--terminal", &format!("bench-{role}")]);
        }
        // None of the house's own settings, and no `.env` of the folder that we were started in.
        for (name, _) in std::env::vars_os() {
            if ["SERVERY_", "STRIPE_", "UPI_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
                command.env_remove(name);
            }
        }
        command
            .env("SERVERY_STORE", beside.url().with_password())
            .env("SERVERY_SITE", site)
            .env("SERVERY_PEPPER_FILE", beside.folder().join(PEPPER))
            .env("TERM", "xterm-256color")
            .env("COLORTERM", "truecolor")
            .env_remove("NO_COLOR")
            .current_dir(beside.folder());
        for variable in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"] {
            command.env(variable, beside.folder());
        }
        let end = |fd: &OwnedFd| fd.try_clone().map(Stdio::from);
        command.stdin(end(&theirs)?).stdout(end(&theirs)?).stderr(Stdio::null()).kill_on_drop(true);
        let process = command.spawn()?;
        let (told, first_frame) = oneshot::channel();
        std::thread::Builder::new().name("bench-terminal".to_owned()).spawn(move || read(File::from(ours), told))?;
        Ok(Self { process, first_frame: Some(first_frame) })
    }

    async fn first_frame(&mut self) -> Result<Instant, Refused> {
        let never = || Refused::internal("a role never showed anything");
        let waiting = self.first_frame.take().ok_or_else(never)?;
        tokio::time::timeout(LIMIT, waiting).await.map_err(|_| never())?.map_err(|_| never())
    }
}

/// Reads what a role writes until it ends; tells when the first frame is whole.
fn read(mut terminal: File, told: oneshot::Sender<Instant>) {
    let mut told = Some(told);
    let mut seen = Vec::new();
    let mut buffer = [0; 16 * 1024];
    // A terminal whose last user has gone answers with an error.
    while let Ok(count @ 1..) = terminal.read(&mut buffer) {
        if told.is_some() {
            seen.extend_from_slice(buffer.get(..count).unwrap_or_default());
            if seen.windows(END_SYNCHRONIZED.len()).any(|bytes| bytes == END_SYNCHRONIZED)
                && let Some(told) = told.take()
            {
                let _ = told.send(Instant::now());
            }
        }
    }
}

/// Both ends of a new pseudo-terminal; neither is inherited by other processes.
fn pseudo_terminal() -> io::Result<(OwnedFd, OwnedFd)> {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    rustix::io::fcntl_setfd(&ours, rustix::io::FdFlags::CLOEXEC)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let name = ptsname(&ours, Vec::new())?;
    let theirs = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    tcsetwinsize(&theirs, Winsize { ws_row: ROWS, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 })?;
    Ok((ours, theirs))
}

/// The processor time of all threads of a process that live, to the nanosecond.
fn cpu_time(pid: u32) -> Option<Duration> {
    let mut sum = Duration::ZERO;
    for thread in std::fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        let text = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        sum += Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?);
    }
    Some(sum)
}

/// The resident memory of a process.
fn resident_bytes(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1_024)
}
