//! Whether a program left the terminal as it found it, judged from every byte that it wrote.
//!
//! The parser of `vt100` keeps one mouse mode and forgets modes that it does not know; a real terminal keeps each
//! of them. So the modes are followed here, and colours and attributes by `vt100`.

use std::collections::BTreeSet;

/// Private modes that have to be on at the end: line wrap and a visible cursor.
const ON_AT_THE_END: [u16; 2] = [7, 25];
/// Of the two kinds of modes that a terminal has, only the private ones (`CSI ? n h`) are used by screens.
const NAMES: [(u16, &str); 16] = [
    (1, "application cursor keys"),
    (7, "line wrap"),
    (9, "mouse (press)"),
    (25, "cursor visible"),
    (47, "alternate screen (47)"),
    (1000, "mouse (press and release)"),
    (1002, "mouse (drag)"),
    (1003, "mouse (all motion)"),
    (1004, "focus reports"),
    (1005, "mouse encoding UTF-8"),
    (1006, "mouse encoding SGR"),
    (1015, "mouse encoding urxvt"),
    (1047, "alternate screen (1047)"),
    (1049, "alternate screen"),
    (2004, "bracketed paste"),
    (2026, "synchronized update"),
];

/// What is not as it was before the program ran, in words; empty when all is restored.
pub fn leftovers(raw: &[u8]) -> Vec<String> {
    let mut modes: BTreeSet<u16> = ON_AT_THE_END.into();
    let mut keyboard_flags: u32 = 0;
    for sequence in control_sequences(raw) {
        match sequence {
            (b"?", parameters, b'h') => modes.extend(parameters),
            (b"?", parameters, b'l') => modes.retain(|mode| !parameters.contains(mode)),
            // The keyboard protocol is a stack: `CSI > flags u` pushes, `CSI < n u` pops.
            (b">", _, b'u') => keyboard_flags += 1,
            (b"<", parameters, b'u') => {
                let count = parameters.first().copied().unwrap_or(1).max(1);
                keyboard_flags = keyboard_flags.saturating_sub(u32::from(count));
            }
            _ => {}
        }
    }
    let mut found: Vec<String> = Vec::new();
    for mode in modes.symmetric_difference(&ON_AT_THE_END.into()) {
        let name = NAMES.iter().find(|(number, _)| number == mode).map_or("unknown mode", |(_, name)| name);
        let state = if ON_AT_THE_END.contains(mode) { "off" } else { "on" };
        found.push(format!("{name} (?{mode}) left {state}"));
    }
    if keyboard_flags > 0 {
        found.push(format!("keyboard protocol pushed {keyboard_flags} more times than popped"));
    }

    let screen = super::pty::parsed(80, 24, &String::from_utf8_lossy(raw));
    let attributes = [
        (screen.fgcolor() != vt100::Color::Default, "a text colour"),
        (screen.bgcolor() != vt100::Color::Default, "a background colour"),
        (screen.bold(), "bold"),
        (screen.dim(), "dim"),
        (screen.italic(), "italic"),
        (screen.underline(), "underline"),
        (screen.inverse(), "inverse"),
        (screen.application_keypad(), "application keypad"),
        (screen.cursor_style() != vt100::CursorStyle::Default, "a cursor style"),
    ];
    found.extend(attributes.iter().filter(|(left, _)| *left).map(|(_, name)| format!("{name} left on")));
    found
}

/// Asserts that a program restored the terminal.
///
/// # Panics
/// When it did not; the message names what is left and shows the last bytes.
#[track_caller]
pub fn assert_restored(raw: &[u8]) {
    let left = leftovers(raw);
    let tail = &raw[raw.len().saturating_sub(200)..];
    assert!(
        left.is_empty(),
        "the terminal is not restored: {}\nlast bytes: {}",
        left.join("; "),
        String::from_utf8_lossy(tail).escape_debug()
    );
}

/// The control sequences `ESC [ prefix numbers final` in `raw`. Those with intermediate bytes are left out.
fn control_sequences(raw: &[u8]) -> Vec<(&[u8], Vec<u16>, u8)> {
    let mut found = Vec::new();
    let mut rest = raw;
    while let Some(at) = rest.windows(2).position(|pair| pair == b"\x1b[") {
        rest = &rest[at + 2..];
        let end = rest.iter().position(|byte| !(0x30..=0x3f).contains(byte)).unwrap_or(rest.len());
        let (parameters, after) = rest.split_at(end);
        let prefix = parameters.iter().take_while(|byte| (0x3c..=0x3f).contains(*byte)).count();
        let (prefix, numbers) = parameters.split_at(prefix);
        if let Some(last) = after.first().filter(|byte| (0x40..=0x7e).contains(*byte)) {
            let numbers = numbers
                .split(|byte| *byte == b';' || *byte == b':')
                .filter_map(|number| std::str::from_utf8(number).ok()?.parse().ok())
                .collect();
            found.push((prefix, numbers, *last));
        }
        rest = after;
    }
    found
}
