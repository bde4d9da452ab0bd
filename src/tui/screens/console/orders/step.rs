//! What a step of an order needs before it is taken: nothing but a yes, a reason, an amount, or what
//! becomes of the lines. Each question ends in a command of the service; judging it is the house's.

use super::super::desk::{Desk, refuse_form};
use super::super::message::Msg;
use crate::domain::error::Refused;
use crate::domain::ids::{LineId, OrderId};
use crate::domain::money::Money;
use crate::domain::order::{Disposal, EventKind, LinePart, RefundChoice};
use crate::domain::payment::{AttemptStatus, Method, PaymentStatus, RefundStatus};
use crate::service::envelope::OrderCommand;
use crate::service::orders::{
    AcceptOrder, CancelOrder, CloseUncollected, ConfirmCash, HandOver, HoldOrder, MarkReady, NoShow, NoteOrder,
    OverridePayment, PayOutRefund, RecallOrder, RefundOrder, RejectOrder, ReleaseHold, StaffCancelOrder, StartOrder,
    VoidOrder, VoidOrderLine,
};
use crate::service::views::{OrderLineView, OrderView};
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
/// The names of the fields of lines; an order with more lines is refunded by amount.
const LINES: [&str; 24] = [
    "line0", "line1", "line2", "line3", "line4", "line5", "line6", "line7", "line8", "line9", "line10", "line11",
    "line12", "line13", "line14", "line15", "line16", "line17", "line18", "line19", "line20", "line21", "line22",
    "line23",
];

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
    order: OrderView,
    form: Form,
    /// The lines chosen for a refund, while its amount is asked for.
    lines: Option<Vec<LinePart>>,
}

impl Question {
    /// The question of an event.
    pub(super) fn new(event: EventKind, order: &OrderView, env: &Env<'_>) -> Self {
        let locale = env.locale;
        let title = title(event, order, locale);
        let reason = || Field::line("reason", locale.t("orders.reason"), Kind::Needed, REASON, "");
        let body = |key: &str| locale.t(key);
        let form = match event {
            EventKind::Accept => {
                let eta = Field::line("eta", locale.t("orders.eta"), Kind::MaybeNumber(0, 1_440), 4, "")
                    .with_help(locale.t("orders.eta_help"));
                Form::new(title, "", vec![eta])
            }
            EventKind::ConfirmCash => {
                let due = order.due.plain(order.currency);
                let kind = Kind::Amount { currency: order.currency, signed: false };
                let given = Field::line("tendered", locale.t("orders.tendered"), kind, AMOUNT, &due);
                Form::new(title, body("orders.cash_body"), vec![given])
            }
            EventKind::Note => {
                let note = order.staff_note.clone().unwrap_or_default();
                let field = Field::line("note", locale.t("orders.staff_note_label"), Kind::Text, REASON, &note);
                Form::new(title, body("orders.note_body"), vec![field])
            }
            EventKind::MarkReady if open_lines(order).next().is_some() => {
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
        Self { event, order: order.clone(), form, lines: None }
    }

    pub(super) fn context(&self) -> Context {
        self.form.context()
    }

    pub(super) fn on_input(&mut self, input: &Input<Msg>, _desk: &Desk, env: &Env<'_>) -> Next {
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
            Filled::Sent => match self.command() {
                Some(command) => Next::Act(self.order.id, self.order.version, Box::new(command)),
                None => {
                    self.form.refuse(None, env.locale.t("orders.cannot_read"));
                    Next::Open
                }
            },
        }
    }

    /// The command that the answers make; `None` where they make none.
    fn command(&self) -> Option<OrderCommand> {
        let order = self.order.id;
        let form = &self.form;
        let reason = form.text("reason");
        Some(match self.event {
            EventKind::Accept => OrderCommand::Accept(AcceptOrder { order, eta_minutes: form.number("eta") }),
            EventKind::StartPreparing => OrderCommand::Start(StartOrder { order }),
            EventKind::MarkReady => {
                OrderCommand::Ready(MarkReady { order, forced: (!reason.is_empty()).then_some(reason) })
            }
            EventKind::Recall => OrderCommand::Recall(RecallOrder { order }),
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
            EventKind::Hold => OrderCommand::Hold(HoldOrder { order, until: None }),
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
        if self.event == EventKind::ConfirmCash
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

/// Units of a line that are still wanted.
const fn open(line: &OrderLineView) -> i64 {
    line.quantity.saturating_sub(line.voided)
}

fn open_lines(order: &OrderView) -> impl Iterator<Item = &OrderLineView> {
    order.lines.iter().filter(|line| open(line) > 0)
}

/// What was captured and not given back yet, nor is on its way back.
fn refundable(order: &OrderView) -> Money {
    let captured = order
        .attempts
        .iter()
        .filter(|attempt| attempt.status == AttemptStatus::Captured && !attempt.stray)
        .map(|attempt| attempt.amount.0);
    let back =
        order.refunds.iter().filter(|refund| refund.status != RefundStatus::Failed).map(|refund| refund.amount.0);
    let sum = |amounts: &mut dyn Iterator<Item = i64>| amounts.fold(0_i64, i64::saturating_add);
    let (mut captured, mut back) = (captured, back);
    Money(sum(&mut captured).saturating_sub(sum(&mut back)).max(0))
}

/// For which question lines are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lines {
    /// Which lines go back, and what becomes of them; none by itself.
    Refund,
    /// What becomes of the lines of a voided order; wasted by themselves.
    Void,
}

/// One choice of a line: this many units, with this end.
fn line_choices(line: &OrderLineView, lines: Lines) -> Vec<Option<(i64, Disposal)>> {
    let units = open(line).saturating_sub(line.restocked).saturating_sub(line.wasted).max(0);
    let mut choices = vec![None];
    let counts: Vec<i64> = if lines == Lines::Void { vec![units] } else { (1..=units).rev().collect() };
    for count in counts.into_iter().filter(|count| *count > 0) {
        choices.push(Some((count, Disposal::Restock)));
        if lines == Lines::Refund {
            choices.push(Some((count, Disposal::Waste)));
        }
    }
    choices
}

fn line_fields(order: &OrderView, lines: Lines, locale: &Locale) -> Vec<Field> {
    let field = |(name, line): (&&'static str, &OrderLineView)| {
        let choices = line_choices(line, lines).into_iter().map(|choice| match (choice, lines) {
            (None, Lines::Refund) => locale.t("orders.line_stays"),
            (None, Lines::Void) => locale.t("orders.line_wasted"),
            (Some((count, Disposal::Restock)), _) => locale.t_args("orders.line_restock", &[("count", &count)]),
            (Some((count, Disposal::Waste)), _) => locale.t_args("orders.line_waste", &[("count", &count)]),
        });
        let label = format!("{} × {}", open(line), line.name);
        Field::choice(name, label, choices.collect(), 0)
    };
    LINES.iter().zip(open_lines(order)).map(field).collect()
}

/// The lines that were chosen in a form.
fn parts(form: &Form, order: &OrderView, lines: Lines) -> Vec<LinePart> {
    let chosen = |(name, line): (&&'static str, &OrderLineView)| {
        let (quantity, disposal) = *line_choices(line, lines).get(form.chosen(name)?)?.as_ref()?;
        Some(LinePart { line: line.id, quantity, disposal })
    };
    LINES.iter().zip(open_lines(order)).filter_map(chosen).collect()
}

/// What the chosen lines cost, as it was paid; all that can go back where no line was chosen.
fn refund_of(order: &OrderView, lines: &[LinePart]) -> Money {
    let all = refundable(order);
    if lines.is_empty() {
        return all;
    }
    let share = |part: &LinePart| {
        let line: Option<&OrderLineView> =
            order.lines.iter().find(|line: &&OrderLineView| line.id == LineId(part.line.0));
        line.and_then(|line| line.total_share.0.checked_mul(part.quantity)?.checked_div(line.quantity.max(1)))
    };
    Money(lines.iter().filter_map(share).fold(0_i64, i64::saturating_add).min(all.0))
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
