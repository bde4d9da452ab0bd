//! The change feed: tells a screen that the store may have changed, so that it reads again what it
//! shows, and that the store went away or came back. It carries no data.
//!
//! SQLite: the folder of the file is watched, and a look on a connection of the feed's own says whether
//! something was really committed. Postgres: `LISTEN servery`, with a look at the server as the safety net.
//! What a look sees, and what of it is not worth telling, stands in `glance.rs`; nothing is written here.

use super::glance::{PostgresGlance, SqliteGlance, within};
use super::pool::Source;
use super::servers::{HEDGE, Servers, hedged};
use super::{Store, StoreError};
use notify::{EventKind, RecursiveMode, Watcher};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// At most one [`FeedEvent::Changed`] in this time.
const COALESCE: Duration = Duration::from_millis(33);
/// SQLite: look even when the watch said nothing.
const SQLITE_POLL: Duration = Duration::from_millis(250);
/// SQLite: the bytes reach the log before the commit is visible, and the disk's sync lies between.
/// A look follows each of these pauses, counted from the watch's word; the later ones are for slow
/// disks, and are never much longer than what was waited already.
const LOOK_AGAIN: [Duration; 14] = {
    const fn pause(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }
    [
        pause(200),
        pause(800),
        pause(2_000),
        pause(2_000),
        pause(2_000),
        pause(3_000),
        pause(4_000),
        pause(5_000),
        pause(6_000),
        pause(8_000),
        pause(10_000),
        pause(13_000),
        pause(16_000),
        pause(20_000),
    ]
};
/// SQLite: a rest after a change was seen, so that a busy store does not keep the feed busy.
const REST: Duration = Duration::from_millis(5);
/// Postgres: look even when nothing was heard.
const POSTGRES_POLL: Duration = Duration::from_secs(2);
/// A store that does not answer the feed's small question in this time is away.
const ANSWER: Duration = Duration::from_secs(1);
/// Connecting may take longer than an answer: there are several round trips, and a handshake, each slow
/// where the network is.
const CONNECT: Duration = Duration::from_secs(4);
/// The pause before the next try to reach a store that is away.
const RETRY: Duration = Duration::from_millis(250);
/// The channel that the door notifies.
const CHANNEL: &str = "servery";

/// What a feed tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedEvent {
    /// Something may have changed: read again what is shown. The first one comes as soon as the feed
    /// watches, so that nothing falls between a screen's first read and the feed.
    Changed,
    /// The store cannot be reached.
    Away,
    /// The store can be reached again; a [`FeedEvent::Changed`] follows.
    Back,
}

#[derive(Debug, Default)]
struct Signal {
    changed: AtomicBool,
    away: AtomicBool,
    wake: Notify,
}

impl Signal {
    fn change(&self) {
        self.changed.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    fn reached(&self) {
        self.away.store(false, Ordering::Release);
        self.change();
    }

    fn lost(&self, why: &StoreError) {
        if !self.away.swap(true, Ordering::AcqRel) {
            tracing::warn!(%why, "the store is away");
            self.wake.notify_one();
        }
    }
}

/// A feed of one site. It lives until it is dropped, whatever happens to the store meanwhile.
#[derive(Debug)]
pub struct Feed {
    signal: Arc<Signal>,
    told_away: bool,
    last_change: Option<Instant>,
    watcher: AbortHandle,
}

impl Feed {
    /// Begins to watch `site` in the background. Must be called within a tokio runtime.
    #[must_use]
    pub fn open(store: &Store, site: &str) -> Self {
        let signal = Arc::new(Signal::default());
        let watched = Arc::clone(&signal);
        let site = site.to_owned();
        let task = match store.source() {
            Source::Sqlite { path, connect } => {
                tokio::spawn(async move { watch_sqlite(&path, &connect, &watched).await })
            }
            Source::Postgres { servers } => {
                tokio::spawn(async move { watch_postgres(&servers, &site, &watched).await })
            }
        };
        Self { signal, told_away: false, last_change: None, watcher: task.abort_handle() }
    }

    /// Waits for the next event. Level-triggered: any number of changes since the last one are told
    /// as one, and at most one in 33 ms. A call that is dropped half-way loses nothing.
    pub async fn changed(&mut self) -> FeedEvent {
        loop {
            let away = self.signal.away.load(Ordering::Acquire);
            if away != self.told_away {
                self.told_away = away;
                return if away { FeedEvent::Away } else { FeedEvent::Back };
            }
            if !self.signal.changed.load(Ordering::Acquire) {
                self.signal.wake.notified().await;
                continue;
            }
            let due = self.last_change.map(|last| last + COALESCE).filter(|due| *due > Instant::now());
            if let Some(due) = due {
                // Woken early by a loss, or by one change more.
                tokio::select! {
                    () = sleep_until(due) => {}
                    () = self.signal.wake.notified() => {}
                }
                continue;
            }
            self.signal.changed.store(false, Ordering::Release);
            self.last_change = Some(Instant::now());
            return FeedEvent::Changed;
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

// ---------------------------------------------------------------- SQLite

async fn watch_sqlite(path: &Path, connect: &SqliteConnectOptions, signal: &Signal) {
    loop {
        let lost = watch_sqlite_once(path, connect, signal).await;
        signal.lost(&lost);
        sleep(RETRY).await;
    }
}

/// Watches until the file cannot be read, or is another file.
async fn watch_sqlite_once(path: &Path, connect: &SqliteConnectOptions, signal: &Signal) -> StoreError {
    match try_watch_sqlite(path, connect, signal).await {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

async fn try_watch_sqlite(
    path: &Path,
    connect: &SqliteConnectOptions,
    signal: &Signal,
) -> Result<std::convert::Infallible, StoreError> {
    let identity = identity(path)?;
    // Before the first look: what comes after it is heard.
    let woken = Arc::new(Notify::new());
    let _watch = watch_folder(path, &woken);
    let mut glance = SqliteGlance::first(within(CONNECT, connect.connect()).await?).await?;
    signal.reached();
    loop {
        let heard = timeout(SQLITE_POLL, woken.notified()).await.is_ok();
        if !heard && self::identity(path)? != identity {
            return Err(StoreError::Unavailable("the store's file was replaced".to_owned()));
        }
        let mut looks = if heard { LOOK_AGAIN.as_slice() } else { &[] }.iter();
        loop {
            if glance.look().await? {
                signal.change();
                sleep(REST).await;
            }
            let Some(pause) = looks.next() else { break };
            // Heard again: the looks begin anew, counted from that word.
            if timeout(*pause, woken.notified()).await.is_ok() {
                looks = LOOK_AGAIN.iter();
            }
        }
    }
}

/// Which file this is: its device and number.
fn identity(path: &Path) -> Result<(u64, u64), StoreError> {
    let data =
        std::fs::metadata(path).map_err(|error| StoreError::Unavailable(format!("{}: {error}", path.display())))?;
    Ok((data.dev(), data.ino()))
}

/// Watches the folder. Where that is not possible (no inotify watches left), the safety poll remains.
fn watch_folder(path: &Path, woken: &Arc<Notify>) -> Option<notify::RecommendedWatcher> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name()?.to_owned();
    let mut log = name.clone();
    log.push("-wal");
    let names: [OsString; 2] = [name, log];
    let wake = Arc::clone(woken);
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Opening and reading is heard too, also our own: only what writes counts.
        let wakes = event.is_ok_and(|event| {
            !matches!(event.kind, EventKind::Access(_))
                && (event.need_rescan() || event.paths.iter().any(|path| of_store(path, &names)))
        });
        if wakes {
            wake.notify_one();
        }
    });
    let watching = watcher.and_then(|mut watcher| {
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
        Ok(watcher)
    });
    watching.inspect_err(|error| tracing::warn!(%error, "the store's folder cannot be watched; polling")).ok()
}

fn of_store(path: &Path, names: &[OsString]) -> bool {
    path.file_name().is_some_and(|found| names.iter().any(|name| name == found))
}

// ---------------------------------------------------------------- Postgres

async fn watch_postgres(servers: &Servers, site: &str, signal: &Signal) {
    loop {
        match try_watch_postgres(servers, site, signal).await {
            Ok(()) => {
                // The connection ended; what was sent meanwhile is lost. Connecting anew says whether
                // the server is still there, and resyncs.
                if let Err(lost) = try_connect(servers).await {
                    signal.lost(&lost);
                }
                sleep(REST).await;
            }
            Err(lost) => {
                signal.lost(&lost);
                sleep(RETRY).await;
            }
        }
        // Another server may be the primary by now.
        servers.doubt();
    }
}

async fn try_connect(servers: &Servers) -> Result<(), StoreError> {
    servers.doubt();
    let connect = servers.choose(Duration::ZERO).await?;
    let connection = within(CONNECT, hedged(HEDGE, || connect.connect())).await?;
    within(ANSWER, connection.close()).await
}

/// A listener on a pool of one, because that is what it is made from; the pool is never used again after a
/// loss.
async fn listener(connect: &PgConnectOptions) -> Result<PgListener, sqlx::Error> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(CONNECT)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(connect.clone());
    PgListener::connect_with(&pool).await
}

/// Listens until the connection ends (`Ok`) or does not answer.
async fn try_watch_postgres(servers: &Servers, site: &str, signal: &Signal) -> Result<(), StoreError> {
    let connect = servers.choose(Duration::ZERO).await?;
    let mut listener = within(CONNECT, hedged(HEDGE, || listener(&connect))).await?;
    listener.eager_reconnect(false);
    within(ANSWER, listener.listen(CHANNEL)).await?;
    let mut glance = PostgresGlance::look(&mut listener).await?;
    signal.reached();
    loop {
        match timeout(POSTGRES_POLL, listener.try_recv()).await {
            Ok(Ok(Some(notification))) => {
                if notification.payload() == site {
                    signal.change();
                }
            }
            Ok(Ok(None) | Err(_)) => return Ok(()),
            Err(_) => {
                let now = PostgresGlance::look(&mut listener).await?;
                if now.tells_more_than(&glance) {
                    signal.change();
                }
                glance = now;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn feed() -> Feed {
        let watcher = tokio::spawn(std::future::pending::<()>()).abort_handle();
        Feed { signal: Arc::default(), told_away: false, last_change: None, watcher }
    }

    #[tokio::test(start_paused = true)]
    async fn any_number_of_changes_is_one_event_and_the_next_waits_its_turn() {
        let mut feed = feed();
        for _ in 0..1_000 {
            feed.signal.change();
        }
        assert_eq!(feed.changed().await, FeedEvent::Changed);
        assert_eq!(feed.changed().now_or_never(), None);
        let first = Instant::now();
        feed.signal.change();
        assert_eq!(feed.changed().now_or_never(), None, "not before its time, and dropping the call loses nothing");
        assert_eq!(feed.changed().await, FeedEvent::Changed);
        assert!(first.elapsed() >= COALESCE, "on the paused clock");
    }

    #[tokio::test(start_paused = true)]
    async fn a_loss_is_told_once_at_once_and_the_return_makes_the_screen_read_again() {
        let mut feed = feed();
        feed.signal.change();
        assert_eq!(feed.changed().await, FeedEvent::Changed);
        feed.signal.change();
        let away = StoreError::Unavailable("gone".to_owned());
        feed.signal.lost(&away);
        feed.signal.lost(&away);
        assert_eq!(feed.changed().now_or_never(), Some(FeedEvent::Away), "before the change that waits");
        feed.signal.reached();
        assert_eq!(feed.changed().await, FeedEvent::Back);
        assert_eq!(feed.changed().await, FeedEvent::Changed);
        assert_eq!(feed.changed().now_or_never(), None);
    }
}
