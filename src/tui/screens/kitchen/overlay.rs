//! The questions that lie over the board, and what their answers do. While one is open it takes every
//! key; the tickets below it go on living.

use super::Kitchen;
use super::card;
use super::cash::{self, CashForm, Paid};
use super::keys::{ETA_MINUTES, HOLD_MINUTES};
use super::message::{Act, Effect};
use super::voiding::{VoidForm, Voided};
use crate::domain::access::Role;
use crate::domain::ids::OrderId;
use crate::domain::money::Money;
use crate::domain::order::{EventKind, Status};
use crate::service::views::TicketView;
use crate::tui::app::{Cmd, Env, Hit, Input, ViewCtx};
use crate::tui::key::Key;
use crate::tui::keymap::{Action, Context};
use crate::tui::screens::credentials::{Credentials, Given};
use crate::tui::screens::person::PersonPin;
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::dialog::{Answer, Dialog};
use crate::tui::widgets::input::TextInput;
use crate::tui::widgets::list::{self, ListLook, ListState};
use crate::tui::widgets::{big_digits, footer, help, panel};
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// The name of the recall list in [`Hit::Row`].
const RECALL: &str = "recall";
/// The name of the answers to handing over in [`Hit::Row`].
const HAND_OVER: &str = "hand_over";
/// The longest reason.
const REASON_LIMIT: usize = 120;
/// Why an order is not cooked.
const REJECT_REASONS: [&str; 4] =
    ["kitchen.reason_sold_out", "kitchen.reason_closing", "kitchen.reason_busy", "kitchen.reason_customer"];
/// Why food is voided.
const VOID_REASONS: [&str; 4] =
    ["kitchen.reason_wrong", "kitchen.reason_spoiled", "kitchen.reason_customer", "kitchen.reason_sold_out"];
/// Why an order is ready with open lines.
const FORCE_REASONS: [&str; 3] =
    ["kitchen.reason_made_elsewhere", "kitchen.reason_not_wanted", "kitchen.reason_customer"];
/// What can be asked about, with its words.
const WHY: [(EventKind, &str); 8] = [
    (EventKind::StartPreparing, "kitchen.event_start"),
    (EventKind::MarkReady, "kitchen.event_ready"),
    (EventKind::HandOver, "kitchen.event_hand_over"),
    (EventKind::Recall, "kitchen.event_recall"),
    (EventKind::ConfirmCash, "kitchen.event_cash"),
    (EventKind::Reject, "kitchen.event_reject"),
    (EventKind::StaffCancel, "kitchen.event_cancel"),
    (EventKind::Void, "kitchen.event_void"),
];

/// How an order, or a part of it, is brought to an end that needs a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Not cooked: rejected from received, cancelled from confirmed.
    Reject,
    /// Voided: the whole order, or the line at this place.
    Void(Option<usize>),
    /// Ready with open lines.
    Force,
}

/// What the answer to an open dialog is for.
#[derive(Debug)]
pub(super) enum Question {
    OfferCash,
    Accept,
    Hold,
    Note,
    Float,
    Find,
    Why,
    /// Which part is voided: the whole, or one of the lines at these places.
    Scope(Vec<usize>),
    Reason(Ending),
    OtherReason(Ending),
    RefundAmount(Box<VoidForm>),
}

/// A question over the board.
#[derive(Debug)]
pub(super) enum Overlay {
    Ask(Box<Dialog>, Option<OrderId>, Question),
    HandOver { order: OrderId, number: String },
    Recall(ListState),
    Cash(CashForm),
    OpeningTill(OrderId),
    Change { number: String, change: Money },
    Void(Box<VoidForm>),
    SignIn(Credentials),
    Override { form: Box<Credentials>, order: OrderId, act: Act },
    Help(usize),
}

impl Overlay {
    /// The order that is asked about, if it is one: without it the question has no sense.
    pub(super) fn order(&self) -> Option<OrderId> {
        match self {
            Self::Ask(_, order, _) => *order,
            Self::HandOver { order, .. } | Self::OpeningTill(order) | Self::Override { order, .. } => Some(*order),
            Self::Cash(form) => Some(form.order),
            Self::Void(form) => Some(form.order),
            _ => None,
        }
    }

    /// Whether it stands on the rights of the person who is signed in.
    pub(super) const fn needs_person(&self) -> bool {
        matches!(
            self,
            Self::Cash(_)
                | Self::OpeningTill(_)
                | Self::Void(_)
                | Self::Override { .. }
                | Self::Ask(
                    _,
                    _,
                    Question::Float
                        | Question::Scope(_)
                        | Question::Reason(_)
                        | Question::OtherReason(_)
                        | Question::RefundAmount(_)
                )
        )
    }

    pub(super) fn context(&self) -> Context {
        match self {
            Self::Ask(dialog, ..) => dialog.context(),
            Self::Cash(_) | Self::SignIn(_) | Self::Override { .. } => Context::TextInput,
            Self::Help(_) => Context::Help,
            _ => Context::Dialog,
        }
    }
}

impl Kitchen {
    pub(super) fn on_overlay(&mut self, input: &Input<super::Msg>, env: &Env<'_>) -> Vec<Cmd<Effect>> {
        let leaves = |press| matches!(env.keymap.resolve(Context::Kitchen, press), Some(Action::Quit));
        if let Input::Key(press) = input
            && press.ctrl
            && leaves(*press)
        {
            return vec![Cmd::Quit(0)];
        }
        let Some(overlay) = self.overlay.take() else { return Vec::new() };
        let action = env.action(overlay.context(), input);
        match overlay {
            Overlay::Ask(mut dialog, order, question) => match dialog.on_input(input, env) {
                Answer::Open => {
                    self.overlay = Some(Overlay::Ask(dialog, order, question));
                    Vec::new()
                }
                Answer::Cancelled => Vec::new(),
                Answer::Chosen(at) => self.chosen(at, order, question, env),
                Answer::Text(given) => self.given(given, dialog, order, question, env),
            },
            Overlay::HandOver { order, number } => {
                let yes = match input {
                    Input::Click { hit: Some(Hit::Row { list: HAND_OVER, index }), .. } => Some(*index == 0),
                    _ => match action {
                        Some(Action::Digit(1)) => Some(true),
                        Some(Action::Back | Action::Select | Action::Digit(_)) => Some(false),
                        _ => None,
                    },
                };
                match yes {
                    Some(true) => self.act(order, Act::HandOver, env),
                    Some(false) => Vec::new(),
                    None => {
                        self.overlay = Some(Overlay::HandOver { order, number });
                        Vec::new()
                    }
                }
            }
            Overlay::Recall(state) => self.on_recall(state, input, action, env),
            Overlay::Cash(mut form) => match form.on_input(input, env) {
                Paid::Open => {
                    self.overlay = Some(Overlay::Cash(form));
                    Vec::new()
                }
                Paid::Cancelled => Vec::new(),
                Paid::Tendered(tendered) => self.act(form.order, Act::ConfirmCash { tendered }, env),
            },
            Overlay::Void(mut form) => match form.on_input(input, env) {
                Voided::Open => {
                    self.overlay = Some(Overlay::Void(form));
                    Vec::new()
                }
                Voided::Cancelled => Vec::new(),
                Voided::Act(act) => self.with_manager(form.order, act, env),
                Voided::AskAmount => {
                    let (order, title) = (form.order, env.locale.t("kitchen.refund"));
                    let dialog = Dialog::text(title, env.locale.t("kitchen.refund_body"), TextInput::new(12));
                    self.ask(dialog, order, Question::RefundAmount(form));
                    Vec::new()
                }
            },
            Overlay::SignIn(mut form) => {
                let given = form.on_input(input, env);
                if given == Given::Cancelled {
                    self.wish = None;
                    return Vec::new();
                }
                self.overlay = Some(Overlay::SignIn(form));
                match given {
                    Given::Password(username, password) => vec![Cmd::Effect(Effect::SignIn { username, password })],
                    Given::Pin(username, pin) => vec![Cmd::Effect(Effect::SignInPin { username, pin })],
                    Given::Open | Given::Cancelled => Vec::new(),
                }
            }
            Overlay::Override { mut form, order, act } => match form.on_input(input, env) {
                Given::Open => {
                    self.overlay = Some(Overlay::Override { form, order, act });
                    Vec::new()
                }
                Given::Cancelled => Vec::new(),
                Given::Password(username, pin) | Given::Pin(username, pin) => {
                    self.act(order, let_through(act, PersonPin { username, pin }), env)
                }
            },
            Overlay::OpeningTill(order) => {
                if action != Some(Action::Back) {
                    self.overlay = Some(Overlay::OpeningTill(order));
                }
                Vec::new()
            }
            Overlay::Change { number, change } => {
                // The key of a kitchen is Space.
                let space = matches!(input, Input::Key(press) if press.key == Key::Char(' '));
                let closes = matches!(action, Some(Action::Back | Action::Select))
                    || matches!(input, Input::Click { .. })
                    || space;
                if !closes {
                    self.overlay = Some(Overlay::Change { number, change });
                }
                Vec::new()
            }
            Overlay::Help(skip) => {
                self.overlay = match action {
                    Some(Action::Down | Action::PageDown) => Some(Overlay::Help(skip.saturating_add(1).min(200))),
                    Some(Action::Up | Action::PageUp) => Some(Overlay::Help(skip.saturating_sub(1))),
                    Some(Action::Back | Action::Select | Action::Help) => None,
                    _ if matches!(input, Input::Click { .. }) => None,
                    _ => Some(Overlay::Help(skip)),
                };
                Vec::new()
            }
        }
    }

    fn on_recall(
        &mut self,
        mut state: ListState,
        input: &Input<super::Msg>,
        action: Option<Action>,
        env: &Env<'_>,
    ) -> Vec<Cmd<Effect>> {
        let orders: Vec<OrderId> =
            self.view.get().map(|view| view.recallable.iter().map(|ticket| ticket.order).collect()).unwrap_or_default();
        let at = match (input, action) {
            (Input::Click { hit: Some(Hit::Row { list: RECALL, index }), .. }, _) => Some(*index),
            (_, Some(Action::Select)) => state.selected(orders.len()),
            (_, Some(Action::Digit(digit))) => usize::from(digit).checked_sub(1),
            (_, Some(Action::Back)) => return Vec::new(),
            (_, Some(action)) => {
                state.on_action(action, orders.len());
                None
            }
            _ => None,
        };
        match at.and_then(|at| orders.get(at)) {
            Some(_) if self.away => {
                self.say(env.locale.t("kitchen.away"), Token::Danger, env);
                Vec::new()
            }
            Some(order) => self.act(*order, Act::Recall, env),
            None => {
                self.overlay = Some(Overlay::Recall(state));
                Vec::new()
            }
        }
    }

    pub(super) fn ask_why(&mut self, order: OrderId, ticket: &TicketView, env: &Env<'_>) {
        let choices = WHY.iter().map(|(_, words)| env.locale.t(words)).collect();
        let title = env.locale.t_args("kitchen.why_title", &[("number", &ticket.pickup_number)]);
        self.ask(Dialog::choice(title, env.locale.t("kitchen.why_body"), choices), order, Question::Why);
    }

    pub(super) fn ask_reason(&mut self, order: OrderId, ending: Ending, env: &Env<'_>) {
        let number = self.number(order);
        let (title, body) = match ending {
            Ending::Reject => ("kitchen.reject_title", "kitchen.reject_body"),
            Ending::Void(_) => ("kitchen.void_title", "kitchen.void_body"),
            Ending::Force => ("kitchen.force_title", "kitchen.force_body"),
        };
        let mut choices: Vec<String> = reasons(ending).iter().map(|words| env.locale.t(words)).collect();
        choices.push(env.locale.t("kitchen.reason_other"));
        let title = env.locale.t_args(title, &[("number", &number)]);
        self.ask(Dialog::choice(title, env.locale.t(body), choices), order, Question::Reason(ending));
    }

    /// A choice was taken.
    fn chosen(&mut self, at: usize, order: Option<OrderId>, question: Question, env: &Env<'_>) -> Vec<Cmd<Effect>> {
        let Some(order) = order else { return Vec::new() };
        match question {
            Question::OfferCash if at == 0 => return self.on_order(Action::Cash, order, env),
            Question::Accept => {
                let eta_minutes = at.checked_sub(1).and_then(|at| ETA_MINUTES.get(at)).copied();
                return self.act(order, Act::Accept { eta_minutes }, env);
            }
            Question::Hold => {
                let until = HOLD_MINUTES
                    .get(at)
                    .map(|minutes| self.store_now(env.now).plus_seconds(minutes.saturating_mul(60)));
                return self.act(order, Act::Hold { until }, env);
            }
            Question::Why => {
                if let Some((event, _)) = WHY.get(at) {
                    return vec![Cmd::Effect(Effect::WhyNot { order, event: *event })];
                }
            }
            Question::Scope(places) => {
                let line = at.checked_sub(1).and_then(|at| places.get(at)).copied();
                self.ask_reason(order, Ending::Void(line), env);
            }
            Question::Reason(ending) => match reasons(ending).get(at) {
                Some(words) => return self.with_reason(order, ending, env.locale.t(words), env),
                None => {
                    let title = env.locale.t("kitchen.reason_other");
                    let dialog = Dialog::text(title, env.locale.t("kitchen.reason_body"), TextInput::new(REASON_LIMIT));
                    self.ask(dialog, order, Question::OtherReason(ending));
                }
            },
            _ => {}
        }
        Vec::new()
    }

    /// A text was given.
    fn given(
        &mut self,
        given: String,
        dialog: Box<Dialog>,
        order: Option<OrderId>,
        question: Question,
        env: &Env<'_>,
    ) -> Vec<Cmd<Effect>> {
        let Some(currency) = self.view.get().map(|view| view.currency) else { return Vec::new() };
        let Some(order) = order else {
            self.find(&given, env);
            return Vec::new();
        };
        let amount = match question {
            Question::Float | Question::RefundAmount(_) => match cash::read_amount("amount", &given, currency) {
                Ok(amount) => amount,
                Err(refused) => {
                    self.refuse(&refused, env);
                    self.overlay = Some(Overlay::Ask(dialog, Some(order), question));
                    return Vec::new();
                }
            },
            _ => Money::ZERO,
        };
        match question {
            Question::Note => self.act(order, Act::Note { note: given }, env),
            Question::OtherReason(ending) => self.with_reason(order, ending, given, env),
            Question::Float => {
                self.overlay = Some(Overlay::OpeningTill(order));
                let key = self.acts.next_key();
                vec![Cmd::Effect(Effect::OpenTill { float: amount, key })]
            }
            Question::RefundAmount(form) => self.with_manager(order, form.act_with(amount), env),
            _ => Vec::new(),
        }
    }

    fn with_reason(&mut self, order: OrderId, ending: Ending, reason: String, env: &Env<'_>) -> Vec<Cmd<Effect>> {
        let Some(ticket) = self.ticket(order) else { return Vec::new() };
        match ending {
            Ending::Reject if ticket.status == Status::Received => self.act(order, Act::Reject { reason }, env),
            Ending::Reject if ticket.status == Status::Confirmed => self.act(order, Act::StaffCancel { reason }, env),
            Ending::Force => self.act(order, Act::ForceReady { reason, override_pin: None }, env),
            // Cooking began while the reason was asked for: from there on it is a void.
            Ending::Reject => {
                self.overlay = Some(Overlay::Void(Box::new(VoidForm::new(ticket, None, reason))));
                Vec::new()
            }
            Ending::Void(line) => {
                self.overlay = Some(Overlay::Void(Box::new(VoidForm::new(ticket, line, reason))));
                Vec::new()
            }
        }
    }

    /// Does what an admin may do; asks for an admin's PIN where the person is none.
    fn with_manager(&mut self, order: OrderId, act: Act, env: &Env<'_>) -> Vec<Cmd<Effect>> {
        if self.person.as_ref().is_some_and(|person| person.role == Role::Admin) {
            return self.act(order, act, env);
        }
        let form = Box::new(Credentials::manager(env.locale.t("kitchen.override_body"), env));
        self.overlay = Some(Overlay::Override { form, order, act });
        Vec::new()
    }

    fn find(&mut self, wanted: &str, env: &Env<'_>) {
        let wanted = wanted.to_lowercase();
        let found = self.shown().iter().enumerate().find_map(|(at, ticket)| {
            let number = ticket.pickup_number.to_lowercase() == wanted;
            let name = ticket.called_name.as_ref().is_some_and(|name| name.to_lowercase().contains(&wanted));
            (number || name).then_some((at, ticket.order))
        });
        match found {
            Some((at, order)) => (self.selected, self.place, self.part) = (Some(order), at, 0),
            None => {
                let words = env.locale.t_args("kitchen.not_found", &[("wanted", &wanted)]);
                self.say(words, Token::Warning, env);
            }
        }
    }

    /// Draws the open question.
    pub(super) fn draw_overlay(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let Some(overlay) = &self.overlay else { return };
        let view = self.view.get();
        match overlay {
            Overlay::Ask(dialog, ..) => dialog.draw(frame, area, ctx),
            Overlay::HandOver { order, number } => self.draw_hand_over(frame, area, *order, number, ctx),
            Overlay::Recall(state) => self.draw_recall(frame, area, state, ctx),
            Overlay::Cash(form) => form.draw(frame, area, ctx),
            Overlay::OpeningTill(_) => {
                let inner = panel::overlay(frame, area, (40, 5), &ctx.locale.t("kitchen.float_title"), ctx);
                let words = Line::styled(ctx.locale.t("kitchen.opening_till"), ctx.style(Token::Muted));
                frame.render_widget(Paragraph::new(vec![Line::default(), words]), inner);
            }
            Overlay::Change { number, change } => {
                if let Some(view) = view {
                    cash::draw_change(frame, area, number, *change, view.currency, ctx);
                }
            }
            Overlay::Void(form) => form.draw(frame, area, ctx),
            Overlay::SignIn(form) => {
                let demo = view.is_some_and(|view| view.demo);
                let accounts = if demo { self.options.demo_accounts.as_slice() } else { &[] };
                form.draw(frame, area, accounts, ctx);
            }
            Overlay::Override { form, .. } => form.draw(frame, area, &[], ctx),
            Overlay::Help(skip) => help::draw(frame, area, Context::Kitchen, *skip, ctx),
        }
    }

    fn draw_hand_over(&self, frame: &mut Frame<'_>, area: Rect, order: OrderId, number: &str, ctx: &ViewCtx<'_>) {
        let inner = panel::overlay(frame, area, (48, 18), &ctx.locale.t("kitchen.hand_over_title"), ctx);
        let [_, digits, name, _, answers, keys] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Fill(1),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(2),
            Constraint::Length(1),
        ])
        .areas(inner);
        big_digits::draw(frame, digits, number, ctx.style(Token::Ready), Alignment::Center);
        let called = self.ticket(order).and_then(|ticket| ticket.called_name.clone()).unwrap_or_default();
        let called = text::truncate_to_width(&text::clean(&called), usize::from(name.width));
        let bold = ctx.style(Token::Text).add_modifier(Modifier::BOLD);
        frame.render_widget(Paragraph::new(Line::styled(called, bold)).centered(), name);
        // "Not yet" is selected: a second press of the same key never hands anything over.
        let mut state = ListState::default();
        state.select(1);
        let look = ListLook { name: HAND_OVER, row_height: 1, active: true };
        list::draw(frame, answers, &state, 2, look, ctx, |index, _| {
            let words = ctx.locale.t(if index == 0 { "kitchen.hand_over_yes" } else { "kitchen.hand_over_no" });
            let digit = Span::styled(format!(" {} ", index.saturating_add(1)), ctx.style(Token::Accent));
            vec![Line::from(vec![digit, Span::raw(format!(" {words}"))])]
        });
        footer::draw(frame, keys, Context::Dialog, &[Action::Back], ctx);
    }

    fn draw_recall(&self, frame: &mut Frame<'_>, area: Rect, state: &ListState, ctx: &ViewCtx<'_>) {
        let inner = panel::overlay(frame, area, (60, 18), &ctx.locale.t("kitchen.recall_title"), ctx);
        let [_, body, _, rows, keys] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(2),
            Constraint::Length(1),
            Constraint::Fill(1),
            Constraint::Length(1),
        ])
        .areas(inner);
        let words = text::wrap(&ctx.locale.t("kitchen.recall_body"), usize::from(body.width));
        let words: Vec<Line<'_>> = words.into_iter().map(|row| Line::styled(row, ctx.style(Token::Muted))).collect();
        frame.render_widget(Paragraph::new(words), body);
        let tickets = self.view.get().map(|view| view.recallable.as_slice()).unwrap_or_default();
        let now = self.store_now(ctx.now);
        let look = ListLook { name: RECALL, row_height: 1, active: true };
        list::draw(frame, rows, state, tickets.len(), look, ctx, |index, width| {
            let Some(ticket) = tickets.get(index) else { return Vec::new() };
            let since = now.seconds_since(ticket.ready_at.unwrap_or(ticket.shown_at));
            let ago = ctx.locale.t_args("kitchen.ago", &[("time", &card::duration(since, ctx.locale))]);
            let name = ticket.called_name.as_deref().unwrap_or_default();
            let words = format!("{}  {}", text::clean(&ticket.pickup_number), text::clean(name));
            let room = usize::from(width).saturating_sub(text::display_width(&ago)).saturating_sub(5);
            let digit = if index < 9 { format!(" {} ", index.saturating_add(1)) } else { "   ".to_owned() };
            vec![Line::from(vec![
                Span::styled(digit, ctx.style(Token::Accent)),
                Span::raw(format!(" {} {ago}", text::fit_to_width(&words, room))),
            ])]
        });
        footer::draw(frame, keys, Context::Dialog, &[Action::Select, Action::Back], ctx);
    }
}

const fn reasons(ending: Ending) -> &'static [&'static str] {
    match ending {
        Ending::Reject => &REJECT_REASONS,
        Ending::Void(_) => &VOID_REASONS,
        Ending::Force => &FORCE_REASONS,
    }
}

/// The step, let through by an admin.
fn let_through(act: Act, by: PersonPin) -> Act {
    let override_pin = Some(by);
    match act {
        Act::Void { reason, lines, refund, .. } => Act::Void { reason, lines, refund, override_pin },
        Act::VoidLine { part, reason, .. } => Act::VoidLine { part, reason, override_pin },
        Act::ForceReady { reason, .. } => Act::ForceReady { reason, override_pin },
        other => other,
    }
}
