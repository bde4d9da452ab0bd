//! Lists of many orders: their rows, by what they are narrowed, and their pages. Whole orders stand in `orders.rs`.

use super::rows::containing;
use super::{StoreError, Tx};
use crate::domain::ids::{CustomerId, OrderId, StaffId};
use crate::domain::order::Attention;
use crate::domain::time::Timestamp;
use uuid::Uuid;

/// A row of a list of orders.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct OrderSummaryRow {
    pub id: Uuid,
    pub order_number: String,
    pub status: String,
    pub reason: Option<String>,
    pub fulfilment: String,
    pub method: String,
    pub paid: bool,
    pub called_name: Option<String>,
    pub total: i64,
    pub due: i64,
    pub created_at: i64,
    pub money_back: bool,
    pub uncollected: bool,
    pub late_payment: bool,
    pub courier_wanted: bool,
}

/// What a list of orders is narrowed to; `None`: everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// One status.
    pub status: Option<String>,
    /// One fulfilment.
    pub fulfilment: Option<String>,
    /// One method.
    pub method: Option<String>,
    /// One business date.
    pub business_date: Option<String>,
    /// A part of the number or the called name.
    pub text: Option<String>,
    /// Whether it is paid.
    pub paid: Option<bool>,
    /// One customer.
    pub customer: Option<CustomerId>,
    /// Those that a person has to see to.
    pub attention: Option<Attention>,
}

macro_rules! summary_columns {
    () => {
        "id, order_number, status, reason, fulfilment, method, paid, called_name, total, due, created_at, \
         EXISTS (SELECT 1 FROM refunds WHERE refunds.site_id = orders.site_id AND refunds.order_id = orders.id \
         AND refunds.status <> 'failed') AS money_back, uncollected, late_payment, \
         (assignment_escalated AND status IN ('confirmed', 'preparing', 'ready') AND NOT EXISTS \
         (SELECT 1 FROM delivery_assignments d WHERE d.site_id = orders.site_id AND d.order_id = orders.id \
         AND d.status IN ('assigned', 'picked_up'))) AS courier_wanted"
    };
}
macro_rules! filter {
    () => {
        "site_id = $1 AND (CAST($2 AS TEXT) IS NULL OR status = $2) \
         AND (CAST($3 AS TEXT) IS NULL OR fulfilment = $3) AND (CAST($4 AS TEXT) IS NULL OR method = $4) \
         AND (CAST($5 AS TEXT) IS NULL OR business_date = $5) \
         AND (CAST($6 AS TEXT) IS NULL OR LOWER(order_number) LIKE LOWER($6) ESCAPE '!' \
         OR LOWER(called_name) LIKE LOWER($6) ESCAPE '!') \
         AND (CAST($7 AS BOOLEAN) IS NULL OR paid = $7) \
         AND (CAST($8 AS TEXT) IS NULL OR ($8 = 'uncollected' AND uncollected) OR ($8 = 'late_payment' AND late_payment) \
         OR ($8 = 'without_courier' AND fulfilment = 'delivery' AND status IN ('confirmed', 'preparing', 'ready') \
         AND NOT EXISTS (SELECT 1 FROM delivery_assignments d WHERE d.site_id = orders.site_id \
         AND d.order_id = orders.id AND d.status IN ('assigned', 'picked_up'))))"
    };
}

const PAGE: &str = concat!(
    "SELECT ",
    summary_columns!(),
    " FROM orders WHERE ",
    filter!(),
    " AND (created_at < $9 OR (created_at = $9 AND id < $10)) ORDER BY created_at DESC, id DESC LIMIT $11"
);
const PAGE_OF_CUSTOMER: &str = concat!(
    "SELECT ",
    summary_columns!(),
    " FROM orders WHERE ",
    filter!(),
    " AND (created_at < $9 OR (created_at = $9 AND id < $10)) AND customer_id = $12 \
     ORDER BY created_at DESC, id DESC LIMIT $11"
);
/// Those that a courier has to deliver.
const OF_COURIER: &str = concat!(
    "SELECT ",
    summary_columns!(),
    " FROM orders WHERE ",
    filter!(),
    " AND id IN (SELECT order_id FROM delivery_assignments WHERE site_id = $1 AND staff_id = $9 \
     AND status IN ('assigned', 'picked_up')) ORDER BY created_at DESC, id DESC LIMIT $10"
);
const COUNT: &str =
    concat!("SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT 1 FROM orders WHERE ", filter!(), " LIMIT $9) AS found");
const COUNT_OF_CUSTOMER: &str = concat!(
    "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT 1 FROM orders WHERE ",
    filter!(),
    " AND customer_id = $10 LIMIT $9) AS found"
);

/// A page of orders, newest first, from before the key given, and how many there are in all, counted no
/// further than `most`.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn page(
    tx: &mut Tx,
    site: &str,
    filter: &OrderFilter,
    before: Option<(Timestamp, OrderId)>,
    (limit, most): (i64, i64),
) -> Result<(Vec<OrderSummaryRow>, i64), StoreError> {
    let (at, id) = before.map_or((i64::MAX, Uuid::max()), |(at, id)| (at.0, id.0));
    let text = filter.text.as_deref().map(containing);
    let (status, fulfilment) = (filter.status.as_deref(), filter.fulfilment.as_deref());
    let (method, date, text) = (filter.method.as_deref(), filter.business_date.as_deref(), text.as_deref());
    let (paid, attention) = (filter.paid, filter.attention.map(Attention::as_str));
    if let Some(customer) = filter.customer {
        let rows = fetch_all!(
            tx,
            OrderSummaryRow,
            PAGE_OF_CUSTOMER,
            site,
            status,
            fulfilment,
            method,
            date,
            text,
            paid,
            attention,
            at,
            id,
            limit,
            customer.0
        )?;
        let (total,) = fetch_one!(
            tx,
            (i64,),
            COUNT_OF_CUSTOMER,
            site,
            status,
            fulfilment,
            method,
            date,
            text,
            paid,
            attention,
            most,
            customer.0
        )?;
        return Ok((rows, total));
    }
    let rows = fetch_all!(
        tx,
        OrderSummaryRow,
        PAGE,
        site,
        status,
        fulfilment,
        method,
        date,
        text,
        paid,
        attention,
        at,
        id,
        limit
    )?;
    let (total,) = fetch_one!(tx, (i64,), COUNT, site, status, fulfilment, method, date, text, paid, attention, most)?;
    Ok((rows, total))
}

/// The orders of the filter that a courier has to deliver, newest first, at most `most`.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn of_courier(
    tx: &mut Tx,
    site: &str,
    filter: &OrderFilter,
    courier: StaffId,
    most: i64,
) -> Result<Vec<OrderSummaryRow>, StoreError> {
    let text = filter.text.as_deref().map(containing);
    let (status, fulfilment) = (filter.status.as_deref(), filter.fulfilment.as_deref());
    let (method, date, text) = (filter.method.as_deref(), filter.business_date.as_deref(), text.as_deref());
    let (paid, attention) = (filter.paid, filter.attention.map(Attention::as_str));
    fetch_all!(
        tx,
        OrderSummaryRow,
        OF_COURIER,
        site,
        status,
        fulfilment,
        method,
        date,
        text,
        paid,
        attention,
        courier.0,
        most
    )
}
