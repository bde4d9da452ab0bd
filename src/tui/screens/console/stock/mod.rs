//! The console's stock: every counted thing with what is there, held and left, what is about to run out
//! first; one of them with its ledger; and what changes a count. State and what inputs do to it; what
//! stands about one thing is drawn in `detail`, what a change asks for stands in `question`, by what the
//! list is narrowed in `filter` and its ledger in `movements`, and the choice of orders to release in
//! `release`.

mod detail;
mod filter;
mod movements;
mod question;
mod release;

use super::desk::{Commands, Desk, Done, draw_words, waiting_words};
use super::message::{Act, Ask, Loaded, Msg};
use super::paged::{Paged, Wanted};
use super::search::Search;
use super::tab::Tab;
use crate::domain::error::Refused;
use crate::domain::forecast::Forecast;
use crate::domain::ids::{OrderId, StockItemId};
use crate::service::envelope::Envelope;
use crate::service::stock::{HolderView, StockChanged, StockFilter};
use crate::service::stock_forecast::{ForecastPage, ForecastView, StockForecast, StockHolders, Urgent};
use crate::service::stock_ledger::{MovementView, StockLedger};
use crate::tui::app::{Env, Hit, Input, Latest, RequestId, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::refusal;
use crate::tui::theme::Token;
use crate::tui::widgets::columns::Column;
use crate::tui::widgets::form::{Filled, Form};
use crate::tui::widgets::panel;
use crate::tui::widgets::table::{self, TableLook};
use filter::Filter;
use movements::Movements;
use question::{Change, Question};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use release::{Release, Released};

/// The name of the list in [`Hit::Row`].
const LIST: &str = "stock";
/// From this width on, the selected thing stands beside the list.
const WIDE: u16 = 110;
/// Columns of the list where a thing stands beside it.
const LIST_WIDTH: u16 = 58;
/// What lies over the tab.
#[derive(Debug)]
enum Over {
    Filter(Form),
    /// Which movements of the ledger.
    Movements(Form),
    Ask(Question),
    /// Orders hold what the answer to this question would take from them.
    Release(Question, Release),
}

/// The tab.
#[derive(Debug, Default)]
pub(super) struct Stock {
    list: Paged<ForecastView>,
    /// What needs somebody's eye, in the whole of the list.
    urgent: Urgent,
    filter: Filter,
    search: Search,
    /// The thing whose ledger is wanted.
    wanted: Option<StockItemId>,
    /// The thing that is to be selected once it is in the list.
    goal: Option<StockItemId>,
    ledger: Paged<MovementView>,
    /// What the ledger is narrowed to, whatever the thing.
    movements: Movements,
    holders: Latest<Vec<HolderView>>,
    /// The ledger takes the keys.
    open: bool,
    over: Option<Over>,
}

fn question(filter: StockFilter) -> impl FnOnce(Wanted) -> Ask {
    move |wanted| Ask::Forecast(StockForecast { filter, after: wanted.after, limit: wanted.limit })
}

impl Stock {
    fn read_list(&mut self, desk: &mut Desk) -> Commands {
        self.list.reload(desk, question(self.filter.stock()))
    }

    /// Another list is wanted.
    fn narrow(&mut self, desk: &mut Desk) -> Commands {
        self.list.clear();
        self.read_list(desk)
    }

    /// Reads the ledger of the thing that is wanted, and who holds units of it.
    fn read_item(&mut self, desk: &mut Desk) -> Commands {
        let Some(item) = self.wanted.map(|id| id.to_string()) else { return Vec::new() };
        let mut commands = desk.ask(&mut self.holders, Ask::Holders(StockHolders { item }));
        commands.extend(self.read_ledger(desk));
        commands
    }

    /// Reads the ledger of the thing that is wanted.
    fn read_ledger(&mut self, desk: &mut Desk) -> Commands {
        let Some(ask) = self.ledger_question(desk) else { return Vec::new() };
        self.ledger.reload(desk, ask)
    }

    /// The question for a page of the ledger of the thing that is wanted.
    fn ledger_question(&self, desk: &Desk) -> Option<impl FnOnce(Wanted) -> Ask + use<>> {
        let (item, filter) = (self.wanted?.to_string(), self.movements.filter(desk));
        Some(move |wanted: Wanted| Ask::Ledger(StockLedger { item, filter, after: wanted.after, limit: wanted.limit }))
    }

    /// Other movements are wanted.
    fn narrow_ledger(&mut self, movements: Movements, desk: &mut Desk) -> Commands {
        self.movements = movements;
        self.ledger.clear();
        self.read_ledger(desk)
    }

    /// The thing under the selection becomes the one whose ledger is shown.
    fn follow(&mut self, desk: &mut Desk) -> Commands {
        let selected = self.list.selected().map(|row| row.item.id);
        if selected == self.wanted {
            return Vec::new();
        }
        self.wanted = selected;
        self.ledger.clear();
        self.holders.clear();
        self.read_item(desk)
    }

    fn ask(&mut self, change: Change, desk: &mut Desk, env: &Env<'_>) {
        let Some(row) = self.list.selected() else {
            desk.say(env.locale.t("console.select_first"), Token::Muted, env);
            return;
        };
        self.over = Some(Over::Ask(Question::new(change, &row.item, env)));
    }

    fn on_over(&mut self, over: Over, input: &Input<Msg>, desk: &mut Desk, env: &Env<'_>) -> Commands {
        match over {
            Over::Filter(mut form) => match form.on_input(input, env) {
                Filled::Cancelled => Vec::new(),
                Filled::Open => {
                    self.over = Some(Over::Filter(form));
                    Vec::new()
                }
                Filled::Sent => {
                    self.filter = self.filter.filled(&form);
                    self.narrow(desk)
                }
            },
            Over::Movements(mut form) => match form.on_input(input, env) {
                Filled::Cancelled => Vec::new(),
                Filled::Open => {
                    self.over = Some(Over::Movements(form));
                    Vec::new()
                }
                Filled::Sent => match Movements::filled(&mut form, env) {
                    Some(movements) => self.narrow_ledger(movements, desk),
                    None => {
                        self.over = Some(Over::Movements(form));
                        Vec::new()
                    }
                },
            },
            Over::Ask(mut question) => match question.on_input(input, env) {
                Filled::Cancelled => Vec::new(),
                Filled::Open => {
                    self.over = Some(Over::Ask(question));
                    Vec::new()
                }
                Filled::Sent => self.send(question, Vec::new(), desk, env),
            },
            Over::Release(mut question, mut release) => match release.on_input(input, env) {
                Released::Open => {
                    self.over = Some(Over::Release(question, release));
                    Vec::new()
                }
                Released::Cancelled => {
                    question.rewind(env);
                    self.over = Some(Over::Ask(question));
                    Vec::new()
                }
                Released::Chosen(orders) => self.send(question, orders, desk, env),
            },
        }
    }

    /// Asks for the change; the question stays, so that a refusal leads back to what was typed.
    fn send(&mut self, mut question: Question, release: Vec<OrderId>, desk: &mut Desk, env: &Env<'_>) -> Commands {
        let commands = match question.command(release) {
            Some(command) => desk.act(Act::Command(Envelope::Stock(command)), env),
            None => Vec::new(),
        };
        if commands.is_empty() {
            question.rewind(env);
        }
        self.over = Some(Over::Ask(question));
        commands
    }

    fn draw_list(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let [top, _, body] =
            Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        self.draw_head(frame, top, ctx);
        let items = self.list.items();
        if items.is_empty() {
            let (words, token) = if !self.list.is_loaded() || self.list.problem().is_some() {
                waiting_words(self.list.problem(), ctx)
            } else if self.filter.is_empty() {
                (ctx.locale.t("stock.none"), Token::Muted)
            } else {
                (ctx.locale.t("stock.none_found"), Token::Muted)
            };
            draw_words(&words, token, frame, body, ctx);
            return;
        }
        let (name, on_hand, reserved) =
            (ctx.locale.t("stock.name"), ctx.locale.t("stock.on_hand"), ctx.locale.t("stock.reserved"));
        let (available, low, today) =
            (ctx.locale.t("stock.available"), ctx.locale.t("stock.low"), ctx.locale.t("stock.today"));
        let columns = [
            (Column::Left(1), ""),
            (Column::Fill, name.as_str()),
            (Column::Right(7), on_hand.as_str()),
            (Column::Right(5), reserved.as_str()),
            (Column::Right(5), available.as_str()),
            (Column::Right(4), low.as_str()),
            (Column::Left(13), today.as_str()),
        ];
        let look = TableLook { name: LIST, columns: &columns, active: !self.open };
        table::draw(frame, body, &self.list.state, items.len(), look, ctx, |index| match items.get(index) {
            Some(row) => cells(row, desk, ctx),
            None => Vec::new(),
        });
    }

    /// What needs somebody's eye, or what is searched for.
    fn draw_head(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let total = self.list.count_words("stock.count", ctx.locale);
        if !self.filter.is_empty() {
            let words = self.filter.words(ctx.locale);
            return self.search.draw_head(frame, area, (&words, Token::Muted), total, ctx);
        }
        let Urgent { out, low, soon } = self.urgent;
        let mut words = Vec::new();
        for (key, count) in [("stock.head_out", out), ("stock.head_low", low), ("stock.head_soon", soon)] {
            if count > 0 {
                words.push(ctx.locale.t_args(key, &[("count", &count)]));
            }
        }
        let (words, token) = match (words.is_empty(), self.list.items().is_empty()) {
            (false, _) => (words.join(" · "), if out > 0 { Token::Danger } else { Token::Warning }),
            (true, false) => (ctx.locale.t("stock.head_well"), Token::Success),
            (true, true) => (String::new(), Token::Muted),
        };
        self.search.draw_head(frame, area, (&words, token), total, ctx);
    }

    fn draw_item(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let Some(row) = self.list.selected() else { return };
        let title = format!("{} ({})", row.item.name, row.item.code);
        let inner = panel::draw(frame, area, &title, self.open, ctx);
        let holders = self.holders.get().map(Vec::as_slice).unwrap_or_default();
        detail::draw(row, (holders, &self.ledger, &self.movements), self.open, frame, inner, desk, ctx);
    }
}

fn cells(row: &ForecastView, desk: &Desk, ctx: &ViewCtx<'_>) -> Vec<(String, Style)> {
    let item = &row.item;
    let (mark, token) = match row.forecast {
        Forecast::Out => ("✗", Token::Danger),
        _ if item.low => ("!", Token::Warning),
        _ => ("", Token::Text),
    };
    let (outlook, outlook_token) = detail::outlook(row, desk, ctx);
    let number = |count: i64| if item.tracked { count.to_string() } else { String::new() };
    let available = if token == Token::Text { Token::Price } else { token };
    vec![
        (mark.to_owned(), ctx.style(token)),
        (item.name.clone(), ctx.style(if item.tracked { Token::Text } else { Token::Muted })),
        (number(item.on_hand), ctx.style(Token::Text)),
        (number(item.reserved), ctx.style(Token::Muted)),
        (number(item.available), ctx.style(available)),
        (number(item.low_mark), ctx.style(Token::Muted)),
        (outlook, ctx.style(outlook_token)),
    ]
}

impl Tab for Stock {
    fn load(&mut self, desk: &mut Desk) -> Commands {
        let mut commands = self.read_list(desk);
        commands.extend(self.read_item(desk));
        commands
    }

    fn context(&self) -> Context {
        match &self.over {
            Some(Over::Filter(form) | Over::Movements(form)) => form.context(),
            Some(Over::Ask(question)) => question.context(),
            Some(Over::Release(..)) => Context::Dialog,
            None if self.search.is_open() => Context::TextInput,
            None => Context::ConsoleStock,
        }
    }

    fn is_covered(&self) -> bool {
        self.over.is_some() || self.search.is_open()
    }

    fn is_waiting(&self) -> bool {
        !self.is_covered() && self.list.is_first_awaited()
    }

    fn is_searching(&self) -> bool {
        self.over.is_none() && self.search.is_open()
    }

    fn hints(&self, _desk: &Desk) -> Vec<Action> {
        if self.list.is_loaded() && self.list.items().is_empty() && self.filter.is_empty() {
            return vec![Action::Add, Action::Palette, Action::SignOut, Action::Help];
        }
        let changes = [Action::Receive, Action::Recount, Action::Waste, Action::Adjust];
        let rest: &[Action] = if self.open {
            &[Action::Filter, Action::Back, Action::Help]
        } else {
            &[Action::Ledger, Action::Add, Action::Edit, Action::Search, Action::Filter, Action::Help]
        };
        changes.iter().chain(rest).copied().collect()
    }

    fn on_input(&mut self, input: &Input<Msg>, action: Option<Action>, desk: &mut Desk, env: &Env<'_>) -> Commands {
        if let Some(over) = self.over.take() {
            return self.on_over(over, input, desk, env);
        }
        if self.search.is_open() {
            let changed = self.search.on_input(input, action, &mut self.filter.text);
            return if changed { self.narrow(desk) } else { Vec::new() };
        }
        match input {
            Input::Click { hit: Some(Hit::Row { list: LIST, index }), .. } => {
                self.open = self.list.state.selected(self.list.items().len()) == Some(*index);
                self.list.state.select(*index);
                return self.follow(desk);
            }
            Input::Click { hit: Some(Hit::Row { list: detail::LEDGER, index }), .. } => {
                self.ledger.state.select(*index);
                return Vec::new();
            }
            _ => {}
        }
        let Some(action) = action else { return Vec::new() };
        match action {
            Action::Receive => self.ask(Change::Receive, desk, env),
            Action::Recount => self.ask(Change::Recount, desk, env),
            Action::Waste => self.ask(Change::Waste, desk, env),
            Action::Adjust => self.ask(Change::Adjust, desk, env),
            Action::Edit => self.ask(Change::Edit, desk, env),
            Action::Add => self.over = Some(Over::Ask(Question::add(env))),
            Action::Search => {
                self.open = false;
                self.search.open(&self.filter.text);
            }
            Action::Filter if self.open => self.over = Some(Over::Movements(self.movements.form(env))),
            Action::Filter => self.over = Some(Over::Filter(self.filter.form(env))),
            Action::Select | Action::Ledger if !self.open => {
                self.open = self.list.selected().is_some();
                return self.follow(desk);
            }
            Action::Back if self.open && !self.movements.is_empty() => {
                return self.narrow_ledger(Movements::default(), desk);
            }
            Action::Back if self.open => self.open = false,
            Action::Back if !self.filter.is_empty() => {
                self.filter = Filter::default();
                return self.narrow(desk);
            }
            action if self.open => {
                let Some(ask) = self.ledger_question(desk) else { return Vec::new() };
                return self.ledger.on_action(action, desk, ask).unwrap_or_default();
            }
            action => {
                let ask = question(self.filter.stock());
                let mut commands = self.list.on_action(action, desk, ask).unwrap_or_default();
                if env.size.width >= WIDE {
                    commands.extend(self.follow(desk));
                }
                return commands;
            }
        }
        if env.size.width >= WIDE { self.follow(desk) } else { Vec::new() }
    }

    fn on_loaded(
        &mut self,
        request: RequestId,
        result: Result<Loaded, Refused>,
        desk: &mut Desk,
        env: &Env<'_>,
    ) -> Commands {
        let same = |one: &ForecastView, other: &ForecastView| one.item.id == other.item.id;
        match result {
            Ok(Loaded::Forecast(forecasts)) => {
                let ForecastPage { page, urgent } = *forecasts;
                if self.list.answer(request, Ok(page), same) {
                    self.urgent = urgent;
                    let goal = self.goal.take();
                    let at = goal.and_then(|id| self.list.items().iter().position(|row| row.item.id == id));
                    if let Some(at) = at {
                        self.list.state.select(at);
                    }
                }
            }
            Ok(Loaded::Holders(holders)) => {
                self.holders.answer(request, *holders);
            }
            Ok(Loaded::Ledger(page)) => {
                self.ledger.answer(request, Ok(*page), |one, other| one.seq == other.seq);
            }
            Ok(_) => {}
            Err(refused) => {
                if !self.holders.settle(request) && !self.list.answer(request, Err(refused.clone()), same) {
                    self.ledger.answer(request, Err(refused), |one, other| one.seq == other.seq);
                }
            }
        }
        // While the ledger takes the keys it stays with its thing, wherever that has moved to.
        if env.size.width >= WIDE && !self.open { self.follow(desk) } else { Vec::new() }
    }

    fn on_done(&mut self, done: Done, desk: &mut Desk, env: &Env<'_>) -> Commands {
        match done.result {
            Ok(value) => {
                self.over = None;
                if let Ok(changed) = serde_json::from_value::<StockChanged>(value) {
                    let item = changed.item;
                    let count = i64::try_from(changed.released.len()).unwrap_or(i64::MAX);
                    let said: &[(&str, &dyn std::fmt::Display)] =
                        &[("name", &item.name), ("on_hand", &item.on_hand), ("unit", &item.unit)];
                    let mut words = env.locale.t_args("stock.done", said);
                    if count > 0 {
                        words = format!("{words} {}", env.locale.t_plural("stock.done_released", count, &[]));
                    }
                    desk.say(words, Token::Success, env);
                    self.goal = Some(item.id);
                }
            }
            Err(refused) => match self.over.take() {
                Some(Over::Ask(mut question) | Over::Release(mut question, _)) => {
                    let words = refusal::words(&refused, env.locale).message;
                    let release = Release::of(&refused, words).filter(|_| question.may_release());
                    self.over = Some(match release {
                        Some(release) => Over::Release(question, release),
                        None => {
                            question.refuse(&refused, env);
                            Over::Ask(question)
                        }
                    });
                }
                Some(Over::Filter(_) | Over::Movements(_)) | None => desk.refuse(&refused, env),
            },
        }
        Vec::new()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        if ctx.size.width >= WIDE {
            let [left, _, right] =
                Layout::horizontal([Constraint::Length(LIST_WIDTH), Constraint::Length(1), Constraint::Fill(1)])
                    .areas(area);
            self.draw_list(frame, left, desk, ctx);
            self.draw_item(frame, right, desk, ctx);
        } else if self.open {
            self.draw_item(frame, area, desk, ctx);
        } else {
            self.draw_list(frame, area, desk, ctx);
        }
        match &self.over {
            Some(Over::Filter(form) | Over::Movements(form)) => form.draw(frame, area, ctx),
            Some(Over::Ask(question)) => question.draw(frame, area, ctx),
            Some(Over::Release(_, release)) => release.draw(frame, area, ctx),
            None => {}
        }
    }
}
