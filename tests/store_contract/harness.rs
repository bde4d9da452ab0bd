//! What the tests of the store share: a fresh store on each database, raw SQL beside it, and a proxy
//! that loses its network. No assertions here.

use crate::support::postgres::{self, TestDatabase};
use servery::domain::time::Timestamp;
use servery::store::sites::{self, SiteRow};
use servery::store::{Options, Store, StoreUrl};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;
use uuid::Uuid;

/// The instant at which the tests' stores were set up.
pub const START: Timestamp = Timestamp(1_800_000_000_000_000);
/// The site of every test.
pub const SITE: &str = "main";

/// A fresh, empty database; it goes away when dropped.
pub struct Place {
    pub url: StoreUrl,
    text: String,
    folder: Option<tempfile::TempDir>,
    _database: Option<TestDatabase>,
}

impl Place {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!("sqlite:{}", folder.path().join("store/servery.db").display());
        Self { url: StoreUrl::parse(&text).expect("url"), text, folder: Some(folder), _database: None }
    }

    pub fn postgres() -> Option<Self> {
        let database = postgres::database()?;
        let text = database.url().to_owned();
        Some(Self { url: StoreUrl::parse(&text).expect("url"), text, folder: None, _database: Some(database) })
    }

    /// One of each, or SQLite alone where Postgres is left out (which is said).
    pub fn both() -> Vec<Self> {
        std::iter::once(Self::sqlite()).chain(Self::postgres()).collect()
    }

    pub fn is_postgres(&self) -> bool {
        self.folder.is_none()
    }

    /// The URL as text, with its password.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The folder under which the SQLite file lies.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.as_ref().expect("an SQLite store").path()
    }

    pub async fn open(&self) -> Store {
        self.open_with(Options::default()).await
    }

    pub async fn open_with(&self, options: Options) -> Store {
        Store::open(&self.url, options).await.expect("the store opens")
    }

    /// A store with the site in it.
    pub async fn with_site(&self) -> Store {
        let store = self.open().await;
        add_site(&store).await;
        store
    }

    /// An id as this database's SQL spells it.
    pub fn id(&self, number: u128) -> String {
        let id = Uuid::from_u128(number);
        if self.is_postgres() { format!("'{id}'") } else { format!("x'{}'", id.simple()) }
    }

    /// Takes away every trigger, check, foreign key and unique index, so that damage can be done.
    pub async fn unguard(&self) {
        if self.is_postgres() {
            self.raw(
                "DO $$ DECLARE r record; BEGIN \
                 FOR r IN SELECT conrelid::regclass AS t, conname FROM pg_constraint WHERE contype IN ('c', 'f') \
                 AND connamespace = 'public'::regnamespace AND conrelid <> 0 \
                 LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', r.t, r.conname); END LOOP; \
                 FOR r IN SELECT tgrelid::regclass AS t, tgname FROM pg_trigger WHERE NOT tgisinternal \
                 LOOP EXECUTE format('DROP TRIGGER %I ON %s', r.tgname, r.t); END LOOP; \
                 FOR r IN SELECT indexrelid::regclass AS t FROM pg_index JOIN pg_class c ON c.oid = indexrelid \
                 WHERE indisunique AND NOT indisprimary AND c.relnamespace = 'public'::regnamespace \
                 LOOP EXECUTE format('DROP INDEX %s', r.t); END LOOP; END $$",
            )
            .await;
            return;
        }
        let path = self.text.strip_prefix("sqlite:").expect("sqlite:PATH");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await.expect("a connection");
        let names: Vec<String> = sqlx::query_scalar(
            "SELECT 'DROP ' || type || ' ' || name || ';' FROM sqlite_master \
             WHERE type = 'trigger' OR (type = 'index' AND sql LIKE 'CREATE UNIQUE%')",
        )
        .fetch_all(&mut connection)
        .await
        .expect("names");
        connection.close().await.expect("closed");
        self.raw(&names.concat()).await;
    }

    /// Statements past the store, on a connection of their own.
    pub async fn raw(&self, statements: &str) {
        let statements = AssertSqlSafe(statements.to_owned());
        if self.is_postgres() {
            let mut connection = sqlx::PgConnection::connect(&self.text).await.expect("a connection");
            connection.execute(sqlx::raw_sql(statements)).await.expect("raw statements");
            connection.close().await.expect("closed");
        } else {
            let path = self.text.strip_prefix("sqlite:").expect("sqlite:PATH");
            let options = sqlx::sqlite::SqliteConnectOptions::new()
                .filename(path)
                .foreign_keys(false)
                .pragma("ignore_check_constraints", "ON");
            let mut connection = sqlx::SqliteConnection::connect_with(&options).await.expect("a connection");
            connection.execute(sqlx::raw_sql(statements)).await.expect("raw statements");
            connection.close().await.expect("closed");
        }
    }
}

impl Place {
    /// One whole number, read past the store.
    pub async fn number(&self, query: &str) -> i64 {
        let query = sqlx::query_scalar(AssertSqlSafe(query.to_owned()));
        if self.is_postgres() {
            let mut connection = sqlx::PgConnection::connect(&self.text).await.expect("a connection");
            query.fetch_one(&mut connection).await.expect("a number")
        } else {
            panic!("only asked of Postgres");
        }
    }
}

pub async fn add_site(store: &Store) {
    let mut tx = store.write().await.expect("a transaction");
    let site = SiteRow {
        site_id: SITE.to_owned(),
        name: "The Canteen".to_owned(),
        currency: "EUR".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
        demo: true,
        menu_version: 1,
        settings_version: 1,
        staff_version: 1,
    };
    sites::insert(&mut tx, &site, Uuid::from_u128(1), START).await.expect("the site");
    tx.commit().await.expect("committed");
}

/// One small committed change, with its word to the listeners.
pub async fn change(store: &Store) {
    let mut tx = store.write().await.expect("a transaction");
    sites::menu_changed(&mut tx, SITE).await.expect("changed");
    servery::store::records::notify(&mut tx, SITE).await.expect("notified");
    tx.commit().await.expect("committed");
}

/// The version of the menu: how many times [`change`] was kept, and one.
pub async fn menu_version(store: &Store) -> i64 {
    let mut tx = store.read().await.expect("a transaction");
    let site = sites::find(&mut tx, SITE).await.expect("read").expect("the site");
    tx.rollback().await.expect("ended");
    site.menu_version
}

// ---------------------------------------------------------------- a server that can be stopped

/// A Postgres cluster of the test's own.
pub struct Cluster {
    pub url: String,
    data: String,
    programs: std::path::PathBuf,
    _script: std::process::Child,
    _keeps_alive: std::process::ChildStdin,
}

impl Cluster {
    /// Starts it; `None` where Postgres is left out.
    pub async fn start() -> Option<Self> {
        // Says that Postgres is left out, or what to install.
        postgres::database()?;
        let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/postgres-cluster.sh");
        let found = std::process::Command::new(&script).arg("--find").output().expect("the script");
        let programs = String::from_utf8(found.stdout).expect("a path").trim().into();
        let mut child = std::process::Command::new(&script)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("the script");
        let keeps_alive = child.stdin.take().expect("a pipe");
        let mut url = String::new();
        let output = child.stdout.take().expect("a pipe");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut url).expect("a line");
        let url = url.trim().to_owned();
        let mut connection = sqlx::PgConnection::connect(&url).await.expect("a connection");
        let data = sqlx::query_scalar("SHOW data_directory").fetch_one(&mut connection).await.expect("a path");
        connection.close().await.expect("closed");
        Some(Self { url, data, programs, _script: child, _keeps_alive: keeps_alive })
    }

    fn control(&self, words: &[&str]) {
        let program = self.programs.join("pg_ctl");
        let owner = std::fs::metadata(&self.data).expect("the folder");
        let mut command = if nix::unistd::geteuid().is_root() {
            let uid = nix::unistd::Uid::from_raw(std::os::unix::fs::MetadataExt::uid(&owner));
            let user = nix::unistd::User::from_uid(uid).expect("a user").expect("a user");
            let mut command = std::process::Command::new("runuser");
            command.args(["-u", &user.name, "--"]).arg(program);
            command
        } else {
            std::process::Command::new(program)
        };
        let log = format!("{}/../server.log", self.data);
        let done = command.current_dir("/").args(["--silent", "-D", &self.data, "-l", &log]).args(words).output();
        let done = done.expect("pg_ctl");
        assert!(done.status.success(), "pg_ctl {words:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// As a power cut would: no goodbye, recovery at the next start.
    pub fn stop_immediately(&self) {
        self.control(&["stop", "-m", "immediate"]);
    }

    pub fn start_again(&self) {
        let port = self.url.rsplit_once(':').expect("a port").1.split('/').next().expect("a port");
        self.control(&["start", "-w", "-o", &format!("-p {port}")]);
    }
}

// ---------------------------------------------------------------- a network that can be lost

const PASS: u8 = 0;
const SWALLOW: u8 = 1;
const CUT: u8 = 2;
const LOSE_COMMIT: u8 = 3;
const LOSE_ANSWER: u8 = 4;

/// A TCP proxy in front of a server, whose network can swallow everything or be cut.
pub struct Proxy {
    mode: Arc<AtomicU8>,
    port: u16,
}

impl Proxy {
    /// A proxy in front of the server of `url`, and the URL that leads through it.
    pub fn before(url: &str) -> (Self, String) {
        let (head, tail) = url.rsplit_once('@').expect("user@host");
        let end = tail.find('/').expect("a path");
        let target = tail[..end].to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let mode = Arc::new(AtomicU8::new(PASS));
        let watched = Arc::clone(&mode);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (mode, target) = (Arc::clone(&watched), target.clone());
                std::thread::spawn(move || carry(&client, &target, &mode));
            }
        });
        (Self { mode, port }, format!("{head}@127.0.0.1:{port}{}", &tail[end..]))
    }

    /// Everything goes through again.
    pub fn pass(&self) {
        self.mode.store(PASS, Ordering::SeqCst);
    }

    /// Packets vanish: connections stay open and nothing answers.
    pub fn swallow(&self) {
        self.mode.store(SWALLOW, Ordering::SeqCst);
    }

    /// Once: the next COMMIT is not delivered and its connection ends.
    pub fn lose_next_commit(&self) {
        self.mode.store(LOSE_COMMIT, Ordering::SeqCst);
    }

    /// Once: the next COMMIT is delivered, but its connection ends before the answer.
    pub fn lose_next_commits_answer(&self) {
        self.mode.store(LOSE_ANSWER, Ordering::SeqCst);
    }

    /// Whether the loss that was asked for has happened.
    pub fn lost_one(&self) -> bool {
        self.mode.load(Ordering::SeqCst) == PASS
    }

    /// Connections end and new ones are closed at once.
    pub fn cut(&self) {
        self.mode.store(CUT, Ordering::SeqCst);
        // Wakes the accept loop, so that nothing waits for a first client.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

fn carry(client: &TcpStream, target: &str, mode: &Arc<AtomicU8>) {
    while mode.load(Ordering::SeqCst) == SWALLOW {
        std::thread::park_timeout(Duration::from_millis(2));
    }
    if mode.load(Ordering::SeqCst) == CUT {
        return;
    }
    let Ok(server) = TcpStream::connect(target) else { return };
    let (from, to) = (server.try_clone().expect("a socket"), client.try_clone().expect("a socket"));
    let back = Arc::clone(mode);
    let answers = std::thread::spawn(move || pump(from, to, &back));
    pump(client.try_clone().expect("a socket"), server, mode);
    let _ = answers.join();
}

fn pump(mut from: TcpStream, mut to: TcpStream, mode: &AtomicU8) {
    let mut buffer = [0_u8; 16 * 1024];
    let _ = from.set_read_timeout(Some(Duration::from_millis(5)));
    loop {
        let mode_now = mode.load(Ordering::SeqCst);
        if mode_now == CUT {
            break;
        }
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                // What arrives while the network swallows is gone for good, and the connection with it.
                if mode.load(Ordering::SeqCst) == SWALLOW {
                    while mode.load(Ordering::SeqCst) == SWALLOW {
                        std::thread::park_timeout(Duration::from_millis(2));
                    }
                    break;
                }
                let commits = buffer[..count].windows(7).any(|window| window == b"COMMIT\0");
                let back = |mode_now| mode.compare_exchange(mode_now, PASS, Ordering::SeqCst, Ordering::SeqCst).is_ok();
                if commits && back(LOSE_COMMIT) {
                    break;
                }
                if commits && mode.load(Ordering::SeqCst) == LOSE_ANSWER {
                    // First, so that no answer slips through to the client, however quick the server is.
                    let _ = from.shutdown(Shutdown::Write);
                    let _ = to.write_all(&buffer[..count]);
                    // The server takes what it has received, also when the connection ends meanwhile.
                    back(LOSE_ANSWER);
                    break;
                }
                if to.write_all(&buffer[..count]).is_err() {
                    break;
                }
            }
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// The number of the newest migration.
pub fn newest_migration() -> i64 {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
    let count = std::fs::read_dir(folder).expect("the folder of migrations").count();
    i64::try_from(count).expect("numbers without gaps")
}
