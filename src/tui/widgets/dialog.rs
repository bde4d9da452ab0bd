//! A question over the screen: yes or no, one of several reasons, or a line of text.
//!
//! The dialog is state and drawing; the screen keeps it while it is open, gives it every input, and
//! acts on the answer.

use super::input::TextInput;
use super::list::{self, ListLook, ListState};
use super::panel;
use crate::tui::app::{Env, Hit, Input, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::text;
use crate::tui::theme::Token;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Paragraph};

/// The name of a dialog's choices in [`Hit::Row`].
const LIST: &str = "dialog";
/// Columns of a dialog, where the screen has them.
const WIDTH: u16 = 56;
/// Of a text that may be so long or longer, it is said how much room is left.
const LONG: usize = 30;

/// What an input did to a dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It stays open.
    Open,
    /// It was closed without an answer.
    Cancelled,
    /// The choice with this place, from 0, was taken; of a yes-or-no question 0 is yes.
    Chosen(usize),
    /// This text was given; never empty.
    Text(String),
}

/// An open question.
#[derive(Debug, Clone)]
pub struct Dialog {
    title: String,
    body: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Choice { choices: Vec<String>, state: ListState },
    Text(TextInput),
}

impl Dialog {
    /// A question with the answers given, the first selected. Digits pick directly, from 1.
    #[must_use]
    pub fn choice(title: impl Into<String>, body: impl Into<String>, choices: Vec<String>) -> Self {
        let kind = Kind::Choice { choices, state: ListState::default() };
        Self { title: title.into(), body: body.into(), kind }
    }

    /// A question with the answers yes (0) and no (1). No is selected, so that a second press of
    /// the same key never says yes.
    #[must_use]
    pub fn confirm(title: impl Into<String>, body: impl Into<String>, env: &Env<'_>) -> Self {
        let mut state = ListState::default();
        state.select(1);
        let choices = vec![env.locale.t("common.yes"), env.locale.t("common.no")];
        Self { title: title.into(), body: body.into(), kind: Kind::Choice { choices, state } }
    }

    /// A question for a line of text.
    #[must_use]
    pub fn text(title: impl Into<String>, body: impl Into<String>, field: TextInput) -> Self {
        Self { title: title.into(), body: body.into(), kind: Kind::Text(field) }
    }

    /// Where keys are looked up while the dialog is open.
    #[must_use]
    pub const fn context(&self) -> Context {
        match self.kind {
            Kind::Choice { .. } => Context::Dialog,
            Kind::Text(_) => Context::TextInput,
        }
    }

    /// Takes an input of the screen.
    pub fn on_input<M>(&mut self, input: &Input<M>, env: &Env<'_>) -> Answer {
        let context = self.context();
        if let (Kind::Text(field), Input::Key(press)) = (&mut self.kind, input)
            && field.on_key(*press)
        {
            return Answer::Open;
        }
        match (&mut self.kind, input) {
            (Kind::Text(field), Input::Paste(pasted)) => {
                field.paste(pasted);
                Answer::Open
            }
            (Kind::Choice { choices, .. }, Input::Click { hit: Some(Hit::Row { list: LIST, index }), .. })
                if *index < choices.len() =>
            {
                Answer::Chosen(*index)
            }
            _ => env.action(context, input).map_or(Answer::Open, |action| self.on_action(action)),
        }
    }

    fn on_action(&mut self, action: Action) -> Answer {
        match (&mut self.kind, action) {
            (_, Action::Back) => Answer::Cancelled,
            (Kind::Choice { choices, state }, Action::Select) => {
                state.selected(choices.len()).map_or(Answer::Cancelled, Answer::Chosen)
            }
            (Kind::Choice { choices, .. }, Action::Digit(digit)) => match usize::from(digit).checked_sub(1) {
                Some(index) if index < choices.len() => Answer::Chosen(index),
                _ => Answer::Open,
            },
            (Kind::Choice { choices, state }, action) => {
                let action = match action {
                    Action::Left | Action::PreviousPane => Action::Up,
                    Action::Right | Action::NextPane => Action::Down,
                    other => other,
                };
                state.on_action(action, choices.len());
                Answer::Open
            }
            (Kind::Text(field), Action::Select) if !field.value().trim().is_empty() => {
                Answer::Text(field.value().trim().to_owned())
            }
            (Kind::Text(_), _) => Answer::Open,
        }
    }

    /// Draws the dialog over the middle of `area`.
    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let width = WIDTH.min(area.width);
        let room = usize::from(width.saturating_sub(4));
        let mut body = text::wrap(&self.body, room);
        // The answers matter more than the last lines of a long question.
        let answers = match &self.kind {
            Kind::Choice { choices, .. } => u16::try_from(choices.len()).unwrap_or(u16::MAX),
            Kind::Text(field) if field.limit() < LONG => 3,
            Kind::Text(_) => 4,
        };
        let for_body = area.height.saturating_sub(answers.min(area.height / 2)).saturating_sub(5);
        body.truncate(usize::from(for_body));
        let body_rows = u16::try_from(body.len()).unwrap_or_default();
        let wanted = body_rows.saturating_add(answers).saturating_add(5);
        // A free row above the hints, where there is one.
        let air = u16::from(wanted < area.height);
        let wanted = wanted.saturating_add(air);
        let inner = panel::overlay(frame, area, (width, wanted), &self.title, ctx);
        let [_, question, _, answer, _, keys] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(body_rows),
            Constraint::Length(1),
            Constraint::Fill(1),
            Constraint::Length(air),
            Constraint::Length(1),
        ])
        .areas(inner);
        let lines: Vec<Line<'_>> = body.into_iter().map(|row| Line::styled(row, ctx.style(Token::Text))).collect();
        frame.render_widget(Paragraph::new(lines), question);
        match &self.kind {
            Kind::Choice { choices, state } => {
                let look = ListLook { name: LIST, row_height: 1, active: true };
                list::draw(frame, answer, state, choices.len(), look, ctx, |index, width| {
                    vec![choice_row(choices, index, width, ctx)]
                });
            }
            Kind::Text(field) => draw_field(field, frame, answer, ctx),
        }
        super::footer::draw(frame, keys, self.context(), &[Action::Select, Action::Back], ctx);
    }
}

fn choice_row(choices: &[String], index: usize, width: u16, ctx: &ViewCtx<'_>) -> Line<'static> {
    let words = choices.get(index).map(|words| text::clean(words)).unwrap_or_default();
    let number = if index < 9 { format!(" {} ", index.saturating_add(1)) } else { "   ".to_owned() };
    let words = text::truncate_to_width(&words, usize::from(width.saturating_sub(4)));
    Line::from(vec![Span::styled(number, ctx.style(Token::Accent)), Span::raw(format!(" {words}"))])
}

fn draw_field(field: &TextInput, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
    let [boxed, left] = Layout::vertical([Constraint::Length(3), Constraint::Length(1)]).areas(area);
    let block = Block::bordered().border_type(BorderType::Rounded).border_style(ctx.style(Token::Border));
    let inner = block.inner(boxed);
    frame.render_widget(block, boxed);
    field.draw(frame, inner, ctx);
    // Of a number nobody wants to know how much longer it could be.
    if field.limit() < LONG {
        return;
    }
    let room = i64::try_from(field.room()).unwrap_or(i64::MAX);
    let words = ctx.locale.t_plural("common.characters_left", room, &[]);
    frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(Token::Muted))).right_aligned(), left);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;
    use crate::tui::testing::{drawn, ui};
    use ratatui::layout::Size;

    fn give(dialog: &mut Dialog, keys: &str) -> Answer {
        let ui = ui();
        let env = Env::new(&ui, Size::new(80, 24), Timestamp(0));
        let mut answer = Answer::Open;
        for key in keys.split(' ') {
            answer = dialog.on_input::<()>(&Input::Key(key.parse().expect(key)), &env);
        }
        answer
    }

    fn reasons() -> Dialog {
        let choices = ["Out of stock", "Kitchen closed", "寿司\u{1b}[2J"].map(str::to_owned).to_vec();
        Dialog::choice("Reject order 142", "The customer sees the reason and gets the money back.", choices)
    }

    #[test]
    fn a_reason_is_picked_with_arrows_or_a_digit() {
        assert_eq!(give(&mut reasons(), "down enter"), Answer::Chosen(1));
        assert_eq!(give(&mut reasons(), "3"), Answer::Chosen(2));
        assert_eq!(give(&mut reasons(), "0"), Answer::Open);
        assert_eq!(give(&mut reasons(), "4"), Answer::Open);
        assert_eq!(give(&mut reasons(), "esc"), Answer::Cancelled);
        insta::assert_snapshot!(drawn(80, 14, |frame, ctx| reasons().draw(frame, frame.area(), ctx)));
    }

    #[test]
    fn a_second_enter_never_says_yes() {
        let ui = ui();
        let env = Env::new(&ui, Size::new(80, 24), Timestamp(0));
        let confirm = || Dialog::confirm("Empty the cart", "Sure?", &env);
        assert_eq!(give(&mut confirm(), "enter"), Answer::Chosen(1));
        assert_eq!(give(&mut confirm(), "left enter"), Answer::Chosen(0));
    }

    #[test]
    fn text_is_taken_trimmed_and_never_empty() {
        let mut note = Dialog::text("Note", "For the kitchen", TextInput::new(40));
        assert_eq!(give(&mut note, "enter"), Answer::Open);
        assert_eq!(give(&mut note, "space ? q 1 space enter"), Answer::Text("?q1".to_owned()));
        insta::assert_snapshot!(drawn(80, 14, |frame, ctx| note.draw(frame, frame.area(), ctx)));
        assert_eq!(give(&mut note, "esc"), Answer::Cancelled);
    }

    #[test]
    fn a_click_picks_what_is_drawn() {
        let ui = ui();
        let env = Env::new(&ui, Size::new(80, 24), Timestamp(0));
        let click = |hit| Input::<()>::Click { column: 0, row: 0, hit };
        let row = |list, index| Some(Hit::Row { list, index });
        assert_eq!(reasons().on_input(&click(row(LIST, 1)), &env), Answer::Chosen(1));
        assert_eq!(reasons().on_input(&click(row("other", 1)), &env), Answer::Open);
        assert_eq!(reasons().on_input(&click(Some(Hit::Action(Action::Back))), &env), Answer::Cancelled);
    }

    #[test]
    fn no_size_breaks_it() {
        let note = Dialog::text("寿司".repeat(90), "word ".repeat(400), TextInput::new(40).with_value("日本語"));
        for (width, height) in [(1, 1), (7, 4), (20, 5), (60, 20)] {
            drawn(width, height, |frame, ctx| reasons().draw(frame, frame.area(), ctx));
            drawn(width, height, |frame, ctx| note.draw(frame, frame.area(), ctx));
        }
        let tight = drawn(60, 12, |frame, ctx| note.draw(frame, frame.area(), ctx));
        assert!(tight.contains("日本語"), "a long question must not push the field out:\n{tight}");
    }
}
