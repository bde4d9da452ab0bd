//! The processes under load, both ends of the pipe (which is `child`'s): kiosks that place and pay, a kitchen that cooks,
//! takes cash and hands over. Each says on its standard output what the house answered, right after
//! the answer; a line is one write, so that a killed process has said it whole or not at all.
//!
//! What a busy or broken store refuses is asked for again under the same key, as a customer is told to.

use crate::arena::Arena;
use crate::child::{self, Child};
use crate::command::open_door_by;
use crate::house::{Dice, HandClock};
use crate::ledger::{Acknowledged, providers};
use serde::{Deserialize, Serialize};
use servery::domain::error::{ErrorCode, Refused};
use servery::domain::ids::{CartId, CustomerId, ItemId, TerminalId};
use servery::domain::order::Status;
use servery::domain::payment::{AttemptStatus, Method};
use servery::payment::{CardDetails, Gateways, Instrument};
use servery::service::cart::CartAdd;
use servery::service::kitchen::{ShowBoard, ShowKitchen};
use servery::service::menu::MenuNow;
use servery::service::orders::{AcceptOrder, Bump, CancelOrder, ConfirmCash, HandOver};
use servery::service::payments::pay;
use servery::service::views::TicketView;
use servery::service::{Caller, Door, UseCase};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

/// So many orders may wait in the kitchen before the kiosks only look at the menu.
const CROWD: usize = 40;
/// Before a process asks again for what a broken store refused.
const AGAIN: Duration = Duration::from_millis(5);

/// What a process does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Work {
    /// Guests place, pay, and sometimes walk away or cancel.
    Kiosk { dish: ItemId },
    /// Tickets are accepted, cooked and handed over, and cash is taken.
    Kitchen { terminal: TerminalId, manager: String },
}

/// What a process is told when it starts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    pub store: String,
    pub work: Work,
    pub seed: u64,
    /// A file to which every acknowledgement is appended as well.
    pub book: Option<PathBuf>,
    /// It ends by itself after so many orders or moves; none: when its input ends.
    pub enough: Option<u64>,
    /// How far its clock is ahead, in microseconds.
    pub ahead: i64,
}

impl Job {
    pub fn kiosk(arena: &Arena, seed: u64) -> Self {
        let work = Work::Kiosk { dish: arena.dish.id };
        Self { store: arena.ground.url.clone(), work, seed, book: None, enough: None, ahead: 0 }
    }

    pub fn kitchen(arena: &Arena, seed: u64) -> Self {
        let work = Work::Kitchen { terminal: arena.kitchen, manager: arena.managers[0].clone() };
        Self { store: arena.ground.url.clone(), work, seed, book: None, enough: None, ahead: 0 }
    }
}

/// What a process says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Said {
    /// The store is open and answered.
    Ready,
    /// The house has answered.
    Done(Acknowledged),
    /// The house has refused, with code, sentence, help and cause.
    Refused { code: String, message: String, help: String, cause: Option<String> },
    /// It has done enough and closed the store.
    Over,
}

/// A process under load; killed when dropped.
pub struct Load(Child<Said>);

impl Load {
    pub fn start(job: &Job, environment: &BTreeMap<String, String>) -> Self {
        let mut child = Child::start("load_process", environment);
        child.tell(job);
        Self(child)
    }

    /// Waits until the process has opened the store; how long that took from its start.
    pub fn ready(&self) -> Duration {
        match self.0.hear() {
            Some(Said::Ready) => self.0.started.elapsed(),
            other => panic!("the process is not ready: {other:?}"),
        }
    }

    /// What it has said and nobody has heard.
    pub fn said(&self) -> Vec<Said> {
        self.0.said().collect()
    }

    /// The next thing that it says.
    pub fn next(&self) -> Option<Said> {
        self.0.hear()
    }

    /// `kill -9`, and everything that it had said before.
    pub fn kill(mut self) -> Vec<Said> {
        self.0.kill();
        self.0.rest()
    }

    /// Lets it end by itself, and the rest of what it said.
    pub fn end(mut self) -> Vec<Said> {
        let (said, status) = self.0.end();
        assert!(status.success(), "a process under load ended with {status}");
        said
    }
}

/// The acknowledgements among what was said.
pub fn acknowledged(said: impl IntoIterator<Item = Said>) -> Vec<Acknowledged> {
    said.into_iter().filter_map(|said| if let Said::Done(done) = said { Some(done) } else { None }).collect()
}

/// What a process does until its input ends. Without any (started by hand) it does nothing.
pub fn serve() {
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line).expect("a line") == 0 {
        return;
    }
    let job: Job = serde_json::from_str(&line).expect("a job");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (ended, mut end) = tokio::sync::oneshot::channel::<()>();
        std::thread::spawn(move || {
            let _ = std::io::stdin().lines().last();
            drop(ended);
        });
        let process = Process::open(&job).await;
        process.say(&Said::Ready);
        let work = process.work(&job);
        tokio::select! {
            // A command under way goes on in its own task: the house may still keep what nobody acknowledged.
            _ = &mut end => {}
            () = work => {}
        }
        process.door.store().close().await;
        process.say(&Said::Over);
    });
}

/// One process under load.
struct Process {
    door: Door,
    gateways: Gateways,
    book: Option<std::fs::File>,
}

impl Process {
    async fn open(job: &Job) -> Self {
        let door = open_door_by(&job.store, HandClock::ahead(job.ahead)).await;
        crate::command::warm(&door).await;
        let (gateways, _) = providers(&door);
        let book = job.book.as_ref().map(|path| {
            std::fs::OpenOptions::new().append(true).create(true).open(path).expect("the book of acknowledgements")
        });
        Self { door, gateways, book }
    }

    /// Says something in one write.
    fn say(&self, said: &Said) {
        if let (Some(mut book), Said::Done(_)) = (self.book.as_ref(), said) {
            let words = serde_json::to_string(said).expect("JSON");
            book.write_all(format!("{words}\n").as_bytes()).expect("acknowledged");
        }
        child::say(said);
    }

    fn done(&self, acknowledged: Acknowledged) {
        self.say(&Said::Done(acknowledged));
    }

    fn refused(&self, refused: Refused) {
        let Refused { code, message, help, cause, .. } = refused;
        self.say(&Said::Refused { code: code.as_str().to_owned(), message, help, cause });
    }

    /// Asks until the store lets it happen; what it refuses for another reason is an answer, too.
    async fn insist<U: UseCase>(&self, caller: &Caller, use_case: U) -> Result<U::Output, Refused> {
        let key = self.door.new_id().to_string();
        loop {
            match self.door.execute(caller, Some(&key), use_case.clone()).await {
                Err(refused) if refused.code == ErrorCode::StoreUnavailable => {
                    self.refused(refused);
                    tokio::time::sleep(AGAIN).await;
                }
                other => return other,
            }
        }
    }

    async fn work(&self, job: &Job) {
        let mut dice = Dice::of(job.seed);
        let mut done = 0;
        while job.enough.is_none_or(|enough| done < enough) {
            let result = match &job.work {
                Work::Kiosk { dish } => self.visit(*dish, &mut dice).await,
                Work::Kitchen { terminal, manager } => self.cook(*terminal, manager, &mut dice).await,
            };
            match result {
                Ok(count) => done += count,
                Err(refused) => {
                    self.refused(refused);
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// One guest; how many orders were placed.
    async fn visit(&self, dish: ItemId, dice: &mut Dice) -> Result<u64, Refused> {
        let board = self.door.ask(&Caller::System, ShowBoard).await?;
        if board.preparing.len() > CROWD {
            self.door.ask(&Caller::System, MenuNow::default()).await?;
            return Ok(0);
        }
        let customer = CustomerId(self.door.new_id());
        let caller = Caller::Guest { customer, terminal: None };
        let cart = CartId(self.door.new_id());
        let quantity = i32::try_from(dice.pick(1..4)).expect("few");
        self.insist(&caller, CartAdd { cart, item: dish, options: vec![], quantity, note: String::new() }).await?;
        let method = if dice.percent(80) { Method::Card } else { Method::Cash };
        let pay_now = method == Method::Card && dice.percent(90);
        let placed = self.insist(&caller, crate::arena::place(cart, method, pay_now)).await?;
        let order = &placed.order;
        let lines = i64::try_from(order.lines.len()).expect("few");
        self.done(Acknowledged::Placed { order: order.id, total: order.total.0, lines });
        let Some(attempt) = &placed.attempt else {
            if dice.percent(30) {
                let cancel = CancelOrder { order: order.id, reason: "changed my mind".to_owned() };
                match self.insist(&caller, cancel).await {
                    Ok(now) => {
                        self.done(Acknowledged::Moved { order: now.id, version: now.version, status: now.status });
                    }
                    // The kitchen was faster.
                    Err(refused) if refused.code == ErrorCode::IllegalTransition => {}
                    Err(refused) => return Err(refused),
                }
            }
            return Ok(1);
        };
        loop {
            match pay(&self.door, &self.gateways, order, attempt, good_card()).await {
                Ok(paid) => {
                    let now = paid.outcome.order;
                    let captured = now.attempts.iter().find(|row| row.status == AttemptStatus::Captured);
                    if let Some(row) = captured.filter(|_| now.paid) {
                        let (attempt, amount) = (Some(row.id), row.amount.0);
                        self.done(Acknowledged::Paid { order: now.id, attempt, amount });
                    }
                    return Ok(1);
                }
                Err(refused) if refused.code == ErrorCode::StoreUnavailable => {
                    self.refused(refused);
                    tokio::time::sleep(AGAIN).await;
                }
                Err(refused) => return Err(refused),
            }
        }
    }

    /// Moves every ticket on the board by one step; how many moved.
    async fn cook(&self, terminal: TerminalId, manager: &str, dice: &mut Dice) -> Result<u64, Refused> {
        let cook = Caller::Terminal(terminal);
        let view = self.door.ask(&cook, ShowKitchen).await?;
        let mut tickets = view.tickets;
        // Two kitchens do not follow each other from ticket to ticket.
        dice.shuffle(&mut tickets);
        let mut moved = 0;
        for ticket in &tickets {
            match self.step(&cook, terminal, manager, ticket).await {
                Ok(()) => moved += 1,
                // Another cook was faster, or the customer cancelled.
                Err(refused) if matches!(refused.code, ErrorCode::Conflict | ErrorCode::IllegalTransition) => {}
                Err(refused) => return Err(refused),
            }
        }
        Ok(moved)
    }

    async fn step(
        &self,
        cook: &Caller,
        terminal: TerminalId,
        manager: &str,
        ticket: &TicketView,
    ) -> Result<(), Refused> {
        let order = ticket.order;
        let view = match ticket.status {
            Status::Received => self.insist(cook, AcceptOrder { order, eta_minutes: None }).await?,
            Status::Confirmed | Status::Preparing => {
                self.insist(cook, Bump { order, station: None, seen_version: ticket.version }).await?.order
            }
            Status::Ready if !ticket.paid => {
                let token = manager.to_owned();
                let manager = Caller::Session { token, terminal: Some(terminal), override_by: None };
                let view = self.insist(&manager, ConfirmCash { order, tendered: ticket.due }).await?;
                self.done(Acknowledged::Paid { order, attempt: None, amount: view.due.0 });
                view
            }
            _ => self.insist(cook, HandOver { order }).await?,
        };
        self.done(Acknowledged::Moved { order, version: view.version, status: view.status });
        Ok(())
    }
}

/// A card that is always approved.
pub fn good_card() -> Instrument {
    Instrument::Card(CardDetails::parse("4242424242424242", "12/40", "123").expect("a card"))
}
