//! The console's reports: six of them, one keystroke apart, of any range of days, as charts and tables
//! and as files. State and what inputs do to it; what a report shows is drawn in `sales`, `volume` and
//! `losses`, what is counted is the service's business.

mod days;
mod kind;
mod losses;
mod sales;
mod volume;

use super::desk::{Commands, Desk, Done, archived_lines, waiting_words};
use super::leaf::{self, Leaf, Scroll};
use super::message::{Ask, Effect, Loaded, Msg};
use super::tab::Tab;
use crate::domain::error::Refused;
use crate::domain::report::parse_day;
use crate::service::archived_days::{ArchivedDays, ShowArchivedDays};
use crate::service::reports::{BusinessToday, Today};
use crate::tui::app::{Cmd, Env, Hit, Input, Latest, RequestId, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::dialog::{Answer, Dialog};
use crate::tui::widgets::form::{Filled, Form};
use chrono::NaiveDate;
use days::Days;
use kind::{Kind, View};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use std::collections::BTreeMap;

/// The name of the reports in [`Hit::Row`].
const KINDS: &str = "reports";
/// Days whose names, from Monday, stand in charts.
const WEEKDAYS: [&str; 7] = [
    "reports.monday",
    "reports.tuesday",
    "reports.wednesday",
    "reports.thursday",
    "reports.friday",
    "reports.saturday",
    "reports.sunday",
];

/// What lies over the tab.
#[derive(Debug)]
enum Over {
    Days(Dialog),
    Between(Form),
    Export(Dialog),
}

/// The tab.
#[derive(Debug, Default)]
pub(super) struct Reports {
    kind: Kind,
    days: Days,
    /// The business day, where the site has not told it yet.
    today: Latest<Today>,
    /// The days whose orders are in a file.
    archived: Latest<Option<ArchivedDays>>,
    /// What has come of each report for these days.
    answers: BTreeMap<Kind, Latest<View>>,
    problem: Option<Refused>,
    /// Items by quantity; else by revenue.
    by_quantity: bool,
    scroll: Scroll,
    over: Option<Over>,
    /// The file that is being written.
    saving: Option<RequestId>,
}

impl Reports {
    fn day(&self, desk: &Desk) -> Option<NaiveDate> {
        let told = desk.business_day().and_then(|day| parse_day("day", &day).ok());
        told.or_else(|| self.today.get().map(|today| today.day))
    }

    fn read(&mut self, desk: &mut Desk) -> Commands {
        match self.day(desk) {
            Some(today) => {
                let ask = self.kind.ask(self.days.range(today));
                desk.ask(self.answers.entry(self.kind).or_default(), ask)
            }
            None => desk.ask(&mut self.today, Ask::Today(BusinessToday)),
        }
    }

    fn view_now(&self) -> Option<&View> {
        self.answers.get(&self.kind).and_then(Latest::get)
    }

    fn turn(&mut self, kind: Kind, desk: &mut Desk) -> Commands {
        self.kind = kind;
        self.scroll.reset();
        self.problem = None;
        self.read(desk)
    }

    fn set_days(&mut self, days: Days, desk: &mut Desk) -> Commands {
        self.days = days;
        self.answers.clear();
        self.scroll.reset();
        self.problem = None;
        self.read(desk)
    }

    fn on_over(&mut self, over: Over, input: &Input<Msg>, desk: &mut Desk, env: &Env<'_>) -> Commands {
        match over {
            Over::Days(mut dialog) => match dialog.on_input(input, env) {
                Answer::Chosen(place) => match (Days::offered(place), self.day(desk)) {
                    (Some(days), _) => return self.set_days(days, desk),
                    (None, Some(today)) => self.over = Some(Over::Between(self.days.form(today, env))),
                    (None, None) => desk.say(env.locale.t("console.loading"), Token::Muted, env),
                },
                Answer::Open => self.over = Some(Over::Days(dialog)),
                Answer::Cancelled | Answer::Text(_) => {}
            },
            Over::Between(mut form) => match form.on_input(input, env) {
                Filled::Open => self.over = Some(Over::Between(form)),
                Filled::Cancelled => {}
                Filled::Sent => match Days::typed(&mut form, env) {
                    Some(days) => return self.set_days(days, desk),
                    None => self.over = Some(Over::Between(form)),
                },
            },
            Over::Export(mut dialog) => match dialog.on_input(input, env) {
                Answer::Chosen(place) => return self.export(place == 0, desk, env),
                Answer::Open => self.over = Some(Over::Export(dialog)),
                Answer::Cancelled | Answer::Text(_) => {}
            },
        }
        Vec::new()
    }

    /// Writes what is shown into a file: CSV, else JSON.
    fn export(&mut self, csv: bool, desk: &mut Desk, env: &Env<'_>) -> Commands {
        let (Some(view), Some(currency)) = (self.view_now(), desk.currency()) else {
            desk.say(env.locale.t("console.loading"), Token::Muted, env);
            return Vec::new();
        };
        let name = view.file_name(if csv { "csv" } else { "json" });
        let request = desk.request();
        let effect = if csv {
            view.csv(currency).map(|content| Effect::Save { request, name, content })
        } else {
            view.json().map(|view| Effect::SaveView { request, name, view })
        };
        match effect {
            Ok(effect) => {
                self.saving = Some(request);
                vec![Cmd::Effect(effect)]
            }
            Err(refused) => {
                desk.refuse(&refused, env);
                Vec::new()
            }
        }
    }

    fn draw_kinds(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let mut x = area.x;
        for (index, kind) in Kind::ALL.into_iter().enumerate() {
            let name = format!(" {} ", ctx.locale.t(kind.title_key()));
            let wanted = u16::try_from(text::display_width(&name)).unwrap_or(u16::MAX);
            let place = Rect { x, width: wanted.min(area.right().saturating_sub(x)), height: 1, ..area };
            let token = if kind == self.kind { Token::Selected } else { Token::Muted };
            frame.render_widget(Paragraph::new(Span::styled(name, ctx.style(token))), place);
            ctx.hit(place, Hit::Row { list: KINDS, index });
            x = x.saturating_add(wanted).min(area.right());
        }
    }

    fn draw_body(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let only = |words: String, token: Token, frame: &mut Frame<'_>| {
            let rows = text::wrap(&words, usize::from(area.width));
            let lines: Vec<Line<'_>> = rows.into_iter().map(|row| Line::styled(row, ctx.style(token))).collect();
            frame.render_widget(Paragraph::new(lines), area);
        };
        let Some(view) = self.view_now() else {
            let (words, token) = waiting_words(self.problem.as_ref(), ctx);
            return only(words, token, frame);
        };
        if view.is_empty() {
            return only(ctx.locale.t("reports.nothing"), Token::Muted, frame);
        }
        let two = |least: u16| {
            let (left, right) = leaf::widths(area, least).unwrap_or((leaf::width(area), leaf::width(area)));
            (Leaf::new(left, desk, ctx), Leaf::new(right, desk, ctx))
        };
        match view {
            View::Sales(view) => leaf::draw_two(frame, area, sales::write(view, two(sales::LEAST)), &self.scroll),
            View::Items(view) => {
                let page = volume::items(view, self.by_quantity, Leaf::new(leaf::width(area), desk, ctx));
                leaf::draw(frame, area, page, &self.scroll);
            }
            View::Hours(view) => leaf::draw_two(frame, area, volume::hours(view, two(volume::LEAST)), &self.scroll),
            View::Speed(view) => leaf::draw_two(frame, area, volume::speed(view, two(volume::LEAST)), &self.scroll),
            View::Refunds(view) => leaf::draw_two(frame, area, losses::write(view, two(losses::LEAST)), &self.scroll),
            View::Statistics(view) => {
                leaf::draw_two(frame, area, sales::statistics(view, two(sales::LEAST)), &self.scroll);
            }
        }
    }
}

/// A day in a chart: the weekday first, because that is what a week is compared by.
fn day_name(day: NaiveDate, leaf: &Leaf<'_>) -> String {
    let weekday = WEEKDAYS.get(crate::domain::report::weekday_of(day)).map(|key| leaf.t(key)).unwrap_or_default();
    format!("{weekday} {}", day.format("%d %b"))
}

impl Tab for Reports {
    fn load(&mut self, desk: &mut Desk) -> Commands {
        let mut commands = self.read(desk);
        commands.extend(desk.ask(&mut self.archived, Ask::Archived(ShowArchivedDays)));
        commands
    }

    fn context(&self) -> Context {
        match &self.over {
            Some(Over::Days(dialog) | Over::Export(dialog)) => dialog.context(),
            Some(Over::Between(form)) => form.context(),
            None => Context::ConsoleReports,
        }
    }

    fn is_covered(&self) -> bool {
        self.over.is_some()
    }

    fn is_waiting(&self) -> bool {
        // The first report decides what can be written, sorted and scrolled; turning to another does not
        // wait for the one before it.
        let none = self.answers.values().all(|latest| latest.get().is_none());
        let asked = self.today.is_waiting() || self.answers.values().any(Latest::is_waiting);
        !self.is_covered() && none && asked
    }

    fn hints(&self, _desk: &Desk) -> Vec<Action> {
        let mut hints = vec![Action::Right, Action::Range, Action::Export];
        if self.kind == Kind::Items {
            hints.push(Action::Sort);
        }
        hints.extend([Action::Down, Action::Palette, Action::SignOut, Action::Help]);
        hints
    }

    fn on_input(&mut self, input: &Input<Msg>, action: Option<Action>, desk: &mut Desk, env: &Env<'_>) -> Commands {
        if let Some(over) = self.over.take() {
            return self.on_over(over, input, desk, env);
        }
        match input {
            Input::Click { hit: Some(Hit::Row { list: KINDS, index }), .. } => {
                return Kind::ALL.get(*index).copied().map(|kind| self.turn(kind, desk)).unwrap_or_default();
            }
            Input::Scroll { down, .. } => {
                self.scroll.on_action(if *down { Action::Down } else { Action::Up });
                return Vec::new();
            }
            _ => {}
        }
        match action {
            Some(Action::Left | Action::Right) => self.turn(self.kind.next(action == Some(Action::Right)), desk),
            Some(Action::Range) => {
                self.over = Some(Over::Days(Days::question(env)));
                Vec::new()
            }
            Some(Action::Sort) if self.kind == Kind::Items => {
                self.by_quantity = !self.by_quantity;
                self.scroll.reset();
                Vec::new()
            }
            Some(Action::Sort) => {
                desk.say(env.locale.t("console.nothing_to_do"), Token::Muted, env);
                Vec::new()
            }
            Some(Action::Export) => {
                let choices = vec![env.locale.t("reports.as_csv"), env.locale.t("reports.as_json")];
                let title = env.locale.t(self.kind.title_key());
                self.over = Some(Over::Export(Dialog::choice(title, env.locale.t("reports.export_body"), choices)));
                Vec::new()
            }
            Some(action) => {
                self.scroll.on_action(action);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    fn on_loaded(
        &mut self,
        request: RequestId,
        result: Result<Loaded, Refused>,
        desk: &mut Desk,
        _env: &Env<'_>,
    ) -> Commands {
        match result {
            Ok(Loaded::Today(today)) => {
                if self.today.answer(request, *today) {
                    return self.read(desk);
                }
            }
            Ok(Loaded::Archived(archived)) => {
                self.archived.answer(request, *archived);
            }
            Ok(loaded) => {
                // A report of days that are no longer wanted finds nobody who waits for it.
                if let Some(view) = View::of(loaded)
                    && let Some(latest) = self.answers.get_mut(&view.kind())
                    && latest.answer(request, view)
                {
                    self.problem = None;
                }
            }
            Err(refused) => {
                let mut latest = self.answers.values_mut();
                if self.archived.settle(request) {
                    // The report itself says what is wrong with the store.
                    return Vec::new();
                }
                if self.today.settle(request) || latest.any(|latest| latest.settle(request)) {
                    self.problem = Some(refused);
                }
            }
        }
        Vec::new()
    }

    fn on_done(&mut self, done: Done, desk: &mut Desk, env: &Env<'_>) -> Commands {
        if let Err(refused) = done.result {
            desk.refuse(&refused, env);
        }
        Vec::new()
    }

    fn on_file(&mut self, message: Msg, desk: &mut Desk, env: &Env<'_>) -> Commands {
        if let Msg::Saved { request, result } = message
            && self.saving.take_if(|saving| *saving == request).is_some()
        {
            match result {
                Ok(path) => {
                    let words = env.locale.t_args("reports.written", &[("path", &path.display())]);
                    desk.say(words, Token::Success, env);
                }
                Err(refused) => desk.refuse(&refused, env),
            }
        }
        Vec::new()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let today = self.day(desk);
        let from = today.map(|today| self.days.range(today).0);
        let said = match from {
            Some(from) => archived_lines(&self.archived, Some(from), "reports.archived", area.width, ctx),
            None => Vec::new(),
        };
        let [kinds, days, notice, _, body] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(u16::try_from(said.len()).unwrap_or_default()),
            Constraint::Length(1),
            Constraint::Fill(1),
        ])
        .areas(area);
        self.draw_kinds(frame, kinds, ctx);
        frame.render_widget(Paragraph::new(said), notice);
        if let Some(today) = today {
            let words = format!(" {}", self.days.words(today, ctx.locale));
            frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(Token::Muted))), days);
        }
        self.draw_body(frame, body, desk, ctx);
        match &self.over {
            Some(Over::Days(dialog) | Over::Export(dialog)) => dialog.draw(frame, area, ctx),
            Some(Over::Between(form)) => form.draw(frame, area, ctx),
            None => {}
        }
    }
}
