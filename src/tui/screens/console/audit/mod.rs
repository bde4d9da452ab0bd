//! The console's audit log: a list that is narrowed by a filter and by text, one row with its values
//! before and after, and the proof of the seals. State and what inputs do to it; a row is drawn in
//! `entry`, the filter stands in `filter`. Nothing is written here.

mod entry;
mod filter;

use super::desk::{Commands, Desk, Done, draw_words, waiting_words};
use super::leaf::{self, Leaf, Scroll};
use super::message::{Act, Ask, Loaded, Msg};
use super::paged::{Paged, Wanted};
use super::search::Search;
use super::tab::Tab;
use crate::domain::error::Refused;
use crate::service::audit::{AuditEntry, AuditList, SealsProof, SealsStatus, SealsView};
use crate::service::views::Page;
use crate::tui::app::{Env, Hit, Input, Latest, RequestId, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::columns::Column;
use crate::tui::widgets::form::{Filled, Form};
use crate::tui::widgets::panel;
use crate::tui::widgets::table::{self, TableLook};
use filter::Filter;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

/// The name of the list in [`Hit::Row`].
const LIST: &str = "audit";
/// From this width on, the selected row stands beside the list.
const WIDE: u16 = 110;
/// Columns of the list where a row stands beside it.
const LIST_WIDTH: u16 = 60;

/// The tab.
#[derive(Debug, Default)]
pub(super) struct Audit {
    list: Paged<AuditEntry>,
    filter: Filter,
    form: Option<Form>,
    search: Search,
    seals: Latest<SealsView>,
    /// What going through the seals has found here.
    proof: Option<SealsProof>,
    /// The row takes the keys.
    open: bool,
    scroll: Scroll,
}

fn page_of(list: AuditList, wanted: Wanted) -> Ask {
    Ask::Audit(AuditList { after: wanted.after, limit: wanted.limit, ..list })
}

impl Audit {
    fn read(&mut self, desk: &mut Desk) -> Commands {
        let list = self.filter.list(desk);
        self.list.reload(desk, |wanted| page_of(list, wanted))
    }

    /// Another list is wanted.
    fn narrow(&mut self, desk: &mut Desk) -> Commands {
        self.list.clear();
        self.open = false;
        self.scroll.reset();
        self.read(desk)
    }

    fn on_action(&mut self, action: Action, desk: &mut Desk, env: &Env<'_>) -> Commands {
        match action {
            Action::Search => {
                self.open = false;
                self.search.open(&self.filter.text);
                Vec::new()
            }
            Action::Filter => {
                self.form = Some(self.filter.form(env));
                Vec::new()
            }
            Action::Verify => {
                if !desk.is_busy() {
                    desk.say(env.locale.t("audit.verifying"), Token::Muted, env);
                }
                desk.act(Act::VerifySeals, env)
            }
            Action::Select => {
                self.open = self.list.selected().is_some();
                self.scroll.reset();
                Vec::new()
            }
            Action::Back if self.open => {
                self.open = false;
                Vec::new()
            }
            Action::Back if !self.filter.text.is_empty() => {
                self.filter.text.clear();
                self.narrow(desk)
            }
            action if self.open => {
                self.scroll.on_action(action);
                Vec::new()
            }
            action => {
                let list = self.filter.list(desk);
                let moved = self.list.on_action(action, desk, |wanted| page_of(list, wanted));
                if moved.is_some() {
                    self.scroll.reset();
                }
                moved.unwrap_or_default()
            }
        }
    }

    /// How the list is narrowed, and how it is sealed.
    fn draw_head(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let [first, second] = Layout::vertical([Constraint::Length(1), Constraint::Length(1)]).areas(area);
        if !self.search.draw(frame, first, ctx) {
            let words = text::truncate_to_width(&self.filter.words(ctx.locale), usize::from(first.width));
            frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(Token::Muted))), first);
        }
        let (words, token) = self.seal_words(ctx);
        let words = text::truncate_to_width(&text::clean(&words), usize::from(second.width));
        frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(token))), second);
    }

    fn seal_words(&self, ctx: &ViewCtx<'_>) -> (String, Token) {
        let locale = ctx.locale;
        let held = |sealed: i64, unsealed: i64| {
            locale.t_args("audit.seals_hold", &[("sealed", &sealed), ("unsealed", &unsealed)])
        };
        if let Some(proof) = &self.proof {
            return match &proof.violation {
                Some(violation) => (broken(proof, violation, locale), Token::Danger),
                None => (held(proof.sealed, proof.unsealed), Token::Success),
            };
        }
        match self.seals.get() {
            Some(SealsView { violation: Some(violation), .. }) => {
                (locale.t_args("audit.seal_broken", &[("violation", violation)]), Token::Danger)
            }
            Some(seals) => {
                let args: [(&str, &dyn std::fmt::Display); 2] =
                    [("sealed", &seals.sealed), ("unsealed", &seals.unsealed)];
                (locale.t_args("audit.seals", &args), Token::Muted)
            }
            None => (String::new(), Token::Muted),
        }
    }

    fn draw_list(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let [top, _, body] =
            Layout::vertical([Constraint::Length(2), Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        self.draw_head(frame, top, ctx);
        let items = self.list.items();
        if items.is_empty() {
            let (words, token) = if self.list.is_loaded() && self.list.problem().is_none() {
                (ctx.locale.t("audit.none"), Token::Muted)
            } else {
                waiting_words(self.list.problem(), ctx)
            };
            draw_words(&words, token, frame, body, ctx);
            return;
        }
        let (when, who) = (ctx.locale.t("audit.when"), ctx.locale.t("audit.who"));
        let (action, what) = (ctx.locale.t("audit.action"), ctx.locale.t("audit.what"));
        let columns = [
            (Column::Left(12), when.as_str()),
            (Column::Left(12), who.as_str()),
            (Column::Left(12), action.as_str()),
            (Column::Fill, what.as_str()),
        ];
        let look = TableLook { name: LIST, columns: &columns, active: !self.open };
        table::draw(frame, body, &self.list.state, items.len(), look, ctx, |index| match items.get(index) {
            Some(row) => cells(row, desk, ctx),
            None => Vec::new(),
        });
    }

    fn draw_entry(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let Some(selected) = self.list.selected() else { return };
        let inner = panel::draw(frame, area, &ctx.locale.t("audit.entry"), self.open, ctx);
        let leaf = entry::write(selected, Leaf::new(leaf::width(inner), desk, ctx));
        leaf::draw(frame, inner, leaf, &self.scroll);
    }
}

fn broken(proof: &SealsProof, violation: &str, locale: &crate::tui::locale::Locale) -> String {
    match (proof.broken_from, proof.broken_to) {
        (Some(from), Some(to)) => {
            locale.t_args("audit.broken_range", &[("from", &from), ("to", &to), ("violation", &violation)])
        }
        _ => locale.t_args("audit.seal_broken", &[("violation", &violation)]),
    }
}

fn cells(row: &AuditEntry, desk: &Desk, ctx: &ViewCtx<'_>) -> Vec<(String, Style)> {
    let at = row.at.to_utc().with_timezone(&desk.zone()).format("%d %b %H:%M").to_string();
    let token = if row.override_by.is_some() { Token::Warning } else { Token::Text };
    // Of an order, its number of the day and what happened; the whole number stands beside the list.
    let order = row.details.strip_prefix("Order ORD-").and_then(|rest| rest.split_once('-'));
    let details = order.map_or_else(|| row.details.clone(), |(_, rest)| rest.to_owned());
    vec![
        (at, ctx.style(Token::Muted)),
        (entry::who(row, ctx.locale), ctx.style(token)),
        (row.action.clone(), ctx.style(Token::Title)),
        (details, ctx.style(Token::Text)),
    ]
}

impl Tab for Audit {
    fn load(&mut self, desk: &mut Desk) -> Commands {
        let mut commands = self.read(desk);
        commands.extend(desk.ask(&mut self.seals, Ask::Seals(SealsStatus)));
        commands
    }

    fn context(&self) -> Context {
        match &self.form {
            Some(form) => form.context(),
            None if self.search.is_open() => Context::TextInput,
            None => Context::ConsoleAudit,
        }
    }

    fn is_covered(&self) -> bool {
        self.form.is_some() || self.search.is_open()
    }

    fn is_waiting(&self) -> bool {
        !self.is_covered() && self.list.is_first_awaited()
    }

    fn is_searching(&self) -> bool {
        self.form.is_none() && self.search.is_open()
    }

    fn hints(&self, _desk: &Desk) -> Vec<Action> {
        if self.open {
            return vec![Action::Down, Action::Back, Action::Verify, Action::Help];
        }
        vec![
            Action::Select,
            Action::Filter,
            Action::Search,
            Action::Verify,
            Action::Palette,
            Action::SignOut,
            Action::Help,
        ]
    }

    fn on_input(&mut self, input: &Input<Msg>, action: Option<Action>, desk: &mut Desk, env: &Env<'_>) -> Commands {
        if let Some(mut form) = self.form.take() {
            match form.on_input(input, env) {
                Filled::Open => self.form = Some(form),
                Filled::Cancelled => {}
                Filled::Sent => match Filter::filled(&mut form, env) {
                    Some(filter) => {
                        self.filter = filter;
                        return self.narrow(desk);
                    }
                    None => self.form = Some(form),
                },
            }
            return Vec::new();
        }
        if self.search.is_open() {
            let changed = self.search.on_input(input, action, &mut self.filter.text);
            return if changed { self.narrow(desk) } else { Vec::new() };
        }
        if let Input::Click { hit: Some(Hit::Row { list: LIST, index }), .. } = input {
            self.open = self.list.state.selected(self.list.items().len()) == Some(*index);
            self.list.state.select(*index);
            self.scroll.reset();
            return Vec::new();
        }
        action.map(|action| self.on_action(action, desk, env)).unwrap_or_default()
    }

    fn on_loaded(
        &mut self,
        request: RequestId,
        result: Result<Loaded, Refused>,
        _desk: &mut Desk,
        _env: &Env<'_>,
    ) -> Commands {
        let same = |one: &AuditEntry, other: &AuditEntry| one.seq == other.seq;
        match result {
            Ok(Loaded::Audit(page)) => {
                // The log is not counted; the list does not say how many there are.
                let page = Page { items: page.items, next: page.next, total: 0, at_least: false };
                self.list.answer(request, Ok(page), same);
            }
            Ok(Loaded::Seals(seals)) => {
                self.seals.answer(request, *seals);
            }
            Ok(_) => {}
            Err(refused) => {
                if !self.seals.settle(request) {
                    self.list.answer(request, Err(refused), same);
                }
            }
        }
        Vec::new()
    }

    fn on_done(&mut self, done: Done, desk: &mut Desk, env: &Env<'_>) -> Commands {
        match done.result.and_then(|value| serde_json::from_value::<SealsProof>(value).map_err(Refused::internal)) {
            Ok(proof) => {
                match &proof.violation {
                    Some(violation) => desk.say(broken(&proof, violation, env.locale), Token::Danger, env),
                    None => desk.say(env.locale.t("audit.verified"), Token::Success, env),
                }
                self.proof = Some(proof);
            }
            Err(refused) => desk.refuse(&refused, env),
        }
        Vec::new()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        if ctx.size.width >= WIDE {
            let [left, _, right] =
                Layout::horizontal([Constraint::Length(LIST_WIDTH), Constraint::Length(1), Constraint::Fill(1)])
                    .areas(area);
            self.draw_list(frame, left, desk, ctx);
            self.draw_entry(frame, right, desk, ctx);
        } else if self.open {
            self.draw_entry(frame, area, desk, ctx);
        } else {
            self.draw_list(frame, area, desk, ctx);
        }
        if let Some(form) = &self.form {
            form.draw(frame, area, ctx);
        }
    }
}
