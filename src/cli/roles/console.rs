//! The console: its effects as questions to the door and use cases through it, for whoever is signed
//! in. Files go only into and out of one folder of the house, whatever name a person types.

use super::heartbeat::Heart;
use super::launcher::demo_accounts;
use super::leading::Leading;
use super::screen::{Wishes, show_with};
use crate::cli::app::House;
use crate::cli::shape;
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::{StaffId, TerminalId};
use crate::service::staff::NewStaff;
use crate::service::terminals::{self, TerminalRole};
use crate::service::{Caller, audit, backup, doctor, sign_in, staff};
use crate::tui::screens::console::{Act, Console, Effect, Msg, Options};
use crate::tui::screens::person::{Person, PersonPin};
use crate::worker;
use futures::FutureExt;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

/// The folder of the house's data in which the console writes and reads files.
const EXPORTS: &str = "exports";
/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// Shows the console until it is ended.
///
/// # Errors
/// As `show_with`; the refusals of registering the terminal.
pub async fn run(house: House) -> Result<ExitCode, Refused> {
    let console = Runner::new(&house).await?;
    let _heart = Heart::start(&house, console.terminal);
    let mut app = Console::new(Options {
        key_prefix: format!("console-{}", house.door.new_id()),
        demo_accounts: if house.site.demo { demo_accounts() } else { Vec::new() },
    });
    // Without the gateways' keys this process could not settle payments: another one leads then.
    let may_lead = house.can_settle();
    let worker = Leading::start(&house, worker::Options { may_lead, ..worker::Options::default() });
    let ending = console.clone();
    let carry_out = move |effect| {
        let console = console.clone();
        async move { console.carry_out(effect).await }.boxed()
    };
    // The sign-in needs nothing of the store: it is shown before the change feed has opened its own connection.
    let wishes = Wishes { mouse: false, wipe: false };
    let shown = show_with(&house, &mut app, wishes, carry_out, |handle| handle.store_changed()).await;
    // However the screen ended, nobody can go on with its session.
    ending.sign_out().await;
    worker.end().await;
    shown
}

/// Carries out what a console asks for; cheap to clone.
#[derive(Clone)]
pub struct Runner {
    house: House,
    terminal: TerminalId,
    /// The session of whoever is signed in.
    token: Arc<Mutex<Option<String>>>,
}

/// The token is a secret: it is never shown.
impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("terminal", &self.terminal).finish_non_exhaustive()
    }
}

impl Runner {
    /// For a console of this house, which becomes a registered terminal.
    ///
    /// # Errors
    /// `CONFLICT` for a terminal of this name with another role, `FORBIDDEN` for one that was revoked;
    /// `STORE_UNAVAILABLE`.
    pub async fn new(house: &House) -> Result<Self, Refused> {
        let name = house.terminal_name(TerminalRole::Console);
        let terminal = terminals::register(&house.door, &name, TerminalRole::Console).await?;
        Ok(Self { house: house.clone(), terminal, token: Arc::default() })
    }

    fn caller(&self, override_by: Option<StaffId>) -> Result<Caller, Refused> {
        let token = self.token.lock().ok().and_then(|token| token.clone());
        let token = token.ok_or_else(|| Refused::new(ErrorCode::InvalidToken, "Nobody is signed in."))?;
        Ok(Caller::Session { token, terminal: Some(self.terminal), override_by })
    }

    fn set_token(&self, token: Option<String>) -> Option<String> {
        self.token.lock().ok().and_then(|mut known| std::mem::replace(&mut *known, token))
    }

    async fn sign_out(&self) {
        if let Some(token) = self.set_token(None)
            && let Err(refused) = sign_in::logout(&self.house.door, &token).await
        {
            tracing::warn!(code = %refused.code, "a session could not be ended; it ends by itself");
        }
    }

    /// Does what was asked for, as whoever is signed in; the answer for the screen.
    pub async fn carry_out(&self, effect: Effect) -> Msg {
        let door = &self.house.door;
        let secrets = &self.house.secrets;
        match effect {
            Effect::Ask { request, ask } => {
                let result = match self.caller(None) {
                    Ok(caller) => ask.answer(door, &caller, self.house.configured_methods().as_deref()).await,
                    Err(refused) => Err(refused),
                };
                Msg::Loaded { request, result }
            }
            Effect::Do { request, act, key, override_pin } => {
                Msg::Done { request, result: self.act(*act, &key, override_pin).await }
            }
            Effect::SignIn { username, password } => {
                let signed = sign_in::login(door, secrets, Some(self.terminal), &username, &password.0);
                Msg::SignedIn(self.signed_in(signed.await))
            }
            Effect::SignInPin { username, pin } => {
                let signed = sign_in::login_pin(door, secrets, self.terminal, &username, &pin.0);
                Msg::SignedIn(self.signed_in(signed.await))
            }
            Effect::SignOut => {
                self.sign_out().await;
                Msg::SignedOut
            }
            Effect::Save { request, name, content } => Msg::Saved { request, result: self.save(&name, content).await },
            Effect::SaveView { request, name, view } => {
                Msg::Saved { request, result: self.save_view(&name, &view).await }
            }
            Effect::Read { request, name } => Msg::Read { request, result: self.read(&name).await },
        }
    }

    fn signed_in(&self, signed: Result<sign_in::SignedIn, Refused>) -> Result<Person, Refused> {
        let signed = signed?;
        self.set_token(Some(signed.token));
        Ok(Person { username: signed.username, name: signed.name, role: signed.role })
    }

    /// The admin whose PIN lets a command through.
    async fn override_by(&self, pin: Option<PersonPin>) -> Result<Option<StaffId>, Refused> {
        let Some(PersonPin { username, pin }) = pin else { return Ok(None) };
        let name = Some(username.as_str()).filter(|name| !name.is_empty());
        let (door, secrets) = (&self.house.door, &self.house.secrets);
        sign_in::verify_override(door, secrets, Some(self.terminal), name, &pin.0).await.map(Some)
    }

    async fn act(&self, act: Act, key: &str, override_pin: Option<PersonPin>) -> Result<Value, Refused> {
        let caller = self.caller(self.override_by(override_pin).await?)?;
        let (door, secrets) = (&self.house.door, &self.house.secrets);
        match act {
            Act::Command(command) => command.run(door, &caller, Some(key)).await,
            Act::Order { order, seen_version, command } => {
                command.run_at(door, &caller, Some(key), (order, seen_version)).await
            }
            Act::AddStaff { username, name, role, password, pin } => {
                let pin = pin.as_ref().map(|pin| pin.0.as_str());
                let new = NewStaff { username: &username, name: &name, role, password: &password.0, pin };
                answer(staff::add_staff(door, secrets, &caller, Some(key), &new).await?)
            }
            Act::SetPassword { staff, password, reason } => {
                answer(staff::set_password(door, secrets, &caller, staff, &password.0, &reason).await?)
            }
            Act::SetPin { staff, pin, reason } => {
                answer(staff::set_pin(door, secrets, &caller, staff, &pin.0, &reason).await?)
            }
            Act::SetExitPin { terminal, pin, reason } => {
                answer(terminals::set_exit_pin(door, secrets, &caller, terminal, &pin.0, &reason).await?)
            }
            Act::VerifySeals => answer(audit::verify(door, &caller).await?),
            Act::Prove => answer(doctor::examine(door, &caller).await?),
            Act::Backup => {
                let folder = self.folder("backups").await?;
                let day = self.house.door.clock().now().to_utc().format("%Y%m%d-%H%M%S");
                let file = folder.join(format!("servery-{day}.db"));
                let done = backup::back_up(door, &caller, &file).await?;
                answer(json!({ "file": file.display().to_string(), "size_bytes": done.size_bytes }))
            }
        }
    }

    /// A folder of the house's data, made where it is missing, for the house's eyes only.
    async fn folder(&self, name: &str) -> Result<PathBuf, Refused> {
        let folder = self.house.config.state_folder.join(name);
        tokio::fs::create_dir_all(&folder).await.map_err(|error| cannot("made", &folder, &error))?;
        Ok(folder)
    }

    /// The file of this name in the folder for exports. A name is a name: no folders, nothing hidden.
    async fn file(&self, name: &str) -> Result<PathBuf, Refused> {
        let plain = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
        if name.is_empty() || name.len() > 80 || name.starts_with('.') || !name.chars().all(plain) {
            return Err(Refused::invalid("name", "A file's name has letters, digits, . _ and -, such as menu.toml."));
        }
        Ok(self.folder(EXPORTS).await?.join(name))
    }

    async fn save(&self, name: &str, content: String) -> Result<PathBuf, Refused> {
        // Only who is signed in may write.
        self.caller(None)?;
        let path = self.file(name).await?;
        tokio::fs::write(&path, content).await.map_err(|error| cannot("written", &path, &error))?;
        Ok(path)
    }

    async fn save_view(&self, name: &str, view: &Value) -> Result<PathBuf, Refused> {
        let shaped = shape::own(view, self.house.site.currency)?;
        self.save(name, format!("{shaped:#}\n")).await
    }

    async fn read(&self, name: &str) -> Result<String, Refused> {
        self.caller(None)?;
        let path = self.file(name).await?;
        let length = tokio::fs::metadata(&path).await.map_err(|error| cannot("read", &path, &error))?.len();
        if length > MAX_FILE {
            return Err(Refused::invalid("name", format!("{} is too large.", path.display())));
        }
        tokio::fs::read_to_string(&path).await.map_err(|error| cannot("read", &path, &error))
    }
}

fn answer(value: impl serde::Serialize) -> Result<Value, Refused> {
    serde_json::to_value(value).map_err(Refused::internal)
}

fn cannot(done: &str, path: &std::path::Path, error: &std::io::Error) -> Refused {
    Refused::invalid("name", format!("{} cannot be {done}: {error}.", path.display()))
        .help("Look at the name, at the folder's rights and at the free space.")
}
