//! The frame of a whole screen, the same for every role: a title row, a banner where there is
//! something to say, the body with air around it, and the hints.

use super::banner::{self, Banner};
use super::footer;
use crate::tui::app::ViewCtx;
use crate::tui::keymap::{Action, Context};
use crate::tui::text;
use crate::tui::theme::Token;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Margin, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// What stands around a screen's body.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// Where we are, at the left of the title row.
    pub title: &'a str,
    /// A fact that is always of use (the time, the total, who is signed in), at its right.
    pub aside: &'a str,
    /// A banner below the title row.
    pub banner: Option<&'a Banner>,
    /// Where the hints' keys are looked up.
    pub context: Context,
    /// The hints, the most important first.
    pub hints: &'a [Action],
}

/// Draws everything around the body over the whole frame, and gives the body.
pub fn draw(frame: &mut Frame<'_>, page: Page<'_>, ctx: &ViewCtx<'_>) -> Rect {
    let [top, rest, bottom] =
        Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)]).areas(frame.area());
    title_row(frame, top.inner(Margin::new(1, 0)), page, ctx);
    footer::draw(frame, bottom, page.context, page.hints, ctx);
    let rest = match page.banner {
        Some(banner) => banner::draw(frame, rest, banner, ctx),
        None => rest,
    };
    rest.inner(Margin::new(1, 0))
}

fn title_row(frame: &mut Frame<'_>, area: Rect, page: Page<'_>, ctx: &ViewCtx<'_>) {
    let width = usize::from(area.width);
    let title = text::truncate_to_width(&text::clean(page.title), width);
    let left = width.saturating_sub(text::display_width(&title)).saturating_sub(2);
    // What is always of use is still less than knowing where one is.
    let aside = text::truncate_to_width(&text::clean(page.aside), left);
    frame.render_widget(Paragraph::new(Line::styled(title, ctx.style(Token::Title))), area);
    frame.render_widget(Paragraph::new(Span::styled(aside, ctx.style(Token::Muted))).right_aligned(), area);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::drawn;
    use crate::tui::widgets::panel;

    fn at(width: u16, height: u16, banner: Option<&Banner>) -> String {
        drawn(width, height, |frame, ctx| {
            let hints = &[Action::Select, Action::OpenCart, Action::Back, Action::Help];
            let page = Page { title: "Menu", aside: "2 items · € 17.00", banner, context: Context::Menu, hints };
            let body = draw(frame, page, ctx);
            panel::draw(frame, body, "Mains", true, ctx);
        })
    }

    #[test]
    fn a_screen_has_one_look() {
        insta::assert_snapshot!(at(80, 24, Some(&Banner::DemoStore)));
    }

    #[test]
    fn a_narrow_screen_keeps_its_title() {
        assert!(at(20, 5, None).starts_with(" Menu  2 items · €…"));
        assert!(at(6, 2, None).starts_with(" Menu"));
        for (width, height) in [(1, 1), (2, 2), (3, 1)] {
            at(width, height, Some(&Banner::StoreAway));
        }
    }
}
