//! What a change of a promotion code asks for before it is made: a new code with its terms, other terms, or
//! why it is switched off. The commands that the answers make; nothing is drawn here but the form.

use crate::domain::error::Refused;
use crate::domain::ids::PromotionId;
use crate::domain::money::{Currency, Money, Rate};
use crate::domain::promo::{self, MAX_CODE, PromotionKind};
use crate::service::envelope::{Envelope, MenuCommand};
use crate::service::promotions::{
    AddPromotion, EditPromotion, MAX_NAME, PromotionTerms, PromotionView, SetPromotionActive,
};
use crate::tui::app::{Env, Input, ViewCtx};
use crate::tui::keymap::Context;
use crate::tui::refusal;
use crate::tui::screens::console::desk::Desk;
use crate::tui::screens::console::message::{Act, Msg};
use crate::tui::screens::console::span::Span;
use crate::tui::widgets::form::{Field, Filled, Form, Kind};
use ratatui::Frame;
use ratatui::layout::Rect;

/// Characters of a reason, of an amount or a percentage, and of a number of orders.
const REASON: usize = 200;
const VALUE: usize = 16;
const NUMBER: usize = 9;
/// The most orders that a limit may name.
const MOST: i64 = 999_999_999;
/// The places of what can be taken off in its field.
const PERCENT: usize = 0;
const AMOUNT: usize = 1;

/// A promotion code whose terms are changed.
#[derive(Debug)]
struct Edited {
    id: PromotionId,
    /// The version that was seen last.
    version: i64,
    /// What the form said before anything was typed: only what differs from it is changed.
    first: PromotionTerms,
    /// The terms as they were seen last.
    last: PromotionTerms,
}

/// What is asked about.
#[derive(Debug)]
enum About {
    Add,
    Edit(Box<Edited>),
    SwitchOff(PromotionId),
}

/// An open question.
#[derive(Debug)]
pub(super) struct Question {
    about: About,
    form: Form,
    currency: Currency,
}

impl Question {
    /// A new code.
    pub(super) fn add(currency: Currency, desk: &Desk, env: &Env<'_>) -> Self {
        let locale = env.locale;
        let mut fields = vec![
            Field::line("code", locale.t("promotions.code"), Kind::Needed, MAX_CODE, "")
                .with_help(locale.t("promotions.code_help")),
        ];
        fields.extend(term_fields(None, currency, desk, env));
        let form = Form::new(locale.t("promotions.add_title"), locale.t("menu_book.item_body"), fields);
        Self { about: About::Add, form, currency }
    }

    /// Other terms of a code.
    pub(super) fn edit(promotion: &PromotionView, currency: Currency, desk: &Desk, env: &Env<'_>) -> Self {
        let locale = env.locale;
        let title = locale.t_args("promotions.edit_title", &[("code", &promotion.code)]);
        let body = locale.t("promotions.edit_body");
        let form = Form::new(title, body, term_fields(Some(promotion), currency, desk, env));
        let first = terms(&form, currency, desk).unwrap_or_default();
        let edited = Edited { id: promotion.id, version: promotion.version, first, last: promotion.terms.clone() };
        Self { about: About::Edit(Box::new(edited)), form, currency }
    }

    /// Why guests may not use a code any more.
    pub(super) fn switch_off(promotion: &PromotionView, currency: Currency, env: &Env<'_>) -> Self {
        let locale = env.locale;
        let title = locale.t_args("promotions.off_title", &[("code", &promotion.code)]);
        let body = match promotion.uses {
            0 => locale.t("promotions.off_unused_body"),
            uses => locale.t_plural("promotions.off_body", uses, &[]),
        };
        let reason = Field::line("reason", locale.t("promotions.reason"), Kind::Needed, REASON, "");
        Self { about: About::SwitchOff(promotion.id), form: Form::new(title, body, vec![reason]), currency }
    }

    pub(super) fn context(&self) -> Context {
        self.form.context()
    }

    /// Whether this is what the question asked for.
    pub(super) fn asked(&self, act: &Act) -> bool {
        let Act::Command(Envelope::Menu(command)) = act else { return false };
        match (&self.about, &**command) {
            (About::Add, MenuCommand::AddPromotion(_)) => true,
            (About::Edit(edited), MenuCommand::EditPromotion(sent)) => edited.id.to_string() == sent.promotion,
            (About::SwitchOff(id), MenuCommand::SetPromotionActive(sent)) => {
                !sent.active && id.to_string() == sent.promotion
            }
            _ => false,
        }
    }

    pub(super) fn on_input(&mut self, input: &Input<Msg>, env: &Env<'_>) -> Filled {
        let filled = self.form.on_input(input, env);
        if matches!(self.about, About::SwitchOff(_)) || filled == Filled::Cancelled {
            return filled;
        }
        let problem = self.problem();
        match (filled, problem) {
            (Filled::Sent, Some((field, refused))) => {
                self.form.refuse(Some(field), refusal::sentence(&refused, env.locale));
                Filled::Open
            }
            (Filled::Sent, None) if Span::filled(&mut self.form, env).is_none() => Filled::Open,
            // Judged while it is typed, as every other field.
            (Filled::Open, Some((_, refused))) => {
                self.form.refuse(None, refusal::sentence(&refused, env.locale));
                Filled::Open
            }
            (filled, _) => filled,
        }
    }

    /// The field in which stands what no code may have, and why. What is still empty is not judged here.
    fn problem(&self) -> Option<(&'static str, Refused)> {
        let code = promo::normalise_code(&self.form.text("code"));
        if !code.is_empty()
            && let Err(refused) = promo::check_code(&code)
        {
            return Some(("code", refused));
        }
        if self.form.text("value").is_empty() {
            return None;
        }
        kind(&self.form, self.currency).and_then(PromotionKind::check).err().map(|refused| ("value", refused))
    }

    /// The command that the answers make; `None` where they make none.
    pub(super) fn command(&self, desk: &Desk) -> Option<MenuCommand> {
        Some(match &self.about {
            About::Add => MenuCommand::AddPromotion(AddPromotion {
                code: self.form.text("code"),
                terms: terms(&self.form, self.currency, desk)?,
            }),
            About::Edit(edited) => MenuCommand::EditPromotion(EditPromotion {
                promotion: edited.id.to_string(),
                seen_version: Some(edited.version),
                terms: changed(&edited.first, terms(&self.form, self.currency, desk)?, &edited.last),
            }),
            About::SwitchOff(id) => MenuCommand::SetPromotionActive(SetPromotionActive {
                promotion: id.to_string(),
                active: false,
                reason: self.form.text("reason"),
            }),
        })
    }

    /// Nothing was sent: something else is under way.
    pub(super) fn rewind(&mut self, env: &Env<'_>) {
        self.form.refuse(None, env.locale.t("console.busy"));
    }

    /// The house refused: leads back to what was typed. Where somebody else was faster, it can be sent
    /// again, and changes only what was typed here.
    pub(super) fn refuse(&mut self, refused: &Refused, env: &Env<'_>) {
        let now = refused.details.get("now").and_then(|now| serde_json::from_value::<PromotionView>(now.clone()).ok());
        if let About::Edit(edited) = &mut self.about
            && refused.guard == Some("seen_version")
            && let Some(now) = now
        {
            (edited.version, edited.last) = (now.version, now.terms);
            let somebody = env.locale.t("menu_book.somebody_changed");
            self.form.refuse(None, env.locale.t_args("menu_book.meanwhile", &[("changes", &somebody)]));
            return;
        }
        let field = refused.details.get("field").and_then(serde_json::Value::as_str);
        let field = field.map(|field| match field {
            "percent" | "amount" => "value",
            "starts_at" => "from",
            "ends_at" => "to",
            other => other,
        });
        self.form.refuse(field, refusal::sentence(refused, env.locale));
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        self.form.draw(frame, area, ctx);
    }
}

/// The fields of what a code takes off, and when.
fn term_fields(promotion: Option<&PromotionView>, currency: Currency, desk: &Desk, env: &Env<'_>) -> Vec<Field> {
    let locale = env.locale;
    let none = PromotionTerms::default();
    let terms = promotion.map_or(&none, |promotion| &promotion.terms);
    let (at, value) = match (&terms.percent, terms.amount) {
        (None, Some(amount)) => (AMOUNT, amount.plain(currency)),
        (percent, _) => (PERCENT, percent.clone().unwrap_or_default()),
    };
    let kinds = vec![locale.t("promotions.percent"), locale.t("promotions.amount")];
    let count = |name, label: &str, help: String, value: Option<i64>| {
        let value = value.map_or_else(String::new, |value| value.to_string());
        Field::line(name, locale.t(label), Kind::MaybeNumber(1, MOST), NUMBER, &value).with_help(help)
    };
    let mut fields = vec![
        Field::line("name", locale.t("promotions.name"), Kind::Needed, MAX_NAME, &terms.name)
            .with_help(locale.t("promotions.name_help")),
        Field::choice("kind", locale.t("promotions.takes_off"), kinds, at),
        Field::line("value", locale.t("promotions.value"), Kind::Needed, VALUE, &value)
            .with_help(locale.t("promotions.value_help")),
        Field::line(
            "minimum",
            locale.t("promotions.minimum"),
            Kind::Amount { currency, signed: false },
            VALUE,
            &terms.minimum.plain(currency),
        )
        .with_help(locale.t("promotions.minimum_help")),
    ];
    fields.extend(Span::of((terms.starts_at, terms.ends_at), desk).fields(locale));
    let held = match promotion {
        Some(promotion) if promotion.uses > 0 => locale.t_plural("promotions.limit_help_held", promotion.uses, &[]),
        _ => locale.t("promotions.limit_help"),
    };
    fields.push(count("limit", "promotions.limit", held, terms.limit));
    let help = locale.t("promotions.per_customer_help");
    fields.push(count("per_customer", "promotions.per_customer", help, terms.per_customer));
    fields
}

/// What is taken off, as it was typed.
fn kind(form: &Form, currency: Currency) -> Result<PromotionKind, Refused> {
    let typed = form.text("value");
    if form.chosen("kind") == Some(AMOUNT) {
        return Money::parse_typed("value", &typed, currency).map(PromotionKind::Amount);
    }
    Rate::parse_percent("value", &typed).map(PromotionKind::Percent)
}

/// The terms as they were typed; `None` where they cannot be read.
fn terms(form: &Form, currency: Currency, desk: &Desk) -> Option<PromotionTerms> {
    let (percent, amount) = match kind(form, currency).ok()? {
        PromotionKind::Percent(rate) => (Some(rate.plain()), None),
        PromotionKind::Amount(amount) => (None, Some(amount)),
    };
    let (starts_at, ends_at) = Span::typed(form).bounds(desk);
    Some(PromotionTerms {
        name: form.text("name"),
        percent,
        amount,
        minimum: form.amount("minimum")?,
        starts_at,
        ends_at,
        limit: form.number("limit"),
        per_customer: form.number("per_customer"),
    })
}

/// The terms seen last, with what was changed in the form.
fn changed(first: &PromotionTerms, typed: PromotionTerms, last: &PromotionTerms) -> PromotionTerms {
    fn pick<T: PartialEq + Clone>(first: &T, typed: T, last: &T) -> T {
        if typed == *first { last.clone() } else { typed }
    }
    let kind = |terms: &PromotionTerms| (terms.percent.clone(), terms.amount);
    let (percent, amount) = pick(&kind(first), kind(&typed), &kind(last));
    PromotionTerms {
        name: pick(&first.name, typed.name, &last.name),
        percent,
        amount,
        minimum: pick(&first.minimum, typed.minimum, &last.minimum),
        starts_at: pick(&first.starts_at, typed.starts_at, &last.starts_at),
        ends_at: pick(&first.ends_at, typed.ends_at, &last.ends_at),
        limit: pick(&first.limit, typed.limit, &last.limit),
        per_customer: pick(&first.per_customer, typed.per_customer, &last.per_customer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_typed_is_changed() {
        let first = PromotionTerms { name: "Lunch".into(), percent: Some("10".into()), ..PromotionTerms::default() };
        let typed = PromotionTerms { percent: None, amount: Some(Money(500)), ..first.clone() };
        let last = PromotionTerms { name: "Lunch for all".into(), limit: Some(9), ..first.clone() };
        let sent = changed(&first, typed, &last);
        assert_eq!((sent.name.as_str(), sent.limit), ("Lunch for all", Some(9)), "what somebody else changed stays");
        assert_eq!((sent.percent, sent.amount), (None, Some(Money(500))));
    }
}
