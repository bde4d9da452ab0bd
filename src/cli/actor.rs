//! Who gives a command: somebody with a session from `servery login`, or a guest at a kiosk of the
//! command line. Reads and writes the session and pocket files; what they may do the door decides.

use super::app::House;
use super::files;
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::{CartId, CustomerId, OrderId};
use crate::domain::text;
use crate::service::Caller;
use crate::service::sign_in;
use crate::service::terminals::{self, TerminalRole};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The kiosk of commands that name nobody.
pub const DEFAULT_KIOSK: &str = "command-line";
/// How many placed carts a pocket remembers.
const REMEMBERED: usize = 20;

/// Who the flags name.
#[derive(Debug, Clone, Default)]
pub struct Named {
    /// `--staff NAME`
    pub staff: Option<String>,
    /// `--as-kiosk TERMINAL`
    pub kiosk: Option<String>,
    /// `--override-by NAME`
    pub override_by: Option<String>,
}

/// A session as its file keeps it. Not `Debug`: the token is a secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct SessionFile {
    /// The sign-in name.
    pub username: String,
    /// The secret token.
    pub token: String,
}

/// A cart that became an order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlacedCart {
    /// The order.
    pub order: Option<OrderId>,
    /// Its cart.
    pub cart: CartId,
    /// The idempotency key with which it was placed.
    pub key: Option<String>,
}

/// What the command line remembers for somebody between runs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Pocket {
    /// The guest.
    pub customer: Option<CustomerId>,
    /// The cart that is being filled.
    pub cart: Option<CartId>,
    /// Carts that became orders, the newest last.
    #[serde(default)]
    pub placed: Vec<PlacedCart>,
}

impl Pocket {
    /// The cart that an order was placed from is the one that is filled again (C9: a failed or
    /// cancelled order reopens its cart).
    pub fn reopen(&mut self, order: OrderId) {
        if let Some(placed) = self.placed.iter().find(|placed| placed.order == Some(order)) {
            self.cart = Some(placed.cart);
        }
    }

    /// Notes that an order came of a cart, which is not filled any more.
    pub fn place(&mut self, order: OrderId, cart: CartId, key: Option<&str>) {
        self.placed.retain(|placed| placed.order != Some(order));
        self.placed.push(PlacedCart { order: Some(order), cart, key: key.map(str::to_owned) });
        let over = self.placed.len().saturating_sub(REMEMBERED);
        self.placed.drain(..over);
        if self.cart == Some(cart) {
            self.cart = None;
        }
    }
}

/// Somebody with their pocket.
#[derive(Debug, Clone)]
pub struct Actor {
    /// For the door.
    pub caller: Caller,
    /// The pocket.
    pub pocket: Pocket,
    file: PathBuf,
}

impl Actor {
    /// Writes the pocket back.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` when it cannot be written.
    pub fn keep(&self) -> Result<(), Refused> {
        files::write(&self.file, &self.pocket)
    }

    /// The cart that is being filled; a new one where there is none.
    pub fn cart(&mut self, house: &House) -> CartId {
        *self.pocket.cart.get_or_insert_with(|| CartId(house.door.new_id()))
    }
}

fn folder(house: &House, kind: &str) -> PathBuf {
    // Two stores never share a session or a guest.
    let store = files::name_for(&format!("{} {}", house.config.store, house.config.site));
    house.config.state_folder.join(kind).join(store)
}

/// A sign-in name as it is stored.
fn username(name: &str) -> String {
    text::clean(name, 64, false).to_lowercase()
}

fn session_path(house: &House, name: &str) -> PathBuf {
    folder(house, "sessions").join(format!("{}.json", files::name_for(&username(name))))
}

/// Keeps a session for later commands.
///
/// # Errors
/// `VALIDATION_ERROR` when the file cannot be written.
pub fn keep_session(house: &House, session: &SessionFile) -> Result<(), Refused> {
    files::write(&session_path(house, &session.username), session)
}

/// The session of somebody.
///
/// # Errors
/// `INVALID_TOKEN` when they have not signed in here.
pub fn session(house: &House, name: &str) -> Result<SessionFile, Refused> {
    files::read(&session_path(house, name))?.ok_or_else(|| {
        let name = username(name);
        Refused::new(ErrorCode::InvalidToken, format!("{name} has not signed in here."))
            .help(format!("Sign in first: servery login {name}"))
    })
}

/// Forgets a session.
///
/// # Errors
/// `VALIDATION_ERROR` when the file cannot be taken away.
pub fn forget_session(house: &House, name: &str) -> Result<(), Refused> {
    files::remove(&session_path(house, name))
}

/// The only session kept for this store, if there is exactly one.
///
/// # Errors
/// `VALIDATION_ERROR` when a file cannot be read.
pub fn only_session(house: &House) -> Result<Option<SessionFile>, Refused> {
    let Ok(entries) = std::fs::read_dir(folder(house, "sessions")) else { return Ok(None) };
    let mut found = None;
    for entry in entries.flatten() {
        if entry.path().extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        if found.is_some() {
            return Ok(None);
        }
        found = files::read(&entry.path())?;
    }
    Ok(found)
}

/// Who the flags name: staff by session, a kiosk's guest; without either the only session that is
/// kept, else the guest of the kiosk [`DEFAULT_KIOSK`].
///
/// # Errors
/// `INVALID_TOKEN` for staff who have not signed in here, `CONFLICT` or `VALIDATION_ERROR` for a
/// terminal of another kind or name, and what an override by PIN refuses.
pub async fn resolve(
    house: &House,
    named: &Named,
    pin: impl Fn() -> Result<String, Refused>,
) -> Result<Actor, Refused> {
    let kept = match (&named.staff, &named.kiosk) {
        (Some(name), _) => Some(session(house, name)?),
        (None, Some(_)) => None,
        (None, None) => only_session(house)?,
    };
    if let Some(session) = kept {
        let override_by = match &named.override_by {
            None => None,
            Some(admin) => {
                Some(sign_in::verify_override(&house.door, &house.secrets, None, Some(admin), &pin()?).await?)
            }
        };
        let file =
            folder(house, "pockets").join(format!("{}.json", files::name_for(&format!("staff {}", session.username))));
        let pocket = files::read(&file)?.unwrap_or_default();
        let caller = Caller::Session { token: session.token, terminal: None, override_by };
        return Ok(Actor { caller, pocket, file });
    }
    if named.override_by.is_some() {
        return Err(Refused::invalid("override", "Only a command of signed-in staff can be let through."));
    }
    let kiosk = named.kiosk.as_deref().unwrap_or(DEFAULT_KIOSK);
    let terminal = terminals::register(&house.door, kiosk, TerminalRole::Kiosk).await?;
    let file = folder(house, "pockets").join(format!("{}.json", files::name_for(&format!("kiosk {kiosk}"))));
    let mut pocket: Pocket = files::read(&file)?.unwrap_or_default();
    let known = pocket.customer;
    let customer = *pocket.customer.get_or_insert_with(|| CustomerId(house.door.new_id()));
    let actor = Actor { caller: Caller::Guest { customer, terminal: Some(terminal) }, pocket, file };
    if known.is_none() {
        actor.keep()?;
    }
    Ok(actor)
}
