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

    /// Statements past the store, on a connection of their own.
    pub async fn raw(&self, statements: &str) {
        let statements = AssertSqlSafe(statements.to_owned());
        if self.is_postgres() {
            let mut connection = sqlx::PgConnection::connect(&self.text).await.expect("a connection");
            connection.execute(sqlx::raw_sql(statements)).await.expect("raw statements");
            connection.close().await.expect("closed");
        } else {
            let path = self.text.strip_prefix("sqlite:").expect("sqlite:PATH");
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).foreign_keys(false);
            let mut connection = sqlx::SqliteConnection::connect_with(&options).await.expect("a connection");
            connection.execute(sqlx::raw_sql(statements)).await.expect("raw statements");
            connection.close().await.expect("closed");
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

// ---------------------------------------------------------------- a network that can be lost

const PASS: u8 = 0;
const SWALLOW: u8 = 1;
const CUT: u8 = 2;

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
