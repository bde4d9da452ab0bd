//! The first question: eat here, take away, or have it brought. Only the ways that the site offers; where a
//! delivery goes is asked at the checkout.

use super::effect::KioskEffect;
use super::parts::{self, ButtonLook};
use super::step::{Question, Scene, Step};
use crate::domain::fulfilment::Fulfilment;
use crate::domain::ids::CartId;
use crate::service::views::{CartView, MenuView};
use crate::tui::app::{Env, Hit, Input, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::text;
use crate::tui::theme::Token;
use ratatui::Frame;
use ratatui::layout::{Constraint, Flex, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType, Paragraph};

const PLATE: [&str; 4] = ["╷╷╷   ▁▁▁▁▁   ╷ ", "╰┼╯ ╱       ╲ │╲", " │  ▏       ▕ ├╯", " ╵   ╲▁▁▁▁▁╱  ╵ "];
const BAG: [&str; 4] = ["    ╭─────╮    ", "  ╭─┴─────┴─╮  ", "  │         │  ", "  ╰─────────╯  "];

const VAN: [&str; 4] = ["╭────────╮     ", "│        ├───╮ ", "│        │   ╰╮", "╰─(○)────┴(○)─╯"];

/// Rows of a card.
const ROWS: u16 = 11;
/// The most columns of a card.
const WIDTH: u16 = 28;
/// The most columns between two cards.
const GAP: u16 = 3;

/// The ways that can be chosen here, dine in first.
pub(super) fn ways(menu: &MenuView) -> Vec<Fulfilment> {
    let all = [Fulfilment::DineIn, Fulfilment::Pickup, Fulfilment::Delivery];
    all.into_iter().filter(|way| menu.fulfilments.contains(way)).collect()
}

/// Whether the way that the cart has is no longer offered.
pub(super) fn way_is_gone(cart: &CartView, menu: &MenuView) -> bool {
    cart.fulfilment.is_some_and(|way| !menu.fulfilments.contains(&way))
}

/// The ways that can be chosen in place of the cart's own.
pub(super) fn other_ways(cart: &CartView, menu: &MenuView) -> Vec<Fulfilment> {
    ways(menu).into_iter().filter(|way| cart.fulfilment != Some(*way)).collect()
}

/// Which way is selected.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ModeScreen {
    selected: usize,
}

impl ModeScreen {
    pub fn on_input<M>(&mut self, input: &Input<M>, cart: CartId, scene: &Scene<'_>, env: &Env<'_>) -> Step {
        let ways = ways(scene.menu);
        if let Input::Click { hit, .. } = input
            && let Some(index) = parts::clicked(*hit, parts::BUTTONS)
        {
            self.selected = index;
            return choose(&ways, index, cart);
        }
        let last = ways.len().saturating_sub(1);
        match env.action(Context::Attract, input) {
            Some(action @ (Action::Home | Action::End)) => {
                self.selected = if action == Action::Home { 0 } else { last };
                Step::Drawn
            }
            Some(Action::Left | Action::Up | Action::PreviousPane) => {
                self.selected = self.selected.min(last).saturating_sub(1);
                Step::Drawn
            }
            Some(Action::Right | Action::Down | Action::NextPane) => {
                self.selected = self.selected.saturating_add(1).min(last);
                Step::Drawn
            }
            Some(Action::Select) => choose(&ways, self.selected.min(last), cart),
            Some(Action::Digit(digit)) => match usize::from(digit).checked_sub(1) {
                Some(index) => choose(&ways, index, cart),
                None => Step::Nothing,
            },
            Some(Action::Back) if scene.has_lines() => Step::Ask(Question::Leave),
            Some(Action::Back) => Step::Leave,
            _ => Step::Nothing,
        }
    }

    pub fn draw(&self, frame: &mut Frame<'_>, scene: &Scene<'_>, ctx: &ViewCtx<'_>) {
        let hints = [Action::Select, Action::Back, Action::Help];
        let body = parts::page(frame, scene, (&scene.menu.site, ""), (Context::Attract, &hints), ctx);
        let ways = ways(scene.menu);
        let [_, question, _, row, _] = Layout::vertical([
            Constraint::Fill(1),
            Constraint::Length(1),
            Constraint::Length(2),
            Constraint::Length(ROWS),
            Constraint::Fill(2),
        ])
        .areas(body);
        let words = ctx.locale.t("kiosk.where_to_eat");
        frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(Token::Title))).centered(), question);
        if ways.is_empty() {
            parts::paragraph(frame, row, &ctx.locale.t("kiosk.no_way"), ctx.style(Token::Warning), true);
            return;
        }
        let count = u16::try_from(ways.len()).unwrap_or(1).max(1);
        let tight = count.saturating_mul(WIDTH.saturating_add(GAP)) > row.width.saturating_add(GAP);
        // Three on a small screen stand closer together, all of one width.
        let gap = if tight && count > 2 { 1 } else { GAP };
        let room = row.width.saturating_sub(gap.saturating_mul(count.saturating_sub(1)));
        let width = WIDTH.min(room.checked_div(count).unwrap_or(room));
        let places =
            Layout::horizontal(vec![Constraint::Length(width); ways.len()]).flex(Flex::Center).spacing(gap).split(row);
        for (index, (way, place)) in ways.iter().zip(places.iter()).enumerate() {
            let look = ButtonLook::of(index == self.selected.min(ways.len().saturating_sub(1)), false);
            card(frame, *place, *way, look, (index, scene.menu), ctx);
        }
    }
}

fn choose(ways: &[Fulfilment], index: usize, cart: CartId) -> Step {
    match ways.get(index) {
        Some(way) => Step::Change(KioskEffect::SetFulfilment { cart, fulfilment: *way }),
        None => Step::Nothing,
    }
}

fn card(
    frame: &mut Frame<'_>,
    area: Rect,
    way: Fulfilment,
    look: ButtonLook,
    (index, menu): (usize, &MenuView),
    ctx: &ViewCtx<'_>,
) {
    let focused = look == ButtonLook::Focused;
    let (kind, border) =
        if focused { (BorderType::Thick, Token::Accent) } else { (BorderType::Rounded, Token::Border) };
    let block = Block::bordered().border_type(kind).border_style(ctx.style(border));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let [_, picture, _, name, more] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(4),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(2),
    ])
    .areas(inner);
    let (art, title, words) = match way {
        Fulfilment::DineIn => (PLATE, ctx.locale.t("kiosk.dine_in"), ctx.locale.t("kiosk.dine_in_more")),
        Fulfilment::Pickup => (BAG, ctx.locale.t("kiosk.take_away"), ctx.locale.t("kiosk.take_away_more")),
        Fulfilment::Delivery => (VAN, ctx.locale.t("kiosk.deliver_to_me"), charge_words(menu, ctx)),
    };
    let art: Vec<Line<'_>> = art.iter().map(|row| Line::styled(*row, ctx.style(Token::Accent))).collect();
    frame.render_widget(Paragraph::new(art).centered(), picture);
    let number = index.saturating_add(1);
    // A narrow card spends no column on air.
    let label = if name.width < 20 { format!("{number} {title}") } else { format!(" {number}  {title} ") };
    let label = text::truncate_to_width(&label, usize::from(name.width));
    let token = if focused { Token::Selected } else { Token::Text };
    frame.render_widget(Paragraph::new(Line::styled(label, ctx.style(token))).centered(), name);
    parts::paragraph(frame, more, &words, ctx.style(Token::Muted), true);
    ctx.hit(area, Hit::Row { list: parts::BUTTONS, index });
}

/// What a delivery costs, which matters before it is chosen.
fn charge_words(menu: &MenuView, ctx: &ViewCtx<'_>) -> String {
    if menu.delivery_charge.is_zero() {
        return ctx.locale.t("kiosk.to_your_door_free");
    }
    let charge = parts::money(menu.delivery_charge, menu.currency);
    ctx.locale.t_args("kiosk.to_your_door", &[("charge", &charge)])
}
