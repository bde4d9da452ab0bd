//! Which days are no longer in the store: asked by lists and reports whose range begins before them, so that
//! nobody takes an empty list for an empty day. The archive itself stands in `archive.rs`.

use super::door::{Query, View};
use super::reports::calendar_of;
use crate::domain::access::Permission;
use crate::domain::error::Refused;
use crate::domain::report::day_text;
use crate::store::reports;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// The days whose orders were moved to a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchivedDays {
    /// The first business day that is still in the store.
    pub before: NaiveDate,
    /// The name of the file that took the last of the days before it.
    pub file: String,
}

impl ArchivedDays {
    /// Whether a range that begins on this day reaches into the archive; `None` begins with the first order.
    #[must_use]
    pub fn are_in(&self, from: Option<NaiveDate>) -> bool {
        from.is_none_or(|from| from < self.before)
    }

    /// The first day that is left, `YYYY-MM-DD`.
    #[must_use]
    pub fn before_text(&self) -> String {
        day_text(self.before)
    }
}

/// Asks for them; `None` where nothing was archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShowArchivedDays;

impl Query for ShowArchivedDays {
    type Output = Option<ArchivedDays>;
    const PERMISSION: Permission = Permission::OrdersRead;

    async fn run(&self, view: &mut View<'_>) -> Result<Self::Output, Refused> {
        let last = reports::last_archive(view.tx, &view.site.id).await?;
        let calendar = calendar_of(&view.site);
        Ok(last.map(|(before, file)| ArchivedDays { before: calendar.day_of(before), file }))
    }
}
