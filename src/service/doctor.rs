//! Examining the store on demand: who may, and the note of what was found. The examination itself is
//! `store/doctor.rs`.

use super::Caller;
use super::door::{Context, Door, Query, UseCase, View};
use crate::domain::access::Permission;
use crate::domain::error::Refused;
use crate::domain::time::Timestamp;
use crate::store::doctor::{self, Check, DoctorReport};
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

/// Notes what doctor found.
#[derive(Debug, Clone, Serialize)]
struct RecordExamination {
    started_at: Timestamp,
    violations: Vec<Check>,
    unsealed_audit_rows: i64,
}

impl UseCase for RecordExamination {
    type Output = ();
    const NAME: &'static str = "doctor";
    const PERMISSION: Permission = Permission::AuditRead;

    async fn run(&self, context: &mut Context<'_>) -> Result<(), Refused> {
        let (id, now, site) = (context.new_id(), context.now, context.site.id.clone());
        let (violations, tail) = (&self.violations, self.unsealed_audit_rows);
        doctor::record(context.tx, &site, id, (self.started_at, now), violations, tail).await?;
        Ok(())
    }
}

/// Examines the site and notes the result. Reads everything, outside of any command's transaction.
///
/// # Errors
/// The door's refusals for a caller who may not; `STORE_UNAVAILABLE`. Violations are in the report.
pub async fn examine(door: &Door, caller: &Caller) -> Result<DoctorReport, Refused> {
    let started_at = door.ask(caller, MayExamine).await?;
    let report = doctor::examine(door.store(), door.site_id()).await?;
    let violations = report.violations().cloned().collect();
    let record = RecordExamination { started_at, violations, unsealed_audit_rows: report.unsealed_audit_rows };
    door.execute(caller, None, record).await?;
    Ok(report)
}
