//! The lock between the writers of one SQLite file, on side files next to it.
//!
//! SQLite's own busy handler backs off to 100 ms and starves writers of other processes. Here every process asks
//! for advisory locks (`flock`), and its own writers queue up in order. Between processes there are two locks, as at
//! a turnstile: who wants to write takes `NAME.turn`, waits for `NAME.lock`, and only then lets the next one into the
//! turnstile. So a process that locks again at once cannot overtake the one that waits.
//!
//! A process that has the lock serves its own queue for the length of one turn ([`TURN`]) before another process
//! comes: what it has read of the file stays good only as long as nobody else writes, so a turn of several
//! transactions costs less than several turns of one. Nobody sleeps while the lock is free: it is tried at once, and
//! a thread waits for it (`flock` has no other way to wait) only when another process has it.

use super::StoreError;
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, mpsc};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How long a process serves its own writers while another process waits.
const TURN: Duration = Duration::from_millis(10);

/// The queue of this process for the file's lock.
#[derive(Debug, Clone)]
pub struct WriterLock {
    shared: Arc<Shared>,
}

/// The right to write; given back when dropped.
#[derive(Debug)]
pub struct LockGuard {
    shared: Option<Arc<Shared>>,
}

#[derive(Debug)]
struct Shared {
    files: Arc<Files>,
    state: Mutex<State>,
    /// Tells the thread to wait for the lock; the thread ends with it.
    wait: mpsc::Sender<()>,
}

#[derive(Debug)]
struct Files {
    turn: File,
    lock: File,
}

#[derive(Debug)]
struct State {
    stands: Stands,
    /// Empty while the lock is free.
    queue: VecDeque<oneshot::Sender<LockGuard>>,
}

/// How this process stands to the lock. `flock` belongs to the open file, not to a thread: whoever asks for it or
/// gives it back must know this first.
#[derive(Debug, Clone, Copy)]
enum Stands {
    Free,
    /// The thread waits for it.
    Asked,
    /// It is ours, and was last given to us, or found wanted by nobody else, at this instant.
    Held(Instant),
}

impl WriterLock {
    /// Opens the side files of `database` and starts the thread.
    ///
    /// # Errors
    /// [`StoreError::Disk`] when a side file cannot be opened or the thread not started.
    pub fn open(database: &Path) -> Result<Self, StoreError> {
        let files =
            Arc::new(Files { turn: open_side_file(database, ".turn")?, lock: open_side_file(database, ".lock")? });
        let (wait, told) = mpsc::channel();
        let state = Mutex::new(State { stands: Stands::Free, queue: VecDeque::new() });
        let shared = Arc::new(Shared { files: Arc::clone(&files), state, wait });
        let asking = Arc::downgrade(&shared);
        thread::Builder::new()
            .name("store-lock".to_owned())
            .spawn(move || wait_for_lock(&files, &asking, &told))
            .map_err(|error| StoreError::Disk(error.to_string()))?;
        Ok(Self { shared })
    }

    /// Waits for the lock, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it was not to be had in time.
    pub async fn acquire(&self, limit: Duration) -> Result<LockGuard, StoreError> {
        let granted = {
            let mut state = self.shared.state();
            if matches!(state.stands, Stands::Free) && self.shared.files.take_at_once() {
                state.stands = Stands::Held(Instant::now());
                return Ok(LockGuard { shared: Some(Arc::clone(&self.shared)) });
            }
            let (grant, granted) = oneshot::channel();
            // Who is past a deadline takes no room while another process keeps the lock for long.
            state.queue.retain(|waiting| !waiting.is_closed());
            state.queue.push_back(grant);
            if matches!(state.stands, Stands::Free) {
                self.shared.ask(&mut state);
            }
            granted
        };
        let away = || StoreError::Unavailable("the store is busy".to_owned());
        tokio::time::timeout(limit, granted).await.map_err(|_| away())?.map_err(|_| away())
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, state: &mut State) {
        if self.wait.send(()).is_ok() {
            state.stands = Stands::Asked;
        } else {
            // Without the thread nobody would ever answer them.
            state.queue.clear();
        }
    }

    /// The lock is ours: for the first who still waits for it.
    fn grant(self: &Arc<Self>, state: &mut State) {
        while let Some(first) = state.queue.pop_front() {
            match first.send(LockGuard { shared: Some(Arc::clone(self)) }) {
                Ok(()) => return,
                // Gone past its deadline.
                Err(mut unwanted) => drop(unwanted.shared.take()),
            }
        }
        self.free(state);
    }

    fn free(&self, state: &mut State) {
        unlock(&self.files.lock);
        state.stands = Stands::Free;
    }

    /// One writer of ours has done: the next one's turn, or another process's.
    fn release(self: &Arc<Self>) {
        let mut state = self.state();
        let over = matches!(state.stands, Stands::Held(since) if since.elapsed() >= TURN);
        if over && !state.queue.is_empty() {
            if self.files.another_waits() {
                self.free(&mut state);
                return self.ask(&mut state);
            }
            state.stands = Stands::Held(Instant::now());
        }
        self.grant(&mut state);
    }
}

impl Drop for LockGuard {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            shared.release();
        }
    }
}

impl Files {
    /// Takes the lock if nobody has it and nobody waits for it.
    fn take_at_once(&self) -> bool {
        if self.turn.try_lock().is_err() {
            return false;
        }
        let taken = self.lock.try_lock().is_ok();
        unlock(&self.turn);
        taken
    }

    /// Whether a process stands in the turnstile while this one has the lock.
    fn another_waits(&self) -> bool {
        let waits = self.turn.try_lock().is_err();
        if !waits {
            unlock(&self.turn);
        }
        waits
    }

    fn wait(&self) -> std::io::Result<()> {
        self.turn.lock()?;
        let locked = self.lock.lock();
        unlock(&self.turn);
        locked
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

/// Waits without a limit of its own: when all that asked have gone past their deadlines, the lock is given up as
/// soon as it is there.
fn wait_for_lock(files: &Files, asking: &Weak<Shared>, told: &mpsc::Receiver<()>) {
    while told.recv().is_ok() {
        let locked = files.wait();
        let Some(shared) = asking.upgrade() else {
            // Nobody is left who could write; the files close, which gives the lock back.
            return;
        };
        let mut state = shared.state();
        match locked {
            Ok(()) => {
                state.stands = Stands::Held(Instant::now());
                shared.grant(&mut state);
            }
            Err(error) => {
                tracing::error!(%error, "the store's lock file cannot be locked");
                state.stands = Stands::Free;
                state.queue.clear();
            }
        }
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

    #[tokio::test(flavor = "multi_thread")]
    async fn many_writers_of_one_process_do_not_shut_another_process_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("servery.db");
        let (many, one) = (WriterLock::open(&database).expect("a lock"), WriterLock::open(&database).expect("a lock"));
        let ended = Arc::new(AtomicU64::new(0));
        let mut tasks = Vec::new();
        for _ in 0..4 {
            let (many, ended) = (many.clone(), Arc::clone(&ended));
            tasks.push(tokio::spawn(async move {
                while ended.load(Ordering::SeqCst) == 0 {
                    let guard = many.acquire(LONG).await.expect("the lock");
                    tokio::task::yield_now().await;
                    drop(guard);
                }
            }));
        }
        for _ in 0..10 {
            drop(one.acquire(LONG).await.expect("the lock, while the others never stop asking"));
            tokio::task::yield_now().await;
        }
        ended.store(1, Ordering::SeqCst);
        for task in tasks {
            task.await.expect("a writer");
        }
    }

    #[tokio::test]
    async fn the_writers_of_one_process_are_served_in_their_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let lock = WriterLock::open(&folder.path().join("servery.db")).expect("a lock");
        let held = lock.acquire(LONG).await.expect("the lock");
        let served = std::cell::RefCell::new(Vec::new());
        let writer = async |number: u32, limit: Duration| {
            let guard = lock.acquire(limit).await;
            served.borrow_mut().push((number, guard.is_ok()));
        };
        // The first is past its deadline, and the others stand in the queue behind it, when the lock comes free.
        let first = async {
            writer(0, Duration::from_millis(1)).await;
            drop(held);
        };
        tokio::join!(first, writer(1, LONG), writer(2, LONG), writer(3, LONG));
        assert_eq!(served.into_inner(), [(0, false), (1, true), (2, true), (3, true)]);
        // And the lock is free again, for another process as well.
        let other = WriterLock::open(&folder.path().join("servery.db")).expect("a lock");
        drop(other.acquire(LONG).await.expect("the lock"));
        drop(lock.acquire(LONG).await.expect("the lock"));
    }
}
