//! Orders per second of one case: the processes are told slice after slice, by the service and by hand
//! in turn, so that a slow moment of a shared machine hits both; the sums, and the ratio.

use super::progress::Progress;
use super::slice::{By, Ran, Site, Slice};
use crate::cli::crew::Crew;
use crate::cli::figures::{Spread, Waits};
use crate::cli::load::{Job, crew};
use crate::domain::error::Refused;
use crate::store::StoreUrl;
use serde::Serialize;
use std::collections::BTreeMap;

/// The longest slice, in seconds.
const LONGEST_SLICE: f64 = 0.5;
/// Orders of each client by which the speed is found out before anything counts.
const TRIAL: usize = 4;
/// The most orders of one slice.
const MOST: f64 = 50_000.0;

/// Who orders where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Case {
    /// Processes.
    pub processes: u16,
    /// Clients in all of them together.
    pub clients: u16,
    /// Sites over which they order.
    pub sites: u16,
}

/// What one side reached.
#[derive(Debug, Clone, Serialize)]
pub struct Reached {
    /// Orders placed and paid in a second.
    pub orders_per_second: f64,
    /// How long an order took.
    pub wait: Spread,
    /// What failed, and how often.
    pub errors: BTreeMap<String, u64>,
}

/// What a case reached.
#[derive(Debug, Clone, Serialize)]
pub struct Orders {
    /// The case.
    #[serde(flatten)]
    pub case: Case,
    /// Through the one door.
    pub service: Reached,
    /// The bare-SQL limit.
    pub bare: Reached,
    /// Orders per second of the service by those of the limit.
    pub ratio: f64,
}

#[derive(Default)]
struct Sum {
    waits: Waits,
    micros: u64,
    errors: BTreeMap<String, u64>,
}

impl Case {
    /// Every case of these lists that can be: at least one client a process and a site.
    #[must_use]
    pub fn all(processes: &[u16], clients: &[u16], sites: &[u16]) -> Vec<Self> {
        let mut cases = Vec::new();
        for &clients in clients {
            for &processes in processes.iter().filter(|processes| **processes <= clients) {
                for &sites in sites.iter().filter(|sites| **sites <= clients) {
                    cases.push(Self { processes, clients, sites });
                }
            }
        }
        cases
    }

    /// Pairs of slices in so many seconds.
    fn pairs(seconds: f64) -> u32 {
        // Two at least: each side goes first once.
        let pairs = (seconds / (2.0 * LONGEST_SLICE)).round().clamp(2.0, 10_000.0);
        (2..=10_000).find(|count| f64::from(*count) >= pairs).unwrap_or(2)
    }

    /// Steps of the progress bar.
    #[must_use]
    pub fn steps(seconds: f64) -> u64 {
        u64::from(2 * Self::pairs(seconds) + 2)
    }

    /// Measures.
    ///
    /// # Errors
    /// `STORE_UNAVAILABLE`; `INTERNAL_ERROR` for a process that fails.
    pub async fn measure(
        self,
        url: &StoreUrl,
        sites: &[Site],
        seconds: f64,
        progress: &Progress,
    ) -> Result<Orders, Refused> {
        let sites: Vec<Site> = sites.iter().take(usize::from(self.sites)).cloned().collect();
        let mut crew = crew(usize::from(self.processes))?;
        let pairs = Self::pairs(seconds);
        let slice_seconds = seconds / f64::from(2 * pairs);
        let mut sizes = [0_usize; 2];
        for (by, size) in [By::Service, By::Hand].into_iter().zip(&mut sizes) {
            let mut trial = Sum::default();
            self.slice(&mut crew, url, &sites, by, TRIAL * usize::from(self.clients), &mut trial).await?;
            *size = trial.orders_in(slice_seconds).max(usize::from(self.clients));
            progress.step();
        }
        let [mut service, mut bare] = [Sum::default(), Sum::default()];
        for pair in 0..pairs {
            // Who goes first changes, so that neither always follows the other.
            for turn in 0..2 {
                let (by, size, sum) = if (pair + turn) % 2 == 0 {
                    (By::Service, sizes[0], &mut service)
                } else {
                    (By::Hand, sizes[1], &mut bare)
                };
                self.slice(&mut crew, url, &sites, by, size, sum).await?;
                progress.step();
            }
        }
        let (service, bare) = (service.reached(), bare.reached());
        let ratio = service.orders_per_second / bare.orders_per_second.max(f64::MIN_POSITIVE);
        Ok(Orders { case: self, service, bare, ratio })
    }

    async fn slice(
        self,
        crew: &mut Crew,
        url: &StoreUrl,
        sites: &[Site],
        by: By,
        orders: usize,
        sum: &mut Sum,
    ) -> Result<(), Refused> {
        let processes = usize::from(self.processes);
        let share = |all: usize, number: usize| all / processes + usize::from(number < all % processes);
        let jobs: Vec<Job> = (0..processes)
            .map(|number| {
                Job::Slice(Slice {
                    store: url.with_password(),
                    sites: sites.to_vec(),
                    clients: u32::try_from(share(usize::from(self.clients), number)).unwrap_or(1),
                    shared: processes > 1,
                    orders: share(orders, number),
                    by,
                })
            })
            .collect();
        sum.add(crew.run(&jobs).await?);
        Ok(())
    }
}

impl Sum {
    fn add(&mut self, ran: Vec<Ran>) {
        let began = ran.iter().map(|ran| ran.began_us).min().unwrap_or_default();
        let ended = ran.iter().map(|ran| ran.ended_us).max().unwrap_or_default();
        self.micros += ended.saturating_sub(began);
        for one in ran {
            self.waits.add(one.waits);
            for (code, count) in one.errors {
                *self.errors.entry(code).or_default() += count;
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate of a bench; counts and microseconds are far below 2^52")]
    fn rate(&self) -> f64 {
        self.waits.len() as f64 * 1_000_000.0 / (self.micros.max(1) as f64)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and the limit beside it")]
    fn orders_in(&self, seconds: f64) -> usize {
        (self.rate() * seconds).clamp(1.0, MOST) as usize
    }

    fn reached(self) -> Reached {
        Reached { orders_per_second: self.rate(), wait: self.waits.spread(), errors: self.errors }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cases_that_can_be_are_measured() {
        let cases = Case::all(&[1, 4], &[1, 8], &[1, 8]);
        let shown: Vec<_> = cases.iter().map(|case| (case.processes, case.clients, case.sites)).collect();
        assert_eq!(shown, [(1, 1, 1), (1, 8, 1), (1, 8, 8), (4, 8, 1), (4, 8, 8)]);
    }

    #[test]
    fn the_time_of_a_slice_is_from_the_first_to_the_last_of_all_processes() {
        let ran = |began_us, ended_us| {
            let mut waits = Waits::default();
            waits.note(std::time::Duration::from_micros(5));
            Ran { began_us, ended_us, waits, ..Ran::default() }
        };
        let mut sum = Sum::default();
        sum.add(vec![ran(1_000_000, 2_000_000), ran(1_500_000, 3_000_000)]);
        sum.add(vec![ran(9_000_000, 11_000_000)]);
        assert_eq!(sum.micros, 4_000_000);
        assert!((sum.rate() - 0.75).abs() < 1e-9);
        assert_eq!(sum.orders_in(8.0), 6);
        assert_eq!(Case::pairs(5.0), 5);
        assert_eq!(Case::pairs(0.1), 2);
    }
}
