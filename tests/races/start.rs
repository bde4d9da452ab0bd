//! Races of the very first start: several processes find the same empty store.

use crate::arena::{Arena, Ground, Kind};
use crate::command::{Answer, By, Command, Step};
use crate::crew::{Batch, Crew};
use crate::support::process::{Finished, Servery};
use crate::support::wait;

fn first_starts(kind: Kind) {
    let mut crew = Crew::new(3);
    for _ in 0..Arena::rounds(2) {
        let Some(ground) = Ground::new(kind) else { return };
        let pepper = ground.folder.path().join("pepper");
        let step = Step::new(By::System, Command::FirstStart(pepper));
        let batches = (0..3).map(|_| Batch { cold: true, ..Batch::of(step.clone()) }).collect();
        let answers: Vec<Answer> = crew.run(&ground.url, batches).into_iter().flatten().collect();
        let count = |field: &str| {
            answers.iter().filter(|answer| matches!(answer, Answer::Done(done) if done[field] == true)).count()
        };
        assert!(answers.iter().all(Answer::is_done), "everyone gets an open store: {answers:?}");
        assert_eq!((count("made"), count("staffed")), (1, 1), "one of them made the demo: {answers:?}");
        let look = Step::new(By::System, Command::FirstStart(ground.folder.path().join("pepper")));
        let again = crew.run(&ground.url, vec![Batch { cold: true, ..Batch::of(look) }]);
        assert_eq!(again[0], [Answer::Done(serde_json::json!({ "made": false, "staffed": false }))]);
    }
}

#[test]
fn several_processes_start_on_one_empty_sqlite_store() {
    first_starts(Kind::Sqlite);
}

#[test]
fn several_processes_start_on_one_empty_postgres_store() {
    first_starts(Kind::Postgres);
}

/// What two processes of the real program answer that start at once, with the pepper in one home as on one machine.
fn two_at_once(servery: &Servery, arguments: &[&str]) -> Vec<Finished> {
    let running: Vec<_> = (0..2).map(|_| servery.start(arguments)).collect();
    running.into_iter().map(|process| process.finish(wait::LIMIT)).collect()
}

/// In the default place, where an empty store becomes the demo by itself.
#[test]
fn two_real_programs_start_in_the_empty_default_place() {
    let menus = two_at_once(&Servery::without_store(), &["menu", "list", "--json"]);
    for menu in &menus {
        assert!(menu.status.success(), "{menu:?}");
    }
    assert_eq!(menus[0].json(), menus[1].json(), "both see the one demo menu");
}

#[test]
fn two_real_programs_make_the_demo_in_one_empty_store() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let Some(ground) = Ground::new(kind) else { continue };
        let servery = Servery::on(&ground.url);
        let made = two_at_once(&servery, &["init", "--demo", "--json"]);
        let (done, refused): (Vec<_>, Vec<_>) = made.iter().partition(|made| made.status.success());
        assert_eq!((done.len(), refused.len()), (1, 1), "one of them makes it: {made:?}");
        assert_eq!(refused[0].error()["code"], "CONFLICT");
        assert!(servery.run(&["doctor"]).status.success());
    }
}
