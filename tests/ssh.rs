//! The console over a real SSH connection: an `sshd` of the test's own on a loopback port, set up with the snippet that
//! the house delivers (`assets/deploy/sshd_servery.conf`, only its paths filled in), and the OpenSSH client in a
//! pseudo-terminal.
//!
//! `ssh/server.rs` starts the server and knows the client's command line, `ssh/line.rs` is a slow line between the two;
//! the other files hold what is proven. What a tab of the console does is proved in `screens_console.rs`.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says where it stopped")]

mod support;

#[path = "ssh/barred.rs"]
mod barred;
#[path = "ssh/hostile.rs"]
mod hostile;
#[expect(dead_code, reason = "shared with the tests in pseudo-terminals")]
#[path = "pty/house.rs"]
mod house;
#[path = "ssh/line.rs"]
mod line;
#[path = "ssh/manager.rs"]
mod manager;
#[expect(dead_code, reason = "shared with the tests in pseudo-terminals")]
#[path = "pty/office.rs"]
mod office;
#[path = "ssh/server.rs"]
mod server;
