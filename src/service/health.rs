//! How the house is, for the console's Health tab, `servery health` and the metrics: what the store, the
//! terminals, the worker, the events, the gateways, the backups and doctor say, and what of it is a
//! concern. It reads and changes nothing; the limits beyond which something is a concern stand here.
//!
//! The permission is `reports:read`: who may see what the house earns may see how it is.

use super::Caller;
use super::door::{Door, Query, View};
use super::terminals::TerminalRole;
use super::worker_due::worker_status;
use crate::domain::access::Permission;
use crate::domain::error::Refused;
use crate::domain::payment::Method;
use crate::domain::time::Timestamp;
use crate::store::doctor::Check;
use crate::store::{backup, health, lease, people};
use crate::words;
use serde::{Deserialize, Serialize};

/// Between two heartbeats of a terminal, in seconds.
pub const HEARTBEAT_SECONDS: i64 = 30;
/// A terminal whose last heartbeat is at most so many seconds old is online: two may be lost.
pub const ONLINE_SECONDS: i64 = 3 * HEARTBEAT_SECONDS;
/// Less room on the disk than this, in bytes, is a warning (1 GiB).
pub const DISK_LOW_BYTES: u64 = 1 << 30;
/// Less room on the disk than this, in bytes, is a fault (100 MiB): the next hours' orders may not fit.
pub const DISK_FULL_BYTES: u64 = 100 << 20;
/// A real store whose last good backup is older than this, in seconds, is a warning: a daily one, and two
/// hours of patience.
pub const BACKUP_LATE_SECONDS: i64 = 26 * 3_600;
/// A backup that runs for longer than this, in seconds, has ended without a word.
pub const BACKUP_LOST_SECONDS: i64 = 6 * 3_600;
/// A real store whose last examination by doctor is older than this, in seconds, is a warning.
pub const DOCTOR_LATE_SECONDS: i64 = 26 * 3_600;
/// An event that waits for longer than this, in seconds, is a warning.
pub const EVENT_LATE_SECONDS: i64 = 600;

words!(
    /// How bad a concern is.
    ConcernLevel, "level of a concern" {
        /// Somebody should look today.
        Warning = "warning",
        /// The house is not well: somebody has to look now.
        Fault = "fault",
    }
);

words!(
    /// What is of concern.
    ConcernKind, "kind of a concern" {
        /// Doctor found rows that disagree.
        DoctorFound = "doctor_found",
        /// The disk is nearly full.
        DiskFull = "disk_full",
        /// The room on the disk grows short.
        DiskLow = "disk_low",
        /// The version of the database has known faults.
        EngineUnsafe = "engine_unsafe",
        /// Nobody holds the worker's lease: time-outs, open payments, refunds and events wait.
        NoWorker = "no_worker",
        /// Events were given up and wait for a person.
        EventsParked = "events_parked",
        /// Events are not delivered in time.
        EventsLate = "events_late",
        /// The last word of a gateway was a failure.
        GatewayFailing = "gateway_failing",
        /// Payments were given up without an answer, and may have been captured all the same.
        PaymentsUnresolved = "payments_unresolved",
        /// The last backup failed or never ended.
        BackupFailed = "backup_failed",
        /// There is no recent backup of a real store.
        BackupLate = "backup_late",
        /// Doctor has not examined a real store recently.
        DoctorLate = "doctor_late",
    }
);

/// Something that somebody should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concern {
    /// How bad it is.
    pub level: ConcernLevel,
    /// What it is; screens look their sentence up by it.
    pub kind: ConcernKind,
    /// Which one, or how many of them; stored text in it was cleaned.
    pub detail: Option<String>,
}

/// How the house is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthView {
    /// The instant of the answer, on the clock of the store.
    pub at: Timestamp,
    /// The site's name.
    pub site: String,
    /// Whether this is the demo.
    pub demo: bool,
    /// The version of the program that answers.
    pub program_version: String,
    /// What is of concern, the worst first; empty: nothing is.
    pub concerns: Vec<Concern>,
    /// The store.
    pub store: StoreHealth,
    /// Every terminal that was not taken off, by name.
    pub terminals: Vec<TerminalHealth>,
    /// The worker's lease.
    pub worker: WorkerHealth,
    /// The events on their way.
    pub outbox: OutboxHealth,
    /// The gateway of each method that has one, by method.
    pub gateways: Vec<GatewayHealth>,
    /// Doctor's last run; none: it never came to an end here.
    pub doctor: Option<DoctorHealth>,
}

impl HealthView {
    /// Whether no concern is a fault.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.concerns.iter().all(|concern| concern.level != ConcernLevel::Fault)
    }

    /// `healthy` or `unhealthy`.
    #[must_use]
    pub fn status(&self) -> &'static str {
        if self.is_healthy() { "healthy" } else { "unhealthy" }
    }
}

/// How the store is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreHealth {
    /// `sqlite` or `postgres`.
    pub kind: String,
    /// Its address, without a password.
    pub address: String,
    /// The version of the SQLite inside, or of the server.
    pub engine_version: String,
    /// Whether that version is known to be safe.
    pub engine_is_safe: bool,
    /// The schema that it has.
    pub schema_version: i64,
    /// The schema of this program.
    pub known_version: i64,
    /// How long it takes to answer the smallest question (microseconds).
    pub latency_micros: i64,
    /// How large it is, in bytes.
    pub size_bytes: i64,
    /// The room on its file system; none where it is elsewhere.
    pub disk: Option<DiskHealth>,
    /// The last backup that succeeded.
    pub last_backup: Option<BackupHealth>,
    /// The last try to make a backup, where it failed or has not ended; none: the last try is
    /// `last_backup`, or there was none.
    pub failed_backup: Option<FailedBackup>,
}

/// The room on a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskHealth {
    /// What may still be written, in bytes.
    pub free_bytes: u64,
    /// All of it, in bytes.
    pub size_bytes: u64,
}

/// A backup that succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupHealth {
    /// The file, on the machine that made it.
    pub file: String,
    /// Its size, in bytes.
    pub size_bytes: i64,
    /// When it was finished.
    pub finished_at: Timestamp,
}

/// A backup that failed, or runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedBackup {
    /// The file, on the machine that tried.
    pub file: String,
    /// When it began.
    pub started_at: Timestamp,
    /// Why it failed; none: it has not ended.
    pub error: Option<String>,
}

/// A terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalHealth {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub role: TerminalRole,
    /// What it runs.
    pub software_version: Option<String>,
    /// Its last heartbeat.
    pub last_seen_at: Option<Timestamp>,
    /// Whether that is at most [`ONLINE_SECONDS`] ago.
    pub online: bool,
}

/// Who leads the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerHealth {
    /// Whether somebody holds the lease now.
    pub running: bool,
    /// Who holds it: process id and a name of the start.
    pub holder: Option<String>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Until when the lease lasts without renewal; also where it is over.
    pub expires_at: Option<Timestamp>,
    /// Rises with every new holder.
    pub fence: Option<i64>,
}

/// The events on their way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxHealth {
    /// Events that wait to be delivered.
    pub backlog: i64,
    /// When the oldest of them was told.
    pub oldest_at: Option<Timestamp>,
    /// Events that were given up and wait for a person.
    pub parked: i64,
}

/// A gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayHealth {
    /// Its name.
    pub gateway: String,
    /// The method that it serves.
    pub method: Method,
    /// Whether the settings offer the method.
    pub enabled: bool,
    /// Whether the process that asked has its keys; none: it did not say.
    pub configured: Option<bool>,
    /// Attempts that are not decided yet.
    pub open: i64,
    /// Of these, those whose answer never came; the worker asks about them.
    pub unknown: i64,
    /// Attempts given up without an answer, which may have been captured all the same.
    pub unresolved: i64,
    /// Refunds on their way.
    pub pending_refunds: i64,
    /// When it last answered.
    pub last_ok_at: Option<Timestamp>,
    /// When it last failed to.
    pub last_error_at: Option<Timestamp>,
    /// Why.
    pub last_error: Option<String>,
}

impl GatewayHealth {
    /// Whether its last word was a failure.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.last_error_at > self.last_ok_at
    }
}

/// Doctor's last run: the proof of stock, money and sums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoctorHealth {
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// Whether nothing disagreed.
    pub healthy: bool,
    /// The checks that found something.
    pub violations: Vec<Check>,
    /// Audit rows that no seal covered then; no violation.
    pub unsealed_audit_rows: i64,
}

/// What one consistent look at the rows of the site tells; [`look`] adds the rest.
struct ShowRows;

/// What [`ShowRows`] answers.
struct Rows {
    at: Timestamp,
    site: String,
    demo: bool,
    terminals: Vec<TerminalHealth>,
    worker: WorkerHealth,
    outbox: OutboxHealth,
    gateways: Vec<GatewayHealth>,
    doctor: Option<DoctorHealth>,
    last_backup: Option<BackupHealth>,
}

impl Query for ShowRows {
    type Output = Rows;
    const PERMISSION: Permission = Permission::ReportsRead;

    async fn run(&self, view: &mut View<'_>) -> Result<Rows, Refused> {
        let (site, now) = (std::sync::Arc::clone(&view.site), view.now);
        let tx = &mut *view.tx;
        let status = worker_status(tx, &site.id, now).await?;
        let since = health::lease_since(tx, &site.id, lease::WORKER).await?;
        let running = status.holder.is_some();
        let worker = WorkerHealth {
            running,
            holder: status.holder,
            since: since.filter(|_| running).map(|lease| Timestamp(lease.acquired_at)),
            expires_at: status.expires_at,
            fence: status.fence,
        };
        let oldest_at = health::oldest_event(tx, &site.id).await?;
        let outbox = OutboxHealth { backlog: status.backlog, oldest_at, parked: status.parked };
        let mut terminals = Vec::new();
        for row in people::terminals(tx, &site.id).await?.into_iter().filter(|row| row.revoked_at.is_none()) {
            let last_seen_at = row.last_seen_at.map(Timestamp);
            terminals.push(TerminalHealth {
                role: row.role.parse()?,
                name: row.name,
                software_version: row.software_version,
                last_seen_at,
                online: last_seen_at.is_some_and(|at| is_online(at, now)),
            });
        }
        let doctor = health::last_doctor(tx, &site.id).await?.map(|run| DoctorHealth {
            started_at: Timestamp(run.started_at),
            finished_at: Timestamp(run.finished_at),
            healthy: run.healthy,
            violations: run.violations.0,
            unsealed_audit_rows: run.unsealed_audit_rows,
        });
        let last_backup = health::last_good_backup(tx, &site.id).await?.map(|made| BackupHealth {
            file: made.file_name,
            size_bytes: made.size_bytes,
            finished_at: Timestamp(made.finished_at),
        });
        let gateways = gateways(view).await?;
        let (name, demo) = (site.name.clone(), site.demo);
        Ok(Rows { at: now, site: name, demo, terminals, worker, outbox, gateways, doctor, last_backup })
    }
}

/// Whether a heartbeat is recent. One from ahead was written under a clock that was set back since.
fn is_online(last_seen_at: Timestamp, now: Timestamp) -> bool {
    last_seen_at.seconds_since(now).max(now.seconds_since(last_seen_at)) <= ONLINE_SECONDS
}

async fn gateways(view: &mut View<'_>) -> Result<Vec<GatewayHealth>, Refused> {
    let (site, settings) = (view.site.id.clone(), &view.site.settings);
    let tx = &mut *view.tx;
    let states = health::gateways(tx, &site).await?;
    let open = health::open_attempts(tx, &site).await?;
    let unresolved = health::unresolved_attempts(tx, &site).await?;
    let refunds = health::pending_refunds(tx, &site).await?;
    let of = |counts: &[health::Count], method: Method| {
        counts.iter().find(|count| count.kind == method.as_str()).map_or(0, |count| count.rows)
    };
    let method = |method: Method, enabled: bool| {
        let name = method.provider_name();
        let state = states.iter().find(|state| state.gateway == name);
        let waiting = open.iter().find(|waiting| waiting.method == method.as_str());
        GatewayHealth {
            gateway: name.to_owned(),
            method,
            enabled,
            configured: None,
            open: waiting.map_or(0, |waiting| waiting.open),
            unknown: waiting.map_or(0, |waiting| waiting.unknown),
            unresolved: of(&unresolved, method),
            pending_refunds: of(&refunds, method),
            last_ok_at: state.and_then(|state| state.last_ok_at).map(Timestamp),
            last_error_at: state.and_then(|state| state.last_error_at).map(Timestamp),
            last_error: state.and_then(|state| state.last_error.clone()),
        }
    };
    Ok(vec![method(Method::Card, settings.card_payment_enabled), method(Method::Upi, settings.upi_payment_enabled)])
}

/// How the house is. `configured` names the methods for which the asking process has a gateway with its
/// keys, where it knows.
///
/// # Errors
/// `INSUFFICIENT_ROLE` for a caller without `reports:read` and the other refusals of the door;
/// `STORE_UNAVAILABLE`.
pub async fn look(door: &Door, caller: &Caller, configured: Option<&[Method]>) -> Result<HealthView, Refused> {
    let rows = door.ask(caller, ShowRows).await?;
    let store = door.store();
    let took = health::round_trip(store).await?;
    let status = backup::status(store, door.site_id()).await?;
    let disk = health::disk_space(store);
    // The last try that did not end well stands beside the last one that did.
    let failed = status.last_backup.filter(|last| last.error.is_some() || last.finished_at.is_none());
    let mut view = HealthView {
        at: rows.at,
        site: rows.site,
        demo: rows.demo,
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        concerns: Vec::new(),
        store: StoreHealth {
            kind: status.kind,
            address: status.address,
            engine_version: status.engine_version,
            engine_is_safe: status.engine_is_safe,
            schema_version: status.schema_version,
            known_version: status.known_version,
            latency_micros: i64::try_from(took.as_micros()).unwrap_or(i64::MAX),
            size_bytes: status.size_bytes,
            disk: disk.map(|disk| DiskHealth { free_bytes: disk.free_bytes, size_bytes: disk.size_bytes }),
            last_backup: rows.last_backup,
            failed_backup: failed.map(|last| FailedBackup {
                file: last.file_name,
                started_at: Timestamp(last.started_at),
                error: last.error,
            }),
        },
        terminals: rows.terminals,
        worker: rows.worker,
        outbox: rows.outbox,
        gateways: rows.gateways,
        doctor: rows.doctor,
    };
    if let Some(configured) = configured {
        for gateway in &mut view.gateways {
            gateway.configured = Some(configured.contains(&gateway.method));
        }
    }
    view.concerns = concerns(&view);
    Ok(view)
}

/// What of a view is of concern, the worst first.
fn concerns(view: &HealthView) -> Vec<Concern> {
    use ConcernKind as Kind;
    let mut found = Vec::new();
    let mut add = |level: ConcernLevel, kind: Kind, detail: Option<String>| {
        let detail = detail.map(|detail| crate::domain::text::clean(&detail, 300, false));
        found.push(Concern { level, kind, detail });
    };
    let (fault, warning) = (ConcernLevel::Fault, ConcernLevel::Warning);
    let late = |at: Option<Timestamp>, seconds: i64| at.is_none_or(|at| view.at.seconds_since(at) > seconds);
    let store = &view.store;
    for check in view.doctor.iter().flat_map(|run| &run.violations) {
        add(fault, Kind::DoctorFound, check.violation.clone().or_else(|| Some(check.name.clone())));
    }
    match store.disk {
        Some(disk) if disk.free_bytes < DISK_FULL_BYTES => add(fault, Kind::DiskFull, None),
        Some(disk) if disk.free_bytes < DISK_LOW_BYTES => add(warning, Kind::DiskLow, None),
        _ => {}
    }
    if !store.engine_is_safe {
        add(warning, Kind::EngineUnsafe, Some(store.engine_version.clone()));
    }
    if !view.worker.running {
        add(warning, Kind::NoWorker, None);
    }
    if view.outbox.parked > 0 {
        add(warning, Kind::EventsParked, Some(view.outbox.parked.to_string()));
    }
    // Without a worker nothing is delivered: that is said already.
    if view.worker.running && view.outbox.oldest_at.is_some_and(|at| late(Some(at), EVENT_LATE_SECONDS)) {
        add(warning, Kind::EventsLate, Some(view.outbox.backlog.to_string()));
    }
    for gateway in view.gateways.iter().filter(|gateway| gateway.enabled && gateway.is_failing()) {
        add(warning, Kind::GatewayFailing, Some(gateway.gateway.clone()));
    }
    let unresolved: i64 = view.gateways.iter().map(|gateway| gateway.unresolved).sum();
    if unresolved > 0 {
        add(warning, Kind::PaymentsUnresolved, Some(unresolved.to_string()));
    }
    if let Some(failed) = &store.failed_backup
        && (failed.error.is_some() || late(Some(failed.started_at), BACKUP_LOST_SECONDS))
    {
        add(warning, Kind::BackupFailed, Some(failed.error.clone().unwrap_or_else(|| failed.file.clone())));
    }
    // A demo is nobody's loss.
    if !view.demo && late(store.last_backup.as_ref().map(|made| made.finished_at), BACKUP_LATE_SECONDS) {
        add(warning, Kind::BackupLate, None);
    }
    if !view.demo && late(view.doctor.as_ref().map(|run| run.finished_at), DOCTOR_LATE_SECONDS) {
        add(warning, Kind::DoctorLate, None);
    }
    found.sort_by_key(|concern| std::cmp::Reverse(concern.level));
    found
}
