//! What every fault starts from: the seed, the number of rounds, the dice, and a demo store that never
//! runs out of anything but what the test takes from it. Both databases.

use crate::arena::{Arena, Ground, Kind, PEPPER};
use crate::ledger::Books;
use crate::support::process::Servery;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use servery::domain::time::{Clock, MICROS, Timestamp};
use servery::service::till::TillOpen;
use servery::service::{Caller, SystemClock, setup};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// How often a test goes round: `SERVERY_TEST_ROUNDS`, else `full` with `SERVERY_TEST_LONG`, else `short`.
pub fn rounds(short: usize, full: usize) -> usize {
    match std::env::var("SERVERY_TEST_ROUNDS") {
        Ok(text) => text.parse().expect("SERVERY_TEST_ROUNDS: a number"),
        Err(_) if std::env::var_os("SERVERY_TEST_LONG").is_some() => full,
        Err(_) => short,
    }
}

/// Dice that fall the same for the same seed.
#[derive(Clone)]
pub struct Dice {
    pub seed: u64,
    random: ChaCha12Rng,
}

impl Dice {
    /// Dice of the seed in `SERVERY_TEST_SEED`, else of a new one; either is printed.
    pub fn of_test(test: &str) -> Self {
        let seed = std::env::var("SERVERY_TEST_SEED").ok().map_or_else(
            || SystemClock.now().0.unsigned_abs(),
            |text| text.parse().expect("SERVERY_TEST_SEED: a number"),
        );
        println!("{test}: SERVERY_TEST_SEED={seed}");
        Self::of(seed)
    }

    pub fn of(seed: u64) -> Self {
        Self { seed, random: ChaCha12Rng::seed_from_u64(seed) }
    }

    pub fn number(&mut self) -> u64 {
        self.random.next_u64()
    }

    /// A number of the range, which must not be empty.
    pub fn pick(&mut self, range: Range<u64>) -> u64 {
        range.start + self.number() % (range.end - range.start)
    }

    pub fn index(&mut self, length: usize) -> usize {
        let length = u64::try_from(length).expect("a length");
        usize::try_from(self.pick(0..length)).expect("an index")
    }

    /// True in so many of a hundred throws.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.pick(0..100) < percent
    }

    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for end in (1..values.len()).rev() {
            values.swap(end, self.index(end + 1));
        }
    }
}

/// The machine's clock, moved by hand; or one that stands still.
#[derive(Debug, Default)]
pub struct HandClock {
    /// How far it is ahead of the machine's, in microseconds.
    ahead: AtomicI64,
    /// Where it stands still; 0: it runs.
    stands: AtomicI64,
}

impl HandClock {
    /// A clock that is so many microseconds ahead of the machine's.
    pub fn ahead(micros: i64) -> Arc<Self> {
        Arc::new(Self { ahead: AtomicI64::new(micros), stands: AtomicI64::new(0) })
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        match self.stands.load(Ordering::SeqCst) {
            0 => Timestamp(SystemClock.now().0 + self.ahead.load(Ordering::SeqCst)),
            stands => Timestamp(stands),
        }
    }
}

/// The clock that a store lives by, whichever that is: the process's on SQLite; on Postgres the
/// server's, before which a function of the same name is put that only this database sees.
#[derive(Default)]
pub struct StoreClock {
    pub hand: Arc<HandClock>,
    postgres: Option<String>,
    /// Stays open: to sign in at a server takes longer than to set its clock.
    books: tokio::sync::Mutex<Option<Books>>,
}

/// Puts the function in the way; for connections that are opened afterwards.
const CLOCK_OF_POSTGRES: &str = "CREATE SCHEMA fire; CREATE TABLE fire.clock (ahead BIGINT NOT NULL, stands BIGINT NOT NULL); \
     INSERT INTO fire.clock VALUES (0, 0); \
     CREATE FUNCTION public.clock_timestamp() RETURNS TIMESTAMPTZ LANGUAGE sql VOLATILE AS \
     $$ SELECT CASE WHEN stands <> 0 THEN TIMESTAMPTZ 'epoch' + stands * INTERVAL '1 microsecond' \
     ELSE pg_catalog.clock_timestamp() + ahead * INTERVAL '1 microsecond' END FROM fire.clock $$; \
     DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database()); END $$";

impl StoreClock {
    /// The clock of an empty store, which is not open yet.
    pub async fn of(ground: &Ground) -> Self {
        let postgres = (ground.kind == Kind::Postgres).then(|| ground.url.clone());
        if let Some(url) = &postgres {
            let mut books = Books::open(url).await;
            books.change(CLOCK_OF_POSTGRES).await;
            books.close().await;
        }
        Self { hand: Arc::default(), postgres, books: tokio::sync::Mutex::default() }
    }

    /// The store is at another address by now.
    pub fn moved_to(&mut self, url: &str) {
        self.postgres = Some(url.to_owned());
    }

    /// How far it is ahead of the machine's clock, in microseconds.
    pub fn ahead(&self) -> i64 {
        self.hand.ahead.load(Ordering::SeqCst)
    }

    /// Lets it run, so far ahead of the machine's clock.
    pub async fn set_ahead(&self, micros: i64) {
        self.set(micros, 0).await;
    }

    /// Lets it stand still at an instant.
    pub async fn stand_at(&self, instant: Timestamp) {
        self.set(0, instant.0).await;
    }

    async fn set(&self, ahead: i64, stands: i64) {
        self.hand.ahead.store(ahead, Ordering::SeqCst);
        self.hand.stands.store(stands, Ordering::SeqCst);
        if let Some(url) = &self.postgres {
            let mut kept = self.books.lock().await;
            let mut books = match kept.take() {
                Some(books) => books,
                None => Books::open(url).await,
            };
            books.change(&format!("UPDATE fire.clock SET ahead = {ahead}, stands = {stands}")).await;
            *kept = Some(books);
        }
    }

    /// Lets time pass.
    pub async fn pass(&self, seconds: i64) {
        match self.hand.stands.load(Ordering::SeqCst) {
            0 => self.set_ahead(self.ahead() + seconds * MICROS).await,
            stands => self.stand_at(Timestamp(stands).plus_seconds(seconds)).await,
        }
    }
}

/// A folder in memory where the system has one: for files that nobody needs to keep.
pub fn quick_folder() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder")
}

/// More units than any test sells.
const PLENTY: i64 = 1_000_000;

/// A demo store with plenty of everything and an open till, and the clock that it lives by; `None` where
/// Postgres is left out.
pub fn arena(kind: Kind, seed: u64) -> Option<(Arena, StoreClock)> {
    arena_of(kind, seed, &setup::InitSite::demo("main"))
}

/// As [`arena`], of this site.
pub fn arena_of(kind: Kind, seed: u64, site: &setup::InitSite) -> Option<(Arena, StoreClock)> {
    Some(arena_at(Ground::new(kind)?, seed, site))
}

fn arena_at(ground: Ground, seed: u64, site: &setup::InitSite) -> (Arena, StoreClock) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    let clock = runtime.block_on(StoreClock::of(&ground));
    let arena = Arena::of(ground, seed, Arc::clone(&clock.hand) as Arc<dyn Clock>, site);
    arena.set("max_orders_per_slot", 1_000_000);
    arena.stock_up(PLENTY);
    arena.run(&arena.at_the_pass(), TillOpen { float: 0 });
    (arena, clock)
}

/// As [`arena`], on an empty database of somebody else's server.
pub fn arena_on(url: &str, seed: u64) -> (Arena, StoreClock) {
    let folder = tempfile::tempdir().expect("a folder");
    let ground = Ground { url: url.to_owned(), folder, kind: Kind::Postgres, _database: None };
    arena_at(ground, seed, &setup::InitSite::demo("main"))
}

impl Arena {
    /// A manager who works at the kitchen's terminal.
    pub fn at_the_pass(&self) -> Caller {
        Caller::Session { token: self.managers[0].clone(), terminal: Some(self.kitchen), override_by: None }
    }

    /// The real program on this store, with the pepper of its staff.
    pub fn program(&self) -> Servery {
        let servery = Servery::on(&self.ground.url);
        let pepper = self.ground.folder.path().join("pepper-of-the-staff");
        if !pepper.exists() {
            let file = std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&pepper);
            std::io::Write::write_all(&mut file.expect("the pepper file"), PEPPER).expect("written");
        }
        servery.with("SERVERY_PEPPER_FILE", &pepper.display().to_string())
    }
}
