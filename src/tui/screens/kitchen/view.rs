//! Draws the board: the tabs of the stations, the cards of one page, the next step, and what lies over
//! them. Changes nothing.

use super::Kitchen;
use super::card::{self, Stand};
use super::keys::STATIONS;
use super::ticket::{self, Next};
use crate::domain::order::Status;
use crate::service::views::TicketView;
use crate::tui::app::{Hit, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::banner::Banner;
use crate::tui::widgets::columns::{self, Column};
use crate::tui::widgets::list::{self, ListLook, ListState};
use crate::tui::widgets::page::{self, Page};
use crate::tui::widgets::panel;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect, Size};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// The keys in the last row, the most important first.
const HINTS: [Action; 9] = [
    Action::Bump,
    Action::Undo,
    Action::Recall,
    Action::Accept,
    Action::Cash,
    Action::Reject,
    Action::StationNext,
    Action::AllDay,
    Action::Help,
];
/// Rows from which on there is room for a banner that says that this is only a demo; below, and where
/// another banner stands, the title row says it.
const DEMO_ROWS: u16 = 28;

impl Kitchen {
    /// What stands over the board, if anything does.
    pub(super) fn banner(&self, size: Size) -> Option<Banner> {
        if self.away {
            return Some(Banner::StoreAway);
        }
        if let Some(problem) = &self.problem {
            return Some(Banner::Words(problem.clone(), Token::Danger));
        }
        let demo = self.view.get().is_some_and(|view| view.demo);
        (demo && size.height >= DEMO_ROWS).then_some(Banner::DemoStore)
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>, ctx: &ViewCtx<'_>) {
        let shown = self.shown();
        let banner = self.banner(ctx.size);
        let title = match self.view.get() {
            Some(view) => ctx.locale.t_args("kitchen.title_site", &[("site", &view.site)]),
            None => ctx.locale.t("kitchen.title"),
        };
        let mut aside = self.aside(&shown, ctx);
        if banner != Some(Banner::DemoStore) && self.view.get().is_some_and(|view| view.demo) {
            aside = format!("{} · {aside}", ctx.locale.t("common.demo"));
        }
        let page =
            Page { title: &title, aside: &aside, banner: banner.as_ref(), context: Context::Kitchen, hints: &HINTS };
        let body = page::draw(frame, page, ctx);
        let area = self.board_area(ctx.size).intersection(body);
        let tabs = Rect { y: area.y.saturating_sub(1), height: 1, ..area };
        let foot = Rect { y: area.bottom(), height: 1, ..area }.intersection(body);
        self.draw_tabs(frame, tabs, ctx);
        match &self.counts {
            Some(state) => self.draw_counts(frame, area, state, ctx),
            None if shown.is_empty() => self.draw_empty(frame, area, ctx),
            None => self.draw_cards(frame, foot, &shown, ctx),
        }
        self.toast.draw(frame, area, ctx);
        self.draw_overlay(frame, frame.area(), ctx);
    }

    fn aside(&self, shown: &[&TicketView], ctx: &ViewCtx<'_>) -> String {
        let count = |wanted: bool| {
            let many = shown.iter().filter(|ticket| (ticket.status == Status::Ready) == wanted).count();
            i64::try_from(many).unwrap_or(i64::MAX)
        };
        let mut parts = vec![ctx.locale.t_plural("kitchen.open_count", count(false), &[])];
        if self.station.is_none() {
            parts.push(ctx.locale.t_plural("kitchen.ready_count", count(true), &[]));
        }
        if self.muted {
            parts.push(ctx.locale.t("kitchen.bell_off"));
        }
        parts.push(match &self.person {
            Some(person) => text::truncate_to_width(&text::clean(&person.name), 16),
            None => ctx.locale.t("kitchen.nobody_short"),
        });
        parts.join(" · ")
    }

    fn draw_tabs(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        if let Some((numbers, _)) = &self.flash {
            let count = i64::try_from(numbers.len()).unwrap_or(i64::MAX);
            let words = ctx.locale.t_plural("kitchen.flash", count, &[("numbers", &numbers.join("   "))]);
            let words = text::fit_to_width(&format!("  {words}"), usize::from(area.width));
            let style = ctx.style(Token::Accent).add_modifier(Modifier::REVERSED | Modifier::BOLD);
            frame.render_widget(Paragraph::new(Line::styled(words, style)), area);
            return;
        }
        let Some(view) = self.view.get() else { return };
        let mut tabs = vec![(ctx.locale.t("kitchen.all_stations"), self.station.is_none() && !self.expo)];
        tabs.extend(view.stations.iter().map(|station| (text::clean(&station.name), self.station == Some(station.id))));
        tabs.push((ctx.locale.t("kitchen.expo"), self.expo));
        let mut x = area.x;
        for (index, (name, active)) in tabs.into_iter().enumerate() {
            let name = text::truncate_to_width(&name, 18);
            let words = if active { format!("[ {name} ]") } else { format!("  {name}  ") };
            let Ok(width) = u16::try_from(text::display_width(&words)) else { return };
            if x.saturating_add(width) > area.right() {
                return;
            }
            let place = Rect { x, width, height: 1, ..area };
            let token = if active { Token::Selected } else { Token::Muted };
            frame.render_widget(Span::styled(words, ctx.style(token)), place);
            ctx.hit(place, Hit::Row { list: STATIONS, index });
            x = x.saturating_add(width);
        }
    }

    fn draw_cards(&self, frame: &mut Frame<'_>, foot: Rect, shown: &[&TicketView], ctx: &ViewCtx<'_>) {
        let Some(look) = self.look(ctx.size, ctx.theme, ctx.locale, ctx.now) else { return };
        let (pages, page) = self.pages(shown, &look, ctx.size);
        let mut slot = 0_usize;
        let segments = pages.get(page).map(Vec::as_slice).unwrap_or_default();
        for segment in segments {
            let Some(ticket) = shown.get(segment.ticket) else { continue };
            if segment.first == 0 {
                slot = slot.saturating_add(1);
            }
            let stand = Stand {
                slot: (segment.first == 0).then_some(slot),
                selected: self.selected == Some(ticket.order),
                busy: self.acts.is_busy(ticket.order),
            };
            card::draw(frame, ticket, segment, stand, &look, ctx);
        }
        let first = segments.first().map_or(0, |segment| segment.ticket.saturating_add(1));
        let last = segments.last().map_or(0, |segment| segment.ticket.saturating_add(1));
        let (number, count) = (page.saturating_add(1), pages.len());
        let position = if count > 1 {
            ctx.locale.t_args(
                "kitchen.position",
                &[("first", &first), ("last", &last), ("all", &shown.len()), ("page", &number), ("pages", &count)],
            )
        } else {
            String::new()
        };
        self.draw_foot(frame, foot, &position, ctx);
    }

    /// What Bump does next, or what can still be taken back; and where on the board one is.
    fn draw_foot(&self, frame: &mut Frame<'_>, area: Rect, position: &str, ctx: &ViewCtx<'_>) {
        if area.is_empty() {
            return;
        }
        let taken = u16::try_from(text::display_width(position)).unwrap_or(area.width).min(area.width);
        let [left, right] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(taken)]).areas(area);
        let room = usize::from(left.width).saturating_sub(2);
        let key = |action| ctx.keymap.keys_for(Context::Kitchen, action).into_iter().next().unwrap_or_default();
        let (words, token) = if let Some(undo) = &self.undo {
            let left = undo.until.seconds_since(ctx.now).max(1);
            let args: [(&str, &dyn std::fmt::Display); 3] =
                [("number", &undo.number), ("key", &key(Action::Undo)), ("left", &left)];
            (ctx.locale.t_args("kitchen.undo_offer", &args), Token::Ready)
        } else {
            (self.next_words(&key(Action::Bump), ctx), Token::Accent)
        };
        let words = text::truncate_to_width(&words, room);
        frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(token))), left);
        frame.render_widget(Paragraph::new(Line::styled(position.to_owned(), ctx.style(Token::Muted))), right);
    }

    fn next_words(&self, key: &str, ctx: &ViewCtx<'_>) -> String {
        let Some(ticket) = self.selected.and_then(|order| self.ticket(order)) else { return String::new() };
        let step = match ticket::next(ticket, self.store_now(ctx.now)) {
            Next::Start => ctx.locale.t("kitchen.next_start"),
            Next::Finish => ctx.locale.t("kitchen.next_finish"),
            Next::HandOver => ctx.locale.t("kitchen.next_hand_over"),
            Next::PayFirst => ctx.locale.t("kitchen.next_pay"),
            Next::AcceptFirst => ctx.locale.t("kitchen.next_accept"),
            Next::ReleaseFirst => ctx.locale.t("kitchen.next_release"),
            Next::CourierTakes => ctx.locale.t("kitchen.next_courier"),
            Next::Gone => return String::new(),
        };
        ctx.locale.t_args("kitchen.next", &[("number", &ticket.pickup_number), ("key", &key), ("step", &step)])
    }

    fn draw_empty(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let (head, body) = match (self.view.get(), self.station) {
            (None, _) => ("kitchen.loading", "kitchen.loading_body"),
            (Some(_), Some(_)) => ("kitchen.empty_station", "kitchen.empty_station_body"),
            (Some(_), None) => ("kitchen.empty", "kitchen.empty_body"),
        };
        let mut lines = vec![Line::styled(ctx.locale.t(head), ctx.style(Token::Title)), Line::default()];
        let body = text::wrap(&ctx.locale.t(body), usize::from(area.width));
        lines.extend(body.into_iter().map(|row| Line::styled(row, ctx.style(Token::Muted))));
        let height = u16::try_from(lines.len()).unwrap_or(area.height);
        let middle = area.centered_vertically(Constraint::Length(height));
        frame.render_widget(Paragraph::new(lines).centered(), middle);
    }

    fn draw_counts(&self, frame: &mut Frame<'_>, area: Rect, state: &ListState, ctx: &ViewCtx<'_>) {
        let inner = panel::draw(frame, area, &ctx.locale.t("kitchen.all_day_title"), true, ctx);
        let counts: Vec<_> = self
            .all_day
            .get()
            .into_iter()
            .flatten()
            .filter(|count| self.station.is_none() || count.station.is_none() || count.station == self.station)
            .collect();
        let [heads, _, rows] =
            Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Fill(1)]).areas(inner);
        let shape = [Column::Right(8), Column::Right(8), Column::Left(1), Column::Fill, Column::Left(16)];
        let muted = ctx.style(Token::Muted);
        let (wanted, made) = (ctx.locale.t("kitchen.to_make"), ctx.locale.t("kitchen.made"));
        let (what, place) = (ctx.locale.t("kitchen.dish"), ctx.locale.t("kitchen.station"));
        let cells = [
            (wanted.as_str(), muted),
            (made.as_str(), muted),
            ("", muted),
            (what.as_str(), muted),
            (place.as_str(), muted),
        ];
        frame.render_widget(columns::row(&shape, &cells, heads.width), heads);
        if self.all_day.get().is_none() {
            let words = Line::styled(ctx.locale.t("kitchen.loading"), muted);
            frame.render_widget(Paragraph::new(words), rows);
            return;
        }
        let stations = self.view.get().map(|view| view.stations.as_slice()).unwrap_or_default();
        let look = ListLook { name: "all_day", row_height: 1, active: true };
        list::draw(frame, rows, state, counts.len(), look, ctx, |index, width| {
            let Some(count) = counts.get(index) else { return Vec::new() };
            let station = stations.iter().find(|station| Some(station.id) == count.station);
            let station = station.map_or("", |station| station.name.as_str());
            let (to_make, done) = (count.to_make.to_string(), count.done.to_string());
            let bold = ctx.style(Token::Text).add_modifier(Modifier::BOLD);
            let name = if count.to_make > 0 { bold } else { muted };
            let cells = [
                (to_make.as_str(), name),
                (done.as_str(), muted),
                ("", muted),
                (count.name.as_str(), name),
                (station, muted),
            ];
            vec![columns::row(&shape, &cells, width)]
        });
    }
}
