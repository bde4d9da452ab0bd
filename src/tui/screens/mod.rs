//! The screens of the house, one folder per role. Each is an [`super::app::App`]: a pure state machine
//! over the views of [`crate::service::views`]; nothing here opens a store or waits for one.

pub mod kiosk;
