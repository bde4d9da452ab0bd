//! `servery metrics` and `servery health` of the real program: the text as Prometheus reads it, the HTTP server
//! and its bounds, a store that goes away and comes back, and that nothing about a person is told.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests, which clippy does not know as tests")]

#[path = "cli_support/mod.rs"]
#[expect(dead_code, reason = "shared with the tests of the command line")]
mod cli_support;
#[path = "support/mod.rs"]
mod support;

use cli_support::Shop;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Stdio};
use support::wait;

/// Each sample by its name and labels, of a page that is well formed.
fn samples(page: &str) -> BTreeMap<String, f64> {
    let mut found = BTreeMap::new();
    let (mut helped, mut typed) = (String::new(), String::new());
    assert!(page.ends_with('\n'), "the last line ends");
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            helped = rest.split_once(' ').expect("words of help").0.to_owned();
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            assert_eq!(name, helped, "TYPE follows HELP");
            assert!(matches!(kind, "gauge" | "counter"), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            typed = name.to_owned();
        } else {
            let (series, value) = line.rsplit_once(' ').expect("a value");
            let name = series.split('{').next().expect("a name");
            assert_eq!(name, typed, "each sample stands under its family: {line}");
            assert!(name.starts_with("servery_") && name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{line}");
            let value = value.parse().expect("a number");
            assert!(found.insert(series.to_owned(), value).is_none(), "{series} is told once");
        }
    }
    found
}

/// A server of metrics that runs until it is dropped.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(shop: &Shop) -> Self {
        let mut command = shop.servery.command(&["metrics", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("started");
        let mut line = String::new();
        BufReader::new(child.stderr.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let address = line.strip_prefix("Listening at http://").and_then(|rest| rest.split_once('/'));
        let address = address.unwrap_or_else(|| panic!("{line}")).0.parse().expect("an address");
        Self { child, address }
    }

    /// Sends bytes as they are; the whole answer.
    fn send(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).expect("connected");
        stream.set_read_timeout(Some(wait::LIMIT)).expect("a limit");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer that ends");
        answer
    }

    /// The status, head and body of a GET.
    fn get(&self, path: &str) -> (u16, String, String) {
        let answer = self.send(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
        (status, head.to_ascii_lowercase(), body.to_owned())
    }

    fn health(&self) -> (u16, Value) {
        let (status, head, body) = self.get("/health");
        assert!(head.contains("content-type: application/json"), "{head}");
        (status, serde_json::from_str(&body).expect("JSON"))
    }

    fn end(mut self) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).expect("a pid")), Signal::SIGTERM).expect("told to end");
        let mut ended = None;
        wait::until(wait::LIMIT, "the server ends", || {
            ended = self.child.try_wait().expect("looked");
            ended.is_some()
        });
        assert!(ended.is_some_and(|status| status.success()), "{ended:?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already where the test passed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn both() -> impl Iterator<Item = Shop> {
    [false, true].into_iter().filter_map(Shop::open)
}

#[test]
fn the_page_is_what_prometheus_reads_and_names_nobody() {
    for shop in both() {
        let number = shop.pending("mug");
        let pay = ["order", "pay", number.as_str(), "--test-card", "declined"];
        let declined = shop.guest_refused(&pay);
        assert_eq!(declined["error"]["code"], "PAYMENT_FAILED", "{declined}");
        shop.good_with(&["doctor"], "");
        let printed = shop.with_input(&["metrics"], "");
        assert!(printed.status.success(), "{printed:?}");
        let page = String::from_utf8(printed.stdout).expect("utf-8");
        let found = samples(&page);
        let value = |series: &str| *found.get(series).unwrap_or_else(|| panic!("{series} in {page}"));
        assert_eq!(value(concat!("servery_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}")), 1.0);
        assert_eq!(value("servery_store_up"), 1.0);
        assert_eq!(value("servery_orders_today{status=\"cancelled\"}"), 1.0);
        assert_eq!(value("servery_orders_today{status=\"ready\"}"), 0.0, "every status is told");
        assert_eq!(value("servery_payment_attempts_today{method=\"card\",outcome=\"failed\"}"), 1.0);
        assert_eq!(value("servery_payment_attempts_today{method=\"card\",outcome=\"captured\"}"), 0.0);
        assert_eq!((value("servery_doctor_healthy"), value("servery_healthy")), (1.0, 1.0));
        assert!(
            value("servery_doctor_last_run_timestamp_seconds") > 1e9 && value("servery_doctor_age_seconds") < 3_600.0
        );
        assert!(value("servery_store_round_trip_seconds") > 0.0 && value("servery_store_size_bytes") > 0.0);
        assert_eq!(value("servery_worker_lease_held"), 0.0);
        assert!(value("servery_outbox_backlog_events") > 0.0);
        assert_eq!(value("servery_stock_items_low"), 0.0);
        assert_eq!(found.contains_key("servery_disk_free_bytes"), shop.url.starts_with("sqlite"));
        for secret in ["asha", "mug", "k1", "Mug", number.as_str(), "Shop"] {
            assert!(!page.contains(secret), "{secret} in {page}");
        }
        // The last unit of a shelf is low.
        shop.staff(&["stock", "recount", "mug", "0", "--reason", "broken"]);
        let printed = shop.with_input(&["metrics"], "");
        assert_eq!(samples(&String::from_utf8(printed.stdout).expect("utf-8"))["servery_stock_items_low"], 1.0);
    }
}

#[test]
fn it_is_served_over_http_to_this_machine_only() {
    for shop in both() {
        let server = Server::start(&shop);
        let (status, health) = server.health();
        assert_eq!((status, &health["status"], &health["database"]), (200, &"healthy".into(), &"connected".into()));
        assert!(health["version"].is_string() && health["timestamp"].is_string(), "{health}");
        let (status, head, page) = server.get("/metrics");
        assert_eq!((status, samples(&page)["servery_store_up"]), (200, 1.0));
        assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
        assert_eq!((server.get("/").0, server.get("/metrics/x").0), (404, 404));
        let refused = server.send("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        assert!(
            refused.starts_with("HTTP/1.1 405") && refused.to_ascii_lowercase().contains("allow: get"),
            "{refused}"
        );
        assert!(server.send("HEAD /health HTTP/1.1\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 200"));
        let large = format!("GET /health HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(20_000));
        let answer = server.send(&large);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
        // A client that says nothing is let go, and does not keep the others waiting.
        let mut slow = TcpStream::connect(server.address).expect("connected");
        slow.write_all(b"GET /health HTTP/1.1\r\nHost:").expect("half a request");
        assert_eq!(server.health().0, 200);
        slow.set_read_timeout(Some(wait::LIMIT)).expect("a limit");
        let mut rest = Vec::new();
        slow.read_to_end(&mut rest).expect("the server closes it");
        assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
        server.end();
    }
}

#[test]
fn an_address_that_others_reach_needs_a_word_for_it() {
    let shop = Shop::empty(false).expect("a shop");
    let refused = shop.refused(&["metrics", "--listen", "0.0.0.0:0"]);
    assert_eq!(
        (&refused["error"]["code"], &refused["error"]["details"]["field"]),
        (&"VALIDATION_ERROR".into(), &"listen".into())
    );
}

#[test]
fn a_store_that_is_not_there_is_the_answer_and_is_found_when_it_comes() {
    let shop = Shop::empty(false).expect("a shop");
    let printed = shop.with_input(&["metrics"], "");
    assert_eq!(printed.status.code(), Some(1));
    assert_eq!(samples(&String::from_utf8(printed.stdout).expect("utf-8"))["servery_store_up"], 0.0);
    let server = Server::start(&shop);
    let (status, health) = server.health();
    assert_eq!(
        (status, &health["database"], &health["error"]["code"]),
        (503, &"disconnected".into(), &"NOT_FOUND".into())
    );
    let init = ["init", "--name", "Shop", "--currency", "EUR", "--time-zone", "Europe/Berlin", "--admin", "asha"];
    shop.good_with(&init, cli_support::PASSWORD);
    wait::until(wait::LIMIT, "the store is found", || server.health().0 == 200);
    server.end();
}

#[test]
fn a_server_that_goes_away_is_told_and_its_return_too() {
    let Some(shop) = Shop::open(true) else { return };
    let server = Server::start(&shop);
    assert_eq!(server.health().0, 200);
    let database = shop._database.as_ref().expect("Postgres");
    database.go_away();
    wait::until(wait::LIMIT, "it is away", || server.health().0 == 503);
    assert_eq!(samples(&server.get("/metrics").2)["servery_store_up"], 0.0);
    database.come_back();
    wait::until(wait::LIMIT, "it is back", || server.health().0 == 200);
    server.end();
}
