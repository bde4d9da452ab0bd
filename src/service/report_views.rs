//! What the reports answer: plain data for the console, the command line and tests. Amounts are minor
//! units of the site's currency, durations whole seconds. By which rule each figure is counted stands in
//! `domain::report`.

use crate::domain::fulfilment::Fulfilment;
use crate::domain::ids::{ItemId, StationId};
use crate::domain::order::{EndReason, Status};
use crate::domain::payment::{AttemptMethod, RefundStatus};
use crate::domain::report::{DayRange, SalesSums};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// How many, and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CountAmount {
    /// How many.
    pub count: i64,
    /// Their sum.
    pub amount: i64,
}

/// The figures of sales; see `domain::report` for what each counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SalesFigures {
    /// Paid orders.
    pub orders: i64,
    /// Σ line totals before discounts.
    pub gross: i64,
    /// What promotions took off.
    pub discounts: i64,
    /// The tax, contained in the prices or added to them.
    pub tax: i64,
    /// The part of the tax that was added to the prices.
    pub tax_added: i64,
    /// Delivery fees.
    pub delivery_fees: i64,
    /// What lines that were voided before the payment took off.
    pub voids: i64,
    /// What was captured: gross − discounts + tax added + delivery fees − voids.
    pub collected: i64,
    /// How many refunds settled.
    pub refunds: i64,
    /// Their sum.
    pub refunded: i64,
    /// Collected − refunded.
    pub net: i64,
}

impl From<SalesSums> for SalesFigures {
    fn from(sums: SalesSums) -> Self {
        Self {
            orders: sums.orders,
            gross: sums.gross,
            discounts: sums.discounts,
            tax: sums.tax,
            tax_added: sums.tax_added,
            delivery_fees: sums.delivery_fees,
            voids: sums.voids(),
            collected: sums.collected,
            refunds: sums.refunds,
            refunded: sums.refunded,
            net: sums.net(),
        }
    }
}

/// One business day of sales.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SalesDay {
    /// The business day.
    pub day: NaiveDate,
    /// Its figures.
    #[serde(flatten)]
    pub figures: SalesFigures,
}

/// The sales of one method of payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodSales {
    /// How the money came: card, upi, cash, by hand, or not at all where nothing was due.
    pub method: AttemptMethod,
    /// Its figures.
    #[serde(flatten)]
    pub figures: SalesFigures,
}

/// The sales of one way of getting the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FulfilmentSales {
    /// The way.
    pub fulfilment: Fulfilment,
    /// Its figures.
    #[serde(flatten)]
    pub figures: SalesFigures,
}

/// Sales by day, by method and by fulfilment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SalesView {
    /// The business days.
    #[serde(flatten)]
    pub range: DayRange,
    /// Everything together.
    pub whole: SalesFigures,
    /// Every day of the range, also those without a sale.
    pub days: Vec<SalesDay>,
    /// Methods that were used.
    pub by_method: Vec<MethodSales>,
    /// Ways that were used.
    pub by_fulfilment: Vec<FulfilmentSales>,
    /// Money that was captured and belongs to no sale (T29).
    pub stray_captured: CountAmount,
    /// What of such money went back.
    pub stray_refunded: CountAmount,
    /// Refunds of the site that are on their way now, whenever they began: not taken off yet.
    pub pending_refunds: CountAmount,
}

/// How one item did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemPerformance {
    /// The item.
    pub item: ItemId,
    /// Its short code when it was last sold.
    pub code: String,
    /// Its name then.
    pub name: String,
    /// Its category then.
    pub category: String,
    /// Orders in which at least one unit was sold.
    pub orders: i64,
    /// Units sold: paid and not taken off again.
    pub quantity: i64,
    /// Units voided, one by one or with their order.
    pub voided: i64,
    /// Units that went back to the stock.
    pub restocked: i64,
    /// Units thrown away.
    pub wasted: i64,
    /// Price × units sold.
    pub gross: i64,
    /// The discount on them.
    pub discounts: i64,
    /// The tax on them.
    pub tax: i64,
    /// What customers paid for them, with discount and added tax.
    pub revenue: i64,
}

/// The items, the one with the highest revenue first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemsView {
    /// The business days.
    #[serde(flatten)]
    pub range: DayRange,
    /// Every item that was ordered.
    pub items: Vec<ItemPerformance>,
    /// Units sold of all items.
    pub quantity: i64,
    /// The revenue of all items.
    pub revenue: i64,
}

/// Orders of one hour of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HourVolume {
    /// The hour on the site's wall clock, 0 to 23.
    pub hour: u8,
    /// Orders placed, whatever became of them.
    pub placed: i64,
    /// Those that reached the kitchen.
    pub received: i64,
    /// What paid ones came to before discounts.
    pub gross: i64,
}

/// One weekday of the heat map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeekdayVolume {
    /// 0 for Monday to 6 for Sunday: the business day's.
    pub weekday: usize,
    /// How many such days the range has, to make averages of.
    pub days: i64,
    /// Orders that reached the kitchen, by hour from 0 to 23.
    pub received: Vec<i64>,
}

/// Orders of one business day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayVolume {
    /// The business day.
    pub day: NaiveDate,
    /// Orders placed.
    pub placed: i64,
    /// Those that reached the kitchen.
    pub received: i64,
}

/// Order volume by hour, by weekday and hour, and by day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoursView {
    /// The business days.
    #[serde(flatten)]
    pub range: DayRange,
    /// The hour with which the business day begins: charts start there.
    pub first_hour: u8,
    /// The 24 hours, from 0.
    pub hours: Vec<HourVolume>,
    /// The seven weekdays, from Monday.
    pub weekdays: Vec<WeekdayVolume>,
    /// Every day of the range.
    pub days: Vec<DayVolume>,
}

/// How fast orders were made, against what was promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SpeedFigures {
    /// Orders that became ready (at a station: tickets that were bumped).
    pub orders: i64,
    /// The median from received to ready.
    pub median_seconds: Option<u32>,
    /// The 90th percentile of it.
    pub p90_seconds: Option<u32>,
    /// Those with a promise.
    pub promised: i64,
    /// The median that was promised, from received.
    pub promised_median_seconds: Option<u32>,
    /// The 90th percentile of what was promised.
    pub promised_p90_seconds: Option<u32>,
    /// Those that were ready after the promised instant.
    pub late: i64,
}

/// The speed of one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourSpeed {
    /// The hour in which the order was received, on the site's wall clock.
    pub hour: u8,
    /// Its figures.
    #[serde(flatten)]
    pub figures: SpeedFigures,
}

/// The speed of one station.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StationSpeed {
    /// The station.
    pub station: StationId,
    /// Its name now.
    pub name: String,
    /// The whole day.
    pub figures: SpeedFigures,
    /// Hours with at least one ticket.
    pub hours: Vec<HourSpeed>,
}

/// Speed of service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpeedView {
    /// The business days.
    #[serde(flatten)]
    pub range: DayRange,
    /// The hour with which the business day begins.
    pub first_hour: u8,
    /// Orders as a whole.
    pub whole: SpeedFigures,
    /// Orders as a whole, by hour; hours with at least one.
    pub hours: Vec<HourSpeed>,
    /// Station by station.
    pub stations: Vec<StationSpeed>,
}

/// Refunds with one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundGroup {
    /// Whether the money is back, is on its way, or did not go.
    pub status: RefundStatus,
    /// Whether it was money that belonged to no sale (T29).
    pub stray: bool,
    /// The row of the order machine that began it.
    pub transition: String,
    /// How it goes back.
    pub method: String,
    /// Why, in the words of whoever began it; empty where nobody said.
    pub reason: String,
    /// How many.
    pub count: i64,
    /// Their sum.
    pub amount: i64,
}

/// Where waste came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WasteSource {
    /// Food of an order, on the order's business day.
    Order,
    /// Stock thrown away by hand.
    Stock,
}

/// Waste of one thing with one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WasteGroup {
    /// Where it came from.
    pub source: WasteSource,
    /// The short code of the menu item or stock item.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Why; empty where nobody said.
    pub reason: String,
    /// Units.
    pub units: i64,
    /// What food of orders would have cost at its price; stock has no price.
    pub menu_value: Option<i64>,
}

/// Refunds and waste, with their reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundsView {
    /// The business days.
    #[serde(flatten)]
    pub range: DayRange,
    /// Refunds that settled in the range, those of stray money included.
    pub settled: CountAmount,
    /// Refunds that failed in it.
    pub failed: CountAmount,
    /// Refunds of the site that are on their way now, whenever they began.
    pub pending: CountAmount,
    /// Refunds by status, row and reason, the largest sum first.
    pub refunds: Vec<RefundGroup>,
    /// Waste by thing and reason, orders first, the largest value first.
    pub waste: Vec<WasteGroup>,
    /// Units of menu items thrown away.
    pub wasted_units: i64,
    /// What they would have cost at their prices.
    pub wasted_value: i64,
}

/// Orders in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusCount {
    /// The status.
    pub status: Status,
    /// Why they ended, where they were dropped.
    pub reason: Option<EndReason>,
    /// How many.
    pub orders: i64,
}

/// Orders under one word of source 001.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordCount {
    /// pending, processing, shipped, delivered or cancelled.
    pub word: String,
    /// How many.
    pub orders: i64,
}

/// The statistics of source 001 (`GET /api/orders/statistics`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatisticsView {
    /// The business days.
    #[serde(flatten)]
    pub range: DayRange,
    /// Orders placed.
    pub orders: i64,
    /// The same, by the words of source 001.
    pub by_word: Vec<WordCount>,
    /// The same, by our status and reason.
    pub by_status: Vec<StatusCount>,
    /// The sales.
    pub sales: SalesFigures,
    /// What a paid order came to, collected ÷ paid orders, half up; `None` without one.
    pub average_order: Option<i64>,
    /// Units sold.
    pub units: i64,
    /// The hour in which most orders were placed.
    pub busiest_hour: Option<u8>,
    /// The five items with the highest revenue.
    pub best_items: Vec<ItemPerformance>,
}
