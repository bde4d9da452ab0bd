//! Which Postgres server of a store takes writes now. An address may name several hosts, of which one is
//! the primary and the others are standbys that may be promoted at any time; this file tells them apart.
//! How connections are pooled stands in `pool.rs`, what the address looks like in `url.rs`.
//!
//! Of servers that take writes the one with the highest timeline is the primary: every promotion raises
//! it, so that an old primary that comes back beside its successor is passed over, and never taken again
//! by a process that has seen the successor. Who has not seen it cannot know: fence the old one.

use super::StoreError;
use super::pool::postgres_options;
use super::statements::note;
use super::url::hosts_of;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

/// A server that has not said by then what it is does not answer. There are several round trips and a
/// handshake in it, which a slow network or a busy machine draws out; looks begun later wait for nobody.
const ANSWER: Duration = Duration::from_secs(5);
/// After one server that takes writes was found, the others have so long to say that they do, too.
const GRACE: Duration = Duration::from_millis(300);
/// Between two looks at servers of which none takes writes.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// A connection that is not there after this time is tried for again beside it: what was sent into a
/// network that swallowed it is not answered when the network is back.
pub(super) const HEDGE: Duration = Duration::from_secs(1);

/// Whether a server takes no writes, and the timeline on which it writes (eight hexadecimal digits).
const POSTGRES_SERVER: &str = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on', \
     CASE WHEN pg_is_in_recovery() THEN '0' ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END";

/// The servers of one store.
#[derive(Debug)]
pub(super) struct Servers {
    all: Vec<PgConnectOptions>,
    /// Whether a server has to show that it takes writes. One host without a word about that need not.
    particular: bool,
    chosen: AtomicUsize,
    /// Whether the chosen one has to be found (again).
    doubted: AtomicBool,
    /// The highest timeline seen.
    timeline: AtomicI64,
    choosing: Mutex<()>,
}

impl Servers {
    /// The servers that an address names.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] for an address that cannot be read.
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        let (hosts, wants_writes) = hosts_of(url)?;
        let all = hosts.iter().map(|host| postgres_options(host)).collect::<Result<Vec<_>, _>>()?;
        let particular = wants_writes || all.len() > 1;
        Ok(Self {
            all,
            particular,
            chosen: AtomicUsize::new(0),
            doubted: AtomicBool::new(particular),
            timeline: AtomicI64::new(0),
            choosing: Mutex::new(()),
        })
    }

    /// The same servers, with options for every connection.
    pub(super) fn with(mut self, options: &[(&str, String)]) -> Self {
        for server in &mut self.all {
            *server = server.clone().options(options.iter().map(|(name, value)| (*name, value.as_str())));
        }
        self
    }

    /// Whether a server has to show that it takes writes.
    pub(super) const fn is_particular(&self) -> bool {
        self.particular
    }

    /// How to connect to the server that was last found.
    pub(super) fn chosen(&self) -> Result<PgConnectOptions, StoreError> {
        let server = self.all.get(self.chosen.load(Ordering::Acquire));
        server.cloned().ok_or_else(|| StoreError::Fault("the store has no server".to_owned()))
    }

    /// A connection was lost, or a write refused: another server may be the primary by now.
    pub(super) fn doubt(&self) {
        if self.particular {
            self.doubted.store(true, Ordering::Release);
        }
    }

    /// How to connect to the server that takes writes; looked for only where the last one is in doubt,
    /// and then at least once, for as long as `limit`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when none takes writes; [`StoreError::Unusable`] when every one refuses
    /// us.
    pub(super) async fn choose(&self, limit: Duration) -> Result<PgConnectOptions, StoreError> {
        let until = Instant::now() + limit;
        if self.doubted.load(Ordering::Acquire) {
            let _one = self.choosing.lock().await;
            while self.doubted.swap(false, Ordering::AcqRel) {
                match hedged(HEDGE, || self.look()).await {
                    Ok(found) => self.chosen.store(found, Ordering::Release),
                    Err(error) => {
                        self.doubt();
                        if !error.is_away() || Instant::now() + LOOK_AGAIN > until {
                            return Err(error);
                        }
                        sleep(LOOK_AGAIN).await;
                    }
                }
            }
        }
        self.chosen()
    }

    /// Asks every server at once; which one is the primary.
    async fn look(&self) -> Result<usize, StoreError> {
        let mut asked: FuturesUnordered<_> = self.all.iter().enumerate().map(ask).collect();
        let (mut best, mut refusal) = (None, None);
        let mut until = Instant::now() + ANSWER;
        while let Ok(Some((place, answer))) =
            timeout(until.saturating_duration_since(Instant::now()), asked.next()).await
        {
            match answer {
                Ok(Some(timeline)) if best.is_none_or(|(highest, _)| timeline > highest) => {
                    best = Some((timeline, place));
                    until = until.min(Instant::now() + GRACE);
                }
                Ok(_) => {}
                // What can be waited for is told rather than what cannot.
                Err(error) => {
                    if refusal.as_ref().is_none_or(|known: &StoreError| !known.is_away()) {
                        refusal = Some(error);
                    }
                }
            }
        }
        match best {
            Some((timeline, place)) if self.follows(timeline) => Ok(place),
            Some(_) => Err(nobody("the only one that does was left behind by a promotion")),
            None => Err(refusal.unwrap_or_else(|| nobody("none of those that answered in time does"))),
        }
    }

    /// Whether a primary on this timeline is the newest that was seen; remembers it.
    fn follows(&self, timeline: i64) -> bool {
        self.timeline.fetch_max(timeline, Ordering::AcqRel) <= timeline
    }

    /// Refuses a new connection to a server that takes no writes, or was left behind.
    pub(super) async fn accept(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        match writes(connection).await? {
            Some(timeline) if self.follows(timeline) => Ok(()),
            _ => {
                self.doubt();
                Err(sqlx::Error::Protocol("this server is not the primary of the store".to_owned()))
            }
        }
    }
}

fn nobody(why: &str) -> StoreError {
    StoreError::Unavailable(format!("no server of the store takes writes: {why}"))
}

/// Asks one server on a connection of its own.
async fn ask((place, server): (usize, &PgConnectOptions)) -> (usize, Result<Option<i64>, StoreError>) {
    let asking = async {
        let mut connection = server.connect().await?;
        let answer = writes(&mut connection).await;
        // Its goodbye keeps nobody waiting.
        tokio::spawn(connection.close());
        answer
    };
    (place, asking.await.map_err(StoreError::from))
}

/// The timeline on which a server writes; none if it does not.
async fn writes(connection: &mut PgConnection) -> Result<Option<i64>, sqlx::Error> {
    let (read_only, timeline): (bool, String) =
        sqlx::query_as(note(POSTGRES_SERVER)).persistent(false).fetch_one(connection).await?;
    Ok(i64::from_str_radix(&timeline, 16).ok().filter(|_| !read_only))
}

/// The first answer of an attempt that is begun again beside the earlier ones `every` so often.
pub(super) async fn hedged<T, F>(every: Duration, attempt: impl Fn() -> F) -> T
where
    F: Future<Output = T>,
{
    let mut attempts = FuturesUnordered::new();
    loop {
        attempts.push(attempt());
        if let Ok(Some(answer)) = timeout(every, attempts.next()).await {
            return answer;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_is_taken_as_it_is_and_several_have_to_show_what_they_are() {
        let of = |url: &str| Servers::parse(url).expect("servers");
        let one = of("postgres://cook@db.example/servery");
        assert!(!one.is_particular());
        one.doubt();
        assert!(!one.doubted.load(Ordering::Acquire), "nothing is asked of it");
        assert!(of("postgres://cook@db.example/servery?target_session_attrs=read-write").is_particular());
        let two = of("postgres://cook@a.example:5433,b.example/servery");
        assert!(two.is_particular() && two.doubted.load(Ordering::Acquire));
        let places: Vec<_> = two.all.iter().map(|server| (server.get_host(), server.get_port())).collect();
        assert_eq!(places[0], ("a.example", 5433));
        assert_eq!(places[1].0, "b.example");
    }

    #[test]
    fn a_primary_that_was_left_behind_is_not_taken_again() {
        let servers = Servers::parse("postgres://cook@a,b/servery").expect("servers");
        for (timeline, newest) in [(1, true), (1, true), (3, true), (2, false), (3, true)] {
            assert_eq!(servers.follows(timeline), newest, "{timeline}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_is_never_answered_does_not_keep_the_next_waiting() {
        let begun = AtomicUsize::new(0);
        let attempt = || {
            let number = begun.fetch_add(1, Ordering::Relaxed);
            async move { if number < 2 { std::future::pending().await } else { number } }
        };
        let before = Instant::now();
        assert_eq!(hedged(HEDGE, attempt).await, 2);
        assert_eq!(before.elapsed(), HEDGE * 2, "on the paused clock");
    }
}
