//! Fault 2: the power is cut. A kiosk and a kitchen work on an SQLite store while the shim traces every
//! write and fsync of its files; then the power is cut at random points of the trace, what was not
//! synced is kept, dropped or torn, and the house opens what is left: every acknowledged order is
//! there, no page is corrupt, `doctor` is clean, and the house goes on.
//!
//! `cargo test --test fire power_cut`: 60 images; with `SERVERY_TEST_LONG=1`: 5,000.

use crate::arena::{Kind, place};
use crate::command::open_door;
use crate::house::{Dice, StoreClock, arena, quick_folder, rounds};
use crate::ledger::{Books, adds_up, money_adds_up, settle};
use crate::load::{Job, Load, Said, acknowledged};
use crate::shim::Shim;
use crate::trace::{Cut, Damage, Trace};
use servery::domain::ids::{CartId, CustomerId, ItemId};
use servery::domain::payment::Method;
use servery::service::Caller;
use servery::service::cart::CartAdd;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use tokio::runtime::Runtime;

/// So many images are made of one trace.
const IMAGES_OF_A_TRACE: usize = 250;
/// So many orders are placed in one: enough for several checkpoints.
const ORDERS: u64 = 60;
/// After so many images one is also put back to work.
const GOES_ON: usize = 20;

/// A kiosk and a kitchen work for a while; every change of the store's files.
fn traced(dice: &mut Dice, orders: u64) -> (Trace, ItemId) {
    let (arena, _) = arena(Kind::Sqlite, dice.number()).expect("SQLite is always there");
    // Closed, it is one file, wholly on the disk.
    arena.wait(arena.door.store().close());
    let folder = arena.ground.folder.path().canonicalize().expect("the folder");
    let mut trace = Trace::begin(&folder);
    let notes = quick_folder();
    let (file, book) = (notes.path().join("trace"), folder.join("book"));
    let shim = Shim::over(&folder).tracing(&file, &book);
    let job = |job: Job| Job { book: Some(book.clone()), ..job };
    let kitchen = Load::start(&job(Job::kitchen(&arena, dice.number())), shim.environment());
    let kiosk = Job { enough: Some(orders), ..job(Job::kiosk(&arena, dice.number())) };
    let kiosk = Load::start(&kiosk, shim.environment());
    loop {
        match kiosk.next().expect("the kiosk works") {
            Said::Over => break,
            Said::Refused { message, cause, .. } => panic!("{message} {cause:?}"),
            Said::Ready | Said::Done(_) => {}
        }
    }
    kitchen.end();
    kiosk.end();
    trace.read(&file);
    (trace, arena.dish.id)
}

/// Points of a trace in rising order: half of them anywhere, half right after an acknowledgement.
fn points(trace: &Trace, count: usize, dice: &mut Dice) -> Vec<usize> {
    let after = trace.after_acknowledgements();
    let mut points: Vec<usize> = (0..count)
        .map(|_| if dice.percent(50) { after[dice.index(after.len())] } else { dice.index(trace.length() + 1) })
        .collect();
    points.sort_unstable();
    points
}

/// Opens what a cut left and looks at all of it.
async fn survives(cut: &Cut<'_>, dish: ItemId, dice: &mut Dice, when: &str, goes_on: bool) -> Damage {
    let folder = quick_folder();
    let damage = cut.leave(folder.path(), dice);
    let url = format!("sqlite:{}", folder.path().join("servery.db").display());
    // The program first: it is its opening that has to find the way back.
    let door = open_door(&url).await;
    let mut books = Books::open(&url).await;
    books.is_whole(when).await;
    books.has(&acknowledged(cut.acknowledged.iter().cloned()), when).await;
    adds_up(&door, when).await;
    if goes_on {
        let guest = Caller::Guest { customer: CustomerId(door.new_id()), terminal: None };
        let cart = CartId(door.new_id());
        let add = CartAdd { cart, item: dish, options: vec![], quantity: 1, note: String::new() };
        door.execute(&guest, None, add).await.expect("the house goes on");
        door.execute(&guest, None, place(cart, Method::Cash, false)).await.expect("the house goes on");
        settle(&url, &StoreClock::default(), when).await;
        money_adds_up(&door, when).await;
        adds_up(&door, when).await;
    }
    books.close().await;
    door.store().close().await;
    damage
}

/// Keeps the image that did not survive, as the cut left it: two processes never make the same trace twice.
fn keep_image(cut: &Cut<'_>, mut dice: Dice) {
    let kept = tempfile::Builder::new().prefix("image-").disable_cleanup(true).tempdir_in(env!("CARGO_TARGET_TMPDIR"));
    let kept = kept.expect("a folder");
    cut.leave(kept.path(), &mut dice);
    println!("the image is kept in {}", kept.path().display());
}

#[test]
fn a_power_cut_loses_nothing_acknowledged() {
    let mut dice = Dice::of_test("power cut");
    let runtime = Runtime::new().expect("a runtime");
    let images = rounds(60, 5_000);
    let (mut done, mut looked, mut all, mut counts) = (0, 0, Damage::default(), (0, 0, 0));
    while done < images {
        let (trace, dish) = traced(&mut dice, ORDERS);
        let (writes, syncs, acknowledgements) = trace.counts();
        counts = (counts.0 + writes, counts.1 + syncs, counts.2 + acknowledgements);
        let points = points(&trace, IMAGES_OF_A_TRACE.min(images - done), &mut dice);
        trace.cut(&points, |point, cut| {
            done += 1;
            looked += cut.acknowledged.len();
            let when = format!("image {done}, cut before change {point} of {}", trace.length());
            let goes_on = done % GOES_ON == 0;
            let before = dice.clone();
            let looked =
                catch_unwind(AssertUnwindSafe(|| runtime.block_on(survives(&cut, dish, &mut dice, &when, goes_on))));
            let damage = looked.unwrap_or_else(|panic| {
                keep_image(&cut, before);
                resume_unwind(panic)
            });
            all.kept += damage.kept;
            all.dropped += damage.dropped;
            all.torn += damage.torn;
        });
    }
    let (writes, syncs, acknowledgements) = counts;
    println!("{images} images of {writes} writes, {syncs} syncs and {acknowledgements} acknowledgements: {all:?}");
    println!("{looked} acknowledgements looked for, 0 lost, 0 corrupt");
    assert!(all.dropped > 0 && all.torn > 0, "the cuts did damage");
}

/// The proof of the proof: on a disk that does not keep what was synced, the loss is seen.
#[test]
fn a_disk_that_lies_about_fsync_is_noticed_at_the_power_cut() {
    let mut dice = Dice::of_test("a disk that lies");
    let runtime = Runtime::new().expect("a runtime");
    let (trace, _) = traced(&mut dice, 10);
    let trace = trace.on_a_disk_that_lies();
    let points = points(&trace, 20, &mut dice);
    let mut noticed = 0;
    trace.cut(&points, |_, cut| {
        let folder = quick_folder();
        cut.leave(folder.path(), &mut dice);
        let url = format!("sqlite:{}", folder.path().join("servery.db").display());
        let looked = catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(async {
                let mut books = Books::open(&url).await;
                books.is_whole("as it must be").await;
                books.has(&acknowledged(cut.acknowledged.iter().cloned()), "as it must be").await;
            });
        }));
        noticed += usize::from(looked.is_err());
    });
    assert!(noticed > 0, "nothing was lost on a disk that keeps nothing");
}
