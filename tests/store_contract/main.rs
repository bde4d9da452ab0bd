//! The store's contract, held against both databases: the ten rules that cost something to learn, the
//! change feed, every SQL constant, the backup and doctor. What the schema itself refuses stands in
//! `tests/schema.rs`; no screen and no use case of the house is tested here.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests, which clippy does not know as tests")]

mod backup;
mod doctor;
mod feed;
mod harness;
mod opening;
mod rules;
#[path = "../support/mod.rs"]
mod support;
