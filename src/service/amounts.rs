//! Which fields of the house's data hold an amount of money: one list for the command line's JSON and for
//! the screens that show data without knowing what it is about.

/// The fields that hold an amount: a whole number of minor units of the site's currency.
const AMOUNTS: &[&str] = &[
    "amount",
    "average_order",
    "balance",
    "balance_after",
    "base",
    "collected",
    "counted",
    "delivery",
    "delivery_charge",
    "delivery_fees",
    "discount",
    "discounts",
    "due",
    "expected",
    "float",
    "gross",
    "line_total",
    "menu_value",
    "minimum",
    "net",
    "over_short",
    "price",
    "price_delta",
    "refunded",
    "revenue",
    "subtotal",
    "tax",
    "tax_added",
    "tendered",
    "total",
    "total_share",
    "unit",
    "unit_price",
    "voids",
    "wasted_value",
    "whole",
];

/// Whether a whole number in a field of this name is an amount of money, in minor units.
#[must_use]
pub fn is_amount(field: &str) -> bool {
    AMOUNTS.contains(&field)
}
