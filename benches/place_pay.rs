//! Place and pay, two commands and two commits an order of three dishes, through the door: on SQLite
//! with the product's settings and on Postgres, each beside the same rows written by hand (`bare.rs`)
//! in the same run on the same store. Prints the statements of an order and the ratio of the medians.
//!
//! Postgres is the server in `SERVERY_TEST_POSTGRES`, else a throw-away cluster, which syncs to the disk
//! only with `SERVERY_TEST_POSTGRES_FSYNC=on`: the output says whether it did.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench that cannot go on says so, and prints")]

#[path = "bare.rs"]
mod bare;
#[path = "house.rs"]
mod house;
#[path = "../tests/support/mod.rs"]
mod support;

use bare::Bare;
use criterion::Criterion;
use house::House;
use servery::store::statements;
use sqlx::Connection as _;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Orders of the comparison by which the ratio is made, one by the service and one by hand in turn, so
/// that a slow moment of the machine hits both.
const TURNS: usize = 300;

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn on(criterion: &mut Criterion, runtime: &Runtime, name: &str, url: &str) {
    let house = runtime.block_on(House::open(url));
    let mut bare = runtime.block_on(async {
        let basket = house.basket().await;
        let (order, key) = house.place_pay(basket).await;
        Bare::learn(url, order, &key).await
    });

    let (by_service, by_hand) = runtime.block_on(async {
        let (one, other) = (house.basket().await, house.basket().await);
        statements::start();
        let before = statements::ran();
        house.place_pay(one).await;
        let by_service = statements::ran() - before;
        statements::stop();
        let before = bare.statements();
        bare.place_pay(other.cart).await;
        (by_service, bare.statements() - before)
    });

    let mut group = criterion.benchmark_group(format!("place_pay/{name}"));
    group.bench_function("service", |bencher| {
        bencher.iter_custom(|orders| {
            runtime.block_on(async {
                let mut took = Duration::ZERO;
                for _ in 0..orders {
                    let basket = house.basket().await;
                    let start = Instant::now();
                    house.place_pay(basket).await;
                    took += start.elapsed();
                }
                took
            })
        });
    });
    group.bench_function("bare SQL", |bencher| {
        bencher.iter_custom(|orders| {
            runtime.block_on(async {
                let mut took = Duration::ZERO;
                for _ in 0..orders {
                    let basket = house.basket().await;
                    let start = Instant::now();
                    bare.place_pay(basket.cart).await;
                    took += start.elapsed();
                }
                took
            })
        });
    });
    group.finish();

    let (mut service, mut hand) = (Vec::with_capacity(TURNS), Vec::with_capacity(TURNS));
    runtime.block_on(async {
        for _ in 0..TURNS {
            let (one, other) = (house.basket().await, house.basket().await);
            let start = Instant::now();
            house.place_pay(one).await;
            service.push(start.elapsed());
            let start = Instant::now();
            bare.place_pay(other.cart).await;
            hand.push(start.elapsed());
        }
    });
    let (service, hand) = (median(&mut service), median(&mut hand));
    println!(
        "{name}: median of {TURNS} in turn: service {service:?} ({by_service} statements), bare SQL {hand:?} ({by_hand} \
         statements), ratio {:.2}",
        hand.as_secs_f64() / service.as_secs_f64()
    );
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    let mut criterion =
        Criterion::default().sample_size(20).measurement_time(Duration::from_secs(5)).configure_from_args();
    // Not in memory: a real disk has to keep the commits.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    on(&mut criterion, &runtime, "sqlite", &format!("sqlite:{}", folder.path().join("servery.db").display()));
    if let Some(database) = support::postgres::database() {
        let fsync: String = runtime.block_on(async {
            let mut connection = sqlx::PgConnection::connect(database.url()).await.expect("the server");
            sqlx::query_scalar("SHOW fsync").fetch_one(&mut connection).await.expect("a setting")
        });
        on(&mut criterion, &runtime, &format!("postgres, fsync {fsync}"), database.url());
    }
    criterion.final_summary();
}
