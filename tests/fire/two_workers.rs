//! Fault 9: two workers, of which the one that leads is frozen (SIGSTOP) in the middle of whatever it does
//! and thawed when the other leads. No event is delivered twice with effect, the fence never goes back, and
//! nothing is lost. Both databases.
//!
//! `cargo test --test fire frozen_worker`: 2 freezes each; with `SERVERY_TEST_LONG=1`: 100.

use crate::arena::{Arena, Kind};
use crate::crowd::Crowd;
use crate::house::{Dice, arena, rounds};
use crate::ledger::Books;
use crate::support::process::pid_of;
use crate::support::wait::{LIMIT, until};
use nix::sys::signal::{Signal, kill};
use std::time::{Duration, Instant};

/// Notes every state of the lease.
const SQLITE_NOTES: &str = "CREATE TABLE fire_leases (id INTEGER PRIMARY KEY, holder TEXT, fence BIGINT); \
     CREATE TRIGGER fire_lease AFTER UPDATE ON worker_lease BEGIN \
     INSERT INTO fire_leases (holder, fence) VALUES (NEW.holder, NEW.fence); END";
const POSTGRES_NOTES: &str = "CREATE TABLE fire_leases (id BIGINT GENERATED ALWAYS AS IDENTITY, holder TEXT, fence BIGINT); \
     CREATE FUNCTION fire_lease() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN \
     INSERT INTO fire_leases (holder, fence) VALUES (NEW.holder, NEW.fence); RETURN NULL; END $$; \
     CREATE TRIGGER fire_lease AFTER UPDATE ON worker_lease FOR EACH ROW EXECUTE FUNCTION fire_lease()";
/// The process that leads.
const SQLITE_LEADER: &str = "SELECT COALESCE((SELECT CAST(substr(holder, 1, instr(holder, '-') - 1) AS BIGINT) FROM worker_lease \
     WHERE expires_at > 1), 0)";
const POSTGRES_LEADER: &str =
    "SELECT COALESCE((SELECT CAST(split_part(holder, '-', 1) AS BIGINT) FROM worker_lease WHERE expires_at > 1), 0)";
/// Times at which the lease had an older fence than before, or one fence had two holders.
const UNFENCED: &str = "SELECT (SELECT COUNT(*) FROM fire_leases a JOIN fire_leases b ON b.id > a.id AND b.fence < a.fence) \
     + (SELECT COUNT(*) FROM (SELECT fence FROM fire_leases GROUP BY fence HAVING COUNT(DISTINCT holder) > 1) AS shared)";
/// Events of which not exactly those were told who are to be: the customer of each, and the kitchen of a new order.
const TOLD_WRONGLY: &str = "SELECT COUNT(*) FROM (SELECT o.seq FROM outbox o LEFT JOIN notifications n \
     ON n.site_id = o.site_id AND n.outbox_seq = o.seq WHERE o.sent_at IS NOT NULL \
     AND o.event IN ('order_received', 'order_preparing', 'order_ready') GROUP BY o.seq, o.event \
     HAVING COUNT(n.id) <> CASE o.event WHEN 'order_received' THEN 2 ELSE 1 END) AS wrong";
const TOLD: &str = "SELECT COUNT(*) FROM outbox WHERE sent_at IS NOT NULL";
const RUN_OUT: &str = "UPDATE worker_lease SET renewed_at = 0, expires_at = 1";
/// A process that is frozen with the file's lock in its hand keeps everybody out; it is thawed and
/// frozen at another moment then.
const STUCK: Duration = Duration::from_secs(2);

/// A frozen process, which thaws when dropped.
struct Frozen(u32);

impl Frozen {
    fn freeze(pid: u32) -> Self {
        kill(pid_of(pid), Signal::SIGSTOP).expect("it is there");
        Self(pid)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        let _ = kill(pid_of(self.0), Signal::SIGCONT);
    }
}

fn number(arena: &Arena, sql: &str) -> i64 {
    arena.wait(async {
        let mut books = Books::open(&arena.ground.url).await;
        let number = books.number(sql).await;
        books.close().await;
        number
    })
}

fn change(arena: &Arena, sql: &str) {
    arena.wait(async {
        let mut books = Books::open(&arena.ground.url).await;
        books.change(sql).await;
        books.close().await;
    });
}

fn a_frozen_worker_repeats_nothing(kind: Kind) {
    let mut dice = Dice::of_test(&format!("frozen worker, {kind:?}"));
    let Some((arena, clock)) = arena(kind, dice.number()) else { return };
    let sqlite = kind == Kind::Sqlite;
    change(&arena, if sqlite { SQLITE_NOTES } else { POSTGRES_NOTES });
    let url = arena.ground.url.clone();
    let mut crowd = Crowd::start(&arena, &url, 1, 1, &mut dice);
    let second = arena.program().start(&["worker"]);
    let workers = [crowd.worker(), second.pid()];
    let leader =
        || u32::try_from(number(&arena, if sqlite { SQLITE_LEADER } else { POSTGRES_LEADER })).expect("a process");
    let tells = |more: i64| {
        let before = number(&arena, TOLD);
        until(LIMIT * 3, "events are told", || number(&arena, TOLD) >= before + more);
    };
    let rounds = rounds(2, 100);
    let (mut by_themselves, mut stuck) = (0, 0);
    for round in 0..rounds {
        until(LIMIT * 3, "one of the two leads", || workers.contains(&leader()));
        crowd.work(dice.index(20) + 5);
        let (frozen, was) = loop {
            let was = leader();
            // Not at once: in the middle of whatever it does.
            std::thread::park_timeout(Duration::from_micros(dice.pick(0..30_000)));
            let frozen = Frozen::freeze(was);
            let began = Instant::now();
            let mut works = crowd.works_within(STUCK);
            // On Postgres others wait for what it has locked until the server ends its transaction.
            works |= !sqlite;
            if works {
                break (frozen, was);
            }
            stuck += 1;
            drop(frozen);
            println!("frozen with the lock in its hand for {:?}", began.elapsed());
        };
        if rounds <= 2 || dice.percent(90) {
            change(&arena, RUN_OUT);
        } else {
            by_themselves += 1;
        }
        until(LIMIT * 3, "the other leads", || {
            let now = leader();
            now != was && workers.contains(&now)
        });
        crowd.work(5);
        tells(3);
        drop(frozen);
        crowd.work(5);
        tells(3);
        assert_eq!(number(&arena, UNFENCED), 0, "round {round}: the fence never goes back");
    }
    second.signal(Signal::SIGTERM);
    let ended = second.finish(LIMIT);
    assert!(ended.status.success(), "the second worker was never started again: {ended:?}");
    let acknowledged = crowd.end(&arena, &clock, "after the freezes");
    assert_eq!(number(&arena, UNFENCED), 0, "the fence never goes back");
    assert_eq!(number(&arena, TOLD_WRONGLY), 0, "every event has its effect once");
    println!(
        "{kind:?}: {rounds} freezes ({by_themselves} leases ran out by themselves, {stuck} freezes with the lock held), \
         {} events told, each with its effect once; {acknowledged} acknowledgements, 0 lost",
        number(&arena, TOLD)
    );
}

#[test]
fn a_frozen_worker_repeats_nothing_on_sqlite() {
    a_frozen_worker_repeats_nothing(Kind::Sqlite);
}

#[test]
fn a_frozen_worker_repeats_nothing_on_postgres() {
    a_frozen_worker_repeats_nothing(Kind::Postgres);
}
