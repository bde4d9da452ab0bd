//! A fresh Postgres database for a test, dropped when the test ends.
//!
//! The server is the one in `SERVERY_TEST_POSTGRES` (set by `tests/run.sh`), else a throw-away cluster that this
//! test process starts when first asked. Its script ends with the pipe that this process holds open, so the
//! cluster goes away however the process ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Once, OnceLock};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// Names the server's URL, with an account that may create databases.
const SERVER: &str = "SERVERY_TEST_POSTGRES";
/// `1` leaves Postgres out, even where there is one.
const SQLITE_ONLY: &str = "SERVERY_TEST_SQLITE_ONLY";

/// An empty database of its own. Dropping it drops the database, cutting the connections that are still open.
#[derive(Debug)]
pub struct TestDatabase {
    server: String,
    name: String,
    url: String,
}

impl TestDatabase {
    /// `postgres://…` of this database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The name of this database on its server.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Cuts every connection to this database and takes no new one, as a server that goes down does to its clients.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn go_away(&self) {
        self.administer(&format!(r#"ALTER DATABASE "{}" WITH ALLOW_CONNECTIONS false"#, self.name));
        let others = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'", self.name);
        self.administer(&others);
    }

    /// Takes connections again after [`TestDatabase::go_away`].
    ///
    /// # Panics
    /// When the server refuses.
    pub fn come_back(&self) {
        self.administer(&format!(r#"ALTER DATABASE "{}" WITH ALLOW_CONNECTIONS true"#, self.name));
    }

    fn administer(&self, statement: &str) {
        execute(&self.server, statement.to_owned()).expect("the server does what its owner says");
    }

    /// `postgres://…` of the server's own database, to look at the server as a whole.
    pub fn server_url(&self) -> &str {
        &self.server
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let dropped = execute(&self.server, format!(r#"DROP DATABASE IF EXISTS "{}" WITH (FORCE)"#, self.name));
        // A second panic while a failed test unwinds would abort the whole test process.
        if let Err(error) = dropped
            && !std::thread::panicking()
        {
            panic!("the test database {} was not dropped: {error}", self.name);
        }
    }
}

/// A fresh database, or `None` where `SERVERY_TEST_SQLITE_ONLY=1` leaves Postgres out (which is then printed).
///
/// Works inside and outside of an async runtime.
///
/// # Panics
/// When there is neither a server to use nor one to start; the message says what to install.
pub fn database() -> Option<TestDatabase> {
    if std::env::var(SQLITE_ONLY).is_ok_and(|value| value == "1") {
        say_left_out();
        return None;
    }
    let server = match std::env::var(SERVER) {
        Ok(url) if !url.is_empty() => url,
        _ => own_cluster(),
    };
    // A killed run with the same process id may have left a database behind: take the next number then.
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    for _ in 0..100 {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("servery_test_{}_{number}", std::process::id());
        match execute(&server, format!(r#"CREATE DATABASE "{name}" TEMPLATE template0"#)) {
            Ok(()) => {
                let url = with_database(&server, &name);
                return Some(TestDatabase { server, name, url });
            }
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(DUPLICATE_DATABASE) => {}
            Err(error) => panic!("no database could be made on the server of {SERVER}: {error}"),
        }
    }
    panic!("100 names of test databases are taken on the server of {SERVER}: drop the ones named servery_test_*")
}

/// SQLSTATE of a name that is taken.
const DUPLICATE_DATABASE: &str = "42P04";

/// The URL `server` with its database replaced by `name`.
pub fn with_database(server: &str, name: &str) -> String {
    let (address, query) = server.split_once('?').map_or((server, ""), |(address, query)| (address, query));
    let host = address.find("://").map_or(0, |at| at + 3);
    let end = address[host..].find('/').map_or(address.len(), |at| host + at);
    let separator = if query.is_empty() { "" } else { "?" };
    format!("{}/{name}{separator}{query}", &address[..end])
}

/// Runs one statement on a connection of its own, in a thread of its own, so that callers may stand in a runtime.
///
/// A worker of the caller's runtime that waits here is replaced meanwhile: else nobody might drive that runtime's
/// connections, and the server waits for a client that is just signing in before it drops a database.
fn execute(url: &str, statement: String) -> Result<(), sqlx::Error> {
    use tokio::runtime::{Handle, RuntimeFlavor};
    let many_workers = Handle::try_current().is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
    if many_workers {
        tokio::task::block_in_place(|| execute_aside(url, statement))
    } else {
        execute_aside(url, statement)
    }
}

fn execute_aside(url: &str, statement: String) -> Result<(), sqlx::Error> {
    std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut connection = PgConnection::connect(url).await?;
                // The only variable part is a name that this file made.
                connection.execute(AssertSqlSafe(statement)).await?;
                connection.close().await
            })
        });
        running.join().expect("the statement's thread panicked")
    })
}

/// A cluster, with the pipe that keeps it alive.
struct Cluster {
    url: String,
    script: Child,
    /// `None` once it was told to end.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// A server of a test's own, to stop and start at will; its disk is waited for. Removed when dropped.
pub struct OwnServer(Cluster);

impl OwnServer {
    /// A server with an empty database; `None` where Postgres is left out, which is then printed.
    ///
    /// # Panics
    /// When there is none to start; the message says what to install.
    pub fn start() -> Option<Self> {
        if std::env::var(SQLITE_ONLY).is_ok_and(|value| value == "1") {
            say_left_out();
            return None;
        }
        match start_cluster(true) {
            Ok(cluster) => Some(Self(cluster)),
            Err(error) => panic!("this test needs a Postgres of its own: {error}"),
        }
    }

    /// `postgres://…` of its own database, with an account that may do anything.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// Has the server's keeper do something; its commands stand in `postgres-cluster.sh`.
    ///
    /// # Panics
    /// When it cannot.
    #[track_caller]
    pub fn order(&mut self, command: &str) {
        let mut answer = String::new();
        let input = self.0.input.as_mut().expect("open until it is dropped");
        writeln!(input, "{command}").expect("the server's keeper listens");
        self.0.output.read_line(&mut answer).expect("the server's keeper answers");
        assert_eq!(answer.trim(), "ok", "{command}");
    }

    /// Runs one statement.
    ///
    /// # Panics
    /// When the server refuses it.
    #[track_caller]
    pub fn administer(&self, statement: &str) {
        execute(self.url(), statement.to_owned()).expect(statement);
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        // At the end of its input the keeper stops the server and removes it.
        self.0.input.take();
        let _ = self.0.script.wait();
    }
}

/// The URL of this process's own cluster, started on the first call.
fn own_cluster() -> String {
    static CLUSTER: OnceLock<Result<Cluster, String>> = OnceLock::new();
    match CLUSTER.get_or_init(|| start_cluster(false)) {
        Ok(cluster) => cluster.url.clone(),
        Err(error) => panic!(
            "this test needs Postgres: {error}\nInstall Postgres 15 or newer (Debian, Ubuntu: apt-get install \
             postgresql), or set {SERVER} to the URL of a server, or leave Postgres out with {SQLITE_ONLY}=1."
        ),
    }
}

/// Starts the script and waits for its first line; it bounds its own start.
fn start_cluster(commanded: bool) -> Result<Cluster, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/postgres-cluster.sh");
    let mut command = Command::new(&script);
    if commanded {
        command.arg("--commands").env("SERVERY_TEST_POSTGRES_FSYNC", "on");
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // Nobody reads it while the server lives, and a keeper with commands has more to say.
        .stderr(if commanded { Stdio::inherit() } else { Stdio::piped() })
        .spawn()
        .map_err(|error| format!("{} did not start: {error}", script.display()))?;
    let input = child.stdin.take().ok_or("no pipe to the script")?;
    let mut url = String::new();
    let output = child.stdout.take().ok_or("no pipe from the script")?;
    let mut output = BufReader::new(output);
    output.read_line(&mut url).map_err(|error| error.to_string())?;
    if url.trim().is_empty() {
        let mut message = String::new();
        if let Some(mut errors) = child.stderr.take() {
            errors.read_to_string(&mut message).map_err(|error| error.to_string())?;
        }
        child.wait().map_err(|error| error.to_string())?;
        return Err(message.trim().to_owned());
    }
    Ok(Cluster { url: url.trim().to_owned(), script: child, input: Some(input), output })
}

/// Says once in each test process that Postgres is left out. Written past the test harness, which would keep the
/// words of a passing test to itself.
fn say_left_out() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = writeln!(std::io::stderr(), "{SQLITE_ONLY}=1: these tests do NOT run on Postgres");
    });
}
