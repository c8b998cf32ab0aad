//! Whether anything can start the workflow that builds the image.

use super::{Expected, WorkflowFile, WorkflowFinding, lines};

/// What the workflow's `on` says of what matters here.
#[derive(Default)]
struct Triggers {
    /// The line of `on`.
    line: u32,
    dispatch: bool,
    push: Option<Push>,
    /// Something that can start it besides, which Slipway does not judge.
    others: bool,
}

/// The filters of `push`.
#[derive(Default)]
struct Push {
    branches: Vec<String>,
    tags: bool,
}

/// Events that never build a commit of the default branch by themselves.
const NEVER_BUILD: [&str; 3] = ["pull_request", "pull_request_review", "issues"];

pub(super) fn finding(file: &WorkflowFile<'_>, expected: &Expected<'_>) -> Option<WorkflowFinding> {
    let triggers = read(file)?;
    if triggers.dispatch || triggers.others {
        return None;
    }
    let why = match &triggers.push {
        None => "no push starts it".to_owned(),
        Some(push) if push.builds(expected.branch) => return None,
        Some(_) => format!("a push to {} does not start it", expected.branch),
    };
    let what = format!("{why}, and it has no workflow_dispatch: nothing builds the image that is released");
    Some(WorkflowFinding { file: file.path.to_owned(), line: triggers.line, what })
}

impl Push {
    /// Whether a push to the branch starts it. Patterns that are not understood do.
    fn builds(&self, branch: &str) -> bool {
        if self.branches.is_empty() {
            return !self.tags;
        }
        let mut builds = false;
        for pattern in &self.branches {
            match pattern.strip_prefix('!') {
                Some(not) if matches(not, branch) => builds = false,
                None if matches(pattern, branch) => builds = true,
                _ => {}
            }
        }
        builds
    }
}

/// GitHub's patterns as far as they are common; one with anything else is taken to match.
fn matches(pattern: &str, branch: &str) -> bool {
    if pattern.contains(['[', '?', '+']) {
        return true;
    }
    match pattern.split_once('*') {
        None => pattern == branch,
        Some((before, after)) => {
            let deep = after.starts_with('*');
            let after = after.trim_start_matches('*');
            let Some(rest) = branch.strip_prefix(before) else { return false };
            let Some(middle) = rest.strip_suffix(after) else { return after.contains('*') };
            deep || !middle.contains('/')
        }
    }
}

/// Reads `on` in any of its three forms; `None` where there is none that is understood.
fn read(file: &WorkflowFile<'_>) -> Option<Triggers> {
    let mut lines = lines(file).skip_while(|(_, line)| !is_on(line));
    let (number, first) = lines.next()?;
    let mut triggers = Triggers { line: number, ..Triggers::default() };
    let here = first.split_once(':')?.1.trim();
    if !here.is_empty() {
        // A flow mapping has filters inside: not read.
        if here.starts_with('{') {
            return None;
        }
        items(here).for_each(|event| triggers.starts_on(event));
        return Some(triggers);
    }
    let block: Vec<&str> = lines.map(|(_, line)| line).take_while(|line| line.starts_with([' ', '\t', '-'])).collect();
    let depth = indent(block.first()?);
    let mut in_push = false;
    let mut filter = None;
    for line in block {
        let text = line.trim();
        if indent(line) == depth {
            let event = text.trim_start_matches("- ").split(':').next().unwrap_or_default().trim();
            triggers.starts_on(event);
            in_push = event == "push";
            filter = None;
            continue;
        }
        let Some(push) = triggers.push.as_mut().filter(|_| in_push) else { continue };
        if let Some(item) = text.strip_prefix("- ") {
            push.filtered(filter, item);
            continue;
        }
        let (key, values) = text.split_once(':').unwrap_or((text, ""));
        filter = Some(key);
        push.tags |= key == "tags";
        if key == "branches-ignore" {
            // Which branches that leaves is not judged.
            triggers.others = true;
            continue;
        }
        items(values).for_each(|item| push.filtered(filter, item));
    }
    Some(triggers)
}

impl Triggers {
    fn starts_on(&mut self, event: &str) {
        match event {
            "workflow_dispatch" => self.dispatch = true,
            "push" => self.push = Some(Push::default()),
            event if NEVER_BUILD.contains(&event) => {}
            _ => self.others = true,
        }
    }
}

impl Push {
    fn filtered(&mut self, filter: Option<&str>, item: &str) {
        if filter == Some("branches") {
            self.branches.push(item.trim().trim_matches(['"', '\'']).to_owned());
        }
    }
}

fn is_on(line: &str) -> bool {
    ["on:", "\"on\":", "'on':", "on :"].iter().any(|on| line.starts_with(on))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// `[a, "b"]` or `a`.
fn items(text: &str) -> impl Iterator<Item = &str> {
    let inner = text.trim().trim_start_matches('[').trim_end_matches(']');
    inner.split(',').map(|item| item.trim().trim_matches(['"', '\''])).filter(|item| !item.is_empty())
}
