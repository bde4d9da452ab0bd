//! What the house tells the person who is signed in: how much of it is new, said beside their name, and the list of
//! it. Closing the list marks what it showed as read. Who is told what is not decided here.

use super::desk::{self, Commands, Desk};
use super::message::Msg;
use super::message::{Act, Ask, Loaded};
use super::paged::{Paged, Wanted};
use super::search::Search;
use crate::domain::error::Refused;
use crate::service::envelope::{Envelope, NoticeCommand};
use crate::service::notices::{ListNotices, MOST_UNREAD, NoticeFilter, NoticePage, NoticeView, ReadNotices};
use crate::service::views::Page;
use crate::tui::app::{Env, Input, RequestId, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::locale::Locale;
use crate::tui::theme::Token;
use crate::tui::widgets::list::{self, ListLook};
use crate::tui::widgets::{footer, panel};
use crate::tui::{refusal, text};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

/// The name of the notices in a list's clicks.
const LIST: &str = "notices";
/// Columns of the list's frame.
const WIDTH: u16 = 80;
/// Rows of one notice: its title, its words.
const ROWS: u16 = 2;

/// What this person was told, as far as it was read: the newest, and what is older when it is scrolled to.
#[derive(Debug, Default)]
pub(super) struct Notices {
    list: Paged<NoticeView>,
    unread: i64,
    /// The newest that was here when the last answer came: what is above it is news.
    newest: Option<i64>,
    /// Only what was not read is wanted.
    only_unread: bool,
    /// A part of the title or of the words.
    text: String,
    search: Search,
}

/// The question of a page.
fn question(filter: NoticeFilter) -> impl FnOnce(Wanted) -> Ask {
    |wanted| Ask::Notices(ListNotices { filter, after: wanted.after, limit: wanted.limit })
}

fn same(one: &NoticeView, other: &NoticeView) -> bool {
    one.seq == other.seq
}

impl Notices {
    /// Reads them again.
    pub(super) fn ask(&mut self, desk: &mut Desk) -> Commands {
        let question = question(self.filter());
        self.list.reload(desk, question)
    }

    fn filter(&self) -> NoticeFilter {
        let text = self.text.trim();
        NoticeFilter { unread: self.only_unread, text: (!text.is_empty()).then(|| text.to_owned()) }
    }

    fn is_narrowed(&self) -> bool {
        self.only_unread || !self.text.is_empty()
    }

    /// Another list is wanted.
    fn anew(&mut self, desk: &mut Desk) -> Commands {
        self.list.clear();
        self.ask(desk)
    }

    /// Takes the answer if it is one to this; what came since the last answer is said at the foot of the screen.
    pub(super) fn take(
        &mut self,
        request: RequestId,
        result: Result<Loaded, Refused>,
        desk: &mut Desk,
        env: &Env<'_>,
    ) -> Option<Result<Loaded, Refused>> {
        match result {
            Ok(Loaded::Notices(page)) => {
                let NoticePage { items, next, unread } = *page;
                let page = Page { items, next, total: unread, at_least: unread >= MOST_UNREAD };
                if self.list.answer(request, Ok(page), same) {
                    self.unread = unread;
                    // What is narrowed does not begin with the newest.
                    if !self.is_narrowed() {
                        self.tell_news(desk, env);
                    }
                }
                None
            }
            Err(refused) => {
                let own = self.list.answer(request, Err(refused.clone()), same);
                (!own).then_some(Err(refused))
            }
            other => Some(other),
        }
    }

    /// Says the newest at the foot of the screen where it came since the last answer.
    fn tell_news(&mut self, desk: &mut Desk, env: &Env<'_>) {
        let first = self.list.items().first();
        let newest = first.map_or(0, |notice| notice.seq);
        let before = self.newest.replace(newest);
        if let Some(news) = first.filter(|_| before.is_some_and(|before| before < newest)) {
            let args = [("title", &news.title as &dyn std::fmt::Display), ("body", &news.body)];
            desk.say(env.locale.t_args("notices.news", &args), Token::Accent, env);
        }
    }

    /// An effect failed by a fault of ours: nothing is waited for any more.
    pub(super) const fn give_up(&mut self) {
        self.list.give_up();
    }

    /// What stands beside the person's name where something is new.
    pub(super) fn mark(&self, locale: &Locale) -> Option<String> {
        match self.unread {
            ..=0 => None,
            MOST_UNREAD.. => Some(locale.t_args("notices.mark_many", &[("count", &MOST_UNREAD)])),
            count => Some(locale.t_args("notices.mark", &[("count", &count)])),
        }
    }

    /// How the list is narrowed, in words.
    fn words(&self, locale: &Locale) -> String {
        let shown = locale.t(if self.only_unread { "notices.only_new" } else { "notices.all" });
        if self.text.is_empty() { shown } else { format!("{shown} · \"{}\"", self.text) }
    }

    /// Opens the list at the newest.
    pub(super) fn open(&mut self) {
        self.list.state.select(0);
    }

    /// What is to be asked for, while the list stays open; `None` where it closes.
    pub(super) fn on_input(&mut self, input: &Input<Msg>, desk: &mut Desk, env: &Env<'_>) -> Option<Commands> {
        let action = env.action(self.context(), input);
        if self.search.is_open() {
            let changed = self.search.on_input(input, action, &mut self.text);
            return Some(if changed { self.anew(desk) } else { Vec::new() });
        }
        match action {
            Some(Action::Search) => {
                self.search.open(&self.text);
                Some(Vec::new())
            }
            Some(Action::Filter) => {
                self.only_unread = !self.only_unread;
                Some(self.anew(desk))
            }
            Some(Action::Back) if self.is_narrowed() => {
                (self.only_unread, self.text) = (false, String::new());
                Some(self.anew(desk))
            }
            Some(action) => {
                let question = question(self.filter());
                self.list.on_action(action, desk, question)
            }
            None => Some(Vec::new()),
        }
    }

    /// Where its keys are looked up.
    pub(super) const fn context(&self) -> Context {
        if self.search.is_open() { Context::TextInput } else { Context::ConsoleNotices }
    }

    /// Closes the list, and marks what was listed as read if anything was not; what was narrowed was not seen whole.
    pub(super) fn close(&mut self, desk: &mut Desk, env: &Env<'_>) -> Commands {
        if self.is_narrowed() {
            (self.only_unread, self.text) = (false, String::new());
            return self.anew(desk);
        }
        let Some(newest) = self.list.items().first().filter(|_| self.unread > 0 && !desk.is_busy()) else {
            return Vec::new();
        };
        let read = ReadNotices { up_to: newest.seq };
        desk.act(Act::Command(Envelope::Notice(NoticeCommand::Read(read))), env)
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let items = self.list.items();
        let rows = u16::try_from(items.len()).unwrap_or(u16::MAX).saturating_mul(ROWS).max(1);
        let inner = panel::overlay(frame, area, (WIDTH, rows.saturating_add(5)), &ctx.locale.t("notices.title"), ctx);
        let [head, entries, _, keys] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Fill(1),
            Constraint::Length(1),
            Constraint::Length(1),
        ])
        .areas(inner);
        let hints: &[Action] = match self.search.is_open() {
            true => &[Action::Select, Action::Back],
            false => &[Action::Filter, Action::Search, Action::Back],
        };
        footer::draw(frame, keys, self.context(), hints, ctx);
        let total = ctx.locale.t_args("notices.not_read", &[("count", &self.unread)]);
        self.search.draw_head(frame, head, (&self.words(ctx.locale), Token::Muted), total, ctx);
        if let Some(refused) = self.list.problem() {
            return desk::draw_words(&refusal::sentence(refused, ctx.locale), Token::Danger, frame, entries, ctx);
        }
        if items.is_empty() {
            let words = ctx.locale.t(match (self.list.is_loaded(), self.is_narrowed()) {
                (false, _) => "console.loading",
                (true, false) => "notices.none",
                (true, true) => "notices.none_found",
            });
            return desk::draw_words(&words, Token::Muted, frame, entries, ctx);
        }
        let look = ListLook { name: LIST, row_height: ROWS, active: true };
        list::draw(frame, entries, &self.list.state, items.len(), look, ctx, |index, width| {
            items.get(index).map(|notice| lines(notice, width, desk, ctx)).unwrap_or_default()
        });
    }
}

fn lines(notice: &NoticeView, width: u16, desk: &Desk, ctx: &ViewCtx<'_>) -> Vec<Line<'static>> {
    let mark = if notice.read_at.is_none() { "● " } else { "  " };
    let at = desk.instant(notice.at);
    let indent = 2;
    let room = usize::from(width).saturating_sub(indent);
    let title = text::truncate_to_width(&text::clean(&notice.title), room.saturating_sub(at.len().saturating_add(2)));
    let body = text::truncate_to_width(&text::clean(&notice.body), room);
    let token = if notice.read_at.is_none() { Token::Title } else { Token::Text };
    vec![
        Line::from(vec![
            Span::styled(mark, ctx.style(Token::Accent)),
            Span::styled(at, ctx.style(Token::Muted)),
            Span::raw("  "),
            Span::styled(title, ctx.style(token)),
        ]),
        Line::from(vec![Span::raw("  "), Span::styled(body, ctx.style(Token::Text))]),
    ]
}
