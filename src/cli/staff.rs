//! `servery staff`: who works here. Passwords and PINs come from a prompt or standard input.

use super::app::Role as HouseRole;
use super::desk::{Counter, Desk};
use super::output::{Done, shown, table};
use super::shape;
use crate::domain::access::Role;
use crate::domain::error::Refused;
use crate::service::staff::{
    ListStaff, NewStaff, SetStaffActive, SetStaffRole, StaffFilter, StaffView, add_staff, set_password, set_pin,
};
use crate::service::terminals::{self, ListTerminals, TerminalRole};
use clap::{Args, Subcommand};

/// What can be done with the staff.
#[derive(Debug, Subcommand)]
pub enum Staff {
    /// Add somebody; the password comes from a prompt or standard input
    Add {
        /// The sign-in name
        username: String,
        /// The name for people; the sign-in name unless said
        #[arg(long)]
        name: Option<String>,
        /// kitchen, delivery or admin
        #[arg(long)]
        role: Role,
    },
    /// Who works here
    List(Filters),
    /// Change somebody's role
    SetRole {
        #[command(flatten)]
        person: Person,
        /// kitchen, delivery or admin
        role: Role,
    },
    /// Let somebody in no longer
    Deactivate(Person),
    /// Let somebody in again
    Activate(Person),
    /// Set a password, from a prompt or standard input
    Password(Person),
    /// Set a PIN, from a prompt or standard input
    Pin {
        /// The sign-in name
        username: String,
        /// Why; a first PIN needs no reason
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// Set the PIN with which a kiosk is left, from a prompt or standard input
    ExitPin {
        /// The kiosk's name, such as kiosk-counter
        kiosk: String,
        /// Why; a first PIN needs no reason
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
    },
}

/// Which of them.
#[derive(Debug, Args)]
pub struct Filters {
    /// A part of the sign-in name or of the name
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only this role
    #[arg(long)]
    role: Option<Role>,
    /// Only those who are let in
    #[arg(long, conflicts_with = "deactivated")]
    active: bool,
    /// Only those who are let in no longer
    #[arg(long)]
    deactivated: bool,
    /// The most rows
    #[arg(long, default_value_t = 100)]
    limit: i64,
    /// The `next` of the page before
    #[arg(long)]
    after: Option<String>,
}

/// Somebody, and why.
#[derive(Debug, Args)]
pub struct Person {
    /// The sign-in name
    username: String,
    /// Why
    #[arg(long)]
    reason: String,
}

/// Runs the command.
///
/// # Errors
/// What the use cases refuse.
pub async fn run(command: Staff, desk: &Desk) -> Done {
    let counter = desk.counter(HouseRole::Command).await?;
    let (house, caller) = (&counter.house, &counter.actor.caller);
    let view = match command {
        Staff::List(filters) => {
            let Filters { search, role, active, deactivated, limit, after } = filters;
            let active = (active || deactivated).then_some(active);
            let filter = StaffFilter { text: search, role, active };
            return list(ListStaff { filter, after, limit }, &counter).await;
        }
        Staff::Add { username, name, role } => {
            let password = desk.secret("Password")?;
            let name = name.unwrap_or_else(|| username.clone());
            let new = NewStaff { username: &username, name: &name, role, password: &password, pin: None };
            add_staff(&house.door, &house.secrets, caller, counter.key(), &new).await?
        }
        Staff::SetRole { person, role } => {
            let staff = find(&person.username, &counter).await?.id;
            counter.execute(SetStaffRole { staff, role, reason: person.reason }).await?
        }
        Staff::Deactivate(person) => {
            let staff = find(&person.username, &counter).await?.id;
            counter.execute(SetStaffActive { staff, active: false, reason: person.reason }).await?
        }
        Staff::Activate(person) => {
            let staff = find(&person.username, &counter).await?.id;
            counter.execute(SetStaffActive { staff, active: true, reason: person.reason }).await?
        }
        Staff::Password(Person { username, reason }) => {
            let staff = find(&username, &counter).await?.id;
            set_password(&house.door, &house.secrets, caller, staff, &desk.secret("Password")?, &reason).await?
        }
        Staff::ExitPin { kiosk, reason } => {
            let wanted = kiosk.trim();
            let known = counter.ask(ListTerminals).await?;
            let terminal = known.into_iter().find(|terminal| {
                terminal.name == wanted && terminal.role == TerminalRole::Kiosk && terminal.revoked_at.is_none()
            });
            let terminal = terminal.ok_or_else(|| Refused::not_found("kiosk", shown(wanted)))?;
            let pin = desk.secret("PIN")?;
            terminals::set_exit_pin(&house.door, &house.secrets, caller, terminal.id, &pin, &reason).await?;
            return counter.answer(&terminal, || format!("{} has a new exit PIN.", shown(&terminal.name)));
        }
        Staff::Pin { username, reason } => {
            let staff = find(&username, &counter).await?.id;
            set_pin(&house.door, &house.secrets, caller, staff, &desk.secret("PIN")?, &reason).await?
        }
    };
    counter.answer(&view, || words(&view))
}

/// Somebody by their sign-in name.
///
/// # Errors
/// `NOT_FOUND`; `INSUFFICIENT_ROLE` for who may not see the staff.
pub async fn find(username: &str, counter: &Counter<'_>) -> Result<StaffView, Refused> {
    let wanted = username.trim().to_lowercase();
    let filter = StaffFilter { text: Some(wanted.clone()), ..StaffFilter::default() };
    let mut query = ListStaff { filter: filter.clone(), after: None, limit: 500 };
    loop {
        let page = counter.ask(query).await?;
        if let Some(person) = page.items.into_iter().find(|person| person.username == wanted) {
            return Ok(person);
        }
        let Some(next) = page.next else { return Err(Refused::not_found("member of staff", shown(username))) };
        query = ListStaff { filter: filter.clone(), after: Some(next), limit: 500 };
    }
}

fn words(person: &StaffView) -> String {
    let state = if person.active { "active" } else { "not active" };
    format!("{} ({}), {}, {state}", person.username, shown(&person.name), person.role)
}

async fn list(query: ListStaff, counter: &Counter<'_>) -> Done {
    let page = counter.ask(query).await?;
    let value = shape::own_page(&page, counter.house.site.currency)?;
    counter.output().answer(&value, || {
        let rows: Vec<Vec<String>> = page
            .items
            .iter()
            .map(|person| {
                vec![
                    person.username.clone(),
                    person.name.clone(),
                    person.role.as_str().to_owned(),
                    if person.active { "yes" } else { "no" }.to_owned(),
                    if person.has_pin { "yes" } else { "no" }.to_owned(),
                    person.last_seen_at.map(|at| at.to_rfc3339()).unwrap_or_default(),
                ]
            })
            .collect();
        table(&["USERNAME", "NAME", "ROLE", "ACTIVE", "PIN", "LAST SIGNED IN"], &rows)
    })
}
