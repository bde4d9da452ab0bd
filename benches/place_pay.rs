//! Place and pay, two commands and two commits an order of three dishes, through the door: on SQLite
//! with the product's settings and on Postgres, each beside the same rows written by hand (`store/bare.rs`)
//! in the same run on the same store, with criterion's statistics, for one client. `servery bench` measures
//! the same with any number of clients and processes, on any store.
//!
//! Postgres is the server in `SERVERY_TEST_POSTGRES`, else a throw-away cluster, which syncs to the disk
//! only with `SERVERY_TEST_POSTGRES_FSYNC=on`: the output says whether it did.

#![expect(clippy::expect_used, reason = "a bench that cannot go on says so")]

#[path = "../tests/support/mod.rs"]
mod support;

use criterion::Criterion;
use servery::service::load::{Guest, LINES, LoadSite, pay, place};
use servery::service::{SystemClock, TimeOrderedIds};
use servery::store::bare::Bare;
use servery::store::{Options, Store, StoreUrl};
use sqlx::Connection as _;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Goods of each dish: more than a bench can sell.
const GOODS: i64 = 1_000_000_000;

/// An open cart like another, for one order.
async fn guest(site: &LoadSite, like: &Guest) -> Guest {
    site.guests_like(like, 1).await.expect("a cart")[0]
}

fn on(criterion: &mut Criterion, runtime: &Runtime, name: &str, url: &str) {
    let (site, like, model, mut bare) = runtime.block_on(async {
        let url = StoreUrl::parse(url).expect("the store's address");
        let store = Store::open(&url, Options::default()).await.expect("the store");
        let site = LoadSite::make(&store, "main").await.expect("the demo");
        site.stock_up(LINES, GOODS).await.expect("goods");
        let model = site.model().await.expect("an order");
        let like = site.guest(LINES).await.expect("a cart");
        (site, like, model, Bare::open(&url, false).await.expect("a connection"))
    });
    let ids = TimeOrderedIds::from_machine();
    let mut group = criterion.benchmark_group(format!("place_pay/{name}"));
    group.bench_function("service", |bencher| {
        bencher.iter_custom(|orders| {
            runtime.block_on(async {
                let mut took = Duration::ZERO;
                for _ in 0..orders {
                    let guest = guest(&site, &like).await;
                    let start = Instant::now();
                    let placed = place(&site.door, &guest).await.expect("placed");
                    pay(&site.door, &placed).await.expect("paid");
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
                    let guest = guest(&site, &like).await;
                    let start = Instant::now();
                    bare.place_pay(&model, guest.cart, &SystemClock, &ids).await.expect("by hand");
                    took += start.elapsed();
                }
                took
            })
        });
    });
    group.finish();
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
