//! The console's settings: every setting in its group with its value in words, who changed it, and an
//! editor for each kind of value. State and what inputs do to it; the words stand in `catalogue`, the
//! editors in `editor`.

mod catalogue;
mod editor;

use super::desk::{Commands, Desk, Done, waiting_words};
use super::facts::Facts;
use super::message::{Act, Ask, Loaded, Msg};
use super::paged::{Paged, Wanted};
use super::tab::Tab;
use crate::domain::error::Refused;
use crate::domain::settings::PAYMENT_KEYS;
use crate::service::envelope::{Envelope, SettingCommand};
use crate::service::settings::{
    ListSettings, SetSetting, SettingChange, SettingHistory, SettingView, Takes, needs_reason,
};
use crate::tui::app::{Env, Hit, Input, Latest, RequestId, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::locale::Locale;
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::columns::{self, Column};
use crate::tui::widgets::input::TextInput;
use crate::tui::widgets::list::{self, ListLook, ListState};
use crate::tui::widgets::panel;
use catalogue::{Entry, GROUPS};
use editor::{Editor, New, Next};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use serde_json::Value;
use std::collections::BTreeSet;

/// The name of the list in [`Hit::Row`].
const LIST: &str = "settings";
/// From this width on, what is selected stands beside the list.
const WIDE: u16 = 110;
/// Columns of the list where a setting stands beside it.
const LIST_WIDTH: u16 = 66;
/// Columns of a setting's name.
const NAME: u16 = 33;
/// The longest search.
const SEARCH: usize = 40;

/// One row of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    Heading(&'static str),
    /// The place in what the house has answered.
    Setting(usize),
}

/// The tab.
#[derive(Debug, Default)]
pub(super) struct Settings {
    settings: Latest<Vec<SettingView>>,
    problem: Option<Refused>,
    state: ListState,
    selected: Option<String>,
    history: Paged<SettingChange>,
    /// Of which setting the history is.
    history_of: Option<String>,
    /// The setting takes the whole screen.
    open: bool,
    skip: usize,
    editor: Option<Editor>,
    /// The change that is under way is that of the editor.
    from_editor: bool,
    /// The key and the value that are being set.
    setting: Option<(String, Value)>,
    searching: Option<TextInput>,
    filter: String,
    /// The keys of the settings whose name or help has the words of the filter.
    found: BTreeSet<&'static str>,
}

impl Settings {
    fn all(&self) -> &[SettingView] {
        self.settings.get().map(Vec::as_slice).unwrap_or_default()
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for group in GROUPS {
            let place = |entry: &Entry| self.all().iter().position(|setting| setting.key == entry.key);
            let shown = |entry: &&Entry| self.filter.is_empty() || self.found.contains(entry.key);
            let settings: Vec<Row> = group.entries.iter().filter(shown).filter_map(place).map(Row::Setting).collect();
            if !settings.is_empty() {
                rows.push(Row::Heading(group.title));
                rows.extend(settings);
            }
        }
        rows
    }

    /// Shows only the settings in whose name or help this stands.
    fn narrow(&mut self, wanted: &str, desk: &mut Desk, env: &Env<'_>) -> Commands {
        wanted.clone_into(&mut self.filter);
        let words = wanted.trim().to_lowercase();
        let all = GROUPS.iter().flat_map(|group| group.entries);
        let has = |key: &str| env.locale.t(key).to_lowercase().contains(&words);
        self.found = all.filter(|entry| has(entry.name) || has(entry.help)).map(|entry| entry.key).collect();
        let gone = self.selected.as_deref().is_some_and(|key| !wanted.is_empty() && !self.found.contains(key));
        if gone {
            self.selected = None;
        }
        self.find();
        self.read_history(desk, false)
    }

    /// Takes an input while the words to search for are typed.
    fn on_search(
        &mut self,
        mut search: TextInput,
        input: &Input<Msg>,
        action: Option<Action>,
        desk: &mut Desk,
        env: &Env<'_>,
    ) -> Commands {
        let typed = match input {
            Input::Key(press) => search.on_key(*press),
            Input::Paste(pasted) => {
                search.paste(pasted);
                true
            }
            _ => false,
        };
        match action {
            _ if typed => {
                let words = search.value().to_owned();
                self.searching = Some(search);
                return self.narrow(&words, desk, env);
            }
            Some(Action::Back) => return self.narrow("", desk, env),
            Some(Action::Select | Action::Down) => {}
            _ => self.searching = Some(search),
        }
        Vec::new()
    }

    fn current(&self) -> Option<&SettingView> {
        let key = self.selected.as_ref()?;
        self.all().iter().find(|setting| setting.key == *key)
    }

    /// Puts the selection on the setting that was selected; on the first one at first.
    fn find(&mut self) {
        let rows = self.rows();
        let wanted = self.selected.clone();
        let fits = |row: &Row| match row {
            Row::Heading(_) => false,
            Row::Setting(at) => {
                wanted.is_none() || self.all().get(*at).is_some_and(|setting| Some(&setting.key) == wanted.as_ref())
            }
        };
        if let Some(place) = rows.iter().position(fits) {
            self.state.select(place);
        }
        self.note();
    }

    fn note(&mut self) {
        let rows = self.rows();
        let row = self.state.selected(rows.len()).and_then(|at| rows.get(at));
        if let Some(Row::Setting(at)) = row {
            self.selected = self.all().get(*at).map(|setting| setting.key.clone());
        }
    }

    /// Moves the selection; headings are passed over.
    fn go(&mut self, action: Action, desk: &mut Desk) -> Commands {
        let rows = self.rows();
        let before = self.state.clone();
        self.state.on_action(action, rows.len());
        let at_heading =
            |state: &ListState| matches!(state.selected(rows.len()).and_then(|at| rows.get(at)), Some(Row::Heading(_)));
        if at_heading(&self.state) {
            let back = matches!(action, Action::Up | Action::PageUp);
            self.state.on_action(if back { Action::Up } else { Action::Down }, rows.len());
        }
        if at_heading(&self.state) {
            self.state = before;
        }
        self.skip = 0;
        self.note();
        self.read_history(desk, false)
    }

    /// Reads who changed the selected setting, where that is not known yet.
    fn read_history(&mut self, desk: &mut Desk, again: bool) -> Commands {
        let Some(key) = self.selected.clone() else { return Vec::new() };
        if self.history_of.as_ref() == Some(&key) && !again {
            return Vec::new();
        }
        if self.history_of.as_ref() != Some(&key) {
            self.history.clear();
        }
        self.history_of = Some(key.clone());
        self.history.reload(desk, changes_of(key))
    }

    /// The place in the history goes with the lines; near its end, older changes are asked for. A change
    /// takes more than one line, so that they come before the last line is seen.
    fn older(&mut self, action: Action, desk: &mut Desk) -> Commands {
        let Some(key) = self.history_of.clone() else { return Vec::new() };
        // As many steps as lines are passed: the list is drawn as lines, and knows no page of its own.
        let (step, times) = match action {
            Action::PageDown => (Action::Down, 10),
            Action::PageUp => (Action::Up, 10),
            other => (other, 1),
        };
        let mut commands = Commands::new();
        for _ in 0..times {
            commands.extend(self.history.on_action(step, desk, changes_of(key.clone())).unwrap_or_default());
        }
        commands
    }

    /// Sets a setting; `seen` is the value by which that was decided.
    fn set(&mut self, key: &str, new: New, seen: Option<Value>, desk: &mut Desk, env: &Env<'_>) -> Commands {
        let New { value, reason } = new;
        if !desk.is_busy() {
            self.setting = Some((key.to_owned(), value.clone()));
            self.from_editor = self.editor.is_some();
        }
        let command = SetSetting { key: key.to_owned(), value, seen, reason };
        desk.act(Act::Command(Envelope::Setting(SettingCommand::Set(command))), env)
    }

    /// Whether this is the only way of paying that is on.
    fn is_last_payment(&self, key: &str) -> bool {
        let on = |key: &str| self.all().iter().any(|one| one.key == key && one.value.as_bool() == Some(true));
        PAYMENT_KEYS.contains(&key) && PAYMENT_KEYS.iter().all(|other| *other == key || !on(other))
    }

    /// Opens the editor of the selected setting. A switch is switched at once, unless the house wants to know
    /// why.
    fn edit(&mut self, desk: &mut Desk, env: &Env<'_>) -> Commands {
        let Some(setting) = self.current().cloned() else { return Vec::new() };
        if setting.takes == Takes::Switch {
            let value = Value::Bool(setting.value.as_bool() != Some(true));
            if needs_reason(&setting.key, &setting.value, &value) {
                self.editor = Some(Editor::switch_off(&setting, self.is_last_payment(&setting.key), env.locale));
                return Vec::new();
            }
            return self.set(&setting.key, New { value, reason: None }, Some(setting.value), desk, env);
        }
        self.editor = Editor::open(&setting, desk, env.locale);
        Vec::new()
    }

    fn on_action(&mut self, action: Action, desk: &mut Desk, env: &Env<'_>) -> Commands {
        match action {
            Action::Edit | Action::Select => return self.edit(desk, env),
            Action::History => (self.open, self.skip) = (!self.open, 0),
            Action::Search => {
                self.open = false;
                self.searching = Some(TextInput::new(SEARCH).with_value(&self.filter));
            }
            Action::Back if self.open => self.open = false,
            Action::Back => return self.narrow("", desk, env),
            Action::Down | Action::PageDown if self.open => {
                self.skip = self.skip.saturating_add(if action == Action::Down { 1 } else { 10 });
                return self.older(action, desk);
            }
            Action::Up | Action::PageUp if self.open => {
                self.skip = self.skip.saturating_sub(if action == Action::Up { 1 } else { 10 });
                return self.older(action, desk);
            }
            action => return self.go(action, desk),
        }
        Vec::new()
    }

    fn draw_list(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        if self.settings.get().is_none() {
            let (words, token) = waiting_words(self.problem.as_ref(), ctx);
            let rows = text::wrap(&words, usize::from(area.width));
            let lines: Vec<Line<'_>> = rows.into_iter().map(|row| Line::styled(row, ctx.style(token))).collect();
            return frame.render_widget(Paragraph::new(lines), area);
        }
        // Where nothing stands beside the list, what the setting does stands below it.
        let below = if ctx.size.width >= WIDE { 0 } else { 3 };
        let above = if self.searching.is_some() || !self.filter.is_empty() { 2 } else { 0 };
        let each = [Constraint::Length(above), Constraint::Fill(1), Constraint::Length(below)];
        let [head, body, help] = Layout::vertical(each).areas(area);
        self.draw_search(frame, Rect { height: head.height.min(1), ..head }, ctx);
        let rows = self.rows();
        if rows.is_empty() {
            let words = Line::styled(ctx.locale.t("settings.none_found"), ctx.style(Token::Muted));
            return frame.render_widget(Paragraph::new(words), body);
        }
        let look = ListLook { name: LIST, row_height: 1, active: self.editor.is_none() };
        list::draw(frame, body, &self.state, rows.len(), look, ctx, |index, width| match rows.get(index) {
            Some(Row::Heading(key)) => vec![Line::styled(ctx.locale.t(key), ctx.style(Token::Title))],
            Some(Row::Setting(at)) => self.all().get(*at).map(|one| row(one, width, desk, ctx)).into_iter().collect(),
            None => Vec::new(),
        });
        if let Some(entry) = self.current().and_then(|setting| catalogue::entry(&setting.key)) {
            let mut rows = text::wrap(&ctx.locale.t(entry.help), usize::from(help.width.saturating_sub(1)));
            rows.truncate(2);
            let lines = rows.into_iter().map(|row| Line::styled(format!(" {row}"), ctx.style(Token::Muted)));
            let lines: Vec<Line<'_>> = std::iter::once(Line::default()).chain(lines).collect();
            frame.render_widget(Paragraph::new(lines), help);
        }
    }

    fn draw_search(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let [label, field] = Layout::horizontal([Constraint::Length(2), Constraint::Fill(1)]).areas(area);
        if let Some(search) = &self.searching {
            frame.render_widget(Paragraph::new(Line::styled("/ ", ctx.style(Token::Accent))), label);
            search.draw(frame, field, ctx);
        } else if !self.filter.is_empty() {
            let words = format!("\"{}\"", text::clean(&self.filter));
            frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(Token::Muted))), area);
        }
    }

    fn draw_detail(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let Some(setting) = self.current() else { return };
        let title = name(setting, ctx.locale);
        let inner = panel::draw(frame, area, &title, self.open, ctx);
        let lines = self.lines(setting, inner.width, desk, ctx);
        let most = lines.len().saturating_sub(usize::from(inner.height));
        let shown: Vec<Line<'_>> =
            lines.into_iter().skip(self.skip.min(most)).take(usize::from(inner.height)).collect();
        frame.render_widget(Paragraph::new(shown), inner);
    }

    /// A setting in lines: what it does, what it is, what else it may be, and who changed it.
    fn lines(&self, setting: &SettingView, width: u16, desk: &Desk, ctx: &ViewCtx<'_>) -> Vec<Line<'static>> {
        let locale = ctx.locale;
        let words = |value: &Value| catalogue::value_words(setting, value, desk, locale);
        let mut facts = Facts::new(width, ctx);
        if let Some(entry) = catalogue::entry(&setting.key) {
            facts.words(&locale.t(entry.help), Token::Text);
            facts.air();
        }
        facts.fact(&locale.t("settings.now"), &words(&setting.value), Token::Title);
        facts.fact(&locale.t("settings.default"), &words(&setting.default), Token::Text);
        facts.fact(&locale.t("settings.takes"), &editor::takes_words(setting, desk, locale), Token::Text);
        facts.fact(&locale.t("settings.key"), &setting.key, Token::Muted);
        facts.heading(&locale.t("settings.changes"));
        let own = self.history_of.as_ref() == Some(&setting.key);
        match Some(self.history.items()).filter(|_| own && self.history.is_loaded()) {
            None => facts.words(&locale.t("console.loading"), Token::Muted),
            Some([]) => facts.words(&locale.t("settings.never_changed"), Token::Muted),
            Some(changes) => {
                for change in changes {
                    let who = change.by.clone().unwrap_or_else(|| locale.t("settings.the_house"));
                    let who = match &change.override_by {
                        Some(manager) => locale.t_args("settings.let_through", &[("who", &who), ("manager", manager)]),
                        None => who,
                    };
                    facts.words(&format!("{}  {who}", desk.instant(change.at)), Token::Muted);
                    let changed = format!("{} → {}", words(&change.before), words(&change.after));
                    facts.fact("", &changed, Token::Text);
                    if let Some(reason) = &change.reason {
                        facts.fact("", &text::clean(reason), Token::Muted);
                    }
                }
            }
        }
        facts.lines()
    }
}

fn same_change(one: &SettingChange, other: &SettingChange) -> bool {
    one == other
}

/// The question of who changed a setting.
fn changes_of(key: String) -> impl FnOnce(Wanted) -> Ask {
    move |wanted| Ask::SettingHistory(SettingHistory { key, after: wanted.after, limit: wanted.limit })
}

fn name(setting: &SettingView, locale: &Locale) -> String {
    catalogue::entry(&setting.key).map_or_else(|| setting.key.clone(), |entry| locale.t(entry.name))
}

fn row(setting: &SettingView, width: u16, desk: &Desk, ctx: &ViewCtx<'_>) -> Line<'static> {
    let locale = ctx.locale;
    let is_default = setting.value == setting.default;
    let words = catalogue::value_words(setting, &setting.value, desk, locale);
    let (words, token) = match (&setting.takes, setting.value.as_bool()) {
        (Takes::Switch, Some(true)) => (format!("● {words}"), Token::Success),
        (Takes::Switch, _) => (format!("○ {words}"), Token::Warning),
        _ => (words, Token::Text),
    };
    let mark = if is_default { locale.t("settings.is_default") } else { String::new() };
    let name = name(setting, locale);
    let cells = [
        ("", ctx.style(Token::Text)),
        (name.as_str(), ctx.style(Token::Text)),
        (words.as_str(), ctx.style(token)),
        (mark.as_str(), ctx.style(Token::Muted)),
    ];
    let mark_width = u16::try_from(text::display_width(&locale.t("settings.is_default"))).unwrap_or_default();
    columns::row(&[Column::Left(1), Column::Left(NAME), Column::Fill, Column::Right(mark_width)], &cells, width)
}

impl Tab for Settings {
    fn load(&mut self, desk: &mut Desk) -> Commands {
        let mut commands = desk.ask(&mut self.settings, Ask::Settings(ListSettings));
        commands.extend(self.read_history(desk, true));
        commands
    }

    fn context(&self) -> Context {
        match &self.editor {
            Some(editor) => editor.context(),
            None if self.searching.is_some() => Context::TextInput,
            None => Context::ConsoleSettings,
        }
    }

    fn is_covered(&self) -> bool {
        self.editor.is_some() || self.searching.is_some()
    }

    fn is_waiting(&self) -> bool {
        !self.is_covered() && self.settings.get().is_none() && self.settings.is_waiting()
    }

    fn is_searching(&self) -> bool {
        self.editor.is_none() && self.searching.is_some()
    }

    fn hints(&self, _desk: &Desk) -> Vec<Action> {
        let mut hints = vec![Action::Edit, Action::History, Action::Search];
        if self.open || !self.filter.is_empty() {
            hints.push(Action::Back);
        }
        hints.extend([Action::Palette, Action::SignOut, Action::Help]);
        hints
    }

    fn on_input(&mut self, input: &Input<Msg>, action: Option<Action>, desk: &mut Desk, env: &Env<'_>) -> Commands {
        if let Some(mut editor) = self.editor.take() {
            // The value may have changed elsewhere since the editor was opened.
            let value = self.all().iter().find(|one| one.key == editor.key()).map(|one| one.value.clone());
            return match editor.on_input(input, action, value.as_ref(), env) {
                Next::Open => {
                    self.editor = Some(editor);
                    Vec::new()
                }
                Next::Closed => Vec::new(),
                Next::Set(new) => {
                    let (key, seen) = (editor.key().to_owned(), editor.seen().cloned().or(value));
                    self.editor = Some(editor);
                    if desk.is_busy() {
                        let busy = Refused::conflict(env.locale.t("console.busy")).help("");
                        if let Some(editor) = &mut self.editor {
                            editor.refuse(&busy, env.locale);
                        }
                        return Vec::new();
                    }
                    self.set(&key, new, seen, desk, env)
                }
            };
        }
        if let Some(search) = self.searching.take() {
            return self.on_search(search, input, action, desk, env);
        }
        if let Input::Click { hit: Some(Hit::Row { list: LIST, index }), .. } = input {
            let rows = self.rows();
            if !matches!(rows.get(*index), Some(Row::Setting(_))) {
                return Vec::new();
            }
            let again = self.state.selected(rows.len()) == Some(*index);
            self.state.select(*index);
            self.note();
            return if again { self.edit(desk, env) } else { self.read_history(desk, false) };
        }
        action.map_or_else(Vec::new, |action| self.on_action(action, desk, env))
    }

    fn on_loaded(
        &mut self,
        request: RequestId,
        result: Result<Loaded, Refused>,
        desk: &mut Desk,
        _env: &Env<'_>,
    ) -> Commands {
        match result {
            Ok(Loaded::Settings(settings)) => {
                if self.settings.answer(request, *settings) {
                    self.problem = None;
                    self.find();
                    return self.read_history(desk, false);
                }
            }
            Ok(Loaded::SettingHistory(page)) => {
                self.history.answer(request, Ok(*page), same_change);
            }
            Ok(_) => {}
            Err(refused) => {
                if self.settings.settle(request) {
                    self.problem = Some(refused);
                } else {
                    self.history.answer(request, Err(refused), same_change);
                }
            }
        }
        Vec::new()
    }

    fn on_done(&mut self, done: Done, desk: &mut Desk, env: &Env<'_>) -> Commands {
        let from_editor = std::mem::take(&mut self.from_editor);
        let setting = self.setting.take();
        match done.result {
            Ok(answer) => {
                if from_editor {
                    self.editor = self.editor.take().and_then(Editor::done);
                }
                if let Ok(view) = serde_json::from_value::<SettingView>(answer)
                    && setting.is_some()
                {
                    let value = catalogue::value_words(&view, &view.value, desk, env.locale);
                    let name = name(&view, env.locale);
                    let words = env.locale.t_args("settings.set", &[("name", &name), ("value", &value)]);
                    let off = view.value.as_bool() == Some(false);
                    match view.warning {
                        Some(_) if off => desk.say(env.locale.t("settings.no_payment"), Token::Warning, env),
                        Some(_) => desk.say(words, Token::Warning, env),
                        None => desk.say(words, Token::Success, env),
                    }
                }
            }
            Err(refused) => match &mut self.editor {
                Some(editor) if from_editor => editor.refuse(&refused, env.locale),
                _ => desk.refuse(&refused, env),
            },
        }
        Vec::new()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        if ctx.size.width >= WIDE {
            let [left, _, right] =
                Layout::horizontal([Constraint::Length(LIST_WIDTH), Constraint::Length(1), Constraint::Fill(1)])
                    .areas(area);
            self.draw_list(frame, left, desk, ctx);
            self.draw_detail(frame, right, desk, ctx);
        } else if self.open {
            self.draw_detail(frame, area, desk, ctx);
        } else {
            self.draw_list(frame, area, desk, ctx);
        }
        if let Some(editor) = &self.editor {
            let value = self.all().iter().find(|one| one.key == editor.key()).map(|one| &one.value);
            editor.draw(frame, area, value, ctx);
        }
    }
}
