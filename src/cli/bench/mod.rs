//! `servery bench`: how fast the house is on this machine and this store. What is measured, in which
//! order, and the one document in which it is printed; each measurement has a file of its own.

pub mod feed;
mod keys;
mod orders;
mod progress;
mod report;
mod roles;
pub mod slice;
mod watched;
mod words;

pub use words::ABOUT;

use super::desk::Desk;
use super::figures::any_seed;
use super::load::OwnStore;
use super::output::{Done, Failure};
use crate::config::{Config, Variables};
use crate::domain::error::Refused;
use crate::service::load::{self, LINES, LoadSite};
use crate::service::{SystemClock, TimeOrderedIds};
use crate::store::bare::{self, Bare};
use crate::store::beside::Beside;
use crate::store::{Options, Store, statements};
use clap::{Args, ValueEnum};
use orders::Case;
use progress::Progress;
use report::{Machine, Report, Statements, StoreFacts};
use std::time::Duration;

/// Goods of each dish: more than a bench can sell.
const GOODS: i64 = 1_000_000_000;
/// The site of the board that is watched.
const FEED_SITE: &str = "bench-feed";
/// The site with the many tickets.
const KEYS_SITE: &str = "bench-keys";
/// The site at which nothing happens.
const IDLE_SITE: &str = "bench-idle";

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Measure {
    /// Orders per second beside the bare-SQL limit, and the statements of an order
    Orders,
    /// From a commit in one process to the drawn frame in another
    Feed,
    /// From a key to the last byte of its frame
    Keys,
    /// Start, memory and idle processor time of each role
    Roles,
}

/// What is measured, and how much of it.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    /// Clients that order at the same time, in all processes together [default: 1,8,32]
    #[arg(long, value_name = "N,..", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=512))]
    clients: Vec<u16>,
    /// Processes over which the clients are spread [default: 1,4]
    #[arg(long, value_name = "N,..", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=64))]
    processes: Vec<u16>,
    /// Sites over which the orders are spread [default: 1,8]
    #[arg(long, value_name = "N,..", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=64))]
    sites: Vec<u16>,
    /// Seconds of each case, half of them the service's and half the limit's [default: 5]
    #[arg(long, value_name = "N")]
    seconds: Option<f64>,
    /// Measure only these
    #[arg(long, value_name = "WHAT,..", value_delimiter = ',', value_enum)]
    only: Vec<Measure>,
    /// A small run, to see that it works: its figures mean little
    #[arg(long)]
    quick: bool,
    /// Decides the pauses of the feed's payments; another one each time unless said otherwise
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Leave the store of the run where it is, and say where
    #[arg(long)]
    keep: bool,
}

/// The amounts, after defaults.
#[derive(Debug, Clone)]
struct Plan {
    cases: Vec<Case>,
    seconds: f64,
    only: Vec<Measure>,
    seed: u64,
    feed_samples: u32,
    tickets: u32,
    keys: u32,
    starts: roles::Starts,
}

impl Arguments {
    fn plan(&self) -> Result<Plan, Failure> {
        let or = |given: &Vec<u16>, quick: &[u16], usual: &[u16]| match (given.is_empty(), self.quick) {
            (false, _) => given.clone(),
            (true, true) => quick.to_vec(),
            (true, false) => usual.to_vec(),
        };
        let clients = or(&self.clients, &[2], &[1, 8, 32]);
        let processes = or(&self.processes, &[1, 2], &[1, 4]);
        let sites = or(&self.sites, &[2], &[1, 8]);
        let seconds = self.seconds.unwrap_or(if self.quick { 0.2 } else { 5.0 });
        if !(0.1..=3_600.0).contains(&seconds) {
            return Err(Failure::Usage("--seconds is from 0.1 to 3600".to_owned()));
        }
        let cases = Case::all(&processes, &clients, &sites);
        if cases.is_empty() {
            return Err(Failure::Usage("every case needs at least one client for each process and site".to_owned()));
        }
        let all = Measure::value_variants().to_vec();
        let (feed_samples, tickets, keys) = if self.quick { (3, 20, 20) } else { (200, 500, 1_000) };
        let starts = if self.quick {
            roles::Starts { times: 1, idle: Duration::from_millis(300) }
        } else {
            roles::Starts { times: 5, idle: Duration::from_secs(20) }
        };
        Ok(Plan {
            cases,
            seconds,
            only: if self.only.is_empty() { all } else { self.only.clone() },
            seed: self.seed.unwrap_or_else(any_seed),
            feed_samples,
            tickets,
            keys,
            starts,
        })
    }
}

impl Plan {
    fn wants(&self, measure: Measure) -> bool {
        self.only.contains(&measure)
    }

    /// Steps of the progress bar.
    fn steps(&self) -> u64 {
        let of = |measure, steps: u64| if self.wants(measure) { steps } else { 0 };
        let cases = u64::try_from(self.cases.len()).unwrap_or_default();
        of(Measure::Orders, cases * Case::steps(self.seconds))
            + of(Measure::Feed, u64::from(self.feed_samples))
            + of(Measure::Keys, 1)
            + of(Measure::Roles, roles::STEPS)
    }
}

/// Runs the command.
///
/// # Errors
/// `STORE_UNAVAILABLE`; a usage error for cases that cannot be; `INTERNAL_ERROR` for a process that fails.
pub async fn run(arguments: Arguments, desk: &Desk) -> Done {
    let plan = arguments.plan()?;
    let own = OwnStore { desk, purpose: "bench", keep: arguments.keep };
    let report = own.run(async |beside: &Beside| measure(&plan, beside, &desk.config).await).await?;
    desk.output.answer(&report, || report.words())
}

async fn measure(plan: &Plan, beside: &Beside, config: &Config) -> Result<Report, Refused> {
    let progress = Progress::new(plan.steps());
    let load_before = report::load_average();
    let store = Store::open(beside.url(), Options::default()).await?;
    let durability = bare::durability(&store).await?;
    let mut report = Report {
        version: env!("CARGO_PKG_VERSION"),
        machine: Machine::here(load_before),
        store: StoreFacts { kind: beside.url().kind(), durability },
        seed: plan.seed,
        statements: None,
        orders: Vec::new(),
        feed: None,
        keys: None,
        roles: Vec::new(),
        binary_bytes: std::env::current_exe().and_then(std::fs::metadata).map(|file| file.len()).ok(),
    };
    if plan.wants(Measure::Orders) {
        let most = plan.cases.iter().map(|case| case.sites).max().unwrap_or(1);
        let mut sites = Vec::with_capacity(usize::from(most));
        for number in 1..=most {
            progress.says(format!("site {number} of {most}"));
            let site = LoadSite::make(&store, &format!("bench-{number}")).await?;
            site.stock_up(LINES, GOODS).await?;
            sites.push(slice::Site { model: site.model().await?, like: site.guest(LINES).await? });
            if number == 1 {
                report.statements = Some(count_statements(&site, &sites).await?);
            }
        }
        for case in &plan.cases {
            let Case { processes, clients, sites: over } = case;
            progress.says(format!("orders: {clients} clients in {processes} processes over {over} sites"));
            report.orders.push(case.measure(beside.url(), &sites, plan.seconds, &progress).await?);
        }
    }
    if plan.wants(Measure::Feed) {
        progress.says("feed: from a commit to the frame of another process");
        let site = LoadSite::make(&store, FEED_SITE).await?;
        site.stock_up(LINES, GOODS).await?;
        report.feed = Some(feed::measure(&store, &site, plan.feed_samples, plan.seed, &progress).await?);
    }
    if plan.wants(Measure::Keys) {
        progress.says(format!("keys: a board with {} tickets", plan.tickets));
        let site = LoadSite::make(&store, KEYS_SITE).await?;
        site.stock_up(LINES, GOODS).await?;
        keys::fill(&site, plan.tickets).await?;
        report.keys = Some(keys::measure(&config_of(beside, config), plan.tickets, plan.keys, &progress).await?);
    }
    if plan.wants(Measure::Roles) {
        progress.says("roles: start, memory, idle processor time");
        LoadSite::make(&store, IDLE_SITE).await?;
        report.roles = roles::measure(beside, IDLE_SITE, plan.starts, &progress).await?;
    }
    store.close().await;
    report.machine.load_average_after = report::load_average();
    Ok(report)
}

/// The house with the many tickets: its own store, site and pepper, and none of the given one's secrets.
fn config_of(beside: &Beside, config: &Config) -> Config {
    let pepper = beside.folder().join(roles::PEPPER).display().to_string();
    Config {
        store: beside.url().clone(),
        site: KEYS_SITE.to_owned(),
        terminal: Some("bench-kitchen".to_owned()),
        gateway_script: None,
        state_folder: beside.folder().to_owned(),
        config_folder: beside.folder().to_owned(),
        variables: Variables::from_pairs([("SERVERY_PEPPER_FILE", pepper.as_str())]),
        ..config.clone()
    }
}

/// How many statements the database is sent for one order, by the service and by hand, those that begin and end
/// transactions included.
async fn count_statements(site: &LoadSite, sites: &[slice::Site]) -> Result<Statements, Refused> {
    let Some(slice::Site { model, like }) = sites.first() else { return Err(Refused::internal("no site")) };
    let guests = site.guests_like(like, 2).await?;
    let [first, second] = guests.as_slice() else { return Err(Refused::internal("no guests")) };
    let mut bare = Bare::open(site.door.store().url(), false).await?;
    statements::start();
    let before = statements::ran();
    let placed = load::place(&site.door, first).await?;
    let place = statements::ran() - before;
    load::pay(&site.door, &placed).await?;
    let service = statements::ran() - before;
    let before = statements::ran();
    bare.place_pay(model, second.cart, &SystemClock, &TimeOrderedIds::from_machine()).await?;
    let by_hand = statements::ran() - before;
    statements::stop();
    Ok(Statements { place, pay: service - place, service, bare: by_hand })
}
