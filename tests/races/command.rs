//! What a process of a race can be told to do, and what it answers. Everything goes through the one
//! door, or is the first start itself.

use futures::FutureExt;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use servery::domain::error::Refused;
use servery::domain::ids::{CustomerId, TerminalId};
use servery::domain::time::Clock;
use servery::service::cart::CartAdd;
pub use servery::service::load::GATEWAY;
use servery::service::orders::{Bump, CancelOrder, RefundOrder, RunTimer};
use servery::service::payments::{ApplyCharge, StartPayment};
use servery::service::place::PlaceOrder;
use servery::service::site_info::ThisSite;
use servery::service::{Caller, Door, Secrets, SystemClock, TimeOrderedIds, UseCase, load, setup, staff};
use servery::store::{Options, Store, StoreUrl};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Who gives a command.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum By {
    Guest(CustomerId),
    System,
    Gateway,
    Terminal(TerminalId),
    Session(String),
}

impl By {
    fn caller(&self) -> Caller {
        match self {
            Self::Guest(customer) => Caller::Guest { customer: *customer, terminal: None },
            Self::System => Caller::System,
            Self::Gateway => Caller::Gateway(GATEWAY),
            Self::Terminal(terminal) => Caller::Terminal(*terminal),
            Self::Session(token) => Caller::Session { token: token.clone(), terminal: None, override_by: None },
        }
    }
}

/// One thing to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Command {
    /// What `servery` does when it starts on a store that may be empty; the pepper lies in this file.
    FirstStart(PathBuf),
    CartAdd(CartAdd),
    Place(PlaceOrder),
    /// Place, and what the gateway says then: captured.
    PlaceAndPay(PlaceOrder),
    StartPayment(StartPayment),
    ApplyCharge(ApplyCharge),
    RunTimer(RunTimer),
    Cancel(CancelOrder),
    Bump(Bump),
    Refund(RefundOrder),
}

/// A command with its actor and its idempotency key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Step {
    pub by: By,
    pub key: Option<String>,
    pub command: Command,
}

impl Step {
    /// A step without a key.
    pub fn new(by: By, command: Command) -> Self {
        Self { by, key: None, command }
    }

    /// The same with a key.
    pub fn keyed(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    Done(Value),
    Refused { code: String, guard: Option<String>, message: String, cause: Option<String> },
}

impl Answer {
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    /// The code of the refusal; empty where there was none.
    pub fn code(&self) -> &str {
        match self {
            Self::Done(_) => "",
            Self::Refused { code, .. } => code,
        }
    }

    fn of(result: Result<Value, Refused>) -> Self {
        match result {
            Ok(value) => Self::Done(value),
            Err(refused) => Self::Refused {
                code: refused.code.as_str().to_owned(),
                guard: refused.guard.map(str::to_owned),
                message: refused.message,
                cause: refused.cause,
            },
        }
    }
}

/// A process's own door to a store, with real clock and ids.
pub async fn open_door(store: &str) -> Door {
    open_door_by(store, Arc::new(SystemClock)).await
}

/// As [`open_door`], by this clock.
pub async fn open_door_by(store: &str, clock: Arc<dyn Clock>) -> Door {
    let url = StoreUrl::parse(store).expect("the store's address");
    let store = Store::open(&url, Options::default()).await.expect("the store");
    Door::new(store, "main", clock, Arc::new(TimeOrderedIds::from_machine()))
}

/// Connects, so that the race is not about who connects first.
pub async fn warm(door: &Door) {
    door.ask(&Caller::System, ThisSite).await.expect("the site");
    for _ in 0..load::REPEATS {
        // On a busy machine the deadline for the first connection may pass.
        if let Ok(tx) = door.store().write().await {
            return tx.rollback().await.expect("rolled back");
        }
    }
    panic!("no transaction");
}

async fn run<U: UseCase>(door: &Door, step: &Step, use_case: &U) -> Result<U::Output, Refused> {
    door.execute(&step.by.caller(), step.key.as_deref(), use_case.clone()).await
}

async fn told<U: UseCase>(door: &Door, step: &Step, use_case: &U) -> Result<Value, Refused> {
    Ok(serde_json::to_value(run(door, step, use_case).await?).expect("JSON"))
}

async fn place_and_pay(door: &Door, step: &Step, place: &PlaceOrder) -> Result<Value, Refused> {
    let placed = run(door, step, place).await?;
    if placed.attempt.is_some() {
        load::pay(door, &placed).await?;
    }
    Ok(serde_json::to_value(placed).expect("JSON"))
}

async fn first_start(store: &str, pepper: &Path) -> Result<Value, Refused> {
    let url = StoreUrl::parse(store)?;
    let store = Store::open(&url, Options::default()).await?;
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(TimeOrderedIds::from_machine()));
    let made =
        setup::is_empty(&store).await? && setup::init(&store, &*clock, &*ids, &setup::InitSite::demo("main")).await?;
    let secrets = Secrets::open(pepper)?;
    let door = Door::new(store, "main", clock, ids);
    let staffed = staff::insert_demo(&door, &secrets).await?;
    secrets.check_store(&door).await?;
    Ok(json!({ "made": made, "staffed": staffed }))
}

/// Takes a step, and again where the store says that it was too busy: on a machine with more processes
/// than cores a deadline may pass, which is no failure of a race but must not break it either.
pub async fn take(store: &str, door: Option<&Door>, step: &Step) -> Answer {
    let mut answer = take_once(store, door, step).await;
    for _ in 0..load::REPEATS {
        if step.key.is_none() || answer.code() != "STORE_UNAVAILABLE" {
            break;
        }
        answer = take_once(store, door, step).await;
    }
    answer
}

/// Takes a step once. The first start opens the store itself; all others need the door.
fn take_once<'a>(store: &'a str, door: Option<&'a Door>, step: &'a Step) -> BoxFuture<'a, Answer> {
    async move {
        if let Command::FirstStart(pepper) = &step.command {
            return Answer::of(first_start(store, pepper).await);
        }
        let door = door.expect("the store was opened before");
        Answer::of(match &step.command {
            Command::FirstStart(_) => unreachable!("handled above"),
            Command::CartAdd(add) => told(door, step, add).await,
            Command::Place(place) => told(door, step, place).await,
            Command::PlaceAndPay(place) => place_and_pay(door, step, place).await,
            Command::StartPayment(start) => told(door, step, start).await,
            Command::ApplyCharge(apply) => told(door, step, apply).await,
            Command::RunTimer(timer) => told(door, step, timer).await,
            Command::Cancel(cancel) => told(door, step, cancel).await,
            Command::Bump(bump) => told(door, step, bump).await,
            Command::Refund(refund) => told(door, step, refund).await,
        })
    }
    .boxed()
}
