//! The heartbeat of a screen or worker: it shows Health that the process lives, and what it runs.

use crate::cli::app::House;
use crate::domain::ids::TerminalId;
use crate::service::health::HEARTBEAT_SECONDS;
use crate::service::terminals::{self, Heartbeat, TerminalRole};
use crate::service::{Caller, Door};
use std::time::Duration;
use tokio::task::AbortHandle;

/// Beats until it is dropped.
pub struct Heart {
    task: AbortHandle,
}

impl Heart {
    /// Beats for a terminal that is registered. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(house: &House, terminal: TerminalId) -> Self {
        let door = house.door.clone();
        Self { task: tokio::spawn(async move { beat(&door, terminal).await }).abort_handle() }
    }

    /// Registers a process that nobody signs in at, and beats for it. One that cannot be registered
    /// goes on without: it is only not seen.
    pub async fn register(house: &House, role: TerminalRole) -> Option<Self> {
        let name = house.terminal_name(role);
        match terminals::register(&house.door, &name, role).await {
            Ok(terminal) => Some(Self::start(house, terminal)),
            Err(refused) => {
                tracing::warn!(%refused, name, "this process is not seen among the terminals");
                None
            }
        }
    }
}

impl Drop for Heart {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn beat(door: &Door, terminal: TerminalId) {
    // The first was registering.
    let every = Duration::from_secs(u64::try_from(HEARTBEAT_SECONDS).unwrap_or(30));
    loop {
        tokio::time::sleep(every).await;
        let heartbeat = Heartbeat { terminal, software_version: Some(env!("CARGO_PKG_VERSION").to_owned()) };
        if let Err(refused) = door.execute(&Caller::System, None, heartbeat).await {
            tracing::debug!(%refused, "a heartbeat was lost");
        }
    }
}
