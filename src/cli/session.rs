//! `servery login`, `logout` and `whoami`: sessions of staff, kept in files that only their owner can
//! read. A password is typed at a prompt or comes on standard input, never from the command line.

use super::actor::{self, SessionFile};
use super::app::Role;
use super::desk::Desk;
use super::output::{Done, shown};
use crate::domain::error::Refused;
use crate::service::sign_in::{self, WhoAmI};
use clap::Args;

/// Who signs in.
#[derive(Debug, Args)]
pub struct Login {
    /// The sign-in name
    name: String,
}

/// Who signs out.
#[derive(Debug, Args)]
pub struct Logout {
    /// The sign-in name; else the only one who has signed in here
    name: Option<String>,
}

/// Signs somebody in and keeps the session.
///
/// # Errors
/// `INVALID_TOKEN` for a wrong name or password, `RATE_LIMITED`, and what the files refuse.
pub async fn login(login: Login, desk: &Desk) -> Done {
    let house = desk.house(Role::Command).await?;
    let password = desk.secret("Password")?;
    let signed_in = sign_in::login(&house.door, &house.secrets, None, &login.name, &password).await?;
    let session = SessionFile { username: signed_in.username.clone(), token: signed_in.token };
    actor::keep_session(&house, &session)?;
    let value = serde_json::json!({
        "username": signed_in.username, "name": signed_in.name, "role": signed_in.role,
        "expires_at": signed_in.expires_at.to_rfc3339(),
    });
    desk.output.answer(&value, || {
        format!("{} ({}) is signed in until {}.", shown(&signed_in.name), signed_in.role, signed_in.expires_at)
    })
}

/// Ends a session and forgets it.
///
/// # Errors
/// `INVALID_TOKEN` where nobody of the name has signed in here, `STORE_UNAVAILABLE`.
pub async fn logout(logout: Logout, desk: &Desk) -> Done {
    let house = desk.house(Role::Command).await?;
    let session = match logout.name.as_ref().or(desk.global.staff.as_ref()) {
        Some(name) => actor::session(&house, name)?,
        None => actor::only_session(&house)?.ok_or_else(|| {
            Refused::invalid("name", "Say who signs out.").help("Give the sign-in name: servery logout NAME")
        })?,
    };
    sign_in::logout(&house.door, &session.token).await?;
    actor::forget_session(&house, &session.username)?;
    let value = serde_json::json!({ "username": session.username });
    desk.output.answer(&value, || format!("{} is signed out.", session.username))
}

/// Says who a command would be given by.
///
/// # Errors
/// `TOKEN_EXPIRED` for a session that is over.
pub async fn whoami(desk: &Desk) -> Done {
    let counter = desk.counter(Role::Command).await?;
    let who = counter.ask(WhoAmI).await?;
    counter.answer(&who, || {
        let permissions: Vec<&str> = who.permissions.iter().map(|permission| permission.as_str()).collect();
        format!("{} ({})\nmay {}", shown(&who.name), who.role, permissions.join(", "))
    })
}
