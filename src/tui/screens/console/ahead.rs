//! What was typed ahead: keys that came while the console waited for the answer that decides what they
//! mean. They are kept, and taken in order once it is there, so that over a slow line nobody has to
//! wait for the picture. They were typed for the case that all goes well: a refusal drops them.

use super::message::Msg;
use crate::domain::time::Timestamp;
use crate::tui::app::Input;
use crate::tui::key::{Key, KeyPress};
use std::collections::VecDeque;

/// The most inputs that are kept; who types on without an answer is not heard.
const LIMIT: usize = 512;
/// Seconds after which an answer is waited for no longer: what is typed then is heard at once.
const PATIENCE_SECONDS: i64 = 5;

/// The inputs.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    kept: VecDeque<Input<Msg>>,
    /// Since when an answer is waited for.
    since: Option<Timestamp>,
    /// The key that was heard last.
    last: Option<KeyPress>,
}

impl Ahead {
    /// Takes an input; gives it back where it is to be heard now. `waits`: an answer is on its way;
    /// `acts`: it is the answer to a change.
    pub fn hear(&mut self, input: Input<Msg>, waits: bool, acts: bool, now: Timestamp) -> Option<Input<Msg>> {
        self.note(waits, now);
        let press = match &input {
            Input::Key(press) => Some(*press),
            Input::Paste(_) => None,
            _ => return Some(input),
        };
        // Who leaves, or signs out, means now.
        if press.is_some_and(|press| press.ctrl || press.key == Key::Esc) {
            self.drop_all();
            return Some(input);
        }
        let patient = self.since.is_some_and(|since| now < since.plus_seconds(PATIENCE_SECONDS));
        if !waits || !patient {
            self.last = press;
            return Some(input);
        }
        // A key that is pressed twice for one change means one change.
        let again = acts && self.kept.is_empty() && press.is_some() && press == self.last;
        if !again && self.kept.len() < LIMIT {
            self.kept.push_back(input);
        }
        None
    }

    /// Notes whether an answer is waited for at this instant.
    pub fn note(&mut self, waits: bool, now: Timestamp) {
        self.since = waits.then(|| self.since.unwrap_or(now));
    }

    /// The input that was typed first.
    pub fn next(&mut self) -> Option<Input<Msg>> {
        let next = self.kept.pop_front()?;
        if let Input::Key(press) = &next {
            self.last = Some(*press);
        }
        Some(next)
    }

    /// Forgets what was typed: it was meant for something else than what came.
    pub fn drop_all(&mut self) {
        self.kept.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(0);

    fn key(character: char) -> Input<Msg> {
        Input::Key(KeyPress::plain(Key::Char(character)))
    }

    fn typed(ahead: &mut Ahead) -> String {
        std::iter::from_fn(|| ahead.next())
            .filter_map(|input| match input {
                Input::Key(KeyPress { key: Key::Char(character), .. }) => Some(character),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn what_is_typed_while_an_answer_is_waited_for_comes_after_it_in_order() {
        let mut ahead = Ahead::default();
        assert!(ahead.hear(key('a'), false, false, NOW).is_some());
        for character in "bcd".chars() {
            assert!(ahead.hear(key(character), true, false, NOW).is_none());
        }
        assert_eq!(typed(&mut ahead), "bcd");
    }

    #[test]
    fn a_key_pressed_twice_for_a_change_is_heard_once() {
        let mut ahead = Ahead::default();
        assert!(ahead.hear(key('y'), false, false, NOW).is_some());
        for character in "yyxy".chars() {
            assert!(ahead.hear(key(character), true, true, NOW).is_none());
        }
        assert_eq!(typed(&mut ahead), "xy");
    }

    #[test]
    fn who_leaves_is_heard_at_once_and_so_is_everybody_when_no_answer_comes() {
        let mut ahead = Ahead::default();
        assert!(ahead.hear(key('a'), true, false, NOW).is_none());
        assert!(ahead.hear(Input::Key(KeyPress::plain(Key::Esc)), true, false, NOW).is_some());
        assert_eq!(typed(&mut ahead), "");
        assert!(ahead.hear(key('b'), true, false, NOW.plus_seconds(PATIENCE_SECONDS - 1)).is_none());
        assert!(ahead.hear(key('c'), true, false, NOW.plus_seconds(PATIENCE_SECONDS)).is_some());
    }
}
