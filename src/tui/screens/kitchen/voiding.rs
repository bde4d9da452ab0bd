//! Voiding food that is being cooked: what becomes of each line, and how much of the money goes back.

use super::message::Act;
use super::ticket;
use crate::domain::ids::OrderId;
use crate::domain::money::Money;
use crate::domain::order::{Disposal, LinePart, RefundChoice};
use crate::service::views::TicketView;
use crate::tui::app::{Env, Hit, Input, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::list::{self, ListLook, ListState};
use crate::tui::widgets::{footer, panel};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use crate::tui::widgets::columns::{self, Column};

/// The name of the rows in [`Hit::Row`].
const ROWS: &str = "void";

/// What an input did to the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Voided {
    /// It stays open.
    Open,
    /// It was closed.
    Cancelled,
    /// This is to be done.
    Act(Act),
    /// The amount that goes back must be asked for first.
    AskAmount,
}

#[derive(Debug, Clone)]
struct Part {
    part: LinePart,
    name: String,
    /// Units that are still wanted.
    open: i64,
}

/// How much goes back, as far as it is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Back {
    Full,
    Amount,
    Nothing,
}

/// The form.
#[derive(Debug, Clone)]
pub(super) struct VoidForm {
    pub(super) order: OrderId,
    number: String,
    reason: String,
    parts: Vec<Part>,
    /// Only a part of one line: T24b.
    one_line: bool,
    /// Whether there is money to give back.
    paid: bool,
    back: Back,
    state: ListState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    Part(usize),
    Quantity,
    Refund,
    Go,
}

impl VoidForm {
    /// For the whole order, or for its line at place `line`.
    pub(super) fn new(ticket: &TicketView, line: Option<usize>, reason: String) -> Self {
        let open = ticket
            .lines
            .iter()
            .enumerate()
            .filter(|(at, each)| each.quantity > 0 && line.is_none_or(|line| line == *at));
        let parts = open
            .map(|(_, each)| Part {
                part: LinePart { line: each.id, quantity: each.quantity, disposal: Disposal::Waste },
                name: text::clean(&each.name),
                open: each.quantity,
            })
            .collect();
        let mut form = Self {
            order: ticket.order,
            number: text::clean(&ticket.pickup_number),
            reason,
            parts,
            one_line: line.is_some(),
            paid: ticket.paid,
            back: Back::Full,
            state: ListState::default(),
        };
        // The most frequent case is one key: everything is thrown away and the money goes back.
        form.state.select(form.rows().len().saturating_sub(1));
        form
    }

    /// The lines that can be voided one by one: places and words.
    pub(super) fn choices(ticket: &TicketView, env: &Env<'_>) -> Vec<(usize, String)> {
        let open = ticket.lines.iter().enumerate().filter(|(_, line)| line.quantity > 0);
        open.map(|(at, line)| {
            let mark = if ticket::is_open(line) { "" } else { "✓ " };
            let words =
                env.locale.t_args("kitchen.line", &[("quantity", &line.quantity), ("name", &text::clean(&line.name))]);
            (at, format!("{mark}{words}"))
        })
        .collect()
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = (0..self.parts.len()).map(Row::Part).collect();
        if self.one_line {
            rows.push(Row::Quantity);
        } else if self.paid {
            rows.push(Row::Refund);
        }
        rows.push(Row::Go);
        rows
    }

    /// Takes an input of the screen.
    pub(super) fn on_input<M>(&mut self, input: &Input<M>, env: &Env<'_>) -> Voided {
        let rows = self.rows();
        let action = match input {
            Input::Click { hit: Some(Hit::Row { list: ROWS, index }), .. } => {
                self.state.select(*index);
                Some(Action::Select)
            }
            _ => env.action(Context::Dialog, input),
        };
        let row = self.state.selected(rows.len()).and_then(|at| rows.get(at).copied());
        match (action, row) {
            (Some(Action::Back), _) => Voided::Cancelled,
            (Some(Action::Select), Some(Row::Go)) => self.go(),
            (Some(Action::Select | Action::Right | Action::Left), Some(Row::Part(at))) => {
                if let Some(part) = self.parts.get_mut(at) {
                    part.part.disposal = match part.part.disposal {
                        Disposal::Waste => Disposal::Restock,
                        Disposal::Restock => Disposal::Waste,
                    };
                }
                Voided::Open
            }
            (Some(action @ (Action::Left | Action::Right | Action::Select)), Some(Row::Quantity)) => {
                if let Some(part) = self.parts.first_mut() {
                    let step = if action == Action::Left { -1 } else { 1 };
                    let wanted = part.part.quantity.saturating_add(step);
                    part.part.quantity = wanted.clamp(1, part.open.max(1));
                }
                Voided::Open
            }
            (Some(action @ (Action::Left | Action::Right | Action::Select)), Some(Row::Refund)) => {
                self.back = match (self.back, action == Action::Left) {
                    (Back::Full, false) | (Back::Nothing, true) => Back::Amount,
                    (Back::Amount, false) | (Back::Full, true) => Back::Nothing,
                    _ => Back::Full,
                };
                Voided::Open
            }
            (Some(action), _) => {
                self.state.on_action(action, rows.len());
                Voided::Open
            }
            (None, _) => Voided::Open,
        }
    }

    fn go(&self) -> Voided {
        match (self.back, self.one_line || !self.paid) {
            (Back::Amount, false) => Voided::AskAmount,
            (Back::Nothing, false) => Voided::Act(self.act(RefundChoice::Nothing)),
            (_, true) if !self.paid => Voided::Act(self.act(RefundChoice::Nothing)),
            _ => Voided::Act(self.act(RefundChoice::Full)),
        }
    }

    /// The step, with so much of the money given back.
    pub(super) fn act(&self, refund: RefundChoice) -> Act {
        let reason = self.reason.clone();
        match (self.one_line, self.parts.first()) {
            (true, Some(part)) => Act::VoidLine { part: part.part, reason, override_pin: None },
            _ => {
                let lines = self.parts.iter().map(|part| part.part).collect();
                Act::Void { reason, lines, refund, override_pin: None }
            }
        }
    }

    /// The step, with this amount given back.
    pub(super) fn act_with(&self, amount: Money) -> Act {
        self.act(RefundChoice::Amount(amount))
    }

    /// Draws the form over the middle of `area`.
    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let rows = self.rows();
        let height = u16::try_from(rows.len()).unwrap_or(u16::MAX).saturating_add(8);
        let title = ctx.locale.t_args("kitchen.void_title", &[("number", &self.number)]);
        let inner = panel::overlay(frame, area, (62, height), &title, ctx);
        let [_, reason, _, places, _, keys] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Fill(1),
            Constraint::Length(1),
            Constraint::Length(1),
        ])
        .areas(inner);
        let words = ctx.locale.t_args("kitchen.void_reason", &[("reason", &self.reason)]);
        let words = text::truncate_to_width(&words, usize::from(reason.width));
        frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(Token::Muted))), reason);
        let look = ListLook { name: ROWS, row_height: 1, active: true };
        list::draw(frame, places, &self.state, rows.len(), look, ctx, |index, width| {
            let (left, right) = rows.get(index).map(|row| self.words(*row, ctx)).unwrap_or_default();
            let plain = Style::default();
            vec![columns::row(&[Column::Fill, Column::Right(20)], &[(&left, plain), (&right, plain)], width)]
        });
        footer::draw(frame, keys, Context::Dialog, &[Action::Select, Action::Right, Action::Back], ctx);
    }

    fn words(&self, row: Row, ctx: &ViewCtx<'_>) -> (String, String) {
        let locale = ctx.locale;
        match row {
            Row::Part(at) => self.parts.get(at).map_or_else(Default::default, |part| {
                let line = locale.t_args("kitchen.line", &[("quantity", &part.part.quantity), ("name", &part.name)]);
                let end = match part.part.disposal {
                    Disposal::Waste => locale.t("kitchen.waste"),
                    Disposal::Restock => locale.t("kitchen.restock"),
                };
                (line, format!("‹ {end} ›"))
            }),
            Row::Quantity => {
                let quantity = self.parts.first().map_or(0, |part| part.part.quantity);
                (locale.t("kitchen.void_quantity"), format!("‹ {quantity} ›"))
            }
            Row::Refund => {
                let back = match self.back {
                    Back::Full => locale.t("kitchen.refund_full"),
                    Back::Amount => locale.t("kitchen.refund_amount"),
                    Back::Nothing => locale.t("kitchen.refund_nothing"),
                };
                (locale.t("kitchen.refund"), format!("‹ {back} ›"))
            }
            Row::Go => (locale.t("kitchen.void_go"), String::new()),
        }
    }
}
