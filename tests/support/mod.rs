//! What the integration tests share: a real terminal, a real database, real processes, waiting with a limit.
//!
//! Helpers only; tests of the helpers stand in `tests/support_selftest.rs` and `tests/pictures.rs`. Nothing here
//! knows the rules of Servery.
#![allow(
    clippy::allow_attributes,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "each test binary uses its part, and a helper that cannot go on fails the test by panicking"
)]

pub mod key;
pub mod postgres;
pub mod process;
pub mod pty;
pub mod restored;
pub mod shapes;
pub mod svg;
pub mod wait;
