//! The only way out of the kiosk: the terminal's exit PIN. The question lies over whatever is shown and
//! closes by itself when nobody types.

use super::effect::Secret;
use super::parts;
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::time::Timestamp;
use crate::tui::app::{Env, Input, Pending, RequestId, ViewCtx};
use crate::tui::locale::Locale;
use crate::tui::widgets::dialog::{Answer, Dialog};
use crate::tui::widgets::input::TextInput;
use ratatui::Frame;
use zeroize::Zeroizing;

/// The most digits of a PIN.
const PIN_LIMIT: usize = 12;
/// Seconds after which the question goes away.
const STAYS_SECONDS: i64 = 30;

/// The open question.
#[derive(Debug, Clone)]
pub(super) struct ExitDialog {
    dialog: Dialog,
    touched: Timestamp,
    /// The PIN that is being checked.
    pub pending: Pending,
}

/// What an input did to the question.
#[derive(Debug)]
pub(super) enum ExitStep {
    /// It stays.
    Open,
    /// It was closed.
    Closed,
    /// This is to be checked.
    Check(Secret),
}

fn question(words: String, locale: &Locale) -> Dialog {
    Dialog::text(locale.t("kiosk.exit_title"), words, TextInput::new(PIN_LIMIT).digits().secret())
}

impl ExitDialog {
    /// The question, empty.
    pub fn new(env: &Env<'_>) -> Self {
        let words = env.locale.t("kiosk.exit_question");
        Self { dialog: question(words, env.locale), touched: env.now, pending: Pending::default() }
    }

    pub fn on_input<M>(&mut self, input: &Input<M>, env: &Env<'_>) -> ExitStep {
        self.touched = env.now;
        match self.dialog.on_input(input, env) {
            Answer::Cancelled => ExitStep::Closed,
            Answer::Text(pin) if !self.pending.is_open() => ExitStep::Check(Secret(Zeroizing::new(pin))),
            _ => ExitStep::Open,
        }
    }

    /// Whether nobody has typed for long.
    pub fn is_over(&mut self, now: Timestamp) -> bool {
        self.touched = self.touched.min(now);
        now.seconds_since(self.touched) >= STAYS_SECONDS
    }

    /// Takes the answer that the PIN was wrong: says so, and asks again. False where it is stale.
    pub fn refuse(&mut self, request: RequestId, refused: &Refused, env: &Env<'_>) -> bool {
        if !self.pending.finish(request) {
            return false;
        }
        let words = match refused.code {
            ErrorCode::RateLimited | ErrorCode::StoreUnavailable | ErrorCode::InternalError => {
                parts::refusal(refused, env.locale)
            }
            // No PIN was ever set, so none can be right.
            ErrorCode::ValidationError => env.locale.t("kiosk.exit_none"),
            _ => env.locale.t("kiosk.exit_wrong"),
        };
        self.dialog = question(words, env.locale);
        true
    }

    pub fn draw(&self, frame: &mut Frame<'_>, ctx: &ViewCtx<'_>) {
        self.dialog.draw(frame, frame.area(), ctx);
    }
}
