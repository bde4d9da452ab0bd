//! The kitchen's board: its effects as use cases, and who acts: the person signed in, or the
//! registered terminal itself.

use super::heartbeat::Heart;
use super::launcher::demo_accounts;
use super::leading::Leading;
use super::screen::{Wishes, show};
use crate::cli::app::House;
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::{LineId, OrderId, StaffId, TerminalId};
use crate::domain::order::Event;
use crate::service::kitchen::{AllDay, ShowKitchen};
use crate::service::order_queries::WhyNot;
use crate::service::orders::{
    AcceptOrder, AtVersion, Bump, BumpStep, ConfirmCash, HandOver, HoldOrder, MarkReady, NoteOrder, RecallOrder,
    RejectOrder, ReleaseHold, SetPriority, StaffCancelOrder, Undo, UndoWhat, VoidOrder, VoidOrderLine,
};
use crate::service::terminals::{self, TerminalRole};
use crate::service::till::TillOpen;
use crate::service::{Caller, UseCase, staff};
use crate::tui::screens::kitchen::{
    Act, Effect, Kitchen, Msg, Options, Outcome, Person, PersonPin, Secret, Step, Undoing,
};
use crate::worker;
use futures::FutureExt;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

/// Shows the kitchen's board until it is ended.
///
/// # Errors
/// As `show`; the refusals of registering the terminal.
pub async fn run(house: House) -> Result<ExitCode, Refused> {
    let kitchen = Handler::new(&house).await?;
    let _heart = Heart::start(&house, kitchen.terminal);
    let mut app = Kitchen::new(Options {
        key_prefix: format!("kitchen-{}", house.door.new_id()),
        demo_accounts: if house.site.demo { demo_accounts() } else { Vec::new() },
        station: None,
    });
    // Without the gateways' keys this process could not settle payments: another one leads then.
    let may_lead = house.can_settle();
    let worker = Leading::start(&house, worker::Options { may_lead, ..worker::Options::default() });
    let shown = show(&house, &mut app, Wishes { mouse: false, wipe: false }, move |effect| {
        let kitchen = kitchen.clone();
        async move { kitchen.carry_out(effect).await }.boxed()
    })
    .await;
    worker.end().await;
    shown
}

/// Carries out what a kitchen's board asks for; cheap to clone.
#[derive(Clone)]
pub struct Handler {
    house: House,
    terminal: TerminalId,
    /// The session of whoever is signed in.
    token: Arc<Mutex<Option<String>>>,
}

/// The token is a secret: it is never shown.
impl std::fmt::Debug for Handler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handler").field("terminal", &self.terminal).finish_non_exhaustive()
    }
}

impl Handler {
    /// For a kitchen's board of this house, which becomes a registered terminal.
    ///
    /// # Errors
    /// `CONFLICT` for a terminal of this name with another role, `FORBIDDEN` for one that was revoked;
    /// `STORE_UNAVAILABLE`.
    pub async fn new(house: &House) -> Result<Self, Refused> {
        let name = house.terminal_name(TerminalRole::Kitchen);
        let terminal = terminals::register(&house.door, &name, TerminalRole::Kitchen).await?;
        Ok(Self { house: house.clone(), terminal, token: Arc::default() })
    }

    /// The person who is signed in, or the terminal itself.
    fn caller(&self, override_by: Option<StaffId>) -> Caller {
        let token = self.token.lock().ok().and_then(|token| token.clone());
        match token {
            Some(token) => Caller::Session { token, terminal: Some(self.terminal), override_by },
            None => Caller::Terminal(self.terminal),
        }
    }

    /// What moves tickets goes on when the person's session is over: the terminal acts for itself.
    fn sign_out_if_over(&self, refused: &Refused) {
        if matches!(refused.code, ErrorCode::TokenExpired | ErrorCode::InvalidToken) {
            self.set_token(None);
        }
    }

    fn set_token(&self, token: Option<String>) -> Option<String> {
        self.token.lock().ok().and_then(|mut known| std::mem::replace(&mut *known, token))
    }

    /// Does what was asked for, as whoever is signed in or as the terminal itself; the answer for the
    /// screen.
    pub async fn carry_out(&self, effect: Effect) -> Msg {
        let door = &self.house.door;
        let board = Caller::Terminal(self.terminal);
        match effect {
            Effect::LoadKitchen { request } => Msg::Kitchen { request, result: door.ask(&board, ShowKitchen).await },
            Effect::LoadAllDay { request } => {
                Msg::AllDay { request, result: door.ask(&board, AllDay::default()).await }
            }
            Effect::Act { order, seen_version, act, key } => {
                let result = self.act(order, seen_version, act, &key).await;
                if let Err(refused) = &result {
                    self.sign_out_if_over(refused);
                }
                Msg::Acted { key, result }
            }
            Effect::OpenTill { float, key } => {
                let open = TillOpen { float: float.minor() };
                let result = door.execute(&self.caller(None), Some(&key), open).await;
                Msg::TillOpened(result.map(|shift| shift.id))
            }
            Effect::WhyNot { order, event } => {
                let result = match Event::plain(event) {
                    Some(event) => door.ask(&self.caller(None), WhyNot { order, event }).await,
                    None => Ok(None),
                };
                Msg::WhyNot { order, result }
            }
            Effect::SignIn { username, password } => {
                let signed = staff::login(door, &self.house.secrets, Some(self.terminal), &username, &password.0);
                Msg::SignedIn(self.signed_in(signed.await))
            }
            Effect::SignInPin { username, pin } => {
                let signed = staff::login_pin(door, &self.house.secrets, self.terminal, &username, &pin.0);
                Msg::SignedIn(self.signed_in(signed.await))
            }
            Effect::SignOut => {
                let result = match self.set_token(None) {
                    Some(token) => staff::logout(door, &token).await,
                    None => Ok(()),
                };
                Msg::SignedOut(result)
            }
        }
    }

    fn signed_in(&self, signed: Result<staff::SignedIn, Refused>) -> Result<Person, Refused> {
        let signed = signed?;
        self.set_token(Some(signed.token));
        Ok(Person { username: signed.username, name: signed.name, role: signed.role })
    }

    /// The admin whose PIN lets a command through.
    async fn override_by(&self, pin: Option<PersonPin>) -> Result<Option<StaffId>, Refused> {
        let Some(PersonPin { username, pin: Secret(pin) }) = pin else { return Ok(None) };
        let name = Some(username.as_str()).filter(|name| !name.is_empty());
        let secrets = &self.house.secrets;
        staff::verify_override(&self.house.door, secrets, Some(self.terminal), name, &pin).await.map(Some)
    }

    /// One command on an order as it was seen.
    async fn run<U: UseCase>(
        &self,
        (order, seen_version): (OrderId, i64),
        key: &str,
        override_by: Option<StaffId>,
        then: U,
    ) -> Result<U::Output, Refused> {
        let seen = AtVersion { order, seen_version, then };
        self.house.door.execute(&self.caller(override_by), Some(key), seen).await
    }

    async fn act(&self, order: OrderId, seen_version: i64, act: Act, key: &str) -> Result<Outcome, Refused> {
        let seen = (order, seen_version);
        let done = match act {
            Act::Bump { station } => {
                let bump = Bump { order, station, seen_version };
                let bumped = self.house.door.execute(&self.caller(None), Some(key), bump).await?;
                let step = match bumped.step {
                    BumpStep::Started => Step::Started,
                    BumpStep::ItemsDone => Step::ItemsDone,
                    BumpStep::Ready => Step::Ready,
                };
                return Ok(Outcome::Bumped { step, lines: bumped.lines_done });
            }
            Act::ConfirmCash { tendered } => {
                let order = self.run(seen, key, None, ConfirmCash { order, tendered }).await?;
                let taken = order.attempts.iter().rev().find(|attempt| attempt.status.as_str() == "captured");
                let due = taken.map_or(order.due, |attempt| attempt.amount);
                let change = crate::payment::cash::change(due, tendered)?;
                return Ok(Outcome::CashTaken { change });
            }
            Act::HandOver => self.run(seen, key, None, HandOver { order }).await,
            Act::Undo { what } => {
                let (what, lines): (UndoWhat, Vec<LineId>) = match what {
                    Undoing::ItemsDone(lines) => (UndoWhat::ItemsDone, lines),
                    Undoing::MarkedReady(lines) => (UndoWhat::MarkReady, lines),
                };
                self.run(seen, key, None, Undo { order, lines, what }).await
            }
            Act::Recall => self.run(seen, key, None, RecallOrder { order }).await,
            Act::Accept { eta_minutes } => self.run(seen, key, None, AcceptOrder { order, eta_minutes }).await,
            Act::Reject { reason } => self.run(seen, key, None, RejectOrder { order, reason }).await,
            Act::StaffCancel { reason } => self.run(seen, key, None, StaffCancelOrder { order, reason }).await,
            Act::Void { reason, lines, refund, override_pin } => {
                let by = self.override_by(override_pin).await?;
                self.run(seen, key, by, VoidOrder { order, reason, lines, refund }).await
            }
            Act::VoidLine { part, reason, override_pin } => {
                let by = self.override_by(override_pin).await?;
                self.run(seen, key, by, VoidOrderLine { order, part, reason }).await
            }
            Act::ForceReady { reason, override_pin } => {
                let by = self.override_by(override_pin).await?;
                self.run(seen, key, by, MarkReady { order, forced: Some(reason) }).await
            }
            Act::SetPriority { priority } => self.run(seen, key, None, SetPriority { order, priority }).await,
            Act::Hold { until } => self.run(seen, key, None, HoldOrder { order, until }).await,
            Act::Release => self.run(seen, key, None, ReleaseHold { order }).await,
            Act::Note { note } => self.run(seen, key, None, NoteOrder { order, note }).await,
        };
        done.map(|_| Outcome::Done)
    }
}
