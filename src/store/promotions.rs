//! Rows of promotion codes and of their uses by orders. Whether a code may be used is judged by
//! `domain::promo`; here a use is counted, at most as often as the code's limit says (I16).

use super::rows::{containing, hit_one};
use super::{MOST_COUNTED, StoreError, Tx};
use crate::domain::ids::{CustomerId, OrderId, PromotionId};
use crate::domain::time::Timestamp;
use uuid::Uuid;

/// A promotion code, column by column.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct PromotionRow {
    pub id: Uuid,
    pub code: String,
    pub name: String,
    pub kind: String,
    pub rate_ppm: Option<i64>,
    pub amount: Option<i64>,
    pub minimum_subtotal: i64,
    pub starts_at: Option<i64>,
    pub ends_at: Option<i64>,
    pub use_limit: Option<i64>,
    pub per_customer_limit: Option<i64>,
    pub uses: i64,
    pub active: bool,
    pub created_at: i64,
    /// Also the version of what staff sees: every edit raises it, a use does not.
    pub updated_at: i64,
}

macro_rules! columns {
    () => {
        "SELECT id, code, name, kind, rate_ppm, amount, minimum_subtotal, starts_at, ends_at, use_limit, \
         per_customer_limit, uses, active, created_at, updated_at FROM promotions WHERE site_id = $1"
    };
}
const BY_ID: &str = concat!(columns!(), " AND id = $2");
const BY_CODE: &str = concat!(columns!(), " AND code = $2");
/// A code or a name that contains the text, switched on or off, in the order of the codes.
macro_rules! found {
    () => {
        " AND (CAST($2 AS TEXT) IS NULL OR LOWER(code) LIKE $2 ESCAPE '!' OR LOWER(name) LIKE $2 ESCAPE '!') \
         AND (CAST($3 AS BOOLEAN) IS NULL OR active = $3)"
    };
}
const PAGE: &str = concat!(columns!(), found!(), " AND code > $4 ORDER BY code LIMIT $5");
const COUNT_FOUND: &str = concat!(
    "SELECT COUNT(*) FROM (SELECT 1 AS one FROM promotions WHERE site_id = $1",
    found!(),
    " LIMIT $4) AS found"
);
const INSERT: &str = "INSERT INTO promotions (site_id, id, code, name, kind, rate_ppm, amount, minimum_subtotal, \
     starts_at, ends_at, use_limit, per_customer_limit, active, created_at, updated_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)";
const UPDATE: &str = "UPDATE promotions SET name = $4, kind = $5, rate_ppm = $6, amount = $7, minimum_subtotal = $8, \
     starts_at = $9, ends_at = $10, use_limit = $11, per_customer_limit = $12, active = $13, \
     updated_at = CASE WHEN updated_at < $14 THEN $14 ELSE updated_at + 1 END \
     WHERE site_id = $1 AND id = $2 AND updated_at = $3";
const CLAIM: &str = "UPDATE promotions SET uses = uses + 1 \
     WHERE site_id = $1 AND id = $2 AND active AND (use_limit IS NULL OR uses < use_limit)";
const RELEASE: &str = "UPDATE promotions SET uses = uses - 1 WHERE site_id = $1 AND id = $2 AND uses > 0";
const RECORD_USE: &str = "INSERT INTO promotion_uses (site_id, order_id, promotion_id, customer_id, discount, state, \
     created_at) VALUES ($1, $2, $3, $4, $5, 'held', $6)";
const USED: &str = "UPDATE promotion_uses SET state = 'used' WHERE site_id = $1 AND order_id = $2 AND state = 'held'";
const END_USE: &str = "UPDATE promotion_uses SET state = 'released', ended_at = $3 \
     WHERE site_id = $1 AND order_id = $2 AND state IN ('held', 'used')";
/// Guests are not known again, so what they used before is not known either.
const USES_BY: &str = "SELECT (SELECT COUNT(*) FROM promotion_uses u WHERE u.site_id = c.site_id \
     AND u.promotion_id = $3 AND u.customer_id = c.id AND u.state IN ('held', 'used')) FROM customers c \
     WHERE c.site_id = $1 AND c.id = $2 AND c.kind <> 'guest'";

/// A promotion by its id.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn find(tx: &mut Tx, site: &str, id: PromotionId) -> Result<Option<PromotionRow>, StoreError> {
    fetch_optional!(tx, PromotionRow, BY_ID, site, id.0)
}

/// A promotion by its code, in capitals.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn find_code(tx: &mut Tx, site: &str, code: &str) -> Result<Option<PromotionRow>, StoreError> {
    fetch_optional!(tx, PromotionRow, BY_CODE, site, code)
}

/// A page of the promotions by code, from behind the code given, and how many there are in all, counted one beyond
/// [`MOST_COUNTED`] at the most.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn page(
    tx: &mut Tx,
    site: &str,
    (text, active): (Option<&str>, Option<bool>),
    after: &str,
    limit: i64,
) -> Result<(Vec<PromotionRow>, i64), StoreError> {
    let text = text.map(|text| containing(&text.to_lowercase()));
    let text = text.as_deref();
    let rows = fetch_all!(&mut *tx, PromotionRow, PAGE, site, text, active, after, limit)?;
    let (found,) = fetch_one!(tx, (i64,), COUNT_FOUND, site, text, active, MOST_COUNTED.saturating_add(1))?;
    Ok((rows, found))
}

/// Writes a new promotion, which nobody has used.
///
/// # Errors
/// [`StoreError::Duplicate`] when there is one of its code.
pub async fn insert(tx: &mut Tx, site: &str, row: &PromotionRow) -> Result<(), StoreError> {
    execute!(
        tx,
        INSERT,
        site,
        row.id,
        &row.code,
        &row.name,
        &row.kind,
        row.rate_ppm,
        row.amount,
        row.minimum_subtotal,
        row.starts_at,
        row.ends_at,
        row.use_limit,
        row.per_customer_limit,
        row.active,
        row.created_at
    )?;
    Ok(())
}

/// Writes a promotion as it was seen at `row.updated_at`; `false` if it has changed since. Its code and its uses stay.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn update(tx: &mut Tx, site: &str, row: &PromotionRow, now: Timestamp) -> Result<bool, StoreError> {
    hit_one(execute!(
        tx,
        UPDATE,
        site,
        row.id,
        row.updated_at,
        &row.name,
        &row.kind,
        row.rate_ppm,
        row.amount,
        row.minimum_subtotal,
        row.starts_at,
        row.ends_at,
        row.use_limit,
        row.per_customer_limit,
        row.active,
        now.0
    )?)
}

/// Counts one use more; `false` where the code is switched off or used up.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn claim(tx: &mut Tx, site: &str, id: PromotionId) -> Result<bool, StoreError> {
    hit_one(execute!(tx, CLAIM, site, id.0)?)
}

/// Notes which order holds the use that was claimed, and what it takes off.
///
/// # Errors
/// [`StoreError::Duplicate`] when the order holds one already.
pub async fn record_use(
    tx: &mut Tx,
    site: &str,
    order: OrderId,
    (promotion, customer): (PromotionId, CustomerId),
    discount: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    execute!(tx, RECORD_USE, site, order.0, promotion.0, customer.0, discount, now.0)?;
    Ok(())
}

/// The order is paid: its use is no longer one that only waits.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn used(tx: &mut Tx, site: &str, order: OrderId) -> Result<(), StoreError> {
    hit_one(execute!(tx, USED, site, order.0)?)?;
    Ok(())
}

/// Gives the use of an order back.
///
/// # Errors
/// [`StoreError::Fault`] when the order held none.
pub async fn release(
    tx: &mut Tx,
    site: &str,
    order: OrderId,
    promotion: PromotionId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let ended = hit_one(execute!(&mut *tx, END_USE, site, order.0, now.0)?)?;
    if ended && hit_one(execute!(tx, RELEASE, site, promotion.0)?)? {
        return Ok(());
    }
    Err(StoreError::Fault("a promotion's use was given back that nobody held".to_owned()))
}

/// How many orders of this customer hold the code now; `None` for a guest.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn uses_by(
    tx: &mut Tx,
    site: &str,
    customer: CustomerId,
    promotion: PromotionId,
) -> Result<Option<i64>, StoreError> {
    let row: Option<(i64,)> = fetch_optional!(tx, (i64,), USES_BY, site, customer.0, promotion.0)?;
    Ok(row.map(|(uses,)| uses))
}
