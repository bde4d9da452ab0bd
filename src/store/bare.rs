//! The bare-SQL limit: the rows of one order, placed and paid by card, written by hand in the same two
//! commits and with the same durability as the service writes them, one statement a table. No rule is judged,
//! nothing is read that a statement does not return, and no answer is made: what remains is the database's
//! own work. For `servery bench` and for the tests that hold that both write the same rows; never for real
//! orders, which go through the door.
//!
//! The rows are those of a model order that the service wrote ([`learn`]), under new ids, a new number and
//! new instants. One connection writes them, without pool, deadline or task.

use super::lock::{LockGuard, WriterLock};
use super::pool::postgres_options;
use super::statements::note;
use super::{Store, StoreError, StoreUrl, Tx, people};
use crate::domain::ids::{CartId, CustomerId, Ids, OrderId};
use crate::domain::time::{Clock, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, PgConnection, SqliteConnection};
use std::time::Duration;
use uuid::Uuid;

/// How long the lock between processes is waited for.
const LOCKED: Duration = Duration::from_secs(30);
/// How often a commit is tried again that another stood in the way of.
const TRIES: u32 = 8;

/// Whether a Postgres server keeps its promises over a power cut.
const POSTGRES_FSYNC: &str = "SELECT current_setting('fsync')";

// What is learnt, and copied before the clock runs.
const DATE: &str = "SELECT business_date, COALESCE(slot_name, '') FROM orders WHERE site_id = $1 AND id = $2";
const AUDITED: &str = "SELECT MIN(seq), (SELECT MAX(l.seq) FROM audit_log l WHERE l.site_id = $1) FROM audit_log \
     WHERE site_id = $1 AND entity = 'Order' AND entity_id = $2";
const EVENTS: &str = "SELECT MAX(o.order_sequence), (SELECT COUNT(*) FROM outbox p WHERE p.site_id = $1 AND p.order_id = $2 \
     AND p.created_at = (SELECT created_at FROM orders WHERE site_id = $1 AND id = $2)) \
     FROM outbox o WHERE o.site_id = $1 AND o.order_id = $2";
const COPY_CART: &str = "INSERT INTO carts (site_id, id, customer_id, state, fulfilment, note, version, created_at, \
     updated_at, expires_at) SELECT site_id, $3, $4, 'open', fulfilment, note, version, $5, $5, \
     $5 + (expires_at - updated_at) FROM carts WHERE site_id = $1 AND id = $2";
const COPY_LINES: &str = "INSERT INTO cart_lines (site_id, cart_id, id, position, item_id, options, quantity, \
     unit_price_seen, name_seen, note) SELECT site_id, $3, id, position, item_id, options, quantity, \
     unit_price_seen, name_seen, note FROM cart_lines WHERE site_id = $1 AND cart_id = $2";

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
     CAST($8 AS BIGINT) + 600000000, $8, $8 FROM orders WHERE site_id = $1 AND id = $2";
const LINES: &str = "INSERT INTO order_lines (site_id, order_id, id, position, item_id, item_code, item_name, \
     category_name, base_price, unit_price, options, quantity, line_total, discount_share, tax_share, total_share, \
     tax_class_name, tax_rate_ppm, consumption, station_id, prep_minutes, diet, allergens, note) \
     SELECT site_id, $3, CASE position WHEN 1 THEN $4 WHEN 2 THEN $5 WHEN 3 THEN $6 ELSE id END, position, item_id, item_code, item_name, \
     category_name, base_price, unit_price, options, quantity, line_total, discount_share, tax_share, total_share, \
     tax_class_name, tax_rate_ppm, consumption, station_id, prep_minutes, diet, allergens, note \
     FROM order_lines WHERE site_id = $1 AND order_id = $2";
const HOLD: &str = "INSERT INTO reservations (site_id, order_id, stock_item_id, round, taken, quantity, state, held_at) \
     SELECT site_id, $3, stock_item_id, 1, taken, taken, 'held', $4 FROM reservations WHERE site_id = $1 AND order_id = $2";
const ATTEMPT: &str = "INSERT INTO payment_attempts (site_id, order_id, id, method, amount, currency, status, \
     idempotency_key, actor_role, actor_id, created_at, updated_at, next_check_at) \
     SELECT site_id, $3, $4, method, amount, currency, 'created', $5, 'customer', actor_id, $6, $6, CAST($6 AS BIGINT) + 15000000 \
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
     updated_at = $4, received_at = $4, confirmed_at = $4, estimated_ready_at = CAST($4 AS BIGINT) + 600000000 \
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    site: String,
    order: Uuid,
    key: String,
    date: String,
    slot: String,
    audit: (i64, i64),
    placed_events: i64,
    events: i64,
}

impl Model {
    /// The site of the order.
    #[must_use]
    pub fn site(&self) -> &str {
        &self.site
    }
}

/// How a commit waits for the disk, for the service and by hand alike, in the database's own words: `synchronous=2`
/// (FULL) on SQLite, `synchronous_commit=on fsync=on` on Postgres.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn durability(store: &Store) -> Result<String, StoreError> {
    let (setting, _) = store.durability().await?;
    let mut tx = store.read().await?;
    let words = if tx.is_postgres() {
        let (fsync,): (String,) = fetch_one!(&mut tx, (String,), POSTGRES_FSYNC)?;
        format!("synchronous_commit={setting} fsync={fsync}")
    } else {
        format!("synchronous={setting}")
    };
    tx.rollback().await?;
    Ok(words)
}

/// Learns from a model order of three dishes that was placed under `key` and paid, and whose audit rows are the
/// newest of the site.
///
/// # Errors
/// Any [`StoreError`] of the statements; [`StoreError::Fault`] for an order that is not there.
pub async fn learn(tx: &mut Tx, site: &str, order: OrderId, key: &str) -> Result<Model, StoreError> {
    let (date, slot): (String, String) = fetch_one!(&mut *tx, (String, String), DATE, site, order.0)?;
    let audit: (i64, i64) = fetch_one!(&mut *tx, (i64, i64), AUDITED, site, order.to_string())?;
    let (events, placed_events): (i64, i64) = fetch_one!(&mut *tx, (i64, i64), EVENTS, site, order.0)?;
    let (site, key) = (site.to_owned(), key.to_owned());
    Ok(Model { site, order: order.0, key, date, slot, audit, placed_events, events })
}

/// Makes copies of an open cart, each for a new guest: what a bench needs before its clock runs.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn copy_cart(
    tx: &mut Tx,
    site: &str,
    cart: CartId,
    guests: &[(CustomerId, CartId)],
    now: Timestamp,
) -> Result<(), StoreError> {
    for (customer, copy) in guests {
        people::ensure_guest(tx, site, *customer, now).await?;
        execute!(&mut *tx, COPY_CART, site, cart.0, copy.0, customer.0, now.0)?;
        execute!(&mut *tx, COPY_LINES, site, cart.0, copy.0)?;
    }
    Ok(())
}

/// A connection that writes orders by hand.
#[derive(Debug)]
pub struct Bare {
    connection: Connection,
    /// Between processes on one SQLite file, the lock that the product takes too: SQLite's own waiting starves.
    lock: Option<WriterLock>,
}

#[derive(Debug)]
enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// One text on whichever connection it is: how many rows it hit.
macro_rules! run {
    ($bare:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        match &mut $bare.connection {
            Connection::Sqlite(connection) => {
                sqlx::query(note($sql))$(.bind($bind))*.execute(connection).await?.rows_affected()
            }
            Connection::Postgres(connection) => {
                sqlx::query(note($sql))$(.bind($bind))*.execute(connection).await?.rows_affected()
            }
        }
    };
}

impl Bare {
    /// Connects, with the product's settings for durability. `shared`: other processes write the same SQLite file.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Disk`] for a store that cannot be reached.
    pub async fn open(url: &StoreUrl, shared: bool) -> Result<Self, StoreError> {
        match url {
            StoreUrl::Sqlite(path) => {
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .foreign_keys(true)
                    .statement_cache_capacity(256);
                let lock = if shared { Some(WriterLock::open(path)?) } else { None };
                Ok(Self { connection: Connection::Sqlite(options.connect().await?), lock })
            }
            StoreUrl::Postgres(url) => {
                Ok(Self { connection: Connection::Postgres(postgres_options(url)?.connect().await?), lock: None })
            }
        }
    }

    async fn words(&mut self, sqlite: &'static str, postgres: &'static str) -> Result<(), StoreError> {
        match &mut self.connection {
            Connection::Sqlite(connection) => sqlx::raw_sql(note(sqlite)).execute(connection).await.map(|_| ())?,
            Connection::Postgres(connection) => sqlx::raw_sql(note(postgres)).execute(connection).await.map(|_| ())?,
        }
        Ok(())
    }

    async fn begin(&mut self) -> Result<Option<LockGuard>, StoreError> {
        let guard = match &self.lock {
            Some(lock) => Some(lock.acquire(LOCKED).await?),
            None => None,
        };
        self.words("BEGIN IMMEDIATE", "BEGIN").await?;
        Ok(guard)
    }

    /// Places a cart and has it paid, in two commits. Each is tried again where another stood in its way.
    ///
    /// # Errors
    /// Any [`StoreError`]; [`StoreError::Fault`] when a statement did not hit its rows.
    pub async fn place_pay(
        &mut self,
        model: &Model,
        cart: CartId,
        clock: &dyn Clock,
        ids: &dyn Ids,
    ) -> Result<OrderId, StoreError> {
        let now = clock.now();
        let new_id = || ids.next(now);
        let order = Written {
            order: new_id(),
            attempt: new_id(),
            lines: [new_id(), new_id(), new_id()],
            cart: cart.0,
            now: now.0,
        };
        for commit in [Commit::Place, Commit::Pay] {
            let mut tries = 0;
            loop {
                match self.commit(commit, model, &order).await {
                    Err(StoreError::Retry(_)) if tries < TRIES => {
                        tries += 1;
                        self.words("ROLLBACK", "ROLLBACK").await?;
                    }
                    done => break done?,
                }
            }
        }
        Ok(OrderId(order.order))
    }

    async fn commit(&mut self, commit: Commit, model: &Model, order: &Written) -> Result<(), StoreError> {
        let _guard = self.begin().await?;
        match commit {
            Commit::Place => self.place(model, order).await?,
            Commit::Pay => self.pay(model, order).await?,
        }
        self.words("COMMIT", "COMMIT").await
    }

    async fn place(&mut self, model: &Model, written: &Written) -> Result<(), StoreError> {
        let Written { order, attempt, lines, cart, now } = *written;
        let (site, sample) = (model.site.as_str(), model.order);
        hit(run!(self, RESERVE, site, sample, now) > 0, RESERVE)?;
        run!(self, CLAIM_SLOT, site, &model.date, &model.slot);
        let (sequence,): (i64,) = match &mut self.connection {
            Connection::Sqlite(connection) => {
                sqlx::query_as(note(NEXT_NUMBER)).bind(site).bind(&model.date).fetch_one(connection).await?
            }
            Connection::Postgres(connection) => {
                sqlx::query_as(note(NEXT_NUMBER)).bind(site).bind(&model.date).fetch_one(connection).await?
            }
        };
        let number = format!("ORD-{}-{sequence:03}", model.date.replace('-', ""));
        let pickup = format!("{:03}", sequence % 1_000);
        run!(self, ORDER, site, sample, order, number, sequence, pickup, cart, now);
        let [first, second, third] = lines;
        hit(run!(self, LINES, site, sample, order, first, second, third) == 3, LINES)?;
        run!(self, HOLD, site, sample, order, now);
        run!(self, ATTEMPT, site, sample, order, attempt, format!("pay-{attempt}"), now);
        run!(self, HISTORY, site, sample, order, now, 1_i64, 1_i64);
        run!(self, CART, site, cart, "locked", order, now);
        run!(self, AUDIT, site, "place_order", order.to_string(), now, model.audit.0, model.audit.1);
        run!(self, OUTBOX, site, sample, order, now, 1_i64, model.placed_events);
        run!(self, KEY, site, &model.key, order.to_string(), now);
        Ok(())
    }

    async fn pay(&mut self, model: &Model, written: &Written) -> Result<(), StoreError> {
        let Written { order, attempt, cart, now, .. } = *written;
        let (site, sample) = (model.site.as_str(), model.order);
        hit(run!(self, PAID, site, order, model.events, now) == 1, PAID)?;
        run!(self, TAKE, site, order, now);
        run!(self, LEDGER, site, order, now);
        run!(self, COMMITTED, site, order, now);
        hit(run!(self, CAPTURED, site, order, format!("gw_{attempt}"), format!("pay_{attempt}"), now) == 1, CAPTURED)?;
        run!(self, CART, site, cart, "consumed", order, now);
        run!(self, TICKETS, site, sample, order, now);
        hit(run!(self, TICKET_ITEMS, site, order) == 3, TICKET_ITEMS)?;
        run!(self, HISTORY, site, sample, order, now, 2_i64, 3_i64);
        run!(self, AUDIT, site, "apply_charge", order.to_string(), now, model.audit.0, model.audit.1);
        run!(self, OUTBOX, site, sample, order, now, model.placed_events + 1, model.events);
        Ok(())
    }
}

#[derive(Debug, Clone, Copy)]
enum Commit {
    Place,
    Pay,
}

/// The ids and the instant of one order.
#[derive(Debug, Clone, Copy)]
struct Written {
    order: Uuid,
    attempt: Uuid,
    lines: [Uuid; 3],
    cart: Uuid,
    now: i64,
}

fn hit(did: bool, sql: &str) -> Result<(), StoreError> {
    if did { Ok(()) } else { Err(StoreError::Fault(format!("a statement of the bare limit hit other rows: {sql}"))) }
}
