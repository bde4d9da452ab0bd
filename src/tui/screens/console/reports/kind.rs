//! The six reports as the console knows them: what each is called, what is asked for it, and what its
//! answer becomes in a file. Nothing is drawn or counted here.

use super::super::message::{Ask, Loaded};
use crate::domain::error::Refused;
use crate::domain::money::Currency;
use crate::domain::report::DayRange;
use crate::service::report_csv;
use crate::service::report_views::{HoursView, ItemsView, RefundsView, SalesView, SpeedView, StatisticsView};
use crate::service::reports::{HoursReport, ItemsReport, RefundsAndWaste, SalesReport, SpeedReport, Statistics};
use chrono::NaiveDate;
use serde_json::Value;

/// Which report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Daily sales.
    #[default]
    Sales,
    /// Item performance.
    Items,
    /// Order volume.
    Hours,
    /// Speed of service.
    Speed,
    /// Refunds and waste.
    Refunds,
    /// Statistics.
    Statistics,
}

impl Kind {
    /// In the order in which they are gone through.
    pub(super) const ALL: [Self; 6] =
        [Self::Sales, Self::Items, Self::Hours, Self::Speed, Self::Refunds, Self::Statistics];

    /// The key of its name in the catalogue.
    pub(super) const fn title_key(self) -> &'static str {
        match self {
            Self::Sales => "reports.sales",
            Self::Items => "reports.items",
            Self::Hours => "reports.hours",
            Self::Speed => "reports.speed",
            Self::Refunds => "reports.refunds",
            Self::Statistics => "reports.statistics",
        }
    }

    /// The first part of its files' names.
    const fn file_name(self) -> &'static str {
        match self {
            Self::Sales => "sales",
            Self::Items => "items",
            Self::Hours => "hours",
            Self::Speed => "speed",
            Self::Refunds => "refunds",
            Self::Statistics => "statistics",
        }
    }

    /// The one after it, or before it; round at the ends.
    pub(super) fn next(self, forward: bool) -> Self {
        let at = Self::ALL.iter().position(|kind| *kind == self).unwrap_or(0);
        let step = if forward { 1 } else { Self::ALL.len().saturating_sub(1) };
        Self::ALL.get(at.saturating_add(step) % Self::ALL.len()).copied().unwrap_or_default()
    }

    /// What is asked for it.
    pub(super) const fn ask(self, (from, to): (NaiveDate, NaiveDate)) -> Ask {
        match self {
            Self::Sales => Ask::SalesReport(SalesReport { from, to }),
            Self::Items => Ask::ItemsReport(ItemsReport { from, to }),
            Self::Hours => Ask::HoursReport(HoursReport { from, to }),
            Self::Speed => Ask::SpeedReport(SpeedReport { from, to }),
            Self::Refunds => Ask::RefundsReport(RefundsAndWaste { from, to }),
            Self::Statistics => Ask::StatisticsReport(Statistics { from, to }),
        }
    }
}

/// A report that has come.
#[derive(Debug)]
pub(super) enum View {
    /// Daily sales.
    Sales(Box<SalesView>),
    /// Item performance.
    Items(Box<ItemsView>),
    /// Order volume.
    Hours(Box<HoursView>),
    /// Speed of service.
    Speed(Box<SpeedView>),
    /// Refunds and waste.
    Refunds(Box<RefundsView>),
    /// Statistics.
    Statistics(Box<StatisticsView>),
}

impl View {
    /// The report of an answer; `None` where it is no report.
    pub(super) fn of(loaded: Loaded) -> Option<Self> {
        Some(match loaded {
            Loaded::SalesReport(view) => Self::Sales(view),
            Loaded::ItemsReport(view) => Self::Items(view),
            Loaded::HoursReport(view) => Self::Hours(view),
            Loaded::SpeedReport(view) => Self::Speed(view),
            Loaded::RefundsReport(view) => Self::Refunds(view),
            Loaded::StatisticsReport(view) => Self::Statistics(view),
            _ => return None,
        })
    }

    /// Which one it is.
    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Sales(_) => Kind::Sales,
            Self::Items(_) => Kind::Items,
            Self::Hours(_) => Kind::Hours,
            Self::Speed(_) => Kind::Speed,
            Self::Refunds(_) => Kind::Refunds,
            Self::Statistics(_) => Kind::Statistics,
        }
    }

    const fn range(&self) -> DayRange {
        match self {
            Self::Sales(view) => view.range,
            Self::Items(view) => view.range,
            Self::Hours(view) => view.range,
            Self::Speed(view) => view.range,
            Self::Refunds(view) => view.range,
            Self::Statistics(view) => view.range,
        }
    }

    /// Whether there is nothing to tell of these days.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Sales(view) => {
                let whole = &view.whole;
                whole.orders == 0
                    && whole.refunds == 0
                    && [view.stray_captured, view.stray_refunded, view.pending_refunds]
                        .iter()
                        .all(|part| part.count == 0)
            }
            Self::Items(view) => view.items.is_empty(),
            Self::Hours(view) => view.hours.iter().all(|hour| hour.placed == 0 && hour.received == 0),
            Self::Speed(view) => view.whole.orders == 0 && view.stations.is_empty(),
            Self::Refunds(view) => view.refunds.is_empty() && view.waste.is_empty(),
            Self::Statistics(view) => view.orders == 0 && view.sales.refunds == 0,
        }
    }

    /// The name of its file with this ending.
    pub(super) fn file_name(&self, ending: &str) -> String {
        let DayRange { from, to } = self.range();
        format!("{}-{}-{}.{ending}", self.kind().file_name(), from.format("%Y%m%d"), to.format("%Y%m%d"))
    }

    /// The report as a table for spreadsheets.
    ///
    /// # Errors
    /// `INTERNAL_ERROR` where it cannot be written.
    pub(super) fn csv(&self, currency: Currency) -> Result<String, Refused> {
        match self {
            Self::Sales(view) => report_csv::sales(view, currency),
            Self::Items(view) => report_csv::items(view, currency),
            Self::Hours(view) => report_csv::hours(view, currency),
            Self::Speed(view) => report_csv::speed(view, currency),
            Self::Refunds(view) => report_csv::refunds(view, currency),
            Self::Statistics(view) => report_csv::statistics(view, currency),
        }
    }

    /// The report as it is.
    ///
    /// # Errors
    /// `INTERNAL_ERROR` where it is not JSON.
    pub(super) fn json(&self) -> Result<Value, Refused> {
        match self {
            Self::Sales(view) => serde_json::to_value(view),
            Self::Items(view) => serde_json::to_value(view),
            Self::Hours(view) => serde_json::to_value(view),
            Self::Speed(view) => serde_json::to_value(view),
            Self::Refunds(view) => serde_json::to_value(view),
            Self::Statistics(view) => serde_json::to_value(view),
        }
        .map_err(Refused::internal)
    }
}
