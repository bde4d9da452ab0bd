//! `servery terminal`: the registered kiosks, kitchens, boards and counters. They register themselves; here
//! they are listed and taken off. The PIN with which a kiosk is left is in `staff exit-pin`.

use super::app::Role as HouseRole;
use super::desk::{Counter, Desk};
use super::output::{Done, shown, table};
use crate::domain::error::Refused;
use crate::service::terminals::{ListTerminals, RevokeTerminal, TerminalRole, TerminalView};
use clap::{Args, Subcommand};

/// What can be done with the terminals.
#[derive(Debug, Subcommand)]
pub enum Terminal {
    /// The registered terminals, by name
    List(Filters),
    /// Take a terminal off: it can do nothing more, and every session that began there is over
    Revoke {
        /// Its name, such as kiosk-counter, or its id
        terminal: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

/// Which of them.
#[derive(Debug, Args)]
pub struct Filters {
    /// A part of the name
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only those of this role: kiosk, kitchen, board, console or worker
    #[arg(long)]
    role: Option<TerminalRole>,
    /// With those that were taken off
    #[arg(long)]
    revoked: bool,
}

/// Runs the command.
///
/// # Errors
/// What the use cases refuse.
pub async fn run(command: Terminal, desk: &Desk) -> Done {
    let counter = desk.counter(HouseRole::Command).await?;
    match command {
        Terminal::List(filters) => {
            let wanted = filters.search.unwrap_or_default().trim().to_lowercase();
            let mut terminals = counter.ask(ListTerminals).await?;
            terminals.retain(|terminal| {
                (filters.revoked || terminal.revoked_at.is_none())
                    && filters.role.is_none_or(|role| terminal.role == role)
                    && terminal.name.to_lowercase().contains(&wanted)
            });
            counter.answer(&terminals, || terminal_table(&terminals))
        }
        Terminal::Revoke { terminal, reason } => {
            let found = find(&terminal, &counter).await?;
            counter.execute(RevokeTerminal { terminal: found.id, reason }).await?;
            // Not read again: the session of this command may have begun there, and is over then.
            let off = serde_json::json!({ "id": found.id, "name": found.name, "role": found.role, "revoked": true });
            counter.answer(&off, || format!("{} is taken off.", shown(&found.name)))
        }
    }
}

/// A terminal that was not taken off, by its name or its id.
///
/// # Errors
/// `NOT_FOUND`; `INSUFFICIENT_ROLE` for who may not see the terminals.
async fn find(named: &str, counter: &Counter<'_>) -> Result<TerminalView, Refused> {
    let wanted = named.trim();
    let known = counter.ask(ListTerminals).await?;
    let found = known.into_iter().filter(|terminal| terminal.revoked_at.is_none());
    let mut found = found.filter(|terminal| terminal.name == wanted || terminal.id.to_string() == wanted);
    found.next().ok_or_else(|| {
        Refused::not_found("terminal", shown(wanted)).help("servery terminal list shows those that are registered.")
    })
}

fn terminal_table(terminals: &[TerminalView]) -> String {
    let rows: Vec<Vec<String>> = terminals
        .iter()
        .map(|terminal| {
            vec![
                terminal.name.clone(),
                terminal.role.as_str().to_owned(),
                terminal.software_version.clone().unwrap_or_default(),
                terminal.last_seen_at.map(|at| at.to_rfc3339()).unwrap_or_default(),
                terminal.revoked_at.map(|at| at.to_rfc3339()).unwrap_or_default(),
                terminal.id.to_string(),
            ]
        })
        .collect();
    table(&["NAME", "ROLE", "VERSION", "LAST SEEN", "TAKEN OFF", "ID"], &rows)
}
