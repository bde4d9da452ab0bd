//! Paying: two use cases around one call. The attempt is written and committed, the gateway is
//! called outside of any transaction, and its answer is applied ([`ApplyCharge`]). The resolver and
//! the webhook bring their answers through the same use case.

use super::caller::Caller;
use super::door::{Context, Door, UseCase};
use super::order_load::{Loaded, load_with_payment};
use super::order_move::{Told, apply_to, carry_out, judge, outcome_code};
use super::orders::{load_order, shown};
use super::views::{AttemptView, OrderView};
use crate::domain::access::{Permission, Role};
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::{AttemptId, OrderId, RefundId};
use crate::domain::money::{Currency, Money};
use crate::domain::order::{Capture, Event, Transition};
use crate::domain::payment::{AttemptStatus, Method};
use crate::payment::{self, ChargeAnswer, ChargeRequest, ChargeState, Gateways, Instrument, RefundAnswer, VoidAnswer};
use crate::store::holds::Mover;
use crate::store::money::GatewayFacts;
use crate::store::{holds, money, orders};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// Seconds after which the resolver asks again about an attempt that the customer still has to act on.
const PENDING_CHECK_SECONDS: i64 = 2;
/// The longest pause of the resolver between two questions, in seconds.
const LONGEST_PAUSE_SECONDS: i64 = 60;

/// What a call about money answers: the order as it stands, and the code if it ended badly (T4, T6).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The order.
    pub order: OrderView,
    /// `PAYMENT_FAILED` or `INSUFFICIENT_STOCK` when the order ended with this call.
    pub code: Option<ErrorCode>,
    /// Why, for the customer.
    pub reason: Option<String>,
}

/// T5a, or T6 when the stock is gone: begins an attempt on a pending order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StartPayment {
    /// The order.
    pub order: OrderId,
}

impl UseCase for StartPayment {
    type Output = Outcome;
    const NAME: &'static str = "start_payment";
    const PERMISSION: Permission = Permission::OrdersOwn;

    async fn run(&self, context: &mut Context<'_>) -> Result<Outcome, Refused> {
        let loaded = load_order(context, self.order).await?;
        let event = Event::PayStart { attempt: AttemptId(context.new_id()) };
        // Judge first: what may not start must not take stock either.
        judge(context, &loaded, &event)?;
        if retake(context, &loaded).await? {
            return outcome(&apply_to(context, loaded, &event).await?);
        }
        // T6 is the house's own step.
        context.actor.role = Role::System;
        outcome(&apply_to(context, loaded, &Event::StockGone).await?)
    }
}

/// Takes holds that lapsed again (C4); whether all of it was to be had. Nothing is kept of a half.
pub(super) async fn retake(context: &mut Context<'_>, loaded: &Loaded) -> Result<bool, Refused> {
    let lapsed = loaded.snapshot.lapsed();
    let site = context.site.id.clone();
    if !lapsed.is_empty() {
        // Before the stock: who settles this order meanwhile takes the locks in this order, too.
        orders::lock(context.tx, &site, &loaded.row).await?;
    }
    let actor = context.actor.clone();
    let mover =
        Mover { site: &site, order: loaded.snapshot.id, line: None, actor: &actor, reason: None, now: context.now };
    let reserved = holds::reserve(context.tx, &mover, &lapsed).await?;
    if reserved.short.is_some() {
        for (item, quantity) in reserved.taken {
            holds::unreserve(context.tx, &mover, item, quantity).await?;
        }
        return Ok(false);
    }
    for (item, quantity) in reserved.taken {
        let rounds = loaded.reservations.iter().filter(|row| row.stock_item_id == item.0).map(|row| row.round);
        let round = rounds.max().unwrap_or(0) + 1;
        holds::record_hold(context.tx, &mover, item, round, quantity).await?;
    }
    Ok(true)
}

/// What a gateway said about a charge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargeResult {
    /// The money is ours.
    Captured {
        /// The gateway's id of the charge.
        gateway_order_id: Option<String>,
        /// The gateway's id of the payment.
        gateway_payment_id: String,
        /// How much was taken.
        amount: Money,
        /// Of which currency.
        currency: String,
        /// The card's brand.
        brand: Option<String>,
        /// The card's last four digits.
        last_four: Option<String>,
        /// The whole answer.
        response: Option<Value>,
    },
    /// Nothing was taken and nothing will be.
    Failed {
        /// Why, for the customer.
        reason: String,
        /// Given up without an answer.
        unresolved: bool,
        /// The card's brand.
        brand: Option<String>,
        /// The card's last four digits.
        last_four: Option<String>,
    },
    /// The customer has to act.
    Pending {
        /// The gateway's id of the charge.
        gateway_order_id: String,
    },
    /// No answer: ask again later.
    Unknown,
}

impl ChargeResult {
    fn captured(capture: payment::Capture) -> Self {
        Self::Captured {
            gateway_order_id: Some(capture.gateway_order_id),
            gateway_payment_id: capture.gateway_payment_id,
            amount: capture.amount,
            currency: capture.currency.code().to_owned(),
            brand: capture.brand,
            last_four: capture.last_four,
            response: Some(capture.response),
        }
    }

    fn declined(decline: payment::Decline) -> Self {
        Self::Failed { reason: decline.reason, unresolved: false, brand: decline.brand, last_four: decline.last_four }
    }
}

/// Applies what a gateway said: T3, T4, T5 or T29. What was applied before changes nothing (T30).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApplyCharge {
    /// The order.
    pub order: OrderId,
    /// The attempt that it answers; none: a capture of no attempt of ours.
    pub attempt: Option<AttemptId>,
    /// The gateway.
    pub gateway: String,
    /// What it said.
    pub result: ChargeResult,
}

impl UseCase for ApplyCharge {
    type Output = Outcome;
    const NAME: &'static str = "apply_charge";
    const PERMISSION: Permission = Permission::PaymentsResult;

    async fn run(&self, context: &mut Context<'_>) -> Result<Outcome, Refused> {
        let payment = match &self.result {
            ChargeResult::Captured { gateway_payment_id, .. } => Some(gateway_payment_id.as_str()),
            _ => None,
        };
        let site = Arc::clone(&context.site);
        let (loaded, seen) =
            load_with_payment(context.tx, &site, &context.actor, context.now, self.order, payment).await?;
        let attempt = self.attempt.and_then(|id| loaded.attempts.iter().find(|row| row.id == id.0));
        let next_check = match &self.result {
            ChargeResult::Pending { .. } => Some(context.now.plus_seconds(PENDING_CHECK_SECONDS)),
            ChargeResult::Unknown => {
                let tries = attempt.map_or(0, |row| row.tries).clamp(0, 5);
                let pause = (PENDING_CHECK_SECONDS << tries).min(LONGEST_PAUSE_SECONDS);
                Some(context.now.plus_seconds(pause))
            }
            _ => None,
        };
        let loaded = match &self.result {
            ChargeResult::Captured { gateway_payment_id, amount, currency, .. } => {
                self.capture(context, loaded, seen, gateway_payment_id, *amount, currency).await?
            }
            ChargeResult::Failed { reason, unresolved, .. } => {
                let Some(attempt) = self.attempt else { return outcome(&loaded) };
                let event = Event::PayFail { attempt, reason: reason.clone(), unresolved: *unresolved };
                match self.taken(context, &loaded, &event)? {
                    Some(transition) => {
                        let told = self.facts(&loaded, attempt);
                        carry_out(context, loaded, &event, transition, told).await?
                    }
                    None => {
                        self.note(context, &loaded, attempt, next_check).await?;
                        loaded
                    }
                }
            }
            ChargeResult::Unknown => {
                let Some(attempt) = self.attempt else { return outcome(&loaded) };
                let event = Event::PayUnknown { attempt };
                let loaded = match self.taken(context, &loaded, &event)? {
                    Some(transition) => carry_out(context, loaded, &event, transition, None).await?,
                    None => loaded,
                };
                // After the move, which knows nothing of growing pauses.
                self.note(context, &loaded, attempt, next_check).await?;
                load_order(context, self.order).await?
            }
            ChargeResult::Pending { .. } => {
                let Some(attempt) = self.attempt else { return outcome(&loaded) };
                self.note(context, &loaded, attempt, next_check).await?;
                load_order(context, self.order).await?
            }
        };
        outcome(&loaded)
    }
}

impl ApplyCharge {
    /// T3, or T29 when the order cannot take the money; a payment that stands in an attempt already
    /// is a repetition (T30).
    async fn capture(
        &self,
        context: &mut Context<'_>,
        loaded: Loaded,
        seen: bool,
        payment_id: &str,
        amount: Money,
        currency: &str,
    ) -> Result<Loaded, Refused> {
        if amount.0 <= 0 {
            return Err(Refused::invalid("amount", "A capture takes more than nothing.").with("amount", amount.0));
        }
        if seen {
            return Ok(loaded);
        }
        let capture = Capture {
            attempt: self.attempt,
            amount,
            taken_by: if self.gateway == Method::Upi.provider_name() { Method::Upi } else { Method::Card },
            currency_matches: currency == loaded.row.currency,
            gateway_payment_id: payment_id.to_owned(),
            signature_valid: true,
            id_is_new: true,
        };
        let event = Event::PaySuccess(capture.clone());
        if let Ok(transition) = judge(context, &loaded, &event) {
            let open = loaded.snapshot.open_attempt().map(|attempt| attempt.id);
            let told = self.attempt.or(open).and_then(|attempt| self.facts(&loaded, attempt));
            return carry_out(context, loaded, &event, transition, told).await;
        }
        let attempt = AttemptId(context.new_id());
        let event = Event::UnmatchedCapture { capture, attempt };
        let loaded = apply_to(context, loaded, &event).await?;
        self.note(context, &loaded, attempt, None).await?;
        load_order(context, self.order).await
    }

    /// What the answer means; none for an attempt that is over, of which nothing changes. Any other refusal is
    /// one.
    fn taken(&self, context: &Context<'_>, loaded: &Loaded, event: &Event) -> Result<Option<Transition>, Refused> {
        match judge(context, loaded, event) {
            Ok(transition) => Ok(Some(transition)),
            Err(refused) if matches!(refused.code, ErrorCode::IllegalTransition | ErrorCode::Conflict) => Ok(None),
            Err(refused) => Err(refused),
        }
    }

    /// Keeps what the gateway told beside the outcome, where no outcome goes with it.
    async fn note(
        &self,
        context: &mut Context<'_>,
        loaded: &Loaded,
        attempt: AttemptId,
        next_check: Option<crate::domain::time::Timestamp>,
    ) -> Result<(), Refused> {
        let Some((attempt, facts)) = self.facts(loaded, attempt) else { return Ok(()) };
        let site = context.site.id.clone();
        let note = (attempt, &facts, next_check);
        money::note_gateway(context.tx, &site, self.order, note, context.now).await?;
        Ok(())
    }

    /// What the gateway told beside the outcome of an attempt, if it is one of the order's.
    fn facts(&self, loaded: &Loaded, attempt: AttemptId) -> Option<Told> {
        if !loaded.attempts.iter().any(|row| row.id == attempt.0) {
            return None;
        }
        let mut facts = GatewayFacts { gateway: Some(self.gateway.clone()), ..GatewayFacts::default() };
        match &self.result {
            ChargeResult::Captured { gateway_order_id, brand, last_four, response, .. } => {
                facts.gateway_order_id.clone_from(gateway_order_id);
                facts.brand.clone_from(brand);
                facts.last_four.clone_from(last_four);
                facts.response.clone_from(response);
            }
            ChargeResult::Failed { brand, last_four, .. } => {
                facts.brand.clone_from(brand);
                facts.last_four.clone_from(last_four);
            }
            ChargeResult::Pending { gateway_order_id } => facts.gateway_order_id = Some(gateway_order_id.clone()),
            ChargeResult::Unknown => {}
        }
        Some((attempt, facts))
    }
}

/// T32: what became of a refund.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SettleRefund {
    /// The order.
    pub order: OrderId,
    /// The refund.
    pub refund: RefundId,
    /// The gateway's words when it failed; none: settled.
    pub failed: Option<String>,
}

impl UseCase for SettleRefund {
    type Output = OrderView;
    const NAME: &'static str = "settle_refund";
    const PERMISSION: Permission = Permission::PaymentsResult;

    async fn run(&self, context: &mut Context<'_>) -> Result<OrderView, Refused> {
        let loaded = load_order(context, self.order).await?;
        let event = match &self.failed {
            None => Event::RefundSettled { refund: self.refund },
            Some(reason) => Event::RefundFailed { refund: self.refund, reason: reason.clone() },
        };
        shown(&apply_to(context, loaded, &event).await?)
    }
}

/// Notes that a gateway did not take a refund yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PostponeRefund {
    /// The order.
    pub order: OrderId,
    /// The refund.
    pub refund: RefundId,
    /// What the gateway said.
    pub error: String,
    /// Seconds until the next try.
    pub seconds: i64,
}

impl UseCase for PostponeRefund {
    type Output = ();
    const NAME: &'static str = "postpone_refund";
    const PERMISSION: Permission = Permission::SystemRun;
    const AUDITED: bool = false;

    async fn run(&self, context: &mut Context<'_>) -> Result<(), Refused> {
        let site = context.site.id.clone();
        let next = context.now.plus_seconds(self.seconds);
        money::retry_refund(context.tx, &site, self.order, self.refund, &self.error, next, context.now).await?;
        Ok(())
    }
}

fn outcome(loaded: &Loaded) -> Result<Outcome, Refused> {
    let order = shown(loaded)?;
    let code = outcome_code(order.reason);
    let reason = order.reason_text.clone().or_else(|| match code {
        Some(ErrorCode::InsufficientStock) => Some("Something in this order has run out.".to_owned()),
        _ => None,
    });
    Ok(Outcome { order, code, reason })
}

/// What paying came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Paid {
    /// The order and how it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What the customer's device has to be given, when the customer has to act (UPI).
    pub payload: Option<String>,
}

/// Pays an attempt that was written before: calls the gateway and applies its answer.
///
/// # Errors
/// `PAYMENT_FAILED` when no gateway serves the method or the instrument cannot be sent (the attempt
/// has failed then, and the order with it); the store's refusals, after which the resolver goes on.
pub async fn pay(
    door: &Door,
    gateways: &Gateways,
    order: &OrderView,
    attempt: &AttemptView,
    instrument: Instrument,
) -> Result<Paid, Refused> {
    let gateway = gateways.require(order.method)?;
    let request = ChargeRequest {
        key: attempt.key.clone(),
        order_number: order.order_number.clone(),
        amount: attempt.amount,
        currency: order.currency,
        instrument,
    };
    let mut payload = None;
    let result = match gateway.create(request).await {
        Ok(ChargeAnswer::Captured(capture)) => ChargeResult::captured(capture),
        Ok(ChargeAnswer::Declined(decline)) => ChargeResult::declined(decline),
        Ok(ChargeAnswer::Pending { gateway_order_id, payload: code }) => {
            payload = Some(code);
            ChargeResult::Pending { gateway_order_id }
        }
        Ok(ChargeAnswer::NoAnswer) => ChargeResult::Unknown,
        Err(error) if error.leaves_outcome_open() => ChargeResult::Unknown,
        Err(error) => ChargeResult::Failed {
            reason: Refused::from(error).message,
            unresolved: false,
            brand: None,
            last_four: None,
        },
    };
    let apply = ApplyCharge { order: order.id, attempt: Some(attempt.id), gateway: gateway.name().to_owned(), result };
    let outcome = door.execute(&Caller::Gateway(gateway.name()), None, apply).await?;
    Ok(Paid { outcome, payload })
}

/// Asks the gateway what became of an attempt and applies the answer; gives it up once it is older
/// than `attempt_give_up_seconds`.
///
/// # Errors
/// The store's refusals; a gateway that cannot be reached is an answer of its own (unknown).
pub async fn resolve(
    door: &Door,
    gateways: &Gateways,
    order: OrderId,
    attempt: &AttemptView,
    give_up: bool,
) -> Result<Outcome, Refused> {
    let method =
        Method::parse(attempt.method.as_str()).ok_or_else(|| Refused::internal("an attempt without gateway"))?;
    let gateway = gateways.require(method)?;
    let state = gateway.query(&attempt.key).await;
    if let (None, Ok(state)) = (&attempt.gateway_order_id, &state)
        && let Some(id) = charge_id(state)
        && (give_up || !matches!(state, ChargeState::Pending { .. }))
    {
        // Kept before the attempt ends: a message about this charge that comes later finds it (T29).
        let result = ChargeResult::Pending { gateway_order_id: id.to_owned() };
        let note = ApplyCharge { order, attempt: Some(attempt.id), gateway: gateway.name().to_owned(), result };
        door.execute(&Caller::Gateway(gateway.name()), None, note).await?;
    }
    let found = match state {
        Ok(ChargeState::Captured(capture)) => Some(ChargeResult::captured(capture)),
        Ok(ChargeState::Declined(decline)) => Some(ChargeResult::declined(decline)),
        Ok(ChargeState::Voided) => Some(given_up("The payment was ended.")),
        Ok(ChargeState::Pending { gateway_order_id }) if !give_up => Some(ChargeResult::Pending { gateway_order_id }),
        Ok(ChargeState::Pending { .. } | ChargeState::NotFound) | Err(_) => None,
    };
    let result = match found {
        Some(result) => result,
        None if !give_up => ChargeResult::Unknown,
        // Ended by key, so that a request still on its way can never charge; what comes all the
        // same is T29.
        None => match gateway.void(&attempt.key).await {
            Ok(VoidAnswer::AlreadyCaptured(capture)) => ChargeResult::captured(capture),
            Ok(VoidAnswer::Declined(decline)) => ChargeResult::declined(decline),
            Ok(VoidAnswer::Voided | VoidAnswer::NotFound) | Err(_) => given_up("The payment service did not answer."),
        },
    };
    let apply = ApplyCharge { order, attempt: Some(attempt.id), gateway: gateway.name().to_owned(), result };
    door.execute(&Caller::Gateway(gateway.name()), None, apply).await
}

/// The gateway's id of a charge that did not capture.
fn charge_id(state: &ChargeState) -> Option<&str> {
    match state {
        ChargeState::Pending { gateway_order_id } => Some(gateway_order_id),
        ChargeState::Declined(decline) => Some(&decline.gateway_order_id),
        ChargeState::Captured(_) | ChargeState::Voided | ChargeState::NotFound => None,
    }
}

fn given_up(reason: &str) -> ChargeResult {
    ChargeResult::Failed { reason: reason.to_owned(), unresolved: true, brand: None, last_four: None }
}

/// A refund that waits for its gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundDue {
    /// The order.
    pub order: OrderId,
    /// The refund.
    pub refund: RefundId,
    /// The refund's key.
    pub key: String,
    /// The key of the charge; the gateway's payment id for a stray capture.
    pub charge_key: String,
    /// The method.
    pub method: Method,
    /// How much.
    pub amount: Money,
    /// Of which currency.
    pub currency: Currency,
    /// How often it was tried.
    pub tries: i64,
}

/// Asks a gateway for a refund and applies the answer.
///
/// # Errors
/// The store's refusals.
pub async fn settle(door: &Door, gateways: &Gateways, due: &RefundDue) -> Result<(), Refused> {
    let gateway = gateways.require(due.method)?;
    let request = payment::RefundRequest {
        key: due.key.clone(),
        charge_key: due.charge_key.clone(),
        amount: due.amount,
        currency: due.currency,
    };
    let caller = Caller::Gateway(gateway.name());
    let postpone = |error: String| PostponeRefund {
        order: due.order,
        refund: due.refund,
        error,
        seconds: (2_i64 << due.tries.clamp(0, 10)).min(3_600),
    };
    match gateway.refund(request).await {
        Ok(RefundAnswer::Settled { .. }) => {
            let settle = SettleRefund { order: due.order, refund: due.refund, failed: None };
            door.execute(&caller, None, settle).await.map(|_| ())
        }
        Ok(RefundAnswer::Failed { reason, .. }) => {
            let settle = SettleRefund { order: due.order, refund: due.refund, failed: Some(reason) };
            door.execute(&caller, None, settle).await.map(|_| ())
        }
        Ok(RefundAnswer::Pending { .. }) => door.execute(&Caller::System, None, postpone("pending".into())).await,
        Ok(RefundAnswer::NoAnswer) => door.execute(&Caller::System, None, postpone("no answer".into())).await,
        Err(error) => door.execute(&Caller::System, None, postpone(error.to_string())).await,
    }
}

/// Whether an attempt waits for its answer.
#[must_use]
pub fn is_open(attempt: &AttemptView) -> bool {
    matches!(attempt.status, AttemptStatus::Created | AttemptStatus::Authorized)
}

/// The shared handle to the gateways of a process.
pub type SharedGateways = Arc<Gateways>;
