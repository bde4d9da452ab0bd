//! Health on both databases: what is read of a house that is well, and each thing that becomes a concern.

#![expect(clippy::expect_used, reason = "helpers of tests, which clippy does not know as tests")]

#[path = "house/mod.rs"]
mod house;
#[path = "support/mod.rs"]
mod support;

use futures::future::BoxFuture;
use house::House;
use servery::domain::error::ErrorCode;
use servery::domain::ids::CustomerId;
use servery::domain::payment::Method;
use servery::payment::{
    ChargeAnswer, ChargeRequest, ChargeState, Gateway, GatewayError, Gateways, RefundAnswer, RefundRequest, VoidAnswer,
};
use servery::service::health::{self, ConcernKind, ConcernLevel, HealthView};
use servery::service::health_gateways::WatchedGateway;
use servery::service::health_numbers::ShowNumbers;
use servery::service::terminals::TerminalRole;
use servery::service::worker_writes::is_lost;
use servery::service::{Caller, backup, doctor};
use servery::worker::{Options, Worker};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use support::wait;

async fn look(house: &House) -> HealthView {
    health::look(&house.door, &Caller::System, Some(&[Method::Card])).await.expect("health")
}

fn has(view: &HealthView, kind: ConcernKind) -> Option<ConcernLevel> {
    view.concerns.iter().find(|concern| concern.kind == kind).map(|concern| concern.level)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_who_may_see_reports_sees_health() {
    for house in House::both().await {
        let manager = house.caller("asha").await;
        assert!(health::look(&house.door, &manager, None).await.is_ok());
        let guest = Caller::Guest { customer: CustomerId(house.door.new_id()), terminal: None };
        for caller in [house.caller("ravi").await, house.caller("noor").await, guest] {
            let refused = health::look(&house.door, &caller, None).await.expect_err("not for them");
            assert_eq!(refused.code, ErrorCode::InsufficientRole);
            let refused = house.door.ask(&caller, ShowNumbers).await.expect_err("not for them");
            assert_eq!(refused.code, ErrorCode::InsufficientRole);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn store_terminals_and_gateways_are_told_as_they_are() {
    for house in House::both().await {
        house.terminal("counter-a", TerminalRole::Kiosk).await;
        let gone = house.terminal("counter-b", TerminalRole::Kiosk).await;
        let silent = house.terminal("pass", TerminalRole::Kitchen).await;
        house
            .raw(format!("UPDATE terminals SET revoked_at = 1 WHERE id = {}", house.literal(gone.0)))
            .await
            .expect("off");
        let aged = (health::ONLINE_SECONDS + 1) * 1_000_000;
        let age =
            format!("UPDATE terminals SET last_seen_at = last_seen_at - {aged} WHERE id = {}", house.literal(silent.0));
        house.raw(age).await.expect("aged");
        let view = look(&house).await;
        let terminals: Vec<_> = view.terminals.iter().map(|one| (one.name.as_str(), one.role, one.online)).collect();
        assert_eq!(
            terminals,
            [("counter-a", TerminalRole::Kiosk, true), ("pass", TerminalRole::Kitchen, false)],
            "a terminal that was taken off is not missed"
        );
        assert!(view.terminals.iter().all(|one| one.software_version.as_deref() == Some(env!("CARGO_PKG_VERSION"))));
        let store = &view.store;
        assert_eq!(store.schema_version, store.known_version);
        assert!(store.size_bytes > 0 && store.engine_is_safe && !store.engine_version.is_empty(), "{store:?}");
        assert_eq!(store.disk.is_some(), store.kind == "sqlite", "{store:?}");
        assert!(store.disk.is_none_or(|disk| 0 < disk.size_bytes && disk.free_bytes <= disk.size_bytes), "{store:?}");
        assert!(
            !store.address.contains("password") && (store.last_backup.is_none(), view.doctor.is_none()) == (true, true)
        );
        let gateways: Vec<_> = view.gateways.iter().map(|one| (one.method, one.enabled, one.configured)).collect();
        assert_eq!(gateways, [(Method::Card, true, Some(true)), (Method::Upi, true, Some(false))]);
        assert_eq!(has(&view, ConcernKind::NoWorker), Some(ConcernLevel::Warning));
        assert!(view.is_healthy() && has(&view, ConcernKind::BackupLate).is_none(), "{:?}", view.concerns);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_failed_stands_beside_the_last_good_one() {
    for house in House::both().await {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("one.backup");
        let made = backup::back_up(&house.door, &Caller::System, &file).await.expect("a backup");
        let view = look(&house).await;
        let last = view.store.last_backup.clone().expect("noted");
        assert_eq!(
            (u64::try_from(last.size_bytes), last.file.as_str()),
            (Ok(made.size_bytes), file.to_str().expect("utf-8"))
        );
        assert!(view.store.failed_backup.is_none() && has(&view, ConcernKind::BackupFailed).is_none());
        // SQLite's instants come from a clock that stands still: the next one begins later.
        house.clock.advance(1);
        backup::back_up(&house.door, &Caller::System, &file).await.expect_err("it exists");
        let view = look(&house).await;
        assert_eq!(view.store.last_backup, Some(last));
        assert!(view.store.failed_backup.as_ref().is_some_and(|failed| failed.error.is_some()), "{:?}", view.store);
        assert_eq!(has(&view, ConcernKind::BackupFailed), Some(ConcernLevel::Warning));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_store_without_backup_and_doctor_is_warned_of() {
    let mut houses = vec![House::open(None, false).await];
    if let Some(database) = support::postgres::database() {
        houses.push(House::open(Some(database), false).await);
    }
    for house in houses {
        let view = look(&house).await;
        for kind in [ConcernKind::BackupLate, ConcernKind::DoctorLate] {
            assert_eq!(has(&view, kind), Some(ConcernLevel::Warning), "{kind}");
        }
        let folder = tempfile::tempdir().expect("a folder");
        backup::back_up(&house.door, &Caller::System, &folder.path().join("one.backup")).await.expect("a backup");
        doctor::examine(&house.door, &Caller::System).await.expect("doctor");
        let view = look(&house).await;
        for kind in [ConcernKind::BackupLate, ConcernKind::DoctorLate] {
            assert_eq!(has(&view, kind), None, "{kind}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worker_examines_in_its_turn_and_only_under_its_lease() {
    for house in House::both().await {
        let worker = Worker::new(house.door.clone(), Gateways::none(), Options::default());
        let held = worker.take_lease().await.expect("asked").held.expect("free");
        let view = look(&house).await;
        assert!(view.worker.running && view.worker.since.is_some_and(|at| at <= view.at), "{:?}", view.worker);
        assert_eq!((view.worker.holder.as_deref(), view.worker.fence), (Some(worker.holder()), Some(held.fence)));
        assert_eq!(has(&view, ConcernKind::NoWorker), None);

        let mut stolen = held.clone();
        stolen.fence += 1;
        assert!(is_lost(&worker.examine_if_due(&stolen).await.expect_err("not its lease")));
        assert!(look(&house).await.doctor.is_none(), "nothing is noted for who does not lead");

        let audited = house.count("SELECT COUNT(*) FROM audit_log WHERE use_case = 'doctor'").await;
        let report = worker.examine_if_due(&held).await.expect("doctor").expect("due: it never ran");
        assert!(report.is_healthy(), "{report:#?}");
        let rest = worker.examine_if_due(&held).await.expect("asked").expect_err("it rests");
        assert!(
            rest.as_secs() > 0
                && rest.as_secs() <= u64::try_from(servery::worker::doctor::EVERY_SECONDS).expect("fits")
        );
        let view = look(&house).await;
        let run = view.doctor.clone().expect("noted");
        assert!(run.healthy && run.violations.is_empty() && run.finished_at <= view.at);
        let now = house.count("SELECT COUNT(*) FROM audit_log WHERE use_case = 'doctor'").await;
        assert_eq!(now, audited, "what finds nothing in its turn is no news for the audit log");

        // A shelf that holds one more than its records say.
        let damage = format!(
            "INSERT INTO stock_items (site_id, id, code, name, opening, on_hand, created_at, updated_at) \
             VALUES ('main', {}, 'cup', 'Cup', 5, 6, 0, 0)",
            house.literal(house.door.new_id())
        );
        house.raw(damage).await.expect("damaged");
        house.clock.advance(1);
        let asked = doctor::examine(&house.door, &house.caller("asha").await).await.expect("doctor");
        assert!(!asked.is_healthy());
        let view = look(&house).await;
        assert_eq!((view.status(), has(&view, ConcernKind::DoctorFound)), ("unhealthy", Some(ConcernLevel::Fault)));
        assert_eq!(view.concerns.first().map(|concern| concern.level), Some(ConcernLevel::Fault), "the worst first");
        let now = house.count("SELECT COUNT(*) FROM audit_log WHERE use_case = 'doctor'").await;
        assert_eq!(now, audited + 1, "what somebody asked for is audited");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_were_given_up_are_a_concern() {
    for house in House::both().await {
        house
            .raw(
                "INSERT INTO outbox (site_id, event, payload, created_at, parked_at) VALUES ('main', 'x', '{}', 5, 6)"
                    .to_owned(),
            )
            .await
            .expect("parked");
        house
            .raw("INSERT INTO outbox (site_id, event, payload, created_at) VALUES ('main', 'y', '{}', 7)".to_owned())
            .await
            .expect("waiting");
        let view = look(&house).await;
        assert_eq!((view.outbox.backlog, view.outbox.parked), (1, 1));
        assert_eq!(view.outbox.oldest_at.map(|at| at.0), Some(7));
        assert_eq!(has(&view, ConcernKind::EventsParked), Some(ConcernLevel::Warning));
        assert_eq!(has(&view, ConcernKind::EventsLate), None, "without a worker that is no news");
        let worker = Worker::new(house.door.clone(), Gateways::none(), Options::default());
        worker.take_lease().await.expect("asked").held.expect("free");
        assert_eq!(has(&look(&house).await, ConcernKind::EventsLate), Some(ConcernLevel::Warning));
    }
}

/// A gateway that can be reached, or not.
struct Line {
    up: AtomicBool,
}

impl Line {
    fn say<T>(&self, answer: T) -> Result<T, GatewayError> {
        if self.up.load(Ordering::SeqCst) {
            Ok(answer)
        } else {
            Err(GatewayError::Unreachable("no\u{1b}[2J route".into()))
        }
    }
}

impl Gateway for Line {
    fn name(&self) -> &'static str {
        Method::Card.provider_name()
    }
    fn method(&self) -> Method {
        Method::Card
    }
    fn create(&self, _: ChargeRequest) -> BoxFuture<'_, Result<ChargeAnswer, GatewayError>> {
        Box::pin(async { self.say(ChargeAnswer::NoAnswer) })
    }
    fn query<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<ChargeState, GatewayError>> {
        Box::pin(async { self.say(ChargeState::NotFound) })
    }
    fn void<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<VoidAnswer, GatewayError>> {
        Box::pin(async { self.say(VoidAnswer::NotFound) })
    }
    fn refund(&self, _: RefundRequest) -> BoxFuture<'_, Result<RefundAnswer, GatewayError>> {
        Box::pin(async { self.say(RefundAnswer::NoAnswer) })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_word_of_a_gateway_is_told() {
    for house in House::both().await {
        let line = Arc::new(Line { up: AtomicBool::new(true) });
        let clock = Arc::clone(house.door.clock());
        let inner: Arc<dyn Gateway> = Arc::clone(&line) as Arc<dyn Gateway>;
        let watched = WatchedGateway::new(inner, house.door.store().clone(), "main", clock);
        assert_eq!((watched.name(), watched.method()), ("stripe-dummy", Method::Card));
        let card = || async { look(&house).await.gateways.into_iter().next().expect("card") };
        assert_eq!(watched.query("k").await, Ok(ChargeState::NotFound));
        wait::until_async(wait::LIMIT, "an answer is noted", || async { card().await.last_ok_at.is_some() }).await;
        assert!(!card().await.is_failing());

        line.up.store(false, Ordering::SeqCst);
        house.clock.advance(1);
        assert!(watched.void("k").await.is_err(), "passed on as it is");
        wait::until_async(wait::LIMIT, "the failure is noted", || async { card().await.is_failing() }).await;
        let failing = card().await;
        assert_eq!(failing.last_error.as_deref(), Some("unreachable: no[2J route"), "cleaned");
        assert_eq!(has(&look(&house).await, ConcernKind::GatewayFailing), Some(ConcernLevel::Warning));

        line.up.store(true, Ordering::SeqCst);
        house.clock.advance(1);
        assert_eq!(watched.query("k").await, Ok(ChargeState::NotFound));
        wait::until_async(wait::LIMIT, "it is well again", || async { !card().await.is_failing() }).await;
        assert!(card().await.last_error_at.is_some(), "the failure is not forgotten");
    }
}
