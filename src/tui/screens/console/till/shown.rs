//! A shift's report over the tab: the X report of an open shift at any time, the Z report of a closed one.
//! It scrolls, is read again while the shift goes on, and can be written to a file.

use super::super::desk::{Commands, Desk, waiting_words};
use super::super::message::{Ask, Effect, Loaded};
use super::report;
use crate::domain::error::Refused;
use crate::domain::ids::ShiftId;
use crate::domain::time::Timestamp;
use crate::service::till::{TillReport, TillStatus};
use crate::tui::app::{Cmd, Latest, RequestId, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::locale::Locale;
use crate::tui::widgets::{footer, panel};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

/// Columns and rows of the overlay, where the screen has them.
const SIZE: (u16, u16) = (72, 34);
/// Rows of a page.
const PAGE: usize = 10;

/// The open report.
#[derive(Debug)]
pub(super) struct Shown {
    shift: ShiftId,
    /// What is known already, before the house is asked.
    known: Option<TillReport>,
    report: Latest<Option<TillReport>>,
    problem: Option<Refused>,
    skip: usize,
    /// The file that is being written.
    saving: Option<RequestId>,
}

impl Shown {
    /// The report of a shift, with what is known of it.
    pub(super) fn new(shift: ShiftId, known: Option<TillReport>) -> Self {
        Self { shift, known, report: Latest::default(), problem: None, skip: 0, saving: None }
    }

    fn get(&self) -> Option<&TillReport> {
        self.report.get().and_then(Option::as_ref).or(self.known.as_ref())
    }

    /// Reads it again.
    pub(super) fn load(&mut self, desk: &mut Desk) -> Commands {
        desk.ask(&mut self.report, Ask::Till(TillStatus { shift: Some(self.shift) }))
    }

    /// Takes an answer; gives back what is not its own.
    pub(super) fn answer(
        &mut self,
        request: RequestId,
        result: Result<Loaded, Refused>,
    ) -> Option<Result<Loaded, Refused>> {
        if !self.report.is_waiting() {
            return Some(result);
        }
        match result {
            Ok(Loaded::Till(found)) => {
                let kept = (*found).clone();
                if self.report.answer(request, kept) {
                    self.problem = None;
                    return None;
                }
                Some(Ok(Loaded::Till(found)))
            }
            Err(refused) if self.report.settle(request) => {
                self.problem = Some(refused);
                None
            }
            other => Some(other),
        }
    }

    fn title(report: &TillReport, locale: &Locale) -> String {
        let key = if report.shift.closed_at.is_some() { "till.z_report" } else { "till.x_report" };
        locale.t_args(key, &[("terminal", &report.shift.terminal_name)])
    }

    /// Takes an action; `None` where it closes the report.
    pub(super) fn on_action(&mut self, action: Action, desk: &mut Desk, locale: &Locale) -> Option<Commands> {
        match action {
            Action::Back | Action::Select => return None,
            Action::Down => self.skip = self.skip.saturating_add(1),
            Action::Up => self.skip = self.skip.saturating_sub(1),
            Action::PageDown => self.skip = self.skip.saturating_add(PAGE),
            Action::PageUp => self.skip = self.skip.saturating_sub(PAGE),
            Action::Home => self.skip = 0,
            Action::Export => return Some(self.save(desk, locale)),
            _ => {}
        }
        self.skip = self.skip.min(self.get().map_or(0, |report| report::whole(report, desk, locale).len()));
        Some(Vec::new())
    }

    fn save(&mut self, desk: &mut Desk, locale: &Locale) -> Commands {
        let Some(report) = self.get() else { return Vec::new() };
        let (kind, at): (&str, Timestamp) = match report.shift.closed_at {
            Some(at) => ("z", at),
            None => ("x", desk.now),
        };
        let at = at.to_utc().with_timezone(&desk.zone()).format("%Y%m%d-%H%M%S");
        let content = report::plain(&Self::title(report, locale), &report::whole(report, desk, locale));
        let request = desk.request();
        self.saving = Some(request);
        vec![Cmd::Effect(Effect::Save { request, name: format!("{kind}-report-{at}.txt"), content })]
    }

    /// Whether this is the answer to its file.
    pub(super) fn saved(&mut self, request: RequestId) -> bool {
        self.saving.take_if(|saving| *saving == request).is_some()
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let title = self.get().map(|report| Self::title(report, ctx.locale)).unwrap_or_default();
        let rows = self.get().map(|report| report::whole(report, desk, ctx.locale)).unwrap_or_default();
        let (width, height) = SIZE;
        let mut lines = report::lines(&rows, width.min(area.width).saturating_sub(4), ctx);
        if self.get().is_none() {
            let (words, token) = waiting_words(self.problem.as_ref(), ctx);
            lines.push(Line::styled(words, ctx.style(token)));
        }
        let wanted = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(4).min(height);
        let inner = panel::overlay(frame, area, (width, wanted), &title, ctx);
        let [body, _, keys] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(1), Constraint::Length(1)]).areas(inner);
        let most = lines.len().saturating_sub(usize::from(body.height));
        let shown: Vec<Line<'_>> = lines.into_iter().skip(self.skip.min(most)).take(usize::from(body.height)).collect();
        frame.render_widget(Paragraph::new(shown), body);
        let mut hints = vec![Action::Export, Action::Back];
        if most > 0 {
            hints.insert(0, Action::Down);
        }
        footer::draw(frame, keys, Context::ConsoleTill, &hints, ctx);
    }
}
