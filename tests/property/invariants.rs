//! The invariants, asked of the rows by SQL of this test's own, past the program and past its doctor; and
//! the comparison of every row with the model.

use super::model::{Hold, Model};
use servery::domain::fulfilment::Fulfilment;
use servery::domain::order::{EndReason, Source, Status, view_as};
use servery::domain::payment::PaymentStatus;
use servery::store::StoreUrl;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Each selects the rows that break an invariant, in words.
#[rustfmt::skip]
const RULES: &[(&str, &str)] = &[
    ("I1", "SELECT code FROM stock_items WHERE reserved < 0 OR reserved > on_hand"),
    ("I2 on_hand", "SELECT i.code FROM stock_items i WHERE i.on_hand <> i.opening + COALESCE((SELECT SUM(m.quantity) FROM stock_movements m WHERE m.stock_item_id = i.id), 0)"),
    ("I2 reserved", "SELECT i.code FROM stock_items i WHERE i.reserved <> COALESCE((SELECT SUM(r.quantity) FROM reservations r WHERE r.stock_item_id = i.id AND r.state = 'held'), 0)"),
    ("I3", "SELECT o.order_number FROM stock_movements m JOIN orders o ON o.id = m.order_id WHERE m.kind = 'commit' AND NOT EXISTS (SELECT 1 FROM order_history h WHERE h.order_id = m.order_id AND h.at = m.at AND (h.transition IN ('T3', 'T3b', 'T21', 'T28') OR (h.transition = 'T13' AND o.method = 'cash')))"),
    ("I4", "SELECT o.order_number FROM reservations r JOIN orders o ON o.id = r.order_id WHERE (r.state = 'held') <> (r.ended_at IS NULL) OR (r.state = 'held' AND o.status NOT IN ('pending', 'received', 'confirmed'))"),
    ("I5 commits", "SELECT o.order_number FROM orders o WHERE COALESCE((SELECT SUM(r.quantity) FROM reservations r WHERE r.order_id = o.id AND r.state = 'committed'), 0) <> -COALESCE((SELECT SUM(m.quantity) FROM stock_movements m WHERE m.order_id = o.id AND m.kind = 'commit'), 0)"),
    ("I5 restocks", "SELECT o.order_number FROM orders o WHERE COALESCE((SELECT SUM(r.restocked) FROM reservations r WHERE r.order_id = o.id), 0) <> COALESCE((SELECT SUM(m.quantity) FROM stock_movements m WHERE m.order_id = o.id AND m.kind = 'restock'), 0)"),
    ("I5 lines", "SELECT o.order_number FROM order_lines l JOIN orders o ON o.id = l.order_id WHERE l.restocked < 0 OR l.wasted < 0 OR l.restocked + l.wasted > l.quantity OR l.voided > l.quantity"),
    ("I7 versions", "SELECT o.order_number FROM orders o WHERE o.version <> (SELECT COUNT(*) FROM order_history h WHERE h.order_id = o.id) OR o.version <> (SELECT MAX(h.version) FROM order_history h WHERE h.order_id = o.id)"),
    ("I7 chain", "SELECT o.order_number FROM order_history h JOIN orders o ON o.id = h.order_id LEFT JOIN order_history p ON p.order_id = h.order_id AND p.version = h.version - 1 WHERE COALESCE(h.from_status, '-') <> COALESCE(p.to_status, '-') OR (h.version = o.version AND h.to_status <> o.status)"),
    ("I7 who", "SELECT o.order_number FROM order_history h JOIN orders o ON o.id = h.order_id WHERE (h.actor_role IN ('admin', 'delivery') AND h.actor_id IS NULL) OR (h.transition IN ('T11', 'T23', 'T24', 'T24b', 'T28') AND h.reason IS NULL)"),
    ("I8", "SELECT o.order_number FROM order_history h JOIN orders o ON o.id = h.order_id WHERE h.from_status IN ('completed', 'cancelled', 'rejected', 'expired') AND (h.to_status <> h.from_status OR h.transition NOT IN ('T27', 'T29', 'T32', 'T33'))"),
    ("I9 open", "SELECT o.order_number FROM orders o WHERE (SELECT COUNT(*) FROM payment_attempts a WHERE a.order_id = o.id AND a.status IN ('created', 'authorized')) > CASE WHEN o.status = 'pending' THEN 1 ELSE 0 END"),
    ("I9 captured", "SELECT o.order_number FROM orders o WHERE (SELECT COUNT(*) FROM payment_attempts a WHERE a.order_id = o.id AND a.status = 'captured' AND NOT a.stray) <> CASE WHEN o.paid THEN 1 ELSE 0 END"),
    ("I9 gateway ids", "SELECT MIN(a.gateway_payment_id) FROM payment_attempts a WHERE a.gateway_payment_id IS NOT NULL GROUP BY a.gateway_payment_id HAVING COUNT(*) > 1"),
    ("I10 sums", "SELECT o.order_number FROM payment_attempts a JOIN orders o ON o.id = a.order_id WHERE a.refunded < 0 OR a.refunded > CASE WHEN a.status = 'captured' THEN a.amount ELSE 0 END OR a.refunded <> COALESCE((SELECT SUM(r.amount) FROM refunds r WHERE r.attempt_id = a.id AND r.status <> 'failed'), 0)"),
    ("I10 captured is kept or goes back", "SELECT o.order_number FROM payment_attempts a JOIN orders o ON o.id = a.order_id WHERE a.status = 'captured' AND a.amount > 0 AND (a.stray OR o.status IN ('cancelled', 'rejected', 'expired')) AND NOT EXISTS (SELECT 1 FROM refunds r WHERE r.order_id = o.id AND r.attempt_id = a.id) AND NOT EXISTS (SELECT 1 FROM order_history h WHERE h.order_id = o.id AND h.transition = 'T24')"),
    ("I11 completed", "SELECT order_number FROM orders WHERE status = 'completed' AND NOT paid"),
    ("I11 visible", "SELECT order_number FROM orders WHERE method <> 'cash' AND NOT paid AND status NOT IN ('pending', 'cancelled', 'expired')"),
    ("I12 order", "SELECT order_number FROM orders WHERE total < 0 OR due < 0 OR due > total OR total <> subtotal - discount + CASE WHEN tax_inclusive THEN 0 ELSE tax END + delivery_charge"),
    ("I12 lines", "SELECT o.order_number FROM orders o WHERE o.subtotal <> (SELECT SUM(l.line_total) FROM order_lines l WHERE l.order_id = o.id) OR o.discount <> (SELECT SUM(l.discount_share) FROM order_lines l WHERE l.order_id = o.id) OR o.total - o.delivery_charge <> (SELECT SUM(l.total_share) FROM order_lines l WHERE l.order_id = o.id)"),
    ("I14", "SELECT o.business_date FROM orders o GROUP BY o.business_date HAVING COUNT(*) <> MAX(o.sequence) OR COUNT(DISTINCT o.sequence) <> COUNT(*) OR MAX(o.sequence) <> (SELECT MAX(c.last_sequence) FROM number_counters c WHERE c.business_date = o.business_date)"),
    ("I15", "SELECT s.business_date FROM slot_counters s WHERE s.claimed <> (SELECT COUNT(*) FROM orders o WHERE o.business_date = s.business_date AND o.slot_name = s.slot_name AND o.status NOT IN ('cancelled', 'expired', 'rejected'))"),
    ("I16", "SELECT code FROM promotions WHERE uses <> 0"),
    ("I18", "SELECT o.order_number FROM orders o WHERE o.event_sequence <> (SELECT COUNT(*) FROM outbox b WHERE b.order_id = o.id) OR o.event_sequence <> COALESCE((SELECT MAX(b.order_sequence) FROM outbox b WHERE b.order_id = o.id), 0)"),
    ("I20 out", "SELECT o.order_number FROM orders o WHERE (SELECT COUNT(*) FROM delivery_assignments d WHERE d.order_id = o.id AND d.status IN ('assigned', 'picked_up')) > 1 OR (o.status = 'out_for_delivery') <> EXISTS (SELECT 1 FROM delivery_assignments d WHERE d.order_id = o.id AND d.status = 'picked_up')"),
    ("I20 nobody waits for an order that is over", "SELECT o.order_number FROM orders o WHERE o.status IN ('completed', 'cancelled', 'rejected', 'expired') AND EXISTS (SELECT 1 FROM delivery_assignments d WHERE d.order_id = o.id AND d.status IN ('assigned', 'picked_up'))"),
    ("I21", "SELECT o.order_number FROM order_lines l JOIN orders o ON o.id = l.order_id WHERE CASE WHEN o.received_at IS NULL THEN 0 ELSE l.quantity END <> COALESCE((SELECT SUM(t.quantity) FROM ticket_items t WHERE t.order_id = o.id AND t.line_id = l.id), 0)"),
    ("I21 shown until done", "SELECT o.order_number FROM order_lines l JOIN orders o ON o.id = l.order_id JOIN ticket_items i ON i.order_id = o.id AND i.line_id = l.id JOIN tickets t ON t.order_id = o.id AND t.station_id = i.station_id WHERE o.status IN ('received', 'confirmed', 'preparing') AND l.done < l.quantity - l.voided AND t.bumped_at IS NOT NULL"),
    ("I22 drawer", "SELECT CAST(s.balance AS TEXT) FROM till_shifts s WHERE s.balance <> s.opening_float + COALESCE((SELECT SUM(m.amount) FROM drawer_movements m WHERE m.shift_id = s.id), 0) OR (s.closed_at IS NOT NULL AND (s.expected <> s.balance OR s.over_short <> s.counted - s.expected))"),
    ("I22 sales", "SELECT o.order_number FROM payment_attempts a JOIN orders o ON o.id = a.order_id WHERE a.method = 'cash' AND a.status = 'captured' AND a.amount <> COALESCE((SELECT SUM(m.amount) FROM drawer_movements m WHERE m.order_id = o.id AND m.kind = 'sale'), 0)"),
    ("I22 refunds", "SELECT o.order_number FROM drawer_movements m JOIN orders o ON o.id = m.order_id LEFT JOIN refunds r ON r.id = m.refund_id WHERE m.kind = 'refund' AND (r.id IS NULL OR r.status <> 'settled' OR r.amount <> -m.amount)"),
    ("I25", "SELECT o.order_number FROM order_history h JOIN orders o ON o.id = h.order_id JOIN order_history p ON p.order_id = h.order_id AND p.version = h.version - 1 WHERE h.at < p.at"),
    ("audit", "SELECT o.order_number FROM orders o WHERE NOT EXISTS (SELECT 1 FROM audit_log a WHERE a.entity = 'Order')"),
];

const LINE_SNAPSHOTS: &str = "SELECT id, item_code || '|' || item_name || '|' || category_name || '|' || CAST(base_price AS TEXT) \
     || '|' || CAST(unit_price AS TEXT) || '|' || CAST(options AS TEXT) || '|' || CAST(quantity AS TEXT) || '|' || CAST(line_total AS TEXT) \
     || '|' || CAST(tax_share AS TEXT) || '|' || CAST(total_share AS TEXT) || '|' || CAST(tax_rate_ppm AS TEXT) \
     || '|' || CAST(consumption AS TEXT) FROM order_lines";
const ORDER_SNAPSHOTS: &str = "SELECT id, order_number || '|' || CAST(subtotal AS TEXT) || '|' || CAST(tax AS TEXT) || '|' \
     || CAST(delivery_charge AS TEXT) || '|' || CAST(total AS TEXT) || '|' || method || '|' || fulfilment FROM orders";
const ORDERS: &str = "SELECT id, status || ' ' || CAST(version AS TEXT) || ' ' || CAST(due AS TEXT) || ' ' || \
     CASE WHEN paid THEN 'paid' ELSE 'unpaid' END FROM orders";
const EVENTS: &str = "SELECT order_id, event FROM outbox WHERE order_id IS NOT NULL ORDER BY order_id, order_sequence";
const HOLDS: &str = "SELECT r.order_id, i.code || ' ' || r.state, CAST(SUM(r.quantity) AS BIGINT) FROM reservations r \
     JOIN stock_items i ON i.id = r.stock_item_id WHERE r.state IN ('held', 'committed') GROUP BY r.order_id, i.code, r.state";
const CARTS: &str = "SELECT c.id, c.state, CAST(COALESCE((SELECT SUM(l.quantity) FROM cart_lines l WHERE l.cart_id = c.id), 0) AS BIGINT) FROM carts c";
const STOCK: &str = "SELECT code, on_hand, reserved FROM stock_items ORDER BY code";
const DRAWERS: &str = "SELECT CAST(COUNT(*) AS BIGINT), CAST(COALESCE(SUM(balance), 0) AS BIGINT) FROM till_shifts WHERE closed_at IS NULL";

enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// A connection past the program.
pub struct Raw {
    connection: Connection,
    rules: String,
    snapshots: BTreeMap<Uuid, String>,
}

macro_rules! all {
    ($raw:expr, $row:ty, $sql:expr) => {{
        let sql: String = $sql.into();
        match &mut $raw.connection {
            Connection::Sqlite(to) => sqlx::query_as::<_, $row>(AssertSqlSafe(sql)).fetch_all(to).await.expect("query"),
            Connection::Postgres(to) => {
                sqlx::query_as::<_, $row>(AssertSqlSafe(sql)).fetch_all(to).await.expect("query")
            }
        }
    }};
}

impl Raw {
    pub async fn connect(url: &StoreUrl) -> Self {
        let connection = match url {
            StoreUrl::Sqlite(path) => {
                let to = SqliteConnection::connect(&path.display().to_string()).await.expect("connection");
                Connection::Sqlite(to)
            }
            StoreUrl::Postgres(url) => Connection::Postgres(PgConnection::connect(url).await.expect("connection")),
        };
        let each: Vec<String> =
            RULES.iter().map(|(name, sql)| format!("SELECT '{name}' AS rule, f.* FROM ({sql}) AS f")).collect();
        Self { connection, rules: each.join(" UNION ALL "), snapshots: BTreeMap::new() }
    }

    pub async fn run(&mut self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        match &mut self.connection {
            Connection::Sqlite(to) => drop(sqlx::query(sql).execute(to).await.expect("statement")),
            Connection::Postgres(to) => drop(sqlx::query(sql).execute(to).await.expect("statement")),
        }
    }

    /// An id as this database spells it.
    pub fn literal(&self, id: Uuid) -> String {
        match &self.connection {
            Connection::Sqlite(_) => format!("X'{}'", id.simple()),
            Connection::Postgres(_) => format!("'{id}'"),
        }
    }

    /// Bytes, given in hexadecimal, as this database spells them.
    pub fn bytes(&self, hex: &str) -> String {
        match &self.connection {
            Connection::Sqlite(_) => format!("X'{hex}'"),
            Connection::Postgres(_) => format!("'\\x{hex}'"),
        }
    }

    /// Code, on hand and reserved of each stock item.
    pub async fn stock(&mut self) -> Vec<(String, i64, i64)> {
        all!(self, (String, i64, i64), STOCK)
    }

    /// The rows of the table that moved an order.
    pub async fn transitions(&mut self) -> Vec<String> {
        let rows = all!(self, (String,), "SELECT DISTINCT transition FROM order_history");
        rows.into_iter().map(|row| row.0).collect()
    }

    /// Every invariant, and every row against the model.
    ///
    /// # Errors
    /// The first that does not hold.
    pub async fn check(&mut self, model: &Model) -> Result<(), String> {
        let rules = self.rules.clone();
        if let Some((rule, row)) = all!(self, (String, Option<String>), rules).into_iter().next() {
            return Err(format!("{rule} does not hold for {}", row.unwrap_or_default()));
        }
        self.snapshots_stay().await?;
        self.orders_agree(model).await?;
        let carts: BTreeMap<Uuid, (String, i64)> =
            all!(self, (Uuid, String, i64), CARTS).into_iter().map(|(id, state, units)| (id, (state, units))).collect();
        for cart in model.carts.iter().filter(|cart| cart.made) {
            let ours = (cart.state.to_owned(), cart.lines.iter().map(|line| line.quantity).sum());
            if carts.get(&cart.id) != Some(&ours) {
                return Err(format!("C9: a cart is {:?}, the model says {ours:?}", carts.get(&cart.id)));
            }
        }
        let drawers = all!(self, (i64, i64), DRAWERS);
        let ours = (i64::from(model.drawer.is_some()), model.drawer.unwrap_or(0));
        if drawers != [ours] {
            return Err(format!("I22: open shifts and their cash are {drawers:?}, the model says {ours:?}"));
        }
        Ok(())
    }

    /// I13: what was sold never changes, whatever the menu does.
    async fn snapshots_stay(&mut self) -> Result<(), String> {
        for sql in [LINE_SNAPSHOTS, ORDER_SNAPSHOTS] {
            for (id, now) in all!(self, (Uuid, String), sql) {
                let first = self.snapshots.entry(id).or_insert_with(|| now.clone());
                if *first != now {
                    return Err(format!("I13: {id} was {first} and is {now}"));
                }
            }
        }
        Ok(())
    }

    async fn orders_agree(&mut self, model: &Model) -> Result<(), String> {
        let rows: BTreeMap<Uuid, String> = all!(self, (Uuid, String), ORDERS).into_iter().collect();
        let mut events: BTreeMap<Uuid, Vec<String>> = BTreeMap::new();
        for (order, event) in all!(self, (Uuid, String), EVENTS) {
            events.entry(order).or_default().push(event);
        }
        let mut holds: BTreeMap<Uuid, BTreeMap<String, i64>> = BTreeMap::new();
        for (order, what, quantity) in all!(self, (Uuid, String, i64), HOLDS) {
            holds.entry(order).or_default().insert(what, quantity);
        }
        if rows.len() != model.orders.len() {
            return Err(format!("{} orders, the model has {}", rows.len(), model.orders.len()));
        }
        for order in &model.orders {
            let paid = if order.paid() { "paid" } else { "unpaid" };
            let ours = format!("{} {} {} {paid}", order.status, order.version, order.due);
            if rows.get(&order.id.0) != Some(&ours) {
                return Err(format!("an order is {:?}, the model says {ours}", rows.get(&order.id.0)));
            }
            let told = events.remove(&order.id.0).unwrap_or_default();
            if told != order.emits {
                return Err(format!("I18: an order told {told:?}, the table says {:?}", order.emits));
            }
            let mut ours = BTreeMap::new();
            for (code, (held, quantity)) in &order.holds {
                match held {
                    Hold::Reserved => drop(ours.insert(format!("{code} held"), *quantity)),
                    Hold::Committed => drop(ours.insert(format!("{code} committed"), *quantity)),
                    Hold::Gone => {}
                }
            }
            let theirs = holds.remove(&order.id.0).unwrap_or_default();
            if ours != theirs {
                return Err(format!("I4: an order holds {theirs:?}, the model says {ours:?}"));
            }
            views_are_defined(order.status, order.paid(), order.fulfilment)?;
        }
        Ok(())
    }
}

/// I26, and a few words that the specification's table gives.
fn views_are_defined(status: Status, paid: bool, fulfilment: Fulfilment) -> Result<(), String> {
    let payment = if paid { PaymentStatus::Paid } else { PaymentStatus::Pending };
    for source in Source::ALL {
        let view = view_as(*source, status, Some(EndReason::Customer), paid, fulfilment, payment);
        let beside = matches!(source, Source::S001 | Source::S002);
        if view.status.is_empty() || view.payment_status.is_some() != beside {
            return Err(format!("I26: {source} has no word for {status}"));
        }
    }
    Ok(())
}
