//! Which SQL texts this process ran: for the contract suite, which requires that every constant of
//! this folder was really executed. Off, and free but for one load, outside of tests.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

static NOTING: AtomicBool = AtomicBool::new(false);
static NOTED: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// Notes a text that is about to run, and gives it back.
pub fn note(text: &'static str) -> &'static str {
    if NOTING.load(Ordering::Relaxed) {
        NOTED.lock().unwrap_or_else(PoisonError::into_inner).insert(text);
    }
    text
}

/// From here on, texts are noted.
pub fn start() {
    NOTING.store(true, Ordering::Relaxed);
}

/// The texts noted since the last time this was asked.
#[must_use]
pub fn take() -> BTreeSet<&'static str> {
    std::mem::take(&mut *NOTED.lock().unwrap_or_else(PoisonError::into_inner))
}
