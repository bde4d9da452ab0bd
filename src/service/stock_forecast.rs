//! Looking ahead in the store room: what runs out today if it goes on selling as it has so far, and
//! which orders hold units of a stock item. The formula is in `domain::forecast`; nothing moves here.

use super::door::{Query, View};
use super::stock::{HolderView, StockView, named};
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

/// Every counted thing with what today's sales say about it: what is out first, then by the instant at
/// which it runs out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StockForecast;

/// Where a forecast stands in the list.
const fn rank(forecast: Forecast) -> (u8, i64) {
    match forecast {
        Forecast::Out => (0, 0),
        Forecast::RunsOut(at) => (1, at.0),
        Forecast::Lasts => (2, 0),
        Forecast::Unknown => (3, 0),
    }
}

impl Query for StockForecast {
    type Output = Vec<ForecastView>;
    const PERMISSION: Permission = Permission::StockRead;

    async fn run(&self, view: &mut View<'_>) -> Result<Self::Output, Refused> {
        let (zone, now) = (view.site.zone, view.now);
        let settings = &view.site.settings;
        let date = now.business_date(zone, settings.business_day_cutoff);
        let hours = OpenHours::of(date, &settings.time_slots, zone, settings.business_day_cutoff);
        let sold = stock::sold_on(view.tx, &view.site.id, &date.format("%Y-%m-%d").to_string()).await?;
        let rows = stock::list(view.tx, &view.site.id).await?;
        let counted = rows.into_iter().filter(|row| row.active && row.tracked).map(StockView::from);
        let mut items: Vec<ForecastView> = counted
            .map(|item| {
                let sold_today = sold.get(&item.id).copied().unwrap_or(0);
                let forecast = hours.forecast(sold_today, item.available, now);
                ForecastView { item, sold_today, open_seconds: hours.seconds_until(now), forecast }
            })
            .collect();
        // The list comes by code, and a stable sort keeps that order among equals.
        items.sort_by_key(|view| rank(view.forecast));
        Ok(items)
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
