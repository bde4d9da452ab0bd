//! The screens of the house, one folder per role. Each is an [`super::app::App`]: a pure state machine
//! over the views of [`crate::service::views`]; nothing here opens a store or waits for one.

pub mod kiosk;
//! The screens of the house, one folder per role. Each is an [`crate::tui::app::App`]: state, update
//! and view stand together, what it wants done is data, and nothing here opens a store.

pub mod board;
pub mod kitchen;
pub mod launcher;
