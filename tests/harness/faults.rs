//! A disk that is full and an fsync that fails, for one process.
//!
//! A shim that is preloaded into the daemon (`tests/peers/shims/faults.c`) looks for a control file before every write
//! below one directory. So a fault needs no privileges and no file system of its own, and it ends the moment the
//! story says so.

use crate::peers::shim;
use crate::scene::Scene;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Faults that can be switched on and off while the daemon runs.
#[derive(Debug)]
pub struct Faults {
    shim: PathBuf,
    control: PathBuf,
    under: PathBuf,
}

impl Faults {
    /// Prepares faults for the files below `under`; none is on. Needs [`crate::Peer::Compiler`].
    ///
    /// # Panics
    /// When the shim does not compile.
    pub fn prepare(scene: &Scene, under: &Path) -> Self {
        Faults { shim: shim(scene, "faults"), control: scene.path().join("faults.control"), under: under.to_owned() }
    }

    /// From now on every write below the directory fails with "No space left on device".
    pub fn disk_full(&self) {
        self.set("full");
    }

    /// From now on every fsync and fdatasync below the directory fails with an input/output error.
    pub fn sync_fails(&self) {
        self.set("sync");
    }

    /// From now on all is well again.
    pub fn clear(&self) {
        // There is nothing to remove when no fault was on.
        let _ = std::fs::remove_file(&self.control);
    }

    pub(crate) fn environment(&self) -> [(String, OsString); 3] {
        [
            ("LD_PRELOAD".to_owned(), self.shim.clone().into()),
            ("FAULTS_CONTROL".to_owned(), self.control.clone().into()),
            ("FAULTS_UNDER".to_owned(), self.under.clone().into()),
        ]
    }

    fn set(&self, fault: &str) {
        // Renamed into place, so that the shim never reads half a word.
        let draft = self.control.with_extension("draft");
        std::fs::write(&draft, fault).expect("the control file can be written");
        std::fs::rename(&draft, &self.control).expect("the control file can be moved into place");
    }
}
