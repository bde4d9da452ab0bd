//! The outbox: order, priorities, failures, repetition, and many at once.

use crate::house::House;
use crate::on_both;
use crate::support::wait::{LIMIT, until_async};
use futures::FutureExt;
use futures::future::BoxFuture;
use servery::domain::payment::Method;
use servery::payment::Gateways;
use servery::service::Caller;
use servery::service::orders::{AcceptOrder, MarkReady, SetItemsDone, StartOrder};
use servery::service::views::Placed;
use servery::service::worker_due::ShowWorker;
use servery::store::notifications;
use servery::worker::in_app::InApp;
use servery::worker::outbox::{Consumer, Event};
use servery::worker::{Options, Report, Worker};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

/// Writes down what it is given, and refuses what it is told to.
#[derive(Default)]
struct Recorder {
    seen: Mutex<Vec<Event>>,
    refuses: Mutex<Option<String>>,
}

impl Recorder {
    fn refuse(&self, event: Option<&str>) {
        *self.refuses.lock().unwrap() = event.map(str::to_owned);
    }

    /// The names of the events that it took, and of the tries that it refused, of one order.
    fn of(&self, placed: &Placed) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        let of_order = |event: &&Event| event.order.is_some_and(|(order, _)| order == placed.order.id);
        seen.iter().filter(of_order).map(|event| event.name.clone()).collect()
    }
}

impl Consumer for Recorder {
    fn name(&self) -> &'static str {
        "recorder"
    }

    fn take<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Vec<Result<(), String>>> {
        let refused = self.refuses.lock().unwrap().clone();
        let mut seen = self.seen.lock().unwrap();
        let answers = events
            .iter()
            .map(|event| {
                seen.push(event.clone());
                if refused.as_ref() == Some(&event.name) { Err("no \u{1b}[31mpaper".to_owned()) } else { Ok(()) }
            })
            .collect();
        drop(seen);
        async move { answers }.boxed()
    }
}

fn recording(house: &House) -> (Worker, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::default());
    let consumer: Arc<dyn Consumer> = recorder.clone();
    let consumers = vec![Arc::new(InApp::new(house.door.clone())) as Arc<dyn Consumer>, consumer];
    (Worker::with_consumers(house.door.clone(), Gateways::none(), Options::default(), consumers), recorder)
}

async fn deliver(worker: &Worker) -> Report {
    let held = worker.take_lease().await.expect("asked").held.expect("the lease");
    worker.deliver_events(&held).await.expect("delivered")
}

async fn cook(house: &House, placed: &Placed) {
    let order = placed.order.id;
    house.cook(AcceptOrder { order, eta_minutes: None }).await;
    house.cook(StartOrder { order }).await;
    let lines = placed.order.lines.iter().map(|line| line.id).collect();
    house.cook(SetItemsDone { order, lines, done: true }).await;
    house.cook(MarkReady { order, forced: None }).await;
}

/// The events of an order as they were written.
const COOKED: [&str; 7] = [
    "order_created",
    "order_received",
    "order_confirmed",
    "estimated_time",
    "order_preparing",
    "item_done",
    "order_ready",
];

on_both!(people_are_told_in_the_words_of_the_specification, |house| {
    let (worker, recorder) = recording(&house);
    let placed = house.place(Method::Cash, false).await;
    cook(&house, &placed).await;
    deliver(&worker).await;
    assert_eq!(recorder.of(&placed), COOKED, "in the order in which they happened");
    let mut tx = house.door.store().read().await.expect("a transaction");
    let told = notifications::of_order(&mut tx, "main", placed.order.id).await.expect("read");
    tx.rollback().await.expect("ended");
    let mut told: Vec<_> =
        told.iter().map(|row| (row.recipient_kind.as_str(), row.title.as_str(), row.body.clone())).collect();
    told.sort_by_key(|(kind, title, _)| (*kind, *title));
    let number = &placed.order.order_number;
    let total = placed.order.total.display(placed.order.currency);
    let expected = [
        ("customer", "Being Prepared", "Your order is now being prepared".to_owned()),
        ("customer", "Order Accepted", format!("The kitchen has taken on your order #{number}")),
        ("customer", "Order Confirmed!", format!("Your order #{number} has been received")),
        ("customer", "Order Ready!", "Your order is ready for pickup".to_owned()),
        ("kitchen", "New Order! 🔔", format!("Order #{number} — 2 items — {total}")),
    ];
    assert_eq!(told, expected);
});

on_both!(the_order_of_an_orders_events_holds_whatever_their_priority, |house| {
    let (worker, recorder) = recording(&house);
    let (first, second) = (house.place(Method::Cash, false).await, house.place(Method::Cash, false).await);
    cook(&house, &second).await;
    deliver(&worker).await;
    assert_eq!(recorder.of(&second), COOKED);
    assert_eq!(recorder.of(&first), COOKED[..2]);
    // What is urgent goes first among those that may go.
    let seen = recorder.seen.lock().unwrap().clone();
    let at = |order, name: &str| {
        seen.iter().position(|event| event.order.is_some_and(|(id, _)| id == order) && event.name == name)
    };
    assert!(at(second.order.id, "order_created") < at(second.order.id, "order_received"));
    assert!(seen.windows(2).all(|pair| pair[0].seq != pair[1].seq));
});

on_both!(an_event_that_fails_three_times_is_parked_and_those_behind_it_go_on, |house| {
    let (worker, recorder) = recording(&house);
    let placed = house.place(Method::Cash, false).await;
    let other = house.place(Method::Cash, false).await;
    cook(&house, &placed).await;
    recorder.refuse(Some("order_confirmed"));
    let waits = || async { house.door.ask(&Caller::System, ShowWorker).await.expect("status") };
    deliver(&worker).await;
    assert_eq!(recorder.of(&placed), COOKED[..3], "those behind it wait");
    assert_eq!(recorder.of(&other), COOKED[..2], "other orders do not");
    assert_eq!(deliver(&worker).await, Report::default(), "not at once again");
    house.pass_seconds(6).await;
    assert_eq!(deliver(&worker).await.failed, 1);
    house.pass_seconds(6).await;
    assert_eq!(deliver(&worker).await.failed, 0, "the pause doubles");
    assert_eq!(waits().await.parked, 0);
    house.pass_seconds(5).await;
    assert_eq!(deliver(&worker).await.failed, 1);
    let status = waits().await;
    assert_eq!((status.parked, status.backlog), (1, 0), "parked, and the rest has gone");
    let taken = recorder.of(&placed);
    assert_eq!(taken[..2], COOKED[..2]);
    assert_eq!(taken[2..5], ["order_confirmed"; 3], "three times");
    assert_eq!(taken[5..], COOKED[3..]);
    // What the consumer said is kept without its control characters.
    let clean = "SELECT COUNT(*) FROM outbox WHERE parked_at IS NOT NULL AND last_error LIKE 'recorder: no%paper' \
                 AND last_error NOT LIKE '%' || chr(27) || '%'";
    let clean = if house.postgres { clean.to_owned() } else { clean.replace("chr(27)", "char(27)") };
    assert_eq!(house.number(&clean).await, 1);
    recorder.refuse(None);
    house.pass_seconds(3_600).await;
    assert_eq!(deliver(&worker).await, Report::default(), "it waits for a person");
});

on_both!(telling_again_after_a_crash_tells_once, |house| {
    let (worker, _) = recording(&house);
    let placed = house.place(Method::Cash, false).await;
    cook(&house, &placed).await;
    // The effect, and then the process died before it could mark the events.
    let mut tx = house.door.store().read().await.expect("a transaction");
    let now = tx.now(&*house.clock).await.expect("now");
    let rows = servery::store::outbox::heads(&mut tx, "main", now, 10).await.expect("events");
    tx.rollback().await.expect("ended");
    let received = Event {
        seq: house.number("SELECT seq FROM outbox WHERE event = 'order_received'").await,
        order: Some((placed.order.id, 2)),
        name: "order_received".to_owned(),
        payload: rows[0].payload.0.clone(),
        at: now,
    };
    let in_app = InApp::new(house.door.clone());
    for _ in 0..2 {
        let answers = in_app.take(std::slice::from_ref(&received)).await;
        assert_eq!(answers, [Ok(())]);
    }
    assert_eq!(house.number("SELECT COUNT(*) FROM notifications").await, 2, "customer and kitchen");
    deliver(&worker).await;
    assert_eq!(house.number("SELECT COUNT(*) FROM notifications").await, 5, "and what came afterwards");
    assert_eq!(house.number("SELECT COUNT(*) FROM outbox WHERE sent_at IS NULL").await, 0);
    // Every mark lost: all of it is delivered again, to no effect.
    house.raw("UPDATE outbox SET sent_at = NULL").await;
    deliver(&worker).await;
    assert_eq!(house.number("SELECT COUNT(*) FROM notifications").await, 5);
});

/// Panics as long as it is told to.
#[derive(Default)]
struct Careless {
    careful: AtomicBool,
    panicked: AtomicBool,
}

impl Consumer for Careless {
    fn name(&self) -> &'static str {
        "careless"
    }

    fn take<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Vec<Result<(), String>>> {
        async move {
            if !self.careful.load(Ordering::SeqCst) {
                self.panicked.store(true, Ordering::SeqCst);
                panic!("as it was told to");
            }
            vec![Ok(()); events.len()]
        }
        .boxed()
    }
}

on_both!(a_consumer_that_panics_does_not_take_the_worker_with_it, |house| {
    let careless = Arc::new(Careless::default());
    let consumers = vec![careless.clone() as Arc<dyn Consumer>];
    let worker = Worker::with_consumers(house.door.clone(), Gateways::none(), Options::default(), consumers);
    let stop = CancellationToken::new();
    let running = tokio::spawn(worker.run(stop.clone()));
    house.place(Method::Cash, false).await;
    let backlog = || async { house.door.ask(&Caller::System, ShowWorker).await.expect("status").backlog };
    until_async(LIMIT, "it is told", || async { careless.panicked.load(Ordering::SeqCst) }).await;
    assert!(backlog().await > 0);
    careless.careful.store(true, Ordering::SeqCst);
    until_async(LIMIT, "everything is delivered", || async { backlog().await == 0 }).await;
    stop.cancel();
    running.await.expect("ended");
});

on_both!(a_backlog_of_ten_thousand_drains, |house| {
    let (worker, recorder) = recording(&house);
    house.place(Method::Cash, false).await;
    deliver(&worker).await;
    recorder.seen.lock().unwrap().clear();
    // 1,250 orders of eight events each; the last of each is urgent and has to wait for its turn.
    let id = if house.postgres { "CAST(lpad(to_hex(n), 32, '0') AS UUID)" } else { "unhex(printf('%032x', n))" };
    let numbers = |to: i64| {
        format!("WITH RECURSIVE count(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM count WHERE n < {to} - 1) ")
    };
    for sequence in 1..=8 {
        let priority = if sequence == 8 { 10 } else { 0 };
        house
            .raw(&format!(
                "INSERT INTO outbox (site_id, order_id, order_sequence, event, payload, priority, created_at) \
                 {} SELECT 'main', {id}, {sequence}, 'item_done', '{{}}', {priority}, 1 FROM count",
                numbers(1_250)
            ))
            .await;
    }
    let mut rounds = 0;
    while house.door.ask(&Caller::System, ShowWorker).await.expect("status").backlog > 0 {
        deliver(&worker).await;
        rounds += 1;
        assert!(rounds < 100, "it does not drain");
    }
    let seen = recorder.seen.lock().unwrap();
    assert_eq!(seen.len(), 10_000, "each once");
    let mut last = std::collections::HashMap::new();
    for event in seen.iter() {
        let (order, sequence) = event.order.expect("an order");
        assert_eq!(last.insert(order, sequence).unwrap_or(0) + 1, sequence, "in its order's order");
    }
});
