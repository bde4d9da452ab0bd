//! The document of a bench: its figures as JSON and as tables for people. Every time in it is in
//! microseconds, as the names say.

use super::keys::Keys;
use super::orders::Orders;
use super::roles::RoleCost;
use crate::cli::figures::{Spread, millis};
use crate::cli::output::{shown, table};
use serde::Serialize;

/// Everything that was measured; what was not is `null` or empty.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Of the program.
    pub version: &'static str,
    /// Where it was measured.
    pub machine: Machine,
    /// On which database.
    pub store: StoreFacts,
    /// Of the pauses.
    pub seed: u64,
    /// Statements of one order.
    pub statements: Option<Statements>,
    /// One for each case.
    pub orders: Vec<Orders>,
    /// From a commit to the frame in another process.
    pub feed: Option<Spread>,
    /// From a key to its frame.
    pub keys: Option<Keys>,
    /// What each role costs.
    pub roles: Vec<RoleCost>,
    /// The size of the program's file.
    pub binary_bytes: Option<u64>,
}

/// The machine, and how busy it was.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// Processors that this process may use.
    pub processors: usize,
    /// The operating system.
    pub system: &'static str,
    /// The processor's kind.
    pub architecture: &'static str,
    /// Whether the program was built for speed.
    pub release_build: bool,
    /// Processes that ran or waited, the mean of the last minute, before the run.
    pub load_average_before: Option<f64>,
    /// The same after it, the run itself included.
    pub load_average_after: Option<f64>,
}

/// The store of the run.
#[derive(Debug, Clone, Serialize)]
pub struct StoreFacts {
    /// `sqlite` or `postgres`.
    pub kind: &'static str,
    /// How a commit waits for the disk, in the database's own words; the same for the service and the limit.
    pub durability: String,
}

/// Statements that the database is sent for one order.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Statements {
    /// By the service, to place it.
    pub place: u64,
    /// By the service, to pay it.
    pub pay: u64,
    /// By the service, both.
    pub service: u64,
    /// By hand, both.
    pub bare: u64,
}

impl Machine {
    /// This machine.
    #[must_use]
    pub fn here(load_average_before: Option<f64>) -> Self {
        Self {
            processors: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            system: std::env::consts::OS,
            architecture: std::env::consts::ARCH,
            release_build: !cfg!(debug_assertions),
            load_average_before,
            load_average_after: None,
        }
    }
}

/// Processes that ran or waited, the mean of the last minute; none where the system does not tell.
#[must_use]
pub fn load_average() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

impl Report {
    /// For people.
    #[must_use]
    pub fn words(&self) -> String {
        let mut out = self.machine.words(&self.store);
        if !self.orders.is_empty() {
            out.push('\n');
            out.push_str(&orders(&self.orders));
        }
        if let Some(Statements { place, pay, service, bare }) = self.statements {
            out.push_str(&format!(
                "statements of an order: {service} by the service ({place} to place it, {pay} to pay it), {bare} by hand\n"
            ));
        }
        if let Some(feed) = &self.feed {
            out.push_str(&format!("\nfeed, commit to the frame of another process: {}\n", spread(feed)));
        }
        if let Some(Keys { tickets, columns, rows, key, draw }) = &self.keys {
            out.push_str(&format!("\nkitchen board of {tickets} tickets at {columns}x{rows}\n"));
            out.push_str(&format!("  key to last byte: {}\n  drawing alone:    {}\n", spread(key), spread(draw)));
        }
        if !self.roles.is_empty() {
            out.push('\n');
            out.push_str(&roles(&self.roles));
        }
        if let Some(bytes) = self.binary_bytes {
            out.push_str(&format!("\nprogram: {}\n", megabytes(bytes)));
        }
        out
    }
}

impl Machine {
    fn words(&self, store: &StoreFacts) -> String {
        let load = |load: Option<f64>| load.map_or_else(|| "unknown".to_owned(), |load| format!("{load:.2}"));
        let build = if self.release_build { "" } else { ", a build for debugging: not the product's speed" };
        format!(
            "{} processors, {} {}{build}; load average {} before, {} after\n{}, {}\n",
            self.processors,
            self.system,
            self.architecture,
            load(self.load_average_before),
            load(self.load_average_after),
            store.kind,
            shown(&store.durability)
        )
    }
}

fn spread(spread: &Spread) -> String {
    format!(
        "p50 {}, p99 {}, worst {} ({} samples)",
        millis(spread.p50_us),
        millis(spread.p99_us),
        millis(spread.worst_us),
        spread.samples
    )
}

fn orders(cases: &[Orders]) -> String {
    let rows: Vec<Vec<String>> = cases
        .iter()
        .map(|Orders { case, service, bare, ratio }| {
            vec![
                case.processes.to_string(),
                case.clients.to_string(),
                case.sites.to_string(),
                format!("{:.0}", service.orders_per_second),
                millis(service.wait.p50_us),
                millis(service.wait.p99_us),
                millis(service.wait.worst_us),
                format!("{:.0}", bare.orders_per_second),
                millis(bare.wait.p50_us),
                millis(bare.wait.p99_us),
                format!("{ratio:.2}"),
            ]
        })
        .collect();
    let head = [
        "PROCESSES>",
        "CLIENTS>",
        "SITES>",
        "ORDERS/S>",
        "P50>",
        "P99>",
        "WORST>",
        "BARE/S>",
        "P50>",
        "P99>",
        "RATIO>",
    ];
    let mut out = table(&head, &rows);
    for Orders { case, service, bare, .. } in cases {
        for (side, reached) in [("service", service), ("bare", bare)] {
            for (code, count) in &reached.errors {
                let (processes, clients, sites) = (case.processes, case.clients, case.sites);
                out.push_str(&format!("{processes}/{clients}/{sites} {side}: {count} orders failed: {code}\n"));
            }
        }
    }
    out
}

fn roles(costs: &[RoleCost]) -> String {
    let unknown = || "-".to_owned();
    let rows: Vec<Vec<String>> = costs
        .iter()
        .map(|cost| {
            vec![
                cost.role.to_owned(),
                cost.first_frame.map_or_else(unknown, |first| millis(first.p50_us)),
                cost.first_frame.map_or_else(unknown, |first| millis(first.worst_us)),
                cost.resident_bytes.map_or_else(unknown, megabytes),
                cost.idle_cpu_percent.map_or_else(unknown, |percent| format!("{percent:.2} %")),
            ]
        })
        .collect();
    table(&["ROLE", "FIRST FRAME>", "WORST>", "MEMORY>", "IDLE>"], &rows)
}

fn megabytes(bytes: u64) -> String {
    let tenths = bytes.saturating_add(50_000) / 100_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}
