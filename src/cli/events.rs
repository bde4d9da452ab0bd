//! `servery events`: what the house told the world, one JSON object a line, from the outbox.

use super::app::Role;
use super::desk::{Counter, Desk};
use super::output::Done;
use super::shape;
use crate::domain::error::Refused;
use crate::service::events::{EventsAfter, MAX_PAGE, NewestEvent};
use crate::store::{Feed, FeedEvent};
use clap::Args;
use std::collections::BTreeSet;

/// On Postgres an event may become visible after one with a higher number: so many are looked at again.
const LOOK_BACK: i64 = 500;

/// Which events.
#[derive(Debug, Args)]
pub struct Events {
    /// Go on with those that are still to come, until ended
    #[arg(long, short)]
    follow: bool,
    /// Only those after this number; without it, all, or with --follow only new ones
    #[arg(long, value_name = "SEQ")]
    after: Option<i64>,
}

/// Prints events.
///
/// # Errors
/// `INSUFFICIENT_ROLE` for guests, `STORE_UNAVAILABLE`.
pub async fn run(events: Events, desk: &Desk) -> Done {
    let counter = desk.counter(Role::Command).await?;
    let mut feed = events.follow.then(|| Feed::open(&counter.house.store, counter.house.door.site_id()));
    let start = match events.after {
        Some(after) => after,
        None if events.follow => counter.ask(NewestEvent).await?,
        None => 0,
    };
    let mut told = Told { start, highest: start, seen: BTreeSet::new() };
    print(&mut told, &counter).await?;
    let Some(feed) = &mut feed else { return Ok(()) };
    let mut ended = Box::pin(tokio::signal::ctrl_c());
    loop {
        tokio::select! {
            event = feed.changed() => if event == FeedEvent::Changed {
                print(&mut told, &counter).await?;
            },
            _ = &mut ended => return Ok(()),
        }
    }
}

/// What was printed.
struct Told {
    start: i64,
    highest: i64,
    seen: BTreeSet<i64>,
}

async fn print(told: &mut Told, counter: &Counter<'_>) -> Done {
    let mut from = told.start.max(told.highest.saturating_sub(LOOK_BACK));
    loop {
        let page = counter.ask(EventsAfter { seq: from, limit: MAX_PAGE }).await?;
        let Some(last) = page.last().map(|event| event.seq) else { break };
        for event in page {
            if told.seen.insert(event.seq) {
                told.highest = told.highest.max(event.seq);
                let line = shape::own(&event, counter.house.site.currency)?;
                let line = serde_json::to_string(&line).map_err(Refused::internal)?;
                counter.output().raw(&format!("{line}\n"))?;
            }
        }
        from = last;
    }
    told.seen = told.seen.split_off(&told.highest.saturating_sub(LOOK_BACK));
    Ok(())
}
