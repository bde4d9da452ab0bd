//! Looking ahead in the store room: what runs out today if it goes on selling as it has so far, and
//! which orders hold units of a stock item. The formula is in `domain::forecast`; nothing moves here.

use super::door::{Query, View};
use super::paging;
use super::stock::{HolderView, MAX_PAGE, StockFilter, StockView, named, narrowed};
use super::views::Page;
use crate::domain::access::Permission;
use crate::domain::error::Refused;
use crate::domain::forecast::{Forecast, OpenHours};
use crate::domain::ids::StockItemId;
use crate::store::stock;
use serde::{Deserialize, Serialize};

/// What today's sales say about one counted thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForecastView {
    /// The stock item.
    pub item: StockView,
    /// Units that the orders of this business day hold or have used, less what came back.
    pub sold_today: i64,
    /// For how many seconds the house has been open in this business day.
    pub open_seconds: i64,
    /// What that means.
    pub forecast: Forecast,
}

/// How many need somebody's eye.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Urgent {
    /// Nothing is left to sell.
    pub out: i64,
    /// At or below the low mark, but not out.
    pub low: i64,
    /// It runs out today at this rate.
    pub soon: i64,
}

impl Urgent {
    fn of(items: &[ForecastView]) -> Self {
        let mut urgent = Self::default();
        for view in items {
            let is_out = view.forecast == Forecast::Out;
            urgent.out += i64::from(is_out);
            urgent.low += i64::from(view.item.low && !is_out);
            urgent.soon += i64::from(matches!(view.forecast, Forecast::RunsOut(_)));
        }
        urgent
    }
}

/// What a [`StockForecast`] answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForecastPage {
    /// The page.
    pub page: Page<ForecastView>,
    /// Of all that the filter lets through, not of the page alone.
    pub urgent: Urgent,
}

/// A page of the stock items with what today's sales say about them, the most urgent first: what is out,
/// then by the instant at which it runs out, what is low, what lasts, and what is not counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockForecast {
    /// Narrowed to this.
    pub filter: StockFilter,
    /// Where the page before it ended: its `next`.
    pub after: Option<String>,
    /// The most rows; 1 to 200.
    pub limit: i64,
}

impl Default for StockForecast {
    fn default() -> Self {
        Self { filter: StockFilter::default(), after: None, limit: MAX_PAGE }
    }
}

/// Where a forecast stands in the list; among equals the code decides.
const fn rank(view: &ForecastView) -> (u8, i64) {
    match view.forecast {
        _ if !view.item.tracked => (5, 0),
        Forecast::Out => (0, 0),
        Forecast::RunsOut(at) => (1, at.0),
        _ if view.item.low => (2, 0),
        Forecast::Lasts => (3, 0),
        Forecast::Unknown => (4, 0),
    }
}

/// Reads the `next` of a page: where its last row stood.
fn key(after: &str) -> Option<((u8, i64), &str)> {
    let (rank, rest) = after.split_once('/')?;
    let (at, code) = rest.split_once('/')?;
    Some(((rank.parse().ok()?, at.parse().ok()?), code))
}

impl Query for StockForecast {
    type Output = ForecastPage;
    const PERMISSION: Permission = Permission::StockRead;

    async fn run(&self, view: &mut View<'_>) -> Result<Self::Output, Refused> {
        paging::check_limit(self.limit, MAX_PAGE)?;
        let after = self.after.as_deref().map(|after| key(after).ok_or_else(paging::wrong_key)).transpose()?;
        let (zone, now) = (view.site.zone, view.now);
        let settings = &view.site.settings;
        let date = now.business_date(zone, settings.business_day_cutoff);
        let hours = OpenHours::of(date, &settings.time_slots, zone, settings.business_day_cutoff);
        let sold = stock::sold_on(view.tx, &view.site.id, &date.format("%Y-%m-%d").to_string()).await?;
        // The order is by what the sales of today say, which no index knows: all are read, as many as the
        // store room has, and a page of them is answered.
        let rows = stock::page(view.tx, &view.site.id, &narrowed(&self.filter), "", i64::MAX).await?;
        let mut items: Vec<ForecastView> = rows
            .into_iter()
            .map(StockView::from)
            .map(|item| {
                let sold_today = sold.get(&item.id).copied().unwrap_or(0);
                let forecast =
                    if item.tracked { hours.forecast(sold_today, item.available, now) } else { Forecast::Unknown };
                ForecastView { item, sold_today, open_seconds: hours.seconds_until(now), forecast }
            })
            .collect();
        let found = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let urgent = Urgent::of(&items);
        let place = |view: &ForecastView| (rank(view), view.item.code.clone());
        items.sort_by_cached_key(place);
        items.retain(|view| after.is_none_or(|(last, code)| place(view) > (last, code.to_owned())));
        let next = paging::cut(&mut items, self.limit, |view| {
            let ((rank, at), code) = place(view);
            format!("{rank}/{at}/{code}")
        });
        Ok(ForecastPage { page: Page { items, next, total: found, at_least: false }, urgent })
    }
}

/// The orders that hold units of a stock item, oldest first: whom a recount below them would leave
/// without food.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockHolders {
    /// Code or id of the stock item.
    pub item: String,
}

impl Query for StockHolders {
    type Output = Vec<HolderView>;
    const PERMISSION: Permission = Permission::StockRead;

    async fn run(&self, view: &mut View<'_>) -> Result<Self::Output, Refused> {
        let site = view.site.id.clone();
        let row = named(view.tx, &site, &self.item).await?;
        let holders = stock::holders(view.tx, &site, StockItemId(row.id)).await?;
        Ok(holders.into_iter().map(HolderView::from).collect())
    }
}
