//! Who knocks at the door, before it is known what they may do. The door turns a [`Caller`] into an
//! actor inside the command's own transaction, so that a revoked session is refused at once.

use crate::domain::access::{Actor, Role};
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::{CustomerId, StaffId, TerminalId};
use crate::domain::time::Timestamp;
use crate::store::{Tx, people};
use sha2::{Digest, Sha256};

/// Who gives a command.
#[derive(Clone)]
pub enum Caller {
    /// The house itself: worker, set-up.
    System,
    /// A payment gateway whose message was verified.
    Gateway(&'static str),
    /// A guest at a kiosk.
    Guest {
        /// The guest's session.
        customer: CustomerId,
        /// The kiosk.
        terminal: Option<TerminalId>,
    },
    /// A registered kitchen terminal with nobody signed in; a registered board, for questions only.
    Terminal(TerminalId),
    /// Somebody signed in.
    Session {
        /// The secret token of the session.
        token: String,
        /// The terminal at which it is used.
        terminal: Option<TerminalId>,
        /// The admin whose PIN was verified for this one command.
        override_by: Option<StaffId>,
    },
}

/// Tokens are secrets: they are never shown.
impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::System => f.write_str("System"),
            Self::Gateway(name) => write!(f, "Gateway({name})"),
            Self::Guest { customer, .. } => write!(f, "Guest({customer})"),
            Self::Terminal(id) => write!(f, "Terminal({id})"),
            Self::Session { .. } => f.write_str("Session(…)"),
        }
    }
}

/// What the store keeps of a token.
#[must_use]
pub fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// Between two notes of when a session was last used.
const USED_EVERY_SECONDS: i64 = 30;

/// Whether the use of a session is noted; a transaction that only reads cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Touch {
    /// Noted.
    Yes,
    /// Left to the next command.
    No,
}

/// Turns a caller into an actor.
///
/// # Errors
/// `INVALID_TOKEN` or `TOKEN_EXPIRED` for a session that is unknown, revoked, over, or older than a
/// change of the person's rights; `FORBIDDEN` for a terminal that is not registered or cannot act by
/// itself; `INSUFFICIENT_ROLE` for an override by somebody who is no active admin.
pub(super) async fn resolve(
    tx: &mut Tx,
    site: &str,
    caller: &Caller,
    now: Timestamp,
    touch: Touch,
) -> Result<Actor, Refused> {
    match caller {
        Caller::System => Ok(Actor::system()),
        Caller::Gateway(name) => Ok(Actor::gateway(name)),
        Caller::Guest { customer, terminal } => Ok(Actor::guest(*customer, *terminal)),
        Caller::Terminal(id) => {
            let terminal = people::terminal(tx, site, *id).await?.filter(|row| row.revoked_at.is_none());
            let terminal = terminal.ok_or_else(|| {
                Refused::new(ErrorCode::Forbidden, "This terminal is not registered.")
                    .help("Ask a manager to register it, or sign in.")
            })?;
            // A board only shows; a kiosk acts for its guest, a console for whoever signed in.
            if terminal.role != "kitchen" && !(terminal.role == "board" && touch == Touch::No) {
                return Err(Refused::new(ErrorCode::Forbidden, "This terminal cannot do this by itself.")
                    .with("role", terminal.role)
                    .by_guard("terminal")
                    .help("Sign in first."));
            }
            Ok(Actor::kitchen_terminal(*id, terminal.name))
        }
        Caller::Session { token, terminal, override_by } => {
            let hash = token_hash(token);
            let session = people::session(tx, site, &hash)
                .await?
                .ok_or_else(|| Refused::new(ErrorCode::InvalidToken, "This session is not known here."))?;
            let over = session.revoked_at.is_some()
                || now.0 >= session.expires_at
                || !session.active
                || session.permissions_version != session.staff_permissions_version;
            if over {
                return Err(Refused::new(ErrorCode::TokenExpired, "The session is over."));
            }
            if touch == Touch::Yes && now.0 - session.last_used_at > USED_EVERY_SECONDS * crate::domain::time::MICROS {
                people::touch_session(tx, site, (&hash, session.staff_id), now).await?;
            }
            let role = Role::parse(&session.role).ok_or_else(|| Refused::internal("a session has an unknown role"))?;
            let mut actor = Actor::staff(StaffId(session.staff_id), role, session.username, *terminal);
            if let Some(admin) = override_by {
                // The PIN was verified before this transaction: the admin may have been let go since.
                let row = people::staff(tx, site, *admin).await?;
                if !row.is_some_and(|row| row.active && row.role == Role::Admin.as_str()) {
                    return Err(Refused::new(ErrorCode::InsufficientRole, "The override is not an admin's any more.")
                        .by_guard("override"));
                }
            }
            actor.override_by = *override_by;
            Ok(actor)
        }
    }
}
