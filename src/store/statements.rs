//! Which SQL texts this process ran, and how many: for the contract suite, which requires that every
//! constant of this folder was really executed, and for the benches, which count round trips. Off, and
//! free but for one load, outside of them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

static NOTING: AtomicBool = AtomicBool::new(false);
static RAN: AtomicU64 = AtomicU64::new(0);
static NOTED: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// Notes a text that is about to run, and gives it back.
pub fn note(text: &'static str) -> &'static str {
    if NOTING.load(Ordering::Relaxed) {
        RAN.fetch_add(1, Ordering::Relaxed);
        NOTED.lock().unwrap_or_else(PoisonError::into_inner).insert(text);
    }
    text
}

/// From here on, texts are noted.
pub fn start() {
    NOTING.store(true, Ordering::Relaxed);
}

/// From here on, nothing is noted any more.
pub fn stop() {
    NOTING.store(false, Ordering::Relaxed);
}

/// How many statements were noted so far, the words of control included.
#[must_use]
pub fn ran() -> u64 {
    RAN.load(Ordering::Relaxed)
}

/// The texts noted since the last time this was asked.
#[must_use]
pub fn take() -> BTreeSet<&'static str> {
    std::mem::take(&mut *NOTED.lock().unwrap_or_else(PoisonError::into_inner))
}
