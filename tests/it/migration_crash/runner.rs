//! `slipway migrate` as a child process.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// How long a test waits for something that must come.
pub(super) const WAIT_LIMIT: Duration = Duration::from_secs(60);

/// A running command.
pub(super) struct Runner(Child);

/// How one ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) is_done: bool,
    /// Both outputs.
    pub(super) said: String,
}

impl Runner {
    pub(super) fn start(command: &[&str], folder: &Path, url: &str) -> Self {
        let child = Command::new(slipway_sandbox::bot::binary().unwrap())
            .arg("migrate")
            .args(command)
            .arg("--dir")
            .arg(folder)
            .args(["--database", url, "--format", "goose"])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        Self(child.unwrap())
    }

    /// Kills it with SIGKILL.
    pub(super) async fn kill(mut self) {
        assert_eq!(self.0.try_wait().unwrap(), None, "it is still running");
        self.0.kill().await.unwrap();
    }

    pub(super) async fn end(self) -> Ended {
        let output = tokio::time::timeout(WAIT_LIMIT, self.0.wait_with_output()).await;
        let output = output.expect("the command ends").unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended { is_done: output.status.success(), said: text(&output.stdout) + &text(&output.stderr) }
    }
}

impl Ended {
    #[track_caller]
    pub(super) fn done(self) -> String {
        assert!(self.is_done, "{}", self.said);
        self.said
    }

    #[track_caller]
    pub(super) fn refused(self) -> String {
        assert!(!self.is_done, "{}", self.said);
        self.said
    }
}
