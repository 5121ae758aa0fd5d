//! A folder with a small set, and runs of the program in it that are signalled and waited for.

use std::{
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::idx;

/// Generous, since test machines are slow and busy; a passing test never waits that long.
const DEADLINE: Duration = Duration::from_secs(120);

pub(crate) struct Place {
    pub(crate) folder: TempDir,
}

impl Place {
    /// A folder with 300 images to train on and 20 to test.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        idx::write_set(folder.path(), 300, 20);
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        // The tests may have been started with signals ignored, as `nohup` does.
        Command::new("env")
            .args(["--default-signal", env!("CARGO_BIN_EXE_mnist-tui")])
            .args(arguments)
            .current_dir(self.folder.path())
            .env("XDG_STATE_HOME", self.path("state"))
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts")
    }
}

pub(crate) fn ended(child: Child) -> Output {
    let (sender, output) = crossbeam_channel::bounded(1);
    thread::spawn(move || sender.send(child.wait_with_output()));
    output.recv_timeout(DEADLINE).expect("it ends in time").expect("its output can be read")
}

pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status();
    assert!(sent.expect("kill is there").success());
}

/// Waits until `done`, for something that another process does.
pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !done() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        // Looking takes time from the process that is waited for.
        thread::park_timeout(Duration::from_millis(1));
    }
}
