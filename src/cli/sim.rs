//! `servery sim`: plays the part of a payment provider, for tests and demonstrations. What it sends is
//! taken by the same function that a real receiver calls.

use super::app::Role;
use super::desk::Desk;
use super::order;
use super::output::{Done, Failure};
use super::shape;
use crate::domain::error::Refused;
use crate::domain::payment::{AttemptMethod, Method};
use crate::payment::upi::SimulatedMessage;
use crate::service::webhooks::{WebhookTaken, take_webhook};
use clap::Subcommand;

/// What can be played.
#[derive(Debug, Subcommand)]
pub enum Sim {
    /// The message that a UPI provider sends about an order's payment
    Webhook {
        /// The order
        #[arg(long)]
        order: String,
        /// valid, duplicate, late, wrong-amount or bad-signature
        message: SimulatedMessage,
    },
}

/// Runs the command.
///
/// # Errors
/// What taking the message refuses (`INVALID_TOKEN` for a bad signature), and `NOT_FOUND` for an order
/// without a UPI payment.
pub async fn run(command: Sim, desk: &Desk) -> Done {
    let Sim::Webhook { order: named, message } = command;
    let mut counter = desk.counter(Role::Command).await?;
    counter.ready_gateway(Method::Upi)?;
    let found = counter.find_order(&named).await?;
    let attempt = found.attempts.iter().rev().find(|attempt| attempt.method == AttemptMethod::Upi && !attempt.stray);
    let attempt = attempt.ok_or_else(|| Refused::not_found("UPI payment of order", &found.order_number))?;
    let upi = counter.house.upi.clone().ok_or_else(|| Refused::internal("the UPI gateway is not ready"))?;
    let sent = upi.simulate(&attempt.key, message).await?;
    let taken = take_webhook(&counter.house.door, upi.secret(), &sent.signature, sent.body.as_bytes()).await?;
    if !counter.output().json {
        let words = if taken.new { "The message was taken." } else { "The message came before: nothing was changed." };
        counter.output().say(words);
    }
    print(&taken, counter.house.site.zone, counter.output()).map_err(Failure::from)?
}

fn print(taken: &WebhookTaken, zone: chrono_tz::Tz, output: super::output::Output) -> Result<Done, Refused> {
    let order = shape::own(&taken.order, taken.order.currency)?;
    let value = serde_json::json!({
        "event_id": taken.event_id, "new": taken.new, "code": taken.code, "order": order,
    });
    Ok(output.answer(&value, || order::words(&taken.order, None, zone)))
}
