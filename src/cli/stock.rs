//! `servery stock`: the store room by hand, and its ledger.

use super::app::Role;
use super::desk::{Counter, Desk};
use super::output::{Done, shown, table};
use super::shape;
use crate::domain::error::Refused;
use crate::domain::forecast::Forecast;
use crate::domain::ids::OrderId;
use crate::service::stock::{
    HolderView, StockAdjust, StockChanged, StockFilter, StockList, StockReceive, StockRecount, StockSet, StockState,
    StockView, StockWaste,
};
use crate::service::stock_forecast::{ForecastView, StockForecast, StockHolders};
use crate::service::stock_ledger::{MovementFilter, StockLedger};
use chrono_tz::Tz;
use clap::{Args, Subcommand};

/// What can be done with stock.
#[derive(Debug, Subcommand)]
pub enum Stock {
    /// What is there, what is reserved, what is available, by code
    List(Filters),
    /// A new counted thing, or what is said about a known one
    Set(Set),
    /// Goods came in
    Receive {
        /// The stock item's code
        item: String,
        /// How many units
        quantity: i64,
        /// Why: a delivery note's number, or the like
        #[arg(long)]
        reason: String,
    },
    /// Correct the count by a difference
    Adjust {
        /// The stock item's code
        item: String,
        /// The difference
        #[arg(allow_negative_numbers = true)]
        delta: i64,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        release: Release,
    },
    /// Somebody counted what is there, held units included
    Recount {
        /// The stock item's code
        item: String,
        /// What was counted
        counted: i64,
        /// Why it was counted
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        release: Release,
    },
    /// Units were thrown away
    Waste {
        /// The stock item's code
        item: String,
        /// How many units
        quantity: i64,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        release: Release,
    },
    /// The orders that hold units of a stock item
    Holders {
        /// The stock item's code
        item: String,
    },
    /// What runs out today if it goes on selling as it has so far, the most urgent first
    Forecast(Filters),
    /// Every movement of a stock item, newest first
    Ledger(Movements),
}

/// Which movements.
#[derive(Debug, Args)]
pub struct Movements {
    /// The stock item's code
    item: String,
    /// Only these: receive, recount, adjust, waste, commit or restock; may be given several times
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// Moved on this business day (YYYY-MM-DD) or at this instant (RFC 3339), or later
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Moved up to this business day, with it, or before this instant
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// A part of the reason, of the order's number or of the person's name
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// The most rows
    #[arg(long, default_value_t = 50)]
    limit: i64,
    /// The `next` of the page before
    #[arg(long)]
    after: Option<String>,
}

/// Which stock items.
#[derive(Debug, Args)]
pub struct Filters {
    /// A part of the code or of the name
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only what is low
    #[arg(long, group = "state")]
    low: bool,
    /// Only what is sold out
    #[arg(long, group = "state")]
    out: bool,
    /// Only what is counted now
    #[arg(long, group = "state")]
    tracked: bool,
    /// Only what is not counted now
    #[arg(long, group = "state")]
    untracked: bool,
    /// The most rows
    #[arg(long, default_value_t = 200)]
    limit: i64,
    /// The `next` of the page before
    #[arg(long)]
    after: Option<String>,
}

impl Filters {
    fn filter(&self) -> StockFilter {
        let wanted = [self.low, self.out, self.tracked, self.untracked];
        let state = StockState::ALL.into_iter().zip(wanted).find(|(_, wanted)| *wanted).map(|(state, _)| state);
        StockFilter { text: self.search.clone(), state }
    }
}

/// What is said about a counted thing.
#[derive(Debug, Args)]
pub struct Set {
    /// Its code
    code: String,
    /// Its name
    #[arg(long)]
    name: String,
    /// What one unit is
    #[arg(long)]
    unit: Option<String>,
    /// The count with which a new one begins
    #[arg(long)]
    opening: Option<i64>,
    /// At or below so many available it is low
    #[arg(long, default_value_t = 0)]
    low: i64,
    /// The menu item of which each sale uses one unit
    #[arg(long, value_name = "ITEM")]
    sold_as: Option<String>,
    /// It is to be a new one: a code that is counted already is refused
    #[arg(long)]
    only_new: bool,
}

/// Orders that give way.
#[derive(Debug, Args)]
pub struct Release {
    /// A pending order whose hold is released; may be given several times
    #[arg(long, value_name = "ORDER")]
    release: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// What the use cases refuse.
pub async fn run(command: Stock, desk: &Desk) -> Done {
    let counter = desk.counter(Role::Command).await?;
    let changed = match command {
        Stock::List(filters) => {
            let query = StockList { filter: filters.filter(), after: filters.after, limit: filters.limit };
            let page = counter.ask(query).await?;
            let value = shape::own_page(&page, counter.house.site.currency)?;
            return counter.output().answer(&value, || list_words(&page.items));
        }
        Stock::Holders { item } => {
            let holders = counter.ask(StockHolders { item }).await?;
            return counter.answer(&holders, || holder_words(&holders));
        }
        Stock::Forecast(filters) => {
            let query = StockForecast { filter: filters.filter(), after: filters.after, limit: filters.limit };
            let page = counter.ask(query).await?.page;
            let (zone, value) = (counter.house.site.zone, shape::own_page(&page, counter.house.site.currency)?);
            return counter.output().answer(&value, || forecast_words(&page.items, zone));
        }
        Stock::Ledger(movements) => return ledger(movements, &counter).await,
        Stock::Set(set) => {
            let Set { code, name, unit, opening, low, sold_as, only_new } = set;
            counter.execute(StockSet { code, name, unit, opening, low_mark: low, sold_as, only_new }).await?
        }
        Stock::Receive { item, quantity, reason } => counter.execute(StockReceive { item, quantity, reason }).await?,
        Stock::Adjust { item, delta, reason, release } => {
            let release = released(&release, &counter).await?;
            counter.execute(StockAdjust { item, delta, reason, release }).await?
        }
        Stock::Recount { item, counted, reason, release } => {
            let release = released(&release, &counter).await?;
            counter.execute(StockRecount { item, counted, release, reason }).await?
        }
        Stock::Waste { item, quantity, reason, release } => {
            let release = released(&release, &counter).await?;
            counter.execute(StockWaste { item, quantity, reason, release }).await?
        }
    };
    counter.answer(&changed, || words(&changed))
}

async fn released(release: &Release, counter: &Counter<'_>) -> Result<Vec<OrderId>, Refused> {
    let mut orders = Vec::with_capacity(release.release.len());
    for named in &release.release {
        orders.push(counter.find_order(named).await?.id);
    }
    Ok(orders)
}

fn words(changed: &StockChanged) -> String {
    let StockView { code, name, on_hand, reserved, available, .. } = &changed.item;
    let name = shown(name);
    format!("{name} ({code}): {on_hand} on hand, {reserved} reserved, {available} available ({:+})", changed.moved)
}

fn list_words(items: &[StockView]) -> String {
    let rows: Vec<Vec<String>> = items
        .iter()
        .map(|item| {
            vec![
                item.code.clone(),
                item.name.clone(),
                item.on_hand.to_string(),
                item.reserved.to_string(),
                item.available.to_string(),
                item.unit.clone(),
                if item.low { "low" } else { "" }.to_owned(),
            ]
        })
        .collect();
    table(&["CODE", "NAME", "ON HAND>", "RESERVED>", "AVAILABLE>", "UNIT", ""], &rows)
}

fn holder_words(holders: &[HolderView]) -> String {
    let rows: Vec<Vec<String>> = holders
        .iter()
        .map(|holder| {
            vec![
                holder.order_number.clone(),
                holder.status.clone(),
                holder.quantity.to_string(),
                if holder.releasable { "can be released" } else { "" }.to_owned(),
            ]
        })
        .collect();
    table(&["ORDER", "STATUS", "UNITS>", ""], &rows)
}

fn forecast_words(items: &[ForecastView], zone: Tz) -> String {
    let rows: Vec<Vec<String>> = items
        .iter()
        .map(|view| {
            let says = match view.forecast {
                Forecast::Out => "out".to_owned(),
                Forecast::RunsOut(at) => format!("runs out at {}", at.local_time(zone).format("%H:%M")),
                Forecast::Lasts => "lasts today".to_owned(),
                Forecast::Unknown => String::new(),
            };
            let (sold, left) = (view.sold_today.to_string(), view.item.available.to_string());
            vec![view.item.code.clone(), view.item.name.clone(), sold, left, says]
        })
        .collect();
    table(&["CODE", "NAME", "SOLD TODAY>", "AVAILABLE>", "AT THIS RATE"], &rows)
}

async fn ledger(movements: Movements, counter: &Counter<'_>) -> Done {
    let kinds = movements.kind.iter().map(|word| word.parse()).collect::<Result<_, Refused>>()?;
    let from = counter.instant("from", movements.from.as_deref(), false).await?;
    let until = counter.instant("to", movements.to.as_deref(), true).await?;
    let Movements { item, search, limit, after, .. } = movements;
    let filter = MovementFilter { kinds, from, until, text: search };
    let page = counter.ask(StockLedger { item, filter, after, limit }).await?;
    let value = shape::own_page(&page, counter.house.site.currency)?;
    counter.output().answer(&value, || {
        let rows: Vec<Vec<String>> = page
            .items
            .iter()
            .map(|row| {
                vec![
                    row.seq.to_string(),
                    row.at.to_rfc3339(),
                    row.kind.clone(),
                    format!("{:+}", row.quantity),
                    row.on_hand_after.to_string(),
                    row.reserved_after.to_string(),
                    row.role.clone(),
                    row.reason.clone().unwrap_or_default(),
                ]
            })
            .collect();
        table(&["#>", "AT", "KIND", "UNITS>", "ON HAND>", "RESERVED>", "BY", "REASON"], &rows)
    })
}
