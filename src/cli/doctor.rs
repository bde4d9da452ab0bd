//! `servery doctor`: recomputes the store from its own records and names the first row that disagrees.
//! Whoever can start it holds the store's address and keys, so it acts for the house.

use super::app::Role;
use super::desk::Desk;
use super::output::{Done, Failure, shown, table};
use crate::service::{Caller, archive, doctor};
use clap::Args;
use std::path::PathBuf;

/// What is examined beside the store.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Prove this file of an archive too, beside the store; may be given more than once
    #[arg(long, value_name = "FILE")]
    archive: Vec<PathBuf>,
}

/// Examines the store; exit status 1 where something disagrees.
///
/// # Errors
/// `STORE_UNAVAILABLE`; what disagrees is the answer.
pub async fn run(command: Doctor, desk: &Desk) -> Done {
    let house = desk.house(Role::Command).await?;
    let mut report = doctor::examine(&house.door, &Caller::System).await?;
    for file in &command.archive {
        report.checks.push(archive::check(&house.door, file).await?);
    }
    let healthy = report.is_healthy();
    let mut value = serde_json::to_value(&report).map_err(crate::domain::error::Refused::internal)?;
    if let Some(map) = value.as_object_mut() {
        map.insert("healthy".to_owned(), healthy.into());
    }
    desk.output.answer(&value, || {
        let rows: Vec<Vec<String>> = report
            .checks
            .iter()
            .map(|check| {
                let found = check.violation.as_deref().map_or_else(|| "ok".to_owned(), shown);
                vec![check.name.clone(), check.rows_examined.to_string(), found]
            })
            .collect();
        let mut out = table(&["CHECK", "ROWS>", "FOUND"], &rows);
        // In the table a long finding is cut.
        for check in report.violations() {
            out.push_str(&format!("{}: {}\n", check.name, shown(check.violation.as_deref().unwrap_or_default())));
        }
        out.push_str(if healthy { "Everything agrees.\n" } else { "Something disagrees.\n" });
        out
    })?;
    if healthy { Ok(()) } else { Err(Failure::Reported) }
}
