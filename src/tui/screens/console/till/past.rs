//! The closed shifts of the till, page by page: by what they are narrowed, the form in which that is
//! chosen, and how the list is drawn. Which report is opened is the tab's business.

use super::super::desk::{Commands, Desk, draw_words, waiting_words};
use super::super::message::{Ask, Loaded, Msg};
use super::super::paged::{Paged, Wanted};
use super::super::span::Span;
use super::report;
use crate::domain::error::Refused;
use crate::domain::ids::ShiftId;
use crate::domain::money::Money;
use crate::service::till_reports::{ClosedFilter, ClosedShifts, ShiftSums};
use crate::tui::app::{Env, Input, RequestId, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::locale::Locale;
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::columns::Column;
use crate::tui::widgets::form::{Field, Filled, Form, Kind};
use crate::tui::widgets::table::{self, TableLook};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

/// The name of the list in [`crate::tui::app::Hit::Row`].
pub(super) const PAST: &str = "past_shifts";
/// The longest word to look for.
const WORD: usize = 60;

/// What is wanted. An empty word narrows nothing.
#[derive(Debug, Clone, Default)]
struct Filter {
    terminal: String,
    person: String,
    days: Span,
}

impl Filter {
    fn closed(&self, desk: &Desk) -> ClosedFilter {
        let (from, until) = self.days.bounds(desk);
        ClosedFilter { terminal: Some(self.terminal.clone()), person: Some(self.person.clone()), from, until }
    }

    fn words(&self, locale: &Locale) -> String {
        let given = [&self.terminal, &self.person].into_iter().filter(|word| !word.is_empty());
        let words: Vec<String> = std::iter::once(self.days.words(locale)).chain(given.cloned()).collect();
        words.join(" · ")
    }

    fn form(&self, env: &Env<'_>) -> Form {
        let locale = env.locale;
        let line = |name, label: String, value: &str| Field::line(name, label, Kind::Text, WORD, value);
        let mut fields = vec![
            line("terminal", locale.t("till.terminal"), &self.terminal).with_help(locale.t("till.terminal_help")),
            line("person", locale.t("till.person"), &self.person).with_help(locale.t("till.person_help")),
        ];
        fields.extend(self.days.fields(locale));
        Form::new(locale.t("till.filter"), locale.t("audit.filter_body"), fields)
    }
}

/// The list.
#[derive(Debug, Default)]
pub(super) struct Past {
    pub(super) list: Paged<ShiftSums>,
    filter: Filter,
    form: Option<Form>,
}

fn question(filter: ClosedFilter) -> impl FnOnce(Wanted) -> Ask {
    move |wanted| Ask::PastShifts(ClosedShifts { filter, after: wanted.after, limit: wanted.limit })
}

impl Past {
    pub(super) fn load(&mut self, desk: &mut Desk) -> Commands {
        let filter = self.filter.closed(desk);
        self.list.reload(desk, question(filter))
    }

    /// The shift that is selected.
    pub(super) fn selected(&self) -> Option<ShiftId> {
        self.list.selected().map(|sums| sums.shift.id)
    }

    /// Where the keys of its form are looked up; `None` while there is none.
    pub(super) fn context(&self) -> Option<Context> {
        self.form.as_ref().map(Form::context)
    }

    /// Takes an input while its form is open; `None` where there is none.
    pub(super) fn on_input(&mut self, input: &Input<Msg>, desk: &mut Desk, env: &Env<'_>) -> Option<Commands> {
        let mut form = self.form.take()?;
        match form.on_input(input, env) {
            Filled::Open => self.form = Some(form),
            Filled::Cancelled => {}
            Filled::Sent => match Span::filled(&mut form, env) {
                Some(days) => {
                    self.filter = Filter { terminal: form.text("terminal"), person: form.text("person"), days };
                    self.list.clear();
                    return Some(self.load(desk));
                }
                None => self.form = Some(form),
            },
        }
        Some(Vec::new())
    }

    /// Takes an action while no form is open.
    pub(super) fn on_action(&mut self, action: Action, desk: &mut Desk, env: &Env<'_>) -> Commands {
        if action == Action::Filter {
            self.form = Some(self.filter.form(env));
            return Vec::new();
        }
        let filter = self.filter.closed(desk);
        self.list.on_action(action, desk, question(filter)).unwrap_or_default()
    }

    /// Takes an answer; false where it is not this list's.
    pub(super) fn answer(&mut self, request: RequestId, result: Result<Loaded, Refused>) -> bool {
        let same = |one: &ShiftSums, other: &ShiftSums| one.shift.id == other.shift.id;
        match result {
            Ok(Loaded::PastShifts(page)) => self.list.answer(request, Ok(*page), same),
            Ok(_) => false,
            Err(refused) => self.list.answer(request, Err(refused), same),
        }
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let [top, _, body] =
            Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        let title = self.list.count_words("till.past", ctx.locale);
        let width = u16::try_from(text::display_width(&title)).unwrap_or_default();
        let [left, _, right] =
            Layout::horizontal([Constraint::Length(width), Constraint::Length(2), Constraint::Fill(1)]).areas(top);
        frame.render_widget(Paragraph::new(Line::styled(title, ctx.style(Token::Title))), left);
        let words = text::truncate_to_width(&text::clean(&self.filter.words(ctx.locale)), usize::from(right.width));
        frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(Token::Muted))).right_aligned(), right);
        if self.list.items().is_empty() {
            let (words, token) = if self.list.is_loaded() && self.list.problem().is_none() {
                (ctx.locale.t("till.no_past"), Token::Muted)
            } else {
                waiting_words(self.list.problem(), ctx)
            };
            draw_words(&words, token, frame, body, ctx);
        } else {
            self.draw_rows(frame, body, desk, ctx);
        }
        if let Some(form) = &self.form {
            form.draw(frame, area, ctx);
        }
    }

    fn draw_rows(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let (closed, terminal, by) =
            (ctx.locale.t("till.closed_at"), ctx.locale.t("till.terminal"), ctx.locale.t("till.by"));
        let (sales, counted, over) =
            (ctx.locale.t("till.sales"), ctx.locale.t("till.counted"), ctx.locale.t("till.over_short"));
        let columns = [
            (Column::Left(16), closed.as_str()),
            (Column::Fill, terminal.as_str()),
            (Column::Left(8), by.as_str()),
            (Column::Right(11), sales.as_str()),
            (Column::Right(11), counted.as_str()),
            (Column::Right(15), over.as_str()),
        ];
        let look = TableLook { name: PAST, columns: &columns, active: true };
        let items = self.list.items();
        table::draw(frame, area, &self.list.state, items.len(), look, ctx, |index| match items.get(index) {
            Some(sums) => cells(sums, desk, ctx),
            None => Vec::new(),
        });
    }
}

fn cells(sums: &ShiftSums, desk: &Desk, ctx: &ViewCtx<'_>) -> Vec<(String, Style)> {
    let shift = &sums.shift;
    let money = |amount: Option<i64>| amount.map(|amount| desk.money(Money(amount))).unwrap_or_default();
    let (over, token) =
        shift.over_short.map_or((String::new(), Token::Muted), |amount| report::over_short(amount, desk, ctx.locale));
    vec![
        (shift.closed_at.map(|at| desk.instant(at)).unwrap_or_default(), ctx.style(Token::Muted)),
        (shift.terminal_name.clone(), ctx.style(Token::Text)),
        (shift.closed_by.clone().unwrap_or_default(), ctx.style(Token::Text)),
        (money(Some(sums.sales.amount)), ctx.style(Token::Price)),
        (money(shift.counted), ctx.style(Token::Price)),
        (over, ctx.style(token)),
    ]
}
