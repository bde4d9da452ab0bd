//! What a change of the store room asks for before it is made: what came in, what was counted, what was
//! thrown away, by how much a count is wrong, and what is said about a counted thing. The commands that
//! the answers make; nothing is drawn here but the form.

use super::super::desk::refuse_form;
use super::super::message::Msg;
use crate::domain::error::Refused;
use crate::domain::ids::OrderId;
use crate::service::envelope::StockCommand;
use crate::service::menu_edit::code_from;
use crate::service::stock::{MAX_ON_HAND, StockAdjust, StockReceive, StockRecount, StockSet, StockView, StockWaste};
use crate::tui::app::{Env, Input, ViewCtx};
use crate::tui::keymap::Context;
use crate::tui::locale::Locale;
use crate::tui::widgets::form::{Field, Filled, Form, Kind};
use ratatui::Frame;
use ratatui::layout::Rect;

/// Characters of a reason.
const REASON: usize = 200;
/// Characters of a whole number.
const NUMBER: usize = 11;
/// Characters of a code, of a name and of a unit.
const CODE: usize = 40;
const NAME: usize = 40;
const UNIT: usize = 10;

/// Which change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Goods came in.
    Receive,
    /// Somebody counted.
    Recount,
    /// Thrown away.
    Waste,
    /// A difference.
    Adjust,
    /// Another name, unit or low mark.
    Edit,
}

/// An open question.
#[derive(Debug)]
pub(super) struct Question {
    /// The change, and the thing as it was seen; none: a new one is counted.
    about: Option<(Change, StockView)>,
    form: Form,
}

impl Question {
    /// The question of a change.
    pub(super) fn new(change: Change, item: &StockView, env: &Env<'_>) -> Self {
        let locale = env.locale;
        let title = |key: &str| locale.t_args(key, &[("name", &item.name)]);
        let number = |name, label: &str, kind| Field::line(name, locale.t(label), kind, NUMBER, "");
        let reason = |help: &str| {
            Field::line("reason", locale.t("stock.reason"), Kind::Needed, REASON, "").with_help(locale.t(help))
        };
        let counts = locale.t_args(
            "stock.counts_body",
            &[("on_hand", &item.on_hand), ("unit", &item.unit), ("reserved", &item.reserved)],
        );
        let some = Kind::Number(1, MAX_ON_HAND);
        let form = match change {
            Change::Receive => Form::new(
                title("stock.receive_title"),
                counts,
                vec![number("quantity", "stock.came_in", some), reason("stock.receive_help")],
            ),
            Change::Recount => Form::new(
                title("stock.recount_title"),
                counts,
                vec![
                    number("counted", "stock.counted", Kind::Number(0, MAX_ON_HAND))
                        .with_help(locale.t("stock.counted_help")),
                    reason("stock.recount_help"),
                ],
            ),
            Change::Waste => Form::new(
                title("stock.waste_title"),
                counts,
                vec![number("quantity", "stock.thrown_away", some), reason("stock.waste_help")],
            ),
            Change::Adjust => Form::new(
                title("stock.adjust_title"),
                counts,
                vec![
                    number("delta", "stock.difference", Kind::Number(-MAX_ON_HAND, MAX_ON_HAND))
                        .with_help(locale.t("stock.difference_help")),
                    reason("stock.adjust_help"),
                ],
            ),
            Change::Edit => {
                let low = item.low_mark.to_string();
                let fields = described(&item.name, &item.unit, &low, locale);
                Form::new(title("stock.edit_title"), locale.t("stock.edit_body"), fields)
            }
        };
        Self { about: Some((change, item.clone())), form }
    }

    /// The question for a new counted thing.
    pub(super) fn add(env: &Env<'_>) -> Self {
        let locale = env.locale;
        let code =
            Field::line("code", locale.t("stock.code"), Kind::Text, CODE, "").with_help(locale.t("stock.code_help"));
        let opening = Field::line("opening", locale.t("stock.opening"), Kind::Number(0, MAX_ON_HAND), NUMBER, "0");
        let sold_as = Field::line("sold_as", locale.t("stock.sold_as"), Kind::Text, CODE, "")
            .with_help(locale.t("stock.sold_as_help"));
        let mut fields = described("", &locale.t("stock.piece"), "0", locale);
        fields.extend([opening, sold_as, code]);
        Self { about: None, form: Form::new(locale.t("stock.add_title"), "", fields) }
    }

    /// Whether a refusal because of what orders hold can be answered by releasing them.
    pub(super) fn may_release(&self) -> bool {
        matches!(self.about, Some((Change::Recount | Change::Waste | Change::Adjust, _)))
    }

    pub(super) fn context(&self) -> Context {
        self.form.context()
    }

    pub(super) fn on_input(&mut self, input: &Input<Msg>, env: &Env<'_>) -> Filled {
        self.form.on_input(input, env)
    }

    /// The code of a new thing: what was typed, else one made of its name.
    fn code(&self) -> String {
        let typed = self.form.text("code");
        if typed.is_empty() { code_from(&self.form.text("name"), |_| false) } else { typed }
    }

    /// The command that the answers make, with the pending orders to release; `None` where they make
    /// none.
    pub(super) fn command(&self, release: Vec<OrderId>) -> Option<StockCommand> {
        let form = &self.form;
        let reason = form.text("reason");
        let Some((change, item)) = &self.about else {
            let sold_as = form.text("sold_as");
            return Some(StockCommand::Set(StockSet {
                code: self.code(),
                name: form.text("name"),
                unit: Some(form.text("unit")),
                opening: Some(form.number("opening")?),
                low_mark: form.number("low_mark")?,
                sold_as: (!sold_as.is_empty()).then_some(sold_as),
                only_new: true,
            }));
        };
        let item_code = item.code.clone();
        Some(match change {
            Change::Receive => {
                StockCommand::Receive(StockReceive { item: item_code, quantity: form.number("quantity")?, reason })
            }
            Change::Recount => StockCommand::Recount(StockRecount {
                item: item_code,
                counted: form.number("counted")?,
                release,
                reason,
            }),
            Change::Waste => {
                StockCommand::Waste(StockWaste { item: item_code, quantity: form.number("quantity")?, reason, release })
            }
            Change::Adjust => {
                StockCommand::Adjust(StockAdjust { item: item_code, delta: form.number("delta")?, reason, release })
            }
            Change::Edit => StockCommand::Set(StockSet {
                code: item_code,
                name: form.text("name"),
                unit: Some(form.text("unit")),
                opening: None,
                low_mark: form.number("low_mark")?,
                sold_as: None,
                only_new: false,
            }),
        })
    }

    /// The house refused, or the person went back from what it asked: leads back to what was typed.
    pub(super) fn refuse(&mut self, refused: &Refused, env: &Env<'_>) {
        refuse_form(&mut self.form, refused, env);
    }

    /// What was asked is not done after all: takes keys again.
    pub(super) fn rewind(&mut self, env: &Env<'_>) {
        self.form.refuse(None, env.locale.t("stock.not_changed"));
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        self.form.draw(frame, area, ctx);
    }
}

/// What is said about a counted thing.
fn described(name: &str, unit: &str, low: &str, locale: &Locale) -> Vec<Field> {
    vec![
        Field::line("name", locale.t("stock.name"), Kind::Needed, NAME, name),
        Field::line("unit", locale.t("stock.unit"), Kind::Needed, UNIT, unit).with_help(locale.t("stock.unit_help")),
        Field::line("low_mark", locale.t("stock.low_mark"), Kind::Number(0, MAX_ON_HAND), NUMBER, low)
            .with_help(locale.t("stock.low_mark_help")),
    ]
}
