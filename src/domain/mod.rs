//! The rules of the house. Pure: no I/O, no async, no clock, no randomness.
//!
//! Everything here is a function of its arguments; the time, the ids and the random numbers are
//! passed in by the caller. Nothing in this folder may import another room of the house.

pub mod access;
pub mod cart;
pub mod consumption;
pub mod error;
pub mod forecast;
pub mod fulfilment;
pub mod ids;
pub mod menu;
pub mod money;
pub mod order;
pub mod payment;
pub mod price_trace;
pub mod pricing;
pub mod promo;
pub mod report;
pub mod report_durations;
pub mod settings;
pub mod slot;
pub mod tax;
pub mod text;
pub mod time;
