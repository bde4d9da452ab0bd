//! Fault 5: a network between the program and Postgres that swallows what is sent while connections stay
//! open, that is slow, and that resets connections. Under load, with real screens: the service is back
//! soon after the network is, nothing that was acknowledged is lost, and keys move the cursor all the while.
//!
//! `cargo test --test fire bad_network`: 4 faults; with `SERVERY_TEST_LONG=1`: 200.

use crate::crowd::{Crowd, Screens, median_and_longest};
use crate::house::{Dice, arena_on, rounds};
use crate::relay::{Relay, port_of};
use crate::support::postgres::OwnServer;
use std::time::Duration;

/// The service is back in this time after the network is; judged in a full run.
const SOON: Duration = Duration::from_secs(2);
/// What a slow network takes for each way.
const LATE: Duration = Duration::from_millis(200);

#[test]
fn a_bad_network_loses_nothing_and_freezes_no_screen() {
    let Some(server) = OwnServer::start() else { return };
    let mut dice = Dice::of_test("bad network");
    let (arena, clock) = arena_on(server.url(), dice.number());
    let network = Relay::before(port_of(server.url()));
    let url = network.url(server.url());
    // One kitchen for two kiosks: tickets are waiting on its board.
    let mut crowd = Crowd::start(&arena, &url, 2, 1, &mut dice);
    let screens = Screens::open(&arena.program().with("SERVERY_STORE", &url));
    let rounds = rounds(4, 200);
    let (mut back, mut well, mut keys) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        crowd.work(dice.index(40) + 1);
        screens.get_ready();
        let fault = if round < 5 { round } else { dice.index(5) };
        match fault {
            // A long hole: everybody notices. Then the old connections are forgotten for ever, or live on.
            0 | 4 => {
                network.swallow();
                keys.push(screens.hear_keys());
                crowd.everybody_suffers();
                screens.tell_the_loss();
                keys.push(screens.hear_keys());
                if fault == 0 { network.forget() } else { network.pass() }
            }
            // A short one, which may pass unnoticed.
            1 => {
                network.swallow();
                keys.push(screens.hear_keys());
                network.pass();
            }
            2 => {
                network.slow(LATE);
                keys.push(screens.hear_keys());
                crowd.work(2);
                keys.push(screens.hear_keys());
                network.slow(Duration::ZERO);
            }
            _ => network.reset(),
        }
        back.push(crowd.everybody_works());
        well.push(screens.tell_the_return());
        screens.are_there();
    }
    drop(screens);
    let acknowledged = crowd.end(&arena, &clock, "after the bad network");
    println!("{rounds} faults, {acknowledged} acknowledgements, 0 lost, no process started again");
    let (median, back) = median_and_longest(&mut back);
    let (_, well) = median_and_longest(&mut well);
    let (_, keys) = median_and_longest(&mut keys);
    println!("every kiosk and kitchen served again: {back}; screens well after that: {well}; keys heard: {keys}");
    assert!(rounds < 200 || median < SOON, "the service takes {median:?} to come back");
}
