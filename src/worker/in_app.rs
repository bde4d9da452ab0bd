//! The consumer that tells people inside the house's own screens: rows of notifications, with the words
//! of source 002 §9. Everything that it writes for a batch is one transaction; telling an event again
//! writes nothing.

use super::outbox::{Consumer, Event};
use crate::domain::money::{Currency, Money};
use crate::domain::order::Emit;
use crate::service::Door;
use crate::store::notifications::{self, NotificationRow, OrderFacts};
use crate::store::{StoreError, records};
use futures::FutureExt;
use futures::future::BoxFuture;
use uuid::Uuid;

/// The channel of the screens.
const CHANNEL: &str = "in_app";

/// How often a write is tried when another transaction stands in its way.
const TRIES: u32 = 8;

/// Writes notifications.
#[derive(Clone)]
pub struct InApp {
    door: Door,
}

/// What one kind of person is told.
struct Notice {
    kind: &'static str,
    recipient: Option<Uuid>,
    title: &'static str,
    body: String,
}

impl InApp {
    /// For the site of a door.
    #[must_use]
    pub const fn new(door: Door) -> Self {
        Self { door }
    }

    /// Writes what there is to tell, again while another transaction stands in the way.
    async fn write(&self, events: &[&Event]) -> Result<(), StoreError> {
        let mut tries = 1;
        loop {
            match self.try_write(events).await {
                Err(error) if error.is_retryable() && tries < TRIES => tries += 1,
                other => return other,
            }
        }
    }

    async fn try_write(&self, events: &[&Event]) -> Result<(), StoreError> {
        let mut tx = self.door.store().write().await?;
        let site = self.door.site_id();
        let mut told = false;
        for event in events {
            let Some((order, _)) = event.order else { continue };
            // An order that is gone has nobody to be told.
            let Some(facts) = notifications::facts(&mut tx, site, order).await? else { continue };
            for notice in notices(&event.name, &facts) {
                let row = NotificationRow {
                    id: self.door.new_id(),
                    outbox_seq: event.seq,
                    channel: CHANNEL.to_owned(),
                    recipient_kind: notice.kind.to_owned(),
                    recipient_id: notice.recipient,
                    order_id: Some(order.0),
                    event: event.name.clone(),
                    title: notice.title.to_owned(),
                    body: notice.body,
                    created_at: event.at.0,
                    read_at: None,
                };
                told |= notifications::insert(&mut tx, site, &row).await?;
            }
        }
        if !told {
            return tx.rollback().await;
        }
        records::notify(&mut tx, site).await?;
        tx.commit().await
    }
}

impl Consumer for InApp {
    fn name(&self) -> &'static str {
        CHANNEL
    }

    fn take<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Vec<Result<(), String>>> {
        async move {
            // Most events tell nobody anything: no transaction for them.
            let spoken: Vec<&Event> = events.iter().filter(|event| speaks(&event.name)).collect();
            if spoken.is_empty() || self.write(&spoken).await.is_ok() {
                return vec![Ok(()); events.len()];
            }
            // One of them spoils the batch, or the store is away: each by itself.
            let mut answers = Vec::with_capacity(events.len());
            for event in events {
                let answer = if speaks(&event.name) { self.write(&[event]).await } else { Ok(()) };
                answers.push(answer.map_err(|error| error.to_string()));
            }
            answers
        }
        .boxed()
    }
}

/// Whether anybody is told of an event.
fn speaks(event: &str) -> bool {
    matches!(
        Emit::parse(event),
        Some(Emit::OrderReceived | Emit::OrderPreparing | Emit::OrderReady | Emit::OrderPickedUp)
    )
}

/// Who is told what of an event.
fn notices(event: &str, facts: &OrderFacts) -> Vec<Notice> {
    let customer = |title, body: String| Notice { kind: "customer", recipient: Some(facts.customer_id), title, body };
    let number = &facts.order_number;
    match Emit::parse(event) {
        Some(Emit::OrderReceived) => vec![
            customer("Order Confirmed!", format!("Your order #{number} has been received")),
            Notice {
                kind: "kitchen",
                recipient: None,
                title: "New Order! 🔔",
                body: format!("Order #{number} — {} items — {}", facts.items, total(facts)),
            },
        ],
        Some(Emit::OrderPreparing) => {
            vec![customer("Being Prepared", "Your order is now being prepared".to_owned())]
        }
        Some(Emit::OrderReady) => vec![customer("Order Ready!", "Your order is ready for pickup".to_owned())],
        Some(Emit::OrderPickedUp) => vec![customer("On the Way! 🚚", "Your order is out for delivery".to_owned())],
        _ => Vec::new(),
    }
}

fn total(facts: &OrderFacts) -> String {
    match Currency::parse(&facts.currency) {
        Ok(currency) => Money(facts.due).display(currency),
        Err(_) => format!("{} {}", facts.due, facts.currency),
    }
}
