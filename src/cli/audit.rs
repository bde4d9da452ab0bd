//! `servery audit`: who did what, when, from which terminal and why; and the proof of the seals over it.

use super::app::Role;
use super::desk::{Counter, Desk};
use super::output::{Done, Failure, shown, table};
use super::shape;
use crate::domain::error::Refused;
use crate::service::audit::{self, AuditEntry, AuditList, AuditPage, SealsProof, SealsStatus, SealsView};
use clap::{Args, Subcommand};
use serde_json::Value;

/// What can be done with the audit log.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Its rows, newest first
    List(Box<Filters>),
    /// How far it is sealed, and what doctor last said of the seals
    Status,
    /// Go through every seal now; exit status 1 where one does not hold
    Verify,
}

/// Which rows.
#[derive(Debug, Args)]
pub struct Filters {
    /// A part of the sentence, the entity's id or the reason
    #[arg(long)]
    text: Option<String>,
    /// The name of whoever acted, or their role
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// What was done: CREATE, UPDATE, … or the command
    #[arg(long)]
    action: Option<String>,
    /// The kind of thing: Order, Setting, TillShift, …
    #[arg(long)]
    entity: Option<String>,
    /// Which one
    #[arg(long, value_name = "ID")]
    entity_id: Option<String>,
    /// The name of the terminal
    #[arg(long)]
    terminal: Option<String>,
    /// From this business day (YYYY-MM-DD) or instant (RFC 3339) on
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Up to this business day, with it, or before this instant
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// The most rows
    #[arg(long, default_value_t = 50)]
    limit: i64,
    /// The `next` of the page before
    #[arg(long)]
    after: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// What the queries refuse; seals that do not hold are the answer, with exit status 1.
pub async fn run(command: Audit, desk: &Desk) -> Done {
    let counter = desk.counter(Role::Command).await?;
    match command {
        Audit::List(filters) => list(*filters, &counter).await,
        Audit::Status => {
            let view = counter.ask(SealsStatus).await?;
            counter.answer(&view, || status_words(&view))
        }
        Audit::Verify => {
            let proof = audit::verify(&counter.house.door, &counter.actor.caller).await?;
            counter.answer(&proof, || proof_words(&proof))?;
            if proof.violation.is_none() { Ok(()) } else { Err(Failure::Reported) }
        }
    }
}

async fn list(filters: Filters, counter: &Counter<'_>) -> Done {
    let from = counter.instant("from", filters.from.as_deref(), false).await?;
    let until = counter.instant("to", filters.to.as_deref(), true).await?;
    let Filters { text, actor, action, entity, entity_id, terminal, limit, after, .. } = filters;
    let query = AuditList { text, actor, action, entity, entity_id, terminal, from, until, after, limit };
    let page = counter.ask(query).await?;
    let value = page_shape(&page, counter)?;
    counter.output().answer(&value, || words(&page))
}

/// The values before and after stand as they were written: only the rows' own instants are put into words.
fn page_shape(page: &AuditPage, counter: &Counter<'_>) -> Result<Value, Refused> {
    let mut items = Vec::with_capacity(page.items.len());
    for entry in &page.items {
        let outside = AuditEntry { before: None, after: None, ..entry.clone() };
        let mut value = shape::own(&outside, counter.house.site.currency)?;
        if let Some(map) = value.as_object_mut() {
            map.insert("before".to_owned(), entry.before.clone().unwrap_or_default());
            map.insert("after".to_owned(), entry.after.clone().unwrap_or_default());
        }
        items.push(value);
    }
    Ok(serde_json::json!({ "items": items, "next": page.next }))
}

fn words(page: &AuditPage) -> String {
    let rows: Vec<Vec<String>> = page
        .items
        .iter()
        .map(|entry| {
            let who = entry.actor.clone().unwrap_or_else(|| entry.role.clone());
            let let_through = entry.override_by.as_ref().map_or_else(String::new, |by| format!(" (by {by})"));
            vec![
                entry.seq.to_string(),
                entry.at.to_rfc3339(),
                format!("{who}{let_through}"),
                entry.terminal.clone().unwrap_or_default(),
                entry.action.clone(),
                entry.details.clone(),
                entry.reason.clone().unwrap_or_default(),
                entry.seal.map_or_else(String::new, |seal| seal.seal.to_string()),
            ]
        })
        .collect();
    let mut out = table(&["#>", "AT", "WHO", "WHERE", "WHAT", "DETAILS", "WHY", "SEAL>"], &rows);
    if let Some(next) = &page.next {
        out.push_str(&format!("More: --after {next}\n"));
    }
    out
}

fn status_words(view: &SealsView) -> String {
    let mut out = format!("{} rows under {} seals, {} not sealed yet.\n", view.sealed, view.seals, view.unsealed);
    match (&view.violation, view.verified_at) {
        (Some(violation), _) => out.push_str(&format!("Doctor found: {}\n", shown(violation))),
        (None, Some(at)) => out.push_str(&format!("Doctor found the seals whole at {at}.\n")),
        (None, None) => out.push_str("Doctor has not gone through them yet.\n"),
    }
    out
}

fn proof_words(proof: &SealsProof) -> String {
    match (&proof.violation, proof.broken_from, proof.broken_to) {
        (Some(violation), Some(from), Some(to)) => {
            format!("Broken from audit row {from} to {to}: {}\n", shown(violation))
        }
        (Some(violation), ..) => format!("Broken: {}\n", shown(violation)),
        (None, ..) => format!("{} rows are sealed and whole, {} are not sealed yet.\n", proof.sealed, proof.unsealed),
    }
}
