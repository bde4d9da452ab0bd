//! The small files that the command line keeps between runs: sessions and pockets (whose guest a kiosk
//! of the command line is, and its cart). All are 0600 in folders 0700; nothing here knows what they mean.

use crate::domain::error::Refused;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The longest file that is read, in bytes.
const MAX: u64 = 64 * 1024;

/// A file name for any text.
#[must_use]
pub fn name_for(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(12).fold(String::new(), |name, byte| format!("{name}{byte:02x}"))
}

fn unusable(path: &Path, why: impl std::fmt::Display) -> Refused {
    Refused::invalid("state", format!("{} cannot be used: {why}.", path.display()))
        .help("Make the folder writable for you, or set XDG_STATE_HOME to another.")
}

/// Makes a folder, and those above it, for their owner only.
///
/// # Errors
/// `VALIDATION_ERROR` when it cannot be made.
pub fn make_folder(path: &Path) -> Result<(), Refused> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| unusable(path, error))
}

/// Reads a file; `None` where there is none, or none that this program wrote.
///
/// # Errors
/// `VALIDATION_ERROR` when it is there and cannot be read.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Refused> {
    match fs::metadata(path) {
        Ok(found) if found.len() > MAX => return Err(unusable(path, "it is too large")),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(path, error)),
    }
    let bytes = fs::read(path).map_err(|error| unusable(path, error))?;
    Ok(serde_json::from_slice(&bytes).ok())
}

/// Writes a file for its owner only, whole or not at all.
///
/// # Errors
/// `VALIDATION_ERROR` when it cannot be written.
pub fn write<T: Serialize>(path: &Path, value: &T) -> Result<(), Refused> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let bytes = serde_json::to_vec(value).map_err(Refused::internal)?;
    let beside: PathBuf = path.with_extension(format!("{}.new", std::process::id()));
    let written = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        unusable(path, error)
    })
}

/// Takes a file away, if it is there.
///
/// # Errors
/// `VALIDATION_ERROR` when it is there and cannot be taken away.
pub fn remove(path: &Path) -> Result<(), Refused> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unusable(path, error)),
        _ => Ok(()),
    }
}
