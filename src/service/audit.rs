//! The audit log as a manager reads it: pages of it with filters, how far it is sealed, and the proof of
//! the seals. It is read here and written by the door alone.

use super::Caller;
use super::door::{Door, Query, View};
use super::paging;
use crate::domain::access::Permission;
use crate::domain::error::Refused;
use crate::domain::time::Timestamp;
use crate::store::audit::{self, EntryFilter, EntryRow, MAX_PAGE};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The check of doctor that goes through the seals.
const SEALS_CHECK: &str = "audit seals";

/// One row of the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its number: rises, with gaps.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// The part that whoever acted played.
    pub role: String,
    /// Their name.
    pub actor: Option<String>,
    /// Their identity: a member of staff, or a guest.
    pub actor_id: Option<String>,
    /// The admin whose PIN let it through.
    pub override_by: Option<String>,
    /// What was done, as a word.
    pub action: String,
    /// The command.
    pub use_case: String,
    /// The kind of thing it was done to.
    pub entity: String,
    /// Which one.
    pub entity_id: String,
    /// What was done, as a sentence.
    pub details: String,
    /// The terminal at which it was done.
    pub terminal: Option<String>,
    /// Why, in a person's words.
    pub reason: Option<String>,
    /// The values before.
    pub before: Option<Value>,
    /// The values after.
    pub after: Option<Value>,
    /// The seal that covers it; `None`: not sealed yet.
    pub seal: Option<SealRange>,
}

/// A seal and the rows that it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealRange {
    /// The number of the seal.
    pub seal: i64,
    /// The first row under it.
    pub from: i64,
    /// The last row under it.
    pub to: i64,
}

impl From<EntryRow> for AuditEntry {
    fn from(row: EntryRow) -> Self {
        let seal = row.seal.zip(row.seal_from).zip(row.seal_to);
        Self {
            seq: row.seq,
            at: Timestamp(row.at),
            role: row.actor_role,
            actor: row.actor_name,
            actor_id: row.actor_id.map(|id| id.to_string()),
            // An account is never deleted; its number is better than nothing.
            override_by: row.override_name.or_else(|| row.override_by.map(|id| id.to_string())),
            action: row.action,
            use_case: row.use_case,
            entity: row.entity,
            entity_id: row.entity_id,
            details: row.details,
            terminal: row.terminal_name.or_else(|| row.terminal_id.map(|id| id.to_string())),
            reason: row.reason,
            before: row.before_value.map(|json| json.0),
            after: row.after_value.map(|json| json.0),
            seal: seal.map(|((seal, from), to)| SealRange { seal, from, to }),
        }
    }
}

/// A page of the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditPage {
    /// The rows, newest first.
    pub items: Vec<AuditEntry>,
    /// Pass it to get the next page; `None` on the last. There is no count of all: it would read all.
    pub next: Option<String>,
}

/// A page of the audit log, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditList {
    /// A part of the sentence, the entity's id or the reason, whatever the case.
    pub text: Option<String>,
    /// The name of whoever acted, or their role.
    pub actor: Option<String>,
    /// The word for what was done, or the command.
    pub action: Option<String>,
    /// The kind of thing: Order, Setting, TillShift.
    pub entity: Option<String>,
    /// Its identity.
    pub entity_id: Option<String>,
    /// The name of the terminal.
    pub terminal: Option<String>,
    /// Not before this instant.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
    /// Where the page before it ended: its `next`.
    pub after: Option<String>,
    /// The most rows; 1 to 500.
    pub limit: i64,
}

fn key_of(after: &str) -> Option<(Timestamp, i64)> {
    let (at, seq) = after.split_once('-')?;
    Some((Timestamp(at.parse().ok()?), seq.parse().ok()?))
}

impl Query for AuditList {
    type Output = AuditPage;
    const PERMISSION: Permission = Permission::AuditRead;

    async fn run(&self, view: &mut View<'_>) -> Result<AuditPage, Refused> {
        paging::check_limit(self.limit, MAX_PAGE)?;
        let key = |after: &String| key_of(after).ok_or_else(paging::wrong_key);
        let before = self.after.as_ref().map(key).transpose()?;
        let given = |text: &Option<String>| paging::given(text.as_ref()).map(str::to_owned);
        let filter = EntryFilter {
            text: given(&self.text),
            actor: given(&self.actor),
            action: given(&self.action),
            entity: given(&self.entity),
            entity_id: given(&self.entity_id),
            terminal: given(&self.terminal),
            from: self.from,
            until: self.until,
        };
        let site = view.site.id.clone();
        let mut rows = audit::page(view.tx, &site, &filter, before, self.limit.saturating_add(1)).await?;
        let next = paging::cut(&mut rows, self.limit, |row| format!("{}-{}", row.at, row.seq));
        Ok(AuditPage { items: rows.into_iter().map(AuditEntry::from).collect(), next })
    }
}

/// How far the audit log is sealed, and what doctor last said of the seals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealsView {
    /// How many seals there are.
    pub seals: i64,
    /// How many rows they cover.
    pub sealed: i64,
    /// How many rows no seal covers yet.
    pub unsealed: i64,
    /// When the last seal was set.
    pub sealed_at: Option<Timestamp>,
    /// When doctor last went through them.
    pub verified_at: Option<Timestamp>,
    /// What it found wrong then.
    pub violation: Option<String>,
}

/// Asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealsStatus;

impl Query for SealsStatus {
    type Output = SealsView;
    const PERMISSION: Permission = Permission::AuditRead;

    async fn run(&self, view: &mut View<'_>) -> Result<SealsView, Refused> {
        let site = view.site.id.clone();
        let (row, unsealed) = audit::sealed(view.tx, &site).await?;
        let doctor = audit::last_doctor(view.tx, &site).await?;
        let violation = doctor.as_ref().and_then(|run| {
            run.violations.0.iter().find(|check| check.name == SEALS_CHECK).and_then(|check| check.violation.clone())
        });
        Ok(SealsView {
            seals: row.seals,
            sealed: row.sealed,
            unsealed,
            sealed_at: row.sealed_at.map(Timestamp),
            verified_at: doctor.and_then(|run| run.finished_at).map(Timestamp),
            violation,
        })
    }
}

/// What going through every seal found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealsProof {
    /// Rows under a seal that holds.
    pub sealed: i64,
    /// Rows that no seal covers yet; no violation.
    pub unsealed: i64,
    /// What is wrong with the first seal that does not hold.
    pub violation: Option<String>,
    /// The first row under it.
    pub broken_from: Option<i64>,
    /// The last row under it.
    pub broken_to: Option<i64>,
}

/// Whether the caller may.
struct MayVerify;

impl Query for MayVerify {
    type Output = ();
    const PERMISSION: Permission = Permission::AuditRead;

    async fn run(&self, _: &mut View<'_>) -> Result<(), Refused> {
        Ok(())
    }
}

/// Goes through every seal now. Reads the whole log, in a transaction that may take long.
///
/// # Errors
/// The door's refusals for a caller who may not; `STORE_UNAVAILABLE`. What does not hold is the answer.
pub async fn verify(door: &Door, caller: &Caller) -> Result<SealsProof, Refused> {
    door.ask(caller, MayVerify).await?;
    let found = audit::verify_seals(door.store(), door.site_id()).await?;
    let (broken_from, broken_to) = found.broken.unzip();
    Ok(SealsProof {
        sealed: found.sealed,
        unsealed: found.unsealed,
        violation: found.violation,
        broken_from,
        broken_to,
    })
}
