//! Fault 11: the outbox under eight writers at once, each with its own connections, whose transactions
//! end in another order than they took their numbers in. The worker's own delivery misses no event and keeps
//! the order of each order's events. Both databases.
//!
//! `cargo test --test fire eight_writers`: 2,000 events; with `SERVERY_TEST_LONG=1`: 1,000,000.
//! `SERVERY_TEST_ROUNDS` gives the number of thousands.

use crate::arena::Kind;
use crate::command::open_door;
use crate::house::{Dice, arena, rounds};
use crate::ledger::Books;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use servery::domain::access::Permission;
use servery::domain::error::{ErrorCode, Refused};
use servery::domain::ids::OrderId;
use servery::payment::Gateways;
use servery::service::{Caller, Context, Door, UseCase};
use servery::worker::outbox::{Consumer, Event};
use servery::worker::{Options, Worker};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

const WRITERS: usize = 8;
/// Events of one order.
const OF_AN_ORDER: i64 = 6;
/// Orders that a writer has under way.
const UNDER_WAY: usize = 5;

/// Tells events of orders, in one transaction.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Tell {
    /// Order, sequence, priority.
    events: Vec<(OrderId, i64, i64)>,
}

impl UseCase for Tell {
    type Output = ();
    const NAME: &'static str = "tell";
    const PERMISSION: Permission = Permission::SystemRun;
    const AUDITED: bool = false;

    async fn run(&self, context: &mut Context<'_>) -> Result<(), Refused> {
        for (order, sequence, priority) in &self.events {
            context.emit(*order, *sequence, "order_ready", serde_json::json!({}), *priority);
        }
        Ok(())
    }
}

/// Who is told, and remembers it.
#[derive(Default)]
struct Told {
    /// The last sequence of each order.
    last: Mutex<HashMap<OrderId, i64>>,
    wrong: Mutex<Vec<Event>>,
    count: AtomicUsize,
}

impl Consumer for Told {
    fn name(&self) -> &'static str {
        "told"
    }

    fn take<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Vec<Result<(), String>>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            let (order, sequence) = event.order.expect("every event has an order");
            let before = last.insert(order, sequence).unwrap_or(0);
            // The very next one: none before it is left out, and none comes twice.
            if before + 1 != sequence {
                self.wrong.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
            }
            self.count.fetch_add(1, Ordering::SeqCst);
        }
        let answers = events.iter().map(|_| Ok(())).collect();
        async move { answers }.boxed()
    }
}

/// Writes so many events, some orders at once, some events of each in a transaction.
async fn write(door: Door, mut left: usize, mut dice: Dice) {
    let start =
        |dice: &mut Dice, door: &Door| (OrderId(door.new_id()), 0_i64, i64::try_from(dice.index(3)).expect("few"));
    let mut orders: Vec<_> = (0..UNDER_WAY).map(|_| start(&mut dice, &door)).collect();
    while left > 0 {
        let mut events = Vec::new();
        for _ in 0..(dice.index(8) + 1).min(left) {
            let place = dice.index(UNDER_WAY);
            let (order, sequence, priority) = &mut orders[place];
            *sequence += 1;
            events.push((*order, *sequence, *priority));
            if *sequence == OF_AN_ORDER {
                orders[place] = start(&mut dice, &door);
            }
        }
        left -= events.len();
        let tell = Tell { events };
        let key = door.new_id().to_string();
        loop {
            match door.execute(&Caller::System, Some(&key), tell.clone()).await {
                Ok(()) => break,
                Err(refused) if refused.code == ErrorCode::StoreUnavailable => {}
                Err(refused) => panic!("{refused:?}"),
            }
        }
    }
    door.store().close().await;
}

fn eight_writers_miss_nothing(kind: Kind) {
    let mut dice = Dice::of_test(&format!("eight writers, {kind:?}"));
    let Some((arena, _)) = arena(kind, dice.number()) else { return };
    let each = rounds(2, 1_000) * 1_000 / WRITERS;
    let wanted = each * WRITERS;
    let url = arena.ground.url.clone();
    let told = Arc::new(Told::default());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let consumer: Arc<dyn Consumer> = Arc::clone(&told) as _;
        let door = open_door(&url).await;
        let worker = Worker::with_consumers(door.clone(), Gateways::none(), Options::default(), vec![consumer]);
        let held = worker.take_lease().await.expect("asked").held.expect("nobody else leads");
        let mut writers = Vec::new();
        for _ in 0..WRITERS {
            let writer = write(open_door(&url).await, each, Dice::of(dice.number()));
            writers.push(tokio::spawn(writer));
        }
        // Delivers while they write, and once more when they are done.
        let mut done = false;
        loop {
            let before = told.count.load(Ordering::SeqCst);
            match worker.deliver_events(&held).await {
                Ok(report) => assert_eq!(report.failed, 0),
                Err(refused) => assert_eq!(refused.code, ErrorCode::StoreUnavailable, "{refused:?}"),
            }
            if done && told.count.load(Ordering::SeqCst) == before {
                break;
            }
            done = writers.iter().all(tokio::task::JoinHandle::is_finished);
        }
        for writer in writers {
            writer.await.expect("a writer ends well");
        }
        let mut books = Books::open(&url).await;
        let all = books.number("SELECT COUNT(*) FROM outbox").await;
        let open = books.number("SELECT COUNT(*) FROM outbox WHERE sent_at IS NULL OR parked_at IS NOT NULL").await;
        books.close().await;
        door.store().close().await;
        assert_eq!((all, open), (i64::try_from(wanted).expect("a count"), 0), "every event is marked as told");
    });
    let wrong = told.wrong.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(wrong.is_empty(), "events out of their turn: {:#?}", &wrong[..wrong.len().min(10)]);
    assert_eq!(told.count.load(Ordering::SeqCst), wanted, "each once");
    println!("{kind:?}: {wanted} events of {WRITERS} writers, 0 missed, each order's in their order");
}

#[test]
fn eight_writers_miss_nothing_on_sqlite() {
    eight_writers_miss_nothing(Kind::Sqlite);
}

#[test]
fn eight_writers_miss_nothing_on_postgres() {
    eight_writers_miss_nothing(Kind::Postgres);
}
