//! The JSON of the command line. Our own shape is the views of the service with amounts as decimal
//! text and instants as RFC 3339; `--as 000` to `004` are the shapes of the five sources, with amounts
//! as numbers that show the currency's decimals (`150.00`).

use crate::domain::error::{ErrorCode, Refused};
use crate::domain::fulfilment::Fulfilment;
use crate::domain::money::{Currency, Money};
use crate::domain::order::{Source, Status, view_as};
use crate::domain::time::Timestamp;
use crate::service::amounts::is_amount;
use crate::service::order_queries::OrderSummary;
use crate::service::views::{AttemptView, OrderView, Page};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// Fields that hold an instant, beside all that end in `_at`.
const INSTANTS: &[&str] = &["at", "since", "now", "on_hold_until", "timestamp"];

/// A value as it is printed: finished JSON.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Shape(Box<RawValue>);

impl Shape {
    fn new(value: &impl Serialize) -> Result<Self, Refused> {
        serde_json::value::to_raw_value(value).map(Self).map_err(Refused::internal)
    }

    /// An order, in our own shape or a source's.
    ///
    /// # Errors
    /// `INTERNAL_ERROR` for a value that is not JSON.
    pub fn order(order: &OrderView, source: Option<Source>) -> Result<Self, Refused> {
        match source {
            None => Self::new(&own(order, order.currency)?),
            Some(Source::S000) => Self::new(&Order000::of(order)?),
            Some(Source::S001) => Self::new(&Order001::of(order)?),
            Some(Source::S002) => Self::new(&Order002::of(order)?),
            Some(Source::S003) => Self::new(&Order003::of(order)?),
            Some(Source::S004) => Self::new(&Order004::of(order)?),
        }
    }
}

/// A view in our own shape: amounts as decimal text, instants as RFC 3339.
///
/// # Errors
/// `INTERNAL_ERROR` for a view that is not JSON.
pub fn own(view: &impl Serialize, currency: Currency) -> Result<Value, Refused> {
    let mut value = serde_json::to_value(view).map_err(Refused::internal)?;
    rewrite(&mut value, currency);
    Ok(value)
}

/// A page in our own shape; its `total` is a count.
///
/// # Errors
/// `INTERNAL_ERROR` for a view that is not JSON.
pub fn own_page<T: Serialize>(page: &Page<T>, currency: Currency) -> Result<Value, Refused> {
    Ok(serde_json::json!({ "items": own(&page.items, currency)?, "next": page.next, "total": page.total,
        "at_least": page.at_least }))
}

fn rewrite(value: &mut Value, currency: Currency) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite(item, currency)),
        Value::Object(map) => {
            for (key, field) in map.iter_mut() {
                match field.as_i64() {
                    Some(minor) if is_amount(key) => *field = Money(minor).plain(currency).into(),
                    Some(micros) if key.ends_with("_at") || INSTANTS.contains(&key.as_str()) => {
                        *field = Timestamp(micros).to_rfc3339().into();
                    }
                    _ => rewrite(field, currency),
                }
            }
        }
        _ => {}
    }
}

/// An amount as a JSON number with the currency's decimals.
fn number(amount: Money, currency: Currency) -> Result<Box<RawValue>, Refused> {
    RawValue::from_string(amount.plain(currency)).map_err(Refused::internal)
}

/// The status of an order in a source's words; in JSON the sources write small letters.
fn words_of(order: &OrderView, source: Source) -> (String, Option<String>) {
    let view = view_as(source, order.status, order.reason, order.paid, order.fulfilment, order.payment_status);
    (view.status.to_lowercase(), view.payment_status.map(str::to_lowercase))
}

#[derive(Serialize)]
struct Item000 {
    food_id: String,
    name: String,
    quantity: i64,
    price: Box<RawValue>,
}

#[derive(Serialize)]
struct Order000 {
    id: String,
    order_number: String,
    user_id: String,
    status: String,
    total_amount: Box<RawValue>,
    items: Vec<Item000>,
    created_at: String,
}

impl Order000 {
    fn of(order: &OrderView) -> Result<Self, Refused> {
        let items = order.lines.iter().map(|line| {
            Ok(Item000 {
                food_id: line.item_id.to_string(),
                name: line.name.clone(),
                quantity: line.quantity,
                price: number(line.unit_price, order.currency)?,
            })
        });
        Ok(Self {
            id: order.id.to_string(),
            order_number: order.order_number.clone(),
            user_id: order.customer.to_string(),
            status: words_of(order, Source::S000).0,
            total_amount: number(order.total, order.currency)?,
            items: items.collect::<Result<_, Refused>>()?,
            created_at: order.created_at.to_rfc3339(),
        })
    }
}

#[derive(Serialize)]
struct Item001 {
    id: String,
    product_id: String,
    product_name: String,
    quantity: i64,
    unit_price: Box<RawValue>,
    total_price: Box<RawValue>,
}

#[derive(Serialize)]
struct Order001 {
    id: String,
    order_number: String,
    user_id: String,
    status: String,
    subtotal: Box<RawValue>,
    tax_amount: Box<RawValue>,
    shipping_amount: Box<RawValue>,
    discount_amount: Box<RawValue>,
    total_amount: Box<RawValue>,
    payment_status: Option<String>,
    items: Vec<Item001>,
    total_items: i64,
    created_at: String,
}

impl Order001 {
    fn of(order: &OrderView) -> Result<Self, Refused> {
        let amount = |money: Money| number(money, order.currency);
        let (status, payment_status) = words_of(order, Source::S001);
        let items = order.lines.iter().map(|line| {
            // 001 keeps a product's variant in its name.
            let options = line.options.join(", ");
            let product_name =
                if options.is_empty() { line.name.clone() } else { format!("{} - {options}", line.name) };
            Ok(Item001 {
                id: line.id.to_string(),
                product_id: line.item_id.to_string(),
                product_name,
                quantity: line.quantity,
                unit_price: amount(line.unit_price)?,
                total_price: amount(line.line_total)?,
            })
        });
        Ok(Self {
            id: order.id.to_string(),
            order_number: order.order_number.clone(),
            user_id: order.customer.to_string(),
            status,
            subtotal: amount(order.subtotal)?,
            tax_amount: amount(order.tax)?,
            shipping_amount: amount(order.delivery_charge)?,
            discount_amount: amount(order.discount)?,
            total_amount: amount(order.total)?,
            payment_status,
            items: items.collect::<Result<_, Refused>>()?,
            total_items: order.lines.iter().map(|line| line.quantity).sum(),
            created_at: order.created_at.to_rfc3339(),
        })
    }
}

#[derive(Serialize)]
struct Head002 {
    id: String,
    order_number: String,
    status: String,
    total: Box<RawValue>,
    payment_status: Option<String>,
    created_at: String,
}

#[derive(Serialize)]
struct Payment002 {
    gateway_order_id: Option<String>,
    amount: Box<RawValue>,
    currency: &'static str,
}

#[derive(Serialize)]
struct Order002 {
    order: Head002,
    payment: Option<Payment002>,
}

impl Order002 {
    fn of(order: &OrderView) -> Result<Self, Refused> {
        let (status, payment_status) = words_of(order, Source::S002);
        let attempt: Option<&AttemptView> = order.attempts.iter().rev().find(|attempt| !attempt.stray);
        let payment = attempt.map(|attempt| {
            Ok::<_, Refused>(Payment002 {
                gateway_order_id: attempt.gateway_order_id.clone(),
                amount: number(attempt.amount, order.currency)?,
                currency: order.currency.code(),
            })
        });
        Ok(Self {
            order: Head002 {
                id: order.id.to_string(),
                order_number: order.order_number.clone(),
                status,
                total: number(order.total, order.currency)?,
                payment_status,
                created_at: order.created_at.to_rfc3339(),
            },
            payment: payment.transpose()?,
        })
    }
}

#[derive(Serialize)]
struct Item003 {
    menu_item_id: String,
    name: String,
    options: Vec<String>,
    quantity: i64,
    price: Box<RawValue>,
    special_instructions: Option<String>,
}

#[derive(Serialize)]
struct Order003 {
    id: String,
    order_number: String,
    customer_id: String,
    status: String,
    subtotal: Box<RawValue>,
    tax: Box<RawValue>,
    delivery_fee: Box<RawValue>,
    discount: Box<RawValue>,
    total: Box<RawValue>,
    payment_method: &'static str,
    special_instructions: Option<String>,
    estimated_ready_at: Option<String>,
    items: Vec<Item003>,
    created_at: String,
}

impl Order003 {
    fn of(order: &OrderView) -> Result<Self, Refused> {
        let amount = |money: Money| number(money, order.currency);
        let items = order.lines.iter().map(|line| {
            Ok(Item003 {
                menu_item_id: line.item_id.to_string(),
                name: line.name.clone(),
                options: line.options.clone(),
                quantity: line.quantity,
                price: amount(line.unit_price)?,
                special_instructions: line.note.clone(),
            })
        });
        Ok(Self {
            id: order.id.to_string(),
            order_number: order.order_number.clone(),
            customer_id: order.customer.to_string(),
            status: words_of(order, Source::S003).0,
            subtotal: amount(order.subtotal)?,
            tax: amount(order.tax)?,
            delivery_fee: amount(order.delivery_charge)?,
            discount: amount(order.discount)?,
            total: amount(order.total)?,
            payment_method: order.method.as_str(),
            special_instructions: order.note.clone(),
            estimated_ready_at: order.estimated_ready_at.map(Timestamp::to_rfc3339),
            items: items.collect::<Result<_, Refused>>()?,
            created_at: order.created_at.to_rfc3339(),
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Order004 {
    order_id: String,
    status: String,
    total_amount: Box<RawValue>,
    buyer_id: String,
    payment_method: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    created_at: String,
    updated_at: String,
}

impl Order004 {
    fn of(order: &OrderView) -> Result<Self, Refused> {
        let reason = order.reason_text.clone().filter(|text| !text.is_empty());
        Ok(Self {
            order_id: order.id.to_string(),
            status: words_of(order, Source::S004).0,
            total_amount: number(order.total, order.currency)?,
            buyer_id: order.customer.to_string(),
            payment_method: order.method.provider_name(),
            reason: reason.or_else(|| order.reason.map(|reason| reason.as_str().to_owned())),
            created_at: order.created_at.to_rfc3339(),
            updated_at: order.updated_at.to_rfc3339(),
        })
    }
}

#[derive(Serialize)]
struct Row001 {
    id: String,
    order_number: String,
    status: String,
    total_amount: Box<RawValue>,
    created_at: String,
}

#[derive(Serialize)]
struct Page001 {
    items: Vec<Row001>,
    total: i64,
    page: i64,
    limit: i64,
    pages: i64,
}

/// A page of orders as 001 lists them; the rows in the words of the source given.
///
/// # Errors
/// `INTERNAL_ERROR` for a value that is not JSON.
pub fn page_001(
    rows: &Page<OrderSummary>,
    (page, limit): (i64, i64),
    source: Source,
    currency: Currency,
) -> Result<Shape, Refused> {
    let items = rows.items.iter().map(|row| {
        Ok(Row001 {
            id: row.id.to_string(),
            order_number: row.order_number.clone(),
            status: summary_status(row, source),
            total_amount: number(row.total, currency)?,
            created_at: row.created_at.to_rfc3339(),
        })
    });
    let pages = rows.total.saturating_add(limit - 1) / limit.max(1);
    Shape::new(&Page001 { items: items.collect::<Result<_, Refused>>()?, total: rows.total, page, limit, pages })
}

/// The status of a list's row in a source's words. No word for the status depends on the refunds.
#[must_use]
pub fn summary_status(row: &OrderSummary, source: Source) -> String {
    use crate::domain::payment::PaymentStatus;
    let paid = if row.paid { PaymentStatus::Paid } else { PaymentStatus::Pending };
    view_as(source, row.status, row.reason, row.paid, row.fulfilment, paid).status.to_lowercase()
}

/// The refusal of a cancellation in 001's words, where the order's state is why.
#[must_use]
pub fn cancel_refusal_001(refused: Refused, status: Status, paid: bool, fulfilment: Fulfilment) -> Refused {
    use crate::domain::payment::PaymentStatus;
    if refused.code != ErrorCode::IllegalTransition {
        return refused;
    }
    let word = view_as(Source::S001, status, None, paid, fulfilment, PaymentStatus::Pending).status.to_lowercase();
    if matches!(word.as_str(), "pending" | "processing") {
        // 001 would cancel it and the house does not (C2): its own words say why.
        return refused;
    }
    let message =
        format!("Order with status '{word}' cannot be cancelled. Only pending or processing orders can be cancelled.");
    Refused { message, ..refused }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn amounts_become_decimal_text_and_instants_rfc_3339() {
        let view = json!({
            "total": 1250, "created_at": 1_700_000_000_000_000_i64, "version": 3, "due": null,
            "lines": [{ "unit_price": 5, "quantity": 2 }],
        });
        let euro = Currency::parse("EUR").expect("EUR");
        assert_eq!(
            own(&view, euro).expect("json"),
            json!({
                "total": "12.50", "created_at": "2023-11-14T22:13:20.000Z", "version": 3, "due": null,
                "lines": [{ "unit_price": "0.05", "quantity": 2 }],
            })
        );
    }

    #[test]
    fn a_number_shows_the_decimals_of_its_currency() {
        for (code, text) in [("EUR", "150.00"), ("JPY", "15000"), ("KWD", "15.000")] {
            let currency = Currency::parse(code).expect("currency");
            assert_eq!(number(Money(15_000), currency).expect("number").get(), text);
        }
    }

    #[test]
    fn a_shipped_order_is_refused_in_the_words_of_001() {
        let refused = Refused::new(ErrorCode::IllegalTransition, "no");
        let refused = cancel_refusal_001(refused, Status::OutForDelivery, true, Fulfilment::Delivery);
        assert_eq!(
            refused.message,
            "Order with status 'shipped' cannot be cancelled. Only pending or processing orders can be cancelled."
        );
    }
}
