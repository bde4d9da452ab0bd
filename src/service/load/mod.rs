//! Load on a store of its own: the demo site that `servery stress` and `servery bench` run on, the order
//! that their terminals place and pay, and the proof afterwards. All of it goes through the door; which
//! processes do it, and when, is the command line's.

mod proof;
mod site;

pub use proof::{Expected, Proof, ProofCheck, prove};
pub use site::{GATEWAY, Guest, LINES, LoadSite, REPEATS, captured, is_busy, pay, place};
