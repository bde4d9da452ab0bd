//! Whose holds are to be released: the orders that hold units of a thing of which a count would leave
//! fewer than they hold. Only pending orders that nobody is paying can be chosen.

use super::super::message::Msg;
use crate::domain::error::Refused;
use crate::domain::ids::OrderId;
use crate::domain::order::Status;
use crate::service::stock::HolderView;
use crate::tui::app::{Env, Hit, Input, ViewCtx};
use crate::tui::key::Key;
use crate::tui::keymap::{Action, Context};
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::vocabulary;
use crate::tui::widgets::columns::{self, Column};
use crate::tui::widgets::list::{self, ListLook, ListState};
use crate::tui::widgets::{footer, panel};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use serde_json::Value;
use std::collections::BTreeSet;

/// The name of the holders in [`Hit::Row`].
const LIST: &str = "holders";
/// Columns of the overlay, where the screen has them.
const WIDTH: u16 = 72;

/// What follows from an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Released {
    /// It stays open.
    Open,
    /// Nothing is released.
    Cancelled,
    /// These are.
    Chosen(Vec<OrderId>),
}

/// The open choice.
#[derive(Debug)]
pub(super) struct Release {
    words: String,
    holders: Vec<HolderView>,
    /// So many units are held above what would be left.
    needed: i64,
    chosen: BTreeSet<usize>,
    state: ListState,
    /// Too few were chosen, and yet it was to be done.
    too_few: bool,
}

impl Release {
    /// From a refusal that lists the holders; `None` from any other.
    pub(super) fn of(refused: &Refused, words: String) -> Option<Self> {
        let number = |name: &str| refused.details.get(name).and_then(Value::as_i64);
        let holders: Vec<HolderView> = serde_json::from_value(refused.details.get("holders")?.clone()).ok()?;
        let needed = number("reserved")?.saturating_sub(number("wanted")?);
        let state = ListState::default();
        Some(Self { words, holders, needed, chosen: BTreeSet::new(), state, too_few: false })
    }

    /// Units that would be free.
    fn freed(&self) -> i64 {
        let chosen = self.chosen.iter().filter_map(|at| self.holders.get(*at));
        chosen.fold(0_i64, |sum, holder| sum.saturating_add(holder.quantity))
    }

    fn turn(&mut self, at: usize) {
        self.too_few = false;
        if self.holders.get(at).is_some_and(|holder| holder.releasable) && !self.chosen.remove(&at) {
            self.chosen.insert(at);
        }
    }

    pub(super) fn on_input(&mut self, input: &Input<Msg>, env: &Env<'_>) -> Released {
        let selected = self.state.selected(self.holders.len());
        match input {
            Input::Click { hit: Some(Hit::Row { list: LIST, index }), .. } => {
                self.state.select(*index);
                self.turn(*index);
                return Released::Open;
            }
            Input::Key(press) if press.key == Key::Char(' ') => {
                if let Some(at) = selected {
                    self.turn(at);
                }
                return Released::Open;
            }
            _ => {}
        }
        match env.action(Context::Dialog, input) {
            Some(Action::Back) => Released::Cancelled,
            Some(Action::Select) if self.freed() < self.needed => {
                self.too_few = true;
                Released::Open
            }
            Some(Action::Select) => {
                let chosen = self.chosen.iter().filter_map(|at| self.holders.get(*at));
                Released::Chosen(chosen.map(|holder| holder.order).collect())
            }
            Some(action) => {
                self.state.on_action(action, self.holders.len());
                Released::Open
            }
            None => Released::Open,
        }
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let width = WIDTH.min(area.width);
        let room = usize::from(width.saturating_sub(4));
        let rows = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        let nobody = !self.holders.iter().any(|holder| holder.releasable);
        let ask = if nobody {
            ctx.locale.t("stock.release_nobody")
        } else {
            ctx.locale.t_args("stock.release_body", &[("needed", &self.needed)])
        };
        let mut body = text::wrap(&self.words, room);
        body.extend(text::wrap(&ask, room));
        let wanted = rows(body.len()).saturating_add(rows(self.holders.len())).saturating_add(7);
        let title = ctx.locale.t("stock.release_title");
        let inner = panel::overlay(frame, area, (width, wanted), &title, ctx);
        let [question, _, holders, _, sum, keys] = Layout::vertical([
            Constraint::Length(rows(body.len())),
            Constraint::Length(1),
            Constraint::Fill(1),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(1),
        ])
        .areas(inner);
        frame.render_widget(Paragraph::new(body.into_iter().map(Line::from).collect::<Vec<_>>()), question);
        let look = ListLook { name: LIST, row_height: 1, active: true };
        list::draw(frame, holders, &self.state, self.holders.len(), look, ctx, |index, width| {
            self.holders.get(index).map(|holder| vec![self.row(index, holder, width, ctx)]).unwrap_or_default()
        });
        let freed = self.freed();
        let words = ctx.locale.t_args("stock.release_sum", &[("freed", &freed), ("needed", &self.needed)]);
        let token = match (freed >= self.needed, self.too_few) {
            (true, _) => Token::Success,
            (false, true) => Token::Danger,
            (false, false) => Token::Muted,
        };
        frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(token))), sum);
        footer::draw(frame, keys, Context::Dialog, &[Action::Select, Action::Back], ctx);
    }

    fn row(&self, index: usize, holder: &HolderView, width: u16, ctx: &ViewCtx<'_>) -> Line<'static> {
        let mark = match (holder.releasable, self.chosen.contains(&index)) {
            (false, _) => "·",
            (true, true) => "☑",
            (true, false) => "☐",
        };
        let token = if holder.releasable { Token::Text } else { Token::Muted };
        let status = Status::parse(&holder.status)
            .map_or_else(|| holder.status.clone(), |status| vocabulary::status(status, ctx.locale));
        let why = if holder.releasable { String::new() } else { ctx.locale.t("stock.end_first") };
        let units = format!("× {}", holder.quantity);
        let cells: [(&str, Style); 5] = [
            (mark, ctx.style(Token::Accent)),
            (holder.order_number.as_str(), ctx.style(token)),
            (units.as_str(), ctx.style(token)),
            (status.as_str(), ctx.style(token)),
            (why.as_str(), ctx.style(Token::Muted)),
        ];
        let shape = [Column::Left(1), Column::Left(17), Column::Left(6), Column::Left(12), Column::Fill];
        columns::row(&shape, &cells, width)
    }
}
