//! One ticket as a card: its number in large digits, its age, what to make and what to heed. Makes
//! the rows of a ticket and draws the part of them that stands in one place of the board.

use super::layout::Segment;
use super::ticket::{self, Age};
use crate::domain::fulfilment::Fulfilment;
use crate::domain::ids::StationId;
use crate::domain::order::Status;
use crate::domain::time::Timestamp;
use crate::service::views::{KitchenView, TicketLineView, TicketView};
use crate::tui::app::{Hit, ViewCtx};
use crate::tui::locale::Locale;
use crate::tui::text;
use crate::tui::theme::{Theme, Token};
use crate::tui::widgets::big_digits;
use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Padding, Paragraph};

/// The name of the cards in [`Hit::Row`].
pub(super) const CARDS: &str = "tickets";
/// Rows of a large digit.
const BIG_ROWS: u16 = 4;
/// Columns of a large digit.
const BIG_COLUMNS: usize = 4;
/// Columns that must be left beside the large number.
const BESIDE: usize = 9;
/// Graphemes of a bar of progress.
const BAR: i64 = 8;

/// What the rows of a card depend on, besides the ticket.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) theme: &'a Theme,
    pub(super) locale: &'a Locale,
    pub(super) view: &'a KitchenView,
    /// The station whose work is shown; all where there is none.
    pub(super) station: Option<StationId>,
    /// Whether the progress of every station is shown.
    pub(super) expo: bool,
    /// Whether there is room for large numbers.
    pub(super) large: bool,
    /// The instant by the store's clock.
    pub(super) now: Timestamp,
    /// Columns of a row.
    pub(super) width: u16,
}

impl Look<'_> {
    fn style(&self, token: Token) -> Style {
        self.theme.style(token)
    }

    fn columns(&self) -> usize {
        usize::from(self.width)
    }

    /// Whether the number of this ticket is drawn in large digits.
    fn is_large(&self, ticket: &TicketView) -> bool {
        let number = text::clean(&ticket.pickup_number);
        let wide = number.chars().count().saturating_mul(BIG_COLUMNS);
        self.large && ticket.status != Status::Ready && number.is_ascii() && {
            wide.saturating_add(BESIDE) <= self.columns()
        }
    }
}

/// Minutes and seconds, or hours and minutes from one hour on.
pub(super) fn duration(seconds: i64, locale: &Locale) -> String {
    let seconds = seconds.max(0);
    let (hours, minutes) = (seconds / 3600, format!("{:02}", seconds / 60 % 60));
    if hours > 0 {
        return locale.t_args("kitchen.hours_minutes", &[("hours", &hours), ("minutes", &minutes)]);
    }
    let (minutes, seconds) = (seconds / 60, format!("{:02}", seconds % 60));
    locale.t_args("common.minutes_seconds", &[("minutes", &minutes), ("seconds", &seconds)])
}

/// The words for where an order stands, as cooks say them.
pub(super) fn status_words(status: Status, locale: &Locale) -> String {
    match status {
        Status::Received => locale.t("kitchen.status_received"),
        Status::Confirmed => locale.t("kitchen.status_confirmed"),
        Status::Preparing => locale.t("kitchen.status_preparing"),
        Status::Ready => locale.t("kitchen.status_ready"),
        _ => locale.t("kitchen.status_gone"),
    }
}

const fn status_token(status: Status) -> Token {
    match status {
        Status::Received => Token::Warning,
        Status::Preparing => Token::Accent,
        Status::Ready => Token::Ready,
        _ => Token::Title,
    }
}

fn fulfilment_words(fulfilment: Fulfilment, locale: &Locale) -> String {
    match fulfilment {
        Fulfilment::Pickup => locale.t("kitchen.pickup"),
        Fulfilment::DineIn => locale.t("kitchen.dine_in"),
        Fulfilment::Delivery => locale.t("kitchen.delivery"),
    }
}

/// Every row of a ticket, in order. Long texts are wrapped, never cut: a cook must be able to read
/// all of them.
pub(super) fn rows(ticket: &TicketView, look: &Look<'_>) -> Vec<Line<'static>> {
    let mut rows = header(ticket, look);
    marks(ticket, look, &mut rows);
    if ticket.status == Status::Ready {
        let units: i64 = ticket.lines.iter().fold(0, |sum, line| sum.saturating_add(line.quantity.max(0)));
        rows.push(Line::styled(look.locale.t_plural("kitchen.units", units, &[]), look.style(Token::Muted)));
        return rows;
    }
    if look.large {
        rows.push(Line::default());
    }
    for line in ticket.lines.iter().filter(|line| ticket::belongs(line, look.station)) {
        line_rows(line, look, &mut rows);
    }
    let elsewhere = ticket.lines.iter().filter(|line| !ticket::belongs(line, look.station)).count();
    if let Some(count) = i64::try_from(elsewhere).ok().filter(|count| *count > 0) {
        rows.push(Line::styled(look.locale.t_plural("kitchen.elsewhere", count, &[]), look.style(Token::Muted)));
    }
    if look.expo {
        progress_rows(ticket, look, &mut rows);
    }
    rows
}

fn header(ticket: &TicketView, look: &Look<'_>) -> Vec<Line<'static>> {
    let (token, mark) = match ticket::age(ticket, look.view, look.now) {
        _ if ticket.status == Status::Ready => (Token::Muted, String::new()),
        Age::Fresh => (Token::Text, String::new()),
        Age::Amber => (Token::Warning, look.locale.t("kitchen.age_amber")),
        Age::Red => (Token::Danger, look.locale.t("kitchen.age_red")),
    };
    let waited = if ticket.status == Status::Ready {
        look.now.seconds_since(ticket.ready_at.unwrap_or(ticket.shown_at))
    } else {
        ticket::seconds(ticket, look.now)
    };
    let age = duration(waited, look.locale);
    let bold = look.style(token).add_modifier(Modifier::BOLD);
    let status = (status_words(ticket.status, look.locale), look.style(status_token(ticket.status)));
    let fulfilment = (fulfilment_words(ticket.fulfilment, look.locale), look.style(Token::Text));
    if look.is_large(ticket) {
        return [(age, bold), (mark, bold), status, fulfilment]
            .into_iter()
            .map(|(words, style)| {
                let words = text::truncate_to_width(&words, look.columns());
                let blank = look.columns().saturating_sub(text::display_width(&words));
                Line::from(vec![Span::raw(" ".repeat(blank)), Span::styled(words, style)])
            })
            .collect();
    }
    let aged = if mark.is_empty() { age } else { format!("{mark} {age}") };
    let number = format!(" {} ", text::clean(&ticket.pickup_number));
    let number = text::truncate_to_width(&number, look.columns());
    let free = look.columns().saturating_sub(text::display_width(&number)).saturating_sub(1);
    let aged = text::truncate_to_width(&aged, free);
    let blank = look.columns().saturating_sub(text::display_width(&number)).saturating_sub(text::display_width(&aged));
    let badge = look.style(status_token(ticket.status)).add_modifier(Modifier::BOLD | Modifier::REVERSED);
    let first = Line::from(vec![Span::styled(number, badge), Span::raw(" ".repeat(blank)), Span::styled(aged, bold)]);
    let second =
        Line::from(vec![Span::styled(status.0, status.1), Span::styled(format!(" · {}", fulfilment.0), fulfilment.1)]);
    vec![first, second]
}

/// What must be seen before the lines: who is called, what is not paid, what is special.
fn marks(ticket: &TicketView, look: &Look<'_>, rows: &mut Vec<Line<'static>>) {
    let bold = look.style(Token::Text).add_modifier(Modifier::BOLD);
    if let Some(name) = &ticket.called_name {
        wrapped(name, "", bold, look, rows);
    }
    if ticket.refunded {
        let key = if ticket.status == Status::Ready { "kitchen.refunded_ready" } else { "kitchen.refunded" };
        wrapped(&look.locale.t(key), "✗ ", look.style(Token::Danger).add_modifier(Modifier::BOLD), look, rows);
    }
    if ticket.priority > 0 {
        wrapped(&look.locale.t("kitchen.first"), "★ ", look.style(Token::Accent), look, rows);
    }
    if ticket::owes_cash(ticket) {
        let due = ticket.due.display(look.view.currency);
        let key = if ticket.fulfilment == Fulfilment::Delivery { "kitchen.cash_at_door" } else { "kitchen.cash_due" };
        wrapped(&look.locale.t_args(key, &[("due", &due)]), " ", look.style(Token::Badge), look, rows);
    } else if !ticket.paid {
        wrapped(&look.locale.t("kitchen.not_paid"), " ", look.style(Token::Badge), look, rows);
    }
    if let Some(until) = ticket.on_hold_until.filter(|_| ticket::is_held(ticket, look.now)) {
        let words = if until == Timestamp(i64::MAX) {
            look.locale.t("kitchen.held")
        } else {
            let left = duration(until.seconds_since(look.now), look.locale);
            look.locale.t_args("kitchen.held_for", &[("left", &left)])
        };
        wrapped(&words, "‖ ", look.style(Token::Warning), look, rows);
    }
    if ticket.recalled {
        wrapped(&look.locale.t("kitchen.recalled"), "↩ ", look.style(Token::Warning), look, rows);
    }
    for note in [&ticket.note, &ticket.staff_note].into_iter().flatten() {
        wrapped(note, "» ", note_style(look), look, rows);
    }
}

fn note_style(look: &Look<'_>) -> Style {
    look.style(Token::Warning).add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
}

fn line_rows(line: &TicketLineView, look: &Look<'_>, rows: &mut Vec<Line<'static>>) {
    let struck = look.style(Token::Muted).add_modifier(Modifier::CROSSED_OUT);
    let name = text::clean(&line.name);
    let voided = |quantity: i64| {
        let figures = quantity.to_string();
        look.locale.t_args("kitchen.voided", &[("quantity", &figures), ("name", &name)])
    };
    if line.quantity <= 0 {
        return wrapped(&voided(line.voided), "✗ ", struck, look, rows);
    }
    let refunded = |mark: &str, rows: &mut Vec<Line<'static>>| {
        let figures = line.refunded.to_string();
        let words = look.locale.t_args("kitchen.line_refunded", &[("quantity", &figures), ("name", &name)]);
        // Struck out as a void is, but in the colour of a warning: the cook may have begun.
        let style = look.style(Token::Danger).add_modifier(Modifier::CROSSED_OUT);
        wrapped(&words, mark, style, look, rows);
    };
    let wanted = line.quantity.saturating_sub(line.refunded);
    if wanted <= 0 {
        refunded("✗ ", rows);
        if line.voided > 0 {
            wrapped(&voided(line.voided), "  ✗ ", struck, look, rows);
        }
        return;
    }
    let done = line.done >= wanted;
    let words = look.locale.t_args("kitchen.line", &[("quantity", &wanted), ("name", &name)]);
    let style = if done { look.style(Token::Muted) } else { look.style(Token::Text).add_modifier(Modifier::BOLD) };
    wrapped(&words, if done { "✓ " } else { "" }, style, look, rows);
    if !done && line.done > 0 {
        let words = look.locale.t_args("kitchen.partly", &[("done", &line.done), ("quantity", &wanted)]);
        wrapped(&words, "  ✓ ", look.style(Token::Success), look, rows);
    }
    let detail = if done { look.style(Token::Muted) } else { look.style(Token::Text) };
    for option in &line.options {
        wrapped(option, "  + ", detail, look, rows);
    }
    if let Some(note) = &line.note {
        wrapped(note, "  » ", if done { detail } else { note_style(look) }, look, rows);
    }
    if !line.allergens.is_empty() {
        let letters: Vec<String> = line.allergens.iter().map(|allergen| allergen.letter().to_string()).collect();
        let letters = letters.join(" ");
        let words = look.locale.t_args("kitchen.allergens", &[("letters", &letters)]);
        wrapped(&words, "  ", look.style(Token::Muted), look, rows);
    }
    if line.refunded > 0 {
        refunded("  ✗ ", rows);
    }
    if line.voided > 0 {
        wrapped(&voided(line.voided), "  ✗ ", struck, look, rows);
    }
}

fn progress_rows(ticket: &TicketView, look: &Look<'_>, rows: &mut Vec<Line<'static>>) {
    let stations = look.view.stations.iter().map(|station| (Some(station.id), text::clean(&station.name)));
    for (station, name) in stations.chain([(None, look.locale.t("kitchen.no_station"))]) {
        let (done, wanted) = ticket::progress(ticket, station);
        if wanted <= 0 {
            continue;
        }
        let full = BAR.saturating_mul(done).checked_div(wanted).unwrap_or_default().clamp(0, BAR);
        let bar = |length: i64, symbol: &str| symbol.repeat(usize::try_from(length).unwrap_or_default());
        let (mark, token) = if done >= wanted { ("✓ ", Token::Success) } else { ("· ", Token::Text) };
        let figures = format!(" {done}/{wanted}");
        let width = look.columns().saturating_sub(text::display_width(&figures)).saturating_sub(10).max(4);
        rows.push(Line::from(vec![
            Span::styled(format!("{mark}{}", text::fit_to_width(&name, width.saturating_sub(3))), look.style(token)),
            Span::styled(bar(full, "▰"), look.style(token)),
            Span::styled(bar(BAR.saturating_sub(full), "▱"), look.style(Token::Border)),
            Span::styled(figures, look.style(token)),
        ]));
    }
}

/// Adds text as rows: a mark before the first, the others indented as deep.
fn wrapped(words: &str, mark: &str, style: Style, look: &Look<'_>, rows: &mut Vec<Line<'static>>) {
    let indent = text::display_width(mark);
    let width = look.columns().saturating_sub(indent);
    for (at, row) in text::wrap(words, width).into_iter().enumerate() {
        let before = if at == 0 { mark.to_owned() } else { " ".repeat(indent) };
        rows.push(Line::from(vec![
            // Lines through or under belong to words, not to the margin.
            Span::styled(before, style.remove_modifier(Modifier::CROSSED_OUT | Modifier::UNDERLINED)),
            Span::styled(row, style),
        ]));
    }
}

/// How a card stands on the board.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stand {
    /// The digit that selects it, counted from 1.
    pub(super) slot: Option<usize>,
    pub(super) selected: bool,
    /// Whether a step of it is under way.
    pub(super) busy: bool,
}

/// Draws the part of a ticket that stands in `segment`.
pub(super) fn draw(
    frame: &mut Frame<'_>,
    ticket: &TicketView,
    segment: &Segment,
    stand: Stand,
    look: &Look<'_>,
    ctx: &ViewCtx<'_>,
) {
    let border = match ticket::age(ticket, look.view, look.now) {
        _ if stand.selected => Token::Accent,
        _ if ticket.status == Status::Ready => Token::Ready,
        Age::Fresh => Token::Border,
        Age::Amber => Token::Warning,
        Age::Red => Token::Danger,
    };
    let number = text::clean(&ticket.pickup_number);
    let title = match (stand.slot, segment.first) {
        (Some(slot), 0) if slot <= 10 => (slot % 10).to_string(),
        (_, 0) => String::new(),
        _ => look.locale.t_args("kitchen.continued", &[("number", &number)]),
    };
    let title = match (stand.selected, title.is_empty()) {
        (true, true) => " ▶ ".to_owned(),
        (true, false) => format!(" ▶ {title} "),
        (false, true) => String::new(),
        (false, false) => format!(" {title} "),
    };
    let mut block = Block::bordered()
        .border_type(if stand.selected { BorderType::Thick } else { BorderType::Rounded })
        .border_style(ctx.style(border))
        .padding(Padding::left(1))
        .title(Span::styled(title, ctx.style(if stand.selected { Token::Accent } else { Token::Muted })));
    if stand.busy {
        block = block.title_bottom(Line::styled(look.locale.t("kitchen.busy"), ctx.style(Token::Muted)));
    }
    if segment.goes_on {
        let more = Line::styled(look.locale.t("kitchen.more"), ctx.style(Token::Warning));
        block = block.title_bottom(more.right_aligned());
    }
    let inner = block.inner(segment.area);
    frame.render_widget(block, segment.area);
    let lines: Vec<Line<'_>> = rows(ticket, look).into_iter().skip(segment.first).take(segment.rows).collect();
    frame.render_widget(Paragraph::new(lines), inner);
    if segment.first == 0 && look.is_large(ticket) {
        let width = u16::try_from(number.chars().count().saturating_mul(BIG_COLUMNS)).unwrap_or(inner.width);
        let place = Rect { width: width.min(inner.width), height: BIG_ROWS.min(inner.height), ..inner };
        big_digits::draw(frame, place, &number, ctx.style(status_token(ticket.status)), Alignment::Left);
    }
    ctx.hit(segment.area, Hit::Row { list: CARDS, index: segment.ticket });
}
