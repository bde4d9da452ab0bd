//! The editors of a setting: a form of one field for what is one value, and the table of slots with a
//! form for each slot. What they answer is the new value; nothing is sent from here.

use super::super::desk::Desk;
use super::super::message::Msg;
use super::catalogue::{self, Unit};
use crate::domain::error::Refused;
use crate::domain::slot::{MAX_SLOT_NAME, Slot, Slots};
use crate::service::settings::{SettingView, Takes};
use crate::tui::app::{Env, Hit, Input, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::locale::Locale;
use crate::tui::refusal;
use crate::tui::theme::Token;
use crate::tui::widgets::columns::{self, Column};
use crate::tui::widgets::form::{Field, Filled, Form, Kind};
use crate::tui::widgets::list::{self, ListLook, ListState};
use crate::tui::widgets::{footer, panel};
use chrono::NaiveTime;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use serde_json::Value;

/// The name of the table in [`Hit::Row`].
const SLOTS: &str = "setting_slots";
/// The longest reason.
const REASON: usize = 200;
/// The longest number or amount.
const NUMBER: usize = 12;
/// The length of a time of day.
const TIME: usize = 5;
/// Columns of the table of slots.
const WIDTH: u16 = 56;

/// What follows from an input.
#[derive(Debug)]
pub(super) enum Next {
    /// The editor stays open.
    Open,
    /// It was closed.
    Closed,
    /// Set this; the editor waits for the answer.
    Set(New),
}

/// What a setting is to be from now on.
#[derive(Debug)]
pub(super) struct New {
    /// The value.
    pub(super) value: Value,
    /// Why, where it was asked for.
    pub(super) reason: Option<String>,
}

impl From<Value> for New {
    fn from(value: Value) -> Self {
        Self { value, reason: None }
    }
}

/// What is asked for.
#[derive(Debug)]
enum What {
    /// One value.
    Value(Takes, Box<Form>),
    /// Why a switch goes off.
    Off(Box<Form>),
    /// The table of slots, and what lies over it.
    Slots(ListState, Option<OverSlots>),
}

#[derive(Debug)]
enum OverSlots {
    /// A slot; the name that it had.
    Form(Option<String>, Box<Form>),
    /// Why this one goes.
    Remove(String, Box<Form>),
}

/// An open editor.
#[derive(Debug)]
pub(super) struct Editor {
    key: String,
    /// The value that the form began with, or that the house said is there by now. The table of slots
    /// has none: it is changed as it stands.
    seen: Option<Value>,
    what: What,
}

/// What a setting takes, in words.
pub(super) fn takes_words(setting: &SettingView, desk: &Desk, locale: &Locale) -> String {
    let words = |number: i64| catalogue::value_words(setting, &Value::from(number), desk, locale);
    match &setting.takes {
        Takes::Switch => locale.t("settings.takes_switch"),
        Takes::Number { min, max } => {
            locale.t_args("settings.takes_number", &[("min", &words(*min)), ("max", &words(*max))])
        }
        Takes::Amount => locale.t("settings.takes_amount"),
        Takes::TimeOfDay => locale.t("settings.takes_time"),
        Takes::Choice { options } => {
            let options: Vec<String> = options.iter().map(|word| catalogue::choice_words(word, locale)).collect();
            options.join(" / ")
        }
        Takes::Slots => locale.t("settings.takes_slots"),
    }
}

/// A value as it is typed.
fn typed(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Editor {
    /// The editor of a setting; `None` for a switch, which needs none, and for money before the
    /// currency is known.
    pub(super) fn open(setting: &SettingView, desk: &Desk, locale: &Locale) -> Option<Self> {
        let entry = catalogue::entry(&setting.key)?;
        let value = typed(&setting.value);
        let label = match entry.unit {
            Unit::Plain => locale.t("settings.value"),
            Unit::Seconds(_) => locale.t("settings.value_seconds"),
            Unit::Minutes(_) => locale.t("settings.value_minutes"),
        };
        let takes = takes_words(setting, desk, locale);
        let field = match &setting.takes {
            Takes::Switch => return None,
            Takes::Slots => {
                let what = What::Slots(ListState::default(), None);
                return Some(Self { key: setting.key.clone(), seen: None, what });
            }
            Takes::Number { min, max } => Field::line("value", label, Kind::Number(*min, *max), NUMBER, &value),
            Takes::Amount => {
                let kind = Kind::Amount { currency: desk.currency()?, signed: false };
                Field::line("value", label, kind, NUMBER, &value)
            }
            Takes::TimeOfDay => Field::line("value", label, Kind::Time, TIME, &value),
            Takes::Choice { options } => {
                let words = options.iter().map(|word| catalogue::choice_words(word, locale)).collect();
                let at = options.iter().position(|word| *word == value).unwrap_or_default();
                Field::choice("value", label, words, at)
            }
        };
        let form = Form::new(locale.t(entry.name), locale.t(entry.help), vec![field.with_help(takes)]);
        let what = What::Value(setting.takes.clone(), Box::new(form));
        Some(Self { key: setting.key.clone(), seen: Some(setting.value.clone()), what })
    }

    /// Asks why a switch goes off; `is_last`: it is the last way of paying.
    pub(super) fn switch_off(setting: &SettingView, is_last: bool, locale: &Locale) -> Self {
        let name = catalogue::entry(&setting.key).map_or_else(|| setting.key.clone(), |entry| locale.t(entry.name));
        let body =
            if is_last { locale.t_args("settings.last_payment_body", &[("name", &name)]) } else { String::new() };
        let title = locale.t_args("settings.switch_off", &[("name", &name)]);
        let what = What::Off(Box::new(Form::new(title, body, vec![reason(locale)])));
        Self { key: setting.key.clone(), seen: Some(setting.value.clone()), what }
    }

    /// The setting's key.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// The value by which the new one is decided, where it is not the one that is there now.
    pub(super) const fn seen(&self) -> Option<&Value> {
        self.seen.as_ref()
    }

    pub(super) fn context(&self) -> Context {
        match &self.what {
            What::Value(_, form)
            | What::Off(form)
            | What::Slots(_, Some(OverSlots::Form(_, form) | OverSlots::Remove(_, form))) => form.context(),
            What::Slots(_, None) => Context::ConsoleSettings,
        }
    }

    /// Takes an input; `value` is the setting's value now.
    pub(super) fn on_input(
        &mut self,
        input: &Input<Msg>,
        action: Option<Action>,
        value: Option<&Value>,
        env: &Env<'_>,
    ) -> Next {
        match &mut self.what {
            What::Value(takes, form) => match form.on_input(input, env) {
                Filled::Open => Next::Open,
                Filled::Cancelled => Next::Closed,
                Filled::Sent => match read(takes, form) {
                    Some(value) => Next::Set(value.into()),
                    None => {
                        form.refuse(None, env.locale.t("settings.cannot_read"));
                        Next::Open
                    }
                },
            },
            What::Off(form) => match form.on_input(input, env) {
                Filled::Open => Next::Open,
                Filled::Cancelled => Next::Closed,
                Filled::Sent => Next::Set(New { value: Value::Bool(false), reason: Some(form.text("reason")) }),
            },
            What::Slots(state, over) => {
                let slots = value.map(catalogue::slots).unwrap_or_default();
                match over.take() {
                    Some(asked) => on_over_slots(asked, over, &slots, input, env),
                    None => on_slots(state, over, &slots, input, action, env),
                }
            }
        }
    }

    /// The house refused: leads back to what was typed. Where somebody else was faster it says who; sent
    /// again, the new value holds all the same.
    pub(super) fn refuse(&mut self, refused: &Refused, locale: &Locale) {
        if refused.guard == Some("seen_value") && self.seen.is_some() {
            self.seen = refused.details.get("now").cloned().or(self.seen.take());
        }
        if let What::Value(_, form)
        | What::Off(form)
        | What::Slots(_, Some(OverSlots::Form(_, form) | OverSlots::Remove(_, form))) = &mut self.what
        {
            form.refuse(None, refusal::sentence(refused, locale));
        }
    }

    /// It is set: the table of slots stays, a form goes.
    pub(super) fn done(self) -> Option<Self> {
        match self.what {
            What::Value(..) | What::Off(_) => None,
            What::Slots(state, _) => Some(Self { what: What::Slots(state, None), ..self }),
        }
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, value: Option<&Value>, ctx: &ViewCtx<'_>) {
        match &self.what {
            What::Value(_, form) | What::Off(form) => form.draw(frame, area, ctx),
            What::Slots(state, over) => {
                let slots = value.map(catalogue::slots).unwrap_or_default();
                draw_slots(state, &slots, frame, area, ctx);
                match over {
                    Some(OverSlots::Form(_, form) | OverSlots::Remove(_, form)) => form.draw(frame, area, ctx),
                    None => {}
                }
            }
        }
    }
}

/// The value that a form holds.
fn read(takes: &Takes, form: &Form) -> Option<Value> {
    match takes {
        Takes::Number { .. } => form.number("value").map(Value::from),
        Takes::Amount | Takes::TimeOfDay => Some(Value::from(form.text("value"))),
        Takes::Choice { options } => options.get(form.chosen("value")?).map(|word| Value::from(word.as_str())),
        Takes::Switch | Takes::Slots => None,
    }
}

fn slot_form(slot: Option<&Slot>, locale: &Locale) -> Form {
    let time =
        |from: fn(&Slot) -> NaiveTime| slot.map_or_else(String::new, |slot| from(slot).format("%H:%M").to_string());
    let fields = vec![
        Field::line(
            "name",
            locale.t("settings.slot_name"),
            Kind::Needed,
            MAX_SLOT_NAME,
            slot.map_or("", |slot| slot.name.as_str()),
        ),
        Field::line("start", locale.t("settings.slot_start"), Kind::Time, TIME, &time(|slot| slot.start)),
        Field::line("end", locale.t("settings.slot_end"), Kind::Time, TIME, &time(|slot| slot.end))
            .with_help(locale.t("settings.slot_end_help")),
    ];
    let title = match slot {
        Some(slot) => slot.name.clone(),
        None => locale.t("settings.new_slot"),
    };
    Form::new(title, "", fields)
}

/// The field for why something is taken from guests.
fn reason(locale: &Locale) -> Field {
    Field::line("reason", locale.t("settings.reason"), Kind::Needed, REASON, "")
}

fn remove(slot: &Slot, env: &Env<'_>) -> OverSlots {
    let title = env.locale.t_args("settings.remove_slot", &[("name", &slot.name)]);
    let form = Form::new(title, env.locale.t("settings.remove_slot_body"), vec![reason(env.locale)]);
    OverSlots::Remove(slot.name.clone(), Box::new(form))
}

fn on_slots(
    state: &mut ListState,
    over: &mut Option<OverSlots>,
    slots: &[Slot],
    input: &Input<Msg>,
    action: Option<Action>,
    env: &Env<'_>,
) -> Next {
    // The last row adds a slot.
    let len = slots.len().saturating_add(1);
    if let Input::Click { hit: Some(Hit::Row { list: SLOTS, index }), .. } = input {
        state.select(*index);
        return Next::Open;
    }
    let at = state.selected(len).and_then(|at| slots.get(at));
    match action {
        Some(Action::Back) => return Next::Closed,
        Some(Action::Add) => *over = Some(OverSlots::Form(None, Box::new(slot_form(None, env.locale)))),
        Some(Action::Select | Action::Edit) => {
            let name = at.map(|slot| slot.name.clone());
            *over = Some(OverSlots::Form(name, Box::new(slot_form(at, env.locale))));
        }
        Some(Action::Delete) => *over = at.map(|slot| remove(slot, env)),
        Some(action) => {
            state.on_action(action, len);
        }
        None => {}
    }
    Next::Open
}

fn on_over_slots(
    asked: OverSlots,
    over: &mut Option<OverSlots>,
    slots: &[Slot],
    input: &Input<Msg>,
    env: &Env<'_>,
) -> Next {
    match asked {
        OverSlots::Remove(name, mut form) => {
            let next = match form.on_input(input, env) {
                Filled::Cancelled => return Next::Open,
                Filled::Open => Next::Open,
                Filled::Sent => {
                    let kept: Vec<Slot> = slots.iter().filter(|slot| slot.name != name).cloned().collect();
                    match table(kept) {
                        Ok(value) => Next::Set(New { value, reason: Some(form.text("reason")) }),
                        Err(refused) => {
                            form.refuse(None, refusal::sentence(&refused, env.locale));
                            Next::Open
                        }
                    }
                }
            };
            *over = Some(OverSlots::Remove(name, form));
            next
        }
        OverSlots::Form(old, mut form) => {
            let next = match form.on_input(input, env) {
                Filled::Cancelled => return Next::Open,
                Filled::Open => Next::Open,
                Filled::Sent => match with_slot(&old, &form, slots) {
                    Ok(value) => Next::Set(value.into()),
                    Err(refused) => {
                        form.refuse(None, refusal::sentence(&refused, env.locale));
                        Next::Open
                    }
                },
            };
            *over = Some(OverSlots::Form(old, form));
            next
        }
    }
}

/// The table as the setting takes it.
fn table(slots: Vec<Slot>) -> Result<Value, Refused> {
    serde_json::to_value(Slots::new(slots)?).map_err(Refused::internal)
}

/// The table with the slot of the form, in the place of the one that had this name.
fn with_slot(old: &Option<String>, form: &Form, slots: &[Slot]) -> Result<Value, Refused> {
    let time = |field: &str| {
        NaiveTime::parse_from_str(&form.text(field), "%H:%M")
            .map_err(|error| Refused::invalid(field, error.to_string()))
    };
    let new = Slot { name: form.text("name"), start: time("start")?, end: time("end")? };
    let mut all: Vec<Slot> = slots.iter().filter(|slot| Some(&slot.name) != old.as_ref()).cloned().collect();
    all.push(new);
    table(all)
}

fn draw_slots(state: &ListState, slots: &[Slot], frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
    let len = slots.len().saturating_add(1);
    let title = ctx.locale.t("settings.time_slots");
    let wanted = u16::try_from(len).unwrap_or(u16::MAX).saturating_add(7);
    let inner = panel::overlay(frame, area, (WIDTH, wanted), &title, ctx);
    let [help, rows, _, keys] =
        Layout::vertical([Constraint::Length(3), Constraint::Fill(1), Constraint::Length(1), Constraint::Length(1)])
            .areas(inner);
    let words = crate::tui::text::wrap(&ctx.locale.t("settings.slots_body"), usize::from(help.width));
    let lines: Vec<Line<'_>> = words.into_iter().map(|row| Line::styled(row, ctx.style(Token::Muted))).collect();
    frame.render_widget(Paragraph::new(lines), help);
    let look = ListLook { name: SLOTS, row_height: 1, active: true };
    list::draw(frame, rows, state, len, look, ctx, |index, width| {
        let Some(slot) = slots.get(index) else {
            return vec![Line::styled(format!("+ {}", ctx.locale.t("settings.new_slot")), ctx.style(Token::Accent))];
        };
        let hours = catalogue::hours(slot, ctx.locale);
        let cells = [(slot.name.as_str(), ctx.style(Token::Text)), (hours.as_str(), ctx.style(Token::Text))];
        vec![columns::row(&[Column::Fill, Column::Right(13)], &cells, width)]
    });
    let hints = [Action::Select, Action::Add, Action::Delete, Action::Back];
    footer::draw(frame, keys, Context::ConsoleSettings, &hints, ctx);
}
