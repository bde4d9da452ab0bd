//! Doctor: recomputes from the rows what the house keeps as sums, counters and states, and names the
//! first row that disagrees. It reads only, in one transaction, and mends nothing.
//!
//! The rules are SQL in `rules`; what SQL cannot say (the transition table, the seals, the summaries of
//! the reports) is code.

mod rules;

use super::{Store, StoreError, Tx};
use super::{reports_fresh, seal};
use crate::domain::order::{TABLE, To};
use crate::domain::time::Timestamp;
use rules::RULES;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use std::collections::BTreeSet;
use uuid::Uuid;

/// What doctor found out about a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoctorReport {
    /// The site.
    pub site: String,
    /// Every check, whether it found something or not.
    pub checks: Vec<Check>,
    /// Audit rows that no seal covers yet; no violation.
    pub unsealed_audit_rows: i64,
}

impl DoctorReport {
    /// Whether nothing disagrees.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.checks.iter().all(|check| check.violation.is_none())
    }

    /// The checks that found something.
    pub fn violations(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.violation.is_some())
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What it looks at: stock, money, history, …
    pub name: String,
    /// How many rows it went through.
    pub rows_examined: i64,
    /// The first row that disagrees, and how.
    pub violation: Option<String>,
}

const MOVES: &str = "SELECT from_status, to_status, transition, COUNT(*) FROM order_history WHERE site_id = $1 \
     GROUP BY from_status, to_status, transition ORDER BY transition, from_status, to_status";
const FIRST_MOVE: &str = "SELECT order_id, version FROM order_history WHERE site_id = $1 AND to_status = $2 \
     AND COALESCE(from_status, '') = $3 AND transition = $4 ORDER BY order_id, version LIMIT 1";
const RECORD: &str = "INSERT INTO doctor_runs (site_id, id, started_at, finished_at, healthy, violations, \
     unsealed_audit_rows) VALUES ($1, $2, $3, $4, $5, $6, $7)";
const FORGET: &str = "DELETE FROM doctor_runs WHERE site_id = $1 AND started_at < $2";
const SITES: &str = "SELECT site_id FROM sites ORDER BY site_id";

/// Examines one site in one transaction that only reads.
///
/// # Errors
/// Any [`StoreError`] of the statements; what the rows say wrong is in the report and no error.
pub async fn examine(store: &Store, site: &str) -> Result<DoctorReport, StoreError> {
    let mut tx = store.read_long().await?;
    let report = examine_in(&mut tx, site).await?;
    tx.rollback().await?;
    Ok(report)
}

/// Examines every site of the store.
///
/// # Errors
/// As [`examine`].
pub async fn examine_all(store: &Store) -> Result<Vec<DoctorReport>, StoreError> {
    let mut tx = store.read_long().await?;
    let sites: Vec<(String,)> = fetch_all!(&mut tx, (String,), SITES)?;
    let mut reports = Vec::with_capacity(sites.len());
    for (site,) in sites {
        reports.push(examine_in(&mut tx, &site).await?);
    }
    tx.rollback().await?;
    Ok(reports)
}

/// Notes a run of doctor: when it began and ended, and what it found.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn record(
    tx: &mut Tx,
    site: &str,
    id: Uuid,
    (began, ended): (Timestamp, Timestamp),
    violations: &[Check],
    unsealed: i64,
) -> Result<(), StoreError> {
    execute!(tx, RECORD, site, id, began.0, ended.0, violations.is_empty(), Json(violations), unsealed)?;
    Ok(())
}

/// Forgets the runs that began before an instant.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn forget(tx: &mut Tx, site: &str, before: Timestamp) -> Result<u64, StoreError> {
    execute!(tx, FORGET, site, before.0)
}

/// As [`examine`], in a transaction of the caller's.
///
/// # Errors
/// As [`examine`].
pub async fn examine_in(tx: &mut Tx, site: &str) -> Result<DoctorReport, StoreError> {
    let mut checks = Vec::with_capacity(RULES.len() + 1);
    for group in RULES {
        let (rows_examined,): (i64,) = fetch_one!(&mut *tx, (i64,), group.count, site)?;
        let mut violation = None;
        for rule in group.rules {
            let found: Option<(Option<Uuid>, String)> =
                fetch_optional!(&mut *tx, (Option<Uuid>, String), rule.sql, site)?;
            if let Some((id, words)) = found {
                violation = Some(named(rule.subject, id, rule.wrong, &words));
                break;
            }
        }
        if violation.is_none() && group.name == "history" {
            violation = wrong_move(tx, site).await?;
        }
        checks.push(Check { name: group.name.to_owned(), rows_examined, violation });
    }
    let seals = seal::verify(tx, site).await?;
    checks.push(Check { name: "audit seals".to_owned(), rows_examined: seals.sealed, violation: seals.violation });
    let summaries = reports_fresh::verify(tx, site).await?;
    checks.push(Check {
        name: "report summaries".to_owned(),
        rows_examined: summaries.days,
        violation: summaries.violation,
    });
    Ok(DoctorReport { site: site.to_owned(), checks, unsealed_audit_rows: seals.unsealed })
}

/// `order 0190…: what is wrong: its words`. The words hold stored text: they are cleaned as such.
fn named(subject: &str, id: Option<Uuid>, wrong: &str, words: &str) -> String {
    let words = crate::domain::text::clean(words, 300, false);
    match id {
        Some(id) => format!("{subject} {id}: {wrong}: {words}"),
        None => format!("{subject} {words}: {wrong}"),
    }
}

/// A row of the history that no row of the transition table allows.
async fn wrong_move(tx: &mut Tx, site: &str) -> Result<Option<String>, StoreError> {
    let names: BTreeSet<&str> = TABLE.iter().map(|row| row.t).collect();
    let mut allowed = BTreeSet::new();
    for row in TABLE {
        let to = match row.to {
            To::Same => None,
            To::Status(to) | To::End(to, _) => Some(to.as_str()),
        };
        if row.from.is_empty() {
            allowed.insert(("", to.unwrap_or("")));
        }
        for from in row.from {
            allowed.insert((from.as_str(), to.unwrap_or(from.as_str())));
            allowed.insert((from.as_str(), from.as_str()));
        }
    }
    let moves: Vec<(Option<String>, String, String, i64)> =
        fetch_all!(&mut *tx, (Option<String>, String, String, i64), MOVES, site)?;
    for (from, to, transition, _) in moves {
        let from = from.unwrap_or_default();
        if names.contains(transition.as_str()) && allowed.contains(&(from.as_str(), to.as_str())) {
            continue;
        }
        let (order, version): (Uuid, i64) = fetch_one!(tx, (Uuid, i64), FIRST_MOVE, site, &to, &from, &transition)?;
        let words = format!("version {version}: {transition} from {from} to {to}");
        return Ok(Some(named("order", Some(order), "it moved as no row of the table allows (I7)", &words)));
    }
    Ok(None)
}
