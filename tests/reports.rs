//! Reports and the audit log on both databases: what is kept equals a recount by other means after random
//! flows, days and hours over changes of the clocks, refunds days later, changed cut-offs, pages and
//! filters of the audit log, and the commands of both.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests, which clippy does not know as tests"
)]

#[path = "reports/audit.rs"]
mod audit;
#[expect(dead_code, reason = "shared with the tests of the command line, which use all of it")]
mod cli_support;
#[path = "reports/commands.rs"]
mod commands;
#[path = "reports/days.rs"]
mod days;
#[expect(dead_code, reason = "shared with the tests of the worker, which use all of it")]
#[path = "worker/house.rs"]
mod house;
#[path = "reports/recount.rs"]
mod recount;
#[path = "reports/sequences.rs"]
mod sequences;
mod support;
