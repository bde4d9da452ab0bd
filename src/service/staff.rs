//! Who is on the staff: adding people, letting them go, their roles, passwords and PINs, and the demo
//! staff. How they sign in stands in `sign_in`, whose functions are offered here again.
//!
//! A change of rights or secrets takes effect at the person's next command: it raises the version of
//! their rights and ends their sessions.

use super::caller::Caller;
use super::door::{Context, Door, Query, UseCase, View};
use super::paging;
use super::secrets::Secrets;
use super::views::Page;
use crate::domain::access::{Permission, Role};
use crate::domain::error::Refused;
use crate::domain::ids::StaffId;
use crate::domain::text::clean;
use crate::domain::time::Timestamp;
use crate::store::people::{self, StaffRow};
use crate::store::records::AuditRow;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use crate::store::people::StaffFilter;

pub use super::sign_in::{
    MIN_PASSWORD, MIN_PIN, SESSION_SECONDS, SignedIn, WhoAmI, WhoIs, check_password, check_pin, login, login_pin,
    logout, verify_override,
};

/// The longest sign-in name.
const MAX_USERNAME: usize = 32;
/// The longest name for people, in user-perceived characters.
const MAX_NAME: usize = 50;
/// The longest reason, in user-perceived characters.
const MAX_REASON: usize = 200;
/// The most rows of a page.
const MAX_PAGE: i64 = 500;

/// Staff of the demo store, shown on its sign-in screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoAccount {
    /// The sign-in name.
    pub username: &'static str,
    /// The name for people.
    pub name: &'static str,
    /// The role.
    pub role: Role,
    /// The password, known to everybody.
    pub password: &'static str,
    /// The PIN, known to everybody.
    pub pin: &'static str,
}

/// The staff of the demo store.
pub const DEMO_ACCOUNTS: &[DemoAccount] = &[
    DemoAccount { username: "asha", name: "Asha", role: Role::Admin, password: "demo-asha-2026", pin: "271828" },
    DemoAccount { username: "ravi", name: "Ravi", role: Role::Kitchen, password: "demo-ravi-2026", pin: "314159" },
    DemoAccount { username: "noor", name: "Noor", role: Role::Delivery, password: "demo-noor-2026", pin: "161803" },
];

/// A member of staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffView {
    /// Their identity.
    pub id: StaffId,
    /// Their sign-in name.
    pub username: String,
    /// Their name for people.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// Whether they may sign in.
    pub active: bool,
    /// Whether a PIN is set.
    pub has_pin: bool,
    /// When they were added.
    pub created_at: Timestamp,
    /// When they last signed in.
    pub last_seen_at: Option<Timestamp>,
}

impl StaffView {
    fn of(row: StaffRow) -> Result<Self, Refused> {
        let role = Role::parse(&row.role).ok_or_else(|| Refused::internal("a person has an unknown role"))?;
        Ok(Self {
            id: StaffId(row.id),
            username: row.username,
            name: row.name,
            role,
            active: row.active,
            has_pin: row.has_pin,
            created_at: Timestamp(row.created_at),
            last_seen_at: row.last_seen_at.map(Timestamp),
        })
    }
}

/// Why, in a person's words: cleaned, and not empty.
///
/// # Errors
/// `VALIDATION_ERROR` of the field `reason`.
pub(super) fn reason(text: &str) -> Result<String, Refused> {
    let text = clean(text, MAX_REASON, false);
    if text.is_empty() {
        return Err(Refused::invalid("reason", "Say why.").help("Type a reason; it is kept in the audit log."));
    }
    Ok(text)
}

/// Whether a sign-in name can be one.
///
/// # Errors
/// `VALIDATION_ERROR` of `username`.
pub fn check_username(name: &str) -> Result<(), Refused> {
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    let rest = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte));
    if first && rest && (2..=MAX_USERNAME).contains(&name.len()) {
        return Ok(());
    }
    Err(Refused::invalid(
        "username",
        format!("A sign-in name has 2 to {MAX_USERNAME} small letters, digits, . _ or -, and begins with a letter."),
    ))
}

fn check_role(role: Role) -> Result<(), Refused> {
    if matches!(role, Role::Kitchen | Role::Delivery | Role::Admin) {
        return Ok(());
    }
    Err(Refused::invalid("role", format!("Staff cannot have the role {role}; use kitchen, delivery or admin.")))
}

fn audit(action: &'static str, id: StaffId, details: String, before: Option<Value>, after: Option<Value>) -> AuditRow {
    AuditRow { action, entity: "Staff", entity_id: id.to_string(), details, before, after, reason: None }
}

async fn find(context: &mut Context<'_>, id: StaffId) -> Result<StaffRow, Refused> {
    let site = context.site.id.clone();
    people::staff(context.tx, &site, id).await?.ok_or_else(|| Refused::not_found("member of staff", id))
}

/// Somebody to be added.
#[derive(Clone, Copy)]
pub struct NewStaff<'a> {
    /// The sign-in name: small letters, digits, `.`, `_`, `-`.
    pub username: &'a str,
    /// The name for people.
    pub name: &'a str,
    /// kitchen, delivery or admin.
    pub role: Role,
    /// The password.
    pub password: &'a str,
    /// The PIN, if there is to be one.
    pub pin: Option<&'a str>,
}

/// Passwords are never shown.
impl std::fmt::Debug for NewStaff<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewStaff({}, {})", self.username, self.role)
    }
}

/// Writes somebody whose secrets were hashed before. Not `Debug`.
#[derive(Clone, Serialize)]
struct AddStaff {
    username: String,
    name: String,
    role: Role,
    /// So that the same key with another password is another request.
    marks: [Vec<u8>; 2],
    #[serde(skip)]
    password_hash: String,
    #[serde(skip)]
    pin_hash: Option<String>,
}

impl AddStaff {
    async fn prepare(secrets: &Secrets, new: &NewStaff<'_>) -> Result<Self, Refused> {
        let username = super::sign_in::username(new.username);
        check_username(&username)?;
        check_role(new.role)?;
        check_password(&username, new.password)?;
        let name = clean(new.name, MAX_NAME, false);
        if name.is_empty() {
            return Err(Refused::invalid("name", "A person has a name."));
        }
        let pin_hash = match new.pin {
            Some(pin) => {
                check_pin(pin)?;
                Some(secrets.hash(pin).await?)
            }
            None => None,
        };
        let password_hash = secrets.hash(new.password).await?;
        let marks = [secrets.mark(new.password), new.pin.map(|pin| secrets.mark(pin)).unwrap_or_default()];
        Ok(Self { username, name, role: new.role, marks, password_hash, pin_hash })
    }

    async fn insert(&self, context: &mut Context<'_>) -> Result<Option<StaffId>, Refused> {
        let (site, now, id) = (context.site.id.clone(), context.now, StaffId(context.new_id()));
        let row = people::NewStaff {
            id,
            username: &self.username,
            name: &self.name,
            role: self.role,
            password_hash: &self.password_hash,
            pin_hash: self.pin_hash.as_deref(),
        };
        if !people::insert_staff(context.tx, &site, &row, now).await? {
            return Ok(None);
        }
        let after = json!({ "username": self.username, "name": self.name, "role": self.role });
        context.audit(audit("CREATE", id, format!("{} added as {}", self.username, self.role), None, Some(after)));
        Ok(Some(id))
    }
}

impl UseCase for AddStaff {
    type Output = StaffView;
    const NAME: &'static str = "staff_add";
    const PERMISSION: Permission = Permission::StaffManage;

    async fn run(&self, context: &mut Context<'_>) -> Result<StaffView, Refused> {
        let site = context.site.id.clone();
        people::lock_staff(context.tx, &site).await?;
        let id = self.insert(context).await?.ok_or_else(|| {
            Refused::conflict(format!("There is somebody called {} already.", self.username))
                .with("field", "username")
                .help("Choose another sign-in name.")
        })?;
        StaffView::of(find(context, id).await?)
    }
}

/// Adds somebody to the staff.
///
/// # Errors
/// `VALIDATION_ERROR` of `username`, `name`, `role`, `password` or `pin`; `CONFLICT` for a name that is
/// taken; `INSUFFICIENT_ROLE`; `STORE_UNAVAILABLE`.
pub async fn add_staff(
    door: &Door,
    secrets: &Secrets,
    caller: &Caller,
    key: Option<&str>,
    new: &NewStaff<'_>,
) -> Result<StaffView, Refused> {
    secrets.check_store(door).await?;
    let add = AddStaff::prepare(secrets, new).await?;
    door.execute(caller, key, add).await
}

fn last_admin() -> Refused {
    Refused::conflict("The last active admin cannot be removed.")
        .by_guard("last_admin")
        .help("Make somebody else an admin first.")
}

/// Lets a person in again, or no longer; their sessions are over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetStaffActive {
    /// Who.
    pub staff: StaffId,
    /// Whether they may sign in.
    pub active: bool,
    /// Why.
    pub reason: String,
}

impl UseCase for SetStaffActive {
    type Output = StaffView;
    const NAME: &'static str = "staff_set_active";
    const PERMISSION: Permission = Permission::StaffManage;

    async fn run(&self, context: &mut Context<'_>) -> Result<StaffView, Refused> {
        let why = reason(&self.reason)?;
        let (site, now) = (context.site.id.clone(), context.now);
        people::lock_staff(context.tx, &site).await?;
        let before = find(context, self.staff).await?;
        if !people::set_active(context.tx, &site, self.staff, self.active, now).await? {
            return Err(last_admin());
        }
        people::revoke_sessions_of(context.tx, &site, self.staff, now).await?;
        let what = if self.active { "activated" } else { "deactivated" };
        let (old, new) = (json!({ "active": before.active }), json!({ "active": self.active }));
        let mut row = audit("UPDATE", self.staff, format!("{} {what}", before.username), Some(old), Some(new));
        row.reason = Some(why);
        context.audit(row);
        StaffView::of(find(context, self.staff).await?)
    }
}

/// Changes a person's role; their sessions are over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetStaffRole {
    /// Who.
    pub staff: StaffId,
    /// kitchen, delivery or admin.
    pub role: Role,
    /// Why.
    pub reason: String,
}

impl UseCase for SetStaffRole {
    type Output = StaffView;
    const NAME: &'static str = "staff_set_role";
    const PERMISSION: Permission = Permission::StaffManage;

    async fn run(&self, context: &mut Context<'_>) -> Result<StaffView, Refused> {
        check_role(self.role)?;
        let why = reason(&self.reason)?;
        let (site, now) = (context.site.id.clone(), context.now);
        people::lock_staff(context.tx, &site).await?;
        let before = find(context, self.staff).await?;
        if !people::set_role(context.tx, &site, self.staff, self.role, now).await? {
            return Err(last_admin());
        }
        people::revoke_sessions_of(context.tx, &site, self.staff, now).await?;
        let (old, new) = (json!({ "role": before.role }), json!({ "role": self.role }));
        let details = format!("{} is now {}", before.username, self.role);
        let mut row = audit("UPDATE", self.staff, details, Some(old), Some(new));
        row.reason = Some(why);
        context.audit(row);
        StaffView::of(find(context, self.staff).await?)
    }
}

/// Which secret of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
enum Kind {
    Password,
    Pin,
}

/// Sets a hash that was computed before. Not `Debug`.
#[derive(Clone, Serialize)]
struct SetSecret {
    staff: StaffId,
    kind: Kind,
    mark: Vec<u8>,
    reason: String,
    #[serde(skip)]
    hash: String,
}

impl UseCase for SetSecret {
    type Output = StaffView;
    const NAME: &'static str = "staff_set_secret";
    const PERMISSION: Permission = Permission::StaffManage;

    async fn run(&self, context: &mut Context<'_>) -> Result<StaffView, Refused> {
        let (site, now) = (context.site.id.clone(), context.now);
        people::lock_staff(context.tx, &site).await?;
        let before = find(context, self.staff).await?;
        // A first PIN takes nothing from anybody; a reset locks out whoever knew the old secret.
        let is_first = self.kind == Kind::Pin && !before.has_pin;
        let why = if is_first && self.reason.trim().is_empty() { None } else { Some(reason(&self.reason)?) };
        let (set, what) = match self.kind {
            Kind::Password => (people::set_password(context.tx, &site, self.staff, &self.hash, now).await?, "password"),
            Kind::Pin => (people::set_pin(context.tx, &site, self.staff, &self.hash, now).await?, "PIN"),
        };
        if !set {
            return Err(Refused::not_found("member of staff", self.staff));
        }
        people::revoke_sessions_of(context.tx, &site, self.staff, now).await?;
        let mut row = audit("UPDATE", self.staff, format!("{what} of {} set", before.username), None, None);
        row.reason = why;
        context.audit(row);
        StaffView::of(find(context, self.staff).await?)
    }
}

/// One person, by identity.
struct OneStaff(StaffId);

impl Query for OneStaff {
    type Output = StaffView;
    const PERMISSION: Permission = Permission::StaffManage;

    async fn run(&self, view: &mut View<'_>) -> Result<StaffView, Refused> {
        let row = people::staff(view.tx, &view.site.id, self.0).await?;
        StaffView::of(row.ok_or_else(|| Refused::not_found("member of staff", self.0))?)
    }
}

/// Sets a person's password, and keeps why; their sessions are over.
///
/// # Errors
/// `VALIDATION_ERROR` of `password` or `reason`, `NOT_FOUND`, `INSUFFICIENT_ROLE`, `STORE_UNAVAILABLE`.
pub async fn set_password(
    door: &Door,
    secrets: &Secrets,
    caller: &Caller,
    staff: StaffId,
    password: &str,
    why: &str,
) -> Result<StaffView, Refused> {
    let person = door.ask(caller, OneStaff(staff)).await?;
    check_password(&person.username, password)?;
    secrets.check_store(door).await?;
    let (mark, hash) = (secrets.mark(password), secrets.hash(password).await?);
    door.execute(caller, None, SetSecret { staff, kind: Kind::Password, mark, reason: why.to_owned(), hash }).await
}

/// Sets a person's PIN, and keeps why; their sessions are over. A first PIN needs no reason: `why` may be
/// empty then.
///
/// # Errors
/// `VALIDATION_ERROR` of `pin` or `reason`, `NOT_FOUND`, `INSUFFICIENT_ROLE`, `STORE_UNAVAILABLE`.
pub async fn set_pin(
    door: &Door,
    secrets: &Secrets,
    caller: &Caller,
    staff: StaffId,
    pin: &str,
    why: &str,
) -> Result<StaffView, Refused> {
    check_pin(pin)?;
    secrets.check_store(door).await?;
    let (mark, hash) = (secrets.mark(pin), secrets.hash(pin).await?);
    door.execute(caller, None, SetSecret { staff, kind: Kind::Pin, mark, reason: why.to_owned(), hash }).await
}

/// The staff, by sign-in name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListStaff {
    /// Narrowed to this.
    pub filter: StaffFilter,
    /// The sign-in name after which the page begins.
    pub after: Option<String>,
    /// The most rows, 1 to 500.
    pub limit: i64,
}

impl Default for ListStaff {
    fn default() -> Self {
        Self { filter: StaffFilter::default(), after: None, limit: 100 }
    }
}

impl Query for ListStaff {
    type Output = Page<StaffView>;
    const PERMISSION: Permission = Permission::StaffManage;

    async fn run(&self, view: &mut View<'_>) -> Result<Self::Output, Refused> {
        paging::check_limit(self.limit, MAX_PAGE)?;
        let site = view.site.id.clone();
        let text = paging::given(self.filter.text.as_ref()).map(str::to_owned);
        let filter = StaffFilter { text, ..self.filter.clone() };
        let (after, limit) = (self.after.as_deref().unwrap_or_default(), self.limit.saturating_add(1));
        let (mut rows, found) = people::staff_page(view.tx, &site, &filter, after, limit).await?;
        let next = paging::cut(&mut rows, self.limit, |row| row.username.clone());
        let items = rows.into_iter().map(StaffView::of).collect::<Result<_, _>>()?;
        Ok(Page::counted(items, next, found))
    }
}

/// Whether the demo staff may still be added: a demo site without any staff.
struct WantsDemo;

impl Query for WantsDemo {
    type Output = bool;
    const PERMISSION: Permission = Permission::SystemRun;

    async fn run(&self, view: &mut View<'_>) -> Result<bool, Refused> {
        Ok(view.site.demo && people::count_staff(view.tx, &view.site.id).await? == 0)
    }
}

/// Writes the demo staff. Not `Debug`.
#[derive(Clone, Serialize)]
struct InsertDemo {
    staff: Vec<AddStaff>,
}

impl UseCase for InsertDemo {
    type Output = bool;
    const NAME: &'static str = "staff_insert_demo";
    const PERMISSION: Permission = Permission::SystemRun;

    async fn run(&self, context: &mut Context<'_>) -> Result<bool, Refused> {
        let site = context.site.id.clone();
        people::lock_staff(context.tx, &site).await?;
        // Looked at again: another process may have been faster, or the first admin was added.
        if !context.site.demo || people::count_staff(context.tx, &site).await? != 0 {
            return Ok(false);
        }
        for staff in &self.staff {
            staff.insert(context).await?;
        }
        Ok(true)
    }
}

/// Adds [`DEMO_ACCOUNTS`] to a demo site that has no staff yet; answers whether it did. A real site is
/// left alone.
///
/// # Errors
/// `FORBIDDEN` for another pepper than the store's, `STORE_UNAVAILABLE`.
pub async fn insert_demo(door: &Door, secrets: &Secrets) -> Result<bool, Refused> {
    if !door.ask(&Caller::System, WantsDemo).await? {
        return Ok(false);
    }
    secrets.check_store(door).await?;
    let mut staff = Vec::with_capacity(DEMO_ACCOUNTS.len());
    for account in DEMO_ACCOUNTS {
        let new = NewStaff {
            username: account.username,
            name: account.name,
            role: account.role,
            password: account.password,
            pin: Some(account.pin),
        };
        staff.push(AddStaff::prepare(secrets, &new).await?);
    }
    door.execute(&Caller::System, None, InsertDemo { staff }).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sign_in_names_are_plain() {
        for name in ["asha", "a1", "first.last", "x_y-z"] {
            assert!(check_username(name).is_ok(), "{name}");
        }
        for name in ["", "a", "1a", "Asha", "a b", "ünal", "a\u{202e}b", &"a".repeat(33)] {
            assert!(check_username(name).is_err(), "{name}");
        }
        assert!(check_role(Role::System).is_err() && check_role(Role::Customer).is_err());
    }
}
