//! A gateway's message from outside: its signature is checked, then one use case takes it once and
//! applies what it says. A message that came before changes nothing (T30).

use super::caller::Caller;
use super::door::{Context, Door, UseCase};
use super::order_queries::whole;
use super::payments::{ApplyCharge, ChargeResult, Outcome};
use super::views::OrderView;
use crate::domain::access::Permission;
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::{AttemptId, OrderId};
use crate::payment::webhook::{UpiSecret, Webhook, WebhookKind};
use crate::store::{money, orders};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The gateway that sends messages.
const GATEWAY: &str = "upi";

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WebhookTaken {
    /// The message's own id.
    pub event_id: String,
    /// `false` if it came before: nothing was changed.
    pub new: bool,
    /// The order that it is about.
    pub order: OrderView,
    /// The code if the order ended with it.
    pub code: Option<ErrorCode>,
}

/// Takes a message whose signature was checked.
#[derive(Debug, Clone, Serialize)]
struct TakeWebhook {
    webhook: Webhook,
}

impl UseCase for TakeWebhook {
    type Output = WebhookTaken;
    const NAME: &'static str = "take_webhook";
    const PERMISSION: Permission = Permission::PaymentsResult;
    const AUDITED: bool = false;

    async fn run(&self, context: &mut Context<'_>) -> Result<WebhookTaken, Refused> {
        let site = Arc::clone(&context.site);
        let Webhook { event_id, kind, gateway_order_id, .. } = &self.webhook;
        let attempt = money::attempt_by_gateway_order(context.tx, &site.id, gateway_order_id).await?;
        // Not taken, so that it comes again: the answer to the charge may have been lost, and the house
        // learns of it when it asks. A message that was taken and forgotten could be money for nothing.
        let attempt = attempt.ok_or_else(|| {
            Refused::not_found("payment", gateway_order_id)
                .help("Send the message again later: the house may not know of the charge yet.")
        })?;
        let payload = serde_json::to_value(&self.webhook).map_err(Refused::internal)?;
        let words = (kind.as_str(), "taken");
        let new = money::take_webhook(context.tx, &site.id, GATEWAY, event_id, words, &payload, context.now).await?;
        let order = OrderId(attempt.order_id);
        if !new {
            let row = orders::find(context.tx, &site.id, order).await?;
            let row = row.ok_or_else(|| Refused::not_found("order", order))?;
            let order = whole(context.tx, &site, &row).await?;
            return Ok(WebhookTaken { event_id: event_id.clone(), new, order, code: None });
        }
        let apply = ApplyCharge {
            order,
            attempt: Some(AttemptId(attempt.id)),
            gateway: GATEWAY.to_owned(),
            result: self.result(payload),
        };
        let Outcome { order, code, .. } = apply.run(context).await?;
        Ok(WebhookTaken { event_id: event_id.clone(), new, order, code })
    }
}

impl TakeWebhook {
    fn result(&self, payload: serde_json::Value) -> ChargeResult {
        match self.webhook.kind {
            WebhookKind::PaymentCaptured => ChargeResult::Captured {
                gateway_order_id: Some(self.webhook.gateway_order_id.clone()),
                gateway_payment_id: self.webhook.gateway_payment_id.clone(),
                amount: self.webhook.amount,
                currency: self.webhook.currency.code().to_owned(),
                brand: None,
                last_four: None,
                response: Some(payload),
            },
            WebhookKind::PaymentFailed => ChargeResult::Failed {
                reason: "The payment was declined in the UPI app.".to_owned(),
                unresolved: false,
                brand: None,
                last_four: None,
            },
        }
    }
}

/// Takes a message as it arrived: the raw body and its signature.
///
/// # Errors
/// `INVALID_TOKEN` for a wrong signature, `VALIDATION_ERROR` for a message that is too old, too large
/// or not well formed: nothing of it is looked at further; `NOT_FOUND` for a charge that the house does
/// not know, or does not know yet: the provider is to send the message again; the store's refusals.
pub async fn take_webhook(
    door: &Door,
    secret: &UpiSecret,
    signature: &str,
    body: &[u8],
) -> Result<WebhookTaken, Refused> {
    let webhook = secret.read(signature, body, door.clock().now())?;
    door.execute(&Caller::Gateway(GATEWAY), None, TakeWebhook { webhook }).await
}
