//! The SQL. One file per aggregate, plus the pool, the transaction, the writer's lock, the change
//! feed and the migrations. No rule of the house lives here: only rows, and the conditions under
//! which an UPDATE may hit one.
//!
//! Everything above this folder sees a [`Store`] and a [`Tx`] and never learns which database it is.

mod error;
mod feed;
mod lock;
#[doc(hidden)]
pub mod statements;
#[macro_use]
mod tx;
#[macro_use]
mod rows;
mod pool;
mod servers;
mod url;

pub mod archive;
pub mod audit;
pub mod backup;
pub mod bare;
pub mod beside;
pub mod carts;
pub mod deliveries;
pub mod doctor;
pub mod due;
pub mod entity_history;
pub mod events;
pub mod generated;
pub mod glance;
pub mod grants;
pub mod health;
pub mod holds;
pub mod lease;
pub mod limits;
pub mod menu;
pub mod menu_edit;
pub mod money;
pub mod notifications;
pub mod order_lists;
pub mod orders;
pub mod outbox;
pub mod people;
pub mod promotions;
pub mod records;
pub mod recount;
pub mod reports;
pub mod reports_count;
pub mod reports_fresh;
pub mod seal;
pub mod seals;
pub mod simulated;
pub mod sites;
pub mod stock;
pub mod tickets;
pub mod till;
pub mod till_takings;

pub use error::StoreError;
pub use feed::{Feed, FeedEvent};
pub(crate) use pool::newest_migration;
pub use pool::{Options, Store};
pub use rows::MOST_COUNTED;
pub use tx::Tx;
pub use url::StoreUrl;
