//! A workflow file as lines: what is a comment, which job and step a line belongs to, and what of it is a command.

use std::ops::Range;

/// What lets a line be, with a reason after it.
const ALLOW: &str = "slipway:allow ";
/// Keys whose value is run by a shell, here or on another machine.
const SCRIPT_KEYS: [&str; 5] = ["run", "script", "args", "command", "cmd"];

/// One line without its comment.
pub(super) struct Row {
    /// How far in it begins. A dash before a step counts as blanks.
    indent: usize,
    /// Whether it begins with a dash.
    dash: Option<usize>,
    /// Without blanks at either end, and without the dash.
    pub(super) text: String,
    /// Whether a comment lets it be.
    allowed: bool,
}

/// What is run at one place: a command of a script, or an action.
pub(super) struct Command {
    /// The line where it begins, from 1.
    pub(super) line: usize,
    /// Its words without quotes; of an action `uses:` and its name.
    pub(super) words: Vec<String>,
    /// Whether a comment lets it be.
    pub(super) allowed: bool,
    /// Where its step is, as rows; nothing outside of steps.
    pub(super) step: Range<usize>,
    /// Where its job is.
    pub(super) job: Range<usize>,
}

/// A job, and where its steps begin and end.
struct Job {
    rows: Range<usize>,
    steps: Vec<Range<usize>>,
}

pub(super) struct Workflow {
    pub(super) rows: Vec<Row>,
    jobs: Vec<Job>,
}

impl Workflow {
    pub(super) fn read(text: &str) -> Self {
        let mut rows: Vec<Row> = text.lines().map(row).collect();
        for at in 1..rows.len() {
            // A comment alone on a line is about the next one.
            if rows[at - 1].text.is_empty() && rows[at - 1].allowed {
                rows[at].allowed = true;
            }
        }
        let jobs = jobs(&rows);
        Self { rows, jobs }
    }

    /// Where `on` is.
    fn on(&self) -> Option<usize> {
        self.rows.iter().position(|row| row.indent == 0 && key_of(&row.text) == Some("on"))
    }

    /// The events that start it; none where it does not say, as in an action.
    fn triggers(&self) -> Vec<String> {
        let Some(at) = self.on() else { return vec![] };
        let inline = value_of(&self.rows[at].text);
        if inline.is_empty() {
            let below = self.rows[at + 1..].iter().filter(|row| !row.text.is_empty());
            let below: Vec<_> = below.take_while(|row| row.indent > 0 || row.dash.is_some()).collect();
            let first = below.first().map_or(0, |row| row.indent);
            let named = below.iter().filter(|row| row.indent == first);
            named.map(|row| key_of(&row.text).unwrap_or(&row.text).to_owned()).collect()
        } else {
            words(inline)
        }
    }

    /// Whether a deployment on GitHub starts it: Slipway writes such.
    pub(super) fn listens_for_deployments(&self) -> bool {
        self.triggers().iter().any(|trigger| trigger == "deployment" || trigger == "deployment_status")
    }

    /// Whether it only ever runs for pull requests, whose database and image nobody uses.
    pub(super) fn only_for_pull_requests(&self) -> bool {
        let Some(at) = self.on() else { return false };
        let (inline, triggers) = (value_of(&self.rows[at].text), self.triggers());
        // What runs when one is closed runs after the merge, too.
        let block =
            self.rows[at + 1..].iter().take_while(|row| row.text.is_empty() || row.indent > 0 || row.dash.is_some());
        let closed = block.flat_map(|row| words(&row.text)).any(|word| word == "closed")
            || words(inline).contains(&"closed".to_owned());
        !closed
            && !triggers.is_empty()
            && triggers.iter().all(|trigger| trigger == "pull_request" || trigger == "merge_group")
    }

    /// Everything that is run.
    pub(super) fn commands(&self) -> impl Iterator<Item = Command> {
        self.jobs.iter().flat_map(|job| job.steps.iter().map(move |step| (job, step))).flat_map(|(job, step)| {
            let commands = self.commands_of(step);
            commands.into_iter().map(|(line, words, allowed)| Command {
                line,
                words,
                allowed,
                step: step.clone(),
                job: job.rows.clone(),
            })
        })
    }

    /// Rows of a job that are of no step, and those of steps that set variables for later ones.
    pub(super) fn beside_steps(&self, job: &Range<usize>) -> impl Iterator<Item = &Row> {
        let steps = self.jobs.iter().find(|candidate| candidate.rows == *job).map(|job| &job.steps[..]).unwrap_or(&[]);
        let in_step = move |at: usize| steps.iter().any(|step| step.contains(&at));
        let rows = job.clone().filter_map(move |at| Some((at, self.rows.get(at)?)));
        rows.filter(move |(at, row)| !in_step(*at) || row.text.contains("GITHUB_ENV")).map(|(_, row)| row)
    }

    /// Rows of no job.
    pub(super) fn beside_jobs(&self) -> impl Iterator<Item = &Row> {
        let in_job = |at: usize| self.jobs.iter().any(|job| job.rows.contains(&at));
        self.rows.iter().enumerate().filter(move |(at, _)| !in_job(*at)).map(|(_, row)| row)
    }

    /// The block below a key of a job, such as `services`, without the key's own row.
    pub(super) fn block(&self, job: &Range<usize>, key: &str) -> Range<usize> {
        let at = job.clone().find(|at| self.rows[*at].dash.is_none() && key_of(&self.rows[*at].text) == Some(key));
        at.map_or(0..0, |at| at + 1..end_of_block(&self.rows, at, job.end))
    }

    fn commands_of(&self, step: &Range<usize>) -> Vec<(usize, Vec<String>, bool)> {
        let mut found = Vec::new();
        let mut at = step.start;
        while at < step.end {
            let row = &self.rows[at];
            let key = key_of(&row.text).unwrap_or_default();
            if key == "uses" {
                let words = ["uses:".to_owned(), unquoted(value_of(&row.text))];
                found.push((at + 1, words.into(), row.allowed));
            } else if SCRIPT_KEYS.contains(&key) {
                let (value, end) = (value_of(&row.text), end_of_block(&self.rows, at, step.end));
                match value.chars().next() {
                    Some('|') => found.extend(self.script(at + 1..end, false)),
                    Some('>') => found.extend(self.script(at + 1..end, true)),
                    _ => found.extend(split(value).map(|words| (at + 1, words, row.allowed))),
                }
                at = end.max(at + 1);
                continue;
            }
            at += 1;
        }
        found
    }

    /// The commands of a script's rows: each row is one, but for those that go on in the next; `folded`: all are one.
    fn script(&self, rows: Range<usize>, folded: bool) -> Vec<(usize, Vec<String>, bool)> {
        let mut found = Vec::new();
        let mut at = rows.start;
        while at < rows.end {
            let (start, mut text, mut allowed) = (at, String::new(), false);
            loop {
                let row = &self.rows[at];
                allowed |= row.allowed;
                let goes_on = folded || row.text.ends_with('\\');
                text.push_str(row.text.trim_end_matches('\\'));
                text.push(' ');
                at += 1;
                if !goes_on || at >= rows.end {
                    break;
                }
            }
            found.extend(split(&text).map(|words| (start + 1, words, allowed)));
        }
        found
    }
}

fn words(text: &str) -> Vec<String> {
    let separate = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    text.split(separate).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn row(line: &str) -> Row {
    let (content, comment) = without_comment(line);
    let indent = content.len() - content.trim_start().len();
    let text = content.trim();
    let (dash, text) = match text.strip_prefix("- ") {
        Some(rest) => (Some(indent), rest.trim_start()),
        None if text == "-" => (Some(indent), ""),
        None => (None, text),
    };
    let indent = if dash.is_some() { indent + 2 } else { indent };
    let allowed = comment.split_once(ALLOW).is_some_and(|(_, reason)| !reason.trim().is_empty());
    Row { indent, dash, text: text.to_owned(), allowed }
}

/// What stands before a comment, and the comment. A `#` inside of quotes or of a word begins none.
fn without_comment(line: &str) -> (&str, &str) {
    let (mut quote, mut before) = (None, ' ');
    let mut first = None;
    for (at, c) in line.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            // An apostrophe within a word opens nothing.
            None if c == '"' || (c == '\'' && !before.is_alphanumeric()) => quote = Some(c),
            None => {}
        }
        if c == '#' && before.is_whitespace() {
            first = first.or(Some(at));
            if quote.is_none() {
                return line.split_at(at);
            }
        }
        before = c;
    }
    // A quote that is never closed hides nothing.
    match first.filter(|_| quote.is_some()) {
        Some(at) => line.split_at(at),
        None => (line, ""),
    }
}

fn key_of(text: &str) -> Option<&str> {
    let (key, rest) = text.split_once(':')?;
    let key = key.trim_matches(['"', '\'']);
    let plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    (plain && (rest.is_empty() || rest.starts_with(char::is_whitespace))).then_some(key)
}

fn value_of(text: &str) -> &str {
    text.split_once(':').map_or("", |(_, rest)| rest.trim())
}

fn unquoted(text: &str) -> String {
    text.trim_matches(['"', '\'']).to_owned()
}

/// Where the block of a row's key ends: at the next row that is not further in.
fn end_of_block(rows: &[Row], at: usize, limit: usize) -> usize {
    let indent = rows[at].indent;
    let below = |row: &Row| row.text.is_empty() || row.dash.unwrap_or(row.indent) > indent;
    (at + 1..limit).find(|next| !below(&rows[*next])).unwrap_or(limit)
}

fn jobs(rows: &[Row]) -> Vec<Job> {
    let of = |name: &str| rows.iter().position(|row| row.indent == 0 && key_of(&row.text) == Some(name));
    let Some(at) = of("jobs") else {
        // An action has steps and no jobs.
        let action = of("runs").map(|at| at..end_of_block(rows, at, rows.len()));
        return action
            .map(|rows_of| Job { steps: steps(rows, rows_of.start, rows_of.end), rows: rows_of })
            .into_iter()
            .collect();
    };
    let end = end_of_block(rows, at, rows.len());
    let Some(indent) = rows[at + 1..end].iter().find(|row| !row.text.is_empty()).map(|row| row.indent) else {
        return vec![];
    };
    let begins = |at: &usize| !rows[*at].text.is_empty() && rows[*at].indent == indent && rows[*at].dash.is_none();
    let starts: Vec<_> = (at + 1..end).filter(begins).collect();
    let ends = starts.iter().skip(1).copied().chain([end]);
    starts
        .iter()
        .copied()
        .zip(ends)
        .map(|(start, end)| Job { rows: start..end, steps: steps(rows, start, end) })
        .collect()
}

fn steps(rows: &[Row], start: usize, end: usize) -> Vec<Range<usize>> {
    let Some(at) = (start..end).find(|at| rows[*at].dash.is_none() && key_of(&rows[*at].text) == Some("steps")) else {
        return vec![];
    };
    // The dashes of a list may stand right below its key.
    let outside = |row: &Row| !row.text.is_empty() && row.indent <= rows[at].indent && row.dash.is_none();
    let end = (at + 1..end).find(|next| outside(&rows[*next])).unwrap_or(end);
    let Some(dash) = rows[at + 1..end].iter().find_map(|row| row.dash) else { return vec![] };
    let starts: Vec<_> = (at + 1..end).filter(|at| rows[*at].dash == Some(dash)).collect();
    let ends = starts.iter().skip(1).copied().chain([end]);
    starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
}

/// The commands of a line of shell, each as words without quotes.
fn split(text: &str) -> impl Iterator<Item = Vec<String>> {
    let words: Vec<String> = text
        .replace("&&", " ; ")
        .replace("||", " ; ")
        .replace(['|', '(', ')', '`'], " ; ")
        .replace(';', " ; ")
        .split_whitespace()
        .map(unquoted)
        .filter(|word| !word.is_empty())
        .collect();
    let commands: Vec<Vec<String>> =
        words.split(|word| word == ";").filter(|words| !words.is_empty()).map(<[String]>::to_vec).collect();
    commands.into_iter()
}
