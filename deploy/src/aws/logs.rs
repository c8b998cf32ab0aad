//! CloudWatch Logs: the last lines of a log group, for people who look for the reason of a failure.

use super::error::without;
use super::{AwsClients, AwsError, AwsErrorKind};
use crate::redact::excerpt;
use jiff::Timestamp;

/// How many lines of a log group are read.
const LINES_LIMIT: i32 = 20;
/// How many pages are read for them: one may be empty although more follow.
const PAGES_LIMIT: usize = 3;
/// The longest line, in characters.
const LINE_LIMIT_CHARS: usize = 300;
/// So much before the moment that is asked for is read too: clocks differ, and times are rounded.
const EARLIER_MS: i64 = 1_000;

const FILTER: &str = "logs:FilterLogEvents";

/// Which lines.
pub(super) struct Wanted<'a> {
    /// The log group's region.
    pub(super) region: &'a str,
    /// The log group.
    pub(super) group: String,
    /// Only streams whose names begin so.
    pub(super) stream_prefix: Option<String>,
    /// Only what was written from then on.
    pub(super) since: Option<Timestamp>,
    /// Texts that must not be shown.
    pub(super) secrets: &'a [&'a str],
}

/// The last lines, oldest first, each with its time of day in UTC and without secrets; else a sentence that says why there
/// are none.
pub(super) async fn last(clients: &AwsClients, wanted: &Wanted<'_>) -> Result<Vec<String>, String> {
    let mut lines: Vec<(i64, String)> = Vec::new();
    let mut token = None;
    for _ in 0..PAGES_LIMIT {
        let request = clients.logs(wanted.region).filter_log_events().log_group_name(&wanted.group);
        let request = request.set_log_stream_name_prefix(wanted.stream_prefix.clone());
        let request = request.set_start_time(wanted.since.map(|since| (since.as_millisecond() - EARLIER_MS).max(0)));
        // The newest first: what is cut off is old.
        let request = request.start_from_head(false).limit(LINES_LIMIT).set_next_token(token);
        let answer = request.send().await.map_err(|error| {
            let error = AwsError::from_sdk(FILTER, &error, wanted.secrets);
            match error.kind {
                AwsErrorKind::NotFound => format!("There is no log group {}.", wanted.group),
                _ => format!("Its log is not shown: {error}"),
            }
        })?;
        let lacks = || format!("Its log is not shown: {}", AwsError::lacks(FILTER, "events"));
        let events = answer.events.ok_or_else(lacks)?.into_iter();
        lines.extend(events.filter_map(|event| Some((event.timestamp?, event.message?))));
        token = answer.next_token;
        if token.is_none() || lines.len() >= usize::try_from(LINES_LIMIT).unwrap_or(usize::MAX) {
            break;
        }
    }
    // They came newest first, and those of one millisecond keep their order.
    lines.reverse();
    lines.sort_by_key(|(at, _)| *at);
    let cut = lines.len().saturating_sub(usize::try_from(LINES_LIMIT).unwrap_or(usize::MAX));
    Ok(lines[cut..]
        .iter()
        .filter_map(|(at, text)| line(Timestamp::from_millisecond(*at).ok(), text, wanted.secrets))
        .collect())
}

/// One line as it is shown; `None` when nothing of it is left.
pub(super) fn line(at: Option<Timestamp>, text: &str, secrets: &[&str]) -> Option<String> {
    // What is known to be a secret goes first: cutting or guessing might leave half of one.
    let text = excerpt(&without(text, secrets), LINE_LIMIT_CHARS);
    let at = at.map_or(String::new(), |at| format!("{} ", at.strftime("%H:%M:%S")));
    (!text.trim().is_empty()).then(|| format!("{at}{text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_time_and_neither_secrets_nor_endless_length() {
        let at = Timestamp::from_second(1_700_000_000).ok();
        let shown = line(at, "cannot use hunter2-long, nor token=abc\n", &["hunter2-long"]).unwrap();
        assert_eq!(shown, "22:13:20 cannot use [redacted], nor token=[redacted]");
        let long = line(None, &"x".repeat(1_000), &[]).unwrap();
        assert_eq!(long.chars().count(), LINE_LIMIT_CHARS + 1);
        assert_eq!(line(at, " \t\n", &[]), None);
    }
}
