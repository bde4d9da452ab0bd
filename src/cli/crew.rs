//! Processes of this program that work for one command: both ends of the pipes between them, and the
//! barrier by which all of them start at one moment. What they do is the command's; nothing of it is
//! known here.
//!
//! A process takes one job after the other from its standard input (a line of JSON each), prepares it, says
//! that it is ready, waits until it is told to go, and answers with a line of JSON. It ends with its input, so
//! none outlives whoever started it. Addresses and keys go through the pipe, never over the command line, which
//! other users of the machine can read.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines, Stdin};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Marks the lines of a process that are meant for the other end; a test harness may print others.
const MARK: &str = "crew> ";
/// What a process says when it is prepared.
const READY: &str = "ready";
/// What it is told then.
const GO: &str = "go";

/// Why a crew could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum CrewError {
    /// A process could not be started.
    #[error("a process could not be started: {0}")]
    Start(io::Error),
    /// A process ended before its work was done; what it said stands on standard error.
    #[error("process {0} ended before its work was done")]
    Ended(usize),
    /// A process said something that is no answer.
    #[error("process {0} said what is no answer: {1}")]
    Nonsense(usize, serde_json::Error),
}

/// A process, and the pipes to it.
#[derive(Debug)]
struct Member {
    // Killed when dropped; kept for that alone.
    _process: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    number: usize,
}

impl Member {
    async fn tell(&mut self, line: &str) -> Result<(), CrewError> {
        let said = self.input.write_all(format!("{line}\n").as_bytes()).await;
        match said.and(self.input.flush().await) {
            Ok(()) => Ok(()),
            Err(_) => Err(CrewError::Ended(self.number)),
        }
    }

    /// The next line that is meant for us.
    async fn told(&mut self) -> Result<String, CrewError> {
        while let Ok(Some(line)) = self.lines.next_line().await {
            // A test harness may have begun the line.
            if let Some((_, words)) = line.split_once(MARK) {
                return Ok(words.to_owned());
            }
        }
        Err(CrewError::Ended(self.number))
    }
}

/// Processes that stand ready. They are killed when it is dropped.
#[derive(Debug)]
pub struct Crew {
    members: Vec<Member>,
}

impl Crew {
    /// Starts so many processes, each of the command that `command` makes; each must serve a [`Post`]. Must be
    /// called within a tokio runtime.
    ///
    /// # Errors
    /// [`CrewError::Start`].
    pub fn start(size: usize, command: impl Fn() -> io::Result<Command>) -> Result<Self, CrewError> {
        let start = |number: usize| -> io::Result<Member> {
            let mut command = command()?;
            // In a group of its own: Ctrl-C at the terminal is for whoever started it, who then ends it.
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).process_group(0);
            let mut process = command.spawn()?;
            let missing = || io::Error::other("a pipe is missing");
            let input = process.stdin.take().ok_or_else(missing)?;
            let output = process.stdout.take().ok_or_else(missing)?;
            Ok(Member { _process: process, input, lines: BufReader::new(output).lines(), number })
        };
        let members = (0..size).map(start).collect::<io::Result<Vec<_>>>().map_err(CrewError::Start)?;
        Ok(Self { members })
    }

    /// How many processes there are.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.members.len()
    }

    /// Lets the first processes do a job each, all from one moment on; the answers in the order of the jobs. With
    /// more jobs than processes, the jobs that are over are not done.
    ///
    /// # Errors
    /// [`CrewError::Ended`] and [`CrewError::Nonsense`] for a process that does not answer.
    pub async fn run<J: Serialize, A: DeserializeOwned>(&mut self, jobs: &[J]) -> Result<Vec<A>, CrewError> {
        self.begin(jobs).await?;
        let mut answers = Vec::with_capacity(jobs.len());
        for member in self.members.iter_mut().take(jobs.len()) {
            answers.push(answer(member).await?);
        }
        Ok(answers)
    }

    /// As [`Crew::run`], but returns when all have been told to go.
    ///
    /// # Errors
    /// As [`Crew::run`].
    pub async fn begin<J: Serialize>(&mut self, jobs: &[J]) -> Result<(), CrewError> {
        for (member, job) in self.members.iter_mut().zip(jobs) {
            let line = serde_json::to_string(job).map_err(|error| CrewError::Nonsense(member.number, error))?;
            member.tell(&line).await?;
        }
        for member in self.members.iter_mut().take(jobs.len()) {
            while member.told().await? != READY {}
        }
        for member in self.members.iter_mut().take(jobs.len()) {
            member.tell(GO).await?;
        }
        Ok(())
    }

    /// The next answer of one process, for jobs that answer more than once.
    ///
    /// # Errors
    /// As [`Crew::run`].
    pub async fn answer<A: DeserializeOwned>(&mut self, number: usize) -> Result<A, CrewError> {
        let member = self.members.get_mut(number).ok_or(CrewError::Ended(number))?;
        answer(member).await
    }
}

async fn answer<A: DeserializeOwned>(member: &mut Member) -> Result<A, CrewError> {
    let line = member.told().await?;
    serde_json::from_str(&line).map_err(|error| CrewError::Nonsense(member.number, error))
}

/// The other end: what a process of a crew takes its jobs from.
#[derive(Debug)]
pub struct Post {
    lines: Lines<BufReader<Stdin>>,
}

impl Post {
    /// Takes this process's standard input. Must be called within a tokio runtime.
    #[must_use]
    pub fn take() -> Self {
        Self { lines: BufReader::new(tokio::io::stdin()).lines() }
    }

    /// The next job; `None` when there is no more.
    ///
    /// # Errors
    /// For input that breaks or is no job.
    pub async fn job<J: DeserializeOwned>(&mut self) -> io::Result<Option<J>> {
        let Some(line) = self.lines.next_line().await? else { return Ok(None) };
        serde_json::from_str(&line).map(Some).map_err(io::Error::from)
    }

    /// Says that the job is prepared and waits until it is told to go; `false` when nobody is there any more.
    ///
    /// # Errors
    /// For pipes that break.
    pub async fn ready(&mut self) -> io::Result<bool> {
        say(READY).await?;
        Ok(self.lines.next_line().await?.is_some_and(|line| line == GO))
    }

    /// Answers the job.
    ///
    /// # Errors
    /// For a pipe that breaks, and an answer that is not JSON.
    pub async fn answer(&mut self, answer: &impl Serialize) -> io::Result<()> {
        say(&serde_json::to_string(answer)?).await
    }

    /// Returns when nobody is there any more to answer to.
    pub async fn closed(&mut self) {
        while let Ok(Some(_)) = self.lines.next_line().await {}
    }
}

async fn say(words: &str) -> io::Result<()> {
    // One write, so that nothing of a harness comes between.
    let line = format!("{MARK}{words}\n");
    let mut output = tokio::io::stdout();
    output.write_all(line.as_bytes()).await?;
    output.flush().await
}
