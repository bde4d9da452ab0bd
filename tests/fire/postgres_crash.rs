//! Fault 4: Postgres is stopped in the middle (`immediate`, which is a crash), restarted, its backends
//! are told to end or killed with `kill -9`, all under load and with the disk waited for. Nothing that was
//! acknowledged is lost, no process of ours is started again, and the screens say that the store is away
//! and go on by themselves.
//!
//! `cargo test --test fire crashing_postgres`: 4 faults; with `SERVERY_TEST_LONG=1`: 200.

use crate::arena::Arena;
use crate::crowd::{Crowd, Screens, median_and_longest};
use crate::house::{Dice, arena_on, rounds};
use crate::ledger::Books;
use crate::support::postgres::OwnServer;
use crate::support::process::pid_of;
use nix::sys::signal::{Signal, kill};

/// The store is asked for what was acknowledged after so many faults.
const LOOK_EVERY: usize = 25;

const CUT_ALL: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'servery'";

/// A backend of ours, chosen by the dice; 0: there is none just now.
fn backend(arena: &Arena, url: &str, dice: &mut Dice) -> i64 {
    let offset = dice.index(8);
    let pick = format!(
        "SELECT COALESCE((SELECT CAST(pid AS BIGINT) FROM pg_stat_activity WHERE application_name = 'servery' \
         ORDER BY pid OFFSET {offset} LIMIT 1), (SELECT CAST(MAX(pid) AS BIGINT) FROM pg_stat_activity \
         WHERE application_name = 'servery'), 0)"
    );
    arena.wait(async {
        let mut books = Books::open(url).await;
        let pid = books.number(&pick).await;
        books.close().await;
        pid
    })
}

#[test]
fn a_crashing_postgres_loses_nothing() {
    let Some(mut server) = OwnServer::start() else { return };
    let mut dice = Dice::of_test("crashing Postgres");
    let url = server.url().to_owned();
    let (arena, clock) = arena_on(&url, dice.number());
    let mut crowd = Crowd::start(&arena, &url, 2, 2, &mut dice);
    let screens = Screens::open(&arena.program());
    let (rounds, mut back, mut well) = (rounds(4, 200), Vec::new(), Vec::new());
    for round in 0..rounds {
        crowd.work(dice.index(40) + 1);
        screens.get_ready();
        match if round < 4 { round } else { dice.index(4) } {
            0 => {
                server.order("stop immediate");
                if round == 0 || dice.percent(25) {
                    screens.tell_the_loss();
                    screens.hear_keys();
                }
                server.order("start");
            }
            1 => server.order("restart fast"),
            2 => server.administer(CUT_ALL),
            _ => match backend(&arena, &url, &mut dice) {
                0 => {}
                // The server takes this for a crash, and starts its other backends anew as well.
                pid => kill(pid_of(u32::try_from(pid).expect("a process")), Signal::SIGKILL).expect("it is there"),
            },
        }
        back.push(crowd.everybody_works());
        well.push(screens.tell_the_return());
        screens.are_there();
        if (round + 1) % LOOK_EVERY == 0 {
            crowd.judge(&arena, &format!("after fault {round}"));
        }
    }
    screens.hear_keys();
    drop(screens);
    let acknowledged = crowd.end(&arena, &clock, "after the crashes");
    let (_, back) = median_and_longest(&mut back);
    let (_, well) = median_and_longest(&mut well);
    println!("{rounds} faults, {acknowledged} acknowledgements, 0 lost, no process started again");
    println!("every kiosk and kitchen served again: {back}; screens well after that: {well}");
}
