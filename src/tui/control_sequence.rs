//! What the parameters and the last byte of a control sequence stand for: numbers, modifiers, keys. Which bytes belong
//! to a sequence is the decoder's business.

use crossterm::event::{KeyCode, KeyEventKind, KeyModifiers};

/// The numbers of a control sequence: fields apart by `;`, each of parts apart by `:`. A part that is
/// empty or no number up to `u32::MAX` is `None`.
pub(super) struct Parameters(Vec<Vec<Option<u32>>>);

impl Parameters {
    /// Reads what stands between `ESC [` and the last byte.
    pub fn read(bytes: &[u8]) -> Self {
        let number = |part: &[u8]| std::str::from_utf8(part).ok()?.parse().ok();
        let parts = |field: &[u8]| field.split(|byte| *byte == b':').map(number).collect();
        Self(bytes.split(|byte| *byte == b';').map(parts).collect())
    }

    /// One part of one field.
    pub fn part(&self, field: usize, part: usize) -> Option<u32> {
        self.0.get(field)?.get(part).copied().flatten()
    }

    /// The first number of each field, up to the first that has none.
    pub fn first(&self) -> Vec<u32> {
        self.0.iter().map_while(|field| field.first().copied().flatten()).collect()
    }

    /// What was held, which is the second field; `None` if no terminal sends it so.
    pub fn modifiers(&self) -> Option<KeyModifiers> {
        let held = u8::try_from(self.part(1, 0).unwrap_or(1)).ok()?.saturating_sub(1);
        let mut modifiers = KeyModifiers::NONE;
        for (bit, modifier) in [
            (1, KeyModifiers::SHIFT),
            (2, KeyModifiers::ALT),
            (4, KeyModifiers::CONTROL),
            (8, KeyModifiers::SUPER),
            (16, KeyModifiers::HYPER),
            (32, KeyModifiers::META),
        ] {
            modifiers.set(modifier, held & bit != 0);
        }
        Some(modifiers)
    }

    /// Whether the key was pressed, repeated or released, which is the second part of the second field.
    pub fn kind(&self) -> KeyEventKind {
        match self.part(1, 1) {
            Some(2) => KeyEventKind::Repeat,
            Some(3) => KeyEventKind::Release,
            _ => KeyEventKind::Press,
        }
    }
}

/// The key of a sequence that ends with this letter.
pub(super) const fn letter_key(letter: u8) -> Option<KeyCode> {
    Some(match letter {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P' => KeyCode::F(1),
        b'Q' => KeyCode::F(2),
        b'R' => KeyCode::F(3),
        b'S' => KeyCode::F(4),
        _ => return None,
    })
}

/// The key of a sequence `ESC [ number ~`.
pub(super) fn numbered_key(number: u32) -> Option<KeyCode> {
    let function = |first: u32| u8::try_from(number.saturating_sub(first)).ok().map(KeyCode::F);
    match number {
        1 | 7 => Some(KeyCode::Home),
        2 => Some(KeyCode::Insert),
        3 => Some(KeyCode::Delete),
        4 | 8 => Some(KeyCode::End),
        5 => Some(KeyCode::PageUp),
        6 => Some(KeyCode::PageDown),
        11..=15 => function(10),
        17..=21 => function(11),
        23..=26 => function(12),
        28..=29 => function(15),
        31..=34 => function(17),
        _ => None,
    }
}
