//! The reports as questions: sales, items, hours, speed of service, refunds and waste, statistics. Each
//! takes finished days from their kept summaries and counts the days that changed since, in the one
//! snapshot of its transaction, so that what it shows is always exact. What counts as what stands in
//! `domain::report`, the answers' shapes in `report_views.rs`.

use super::door::{Query, View};
use super::report_views::{
    CountAmount, DayVolume, FulfilmentSales, HourSpeed, HourVolume, HoursView, ItemPerformance, ItemsView, MethodSales,
    RefundGroup, RefundsView, SalesDay, SalesView, SpeedFigures, SpeedView, StationSpeed, StatisticsView, StatusCount,
    WasteGroup, WasteSource, WeekdayVolume, WordCount,
};
use crate::domain::access::Permission;
use crate::domain::error::Refused;
use crate::domain::fulfilment::Fulfilment;
use crate::domain::ids::{ItemId, StationId};
use crate::domain::money::{Money, Rounding, out_of_range};
use crate::domain::order::{EndReason, Source, Status, view_as};
use crate::domain::payment::{AttemptMethod, PaymentStatus, RefundStatus};
use crate::domain::report::{Calendar, DayRange, SalesSums, day_text, parse_day, weekday_of};
use crate::domain::report_durations::{HourTally, Tally, tally};
use crate::store::reports::{self, HoursRow, ItemsRow, OrdersRow, RefundsRow, SalesRow, SpeedRow, WasteRow};
use crate::store::reports_count::Counting;
use crate::store::reports_fresh::{Split, split};
use crate::store::{Tx, tickets};
use chrono::NaiveDate;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Items that the statistics name.
const BEST_ITEMS: usize = 5;

/// The calendar of a site.
#[must_use]
pub fn calendar_of(site: &super::Site) -> Calendar {
    Calendar { zone: site.zone, cutoff: site.settings.business_day_cutoff }
}

/// How days are cut at the site, and which one it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Today {
    /// The calendar in force.
    pub calendar: Calendar,
    /// The business day that is running.
    pub day: NaiveDate,
}

/// Asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BusinessToday;

impl Query for BusinessToday {
    type Output = Today;
    const PERMISSION: Permission = Permission::ReportsRead;

    async fn run(&self, view: &mut View<'_>) -> Result<Today, Refused> {
        let calendar = calendar_of(&view.site);
        Ok(Today { calendar, day: calendar.day_of(view.now) })
    }
}

/// Reads the parts of one range.
struct Reader<'a> {
    tx: &'a mut Tx,
    site: String,
    calendar: Calendar,
    range: DayRange,
    split: Split,
}

/// One part of a range: kept rows of kept days, and counted rows of the others.
macro_rules! part {
    ($(#[$doc:meta])* $name:ident, $row:ty) => {
        $(#[$doc])*
        async fn $name(&mut self) -> Result<Vec<$row>, Refused> {
            let mut rows = Vec::new();
            for range in &self.split.kept {
                let (from, to) = (day_text(range.from), day_text(range.to));
                rows.extend(reports::$name(self.tx, &self.site, (&from, &to)).await?);
            }
            for range in &self.split.changed {
                let mut counting = Counting { tx: &mut *self.tx, site: &self.site, calendar: self.calendar };
                rows.extend(counting.$name(*range).await?);
            }
            Ok(rows)
        }
    };
}

impl<'a> Reader<'a> {
    async fn new(view: &'a mut View<'_>, (from, to): (NaiveDate, NaiveDate)) -> Result<Self, Refused> {
        let range = DayRange::new(from, to)?;
        let (site, calendar) = (view.site.id.clone(), calendar_of(&view.site));
        let split = split(view.tx, &site, &calendar, range).await?;
        Ok(Self { tx: &mut *view.tx, site, calendar, range, split })
    }

    part!(orders, OrdersRow);
    part!(sales, SalesRow);
    part!(items, ItemsRow);
    part!(hours, HoursRow);
    part!(speed, SpeedRow);
    part!(refunds, RefundsRow);
    part!(waste, WasteRow);
}

fn day_of(row: &str) -> Result<NaiveDate, Refused> {
    parse_day("business_date", row).map_err(|_| Refused::internal("a kept day is no day"))
}

fn sums_of(row: &SalesRow) -> SalesSums {
    SalesSums {
        orders: row.orders,
        gross: row.gross,
        discounts: row.discounts,
        tax: row.tax,
        tax_added: row.tax_added,
        delivery_fees: row.delivery_fees,
        collected: row.collected,
        refunds: row.refunds,
        refunded: row.refunded,
    }
}

fn whole(rows: &[SalesRow]) -> SalesSums {
    let mut sums = SalesSums::default();
    rows.iter().for_each(|row| sums.add(&sums_of(row)));
    sums
}

fn count_amount<'a>(rows: impl IntoIterator<Item = &'a RefundsRow>) -> CountAmount {
    rows.into_iter().fold(CountAmount::default(), |sum, row| CountAmount {
        count: sum.count.saturating_add(row.entries),
        amount: sum.amount.saturating_add(row.amount),
    })
}

/// Daily sales.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SalesReport {
    /// The first business day.
    pub from: NaiveDate,
    /// The last one.
    pub to: NaiveDate,
}

impl Query for SalesReport {
    type Output = SalesView;
    const PERMISSION: Permission = Permission::ReportsRead;

    async fn run(&self, view: &mut View<'_>) -> Result<SalesView, Refused> {
        let mut reader = Reader::new(view, (self.from, self.to)).await?;
        let rows = reader.sales().await?;
        let refunds = reader.refunds().await?;
        let (count, amount) = reports::pending_refunds(reader.tx, &reader.site).await?;
        let mut days: BTreeMap<NaiveDate, SalesSums> = BTreeMap::new();
        let mut methods: BTreeMap<AttemptMethod, SalesSums> = BTreeMap::new();
        let mut fulfilments: BTreeMap<Fulfilment, SalesSums> = BTreeMap::new();
        for row in &rows {
            let sums = sums_of(row);
            let method =
                AttemptMethod::parse(&row.method).ok_or_else(|| Refused::internal("kept sales have no such method"))?;
            days.entry(day_of(&row.business_date)?).or_default().add(&sums);
            methods.entry(method).or_default().add(&sums);
            fulfilments.entry(Fulfilment::parse(&row.fulfilment)?).or_default().add(&sums);
        }
        let figures = |day| days.get(&day).copied().unwrap_or_default().into();
        let by_method =
            methods.iter().map(|(method, sums)| MethodSales { method: *method, figures: (*sums).into() }).collect();
        let by_fulfilment = fulfilments
            .iter()
            .map(|(way, sums)| FulfilmentSales { fulfilment: *way, figures: (*sums).into() })
            .collect();
        Ok(SalesView {
            range: reader.range,
            whole: whole(&rows).into(),
            days: reader.range.days().map(|day| SalesDay { day, figures: figures(day) }).collect(),
            by_method,
            by_fulfilment,
            stray_captured: count_amount(refunds.iter().filter(|row| row.kind == "stray")),
            stray_refunded: count_amount(refunds.iter().filter(|row| row.stray && row.kind == "settled")),
            pending_refunds: CountAmount { count, amount },
        })
    }
}

/// Items by name: code, name and category are those of the last day on which an item was ordered.
fn performance(rows: Vec<ItemsRow>) -> Vec<ItemPerformance> {
    let mut items: BTreeMap<Uuid, (String, ItemPerformance)> = BTreeMap::new();
    for row in rows {
        let (day, item) = items.entry(row.item_id).or_insert_with(|| {
            (
                String::new(),
                ItemPerformance {
                    item: ItemId(row.item_id),
                    code: String::new(),
                    name: String::new(),
                    category: String::new(),
                    orders: 0,
                    quantity: 0,
                    voided: 0,
                    restocked: 0,
                    wasted: 0,
                    gross: 0,
                    discounts: 0,
                    tax: 0,
                    revenue: 0,
                },
            )
        });
        if row.business_date >= *day {
            *day = row.business_date;
            (item.code, item.name, item.category) = (row.item_code, row.item_name, row.category_name);
        }
        let pairs = [
            (&mut item.orders, row.orders),
            (&mut item.quantity, row.quantity),
            (&mut item.voided, row.voided),
            (&mut item.restocked, row.restocked),
            (&mut item.wasted, row.wasted),
            (&mut item.gross, row.gross),
            (&mut item.discounts, row.discounts),
            (&mut item.tax, row.tax),
            (&mut item.revenue, row.revenue),
        ];
        for (sum, part) in pairs {
            *sum = sum.saturating_add(part);
        }
    }
    let mut items: Vec<ItemPerformance> = items.into_values().map(|(_, item)| item).collect();
    items.sort_by(|one, other| {
        (other.revenue, other.quantity).cmp(&(one.revenue, one.quantity)).then_with(|| one.name.cmp(&other.name))
    });
    items
}

/// Item performance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemsReport {
    /// The first business day.
    pub from: NaiveDate,
    /// The last one.
    pub to: NaiveDate,
}

impl Query for ItemsReport {
    type Output = ItemsView;
    const PERMISSION: Permission = Permission::ReportsRead;

    async fn run(&self, view: &mut View<'_>) -> Result<ItemsView, Refused> {
        let mut reader = Reader::new(view, (self.from, self.to)).await?;
        let items = performance(reader.items().await?);
        let quantity = items.iter().fold(0_i64, |sum, item| sum.saturating_add(item.quantity));
        let revenue = items.iter().fold(0_i64, |sum, item| sum.saturating_add(item.revenue));
        Ok(ItemsView { range: reader.range, items, quantity, revenue })
    }
}

fn by_hour(rows: &[HoursRow]) -> Vec<HourVolume> {
    let mut hours: Vec<HourVolume> = (0..24).map(|hour| HourVolume { hour, ..HourVolume::default() }).collect();
    for row in rows {
        let Some(hour) = usize::try_from(row.hour_of_day).ok().and_then(|at| hours.get_mut(at)) else { continue };
        hour.placed = hour.placed.saturating_add(row.placed);
        hour.received = hour.received.saturating_add(row.received);
        hour.gross = hour.gross.saturating_add(row.gross);
    }
    hours
}

/// Order volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoursReport {
    /// The first business day.
    pub from: NaiveDate,
    /// The last one.
    pub to: NaiveDate,
}

impl Query for HoursReport {
    type Output = HoursView;
    const PERMISSION: Permission = Permission::ReportsRead;

    async fn run(&self, view: &mut View<'_>) -> Result<HoursView, Refused> {
        let mut reader = Reader::new(view, (self.from, self.to)).await?;
        let rows = reader.hours().await?;
        let mut weekdays: Vec<WeekdayVolume> =
            (0..7).map(|weekday| WeekdayVolume { weekday, days: 0, received: vec![0; 24] }).collect();
        for day in reader.range.days() {
            if let Some(weekday) = weekdays.get_mut(weekday_of(day)) {
                weekday.days = weekday.days.saturating_add(1);
            }
        }
        let mut days: BTreeMap<NaiveDate, (i64, i64)> = BTreeMap::new();
        for row in &rows {
            let day = day_of(&row.business_date)?;
            let (placed, received) = days.entry(day).or_default();
            *placed = placed.saturating_add(row.placed);
            *received = received.saturating_add(row.received);
            let hour = usize::try_from(row.hour_of_day).unwrap_or(usize::MAX);
            if let Some(sum) = weekdays.get_mut(weekday_of(day)).and_then(|weekday| weekday.received.get_mut(hour)) {
                *sum = sum.saturating_add(row.received);
            }
        }
        let volume = |day| {
            let (placed, received) = days.get(&day).copied().unwrap_or_default();
            DayVolume { day, placed, received }
        };
        Ok(HoursView {
            range: reader.range,
            first_hour: reader.calendar.first_hour(),
            hours: by_hour(&rows),
            weekdays,
            days: reader.range.days().map(volume).collect(),
        })
    }
}

fn figures(tally: &HourTally) -> SpeedFigures {
    let count = |tally: &Tally| i64::try_from(tally.len()).unwrap_or(i64::MAX);
    SpeedFigures {
        orders: count(&tally.ready),
        median_seconds: tally.ready.percentile(50),
        p90_seconds: tally.ready.percentile(90),
        promised: count(&tally.promised),
        promised_median_seconds: tally.promised.percentile(50),
        promised_p90_seconds: tally.promised.percentile(90),
        late: tally.late,
    }
}

fn speed_of(hours: &BTreeMap<u8, HourTally>) -> (SpeedFigures, Vec<HourSpeed>) {
    let mut all = HourTally::default();
    hours.values().for_each(|tally| all.merge(tally));
    (figures(&all), hours.iter().map(|(hour, tally)| HourSpeed { hour: *hour, figures: figures(tally) }).collect())
}

/// Speed of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpeedReport {
    /// The first business day.
    pub from: NaiveDate,
    /// The last one.
    pub to: NaiveDate,
}

impl Query for SpeedReport {
    type Output = SpeedView;
    const PERMISSION: Permission = Permission::ReportsRead;

    async fn run(&self, view: &mut View<'_>) -> Result<SpeedView, Refused> {
        let mut reader = Reader::new(view, (self.from, self.to)).await?;
        let rows = reader.speed().await?;
        let named: BTreeMap<Uuid, String> =
            tickets::every_station(reader.tx, &reader.site).await?.into_iter().collect();
        let mut stations: BTreeMap<Uuid, BTreeMap<u8, HourTally>> = BTreeMap::new();
        for row in &rows {
            tally(&row.hours, stations.entry(row.station_id).or_default())?;
        }
        let (whole, hours) = speed_of(&stations.remove(&Uuid::nil()).unwrap_or_default());
        let mut views: Vec<StationSpeed> = stations
            .into_iter()
            .map(|(id, hours)| {
                let (figures, hours) = speed_of(&hours);
                StationSpeed {
                    station: StationId(id),
                    name: named.get(&id).cloned().unwrap_or_default(),
                    figures,
                    hours,
                }
            })
            .collect();
        views.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(SpeedView { range: reader.range, first_hour: reader.calendar.first_hour(), whole, hours, stations: views })
    }
}

fn refund_groups(rows: Vec<RefundsRow>) -> Result<Vec<RefundGroup>, Refused> {
    let mut groups: Vec<RefundGroup> = Vec::new();
    let mut places = BTreeMap::new();
    for row in rows.into_iter().filter(|row| row.kind != "stray") {
        let status =
            RefundStatus::parse(&row.kind).ok_or_else(|| Refused::internal("a kept refund has no such status"))?;
        let key = (status, row.stray, row.transition.clone(), row.method.clone(), row.reason.clone());
        let at = *places.entry(key).or_insert(groups.len());
        if at == groups.len() {
            let RefundsRow { stray, transition, method, reason, .. } = row;
            let (count, amount) = (row.entries, row.amount);
            groups.push(RefundGroup { status, stray, transition, method, reason, count, amount });
        } else if let Some(group) = groups.get_mut(at) {
            group.count = group.count.saturating_add(row.entries);
            group.amount = group.amount.saturating_add(row.amount);
        }
    }
    groups.sort_by(|one, other| other.amount.cmp(&one.amount).then_with(|| one.reason.cmp(&other.reason)));
    Ok(groups)
}

fn waste_groups(mut rows: Vec<WasteRow>) -> Vec<WasteGroup> {
    // The newest name of a thing is the one that stays.
    rows.sort_by(|one, other| one.business_date.cmp(&other.business_date));
    let mut groups: BTreeMap<(WasteSource, Uuid, String), WasteGroup> = BTreeMap::new();
    for row in rows {
        let source = if row.source == "order" { WasteSource::Order } else { WasteSource::Stock };
        let group = groups.entry((source, row.subject_id, row.reason.clone())).or_insert_with(|| WasteGroup {
            source,
            code: String::new(),
            name: String::new(),
            reason: row.reason,
            units: 0,
            menu_value: (source == WasteSource::Order).then_some(0),
        });
        (group.code, group.name) = (row.code, row.name);
        group.units = group.units.saturating_add(row.units);
        group.menu_value = group.menu_value.map(|sum| sum.saturating_add(row.menu_value));
    }
    let mut groups: Vec<WasteGroup> = groups.into_values().collect();
    groups.sort_by(|one, other| {
        one.source.cmp(&other.source).then_with(|| (other.menu_value, other.units).cmp(&(one.menu_value, one.units)))
    });
    groups
}

/// Refunds and waste.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundsAndWaste {
    /// The first business day.
    pub from: NaiveDate,
    /// The last one.
    pub to: NaiveDate,
}

impl Query for RefundsAndWaste {
    type Output = RefundsView;
    const PERMISSION: Permission = Permission::ReportsRead;

    async fn run(&self, view: &mut View<'_>) -> Result<RefundsView, Refused> {
        let mut reader = Reader::new(view, (self.from, self.to)).await?;
        let mut rows = reader.refunds().await?;
        let waste = waste_groups(reader.waste().await?);
        let (settled, failed) = (
            count_amount(rows.iter().filter(|row| row.kind == "settled")),
            count_amount(rows.iter().filter(|row| row.kind == "failed")),
        );
        let pending = reports::pending_groups(reader.tx, &reader.site).await?;
        let on_their_way = count_amount(&pending);
        rows.extend(pending);
        let food = || waste.iter().filter(|group| group.source == WasteSource::Order);
        Ok(RefundsView {
            range: reader.range,
            settled,
            failed,
            pending: on_their_way,
            refunds: refund_groups(rows)?,
            wasted_units: food().fold(0, |sum: i64, group| sum.saturating_add(group.units)),
            wasted_value: food().fold(0, |sum: i64, group| sum.saturating_add(group.menu_value.unwrap_or(0))),
            waste,
        })
    }
}

/// Orders by status and by the words of source 001.
fn statuses(rows: Vec<OrdersRow>) -> Result<(Vec<StatusCount>, Vec<WordCount>), Refused> {
    let mut by_status: BTreeMap<(Status, Option<EndReason>), i64> = BTreeMap::new();
    let mut by_word: BTreeMap<&'static str, i64> = BTreeMap::new();
    for row in rows {
        let status = Status::parse(&row.status).ok_or_else(|| Refused::internal("kept orders have no such status"))?;
        let reason = EndReason::parse(&row.reason);
        let sum = by_status.entry((status, reason)).or_default();
        *sum = sum.saturating_add(row.orders);
        // The word of 001 follows from the status alone.
        let word = view_as(Source::S001, status, reason, false, Fulfilment::Pickup, PaymentStatus::Pending).status;
        let sum = by_word.entry(word).or_default();
        *sum = sum.saturating_add(row.orders);
    }
    let by_status =
        by_status.into_iter().map(|((status, reason), orders)| StatusCount { status, reason, orders }).collect();
    let words = ["PENDING", "PROCESSING", "SHIPPED", "DELIVERED", "CANCELLED"];
    let by_word = words
        .into_iter()
        .map(|word| WordCount { word: word.to_lowercase(), orders: by_word.get(word).copied().unwrap_or(0) })
        .collect();
    Ok((by_status, by_word))
}

/// The statistics of source 001.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statistics {
    /// The first business day.
    pub from: NaiveDate,
    /// The last one.
    pub to: NaiveDate,
}

impl Query for Statistics {
    type Output = StatisticsView;
    const PERMISSION: Permission = Permission::ReportsRead;

    async fn run(&self, view: &mut View<'_>) -> Result<StatisticsView, Refused> {
        let mut reader = Reader::new(view, (self.from, self.to)).await?;
        let (by_status, by_word) = statuses(reader.orders().await?)?;
        let sums = whole(&reader.sales().await?);
        let hours = by_hour(&reader.hours().await?);
        let mut items = performance(reader.items().await?);
        let units = items.iter().fold(0_i64, |sum, item| sum.saturating_add(item.quantity));
        items.truncate(BEST_ITEMS);
        items.retain(|item| item.quantity > 0);
        let average_order = if sums.orders > 0 {
            let average = Money(sums.collected).ratio(1, sums.orders, Rounding::HalfUp);
            Some(average.ok_or_else(out_of_range)?.minor())
        } else {
            None
        };
        // The first of several that are equally busy.
        let busiest = hours.iter().rev().filter(|hour| hour.placed > 0).max_by_key(|hour| hour.placed);
        Ok(StatisticsView {
            range: reader.range,
            orders: by_status.iter().fold(0, |sum: i64, count| sum.saturating_add(count.orders)),
            by_word,
            by_status,
            sales: sums.into(),
            average_order,
            units,
            busiest_hour: busiest.map(|hour| hour.hour),
            best_items: items,
        })
    }
}
