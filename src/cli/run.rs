//! `servery run`: one command by name, as JSON on standard input; its outcome as JSON. The values are
//! those of the use cases: minor units and microseconds.

use super::app::Role;
use super::desk::Desk;
use super::output::Done;
use crate::domain::error::Refused;
use crate::service::envelope::Envelope;
use std::io::Read;

/// The longest command, in bytes.
const MAX: u64 = 8 * 1024 * 1024;

/// Runs the command of standard input.
///
/// # Errors
/// `VALIDATION_ERROR` for what is no command; what its use case refuses.
pub async fn run(desk: &Desk) -> Done {
    let counter = desk.counter(Role::Command).await?;
    let mut text = String::new();
    let read = std::io::stdin().lock().take(MAX.saturating_add(1)).read_to_string(&mut text);
    read.map_err(|_| Refused::invalid("command", "The command cannot be read as UTF-8."))?;
    if u64::try_from(text.len()).is_ok_and(|length| length > MAX) {
        return Err(Refused::invalid("command", "The command is too large.").into());
    }
    let command = Envelope::from_json(&text)?;
    let outcome = command.run(&counter.house.door, &counter.actor.caller, counter.key()).await?;
    let line = serde_json::to_string(&outcome).map_err(Refused::internal)?;
    counter.output().raw(&format!("{line}\n"))
}
