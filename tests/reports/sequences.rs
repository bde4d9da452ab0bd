//! Random flows through the door, with the house and the commands of the property test: at every stage,
//! nothing kept yet, half of it kept, all of it kept, each report equals a recount of the rows.

#[path = "../property/command.rs"]
mod command;
#[expect(dead_code, reason = "shared with the property test, which uses all of it")]
#[path = "../property/house.rs"]
mod house;
#[expect(dead_code, reason = "shared with the property test, which uses all of it")]
#[path = "../property/invariants.rs"]
mod invariants;
#[path = "../property/model.rs"]
mod model;
#[path = "../property/orders.rs"]
mod orders;

use super::recount::{Split, compare, keep, texts};
use super::support;
use command::{Act, Command, draw};
use house::{House, Store};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use servery::payment::Gateways;
use servery::service::Caller;
use servery::store::doctor;
use servery::worker::{self, Worker};

/// Steps of a flow.
const STEPS: usize = 240;
/// Steps between two times that the worker comes by.
const EVERY: usize = 40;

/// On Postgres the house makes time pass by making rows older, past the program: no change of the kind
/// that the program ever makes.
fn is_possible(command: &Command, sqlite: bool) -> bool {
    sqlite || !matches!(command, Command::Pass { .. } | Command::Order { act: Act::Overdue, .. })
}

async fn flow(store: &Store, seed: u64) {
    let Some(mut house) = House::open(store).await else { return };
    let mut rng = ChaCha12Rng::seed_from_u64(seed);
    let options = worker::Options { lease_seconds: 1_000_000_000, ..worker::Options::default() };
    let worker = Worker::new(house.door.clone(), Gateways::none(), options);
    for step in 0..STEPS {
        let command = draw(&mut rng);
        if is_possible(&command, house.sqlite)
            && let Err(wrong) = house.step(&command).await
        {
            panic!("seed {seed}, step {step}, {command:?}: {wrong}");
        }
        if house.sqlite && step % 30 == 29 {
            // Into the next hours, and over some cut-offs.
            house.pass(11 * 3_600 + i64::try_from(seed % 1_000).expect("small")).await;
        }
        if step % EVERY == EVERY - 1 {
            // Nothing of what was kept before may be shown where it has changed since.
            compare(&house.door).await;
            keep(&worker, step % (2 * EVERY) == EVERY - 1).await;
            compare(&house.door).await;
        }
    }
    keep(&worker, true).await;
    let (kept, changed) = house.door.ask(&Caller::System, Split).await.expect("the split");
    assert_eq!(changed, Vec::<String>::new(), "all is kept, of {} days", kept.len());
    compare(&house.door).await;
    let report = doctor::examine(house.door.store(), "main").await.expect("examined");
    let check = report.checks.iter().find(|check| check.name == "report summaries").expect("the check");
    assert_eq!(check.violation, None, "seed {seed}");
    let days = texts(&house.door, "SELECT DISTINCT business_date FROM orders").await.len();
    assert!(usize::try_from(check.rows_examined).expect("a count") >= days);
    assert!(days > if house.sqlite { 1 } else { 0 }, "the flow reached {days} days only");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_equals_a_recount_after_random_flows_on_sqlite() {
    let folder = house::folder();
    let template = Store::Sqlite(house::template(&folder).await);
    for seed in [1, 20, 300, 4_000, 50_000, 600_000] {
        flow(&template, seed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_equals_a_recount_after_random_flows_on_postgres() {
    for seed in [7, 80] {
        flow(&Store::Postgres, seed).await;
    }
}
