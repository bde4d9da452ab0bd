//! How the house is, on two leaves: what is of concern and what to do about it first, then the store, the
//! proof, the worker and the gateways; at the right the terminals. Drawing only.

use super::super::leaf::Leaf;
use crate::domain::time::Timestamp;
use crate::service::health::{Concern, ConcernLevel, GatewayHealth, HealthView, TerminalHealth};
use crate::tui::locale::Locale;
use crate::tui::theme::Token;
use crate::tui::vocabulary;
use crate::tui::widgets::columns::Column;

/// The narrowest leaf that stands beside another.
pub(super) const LEAST: u16 = 52;
/// Columns of the names of facts.
const NAME: u16 = 13;

/// Both leaves.
pub(super) fn write<'a>(view: &HealthView, (mut left, mut right): (Leaf<'a>, Leaf<'a>)) -> (Leaf<'a>, Leaf<'a>) {
    concerns(view, &mut left);
    store(view, &mut left);
    proof(view, &mut left);
    terminals(view, &mut right);
    worker(view, &mut right);
    gateways(view, &mut right);
    (left, right)
}

/// So long ago, in words: in steps of five minutes, so that a page of ages is not drawn anew every minute.
pub(super) fn ago(at: Timestamp, now: Timestamp, locale: &Locale) -> String {
    match now.seconds_since(at).max(0) {
        0..=299 => locale.t("health.lately"),
        seconds @ 300..=7_199 => locale.t_args("health.minutes_ago", &[("count", &(seconds / 300 * 5))]),
        seconds @ 7_200..=172_799 => locale.t_args("health.hours_ago", &[("count", &(seconds / 3_600))]),
        seconds => locale.t_args("health.days_ago", &[("count", &(seconds / 86_400))]),
    }
}

/// Bytes for people.
fn size(bytes: u64) -> String {
    let mut unit = "bytes";
    let (mut whole, mut tenth) = (bytes, 0);
    for next in ["kB", "MB", "GB", "TB"] {
        if whole < 1_000 {
            break;
        }
        (whole, tenth, unit) = (whole / 1_000, whole % 1_000 / 100, next);
    }
    if unit == "bytes" { format!("{whole} {unit}") } else { format!("{whole}.{tenth} {unit}") }
}

fn concerns(view: &HealthView, leaf: &mut Leaf<'_>) {
    if view.concerns.is_empty() {
        leaf.section(leaf.t("health.all_well"));
        leaf.note(&leaf.t("health.all_well_body"), Token::Success);
        return;
    }
    let count = i64::try_from(view.concerns.len()).unwrap_or(i64::MAX);
    leaf.section(leaf.ctx.locale.t_plural("health.concerns", count, &[]));
    for concern in &view.concerns {
        let (mark, token) = match concern.level {
            ConcernLevel::Fault => ("health.fault", Token::Danger),
            ConcernLevel::Warning => ("health.warning", Token::Warning),
        };
        leaf.fact(&leaf.t(mark), &said(concern, leaf.ctx.locale), NAME, token);
        leaf.fact("", &vocabulary::concern_help(concern.kind, leaf.ctx.locale), NAME, Token::Text);
    }
}

fn said(concern: &Concern, locale: &Locale) -> String {
    let words = vocabulary::concern(concern.kind, locale);
    match &concern.detail {
        Some(detail) => locale.t_args("health.concern", &[("words", &words), ("detail", detail)]),
        None => words,
    }
}

fn store(view: &HealthView, leaf: &mut Leaf<'_>) {
    let (store, locale) = (&view.store, leaf.ctx.locale);
    leaf.section(leaf.t("health.store"));
    let kind = format!("{} {}", store.kind, store.engine_version);
    leaf.fact(&leaf.t("health.kind"), &kind, NAME, if store.engine_is_safe { Token::Text } else { Token::Warning });
    leaf.fact(&leaf.t("health.address"), &store.address, NAME, Token::Muted);
    let schema = if store.schema_version == store.known_version {
        store.schema_version.to_string()
    } else {
        let args: [(&str, &dyn std::fmt::Display); 2] =
            [("has", &store.schema_version), ("known", &store.known_version)];
        locale.t_args("health.schema_other", &args)
    };
    leaf.fact(&leaf.t("health.schema"), &schema, NAME, Token::Text);
    leaf.fact(&leaf.t("health.program"), &view.program_version, NAME, Token::Text);
    leaf.fact(&leaf.t("health.answers_in"), &latency(store.latency_micros, locale), NAME, Token::Text);
    leaf.fact(&leaf.t("health.size"), &size(u64::try_from(store.size_bytes).unwrap_or(0)), NAME, Token::Text);
    if let Some(disk) = store.disk {
        let (free, all) = (size(disk.free_bytes), size(disk.size_bytes));
        leaf.fact(
            &leaf.t("health.disk"),
            &locale.t_args("health.disk_left", &[("free", &free), ("all", &all)]),
            NAME,
            Token::Text,
        );
    }
    let backup = match &store.last_backup {
        Some(made) => {
            let (ago, bytes) =
                (ago(made.finished_at, view.at, locale), size(u64::try_from(made.size_bytes).unwrap_or(0)));
            locale.t_args("health.backup_made", &[("ago", &ago), ("size", &bytes), ("file", &made.file)])
        }
        None => locale.t("health.no_backup"),
    };
    leaf.fact(&leaf.t("health.backup"), &backup, NAME, Token::Text);
    if let Some(failed) = &store.failed_backup {
        let ago = ago(failed.started_at, view.at, locale);
        let (words, token) = match &failed.error {
            Some(error) => (locale.t_args("health.backup_failed", &[("ago", &ago), ("error", error)]), Token::Warning),
            None => (locale.t_args("health.backup_runs", &[("ago", &ago)]), Token::Muted),
        };
        leaf.fact("", &words, NAME, token);
    }
}

/// A round figure above it: no two looks measure the same, and a picture that changes at each of them is a packet
/// over a slow line that says nothing.
fn latency(micros: i64, locale: &Locale) -> String {
    const ROUND: [i64; 5] = [10, 50, 200, 1_000, 5_000];
    let millis = ROUND.into_iter().find(|millis| micros < millis.saturating_mul(1_000));
    let millis = millis.unwrap_or_else(|| micros.saturating_div(1_000).saturating_add(1));
    locale.t_args("health.under_millis", &[("count", &millis)])
}

fn proof(view: &HealthView, leaf: &mut Leaf<'_>) {
    let locale = leaf.ctx.locale;
    leaf.section(leaf.t("health.proof"));
    let Some(run) = &view.doctor else {
        leaf.note(&leaf.t("health.no_proof"), Token::Muted);
        return;
    };
    let when = ago(run.finished_at, view.at, locale);
    if run.healthy {
        leaf.note(&locale.t_args("health.proof_held", &[("ago", &when)]), Token::Success);
    } else {
        leaf.note(&locale.t_args("health.proof_broken", &[("ago", &when)]), Token::Danger);
        for check in &run.violations {
            leaf.fact(&check.name, check.violation.as_deref().unwrap_or_default(), NAME, Token::Danger);
        }
    }
    if run.unsealed_audit_rows > 0 {
        leaf.note(&locale.t_plural("health.unsealed", run.unsealed_audit_rows, &[]), Token::Muted);
    }
}

fn worker(view: &HealthView, leaf: &mut Leaf<'_>) {
    let (worker, locale) = (&view.worker, leaf.ctx.locale);
    leaf.section(leaf.t("health.worker"));
    match &worker.holder {
        Some(holder) if worker.running => {
            let since = worker.since.map(|since| ago(since, view.at, locale)).unwrap_or_default();
            leaf.fact(&leaf.t("health.holder"), holder, NAME, Token::Success);
            leaf.fact(&leaf.t("health.since"), &since, NAME, Token::Text);
        }
        _ => leaf.fact(&leaf.t("health.holder"), &leaf.t("health.nobody"), NAME, Token::Warning),
    }
    let outbox = &view.outbox;
    let words = match outbox.oldest_at {
        Some(oldest) => {
            let ago = ago(oldest, view.at, locale);
            locale.t_plural("health.backlog", outbox.backlog, &[("ago", &ago)])
        }
        None => locale.t("health.no_backlog"),
    };
    leaf.fact(&leaf.t("health.outbox"), &words, NAME, Token::Text);
    if outbox.parked > 0 {
        leaf.fact("", &locale.t_plural("health.parked", outbox.parked, &[]), NAME, Token::Warning);
    }
}

fn gateways(view: &HealthView, leaf: &mut Leaf<'_>) {
    leaf.section(leaf.t("health.gateways"));
    for gateway in &view.gateways {
        let name = vocabulary::method(gateway.method, leaf.ctx.locale);
        let (words, token) = gateway_words(gateway, view.at, leaf.ctx.locale);
        leaf.fact(&name, &words, NAME, token);
    }
}

fn gateway_words(gateway: &GatewayHealth, now: Timestamp, locale: &Locale) -> (String, Token) {
    let mut words = vec![gateway.gateway.clone()];
    let mut token = Token::Text;
    if !gateway.enabled {
        words.push(locale.t("health.not_offered"));
        token = Token::Muted;
    }
    if gateway.configured == Some(false) {
        words.push(locale.t("health.no_keys"));
    }
    match (gateway.is_failing(), gateway.last_ok_at, gateway.last_error_at) {
        (true, _, Some(at)) => {
            let (ago, error) = (ago(at, now, locale), gateway.last_error.clone().unwrap_or_default());
            words.push(locale.t_args("health.gateway_failed", &[("ago", &ago), ("error", &error)]));
            token = if gateway.enabled { Token::Warning } else { token };
        }
        (_, Some(at), _) => words.push(locale.t_args("health.gateway_well", &[("ago", &ago(at, now, locale))])),
        _ => words.push(locale.t("health.gateway_untried")),
    }
    for (key, count) in [
        ("health.open_payments", gateway.open),
        ("health.unknown_payments", gateway.unknown),
        ("health.unresolved_payments", gateway.unresolved),
        ("health.open_refunds", gateway.pending_refunds),
    ] {
        if count > 0 {
            words.push(locale.t_plural(key, count, &[]));
        }
    }
    (words.join(" · "), token)
}

fn terminals(view: &HealthView, leaf: &mut Leaf<'_>) {
    let online = view.terminals.iter().filter(|terminal| terminal.online).count();
    let args: [(&str, &dyn std::fmt::Display); 2] = [("online", &online), ("all", &view.terminals.len())];
    leaf.section(leaf.ctx.locale.t_args("health.terminals", &args));
    if view.terminals.is_empty() {
        leaf.note(&leaf.t("health.no_terminals"), Token::Muted);
        return;
    }
    let heads = [
        (Column::Left(1), String::new()),
        (Column::Fill, leaf.t("health.name")),
        (Column::Left(8), leaf.t("health.role")),
        (Column::Left(8), leaf.t("health.version")),
        (Column::Right(12), leaf.t("health.last_seen")),
    ];
    let row = |terminal: &TerminalHealth| {
        let (mark, token) = if terminal.online { ("●", Token::Success) } else { ("○", Token::Muted) };
        let seen = terminal.last_seen_at.map_or_else(|| leaf.t("health.never"), |at| ago(at, view.at, leaf.ctx.locale));
        vec![
            (mark.to_owned(), token),
            (terminal.name.clone(), if terminal.online { Token::Text } else { Token::Muted }),
            (vocabulary::terminal_role(terminal.role, leaf.ctx.locale), Token::Muted),
            (terminal.software_version.clone().unwrap_or_default(), Token::Muted),
            (seen, Token::Muted),
        ]
    };
    let (up, down): (Vec<&TerminalHealth>, Vec<&TerminalHealth>) =
        view.terminals.iter().partition(|terminal| terminal.online);
    let rows: Vec<Vec<(String, Token)>> = up.into_iter().chain(down).map(row).collect();
    leaf.table(&heads, &rows);
}

#[cfg(test)]
mod tests {
    use super::super::super::desk::Desk;
    use super::super::super::leaf::{self, Scroll};
    use super::*;
    use crate::domain::payment::Method;
    use crate::service::health::{
        BackupHealth, ConcernKind, DiskHealth, DoctorHealth, FailedBackup, OutboxHealth, StoreHealth, WorkerHealth,
    };
    use crate::service::terminals::TerminalRole;
    use crate::store::doctor::Check;
    use crate::tui::testing::drawn;

    const NOW: Timestamp = Timestamp(1_795_242_600_000_000);

    fn terminal(name: &str, role: TerminalRole, seconds: i64) -> TerminalHealth {
        TerminalHealth {
            name: name.to_owned(),
            role,
            software_version: Some("0.1.0".to_owned()),
            last_seen_at: Some(NOW.plus_seconds(-seconds)),
            online: seconds < 90,
        }
    }

    fn gateway(gateway: &str, method: Method) -> GatewayHealth {
        GatewayHealth {
            gateway: gateway.to_owned(),
            method,
            enabled: true,
            configured: Some(true),
            open: 0,
            unknown: 0,
            unresolved: 0,
            pending_refunds: 0,
            last_ok_at: Some(NOW.plus_seconds(-40)),
            last_error_at: None,
            last_error: None,
        }
    }

    /// A house in which nothing is wrong.
    fn well() -> HealthView {
        HealthView {
            at: NOW,
            site: "Servery Canteen".to_owned(),
            demo: false,
            program_version: "0.1.0".to_owned(),
            concerns: Vec::new(),
            store: StoreHealth {
                kind: "sqlite".to_owned(),
                address: "sqlite:///srv/servery/servery.db".to_owned(),
                engine_version: "3.51.3".to_owned(),
                engine_is_safe: true,
                schema_version: 9,
                known_version: 9,
                latency_micros: 240,
                size_bytes: 48_300_000,
                disk: Some(DiskHealth { free_bytes: 81_200_000_000, size_bytes: 120_000_000_000 }),
                last_backup: Some(BackupHealth {
                    file: "/srv/servery/backups/servery-20261121.db".to_owned(),
                    size_bytes: 48_100_000,
                    finished_at: NOW.plus_seconds(-28_800),
                }),
                failed_backup: None,
            },
            terminals: vec![
                terminal("console-counter", TerminalRole::Console, 4),
                terminal("kiosk-door", TerminalRole::Kiosk, 12),
                terminal("kitchen-hot", TerminalRole::Kitchen, 29),
            ],
            worker: WorkerHealth {
                running: true,
                holder: Some("kitchen-hot 4711".to_owned()),
                since: Some(NOW.plus_seconds(-14_000)),
                expires_at: Some(NOW.plus_seconds(20)),
                fence: Some(7),
            },
            outbox: OutboxHealth { backlog: 0, oldest_at: None, parked: 0 },
            gateways: vec![gateway("stripe-dummy", Method::Card), gateway("upi-dummy", Method::Upi)],
            doctor: Some(DoctorHealth {
                started_at: NOW.plus_seconds(-3_601),
                finished_at: NOW.plus_seconds(-3_600),
                healthy: true,
                violations: Vec::new(),
                unsealed_audit_rows: 3,
            }),
        }
    }

    /// The same house on a bad day.
    fn ill() -> HealthView {
        let mut view = well();
        let concern = |level, kind, detail: Option<&str>| Concern { level, kind, detail: detail.map(str::to_owned) };
        let violation = "item samosa: the shelf says 12, the ledger 14".to_owned();
        view.concerns = vec![
            concern(ConcernLevel::Fault, ConcernKind::DoctorFound, Some(&violation)),
            concern(ConcernLevel::Warning, ConcernKind::NoWorker, None),
            concern(ConcernLevel::Warning, ConcernKind::GatewayFailing, Some("stripe-dummy")),
            concern(ConcernLevel::Warning, ConcernKind::PaymentsUnresolved, Some("2")),
        ];
        view.store.schema_version = 8;
        view.store.failed_backup = Some(FailedBackup {
            file: "/srv/servery/backups/servery-20261121.db".to_owned(),
            started_at: NOW.plus_seconds(-300),
            error: Some("no space left on the device".to_owned()),
        });
        view.worker = WorkerHealth { running: false, holder: None, ..view.worker };
        view.outbox = OutboxHealth { backlog: 14, oldest_at: Some(NOW.plus_seconds(-900)), parked: 2 };
        view.terminals.push(terminal("kiosk-window", TerminalRole::Kiosk, 200_000));
        for gateway in view.gateways.iter_mut().take(1) {
            gateway.last_error_at = Some(NOW.plus_seconds(-20));
            gateway.last_error = Some("connection refused".to_owned());
            (gateway.open, gateway.unknown, gateway.unresolved, gateway.pending_refunds) = (3, 1, 2, 1);
        }
        let checks = vec![Check { name: "stock".to_owned(), rows_examined: 412, violation: Some(violation) }];
        view.doctor = view.doctor.map(|run| DoctorHealth { healthy: false, violations: checks, ..run });
        view
    }

    fn at(width: u16, height: u16, view: &HealthView) -> String {
        drawn(width, height, |frame, ctx| {
            let (desk, area) = (Desk::new("test".to_owned()), frame.area());
            let (left, right) = leaf::widths(area, LEAST).unwrap_or((leaf::width(area), leaf::width(area)));
            let leaves = (Leaf::new(left, &desk, ctx), Leaf::new(right, &desk, ctx));
            leaf::draw_two(frame, area, write(view, leaves), &Scroll::default());
        })
    }

    #[test]
    fn a_house_that_is_well_and_one_that_is_not() {
        for (name, view) in [("well", well()), ("ill", ill())] {
            insta::assert_snapshot!(format!("{name}_80"), at(78, 52, &view));
            insta::assert_snapshot!(format!("{name}_120"), at(118, 34, &view));
        }
    }

    #[test]
    fn no_size_breaks_it() {
        for (width, height) in [(1, 1), (4, 2), (30, 9), (58, 15)] {
            at(width, height, &ill());
        }
    }

    #[test]
    fn sizes_and_times_are_short() {
        assert_eq!(
            (size(999).as_str(), size(1_500).as_str(), size(2_000_000_000).as_str()),
            ("999 bytes", "1.5 kB", "2.0 GB")
        );
        let english = Locale::load(None).expect("English");
        let measured = [240, 1_960, 43_210, 8_000_001].map(|micros| latency(micros, &english));
        assert_eq!(measured, ["under 10 ms", "under 10 ms", "under 50 ms", "under 8001 ms"]);
        let now = Timestamp(1_000_000_000_000_000);
        assert_eq!(ago(now.plus_seconds(5), now, &english), "< 5 min ago");
        assert_eq!(ago(now.plus_seconds(-299), now, &english), "< 5 min ago");
        assert_eq!(ago(now.plus_seconds(-300), now, &english), "5 min ago");
        assert_eq!(ago(now.plus_seconds(-899), now, &english), "10 min ago");
        assert_eq!(ago(now.plus_seconds(-7_200), now, &english), "2 h ago");
        assert_eq!(ago(now.plus_seconds(-200_000), now, &english), "2 days ago");
    }
}
