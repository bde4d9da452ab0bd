//! What one batch of an archive run takes: the rows of some orders and of all that hangs on them, a stretch of a
//! ledger, or the audit rows under a seal. As conditions that read and delete the very same rows.

use serde::{Deserialize, Serialize};
use sqlx::{Database, Encode, QueryBuilder, Type};
use uuid::Uuid;

/// A stretch of a ledger: the movements of one stock item or till shift, from one number to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// The stock item or till shift.
    pub owner: Uuid,
    /// The first number.
    pub from: i64,
    /// The last one.
    pub to: i64,
}

/// What one batch takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Orders that are over, each at the version at which it was read, with everything that belongs to them.
    Orders(Vec<(Uuid, i64)>),
    /// The oldest movements of a stock item.
    StockMovements(Stretch),
    /// The oldest movements of a closed till shift.
    DrawerMovements(Stretch),
    /// The audit rows under one seal.
    AuditRows {
        /// The seal.
        seal: i64,
        /// The number of its first row.
        from_seq: i64,
        /// The number of its last row.
        to_seq: i64,
    },
}

/// The tables of orders. `carts` are those that became one of the orders.
const OF_ORDERS: &[&str] = MOVED.split_at(MOVED.len() - 3).0;

/// Every table whose rows go to the file: those of orders, those that refer to others first, as they are deleted; then
/// the three that go by themselves.
pub const MOVED: &[&str] = &[
    "cart_lines",
    "carts",
    "delivery_checkpoints",
    "delivery_assignments",
    "reviews",
    "promotion_uses",
    "ticket_items",
    "tickets",
    "reservations",
    "refunds",
    "payment_attempts",
    "order_history",
    "notifications",
    "outbox",
    "order_lines",
    "orders",
    "stock_movements",
    "drawer_movements",
    "audit_log",
];

impl Part {
    /// The tables whose rows it takes, in the order in which they are deleted.
    #[must_use]
    pub const fn tables(&self) -> &'static [&'static str] {
        match self {
            Self::Orders(_) => OF_ORDERS,
            Self::StockMovements(_) => &["stock_movements"],
            Self::DrawerMovements(_) => &["drawer_movements"],
            Self::AuditRows { .. } => &["audit_log"],
        }
    }

    /// Its word in the file.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Orders(_) => "orders",
            Self::StockMovements(_) => "stock movements",
            Self::DrawerMovements(_) => "drawer movements",
            Self::AuditRows { .. } => "audit rows",
        }
    }
}

/// Adds the condition by which the part takes rows of the table.
pub(super) fn push_condition<DB>(builder: &mut QueryBuilder<DB>, postgres: bool, site: &str, table: &str, part: &Part)
where
    DB: Database,
    for<'q> &'q str: Encode<'q, DB> + Type<DB>,
    for<'q> Uuid: Encode<'q, DB> + Type<DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
{
    if table == "audit_log" && !postgres {
        // By number: left to itself, SQLite walks along another index.
        builder.push(" NOT INDEXED");
    }
    builder.push(" WHERE site_id = ").push_bind(site);
    match part {
        Part::Orders(orders) => {
            let (before, after) = match table {
                "orders" => (" AND id IN (", ")"),
                "customers" => (" AND id IN (SELECT customer_id FROM orders WHERE site_id = ", "))"),
                "delivery_checkpoints" => {
                    (" AND assignment_id IN (SELECT id FROM delivery_assignments WHERE site_id = ", "))")
                }
                "carts" => (" AND state = 'consumed' AND id IN (SELECT cart_id FROM orders WHERE site_id = ", "))"),
                "cart_lines" => (
                    " AND cart_id IN (SELECT c.id FROM orders o JOIN carts c ON c.site_id = o.site_id AND c.id = o.cart_id \
                     AND c.order_id = o.id AND c.state = 'consumed' WHERE o.site_id = ",
                    "))",
                ),
                _ => (" AND order_id IN (", ")"),
            };
            builder.push(before);
            match table {
                "customers" | "carts" => builder.push_bind(site).push(" AND id IN ("),
                "delivery_checkpoints" => builder.push_bind(site).push(" AND order_id IN ("),
                "cart_lines" => builder.push_bind(site).push(" AND o.id IN ("),
                _ => builder,
            };
            push_ids(builder, orders);
            builder.push(after);
            if table == "carts" {
                // A cart that was placed again belongs to the later order.
                builder.push(" AND order_id IN (");
                push_ids(builder, orders);
                builder.push(")");
            }
        }
        Part::StockMovements(stretch) => push_stretch(builder, "stock_item_id", stretch),
        Part::DrawerMovements(stretch) => push_stretch(builder, "shift_id", stretch),
        Part::AuditRows { from_seq, to_seq, .. } => {
            builder.push(" AND seq >= ").push_bind(*from_seq).push(" AND seq <= ").push_bind(*to_seq);
        }
    }
}

fn push_ids<DB>(builder: &mut QueryBuilder<DB>, orders: &[(Uuid, i64)])
where
    DB: Database,
    for<'q> Uuid: Encode<'q, DB> + Type<DB>,
{
    let mut list = builder.separated(", ");
    for (id, _) in orders {
        list.push_bind(*id);
    }
}

fn push_stretch<DB>(builder: &mut QueryBuilder<DB>, owner: &str, stretch: &Stretch)
where
    DB: Database,
    for<'q> Uuid: Encode<'q, DB> + Type<DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
{
    builder.push(" AND ").push(owner).push(" = ").push_bind(stretch.owner);
    builder.push(" AND seq >= ").push_bind(stretch.from).push(" AND seq <= ").push_bind(stretch.to);
}
