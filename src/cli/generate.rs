//! `servery generate`: fills a demo store with past orders, for measuring.

use super::app::Role;
use super::archive::sum_up;
use super::desk::Desk;
use super::output::{Done, table};
use crate::service::generate::{self, GenerateOrders, GenerateReport};
use clap::Args;
use std::time::Duration;
use tokio::time::Instant;

/// Between two words about how far it is.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// Fill a demo store with past orders, for measuring
///
/// The orders are as a house would have left them, and doctor finds nothing. A real store is refused.
#[derive(Debug, Args)]
pub struct Generate {
    /// How many
    #[arg(long, value_name = "N")]
    orders: i64,
    /// Over so many business days, the last one yesterday; 1,000 a day unless said otherwise
    #[arg(long, value_name = "D")]
    days: Option<i64>,
    /// The same seed makes the same orders
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

/// Runs the command.
///
/// # Errors
/// As [`generate::generate`].
pub async fn run(command: Generate, desk: &Desk) -> Done {
    let house = desk.house(Role::Command).await?;
    let request = GenerateOrders { orders: command.orders, days: command.days, seed: command.seed };
    let (began, mut said) = (Instant::now(), Instant::now());
    let report = generate::generate(&house.door, &request, |orders| {
        if !desk.output.json && said.elapsed() > SAY_EVERY {
            said = Instant::now();
            desk.output.say(&format!("{orders} of {}", request.orders));
        }
    })
    .await?;
    let inserted = began.elapsed();
    if !desk.output.json {
        desk.output.say("summing up for the reports");
    }
    sum_up(&house).await?;
    let (inserted, whole) = (inserted.as_secs_f64(), began.elapsed().as_secs_f64());
    let rows: i64 = report.rows.values().sum();
    let mut value = serde_json::to_value(&report).map_err(crate::domain::error::Refused::internal)?;
    if let Some(map) = value.as_object_mut() {
        map.insert("seconds".to_owned(), whole.into());
        map.insert("insert_seconds".to_owned(), inserted.into());
    }
    desk.output.answer(&value, || words(&report, rows, inserted, whole))
}

fn words(report: &GenerateReport, rows: i64, inserted: f64, whole: f64) -> String {
    let lines: Vec<Vec<String>> =
        report.rows.iter().map(|(name, count)| vec![name.clone(), count.to_string()]).collect();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = rows as f64 / inserted.max(0.001);
    format!(
        "{}{} orders from {} to {} in {inserted:.1} s ({rate:.0} rows/s), with the reports' sums {whole:.1} s.\n",
        table(&["TABLE", "ROWS>"], &lines),
        report.orders,
        report.from,
        report.to
    )
}
