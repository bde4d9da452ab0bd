//! `servery order show`, `actions` and `couriers`: one order as staff see it, what can be done with it
//! and why the rest cannot, and who may be named to deliver it. Looking only; what changes an order
//! stands in `order`.

use super::desk::Counter;
use super::order::{self, One};
use super::output::{Done, shown, table};
use super::shape;
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::fulfilment::Fulfilment;
use crate::domain::order::EventKind;
use crate::domain::time::Timestamp;
use crate::service::deliveries::{AddressProblem, DeliveryView, ListCouriers, ShowDelivery};
use crate::service::order_actions::{ActionView, OrderActions, Way};
use crate::service::order_queries::OrderName;
use crate::service::views::OrderView;
use chrono_tz::Tz;
use serde_json::{Value, json};

/// An order; for staff, in our own shape, with where it is delivered to and by whom.
pub(super) async fn show(one: &One, counter: &Counter<'_>) -> Done {
    let order = counter.find_order(&one.order).await?;
    if one.source.is_some() {
        return counter.order(&order, one.source);
    }
    let delivery = delivery(&order, counter).await?;
    let mut value = shape::own(&order, order.currency)?;
    if let Some(map) = value.as_object_mut() {
        map.insert("delivery".to_owned(), shape::own(&delivery, order.currency)?);
    }
    let zone = counter.house.site.zone;
    counter.output().answer(&value, || {
        order::words(&order, None, zone) + &delivery.map(|delivery| delivery_words(&delivery, zone)).unwrap_or_default()
    })
}

async fn delivery(order: &OrderView, counter: &Counter<'_>) -> Result<Option<DeliveryView>, Refused> {
    if order.fulfilment != Fulfilment::Delivery {
        return Ok(None);
    }
    match counter.ask(ShowDelivery { order: OrderName::Id(order.id) }).await {
        Ok(delivery) => Ok(delivery),
        // A guest knows the address, and not who works here.
        Err(refused) if refused.code == ErrorCode::InsufficientRole => Ok(None),
        Err(refused) => Err(refused),
    }
}

fn delivery_words(delivery: &DeliveryView, zone: Tz) -> String {
    let address = match (&delivery.address, delivery.address_problem) {
        // An address has several lines; each of them is cleaned by itself.
        (Some(address), _) => address.lines().map(shown).collect::<Vec<_>>().join(", "),
        (None, problem) => problem_words(problem.unwrap_or(AddressProblem::NotGiven)).to_owned(),
    };
    let mut out = format!("Deliver to: {address}\n");
    if delivery.active().is_none() {
        out.push_str("No courier is named.\n");
    }
    let time = |at: Option<Timestamp>| at.map(|at| order::time(at, zone)).unwrap_or_default();
    let rows: Vec<Vec<String>> = delivery
        .assignments
        .iter()
        .map(|row| {
            vec![
                row.courier.clone(),
                row.status.as_str().to_owned(),
                time(Some(row.assigned_at)),
                row.assigned_by.clone().unwrap_or_default(),
                time(row.picked_up_at),
                time(row.delivered_at.or(row.cancelled_at)),
                row.reason.clone().unwrap_or_default(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        out.push_str(&table(&["COURIER", "STATUS", "NAMED", "BY", "PICKED UP", "ENDED", "REASON"], &rows));
    }
    out
}

const fn problem_words(problem: AddressProblem) -> &'static str {
    match problem {
        AddressProblem::NotGiven => "no address was given.",
        AddressProblem::Withheld => "the address is shown to those who deliver or move orders.",
        AddressProblem::NoKey => "the address is locked: set SERVERY_FIELD_KEY.",
        AddressProblem::WrongKey => "the address cannot be opened: it was kept under another SERVERY_FIELD_KEY.",
    }
}

/// What can be done with an order, and why the rest cannot.
pub(super) async fn actions(named: &str, counter: &Counter<'_>) -> Done {
    let order = counter.find_order(named).await?;
    let mut actions = counter.ask(OrderActions { order: order.id }).await?;
    actions.sort_by_key(|action| !action.is_offered());
    let value: Vec<Value> = actions.iter().map(action_json).collect();
    let value = json!({ "id": order.id, "order_number": order.order_number, "status": order.status, "actions": value });
    counter.output().answer(&value, || actions.iter().map(action_line).collect())
}

fn action_json(action: &ActionView) -> Value {
    // As a refusal of the step itself would be printed.
    let refused = action.refused.as_ref().map(|refused| refused.to_json()["error"].take());
    json!({
        "action": action.event, "command": command(action), "offered": action.is_offered(),
        "with_manager": action.with_manager, "way": action.way, "refused": refused,
    })
}

/// A line of its own: why something is refused is longer than a cell of a table.
fn action_line(action: &ActionView) -> String {
    let (now, why) = match (&action.refused, action.with_manager) {
        (None, _) => ("yes", way_words(action.way).to_owned()),
        (Some(_), true) => ("manager", "Name a manager with --override-by.".to_owned()),
        (Some(refused), false) => ("no", shown(&format!("{} {}", refused.message, refused.help))),
    };
    format!("{:<9}{:<28}{why}", now, command(action)).trim_end().to_owned() + "\n"
}

const fn way_words(way: Way) -> &'static str {
    match way {
        Way::Plain => "",
        Way::Forced => "Something in it is not done: it takes a reason.",
        Way::ForCash => "The customer pays in cash at the door.",
    }
}

/// What takes the step on the command line, after `servery` and before what it needs.
fn command(action: &ActionView) -> String {
    let plain = match action.event {
        EventKind::StartPreparing => "order start",
        EventKind::ItemDone => "order item-done",
        EventKind::ItemUndone => "order item-done --undo",
        EventKind::MarkReady if action.way == Way::Forced => "order ready --force",
        EventKind::MarkReady => "order ready",
        EventKind::AssignCancel => "order unassign",
        EventKind::NoPickup => "order unassign --no-pickup",
        EventKind::Deliver if action.way == Way::ForCash => "order deliver --cash",
        EventKind::ReturnToStore => "order return",
        EventKind::PayOutCashRefund => "till pay-out",
        EventKind::AdminSetPaid => "order override paid",
        EventKind::AdminSetFailed => "order override failed",
        EventKind::SetPriority => "order priority",
        EventKind::ReleaseHold => "order release",
        event => return format!("order {}", event.as_str().replace('_', "-")),
    };
    plain.to_owned()
}

/// The couriers, whom the house itself would name first.
pub(super) async fn couriers(order: Option<&str>, counter: &Counter<'_>) -> Done {
    let order = match order {
        Some(order) => Some(counter.find_order(order).await?.id),
        None => None,
    };
    let couriers = counter.ask(ListCouriers { order }).await?;
    counter.answer(&couriers, || {
        let rows: Vec<Vec<String>> = couriers
            .iter()
            .map(|row| {
                let counts =
                    [row.under_way, row.delivered_today, row.delivered, row.cancelled].map(|count| count.to_string());
                [vec![row.username.clone(), row.name.clone()], counts.to_vec()].concat()
            })
            .collect();
        table(&["COURIER", "NAME", "UNDER WAY>", "TODAY>", "30 DAYS>", "TAKEN OFF>"], &rows)
    })
}
