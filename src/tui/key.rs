//! One key press, as an application and the key map see it, and its written form (`"ctrl+q"`).
//!
//! Nothing of a transport shows through: a local terminal, an SSH channel and a test all make
//! [`KeyPress`] values. What a key means is the key map's business.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::fmt;
use std::str::FromStr;

/// A key, without its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A printable character, as typed (upper case with shift).
    Char(char),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Insert.
    Insert,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// A function key.
    F(u8),
}

/// The keys that have a name in files, with that name.
const NAMED: [(Key, &str); 17] = [
    (Key::Enter, "enter"),
    (Key::Esc, "esc"),
    (Key::Tab, "tab"),
    (Key::BackTab, "shift+tab"),
    (Key::Backspace, "backspace"),
    (Key::Delete, "delete"),
    (Key::Insert, "insert"),
    (Key::Up, "up"),
    (Key::Down, "down"),
    (Key::Left, "left"),
    (Key::Right, "right"),
    (Key::Home, "home"),
    (Key::End, "end"),
    (Key::PageUp, "pageup"),
    (Key::PageDown, "pagedown"),
    (Key::Char(' '), "space"),
    (Key::Char('+'), "plus"),
];

/// A key press: the key and the modifiers held with it. Shift is part of the character itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPress {
    /// The key.
    pub key: Key,
    /// Control was held.
    pub ctrl: bool,
    /// Alt was held.
    pub alt: bool,
}

impl KeyPress {
    /// A key without modifiers.
    #[must_use]
    pub const fn plain(key: Key) -> Self {
        Self { key, ctrl: false, alt: false }
    }

    /// A key with control held.
    #[must_use]
    pub const fn ctrl(key: Key) -> Self {
        Self { key, ctrl: true, alt: false }
    }

    /// The character that this press would write into a text field.
    #[must_use]
    pub const fn printable(self) -> Option<char> {
        match self.key {
            Key::Char(character) if !self.ctrl && !self.alt => Some(character),
            _ => None,
        }
    }

    /// The press that a terminal event stands for; `None` for keys that the house does not know.
    /// Whether it was pressed, repeated or released is not looked at here.
    #[must_use]
    pub fn from_event(event: &KeyEvent) -> Option<Self> {
        let key = match event.code {
            KeyCode::Char(character) => Key::Char(character),
            KeyCode::Enter => Key::Enter,
            KeyCode::Esc => Key::Esc,
            KeyCode::BackTab => Key::BackTab,
            KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => Key::BackTab,
            KeyCode::Tab => Key::Tab,
            KeyCode::Backspace => Key::Backspace,
            KeyCode::Delete => Key::Delete,
            KeyCode::Insert => Key::Insert,
            KeyCode::Up => Key::Up,
            KeyCode::Down => Key::Down,
            KeyCode::Left => Key::Left,
            KeyCode::Right => Key::Right,
            KeyCode::Home => Key::Home,
            KeyCode::End => Key::End,
            KeyCode::PageUp => Key::PageUp,
            KeyCode::PageDown => Key::PageDown,
            KeyCode::F(number) => Key::F(number),
            _ => return None,
        };
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let alt = event.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::META | KeyModifiers::SUPER);
        Some(Self { key, ctrl, alt })
    }

    /// The short form for hints on a screen: arrows as arrows, the rest as people call them.
    #[must_use]
    pub fn label(self) -> String {
        let key = match self.key {
            Key::Up => "↑".to_owned(),
            Key::Down => "↓".to_owned(),
            Key::Left => "←".to_owned(),
            Key::Right => "→".to_owned(),
            Key::Enter => "Enter".to_owned(),
            Key::Esc => "Esc".to_owned(),
            Key::Tab => "Tab".to_owned(),
            Key::BackTab => "Shift+Tab".to_owned(),
            Key::Backspace => "Backspace".to_owned(),
            Key::Delete => "Del".to_owned(),
            Key::Insert => "Ins".to_owned(),
            Key::Home => "Home".to_owned(),
            Key::End => "End".to_owned(),
            Key::PageUp => "PgUp".to_owned(),
            Key::PageDown => "PgDn".to_owned(),
            Key::F(number) => format!("F{number}"),
            Key::Char(' ') => "Space".to_owned(),
            Key::Char(character) if self.ctrl || self.alt => character.to_uppercase().to_string(),
            Key::Char(character) => character.to_string(),
        };
        format!("{}{}{key}", if self.ctrl { "Ctrl+" } else { "" }, if self.alt { "Alt+" } else { "" })
    }
}

impl fmt::Display for KeyPress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("ctrl+")?;
        }
        if self.alt {
            f.write_str("alt+")?;
        }
        if let Some((_, name)) = NAMED.iter().find(|(key, _)| *key == self.key) {
            return f.write_str(name);
        }
        match self.key {
            Key::Char(character) => write!(f, "{character}"),
            Key::F(number) => write!(f, "f{number}"),
            _ => Ok(()),
        }
    }
}

/// A key name in a file that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is not a key: write one character, a name such as enter, esc, tab, space, up, delete, f5, or ctrl+ and a letter"
)]
pub struct UnknownKey(pub String);

impl FromStr for KeyPress {
    type Err = UnknownKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownKey(super::text::clean(text));
        let (mut ctrl, mut alt, mut rest) = (false, false, text);
        loop {
            if let Some(after) = rest.strip_prefix("ctrl+").filter(|after| !after.is_empty()) {
                (ctrl, rest) = (true, after);
            } else if let Some(after) = rest.strip_prefix("alt+").filter(|after| !after.is_empty()) {
                (alt, rest) = (true, after);
            } else {
                break;
            }
        }
        if let Some((key, _)) = NAMED.iter().find(|(_, name)| *name == rest) {
            return Ok(Self { key: *key, ctrl, alt });
        }
        let mut characters = rest.chars();
        let key = match (characters.next(), characters.next()) {
            (Some(character), None) if !character.is_control() => Key::Char(character),
            (Some('f'), Some(_)) => match rest.get(1..).and_then(|digits| digits.parse::<u8>().ok()) {
                Some(number @ 1..=12) => Key::F(number),
                _ => return Err(unknown()),
            },
            _ => return Err(unknown()),
        };
        Ok(Self { key, ctrl, alt })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_keys_read_back_as_themselves() {
        for text in ["enter", "shift+tab", "a", "A", "/", "?", "plus", "-", "space", "ctrl+q", "f5", "alt+x", "é"] {
            let press: KeyPress = text.parse().expect(text);
            assert_eq!(press.to_string(), text);
        }
        assert_eq!("+".parse::<KeyPress>().expect("plus"), KeyPress::plain(Key::Char('+')));
        assert_eq!("ctrl++".parse::<KeyPress>().expect("ctrl plus"), KeyPress::ctrl(Key::Char('+')));
    }

    #[test]
    fn nonsense_is_refused_with_its_name() {
        for text in ["", "enterr", "f0", "f13", "ctrl+", "\u{1b}", "xy"] {
            assert!(text.parse::<KeyPress>().is_err(), "{text:?}");
        }
    }
}
