//! `servery health`: is the house well? The answer has the fields of source 002 §13, and everything that
//! the Health tab shows. Looking makes no store and changes none, and needs nobody signed in: whoever can
//! start it holds the store's address.

use super::app::configured_methods;
use super::desk::Desk;
use super::output::{Done, Failure, shown, table};
use super::shape;
use crate::config::Config;
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::money::Currency;
use crate::domain::time::{Clock, Timestamp};
use crate::service::health::{self, ConcernLevel, HealthView};
use crate::service::health_numbers::{NumbersView, ShowNumbers};
use crate::service::setup;
use crate::service::site_info::ThisSite;
use crate::service::{Caller, Door, SystemClock, TimeOrderedIds};
use crate::store::{Options, Store, StoreUrl};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Mutex;

/// One look at the house.
#[derive(Debug, Clone)]
pub struct Look {
    /// How it is.
    pub view: HealthView,
    /// Today's numbers.
    pub numbers: NumbersView,
    currency: Currency,
}

/// Looks at the house again and again, and opens its store when it can be opened.
#[derive(Debug)]
pub struct Lookout {
    config: Config,
    door: Mutex<Option<Door>>,
}

impl Lookout {
    /// Looks at the store of a configuration; it is opened with the first look.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config, door: Mutex::new(None) }
    }

    /// Where the store is, without a password.
    #[must_use]
    pub fn address(&self) -> String {
        self.config.store.to_string()
    }

    /// Looks once.
    ///
    /// # Errors
    /// `NOT_FOUND` where there is no store or no such site, `STORE_UNAVAILABLE`.
    pub async fn look(&self) -> Result<Look, Refused> {
        let door = self.door().await?;
        let site = match door.ask(&Caller::System, ThisSite).await {
            Err(refused) if refused.code == ErrorCode::NotFound && setup::is_empty(door.store()).await? => {
                return Err(setup::not_set_up(&self.config.store));
            }
            asked => asked?,
        };
        let configured = configured_methods(&self.config.variables, site.demo);
        let view = health::look(&door, &Caller::System, Some(&configured)).await?;
        let numbers = door.ask(&Caller::System, ShowNumbers).await?;
        Ok(Look { view, numbers, currency: site.currency })
    }

    async fn door(&self) -> Result<Door, Refused> {
        let mut kept = self.door.lock().await;
        if let Some(door) = &*kept {
            return Ok(door.clone());
        }
        if let StoreUrl::Sqlite(path) = &self.config.store
            && !path.exists()
        {
            return Err(Refused::not_found("store", &self.config.store));
        }
        let options = Options { migrate: false, connections: 2, ..Options::default() };
        let store = Store::open(&self.config.store, options).await?;
        let ids = Arc::new(TimeOrderedIds::from_machine());
        let door = Door::new(store, self.config.site.clone(), Arc::new(SystemClock), ids);
        *kept = Some(door.clone());
        Ok(door)
    }
}

/// Says how the house is; exit status 1 where it is not well.
///
/// # Errors
/// Nothing but a closed output: what is wrong is the answer.
pub async fn run(desk: &Desk) -> Done {
    let lookout = Lookout::new(desk.config.clone());
    match lookout.look().await {
        Ok(look) => {
            desk.output.answer(&json(&look)?, || words(&look.view))?;
            if look.view.is_healthy() { Ok(()) } else { Err(Failure::Reported) }
        }
        Err(refused) => {
            tracing::warn!(code = %refused.code, cause = refused.cause, "the store is not well");
            desk.output.answer(&away(&lookout.address(), &refused), || {
                format!("unhealthy: database disconnected, version {}\n{}", VERSION, shown(&refused.message))
            })?;
            Err(Failure::Reported)
        }
    }
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The answer as JSON: the fields of 002 §13 first, then ours.
///
/// # Errors
/// `INTERNAL_ERROR` for a view that is not JSON.
pub fn json(look: &Look) -> Result<Value, Refused> {
    let mut out = json!({
        "status": look.view.status(),
        "database": "connected",
        "version": look.view.program_version,
        "timestamp": look.view.at.to_rfc3339(),
    });
    let Value::Object(ours) = shape::own(&look.view, look.currency)? else {
        return Err(Refused::internal("health is no object"));
    };
    if let Some(map) = out.as_object_mut() {
        map.extend(ours.into_iter().filter(|(key, _)| key != "at" && key != "program_version"));
    }
    Ok(out)
}

/// The answer where the store cannot be looked at.
#[must_use]
pub fn away(address: &str, refused: &Refused) -> Value {
    json!({
        "status": "unhealthy",
        "database": "disconnected",
        "version": VERSION,
        "timestamp": SystemClock.now().to_rfc3339(),
        "store": { "address": address },
        "error": { "code": refused.code.as_str(), "message": refused.message },
    })
}

/// So long ago, roughly.
fn ago(at: Option<Timestamp>, now: Timestamp) -> String {
    let Some(at) = at else { return "never".to_owned() };
    match now.seconds_since(at) {
        seconds @ 0..=119 => format!("{seconds} s ago"),
        seconds @ 120..=7_199 => format!("{} min ago", seconds / 60),
        seconds @ 7_200..=172_799 => format!("{} h ago", seconds / 3_600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

/// Bytes for people.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    let (mut whole, mut tenth, mut unit) = (bytes, 0, "bytes");
    for next in UNITS {
        if whole < 1_000 {
            break;
        }
        (whole, tenth, unit) = (whole / 1_000, whole % 1_000 / 100, next);
    }
    if unit == "bytes" { format!("{whole} {unit}") } else { format!("{whole}.{tenth} {unit}") }
}

fn words(view: &HealthView) -> String {
    let now = view.at;
    let mut out = format!("{}: database connected, version {}\n", view.status(), view.program_version);
    for concern in &view.concerns {
        let mark = if concern.level == ConcernLevel::Fault { "FAULT" } else { "warning" };
        let detail = concern.detail.as_deref().map(|detail| format!(": {}", shown(detail))).unwrap_or_default();
        out.push_str(&format!("{mark}: {}{detail}\n", concern.kind.as_str().replace('_', " ")));
    }
    let store = &view.store;
    out.push_str(&format!(
        "store: {} {}, schema {}, {}, answers in {} µs\n",
        store.kind,
        shown(&store.engine_version),
        store.schema_version,
        size(u64::try_from(store.size_bytes).unwrap_or(0)),
        store.latency_micros
    ));
    if let Some(disk) = store.disk {
        out.push_str(&format!("disk: {} of {} left\n", size(disk.free_bytes), size(disk.size_bytes)));
    }
    match &store.last_backup {
        Some(made) => out.push_str(&format!(
            "backup: {}, {}, {}\n",
            ago(Some(made.finished_at), now),
            size(u64::try_from(made.size_bytes).unwrap_or(0)),
            shown(&made.file)
        )),
        None => out.push_str("backup: never\n"),
    }
    match (&view.worker.holder, view.worker.since) {
        (Some(holder), since) => out.push_str(&format!("worker: {} since {}\n", shown(holder), ago(since, now))),
        _ => out.push_str("worker: none runs (servery worker, a kitchen or a console does its work)\n"),
    }
    out.push_str(&format!("outbox: {} waiting, {} given up\n", view.outbox.backlog, view.outbox.parked));
    for gateway in view.gateways.iter().filter(|gateway| gateway.enabled) {
        let keys = match gateway.configured {
            Some(false) => ", no keys here",
            _ => "",
        };
        out.push_str(&format!(
            "gateway {}: {} open, {} without an answer, {} given up, last answer {}, last failure {}{keys}\n",
            gateway.gateway,
            gateway.open,
            gateway.unknown,
            gateway.unresolved,
            ago(gateway.last_ok_at, now),
            ago(gateway.last_error_at, now)
        ));
    }
    match &view.doctor {
        Some(run) => out.push_str(&format!(
            "doctor: {}, {}\n",
            if run.healthy { "everything agreed" } else { "SOMETHING DISAGREES (servery doctor names it)" },
            ago(Some(run.finished_at), now)
        )),
        None => out.push_str("doctor: never\n"),
    }
    let rows: Vec<Vec<String>> = view
        .terminals
        .iter()
        .map(|terminal| {
            let state = if terminal.online { "online" } else { "away" };
            let version = terminal.software_version.clone().unwrap_or_default();
            let role = terminal.role.as_str().to_owned();
            vec![terminal.name.clone(), role, state.to_owned(), ago(terminal.last_seen_at, now), version]
        })
        .collect();
    if !rows.is_empty() {
        out.push_str(&table(&["TERMINAL", "ROLE", "STATE", "SEEN", "VERSION"], &rows));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_ages_are_said_in_few_digits() {
        assert_eq!(
            [0, 999, 1_000, 1_949, 12_345_678, u64::MAX].map(size),
            ["0 bytes", "999 bytes", "1.0 kB", "1.9 kB", "12.3 MB", "18446744.0 TB"]
        );
        let now = Timestamp(0).plus_seconds(1_000_000);
        let before = |seconds: i64| ago(Some(now.plus_seconds(-seconds)), now);
        assert_eq!(
            [before(-5), before(119), before(600), before(7_200)],
            ["0 s ago", "119 s ago", "10 min ago", "2 h ago"]
        );
        assert_eq!((before(200_000), ago(None, now)), ("2 days ago".to_owned(), "never".to_owned()));
    }
}
