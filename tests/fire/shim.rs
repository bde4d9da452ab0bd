//! The shim: builds `shim.c` once for a test run with `cc`, says by which environment a process gets it,
//! and switches its faults. What it does stands in the C file.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// What the disk refuses, by the numbers of the shim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None = 0,
    /// Files cannot grow and no file can be made (ENOSPC).
    Full = 1,
    /// No write succeeds (EIO).
    Write = 2,
    /// No fsync succeeds (EIO).
    Sync = 3,
    /// No read succeeds (EIO).
    Read = 4,
}

/// The library, built when first asked for.
fn library() -> &'static Path {
    static BUILT: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("libfire.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fire/shim.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"])
            .arg(&path)
            .args([source, "-ldl", "-lpthread"])
            .output()
            .expect("this test needs a C compiler (Debian, Ubuntu: apt-get install gcc libc6-dev)");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        (folder, path)
    });
    path
}

/// A shim over the files of one folder.
pub struct Shim {
    environment: BTreeMap<String, String>,
    control: Option<File>,
}

impl Shim {
    /// Over this folder, doing nothing yet.
    pub fn over(folder: &Path) -> Self {
        let folder = folder.canonicalize().expect("the folder");
        let mut environment = BTreeMap::new();
        environment.insert("LD_PRELOAD".to_owned(), library().display().to_string());
        environment.insert("FIRE_FOLDER".to_owned(), folder.display().to_string());
        Self { environment, control: None }
    }

    /// Writes every change into a trace; what is written to the book is an acknowledgement.
    #[must_use]
    pub fn tracing(mut self, trace: &Path, book: &Path) -> Self {
        self.environment.insert("FIRE_TRACE".to_owned(), trace.display().to_string());
        self.environment.insert("FIRE_BOOK".to_owned(), book.display().to_string());
        self
    }

    /// With a file by which faults are switched.
    #[must_use]
    pub fn switched_by(mut self, control: &Path) -> Self {
        let file = File::options().create_new(true).write(true).open(control).expect("the control file");
        self.environment.insert("FIRE_CONTROL".to_owned(), control.display().to_string());
        self.control = Some(file);
        self.switch(Fault::None);
        self
    }

    /// Switches a fault on, or off. Every process under the shim sees it at its next call.
    pub fn switch(&self, fault: Fault) {
        let control = self.control.as_ref().expect("a shim with a switch");
        control.write_all_at(&(fault as i32).to_ne_bytes(), 0).expect("switched");
    }

    /// The environment of a process under the shim.
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }
}
