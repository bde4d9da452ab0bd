//! `servery health`: is the house well? The answer has the fields of source 002 §13, and the worker's.
//! Looking makes no store and changes none.

use super::desk::Desk;
use super::output::{Done, Failure};
use crate::domain::error::Refused;
use crate::service::worker_due::{ShowWorker, WorkerStatus};
use crate::service::{Caller, Door, SystemClock, TimeOrderedIds};
use crate::store::{Options, Store, StoreUrl};
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
struct Health {
    status: &'static str,
    database: &'static str,
    store: String,
    version: &'static str,
    schema_version: Option<i64>,
    worker: Option<Worker>,
    outbox: Option<Outbox>,
    timestamp: String,
}

#[derive(Serialize)]
struct Worker {
    running: bool,
    holder: Option<String>,
    expires_at: Option<String>,
}

#[derive(Serialize)]
struct Outbox {
    backlog: i64,
    parked: i64,
}

/// Says how the house is; exit status 1 where the store cannot be used.
///
/// # Errors
/// Nothing but a closed output: what is wrong is the answer.
pub async fn run(desk: &Desk) -> Done {
    use crate::domain::time::Clock;
    let mut health = Health {
        status: "unhealthy",
        database: "disconnected",
        store: desk.config.store.to_string(),
        version: env!("CARGO_PKG_VERSION"),
        schema_version: None,
        worker: None,
        outbox: None,
        timestamp: SystemClock.now().to_rfc3339(),
    };
    match look(desk).await {
        Ok((schema, status)) => {
            health.status = "healthy";
            health.database = "connected";
            health.schema_version = Some(schema);
            health.outbox = Some(Outbox { backlog: status.backlog, parked: status.parked });
            health.worker = Some(Worker {
                running: status.holder.is_some(),
                holder: status.holder,
                expires_at: status.expires_at.map(|at| at.to_rfc3339()),
            });
        }
        Err(refused) => tracing::warn!(code = %refused.code, cause = refused.cause, "the store is not well"),
    }
    desk.output.answer(&health, || words(&health))?;
    if health.status == "healthy" { Ok(()) } else { Err(Failure::Reported) }
}

async fn look(desk: &Desk) -> Result<(i64, WorkerStatus), Refused> {
    if let StoreUrl::Sqlite(path) = &desk.config.store
        && !path.exists()
    {
        return Err(Refused::not_found("store", &desk.config.store));
    }
    let store = Store::open(&desk.config.store, Options { migrate: false, ..Options::default() }).await?;
    let schema = store.schema_version().await?;
    let ids = Arc::new(TimeOrderedIds::from_machine());
    let door = Door::new(store, desk.config.site.clone(), Arc::new(SystemClock), ids);
    Ok((schema, door.ask(&Caller::System, ShowWorker).await?))
}

fn words(health: &Health) -> String {
    let mut out = format!("{}: database {}, version {}", health.status, health.database, health.version);
    if let Some(worker) = &health.worker {
        match &worker.holder {
            Some(holder) => out.push_str(&format!("\nworker: {holder}")),
            None => out.push_str("\nworker: none runs (servery worker, a kitchen or a console does its work)"),
        }
    }
    if let Some(outbox) = &health.outbox {
        out.push_str(&format!("\noutbox: {} waiting, {} given up", outbox.backlog, outbox.parked));
    }
    out
}
