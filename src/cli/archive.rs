//! `servery archive`: moves old business days from the store to a file, and reads such a file back.

use super::app::{House, Role};
use super::desk::{Counter, Desk};
use super::output::{Done, Failure, shown, table};
use super::{order, shape};
use crate::domain::error::Refused;
use crate::domain::money::{Currency, Money};
use crate::domain::report::{day_text, parse_day};
use crate::domain::time::Timestamp;
use crate::payment::Gateways;
use crate::service::archive::{self, ArchivePlan, ArchiveReport, ArchiveRequest, ArchivedOrderView, PlanArchive};
use crate::store::archive::HeldBack;
use crate::store::archive::proof::{ArchiveReader, ArchivedOrder, Contents};
use crate::worker::{Options, Worker};
use chrono::NaiveDate;
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often it is looked whether another process's worker has summed up the days by now.
const LOOKS: u32 = 60;
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Rounds of the worker's duties before the archive, where nobody else leads.
const ROUNDS: u32 = 100_000;

/// Move old business days to a file, or read such a file
///
/// Orders that are over, with all that hangs on them, and the old rows of the ledgers and of the audit log leave the
/// store; the reports of their days stay, and the seals of the audit log stay and hold. Orders whose money or events
/// have not come to rest stay too. The house goes on working meanwhile; a run that was broken off goes on when it is
/// given again with the same file. On Postgres only the owner of the tables may delete: give --store with that role.
///
/// On SQLite the store's file does not shrink: the room inside is used again by what comes next.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, verbatim_doc_comment)]
pub struct Archive {
    #[command(subcommand)]
    read: Option<ReadArchive>,
    /// The first business day that stays (YYYY-MM-DD), at least 7 days ago
    #[arg(long, value_name = "DATE")]
    before: Option<String>,
    /// The file; one that is there is added to. Without it one in the folder "archives" of the state folder
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// Why, for the audit log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Only say what would go
    #[arg(long)]
    dry_run: bool,
}

/// What can be read of a file.
#[derive(Debug, Subcommand)]
pub enum ReadArchive {
    /// What a file holds, and its orders
    List {
        /// The file
        file: PathBuf,
        /// The most orders
        #[arg(long, default_value_t = 50)]
        limit: i64,
        /// Orders after this number
        #[arg(long, value_name = "ORDER")]
        after: Option<String>,
    },
    /// One order of a file
    Show {
        /// The file
        file: PathBuf,
        /// The order's number, such as ORD-20260301-017
        order: String,
    },
    /// Go through a file: counts, hashes and seals; exit status 1 where something is wrong
    Verify {
        /// The file
        file: PathBuf,
    },
}

/// Runs the command.
///
/// # Errors
/// What the use cases refuse; a file that is not whole is the answer, with exit status 1.
pub async fn run(command: Archive, desk: &Desk) -> Done {
    match command.read {
        Some(ReadArchive::List { file, limit, after }) => list(desk, &file, after.as_deref(), limit).await,
        Some(ReadArchive::Show { file, order }) => show(desk, &file, &order).await,
        Some(ReadArchive::Verify { file }) => verify(desk, &file).await,
        None => {
            let Some(before) = command.before else {
                return Err(Failure::Usage("give --before DATE, or list, show or verify with a file".to_owned()));
            };
            let before = parse_day("before", &before)?;
            let counter = desk.counter(Role::Command).await?;
            if command.dry_run {
                let plan = counter.ask(PlanArchive { before }).await?;
                return counter.output().answer(&plan, || plan_words(&plan));
            }
            let file = command.file.unwrap_or_else(|| default_file(&counter.house, before));
            let request = ArchiveRequest { before, file, reason: command.reason.unwrap_or_default() };
            let report = move_days(&counter, &request).await?;
            counter.output().answer(&report, || report_words(&report))
        }
    }
}

fn default_file(house: &House, before: NaiveDate) -> PathBuf {
    let name = format!("{}-before-{}.archive", house.config.site, day_text(before));
    house.config.state_folder.join("archives").join(name)
}

async fn move_days(counter: &Counter<'_>, request: &ArchiveRequest) -> Result<ArchiveReport, Refused> {
    // Only for whoever may: the same question, whose answer is not needed.
    counter.ask(PlanArchive { before: request.before }).await?;
    sum_up(&counter.house).await?;
    let mut looks = 0;
    loop {
        let done = archive::archive(&counter.house.door, &counter.actor.caller, request).await;
        match done {
            Err(refused) if refused.guard == Some(archive::REPORTS_GUARD) && looks < LOOKS => {
                looks += 1;
                tokio::time::sleep(LOOK_EVERY).await;
            }
            other => return other,
        }
    }
}

/// Where no worker leads, its duties that come before an archive: the reports' sums and the seals of the audit log.
///
/// # Errors
/// The store's refusals.
pub(super) async fn sum_up(house: &House) -> Result<(), Refused> {
    let worker = Worker::new(house.door.clone(), Gateways::none(), Options::default());
    let Some(held) = worker.take_lease().await?.held else { return Ok(()) };
    for _ in 0..ROUNDS {
        let summed = worker.keep_summaries_every(&held, 0).await?;
        let sealed = worker.seal_audit_older_than(&held, 0).await?;
        if !summed.more && summed.summarised == 0 && sealed.sealed == 0 {
            break;
        }
        worker.renew(&held).await?;
    }
    worker.give_back(&held).await
}

fn held_back_words(count: i64, orders: &[HeldBack]) -> String {
    if count == 0 {
        return String::new();
    }
    let names: Vec<String> =
        orders.iter().map(|order| format!("{} ({})", shown(&order.order_number), shown(&order.status))).collect();
    let more = if count > i64::try_from(orders.len()).unwrap_or(i64::MAX) { ", …" } else { "" };
    format!(
        "{count} stay, because they are not over, or their money or events have not come to rest: {}{more}\n",
        names.join(", ")
    )
}

fn plan_words(plan: &ArchivePlan) -> String {
    let first = plan.first_day.as_deref().unwrap_or("-");
    let mut out = format!("{} orders from {first} to before {} would go.\n", plan.orders, day_text(plan.before));
    out.push_str(&held_back_words(plan.held_back, &plan.held_back_orders));
    out
}

fn report_words(report: &ArchiveReport) -> String {
    let rows: Vec<Vec<String>> =
        report.counts.iter().map(|(name, count)| vec![name.clone(), count.to_string()]).collect();
    let mut out = table(&["TABLE", "ROWS>"], &rows);
    out.push_str(&held_back_words(report.held_back, &report.held_back_orders));
    out.push_str(&format!(
        "{} written, SHA-256 {}. {} transactions, the longest {} ms.\n",
        report.file.display(),
        report.sha256,
        report.batches,
        report.longest_batch_ms
    ));
    out
}

async fn list(desk: &Desk, file: &Path, after: Option<&str>, limit: i64) -> Done {
    let reader = ArchiveReader::open(file).await.map_err(Refused::from)?;
    let contents = reader.contents().await.map_err(Refused::from)?;
    let orders = reader.orders(after.unwrap_or_default(), limit.max(0)).await.map_err(Refused::from)?;
    reader.close().await;
    let currency = Currency::parse(&contents.meta.currency)?;
    let value =
        serde_json::json!({ "contents": shape::own(&contents, currency)?, "orders": shape::own(&orders, currency)? });
    desk.output.answer(&value, || list_words(&contents, &orders, currency))
}

fn list_words(contents: &Contents, orders: &[ArchivedOrder], currency: Currency) -> String {
    let mut out = format!(
        "{} orders of {}, {} to {}, in {} batches\n",
        contents.orders,
        shown(&contents.meta.site_id),
        contents.first_day.as_deref().map_or_else(|| "-".to_owned(), shown),
        contents.last_day.as_deref().map_or_else(|| "-".to_owned(), shown),
        contents.batches
    );
    if contents.unfinished > 0 {
        out.push_str(&format!(
            "{} batches may still be in the store too: run the same archive again.\n",
            contents.unfinished
        ));
    }
    let rows: Vec<Vec<String>> = orders
        .iter()
        .map(|order| {
            vec![
                order.order_number.clone(),
                order.status.clone(),
                Money(order.total).display(currency),
                Timestamp(order.created_at).to_rfc3339(),
            ]
        })
        .collect();
    out.push_str(&table(&["ORDER", "STATUS", "TOTAL>", "PLACED"], &rows));
    if let Some(last) = orders.last()
        && i64::try_from(orders.len()).is_ok_and(|count| count < contents.orders)
    {
        out.push_str(&format!("More: --after {}\n", shown(&last.order_number)));
    }
    out
}

async fn show(desk: &Desk, file: &Path, number: &str) -> Done {
    let found = archive::show(file, number).await?;
    let ArchivedOrderView { order, history, rows } = &found;
    let zone = {
        let reader = ArchiveReader::open(file).await.map_err(Refused::from)?;
        let zone = reader.meta().time_zone.parse().map_err(Refused::internal)?;
        reader.close().await;
        zone
    };
    let value = serde_json::json!({
        "order": shape::own(order, order.currency)?,
        "history": shape::own(history, order.currency)?,
        "rows": rows,
    });
    desk.output.answer(&value, || {
        let steps: Vec<Vec<String>> = history
            .iter()
            .map(|step| {
                vec![
                    step.at.to_rfc3339(),
                    step.transition.clone(),
                    step.to.as_str().to_owned(),
                    step.actor.clone().unwrap_or_else(|| step.role.clone()),
                    step.reason.clone().unwrap_or_default(),
                ]
            })
            .collect();
        format!("{}{}", order::words(order, None, zone), table(&["AT", "STEP", "TO", "BY", "REASON"], &steps))
    })
}

async fn verify(desk: &Desk, file: &Path) -> Done {
    let reader = ArchiveReader::open(file).await.map_err(Refused::from)?;
    let proof = reader.prove().await.map_err(Refused::from)?;
    reader.close().await;
    desk.output.answer(&proof, || match &proof.violation {
        Some(violation) => format!("Broken: {}\n", shown(violation)),
        None => format!(
            "{} rows in {} batches are whole, {} audit rows stand under seals that hold.\nSHA-256 {}\n{}",
            proof.rows,
            proof.batches,
            proof.sealed,
            proof.sha256,
            if proof.unfinished > 0 {
                "Some batches may still be in the store too: run the same archive again.\n"
            } else {
                ""
            }
        ),
    })?;
    if proof.violation.is_none() { Ok(()) } else { Err(Failure::Reported) }
}
