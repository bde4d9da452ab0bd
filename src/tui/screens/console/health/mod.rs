//! The console's health page: what is well and what is not, with what to do about it; a new look, the
//! proof and a backup on demand. It looks again by itself while it is open. State and what inputs do to
//! it; the page is drawn in `page`, and what is a concern is the service's business.

mod page;

use super::desk::{Commands, Desk, Done, waiting_words};
use super::leaf::{self, Leaf, Scroll};
use super::message::{Act, Ask, Loaded, Msg};
use super::tab::Tab;
use crate::domain::error::Refused;
use crate::domain::time::Timestamp;
use crate::service::health::HealthView;
use crate::store::doctor::DoctorReport;
use crate::tui::app::{Env, Input, Latest, RequestId, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::dialog::{Answer, Dialog};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use serde_json::Value;

/// Seconds between two looks while the page is open.
const EVERY_SECONDS: i64 = 10;

/// The tab.
#[derive(Debug, Default)]
pub(super) struct Health {
    view: Latest<HealthView>,
    problem: Option<Refused>,
    /// When it was last asked for.
    asked_at: Timestamp,
    scroll: Scroll,
    /// The question whether a backup is wanted.
    sure: Option<Dialog>,
}

impl Health {
    fn look(&mut self, desk: &mut Desk) -> Commands {
        self.asked_at = desk.now;
        desk.ask(&mut self.view, Ask::Health)
    }

    fn draw_head(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let Some(view) = self.view.get() else { return };
        let (key, token) = match (view.is_healthy(), view.concerns.is_empty()) {
            (true, true) => ("health.well", Token::Success),
            (true, false) => ("health.well_enough", Token::Warning),
            (false, _) => ("health.not_well", Token::Danger),
        };
        let looked = ctx.locale.t_args("health.looked_at", &[("at", &desk.minute(view.at))]);
        let width = u16::try_from(text::display_width(&looked)).unwrap_or_default();
        let [left, right] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(width)]).areas(area);
        frame.render_widget(Paragraph::new(Line::styled(ctx.locale.t(key), ctx.style(token))), left);
        frame.render_widget(Paragraph::new(Line::styled(looked, ctx.style(Token::Muted))), right);
    }
}

/// What is said of a change that was made from here.
fn done_words(act: &Act, value: Value, env: &Env<'_>) -> (String, Token) {
    match act {
        Act::Backup => {
            let file = value.get("file").and_then(Value::as_str).unwrap_or_default().to_owned();
            (env.locale.t_args("health.backup_done", &[("file", &file)]), Token::Success)
        }
        _ => match serde_json::from_value::<DoctorReport>(value) {
            Ok(report) if report.is_healthy() => {
                let rows = report.checks.iter().fold(0_i64, |sum, check| sum.saturating_add(check.rows_examined));
                (env.locale.t_plural("health.proved", rows, &[]), Token::Success)
            }
            Ok(report) => {
                let first = report.violations().find_map(|check| check.violation.clone()).unwrap_or_default();
                (env.locale.t_args("health.not_proved", &[("first", &first)]), Token::Danger)
            }
            Err(_) => (env.locale.t("console.failed"), Token::Danger),
        },
    }
}

impl Tab for Health {
    fn load(&mut self, desk: &mut Desk) -> Commands {
        self.look(desk)
    }

    fn context(&self) -> Context {
        self.sure.as_ref().map_or(Context::ConsoleHealth, Dialog::context)
    }

    fn is_covered(&self) -> bool {
        self.sure.is_some()
    }

    fn is_waiting(&self) -> bool {
        !self.is_covered() && self.view.get().is_none() && self.view.is_waiting()
    }

    fn hints(&self, _desk: &Desk) -> Vec<Action> {
        vec![
            Action::Refresh,
            Action::Verify,
            Action::Backup,
            Action::Down,
            Action::Palette,
            Action::SignOut,
            Action::Help,
        ]
    }

    fn on_input(&mut self, input: &Input<Msg>, action: Option<Action>, desk: &mut Desk, env: &Env<'_>) -> Commands {
        if let Some(mut sure) = self.sure.take() {
            match sure.on_input(input, env) {
                Answer::Open => self.sure = Some(sure),
                Answer::Chosen(0) => {
                    if !desk.is_busy() {
                        desk.say(env.locale.t("health.backing_up"), Token::Muted, env);
                    }
                    return desk.act(Act::Backup, env);
                }
                Answer::Chosen(_) | Answer::Cancelled | Answer::Text(_) => {}
            }
            return Vec::new();
        }
        if let Input::Scroll { down, .. } = input {
            self.scroll.on_action(if *down { Action::Down } else { Action::Up });
            return Vec::new();
        }
        match action {
            Some(Action::Refresh) => self.look(desk),
            Some(Action::Verify) => {
                if !desk.is_busy() {
                    desk.say(env.locale.t("health.proving"), Token::Muted, env);
                }
                desk.act(Act::Prove, env)
            }
            Some(Action::Backup) => {
                let (title, body) = (env.locale.t("health.backup_title"), env.locale.t("health.backup_body"));
                self.sure = Some(Dialog::confirm(title, body, env));
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
        _desk: &mut Desk,
        _env: &Env<'_>,
    ) -> Commands {
        match result {
            Ok(Loaded::Health(view)) => {
                if self.view.answer(request, *view) {
                    self.problem = None;
                }
            }
            Ok(_) => {}
            Err(refused) => {
                if self.view.settle(request) {
                    self.problem = Some(refused);
                }
            }
        }
        Vec::new()
    }

    fn on_done(&mut self, done: Done, desk: &mut Desk, env: &Env<'_>) -> Commands {
        match done.result {
            Ok(value) => {
                let (words, token) = done_words(&done.act, value, env);
                desk.say(words, token, env);
            }
            Err(refused) => desk.refuse(&refused, env),
        }
        Vec::new()
    }

    fn on_tick(&mut self, desk: &mut Desk) -> Commands {
        let passed = desk.now.seconds_since(self.asked_at);
        // A clock that was set back must not silence it.
        if (0..EVERY_SECONDS).contains(&passed) { Vec::new() } else { self.look(desk) }
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let [head, _, body] =
            Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        self.draw_head(frame, head, desk, ctx);
        match self.view.get() {
            Some(view) => {
                let (left, right) = leaf::widths(body, page::LEAST).unwrap_or((leaf::width(body), leaf::width(body)));
                let leaves = (Leaf::new(left, desk, ctx), Leaf::new(right, desk, ctx));
                leaf::draw_two(frame, body, page::write(view, leaves), &self.scroll);
            }
            None => {
                let (words, token) = waiting_words(self.problem.as_ref(), ctx);
                let rows = text::wrap(&words, usize::from(body.width));
                let lines: Vec<Line<'_>> = rows.into_iter().map(|row| Line::styled(row, ctx.style(token))).collect();
                frame.render_widget(Paragraph::new(lines), body);
            }
        }
        if let Some(sure) = &self.sure {
            sure.draw(frame, area, ctx);
        }
    }
}
