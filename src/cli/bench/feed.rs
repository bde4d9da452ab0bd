//! From a commit in one process to the drawn frame in another: a process shows the real "now serving"
//! board in the real runtime, on a screen of a stated size that nobody looks at, and reports when it had
//! handed a frame with an order over. Here are both ends.

use super::progress::Progress;
use super::watched::{Shown, Watched};
use crate::cli::crew::Post;
use crate::cli::figures::{Spread, Waits, monotonic_micros};
use crate::cli::load::{Job, crew};
use crate::cli::roles::{board, screen};
use crate::domain::error::Refused;
use crate::domain::ids::OrderId;
use crate::service::load::{self, LoadSite};
use crate::service::orders::{Bump, HandOver};
use crate::service::terminals::{self, TerminalRole};
use crate::service::{Caller, SystemClock};
use crate::store::{Options, Store, StoreUrl};
use crate::tui::app::Input;
use crate::tui::runtime::{Host, Runtime};
use crate::tui::screens::board::{Board, Msg};
use crate::tui::surface::{Dialect, StreamSurface};
use crate::tui::theme::{Background, ColorProfile};
use crate::tui::ui::{Overrides, Ui};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use ratatui::layout::Size;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio_util::sync::CancellationToken;

/// The size of the board.
pub const SIZE: Size = Size::new(120, 40);
/// The shortest pause before a payment, and how much longer it may be: longer than the feed's rest after the
/// changes before, and never in step with it.
const PAUSE: (u64, u64) = (60, 60);
/// A frame that has not come in this time never comes.
const LIMIT: Duration = Duration::from_secs(20);

/// What is watched.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Watch {
    store: String,
    site: String,
}

/// A frame: the orders on it, and when it was handed over.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Drawn {
    orders: Vec<OrderId>,
    at_us: u64,
}

/// Measures so many payments on a site of its own.
///
/// # Errors
/// `STORE_UNAVAILABLE`; `INTERNAL_ERROR` when an order never appears on the board.
pub async fn measure(
    store: &Store,
    site: &LoadSite,
    samples: u32,
    seed: u64,
    progress: &Progress,
) -> Result<Spread, Refused> {
    let mut crew = crew(1)?;
    let watch = Watch { store: store.url().with_password(), site: site.door.site_id().to_owned() };
    crew.begin(&[Job::Watch(watch)]).await?;
    let kitchen = Caller::Terminal(terminals::register(&site.door, "bench-pass", TerminalRole::Kitchen).await?);
    let mut dice = ChaCha12Rng::seed_from_u64(seed);
    let mut waits = Waits::default();
    for _ in 0..samples {
        let guest = site.guest(1).await?;
        let placed = load::place(&site.door, &guest).await?;
        tokio::time::sleep(Duration::from_millis(PAUSE.0 + dice.next_u64() % PAUSE.1)).await;
        let paid = load::pay(&site.door, &placed).await?.order;
        let committed_us = monotonic_micros();
        let seen = async {
            loop {
                let drawn: Drawn = crew.answer(0).await?;
                if drawn.orders.contains(&paid.id) {
                    return Ok::<_, Refused>(drawn.at_us);
                }
            }
        };
        let never = |_| Refused::internal("an order never appeared on the board");
        let drawn_us = tokio::time::timeout(LIMIT, seen).await.map_err(never)??;
        // The board may be faster than our own way back from the commit.
        waits.note(Duration::from_micros(drawn_us.saturating_sub(committed_us)));
        // Off the board again, so that it is as good as empty each time.
        let mut version = paid.version;
        for _ in 0..2 {
            let bump = Bump { order: paid.id, station: None, seen_version: version };
            version = site.door.execute(&kitchen, None, bump).await?.order.version;
        }
        site.door.execute(&kitchen, None, HandOver { order: paid.id }).await?;
        progress.step();
    }
    Ok(waits.spread())
}

/// The process with the board: shows it until nobody listens any more.
///
/// # Errors
/// `STORE_UNAVAILABLE`; `INTERNAL_ERROR` for a board that cannot be shown.
pub async fn serve(watch: Watch, post: &mut Post) -> Result<(), Refused> {
    let store = Store::open(&StoreUrl::parse(&watch.store)?, Options::default()).await?;
    let door = LoadSite::open(&store, &watch.site).await?.door;
    let ui = Ui::load(Background::Dark, ColorProfile::TrueColor, &Overrides::default()).map_err(Refused::internal)?;
    let (sender, shown) = mpsc::unbounded_channel();
    let mut app = Board::new();
    let (mut app, sink) = Watched::new(&mut app, orders_of, sender);
    let host = Host {
        surface: StreamSurface::new(sink, SIZE, Dialect { sixteen_colors: false, scrolls: true }),
        events: futures::stream::pending(),
        size: SIZE,
        stop: CancellationToken::new(),
    };
    let runtime = Runtime::new(&mut app, &ui, &SystemClock, host).map_err(Refused::internal)?;
    let feed = tokio::spawn(screen::watch(store.clone(), watch.site, runtime.handle()));
    let ended = tokio::select! {
        ended = runtime.run(move |effect| board::carry_out(door.clone(), effect)) => ended.map(drop).map_err(Refused::internal),
        told = report(shown, post) => told.map_err(Refused::internal),
    };
    feed.abort();
    store.close().await;
    ended
}

/// The orders that a board is given to show.
fn orders_of(input: &Input<Msg>) -> Option<Vec<OrderId>> {
    let Input::Msg(Msg::Board { result: Ok(view), .. }) = input else { return None };
    Some(view.preparing.iter().chain(&view.ready).map(|called| called.order).collect())
}

/// Says that it is ready with the first frame, and tells of every further one.
async fn report(mut shown: UnboundedReceiver<Shown<Vec<OrderId>>>, post: &mut Post) -> std::io::Result<()> {
    if shown.recv().await.is_none() || !post.ready().await? {
        return Ok(());
    }
    loop {
        tokio::select! {
            frame = shown.recv() => match frame {
                Some(Shown { noted, at_us, .. }) => {
                    post.answer(&Drawn { orders: noted.into_iter().flatten().collect(), at_us }).await?;
                }
                None => return Ok(()),
            },
            () = post.closed() => return Ok(()),
        }
    }
}
