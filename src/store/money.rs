//! Rows of attempts and refunds. What they mean is said by the order machine; how a gateway is asked
//! is none of this folder's business.

use super::rows::hit_one;
use super::{StoreError, Tx};
use crate::domain::access::Actor;
use crate::domain::ids::{AttemptId, OrderId, RefundId};
use crate::domain::time::Timestamp;
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

/// An attempt, column by column.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct AttemptRow {
    pub order_id: Uuid,
    pub id: Uuid,
    pub method: String,
    pub amount: i64,
    pub currency: String,
    pub status: String,
    pub unknown: bool,
    pub unresolved: bool,
    pub stray: bool,
    pub idempotency_key: String,
    pub gateway: Option<String>,
    pub gateway_order_id: Option<String>,
    pub gateway_payment_id: Option<String>,
    pub brand: Option<String>,
    pub last_four: Option<String>,
    pub reason: Option<String>,
    pub gateway_response: Option<Json<Value>>,
    pub tries: i64,
    pub created_at: i64,
    pub captured_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub next_check_at: Option<i64>,
}

/// A refund, column by column.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct RefundRow {
    pub order_id: Uuid,
    pub id: Uuid,
    pub attempt_id: Uuid,
    pub method: String,
    pub amount: i64,
    pub currency: String,
    pub status: String,
    pub transition: String,
    pub reason: Option<String>,
    pub idempotency_key: String,
    pub tries: i64,
    pub created_at: i64,
}

/// What a settled attempt gets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settled<'a> {
    /// captured, failed or voided.
    pub status: &'a str,
    /// The gateway's id of the payment.
    pub gateway_payment_id: Option<&'a str>,
    /// Why it failed.
    pub reason: Option<&'a str>,
    /// Given up without an answer.
    pub unresolved: bool,
    /// What else the gateway told.
    pub facts: GatewayFacts,
}

/// What the gateway told about an attempt beside its outcome.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GatewayFacts {
    /// The gateway.
    pub gateway: Option<String>,
    /// Its id of the order.
    pub gateway_order_id: Option<String>,
    /// The card's brand.
    pub brand: Option<String>,
    /// The card's last four digits.
    pub last_four: Option<String>,
    /// The whole answer.
    pub response: Option<Value>,
}

macro_rules! attempt_columns {
    () => {
        "order_id, id, method, amount, currency, status, unknown, unresolved, stray, idempotency_key, gateway, \
         gateway_order_id, gateway_payment_id, brand, last_four, reason, gateway_response, tries, created_at, \
         captured_at, ended_at, next_check_at"
    };
}
macro_rules! refund_columns {
    () => {
        "order_id, id, attempt_id, method, amount, currency, status, transition, reason, idempotency_key, tries, \
         created_at"
    };
}

const ATTEMPTS: &str = concat!(
    "SELECT ",
    attempt_columns!(),
    " FROM payment_attempts WHERE site_id = $1 AND order_id = $2 ORDER BY created_at, id"
);
// The second is what a unique index of its own finds, whichever order it stands in.
const ATTEMPTS_OR_PAYMENT: &str = concat!(
    "SELECT ",
    attempt_columns!(),
    " FROM payment_attempts WHERE site_id = $1 AND order_id = $2 UNION ALL SELECT ",
    attempt_columns!(),
    " FROM payment_attempts WHERE site_id = $1 AND gateway_payment_id = $3 AND gateway_payment_id IS NOT NULL \
     AND order_id <> $2 ORDER BY created_at, id"
);
const BY_KEY: &str =
    concat!("SELECT ", attempt_columns!(), " FROM payment_attempts WHERE site_id = $1 AND idempotency_key = $2");
const BY_GATEWAY_ORDER: &str = concat!(
    "SELECT ",
    attempt_columns!(),
    " FROM payment_attempts WHERE site_id = $1 AND gateway_order_id = $2 AND gateway_order_id IS NOT NULL AND NOT stray"
);
const TO_CHECK: &str = concat!(
    "SELECT ",
    attempt_columns!(),
    " FROM payment_attempts WHERE site_id = $1 AND next_check_at <= $2 AND status IN ('created', 'authorized') \
     ORDER BY next_check_at LIMIT $3"
);
const INSERT_ATTEMPT: &str = "INSERT INTO payment_attempts (site_id, order_id, id, method, amount, currency, status, \
     stray, idempotency_key, gateway_payment_id, reason, actor_role, actor_id, terminal_id, created_at, updated_at, \
     captured_at, ended_at, next_check_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, $16, $17, $18)";
const SETTLE: &str = concat!(
    "UPDATE payment_attempts SET status = $4, unknown = FALSE, unresolved = $5, \
     gateway_payment_id = COALESCE($6, gateway_payment_id), reason = $7, updated_at = $8, captured_at = $9, \
     ended_at = $8, next_check_at = NULL, gateway = COALESCE($10, gateway), \
     gateway_order_id = COALESCE($11, gateway_order_id), brand = COALESCE($12, brand), \
     last_four = COALESCE($13, last_four), gateway_response = COALESCE($14, gateway_response) \
     WHERE site_id = $1 AND order_id = $2 AND id = $3 AND status IN ('created', 'authorized') RETURNING ",
    attempt_columns!()
);
const UNKNOWN: &str = concat!(
    "UPDATE payment_attempts SET unknown = TRUE, tries = tries + 1, updated_at = $4, next_check_at = $5 \
     WHERE site_id = $1 AND order_id = $2 AND id = $3 AND status IN ('created', 'authorized') RETURNING ",
    attempt_columns!()
);
const FACTS: &str = "UPDATE payment_attempts SET gateway = COALESCE($4, gateway), \
     gateway_order_id = COALESCE($5, gateway_order_id), brand = COALESCE($6, brand), \
     last_four = COALESCE($7, last_four), gateway_response = COALESCE($8, gateway_response), updated_at = $9, \
     next_check_at = CASE WHEN status IN ('created', 'authorized') THEN $10 ELSE next_check_at END \
     WHERE site_id = $1 AND order_id = $2 AND id = $3";
const REFUNDS: &str =
    concat!("SELECT ", refund_columns!(), " FROM refunds WHERE site_id = $1 AND order_id = $2 ORDER BY created_at, id");
const REFUNDS_DUE: &str = concat!(
    "SELECT ",
    refund_columns!(),
    " FROM refunds WHERE site_id = $1 AND status = 'pending' AND method <> 'cash' \
     AND (next_try_at IS NULL OR next_try_at <= $2) ORDER BY created_at, id LIMIT $3"
);
const INSERT_REFUND: &str = "INSERT INTO refunds (site_id, order_id, id, attempt_id, method, amount, currency, status, \
     transition, reason, idempotency_key, actor_role, actor_id, terminal_id, created_at, updated_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8, $9, $10, $11, $12, $13, $14, $14)";
const END_REFUND: &str = "UPDATE refunds SET status = $4, last_error = $5, gateway_refund_id = $6, updated_at = $7, \
     ended_at = $7, next_try_at = NULL WHERE site_id = $1 AND order_id = $2 AND id = $3 AND status = 'pending'";
const RETRY_REFUND: &str = "UPDATE refunds SET tries = tries + 1, last_error = $4, next_try_at = $5, updated_at = $6 \
     WHERE site_id = $1 AND order_id = $2 AND id = $3 AND status = 'pending'";
const WEBHOOK: &str = "INSERT INTO webhook_events (site_id, gateway, event_id, kind, outcome, payload, received_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (site_id, gateway, event_id) DO NOTHING";

/// The attempts of an order, oldest first.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn attempts(tx: &mut Tx, site: &str, order: OrderId) -> Result<Vec<AttemptRow>, StoreError> {
    fetch_all!(tx, AttemptRow, ATTEMPTS, site, order.0)
}

/// The attempt under a key.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn attempt_by_key(tx: &mut Tx, site: &str, key: &str) -> Result<Option<AttemptRow>, StoreError> {
    fetch_optional!(tx, AttemptRow, BY_KEY, site, key)
}

/// The attempt that a gateway knows under this order id.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn attempt_by_gateway_order(tx: &mut Tx, site: &str, id: &str) -> Result<Option<AttemptRow>, StoreError> {
    fetch_optional!(tx, AttemptRow, BY_GATEWAY_ORDER, site, id)
}

/// The attempts of an order, oldest first, and among them the attempt of another order in which a gateway's
/// payment id stands.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn attempts_or_payment(
    tx: &mut Tx,
    site: &str,
    order: OrderId,
    gateway_payment_id: &str,
) -> Result<Vec<AttemptRow>, StoreError> {
    fetch_all!(tx, AttemptRow, ATTEMPTS_OR_PAYMENT, site, order.0, gateway_payment_id)
}

/// Open attempts about which the gateway is to be asked now.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn attempts_to_check(
    tx: &mut Tx,
    site: &str,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<AttemptRow>, StoreError> {
    fetch_all!(tx, AttemptRow, TO_CHECK, site, now.0, limit)
}

/// Writes an attempt.
///
/// # Errors
/// [`StoreError::Duplicate`] when another is open or captured, or the key is used.
pub async fn insert_attempt(tx: &mut Tx, site: &str, row: &AttemptRow, actor: &Actor) -> Result<(), StoreError> {
    let actor_id = actor.staff.map(|id| id.0).or_else(|| actor.customer.map(|id| id.0));
    execute!(
        tx,
        INSERT_ATTEMPT,
        site,
        row.order_id,
        row.id,
        &row.method,
        row.amount,
        &row.currency,
        &row.status,
        row.stray,
        &row.idempotency_key,
        row.gateway_payment_id.as_deref(),
        row.reason.as_deref(),
        actor.role.as_str(),
        actor_id,
        actor.terminal.map(|id| id.0),
        row.created_at,
        row.captured_at,
        row.ended_at,
        row.next_check_at
    )?;
    Ok(())
}

/// Settles an open attempt; the attempt as it stands then.
///
/// # Errors
/// [`StoreError::Fault`] when it was not open.
pub async fn settle_attempt(
    tx: &mut Tx,
    site: &str,
    order: OrderId,
    id: AttemptId,
    settled: &Settled<'_>,
    now: Timestamp,
) -> Result<AttemptRow, StoreError> {
    let captured_at = (settled.status == "captured").then_some(now.0);
    let row = fetch_optional!(
        tx,
        AttemptRow,
        SETTLE,
        site,
        order.0,
        id.0,
        settled.status,
        settled.unresolved,
        settled.gateway_payment_id,
        settled.reason,
        now.0,
        captured_at,
        settled.facts.gateway.as_deref(),
        settled.facts.gateway_order_id.as_deref(),
        settled.facts.brand.as_deref(),
        settled.facts.last_four.as_deref(),
        settled.facts.response.as_ref().map(Json)
    )?;
    row.ok_or_else(not_open)
}

fn not_open() -> StoreError {
    StoreError::Fault("the attempt was not open".to_owned())
}

/// Notes that an attempt has no answer, and when to ask again; the attempt as it stands then.
///
/// # Errors
/// [`StoreError::Fault`] when it was not open.
pub async fn mark_unknown(
    tx: &mut Tx,
    site: &str,
    order: OrderId,
    id: AttemptId,
    now: Timestamp,
    next_check: Timestamp,
) -> Result<AttemptRow, StoreError> {
    fetch_optional!(tx, AttemptRow, UNKNOWN, site, order.0, id.0, now.0, next_check.0)?.ok_or_else(not_open)
}

/// Notes what the gateway told about an attempt, and when to ask again while it is open.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn note_gateway(
    tx: &mut Tx,
    site: &str,
    order: OrderId,
    (id, facts, next_check): (AttemptId, &GatewayFacts, Option<Timestamp>),
    now: Timestamp,
) -> Result<(), StoreError> {
    let hit = execute!(
        tx,
        FACTS,
        site,
        order.0,
        id.0,
        facts.gateway.as_deref(),
        facts.gateway_order_id.as_deref(),
        facts.brand.as_deref(),
        facts.last_four.as_deref(),
        facts.response.as_ref().map(Json),
        now.0,
        next_check.map(|at| at.0)
    )?;
    must(hit, "the attempt is gone")
}

/// The refunds of an order, oldest first.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn refunds(tx: &mut Tx, site: &str, order: OrderId) -> Result<Vec<RefundRow>, StoreError> {
    fetch_all!(tx, RefundRow, REFUNDS, site, order.0)
}

/// Refunds that a gateway is to be asked for now. Cash goes back by hand.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn refunds_due(tx: &mut Tx, site: &str, now: Timestamp, limit: i64) -> Result<Vec<RefundRow>, StoreError> {
    fetch_all!(tx, RefundRow, REFUNDS_DUE, site, now.0, limit)
}

/// Writes a pending refund.
///
/// # Errors
/// [`StoreError::Duplicate`] when the key is used; [`StoreError::Constraint`] when it is more than was
/// captured.
pub async fn insert_refund(tx: &mut Tx, site: &str, row: &RefundRow, actor: &Actor) -> Result<(), StoreError> {
    let actor_id = actor.staff.map(|id| id.0).or_else(|| actor.customer.map(|id| id.0));
    execute!(
        tx,
        INSERT_REFUND,
        site,
        row.order_id,
        row.id,
        row.attempt_id,
        &row.method,
        row.amount,
        &row.currency,
        &row.transition,
        row.reason.as_deref(),
        &row.idempotency_key,
        actor.role.as_str(),
        actor_id,
        actor.terminal.map(|id| id.0),
        row.created_at
    )?;
    Ok(())
}

/// Ends a pending refund.
///
/// # Errors
/// [`StoreError::Fault`] when it was not pending.
pub async fn end_refund(
    tx: &mut Tx,
    site: &str,
    order: OrderId,
    id: RefundId,
    (status, error, gateway_refund_id): (&str, Option<&str>, Option<&str>),
    now: Timestamp,
) -> Result<(), StoreError> {
    let hit = execute!(tx, END_REFUND, site, order.0, id.0, status, error, gateway_refund_id, now.0)?;
    must(hit, "the refund was not pending")
}

/// Notes that a gateway did not take a refund yet, and when to ask again.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn retry_refund(
    tx: &mut Tx,
    site: &str,
    order: OrderId,
    id: RefundId,
    error: &str,
    next_try: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    execute!(tx, RETRY_REFUND, site, order.0, id.0, error, next_try.0, now.0)?;
    Ok(())
}

/// Takes a gateway's message once: whether it was new.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn take_webhook(
    tx: &mut Tx,
    site: &str,
    gateway: &str,
    event_id: &str,
    (kind, outcome): (&str, &str),
    payload: &Value,
    now: Timestamp,
) -> Result<bool, StoreError> {
    hit_one(execute!(tx, WEBHOOK, site, gateway, event_id, kind, outcome, Json(payload), now.0)?)
}

fn must(hit: u64, what: &str) -> Result<(), StoreError> {
    if hit_one(hit)? { Ok(()) } else { Err(StoreError::Fault(what.to_owned())) }
}
