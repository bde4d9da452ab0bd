//! The only door by which anything changes: `execute(caller, key, use_case)`. It owns the
//! transaction, the permission check, the idempotency key, the audit rows and the outbox.
//!
//! A transaction runs in a task of its own, so that a caller who goes away cannot leave half of one
//! behind. Whether a commit whose answer was lost was kept is settled by the key.

use super::caller::{Caller, Touch, resolve};
use super::field_key::FieldKey;
use super::menu::MenuCache;
use crate::domain::access::{Actor, Permission};
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::{Ids, OrderId};
use crate::domain::money::Currency;
use crate::domain::settings::Settings;
use crate::domain::time::{Clock, Timestamp};
use crate::store::records::{AuditRow, OutboxRow};
use crate::store::sites::{Arrival, SiteRow};
use crate::store::{Store, StoreError, Tx, records, sites};
use chrono_tz::Tz;
use futures::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::any::Any;
use std::future::Future;
use std::sync::{Arc, RwLock};
use uuid::Uuid;

/// How often a transaction is tried again when another stood in its way.
const TRIES: u32 = 8;
/// How often it is asked about again by its key when the answer to its commit was lost: a store that never
/// answers must not keep anybody waiting.
const LOST_ANSWERS: u32 = 2;

/// One thing that can be asked of the house.
pub trait UseCase: Serialize + Clone + Send + Sync + 'static {
    /// What it answers.
    type Output: Serialize + DeserializeOwned + Send + 'static;
    /// Its name in the audit log, in the idempotency table and on the command line.
    const NAME: &'static str;
    /// The permission that it needs.
    const PERMISSION: Permission;
    /// Whether a run leaves an audit row even where the use case wrote none of its own.
    const AUDITED: bool = true;

    /// Reads, decides, writes. May run more than once when another transaction stood in the way; only
    /// the last run is kept.
    fn run(&self, context: &mut Context<'_>) -> impl Future<Output = Result<Self::Output, Refused>> + Send;
}

/// One question that can be asked of the house. It changes nothing.
pub trait Query: Send + Sync {
    /// What it answers.
    type Output: Send;
    /// The permission that it needs.
    const PERMISSION: Permission;

    /// Reads.
    fn run(&self, view: &mut View<'_>) -> impl Future<Output = Result<Self::Output, Refused>> + Send;
}

/// What a use case answered, whatever its type: the answer, and as it is kept under the command's key.
struct Done {
    output: Box<dyn Any + Send>,
    outcome: Option<Value>,
}

/// A use case behind which its type does not show, so that the door's own work is compiled once and not once
/// for each of them.
trait AnyUseCase: Send + Sync {
    fn name(&self) -> &'static str;
    fn permission(&self) -> Permission;
    fn is_audited(&self) -> bool;
    fn request(&self) -> Result<Vec<u8>, Refused>;
    fn carry_out<'a>(&'a self, context: &'a mut Context<'_>, keyed: bool) -> BoxFuture<'a, Result<Done, Refused>>;
}

impl<U: UseCase> AnyUseCase for U {
    fn name(&self) -> &'static str {
        U::NAME
    }

    fn permission(&self) -> Permission {
        U::PERMISSION
    }

    fn is_audited(&self) -> bool {
        U::AUDITED
    }

    fn request(&self) -> Result<Vec<u8>, Refused> {
        serde_json::to_vec(self).map_err(Refused::internal)
    }

    fn carry_out<'a>(&'a self, context: &'a mut Context<'_>, keyed: bool) -> BoxFuture<'a, Result<Done, Refused>> {
        Box::pin(async move {
            let output = self.run(context).await?;
            let outcome = keyed.then(|| serde_json::to_value(&output).map_err(Refused::internal)).transpose()?;
            Ok(Done { output: Box::new(output), outcome })
        })
    }
}

/// What the door answers to a command: what the use case answered, or what was kept under the key.
enum Answer {
    New(Box<dyn Any + Send>),
    Kept(Value),
}

/// A query behind which its type does not show, with room for its answer.
trait AnyQuery: Send {
    fn permission(&self) -> Permission;
    fn answer<'a>(&'a mut self, view: &'a mut View<'_>) -> BoxFuture<'a, Result<(), Refused>>;
}

struct Asked<Q: Query> {
    query: Q,
    output: Option<Q::Output>,
}

impl<Q: Query> AnyQuery for Asked<Q> {
    fn permission(&self) -> Permission {
        Q::PERMISSION
    }

    fn answer<'a>(&'a mut self, view: &'a mut View<'_>) -> BoxFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            self.output = Some(self.query.run(view).await?);
            Ok(())
        })
    }
}

/// What a query works with.
pub struct View<'a> {
    /// The transaction, which only reads.
    pub tx: &'a mut Tx,
    /// The instant of the whole query.
    pub now: Timestamp,
    /// Who asks.
    pub actor: Actor,
    /// The site.
    pub site: Arc<Site>,
    /// The menu as this process last read it.
    pub menus: &'a MenuCache,
    field_key: Option<&'a FieldKey>,
}

impl<'a> View<'a> {
    /// The key of texts that only the house may read ([`Context::seal`]), where this process has one.
    #[must_use]
    pub const fn field_key(&self) -> Option<&'a FieldKey> {
        self.field_key
    }
}

/// The site as the commands see it; read again when a version has risen.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// Its short name.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Its money.
    pub currency: Currency,
    /// Its time zone.
    pub zone: Tz,
    /// Whether this is the demo.
    pub demo: bool,
    /// The version of its menu.
    pub menu_version: i64,
    /// The version of its settings.
    pub settings_version: i64,
    /// The settings in force.
    pub settings: Settings,
}

/// What a use case works with: the transaction, the instant, the actor and the site.
pub struct Context<'a> {
    /// The transaction.
    pub tx: &'a mut Tx,
    /// The instant of the whole command.
    pub now: Timestamp,
    /// Who gives the command.
    pub actor: Actor,
    /// The site.
    pub site: Arc<Site>,
    /// The menu as this process last read it.
    pub menus: &'a MenuCache,
    field_key: Option<&'a FieldKey>,
    ids: &'a dyn Ids,
    audit: Vec<AuditRow>,
    outbox: Vec<OutboxRow>,
}

impl Context<'_> {
    /// A new id.
    pub fn new_id(&self) -> Uuid {
        self.ids.next(self.now)
    }

    /// Encrypts a text that only the house may read.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` when this process has no key for such texts.
    pub fn seal(&self, row: Uuid, plain: &str) -> Result<Vec<u8>, Refused> {
        let key = self.field_key.ok_or_else(|| {
            Refused::invalid("delivery_address", "This terminal cannot keep addresses.")
                .help("Set SERVERY_FIELD_KEY on this terminal, or collect the order.")
        })?;
        key.seal(row, plain, (self.new_id(), self.new_id()))
    }

    /// Notes something for the audit log.
    pub fn audit(&mut self, row: AuditRow) {
        self.audit.push(row);
    }

    /// Tells the world something about an order.
    pub fn emit(&mut self, order: OrderId, sequence: i64, event: &'static str, payload: Value, priority: i64) {
        self.outbox.push(OutboxRow { order: Some((order, sequence)), event, payload, priority });
    }
}

struct Inner {
    store: Store,
    site: String,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    known: RwLock<Option<Arc<Site>>>,
    menus: MenuCache,
    field_key: Option<FieldKey>,
}

/// The door of one site; cheap to clone.
#[derive(Clone)]
pub struct Door {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("site", &self.inner.site).finish_non_exhaustive()
    }
}

impl Door {
    /// A door to the site of the store.
    #[must_use]
    pub fn new(store: Store, site: impl Into<String>, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        Self::with_field_key(store, site, clock, ids, None)
    }

    /// As [`Door::new`], with the key under which addresses are kept; without it no delivery is taken.
    #[must_use]
    pub fn with_field_key(
        store: Store,
        site: impl Into<String>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
        field_key: Option<FieldKey>,
    ) -> Self {
        let (known, menus) = (RwLock::new(None), MenuCache::default());
        Self { inner: Arc::new(Inner { store, site: site.into(), clock, ids, known, menus, field_key }) }
    }

    /// The store behind the door, for the change feed, backups and health.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The short name of the site.
    #[must_use]
    pub fn site_id(&self) -> &str {
        &self.inner.site
    }

    /// The clock of this process. Rules use the transaction's instant instead.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    /// A new id of this process, for keys and sessions made outside a command.
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        self.inner.ids.next(self.inner.clock.now())
    }

    /// Runs a use case. With a key, the same request again answers the same and does nothing.
    ///
    /// # Errors
    /// What the use case refuses; `INSUFFICIENT_ROLE`, `TOKEN_EXPIRED` or `FORBIDDEN` at the door;
    /// `IDEMPOTENCY_MISMATCH` for a key that came with another request; `STORE_UNAVAILABLE`.
    pub async fn execute<U: UseCase>(
        &self,
        caller: &Caller,
        key: Option<&str>,
        use_case: U,
    ) -> Result<U::Output, Refused> {
        match self.execute_any(caller, key, Box::new(use_case)).await? {
            Answer::New(output) => match output.downcast::<U::Output>() {
                Ok(output) => Ok(*output),
                Err(_) => Err(Refused::internal(format!("{} answered something else", U::NAME))),
            },
            Answer::Kept(outcome) => serde_json::from_value(outcome).map_err(Refused::internal),
        }
    }

    async fn execute_any(
        &self,
        caller: &Caller,
        key: Option<&str>,
        use_case: Box<dyn AnyUseCase>,
    ) -> Result<Answer, Refused> {
        let (inner, caller, key) = (Arc::clone(&self.inner), caller.clone(), key.map(str::to_owned));
        let name = use_case.name();
        let task = tokio::spawn(async move { inner.execute(&caller, key.as_deref(), &*use_case).await });
        match task.await {
            Ok(result) => result,
            Err(error) => Err(Refused::internal(format!("{name} ended badly: {error}"))),
        }
    }

    /// Answers a question from one consistent state of the store.
    ///
    /// # Errors
    /// What the query refuses, the refusals of the door, and `STORE_UNAVAILABLE`.
    pub async fn ask<Q: Query>(&self, caller: &Caller, query: Q) -> Result<Q::Output, Refused> {
        let mut asked = Asked { query, output: None };
        self.ask_any(caller, &mut asked).await?;
        asked.output.ok_or_else(|| Refused::internal("a query without an answer"))
    }

    async fn ask_any(&self, caller: &Caller, query: &mut dyn AnyQuery) -> Result<(), Refused> {
        let mut tx = self.inner.store.read().await?;
        let Arrival { site, now, .. } = sites::arrive(&mut tx, &self.inner.site, None, &*self.inner.clock).await?;
        let site = self.inner.known(&mut tx, site).await?;
        let actor = resolve(&mut tx, &self.inner.site, caller, now, Touch::No).await?;
        actor.require(query.permission())?;
        let field_key = self.inner.field_key.as_ref();
        query.answer(&mut View { tx: &mut tx, now, actor, site, menus: &self.inner.menus, field_key }).await?;
        tx.rollback().await?;
        Ok(())
    }
}

impl Inner {
    async fn execute(&self, caller: &Caller, key: Option<&str>, use_case: &dyn AnyUseCase) -> Result<Answer, Refused> {
        let hash = request_hash(caller, &use_case.request()?);
        let (mut tries, mut lost_answers) = (0, 0);
        loop {
            tries += 1;
            let error = match self.attempt(caller, key, use_case, &hash).await {
                Ok(output) => return Ok(output),
                Err(Failure::Refused(refused)) => return Err(refused),
                Err(Failure::Store(error)) => error,
            };
            // With a key, a lost answer to a commit and a race on the key itself are settled by
            // asking again: the stored outcome is there, or nothing was kept.
            lost_answers += u32::from(matches!(error, StoreError::CommitUnknown(_)));
            let settled_by_key = key.is_some()
                && lost_answers <= LOST_ANSWERS
                && matches!(error, StoreError::CommitUnknown(_) | StoreError::Duplicate(_));
            if tries >= TRIES || !(error.is_retryable() || settled_by_key) {
                tracing::warn!(use_case = use_case.name(), %error, tries, "a command failed in the store");
                return Err(error.into());
            }
        }
    }

    async fn attempt(
        &self,
        caller: &Caller,
        key: Option<&str>,
        use_case: &dyn AnyUseCase,
        hash: &[u8],
    ) -> Result<Answer, Failure> {
        let name = use_case.name();
        let mut tx = self.store.write().await?;
        let Arrival { site, now, stored } = sites::arrive(&mut tx, &self.site, key, &*self.clock).await?;
        let site = self.known(&mut tx, site).await?;
        let actor = match resolve(&mut tx, &self.site, caller, now, Touch::Yes).await {
            Ok(actor) => actor,
            Err(refused) => return give_up(tx, refused).await,
        };
        if let Err(refused) = actor.require(use_case.permission()) {
            return give_up(tx, refused).await;
        }
        if let Some(stored) = stored {
            records::keep_what_was_read(&mut tx).await?;
            tx.commit().await?;
            return answer_again(name, hash, stored).map_err(Failure::Refused);
        }
        let mut context = Context {
            tx: &mut tx,
            now,
            actor,
            site,
            menus: &self.menus,
            field_key: self.field_key.as_ref(),
            ids: &*self.ids,
            audit: Vec::new(),
            outbox: Vec::new(),
        };
        let result = use_case.carry_out(&mut context, key.is_some()).await;
        let (actor, audit, outbox) = (context.actor, context.audit, context.outbox);
        let Done { output, outcome } = match result {
            Ok(done) => done,
            Err(refused) => {
                let failure = give_up(tx, refused).await;
                return match key {
                    Some(key) => self.answered_meanwhile(name, key, hash, failure).await,
                    None => failure,
                };
            }
        };
        if let (Some(key), Some(outcome)) = (key, &outcome) {
            records::store_outcome(&mut tx, &self.site, key, name, hash, outcome, now).await?;
        }
        let audit = if audit.is_empty() && use_case.is_audited() { vec![plain_audit(name)] } else { audit };
        records::append_and_notify(&mut tx, &self.site, (name, &actor), &audit, &outbox, now).await?;
        tx.commit().await?;
        Ok(Answer::New(output))
    }

    /// A refusal may be the work of the same request itself: on Postgres its twin can commit between
    /// our look for the key and the row that refused us ("already placed"). Then the stored outcome is
    /// the answer.
    async fn answered_meanwhile(
        &self,
        name: &str,
        key: &str,
        hash: &[u8],
        failure: Result<Answer, Failure>,
    ) -> Result<Answer, Failure> {
        if !matches!(failure, Err(Failure::Refused(_))) {
            return failure;
        }
        let mut tx = self.store.write().await?;
        let Some(stored) = records::stored_outcome(&mut tx, &self.site, key).await? else {
            tx.rollback().await?;
            return failure;
        };
        records::keep_what_was_read(&mut tx).await?;
        tx.commit().await?;
        answer_again(name, hash, stored).map_err(Failure::Refused)
    }

    /// The site of this row; its settings are read again only when one of its versions has risen.
    async fn known(&self, tx: &mut Tx, row: Option<SiteRow>) -> Result<Arc<Site>, Refused> {
        let row =
            row.ok_or_else(|| Refused::not_found("site", &self.site).help("Set the store up first: servery init."))?;
        let known = self.known.read().ok().and_then(|known| known.clone());
        if let Some(known) = known
            && known.settings_version == row.settings_version
            && known.menu_version == row.menu_version
        {
            return Ok(known);
        }
        let mut settings = Settings::default();
        for (key, value) in sites::settings(tx, &self.site).await? {
            if let Err(refused) = settings.set(&key, &value) {
                tracing::warn!(key, %refused, "a stored setting is left out");
            }
        }
        let site = Arc::new(Site {
            id: row.site_id,
            name: row.name,
            currency: Currency::parse(&row.currency)?,
            zone: row.time_zone.parse().map_err(Refused::internal)?,
            demo: row.demo,
            menu_version: row.menu_version,
            settings_version: row.settings_version,
            settings,
        });
        if let Ok(mut known) = self.known.write() {
            *known = Some(Arc::clone(&site));
        }
        Ok(site)
    }
}

/// What the key table keeps of a request. A guest's key is the guest's own: told to another guest it is
/// another request, so that nobody is shown the order of somebody else (I23).
fn request_hash(caller: &Caller, request: &[u8]) -> Vec<u8> {
    let mut hash = Sha256::new_with_prefix(request);
    if let Caller::Guest { customer, .. } = caller {
        hash.update(customer.0.as_bytes());
    }
    hash.finalize().to_vec()
}

/// A failed attempt: refused for good, or in the store.
enum Failure {
    Refused(Refused),
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// Keeps nothing. A refusal that came from the store itself (a lost connection, a deadlock) is judged
/// by the store's own words, so that it can be tried again.
async fn give_up<T>(tx: Tx, refused: Refused) -> Result<T, Failure> {
    let store = tx.failure().filter(|error| error.is_retryable()).cloned();
    if let Err(error) = tx.rollback().await {
        tracing::debug!(%error, "nothing to roll back");
    }
    Err(store.map_or(Failure::Refused(refused), Failure::Store))
}

/// What was kept under the key, if it was the same request.
fn answer_again(name: &str, hash: &[u8], kept: (String, Vec<u8>, Value)) -> Result<Answer, Refused> {
    let (kept_name, kept_hash, outcome) = kept;
    if kept_name != name || kept_hash != hash {
        return Err(Refused::new(ErrorCode::IdempotencyMismatch, "This key was used for another request.")
            .with("use_case", kept_name));
    }
    Ok(Answer::Kept(outcome))
}

fn plain_audit(name: &str) -> AuditRow {
    AuditRow {
        action: "RUN",
        entity: "Command",
        entity_id: name.to_owned(),
        details: name.replace('_', " "),
        before: None,
        after: None,
        reason: None,
    }
}
