//! The tills of a site at a glance: every open shift, and the closed ones with the sums of their Z
//! reports, page by page. One report with its movements is `till::TillStatus`; nothing moves cash here.

use super::door::{Query, View};
use super::paging;
use super::till::{ShiftView, Total, total};
use super::views::Page;
use crate::domain::access::Permission;
use crate::domain::error::Refused;
use crate::domain::ids::{OrderId, RefundId, ShiftId};
use crate::domain::time::Timestamp;
use crate::store::Tx;
pub use crate::store::till::ClosedFilter;
use crate::store::till::{self, KindTotal, MovementKind, ShiftRow};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The most rows of a page.
const MAX_PAGE: i64 = 200;
/// The most open shifts that are shown: one for each terminal.
const MAX_OPEN: i64 = 500;

/// A shift with the sums of its movements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftSums {
    /// The shift: who, when, float, expected, and counted and over or short once it is closed.
    pub shift: ShiftView,
    /// Cash orders paid: how many and how much.
    pub sales: Total,
    /// Cash given back to customers.
    pub refunds: Total,
    /// Cash brought.
    pub cash_in: Total,
    /// Cash taken to the safe.
    pub drops: Total,
    /// Paid from the drawer.
    pub payouts: Total,
}

async fn sums(tx: &mut Tx, site: &str, shifts: Vec<ShiftRow>) -> Result<Vec<ShiftSums>, Refused> {
    let ids: Vec<ShiftId> = shifts.iter().map(ShiftRow::shift_id).collect();
    let totals = till::totals_of(tx, site, &ids).await?;
    let sums = shifts.into_iter().map(|row| {
        let id = row.shift_id();
        let own: Vec<KindTotal> =
            totals.iter().filter(|(shift, _)| *shift == id).map(|(_, total)| total.clone()).collect();
        ShiftSums {
            shift: row.into(),
            sales: total(&own, MovementKind::Sale),
            refunds: total(&own, MovementKind::Refund),
            cash_in: total(&own, MovementKind::CashIn),
            drops: total(&own, MovementKind::Drop),
            payouts: total(&own, MovementKind::Payout),
        }
    });
    Ok(sums.collect())
}

/// The open shifts of the site, by terminal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenShifts;

impl Query for OpenShifts {
    type Output = Vec<ShiftSums>;
    const PERMISSION: Permission = Permission::TillOperate;

    async fn run(&self, view: &mut View<'_>) -> Result<Self::Output, Refused> {
        let site = view.site.id.clone();
        let rows = till::all_open(view.tx, &site, MAX_OPEN).await?;
        sums(view.tx, &site, rows).await
    }
}

/// The closed shifts with their Z reports, the one opened last first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedShifts {
    /// Narrowed to this.
    pub filter: ClosedFilter,
    /// Where the page before it ended: its `next`.
    pub after: Option<String>,
    /// The most rows; 1 to 200.
    pub limit: i64,
}

impl Default for ClosedShifts {
    fn default() -> Self {
        Self { filter: ClosedFilter::default(), after: None, limit: 50 }
    }
}

/// Reads the `next` of a page: when its last shift was opened, and its identity.
fn key(after: &str) -> Result<(Timestamp, ShiftId), Refused> {
    let read = || {
        let (at, id) = after.split_once('/')?;
        Some((Timestamp(at.parse().ok()?), ShiftId(Uuid::parse_str(id).ok()?)))
    };
    read().ok_or_else(paging::wrong_key)
}

impl Query for ClosedShifts {
    type Output = Page<ShiftSums>;
    const PERMISSION: Permission = Permission::TillOperate;

    async fn run(&self, view: &mut View<'_>) -> Result<Self::Output, Refused> {
        paging::check_limit(self.limit, MAX_PAGE)?;
        let site = view.site.id.clone();
        let before = self.after.as_deref().map(key).transpose()?;
        let given = |text: &Option<String>| paging::given(text.as_ref()).map(str::to_owned);
        let filter = ClosedFilter {
            terminal: given(&self.filter.terminal),
            person: given(&self.filter.person),
            ..self.filter.clone()
        };
        let limit = self.limit.saturating_add(1);
        let (mut rows, found) = till::closed_before(view.tx, &site, &filter, before, limit).await?;
        let next = paging::cut(&mut rows, self.limit, |row| format!("{}/{}", row.opened_at, row.id));
        Ok(Page::counted(sums(view.tx, &site, rows).await?, next, found))
    }
}

/// A cash refund that waits to be paid out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingRefund {
    /// The refund.
    pub refund: RefundId,
    /// Its order.
    pub order: OrderId,
    /// The order's number.
    pub order_number: String,
    /// The name that was called.
    pub called_name: Option<String>,
    /// How much (minor units, more than 0).
    pub amount: i64,
    /// Why.
    pub reason: Option<String>,
    /// Since when it waits.
    pub since: Timestamp,
}

/// The cash refunds of the site that wait to be paid out, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingCashRefunds {
    /// A part of the order's number or of the name that was called.
    pub text: Option<String>,
    /// Where the page before it ended: its `next`.
    pub after: Option<String>,
    /// The most rows; 1 to 200.
    pub limit: i64,
}

impl Default for WaitingCashRefunds {
    /// As many as a page may have.
    fn default() -> Self {
        Self { text: None, after: None, limit: MAX_PAGE }
    }
}

impl Query for WaitingCashRefunds {
    type Output = Page<WaitingRefund>;
    const PERMISSION: Permission = Permission::TillOperate;

    async fn run(&self, view: &mut View<'_>) -> Result<Self::Output, Refused> {
        paging::check_limit(self.limit, MAX_PAGE)?;
        let site = view.site.id.clone();
        let after = match &self.after {
            None => (Timestamp(i64::MIN), Uuid::nil()),
            Some(text) => key(text).map(|(at, id)| (at, id.0))?,
        };
        let (text, limit) = (paging::given(self.text.as_ref()), self.limit.saturating_add(1));
        let (mut rows, found) = till::waiting_cash_refunds(view.tx, &site, text, after, limit).await?;
        let next = paging::cut(&mut rows, self.limit, |row| format!("{}/{}", row.created_at, row.id));
        let refunds = rows.into_iter().map(|row| WaitingRefund {
            refund: RefundId(row.id),
            order: OrderId(row.order_id),
            order_number: row.order_number,
            called_name: row.called_name,
            amount: row.amount,
            reason: row.reason,
            since: Timestamp(row.created_at),
        });
        Ok(Page::counted(refunds.collect(), next, found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_goes_on_where_it_ended_and_refuses_what_is_no_key() {
        let id = Uuid::from_u128(7);
        assert_eq!(key(&format!("42/{id}")).expect("a key"), (Timestamp(42), ShiftId(id)));
        for wrong in ["", "42", "/", "x/7", "42/7", &format!("42/{id}/")] {
            assert!(key(wrong).is_err(), "{wrong}");
        }
    }
}
