//! What a step of an order needs before it is taken: nothing but a yes, a reason, an amount, or what
//! becomes of the lines. Each question ends in a command of the service; judging it is the house's.

use super::super::desk::{Desk, refuse_form};
use super::super::message::Msg;
use super::lines::{
    Lines, is_undone, line_fields, mark_fields, marked, open, open_lines, parts, refund_of, refundable,
};
use crate::domain::error::Refused;
use crate::domain::ids::{OrderId, StaffId};
use crate::domain::money::Money;
use crate::domain::order::{Disposal, EventKind, LinePart, RefundChoice};
use crate::domain::payment::{Method, PaymentStatus, RefundStatus};
use crate::service::deliveries::CourierView;
use crate::service::envelope::OrderCommand;
use crate::service::order_actions::{ActionView, Way};
use crate::service::orders::{
    AcceptOrder, AssignCourier, CancelAssignment, CancelOrder, CloseUncollected, ConfirmCash, Deliver, DeliverForCash,
    HandOver, HoldOrder, MarkReady, NoShow, NoteOrder, OverridePayment, PayOutRefund, PickUp, RecallOrder, RefundOrder,
    RejectOrder, ReleaseHold, ReturnToStore, SetItemsDone, SetPriority, StaffCancelOrder, StartOrder, VoidOrder,
    VoidOrderLine,
};
use crate::service::views::OrderView;
use crate::tui::app::{Env, Input, ViewCtx};
use crate::tui::keymap::Context;
use crate::tui::locale::Locale;
use crate::tui::vocabulary;
use crate::tui::widgets::form::{Field, Filled, Form, Kind};
use ratatui::Frame;
use ratatui::layout::Rect;
use serde_json::Value;

/// The longest reason.
const REASON: usize = 200;
/// The longest amount.
const AMOUNT: usize = 14;
/// What follows from an input.
#[derive(Debug)]
pub(super) enum Next {
    /// The question stays open.
    Open,
    /// It was closed.
    Cancelled,
    /// Take the step.
    Act(OrderId, i64, Box<OrderCommand>),
}

/// An open question about one step of one order, as the order was seen.
#[derive(Debug)]
pub(super) struct Question {
    event: EventKind,
    way: Way,
    order: OrderView,
    /// The couriers that can be chosen, in the order of the form.
    couriers: Vec<StaffId>,
    form: Form,
    /// The lines chosen for a refund, while its amount is asked for.
    lines: Option<Vec<LinePart>>,
}

impl Question {
    /// The question of a step that is offered. `couriers` are those who can be named.
    pub(super) fn new(step: &ActionView, order: &OrderView, couriers: &[CourierView], env: &Env<'_>) -> Self {
        let (event, way, locale) = (step.event, step.way, env.locale);
        let title = title(event, order, locale);
        let reason = || Field::line("reason", locale.t("orders.reason"), Kind::Needed, REASON, "");
        let body = |key: &str| locale.t(key);
        let form = match event {
            EventKind::Accept => {
                let eta = Field::line("eta", locale.t("orders.eta"), Kind::MaybeNumber(0, 1_440), 4, "")
                    .with_help(locale.t("orders.eta_help"));
                Form::new(title, "", vec![eta])
            }
            EventKind::ConfirmCash => Form::new(title, body("orders.cash_body"), vec![tendered(order, locale)]),
            EventKind::Deliver if way == Way::ForCash => {
                Form::new(title, body("orders.deliver_cash_body"), vec![tendered(order, locale)])
            }
            EventKind::ItemDone => Form::new(title, body("orders.items_done_body"), mark_fields(order, true)),
            EventKind::ItemUndone => Form::new(title, body("orders.items_undone_body"), mark_fields(order, false)),
            EventKind::Assign => {
                let choices = couriers.iter().map(|courier| courier_words(courier, locale)).collect();
                let courier = Field::choice("courier", locale.t("orders.courier_label"), choices, 0)
                    .with_help(locale.t("orders.courier_help"));
                Form::new(title, "", vec![courier])
            }
            EventKind::ReturnToStore => Form::new(title, body("orders.body_return"), vec![reason()]),
            EventKind::SetPriority => {
                let now = order.priority.to_string();
                let field = Field::line("priority", locale.t("orders.priority"), Kind::Number(-9, 9), 2, &now)
                    .with_help(locale.t("orders.priority_help"));
                Form::new(title, "", vec![field])
            }
            EventKind::Hold => {
                let minutes =
                    Field::line("minutes", locale.t("orders.hold_minutes"), Kind::MaybeNumber(1, 1_440), 4, "")
                        .with_help(locale.t("orders.hold_help"));
                Form::new(title, "", vec![minutes])
            }
            EventKind::Note => {
                let note = order.staff_note.clone().unwrap_or_default();
                let field = Field::line("note", locale.t("orders.staff_note_label"), Kind::Text, REASON, &note);
                Form::new(title, body("orders.note_body"), vec![field])
            }
            // Only where the house said that force alone helps, and the order as it is seen agrees.
            EventKind::MarkReady if way == Way::Forced && is_undone(order) => {
                Form::new(title, body("orders.force_body"), vec![reason()])
            }
            EventKind::Reject => Form::new(title, body("orders.body_reject"), vec![reason()]),
            EventKind::Cancel => Form::new(title, body("orders.body_cancel"), vec![reason()]),
            EventKind::StaffCancel => Form::new(title, body("orders.body_staff_cancel"), vec![reason()]),
            EventKind::CloseUncollected => Form::new(title, body("orders.body_close_uncollected"), vec![reason()]),
            EventKind::NoShow => Form::new(title, body("orders.body_no_show"), vec![reason()]),
            EventKind::AdminSetPaid => Form::new(title, body("orders.body_admin_set_paid"), vec![reason()]),
            EventKind::AdminSetFailed => Form::new(title, body("orders.body_admin_set_failed"), vec![reason()]),
            EventKind::Void => {
                let choices = vec![
                    locale.t("orders.refund_all"),
                    locale.t("orders.refund_nothing"),
                    locale.t("orders.refund_amount"),
                ];
                let kind = Kind::Amount { currency: order.currency, signed: false };
                let all = refundable(order).plain(order.currency);
                let mut fields = vec![
                    Field::choice("refund", locale.t("orders.money_back"), choices, 0),
                    Field::line("amount", locale.t("orders.amount"), kind, AMOUNT, &all)
                        .with_help(locale.t("orders.void_amount_help")),
                    reason(),
                ];
                fields.extend(line_fields(order, Lines::Void, locale));
                Form::new(title, body("orders.void_body"), fields)
            }
            EventKind::VoidLine => {
                let lines: Vec<String> =
                    open_lines(order).map(|line| format!("{} × {}", open(line), line.name)).collect();
                let fields = vec![
                    Field::choice("line", locale.t("orders.line"), lines, 0),
                    Field::line("quantity", locale.t("orders.quantity"), Kind::Number(1, 999), 3, "1"),
                    Field::choice(
                        "disposal",
                        locale.t("orders.becomes"),
                        vec![locale.t("orders.wasted_choice"), locale.t("orders.restocked_choice")],
                        0,
                    ),
                    reason(),
                ];
                Form::new(title, "", fields)
            }
            EventKind::Refund => refund_lines(title, order, locale),
            _ => Form::new(title, body("orders.sure"), Vec::new()),
        };
        let couriers = couriers.iter().map(|courier| courier.id).collect();
        Self { event, way, order: order.clone(), couriers, form, lines: None }
    }

    pub(super) fn context(&self) -> Context {
        self.form.context()
    }

    pub(super) fn on_input(&mut self, input: &Input<Msg>, desk: &Desk, env: &Env<'_>) -> Next {
        match self.form.on_input(input, env) {
            Filled::Open => Next::Open,
            Filled::Cancelled => Next::Cancelled,
            Filled::Sent if self.event == EventKind::Refund && self.lines.is_none() => {
                let lines = parts(&self.form, &self.order, Lines::Refund);
                let amount = refund_of(&self.order, &lines);
                self.lines = Some(lines);
                self.form = refund_amount(title(self.event, &self.order, env.locale), amount, &self.order, env.locale);
                Next::Open
            }
            Filled::Sent => match self.command(desk) {
                Some(command) => Next::Act(self.order.id, self.order.version, Box::new(command)),
                None => {
                    let marks = matches!(self.event, EventKind::ItemDone | EventKind::ItemUndone);
                    let why = env.locale.t(if marks { "orders.choose_line" } else { "orders.cannot_read" });
                    self.form.refuse(None, why);
                    Next::Open
                }
            },
        }
    }

    /// The command that the answers make; `None` where they make none.
    fn command(&self, desk: &Desk) -> Option<OrderCommand> {
        let order = self.order.id;
        let form = &self.form;
        let reason = form.text("reason");
        Some(match self.event {
            EventKind::Accept => OrderCommand::Accept(AcceptOrder { order, eta_minutes: form.number("eta") }),
            EventKind::StartPreparing => OrderCommand::Start(StartOrder { order }),
            EventKind::MarkReady => {
                OrderCommand::Ready(MarkReady { order, forced: (!reason.is_empty()).then_some(reason) })
            }
            EventKind::ItemDone | EventKind::ItemUndone => {
                let done = self.event == EventKind::ItemDone;
                let lines = Some(marked(form, &self.order, done)).filter(|lines| !lines.is_empty())?;
                OrderCommand::ItemsDone(SetItemsDone { order, lines, done })
            }
            EventKind::Recall => OrderCommand::Recall(RecallOrder { order }),
            EventKind::Assign => {
                let staff = *self.couriers.get(form.chosen("courier")?)?;
                OrderCommand::Assign(AssignCourier { order, staff })
            }
            EventKind::AssignCancel => OrderCommand::Unassign(CancelAssignment { order, no_pickup: false }),
            EventKind::NoPickup => OrderCommand::Unassign(CancelAssignment { order, no_pickup: true }),
            EventKind::PickUp => OrderCommand::PickUp(PickUp { order }),
            EventKind::Deliver if self.way == Way::ForCash => {
                OrderCommand::DeliverForCash(DeliverForCash { order, tendered: form.amount("tendered")? })
            }
            EventKind::Deliver => OrderCommand::Deliver(Deliver { order }),
            EventKind::ReturnToStore => OrderCommand::Return(ReturnToStore { order, reason }),
            EventKind::SetPriority => OrderCommand::Priority(SetPriority { order, priority: form.number("priority")? }),
            EventKind::ConfirmCash => {
                OrderCommand::ConfirmCash(ConfirmCash { order, tendered: form.amount("tendered")? })
            }
            EventKind::HandOver => OrderCommand::HandOver(HandOver { order }),
            EventKind::Refund => OrderCommand::Refund(RefundOrder {
                order,
                amount: form.amount("amount")?,
                lines: self.lines.clone()?,
                reason,
            }),
            EventKind::PayOutCashRefund => {
                let refund = self.order.refunds.iter().find(|refund| refund.status == RefundStatus::Pending)?.id;
                OrderCommand::PayOut(PayOutRefund { order, refund })
            }
            EventKind::VoidLine => {
                let line = open_lines(&self.order).nth(form.chosen("line")?)?.id;
                let disposal = if form.chosen("disposal")? == 0 { Disposal::Waste } else { Disposal::Restock };
                let part = LinePart { line, quantity: form.number("quantity")?, disposal };
                OrderCommand::VoidLine(VoidOrderLine { order, part, reason })
            }
            EventKind::Void => {
                let refund = match form.chosen("refund")? {
                    0 => RefundChoice::Full,
                    1 => RefundChoice::Nothing,
                    _ => RefundChoice::Amount(form.amount("amount")?),
                };
                let lines = parts(form, &self.order, Lines::Void);
                OrderCommand::Void(VoidOrder { order, reason, lines, refund })
            }
            EventKind::Reject => OrderCommand::Reject(RejectOrder { order, reason }),
            EventKind::Cancel => OrderCommand::Cancel(CancelOrder { order, reason }),
            EventKind::StaffCancel => OrderCommand::StaffCancel(StaffCancelOrder { order, reason }),
            EventKind::NoShow => OrderCommand::NoShow(NoShow { order, reason }),
            EventKind::CloseUncollected => OrderCommand::CloseUncollected(CloseUncollected { order, reason }),
            EventKind::AdminSetPaid => OrderCommand::Override(OverridePayment { order, paid: true, reason }),
            EventKind::AdminSetFailed => OrderCommand::Override(OverridePayment { order, paid: false, reason }),
            EventKind::Hold => {
                let until = form.number("minutes").map(|minutes| desk.now.plus_seconds(minutes.saturating_mul(60)));
                OrderCommand::Hold(HoldOrder { order, until })
            }
            EventKind::ReleaseHold => OrderCommand::Release(ReleaseHold { order }),
            EventKind::Note => OrderCommand::Note(NoteOrder { order, note: form.text("note") }),
            _ => return None,
        })
    }

    /// The house refused: leads back to what was typed; false where the order has moved on, so that
    /// the question has no sense any more.
    pub(super) fn refuse(&mut self, refused: &Refused, env: &Env<'_>) -> bool {
        if refused.code == crate::domain::error::ErrorCode::Conflict {
            return false;
        }
        refuse_form(&mut self.form, refused, env);
        true
    }

    /// What is said when it is done.
    pub(super) fn done_words(&self, _answer: &Value, desk: &Desk, env: &Env<'_>) -> String {
        let number = &self.order.pickup_number;
        if matches!(self.event, EventKind::ConfirmCash | EventKind::Deliver)
            && let Some(tendered) = self.form.amount("tendered")
            && let Some(change) = tendered.checked_sub(self.order.due)
        {
            return env.locale.t_args("orders.change", &[("number", number), ("change", &desk.money(change))]);
        }
        let gives_back = matches!(self.event, EventKind::Refund | EventKind::Cancel | EventKind::StaffCancel);
        let paid = !matches!(self.order.payment_status, PaymentStatus::Pending | PaymentStatus::Failed);
        if gives_back && paid && self.order.method == Method::Cash {
            return env.locale.t_args("orders.done_cash_refund", &[("number", number)]);
        }
        let event = vocabulary::step(self.event, env.locale);
        env.locale.t_args("orders.done_step", &[("number", number), ("step", &event)])
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        self.form.draw(frame, area, ctx);
    }
}

fn title(event: EventKind, order: &OrderView, locale: &Locale) -> String {
    let step = vocabulary::event(event, locale);
    locale.t_args("orders.step_title", &[("step", &step), ("number", &order.pickup_number)])
}

/// What the customer gives for an order that is paid in cash.
fn tendered(order: &OrderView, locale: &Locale) -> Field {
    let kind = Kind::Amount { currency: order.currency, signed: false };
    Field::line("tendered", locale.t("orders.tendered"), kind, AMOUNT, &order.due.plain(order.currency))
}

fn courier_words(courier: &CourierView, locale: &Locale) -> String {
    let today = courier.delivered_today;
    let mut words = match courier.under_way {
        0 => locale.t_args("orders.courier_free", &[("name", &courier.name), ("today", &today)]),
        count => locale.t_args("orders.courier_busy", &[("name", &courier.name), ("count", &count), ("today", &today)]),
    };
    if courier.given_up > 0 {
        words.push_str(&locale.t("orders.courier_gave_up"));
    }
    words
}

fn refund_lines(title: String, order: &OrderView, locale: &Locale) -> Form {
    Form::new(title, locale.t("orders.refund_lines_body"), line_fields(order, Lines::Refund, locale))
}

fn refund_amount(title: String, amount: Money, order: &OrderView, locale: &Locale) -> Form {
    let all = refundable(order).display(order.currency);
    let kind = Kind::Amount { currency: order.currency, signed: false };
    let fields = vec![
        Field::line("amount", locale.t("orders.amount"), kind, AMOUNT, &amount.plain(order.currency)),
        Field::line("reason", locale.t("orders.reason"), Kind::Needed, REASON, ""),
    ];
    Form::new(title, locale.t_args("orders.refund_amount_body", &[("all", &all)]), fields)
}
