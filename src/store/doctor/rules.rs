//! What doctor asks of the rows, as SQL that runs on both databases: each rule selects the rows that
//! break it, the first one first. Nothing is decided here; see the module above.

/// A rule: the rows that break it, as (id, words about it), the first one first.
pub(super) struct Rule {
    /// The kind of row that the id names.
    pub(super) subject: &'static str,
    /// What is wrong with it.
    pub(super) wrong: &'static str,
    /// `SELECT id, words …` with the site as `$1`.
    pub(super) sql: &'static str,
}

/// A check: its name, how many rows there are, and its rules in order.
pub(super) struct Group {
    pub(super) name: &'static str,
    pub(super) count: &'static str,
    pub(super) rules: &'static [Rule],
}

/// A value as text; `-` for none.
macro_rules! text {
    ($value:literal) => {
        concat!("COALESCE(CAST(", $value, " AS TEXT), '-')")
    };
}

/// Every rule, by check.
#[rustfmt::skip]
pub(super) const RULES: &[Group] = &[
    Group {
        name: "stock",
        count: "SELECT (SELECT COUNT(*) FROM stock_items WHERE site_id = $1) \
             + (SELECT COUNT(*) FROM stock_movements WHERE site_id = $1) \
             + (SELECT COUNT(*) FROM reservations WHERE site_id = $1)",
        rules: &[
            Rule {
                subject: "stock item",
                wrong: "reserved is not between 0 and on hand (I1)",
                sql: concat!(
                    "SELECT id, code || ': on hand ' || ", text!("on_hand"), " || ', reserved ' || ", text!("reserved"),
                    " FROM stock_items WHERE site_id = $1 AND (reserved < 0 OR reserved > on_hand) ORDER BY id LIMIT 1"
                ),
            },
            Rule {
                subject: "stock item",
                wrong: "reserved is not the sum of what is held (I2)",
                sql: concat!(
                    "SELECT i.id, i.code || ': reserved ' || ", text!("i.reserved"), " || ', held ' || ",
                    text!("COALESCE(h.held, 0)"),
                    " FROM stock_items i LEFT JOIN (SELECT stock_item_id, SUM(quantity) AS held FROM reservations \
                     WHERE site_id = $1 AND state = 'held' GROUP BY stock_item_id) h ON h.stock_item_id = i.id \
                     WHERE i.site_id = $1 AND i.reserved <> COALESCE(h.held, 0) ORDER BY i.id LIMIT 1"
                ),
            },
            Rule {
                subject: "stock item",
                wrong: "a row of its ledger does not follow from the one before (I2)",
                sql: concat!(
                    "SELECT i.id, i.code || ': movement ' || ", text!("c.seq"), " || ' of ' || ", text!("c.quantity"),
                    " || ' leaves ' || ", text!("c.on_hand_after"), " || ' after ' || ",
                    text!("COALESCE(c.before_count, i.opening + COALESCE(a.quantity, 0))"),
                    " FROM (SELECT m.stock_item_id, m.seq, m.quantity, m.on_hand_after, \
                     LAG(m.seq) OVER (PARTITION BY m.stock_item_id ORDER BY m.seq) AS before_seq, \
                     LAG(m.on_hand_after) OVER (PARTITION BY m.stock_item_id ORDER BY m.seq) AS before_count \
                     FROM stock_movements m WHERE m.site_id = $1) c \
                     JOIN stock_items i ON i.site_id = $1 AND i.id = c.stock_item_id \
                     LEFT JOIN archived_stock a ON a.site_id = $1 AND a.stock_item_id = c.stock_item_id \
                     WHERE CASE WHEN c.before_seq IS NOT NULL \
                     THEN c.seq <> c.before_seq + 1 OR c.on_hand_after <> c.before_count + c.quantity \
                     ELSE c.seq <> COALESCE(a.movements, 0) + 1 \
                     OR c.on_hand_after <> i.opening + COALESCE(a.quantity, 0) + c.quantity END \
                     ORDER BY i.id, c.seq LIMIT 1"
                ),
            },
            Rule {
                subject: "stock item",
                wrong: "on hand is not what the ledger ends with (I2)",
                sql: concat!(
                    "SELECT i.id, i.code || ': on hand ' || ", text!("i.on_hand"), " || ' at movement ' || ",
                    text!("i.last_movement"), " || ', ledger ' || ",
                    text!("COALESCE(m.on_hand_after, i.opening + COALESCE(a.quantity, 0))"),
                    " || ' at ' || ", text!("COALESCE(m.seq, a.movements, 0)"),
                    " FROM stock_items i LEFT JOIN (SELECT stock_item_id, MAX(seq) AS seq FROM stock_movements \
                     WHERE site_id = $1 GROUP BY stock_item_id) l ON l.stock_item_id = i.id \
                     LEFT JOIN stock_movements m ON m.site_id = $1 AND m.stock_item_id = i.id AND m.seq = l.seq \
                     LEFT JOIN archived_stock a ON a.site_id = $1 AND a.stock_item_id = i.id \
                     WHERE i.site_id = $1 AND CASE WHEN m.seq IS NOT NULL \
                     THEN i.last_movement <> m.seq OR i.on_hand <> m.on_hand_after \
                     ELSE i.last_movement <> COALESCE(a.movements, 0) \
                     OR i.on_hand <> i.opening + COALESCE(a.quantity, 0) END ORDER BY i.id LIMIT 1"
                ),
            },
            Rule {
                subject: "order",
                wrong: "what it committed or gave back is not in the ledger (I3, I5)",
                sql: concat!(
                    "SELECT r.order_id, i.code || ': committed ' || ", text!("r.committed"), " || ', in the ledger ' || ",
                    text!("COALESCE(m.committed, 0)"), " || '; restocked ' || ", text!("r.restocked"),
                    " || ', in the ledger ' || ", text!("COALESCE(m.restocked, 0)"),
                    " FROM (SELECT order_id, stock_item_id, \
                     SUM(CASE WHEN state = 'committed' THEN quantity ELSE 0 END) AS committed, \
                     SUM(restocked) AS restocked FROM reservations WHERE site_id = $1 \
                     GROUP BY order_id, stock_item_id) r \
                     JOIN stock_items i ON i.site_id = $1 AND i.id = r.stock_item_id \
                     LEFT JOIN (SELECT order_id, stock_item_id, \
                     SUM(CASE WHEN kind = 'commit' THEN -quantity ELSE 0 END) AS committed, \
                     SUM(CASE WHEN kind = 'restock' THEN quantity ELSE 0 END) AS restocked \
                     FROM stock_movements WHERE site_id = $1 AND order_id IS NOT NULL \
                     GROUP BY order_id, stock_item_id) m \
                     ON m.order_id = r.order_id AND m.stock_item_id = r.stock_item_id \
                     WHERE r.committed <> COALESCE(m.committed, 0) OR r.restocked <> COALESCE(m.restocked, 0) \
                     ORDER BY r.order_id LIMIT 1"
                ),
            },
            Rule {
                subject: "order",
                wrong: "it holds stock although it is paid, cooked or over (I3, I4)",
                sql: "SELECT o.id, o.order_number || ': ' || o.status FROM reservations r \
                     JOIN orders o ON o.site_id = r.site_id AND o.id = r.order_id \
                     WHERE r.site_id = $1 AND r.state = 'held' AND (o.paid OR o.status NOT IN ('pending', 'received', 'confirmed')) \
                     ORDER BY o.id LIMIT 1",
            },
            Rule {
                subject: "order",
                wrong: "a hold has ended without an end, or runs with one (I4)",
                sql: "SELECT order_id, state FROM reservations WHERE site_id = $1 \
                     AND (state = 'held') <> (ended_at IS NULL) ORDER BY order_id LIMIT 1",
            },
            Rule {
                subject: "order line",
                wrong: "more units were given back than sold (I5)",
                sql: concat!(
                    "SELECT id, item_name || ': restocked ' || ", text!("restocked"), " || ', wasted ' || ", text!("wasted"),
                    " || ' of ' || ", text!("quantity"),
                    " FROM order_lines WHERE site_id = $1 AND (restocked < 0 OR wasted < 0 \
                     OR restocked + wasted > quantity OR voided > quantity) ORDER BY order_id, id LIMIT 1"
                ),
            },
        ],
    },
    Group {
        name: "money",
        count: "SELECT (SELECT COUNT(*) FROM payment_attempts WHERE site_id = $1) \
             + (SELECT COUNT(*) FROM refunds WHERE site_id = $1)",
        rules: &[
            Rule {
                subject: "payment attempt",
                wrong: "its refunded sum is not that of its refunds (I10)",
                sql: concat!(
                    "SELECT p.id, 'refunded ' || ", text!("p.refunded"), " || ', refunds ' || ",
                    text!("COALESCE(r.amount, 0)"),
                    " FROM payment_attempts p LEFT JOIN (SELECT order_id, attempt_id, SUM(amount) AS amount FROM refunds \
                     WHERE site_id = $1 AND status <> 'failed' GROUP BY order_id, attempt_id) r \
                     ON r.order_id = p.order_id AND r.attempt_id = p.id \
                     WHERE p.site_id = $1 AND p.refunded <> COALESCE(r.amount, 0) ORDER BY p.id LIMIT 1"
                ),
            },
            Rule {
                subject: "payment attempt",
                wrong: "more is refunded than was captured (I10)",
                sql: concat!(
                    "SELECT id, status || ' ' || ", text!("amount"), " || ', refunded ' || ", text!("refunded"),
                    " FROM payment_attempts WHERE site_id = $1 \
                     AND (refunded < 0 OR refunded > CASE WHEN status = 'captured' THEN amount ELSE 0 END) \
                     ORDER BY id LIMIT 1"
                ),
            },
            Rule {
                subject: "order",
                wrong: "it has more than one open attempt, or more than one that captured (I9)",
                sql: concat!(
                    "SELECT order_id, 'open ' || ", text!("SUM(CASE WHEN status IN ('created', 'authorized') THEN 1 ELSE 0 END)"),
                    " || ', captured ' || ", text!("SUM(CASE WHEN status = 'captured' AND NOT stray THEN 1 ELSE 0 END)"),
                    " FROM payment_attempts WHERE site_id = $1 GROUP BY order_id \
                     HAVING SUM(CASE WHEN status IN ('created', 'authorized') THEN 1 ELSE 0 END) > 1 \
                     OR SUM(CASE WHEN status = 'captured' AND NOT stray THEN 1 ELSE 0 END) > 1 ORDER BY order_id LIMIT 1"
                ),
            },
            Rule {
                subject: "payment attempt",
                wrong: "its gateway's id stands on another attempt too (I9)",
                sql: "SELECT p.id, p.gateway_payment_id FROM payment_attempts p JOIN payment_attempts q \
                     ON q.site_id = p.site_id AND q.gateway_payment_id = p.gateway_payment_id AND q.id <> p.id \
                     WHERE p.site_id = $1 ORDER BY p.id LIMIT 1",
            },
            Rule {
                subject: "order",
                wrong: "its paid mark is not what its attempts say (I10)",
                sql: "SELECT o.id, o.order_number || CASE WHEN o.paid THEN ': paid, nothing captured' \
                     ELSE ': captured, not paid' END FROM orders o LEFT JOIN (SELECT DISTINCT order_id FROM payment_attempts \
                     WHERE site_id = $1 AND status = 'captured' AND NOT stray) p ON p.order_id = o.id \
                     WHERE o.site_id = $1 AND o.paid <> (p.order_id IS NOT NULL) ORDER BY o.id LIMIT 1",
            },
            Rule {
                subject: "order",
                wrong: "what was captured does not cover what was due, or is more than the total (I10)",
                sql: concat!(
                    "SELECT o.id, o.order_number || ': captured ' || ", text!("p.amount"), " || ' ' || p.currency || ', due ' || ",
                    text!("o.due"), " || ' of ' || ", text!("o.total"), " || ' ' || o.currency",
                    " FROM payment_attempts p JOIN orders o ON o.site_id = p.site_id AND o.id = p.order_id \
                     WHERE p.site_id = $1 AND p.status = 'captured' AND NOT p.stray \
                     AND (p.amount < o.due OR p.amount > o.total OR p.currency <> o.currency) ORDER BY o.id LIMIT 1"
                ),
            },
            Rule {
                subject: "payment attempt",
                wrong: "money was taken that belongs to no order, and no refund was begun (I10)",
                sql: concat!(
                    "SELECT p.id, 'stray, captured ' || ", text!("p.amount"),
                    " FROM payment_attempts p LEFT JOIN (SELECT DISTINCT order_id, attempt_id FROM refunds WHERE site_id = $1) r \
                     ON r.order_id = p.order_id AND r.attempt_id = p.id WHERE p.site_id = $1 AND p.status = 'captured' \
                     AND p.stray AND p.amount > 0 AND r.attempt_id IS NULL ORDER BY p.id LIMIT 1"
                ),
            },
        ],
    },
    Group {
        name: "order sums",
        count: "SELECT COUNT(*) FROM order_lines WHERE site_id = $1",
        rules: &[
            Rule {
                subject: "order line",
                wrong: "its total is not its price times its quantity (I12)",
                sql: concat!(
                    "SELECT id, item_name || ': ' || ", text!("unit_price"), " || ' x ' || ", text!("quantity"), " || ' is not ' || ",
                    text!("line_total"),
                    " FROM order_lines WHERE site_id = $1 AND line_total <> unit_price * quantity ORDER BY order_id, id LIMIT 1"
                ),
            },
            Rule {
                subject: "order line",
                wrong: "its share of the total is not its own sum (I12)",
                sql: concat!(
                    "SELECT l.id, l.item_name || ': share ' || ", text!("l.total_share"),
                    " FROM order_lines l JOIN orders o ON o.site_id = l.site_id AND o.id = l.order_id WHERE l.site_id = $1 \
                     AND l.total_share <> l.line_total - l.discount_share \
                     + CASE WHEN o.tax_inclusive THEN 0 ELSE l.tax_share END ORDER BY l.order_id, l.id LIMIT 1"
                ),
            },
            Rule {
                subject: "order",
                wrong: "its sums are not those of its lines (I12)",
                sql: concat!(
                    "SELECT o.id, o.order_number || ': subtotal ' || ", text!("o.subtotal"), " || ' of lines ' || ",
                    text!("COALESCE(l.total, 0)"), " || ', discount ' || ", text!("o.discount"), " || ' of shares ' || ",
                    text!("COALESCE(l.discount, 0)"), " || ', tax ' || ", text!("o.tax"), " || ' of shares ' || ",
                    text!("COALESCE(l.tax, 0)"),
                    " FROM orders o LEFT JOIN (SELECT order_id, SUM(line_total) AS total, SUM(discount_share) AS discount, \
                     SUM(tax_share) AS tax FROM order_lines WHERE site_id = $1 GROUP BY order_id) l ON l.order_id = o.id \
                     WHERE o.site_id = $1 AND (o.subtotal <> COALESCE(l.total, 0) OR o.discount <> COALESCE(l.discount, 0) \
                     OR o.tax < COALESCE(l.tax, 0) OR (o.delivery_charge = 0 AND o.tax <> COALESCE(l.tax, 0))) \
                     ORDER BY o.id LIMIT 1"
                ),
            },
            Rule {
                subject: "order",
                wrong: "its total is not the sum of its parts (I12)",
                sql: concat!(
                    "SELECT id, order_number || ': total ' || ", text!("total"), " || ', due ' || ", text!("due"),
                    " FROM orders WHERE site_id = $1 AND (total < 0 OR due < 0 OR due > total OR total <> subtotal - discount \
                     + CASE WHEN tax_inclusive THEN 0 ELSE tax END + delivery_charge) ORDER BY id LIMIT 1"
                ),
            },
        ],
    },
    Group {
        name: "history",
        count: "SELECT COUNT(*) FROM order_history WHERE site_id = $1",
        rules: &[
            Rule {
                subject: "order",
                wrong: "its history has not one row for each version (I7)",
                sql: concat!(
                    "SELECT o.id, o.order_number || ': version ' || ", text!("o.version"), " || ', rows ' || ",
                    text!("COALESCE(h.rows_found, 0)"), " || ' up to ' || ", text!("h.last"),
                    " FROM orders o LEFT JOIN (SELECT order_id, COUNT(*) AS rows_found, MIN(version) AS first, \
                     MAX(version) AS last FROM order_history WHERE site_id = $1 GROUP BY order_id) h ON h.order_id = o.id \
                     WHERE o.site_id = $1 AND (COALESCE(h.rows_found, 0) <> o.version OR h.first <> 1 OR h.last <> o.version) \
                     ORDER BY o.id LIMIT 1"
                ),
            },
            Rule {
                subject: "order",
                wrong: "a row of its history does not begin where the one before ended (I7)",
                sql: concat!(
                    "SELECT c.order_id, 'version ' || ", text!("c.version"), " || ': from ' || COALESCE(c.from_status, '-') \
                     || ' after ' || COALESCE(c.before_status, '-')",
                    " FROM (SELECT order_id, version, from_status, \
                     LAG(to_status) OVER (PARTITION BY order_id ORDER BY version) AS before_status \
                     FROM order_history WHERE site_id = $1) c \
                     WHERE COALESCE(c.from_status, '') <> COALESCE(c.before_status, '') ORDER BY c.order_id, c.version LIMIT 1"
                ),
            },
            Rule {
                subject: "order",
                wrong: "its status is not the last of its history (I7)",
                sql: "SELECT o.id, o.order_number || ': ' || o.status || ', history ' || h.to_status FROM orders o \
                     JOIN order_history h ON h.site_id = o.site_id AND h.order_id = o.id AND h.version = o.version \
                     WHERE o.site_id = $1 AND h.to_status <> o.status ORDER BY o.id LIMIT 1",
            },
            Rule {
                subject: "order",
                wrong: "it left a state that ends an order (I8)",
                sql: "SELECT order_id, from_status || ' to ' || to_status FROM order_history WHERE site_id = $1 \
                     AND from_status IN ('completed', 'cancelled', 'rejected', 'expired') AND to_status <> from_status \
                     ORDER BY order_id LIMIT 1",
            },
        ],
    },
    Group {
        name: "paid orders",
        count: "SELECT COUNT(*) FROM orders WHERE site_id = $1",
        rules: &[Rule {
            subject: "order",
            wrong: "the kitchen sees or finished it, and it is not paid (I11)",
            sql: "SELECT id, order_number || ': ' || status || ', ' || method FROM orders WHERE site_id = $1 AND NOT paid \
                 AND (status = 'completed' \
                 OR (method <> 'cash' AND status IN ('received', 'confirmed', 'preparing', 'ready', 'out_for_delivery'))) \
                 ORDER BY id LIMIT 1",
        }],
    },
    Group {
        name: "order numbers",
        count: "SELECT COUNT(*) FROM number_counters WHERE site_id = $1",
        rules: &[
            Rule {
                subject: "order",
                wrong: "its number is given twice (I14)",
                sql: "SELECT o.id, o.order_number FROM orders o JOIN orders p ON p.site_id = o.site_id \
                     AND p.business_date = o.business_date AND p.training = o.training AND p.sequence = o.sequence AND p.id <> o.id \
                     WHERE o.site_id = $1 ORDER BY o.id LIMIT 1",
            },
            Rule {
                subject: "business day",
                wrong: "its order numbers are not dense (I14)",
                sql: concat!(
                    "SELECT CAST(NULL AS UUID), c.business_date || ': ' || ",
                    text!("COALESCE(o.orders_found, 0) + COALESCE(a.orders, 0)"),
                    " || ' orders up to ' || ", text!("o.last"), " || ', counter ' || ", text!("c.last_sequence"),
                    " FROM number_counters c LEFT JOIN (SELECT business_date, training, COUNT(*) AS orders_found, \
                     MAX(sequence) AS last FROM orders WHERE site_id = $1 GROUP BY business_date, training) o \
                     ON o.business_date = c.business_date AND o.training = c.training \
                     LEFT JOIN archived_days a ON a.site_id = $1 AND a.business_date = c.business_date AND a.training = c.training \
                     WHERE c.site_id = $1 AND (COALESCE(o.orders_found, 0) + COALESCE(a.orders, 0) <> c.last_sequence \
                     OR o.last > c.last_sequence OR (a.orders IS NULL AND o.last <> c.last_sequence)) \
                     ORDER BY c.business_date LIMIT 1"
                ),
            },
            Rule {
                subject: "order",
                wrong: "its business day has no counter (I14)",
                sql: "SELECT o.id, o.order_number FROM orders o LEFT JOIN number_counters c ON c.site_id = o.site_id \
                     AND c.business_date = o.business_date AND c.training = o.training \
                     WHERE o.site_id = $1 AND c.business_date IS NULL ORDER BY o.id LIMIT 1",
            },
        ],
    },
    Group {
        name: "slots",
        count: "SELECT COUNT(*) FROM slot_counters WHERE site_id = $1",
        rules: &[
            Rule {
                subject: "slot",
                wrong: "its count is not that of its orders (I15)",
                sql: concat!(
                    "SELECT CAST(NULL AS UUID), s.business_date || ' ' || s.slot_name || ': claimed ' || ", text!("s.claimed"),
                    " || ', orders ' || ", text!("COALESCE(o.orders_found, 0) + COALESCE(a.claimed, 0)"),
                    " FROM slot_counters s LEFT JOIN (SELECT business_date, slot_name, COUNT(*) AS orders_found FROM orders \
                     WHERE site_id = $1 AND slot_claimed AND status NOT IN ('cancelled', 'expired', 'rejected') \
                     GROUP BY business_date, slot_name) o ON o.business_date = s.business_date AND o.slot_name = s.slot_name \
                     LEFT JOIN archived_slots a ON a.site_id = $1 AND a.business_date = s.business_date AND a.slot_name = s.slot_name \
                     WHERE s.site_id = $1 AND s.claimed <> COALESCE(o.orders_found, 0) + COALESCE(a.claimed, 0) \
                     ORDER BY s.business_date, s.slot_name LIMIT 1"
                ),
            },
            Rule {
                subject: "order",
                wrong: "it claims a slot that nobody counts (I15)",
                sql: "SELECT o.id, o.order_number || ': ' || o.slot_name FROM orders o LEFT JOIN slot_counters s \
                     ON s.site_id = o.site_id AND s.business_date = o.business_date AND s.slot_name = o.slot_name \
                     WHERE o.site_id = $1 AND o.slot_claimed AND s.slot_name IS NULL \
                     AND o.status NOT IN ('cancelled', 'expired', 'rejected') ORDER BY o.id LIMIT 1",
            },
        ],
    },
    Group {
        name: "promotions",
        count: "SELECT COUNT(*) FROM promotion_uses WHERE site_id = $1",
        rules: &[Rule {
            subject: "promotion",
            wrong: "its uses are not those of its orders, or above its limit (I16)",
            sql: concat!(
                "SELECT p.id, p.code || ': uses ' || ", text!("p.uses"), " || ', orders ' || ", text!("COALESCE(u.uses, 0) + COALESCE(a.uses, 0)"),
                " FROM promotions p LEFT JOIN (SELECT promotion_id, COUNT(*) AS uses FROM promotion_uses \
                 WHERE site_id = $1 AND state IN ('held', 'used') GROUP BY promotion_id) u ON u.promotion_id = p.id \
                 LEFT JOIN archived_promotions a ON a.site_id = $1 AND a.promotion_id = p.id \
                 WHERE p.site_id = $1 AND (p.uses <> COALESCE(u.uses, 0) + COALESCE(a.uses, 0) OR p.uses > p.use_limit) \
                 ORDER BY p.id LIMIT 1"
            ),
        }],
    },
    Group {
        name: "outbox",
        count: "SELECT COUNT(*) FROM outbox WHERE site_id = $1",
        rules: &[
            Rule {
                subject: "order",
                wrong: "its events are not numbered without gaps up to its last one (I18)",
                sql: concat!(
                    "SELECT o.id, o.order_number || ': events ' || ", text!("o.event_sequence"), " || ', rows ' || ",
                    text!("COALESCE(b.rows_found, 0)"), " || ' up to ' || ", text!("b.last"),
                    " FROM orders o LEFT JOIN (SELECT order_id, COUNT(*) AS rows_found, MIN(order_sequence) AS first, \
                     MAX(order_sequence) AS last FROM outbox WHERE site_id = $1 AND order_id IS NOT NULL GROUP BY order_id) b \
                     ON b.order_id = o.id WHERE o.site_id = $1 AND CASE WHEN b.rows_found IS NULL \
                     THEN o.event_sequence <> 0 ELSE b.last <> o.event_sequence OR b.rows_found <> b.last - b.first + 1 \
                     OR b.first <> 1 END ORDER BY o.id LIMIT 1"
                ),
            },
            Rule {
                subject: "order",
                wrong: "an event was delivered before an earlier one (I18)",
                sql: concat!(
                    "SELECT l.order_id, l.event || ' (' || ", text!("l.order_sequence"), " || ') before ' || e.event",
                    " FROM outbox l JOIN outbox e ON e.site_id = l.site_id AND e.order_id = l.order_id \
                     AND e.order_sequence < l.order_sequence WHERE l.site_id = $1 AND l.sent_at IS NOT NULL \
                     AND e.sent_at IS NULL AND e.parked_at IS NULL ORDER BY l.order_id, l.order_sequence LIMIT 1"
                ),
            },
        ],
    },
    Group {
        name: "tickets",
        count: "SELECT COUNT(*) FROM ticket_items WHERE site_id = $1",
        rules: &[
            Rule {
                subject: "order line",
                wrong: "the kitchen's tickets do not add up to it (I21)",
                sql: concat!(
                    "SELECT l.id, o.order_number || ' ' || l.item_name || ': sold ' || ", text!("l.quantity"), " || ', on tickets ' || ",
                    text!("COALESCE(t.quantity, 0)"),
                    " FROM orders o JOIN order_lines l ON l.site_id = o.site_id AND l.order_id = o.id \
                     LEFT JOIN (SELECT order_id, line_id, SUM(quantity) AS quantity FROM ticket_items WHERE site_id = $1 \
                     GROUP BY order_id, line_id) t ON t.order_id = l.order_id AND t.line_id = l.id \
                     WHERE o.site_id = $1 AND o.received_at IS NOT NULL AND l.station_id IS NOT NULL \
                     AND l.quantity <> COALESCE(t.quantity, 0) ORDER BY l.order_id, l.id LIMIT 1"
                ),
            },
            Rule {
                subject: "order line",
                wrong: "it stands on a ticket of another station (I21)",
                sql: "SELECT l.id, l.item_name FROM ticket_items t JOIN order_lines l ON l.site_id = t.site_id \
                     AND l.order_id = t.order_id AND l.id = t.line_id WHERE t.site_id = $1 AND l.station_id IS NOT NULL \
                     AND t.station_id <> l.station_id ORDER BY l.order_id, l.id LIMIT 1",
            },
        ],
    },
    Group {
        name: "till",
        count: "SELECT (SELECT COUNT(*) FROM till_shifts WHERE site_id = $1) \
             + (SELECT COUNT(*) FROM drawer_movements WHERE site_id = $1)",
        rules: &[
            Rule {
                subject: "till shift",
                wrong: "a movement of its drawer does not follow from the one before (I22)",
                sql: concat!(
                    "SELECT s.id, 'movement ' || ", text!("c.seq"), " || ' of ' || ", text!("c.amount"), " || ' leaves ' || ",
                    text!("c.balance_after"), " || ' after ' || ", text!("COALESCE(c.before_balance, s.opening_float + COALESCE(a.amount, 0))"),
                    " FROM (SELECT m.shift_id, m.seq, m.amount, m.balance_after, \
                     LAG(m.seq) OVER (PARTITION BY m.shift_id ORDER BY m.seq) AS before_seq, \
                     LAG(m.balance_after) OVER (PARTITION BY m.shift_id ORDER BY m.seq) AS before_balance \
                     FROM drawer_movements m WHERE m.site_id = $1) c \
                     JOIN till_shifts s ON s.site_id = $1 AND s.id = c.shift_id \
                     LEFT JOIN (SELECT shift_id, SUM(movements) AS movements, SUM(amount) AS amount FROM archived_drawers \
                     WHERE site_id = $1 GROUP BY shift_id) a ON a.shift_id = s.id \
                     WHERE CASE WHEN c.before_seq IS NOT NULL \
                     THEN c.seq <> c.before_seq + 1 OR c.balance_after <> c.before_balance + c.amount \
                     ELSE c.seq <> COALESCE(a.movements, 0) + 1 \
                     OR c.balance_after <> s.opening_float + COALESCE(a.amount, 0) + c.amount END ORDER BY s.id, c.seq LIMIT 1"
                ),
            },
            Rule {
                subject: "till shift",
                wrong: "its balance is not the float and what moved (I22)",
                sql: concat!(
                    "SELECT s.id, 'balance ' || ", text!("s.balance"), " || ' at movement ' || ", text!("s.last_movement"),
                    " || ', drawer ' || ", text!("COALESCE(m.balance_after, s.opening_float + COALESCE(a.amount, 0))"), " || ' at ' || ",
                    text!("COALESCE(m.seq, a.movements, 0)"),
                    " FROM till_shifts s LEFT JOIN (SELECT shift_id, MAX(seq) AS seq FROM drawer_movements WHERE site_id = $1 \
                     GROUP BY shift_id) l ON l.shift_id = s.id \
                     LEFT JOIN drawer_movements m ON m.site_id = $1 AND m.shift_id = s.id AND m.seq = l.seq \
                     LEFT JOIN (SELECT shift_id, SUM(movements) AS movements, SUM(amount) AS amount FROM archived_drawers \
                     WHERE site_id = $1 GROUP BY shift_id) a ON a.shift_id = s.id \
                     WHERE s.site_id = $1 AND CASE WHEN m.seq IS NOT NULL \
                     THEN s.last_movement <> m.seq OR s.balance <> m.balance_after \
                     ELSE s.last_movement <> COALESCE(a.movements, 0) \
                     OR s.balance <> s.opening_float + COALESCE(a.amount, 0) END ORDER BY s.id LIMIT 1"
                ),
            },
            Rule {
                subject: "till shift",
                wrong: "it was closed with other figures than its drawer's (I22)",
                sql: concat!(
                    "SELECT id, 'expected ' || ", text!("expected"), " || ', balance ' || ", text!("balance"),
                    " FROM till_shifts WHERE site_id = $1 AND closed_at IS NOT NULL \
                     AND (expected <> balance OR over_short <> counted - expected) ORDER BY id LIMIT 1"
                ),
            },
            Rule {
                subject: "order",
                wrong: "its cash is not in a drawer (I22)",
                sql: concat!(
                    "SELECT p.order_id, 'captured ' || ", text!("p.amount"), " || ', drawer ' || ", text!("COALESCE(m.amount, 0)"),
                    " FROM payment_attempts p LEFT JOIN (SELECT order_id, SUM(amount) AS amount FROM drawer_movements \
                     WHERE site_id = $1 AND kind = 'sale' GROUP BY order_id) m ON m.order_id = p.order_id \
                     WHERE p.site_id = $1 AND p.method = 'cash' AND p.status = 'captured' AND NOT p.stray \
                     AND p.amount <> COALESCE(m.amount, 0) ORDER BY p.order_id LIMIT 1"
                ),
            },
        ],
    },
    Group {
        name: "deliveries",
        count: "SELECT COUNT(*) FROM delivery_assignments WHERE site_id = $1",
        rules: &[
            Rule {
                subject: "order",
                wrong: "it has more than one active courier (I20)",
                sql: concat!(
                    "SELECT order_id, ", text!("COUNT(*)"), " || ' assignments' FROM delivery_assignments WHERE site_id = $1 \
                     AND status IN ('assigned', 'picked_up') GROUP BY order_id HAVING COUNT(*) > 1 ORDER BY order_id LIMIT 1"
                ),
            },
            Rule {
                subject: "order",
                wrong: "it is out for delivery, and nobody picked it up (I20)",
                sql: "SELECT o.id, o.order_number FROM orders o LEFT JOIN delivery_assignments d ON d.site_id = o.site_id \
                     AND d.order_id = o.id AND d.status = 'picked_up' \
                     WHERE o.site_id = $1 AND o.status = 'out_for_delivery' AND d.id IS NULL ORDER BY o.id LIMIT 1",
            },
        ],
    },
];
