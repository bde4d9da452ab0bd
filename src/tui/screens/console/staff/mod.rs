//! The console's staff: who works here, in which role, who has a PIN and who was last seen when; and the
//! terminals that are registered. State and what inputs do to it; what a change asks for stands in
//! `question`, by what the people are narrowed in `filter`.

mod filter;
mod question;

use super::desk::{Commands, Desk, Done, draw_words, waiting_words};
use super::message::{Act, Ask, Loaded, Msg};
use super::paged::{Paged, Wanted};
use super::search::Search;
use super::tab::Tab;
use crate::domain::error::Refused;
use crate::domain::time::Timestamp;
use crate::service::envelope::Envelope;
use crate::service::staff::{ListStaff, StaffFilter, StaffView};
use crate::service::terminals::{ListTerminals, TerminalRole, TerminalView};
use crate::tui::app::{Env, Hit, Input, Latest, RequestId, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::theme::Token;
use crate::tui::vocabulary;
use crate::tui::widgets::columns::Column;
use crate::tui::widgets::form::{Filled, Form};
use crate::tui::widgets::list::ListState;
use crate::tui::widgets::panel;
use crate::tui::widgets::table::{self, TableLook};
use filter::{Filter, TerminalFilter};
use question::{Change, Next, Question};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;

/// The names of the lists in [`Hit::Row`].
const PEOPLE: &str = "staff";
const TERMINALS: &str = "terminals";
/// From this width on, the terminals stand beside the staff.
const WIDE: u16 = 110;
/// Columns of the staff where the terminals stand beside them.
const LIST_WIDTH: u16 = 64;

/// The tab.
#[derive(Debug, Default)]
pub(super) struct Staff {
    people: Paged<StaffView>,
    terminals: Latest<Vec<TerminalView>>,
    terminal: ListState,
    problem: Option<Refused>,
    /// The terminals take the keys.
    open: bool,
    filter: Filter,
    form: Option<Form>,
    search: Search,
    /// By what the terminals are narrowed, and the line and the form in which that is typed.
    wanted_terminals: TerminalFilter,
    terminal_form: Option<Form>,
    terminal_search: Search,
    over: Option<Question>,
}

fn people_question(filter: StaffFilter) -> impl FnOnce(Wanted) -> Ask {
    move |wanted| Ask::Staff(ListStaff { filter, after: wanted.after, limit: wanted.limit })
}

impl Staff {
    fn read_people(&mut self, desk: &mut Desk) -> Commands {
        self.people.reload(desk, people_question(self.filter.staff()))
    }

    /// Another list is wanted.
    fn narrow(&mut self, desk: &mut Desk) -> Commands {
        self.people.clear();
        self.read_people(desk)
    }

    fn on_form(&mut self, mut form: Form, input: &Input<Msg>, desk: &mut Desk, env: &Env<'_>) -> Commands {
        match form.on_input(input, env) {
            Filled::Open => self.form = Some(form),
            Filled::Cancelled => {}
            Filled::Sent => {
                self.filter = self.filter.filled(&form);
                return self.narrow(desk);
            }
        }
        Vec::new()
    }

    /// The terminals that the filter lets through.
    fn known_terminals(&self) -> Vec<&TerminalView> {
        let all = self.terminals.get().map(Vec::as_slice).unwrap_or_default();
        all.iter().filter(|terminal| self.wanted_terminals.fits(terminal)).collect()
    }

    fn selected_terminal(&self) -> Option<&TerminalView> {
        let terminals = self.known_terminals();
        terminals.get(self.terminal.selected(terminals.len())?).copied()
    }

    fn on_terminal_form(&mut self, mut form: Form, input: &Input<Msg>, env: &Env<'_>) {
        match form.on_input(input, env) {
            Filled::Open => self.terminal_form = Some(form),
            Filled::Cancelled => {}
            Filled::Sent => {
                self.wanted_terminals = self.wanted_terminals.filled(&form);
                self.terminal = ListState::default();
            }
        }
    }

    /// Whether a search takes the keys.
    const fn is_typing(&self) -> bool {
        self.search.is_open() || self.terminal_search.is_open()
    }

    fn change(&mut self, change: Change, desk: &mut Desk, env: &Env<'_>) {
        let Some(person) = self.people.selected() else {
            desk.say(env.locale.t("console.select_first"), Token::Muted, env);
            return;
        };
        let own = desk.person().is_some_and(|own| own.username == person.username);
        self.over = Some(Question::new(change, person, own, env));
    }

    fn revoke(&mut self, desk: &mut Desk, env: &Env<'_>) {
        match self.selected_terminal() {
            Some(terminal) if terminal.revoked_at.is_none() => self.over = Some(Question::revoke(terminal, env)),
            Some(_) => desk.say(env.locale.t("staff.is_revoked"), Token::Muted, env),
            None => desk.say(env.locale.t("console.select_first"), Token::Muted, env),
        }
    }

    fn exit_pin(&mut self, desk: &mut Desk, env: &Env<'_>) {
        match self.selected_terminal() {
            Some(terminal) if terminal.revoked_at.is_some() => {
                desk.say(env.locale.t("staff.is_revoked"), Token::Muted, env);
            }
            Some(terminal) if terminal.role == TerminalRole::Kiosk => {
                self.over = Some(Question::exit_pin(terminal, env));
            }
            Some(_) => desk.say(env.locale.t("staff.exit_pin_kiosks"), Token::Muted, env),
            None => desk.say(env.locale.t("console.select_first"), Token::Muted, env),
        }
    }

    /// What is said when a change is done.
    fn done_words(act: &Act, value: serde_json::Value, env: &Env<'_>) -> String {
        if let Act::Command(Envelope::Terminal(_)) = act {
            return env.locale.t("staff.done_revoked");
        }
        if let Act::SetExitPin { .. } = act {
            return env.locale.t("staff.done_exit_pin");
        }
        let Ok(person) = serde_json::from_value::<StaffView>(value) else { return env.locale.t("staff.done_changed") };
        let key = match act {
            Act::AddStaff { .. } => "staff.done_added",
            Act::SetPassword { .. } => "staff.done_password",
            Act::SetPin { .. } => "staff.done_pin",
            _ if !person.active => "staff.done_deactivated",
            _ => "staff.done_role",
        };
        let role = vocabulary::role(person.role, env.locale);
        env.locale.t_args(key, &[("name", &person.name), ("role", &role)])
    }

    fn draw_people(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let [top, _, body] =
            Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        let (words, total) = (self.filter.words(ctx.locale), self.people.count_words("staff.count", ctx.locale));
        self.search.draw_head(frame, top, (&words, Token::Muted), total, ctx);
        if self.people.items().is_empty() {
            let (words, token) = if !self.people.is_loaded() || self.people.problem().is_some() {
                waiting_words(self.people.problem(), ctx)
            } else if self.filter.is_empty() {
                (ctx.locale.t("staff.none"), Token::Muted)
            } else {
                (ctx.locale.t("staff.none_found"), Token::Muted)
            };
            draw_words(&words, token, frame, body, ctx);
            return;
        }
        let (name, username, role) =
            (ctx.locale.t("staff.name"), ctx.locale.t("staff.username"), ctx.locale.t("staff.role"));
        let (pin, seen) = (ctx.locale.t("staff.pin"), ctx.locale.t("staff.last_seen"));
        let columns = [
            (Column::Left(1), ""),
            (Column::Fill, name.as_str()),
            (Column::Left(14), username.as_str()),
            (Column::Left(9), role.as_str()),
            (Column::Left(3), pin.as_str()),
            (Column::Left(16), seen.as_str()),
        ];
        let look = TableLook { name: PEOPLE, columns: &columns, active: !self.open };
        let items = self.people.items();
        table::draw(frame, body, &self.people.state, items.len(), look, ctx, |index| match items.get(index) {
            Some(person) => person_cells(person, desk, ctx),
            None => Vec::new(),
        });
    }

    fn draw_terminals(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let inner = panel::draw(frame, area, &ctx.locale.t("staff.terminals"), self.open, ctx);
        let terminals = self.known_terminals();
        let [top, inner] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(inner);
        let count = i64::try_from(terminals.len()).unwrap_or(i64::MAX);
        let total = ctx.locale.t_plural("staff.terminal_count", count, &[]);
        let words = self.wanted_terminals.words(ctx.locale);
        self.terminal_search.draw_head(frame, top, (&words, Token::Muted), total, ctx);
        if terminals.is_empty() {
            let (words, token) = match self.terminals.get() {
                Some(all) if !all.is_empty() => (ctx.locale.t("staff.no_terminals_found"), Token::Muted),
                Some(_) => (ctx.locale.t("staff.no_terminals"), Token::Muted),
                None => waiting_words(self.problem.as_ref(), ctx),
            };
            draw_words(&words, token, frame, inner, ctx);
            return;
        }
        let (name, role, seen) =
            (ctx.locale.t("staff.name"), ctx.locale.t("staff.terminal_role"), ctx.locale.t("staff.last_seen"));
        let columns = [
            (Column::Left(1), ""),
            (Column::Fill, name.as_str()),
            (Column::Left(8), role.as_str()),
            (Column::Left(16), seen.as_str()),
        ];
        let look = TableLook { name: TERMINALS, columns: &columns, active: self.open };
        table::draw(frame, inner, &self.terminal, terminals.len(), look, ctx, |index| match terminals.get(index) {
            Some(terminal) => terminal_cells(terminal, desk, ctx),
            None => Vec::new(),
        });
    }
}

fn seen(at: Option<Timestamp>, desk: &Desk, ctx: &ViewCtx<'_>) -> String {
    at.map_or_else(|| ctx.locale.t("staff.never"), |at| desk.instant(at))
}

fn person_cells(person: &StaffView, desk: &Desk, ctx: &ViewCtx<'_>) -> Vec<(String, Style)> {
    let token = |token| ctx.style(if person.active { token } else { Token::Muted });
    let mark = if person.active { "●" } else { "✗" };
    let pin = if person.has_pin { ctx.locale.t("common.yes") } else { ctx.locale.t("common.no") };
    let seen = if person.active { seen(person.last_seen_at, desk, ctx) } else { ctx.locale.t("staff.not_let_in") };
    vec![
        (mark.to_owned(), ctx.style(if person.active { Token::Success } else { Token::Danger })),
        (person.name.clone(), token(Token::Text)),
        (person.username.clone(), token(Token::Text)),
        (vocabulary::role(person.role, ctx.locale), token(Token::Accent)),
        (pin, token(Token::Text)),
        (seen, ctx.style(Token::Muted)),
    ]
}

fn terminal_cells(terminal: &TerminalView, desk: &Desk, ctx: &ViewCtx<'_>) -> Vec<(String, Style)> {
    let revoked = terminal.revoked_at.is_some();
    let mark = if revoked { "✗" } else { "●" };
    let token = if revoked { Token::Muted } else { Token::Text };
    let seen = if revoked { ctx.locale.t("staff.taken_off") } else { seen(terminal.last_seen_at, desk, ctx) };
    vec![
        (mark.to_owned(), ctx.style(if revoked { Token::Danger } else { Token::Success })),
        (terminal.name.clone(), ctx.style(token)),
        (terminal_role(terminal, ctx), ctx.style(token)),
        (seen, ctx.style(Token::Muted)),
    ]
}

/// What a terminal is for.
fn terminal_role(terminal: &TerminalView, ctx: &ViewCtx<'_>) -> String {
    use crate::service::terminals::TerminalRole as R;
    ctx.locale.t(match terminal.role {
        R::Kiosk => "staff.terminal_kiosk",
        R::Kitchen => "staff.terminal_kitchen",
        R::Board => "staff.terminal_board",
        R::Console => "staff.terminal_console",
        R::Worker => "staff.terminal_worker",
    })
}

impl Tab for Staff {
    fn load(&mut self, desk: &mut Desk) -> Commands {
        let mut commands = self.read_people(desk);
        commands.extend(desk.ask(&mut self.terminals, Ask::Terminals(ListTerminals)));
        commands
    }

    fn context(&self) -> Context {
        match (&self.over, self.form.as_ref().or(self.terminal_form.as_ref())) {
            (Some(question), _) => question.context(),
            (None, Some(form)) => form.context(),
            (None, None) if self.is_typing() => Context::TextInput,
            (None, None) => Context::ConsoleStaff,
        }
    }

    fn is_covered(&self) -> bool {
        self.over.is_some() || self.form.is_some() || self.terminal_form.is_some() || self.is_typing()
    }

    fn is_waiting(&self) -> bool {
        !self.is_covered()
            && (self.people.is_first_awaited()
                || (self.open && self.terminals.get().is_none() && self.terminals.is_waiting()))
    }

    fn is_searching(&self) -> bool {
        self.over.is_none() && self.form.is_none() && self.terminal_form.is_none() && self.is_typing()
    }

    fn hints(&self, _desk: &Desk) -> Vec<Action> {
        if self.open {
            let seek = [Action::Search, Action::Filter, Action::Back, Action::Palette, Action::Help];
            return [Action::SetPin, Action::Delete].into_iter().chain(seek).collect();
        }
        vec![
            Action::Add,
            Action::SetRole,
            Action::SetPassword,
            Action::SetPin,
            Action::SetActive,
            Action::Terminals,
            Action::Search,
            Action::Filter,
            Action::Help,
        ]
    }

    fn on_input(&mut self, input: &Input<Msg>, action: Option<Action>, desk: &mut Desk, env: &Env<'_>) -> Commands {
        if let Some(mut question) = self.over.take() {
            let commands = match question.on_input(input, env) {
                Next::Cancelled => return Vec::new(),
                Next::Open => Vec::new(),
                Next::Act(act) => {
                    let commands = desk.act(act, env);
                    if commands.is_empty() {
                        question.rewind(env);
                    }
                    commands
                }
            };
            // It stays, so that a refusal leads back to what was typed.
            self.over = Some(question);
            return commands;
        }
        if let Some(form) = self.form.take() {
            return self.on_form(form, input, desk, env);
        }
        if let Some(form) = self.terminal_form.take() {
            self.on_terminal_form(form, input, env);
            return Vec::new();
        }
        if self.terminal_search.is_open() {
            if self.terminal_search.on_input(input, action, &mut self.wanted_terminals.text) {
                self.terminal = ListState::default();
            }
            return Vec::new();
        }
        if self.search.is_open() {
            let changed = self.search.on_input(input, action, &mut self.filter.text);
            return if changed { self.narrow(desk) } else { Vec::new() };
        }
        match input {
            Input::Click { hit: Some(Hit::Row { list: PEOPLE, index }), .. } => {
                self.open = false;
                self.people.state.select(*index);
                return Vec::new();
            }
            Input::Click { hit: Some(Hit::Row { list: TERMINALS, index }), .. } => {
                self.open = true;
                self.terminal.select(*index);
                return Vec::new();
            }
            _ => {}
        }
        let Some(action) = action else { return Vec::new() };
        match action {
            Action::Terminals => self.open = !self.open,
            Action::Back if self.open && !self.wanted_terminals.is_empty() => {
                self.wanted_terminals = TerminalFilter::default();
            }
            Action::Back if self.open => self.open = false,
            Action::Search if self.open => self.terminal_search.open(&self.wanted_terminals.text),
            Action::Filter if self.open => self.terminal_form = Some(self.wanted_terminals.form(env)),
            Action::Delete if self.open => self.revoke(desk, env),
            Action::SetPin if self.open => self.exit_pin(desk, env),
            Action::Delete => desk.say(env.locale.t("staff.never_removed"), Token::Muted, env),
            Action::Search => self.search.open(&self.filter.text),
            Action::Filter => self.form = Some(self.filter.form(env)),
            Action::Back if !self.filter.is_empty() => {
                self.filter = Filter::default();
                return self.narrow(desk);
            }
            Action::Add => {
                self.open = false;
                self.over = Some(Question::add(env));
            }
            action if self.open => {
                let count = self.known_terminals().len();
                self.terminal.on_action(action, count);
            }
            Action::SetRole | Action::Select => self.change(Change::Role, desk, env),
            Action::SetActive => self.change(Change::Active, desk, env),
            Action::SetPassword => self.change(Change::Password, desk, env),
            Action::SetPin => self.change(Change::Pin, desk, env),
            action => {
                let ask = people_question(self.filter.staff());
                return self.people.on_action(action, desk, ask).unwrap_or_default();
            }
        }
        Vec::new()
    }

    fn on_loaded(
        &mut self,
        request: RequestId,
        result: Result<Loaded, Refused>,
        _desk: &mut Desk,
        _env: &Env<'_>,
    ) -> Commands {
        let same = |one: &StaffView, other: &StaffView| one.id == other.id;
        match result {
            Ok(Loaded::Staff(page)) => {
                self.people.answer(request, Ok(*page), same);
            }
            Ok(Loaded::Terminals(terminals)) => {
                let kept = self.selected_terminal().map(|terminal| terminal.id);
                let mut terminals = *terminals;
                // What was taken off is looked for last.
                terminals.sort_by_key(|terminal| terminal.revoked_at.is_some());
                if self.terminals.answer(request, terminals) {
                    self.problem = None;
                    let at = kept.and_then(|id| self.known_terminals().iter().position(|one| one.id == id));
                    if let Some(at) = at {
                        self.terminal.select(at);
                    }
                }
            }
            Ok(_) => {}
            Err(refused) => {
                if self.terminals.settle(request) {
                    self.problem = Some(refused);
                } else {
                    self.people.answer(request, Err(refused), same);
                }
            }
        }
        Vec::new()
    }

    fn on_done(&mut self, done: Done, desk: &mut Desk, env: &Env<'_>) -> Commands {
        match done.result {
            Ok(value) => {
                let words = Self::done_words(&done.act, value, env);
                desk.say(words, Token::Success, env);
                self.over = None;
            }
            Err(refused) => match &mut self.over {
                Some(question) => question.refuse(&refused, env),
                None => desk.refuse(&refused, env),
            },
        }
        Vec::new()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        if ctx.size.width >= WIDE {
            let [left, _, right] =
                Layout::horizontal([Constraint::Length(LIST_WIDTH), Constraint::Length(1), Constraint::Fill(1)])
                    .areas(area);
            self.draw_people(frame, left, desk, ctx);
            self.draw_terminals(frame, right, desk, ctx);
        } else if self.open {
            self.draw_terminals(frame, area, desk, ctx);
        } else {
            self.draw_people(frame, area, desk, ctx);
        }
        if let Some(question) = &self.over {
            question.draw(frame, area, ctx);
        }
        if let Some(form) = self.form.as_ref().or(self.terminal_form.as_ref()) {
            form.draw(frame, area, ctx);
        }
    }
}
