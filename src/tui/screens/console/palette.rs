//! The command palette: every tab and every action of the open tab, found by typing some letters of
//! its name.

use super::tab::Place;
use crate::tui::app::{Env, Hit, Input, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::columns::{self, Column};
use crate::tui::widgets::input::TextInput;
use crate::tui::widgets::list::{self, ListLook, ListState};
use crate::tui::widgets::{footer, panel};
use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use std::cmp::Reverse;

/// The most entries that are shown at once: each letter may change all of them, and over a slow line a
/// letter has to stay a small packet.
const SHOWN: u16 = 6;

/// The name of the entries in [`Hit::Row`].
const LIST: &str = "palette";
/// The longest search.
const LIMIT: usize = 40;

/// Where an entry leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Go {
    /// To a tab.
    Place(Place),
    /// An action of the open tab.
    Action(Action),
}

/// What an input did to the palette.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Picked {
    /// It stays open.
    Open,
    /// It was closed.
    Cancelled,
    /// This was picked.
    Go(Go),
}

#[derive(Debug, Clone)]
struct Entry {
    words: String,
    keys: String,
    go: Go,
}

/// The open palette.
#[derive(Debug)]
pub(super) struct Palette {
    entries: Vec<Entry>,
    /// The entries that fit what was typed, the best first.
    found: Vec<usize>,
    search: TextInput,
    state: ListState,
}

impl Palette {
    pub(super) fn new(places: &[Place], context: Context, env: &Env<'_>) -> Self {
        let tab = |(index, place): (usize, &Place)| Entry {
            words: env.locale.t_args("console.go_to", &[("tab", &env.locale.t(place.title_key()))]),
            keys: index.saturating_add(1).to_string(),
            go: Go::Place(*place),
        };
        let action = |action: Action| Entry {
            words: env.locale.t(action.label_key()),
            keys: env.keymap.keys_for(context, action).join(" "),
            go: Go::Action(action),
        };
        let mut entries: Vec<Entry> = places.iter().enumerate().map(tab).collect();
        // Moving about needs no palette.
        let own = env.keymap.actions_in(context).into_iter();
        entries.extend(own.filter(|own| *own >= Action::Search && *own != Action::Palette).map(action));
        let mut palette =
            Self { entries, found: Vec::new(), search: TextInput::new(LIMIT), state: ListState::default() };
        palette.find();
        palette
    }

    /// Sorts out what fits: fuzzily, the best first; all, in their order, while nothing is typed.
    fn find(&mut self) {
        let pattern = Pattern::new(self.search.value(), CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut scored: Vec<(Reverse<u32>, usize)> = Vec::new();
        for (at, entry) in self.entries.iter().enumerate() {
            if let Some(score) = pattern.score(Utf32Str::new(&entry.words, &mut buffer), &mut matcher) {
                scored.push((Reverse(score), at));
            }
        }
        scored.sort_unstable();
        self.found = scored.into_iter().map(|(_, at)| at).collect();
        self.state.select(0);
    }

    fn pick(&self, at: usize) -> Picked {
        let entry = self.found.get(at).and_then(|at| self.entries.get(*at));
        entry.map_or(Picked::Open, |entry| Picked::Go(entry.go))
    }

    pub(super) fn on_input<M>(&mut self, input: &Input<M>, env: &Env<'_>) -> Picked {
        match input {
            Input::Key(press) if self.search.on_key(*press) => {
                self.find();
                return Picked::Open;
            }
            Input::Paste(pasted) => {
                self.search.paste(pasted);
                self.find();
                return Picked::Open;
            }
            Input::Click { hit: Some(Hit::Row { list: LIST, index }), .. } => return self.pick(*index),
            _ => {}
        }
        match env.action(Context::TextInput, input) {
            Some(Action::Back) => Picked::Cancelled,
            Some(Action::Select) => match self.state.selected(self.found.len()) {
                Some(at) => self.pick(at),
                None => Picked::Open,
            },
            Some(action) => {
                self.state.on_action(action, self.found.len());
                Picked::Open
            }
            None => Picked::Open,
        }
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let rows = u16::try_from(self.entries.len()).unwrap_or(u16::MAX).min(SHOWN);
        let title = ctx.locale.t("console.palette");
        let inner = panel::overlay(frame, area, (56, rows.saturating_add(6)), &title, ctx);
        let [search, _, entries, _, keys] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Fill(1),
            Constraint::Length(1),
            Constraint::Length(1),
        ])
        .areas(inner);
        let look = ListLook { name: LIST, row_height: 1, active: true };
        list::draw(frame, entries, &self.state, self.found.len(), look, ctx, |index, width| {
            let entry = self.found.get(index).and_then(|at| self.entries.get(*at));
            let (words, keys) = entry.map_or(("", ""), |entry| (entry.words.as_str(), entry.keys.as_str()));
            let keys_width = u16::try_from(text::display_width(keys)).unwrap_or_default();
            let cells = [(words, ctx.style(Token::Text)), (keys, ctx.style(Token::Accent))];
            vec![columns::row(&[Column::Fill, Column::Right(keys_width)], &cells, width)]
        });
        footer::draw(frame, keys, Context::TextInput, &[Action::Select, Action::Back], ctx);
        let mark = Line::from(Span::styled("› ", ctx.style(Token::Accent)));
        frame.render_widget(Paragraph::new(mark), Rect { width: 2.min(search.width), ..search });
        let field = Rect { x: search.x.saturating_add(2), width: search.width.saturating_sub(2), ..search };
        self.search.draw(frame, field, ctx);
    }
}
