//! What an act at the till asks for before it is done: the float, cash that comes or goes with its reason,
//! a refund that is handed over, and the count with which a shift is closed.

use super::super::desk::{Desk, refuse_form};
use super::super::message::{Act, Msg};
use super::report;
use crate::domain::error::Refused;
use crate::domain::ids::ShiftId;
use crate::domain::money::{Currency, Money};
use crate::service::envelope::{Envelope, OrderCommand, TillCommand};
use crate::service::orders::PayOutRefund;
use crate::service::till::{CashDrop, CashIn, CashPayout, TillClose, TillOpen};
use crate::service::till_reports::WaitingRefund;
use crate::tui::app::{Env, Input, ViewCtx};
use crate::tui::keymap::Context;
use crate::tui::widgets::form::{Field, Filled, Form, Kind};
use ratatui::Frame;
use ratatui::layout::Rect;

/// Characters of a reason or a note.
const REASON: usize = 200;
/// Characters of an amount.
const AMOUNT: usize = 14;

/// A shift as it was when it was to be closed.
#[derive(Debug, Clone)]
pub(super) struct Closing {
    pub(super) shift: ShiftId,
    pub(super) terminal: String,
    pub(super) expected: i64,
}

/// What is asked about.
#[derive(Debug, Clone)]
enum About {
    Open,
    CashIn(ShiftId),
    Drop(ShiftId),
    Payout(ShiftId),
    Refund(WaitingRefund),
    /// The count.
    Count(Closing),
    /// Whether it is to be closed with this count.
    Close(Closing, i64),
    /// Why it is to be closed although orders wait for their money.
    Force(Closing, i64, String),
}

/// What follows from an input.
#[derive(Debug)]
pub(super) enum Next {
    /// The question stays open.
    Open,
    /// It was closed.
    Cancelled,
    /// Do this.
    Act(Act),
}

/// An open question.
#[derive(Debug)]
pub(super) struct Question {
    about: About,
    form: Form,
    currency: Currency,
}

impl Question {
    fn amount(label: &str, value: &str, currency: Currency, env: &Env<'_>) -> Field {
        Field::line("amount", env.locale.t(label), Kind::Amount { currency, signed: false }, AMOUNT, value)
    }

    fn moves(about: About, (title, body): (&str, &str), currency: Currency, env: &Env<'_>) -> Self {
        let reason = Field::line("reason", env.locale.t("till.reason"), Kind::Needed, REASON, "");
        let fields = vec![Self::amount("till.amount", "", currency, env), reason];
        Self { about, form: Form::new(env.locale.t(title), env.locale.t(body), fields), currency }
    }

    /// Opens the till.
    pub(super) fn open(currency: Currency, env: &Env<'_>) -> Self {
        let field =
            Field::line("float", env.locale.t("till.float"), Kind::Amount { currency, signed: false }, AMOUNT, "");
        let form = Form::new(env.locale.t("till.open_title"), env.locale.t("till.open_body"), vec![field]);
        Self { about: About::Open, form, currency }
    }

    /// Lays cash in.
    pub(super) fn cash_in(shift: ShiftId, currency: Currency, env: &Env<'_>) -> Self {
        Self::moves(About::CashIn(shift), ("till.cash_in_title", "till.cash_in_body"), currency, env)
    }

    /// Takes cash to the safe.
    pub(super) fn drop(shift: ShiftId, currency: Currency, env: &Env<'_>) -> Self {
        Self::moves(About::Drop(shift), ("till.drop_title", "till.drop_body"), currency, env)
    }

    /// Pays something from the drawer.
    pub(super) fn payout(shift: ShiftId, currency: Currency, env: &Env<'_>) -> Self {
        Self::moves(About::Payout(shift), ("till.payout_title", "till.payout_body"), currency, env)
    }

    /// Hands a cash refund over.
    pub(super) fn refund(refund: WaitingRefund, currency: Currency, env: &Env<'_>) -> Self {
        let amount = Money(refund.amount).display(currency);
        let title = env.locale.t_args("till.refund_title", &[("number", &refund.order_number)]);
        let mut body = match &refund.called_name {
            Some(name) => env.locale.t_args("till.refund_body_name", &[("amount", &amount), ("name", name)]),
            None => env.locale.t_args("till.refund_body", &[("amount", &amount)]),
        };
        if let Some(reason) = &refund.reason {
            body = format!("{body} {}", env.locale.t_args("till.refund_reason", &[("reason", reason)]));
        }
        Self { about: About::Refund(refund), form: Form::new(title, body, Vec::new()), currency }
    }

    /// Counts the drawer, to close the shift.
    pub(super) fn close(closing: Closing, currency: Currency, env: &Env<'_>) -> Self {
        let counted =
            Field::line("counted", env.locale.t("till.counted"), Kind::Amount { currency, signed: false }, AMOUNT, "");
        let title = env.locale.t_args("till.close_title", &[("terminal", &closing.terminal)]);
        let form = Form::new(title, env.locale.t("till.count_body"), vec![counted]);
        Self { about: About::Count(closing), form, currency }
    }

    pub(super) fn context(&self) -> Context {
        self.form.context()
    }

    pub(super) fn on_input(&mut self, input: &Input<Msg>, desk: &Desk, env: &Env<'_>) -> Next {
        match self.form.on_input(input, env) {
            Filled::Open => Next::Open,
            Filled::Cancelled => Next::Cancelled,
            Filled::Sent => match self.sent(desk, env) {
                Some(act) => Next::Act(act),
                None => Next::Open,
            },
        }
    }

    /// What the answers ask for; `None` where they lead to the next question, or to none.
    fn sent(&mut self, desk: &Desk, env: &Env<'_>) -> Option<Act> {
        let (form, reason) = (&self.form, self.form.text("reason"));
        let amount = form.amount("amount").map(|amount| amount.0);
        let command = match self.about.clone() {
            About::Open => TillCommand::Open(TillOpen { float: form.amount("float")?.0 }),
            About::CashIn(shift) => TillCommand::CashIn(CashIn { shift: Some(shift), amount: amount?, reason }),
            About::Drop(shift) => TillCommand::Drop(CashDrop { shift: Some(shift), amount: amount?, reason }),
            About::Payout(shift) => TillCommand::Payout(CashPayout { shift: Some(shift), amount: amount?, reason }),
            About::Refund(refund) => {
                let pay = PayOutRefund { order: refund.order, refund: refund.refund };
                return Some(Act::Command(Envelope::Order(Box::new(OrderCommand::PayOut(pay)))));
            }
            About::Count(closing) => {
                let counted = form.amount("counted")?.0;
                self.confirm(closing, counted, desk, env);
                return None;
            }
            About::Close(..) if !form.is_on("sure") => {
                self.form.refuse(Some("sure"), env.locale.t("till.say_sure"));
                return None;
            }
            About::Close(closing, counted) => {
                let note = Some(form.text("note")).filter(|note| !note.is_empty());
                TillCommand::Close(TillClose { shift: Some(closing.shift), counted, note, force: None })
            }
            About::Force(closing, counted, note) => {
                let note = Some(note).filter(|note| !note.is_empty());
                let force = Some(form.text("force"));
                TillCommand::Close(TillClose { shift: Some(closing.shift), counted, note, force })
            }
        };
        Some(Act::Command(Envelope::Till(command)))
    }

    /// Shows what the count means, before the shift is closed for good.
    fn confirm(&mut self, closing: Closing, counted: i64, desk: &Desk, env: &Env<'_>) {
        let (state, _) = report::over_short(counted.saturating_sub(closing.expected), desk, env.locale);
        let body = env.locale.t_args(
            "till.confirm_body",
            &[
                ("counted", &Money(counted).display(self.currency)),
                ("expected", &Money(closing.expected).display(self.currency)),
                ("state", &state),
            ],
        );
        let title = env.locale.t_args("till.close_title", &[("terminal", &closing.terminal)]);
        let fields = vec![
            Field::switch("sure", env.locale.t("till.sure"), false),
            Field::line("note", env.locale.t("till.note"), Kind::Text, REASON, "")
                .with_help(env.locale.t("till.note_help")),
        ];
        self.form = Form::new(title, body, fields);
        self.about = About::Close(closing, counted);
    }

    /// The house refused: leads back to what was typed. Where orders wait for their money it says which,
    /// and asks why the shift is closed all the same.
    pub(super) fn refuse(&mut self, refused: &Refused, env: &Env<'_>) {
        if let (About::Close(closing, counted), Some("cash_orders_open")) = (&self.about, refused.guard) {
            let orders: Vec<String> = refused
                .details
                .get("orders")
                .and_then(|orders| serde_json::from_value(orders.clone()).ok())
                .unwrap_or_default();
            let numbers = report::numbers(&orders);
            let title = env.locale.t_args("till.close_title", &[("terminal", &closing.terminal)]);
            let body = env.locale.t_args("till.force_body", &[("orders", &numbers)]);
            let force = Field::line("force", env.locale.t("till.force"), Kind::Needed, REASON, "")
                .with_help(env.locale.t("till.force_help"));
            self.about = About::Force(closing.clone(), *counted, self.form.text("note"));
            self.form = Form::new(title, body, vec![force]);
            return;
        }
        refuse_form(&mut self.form, refused, env);
    }

    /// What was asked could not be sent: takes keys again.
    pub(super) fn rewind(&mut self, env: &Env<'_>) {
        self.form.refuse(None, env.locale.t("till.not_done"));
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        self.form.draw(frame, area, ctx);
    }
}
