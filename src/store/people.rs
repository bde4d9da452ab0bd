//! Rows about people and their terminals: staff, sessions, guests, registered screens.

use super::{StoreError, Tx};
use crate::domain::ids::{CustomerId, TerminalId};
use crate::domain::time::Timestamp;
use uuid::Uuid;

/// A registered screen.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TerminalRow {
    /// Its identity.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// kiosk, kitchen, board, console or worker.
    pub role: String,
    /// When it was taken off.
    pub revoked_at: Option<i64>,
}

/// A session with what stands about its person now.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SessionRow {
    /// The person.
    pub staff_id: Uuid,
    /// The person's sign-in name.
    pub username: String,
    /// The person's role now.
    pub role: String,
    /// The version of the rights when the session began.
    pub permissions_version: i64,
    /// The version of the rights now.
    pub staff_permissions_version: i64,
    /// Whether the person is active.
    pub active: bool,
    /// When the session is over (microseconds).
    pub expires_at: i64,
    /// When it was last used (microseconds).
    pub last_used_at: i64,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
}

const TERMINAL: &str = "SELECT id, name, role, revoked_at FROM terminals WHERE site_id = $1 AND id = $2";
const SESSION: &str = "SELECT s.staff_id, p.username, p.role, s.permissions_version, \
     p.permissions_version AS staff_permissions_version, p.active, s.expires_at, s.last_used_at, s.revoked_at \
     FROM sessions s JOIN staff p ON p.site_id = s.site_id AND p.id = s.staff_id \
     WHERE s.site_id = $1 AND s.token_hash = $2";
const TOUCH: &str =
    "UPDATE sessions SET last_used_at = $3 WHERE site_id = $1 AND token_hash = $2 AND last_used_at < $3";
const GUEST: &str = "INSERT INTO customers (site_id, id, kind, created_at, updated_at) VALUES ($1, $2, 'guest', $3, $3) \
     ON CONFLICT (site_id, id) DO NOTHING";

/// A registered terminal.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn terminal(tx: &mut Tx, site: &str, id: TerminalId) -> Result<Option<TerminalRow>, StoreError> {
    fetch_optional!(tx, TerminalRow, TERMINAL, site, id.0)
}

/// A session by the hash of its token.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn session(tx: &mut Tx, site: &str, token_hash: &[u8]) -> Result<Option<SessionRow>, StoreError> {
    fetch_optional!(tx, SessionRow, SESSION, site, token_hash)
}

/// Notes that a session was used.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn touch_session(tx: &mut Tx, site: &str, token_hash: &[u8], now: Timestamp) -> Result<(), StoreError> {
    execute!(tx, TOUCH, site, token_hash, now.0)?;
    Ok(())
}

/// Makes sure that a guest's row exists.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn ensure_guest(tx: &mut Tx, site: &str, id: CustomerId, now: Timestamp) -> Result<(), StoreError> {
    execute!(tx, GUEST, site, id.0, now.0)?;
    Ok(())
}
