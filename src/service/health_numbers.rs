//! The numbers of the house that are counted while it runs, for the metrics: today's orders, today's
//! payments, and stock that is low. Nothing about a person is among them.

use super::door::{Query, View};
use crate::domain::access::Permission;
use crate::domain::error::Refused;
use crate::domain::order::Status;
use crate::domain::payment::Method;
use crate::store::health;
use serde::{Deserialize, Serialize};

/// The numbers of the business day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumbersView {
    /// The business day, as `YYYY-MM-DD`.
    pub business_date: String,
    /// Orders by the status that they have now: every status, also those of no order.
    pub orders: Vec<(Status, i64)>,
    /// Attempts to pay them, by method and outcome: `captured`, `failed`, `voided`, `open`, `unknown` (no
    /// answer yet), `unresolved` (given up without one), `stray` (captured too late, and given back).
    pub attempts: Vec<(String, String, i64)>,
    /// Stock items of which no more is available than their low mark.
    pub low_stock: i64,
}

/// The outcomes of an attempt that are always told, so that a series does not begin in the middle.
pub const OUTCOMES: &[&str] = &["captured", "failed", "voided", "open", "unknown", "unresolved", "stray"];

/// The numbers of the business day that it is now.
#[derive(Debug, Clone, Copy, Default)]
pub struct ShowNumbers;

impl Query for ShowNumbers {
    type Output = NumbersView;
    const PERMISSION: Permission = Permission::ReportsRead;

    async fn run(&self, view: &mut View<'_>) -> Result<NumbersView, Refused> {
        let site = std::sync::Arc::clone(&view.site);
        let business_date = view.now.business_date(site.zone, site.settings.business_day_cutoff).to_string();
        let counted = health::orders_of_day(view.tx, &site.id, &business_date).await?;
        let of = |status: Status| counted.iter().find(|count| count.kind == status.as_str()).map_or(0, |one| one.rows);
        let orders = Status::ALL.iter().map(|status| (*status, of(*status))).collect();
        let counted = health::attempts_of_day(view.tx, &site.id, &business_date).await?;
        let mut attempts = Vec::new();
        for method in [Method::Card, Method::Upi, Method::Cash] {
            for outcome in OUTCOMES {
                let rows = counted.iter().find(|one| one.kind == method.as_str() && one.part == *outcome);
                attempts.push((method.as_str().to_owned(), (*outcome).to_owned(), rows.map_or(0, |one| one.rows)));
            }
        }
        // Attempts of other kinds (nothing to pay, set by hand) where there are some.
        let known = |kind: &str| Method::parse(kind).is_some();
        attempts.extend(counted.into_iter().filter(|one| !known(&one.kind)).map(|one| (one.kind, one.part, one.rows)));
        let low_stock = health::low_stock(view.tx, &site.id).await?;
        Ok(NumbersView { business_date, orders, attempts, low_stock })
    }
}
