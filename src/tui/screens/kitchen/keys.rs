//! What the keys of the board do: moving the selection, and the step that each key asks for. Says
//! why where a key cannot do what it says.

use super::card::{self, Look};
use super::cash::CashForm;
use super::layout::{self, Segment};
use super::message::{Act, Effect};
use super::overlay::{Ending, Overlay, Question};
use super::ticket::{self, Next};
use super::voiding::VoidForm;
use super::{Kitchen, Wish};
use crate::domain::ids::OrderId;
use crate::domain::order::Status;
use crate::service::views::TicketView;
use crate::tui::app::{Cmd, Env};
use crate::tui::keymap::{Action, Context};
use crate::tui::screens::credentials::Credentials;
use crate::tui::text;
use crate::tui::theme::{Theme, Token};
use crate::tui::widgets::dialog::Dialog;
use crate::tui::widgets::input::TextInput;
use crate::tui::widgets::list::ListState;
use ratatui::layout::{Rect, Size};

/// The name of the stations in [`crate::tui::app::Hit::Row`].
pub(super) const STATIONS: &str = "stations";
/// The longest note.
const NOTE_LIMIT: usize = 120;
/// The minutes that are offered for holding a ticket.
pub(super) const HOLD_MINUTES: [i64; 4] = [5, 10, 15, 30];
/// The minutes that are offered for an estimate.
pub(super) const ETA_MINUTES: [i64; 5] = [5, 10, 15, 20, 30];
/// Rows of a board from which on numbers may be large.
const LARGE_ROWS: u16 = 17;
/// Rows of a board from which on numbers are always large.
const TALL_ROWS: u16 = 26;

impl Kitchen {
    /// Where the cards stand on a screen of this size.
    pub(super) fn board_area(&self, size: Size) -> Rect {
        let banner = u16::from(self.banner(size).is_some());
        let top = 2_u16.saturating_add(banner);
        Rect {
            x: 1,
            y: top,
            width: size.width.saturating_sub(2),
            height: size.height.saturating_sub(top).saturating_sub(2),
        }
    }

    /// What cards look like on a screen of this size; `None` while there are none.
    pub(super) fn look<'a>(
        &'a self,
        size: Size,
        theme: &'a Theme,
        locale: &'a crate::tui::locale::Locale,
        now: crate::domain::time::Timestamp,
    ) -> Option<Look<'a>> {
        let area = self.board_area(size);
        let (station, expo, now, width) = (self.station, self.expo, self.store_now(now), layout::inner_width(area));
        let look = Look { theme, locale, view: self.view.get()?, station, expo, large: true, now, width };
        // Large numbers where there is room for them: always on a tall screen, else while every
        // ticket fits on one page with them.
        let fits = || {
            let rows = self.heights.of(&self.shown(), &look);
            layout::pages(&rows, area).len() == 1
        };
        let large = area.height >= TALL_ROWS || (area.height >= LARGE_ROWS && fits());
        Some(Look { large, ..look })
    }

    /// The pages of the board, and the one that is shown.
    pub(super) fn pages(&self, shown: &[&TicketView], look: &Look<'_>, size: Size) -> (Vec<Vec<Segment>>, usize) {
        let rows = self.heights.of(shown, look);
        let pages = layout::pages(&rows, self.board_area(size));
        let selected = self.selected.and_then(|order| shown.iter().position(|ticket| ticket.order == order));
        let begins =
            pages.iter().position(|page| page.iter().any(|part| Some(part.ticket) == selected && part.first == 0));
        let page = begins.unwrap_or_default().saturating_add(self.part).min(pages.len().saturating_sub(1));
        (pages, page)
    }

    pub(super) fn on_action(&mut self, action: Action, env: &Env<'_>) -> Vec<Cmd<Effect>> {
        if let Some(counts) = &mut self.counts {
            let len = self.all_day.get().map_or(0, Vec::len);
            match action {
                Action::Back => self.counts = None,
                Action::Up | Action::Down | Action::PageUp | Action::PageDown | Action::Home | Action::End => {
                    counts.on_action(action, len);
                }
                Action::Help
                | Action::Quit
                | Action::AllDay
                | Action::StationNext
                | Action::NextPane
                | Action::Mute => {
                    return self.on_board_action(action, env);
                }
                _ => self.counts = None,
            }
            return Vec::new();
        }
        self.on_board_action(action, env)
    }

    fn on_board_action(&mut self, action: Action, env: &Env<'_>) -> Vec<Cmd<Effect>> {
        match action {
            Action::Up
            | Action::Down
            | Action::Left
            | Action::Right
            | Action::Home
            | Action::End
            | Action::PageUp
            | Action::PageDown
            | Action::Digit(_) => self.move_selection(action, env),
            Action::Quit | Action::StaffExit => return vec![Cmd::Quit(0)],
            Action::Help => self.overlay = Some(Overlay::Help(0)),
            Action::Back => self.toast.dismiss(),
            Action::Mute => {
                self.muted = !self.muted;
                let words = env.locale.t(if self.muted { "kitchen.bell_off" } else { "kitchen.bell_on" });
                self.say(words, Token::Muted, env);
            }
            Action::AllDay => {
                self.counts = if self.counts.is_some() { None } else { Some(ListState::default()) };
                if self.counts.is_some() {
                    return self.load_counts();
                }
            }
            Action::StationNext | Action::NextPane => self.next_station(true),
            Action::PreviousPane => self.next_station(false),
            Action::Expo => {
                self.expo = !self.expo;
                if self.expo {
                    self.station = None;
                }
                self.keep_selection();
            }
            Action::Search => {
                let title = env.locale.t("kitchen.find");
                let dialog = Dialog::text(title, env.locale.t("kitchen.find_body"), TextInput::new(40));
                self.overlay = Some(Overlay::Ask(Box::new(dialog), None, Question::Find));
            }
            Action::Recall => self.overlay = Some(Overlay::Recall(ListState::default())),
            Action::Undo => return self.undo(env),
            Action::SignIn => self.ask_person(env.locale.t("kitchen.sign_in_body"), env),
            Action::SignOut => {
                if self.person.is_some() {
                    return vec![Cmd::Effect(Effect::SignOut)];
                }
                self.say(env.locale.t("kitchen.nobody"), Token::Muted, env);
            }
            action => match self.selected {
                Some(order) => return self.on_order(action, order, env),
                None => self.say(env.locale.t("kitchen.no_ticket"), Token::Muted, env),
            },
        }
        Vec::new()
    }

    pub(super) fn on_click(&mut self, list: &'static str, index: usize, env: &Env<'_>) -> Vec<Cmd<Effect>> {
        match list {
            card::CARDS => {
                if let Some(order) = self.shown().get(index).map(|ticket| ticket.order) {
                    let selected = self.selected == Some(order);
                    (self.selected, self.place) = (Some(order), index);
                    if !selected {
                        self.part = 0;
                    }
                }
                Vec::new()
            }
            STATIONS => {
                let stations = self.view.get().map(|view| view.stations.clone()).unwrap_or_default();
                self.station = index.checked_sub(1).and_then(|at| stations.get(at)).map(|station| station.id);
                if index > stations.len() {
                    return self.on_action(Action::Expo, env);
                }
                self.expo = false;
                self.keep_selection();
                Vec::new()
            }
            _ => vec![Cmd::Unchanged],
        }
    }

    fn next_station(&mut self, forward: bool) {
        let Some(view) = self.view.get() else { return };
        let mut ring = vec![None];
        ring.extend(view.stations.iter().map(|station| Some(station.id)));
        let at = ring.iter().position(|station| *station == self.station).unwrap_or_default();
        let step = if forward { 1 } else { ring.len().saturating_sub(1) };
        let to = at.saturating_add(step).checked_rem(ring.len()).unwrap_or_default();
        self.station = ring.get(to).copied().flatten();
        self.expo = false;
        self.part = 0;
        self.keep_selection();
    }

    /// Moves the selection by arrows, pages and slots.
    fn move_selection(&mut self, action: Action, env: &Env<'_>) {
        let shown = self.shown();
        let Some(look) = self.look(env.size, env.theme, env.locale, env.now) else { return };
        let (pages, page) = self.pages(&shown, &look, env.size);
        let last = shown.len().saturating_sub(1);
        let at =
            self.selected.and_then(|order| shown.iter().position(|ticket| ticket.order == order)).unwrap_or_default();
        let begins = |page: usize| {
            let begun = pages.get(page).and_then(|page| page.iter().find(|part| part.first == 0));
            begun.map(|part| part.ticket)
        };
        let mut part = 0;
        let to = match action {
            Action::Up => at.saturating_sub(1),
            Action::Down => at.saturating_add(1).min(last),
            Action::Home => 0,
            Action::End => last,
            Action::Left | Action::Right => {
                let cards: Vec<Segment> = pages.iter().flatten().copied().collect();
                beside(&cards, &pages, at, action == Action::Right).unwrap_or(at)
            }
            Action::PageUp => match page.checked_sub(1) {
                Some(before) => begins(before).unwrap_or_else(|| {
                    part = self.part.saturating_sub(1);
                    at
                }),
                None => 0,
            },
            Action::PageDown => {
                let next = page.saturating_add(1);
                match begins(next) {
                    // A ticket that goes on over the page is read to its end first.
                    Some(_)
                        if pages.get(next).is_some_and(|page| {
                            page.first().is_some_and(|first| first.ticket == at && first.first > 0)
                        }) =>
                    {
                        part = self.part.saturating_add(1);
                        at
                    }
                    Some(ticket) => ticket,
                    None if next < pages.len() => {
                        part = self.part.saturating_add(1);
                        at
                    }
                    None => last,
                }
            }
            Action::Digit(digit) => {
                let slot = if digit == 0 { 10 } else { usize::from(digit) };
                let mut begun = pages.get(page).into_iter().flatten().filter(|part| part.first == 0);
                match begun.nth(slot.saturating_sub(1)) {
                    Some(part) => part.ticket,
                    None => return,
                }
            }
            _ => at,
        };
        let order = shown.get(to).map(|ticket| ticket.order);
        (self.selected, self.place, self.part) = (order, to, part);
    }

    /// What a key asks for the order on which it was pressed.
    pub(super) fn on_order(&mut self, action: Action, order: OrderId, env: &Env<'_>) -> Vec<Cmd<Effect>> {
        let Some(ticket) = self.ticket(order).cloned() else {
            self.say(env.locale.t("kitchen.gone"), Token::Warning, env);
            return Vec::new();
        };
        if self.acts.is_busy(order) {
            return self.say_busy(order, env);
        }
        if self.away {
            self.say(env.locale.t("kitchen.away"), Token::Danger, env);
            return Vec::new();
        }
        let now = self.store_now(env.now);
        let held = ticket::is_held(&ticket, now);
        match action {
            Action::Bump | Action::Select => return self.bump(&ticket, env),
            Action::Accept if ticket.status == Status::Received => self.ask_estimate(order, &ticket, env),
            Action::Priority => {
                return self.act(order, Act::SetPriority { priority: i64::from(ticket.priority <= 0) }, env);
            }
            Action::Hold if held => return self.act(order, Act::Release, env),
            Action::Hold => {
                let mut choices: Vec<String> =
                    HOLD_MINUTES.iter().map(|minutes| env.locale.t_plural("kitchen.minutes", *minutes, &[])).collect();
                choices.push(env.locale.t("kitchen.until_released"));
                let title = env.locale.t_args("kitchen.hold_title", &[("number", &ticket.pickup_number)]);
                self.ask(Dialog::choice(title, env.locale.t("kitchen.hold_body"), choices), order, Question::Hold);
            }
            Action::Note => {
                let field = TextInput::new(NOTE_LIMIT).with_value(ticket.staff_note.as_deref().unwrap_or_default());
                let title = env.locale.t_args("kitchen.note_title", &[("number", &ticket.pickup_number)]);
                self.ask(Dialog::text(title, env.locale.t("kitchen.note_body"), field), order, Question::Note);
            }
            Action::WhyNot => self.ask_why(order, &ticket, env),
            Action::Reject | Action::Void | Action::Cash | Action::ForceReady
                if self.person.is_none() && may_apply(action, &ticket) =>
            {
                self.wish = Some(Wish { action, order });
                let what = env.locale.t(action.label_key());
                let words =
                    env.locale.t_args("kitchen.person_needed", &[("what", &what), ("number", &ticket.pickup_number)]);
                self.ask_person(words, env);
            }
            Action::Reject if matches!(ticket.status, Status::Received | Status::Confirmed) => {
                self.ask_reason(order, Ending::Reject, env);
            }
            Action::Reject if may_apply(action, &ticket) => self.ask_reason(order, Ending::Void(None), env),
            Action::Void if may_apply(action, &ticket) => self.ask_scope(order, &ticket, env),
            Action::ForceReady if may_apply(action, &ticket) => self.ask_reason(order, Ending::Force, env),
            Action::Cash if may_apply(action, &ticket) => self.take_cash(order, env),
            Action::Accept | Action::Reject | Action::Void | Action::ForceReady | Action::Cash => {
                let what = env.locale.t(action.label_key());
                let stands = card::status_words(ticket.status, env.locale);
                let args: [(&str, &dyn std::fmt::Display); 3] =
                    [("what", &what), ("number", &ticket.pickup_number), ("status", &stands)];
                let words = match action {
                    Action::Cash => env.locale.t_args("kitchen.cash_not", &args),
                    _ => env.locale.t_args("kitchen.not_now", &args),
                };
                self.say(words, Token::Warning, env);
            }
            _ => return vec![Cmd::Unchanged],
        }
        Vec::new()
    }

    /// Starts a step; where one of the same order is under way only says so.
    pub(super) fn act(&mut self, order: OrderId, act: Act, env: &Env<'_>) -> Vec<Cmd<Effect>> {
        let Some(version) = self.ticket(order).map(|ticket| ticket.version) else { return Vec::new() };
        match self.acts.start(order, version, act) {
            Some(effect) => vec![Cmd::Effect(effect)],
            None => self.say_busy(order, env),
        }
    }

    /// Says that the key was heard and does nothing: a step must never be done twice. It is not kept
    /// for later either, because it was pressed for a picture that is about to change.
    fn say_busy(&mut self, order: OrderId, env: &Env<'_>) -> Vec<Cmd<Effect>> {
        let words = env.locale.t_args("kitchen.still_saving", &[("number", &self.number(order))]);
        self.say(words, Token::Muted, env);
        self.told_busy = Some(order);
        Vec::new()
    }

    fn bump(&mut self, ticket: &TicketView, env: &Env<'_>) -> Vec<Cmd<Effect>> {
        let (order, number) = (ticket.order, text::clean(&ticket.pickup_number));
        let key = |action| env.keymap.keys_for(Context::Kitchen, action).into_iter().next().unwrap_or_default();
        let words = match ticket::next(ticket, self.store_now(env.now)) {
            Next::Start | Next::Finish => return self.act(order, Act::Bump { station: self.station }, env),
            Next::HandOver => {
                self.overlay = Some(Overlay::HandOver { order, number });
                return Vec::new();
            }
            Next::PayFirst if ticket::owes_cash(ticket) => {
                let due = self.view.get().map(|view| ticket.due.display(view.currency)).unwrap_or_default();
                let body = env.locale.t_args("kitchen.pay_first_body", &[("due", &due)]);
                let title = env.locale.t_args("kitchen.pay_first", &[("number", &number)]);
                self.ask(Dialog::confirm(title, body, env), order, Question::OfferCash);
                return Vec::new();
            }
            Next::PayFirst => env.locale.t_args("kitchen.not_paid_help", &[("number", &number)]),
            Next::AcceptFirst => {
                let (accept, reject) = (key(Action::Accept), key(Action::Reject));
                env.locale
                    .t_args("kitchen.accept_first", &[("number", &number), ("accept", &accept), ("reject", &reject)])
            }
            Next::ReleaseFirst => {
                env.locale.t_args("kitchen.release_first", &[("number", &number), ("hold", &key(Action::Hold))])
            }
            Next::CourierTakes => env.locale.t_args("kitchen.courier_takes", &[("number", &number)]),
            Next::Gone => env.locale.t("kitchen.gone"),
        };
        self.say(words, Token::Warning, env);
        Vec::new()
    }

    fn undo(&mut self, env: &Env<'_>) -> Vec<Cmd<Effect>> {
        match self.undo.take().filter(|undo| env.now < undo.until) {
            Some(undo) if self.acts.is_busy(undo.order) => {
                let order = undo.order;
                self.undo = Some(undo);
                self.say_busy(order, env)
            }
            Some(undo) => self.act(undo.order, Act::Undo { what: undo.what }, env),
            None => {
                let recall =
                    env.keymap.keys_for(Context::Kitchen, Action::Recall).into_iter().next().unwrap_or_default();
                self.say(env.locale.t_args("kitchen.nothing_to_undo", &[("recall", &recall)]), Token::Muted, env);
                Vec::new()
            }
        }
    }

    pub(super) fn ask(&mut self, dialog: Dialog, order: OrderId, question: Question) {
        self.overlay = Some(Overlay::Ask(Box::new(dialog), Some(order), question));
    }

    fn ask_person(&mut self, body: String, env: &Env<'_>) {
        self.overlay = Some(Overlay::SignIn(Credentials::person(body, &self.known, env)));
    }

    fn ask_estimate(&mut self, order: OrderId, ticket: &TicketView, env: &Env<'_>) {
        let mut choices = vec![env.locale.t("kitchen.eta_own")];
        choices.extend(ETA_MINUTES.iter().map(|minutes| env.locale.t_plural("kitchen.minutes", *minutes, &[])));
        let title = env.locale.t_args("kitchen.accept_title", &[("number", &ticket.pickup_number)]);
        self.ask(Dialog::choice(title, env.locale.t("kitchen.accept_body"), choices), order, Question::Accept);
    }

    fn ask_scope(&mut self, order: OrderId, ticket: &TicketView, env: &Env<'_>) {
        let lines = VoidForm::choices(ticket, env);
        if lines.len() < 2 {
            return self.ask_reason(order, Ending::Void(None), env);
        }
        let mut choices = vec![env.locale.t("kitchen.void_all")];
        choices.extend(lines.iter().map(|(_, words)| words.clone()));
        let places = lines.into_iter().map(|(at, _)| at).collect();
        let title = env.locale.t_args("kitchen.void_title", &[("number", &ticket.pickup_number)]);
        self.ask(Dialog::choice(title, env.locale.t("kitchen.void_scope"), choices), order, Question::Scope(places));
    }

    /// The cash dialog; where the till is not open yet, its float is asked for first.
    pub(super) fn take_cash(&mut self, order: OrderId, env: &Env<'_>) {
        let Some(view) = self.view.get() else { return };
        let Some(ticket) = self.ticket(order) else { return };
        if view.shift.is_none() {
            let body = env.locale.t_args("kitchen.float_body", &[("currency", &view.currency)]);
            let dialog =
                Dialog::text(env.locale.t("kitchen.float_title"), body, TextInput::new(12).with_value("0").selected());
            return self.ask(dialog, order, Question::Float);
        }
        self.overlay = Some(Overlay::Cash(CashForm::new(order, &ticket.pickup_number, ticket.due, view.currency)));
    }

    /// The till is open, or not: then the cash that was waiting for it goes on.
    pub(super) fn on_till(
        &mut self,
        refused: Option<crate::domain::error::Refused>,
        env: &Env<'_>,
    ) -> Vec<Cmd<Effect>> {
        let Some(Overlay::OpeningTill(order)) = self.overlay else {
            if let Some(refused) = refused {
                self.refuse(&refused, env);
            }
            return self.reload();
        };
        self.overlay = None;
        match refused {
            Some(refused) => self.refuse(&refused, env),
            None => {
                let form = self.view.get().and_then(|view| {
                    let ticket = self.ticket(order)?;
                    Some(CashForm::new(order, &ticket.pickup_number, ticket.due, view.currency))
                });
                self.overlay = form.map(Overlay::Cash);
            }
        }
        self.reload()
    }
}

/// Whether a key makes sense for a ticket at all.
fn may_apply(action: Action, ticket: &TicketView) -> bool {
    match action {
        Action::Reject => {
            matches!(ticket.status, Status::Received | Status::Confirmed | Status::Preparing | Status::Ready)
        }
        Action::Void => matches!(ticket.status, Status::Preparing | Status::Ready),
        Action::ForceReady => ticket.status == Status::Preparing,
        Action::Cash => ticket::owes_cash(ticket),
        _ => true,
    }
}

/// The card beside that of the ticket `at`: on the same page the nearest in the next column, else
/// the first of the next page or the last of the one before.
fn beside(cards: &[Segment], pages: &[Vec<Segment>], at: usize, right: bool) -> Option<usize> {
    let here = cards.iter().find(|card| card.ticket == at && card.first == 0)?;
    let page = pages.iter().position(|page| page.contains(here))?;
    let column =
        |card: &&Segment| card.first == 0 && if right { card.area.x > here.area.x } else { card.area.x < here.area.x };
    let on_page = pages.get(page)?.iter().filter(column);
    let near = on_page.min_by_key(|card| (card.area.x.abs_diff(here.area.x), card.area.y.abs_diff(here.area.y)));
    if let Some(card) = near {
        return Some(card.ticket);
    }
    let other = if right { pages.get(page.saturating_add(1))? } else { pages.get(page.checked_sub(1)?)? };
    let mut begun = other.iter().filter(|card| card.first == 0);
    if right { begun.next() } else { begun.next_back() }.map(|card| card.ticket)
}
