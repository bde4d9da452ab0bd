//! `servery till`: the drawer. Amounts are decimals of the site's currency.

use super::app::Role;
use super::desk::{Counter, Desk};
use super::order::cash_refund_due;
use super::output::{Done, shown, table};
use super::shape;
use crate::domain::error::Refused;
use crate::domain::ids::ShiftId;
use crate::domain::money::{Currency, Money};
use crate::service::orders::PayOutRefund;
use crate::service::report_views::SalesFigures;
use crate::service::till::{
    CashDrop, CashIn, CashPayout, ShiftView, Takings, TillClose, TillOpen, TillReport, TillStatus,
};
use crate::service::till_reports::{
    ClosedFilter, ClosedShifts, OpenShifts, ShiftSums, WaitingCashRefunds, WaitingRefund,
};
use clap::{Args, Subcommand};

/// What can be done with the till.
#[derive(Debug, Subcommand)]
pub enum Till {
    /// Open the till with its float
    Open {
        /// The cash laid in
        #[arg(long, value_name = "AMOUNT")]
        float: String,
    },
    /// The report of the open shift (X), or of another one
    #[command(visible_alias = "x")]
    Status {
        /// A shift by its id, open or closed
        #[arg(long, value_name = "ID")]
        shift: Option<ShiftId>,
    },
    /// The closed shifts with what was counted, newest first
    Shifts(Filters),
    /// The open shift of every terminal
    Tills,
    /// Close the till with what was counted (Z)
    #[command(visible_alias = "z")]
    Close {
        /// What was counted
        #[arg(long, value_name = "AMOUNT")]
        counted: String,
        /// What is to be remembered
        #[arg(long)]
        note: Option<String>,
        /// Why a manager closes it although cash orders are open
        #[arg(long, value_name = "REASON")]
        force: Option<String>,
    },
    /// Lay cash in: change that was brought
    CashIn(Cash),
    /// Take cash to the safe
    Drop(Cash),
    /// Pay something from the drawer
    Payout(Cash),
    /// The cash refunds that wait to be paid out, oldest first
    Refunds {
        /// A part of the order's number or of the name that was called
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// The most rows
        #[arg(long, default_value_t = 200)]
        limit: i64,
        /// The `next` of the page before
        #[arg(long)]
        after: Option<String>,
    },
    /// Pay the cash refund of an order out
    PayOut {
        /// The order
        order: String,
    },
}

/// Which closed shifts.
#[derive(Debug, Args)]
pub struct Filters {
    /// A part of the terminal's name
    #[arg(long, value_name = "NAME")]
    terminal: Option<String>,
    /// A part of the name of whoever opened or closed it
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Closed on this business day (YYYY-MM-DD) or at this instant (RFC 3339), or later
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Closed up to this business day, with it, or before this instant
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// The most rows
    #[arg(long, default_value_t = 50)]
    limit: i64,
    /// The `next` of the page before
    #[arg(long)]
    after: Option<String>,
}

/// An amount and why.
#[derive(Debug, Args)]
pub struct Cash {
    /// How much
    amount: String,
    /// Why
    #[arg(long)]
    reason: String,
}

/// Runs the command.
///
/// # Errors
/// What the use cases refuse.
pub async fn run(command: Till, desk: &Desk) -> Done {
    let counter = desk.counter(Role::Command).await?;
    let currency = counter.house.site.currency;
    let amount = |field: &str, text: &str| Money::parse(field, text, currency).map(|money| money.0);
    let shift = match command {
        Till::Open { float } => counter.execute(TillOpen { float: amount("float", &float)? }).await?,
        Till::CashIn(Cash { amount: text, reason }) => {
            counter.execute(CashIn { shift: None, amount: amount("amount", &text)?, reason }).await?
        }
        Till::Drop(Cash { amount: text, reason }) => {
            counter.execute(CashDrop { shift: None, amount: amount("amount", &text)?, reason }).await?
        }
        Till::Close { counted, note, force } => {
            let counted = amount("counted", &counted)?;
            let report = counter.execute(TillClose { shift: None, counted, note, force }).await?;
            return counter.answer(&report, || report_words(&report, currency));
        }
        Till::Payout(Cash { amount: text, reason }) => {
            counter.execute(CashPayout { shift: None, amount: amount("amount", &text)?, reason }).await?
        }
        Till::Status { shift } => return status(shift, &counter).await,
        Till::Tills => {
            let open = counter.ask(OpenShifts).await?;
            return counter.answer(&open, || shift_table(&open, currency));
        }
        Till::Refunds { search, limit, after } => {
            let page = counter.ask(WaitingCashRefunds { text: search, after, limit }).await?;
            let value = shape::own_page(&page, currency)?;
            return counter.output().answer(&value, || refund_table(&page.items, currency));
        }
        Till::Shifts(filters) => {
            let from = counter.instant("from", filters.from.as_deref(), false).await?;
            let until = counter.instant("to", filters.to.as_deref(), true).await?;
            let Filters { terminal, by: person, limit, after, .. } = filters;
            let filter = ClosedFilter { terminal, person, from, until };
            let page = counter.ask(ClosedShifts { filter, after, limit }).await?;
            let value = shape::own_page(&page, currency)?;
            return counter.output().answer(&value, || shift_table(&page.items, currency));
        }
        Till::PayOut { order } => {
            let order = counter.find_order(&order).await?;
            let refund = cash_refund_due(&order)?;
            let paid = counter.execute(PayOutRefund { order: order.id, refund }).await?;
            return counter.order(&paid, None);
        }
    };
    counter.answer(&shift, || shift_words(&shift, currency))
}

async fn status(shift: Option<ShiftId>, counter: &Counter<'_>) -> Done {
    let currency = counter.house.site.currency;
    match counter.ask(TillStatus { shift }).await? {
        Some(report) => counter.answer(&report, || report_words(&report, currency)),
        None => Err(Refused::not_found("open till", counter.house.door.site_id())
            .help("Open it: servery till open --float AMOUNT")
            .into()),
    }
}

fn show(minor: i64, currency: Currency) -> String {
    Money(minor).display(currency)
}

fn shift_words(shift: &ShiftView, currency: Currency) -> String {
    let mut out = format!(
        "Till at {}: float {}, expected {}",
        shown(&shift.terminal_name),
        show(shift.float, currency),
        show(shift.expected, currency)
    );
    if let (Some(counted), Some(over_short)) = (shift.counted, shift.over_short) {
        out.push_str(&format!(", counted {}, over or short {}", show(counted, currency), show(over_short, currency)));
    }
    out
}

fn shift_table(shifts: &[ShiftSums], currency: Currency) -> String {
    let rows: Vec<Vec<String>> = shifts
        .iter()
        .map(|sums| {
            let shift = &sums.shift;
            let maybe = |minor: Option<i64>| minor.map(|minor| show(minor, currency)).unwrap_or_default();
            vec![
                shift.id.to_string(),
                shift.terminal_name.clone(),
                shift.opened_at.to_rfc3339(),
                shift.closed_by.clone().or_else(|| shift.opened_by.clone()).unwrap_or_default(),
                sums.sales.count.to_string(),
                show(sums.sales.amount, currency),
                show(shift.expected, currency),
                maybe(shift.counted),
                maybe(shift.over_short),
            ]
        })
        .collect();
    let head = ["SHIFT", "TERMINAL", "OPENED", "BY", "SALES>", "AMOUNT>", "EXPECTED>", "COUNTED>", "OVER OR SHORT>"];
    table(&head, &rows)
}

fn refund_table(waiting: &[WaitingRefund], currency: Currency) -> String {
    let rows: Vec<Vec<String>> = waiting
        .iter()
        .map(|refund| {
            vec![
                refund.order_number.clone(),
                refund.called_name.clone().unwrap_or_default(),
                show(refund.amount, currency),
                refund.since.to_rfc3339(),
                refund.reason.clone().unwrap_or_default(),
            ]
        })
        .collect();
    table(&["ORDER", "NAME", "AMOUNT>", "SINCE", "REASON"], &rows)
}

/// What the whole place took in the shift, by method and together.
fn takings_words(takings: Option<&Takings>, currency: Currency) -> String {
    let Some(takings) = takings else {
        return "The orders of this shift are archived; servery report sales still has the sales of its days.\n"
            .to_owned();
    };
    let row = |name: &str, figures: &SalesFigures| {
        let amounts = [
            figures.gross,
            figures.discounts,
            figures.tax,
            figures.delivery_fees,
            figures.collected,
            figures.refunded,
            figures.net,
        ];
        let mut row = vec![name.to_owned(), figures.orders.to_string()];
        row.extend(amounts.map(|amount| show(amount, currency)));
        row
    };
    let methods = takings.by_method.iter().map(|sales| row(sales.method.as_str(), &sales.figures));
    let rows: Vec<Vec<String>> = methods.chain([row("whole place", &takings.whole)]).collect();
    let head = ["TAKEN", "ORDERS>", "GROSS>", "DISCOUNTS>", "TAX>", "DELIVERY>", "COLLECTED>", "REFUNDS>", "NET>"];
    table(&head, &rows)
}

fn report_words(report: &TillReport, currency: Currency) -> String {
    let mut out = shift_words(&report.shift, currency);
    out.push('\n');
    let rows: Vec<Vec<String>> = [
        ("Sales", &report.sales),
        ("Refunds", &report.refunds),
        ("Cash in", &report.cash_in),
        ("Drops", &report.drops),
        ("Payouts", &report.payouts),
        ("Cash refunds to pay out", &report.pending_cash_refunds),
    ]
    .into_iter()
    .map(|(name, total)| vec![name.to_owned(), total.count.to_string(), show(total.amount, currency)])
    .collect();
    out.push_str(&table(&["DRAWER", "COUNT>", "AMOUNT>"], &rows));
    out.push_str(&takings_words(report.takings.as_ref(), currency));
    if !report.unpaid_cash_orders.is_empty() {
        out.push_str(&format!("Cash orders not paid yet: {}\n", report.unpaid_cash_orders.join(", ")));
    }
    out
}
