//! Proof under fire: processes are killed, the power fails, the disk is full, answers are lost, clocks
//! jump, gateways stutter. No order that was acknowledged may be lost, nothing may be torn, nobody is
//! charged for nothing.
//!
//! The faults stand in `fire/`, one file each. What they share: `fire/child.rs` (processes of the test, and
//! the pipes to them), `fire/load.rs` (kiosks and kitchens under load), `fire/ledger.rs` (what was
//! acknowledged, and whether the store has it), `fire/house.rs` (seed, rounds, the store and its clock),
//! `fire/shim.rs` and `fire/trace.rs` (the faults of the disk) and `fire/proxy.rs` (those of the wire).
//!
//! Each test prints its seed, which `SERVERY_TEST_SEED` sets: the same dice fall, as far as processes that
//! race leave it to the dice. `SERVERY_TEST_LONG` asks for the full number of rounds,
//! `SERVERY_TEST_ROUNDS` for any number.

#![expect(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test says where it stopped")]

mod support;

#[expect(dead_code, reason = "the races use the rest of it")]
#[path = "races/arena.rs"]
mod arena;
#[path = "fire/child.rs"]
mod child;
#[path = "fire/clocks.rs"]
mod clocks;
#[expect(dead_code, reason = "the races use the rest of it")]
#[path = "races/command.rs"]
mod command;
#[path = "fire/crowd.rs"]
mod crowd;
#[path = "fire/failover.rs"]
mod failover;
#[path = "fire/full_disk.rs"]
mod full_disk;
#[path = "fire/gateways.rs"]
mod gateways;
#[path = "fire/house.rs"]
mod house;
#[path = "fire/kill.rs"]
mod kill;
#[path = "fire/ledger.rs"]
mod ledger;
#[path = "fire/load.rs"]
mod load;
#[path = "fire/lost_answers.rs"]
mod lost_answers;
#[path = "fire/network.rs"]
mod network;
#[path = "fire/outbox.rs"]
mod outbox;
#[path = "fire/postgres_crash.rs"]
mod postgres_crash;
#[path = "fire/power.rs"]
mod power;
#[path = "fire/proxy.rs"]
mod proxy;
#[path = "fire/relay.rs"]
mod relay;
#[path = "fire/shim.rs"]
mod shim;
#[path = "fire/trace.rs"]
mod trace;
#[path = "fire/two_workers.rs"]
mod two_workers;

/// No test, but what the processes under load run: started with `--ignored --exact load_process`.
#[test]
#[ignore = "a process under load, started by the tests"]
fn load_process() {
    load::serve();
}

/// No test, but a process that takes single steps of a payment, and dies between or within them.
#[test]
#[ignore = "a process of the house, started by the tests"]
fn step_process() {
    gateways::serve();
}
