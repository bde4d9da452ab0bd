//! What lies over a screen of the visit: questions, the way to the total, the keys. Opening and drawing
//! only; what an answer means is the visit's business.

use super::cart;
use super::mode;
use super::parts;
use super::step::{NoteOf, Question, Scene};
use crate::domain::cart::{MAX_LINE_NOTE, MAX_NOTE};
use crate::domain::menu::DietFilter;
use crate::domain::promo::MAX_CODE;
use crate::service::views::{CartView, MenuView};
use crate::tui::app::{Env, Input, ViewCtx};
use crate::tui::keymap::{Action, Context};
use crate::tui::screens::price_trace;
use crate::tui::theme::Token;
use crate::tui::widgets::dialog::Dialog;
use crate::tui::widgets::input::TextInput;
use crate::tui::widgets::{footer, help, panel};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// What lies over the screen.
#[derive(Debug, Clone)]
pub(super) enum Overlay {
    /// A question.
    Dialog(Question, Dialog),
    /// How the total came about, scrolled.
    Trace {
        /// Rows that are scrolled away.
        skip: usize,
    },
    /// The keys of the screen, scrolled.
    Help {
        /// Whose keys.
        context: Context,
        /// Entries that are scrolled away.
        skip: usize,
    },
}

/// Opens a question.
pub(super) fn open(question: Question, cart: Option<&CartView>, menu: &MenuView, env: &Env<'_>) -> Option<Overlay> {
    let locale = env.locale;
    let yes_no = |title: &str, body: &str| Dialog::confirm(locale.t(title), locale.t(body), env);
    let dialog = match &question {
        Question::Trace => return Some(Overlay::Trace { skip: 0 }),
        Question::Diet => {
            let names = DietFilter::ALL.iter().map(|filter| parts::filter_name(*filter, locale)).collect();
            Dialog::choice(locale.t("kiosk.diet_title"), locale.t("kiosk.diet_question"), names)
        }
        Question::Note(of) => {
            let limit = if *of == NoteOf::Item { MAX_LINE_NOTE } else { MAX_NOTE };
            Dialog::text(locale.t("kiosk.note"), locale.t("kiosk.note_question"), TextInput::new(limit))
        }
        Question::NoteChoice(_) => {
            let choices = vec![locale.t("kiosk.note_change"), locale.t("kiosk.note_remove")];
            Dialog::choice(locale.t("kiosk.note"), String::new(), choices)
        }
        Question::Code => {
            Dialog::text(locale.t("kiosk.code_title"), locale.t("kiosk.code_question"), TextInput::new(MAX_CODE))
        }
        Question::CodeChoice => {
            let choices = vec![locale.t("kiosk.code_change"), locale.t("kiosk.code_remove")];
            let body = cart.and_then(|cart| cart.promotion.as_ref()).map_or("", |promotion| promotion.code.as_str());
            Dialog::choice(locale.t("kiosk.code_title"), body.to_owned(), choices)
        }
        Question::Line(id) => {
            let line = cart.and_then(|cart| cart.lines.iter().find(|line| line.id == *id))?;
            let price = line.line_total.display(menu.currency);
            let body = locale.t_args("kiosk.line_body", &[("quantity", &line.quantity), ("price", &price)]);
            let choices =
                vec![locale.t("action.add_one"), locale.t("action.remove_one"), locale.t("kiosk.line_remove")];
            Dialog::choice(line.name.clone(), body, choices)
        }
        Question::Clear => yes_no("kiosk.clear_title", "kiosk.clear_question"),
        Question::Changes => {
            let cart = cart?;
            let words = cart::changes(cart, menu.currency, locale).join("\n");
            let blocked = cart.changes.iter().any(|change| change.change.blocks());
            let (end, choices) = if blocked {
                (locale.t("kiosk.changes_mend"), vec![locale.t("kiosk.changes_look")])
            } else {
                let choices = vec![locale.t("kiosk.changes_accept"), locale.t("kiosk.changes_look")];
                (locale.t("kiosk.changes_question"), choices)
            };
            let dialog = Dialog::choice(locale.t("kiosk.changes_title"), format!("{words}\n\n{end}"), choices);
            // Without anything to agree to, no answer of this dialog agrees.
            let question = if blocked { Question::Trace } else { Question::Changes };
            return Some(Overlay::Dialog(question, dialog));
        }
        Question::Way => {
            let mut choices: Vec<String> =
                mode::other_ways(cart?, menu).into_iter().map(|way| parts::fulfilment_name(way, locale)).collect();
            choices.push(locale.t("kiosk.changes_look"));
            Dialog::choice(locale.t("kiosk.way_gone_title"), locale.t("kiosk.way_gone_question"), choices)
        }
        Question::Leave => yes_no("kiosk.leave_title", "kiosk.leave_question"),
        Question::CancelOrder(_) => yes_no("kiosk.cancel_title", "kiosk.cancel_question"),
    };
    Some(Overlay::Dialog(question, dialog))
}

impl Overlay {
    /// Where keys are looked up while it is open.
    pub const fn context(&self) -> Context {
        match self {
            Self::Dialog(_, dialog) => dialog.context(),
            Self::Trace { .. } | Self::Help { .. } => Context::Help,
        }
    }

    /// Takes an input where it is something to read; whether it closes.
    pub fn scroll_or_close<M>(&mut self, input: &Input<M>, env: &Env<'_>) -> bool {
        let skip = match self {
            Self::Trace { skip } | Self::Help { skip, .. } => skip,
            Self::Dialog(..) => return false,
        };
        match env.action(Context::Help, input) {
            Some(Action::Down) => *skip = skip.saturating_add(1).min(999),
            Some(Action::PageDown) => *skip = skip.saturating_add(10).min(999),
            Some(Action::Up) => *skip = skip.saturating_sub(1),
            Some(Action::PageUp) => *skip = skip.saturating_sub(10),
            Some(Action::Home) => *skip = 0,
            _ => return true,
        }
        false
    }

    /// Draws it over the whole screen.
    pub fn draw(&self, frame: &mut Frame<'_>, scene: &Scene<'_>, ctx: &ViewCtx<'_>) {
        let area = frame.area();
        match self {
            Self::Dialog(_, dialog) => dialog.draw(frame, area, ctx),
            Self::Help { context, skip } => help::draw(frame, area, *context, *skip, ctx),
            Self::Trace { skip } => {
                if let Some(cart) = scene.cart {
                    draw_trace(frame, cart, *skip, scene, ctx);
                }
            }
        }
    }
}

fn draw_trace(frame: &mut Frame<'_>, cart: &CartView, skip: usize, scene: &Scene<'_>, ctx: &ViewCtx<'_>) {
    let rows = price_trace::rows(&cart.trace, scene.menu.currency, ctx.locale);
    let area = frame.area();
    let wanted = u16::try_from(rows.len()).unwrap_or(u16::MAX).saturating_add(6);
    let size = (64.min(area.width), wanted.min(area.height.saturating_sub(2)));
    let inner = panel::overlay(frame, area, size, &ctx.locale.t("kiosk.how_it_adds_up"), ctx);
    let [_, body, _, keys] =
        Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1), Constraint::Length(1)])
            .areas(inner);
    let last = rows.len().saturating_sub(1);
    let skip = skip.min(rows.len().saturating_sub(usize::from(body.height)));
    let lines = rows.iter().enumerate().skip(skip).map(|(index, (words, amount))| {
        let (style, price) = if index == last {
            (ctx.style(Token::Text).add_modifier(Modifier::BOLD), ctx.style(Token::Price).add_modifier(Modifier::BOLD))
        } else {
            (ctx.style(Token::Text), ctx.style(Token::Price))
        };
        parts::two_sided(vec![Span::styled(words.clone(), style)], (amount.clone(), price), body.width)
    });
    frame.render_widget(Paragraph::new(lines.collect::<Vec<Line<'_>>>()), body);
    footer::draw(frame, keys, Context::Help, &[Action::Up, Action::Down, Action::Back], ctx);
}
