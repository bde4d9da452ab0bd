//! Races for what there is only so much of: the last units of stock, the last place of a slot.

use crate::arena::{Arena, place};
use crate::both::on_both;
use crate::command::{Answer, By, Command, Step};
use crate::crew::{Batch, Crew};
use servery::domain::payment::Method;

const KIOSKS: usize = 16;

/// How many succeeded, and the codes of the others.
fn counted(answers: &[Vec<Answer>]) -> (usize, Vec<&str>) {
    let all = answers.iter().flatten();
    let refused = all.clone().filter(|answer| !answer.is_done()).map(Answer::code).collect();
    (all.filter(|answer| answer.is_done()).count(), refused)
}

/// A batch that fills its carts, one unit each, and then places every one of them.
fn kiosk(arena: &mut Arena, carts: usize, method: Method) -> Batch {
    let mut batch = Batch { at: arena.soon(), ..Batch::default() };
    for _ in 0..carts {
        let (customer, cart) = arena.guest();
        let by = By::Guest(customer);
        let add = Step::new(by.clone(), Command::CartAdd(arena.add(cart, 1)));
        batch.before.push(add.keyed(format!("add-{cart}")));
        let place = Step::new(by, Command::PlaceAndPay(place(cart, method, true)));
        batch.steps.push(place.keyed(format!("place-{cart}")));
    }
    batch
}

on_both!(sixteen_kiosks_sell_fifty_units_exactly_once, |arena| {
    const UNITS: usize = 50;
    const ATTEMPTS: usize = 400;
    let mut crew = Crew::new(KIOSKS);
    // So that stock alone is the limit.
    arena.set("max_orders_per_slot", 100_000);
    for _ in 0..Arena::rounds(1) {
        arena.stock_up(50);
        let batches = (0..KIOSKS).map(|_| kiosk(&mut arena, ATTEMPTS / KIOSKS, Method::Card)).collect();
        let answers = crew.run(&arena.ground.url, batches);
        let (sold, refused) = counted(&answers);
        assert_eq!(sold, UNITS, "{:?}", answers.iter().flatten().find(|answer| !answer.is_done()));
        assert_eq!(refused.len(), ATTEMPTS - UNITS);
        let others = answers.iter().flatten().filter(|answer| !matches!(answer.code(), "" | "INSUFFICIENT_STOCK"));
        let others: Vec<_> = others.collect();
        assert!(others.is_empty(), "nobody is refused for another reason: {others:?}");
        assert_eq!(arena.stock(), (0, 0), "every unit is sold and paid");
        arena.holds();
    }
});

on_both!(card_and_cash_race_for_the_last_units_of_an_item, |arena| {
    let mut crew = Crew::new(8);
    for _ in 0..Arena::rounds(4) {
        arena.stock_up(3);
        let (on_hand, held) = arena.stock();
        let mut batches = Vec::new();
        for index in 0..8 {
            batches.push(kiosk(&mut arena, 1, if index % 2 == 0 { Method::Card } else { Method::Cash }));
        }
        let answers = crew.run(&arena.ground.url, batches);
        let (sold, refused) = counted(&answers);
        assert_eq!(sold, 3, "{answers:?}");
        assert!(refused.iter().all(|code| *code == "INSUFFICIENT_STOCK"), "{answers:?}");
        // Cash holds its units until it is paid, card has them already.
        let cash = answers.iter().skip(1).step_by(2).flatten().filter(|answer| answer.is_done()).count();
        let (cash, card) = (i64::try_from(cash).expect("few"), i64::try_from(3 - cash).expect("few"));
        assert_eq!(arena.stock(), (on_hand - card, held + cash));
        arena.holds();
    }
});

on_both!(the_last_places_of_a_slot_are_given_once, |arena| {
    const PLACES: usize = 4;
    let mut crew = Crew::new(2 * PLACES);
    for round in 1..=Arena::rounds(4) {
        arena.stock_up(100);
        // The day goes on: what was claimed in the rounds before stays claimed.
        arena.set("max_orders_per_slot", PLACES * round);
        let batches = (0..2 * PLACES).map(|_| kiosk(&mut arena, 1, Method::Cash)).collect();
        let answers = crew.run(&arena.ground.url, batches);
        let (placed, refused) = counted(&answers);
        assert_eq!(placed, PLACES, "{answers:?}");
        assert!(refused.iter().all(|code| *code == "ORDER_LIMIT_REACHED"), "{answers:?}");
        arena.holds();
    }
});

/// The real program, one process an attempt.
#[test]
fn the_real_kiosks_of_the_command_line_sell_the_last_units_once() {
    use crate::arena::{Ground, Kind};
    use crate::support::process::Servery;
    use std::io::Write as _;
    use std::process::{Command as Program, Stdio};
    const UNITS: usize = 2;
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let Some(arena) = Arena::demo(kind) else { continue };
        let Ground { url, .. } = &arena.ground;
        for _ in 0..Arena::rounds(1) {
            arena.stock_up(20);
            let buyers: Vec<Servery> = (0..6).map(|_| Servery::on(url)).collect();
            let mut started = Vec::new();
            for (number, servery) in buyers.iter().enumerate() {
                let kiosk = format!("kiosk-{number}");
                servery.json(&["cart", "add", "cola", "--as-kiosk", &kiosk]);
            }
            arena.stock_up(2);
            for (number, servery) in buyers.iter().enumerate() {
                let kiosk = format!("kiosk-{number}");
                let arguments = [
                    "order",
                    "place",
                    "--as-kiosk",
                    &kiosk,
                    "--method",
                    "card",
                    "--pay",
                    "--test-card",
                    "approved",
                    "--json",
                ];
                // It becomes the program only when it is told to.
                let mut command = Program::new("sh");
                command
                    .args(["-c", "read go && exec \"$@\"", "sh", crate::support::process::BINARY])
                    .args(arguments)
                    .env_clear()
                    .envs(servery.environment())
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped());
                started.push(command.spawn().expect("sh"));
            }
            for process in &mut started {
                let mut input = process.stdin.take().expect("piped");
                writeln!(input, "go").expect("it listens");
            }
            let mut sold = 0;
            for process in started {
                let output = process.wait_with_output().expect("it ended");
                let (stdout, stderr) =
                    (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
                if output.status.success() {
                    sold += 1;
                } else {
                    assert!(format!("{stdout}{stderr}").contains("INSUFFICIENT_STOCK"), "{stdout}{stderr}");
                }
            }
            assert_eq!(sold, UNITS);
            assert_eq!(arena.stock(), (0, 0));
            arena.holds();
        }
    }
}
