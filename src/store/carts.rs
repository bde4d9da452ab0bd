//! Rows of carts and their lines. A cart never touches stock, slots, promotions or numbers (I6).

use super::rows::hit_one;
use super::{StoreError, Tx};
use crate::domain::ids::{CartId, OrderId};
use crate::domain::time::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

/// A cart, column by column.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct CartRow {
    pub id: Uuid,
    pub customer_id: Uuid,
    pub terminal_id: Option<Uuid>,
    pub state: String,
    pub order_id: Option<Uuid>,
    pub fulfilment: Option<String>,
    pub note: Option<String>,
    pub promotion_id: Option<Uuid>,
    pub version: i64,
    pub created_at: i64,
    pub updated_at: i64,
}

/// A line of a cart, column by column.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns are described in the migrations")]
pub struct CartLineRow {
    pub id: Uuid,
    pub position: i64,
    pub item_id: Uuid,
    pub options: Json<Vec<Uuid>>,
    pub quantity: i64,
    pub unit_price_seen: i64,
    pub name_seen: String,
    pub note: Option<String>,
}

/// A line beside its cart; an empty cart is one row without a line.
#[derive(sqlx::FromRow)]
struct WithLine {
    #[sqlx(flatten)]
    cart: CartRow,
    line_id: Option<Uuid>,
    position: Option<i64>,
    item_id: Option<Uuid>,
    options: Option<Json<Vec<Uuid>>>,
    quantity: Option<i64>,
    unit_price_seen: Option<i64>,
    name_seen: Option<String>,
    line_note: Option<String>,
}

const WITH_LINES: &str = "SELECT c.id, c.customer_id, c.terminal_id, c.state, c.order_id, c.fulfilment, c.note, \
     c.promotion_id, c.version, c.created_at, c.updated_at, l.id AS line_id, l.position, l.item_id, l.options, l.quantity, \
     l.unit_price_seen, l.name_seen, l.note AS line_note FROM carts c \
     LEFT JOIN cart_lines l ON l.site_id = c.site_id AND l.cart_id = c.id \
     WHERE c.site_id = $1 AND c.id = $2 ORDER BY l.position";
const INSERT: &str = "INSERT INTO carts (site_id, id, customer_id, terminal_id, state, fulfilment, note, created_at, \
     updated_at, expires_at) VALUES ($1, $2, $3, $4, 'open', $5, $6, $7, $7, $8)";
const SAVE: &str = "UPDATE carts SET fulfilment = $4, note = $5, promotion_id = $8, version = version + 1, \
     updated_at = $6, expires_at = $7 WHERE site_id = $1 AND id = $2 AND version = $3 AND state = 'open'";
const CLEAR_LINES: &str = "DELETE FROM cart_lines WHERE site_id = $1 AND cart_id = $2";
const MOVE: &str = "UPDATE carts SET state = $3, order_id = $4, version = version + 1, updated_at = $5 \
     WHERE site_id = $1 AND id = $2 AND state = $6";
const EXPIRED: &str = "DELETE FROM carts WHERE site_id = $1 AND state = 'open' AND updated_at < $2";

/// A cart with its lines in order.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn find(tx: &mut Tx, site: &str, id: CartId) -> Result<Option<(CartRow, Vec<CartLineRow>)>, StoreError> {
    let mut found: Option<CartRow> = None;
    let mut lines = Vec::new();
    for mut row in fetch_all!(tx, WithLine, WITH_LINES, site, id.0)? {
        lines.extend(row.line());
        found = found.or(Some(row.cart));
    }
    Ok(found.map(|cart| (cart, lines)))
}

impl WithLine {
    fn line(&mut self) -> Option<CartLineRow> {
        Some(CartLineRow {
            id: self.line_id?,
            position: self.position?,
            item_id: self.item_id?,
            options: self.options.take()?,
            quantity: self.quantity?,
            unit_price_seen: self.unit_price_seen?,
            name_seen: self.name_seen.take()?,
            note: self.line_note.take(),
        })
    }
}

/// Writes a new cart without lines.
///
/// # Errors
/// [`StoreError::Duplicate`] when it exists.
pub async fn insert(tx: &mut Tx, site: &str, row: &CartRow, expires_at: Option<Timestamp>) -> Result<(), StoreError> {
    execute!(
        tx,
        INSERT,
        site,
        row.id,
        row.customer_id,
        row.terminal_id,
        row.fulfilment.as_deref(),
        row.note.as_deref(),
        row.created_at,
        expires_at.map(|at| at.0)
    )?;
    Ok(())
}

/// Saves an open cart with its lines, as it was seen at `row.version`.
///
/// # Errors
/// [`StoreError::Retry`] when it changed meanwhile.
pub async fn save(
    tx: &mut Tx,
    site: &str,
    row: &CartRow,
    lines: &[CartLineRow],
    expires_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let hit = execute!(
        tx,
        SAVE,
        site,
        row.id,
        row.version,
        row.fulfilment.as_deref(),
        row.note.as_deref(),
        row.updated_at,
        expires_at.map(|at| at.0),
        row.promotion_id
    )?;
    if !hit_one(hit)? {
        return Err(tx.lost_race("the cart changed meanwhile"));
    }
    execute!(tx, CLEAR_LINES, site, row.id)?;
    insert_rows!(
        tx,
        "INSERT INTO cart_lines (site_id, cart_id, id, position, item_id, options, quantity, unit_price_seen, \
         name_seen, note) ",
        lines,
        |values, line| {
            values
                .push_bind(site)
                .push_bind(row.id)
                .push_bind(line.id)
                .push_bind(line.position)
                .push_bind(line.item_id)
                .push_bind(&line.options)
                .push_bind(line.quantity)
                .push_bind(line.unit_price_seen)
                .push_bind(&line.name_seen)
                .push_bind(line.note.as_deref());
        }
    )?;
    Ok(())
}

/// Moves a cart from one state to another with its order; whether it was in the first.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn set_state(
    tx: &mut Tx,
    site: &str,
    id: CartId,
    (from, to): (&str, &str),
    order: Option<OrderId>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    hit_one(execute!(tx, MOVE, site, id.0, to, order.map(|id| id.0), now.0, from)?)
}

/// Deletes open carts that nobody touched since; how many.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn delete_idle(tx: &mut Tx, site: &str, before: Timestamp) -> Result<u64, StoreError> {
    execute!(tx, EXPIRED, site, before.0)
}
