//! The bytes that a terminal sends, as events: a pure state machine over one byte at a time.
//!
//! Whoever is at the other end of the line may send anything, so nothing here trusts it: a sequence
//! is kept up to [`SEQUENCE_LIMIT`] bytes and a paste up to [`PASTE_KEPT`], the rest is swallowed
//! where it comes; numbers that no terminal sends make no event; what was begun and not finished
//! ends when [`Decoder::silent`] is told that nothing more came. Reading the terminal and the time
//! are in `local_input`, what an event means is the runtime's business.

use super::control_sequence::{Parameters, letter_key, numbered_key};
use super::runtime::PASTE_LIMIT;
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use std::collections::VecDeque;
use std::time::Duration;

/// The most bytes of one control sequence that are kept; a longer one makes no event.
pub const SEQUENCE_LIMIT: usize = 64;
/// The most bytes of one paste that are kept: what a screen gets, and the rest of its last character.
pub const PASTE_KEPT: usize = PASTE_LIMIT + 3;
/// Nothing more of a sequence for so long: its rest does not come. A terminal sends one at once.
const SEQUENCE_SILENCE: Duration = Duration::from_millis(250);
/// The same after a lone escape, which is the key when nothing follows: long enough for the rest of a sequence that the
/// kernel or a line hands over in two pieces, too short for a person to notice.
const ESCAPE_SILENCE: Duration = Duration::from_millis(20);
/// The same for a paste, which may come in pieces over a slow line.
const PASTE_SILENCE: Duration = Duration::from_secs(3);
/// What ends a paste.
const PASTE_END: &[u8] = b"\x1b[201~";
const ESCAPE: u8 = 0x1b;

/// What was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ground,
    /// After an escape.
    Escape,
    /// After `ESC O`.
    SingleShift,
    /// After `ESC [`, with what follows kept.
    Control,
    /// A control sequence that is too long.
    Swallowed,
    /// After `ESC ]`, `ESC P`, `ESC X`, `ESC ^` or `ESC _`: a string of the terminal (an answer that an earlier program
    /// asked for), by the byte that began it and how many came since. It makes no event.
    Text {
        first: u8,
        length: usize,
    },
    /// An escape within such a string: its end, or something new.
    TextEscape,
    /// After `ESC [ [`: a function key of the Linux console.
    LinuxFunction,
    /// After `ESC [ M`: three bytes of an old mouse report follow.
    OldMouse,
    /// A character of several bytes, after an escape or not.
    Character {
        alt: bool,
        length: usize,
    },
    /// A paste, and how many bytes of its end were seen.
    Paste {
        end: usize,
    },
}

/// Makes events of bytes.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    /// What is kept of the unfinished sequence, character or paste.
    kept: Vec<u8>,
    events: VecDeque<Event>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { state: State::Ground, kept: Vec::new(), events: VecDeque::new() }
    }
}

impl Decoder {
    /// Takes bytes in the order in which they came. No byte makes more than two events.
    pub fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.take(*byte);
        }
    }

    /// The next event.
    pub fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// How long the rest of what was begun is waited for; `None` where nothing was.
    #[must_use]
    pub const fn patience(&self) -> Option<Duration> {
        match self.state {
            State::Ground => None,
            State::Escape => Some(ESCAPE_SILENCE),
            State::Paste { .. } => Some(PASTE_SILENCE),
            _ => Some(SEQUENCE_SILENCE),
        }
    }

    /// Says that nothing more came for as long as [`Decoder::patience`] said: an escape is the
    /// key, whoever pressed Alt and a bracket gets that key, a paste ends with what came, everything else is dropped. Without
    /// this, five keys that anybody can press (`Alt+[`, `2`, `0`, `0`, `~`) would make a screen deaf.
    pub fn silent(&mut self) {
        let state = std::mem::replace(&mut self.state, State::Ground);
        match state {
            State::Ground => {}
            State::Escape => self.key(KeyCode::Esc, KeyModifiers::NONE),
            State::SingleShift => self.key(KeyCode::Char('O'), KeyModifiers::ALT),
            State::Control if self.kept.is_empty() => self.key(KeyCode::Char('['), KeyModifiers::ALT),
            State::Text { first, length: 0 } => self.key(KeyCode::Char(char::from(first)), KeyModifiers::ALT),
            State::Paste { .. } => self.paste(),
            _ => {}
        }
        self.forget();
    }

    fn take(&mut self, byte: u8) {
        match self.state {
            State::Ground => self.ground(byte, false),
            State::Escape => match byte {
                b'[' => self.state = State::Control,
                b'O' => self.state = State::SingleShift,
                b']' | b'P' | b'X' | b'^' | b'_' => self.state = State::Text { first: byte, length: 0 },
                // The first one was the key; the second may begin something.
                ESCAPE => self.key(KeyCode::Esc, KeyModifiers::NONE),
                // The Linux console's Shift+Tab.
                b'\t' => {
                    self.state = State::Ground;
                    self.key(KeyCode::BackTab, KeyModifiers::SHIFT);
                }
                _ => self.ground(byte, true),
            },
            State::SingleShift => {
                self.state = State::Ground;
                match byte {
                    ESCAPE => self.state = State::Escape,
                    _ => {
                        if let Some(code) = letter_key(byte) {
                            self.key(code, KeyModifiers::NONE);
                        }
                    }
                }
            }
            State::Control => self.control(byte),
            State::Swallowed => match byte {
                ESCAPE => self.state = State::Escape,
                0x40..=0x7e => self.state = State::Ground,
                _ => {}
            },
            State::Text { first, length } => {
                self.state = match byte {
                    ESCAPE => State::TextEscape,
                    0x07 => State::Ground,
                    _ if length < SEQUENCE_LIMIT => State::Text { first, length: length.saturating_add(1) },
                    _ => State::Ground,
                };
            }
            State::TextEscape => {
                self.state = State::Escape;
                if byte == b'\\' {
                    self.state = State::Ground;
                } else {
                    self.take(byte);
                }
            }
            State::LinuxFunction => {
                self.state = if byte == ESCAPE { State::Escape } else { State::Ground };
                if let b'A'..=b'E' = byte {
                    self.key(KeyCode::F(byte.saturating_sub(b'A').saturating_add(1)), KeyModifiers::NONE);
                }
            }
            State::OldMouse => {
                self.kept.push(byte);
                if let [button, column, row] = *self.kept.as_slice() {
                    let place = |byte: u8| byte.checked_sub(33).map(u16::from);
                    let report = button.checked_sub(32).zip(place(column)).zip(place(row));
                    if let Some(((button, column), row)) = report {
                        self.mouse(button, column, row, true);
                    }
                    self.state = State::Ground;
                    self.forget();
                }
            }
            State::Character { alt, length } => {
                if byte & 0b1100_0000 != 0b1000_0000 {
                    // The character was cut off: what comes now is something of its own.
                    self.forget();
                    self.state = State::Ground;
                    return self.ground(byte, false);
                }
                self.kept.push(byte);
                if self.kept.len() >= length {
                    self.state = State::Ground;
                    let character = std::str::from_utf8(&self.kept).ok().and_then(|text| text.chars().next());
                    self.forget();
                    if let Some(character) = character {
                        self.character(character, alt);
                    }
                }
            }
            State::Paste { end } => self.pasted(byte, end),
        }
    }

    /// A byte that continues nothing.
    fn ground(&mut self, byte: u8, alt: bool) {
        self.state = State::Ground;
        let modifiers = if alt { KeyModifiers::ALT } else { KeyModifiers::NONE };
        let control = modifiers | KeyModifiers::CONTROL;
        match byte {
            ESCAPE => self.state = State::Escape,
            b'\r' => self.key(KeyCode::Enter, modifiers),
            b'\t' => self.key(KeyCode::Tab, modifiers),
            // Which of the two a terminal sends is its setting; Ctrl+H is the first as well.
            0x08 | 0x7f => self.key(KeyCode::Backspace, modifiers),
            0 => self.key(KeyCode::Char(' '), control),
            0x01..=0x1a => self.key(KeyCode::Char(char::from(byte | 0x60)), control),
            0x1c..=0x1f => self.key(KeyCode::Char(char::from(byte.saturating_add(b'4' - 0x1c))), control),
            0x20..=0x7e => self.character(char::from(byte), alt),
            0xc2..=0xf4 => {
                let length = match byte {
                    0xc2..=0xdf => 2,
                    0xe0..=0xef => 3,
                    _ => 4,
                };
                self.state = State::Character { alt, length };
                self.kept.push(byte);
            }
            // No text begins with such a byte.
            _ => {}
        }
    }

    fn control(&mut self, byte: u8) {
        match byte {
            ESCAPE => {
                self.forget();
                self.state = State::Escape;
            }
            b'[' if self.kept.is_empty() => self.state = State::LinuxFunction,
            b'M' if self.kept.is_empty() => self.state = State::OldMouse,
            0x20..=0x3f if self.kept.len() < SEQUENCE_LIMIT => self.kept.push(byte),
            0x20..=0x3f => {
                self.forget();
                self.state = State::Swallowed;
            }
            0x40..=0x7e => {
                self.state = State::Ground;
                let parameters = std::mem::take(&mut self.kept);
                self.sequence(&parameters, byte);
            }
            // Not part of any sequence: this one was given up.
            _ => {
                self.forget();
                self.ground(byte, false);
            }
        }
    }

    /// A control sequence that is whole.
    fn sequence(&mut self, parameters: &[u8], last: u8) {
        if let Some(report) = parameters.strip_prefix(b"<") {
            if let (b'M' | b'm', [button, column, row, ..]) = (last, Parameters::read(report).first().as_slice()) {
                self.mouse_at(*button, *column, *row, last == b'M');
            }
            return;
        }
        let numbers = Parameters::read(parameters);
        let Some(modifiers) = numbers.modifiers() else { return };
        let kind = numbers.kind();
        let first = numbers.first();
        let number = first.first().copied().unwrap_or(0);
        match last {
            b'~' if number == 200 => self.state = State::Paste { end: 0 },
            b'~' => {
                if let Some(code) = numbered_key(number) {
                    self.key_of_kind(code, modifiers, kind);
                }
            }
            b'u' => self.unicode_key(&numbers, modifiers, kind),
            b'M' => {
                if let [button, column, row, ..] = *first.as_slice()
                    && let Some(button) = button.checked_sub(32)
                {
                    self.mouse_at(button, column, row, true);
                }
            }
            b'Z' => self.key_of_kind(KeyCode::BackTab, modifiers | KeyModifiers::SHIFT, kind),
            b'I' if parameters.is_empty() => self.events.push_back(Event::FocusGained),
            b'O' if parameters.is_empty() => self.events.push_back(Event::FocusLost),
            // With a number this is where the cursor stands, which nobody asked.
            b'R' => {}
            _ => {
                if let Some(code) = letter_key(last) {
                    self.key_of_kind(code, modifiers, kind);
                }
            }
        }
    }

    /// A key by its code point, as terminals with the newer protocols send it.
    fn unicode_key(&mut self, numbers: &Parameters, modifiers: KeyModifiers, kind: KeyEventKind) {
        let shifted = numbers.part(0, 1).filter(|_| modifiers.contains(KeyModifiers::SHIFT));
        let number = numbers.part(0, 0).unwrap_or(0);
        let code = match number {
            9 if modifiers.contains(KeyModifiers::SHIFT) => Some(KeyCode::BackTab),
            9 => Some(KeyCode::Tab),
            13 | 57_414 => Some(KeyCode::Enter),
            27 => Some(KeyCode::Esc),
            127 => Some(KeyCode::Backspace),
            // The keypad.
            57_399..=57_408 => char::from_digit(number.saturating_sub(57_399), 10).map(KeyCode::Char),
            57_417 => Some(KeyCode::Left),
            57_418 => Some(KeyCode::Right),
            57_419 => Some(KeyCode::Up),
            57_420 => Some(KeyCode::Down),
            57_421 => Some(KeyCode::PageUp),
            57_422 => Some(KeyCode::PageDown),
            57_423 => Some(KeyCode::Home),
            57_424 => Some(KeyCode::End),
            57_425 => Some(KeyCode::Insert),
            57_426 => Some(KeyCode::Delete),
            // The other keys that are no characters.
            57_344..=63_743 => None,
            other => {
                char::from_u32(shifted.unwrap_or(other)).filter(|character| !character.is_control()).map(KeyCode::Char)
            }
        };
        if let Some(code) = code {
            self.key_of_kind(code, modifiers, kind);
        }
    }

    fn pasted(&mut self, byte: u8, end: usize) {
        if PASTE_END.get(end) == Some(&byte) {
            let end = end.saturating_add(1);
            self.state = State::Paste { end };
            if end == PASTE_END.len() {
                self.state = State::Ground;
                self.paste();
            }
            return;
        }
        // It was no end after all: what looked like one is part of the text.
        self.keep(PASTE_END.get(..end).unwrap_or_default());
        let begins = byte == ESCAPE;
        self.state = State::Paste { end: usize::from(begins) };
        if !begins {
            self.keep(&[byte]);
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = PASTE_KEPT.saturating_sub(self.kept.len());
        self.kept.extend(bytes.iter().take(room));
    }

    fn paste(&mut self) {
        let text = String::from_utf8_lossy(&self.kept).into_owned();
        self.events.push_back(Event::Paste(text));
        self.forget();
    }

    /// Drops what was kept, and the room of a paste with it.
    fn forget(&mut self) {
        self.kept.clear();
        self.kept.shrink_to(SEQUENCE_LIMIT);
    }

    fn character(&mut self, character: char, alt: bool) {
        if character.is_control() {
            return;
        }
        let mut modifiers = if alt { KeyModifiers::ALT } else { KeyModifiers::NONE };
        if character.is_uppercase() {
            modifiers |= KeyModifiers::SHIFT;
        }
        self.key(KeyCode::Char(character), modifiers);
    }

    fn key(&mut self, code: KeyCode, modifiers: KeyModifiers) {
        self.key_of_kind(code, modifiers, KeyEventKind::Press);
    }

    fn key_of_kind(&mut self, code: KeyCode, modifiers: KeyModifiers, kind: KeyEventKind) {
        self.events.push_back(Event::Key(KeyEvent::new_with_kind(code, modifiers, kind)));
    }

    /// A mouse report with places from 1.
    fn mouse_at(&mut self, button: u32, column: u32, row: u32, pressed: bool) {
        let place = |number: u32| number.checked_sub(1).and_then(|number| u16::try_from(number).ok());
        if let (Ok(button), Some(column), Some(row)) = (u8::try_from(button), place(column), place(row)) {
            self.mouse(button, column, row, pressed);
        }
    }

    /// A mouse report with places from 0. Moves are not asked for and make no event.
    fn mouse(&mut self, button: u8, column: u16, row: u16, pressed: bool) {
        const MOVES: u8 = 0b0010_0000;
        if button & MOVES != 0 {
            return;
        }
        let press = if pressed { MouseEventKind::Down } else { MouseEventKind::Up };
        let kind = match (button & 0b11) | ((button & 0b1100_0000) >> 4) {
            0 => press(MouseButton::Left),
            1 => press(MouseButton::Middle),
            2 => press(MouseButton::Right),
            // The old report does not say which button it was.
            3 => MouseEventKind::Up(MouseButton::Left),
            4 => MouseEventKind::ScrollUp,
            5 => MouseEventKind::ScrollDown,
            _ => return,
        };
        let mut modifiers = KeyModifiers::NONE;
        modifiers.set(KeyModifiers::SHIFT, button & 0b0100 != 0);
        modifiers.set(KeyModifiers::ALT, button & 0b1000 != 0);
        modifiers.set(KeyModifiers::CONTROL, button & 0b1_0000 != 0);
        self.events.push_back(Event::Mouse(MouseEvent { kind, column, row, modifiers }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The events of bytes that come at once, with nothing after them.
    fn decoded(bytes: &[u8]) -> Vec<Event> {
        let mut decoder = Decoder::default();
        decoder.feed(bytes);
        if decoder.patience() == Some(ESCAPE_SILENCE) {
            decoder.silent();
        }
        std::iter::from_fn(|| decoder.next_event()).collect()
    }

    fn key(code: KeyCode, modifiers: KeyModifiers) -> Event {
        Event::Key(KeyEvent::new(code, modifiers))
    }

    fn plain(code: KeyCode) -> Event {
        key(code, KeyModifiers::NONE)
    }

    fn click(column: u16, row: u16) -> Event {
        let kind = MouseEventKind::Down(MouseButton::Left);
        Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })
    }

    #[test]
    fn every_key_of_a_usual_terminal_is_known() {
        for (bytes, code) in [
            ("\x1b[A", KeyCode::Up),
            ("\x1bOB", KeyCode::Down),
            ("\x1b[C", KeyCode::Right),
            ("\x1bOD", KeyCode::Left),
            ("\x1b[H", KeyCode::Home),
            ("\x1b[4~", KeyCode::End),
            ("\x1b[2~", KeyCode::Insert),
            ("\x1b[3~", KeyCode::Delete),
            ("\x1b[5~", KeyCode::PageUp),
            ("\x1b[6~", KeyCode::PageDown),
            ("\x1bOP", KeyCode::F(1)),
            ("\x1b[[E", KeyCode::F(5)),
            ("\x1b[15~", KeyCode::F(5)),
            ("\x1b[21~", KeyCode::F(10)),
            ("\x1b[24~", KeyCode::F(12)),
            ("\r", KeyCode::Enter),
            ("\t", KeyCode::Tab),
            ("\x7f", KeyCode::Backspace),
            ("\x08", KeyCode::Backspace),
            ("\x1b", KeyCode::Esc),
            ("é", KeyCode::Char('é')),
            ("寿", KeyCode::Char('寿')),
            ("🍕", KeyCode::Char('🍕')),
            ("\x1b[57400u", KeyCode::Char('1')),
            ("\x1b[97u", KeyCode::Char('a')),
        ] {
            assert_eq!(decoded(bytes.as_bytes()), [plain(code)], "{bytes:?}");
        }
        assert_eq!(decoded(b"\x1b[Z"), [key(KeyCode::BackTab, KeyModifiers::SHIFT)]);
        assert_eq!(decoded(b"\x1b\t"), [key(KeyCode::BackTab, KeyModifiers::SHIFT)]);
        assert_eq!(decoded(b"Q"), [key(KeyCode::Char('Q'), KeyModifiers::SHIFT)]);
        assert_eq!(decoded(b"\x11"), [key(KeyCode::Char('q'), KeyModifiers::CONTROL)]);
        assert_eq!(decoded(b"\x1f"), [key(KeyCode::Char('7'), KeyModifiers::CONTROL)]);
        assert_eq!(decoded(b"\0"), [key(KeyCode::Char(' '), KeyModifiers::CONTROL)]);
        assert_eq!(decoded(b"\x1bx"), [key(KeyCode::Char('x'), KeyModifiers::ALT)]);
        assert_eq!(decoded(b"\x1b[1;5A"), [key(KeyCode::Up, KeyModifiers::CONTROL)]);
        assert_eq!(decoded(b"\x1b[97:65;2u"), [key(KeyCode::Char('A'), KeyModifiers::SHIFT)]);
        let released = KeyEvent::new_with_kind(KeyCode::Down, KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(decoded(b"\x1b[1;1:3B"), [Event::Key(released)]);
        assert_eq!(decoded(b"\x1b[I\x1b[O"), [Event::FocusGained, Event::FocusLost]);
        assert_eq!(decoded(b"\x1b\x1b[A"), [plain(KeyCode::Esc), plain(KeyCode::Up)]);
    }

    #[test]
    fn a_terminals_answers_to_others_are_no_keys() {
        for answer in ["\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\", "\x1b]10;?\x07", "\x1bP1$r0m\x1b\\", "\x1b_Gi=1;OK\x1b\\"] {
            assert_eq!(decoded(format!("{answer}x").as_bytes()), [plain(KeyCode::Char('x'))], "{answer:?}");
        }
        // Broken off by a key, or never ended: keys count again soon.
        assert_eq!(decoded(b"\x1b]11;rgb\x1b[A"), [plain(KeyCode::Up)]);
        let endless = [b"\x1b]".as_slice(), &[b'1'; SEQUENCE_LIMIT + 1], b"x"].concat();
        assert_eq!(decoded(&endless), [plain(KeyCode::Char('x'))]);
        // The same two bytes are what Alt and a key make.
        let mut decoder = Decoder::default();
        decoder.feed(b"\x1b]");
        assert_eq!(decoder.next_event(), None);
        decoder.silent();
        assert_eq!(decoder.next_event(), Some(key(KeyCode::Char(']'), KeyModifiers::ALT)));
    }

    #[test]
    fn clicks_have_places_and_impossible_ones_are_none() {
        assert_eq!(decoded(b"\x1b[<0;5;3M"), [click(4, 2)]);
        assert_eq!(decoded(b"\x1b[M %#"), [click(4, 2)]);
        assert_eq!(decoded(b"\x1b[32;5;3M"), [click(4, 2)]);
        assert!(matches!(decoded(b"\x1b[<65;1;1M").as_slice(), [Event::Mouse(mouse)]
            if mouse.kind == MouseEventKind::ScrollDown));
        for none in [
            "\x1b[<0;0;0M",
            "\x1b[<0;0;7m",
            "\x1b[<0;99999;1M",
            "\x1b[<0;1;4294967296M",
            "\x1b[<999;1;1M",
            "\x1b[<0;1M",
            "\x1b[<;;M",
            "\x1b[<35;6;3M",
            "\x1b[M   ",
            "\x1b[M\x01!!",
            "\x1b[32;0;0M",
            "\x1b[0;1;1M",
            "\x1b[0;0R",
            "\x1b[1;1R",
            "\x1b[?1u",
            "\x1b[?64;1c",
            "\x1b[1;999A",
            "\x1b[7u",
            "\x1b[155u",
            "\x1b[1114112u",
            "\x1b[99999999999999999999u",
            "\u{9b}",
        ] {
            assert_eq!(decoded(none.as_bytes()), [], "{none:?}");
        }
    }

    #[test]
    fn what_is_cut_off_does_not_swallow_what_follows() {
        for begun in ["\x1b[", "\x1b[1;", "\x1b[<0;5", "\x1b[?", "\x1bO", "\x1b[["] {
            let bytes = format!("{begun}\x1b[A");
            assert_eq!(decoded(bytes.as_bytes()), [plain(KeyCode::Up)], "{begun:?}");
        }
        assert_eq!(decoded(b"\xf0\x9fa"), [plain(KeyCode::Char('a'))]);
        assert_eq!(decoded(b"\xc3\x1b[A\xff\xfeb"), [plain(KeyCode::Up), plain(KeyCode::Char('b'))]);
        assert_eq!(decoded(b"\x1b[12\rz"), [plain(KeyCode::Enter), plain(KeyCode::Char('z'))]);
    }

    #[test]
    fn a_paste_is_text_whatever_stands_in_it() {
        let pasted = |text: &str| vec![Event::Paste(text.to_owned())];
        assert_eq!(decoded(b"\x1b[200~one\x1b[200~two\x1b[201~"), pasted("one\x1b[200~two"));
        assert_eq!(decoded(b"\x1b[200~\x1b[20\x1b\x1b[201~"), pasted("\x1b[20\x1b"));
        assert_eq!(decoded(b"\x1b[200~\xff\x1b[201~"), pasted("\u{fffd}"));
        assert_eq!(decoded(b"\x1b[200~\x1b[201~"), pasted(""));
        assert_eq!(decoded(b"\x1b[201~"), []);
    }

    #[test]
    fn nothing_unfinished_grows_without_bound() {
        let mut decoder = Decoder::default();
        decoder.feed(b"\x1b[200~");
        for _ in 0..64 {
            decoder.feed(&[b'x'; 65_536]);
            assert!(decoder.kept.capacity() <= 2 * PASTE_KEPT);
        }
        decoder.feed("é\x1b[201~q".as_bytes());
        assert_eq!(decoder.next_event(), Some(Event::Paste("x".repeat(PASTE_KEPT))));
        assert_eq!(decoder.next_event(), Some(plain(KeyCode::Char('q'))));
        assert!(decoder.kept.capacity() <= SEQUENCE_LIMIT);
        for begun in [&b"\x1b["[..], b"\x1b[<", b"\x1b[?", b"\x1b[1;"] {
            decoder.feed(begun);
            for _ in 0..64 {
                decoder.feed(&[b'7'; 4096]);
            }
            assert!(decoder.kept.capacity() <= SEQUENCE_LIMIT);
            decoder.feed(b"Aq");
            assert_eq!(decoder.next_event(), Some(plain(KeyCode::Char('q'))), "the long one makes no event");
        }
        // A report that nobody asked for leaves nothing behind.
        decoder.feed(&b"\x1b[1;1R\x1b[?1u\x1b[?1c".repeat(1000));
        assert_eq!(decoder.next_event(), None);
    }

    #[test]
    fn silence_ends_what_was_begun() {
        let after_silence = |bytes: &[u8]| {
            let mut decoder = Decoder::default();
            decoder.feed(bytes);
            assert!(decoder.patience().is_some(), "{bytes:?}");
            decoder.silent();
            assert_eq!(decoder.patience(), None);
            decoder.feed(b"q");
            std::iter::from_fn(|| decoder.next_event()).collect::<Vec<_>>()
        };
        let q = || plain(KeyCode::Char('q'));
        assert_eq!(after_silence(b"\x1b[200~half"), [Event::Paste("half".to_owned()), q()]);
        assert_eq!(after_silence(b"\x1b["), [key(KeyCode::Char('['), KeyModifiers::ALT), q()]);
        assert_eq!(after_silence(b"\x1bO"), [key(KeyCode::Char('O'), KeyModifiers::ALT), q()]);
        for dropped in [&b"\x1b[20"[..], b"\x1b[M ", b"\xf0\x9f", b"\x1b[<0;1", b"\x1b[["] {
            assert_eq!(after_silence(dropped), [q()]);
        }
        assert_eq!(Decoder::default().patience(), None);
    }
}
