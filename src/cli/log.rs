//! The log: a file in the state folder, never a terminal, for its owner only. Secrets, cards and
//! telephone numbers are not logged anywhere; this file only decides where the lines go.

use super::files;
use crate::config::Config;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// A log of this size is put aside when a process starts, in bytes.
const PUT_ASIDE: u64 = 16 * 1024 * 1024;

/// Starts the log. A log that cannot be written keeps nobody from working.
pub fn start(config: &Config) {
    let Some(file) = open(&config.state_folder) else { return };
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Arc::new(file));
    let registry = tracing_subscriber::registry().with(config.log.clone());
    let started =
        if config.log_json { registry.with(lines.json()).try_init() } else { registry.with(lines).try_init() };
    // A second start in one process keeps the first log.
    drop(started);
}

fn open(folder: &Path) -> Option<File> {
    files::make_folder(folder).ok()?;
    let path = folder.join("servery.log");
    if fs::metadata(&path).is_ok_and(|found| found.len() > PUT_ASIDE) {
        // Of two processes that do this at once, one fails and writes on in the new file.
        drop(fs::rename(&path, folder.join("servery.log.old")));
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).ok()
}
