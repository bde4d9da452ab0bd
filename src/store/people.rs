//! Rows about people and their terminals: staff, sessions, guests, registered screens, and the
//! fingerprint of the pepper that their hashes need. Who may change them is decided in the service.

use super::rows::{containing, hit_one};
use super::{MOST_COUNTED, StoreError, Tx};
use crate::domain::access::Role;
use crate::domain::ids::{CustomerId, StaffId, TerminalId};
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
    /// What it runs.
    pub software_version: Option<String>,
    /// When it was registered (microseconds).
    pub registered_at: i64,
    /// Its last heartbeat (microseconds).
    pub last_seen_at: Option<i64>,
    /// When it was taken off.
    pub revoked_at: Option<i64>,
}

/// A member of staff, without anything secret.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StaffRow {
    /// Their identity.
    pub id: Uuid,
    /// Their sign-in name.
    pub username: String,
    /// Their name for people.
    pub name: String,
    /// kitchen, delivery or admin.
    pub role: String,
    /// Whether they may sign in.
    pub active: bool,
    /// Whether a PIN is set.
    pub has_pin: bool,
    /// Rises with every change of their rights or secrets.
    pub permissions_version: i64,
    /// When they were added (microseconds).
    pub created_at: i64,
    /// When they last signed in (microseconds).
    pub last_seen_at: Option<i64>,
}

/// What is needed to verify a member of staff. Not `Debug`: hashes stay out of logs.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct CredentialsRow {
    /// Their identity.
    pub id: Uuid,
    /// Their sign-in name.
    pub username: String,
    /// kitchen, delivery or admin.
    pub role: String,
    /// Whether they may sign in.
    pub active: bool,
    /// The version of their rights and secrets.
    pub permissions_version: i64,
    /// The password's PHC string.
    pub password_hash: String,
    /// The PIN's PHC string.
    pub pin_hash: Option<String>,
}

/// What a list of staff is narrowed to; `None`: everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StaffFilter {
    /// A part of the sign-in name or of the name, whatever the case.
    pub text: Option<String>,
    /// One role.
    pub role: Option<Role>,
    /// Only those who may sign in, or only those who may not.
    pub active: Option<bool>,
}

/// A member of staff about to be added. Not `Debug`: hashes stay out of logs.
#[derive(Clone, PartialEq, Eq)]
pub struct NewStaff<'a> {
    /// Their identity.
    pub id: StaffId,
    /// Their sign-in name.
    pub username: &'a str,
    /// Their name for people.
    pub name: &'a str,
    /// Their role.
    pub role: Role,
    /// The password's PHC string.
    pub password_hash: &'a str,
    /// The PIN's PHC string.
    pub pin_hash: Option<&'a str>,
}

/// A session about to begin. Not `Debug`: the hash of a token stays out of logs.
#[derive(Clone, PartialEq, Eq)]
pub struct NewSession<'a> {
    /// The hash of its token.
    pub token_hash: &'a [u8],
    /// Whose it is.
    pub staff: StaffId,
    /// Where it began.
    pub terminal: Option<TerminalId>,
    /// The role now.
    pub role: Role,
    /// The version of the rights now.
    pub permissions_version: i64,
    /// When it ends.
    pub expires_at: Timestamp,
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

macro_rules! staff_filter {
    () => {
        "site_id = $1 AND (CAST($2 AS TEXT) IS NULL OR LOWER(username) LIKE LOWER($2) ESCAPE '!' \
         OR LOWER(name) LIKE LOWER($2) ESCAPE '!') AND (CAST($3 AS TEXT) IS NULL OR role = $3) \
         AND (CAST($4 AS BOOLEAN) IS NULL OR active = $4)"
    };
}

const TERMINAL: &str = "SELECT id, name, role, software_version, registered_at, last_seen_at, revoked_at FROM terminals \
     WHERE site_id = $1 AND id = $2";
const TERMINAL_NAMED: &str = "SELECT id, name, role, software_version, registered_at, last_seen_at, revoked_at \
     FROM terminals WHERE site_id = $1 AND name = $2";
const TERMINALS: &str = "SELECT id, name, role, software_version, registered_at, last_seen_at, revoked_at FROM terminals \
     WHERE site_id = $1 ORDER BY name";
const NEW_TERMINAL: &str = "INSERT INTO terminals (site_id, id, name, role, software_version, registered_at, last_seen_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (site_id, name) DO NOTHING";
const SEEN: &str = "UPDATE terminals SET last_seen_at = $3, software_version = $4 \
     WHERE site_id = $1 AND id = $2 AND revoked_at IS NULL";
const REVOKE_TERMINAL: &str =
    "UPDATE terminals SET revoked_at = $3 WHERE site_id = $1 AND id = $2 AND revoked_at IS NULL";
const REVOKE_SESSIONS_AT: &str =
    "UPDATE sessions SET revoked_at = $3 WHERE site_id = $1 AND terminal_id = $2 AND revoked_at IS NULL";
const EXIT_PIN: &str = "SELECT exit_pin_hash FROM terminals WHERE site_id = $1 AND id = $2 AND revoked_at IS NULL";
const SET_EXIT_PIN: &str =
    "UPDATE terminals SET exit_pin_hash = $3 WHERE site_id = $1 AND id = $2 AND revoked_at IS NULL";
const STAFF: &str = "SELECT id, username, name, role, active, pin_hash IS NOT NULL AS has_pin, permissions_version, \
     created_at, last_seen_at FROM staff WHERE site_id = $1 AND id = $2";
const STAFF_PAGE: &str = concat!(
    "SELECT id, username, name, role, active, pin_hash IS NOT NULL AS has_pin, permissions_version, \
     created_at, last_seen_at FROM staff WHERE ",
    staff_filter!(),
    " AND username > $5 ORDER BY username LIMIT $6"
);
const COUNT_FOUND: &str =
    concat!("SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT 1 FROM staff WHERE ", staff_filter!(), " LIMIT $5) AS found");
const COUNT_STAFF: &str = "SELECT COUNT(*) FROM staff WHERE site_id = $1";
const CREDENTIALS: &str = "SELECT id, username, role, active, permissions_version, password_hash, pin_hash FROM staff \
     WHERE site_id = $1 AND username = $2";
const ADMINS_WITH_PIN: &str = "SELECT username FROM staff WHERE site_id = $1 AND role = 'admin' AND active \
     AND pin_hash IS NOT NULL ORDER BY username LIMIT 2";
const NEW_STAFF: &str = "INSERT INTO staff (site_id, id, username, name, role, password_hash, pin_hash, created_at, updated_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT (site_id, username) DO NOTHING";
const STAFF_CHANGED: &str = "UPDATE sites SET staff_version = staff_version + 1 WHERE site_id = $1";
// An admin is only let go while another one is there; the caller has locked the site's staff first.
const SET_ACTIVE: &str = "UPDATE staff SET active = $3, permissions_version = permissions_version + 1, updated_at = $4 \
     WHERE site_id = $1 AND id = $2 AND ($3 OR role <> 'admin' OR EXISTS (SELECT 1 FROM staff other \
     WHERE other.site_id = $1 AND other.id <> $2 AND other.role = 'admin' AND other.active))";
const SET_ROLE: &str = "UPDATE staff SET role = $3, permissions_version = permissions_version + 1, updated_at = $4 \
     WHERE site_id = $1 AND id = $2 AND ($3 = 'admin' OR role <> 'admin' OR NOT active OR EXISTS (SELECT 1 FROM staff other \
     WHERE other.site_id = $1 AND other.id <> $2 AND other.role = 'admin' AND other.active))";
const SET_PASSWORD: &str = "UPDATE staff SET password_hash = $3, permissions_version = permissions_version + 1, \
     updated_at = $4 WHERE site_id = $1 AND id = $2";
const SET_PIN: &str = "UPDATE staff SET pin_hash = $3, permissions_version = permissions_version + 1, updated_at = $4 \
     WHERE site_id = $1 AND id = $2";
const SIGNED_IN: &str =
    "UPDATE staff SET last_seen_at = $4 WHERE site_id = $1 AND id = $2 AND permissions_version = $3 AND active";
const NEW_SESSION: &str = "INSERT INTO sessions (site_id, token_hash, staff_id, terminal_id, role, permissions_version, \
     created_at, expires_at, last_used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $7)";
const REVOKE_SESSION: &str =
    "UPDATE sessions SET revoked_at = $3 WHERE site_id = $1 AND token_hash = $2 AND revoked_at IS NULL";
const REVOKE_SESSIONS_OF: &str =
    "UPDATE sessions SET revoked_at = $3 WHERE site_id = $1 AND staff_id = $2 AND revoked_at IS NULL";
const CLAIM_PEPPER: &str =
    "UPDATE store_meta SET pepper_fingerprint = $1 WHERE singleton = 1 AND pepper_fingerprint IS NULL";
const PEPPER: &str = "SELECT pepper_fingerprint FROM store_meta WHERE singleton = 1";
const SESSION: &str = "SELECT s.staff_id, p.username, p.role, s.permissions_version, \
     p.permissions_version AS staff_permissions_version, p.active, s.expires_at, s.last_used_at, s.revoked_at \
     FROM sessions s JOIN staff p ON p.site_id = s.site_id AND p.id = s.staff_id \
     WHERE s.site_id = $1 AND s.token_hash = $2";
const TOUCH: &str =
    "UPDATE sessions SET last_used_at = $3 WHERE site_id = $1 AND token_hash = $2 AND last_used_at < $3";
const LAST_SEEN: &str = "UPDATE staff SET last_seen_at = $3 WHERE site_id = $1 AND id = $2 \
     AND (last_seen_at IS NULL OR last_seen_at < $3)";
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
pub async fn touch_session(
    tx: &mut Tx,
    site: &str,
    (token_hash, staff): (&[u8], Uuid),
    now: Timestamp,
) -> Result<(), StoreError> {
    execute!(tx, TOUCH, site, token_hash, now.0)?;
    execute!(tx, LAST_SEEN, site, staff, now.0)?;
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

/// A registered terminal by its name.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn terminal_named(tx: &mut Tx, site: &str, name: &str) -> Result<Option<TerminalRow>, StoreError> {
    fetch_optional!(tx, TerminalRow, TERMINAL_NAMED, site, name)
}

/// Every terminal, revoked ones among them, by name.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn terminals(tx: &mut Tx, site: &str) -> Result<Vec<TerminalRow>, StoreError> {
    fetch_all!(tx, TerminalRow, TERMINALS, site)
}

/// Registers a terminal. `false` when the name is taken, be it by itself.
///
/// # Errors
/// [`StoreError::Constraint`] for a role that is none or a name of more than 50 characters.
pub async fn insert_terminal(
    tx: &mut Tx,
    site: &str,
    id: TerminalId,
    name: &str,
    role: &str,
    software_version: Option<&str>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    hit_one(execute!(tx, NEW_TERMINAL, site, id.0, name, role, software_version, now.0)?)
}

/// Notes a terminal's heartbeat. `false` when it is unknown or revoked.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn terminal_seen(
    tx: &mut Tx,
    site: &str,
    id: TerminalId,
    software_version: Option<&str>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    hit_one(execute!(tx, SEEN, site, id.0, now.0, software_version)?)
}

/// Takes a terminal off, with every session that began there. `false` when it is unknown or off.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn revoke_terminal(tx: &mut Tx, site: &str, id: TerminalId, now: Timestamp) -> Result<bool, StoreError> {
    let hit = hit_one(execute!(tx, REVOKE_TERMINAL, site, id.0, now.0)?)?;
    execute!(tx, REVOKE_SESSIONS_AT, site, id.0, now.0)?;
    Ok(hit)
}

/// The hash of a terminal's exit PIN: `None` for an unknown or revoked terminal, `Some(None)` where no
/// PIN is set.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn exit_pin(tx: &mut Tx, site: &str, id: TerminalId) -> Result<Option<Option<String>>, StoreError> {
    let row = fetch_optional!(tx, (Option<String>,), EXIT_PIN, site, id.0)?;
    Ok(row.map(|(hash,)| hash))
}

/// Sets or removes a terminal's exit PIN. `false` when the terminal is unknown or revoked.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn set_exit_pin(tx: &mut Tx, site: &str, id: TerminalId, hash: Option<&str>) -> Result<bool, StoreError> {
    hit_one(execute!(tx, SET_EXIT_PIN, site, id.0, hash)?)
}

/// A member of staff.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn staff(tx: &mut Tx, site: &str, id: StaffId) -> Result<Option<StaffRow>, StoreError> {
    fetch_optional!(tx, StaffRow, STAFF, site, id.0)
}

/// A page of the staff by sign-in name, from behind the name given, and how many there are in all,
/// counted one beyond [`MOST_COUNTED`] at the most.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn staff_page(
    tx: &mut Tx,
    site: &str,
    filter: &StaffFilter,
    after: &str,
    limit: i64,
) -> Result<(Vec<StaffRow>, i64), StoreError> {
    let text = filter.text.as_deref().map(containing);
    let (text, role, active) = (text.as_deref(), filter.role.map(Role::as_str), filter.active);
    let rows = fetch_all!(&mut *tx, StaffRow, STAFF_PAGE, site, text, role, active, after, limit)?;
    let (found,) = fetch_one!(tx, (i64,), COUNT_FOUND, site, text, role, active, MOST_COUNTED.saturating_add(1))?;
    Ok((rows, found))
}

/// How many members of staff the site has, active or not.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn count_staff(tx: &mut Tx, site: &str) -> Result<i64, StoreError> {
    Ok(fetch_one!(tx, (i64,), COUNT_STAFF, site)?.0)
}

/// What is needed to verify the person of this sign-in name.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn credentials(tx: &mut Tx, site: &str, username: &str) -> Result<Option<CredentialsRow>, StoreError> {
    fetch_optional!(tx, CredentialsRow, CREDENTIALS, site, username)
}

/// The sign-in name of the only active admin who has a PIN; `None` where there are several or none.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn only_admin_with_pin(tx: &mut Tx, site: &str) -> Result<Option<String>, StoreError> {
    let mut admins = fetch_all!(tx, (String,), ADMINS_WITH_PIN, site)?;
    Ok(if admins.len() == 1 { admins.pop().map(|(username,)| username) } else { None })
}

/// Raises the version of the site's staff, and keeps every other change of staff waiting until this
/// transaction ends: two admins cannot remove each other at one instant.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn lock_staff(tx: &mut Tx, site: &str) -> Result<(), StoreError> {
    execute!(tx, STAFF_CHANGED, site)?;
    Ok(())
}

/// Adds a member of staff. `false` when the sign-in name is taken.
///
/// # Errors
/// [`StoreError::Constraint`] for a role that staff cannot have or a text that is too long.
pub async fn insert_staff(tx: &mut Tx, site: &str, new: &NewStaff<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let rows = execute!(
        tx,
        NEW_STAFF,
        site,
        new.id.0,
        new.username,
        new.name,
        new.role.as_str(),
        new.password_hash,
        new.pin_hash,
        now.0
    )?;
    hit_one(rows)
}

/// Lets a person in, or no longer. `false` when unknown, or the last active admin. Call
/// [`lock_staff`] first.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn set_active(
    tx: &mut Tx,
    site: &str,
    id: StaffId,
    active: bool,
    now: Timestamp,
) -> Result<bool, StoreError> {
    hit_one(execute!(tx, SET_ACTIVE, site, id.0, active, now.0)?)
}

/// Changes a role. `false` when unknown, or the last active admin would be none. Call [`lock_staff`]
/// first.
///
/// # Errors
/// [`StoreError::Constraint`] for a role that staff cannot have.
pub async fn set_role(tx: &mut Tx, site: &str, id: StaffId, role: Role, now: Timestamp) -> Result<bool, StoreError> {
    hit_one(execute!(tx, SET_ROLE, site, id.0, role.as_str(), now.0)?)
}

/// Sets a password's hash. `false` when the person is unknown.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn set_password(
    tx: &mut Tx,
    site: &str,
    id: StaffId,
    hash: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    hit_one(execute!(tx, SET_PASSWORD, site, id.0, hash, now.0)?)
}

/// Sets a PIN's hash. `false` when the person is unknown.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn set_pin(tx: &mut Tx, site: &str, id: StaffId, hash: &str, now: Timestamp) -> Result<bool, StoreError> {
    hit_one(execute!(tx, SET_PIN, site, id.0, hash, now.0)?)
}

/// Begins a session. `false`, and none begun, when the person was deactivated or their rights or
/// secrets changed since they were verified.
///
/// # Errors
/// Any [`StoreError`] of the statements.
pub async fn begin_session(
    tx: &mut Tx,
    site: &str,
    session: &NewSession<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if !hit_one(execute!(tx, SIGNED_IN, site, session.staff.0, session.permissions_version, now.0)?)? {
        return Ok(false);
    }
    execute!(
        tx,
        NEW_SESSION,
        site,
        session.token_hash,
        session.staff.0,
        session.terminal.map(|id| id.0),
        session.role.as_str(),
        session.permissions_version,
        now.0,
        session.expires_at.0
    )?;
    Ok(true)
}

/// Ends a session. `false` when it is unknown or was ended before.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn revoke_session(tx: &mut Tx, site: &str, token_hash: &[u8], now: Timestamp) -> Result<bool, StoreError> {
    hit_one(execute!(tx, REVOKE_SESSION, site, token_hash, now.0)?)
}

/// Ends every session of a person; answers how many.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn revoke_sessions_of(tx: &mut Tx, site: &str, id: StaffId, now: Timestamp) -> Result<u64, StoreError> {
    execute!(tx, REVOKE_SESSIONS_OF, site, id.0, now.0)
}

/// The fingerprint of the pepper that the store's hashes need: `None` where the store has no row about
/// itself, `Some(None)` before the first hash.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn pepper_fingerprint(tx: &mut Tx) -> Result<Option<Option<Vec<u8>>>, StoreError> {
    let row = fetch_optional!(tx, (Option<Vec<u8>>,), PEPPER)?;
    Ok(row.map(|(fingerprint,)| fingerprint))
}

/// Writes the pepper's fingerprint where none is.
///
/// # Errors
/// Any [`StoreError`] of the statement.
pub async fn claim_pepper(tx: &mut Tx, fingerprint: &[u8]) -> Result<(), StoreError> {
    execute!(tx, CLAIM_PEPPER, fingerprint)?;
    Ok(())
}
