//! Moving the business days that are long over from the store to a file, batch by batch, and reading them back. Who may,
//! from when on, in which order and at what pace stands here; the rows and the file are the store's (`store/archive`).
//!
//! Nobody waits long: a batch is read and written to the file without any lock, and its deletion is a short transaction
//! of its own, after which others have their turn. The order: orders with all that hangs on them; then the ledgers,
//! whose movements stay while an order that they speak of stays; then the audit rows, seal by seal.
//!
//! Left in the store: customers, the messages of gateways and the simulated providers' memory. Idempotency keys are
//! forgotten by the worker long before.

use super::Caller;
use super::door::{Context, Door, Query, UseCase, View};
use super::order_view::{history_view, order_view};
use super::views::{HistoryView, OrderView};
use crate::domain::access::Permission;
use crate::domain::error::Refused;
use crate::domain::ids::OrderId;
use crate::domain::report::{Calendar, day_text};
use crate::domain::text;
use crate::domain::time::{Timestamp, business_day_start};
use crate::store::archive::file::{ArchiveFile, Meta};
use crate::store::archive::proof::{ArchiveReader, Proof};
use crate::store::archive::{self, Counts, HeldBack, Part, Place, Run, Selects};
use crate::store::doctor::Check;
use crate::store::records::AuditRow;
use crate::store::{Tx, money, orders, reports, reports_fresh};
use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// So many business days before today always stay.
pub const KEEP_DAYS: u64 = 7;
/// The guard of a refusal while the reports do not hold everything yet: the worker sees to it.
pub const REPORTS_GUARD: &str = "reports_kept";
/// The guard of a batch whose rows changed on their way.
const CHANGED_GUARD: &str = "archive_unchanged";
/// Orders of the first batch; how many the next has follows from how long it took.
const FIRST_ORDERS: i64 = 100;
/// Orders of a batch at most, and at least.
const MOST_ORDERS: i64 = 1_000;
const LEAST_ORDERS: i64 = 10;
/// Movements of a ledger in one batch.
const MOVEMENTS: i64 = 2_000;
/// A batch is to hold the writers up for so long at most.
const AIM: Duration = Duration::from_millis(100);
/// Between two batches at most.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
/// How often a batch whose rows changed is read again.
const TRIES: u32 = 3;
/// Orders that stay are named, so many at most.
const NAMED: i64 = 20;
/// Longest reason, in characters.
const MAX_REASON: usize = 500;

/// What is to be moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveRequest {
    /// The first business day that stays.
    pub before: NaiveDate,
    /// The file; one that is there is added to.
    pub file: PathBuf,
    /// Why.
    pub reason: String,
}

/// What may be moved, before anything is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchivePlan {
    /// The first business day that stays.
    pub before: NaiveDate,
    /// The first business day with orders.
    pub first_day: Option<String>,
    /// Orders of older days that may go.
    pub orders: i64,
    /// Orders of older days that have to stay: not over, or their money or events have not come to rest.
    pub held_back: i64,
    /// The first of those.
    pub held_back_orders: Vec<HeldBack>,
}

/// What was moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveReport {
    /// The first business day that stayed.
    pub before: NaiveDate,
    /// The file.
    pub file: PathBuf,
    /// Its SHA-256 afterwards, in hexadecimal.
    pub sha256: String,
    /// Transactions that deleted.
    pub batches: i64,
    /// Rows that went, by table.
    pub counts: Counts,
    /// The longest that such a transaction took, with its waiting, in milliseconds.
    pub longest_batch_ms: u64,
    /// Orders that had to stay.
    pub held_back: i64,
    /// The first of those.
    pub held_back_orders: Vec<HeldBack>,
}

/// An order as the file has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArchivedOrderView {
    /// The order with all that stands about it.
    pub order: OrderView,
    /// Its history.
    pub history: Vec<HistoryView>,
    /// Every row of it, by table.
    pub rows: serde_json::Value,
}

/// What a run covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Scope {
    day: String,
    before: Timestamp,
    meta: Meta,
}

/// Begins: judges the day, and notes who wants it and why.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BeginArchive {
    /// The first business day that stays.
    pub before: NaiveDate,
    /// The file's name.
    pub file: String,
    /// Why.
    pub reason: String,
}

impl UseCase for BeginArchive {
    type Output = serde_json::Value;
    const NAME: &'static str = "archive_begin";
    const PERMISSION: Permission = Permission::SettingsWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<serde_json::Value, Refused> {
        let reason = text::clean(&self.reason, MAX_REASON, false);
        if reason.is_empty() {
            return Err(Refused::invalid("reason", "Say why: it stands in the audit log."));
        }
        let site = std::sync::Arc::clone(&context.site);
        let calendar = Calendar { zone: site.zone, cutoff: site.settings.business_day_cutoff };
        let before = judge(self.before, &calendar, context.now)?;
        let day = day_text(self.before);
        let current = reports_fresh::basis_of(&calendar);
        let kept = reports::basis(context.tx, &site.id).await?.is_some_and(|basis| basis == current);
        if !kept || archive::marked(context.tx, &site.id, (&day, before)).await? > 0 {
            return Err(Refused::conflict("The reports do not hold all of these days yet.")
                .by_guard(REPORTS_GUARD)
                .help("The worker sums them up within a minute; start one if none runs, then try again."));
        }
        let instance_id = archive::instance(context.tx).await?;
        context.audit(AuditRow {
            action: "ARCHIVE",
            entity: "Store",
            entity_id: day.clone(),
            details: format!("business days before {day} go to {}", text::clean(&self.file, 300, false)),
            before: None,
            after: None,
            reason: Some(reason),
        });
        let meta = Meta {
            format: 1,
            site_id: site.id.clone(),
            instance_id,
            currency: site.currency.code().to_owned(),
            time_zone: site.zone.name().to_owned(),
            schema_version: crate::store::newest_migration(),
            created_at: context.now.0,
        };
        serde_json::to_value(Scope { day, before, meta }).map_err(Refused::internal)
    }
}

/// The instant before which everything may go.
fn judge(before: NaiveDate, calendar: &Calendar, now: Timestamp) -> Result<Timestamp, Refused> {
    let today = calendar.day_of(now);
    let latest = today.checked_sub_days(Days::new(KEEP_DAYS)).unwrap_or(NaiveDate::MIN);
    if before > latest {
        return Err(Refused::invalid("before", format!("The last {KEEP_DAYS} business days stay in the store."))
            .help(format!("Give {} or an earlier day.", day_text(latest)))
            .with("latest", day_text(latest)));
    }
    Ok(business_day_start(before, calendar.zone, calendar.cutoff))
}

/// Deletes what the file has.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ArchiveBatch {
    /// What.
    pub part: Part,
    /// As which run.
    pub run: Run,
}

impl UseCase for ArchiveBatch {
    type Output = ();
    const NAME: &'static str = "archive_batch";
    const PERMISSION: Permission = Permission::SettingsWrite;
    // The run's own row tells of it, and the beginning and the end stand in the audit log.
    const AUDITED: bool = false;

    async fn run(&self, context: &mut Context<'_>) -> Result<(), Refused> {
        let (site, by) = (context.site.id.clone(), context.actor.staff.map(|id| id.0));
        let calendar = Calendar { zone: context.site.zone, cutoff: context.site.settings.business_day_cutoff };
        // Whoever asks: nothing younger than the days that stay.
        let today = calendar.day_of(context.now);
        let latest = today.checked_sub_days(Days::new(KEEP_DAYS)).unwrap_or(NaiveDate::MIN);
        if self.run.before > business_day_start(latest, calendar.zone, calendar.cutoff) {
            return Err(Refused::invalid("before", format!("The last {KEEP_DAYS} business days stay in the store.")));
        }
        if archive::take_away(context.tx, &site, &self.part, &self.run, (by, context.now)).await? {
            return Ok(());
        }
        Err(Refused::conflict("These rows changed on their way to the archive.").by_guard(CHANGED_GUARD))
    }
}

/// Ends: notes what came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EndArchive {
    /// What was moved.
    pub report: ArchiveReport,
}

impl UseCase for EndArchive {
    type Output = ();
    const NAME: &'static str = "archive_end";
    const PERMISSION: Permission = Permission::SettingsWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<(), Refused> {
        let report = &self.report;
        let orders = report.counts.get("orders").copied().unwrap_or(0);
        context.audit(AuditRow {
            action: "ARCHIVE",
            entity: "Store",
            entity_id: day_text(report.before),
            details: format!("{orders} orders went to {}", text::clean(&report.file.display().to_string(), 300, false)),
            before: None,
            after: Some(json!({ "sha256": report.sha256, "rows": report.counts, "held_back": report.held_back })),
            reason: None,
        });
        Ok(())
    }
}

/// What an archive before a day would move.
#[derive(Debug, Clone, Copy)]
pub struct PlanArchive {
    /// The first business day that stays.
    pub before: NaiveDate,
}

impl Query for PlanArchive {
    type Output = ArchivePlan;
    const PERMISSION: Permission = Permission::SettingsWrite;

    async fn run(&self, view: &mut View<'_>) -> Result<ArchivePlan, Refused> {
        let calendar = Calendar { zone: view.site.zone, cutoff: view.site.settings.business_day_cutoff };
        let before = judge(self.before, &calendar, view.now)?;
        let (site, day) = (view.site.id.clone(), day_text(self.before));
        let all = archive::old_orders(view.tx, &site, &day).await?;
        let (held_back, held_back_orders) = archive::held_back(view.tx, &site, (&day, before), NAMED).await?;
        Ok(ArchivePlan {
            before: self.before,
            first_day: archive::first_day(view.tx, &site).await?,
            orders: all.saturating_sub(held_back),
            held_back,
            held_back_orders,
        })
    }
}

/// Moves the old days to the file.
///
/// # Errors
/// The door's refusals for a caller who may not; `VALIDATION_ERROR` for a day that has to stay or a missing reason;
/// `CONFLICT` by [`REPORTS_GUARD`]; `STORE_UNAVAILABLE` for a file that cannot be used, or a store that cannot: what
/// went until then is in the file, and the same command goes on with the rest.
pub async fn archive(door: &Door, caller: &Caller, request: &ArchiveRequest) -> Result<ArchiveReport, Refused> {
    let begin = BeginArchive {
        before: request.before,
        file: request.file.display().to_string(),
        reason: request.reason.clone(),
    };
    let scope = door.execute(caller, None, begin).await?;
    let scope: Scope = serde_json::from_value(scope).map_err(Refused::internal)?;
    let mut file = ArchiveFile::open(&request.file, &scope.meta).await?;
    let mut tx = door.store().read().await?;
    let selects = Selects::of(&mut tx, file.shapes()).await?;
    file.copy_names(&mut tx, &selects, door.site_id()).await?;
    tx.rollback().await?;
    let report = ArchiveReport {
        before: request.before,
        file: request.file.clone(),
        sha256: String::new(),
        batches: 0,
        counts: Counts::new(),
        longest_batch_ms: 0,
        held_back: 0,
        held_back_orders: Vec::new(),
    };
    let mut moving = Moving { door, caller, scope, file, selects, report, took: Duration::ZERO };
    moving.settle_unfinished().await?;
    moving.orders().await?;
    moving.ledgers().await?;
    moving.audit_rows().await?;
    let Moving { file, mut report, scope, .. } = moving;
    file.close().await?;
    report.sha256 = archive::digest(&request.file)?;
    let mut tx = door.store().read_long().await?;
    let old = (scope.day.as_str(), scope.before);
    (report.held_back, report.held_back_orders) = archive::held_back(&mut tx, door.site_id(), old, NAMED).await?;
    tx.rollback().await?;
    door.execute(caller, None, EndArchive { report: report.clone() }).await?;
    Ok(report)
}

/// A run on its way.
struct Moving<'a> {
    door: &'a Door,
    caller: &'a Caller,
    scope: Scope,
    file: ArchiveFile,
    selects: Selects,
    report: ArchiveReport,
    /// How long the last transaction took.
    took: Duration,
}

impl Moving<'_> {
    async fn read(&self) -> Result<Tx, Refused> {
        Ok(self.door.store().read().await?)
    }

    fn now(&self) -> Timestamp {
        self.door.clock().now()
    }

    /// What an earlier run wrote to the file without learning whether it left the store.
    async fn settle_unfinished(&mut self) -> Result<(), Refused> {
        for (number, id) in self.file.unfinished().await? {
            if self.is_known(id).await? {
                self.file.moved(number, self.now()).await?;
            } else {
                self.file.discard(number).await?;
            }
        }
        Ok(())
    }

    async fn is_known(&self, id: Uuid) -> Result<bool, Refused> {
        let mut tx = self.read().await?;
        let known = archive::known_run(&mut tx, self.door.site_id(), id).await?;
        tx.rollback().await?;
        Ok(known.is_some())
    }

    async fn orders(&mut self) -> Result<(), Refused> {
        let (mut after, mut size, mut tries) = (Place::default(), FIRST_ORDERS, 0);
        loop {
            let mut tx = self.read().await?;
            let old = (self.scope.day.as_str(), self.scope.before);
            let found = archive::finished(&mut tx, self.door.site_id(), old, &after, size).await?;
            let Some(last) = found.last().map(|order| order.place.clone()) else {
                tx.rollback().await?;
                return Ok(());
            };
            let part = Part::Orders(found.iter().map(|order| (order.id, order.version)).collect());
            self.file.copy_customers(&mut tx, &self.selects, self.door.site_id(), &part).await?;
            tries += 1;
            let gone = self.take(tx, part).await?;
            // What changes again and again stays for the next run.
            if gone || tries >= TRIES {
                (after, tries) = (last, 0);
            }
            size = next_size(size, self.took);
        }
    }

    async fn ledgers(&mut self) -> Result<(), Refused> {
        let before = self.scope.before;
        let mut tx = self.read().await?;
        let items = archive::stock_items(&mut tx, self.door.site_id()).await?;
        let shifts = archive::shifts(&mut tx, self.door.site_id(), before).await?;
        tx.rollback().await?;
        for item in items {
            let mut tries = 0;
            loop {
                let mut tx = self.read().await?;
                let found = archive::stock_stretch(&mut tx, self.door.site_id(), item, before, MOVEMENTS).await?;
                let Some(stretch) = found else { break tx.rollback().await? };
                tries = if self.take(tx, Part::StockMovements(stretch)).await? { 0 } else { tries + 1 };
                if tries >= TRIES {
                    break;
                }
            }
        }
        for shift in shifts {
            let mut tries = 0;
            loop {
                let mut tx = self.read().await?;
                let found = archive::drawer_stretch(&mut tx, self.door.site_id(), shift, before, MOVEMENTS).await?;
                let Some(stretch) = found else { break tx.rollback().await? };
                tries = if self.take(tx, Part::DrawerMovements(stretch)).await? { 0 } else { tries + 1 };
                if tries >= TRIES {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn audit_rows(&mut self) -> Result<(), Refused> {
        let mut after = 0;
        loop {
            let mut tx = self.read().await?;
            let found = archive::next_audit_rows(&mut tx, self.door.site_id(), after, self.scope.before).await?;
            let Some(part) = found else {
                tx.rollback().await?;
                return Ok(());
            };
            if let Part::AuditRows { seal, .. } = &part {
                after = *seal;
            }
            // Written once: what is refused here was taken by another run meanwhile.
            self.take(tx, part).await?;
        }
    }

    /// Moves a part that was found in this transaction, which it ends; `false` when its rows changed on the way, and
    /// nothing was moved.
    async fn take(&mut self, mut tx: Tx, part: Part) -> Result<bool, Refused> {
        let mut tables = Vec::with_capacity(part.tables().len());
        for table in part.tables() {
            let with = (self.file.shapes(), &self.selects);
            tables.push(archive::read(&mut tx, with, self.door.site_id(), table, &part).await?);
        }
        tx.rollback().await?;
        let known = (self.door.new_id(), self.scope.before, self.now());
        let (number, run) = self.file.write(&part, &tables, known).await?;
        let counts = run.counts.clone();
        let began = Instant::now();
        let gone = self.door.execute(self.caller, None, ArchiveBatch { part, run: run.clone() }).await;
        self.took = began.elapsed();
        match gone {
            Ok(()) => {}
            Err(refused) if refused.guard == Some(CHANGED_GUARD) => {
                self.file.discard(number).await?;
                return Ok(false);
            }
            // An answer that was lost: the store knows. Else it stays in both places until the next run.
            Err(refused) => {
                if !self.is_known(run.id).await? {
                    return Err(refused);
                }
            }
        }
        self.file.moved(number, self.now()).await?;
        self.report.batches = self.report.batches.saturating_add(1);
        for (table, rows) in counts {
            let sum = self.report.counts.entry(table).or_default();
            *sum = sum.saturating_add(rows);
        }
        let millis = u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX);
        self.report.longest_batch_ms = self.report.longest_batch_ms.max(millis);
        // The others' turn.
        tokio::time::sleep(self.took.min(LONGEST_PAUSE)).await;
        Ok(true)
    }
}

/// How many orders the next batch has, after one of `size` held the writers up for so long.
fn next_size(size: i64, took: Duration) -> i64 {
    let next = if took > AIM {
        size / 2
    } else if took < AIM / 3 {
        size.saturating_mul(3) / 2
    } else {
        size
    };
    next.clamp(LEAST_ORDERS, MOST_ORDERS)
}

/// An order of a file, by its number.
///
/// # Errors
/// `NOT_FOUND` for an order that the file does not have; `STORE_UNAVAILABLE` for a file that cannot be read.
pub async fn show(file: &Path, number: &str) -> Result<ArchivedOrderView, Refused> {
    let reader = ArchiveReader::open(file).await?;
    let id = reader.find(number).await?.ok_or_else(|| Refused::not_found("order in this archive", number))?;
    let rows = serde_json::to_value(reader.rows_of(id).await?).map_err(Refused::internal)?;
    let site = reader.meta().site_id.clone();
    let mut tx = reader.read().await?;
    let order = OrderId(id);
    let row = orders::find(&mut tx, &site, order).await?;
    let row = row.ok_or_else(|| Refused::not_found("order in this archive", number))?;
    let lines = orders::lines(&mut tx, &site, order).await?;
    let attempts = money::attempts(&mut tx, &site, order).await?;
    let refunds = money::refunds(&mut tx, &site, order).await?;
    let history = orders::history_with_names(&mut tx, &site, order).await?;
    tx.rollback().await?;
    reader.close().await;
    let history = history.iter().map(history_view).collect::<Result<_, _>>()?;
    Ok(ArchivedOrderView { order: order_view(&row, &lines, &attempts, &refunds)?, history, rows })
}

/// Proves a file beside the store of a door: the check that doctor adds for it.
///
/// # Errors
/// `STORE_UNAVAILABLE` for a file or a store that cannot be read; what is wrong is in the answer.
pub async fn check(door: &Door, file: &Path) -> Result<Check, Refused> {
    let reader = ArchiveReader::open(file).await?;
    let Proof { rows, violation, .. } = reader.prove_beside(door.store(), door.site_id()).await?;
    reader.close().await;
    let name = file.file_name().map_or_else(|| file.display().to_string(), |name| name.to_string_lossy().into_owned());
    Ok(Check { name: format!("archive {}", text::clean(&name, 80, false)), rows_examined: rows, violation })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error::ErrorCode;

    #[test]
    fn a_batch_that_held_others_up_is_followed_by_a_smaller_one() {
        assert_eq!(next_size(100, AIM * 2), 50);
        assert_eq!(next_size(100, AIM / 2), 100);
        assert_eq!(next_size(100, AIM / 10), 150);
        assert_eq!(next_size(MOST_ORDERS, Duration::ZERO), MOST_ORDERS);
        assert_eq!(next_size(LEAST_ORDERS, AIM * 9), LEAST_ORDERS);
    }

    #[test]
    fn the_last_seven_business_days_stay() {
        let cutoff = chrono::NaiveTime::from_hms_opt(4, 0, 0).expect("04:00");
        let calendar = Calendar { zone: chrono_tz::UTC, cutoff };
        let day = |day: u32| NaiveDate::from_ymd_opt(2026, 3, day).expect("a day");
        let now = business_day_start(day(20), calendar.zone, cutoff).plus_seconds(60);
        assert_eq!(judge(day(13), &calendar, now).expect("old"), business_day_start(day(13), calendar.zone, cutoff));
        let refused = judge(day(14), &calendar, now).expect_err("too young");
        assert_eq!(
            (refused.code, refused.details["latest"].as_str()),
            (ErrorCode::ValidationError, Some("2026-03-13"))
        );
    }
}
