//! Reading a repository by running `git`: no shell, no configuration of the repository that could run
//! something, nothing that writes into it. Everything that comes from a request is checked before it gets here.

use jiff::Timestamp;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// How long one `git` may take.
const GIT_TIMEOUT_S: u64 = 20;

pub(super) struct Git {
    pub(super) path: PathBuf,
    /// What is made here, and where the repository's own objects are.
    made: Option<(TempDir, PathBuf)>,
}

/// A commit as git has it.
pub(super) struct GitCommit {
    pub(super) sha: String,
    pub(super) tree: String,
    pub(super) parents: Vec<String>,
    pub(super) author: Signature,
    pub(super) committer: Signature,
    pub(super) message: String,
}

pub(super) struct Signature {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) at: Timestamp,
}

pub(super) struct GitRef {
    /// `refs/heads/main`.
    pub(super) name: String,
    pub(super) object: String,
    /// `commit` or `tag`.
    pub(super) kind: String,
    /// The commit, when the object is a tag.
    pub(super) peeled: Option<String>,
}

pub(super) struct Entry {
    pub(super) mode: String,
    pub(super) kind: String,
    pub(super) sha: String,
    pub(super) size: Option<u64>,
    pub(super) path: String,
}

/// A file that differs between two commits.
pub(super) struct Changed {
    pub(super) path: String,
    /// Where it was before, if it was moved.
    pub(super) was: Option<String>,
    /// GitHub's word.
    pub(super) status: &'static str,
    /// What is in it after the change.
    pub(super) sha: String,
    pub(super) additions: u64,
    pub(super) deletions: u64,
}

pub(super) fn is_hex(text: &str, min: usize) -> bool {
    (min..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("git's answer cannot be read: {what}"))
}

/// Fields of a commit separated by the unit separator, commits by NUL: neither can be in a name.
const COMMIT_FORMAT: &str = "--format=%H%x1f%T%x1f%P%x1f%an%x1f%ae%x1f%at%x1f%cn%x1f%ce%x1f%ct%x1f%B%x00";

impl Git {
    /// A repository to be read. Where it is none, that shows when it is asked.
    pub(super) async fn open(path: PathBuf) -> io::Result<Self> {
        let plain = Self { path, made: None };
        let args = ["rev-parse", "--path-format=absolute", "--git-path", "objects"];
        let Some(objects) = plain.text(&args, "").await? else { return Ok(plain) };
        let objects = PathBuf::from(objects.trim_end_matches('\n'));
        Ok(Self { made: Some((tempfile::tempdir()?, objects)), ..plain })
    }

    /// The tree of two commits merged; `None` where they conflict.
    pub(super) async fn merged_tree(&self, base: &str, head: &str) -> io::Result<Option<String>> {
        let found = self.text(&["merge-tree", "--write-tree", "--no-messages", base, head], "").await?;
        Ok(found.and_then(|text| text.lines().next().map(str::to_owned)).filter(|id| is_hex(id, 40)))
    }

    /// Makes a commit, in the folder beside the repository.
    pub(super) async fn commit_tree(
        &self,
        tree: &str,
        parent: &str,
        message: &str,
        (author, author_email): (&str, &str),
        (committer, committer_email): (&str, &str),
        at: Timestamp,
    ) -> io::Result<String> {
        let at = format!("{} +0000", at.as_second());
        let who = [
            ("GIT_AUTHOR_NAME", author),
            ("GIT_AUTHOR_EMAIL", author_email),
            ("GIT_AUTHOR_DATE", &at),
            ("GIT_COMMITTER_NAME", committer),
            ("GIT_COMMITTER_EMAIL", committer_email),
            ("GIT_COMMITTER_DATE", &at),
        ];
        let args = ["-c", "commit.gpgSign=false", "commit-tree", tree, "-p", parent, "-F", "-"];
        let made = self.run(&args, message, &who).await?.map(|id| String::from_utf8_lossy(&id).trim().to_owned());
        made.filter(|id| is_hex(id, 40)).ok_or_else(|| bad("a new commit"))
    }

    /// Standard output, or `None` when git says no.
    async fn ask(&self, args: &[&str], input: &str) -> io::Result<Option<Vec<u8>>> {
        self.run(args, input, &[]).await
    }

    async fn run(&self, args: &[&str], input: &str, env: &[(&str, &str)]) -> io::Result<Option<Vec<u8>>> {
        let mut command = Command::new("git");
        command.arg("--no-replace-objects").args(["-c", "core.fsmonitor=false", "-C"]).arg(&self.path).args(args);
        for inherited in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"] {
            command.env_remove(inherited);
        }
        command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_TERMINAL_PROMPT", "0").env("GIT_NO_LAZY_FETCH", "1");
        command.envs(env.iter().copied());
        if let Some((made, own)) = &self.made {
            command.env("GIT_OBJECT_DIRECTORY", made.path()).env("GIT_ALTERNATE_OBJECT_DIRECTORIES", own);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let work = async {
            let mut child = command.spawn()?;
            if let Some(mut stdin) = child.stdin.take() {
                // Git may stop reading when it says no.
                let _ = stdin.write_all(input.as_bytes()).await;
            }
            child.wait_with_output().await
        };
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, "git took too long");
        let output = tokio::time::timeout(Duration::from_secs(GIT_TIMEOUT_S), work).await.map_err(late)??;
        Ok(output.status.success().then_some(output.stdout))
    }

    async fn text(&self, args: &[&str], input: &str) -> io::Result<Option<String>> {
        let found = self.ask(args, input).await?;
        Ok(found.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    pub(super) async fn default_branch(&self) -> io::Result<Option<String>> {
        let head = self.text(&["symbolic-ref", "--short", "HEAD"], "").await?;
        Ok(head.map(|name| name.trim().to_owned()))
    }

    pub(super) async fn refs(&self) -> io::Result<Option<Vec<GitRef>>> {
        let format = "--format=%(refname)%00%(objectname)%00%(objecttype)%00%(*objectname)";
        let Some(text) = self.text(&["for-each-ref", format, "refs/heads", "refs/tags"], "").await? else {
            return Ok(None);
        };
        let line = |line: &str| {
            let mut fields = line.split('\0').map(str::to_owned);
            let (name, object, kind) = (fields.next()?, fields.next()?, fields.next()?);
            Some(GitRef { name, object, kind, peeled: fields.next().filter(|p| !p.is_empty()) })
        };
        Ok(Some(text.lines().filter_map(line).collect()))
    }

    /// The commit of a full or shortened id; `None` when there is none, or several.
    pub(super) async fn commit_id(&self, hex: &str) -> io::Result<Option<String>> {
        let spec = format!("{hex}^{{commit}}");
        let found = self.text(&["rev-parse", "--verify", "--quiet", "--end-of-options", &spec], "").await?;
        // With --end-of-options rev-parse repeats the option in some versions.
        Ok(found.and_then(|text| text.lines().last().map(str::to_owned)).filter(|id| is_hex(id, 40)))
    }

    pub(super) async fn commits(&self, ids: &[String]) -> io::Result<Vec<GitCommit>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let args = ["rev-list", "--no-walk=unsorted", "--no-commit-header", COMMIT_FORMAT, "--stdin"];
        let text = self.text(&args, &(ids.join("\n") + "\n")).await?.ok_or_else(|| bad("no such commit"))?;
        let records = text.split('\0').map(|r| r.trim_start_matches('\n')).filter(|r| !r.is_empty());
        records.map(|record| parse_commit(record).ok_or_else(|| bad("commit"))).collect()
    }

    /// Ids of a range (`base..head`, both full ids) or of all ancestors of one, newest first.
    pub(super) async fn list(&self, range: &str, limit: Option<usize>) -> io::Result<Vec<String>> {
        let limit = limit.map(|n| format!("--max-count={n}"));
        let mut args = vec!["rev-list", "--topo-order"];
        args.extend(limit.as_deref());
        args.extend(["--end-of-options", range]);
        let text = self.text(&args, "").await?.unwrap_or_default();
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Ids of the ancestors of a commit (a full id) that changed something under a path, newest first.
    pub(super) async fn list_touching(&self, head: &str, path: &str, limit: usize) -> io::Result<Vec<String>> {
        let limit = format!("--max-count={limit}");
        let path = format!(":(literal){path}");
        let args = ["rev-list", "--topo-order", &limit, "--end-of-options", head, "--", &path];
        let text = self.text(&args, "").await?.unwrap_or_default();
        Ok(text.lines().map(str::to_owned).collect())
    }

    pub(super) async fn merge_base(&self, a: &str, b: &str) -> io::Result<Option<String>> {
        let found = self.text(&["merge-base", "--end-of-options", a, b], "").await?;
        Ok(found.map(|id| id.trim().to_owned()).filter(|id| is_hex(id, 40)))
    }

    pub(super) async fn kind(&self, id: &str) -> io::Result<Option<String>> {
        Ok(self.text(&["cat-file", "-t", id], "").await?.map(|kind| kind.trim().to_owned()))
    }

    pub(super) async fn blob(&self, spec: &str) -> io::Result<Option<Vec<u8>>> {
        self.ask(&["cat-file", "blob", spec], "").await
    }

    pub(super) async fn tag(&self, id: &str) -> io::Result<Option<String>> {
        self.text(&["cat-file", "tag", id], "").await
    }

    pub(super) async fn tree_id(&self, id: &str) -> io::Result<Option<String>> {
        let spec = format!("{id}^{{tree}}");
        let found = self.text(&["rev-parse", "--verify", "--quiet", "--end-of-options", &spec], "").await?;
        Ok(found.and_then(|text| text.lines().last().map(str::to_owned)).filter(|id| is_hex(id, 40)))
    }

    pub(super) async fn tree(&self, id: &str, recursive: bool) -> io::Result<Option<Vec<Entry>>> {
        let mut args = vec!["ls-tree", "-l", "-z", "--full-tree"];
        if recursive {
            args.extend(["-r", "-t"]);
        }
        args.push(id);
        let Some(text) = self.text(&args, "").await? else { return Ok(None) };
        let entry = |record: &str| {
            let (head, path) = record.split_once('\t')?;
            let mut head = head.split_whitespace().map(str::to_owned);
            let (mode, kind, sha) = (head.next()?, head.next()?, head.next()?);
            let size = head.next().and_then(|size| size.parse().ok());
            Some(Entry { mode, kind, sha, size, path: path.to_owned() })
        };
        Ok(Some(text.split('\0').filter_map(entry).collect()))
    }
}

impl Git {
    /// The files that differ between two commits (full ids), by path.
    pub(super) async fn changed(&self, from: &str, to: &str) -> io::Result<Vec<Changed>> {
        let diff = ["diff-tree", "-r", "-z", "-M", "--abbrev=40"];
        let raw = self.text(&[&diff[..], &["--raw", from, to]].concat(), "").await?.ok_or_else(|| bad("diff"))?;
        let numbers =
            self.text(&[&diff[..], &["--numstat", from, to]].concat(), "").await?.ok_or_else(|| bad("diff"))?;
        let (mut raw, mut numbers) = (raw.split('\0').filter(|part| !part.is_empty()), numbers.split('\0'));
        let mut all = Vec::new();
        while let Some(head) = raw.next() {
            let fields: Vec<&str> = head.split(' ').collect();
            let (sha, letter) = (fields.get(3), fields.get(4).and_then(|letters| letters.chars().next()));
            let status = match letter {
                Some('A') => "added",
                Some('D') => "removed",
                Some('R') => "renamed",
                Some('C') => "copied",
                Some('M' | 'T') => "modified",
                _ => return Err(bad("diff")),
            };
            let first = raw.next().ok_or_else(|| bad("diff"))?.to_owned();
            let moved = matches!(letter, Some('R' | 'C'));
            let second = if moved { raw.next().map(str::to_owned) } else { None };
            let counts = numbers.next().ok_or_else(|| bad("diff"))?;
            if moved {
                // Its two paths follow as fields of their own.
                numbers.nth(1);
            }
            let mut counts = counts.split('\t').map(|count| count.parse().unwrap_or(0));
            let (additions, deletions) = (counts.next().unwrap_or(0), counts.next().unwrap_or(0));
            let (path, was) = match second {
                Some(second) => (second, Some(first)),
                None => (first, None),
            };
            let sha = sha.map(|sha| (*sha).to_owned()).unwrap_or_default();
            all.push(Changed { path, was, status, sha, additions, deletions });
        }
        all.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(all)
    }
}

fn parse_commit(record: &str) -> Option<GitCommit> {
    let mut fields = record.splitn(10, '\u{1f}').map(str::to_owned);
    let signature = |fields: &mut dyn Iterator<Item = String>| {
        let (name, email) = (fields.next()?, fields.next()?);
        let at = Timestamp::from_second(fields.next()?.parse().ok()?).ok()?;
        Some(Signature { name, email, at })
    };
    let (sha, tree, parents) = (fields.next()?, fields.next()?, fields.next()?);
    let author = signature(&mut fields)?;
    let committer = signature(&mut fields)?;
    let message = fields.next()?.trim_end().to_owned();
    let parents = parents.split_whitespace().map(str::to_owned).collect();
    Some(GitCommit { sha, tree, parents, author, committer, message })
}
