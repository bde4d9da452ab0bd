//! Nothing that a person, a file or a stored row brings can break a screen: random texts, keys,
//! sizes and files through every piece of `tui`, and no hostile character on any frame.

use proptest::prelude::*;
use ratatui::layout::{Alignment, Rect, Size};
use ratatui::style::Style;
use ratatui::text::Line;
use servery::domain::time::Timestamp;
use servery::tui::app::{Env, Hit, Input};
use servery::tui::key::{Key, KeyPress};
use servery::tui::keymap::{Action, Context, Keymap};
use servery::tui::locale::Locale;
use servery::tui::testing::{drawn, ui};
use servery::tui::text;
use servery::tui::theme::{Background, ColorProfile, Theme, Token};
use servery::tui::widgets::dialog::Dialog;
use servery::tui::widgets::input::TextInput;
use servery::tui::widgets::list::{ListLook, ListState};
use servery::tui::widgets::toast::Toast;
use servery::tui::widgets::{badge, banner, big_digits, columns, countdown, footer, help, list, panel, too_small};

/// Text that is more often hostile than not.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        Just("\u{1b}[2J\u{1b}]0;x\u{7}".to_owned()),
        Just("\u{202e}\u{2066}\u{200b}\u{fe0f}".to_owned()),
        Just("寿司🍕é\u{301}\u{301}\u{301}\u{301}\u{301}".to_owned()),
        Just("👩\u{200d}👩\u{200d}👧 🇮🇳 \u{e0041}".to_owned()),
        Just("word \n\r\t ".to_owned()),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn key() -> impl Strategy<Value = KeyPress> {
    let named = prop::sample::select(vec![
        Key::Enter,
        Key::Tab,
        Key::BackTab,
        Key::Backspace,
        Key::Delete,
        Key::Up,
        Key::Down,
        Key::Left,
        Key::Right,
        Key::Home,
        Key::End,
        Key::PageUp,
        Key::PageDown,
    ]);
    let any_key = prop_oneof![named, any::<char>().prop_map(Key::Char)];
    (any_key, any::<bool>(), any::<bool>()).prop_map(|(key, ctrl, alt)| KeyPress { key, ctrl, alt })
}

proptest! {
    #[test]
    fn cleaned_text_is_harmless_and_fits(words in hostile(), width in 0_usize..60) {
        let clean = text::clean(&words);
        prop_assert!(!clean.chars().any(text::is_hostile));
        prop_assert!(text::display_width(&text::truncate_to_width(&clean, width)) <= width);
        prop_assert_eq!(text::display_width(&text::fit_to_width(&clean, width)), width);
        for row in text::wrap(&words, width) {
            prop_assert!(text::display_width(&row) <= width);
        }
    }

    #[test]
    fn every_piece_draws_at_every_size_with_every_text(
        words in hostile(), width in 1_u16..100, height in 1_u16..40, place in any::<usize>(), left in any::<i64>(),
    ) {
        let dialogs = [
            Dialog::choice(words.clone(), words.clone(), vec![words.clone(); 12]),
            Dialog::text(words.clone(), words.clone(), TextInput::new(60).with_value(&words)),
        ];
        let mut toast = Toast::default();
        toast.show(words.clone(), Token::Danger, Timestamp(0));
        let mut state = ListState::default();
        state.select(place);
        let look = ListLook { name: "list", row_height: height % 5, active: true };
        let seen = drawn(width, height, |frame, ctx| {
            let area = frame.area();
            list::draw(frame, area, &state, 200, look, ctx, |_, width| {
                let cells = [(words.as_str(), Style::default()); 3];
                vec![columns::row(&[columns::Column::Left(9), columns::Column::Fill, columns::Column::Right(9)], &cells, width)]
            });
            big_digits::draw(frame, area, &words, Style::default(), Alignment::Center);
            banner::draw(frame, area, &banner::Banner::Words(words.clone(), Token::Badge), ctx);
            countdown::draw(frame, area, left, left.wrapping_mul(3), ctx);
            frame.render_widget(Line::from(badge::span(&words, Token::Badge, ctx)), area);
            footer::draw(frame, area, Context::Kitchen, Action::ALL, ctx);
            panel::draw(frame, area, &words, true, ctx);
            toast.draw(frame, area, ctx);
            help::draw(frame, area, Context::Kitchen, place, ctx);
            too_small::draw(frame, area, Size::new(60, 20), ctx);
            for dialog in &dialogs {
                dialog.draw(frame, area, ctx);
            }
        });
        prop_assert!(!seen.chars().any(|character| character != '\n' && text::is_hostile(character)));
    }

    #[test]
    fn dialogs_and_fields_take_any_keys(keys in prop::collection::vec(key(), 0..60), pasted in hostile()) {
        let ui = ui();
        let env = Env::new(&ui, Size::new(80, 24), Timestamp(0));
        let mut text_dialog = Dialog::text("t", "b", TextInput::new(20));
        let mut choice = Dialog::choice("t", "b", vec!["one".to_owned(), "two".to_owned()]);
        let mut field = TextInput::new(20);
        for key in keys {
            for dialog in [&mut text_dialog, &mut choice] {
                dialog.on_input::<()>(&Input::Key(key), &env);
                dialog.on_input::<()>(&Input::Paste(pasted.clone()), &env);
            }
            field.on_key(key);
            field.paste(&pasted);
            prop_assert!(field.value().chars().count() <= 20);
            prop_assert!(!field.value().chars().any(text::is_hostile));
        }
        let hit = Some(Hit::Row { list: "dialog", index: usize::MAX });
        choice.on_input::<()>(&Input::Click { column: u16::MAX, row: u16::MAX, hit }, &env);
        drawn(30, 10, |frame, ctx| field.draw(frame, Rect::new(3, 3, 9, 1), ctx));
    }

    #[test]
    fn files_are_read_or_refused(words in hostile()) {
        let value = words.replace(['"', '\\'], "");
        let table = format!("[menu]\nopen_cart = [\"{value}\"]\n[accent]\nforeground = \"{value}\"\n[common]\nyes = \"{value}\"\n");
        for content in [words.as_str(), table.as_str()] {
            let results = [
                Keymap::load(Some(content)).err().map(|error| error.to_string()),
                Theme::load(Background::Dark, ColorProfile::Ansi256, Some(content)).err().map(|error| error.to_string()),
                Locale::load(Some(content)).err().map(|error| error.to_string()),
            ];
            for error in results.into_iter().flatten() {
                prop_assert!(!error.chars().any(text::is_hostile), "{error:?}");
            }
        }
    }
}
