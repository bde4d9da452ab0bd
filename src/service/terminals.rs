//! The screens of the house: each process registers itself under a stable name, shows by its heartbeat
//! that it lives, and can be taken off. A kiosk is left only with its exit PIN.

use super::caller::Caller;
use super::door::{Context, Door, Query, UseCase, View};
use super::secrets::{Secrets, same_secret};
use super::sign_in::check_pin;
use super::tries::{self, Counter};
use crate::domain::access::Permission;
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::TerminalId;
use crate::domain::text::clean;
use crate::domain::time::Timestamp;
use crate::store::people;
use crate::store::people::TerminalRow;
use crate::store::records::AuditRow;
use crate::words;
use serde::{Deserialize, Serialize};

words!(
    /// What a terminal is for.
    TerminalRole, "terminal role" {
        /// Customers order here.
        Kiosk = "kiosk",
        /// Cooks work here.
        Kitchen = "kitchen",
        /// Numbers are called here.
        Board = "board",
        /// Managers work here; the counter and the command line, too.
        Console = "console",
        /// The house's own timers run here.
        Worker = "worker",
    }
);

/// The exit PIN of every kiosk of the demo store that was given none of its own.
pub const DEMO_EXIT_PIN: &str = "112358";
/// The terminal at which the till stands for callers that name none.
pub const COUNTER: &str = "counter";
/// The longest name.
const MAX_NAME: usize = 50;
/// The longest name of a version.
const MAX_VERSION: usize = 40;

/// A terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalView {
    /// Its identity.
    pub id: TerminalId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub role: TerminalRole,
    /// What it runs.
    pub software_version: Option<String>,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// Its last heartbeat.
    pub last_seen_at: Option<Timestamp>,
    /// When it was taken off.
    pub revoked_at: Option<Timestamp>,
}

impl TerminalView {
    fn of(row: TerminalRow) -> Result<Self, Refused> {
        let role = TerminalRole::parse(&row.role).ok_or_else(|| Refused::internal("a terminal has an unknown role"))?;
        Ok(Self {
            id: TerminalId(row.id),
            name: row.name,
            role,
            software_version: row.software_version,
            registered_at: Timestamp(row.registered_at),
            last_seen_at: row.last_seen_at.map(Timestamp),
            revoked_at: row.revoked_at.map(Timestamp),
        })
    }
}

fn audit(action: &'static str, id: TerminalId, details: String, reason: Option<String>) -> AuditRow {
    AuditRow { action, entity: "Terminal", entity_id: id.to_string(), details, before: None, after: None, reason }
}

fn not_registered() -> Refused {
    Refused::new(ErrorCode::Forbidden, "This terminal is not registered, or was taken off.")
        .by_guard("terminal")
        .help("Ask a manager to register it under a new name.")
}

/// The name under which a process registers unless it is told another: `<role>-<host name>`, or
/// `<role>-1` where the host has no usable name.
#[must_use]
pub fn default_name(role: TerminalRole, host: Option<&str>) -> String {
    let host = clean(host.unwrap_or_default(), MAX_NAME - 10, false).replace(' ', "-");
    format!("{role}-{}", if host.is_empty() { "1" } else { &host })
}

/// Registers a terminal, or finds the one of this name and role again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegisterTerminal {
    /// Its name, at most 50 characters.
    pub name: String,
    /// What it is for.
    pub role: TerminalRole,
    /// What it runs.
    pub software_version: Option<String>,
}

impl UseCase for RegisterTerminal {
    type Output = TerminalId;
    const NAME: &'static str = "terminal_register";
    const PERMISSION: Permission = Permission::SystemRun;
    const AUDITED: bool = false;

    async fn run(&self, context: &mut Context<'_>) -> Result<TerminalId, Refused> {
        let version = self.software_version.as_deref().map(|version| clean(version, MAX_VERSION, false));
        find_or_register(context, &self.name, self.role, version.as_deref()).await
    }
}

/// A terminal by name, registered when there is none.
pub(super) async fn find_or_register(
    context: &mut Context<'_>,
    name: &str,
    role: TerminalRole,
    version: Option<&str>,
) -> Result<TerminalId, Refused> {
    // One more than may be, so that a name that is too long is refused and not cut.
    let name = clean(name, MAX_NAME + 1, false);
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return Err(Refused::invalid("terminal", format!("A terminal's name has 1 to {MAX_NAME} characters.")));
    }
    let (site, now) = (context.site.id.clone(), context.now);
    let id = TerminalId(context.new_id());
    if people::insert_terminal(context.tx, &site, id, &name, role.as_str(), version, now).await? {
        context.audit(audit("CREATE", id, format!("terminal {name} registered as {role}"), None));
        return Ok(id);
    }
    let row = people::terminal_named(context.tx, &site, &name).await?.ok_or_else(not_registered)?;
    if row.role != role.as_str() {
        return Err(Refused::conflict(format!("The terminal {name} is registered as {}.", row.role))
            .help("Choose another name for this one."));
    }
    let id = TerminalId(row.id);
    if !people::terminal_seen(context.tx, &site, id, version, now).await? {
        return Err(not_registered());
    }
    Ok(id)
}

/// Registers this process's terminal; the same name and role answer the same terminal.
///
/// # Errors
/// `VALIDATION_ERROR` for a name that cannot be one, `CONFLICT` for a name of another role,
/// `FORBIDDEN` for one that was taken off, `STORE_UNAVAILABLE`.
pub async fn register(door: &Door, name: &str, role: TerminalRole) -> Result<TerminalId, Refused> {
    let software_version = Some(env!("CARGO_PKG_VERSION").to_owned());
    door.execute(&Caller::System, None, RegisterTerminal { name: name.to_owned(), role, software_version }).await
}

/// Notes that a terminal lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Heartbeat {
    /// The terminal.
    pub terminal: TerminalId,
    /// What it runs.
    pub software_version: Option<String>,
}

impl UseCase for Heartbeat {
    type Output = ();
    const NAME: &'static str = "terminal_heartbeat";
    const PERMISSION: Permission = Permission::SystemRun;
    const AUDITED: bool = false;

    async fn run(&self, context: &mut Context<'_>) -> Result<(), Refused> {
        let (site, now) = (context.site.id.clone(), context.now);
        let version = self.software_version.as_deref().map(|version| clean(version, MAX_VERSION, false));
        let seen = people::terminal_seen(context.tx, &site, self.terminal, version.as_deref(), now).await?;
        if seen { Ok(()) } else { Err(not_registered()) }
    }
}

/// Takes a terminal off: it can do nothing more, and every session that began there is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeTerminal {
    /// The terminal.
    pub terminal: TerminalId,
    /// Why.
    pub reason: String,
}

impl UseCase for RevokeTerminal {
    type Output = ();
    const NAME: &'static str = "terminal_revoke";
    const PERMISSION: Permission = Permission::SettingsWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<(), Refused> {
        let reason = super::staff::reason(&self.reason)?;
        let (site, now) = (context.site.id.clone(), context.now);
        if !people::revoke_terminal(context.tx, &site, self.terminal, now).await? {
            return Err(Refused::not_found("terminal", self.terminal));
        }
        context.audit(audit("REVOKE", self.terminal, "terminal taken off".to_owned(), Some(reason)));
        Ok(())
    }
}

/// Every terminal, by name.
#[derive(Debug, Clone, Copy, Default)]
pub struct ListTerminals;

impl Query for ListTerminals {
    type Output = Vec<TerminalView>;
    const PERMISSION: Permission = Permission::SettingsWrite;

    async fn run(&self, view: &mut View<'_>) -> Result<Self::Output, Refused> {
        people::terminals(view.tx, &view.site.id).await?.into_iter().map(TerminalView::of).collect()
    }
}

/// Sets a hash that was computed before. Not `Debug`.
#[derive(Clone, Serialize)]
struct SetExitPin {
    terminal: TerminalId,
    mark: Vec<u8>,
    reason: String,
    #[serde(skip)]
    hash: String,
}

impl UseCase for SetExitPin {
    type Output = ();
    const NAME: &'static str = "terminal_set_exit_pin";
    const PERMISSION: Permission = Permission::SettingsWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<(), Refused> {
        let site = context.site.id.clone();
        let unknown = || Refused::not_found("terminal", self.terminal);
        let before = people::exit_pin(context.tx, &site, self.terminal).await?.ok_or_else(unknown)?;
        // A first PIN takes nothing from anybody; another one locks in whoever knew the old one.
        let is_first = before.is_none() && self.reason.trim().is_empty();
        let why = if is_first { None } else { Some(super::staff::reason(&self.reason)?) };
        if !people::set_exit_pin(context.tx, &site, self.terminal, Some(&self.hash)).await? {
            return Err(unknown());
        }
        tries::succeed(context, &[Counter::exit_pin(self.terminal)]).await?;
        context.audit(audit("UPDATE", self.terminal, "exit PIN set".to_owned(), why));
        Ok(())
    }
}

/// Sets the PIN with which a kiosk is left, and keeps why. A first PIN needs no reason: `why` may be empty
/// then.
///
/// # Errors
/// `VALIDATION_ERROR` of `reason`, or for a PIN that is too easy; `INSUFFICIENT_ROLE`, `NOT_FOUND`,
/// `STORE_UNAVAILABLE`.
pub async fn set_exit_pin(
    door: &Door,
    secrets: &Secrets,
    caller: &Caller,
    terminal: TerminalId,
    pin: &str,
    why: &str,
) -> Result<(), Refused> {
    check_pin(pin)?;
    secrets.check_store(door).await?;
    let (mark, hash) = (secrets.mark(pin), secrets.hash(pin).await?);
    door.execute(caller, None, SetExitPin { terminal, mark, reason: why.to_owned(), hash }).await
}

/// Counts a try of an exit PIN and answers what it is verified against.
#[derive(Clone, Serialize)]
struct TryExitPin {
    terminal: TerminalId,
}

#[derive(Clone, Serialize, Deserialize)]
enum ExitPin {
    Hash(String),
    Demo,
    None,
}

impl UseCase for TryExitPin {
    type Output = ExitPin;
    const NAME: &'static str = "terminal_try_exit_pin";
    const PERMISSION: Permission = Permission::SystemRun;
    const AUDITED: bool = false;

    async fn run(&self, context: &mut Context<'_>) -> Result<ExitPin, Refused> {
        let site = context.site.id.clone();
        let hash = people::exit_pin(context.tx, &site, self.terminal).await?.ok_or_else(not_registered)?;
        tries::take(context, &[Counter::exit_pin(self.terminal)]).await?;
        Ok(match hash {
            Some(hash) => ExitPin::Hash(hash),
            None if context.site.demo => ExitPin::Demo,
            None => ExitPin::None,
        })
    }
}

/// Notes how a try of an exit PIN went.
#[derive(Debug, Clone, Serialize)]
struct ExitPinTried {
    terminal: TerminalId,
    right: bool,
}

impl UseCase for ExitPinTried {
    type Output = ();
    const NAME: &'static str = "terminal_exit_pin_tried";
    const PERMISSION: Permission = Permission::SystemRun;

    async fn run(&self, context: &mut Context<'_>) -> Result<(), Refused> {
        context.actor.terminal = Some(self.terminal);
        if self.right {
            tries::succeed(context, &[Counter::exit_pin(self.terminal)]).await?;
        }
        let (action, details) =
            if self.right { ("EXIT", "kiosk left with its exit PIN") } else { ("EXIT_REFUSED", "wrong exit PIN") };
        context.audit(audit(action, self.terminal, details.to_owned(), None));
        Ok(())
    }
}

/// Verifies the exit PIN of a kiosk. In the demo store, a kiosk without a PIN of its own has
/// [`DEMO_EXIT_PIN`].
///
/// # Errors
/// `INVALID_TOKEN` for a wrong PIN, `RATE_LIMITED` with `details.seconds`, `VALIDATION_ERROR` where no
/// PIN was ever set, `FORBIDDEN` for an unknown terminal, `STORE_UNAVAILABLE`.
pub async fn verify_exit_pin(door: &Door, secrets: &Secrets, terminal: TerminalId, pin: &str) -> Result<(), Refused> {
    secrets.check_store(door).await?;
    let right = match door.execute(&Caller::System, None, TryExitPin { terminal }).await? {
        ExitPin::Hash(hash) => secrets.verify(pin, Some(&hash)).await?,
        ExitPin::Demo => same_secret(pin, DEMO_EXIT_PIN),
        ExitPin::None => {
            return Err(Refused::invalid("exit_pin", "This kiosk has no exit PIN yet.")
                .help("A manager sets one; until then the operator ends the program from outside."));
        }
    };
    door.execute(&Caller::System, None, ExitPinTried { terminal, right }).await?;
    if right {
        Ok(())
    } else {
        Err(Refused::new(ErrorCode::InvalidToken, "This is not the exit PIN.").help("Ask a manager for it."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_a_stable_name() {
        assert_eq!(default_name(TerminalRole::Kiosk, Some("counter-a")), "kiosk-counter-a");
        assert_eq!(default_name(TerminalRole::Kitchen, None), "kitchen-1");
        assert_eq!(default_name(TerminalRole::Board, Some("\u{1b}[2J")), "board-[2J");
        assert!(default_name(TerminalRole::Console, Some(&"x".repeat(300))).chars().count() <= MAX_NAME);
    }
}
