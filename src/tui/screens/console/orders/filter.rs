//! By what the list of orders is narrowed: status, way of getting it, payment, day and text; and the
//! form in which that is chosen.

use super::super::desk::Desk;
use super::super::message::Msg;
use crate::domain::fulfilment::Fulfilment;
use crate::domain::order::{Attention, Status};
use crate::domain::payment::Method;
use crate::domain::report::parse_day;
use crate::service::order_queries::OrderFilter;
use crate::tui::app::{Env, Input, ViewCtx};
use crate::tui::keymap::Context;
use crate::tui::locale::Locale;
use crate::tui::vocabulary;
use crate::tui::widgets::form::{Field, Filled, Form, Kind};
use chrono::NaiveDate;
use ratatui::Frame;
use ratatui::layout::Rect;

/// Of which days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Day {
    /// The business day that is running.
    #[default]
    Today,
    /// All.
    Any,
    /// This one, YYYY-MM-DD.
    On(String),
}

/// What is wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    status: Option<Status>,
    fulfilment: Option<Fulfilment>,
    method: Option<Method>,
    paid: Option<bool>,
    attention: Option<Attention>,
    day: Day,
    /// A part of the number or of the name.
    pub(super) text: String,
    /// The running business day, as it was when the filter was last used.
    today: String,
    form: Option<Form>,
}

/// Why somebody has to see to an order, in words.
fn attention(why: Attention, locale: &Locale) -> String {
    locale.t(match why {
        Attention::WithoutCourier => "orders.without_courier",
        Attention::Uncollected => "orders.was_uncollected",
        Attention::LatePayment => "orders.was_late",
    })
}

impl Filter {
    /// What couriers look for: deliveries, also those that were placed before the business day began.
    pub(super) fn of_couriers() -> Self {
        Self { fulfilment: Some(Fulfilment::Delivery), day: Day::Any, ..Self::default() }
    }

    /// As the service takes it.
    pub(super) fn orders(&self, desk: &Desk) -> OrderFilter {
        let text = self.text.trim();
        OrderFilter {
            status: self.status.map(|status| status.as_str().to_owned()),
            fulfilment: self.fulfilment.map(|fulfilment| fulfilment.as_str().to_owned()),
            method: self.method.map(|method| method.as_str().to_owned()),
            business_date: match &self.day {
                Day::Today => desk.business_day(),
                Day::Any => None,
                Day::On(day) => Some(day.clone()),
            },
            text: (!text.is_empty()).then(|| text.to_owned()),
            paid: self.paid,
            customer: None,
            attention: self.attention,
        }
    }

    /// With which day the list begins: `Some(None)` with the first one that ever was, `None` while the
    /// running business day is not known.
    pub(super) fn days_from(&self, desk: &Desk) -> Option<Option<NaiveDate>> {
        let day = match &self.day {
            Day::Today => desk.business_day()?,
            Day::Any => return Some(None),
            Day::On(day) => day.clone(),
        };
        parse_day("day", &day).ok().map(Some)
    }

    /// What is wanted, in words.
    pub(super) fn words(&self, desk: &Desk, locale: &Locale) -> String {
        let mut words = vec![match &self.day {
            Day::Today => match desk.business_day() {
                Some(day) => locale.t_args("orders.today", &[("day", &day)]),
                None => locale.t("orders.any_day"),
            },
            Day::Any => locale.t("orders.any_day"),
            Day::On(day) => day.clone(),
        }];
        words.extend(self.status.map(|status| vocabulary::status(status, locale)));
        words.extend(self.fulfilment.map(|way| vocabulary::fulfilment(way, locale)));
        words.extend(self.method.map(|method| vocabulary::method(method, locale)));
        words.extend(self.paid.map(|paid| locale.t(if paid { "orders.paid" } else { "orders.not_paid" })));
        words.extend(self.attention.map(|why| attention(why, locale)));
        if !self.text.is_empty() {
            words.push(format!("\"{}\"", self.text));
        }
        words.join(" · ")
    }

    /// The same, with its form open.
    pub(super) fn opened(&self, desk: &Desk, env: &Env<'_>) -> Self {
        let any = || env.locale.t("orders.any");
        let mut statuses = vec![any()];
        statuses.extend(Status::ALL.iter().map(|status| vocabulary::status(*status, env.locale)));
        let mut ways = vec![any()];
        ways.extend(Fulfilment::ALL.iter().map(|way| vocabulary::fulfilment(*way, env.locale)));
        let mut methods = vec![any()];
        methods.extend(Method::ALL.iter().map(|method| vocabulary::method(*method, env.locale)));
        let paid = vec![any(), env.locale.t("orders.paid"), env.locale.t("orders.not_paid")];
        let days =
            vec![env.locale.t("orders.day_today"), env.locale.t("orders.any_day"), env.locale.t("orders.day_on")];
        let mut reasons = vec![any()];
        reasons.extend(Attention::ALL.iter().map(|why| attention(*why, env.locale)));
        let today = desk.business_day().unwrap_or_default();
        let (day, on) = match &self.day {
            Day::Today => (0, today.clone()),
            Day::Any => (1, today.clone()),
            Day::On(day) => (2, day.clone()),
        };
        let at = |place: Option<usize>| place.map_or(0, |place| place.saturating_add(1));
        let fields = vec![
            Field::choice(
                "status",
                env.locale.t("orders.status"),
                statuses,
                at(self.status.and_then(|wanted| Status::ALL.iter().position(|status| *status == wanted))),
            ),
            Field::choice(
                "fulfilment",
                env.locale.t("orders.fulfilment"),
                ways,
                at(self.fulfilment.and_then(|wanted| Fulfilment::ALL.iter().position(|way| *way == wanted))),
            ),
            Field::choice(
                "method",
                env.locale.t("orders.method"),
                methods,
                at(self.method.and_then(|wanted| Method::ALL.iter().position(|method| *method == wanted))),
            ),
            Field::choice(
                "paid",
                env.locale.t("orders.payment"),
                paid,
                at(self.paid.map(usize::from).map(|is| 1 - is)),
            ),
            Field::choice(
                "attention",
                env.locale.t("orders.attention"),
                reasons,
                at(self.attention.and_then(|wanted| Attention::ALL.iter().position(|why| *why == wanted))),
            ),
            Field::choice("day", env.locale.t("orders.days"), days, day),
            Field::line("on", env.locale.t("orders.day_on"), Kind::Day, 10, &on)
                .with_help(env.locale.t("orders.day_on_help")),
        ];
        let form = Form::new(env.locale.t("orders.filter"), "", fields);
        Self { form: Some(form), today, ..self.clone() }
    }

    pub(super) fn context(&self) -> Context {
        self.form.as_ref().map_or(Context::Dialog, Form::context)
    }

    /// Takes an input; whether another list is wanted once the form is closed.
    pub(super) fn on_input(&mut self, input: &Input<Msg>, env: &Env<'_>) -> Option<bool> {
        let Some(form) = &mut self.form else { return Some(false) };
        match form.on_input(input, env) {
            Filled::Open => None,
            Filled::Cancelled => Some(false),
            Filled::Sent => {
                let pick = |name: &str| form.chosen(name).and_then(|at| at.checked_sub(1));
                self.status = pick("status").and_then(|at| Status::ALL.get(at)).copied();
                self.fulfilment = pick("fulfilment").and_then(|at| Fulfilment::ALL.get(at)).copied();
                self.method = pick("method").and_then(|at| Method::ALL.get(at)).copied();
                self.paid = pick("paid").map(|at| at == 0);
                self.attention = pick("attention").and_then(|at| Attention::ALL.get(at)).copied();
                let on = form.text("on");
                self.day = match form.chosen("day") {
                    // A day that was typed is meant, whatever the choice above it says.
                    _ if on != self.today => Day::On(on),
                    Some(1) => Day::Any,
                    Some(2) => Day::On(on),
                    _ => Day::Today,
                };
                self.form = None;
                Some(true)
            }
        }
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        if let Some(form) = &self.form {
            form.draw(frame, area, ctx);
        }
    }
}
