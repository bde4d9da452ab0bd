//! `servery notices`: what the house told whoever gives the command, or what was told about one order.

use super::app::Role;
use super::desk::{Counter, Desk};
use super::order;
use super::output::{Done, shown, table};
use crate::service::notices::{ListNotices, NoticeFilter, NoticeView, OrderNotices, ReadNotices};
use crate::service::order_queries::OrderName;
use chrono_tz::Tz;
use clap::Args;

/// Which notices.
#[derive(Debug, Args)]
pub struct Notices {
    /// What the customer and the staff were told about this order, the oldest first
    #[arg(long, value_name = "ORDER", conflicts_with_all = ["unread", "search", "after", "limit", "read"])]
    order: Option<String>,
    /// Only those that were not read
    #[arg(long)]
    unread: bool,
    /// A part of the title or of the words
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// The most rows
    #[arg(long, default_value_t = 50)]
    limit: i64,
    /// The `next` of the page before
    #[arg(long)]
    after: Option<String>,
    /// Mark what is printed, and what is older, as read
    #[arg(long, conflicts_with = "search")]
    read: bool,
}

/// Runs the command.
///
/// # Errors
/// What the queries refuse.
pub async fn run(notices: Notices, desk: &Desk) -> Done {
    let counter = desk.counter(Role::Command).await?;
    match &notices.order {
        Some(order) => about(order, &counter).await,
        None => told(&notices, &counter).await,
    }
}

async fn about(order: &str, counter: &Counter<'_>) -> Done {
    let order = counter.find_order(order).await?;
    let told = counter.ask(OrderNotices { order: OrderName::Id(order.id) }).await?;
    let zone = counter.house.site.zone;
    counter.answer(&told, || {
        let rows: Vec<Vec<String>> =
            told.iter().map(|notice| [vec![notice.to.clone()], cells(notice, zone)].concat()).collect();
        table(&["TO", "AT", "TITLE", "WORDS"], &rows)
    })
}

async fn told(notices: &Notices, counter: &Counter<'_>) -> Done {
    let filter = NoticeFilter { unread: notices.unread, text: notices.search.clone() };
    let page = counter.ask(ListNotices { filter, after: notices.after.clone(), limit: notices.limit }).await?;
    if let Some(newest) = page.items.first().filter(|_| notices.read) {
        counter.execute(ReadNotices { up_to: newest.seq }).await?;
    }
    let zone = counter.house.site.zone;
    counter.answer(&page, || {
        let rows: Vec<Vec<String>> = page
            .items
            .iter()
            .map(|notice| {
                let new = if notice.read_at.is_none() { "new" } else { "" };
                [vec![new.to_owned()], cells(notice, zone)].concat()
            })
            .collect();
        let mut out = table(&["", "AT", "TITLE", "WORDS"], &rows);
        if let Some(next) = &page.next {
            out.push_str(&format!("More: --after {next}\n"));
        }
        out
    })
}

fn cells(notice: &NoticeView, zone: Tz) -> Vec<String> {
    vec![order::time(notice.at, zone), shown(&notice.title), shown(&notice.body)]
}
