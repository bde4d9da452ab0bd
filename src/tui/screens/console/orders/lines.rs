//! The lines of an order in questions: which fields stand for them, what was chosen in these, and how
//! much money lines are worth. No question and no drawing.

use crate::domain::ids::LineId;
use crate::domain::money::Money;
use crate::domain::order::{Disposal, LinePart};
use crate::domain::payment::{AttemptStatus, RefundStatus};
use crate::service::views::{OrderLineView, OrderView};
use crate::tui::locale::Locale;
use crate::tui::widgets::form::{Field, Form};

/// The name of the field of the line at this place in its question.
fn field_name(at: usize) -> String {
    format!("line{at}")
}

/// Units of a line that are still wanted.
pub(super) const fn open(line: &OrderLineView) -> i64 {
    line.quantity.saturating_sub(line.voided)
}

pub(super) fn open_lines(order: &OrderView) -> impl Iterator<Item = &OrderLineView> {
    order.lines.iter().filter(|line| open(line) > 0)
}

/// Units of a line that the kitchen still has to make.
const fn undone(line: &OrderLineView) -> i64 {
    open(line).saturating_sub(line.done)
}

/// Whether something of the order is still to be made.
pub(super) fn is_undone(order: &OrderView) -> bool {
    order.lines.iter().any(|line| undone(line) > 0)
}

/// The lines that can be done, or (`done` false) be not done after all, with their units.
fn to_mark(order: &OrderView, done: bool) -> impl Iterator<Item = (&OrderLineView, i64)> {
    let units = move |line: &OrderLineView| if done { undone(line) } else { line.done.min(open(line)) };
    order.lines.iter().map(move |line| (line, units(line))).filter(|(_, units)| *units > 0)
}

/// A switch for each line that can be marked; where there is but one, it is meant.
pub(super) fn mark_fields(order: &OrderView, done: bool) -> Vec<Field> {
    let only = to_mark(order, done).count() == 1;
    let field = |(at, (line, units)): (usize, (&OrderLineView, i64))| {
        Field::switch(field_name(at), format!("{units} × {}", line.name), only)
    };
    to_mark(order, done).enumerate().map(field).collect()
}

/// The lines that are switched on in a form of [`mark_fields`].
pub(super) fn marked(form: &Form, order: &OrderView, done: bool) -> Vec<LineId> {
    let marked = to_mark(order, done).enumerate().filter(|(at, _)| form.is_on(&field_name(*at)));
    marked.map(|(_, (line, _))| line.id).collect()
}

/// What was captured and not given back yet, nor is on its way back.
pub(super) fn refundable(order: &OrderView) -> Money {
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
pub(super) enum Lines {
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

pub(super) fn line_fields(order: &OrderView, lines: Lines, locale: &Locale) -> Vec<Field> {
    let field = |(at, line): (usize, &OrderLineView)| {
        let choices = line_choices(line, lines).into_iter().map(|choice| match (choice, lines) {
            (None, Lines::Refund) => locale.t("orders.line_stays"),
            (None, Lines::Void) => locale.t("orders.line_wasted"),
            (Some((count, Disposal::Restock)), _) => locale.t_args("orders.line_restock", &[("count", &count)]),
            (Some((count, Disposal::Waste)), _) => locale.t_args("orders.line_waste", &[("count", &count)]),
        });
        let label = format!("{} × {}", open(line), line.name);
        Field::choice(field_name(at), label, choices.collect(), 0)
    };
    open_lines(order).enumerate().map(field).collect()
}

/// The lines that were chosen in a form.
pub(super) fn parts(form: &Form, order: &OrderView, lines: Lines) -> Vec<LinePart> {
    let chosen = |(at, line): (usize, &OrderLineView)| {
        let (quantity, disposal) = *line_choices(line, lines).get(form.chosen(&field_name(at))?)?.as_ref()?;
        Some(LinePart { line: line.id, quantity, disposal })
    };
    open_lines(order).enumerate().filter_map(chosen).collect()
}

/// What the chosen lines cost, as it was paid; all that can go back where no line was chosen.
pub(super) fn refund_of(order: &OrderView, lines: &[LinePart]) -> Money {
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
