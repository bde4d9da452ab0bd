//! The service: one door ([`Door`]) by which anything changes, and the use cases that go through it,
//! one file per aggregate. A use case asks for its permission, reads, lets the domain decide and
//! writes, all in the one transaction that the door owns. No SQL and no screen lives here.

pub mod amounts;
pub mod archive;
pub mod audit;
pub mod backup;
mod caller;
pub mod doctor;
mod door;
mod field_key;
pub mod menu;
mod order_load;
mod order_move;
pub mod provider_memory;
mod real;

pub mod cart;
pub mod envelope;
pub mod events;
pub mod generate;
mod generate_tale;
pub mod health;
pub mod health_gateways;
pub mod health_numbers;
pub mod kitchen;
pub mod load;
pub mod menu_book;
pub mod menu_categories;
mod menu_csv;
mod menu_diff;
pub mod menu_edit;
pub mod menu_file;
pub mod menu_import;
pub mod menu_options;
mod menu_plan;
mod menu_write;
pub mod order_queries;
pub mod order_view;
pub mod orders;
mod paging;
pub mod payments;
pub mod place;
pub mod report_csv;
pub mod report_views;
pub mod reports;
pub mod secrets;
pub mod settings;
pub mod setup;
pub mod sign_in;
pub mod site_info;
pub mod staff;
pub mod stock;
pub mod stock_forecast;
pub mod terminals;
pub mod till;
pub mod till_reports;
mod tries;
pub mod views;
pub mod webhooks;
pub mod worker_due;
pub mod worker_writes;

pub use caller::{Caller, token_hash};
pub use door::{Context, Door, Query, Site, UseCase, View};
pub use field_key::FieldKey;
pub use real::{SystemClock, TimeOrderedIds};
pub use secrets::Secrets;
