//! Whether the store can be written.

use super::{Probe, ProbeResult};
use async_trait::async_trait;
use std::io;
use std::path::{Path, PathBuf};

/// Asks whether the store's folder, and the store if there is one already, can be written.
pub struct StoreProbe {
    path: PathBuf,
}

impl StoreProbe {
    /// For the store at that path.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }
}

#[async_trait]
impl Probe for StoreProbe {
    fn name(&self) -> String {
        "store".to_owned()
    }

    async fn run(&self) -> ProbeResult {
        let path = self.path.clone();
        match tokio::task::spawn_blocking(move || probe(&path)).await {
            Ok(answer) => answer,
            Err(error) => ProbeResult::fail(format!("the probe broke: {error}"), "report this as a mistake of Slipway"),
        }
    }
}

fn probe(path: &Path) -> ProbeResult {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        let says = format!("the folder {} does not exist", folder.display());
        return ProbeResult::fail(says, "create it, or change url in [store]");
    }
    if path.is_dir() {
        return ProbeResult::fail(format!("{} is a folder", path.display()), "name a file as url in [store]");
    }
    // SQLite keeps two more files beside the store, so the folder must be writable too.
    if let Err(error) = write_beside(path) {
        let says = format!("the folder {} cannot be written: {error}", folder.display());
        return ProbeResult::fail(says, "let the user that runs Slipway write there, or change url in [store]");
    }
    match std::fs::OpenOptions::new().append(true).open(path) {
        Ok(_) => ProbeResult::ok(format!("{} can be written", path.display())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            ProbeResult::ok(format!("{} will be created when Slipway starts", path.display()))
        }
        Err(error) => ProbeResult::fail(
            format!("{} cannot be written: {error}", path.display()),
            "let the user that runs Slipway write it",
        ),
    }
}

/// Creates a file beside the store and removes it again.
fn write_beside(path: &Path) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".check-{}", std::process::id()));
    let beside = path.with_file_name(name);
    std::fs::OpenOptions::new().write(true).create_new(true).open(&beside)?;
    std::fs::remove_file(&beside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_writable_folder_is_ok_and_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("slipway.db");
        let answer = StoreProbe::new(path.clone()).run().await;
        assert!(answer.ok, "{answer:?}");
        assert!(answer.says.ends_with("slipway.db will be created when Slipway starts"), "{answer:?}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

        std::fs::write(&path, "kept").unwrap();
        let answer = StoreProbe::new(path.clone()).run().await;
        assert!(answer.ok && answer.says.ends_with("can be written"), "{answer:?}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "kept");
    }

    #[tokio::test]
    async fn a_missing_folder_and_a_folder_fail() {
        let folder = tempfile::tempdir().unwrap();
        let answer = StoreProbe::new(folder.path().join("none/slipway.db")).run().await;
        assert!(!answer.ok && answer.says.ends_with("none does not exist"), "{answer:?}");
        let answer = StoreProbe::new(folder.path().to_owned()).run().await;
        assert!(!answer.ok && answer.says.ends_with("is a folder"), "{answer:?}");
    }
}
