//! Examining the store, on demand and by the worker: who may, and the note of what was found. The
//! examination itself is `store/doctor.rs`.

use super::Caller;
use super::door::{Context, Door, Query, UseCase, View};
use crate::domain::access::Permission;
use crate::domain::error::Refused;
use crate::domain::time::Timestamp;
use crate::service::worker_writes::Fenced;
use crate::store::doctor::{self, Check, DoctorReport};
use crate::store::lease::Held;
use crate::store::records::AuditRow;
use serde::Serialize;

/// Whether the caller may examine the store; answers the instant.
struct MayExamine;

impl Query for MayExamine {
    type Output = Timestamp;
    const PERMISSION: Permission = Permission::AuditRead;

    async fn run(&self, view: &mut View<'_>) -> Result<Timestamp, Refused> {
        Ok(view.now)
    }
}

/// Results of doctor are kept for so many seconds: 90 days.
const KEEP_SECONDS: i64 = 90 * 24 * 3_600;

/// Notes what doctor found.
#[derive(Debug, Clone, Serialize)]
struct RecordExamination {
    /// Whether somebody asked for it; else the worker examined in its turn.
    asked_for: bool,
    started_at: Timestamp,
    violations: Vec<Check>,
    unsealed_audit_rows: i64,
}

impl UseCase for RecordExamination {
    type Output = ();
    const NAME: &'static str = "doctor";
    const PERMISSION: Permission = Permission::AuditRead;
    // Whatever finds nothing, hour by hour, would bury in the audit log what somebody did.
    const AUDITED: bool = false;

    async fn run(&self, context: &mut Context<'_>) -> Result<(), Refused> {
        let (id, now, site) = (context.new_id(), context.now, context.site.id.clone());
        let (violations, tail) = (&self.violations, self.unsealed_audit_rows);
        doctor::record(context.tx, &site, id, (self.started_at, now), violations, tail).await?;
        doctor::forget(context.tx, &site, now.plus_seconds(-KEEP_SECONDS)).await?;
        if self.asked_for || !violations.is_empty() {
            context.audit(AuditRow {
                action: "EXAMINE",
                entity: "Store",
                entity_id: id.to_string(),
                details: match violations.first().and_then(|check| check.violation.as_deref()) {
                    None => "doctor found nothing that disagrees".to_owned(),
                    Some(first) => format!("doctor found {} checks that fail; the first: {first}", violations.len()),
                },
                before: None,
                after: None,
                reason: None,
            });
        }
        Ok(())
    }
}

/// Examines the site and notes the result. Reads everything, outside of any command's transaction.
///
/// # Errors
/// The door's refusals for a caller who may not; `STORE_UNAVAILABLE`. Violations are in the report.
pub async fn examine(door: &Door, caller: &Caller) -> Result<DoctorReport, Refused> {
    let (report, record) = look(door, caller, true).await?;
    door.execute(caller, None, record).await?;
    Ok(report)
}

/// As [`examine`], by the worker in its turn: noted only under its lease, and in the audit log only what
/// disagrees.
///
/// # Errors
/// As [`examine`], and the refusal of [`super::worker_writes::lost`].
pub async fn examine_under_lease(door: &Door, held: &Held) -> Result<DoctorReport, Refused> {
    let (report, command) = look(door, &Caller::System, false).await?;
    door.execute(&Caller::System, None, Fenced { held: held.clone(), command }).await?;
    Ok(report)
}

async fn look(door: &Door, caller: &Caller, asked_for: bool) -> Result<(DoctorReport, RecordExamination), Refused> {
    let started_at = door.ask(caller, MayExamine).await?;
    let report = doctor::examine(door.store(), door.site_id()).await?;
    let violations = report.violations().cloned().collect();
    let unsealed_audit_rows = report.unsealed_audit_rows;
    Ok((report, RecordExamination { asked_for, started_at, violations, unsealed_audit_rows }))
}

/// When doctor last examined the site, and for how long; for the worker, which takes its turn by it.
#[derive(Debug, Clone, Copy)]
pub struct LastExamination;

/// The beginning and end of the last examination, if there was one, and the instant of the answer.
pub type Examined = (Option<(Timestamp, Timestamp)>, Timestamp);

impl Query for LastExamination {
    type Output = Examined;
    const PERMISSION: Permission = Permission::SystemRun;

    async fn run(&self, view: &mut View<'_>) -> Result<Examined, Refused> {
        let last = crate::store::health::last_doctor(view.tx, &view.site.id).await?;
        Ok((last.map(|run| (Timestamp(run.started_at), Timestamp(run.finished_at))), view.now))
    }
}
