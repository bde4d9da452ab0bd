//! Races of real processes on both databases: the last units, the last place of a slot, Enter pressed
//! twice, three who settle one order at one instant. Whoever wins, the house must add up.
//!
//! The tests stand in `races/`: `stock`, `orders`, `money`, `start`. The processes are this very
//! test binary, started again as [`child`], with the commands to run; where one command a process is
//! enough they are the real `servery`. Each test prints its seed, `SERVERY_TEST_SEED` sets it, and
//! `SERVERY_TEST_LONG` asks for more rounds.

#![expect(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test says where it stopped")]

mod support;

#[path = "races/arena.rs"]
mod arena;
#[path = "races/both.rs"]
mod both;
#[path = "races/command.rs"]
mod command;
#[path = "races/crew.rs"]
mod crew;
#[path = "races/money.rs"]
mod money;
#[path = "races/orders.rs"]
mod orders;
#[path = "races/start.rs"]
mod start;
#[path = "races/stock.rs"]
mod stock;

/// No test, but what the processes of the races run: started with `--ignored --exact child`.
#[test]
#[ignore = "a process of the races, started by them"]
fn child() {
    crew::serve();
}
