//! The roles with a screen: each file opens the house, shows its screen and carries out what the
//! screen asks for. Drawing and deciding happen elsewhere; here effects become use cases.

pub mod board;
pub mod console;
#[cfg(debug_assertions)]
mod fault;
mod heartbeat;
pub mod kiosk;
pub mod kitchen;
pub mod launcher;
mod leading;
pub mod screen;
mod worker;

pub use board::run as board;
pub use kiosk::run as kiosk;
pub use kitchen::run as kitchen;
pub use launcher::run as launcher;
pub use worker::run as worker;
