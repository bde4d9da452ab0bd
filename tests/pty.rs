//! The real program in pseudo-terminals: what a customer, a cook and a waiting guest see and do, each at a process of
//! their own, over one store, on SQLite and on Postgres.
//!
//! `pty/house.rs` starts the processes and knows the ways through their screens; the other files hold one part of the
//! day each. Keys go in, screens come out; settings and
//! what the store holds at the end go through the house's own door (`pty/office.rs`). What one screen does for itself is
//! proved faster in `screens_*.rs`, what the terminal core does in `terminal.rs`.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says where it stopped")]

mod support;

#[path = "pty/console.rs"]
mod console;
#[path = "pty/delivery.rs"]
mod delivery;
#[path = "pty/first_day.rs"]
mod first_day;
#[path = "pty/house.rs"]
mod house;
#[path = "pty/keeping.rs"]
mod keeping;
#[path = "pty/office.rs"]
mod office;
#[path = "pty/papers.rs"]
mod papers;
#[path = "pty/paying.rs"]
mod paying;
#[path = "pty/road.rs"]
mod road;
#[path = "pty/tabs.rs"]
mod tabs;
#[path = "pty/terminals.rs"]
mod terminals;
#[path = "pty/trouble.rs"]
mod trouble;
