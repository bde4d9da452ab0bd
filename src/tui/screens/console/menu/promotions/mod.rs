//! The page of promotion codes: what guests may type at the checkout, what each takes off, and how long it
//! lasts. State and what inputs do to it; the forms stand in `question`, by what the list is narrowed in
//! `filter`, drawing in `view`.

mod filter;
mod question;
mod view;

use crate::domain::error::Refused;
use crate::domain::ids::PromotionId;
use crate::service::envelope::{Envelope, MenuCommand};
use crate::service::promotions::{ListPromotions, PromotionView, SetPromotionActive};
use crate::service::views::Page;
use crate::tui::app::{Env, Hit, Input, RequestId, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::screens::console::desk::{Commands, Desk, Done};
use crate::tui::screens::console::message::{Act, Ask, Msg};
use crate::tui::screens::console::paged::{Paged, Wanted};
use crate::tui::screens::console::search::Search;
use crate::tui::theme::Token;
use crate::tui::widgets::form::{Filled, Form};
use filter::Filter;
use question::Question;
use ratatui::Frame;
use ratatui::layout::Rect;

/// The name of the list in [`Hit::Row`].
const LIST: &str = "promotions";

/// What lies over the list.
#[derive(Debug)]
enum Over {
    Filter(Form),
    Ask(Question),
}

/// The page.
#[derive(Debug, Default)]
pub(super) struct Promotions {
    list: Paged<PromotionView>,
    filter: Filter,
    search: Search,
    over: Option<Over>,
    /// The one that was added just now: it is selected when the list has it.
    added: Option<PromotionId>,
}

fn question(filter: &Filter) -> impl FnOnce(Wanted) -> Ask + use<> {
    let (search, active) = filter.promotions();
    move |wanted| Ask::Promotions(ListPromotions { search, active, after: wanted.after, limit: wanted.limit })
}

impl Promotions {
    /// Whether a change is one of promotion codes.
    pub(super) fn concerns(act: &Act) -> bool {
        let Act::Command(Envelope::Menu(command)) = act else { return false };
        matches!(
            **command,
            MenuCommand::AddPromotion(_) | MenuCommand::EditPromotion(_) | MenuCommand::SetPromotionActive(_)
        )
    }

    pub(super) fn load(&mut self, desk: &mut Desk) -> Commands {
        self.list.reload(desk, question(&self.filter))
    }

    /// Another list is wanted.
    fn narrow(&mut self, desk: &mut Desk) -> Commands {
        self.list.clear();
        self.load(desk)
    }

    pub(super) fn context(&self) -> Context {
        match &self.over {
            Some(Over::Filter(form)) => form.context(),
            Some(Over::Ask(question)) => question.context(),
            None if self.search.is_open() => Context::TextInput,
            None => Context::ConsolePromotions,
        }
    }

    pub(super) const fn is_covered(&self) -> bool {
        self.over.is_some() || self.search.is_open()
    }

    pub(super) const fn is_waiting(&self) -> bool {
        !self.is_covered() && self.list.is_first_awaited()
    }

    pub(super) const fn is_searching(&self) -> bool {
        self.over.is_none() && self.search.is_open()
    }

    pub(super) fn hints(&self) -> Vec<Action> {
        let mut hints = vec![Action::Add];
        if self.list.selected().is_some() {
            hints.extend([Action::Edit, Action::Switch]);
        }
        hints.extend([Action::Search, Action::Filter, Action::Back, Action::Help]);
        hints
    }

    /// Takes an input; `None` where the page was left.
    pub(super) fn on_input(
        &mut self,
        input: &Input<Msg>,
        action: Option<Action>,
        desk: &mut Desk,
        env: &Env<'_>,
    ) -> Option<Commands> {
        match self.over.take() {
            Some(Over::Filter(form)) => return Some(self.on_form(form, input, desk, env)),
            Some(Over::Ask(question)) => return Some(self.on_question(question, input, desk, env)),
            None => {}
        }
        if self.search.is_open() {
            let changed = self.search.on_input(input, action, &mut self.filter.text);
            return Some(if changed { self.narrow(desk) } else { Vec::new() });
        }
        if let Input::Click { hit: Some(Hit::Row { list: LIST, index }), .. } = input {
            let again = self.list.state.selected(self.list.items().len()) == Some(*index);
            self.list.state.select(*index);
            if again {
                self.edit(desk, env);
            }
            return Some(Vec::new());
        }
        match action {
            Some(action) => self.on_action(action, desk, env),
            None => Some(Vec::new()),
        }
    }

    fn on_action(&mut self, action: Action, desk: &mut Desk, env: &Env<'_>) -> Option<Commands> {
        match action {
            Action::Add => self.add(desk, env),
            Action::Select if self.list.is_loaded() && self.list.items().is_empty() && self.filter.is_empty() => {
                self.add(desk, env);
            }
            Action::Edit | Action::Select => self.edit(desk, env),
            Action::Switch => return Some(self.switch(desk, env)),
            Action::Search => self.search.open(&self.filter.text),
            Action::Filter => self.over = Some(Over::Filter(self.filter.form(env))),
            Action::Back if !self.filter.is_empty() => {
                self.filter = Filter::default();
                return Some(self.narrow(desk));
            }
            Action::Back => return None,
            action => {
                let ask = question(&self.filter);
                return Some(self.list.on_action(action, desk, ask).unwrap_or_default());
            }
        }
        Some(Vec::new())
    }

    fn add(&mut self, desk: &Desk, env: &Env<'_>) {
        self.over = desk.currency().map(|currency| Over::Ask(Question::add(currency, desk, env)));
    }

    fn edit(&mut self, desk: &mut Desk, env: &Env<'_>) {
        match (self.list.selected(), desk.currency()) {
            (Some(promotion), Some(currency)) => {
                self.over = Some(Over::Ask(Question::edit(promotion, currency, desk, env)));
            }
            _ => desk.say(env.locale.t("console.select_first"), Token::Muted, env),
        }
    }

    /// On at once; off takes something away from guests, and asks why.
    fn switch(&mut self, desk: &mut Desk, env: &Env<'_>) -> Commands {
        match (self.list.selected(), desk.currency()) {
            (Some(promotion), Some(currency)) if promotion.active => {
                self.over = Some(Over::Ask(Question::switch_off(promotion, currency, env)));
            }
            (Some(promotion), _) => {
                let command =
                    SetPromotionActive { promotion: promotion.id.to_string(), active: true, reason: String::new() };
                return send(MenuCommand::SetPromotionActive(command), desk, env);
            }
            (None, _) => desk.say(env.locale.t("console.select_first"), Token::Muted, env),
        }
        Vec::new()
    }

    fn on_form(&mut self, mut form: Form, input: &Input<Msg>, desk: &mut Desk, env: &Env<'_>) -> Commands {
        match form.on_input(input, env) {
            Filled::Open => self.over = Some(Over::Filter(form)),
            Filled::Cancelled => {}
            Filled::Sent => {
                self.filter = self.filter.filled(&form);
                return self.narrow(desk);
            }
        }
        Vec::new()
    }

    /// The question stays until the house has answered, so that a refusal leads back to what was typed.
    fn on_question(&mut self, mut question: Question, input: &Input<Msg>, desk: &mut Desk, env: &Env<'_>) -> Commands {
        let commands = match question.on_input(input, env) {
            Filled::Cancelled => return Vec::new(),
            Filled::Open => Vec::new(),
            Filled::Sent => {
                let commands = question.command(desk).map(|command| send(command, desk, env)).unwrap_or_default();
                if commands.is_empty() {
                    question.rewind(env);
                }
                commands
            }
        };
        self.over = Some(Over::Ask(question));
        commands
    }

    /// Takes an answer; false where it is not this page's.
    pub(super) fn answer(&mut self, request: RequestId, result: Result<Page<PromotionView>, Refused>) -> bool {
        let taken = self.list.answer(request, result, |one, other| one.id == other.id);
        // Where it is not in what has come, somebody who scrolls there later is not to be thrown onto it.
        let added = if taken { self.added.take() } else { None };
        let at = added.and_then(|added| self.list.items().iter().position(|one| one.id == added));
        if let Some(at) = at {
            self.list.state.select(at);
        }
        taken
    }

    /// Takes what came of a change of a promotion code.
    pub(super) fn on_done(&mut self, done: Done, desk: &mut Desk, env: &Env<'_>) {
        let value = match done.result {
            Ok(value) => value,
            Err(refused) => {
                match &mut self.over {
                    Some(Over::Ask(question)) if question.asked(&done.act) => question.refuse(&refused, env),
                    _ => desk.refuse(&refused, env),
                }
                return;
            }
        };
        if matches!(&self.over, Some(Over::Ask(question)) if question.asked(&done.act)) {
            self.over = None;
        }
        let Ok(promotion) = serde_json::from_value::<PromotionView>(value) else { return };
        let Act::Command(Envelope::Menu(command)) = &done.act else { return };
        let key = match **command {
            MenuCommand::AddPromotion(_) => {
                self.added = Some(promotion.id);
                "promotions.added"
            }
            MenuCommand::SetPromotionActive(_) if promotion.active => "promotions.switched_on",
            MenuCommand::SetPromotionActive(_) => "promotions.switched_off",
            _ => "promotions.saved",
        };
        desk.say(env.locale.t_args(key, &[("code", &promotion.code)]), Token::Success, env);
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        self.draw_page(frame, area, desk, ctx);
        match &self.over {
            Some(Over::Filter(form)) => form.draw(frame, area, ctx),
            Some(Over::Ask(question)) => question.draw(frame, area, ctx),
            None => {}
        }
    }
}

fn send(command: MenuCommand, desk: &mut Desk, env: &Env<'_>) -> Commands {
    desk.act(Act::Command(Envelope::Menu(Box::new(command))), env)
}
