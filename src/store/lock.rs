//! The lock between the writers of one SQLite file, on side files next to it.
//!
//! SQLite's own busy handler backs off to 100 ms and starves writers of other processes. Here one
//! thread per process asks for advisory locks (`flock`); the writers inside the process queue up in
//! order. Between processes there are two locks, as at a turnstile: who wants to write takes
//! `NAME.turn`, waits for `NAME.lock`, and only then lets the next one into the turnstile. So a process
//! that locks again at once cannot overtake the one that waits.

use super::StoreError;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;

struct Request {
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
    /// Opens the side files of `database` and starts the thread.
    ///
    /// # Errors
    /// [`StoreError::Disk`] when a side file cannot be opened or the thread not started.
    pub fn open(database: &Path) -> Result<Self, StoreError> {
        let turn = open_side_file(database, ".turn")?;
        let file = open_side_file(database, ".lock")?;
        let (requests, queue) = mpsc::channel::<Request>();
        thread::Builder::new()
            .name("store-lock".to_owned())
            .spawn(move || serve(&turn, &file, &queue))
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
        self.requests.send(Request { grant }).map_err(|_| away())?;
        tokio::time::timeout(limit, granted).await.map_err(|_| away())?.map_err(|_| away())
    }
}

fn open_side_file(database: &Path, suffix: &str) -> Result<File, StoreError> {
    let mut path = database.as_os_str().to_owned();
    path.push(suffix);
    let path = PathBuf::from(path);
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(|error| StoreError::Disk(format!("{}: {error}", path.display())))
}

/// Waits without a limit of its own: a requester past its deadline has gone, which is seen as soon as
/// the lock is there, and the lock is given up at once.
fn serve(turn: &File, file: &File, queue: &mpsc::Receiver<Request>) {
    while let Ok(request) = queue.recv() {
        if request.grant.is_closed() {
            continue;
        }
        if let Err(error) = turn.lock().and_then(|()| file.lock()) {
            tracing::error!(%error, "the store's lock file cannot be locked");
            unlock(turn);
            continue;
        }
        unlock(turn);
        let (done, finished) = mpsc::channel();
        if request.grant.send(LockGuard { _done: done }).is_ok() {
            // Returns when the guard is dropped: its sender is gone.
            let _ = finished.recv();
        }
        unlock(file);
    }
}

fn unlock(file: &File) {
    if let Err(error) = file.unlock() {
        tracing::error!(%error, "the store's lock file cannot be unlocked");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    const LONG: Duration = Duration::from_secs(20);

    /// Every `WriterLock` has open files of its own, which is what `flock` tells apart: here they stand
    /// for processes.
    #[tokio::test(flavor = "multi_thread")]
    async fn who_locks_again_at_once_does_not_starve_the_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("servery.db");
        let turns = Arc::new(AtomicU64::new(0));
        let inside = Arc::new(AtomicU64::new(0));
        let mut tasks = Vec::new();
        for _ in 0..4 {
            let lock = WriterLock::open(&database).expect("a lock");
            let (turns, inside) = (Arc::clone(&turns), Arc::clone(&inside));
            tasks.push(tokio::spawn(async move {
                let mut most_overtaken = 0;
                for _ in 0..250 {
                    let asked = turns.load(Ordering::SeqCst);
                    let guard = lock.acquire(LONG).await.expect("the lock");
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "one at a time");
                    most_overtaken = most_overtaken.max(turns.fetch_add(1, Ordering::SeqCst) - asked);
                    tokio::task::yield_now().await;
                    inside.fetch_sub(1, Ordering::SeqCst);
                    drop(guard);
                }
                most_overtaken
            }));
        }
        for task in tasks {
            let most = task.await.expect("a writer");
            // How many pass one on its way to the lock is the scheduler's affair; a lock that starves lets
            // the others finish first.
            assert!(most < 3 * 250, "one waited until all others had finished");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_requester_past_its_deadline_does_not_keep_the_lock() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("servery.db");
        let (first, second) =
            (WriterLock::open(&database).expect("a lock"), WriterLock::open(&database).expect("a lock"));
        let held = first.acquire(LONG).await.expect("the lock");
        let late = second.acquire(Duration::from_millis(5)).await;
        assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
        drop(held);
        // Both would wait for ever if the one that gave up were still given the lock.
        for lock in [&first, &second, &first] {
            lock.acquire(LONG).await.expect("the lock");
        }
    }
}
