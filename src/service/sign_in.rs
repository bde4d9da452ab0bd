//! Signing in and out: by name and password, by name and PIN on a registered terminal, and an admin's
//! PIN that lets one command through. Who is on the staff is changed in `staff`.
//!
//! Every try takes the same steps, known name or not: counted and committed, verified outside of any
//! transaction, then its result is written.

use super::caller::{Caller, token_hash};
use super::door::{Context, Door, Query, UseCase, View};
use super::secrets::{MAX_SECRET, Secrets};
use super::tries::{self, Counter};
use crate::domain::access::{Actor, Permission, Role};
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::{StaffId, TerminalId};
use crate::domain::time::Timestamp;
use crate::store::people::{self, NewSession};
use crate::store::records::AuditRow;
use serde::{Deserialize, Serialize};

/// The longest that a session lasts, in seconds.
pub const SESSION_SECONDS: i64 = 12 * 3_600;
/// The fewest digits of a PIN.
pub const MIN_PIN: usize = 6;
/// The most digits of a PIN.
const MAX_PIN: usize = 12;
/// The fewest characters of a password.
pub const MIN_PASSWORD: usize = 8;

/// Somebody who has just signed in.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The secret token, for [`Caller::Session`]. The store keeps its hash only.
    pub token: String,
    /// Who.
    pub staff: StaffId,
    /// Their sign-in name.
    pub username: String,
    /// Their name for people.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// When the session ends at the latest.
    pub expires_at: Timestamp,
}

/// The token is a secret: it is never shown.
impl std::fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SignedIn({}, {}, until {}, token …)", self.username, self.role, self.expires_at)
    }
}

/// What the person offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
enum Offered {
    Password,
    Pin,
    /// An admin's PIN for one command of somebody else.
    Override,
}

/// A sign-in name as it is stored: trimmed, in small letters.
pub(super) fn username(text: &str) -> String {
    text.trim().chars().take(50).collect::<String>().to_lowercase()
}

/// Refuses a PIN that is too short or too easy.
///
/// # Errors
/// `VALIDATION_ERROR` of the field `pin`.
pub fn check_pin(pin: &str) -> Result<(), Refused> {
    let refuse = |message: String| Err(Refused::invalid("pin", message));
    if !(MIN_PIN..=MAX_PIN).contains(&pin.len()) || !pin.bytes().all(|byte| byte.is_ascii_digit()) {
        return refuse(format!("A PIN has {MIN_PIN} to {MAX_PIN} digits."));
    }
    let steps = || pin.bytes().zip(pin.bytes().skip(1)).map(|(one, next)| i16::from(next) - i16::from(one));
    if [0, 1, -1].iter().any(|step| steps().all(|found| found == *step)) {
        return refuse("This PIN is too easy to guess.".to_owned());
    }
    Ok(())
}

/// Refuses a password that is too short, too long, or the sign-in name itself.
///
/// # Errors
/// `VALIDATION_ERROR` of the field `password`.
pub fn check_password(name: &str, password: &str) -> Result<(), Refused> {
    let refuse = |message: String| Err(Refused::invalid("password", message));
    if password.chars().count() < MIN_PASSWORD {
        return refuse(format!("A password has at least {MIN_PASSWORD} characters."));
    }
    if password.len() > MAX_SECRET {
        return refuse(format!("A password has at most {MAX_SECRET} bytes."));
    }
    if password.chars().any(char::is_control) {
        return refuse("A password has no control characters.".to_owned());
    }
    if password.to_lowercase() == name {
        return refuse("The password is not the sign-in name.".to_owned());
    }
    Ok(())
}

fn wrong(offered: Offered) -> Refused {
    let message = match offered {
        Offered::Password => "The name or the password is wrong.",
        Offered::Pin => "The name or the PIN is wrong.",
        Offered::Override => "This is not the PIN of a manager.",
    };
    Refused::new(ErrorCode::InvalidToken, message).by_guard("sign_in")
}

/// Counts a try, and answers what it is verified against.
#[derive(Debug, Clone, Serialize)]
struct TrySignIn {
    username: String,
    terminal: Option<TerminalId>,
    offered: Offered,
}

/// A person who may be the one. Not `Debug`.
#[derive(Clone, Serialize, Deserialize)]
struct Candidate {
    id: StaffId,
    permissions_version: i64,
    /// None where this person cannot come in this way.
    hash: Option<String>,
}

impl TrySignIn {
    fn counters(&self) -> [Counter; 2] {
        [Counter::account(&self.username), Counter::terminal(self.terminal)]
    }
}

impl UseCase for TrySignIn {
    type Output = Option<Candidate>;
    const NAME: &'static str = "sign_in_try";
    const PERMISSION: Permission = Permission::SystemRun;
    const AUDITED: bool = false;

    async fn run(&self, context: &mut Context<'_>) -> Result<Self::Output, Refused> {
        let site = context.site.id.clone();
        match self.terminal {
            Some(id) => {
                let known = people::terminal(context.tx, &site, id).await?.is_some_and(|row| row.revoked_at.is_none());
                if !known {
                    return Err(Refused::new(ErrorCode::Forbidden, "This terminal is not registered.")
                        .by_guard("terminal")
                        .help("Ask a manager to register it."));
                }
            }
            None if self.offered == Offered::Pin => {
                return Err(Refused::invalid("terminal", "A PIN is taken at a registered terminal only.")
                    .help("Sign in with your name and password."));
            }
            None => {}
        }
        tries::take(context, &self.counters()).await?;
        let row = people::credentials(context.tx, &site, &self.username).await?;
        Ok(row.map(|row| {
            let hash = match self.offered {
                _ if !row.active => None,
                Offered::Password => Some(row.password_hash),
                Offered::Pin => row.pin_hash,
                Offered::Override => row.pin_hash.filter(|_| row.role == Role::Admin.as_str()),
            };
            Candidate { id: StaffId(row.id), permissions_version: row.permissions_version, hash }
        }))
    }
}

/// Notes a try that failed. Only the name of a known person is kept: people type passwords as names.
#[derive(Debug, Clone, Serialize)]
struct SignInFailed {
    staff: Option<StaffId>,
    terminal: Option<TerminalId>,
    offered: Offered,
}

impl UseCase for SignInFailed {
    type Output = ();
    const NAME: &'static str = "sign_in_failed";
    const PERMISSION: Permission = Permission::SystemRun;

    async fn run(&self, context: &mut Context<'_>) -> Result<(), Refused> {
        context.actor.terminal = self.terminal;
        let how = match self.offered {
            Offered::Password => "password",
            Offered::Pin => "PIN",
            Offered::Override => "PIN for an override",
        };
        context.audit(AuditRow {
            action: "SIGN_IN_REFUSED",
            entity: "Staff",
            entity_id: self.staff.map_or_else(|| "unknown".to_owned(), |id| id.to_string()),
            details: format!("wrong {how}"),
            before: None,
            after: None,
            reason: None,
        });
        Ok(())
    }
}

/// Begins the session of somebody who was verified.
#[derive(Clone, Serialize)]
struct BeginSession {
    staff: StaffId,
    permissions_version: i64,
    token_hash: Vec<u8>,
    try_: TrySignIn,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct SessionBegun {
    username: String,
    name: String,
    role: Role,
    expires_at: Timestamp,
}

impl UseCase for BeginSession {
    type Output = SessionBegun;
    const NAME: &'static str = "sign_in";
    const PERMISSION: Permission = Permission::SystemRun;

    async fn run(&self, context: &mut Context<'_>) -> Result<SessionBegun, Refused> {
        let (site, now) = (context.site.id.clone(), context.now);
        let row = people::staff(context.tx, &site, self.staff).await?.ok_or_else(|| wrong(self.try_.offered))?;
        let role = Role::parse(&row.role).ok_or_else(|| Refused::internal("a person has an unknown role"))?;
        let expires_at = now.plus_seconds(SESSION_SECONDS);
        let session = NewSession {
            token_hash: &self.token_hash,
            staff: self.staff,
            terminal: self.try_.terminal,
            role,
            permissions_version: self.permissions_version,
            expires_at,
        };
        if !people::begin_session(context.tx, &site, &session, now).await? {
            return Err(wrong(self.try_.offered));
        }
        tries::succeed(context, &self.try_.counters()).await?;
        context.actor = Actor::staff(self.staff, role, row.username.clone(), self.try_.terminal);
        let how = if self.try_.offered == Offered::Pin { "PIN" } else { "password" };
        context.audit(signing(self.staff, "SIGN_IN", format!("signed in by {how}")));
        Ok(SessionBegun { username: row.username, name: row.name, role, expires_at })
    }
}

fn signing(staff: StaffId, action: &'static str, details: String) -> AuditRow {
    AuditRow { action, entity: "Staff", entity_id: staff.to_string(), details, before: None, after: None, reason: None }
}

/// Counts, verifies, and notes a failure; answers who it is and which rights were verified.
async fn verify(door: &Door, secrets: &Secrets, try_: &TrySignIn, secret: &str) -> Result<(StaffId, i64), Refused> {
    secrets.check_store(door).await?;
    let candidate = door.execute(&Caller::System, None, try_.clone()).await?;
    let hash = candidate.as_ref().and_then(|candidate| candidate.hash.as_deref());
    let right = secrets.verify(secret, hash).await?;
    if let Some(candidate) = candidate.as_ref().filter(|_| right) {
        return Ok((candidate.id, candidate.permissions_version));
    }
    let staff = candidate.map(|candidate| candidate.id);
    let failed = SignInFailed { staff, terminal: try_.terminal, offered: try_.offered };
    door.execute(&Caller::System, None, failed).await?;
    Err(wrong(try_.offered))
}

async fn sign_in(door: &Door, secrets: &Secrets, try_: TrySignIn, secret: &str) -> Result<SignedIn, Refused> {
    let (staff, permissions_version) = verify(door, secrets, &try_, secret).await?;
    let token = secrets.token();
    let begin = BeginSession { staff, permissions_version, token_hash: token_hash(&token), try_ };
    let begun = door.execute(&Caller::System, None, begin).await?;
    Ok(SignedIn {
        token,
        staff,
        username: begun.username,
        name: begun.name,
        role: begun.role,
        expires_at: begun.expires_at,
    })
}

/// Signs in by name and password; the session lasts 12 hours at most.
///
/// # Errors
/// `INVALID_TOKEN` when name or password is wrong or the person was deactivated, `RATE_LIMITED` with
/// `details.seconds`, `FORBIDDEN` for a terminal that is not registered or another pepper,
/// `STORE_UNAVAILABLE`.
pub async fn login(
    door: &Door,
    secrets: &Secrets,
    terminal: Option<TerminalId>,
    name: &str,
    password: &str,
) -> Result<SignedIn, Refused> {
    let try_ = TrySignIn { username: username(name), terminal, offered: Offered::Password };
    sign_in(door, secrets, try_, password).await
}

/// Signs in by name and PIN at a registered terminal: the quick switch between people.
///
/// # Errors
/// As [`login`].
pub async fn login_pin(
    door: &Door,
    secrets: &Secrets,
    terminal: TerminalId,
    name: &str,
    pin: &str,
) -> Result<SignedIn, Refused> {
    let try_ = TrySignIn { username: username(name), terminal: Some(terminal), offered: Offered::Pin };
    sign_in(door, secrets, try_, pin).await
}

/// Whether there is but one admin with a PIN.
struct OnlyAdmin;

impl Query for OnlyAdmin {
    type Output = Option<String>;
    const PERMISSION: Permission = Permission::SystemRun;

    async fn run(&self, view: &mut View<'_>) -> Result<Self::Output, Refused> {
        Ok(people::only_admin_with_pin(view.tx, &view.site.id).await?)
    }
}

/// Notes an override that was let through.
#[derive(Debug, Clone, Serialize)]
struct OverrideGranted {
    admin: StaffId,
    try_: TrySignIn,
}

impl UseCase for OverrideGranted {
    type Output = ();
    const NAME: &'static str = "override_granted";
    const PERMISSION: Permission = Permission::SystemRun;

    async fn run(&self, context: &mut Context<'_>) -> Result<(), Refused> {
        let site = context.site.id.clone();
        let row = people::staff(context.tx, &site, self.admin).await?;
        let row = row.filter(|row| row.active && row.role == Role::Admin.as_str());
        let row = row.ok_or_else(|| wrong(Offered::Override))?;
        tries::succeed(context, &self.try_.counters()).await?;
        context.actor = Actor::staff(self.admin, Role::Admin, row.username, self.try_.terminal);
        context.audit(signing(self.admin, "OVERRIDE_GRANTED", "let one command through by PIN".to_owned()));
        Ok(())
    }
}

/// Verifies an admin's PIN for one command: put the answer into [`Caller::Session`]'s `override_by`,
/// once. Without a name, the only admin who has a PIN is meant.
///
/// # Errors
/// `INVALID_TOKEN` for a wrong PIN or somebody who is no active admin, `VALIDATION_ERROR` of `admin`
/// where a name is needed, `RATE_LIMITED` with `details.seconds`, `STORE_UNAVAILABLE`.
pub async fn verify_override(
    door: &Door,
    secrets: &Secrets,
    terminal: Option<TerminalId>,
    admin: Option<&str>,
    pin: &str,
) -> Result<StaffId, Refused> {
    let admin = match admin {
        Some(name) => username(name),
        None => door
            .ask(&Caller::System, OnlyAdmin)
            .await?
            .ok_or_else(|| Refused::invalid("admin", "Say which manager.").help("Type the manager's sign-in name."))?,
    };
    let try_ = TrySignIn { username: admin, terminal, offered: Offered::Override };
    let (admin, _) = verify(door, secrets, &try_, pin).await?;
    door.execute(&Caller::System, None, OverrideGranted { admin, try_ }).await?;
    Ok(admin)
}

/// Ends a session.
#[derive(Clone, Serialize)]
struct SignOut {
    token_hash: Vec<u8>,
}

impl UseCase for SignOut {
    type Output = ();
    const NAME: &'static str = "sign_out";
    const PERMISSION: Permission = Permission::SystemRun;
    const AUDITED: bool = false;

    async fn run(&self, context: &mut Context<'_>) -> Result<(), Refused> {
        let (site, now) = (context.site.id.clone(), context.now);
        let Some(session) = people::session(context.tx, &site, &self.token_hash).await? else { return Ok(()) };
        if people::revoke_session(context.tx, &site, &self.token_hash, now).await? {
            let (staff, role) = (StaffId(session.staff_id), Role::parse(&session.role));
            let role = role.ok_or_else(|| Refused::internal("a session has an unknown role"))?;
            context.actor = Actor::staff(staff, role, session.username, None);
            context.audit(signing(staff, "SIGN_OUT", "signed out".to_owned()));
        }
        Ok(())
    }
}

/// Ends the session of a token; one that is unknown or over is left as it is.
///
/// # Errors
/// `STORE_UNAVAILABLE`.
pub async fn logout(door: &Door, token: &str) -> Result<(), Refused> {
    door.execute(&Caller::System, None, SignOut { token_hash: token_hash(token) }).await
}

/// Who a caller is to the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhoIs {
    /// The person, where one is signed in.
    pub staff: Option<StaffId>,
    /// What the audit log calls them.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// The terminal.
    pub terminal: Option<TerminalId>,
    /// What they may do.
    pub permissions: Vec<Permission>,
}

/// Who the caller is; refused where the caller's session is over.
#[derive(Debug, Clone, Copy, Default)]
pub struct WhoAmI;

impl Query for WhoAmI {
    type Output = WhoIs;
    const PERMISSION: Permission = Permission::MenuRead;

    async fn run(&self, view: &mut View<'_>) -> Result<WhoIs, Refused> {
        let actor = &view.actor;
        Ok(WhoIs {
            staff: actor.staff,
            name: actor.name.clone(),
            role: actor.role,
            terminal: actor.terminal,
            permissions: actor.permissions().to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easy_pins_and_passwords_are_refused() {
        for pin in ["", "12345", "000000", "123456", "987654", "1234567890123", "12345a", "１２３４５６"] {
            assert!(check_pin(pin).is_err(), "{pin}");
        }
        for pin in ["271828", "112358", "1234560"] {
            assert!(check_pin(pin).is_ok(), "{pin}");
        }
        for password in ["", "short", "asha\u{7}-2026", "longname"] {
            assert!(check_password("longname", password).is_err(), "{password}");
        }
        assert!(check_password("asha", "demo-asha-2026").is_ok());
        assert!(check_password("asha", &"x".repeat(MAX_SECRET + 1)).is_err());
    }

    #[test]
    fn a_token_is_not_shown() {
        let signed_in = SignedIn {
            token: "f00d".repeat(16),
            staff: StaffId(uuid::Uuid::nil()),
            username: "asha".into(),
            name: "Asha".into(),
            role: Role::Admin,
            expires_at: Timestamp(0),
        };
        assert!(!format!("{signed_in:?}").contains("f00d"));
    }
}
