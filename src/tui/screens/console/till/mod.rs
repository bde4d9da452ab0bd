//! The console's till: the open drawers of the site with their sums and what should be in them, cash that
//! comes and goes, refunds that wait for the drawer, the X report at any time, the Z close, and the shifts
//! of before with their Z reports. State and what inputs do to it; the words of a report stand in
//! `report`, the report over the tab in `shown`, the shifts of before in `past`, what an act asks for in
//! `question`.

mod past;
mod question;
mod report;
mod shown;

use super::desk::{Commands, Desk, Done, waiting_words};
use super::message::{Act, Ask, Loaded, Msg};
use super::tab::Tab;
use crate::domain::error::Refused;
use crate::domain::ids::ShiftId;
use crate::domain::money::{Currency, Money};
use crate::service::envelope::{Envelope, TillCommand};
use crate::service::till::{ShiftView, TillReport, TillStatus};
use crate::service::till_reports::{OpenShifts, ShiftSums, WaitingCashRefunds, WaitingRefund};
use crate::service::views::Page;
use crate::tui::app::{Env, Hit, Input, Latest, RequestId, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::columns::{self, Column};
use crate::tui::widgets::list::{self, ListLook, ListState};
use crate::tui::widgets::table::{self, TableLook};
use crate::tui::widgets::{footer, panel};
use past::{PAST, Past};
use question::{Closing, Next, Question};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use shown::Shown;

/// The names of the lists in [`Hit::Row`].
const SHIFTS: &str = "shifts";
const PAYOUTS: &str = "payouts";
/// From this width on, the drawer's movements stand beside its sums.
const WIDE: u16 = 110;
/// Columns of the sums where the movements stand beside them, and the most that they are given.
const SUMS_WIDTH: u16 = 52;
/// Open shifts that are seen at once, where there are several.
const SEEN: u16 = 4;

/// What lies over the tab.
#[derive(Debug)]
enum Over {
    Ask(Box<Question>),
    /// What is to be paid out: a refund that waits, or something else.
    Payouts(ListState),
    Report(Box<Shown>),
}

/// The tab.
#[derive(Debug, Default)]
pub(super) struct Till {
    shifts: Latest<Vec<ShiftSums>>,
    state: ListState,
    /// The shift whose sums are shown; none: that of this terminal, else the only one.
    wanted: Option<ShiftId>,
    report: Latest<Option<TillReport>>,
    refunds: Latest<Page<WaitingRefund>>,
    problem: Option<Refused>,
    /// The shifts of before, while they are shown.
    past: Option<Past>,
    over: Option<Over>,
}

impl Till {
    fn open_shifts(&self) -> &[ShiftSums] {
        self.shifts.get().map(Vec::as_slice).unwrap_or_default()
    }

    /// The shift that is shown, where its sums have come.
    fn shown(&self) -> Option<&TillReport> {
        self.report.get().and_then(Option::as_ref).filter(|report| Some(report.shift.id) == self.wanted)
    }

    fn read_report(&mut self, desk: &mut Desk) -> Commands {
        desk.ask(&mut self.report, Ask::Till(TillStatus { shift: self.wanted }))
    }

    /// Brings together which shifts are open and which one is shown.
    fn settle(&mut self, desk: &mut Desk) -> Commands {
        let place = |id: ShiftId| self.open_shifts().iter().position(|sums| sums.shift.id == id);
        if self.shifts.get().is_none() {
            return Vec::new();
        }
        if let Some(wanted) = self.wanted {
            if let Some(at) = place(wanted) {
                self.state.select(at);
                return Vec::new();
            }
            // It was closed.
            self.wanted = None;
            self.report.clear();
            return self.read_report(desk);
        }
        if self.report.is_waiting() {
            return Vec::new();
        }
        let own = self.report.get().and_then(Option::as_ref).map(|report| report.shift.id);
        if let Some((id, at)) = own.and_then(|id| Some((id, place(id)?))) {
            self.wanted = Some(id);
            self.state.select(at);
            return Vec::new();
        }
        self.report.clear();
        self.wanted = self.open_shifts().first().map(|sums| sums.shift.id);
        if self.wanted.is_some() { self.read_report(desk) } else { Vec::new() }
    }

    /// The shift under the selection becomes the one that is shown.
    fn follow(&mut self, desk: &mut Desk) -> Commands {
        let at = self.state.selected(self.open_shifts().len());
        let selected = at.and_then(|at| self.open_shifts().get(at)).map(|sums| sums.shift.id);
        if selected.is_none() || selected == self.wanted {
            return Vec::new();
        }
        self.wanted = selected;
        self.report.clear();
        self.read_report(desk)
    }

    /// The shift that is shown and the site's money, for an act; says why where there is none.
    fn drawer(&self, desk: &mut Desk, env: &Env<'_>) -> Option<(ShiftId, Currency)> {
        let currency = desk.currency()?;
        if let Some(shift) = self.wanted {
            return Some((shift, currency));
        }
        desk.say(env.locale.t("till.open_first"), Token::Muted, env);
        None
    }

    fn begin(&mut self, action: Action, desk: &mut Desk, env: &Env<'_>) -> Commands {
        if action == Action::OpenTill {
            let question = desk.currency().map(|currency| Question::open(currency, env));
            self.over = question.map(|question| Over::Ask(Box::new(question)));
            return Vec::new();
        }
        let refunds = !self.waiting().is_empty();
        let Some((shift, currency)) = self.drawer(desk, env) else { return Vec::new() };
        let question = match action {
            Action::CashIn => Question::cash_in(shift, currency, env),
            Action::CashDrop => Question::drop(shift, currency, env),
            Action::PayOut if refunds => {
                self.over = Some(Over::Payouts(ListState::default()));
                return Vec::new();
            }
            Action::PayOut => Question::payout(shift, currency, env),
            Action::ZReport => {
                // Without its sums nothing could be said about the count.
                let Some(report) = self.shown() else { return Vec::new() };
                let (terminal, expected) = (report.shift.terminal_name.clone(), report.shift.expected);
                Question::close(Closing { shift, terminal, expected }, currency, env)
            }
            _ => {
                let mut shown = Box::new(Shown::new(shift, self.shown().cloned()));
                let commands = shown.load(desk);
                self.over = Some(Over::Report(shown));
                return commands;
            }
        };
        self.over = Some(Over::Ask(Box::new(question)));
        Vec::new()
    }

    fn on_over(
        &mut self,
        over: Over,
        input: &Input<Msg>,
        action: Option<Action>,
        desk: &mut Desk,
        env: &Env<'_>,
    ) -> Commands {
        match over {
            Over::Report(mut shown) => {
                let commands = match action {
                    Some(action) => shown.on_action(action, desk, env.locale),
                    None => Some(Vec::new()),
                };
                if commands.is_some() {
                    self.over = Some(Over::Report(shown));
                }
                commands.unwrap_or_default()
            }
            Over::Payouts(state) => self.on_payouts(state, input, action, desk, env),
            Over::Ask(mut question) => match question.on_input(input, desk, env) {
                Next::Cancelled => Vec::new(),
                Next::Open => {
                    self.over = Some(Over::Ask(question));
                    Vec::new()
                }
                Next::Act(act) => {
                    let commands = desk.act(act, env);
                    if commands.is_empty() {
                        question.rewind(env);
                    }
                    // It stays, so that a refusal leads back to what was typed.
                    self.over = Some(Over::Ask(question));
                    commands
                }
            },
        }
    }

    /// The cash refunds that wait, the first of them.
    fn waiting(&self) -> &[WaitingRefund] {
        self.refunds.get().map_or(&[], |refunds| refunds.items.as_slice())
    }

    fn on_payouts(
        &mut self,
        mut state: ListState,
        input: &Input<Msg>,
        action: Option<Action>,
        desk: &mut Desk,
        env: &Env<'_>,
    ) -> Commands {
        let refunds = self.waiting();
        let len = refunds.len().saturating_add(1);
        let picked = match (input, action) {
            (Input::Click { hit: Some(Hit::Row { list: PAYOUTS, index }), .. }, _) => Some(*index),
            (_, Some(Action::Select)) => state.selected(len),
            (_, Some(Action::Digit(digit))) => usize::from(digit).checked_sub(1).filter(|at| *at < len),
            (_, Some(Action::Back)) => return Vec::new(),
            (_, Some(action)) => {
                state.on_action(action, len);
                None
            }
            (_, None) => None,
        };
        let Some(picked) = picked else {
            self.over = Some(Over::Payouts(state));
            return Vec::new();
        };
        let refund = refunds.get(picked).cloned();
        if let Some((shift, currency)) = self.drawer(desk, env) {
            let question = match refund {
                Some(refund) => Question::refund(refund, currency, env),
                None => Question::payout(shift, currency, env),
            };
            self.over = Some(Over::Ask(Box::new(question)));
        }
        Vec::new()
    }

    /// Takes an action while the shifts of before are shown.
    fn on_past(&mut self, mut past: Past, action: Action, desk: &mut Desk, env: &Env<'_>) -> Commands {
        let commands = match action {
            Action::Back | Action::History => return Vec::new(),
            Action::Select | Action::ZReport | Action::XReport => {
                let mut shown = past.selected().map(|shift| Box::new(Shown::new(shift, None)));
                let commands = shown.as_mut().map(|shown| shown.load(desk)).unwrap_or_default();
                self.over = shown.map(Over::Report);
                commands
            }
            action => past.on_action(action, desk, env),
        };
        self.past = Some(past);
        commands
    }

    /// What is said when an act is done.
    fn done_words(act: &Act, value: &serde_json::Value, desk: &Desk, env: &Env<'_>) -> String {
        let shift = serde_json::from_value::<ShiftView>(value.clone()).ok();
        let expected = shift.map(|shift| desk.money(Money(shift.expected))).unwrap_or_default();
        match act {
            Act::Command(Envelope::Till(TillCommand::Open(_))) => env.locale.t("till.done_open"),
            Act::Command(Envelope::Till(TillCommand::Close(_))) => env.locale.t("till.done_close"),
            Act::Command(Envelope::Till(_)) => env.locale.t_args("till.done_moved", &[("expected", &expected)]),
            _ => env.locale.t("till.done_refund"),
        }
    }

    fn draw_words(&self, words: &str, token: Token, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let rows = text::wrap(words, usize::from(area.width));
        let mut lines: Vec<Line<'_>> = rows.into_iter().map(|row| Line::styled(row, ctx.style(token))).collect();
        let count = self.refunds.get().map_or(0, |refunds| refunds.total);
        if count > 0 {
            let words = ctx.locale.t_plural("till.refunds_wait", count, &[]);
            lines.push(Line::default());
            lines.push(Line::styled(words, ctx.style(Token::Warning)));
        }
        frame.render_widget(Paragraph::new(lines), area);
    }

    /// Every open shift, where there are several.
    fn draw_shifts(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let (terminal, opened, by) =
            (ctx.locale.t("till.terminal"), ctx.locale.t("till.opened_at"), ctx.locale.t("till.by"));
        let expected = ctx.locale.t("till.expected_short");
        let columns = [
            (Column::Fill, terminal.as_str()),
            (Column::Left(16), opened.as_str()),
            (Column::Left(10), by.as_str()),
            (Column::Right(13), expected.as_str()),
        ];
        let look = TableLook { name: SHIFTS, columns: &columns, active: true };
        let shifts = self.open_shifts();
        table::draw(frame, area, &self.state, shifts.len(), look, ctx, |index| match shifts.get(index) {
            Some(ShiftSums { shift, .. }) => vec![
                (shift.terminal_name.clone(), ctx.style(Token::Text)),
                (desk.instant(shift.opened_at), ctx.style(Token::Muted)),
                (shift.opened_by.clone().unwrap_or_default(), ctx.style(Token::Text)),
                (desk.money(Money(shift.expected)), ctx.style(Token::Price)),
            ],
            None => Vec::new(),
        });
    }

    fn draw_drawer(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let several = u16::try_from(self.open_shifts().len()).unwrap_or(u16::MAX);
        let rows = if several > 1 { several.min(SEEN).saturating_add(1) } else { 0 };
        let [top, _, body] =
            Layout::vertical([Constraint::Length(rows), Constraint::Length(u16::from(rows > 0)), Constraint::Fill(1)])
                .areas(area);
        if rows > 0 {
            self.draw_shifts(frame, top, desk, ctx);
        }
        let Some(report) = self.shown() else {
            let (words, token) = waiting_words(self.problem.as_ref(), ctx);
            frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(token))), body);
            return;
        };
        let sums = report::sums(report, desk, ctx.locale);
        let title = ctx.locale.t_args("till.drawer", &[("terminal", &report.shift.terminal_name)]);
        if ctx.size.width >= WIDE {
            let [left, _, right] =
                Layout::horizontal([Constraint::Length(SUMS_WIDTH), Constraint::Length(1), Constraint::Fill(1)])
                    .areas(body);
            let inner = panel::draw(frame, left, &title, rows == 0, ctx);
            frame.render_widget(Paragraph::new(report::lines(&sums, inner.width, ctx)), inner);
            let inner = panel::draw(frame, right, &ctx.locale.t("till.movements"), false, ctx);
            draw_movements(report, frame, inner, desk, ctx);
            return;
        }
        let width = body.width.min(SUMS_WIDTH.saturating_add(12));
        let lines = report::lines(&sums, width, ctx);
        let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(body.height);
        let [first, _, rest] =
            Layout::vertical([Constraint::Length(height), Constraint::Length(1), Constraint::Fill(1)]).areas(body);
        frame.render_widget(Paragraph::new(lines), Rect { width, ..first });
        if rest.height > 1 {
            let [head, rest] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(rest);
            let title = Line::styled(ctx.locale.t("till.movements"), ctx.style(Token::Title));
            frame.render_widget(Paragraph::new(title), head);
            draw_movements(report, frame, rest, desk, ctx);
        }
    }

    fn draw_payouts(&self, state: &ListState, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let refunds = self.waiting();
        let len = refunds.len().saturating_add(1);
        let rows = u16::try_from(len).unwrap_or(u16::MAX);
        let size = (74, rows.saturating_add(4));
        let inner = panel::overlay(frame, area, size, &ctx.locale.t("till.payouts_title"), ctx);
        let [body, _, keys] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(1), Constraint::Length(1)]).areas(inner);
        let look = ListLook { name: PAYOUTS, row_height: 1, active: true };
        list::draw(frame, body, state, len, look, ctx, |index, width| {
            let digit = if index < 9 { index.saturating_add(1).to_string() } else { String::new() };
            let (words, amount) = match refunds.get(index) {
                Some(refund) => {
                    let name = refund.called_name.clone().unwrap_or_default();
                    let reason = refund.reason.clone().unwrap_or_default();
                    let about = [name, reason].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
                    let words = ctx
                        .locale
                        .t_args("till.refund_row", &[("number", &refund.order_number), ("about", &about.join(", "))]);
                    (words, desk.money(Money(refund.amount)))
                }
                None => (ctx.locale.t("till.something_else"), String::new()),
            };
            let cells = [
                (digit.as_str(), ctx.style(Token::Accent)),
                (words.as_str(), ctx.style(Token::Text)),
                (amount.as_str(), ctx.style(Token::Price)),
            ];
            vec![columns::row(&[Column::Left(1), Column::Fill, Column::Right(12)], &cells, width)]
        });
        footer::draw(frame, keys, Context::Dialog, &[Action::Select, Action::Back], ctx);
    }
}

/// The movements of a drawer, the newest first, as many as fit.
fn draw_movements(report: &TillReport, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
    let newest = report.movements.iter().rev().take(usize::from(area.height));
    let mut lines: Vec<Line<'_>> = newest.map(|row| report::movement(row, area.width, desk, ctx)).collect();
    if lines.is_empty() {
        lines.push(Line::styled(ctx.locale.t("till.no_movements"), ctx.style(Token::Muted)));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

impl Tab for Till {
    fn load(&mut self, desk: &mut Desk) -> Commands {
        let mut commands = desk.ask(&mut self.shifts, Ask::Shifts(OpenShifts));
        commands.extend(desk.ask(&mut self.refunds, Ask::CashRefunds(WaitingCashRefunds::default())));
        commands.extend(self.read_report(desk));
        if let Some(past) = &mut self.past {
            commands.extend(past.load(desk));
        }
        if let Some(Over::Report(shown)) = &mut self.over {
            commands.extend(shown.load(desk));
        }
        commands
    }

    fn context(&self) -> Context {
        match &self.over {
            Some(Over::Ask(question)) => question.context(),
            Some(Over::Payouts(_)) => Context::Dialog,
            Some(Over::Report(_)) => Context::ConsoleTill,
            None => self.past.as_ref().and_then(Past::context).unwrap_or(Context::ConsoleTill),
        }
    }

    fn is_covered(&self) -> bool {
        self.over.is_some() || self.past.as_ref().is_some_and(|past| past.context().is_some())
    }

    fn is_waiting(&self) -> bool {
        let first = self.shifts.get().is_none() && self.shifts.is_waiting();
        let report = self.wanted.is_some() && self.shown().is_none() && self.report.is_waiting();
        let awaited = self.past.as_ref().map_or(first || report, |past| past.list.is_first_awaited());
        !self.is_covered() && awaited
    }

    fn hints(&self, _desk: &Desk) -> Vec<Action> {
        if self.past.is_some() {
            return vec![Action::Select, Action::Filter, Action::Back, Action::Palette, Action::Help];
        }
        if self.open_shifts().is_empty() {
            return vec![Action::OpenTill, Action::History, Action::Palette, Action::SignOut, Action::Help];
        }
        vec![
            Action::CashIn,
            Action::CashDrop,
            Action::PayOut,
            Action::XReport,
            Action::ZReport,
            Action::History,
            Action::Help,
        ]
    }

    fn on_input(&mut self, input: &Input<Msg>, action: Option<Action>, desk: &mut Desk, env: &Env<'_>) -> Commands {
        if let Some(over) = self.over.take() {
            return self.on_over(over, input, action, desk, env);
        }
        if let Some(commands) = self.past.as_mut().and_then(|past| past.on_input(input, desk, env)) {
            return commands;
        }
        match (input, &mut self.past) {
            (Input::Click { hit: Some(Hit::Row { list: PAST, index }), .. }, Some(past)) => {
                past.list.state.select(*index);
                return Vec::new();
            }
            (Input::Click { hit: Some(Hit::Row { list: SHIFTS, index }), .. }, None) => {
                self.state.select(*index);
                return self.follow(desk);
            }
            _ => {}
        }
        let Some(action) = action else { return Vec::new() };
        if let Some(past) = self.past.take() {
            return self.on_past(past, action, desk, env);
        }
        match action {
            Action::OpenTill
            | Action::CashIn
            | Action::CashDrop
            | Action::PayOut
            | Action::XReport
            | Action::ZReport => self.begin(action, desk, env),
            Action::Select if self.open_shifts().is_empty() => self.begin(Action::OpenTill, desk, env),
            Action::Select => self.begin(Action::XReport, desk, env),
            Action::History => self.past.insert(Past::default()).load(desk),
            action => {
                self.state.on_action(action, self.open_shifts().len());
                self.follow(desk)
            }
        }
    }

    fn on_loaded(
        &mut self,
        request: RequestId,
        result: Result<Loaded, Refused>,
        desk: &mut Desk,
        _env: &Env<'_>,
    ) -> Commands {
        let mut result = result;
        if let Some(Over::Report(shown)) = &mut self.over {
            match shown.answer(request, result) {
                Some(other) => result = other,
                None => return Vec::new(),
            }
        }
        match result {
            Ok(Loaded::Shifts(shifts)) => {
                if self.shifts.answer(request, *shifts) {
                    self.problem = None;
                }
            }
            Ok(Loaded::Till(report)) => {
                self.report.answer(request, *report);
            }
            Ok(Loaded::CashRefunds(refunds)) => {
                self.refunds.answer(request, *refunds);
            }
            Ok(loaded) => {
                if let Some(past) = &mut self.past {
                    past.answer(request, Ok(loaded));
                }
            }
            Err(refused) => {
                if self.shifts.settle(request) || self.report.settle(request) {
                    self.problem = Some(refused);
                } else if !self.refunds.settle(request)
                    && let Some(past) = &mut self.past
                {
                    past.answer(request, Err(refused));
                }
                return Vec::new();
            }
        }
        self.settle(desk)
    }

    fn on_done(&mut self, done: Done, desk: &mut Desk, env: &Env<'_>) -> Commands {
        match done.result {
            Ok(value) => {
                let words = Self::done_words(&done.act, &value, desk, env);
                desk.say(words, Token::Success, env);
                self.over = None;
                match &done.act {
                    Act::Command(Envelope::Till(TillCommand::Open(_))) => {
                        let shift = serde_json::from_value::<ShiftView>(value).ok();
                        self.wanted = shift.map(|shift| shift.id).or(self.wanted);
                    }
                    Act::Command(Envelope::Till(TillCommand::Close(_))) => {
                        // What was closed is shown at once: over or short is why it was counted.
                        let closed = serde_json::from_value::<TillReport>(value).ok();
                        self.over =
                            closed.map(|report| Over::Report(Box::new(Shown::new(report.shift.id, Some(report)))));
                    }
                    _ => {}
                }
            }
            Err(refused) => match &mut self.over {
                Some(Over::Ask(question)) => question.refuse(&refused, env),
                _ => desk.refuse(&refused, env),
            },
        }
        Vec::new()
    }

    fn on_file(&mut self, message: Msg, desk: &mut Desk, env: &Env<'_>) -> Commands {
        let Msg::Saved { request, result } = message else { return Vec::new() };
        let Some(Over::Report(shown)) = &mut self.over else { return Vec::new() };
        if shown.saved(request) {
            match result {
                Ok(path) => {
                    let path = path.display().to_string();
                    desk.say(env.locale.t_args("till.saved", &[("path", &path)]), Token::Success, env);
                }
                Err(refused) => desk.refuse(&refused, env),
            }
        }
        Vec::new()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        match (&self.past, self.shifts.get()) {
            (Some(past), _) => past.draw(frame, area, desk, ctx),
            (None, None) => {
                let (words, token) = waiting_words(self.problem.as_ref(), ctx);
                self.draw_words(&words, token, frame, area, ctx);
            }
            (None, Some(shifts)) if shifts.is_empty() => {
                self.draw_words(&ctx.locale.t("till.is_closed"), Token::Text, frame, area, ctx);
            }
            (None, Some(_)) => self.draw_drawer(frame, area, desk, ctx),
        }
        match &self.over {
            Some(Over::Ask(question)) => question.draw(frame, area, ctx),
            Some(Over::Payouts(state)) => self.draw_payouts(state, frame, area, desk, ctx),
            Some(Over::Report(shown)) => shown.draw(frame, area, desk, ctx),
            None => {}
        }
    }
}
