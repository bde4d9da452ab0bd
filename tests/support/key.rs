//! The keys of a keyboard, and the bytes that a terminal sends for them.

/// A key that has a name. Everything else is sent as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Insert,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    /// F1 to F12.
    F(u8),
    /// With Ctrl held: a lower-case letter.
    Ctrl(char),
    /// With Alt held.
    Alt(char),
    /// A character by itself.
    Char(char),
}

impl Key {
    /// The bytes that a terminal sends for the key.
    pub fn bytes(self) -> String {
        let sequence = match self {
            Self::Enter => "\r",
            Self::Esc => "\x1b",
            Self::Tab => "\t",
            Self::BackTab => "\x1b[Z",
            Self::Backspace => "\x7f",
            Self::Delete => "\x1b[3~",
            Self::Insert => "\x1b[2~",
            Self::Up => "\x1b[A",
            Self::Down => "\x1b[B",
            Self::Left => "\x1b[D",
            Self::Right => "\x1b[C",
            Self::Home => "\x1b[H",
            Self::End => "\x1b[F",
            Self::PageUp => "\x1b[5~",
            Self::PageDown => "\x1b[6~",
            Self::F(number) => match number {
                1 => "\x1bOP",
                2 => "\x1bOQ",
                3 => "\x1bOR",
                4 => "\x1bOS",
                5 => "\x1b[15~",
                6 => "\x1b[17~",
                7 => "\x1b[18~",
                8 => "\x1b[19~",
                9 => "\x1b[20~",
                10 => "\x1b[21~",
                11 => "\x1b[23~",
                12 => "\x1b[24~",
                _ => panic!("no key F{number}"),
            },
            Self::Ctrl(letter) => {
                assert!(letter.is_ascii_lowercase(), "Ctrl goes with a lower-case letter, not {letter:?}");
                let letter = u8::try_from(letter).expect("it is ASCII");
                return char::from(letter & 0x1f).to_string();
            }
            Self::Alt(character) => return format!("\x1b{character}"),
            Self::Char(character) => return character.to_string(),
        };
        sequence.to_owned()
    }
}
