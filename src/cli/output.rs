//! What a command prints: a table or sentences for people, one JSON value for scripts, and refusals in
//! both. Every stored text is cleaned before it reaches the terminal.

use super::shape::Shape;
use crate::domain::error::Refused;
use crate::domain::text;
use serde::Serialize;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

/// The widest cell of a table, in columns.
const MAX_CELL: usize = 48;
/// The exit status of a refused command.
const REFUSED: u8 = 1;
/// The exit status of a command line that cannot be understood.
const USAGE: u8 = 2;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub enum Failure {
    /// It was refused; with the order, where the order ended with the call (T4, T6).
    Refused(Box<Refused>, Option<Box<Shape>>),
    /// The command line does not make sense.
    Usage(String),
    /// What is wrong was the answer, and is printed already.
    Reported,
    /// The reader of the output has gone away.
    Closed,
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Refused(Box::new(refused), None)
    }
}

impl From<io::Error> for Failure {
    fn from(_: io::Error) -> Self {
        Self::Closed
    }
}

/// What every command answers.
pub type Done = Result<(), Failure>;

/// Where a command prints.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// JSON instead of words.
    pub json: bool,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'a serde_json::Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<&'a Shape>,
}

impl Output {
    /// Prints the value, or what people read of it.
    ///
    /// # Errors
    /// [`Failure::Closed`] when nobody reads, `INTERNAL_ERROR` for a value that is not JSON.
    pub fn answer(&self, value: &impl Serialize, words: impl FnOnce() -> String) -> Done {
        if self.json {
            let mut line = serde_json::to_string(value).map_err(Refused::internal)?;
            line.push('\n');
            return self.raw(&line);
        }
        let mut words = words();
        if !words.is_empty() && !words.ends_with('\n') {
            words.push('\n');
        }
        self.raw(&words)
    }

    /// Prints text as it is.
    ///
    /// # Errors
    /// [`Failure::Closed`] when nobody reads.
    pub fn raw(&self, text: &str) -> Done {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()?;
        Ok(())
    }

    /// Says something beside the answer, on standard error.
    pub fn say(&self, words: &str) {
        // Who has closed standard error does not want to hear.
        let _ = writeln!(io::stderr().lock(), "{words}");
    }

    /// Says why the command failed; its exit status.
    #[must_use]
    pub fn fail(&self, failure: &Failure) -> ExitCode {
        match failure {
            Failure::Closed | Failure::Reported => ExitCode::from(REFUSED),
            Failure::Usage(message) => {
                self.say(&format!("error: {message}\n\nFor more information, try '--help'."));
                ExitCode::from(USAGE)
            }
            Failure::Refused(refused, order) => {
                if let Some(cause) = &refused.cause {
                    tracing::error!(code = %refused.code, cause, "a command was refused");
                }
                if self.json {
                    let body = refused.to_json();
                    let error = body.get("error").unwrap_or(&body);
                    let body = ErrorBody { error, order: order.as_deref() };
                    let text = serde_json::to_string(&body).unwrap_or_default();
                    let _ = self.raw(&format!("{text}\n"));
                } else {
                    self.say(&format!("error: {}", shown(&refused.message)));
                    if let Some(orders) = refused.details.get("orders").and_then(serde_json::Value::as_array) {
                        let names: Vec<&str> = orders.iter().filter_map(serde_json::Value::as_str).collect();
                        self.say(&format!("  orders: {}", shown(&names.join(", "))));
                    }
                    self.say(&format!("{} ({})", shown(&refused.help), refused.code));
                }
                ExitCode::from(REFUSED)
            }
        }
    }
}

/// Whether a person sits at standard input.
#[must_use]
pub fn is_interactive() -> bool {
    io::stdin().is_terminal()
}

/// One line of stored text as it may stand on a terminal.
#[must_use]
pub fn shown(stored: &str) -> String {
    text::clean(stored, 500, false)
}

/// A table with a head; columns that end in `>` stand to the right.
#[must_use]
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let right: Vec<bool> = head.iter().map(|name| name.ends_with('>')).collect();
    let head: Vec<String> = head.iter().map(|name| name.trim_end_matches('>').to_owned()).collect();
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| text::truncate_to_width(&shown(cell), MAX_CELL)).collect())
        .collect();
    let width = |column: usize| {
        std::iter::once(&head)
            .chain(&cells)
            .filter_map(|row| row.get(column))
            .map(|cell| text::display_width(cell))
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut out = String::new();
    for row in std::iter::once(&head).chain(&cells) {
        let mut line = String::new();
        for ((cell, width), right) in row.iter().zip(&widths).zip(&right) {
            let pad = " ".repeat(width.saturating_sub(text::display_width(cell)));
            if *right {
                line.push_str(&pad);
                line.push_str(cell);
            } else {
                line.push_str(cell);
                line.push_str(&pad);
            }
            line.push_str("  ");
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// A line for whoever started the process, on standard error.
pub fn complain(words: &str) {
    // Who has closed standard error does not want to hear.
    let _ = writeln!(io::stderr().lock(), "{}", shown(words));
}

/// Puts a question on standard error, for the person at the terminal.
pub fn prompt(words: &str) {
    let mut out = io::stderr().lock();
    // Who has closed standard error does not want to be asked.
    let _ = write!(out, "{words}").and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_keeps_its_columns_under_hostile_text() {
        let rows =
            vec![vec!["a\u{1b}[2J\u{202e}b".to_owned(), "1".to_owned()], vec!["漢字".to_owned(), "100".to_owned()]];
        let text = table(&["NAME", "N>"], &rows);
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text:?}");
        let ends: Vec<usize> = text.lines().map(text::display_width).collect();
        assert!(ends.windows(2).all(|pair| pair[0] == pair[1]), "{text}");
    }
}
