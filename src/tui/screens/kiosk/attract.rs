//! The screen that stands while nobody orders: who we are, and how to begin; or when we open again.
//! It knows nothing of customers, so there is nothing of one that it could show.

use super::parts;
use crate::service::views::MenuView;
use crate::tui::app::{Hit, ViewCtx};
use crate::tui::keymap::Action;
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::banner::{self, Banner};
use crate::tui::widgets::big_digits;
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Margin, Rect, Size};
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType, Paragraph};

/// A steaming bowl: the steam, then the bowl.
const STEAM: [&str; 3] = ["(    (    ( ", " )    )    )", "(    (    ( "];
const BOWL: [&str; 5] = [
    "▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄",
    " ▀██████████████████████▀ ",
    "   ▀██████████████████▀   ",
    "      ▀▀██████████▀▀      ",
    "        ▀▀▀▀▀▀▀▀▀▀        ",
];
/// Rows of the picture.
const PICTURE_ROWS: u16 = 8;

/// What the attract screen is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attract<'a> {
    /// The menu, once it was read.
    pub menu: Option<&'a MenuView>,
    /// The store cannot be reached.
    pub away: bool,
    /// A visit is being opened.
    pub busy: bool,
}

impl Attract<'_> {
    /// Whether a customer may begin.
    pub const fn is_inviting(&self) -> bool {
        match self.menu {
            Some(menu) => menu.open && menu.slot.is_some() && !self.away,
            None => false,
        }
    }

    /// Draws the whole screen.
    pub fn draw(&self, frame: &mut Frame<'_>, ctx: &ViewCtx<'_>) {
        let area = frame.area();
        let away = self.away.then_some(Banner::StoreAway);
        let demo = self.menu.is_some_and(|menu| menu.demo).then_some(Banner::DemoStore);
        let banners = [away, demo].into_iter().flatten();
        let area = banners.fold(area, |area, banner| banner::draw(frame, area, &banner, ctx));
        let area = area.inner(Margin::new(2, 0));
        let name = self.menu.map(|menu| text::clean(&menu.site)).unwrap_or_default();
        let room = Size::new(area.width, if area.height >= 27 { 8 } else { 4 });
        let letters = big_digits::size(&name, room).height;
        let wanted = PICTURE_ROWS.saturating_add(letters).saturating_add(11);
        let picture_rows = if area.height >= wanted { PICTURE_ROWS } else { 0 };
        let [_, picture, _, lettering, _, words, _, prompt, _] = Layout::vertical([
            Constraint::Fill(1),
            Constraint::Length(picture_rows),
            Constraint::Length(u16::from(picture_rows > 0).saturating_mul(2)),
            Constraint::Length(letters),
            Constraint::Length(1),
            Constraint::Length(2),
            Constraint::Length(1),
            Constraint::Length(3),
            Constraint::Fill(1),
        ])
        .areas(area);
        if picture_rows > 0 {
            draw_picture(frame, picture, ctx);
        }
        big_digits::draw(frame, lettering, &name, ctx.style(Token::Title), Alignment::Center);
        self.draw_words(frame, words, ctx);
        self.draw_prompt(frame, prompt, ctx);
        if self.is_inviting() {
            // A touch anywhere begins.
            ctx.hit(frame.area(), Hit::Action(Action::Select));
        }
    }

    fn draw_words(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let (words, token) = match self.menu {
            None => (ctx.locale.t("kiosk.loading"), Token::Muted),
            Some(_) if self.away => (ctx.locale.t("kiosk.away"), Token::Warning),
            Some(menu) if !self.is_inviting() => (parts::next_opening(menu, ctx.now, ctx.locale), Token::Text),
            Some(_) => (ctx.locale.t("kiosk.tagline"), Token::Muted),
        };
        parts::paragraph(frame, area, &words, ctx.style(token), true);
    }

    fn draw_prompt(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        let Some(menu) = self.menu else { return };
        let (words, token) = if self.busy {
            (ctx.locale.t("kiosk.busy"), Token::Accent)
        } else if self.is_inviting() {
            (ctx.locale.t("kiosk.press_to_order"), Token::Selected)
        } else if menu.open && !self.away {
            (ctx.locale.t("kiosk.no_slot"), Token::Warning)
        } else if self.away {
            (ctx.locale.t("kiosk.one_moment"), Token::Warning)
        } else {
            (ctx.locale.t("kiosk.closed"), Token::Warning)
        };
        let width = u16::try_from(text::display_width(&words)).unwrap_or(area.width).saturating_add(8);
        let place = area.centered_horizontally(Constraint::Length(width.min(area.width)));
        let border = if token == Token::Selected { Token::Accent } else { token };
        let block = Block::bordered().border_type(BorderType::Rounded).border_style(ctx.style(border));
        let inner = block.inner(place);
        frame.render_widget(block, place);
        frame.buffer_mut().set_style(inner, ctx.style(token));
        let words = text::truncate_to_width(&words, usize::from(inner.width));
        frame.render_widget(Paragraph::new(Line::styled(words, ctx.style(token))).centered(), inner);
    }
}

fn draw_picture(frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
    let steam = STEAM.iter().map(|row| Line::styled(*row, ctx.style(Token::Muted)));
    let bowl = BOWL.iter().map(|row| Line::styled(*row, ctx.style(Token::Accent)));
    frame.render_widget(Paragraph::new(steam.chain(bowl).collect::<Vec<_>>()).centered(), area);
}
