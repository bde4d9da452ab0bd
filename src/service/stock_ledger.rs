//! Reading the ledger of a counted thing: its movements by hand and by orders, narrowed by kind and by
//! instants, page by page. Who writes it stands in `stock` and, for orders, in `order_move`.

use super::door::{Query, View};
use super::paging;
use super::stock::{MAX_PAGE, named};
use super::views::Page;
use crate::domain::access::Permission;
use crate::domain::error::Refused;
use crate::domain::ids::{OrderId, StockItemId};
use crate::domain::time::Timestamp;
use crate::store::stock;
use serde::{Deserialize, Serialize};

pub use crate::store::stock::{MovementFilter, StockMovementKind};

/// A row of the ledger as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovementView {
    /// Its number within the stock item.
    pub seq: i64,
    /// Why: a word of [`StockMovementKind`].
    pub kind: String,
    /// By how much on_hand moved, signed.
    pub quantity: i64,
    /// Units in the house afterwards.
    pub on_hand_after: i64,
    /// Units held for orders afterwards.
    pub reserved_after: i64,
    /// The order, for sales.
    pub order: Option<OrderId>,
    /// The order's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_number: Option<String>,
    /// The role of the actor.
    pub role: String,
    /// The name of the person who moved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A page of the ledger of one stock item, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockLedger {
    /// Code or id of the stock item.
    pub item: String,
    /// Narrowed to this.
    pub filter: MovementFilter,
    /// Where the page before it ended: its `next`.
    pub after: Option<String>,
    /// The most rows; 1 to 200.
    pub limit: i64,
}

impl Query for StockLedger {
    type Output = Page<MovementView>;
    const PERMISSION: Permission = Permission::StockRead;

    async fn run(&self, view: &mut View<'_>) -> Result<Page<MovementView>, Refused> {
        paging::check_limit(self.limit, MAX_PAGE)?;
        let before = match &self.after {
            None => i64::MAX,
            Some(key) => key.parse().map_err(|_| paging::wrong_key())?,
        };
        let site = view.site.id.clone();
        let row = named(view.tx, &site, &self.item).await?;
        let id = StockItemId(row.id);
        let mut rows = stock::ledger(view.tx, &site, id, &self.filter, before, self.limit.saturating_add(1)).await?;
        let next = paging::cut(&mut rows, self.limit, |row| row.seq.to_string());
        let items = rows
            .into_iter()
            .map(|row| MovementView {
                seq: row.seq,
                kind: row.kind,
                quantity: row.quantity,
                on_hand_after: row.on_hand_after,
                reserved_after: row.reserved_after,
                order: row.order_id.map(OrderId),
                order_number: row.order_number,
                role: row.actor_role,
                actor: row.actor_name,
                reason: row.reason,
                at: Timestamp(row.at),
            })
            .collect();
        if self.filter.is_empty() {
            // The ledger is numbered without gaps, so its newest number is how many rows it has had.
            return Ok(Page { items, next, total: row.last_movement, at_least: false });
        }
        let found = stock::count_movements(view.tx, &site, id, &self.filter).await?;
        Ok(Page::counted(items, next, found))
    }
}
