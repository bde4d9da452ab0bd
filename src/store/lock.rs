//! The lock between the writers of one SQLite file, on a side file next to it.
//!
//! SQLite's own busy handler backs off to 100 ms and starves writers of other processes. Here one
//! thread per process asks for an advisory lock on `NAME.lock`; the writers inside the process queue
//! up in order. A writer whose deadline has passed gives up, and the thread unlocks at once.

use super::StoreError;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Between two tries to get the file lock from another process.
const PAUSE: Duration = Duration::from_micros(300);

struct Request {
    deadline: Instant,
    grant: oneshot::Sender<LockGuard>,
}

/// The queue of this process for the file's lock.
#[derive(Debug, Clone)]
pub struct WriterLock {
    requests: mpsc::Sender<Request>,
}

/// The right to write; given back when dropped.
#[derive(Debug)]
pub struct LockGuard {
    _done: mpsc::Sender<()>,
}

impl WriterLock {
    /// Opens the side file and starts the thread.
    ///
    /// # Errors
    /// [`StoreError::Disk`] when the side file cannot be opened or the thread not started.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(|error| StoreError::Disk(format!("{}: {error}", path.display())))?;
        let (requests, queue) = mpsc::channel::<Request>();
        thread::Builder::new()
            .name("store-lock".to_owned())
            .spawn(move || serve(&file, &queue))
            .map_err(|error| StoreError::Disk(error.to_string()))?;
        Ok(Self { requests })
    }

    /// Waits for the lock, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it was not to be had in time.
    pub async fn acquire(&self, limit: Duration) -> Result<LockGuard, StoreError> {
        let (grant, granted) = oneshot::channel();
        let away = || StoreError::Unavailable("the store is busy".to_owned());
        self.requests.send(Request { deadline: Instant::now() + limit, grant }).map_err(|_| away())?;
        tokio::time::timeout(limit, granted).await.map_err(|_| away())?.map_err(|_| away())
    }
}

fn serve(file: &File, queue: &mpsc::Receiver<Request>) {
    while let Ok(request) = queue.recv() {
        if request.grant.is_closed() || !lock_until(file, request.deadline) {
            continue;
        }
        let (done, finished) = mpsc::channel();
        if request.grant.send(LockGuard { _done: done }).is_ok() {
            // Returns when the guard is dropped: its sender is gone.
            let _ = finished.recv();
        }
        if let Err(error) = file.unlock() {
            tracing::error!(%error, "the store's lock file cannot be unlocked");
        }
    }
}

fn lock_until(file: &File, deadline: Instant) -> bool {
    loop {
        match file.try_lock() {
            Ok(()) => return true,
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => {
                tracing::error!(%error, "the store's lock file cannot be locked");
                return false;
            }
        }
        if Instant::now() >= deadline {
            return false;
        }
        thread::park_timeout(PAUSE);
    }
}
