//! The worker beside a role: started with it, ended with it, so that its lease is free at once.

use crate::cli::app::House;
use crate::worker::{Options, Worker};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A worker that runs in this process until [`Leading::end`].
pub struct Leading {
    stop: CancellationToken,
    worker: JoinHandle<()>,
}

impl Leading {
    /// Starts it.
    #[must_use]
    pub fn start(house: &House, options: Options) -> Self {
        let options = Options { backups: house.config.backups.clone(), ..options };
        let stop = CancellationToken::new();
        let worker = Worker::start(house.door.clone(), house.gateways.clone(), options, stop.clone());
        Self { stop, worker }
    }

    /// Ends it and waits until it has given its lease back.
    pub async fn end(self) {
        self.stop.cancel();
        if let Err(error) = self.worker.await {
            tracing::error!(%error, "the worker ended badly");
        }
    }
}
