//! One row over the whole width that says something about the whole house: the store is away, this
//! is only a demo.

use crate::tui::app::ViewCtx;
use crate::tui::text;
use crate::tui::theme::Token;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

/// What a banner says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Banner {
    /// The store cannot be reached.
    StoreAway,
    /// The store is the demo.
    DemoStore,
    /// Something else, already in the words of the catalogue.
    Words(String, Token),
}

/// Draws the banner as the first row of `area` and gives the rows below it.
pub fn draw(frame: &mut Frame<'_>, area: Rect, banner: &Banner, ctx: &ViewCtx<'_>) -> Rect {
    let [top, rest] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    let (mark, words, token) = match banner {
        Banner::StoreAway => ("▲ ", ctx.locale.t("common.store_away"), Token::Danger),
        Banner::DemoStore => ("◆ ", ctx.locale.t("common.demo_store"), Token::Badge),
        Banner::Words(words, token) => ("● ", words.clone(), *token),
    };
    let words = format!("{mark}{}", text::clean(&words));
    let line = Line::from(text::truncate_to_width(&words, usize::from(top.width)));
    frame.render_widget(Paragraph::new(line).centered().style(ctx.style(token)), top);
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::drawn;

    #[test]
    fn it_takes_one_row_and_is_cut_to_the_width() {
        let seen = drawn(30, 3, |frame, ctx| {
            let rest = draw(frame, frame.area(), &Banner::StoreAway, ctx);
            assert_eq!((rest.y, rest.height), (1, 2));
        });
        assert_eq!(seen, "▲ The store cannot be reached…");
        for banner in [Banner::DemoStore, Banner::Words("寿\u{1b}司".to_owned(), Token::Ready)] {
            drawn(1, 1, |frame, ctx| {
                draw(frame, frame.area(), &banner, ctx);
            });
        }
    }
}
