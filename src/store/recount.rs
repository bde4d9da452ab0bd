//! A recount of one stock item and of a site's sales, each figure from the rows that it comes from and
//! none from a sum that the house keeps: for the proof after a stress run. What must equal what is
//! judged above.

use super::{StoreError, Tx};
use serde::{Deserialize, Serialize};

/// A stock item: what it says of itself, and what the rows beneath it add up to, in its own units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct StockCount {
    /// What was there when it was set up.
    pub opening: i64,
    /// What the item says is there.
    pub on_hand: i64,
    /// What the item says is held.
    pub reserved: i64,
    /// The sum of its ledger.
    pub moved: i64,
    /// What the ledger says was sold.
    pub sold: i64,
    /// The sum of the holds that run.
    pub held: i64,
    /// The sum of the holds that ended in a sale.
    pub committed: i64,
}

/// The sales of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct SalesCount {
    /// Orders that are paid.
    pub paid_orders: i64,
    /// Pieces on their lines.
    pub paid_pieces: i64,
    /// What they are due together, in minor units.
    pub due: i64,
    /// Captured payments that belong to an order.
    pub captures: i64,
    /// What was captured by them, in minor units.
    pub captured: i64,
    /// Captured payments that no order could take.
    pub strays: i64,
    /// Business days whose order numbers have a gap or a double.
    pub uneven_days: i64,
}

const STOCK: &str = "SELECT i.opening, i.on_hand, i.reserved, \
     (SELECT CAST(COALESCE(SUM(m.quantity), 0) AS BIGINT) FROM stock_movements m \
     WHERE m.site_id = i.site_id AND m.stock_item_id = i.id) AS moved, \
     (SELECT CAST(COALESCE(SUM(-m.quantity), 0) AS BIGINT) FROM stock_movements m \
     WHERE m.site_id = i.site_id AND m.stock_item_id = i.id AND m.kind = 'commit') AS sold, \
     (SELECT CAST(COALESCE(SUM(r.quantity), 0) AS BIGINT) FROM reservations r \
     WHERE r.site_id = i.site_id AND r.stock_item_id = i.id AND r.state = 'held') AS held, \
     (SELECT CAST(COALESCE(SUM(r.quantity), 0) AS BIGINT) FROM reservations r \
     WHERE r.site_id = i.site_id AND r.stock_item_id = i.id AND r.state = 'committed') AS committed \
     FROM stock_items i WHERE i.site_id = $1 AND i.code = $2";
const SALES: &str = "SELECT (SELECT COUNT(*) FROM orders o WHERE o.site_id = s.site_id AND o.paid) AS paid_orders, \
     (SELECT CAST(COALESCE(SUM(l.quantity), 0) AS BIGINT) FROM order_lines l \
     JOIN orders o ON o.site_id = l.site_id AND o.id = l.order_id WHERE o.site_id = s.site_id AND o.paid) AS paid_pieces, \
     (SELECT CAST(COALESCE(SUM(o.due), 0) AS BIGINT) FROM orders o WHERE o.site_id = s.site_id AND o.paid) AS due, \
     (SELECT COUNT(*) FROM payment_attempts a WHERE a.site_id = s.site_id AND a.status = 'captured' AND NOT a.stray) AS captures, \
     (SELECT CAST(COALESCE(SUM(a.amount), 0) AS BIGINT) FROM payment_attempts a \
     WHERE a.site_id = s.site_id AND a.status = 'captured' AND NOT a.stray) AS captured, \
     (SELECT COUNT(*) FROM payment_attempts a WHERE a.site_id = s.site_id AND a.stray) AS strays, \
     (SELECT COUNT(*) FROM (SELECT o.business_date FROM orders o WHERE o.site_id = $1 GROUP BY o.business_date \
     HAVING COUNT(*) <> MAX(o.sequence) OR COUNT(DISTINCT o.sequence) <> COUNT(*)) AS days) AS uneven_days \
     FROM sites s WHERE s.site_id = $1";

/// Counts a stock item; `None` where the site has none of this code.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn stock(tx: &mut Tx, site: &str, code: &str) -> Result<Option<StockCount>, StoreError> {
    fetch_optional!(tx, StockCount, STOCK, site, code)
}

/// Counts the sales of a site.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn sales(tx: &mut Tx, site: &str) -> Result<SalesCount, StoreError> {
    fetch_one!(tx, SalesCount, SALES, site)
}
