//! The worker: what happens without a key press. It runs in any process of the house, under a lease in
//! the store, so that one leads at a time and another takes over when it dies.
//!
//! This file starts it and goes round: it wakes when the store changes and when the next thing is due,
//! and sleeps otherwise. Each duty stands in a file of its own and can be called by itself; every rule
//! is the domain's, every write a use case (or, for the lease and the outbox's marks, a transaction of
//! the worker's own: they are no command of anybody, and belong neither in the audit log nor on the feed).

pub mod backups;
pub mod carts;
pub mod doctor;
pub mod in_app;
pub mod lease;
pub mod outbox;
pub mod resolver;
pub mod sealing;
pub mod summaries;
pub mod timers;

use crate::domain::error::Refused;
use crate::domain::time::Timestamp;
use crate::payment::Gateways;
use crate::service::worker_writes::is_lost;
use crate::service::{Caller, Door};
use crate::store::lease::Held;
use crate::store::{Feed, FeedEvent};
use lease::{LEASE_SECONDS, RENEW_SECONDS};
use outbox::Consumer;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// Between two rounds that a change of the store began: many changes are one round.
const SETTLE: Duration = Duration::from_millis(200);
/// Between two rounds at most. The lease is renewed beside the rounds.
const LONGEST_SLEEP: Duration = Duration::from_secs(10);
/// After a round that the store did not let happen.
const STORE_AWAY: Duration = Duration::from_secs(1);

/// How a worker runs.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether it may take the lease at all. The kiosk on Postgres may not: a terminal in the hands of
    /// customers neither settles payments nor leads the house.
    pub may_lead: bool,
    /// How long the lease lasts without renewal, in seconds.
    pub lease_seconds: i64,
    /// How often it is renewed, in seconds.
    pub renew_seconds: i64,
    /// The backups of this process; none where it was told no folder.
    pub backups: Option<backups::BackupSchedule>,
}

impl Default for Options {
    fn default() -> Self {
        Self { may_lead: true, lease_seconds: LEASE_SECONDS, renew_seconds: RENEW_SECONDS, backups: None }
    }
}

impl Options {
    /// For a kiosk: it leads on SQLite, where it may be the only process, and never on Postgres.
    #[must_use]
    pub fn of_kiosk(store: &crate::store::Store) -> Self {
        Self { may_lead: store.sqlite_path().is_some(), ..Self::default() }
    }
}

/// What a round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    /// Whether this worker led.
    pub led: bool,
    /// Timers that ran.
    pub timers: usize,
    /// Attempts about which a gateway was asked.
    pub attempts: usize,
    /// Refunds for which a gateway was asked.
    pub refunds: usize,
    /// Events delivered.
    pub delivered: usize,
    /// Events that could not be delivered this time.
    pub failed: usize,
    /// Carts and keys that went.
    pub forgotten: u64,
    /// Audit rows sealed.
    pub sealed: i64,
    /// Business days summed up for the reports.
    pub summarised: usize,
    /// Rows that could not be handled and are left alone for a while.
    pub poisoned: usize,
    /// Whether more was due than one round takes.
    pub more: bool,
}

impl Report {
    fn add(&mut self, other: Self) {
        self.led |= other.led;
        self.timers += other.timers;
        self.attempts += other.attempts;
        self.refunds += other.refunds;
        self.delivered += other.delivered;
        self.failed += other.failed;
        self.forgotten += other.forgotten;
        self.sealed += other.sealed;
        self.summarised += other.summarised;
        self.poisoned += other.poisoned;
        self.more |= other.more;
    }
}

/// A worker of one process for one site; cheap to clone.
#[derive(Clone)]
pub struct Worker {
    inner: Arc<Inner>,
}

struct Inner {
    door: Door,
    gateways: Gateways,
    options: Options,
    holder: String,
    consumers: Vec<Arc<dyn Consumer>>,
    poison: Poison,
    sealing: Mutex<sealing::Seen>,
    summarised_at: Mutex<Option<Timestamp>>,
}

impl Worker {
    /// A worker behind a door. It leads nothing yet.
    #[must_use]
    pub fn new(door: Door, gateways: Gateways, options: Options) -> Self {
        let in_app: Arc<dyn Consumer> = Arc::new(in_app::InApp::new(door.clone()));
        Self::with_consumers(door, gateways, options, vec![in_app])
    }

    /// As [`Worker::new`], with consumers of its own for the outbox.
    #[must_use]
    pub fn with_consumers(door: Door, gateways: Gateways, options: Options, consumers: Vec<Arc<dyn Consumer>>) -> Self {
        let holder = format!("{}-{}", std::process::id(), door.new_id());
        let (poison, sealing, summarised_at) = (Poison::default(), Mutex::default(), Mutex::default());
        let inner = Inner { door, gateways, options, holder, consumers, poison, sealing, summarised_at };
        Self { inner: Arc::new(inner) }
    }

    /// Starts a worker in the background; it ends, and gives its lease back, when `cancel` is cancelled.
    /// One that may not lead makes its backups, and ends at once where it has none to make. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(door: Door, gateways: Gateways, options: Options, cancel: CancellationToken) -> JoinHandle<()> {
        let worker = Self::new(door, gateways, options);
        tokio::spawn(async move { worker.run(cancel).await })
    }

    /// This worker's name in the lease: unique for each start.
    #[must_use]
    pub fn holder(&self) -> &str {
        &self.inner.holder
    }

    pub(crate) fn door(&self) -> &Door {
        &self.inner.door
    }

    pub(crate) fn gateways(&self) -> &Gateways {
        &self.inner.gateways
    }

    pub(crate) fn options(&self) -> &Options {
        &self.inner.options
    }

    pub(crate) fn consumers(&self) -> &[Arc<dyn Consumer>] {
        &self.inner.consumers
    }

    pub(crate) fn poison(&self) -> &Poison {
        &self.inner.poison
    }

    pub(crate) fn sealing(&self) -> &Mutex<sealing::Seen> {
        &self.inner.sealing
    }

    pub(crate) fn summarised_at(&self) -> &Mutex<Option<Timestamp>> {
        &self.inner.summarised_at
    }

    /// Takes the lease if it is free, does once whatever is due, and keeps the lease.
    ///
    /// # Errors
    /// The store's refusals. A row that cannot be handled is no error: it is left for later.
    pub async fn run_once(&self) -> Result<Report, Refused> {
        let Some(held) = self.take_lease().await?.held else { return Ok(Report::default()) };
        self.round(&held).await
    }

    /// Every duty once, under a lease.
    ///
    /// # Errors
    /// The store's refusals, and the refusal of [`crate::service::worker_writes::lost`].
    pub async fn round(&self, held: &Held) -> Result<Report, Refused> {
        let mut report = self.house_round(held).await?;
        report.add(self.gateway_round(held).await?);
        report.led = true;
        Ok(report)
    }

    /// The duties that need nobody outside of the house.
    async fn house_round(&self, held: &Held) -> Result<Report, Refused> {
        let mut report = Report { led: true, ..Report::default() };
        // Events first: what was done before is told before what is done next.
        report.add(self.deliver_events(held).await?);
        report.add(self.run_timers(held).await?);
        report.add(self.forget_old(held).await?);
        report.add(self.seal_audit(held).await?);
        report.add(self.keep_summaries(held).await?);
        Ok(report)
    }

    /// The duties that ask gateways, which may take their time.
    async fn gateway_round(&self, held: &Held) -> Result<Report, Refused> {
        let mut report = Report::default();
        report.add(self.resolve_attempts(held).await?);
        report.add(self.recheck_given_up(held).await?);
        report.add(self.settle_refunds(held).await?);
        Ok(report)
    }

    /// Goes round until `cancel` is cancelled; see [`Worker::start`]. Must run within a tokio runtime.
    pub async fn run(self, cancel: CancellationToken) {
        let backing_up = self.inner.options.backups.is_some().then(|| {
            let worker = self.clone();
            tokio::spawn(worker.keep_backing_up(cancel.clone()))
        });
        if self.inner.options.may_lead {
            self.go_round(&cancel).await;
        } else if backing_up.is_some() {
            cancel.cancelled().await;
        }
        if let Some(task) = backing_up {
            // A copy that is half made is of no use, and says so by its name.
            task.abort();
        }
    }

    async fn go_round(&self, cancel: &CancellationToken) {
        let mut feed = Feed::open(self.door().store(), self.door().site_id());
        while !cancel.is_cancelled() {
            let taken = match self.take_lease().await {
                Ok(taken) => taken,
                Err(refused) => {
                    tracing::debug!(%refused, "the worker's lease cannot be asked for");
                    pause(cancel, STORE_AWAY).await;
                    continue;
                }
            };
            match taken.held {
                Some(held) => {
                    tracing::info!(holder = held.holder, fence = held.fence, "this worker leads");
                    self.lead(&held, &mut feed, cancel).await;
                }
                // At its end, or when something changed: it may have been given back.
                None => wait(cancel, &mut feed, Instant::now() + taken.look_again).await,
            }
        }
    }

    /// Leads until the lease is lost or the worker is to end.
    async fn lead(&self, held: &Held, feed: &mut Feed, cancel: &CancellationToken) {
        // Renewal, gateways and doctor have tasks of their own: neither a slow gateway nor a long round may
        // cost the lease, or keep an order waiting.
        let lost = CancellationToken::new();
        let stop = cancel.child_token();
        let renewing = tokio::spawn(self.clone().keep_renewed(held.clone(), stop.clone(), lost.clone()));
        let examining = tokio::spawn(self.clone().keep_examining(held.clone(), stop.clone(), lost.clone()));
        let mut asking: Option<JoinHandle<Result<Report, Refused>>> = None;
        while !cancel.is_cancelled() && !lost.is_cancelled() {
            if asking.as_ref().is_none_or(JoinHandle::is_finished) {
                let (worker, held) = (self.clone(), held.clone());
                let before = asking.replace(tokio::spawn(async move { worker.gateway_round(&held).await }));
                if let Some(task) = before {
                    log_round(&lost, task.await.unwrap_or_else(|error| Err(Refused::internal(error))));
                }
            }
            // In a task of its own: whatever a consumer does, the worker goes on.
            let (worker, lease) = (self.clone(), held.clone());
            let round = tokio::spawn(async move { worker.house_round(&lease).await });
            let report = round.await.unwrap_or_else(|error| Err(Refused::internal(error)));
            let more = report.as_ref().is_ok_and(|report| report.more);
            let failed = report.is_err();
            log_round(&lost, report);
            if lost.is_cancelled() {
                break;
            }
            let sleep = if more {
                Duration::ZERO
            } else if failed {
                STORE_AWAY
            } else {
                self.until_next_due().await
            };
            tokio::select! {
                () = lost.cancelled() => {}
                () = wait(cancel, feed, Instant::now() + sleep) => {}
            }
        }
        stop.cancel();
        // It only reads, and what it would note is of no use any more.
        examining.abort();
        if let Some(task) = asking {
            // What it has begun with a gateway is settled by key; its transactions end by themselves.
            task.abort();
        }
        if let Err(error) = renewing.await {
            tracing::warn!(%error, "renewing the worker's lease ended badly");
        }
        if lost.is_cancelled() {
            tracing::warn!(fence = held.fence, "another worker leads by now");
        } else if let Err(refused) = self.give_back(held).await {
            tracing::debug!(%refused, "the lease was not given back and runs out by itself");
        }
    }

    /// Until the next thing is due; not for ever, because some things come without a word of the store
    /// (a time slot begins, a row that rested may be tried again).
    async fn until_next_due(&self) -> Duration {
        match self.door().ask(&Caller::System, crate::service::worker_due::DueHousekeeping).await {
            Ok(due) => due.next.map_or(LONGEST_SLEEP, |at| between(due.now, at).min(LONGEST_SLEEP)),
            Err(_) => STORE_AWAY,
        }
    }
}

/// From one instant to a later one.
fn between(now: Timestamp, later: Timestamp) -> Duration {
    Duration::from_micros(u64::try_from(later.0.saturating_sub(now.0)).unwrap_or(0))
}

/// Waits for the instant, a change of the store (not before it has settled), or the end.
async fn wait(cancel: &CancellationToken, feed: &mut Feed, until: Instant) {
    let settled = Instant::now() + SETTLE;
    tokio::select! {
        () = cancel.cancelled() => {}
        () = sleep_until(until) => {}
        () = async {
            sleep_until(settled).await;
            while feed.changed().await != FeedEvent::Changed {}
        } => {}
    }
}

async fn pause(cancel: &CancellationToken, time: Duration) {
    tokio::select! {
        () = cancel.cancelled() => {}
        () = tokio::time::sleep(time) => {}
    }
}

/// Says what went wrong, and ends the lead when the lease is another's.
fn log_round(lost: &CancellationToken, result: Result<Report, Refused>) {
    match result {
        Ok(report) if report.poisoned + report.failed > 0 => tracing::warn!(?report, "not everything could be done"),
        Ok(_) => {}
        Err(refused) if is_lost(&refused) => lost.cancel(),
        Err(refused) => tracing::warn!(%refused, "the worker's round ended early"),
    }
}

/// Rows that could not be handled: each is left alone for a while that doubles, so that it neither
/// blocks the others nor is tried without end.
#[derive(Debug, Default)]
pub(crate) struct Poison {
    rows: Mutex<HashMap<PoisonKey, Rest>>,
}

/// A duty and a row of it.
type PoisonKey = (&'static str, uuid::Uuid);
/// How often it could not be handled, and until when it is left alone.
type Rest = (u32, Timestamp);

/// The first pause of a row that could not be handled, in seconds.
const FIRST_PAUSE_SECONDS: i64 = 5;
/// How often the pause doubles.
const DOUBLINGS: u32 = 6;

impl Poison {
    /// Whether the row is to be left alone for now.
    pub(crate) fn rests(&self, duty: &'static str, row: uuid::Uuid, now: Timestamp) -> bool {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        // A pause further ahead than the longest was noted under a clock that was set back since.
        let longest = now.plus_seconds(FIRST_PAUSE_SECONDS << DOUBLINGS);
        rows.get(&(duty, row)).is_some_and(|(_, until)| now < *until && *until <= longest)
    }

    /// Notes that the row could not be handled.
    pub(crate) fn failed(&self, duty: &'static str, row: uuid::Uuid, now: Timestamp) {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        // What was forgotten here is only tried a little early.
        if rows.len() > 10_000 {
            rows.clear();
        }
        let (times, until) = rows.entry((duty, row)).or_insert((0, now));
        *until = now.plus_seconds(FIRST_PAUSE_SECONDS << *times);
        *times = (*times + 1).min(DOUBLINGS);
    }

    /// Notes that the row was handled.
    pub(crate) fn handled(&self, duty: &'static str, row: uuid::Uuid) {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).remove(&(duty, row));
    }
}
