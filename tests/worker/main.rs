//! The worker on both databases: its lease, every timer on both sides of its edge, money that waits
//! for a gateway, the outbox, the seals, and the loop itself.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which clippy does not know as tests"
)]

mod couriers;
mod events;
mod house;
mod lease;
mod money;
mod seals;
#[path = "../support/mod.rs"]
mod support;
mod timers;
