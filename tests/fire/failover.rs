//! Fault 10: the primary of two Postgres servers dies under load and its synchronous standby is promoted,
//! again and again, each time the other way round; every client names both hosts. In some rounds the
//! primary loses its standby first, so that commits hang and are asked about again by their keys; in
//! every round the old primary comes back beside its successor before it is made its standby. Clients go
//! on by themselves, and nothing that was acknowledged is lost.
//!
//! `cargo test --test fire failover`: 1 failover; with `SERVERY_TEST_LONG=1`: 30.

use crate::crowd::{Crowd, Screens, median_and_longest};
use crate::house::{Dice, arena_on, rounds};
use crate::ledger::Books;
use crate::relay::{Relay, port_of};
use crate::support::postgres::OwnServer;
use crate::support::wait::{LIMIT, until_async};
use std::time::Duration;

/// The service is back in this time after the promotion; judged in a full run.
const SOON: Duration = Duration::from_secs(5);

const REPLICATED: &str = "SELECT COUNT(*) FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'";
const CUT_ALL: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'servery'";

/// A server, with a network before it for its standby.
struct Place {
    server: OwnServer,
    url: String,
    network: Relay,
}

impl Place {
    /// A server that is reached with the account of the first primary.
    fn of(server: OwnServer, account_of: &str) -> Self {
        let port = port_of(server.url());
        let url = account_of.replacen(&format!(":{}/", port_of(account_of)), &format!(":{port}/"), 1);
        Self { server, url, network: Relay::before(port) }
    }

    async fn change(&self, statements: &[&str]) {
        let mut books = Books::open(&self.url).await;
        for statement in statements {
            books.change(statement).await;
        }
        books.close().await;
    }

    /// Makes the other its standby, and waits for it with every commit from now on.
    async fn is_followed_by(&self, standby: &mut Self) {
        standby.server.order(&format!("follow {}", self.network.url(&self.url)));
        self.change(&["ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"]).await;
        let url = &self.url;
        until_async(LIMIT * 3, "the standby follows", || async move {
            let mut books = Books::open(url).await;
            let followed = books.number(REPLICATED).await;
            books.close().await;
            followed == 1
        })
        .await;
    }
}

#[test]
fn a_failover_loses_nothing() {
    let (Some(first), Some(second)) = (OwnServer::start(), OwnServer::start()) else { return };
    let mut dice = Dice::of_test("failover");
    let account = first.url().to_owned();
    let (mut primary, mut standby) = (Place::of(first, &account), Place::of(second, &account));
    let (arena, mut clock) = arena_on(&primary.url, dice.number());
    arena.wait(primary.is_followed_by(&mut standby));
    // Both hosts in one address, the standby first.
    let hosts = format!("127.0.0.1:{},127.0.0.1:{}/", port_of(&standby.url), port_of(&primary.url));
    let place = format!("127.0.0.1:{}/", port_of(&primary.url));
    let both = format!("{}&target_session_attrs=read-write", primary.url.replacen(&place, &hosts, 1));
    let mut crowd = Crowd::start(&arena, &both, 2, 2, &mut dice);
    let screens = Screens::open(&arena.program().with("SERVERY_STORE", &both));
    let rounds = rounds(1, 30);
    let (mut back, mut well, mut left_alone) = (Vec::new(), Vec::new(), 0);
    for round in 0..rounds {
        let when = format!("after failover {round}");
        crowd.work(dice.index(60) + 20);
        if round % 3 == 1 {
            // Nothing reaches the standby any more: commits wait, and whoever asks again must wait as well.
            primary.network.swallow();
            crowd.somebody_suffers();
            left_alone += 1;
        }
        primary.server.order("stop immediate");
        primary.network.forget();
        screens.tell_the_loss();
        standby.server.order("promote");
        back.push(crowd.everybody_works());
        well.push(screens.tell_the_return());
        screens.are_there();
        std::mem::swap(&mut primary, &mut standby);
        crowd.moved_to(&primary.url);
        clock.moved_to(&primary.url);
        crowd.judge(&arena, &when);
        // The old primary is back, takes writes from anybody, and nobody goes there.
        standby.server.order("start");
        arena.wait(async {
            standby.change(&["ALTER SYSTEM SET synchronous_standby_names = ''", "SELECT pg_reload_conf()"]).await;
            primary.change(&[CUT_ALL]).await;
        });
        crowd.everybody_works();
        crowd.judge(&arena, &format!("{when}, beside the old primary"));
        arena.wait(primary.is_followed_by(&mut standby));
    }
    drop(screens);
    let acknowledged = crowd.end(&arena, &clock, "after the failovers");
    println!(
        "{rounds} failovers ({left_alone} of them without a standby first), {acknowledged} acknowledgements, 0 lost"
    );
    let (median, back) = median_and_longest(&mut back);
    let (_, well) = median_and_longest(&mut well);
    println!("every kiosk and kitchen served again after the promotion: {back}; screens well after that: {well}");
    assert!(rounds < 30 || median < SOON, "the service takes {median:?} to come back");
}
