//! Delivering the outbox: each event to every consumer, in the order of its own order's events,
//! the highest priority first. What cannot be delivered is tried three times and then parked, where
//! Health shows it, and the events behind it go on.
//!
//! Consumers are called outside of any transaction, so that one may stand for a service of another
//! company; then the event is marked, under the lease. A crash between the two, or a worker that was
//! frozen there, delivers again: consumers see to it that this has no second effect.
//!
//! The marks are no command of anybody: they have a transaction of their own, no audit row, and no word
//! to the screens. There is one deliverer, the holder of the lease, so rows are not locked while a
//! consumer works.

use super::{Report, Worker};
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::OrderId;
use crate::domain::text;
use crate::domain::time::Timestamp;
use crate::service::worker_writes::lost;
use crate::store::lease::{self, Held};
use crate::store::outbox::{self, EventRow};
use futures::future::BoxFuture;
use serde_json::Value;
use std::time::Duration;

/// Events of one round at most, one an order.
const BATCH: usize = 200;
/// Rounds of one waking; what is left comes in the next.
const ROUNDS: usize = 20;
/// How often an event is tried.
pub const TRIES: i64 = 3;
/// The pause after the first failure, in seconds; it doubles with each.
pub const FIRST_PAUSE_SECONDS: i64 = 5;
/// A consumer that does not answer in this time has failed.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest word of a consumer's failure that is kept, in characters.
const MAX_ERROR: usize = 200;

/// An event of the house on its way to somebody.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its number: the same event has the same, however often it is delivered.
    pub seq: i64,
    /// The order and its per-order sequence; none: an event of no order.
    pub order: Option<(OrderId, i64)>,
    /// Its name.
    pub name: String,
    /// What it carries.
    pub payload: Value,
    /// When it happened.
    pub at: Timestamp,
}

impl Event {
    fn of(row: &EventRow) -> Self {
        Self {
            seq: row.seq,
            order: row.order_id.map(OrderId).zip(row.order_sequence),
            name: row.event.clone(),
            payload: row.payload.0.clone(),
            at: Timestamp(row.created_at),
        }
    }
}

/// Somebody who is told every event.
pub trait Consumer: Send + Sync {
    /// Its name in the log and in an event's last error.
    fn name(&self) -> &'static str;

    /// Takes events, of different orders each, and answers one result an event, in the same order. May
    /// be given an event again that it has taken: that has no second effect.
    fn take<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Vec<Result<(), String>>>;
}

impl Worker {
    /// Delivers what is due.
    ///
    /// # Errors
    /// The store's refusals, and a lease that is another's by now.
    pub async fn deliver_events(&self, held: &Held) -> Result<Report, Refused> {
        let mut report = Report::default();
        for _ in 0..ROUNDS {
            let events = self.due_events().await?;
            if events.is_empty() {
                return Ok(report);
            }
            // Asked before anybody is told, too: a worker that was frozen need not repeat itself.
            self.require_lease(held).await?;
            let outcomes = self.offer(&events).await;
            self.mark(held, &events, &outcomes, &mut report).await?;
        }
        report.more = true;
        Ok(report)
    }

    async fn due_events(&self) -> Result<Vec<EventRow>, Refused> {
        let mut tx = self.door().store().read().await?;
        let now = tx.now(&**self.door().clock()).await?;
        let rows = outbox::heads(&mut tx, self.door().site_id(), now, BATCH).await?;
        tx.rollback().await?;
        Ok(rows)
    }

    /// Offers the events to every consumer: what went wrong with each, if anything.
    async fn offer(&self, rows: &[EventRow]) -> Vec<Option<String>> {
        let events: Vec<Event> = rows.iter().map(Event::of).collect();
        let mut errors: Vec<Option<String>> = vec![None; events.len()];
        for consumer in self.consumers() {
            let answers = tokio::time::timeout(PATIENCE, consumer.take(&events)).await.unwrap_or_default();
            let mut answers = answers.into_iter();
            for error in &mut errors {
                let answer = answers.next().unwrap_or_else(|| Err("no answer".to_owned()));
                if let Err(why) = answer
                    && error.is_none()
                {
                    let why = text::clean(&why, MAX_ERROR, false);
                    *error = Some(format!("{}: {why}", consumer.name()));
                }
            }
        }
        errors
    }

    /// Marks what was delivered and what was not, if the lease is still this worker's.
    async fn mark(
        &self,
        held: &Held,
        rows: &[EventRow],
        errors: &[Option<String>],
        report: &mut Report,
    ) -> Result<(), Refused> {
        let site = self.door().site_id();
        // Need not reach the disk at once: what a power cut takes back is delivered again.
        let mut tx = self.door().store().write_relaxed().await?;
        let now = tx.now(&**self.door().clock()).await?;
        if !lease::hold(&mut tx, site, held).await? {
            tx.rollback().await?;
            return Err(lost(held));
        }
        let mut delivered = Vec::with_capacity(rows.len());
        for (row, error) in rows.iter().zip(errors) {
            let Some(error) = error else {
                delivered.push(row.seq);
                continue;
            };
            let tries = row.tries + 1;
            let pause = FIRST_PAUSE_SECONDS << (tries - 1).clamp(0, 20);
            let next = (tries < TRIES).then(|| now.plus_seconds(pause));
            if next.is_none() {
                tracing::error!(seq = row.seq, event = row.event, error, "an event is parked");
            }
            outbox::mark_failed(&mut tx, site, row.seq, error, next, now).await?;
            report.failed += 1;
        }
        report.delivered += delivered.len();
        outbox::mark_sent(&mut tx, site, &delivered, now).await?;
        if tx.commit().await.is_err() {
            // Delivered again then.
            return Err(Refused::new(ErrorCode::StoreUnavailable, "The marks of the outbox were not kept."));
        }
        Ok(())
    }
}
