//! What the house refuses, in the words of the catalogue.
//!
//! A [`Refused`] says in English what is wrong and what can be done; the command line prints that as
//! it is. A screen asks here. The catalogue has the same English under a key (`guard.till_open`,
//! `refused_help.CONFLICT`, `sentence.tries`), with the refusal's details as values: where a key says
//! in English what the refusal says, its translation is shown. Where none does, the text of the code
//! is shown (`refused.CONFLICT`), which gets the refusal's own sentence as `{message}`. So English
//! screens say what the command line says, and no sentence is lost to a vaguer one. Only where a refusal
//! names a status or an event of the order machine, screens say it as they do everywhere ([`vocabulary`]).

use super::locale::Locale;
use super::{text, vocabulary};
use crate::domain::error::Refused;
use crate::domain::order::{EventKind, Status};
use serde_json::Value;
use std::fmt::Display;

/// The sections whose keys are found by what they say, not by a name in the program.
const GUARD: &str = "guard";
const GUARD_HELP: &str = "guard_help";
const CODE: &str = "refused";
const CODE_HELP: &str = "refused_help";
const SENTENCE: &str = "sentence";

/// A refusal in the words of a locale, cleaned for a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// What is wrong.
    pub message: String,
    /// What the person can do next.
    pub help: String,
}

/// In which words a key is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum In {
    /// The rules' own English, as the refusal was written.
    Rules,
    /// The words of the locale's screens.
    Screens,
}

/// What is wrong and what can be done, in the locale's words.
#[must_use]
pub fn words(refused: &Refused, locale: &Locale) -> Words {
    let code = refused.code.as_str();
    let guard = refused.guard.unwrap_or_default();
    let mut keys = vec![format!("{GUARD}.{guard}"), format!("{GUARD_HELP}.{guard}"), format!("{CODE_HELP}.{code}")];
    keys.extend(locale.keys().filter(|key| section(key) == SENTENCE).map(str::to_owned));
    let said = |own: &str| {
        let same = |key: &&String| locale.has(key) && render(key, refused, locale, In::Rules) == own;
        keys.iter().find(same).map(|key| render(key, refused, locale, In::Screens))
    };
    let (message, help) = (text::clean(&refused.message), text::clean(&refused.help));
    let by_code = || render(&format!("{CODE}.{code}"), refused, locale, In::Screens);
    Words { message: said(&message).unwrap_or_else(by_code), help: said(&help).unwrap_or(help) }
}

/// What is wrong and what can be done, as one text.
#[must_use]
pub fn sentence(refused: &Refused, locale: &Locale) -> String {
    let Words { message, help } = words(refused, locale);
    locale.t_args("common.refused", &[("message", &message), ("help", &help)])
}

fn section(key: &str) -> &str {
    key.split('.').next().unwrap_or_default()
}

/// The text of `key` with the refusal's sentence and details as values.
fn render(key: &str, refused: &Refused, locale: &Locale, words: In) -> String {
    let mut values = vec![("message", refused.message.clone())];
    for (name, value) in refused.details.as_object().into_iter().flatten() {
        let value = match value {
            Value::String(word) => of_the_machine(name, word, locale, words).unwrap_or_else(|| word.clone()),
            Value::Number(number) => number.to_string(),
            _ => continue,
        };
        values.push((name, value));
    }
    let values: Vec<(&str, &dyn Display)> = values.iter().map(|(name, value)| (*name, value as &dyn Display)).collect();
    match words {
        In::Rules => locale.english(key, &values),
        In::Screens => locale.t_args(key, &values),
    }
}

/// A detail that is a word of the order machine, as it is said; `None` for any other.
fn of_the_machine(name: &str, word: &str, locale: &Locale, words: In) -> Option<String> {
    let said = match name {
        "status" => vocabulary::status(Status::parse(word)?, locale),
        "event" => vocabulary::event(EventKind::parse(word)?, locale),
        _ => return None,
    };
    Some(if words == In::Screens { said } else { word.replace('_', " ") })
}

/// Whether the key is one of those that are found here.
#[cfg(test)]
pub(super) fn is_own(key: &str) -> bool {
    [GUARD, GUARD_HELP, CODE, CODE_HELP, SENTENCE].contains(&section(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::consumption::{insufficient_stock, not_on_menu};
    use crate::domain::error::ErrorCode;
    use crate::domain::order::Guard;

    fn english() -> Locale {
        Locale::load(None).expect("English")
    }

    /// The keys of a section, without its name.
    fn names<'l>(locale: &'l Locale, section: &str) -> Vec<&'l str> {
        let own = |key: &'l str| key.split_once('.').filter(|(own, _)| *own == section).map(|(_, name)| name);
        locale.keys().filter_map(own).collect()
    }

    #[test]
    fn every_guard_is_in_the_catalogue_and_says_there_what_the_rules_say() {
        let locale = english();
        let guards: Vec<&str> = names(&locale, GUARD);
        assert_eq!(guards.len(), Guard::ALL.len());
        for guard in Guard::ALL {
            assert_eq!(locale.t(&format!("{GUARD}.{guard}")), guard.words());
            let help = format!("{GUARD_HELP}.{guard}");
            let own = guard.help() != guard.code().help();
            assert_eq!(locale.has(&help), own, "{help}");
            assert!(!own || locale.t(&help) == guard.help(), "{help}");
        }
        assert!(names(&locale, GUARD_HELP).iter().all(|name| guards.contains(name)));
    }

    #[test]
    fn every_code_is_in_the_catalogue() {
        let locale = english();
        for code in ErrorCode::ALL {
            assert_eq!(locale.t(&format!("{CODE}.{code}")), "{message}");
            assert_eq!(locale.t(&format!("{CODE_HELP}.{code}")), code.help());
        }
        assert_eq!(names(&locale, CODE).len(), ErrorCode::ALL.len());
        assert_eq!(names(&locale, CODE_HELP).len(), ErrorCode::ALL.len());
    }

    #[test]
    fn english_screens_say_what_the_command_line_says() {
        let locale = english();
        let of_guards = Guard::ALL
            .iter()
            .map(|guard| Refused::new(guard.code(), guard.words()).by_guard(guard.as_str()).help(guard.help()));
        let specific = [
            Refused::new(ErrorCode::InsufficientStock, "Only 3 of Naan are left.").by_guard("stock_reserved"),
            Refused::not_found("order", "ORD-20260101-001"),
            Refused::internal("kept for the log"),
            Refused::invalid("{message}", "A {field} in braces stays.").help("{help}"),
        ];
        for refused in of_guards.chain(specific) {
            let Words { message, help } = words(&refused, &locale);
            assert_eq!((message, help), (refused.message.clone(), refused.help.clone()));
        }
    }

    #[test]
    fn a_translation_is_used_where_it_says_the_same() {
        let german = Locale::load(Some(
            "[guard]\nstock_reserved = \"Davon ist nicht genug da.\"\ntill_open = \"Die Kasse ist zu.\"\n\
             [guard_help]\ntill_open = \"Öffne sie zuerst.\"\n\
             [refused]\nINSUFFICIENT_STOCK = \"Nicht genug: {message}\"\n\
             [refused_help]\nILLEGAL_TRANSITION = \"Sieh noch einmal nach.\"\n\
             [sentence]\ntries = \"Warte {seconds} Sekunden.\"\n\
             stock_short = \"{item}: nur {available} statt {requested}.\"\nitem_gone = \"{item} gibt es nicht mehr.\"\n\
             not_found = \"{kind} {id} gibt es nicht.\"\n\
             illegal = \"Was {status} ist, kann man nicht {event}.\"\n\
             [status]\nout_for_delivery = \"unterwegs\"\n[event]\nhand_over = \"übergeben\"\n",
        ))
        .expect("German");
        let said = |refused: &Refused| {
            let Words { message, help } = words(refused, &german);
            [message, help]
        };
        let till = Guard::TillOpen;
        let refused = Refused::new(till.code(), till.words()).by_guard(till.as_str()).help(till.help());
        assert_eq!(said(&refused), ["Die Kasse ist zu.", "Öffne sie zuerst."]);
        let refused = Refused::new(ErrorCode::InsufficientStock, "3 are left.").by_guard("stock_reserved").help("Ask.");
        assert_eq!(said(&refused), ["Nicht genug: 3 are left.", "Ask."]);
        let refused = Refused::new(ErrorCode::RateLimited, "Too many tries. Wait 7 seconds.").with("seconds", 7);
        assert_eq!(said(&refused)[0], "Warte 7 Sekunden.");
        assert_eq!(said(&insufficient_stock("Naan", 3, 5))[0], "Naan: nur 3 statt 5.");
        assert_eq!(said(&not_on_menu("Naan"))[0], "Naan gibt es nicht mehr.");
        assert_eq!(said(&Refused::not_found("terminal", "bar"))[0], "terminal bar gibt es nicht.");
        let refused =
            Refused::new(ErrorCode::IllegalTransition, "An order that is out for delivery cannot take 'hand over'.")
                .with("status", "out_for_delivery")
                .with("event", "hand_over");
        assert_eq!(said(&refused), ["Was unterwegs ist, kann man nicht übergeben.", "Sieh noch einmal nach."]);
    }

    #[test]
    fn an_order_is_called_on_screens_as_everywhere_on_screens() {
        let refused =
            Refused::new(ErrorCode::IllegalTransition, "An order that is preparing cannot take 'mark ready'.")
                .with("status", "preparing")
                .with("event", "mark_ready");
        assert_eq!(words(&refused, &english()).message, "An order that is cooking cannot take 'Ready'.");
        let other = Refused::invalid("status", "Nobody knows the status 'burnt'.").with("status", "burnt");
        assert_eq!(words(&other, &english()).message, "Nobody knows the status 'burnt'.");
    }

    #[test]
    fn nothing_dangerous_comes_through() {
        let refused = Refused::invalid("name", "Bad\u{1b}[2J\u{202e}name").help("Try\u{200b}again\u{7}");
        let Words { message, help } = words(&refused, &english());
        assert!(!message.chars().chain(help.chars()).any(|c| c.is_control() || c == '\u{202e}' || c == '\u{200b}'));
    }
}
