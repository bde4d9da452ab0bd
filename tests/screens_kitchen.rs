//! The kitchen's board, the "now serving" board and the launcher: pictures of every state, and what
//! every key does.

#[path = "screens_kitchen/fixtures.rs"]
mod fixtures;
#[path = "screens_kitchen/flows.rs"]
mod flows;
