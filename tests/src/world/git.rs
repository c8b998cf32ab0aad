//! Reading a repository on disk: what the demo must know of it before GitHub is asked.

use std::io;
use std::path::Path;
use std::process::Command;

/// Runs git in a repository and gives what it printed.
pub(super) fn git(repository: &Path, arguments: &[&str]) -> io::Result<String> {
    let output = Command::new("git").arg("-C").arg(repository).args(arguments).output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

/// The last commits of the first-parent line, newest first.
pub(super) fn line_of(repository: &Path, count: usize) -> io::Result<Vec<String>> {
    let count = format!("--max-count={count}");
    Ok(git(repository, &["rev-list", "--first-parent", &count, "HEAD"])?.lines().map(str::to_owned).collect())
}

/// The folder that holds goose migrations at a commit, if one does.
pub(super) fn goose_folder(repository: &Path, commit: &str) -> io::Result<Option<String>> {
    let found = git(repository, &["grep", "-l", "-I", "-e", "-- +goose Up", commit, "--", "*.sql"]);
    // `git grep` fails when nothing matches.
    let Ok(found) = found else { return Ok(None) };
    let mut folders: Vec<&str> = found
        .lines()
        .filter_map(|line| line.split_once(':'))
        .filter_map(|(_, path)| path.rsplit_once('/').map(|(folder, _)| folder))
        .collect();
    folders.sort_unstable();
    folders.dedup();
    Ok(folders.into_iter().min_by_key(|folder| unlikeliness(folder)).map(str::to_owned))
}

/// Fixtures and examples last, then folders that are not called `migrations`, then deep ones.
fn unlikeliness(folder: &str) -> (bool, bool, usize) {
    let aside = ["testdata", "test", "tests", "examples", "example", "fixtures", "internal"];
    let is_aside = folder.split('/').any(|part| aside.contains(&part));
    (is_aside, !folder.ends_with("migrations"), folder.split('/').count())
}

/// The files of a folder at a commit; none when it is not there.
pub(super) fn files_of(repository: &Path, commit: &str, folder: &str) -> io::Result<Vec<(String, Vec<u8>)>> {
    let at = format!("{commit}:{folder}");
    let Ok(names) = git(repository, &["ls-tree", "--name-only", &at]) else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    for name in names.lines().filter(|name| name.ends_with(".sql")) {
        let object = format!("{commit}:{folder}/{name}");
        let output = Command::new("git").arg("-C").arg(repository).args(["cat-file", "blob", &object]).output()?;
        files.push((name.to_owned(), output.stdout));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::unlikeliness;

    #[test]
    fn the_service_s_own_folder_is_likelier_than_fixtures() {
        let mut folders =
            ["internal/testdata/migrations", "tests/sql", "db/schema", "backend/db/migrations", "migrations"];
        folders.sort_by_key(|folder| unlikeliness(folder));
        let expected =
            ["migrations", "backend/db/migrations", "db/schema", "internal/testdata/migrations", "tests/sql"];
        assert_eq!(folders, expected);
    }
}
