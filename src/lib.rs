//! Servery: an ordering system in the terminal.
//!
//! The rooms, and the one direction in which they may call each other
//! (`main → cli → tui, worker → service → store, payment → domain`), are described in
//! `ARCHITECTURE.md`. This file only names the rooms; nothing else lives here.

pub mod cli;
pub mod config;
pub mod domain;
pub mod payment;
pub mod service;
pub mod store;
pub mod tui;
pub mod worker;
