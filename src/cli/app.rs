//! What every role of the program stands on: store, door, secrets and gateways, opened in one place.
//! An empty store becomes the demo in the default place only; a store that somebody named is set up by
//! `servery init`. No command and no screen lives here.

use crate::config::{Config, UpiApproval, Variables};
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::ids::{Ids, SiteId};
use crate::domain::payment::Method;
use crate::domain::time::Clock;
use crate::payment::card::{CardGateway, CardKeys, PUBLISHABLE_KEY, SECRET_KEY};
use crate::payment::script::Script;
use crate::payment::simulated::Provider;
use crate::payment::upi::{Approval, UpiGateway};
use crate::payment::webhook::{UpiSecret, WEBHOOK_SECRET};
use crate::payment::{Gateway, Gateways};
use crate::service::health_gateways::WatchedGateway;
use crate::service::provider_memory::StoredProviderMemory;
use crate::service::secrets::{self, pepper_path};
use crate::service::setup::{self, InitSite};
use crate::service::site_info::{SiteInfo, ThisSite};
use crate::service::terminals::{self, TerminalRole};
use crate::service::{Caller, Door, FieldKey, Secrets, SystemClock, TimeOrderedIds, staff};
use crate::store::{Options, Store, StoreError};
use std::sync::Arc;

/// The largest gateway script, in bytes.
const MAX_SCRIPT: u64 = 1024 * 1024;

/// What a process is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// One command of the command line; it readies the gateway that it needs by itself.
    Command,
    /// A screen or worker that takes or returns money by any method.
    TakesPayments,
    /// A screen that takes no payment but cash: kitchen, board.
    Watches,
}

/// Everything that a process needs.
#[derive(Debug, Clone)]
pub struct House {
    /// What it was told.
    pub config: Config,
    /// The store.
    pub store: Store,
    /// The one door.
    pub door: Door,
    /// The keeper of secrets.
    pub secrets: Secrets,
    /// The gateways of this process; none in a role that charges nothing.
    pub gateways: Gateways,
    /// The UPI gateway, where there is one, to read its webhooks and to simulate them.
    pub upi: Option<Arc<UpiGateway>>,
    /// The site when the house was opened.
    pub site: SiteInfo,
    /// What is to be told to whoever started the process.
    pub notices: Vec<String>,
    script: Option<Arc<Script>>,
}

/// The variable with the key under which addresses are kept.
const FIELD_KEY: &str = "SERVERY_FIELD_KEY";

/// The name of this machine, where the system tells it.
fn host_name() -> Option<String> {
    let text = std::fs::read_to_string("/etc/hostname").ok()?;
    Some(text.trim().to_owned()).filter(|name| !name.is_empty())
}

/// The methods whose keys these variables have; the demo brings its own.
pub fn configured_methods(variables: &Variables, demo: bool) -> Vec<Method> {
    let text = |name: &str| variables.text(name).ok().flatten();
    let (secret, publishable) = (text(SECRET_KEY), text(PUBLISHABLE_KEY));
    let none = secret.is_none() && publishable.is_none();
    let card = (demo && none) || CardKeys::from_variables(secret.as_deref(), publishable.as_deref()).is_ok();
    let webhook = text(WEBHOOK_SECRET);
    let upi = (demo && webhook.is_none()) || UpiSecret::from_variable(webhook.as_deref()).is_ok();
    [(Method::Card, card), (Method::Upi, upi)].into_iter().filter(|(_, has)| *has).map(|(method, _)| method).collect()
}

/// The refusal for a store that cannot be opened.
fn no_store(config: &Config, error: StoreError) -> Refused {
    let mut refused = Refused::from(error);
    refused.details = serde_json::json!({ "store": config.store.to_string() });
    refused
}

/// Whether an empty store becomes the demo by itself. The demo's passwords are published, so nobody who
/// named a store gets one unasked.
#[must_use]
pub fn makes_demo(config: &Config) -> bool {
    config.store_is_default && config.site == SiteId::MAIN
}

impl House {
    /// Opens and migrates the store, makes the demo where it is the empty one of the default place, and
    /// readies the gateways that the role needs.
    ///
    /// # Errors
    /// `STORE_UNAVAILABLE`; `NOT_FOUND` for a store that was named and is empty, or a site that the store
    /// does not have; `VALIDATION_ERROR` for a payment key that is missing; `FORBIDDEN` for another pepper
    /// than the store's, in screens.
    pub async fn open(config: &Config, role: Role) -> Result<Self, Refused> {
        Self::open_with(config, role, Arc::new(SystemClock), Arc::new(TimeOrderedIds::from_machine())).await
    }

    /// As [`House::open`], by another clock and with ids of another source.
    ///
    /// # Errors
    /// As [`House::open`].
    pub async fn open_with(
        config: &Config,
        role: Role,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, Refused> {
        let store = Store::open(&config.store, Options::default()).await.map_err(|error| no_store(config, error))?;
        let mut notices = Vec::new();
        if setup::is_empty(&store).await? {
            if !makes_demo(config) {
                return Err(setup::not_set_up(&config.store));
            }
            if setup::init(&store, &*clock, &*ids, &InitSite::demo(&config.site)).await? {
                notices.push(format!("Made the demo store at {}.", config.store));
            }
        }
        let pepper = pepper_path(|name| config.variables.get(name))?;
        let bound = secrets::is_bound(&store).await?;
        let secrets = if bound { Secrets::open_bound(&pepper)? } else { Secrets::open(&pepper)? };
        let field_key = config.variables.text(FIELD_KEY)?.map(|secret| FieldKey::from_secret(&secret)).transpose()?;
        let own_key = field_key.is_some();
        let door_with =
            |key| Door::with_field_key(store.clone(), config.site.clone(), Arc::clone(&clock), Arc::clone(&ids), key);
        let mut door = door_with(field_key);
        let site = door.ask(&Caller::System, ThisSite).await?;
        if site.demo && !own_key {
            // As its gateways' keys: published, and what it locks is as invented as the rest of the demo.
            door = door_with(Some(FieldKey::demo()));
        }
        if site.demo {
            match staff::insert_demo(&door, &secrets).await {
                Ok(true) => {
                    notices.push("Added the demo staff: asha (admin), ravi (kitchen), noor (delivery).".to_owned());
                }
                Ok(false) => {}
                // They were added with the pepper; a kiosk's role on Postgres may not even look for them.
                Err(refused) if bound => tracing::debug!(%refused, "not looked for the demo staff"),
                Err(refused) => return Err(refused),
            }
        }
        // A process without a pepper file is asked again where it verifies somebody.
        if matches!(role, Role::TakesPayments | Role::Watches) && !secrets.is_missing() {
            secrets.check_store(&door).await?;
        }
        let mut house = Self {
            config: config.clone(),
            store,
            door,
            secrets,
            gateways: Gateways::none(),
            upi: None,
            site,
            notices,
            script: None,
        };
        if role == Role::TakesPayments {
            let settings = house.site.settings.clone();
            for (method, enabled) in
                [(Method::Card, settings.card_payment_enabled), (Method::Upi, settings.upi_payment_enabled)]
            {
                if enabled {
                    house.ready_gateway(method)?;
                }
            }
        }
        Ok(house)
    }

    /// Readies the gateway of a method, unless it is ready or the method needs none.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` for a payment key that is missing or no key, or for a gateway script that
    /// cannot be read.
    pub fn ready_gateway(&mut self, method: Method) -> Result<(), Refused> {
        if method == Method::Cash || self.gateways.get(method).is_some() {
            return Ok(());
        }
        let memory = StoredProviderMemory::new(self.store.clone(), self.config.site.clone());
        let clock = Arc::clone(self.door.clock());
        let provider = Provider { memory: Arc::new(memory), clock, script: self.script()? };
        let gateway: Arc<dyn Gateway> = if method == Method::Card {
            Arc::new(CardGateway::new(self.card_keys()?, provider))
        } else {
            let approval = match self.config.upi_approval(self.site.demo) {
                UpiApproval::Manual => Approval::Manual,
                UpiApproval::AfterSeconds(seconds) => Approval::AfterSeconds(seconds),
            };
            let gateway = Arc::new(UpiGateway::new(self.upi_secret()?, approval, provider));
            self.upi = Some(Arc::clone(&gateway));
            gateway
        };
        let watched =
            WatchedGateway::new(gateway, self.store.clone(), self.config.site.clone(), Arc::clone(self.door.clock()));
        self.gateways = std::mem::take(&mut self.gateways).with(Arc::new(watched));
        Ok(())
    }

    /// Whether this process has a gateway for every method that the site takes.
    #[must_use]
    pub fn can_settle(&self) -> bool {
        let settings = &self.site.settings;
        let has = |method: Method, enabled: bool| !enabled || self.gateways.get(method).is_some();
        has(Method::Card, settings.card_payment_enabled) && has(Method::Upi, settings.upi_payment_enabled)
    }

    /// The methods for which this process has a gateway; `None` where it has none at all, because then it
    /// may be one that charges nothing whatever keys there are.
    #[must_use]
    pub fn configured_methods(&self) -> Option<Vec<Method>> {
        let all = Method::ALL.iter().copied();
        Some(all.filter(|method| self.gateways.get(*method).is_some()).collect()).filter(|has: &Vec<_>| !has.is_empty())
    }

    /// The name of this process's terminal: the configured one, else one that its host makes.
    #[must_use]
    pub fn terminal_name(&self, role: TerminalRole) -> String {
        let host = self.config.variables.text("HOSTNAME").ok().flatten().or_else(host_name);
        self.config.terminal.clone().unwrap_or_else(|| terminals::default_name(role, host.as_deref()))
    }

    fn card_keys(&mut self) -> Result<CardKeys, Refused> {
        let variables = &self.config.variables;
        let (secret, publishable) = (variables.text(SECRET_KEY)?, variables.text(PUBLISHABLE_KEY)?);
        if self.site.demo && secret.is_none() && publishable.is_none() {
            self.notices.push("Demo: cards are taken with the demo's own test keys; no money moves.".to_owned());
            return Ok(CardKeys::demo());
        }
        CardKeys::from_variables(secret.as_deref(), publishable.as_deref())
    }

    fn upi_secret(&mut self) -> Result<UpiSecret, Refused> {
        let secret = self.config.variables.text(WEBHOOK_SECRET)?;
        if self.site.demo && secret.is_none() {
            self.notices.push("Demo: UPI is simulated with the demo's own secret; no money moves.".to_owned());
            return Ok(UpiSecret::demo());
        }
        UpiSecret::from_variable(secret.as_deref())
    }

    /// The script, read once: the gateways take its steps together.
    fn script(&mut self) -> Result<Option<Arc<Script>>, Refused> {
        if self.script.is_some() {
            return Ok(self.script.clone());
        }
        let Some(path) = &self.config.gateway_script else { return Ok(None) };
        let refuse = |why: String| {
            Refused::new(ErrorCode::ValidationError, format!("The gateway script {} {why}", path.display()))
                .with("field", "gateway_script")
        };
        let length = std::fs::metadata(path).map_err(|error| refuse(format!("cannot be read: {error}.")))?.len();
        if length > MAX_SCRIPT {
            return Err(refuse("is too large.".to_owned()));
        }
        let text = std::fs::read_to_string(path).map_err(|error| refuse(format!("cannot be read: {error}.")))?;
        self.script = Some(Arc::new(Script::parse(&text)?));
        Ok(self.script.clone())
    }
}
