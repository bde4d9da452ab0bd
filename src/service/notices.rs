//! What people were told: the notices of the house to its staff and to the customers of its orders. The worker
//! writes them (`worker/in_app`); here they are listed and marked as read. Who is told what is not decided here.

use super::door::{Context, Query, UseCase, View};
use super::order_queries::{OrderName, find};
use super::paging::{check_limit, cut, wrong_key};
use crate::domain::access::{Actor, Permission, Role};
use crate::domain::error::Refused;
use crate::domain::ids::OrderId;
use crate::domain::time::Timestamp;
use crate::store::notifications::{self, NotificationRow, Recipient};

pub use crate::store::notifications::NoticeFilter;
use serde::{Deserialize, Serialize};

/// The most notices of one page.
const MOST: i64 = 200;
/// How far notices that nobody has read are counted.
pub const MOST_UNREAD: i64 = 100;

/// What this person was told, the newest first.
#[derive(Debug, Clone)]
pub struct ListNotices {
    /// Narrowed to this.
    pub filter: NoticeFilter,
    /// The key of the page; none: the first.
    pub after: Option<String>,
    /// Notices a page, from 1 to 200.
    pub limit: i64,
}

/// What the customer of an order and the staff were told about it, the oldest first.
#[derive(Debug, Clone)]
pub struct OrderNotices {
    /// Which order.
    pub order: OrderName,
}

/// Marks what this person was told as read, up to the last notice that was seen. What is for everybody of a role is
/// then read for all of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReadNotices {
    /// [`NoticeView::seq`] of the last one that was seen.
    pub up_to: i64,
}

/// A notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeView {
    /// The number of the event that it tells; rises.
    pub seq: i64,
    /// Who is told: `customer`, `kitchen`, `delivery` or `admin`.
    pub to: String,
    /// The order that it is about.
    pub order: Option<OrderId>,
    /// The event, by its name.
    pub event: String,
    /// The title.
    pub title: String,
    /// The words.
    pub body: String,
    /// When it happened.
    pub at: Timestamp,
    /// Since when it is read.
    pub read_at: Option<Timestamp>,
}

/// A page of notices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticePage {
    /// The notices, the newest first.
    pub items: Vec<NoticeView>,
    /// The key of the next page.
    pub next: Option<String>,
    /// How many are not read; counting ends at [`MOST_UNREAD`].
    pub unread: i64,
}

/// As whom the house tells this person something; `None`: nothing is told to such.
fn recipient(actor: &Actor) -> Option<Recipient<'static>> {
    let staff = actor.staff.map(|id| id.0);
    match actor.role {
        Role::Customer => actor.customer.map(|id| Recipient { kind: "customer", id: Some(id.0) }),
        Role::Kitchen => Some(Recipient { kind: "kitchen", id: staff }),
        Role::Delivery => Some(Recipient { kind: "delivery", id: staff }),
        Role::Admin => Some(Recipient { kind: "admin", id: staff }),
        Role::System | Role::Gateway => None,
    }
}

fn view_of(row: NotificationRow) -> NoticeView {
    NoticeView {
        seq: row.outbox_seq,
        to: row.recipient_kind,
        order: row.order_id.map(OrderId),
        event: row.event,
        title: row.title,
        body: row.body,
        at: Timestamp(row.created_at),
        read_at: row.read_at.map(Timestamp),
    }
}

impl Query for ListNotices {
    type Output = NoticePage;
    const PERMISSION: Permission = Permission::MenuRead;

    async fn run(&self, view: &mut View<'_>) -> Result<NoticePage, Refused> {
        check_limit(self.limit, MOST)?;
        let before = match &self.after {
            Some(key) => key.parse::<i64>().map_err(|_| wrong_key())?,
            None => i64::MAX,
        };
        let Some(whose) = recipient(&view.actor) else {
            return Ok(NoticePage { items: Vec::new(), next: None, unread: 0 });
        };
        let site = view.site.id.clone();
        let unread = notifications::unread(view.tx, &site, whose, MOST_UNREAD).await?;
        let limit = self.limit.saturating_add(1);
        let mut rows = notifications::of_recipient(view.tx, &site, whose, &self.filter, (before, limit)).await?;
        let next = cut(&mut rows, self.limit, |row| row.outbox_seq.to_string());
        Ok(NoticePage { items: rows.into_iter().map(view_of).collect(), next, unread })
    }
}

impl Query for OrderNotices {
    type Output = Vec<NoticeView>;
    const PERMISSION: Permission = Permission::MenuRead;

    async fn run(&self, view: &mut View<'_>) -> Result<Vec<NoticeView>, Refused> {
        let site = std::sync::Arc::clone(&view.site);
        let row = find(view.tx, &site, &view.actor, view.now, &self.order).await?;
        let mut rows = notifications::of_order(view.tx, &site.id, OrderId(row.id)).await?;
        if view.actor.role == Role::Customer {
            rows.retain(|row| row.recipient_kind == "customer");
        }
        Ok(rows.into_iter().map(view_of).collect())
    }
}

impl UseCase for ReadNotices {
    /// How many were not read before.
    type Output = u64;
    const NAME: &'static str = "notices_read";
    const PERMISSION: Permission = Permission::MenuRead;
    // Looking is no act that anybody answers for.
    const AUDITED: bool = false;

    async fn run(&self, context: &mut Context<'_>) -> Result<u64, Refused> {
        let Some(whose) = recipient(&context.actor) else { return Ok(0) };
        let (site, now) = (context.site.id.clone(), context.now);
        Ok(notifications::mark_read(context.tx, &site, whose, self.up_to, now).await?)
    }
}
