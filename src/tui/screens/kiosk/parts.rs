//! What the kiosk's screens draw alike: the page, buttons, marks, and the words for the values of the
//! domain. No state; a screen's own layout stands in its file.

use super::step::Scene;
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::fulfilment::Fulfilment;
use crate::domain::menu::{Allergen, Diet, DietFilter};
use crate::domain::money::{Currency, Money};
use crate::domain::payment::Method;
use crate::domain::promo;
use crate::domain::time::Timestamp;
use crate::service::views::MenuView;
use crate::tui::app::{Hit, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::locale::Locale;
use crate::tui::refusal::words;
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::banner::Banner;
use crate::tui::widgets::page::{self, Page};
use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Paragraph};

/// Rows of a button with its border.
pub(super) const BUTTON_ROWS: u16 = 3;
/// The name of buttons in [`Hit::Row`].
pub(super) const BUTTONS: &str = "kiosk.button";

/// Draws the frame of a screen and gives its body. While a change is on its way the title row says
/// so, in the place of the fact that stands there else.
pub(super) fn page(
    frame: &mut Frame<'_>,
    scene: &Scene<'_>,
    (title, aside): (&str, &str),
    (context, hints): (Context, &[Action]),
    ctx: &ViewCtx<'_>,
) -> Rect {
    let banner = if scene.away {
        Some(Banner::StoreAway)
    } else if !scene.takes_orders() {
        Some(Banner::Words(ctx.locale.t("kiosk.closed_banner"), Token::Warning))
    } else {
        scene.menu.demo.then_some(Banner::DemoStore)
    };
    let busy = ctx.locale.t("kiosk.busy");
    let aside = if scene.busy { &busy } else { aside };
    // Another banner in its place does not hide that this is the demo.
    let named = format!("{title} · {}", ctx.locale.t("common.demo"));
    let hidden = scene.menu.demo && banner != Some(Banner::DemoStore);
    let title = if hidden { &named } else { title };
    page::draw(frame, Page { title, aside, banner: banner.as_ref(), context, hints }, ctx)
}

/// How a button looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ButtonLook {
    /// The keys are here: Enter presses it.
    Focused,
    /// The obvious next step, but the keys are elsewhere.
    Inviting,
    /// One of several.
    Plain,
    /// Cannot be pressed now.
    Off,
}

impl ButtonLook {
    /// Focused or not, among buttons that can be pressed.
    pub const fn of(focused: bool, inviting: bool) -> Self {
        match (focused, inviting) {
            (true, _) => Self::Focused,
            (false, true) => Self::Inviting,
            (false, false) => Self::Plain,
        }
    }
}

/// Draws a button with its words in the middle; a click on it hits the row `index` of [`BUTTONS`].
pub(super) fn button(
    frame: &mut Frame<'_>,
    area: Rect,
    words: &str,
    look: ButtonLook,
    index: usize,
    ctx: &ViewCtx<'_>,
) {
    if area.is_empty() {
        return;
    }
    let (border, style) = match look {
        ButtonLook::Focused => (ctx.style(Token::Accent), ctx.style(Token::Selected)),
        ButtonLook::Inviting => (ctx.style(Token::Accent), ctx.style(Token::Accent)),
        ButtonLook::Plain => (ctx.style(Token::Border), ctx.style(Token::Text)),
        ButtonLook::Off => (ctx.style(Token::Border), ctx.style(Token::Muted)),
    };
    let boxed = area.height >= BUTTON_ROWS && area.width > 4;
    let inner = if boxed {
        let kind = if look == ButtonLook::Focused { BorderType::Thick } else { BorderType::Rounded };
        let block = Block::bordered().border_type(kind).border_style(border);
        let inner = block.inner(area);
        frame.render_widget(block, area);
        inner
    } else {
        area
    };
    // Without colours, and for eyes that do not see them, the focus has a shape of its own.
    let words = text::clean(words);
    let words = if look == ButtonLook::Focused { format!("▸ {words} ◂") } else { words };
    let words = text::truncate_to_width(&words, usize::from(inner.width));
    let row = inner.centered_vertically(Constraint::Length(1));
    frame.buffer_mut().set_style(inner, style);
    frame.render_widget(Paragraph::new(Line::styled(words, style)).centered(), row);
    if look != ButtonLook::Off {
        ctx.hit(area, Hit::Row { list: BUTTONS, index });
    }
}

/// The button that was clicked, if the hit is one.
pub(super) fn clicked(hit: Option<Hit>, list: &str) -> Option<usize> {
    match hit {
        Some(Hit::Row { list: hit, index }) if hit == list => Some(index),
        _ => None,
    }
}

/// Lines of text wrapped to the width, in one style; as many as fit. Gives how many rows they took.
pub(super) fn paragraph(frame: &mut Frame<'_>, area: Rect, words: &str, style: Style, centered: bool) -> u16 {
    let mut rows = text::wrap(words, usize::from(area.width));
    if rows.len() > usize::from(area.height) {
        rows.truncate(usize::from(area.height));
        // What was cut is seen to be cut.
        if let Some(last) = rows.last_mut() {
            let longer = format!("{last}{}", text::ELLIPSIS);
            let room = usize::from(area.width);
            let cut = text::truncate_to_width(last, room.saturating_sub(1));
            *last = if text::display_width(&longer) <= room { longer } else { format!("{cut}{}", text::ELLIPSIS) };
            *last = text::truncate_to_width(last, room);
        }
    }
    let taken = u16::try_from(rows.len()).unwrap_or(area.height);
    let lines: Vec<Line<'_>> = rows.into_iter().map(|row| Line::styled(row, style)).collect();
    let lines = Paragraph::new(lines);
    frame.render_widget(if centered { lines.centered() } else { lines }, area);
    taken
}

/// One row: words at the left, words at the right that are never cut for them.
pub(super) fn two_sided(left: Vec<Span<'static>>, right: (String, Style), width: u16) -> Line<'static> {
    let width = usize::from(width);
    let end = text::truncate_to_width(&right.0, width);
    let end_width = text::display_width(&end);
    let mut room = width.saturating_sub(end_width).saturating_sub(usize::from(end_width > 0));
    let mut spans = Vec::with_capacity(left.len().saturating_add(2));
    for span in left {
        let cut = text::truncate_to_width(&text::clean(&span.content), room);
        room = room.saturating_sub(text::display_width(&cut));
        spans.push(Span::styled(cut, span.style));
    }
    let used: usize = spans.iter().map(|span| text::display_width(&span.content)).sum();
    spans.push(Span::raw(" ".repeat(width.saturating_sub(used).saturating_sub(end_width))));
    spans.push(Span::styled(end, right.1));
    Line::from(spans)
}

/// An amount in the site's currency.
pub(super) fn money(amount: Money, currency: Currency) -> String {
    amount.display(currency)
}

/// What a choice adds, with its sign; nothing for nothing.
pub(super) fn delta(amount: Money, currency: Currency) -> String {
    match amount.0 {
        0 => String::new(),
        1.. => format!("+{}", amount.display(currency)),
        _ => amount.display(currency),
    }
}

/// The mark of a diet: a shape and letters, so that it needs no colour.
pub(in crate::tui::screens) const fn diet_mark(diet: Diet) -> (&'static str, Token) {
    match diet {
        Diet::Veg => ("●V", Token::Ready),
        Diet::Vegan => ("◆VG", Token::Ready),
        Diet::Egg => ("○E", Token::Warning),
        Diet::NonVeg => ("▲N", Token::Danger),
    }
}

/// A diet in words.
pub(in crate::tui::screens) fn diet_name(diet: Diet, locale: &Locale) -> String {
    match diet {
        Diet::Veg => locale.t("kiosk.diet_veg"),
        Diet::Vegan => locale.t("kiosk.diet_vegan"),
        Diet::Egg => locale.t("kiosk.diet_egg"),
        Diet::NonVeg => locale.t("kiosk.diet_non_veg"),
    }
}

/// A diet filter in words.
pub(super) fn filter_name(filter: DietFilter, locale: &Locale) -> String {
    match filter {
        DietFilter::Any => locale.t("kiosk.filter_any"),
        DietFilter::Veg => locale.t("kiosk.filter_veg"),
        DietFilter::Vegan => locale.t("kiosk.filter_vegan"),
        DietFilter::Egg => locale.t("kiosk.filter_egg"),
        DietFilter::NonVeg => locale.t("kiosk.filter_non_veg"),
    }
}

/// How hot something is, as waves of heat.
pub(super) fn heat_mark(spicy: u8) -> String {
    "≈".repeat(usize::from(spicy.min(3)))
}

/// How hot something is, in words.
pub(in crate::tui::screens) fn heat_name(spicy: u8, locale: &Locale) -> Option<String> {
    match spicy {
        0 => None,
        1 => Some(locale.t("kiosk.heat_mild")),
        2 => Some(locale.t("kiosk.heat_medium")),
        _ => Some(locale.t("kiosk.heat_hot")),
    }
}

/// An allergen in words.
pub(in crate::tui::screens) fn allergen_name(allergen: Allergen, locale: &Locale) -> String {
    match allergen {
        Allergen::Gluten => locale.t("kiosk.allergen_gluten"),
        Allergen::Crustaceans => locale.t("kiosk.allergen_crustaceans"),
        Allergen::Eggs => locale.t("kiosk.allergen_eggs"),
        Allergen::Fish => locale.t("kiosk.allergen_fish"),
        Allergen::Peanuts => locale.t("kiosk.allergen_peanuts"),
        Allergen::Soybeans => locale.t("kiosk.allergen_soybeans"),
        Allergen::Milk => locale.t("kiosk.allergen_milk"),
        Allergen::Nuts => locale.t("kiosk.allergen_nuts"),
        Allergen::Celery => locale.t("kiosk.allergen_celery"),
        Allergen::Mustard => locale.t("kiosk.allergen_mustard"),
        Allergen::Sesame => locale.t("kiosk.allergen_sesame"),
        Allergen::Sulphites => locale.t("kiosk.allergen_sulphites"),
        Allergen::Lupin => locale.t("kiosk.allergen_lupin"),
        Allergen::Molluscs => locale.t("kiosk.allergen_molluscs"),
    }
}

/// How the order reaches the customer, in his words.
pub(super) fn fulfilment_name(way: Fulfilment, locale: &Locale) -> String {
    match way {
        Fulfilment::Pickup => locale.t("kiosk.take_away"),
        Fulfilment::DineIn => locale.t("kiosk.dine_in"),
        Fulfilment::Delivery => locale.t("kiosk.delivery"),
    }
}

/// A way of paying, in the customer's words.
pub(super) fn method_name(method: Method, locale: &Locale) -> String {
    match method {
        Method::Card => locale.t("kiosk.method_card"),
        Method::Upi => locale.t("kiosk.method_upi"),
        Method::Cash => locale.t("kiosk.method_cash"),
    }
}

/// How many units the cart holds, in words.
pub(super) fn items(count: i64, locale: &Locale) -> String {
    locale.t_plural("kiosk.items", count, &[])
}

/// When the house takes orders again, as far as it is known.
pub(super) fn next_opening(menu: &MenuView, now: Timestamp, locale: &Locale) -> String {
    let Some(at) = menu.next_slot_at else { return locale.t("kiosk.closed_no_time") };
    let time = at.local_time(menu.zone).format("%H:%M");
    let day = |instant: Timestamp| instant.to_utc().with_timezone(&menu.zone).date_naive();
    let slot = menu.next_slot.clone().unwrap_or_default();
    let days = day(at).signed_duration_since(day(now)).num_days();
    let date = day(at).format("%d.%m.");
    let args: [(&str, &dyn std::fmt::Display); 3] = [("slot", &slot), ("time", &time), ("date", &date)];
    match days {
        ..=0 => locale.t_args("kiosk.opens_today", &args),
        1 => locale.t_args("kiosk.opens_tomorrow", &args),
        _ => locale.t_args("kiosk.opens_on", &args),
    }
}

/// Why a promotion code takes nothing off, by the word of `domain::promo`.
pub(super) fn code_refusal(reason: &str, locale: &Locale) -> String {
    match reason {
        "not_started" => locale.t("kiosk.code_not_started"),
        "ended" => locale.t("kiosk.code_ended"),
        "minimum" => locale.t("kiosk.code_minimum"),
        "used_up" | "used_by_you" => locale.t("kiosk.code_used_up"),
        "guest" => locale.t("kiosk.code_not_for_guests"),
        _ => locale.t("kiosk.code_unknown"),
    }
}

/// What the house refused, in words for a customer.
pub(super) fn refusal(refused: &Refused, locale: &Locale) -> String {
    let detail = |name: &str| match refused.details.get(name) {
        Some(serde_json::Value::String(text)) => Some(text.clone()),
        Some(serde_json::Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let item = detail("item");
    match (refused.code, item) {
        (ErrorCode::InsufficientStock, Some(item)) => match detail("available").as_deref() {
            None | Some("0") => locale.t_args("kiosk.refused_sold_out", &[("item", &item)]),
            Some(left) => locale.t_args("kiosk.refused_stock", &[("item", &item), ("left", &left)]),
        },
        (ErrorCode::ItemUnavailable, Some(item)) => locale.t_args("kiosk.refused_item", &[("item", &item)]),
        (ErrorCode::InsufficientStock | ErrorCode::ItemUnavailable, None) => locale.t("kiosk.refused_something"),
        (ErrorCode::RestaurantClosed, _) => locale.t("kiosk.refused_closed"),
        (ErrorCode::OrderLimitReached, _) => locale.t("kiosk.refused_full"),
        (ErrorCode::CartEmpty, _) => locale.t("kiosk.refused_empty"),
        (ErrorCode::PaymentFailed, _) => locale.t("kiosk.refused_payment"),
        (ErrorCode::StoreUnavailable, _) => locale.t("kiosk.refused_away"),
        (ErrorCode::RateLimited, _) => locale.t("kiosk.refused_rate"),
        (ErrorCode::ValidationError, _) if refused.guard == Some("promo_claimable") => {
            code_refusal(promo::reason(refused), locale)
        }
        (ErrorCode::ValidationError, _) => {
            locale.t_args("kiosk.refused_invalid", &[("why", &words(refused, locale).message)])
        }
        (ErrorCode::Conflict | ErrorCode::IllegalTransition | ErrorCode::NotFound, _) => {
            locale.t("kiosk.refused_changed")
        }
        _ => locale.t("kiosk.refused_other"),
    }
}

/// Whether the answer leaves open if the change was made: asked again, it must carry the same key.
pub(super) const fn is_unsure(refused: &Refused) -> bool {
    matches!(refused.code, ErrorCode::StoreUnavailable | ErrorCode::InternalError)
}

/// The style of something that cannot be had: struck through where the terminal can, and muted.
pub(super) fn gone(ctx: &ViewCtx<'_>) -> Style {
    ctx.style(Token::Muted).add_modifier(Modifier::CROSSED_OUT)
}
