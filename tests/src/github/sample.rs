//! A small realistic repository for the demo and the tests: the Go service "goals" with three authors, goose
//! migrations, a workflow, two version tags and three commits that nobody has released yet.

mod files;

use jiff::{SignedDuration, Timestamp};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Somebody who commits.
#[derive(Clone, Debug)]
pub struct Author {
    /// As git has it.
    pub name: String,
    /// As git has it.
    pub email: String,
    /// The GitHub login.
    pub login: String,
}

/// Who commits, and when.
#[derive(Clone, Debug)]
pub struct SampleOptions {
    /// Author of most of it, of "Likes on updates" and "Nested comment order".
    pub ana: Author,
    /// Author of nothing that is unreleased, so that he can approve it.
    pub bob: Author,
    /// Author of "Profile links".
    pub eve: Author,
    /// When the newest commit was made; the others lie before it.
    pub newest: Timestamp,
}

impl SampleOptions {
    /// Ana, Bob and Eve of acme.dev.
    #[must_use]
    pub fn new(newest: Timestamp) -> Self {
        let author = |name: &str, login: &str| Author {
            name: name.into(),
            email: format!("{login}@acme.dev"),
            login: format!("{login}-dev"),
        };
        Self {
            ana: author("Ana Lima", "ana"),
            bob: author("Bob Stone", "bob"),
            eve: author("Eve Adler", "eve"),
            newest,
        }
    }

    /// Logins by e-mail, for [`super::GitHubOptions::logins`].
    #[must_use]
    pub fn logins(&self) -> std::collections::HashMap<String, String> {
        [&self.ana, &self.bob, &self.eve].map(|a| (a.email.clone(), a.login.clone())).into()
    }
}

/// The repository that was made.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its folder, with a working tree of `main`.
    pub path: PathBuf,
    /// All commits of `main`, oldest first.
    pub commits: Vec<String>,
    /// What production runs at first: tag `v1.7.3`.
    pub production: String,
    /// What staging runs at first: tag `v1.8.0` (annotated), one commit and one migration further.
    pub staging: String,
    /// The newest commit of `main`: three further than staging, one of them with a migration.
    pub head: String,
    /// The newest commit of `feature/comment-threads`, which branched off at `v1.8.0`.
    pub feature: String,
}

/// From one commit to the next.
const HOURS_BETWEEN: i64 = 19;
/// From the newest commit to the one that is merged later.
const MINUTES_LATER: i64 = 11;
/// `main` up to here is released to production and to staging.
const PRODUCTION_INDEX: usize = 3;
const STAGING_INDEX: usize = 4;

/// One commit of the sample.
struct Change<'a> {
    title: &'a str,
    author: &'a Author,
    files: &'a [(&'a str, &'a str)],
}

/// Makes the repository in an empty folder.
///
/// # Errors
/// When `git` is missing or fails.
pub fn build(folder: &Path, options: &SampleOptions) -> io::Result<Sample> {
    let SampleOptions { ana, bob, eve, newest } = options;
    let change = |title, author, files| Change { title, author, files };
    let changes = [
        change("Service with a health check", ana, files::SKELETON),
        change("Users and goals (#12)", bob, files::GOALS),
        change("Reminders for stale goals (#29)", bob, files::REMINDERS),
        change("Faster goal list (#33)", ana, files::FASTER),
        change("A few words about oneself (#38)", eve, files::BIO),
        change("Likes on updates (#41)", ana, files::LIKES),
        change("Profile links (#44)", eve, files::LINKS),
        change("Nested comment order (#45)", ana, files::ORDER),
    ];
    let mut stream = String::new();
    let before = |commits: usize| {
        let hours = HOURS_BETWEEN * i64::try_from(commits).unwrap_or(0);
        newest.checked_sub(SignedDuration::from_hours(hours)).unwrap_or(*newest).as_second()
    };
    for (index, change) in changes.iter().enumerate() {
        let from = (index > 0).then(|| format!(":{index}"));
        commit(&mut stream, "refs/heads/main", index + 1, from.as_deref(), change, before(changes.len() - 1 - index));
    }
    let threads = Change { title: "Comment threads, unfinished", author: eve, files: files::THREADS };
    let from = format!(":{}", STAGING_INDEX + 1);
    commit(&mut stream, "refs/heads/feature/comment-threads", changes.len() + 1, Some(&from), &threads, before(1));
    let _ = write!(stream, "reset refs/tags/v1.7.3\nfrom :{}\n\n", PRODUCTION_INDEX + 1);
    let tagged_at = before(changes.len() - 1 - STAGING_INDEX);
    let _ = write!(stream, "tag v1.8.0\nfrom :{}\n", STAGING_INDEX + 1);
    let _ = write!(stream, "tagger {} <{}> {tagged_at} +0000\ndata 7\nv1.8.0\n\n", ana.name, ana.email);

    git(folder, &["init", "--quiet", "--initial-branch=main"], "")?;
    import(folder, &stream)?;
    git(folder, &["reset", "--quiet", "--hard", "main"], "")?;
    let listed = git(folder, &["rev-list", "--reverse", "main"], "")?;
    let commits: Vec<String> = listed.lines().map(str::to_owned).collect();
    let feature = git(folder, &["rev-parse", "refs/heads/feature/comment-threads"], "")?.trim().to_owned();
    let at = |index: usize| commits.get(index).cloned().ok_or_else(|| io::Error::other("a commit is missing"));
    let (production, staging, head) = (at(PRODUCTION_INDEX)?, at(STAGING_INDEX)?, at(changes.len() - 1)?);
    Ok(Sample { path: folder.to_owned(), commits, production, staging, head, feature })
}

/// Puts one more commit of Eve's on `main`, as a merged pull request would. Gives the new head.
///
/// # Errors
/// When `git` refuses it.
pub fn merge_another(folder: &Path, options: &SampleOptions) -> io::Result<String> {
    let change = Change { title: "Goals page by page (#47)", author: &options.eve, files: files::PAGES };
    merge(folder, options, &change)
}

/// The same with a migration: what was released before it does not know its table.
///
/// # Errors
/// When `git` refuses it.
pub fn merge_a_migration(folder: &Path, options: &SampleOptions) -> io::Result<String> {
    let change = Change { title: "Tags on goals (#51)", author: &options.eve, files: files::TAGS };
    merge(folder, options, &change)
}

fn merge(folder: &Path, options: &SampleOptions, change: &Change<'_>) -> io::Result<String> {
    let mut stream = String::new();
    let at_s = options.newest.as_second() + MINUTES_LATER * 60;
    commit(&mut stream, "refs/heads/main", 1, Some("refs/heads/main^0"), change, at_s);
    import(folder, &stream)?;
    git(folder, &["reset", "--quiet", "--hard", "main"], "")?;
    Ok(git(folder, &["rev-parse", "main"], "")?.trim().to_owned())
}

/// Puts one file on a branch of its own that goes out from the newest commit of `main`, as somebody would who opens a
/// pull request. Gives its commit. A branch that is there goes on.
///
/// # Errors
/// When `git` refuses it.
pub fn propose(folder: &Path, options: &SampleOptions, branch: &str, file: (&str, &str)) -> io::Result<String> {
    let change = Change { title: "Something to look at", author: &options.eve, files: &[file] };
    let reference = format!("refs/heads/{branch}");
    let known = git(folder, &["rev-parse", "--verify", "--quiet", &reference], "").is_ok();
    let from = if known { format!("{reference}^0") } else { "refs/heads/main^0".to_owned() };
    let mut stream = String::new();
    commit(&mut stream, &reference, 1, Some(&from), &change, options.newest.as_second());
    import(folder, &stream)?;
    Ok(git(folder, &["rev-parse", &reference], "")?.trim().to_owned())
}

/// Puts a commit of Eve's with this title on `main`, as a merged pull request would: whichever number it is, it changes a
/// page of the documentation. Gives the new head.
///
/// # Errors
/// When `git` refuses it.
pub fn merge_change(folder: &Path, options: &SampleOptions, title: &str, number: u32) -> io::Result<String> {
    let (page, text) = (format!("docs/{number}.md"), format!("{title}\n"));
    let files = [(page.as_str(), text.as_str())];
    let change = Change { title, author: &options.eve, files: &files };
    let mut stream = String::new();
    let at_s = options.newest.as_second() + MINUTES_LATER * 60 + i64::from(number);
    commit(&mut stream, "refs/heads/main", 1, Some("refs/heads/main^0"), &change, at_s);
    import(folder, &stream)?;
    Ok(git(folder, &["rev-parse", "main"], "")?.trim().to_owned())
}

fn commit(stream: &mut String, branch: &str, mark: usize, from: Option<&str>, change: &Change<'_>, at_s: i64) {
    let Change { title, author: Author { name, email, login: _ }, files } = change;
    // Writing to a string cannot fail.
    let _ = write!(stream, "commit {branch}\nmark :{mark}\n");
    let _ = write!(stream, "author {name} <{email}> {at_s} +0000\ncommitter {name} <{email}> {at_s} +0000\n");
    let _ = write!(stream, "data {}\n{title}\n", title.len() + 1);
    if let Some(from) = from {
        let _ = writeln!(stream, "from {from}");
    }
    for (path, text) in *files {
        let _ = write!(stream, "M 100644 inline {path}\ndata {}\n{text}\n", text.len());
    }
    stream.push('\n');
}

/// Adds what a stream of `git fast-import` describes to a repository that this module made.
///
/// # Errors
/// When `git` refuses it.
pub fn import(folder: &Path, stream: &str) -> io::Result<()> {
    git(folder, &["fast-import", "--quiet", "--date-format=raw"], stream).map(|_| ())
}

/// The person's own settings (signing, hooks, templates) have no part in it.
fn git(folder: &Path, args: &[&str], input: &str) -> io::Result<String> {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(args);
    for inherited in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_TEMPLATE_DIR"] {
        command.env_remove(inherited);
    }
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("git {} failed: {}", args.first().unwrap_or(&""), said.trim())))
}
