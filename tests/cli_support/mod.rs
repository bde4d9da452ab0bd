//! A shop of the command line: a store of its own, and the real binary run on it as admin or guest.
//! Assertions here are only about how the program ends; what it says is judged by the tests.

use super::support::postgres::{TestDatabase, database};
use super::support::process::Servery;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Output, Stdio};

/// The admin's password: it must appear in no file and no log.
pub const PASSWORD: &str = "correct-horse-battery";
/// A card's number that must appear in no file and no log.
pub const CARD: &str = "4242424242424242";

pub const MENU: &str = r#"
currency = "EUR"

[[stock]]
code = "t-shirt"
name = "T-Shirt Red - Medium"
opening = 100

[[stock]]
code = "mug"
name = "Mug"
opening = 3

[[category]]
name = "Shop"

[[item]]
code = "t-shirt"
name = "T-Shirt Red - Medium"
category = "Shop"
price = "30.00"
diet = "vegan"
uses = { t-shirt = 1 }

[[item]]
code = "mug"
name = "Mug"
category = "Shop"
price = "12.50"
diet = "vegan"
uses = { mug = 1 }
"#;

/// A shop of the command line on one database.
pub struct Shop {
    pub servery: Servery,
    pub folder: tempfile::TempDir,
    pub url: String,
    pub _database: Option<TestDatabase>,
}

impl Shop {
    /// An empty store, with the keys of a test account in the environment.
    pub fn empty(postgres: bool) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let database = if postgres { Some(database()?) } else { None };
        let url = database.as_ref().map_or_else(
            || format!("sqlite:{}", folder.path().join("store/servery.db").display()),
            |database| database.url().to_owned(),
        );
        let servery = Servery::on(&url)
            .with("STRIPE_SECRET_KEY", "sk_test_0123456789")
            .with("STRIPE_PUBLISHABLE_KEY", "pk_test_0123456789")
            .with("UPI_WEBHOOK_SECRET", "a-secret-of-the-tests")
            .with("SERVERY_UPI_APPROVAL", "manual")
            .with("SERVERY_FIELD_KEY", "0123456789abcdef0123456789abcdef");
        Some(Self { servery, folder, url, _database: database })
    }

    /// A shop with an admin who has signed in, a menu, and hours all day.
    pub fn open(postgres: bool) -> Option<Self> {
        let shop = Self::empty(postgres)?;
        let init = ["init", "--name", "Shop", "--currency", "EUR", "--time-zone", "Europe/Berlin", "--admin", "asha"];
        shop.good_with(&init, PASSWORD);
        shop.good_with(&["login", "asha"], PASSWORD);
        let hours = r#"{"all day":{"start":"00:00","end":"24:00"}}"#;
        shop.staff(&["config", "set", "time_slots", hours, "--reason", "open all day"]);
        let file = shop.file("menu.toml", MENU);
        shop.staff(&["menu", "import", file.to_str().expect("utf-8")]);
        Some(shop)
    }

    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    }

    /// Runs with this on standard input.
    pub fn with_input(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.servery.command(arguments);
        let mut child = command
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        // A program that does not read its input closes it.
        drop(child.stdin.take().expect("stdin").write_all(format!("{input}\n").as_bytes()));
        child.wait_with_output().expect("it ends")
    }

    #[track_caller]
    pub fn good_with(&self, arguments: &[&str], input: &str) -> Value {
        let output = self.with_input(&[arguments, &["--json"]].concat(), input);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {output:?}"))
    }

    /// Runs as the admin.
    #[track_caller]
    pub fn staff(&self, arguments: &[&str]) -> Value {
        self.good_with(&[arguments, &["--staff", "asha"]].concat(), "")
    }

    /// Runs as the guest at a kiosk.
    #[track_caller]
    pub fn guest(&self, arguments: &[&str]) -> Value {
        self.good_with(&[arguments, &["--as-kiosk", "k1"]].concat(), "")
    }

    /// What a refused command prints; its exit status is 1.
    #[track_caller]
    pub fn refused(&self, arguments: &[&str]) -> Value {
        let output = self.with_input(&[arguments, &["--json"]].concat(), "");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        let body: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {output:?}"));
        assert!(body["error"]["code"].is_string() && body["error"]["details"].is_object(), "{body}");
        body
    }

    #[track_caller]
    pub fn guest_refused(&self, arguments: &[&str]) -> Value {
        self.refused(&[arguments, &["--as-kiosk", "k1"]].concat())
    }

    #[track_caller]
    pub fn staff_refused(&self, arguments: &[&str]) -> Value {
        self.refused(&[arguments, &["--staff", "asha"]].concat())
    }

    /// stock_quantity, reserved_quantity, available_quantity of 001.
    #[track_caller]
    pub fn stock(&self, code: &str) -> (i64, i64, i64) {
        let list = self.staff(&["stock", "list"]);
        let item = list["items"]
            .as_array()
            .expect("a list")
            .iter()
            .find(|item| item["code"] == code)
            .expect("the item")
            .clone();
        let count = |field: &str| item[field].as_i64().expect("a count");
        (count("on_hand"), count("reserved"), count("available"))
    }

    /// Places an order of a guest without paying it.
    #[track_caller]
    pub fn pending(&self, item: &str) -> String {
        let placed = self.guest(&["order", "place", "--method", "card", "--item", item]);
        placed["order_number"].as_str().expect("a number").to_owned()
    }

    /// The first column of a query, as text, past the program.
    pub fn rows(&self, query: &str) -> Vec<String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let query = AssertSqlSafe(query.to_owned());
        runtime.block_on(async {
            if let Some(path) = self.url.strip_prefix("sqlite:") {
                let mut connection = sqlx::SqliteConnection::connect(path).await.expect("a connection");
                let rows = sqlx::query(query).fetch_all(&mut connection).await.expect("rows");
                rows.iter().map(|row| row.get::<String, _>(0)).collect()
            } else {
                let mut connection = sqlx::PgConnection::connect(&self.url).await.expect("a connection");
                let rows = sqlx::query(query).fetch_all(&mut connection).await.expect("rows");
                rows.iter().map(|row| row.get::<String, _>(0)).collect()
            }
        })
    }
}
