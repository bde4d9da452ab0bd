//! A form: fields one under the other, each judged while it is typed, and sent only when all are well.
//!
//! The form knows no rule of the house: a field says what kind of thing it takes (text, a number, an
//! amount, a time of day, a day, yes or no, one or several of a list), and the screen that opened it
//! reads the values by the fields' names and hands them to a use case, which judges again.

use super::input::TextInput;
use super::{footer, list, panel};
use crate::domain::money::{Currency, Money};
use crate::tui::app::{Env, Hit, Input, ViewCtx};
use crate::tui::key::Key;
use crate::tui::keymap::{Action, Context};
use crate::tui::locale::Locale;
use crate::tui::text;
use crate::tui::theme::Token;
use chrono::{NaiveDate, NaiveTime};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;

/// The name of a form's fields in [`Hit::Row`].
const FIELDS: &str = "form";
/// Columns of a form, where the screen has them.
const WIDTH: u16 = 72;
/// Columns of the fields' names.
const LABEL: u16 = 22;
/// From so many fields on, a changed form asks before it closes.
const MANY: usize = 3;

/// What a line of text must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text, also none.
    Text,
    /// Some text.
    Needed,
    /// A whole number within these bounds.
    Number(i64, i64),
    /// A whole number within these bounds, or nothing.
    MaybeNumber(i64, i64),
    /// An amount of money, written with the currency's decimals; negative where allowed.
    Amount {
        /// The currency.
        currency: Currency,
        /// Whether it may be below zero.
        signed: bool,
    },
    /// `HH:MM`.
    Time,
    /// `YYYY-MM-DD`.
    Day,
    /// `YYYY-MM-DD`, or nothing.
    MaybeDay,
}

impl Kind {
    /// What is wrong with this text, as a key of the catalogue; `None` where nothing is.
    fn judge(self, value: &str) -> Option<&'static str> {
        let value = value.trim();
        match self {
            Self::Text => None,
            Self::Needed => value.is_empty().then_some("form.needed"),
            Self::MaybeNumber(..) | Self::MaybeDay if value.is_empty() => None,
            Self::Number(min, max) | Self::MaybeNumber(min, max) => match value.parse::<i64>() {
                Ok(number) if (min..=max).contains(&number) => None,
                Ok(_) => Some("form.out_of_range"),
                Err(_) => Some("form.not_a_number"),
            },
            Self::Amount { currency, signed } => match Money::parse_typed("amount", value, currency) {
                Ok(amount) if signed || amount.0 >= 0 => None,
                Ok(_) => Some("form.below_zero"),
                Err(_) => Some("form.not_an_amount"),
            },
            Self::Time => NaiveTime::parse_from_str(value, "%H:%M").is_err().then_some("form.not_a_time"),
            Self::Day | Self::MaybeDay => {
                NaiveDate::parse_from_str(value, "%Y-%m-%d").is_err().then_some("form.not_a_day")
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Entry {
    Line { input: TextInput, kind: Kind },
    Switch(bool),
    Choice { choices: Vec<String>, at: usize },
    Several { choices: Vec<String>, on: BTreeSet<usize>, at: usize },
}

/// One field.
#[derive(Debug, Clone)]
pub struct Field {
    name: Cow<'static, str>,
    label: String,
    help: String,
    entry: Entry,
    touched: bool,
}

impl Field {
    fn new(name: impl Into<Cow<'static, str>>, label: impl Into<String>, entry: Entry) -> Self {
        Self { name: name.into(), label: label.into(), help: String::new(), entry, touched: false }
    }

    /// A line of text of at most `limit` characters.
    #[must_use]
    pub fn line(
        name: impl Into<Cow<'static, str>>,
        label: impl Into<String>,
        kind: Kind,
        limit: usize,
        value: &str,
    ) -> Self {
        Self::new(name, label, Entry::Line { input: TextInput::new(limit).with_value(value), kind })
    }

    /// A password or a PIN: dots are shown.
    #[must_use]
    pub fn secret(name: impl Into<Cow<'static, str>>, label: impl Into<String>, limit: usize) -> Self {
        Self::new(name, label, Entry::Line { input: TextInput::new(limit).secret(), kind: Kind::Needed })
    }

    /// Yes or no.
    #[must_use]
    pub fn switch(name: impl Into<Cow<'static, str>>, label: impl Into<String>, on: bool) -> Self {
        Self::new(name, label, Entry::Switch(on))
    }

    /// One of several.
    #[must_use]
    pub fn choice(
        name: impl Into<Cow<'static, str>>,
        label: impl Into<String>,
        choices: Vec<String>,
        at: usize,
    ) -> Self {
        Self::new(name, label, Entry::Choice { choices, at })
    }

    /// One of several, none of which is chosen yet: the form is not sent before one is.
    #[must_use]
    pub fn unchosen(name: impl Into<Cow<'static, str>>, label: impl Into<String>, choices: Vec<String>) -> Self {
        let at = choices.len();
        Self::choice(name, label, choices, at)
    }

    /// Any of several; Space switches the one under the mark.
    #[must_use]
    pub fn several(
        name: impl Into<Cow<'static, str>>,
        label: impl Into<String>,
        choices: Vec<String>,
        on: BTreeSet<usize>,
    ) -> Self {
        Self::new(name, label, Entry::Several { choices, on, at: 0 })
    }

    /// With a line of help, shown while the field is worked on.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    fn problem(&self) -> Option<&'static str> {
        match &self.entry {
            Entry::Line { input, kind } => kind.judge(input.value()),
            Entry::Choice { choices, at } => (*at >= choices.len() && !choices.is_empty()).then_some("form.choose"),
            _ => None,
        }
    }

    const fn is_text(&self) -> bool {
        matches!(self.entry, Entry::Line { .. })
    }

    /// The field is worked on now. A number, an amount or a secret is rather typed anew than corrected:
    /// what was in it is selected.
    fn enter(&mut self) {
        if let Entry::Line { input, kind } = &mut self.entry
            && (matches!(kind, Kind::Number(..) | Kind::MaybeNumber(..) | Kind::Amount { .. }) || input.is_secret())
        {
            input.select_all();
        }
    }
}

/// What an input did to a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filled {
    /// It stays open.
    Open,
    /// It was closed; nothing is wanted.
    Cancelled,
    /// Every field is well: read the values.
    Sent,
}

/// An open form.
#[derive(Debug, Clone)]
pub struct Form {
    title: String,
    body: String,
    fields: Vec<Field>,
    focus: usize,
    first: Cell<usize>,
    waiting: bool,
    problem: Option<String>,
    /// Something was typed or switched since it was opened.
    changed: bool,
    /// It was asked to close although something was changed; the next time it does.
    closing: bool,
}

impl Form {
    /// A form with these fields, the first of them worked on.
    #[must_use]
    pub fn new(title: impl Into<String>, body: impl Into<String>, fields: Vec<Field>) -> Self {
        let mut form = Self {
            title: title.into(),
            body: body.into(),
            fields,
            focus: 0,
            first: Cell::new(0),
            waiting: false,
            problem: None,
            changed: false,
            closing: false,
        };
        form.focus_on(0);
        form
    }

    fn focus_on(&mut self, at: usize) {
        self.focus = at;
        if let Some(field) = self.fields.get_mut(at) {
            field.enter();
        }
    }

    /// Where keys are looked up.
    #[must_use]
    pub fn context(&self) -> Context {
        if self.fields.get(self.focus).is_some_and(Field::is_text) { Context::TextInput } else { Context::Dialog }
    }

    fn field(&self, name: &str) -> Option<&Entry> {
        self.fields.iter().find(|field| field.name == name).map(|field| &field.entry)
    }

    /// The text of a line, without blanks around it; empty for a field that is none.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        match self.field(name) {
            Some(Entry::Line { input, .. }) => input.value().trim().to_owned(),
            _ => String::new(),
        }
    }

    /// What was typed into a secret field, exactly.
    #[must_use]
    pub fn secret(&self, name: &str) -> String {
        match self.field(name) {
            Some(Entry::Line { input, .. }) => input.value().to_owned(),
            _ => String::new(),
        }
    }

    /// The number of a line; `None` for an empty one.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        self.text(name).parse().ok()
    }

    /// The day of a line; `None` for an empty one.
    #[must_use]
    pub fn day(&self, name: &str) -> Option<NaiveDate> {
        NaiveDate::parse_from_str(&self.text(name), "%Y-%m-%d").ok()
    }

    /// The amount of a line, in minor units.
    #[must_use]
    pub fn amount(&self, name: &str) -> Option<Money> {
        match self.field(name) {
            Some(Entry::Line { input, kind: Kind::Amount { currency, .. } }) => {
                Money::parse_typed(name, input.value().trim(), *currency).ok()
            }
            _ => None,
        }
    }

    /// Whether a switch is on.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        matches!(self.field(name), Some(Entry::Switch(true)))
    }

    /// The place of what was chosen.
    #[must_use]
    pub fn chosen(&self, name: &str) -> Option<usize> {
        match self.field(name) {
            Some(Entry::Choice { choices, at }) => Some(*at).filter(|at| *at < choices.len()),
            _ => None,
        }
    }

    /// The places of what is on.
    #[must_use]
    pub fn several(&self, name: &str) -> BTreeSet<usize> {
        match self.field(name) {
            Some(Entry::Several { on, .. }) => on.clone(),
            _ => BTreeSet::new(),
        }
    }

    /// The house refused what was sent: says why, and takes keys again. The field of this name is
    /// worked on next, where there is one.
    pub fn refuse(&mut self, field: Option<&str>, words: impl Into<String>) {
        self.waiting = false;
        self.problem = Some(words.into());
        if let Some(at) = field.and_then(|name| self.fields.iter().position(|field| field.name == name)) {
            self.focus_on(at);
        }
    }

    /// Takes an input of the screen.
    pub fn on_input<M>(&mut self, input: &Input<M>, env: &Env<'_>) -> Filled {
        if self.waiting {
            return match env.action(Context::Dialog, input) {
                Some(Action::Back) => Filled::Cancelled,
                _ => Filled::Open,
            };
        }
        let context = self.context();
        if let Input::Click { hit: Some(Hit::Row { list: FIELDS, index }), .. } = input {
            self.leave((*index).min(self.fields.len().saturating_sub(1)));
            return Filled::Open;
        }
        let closing = std::mem::take(&mut self.closing);
        if let Some(field) = self.fields.get_mut(self.focus) {
            let taken = match (&mut field.entry, input) {
                (Entry::Line { input: line, .. }, Input::Key(press)) => line.on_key(*press),
                (Entry::Line { input: line, .. }, Input::Paste(pasted)) => {
                    line.paste(pasted);
                    true
                }
                (Entry::Switch(on), Input::Key(press)) if press.key == Key::Char(' ') => {
                    *on = !*on;
                    true
                }
                (Entry::Several { on, at, .. }, Input::Key(press)) if press.key == Key::Char(' ') => {
                    if !on.remove(at) {
                        on.insert(*at);
                    }
                    true
                }
                _ => false,
            };
            if taken {
                field.touched = true;
                self.changed = true;
                self.problem = None;
                return Filled::Open;
            }
        }
        match env.action(context, input) {
            // A long form is not thrown away by a slip of the finger.
            Some(Action::Back) if self.changed && !closing && self.fields.len() >= MANY => {
                self.closing = true;
                Filled::Open
            }
            Some(action) => self.on_action(action),
            None => Filled::Open,
        }
    }

    fn on_action(&mut self, action: Action) -> Filled {
        let last = self.fields.len().saturating_sub(1);
        match action {
            Action::Back => return Filled::Cancelled,
            Action::Left | Action::Right => self.turn(action == Action::Right),
            Action::Up | Action::PreviousPane => self.leave(self.focus.checked_sub(1).unwrap_or(last)),
            Action::Down | Action::NextPane => {
                self.leave(if self.focus >= last { 0 } else { self.focus.saturating_add(1) });
            }
            Action::Home | Action::PageUp => self.leave(0),
            Action::End | Action::PageDown => self.leave(last),
            // Enter goes on to the next field, and sends from the last one.
            Action::Select if self.focus < last => self.leave(self.focus.saturating_add(1)),
            Action::Select => return self.send(),
            _ => {}
        }
        Filled::Open
    }

    fn leave(&mut self, to: usize) {
        if let Some(field) = self.fields.get_mut(self.focus) {
            field.touched = true;
            if let Entry::Line { input, .. } = &mut field.entry {
                input.select_none();
            }
        }
        self.focus_on(to);
    }

    /// To the next or the one before of the field's choices.
    fn turn(&mut self, forward: bool) {
        let Some(field) = self.fields.get_mut(self.focus) else { return };
        let step = |at: usize, count: usize| match at {
            // Nothing was chosen yet.
            at if at >= count => {
                if forward {
                    0
                } else {
                    count.saturating_sub(1)
                }
            }
            at => {
                let by = if forward { 1 } else { count.saturating_sub(1) };
                at.saturating_add(by).checked_rem(count).unwrap_or_default()
            }
        };
        match &mut field.entry {
            Entry::Switch(on) => *on = forward,
            Entry::Choice { choices, at } | Entry::Several { choices, at, .. } => *at = step(*at, choices.len()),
            Entry::Line { .. } => {}
        }
        field.touched = true;
        self.changed = true;
    }

    fn send(&mut self) -> Filled {
        for field in &mut self.fields {
            field.touched = true;
        }
        match self.fields.iter().position(|field| field.problem().is_some()) {
            Some(at) if at == self.focus => Filled::Open,
            Some(at) => {
                self.focus_on(at);
                Filled::Open
            }
            None => {
                self.waiting = true;
                self.problem = None;
                Filled::Sent
            }
        }
    }

    /// Draws the form over the middle of `area`; where not every field fits, those around the one
    /// that is worked on.
    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let width = WIDTH.min(area.width);
        let room = usize::from(width.saturating_sub(4));
        let rows = |lines: usize| u16::try_from(lines).unwrap_or(u16::MAX);
        let body = text::wrap(&self.body, room);
        let body_rows = if self.body.is_empty() { 0 } else { rows(body.len()).min(4) };
        let foot = self.foot(room, ctx);
        let fixed = body_rows.saturating_add(rows(foot.len().max(2))).saturating_add(5);
        let shown = rows(self.fields.len()).min(area.height.saturating_sub(fixed)).max(1);
        let inner = panel::overlay(frame, area, (width, fixed.saturating_add(shown)), &self.title, ctx);
        let [question, _, middle, _, below, keys] = Layout::vertical([
            Constraint::Length(body_rows),
            Constraint::Length(u16::from(body_rows > 0)),
            Constraint::Length(shown),
            Constraint::Length(1),
            Constraint::Fill(1),
            Constraint::Length(1),
        ])
        .areas(inner);
        let body: Vec<Line<'_>> = body.into_iter().map(Line::from).collect();
        frame.render_widget(Paragraph::new(body), question);
        frame.render_widget(Paragraph::new(foot), below);
        let visible = usize::from(shown);
        let lowest = self.focus.saturating_add(1).saturating_sub(visible);
        let first = self.first.get().clamp(lowest, self.focus);
        self.first.set(first);
        let scrolls = self.fields.len() > visible && middle.width > 2;
        let fields = Rect { width: middle.width.saturating_sub(if scrolls { 2 } else { 0 }), ..middle };
        let mut focused = None;
        for (row, index) in (first..self.fields.len()).take(visible).enumerate() {
            let Some(field) = self.fields.get(index) else { break };
            let place = Rect { y: fields.y.saturating_add(rows(row)), height: 1, ..fields };
            ctx.hit(place, Hit::Row { list: FIELDS, index });
            if index == self.focus {
                focused = Some((field, place));
            } else {
                draw_row(field, frame, place, false, ctx);
            }
        }
        if scrolls {
            let column = Rect { x: middle.right().saturating_sub(1), width: 1, ..middle };
            list::position(frame, column, first, visible, self.fields.len(), ctx);
        }
        // Last, so that the terminal's cursor stands in it.
        if let Some((field, place)) = focused {
            draw_row(field, frame, place, true, ctx);
        }
        let hints = [Action::Select, Action::NextPane, Action::Back];
        footer::draw(frame, keys, self.context(), &hints, ctx);
    }

    /// What is said below the fields: the house's refusal, else what is wrong with the field that is
    /// worked on, else its help.
    fn foot(&self, room: usize, ctx: &ViewCtx<'_>) -> Vec<Line<'static>> {
        let styled = |words: String, token| {
            let mut rows: Vec<Line<'static>> =
                text::wrap(&words, room).into_iter().map(|row| Line::styled(row, ctx.style(token))).collect();
            rows.truncate(4);
            rows
        };
        if self.closing {
            return styled(ctx.locale.t("form.esc_again"), Token::Warning);
        }
        if let Some(problem) = &self.problem {
            return styled(problem.clone(), Token::Danger);
        }
        if self.waiting {
            return styled(ctx.locale.t("form.waiting"), Token::Muted);
        }
        let Some(field) = self.fields.get(self.focus) else { return Vec::new() };
        match field.problem().filter(|_| field.touched) {
            Some(problem) => styled(problem_words(field, problem, ctx.locale), Token::Warning),
            None if !field.help.is_empty() => styled(field.help.clone(), Token::Muted),
            None => match &field.entry {
                Entry::Switch(_) | Entry::Several { .. } => styled(ctx.locale.t("form.space_switches"), Token::Muted),
                Entry::Choice { .. } => styled(ctx.locale.t("form.arrows_choose"), Token::Muted),
                Entry::Line { .. } => Vec::new(),
            },
        }
    }
}

fn problem_words(field: &Field, problem: &str, locale: &Locale) -> String {
    match &field.entry {
        Entry::Line { kind: Kind::Number(min, max) | Kind::MaybeNumber(min, max), .. } => {
            locale.t_args(problem, &[("min", min), ("max", max)])
        }
        _ => locale.t(problem),
    }
}

fn draw_row(field: &Field, frame: &mut Frame<'_>, area: Rect, active: bool, ctx: &ViewCtx<'_>) {
    let label_width = LABEL.min(area.width / 2);
    let [mark, label, value] =
        Layout::horizontal([Constraint::Length(2), Constraint::Length(label_width), Constraint::Fill(1)]).areas(area);
    let wrong = field.touched && field.problem().is_some();
    let (sign, token) = match (active, wrong) {
        (true, _) => ("▶", Token::Accent),
        (false, true) => ("!", Token::Warning),
        (false, false) => (" ", Token::Muted),
    };
    frame.render_widget(Paragraph::new(Span::styled(sign, ctx.style(token))), mark);
    let words = text::truncate_to_width(&text::clean(&field.label), usize::from(label_width.saturating_sub(1)));
    let token = if active { Token::Accent } else { Token::Muted };
    frame.render_widget(Paragraph::new(Span::styled(words, ctx.style(token))), label);
    let room = usize::from(value.width);
    let shown = |words: String| text::truncate_to_width(&text::clean(&words), room);
    let line = match &field.entry {
        Entry::Line { input, .. } => {
            if active {
                input.draw(frame, value, ctx);
                return;
            }
            return input.draw_still(frame, value, ctx);
        }
        Entry::Switch(on) => {
            let words = ctx.locale.t(if *on { "common.yes" } else { "common.no" });
            let words = if *on { format!("● {words}") } else { format!("○ {words}") };
            Line::styled(shown(words), ctx.style(if *on { Token::Success } else { Token::Text }))
        }
        Entry::Choice { choices, at } => {
            let words = choices.get(*at).cloned().unwrap_or_else(|| ctx.locale.t("form.not_chosen"));
            let words = if active { format!("‹ {words} ›") } else { words };
            Line::styled(shown(words), ctx.style(Token::Text))
        }
        Entry::Several { choices, on, at } => several_row(choices, on, active.then_some(*at), room, ctx),
    };
    frame.render_widget(Paragraph::new(line), value);
}

/// What is on, in a row; while the field is worked on, around the one under the mark.
fn several_row(
    choices: &[String],
    on: &BTreeSet<usize>,
    at: Option<usize>,
    room: usize,
    ctx: &ViewCtx<'_>,
) -> Line<'static> {
    let Some(at) = at else {
        let chosen: Vec<&str> =
            on.iter().filter_map(|place| choices.get(*place)).map(String::as_str).collect::<Vec<_>>();
        let words = if chosen.is_empty() { ctx.locale.t("form.none") } else { chosen.join(", ") };
        return Line::styled(text::truncate_to_width(&text::clean(&words), room), ctx.style(Token::Text));
    };
    let mut spans = Vec::new();
    let mut used = 0_usize;
    let all: usize = choices.iter().map(|words| text::display_width(&text::clean(words)).saturating_add(4)).sum();
    let first = if all <= room { 0 } else { at.saturating_sub(1) };
    for (place, words) in choices.iter().enumerate().skip(first) {
        let box_mark = if on.contains(&place) { "☑" } else { "☐" };
        let words = format!("{box_mark} {}", text::clean(words));
        let width = text::display_width(&words).saturating_add(2);
        if used.saturating_add(width) > room {
            break;
        }
        used = used.saturating_add(width);
        let token = if place == at { Token::Selected } else { Token::Text };
        spans.push(Span::styled(words, ctx.style(token)));
        spans.push(Span::raw("  "));
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;
    use crate::tui::testing::{drawn, ui};
    use ratatui::layout::Size;

    fn form() -> Form {
        let euro = Currency::parse("EUR").expect("EUR");
        Form::new(
            "Item",
            "What the customer sees.",
            vec![
                Field::line("name", "Name", Kind::Needed, 40, ""),
                Field::line("price", "Price", Kind::Amount { currency: euro, signed: false }, 12, "8.50"),
                Field::line("prep", "Minutes", Kind::Number(0, 240), 4, "10"),
                Field::switch("available", "On the menu", true),
                Field::choice("diet", "Diet", vec!["vegan".into(), "vegetarian".into(), "meat".into()], 0),
                Field::several("allergens", "Allergens", vec!["gluten".into(), "milk".into()], BTreeSet::new()),
            ],
        )
    }

    fn give(form: &mut Form, keys: &str) -> Filled {
        let ui = ui();
        let env = Env::new(&ui, Size::new(80, 24), Timestamp(0));
        let mut last = Filled::Open;
        for key in keys.split(' ') {
            let input: Input<()> = Input::Key(key.parse().expect(key));
            last = form.on_input(&input, &env);
        }
        last
    }

    #[test]
    fn a_form_is_sent_only_when_every_field_is_well() {
        let mut open = form();
        assert_eq!(give(&mut open, "up enter"), Filled::Open, "the name is missing");
        assert_eq!(give(&mut open, "S o u p down 1 x up up enter"), Filled::Open, "1x is no price");
        assert_eq!(give(&mut open, "8 , 5 down down left"), Filled::Open);
        assert_eq!(give(&mut open, "tab right tab right space enter"), Filled::Sent);
        assert_eq!(open.text("name"), "Soup");
        assert_eq!(open.amount("price"), Some(Money(850)));
        assert_eq!(open.number("prep"), Some(10));
        assert!(!open.is_on("available"));
        assert_eq!(open.chosen("diet"), Some(1));
        assert_eq!(open.several("allergens"), BTreeSet::from([1]));
    }

    #[test]
    fn a_prefilled_number_is_typed_anew_and_a_name_is_corrected() {
        let mut open = form();
        assert_eq!(give(&mut open, "S o up down x down 9 down 7"), Filled::Open);
        assert_eq!(open.text("name"), "Sox");
        assert_eq!((open.amount("price"), open.number("prep")), (Some(Money(900)), Some(7)));
    }

    #[test]
    fn a_long_form_is_not_thrown_away_by_one_key() {
        assert_eq!(give(&mut form(), "down down esc"), Filled::Cancelled, "nothing was changed");
        let mut open = form();
        assert_eq!(give(&mut open, "x esc"), Filled::Open);
        let shown = |open: &Form| drawn(80, 24, |frame, ctx| open.draw(frame, frame.area(), ctx));
        assert!(shown(&open).contains("Esc again"), "{}", shown(&open));
        assert_eq!(give(&mut open, "y"), Filled::Open);
        assert!(!shown(&open).contains("Esc again"), "{}", shown(&open));
        assert_eq!(give(&mut open, "esc esc"), Filled::Cancelled);
    }

    #[test]
    fn a_sent_form_waits_and_a_refusal_leads_to_its_field() {
        let mut open = form();
        assert_eq!(give(&mut open, "a up enter"), Filled::Sent);
        assert_eq!(give(&mut open, "enter"), Filled::Open, "an answer is on its way");
        open.refuse(Some("price"), "Too dear.");
        assert_eq!(open.focus, 1);
        assert!(drawn(80, 24, |frame, ctx| open.draw(frame, frame.area(), ctx)).contains("Too dear."));
        assert_eq!(give(&mut open, "esc esc"), Filled::Cancelled);
    }

    #[test]
    fn a_form_has_one_look() {
        let mut open = form();
        give(&mut open, "down x");
        insta::assert_snapshot!(drawn(80, 24, |frame, ctx| open.draw(frame, frame.area(), ctx)));
    }

    #[test]
    fn no_size_breaks_it() {
        let open = form();
        for (width, height) in [(1, 1), (7, 4), (20, 5), (60, 8), (60, 20)] {
            drawn(width, height, |frame, ctx| open.draw(frame, frame.area(), ctx));
        }
    }
}
