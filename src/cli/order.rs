//! `servery order`: every step of an order after it was placed, and lists of orders. Placing and
//! paying stand in `order_place`, looking at one order in `order_look`; what is printed of an order in
//! words stands here.

use super::app::Role;
use super::desk::{Counter, Desk};
use super::order_look;
use super::order_place::{self, Pay, Place};
use super::output::{Done, shown, table};
use super::shape;
use super::staff;
use crate::domain::error::Refused;
use crate::domain::ids::{LineId, RefundId, StaffId};
use crate::domain::money::Money;
use crate::domain::order::{Disposal, LinePart, RefundChoice, Source, view_as};
use crate::domain::payment::{AttemptMethod, Method, RefundStatus};
use crate::domain::report::parse_day;
use crate::domain::time::Timestamp;
use crate::service::UseCase;
use crate::service::order_queries::{ListOrders, OrderFilter, OrderName, OrderSummary, ShowHistory};
use crate::service::orders::{
    AcceptOrder, AssignCourier, CancelAssignment, CancelOrder, CloseUncollected, ConfirmCash, Deliver, DeliverForCash,
    ExtendHold, HandOver, HoldOrder, MarkReady, NoShow, NoteOrder, OverridePayment, PickUp, RecallOrder, RefundOrder,
    RejectOrder, ReleaseHold, ReturnToStore, SetItemsDone, SetPriority, StaffCancelOrder, StartOrder, VoidOrder,
    VoidOrderLine,
};
use crate::service::views::{OrderView, Page};
use chrono::NaiveDate;
use chrono_tz::Tz;
use clap::{Args, Subcommand, ValueEnum};

/// The most pages that are walked to the one asked for.
const MAX_PAGE: i64 = 1_000;

/// What can be done with orders. An order is named by its id, its number, or today's number.
#[derive(Debug, Subcommand)]
pub enum Order {
    /// Make an order of the cart
    Place(Place),
    /// Pay an order
    Pay(Pay),
    /// Orders, newest first: your own as a guest, everybody's as staff
    List(List),
    /// One order with all that stands about it
    Show(One),
    /// What can be done with an order now, and why the rest cannot
    Actions {
        /// The order
        order: String,
    },
    /// Who can be named to deliver, whom the house itself would name first
    Couriers {
        /// For this order: who gave it up comes last
        #[arg(long)]
        order: Option<String>,
    },
    /// Where an order stands
    Status(One),
    /// The steps of an order
    History {
        /// The order
        order: String,
    },
    /// More time to pay, once
    Extend(One),
    /// The kitchen takes the order on
    Accept {
        #[command(flatten)]
        one: One,
        /// Minutes until it is ready
        #[arg(long, value_name = "MINUTES")]
        eta: Option<i64>,
    },
    /// The kitchen refuses the order
    Reject(WithReason),
    /// Cooking begins
    Start(One),
    /// Lines are done; without lines, all that are open
    ItemDone {
        #[command(flatten)]
        one: One,
        /// Numbers of lines in the order
        lines: Vec<usize>,
        /// They are not done after all
        #[arg(long)]
        undo: bool,
    },
    /// Ready to be collected
    Ready {
        #[command(flatten)]
        one: One,
        /// Why it is ready although lines are open
        #[arg(long, value_name = "REASON")]
        force: Option<String>,
    },
    /// Back to the kitchen
    Recall(One),
    /// Into the customer's hands
    HandOver(One),
    /// The customer cancels
    Cancel {
        #[command(flatten)]
        one: One,
        /// Why; staff must say it
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// The staff cancels an accepted order
    StaffCancel(WithReason),
    /// An order is voided after cooking began
    Void {
        #[command(flatten)]
        with: WithReason,
        /// Units that go back on the shelf, LINE or LINE=QUANTITY; all others are thrown away
        #[arg(long, value_name = "LINE[=QUANTITY]")]
        restock: Vec<String>,
        /// How much goes back: full, none, or an amount
        #[arg(long, default_value = "full")]
        refund: String,
    },
    /// Units of one line are taken off
    VoidLine {
        #[command(flatten)]
        with: WithReason,
        /// The number of the line in the order
        line: usize,
        /// How many units; all that are left unless said
        #[arg(long)]
        quantity: Option<i64>,
        /// They go back on the shelf instead of being thrown away
        #[arg(long)]
        restock: bool,
    },
    /// Nobody came, and it is not paid
    NoShow(WithReason),
    /// Nobody came for a paid order
    CloseUncollected(WithReason),
    /// Money goes back
    Refund {
        #[command(flatten)]
        with: WithReason,
        /// How much
        amount: String,
        /// Units that go back on the shelf, LINE or LINE=QUANTITY
        #[arg(long, value_name = "LINE[=QUANTITY]")]
        restock: Vec<String>,
        /// Units that are thrown away, LINE or LINE=QUANTITY
        #[arg(long, value_name = "LINE[=QUANTITY]")]
        waste: Vec<String>,
    },
    /// The customer pays in cash
    ConfirmCash {
        #[command(flatten)]
        one: One,
        /// What the customer hands over; the amount due unless said
        #[arg(long, value_name = "AMOUNT")]
        tendered: Option<String>,
    },
    /// Higher comes first; 0 is normal
    Priority {
        #[command(flatten)]
        one: One,
        /// From -9 to 9
        #[arg(allow_negative_numbers = true)]
        priority: i64,
    },
    /// The kitchen leaves the order for now
    Hold {
        #[command(flatten)]
        one: One,
        /// For so many minutes; until released unless said
        #[arg(long)]
        minutes: Option<i64>,
    },
    /// Off hold
    Release(One),
    /// The kitchen's note; nothing takes it away
    Note {
        #[command(flatten)]
        one: One,
        /// The note
        #[arg(default_value = "")]
        note: String,
    },
    /// Name a courier
    Assign {
        #[command(flatten)]
        one: One,
        /// The courier's sign-in name, or id
        courier: String,
    },
    /// Take the courier off
    Unassign {
        #[command(flatten)]
        one: One,
        /// The courier did not come
        #[arg(long)]
        no_pickup: bool,
    },
    /// The courier takes the food
    PickUp(One),
    /// At the door
    Deliver {
        #[command(flatten)]
        one: One,
        /// The customer pays there, in cash, and hands over so much
        #[arg(long, value_name = "AMOUNT")]
        cash: Option<String>,
    },
    /// Back at the store
    Return(WithReason),
    /// An admin says whether it is paid
    Override {
        #[command(flatten)]
        with: WithReason,
        /// paid or failed
        #[arg(value_enum)]
        payment: Override,
    },
}

/// An order, and how it is printed.
#[derive(Debug, Clone, Args)]
pub struct One {
    /// The order
    pub(super) order: String,
    /// Print it as this source does: 000 to 004
    #[arg(long = "as", value_name = "SOURCE")]
    pub(super) source: Option<Source>,
}

/// An order and a reason.
#[derive(Debug, Clone, Args)]
pub struct WithReason {
    #[command(flatten)]
    one: One,
    /// Why
    #[arg(long)]
    reason: String,
}

/// What an override says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Override {
    /// It is paid
    Paid,
    /// It failed
    Failed,
}

/// Which orders are listed.
#[derive(Debug, Args)]
pub struct List {
    /// Only of this status
    #[arg(long)]
    status: Option<crate::domain::order::Status>,
    /// Only paid like this: card, upi or cash
    #[arg(long)]
    method: Option<Method>,
    /// Only pickup, dine_in or delivery
    #[arg(long, value_parser = crate::domain::fulfilment::Fulfilment::parse)]
    fulfilment: Option<crate::domain::fulfilment::Fulfilment>,
    /// Only of this business date, YYYY-MM-DD
    #[arg(long)]
    date: Option<String>,
    /// Only where the number or the called name holds this
    #[arg(long)]
    search: Option<String>,
    /// Only those that are paid (true) or not (false)
    #[arg(long)]
    paid: Option<bool>,
    /// Only those that somebody has to see to: without_courier, uncollected or late_payment
    #[arg(long, value_name = "WHY")]
    attention: Option<crate::domain::order::Attention>,
    /// Rows a page, 1 to 200
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=200))]
    limit: i64,
    /// The `next` of the page before
    #[arg(long, conflicts_with = "page")]
    after: Option<String>,
    /// The number of the page, from 1
    #[arg(long, value_parser = clap::value_parser!(i64).range(1..=MAX_PAGE))]
    page: Option<i64>,
    /// Print it as this source does: 000 to 004
    #[arg(long = "as", value_name = "SOURCE")]
    source: Option<Source>,
}

/// Runs the command.
///
/// # Errors
/// What the use cases refuse.
pub async fn run(command: Order, desk: &Desk) -> Done {
    let command = match command {
        Order::Place(place) => return order_place::place(place, desk).await,
        Order::Pay(pay) => return order_place::pay(pay, desk).await,
        command => command,
    };
    let mut counter = desk.counter(Role::Command).await?;
    if let Order::Cancel { one, reason } = command {
        return cancel(&one, reason, &mut counter).await;
    }
    step(command, &counter).await
}

async fn step(command: Order, counter: &Counter<'_>) -> Done {
    match command {
        Order::Place(_) | Order::Pay(_) | Order::Cancel { .. } => Err(Refused::internal("handled before").into()),
        Order::List(list) => self::list(list, counter).await,
        Order::Show(one) => order_look::show(&one, counter).await,
        Order::Actions { order } => order_look::actions(&order, counter).await,
        Order::Couriers { order } => order_look::couriers(order.as_deref(), counter).await,
        Order::Status(one) => status(&one, counter).await,
        Order::History { order } => history(&order, counter).await,
        Order::Extend(one) => give(counter, &one, |order| ExtendHold { order: order.id }).await,
        Order::Accept { one, eta } => {
            give(counter, &one, |order| AcceptOrder { order: order.id, eta_minutes: eta }).await
        }
        Order::Reject(with) => {
            give(counter, &with.one, |order| RejectOrder { order: order.id, reason: with.reason.clone() }).await
        }
        Order::Start(one) => give(counter, &one, |order| StartOrder { order: order.id }).await,
        Order::ItemDone { one, lines, undo } => item_done(&one, &lines, undo, counter).await,
        Order::Ready { one, force } => {
            give(counter, &one, |order| MarkReady { order: order.id, forced: force.clone() }).await
        }
        Order::Recall(one) => give(counter, &one, |order| RecallOrder { order: order.id }).await,
        Order::HandOver(one) => give(counter, &one, |order| HandOver { order: order.id }).await,
        Order::StaffCancel(with) => {
            give(counter, &with.one, |order| StaffCancelOrder { order: order.id, reason: with.reason.clone() }).await
        }
        Order::Void { with, restock, refund } => void(&with, &restock, &refund, counter).await,
        Order::VoidLine { with, line, quantity, restock } => void_line(&with, line, quantity, restock, counter).await,
        Order::NoShow(with) => {
            give(counter, &with.one, |order| NoShow { order: order.id, reason: with.reason.clone() }).await
        }
        Order::CloseUncollected(with) => {
            give(counter, &with.one, |order| CloseUncollected { order: order.id, reason: with.reason.clone() }).await
        }
        Order::Refund { with, amount, restock, waste } => refund(&with, &amount, &restock, &waste, counter).await,
        Order::ConfirmCash { one, tendered } => confirm_cash(&one, tendered.as_deref(), counter).await,
        Order::Priority { one, priority } => {
            give(counter, &one, |order| SetPriority { order: order.id, priority }).await
        }
        Order::Hold { one, minutes } => {
            let now = counter.house.door.clock().now();
            let until = minutes.map(|minutes| now.plus_seconds(minutes.clamp(1, 1_440).saturating_mul(60)));
            give(counter, &one, |order| HoldOrder { order: order.id, until }).await
        }
        Order::Release(one) => give(counter, &one, |order| ReleaseHold { order: order.id }).await,
        Order::Note { one, note } => {
            give(counter, &one, |order| NoteOrder { order: order.id, note: note.clone() }).await
        }
        Order::Assign { one, courier } => {
            let staff = courier_id(&courier, counter).await?;
            give(counter, &one, |order| AssignCourier { order: order.id, staff }).await
        }
        Order::Unassign { one, no_pickup } => {
            give(counter, &one, |order| CancelAssignment { order: order.id, no_pickup }).await
        }
        Order::PickUp(one) => give(counter, &one, |order| PickUp { order: order.id }).await,
        Order::Deliver { one, cash: None } => give(counter, &one, |order| Deliver { order: order.id }).await,
        Order::Deliver { one, cash: Some(cash) } => {
            let tendered = Money::parse("cash", &cash, counter.house.site.currency)?;
            give(counter, &one, |order| DeliverForCash { order: order.id, tendered }).await
        }
        Order::Return(with) => {
            give(counter, &with.one, |order| ReturnToStore { order: order.id, reason: with.reason.clone() }).await
        }
        Order::Override { with, payment } => {
            let paid = payment == Override::Paid;
            give(counter, &with.one, |order| OverridePayment { order: order.id, paid, reason: with.reason.clone() })
                .await
        }
    }
}

/// Gives one event to one order and prints the order.
async fn give<U, F>(counter: &Counter<'_>, one: &One, event: F) -> Done
where
    U: UseCase<Output = OrderView>,
    F: FnOnce(&OrderView) -> U,
{
    let order = counter.find_order(&one.order).await?;
    let moved = counter.execute(event(&order)).await?;
    counter.order(&moved, one.source)
}

async fn cancel(one: &One, reason: String, counter: &mut Counter<'_>) -> Done {
    let order = counter.find_order(&one.order).await?;
    match counter.execute(CancelOrder { order: order.id, reason }).await {
        Ok(moved) => {
            counter.actor.pocket.reopen(order.id);
            counter.actor.keep()?;
            counter.order(&moved, one.source)
        }
        Err(refused) if one.source == Some(Source::S001) => {
            Err(shape::cancel_refusal_001(refused, order.status, order.paid, order.fulfilment).into())
        }
        Err(refused) => Err(refused.into()),
    }
}

fn line_at(order: &OrderView, number: usize) -> Result<&crate::service::views::OrderLineView, Refused> {
    let line = number.checked_sub(1).and_then(|at| order.lines.get(at));
    line.ok_or_else(|| Refused::not_found("order line", number))
}

/// `LINE` or `LINE=QUANTITY` of an order; without a quantity, all units that are left.
fn part(order: &OrderView, text: &str, disposal: Disposal) -> Result<LinePart, Refused> {
    let wrong = || Refused::invalid("line", "Say LINE or LINE=QUANTITY, with the number of the line in the order.");
    let (number, quantity) = match text.split_once('=') {
        Some((number, quantity)) => (number, Some(quantity.parse::<i64>().map_err(|_| wrong())?)),
        None => (text, None),
    };
    let line = line_at(order, number.parse().map_err(|_| wrong())?)?;
    let quantity = quantity.unwrap_or(line.quantity - line.restocked - line.wasted);
    Ok(LinePart { line: line.id, quantity, disposal })
}

fn parts(order: &OrderView, texts: &[String], disposal: Disposal) -> Result<Vec<LinePart>, Refused> {
    texts.iter().map(|text| part(order, text, disposal)).collect()
}

async fn item_done(one: &One, numbers: &[usize], undo: bool, counter: &Counter<'_>) -> Done {
    let order = counter.find_order(&one.order).await?;
    let lines: Vec<LineId> = if numbers.is_empty() {
        let wanted = |line: &&crate::service::views::OrderLineView| {
            let open = line.quantity - line.voided;
            if undo { line.done > 0 } else { line.done < open }
        };
        order.lines.iter().filter(wanted).map(|line| line.id).collect()
    } else {
        numbers.iter().map(|number| line_at(&order, *number).map(|line| line.id)).collect::<Result<_, _>>()?
    };
    let moved = counter.execute(SetItemsDone { order: order.id, lines, done: !undo }).await?;
    counter.order(&moved, one.source)
}

async fn void(with: &WithReason, restock: &[String], refund: &str, counter: &Counter<'_>) -> Done {
    let order = counter.find_order(&with.one.order).await?;
    let refund = match refund {
        "full" => RefundChoice::Full,
        "none" => RefundChoice::Nothing,
        amount => RefundChoice::Amount(Money::parse("refund", amount, order.currency)?),
    };
    let lines = parts(&order, restock, Disposal::Restock)?;
    let moved = counter.execute(VoidOrder { order: order.id, reason: with.reason.clone(), lines, refund }).await?;
    counter.order(&moved, with.one.source)
}

async fn void_line(
    with: &WithReason,
    number: usize,
    quantity: Option<i64>,
    restock: bool,
    counter: &Counter<'_>,
) -> Done {
    let order = counter.find_order(&with.one.order).await?;
    let line = line_at(&order, number)?;
    let part = LinePart {
        line: line.id,
        quantity: quantity.unwrap_or(line.quantity - line.voided),
        disposal: if restock { Disposal::Restock } else { Disposal::Waste },
    };
    let moved = counter.execute(VoidOrderLine { order: order.id, part, reason: with.reason.clone() }).await?;
    counter.order(&moved, with.one.source)
}

async fn refund(with: &WithReason, amount: &str, restock: &[String], waste: &[String], counter: &Counter<'_>) -> Done {
    let order = counter.find_order(&with.one.order).await?;
    let amount = Money::parse("amount", amount, order.currency)?;
    let mut lines = parts(&order, restock, Disposal::Restock)?;
    lines.extend(parts(&order, waste, Disposal::Waste)?);
    let moved = counter.execute(RefundOrder { order: order.id, amount, lines, reason: with.reason.clone() }).await?;
    counter.order(&moved, with.one.source)
}

async fn confirm_cash(one: &One, tendered: Option<&str>, counter: &Counter<'_>) -> Done {
    let order = counter.find_order(&one.order).await?;
    let tendered = match tendered {
        Some(text) => Money::parse("tendered", text, order.currency)?,
        None => order.due,
    };
    let moved = counter.execute(ConfirmCash { order: order.id, tendered }).await?;
    let change = tendered.checked_sub(order.due).filter(|change| change.0 > 0);
    if let Some(change) = change.filter(|_| !counter.output().json) {
        counter.output().say(&format!("Change: {}", change.display(order.currency)));
    }
    counter.order(&moved, one.source)
}

async fn courier_id(named: &str, counter: &Counter<'_>) -> Result<StaffId, Refused> {
    if let Ok(id) = named.parse() {
        return Ok(id);
    }
    Ok(staff::find(named, counter).await?.id)
}

/// The cash refund of an order that waits to be paid out.
///
/// # Errors
/// `NOT_FOUND` where there is none.
pub fn cash_refund_due(order: &OrderView) -> Result<RefundId, Refused> {
    let due = order
        .refunds
        .iter()
        .find(|refund| refund.status == RefundStatus::Pending && refund.method == AttemptMethod::Cash);
    due.map(|refund| refund.id)
        .ok_or_else(|| Refused::not_found("cash refund to pay out of order", &order.order_number))
}

async fn status(one: &One, counter: &Counter<'_>) -> Done {
    let order = counter.find_order(&one.order).await?;
    let (status, payment_status) = match one.source {
        None => (order.status.as_str().to_owned(), Some(order.payment_status.as_str().to_owned())),
        Some(source) => {
            let view = view_as(source, order.status, order.reason, order.paid, order.fulfilment, order.payment_status);
            (view.status.to_lowercase(), view.payment_status.map(str::to_lowercase))
        }
    };
    let mut value = serde_json::json!({
        "id": order.id, "order_number": order.order_number, "status": status,
        "updated_at": order.updated_at.to_rfc3339(),
    });
    if let (Some(word), Some(map)) = (payment_status, value.as_object_mut()) {
        map.insert("payment_status".to_owned(), word.into());
    }
    counter.output().answer(&value, || format!("{} {status}", order.order_number))
}

async fn history(named: &str, counter: &Counter<'_>) -> Done {
    let order: OrderName = named.parse().unwrap_or_else(|never: std::convert::Infallible| match never {});
    let steps = counter.ask(ShowHistory { order }).await?;
    let zone = counter.house.site.zone;
    counter.answer(&steps, || {
        let rows: Vec<Vec<String>> = steps
            .iter()
            .map(|step| {
                vec![
                    time(step.at, zone),
                    step.transition.clone(),
                    step.from.map(|from| from.as_str().to_owned()).unwrap_or_default(),
                    step.to.as_str().to_owned(),
                    step.role.clone(),
                    step.reason.clone().unwrap_or_default(),
                ]
            })
            .collect();
        table(&["AT", "STEP", "FROM", "TO", "BY", "REASON"], &rows)
    })
}

async fn list(list: List, counter: &Counter<'_>) -> Done {
    let filter = OrderFilter {
        status: list.status.map(|status| status.as_str().to_owned()),
        fulfilment: list.fulfilment.map(|fulfilment| fulfilment.as_str().to_owned()),
        method: list.method.map(|method| method.as_str().to_owned()),
        business_date: list.date,
        text: list.search,
        paid: list.paid,
        customer: None,
        attention: list.attention,
    };
    let number = list.page.unwrap_or(1);
    let mut after = list.after;
    // Source 001 says how many pages there are.
    let count_all = list.source == Some(Source::S001) && counter.output().json;
    let mut page = Page { items: Vec::new(), next: None, total: 0, at_least: false };
    // Pages have keys, not numbers: those before the one asked for are walked over.
    for at in 1..=number {
        page = counter
            .ask(ListOrders { filter: filter.clone(), after: after.take(), limit: list.limit, count_all })
            .await?;
        after.clone_from(&page.next);
        if at < number && page.next.is_none() {
            page.items.clear();
            break;
        }
    }
    let currency = counter.house.site.currency;
    // A day that is none has no orders, archived or not.
    let from = filter.business_date.as_deref().map(|day| parse_day("date", day).unwrap_or(NaiveDate::MAX));
    match list.source {
        Some(source) if counter.output().json => {
            let shaped = shape::page_001(&page, (number, list.limit), source, currency)?;
            counter.output().answer(&shaped, String::new)
        }
        source => {
            let mut value = shape::own_page(&page, currency)?;
            let note = counter.archived_note(from, &mut value).await?;
            counter.output().answer(&value, || list_words(&page, source, currency, counter.house.site.zone) + &note)
        }
    }
}

fn list_words(
    page: &Page<OrderSummary>,
    source: Option<Source>,
    currency: crate::domain::money::Currency,
    zone: Tz,
) -> String {
    let rows: Vec<Vec<String>> = page
        .items
        .iter()
        .map(|row| {
            vec![
                row.order_number.clone(),
                source.map_or_else(|| row.status.as_str().to_owned(), |source| shape::summary_status(row, source)),
                row.method.as_str().to_owned(),
                if row.paid { "paid" } else { "" }.to_owned(),
                row.called_name.clone().unwrap_or_default(),
                row.due.display(currency),
                time(row.created_at, zone),
            ]
        })
        .collect();
    let mut out = table(&["ORDER", "STATUS", "METHOD", "PAID", "NAME", "DUE>", "PLACED"], &rows);
    out.push_str(&format!("{} of {}\n", page.items.len(), page.total));
    if let Some(next) = &page.next {
        out.push_str(&format!("More: --after {next}\n"));
    }
    out
}

pub(super) fn time(at: Timestamp, zone: Tz) -> String {
    at.to_utc().with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// An order in words.
#[must_use]
pub fn words(order: &OrderView, source: Option<Source>, zone: Tz) -> String {
    let status = match source {
        None => order.status.as_str().to_owned(),
        Some(source) => view_as(source, order.status, order.reason, order.paid, order.fulfilment, order.payment_status)
            .status
            .to_owned(),
    };
    let mut out = format!("{}  number {}  {status}", order.order_number, order.pickup_number);
    if let Some(reason) = order.reason {
        out.push_str(&format!(" ({})", reason.as_str()));
    }
    if let Some(text) = order.reason_text.as_ref().filter(|text| !text.is_empty()) {
        out.push_str(&format!(": {}", shown(text)));
    }
    out.push_str(&format!(
        "\n{} by {}, {}, placed {}",
        order.fulfilment,
        order.method,
        order.payment_status,
        time(order.created_at, zone)
    ));
    if let Some(name) = &order.called_name {
        out.push_str(&format!(", for {}", shown(name)));
    }
    out.push('\n');
    if source.is_none() {
        let said = [
            (order.uncollected, "Paid and not collected; the money stays."),
            (order.late_payment, "Money came that this order could not take; all of it goes back."),
            (order.assignment_escalated, "Too many couriers fell out: the next one is named by hand."),
        ];
        out.extend(said.into_iter().filter(|(is, _)| *is).map(|(_, words)| format!("{words}\n")));
    }
    let rows: Vec<Vec<String>> = (1..)
        .zip(&order.lines)
        .map(|(number, line): (usize, _)| {
            let mut marks = Vec::new();
            for (count, word) in
                [(line.done, "done"), (line.voided, "voided"), (line.restocked, "restocked"), (line.wasted, "wasted")]
            {
                if count > 0 {
                    marks.push(format!("{count} {word}"));
                }
            }
            vec![
                number.to_string(),
                line.quantity.to_string(),
                line.name.clone(),
                line.options.join(", "),
                line.line_total.display(order.currency),
                marks.join(", "),
                line.note.clone().unwrap_or_default(),
            ]
        })
        .collect();
    out.push_str(&table(&["#>", "QTY>", "ITEM", "OPTIONS", "TOTAL>", "STATE", "NOTE"], &rows));
    out.push_str(&format!("Total {}", order.total.display(order.currency)));
    if order.due != order.total {
        out.push_str(&format!(", due {}", order.due.display(order.currency)));
    }
    out.push('\n');
    for refund in &order.refunds {
        out.push_str(&format!("Refund {} {}\n", refund.amount.display(order.currency), refund.status.as_str()));
    }
    if let Some(note) = order.staff_note.as_ref().filter(|note| !note.is_empty()) {
        out.push_str(&format!("Kitchen: {}\n", shown(note)));
    }
    out
}
