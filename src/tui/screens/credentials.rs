//! The form in which a person proves who they are: a name with a password, or with a PIN where the
//! name has signed in at this terminal before or only one command is let through. Kitchen and console
//! put it over themselves.

use super::person::{DemoAccount, Secret};
use crate::tui::app::{Env, Input, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::input::TextInput;
use crate::tui::widgets::{footer, panel};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Paragraph};

/// The longest name.
const NAME_LIMIT: usize = 64;
/// The longest password or PIN.
const SECRET_LIMIT: usize = 128;

/// What an input did to the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// It stays open.
    Open,
    /// It was closed.
    Cancelled,
    /// A name and its password.
    Password(String, Secret),
    /// A name and its PIN.
    Pin(String, Secret),
}

/// The form.
#[derive(Debug)]
pub struct Credentials {
    title: String,
    body: String,
    name: TextInput,
    secret: TextInput,
    in_secret: bool,
    /// A PIN is asked for, whoever it is.
    pin_only: bool,
    /// Who has signed in here before, the last first.
    known: Vec<String>,
    /// An answer is on its way.
    waiting: bool,
    problem: Option<String>,
}

impl Credentials {
    /// For signing in at the terminal.
    pub fn person(body: String, known: &[String], env: &Env<'_>) -> Self {
        Self::new(env.locale.t("sign_in.title"), body, known, false)
    }

    /// For letting one command through.
    pub fn manager(body: String, env: &Env<'_>) -> Self {
        Self::new(env.locale.t("sign_in.override"), body, &[], true)
    }

    fn new(title: String, body: String, known: &[String], pin_only: bool) -> Self {
        let name = TextInput::new(NAME_LIMIT).with_value(known.first().map_or("", String::as_str));
        Self {
            title,
            body,
            in_secret: !name.is_empty(),
            name,
            secret: TextInput::new(SECRET_LIMIT).secret(),
            pin_only,
            known: known.to_vec(),
            waiting: false,
            problem: None,
        }
    }

    fn username(&self) -> String {
        self.name.value().trim().to_owned()
    }

    fn wants_pin(&self) -> bool {
        self.pin_only || self.known.contains(&self.username())
    }

    /// Whether what was given is being looked at.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// The answer was a refusal: says so, and forgets the secret. A PIN that was refused gives way
    /// to the password.
    pub fn refuse(&mut self, words: String) {
        let username = self.username();
        self.known.retain(|known| *known != username);
        self.secret.clear();
        self.waiting = false;
        self.problem = Some(words);
    }

    /// Says why somebody has to sign in again.
    pub fn notice(&mut self, words: String) {
        self.problem = Some(words);
    }

    /// Takes an input of the screen.
    pub fn on_input<M>(&mut self, input: &Input<M>, env: &Env<'_>) -> Given {
        let field = if self.in_secret { &mut self.secret } else { &mut self.name };
        match input {
            Input::Key(press) if !self.waiting && field.on_key(*press) => return Given::Open,
            Input::Paste(pasted) if !self.waiting => {
                field.paste(pasted);
                return Given::Open;
            }
            _ => {}
        }
        match env.action(Context::TextInput, input) {
            Some(Action::Back) => Given::Cancelled,
            Some(Action::NextPane | Action::PreviousPane) => {
                self.in_secret = !self.in_secret;
                Given::Open
            }
            Some(action @ (Action::Up | Action::Down)) => {
                self.switch(action == Action::Down);
                Given::Open
            }
            Some(Action::Select) if !self.waiting => self.enter(),
            _ => Given::Open,
        }
    }

    /// To the next of those who signed in here before.
    fn switch(&mut self, forward: bool) {
        let count = self.known.len();
        if count == 0 {
            self.in_secret = !self.in_secret;
            return;
        }
        let username = self.username();
        let at = self.known.iter().position(|known| *known == username);
        let step = if forward { 1 } else { count.saturating_sub(1) };
        let to = at.map_or(0, |at| at.saturating_add(step).checked_rem(count).unwrap_or_default());
        if let Some(known) = self.known.get(to) {
            self.name = TextInput::new(NAME_LIMIT).with_value(known);
            self.secret.clear();
            self.in_secret = true;
        }
    }

    fn enter(&mut self) -> Given {
        if self.username().is_empty() {
            self.in_secret = false;
            return Given::Open;
        }
        if !self.in_secret || self.secret.is_empty() {
            self.in_secret = true;
            return Given::Open;
        }
        self.waiting = true;
        self.problem = None;
        let secret = Secret(self.secret.value().to_owned());
        if self.wants_pin() { Given::Pin(self.username(), secret) } else { Given::Password(self.username(), secret) }
    }

    /// Draws the form over the middle of `area`, with the demo's accounts where there are any.
    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, demo: &[DemoAccount], ctx: &ViewCtx<'_>) {
        let width = 56.min(area.width);
        let room = usize::from(width.saturating_sub(4));
        let mut foot: Vec<Line<'_>> = Vec::new();
        if let Some(problem) = &self.problem {
            foot.extend(text::wrap(problem, room).into_iter().map(|row| Line::styled(row, ctx.style(Token::Danger))));
        } else if self.waiting {
            foot.push(Line::styled(ctx.locale.t("sign_in.checking"), ctx.style(Token::Muted)));
        } else if self.known.len() > 1 {
            foot.push(Line::styled(ctx.locale.t("sign_in.switch_person"), ctx.style(Token::Muted)));
        }
        if !demo.is_empty() {
            foot.push(Line::styled(ctx.locale.t("sign_in.demo_accounts"), ctx.style(Token::Title)));
            let one = |account: &DemoAccount| {
                let words = ctx.locale.t_args(
                    "sign_in.demo_account",
                    &[("name", &account.username), ("password", &account.password), ("pin", &account.pin)],
                );
                Line::styled(text::truncate_to_width(&words, room), ctx.style(Token::Muted))
            };
            foot.extend(demo.iter().take(4).map(one));
        }
        let body = text::wrap(&self.body, room);
        let rows = |lines: usize| u16::try_from(lines).unwrap_or(u16::MAX);
        let height = rows(body.len()).saturating_add(rows(foot.len())).saturating_add(11);
        let inner = panel::overlay(frame, area, (width, height), &self.title, ctx);
        let [question, name, secret, _, below, keys] = Layout::vertical([
            Constraint::Length(rows(body.len())),
            Constraint::Length(3),
            Constraint::Length(3),
            Constraint::Length(1),
            Constraint::Fill(1),
            Constraint::Length(1),
        ])
        .areas(inner);
        let body: Vec<Line<'_>> = body.into_iter().map(Line::from).collect();
        frame.render_widget(Paragraph::new(body), question);
        frame.render_widget(Paragraph::new(foot), below);
        let label = ctx.locale.t(if self.wants_pin() { "sign_in.pin" } else { "sign_in.password" });
        // The field with the cursor is drawn last, so that the cursor stands in it.
        let fields = [(&self.name, name, ctx.locale.t("sign_in.name"), false), (&self.secret, secret, label, true)];
        for last in [false, true] {
            for (field, place, label, is_secret) in &fields {
                let active = *is_secret == self.in_secret;
                if active == last {
                    draw_field(field, frame, *place, label, active, ctx);
                }
            }
        }
        footer::draw(frame, keys, Context::TextInput, &[Action::Select, Action::NextPane, Action::Back], ctx);
    }
}

/// A framed field with its name in the frame.
pub fn draw_field(field: &TextInput, frame: &mut Frame<'_>, area: Rect, label: &str, active: bool, ctx: &ViewCtx<'_>) {
    let mark = if active { " ▶ " } else { " " };
    let token = if active { Token::Accent } else { Token::Border };
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(ctx.style(token))
        .title(Span::styled(format!("{mark}{label} "), ctx.style(if active { Token::Accent } else { Token::Muted })));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    field.draw(frame, inner, ctx);
}
