//! One slice of a bench in one of its processes: so many orders by so many clients, by the service or
//! by hand, with their carts made before the clock runs. The process keeps its store and its connections
//! open from one slice to the next.

use crate::cli::crew::Post;
use crate::cli::figures::{Waits, monotonic_micros};
use crate::domain::error::Refused;
use crate::service::load::{self, Guest, LoadSite};
use crate::service::{Caller, SystemClock, TimeOrderedIds, site_info::ThisSite};
use crate::store::bare::{Bare, Model};
use crate::store::{Options, Store, StoreUrl};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::task::JoinSet;

/// By whom orders are placed and paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum By {
    /// The service, through the one door.
    Service,
    /// SQL written by hand.
    Hand,
}

/// A site that is ready for orders.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Site {
    /// The order from which the rows by hand are learnt.
    pub model: Model,
    /// A guest with a full cart that is only copied.
    pub like: Guest,
}

/// The work of one process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Slice {
    /// The store's address, with its password.
    pub store: String,
    /// The sites over which the orders are spread.
    pub sites: Vec<Site>,
    /// Clients of this process that order at the same time; as many connections to Postgres it has.
    pub clients: u32,
    /// Whether other processes order too.
    pub shared: bool,
    /// Orders of this process.
    pub orders: usize,
    /// By whom.
    pub by: By,
}

/// How a slice went.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Ran {
    /// When the first order began, and when the last one ended, by the machine's monotonic clock.
    pub began_us: u64,
    /// See `began_us`.
    pub ended_us: u64,
    /// From the placing of each order to its payment's acknowledgement.
    pub waits: Waits,
    /// What failed, and how often.
    pub errors: BTreeMap<String, u64>,
}

/// What a process keeps open.
#[derive(Default)]
pub struct Bench {
    open: Option<Open>,
}

struct Open {
    store: Store,
    /// For what it was opened: store, clients, shared, sites.
    of: (String, u32, bool, usize),
    sites: Vec<LoadSite>,
    bare: Vec<Arc<tokio::sync::Mutex<Bare>>>,
}

/// What the clients of a slice share.
struct Work {
    by: By,
    sites: Vec<(LoadSite, Model)>,
    /// The carts that nobody has taken yet, with the index of their site.
    guests: Mutex<Vec<(usize, Guest)>>,
    ran: Mutex<Ran>,
    ids: TimeOrderedIds,
}

impl Bench {
    /// Does a slice.
    ///
    /// # Errors
    /// `STORE_UNAVAILABLE` for a store that cannot be reached. What orders refuse is counted.
    pub async fn serve(&mut self, slice: Slice, post: &mut Post) -> Result<(), Refused> {
        let open = self.opened(&slice).await?;
        let mut guests = Vec::with_capacity(slice.orders);
        for (index, (site, like)) in open.sites.iter().zip(&slice.sites).enumerate() {
            let count = slice.orders / open.sites.len() + usize::from(index < slice.orders % open.sites.len());
            let made = site.guests_like(&like.like, count).await?;
            guests.extend(made.into_iter().map(|guest| (index, guest)));
            site.door.ask(&Caller::System, ThisSite).await?;
        }
        // By cart, which is by chance: so that the sites come in turn.
        guests.sort_by_key(|(_, guest)| guest.cart.0.as_u64_pair().1);
        let sites = open.sites.iter().cloned().zip(slice.sites.iter().map(|site| site.model.clone())).collect();
        let work = Arc::new(Work {
            by: slice.by,
            sites,
            guests: Mutex::new(guests),
            ran: Mutex::default(),
            ids: TimeOrderedIds::from_machine(),
        });
        let bare = open.bare.clone();
        if !post.ready().await.map_err(Refused::internal)? {
            return Ok(());
        }
        let began_us = monotonic_micros();
        let mut clients = JoinSet::new();
        for client in 0..slice.clients {
            let work = Arc::clone(&work);
            let bare = usize::try_from(client).ok().and_then(|client| bare.get(client % bare.len().max(1))).cloned();
            clients.spawn(async move { work.orders(bare).await });
        }
        while let Some(ended) = clients.join_next().await {
            ended.map_err(Refused::internal)?;
        }
        let mut ran = std::mem::take(&mut *work.ran.lock().unwrap_or_else(PoisonError::into_inner));
        (ran.began_us, ran.ended_us) = (began_us, monotonic_micros());
        post.answer(&ran).await.map_err(Refused::internal)
    }

    async fn opened(&mut self, slice: &Slice) -> Result<&Open, Refused> {
        let of = (slice.store.clone(), slice.clients, slice.shared, slice.sites.len());
        if self.open.as_ref().is_none_or(|open| open.of != of) {
            if let Some(open) = self.open.take() {
                open.store.close().await;
            }
            let url = StoreUrl::parse(&slice.store)?;
            let options = Options { connections: slice.clients.max(1), ..Options::default() };
            let store = Store::open(&url, options).await?;
            let mut sites = Vec::with_capacity(slice.sites.len());
            for site in &slice.sites {
                sites.push(LoadSite::open(&store, site.model.site()).await?);
            }
            // A file has one writer at a time, so one connection is enough; a server has one for each client.
            let connections = if matches!(url, StoreUrl::Sqlite(_)) { 1 } else { slice.clients.max(1) };
            let mut bare = Vec::new();
            for _ in 0..connections {
                bare.push(Arc::new(tokio::sync::Mutex::new(Bare::open(&url, slice.shared).await?)));
            }
            self.open = Some(Open { store, of, sites, bare });
        }
        self.open.as_ref().ok_or_else(|| Refused::internal("the store was not opened"))
    }
}

impl Work {
    fn next(&self) -> Option<(usize, Guest)> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// One client: order after order, until no cart is left.
    async fn orders(&self, bare: Option<Arc<tokio::sync::Mutex<Bare>>>) {
        while let Some((index, guest)) = self.next() {
            let Some((site, model)) = self.sites.get(index) else { return };
            let began = Instant::now();
            let done = match (self.by, &bare) {
                (By::Service, _) => place_pay(site, &guest).await,
                (By::Hand, Some(bare)) => {
                    let mut bare = bare.lock().await;
                    bare.place_pay(model, guest.cart, &SystemClock, &self.ids).await.map(|_| ()).map_err(Refused::from)
                }
                (By::Hand, None) => Err(Refused::internal("no connection by hand")),
            };
            let took = began.elapsed();
            let mut ran = self.ran.lock().unwrap_or_else(PoisonError::into_inner);
            match done {
                Ok(()) => ran.waits.note(took),
                Err(refused) => {
                    tracing::warn!(%refused, cause = refused.cause, "an order of a bench failed");
                    *ran.errors.entry(refused.code.to_string()).or_default() += 1;
                }
            }
        }
    }
}

/// Places and pays by the service.
///
/// # Errors
/// What either refuses.
pub async fn place_pay(site: &LoadSite, guest: &Guest) -> Result<(), Refused> {
    let placed = load::place(&site.door, guest).await?;
    load::pay(&site.door, &placed).await.map(|_| ())
}
