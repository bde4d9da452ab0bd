//! What a site took and gave back between two instants, by method of payment: for the reports of a till
//! shift. A sale counts by the instant of its capture, a refund by the instant at which it settled; what
//! the figures mean stands in `domain::report`. The drawer's own movements stand in `till.rs`.

use super::{StoreError, Tx};
use crate::domain::time::Timestamp;

// CROSS JOIN: SQLite then takes the tables in the order in which they stand, the short span first.
const TAKEN: &str = "SELECT a.method, CAST(COUNT(*) AS BIGINT) AS orders, CAST(SUM(o.subtotal) AS BIGINT) AS gross, \
     CAST(SUM(o.discount) AS BIGINT) AS discounts, CAST(SUM(o.tax) AS BIGINT) AS tax, \
     CAST(SUM(CASE WHEN o.tax_inclusive THEN 0 ELSE o.tax END) AS BIGINT) AS tax_added, \
     CAST(SUM(o.delivery_charge) AS BIGINT) AS delivery_fees, CAST(SUM(a.amount) AS BIGINT) AS collected \
     FROM payment_attempts a CROSS JOIN orders o \
     WHERE a.site_id = $1 AND a.status = 'captured' AND NOT a.stray AND a.captured_at >= $2 AND a.captured_at <= $3 \
     AND o.site_id = $1 AND o.id = a.order_id AND o.paid AND NOT o.training GROUP BY a.method";
const GIVEN_BACK: &str = "SELECT a.method, CAST(COUNT(*) AS BIGINT) AS refunds, CAST(SUM(r.amount) AS BIGINT) AS refunded \
     FROM refunds r CROSS JOIN payment_attempts a CROSS JOIN orders o \
     WHERE r.site_id = $1 AND r.ended_at IS NOT NULL AND r.ended_at >= $2 AND r.ended_at <= $3 AND r.status = 'settled' \
     AND a.site_id = $1 AND a.order_id = r.order_id AND a.id = r.attempt_id AND NOT a.stray \
     AND o.site_id = $1 AND o.id = r.order_id AND NOT o.training GROUP BY a.method";

/// The sales of one method. Amounts are minor units.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TakenRow {
    /// A word of `AttemptMethod`.
    pub method: String,
    /// Paid orders.
    pub orders: i64,
    /// Σ line totals, before discounts.
    pub gross: i64,
    /// What promotions took off.
    pub discounts: i64,
    /// The tax, contained or added.
    pub tax: i64,
    /// The part of it that was added on top of the prices.
    pub tax_added: i64,
    /// Delivery fees.
    pub delivery_fees: i64,
    /// What was captured.
    pub collected: i64,
}

/// The refunds of what was paid by one method. Amounts are minor units.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct GivenBackRow {
    /// A word of `AttemptMethod`: how the money had come.
    pub method: String,
    /// How many settled.
    pub refunds: i64,
    /// Their sum.
    pub refunded: i64,
}

/// What was taken from `from` to `until`, both included: the sales, and the refunds that settled. Training
/// and money that belongs to no sale (stray captures) are left out.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn between(
    tx: &mut Tx,
    site: &str,
    from: Timestamp,
    until: Timestamp,
) -> Result<(Vec<TakenRow>, Vec<GivenBackRow>), StoreError> {
    let taken = fetch_all!(&mut *tx, TakenRow, TAKEN, site, from.0, until.0)?;
    let back = fetch_all!(tx, GivenBackRow, GIVEN_BACK, site, from.0, until.0)?;
    Ok((taken, back))
}
