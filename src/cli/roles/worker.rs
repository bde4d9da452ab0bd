//! The worker as a process of its own, for houses on Postgres whose screens should not lead.

use super::heartbeat::Heart;
use super::leading::Leading;
use crate::cli::app::House;
use crate::domain::error::Refused;
use crate::service::terminals::TerminalRole;
use crate::worker::Options;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Runs until a signal ends it.
///
/// # Errors
/// `INTERNAL_ERROR` when the process cannot listen for signals.
pub async fn run(house: House) -> Result<ExitCode, Refused> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Refused::internal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Refused::internal)?;
    let mut hang_up = signal(SignalKind::hangup()).map_err(Refused::internal)?;
    let _heart = Heart::register(&house, TerminalRole::Worker).await;
    let worker = Leading::start(&house, Options::default());
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hang_up.recv() => {}
    }
    worker.end().await;
    Ok(ExitCode::SUCCESS)
}
