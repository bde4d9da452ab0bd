//! The consumer that tells people inside the house's own screens: rows of notifications. Everything that it writes for a batch is one transaction; telling an event again
//! writes nothing.

use super::outbox::{Consumer, Event};
use crate::domain::fulfilment::Fulfilment;
use crate::domain::money::{Currency, Money};
use crate::domain::order::Emit;
use crate::service::Door;
use crate::store::notifications::{self, CourierFacts, NotificationRow, OrderFacts};
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
            let courier = match Emit::parse(&event.name) {
                Some(Emit::DriverAssigned) => notifications::named_at(&mut tx, site, order, event.at).await?,
                Some(Emit::DriverCancelled) => notifications::taken_off_at(&mut tx, site, order, event.at).await?,
                _ => None,
            };
            for notice in notices(&event.name, &facts, courier.as_ref()) {
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
    Emit::parse(event).is_some_and(|emit| {
        !matches!(
            emit,
            Emit::OrderCreated
                | Emit::PaymentCompleted
                | Emit::PaymentUnknown
                | Emit::PaymentStarted
                | Emit::PaymentOverridden
                | Emit::HoldExtended
                | Emit::EstimatedTime
                | Emit::ItemDone
                | Emit::ItemUndone
                | Emit::OrderRecalled
                | Emit::OrderCompleted
                | Emit::StockWasted
                | Emit::LineVoided
                | Emit::PaymentRefundStarted
                | Emit::TicketPrioritised
                | Emit::TicketHeld
                | Emit::TicketReleased
        )
    })
}

/// Who is told what of an event. The words about received, preparing, ready and on the way are those of source 002 §9;
/// that the customer is told of the rest, and the courier and the admin at all, is asked by source 003.
fn notices(event: &str, facts: &OrderFacts, courier: Option<&CourierFacts>) -> Vec<Notice> {
    let customer = |title, body: String| Notice { kind: "customer", recipient: Some(facts.customer_id), title, body };
    let admin = |title, body: String| Notice { kind: "admin", recipient: None, title, body };
    let number = &facts.order_number;
    let delivers = facts.fulfilment == Fulfilment::Delivery.as_str();
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
        Some(Emit::OrderConfirmed) => {
            let mut told = vec![customer("Order Accepted", format!("The kitchen has taken on your order #{number}"))];
            if delivers {
                let body = format!("Order #{number} is to be delivered — {}", total(facts));
                told.push(Notice { kind: "delivery", recipient: None, title: "Delivery Coming Up", body });
            }
            told
        }
        Some(Emit::OrderPreparing) => {
            vec![customer("Being Prepared", "Your order is now being prepared".to_owned())]
        }
        Some(Emit::OrderReady) if delivers => {
            vec![customer("Order Ready!", "Your order is ready and leaves with its courier".to_owned())]
        }
        Some(Emit::OrderReady) => vec![customer("Order Ready!", "Your order is ready for pickup".to_owned())],
        Some(Emit::DriverAssigned) => courier.map_or_else(Vec::new, |courier| {
            let (title, words) = match courier.before {
                0 => ("Your Courier", format!("{} brings your order #{number}", courier.name)),
                _ => ("A New Courier", format!("{} brings your order #{number} now", courier.name)),
            };
            let body = format!("Order #{number} — {} items — {}", facts.items, total(facts));
            let yours = Notice { kind: "delivery", recipient: Some(courier.staff_id), title: "Yours to Deliver", body };
            vec![customer(title, words), yours]
        }),
        Some(Emit::DriverCancelled) => {
            let words = format!("We are finding another courier for your order #{number}. It takes a little longer.");
            let mut told = vec![customer("A Moment Longer", words)];
            if let Some(courier) = courier {
                let (kind, recipient) = ("delivery", Some(courier.staff_id));
                let body = format!("Order #{number} is not yours to deliver any more");
                told.push(Notice { kind, recipient, title: "Taken Off", body });
            }
            told
        }
        Some(Emit::AssignmentEscalated) => vec![
            customer("Your Delivery Is Late", format!("Your order #{number} takes longer than we said. We are on it.")),
            admin("No Courier", format!("Order #{number} found no courier: name one")),
        ],
        Some(Emit::OrderPickedUp) => vec![customer("On the Way! 🚚", "Your order is out for delivery".to_owned())],
        Some(Emit::DeliveryCompleted) => {
            vec![customer("Delivered", format!("Your order #{number} is with you. Enjoy!"))]
        }
        Some(Emit::DeliveryFailed) => vec![
            customer("Not Delivered", format!("We could not hand over your order #{number}. It is back at our place.")),
            admin("Delivery Failed", format!("Order #{number} came back: name a courier again, or end it")),
        ],
        Some(Emit::PaymentFailed) => {
            vec![customer(
                "Payment Failed",
                format!("Your order #{number} was not paid. Nothing was taken; try again."),
            )]
        }
        Some(Emit::OrderCancelled) => vec![customer("Order Cancelled", format!("Your order #{number} is cancelled"))],
        Some(Emit::OrderRejected) => {
            vec![customer("Order Not Taken", format!("We are sorry: the kitchen cannot make your order #{number}"))]
        }
        Some(Emit::OrderExpired) => {
            vec![customer("Order Expired", format!("Your order #{number} was not paid in time and is gone"))]
        }
        Some(Emit::PaymentRefunded) => {
            vec![customer("Money Returned", format!("A refund for your order #{number} has been made"))]
        }
        Some(Emit::RefundFailed) => {
            vec![admin("Refund Failed", format!("The refund for order #{number} was refused by the gateway"))]
        }
        Some(Emit::LatePayment) => {
            vec![admin("Late Payment", format!("Money came late for order #{number}; it goes back by itself"))]
        }
        _ => Vec::new(),
    }
}

fn total(facts: &OrderFacts) -> String {
    match Currency::parse(&facts.currency) {
        Ok(currency) => Money(facts.due).display(currency),
        Err(_) => format!("{} {}", facts.due, facts.currency),
    }
}
