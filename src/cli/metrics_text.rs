//! The metrics of the house in the text format of Prometheus (version 0.0.4): names, units and words of
//! help. Numbers only: no name of a person, order or terminal is a label.

use super::health::Look;
use crate::domain::error::Refused;
use crate::domain::time::Timestamp;
use crate::service::health::HealthView;
use crate::service::health_numbers::NumbersView;
use crate::service::terminals::TerminalRole;
use std::fmt::Write as _;

/// The content type of [`page`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Gauge,
    Counter,
}

/// Writes families of samples, each with its HELP and TYPE.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    /// Begins a family.
    fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> Family<'_> {
        let kind = if kind == Kind::Gauge { "gauge" } else { "counter" };
        // Writing into a text cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {}\n# TYPE {name} {kind}", help.replace('\\', "\\\\"));
        Family { page: self, name }
    }

    /// A family of one sample without labels.
    fn gauge(&mut self, name: &'static str, help: &str, value: impl std::fmt::Display) {
        self.family(name, Kind::Gauge, help).sample(&[], value);
    }

    /// As [`Page::gauge`], of which there may be no sample.
    fn gauge_if(&mut self, name: &'static str, help: &str, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            self.gauge(name, help, value);
        }
    }
}

struct Family<'a> {
    page: &'a mut Page,
    name: &'static str,
}

impl Family<'_> {
    fn sample(&mut self, labels: &[(&str, &str)], value: impl std::fmt::Display) -> &mut Self {
        self.page.text.push_str(self.name);
        for (at, (label, text)) in labels.iter().enumerate() {
            let open = if at == 0 { '{' } else { ',' };
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.page.text, "{open}{label}=\"{text}\"");
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.page.text, "{close} {value}");
        self
    }
}

/// Microseconds as seconds, exactly.
fn seconds(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let (whole, part) = (micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000);
    format!("{sign}{whole}.{part:06}")
}

fn instant(at: Timestamp) -> String {
    seconds(at.0)
}

/// The whole page; of a store that cannot be looked at it says only that.
#[must_use]
pub fn page(look: Result<&Look, &Refused>) -> String {
    let mut page = Page::default();
    page.family("servery_build_info", Kind::Gauge, "The program; always 1.")
        .sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    page.gauge("servery_store_up", "Whether the store can be used (1) or not (0).", u8::from(look.is_ok()));
    if let Ok(look) = look {
        house(&mut page, &look.view);
        money(&mut page, &look.view);
        numbers(&mut page, &look.numbers);
    }
    page.text
}

fn house(page: &mut Page, view: &HealthView) {
    let store = &view.store;
    page.family("servery_store_info", Kind::Gauge, "The database under the store; always 1.")
        .sample(&[("kind", &store.kind), ("version", &store.engine_version)], 1);
    page.gauge("servery_healthy", "Whether no concern is a fault (1) or one is (0).", u8::from(view.is_healthy()));
    page.gauge("servery_concerns", "Things that somebody should look at.", view.concerns.len());
    let help = "How long the store takes to answer the smallest question.";
    page.gauge("servery_store_round_trip_seconds", help, seconds(store.latency_micros));
    page.gauge("servery_store_size_bytes", "The size of the database.", store.size_bytes);
    page.gauge("servery_store_schema_version", "The newest migration of the store.", store.schema_version);
    let disk = store.disk;
    let help = "Room left on the file system of the store.";
    page.gauge_if("servery_disk_free_bytes", help, disk.map(|disk| disk.free_bytes));
    page.gauge_if("servery_disk_size_bytes", "Size of the file system of the store.", disk.map(|disk| disk.size_bytes));
    let backup = store.last_backup.as_ref();
    let help = "When the last good backup was finished.";
    let at = backup.map(|made| instant(made.finished_at));
    page.gauge_if("servery_backup_last_success_timestamp_seconds", help, at);
    let help = "The size of the last good backup.";
    page.gauge_if("servery_backup_last_success_size_bytes", help, backup.map(|made| made.size_bytes));
    let mut family =
        page.family("servery_terminals_online", Kind::Gauge, "Terminals with a recent heartbeat, by role.");
    for role in TerminalRole::ALL {
        let online = view.terminals.iter().filter(|terminal| terminal.role == *role && terminal.online).count();
        family.sample(&[("role", role.as_str())], online);
    }
    let help = "Whether a worker holds the lease (1) or nobody does (0).";
    page.gauge("servery_worker_lease_held", help, u8::from(view.worker.running));
    let help = "When the worker that holds the lease took it.";
    page.gauge_if("servery_worker_lease_acquired_timestamp_seconds", help, view.worker.since.map(instant));
    if let Some(fence) = view.worker.fence {
        let help = "How often the worker's lease changed hands.";
        page.family("servery_worker_lease_acquisitions_total", Kind::Counter, help).sample(&[], fence);
    }
    page.gauge("servery_outbox_backlog_events", "Events that wait to be delivered.", view.outbox.backlog);
    page.gauge("servery_outbox_parked_events", "Events given up, which wait for a person.", view.outbox.parked);
    let help = "When the oldest event that waits was told.";
    page.gauge_if("servery_outbox_oldest_event_timestamp_seconds", help, view.outbox.oldest_at.map(instant));
    if let Some(run) = &view.doctor {
        let help = "Whether the last examination by doctor found nothing that disagrees (1) or something (0).";
        page.gauge("servery_doctor_healthy", help, u8::from(run.healthy));
        page.gauge("servery_doctor_violations", "Checks of doctor that found something.", run.violations.len());
        let help = "When the last examination by doctor ended.";
        page.gauge("servery_doctor_last_run_timestamp_seconds", help, instant(run.finished_at));
        let help = "How long ago that was, on the clock of the store.";
        page.gauge("servery_doctor_age_seconds", help, view.at.seconds_since(run.finished_at));
        let help = "How long it took.";
        let took = run.finished_at.0.saturating_sub(run.started_at.0).max(0);
        page.gauge("servery_doctor_duration_seconds", help, seconds(took));
        let help = "Audit rows that no seal covered then.";
        page.gauge("servery_audit_unsealed_rows", help, run.unsealed_audit_rows);
    }
}

fn money(page: &mut Page, view: &HealthView) {
    let gateways = &view.gateways;
    let mut each =
        |name: &'static str, help: &str, value: &dyn Fn(&crate::service::health::GatewayHealth) -> Option<String>| {
            let samples: Vec<_> = gateways.iter().filter_map(|gateway| Some((gateway, value(gateway)?))).collect();
            if samples.is_empty() {
                return;
            }
            let mut family = page.family(name, Kind::Gauge, help);
            for (gateway, value) in samples {
                family.sample(&[("gateway", &gateway.gateway)], value);
            }
        };
    each("servery_gateway_enabled", "Whether the settings offer the gateway's method.", &|gateway| {
        Some(u8::from(gateway.enabled).to_string())
    });
    each("servery_gateway_attempts_open", "Attempts that are not decided yet.", &|gateway| {
        Some(gateway.open.to_string())
    });
    each("servery_gateway_attempts_unanswered", "Open attempts whose answer never came.", &|gateway| {
        Some(gateway.unknown.to_string())
    });
    each("servery_gateway_attempts_unresolved", "Attempts given up without an answer.", &|gateway| {
        Some(gateway.unresolved.to_string())
    });
    each("servery_gateway_refunds_pending", "Refunds on their way.", &|gateway| {
        Some(gateway.pending_refunds.to_string())
    });
    each("servery_gateway_last_success_timestamp_seconds", "When the gateway last answered.", &|gateway| {
        gateway.last_ok_at.map(instant)
    });
    each("servery_gateway_last_failure_timestamp_seconds", "When the gateway last failed to answer.", &|gateway| {
        gateway.last_error_at.map(instant)
    });
}

fn numbers(page: &mut Page, numbers: &NumbersView) {
    let help = "Orders of the business day, by the status that they have now.";
    let mut family = page.family("servery_orders_today", Kind::Gauge, help);
    for (status, count) in &numbers.orders {
        family.sample(&[("status", status.as_str())], count);
    }
    let help = "Attempts to pay orders of the business day, by method and outcome.";
    let mut family = page.family("servery_payment_attempts_today", Kind::Gauge, help);
    for (method, outcome, count) in &numbers.attempts {
        family.sample(&[("method", method), ("outcome", outcome)], count);
    }
    let help = "Stock items of which no more is available than their low mark.";
    page.gauge("servery_stock_items_low", help, numbers.low_stock);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_written_as_prometheus_reads_them() {
        let mut page = Page::default();
        page.family("x_total", Kind::Counter, "a \\ b").sample(&[("a", "q\"\\\n"), ("b", "2")], 3).sample(&[], 4);
        assert_eq!(
            page.text,
            "# HELP x_total a \\\\ b\n# TYPE x_total counter\nx_total{a=\"q\\\"\\\\\\n\",b=\"2\"} 3\nx_total 4\n"
        );
        assert_eq!([0, 1, 1_500_000, -1].map(seconds), ["0.000000", "0.000001", "1.500000", "-0.000001"]);
    }
}
