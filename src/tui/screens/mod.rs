//! The screens of the house, one folder per role. Each is an [`crate::tui::app::App`]: state, update
//! and view stand together, what it wants done is data, and nothing here opens a store.

pub mod board;
pub mod console;
pub mod credentials;
pub mod kiosk;
pub mod kitchen;
pub mod launcher;
pub mod person;
pub mod price_trace;
