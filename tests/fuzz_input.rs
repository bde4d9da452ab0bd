//! What strangers can send, at random and in quantity: the bytes of a terminal into a running screen, menu files into
//! the import, messages of a payment provider into the house. Nothing panics, nothing hangs, nothing grows without
//! bound, and the house is in order afterwards.
//!
//! `cargo test --test fuzz_input`: some thousands of each; with `SERVERY_TEST_LONG=1` ten million in all, with
//! `SERVERY_TEST_ROUNDS=N` any other number of each. The seed is printed; `SERVERY_SEED=N` plays the same inputs again,
//! and `SERVERY_INPUT=I` beside it begins with that one. `fuzz_input/keys.rs`, `menus.rs` and `webhooks.rs` hold a
//! target each, `sequences.rs` makes what a terminal could send, `bytes.rs` spoils what was well formed.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a test says where it stopped")]

mod support;

#[path = "fuzz_input/bytes.rs"]
mod bytes;
#[path = "fuzz_input/campaign.rs"]
mod campaign;
#[expect(dead_code, reason = "shared with the tests of the console")]
#[path = "screens_console/house.rs"]
mod house;
#[path = "fuzz_input/keys.rs"]
mod keys;
#[path = "fuzz_input/menus.rs"]
mod menus;
#[path = "fuzz_input/sequences.rs"]
mod sequences;
#[path = "fuzz_input/webhooks.rs"]
mod webhooks;
