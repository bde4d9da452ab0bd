//! The catalogue of every string that a screen shows: English built in, another language a file.
//!
//! Keys are `section.name`. A missing translation falls back to English, a key that no catalogue
//! has is shown as itself so that it is noticed. Values put into a sentence are cleaned here, so
//! that a name from the store cannot bring control characters along.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

/// English: complete, by test.
const ENGLISH: &str = include_str!("../../assets/locales/en.toml");

/// Why a locale file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocaleError {
    /// The file is not TOML of the expected shape.
    #[error("the locale cannot be read: {0}")]
    Syntax(String),
    /// The file translates something that is not there.
    #[error("the locale translates \"{0}\", which is not a text of this program")]
    UnknownKey(String),
    /// The file uses a value that the sentence does not get.
    #[error("the locale's \"{key}\" uses {{{name}}}, which the English text does not have")]
    UnknownValue {
        /// The key.
        key: String,
        /// The name between the braces.
        name: String,
    },
}

/// One text, or two for singular and plural.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(untagged)]
enum Message {
    One(String),
    Plural { one: String, other: String },
}

impl Message {
    fn forms(&self) -> [&str; 2] {
        match self {
            Self::One(text) => [text, text],
            Self::Plural { one, other } => [one, other],
        }
    }
}

/// A loaded catalogue. Immutable: the whole house shares one.
#[derive(Debug, Clone)]
pub struct Locale {
    messages: BTreeMap<String, Message>,
    /// The English of what a translation replaced.
    replaced: BTreeMap<String, Message>,
}

impl Locale {
    /// English, with the texts of `translation` (a file's content) in place of those that it has.
    ///
    /// # Errors
    /// [`LocaleError`] for a file that cannot be read, or that has keys or values of its own.
    pub fn load(translation: Option<&str>) -> Result<Self, LocaleError> {
        let (mut messages, mut replaced) = (parse(ENGLISH)?, BTreeMap::new());
        for (key, message) in translation.map(parse).transpose()?.unwrap_or_default() {
            let Some(english) = messages.get(&key) else {
                return Err(LocaleError::UnknownKey(super::text::clean(&key)));
            };
            let known: Vec<&str> = english.forms().into_iter().flat_map(placeholders).collect();
            let plural = matches!(english, Message::Plural { .. });
            for name in message.forms().into_iter().flat_map(placeholders) {
                let given = known.contains(&name) || (plural && name == "count");
                if !given {
                    return Err(LocaleError::UnknownValue { key, name: super::text::clean(name) });
                }
            }
            if let Some(english) = messages.insert(key.clone(), message) {
                replaced.insert(key, english);
            }
        }
        Ok(Self { messages, replaced })
    }

    /// The text of `key`; of a plural text the plural. A key that does not exist is shown as
    /// itself, in brackets.
    #[must_use]
    pub fn t(&self, key: &str) -> String {
        render(key, self.messages.get(key), None, &[])
    }

    /// The text of `key` with `{name}` replaced by the values, cleaned.
    #[must_use]
    pub fn t_args(&self, key: &str, args: &[(&str, &dyn Display)]) -> String {
        render(key, self.messages.get(key), None, args)
    }

    /// What [`Locale::t_args`] would say in English, whatever the language is: to know a sentence
    /// that comes from elsewhere.
    #[must_use]
    pub fn english(&self, key: &str, args: &[(&str, &dyn Display)]) -> String {
        render(key, self.replaced.get(key).or_else(|| self.messages.get(key)), None, args)
    }

    /// The text of `key` in the form for `count`, which is also there as `{count}`.
    #[must_use]
    pub fn t_plural(&self, key: &str, count: i64, args: &[(&str, &dyn Display)]) -> String {
        render(key, self.messages.get(key), Some(count), args)
    }

    /// Whether the catalogue has the key.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.messages.contains_key(key)
    }

    /// Every key, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.messages.keys().map(String::as_str)
    }
}

fn render(key: &str, message: Option<&Message>, count: Option<i64>, args: &[(&str, &dyn Display)]) -> String {
    let Some(message) = message else { return format!("⟦{key}⟧") };
    let [one, other] = message.forms();
    fill(if count == Some(1) { one } else { other }, |name, out| {
        if let Some((_, value)) = args.iter().find(|(known, _)| *known == name) {
            out.push_str(&super::text::clean(&value.to_string()));
            return true;
        }
        if let Some(number) = count.filter(|_| name == "count") {
            return write!(out, "{number}").is_ok();
        }
        false
    })
}

/// Copies `text`, handing each `{name}` to `value`; a name that it does not know stays visible.
fn fill(text: &str, value: impl Fn(&str, &mut String) -> bool) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(16));
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        match after.split_once('}') {
            Some((name, tail)) => {
                if !value(name, &mut out) {
                    let _ = write!(out, "{{{name}}}");
                }
                rest = tail;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn placeholders(text: &str) -> Vec<&str> {
    text.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name)).collect()
}

fn parse(text: &str) -> Result<BTreeMap<String, Message>, LocaleError> {
    let sections: BTreeMap<String, BTreeMap<String, Message>> =
        toml::from_str(text).map_err(|error| LocaleError::Syntax(super::text::clean(&error.to_string())))?;
    let mut messages = BTreeMap::new();
    for (section, entries) in sections {
        for (name, message) in entries {
            let message = match message {
                Message::One(text) => Message::One(super::text::clean(&text)),
                Message::Plural { one, other } => {
                    Message::Plural { one: super::text::clean(&one), other: super::text::clean(&other) }
                }
            };
            messages.insert(format!("{section}.{name}"), message);
        }
    }
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keymap::Action;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// The program's sources without their test modules, which stand last in each file.
    fn sources(folder: &Path, into: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("source folder") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                sources(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("source");
                into.push(text.split("#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned());
            }
        }
    }

    fn program() -> Vec<String> {
        let mut texts = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut texts);
        assert!(texts.len() > 20, "the sources were not found");
        texts
    }

    /// The literals that stand as first argument of a call to one of the look-up functions.
    fn looked_up(source: &str) -> Vec<String> {
        let mut keys = Vec::new();
        for call in [".t(", ".t_args(", ".t_plural("] {
            for (at, _) in source.match_indices(call) {
                let after = source[at + call.len()..].trim_start();
                if let Some(literal) = after.strip_prefix('"').and_then(|rest| rest.split('"').next()) {
                    keys.push(literal.to_owned());
                }
            }
        }
        keys
    }

    #[test]
    fn every_key_used_in_the_program_exists() {
        let english = Locale::load(None).expect("English");
        let missing: BTreeSet<String> =
            program().iter().flat_map(|source| looked_up(source)).filter(|key| !english.has(key)).collect();
        assert!(missing.is_empty(), "not in assets/locales/en.toml: {missing:?}");
        let labels = Action::ALL.iter().chain([&Action::Digit(1)]).map(|action| action.label_key());
        let missing: Vec<&str> = labels.filter(|key| !english.has(key)).collect();
        assert!(missing.is_empty(), "actions without words: {missing:?}");
    }

    #[test]
    fn no_key_is_without_a_use() {
        let english = Locale::load(None).expect("English");
        let program = program().concat();
        let labels: BTreeSet<&str> =
            Action::ALL.iter().chain([&Action::Digit(1)]).map(|action| action.label_key()).collect();
        // What the house refuses is found by name: the tests of `refusal` say which texts it may have.
        let unused: Vec<&str> = english
            .keys()
            .filter(|key| !labels.contains(key) && !crate::tui::refusal::is_own(key))
            .filter(|key| !crate::tui::vocabulary::is_own(key))
            .filter(|key| !program.contains(&format!("\"{key}\"")))
            .collect();
        assert!(unused.is_empty(), "nobody shows: {unused:?}");
    }

    /// `text` with every value unnamed.
    fn unnamed(text: &str) -> String {
        let is_word = |name: &&str| name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        let names: BTreeSet<&str> = placeholders(text).into_iter().filter(is_word).collect();
        names.iter().fold(text.to_owned(), |text, name| text.replace(&format!("{{{name}}}"), "{}"))
    }

    #[test]
    fn every_sentence_of_the_house_is_said_by_its_source() {
        let program: String = program().iter().map(|source| unnamed(source)).collect();
        let english = Locale::load(None).expect("English");
        let mut sentences = english.keys().filter(|key| key.starts_with("sentence.")).peekable();
        assert!(sentences.peek().is_some());
        let unsaid: Vec<&str> =
            sentences.filter(|key| !program.contains(&format!("\"{}\"", unnamed(&english.t(key))))).collect();
        assert!(unsaid.is_empty(), "nobody says: {unsaid:?}");
    }

    #[test]
    fn the_scanner_sees_calls_over_line_breaks() {
        assert_eq!(looked_up("x.t(\"a.b\"); y.t_args(\n    \"c.d\", &[]); z.t(key)"), ["a.b", "c.d"]);
    }

    #[test]
    fn values_are_put_in_and_cleaned() {
        let filled = fill("Hello {name}, {unknown} {open", |name, out| {
            if name == "name" {
                out.push('X');
            }
            name == "name"
        });
        assert_eq!(filled, "Hello X, {unknown} {open");
        let english = Locale::load(None).expect("English");
        let text = english.t_args("common.too_small_now", &[("width", &"2\u{1b}[2J"), ("height", &5)]);
        assert!(text.contains("2[2J") && text.contains('5') && !text.contains('\u{1b}'));
        assert_eq!(english.t("no.such"), "⟦no.such⟧");
    }

    #[test]
    fn plurals_follow_the_count() {
        let english = Locale::load(None).expect("English");
        assert_ne!(
            english.t_plural("common.characters_left", 1, &[]),
            english.t_plural("common.characters_left", 2, &[])
        );
        assert!(english.t_plural("common.characters_left", 12, &[]).contains("12"));
    }

    #[test]
    fn a_translation_replaces_what_it_has_and_may_not_invent() {
        let german = Locale::load(Some("[common]\nyes = \"Ja\"\n")).expect("German");
        assert_eq!(german.t("common.yes"), "Ja");
        assert_eq!(german.t("common.no"), "No");
        assert!(Locale::load(Some("[common]\nyess = \"Ja\"")).is_err());
        assert!(Locale::load(Some("[common]\nyes = \"Ja {name}\"")).is_err());
        assert!(Locale::load(Some("yes")).is_err());
    }
}
