//! The progress bar of a bench, on standard error and only where that is a terminal. Drawn by
//! `indicatif`: ratatui's own gauge would need its inline viewport, which asks the terminal where the cursor
//! is and reads the answer from standard input, and a command whose output is piped must not do that.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar; it goes away when it is dropped.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar of so many steps.
    #[must_use]
    pub fn new(steps: u64) -> Self {
        let bar = ProgressBar::new(steps);
        if let Ok(style) = ProgressStyle::with_template("{bar:32} {pos}/{len} {eta} {msg}") {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// What is measured now.
    pub fn says(&self, words: impl Into<String>) {
        self.bar.set_message(words.into());
    }

    /// One step is done.
    pub fn step(&self) {
        self.bar.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
