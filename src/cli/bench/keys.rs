//! From a key to the last byte of its frame: the real kitchen board with its tickets, in the real
//! runtime, in this process. The keys move the selection, so that each changes the picture.

use super::progress::Progress;
use super::watched::{Shown, Watched};
use crate::cli::app::{House, Role};
use crate::cli::figures::{Spread, Waits};
use crate::cli::roles::{kitchen, screen};
use crate::config::Config;
use crate::domain::error::Refused;
use crate::service::load::{LINES, LoadSite};
use crate::service::{SystemClock, TimeOrderedIds};
use crate::store::bare::Bare;
use crate::tui::app::Input;
use crate::tui::runtime::{Host, Runtime};
use crate::tui::screens::kitchen::{Kitchen, Msg, Options};
use crate::tui::surface::{Dialect, StreamSurface};
use crate::tui::theme::{Background, ColorProfile};
use crate::tui::ui::{Overrides, Ui};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use futures::FutureExt as _;
use ratatui::layout::Size;
use serde::Serialize;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio_util::sync::CancellationToken;

/// The size of the board.
pub const SIZE: Size = Size::new(120, 40);
/// A frame that has not come in this time never comes.
const LIMIT: Duration = Duration::from_secs(20);

/// How fast the board is under the fingers.
#[derive(Debug, Clone, Serialize)]
pub struct Keys {
    /// Tickets on the board.
    pub tickets: u32,
    /// Columns and rows of the screen.
    pub columns: u16,
    /// See `columns`.
    pub rows: u16,
    /// From the key event to the last byte of the frame.
    pub key: Spread,
    /// Of that, from the beginning of the drawing: layout, comparison with the frame before, escape codes.
    pub draw: Spread,
}

/// What is noted of the board's inputs.
enum Noted {
    Tickets,
    Key,
}

/// Fills a site with paid orders, by hand because only their number matters.
///
/// # Errors
/// `STORE_UNAVAILABLE`.
pub async fn fill(site: &LoadSite, tickets: u32) -> Result<(), Refused> {
    let model = site.model().await?;
    let like = site.guest(LINES).await?;
    let url = site.door.store().url().clone();
    let mut bare = Bare::open(&url, true).await?;
    let ids = TimeOrderedIds::from_machine();
    // The model is a ticket too.
    let guests = site.guests_like(&like, usize::try_from(tickets.saturating_sub(1)).unwrap_or_default()).await?;
    for guest in guests {
        bare.place_pay(&model, guest.cart, &SystemClock, &ids).await?;
    }
    Ok(())
}

/// Measures so many keys on the board of a house.
///
/// # Errors
/// `STORE_UNAVAILABLE`; `INTERNAL_ERROR` when a key is never answered.
pub async fn measure(config: &Config, tickets: u32, keys: u32, progress: &Progress) -> Result<Keys, Refused> {
    let house = House::open(config, Role::Watches).await?;
    let handler = kitchen::Handler::new(&house).await?;
    let ui = Ui::load(Background::Dark, ColorProfile::TrueColor, &Overrides::default()).map_err(Refused::internal)?;
    let (sender, mut shown) = mpsc::unbounded_channel();
    let mut board = Kitchen::new(Options {
        key_prefix: format!("bench-{}", house.door.new_id()),
        demo_accounts: Vec::new(),
        station: None,
    });
    let (mut app, sink) = Watched::new(&mut board, noted, sender);
    let (press, events) = mpsc::unbounded_channel::<std::io::Result<Event>>();
    let events =
        futures::stream::unfold(events, |mut events| async move { events.recv().await.map(|event| (event, events)) });
    let stop = CancellationToken::new();
    let host = Host {
        surface: StreamSurface::new(sink, SIZE, Dialect { sixteen_colors: false, scrolls: true }),
        events: Box::pin(events),
        size: SIZE,
        stop: stop.clone(),
    };
    let runtime = Runtime::new(&mut app, &ui, &SystemClock, host).map_err(Refused::internal)?;
    let feed = tokio::spawn(screen::watch(house.store.clone(), house.door.site_id().to_owned(), runtime.handle()));
    let measured = tokio::select! {
        _ = runtime.run(move |effect| {
            let handler = handler.clone();
            async move { handler.carry_out(effect).await }.boxed()
        }) => Err(Refused::internal("the board ended")),
        measured = typed(&mut shown, &press, (tickets, keys), progress) => measured,
    };
    feed.abort();
    house.store.close().await;
    let (key, draw) = measured?;
    Ok(Keys { tickets, columns: SIZE.width, rows: SIZE.height, key: key.spread(), draw: draw.spread() })
}

fn noted(input: &Input<Msg>) -> Option<Noted> {
    match input {
        Input::Key(_) => Some(Noted::Key),
        Input::Msg(Msg::Kitchen { result: Ok(_), .. }) => Some(Noted::Tickets),
        _ => None,
    }
}

/// Waits for the tickets and types.
async fn typed(
    shown: &mut UnboundedReceiver<Shown<Noted>>,
    press: &UnboundedSender<std::io::Result<Event>>,
    (tickets, keys): (u32, u32),
    progress: &Progress,
) -> Result<(Waits, Waits), Refused> {
    after(shown, |noted| matches!(noted, Noted::Tickets)).await?;
    let (mut key, mut draw) = (Waits::default(), Waits::default());
    // From the first ticket to the last and back again: a key at the end of the way would change nothing.
    let way = tickets.saturating_sub(1).max(1);
    for number in 0..keys {
        let code = if (number / way).is_multiple_of(2) { KeyCode::Down } else { KeyCode::Up };
        let began = Instant::now();
        let event = Event::Key(KeyEvent::new(code, KeyModifiers::NONE));
        press.send(Ok(event)).map_err(Refused::internal)?;
        let frame = after(shown, |noted| matches!(noted, Noted::Key)).await?;
        key.note(frame.at - began);
        draw.note(frame.drawn_in);
    }
    progress.step();
    Ok((key, draw))
}

async fn after(
    shown: &mut UnboundedReceiver<Shown<Noted>>,
    is_it: impl Fn(&Noted) -> bool,
) -> Result<Shown<Noted>, Refused> {
    let frame = async {
        loop {
            match shown.recv().await {
                Some(frame) if frame.noted.iter().any(&is_it) => return Some(frame),
                Some(_) => {}
                None => return None,
            }
        }
    };
    let never = || Refused::internal("a key changed nothing on the board");
    tokio::time::timeout(LIMIT, frame).await.map_err(|_| never())?.ok_or_else(never)
}
