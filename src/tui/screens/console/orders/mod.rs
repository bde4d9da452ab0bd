//! The console's orders: a live list that is narrowed by filters and by text, one order with all that
//! stands about it, and everything that can be done with it. State and what inputs do to it; an order
//! is drawn in `detail` and a row of the list in `row`, the list of what can be done in `steps`, and what a step asks for before it is
//! taken stands in `step`.

mod detail;
mod filter;
mod lines;
mod row;
mod step;
mod steps;

use super::desk::{Commands, Desk, Done, archived_lines, draw_words, waiting_words};
use super::message::{Act, Ask, Loaded, Msg};
use super::paged::{Paged, Wanted};
use super::search::Search;
use super::tab::Tab;
use crate::domain::access::{Permission, Role};
use crate::domain::error::Refused;
use crate::domain::fulfilment::Fulfilment;
use crate::domain::ids::OrderId;
use crate::domain::order::EventKind;
use crate::service::archived_days::{ArchivedDays, ShowArchivedDays};
use crate::service::deliveries::{CourierView, DeliveryView, ListCouriers, ShowDelivery};
use crate::service::order_actions::{ActionView, OrderActions};
use crate::service::order_queries::{ListOrders, OrderName, OrderSummary, ShowHistory, ShowOrder};
use crate::service::views::{HistoryView, OrderView};
use crate::tui::app::{Env, Hit, Input, Latest, RequestId, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::columns::Column;
use crate::tui::widgets::list::ListState;
use crate::tui::widgets::panel;
use crate::tui::widgets::table::{self, TableLook};
use filter::Filter;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use row::cells;
use step::{Next, Question};
use steps::STEPS;

/// The name of the list in [`Hit::Row`].
const LIST: &str = "orders";
/// From this width on, the selected order stands beside the list.
const WIDE: u16 = 110;
/// Columns of the list where an order stands beside it.
const LIST_WIDTH: u16 = 62;

/// What was asked for before the order was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Steps,
    Step(EventKind),
}

/// What lies over the tab.
#[derive(Debug)]
enum Over {
    Filter(Filter),
    /// Everything that may be done.
    Steps(ListState),
    Ask(Box<Question>),
}

/// The tab.
#[derive(Debug, Default)]
pub(super) struct Orders {
    list: Paged<OrderSummary>,
    /// The days whose orders are in a file.
    archived: Latest<Option<ArchivedDays>>,
    /// Whether somebody has looked at it: then the list is narrowed as they left it.
    begun: bool,
    filter: Filter,
    search: Search,
    /// The order whose details are wanted, and whether it is delivered.
    wanted: Option<OrderId>,
    is_delivery: bool,
    order: Latest<OrderView>,
    history: Latest<Vec<HistoryView>>,
    delivery: Latest<Option<DeliveryView>>,
    couriers: Latest<Vec<CourierView>>,
    steps: Latest<Vec<ActionView>>,
    problem: Option<Refused>,
    /// The details take the keys.
    open: bool,
    skip: usize,
    wish: Option<Wish>,
    over: Option<Over>,
}

impl Orders {
    fn question(&self, desk: &Desk, wanted: Wanted) -> Ask {
        Ask::Orders(ListOrders {
            filter: self.filter.orders(desk),
            after: wanted.after,
            limit: wanted.limit,
            count_all: false,
        })
    }

    fn read_list(&mut self, desk: &mut Desk) -> Commands {
        let filter = self.filter.orders(desk);
        self.list.reload(desk, |wanted| {
            Ask::Orders(ListOrders { filter, after: wanted.after, limit: wanted.limit, count_all: false })
        })
    }

    /// Reads the order that is wanted, and what can be done with it.
    fn read_order(&mut self, desk: &mut Desk) -> Commands {
        let Some(order) = self.wanted else { return Vec::new() };
        let name = || OrderName::Id(order);
        let mut commands = desk.ask(&mut self.order, Ask::Order(ShowOrder { order: name() }));
        commands.extend(desk.ask(&mut self.history, Ask::History(ShowHistory { order: name() })));
        if self.is_delivery {
            commands.extend(desk.ask(&mut self.delivery, Ask::Delivery(ShowDelivery { order: name() })));
            commands.extend(desk.ask(&mut self.couriers, Ask::Couriers(ListCouriers { order: Some(order) })));
        }
        commands.extend(desk.ask(&mut self.steps, Ask::Actions(OrderActions { order })));
        commands
    }

    /// The order under the selection becomes the one whose details are shown.
    fn follow(&mut self, desk: &mut Desk) -> Commands {
        let selected = self.list.selected().map(|row| row.id);
        if selected == self.wanted {
            return Vec::new();
        }
        self.wanted = selected;
        self.is_delivery = self.list.selected().is_some_and(|row| row.fulfilment == Fulfilment::Delivery);
        self.skip = 0;
        self.problem = None;
        self.order.clear();
        self.history.clear();
        self.delivery.clear();
        self.couriers.clear();
        self.steps.clear();
        self.read_order(desk)
    }

    /// The order whose details have come.
    fn shown(&self) -> Option<&OrderView> {
        self.order.get().filter(|order| Some(order.id) == self.wanted)
    }

    fn wish(&mut self, wish: Wish, desk: &mut Desk, env: &Env<'_>) -> Commands {
        if self.list.selected().is_none() {
            desk.say(env.locale.t("console.select_first"), Token::Muted, env);
            return Vec::new();
        }
        self.wish = Some(wish);
        let mut commands = self.follow(desk);
        let missing = self.shown().is_none() || self.steps.get().is_none();
        if commands.is_empty() && missing && !self.order.is_waiting() && !self.steps.is_waiting() {
            // An earlier answer was a refusal: the wish asks again.
            commands = self.read_order(desk);
        }
        self.grant(desk, env);
        commands
    }

    /// Does what was wished for, once the order and what may be done with it are there.
    fn grant(&mut self, desk: &mut Desk, env: &Env<'_>) {
        if self.shown().is_none() || self.steps.get().is_none() || self.couriers.is_waiting() {
            return;
        }
        match self.wish.take() {
            Some(Wish::Steps) => self.over = Some(Over::Steps(ListState::default())),
            Some(Wish::Step(event)) => self.begin(event, desk, env),
            None => {}
        }
    }

    /// Begins a step: says why not, or asks what it needs.
    fn begin(&mut self, event: EventKind, desk: &mut Desk, env: &Env<'_>) {
        let Some(order) = self.shown() else { return };
        match self.steps.get().and_then(|steps| steps.iter().find(|step| step.event == event)) {
            None => {
                let words = env.locale.t("console.nothing_to_do");
                desk.say(words, Token::Muted, env);
            }
            Some(step) if !step.is_offered() => desk.say(steps::why_not(step, env.locale), Token::Danger, env),
            Some(step) => {
                let couriers = self.couriers.get().map(Vec::as_slice).unwrap_or_default();
                self.over = Some(Over::Ask(Box::new(Question::new(step, order, couriers, env))));
            }
        }
    }

    fn on_over(
        &mut self,
        over: Over,
        input: &Input<Msg>,
        action: Option<Action>,
        desk: &mut Desk,
        env: &Env<'_>,
    ) -> Commands {
        match over {
            Over::Filter(mut filter) => match filter.on_input(input, env) {
                None => {
                    self.over = Some(Over::Filter(filter));
                    Vec::new()
                }
                Some(false) => Vec::new(),
                Some(true) => {
                    self.filter = filter;
                    self.list.clear();
                    self.read_list(desk)
                }
            },
            Over::Steps(mut state) => {
                let steps = steps::sorted(self.steps.get().map(Vec::as_slice).unwrap_or_default());
                let picked = match (input, action) {
                    (Input::Click { hit: Some(Hit::Row { list: STEPS, index }), .. }, _) => Some(*index),
                    (_, Some(Action::Select)) => state.selected(steps.len()),
                    (_, Some(Action::Digit(digit))) => usize::from(digit).checked_sub(1),
                    (_, Some(Action::Back)) => return Vec::new(),
                    (_, Some(action)) => {
                        state.on_action(action, steps.len());
                        None
                    }
                    (_, None) => None,
                };
                match picked.and_then(|at| Some((at, steps.get(at)?))) {
                    Some((_, step)) if step.is_offered() => self.begin(step.event, desk, env),
                    // What is refused says why, in the list: the next key is meant for it too.
                    Some((at, _)) => {
                        state.select(at);
                        self.over = Some(Over::Steps(state));
                    }
                    None => self.over = Some(Over::Steps(state)),
                }
                Vec::new()
            }
            Over::Ask(mut question) => match question.on_input(input, desk, env) {
                Next::Open => {
                    self.over = Some(Over::Ask(question));
                    Vec::new()
                }
                Next::Cancelled => Vec::new(),
                Next::Act(order, seen_version, command) => {
                    // The question stays, so that a refusal leads back to what was typed.
                    self.over = Some(Over::Ask(question));
                    desk.act(Act::Order { order, seen_version, command }, env)
                }
            },
        }
    }

    fn draw_list(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let mut said = match self.filter.days_from(desk) {
            Some(from) => archived_lines(&self.archived, from, "orders.archived", area.width, ctx),
            None => Vec::new(),
        };
        said.extend(row::legend(self.list.items(), area.width, ctx));
        let rows = u16::try_from(said.len()).unwrap_or_default();
        let each = [Constraint::Length(1), Constraint::Length(rows), Constraint::Length(1), Constraint::Fill(1)];
        let [top, notice, _, body] = Layout::vertical(each).areas(area);
        self.draw_head(frame, top, desk, ctx);
        frame.render_widget(Paragraph::new(said), notice);
        if self.list.items().is_empty() && (!self.list.is_loaded() || self.list.problem().is_some()) {
            let (words, token) = waiting_words(self.list.problem(), ctx);
            draw_words(&words, token, frame, body, ctx);
            return;
        }
        if self.list.items().is_empty() {
            let words = ctx.locale.t("orders.none");
            frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(Token::Muted))), body);
            return;
        }
        let (number, at, status) =
            (ctx.locale.t("orders.number"), ctx.locale.t("orders.placed"), ctx.locale.t("orders.status"));
        let (paid, name, total) =
            (ctx.locale.t("orders.payment"), ctx.locale.t("orders.name"), ctx.locale.t("orders.total"));
        let columns = [
            (Column::Left(4), number.as_str()),
            (Column::Left(12), at.as_str()),
            (Column::Left(10), status.as_str()),
            (Column::Left(12), paid.as_str()),
            (Column::Fill, name.as_str()),
            (Column::Right(11), total.as_str()),
        ];
        let look = TableLook { name: LIST, columns: &columns, active: !self.open };
        let items = self.list.items();
        table::draw(frame, body, &self.list.state, items.len(), look, ctx, |index| match items.get(index) {
            Some(row) => cells(row, desk, ctx),
            None => Vec::new(),
        });
    }

    /// How the list is narrowed, and how many there are.
    fn draw_head(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let words = self.filter.words(desk, ctx.locale);
        let total = self.list.count_words("orders.count", ctx.locale);
        self.search.draw_head(frame, area, (&words, Token::Muted), total, ctx);
    }

    fn draw_order(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let order = self.shown();
        let title = order.map(|order| order.order_number.clone()).unwrap_or_default();
        let inner = panel::draw(frame, area, &title, self.open, ctx);
        let lines = match order {
            Some(order) => {
                let history = self.history.get().map(Vec::as_slice).unwrap_or_default();
                let delivery = self.delivery.get().and_then(Option::as_ref);
                detail::lines(order, (history, delivery), inner.width, desk, ctx)
            }
            None => {
                let (words, token) = waiting_words(self.problem.as_ref(), ctx);
                text::wrap(&words, usize::from(inner.width))
                    .into_iter()
                    .map(|row| Line::styled(row, ctx.style(token)))
                    .collect()
            }
        };
        let most = lines.len().saturating_sub(usize::from(inner.height));
        let shown: Vec<Line<'_>> =
            lines.into_iter().skip(self.skip.min(most)).take(usize::from(inner.height)).collect();
        frame.render_widget(Paragraph::new(shown), inner);
    }
}

impl Tab for Orders {
    fn load(&mut self, desk: &mut Desk) -> Commands {
        if !std::mem::replace(&mut self.begun, true) && desk.person().is_some_and(|who| who.role == Role::Delivery) {
            self.filter = Filter::of_couriers();
        }
        let mut commands = self.read_list(desk);
        commands.extend(self.read_order(desk));
        commands.extend(desk.ask(&mut self.archived, Ask::Archived(ShowArchivedDays)));
        commands
    }

    fn context(&self) -> Context {
        match &self.over {
            Some(Over::Filter(filter)) => filter.context(),
            Some(Over::Steps(_)) => Context::Dialog,
            Some(Over::Ask(question)) => question.context(),
            None if self.search.is_open() => Context::TextInput,
            None => Context::ConsoleOrders,
        }
    }

    fn is_covered(&self) -> bool {
        self.over.is_some() || self.search.is_open()
    }

    fn is_waiting(&self) -> bool {
        let read = self.list.is_loaded() || self.list.problem().is_some();
        let asked = self.order.is_waiting() || self.steps.is_waiting() || self.couriers.is_waiting();
        let wished = self.wish.is_some() && asked;
        !self.is_covered() && (wished || !read)
    }

    fn is_searching(&self) -> bool {
        self.over.is_none() && self.search.is_open()
    }

    fn hints(&self, desk: &Desk) -> Vec<Action> {
        if self.open && !desk.may(Permission::OrdersUpdate) {
            return vec![Action::Actions, Action::Back, Action::Help];
        }
        if self.open {
            return vec![
                Action::Actions,
                Action::Refund,
                Action::Void,
                Action::Cash,
                Action::Note,
                Action::Back,
                Action::Help,
            ];
        }
        vec![
            Action::Select,
            Action::Actions,
            Action::Filter,
            Action::Search,
            Action::Palette,
            Action::SignOut,
            Action::Help,
        ]
    }

    fn on_input(&mut self, input: &Input<Msg>, action: Option<Action>, desk: &mut Desk, env: &Env<'_>) -> Commands {
        if let Some(over) = self.over.take() {
            return self.on_over(over, input, action, desk, env);
        }
        if self.search.is_open() {
            if !self.search.on_input(input, action, &mut self.filter.text) {
                return Vec::new();
            }
            self.list.clear();
            return self.read_list(desk);
        }
        if let Input::Click { hit: Some(Hit::Row { list: LIST, index }), .. } = input {
            let again = self.list.state.selected(self.list.items().len()) == Some(*index);
            self.list.state.select(*index);
            self.open = again;
            return self.follow(desk);
        }
        let Some(action) = action else { return Vec::new() };
        match action {
            Action::Search => {
                self.open = false;
                self.search.open(&self.filter.text);
                Vec::new()
            }
            Action::Filter => {
                self.over = Some(Over::Filter(self.filter.opened(desk, env)));
                Vec::new()
            }
            Action::Actions => self.wish(Wish::Steps, desk, env),
            Action::Refund => self.wish(Wish::Step(EventKind::Refund), desk, env),
            Action::Void => self.wish(Wish::Step(EventKind::Void), desk, env),
            Action::Cash => self.wish(Wish::Step(EventKind::ConfirmCash), desk, env),
            Action::Note => self.wish(Wish::Step(EventKind::Note), desk, env),
            Action::Select if !self.open => {
                self.open = self.list.selected().is_some();
                self.follow(desk)
            }
            Action::Select => self.wish(Wish::Steps, desk, env),
            Action::Back if self.open => {
                self.open = false;
                Vec::new()
            }
            Action::Back if !self.filter.text.is_empty() => {
                self.filter.text.clear();
                self.list.clear();
                self.read_list(desk)
            }
            Action::Down | Action::PageDown if self.open => {
                self.skip = self.skip.saturating_add(if action == Action::Down { 1 } else { 10 });
                Vec::new()
            }
            Action::Up | Action::PageUp if self.open => {
                self.skip = self.skip.saturating_sub(if action == Action::Up { 1 } else { 10 });
                Vec::new()
            }
            action => {
                let ask = self.question(desk, Wanted { after: None, limit: 0 });
                let moved = self.list.on_action(action, desk, |wanted| match ask {
                    Ask::Orders(list) => Ask::Orders(ListOrders { after: wanted.after, limit: wanted.limit, ..list }),
                    other => other,
                });
                let mut commands = moved.unwrap_or_default();
                if env.size.width >= WIDE {
                    commands.extend(self.follow(desk));
                }
                commands
            }
        }
    }

    fn on_loaded(
        &mut self,
        request: RequestId,
        result: Result<Loaded, Refused>,
        desk: &mut Desk,
        env: &Env<'_>,
    ) -> Commands {
        match result {
            Ok(Loaded::Orders(page)) => {
                self.list.answer(request, Ok(*page), |one, other| one.id == other.id);
                if env.size.width >= WIDE && !self.open { self.follow(desk) } else { Vec::new() }
            }
            Ok(Loaded::Archived(archived)) => {
                self.archived.answer(request, *archived);
                Vec::new()
            }
            Ok(Loaded::Order(order)) => {
                if self.order.answer(request, *order) {
                    self.problem = None;
                    let most = usize::from(u16::MAX);
                    self.skip = self.skip.min(most);
                }
                self.grant(desk, env);
                Vec::new()
            }
            Ok(Loaded::History(history)) => {
                self.history.answer(request, *history);
                Vec::new()
            }
            Ok(Loaded::Delivery(delivery)) => {
                self.delivery.answer(request, *delivery);
                Vec::new()
            }
            Ok(Loaded::Couriers(couriers)) => {
                self.couriers.answer(request, *couriers);
                self.grant(desk, env);
                Vec::new()
            }
            Ok(Loaded::Actions(steps)) => {
                self.steps.answer(request, *steps);
                self.grant(desk, env);
                Vec::new()
            }
            Ok(_) => Vec::new(),
            Err(refused) => {
                if self.order.settle(request) {
                    self.problem = Some(refused);
                    self.wish = None;
                } else if self.steps.settle(request) {
                    self.wish = None;
                    desk.refuse(&refused, env);
                } else if self.delivery.settle(request) || self.couriers.settle(request) {
                    desk.refuse(&refused, env);
                    self.grant(desk, env);
                } else if !self.history.settle(request) && !self.archived.settle(request) {
                    self.list.answer(request, Err(refused), |one, other| one.id == other.id);
                }
                Vec::new()
            }
        }
    }

    fn on_done(&mut self, done: Done, desk: &mut Desk, env: &Env<'_>) -> Commands {
        match done.result {
            Ok(value) => {
                if let Some(Over::Ask(question)) = &self.over {
                    let words = question.done_words(&value, desk, env);
                    desk.say(words, Token::Success, env);
                }
                self.over = None;
            }
            Err(refused) => match &mut self.over {
                Some(Over::Ask(question)) => {
                    if !question.refuse(&refused, env) {
                        self.over = None;
                        desk.refuse(&refused, env);
                    }
                }
                _ => desk.refuse(&refused, env),
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
            if self.list.selected().is_some() {
                self.draw_order(frame, right, desk, ctx);
            }
        } else if self.open {
            self.draw_order(frame, area, desk, ctx);
        } else {
            self.draw_list(frame, area, desk, ctx);
        }
        match &self.over {
            Some(Over::Filter(filter)) => filter.draw(frame, area, ctx),
            Some(Over::Steps(state)) => {
                let number = self.shown().map(|order| order.pickup_number.as_str()).unwrap_or_default();
                let sorted = steps::sorted(self.steps.get().map(Vec::as_slice).unwrap_or_default());
                steps::draw(&sorted, state, number, frame, area, ctx);
            }
            Some(Over::Ask(question)) => question.draw(frame, area, ctx),
            None => {}
        }
    }
}
