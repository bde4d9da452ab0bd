//! Random sequences of commands against the real door on both databases and a small model in memory; every
//! invariant of the specification that can be asked of rows is asked of them along the way.
//!
//! `SERVERY_TEST_SEED=N` replays a seed that failed, `SERVERY_TEST_LONG=1` runs ten times as much. A
//! failure prints the seed and the shortest sequence that was found to fail.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says where it stopped")]

#[path = "property/mod.rs"]
mod sequences;
mod support;

use sequences::{Site, run};
use support::postgres::database;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_sequences_hold_on_sqlite() {
    run("sqlite", Site::sqlite().await, 68, 250).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_sequences_hold_on_postgres() {
    if tokio::task::spawn_blocking(database).await.expect("database").is_some() {
        run("postgres", Site::postgres(), 12, 300).await;
    }
}
