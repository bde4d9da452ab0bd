//! What the house tells the person who is signed in: how much of it is new, said beside their name, and the list of
//! it. Closing the list marks what it showed as read. Who is told what is not decided here.

use super::desk::{self, Commands, Desk};
use super::message::{Act, Ask, Loaded};
use super::paged::{Paged, Wanted};
use crate::domain::error::Refused;
use crate::service::envelope::{Envelope, NoticeCommand};
use crate::service::notices::{ListNotices, MOST_UNREAD, NoticePage, NoticeView, ReadNotices};
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
}

/// The question of a page.
fn question(wanted: Wanted) -> Ask {
    Ask::Notices(ListNotices { after: wanted.after, limit: wanted.limit })
}

fn same(one: &NoticeView, other: &NoticeView) -> bool {
    one.seq == other.seq
}

impl Notices {
    /// Reads them again.
    pub(super) fn ask(&mut self, desk: &mut Desk) -> Commands {
        self.list.reload(desk, question)
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
                    let first = self.list.items().first();
                    let newest = first.map_or(0, |notice| notice.seq);
                    let before = self.newest.replace(newest);
                    if let Some(news) = first.filter(|_| before.is_some_and(|before| before < newest)) {
                        let args = [("title", &news.title as &dyn std::fmt::Display), ("body", &news.body)];
                        desk.say(env.locale.t_args("notices.news", &args), Token::Accent, env);
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

    /// Opens the list at the newest.
    pub(super) fn open(&mut self) {
        self.list.state.select(0);
    }

    /// What is to be asked for, while the list stays open; `None` where it closes.
    pub(super) fn on_input<M>(&mut self, input: &Input<M>, desk: &mut Desk, env: &Env<'_>) -> Option<Commands> {
        match env.action(Context::Help, input) {
            Some(action) => self.list.on_action(action, desk, question),
            None => Some(Vec::new()),
        }
    }

    /// Marks what was listed as read, if anything was not.
    pub(super) fn close(&mut self, desk: &mut Desk, env: &Env<'_>) -> Commands {
        let Some(newest) = self.list.items().first().filter(|_| self.unread > 0 && !desk.is_busy()) else {
            return Vec::new();
        };
        let read = ReadNotices { up_to: newest.seq };
        desk.act(Act::Command(Envelope::Notice(NoticeCommand::Read(read))), env)
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let items = self.list.items();
        let rows = u16::try_from(items.len()).unwrap_or(u16::MAX).saturating_mul(ROWS).max(1);
        let inner = panel::overlay(frame, area, (WIDTH, rows.saturating_add(4)), &ctx.locale.t("notices.title"), ctx);
        let [entries, _, keys] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(1), Constraint::Length(1)]).areas(inner);
        footer::draw(frame, keys, Context::Help, &[Action::Down, Action::Back], ctx);
        if let Some(refused) = self.list.problem() {
            return desk::draw_words(&refusal::sentence(refused, ctx.locale), Token::Danger, frame, entries, ctx);
        }
        if items.is_empty() {
            let key = if self.list.is_loaded() { "notices.none" } else { "console.loading" };
            return desk::draw_words(&ctx.locale.t(key), Token::Muted, frame, entries, ctx);
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
