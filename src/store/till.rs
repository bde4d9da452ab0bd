//! Rows of the till: shifts and the movements of their drawers. The balance of an open shift, and the
//! number of its newest movement, are kept by the same UPDATE that lets cash move; no cash moves in a
//! closed shift. Who may do it, and what closing is refused for, is decided in the service.

use super::rows::{containing, hit_one};
use super::{MOST_COUNTED, StoreError, Tx};
use crate::domain::access::Actor;
use crate::domain::ids::{OrderId, RefundId, ShiftId, StaffId, TerminalId};
use crate::domain::time::Timestamp;
use crate::words;
use uuid::Uuid;

words!(
    /// Why cash moved.
    MovementKind, "kind of drawer movement" {
        /// A cash order was paid (in).
        Sale = "sale",
        /// Money went back to a customer (out).
        Refund = "refund",
        /// Cash was taken to the safe (out).
        Drop = "drop",
        /// Change was brought (in).
        CashIn = "cash_in",
        /// Something was paid from the drawer (out).
        Payout = "payout",
    }
);

/// A till shift with the names of its people and its terminal.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ShiftRow {
    /// Its identity.
    pub id: Uuid,
    /// The terminal at which the drawer stands.
    pub terminal_id: Uuid,
    /// The terminal's name.
    pub terminal_name: String,
    /// Who opened it.
    pub opened_by: Uuid,
    /// Their sign-in name, while the row about them exists.
    pub opened_by_name: Option<String>,
    /// When it was opened (microseconds).
    pub opened_at: i64,
    /// The cash laid in at the start (minor units).
    pub opening_float: i64,
    /// What the drawer should hold now: float and every movement (minor units).
    pub balance: i64,
    /// The number of the newest movement; 0 before the first.
    pub last_movement: i64,
    /// Who closed it.
    pub closed_by: Option<Uuid>,
    /// Their sign-in name.
    pub closed_by_name: Option<String>,
    /// When it was closed (microseconds).
    pub closed_at: Option<i64>,
    /// What was counted at the end (minor units).
    pub counted: Option<i64>,
    /// What the drawer should have held at the end (minor units).
    pub expected: Option<i64>,
    /// Counted less expected: positive is over, negative is short (minor units).
    pub over_short: Option<i64>,
    /// What was written at the end.
    pub note: Option<String>,
}

impl ShiftRow {
    /// Its identity.
    #[must_use]
    pub const fn shift_id(&self) -> ShiftId {
        ShiftId(self.id)
    }
}

/// A shift about to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewShift {
    /// Its identity.
    pub id: ShiftId,
    /// The terminal at which the drawer stands.
    pub terminal: TerminalId,
    /// Who opens it.
    pub opened_by: StaffId,
    /// The cash laid in (minor units, not negative).
    pub opening_float: i64,
}

/// Cash that goes in or out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement<'a> {
    /// Why.
    pub kind: MovementKind,
    /// Minor units: positive in (sale, cash in), negative out (refund, drop, payout).
    pub amount: i64,
    /// What the customer handed over, for a sale (minor units).
    pub tendered: Option<i64>,
    /// The order of a sale or refund.
    pub order: Option<OrderId>,
    /// The refund that is paid out.
    pub refund: Option<RefundId>,
    /// Why, in a person's words.
    pub reason: Option<&'a str>,
}

/// What a list of closed shifts is narrowed to; `None`: everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClosedFilter {
    /// A part of the name of the terminal, whatever the case.
    pub terminal: Option<String>,
    /// A part of the sign-in name or name of whoever opened or closed it, whatever the case.
    pub person: Option<String>,
    /// Closed at this instant or later.
    pub from: Option<Timestamp>,
    /// Closed before this instant.
    pub until: Option<Timestamp>,
}

/// A movement as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct MovementRow {
    /// Its number within the shift, from 1 without gaps.
    pub seq: i64,
    /// Why: a word of [`MovementKind`].
    pub kind: String,
    /// Minor units, signed.
    pub amount: i64,
    /// What the drawer held afterwards (minor units).
    pub balance_after: i64,
    /// What the customer handed over (minor units).
    pub tendered: Option<i64>,
    /// The order.
    pub order_id: Option<Uuid>,
    /// The refund.
    pub refund_id: Option<Uuid>,
    /// The role of whoever moved it.
    pub actor_role: String,
    /// Whoever moved it.
    pub actor_id: Option<Uuid>,
    /// Why, in a person's words.
    pub reason: Option<String>,
    /// When (microseconds).
    pub at: i64,
}

/// The movements of one kind, summed up.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct KindTotal {
    /// A word of [`MovementKind`].
    pub kind: String,
    /// How many.
    pub count: i64,
    /// Their sum (minor units, signed).
    pub amount: i64,
}

/// A cash order that still waits for its money.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct UnpaidCashRow {
    /// The order.
    pub id: Uuid,
    /// Its number.
    pub order_number: String,
    /// What is due (minor units).
    pub due: i64,
}

/// A cash refund that waits to be paid out.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct WaitingRefundRow {
    /// The refund.
    pub id: Uuid,
    /// Its order.
    pub order_id: Uuid,
    /// The order's number.
    pub order_number: String,
    /// The name that was called.
    pub called_name: Option<String>,
    /// How much (minor units, more than 0).
    pub amount: i64,
    /// Why.
    pub reason: Option<String>,
    /// Since when it waits (microseconds).
    pub created_at: i64,
}

/// Where the columns of a [`ShiftRow`] come from, once for every statement below.
macro_rules! of_shifts {
    () => {
        "FROM till_shifts t \
         JOIN terminals m ON m.site_id = t.site_id AND m.id = t.terminal_id \
         LEFT JOIN staff o ON o.site_id = t.site_id AND o.id = t.opened_by \
         LEFT JOIN staff c ON c.site_id = t.site_id AND c.id = t.closed_by \
         WHERE t.site_id = $1 "
    };
}

/// The columns of a [`ShiftRow`].
macro_rules! shifts {
    ($($rest:expr),+) => {
        concat!(
            "SELECT t.id, t.terminal_id, m.name AS terminal_name, t.opened_by, o.username AS opened_by_name, t.opened_at, ",
            "t.opening_float, t.balance, t.last_movement, t.closed_by, c.username AS closed_by_name, t.closed_at, t.counted, ",
            "t.expected, t.over_short, t.note ",
            of_shifts!(),
            $($rest),+
        )
    };
}

/// The closed shifts that a filter lets through.
macro_rules! closed_filter {
    () => {
        "AND t.closed_at >= $2 AND t.closed_at < $3 \
         AND (CAST($4 AS TEXT) IS NULL OR LOWER(m.name) LIKE LOWER($4) ESCAPE '!') \
         AND (CAST($5 AS TEXT) IS NULL OR LOWER(o.username) LIKE LOWER($5) ESCAPE '!' \
         OR LOWER(o.name) LIKE LOWER($5) ESCAPE '!' OR LOWER(c.username) LIKE LOWER($5) ESCAPE '!' \
         OR LOWER(c.name) LIKE LOWER($5) ESCAPE '!')"
    };
}

const OPEN_AT: &str = shifts!("AND t.terminal_id = $2 AND t.closed_at IS NULL");
const OPEN_ANYWHERE: &str = shifts!("AND t.closed_at IS NULL ORDER BY t.opened_at, t.id LIMIT 2");
const BY_ID: &str = shifts!("AND t.id = $2");
const PAGE: &str = shifts!("AND (t.opened_at, t.id) < ($2, $3) ORDER BY t.opened_at DESC, t.id DESC LIMIT $4");
const CLOSED: &str =
    shifts!(closed_filter!(), " AND (t.opened_at, t.id) < ($6, $7) ORDER BY t.opened_at DESC, t.id DESC LIMIT $8");
const ALL_OPEN: &str = shifts!("AND t.closed_at IS NULL ORDER BY m.name, t.id LIMIT $2");
const COUNT_CLOSED: &str =
    concat!("SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT 1 ", of_shifts!(), closed_filter!(), " LIMIT $6) AS found");
const TOTALS_OF: &str = "SELECT shift_id, kind, CAST(SUM(count) AS BIGINT) AS count, \
     CAST(SUM(amount) AS BIGINT) AS amount FROM ( ";
/// The movements that are there, and those that an archive run took away.
const PARTS_OF_TOTALS: [&str; 2] = [
    "SELECT shift_id, kind, CAST(1 AS BIGINT) AS count, amount FROM drawer_movements WHERE site_id = ",
    " UNION ALL SELECT shift_id, kind, movements, amount FROM archived_drawers WHERE site_id = ",
];
const OPEN: &str = "INSERT INTO till_shifts (site_id, id, terminal_id, opened_by, opened_at, opening_float, balance) \
     VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (site_id, terminal_id) WHERE closed_at IS NULL DO NOTHING";
const MOVE: &str = "UPDATE till_shifts SET balance = balance + $3, last_movement = last_movement + 1 \
     WHERE site_id = $1 AND id = $2 AND closed_at IS NULL RETURNING last_movement, balance";
const MOVEMENT: &str = "INSERT INTO drawer_movements (site_id, shift_id, seq, kind, amount, balance_after, tendered, \
     order_id, refund_id, actor_role, actor_id, reason, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
const CLOSE: &str = "UPDATE till_shifts SET closed_by = $3, closed_at = $4, counted = $5, expected = balance, \
     over_short = $5 - balance, note = $6 WHERE site_id = $1 AND id = $2 AND closed_at IS NULL \
     RETURNING expected, over_short";
const MOVEMENTS: &str = "SELECT seq, kind, amount, balance_after, tendered, order_id, refund_id, actor_role, actor_id, reason, at \
     FROM drawer_movements WHERE site_id = $1 AND shift_id = $2 AND seq > $3 ORDER BY seq LIMIT $4";
// With what an archive run took away, so that an old Z report says what it always said.
const TOTALS: &str = "SELECT kind, CAST(SUM(count) AS BIGINT) AS count, CAST(SUM(amount) AS BIGINT) AS amount FROM \
     (SELECT kind, COUNT(*) AS count, SUM(amount) AS amount FROM drawer_movements \
     WHERE site_id = $1 AND shift_id = $2 GROUP BY kind \
     UNION ALL SELECT kind, movements, amount FROM archived_drawers WHERE site_id = $1 AND shift_id = $2) AS sums \
     GROUP BY kind ORDER BY kind";
const UNPAID_CASH: &str = "SELECT id, order_number, due FROM orders WHERE site_id = $1 AND method = 'cash' AND NOT paid \
     AND NOT training AND status IN ('received', 'confirmed', 'preparing', 'ready', 'out_for_delivery') \
     ORDER BY created_at, id LIMIT $2";
const PENDING_CASH_REFUNDS: &str = "SELECT COUNT(*), CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM refunds \
     WHERE site_id = $1 AND method = 'cash' AND status = 'pending'";
const WAITING_REFUNDS: &str = "SELECT r.id, r.order_id, o.order_number, o.called_name, r.amount, r.reason, r.created_at \
     FROM refunds r JOIN orders o ON o.site_id = r.site_id AND o.id = r.order_id \
     WHERE r.site_id = $1 AND r.method = 'cash' AND r.status = 'pending' \
     AND (r.created_at > $2 OR (r.created_at = $2 AND r.id > $3)) AND (CAST($4 AS TEXT) IS NULL \
     OR LOWER(o.order_number) LIKE LOWER($4) ESCAPE '!' OR LOWER(o.called_name) LIKE LOWER($4) ESCAPE '!') \
     ORDER BY r.created_at, r.id LIMIT $5";
const COUNT_WAITING_REFUNDS: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT 1 FROM refunds r \
     JOIN orders o ON o.site_id = r.site_id AND o.id = r.order_id \
     WHERE r.site_id = $1 AND r.method = 'cash' AND r.status = 'pending' AND (CAST($2 AS TEXT) IS NULL \
     OR LOWER(o.order_number) LIKE LOWER($2) ESCAPE '!' OR LOWER(o.called_name) LIKE LOWER($2) ESCAPE '!') \
     LIMIT $3) AS found";

/// The open shift at the terminal; where there is none, the only open shift of the site, if there is
/// exactly one.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn open_shift_at(
    tx: &mut Tx,
    site: &str,
    terminal: Option<TerminalId>,
) -> Result<Option<ShiftRow>, StoreError> {
    if let Some(terminal) = terminal
        && let Some(shift) = open_shift_of(tx, site, terminal).await?
    {
        return Ok(Some(shift));
    }
    let mut open = fetch_all!(tx, ShiftRow, OPEN_ANYWHERE, site)?;
    Ok(if open.len() == 1 { open.pop() } else { None })
}

/// The open shift of exactly this terminal.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn open_shift_of(tx: &mut Tx, site: &str, terminal: TerminalId) -> Result<Option<ShiftRow>, StoreError> {
    fetch_optional!(tx, ShiftRow, OPEN_AT, site, terminal.0)
}

/// A shift, open or closed.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn find(tx: &mut Tx, site: &str, shift: ShiftId) -> Result<Option<ShiftRow>, StoreError> {
    fetch_optional!(tx, ShiftRow, BY_ID, site, shift.0)
}

/// Shifts, newest first, at most `limit`; those after `before`, the last of the page before.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn shifts_before(
    tx: &mut Tx,
    site: &str,
    before: Option<(Timestamp, ShiftId)>,
    limit: i64,
) -> Result<Vec<ShiftRow>, StoreError> {
    let (opened_at, id) = before.unwrap_or((Timestamp(i64::MAX), ShiftId(Uuid::max())));
    fetch_all!(tx, ShiftRow, PAGE, site, opened_at.0, id.0, limit)
}

/// The closed shifts that the filter lets through, newest first, at most `limit`; those after `before`,
/// the last of the page before. And how many there are in all, counted one beyond [`MOST_COUNTED`] at the
/// most.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn closed_before(
    tx: &mut Tx,
    site: &str,
    filter: &ClosedFilter,
    before: Option<(Timestamp, ShiftId)>,
    limit: i64,
) -> Result<(Vec<ShiftRow>, i64), StoreError> {
    let (opened_at, id) = before.unwrap_or((Timestamp(i64::MAX), ShiftId(Uuid::max())));
    let (from, until) = (filter.from.map_or(i64::MIN, |at| at.0), filter.until.map_or(i64::MAX, |at| at.0));
    let (terminal, person) = (filter.terminal.as_deref().map(containing), filter.person.as_deref().map(containing));
    let (terminal, person) = (terminal.as_deref(), person.as_deref());
    let rows = fetch_all!(&mut *tx, ShiftRow, CLOSED, site, from, until, terminal, person, opened_at.0, id.0, limit)?;
    let most = MOST_COUNTED.saturating_add(1);
    let (found,) = fetch_one!(tx, (i64,), COUNT_CLOSED, site, from, until, terminal, person, most)?;
    Ok((rows, found))
}

/// The open shifts by the name of their terminal, at most `limit`.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn all_open(tx: &mut Tx, site: &str, limit: i64) -> Result<Vec<ShiftRow>, StoreError> {
    fetch_all!(tx, ShiftRow, ALL_OPEN, site, limit)
}

/// The movements of several shifts summed up by kind, with the shift that each is of.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn totals_of(tx: &mut Tx, site: &str, shifts: &[ShiftId]) -> Result<Vec<(ShiftId, KindTotal)>, StoreError> {
    if shifts.is_empty() {
        return Ok(Vec::new());
    }
    type Row = (Uuid, String, i64, i64);
    let rows: Vec<Row> = on_connection!(tx, connection, async {
        let mut query = sqlx::QueryBuilder::new(super::statements::note(TOTALS_OF));
        for part in PARTS_OF_TOTALS {
            query.push(part).push_bind(site).push(" AND shift_id IN (");
            let mut list = query.separated(", ");
            for shift in shifts {
                list.push_bind(shift.0);
            }
            query.push(")");
        }
        query.push(") AS sums GROUP BY shift_id, kind ORDER BY shift_id, kind");
        query.build_query_as::<Row>().fetch_all(connection).await
    })?;
    Ok(rows.into_iter().map(|(id, kind, count, amount)| (ShiftId(id), KindTotal { kind, count, amount })).collect())
}

/// Opens a shift. `false` when one is open at this terminal already.
///
/// # Errors
/// [`StoreError::Constraint`] for a negative float or a terminal that is not registered.
pub async fn open(tx: &mut Tx, site: &str, shift: &NewShift, now: Timestamp) -> Result<bool, StoreError> {
    let rows = execute!(tx, OPEN, site, shift.id.0, shift.terminal.0, shift.opened_by.0, now.0, shift.opening_float)?;
    hit_one(rows)
}

/// Moves cash in the drawer of an open shift: what it holds afterwards (minor units), which is below zero
/// where more went out than was in; `None`, and nothing moved, when the shift is closed or unknown.
///
/// # Errors
/// [`StoreError::Constraint`] for a sign that does not fit the kind or a sale without its order;
/// [`StoreError::Duplicate`] when this order's sale, or this refund, was taken down before.
pub async fn move_cash(
    tx: &mut Tx,
    site: &str,
    shift: ShiftId,
    movement: &Movement<'_>,
    actor: &Actor,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let moved = fetch_optional!(tx, (i64, i64), MOVE, site, shift.0, movement.amount)?;
    let Some((seq, balance)) = moved else { return Ok(None) };
    let actor_id = actor.staff.map(|id| id.0).or_else(|| actor.customer.map(|id| id.0));
    execute!(
        tx,
        MOVEMENT,
        site,
        shift.0,
        seq,
        movement.kind.as_str(),
        movement.amount,
        balance,
        movement.tendered,
        movement.order.map(|id| id.0),
        movement.refund.map(|id| id.0),
        actor.role.as_str(),
        actor_id,
        movement.reason,
        now.0
    )?;
    Ok(Some(balance))
}

/// Closes a shift: what was counted stands against the balance of this instant. Answers expected and
/// over (+) or short (-), or `None` when it was closed before.
///
/// # Errors
/// [`StoreError::Constraint`] for a negative count.
pub async fn close(
    tx: &mut Tx,
    site: &str,
    shift: ShiftId,
    by: StaffId,
    counted: i64,
    note: Option<&str>,
    now: Timestamp,
) -> Result<Option<(i64, i64)>, StoreError> {
    fetch_optional!(tx, (i64, i64), CLOSE, site, shift.0, by.0, now.0, counted, note)
}

/// Movements of a shift after number `after`, in order, at most `limit`.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn movements(
    tx: &mut Tx,
    site: &str,
    shift: ShiftId,
    after: i64,
    limit: i64,
) -> Result<Vec<MovementRow>, StoreError> {
    fetch_all!(tx, MovementRow, MOVEMENTS, site, shift.0, after, limit)
}

/// The movements of a shift summed up by kind.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn totals(tx: &mut Tx, site: &str, shift: ShiftId) -> Result<Vec<KindTotal>, StoreError> {
    fetch_all!(tx, KindTotal, TOTALS, site, shift.0)
}

/// Cash orders under way that still wait for their money, oldest first, at most `limit`.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn unpaid_cash_orders(tx: &mut Tx, site: &str, limit: i64) -> Result<Vec<UnpaidCashRow>, StoreError> {
    fetch_all!(tx, UnpaidCashRow, UNPAID_CASH, site, limit)
}

/// How many cash refunds wait to be paid out, and their sum (minor units).
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn pending_cash_refunds(tx: &mut Tx, site: &str) -> Result<(i64, i64), StoreError> {
    fetch_one!(tx, (i64, i64), PENDING_CASH_REFUNDS, site)
}

/// The cash refunds that wait to be paid out, oldest first, those after this instant and identity, at most `limit`;
/// and how many there are, counted one beyond [`MOST_COUNTED`] at the most. With `text`: of orders whose number or
/// called name holds it.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn waiting_cash_refunds(
    tx: &mut Tx,
    site: &str,
    text: Option<&str>,
    (after, id): (Timestamp, Uuid),
    limit: i64,
) -> Result<(Vec<WaitingRefundRow>, i64), StoreError> {
    let text = text.map(containing);
    let text = text.as_deref();
    let rows = fetch_all!(tx, WaitingRefundRow, WAITING_REFUNDS, site, after.0, id, text, limit)?;
    let most = MOST_COUNTED.saturating_add(1);
    let (found,) = fetch_one!(tx, (i64,), COUNT_WAITING_REFUNDS, site, text, most)?;
    Ok((rows, found))
}
