//! Comparisons of `github.ref` with what it never is.

use super::{WorkflowFile, WorkflowFinding, lines};

/// Beginnings that no ref has, and the ones that were meant.
const MISSPELT: [(&str, &str); 3] =
    [("refs/head/", "refs/heads/"), ("refs/tag/", "refs/tags/"), ("ref/heads/", "refs/heads/")];
/// How much of a name is quoted.
const NAME_LIMIT_CHARS: usize = 60;

pub(super) fn findings(file: &WorkflowFile<'_>) -> Vec<WorkflowFinding> {
    let mut found = Vec::new();
    for (line, text) in lines(file) {
        let what = misspelt(text).or_else(|| bare_name(text));
        found.extend(what.map(|what| WorkflowFinding { file: file.path.to_owned(), line, what }));
    }
    found
}

fn misspelt(line: &str) -> Option<String> {
    let (wrong, right) = MISSPELT.into_iter().find(|(wrong, _)| stands_alone(line, wrong))?;
    Some(format!("no branch or tag is named \"{wrong}…\", so nothing ever matches this: write \"{right}…\""))
}

/// Whether it is there and not the end of a longer word, as `refs/heads/` ends with `s/heads/`.
fn stands_alone(line: &str, wrong: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '/');
    line.match_indices(wrong).any(|(at, _)| !line.get(..at).is_some_and(|before| before.ends_with(word)))
}

/// `github.ref == 'main'`: a ref is never only a name.
fn bare_name(line: &str) -> Option<String> {
    let compared = line.match_indices("github.ref").find_map(|(at, word)| {
        let rest = line.get(at + word.len()..)?.trim_start().strip_prefix("==")?.trim_start();
        rest.strip_prefix('\'')?.split_once('\'').map(|(name, _)| name)
    })?;
    if compared.is_empty() || compared.starts_with("refs/") {
        return None;
    }
    let name: String = compared.chars().take(NAME_LIMIT_CHARS).collect();
    Some(format!("github.ref is never '{name}': it is 'refs/heads/{name}', and github.ref_name is '{name}'"))
}
