//! The real `slipway` binary as a child process: started, waited for, killed, started again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long the bot may take to answer after its start.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How often it is asked meanwhile.
const START_POLL: Duration = Duration::from_millis(20);

/// A running bot; killed when dropped.
#[derive(Debug)]
pub struct Bot {
    binary: PathBuf,
    config: PathBuf,
    environment: BTreeMap<String, String>,
    log: PathBuf,
    url: String,
    child: Option<Child>,
}

impl Bot {
    /// A bot that is not started yet. `url` is where its configuration makes it listen.
    ///
    /// # Errors
    /// When the binary is not built.
    pub fn new(config: &Path, environment: BTreeMap<String, String>, log: &Path, url: &str) -> io::Result<Self> {
        Ok(Self {
            binary: binary()?,
            config: config.to_owned(),
            environment,
            log: log.to_owned(),
            url: url.to_owned(),
            child: None,
        })
    }

    /// Starts it without waiting.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(&mut self) -> io::Result<()> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let child = Command::new(&self.binary)
            .arg("serve")
            .arg("--config")
            .arg(&self.config)
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        self.child = Some(child);
        Ok(())
    }

    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// When it cannot be started, ends, or does not answer in time; with what it logged.
    pub async fn start(&mut self) -> io::Result<()> {
        self.spawn()?;
        let health = format!("{}/healthz", self.url);
        let client = reqwest::Client::new();
        let deadline = tokio::time::Instant::now() + START_LIMIT;
        loop {
            if client.get(&health).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            let ended = self.child.as_mut().map(Child::try_wait).transpose()?.flatten();
            if ended.is_some() || tokio::time::Instant::now() > deadline {
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                let tail: Vec<_> = log.lines().rev().take(20).collect();
                let tail: Vec<_> = tail.into_iter().rev().collect();
                return Err(io::Error::other(format!("the bot did not start:\n{}", tail.join("\n"))));
            }
            tokio::time::sleep(START_POLL).await;
        }
    }

    /// Kills it with SIGKILL, wherever it is.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn kill(&mut self) -> io::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Takes a variable out of its environment, for the next start.
    pub fn unset(&mut self, variable: &str) {
        self.environment.remove(variable);
    }

    /// Sets a variable of its environment, for the next start or command.
    pub fn set(&mut self, variable: &str, value: &str) {
        self.environment.insert(variable.to_owned(), value.to_owned());
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Runs another command of the same binary on the same configuration.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(&self, arguments: &[&str]) -> io::Result<std::process::Output> {
        Command::new(&self.binary)
            .args(arguments)
            .arg("--config")
            .arg(&self.config)
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null())
            .output()
    }

    /// Runs another command of the same binary in a folder, without a configuration and its secrets.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run_alone(&self, folder: &Path, arguments: &[&str]) -> io::Result<std::process::Output> {
        Command::new(&self.binary).args(arguments).current_dir(folder).env_clear().stdin(Stdio::null()).output()
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// The `slipway` binary of the same build: beside this program, or one folder up for a test.
///
/// # Errors
/// When it is not built.
pub fn binary() -> io::Result<PathBuf> {
    let here = std::env::current_exe()?;
    let name = format!("slipway{}", std::env::consts::EXE_SUFFIX);
    let folders = here.ancestors().skip(1).take(2);
    let found = folders.map(|folder| folder.join(&name)).find(|path| path.is_file());
    found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the slipway binary is not built: cargo build --bins"))
}
