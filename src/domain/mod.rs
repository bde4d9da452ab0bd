//! The rules of the house. Pure: no I/O, no async, no clock, no randomness.
//!
//! Everything here is a function of its arguments; the time, the ids and the random numbers are
//! passed in by the caller. Nothing in this folder may import another room of the house.

pub mod error;
pub mod ids;
pub mod time;
