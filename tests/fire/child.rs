//! A process of the test: this very binary started again as one of its ignored tests, with a line of JSON
//! for every word in either direction. What is said and done stands with those who use it.

use crate::support::wait::LIMIT;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child as Process, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Instant;

/// Marks the lines of a process that are not the test harness's.
const MARK: &str = "fire> ";

/// A process that says things of this type; killed when dropped.
pub struct Child<Said> {
    process: Process,
    input: Option<ChildStdin>,
    lines: Receiver<Said>,
    pub started: Instant,
}

impl<Said: DeserializeOwned + Send + 'static> Child<Said> {
    /// Starts this binary as the ignored test of this name, with more environment.
    pub fn start(test: &str, environment: &BTreeMap<String, String>) -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this binary"))
            .args(["--ignored", "--exact", test, "--nocapture", "--test-threads=1"])
            .envs(environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let started = Instant::now();
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().expect("piped"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // The harness may have begun the line.
                let Some((_, words)) = line.split_once(MARK) else { continue };
                let said = serde_json::from_str(words).unwrap_or_else(|error| panic!("{error}: {words}"));
                if sender.send(said).is_err() {
                    return;
                }
            }
        });
        Self { process, input, lines, started }
    }

    /// Tells it something.
    pub fn tell(&mut self, words: &impl Serialize) {
        let input = self.input.as_mut().expect("its input is open");
        writeln!(input, "{}", serde_json::to_string(words).expect("JSON")).expect("the process listens");
    }

    /// The next thing that it says; none: it has ended.
    pub fn hear(&self) -> Option<Said> {
        match self.lines.recv_timeout(LIMIT * 3) {
            Ok(said) => Some(said),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the process says nothing"),
        }
    }

    /// What it has said and nobody has heard.
    pub fn said(&self) -> impl Iterator<Item = Said> {
        self.lines.try_iter()
    }

    /// `kill -9`; what it had said can still be heard.
    pub fn kill(&mut self) {
        self.process.kill().expect("it was running");
        self.process.wait().expect("it ended");
    }

    /// Ends its input, which tells it to end, and hears it out.
    pub fn end(&mut self) -> (Vec<Said>, ExitStatus) {
        self.input.take();
        let said = self.lines.iter().collect();
        (said, self.process.wait().expect("it ended"))
    }

    /// Everything that it still says before its output ends.
    pub fn rest(&self) -> Vec<Said> {
        self.lines.iter().collect()
    }
}

impl<Said> Drop for Child<Said> {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}

/// Says something, from within such a process, in one write: it is said whole or not at all.
pub fn say(words: &impl Serialize) {
    let line = format!("{MARK}{}\n", serde_json::to_string(words).expect("JSON"));
    let mut output = std::io::stdout().lock();
    output.write_all(line.as_bytes()).and_then(|()| output.flush()).expect("the test listens");
}
