//! `servery stress`: real processes race for the last units of a dish on a store of its own, and the
//! ledger proves that nothing was sold twice. The race of one terminal, the sum of all of them, and what
//! is printed; the proof itself is `service/load/proof.rs`.

use super::crew::Post;
use super::desk::Desk;
use super::figures::{Waits, millis};
use super::load::{Job, OwnStore, crew};
use super::output::{Done, Failure, shown};
use crate::domain::error::{ErrorCode, Refused};
use crate::service::load::{self, Expected, Guest, LoadSite, Proof, REPEATS, is_busy};
use crate::store::beside::Beside;
use crate::store::{Options, Store, StoreUrl};
use clap::Args;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The site of a stress run; no real site is woken by it.
const SITE: &str = "stress";
/// Attempts for each unit, unless said otherwise: most of the race is fought over nothing.
const ATTEMPTS_PER_UNIT: u32 = 4;
/// The longest pause of a terminal between two attempts.
const PAUSE: Duration = Duration::from_millis(2);

/// The help.
pub const ABOUT: &str = "\
Let real processes race for the last units of a dish, and prove from the ledger that none was sold twice.

Works on a store of its own beside the given one, so it can be run on the hardware and the server that the house \
uses: a new folder next to the SQLite file, or a new schema in the same Postgres database (the role must be allowed to \
create one). It is removed at the end, also after Ctrl-C.

Each terminal is a process that fills its carts first; then all place and pay from one moment on, one order after the \
other, as kiosks do. An order that the busy store could not take in time is repeated under its key.

  sold       orders that were acknowledged as placed and paid
  refused    orders that were refused because nothing was left
  errors     all other ends, by their code
  wait       from placing an order to its payment's acknowledgement, repeats included

Then everything is counted again from the ledger, the holds, the orders and the payments, and doctor examines the \
store. Exit status 1 where anything does not add up.";

/// What is raced for, and by whom.
#[derive(Debug, Clone, Args)]
pub struct Stress {
    /// Terminals, each a process of its own
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    terminals: u16,
    /// Units of the dish that all of them want; one order takes one
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    units: u32,
    /// Orders that are tried together; four for each unit unless said otherwise
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    attempts: Option<u32>,
    /// Decides the pauses between a terminal's attempts; another one each time unless said otherwise
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Leave the store of the run where it is, and say where
    #[arg(long)]
    keep: bool,
}

/// The race of one terminal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Race {
    /// The store's address, with its password.
    store: String,
    attempts: u32,
    seed: u64,
}

/// What a terminal was told.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Told {
    sold: u32,
    refused: u32,
    /// What else came, and how often.
    errors: BTreeMap<String, u32>,
    /// Commands that were repeated because the store was too busy.
    repeated: u32,
    /// How long each attempt took.
    waits: Waits,
}

/// What is printed.
#[derive(Debug, Serialize)]
struct Report {
    store: &'static str,
    seed: u64,
    terminals: u16,
    units: u32,
    attempts: u32,
    sold: u32,
    refused: u32,
    errors: u32,
    error_codes: BTreeMap<String, u32>,
    repeated: u32,
    seconds: f64,
    wait: super::figures::Spread,
    proven: bool,
    proof: Proof,
}

/// Runs the command.
///
/// # Errors
/// `STORE_UNAVAILABLE`; [`Failure::Reported`] where the proof fails.
pub async fn run(stress: Stress, desk: &Desk) -> Done {
    let own = OwnStore { desk, purpose: "stress", keep: stress.keep };
    let report = own.run(async |beside: &Beside| stress.race(beside).await).await?;
    desk.output.answer(&report, || report.words())?;
    if report.proven { Ok(()) } else { Err(Failure::Reported) }
}

impl Stress {
    async fn race(&self, beside: &Beside) -> Result<Report, Refused> {
        let attempts = self.attempts.unwrap_or_else(|| self.units.saturating_mul(ATTEMPTS_PER_UNIT));
        let attempts = attempts.max(u32::from(self.terminals));
        let seed = self.seed.unwrap_or_else(super::figures::any_seed);
        let store = Store::open(beside.url(), Options::default()).await?;
        let site = LoadSite::make(&store, SITE).await?;
        site.stock_up(1, i64::from(self.units)).await?;
        let mut crew = crew(usize::from(self.terminals))?;
        let (each, more) = (attempts / u32::from(self.terminals), attempts % u32::from(self.terminals));
        let jobs: Vec<Job> = (0..u32::from(self.terminals))
            .map(|number| {
                Job::Race(Race {
                    store: beside.url().with_password(),
                    attempts: each + u32::from(number < more),
                    seed: seed.wrapping_add(u64::from(number)),
                })
            })
            .collect();
        crew.begin(&jobs).await?;
        let began = Instant::now();
        let mut all = Told::default();
        for number in 0..crew.size() {
            all.add(crew.answer(number).await?);
        }
        let seconds = began.elapsed().as_secs_f64();
        drop(crew);
        let errors = all.errors.values().sum();
        let expected = Expected {
            units: i64::from(self.units),
            sold: i64::from(all.sold),
            refused: i64::from(all.refused),
            unknown: i64::from(errors),
        };
        let proof = load::prove(&site.door, site.contested(), &expected).await?;
        store.close().await;
        Ok(Report {
            store: beside.url().kind(),
            seed,
            terminals: self.terminals,
            units: self.units,
            attempts,
            sold: all.sold,
            refused: all.refused,
            errors,
            error_codes: all.errors,
            repeated: all.repeated,
            seconds,
            wait: all.waits.spread(),
            proven: proof.holds(),
            proof,
        })
    }
}

impl Told {
    fn add(&mut self, other: Self) {
        self.sold += other.sold;
        self.refused += other.refused;
        self.repeated += other.repeated;
        self.waits.add(other.waits);
        for (code, count) in other.errors {
            *self.errors.entry(code).or_default() += count;
        }
    }
}

impl Report {
    fn words(&self) -> String {
        let mut out = format!(
            "{} terminals tried {} orders for {} units on {} in {:.1} s (seed {}).\n\nsold {}  refused {}  errors {}  \
             repeated for a busy store {}\nwait of an order: half within {}, 99 % within {}, the worst {}\n",
            self.terminals,
            self.attempts,
            self.units,
            self.store,
            self.seconds,
            self.seed,
            self.sold,
            self.refused,
            self.errors,
            self.repeated,
            millis(self.wait.p50_us),
            millis(self.wait.p99_us),
            millis(self.wait.worst_us)
        );
        for (code, count) in &self.error_codes {
            out.push_str(&format!("error {}: {count}\n", shown(code)));
        }
        out.push('\n');
        for check in &self.proof.checks {
            let mark = if check.holds { "ok" } else { "NO" };
            out.push_str(&format!("{mark}  {}: {}\n", check.name, shown(&check.found)));
        }
        out.push_str(if self.proven { "Proven: everything adds up.\n" } else { "Something does NOT add up.\n" });
        out
    }
}

/// One terminal: fills its carts, and then places and pays them one after the other.
///
/// # Errors
/// `STORE_UNAVAILABLE`; what the carts refuse. What the orders refuse is counted.
pub async fn serve(race: Race, post: &mut Post) -> Result<(), Refused> {
    let store = Store::open(&StoreUrl::parse(&race.store)?, Options::default()).await?;
    let site = LoadSite::open(&store, SITE).await?;
    let mut guests = Vec::new();
    for _ in 0..race.attempts {
        guests.push(site.guest(1).await?);
    }
    let mut dice = ChaCha12Rng::seed_from_u64(race.seed);
    let mut told = Told::default();
    if post.ready().await.map_err(Refused::internal)? {
        for guest in &guests {
            let micros = u64::try_from(PAUSE.as_micros()).unwrap_or_default().max(1);
            tokio::time::sleep(Duration::from_micros(dice.next_u64() % micros)).await;
            let began = Instant::now();
            let ended = buy(&site, guest, &mut told.repeated).await;
            told.waits.note(began.elapsed());
            match ended {
                Ok(()) => told.sold += 1,
                Err(refused) if refused.code == ErrorCode::InsufficientStock => told.refused += 1,
                Err(refused) => *told.errors.entry(refused.code.to_string()).or_default() += 1,
            }
        }
        post.answer(&told).await.map_err(Refused::internal)?;
    }
    store.close().await;
    Ok(())
}

/// Places and pays; each again where the store was too busy, as a customer is told to, which the key and the
/// attempt make safe.
async fn buy(site: &LoadSite, guest: &Guest, repeated: &mut u32) -> Result<(), Refused> {
    let mut tries = 0;
    let placed = loop {
        match load::place(&site.door, guest).await {
            Err(refused) if is_busy(&refused) && tries < REPEATS => tries += 1,
            done => break done?,
        }
    };
    let paid = loop {
        match load::pay(&site.door, &placed).await {
            Err(refused) if is_busy(&refused) && tries < REPEATS => tries += 1,
            done => break done,
        }
    };
    *repeated += tries;
    let paid = paid?;
    match paid.code {
        None => Ok(()),
        Some(code) => Err(Refused::new(code, paid.reason.unwrap_or_default())),
    }
}
