//! The rows of the simulated provider's memory: charges and refunds. Written by the simulated gateways
//! only, each in a transaction of its own; no other file may read or write these tables.

use super::rows::hit_one;
use super::{StoreError, Tx};

/// A row of `simulated_charges`.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ChargeRow {
    /// The house's key.
    pub idempotency_key: String,
    /// card or upi.
    pub method: String,
    /// In minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// A status of attempts.
    pub status: String,
    /// The code of a decline.
    pub reason: Option<String>,
    /// The provider's id of the charge.
    pub gateway_order_id: String,
    /// The provider's id of the payment.
    pub gateway_payment_id: Option<String>,
    /// The card's brand.
    pub brand: Option<String>,
    /// The card's last four digits.
    pub last_four: Option<String>,
    /// In minor units.
    pub refunded: i64,
    /// When the outcome comes to be; microseconds.
    pub known_from: Option<i64>,
    /// Microseconds.
    pub created_at: i64,
}

/// A row of `simulated_refunds`.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct RefundRow {
    /// The house's key of the refund.
    pub idempotency_key: String,
    /// The key of the charge.
    pub charge_key: String,
    /// The provider's id.
    pub gateway_refund_id: String,
    /// In minor units.
    pub amount: i64,
    /// A status of refunds.
    pub status: String,
    /// Microseconds.
    pub created_at: i64,
}

const INSERT_CHARGE: &str = "INSERT INTO simulated_charges (site_id, idempotency_key, method, amount, currency, status, \
     reason, gateway_order_id, gateway_payment_id, brand, last_four, refunded, known_from, created_at, updated_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14) ON CONFLICT DO NOTHING";
const CHARGE: &str = "SELECT idempotency_key, method, amount, currency, status, reason, gateway_order_id, \
     gateway_payment_id, brand, last_four, refunded, known_from, created_at \
     FROM simulated_charges WHERE site_id = $1 AND idempotency_key = $2";
const CHARGE_OF_PAYMENT: &str = "SELECT idempotency_key, method, amount, currency, status, reason, gateway_order_id, \
     gateway_payment_id, brand, last_four, refunded, known_from, created_at \
     FROM simulated_charges WHERE site_id = $1 AND gateway_payment_id = $2";
const DECIDE: &str = "UPDATE simulated_charges SET status = $3, reason = $4, gateway_payment_id = $5, updated_at = $6 \
     WHERE site_id = $1 AND idempotency_key = $2 AND status IN ('created', 'authorized')";
const VOID: &str = "UPDATE simulated_charges SET status = 'voided', reason = NULL, updated_at = $3 \
     WHERE site_id = $1 AND idempotency_key = $2 AND status IN ('created', 'authorized') \
     AND (known_from IS NULL OR known_from > $3)";
const INSERT_REFUND: &str = "INSERT INTO simulated_refunds (site_id, idempotency_key, charge_key, gateway_refund_id, \
     amount, status, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
const REFUND: &str = "SELECT idempotency_key, charge_key, gateway_refund_id, amount, status, created_at \
     FROM simulated_refunds WHERE site_id = $1 AND idempotency_key = $2";
const TAKE_OFF: &str = "UPDATE simulated_charges SET refunded = refunded + $3, updated_at = $4 \
     WHERE site_id = $1 AND idempotency_key = $2 AND status = 'captured' AND refunded + $3 <= amount";

/// Inserts a charge; whether it is new.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn insert_charge(tx: &mut Tx, site: &str, row: &ChargeRow) -> Result<bool, StoreError> {
    let rows = execute!(
        tx,
        INSERT_CHARGE,
        site,
        &row.idempotency_key,
        &row.method,
        row.amount,
        &row.currency,
        &row.status,
        row.reason.as_deref(),
        &row.gateway_order_id,
        row.gateway_payment_id.as_deref(),
        row.brand.as_deref(),
        row.last_four.as_deref(),
        row.refunded,
        row.known_from,
        row.created_at,
    )?;
    hit_one(rows)
}

/// The charge with this key.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn charge(tx: &mut Tx, site: &str, key: &str) -> Result<Option<ChargeRow>, StoreError> {
    fetch_optional!(tx, ChargeRow, CHARGE, site, key)
}

/// The charge with this payment id.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn charge_of_payment(tx: &mut Tx, site: &str, payment: &str) -> Result<Option<ChargeRow>, StoreError> {
    fetch_optional!(tx, ChargeRow, CHARGE_OF_PAYMENT, site, payment)
}

/// Ends an undecided charge as captured or failed; whether it was undecided.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn decide_charge(
    tx: &mut Tx,
    site: &str,
    key: &str,
    status: &str,
    reason: Option<&str>,
    gateway_payment_id: Option<&str>,
    now: i64,
) -> Result<bool, StoreError> {
    hit_one(execute!(tx, DECIDE, site, key, status, reason, gateway_payment_id, now)?)
}

/// Voids an undecided charge whose hour has not come; whether there was such a one.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn void_charge(tx: &mut Tx, site: &str, key: &str, now: i64) -> Result<bool, StoreError> {
    hit_one(execute!(tx, VOID, site, key, now)?)
}

/// Inserts a refund; whether it is new.
///
/// # Errors
/// Any [`StoreError`] of the statement; [`StoreError::Constraint`] without its charge.
pub async fn insert_refund(tx: &mut Tx, site: &str, row: &RefundRow) -> Result<bool, StoreError> {
    let rows = execute!(
        tx,
        INSERT_REFUND,
        site,
        &row.idempotency_key,
        &row.charge_key,
        &row.gateway_refund_id,
        row.amount,
        &row.status,
        row.created_at,
    )?;
    hit_one(rows)
}

/// The refund with this key.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn refund(tx: &mut Tx, site: &str, key: &str) -> Result<Option<RefundRow>, StoreError> {
    fetch_optional!(tx, RefundRow, REFUND, site, key)
}

/// Takes a refund off what a captured charge has left; whether there was enough.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn take_off_charge(tx: &mut Tx, site: &str, key: &str, amount: i64, now: i64) -> Result<bool, StoreError> {
    hit_one(execute!(tx, TAKE_OFF, site, key, amount, now)?)
}
