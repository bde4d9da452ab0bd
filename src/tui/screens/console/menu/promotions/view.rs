//! How the page of promotion codes is drawn: the list, what is left of each code, and one of them beside
//! the list where there is room. Drawing only.

use super::{LIST, Promotions};
use crate::domain::time::Timestamp;
use crate::service::promotions::PromotionView;
use crate::tui::app::ViewCtx;
use crate::tui::locale::Locale;
use crate::tui::screens::console::desk::{Desk, draw_words, waiting_words};
use crate::tui::screens::console::facts::Facts;
use crate::tui::screens::console::span::Span;
use crate::tui::theme::Token;
use crate::tui::widgets::columns::Column;
use crate::tui::widgets::panel;
use crate::tui::widgets::table::{self, TableLook};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::widgets::Paragraph;

/// From this width on, what is selected stands beside the list.
const WIDE: u16 = 110;
/// Columns of the list where a code stands beside it.
const LIST_WIDTH: u16 = 70;
/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// How a code stands now, for guests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It can be used.
    Good,
    /// Its first day is to come.
    NotYet,
    /// Its last day is over.
    Over,
    /// As many orders hold it as may.
    UsedUp,
    /// It is switched off.
    Off,
}

impl Standing {
    fn of(promotion: &PromotionView, now: Timestamp) -> Self {
        let terms = &promotion.terms;
        if !promotion.active {
            Self::Off
        } else if terms.ends_at.is_some_and(|end| now >= end) {
            Self::Over
        } else if terms.limit.is_some_and(|limit| promotion.uses >= limit) {
            Self::UsedUp
        } else if terms.starts_at.is_some_and(|start| now < start) {
            Self::NotYet
        } else {
            Self::Good
        }
    }

    fn words(self, locale: &Locale) -> String {
        locale.t(match self {
            Self::Good => "promotions.on",
            Self::NotYet => "promotions.not_yet",
            Self::Over => "promotions.over",
            Self::UsedUp => "promotions.used_up",
            Self::Off => "promotions.off",
        })
    }

    const fn mark(self) -> (&'static str, Token) {
        match self {
            Self::Good => ("●", Token::Success),
            Self::NotYet => ("○", Token::Warning),
            Self::Over | Self::UsedUp | Self::Off => ("✗", Token::Danger),
        }
    }
}

impl Promotions {
    pub(super) fn draw_page(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        if ctx.size.width < WIDE {
            return self.draw_list(frame, area, desk, ctx);
        }
        let [left, _, right] =
            Layout::horizontal([Constraint::Length(LIST_WIDTH), Constraint::Length(1), Constraint::Fill(1)])
                .areas(area);
        self.draw_list(frame, left, desk, ctx);
        if let Some(promotion) = self.list.selected() {
            let inner = panel::draw(frame, right, &promotion.code, false, ctx);
            frame.render_widget(Paragraph::new(facts(promotion, inner.width, desk, ctx)), inner);
        }
    }

    fn draw_list(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>) {
        let [top, _, body] =
            Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        let locale = ctx.locale;
        let narrowed = self.filter.words(locale);
        let (words, token) =
            if narrowed.is_empty() { (locale.t("promotions.title"), Token::Title) } else { (narrowed, Token::Muted) };
        let total = self.list.count_words("promotions.count", locale);
        self.search.draw_head(frame, top, (&words, token), total, ctx);
        let items = self.list.items();
        if items.is_empty() {
            let (words, token) = if !self.list.is_loaded() || self.list.problem().is_some() {
                waiting_words(self.list.problem(), ctx)
            } else if self.filter.is_empty() {
                (locale.t("promotions.none"), Token::Muted)
            } else {
                (locale.t("promotions.none_found"), Token::Muted)
            };
            return draw_words(&words, token, frame, body, ctx);
        }
        let (code, name, off) =
            (locale.t("promotions.code"), locale.t("promotions.name"), locale.t("promotions.takes"));
        let (uses, days) = (locale.t("promotions.uses_left"), locale.t("promotions.days_left"));
        let columns = [
            (Column::Left(1), ""),
            (Column::Left(16), code.as_str()),
            (Column::Fill, name.as_str()),
            (Column::Right(10), off.as_str()),
            (Column::Right(9), uses.as_str()),
            (Column::Right(9), days.as_str()),
            (Column::Right(8), ""),
        ];
        let look = TableLook { name: LIST, columns: &columns, active: !self.is_covered() };
        table::draw(frame, body, &self.list.state, items.len(), look, ctx, |index| match items.get(index) {
            Some(promotion) => cells(promotion, desk, ctx),
            None => Vec::new(),
        });
    }
}

/// What a code takes off: `10 %`, or an amount.
fn taken_off(promotion: &PromotionView, desk: &Desk) -> String {
    match (&promotion.terms.percent, promotion.terms.amount) {
        (Some(percent), _) => format!("{percent} %"),
        (None, Some(amount)) => desk.money(amount),
        (None, None) => String::new(),
    }
}

/// How many more orders may use it; `None`: without limit.
fn uses_left(promotion: &PromotionView) -> Option<i64> {
    promotion.terms.limit.map(|limit| limit.saturating_sub(promotion.uses).max(0))
}

/// How many days it lasts, the one that is running among them; `None`: for ever.
fn days_left(promotion: &PromotionView, now: Timestamp) -> Option<i64> {
    let left = promotion.terms.ends_at?.0.saturating_sub(now.0).max(0);
    // Rounded up: in its last hours a code is good for one day still.
    Some(left.saturating_add(DAY - 1) / DAY)
}

fn cells(promotion: &PromotionView, desk: &Desk, ctx: &ViewCtx<'_>) -> Vec<(String, Style)> {
    let standing = Standing::of(promotion, ctx.now);
    let (mark, mark_token) = standing.mark();
    let token = |token| ctx.style(if standing == Standing::Off { Token::Muted } else { token });
    let left = |count: Option<i64>| match count {
        Some(count) => (count.to_string(), token(if count == 0 { Token::Danger } else { Token::Text })),
        None => (ctx.locale.t("promotions.no_limit"), ctx.style(Token::Muted)),
    };
    vec![
        (mark.to_owned(), ctx.style(mark_token)),
        (promotion.code.clone(), token(Token::Accent)),
        (promotion.terms.name.clone(), token(Token::Text)),
        (taken_off(promotion, desk), token(Token::Price)),
        left(uses_left(promotion)),
        left(days_left(promotion, ctx.now)),
        (standing.words(ctx.locale), ctx.style(if standing == Standing::Good { Token::Success } else { Token::Muted })),
    ]
}

/// A code in lines.
fn facts(promotion: &PromotionView, width: u16, desk: &Desk, ctx: &ViewCtx<'_>) -> Vec<ratatui::text::Line<'static>> {
    let (locale, terms) = (ctx.locale, &promotion.terms);
    let standing = Standing::of(promotion, ctx.now);
    let mut facts = Facts::new(width, ctx);
    facts.words(&terms.name, Token::Text);
    facts.words(&standing.words(locale), standing.mark().1);
    facts.air();
    facts.fact(&locale.t("promotions.takes_off"), &taken_off(promotion, desk), Token::Price);
    let minimum = match terms.minimum.is_zero() {
        true => locale.t("promotions.no_minimum"),
        false => desk.money(terms.minimum),
    };
    facts.fact(&locale.t("promotions.minimum"), &minimum, Token::Text);
    let span = Span::of((terms.starts_at, terms.ends_at), desk);
    facts.fact(&locale.t("promotions.days"), &span.words(locale), Token::Text);
    if let Some(days) = days_left(promotion, ctx.now) {
        facts.fact(&locale.t("promotions.days_left"), &days.to_string(), Token::Text);
    }
    let uses = match terms.limit {
        Some(limit) => locale.t_args("promotions.uses_of", &[("uses", &promotion.uses), ("limit", &limit)]),
        None => promotion.uses.to_string(),
    };
    facts.fact(&locale.t("promotions.uses"), &uses, Token::Text);
    let per_customer = terms.per_customer.map_or_else(
        || locale.t("promotions.no_limit"),
        |count| locale.t_args("promotions.signed_in_only", &[("count", &count)]),
    );
    facts.fact(&locale.t("promotions.fact_per_customer"), &per_customer, Token::Text);
    facts.air();
    facts.words(&locale.t("promotions.keys"), Token::Muted);
    facts.lines()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::PromotionId;
    use crate::service::promotions::PromotionTerms;

    fn code(terms: PromotionTerms, uses: i64, active: bool) -> PromotionView {
        let id = PromotionId(uuid::Uuid::nil());
        PromotionView { id, code: "LUNCH".to_owned(), terms, uses, active, version: 1 }
    }

    #[test]
    fn how_a_code_stands_and_what_is_left_of_it() {
        let now = Timestamp(10 * DAY);
        let at = |days: i64| Some(Timestamp(days * DAY));
        let terms =
            |starts_at, ends_at, limit| PromotionTerms { starts_at, ends_at, limit, ..PromotionTerms::default() };
        let standing = |terms, uses, active| Standing::of(&code(terms, uses, active), now);
        assert_eq!(standing(terms(None, None, None), 5, true), Standing::Good);
        assert_eq!(standing(terms(at(10), at(11), Some(6)), 5, true), Standing::Good);
        assert_eq!(standing(terms(at(11), None, None), 0, true), Standing::NotYet);
        assert_eq!(standing(terms(None, at(10), None), 0, true), Standing::Over, "its end is not in it");
        assert_eq!(standing(terms(None, None, Some(5)), 5, true), Standing::UsedUp);
        assert_eq!(standing(terms(None, None, None), 0, false), Standing::Off);
        let days = |end| days_left(&code(terms(None, end, None), 0, true), now);
        assert_eq!((days(None), days(at(10)), days(at(12)), days(at(3))), (None, Some(0), Some(2), Some(0)));
        assert_eq!(days(Some(Timestamp(10 * DAY + 1))), Some(1), "an hour is the last day");
        assert_eq!(uses_left(&code(terms(None, None, Some(5)), 7, true)), Some(0));
    }
}
