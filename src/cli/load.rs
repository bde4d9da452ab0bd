//! What `servery stress` and `servery bench` share: a store of their own beside the given one, which is
//! removed however the command ends; the processes that they start; and the jobs of these. Each
//! command's own work stands in its file.

use super::bench::{feed, slice};
use super::crew::{Crew, CrewError, Post};
use super::desk::Desk;
use super::output::Done;
use super::stress;
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::Ids as _;
use crate::domain::time::Clock as _;
use crate::service::{SystemClock, TimeOrderedIds};
use crate::store::beside::Beside;
use serde::{Deserialize, Serialize};
use std::future::Future;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

/// The hidden command of the processes.
pub const CREW: &str = "crew";

/// A job of a process.
#[derive(Debug, Serialize, Deserialize)]
pub enum Job {
    /// A terminal of a stress run.
    Race(stress::Race),
    /// Some orders of a bench, by the service or by hand.
    Slice(slice::Slice),
    /// A board that reports when it drew what.
    Watch(feed::Watch),
}

impl From<CrewError> for Refused {
    fn from(error: CrewError) -> Self {
        Self::internal(error)
    }
}

/// Starts processes of this very program.
///
/// # Errors
/// `INTERNAL_ERROR` when they cannot be started.
pub fn crew(size: usize) -> Result<Crew, Refused> {
    let start = || {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(CREW);
        Ok(command)
    };
    Ok(Crew::start(size, start)?)
}

/// Serves as a process of a crew until its input ends.
///
/// # Errors
/// What a job refuses; `INTERNAL_ERROR` for pipes that break.
pub async fn serve() -> Done {
    let mut post = Post::take();
    let mut bench = slice::Bench::default();
    while let Some(job) = post.job().await.map_err(Refused::internal)? {
        match job {
            Job::Race(race) => stress::serve(race, &mut post).await?,
            Job::Slice(slice) => bench.serve(slice, &mut post).await?,
            Job::Watch(watch) => feed::serve(watch, &mut post).await?,
        }
    }
    Ok(())
}

/// The store of its own that a command works on.
#[derive(Debug)]
pub struct OwnStore<'a> {
    /// The desk.
    pub desk: &'a Desk,
    /// What the store is for: part of its name.
    pub purpose: &'a str,
    /// Whether the store stays when the command has ended.
    pub keep: bool,
}

impl OwnStore<'_> {
    /// Makes a store beside the desk's, runs the work on it, and removes it: also when the work fails, and when the
    /// command is interrupted (Ctrl-C, SIGTERM, SIGHUP). The processes of the work have ended by then.
    ///
    /// # Errors
    /// What the work refuses; `STORE_UNAVAILABLE` for a store that cannot be made or removed; `CONFLICT`
    /// when it was interrupted.
    pub async fn run<T>(&self, work: impl AsyncFnOnce(&Beside) -> Result<T, Refused>) -> Result<T, Refused> {
        let interrupted = interruption()?;
        let token = TimeOrderedIds::from_machine().next(SystemClock.now()).simple().to_string();
        let beside = Beside::make(&self.desk.config.store, self.purpose, token.get(20..).unwrap_or_default()).await?;
        // Cut, not asked to end: the work and its processes are gone when the store is removed.
        let done = tokio::select! {
            done = work(&beside) => done,
            () = interrupted => Err(Refused::new(ErrorCode::Conflict, "It was interrupted.")
                .help("Nothing of yours was touched. Start it again when you like.")),
        };
        let removed = if self.keep {
            self.desk.output.say(&format!("The store stays: {}", beside.place()));
            Ok(())
        } else {
            beside.remove().await
        };
        let done = done?;
        removed?;
        Ok(done)
    }
}

/// Ends when the process is asked to.
fn interruption() -> Result<impl Future<Output = ()>, Refused> {
    let listen = |kind| signal(kind).map_err(Refused::internal);
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hang_up = listen(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    })
}
