//! The bare-SQL limit: the rows of one order, placed and paid by card, written by hand in the same two
//! commits as the service writes them, one statement a table. No rule is judged, nothing is read that
//! a statement does not return, and no answer is made: what remains is the database's own work.
//!
//! The rows are those of a model order that the service wrote ([`Bare::learn`]), under new ids, a new
//! number and new instants. Shared by the bench and by `tests/bare_sql.rs`, which holds that both
//! write the same number of rows into every table.

use servery::domain::ids::{CartId, Ids, OrderId};
use servery::domain::time::{Clock, Timestamp};
use servery::service::{SystemClock, TimeOrderedIds};
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use uuid::Uuid;

const SITE: &str = "main";

// Commit 1: place.
const RESERVE: &str = "UPDATE stock_items SET reserved = reserved + (SELECT r.taken FROM reservations r \
     WHERE r.site_id = $1 AND r.order_id = $2 AND r.stock_item_id = stock_items.id AND r.round = 1), updated_at = $3 \
     WHERE site_id = $1 AND tracked AND id IN (SELECT stock_item_id FROM reservations WHERE site_id = $1 AND order_id = $2)";
const CLAIM_SLOT: &str = "INSERT INTO slot_counters (site_id, business_date, slot_name, claimed) VALUES ($1, $2, $3, 1) \
     ON CONFLICT (site_id, business_date, slot_name) DO UPDATE SET claimed = slot_counters.claimed + 1";
const NEXT_NUMBER: &str = "INSERT INTO number_counters (site_id, business_date, training, last_sequence) \
     VALUES ($1, $2, FALSE, 1) ON CONFLICT (site_id, business_date, training) \
     DO UPDATE SET last_sequence = number_counters.last_sequence + 1 RETURNING last_sequence";
const ORDER: &str = "INSERT INTO orders (site_id, id, order_number, business_date, sequence, pickup_number, status, \
     version, event_sequence, fulfilment, method, customer_id, cart_id, called_name, currency, subtotal, discount, tax, \
     tax_inclusive, delivery_charge, total, due, price_trace, slot_name, slot_claimed, expires_at, created_at, updated_at) \
     SELECT site_id, $3, $4, business_date, $5, $6, 'pending', 1, 1, fulfilment, method, customer_id, $7, called_name, \
     currency, subtotal, discount, tax, tax_inclusive, delivery_charge, total, due, price_trace, slot_name, slot_claimed, \
     $8 + 600000000, $8, $8 FROM orders WHERE site_id = $1 AND id = $2";
const LINES: &str = "INSERT INTO order_lines (site_id, order_id, id, position, item_id, item_code, item_name, \
     category_name, base_price, unit_price, options, quantity, line_total, discount_share, tax_share, total_share, \
     tax_class_name, tax_rate_ppm, consumption, station_id, prep_minutes, diet, allergens, note) \
     SELECT site_id, $3, CASE position WHEN 1 THEN $4 WHEN 2 THEN $5 ELSE $6 END, position, item_id, item_code, item_name, \
     category_name, base_price, unit_price, options, quantity, line_total, discount_share, tax_share, total_share, \
     tax_class_name, tax_rate_ppm, consumption, station_id, prep_minutes, diet, allergens, note \
     FROM order_lines WHERE site_id = $1 AND order_id = $2";
const HOLD: &str = "INSERT INTO reservations (site_id, order_id, stock_item_id, round, taken, quantity, state, held_at) \
     SELECT site_id, $3, stock_item_id, 1, taken, taken, 'held', $4 FROM reservations WHERE site_id = $1 AND order_id = $2";
const ATTEMPT: &str = "INSERT INTO payment_attempts (site_id, order_id, id, method, amount, currency, status, \
     idempotency_key, actor_role, actor_id, created_at, updated_at, next_check_at) \
     SELECT site_id, $3, $4, method, amount, currency, 'created', $5, 'customer', actor_id, $6, $6, $6 + 15000000 \
     FROM payment_attempts WHERE site_id = $1 AND order_id = $2";
const HISTORY: &str = "INSERT INTO order_history (site_id, order_id, version, from_status, to_status, transition, \
     actor_role, actor_id, at) SELECT site_id, $3, version, from_status, to_status, transition, actor_role, actor_id, $4 \
     FROM order_history WHERE site_id = $1 AND order_id = $2 AND version BETWEEN $5 AND $6";
const CART: &str = "UPDATE carts SET state = $3, order_id = $4, version = version + 1, updated_at = $5 \
     WHERE site_id = $1 AND id = $2";
const AUDIT: &str = "INSERT INTO audit_log (site_id, at, use_case, action, entity, entity_id, details, before_value, \
     after_value, actor_role, actor_id, actor_name) SELECT site_id, $4, use_case, action, entity, \
     CASE entity WHEN 'Order' THEN $3 ELSE entity_id END, details, before_value, after_value, actor_role, actor_id, actor_name \
     FROM audit_log WHERE site_id = $1 AND seq BETWEEN $5 AND $6 AND use_case = $2";
const OUTBOX: &str = "INSERT INTO outbox (site_id, order_id, order_sequence, event, payload, priority, created_at) \
     SELECT site_id, $3, order_sequence, event, payload, priority, $4 FROM outbox \
     WHERE site_id = $1 AND order_id = $2 AND order_sequence BETWEEN $5 AND $6";
const KEY: &str = "INSERT INTO idempotency_keys (site_id, key, use_case, request_hash, outcome, created_at) \
     SELECT site_id, $3, use_case, request_hash, outcome, $4 FROM idempotency_keys WHERE site_id = $1 AND key = $2";

// Commit 2: paid, and accepted by the house.
const PAID: &str = "UPDATE orders SET status = 'confirmed', version = 3, event_sequence = $3, paid = TRUE, paid_at = $4, \
     updated_at = $4, received_at = $4, confirmed_at = $4, estimated_ready_at = $4 + 600000000 \
     WHERE site_id = $1 AND id = $2 AND status = 'pending' AND version = 1";
const TAKE: &str = "UPDATE stock_items SET on_hand = on_hand - (SELECT r.quantity FROM reservations r \
     WHERE r.site_id = $1 AND r.order_id = $2 AND r.stock_item_id = stock_items.id AND r.round = 1), \
     reserved = reserved - (SELECT r.quantity FROM reservations r \
     WHERE r.site_id = $1 AND r.order_id = $2 AND r.stock_item_id = stock_items.id AND r.round = 1), \
     last_movement = last_movement + 1, updated_at = $3 \
     WHERE site_id = $1 AND id IN (SELECT stock_item_id FROM reservations WHERE site_id = $1 AND order_id = $2)";
const LEDGER: &str = "INSERT INTO stock_movements (site_id, stock_item_id, seq, kind, quantity, on_hand_after, \
     reserved_after, order_id, actor_role, at) SELECT r.site_id, r.stock_item_id, s.last_movement, 'commit', -r.quantity, \
     s.on_hand, s.reserved, $2, 'gateway', $3 FROM reservations r \
     JOIN stock_items s ON s.site_id = r.site_id AND s.id = r.stock_item_id WHERE r.site_id = $1 AND r.order_id = $2";
const COMMITTED: &str = "UPDATE reservations SET state = 'committed', ended_at = $3 WHERE site_id = $1 AND order_id = $2 AND state = 'held'";
const CAPTURED: &str = "UPDATE payment_attempts SET status = 'captured', gateway = 'stripe-dummy', gateway_order_id = $3, \
     gateway_payment_id = $4, brand = 'visa', last_four = '4242', updated_at = $5, captured_at = $5, ended_at = $5, \
     next_check_at = NULL WHERE site_id = $1 AND order_id = $2 AND status = 'created'";
const TICKETS: &str = "INSERT INTO tickets (site_id, order_id, station_id, shown_at) \
     SELECT site_id, $3, station_id, $4 FROM tickets WHERE site_id = $1 AND order_id = $2";
const TICKET_ITEMS: &str = "INSERT INTO ticket_items (site_id, order_id, station_id, line_id, quantity) \
     SELECT site_id, order_id, station_id, id, quantity FROM order_lines WHERE site_id = $1 AND order_id = $2";

/// What a model order needs besides its rows.
#[derive(Debug, Clone)]
struct Model {
    order: Uuid,
    key: String,
    date: String,
    slot: String,
    audit: (i64, i64),
    placed_events: i64,
    events: i64,
}

/// The database, by hand.
pub enum Bare {
    /// A file, with the product's settings.
    Sqlite(SqliteConnection, BareState),
    /// A server.
    Postgres(PgConnection, BareState),
}

/// What both need.
pub struct BareState {
    model: Model,
    ids: TimeOrderedIds,
    /// Statements so far, the words of control included.
    pub statements: u64,
}

/// One text on whichever connection it is.
macro_rules! run {
    ($bare:expr, $sql:expr $(, $bind:expr)* $(,)?) => {{
        match $bare {
            Bare::Sqlite(connection, state) => {
                state.statements += 1;
                sqlx::query($sql)$(.bind($bind))*.execute(connection).await.expect($sql).rows_affected()
            }
            Bare::Postgres(connection, state) => {
                state.statements += 1;
                sqlx::query($sql)$(.bind($bind))*.execute(connection).await.expect($sql).rows_affected()
            }
        }
    }};
}

macro_rules! number {
    ($connection:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        sqlx::query_scalar($sql)$(.bind($bind))*.fetch_one($connection).await.expect($sql)
    };
}

macro_rules! learn {
    ($connection:expr, $order:expr, $key:expr) => {{
        let connection = $connection;
        let (order, key): (OrderId, &str) = ($order, $key);
        let text = order.to_string();
        let date: String =
            number!(&mut *connection, "SELECT business_date FROM orders WHERE site_id = $1 AND id = $2", SITE, order.0);
        let slot: String =
            number!(&mut *connection, "SELECT slot_name FROM orders WHERE site_id = $1 AND id = $2", SITE, order.0);
        let first: i64 = number!(
            &mut *connection,
            "SELECT MIN(seq) FROM audit_log WHERE site_id = $1 AND entity = 'Order' AND entity_id = $2",
            SITE,
            &text
        );
        let last: i64 = number!(&mut *connection, "SELECT MAX(seq) FROM audit_log WHERE site_id = $1", SITE);
        let events: i64 = number!(
            &mut *connection,
            "SELECT MAX(order_sequence) FROM outbox WHERE site_id = $1 AND order_id = $2",
            SITE,
            order.0
        );
        let placed_events: i64 = number!(
            &mut *connection,
            "SELECT COUNT(*) FROM outbox o WHERE o.site_id = $1 AND o.order_id = $2 AND o.created_at = \
             (SELECT created_at FROM orders WHERE site_id = $1 AND id = $2)",
            SITE,
            order.0
        );
        Model { order: order.0, key: key.to_owned(), date, slot, audit: (first, last), placed_events, events }
    }};
}

impl Bare {
    /// Takes a connection and learns from a model order, placed under `key` and paid, whose audit rows
    /// are the newest.
    pub async fn learn(url: &str, order: OrderId, key: &str) -> Self {
        let state = |model| BareState { model, ids: TimeOrderedIds::from_machine(), statements: 0 };
        match url.strip_prefix("sqlite:") {
            Some(path) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new()
                    .filename(path)
                    .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
                    .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
                    .foreign_keys(true)
                    .statement_cache_capacity(256);
                let mut connection = SqliteConnection::connect_with(&options).await.expect("the file");
                let model = learn!(&mut connection, order, key);
                Self::Sqlite(connection, state(model))
            }
            None => {
                let mut connection = PgConnection::connect(url).await.expect("the server");
                let model = learn!(&mut connection, order, key);
                Self::Postgres(connection, state(model))
            }
        }
    }

    fn state(&mut self) -> &mut BareState {
        match self {
            Self::Sqlite(_, state) | Self::Postgres(_, state) => state,
        }
    }

    /// Statements so far.
    pub fn statements(&mut self) -> u64 {
        self.state().statements
    }

    async fn words(&mut self, sqlite: &'static str, postgres: &'static str) {
        self.state().statements += 1;
        match self {
            Self::Sqlite(connection, _) => connection.execute(sqlx::raw_sql(sqlite)).await.map(|_| ()),
            Self::Postgres(connection, _) => connection.execute(sqlx::raw_sql(postgres)).await.map(|_| ()),
        }
        .expect("words of control");
    }

    fn new_id(&mut self) -> Uuid {
        self.state().ids.next(SystemClock.now())
    }

    /// Places a cart and has it paid, in two commits.
    pub async fn place_pay(&mut self, cart: CartId) {
        let Model { order: model, key, date, slot, audit, placed_events, events } = self.state().model.clone();
        let Timestamp(now) = SystemClock.now();
        let (order, attempt) = (self.new_id(), self.new_id());
        let lines = [self.new_id(), self.new_id(), self.new_id()];

        self.words("BEGIN IMMEDIATE", "BEGIN").await;
        assert!(run!(self, RESERVE, SITE, model, now) > 0);
        run!(self, CLAIM_SLOT, SITE, &date, &slot);
        let sequence: i64 = match self {
            Self::Sqlite(connection, state) => {
                state.statements += 1;
                number!(connection, NEXT_NUMBER, SITE, &date)
            }
            Self::Postgres(connection, state) => {
                state.statements += 1;
                number!(connection, NEXT_NUMBER, SITE, &date)
            }
        };
        let number = format!("ORD-{}-{sequence:03}", date.replace('-', ""));
        let pickup = format!("{:03}", sequence % 1_000);
        run!(self, ORDER, SITE, model, order, number, sequence, pickup, cart.0, now);
        assert_eq!(run!(self, LINES, SITE, model, order, lines[0], lines[1], lines[2]), 3);
        run!(self, HOLD, SITE, model, order, now);
        run!(self, ATTEMPT, SITE, model, order, attempt, format!("pay-{attempt}"), now);
        run!(self, HISTORY, SITE, model, order, now, 1_i64, 1_i64);
        run!(self, CART, SITE, cart.0, "locked", order, now);
        run!(self, AUDIT, SITE, "place_order", order.to_string(), now, audit.0, audit.1);
        run!(self, OUTBOX, SITE, model, order, now, 1_i64, placed_events);
        run!(self, KEY, SITE, key, order.to_string(), now);
        self.words("COMMIT", "COMMIT").await;

        self.words("BEGIN IMMEDIATE", "BEGIN").await;
        assert_eq!(run!(self, PAID, SITE, order, events, now), 1);
        run!(self, TAKE, SITE, order, now);
        run!(self, LEDGER, SITE, order, now);
        run!(self, COMMITTED, SITE, order, now);
        assert_eq!(run!(self, CAPTURED, SITE, order, format!("gw_{attempt}"), format!("pay_{attempt}"), now), 1);
        run!(self, CART, SITE, cart.0, "consumed", order, now);
        run!(self, TICKETS, SITE, model, order, now);
        assert_eq!(run!(self, TICKET_ITEMS, SITE, order), 3);
        run!(self, HISTORY, SITE, model, order, now, 2_i64, 3_i64);
        run!(self, AUDIT, SITE, "apply_charge", order.to_string(), now, audit.0, audit.1);
        run!(self, OUTBOX, SITE, model, order, now, placed_events + 1, events);
        self.words("COMMIT", "COMMIT").await;
    }
}
