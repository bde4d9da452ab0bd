//! `servery completions` and `servery man`: what clap's own generators make of the command line.

use super::Cli;
use super::output::{Done, Failure, Output};
use crate::domain::error::Refused;
use clap::CommandFactory;
use clap_complete::Shell;

/// Prints the completions of a shell.
///
/// # Errors
/// A closed output.
pub fn completions(shell: Shell, output: Output) -> Done {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "servery", &mut text);
    output.raw(&String::from_utf8_lossy(&text))
}

/// Prints the man page of the program, or of one command.
///
/// # Errors
/// A closed output; a usage error for a command that there is not.
pub fn man(path: &[String], output: Output) -> Done {
    let mut command = Cli::command();
    command.build();
    let mut found = &command;
    for name in path {
        let next = found.find_subcommand(name);
        found = next.ok_or_else(|| Failure::Usage(format!("there is no command '{}'", path.join(" "))))?;
    }
    let mut text = Vec::new();
    clap_mangen::Man::new(found.clone()).render(&mut text).map_err(Refused::internal)?;
    output.raw(&String::from_utf8_lossy(&text))
}
