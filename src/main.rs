//! The program: parses the command line and starts one role. Nothing else lives here.

use clap::Parser;
use servery::cli::{self, Cli};
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::start(Cli::parse())
}
